"""What painting on a finger that is laid out needs: places, noise, colours and the light on it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes.arrays import Mask
from ulcermeter.quality.skin_grid import STEP_MM

__all__ = ["Reals", "any_colour", "beyond_mm", "light_on", "noise", "offsets_mm", "place_on"]

Reals = NDArray[np.float32]

# Colours between which an area's is mixed, sRGB: dead skin, scab, blood, granulation, slough, crust, pus, callus-white.
_COLOURS = (
    ((18, 14, 14), (60, 48, 46)),
    ((60, 30, 24), (110, 66, 50)),
    ((95, 10, 14), (185, 40, 38)),
    ((140, 40, 40), (205, 90, 84)),
    ((170, 135, 70), (232, 208, 150)),
    ((200, 186, 160), (250, 240, 222)),
    ((70, 40, 70), (120, 84, 110)),
)
# Share of places on the end phalanx, and what of a finger that is, cells.
_NEAR_TIP, _END_CELLS = 0.7, 160
# How much of the light on a finger is believed, over its median; and what it is blurred by, cells.
_LIGHTEST, _LIGHT_SD = (0.4, 1.5), 4


def noise(shape: tuple[int, ...], size_mm: float, rng: np.random.Generator) -> Reals:
    """Return smooth noise of unit sd, its grains so large.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns.
    size_mm : float
    rng : Generator

    Returns
    -------
    float32 (M, N)
    """
    step = max(1, int(size_mm / STEP_MM / 2))
    small = rng.normal(size=(shape[0] // step + 2, shape[1] // step + 2)).astype(np.float32)
    soft = cv2.GaussianBlur(small, (0, 0), max(size_mm / STEP_MM / step / 2, 0.4))
    out = cv2.resize(soft, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray((out - out.mean()) / (out.std() + 1e-6), dtype=np.float32)


def place_on(skin: Mask, rng: np.random.Generator, *, near_tip: bool = True) -> tuple[float, float] | None:
    """Choose a cell (column, row) of the skin, mostly of the end phalanx; None where there is none.

    Parameters
    ----------
    skin : bool (M, N)
    rng : Generator
    near_tip : bool
        Whether the end phalanx is preferred.

    Returns
    -------
    (float, float) or None
    """
    rows, cols = np.nonzero(skin)
    if not len(rows):
        return None
    if near_tip and rng.random() < _NEAR_TIP:
        near = rows < rows.min() + _END_CELLS
        rows, cols = rows[near], cols[near]
    pick = int(rng.integers(len(rows)))
    return float(cols[pick]), float(rows[pick])


def offsets_mm(shape: tuple[int, ...], at: tuple[float, float]) -> tuple[Reals, Reals]:
    """Return how far each cell lies to the right of a place and below it, mm.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns.
    at : (float, float)
        Column and row.

    Returns
    -------
    float32 (1, N) and float32 (M, 1)
    """
    cols, rows = np.arange(shape[1], dtype=np.float32), np.arange(shape[0], dtype=np.float32)
    return (cols - at[0])[None] * STEP_MM, (rows - at[1])[:, None] * STEP_MM


def beyond_mm(area: Mask) -> Reals:
    """Return how far each cell lies beyond an area's rim, mm; negative within it.

    Parameters
    ----------
    area : bool (M, N)

    Returns
    -------
    float32 (M, N)
    """
    outside, inside = (cv2.distanceTransform(one.astype(np.uint8), cv2.DIST_L2, 5) * STEP_MM for one in (~area, area))
    return np.asarray(outside - inside, dtype=np.float32)


def any_colour(rng: np.random.Generator) -> Reals:
    """Return a colour as sores have, sRGB 0..255.

    Parameters
    ----------
    rng : Generator

    Returns
    -------
    float32 (3,)
    """
    low, high = _COLOURS[int(rng.integers(len(_COLOURS)))]
    mixed = np.array(low) + rng.random() * (np.array(high) - np.array(low)) + rng.normal(0, 6, 3)
    return np.asarray(np.clip(mixed, 0, 255), dtype=np.float32)


def light_on(pixels: Reals, skin: Mask) -> Reals:
    """Return the light on a finger, smoothed, over its skin's median.

    Parameters
    ----------
    pixels : float32 (M, N, 3)
        sRGB, 0..255.
    skin : bool (M, N)

    Returns
    -------
    float32 (M, N)
    """
    grey = pixels.mean(axis=-1)
    level = float(np.median(grey[skin])) if skin.any() else 128.0
    return np.asarray(
        np.clip(cv2.GaussianBlur(grey, (0, 0), _LIGHT_SD) / max(level, 1.0), *_LIGHTEST), dtype=np.float32
    )
