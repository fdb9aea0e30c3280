"""Outcomes per ulcer and per subject, story by story."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest
from outcome_cases import PROTOCOL, VISITS, on, only, tabulate, ulcer

from ulcermeter.healing import follow_healing
from ulcermeter.outcomes import outcome_columns
from ulcermeter.tables import columns, empty, from_rows
from ulcermeter.tables.flags import Flag, FlagKind, write_flags

HEALS = ulcer((0, 10.0), (14, 6.0), (28, 0.0), (56, 0.0), (84, 0.0))
EXAMINED = [{"subject_id": "S01", "visit": v, "all_fingers_examined": "yes"} for v in ("baseline", "week 12", "week 4")]


def one(*rows: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    return only(tabulate(*rows, **changes).outcomes)


def subject(*rows: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    return only(tabulate(*rows, **changes).outcomes_by_subject)


def test_heals_and_is_confirmed() -> None:
    row = one(HEALS)
    assert (row["healed"], row["healing_confirmed"], row["recurred"]) == ("yes", "yes", "no")
    assert (row["healing_day_low"], row["healing_day_high"], row["event_observed"]) == (14, 28, 1)
    assert (row["baseline_area_mm2"], row["worsened_by_week_12"], row["injected_limb"]) == (10, "no", "yes")
    # k = ln(10/6) over two weeks; half of 10 lies on the straight line from 6 at day 14 to 0 at day 28.
    assert row["healing_rate_per_week"] == pytest.approx(math.log(10 / 6) / 2)
    assert row["days_to_half_area"] == pytest.approx(14 + 14 / 6)
    week = {n: row[f"area_reduction_week_{n}_pct"] for n in (2, 4, 8, 12)}
    assert week == pytest.approx({2: 40, 4: 100, 8: 100, 12: 100})
    assert math.isnan(row["area_reduction_week_24_pct"])


def test_healed_at_the_last_visit_is_confirmed_unknown() -> None:
    row = one(ulcer((0, 10.0), (84, 0.0)))
    assert (row["healed"], row["healing_confirmed"], row["recurred"]) == ("yes", "unknown", "unknown")


def test_heals_and_recurs() -> None:
    row = one(ulcer((0, 10.0), (28, 0.0), (56, 4.0), (84, 5.0)))
    assert (row["healed"], row["healing_confirmed"], row["recurred"]) == ("yes", "no", "yes")
    told = subject(ulcer((0, 10.0), (28, 0.0), (56, 4.0), (84, 5.0)))
    assert (told["n_recurred"], told["n_healed"], told["n_active_week_4"], told["n_active_week_8"]) == (1, 0, 0, 1)


def test_never_seen_again_is_unknown_and_still_open_is_no() -> None:
    assert one(ulcer((0, 10.0)))["healed"] == "unknown"
    row = one(ulcer((0, 10.0), (28, 9.0)))
    assert (row["healed"], row["event_observed"], row["healing_day_low"]) == ("no", 0, 28)
    assert math.isnan(row["healing_day_high"])


@pytest.mark.parametrize(
    ("where", "healed"),
    [
        ({"hand": "left", "finger": "index"}, "no"),
        ({"hand": "left", "finger": "ring"}, "yes"),
        ({"hand": "right", "finger": "index"}, "yes"),
        ({"hand": "left", "finger": ""}, "unknown"),
    ],
)
def test_an_amputated_fingers_ulcer_has_not_healed(where: dict[str, str], healed: str) -> None:
    event = {"subject_id": "S01", "event": "amputation", "date": on(60), **where}
    row = one(HEALS, events=[event])
    assert (row["healed"], row["event_observed"]) == (healed, int(healed == "yes"))
    before = one(HEALS, events=[event | {"date": on(-200)}])
    assert before["healed"] == "yes"


def test_an_amputation_that_tracking_saw() -> None:
    row = one(ulcer((0, 10.0), (28, 9.0), (56, None, {"state": "amputated"})))
    assert (row["healed"], row["worsened_by_week_12"]) == ("no", "yes")


# --- worsened by week 12 -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([(0, 10.0), (84, 10.5)], "no"),
        ([(0, 10.0), (91, 5.0)], "no"),  # the window's last day
        ([(0, 10.0), (92, 5.0)], "unknown"),  # no assessment in the window of week 12
        ([(0, 10.0), (77, 5.0)], "no"),
        ([(0, 10.0), (76, 5.0)], "unknown"),
        ([(0, 10.0), (28, 14.0), (84, 5.0)], "yes"),  # worse at any visit
        ([(0, 10.0), (91, 14.0)], "yes"),
        ([(0, 10.0), (84, 5.0), (92, 30.0)], "no"),  # later than the window
        ([(-30, 10.0), (84, 5.0)], "unknown"),  # no baseline
        ([(0, 10.0), (84, 12.0, {"change_from_baseline": "uncertain"})], "unknown"),
        ([(0, 10.0), (28, 12.0, {"change_from_baseline": "uncertain"}), (84, 5.0)], "unknown"),
        # Uncertain whether smaller or the same, but not larger.
        ([(0, 10.0), (84, 7.0, {"change_from_baseline": "uncertain"})], "no"),
        # Whose size it was is not known.
        ([(0, 10.0), (84, 7.0, {"change_from_baseline": "uncertain", "area_reduction_pct": float("nan")})], "unknown"),
    ],
)
def test_worsened(seen: list[Any], expected: str) -> None:
    assert one(ulcer(*seen))["worsened_by_week_12"] == expected


@pytest.mark.parametrize("event", ["gangrene", "infection", "amputation"])
@pytest.mark.parametrize(
    ("day", "finger", "expected"),
    [(30, "index", "yes"), (91, "index", "yes"), (92, "index", "no"), (30, "ring", "no"), (30, "", "unknown")],
)
def test_harm_of_the_finger_is_worsening(event: str, day: int, finger: str, expected: str) -> None:
    row = {"subject_id": "S01", "hand": "left", "finger": finger, "event": event, "date": on(day)}
    assert one(ulcer((0, 10.0), (84, 5.0)), events=[row])["worsened_by_week_12"] == expected


def test_an_event_without_a_date_leaves_it_open() -> None:
    row = {"subject_id": "S01", "hand": "left", "finger": "index", "event": "infection", "date": ""}
    assert one(ulcer((0, 10.0), (84, 5.0)), events=[row])["worsened_by_week_12"] == "unknown"
    other = row | {"event": "debridement"}
    assert one(ulcer((0, 10.0), (84, 5.0)), events=[other])["worsened_by_week_12"] == "no"


# --- visits, baseline, rescue --------------------------------------------------------------------------------------


def test_the_nearest_photo_in_the_window_counts_for_a_visit() -> None:
    rows = ulcer((0, 10.0), (50, 8.0), (58, 6.0), (70, 1.0))
    assert one(rows)["area_reduction_week_8_pct"] == pytest.approx(40)
    tie = ulcer((0, 10.0), (54, 8.0), (58, 6.0, {"visit": "week 8"}))
    assert one(tie)["area_reduction_week_8_pct"] == pytest.approx(40)
    outside = ulcer((0, 10.0), (70, 5.0, {"visit": "week 8"}))
    assert math.isnan(one(outside)["area_reduction_week_8_pct"])


def test_the_baseline_is_the_last_at_most_28_days_before() -> None:
    assert one(ulcer((-28, 10.0), (14, 5.0)))["baseline_area_mm2"] == 10
    assert math.isnan(one(ulcer((-29, 10.0), (14, 5.0)))["baseline_area_mm2"])
    assert one(ulcer((-21, 10.0), (0, 8.0), (14, 5.0)))["baseline_area_mm2"] == 8
    assert math.isnan(one(ulcer((-21, 10.0), (0, 0.0), (14, 5.0)))["baseline_area_mm2"])


def test_the_baseline_is_surely_this_ulcer_as_in_trajectories() -> None:
    """An area that never moved from what stands as baseline has not shrunk, whoever's the one in between was."""
    unsure = {"flags": write_flags([Flag(FlagKind.AMBIGUOUS_IDENTITY, ulcers=("S01-left-index-2",))])}
    still = {"area_reduction_pct": 0.0}
    row = one(ulcer((-14, 12.0), (0, 6.0, unsure), (28, 12.0, still), (84, 12.0, still)))
    assert row["baseline_area_mm2"] == 12 and row["healing_rate_per_week"] == pytest.approx(0)
    assert math.isnan(one(ulcer((0, 6.0, unsure), (28, 6.0)))["baseline_area_mm2"])


