"""How fast ulcers shrink: area against time in a mixed model that knows each measurement's own error.

    area_ijk = a_arm + b_arm t + (A_i + B_i t) + (C_ij + D_ij t) + e_ijk,    e_ijk ~ N(0, sigma^2 + s_ijk^2)

with subject i, ulcer j, t in weeks since day 0, (A, B) and (C, D) normal with unstructured 2 x 2 covariances, and s_ijk
the known standard deviation of that area, a quarter of its 95 % interval's width (divided by 3.92); sigma^2 is what the
instrument does not know of. b_arm is the slope, mm2 per week; negative is healing.

The likelihood is Gaussian, restricted (REML) or not (ML), over subjects' blocks; the covariances are L L' with lower
triangular L whose diagonal is 0 or more, so that a singular fit is reached and told rather than missed (as in lme4,
Bates et al. 2015, doi 10.18637/jss.v067.i01). L-BFGS-B with exact derivatives, from a second start too where the
first ended at a bound. Without known errors the
estimates are those of R's nlme::lme and lme4::lmer, with them those of metafor::rma.mv.

Intervals take t with n - p degrees of freedom, n subjects and p arms: a slope varies between subjects, so their number
counts, not that of photos (assumption; narrower than Kenward & Roger's where subjects are few and uneven).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize, stats

from ulcermeter.datatypes import Caution, Effect, EffectMethod, Measure
from ulcermeter.outcomes.effects.arms import arms_of, few, need
from ulcermeter.statistics import UPPER_95, Z_95_AS_PRINTED

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SlopeFit", "compare_slopes", "fit_slopes"]

Floats = NDArray[np.float64]
_SINGULAR = 1e-4
"""Standard deviation, over the areas' own spread, below which a level has none of its own (assumption)."""
_DIAGONAL = (0, 2)
"""Places of the two standard deviations among a level's three numbers, its lower triangle."""
_FAR = 1e12
"""Loss of what cannot be computed: far above any that can."""
_STARTS = (((0.5, 0.0, 0.3), 0.4), ((0.9, 0.1, 0.05), 0.15))
"""Where the search begins, over the areas' own spread: each level's lower triangle, then the error; any will do."""
_SEARCH: Any = {"maxiter": 500, "ftol": 1e-14, "gtol": 1e-8}
"""Ends of the search: as near as double precision gets."""
_LEVEL_GRADIENT = 1e-3
"""Largest gradient of a minimum, over the loss: beyond it the search stopped on a slope (assumption)."""
_SPARE_AREAS = 7
"""Areas beyond the two of each arm's line: as many as the variances there are, two levels of three and the error."""
_SIGMA_MIN = 1e-4
"""Of the areas' standard deviation, where no error is known: keeps the variance invertible."""


@dataclass(frozen=True)
class SlopeFit:
    """A fitted model.

    Attributes
    ----------
    coefficients : float64 (2 p,)
        Intercept (mm2) and slope (mm2 per week) of each arm, in the order of the design's columns.
    covariance : float64 (2 p, 2 p)
    of_subjects, of_ulcers : float64 (2, 2)
        Covariances of intercept and slope.
    residual_variance : float
        sigma^2, mm4, beside the known errors.
    log_likelihood : float
        Restricted where REML was used.
    cautions : tuple of Caution
        Not converged, singular, or without the ulcers' own effects.
    """

    coefficients: Floats
    covariance: Floats
    of_subjects: Floats
    of_ulcers: Floats
    residual_variance: float
    log_likelihood: float
    cautions: tuple[Caution, ...]


@dataclass(frozen=True)
class _Block:
    """A subject's rows: area y, fixed design x, (1, t) as z, ulcers' membership g (m, m), known variances."""

    y: Floats
    x: Floats
    z: Floats
    g: Floats
    known: Floats

    def parts(self, per_ulcer: bool) -> list[tuple[Floats, bool]]:
        """Return what the variances multiply: for each, whether ulcers have their own."""
        same = np.ones_like(self.g)
        return [(same, False), (self.g, True)] if per_ulcer else [(same, False)]


