"""New ulcers per subject and month: each arm's rate and the ratio of two, with intervals that subjects may stretch.

Subject i has y_i new ulcers in m_i months of follow-up; r = sum y / sum m. Patients differ, so counts vary more than
Poisson's: the dispersion is Pearson's phi = sum_i (y_i - mu_i)^2 / mu_i / (n - p) with mu_i = r m_i.

phi <= 1 (or no ulcer at all): exact Poisson interval of a rate (Garwood 1936), the conditional binomial one of a ratio
(Clopper-Pearson on y1 of y1 + y2), as R's poisson.test. phi > 1: log r +- t_{n-p} sqrt(phi / sum y), as R's
glm(family = quasipoisson) gives estimate and error (McCullagh & Nelder 1989, 4.5 and 6.2). A ratio takes the phi of
both arms together. Exact where an arm has no ulcer, and marked, for phi is then not to be had on the log scale.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ulcermeter.datatypes import Caution, Effect, EffectMethod, Measure
from ulcermeter.outcomes.effects.arms import arms_of, few, need
from ulcermeter.statistics import LOWER_95, UPPER_95

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DAYS_PER_MONTH", "compare_rates"]

DAYS_PER_MONTH = 365.25 / 12
"""Mean length of a month, days: rates are per subject-month."""
_NAN = math.nan
Floats = NDArray[np.float64]
Ends = tuple[float, float, float]


@dataclass(frozen=True)
class _Counts:
    """An arm's subjects: new ulcers and months of each; `left_out` where some are not known."""

    events: Floats
    months: Floats
    n_ulcers: int
    left_out: tuple[Caution, ...]

    @property
    def rate(self) -> float:
        return float(self.events.sum() / self.months.sum()) if self.months.sum() > 0 else _NAN

    def pearson(self) -> float:
        expected = self.rate * self.months
        return float(np.sum((self.events - expected) ** 2 / expected)) if self.rate > 0 else 0.0


def compare_rates(subjects: pd.DataFrame, *, reference_arm: str = "") -> tuple[Effect, ...]:
    """Estimate each arm's rate of new ulcers per subject-month, and ratios against the reference arm.

    Parameters
    ----------
    subjects : DataFrame
        One row a subject: subject_id, arm, n_new (ulcers new after day 0), months (of follow-up). Rows where either is
        not known, or without follow-up, do not take part.
    reference_arm : str
        The last by name where none is given.

    Returns
    -------
    tuple of Effect
        Rates by arm, then ratios; ``n_ulcers`` counts the new ulcers. Not estimable where neither arm has any.
    """
    need(subjects, "subject_id", "arm", "n_new", "months")
    reference, others = arms_of(subjects, reference_arm)
    counts = {arm: _counts(subjects[subjects["arm"] == arm]) for arm in (*others, reference) if arm}
    effects = [_rate(arm, own) for arm, own in counts.items()]
    return (*effects, *(_ratio(arm, reference, counts[arm], counts[reference]) for arm in others))


def _counts(subjects: pd.DataFrame) -> _Counts:
    known = subjects[subjects["n_new"].notna() & (subjects["months"] > 0)]
    events, months = known["n_new"].to_numpy(dtype=float), known["months"].to_numpy(dtype=float)
    left_out = (Caution.UNKNOWN_LEFT_OUT,) if len(known) < len(subjects) else ()
    return _Counts(events, months, int(events.sum()), left_out)


def _rate(arm: str, own: _Counts) -> Effect:
    n, total, months = len(own.events), own.n_ulcers, float(own.months.sum())
    if not n:
        return _effect(Measure.RATE, arm, "", ((_NAN, _NAN, _NAN), EffectMethod.POISSON), (own,), Caution.NOT_ESTIMABLE)
    phi = own.pearson() / (n - 1) if n > 1 else 0.0
    if phi > 1:
        ends = _around(math.log(own.rate), math.sqrt(phi / total), n - 1)
        return _effect(Measure.RATE, arm, "", (ends, EffectMethod.QUASI_POISSON), (own,))
    low = float(stats.chi2.ppf(LOWER_95, 2 * total)) / 2 / months if total else 0.0
    high = float(stats.chi2.ppf(UPPER_95, 2 * total + 2)) / 2 / months
    return _effect(Measure.RATE, arm, "", ((own.rate, low, high), EffectMethod.POISSON), (own,))


def _around(middle: float, error: float, free: int) -> Ends:
    reach = float(stats.t.ppf(UPPER_95, free)) * error
    return math.exp(middle), math.exp(middle - reach), math.exp(middle + reach)


def _ratio(arm: str, reference: str, a: _Counts, b: _Counts) -> Effect:
    free = len(a.events) + len(b.events) - 2
    if not (len(a.events) and len(b.events)) or a.n_ulcers + b.n_ulcers == 0:
        nothing = (_NAN, _NAN, _NAN)
        return _effect(
            Measure.RATE_RATIO, arm, reference, (nothing, EffectMethod.POISSON), (a, b), Caution.NOT_ESTIMABLE
        )
    phi = (a.pearson() + b.pearson()) / free if free > 0 else 0.0
    if phi > 1 and a.n_ulcers and b.n_ulcers:
        error = math.sqrt(phi * (1 / a.n_ulcers + 1 / b.n_ulcers))
        ends = _around(math.log(a.rate / b.rate), error, free)
        return _effect(Measure.RATE_RATIO, arm, reference, (ends, EffectMethod.QUASI_POISSON), (a, b))
    ends = _exact_ratio(a, b)
    empty_arm = (Caution.NO_VARIATION,) if not (a.n_ulcers and b.n_ulcers) else ()
    return _effect(Measure.RATE_RATIO, arm, reference, (ends, EffectMethod.POISSON), (a, b), *empty_arm)


def _exact_ratio(a: _Counts, b: _Counts) -> Ends:
    """Given y1 + y2, y1 is binomial with odds of ratio x m1 / m2."""
    y, z = a.n_ulcers, b.n_ulcers
    time = float(b.months.sum() / a.months.sum())
    low = float(stats.beta.ppf(LOWER_95, y, z + 1)) if y else 0.0
    high = float(stats.beta.ppf(UPPER_95, y + 1, z)) if z else 1.0
    estimate = y / z * time if z else math.inf
    return estimate, low / (1 - low) * time, high / (1 - high) * time if high < 1 else math.inf


def _effect(
    measure: Measure,
    arm: str,
    reference: str,
    found: tuple[Ends, EffectMethod],
    counts: tuple[_Counts, ...],
    *cautions: Caution,
) -> Effect:
    ends, method = found
    smallest = min(len(own.events) for own in counts)
    left_out = tuple(caution for own in counts for caution in own.left_out)
    stated = tuple(dict.fromkeys((*cautions, *few(smallest), *left_out)))
    n_ulcers, n_subjects = sum(own.n_ulcers for own in counts), sum(len(own.events) for own in counts)
    return Effect(measure, arm, *ends, method, n_ulcers, n_subjects, reference, cautions=stated)
