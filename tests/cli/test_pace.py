"""Photos a second and time left: by hand, with a clock that stands still."""

from __future__ import annotations

import pytest

from ulcermeter.cli.pace import Pace


def noted(*calls: tuple[float, int, bool], total: int = 20_000) -> Pace:
    """A pace after calls of (s, rows done, whether a row was measured)."""
    at = iter([s for s, _, _ in calls])
    pace = Pace(lambda: next(at))
    for _, done, measured in calls:
        pace.note(done, total, "a result" if measured else None)
    return pace


def test_rows_of_an_earlier_run_say_nothing_of_this_runs_pace() -> None:
    before = [(0.001 * k, k, True) for k in range(1, 1001)]
    pace = noted(*before, (2.0, 1000, False), (4.0, 1001, True), (6.0, 1002, True), total=1012)
    assert (pace.per_s, pace.left_s) == (0.5, 20.0)
    assert str(pace) == "0.50/s, 0:00:20 left"


def test_before_the_first_row_nothing_is_said() -> None:
    assert (noted().per_s, noted().left_s, str(noted((1.0, 0, False)))) == (None, None, "")


def test_the_last_minute_counts() -> None:
    slow = [(10.0 * k, k, True) for k in range(1, 31)]  # 5 minutes of one photo in 10 s; then more workers come
    fast = [(300.0 + 0.1 * k, 30 + k, True) for k in range(1, 1001)]
    pace = noted((0.0, 0, False), *slow, *fast, total=2030)
    assert pace.per_s == pytest.approx(10) and pace.left_s == pytest.approx(100)


def test_photos_that_take_longer_than_a_minute_have_a_pace_too() -> None:
    assert noted((0.0, 0, False), (90.0, 1, True), (180.0, 2, True)).per_s == pytest.approx(1 / 90)
