"""Every state of the design, from a naive history."""

from __future__ import annotations

import pandas as pd
import pytest
from finger_histories import FingerHistory, flags_of

from ulcermeter.tables.flags import Flag, FlagKind, read_flags

AT = (12.0, -2.0, 4.0)


def test_an_ulcer_that_stays_then_heals_then_comes_back() -> None:
    history = FingerHistory().shot("screening", AT).shot("baseline", (12.4, -2.3, 3.6)).shot("week 4").shot("week 8")
    history.shot("week 12", (11.8, -1.8, 2.5)).shot("week 24", (12, -2, 2.2))
    states = ["first seen", "persistent", "healed", "healed", "recurrent", "persistent"]
    assert history.states() == [
        (visit, "1", state)
        for visit, state in zip(
            ("screening", "baseline", "week 4", "week 8", "week 12", "week 24"), states, strict=True
        )
    ]


def test_healed_without_a_reader_is_flagged_and_with_one_is_not() -> None:
    tracked = FingerHistory().shot("baseline", AT).shot("week 4").shot("week 8", reader_state="healed").track()
    assert list(tracked["state"]) == ["first seen", "healed", "healed"]
    assert flags_of(tracked) == [Flag(FlagKind.HEALED_BY_MACHINE)]


def test_a_place_seen_clear_at_baseline_gives_a_new_ulcer() -> None:
    history = FingerHistory().shot("baseline", AT).shot("week 4", AT, (22.0, 3.0, 2.2))
    tracked = history.track()
    assert history.states() == [("baseline", "1", "first seen"), ("week 4", "1", "persistent"), ("week 4", "2", "new")]
    clear = Flag(FlagKind.SEEN_CLEAR, photos=("00 baseline.jpg",), visit="baseline", date="2016-05-02")
    assert clear in flags_of(tracked, 2)


def test_a_place_seen_clear_only_before_baseline_is_first_seen_and_said() -> None:
    history = FingerHistory().shot("screening", AT).shot("baseline", AT, (22.0, 3.0, 2.2))
    assert history.states()[-1] == ("baseline", "2", "first seen")
    assert [f.kind for f in flags_of(history.track(), -1)] == [FlagKind.SEEN_CLEAR_BEFORE_BASELINE]


def test_a_new_ulcer_beside_an_old_one_is_not_the_old_one() -> None:
    history = FingerHistory().shot("baseline", AT).shot("week 4", (12.0, -1.6, 3.8), (18.0, -2.0, 2.0))
    assert history.states() == [("baseline", "1", "first seen"), ("week 4", "1", "persistent"), ("week 4", "2", "new")]


@pytest.mark.parametrize(
    ("row", "state", "kind"),
    [
        ({"covered": "yes"}, "indeterminate", FlagKind.COVERED),
        ({"reader_state": "indeterminate"}, "indeterminate", FlagKind.READER_UNSURE),
        ({"reader_state": "open"}, "indeterminate", FlagKind.READER_SAYS_OPEN),
        (
            {"status": "refused", "reason": "tilt 41°: hold the phone parallel"},
            "not photographed",
            FlagKind.PHOTO_NOT_MEASURED,
        ),
        ({"status": "failed", "reason": "no picture"}, "not photographed", FlagKind.PHOTO_NOT_MEASURED),
        ({"status": "indeterminate", "reason": "dark"}, "indeterminate", FlagKind.PHOTO_NOT_MEASURED),
        ({"view": "dorsal"}, "not photographed", FlagKind.OTHER_SIDE_SEEN),
        ({"view": ""}, "not photographed", FlagKind.OTHER_SIDE_SEEN),
        ({"finger": "middle"}, "not photographed", None),
        ({"detection_limit_mm": 2.6}, "indeterminate", FlagKind.LIMIT_OVER_THRESHOLD),
        ({"detection_limit_mm": float("nan")}, "healed", FlagKind.LIMIT_NOT_KNOWN),
        ({"ulcer_no": "2"}, "healed", FlagKind.HEALED_BY_MACHINE),
    ],
)
def test_nothing_found_is_not_yet_healed(row: dict, state: str, kind: FlagKind | None) -> None:
    last = FingerHistory().shot("baseline", AT).shot("week 4", **row).track().iloc[-1]
    assert (last["visit"], last["state"], last["ulcer_id"]) == ("week 4", state, "S01-left-index-1")
    assert kind is None or kind in {flag.kind for flag in read_flags(last["flags"])}
    assert pd.isna(last["label"]) and pd.isna(last["diameter_mm"])
    assert last["day"] == 28


