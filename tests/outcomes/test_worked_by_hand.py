"""Hostile courses, each worked out by hand from the rules before it was run; the reason stands beside it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from outcome_cases import PROTOCOL, on, only, study, tabulate, ulcer

from ulcermeter.datatypes import placed_events
from ulcermeter.outcomes import outcome_columns, tabulate_outcomes
from ulcermeter.protocol import Protocol, Visit
from ulcermeter.statistics import smallest_detectable_change
from ulcermeter.tables import from_rows
from ulcermeter.tables.flags import Flag, FlagKind, write_flags

NAN = float("nan")
MACHINE = {"flags": write_flags([Flag(FlagKind.HEALED_BY_MACHINE)])}
HERE = {"hand": "left", "finger": "index"}
HEALS = ulcer((0, 10.0), (14, 6.0), (28, 0.0), (56, 0.0), (84, 0.0))
STABLE = ulcer((0, 10.0), (28, 10.0), (84, 9.5))


def one(*rows: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    return only(tabulate(*rows, **changes).outcomes)


def subject(*rows: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    return only(tabulate(*rows, **changes).outcomes_by_subject)


def seen(visit: str, count: int | None, examined: str = "yes") -> dict[str, Any]:
    row = {"subject_id": "S01", "visit": visit, "attended": "yes", "all_fingers_examined": examined}
    return row | {"n_active_clinician": count}


def event(what: str, day: int | str, **where: str) -> dict[str, Any]:
    date = on(day) if isinstance(day, int) else day
    return {"subject_id": "S01", "event": what, "date": date, **where}


def under(protocol: Protocol, *ulcers: list[dict[str, Any]], **changes: Any) -> Any:
    rows = [row for own in ulcers for row in own]
    return tabulate_outcomes(
        replace(study(trajectories=rows, **changes), protocol=protocol), from_rows("trajectories", rows)
    )


# --- the clinic's own count ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "safety", "told"),
    [
        ([("baseline", 1), ("week 12", 1)], "no", ""),
        ([("baseline", 1), ("week 12", 5)], "unknown", "week 12: the clinic 5, photos 1"),  # four that nobody knows
        (
            [("baseline", 3), ("week 12", 1)],
            "unknown",
            "baseline: the clinic 3, photos 1",
        ),  # two unknown
        ([("baseline", 1), ("week 4", 2), ("week 12", 1)], "unknown", "week 4: the clinic 2, photos 1"),
        ([("baseline", 1), ("week 12", 1), ("week 24", 3)], "no", "week 24: the clinic 3, photos 0 to 1"),  # later
        (
            [("baseline", 1), ("week 12", 0)],
            "no",
            "week 12: the clinic 0, photos 1",
        ),  # told; nothing is worse
        ([("baseline", 1), ("week 8", 1), ("week 12", 1)], "no", ""),  # not photographed at week 8, may be that one
        ([("baseline", None), ("week 12", None)], "no", ""),  # an empty count says nothing
    ],
)
def test_a_count_that_photos_contradict(counts: list[tuple[str, int | None]], safety: str, told: str) -> None:
    row = subject(STABLE, visits=[seen(visit, n) for visit, n in counts])
    assert (row["worsened_or_new_by_week_12"], row["counts_disagree"]) == (safety, told)
    agreed = told == "" or "week 4" in told or "week 24" in told
    base, now = dict(counts)["baseline"], 1
    assert pd.isna(row["net_burden_change"]) == (not agreed), (base, now)


def test_what_was_seen_worse_stays_worse_whatever_the_clinic_counts() -> None:
    worse = ulcer((0, 10.0), (84, 20.0))
    assert subject(worse, visits=[seen("baseline", 1), seen("week 12", 5)])["worsened_or_new_by_week_12"] == "yes"


def test_a_count_of_a_part_of_the_fingers_only_contradicts_upwards() -> None:
    """Three seen on some fingers are three; none seen on some fingers is not none."""
    part = [seen("baseline", 1), seen("week 12", 3, "no")]
    assert subject(STABLE, visits=part)["counts_disagree"] == "week 12: the clinic 3, photos 1"
    assert subject(STABLE, visits=[seen("baseline", 1), seen("week 12", 0, "no")])["counts_disagree"] == ""


def test_a_new_ulcer_is_none_before_it_came_and_a_first_seen_one_may_have_been_there() -> None:
    base = [seen("baseline", 2)]
    new = ulcer((28, 3.0, {"state": "new"}), (84, 3.0), name="left-ring-1")
    assert subject(STABLE, new, visits=base)["counts_disagree"] == "baseline: the clinic 2, photos 1"
    first = ulcer((28, 3.0), (84, 3.0), name="left-ring-1")
    assert subject(STABLE, first, visits=base)["counts_disagree"] == ""


# --- what calls a trial safe -----------------------------------------------------------------------------------------

SAFE = [seen("baseline", None), seen("week 12", None)]


def undated(date: str, area: float, **more: Any) -> dict[str, Any]:
    """A row whose day is not known, of an ulcer of its own unless told otherwise; day 0 is 24 May 2016."""
    row = {"subject_id": "S01", "ulcer_id": "S01-left-ring-1", "hand": "left", "finger": "ring", "state": "new"}
    row |= {"visit": "unscheduled", "date": date, "day": None, "n_photos": 1, "area_mm2": area, "diameter_mm": 2.0}
    return row | more


@pytest.mark.parametrize(
    ("date", "new", "worse"),
    [
        ("2016-07", "yes", "yes"),  # days 38 to 68, all before the window's last, 91
        ("2016-08", "unknown", "unknown"),  # days 69 to 99
        ("", "unknown", "unknown"),
        ("2017", "no", "no"),  # surely later
        ("2016-05", "unknown", "unknown"),  # days -23 to 7: before or after treatment
    ],
)
def test_what_is_dated_to_the_month_is_not_passed_over(date: str, new: str, worse: str) -> None:
    assert subject(STABLE, [undated(date, 3.0)], visits=SAFE)["worsened_or_new_by_week_12"] == new
    grown = undated(date, 20.0, ulcer_id="S01-left-index-1", finger="index", state="persistent")
    grown |= {"change_from_baseline": "worse", "area_reduction_pct": -100.0}
    row = one([*STABLE, grown])
    assert row["worsened_by_week_12"] == worse
    # Worse once on a day that is not known: whether it was worse again is not known either.
    assert row["worsened_confirmed_by_week_12"] == {"no": "no"}.get(worse, "unknown")


@pytest.mark.parametrize(
    ("what", "day", "where", "safety"),
    [
        ("gangrene", 40, {"hand": "right", "finger": "ring"}, "unknown"),  # tissue lost where no ulcer was followed
        ("amputation", 40, {"hand": "right", "finger": "ring"}, "unknown"),
        ("infection", 40, {"hand": "right", "finger": "ring"}, "unknown"),
        ("gangrene", 40, {"hand": "right"}, "unknown"),
        ("gangrene", 40, HERE, "yes"),  # of the ulcer's own finger
        ("gangrene", 140, {"hand": "right", "finger": "ring"}, "no"),  # after the window
        ("gangrene", -5, {"hand": "right", "finger": "ring"}, "no"),  # before treatment
        ("debridement", 40, {"hand": "right", "finger": "ring"}, "no"),
        ("gangrene", "2016-08", {"hand": "right", "finger": "ring"}, "unknown"),
    ],
)
def test_tissue_lost_on_a_finger_without_an_ulcer(
    what: str, day: int | str, where: dict[str, str], safety: str
) -> None:
    assert subject(STABLE, visits=SAFE, events=[event(what, day, **where)])["worsened_or_new_by_week_12"] == safety


@pytest.mark.parametrize(
    ("day", "attended", "safety"),
    [
        (84, "yes", "no"),
        (91, "yes", "no"),  # the window's last day
        (40, "yes", "unknown"),  # looked at too early to know what came until week 12
        (150, "yes", "unknown"),  # that visit was not at week 12
        (84, "no", "unknown"),  # nobody was there
        ("2016-08", "yes", "no"),  # a visit of that name, dated to its month
        ("", "yes", "no"),
    ],
)
def test_all_fingers_examined_when_and_by_whom(day: int | str, attended: str, safety: str) -> None:
    date = on(day) if isinstance(day, int) else day
    visits = [seen("baseline", None), seen("week 12", None) | {"date": date, "attended": attended}]
    assert subject(STABLE, visits=visits)["worsened_or_new_by_week_12"] == safety


# --- columns say what the protocol says ------------------------------------------------------------------------------


def other_visits(primary: str) -> Protocol:
    days = {"screening": None, "day 0": 0, "Tag 30": 30, "End of study": 180}
    phases = {"screening": "screening", "day 0": "baseline"}
    visits = tuple(
        Visit(name=n, day=d, window_days=None if d is None else 7 * (d > 0), phase=phases.get(n, "follow-up"))  # type: ignore[arg-type]
        for n, d in days.items()
    )
    return replace(PROTOCOL.changed(primary_visit=primary), visits=visits)


def test_columns_are_named_after_the_protocols_visits() -> None:
    added = outcome_columns(other_visits("End of study"))
    assert added["outcomes"] == [
        "area_reduction_Tag_30_pct", "area_reduction_End_of_study_pct", "healed_by_Tag_30", "healed_by_End_of_study",
        "worsened_by_End_of_study", "worsened_confirmed_by_End_of_study",
    ]  # fmt: skip
    assert added["outcomes_by_subject"] == [
        "n_active_Tag_30",
        "n_active_End_of_study",
        "worsened_or_new_by_End_of_study",
    ]


def test_they_hold_what_they_say() -> None:
    rows = ulcer((0, 10.0), (30, 5.0), (180, 0.0))
    row = only(under(other_visits("Tag 30"), rows).outcomes)
    assert (row["area_reduction_Tag_30_pct"], row["area_reduction_End_of_study_pct"]) == (50, 100)
    assert (row["healed_by_Tag_30"], row["healed_by_End_of_study"]) == ("no", "yes")
    assert row["worsened_by_Tag_30"] == "no" and "worsened_by_week_12" not in row
    by_week_24 = only(under(PROTOCOL.changed(primary_visit="week 24"), STABLE + ulcer((168, 30.0))).outcomes)
    assert by_week_24["worsened_by_week_24"] == "unknown" and "worsened_by_week_12" not in by_week_24


# --- events that name only the clinic's number -----------------------------------------------------------------------

PHOTO = {"photo": "a.jpg", "subject_id": "S01", "visit": "baseline", "date": on(0), "hand": "left", "finger": "index"}


@pytest.mark.parametrize(
    ("photos", "number", "healed"),
    [
        ([PHOTO | {"ulcer_no": "1"}], "1", "no"),  # ulcer 1 is on the left index finger, which was amputated
        ([PHOTO | {"ulcer_no": "1"}], "2", "unknown"),  # nobody knows where ulcer 2 is
        ([PHOTO | {"ulcer_no": "1", "finger": "ring"}], "1", "yes"),  # it is on another finger
        ([PHOTO | {"ulcer_no": "1"}, PHOTO | {"ulcer_no": "1", "finger": "ring"}], "1", "unknown"),  # on two
    ],
)
def test_an_amputation_that_names_only_the_ulcer(photos: list[dict[str, Any]], number: str, healed: str) -> None:
    assert one(HEALS, photos=photos, events=[event("amputation", 60, ulcer_no=number)])["healed"] == healed


def test_the_clinics_ulcers_tell_the_place_too_and_a_finger_that_is_named_stands() -> None:
    told = [{"subject_id": "S01", "ulcer_no": "1", "hand": "left", "finger": "index"}]
    events = [event("infection", 20, ulcer_no="1"), event("infection", 20, ulcer_no="1", hand="left", finger="ring")]
    placed = placed_events(study(ulcers=told, events=events))
    assert placed[["hand", "finger"]].to_numpy().tolist() == [["left", "index"], ["left", "ring"]]
    assert one(STABLE, ulcers=told, events=events[:1])["worsened_by_week_12"] == "yes"
    assert one(STABLE, ulcers=told, events=events[1:])["worsened_by_week_12"] == "no"


# --- death and withdrawal --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["death", "withdrawal"])
@pytest.mark.parametrize(
    ("day", "healed", "ended"),
    [
        (27, "no", 27),  # healing seen on day 28 is after it
        (28, "yes", 28),  # on that day it still counts
        (400, "yes", 400),
    ],
)
def test_nothing_counts_after_the_end(what: str, day: int, healed: str, ended: float) -> None:
    row = one(HEALS, events=[event(what, day)])
    assert (row["healed"], row["follow_up_ended"], row["follow_up_ended_day"]) == (healed, what, ended)


@pytest.mark.parametrize(
    ("what", "day", "healed"),
    [
        ("death", "", "yes"),  # the photo of day 28 shows a living subject's finger
        ("death", on(28)[:7], "yes"),
        ("withdrawal", "", "unknown"),  # day 28 may have been after it
        ("withdrawal", on(28)[:7], "unknown"),  # June 2016: from day 8 on
        ("withdrawal", on(84)[:7], "yes"),  # August: healing was seen before
    ],
)
def test_an_end_whose_day_is_not_known(what: str, day: str, healed: str) -> None:
    row = one(HEALS, events=[event(what, day)])
    assert (row["healed"], row["follow_up_ended"]) == (healed, what)


def test_the_first_end_counts_and_stands_by_subject_too() -> None:
    row = subject(HEALS, events=[event("death", 100), event("withdrawal", 20)])
    assert (row["follow_up_ended"], row["follow_up_ended_day"], row["n_healed"]) == ("withdrawal", 20, 0)
    assert subject(HEALS)["follow_up_ended"] == "" and math.isnan(subject(HEALS)["follow_up_ended_day"])


@pytest.mark.parametrize(
    ("what", "healed"),
    [
        ("death", "no"),  # it can heal no more
        ("withdrawal", "unknown"),  # it can, and nobody looks
    ],
)
def test_an_open_ulcer_at_the_end(what: str, healed: str) -> None:
    row = one(ulcer((0, 10.0), (28, 9.0)), events=[event(what, 40)])
    assert row["healed_by_week_4"] == "no" and row["healed_by_week_12"] == healed
    assert row["worsened_by_week_12"] == "unknown", "no assessment in the window of week 12"


# --- healed by a visit, for how long, and by whom --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "by"),
    [
        ([(0, 10.0), (28, 0.0)], {"week_2": "unknown", "week_4": "yes", "week_12": "yes"}),  # in (0, 28]
        ([(0, 10.0), (14, 5.0), (28, 0.0)], {"week_2": "no", "week_4": "yes"}),  # open on day 14
        ([(0, 10.0), (33, 0.0)], {"week_4": "yes"}),  # the window's last day
        ([(0, 10.0), (34, 0.0)], {"week_4": "unknown", "week_8": "yes"}),
        ([(0, 10.0), (24, 8.0), (34, 0.0)], {"week_4": "no"}),  # open inside the window, closed after it
        ([(0, 10.0), (28, 0.0), (56, 4.0)], {"week_4": "yes", "week_8": "yes"}),  # *recurred* says the rest
        ([(0, 10.0)], {"week_4": "unknown", "week_52": "unknown"}),  # never seen again
        ([(60, 10.0, {"state": "new"}), (84, 0.0)], {"week_4": "", "week_12": "yes"}),  # not there at week 4
        ([(0, 10.0), (28, None, {"state": "amputated"})], {"week_2": "unknown", "week_4": "no"}),
    ],
)
def test_healed_by_a_visit(rows: list[Any], by: dict[str, str]) -> None:
    row = one(ulcer(*rows))
    assert {name: row[f"healed_by_{name}"] for name in by} == by


@pytest.mark.parametrize(
    ("rows", "confirmed", "sustained"),
    [
        ([(28, 0.0), (34, 0.0)], "unknown", "unknown"),  # 6 days: under the floor of 7
        ([(28, 0.0), (35, 0.0)], "unknown", "unknown"),  # 7 days, and an unscheduled photo has no window
        ([(49, 0.0), (56, 0.0)], "yes", "unknown"),  # week 8 may be 7 days early: 14 - 7 = 7
        ([(50, 0.0), (56, 0.0)], "unknown", "unknown"),
        ([(161, 0.0), (168, 0.0)], "yes", "unknown"),  # week 24 has 14 days: the floor holds it at 7
        ([(162, 0.0), (168, 0.0)], "unknown", "unknown"),
        ([(84, 0.0), (168, 0.0)], "yes", "yes"),  # 12 weeks
        ([(98, 0.0), (168, 0.0)], "yes", "yes"),  # 70 days: week 24 may be 14 early
        ([(99, 0.0), (168, 0.0)], "yes", "unknown"),  # 69
        ([(28, 0.0), (56, 0.0), (84, 4.0)], "yes", "no"),  # open again within 12 weeks
        ([(28, 0.0), (56, 4.0), (168, 0.0)], "no", "no"),
        ([(84, 0.0), (168, 0.0), (364, 3.0)], "yes", "yes"),  # open again, but after it had lasted
    ],
)
def test_confirmed_and_sustained(rows: list[Any], confirmed: str, sustained: str) -> None:
    row = one(ulcer((0, 10.0), *rows))
    assert (row["healing_confirmed"], row["healing_sustained"]) == (confirmed, sustained)


@pytest.mark.parametrize(
    ("by_reader", "healed_by_reader"),
    [((), "yes"), ((28,), "yes"), ((28, 56, 84), "unknown"), ((56,), "yes")],
)
def test_healing_that_only_the_machine_saw(by_reader: tuple[int, ...], healed_by_reader: str) -> None:
    """`by_reader` are the days on which nobody but the machine says healed; one look of a reader suffices."""
    rows = [(day, area, MACHINE if day in by_reader else {}) for day, area in ((28, 0.0), (56, 0.0), (84, 0.0))]
    row = one(ulcer((0, 10.0), (14, 6.0), *rows))
    assert (row["healed"], row["healed_by_reader"]) == ("yes", healed_by_reader)
    assert one(ulcer((0, 10.0), (84, 9.0)))["healed_by_reader"] == "no"


# --- the limit of detection ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last_mm", "limit_mm", "healed", "low"),
    [
        (1.5, 1.9, "unknown", 14),  # what was 1.5 mm could not have been seen
        (1.9, 1.9, "yes", 14),  # it could just be seen
        (2.5, 1.9, "yes", 14),
        (1.5, NAN, "yes", 14),  # the limit is not known: the row carries that flag
        (NAN, 1.9, "yes", 14),
    ],
)
def test_what_could_not_be_seen_has_not_healed(last_mm: float, limit_mm: float, healed: str, low: int) -> None:
    rows = ulcer(
        (0, 10.0), (14, 1.8, {"diameter_mm": last_mm}), (28, 0.0, {"diameter_mm": 0.0, "diameter_high_mm": limit_mm})
    )
    row = one(rows)
    wanted = "no" if healed == "unknown" else "yes"
    assert row["healed"] == wanted and row["healing_day_low"] == low and row["healed_by_week_4"] == healed
    assert row["event_observed"] == int(wanted == "yes")


@pytest.mark.parametrize(
    ("seen_mm", "healed", "low"),
    [
        ([(0, 1.5, 1.9)], "no", NAN),  # never outlined larger than its photo could show: whether it was there is open
        ([(0, 1.9, 1.9)], "yes", 0),  # at the limit it could just be seen
        ([(0, 3.6, 1.9), (14, 1.5, 1.9)], "yes", 0),  # it was there on day 0; day 14 does not show that it still was
        ([(0, 3.6, 1.9), (14, 1.5, 0.8)], "yes", 14),
        ([(0, 1.5, 1.9), (14, 1.5, 1.9)], "no", NAN),
        ([(0, 1.5, 1.9), (14, 1.5, 0.8)], "yes", 14),  # the finer photo shows what the coarse one could not
        ([(0, 1.5, NAN)], "yes", 0),  # the limit is not known
    ],
)
def test_what_its_own_photo_could_hardly_show_heals_by_no_event(
    seen_mm: list[tuple[int, float, float]], healed: str, low: float
) -> None:
    """Healed is seen on a photo of 0.8 mm; with no event the ulcer counts as last seen, open."""
    rows = [(day, 2.0, {"diameter_mm": mm, "detection_limit_mm": limit}) for day, mm, limit in seen_mm]
    row = one(ulcer(*rows, (28, 0.0, {"diameter_mm": 0.0, "diameter_high_mm": 0.8, "detection_limit_mm": 0.8})))
    wanted = "unknown" if healed == "no" and len(seen_mm) == 1 else healed
    assert (row["healed"], row["event_observed"]) == (wanted, int(healed == "yes"))
    assert row["healing_day_low"] == low or (math.isnan(low) and math.isnan(row["healing_day_low"]))


def test_a_better_photo_later_is_the_event() -> None:
    coarse, fine = ({"diameter_mm": 0.0, "diameter_high_mm": mm} for mm in (1.9, 0.8))
    row = one(ulcer((0, 10.0), (14, 1.8, {"diameter_mm": 1.5}), (28, 0.0, coarse), (56, 0.0, fine)))
    assert (row["healed"], row["healing_day_low"], row["healing_day_high"]) == ("yes", 14, 56)
    burden = subject(ulcer((0, 10.0), (14, 1.8, {"diameter_mm": 1.5}), (28, 0.0, coarse), (56, 0.0, fine)))
    assert pd.isna(burden["n_active_week_4"]) and burden["n_active_week_8"] == 0


def test_a_coarse_photo_confirms_nothing() -> None:
    coarse = {"diameter_mm": 0.0, "diameter_high_mm": 1.9}
    rows = [(0, 10.0), (14, 1.8, {"diameter_mm": 1.5}), (28, 0.0), (56, 0.0, coarse)]
    assert one(ulcer(*rows))["healing_confirmed"] == "unknown"
    assert one(ulcer(*rows, (84, 0.0)))["healing_confirmed"] == "yes"


# --- the protocol's own rules for healed, worse, new and recurred ----------------------------------------------------


@pytest.mark.parametrize(
    ("lasts", "rows", "healed", "low", "high"),
    [
        ("confirmed", [(28, 0.0), (56, 0.0)], "yes", 0, 28),
        ("confirmed", [(28, 0.0)], "unknown", 0, NAN),  # nobody looked again
        ("confirmed", [(28, 0.0), (56, 4.0)], "no", 56, NAN),  # open again, and so at last
        ("confirmed", [(28, 0.0), (56, 4.0), (84, 0.0)], "unknown", 56, NAN),
        ("confirmed", [(28, 0.0), (56, 4.0), (84, 0.0), (168, 0.0)], "yes", 56, 84),  # the second one lasted
        ("confirmed", [(28, 0.0), (34, 0.0), (56, 4.0)], "no", 56, NAN),  # six days confirm nothing
        ("sustained", [(28, 0.0), (56, 0.0)], "unknown", 0, NAN),
        ("sustained", [(28, 0.0), (56, 0.0), (168, 0.0)], "yes", 0, 28),  # 140 days
        ("sustained", [(28, 0.0), (56, 0.0), (84, 4.0)], "no", 84, NAN),  # confirmed and not sustained
        ("seen", [(28, 0.0), (56, 4.0)], "yes", 0, 28),
    ],
)
def test_what_healing_has_to_last(lasts: str, rows: list[Any], healed: str, low: float, high: float) -> None:
    row = only(under(PROTOCOL.changed(healed_lasts=lasts), ulcer((0, 10.0), *rows)).outcomes)
    assert (row["healed"], row["event_observed"]) == (healed, int(healed == "yes"))
    assert row["healing_day_low"] == low and str(row["healing_day_high"]) == str(float(high))
    if healed == "yes" and lasts != "seen":
        assert row["healing_confirmed"] == "yes" and row[f"healing_{lasts}"] == "yes"


@pytest.mark.parametrize(
    ("by_machine", "healed", "high"), [((), "yes", 28), ((28,), "yes", 56), ((28, 56), "unknown", NAN)]
)
def test_healed_by_a_readers_word_alone(by_machine: tuple[int, ...], healed: str, high: float) -> None:
    rows = [(day, 0.0, MACHINE if day in by_machine else {}) for day in (28, 56)]
    row = only(under(PROTOCOL.changed(healed_word="reader"), ulcer((0, 10.0), *rows)).outcomes)
    assert row["healed"] == healed and str(row["healing_day_high"]) == str(float(high))


@pytest.mark.parametrize(
    ("rows", "any_visit", "primary", "again"),
    [
        ([(28, 14.0), (84, 10.0)], "yes", "no", "no"),  # worse on the way, not at week 12
        ([(84, 14.0), (168, 14.0)], "yes", "yes", "yes"),
        ([(84, 14.0), (168, 10.0)], "yes", "yes", "no"),
        ([(28, 14.0)], "yes", "unknown", "unknown"),  # nobody looked at week 12
        ([(28, 14.0), (56, 14.0), (84, 10.0)], "yes", "no", "no"),
        ([(78, 14.0), (86, 10.0)], "yes", "no", "no"),  # the nearer of two in the window counts
    ],
)
def test_worse_at_any_visit_or_at_the_primary_one(rows: list[Any], any_visit: str, primary: str, again: str) -> None:
    own = ulcer((0, 10.0), *rows)
    assert one(own)["worsened_by_week_12"] == any_visit
    row = only(under(PROTOCOL.changed(worsened_at="primary visit"), own).outcomes)
    assert (row["worsened_by_week_12"], row["worsened_confirmed_by_week_12"]) == (primary, again)
    gone = only(
        under(PROTOCOL.changed(worsened_at="primary visit"), own, events=[event("gangrene", 20, **HERE)]).outcomes
    )
    assert gone["worsened_by_week_12"] == "yes"


@pytest.mark.parametrize(("needs_clear", "n_new", "safety"), [(True, 0, "unknown"), (False, 1, "yes")])
def test_what_was_first_seen_after_baseline(needs_clear: bool, n_new: int, safety: str) -> None:
    first = ulcer((28, 3.0), (84, 3.0), name="left-ring-1")
    seen_all = [seen("baseline", 1), seen("week 12", 2)]
    done = under(PROTOCOL.changed(new_needs_clear_place=needs_clear), STABLE, first, visits=seen_all)
    row = only(done.outcomes_by_subject)
    assert (row["n_new"], row["worsened_or_new_by_week_12"]) == (n_new, safety)


@pytest.mark.parametrize(
    ("rows", "healed", "confirmed"),
    [
        ([(28, 0.0), (56, 4.0)], "yes", "no"),  # it had not healed, so nothing came back
        ([(28, 0.0), (56, 0.0), (84, 4.0)], "yes", "yes"),
        ([(28, 0.0), (56, 0.0)], "no", "no"),
        ([(28, 0.0)], "unknown", "unknown"),
        ([(28, 0.0), (34, 0.0), (84, 4.0)], "yes", "no"),
        ([(28, 9.0), (84, 9.0)], "no", "no"),
        ([(28, 0.0), (56, 4.0), (84, 0.0), (168, 0.0), (364, 2.0)], "yes", "yes"),  # after the second healing
    ],
)
def test_open_again_after_healed_or_after_confirmed(rows: list[Any], healed: str, confirmed: str) -> None:
    own = ulcer((0, 10.0), *rows)
    assert one(own)["recurred"] == healed
    assert only(under(PROTOCOL.changed(recurred_after="confirmed"), own).outcomes)["recurred"] == confirmed


# --- worse, and worse again ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "once", "again"),
    [
        ([(28, 14.0), (56, 14.0), (84, 10.0)], "yes", "yes"),  # twice in a row
        ([(28, 14.0), (56, 10.0), (84, 10.0)], "yes", "no"),  # chance
        ([(28, 14.0), (56, 10.0), (84, 14.0), (168, 14.0)], "yes", "yes"),  # the second time it stayed
        ([(84, 14.0)], "yes", "unknown"),  # nobody looked again
        ([(84, 14.0), (168, 14.0)], "yes", "yes"),  # the second look may be later than week 12
        ([(84, 14.0), (168, 10.0)], "yes", "no"),
        ([(28, 14.0), (56, 0.0), (84, 0.0)], "yes", "no"),  # healed next
        ([(28, 14.0), (56, None, {"state": "not photographed"}), (84, 14.0)], "yes", "yes"),  # next *assessed*
        ([(28, 14.0), (56, 12.0, {"change_from_baseline": "uncertain"}), (84, 10.0)], "yes", "unknown"),
        ([(28, 14.0), (56, 10.0)], "yes", "unknown"),  # it may have got worse twice by week 12
        ([(84, 10.0)], "no", "no"),
        ([(28, 10.0)], "unknown", "unknown"),
        ([(84, 10.0), (168, 20.0), (364, 20.0)], "no", "no"),  # later than week 12
    ],
)
def test_worse_and_worse_again(rows: list[Any], once: str, again: str) -> None:
    row = one(ulcer((0, 10.0), *rows))
    assert (row["worsened_by_week_12"], row["worsened_confirmed_by_week_12"]) == (once, again)


def test_an_infection_needs_no_second_look() -> None:
    row = one(STABLE, events=[event("infection", 30, hand="left", finger="index")])
    assert (row["worsened_by_week_12"], row["worsened_confirmed_by_week_12"]) == ("yes", "yes")


def test_an_infection_of_perhaps_another_finger_leaves_it_open() -> None:
    """Worse once and no more is chance, unless the infection was of this finger."""
    once = ulcer((0, 10.0), (56, 14.0), (84, 10.0))
    assert one(once)["worsened_confirmed_by_week_12"] == "no"
    assert one(once, events=[event("infection", 30, hand="left")])["worsened_confirmed_by_week_12"] == "unknown"


def test_the_false_rates_that_the_columns_state() -> None:
    """Stable ulcers, seen at baseline and at six visits of which five are up to week 12, each with the SEM's error."""
    random, sem = np.random.default_rng(15), PROTOCOL.healing.sem_log_area
    errors = random.normal(0.0, sem, (200_000, 7))
    worse = errors[:, 1:] - errors[:, :1] > smallest_detectable_change(sem)
    assert worse[:, :5].any(axis=1).mean() == pytest.approx(0.091, abs=0.002)
    assert (worse[:, :5] & worse[:, 1:6]).any(axis=1).mean() == pytest.approx(0.016, abs=0.001)