def test_trajectories_and_outcomes_have_one_baseline() -> None:
    """Two of one size where there were two of other sizes: at baseline it is not known which is which."""
    sized = {"diameter_mm": 4.0, "perimeter_mm": 12.6, "label": 1, "photo": "a.jpg", "view": "palmar"}
    head = {"subject_id": "S01", "ulcer_id": "S01-left-index-1", "hand": "left", "finger": "index"}
    seen = [(-14, 12.0, ""), (0, 6.0, write_flags([Flag(FlagKind.AMBIGUOUS_IDENTITY)])), (28, 6.0, ""), (84, 6.0, "")]
    tracked = [
        head | sized | {"visit": VISITS.get(day, "screening"), "date": on(day), "day": day, "area_mm2": area}
        | {"state": "persistent", "flags": flags}
        for day, area, flags in seen
    ]  # fmt: skip
    course = follow_healing(from_rows("tracked", tracked), empty("photos"), protocol=PROTOCOL)
    row = one(course.to_dict("records"))
    stated = row["baseline_area_mm2"] * (1 - row["area_reduction_week_4_pct"] / 100)
    assert stated == pytest.approx(6) and row["area_reduction_week_4_pct"] == pytest.approx(50)


def test_rescue_follows_the_treatment_policy_and_is_censored_in_the_sensitivity_table() -> None:
    rescue = {"subject_id": "S01", "event": "rescue", "date": on(20)}
    assert one(HEALS, events=[rescue])["healed"] == "yes"
    row = one(HEALS, events=[rescue], censor_at_rescue=True)
    assert (row["healed"], row["event_observed"], row["healing_day_low"]) == ("no", 0, 14)
    elsewhere = rescue | {"hand": "right", "finger": "thumb"}
    assert one(HEALS, events=[elsewhere], censor_at_rescue=True)["healed"] == "yes"
    same_day = rescue | {"date": on(28)}
    assert one(HEALS, events=[same_day], censor_at_rescue=True)["healed"] == "yes"


