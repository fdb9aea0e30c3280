"""Geometry: camera, pose, plane, homography and the square-on view."""
