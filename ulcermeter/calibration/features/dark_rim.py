"""The dark rim of a card that does not lie quite flat: its border is the rim's outer flank, not its shadow's end."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Points
from ulcermeter.datatypes.arrays import Floats

__all__ = ["rim_offsets"]

_PROFILES = 8
"""Read at each place along the side and averaged."""
_SMOOTHED = 5
"""Neighbouring places averaged: a brushed or printed face has dark grains of its own."""
_LEAST_DEPTH = 0.15
"""Of a rim below the face: share of the face's light and of the step from rim to ground; assumption."""
_WIDEST_SHARE = 0.5
"""Of the way looked at: a wider dark band is a shadow, whose outer flank says nothing; assumption."""
_FACE_SPREADS = 3.0
"""By how many standard deviations of the face a rim must be darker than it; assumption."""
_EVERY_PX, _GROUND_FROM_PX, _GROUND_TO_PX = 0.5, 2.0, 4.01
"""Between places across a border, and where beyond it the ground is read, px: clear of its blur (assumption)."""


def rim_offsets(
    light: NDArray[np.float32], starts: Points, ends: Points, outwards: Floats, *, reach_px: float
) -> tuple[Floats, Floats]:
    """Measure how far within a side's border, where a shadow ends, a dark rim does.

    Parameters
    ----------
    light : float32 (M, N, 3)
        Linear light.
    starts, ends : float64 (P, 2)
        Ends (x, y) of each stretch of the border, px.
    outwards : float64 (2,)
        Unit vector away from the thing.
    reach_px : float
        How far within the border to look.

    Returns
    -------
    offset_px : float64 (P,)
        Along `outwards`; NaN where there is no narrow line darker than both ground and face.
    depth : float64 (P,)
        Of the rim below the face, linear light.
    """
    s = np.arange(-2 * reach_px - 2, _GROUND_TO_PX, _EVERY_PX)
    share = ((np.arange(_PROFILES) + 0.5) / _PROFILES)[:, None]
    at = starts[:, None] + (ends - starts)[:, None] * share
    where = (at[:, :, None] + s[:, None] * outwards).astype(np.float32)
    profiles = cv2.remap(light, where.reshape(-1, len(s), 2), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    grey = profiles.reshape(len(starts), _PROFILES, len(s), 3).mean(axis=(1, 3))
    grey = cv2.blur(grey, (1, _SMOOTHED), borderType=cv2.BORDER_REPLICATE).astype(np.float64)
    face, ground = grey[:, s < -reach_px], np.median(grey[:, s >= _GROUND_FROM_PX], axis=1)
    near = (s >= -reach_px) & (s <= 1)
    darkest = int(np.argmax(near)) + np.argmin(grey[:, near], axis=1)
    least = grey[np.arange(len(grey)), darkest]
    depth = np.median(face, axis=1) - least
    inner, outer = (
        np.array([_flank(*row, s, way) for row in zip(grey, darkest, least + depth / 2, strict=True)])
        for way in (-1, 1)
    )
    dark = (depth > _LEAST_DEPTH * (ground - least)) & (depth > _FACE_SPREADS * face.std(axis=1)) & (ground > least)
    dark &= depth > _LEAST_DEPTH * (least + depth)
    narrow = outer - inner < _WIDEST_SHARE * reach_px
    return np.where(dark & narrow, outer, np.nan), depth


def _flank(profile: Floats, darkest: int, half: float, s: Floats, way: int) -> float:
    """Return where a profile, going inwards (-1) or outwards from its darkest place, reaches half its depth."""
    onwards, places = (profile[darkest:], s[darkest:]) if way > 0 else (profile[darkest::-1], s[darkest::-1])
    above = np.flatnonzero(onwards >= half)
    if not len(above) or above[0] == 0:
        return float("nan")
    k = above[0]
    share = (half - onwards[k - 1]) / (onwards[k] - onwards[k - 1])
    return float(places[k - 1] + share * (places[k] - places[k - 1]))