def fit_slopes(
    area: Floats,
    weeks: Floats,
    x: Floats,
    subjects: NDArray[np.object_],
    ulcers: NDArray[np.object_],
    *,
    known_sd: Floats | None = None,
    reml: bool = True,
) -> SlopeFit:
    """Fit the mixed model.

    Parameters
    ----------
    area : float64 (n,)
        mm2.
    weeks : float64 (n,)
    x : float64 (n, q)
        The fixed part, any full-rank design.
    subjects, ulcers : object (n,)
        Whose row it is; an ulcer's name need only be its own within the subject.
    known_sd : float64 (n,), optional
        Each area's own standard deviation, mm2; none when not given.
    reml : bool

    Returns
    -------
    SlopeFit
        Where every subject has one ulcer, the ulcers' effects are the subjects' own and are left out.
    """
    scale = float(np.std(area)) or 1.0
    per_week = float(np.std(weeks)) or 1.0
    errors = np.zeros(len(area)) if known_sd is None else np.nan_to_num(np.asarray(known_sd, dtype=float))
    blocks = _blocks(area / scale, weeks / per_week, x, (subjects, ulcers), errors / scale)
    per_ulcer = any(not block.g.all() for block in blocks)
    theta, converged = _minimise(blocks, per_ulcer, reml)
    value, _, coefficients, covariance = _objective(theta, blocks, per_ulcer, reml)
    back = np.diag([scale, scale / per_week])
    found = [back @ _square(theta[3 * i : 3 * i + 3]) @ back for i in range(2 if per_ulcer else 1)]
    cautions = _cautions(theta, found, converged, per_ulcer)
    n_free = len(area) - (x.shape[1] if reml else 0)
    return SlopeFit(
        coefficients * scale,
        covariance * scale**2,
        found[0],
        found[1] if per_ulcer else np.zeros((2, 2)),
        float(theta[-1] * scale) ** 2,
        -value - n_free * math.log(scale),
        cautions,
    )


def _blocks(
    y: Floats, t: Floats, x: Floats, whose: tuple[NDArray[np.object_], NDArray[np.object_]], sd: Floats
) -> list[_Block]:
    subjects, ulcers = whose
    blocks = []
    for subject in sorted(set(subjects.tolist())):
        own = subjects == subject
        names = ulcers[own]
        z = np.column_stack([np.ones(int(own.sum())), t[own]])
        blocks.append(_Block(y[own], x[own], z, (names[:, None] == names[None, :]).astype(float), sd[own] ** 2))
    return blocks


def _lower(theta: Floats) -> Floats:
    return np.array([[theta[0], 0.0], [theta[1], theta[2]]])


def _square(theta: Floats) -> Floats:
    return _lower(theta) @ _lower(theta).T


def _minimise(blocks: Sequence[_Block], per_ulcer: bool, reml: bool) -> tuple[Floats, bool]:
    levels = 2 if per_ulcer else 1
    bounds: list[tuple[float | None, float | None]] = [(0.0, None), (None, None), (0.0, None)] * levels
    bounds += [(0.0 if _errors_known(blocks) else _SIGMA_MIN, None)]
    starts = [np.array([*spread * levels, error]) for spread, error in _STARTS]

    def loss(theta: Floats) -> tuple[float, Floats]:
        try:
            return _objective(theta, blocks, per_ulcer, reml)[:2]
        except np.linalg.LinAlgError:  # a step so long that a variance swamps the rest: turn back
            return _FAR, np.zeros(len(theta))

    best = None
    for start in starts:
        # A second start only where the first ended at a bound, or nowhere.
        if best is None or not _is_inside(best[0], levels) or not best[2]:
            found = optimize.minimize(
                loss, np.ravel(start), jac=True, method="L-BFGS-B", bounds=bounds, options=_SEARCH
            )
            theta, value = np.asarray(found.x, dtype=np.float64), float(found.fun)
            if best is None or value < best[1]:
                best = theta, value, _is_minimum(theta, value, np.asarray(loss(theta)[1]), bounds)
    assert best is not None, "there are two starts"
    return best[0], best[2]


def _is_inside(theta: Floats, levels: int) -> bool:
    return all(theta[3 * i + k] >= _SINGULAR for i in range(levels) for k in _DIAGONAL)


