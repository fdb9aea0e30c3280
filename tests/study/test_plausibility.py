"""Values that can be read and cannot well be right: each is told with its cell, and none is a fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from ulcermeter.datatypes import Finding, Kind, Severity
from ulcermeter.protocol import read_drug, read_protocol, read_route
from ulcermeter.study import check_study
from ulcermeter.wording import finding_in_words

MANUS = read_protocol("manus")
VISITS = {"screening": "2024-03-01", "baseline": "2024-03-11", "week 2": "2024-03-25", "week 4": "2024-04-08"}
SUBJECT = {
    "consent_date": "2024-02-28",
    "screening_date": "2024-03-01",
    "inclusion_date": "2024-03-05",
    "treatment_date": "2024-03-11",
    "birth_date": "1970-06-15",
    "age": "",
}


def folder(
    root: Path, *, visits: dict[str, str] | None = None, subject: dict[str, str] | None = None, **tables: str
) -> Path:
    """Write a study of one subject, one photo a visit; rows of photos.csv follow the visits from row 2 on."""
    root.mkdir(parents=True)
    seen = VISITS | (visits or {})
    photos = ["photo,subject_id,visit,date,hand,finger"]
    photos += [f"p{i}.jpg,S01,{visit},{date},left,ring" for i, (visit, date) in enumerate(seen.items())]
    (root / "photos.csv").write_text("\n".join(photos) + "\n")
    cells = SUBJECT | (subject or {})
    (root / "subjects.csv").write_text(f"subject_id,{','.join(cells)}\nS01,{','.join(cells.values())}\n")
    for name, text in tables.items():
        (root / f"{name}.csv").write_text(text)
    for i in range(len(seen)):
        (root / f"p{i}.jpg").write_bytes(b"picture %d" % i)
    return root


def found(root: Path, *kinds: Kind) -> list[Finding]:
    check = check_study(root)
    assert check.study is not None, check.faults
    assert all(finding.severity is Severity.WARNING for finding in check.findings)
    return [finding for finding in check.findings if not kinds or finding.kind in kinds]


def cells(findings: list[Finding]) -> set[tuple[str, tuple[int, ...], str]]:
    return {(finding.file, finding.rows, finding.column) for finding in findings if finding.in_doubt}


def subject_cells(*names: str) -> set[tuple[str, tuple[int, ...], str]]:
    return {("subjects.csv", (2,), name) for name in names}


def test_a_study_in_order_has_no_finding(tmp_path: Path) -> None:
    assert found(folder(tmp_path / "s")) == []
    assert found(folder(tmp_path / "age", subject={"age": "53"})) == []
    assert found(folder(tmp_path / "partial", subject={"birth_date": "1970", "consent_date": "2024-03"})) == []


@pytest.mark.parametrize(
    ("subject", "doubtful"),
    [
        ({"birth_date": "2024-03-01"}, {"birth_date"}),  # the day of screening
        ({"birth_date": "2024-03-11"}, {"birth_date"}),  # the day of treatment
        ({"birth_date": "2044-06-15"}, {"birth_date"}),
        ({"birth_date": "1900-01-01"}, {"birth_date"}),
        ({"birth_date": "1904-02-01"}, {"birth_date"}),  # 120 on each of the subject's dates
        ({"birth_date": "1914-06-15"}, set()),  # 109 years
        ({"birth_date": "", "age": "300"}, {"age"}),
        ({"birth_date": "", "age": "-3"}, {"age"}),
        ({"birth_date": "", "age": "0"}, {"age"}),
        ({"birth_date": "", "age": "17"}, set()),  # a criterion's answer, and not implausible
        ({"age": "45"}, {"birth_date", "age"}),  # 53 by the birth date
        ({"age": "54"}, set()),  # a birthday later
        ({"screening_date": "2024-03-08"}, {"screening_date", "inclusion_date"}),  # after inclusion, before treatment
        ({"inclusion_date": "2024-02-05"}, {"screening_date", "inclusion_date"}),
        ({"inclusion_date": "2024-05-03"}, {"inclusion_date", "treatment_date"}),
        ({"screening_date": "2025-03-01"}, {"screening_date"}),  # one slip against inclusion and treatment
        ({"consent_date": "1924-02-28"}, {"consent_date"}),
        ({"consent_date": "2024-03-08"}, set()),  # after inclusion: the criterion's own answer, told
        ({"treatment_date": "2025-03-11"}, {"treatment_date"}),  # all visits stand against it
    ],
)
def test_dates_and_ages_of_a_subject(tmp_path: Path, subject: dict[str, str], doubtful: set[str]) -> None:
    findings = found(folder(tmp_path / "s", subject=subject))
    assert cells(findings) == subject_cells(*doubtful)
    for finding in findings:
        assert f"{finding.file} row" in finding_in_words(finding) and finding.got in finding_in_words(finding)


def test_consent_after_inclusion_is_told(tmp_path: Path) -> None:
    (one, other) = found(folder(tmp_path / "s", subject={"consent_date": "2024-03-08"}), Kind.CONSENT_LATE)
    assert (one.meant, other.meant) == ("2024-03-01", "2024-03-05") and not one.in_doubt


@pytest.mark.parametrize(
    ("visits", "rows"),
    [
        ({"screening": "2024-03-11", "baseline": "2024-03-01"}, {(2,), (3,)}),  # exchanged
        ({"week 2": "2024-04-08", "week 4": "2024-03-25"}, {(4,), (5,)}),
        ({"week 2": "2023-03-25"}, {(4,)}),  # one slip against three visits and the treatment
        ({"screening": "2024-03"}, set()),  # may be in order
        ({"unscheduled": "2024-03-28"}, set()),
    ],
)
def test_visits_whose_order_and_dates_disagree(
    tmp_path: Path, visits: dict[str, str], rows: set[tuple[int, ...]]
) -> None:
    findings = found(folder(tmp_path / "s", visits=visits), Kind.VISITS_OUT_OF_ORDER, Kind.DATES_OUT_OF_ORDER)
    assert cells(findings) == {("photos.csv", row, "date") for row in rows}


def test_visits_are_told_in_visits_csv_too(tmp_path: Path) -> None:
    visits = "subject_id,visit,date\nS01,screening,2024-03-01\nS01,week 4,2024-03-03\n"
    findings = found(folder(tmp_path / "s", visits={"week 4": "2024-04-08"}, **{"events": "subject_id,event\n"}))
    assert findings == []
    (tmp_path / "s" / "visits.csv").write_text(visits)
    assert ("visits.csv", (3,), "date") in cells(found(tmp_path / "s"))


def test_photos_of_a_visit_not_attended_and_after_death(tmp_path: Path) -> None:
    visits = "subject_id,visit,date,attended\nS01,week 2,2024-03-25,no\nS01,week 4,2024-04-08,yes\n"
    root = folder(tmp_path / "s", events="subject_id,event,date\nS01,death,2024-04-01\n")
    (root / "visits.csv").write_text(visits)
    (absent,) = found(root, Kind.NOT_ATTENDED)
    assert (absent.file, absent.rows, absent.column, absent.meant) == ("photos.csv", (4,), "visit", "visits.csv row 2")
    assert cells(found(root, Kind.AFTER_DEATH)) == {("photos.csv", (5,), "date"), ("visits.csv", (3,), "date")}


def test_a_death_before_the_treatment_is_in_doubt_with_what_it_contradicts(tmp_path: Path) -> None:
    root = folder(tmp_path / "s", events="subject_id,event,date\nS01,death,2023-04-01\n")
    assert cells(found(root, Kind.DATES_OUT_OF_ORDER)) == {("events.csv", (2,), "date")}


@pytest.mark.parametrize(("size", "told"), [("2.5", False), ("20", False), ("25", True), ("0", True), ("-2", True)])
def test_bedside_diameters(tmp_path: Path, size: str, told: bool) -> None:
    ulcers = f"subject_id,ulcer_no,hand,finger,diameter_mm_bedside\nS01,1,left,ring,{size}\n"
    findings = found(folder(tmp_path / "s", ulcers=ulcers), Kind.IMPLAUSIBLE)
    assert cells(findings) == ({("ulcers.csv", (2,), "diameter_mm_bedside")} if told else set())


@pytest.mark.parametrize(
    ("text", "meant", "sure"),
    [
        ("iloprost", "iloprost", True),
        ("Ilomedin", "iloprost", True),
        ("ILOMÉDINE", "iloprost", True),
        ("iloprost trometamol", "iloprost", True),
        ("Iloprost (Ilomedin) 50 µg/0.5 ml", "iloprost", True),
        ("Ilomedin infusion", "iloprost", True),
        ("Flolan", "epoprostenol", True),
        ("Prostaglandin E1", "alprostadil", True),
        ("treprostinil sodium", "treprostinil", True),
        ("iloprst", "iloprost", False),
        ("Ilomedim", "iloprost", False),
        ("iloprost or placebo", "iloprost", False),
        ("iloprost/epoprostenol", "", False),
        ("nifedipine", "", False),
        ("latanoprost", "", False),
        ("bimatoprost", "", False),
        ("misoprostol", "", False),
        ("selexipag", "", False),
    ],
)
def test_drugs(text: str, meant: str, sure: bool) -> None:
    read = read_drug(text, MANUS)
    assert read.sure is sure
    assert read.meant == meant or (not meant and "/" in text)


@pytest.mark.parametrize(
    ("text", "vein"),
    [
        ("iv", True),
        ("IV infusion", True),
        ("i.v.", True),
        ("I. V.", True),
        ("i/v continuous infusion", True),
        ("Intravenös", True),
        ("intravenous", True),
        ("oral", False),
        ("p.o.", False),
        ("per os", False),
        ("s.c. infusion", False),
        ("inhaled", False),
        ("infusion", None),
        ("intravenus", None),
        ("iv then oral", None),
        ("drp", None),
        ("", None),
    ],
)
def test_routes(text: str, vein: bool | None) -> None:
    read = read_route(text, MANUS)
    assert (read.meant == "iv" if read.sure else None) is vein


def test_drugs_and_routes_are_told_with_what_is_meant(tmp_path: Path) -> None:
    courses = ["Ilomedin,IV infusion", "iloprst,iv", "nifedipine,oral", "iloprost,intravenus", "iloprost,iv"]
    rows = "".join(f"S01,{course},2023-0{i + 1}-01,2023-0{i + 1}-05\n" for i, course in enumerate(courses))
    root = folder(tmp_path / "s", treatments="subject_id,drug,route,start,end\n" + rows)
    told = {(f.rows[0], f.column): (f.kind, f.meant) for f in found(root)}
    assert told == {
        (2, "drug"): (Kind.READ_AS, "iloprost"),
        (2, "route"): (Kind.READ_AS, "iv"),
        (3, "drug"): (Kind.NEARLY, "iloprost"),
        (5, "route"): (Kind.NEARLY, "iv"),
    }


def test_a_run_tells_them_in_its_record_and_its_report(tiny_study: Path, tmp_path: Path) -> None:
    from ulcermeter.pipeline import run_study

    subjects = tiny_study / "subjects.csv"
    subjects.write_text(subjects.read_text().replace(",54,", ",300,"))
    done = run_study(tiny_study, tmp_path / "results")
    (found,) = [record for record in done.run["findings"] if record["in_doubt"]]
    assert (found["file"], found["rows"], found["column"]) == ("subjects.csv", [2], "age")
    (query,) = done.queries[done.queries["kind"] == "cell in doubt"].to_dict("records")
    assert (query["file"], query["cell"], query["touches_verdict"]) == ("subjects.csv", "row 2, age", "yes")
    page = (tmp_path / "results" / "report.html").read_text()
    assert f'<code class="soft">{query["query_id"]}</code>' in page
    row = done.eligibility[(done.eligibility["criterion"] == "age_18") & (done.eligibility["subject_id"] == "S01")]
    assert row["result"].item() == "not assessable" and "subjects.csv row 2, age" in row["would_settle"].item()
