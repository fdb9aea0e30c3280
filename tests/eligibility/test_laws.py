"""Laws: less knowledge never turns an answer round, and the order of rows and of subjects changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from eligibility_cases import (
    ASSESSMENT,
    COURSE,
    PERSON,
    PROTOCOL,
    STATEMENT,
    A,
    B,
    assess,
    course_row,
    photo_row,
    story,
    tracked_row,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from ulcermeter.eligibility import assess_eligibility
from ulcermeter.eligibility.case import Case, cases
from ulcermeter.eligibility.examination import last_examination
from ulcermeter.eligibility.summary import criterion_rows, judge, open_answers, summary_row
from ulcermeter.protocol import Protocol
from ulcermeter.tables import TABLES

USUAL = cases(*story())[0]
YES_NO = st.sampled_from(["yes", "no", ""])


def mostly(usual: Any, *others: Any) -> st.SearchStrategy[Any]:
    """The usual value five times in six: answers must be definite often enough to be turned round."""
    return st.integers(0, 5).flatmap(lambda i: st.sampled_from(others) if i == 5 else st.just(usual))


WORDS = ("worsened_1_month", "no_improvement_2_months", "recurred_3_months")
PLAIN = (
    "neoplasm_last_10y",
    "childbearing_potential",
    "pregnant",
    "contraception_refused",
    "life_expectancy_under_1y",
    "ssc_established",
    "skin_thickening_proximal_mcp",
    "telangiectasia",
    "raynaud",
    "ssc_antibodies",
    "better_explained",
    "fingers_spared",
)
# Cells whose emptying may turn an answer round, by rule and not by accident: without an inclusion date screening's
# stands in, and where the physician is silent the photos speak.
RULES = {"inclusion_date", "screening_date", "worsened_1_month", "recurred_3_months"}
FIXED = {"subject_id", "photo", "visit", "date", "drug", "event"}


def around(day: str) -> st.SearchStrategy[str]:
    """Dates near one, some partial, some empty, some after inclusion."""
    return mostly(day, "", "2016", "2016-05", "2015-12-01", "2016-04-20", "2016-05-09", "2016-05-10", "2016-05-12")


@st.composite
def people(draw: st.DrawFn) -> dict[str, Any]:
    person = PERSON | {name: draw(mostly(PERSON.get(name, ""), "yes", "no", "")) for name in PLAIN}
    person["sex"] = draw(mostly("female", "male", "other", ""))
    person["birth_date"] = draw(mostly("1960-02-14", "", "1998", "1998-05", "1998-05-10", "1998-05-11", "1950"))
    person["age"] = draw(mostly(float("nan"), 17.0, 18.0, 70.0))
    person["neoplasm_last_active"] = draw(mostly("", "2006", "2006-05", "2006-05-10", "2001", "2016-06"))
    person["consent_date"] = draw(around("2016-05-01"))
    return person


@st.composite
def assessments(draw: st.DrawFn) -> dict[str, Any]:
    look = ASSESSMENT | {"painful": draw(mostly("yes", "no", "")), "calcinosis_on_xray": draw(mostly("no", "yes", ""))}
    look["assessed_on"], look["xray_date"] = draw(around("2016-05-03")), draw(around("2016-05-04"))
    look["ulcer_no"] = draw(st.sampled_from(["1", "2", "1", "2", ""]))
    look["finger"] = draw(mostly({"1": "index", "2": "middle", "": "index"}[look["ulcer_no"]], "index", "middle", ""))
    look["site"] = draw(mostly("", "tip", "PIP"))
    look["diameter_mm_bedside"] = draw(st.sampled_from([1.5, 2.5, float("nan")]))
    return look


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    word = STATEMENT | {name: draw(mostly("no", "yes", "")) for name in WORDS}
    word["ulcer_no"] = draw(st.sampled_from(["1", "2", "1", "2", ""]))
    word["course_end"] = draw(mostly("2016-01-08", "", "2016-01", "2015-06-05"))
    word["judged_on"] = draw(mostly("2016-04-20", "", "2016-03", "2016-02-01", "2016-05-20"))
    return word


@st.composite
def examinations(draw: st.DrawFn) -> dict[str, Any]:
    row = {"subject_id": "S01", "visit": draw(mostly("screening", "unscheduled", "history")), "attended": "yes"}
    row["date"] = draw(around("2016-05-03"))
    row["all_fingers_examined"] = draw(mostly("yes", "no", ""))
    row["n_active_clinician"] = draw(st.sampled_from([0, 1, 1, 2, None]))
    return row


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    what = draw(st.sampled_from(["amputation", "amputation", "death", "withdrawal", "other"]))
    where = draw(st.sampled_from([{"hand": "left", "finger": "index"}, {"hand": "right", "finger": "ring"}, {}]))
    row = {"subject_id": "S01", "event": what, "date": draw(around("2016-06-12"))}
    return row | (where if what == "amputation" else {})


@st.composite
def subjects(draw: st.DrawFn) -> Case:
    """A subject with up to two ulcers on two fingers or one, told well or badly."""
    finger = draw(st.sampled_from(["middle", "index"]))
    size = {"yes": 2.4, "no": 1.6, "uncertain": 2.0}
    answers = draw(st.lists(st.sampled_from(sorted(size)), min_size=1, max_size=3))
    ulcers = ((A, "index", "tip"), (B, finger, draw(st.sampled_from(["", "PIP"]))), (A, "index", "tip"))
    tracked, photos = [], []
    for i, (answer, (ulcer_id, where, site)) in enumerate(zip(answers, ulcers, strict=False)):
        on = {"photo": f"{i}.jpg", "finger": where, "site": site, "date": f"2016-05-0{3 + i}"}
        tracked.append(tracked_row(ulcer_id=ulcer_id, over_threshold=answer, diameter_mm=size[answer], **on))
        number = draw(mostly("1" if ulcer_id == A else "2", "", "1", "2"))
        photos.append(photo_row(ulcer_no=number, **on))
    if draw(st.booleans()):
        said = {
            "ulcer_no": draw(st.sampled_from(["", "3"])),
            "reader_state": draw(st.sampled_from(["", "open", "healed"])),
        }
        photos.append(photo_row(photo="ring.jpg", finger="ring", **said))
    areas = draw(st.lists(st.sampled_from([0.0, 5.0, 10.0, 20.0]), min_size=0, max_size=4))
    days = ("2016-01-03", "2016-02-01", "2016-03-20", "2016-04-12")
    more = draw(mostly({}, {"start": "2015-06-01", "end": "2015-06-05"}, {"start": "2016-02-25", "end": ""}))
    courses = [COURSE | {"route": draw(mostly("iv", "oral", ""))}, *([COURSE | more] if more else [])]
    if draw(st.integers(0, 5)) == 0:  # nobody knows of any ulcer
        tracked, photos, areas = [], [], []
    known = bool(tracked)
    return Case(
        "S01",
        PROTOCOL,
        whole("study/subjects", draw(people())),
        photos=rows("study/photos", photos),
        assessments=rows("study/ulcers", draw(st.lists(assessments(), min_size=1, max_size=4)) if known else []),
        courses=rows("study/treatments", courses),
        statements=rows("study/refractory", draw(st.lists(statements(), max_size=3)) if known else []),
        tracked=rows("tracked", tracked),
        trajectories=rows("trajectories", [course_row(d, area) for d, area in zip(days, areas, strict=False)]),
        visits=rows("study/visits", draw(st.lists(examinations(), max_size=2))),
        events=rows("study/events", draw(st.lists(events(), max_size=1))),
    )


def whole(table: str, row: dict[str, Any]) -> dict[str, Any]:
    """A row with all the columns of its table, as records of a conforming frame would be."""
    nothing = {"text": "", "number": float("nan"), "count": None}
    return {column.name: row.get(column.name, nothing[column.kind]) for column in TABLES[table].columns}


def rows(table: str, some: list[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    return in_order(whole(table, row) for row in some)


def in_order(some: Iterable[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """As `cases` sorts them, so that the order of a file's rows can change nothing."""
    return tuple(sorted(some, key=lambda row: [str(cell) for cell in row.values()]))