def _is_minimum(theta: Floats, value: float, gradient: Floats, bounds: Sequence[tuple[float | None, Any]]) -> bool:
    """Say whether nothing falls from there, but for what a bound forbids."""
    at_bound = np.array([low is not None and one <= low for one, (low, _) in zip(theta, bounds, strict=True)])
    free = np.where(at_bound, np.minimum(gradient, 0.0), gradient)
    return bool(value < _FAR and np.max(np.abs(free)) < _LEVEL_GRADIENT * max(1.0, abs(value)))


def _errors_known(blocks: Sequence[_Block]) -> bool:
    return all(bool((block.known > 0).all()) for block in blocks)


def _objective(
    theta: Floats, blocks: Sequence[_Block], per_ulcer: bool, reml: bool
) -> tuple[float, Floats, Floats, Floats]:
    """Return minus the (restricted) log likelihood, its gradient, and the coefficients with their covariance.

    With P = V^-1 - V^-1 X (X'V^-1 X)^-1 X'V^-1, dl/dtheta = (y'P dV P y - tr(Q dV)) / 2, Q = P (REML) or V^-1 (ML).
    """
    q = blocks[0].x.shape[1]
    inverses, log_det, information, score = [], 0.0, np.zeros((q, q)), np.zeros(q)
    for block in blocks:
        factor = linalg.cho_factor(_variance(theta, block, per_ulcer), lower=True, check_finite=False)
        inverse = linalg.cho_solve(factor, np.eye(len(block.y)), check_finite=False)
        inverses.append(inverse)
        log_det += 2 * float(np.log(np.diag(factor[0])).sum())
        information = information + block.x.T @ inverse @ block.x
        score = score + block.x.T @ inverse @ block.y
    covariance = np.asarray(np.linalg.inv(information), dtype=np.float64)
    coefficients = covariance @ score
    fit, gradient, n = 0.0, np.zeros(len(theta)), 0
    for block, inverse in zip(blocks, inverses, strict=True):
        pulled = inverse @ (block.y - block.x @ coefficients)
        fit += float((block.y - block.x @ coefficients) @ pulled)
        weight = inverse
        if reml:
            side = inverse @ block.x
            weight = inverse - side @ covariance @ side.T
        gradient += _gradient(theta, block, per_ulcer, weight - np.outer(pulled, pulled))
        n += len(block.y)
    free = n - (q if reml else 0)
    determinant = float(np.linalg.slogdet(information)[1]) if reml else 0.0
    return 0.5 * (log_det + fit + determinant + free * math.log(2 * math.pi)), gradient, coefficients, covariance


def _variance(theta: Floats, block: _Block, per_ulcer: bool) -> Floats:
    variance = np.diag(block.known + theta[-1] ** 2)
    for i, (shared, _) in enumerate(block.parts(per_ulcer)):
        variance = variance + shared * (block.z @ _square(theta[3 * i : 3 * i + 3]) @ block.z.T)
    return variance


def _gradient(theta: Floats, block: _Block, per_ulcer: bool, weight: Floats) -> Floats:
    """Half the trace of `weight` times the variance's derivative, by each parameter."""
    out = np.zeros(len(theta))
    out[-1] = theta[-1] * float(np.trace(weight))
    for i, (shared, _) in enumerate(block.parts(per_ulcer)):
        inner = block.z.T @ (weight * shared) @ block.z
        by_lower = inner @ _lower(theta[3 * i : 3 * i + 3])
        out[3 * i : 3 * i + 3] = by_lower[0, 0], by_lower[1, 0], by_lower[1, 1]
    return out


def _cautions(theta: Floats, found: list[Floats], converged: bool, per_ulcer: bool) -> tuple[Caution, ...]:
    singular = not _is_inside(theta, len(found))
    by_fit = ((not converged, Caution.NOT_CONVERGED), (singular, Caution.SINGULAR))
    return tuple(c for is_so, c in (*by_fit, (not per_ulcer, Caution.ONE_ULCER_A_SUBJECT)) if is_so)


