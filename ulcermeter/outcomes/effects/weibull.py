"""Time to healing, interval-censored, as a Weibull proportional-hazards model with errors that know the subjects.

    S(t | x) = exp(-(t / e^(mu + x'g))^(1 / s)),    hazard ratio = exp(-g / s)

The contribution of an ulcer that healed in (L, R] is log(S(L) - S(R)), with S(0) = 1 and S(infinity) = 0. Maximum
likelihood of (mu, g, log s) by BFGS with the exact gradient, started at the exponential model, then Newton steps.
Errors are the sandwich H^-1 (sum_i U_i U_i') H^-1 with the score U_i summed over a subject's ulcers (Lin & Wei 1989),
as R's survival::survreg(..., robust = TRUE, cluster = subject) gives them. As a sandwich from few subjects n is too
narrow, the interval takes n / (n - k) times that variance and quantiles of t with n - k degrees of freedom, k being the
number of coefficients (assumption after Fay & Graubard 2001, Biometrics 57:1198, in its simplest form).

Strata enter as further columns of x: they move the time scale and share the shape.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from ulcermeter.datatypes import Caution, Effect, EffectMethod, Measure
from ulcermeter.outcomes.effects.arms import arms_of, few, need, timed
from ulcermeter.statistics import UPPER_95

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["WeibullFit", "compare_hazards", "fit_weibull"]

Floats = NDArray[np.float64]
Loss = Callable[[Floats], tuple[float, Floats]]
_GRADIENT = 1e-5
"""Largest score an ulcer at a maximum: beyond it the search has not converged (assumption)."""
_SEARCH_GRADIENT, _SEARCH_ROUNDS = 1e-9, 500
"""Ends of the search, before Newton polishes what it found."""
_NEWTON_ROUNDS, _NEWTON_REACH, _NEWTON_DONE = 5, 0.5, 1e-10
"""Newton's steps at most; one so long (log scale) leaves the minimum's neighbourhood, one so short changes nothing."""
_STEP = 1e-5
"""Of central differences of the gradient: the cube root of double precision, which errs least."""
_DEFINITE = 1e-8
"""Least eigenvalue over the largest: below it a direction is undetermined, the root of double precision."""
_LOG_SHAPE = 20.0
"""Reach of ln(scale of log time): e^20 is beyond any data, and exp() of it still a number."""
_LARGEST_EXPONENT, _LEAST_POSITIVE = 700.0, 1e-300
"""Of double precision: exp(709) overflows, and ln(0) is not a number."""


@dataclass(frozen=True)
class WeibullFit:
    """A fitted model.

    Attributes
    ----------
    coefficients : float64 (k,)
        mu, then g, of log time (positive = later), then log s.
    naive, robust : float64 (k, k)
        Covariances: of the likelihood, and clustered by subject, without correction for few subjects.
    log_likelihood : float
    converged : bool
    n_clusters : int
    """

    coefficients: Floats
    naive: Floats
    robust: Floats
    log_likelihood: float
    converged: bool
    n_clusters: int

    def log_hazard_ratio(self, column: int) -> tuple[float, float]:
        """Return -g / s of a column of x (from 0) and its robust standard error by the delta method."""
        g, s = self.coefficients[1 + column], math.exp(self.coefficients[-1])
        slope = np.zeros(len(self.coefficients))
        slope[1 + column], slope[-1] = -1 / s, g / s
        return float(-g / s), math.sqrt(max(0.0, float(slope @ self.robust @ slope)))


def fit_weibull(low: Floats, high: Floats, x: Floats, clusters: NDArray[np.object_]) -> WeibullFit:
    """Fit the model.

    Parameters
    ----------
    low, high : float64 (n,)
        The event lies in (low, high], days; low may be 0, high infinite.
    x : float64 (n, p)
        Columns without an intercept; p may be 0.
    clusters : object (n,)
        Whose ulcer it is.

    Returns
    -------
    WeibullFit
    """
    design = np.column_stack([np.ones(len(low)), x])
    unit = float(np.mean(np.where(np.isfinite(high), high, low)[low + 1 > 0])) or 1.0
    start = np.zeros(design.shape[1] + 1)
    scaled = (low / unit, high / unit)

    def loss(theta: Floats) -> tuple[float, Floats]:
        value, scores = _likelihood(theta, *scaled, design)
        return -float(value.sum()), -scores.sum(axis=0)

    found = optimize.minimize(
        loss, np.ravel(start), jac=True, method="BFGS", options={"gtol": _SEARCH_GRADIENT, "maxiter": _SEARCH_ROUNDS}
    )
    theta, hessian = _newton(np.asarray(found.x, dtype=np.float64), loss)
    value, scores = _likelihood(theta, *scaled, design)
    converged = bool(np.max(np.abs(scores.sum(axis=0))) < _GRADIENT * len(low)) and _is_definite(hessian)
    naive = np.asarray(np.linalg.pinv(hessian), dtype=np.float64)
    names, member = np.unique(np.asarray(clusters).astype(str), return_inverse=True)
    sums = np.zeros((len(names), len(theta)))
    np.add.at(sums, member, scores)
    robust = naive @ (sums.T @ sums) @ naive
    theta = theta + np.eye(len(theta))[0] * math.log(unit)
    return WeibullFit(theta, naive, robust, float(value.sum()), converged, len(names))


def _newton(theta: Floats, loss: Loss, rounds: int = _NEWTON_ROUNDS) -> tuple[Floats, Floats]:
    """Polish a minimum; return it and the Hessian there, by central differences of the exact gradient."""
    hessian = _hessian(theta, loss)
    for _ in range(rounds):
        if not _is_definite(hessian):
            break
        step = np.asarray(np.linalg.solve(hessian, loss(theta)[1]), dtype=np.float64)
        if np.max(np.abs(step)) > _NEWTON_REACH:
            break
        theta = theta - step
        hessian = _hessian(theta, loss)
        if np.max(np.abs(step)) < _NEWTON_DONE:
            break
    return theta, hessian


def _hessian(theta: Floats, loss: Loss) -> Floats:
    h = _STEP
    rows = [(loss(theta + h * e)[1] - loss(theta - h * e)[1]) / (2 * h) for e in np.eye(len(theta))]
    return (np.array(rows) + np.array(rows).T) / 2


def _is_definite(matrix: Floats) -> bool:
    values = np.linalg.eigvalsh(matrix) if np.isfinite(matrix).all() else np.array([-1.0])
    return bool(values[0] > _DEFINITE * max(1.0, values[-1]))


def _likelihood(theta: Floats, low: Floats, high: Floats, design: Floats) -> tuple[Floats, Floats]:
    """Return each ulcer's log likelihood (n,) and score (n, k).

    With H(t) = exp((log t - eta) / s), the cumulative hazard, it is -H(L) + log(1 - exp(-(H(R) - H(L)))).
    """
    eta, s = design @ theta[:-1], math.exp(float(np.clip(theta[-1], -_LOG_SHAPE, _LOG_SHAPE)))
    at_low, at_high = _cumulative(low, eta, s), _cumulative(high, eta, s)
    gap = np.where(np.isfinite(at_high[0]), at_high[0] - at_low[0], np.inf)
    value = -at_low[0] + np.log(np.maximum(-np.expm1(-gap), _LEAST_POSITIVE))
    with np.errstate(over="ignore"):
        fall = np.maximum(np.expm1(np.minimum(gap, _LARGEST_EXPONENT)), _LEAST_POSITIVE)
        pull = np.where(np.isfinite(gap), 1.0 / fall, 0.0)
    by_eta = -at_low[1] + pull * (at_high[1] - at_low[1])
    by_log_s = -at_low[2] + pull * (at_high[2] - at_low[2])
    return value, np.column_stack([by_eta[:, None] * design, by_log_s])


def _cumulative(t: Floats, eta: Floats, s: float) -> tuple[Floats, Floats, Floats]:
    """Return H, its derivative by eta (-H / s) and by log s (-H log H); both are 0 at the ends of time."""
    inner = (t > 0) & np.isfinite(t)
    z = np.where(inner, (np.log(np.where(inner, t, 1.0)) - eta) / s, 0.0)
    hazard = np.where(inner, np.exp(np.minimum(z, _LARGEST_EXPONENT)), 0.0)
    return np.where(np.isinf(t), np.inf, hazard), -hazard / s, -z * hazard


def compare_hazards(ulcers: pd.DataFrame, *, reference_arm: str = "", stratum: str = "") -> tuple[Effect, ...]:
    """Estimate the hazard ratio of healing of every arm against the reference arm; over 1 heals sooner.

    Parameters
    ----------
    ulcers : DataFrame
        One row an ulcer: subject_id, arm, healing_day_low, healing_day_high (empty = not seen healed). Rows without a
        low day, or never seen after day 0, do not take part; an ulcer last seen open before day 0 was open on day 0.
    reference_arm : str
        The last by name where none is given.
    stratum : str
        A column to adjust for; empty for none.

    Returns
    -------
    tuple of Effect
        With a two-sided Wald p-value. Not estimable where an arm saw no healing at all, or has one subject.
    """
    need(ulcers, "subject_id", "arm", "healing_day_low", "healing_day_high", *([stratum] if stratum else []))
    reference, others = arms_of(ulcers, reference_arm)
    known, left_out = timed(ulcers)
    several = known.groupby("arm")["subject_id"].nunique() >= 2
    healed = {arm for arm in known.loc[known["healing_day_high"].notna(), "arm"] if several[arm]}
    arms = [arm for arm in others if arm in healed]
    if reference not in healed or not arms:
        return tuple(_not_estimable(arm, reference, known, left_out) for arm in others)
    used = known[known["arm"].isin([*arms, reference])]
    low = used["healing_day_low"].to_numpy(dtype=float)
    high = used["healing_day_high"].fillna(np.inf).to_numpy(dtype=float)
    x = np.column_stack([*(used["arm"] == arm for arm in arms), *_strata(used, stratum)]).astype(float)
    fit = fit_weibull(low, high, x, used["subject_id"].to_numpy(dtype=object))
    found = {arm: _effect(fit, i, (arm, reference), used, left_out) for i, arm in enumerate(arms)}
    return tuple(found.get(arm) or _not_estimable(arm, reference, known, left_out) for arm in others)


def _strata(ulcers: pd.DataFrame, stratum: str) -> list[NDArray[np.bool_]]:
    names = sorted(set(ulcers[stratum]))[1:] if stratum else []
    return [(ulcers[stratum] == name).to_numpy(dtype=bool) for name in names]


def _effect(
    fit: WeibullFit, column: int, arms: tuple[str, str], used: pd.DataFrame, left_out: tuple[Caution, ...]
) -> Effect:
    arm, reference = arms
    own = used[used["arm"].isin(arms)]
    n_subjects = own.groupby("arm")["subject_id"].nunique()
    cautions = (*few(int(n_subjects.min())), *left_out)
    n, k = fit.n_clusters, len(fit.coefficients)
    log_ratio, error = fit.log_hazard_ratio(column)
    if not fit.converged or n <= k:
        return _not_estimable(arm, reference, own, (*cautions, Caution.NOT_CONVERGED))
    error *= math.sqrt(n / (n - k))
    reach = float(stats.t.ppf(UPPER_95, n - k)) * error
    p_value = float(2 * stats.t.sf(abs(log_ratio) / error, n - k)) if error > 0 else math.nan
    ends = (math.exp(log_ratio), math.exp(log_ratio - reach), math.exp(log_ratio + reach))
    return Effect(
        Measure.HAZARD_RATIO, arm, *ends, EffectMethod.WEIBULL, len(own), int(n_subjects.sum()), reference,
        p_value, cautions,
    )  # fmt: skip


def _not_estimable(arm: str, reference: str, ulcers: pd.DataFrame, cautions: tuple[Caution, ...]) -> Effect:
    own = ulcers[ulcers["arm"].isin([arm, reference])]
    nothing = (math.nan, math.nan, math.nan)
    stated = tuple(dict.fromkeys((Caution.NOT_ESTIMABLE, *cautions)))
    n_subjects = own["subject_id"].nunique()
    return Effect(
        Measure.HAZARD_RATIO,
        arm,
        *nothing,
        EffectMethod.WEIBULL,
        len(own),
        n_subjects,
        reference,
        cautions=stated,
    )