# --- merged ulcers ---------------------------------------------------------------------------------------------------


def merged(host_rows: list[Any], *, on_day: int = 28, host: str = "S01-left-index-1") -> list[list[dict[str, Any]]]:
    """Ulcer 2 (4 mm2 at baseline) merges into ulcer 1 (10 mm2) on a day; both together were 14."""
    days = [day for day, *_ in host_rows if day >= on_day]
    gone = {"state": "merged", "merged_into": host, "change_from_baseline": "uncertain"}
    together = [
        (day, area, {"change_from_baseline": how, "area_reduction_pct": 100 * (14 - area) / 14})
        for day, area, how in host_rows
    ]
    one_row = ulcer((0, 10.0), *together)
    other = ulcer((0, 4.0), (14, 4.0), *((day, None, gone) for day in days), name="left-index-2")
    return [one_row, other]


def both(*args: Any, **changes: Any) -> dict[str, dict[str, Any]]:
    table = tabulate(*merged(*args, **changes)).outcomes
    return {row["ulcer_id"]: row for row in table.to_dict("records")}


def test_an_absorbed_ulcer_heals_with_its_host() -> None:
    rows = both([(28, 12.0, "same"), (56, 0.0, "better"), (84, 0.0, "better")])
    absorbed = rows["S01-left-index-2"]
    assert absorbed["course_of"] == "S01-left-index-1" and rows["S01-left-index-1"]["course_of"] == ""
    for row in rows.values():
        assert (row["healed"], row["healing_day_low"], row["healing_day_high"]) == ("yes", 28, 56)
        assert (row["healing_confirmed"], row["recurred"]) == ("yes", "no")


