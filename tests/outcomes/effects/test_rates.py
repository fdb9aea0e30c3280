"""Rates of new ulcers against R's poisson.test and glm(family = quasipoisson) (R 4.2.2)."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from ulcermeter.datatypes import Caution, EffectMethod, Measure
from ulcermeter.outcomes.effects import compare_rates


def table(events: list[float], months: list[float], arms: str) -> pd.DataFrame:
    names = [f"S{i}" for i in range(len(events))]
    return pd.DataFrame({"subject_id": names, "arm": list(arms), "n_new": events, "months": months})


# In R: y <- NEW; m <- MONTHS; a <- rep(c("A", "B"), each = 5)
NEW = [0.0, 3, 0, 1, 0, 5, 0, 0, 2, 1]
MONTHS = [3, 2.8, 3, 1.5, 3, 2.9, 3, 2.2, 3, 3]


def test_a_rate_that_varies_is_quasi_poisson() -> None:
    """coef(summary(glm(y ~ 1, family = quasipoisson, offset = log(m)))): -0.8256363636, 0.434090914; t with 9 df."""
    (found,) = compare_rates(table(NEW, MONTHS, "A" * 10))
    assert found.method is EffectMethod.QUASI_POISSON
    reach = 2.262157163 * 0.434090914
    want = (math.exp(-0.8256363636), math.exp(-0.8256363636 - reach), math.exp(-0.8256363636 + reach))
    assert (found.estimate, found.low, found.high) == pytest.approx(want, rel=1e-8)
    assert (found.n_ulcers, found.n_subjects) == (12, 10)


def test_a_ratio_that_varies_is_quasi_poisson() -> None:
    """glm(y ~ a, ...): aB 0.6347364184, error 0.9446137948; t with 8 df."""
    found = compare_rates(table(NEW, MONTHS, "AAAAABBBBB"), reference_arm="A")[-1]
    assert found.measure is Measure.RATE_RATIO and Caution.FEW_SUBJECTS in found.cautions
    reach = 2.306004135 * 0.9446137948
    want = (math.exp(0.6347364184), math.exp(0.6347364184 - reach), math.exp(0.6347364184 + reach))
    assert (found.estimate, found.low, found.high) == pytest.approx(want, rel=1e-7)


def test_even_counts_are_exact() -> None:
    """poisson.test(7, 43.2); poisson.test(c(7, 3), c(43.2, 51.7)); one new ulcer in each of so many subjects."""
    events = [1.0] * 7 + [0.0] * 5 + [1.0] * 3 + [0.0] * 9
    months = [43.2 / 12] * 12 + [51.7 / 12] * 12
    a, b, ratio = compare_rates(table(events, months, "A" * 12 + "B" * 12), reference_arm="B")
    assert {a.method, b.method, ratio.method} == {EffectMethod.POISSON}
    assert (a.low, a.high) == pytest.approx((0.06514729286, 0.33385822597), rel=1e-8)
    assert (ratio.estimate, ratio.low, ratio.high) == pytest.approx(
        (2.792438272, 0.6374870915, 16.7350361366), rel=1e-8
    )
    assert ratio.cautions == ()


def test_none_at_all_has_an_upper_end() -> None:
    """poisson.test(0, 30)$conf.int: 0, 0.1229626485. A ratio of none to none cannot be told."""
    a, b, ratio = compare_rates(table([0.0] * 20, [3.0] * 20, "A" * 10 + "B" * 10))
    assert (a.estimate, a.low, a.high) == pytest.approx((0.0, 0.0, 0.1229626485))
    assert math.isnan(ratio.estimate) and Caution.NOT_ESTIMABLE in ratio.cautions


def test_none_in_the_reference_arm_leaves_the_upper_end_open() -> None:
    ratio = compare_rates(table([1.0] * 4 + [0.0] * 4, [3.0] * 8, "AAAABBBB"), reference_arm="B")[-1]
    assert math.isinf(ratio.estimate) and math.isinf(ratio.high) and ratio.low > 0
    assert Caution.NO_VARIATION in ratio.cautions


def test_subjects_without_follow_up_or_count_do_not_take_part() -> None:
    a = compare_rates(table([1.0, float("nan"), 0.0, 1.0], [3.0, 3.0, 0.0, 3.0], "AAAA"))[0]
    assert (a.n_subjects, a.estimate) == (2, pytest.approx(1 / 3)) and Caution.UNKNOWN_LEFT_OUT in a.cautions
