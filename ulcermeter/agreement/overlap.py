"""Overlap of outlines: areas of polygons and of what two have in common, line by line."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ulcermeter.geometry import area

__all__ = ["common_area", "dice"]

# Scan lines over the height of what two outlines share; on discs Dice is then within 0.0005 of its true value.
_LINES = 400


def common_area(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Return the area two polygons (K, 2) have in common: exact along x, 400 lines along y.

    Parameters
    ----------
    a : float (K, 2)
        A polygon (K, 2), px or mm.
    b : float (K, 2)
        The other one, in the same unit.

    Returns
    -------
    float
    """
    first, second = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    low = max(first[:, 1].min(), second[:, 1].min())
    high = min(first[:, 1].max(), second[:, 1].max())
    if high <= low:
        return 0.0
    step = (high - low) / _LINES
    lines = low + step * (np.arange(_LINES) + 0.5)
    return float(step * sum(_common(_crossings(first, y), _crossings(second, y)) for y in lines))


def dice(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Return 2 |A ∩ B| / (|A| + |B|) of two polygons (K, 2), 0..1.

    Parameters
    ----------
    a : float (K, 2)
        A polygon (K, 2), px or mm.
    b : float (K, 2)
        The other one, in the same unit.

    Returns
    -------
    float
    """
    total = area(a) + area(b)
    return min(1.0, 2 * common_area(a, b) / total) if total > 0 else float("nan")


def _crossings(outline: NDArray[np.float64], y: float) -> NDArray[np.float64]:
    """Where a horizontal line crosses the outline, from left to right; inside lies between pairs (even-odd)."""
    start, end = outline, np.roll(outline, -1, axis=0)
    cut = (start[:, 1] <= y) != (end[:, 1] <= y)
    start, end = start[cut], end[cut]
    return np.sort(start[:, 0] + (y - start[:, 1]) / (end[:, 1] - start[:, 1]) * (end[:, 0] - start[:, 0]))


def _common(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    low = np.maximum(first[0::2, None], second[None, 0::2])
    high = np.minimum(first[1::2, None], second[None, 1::2])
    return float(np.clip(high - low, 0, None).sum())
