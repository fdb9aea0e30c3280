"""Plain homographies: of four or more points, and of the unit square."""

from __future__ import annotations

import numpy as np

from ulcermeter.datatypes import Points
from ulcermeter.datatypes.arrays import Matrix

__all__ = ["UNIT_SQUARE", "fit_homography", "square_to_quad"]


UNIT_SQUARE = np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]])
"""Corners (x, y): upper left, upper right, lower right, lower left."""


def fit_homography(source: Points, target: Points) -> Matrix:
    """Fit the homography that maps source points to target points, by normalised DLT.

    Parameters
    ----------
    source, target : float (K, 2)
        K ≥ 4, no three of four on a line.

    Returns
    -------
    float64 (3, 3), last element 1

    Notes
    -----
    Hartley & Zisserman, Multiple View Geometry, 2nd ed., algorithm 4.2.
    """
    (s, scale_s), (t, scale_t) = _normalised(source), _normalised(target)
    one, zero = np.ones((len(s), 1)), np.zeros((len(s), 3))
    rows_x = np.hstack([s, one, zero, -t[:, :1] * s, -t[:, :1]])
    rows_y = np.hstack([zero, s, one, -t[:, 1:] * s, -t[:, 1:]])
    h = np.linalg.svd(np.vstack([rows_x, rows_y]))[2][-1].reshape(3, 3)
    homography = np.linalg.inv(scale_t) @ h @ scale_s
    return np.asarray(homography / homography[2, 2])


def _normalised(points: Points) -> tuple[Points, Matrix]:
    centre = points.mean(axis=0)
    scale = np.sqrt(2.0) / max(float(np.hypot(*(points - centre).T).mean()), 1e-12)
    matrix = np.array([[scale, 0, -scale * centre[0]], [0, scale, -scale * centre[1]], [0, 0, 1.0]])
    return (points - centre) * scale, matrix


def square_to_quad(corners: Matrix) -> Matrix:
    """Return the homographies that take the unit square to four corners, in closed form.

    Parameters
    ----------
    corners : float64 (B, 4, 2)
        In the order of `UNIT_SQUARE`.

    Returns
    -------
    float64 (B, 3, 3), last element 1

    Notes
    -----
    Heckbert, Fundamentals of Texture Mapping and Image Warping (1989), section 2.2.3.
    """
    p0, p1, p2, p3 = (corners[:, i] for i in range(4))
    d1, d2, s = p1 - p2, p3 - p2, p0 - p1 + p2 - p3
    det = d1[:, 0] * d2[:, 1] - d2[:, 0] * d1[:, 1]
    g = (s[:, 0] * d2[:, 1] - d2[:, 0] * s[:, 1]) / det
    h = (d1[:, 0] * s[:, 1] - s[:, 0] * d1[:, 1]) / det
    out = np.ones((len(corners), 3, 3))
    out[:, :2, 0] = p1 - p0 + g[:, None] * p1
    out[:, :2, 1] = p3 - p0 + h[:, None] * p3
    out[:, :2, 2] = p0
    out[:, 2, 0], out[:, 2, 1] = g, h
    return out
