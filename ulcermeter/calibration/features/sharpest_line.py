"""Where a side's border is sharpest, whichever of its two sides is the brighter.

Light from one side leaves a soft shadow beside a card; a card of nearly its ground's colour then has two borders, its
own, which is as sharp as the photo, and the shadow's end, which is not. Along one side the brighter of card and ground
may change where a shadow or a stripe begins. So borders of either sign vote for a straight line, by how steep they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Points
from ulcermeter.datatypes.arrays import Matrix

__all__ = ["Sharpest", "sharpest_line"]

_EVERY_PX, _PROFILES, _SOFT = 0.5, 8, 2.0
"""Between places across the side; profiles averaged at each place along it; smoothing, in places across."""
_SLOPES = 31
"""Straight lines tried are turned by so many steps within half the reach at a side's ends."""
_ROUNDS, _STEPS = 3, 8
"""The surest places draw the line to themselves, and away from the end of a shadow that ran beside the rest of it."""
_WINDOW_PX, _CLOSE_PX = 1.6, 3.0
"""Sd of the window about a border, and how far a place may lie off the line: an edge of a photo in focus is as wide
(assumption)."""
_LEAST_SD_PX = 0.1
"""Of a border's place at one stretch, however clear it is: relief of paper, chamfer of the card; assumption."""
_APART_PX, _NOISE_SHARE = 3.0, 2.0
"""Least distance between a border and a second one beside it, which is one beyond twice the noise; assumption."""
_CLEAR_SD_PX, _CLEAR_SHARE = 0.25, 0.8
"""A side of which this share of the places is as sure needs no second look; assumption."""
_LEAST_PLACES = 8
"""Along a side at which a border must be seen for a line (assumption)."""
_WITHIN = 0.99
"""Of `_CLOSE_PX`: a place that came to rest at the end of its reach is none."""
_END_PX, _NOT_ALONG = 0.01, 1e-3
"""What makes a range include its end, px; and an sd so small that nothing is smoothed along the side."""


@dataclass(frozen=True)
class Sharpest:
    """The straight line across which the light changes most steeply, relative to a side.

    Attributes
    ----------
    offsets_px : float64 (P,)
        Of the border at places along the side, outwards; NaN where none is seen close to the line.
    sd_px : float64 (P,)
        Of each place.
    second_px : float
        By how much a second border beside the whole line, if this is not the side's own, would move it.
    """

    offsets_px: Matrix
    sd_px: Matrix
    second_px: float


def sharpest_line(
    light: NDArray[np.float32], at: Points, half: Matrix, outwards: Matrix, *, reach_px: float
) -> Sharpest | None:
    """Find the line along a side across which the light changes most steeply.

    Parameters
    ----------
    light : float32 (M, N, 3)
        Linear light.
    at : float64 (P, 2)
        Middles of the side's stretches.
    half : float64 (2,)
        Half of a stretch.
    outwards : float64 (2,)
    reach_px : float
        How far to look, inwards and outwards.

    Returns
    -------
    Sharpest or None
        None where the side's border is clear as it lies: neither faint nor beside a second one.
    """
    s = np.arange(-reach_px, reach_px + _END_PX, _EVERY_PX)
    slopes = _slopes(light, at, half, outwards, s)
    steep = np.sqrt((slopes**2).sum(axis=2))
    # A straight border is the same at neighbouring places: what differs between them is noise and grain.
    noise = max(float(np.median(np.linalg.norm(np.diff(slopes, axis=0), axis=2))) / np.sqrt(2), 1e-9)
    offsets, sd, _ = _near(slopes, steep, s, np.zeros(len(at)), noise)
    if np.mean(np.isfinite(offsets) & (sd <= _CLEAR_SD_PX)) >= _CLEAR_SHARE:
        return None
    votes = np.log1p((steep / noise) ** 2)
    place = np.linspace(-1, 1, len(at))
    tilts = np.linspace(-0.5, 0.5, _SLOPES) * reach_px
    scores = np.stack([_along(votes, s, tilt * place).mean(axis=0) for tilt in tilts])
    turn, middle = np.unravel_index(int(np.argmax(scores)), scores.shape)
    line = s[middle] + tilts[turn] * place
    for _ in range(_ROUNDS):
        offsets, sd, _ = _near(slopes, steep, s, line, noise)
        line = _line(place, offsets, sd, line)
    offsets, sd, second = _near(slopes, steep, s, line, noise)
    return Sharpest(offsets, sd, float(np.average(second, weights=np.isfinite(offsets) / sd**2 + 1e-12)))


def _slopes(light: NDArray[np.float32], at: Points, half: Matrix, outwards: Matrix, s: Matrix) -> Matrix:
    """Return how the light changes outwards, (P, S, 3)."""
    share = (2 * np.arange(_PROFILES) + 1) / _PROFILES - 1
    where = at[:, None, None] + half * share[:, None, None] + s[:, None] * outwards
    where = where.reshape(len(at) * _PROFILES, len(s), 2).astype(np.float32)
    profiles = cv2.remap(light, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    means = profiles.reshape(len(at), _PROFILES, len(s), 3).mean(axis=1)
    soft = cv2.GaussianBlur(means, (0, 0), sigmaX=_SOFT, sigmaY=_NOT_ALONG, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(np.gradient(soft.astype(np.float64), axis=1))


def _along(values: Matrix, s: Matrix, shifts: Matrix) -> Matrix:
    """Return values (P, S) read at s + shifts (P,); the last one stands for what is beyond."""
    at = np.arange(len(s)) + np.rint(shifts / _EVERY_PX).astype(int)[:, None]
    return np.take_along_axis(values, np.clip(at, 0, len(s) - 1), axis=1)


def _line(place: Matrix, offsets: Matrix, sd: Matrix, otherwise: Matrix) -> Matrix:
    """Return the straight line through offsets, by how sure each is."""
    visible = np.isfinite(offsets)
    if visible.sum() < _LEAST_PLACES:
        return otherwise
    return np.asarray(
        np.polyval(np.polyfit(place[visible], offsets[visible], 1, w=1 / sd[visible]), place), dtype=np.float64
    )


def _near(slopes: Matrix, steep: Matrix, s: Matrix, line: Matrix, noise: float) -> tuple[Matrix, Matrix, Matrix]:
    """Return where the light changes close to a line (P,), by the change's centroid, that place's own sd, px.

    And the share of that sd which a second border beside it makes.
    """
    offsets = line
    for _ in range(_STEPS):
        window = np.exp(-0.5 * ((s - offsets[:, None]) / _WINDOW_PX) ** 2)
        change = np.matmul(window[:, None], slopes)[:, 0]
        weights = np.matmul(slopes, change[..., None])[..., 0] * window
        with np.errstate(divide="ignore", invalid="ignore"):
            offsets = (weights @ s) / weights.sum(axis=1)
        offsets = np.where(np.isfinite(offsets), np.clip(offsets, line - _CLOSE_PX, line + _CLOSE_PX), line)
    visible = np.abs(offsets - line) < _WITHIN * _CLOSE_PX
    here = np.maximum((steep * window).max(axis=1), noise)
    beyond = np.where(np.abs(s - offsets[:, None]) >= _APART_PX, steep, 0.0).max(axis=1)
    second = _APART_PX * np.clip(beyond - _NOISE_SHARE * noise, 0, None) / here
    sd = np.hypot(_LEAST_SD_PX, np.hypot(_WINDOW_PX * noise / here, second))
    return np.where(visible, offsets, np.nan), sd, second