def test_an_absorbed_ulcer_is_worse_with_its_host_and_open_with_it() -> None:
    worse = both([(28, 12.0, "same"), (84, 25.0, "worse")])
    assert {row["worsened_by_week_12"] for row in worse.values()} == {"yes"}
    still = both([(28, 12.0, "same"), (84, 13.0, "same")])
    assert {(row["healed"], row["worsened_by_week_12"]) for row in still.values()} == {("no", "no")}


def test_two_ulcers_that_are_one_are_counted_once_where_ulcers_are_counted() -> None:
    row = subject(*merged([(28, 12.0, "same"), (84, 13.0, "same")]))
    assert (row["n_active_baseline"], row["n_active_week_4"], row["n_active_week_12"]) == (2, 1, 1)
    healed = subject(*merged([(28, 12.0, "same"), (56, 0.0, "better"), (84, 5.0, "better")]))
    assert (healed["n_recurred"], healed["n_active_week_12"]) == (1, 1)


def test_a_host_that_is_not_followed_leaves_it_open() -> None:
    _, absorbed = merged([(28, 12.0, "same"), (84, 0.0, "better")], host="S01-left-index-9")
    row = one(absorbed)
    assert (row["healed"], row["course_of"], row["worsened_by_week_12"]) == ("unknown", "", "unknown")


