"""Plane geometry that every room may stand on: closed polygons, distances from them, and pictures made smaller.

Plain numpy, and batches in one call: the intervals ask the area of a thousand polygons at once.
"""

from ulcermeter.geometry.polygons import area, centroid, distance_outside, perimeter, signed_area, signed_distance
from ulcermeter.geometry.shrinking import shrunken

__all__ = ["area", "centroid", "distance_outside", "perimeter", "shrunken", "signed_area", "signed_distance"]
