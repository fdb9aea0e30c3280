"""Agreement statistics against the papers that print them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa

from ulcermeter.agreement import bland_altman, confusion, icc, kappa, repeatability

# Shrout & Fleiss 1979, table 2: six targets, four judges.
JUDGES = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
# Bland & Altman 1986, table 1: first readings, large and mini Wright meter, l/min.
LARGE = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]


def test_shrout_and_fleiss() -> None:
    got = icc(JUDGES)
    assert [round(got[kind].value, 2) for kind in ("icc_1_1", "icc_2_1", "icc_3_1")] == [0.17, 0.29, 0.71]
    # Intervals as R's psych::ICC prints them for these data.
    ends = [(got[kind].low, got[kind].high) for kind in ("icc_1_1", "icc_2_1", "icc_3_1")]
    np.testing.assert_allclose(ends, [(-0.133, 0.723), (0.019, 0.761), (0.342, 0.946)], atol=0.001)


@pytest.mark.parametrize(("z", "low", "high"), [(2.0, -79.7, 75.5), (1.96, -78.1, 73.9)])
def test_peak_flow(z: float, low: float, high: float) -> None:
    got = bland_altman(LARGE, MINI, z=z)
    assert (round(got.bias, 1), round(got.sd, 1)) == (-2.1, 38.8)
    assert (got.low, got.high) == pytest.approx((low, high), abs=0.15)


def test_pairs_of_a_subject_belong_together() -> None:
    rng = np.random.default_rng(3)
    names = [f"S{k:02d}" for k in range(200) for _ in range(5)]
    of_subject = np.repeat(rng.normal(0, 2, 200), 5)
    got = bland_altman(10 + of_subject + rng.normal(0, 1, 1000), np.full(1000, 10.0), groups=names)
    assert got.sd == pytest.approx(math.sqrt(5), rel=0.06)
    alone = bland_altman(LARGE, MINI, groups=[f"S{k}" for k in range(17)])
    assert alone.sd == pytest.approx(bland_altman(LARGE, MINI).sd)


@given(st.lists(st.tuples(st.floats(1, 50), st.floats(1, 50)), min_size=2, max_size=20))
def test_repeatability_is_the_spread_within_things(pairs: list[tuple[float, float]]) -> None:
    a, b = zip(*pairs, strict=True)
    sem, sdc = repeatability(a, b)
    naive = math.sqrt(np.mean([np.var(pair, ddof=1) for pair in pairs]))
    assert sem == pytest.approx(naive) and sdc == pytest.approx(2.7719 * naive, rel=1e-4)


@given(st.lists(st.sampled_from(["no", "uncertain", "yes"]), min_size=3, max_size=40), st.randoms())
def test_kappa_as_statsmodels_says(said: list[str], random) -> None:
    other = [random.choice(["no", "uncertain", "yes"]) if random.random() < 0.4 else word for word in said]
    counts = confusion(said, other, ("no", "uncertain", "yes"))
    if len(set(said)) < 2 or len(set(other)) < 2:
        return
    assert kappa(counts) == pytest.approx(cohens_kappa(counts).kappa)
    assert kappa(counts, weights="linear") == pytest.approx(cohens_kappa(counts, wt="linear").kappa)


def test_nothing_to_compare_is_nan() -> None:
    assert math.isnan(kappa(np.zeros((3, 3)))) and math.isnan(repeatability([], [])[0])
    assert math.isnan(icc([[1.0, 2.0]])["icc_2_1"].value) and math.isnan(bland_altman([1.0], [2.0]).sd)
