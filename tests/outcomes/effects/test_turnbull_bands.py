"""Healing curves with bands: against R, the binomial, and by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from test_interval_censored import RADIATION, intervals

from ulcermeter.datatypes import Caution
from ulcermeter.outcomes.effects import estimate_healing_curve
from ulcermeter.outcomes.effects.turnbull_bands import share_at


def table(pairs: np.ndarray, subjects: list[str] | None = None) -> pd.DataFrame:
    names = subjects or [f"S{i}" for i in range(len(pairs))]
    high = np.where(np.isinf(pairs[:, 1]), np.nan, pairs[:, 1])
    return pd.DataFrame({"subject_id": names, "healing_day_low": pairs[:, 0], "healing_day_high": high})


def test_the_curve_is_rs() -> None:
    """R survival 3.5: summary(survfit(Surv(l, r, type = "interval2") ~ 1)) on the radiation arm: 1 - survival."""
    curve = estimate_healing_curve(table(intervals(RADIATION)), draws=50)
    said = {5: 0.046338, 8: 0.168377, 12: 0.239123, 25: 0.331772, 34: 0.413583, 40: 0.534142}
    found = dict(zip(curve.days.tolist(), curve.share.tolist(), strict=True))
    assert [found[day] for day in said] == pytest.approx(list(said.values()), abs=5e-4)
    assert curve.median.estimate == 40  # R puts the mass of (38, 40] at 39
    assert curve.median.low < 40 < curve.median.high


def test_at_one_visit_the_band_is_the_binomials() -> None:
    """12 of 30 healed in (0, 14]: bootstrap shares are binomial (30, 0.4) / 30."""
    pairs = np.array([(0.0, 14.0)] * 12 + [(14.0, math.inf)] * 18)
    curve = estimate_healing_curve(table(pairs), draws=4000)
    want = stats.binom.ppf([0.025, 0.975], 30, 0.4) / 30
    assert (curve.share[1], curve.low[1], curve.high[1]) == pytest.approx((0.4, *want), abs=1 / 30 + 1e-9)
    assert math.isnan(curve.median.estimate) and Caution.NOT_REACHED in curve.median.cautions


def test_a_subjects_ulcers_are_drawn_together() -> None:
    """Six ulcers in each of five subjects make the band as wide as five ulcers would."""
    pairs = np.array([(0.0, 14.0)] * 12 + [(14.0, math.inf)] * 18)
    alone = estimate_healing_curve(table(pairs), draws=500)
    together = estimate_healing_curve(table(pairs, [f"S{i // 6}" for i in range(30)]), draws=500)
    assert together.share[1] == pytest.approx(alone.share[1])
    assert together.high[1] - together.low[1] > 1.8 * (alone.high[1] - alone.low[1])
    assert Caution.FEW_SUBJECTS in together.median.cautions and together.median.n_subjects == 5


def test_numbers_at_risk_by_hand() -> None:
    """Healed in (0, 14] and (28, 56]; last seen open on 28 and on 84: on day 28 three are at risk, on 57 one."""
    pairs = np.array([(0.0, 14.0), (28.0, 56.0), (28.0, math.inf), (84.0, math.inf)])
    visits = [("day 0", 0.0), ("week 2", 14.0), ("week 4", 28.0), ("later", 57.0), ("end", 84.0)]
    curve = estimate_healing_curve(table(pairs), visits=visits, draws=20)
    assert [(at_risk, healed) for _, _, at_risk, healed in curve.visits] == [(4, 0), (4, 0), (3, 1), (1, 2), (1, 2)]


def test_before_anything_healed_the_band_is_not_a_point() -> None:
    """Of 10 subjects none healed by day 14: up to 1 - 0.025^(1/10) = 31 % may."""
    pairs = np.array([(14.0, 28.0)] * 5 + [(0.0, 14.0)] * 0 + [(28.0, math.inf)] * 5)
    curve = estimate_healing_curve(table(pairs), draws=200)
    assert curve.days.tolist() == [0.0, 28.0] and curve.share.tolist() == pytest.approx([0.0, 0.5])
    assert 0 < curve.low[1] < 0.5 < curve.high[1] < 1
    sure = estimate_healing_curve(table(np.array([(0.0, 14.0)] * 10)), draws=50)
    assert (sure.share[1], sure.low[1], sure.high[1]) == pytest.approx((1.0, 0.025**0.1, 1.0))


def test_the_same_seed_gives_the_same_band_in_any_order() -> None:
    rows = table(intervals(RADIATION), [f"S{i // 2:02d}" for i in range(46)])
    one = estimate_healing_curve(rows, draws=100, seed=3)
    other = estimate_healing_curve(rows.sample(frac=1, random_state=1), draws=100, seed=3)
    np.testing.assert_allclose(one.low, other.low, atol=1e-9)
    assert not np.allclose(one.low, estimate_healing_curve(rows, draws=100, seed=4).low)


def test_what_was_never_seen_after_day_0_counts_for_nothing() -> None:
    pairs = np.array([(0.0, 14.0)] * 4 + [(14.0, math.inf)] * 6 + [(0.0, math.inf)] * 5 + [(-14.0, math.inf)])
    curve = estimate_healing_curve(table(pairs), draws=20)
    assert (curve.median.n_ulcers, curve.share[1]) == (10, pytest.approx(0.4))
    assert Caution.UNKNOWN_LEFT_OUT in curve.median.cautions


def test_the_share_at_a_visit_does_not_miss_those_that_were_open_earlier() -> None:
    """Of 8, 2 heal in (0, 14]; of the 4 followed on, 2 heal in (14, 28]: F = 1/4 + 3/4 x 1/2 = 5/8.

    Of the 6 whose answer for day 28 is known, 4 have healed: 2/3 is too much.
    """
    pairs = np.array([(0.0, 14.0)] * 2 + [(14.0, math.inf)] * 2 + [(14.0, 28.0)] * 2 + [(28.0, math.inf)] * 2)
    curve = estimate_healing_curve(table(pairs), draws=100)
    found = share_at(curve, 30)
    assert found.estimate == pytest.approx(5 / 8, abs=1e-6) and found.low < 5 / 8 < found.high
    assert share_at(curve, 20).estimate == pytest.approx(1 / 4, abs=1e-6)


def test_nothing_known_is_told() -> None:
    rows = table(np.array([(0.0, 14.0)])).assign(healing_day_low=np.nan)
    curve = estimate_healing_curve(rows)
    assert len(curve.days) == 0 and Caution.NOT_ESTIMABLE in curve.median.cautions
