"""How round the corners of a four-sided thing are: each is held against drawn corners of every radius."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.calibration.geometry.homography import fit_homography
from ulcermeter.datatypes import Points, transform_points
from ulcermeter.datatypes.arrays import Reals
from ulcermeter.datatypes.light import SRGB_TO_LINEAR

__all__ = ["border_beyond", "corner_radii"]

_FROM_MM, _TO_MM = -1.6, 3.6
"""Looked at beside each side of a corner, negative outside: what is farther in may be print."""
_SHADOW_MM = 1.2
"""Over which a shadow close beside a thing fades; assumption."""
_RADII_MM = np.arange(0.0, 8.01, 0.4)
"""Tried, mm: from a sharp corner to more than twice a card's."""
_LEAST_EXPLAINED = 0.6
"""Share of the picture's variance about a corner that two plain colours must explain; assumption."""
_LEAST_STEP = 8.0
"""Between the colours within and without, sRGB levels in the channel that tells them best."""


_ALONG_MM, _ASIDE_MM = np.arange(-0.5, 1.01, 0.25), np.array([0.4, 0.6, 0.8])
"""Where a border is looked for beyond a corner, and how far to either side; a round corner has left both by then."""
_SIDE_MM = np.arange(5.0, 15.1, 0.5)
"""Where a side's own border is looked at, from the corner."""

_LEAST_STEADY = 2.0
"""Change of light across a side over its typical deviation along it: less says nothing of what goes on; assumption."""
_LEAST_SOFT_PX, _SOFT, _MARGIN_PX = 0.8, 0.5, 2
"""Smoothing to the grid: sd, px, at least, and over the distance of its places; and what is cut out beyond, px."""


@dataclass(frozen=True)
class _Sampling:
    """How closely a corner is looked at: places this far apart, outlines this soft and shifted by so much, mm."""

    every_mm: float
    soft_mm: tuple[float, ...]
    shifts_mm: tuple[float, ...]


_GUESSED = _Sampling(0.4, (0.8,), (-0.6, 0.0, 0.6))
"""Of a guess: coarse, and 0.6 mm to either side, by which its sides may be off."""
_FITTED = _Sampling(0.2, (0.4, 1.2), (-0.2, 0.0, 0.2))
"""Of fitted sides: fine, sharp or as blurred as a photo may be at the gates."""


def corner_radii(
    pixels: NDArray[np.uint8], corners_px: Points, size_mm: tuple[float, float], *, guessed: bool = False
) -> Reals:
    """Measure the radius of each corner of a rectangle.

    The picture about a corner is explained by one colour within and one without an outline whose corner has each of
    21 radii, and a shadow close beside it; the radius that explains most is the corner's.

    Parameters
    ----------
    pixels : uint8 (M, N, 3), RGB
    corners_px : float64 (4, 2)
        Where the sides would meet, clockwise as seen.
    size_mm : (float, float)
        From corner 0 to 1 and from 1 to 2.
    guessed : bool
        The sides may lie some 0.6 mm from where the corners say; otherwise they are fitted.

    Returns
    -------
    float64 (4,)
        mm, in steps of 0.4 from 0 to 8; NaN where no such corner is seen.
    """
    corners_mm = np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]]) * size_mm
    to_px = fit_homography(corners_mm, corners_px)
    sampling = _GUESSED if guessed else _FITTED
    covers, shadows = _models(sampling)
    radii = np.full(4, np.nan)
    for k, inward in enumerate(np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])):
        levels = _colours_at(pixels, transform_points(to_px, corners_mm[k] + inward * _grid_mm(sampling)))
        if levels is None:
            continue
        # A lens blurs light: in sRGB levels every border between dark and bright would lie on the dark side of itself.
        apart = _centred(np.interp(levels, np.arange(256), SRGB_TO_LINEAR).astype(np.float32))
        explained = ((covers @ apart) ** 2 + (shadows @ apart) ** 2).sum(axis=1)
        best = int(np.argmax(explained))
        step = np.abs(covers[best] @ _centred(levels)).max() * 2 / np.sqrt(len(levels))
        if explained[best] >= _LEAST_EXPLAINED * (apart**2).sum() and step >= _LEAST_STEP:
            radii[k] = _RADII_MM[best * len(_RADII_MM) // len(covers)]
    return radii


def border_beyond(pixels: NDArray[np.uint8], corners_px: Points, size_mm: tuple[float, float]) -> Reals:
    """Measure how much of each side's border goes straight on at a corner, where a round corner has left it.

    Of a printed frame taken for one side of a card, the neighbouring sides go on to the card's true corners.

    Parameters
    ----------
    pixels : uint8 (M, N, 3), RGB
    corners_px : float64 (4, 2)
        Where the sides would meet, clockwise as seen.
    size_mm : (float, float)
        From corner 0 to 1 and from 1 to 2.

    Returns
    -------
    float64 (4,)
        Share of the change of light across the one or the other side at each corner, the larger: about 0 where the
        outline ends there, 1 where it does not; NaN outside the photo.
    """
    corners_mm = np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]]) * size_mm
    to_px = fit_homography(corners_mm, corners_px)
    shares = np.full((4, 2), np.nan)
    for k, inward in enumerate(np.array([[1, 1], [-1, 1], [-1, -1], [1, -1.0]])):
        for axis in (0, 1):
            along, normal = np.eye(2)[axis] * inward, np.eye(2)[1 - axis] * inward
            beyond, own = (
                _change(pixels, to_px, corners_mm[k] + sign * mm[:, None] * along, normal)
                for sign, mm in ((-1, _ALONG_MM), (1, _SIDE_MM))
            )
            if beyond is not None and own is not None:
                shares[k, axis] = _share(beyond, own)
    return np.asarray(np.fmax(*shares.T))


