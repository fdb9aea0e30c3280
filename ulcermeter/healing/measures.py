"""Healing in plain numbers: change, margin advance, rates. Positive is healing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ulcermeter.statistics import Z_95_AS_PRINTED, least_log_change, log_sd

if TYPE_CHECKING:
    from ulcermeter.protocol import Protocol

__all__ = ["change", "days_to_half_area", "exponential_rate", "margin_advance"]

_NAN = float("nan")


def change(
    area_then: float,
    area_now: float,
    protocol: Protocol,
    *,
    interval_then: tuple[float, float] | None = None,
    interval_now: tuple[float, float] | None = None,
) -> str:
    """Say whether an ulcer got better, worse or stayed the same.

    Better or worse when ln(area) moved by more than the smallest detectable change (or, with the protocol's
    ``change_rule``, the area by so many percent), and, where both intervals are
    given, by more than the photos' own errors too (1.96 times the root sum of their squared log standard deviations):
    beyond the one and within the other is uncertain. Zero area is healed: to it is better, from it is worse.

    Parameters
    ----------
    area_then, area_now : float
        Areas, mm²; 0 = healed, NaN = not known.
    protocol : Protocol
        ``change_rule``, with ``sem_log_area``, the test-retest standard error of ln(area), or ``change_area_pct``.
    interval_then, interval_now : (float, float), optional
        Their 95 % intervals, mm².

    Returns
    -------
    {'better', 'worse', 'same', 'uncertain'}
    """
    if not (area_then >= 0 and area_now >= 0):
        return "uncertain"
    if area_then == 0 or area_now == 0:
        return "same" if area_then == area_now else ("worse" if area_then == 0 else "better")
    moved = math.log(area_now / area_then)
    rules = protocol.healing
    if abs(moved) <= least_log_change(rules.change_rule, rules.sem_log_area, rules.change_area_pct, worse=moved > 0):
        return "same"
    own = math.hypot(*(log_sd(*interval) for interval in (interval_then, interval_now) if interval is not None))
    if abs(moved) <= Z_95_AS_PRINTED * own:
        return "uncertain"
    return "worse" if moved > 0 else "better"


def margin_advance(
    area_then_mm2: float, area_now_mm2: float, perimeter_then_mm: float, perimeter_now_mm: float, weeks: float
) -> float:
    """Return how fast the edge moves inwards, mm/week: loss of area over the mean perimeter, over time.

    Gilman 1990 (doi 10.1007/BF02344811 compares it with others). For a disc it is exactly -dr/dt, whatever the size;
    for an area that closed before `weeks` were over it is a lower bound. NaN without time or perimeter.

    Parameters
    ----------
    area_then_mm2 : float
        Area at the earlier visit, mm².
    area_now_mm2 : float
        Area at the later visit, mm².
    perimeter_then_mm : float
        Perimeter at the earlier visit, mm.
    perimeter_now_mm : float
        Perimeter at the later visit, mm.
    weeks : float
        Time between them, weeks; above 0.

    Returns
    -------
    float
    """
    mean_perimeter = (perimeter_then_mm + perimeter_now_mm) / 2
    if not (weeks > 0 and mean_perimeter > 0):
        return _NAN
    return (area_then_mm2 - area_now_mm2) / mean_perimeter / weeks


def exponential_rate(days: Sequence[float], areas: Sequence[float]) -> float:
    """Return the rate k of A(t) = A₀ exp(-k t), per week; positive = healing.

    Least squares of ln(area) on time; with two points this is ln(A₀/Aₜ)/t. Area 0 lies below the detection limit and
    is left out.

    Parameters
    ----------
    days, areas : sequence of float
        Days (any origin) and areas, mm².

    Returns
    -------
    float
        1/week; NaN with fewer than two different days of positive area.
    """
    t, area = np.asarray(days, dtype=float) / 7.0, np.asarray(areas, dtype=float)
    use = np.isfinite(t) & np.isfinite(area) & (area > 0)
    t, log_area = t[use], np.log(area[use])
    if len(np.unique(t)) < 2:
        return _NAN
    t = t - t.mean()
    return float(-(t @ log_area) / (t @ t))


def days_to_half_area(days: Sequence[float], areas: Sequence[float]) -> float:
    """Return the days from the first measurement until half of its area was first reached.

    Between two visits ln(area) is taken as straight; where the later area is 0, the area itself.

    Parameters
    ----------
    days, areas : sequence of float
        Days and areas, mm², of one ulcer in time order; the first is the baseline.

    Returns
    -------
    float
        Days; NaN when it was not reached or the first area is not positive.
    """
    points = [(float(d), float(a)) for d, a in zip(days, areas, strict=True) if math.isfinite(d) and math.isfinite(a)]
    if not points or points[0][1] <= 0:
        return _NAN
    start, half = points[0][0], points[0][1] / 2
    for (d0, a0), (d1, a1) in zip(points, points[1:], strict=False):
        if a1 <= half:
            part = math.log(a0 / half) / math.log(a0 / a1) if a1 > 0 else (a0 - half) / a0
            return d0 + part * (d1 - d0) - start
    return _NAN
