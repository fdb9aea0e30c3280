"""Small studies to ask about: a study folder as read, and the tables of its results."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from ulcermeter.datatypes import Ask, Finding, Kind, Need, OpenAnswer, Severity, Study
from ulcermeter.protocol import default_protocol
from ulcermeter.queries import list_queries
from ulcermeter.tables import empty, from_rows

FINGER = {"subject_id": "S01", "hand": "left", "finger": "index"}
ULCER = {**FINGER, "ulcer_id": "S01-left-index-1"}
PAINFUL = Ask("ulcers.csv", "S01", ("painful",), "ulcer no. 1")
STUDY = ("photos", "subjects", "ulcers", "treatments", "refractory", "visits", "events")
RESULTS = (
    "photos", "retake", "measurements", "trajectories", "eligibility", "eligibility_by_ulcer", "eligibility_summary",
    "outcomes", "outcomes_by_subject",
)  # fmt: skip


@lru_cache
def without_rows(name: str) -> pd.DataFrame:
    """Return a table without rows, made once."""
    return empty(name)


def study(*findings: Finding, **tables: list[dict[str, Any]]) -> Study:
    """Return a study folder as read."""
    frames = {name: from_rows(f"study/{name}", tables[name]) if name in tables else without_rows(f"study/{name}")
              for name in STUDY}  # fmt: skip
    return Study(Path("study"), default_protocol(), **frames, findings=findings)


def treated(**tables: list[dict[str, Any]]) -> Study:
    """Return a study whose one subject was treated on a known day."""
    return study(subjects=[{"subject_id": "S01", "treatment_date": "2024-05-06"}], **tables)


def results(**tables: list[dict[str, Any]]) -> dict[str, pd.DataFrame]:
    """Return the tables of a run, those not named without a row."""
    return {name: from_rows(name, tables[name]) if name in tables else without_rows(name) for name in RESULTS}


def asked(of: Study | None = None, answers: list[OpenAnswer] | None = None, **tables: list[dict[str, Any]]) -> list:
    """Return the queries as rows."""
    return list_queries(of or study(), results(**tables), open_answers=answers or []).to_dict("records")


def criteria(**effects: str) -> list[dict[str, Any]]:
    """Return S01's rows of eligibility, by criterion and effect."""
    return [{"subject_id": "S01", "criterion": name, "effect": effect} for name, effect in effects.items()]


def doubtful(**cells: Any) -> Finding:
    """Return a finding on a cell in doubt."""
    own = {"file": "subjects.csv", "rows": (2,), "column": "birth_date", "got": "1890-01-01", "subject_id": "S01"}
    return Finding(Kind.IMPLAUSIBLE, Severity.WARNING, **{**own, "in_doubt": True, **cells})


def to_be_mended(finding: Finding) -> Ask:
    """Return what eligibility asks where an answer rests on a cell in doubt."""
    return Ask(finding.file, finding.subject_id, (finding.column,), need=Need.CORRECT, rows=finding.rows)
