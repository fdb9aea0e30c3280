"""Plane geometry that every room may stand on: what a closed polygon holds and how far a point lies from it.

Plain numpy, and batches in one call: the intervals ask the area of a thousand polygons at once.
"""

from ulcermeter.geometry.polygons import area, centroid, distance_outside, perimeter, signed_area, signed_distance

__all__ = ["area", "centroid", "distance_outside", "perimeter", "signed_area", "signed_distance"]
