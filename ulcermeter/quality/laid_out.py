"""A finger's skin laid out on its grid, and areas of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Finger
from ulcermeter.quality.skin_grid import STEP_MM, Floats, Mask, SkinGrid, disc, side_nail_zone

__all__ = [
    "MOSTLY",
    "LaidOutSkin",
    "at_the_edge",
    "circle_mm",
    "falls_over_rim",
    "from_tip_mm",
    "is_rough_within",
    "off_middle",
    "rims",
    "roughness",
]

MOSTLY = 0.5
"""A share over which it is most of an area, a line or a finger's skin: assumption."""
# How far to either side of its rim an area is held against the skin, mm: assumption.
_RIM_MM = (0.3, 0.6)

# 8-bit a* of green and b* of violet, and how wide it is at least, mm; its blurred rim is twice that. Cyanosis, bruises
# and dead skin in bluish light stay above. Assumption.
_GREEN, _VIOLET, _WORN_MM = 118, 108, 0.3


@dataclass(frozen=True)
class LaidOutSkin:
    """A finger's skin on its grid, and its values against the finger's own skin (ln).

    Attributes
    ----------
    grid : SkinGrid
    finger : Finger
    pixels : uint8 (M, N, 3)
        sRGB.
    visible, burnt, own, nail : bool (M, N)
        What shows of the finger, is burnt out, is the finger's own skin, and where a nail can be.
    brightness, redness, blueness : float64 (M, N)
        Light, red over green and blue over green, against the finger's own.
    relief : float64 (M, N)
        How the brightness goes up and down over tenths of a millimetre.
    """

    grid: SkinGrid
    finger: Finger
    pixels: NDArray[np.uint8]
    visible: Mask
    burnt: Mask
    own: Mask
    nail: Mask
    brightness: Floats
    redness: Floats
    blueness: Floats
    relief: Floats

    @cached_property
    def lab(self) -> NDArray[np.uint8]:
        """The pixels in 8-bit CIELAB, (M, N, 3)."""
        return np.asarray(cv2.cvtColor(self.pixels, cv2.COLOR_RGB2LAB), dtype=np.uint8)

    @cached_property
    def nail_on_any_side(self) -> Mask:
        """Where a nail can be, seen from above or from the side; bool (M, N)."""
        return self.nail | side_nail_zone(self.grid, self.finger)

    @cached_property
    def worn(self) -> Mask:
        """What is green or violet as neither skin nor a wound is, and its rim: polish, dye, cloth; bool (M, N)."""
        strange = (self.lab[..., 1] < _GREEN) | (self.lab[..., 2] < _VIOLET)
        solid = cv2.morphologyEx(strange.astype(np.uint8), cv2.MORPH_OPEN, disc(_WORN_MM))
        return np.asarray(cv2.dilate(solid, disc(2 * _WORN_MM)) > 0)


def rims(part: Mask) -> tuple[Mask, Mask]:
    """Return a band of cells just beyond an area and one just within it.

    Parameters
    ----------
    part : bool (M, N)
        On the grid.

    Returns
    -------
    bool (M, N)
        Beyond it.
    bool (M, N)
        Within it.
    """
    near, far = _RIM_MM
    mask = part.astype(np.uint8)
    beyond = (cv2.dilate(mask, disc(far)) > 0) & (cv2.dilate(mask, disc(near - STEP_MM)) == 0)
    return np.asarray(beyond), np.asarray(part & (cv2.erode(mask, disc(far - 2 * STEP_MM)) == 0))


def at_the_edge(part: Mask, skin: LaidOutSkin) -> float:
    """Return which share of the band beyond an area's rim is not seen: it lies along the edge of what is.

    Parameters
    ----------
    part : bool (M, N)
        On the grid.
    skin : LaidOutSkin

    Returns
    -------
    float
        0..1; 1 where the area leaves no band.
    """
    beyond, _ = rims(part)
    return float(1 - (beyond & skin.visible).sum() / max(int(beyond.sum()), 1))


def falls_over_rim(values: Floats, part: Mask, skin: LaidOutSkin) -> float:
    """Return by how much a value of the skin falls over an area's rim, inwards; 0 where no rim shows.

    Parameters
    ----------
    values : float64 (M, N)
        Of `skin`: its redness, say (ln).
    part : bool (M, N)
        On the grid.
    skin : LaidOutSkin

    Returns
    -------
    float
        In the values' unit: the median beyond the rim less the one within it.
    """
    beyond, within = rims(part)
    seen = beyond & skin.visible
    if not (seen.any() and within.any()):
        return 0.0
    return float(np.median(values[seen]) - np.median(values[within]))


def roughness(part: Mask, skin: LaidOutSkin) -> float:
    """Return how uneven an area is in the middle of its cells, times the finger's own skin.

    Parameters
    ----------
    part : bool (M, N)
        On the grid.
    skin : LaidOutSkin

    Returns
    -------
    float
    """
    ups = np.abs(skin.relief)
    return float(np.median(ups[part]) / max(float(np.median(ups[skin.own])), np.finfo(float).tiny))


def is_rough_within(part: Mask, skin: LaidOutSkin, ratio: float, *, deep_mm: float) -> bool:
    """Say whether an area is rough in its middle: near its rim the step from skin is relief of its own.

    Parameters
    ----------
    part : bool (M, N)
        On the grid.
    skin : LaidOutSkin
    ratio : float
        Times as uneven as the finger's own skin.
    deep_mm : float
        How far from its rim it lies somewhere at least.

    Returns
    -------
    bool
    """
    depth = cv2.distanceTransform(np.pad(part.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1] * STEP_MM
    return bool(depth.max() > deep_mm) and roughness(depth > depth.max() / 2, skin) > ratio


def from_tip_mm(part: Mask) -> float:
    """Return how far an area's middle lies from the tip, mm.

    Parameters
    ----------
    part : bool (M, N)
        On the grid.

    Returns
    -------
    float
    """
    return float(np.nonzero(part)[0].mean()) * STEP_MM


def off_middle(part: Mask, skin: LaidOutSkin) -> float:
    """Return how far an area's middle lies off the finger's mid-line, radii.

    Parameters
    ----------
    part : bool (M, N)
        On the grid.
    skin : LaidOutSkin

    Returns
    -------
    float
    """
    return abs(float(skin.grid.u[np.nonzero(part)[1]].mean())) / skin.finger.radius_mm


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