def _share(beyond: Reals, own: Reals) -> float:
    """Return the change of light beyond a corner over the side's own; 0 where the side's is not the same all along."""
    middle = np.median(own, axis=0)
    spread = np.median(np.linalg.norm(own - middle, axis=1))
    if np.linalg.norm(middle) < _LEAST_STEADY * spread:
        return 0.0
    return float(np.median(beyond @ middle) / (middle @ middle))


def _change(pixels: NDArray[np.uint8], to_px: Reals, at_mm: Points, normal: Points) -> Reals | None:
    """Return the change of light (P, 3) from one side of places to the other; None outside the photo."""
    offsets = np.concatenate([-_ASIDE_MM, _ASIDE_MM])[:, None, None] * normal
    where = transform_points(to_px, (at_mm + offsets).reshape(-1, 2)).astype(np.float32)
    if (where < 0).any() or (where > np.array([pixels.shape[1], pixels.shape[0]]) - 1).any():
        return None
    colours = SRGB_TO_LINEAR[cv2.remap(pixels, where[None], None, cv2.INTER_LINEAR)[0]]
    colours = colours.reshape(2, len(_ASIDE_MM), len(at_mm), 3)
    return np.asarray(colours[1].mean(axis=0) - colours[0].mean(axis=0), dtype=np.float64)


@lru_cache(maxsize=2)
def _grid_mm(sampling: _Sampling) -> Points:
    ticks = np.arange(_FROM_MM, _TO_MM, sampling.every_mm)
    return np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)


@lru_cache(maxsize=2)
def _models(sampling: _Sampling) -> tuple[Reals, Reals]:
    """Return drawn corners and the shadows beside them, each (radii × softness × shifts, places).

    All have mean 0 and length 1; each shadow is at right angles to its corner, so that what the two explain adds up.
    """
    covers, shadows = [], []
    for radius, soft_mm, x, y in product(_RADII_MM, sampling.soft_mm, sampling.shifts_mm, sampling.shifts_mm):
        short = radius - (_grid_mm(sampling) - [x, y])
        away = np.hypot(*np.maximum(short, 0).T) + np.minimum(short.max(axis=1), 0) - radius
        within = np.clip(0.5 - away / soft_mm, 0, 1)
        cover = _normalised(within)
        shadow = _normalised(np.exp(-np.maximum(away, 0) / _SHADOW_MM) * (1 - within))
        covers.append(cover)
        shadows.append(_normalised(shadow - (shadow @ cover) * cover))
    return np.array(covers, dtype=np.float32), np.array(shadows, dtype=np.float32)


def _centred(values: Reals) -> Reals:
    return np.asarray(values - values.mean(axis=0))


def _normalised(values: Reals) -> Reals:
    return np.asarray(_centred(values) / np.linalg.norm(_centred(values)))


def _colours_at(pixels: NDArray[np.uint8], at: Points) -> Reals | None:
    """Return the colours (P, 3) at places, smoothed to the grid; None where they leave the photo."""
    low, high = np.floor(at.min(axis=0)).astype(int) - _MARGIN_PX, np.ceil(at.max(axis=0)).astype(int) + _MARGIN_PX + 1
    if (low < 0).any() or high[0] > pixels.shape[1] or high[1] > pixels.shape[0]:
        return None
    every_px = float(np.sqrt(np.prod(np.ptp(at, axis=0)) / len(at)))
    patch = cv2.GaussianBlur(pixels[low[1] : high[1], low[0] : high[0]], (0, 0), max(_LEAST_SOFT_PX, _SOFT * every_px))
    where = (at - low).astype(np.float32)[None]
    return np.asarray(cv2.remap(patch.astype(np.float32), where, None, cv2.INTER_LINEAR)[0])
