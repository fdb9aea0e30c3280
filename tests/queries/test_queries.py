"""Every doubt is asked once, of whom can answer it, with what hangs on it; worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from small_studies import FINGER, PAINFUL, ULCER, asked, criteria, doubtful, study, to_be_mended, treated

from ulcermeter.datatypes import Ask, Finding, Kind, Need, OpenAnswer, Severity
from ulcermeter.queries import with_queries_on_people
from ulcermeter.queries.flags import ASK_NOTHING, PLACES, where_answered
from ulcermeter.store import Unread
from ulcermeter.tables import TABLES, empty, from_rows
from ulcermeter.tables.flags import Flag, FlagKind, write_flags
from ulcermeter.wording import flag_expected

PHOTO = {**FINGER, "visit": "week 2", "date": "2024-05-20", "photo": "a.jpg"}
REFUSED = {**PHOTO, "status": "refused", "reason": "tilt 46°", "instruction": "hold the phone parallel"}
OPEN = {**ULCER, "visit": "week 2", "date": "2024-05-20", "day": 14, "state": "persistent"}
MEASURED = {**PHOTO, "label": 1, "ulcer_id": "S01-left-index-1", "confidence": 0.9, "over_threshold": "yes"}
UNKNOWN = {**ULCER, "healed": "unknown", "healing_confirmed": "unknown", "recurred": "unknown"}
WORD = Ask("refractory.csv", "S01", ("recurred_3_months",), "ulcer no. 1", Need.AGAIN)


def only(rows: list[dict[str, Any]]) -> dict[str, Any]:
    (row,) = rows
    return row


def who_and_what(row: dict[str, Any]) -> tuple[str, ...]:
    return row["kind"], row["answered_by"], row["file"], row["touches_verdict"], row["touches_outcome"]


def flagged(kind: FlagKind, **facts: Any) -> str:
    return write_flags([Flag(kind, **facts)])


def test_a_sound_study_is_asked_nothing() -> None:
    """All known: a photo measured clear of the threshold, its ulcer open, every criterion passed, outcomes known."""
    rows = asked(
        treated(), photos=[{**PHOTO, "status": "measured"}], measurements=[MEASURED], trajectories=[OPEN],
        eligibility=criteria(age="passes"), outcomes=[{**ULCER, "healed": "no", "healing_confirmed": "unknown"}],
    )  # fmt: skip
    assert rows == []


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        # A refused photo of a finger whose outcomes are known, and which decides no verdict.
        ({"photos": [REFUSED]}, ("photo not measured", "clinic", "photos.csv", "no", "no")),
        # retake.csv says that eligibility hangs on it.
        (
            {"photos": [REFUSED], "retake": [{**REFUSED, "priority": 1}]},
            ("photo not measured", "clinic", "photos.csv", "yes", "no"),
        ),
        # A whole ulcer is wanted of the clinic; whether it is one, and which, only a reader can say.
        (
            {"measurements": [{**MEASURED, "touches_border": "yes"}]},
            ("outline to check", "clinic", "photos.csv", "no", "no"),
        ),
        ({"measurements": [{**MEASURED, "confidence": 0.1}]}, ("outline to check", "reader", "photos.csv", "no", "no")),
        ({"measurements": [{**MEASURED, "ulcer_id": ""}]}, ("which ulcer", "reader", "photos.csv", "no", "no")),
        (
            {"measurements": [{**MEASURED, "over_threshold": "uncertain"}]},
            ("uncertain at the threshold", "clinic", "photos.csv", "no", "no"),
        ),
        # Which ulcer it is decides outcomes, whether or not they are unknown today.
        (
            {"trajectories": [{**OPEN, "flags": flagged(FlagKind.AMBIGUOUS_IDENTITY, ulcers=("S01-left-index-2",))}]},
            ("which ulcer", "reader", "photos.csv", "no", "yes"),
        ),
        (
            {"trajectories": [{**OPEN, "state": "healed", "flags": flagged(FlagKind.HEALED_BY_MACHINE)}]},
            ("state to check", "reader", "photos.csv", "no", "yes"),
        ),
        (
            {"trajectories": [{**OPEN, "state": "indeterminate"}]},
            ("state to check", "reader", "photos.csv", "no", "no"),
        ),
        # It may be a new ulcer.
        (
            {"trajectories": [{**OPEN, "state": "indeterminate", "flags": flagged(FlagKind.POSSIBLE_ULCER)}]},
            ("possible ulcer", "reader", "photos.csv", "no", "yes"),
        ),
        (
            {"trajectories": [{**OPEN, "flags": flagged(FlagKind.AMPUTATED_PERHAPS)}]},
            ("state to check", "clinic", "events.csv", "no", "no"),
        ),
        # Two answers that cannot both be right, on a criterion that nothing else decides.
        (
            {"eligibility": [{**criteria(age="passes")[0], "flags": flagged(FlagKind.AGES_CONTRADICT)}]},
            ("contradiction", "clinic", "subjects.csv", "yes", "no"),
        ),
        (
            {"eligibility": [{**criteria(refractory="unknown")[0], "flags": flagged(FlagKind.WORDS_CONTRADICT)}]},
            ("contradiction", "physician", "refractory.csv", "yes", "no"),
        ),
        (
            {"eligibility": [{**criteria(active="passes")[0], "flags": flagged(FlagKind.ROWS_AMBIGUOUS)}]},
            ("evidence to check", "clinic", "ulcers.csv", "yes", "no"),
        ),
        # A criterion that the protocol does not enforce changes no verdict.
        (
            {"eligibility": [{**criteria(active="none")[0], "flags": flagged(FlagKind.FISSURE, diameter_mm=0.4)}]},
            ("evidence to check", "reader", "photos.csv", "no", "no"),
        ),
        # The clinic counted 3 where the photos can show 1 at most.
        (
            {"outcomes_by_subject": [{"subject_id": "S01", "counts_disagree": "week 12: 3 counted, 1 to 1 on photos"}]},
            ("contradiction", "clinic", "visits.csv", "no", "yes"),
        ),
        # Without a day of treatment nothing can be counted: that day is asked for, not photos.
        (
            {"outcomes": [UNKNOWN], "outcomes_by_subject": [{"subject_id": "S01", "largest_healed": "unknown"}]},
            ("unknown outcome", "clinic", "subjects.csv", "no", "yes"),
        ),
    ],
)
def test_who_is_asked_and_what_hangs_on_it(case: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert who_and_what(only(asked(**case))) == expected


def test_a_possible_ulcer_is_not_asked_about_again_by_its_outline() -> None:
    weak = {**MEASURED, "presence": "possible", "reader": "machine", "confidence": 0.1, "over_threshold": "uncertain"}
    assert asked(measurements=[weak]) == []


def test_a_photo_of_an_ulcer_whose_outcome_is_unknown_touches_it() -> None:
    rows = asked(treated(), photos=[REFUSED], trajectories=[OPEN], outcomes=[UNKNOWN])
    assert {row["kind"]: row["touches_outcome"] for row in rows} == {
        "photo not measured": "yes", "unknown outcome": "yes"
    }  # fmt: skip
    elsewhere = asked(treated(), photos=[{**REFUSED, "finger": "ring"}], trajectories=[OPEN], outcomes=[UNKNOWN])
    assert {row["kind"]: row["touches_outcome"] for row in elsewhere}["photo not measured"] == "no"


LATEST = {"subject_id": "S01", "visit": "week 12", "date": "2024-08-12"}


def test_an_unknown_outcome_names_the_visits_that_would_tell() -> None:
    """Treated on 6 May, the study knows 12 August: MANUS' visits up to week 12 are due, week 24 is not.

    Week 4 was covered, 48h and week 8 are not there at all.
    """
    shown = ("baseline", "week 2", "week 12")
    course = [{**OPEN, "visit": visit, "state": "persistent"} for visit in shown]
    course.append({**OPEN, "visit": "week 4", "state": "indeterminate"})
    rows = asked(treated(visits=[LATEST]), trajectories=course, outcomes=[UNKNOWN])
    row = only([row for row in rows if row["kind"] == "unknown outcome"])
    assert row["expected"].startswith("a passing photo of its place at 48h, week 4, week 8, or")
    # Confirmation and recurrence can only follow a healing, and are no doubt of their own.
    assert row["about"] == "healed"


@pytest.mark.parametrize(
    ("latest", "asked_for"),
    [
        ("2024-05-08", []),  # day 2: the window of 48h, day 2 ± 1, is still open
        ("2024-05-09", ["48h"]),  # day 3: it has closed
        ("2024-05-22", ["48h"]),  # day 16: that of week 2, day 14 ± 3, is still open
        ("2024-05-23", ["48h", "week 2"]),
    ],
)
def test_what_is_still_to_come_is_not_asked_for(latest: str, asked_for: list[str]) -> None:
    of = treated(visits=[{**LATEST, "visit": "unscheduled", "date": latest}])
    rows = asked(of, trajectories=[{**OPEN, "visit": "baseline"}], outcomes=[UNKNOWN])
    assert [row["expected"].partition(" place at ")[2].partition(", or why")[0] for row in rows] == (
        [", ".join(asked_for)] if asked_for else []
    )


@pytest.mark.parametrize(("day", "asked_for"), [(50.0, "at 48h, week 2, week 4,"), (1.0, "")])
def test_nobody_is_asked_for_photos_after_a_death(day: float, asked_for: str) -> None:
    """Died on day 50, before week 8; or on day 1, before the first visit after treatment (48h is day 2)."""
    outcome = {**UNKNOWN, "follow_up_ended": "death", "follow_up_ended_day": day}
    rows = asked(treated(), trajectories=[{**OPEN, "visit": "baseline"}], outcomes=[outcome])
    assert [asked_for in row["expected"] and "week 8" not in row["expected"] for row in rows] == [True] * bool(
        asked_for
    )


def test_a_subjects_outcome_is_asked_where_its_ulcers_are_known() -> None:
    known = {**ULCER, "healed": "no"}
    subject = {"subject_id": "S01", "largest_healed": "unknown"}
    row = only(asked(treated(), outcomes=[known], outcomes_by_subject=[subject]))
    assert (row["file"], row["cell"]) == ("visits.csv", "all_fingers_examined")
    rows = asked(treated(), outcomes=[UNKNOWN], outcomes_by_subject=[subject])
    assert [row["file"] for row in rows] == ["photos.csv"], "the ulcer's question settles the subject's"


@pytest.mark.parametrize(
    ("effects", "touched"),
    [
        ({"active": "unknown"}, "yes"),
        ({"active": "unknown", "age": "passes"}, "yes"),
        ({"active": "unknown", "age": "fails"}, "no"),  # not eligible whatever the answer
        ({"active": "fails"}, "yes"),  # the only one that fails
        ({"active": "none", "age": "passes"}, "no"),  # not enforced
    ],
)
def test_an_answer_touches_the_verdict_where_no_other_criterion_decides_it(
    effects: dict[str, str], touched: str
) -> None:
    row = only(asked(answers=[OpenAnswer("S01", "active", (PAINFUL,))], eligibility=criteria(**effects)))
    assert (row["kind"], row["touches_verdict"]) == ("missing answer", touched)


def test_a_cell_that_two_criteria_miss_is_asked_once() -> None:
    answers = [OpenAnswer("S01", name, (replace(PAINFUL, or_else=name == "b"),)) for name in ("a", "b")]
    row = only(asked(answers=answers, eligibility=criteria(a="unknown", b="fails")))
    assert (row["about"], row["touches_verdict"], row["cell"]) == ("a; b", "yes", "ulcer no. 1, painful")


def test_of_a_subject_without_a_row_the_row_is_asked_for() -> None:
    cells = [Ask("subjects.csv", "S01", (name,)) for name in ("birth_date", "sex")]
    answers = [OpenAnswer("S01", name, (cell,)) for name, cell in zip("ab", cells, strict=True)]
    row = only(asked(answers=answers, eligibility=criteria(a="unknown", b="unknown")))
    assert (row["file"], row["about"], row["observed"]) == ("subjects.csv", "a; b", "no row")
    assert [row["cell"] for row in asked(treated(), answers)] == ["birth_date", "sex"]


def test_the_physician_is_asked_for_the_physicians_word() -> None:
    assert only(asked(answers=[OpenAnswer("S01", "refractory", (WORD,))]))["answered_by"] == "physician"


def test_a_doubt_before_treatment_touches_the_verdict_only_of_an_ulcer_with_an_open_condition() -> None:
    answers = [OpenAnswer("S01", "active", (PAINFUL,), **{k: ULCER[k] for k in ("ulcer_id", "hand", "finger")})]
    at = {visit: {**MEASURED, "visit": visit, "over_threshold": "uncertain"} for visit in ("screening", "week 2")}
    for visit, expected in (("screening", "yes"), ("week 2", "no")):
        rows = asked(answers=answers, eligibility=criteria(active="unknown"), measurements=[at[visit]])
        assert {row["kind"]: row["touches_verdict"] for row in rows}["uncertain at the threshold"] == expected
    rows = asked(eligibility=criteria(active="passes"), measurements=[at["screening"]])
    assert only(rows)["touches_verdict"] == "no"


def test_a_cell_in_doubt_is_asked_once_and_knows_what_rests_on_it() -> None:
    finding = doubtful()
    answers = [OpenAnswer("S01", "age", (to_be_mended(finding),))]
    row = only(asked(study(finding), answers, eligibility=criteria(age="unknown")))
    assert who_and_what(row) == ("cell in doubt", "clinic", "subjects.csv", "yes", "no")
    assert row["cell"] == "row 2, birth_date"
    assert only(asked(study(finding), eligibility=criteria(age="passes")))["touches_verdict"] == "no"


def test_a_date_in_doubt_touches_the_outcome_that_was_left_unknown_for_it() -> None:
    finding = doubtful(file="visits.csv", column="date", got="2024-08-29")
    unknown = {**UNKNOWN, "in_doubt": "visits.csv row 2, date"}
    row = only(asked(study(finding), outcomes=[unknown]))
    assert (row["kind"], row["touches_outcome"]) == ("cell in doubt", "yes")
    assert only(asked(study(doubtful()), outcomes=[unknown]))["touches_outcome"] == "no", "no outcome rests on a birth"


def test_a_remark_on_the_study_is_a_question_of_its_row() -> None:
    """Row 3 of photos.csv is the second photo: its visit and finger stand in the query."""
    photos = [{**PHOTO, "photo": name} for name in ("a.jpg", "b.jpg")]
    remark = Finding(Kind.CAMERA_DATE, Severity.WARNING, "photos.csv", (3,), "date", "2024-05-20", "2024-05-29",
                     subject_id="S01")  # fmt: skip
    row = only(asked(study(remark, photos=photos)))
    assert (row["kind"], row["photo"], row["visit"], row["finger"]) == ("cell to check", "b.jpg", "week 2", "index")
    protocols = Finding(Kind.PROTOCOL, Severity.WARNING, "protocol.toml")
    assert asked(study(protocols)) == [], "its author is none of whom queries are asked"


def test_a_flag_on_an_ulcers_condition_is_not_asked_again_of_its_subject() -> None:
    flags = flagged(FlagKind.FISSURE, diameter_mm=0.4)
    of_ulcer = {**ULCER, "criterion": "active", "effect": "passes", "flags": flags}
    rows = asked(eligibility_by_ulcer=[of_ulcer], eligibility=[{**criteria(active="passes")[0], "flags": flags}])
    assert only(rows)["ulcer_id"] == "S01-left-index-1"


def test_a_contradiction_whose_cells_are_asked_for_is_not_asked_as_such() -> None:
    """A man said to be pregnant: his two cells are asked for, each by itself."""
    asks = tuple(Ask("subjects.csv", "S01", (name,), need=Need.CORRECT) for name in ("sex", "pregnant"))
    row = {**criteria(pregnancy="unknown")[0], "flags": flagged(FlagKind.ANSWERS_CONTRADICT)}
    rows = asked(treated(), [OpenAnswer("S01", "pregnancy", asks)], eligibility=[row])
    assert [(row["kind"], row["cell"]) for row in rows] == [("contradiction", "sex"), ("contradiction", "pregnant")]
    settled = asked(eligibility=[{**row, "effect": "passes"}])
    assert only(settled)["kind"] == "contradiction"


def test_decisions_that_cannot_be_read_or_do_not_fit_are_asked_of_the_investigator() -> None:
    unread = [Unread("S01", "decided_on", "06/05/2024", "date that is none, or may be two")]
    rows = with_queries_on_people(
        empty("queries"), readings=empty("readings"), unread=unread, changed={"S02": "it is not eligible now"}
    )
    assert list(rows["subject_id"]) == ["S01", "S02"]
    assert set(rows["kind"]) == {"decision"} and set(rows["answered_by"]) == {"physician"}
    assert rows["query_id"].is_unique


@pytest.mark.parametrize(
    ("readings", "asked_of"),
    [
        ([("R1", "yes", "no"), ("R2", "no", "no")], []),  # R1 is the primary reader
        ([("R1", "no", "no"), ("R2", "no", "no")], ["R1, R2"]),
        ([("R1", "no", "no"), ("R2", "no", "no"), ("R3", "no", "yes")], []),  # settled by a third
        ([("R1", "no", "no")], []),
        ([("R1", "no", "no"), ("machine", "no", "no")], []),  # the machine's outline stands beside what was read of it
    ],
)
def test_readers_who_differ_are_asked_about_until_it_is_settled(
    readings: list[tuple[str, str, str]], asked_of: list[str]
) -> None:
    rows = [{**PHOTO, "occasion": 1, "reader": r, "counts": c, "adjudicated": a} for r, c, a in readings]
    found = with_queries_on_people(empty("queries"), readings=from_rows("readings", rows), unread=[], changed={})
    assert [words.removeprefix("read by ").partition(", none")[0] for words in found["observed"]] == asked_of


def test_a_reading_that_could_not_be_used_is_asked_for_again() -> None:
    rows = from_rows("readings", [{**PHOTO, "occasion": 1, "reader": "R1", "not_kept": "the photo is another one now"}])
    row = with_queries_on_people(empty("queries"), readings=rows, unread=[], changed={}).iloc[0]
    assert (row["kind"], row["answered_by"], row["photo"]) == ("reading", "reader", "a.jpg")


def test_every_kind_of_flag_has_its_line_in_one_of_both() -> None:
    assert set(PLACES).isdisjoint(ASK_NOTHING)
    assert {*PLACES, *ASK_NOTHING} == set(FlagKind), "a new kind needs a line"


@pytest.mark.parametrize("kind", FlagKind)
def test_every_flag_that_asks_names_cells_that_there_are(kind: FlagKind) -> None:
    place = where_answered(kind)
    if place is not None:
        table = TABLES[f"study/{place.file.removesuffix('.csv')}"]
        assert set(place.columns) <= {column.name for column in table.columns}
        assert flag_expected(Flag(kind, date="2024-05-06"))