@pytest.mark.parametrize(
    ("rescue", "event", "day", "healed", "worse", "safety"),
    [
        # Seen at days 0, 14, 28 (healed), 56 and 84; what comes after the rescue is left out, photos and events alike.
        (20, "gangrene", 50, "no", "unknown", "unknown"),
        (20, "gangrene", 20, "no", "yes", "yes"),
        (39, "amputation", 50, "yes", "unknown", "unknown"),
        (39, "amputation", 35, "no", "yes", "yes"),
    ],
)
def test_what_happens_after_rescue_is_censored_too(
    rescue: int, event: str, day: int, healed: str, worse: str, safety: str
) -> None:
    where = {"subject_id": "S01", "hand": "left", "finger": "index"}
    events = [where | {"event": "rescue", "date": on(rescue)}, where | {"event": event, "date": on(day)}]
    row = one(HEALS, events=events, censor_at_rescue=True)
    assert (row["healed"], row["worsened_by_week_12"]) == (healed, worse)
    told = subject(HEALS, events=events, visits=EXAMINED, censor_at_rescue=True)
    assert told["worsened_or_new_by_week_12"] == safety
    assert one(HEALS, events=events)["worsened_by_week_12"] == "yes"


def test_an_event_that_may_have_been_before_rescue_leaves_it_open() -> None:
    where = {"subject_id": "S01", "hand": "left", "finger": "index"}
    events = [where | {"event": "rescue", "date": on(60)}, where | {"event": "amputation", "date": on(60)[:7]}]
    assert one(HEALS, events=events, censor_at_rescue=True)["healed"] == "unknown"


def test_a_partly_dated_photo_that_may_be_later_than_rescue_is_censored() -> None:
    rows = ulcer((0, 10.0), (20, 0.0, {"day": None, "date": on(20)[:7], "visit": "week 2"}), (84, 0.0))
    assert one(rows)["healed"] == "yes"
    rescue = {"subject_id": "S01", "event": "rescue", "date": on(15)}
    assert one(rows, events=[rescue], censor_at_rescue=True)["healed"] == "unknown"
    assert one(rows, events=[rescue | {"date": on(60)}], censor_at_rescue=True)["healed"] == "yes"


