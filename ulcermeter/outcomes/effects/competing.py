"""What an ulcer comes to, when it can come to one thing only: healing, amputation of the finger, death.

An amputated ulcer can no longer heal; to censor it (one minus Kaplan-Meier) would count it as if it healed like the
others later. The cumulative incidence of cause k by day t is Aalen & Johansen's (1978)

    F_k(t) = sum over event days u <= t of S(u-) d_k(u) / n(u)

with n(u) ulcers at risk, d_k(u) events of the kind, and S the share without any event. Its variance is the
infinitesimal jackknife, the squared influences of all ulcers summed within subjects first, as R's
survival::survfit(Surv(day, kind)) computes it; the interval is on the log(-log(1 - F)) scale with quantiles of t, n - 1
degrees of freedom for n subjects (assumption), and at F = 0 the exact binomial one of n subjects.

Healing is seen at visits only; it counts on the first day seen healed, which is late by up to a visit's distance
(`turnbull_bands` does without that).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ulcermeter.datatypes import Caution, Effect, EffectMethod, Measure
from ulcermeter.outcomes.effects.arms import few, need
from ulcermeter.statistics import LOWER_95, UPPER_95

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CAUSES", "cumulative_incidence", "incidence_by"]

CAUSES = ("healed", "amputated", "died")
"""How an ulcer's follow-up can end besides being censored."""
Floats = NDArray[np.float64]


def cumulative_incidence(
    days: Floats, causes: NDArray[np.object_], clusters: NDArray[np.object_], cause: str
) -> tuple[Floats, Floats, Floats]:
    """Estimate a cause's cumulative incidence.

    Parameters
    ----------
    days : float64 (n,)
        End of each ulcer's follow-up.
    causes : object (n,)
        Why it ended; anything else than `CAUSES` is censored. On one day events come before censoring.
    clusters : object (n,)
        Whose ulcer it is.
    cause : str

    Returns
    -------
    times, incidence, error : float64 (k,)
        Rising days on which follow-up of any ulcer ended, F there, and its standard error.
    """
    times = np.unique(days)
    at_risk = (days[:, None] >= times[None, :]).astype(float)
    ended = (days[:, None] == times[None, :]) & np.isin(causes, CAUSES)[:, None]
    own = ended & (causes == cause)[:, None]
    n = at_risk.sum(axis=0)
    hazard, of_cause = ended.sum(axis=0) / n, own.sum(axis=0) / n
    before = np.concatenate([[1.0], np.cumprod(1 - hazard)[:-1]])
    incidence = np.cumsum(before * of_cause)
    influence = _influence((ended - at_risk * hazard) / n, (own - at_risk * of_cause) / n, hazard, of_cause, before)
    names, member = np.unique(np.asarray(clusters).astype(str), return_inverse=True)
    sums = np.zeros((len(names), len(times)))
    np.add.at(sums, member, influence)
    return times, incidence, np.sqrt(np.sum(sums**2, axis=0))


def _influence(by_any: Floats, by_cause: Floats, hazard: Floats, of_cause: Floats, before: Floats) -> Floats:
    """Return dF(t) / dw (n, k) from the influences on the two hazards, along the recursion F += S h_k, S *= 1 - h."""
    n, k = by_any.shape
    out, of_survival, of_incidence = np.zeros((n, k)), np.zeros(n), np.zeros(n)
    for j in range(k):
        of_incidence = of_incidence + of_survival * of_cause[j] + before[j] * by_cause[:, j]
        of_survival = of_survival * (1 - hazard[j]) - before[j] * by_any[:, j]
        out[:, j] = of_incidence
    return out


def incidence_by(ulcers: pd.DataFrame, *, day: float, arms: list[str] | None = None) -> tuple[Effect, ...]:
    """Estimate by arm the share of ulcers healed, amputated and dead by a day, each with its interval.

    Parameters
    ----------
    ulcers : DataFrame
        One row an ulcer: subject_id, arm, end_day, end_cause (one of `CAUSES`, or empty: censored). Rows without a day
        do not take part.
    day : float
    arms : list of str, optional
        All of the table where not given.

    Returns
    -------
    tuple of Effect
        ``outcome`` is the cause. Not reached where no ulcer was followed up to that day and none had an event later.
    """
    need(ulcers, "subject_id", "arm", "end_day", "end_cause")
    names = arms if arms is not None else sorted(set(ulcers["arm"]))
    return tuple(_effect(ulcers[ulcers["arm"] == arm], arm, cause, day) for arm in names for cause in CAUSES)


def _effect(own: pd.DataFrame, arm: str, cause: str, day: float) -> Effect:
    known = own[own["end_day"].notna()]
    n = known["subject_id"].nunique()
    cautions = (*few(n), *((Caution.UNKNOWN_LEFT_OUT,) if len(known) < len(own) else ()))
    ends = (math.nan, math.nan, math.nan)
    if not len(known):
        cautions = (Caution.NOT_ESTIMABLE, *cautions)
    else:
        ends = _by_day(known, cause, day, n)
        cautions = (*cautions, *((Caution.NOT_REACHED,) if known["end_day"].max() < day else ()))
    method = EffectMethod.AALEN_JOHANSEN
    return Effect(Measure.CUMULATIVE_INCIDENCE, arm, *ends, method, len(known), n, cautions=cautions, outcome=cause)


def _by_day(known: pd.DataFrame, cause: str, day: float, n_subjects: int) -> tuple[float, float, float]:
    days = known["end_day"].to_numpy(dtype=float)
    kinds, subjects = (known[name].to_numpy(dtype=object) for name in ("end_cause", "subject_id"))
    times, incidence, error = cumulative_incidence(days, kinds, subjects, cause)
    last = int(np.searchsorted(times, day, side="right")) - 1
    return (
        _interval(float(incidence[last]), float(error[last]), n_subjects) if last >= 0 else _interval(0, 0, n_subjects)
    )


def _interval(share: float, error: float, n_subjects: int) -> tuple[float, float, float]:
    none_bound = LOWER_95 ** (1 / n_subjects)
    if share <= 1e-12:
        return 0.0, 0.0, 1 - none_bound
    if share >= 1 - 1e-12:
        return 1.0, none_bound, 1.0
    if n_subjects < 2 or error <= 0:
        return share, 0.0, 1.0
    reach = float(stats.t.ppf(UPPER_95, n_subjects - 1)) * error / ((1 - share) * -math.log1p(-share))
    low, high = (-math.expm1(math.log1p(-share) * math.exp(side * reach)) for side in (-1, 1))
    return share, low, high
