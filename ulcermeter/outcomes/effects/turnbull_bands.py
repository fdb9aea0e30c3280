"""The share healed against time, known only as (low, high], with a band that respects whose ulcers they are.

The curve is Turnbull's estimate (`ulcermeter.outcomes.turnbull`): F(t) = sum of the masses on innermost intervals
(q, p] with p <= t, so that healing counts from the day by which it must have happened; inside (q, p] the data do not
say when. R's survival::survfit(type = "interval2") has the same masses and puts them at (q + p) / 2.

The band is pointwise, 2.5 and 97.5 % of the curves of bootstrap samples of *subjects*, each with all of its ulcers
(Davison & Hinkley 1997, section 3.8); the seed is given, so that the same data give the same band. A bootstrap cannot
see beyond what happened: where none (or all) of n subjects' ulcers have healed, the end is the exact binomial one,
1 - 0.025^(1/n) (or 0.025^(1/n)).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Caution, Effect, EffectMethod, HealingCurve, Measure
from ulcermeter.outcomes.effects.arms import few, need, timed
from ulcermeter.outcomes.interval_censored import innermost_intervals, turnbull
from ulcermeter.statistics import CENTRAL_95_PCT, LOWER_95

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DRAWS", "SEED", "estimate_healing_curve", "followed_and_healed", "share_at"]

DRAWS = 1000
"""Bootstrap samples: the band's ends are then known to a few per cent of its width."""
SEED = 20170321
"""Of the bootstrap; the number says nothing."""
_ROUNDS, _AT_ONCE = 2000, 20
"""Self-consistency at most, and between two looks at what still moves: samples that have settled are left out."""
_TOLERANCE = 2e-5
"""Largest move of a share, from which on nothing of the band's width, 1 %, moves (assumption)."""
_NOTHING = 1e-4  # a share that self-consistency has not quite brought to 0
Floats = NDArray[np.float64]


def estimate_healing_curve(
    ulcers: pd.DataFrame,
    *,
    arm: str = "",
    visits: Iterable[tuple[str, float]] = (),
    draws: int = DRAWS,
    seed: int = SEED,
) -> HealingCurve:
    """Estimate the share healed over time, its 95 % band, the median, and the numbers at risk.

    Parameters
    ----------
    ulcers : DataFrame
        One row an ulcer: subject_id, healing_day_low, healing_day_high (days; high empty where healing was not seen).
        Ulcers without a low day, or never seen after day 0, do not take part. With a column arm, only those of `arm`.
    arm : str
    visits : iterable of (name, day)
        At which to count.
    draws : int
        Bootstrap samples.
    seed : int

    Returns
    -------
    HealingCurve
        From (0, 0 healed) on. The median is the day by which half had healed: an infinite end, or none at all, where
        that was not reached.
    """
    need(ulcers, "subject_id", "healing_day_low", "healing_day_high")
    own = ulcers[ulcers["arm"] == arm] if arm and "arm" in ulcers else ulcers
    known, left_out = timed(own)
    low = known["healing_day_low"].to_numpy(dtype=float)
    high = known["healing_day_high"].fillna(np.inf).to_numpy(dtype=float)
    subjects = known["subject_id"].to_numpy(dtype=object)
    if not len(known):
        nothing = np.zeros(0)
        missing = _median_effect(arm, (nothing, nothing, np.zeros((0, 0))), 0, 0, (Caution.NOT_ESTIMABLE, *left_out))
        return HealingCurve(arm, nothing, nothing, nothing, nothing, missing)
    ends, mass = turnbull(low, high)
    days, share = _steps(ends, mass)
    bundle = _bootstrap(low, high, subjects, draws=draws, seed=seed)
    n = len(set(subjects.tolist()))
    band = _band(share, bundle, n)
    median = _median_effect(arm, (days, share, bundle), len(known), n, (*few(n), *left_out))
    counts = tuple((name, day, *followed_and_healed(low, high, day)) for name, day in visits)
    return HealingCurve(arm, days, share, *band, median, counts)


def share_at(curve: HealingCurve, day: float) -> Effect:
    """Return a curve's share healed by a day, with its band.

    Unlike the share of ulcers whose answer is known it does not miss those that were open when last seen, earlier: they
    heal from then on as the others do (censoring that does not hang on healing; assumption).

    Parameters
    ----------
    curve : HealingCurve
        A curve of time to healing.
    day : float
        Days after treatment.

    Returns
    -------
    Effect
    """
    at = int(np.searchsorted(curve.days, day, side="right")) - 1
    ends = (float(curve.share[at]), float(curve.low[at]), float(curve.high[at]))
    cautions = tuple(caution for caution in curve.median.cautions if caution is not Caution.NOT_REACHED)
    counts = (curve.median.n_ulcers, curve.median.n_subjects)
    return Effect(Measure.CURVE, curve.arm, *ends, EffectMethod.BOOTSTRAP, *counts, cautions=cautions)


