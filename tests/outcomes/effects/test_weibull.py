"""The interval-censored Weibull model against R's survreg (survival 3.5-3, R 4.2.2) and the likelihood itself."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from test_interval_censored import RADIATION, WITH_CHEMOTHERAPY, intervals

from ulcermeter.datatypes import Caution, EffectMethod
from ulcermeter.outcomes.effects import compare_hazards, fit_weibull

BOTH = np.vstack([intervals(RADIATION), intervals(WITH_CHEMOTHERAPY)])
TREATED = np.repeat([0.0, 1.0], [46, 48])
CLUSTERS = np.arange(94) // 3


def test_estimates_and_naive_errors_are_survregs() -> None:
    """f <- survreg(Surv(l, r, type = "interval2") ~ t, dist = "weibull"); coef(f); f$scale; f$loglik; vcov(f)."""
    fit = fit_weibull(BOTH[:, 0], BOTH[:, 1], TREATED[:, None], CLUSTERS)
    assert fit.converged and fit.n_clusters == 32
    assert fit.coefficients[:2] == pytest.approx([3.8992762304, -0.5675505366], abs=1e-7)
    assert math.exp(fit.coefficients[2]) == pytest.approx(0.6193397052, abs=1e-7)
    assert fit.log_likelihood == pytest.approx(-143.3208271, abs=1e-6)
    assert np.sqrt(np.diag(fit.naive)) == pytest.approx([0.1405297913, 0.1757295633, 0.1198919820], abs=1e-6)


def test_a_second_column_is_survregs_too() -> None:
    """The same with ~ t + s, s = 0, 1, 0, 1, ...: how strata enter."""
    fit = fit_weibull(BOTH[:, 0], BOTH[:, 1], np.column_stack([TREATED, np.arange(94) % 2]), CLUSTERS)
    assert fit.coefficients[:3] == pytest.approx([3.7372218674, -0.5323886313, 0.3241254976], abs=1e-7)
    assert math.exp(fit.coefficients[3]) == pytest.approx(0.6196904128, abs=1e-7)
    assert fit.log_likelihood == pytest.approx(-141.5254518, abs=1e-6)


# Each ulcer looked at once, on this day: healed or not. Two or three of some subjects.
DAY = [14, 14, 28, 28, 56, 56, 84, 84, 84, 120, 120, 28, 56, 84, 14, 120, 168, 168, 84, 56]
HEALED = np.array([0, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0], dtype=bool)
SUBJECT = np.array([1, 1, 2, 3, 3, 4, 5, 5, 5, 6, 7, 8, 8, 9, 10, 10, 11, 12, 13, 13])


def test_robust_errors_are_survregs() -> None:
    """survreg(..., cluster = id, robust = TRUE) where every ulcer is left- or right-censored.

    Where both ends are finite survreg 3.5-3 has the score of log(scale) with the wrong sign (its residuals of type
    "dfbeta" do not sum to 0 there), so those are checked below against scores by differences in R.
    """
    day = np.array(DAY, dtype=float)
    low, high = np.where(HEALED, 0.0, day), np.where(HEALED, day, np.inf)
    fit = fit_weibull(low, high, np.repeat([1.0, 0.0], 10)[:, None], SUBJECT)
    assert fit.coefficients[:2] == pytest.approx([5.244175998, -1.256510361], abs=1e-6)
    want = [
        [0.7248616694, -0.7949111271, 0.2914499540],
        [-0.7949111271, 1.0994592414, -0.3845532544],
        [0.2914499540, -0.3845532544, 0.2466031558],
    ]
    np.testing.assert_allclose(fit.robust, want, atol=1e-6)
    np.testing.assert_allclose(np.diag(fit.naive), [0.7499423865, 1.0978883469, 0.5146103886], atol=1e-6)


def test_robust_errors_of_intervals_are_those_of_differences_in_r() -> None:
    """In R: U by central differences of log(exp(-H(L)) - exp(-H(R))); D <- rowsum(U, id); V %*% t(D) %*% D %*% V."""
    fit = fit_weibull(BOTH[:, 0], BOTH[:, 1], TREATED[:, None], CLUSTERS)
    want = [
        [0.0145308765713, -0.014761507645, -0.0004706939648],
        [-0.0147615076452, 0.022964268992, 0.0017592038788],
        [-0.0004706939648, 0.001759203879, 0.0206318749146],
    ]
    np.testing.assert_allclose(fit.robust, want, atol=1e-7)


def frame(low: np.ndarray, high: np.ndarray, arm: list[str], subjects: np.ndarray) -> pd.DataFrame:
    seen = np.where(np.isinf(high), np.nan, high)
    return pd.DataFrame(
        {"subject_id": subjects.astype(str), "arm": arm, "healing_day_low": low, "healing_day_high": seen}
    )


def test_the_hazard_ratio_is_minus_the_coefficient_over_the_scale() -> None:
    table = frame(BOTH[:, 0], BOTH[:, 1], ["B"] * 46 + ["A"] * 48, CLUSTERS)
    (found,) = compare_hazards(table, reference_arm="B")
    assert found.estimate == pytest.approx(math.exp(0.9163800283), abs=1e-6)
    assert found.method is EffectMethod.WEIBULL and found.low < found.estimate < found.high and found.p_value < 0.01
    (other,) = compare_hazards(table, reference_arm="A")
    assert (other.estimate, other.low, other.high) == pytest.approx((1 / found.estimate, 1 / found.high, 1 / found.low))


def test_days_or_weeks_give_the_same_hazard_ratio() -> None:
    table = frame(BOTH[:, 0], BOTH[:, 1], ["B"] * 46 + ["A"] * 48, CLUSTERS)
    weeks = table.assign(healing_day_low=table["healing_day_low"] / 7, healing_day_high=table["healing_day_high"] / 7)
    (one,), (other,) = compare_hazards(table), compare_hazards(weeks)
    assert (one.estimate, one.low, one.high) == pytest.approx((other.estimate, other.low, other.high), rel=1e-6)


def test_a_known_hazard_ratio_is_found_again() -> None:
    """Times with shape 1.3 and hazard ratio 2.2, seen at visits only: within three standard errors."""
    random = np.random.default_rng(3)
    arm = np.repeat([1.0, 0.0], 400)
    time = 60 * (random.exponential(size=800) / 2.2**arm) ** (1 / 1.3)
    visits = np.array([0, 14, 28, 56, 84, 168, np.inf])
    after = np.searchsorted(visits, time)
    fit = fit_weibull(visits[after - 1], visits[after], arm[:, None], np.arange(800))
    value, error = fit.log_hazard_ratio(0)
    assert abs(value - math.log(2.2)) < 3 * error and 0.05 < error < 0.15
    assert math.exp(-fit.coefficients[-1]) == pytest.approx(1.3, abs=0.15)


def test_an_arm_in_which_nothing_healed_has_no_hazard_ratio() -> None:
    low, high = np.array([0.0, 14, 28, 28, 14, 28]), np.array([14.0, 28, np.inf, np.inf, np.inf, np.inf])
    (found,) = compare_hazards(frame(low, high, ["A"] * 3 + ["B"] * 3, np.arange(6)))
    assert math.isnan(found.estimate) and Caution.NOT_ESTIMABLE in found.cautions


def test_what_was_never_seen_after_day_0_changes_nothing() -> None:
    low, high = np.tile([0.0, 14, 28, 28, 14, 0], 4), np.tile([14.0, 28, 56, np.inf, np.inf, 28], 4)
    seen = frame(low, high, ["A", "B"] * 12, np.arange(24) // 2 * 2 + np.arange(24) % 2)
    never = frame(np.zeros(4), np.full(4, np.inf), ["A", "B"] * 2, np.arange(90, 94))
    (one,), (other,) = compare_hazards(seen), compare_hazards(pd.concat([seen, never]))
    assert (other.estimate, other.low, other.n_ulcers) == pytest.approx((one.estimate, one.low, one.n_ulcers))
    assert Caution.UNKNOWN_LEFT_OUT in other.cautions


def test_three_arms_and_an_ulcer_last_seen_open_before_day_0() -> None:
    low = np.tile(np.array([-7.0, 0, 14, 28, 0, 14, 28, 56]), 6)
    high = np.tile(np.array([14.0, 14, 28, np.inf, 28, 28, 56, 84]), 6)
    arms = [("A", "B", "C")[i % 3] for i in range(48)]
    found = compare_hazards(frame(low, high, arms, np.arange(48) // 2), reference_arm="C")
    assert [(e.arm, e.reference_arm) for e in found] == [("A", "C"), ("B", "C")]
    assert all(math.isfinite(e.high) for e in found)