def compare_slopes(areas: pd.DataFrame, *, reference_arm: str = "", reml: bool = True) -> tuple[Effect, ...]:
    """Estimate each arm's slope of area, mm2 per week, and the differences against the reference arm.

    Parameters
    ----------
    areas : DataFrame
        One row an ulcer at a visit: subject_id, ulcer_id, arm, day, area_mm2, area_low_mm2, area_high_mm2 (a 95 %
        interval; where it is empty the error is not known and counts into sigma). Rows without day or area do not
        take part.
    reference_arm : str
        The last by name where none is given.
    reml : bool

    Returns
    -------
    tuple of Effect
        Slopes by arm, then differences; numbers, and degrees of freedom, are of ulcers measured on two days at least.
        Not estimable where an arm has fewer than two subjects with such ulcers.
    """
    need(areas, "subject_id", "ulcer_id", "arm", "day", "area_mm2", "area_low_mm2", "area_high_mm2")
    reference, others = arms_of(areas, reference_arm)
    arms = [*others, *([reference] if reference else [])]
    known = areas[areas["day"].notna() & areas["area_mm2"].notna()]
    moving = _measured_twice(known)
    n_subjects = moving.groupby("arm")["subject_id"].nunique()
    fitted = [arm for arm in arms if n_subjects.get(arm, 0) >= 2]
    used = known[known["arm"].isin(fitted)]
    fit = _fit(used, fitted, reml) if fitted and len(used) >= 2 * len(fitted) + _SPARE_AREAS else None
    moving = moving[moving["arm"].isin(fitted)] if fit is not None else moving
    return tuple(_effects(arms, fitted, reference, moving, fit))


def _fit(known: pd.DataFrame, arms: list[str], reml: bool) -> SlopeFit:
    weeks = known["day"].to_numpy(dtype=float) / 7.0
    member = np.column_stack([(known["arm"] == arm).to_numpy(dtype=float) for arm in arms])
    x = np.column_stack([member, member * weeks[:, None]])
    width = (known["area_high_mm2"] - known["area_low_mm2"]).to_numpy(dtype=float)
    return fit_slopes(
        known["area_mm2"].to_numpy(dtype=float), weeks, x, known["subject_id"].to_numpy(dtype=object),
        known["ulcer_id"].to_numpy(dtype=object), known_sd=width / (2 * Z_95_AS_PRINTED), reml=reml,
    )  # fmt: skip


def _measured_twice(areas: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of ulcers measured on two days at least: others tell of no slope, though they take part."""
    return areas[areas.groupby("ulcer_id")["day"].transform("nunique") >= 2]


def _effects(
    arms: list[str], fitted: list[str], reference: str, moving: pd.DataFrame, fit: SlopeFit | None
) -> list[Effect]:
    p = len(fitted)
    free = moving["subject_id"].nunique() - p
    at = {arm: p + i for i, arm in enumerate(fitted)} if fit is not None else {}
    out = []
    for arm in arms:
        weights = {at[arm]: 1.0} if arm in at else {}
        out.append(_effect(Measure.SLOPE, (arm, ""), weights, moving[moving["arm"] == arm], free, fit=fit))
    for arm in (one for one in arms if one != reference):
        own = moving[moving["arm"].isin([arm, reference])]
        weights = {at[arm]: 1.0, at[reference]: -1.0} if arm in at and reference in at else {}
        out.append(_effect(Measure.SLOPE_DIFFERENCE, (arm, reference), weights, own, free, fit=fit))
    return out


def _effect(
    measure: Measure,
    arms: tuple[str, str],
    weights: dict[int, float],
    own: pd.DataFrame,
    free: int,
    *,
    fit: SlopeFit | None,
) -> Effect:
    arm, reference = arms
    n_ulcers, n_subjects = own["ulcer_id"].nunique(), own["subject_id"].nunique()
    counts = (EffectMethod.MIXED_MODEL, n_ulcers, n_subjects, reference)
    if fit is None or not weights:
        return Effect(measure, arm, math.nan, math.nan, math.nan, *counts, cautions=(Caution.NOT_ESTIMABLE,))
    row = np.zeros(len(fit.coefficients))
    row[list(weights)] = list(weights.values())
    estimate, error = float(row @ fit.coefficients), math.sqrt(max(0.0, float(row @ fit.covariance @ row)))
    reach = float(stats.t.ppf(UPPER_95, free)) * error
    p_value = float(2 * stats.t.sf(abs(estimate) / error, free)) if error > 0 else math.nan
    smallest = int(own.groupby("arm")["subject_id"].nunique().min())
    cautions = tuple(dict.fromkeys((*few(smallest), *fit.cautions)))
    return Effect(measure, arm, estimate, estimate - reach, estimate + reach, *counts, p_value, cautions)