def _steps(ends: Floats, mass: Floats) -> tuple[Floats, Floats]:
    finite = np.isfinite(ends)
    days = np.concatenate([[0.0], ends[finite]])
    return days, np.clip(np.concatenate([[0.0], np.cumsum(mass[finite])]), 0.0, 1.0)


def followed_and_healed(low: Floats, high: Floats, day: float) -> tuple[int, int]:
    """Return how many ulcers are at risk on a day, and how many were seen healed before it.

    At risk: not seen healed before that day, and last seen open on it or later, or seen healed on it or later.

    Parameters
    ----------
    low : Floats
        Low ends, days after treatment, float64 (N,).
    high : Floats
        High ends, days after treatment; infinite where healing was not seen, float64 (N,).
    day : float
        Days after treatment.

    Returns
    -------
    tuple[int, int]
    """
    healed = int(np.sum(high < day))
    return int(np.sum((high >= day) & (np.isfinite(high) | (low >= day)))), healed


def _bootstrap(low: Floats, high: Floats, subjects: NDArray[np.object_], *, draws: int, seed: int) -> Floats:
    """Return the curves of bootstrap samples (draws, 1 + finite ends), by self-consistency."""
    left, right = innermost_intervals(low, high)
    inside = ((low[:, None] <= left[None, :]) & (right[None, :] <= high[:, None])).astype(float)
    names, member = np.unique(subjects.astype(str), return_inverse=True)
    random = np.random.default_rng(seed)
    times = random.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    weight = times[:, member].astype(float)
    weight /= weight.sum(axis=1, keepdims=True)
    mass = _masses(weight, inside)
    finite = np.isfinite(right)
    return np.concatenate([np.zeros((draws, 1)), np.cumsum(mass[:, finite], axis=1)], axis=1)


def _masses(weight: Floats, inside: Floats) -> Floats:
    """Return the masses (samples, m) of weighted samples (samples, n); what no longer moves is not moved again."""
    mass = np.full((len(weight), inside.shape[1]), 1.0 / inside.shape[1])
    moving = np.arange(len(weight))
    for _ in range(_ROUNDS // _AT_ONCE):
        now, own = mass[moving], weight[moving]
        for _ in range(_AT_ONCE):
            before = now
            now = before * ((own / np.maximum(before @ inside.T, 1e-300)) @ inside)
        mass[moving] = now
        moving = moving[np.max(np.abs(now - before), axis=1) >= _TOLERANCE]
        if not len(moving):
            break
    return mass


def _band(share: Floats, bundle: Floats, n_subjects: int) -> tuple[Floats, Floats]:
    low, high = np.percentile(np.where(bundle < _NOTHING, 0.0, bundle), CENTRAL_95_PCT, axis=0)
    none_bound = LOWER_95 ** (1 / n_subjects)
    high = np.where(share < 1e-9, np.maximum(high, 1 - none_bound), high)
    low = np.where(share > 1 - 1e-9, np.minimum(low, none_bound), low)
    low[0] = high[0] = 0.0  # all are open on day 0
    return np.minimum(low, share), np.maximum(high, share)


def _median_effect(
    arm: str,
    curves: tuple[Floats, Floats, Floats],
    n_ulcers: int,
    n_subjects: int,
    cautions: tuple[Caution, ...],
) -> Effect:
    days, share, bundle = curves
    middle = _first_half(days, share[None, :])[0] if len(days) else math.inf
    spread = _first_half(days, bundle) if len(days) else np.array([math.inf])
    low, high = np.percentile(spread, CENTRAL_95_PCT, method="inverted_cdf")
    reached = math.isfinite(middle)
    if not (reached and math.isfinite(high)):
        cautions = (*cautions, Caution.NOT_REACHED)
    ends = (middle if reached else math.nan, float(low) if math.isfinite(low) else math.nan, float(high))
    return Effect(Measure.MEDIAN_DAYS, arm, *ends, EffectMethod.BOOTSTRAP, n_ulcers, n_subjects, cautions=cautions)


def _first_half(days: Floats, curves: Floats) -> Floats:
    """Return the first day on which each curve has reached one half; infinite where it does not."""
    reached = curves >= 0.5 - 1e-6
    return np.where(reached.any(axis=1), days[np.argmax(reached, axis=1)], np.inf)
