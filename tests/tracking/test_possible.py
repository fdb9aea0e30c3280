"""A possible ulcer counts for nothing until a reader confirms it, and keeps its place from being called clear."""

from __future__ import annotations

import pytest
from finger_histories import PROTOCOL, FingerHistory, flags_of

from ulcermeter import follow_healing
from ulcermeter.tables.flags import FlagKind, read_flags
from ulcermeter.tracking.observation import Observation, combine

AT, ELSEWHERE = (12.0, -2.0, 4.0), (24.0, 3.0, 2.5)
POSSIBLE = {"presence": "possible"}


def kinds(history: FingerHistory) -> list[list[FlagKind]]:
    return [[flag.kind for flag in read_flags(cell)] for cell in history.track()["flags"]]


def test_a_possible_ulcer_is_neither_open_nor_new() -> None:
    history = FingerHistory().shot("baseline", AT).shot("week 4", AT).shot("week 4", ELSEWHERE, **POSSIBLE)
    assert history.states()[1:] == [("week 4", "1", "persistent"), ("week 4", "2", "indeterminate")]
    assert FlagKind.POSSIBLE_ULCER in kinds(history)[-1]


def test_it_keeps_its_place_from_being_healed() -> None:
    history = FingerHistory().shot("baseline", AT).shot("week 4", AT, **POSSIBLE).shot("week 8")
    assert [state for *_, state in history.states()] == ["first seen", "indeterminate", "healed"]
    assert list(history.track()["presence"]) == ["ulcer", "possible", ""]


def test_a_second_photo_on_which_nothing_was_found_does_not_heal_it() -> None:
    history = FingerHistory().shot("baseline", AT).shot("week 4", AT, **POSSIBLE).shot("week 4")
    assert [state for *_, state in history.states()] == ["first seen", "indeterminate"]


def test_one_surely_elsewhere_lets_another_place_heal() -> None:
    history = FingerHistory().shot("baseline", AT).shot("week 4", ELSEWHERE, **POSSIBLE)
    assert history.states()[1:] == [("week 4", "1", "healed"), ("week 4", "2", "indeterminate")]
    nowhere = FingerHistory().shot("baseline", AT, (20, 0, 3)).shot("week 4", AT, unlocated=True, **POSSIBLE)
    assert {state for visit, _, state in nowhere.states() if visit == "week 4"} == {"indeterminate"}


def test_a_place_with_a_possible_ulcer_was_not_seen_clear() -> None:
    history = FingerHistory().shot("baseline", ELSEWHERE, **POSSIBLE).shot("week 4", ELSEWHERE)
    assert [state for *_, state in history.states()] == ["indeterminate", "first seen"]
    clear = FingerHistory().shot("baseline", AT).shot("week 4", ELSEWHERE)
    assert clear.states()[-1] == ("week 4", "2", "new")


@pytest.mark.parametrize("confirmed", [{"reader_state": "open"}, {"reader": "R1"}])
def test_a_reader_makes_it_an_ulcer(confirmed: dict[str, str]) -> None:
    history = FingerHistory().shot("baseline", AT).shot("week 4", AT, **POSSIBLE, **confirmed)
    tracked = history.track()
    assert list(tracked["state"]) == ["first seen", "persistent"]
    assert FlagKind.POSSIBLE_ULCER not in kinds(history)[-1]
    assert "reader" in confirmed or list(tracked["presence"]) == ["ulcer", "ulcer"]


def test_a_reader_rules_it_out() -> None:
    history = FingerHistory().shot("baseline", AT).shot("week 4", AT, reader_state="healed", **POSSIBLE)
    assert [state for *_, state in history.states()] == ["first seen", "healed"]
    row = follow_healing(history.track(), history.tables()[1], protocol=PROTOCOL).iloc[-1]
    assert (row["state"], row["area_mm2"], row["diameter_high_mm"]) == ("healed", 0.0, 0.8)


def test_a_surer_photo_of_the_visit_decides_and_gives_the_size() -> None:
    history = FingerHistory().shot("baseline", AT).shot("week 4", AT).shot("week 4", (12.0, -2.0, 2.0), **POSSIBLE)
    tracked = history.track()
    assert list(tracked["state"]) == ["first seen", "persistent", "persistent"]
    assert list(tracked["presence"]) == ["ulcer", "ulcer", "possible"]
    assert FlagKind.POSSIBLE_ULCER in {flag.kind for flag in flags_of(tracked, 2)}
    row = follow_healing(tracked, history.tables()[1], protocol=PROTOCOL).iloc[-1]
    assert (row["diameter_mm"], row["n_photos"]) == (4.0, 1)


def test_it_neither_merges_two_ulcers_nor_splits_one() -> None:
    merging = FingerHistory().shot("baseline", (10, 0, 2.5), (15, 0, 4.0)).shot("week 4", (13, 0, 8.0), **POSSIBLE)
    assert "merged" not in {state for *_, state in merging.states()}
    parts = FingerHistory().shot("baseline", (12, 0, 7.0)).shot("week 4", (10.0, 0, 2.5), (14.0, 0.3, 2.0), **POSSIBLE)
    assert "split" not in {state for *_, state in parts.states()}


def test_one_sure_outline_of_two_on_a_photo_is_enough() -> None:
    def seen(photo: str, possible: bool) -> Observation:
        on = frozenset({photo})
        return Observation(
            (), on, {}, frozenset(), frozenset(), "", 1.0, 1.0, possible_on=on if possible else frozenset()
        )

    assert combine([seen("a", True), seen("a", False)], parts=False).possible_on == frozenset()
    both = combine([seen("a", True), seen("b", False)], parts=False)
    assert both.possible_on == {"a"} and not both.only_possible
    assert combine([seen("a", True), seen("b", True)], parts=False).only_possible
