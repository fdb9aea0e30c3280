"""Ticks as straight lines, placed at full resolution: where each lies, which way it runs and where it ends.

The ticks of a scale are parallel. Seen aslant they fan out, which tells how far the plane leans about the scale; the
scale's own period tells the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.calibration.features.robust import TUKEY, biweight, robust_sd
from ulcermeter.datatypes import Points
from ulcermeter.datatypes.arrays import Reals

__all__ = ["TickLines", "fit_tick_lines"]

_SAMPLES = 20
"""Of a period, along the scale."""
_REACH, _FIRST_REACH = 7.0, 1.2
"""How far to the sides ticks are followed, in periods; and at first, before their direction is known."""
_WINDOW, _WINDOW_SD = 0.45, 0.14
"""Of a tick, in periods: up to the next tick's, and the width of an inked line."""
_BAND_CONTRAST = 0.5
"""Of the short ticks' contrast, over which a row still shows them: an end's half height."""
_TRIM = 0.12
"""Share of the short ticks left out at either end: there the end's blur begins."""
_LEAST_ROWS = 4
"""Over which a tick's slope can be told."""
_LEAST_WHOLE = 0.8
"""Share of a tick's rows with ink: less is a scratch or print (assumption)."""
_SHARES = (0.2, 0.8)
"""Of a short tick's length, from the clearer line of ends: where its two points are taken."""
_LEAST_SD_PX = 0.01
"""Of a tick's place, px: interpolation errs by as much (assumption)."""
_LEAST_TICKS = 12
"""That a course of the third degree is fitted to four times over."""
_OUTLIER = 4.0
"""Robust standard deviations: one tick of 16,000 lies farther off by chance."""
_LARGEST_END_SPREAD = 0.25
"""In periods: ends that scatter more are no line."""
_END_TICKS, _BEYOND_TICKS = 0.1, 0.6
"""By which a phase may be off and its end still be a tick; and what is straightened beyond the last: its window."""
_COURSE_DEGREE, _SLOPE_DEGREE = 3, 2
"""Of a course along a bent scale, its first ends, and of how ticks lean along it, whose ends move with it."""
_ROWS_A_PERIOD, _SMOOTHED_ROWS = 10, 3
"""Rows to the side in a period, at most one a pixel, and how many are averaged, along the ticks."""
_WINDOW_PLACES, _GROUND_PLACES, _MIDDLE_PLACES = 19, 3, slice(7, 12)
"""Places over a tick's window; those at either end that are its ground, and those in the middle that may be ink."""
_ROUNDS, _LARGEST_OFFSET = 4, 0.3
"""Of centring the window, and how far off its place a tick may be, periods: less than half-way (assumption)."""
_FIT_ROUNDS = 10
"""Of weighting, the first ones of lower degree."""
_NEAR_ROWS, _USUAL_PCT = 6, 80
"""Rows to either side of the course among which the short ticks lie, and the percentile of their contrast that is taken
for theirs: glints do not decide (assumption)."""
_LEAST_OFF = 1e-4
"""Periods by which no tick is an outlier, however well all agree."""


@dataclass(frozen=True)
class TickLines:
    """Lines along ticks, each given by two points.

    Attributes
    ----------
    number : float64 (T,)
        Of each tick along the scale; only differences mean something.
    near_px, far_px : float64 (T, 2)
        Two points of each tick (x, y). The near ones lie at one distance from the line of the ticks' ends.
    covariance_px2 : float64 (2, 2)
        Of a tick's two points at right angles to it.
    end_sd_px : float
        Of a tick's end about the line of ends, along the tick; infinite where the ends make no line.
    """

    number: Reals
    near_px: Points
    far_px: Points
    covariance_px2: Reals
    end_sd_px: float


@dataclass(frozen=True)
class _Strip:
    """The picture straightened along the scale: rows (R,) px to the side, columns at phases (in ticks)."""

    values: NDArray[np.float32]
    rows_px: Reals
    phase: Reals
    course_px: Points
    transverse: Points

    def between(self, reach_px: float) -> _Strip:
        """Return the rows within a reach of the course."""
        rows = np.abs(self.rows_px) < reach_px
        return replace(self, values=self.values[rows], rows_px=self.rows_px[rows])

    def points(self, phase: Reals, aside_px: Reals) -> Points:
        """Return the photo's points (T, 2) at phases, px to the side of the course."""
        place, side = (
            np.column_stack([np.interp(phase, self.phase, v[:, i]) for i in (0, 1)])
            for v in (self.course_px, self.transverse)
        )
        return place + np.asarray(aside_px)[:, None] * side