def test_an_amputation_after_healing_is_taken_back_from_every_count() -> None:
    event = {"subject_id": "S01", "hand": "left", "finger": "index", "event": "amputation", "date": on(120)}
    told = subject(HEALS, events=[event])
    assert (told["n_healed"], told["largest_healed"]) == (0, "no")
    assert (subject(HEALS)["n_healed"], subject(HEALS)["largest_healed"]) == (1, "yes")


def test_the_other_limb_is_told_apart() -> None:
    table = tabulate(HEALS, ulcer((0, 5.0), (14, 5.0), name="right-ring-1")).outcomes
    assert dict(zip(table["hand"], table["injected_limb"], strict=True)) == {"left": "yes", "right": "no"}
    nobody = tabulate(HEALS, subjects=[{"subject_id": "S01", "treatment_date": on(0)}]).outcomes
    assert nobody["injected_limb"].item() == ""


# --- subjects ------------------------------------------------------------------------------------------------------


def test_burden_needs_all_fingers_examined() -> None:
    new = ulcer((28, 3.0, {"state": "new"}), (84, 3.0, {"state": "persistent"}), name="left-ring-1")
    rows = (ulcer((0, 10.0), (28, 8.0), (84, 7.0)), new)
    row = subject(*rows)
    assert (row["n_active_baseline"], row["n_new"], row["n_active_week_4"], row["n_active_week_12"]) == (1, 1, 2, 2)
    assert pd.isna(row["net_burden_change"]) and pd.isna(row["n_active_week_8"])
    assert row["worsened_or_new_by_week_12"] == "yes"
    assert subject(*rows, visits=EXAMINED)["net_burden_change"] == 1
    assert pd.isna(subject(*rows, visits=EXAMINED[1:])["net_burden_change"])


def test_an_open_ulcer_that_a_visit_missed_leaves_its_count_open() -> None:
    rows = (ulcer((0, 10.0), (28, 8.0), (84, 7.0)), ulcer((0, 3.0), (84, 3.0), name="left-ring-1"))
    assert pd.isna(subject(*rows)["n_active_week_4"])
    closed = (ulcer((0, 10.0), (28, 8.0), (84, 7.0)), ulcer((0, 3.0), (14, 0.0), name="left-ring-1"))
    assert subject(*closed)["n_active_week_4"] == 1


def test_no_harm_is_only_said_when_all_fingers_were_examined() -> None:
    stable = ulcer((0, 10.0), (84, 9.0))
    assert subject(stable)["worsened_or_new_by_week_12"] == "unknown"
    assert subject(stable, visits=EXAMINED)["worsened_or_new_by_week_12"] == "no"
    unseen = ulcer((56, 3.0), (84, 3.0), name="left-ring-1")
    assert subject(stable, unseen, visits=EXAMINED)["worsened_or_new_by_week_12"] == "unknown"
    worse = ulcer((0, 10.0), (84, 19.0))
    assert subject(worse)["worsened_or_new_by_week_12"] == "yes"


def test_a_possible_ulcer_is_not_counted_and_keeps_no_from_being_said() -> None:
    flags = write_flags([Flag(FlagKind.POSSIBLE_ULCER, photos=("56.jpg",))])
    possible = {"state": "indeterminate", "flags": flags}
    stable = ulcer((0, 10.0), (56, 9.0), (84, 9.0))
    weak = ulcer((56, 3.0, possible), (84, 0.0), name="left-ring-1")
    told = subject(stable, weak, visits=EXAMINED)
    assert (told["n_new"], told["worsened_or_new_by_week_12"]) == (0, "unknown")
    assert subject(stable, weak, visits=EXAMINED)["n_active_week_12"] == 1
    back = ulcer((0, 10.0), (14, 0.0), (56, 3.0, possible), (84, 0.0))
    assert (one(back)["healed"], one(back)["recurred"]) == ("yes", "unknown")


def test_the_largest_is_by_area_then_by_diameter() -> None:
    a = ulcer((0, 10.0, {"diameter_mm": 3.6}), (14, 0.0))
    b = ulcer((0, 10.0, {"diameter_mm": 5.0}), (14, 9.0), name="left-ring-1")
    c = ulcer((0, 9.0, {"diameter_mm": 9.0}), (14, 9.0), name="left-thumb-1")
    row = subject(a, b, c)
    assert (row["largest_ulcer"], row["largest_healed"], row["n_healed"]) == ("S01-left-ring-1", "no", 1)