def test_an_ulcer_that_went_into_one_that_went_into_a_third_heals_with_that() -> None:
    gone = {"state": "merged", "change_from_baseline": "uncertain"}
    second = {"merged_into": "S01-left-index-2"} | gone
    third = {"merged_into": "S01-left-index-3"} | gone
    rows = [
        ulcer((0, 4.0), (14, None, second), (28, None, second), (56, None, second), name="left-index-1"),
        ulcer((0, 4.0), (14, 8.0), (28, None, third), (56, None, third), name="left-index-2"),
        ulcer((0, 4.0), (14, 4.0), (28, 10.0), (56, 0.0), name="left-index-3"),
    ]
    table = tabulate(*rows).outcomes
    assert table["healing_day_high"].tolist() == [56, 56, 56] and table["healing_day_low"].tolist() == [28, 28, 28]
    assert table["course_of"].tolist() == ["S01-left-index-3", "S01-left-index-3", ""]


# --- what counts as burden --------------------------------------------------------------------------------------------

CRUST = {"state": "indeterminate", "change_from_baseline": "uncertain"}


@pytest.mark.parametrize(
    ("rows", "alone", "with_them"),
    [
        ([(0, 10.0), (84, 9.0)], (1, 1, 0), (1, 1, 0)),
        ([(0, 10.0), (84, None, CRUST)], (1, None, None), (1, 1, 0)),  # crusted: not open, not healed
        ([(0, 10.0), (80, 0.0), (84, None, CRUST)], (1, 0, -1), (1, 0, -1)),  # seen healed in that window
        ([(-14, None, CRUST), (0, None, CRUST), (84, 0.0)], (None, 0, None), (1, 0, -1)),
    ],
)
def test_indeterminate_ulcers_in_the_burden(
    rows: list[Any], alone: tuple[int | None, ...], with_them: tuple[int | None, ...]
) -> None:
    """RESCUE counts active and indeterminate ulcers, MANUS those seen open: at baseline, week 12, and the change."""
    visits = [seen("baseline", None), seen("week 12", None)]
    columns = ["n_active_baseline", "n_active_week_12", "net_burden_change"]
    for flag, wanted in ((False, alone), (True, with_them)):
        done = under(PROTOCOL.changed(burden_counts_indeterminate=flag), ulcer(*rows), visits=visits)
        row = only(done.outcomes_by_subject)
        assert [None if pd.isna(row[name]) else row[name] for name in columns] == list(wanted), flag