def fit_tick_lines(grey: NDArray[np.uint8], places_px: Points, phase: Reals) -> TickLines | None:
    """Fit a line to each tick of a scale.

    Parameters
    ----------
    grey : uint8 (M, N)
    places_px : float64 (S, 2)
        Points (x, y) along the scale, across its short ticks.
    phase : float64 (S,)
        Increasing; a whole number at each tick, to a fifth or so.

    Returns
    -------
    TickLines or None
        None where too few ticks can be followed to the sides.
    """
    lines = _fit(grey, places_px, phase)
    # The course that ticks were found along need not follow the line of their ends, and is laid along it.
    return None if lines is None else _fit(grey, (lines.near_px + lines.far_px) / 2, lines.number)


def _fit(grey: NDArray[np.uint8], places_px: Points, phase: Reals) -> TickLines | None:
    number = np.arange(np.ceil(phase[0] - _END_TICKS), phase[-1] + _END_TICKS)
    if len(number) < _LEAST_TICKS:
        return None
    strip, period_px = _strip(grey, places_px, phase, number)
    near = strip.between(_FIRST_REACH * period_px)
    offsets, contrast = _darkest(near, number, np.zeros((len(near.rows_px), len(number))))
    lean = _lean(near.rows_px, number, offsets, contrast)
    offsets, contrast = _darkest(strip, number, strip.rows_px[:, None] * lean(number))
    band = _band(np.median(contrast, axis=1), strip.rows_px)
    return None if band is None else _lines(strip, number, offsets, contrast, band, period_px=period_px)


