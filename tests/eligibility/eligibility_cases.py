"""Small studies by hand: one subject who passes everything, and ways to change one thing."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

import ulcermeter as um
from ulcermeter.datatypes import Eligibility, Study
from ulcermeter.eligibility import assess_eligibility
from ulcermeter.protocol import Protocol
from ulcermeter.tables import from_rows

PROTOCOL = um.read_protocol("manus")
A, B = "S01-left-index-1", "S01-left-index-2"

PERSON = {
    "subject_id": "S01",
    "consent_date": "2016-05-01",
    "screening_date": "2016-05-03",
    "inclusion_date": "2016-05-10",
    "treatment_date": "2016-05-24",
    "sex": "female",
    "birth_date": "1960-02-14",
    "injected_limb": "left",
    "ssc_established": "yes",
    "skin_thickening_proximal_mcp": "yes",
    "neoplasm_last_10y": "no",
    "childbearing_potential": "no",
    "life_expectancy_under_1y": "no",
    "uncontrolled_hypertension": "no",
    "uncontrolled_infection_systemic": "no",
    "follow_up_impossible": "no",
}
ASSESSMENT = {
    "subject_id": "S01",
    "ulcer_no": "1",
    "hand": "left",
    "finger": "index",
    "assessed_on": "2016-05-03",
    "painful": "yes",
    "visible_depth": "yes",
    "loss_of_dermis": "yes",
    "diameter_mm_bedside": 2.5,
    "measured_by": "R1",
    "calcinosis_on_xray": "no",
    "xray_date": "2016-05-04",
}
COURSE = {"subject_id": "S01", "drug": "iloprost", "route": "iv", "start": "2016-01-04", "end": "2016-01-08"}
STATEMENT = {
    "subject_id": "S01",
    "ulcer_no": "1",
    "course_end": "2016-01-08",
    "worsened_1_month": "no",
    "no_improvement_2_months": "yes",
    "recurred_3_months": "no",
    "judged_by": "P1",
    "judged_on": "2016-04-20",
}


def photo_row(**changes: Any) -> dict[str, Any]:
    row = {"photo": "S01_screening.jpg", "subject_id": "S01", "visit": "screening", "date": "2016-05-03"}
    return row | {"hand": "left", "finger": "index", "ulcer_no": "1"} | changes


def tracked_row(**changes: Any) -> dict[str, Any]:
    """One outline: 2.41 mm (2.12-2.70), over the threshold."""
    row = {"subject_id": "S01", "visit": "screening", "date": "2016-05-03", "photo": "S01_screening.jpg"}
    row |= {"hand": "left", "finger": "index", "label": 1, "ulcer_id": A, "reader": "machine", "width_mm": 2.2}
    row |= {"diameter_mm": 2.41, "diameter_low_mm": 2.12, "diameter_high_mm": 2.70, "over_threshold": "yes"}
    row |= {"area_mm2": 4.2, "area_low_mm2": 3.4, "area_high_mm2": 5.0, "state": "first seen"}
    return row | changes


def course_row(date: str, area: float, **changes: Any) -> dict[str, Any]:
    """One row of trajectories; area 0 is healed. The interval is 10 % either way."""
    state = "healed" if area == 0 else "persistent"
    row = {"subject_id": "S01", "ulcer_id": A, "hand": "left", "finger": "index", "visit": "history", "date": date}
    row |= {"state": state, "area_mm2": area, "area_low_mm2": 0.9 * area, "area_high_mm2": 1.1 * area, "n_photos": 1}
    return row | {"evidence": f"photos S01_{date}.jpg"} | changes


INPUTS = ("photos", "subjects", "ulcers", "treatments", "refractory", "visits", "events")


@cache
def usual(name: str) -> pd.DataFrame:
    """One table of the subject who passes everything; never changed in place."""
    rows: dict[str, list[dict[str, Any]]] = {
        "photos": [photo_row()],
        "subjects": [PERSON],
        "ulcers": [ASSESSMENT],
        "treatments": [COURSE],
        "refractory": [STATEMENT],
        "tracked": [tracked_row()],
    }
    return from_rows(f"study/{name}" if name in INPUTS else name, rows.get(name, []))


def story(protocol: Protocol = PROTOCOL, **changes: Any) -> tuple[Study, pd.DataFrame, pd.DataFrame]:
    """The subject who passes everything, with whole tables (lists of rows) replaced by keyword."""
    names = (*INPUTS, "tracked", "trajectories")
    tables = {name: usual(name) for name in names}
    tables |= {n: from_rows(f"study/{n}" if n in INPUTS else n, rows) for n, rows in changes.items()}
    study = Study(root=Path("."), protocol=protocol, **{name: tables[name] for name in INPUTS})
    return study, tables["tracked"], tables["trajectories"]


def assess(**changes: Any) -> Eligibility:
    return assess_eligibility(*story(**changes))


def row_of(result: Eligibility, criterion: str, subject: str = "S01") -> dict[str, Any]:
    table = result.eligibility
    found = table[(table["criterion"] == criterion) & (table["subject_id"] == subject)]
    assert len(found) == 1
    return {str(k): v for k, v in found.iloc[0].items()}


def verdict(result: Eligibility, subject: str = "S01") -> str:
    table = result.eligibility_summary
    return str(table.loc[table["subject_id"] == subject, "verdict"].item())
