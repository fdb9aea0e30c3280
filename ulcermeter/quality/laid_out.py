"""A finger's skin laid out on its grid: what shows of it, and its colours against the finger's own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Finger
from ulcermeter.quality.skin_grid import (
    STEP_MM,
    Floats,
    Mask,
    SkinGrid,
    against_own,
    disc,
    linear_light,
    logs,
    nail_zone,
    relief,
)

__all__ = ["MOSTLY", "LaidOutSkin", "circle_mm", "lay_out"]

MOSTLY = 0.5
"""A share over which it is most of an area or a finger's skin: assumption."""
# 8-bit a* of green and b* of violet, and how wide it is at least, mm; its blurred rim is twice that. Cyanosis, bruises
# and dead skin in bluish light stay above. Assumption.
_GREEN, _VIOLET, _WORN_MM = 118, 108, 0.3
# Skin beside the nail from which its colour is read, cells of 0.1 mm: 3 mm2; a fold of skin beside it is enough.
_LEAST_BESIDE_NAIL = 300


@dataclass(frozen=True)
class LaidOutSkin:
    """A finger's skin on its grid, and its values against the finger's own skin (ln).

    Attributes
    ----------
    grid : SkinGrid
    finger : Finger
    pixels : uint8 (M, N, 3)
        sRGB.
    visible, burnt, own : bool (M, N)
        What shows of the finger, is burnt out, and is the finger's own skin.
    brightness, redness : float64 (M, N)
        Light, and red over green, against the finger's own.
    relief : float64 (M, N)
        How the brightness goes up and down over tenths of a millimetre.
    """

    BURNT: ClassVar[int] = 250
    """8-bit level of a channel from which it is glare, of which nothing is known."""

    grid: SkinGrid
    finger: Finger
    pixels: NDArray[np.uint8]
    visible: Mask
    burnt: Mask
    own: Mask
    brightness: Floats
    redness: Floats
    relief: Floats

    @cached_property
    def lab(self) -> NDArray[np.uint8]:
        """The pixels in 8-bit CIELAB, (M, N, 3)."""
        return np.asarray(cv2.cvtColor(self.pixels, cv2.COLOR_RGB2LAB), dtype=np.uint8)

    @property
    def gloved(self) -> bool:
        """Whether most of the finger's own skin is green or violet, as neither skin nor a wound is."""
        strange = (self.lab[..., 1] < _GREEN) | (self.lab[..., 2] < _VIOLET)
        solid = cv2.morphologyEx(strange.astype(np.uint8), cv2.MORPH_OPEN, disc(_WORN_MM))
        return bool((cv2.dilate(solid, disc(2 * _WORN_MM)) > 0)[self.own].mean() > MOSTLY)


def lay_out(pixels: NDArray[np.uint8], grid: SkinGrid, finger: Finger, visible: Mask) -> LaidOutSkin:
    """Lay out a finger's skin: a smooth surface that few odd pixels bend little is its own colour, with all shade.

    Parameters
    ----------
    pixels : uint8 (M, N, 3)
        The photo on the grid, sRGB.
    grid : SkinGrid
    finger : Finger
    visible : bool (M, N)
        What shows of its skin.

    Returns
    -------
    LaidOutSkin
    """
    light, burnt, nail = linear_light(pixels), pixels.max(axis=-1) >= LaidOutSkin.BURNT, nail_zone(grid, finger)
    seen, plate = visible & ~burnt, nail_zone(grid, finger, plate=True)
    # A finger's own colour is not read off the nail, which is brighter, where enough else shows.
    own = next((skin for skin in (seen & ~nail, seen & ~plate) if skin.sum() >= _LEAST_BESIDE_NAIL), seen)
    brightness, redness = (against_own(value, own, grid, finger) for value in logs(light))
    return LaidOutSkin(grid, finger, pixels, visible, burnt, own, brightness, redness, relief(pixels))


def circle_mm(part: Mask) -> float:
    """Return the diameter of the circle of an area's size, mm.

    Parameters
    ----------
    part : bool (M, N)
        On the grid.

    Returns
    -------
    float
    """
    return float(np.sqrt(4 / np.pi * part.sum())) * STEP_MM