@pytest.mark.parametrize("row", [{"covered": "yes"}, {"reader_state": "indeterminate"}, {"reader_state": "healed"}])
def test_an_outline_against_the_readers_word_is_unsure(row: dict) -> None:
    history = FingerHistory().shot("baseline", AT).shot("week 4", AT, **row).shot("week 8", AT)
    assert [state for _, _, state in history.states()] == ["first seen", "indeterminate", "persistent"]


def test_a_second_photo_of_the_visit_settles_what_the_first_cannot() -> None:
    history = FingerHistory().shot("baseline", AT).shot("week 4", status="refused", reason="blurred").shot("week 4")
    last = history.track().iloc[-1]
    assert (
        last["state"] == "healed"
        and "blurred" in read_flags(last["flags"])[-1].reason
        and last["photo"] == "02 week 4.jpg"
    )


def test_found_on_one_photo_and_not_on_the_other_is_open_and_said() -> None:
    tracked = FingerHistory().shot("baseline", AT).shot("week 4", AT).shot("week 4").track()
    assert list(tracked["state"]) == ["first seen", "persistent"]
    assert flags_of(tracked, 1) == [Flag(FlagKind.NOT_FOUND_ON, photos=("02 week 4.jpg",))]


def test_merged_keeps_the_larger_and_names_where_the_other_went() -> None:
    history = (
        FingerHistory()
        .shot("baseline", (10, 0, 2.5), (15, 0, 4.0))
        .shot("week 4", (13, 0, 8.0))
        .shot("week 8", (13, 0, 8.0))
    )
    tracked = history.track()
    assert history.states()[2:] == [
        ("week 4", "1", "merged"),
        ("week 4", "2", "merged"),
        ("week 8", "1", "merged"),
        ("week 8", "2", "persistent"),
    ]
    gone = tracked[(tracked["visit"] == "week 4") & (tracked["ulcer_id"] == "S01-left-index-1")].iloc[0]
    assert read_flags(gone["flags"]) == (Flag(FlagKind.MERGED_INTO, ulcers=("S01-left-index-2",)),)
    assert gone["merged_into"] == "S01-left-index-2" and pd.isna(gone["label"])


def test_split_parts_keep_one_identity() -> None:
    history = FingerHistory().shot("baseline", (12, 0, 7.0)).shot("week 4", (10.0, 0, 2.5), (14.0, 0.3, 2.0))
    history.shot("week 8", (10.0, 0, 2.4), (14.0, 0.3, 1.8)).shot("week 12", (10.0, 0, 2.0))
    assert [(u, s) for _, u, s in history.states()] == [
        ("1", "first seen"),
        ("1", "split"),
        ("1", "split"),
        ("1", "split"),
        ("1", "split"),
        ("1", "persistent"),
    ]
    flagged = [FlagKind.SPLIT_OR_NEW in {f.kind for f in flags_of(history.track(), row)} for row in range(6)]
    assert flagged == [False, True, True, False, False, False]  # when it first has parts; nobody could tell a new one


@pytest.mark.parametrize(("t", "told"), [(3.0, True), (4.6, False)])
def test_a_new_ulcer_within_a_former_outline_of_another_is_flagged(t: float, told: bool) -> None:
    """8 mm across at first, 2 mm later: what opens 3 mm beside its middle lies where it was, at 4.6 mm not."""
    history = FingerHistory().shot("baseline", (12, 0, 8.0)).shot("week 2", (12, 0, 2.0)).shot("week 4", (12, 0, 2.0))
    tracked = history.shot("week 8", (12, 0, 2.0), (12, t, 1.8)).track()
    second = tracked[(tracked["visit"] == "week 8") & (tracked["label"] == 2)]
    assert second["ulcer_id"].item().endswith("-2")
    flags = [flag for flag in read_flags(second["flags"].item()) if flag.kind is FlagKind.SPLIT_OR_NEW]
    assert [flag.ulcers for flag in flags] == ([("S01-left-index-1",)] if told else [])


def test_amputated_from_the_day_of_the_event_on() -> None:
    history = FingerHistory().shot("baseline", AT).shot("week 4", AT).shot("week 8", finger="thumb").shot("week 12")
    event = {"subject_id": "S01", "hand": "left", "finger": "index", "event": "amputation", "date": "2016-06-20"}
    states = [state for _, _, state in history.states(events=pd.DataFrame([event]))]
    assert states == ["first seen", "persistent", "amputated", "amputated"]
    partial = [state for _, _, state in history.states(events=pd.DataFrame([event | {"date": "2016-06"}]))]
    assert partial == ["first seen", "persistent", "not photographed", "amputated"]


