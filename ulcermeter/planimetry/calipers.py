"""The measures of one closed polygon: each stands here once, and its docstring is its definition.

A polygon is float (K, 2), mm, in order, the first vertex not repeated, sub-pixel (the 0.5 level of the probability).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes.arrays import Points

__all__ = [
    "Caliper",
    "equivalent_diameter",
    "longest_caliper",
    "resample",
    "transverse_width",
]

# Of an outline in space, whose pairs are all compared: with 720 vertices a circle's diameter is short by 1e-5.
_MOST_VERTICES = 720


class Caliper(NamedTuple):
    """A length in mm and the places (row numbers) of the two vertices it lies between."""

    length_mm: float
    start: int
    end: int


def longest_caliper(points_mm: NDArray[np.floating]) -> Caliper:
    """Longest straight distance between two vertices: the maximum Feret diameter.

    max |p_i - p_j|, in mm, >= 0; for a convex curve sampled with a spacing a the vertices lose at most a² / (4 d) of
    the length d (0.3 um for a = 0.05 mm, d = 2 mm). Independent noise of the vertices inflates a maximum; outlines of
    the 0.5 level have smooth noise, whose part is taken out of the interval and not of the estimate. Ties go to the
    first pair. Source: Feret 1930; as "maximum diameter" in pyradiomics.

    Parameters
    ----------
    points_mm : float (K, 2), or (K, 3) for an outline on the skin
        Only vertices of the convex hull are compared in the plane; in space every pair, of at most 720 vertices evenly
        chosen.

    Returns
    -------
    Caliper
        NaN, 0, 0 for fewer than two vertices.
    """
    points = np.asarray(points_mm, dtype=np.float64)
    if len(points) < 2:
        return Caliper(float("nan"), 0, 0)
    chosen = _hull(points) if points.shape[1] == 2 else _evenly(len(points))
    apart = np.sqrt(sum(np.subtract.outer(column, column) ** 2 for column in points[chosen].T))
    i, j = np.unravel_index(int(apart.argmax()), apart.shape)
    start, end = sorted((int(chosen[i]), int(chosen[j])))
    return Caliper(float(apart[i, j]), start, end)


def _hull(points: Points) -> NDArray[np.intp]:
    """Vertices of the convex hull, rising; all vertices where one is not finite.

    Andrew's (1979) two chains: scipy's hull is as fast, but its import takes as long as a tenth of a photo.
    """
    if not np.isfinite(points).all():
        return np.arange(len(points))
    order, places = np.lexsort(points.T[::-1]), points.tolist()
    corners: list[int] = []
    for way in (order.tolist(), order[::-1].tolist()):
        chain: list[int] = []
        for at in way:
            while len(chain) > 1 and not _turns_left(places[chain[-2]], places[chain[-1]], places[at]):
                chain.pop()
            chain.append(at)
        corners += chain
    return np.unique(np.array(corners, dtype=np.intp))


def _turns_left(first: list[float], second: list[float], third: list[float]) -> bool:
    (x, y), (x1, y1), (x2, y2) = first, second, third
    return (x1 - x) * (y2 - y) > (y1 - y) * (x2 - x)


def _evenly(count: int) -> NDArray[np.intp]:
    if count <= _MOST_VERTICES:
        return np.arange(count)
    return np.linspace(0, count, _MOST_VERTICES, endpoint=False).astype(np.intp)


def transverse_width(points_mm: NDArray[np.floating], *, caliper: Caliper | None = None) -> float:
    """Longest extent at right angles to the longest caliper.

    max(p · n) - min(p · n) with n the normal of the longest caliper, mm, 0 .. diameter. It is an extent (a bounding
    width), not the longest chord, so that it equals SDTM's LPERP for convex outlines only up to the chord's place.

    Parameters
    ----------
    points_mm : float (K, 2)
        An outline, mm.
    caliper : Caliper, optional
        The longest caliper of the same polygon where it is known already.

    Returns
    -------
    float
        mm; NaN without a longest caliper.
    """
    points = np.asarray(points_mm, dtype=np.float64)
    found = caliper or longest_caliper(points)
    along = points[found.end] - points[found.start] if len(points) else np.zeros(2)
    length = float(np.hypot(*along))
    if not length > 0:
        return float("nan")
    return float(np.ptp(points @ (np.array([-along[1], along[0]]) / length)))


def equivalent_diameter(area_mm2: float) -> float:
    """Diameter of the disc of the same area: 2 sqrt(A / pi), mm; never over the longest caliper.

    Parameters
    ----------
    area_mm2 : float
        Area, mm².

    Returns
    -------
    float
    """
    return float(2 * np.sqrt(area_mm2 / np.pi))


def resample(points_mm: NDArray[np.floating], *, count: int) -> Points:
    """Return points at equal arc lengths along a closed polygon, from its first vertex.

    Parameters
    ----------
    points_mm : float (K, 2) or (K, 3)
        In order, the first vertex not repeated.
    count : int
        How many points.

    Returns
    -------
    float64 (count, 2) or (count, 3)
        mm.
    """
    points = np.asarray(points_mm, dtype=np.float64)
    closed = np.vstack([points, points[:1]])
    way = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    at = np.linspace(0, way[-1], count, endpoint=False)
    return np.column_stack([np.interp(at, way, c) for c in closed.T])
