"""Closed polygons (K, 2) of (x, y), first vertex not repeated, in any unit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["area", "centroid", "distance_outside", "perimeter", "signed_area", "signed_distance"]


def signed_area(polygons: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the areas inside simple polygons with their turn: the shoelace formula.

    sum(x_i y_{i+1} - x_{i+1} y_i) / 2. A polygon inscribed in a disc with K vertices reads short by (2 pi / K)² / 6
    (0.07 % for K = 96); pixel counts and OpenCV's `contourArea` of pixel centres are not this.

    Parameters
    ----------
    polygons : float (..., K, 2)
        One polygon, or several of as many vertices.

    Returns
    -------
    float64 (...)
        In the unit squared; positive where x turns to y: clockwise to the eye, y pointing down.

    Examples
    --------
    >>> float(signed_area(np.array([[0, 0], [3, 0], [3, 2], [0, 2]])))
    6.0
    """
    points = np.asarray(polygons, dtype=np.float64)
    # Relative to a vertex: far from the origin the terms would cancel with a loss of digits.
    x, y = np.moveaxis(points - points[..., :1, :], -1, 0)
    return np.asarray((x * np.roll(y, -1, axis=-1) - np.roll(x, -1, axis=-1) * y).sum(axis=-1) / 2)


def area(polygon: NDArray[np.floating]) -> float:
    """Return the area inside a simple polygon (K, 2), in its unit squared, >= 0; 0 for fewer than 3 vertices.

    Parameters
    ----------
    polygon : float (K, 2)
        A polygon (K, 2); it closes itself.

    Returns
    -------
    float
    """
    return abs(float(signed_area(polygon))) if len(polygon) >= 3 else 0.0


def perimeter(polygon: NDArray[np.floating]) -> float:
    """Return the length of a closed polygon (K, 2): the sum of its sides, in its unit.

    Inscribed vertices cut corners (short by (2 pi / K)² / 24 of a disc's edge); jagged outlines read long, the more
    the finer the sampling, so outlines of different sources are compared with care.

    Parameters
    ----------
    polygon : float (K, 2)
        A polygon (K, 2); it closes itself.

    Returns
    -------
    float
    """
    points = np.asarray(polygon, dtype=np.float64)
    return float(np.linalg.norm(points - np.roll(points, -1, axis=0), axis=1).sum())


def centroid(polygon: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the centroid (2,) of the area inside a polygon (K, 2); the vertices' mean where the area is 0.

    Parameters
    ----------
    polygon : float (K, 2)
        It closes itself.

    Returns
    -------
    float64 (2,)
        (x, y), in its unit.
    """
    points = np.asarray(polygon, dtype=np.float64)
    origin = points.mean(axis=0)
    x, y = (points - origin).T
    cross = x * np.roll(y, -1) - np.roll(x, -1) * y
    if abs(cross.sum()) < 1e-12:
        return np.asarray(origin)
    moments = [((c + np.roll(c, -1)) * cross).sum() for c in (x, y)]
    return np.asarray(origin + np.array(moments) / (3 * cross.sum()))


def signed_distance(polygon: NDArray[np.floating], point: NDArray[np.floating] | tuple[float, float]) -> float:
    """Return how far a point (x, y) lies from a polygon's edge, in its unit: positive inside, negative outside.

    Vertices are taken in single precision, as OpenCV takes them.

    Parameters
    ----------
    polygon : float (K, 2)
        It closes itself.
    point : float (2,)
        (x, y), in the polygon's unit.

    Returns
    -------
    float
        In its unit.
    """
    import cv2

    contour = np.asarray(polygon, dtype=np.float32).reshape(-1, 1, 2)
    return float(cv2.pointPolygonTest(contour, (float(point[0]), float(point[1])), True))


def distance_outside(polygon: NDArray[np.floating], point: NDArray[np.floating] | tuple[float, float]) -> float:
    """Return how far a point (x, y) lies from the inside of a polygon, in its unit: 0 inside.

    Parameters
    ----------
    polygon : float (K, 2)
        It closes itself.
    point : float (2,)
        (x, y), in the polygon's unit.

    Returns
    -------
    float
        At least 0.
    """
    return max(0.0, -signed_distance(polygon, point))
