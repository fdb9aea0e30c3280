"""What a ruler's tick is worth, by the pattern of the longer ones among them."""

from __future__ import annotations

from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes.arrays import Reals

__all__ = ["TickUnit", "read_tick_unit", "tick_ink"]

_LEAST_EXPLAINED, _CLEAR_EXPLAINED = 0.30, 0.08
"""Share of the ink's variance that a pattern must explain, and by which it must lead others (assumption)."""
_INK_LEVEL, _USUAL_INK_PCT = 0.4, 80
"""Of a tick's darkness, over the usual one in the short ticks' band, from which on it is ink; a percentile, as of a
wave that is an overtone only every second or third one is a tick (assumption)."""
_LAGS = (2, 8, 10, 16, 20)
"""Ticks after which a pattern may repeat: halves, inches in eighths and sixteenths, centimetres in 1 and .5 mm."""
_LEAST_PERIODS, _INK_ENDS_PCT = 1.5, (2, 98)
"""Of a pattern that can be told to repeat; and percentiles beyond which a tick's ink says no more (glare, print)."""
_HALVES_EXPLAINED, _HALVES_EXPLAINED_LONGER = 0.4, 0.15
"""Share of the ink that every second tick's being longer explains on a scale of half millimetres, and where twenty
ticks already explain clearly more than ten; of millimetres none does (assumption)."""
_OVERTONE_INK = 0.15
"""Where every second tick has less ink than this share of the others, it is none: the wave is an overtone."""


class TickUnit(Enum):
    """From one tick to the next."""

    MILLIMETRE = "1 mm"
    HALF_MILLIMETRE = "0.5 mm"
    INCH = "a part of an inch"
    NOT_CLEAR = "not clear"


def tick_ink(flat: Reals, phase: Reals, band: NDArray[np.bool_]) -> Reals:
    """Return for each whole tick how much ink there is along it, beyond the band of the short ones too.

    Parameters
    ----------
    flat : float32 (R, S)
        The straightened strip without its ground, dark ticks negative: rows to the side, columns along the scale.
    phase : float64 (S,)
        In ticks, rising; whole on a tick.
    band : bool (R,)
        The rows of the short ticks.

    Returns
    -------
    float64 (T,)
        Rows with ink.
    """
    ticks = np.arange(np.ceil(phase[0] + 0.5), phase[-1] - 0.5)
    at, before, after = (np.interp(ticks + shift, phase, np.arange(len(phase))) for shift in (0.0, -0.5, 0.5))
    rows = np.arange(len(flat))[:, None].astype(np.float32)

    def sampled(columns: Reals) -> Reals:
        where = np.broadcast_to(columns[None].astype(np.float32), (len(flat), len(columns)))
        lines = np.broadcast_to(rows, where.shape)
        return np.asarray(
            cv2.remap(flat.astype(np.float32), np.ascontiguousarray(where), np.ascontiguousarray(lines), 1)
        )

    dark = (sampled(before) + sampled(after)) / 2 - sampled(at)
    level = _INK_LEVEL * float(np.percentile(dark[band], _USUAL_INK_PCT))
    return np.asarray((dark > level).sum(axis=0), dtype=np.float64)


def _explained(ink: Reals, lag: int) -> float:
    """Return the share of the ink's variance that repeats with a lag (adjusted for its number of means)."""
    if len(ink) < _LEAST_PERIODS * lag or np.var(ink) < 1e-9:
        return 0.0
    ink = np.clip(ink, *np.percentile(ink, _INK_ENDS_PCT))
    groups = [ink[k::lag] for k in range(lag)]
    inside = sum(float(((g - g.mean()) ** 2).sum()) for g in groups)
    total = float(((ink - ink.mean()) ** 2).sum())
    free = max(len(ink) - lag, 1)
    return 1 - (inside / free) / (total / (len(ink) - 1)) if total > 0 else 0.0


def read_tick_unit(ink: Reals) -> tuple[TickUnit, float]:
    """Return what a tick is worth, and the share of the ink's variance that the clearest pattern explains.

    Parameters
    ----------
    ink : float64 (T,)
        Of each tick along the scale, `tick_ink`.

    Returns
    -------
    TickUnit
    float
        At most 1; 0 where every second tick is none.
    """
    even, odd = float(ink[::2].mean()), float(ink[1::2].mean())
    if min(even, odd) < _OVERTONE_INK * max(even, odd):
        return TickUnit.NOT_CLEAR, 0.0
    explained = {lag: _explained(ink, lag) for lag in _LAGS}
    tens, twenties, inches = explained[10], explained[20], max(explained[8], explained[16])
    most = max(tens, twenties, inches)
    if inches > max(tens, twenties) + _CLEAR_EXPLAINED and inches > _LEAST_EXPLAINED:
        return TickUnit.INCH, most
    longer = twenties > tens + 2 * _CLEAR_EXPLAINED
    halves = explained[2] > _HALVES_EXPLAINED or (longer and explained[2] > _HALVES_EXPLAINED_LONGER)
    if max(tens, twenties) < max(_LEAST_EXPLAINED, inches + _CLEAR_EXPLAINED) or (halves and twenties < tens):
        return TickUnit.NOT_CLEAR, most
    return TickUnit.HALF_MILLIMETRE if halves else TickUnit.MILLIMETRE, most