def test_a_subject_without_ulcers_or_dates_is_unknown_throughout() -> None:
    row = subject(subjects=[{"subject_id": "S01"}])
    assert row["worsened_or_new_by_week_12"] == "unknown" and pd.isna(row["n_active_baseline"])
    undated = [row | {"day": None} for row in HEALS]
    assert one(undated)["healed"] == "unknown" and math.isnan(one(undated)["baseline_area_mm2"])


def test_columns_follow_the_protocols_visits() -> None:
    added = outcome_columns(PROTOCOL)
    visits = ["48h", *(f"week_{n}" for n in (2, 4, 8, 12, 24, 52))]
    assert added["outcomes"] == [
        *(f"area_reduction_{visit}_pct" for visit in visits),
        *(f"healed_by_{visit}" for visit in visits),
        "worsened_by_week_12",
        "worsened_confirmed_by_week_12",
    ]
    counts = [f"n_active_{visit}" for visit in visits]
    assert added["outcomes_by_subject"] == [*counts, "worsened_or_new_by_week_12"]
    done = tabulate(HEALS)
    assert list(done.outcomes.columns) == columns("outcomes") + added["outcomes"]
    assert list(done.outcomes_by_subject.columns) == columns("outcomes_by_subject") + added["outcomes_by_subject"]
    nothing = tabulate(subjects=[])
    assert list(nothing.outcomes.columns) == list(done.outcomes.columns) and len(nothing.outcomes) == 0


def test_the_order_of_rows_changes_nothing() -> None:
    rows = [*HEALS, *ulcer((0, 5.0), (14, 5.0), (84, 9.0), name="right-ring-1"), *ulcer((0, 2.0), subject="S02")]
    straight, turned = tabulate(rows), tabulate(rows[::-1])
    assert straight.outcomes.equals(turned.outcomes)
    assert straight.outcomes_by_subject.equals(turned.outcomes_by_subject)


UNSEEN = {"state": "not photographed", "change_from_baseline": "uncertain"}
UNSURE = UNSEEN | {"state": "indeterminate"}
GONE = UNSEEN | {"state": "merged"}
LARGER = UNSEEN | {"state": "persistent"}


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        # Open before baseline and later, its size at baseline not known.
        ([(-40, 4.0), (28, 12.0, LARGER), (84, 12.0, LARGER)], "unknown"),
        # Closed at baseline, and whether it opened again could not be seen.
        ([(-21, 4.0), (0, 0.0), (28, None, UNSURE), (84, None, UNSURE)], "unknown"),
        ([(-40, 4.0), (0, None, UNSEEN), (84, None, UNSEEN)], "unknown"),
        ([(-21, 4.0), (0, 0.0), (84, 0.0)], "no"),
        # Once healed, a place is seldom photographed; all fingers were examined.
        ([(-200, 4.0), (-150, 0.0), (0, None, UNSEEN), (84, None, UNSEEN)], "no"),
        # Since before baseline it is part of another, whose answer counts.
        ([(-60, 4.0), (-14, None, GONE), (0, None, GONE), (84, None, GONE)], "no"),
        # Come up later than the visit.
        ([(168, 4.0, {"state": "new"})], "no"),
    ],
)
def test_no_harm_is_only_said_when_every_known_ulcer_is_told_of(seen: list[Any], expected: str) -> None:
    stable = ulcer((0, 10.0), (84, 9.0))
    told = subject(stable, ulcer(*seen, name="left-middle-1"), visits=EXAMINED)
    assert told["worsened_or_new_by_week_12"] == expected


def test_an_ulcer_healed_before_treatment_that_opens_again_has_recurred() -> None:
    rows = ulcer((-21, 7.0), (0, 0.0), (28, 5.0), (84, 4.0))
    assert one(rows)["recurred"] == "yes" and subject(rows)["n_recurred"] == 1


