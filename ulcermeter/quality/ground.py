"""Ground that a finger's outline reaches over: what the finger network leaves out, and of the ground's hue."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Finger
from ulcermeter.protocol.model import SkinRules
from ulcermeter.quality.skin_grid import STEP_MM, Mask, SkinGrid, disc, finger_area

__all__ = ["ground_within"]

# The network knows a finger's rim to half a millimetre; what it leaves out counts beyond that, mm.
_NETWORK_MM = 0.5
# What lies beside the outline is blurred over so many mm (sd) to compare with: assumption.
_BESIDE_SD_MM = 1.5
# 8-bit CIELAB lightness: ground in the finger's shadow is so much darker than beside it, or so little lighter; and on
# ground so dark dead skin could not be told from it. Assumption.
_SHADOW, _LIGHTER, _DARK_GROUND = 70.0, 8.0, 60.0
# 8-bit a* or b* of green and blue, which neither skin nor blood, crust or dead skin is. Assumption.
_COLD = 120.0
# Rim of the ground that mixes with the finger's colour, mm: a lens's blur at 8 px/mm.
_MIXED_MM = 0.5


def ground_within(
    pixels: NDArray[np.uint8], network: Mask, visible: Mask, *, grid: SkinGrid, finger: Finger, rules: SkinRules
) -> Mask:
    """Return where ground shows inside a finger's outline, as beside a bent finger, whose outline is straight.

    Only level with what the network sees of the finger, never before its tip, and no skin: the network leaves black and
    white areas out as well, so what counts has the hue of what lies beyond the outline, be it in the finger's shadow,
    or is green or blue.

    Parameters
    ----------
    pixels : uint8 (M, N, 3)
        The photo on the grid, sRGB.
    network, visible : bool (M, N)
        What the finger network takes for the finger, and what shows within the outline.
    grid : SkinGrid
    finger : Finger
    rules : SkinRules
        For ``ground_hue_max``.

    Returns
    -------
    bool (M, N)
    """
    seen = cv2.dilate(network.astype(np.uint8), disc(_NETWORK_MM)) > 0
    left_out = visible & network.any(axis=1, keepdims=True) & ~seen
    if not left_out.any():
        return np.asarray(left_out)
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB).astype(np.float64)
    # Behind what shows lies no ground to compare with: the outline ends askew where a reference lies over the finger.
    finger_and_behind = np.maximum.accumulate(finger_area(finger, grid), axis=0)
    beside = _beside(lab, ~finger_and_behind)
    lighter = lab[..., 0] - beside[..., 0]
    shaded = (lighter > -_SHADOW) & (lighter < _LIGHTER) & (beside[..., 0] > _DARK_GROUND)
    same = shaded & (np.linalg.norm((lab - beside)[..., 1:], axis=-1) < rules.ground_hue_max)
    ground = left_out & (same | (lab[..., 1:].min(axis=-1) < _COLD))
    return np.asarray(visible & ~network & (cv2.dilate(ground.astype(np.uint8), disc(_MIXED_MM)) > 0))


def _beside(lab: NDArray[np.float64], beyond: Mask) -> NDArray[np.float64]:
    """Return the colour of what lies beyond the outline near each cell (M, N, 3)."""
    share = cv2.GaussianBlur(beyond.astype(np.float64), (0, 0), _BESIDE_SD_MM / STEP_MM)[..., None]
    blurred = cv2.GaussianBlur(lab * beyond[..., None], (0, 0), _BESIDE_SD_MM / STEP_MM)
    return np.asarray(blurred / np.maximum(share, np.finfo(float).tiny))