def emptied(case: Case, draw: st.DrawFn) -> tuple[Case, str]:
    """The same subject with one cell that was filled now empty, and that cell's name."""
    cells = [("person", 0, name) for name in case.person]
    tables = ("photos", "assessments", "courses", "statements", "visits", "events")
    cells += [(t, i, name) for t in tables for i, row in enumerate(getattr(case, t)) for name in row]
    cells = [cell for cell in cells if cell[2] not in FIXED | RULES and filled(case, cell) not in ("", "nan", "None")]
    table, i, name = draw(st.sampled_from(cells))
    nothing: Any = float("nan") if name in ("age", "diameter_mm_bedside", "x", "y") else ""
    nothing = None if name == "n_active_clinician" else nothing
    if table == "person":
        return replace(case, person=case.person | {name: nothing}), name
    changed = list(getattr(case, table))
    changed[i] = changed[i] | {name: nothing}
    return replace(case, **{table: in_order(changed)}), name


def filled(case: Case, cell: tuple[str, int, str]) -> str:
    table, i, name = cell
    return str(case.person[name] if table == "person" else getattr(case, table)[i][name])


@settings(max_examples=100)
@given(st.data())
def test_knowing_less_never_turns_an_answer_round(data: st.DataObject) -> None:
    case = data.draw(subjects())
    less, name = emptied(case, data.draw)
    before, after = criterion_rows(judge(case)), criterion_rows(judge(less))
    turned = {("passes", "fails"), ("fails", "passes")}
    round_ = [b["criterion"] for b, a in zip(before, after, strict=True) if (b["effect"], a["effect"]) in turned]
    assert not round_ or round_ == _of_another_ulcer(case, less, round_), (name, round_)
    verdicts = {summary_row(judge(case))["verdict"], summary_row(judge(less))["verdict"]}
    assert verdicts != {"eligible", "not eligible"}, name


