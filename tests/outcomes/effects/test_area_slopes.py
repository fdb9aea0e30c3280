"""Slopes of area against R: nlme 3.1-162, lme4 1.1-31, and metafor 3.8-1 where errors are known (R 4.2.2)."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal

from ulcermeter.datatypes import Caution, Measure
from ulcermeter.outcomes.effects import compare_slopes, fit_slopes

# Drawn in R once: subject, ulcer, week, known standard deviation, area. Subjects 1-4 are arm A.
ROWS = """1,1,0,1.1,18.7 1,1,2,0.39,16.6 1,1,4,0.34,14.1 1,1,8,0.73,12.7 1,1,12,1.09,6.5 1,2,0,1.1,17.1 1,2,4,1.18,13.3
1,2,8,1.04,9.6 1,2,12,0.44,4.9 1,3,0,0.38,17.9 1,3,2,0.51,15.8 1,3,4,0.97,14.5 1,3,8,1.08,7.9 1,3,12,0.53,5.9
2,1,0,0.4,12.3 2,1,2,1.06,9.6 2,1,4,1.11,10.4 2,1,12,1.09,2.8 2,2,0,1.08,10.9 2,2,2,0.3,10.1 2,2,4,0.89,7.6
2,2,8,0.75,4.1 2,2,12,0.7,-1.6 3,1,0,0.77,21.7 3,1,2,0.59,18.9 3,1,4,0.36,17.4 3,1,8,0.38,14.6 3,1,12,0.45,12.3
3,2,0,0.74,19.9 3,2,2,1.03,18.6 3,2,8,0.83,15.7 3,2,12,1.18,9.9 3,3,0,1.03,18.4 3,3,2,0.78,18.4 3,3,4,0.41,15.1
3,3,8,0.78,13.4 3,3,12,1.2,7.3 4,1,0,0.82,8.2 4,1,2,0.99,5.7 4,1,4,0.54,2.9 4,1,8,0.62,-0.8 4,1,12,0.74,-4.3
4,2,0,0.72,10.3 4,2,2,0.79,8.3 4,2,8,1.1,4.1 4,2,12,0.67,-0.4 5,1,0,1.13,9 5,1,2,0.93,4.6 5,1,4,1.19,5
5,1,8,1.2,4.1 5,1,12,0.32,1.9 5,2,0,0.47,11.7 5,2,2,0.94,11.1 5,2,4,0.32,10 5,2,8,0.67,8.5 5,2,12,0.92,5.6
5,3,0,0.73,11.1 5,3,4,0.84,8.7 5,3,8,1.1,8.7 5,3,12,1.11,7.8 6,1,0,0.71,18.5 6,1,2,1.08,18.5 6,1,4,1.19,18.3
6,1,8,0.55,16.7 6,1,12,0.82,17.1 6,2,0,0.81,19.9 6,2,2,0.9,20 6,2,4,0.94,19.8 6,2,8,1.08,18 6,2,12,0.67,17.3
7,1,0,0.57,2.1 7,1,4,0.72,-1.3 7,1,8,0.98,-5.3 7,1,12,0.3,-7.5 7,2,0,1.04,1.7 7,2,2,0.95,-1.8 7,2,4,0.79,-0.9
7,2,8,1.18,-2.7 7,2,12,0.71,-7.6 7,3,0,1.08,4.8 7,3,2,0.6,1.7 7,3,4,1.07,-0.7 7,3,8,0.94,-1.5 7,3,12,1.15,-6.3
8,1,0,0.36,15.5 8,1,2,1.13,11.9 8,1,4,1.02,12.8 8,1,8,0.31,8.1 8,1,12,1.16,7.6 8,2,0,0.94,10.7 8,2,2,0.45,10.9
8,2,4,0.94,8 8,2,8,0.35,6.3 8,2,12,0.82,1.9"""
DATA = np.array([[float(cell) for cell in row.split(",")] for row in ROWS.split()])
SUBJECT, ULCER, WEEK, ERROR, AREA = DATA.T
ARM_B = (SUBJECT > 4).astype(float)
DESIGN = np.column_stack([np.ones(len(DATA)), ARM_B, WEEK, ARM_B * WEEK])
# Slopes pulled apart, so that no variance is 0: in R
# area + (c(-.3, .1, .35)[ulcer] * (-1)^subject + c(-.5, .4, .1, -.3, .5, -.4, .2, 0)[subject]) * week
_BY_ULCER = np.array([-0.3, 0.1, 0.35])[ULCER.astype(int) - 1] * (-1.0) ** SUBJECT
SPREAD = AREA + (_BY_ULCER + np.array([-0.5, 0.4, 0.1, -0.3, 0.5, -0.4, 0.2, 0])[SUBJECT.astype(int) - 1]) * WEEK


def fit(area: np.ndarray, **more):
    return fit_slopes(area, WEEK, DESIGN, SUBJECT.astype(object), ULCER.astype(object), **more)


def test_restricted_likelihood_is_lme4s_and_nlmes() -> None:
    """lmer(area ~ arm*week + (1+week|subject) + (1+week|uid)); lme(random = list(subject = ~week, uid = ~week))."""
    found = fit(SPREAD)
    assert found.cautions == ()
    assert found.log_likelihood == pytest.approx(-194.8195612, abs=2e-6)
    assert found.coefficients == pytest.approx([14.785392, -3.624194, -1.072620, 0.564551], abs=3e-5)
    errors = np.sqrt(np.diag(found.covariance))
    assert errors == pytest.approx([3.1092324, 4.3970437, 0.2127096, 0.3008001], rel=3e-4)
    assert found.of_subjects[[0, 1, 0], [0, 1, 1]] == pytest.approx([37.7093, 0.138314, -0.207138], rel=2e-3)
    assert found.of_ulcers[[0, 1, 0], [0, 1, 1]] == pytest.approx([1.79100, 0.0924611, 0.019531], rel=2e-3)
    assert found.residual_variance == pytest.approx(0.983015, rel=2e-4)


def test_full_likelihood_is_lme4s() -> None:
    """The same with REML = FALSE."""
    found = fit(SPREAD, reml=False)
    assert found.log_likelihood == pytest.approx(-197.3639489, abs=2e-6)
    assert found.coefficients == pytest.approx([14.792158, -3.639176, -1.073802, 0.568881], abs=3e-5)
    assert np.sqrt(np.diag(found.covariance)) == pytest.approx([2.6932331, 3.8087227, 0.1848718, 0.2614308], rel=3e-4)


def test_known_errors_are_metafors() -> None:
    """rma.mv(area, (se/2)^2, mods = ~ arm*week, random = list(~ week|subject, ~ week|uid, ~ 1|obs), struct = "GEN").

    Its restricted likelihood has another constant, half the logarithm of det(X'X).
    """
    found = fit(SPREAD, known_sd=ERROR / 2)
    assert found.coefficients == pytest.approx([14.7830926, -3.6026914, -1.0703844, 0.5597375], abs=3e-5)
    assert np.sqrt(np.diag(found.covariance)) == pytest.approx([3.1102136, 4.3984910, 0.2136165, 0.3020754], rel=3e-4)
    assert found.residual_variance == pytest.approx(0.7554899, rel=3e-4)
    constant = 0.5 * np.linalg.slogdet(DESIGN.T @ DESIGN)[1]
    assert found.log_likelihood + constant == pytest.approx(-183.4709247, abs=1e-5)
    full = fit(SPREAD, known_sd=ERROR / 2, reml=False)
    assert full.log_likelihood == pytest.approx(-196.6841201, abs=2e-6)
    assert full.coefficients == pytest.approx([14.7898476, -3.6179449, -1.0715490, 0.5641543], abs=3e-5)
    assert full.residual_variance == pytest.approx(0.7556521, rel=3e-4)


def test_a_singular_fit_is_lme4s_and_is_told() -> None:
    """lmer says "boundary (singular) fit" and a correlation of 1 between ulcers' intercepts and slopes."""
    found = fit(AREA)
    assert found.cautions == (Caution.SINGULAR,)
    assert found.log_likelihood == pytest.approx(-175.3940933, abs=1e-5)
    assert found.coefficients == pytest.approx([14.794774, -3.625547, -0.924705, 0.407201], abs=3e-5)
    assert np.sqrt(np.diag(found.covariance)) == pytest.approx([3.1128310, 4.4021295, 0.0960213, 0.1357602], rel=3e-4)


def test_the_likelihood_is_a_normal_density() -> None:
    """All rows at once, with the variance written out."""
    found = fit(SPREAD, known_sd=ERROR, reml=False)
    same_subject = SUBJECT[:, None] == SUBJECT[None, :]
    same_ulcer = same_subject & (ULCER[:, None] == ULCER[None, :])
    z = np.column_stack([np.ones(len(DATA)), WEEK])
    variance = same_subject * (z @ found.of_subjects @ z.T) + same_ulcer * (z @ found.of_ulcers @ z.T)
    variance = variance + np.diag(ERROR**2 + found.residual_variance)
    density = multivariate_normal(DESIGN @ found.coefficients, variance).logpdf(SPREAD)
    assert found.log_likelihood == pytest.approx(density, abs=1e-6)


def test_one_error_for_all_only_moves_what_is_left_over() -> None:
    found, known = fit(SPREAD), fit(SPREAD, known_sd=np.full(len(DATA), 0.6))
    assert known.coefficients == pytest.approx(found.coefficients, abs=1e-4)
    assert known.residual_variance == pytest.approx(found.residual_variance - 0.36, abs=1e-3)


def frame(area: np.ndarray = SPREAD) -> pd.DataFrame:
    half = 1.96 * ERROR / 2
    return pd.DataFrame(
        {
            "subject_id": [f"S{int(s)}" for s in SUBJECT],
            "ulcer_id": [f"S{int(s)}-{int(u)}" for s, u in zip(SUBJECT, ULCER, strict=True)],
            "arm": np.where(ARM_B, "B", "A"),
            "day": WEEK * 7,
            "area_mm2": area,
            "area_low_mm2": area - half,
            "area_high_mm2": area + half,
        }
    )


def test_slopes_by_arm_and_their_difference() -> None:
    a, b, difference = compare_slopes(frame(), reference_arm="B")
    assert (a.arm, b.arm, a.measure) == ("A", "B", Measure.SLOPE)
    assert a.estimate == pytest.approx(-1.0703844, abs=3e-5) and b.estimate == pytest.approx(-0.5106469, abs=3e-5)
    assert difference.estimate == pytest.approx(-0.5597375, abs=3e-5)
    reach = 2.446912 * 0.3020754  # t with 8 - 2 degrees of freedom
    assert (difference.low, difference.high) == pytest.approx((-0.5597375 - reach, -0.5597375 + reach), abs=3e-4)
    assert (difference.n_ulcers, difference.n_subjects) == (20, 8)


def test_lines_without_any_error_have_no_maximum_and_that_is_told() -> None:
    """The fewer errors are assumed the likelier are areas on a line: the search ends at the least, on a slope."""
    week = np.tile([0.0, 2.0, 4.0, 8.0, 12.0], 12)
    name = np.repeat(np.arange(12), 5)
    rows = pd.DataFrame({"ulcer_id": name.astype(str), "arm": np.where(name < 6, "A", "B"), "day": 7 * week})
    rows["subject_id"], rows["area_mm2"] = (name // 2).astype(str), np.where(name < 6, 20 - week, 20 - week / 2)
    found = compare_slopes(rows.assign(area_low_mm2=math.nan, area_high_mm2=math.nan), reference_arm="B")
    assert [effect.estimate for effect in found] == pytest.approx([-1.0, -0.5, -0.5])
    assert all(Caution.NOT_CONVERGED in effect.cautions for effect in found)


def test_one_ulcer_a_subject_is_told() -> None:
    rows = frame()
    found = compare_slopes(rows[rows["ulcer_id"].str.endswith("-1")], reference_arm="B")
    assert all(Caution.ONE_ULCER_A_SUBJECT in e.cautions and math.isfinite(e.low) for e in found)


def test_ulcers_measured_once_are_not_counted() -> None:
    """They help the intercept, and are no subjects of a slope."""
    once = (
        frame()
        .groupby("ulcer_id")
        .head(1)
        .assign(subject_id=lambda t: "T" + t["subject_id"], ulcer_id=lambda t: "T" + t["ulcer_id"])
    )
    found = compare_slopes(pd.concat([frame(), once]), reference_arm="B")[-1]
    assert (found.n_ulcers, found.n_subjects) == (20, 8)
    assert found.estimate == pytest.approx(-0.5597, abs=0.02) and Caution.FEW_SUBJECTS in found.cautions


def test_one_subject_alone_gives_its_arm_no_slope() -> None:
    """The others' spread would make an interval of it that no other subject of its arm has shown."""
    rows = frame()
    a, b, difference = compare_slopes(rows[~rows["subject_id"].isin(["S6", "S7", "S8"])], reference_arm="B")
    assert math.isfinite(a.low) and (a.n_subjects, b.n_subjects) == (4, 0)
    for found in (b, difference):
        assert math.isnan(found.estimate) and found.cautions == (Caution.NOT_ESTIMABLE,)


def test_too_little_is_not_estimable() -> None:
    rows = frame()
    for short in (rows[rows["day"] == 0], rows[rows["subject_id"].isin(["S1", "S5"])], rows.head(0)):
        found = compare_slopes(short)
        assert all(math.isnan(e.estimate) and e.cautions == (Caution.NOT_ESTIMABLE,) for e in found)
