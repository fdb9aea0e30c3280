"""Focus at the ulcer, as the width of the sharpest edges there, in millimetres.

A ratio of gradients, so contrast and skin tone cancel; taken in millimetres, so resolution cancels too: what is too
coarse and what is out of focus widen an edge alike. Shade is soft on the sharpest photo, so what is wider than fine
skin is taken off first, and places are told apart: a nail's soft side does not speak for the sharp skin beside it.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes.arrays import Reals

__all__ = ["EDGE_WIDTH_PER_SD", "measure_focus"]

EDGE_WIDTH_PER_SD = 2.563
"""Distance between 10 % and 90 % of a step blurred by a Gaussian of sd 1."""
_SPACING_MM = 0.05
"""Of the copy that focus is judged on, mm a pixel: half the sharpest edge."""
_FINE_MM, _COARSE_MM = 0.05, 0.20
"""Sd of the two Gaussians, mm: about the sharpest skin and four times it."""
_SHADE_MM = 0.8
"""Sd of the Gaussian that is taken off both, mm: shade is wider (assumption; 0.8 and 1.0 do alike on phantoms)."""
_PLACE_MM = 0.5
"""Sd of the window in which the gradients of a place are summed, mm (assumption)."""
_STEEPEST = 2
"""A gradient counts by its square raised to this, beside the square itself: an edge's middle, where skin's texture and
a step are most alike (assumption)."""
_PLACES_PCT = 40.0
"""Percentile of the places with edges: where the width read is the blur's own, on 30 phantoms (assumption)."""
_FAINTEST = 3.0
"""8-bit levels per mm: sensor noise alone makes up to 1, the skin of sharp photos 10 and more."""
_BORDER_MM = 0.5
"""Left out along what does not count, mm: the coarse Gaussian reaches 2.5 sd."""
_LEAST_SHARE = 1e-3
"""Of what counts within a shade's reach: beyond it none does, and nothing is judged."""
_LEAST_COUNTED_MM2 = 2.0
"""Of skin, mm²: less holds no edge that could be judged (assumption)."""
_LEAST_EDGES_MM2 = 0.5
"""Of places with edges, mm²: less is a speck (assumption)."""
_SHARPEST_MM = 0.1
"""Narrowest edge that is told, mm: two pixels of the copy."""
_WIDEST_SD_MM, _PROFILE_MM = 1.5, 4.0
"""Blur up to which an edge's width is read, far beyond what any protocol lets pass, and half the profile of such an
edge, mm (assumption)."""
_SOBEL = 8
"""Sum of Sobel's weights over a step of one pixel."""


def measure_focus(pixels: NDArray[np.uint8], *, px_per_mm: float, counted: NDArray[np.bool_]) -> float:
    """Return 1 / (10-90 % width of the edges, mm).

    The picture is smoothed by Gaussians of 0.05 and 0.2 mm, and its shade (0.8 mm) taken off both. How much steeper the
    first is than the second tells by how much a step was blurred before. At every place whose gradients stand out of
    the noise that ratio is taken over those round it, the steepest counting most; the 40th percentile of the places
    counts. On phantoms of all skin tones, 8.5 to 24 px/mm and noise of 0.8 to 3 levels, blurred by 0.1 / 0.15 / 0.2 /
    0.25 / 0.3 / 0.4 mm (sd), it reads 3.8 / 2.7 / 2.0 / 1.65 / 1.27 / 1.0 per mm in the median, where the blur's own
    edge has 3.9 / 2.6 / 1.95 / 1.56 / 1.30 / 0.98; of 75 places each, 3 / 4 / 5 / 37 / 77 / 96 % read under 1.5.

    Parameters
    ----------
    pixels : uint8 (M, N, 3), RGB
        The ulcer's surroundings on the photo.
    px_per_mm : float
    counted : bool (M, N)
        Which pixels count: edges of the finger's outline or of the reference say nothing of the skin.

    Returns
    -------
    float
        1/mm, in 0..10; 0 where no edge stands out of the noise; NaN where less than 2 mm² counts.
    """
    factor = 1 / (px_per_mm * _SPACING_MM)
    size = (max(round(pixels.shape[1] * factor), 1), max(round(pixels.shape[0] * factor), 1))
    grey = cv2.transform(pixels.astype(np.float32), np.full((1, 3), 1 / 3, dtype=np.float32))
    grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)
    inside = _inside(counted, size)
    if np.count_nonzero(inside) * _SPACING_MM**2 < _LEAST_COUNTED_MM2:
        return float("nan")
    ratios = _ratios(grey, inside, cv2.resize(counted.astype(np.float32), size, interpolation=cv2.INTER_AREA))
    if len(ratios) * _SPACING_MM**2 < _LEAST_EDGES_MM2:
        return 0.0
    blurs_mm, of_steps = _steps()
    # The ratio falls with the blur, and np.interp wants what rises.
    blur_mm = float(np.interp(-np.percentile(ratios, _PLACES_PCT), -of_steps, blurs_mm))
    return 1 / max(EDGE_WIDTH_PER_SD * blur_mm, _SHARPEST_MM)