def test_an_ulcer_that_went_into_another_is_counted_there() -> None:
    gone = {"state": "merged", "area_mm2": math.nan, "diameter_mm": math.nan}
    host = ulcer((0, 7.0), (28, 20.0, {"state": "merged"}), (84, 9.0))
    told = subject(host, ulcer((0, 5.0), (28, None, gone), (84, None, gone), name="left-index-2"))
    assert (told["n_active_baseline"], told["n_active_week_4"], told["n_active_week_12"]) == (2, 1, 1)


def test_what_became_of_an_ulcer_that_went_into_another_is_not_told() -> None:
    """The other then heals: the one that went into it is not counted as never healed."""
    host = ulcer((0, 10.0), (28, 16.0, {"state": "merged"}), (56, 0.0), (84, 0.0))
    part = ulcer((0, 5.0), (14, 5.0), (28, None, GONE), (56, None, GONE), (84, None, GONE), name="left-index-2")
    row = tabulate(host, part).outcomes.set_index("ulcer_id").loc["S01-left-index-2"]
    assert (row["healed"], row["recurred"], row["worsened_by_week_12"]) == ("unknown", "unknown", "unknown")
    assert (row["event_observed"], row["healing_day_low"]) == (0, 14)
    # Measured in the window of week 12, gone before its end.
    late = one(ulcer((0, 5.0), (77, 5.0), (91, None, GONE)))
    assert late["worsened_by_week_12"] == "unknown"
    assert one(ulcer((0, 5.0), (77, 5.0), (112, None, GONE)))["worsened_by_week_12"] == "no"
    # What healed by itself first has healed; a finger that was amputated has not.
    again = ulcer((0, 5.0), (14, 0.0), (28, 3.0), (56, None, GONE))
    assert one(again)["healed"] == "yes"
    event = {"subject_id": "S01", "hand": "left", "finger": "index", "event": "amputation", "date": on(120)}
    assert one(part, events=[event])["healed"] == "no"


@pytest.mark.parametrize(
    ("state", "counted", "active"), [("new", None, 0), ("first seen", None, None), ("new", 1, None)]
)
def test_no_ulcer_at_baseline_is_known_when_all_fingers_were_examined(
    state: str, counted: int | None, active: int | None
) -> None:
    visits = [visit | {"n_active_clinician": counted if visit["visit"] == "baseline" else None} for visit in EXAMINED]
    told = subject(ulcer((28, 5.0, {"state": state}), (84, 4.0)), visits=visits)
    if active is None:
        assert pd.isna(told["n_active_baseline"]) and pd.isna(told["net_burden_change"])
    else:
        assert (told["n_active_baseline"], told["net_burden_change"]) == (0, 1)
    assert pd.isna(subject(ulcer((28, 5.0, {"state": state}), (84, 4.0)))["n_active_baseline"])


def test_the_rate_of_an_ulcer_that_took_in_another_counts_both_at_baseline() -> None:
    # 6 and 4 mm2 at baseline grew into one of 10 and then 5: no faster than one of 10 that halves in twelve weeks.
    reductions = ({"state": "merged", "area_reduction_pct": 0.0}, {"area_reduction_pct": 50.0})
    row = one(ulcer((0, 6.0), (28, 10.0, reductions[0]), (84, 5.0, reductions[1])))
    alone = one(ulcer((0, 10.0), (28, 10.0), (84, 5.0)))
    assert row["healing_rate_per_week"] == pytest.approx(alone["healing_rate_per_week"])
    assert row["days_to_half_area"] == pytest.approx(84)


def test_an_outline_that_may_be_anothers_keeps_no_ulcer_open() -> None:
    """Open for certain at day 0, at day 14 only an outline of one of two: it may have closed on any day after 0."""
    unsure = {"flags": write_flags([Flag(FlagKind.AMBIGUOUS_IDENTITY, ulcers=("S01-left-index-2",))])}
    row = one(ulcer((-14, 6.0), (0, 6.0), (14, 5.0, unsure)))
    assert (row["healed"], row["healing_day_low"], row["event_observed"]) == ("unknown", 0, 0)
    assert one(ulcer((-14, 6.0), (0, 6.0), (14, 5.0)))["healed"] == "no"
    closed = ulcer((0, 6.0), (28, 0.0), (42, 5.0, unsure), (84, 0.0))
    assert (one(closed)["healed"], one(closed)["healing_confirmed"]) == ("yes", "unknown")
