"""The refractory rule: three arms, the physician first, calendar-month windows, and what cuts or straddles them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from eligibility_cases import COURSE, PERSON, PROTOCOL, STATEMENT, A, B, assess, course_row, row_of, tracked_row

from ulcermeter.eligibility.courses import Assessment, grew
from ulcermeter.healing import change
from ulcermeter.tables.dates import parse_date

SILENT = {"worsened_1_month": "", "no_improvement_2_months": "", "recurred_3_months": ""}
NO = {"worsened_1_month": "no", "no_improvement_2_months": "no", "recurred_3_months": "no"}
BEFORE = course_row("2016-01-04", 10)
NAN = float("nan")
LATE = PERSON | {"inclusion_date": "2017-06-01"}


def refractory(*looks: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return row_of(assess(trajectories=list(looks), **changes), "refractory_prostacyclin")


def by_photos(*looks: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return refractory(BEFORE, *looks, **({"refractory": []} | changes))


def arm(row: dict[str, Any], letter: str) -> str:
    """The words on one arm."""
    return str(row["evidence"]).split(f"({letter}) ")[1].split("; (")[0]


@pytest.mark.parametrize(
    ("word", "result", "value"),
    [
        (SILENT | {"worsened_1_month": "yes"}, "met", "(a)"),
        (SILENT | {"no_improvement_2_months": "yes"}, "met", "(b)"),
        (SILENT | {"recurred_3_months": "yes"}, "met", "(c)"),
        (NO, "not met", "no"),
        (NO | {"recurred_3_months": ""}, "not assessable", ""),
        (SILENT, "not assessable", ""),
    ],
)
def test_any_arm_suffices_and_only_all_three_say_no(word: dict[str, str], result: str, value: str) -> None:
    row = refractory(refractory=[STATEMENT | word])
    assert (row["result"], row["value"]) == (result, value)
    assert ("refractory.csv: S01" in row["would_settle"]) == (result == "not assessable")
    assert "iloprost 2016-01-04 to 2016-01-08" in row["evidence"]


@pytest.mark.parametrize(
    ("judged_on", "result"),
    [("2016-03-07", "not assessable"), ("2016-03-08", "met"), ("2016-03", "not assessable"), ("", "not assessable")],
)
def test_no_improvement_can_only_be_judged_after_two_months(judged_on: str, result: str) -> None:
    word = STATEMENT | SILENT | {"no_improvement_2_months": "yes", "judged_on": judged_on}
    assert refractory(refractory=[word])["result"] == result


def test_no_improvement_is_the_physicians_alone() -> None:
    row = by_photos(course_row("2016-03-20", 10))
    assert "no word of the physician" in arm(row, "b") and "1.00 times the reference: no better" in arm(row, "b")
    assert arm(row, "b").startswith("no improvement 2 months after: not assessable")


def test_photos_that_contradict_the_physician_are_flagged() -> None:
    row = refractory(BEFORE, course_row("2016-03-20", 4))
    assert row["result"] == "met"
    assert "0.40 times the reference: better; flag: the photos contradict the physician" in row["evidence"]
    word = STATEMENT | NO | {"judged_on": "2016-05-01"}
    row = refractory(BEFORE, course_row("2016-02-01", 20), course_row("2016-03-20", 4), refractory=[word])
    assert row["result"] == "not met" and "flag: the photos contradict the physician" in arm(row, "a")


def test_a_word_of_after_inclusion_is_not_used() -> None:
    assert refractory(refractory=[STATEMENT | {"judged_on": "2016-05-11"}])["result"] == "not assessable"


def test_a_no_before_the_window_closed_settles_nothing_and_says_when_to_ask() -> None:
    early = [STATEMENT | NO | {"judged_on": "2016-03-20"}]
    row = refractory(refractory=early)
    assert row["result"] == "not assessable" and "too early to say" in arm(row, "c")
    assert "recurred_3_months and judged_on, to be answered anew, asked on or after 2016-04-08" in row["would_settle"]
    assert "worsened_1_month" not in row["would_settle"], "its window had closed on 2016-02-08"
    lenient = PROTOCOL.changed(physician_no_needs_closed_window=False)
    row = refractory(refractory=early, protocol=lenient)
    assert row["result"] == "not met" and "flag: before the window closed on 2016-04-08" in arm(row, "c")


# --- (a) by photos -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "look", "expected"),
    [
        ("2016-01-08", "2016-02-08", "met"),  # the last day counts
        ("2016-01-08", "2016-02-09", "not assessable"),
        ("2016-01-08", "2016-01-09", "met"),
        ("2016-01-08", "2016-01-08", "not assessable"),  # still the course
        ("2016-01-31", "2016-02-29", "met"),  # 31 January and a month is the last of February
        ("2016-01-31", "2016-03-01", "not assessable"),
        ("2015-01-31", "2015-02-28", "met"),
        ("2015-01-31", "2015-03-01", "not assessable"),
        ("2015-12-31", "2016-01-31", "met"),
    ],
)
def test_windows_are_calendar_months_with_their_last_day(end: str, look: str, expected: str) -> None:
    start = end[:8] + "04"
    row = refractory(
        course_row(start, 10),
        course_row(look, 20),
        refractory=[],
        treatments=[COURSE | {"start": start, "end": end}],
    )
    assert f"(a) worse within 1 month after: {expected}" in row["evidence"]


def test_worse_needs_more_than_the_smallest_detectable_change() -> None:
    assert "(a) worse within 1 month after: met" in by_photos(course_row("2016-02-01", 13.5))["evidence"]
    same = by_photos(course_row("2016-02-01", 13.0))
    assert "(a) worse within 1 month after: not met" in same["evidence"]
    assert "the window to 2016-02-08 is closed" in same["evidence"]
    wide = course_row("2016-02-01", 13.5, area_low_mm2=6.0, area_high_mm2=30.0)
    assert "(a) worse within 1 month after: not assessable" in by_photos(wide)["evidence"]


def beside(date: str, area: float, **changes: Any) -> dict[str, Any]:
    """A second ulcer; without an area it has gone into the first."""
    into = {"state": "merged", "merged_into": A} if area != area else {}
    return course_row(date, area, ulcer_id=B, **into, **changes)


def one_ulcers(*looks: dict[str, Any]) -> str:
    """The words on the first ulcer where there are two."""
    table = assess(trajectories=list(looks), refractory=[]).eligibility_by_ulcer
    found = table[(table["ulcer_id"] == A) & (table["criterion"] == "refractory_prostacyclin")]
    return str(found["evidence"].item())


@pytest.mark.parametrize(
    ("merged", "result", "times"), [(20.5, "not met", "1.02"), (40.0, "met", "2.00"), (8.0, "not met", "0.40")]
)
def test_what_merges_into_an_ulcer_counts_before_as_after(merged: float, result: str, times: str) -> None:
    looks = [BEFORE, beside("2016-01-04", 10), beside("2016-02-01", NAN), beside("2016-03-20", NAN)]
    told = one_ulcers(*looks, course_row("2016-02-01", merged, state="merged"), course_row("2016-03-20", merged))
    assert f"(a) worse within 1 month after: {result}, {merged:.1f} mm2 on 2016-02-01" in told
    assert f"{times} times the reference together with {B}" in told.split("(b)")[0]
    better = "better" if merged == 8 else "no better"
    assert f"together with {B}: {better}" in told.split("(b)")[1]


def test_merging_with_what_had_no_known_size_leaves_worsening_open() -> None:
    host = course_row("2016-02-01", 20.5, state="merged")
    for others in ([beside("2016-01-20", 10), beside("2016-02-01", NAN)], []):
        told = one_ulcers(BEFORE, host, *others)
        assert "(a) worse within 1 month after: not assessable" in told and "not to be compared" in told


def test_what_merged_before_the_course_is_compared_as_it_is() -> None:
    gone = [beside("2015-11-01", 10), beside("2015-12-20", NAN), beside("2016-02-01", NAN)]
    host = [course_row("2015-11-01", 10), course_row("2015-12-20", 20, state="merged")]
    told = one_ulcers(*gone, *host, course_row("2016-02-01", 40))
    assert "(a) worse within 1 month after: met" in told and "2.00 times the reference; (b)" in told


def test_of_merges_in_a_row_each_ulcer_counts_once() -> None:
    third, host = f"{A[:-1]}3", course_row("2016-02-01", 31, state="merged")
    chain = [course_row("2015-12-01", 10, ulcer_id=third), beside("2015-12-01", 10)]
    chain += [beside("2016-01-04", 20, state="merged"), beside("2016-02-01", NAN)]
    for date, into in (("2016-01-04", B), ("2016-02-01", A)):
        chain.append(course_row(date, NAN, ulcer_id=third, state="merged", merged_into=into))
    told = one_ulcers(BEFORE, *chain, host)
    assert f"1.03 times the reference together with {B}, {third}" in told
    assert "(a) worse within 1 month after: not met" in told


def test_a_window_without_a_look_or_still_open_says_nothing() -> None:
    assert "(a) worse within 1 month after: not assessable, no photo inside the window" in by_photos()["evidence"]
    person = PERSON | {"inclusion_date": "2016-02-07"}
    seen = tracked_row(date="2016-01-04", visit="history")
    row = by_photos(course_row("2016-02-01", 10), subjects=[person], tracked=[seen])
    assert "(a) worse within 1 month after: not assessable" in row["evidence"]
    assert "the window to 2016-02-08 is still open" in row["evidence"]


@pytest.mark.parametrize(
    ("before", "silent"), [("2015-12-07", False), ("2015-12-06", True), ("2016-01-04", False), ("2016-01-05", True)]
)
def test_the_reference_is_at_most_28_days_before_the_start(before: str, silent: bool) -> None:
    row = refractory(course_row(before, 10), course_row("2016-02-01", 20), refractory=[])
    assert ("photos are silent" in row["evidence"]) == silent
    assert (row["result"] == "met") == (not silent)


def test_a_course_without_an_end_is_not_assessable() -> None:
    row = by_photos(course_row("2016-02-01", 20), treatments=[COURSE | {"end": ""}])
    assert row["result"] == "not assessable" and "treatments.csv: S01 iloprost, end" in row["would_settle"]


def test_a_partial_end_is_not_assessable_only_where_it_straddles() -> None:
    treatments = [COURSE | {"end": "2016-01"}]
    # It ended from the 4th, when it began, to the 31st: the 3rd of February is inside whichever day it was.
    assert by_photos(course_row("2016-02-03", 20), treatments=treatments)["result"] == "met"
    assert by_photos(course_row("2016-02-05", 20), treatments=treatments)["result"] == "not assessable"


def test_counting_from_the_start_is_flagged_where_it_matters() -> None:
    row = by_photos(course_row("2016-02-06", 20))
    assert row["result"] == "met"
    assert "flag: counted from the course's start (2016-01-04) this would be not assessable" in arm(row, "a")
    assert "counted from" not in arm(by_photos(course_row("2016-02-01", 20)), "a")


def test_a_further_course_cuts_the_window_and_is_flagged() -> None:
    second = COURSE | {"start": "2016-01-20", "end": "2016-01-25"}
    row = by_photos(course_row("2016-02-01", 20), treatments=[COURSE, second])
    first = row["evidence"].split("iloprost 2016-01-20")[0]
    assert "(a) worse within 1 month after: not assessable" in first
    assert "a further course (iloprost from 2016-01-20) cuts the window" in first
    row = by_photos(course_row("2016-01-18", 20), course_row("2016-02-01", 20), treatments=[COURSE, second])
    assert row["result"] == "met" and "(a) worse within 1 month after: met" in row["evidence"].split("; iloprost")[0]


# --- (c) by photos -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        ([("2016-02-10", 0), ("2016-04-08", 5)], "met"),  # the last day counts
        ([("2016-02-10", 0), ("2016-04-09", 5)], "not assessable"),  # reopened before or after
        ([("2016-02-10", 0), ("2016-04-08", 0), ("2016-04-20", 5)], "not met"),
        ([("2016-02-10", 0), ("2016-04-10", 0)], "not met"),
        ([("2016-02-10", 0), ("2016-04-07", 0)], "not assessable"),  # may still have reopened in time
        ([("2016-02-10", 5), ("2016-04-10", 5)], "not met"),
        ([("2016-04-10", 5)], "not assessable"),  # not looked at inside
        ([("2016-01-06", 0), ("2016-01-07", 5), ("2016-03-01", 5)], "not met"),  # during the course
    ],
)
def test_recurrence(looks: list[tuple[str, float]], expected: str) -> None:
    row = by_photos(*(course_row(day, area) for day, area in looks))
    assert f"(c) back at the same place within 3 months after: {expected}" in row["evidence"]


def test_recurrence_is_told_with_its_photos() -> None:
    row = by_photos(course_row("2016-02-10", 0), course_row("2016-03-10", 5))
    assert (row["result"], row["value"]) == ("met", "(c)")
    assert "healed on 2016-02-10 (photos S01_2016-02-10.jpg), then 5.0 mm2 on 2016-03-10" in row["evidence"]


# --- which course, which word --------------------------------------------------------------------------------------


def test_only_intravenous_prostacyclins_count() -> None:
    for other in ({"drug": "bosentan", "route": "oral"}, {"route": "inhaled"}):
        row = refractory(treatments=[COURSE | other], refractory=[])
        assert row["result"] == "not assessable" and "no course of intravenous prostacyclin is known" in row["evidence"]
        assert "treatments.csv: S01" in row["would_settle"]
    assert refractory(treatments=[COURSE | {"drug": "Iloprost", "route": "IV"}])["result"] == "met"


def test_a_course_of_unknown_route_leaves_it_open() -> None:
    row = refractory(treatments=[COURSE | {"route": ""}])
    assert row["result"] == "not assessable"
    assert row["would_settle"] == "treatments.csv: S01 iloprost ending 2016-01-08, route"


def test_a_word_on_an_unlisted_course_stands_and_is_flagged() -> None:
    row = refractory(treatments=[])
    assert row["result"] == "met" and "flag: no course in treatments.csv ends on that day" in row["evidence"]


def test_a_word_on_a_course_that_was_oral_stays_open() -> None:
    assert refractory(treatments=[COURSE | {"route": "oral"}])["result"] == "not assessable"


def test_a_word_that_could_be_on_two_courses_is_not_guessed() -> None:
    second = COURSE | {"start": "2015-06-01", "end": "2015-06-05"}
    row = refractory(treatments=[COURSE, second], refractory=[STATEMENT | {"course_end": ""}])
    assert row["result"] == "not assessable" and "could mean another ulcer or course" in row["evidence"]


def test_a_course_after_inclusion_is_no_evidence() -> None:
    later = COURSE | {"start": "2016-05-11", "end": "2016-05-15"}
    assert "2016-05-11" not in refractory(treatments=[COURSE, later])["evidence"]


def test_two_words_that_differ_settle_nothing() -> None:
    row = refractory(refractory=[STATEMENT, STATEMENT | {"no_improvement_2_months": "no", "judged_on": "2016-04-25"}])
    assert row["result"] == "not assessable" and "two words contradict each other" in row["evidence"]


def test_a_word_given_too_early_takes_nothing_from_a_later_one() -> None:
    early = STATEMENT | SILENT | {"no_improvement_2_months": "yes", "judged_on": "2016-02-10"}
    for word in ("yes", "no"):
        row = refractory(refractory=[early, STATEMENT | {"no_improvement_2_months": word}])
        assert arm(row, "b").startswith(f"no improvement 2 months after: {'met' if word == 'yes' else 'not met'}")
        assert "judged yes by P1 on 2016-02-10, not used: too early to say" in arm(row, "b")
        assert "contradict" not in arm(row, "b")
    assert arm(refractory(refractory=[early]), "b").startswith("no improvement 2 months after: not assessable")


@pytest.mark.parametrize("other", [{"judged_on": ""}, {"judged_on": "2016-03"}, {"ulcer_no": ""}])
def test_a_word_that_may_be_late_enough_or_anothers_leaves_it_open(other: dict[str, str]) -> None:
    row = refractory(refractory=[STATEMENT, STATEMENT | SILENT | {"no_improvement_2_months": "yes"} | other])
    assert row["result"] == "not assessable"


@pytest.mark.parametrize("ratio", [0.3, 0.75, 0.76, 1.0, 1.31, 1.33, 2.5])
@pytest.mark.parametrize("half_width", [0.05, 0.4])
def test_worse_means_what_healing_calls_worse(ratio: float, half_width: float) -> None:
    day = parse_date("2016-01-01")
    assert day is not None
    areas = (8.0, 8.0 * ratio)
    ends = [(a * (1 - half_width), a * (1 + half_width)) for a in areas]
    then, now = (Assessment(day, a, low, high, "") for a, (low, high) in zip(areas, ends, strict=True))
    called = change(*areas, PROTOCOL, interval_then=ends[0], interval_now=ends[1])
    want = {"worse": True, "same": False, "better": False, "uncertain": None if ratio > 1 else False}[called]
    assert grew(then, now, SimpleNamespace(protocol=PROTOCOL)) is want  # type: ignore[arg-type]