def _of_another_ulcer(case: Case, less: Case, round_: list[str]) -> list[str]:
    """Conditions whose row now speaks of another ulcer: the subject's best one changed, no answer of an ulcer did."""
    best, now = (judge(c).ulcers[0] if judge(c).ulcers else None for c in (case, less))
    changed = best is not None and now is not None and best[0].name != now[0].name
    return round_ if changed and summary_row(judge(case))["verdict"] != "eligible" else []


@settings(max_examples=60)
@given(st.data())
def test_what_is_dated_after_inclusion_changes_nothing(data: st.DataObject) -> None:
    case = data.draw(subjects())
    day = data.draw(st.sampled_from(["2016-05-11", "2016-06", "2017"]))
    xray = data.draw(st.sampled_from([day, ""]))
    late = {
        "assessments": rows("study/ulcers", [data.draw(assessments()) | {"assessed_on": day, "xray_date": xray}]),
        "statements": rows("study/refractory", [data.draw(statements()) | {"judged_on": day}]),
        "visits": rows("study/visits", [data.draw(examinations()) | {"date": day}]),
        "courses": rows("study/treatments", [COURSE | {"start": day, "end": day}]),
        "events": rows("study/events", [data.draw(events()) | {"date": day}]),
        "tracked": rows("tracked", [tracked_row(date=day, photo="late.jpg", visit="unscheduled", over_threshold="no")]),
    }
    name = data.draw(st.sampled_from(sorted(late)))
    later = replace(case, **{name: in_order((*getattr(case, name), *late[name]))})
    if name in ("assessments", "statements") and not case.tracked:
        return  # an ulcer that nobody knew of by then is one more whose answers are open
    results = [[(row["criterion"], row["result"]) for row in criterion_rows(judge(c))] for c in (case, later)]
    assert results[0] == results[1], name


@settings(max_examples=40)
@given(st.data())
def test_the_order_of_rows_changes_nothing(data: st.DataObject) -> None:
    case = data.draw(subjects())
    tables = ("photos", "assessments", "courses", "statements", "tracked", "trajectories")
    shuffled = replace(case, **{t: tuple(data.draw(st.permutations(getattr(case, t)))) for t in tables})
    assert shuffled.person == case.person
    truths = [[row["result"] for row in criterion_rows(judge(c))] for c in (case, shuffled)]
    assert truths[0] == truths[1]


