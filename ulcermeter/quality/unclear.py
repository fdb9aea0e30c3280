"""Areas of a finger's skin that the network takes for unclear: which count, and what each looks like."""

from __future__ import annotations

from enum import Enum

import cv2
import numpy as np

from ulcermeter.protocol.model import SkinRules
from ulcermeter.quality.laid_out import MOSTLY, LaidOutSkin, circle_mm
from ulcermeter.quality.skin_grid import STEP_MM, Mask, disc, nail_zone

__all__ = ["DoubtfulKind", "Found", "find_unclear", "length_and_width_mm"]

# Gaps that an area is joined over, mm: a crack's thin places (assumption).
_GAP_MM = 0.4
# Of a crack: at least so many times as long as wide; and of one that is no area, as the network outlines it, which is a
# little too wide (assumption).
_SLENDER, _NARROW = 3.0, 2.0
# An area's colour is read within its rim, where lens and laid-out grid have not mixed it with skin, mm.
_WITHIN_MM = 0.3
# A nail's bare bed is no darker than this (ln of its light over the skin's): a black end of a finger is. Assumption.
_BED_DARKEST = -0.5


class DoubtfulKind(Enum):
    """How an area differs from the finger's own skin."""

    DARK = "dark"
    RED = "red"
    PALE = "pale"
    FISSURE = "fissure"
    LOST_NAIL = "lost nail"


Found = tuple[DoubtfulKind, Mask, float]


def find_unclear(marked: Mask, skin: LaidOutSkin, *, looked_at: Mask, rules: SkinRules) -> list[Found]:
    """Return areas and cracks that are large or long enough to hide an ulcer that counts.

    Parameters
    ----------
    marked : bool (M, N)
        Where skin is not likely to be clear.
    skin : LaidOutSkin
    looked_at : bool (M, N)
        Where an area must lie in part; what goes on beyond it belongs to its size.
    rules : SkinRules
        For ``doubtful_min_mm`` and ``fissure_min_mm``.

    Returns
    -------
    list of (DoubtfulKind, bool (M, N), float)
        What differs how, where, and how large: the diameter of the circle of its area, or a crack's length, mm.
    """
    joined = cv2.morphologyEx(marked.astype(np.uint8), cv2.MORPH_CLOSE, disc(_GAP_MM / 2))
    outlines = cv2.findContours(joined, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    found: list[Found] = []
    for outline in outlines:
        # Filled: what is pale or glares in an area's middle belongs to it.
        part = cv2.drawContours(np.zeros_like(joined), [outline], -1, 1, cv2.FILLED) > 0
        if not (part & looked_at).any():
            continue
        length_mm, width_mm = length_and_width_mm(part)
        large = circle_mm(part) >= rules.doubtful_min_mm
        if length_mm >= rules.fissure_min_mm and length_mm > width_mm * (_SLENDER if large else _NARROW):
            found.append((DoubtfulKind.FISSURE, part, length_mm))
        elif large:
            found.append((_look(part, skin), part, circle_mm(part)))
    return found


def _look(part: Mask, skin: LaidOutSkin) -> DoubtfulKind:
    """Say in what an area differs most from the finger's own skin."""
    inner = cv2.erode(part.astype(np.uint8), disc(_WITHIN_MM)) > 0
    core = inner if inner.any() else part
    lighter, redder = (float(np.median(values[core])) for values in (skin.brightness, skin.redness))
    plate = nail_zone(skin.grid, skin.finger, plate=True) & skin.visible
    if skin.finger.side == "dorsal" and plate.any() and part[plate].mean() > MOSTLY and lighter > _BED_DARKEST:
        return DoubtfulKind.LOST_NAIL
    by = {DoubtfulKind.DARK: -lighter, DoubtfulKind.RED: redder, DoubtfulKind.PALE: max(lighter, 0.0) - redder}
    return max(by, key=lambda kind: by[kind])


def length_and_width_mm(part: Mask) -> tuple[float, float]:
    """Return a line's length from end to end and its mean width, mm.

    Parameters
    ----------
    part : bool (M, N)
        On the grid.

    Returns
    -------
    float
        Length along its own axis.
    float
        Area over length.
    """
    cells = np.argwhere(part).astype(np.float64)
    axis = np.linalg.svd(cells - cells.mean(axis=0), full_matrices=False)[2][0]
    length = (float(np.ptp(cells @ axis)) + 1) * STEP_MM
    return length, len(cells) * STEP_MM**2 / length
