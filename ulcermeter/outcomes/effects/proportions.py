"""Shares of ulcers with an event, such as healed by week 12: each arm's, their difference and their ratio.

With one ulcer a subject, a share's interval is Wilson's score interval, the difference's Newcombe's hybrid of two of
them (method 10 of Newcombe 1998, Stat Med 17:873) and the ratio's the same idea on a ratio (MOVER-R: Donner & Zou 2012,
Stat Methods Med Res 21:347). They keep their coverage at 10 subjects an arm and at shares of 0 and 1, where Wald
intervals collapse to a point.

A subject's ulcers heal alike, so with several the same intervals are taken at an *effective* number of ulcers M / d.
The design effect d = v / (p (1 - p) / M) compares the variance between subjects of the ratio estimate,

    v = n / (n - 1) sum_i (y_i - p m_i)^2 / M^2,    p = sum y_i / M,  M = sum m_i

(y_i of m_i ulcers of subject i; Cochran 1977; Rao & Scott 1992, Biometrics 48:577), with that of M independent ulcers.
As v rests on few subjects, M / d is multiplied by (z / t_{n-1})^2 (Korn & Graubard 1998, Surv Methodol 24:193); d is
not let fall below 1 (assumption: ulcers of one subject do not avoid each other). Where all or none had the event, v
says nothing: then a subject counts as one ulcer (assumption, the widest there is).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from ulcermeter.datatypes import Caution, Effect, EffectMethod, Measure
from ulcermeter.outcomes.effects.arms import arms_of, few, need
from ulcermeter.statistics import UPPER_95, Z_95, wilson

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Share", "compare_shares", "share_of"]

_NAN = math.nan


@dataclass(frozen=True)
class Share:
    """A share with its Wilson interval; `clustered` where subjects have several ulcers."""

    estimate: float
    low: float
    high: float
    n_ulcers: int
    n_subjects: int
    clustered: bool
    cautions: tuple[Caution, ...] = ()


def share_of(ulcers: pd.DataFrame, event: str) -> Share:
    """Estimate the share of ulcers with an event.

    Parameters
    ----------
    ulcers : DataFrame
        One row an ulcer: subject_id and the column `event` (yes / no / unknown; what is not known is left out).
    event : str

    Returns
    -------
    Share
        NaN where no ulcer's answer is known.
    """
    need(ulcers, "subject_id", event)
    known = ulcers[ulcers[event].isin(["yes", "no"])]
    left_out = (Caution.UNKNOWN_LEFT_OUT,) if len(known) < len(ulcers) else ()
    by_subject = (known[event] == "yes").groupby(known["subject_id"]).agg(["sum", "count"])
    n, m = len(by_subject), len(known)
    if not m:
        return Share(_NAN, _NAN, _NAN, 0, 0, False, (Caution.NOT_ESTIMABLE, *left_out))
    share = float(by_subject["sum"].sum()) / m
    effective, uneven = _effective_n(by_subject["sum"].to_numpy(float), by_subject["count"].to_numpy(float), share)
    return Share(share, *wilson(share, effective), m, n, m > n, (*few(n), *uneven, *left_out))


def _effective_n(
    events: np.ndarray[tuple[int], np.dtype[np.float64]],
    sizes: np.ndarray[tuple[int], np.dtype[np.float64]],
    share: float,
) -> tuple[float, tuple[Caution, ...]]:
    n, m = len(sizes), float(sizes.sum())
    if m == n:
        return m, ()
    if share in (0.0, 1.0) or n == 1:
        return float(n), (Caution.NO_VARIATION,)
    variance = n / (n - 1) * float(np.sum((events - share * sizes) ** 2)) / m**2
    design = max(1.0, variance / (share * (1 - share) / m))
    return m / design * (Z_95 / float(stats.t.ppf(UPPER_95, n - 1))) ** 2, ()


def compare_shares(ulcers: pd.DataFrame, *, event: str, reference_arm: str = "") -> tuple[Effect, ...]:
    """Estimate each arm's share of ulcers with an event, and differences and ratios against the reference arm.

    Parameters
    ----------
    ulcers : DataFrame
        One row an ulcer: subject_id, arm and the column `event` (yes / no / unknown).
    event : str
    reference_arm : str
        The last by name where none is given.

    Returns
    -------
    tuple of Effect
        Shares by arm, then a difference and a ratio for every other arm. A ratio is not estimable where neither arm
        had the event; its upper end is infinite where the reference arm's share may be 0.
    """
    need(ulcers, "subject_id", "arm", event)
    reference, others = arms_of(ulcers, reference_arm)
    shares = {arm: share_of(ulcers[ulcers["arm"] == arm], event) for arm in (*others, reference) if arm}
    effects = [_share_effect(arm, share) for arm, share in shares.items()]
    for arm in others:
        effects += [_difference(arm, reference, shares), _ratio(arm, reference, shares)]
    return tuple(effects)


def _share_effect(arm: str, share: Share) -> Effect:
    method = EffectMethod.CLUSTERED_WILSON if share.clustered else EffectMethod.WILSON
    ends = (share.estimate, share.low, share.high)
    return Effect(Measure.SHARE, arm, *ends, method, share.n_ulcers, share.n_subjects, cautions=share.cautions)


def _difference(arm: str, reference: str, shares: dict[str, Share]) -> Effect:
    """Square-and-add: l = d - sqrt((p1 - l1)^2 + (u2 - p2)^2), u = d + sqrt((u1 - p1)^2 + (p2 - l2)^2)."""
    a, b = shares[arm], shares[reference]
    d = a.estimate - b.estimate
    low = d - math.hypot(a.estimate - a.low, b.high - b.estimate)
    high = d + math.hypot(a.high - a.estimate, b.estimate - b.low)
    method = EffectMethod.CLUSTERED_NEWCOMBE if a.clustered or b.clustered else EffectMethod.NEWCOMBE
    return _compared(Measure.RISK_DIFFERENCE, (arm, reference), shares, (d, low, high), method)


def _ratio(arm: str, reference: str, shares: dict[str, Share]) -> Effect:
    """MOVER-R: the ratios R at which (p1 - R p2)^2 = (p1 - l1)^2 + R^2 (u2 - p2)^2, and with u1, l2 for the upper."""
    a, b = shares[arm], shares[reference]
    p, q = a.estimate, b.estimate
    method = EffectMethod.CLUSTERED_MOVER_R if a.clustered or b.clustered else EffectMethod.MOVER_R
    if not p + q > 0:
        ends = (_NAN, _NAN, _NAN)
    else:
        low = _root(p * q, a.low * (2 * p - a.low), b.high * (2 * q - b.high), -1)
        high = _root(p * q, a.high * (2 * p - a.high), b.low * (2 * q - b.low), +1) if q > 0 else math.inf
        ends = (p / q if q > 0 else math.inf, low, high)
    return _compared(Measure.RISK_RATIO, (arm, reference), shares, ends, method)


def _root(product: float, top: float, bottom: float, sign: int) -> float:
    """Return (pq -+ sqrt((pq)^2 - top bottom)) / bottom, in the form that keeps its digits where bottom is 0."""
    spread = math.sqrt(max(0.0, product**2 - top * bottom))
    if sign < 0:
        return top / (product + spread) if product + spread > 0 else 0.0
    return (product + spread) / bottom if bottom > 0 else math.inf


def _compared(
    measure: Measure,
    arms: tuple[str, str],
    shares: dict[str, Share],
    ends: tuple[float, float, float],
    method: EffectMethod,
) -> Effect:
    arm, reference = arms
    a, b = shares[arm], shares[reference]
    cautions = tuple(dict.fromkeys((*a.cautions, *b.cautions)))
    if ends[0] != ends[0]:
        cautions = tuple(dict.fromkeys((*cautions, Caution.NOT_ESTIMABLE)))
    n_ulcers, n_subjects = a.n_ulcers + b.n_ulcers, a.n_subjects + b.n_subjects
    return Effect(measure, arm, *ends, method, n_ulcers, n_subjects, reference, cautions=cautions)