def _strip(grey: NDArray[np.uint8], places: Points, phase: Reals, number: Reals) -> tuple[_Strip, float]:
    columns = np.arange(number[0] - _BEYOND_TICKS, number[-1] + _BEYOND_TICKS, 1 / _SAMPLES)
    courses = [np.polynomial.Polynomial.fit(phase, places[:, i], _COURSE_DEGREE) for i in (0, 1)]
    course, along = (np.column_stack([c(columns) for c in cs]) for cs in (courses, [c.deriv() for c in courses]))
    period_px = float(np.median(np.hypot(*along.T)))
    along /= np.hypot(*along.T)[:, None]
    transverse = np.column_stack([-along[:, 1], along[:, 0]])
    step = max(1.0, period_px / _ROWS_A_PERIOD)
    rows = np.arange(-int(_REACH * period_px / step), int(_REACH * period_px / step) + 1) * step
    where = (course[None] + rows[:, None, None] * transverse[None]).astype(np.float32)
    values = cv2.remap(grey, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    values = cv2.blur(values.astype(np.float32), (1, _SMOOTHED_ROWS))
    return _Strip(values, rows, columns, course, transverse), period_px


def _darkest(strip: _Strip, number: Reals, expected: Reals) -> tuple[Reals, Reals]:
    """Return each tick's offset from its number (in ticks) and its contrast on each row, both (R, T).

    The offset is the centroid of what is darker than the ground on both sides, under a window that is centred on it.
    """
    shifts = np.linspace(-_WINDOW, _WINDOW, _WINDOW_PLACES)
    lines = np.arange(len(expected), dtype=np.float32)
    offsets = expected.copy()
    contrast = np.zeros_like(offsets)
    for _ in range(_ROUNDS):
        at = ((number + offsets)[:, :, None] + shifts - strip.phase[0]) * _SAMPLES
        columns = at.reshape(len(lines), -1).astype(np.float32)
        down = np.repeat(lines[:, None], columns.shape[1], axis=1)
        observed = cv2.remap(strip.values, columns, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        observed = observed.reshape(*offsets.shape, len(shifts)).astype(np.float64)
        left, right = observed[..., :_GROUND_PLACES].mean(axis=2), observed[..., -_GROUND_PLACES:].mean(axis=2)
        ground = left[..., None] + (right - left)[..., None] * (shifts + _WINDOW) / (2 * _WINDOW)
        dark = np.clip(ground - observed, 0, None) * np.exp(-0.5 * (shifts / _WINDOW_SD) ** 2)
        moves = (dark * shifts).sum(axis=2) / np.maximum(dark.sum(axis=2), 1e-6)
        contrast = (ground - observed)[..., _MIDDLE_PLACES].max(axis=2)
        offsets = np.clip(offsets + moves, expected - _LARGEST_OFFSET, expected + _LARGEST_OFFSET)
    return offsets, contrast


def _lean(rows_px: Reals, number: Reals, offsets: Reals, contrast: Reals) -> np.polynomial.Polynomial:
    """Return how ticks lean (ticks per px to the side) as a straight line over their numbers."""
    slopes = _straight(rows_px, offsets, np.clip(contrast, 0, None))[1]
    return _robust(number, slopes, 1)[0]


def _robust(x: Reals, y: Reals, degree: int) -> tuple[np.polynomial.Polynomial, float]:
    """Return a Tukey-weighted polynomial and the robust spread about it."""
    weights: Reals = np.ones(len(x))
    spread = 1.0
    # Start from the median, so that a fifth of longer ticks cannot take the fit along.
    off = y - np.median(y)
    for turn in range(_FIT_ROUNDS):
        spread = max(robust_sd(off), 1e-6)
        weights = biweight(off, TUKEY * spread)
        if (weights > 0).sum() <= degree + 1:
            break
        course = np.polynomial.Polynomial.fit(x, y, min(degree, turn), w=np.sqrt(weights))
        off = y - course(x)
    return course, spread


def _band(contrast: Reals, rows_px: Reals) -> tuple[int, int] | None:
    """Return the first and last row of the short ticks, by half of their most contrast."""
    middle = int(np.argmin(np.abs(rows_px)))
    near = slice(max(middle - _NEAR_ROWS, 0), middle + _NEAR_ROWS + 1)
    best = near.start + int(np.argmax(contrast[near]))
    good = contrast > _BAND_CONTRAST * np.percentile(contrast[near], _USUAL_PCT)
    if not good[best]:
        return None
    first = best - int(np.argmin(good[best::-1])) + 1 if not good[: best + 1].all() else 0
    last = best + int(np.argmin(good[best:])) - 1 if not good[best:].all() else len(good) - 1
    return (first, last) if last - first >= _LEAST_ROWS + 1 else None


def _lines(
    strip: _Strip, number: Reals, offsets: Reals, contrast: Reals, band: tuple[int, int], *, period_px: float
) -> TickLines | None:
    first, last = band
    cut = max(int(round(_TRIM * (last - first))), 1)
    inner = slice(first + cut, last - cut + 1)
    if inner.stop - inner.start < _LEAST_ROWS:
        return None
    rows = strip.rows_px[inner]
    weights = (contrast[inner] > _BAND_CONTRAST * np.median(contrast[inner])).astype(np.float64)
    middle = float(rows.mean())
    level, slope = _straight(rows - middle, offsets[inner], weights)
    good = weights.mean(axis=0) > _LEAST_WHOLE
    for _ in range(2):
        if good.sum() < _LEAST_TICKS:
            return None
        (level_course, level_sd), (slope_course, slope_sd) = (
            _robust(number[good], values[good], degree)
            for values, degree in ((level, _COURSE_DEGREE), (slope, _SLOPE_DEGREE))
        )
        good &= np.abs(level - level_course(number)) < _OUTLIER * level_sd + _LEAST_OFF
        good &= np.abs(slope - slope_course(number)) < _OUTLIER * slope_sd + 1e-6
    ends, end_sd_px = _ends(strip.rows_px, contrast, band, number)
    length_px = (strip.rows_px[last] - strip.rows_px[first]) * np.sign(middle - float(np.median(ends(number))))
    near_px, far_px = (
        strip.points(number + level + slope * (aside_px - middle), aside_px)[good]
        for aside_px in (ends(number) + share * length_px for share in _SHARES)
    )
    arm = abs(length_px) * (_SHARES[1] - _SHARES[0]) / 2
    variances = ((sd * period_px) ** 2 + _LEAST_SD_PX**2 for sd in (level_sd, arm * slope_sd))
    mean, half = variances
    covariance = np.array([[mean + half, mean - half], [mean - half, mean + half]])
    observed = end_sd_px < _LARGEST_END_SPREAD * period_px
    return TickLines(number[good], near_px, far_px, covariance, end_sd_px if observed else float("inf"))


def _straight(off_px: Reals, offsets: Reals, weights: Reals) -> tuple[Reals, Reals]:
    """Return each tick's offset in the middle of its rows, and its slope (ticks per px), (T,) each."""
    total = np.maximum(weights.sum(axis=0), 1e-6)
    mean = (weights * off_px[:, None]).sum(axis=0) / total
    away = off_px[:, None] - mean
    slope = (weights * away * offsets).sum(axis=0) / np.maximum((weights * away**2).sum(axis=0), 1e-6)
    return (weights * offsets).sum(axis=0) / total - slope * mean, slope


def _ends(
    rows_px: Reals, contrast: Reals, band: tuple[int, int], number: Reals
) -> tuple[np.polynomial.Polynomial, float]:
    """Return where the short ticks end (px to the side, over their numbers) on the side where that is clearer."""
    first, last = band
    inside = (first + last) // 2
    level = _BAND_CONTRAST * np.median(contrast[first : last + 1], axis=0)
    fits = []
    for step in (-1, 1):
        run = contrast[inside::step]
        below = run < level
        hit = np.clip(below.argmax(axis=0), 1, len(run) - 1)
        ticks = np.arange(len(number))
        high, low = run[hit - 1, ticks], run[hit, ticks]
        share = np.clip((high - level) / np.maximum(high - low, 1e-6), 0, 1)
        end = rows_px[inside] + step * (rows_px[1] - rows_px[0]) * (hit - 1 + share)
        observed = below.any(axis=0)
        if observed.sum() >= _LEAST_TICKS:
            fits.append(_robust(number[observed], end[observed], _SLOPE_DEGREE))
    if not fits:
        return np.polynomial.Polynomial([rows_px[first]]), float("inf")
    return min(fits, key=lambda fit: fit[1])
