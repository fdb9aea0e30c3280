"""Shares, differences and ratios against Newcombe's published table, R, and the equations that define them."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from ulcermeter.datatypes import Caution, EffectMethod, Measure
from ulcermeter.errors import TableError
from ulcermeter.outcomes.effects import compare_shares, share_of
from ulcermeter.statistics import wilson


def one_each(a: int, n: int, b: int, m: int) -> pd.DataFrame:
    """a of n subjects in arm A, b of m in arm B, one ulcer each."""
    words = ["yes"] * a + ["no"] * (n - a) + ["yes"] * b + ["no"] * (m - b)
    return pd.DataFrame({"subject_id": [f"S{i}" for i in range(n + m)], "arm": ["A"] * n + ["B"] * m, "healed": words})


def effect(table: pd.DataFrame, measure: Measure, reference: str = "B"):
    return next(e for e in compare_shares(table, event="healed", reference_arm=reference) if e.measure is measure)


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((0, 10, 0, 10), -0.2775, 0.2775),
        ((10, 10, 0, 20), 0.6791, 1.0),
        ((10, 10, 0, 10), 0.6075, 1.0),
    ],
)
def test_differences_as_newcombe_published_them(counts: tuple[int, ...], low: float, high: float) -> None:
    """Newcombe 1998, Stat Med 17:873, table II, method 10."""
    found = effect(one_each(*counts), Measure.RISK_DIFFERENCE)
    assert found.method is EffectMethod.NEWCOMBE
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


def test_wilson_as_r_gives_it() -> None:
    """R: prop.test(56, 70, correct = FALSE)$conf.int; prop.test(0, 10, correct = FALSE)$conf.int."""
    assert wilson(0.8, 70) == pytest.approx((0.6918335550, 0.8769526075), abs=1e-9)
    assert wilson(0.0, 10) == pytest.approx((0.0, 0.2775327999), abs=1e-9)


@pytest.mark.parametrize("counts", [(56, 70, 48, 80), (9, 10, 3, 10), (7, 34, 1, 34)])
def test_ratios_lie_where_their_equation_says(counts: tuple[int, ...]) -> None:
    """At the ends R of MOVER-R, p1 - R p2 is as far from 0 as the two score intervals allow."""
    a, n, b, m = counts
    p, q = a / n, b / m
    (l1, u1), (l2, u2) = wilson(p, n), wilson(q, m)
    found = effect(one_each(*counts), Measure.RISK_RATIO)
    assert found.estimate == pytest.approx(p / q)
    assert (p - found.low * q) ** 2 == pytest.approx((p - l1) ** 2 + found.low**2 * (u2 - q) ** 2)
    assert (p - found.high * q) ** 2 == pytest.approx((u1 - p) ** 2 + found.high**2 * (q - l2) ** 2)
    assert found.low < found.estimate < found.high


def test_ratios_at_the_ends_are_open_or_not_estimable() -> None:
    over_none = effect(one_each(5, 56, 0, 29), Measure.RISK_RATIO)
    assert math.isinf(over_none.estimate) and math.isinf(over_none.high) and 0 < over_none.low < 1
    none = effect(one_each(0, 10, 0, 10), Measure.RISK_RATIO)
    assert math.isnan(none.estimate) and Caution.NOT_ESTIMABLE in none.cautions


# Healed of so many ulcers, by subject; worked out in R:
# h <- c(1,1,0,1,2,0,3,1); k <- c(2,1,1,1,3,2,3,1); p <- sum(h)/sum(k); 8/7*sum((h-p*k)^2)/sum(k)^2
HEALED, SIZES, VARIANCE = (1, 1, 0, 1, 2, 0, 3, 1), (2, 1, 1, 1, 3, 2, 3, 1), 0.02147914559


def clusters() -> pd.DataFrame:
    rows = []
    for i, (healed, size) in enumerate(zip(HEALED, SIZES, strict=True)):
        rows += [(f"S{i}", "A", "yes" if k < healed else "no") for k in range(size)]
    return pd.DataFrame(rows, columns=["subject_id", "arm", "healed"])


def test_several_ulcers_a_subject_count_for_fewer() -> None:
    found = share_of(clusters(), "healed")
    p, m = 9 / 14, 14
    design = VARIANCE / (p * (1 - p) / m)
    assert design > 1
    assert (found.low, found.high) == pytest.approx(wilson(p, m / design * (1.959964 / 2.364624) ** 2), abs=1e-5)
    assert (found.n_ulcers, found.n_subjects, found.clustered) == (14, 8, True)
    plain = wilson(p, m)
    assert found.low < plain[0] and found.high > plain[1]


def test_a_subjects_copies_add_nothing() -> None:
    """Ten subjects with three ulcers that always agree tell no more than ten ulcers."""
    single = one_each(7, 10, 3, 10)
    triple = pd.concat([single] * 3)
    one, three = (effect(t, Measure.RISK_DIFFERENCE) for t in (single, triple))
    assert three.method is EffectMethod.CLUSTERED_NEWCOMBE
    assert three.low <= one.low + 1e-9 and three.high >= one.high - 1e-9


def test_all_healed_counts_subjects() -> None:
    table = pd.concat([one_each(10, 10, 4, 10)] * 2)
    found = share_of(table[table["arm"] == "A"], "healed")
    assert (found.low, found.high) == pytest.approx(wilson(1.0, 10)) and Caution.NO_VARIATION in found.cautions


def test_unknown_is_left_out_and_told() -> None:
    table = one_each(5, 12, 6, 12)
    table.loc[0, "healed"] = "unknown"
    found = effect(table, Measure.RISK_DIFFERENCE)
    assert found.n_ulcers == 23 and found.cautions == (Caution.UNKNOWN_LEFT_OUT,)


def test_three_arms_are_each_held_against_the_reference() -> None:
    table = pd.concat(
        [one_each(8, 12, 3, 12), one_each(5, 12, 5, 12).assign(arm="C", subject_id=lambda t: "T" + t.index.astype(str))]
    )
    found = compare_shares(table, event="healed", reference_arm="B")
    assert [(e.arm, e.reference_arm) for e in found if e.measure is Measure.RISK_DIFFERENCE] == [("A", "B"), ("C", "B")]
    swapped = effect(table, Measure.RISK_DIFFERENCE, reference="A")
    first = effect(table, Measure.RISK_DIFFERENCE)
    assert (swapped.estimate, swapped.low, swapped.high) == pytest.approx((-first.estimate, -first.high, -first.low))


def test_an_unknown_reference_arm_is_refused() -> None:
    with pytest.raises(TableError, match="expected one of A, B, got 'placebo'"):
        compare_shares(one_each(1, 2, 1, 2), event="healed", reference_arm="placebo")


def test_intervals_hold_what_they_promise_with_ten_against_ten() -> None:
    """Ulcers of a subject heal alike (beta-binomial, intraclass correlation 1/3); 95 % must not fall below 92."""
    random = np.random.default_rng(15)
    held = 0
    for _ in range(150):
        rows = []
        for i in range(20):
            p = random.beta(1.2, 0.8)
            rows += [(i, "AB"[i % 2], "yes" if random.random() < p else "no") for _ in range(random.integers(1, 5))]
        table = pd.DataFrame(rows, columns=["subject_id", "arm", "healed"])
        found = effect(table, Measure.RISK_DIFFERENCE)
        held += found.low <= 0 <= found.high
    assert held / 150 >= 0.92
