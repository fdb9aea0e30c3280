"""Healing in plain numbers: formulas on figures whose answer is known."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ulcermeter import read_protocol
from ulcermeter.healing import (
    change,
    days_to_half_area,
    exponential_rate,
    margin_advance,
)
from ulcermeter.statistics import smallest_detectable_change

PROTOCOL = read_protocol("manus")
AREAS = st.floats(0.2, 300)
NAN = float("nan")


@given(r0=st.floats(0.5, 20), lost=st.floats(0.01, 0.45), weeks=st.floats(0.3, 30))
def test_margin_advance_of_a_disc_is_its_radius_lost_a_week_whatever_its_size(
    r0: float, lost: float, weeks: float
) -> None:
    r1 = r0 - lost
    got = margin_advance(math.pi * r0**2, math.pi * r1**2, 2 * math.pi * r0, 2 * math.pi * r1, weeks)
    assert got == pytest.approx(lost / weeks)


def test_margin_advance_of_a_closed_disc_is_its_whole_radius() -> None:
    assert margin_advance(math.pi * 9, 0, 2 * math.pi * 3, 0, 4) == pytest.approx(3 / 4)


def test_margin_advance_needs_time_and_an_edge() -> None:
    assert math.isnan(margin_advance(4, 2, 8, 6, 0)) and math.isnan(margin_advance(0, 0, 0, 0, 2))
    assert math.isnan(margin_advance(4, 2, 8, NAN, 2))


@given(k=st.floats(-0.5, 1.5), a0=AREAS, days=st.lists(st.integers(0, 364), min_size=2, max_size=8, unique=True))
def test_the_exponential_rate_is_found_again(k: float, a0: float, days: list[int]) -> None:
    areas = [a0 * math.exp(-k * day / 7) for day in days]
    if min(areas) < 1e-200:
        return
    assert exponential_rate(days, areas) == pytest.approx(k, abs=1e-6)


def test_two_points_give_the_quotient_and_zero_is_below_detection() -> None:
    assert exponential_rate([0, 14, 28], [8.0, 2.0, 0.0]) == pytest.approx(math.log(8 / 2) / 2)
    assert math.isnan(exponential_rate([0, 14], [8.0, 0.0])) and math.isnan(exponential_rate([3, 3], [8.0, 4.0]))


@given(k=st.floats(0.05, 1.5), a0=AREAS)
def test_half_the_area_is_reached_after_ln2_over_k_weeks(k: float, a0: float) -> None:
    days = [0, 2, 14, 28, 56, 84, 168, 364]
    got = days_to_half_area(days, [a0 * math.exp(-k * day / 7) for day in days])
    assert got == pytest.approx(7 * math.log(2) / k)


def test_half_the_area_when_it_closes_grows_first_or_never() -> None:
    assert days_to_half_area([0, 10], [4.0, 0.0]) == pytest.approx(5)
    assert days_to_half_area([-4, 0, 10], [4.0, 6.0, 0.0]) == pytest.approx(4 + 10 * 4 / 6)
    assert math.isnan(days_to_half_area([0, 10], [4.0, 2.5])) and math.isnan(days_to_half_area([0], [0.0]))


def test_the_smallest_detectable_change_is_277_sem() -> None:
    # 1.96 √2 = 2.77, as printed by de Vet et al. 2006 and Bland & Altman's repeatability coefficient.
    assert smallest_detectable_change(1.0) == pytest.approx(2.77, abs=0.005)


@given(then=AREAS, now=AREAS, factor=st.floats(0.1, 10))
def test_change_is_antisymmetric_and_does_not_know_the_unit(then: float, now: float, factor: float) -> None:
    other = {"better": "worse", "worse": "better", "same": "same"}
    answer = change(then, now, PROTOCOL)
    assert change(now, then, PROTOCOL) == other[answer]
    if abs(abs(math.log(now / then)) - smallest_detectable_change(PROTOCOL.healing.sem_log_area)) > 1e-9:
        assert change(then * factor, now * factor, PROTOCOL) == answer


@pytest.mark.parametrize(
    ("then", "now", "answer"),
    [
        (4.0, 0.0, "better"),
        (0.0, 4.0, "worse"),
        (0.0, 0.0, "same"),
        (4.0, NAN, "uncertain"),
        (NAN, 4.0, "uncertain"),
        (4.0, 4.0 * math.exp(0.27), "same"),
        (4.0, 4.0 * math.exp(0.28), "worse"),
        (4.0, 4.0 * math.exp(-0.28), "better"),
    ],
)
def test_better_worse_same(then: float, now: float, answer: str) -> None:
    assert change(then, now, PROTOCOL) == answer


def test_beyond_the_detectable_change_but_within_the_photos_own_errors_is_uncertain() -> None:
    assert change(4.0, 5.6, PROTOCOL, interval_then=(3.8, 4.2), interval_now=(5.3, 5.9)) == "worse"
    assert change(4.0, 5.6, PROTOCOL, interval_then=(3.0, 5.3), interval_now=(4.2, 7.4)) == "uncertain"
    assert change(4.0, 0.0, PROTOCOL, interval_then=(0.0, 9.0), interval_now=(0.0, 0.5)) == "better"


@pytest.mark.parametrize(
    ("now", "detectable", "percent"),
    [
        (11.9, "same", "same"),  # 19 %
        (12.1, "same", "worse"),  # 21 %; the smallest detectable change is 32 % upwards
        (8.1, "same", "same"),
        (7.9, "same", "better"),  # 21 % less; 24 % are detectable
        (7.5, "better", "better"),
        (14.0, "worse", "worse"),
    ],
)
def test_a_protocol_can_count_change_in_percent(now: float, detectable: str, percent: str) -> None:
    by_percent = PROTOCOL.changed(change_rule="percent", change_area_pct=20.0)
    assert (change(10.0, now, PROTOCOL), change(10.0, now, by_percent)) == (detectable, percent)