def _ratios(grey: Reals, inside: NDArray[np.bool_], counted: Reals) -> Reals:
    """Return at each place with edges how much steeper they are when smoothed finely, (K,)."""
    shade = _gradients(_smooth(grey * counted, _SHADE_MM) / np.maximum(_smooth(counted, _SHADE_MM), _LEAST_SHARE))
    fine, coarse = (_gradients(_smooth(grey, sd_mm)) - shade for sd_mm in (_FINE_MM, _COARSE_MM))
    squared = np.sum(coarse**2, axis=2) * inside
    weight = squared**_STEEPEST
    both, own = _smooth(np.sum(fine * coarse, axis=2) * weight, _PLACE_MM), _smooth(squared * weight, _PLACE_MM)
    share = _smooth(inside.astype(np.float32), _PLACE_MM)
    edges = inside & (_smooth(squared, _PLACE_MM) >= _FAINTEST**2 * share)
    return np.asarray(both[edges] / own[edges])


@cache
def _steps() -> tuple[Reals, Reals]:
    """Return blurs, mm, and the ratio at a step that each has blurred."""
    across = np.arange(-_PROFILE_MM, _PROFILE_MM, _FINE_MM / 2)
    blurs_mm = np.linspace(0, _WIDEST_SD_MM, 301)

    def slope(sd_mm: float) -> Reals:
        variances = blurs_mm[:, None] ** 2 + sd_mm**2
        return np.asarray(np.exp(-(across**2) / (2 * variances)) / np.sqrt(variances))

    fine, coarse = (slope(sd_mm) - slope(_SHADE_MM) for sd_mm in (_FINE_MM, _COARSE_MM))
    weight = coarse ** (2 * _STEEPEST)
    return blurs_mm, np.sum(fine * coarse * weight, axis=1) / np.sum(coarse**2 * weight, axis=1)


def _inside(counted: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return what counts at the fixed spacing, without a rim into which outer edges are smoothed."""
    resized = cv2.resize(counted.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    rim = 2 * round(_BORDER_MM / _SPACING_MM) + 1
    # Beyond the window's own border nothing is smoothed in, so that one is kept.
    kept = cv2.erode(resized, np.ones((rim, rim), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=1)
    return np.asarray(kept.astype(bool))


def _smooth(picture: Reals, sd_mm: float) -> Reals:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sd_mm / _SPACING_MM))


def _gradients(picture: Reals) -> Reals:
    """Return gradients (M, N, 2) in levels per mm."""
    scale = 1 / (_SOBEL * _SPACING_MM)
    return np.stack([cv2.Sobel(picture, cv2.CV_32F, dx, 1 - dx, scale=scale) for dx in (1, 0)], axis=-1)