# --- laws ------------------------------------------------------------------------------------------------------------

DAYS = (2, 14, 28, 56, 84, 168, 364)
AREAS = st.sampled_from([0.0, 5.0, 9.0, 10.0, 14.0, 20.0])


@st.composite
def courses(draw: st.DrawFn) -> list[tuple[int, float]]:
    """An ulcer open at baseline and seen at some of the visits."""
    days = sorted(draw(st.sets(st.sampled_from(DAYS), min_size=1)))
    return [(0, 10.0), *((day, draw(AREAS)) for day in days)]


@settings(max_examples=12)
@given(st.data())
def test_a_later_look_changes_no_earlier_answer(data: st.DataObject) -> None:
    """What was answered yes or no stays so, and what was measured too; only what was not known may become known."""
    whole = data.draw(courses())
    cut = data.draw(st.integers(1, len(whole)))
    before, after = one(ulcer(*whole[:cut])), one(ulcer(*whole))
    last = whole[cut - 1][0]
    for visit in PROTOCOL.visits:
        column = f"healed_by_{visit.column}"
        if column in before and before[column] != "unknown" and (visit.day or 0) + (visit.window_days or 0) <= last:
            assert after[column] == before[column], visit.name
        column = f"area_reduction_{visit.column}_pct"
        if column in before and not math.isnan(before[column]):
            assert after[column] == before[column], visit.name
    kept = ["worsened_by_week_12", "worsened_confirmed_by_week_12"] if last >= 91 else []
    kept += ["healing_confirmed", "healing_sustained"] if before["healed"] == "yes" else []
    assert [after[name] for name in kept if before[name] != "unknown"] == [
        before[name] for name in kept if before[name] != "unknown"
    ]
    if before["event_observed"] == 1:
        same = ["healed", "healing_day_low", "healing_day_high"]
        assert [after[name] for name in same] == [before[name] for name in same]


