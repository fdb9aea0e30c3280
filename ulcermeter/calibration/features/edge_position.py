"""Sub-pixel edges: where a straight border between dark and bright lies, measured in linear light.

A lens blurs light, not sRGB values: in sRGB the half level between ink and paper lies on the ink's side of the border,
and a black square reads short by about one pixel per pixel of blur. So the values are made linear first.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Points
from ulcermeter.datatypes.arrays import Floats
from ulcermeter.datatypes.light import SRGB_TO_LINEAR

__all__ = ["edge_offsets", "linear_grey"]

_PROFILES = (3, 24)
"""Across one border, least and most: one a pixel along it, as long as that adds to what is known (assumption)."""
_END_PART = 5
"""A profile's ends, a fifth each, say how bright it is on either side of the border."""
_REACH_SDS, _ROUNDS = 2.5, 12
"""Reach over the window's sd, so that what lies at the ends hardly counts; and rounds until its centre rests."""
_TRUSTED = 0.8
"""Share of the reach within which a border counts as seen: farther out the window is cut off (assumption)."""


def linear_grey(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return linear-light grey of a photo: the mean of the three channels.

    The plain mean, not luminance: it has the least noise on black and white.

    Parameters
    ----------
    pixels : uint8 (M, N, 3)
        RGB in sRGB.

    Returns
    -------
    float32 (M, N)
        0..1.
    """
    light = cv2.LUT(pixels, SRGB_TO_LINEAR)
    return np.asarray(cv2.transform(light, np.full((1, 3), 1 / 3, dtype=np.float32)))


def edge_offsets(
    light: NDArray[np.float32],
    starts: Points,
    ends: Points,
    normals: Floats,
    *,
    reach_px: float,
    mix: Floats | None = None,
) -> tuple[Floats, Floats]:
    """Measure how far borders lie from where they are expected.

    Along each border several profiles are read at right angles and averaged; the border is the centroid of the
    profile's slope under a Gaussian window that is centred on it, found by iteration. At its fixed point this is
    unbiased for any symmetric blur and for a slope of the light.

    Parameters
    ----------
    light : float32 (M, N) or (M, N, 3)
        Linear light.
    starts, ends : float64 (P, 2)
        Expected ends (x, y) of each border, px.
    normals : float64 (P, 2)
        Unit vectors across each border, from dark to bright.
    reach_px : float
        Half the length of a profile.
    mix : float64 (3,) or None
        Weights of the channels, where `light` has three: mixing the profiles costs less than mixing the picture.

    Returns
    -------
    offset_px : float64 (P,)
        Along the normal; NaN where no border is seen within the reach.
    step : float64 (P,)
        Bright minus dark, linear light.
    """
    along = float(np.hypot(*(ends - starts).T).max())
    n_profiles = int(np.clip(along, *_PROFILES))
    s = np.linspace(-reach_px, reach_px, 2 * int(np.ceil(2 * reach_px)) + 1)
    at = starts[:, None] + (ends - starts)[:, None] * ((np.arange(n_profiles) + 0.5) / n_profiles)[:, None]
    where = (at[:, :, None] + s[:, None] * normals[:, None, None]).astype(np.float32)
    where = where.reshape(-1, len(s), 2)
    observed = cv2.remap(light, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    means = observed.reshape(len(starts), n_profiles, len(s), -1).mean(axis=1).astype(np.float64)
    return _centroids(means[..., 0] if mix is None else means @ mix, s)


def _centroids(profiles: Floats, s: Floats) -> tuple[Floats, Floats]:
    slopes, middles = np.diff(profiles, axis=1), (s[1:] + s[:-1]) / 2
    reach = float(s[-1])
    fifth = max(len(s) // _END_PART, 1)
    step = profiles[:, -fifth:].mean(axis=1) - profiles[:, :fifth].mean(axis=1)
    width = reach / _REACH_SDS
    offset = np.zeros(len(profiles))
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(_ROUNDS):
            weights = slopes * np.exp(-0.5 * ((middles - offset[:, None]) / width) ** 2)
            offset = np.clip((weights * middles).sum(axis=1) / weights.sum(axis=1), -reach, reach)
    observed = (step > 0) & (np.abs(offset) < _TRUSTED * reach) & np.isfinite(offset)
    return np.where(observed, offset, np.nan), step
