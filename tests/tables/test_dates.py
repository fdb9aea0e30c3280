"""Dates as trials write them, partial ones included."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ulcermeter.tables.dates import add_months, day_number, in_doubt, parse_date, time_keys


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("2016-05-17", date(2016, 5, 17), date(2016, 5, 17)),
        ("2016-02", date(2016, 2, 1), date(2016, 2, 29)),
        ("2015-02", date(2015, 2, 1), date(2015, 2, 28)),
        ("2016", date(2016, 1, 1), date(2016, 12, 31)),
        (" 2016-05-17 ", date(2016, 5, 17), date(2016, 5, 17)),
    ],
)
def test_a_partial_date_is_an_interval(text: str, low: date, high: date) -> None:
    read = parse_date(text)
    assert read is not None and (read.low, read.high) == (low, high) and read.exact == (low == high)


def test_nothing_is_not_known() -> None:
    assert parse_date("") is None and parse_date("  ") is None


@pytest.mark.parametrize("text", ["17.05.2016", "2016-13", "2015-02-30", "2016-5-1", "yesterday", "2016-00"])
def test_what_is_no_date_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="Expected a"):
        parse_date(text)


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        (date(2023, 1, 31), 1, date(2023, 2, 28)),
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2023, 11, 30), 3, date(2024, 2, 29)),
        (date(2023, 12, 15), 1, date(2024, 1, 15)),
        (date(2024, 3, 31), -1, date(2024, 2, 29)),
    ],
)
def test_months_are_calendar_months(day: date, months: int, then: date) -> None:
    assert add_months(day, months) == then


@given(st.dates(date(1950, 1, 1), date(2080, 1, 1)), st.integers(0, 30))
def test_adding_months_keeps_the_day_or_cuts_it_to_the_months_end(day: date, months: int) -> None:
    then = add_months(day, months)
    assert (then.year - day.year) * 12 + then.month - day.month == months
    assert then.day == day.day or (then.day < day.day and add_months(then.replace(day=1), 1) > then)


def test_a_day_number_needs_both_dates_to_the_day() -> None:
    assert day_number("2024-05-20", "2024-05-06") == 14
    assert day_number("2024-04-22", "2024-05-06") == -14
    assert day_number("2024-05", "2024-05-06") is None and day_number("2024-05-20", "") is None


PLACES = {"history": 0, "baseline": 1, "week 2": 2, "week 4": 3}


@pytest.mark.parametrize(
    "visits",
    [
        # Each in the order meant; dates as text would put most of the partial ones first.
        [("baseline", "2016-05-02"), ("week 2", "2016-05"), ("week 4", "2016-05-30")],
        [("baseline", "2016-05"), ("week 2", "2016-05-16"), ("week 4", "2016-06")],
        [("history", "2016"), ("baseline", "2016-05"), ("week 2", "2016-05"), ("week 4", "2016")],
        [("history", "2015-12-31"), ("history", "2016-01"), ("baseline", "2016-02-01")],
        [("baseline", "2016-05-02"), ("week 2", ""), ("week 4", "2016-05-30")],
        [("baseline", "2016-05-02"), ("unscheduled", "2016-05-09"), ("week 2", "2016-05-16")],
        [("baseline", "2016-05-02"), ("unscheduled", "2016-05-02")],
        # Dates that do not overlap decide against the protocol.
        [("week 4", "2016-04"), ("week 2", "2016-05-16")],
    ],
)
def test_visits_stand_in_time_and_within_a_partial_date_as_planned(visits: list[tuple[str, str]]) -> None:
    for shown in (visits, visits[::-1]):
        keys = time_keys(shown, PLACES)
        assert [visit for _, visit in sorted(zip(keys, shown, strict=True))] == visits


def test_an_order_that_neither_date_nor_protocol_tells_is_in_doubt() -> None:
    planned = [("baseline", "2016-05-02"), ("week 2", "2016-05"), ("week 4", "2016-05-30")]
    assert in_doubt(planned, PLACES) == {}
    unplanned = ("unscheduled", "2016-05-20")
    assert in_doubt([*planned, unplanned], PLACES) == {("week 2", "2016-05"): ["unscheduled (2016-05-20)"]}
    assert in_doubt([*planned, ("unscheduled", "2016-06")], PLACES) == {}
    twice = [("history", "2015"), ("history", "2015-03-01"), ("history", "2014-03-01")]
    assert in_doubt(twice, PLACES) == {("history", "2015"): ["history (2015-03-01)"]}