def test_a_visit_without_a_photo_is_a_row() -> None:
    history = FingerHistory().shot("baseline", AT).shot("week 8", AT)
    visits = [
        {"subject_id": "S01", "visit": "baseline", "date": "2016-05-02", "attended": "yes"},
        {"subject_id": "S01", "visit": "week 4", "date": "2016-05-30", "attended": "no"},
        {"subject_id": "S01", "visit": "week 8", "date": "2016-06-28"},
        {"subject_id": "S02", "visit": "week 12", "date": "2016-07-28"},
    ]
    tracked = history.track(visits=pd.DataFrame(visits))
    assert list(tracked["state"]) == ["first seen", "not photographed", "persistent"]
    assert flags_of(tracked, 1) == [Flag(FlagKind.VISIT_NOT_ATTENDED)]


def test_a_click_says_nothing_of_what_was_not_clicked() -> None:
    other = (25.0, 2.0, 3.0)
    history = FingerHistory().shot("baseline", AT, other)
    history.shot("week 4", AT, x=460, y=540, ulcer_no="1")
    assert history.states()[2:] == [("week 4", "1", "persistent"), ("week 4", "2", "indeterminate")]
    assert FlagKind.ONLY_CLICK_SEARCHED in {flag.kind for flag in flags_of(history.track())}


def test_a_readers_word_for_one_of_two_ulcers() -> None:
    other = (25.0, 2.0, 3.0)
    history = (
        FingerHistory()
        .shot("baseline", AT, x=460, y=540, ulcer_no="1")
        .shot("baseline", other, x=540, y=800, ulcer_no="2")
    )
    history.shot("week 4", other, ulcer_no="1", reader_state="healed")
    tracked = history.track()
    assert history.states()[2:] == [("week 4", "1", "healed"), ("week 4", "2", "persistent")]
    assert "healed_by_machine" not in "".join(tracked["flags"])


def test_within_a_partial_date_the_protocol_tells_the_order() -> None:
    """The photo of week 2, dated to the month, shows nothing; the ulcer was open at baseline in that month."""
    history = FingerHistory().shot("baseline", AT).shot("week 2", date="2016-05").shot("week 4", AT)
    tracked = history.track().set_index("visit")
    assert tracked["state"].to_dict() == {"baseline": "first seen", "week 2": "healed", "week 4": "recurrent"}


@pytest.mark.parametrize("seen", [(), (AT,)])
def test_where_the_order_is_not_told_neither_is_the_state(seen: tuple) -> None:
    history = FingerHistory().shot("baseline", AT).shot("week 2", AT).shot("unscheduled", *seen, date="2016-05")
    tracked = history.shot("week 4", AT).track().set_index("visit")
    assert tracked.loc["unscheduled", "state"] == "indeterminate"
    order = read_flags(tracked.loc["unscheduled", "flags"])[-1]
    assert (order.kind, order.date, order.others[0]) == (FlagKind.ORDER_NOT_KNOWN, "2016-05", "baseline (2016-05-02)")
    assert tracked.loc["week 4", "state"] == "persistent"
    refused = (
        FingerHistory().shot("baseline", AT).shot("unscheduled", status="refused", day=7).shot("week 2", date="2016-05")
    )
    assert refused.track().set_index("visit").loc["week 2", "state"] == "healed", "what did not pass tells nothing"
    later = (
        FingerHistory().shot("baseline", AT).shot("unscheduled", date="2016-07").shot("week 12", AT, date="2016-08-02")
    )
    assert [state for _, _, state in later.states()] == ["first seen", "healed", "recurrent"]


def test_a_place_seen_clear_before_or_after_makes_no_new_ulcer() -> None:
    history = FingerHistory().shot("week 2", (25.0, 2.0, 3.0)).shot("unscheduled", date="2016-05").shot("week 4", AT)
    assert history.shot("week 8", AT).states()[-1][2] == "persistent"
    tracked = history.track().set_index(["visit", "ulcer_id"])
    first = tracked.loc[("week 4", "S01-left-index-2")]
    assert first["state"] == "new"
    assert [flag.photos for flag in read_flags(first["flags"])] == [("00 week 2.jpg",)]


@pytest.mark.parametrize("visits", [("week 2", "unscheduled"), ("unscheduled", "week 2")])
def test_found_at_one_visit_of_a_day_and_not_at_the_other_is_open(visits: tuple[str, str]) -> None:
    """Else what is open the next time would have come back, and had never gone."""
    history = (
        FingerHistory().shot("baseline", AT).shot(visits[0], AT, day=14).shot(visits[1], day=14).shot("week 4", AT)
    )
    tracked = history.track().set_index("visit")
    assert tracked.loc[visits[0], "state"] == "persistent"
    assert tracked.loc[visits[1], "state"] == "indeterminate"
    assert Flag(FlagKind.OUTLINED_THAT_DAY) in read_flags(tracked.loc[visits[1], "flags"])
    assert tracked.loc["week 4", "state"] == "persistent"