def test_shuffled_tables_give_the_same_tables() -> None:
    study, tracked, course = story(
        subjects=[PERSON, PERSON | {"subject_id": "S02", "sex": "male"}],
        ulcers=[
            ASSESSMENT,
            ASSESSMENT | {"assessed_on": "2016-04-01"},
            ASSESSMENT | {"ulcer_no": "2", "finger": "ring"},
        ],
        trajectories=[course_row("2016-01-04", 10), course_row("2016-02-01", 20)],
        tracked=[tracked_row(), tracked_row(photo="b.jpg", date="2016-05-05")],
    )
    back = {name: getattr(study, name).iloc[::-1].reset_index(drop=True) for name in ("subjects", "ulcers", "photos")}
    turned = assess_eligibility(replace(study, **back), tracked.iloc[::-1], course.iloc[::-1])
    straight = assess_eligibility(study, tracked, course)
    for name in ("eligibility", "eligibility_by_ulcer", "eligibility_summary"):
        assert getattr(turned, name).equals(getattr(straight, name))


@settings(max_examples=60)
@given(st.data())
def test_the_subjects_rows_say_what_the_or_over_ulcers_says(data: st.DataObject) -> None:
    judged = judge(data.draw(subjects()))
    names = ("active_ulcer", "refractory_prostacyclin", "calcinosis")
    effects = [row["effect"] for row in criterion_rows(judged) if row["criterion"] in names]
    each = []
    for _, answers in judged.ulcers:
        truths = [answers["active_ulcer"].truth, answers["refractory_prostacyclin"].truth]
        free = answers["calcinosis"].truth
        truths.append(None if free is None else not free)
        each.append("fails" if False in truths else "unknown" if None in truths else "passes")
    subject = "fails" if "fails" in effects else "unknown" if "unknown" in effects else "passes"
    examined = last_examination(judged.case)
    if not each:
        best = "fails" if examined is not None and examined.found_none else "unknown"
    else:
        best = "passes" if "passes" in each else "unknown" if "unknown" in each else "fails"
    assert subject == best


@settings(max_examples=50)
@given(st.data())
def test_every_open_row_says_what_would_settle_it(data: st.DataObject) -> None:
    for row in criterion_rows(judge(data.draw(subjects()))):
        assert bool(row["would_settle"]) == (row["result"] == "not assessable"), row


def test_no_arm_is_ever_read() -> None:
    fields = set(Case.__dataclass_fields__)
    assert "allocation" not in fields and isinstance(USUAL.protocol, Protocol)
    assert "arm" not in assess().eligibility.columns


@pytest.mark.parametrize("table", ["eligibility", "eligibility_by_ulcer"])
def test_rows_stand_in_the_protocols_order(table: str) -> None:
    frame = getattr(assess(subjects=[PERSON | {"subject_id": "S02"}, PERSON]), table)
    assert list(frame["subject_id"]) == sorted(frame["subject_id"])
    order = [c.id for c in USUAL.protocol.criteria if c.id in set(frame["criterion"])]
    assert list(frame[frame["subject_id"] == "S01"]["criterion"])[: len(order)] == order


@settings(max_examples=60, deadline=None)
@given(subjects())
def test_whatever_is_open_is_asked_for(case: Case) -> None:
    """A criterion that is not assessable names what would settle it, and an undetermined verdict names such ones."""
    judged = judge(case)
    answers = {answer.criterion: answer.asks for answer in open_answers(judged)}
    assert all(answers.values())
    open_ones = [row["criterion"] for row in criterion_rows(judged) if row["effect"] == "unknown"]
    assert set(open_ones) <= set(answers)


def test_what_the_protocol_leaves_away_is_not_asked_for() -> None:
    """Nobody has said anything of the course; a protocol without that criterion does not ask."""
    silent = replace(USUAL, statements=())
    without = replace(PROTOCOL, criteria=tuple(c for c in PROTOCOL.criteria if c.id != "refractory_prostacyclin"))
    asked = [{answer.criterion for answer in open_answers(judge(case))}
             for case in (silent, replace(silent, protocol=without))]  # fmt: skip
    assert asked == [{"refractory_prostacyclin"}, set()]
