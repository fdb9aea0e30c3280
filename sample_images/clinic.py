"""The sample study's files that need no photo: what the clinic wrote, and what must come out of it."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from subjects import SubjectHistory

from ulcermeter import read_protocol
from ulcermeter.tables import TABLES, columns

NOT_KNOWN_AGAINST = (
    "neoplasm_last_10y",
    "childbearing_potential",
    "pregnant",
    "contraception_refused",
    "life_expectancy_under_1y",
    "uncontrolled_hypertension",
    "uncontrolled_infection_systemic",
    "follow_up_impossible",
)


def day_of(history: SubjectHistory, day: int) -> str:
    """Return the ISO date of a day counted from treatment."""
    return (date.fromisoformat(history.treatment_date) + timedelta(days=day)).isoformat()


def ulcer_id(history: SubjectHistory, number: int) -> str:
    """Return the identity that tracking is to give to an ulcer."""
    return f"{history.subject_id}-{history.hand}-{history.finger}-{number}"


def subject_row(history: SubjectHistory) -> dict[str, Any]:
    """Return the row of subjects.csv: all answered, nothing against inclusion, then what is this subject's own."""
    answers = dict.fromkeys(NOT_KNOWN_AGAINST, "no")
    return {
        "subject_id": history.subject_id,
        "consent_date": day_of(history, -16),
        "screening_date": day_of(history, -14),
        "inclusion_date": day_of(history, -7),
        "treatment_date": history.treatment_date,
        "sex": "female",
        "birth_date": "1968-02-20",
        "injected_limb": history.hand,
        "ssc_established": "yes",
        **answers,
        **history.subject,
    }


def clinic_rows(history: SubjectHistory) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows of ulcers.csv and refractory.csv: the clinic's assessment and the physician's word."""
    assessments, statements = [], []
    for number in history.places:
        if not any(number in shot.states for shot in history.shots if shot.day <= -7):
            continue
        ids: dict[str, Any] = {"subject_id": history.subject_id, "ulcer_no": number}
        assessments.append(
            ids
            | {"hand": history.hand, "finger": history.finger, "site": "tip", "assessed_on": day_of(history, -14)}
            | dict.fromkeys(("painful", "visible_depth", "loss_of_dermis"), "yes")
            | {"calcinosis_on_xray": "no", "xray_date": day_of(history, -13)}
            | history.ulcers.get(number, {})
        )
        word = history.refractory.get(number, {"worsened_1_month": "no", "no_improvement_2_months": "yes"})
        if word is not None:
            judged = {"judged_by": "referring physician", "judged_on": day_of(history, -14)}
            statements.append(ids | {"course_end": day_of(history, history.course_days[1])} | word | judged)
    return assessments, statements


def expected_rows(history: SubjectHistory) -> list[dict[str, str]]:
    """Return result and effect of every criterion by the subject's history."""
    rows = []
    for criterion in read_protocol("manus").criteria:
        result = "met" if criterion.kind == "inclusion" else "not met"
        effect = "none" if criterion.kind == "advisory" else "passes"
        rows.append(
            {
                "subject_id": history.subject_id,
                "criterion": criterion.id,
                "result": history.results.get(criterion.id, result),
                "effect": history.effects.get(criterion.id, effect),
            }
        )
    return rows


def write_csv(path: Path, names: list[str], rows: list[dict[str, Any]]) -> None:
    """Write a table with those columns that some row fills (all of them where `names` is required reading)."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_study_table(out: Path, name: str, rows: list[dict[str, Any]]) -> None:
    """Write one of the study's own files with its contract's columns, leaving out optional ones that nobody fills."""
    filled = {key for row in rows for key, value in row.items() if value != ""}
    names = [c for c in columns(f"study/{name}") if c in filled or TABLES[f"study/{name}"][c].required]
    write_csv(out / f"{name}.csv", names, [{key: row.get(key, "") for key in names} for row in rows])


def visit_rows(history: SubjectHistory) -> list[dict[str, Any]]:
    """Return the rows of visits.csv."""
    return [
        {
            "subject_id": history.subject_id,
            "visit": shot.visit,
            "date": day_of(history, shot.day),
            "attended": "yes",
            "all_fingers_examined": "yes" if shot.visit in ("screening", "baseline", "week 12") else "",
            "n_active_clinician": len(shot.sizes)
            if shot.visit in ("screening", "baseline")
            else history.counts.get(shot.visit, ""),
        }
        for shot in history.shots
    ]


def clinic_tables(histories: Iterable[SubjectHistory]) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of the study's files that need no photo, by the files' names."""
    names = ("subjects", "ulcers", "treatments", "refractory", "visits", "events")
    tables: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for history in histories:
        assessments, statements = clinic_rows(history)
        tables["subjects"].append(subject_row(history))
        tables["ulcers"] += assessments
        tables["refractory"] += statements
        tables["visits"] += visit_rows(history)
        own = {"subject_id": history.subject_id}
        tables["events"] += [own | {"event": event, "date": day_of(history, day)} for event, day in history.events]
        start, end = (day_of(history, day) for day in history.course_days)
        tables["treatments"].append(own | {"drug": "iloprost", "route": "iv", "start": start, "end": end})
    return tables


def write_what_needs_no_photo(out: Path, histories: Iterable[SubjectHistory]) -> None:
    """Write the clinic's files, and what must come out of criteria and verdicts."""
    for name, rows in clinic_tables(histories).items():
        if rows:
            write_study_table(out, name, rows)
    expected = [row for history in histories for row in expected_rows(history)]
    write_csv(out / "truth_eligibility.csv", ["subject_id", "criterion", "result", "effect"], expected)
    verdicts = [
        {
            "subject_id": s.subject_id,
            "verdict": s.verdict,
            "qualifying_ulcer": "; ".join(ulcer_id(s, number) for number in s.qualifying),
            "history": s.title,
        }
        for s in histories
    ]
    write_csv(out / "truth_verdicts.csv", ["subject_id", "verdict", "qualifying_ulcer", "history"], verdicts)