@settings(max_examples=10)
@given(st.data())
def test_a_row_whose_day_or_change_is_less_known_turns_no_answer_round(data: st.DataObject) -> None:
    rows = ulcer(*data.draw(courses()))
    i = data.draw(st.integers(1, len(rows) - 1))
    month = {"date": rows[i]["date"][:7], "day": None}
    blurred = [month, {"date": "", "day": None}, {"change_from_baseline": "uncertain", "area_reduction_pct": NAN}]
    less = [row | (data.draw(st.sampled_from(blurred)) if k == i else {}) for k, row in enumerate(rows)]
    given_, then = (one(told) for told in (rows, less))
    for column in (c for c, cell in given_.items() if cell in ("yes", "no")):
        assert then[column] in (given_[column], "unknown"), column
    answers = [subject(told, visits=SAFE)["worsened_or_new_by_week_12"] for told in (rows, less)]
    assert set(answers) != {"yes", "no"}


@settings(max_examples=12)
@given(st.data())
def test_an_event_of_which_less_is_known_turns_no_answer_round(data: st.DataObject) -> None:
    rows = ulcer(*data.draw(courses()))
    what = data.draw(st.sampled_from(["gangrene", "infection", "amputation", "withdrawal"]))
    whole = event(
        what, data.draw(st.integers(1, 200)), hand="left", finger=data.draw(st.sampled_from(["index", "ring"]))
    )
    name = data.draw(st.sampled_from(["hand", "finger", "date", "month"]))
    less = whole | ({"date": whole["date"][:7]} if name == "month" else {name: ""})
    given_, then = (one(rows, events=[one_event]) for one_event in (whole, less))
    for column in (c for c, cell in given_.items() if cell in ("yes", "no")):
        assert then[column] in (given_[column], "unknown"), column


@settings(max_examples=10)
@given(st.data())
def test_fewer_cells_of_the_clinics_counts_turn_no_answer_round(data: st.DataObject) -> None:
    rows = ulcer(*data.draw(courses()))
    visits = [seen("baseline", data.draw(st.integers(0, 2))), seen("week 12", data.draw(st.integers(0, 3)))]
    i, name = data.draw(st.integers(0, 1)), data.draw(st.sampled_from(["n_active_clinician", "all_fingers_examined"]))
    less = [
        row | ({name: None if name == "n_active_clinician" else ""} if k == i else {}) for k, row in enumerate(visits)
    ]
    answers = [subject(rows, visits=told)["worsened_or_new_by_week_12"] for told in (visits, less)]
    assert set(answers) != {"yes", "no"}
