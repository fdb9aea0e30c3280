"""Loop's subdivision of a triangle mesh as one matrix, so that a posed hand is smoothed by one product."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes.arrays import Ints
from ulcermeter.phantom.hands.body import read_body

# Steps of subdivision: more takes time and shows no difference at the pictures' size (assumption).
LEVELS = 1


@lru_cache(maxsize=1)
def smooth_hand() -> tuple[Any, Ints, NDArray[np.float64], Ints]:
    """Return the hand's mesh subdivided twice.

    Returns
    -------
    matrix : scipy sparse (S, U)
        From the vertices of `Body.used` to the smooth ones.
    triangles : int64 (T, 3)
    uv : float64 (T, 3, 2)
    finger_of : int64 (T,)
    """
    from scipy.sparse import identity

    body = read_body()
    triangles, uv, count = body.triangles, body.uv, len(body.used)
    matrix: Any = identity(count, format="csr")
    for _ in range(LEVELS):
        step, triangles = _loop(triangles, count)
        matrix = step @ matrix
        uv, count = _split_corners(uv), step.shape[0]
    return matrix.tocsr(), triangles, uv, np.tile(body.finger_of, 4**LEVELS)


def _loop(triangles: Ints, count: int) -> tuple[Any, Ints]:
    """Return one step (Loop 1987): old vertices moved, one new on each edge; open rims stay where they are."""
    from scipy.sparse import coo_matrix, vstack

    edges = np.sort(np.vstack([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    unique, which = np.unique(edges, axis=0, return_inverse=True)
    opposite = np.concatenate([triangles[:, 2], triangles[:, 0], triangles[:, 1]])
    inner = np.bincount(which) == 2
    share = np.where(inner, 3 / 8, 1 / 2)
    rows, on_inner = np.arange(len(unique)), inner[which]
    edge_points = coo_matrix(
        (
            np.concatenate([share, share, np.full(int(on_inner.sum()), 1 / 8)]),
            (np.concatenate([rows, rows, which[on_inner]]), np.concatenate([unique.T.ravel(), opposite[on_inner]])),
        ),
        shape=(len(unique), count),
    )
    a, b, c = triangles.T
    ab, bc, ca = which.reshape(3, -1) + count
    split = np.vstack([np.c_[a, ab, ca], np.c_[b, bc, ab], np.c_[c, ca, bc], np.c_[ab, bc, ca]])
    return vstack([_old_points(unique, inner, count), edge_points]).tocsr(), split


def _old_points(edges: Ints, inner: NDArray[np.bool_], count: int) -> Any:
    from scipy.sparse import coo_matrix, diags

    a, b = edges.T
    near = coo_matrix((np.ones(2 * len(a)), (np.r_[a, b], np.r_[b, a])), shape=(count, count)).tocsr()
    degree = np.maximum(np.asarray(near.sum(1)).ravel(), 1)
    beta = (5 / 8 - (3 / 8 + np.cos(2 * np.pi / degree) / 4) ** 2) / degree
    beta[np.unique(edges[~inner])] = 0.0
    return diags(1 - beta * degree) + diags(beta) @ near


def _split_corners(uv: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return corner values of the four triangles that each triangle became, in `_loop`'s order."""
    a, b, c = uv[:, 0], uv[:, 1], uv[:, 2]
    ab, bc, ca = (a + b) / 2, (b + c) / 2, (c + a) / 2
    parts = ((a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca))
    return np.concatenate([np.stack(part, axis=1) for part in parts])
