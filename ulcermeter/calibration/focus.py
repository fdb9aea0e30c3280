"""Focus at the ulcer, in millimetres, so that it means the same at any resolution, contrast and skin tone."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["measure_focus"]

_SPACING_MM = 0.05
_FINE_MM = (0.06, 0.12)
_COARSE_MM = (0.20, 0.40)
_LEAST_COUNTED = 400


def measure_focus(pixels: NDArray[np.uint8], *, px_per_mm: float, counted: NDArray[np.bool_]) -> float:
    """Return how much fine detail there is for the coarse detail.

    Parameters
    ----------
    pixels : uint8 (M, N, 3), RGB
        The ulcer's surroundings on the photo.
    px_per_mm : float
    counted : bool (M, N)
        Which pixels count.

    Returns
    -------
    float
        Ratio of the standard deviations of two bands (differences of Gaussians) of the green channel; NaN where too
        little counts.
    """
    factor = 1 / (px_per_mm * _SPACING_MM)
    size = [max(int(round(n * factor)), 1) for n in (pixels.shape[1], pixels.shape[0])]
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    green = cv2.resize(np.ascontiguousarray(pixels[:, :, 1]).astype(np.float32), size, interpolation=way)
    inside = cv2.resize(counted.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    inside = cv2.erode(inside, np.ones((9, 9), np.uint8)).astype(bool)
    if inside.sum() < _LEAST_COUNTED:
        return float("nan")
    fine, coarse = (_band(green, *limits)[inside].std() for limits in (_FINE_MM, _COARSE_MM))
    return float(fine / coarse) if coarse > 0 else 0.0


def _band(green: NDArray[np.float32], low_mm: float, high_mm: float) -> NDArray[np.float32]:
    low, high = (cv2.GaussianBlur(green, (0, 0), sd_mm / _SPACING_MM) for sd_mm in (low_mm, high_mm))
    return low - high
