"""The plain homography of four or more points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Points

__all__ = ["fit_homography"]

Matrix = NDArray[np.float64]


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
    return homography / homography[2, 2]


def _normalised(points: Points) -> tuple[Points, Matrix]:
    centre = points.mean(axis=0)
    scale = np.sqrt(2.0) / max(float(np.hypot(*(points - centre).T).mean()), 1e-12)
    matrix = np.array([[scale, 0, -scale * centre[0]], [0, scale, -scale * centre[1]], [0, 0, 1.0]])
    return (points - centre) * scale, matrix
