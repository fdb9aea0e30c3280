"""Three-valued logic against its truth tables, dates as intervals against every day they can mean."""

from __future__ import annotations

import itertools
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ulcermeter.eligibility.three_valued import after, all_of, any_of, negate, not_after, yes_no
from ulcermeter.tables.dates import DateInterval, parse_date

VALUES = (True, None, False)
# Kleene 1952: and is the lower, or the higher, of false < unknown < true.
RANK = {False: 0, None: 1, True: 2}


@pytest.mark.parametrize(("a", "b"), list(itertools.product(VALUES, VALUES)))
def test_two_at_a_time(a: bool | None, b: bool | None) -> None:
    assert all_of(a, b) is min(a, b, key=RANK.__getitem__)
    assert any_of(a, b) is max(a, b, key=RANK.__getitem__)
    assert negate(all_of(a, b)) is any_of(negate(a), negate(b))


def test_not_and_nothing() -> None:
    assert [negate(v) for v in VALUES] == [False, None, True]
    assert all_of() is True and any_of() is False
    assert [yes_no(word) for word in ("yes", "no", "")] == [True, False, None]


@given(st.lists(st.sampled_from(VALUES), max_size=5))
def test_unknown_is_what_its_completions_disagree_on(truths: list[bool | None]) -> None:
    open_ones = [i for i, t in enumerate(truths) if t is None]
    done = []
    for filled in itertools.product((True, False), repeat=len(open_ones)):
        whole = [filled[open_ones.index(i)] if t is None else t for i, t in enumerate(truths)]
        done.append(all(whole))
    assert all_of(*truths) is (done[0] if len(set(done)) == 1 else None)


intervals = st.builds(
    lambda start, length: DateInterval(
        date(2016, 1, 1) + timedelta(days=start), date(2016, 1, 1) + timedelta(days=start + length)
    ),
    st.integers(0, 12),
    st.integers(0, 5),
)


@given(intervals, intervals)
def test_dates_are_compared_over_every_day_they_can_mean(a: DateInterval, b: DateInterval) -> None:
    def days(when: DateInterval) -> list[date]:
        return [when.low + timedelta(days=i) for i in range((when.high - when.low).days + 1)]

    answers = {x <= y for x in days(a) for y in days(b)}
    assert not_after(a, b) is (answers.pop() if len(answers) == 1 else None)
    assert after(a, b) is negate(not_after(a, b))


def test_an_unknown_date_leaves_the_comparison_open() -> None:
    assert not_after(None, parse_date("2016-05")) is None
    assert after(parse_date("2016-05-17"), None) is None
