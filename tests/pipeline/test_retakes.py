"""The list of photos to take again: who stands in it, how urgent it is, and what it says to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ulcermeter.datatypes import Eligibility, Study
from ulcermeter.eligibility import assess_eligibility
from ulcermeter.pipeline.retakes import list_retakes
from ulcermeter.protocol import read_protocol
from ulcermeter.store import csv_text
from ulcermeter.tables import empty, from_rows

PROTOCOL = read_protocol("manus")
PLACE = {"subject_id": "S01", "visit": "screening", "date": "2024-03-01", "hand": "left", "finger": "index"}


def photo(name: str = "a.jpg", status: str = "measured", **cells: Any) -> dict[str, Any]:
    refused = {"reason": "tilt 41° (limit 35°): hold it parallel; remark", "instruction": "hold it parallel"}
    told = refused if status in ("indeterminate", "refused", "failed") else {"px_per_mm": 16.0, "reference_on": "skin"}
    return {**PLACE, "photo": name, "status": status, **told, **cells}


def ulcer(low: float, at: float, high: float, error: str, **cells: Any) -> dict[str, Any]:
    sizes = {"diameter_low_mm": low, "diameter_mm": at, "diameter_high_mm": high}
    row = {**PLACE, "photo": "a.jpg", "label": 1, "ulcer_id": "S01-left-index-1", "over_threshold": "uncertain"}
    return {**row, **sizes, "dominant_error": error, **cells}


def retakes(
    photos: list[dict[str, Any]], ulcers: list[dict[str, Any]] | None = None, *, opened: str = "", inclusion: str = ""
) -> pd.DataFrame:
    names = ("photos", "ulcers", "treatments", "refractory", "visits", "events")
    tables = {name: empty(f"study/{name}") for name in names}
    people = from_rows("study/subjects", [{"subject_id": "S01", "inclusion_date": inclusion}])
    study = Study(root=Path("."), protocol=PROTOCOL, subjects=people, **tables)
    effect = "unknown" if opened else "passes"
    criteria = [{"subject_id": "S01", "criterion": opened or "active_ulcer", "effect": effect}]
    verdict = {"subject_id": "S01", "verdict": "undetermined" if opened else "eligible"}
    eligibility = Eligibility(
        from_rows("eligibility", criteria), empty("eligibility_by_ulcer"), from_rows("eligibility_summary", [verdict])
    )
    return list_retakes(study, from_rows("photos", photos), from_rows("measurements", ulcers or []), eligibility)


def test_what_was_not_measured_stands_in_it_with_its_instruction() -> None:
    shown = {"a.jpg": "refused", "b.jpg": "failed", "c.jpg": "measured", "d.jpg": "no ulcer", "e.jpg": "indeterminate"}
    table = retakes([photo(name, status) for name, status in shown.items()])
    rows = [["a.jpg", "refused"], ["b.jpg", "failed"], ["e.jpg", "indeterminate"]]
    assert table[["photo", "status"]].to_numpy().tolist() == rows
    assert set(table["instruction"]) == {"hold it parallel"} and set(table["priority"]) == {3}


@pytest.mark.parametrize(
    ("row", "cells", "instruction"),
    [
        (ulcer(1.9, 2.4, 2.9, "reference"), {}, "lay the reference closer to the ulcer"),
        (ulcer(1.9, 2.4, 2.9, "reference"), {"quality_reference_square": "no"},
         "lay the reference closer to the ulcer and hold the phone parallel to it"),
        (ulcer(1.1, 1.6, 2.1, "height"), {"reference_on": "table"},
         "hold the reference level with the ulcer, not on the table"),
        (ulcer(1.1, 1.6, 2.1, "slope"), {}, "turn the finger until the ulcer faces the camera"),
        (ulcer(2.4, 2.7, 3.0, "outline"), {}, "turn the finger until the ulcer faces the camera"),
        (ulcer(1.1, 1.6, 1.9, "outline", touches_border="yes"), {}, "take the whole ulcer into the picture"),
        (ulcer(1.9, 2.4, 2.9, "outline"), {}, "go nearer, or set the camera to its full resolution"),
        (ulcer(1.9, 2.4, 2.9, "outline"), {"px_per_mm": 25.0, "quality_in_focus": "no", "quality_even_light": "no"},
         "tap on the ulcer to focus, and hold the phone still; use even light without flash"),
    ],
)  # fmt: skip
def test_an_uncertain_ulcer_says_how_a_better_photo_is_taken(
    row: dict[str, Any], cells: dict[str, Any], instruction: str
) -> None:
    table = retakes([photo(**cells)], [row])
    assert table["status"].tolist() == ["uncertain"] and table["instruction"].tolist() == [instruction]
    assert table["reason"].str.startswith("S01-left-index-1: ").all() and table["priority"].tolist() == [3]


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        (ulcer(1.9, 2.2, 2.5, "reference"), {}),
        (ulcer(1.9, 2.4, 2.9, "outline"), {"px_per_mm": 20.0, "quality_in_focus": "yes"}),
        (ulcer(2.5, 2.7, 2.9, "outline", over_threshold="yes"), {}),
    ],
    ids=["too near the threshold", "a good photo", "decided"],
)
def test_what_a_better_photo_would_not_mend_is_not_asked_for(row: dict[str, Any], cells: dict[str, Any]) -> None:
    assert len(retakes([photo(**cells)], [row])) == 0


def test_two_clicks_of_one_finger_share_one_row() -> None:
    both = [ulcer(1.9, 2.4, 2.9, "outline"), ulcer(1.1, 1.6, 2.1, "outline", label=2, ulcer_id="S01-left-index-2")]
    table = retakes([photo(), photo()], both)
    assert len(table) == 1 and "S01-left-index-1" in table.loc[0, "reason"] and "index-2" in table.loc[0, "reason"]


def test_a_photo_that_decides_eligibility_comes_first() -> None:
    later = {"visit": "week 4", "date": "2024-04-01"}
    rows = [photo("b.jpg", "refused", **later), photo("a.jpg", "refused", visit="history"), photo("c.jpg", "refused")]
    table = retakes(rows, opened="active_ulcer", inclusion="2024-03-05")
    assert table.set_index("photo")["priority"].to_dict() == {"a.jpg": 2, "b.jpg": 2, "c.jpg": 1}
    by_course = retakes(rows, opened="refractory_prostacyclin", inclusion="2024-03-05")
    assert by_course.set_index("photo")["priority"].to_dict() == {"a.jpg": 1, "b.jpg": 2, "c.jpg": 1}
    assert [line[0] for line in csv_text("retake", table).splitlines()[1:]] == ["1", "2", "2"]


def test_a_photo_that_was_taken_twice_is_less_urgent() -> None:
    table = retakes([photo("a.jpg", "refused"), photo("b.jpg")])
    assert table["priority"].tolist() == [3]
    assert retakes([photo("a.jpg", "refused"), photo("b.jpg", finger="ring")])["priority"].tolist() == [2]


def test_a_refused_photo_of_another_finger_keeps_the_subject_open_and_comes_first() -> None:
    names = ("treatments", "refractory", "visits", "events")
    tables = {name: empty(f"study/{name}") for name in names}
    shots = [photo("a.jpg"), photo("b.jpg", "refused", finger="ring")]
    rows = [{**PLACE, "photo": shot["photo"], "finger": shot["finger"]} for shot in shots]
    study = Study(
        root=Path("."),
        protocol=PROTOCOL,
        photos=from_rows("study/photos", rows),
        subjects=from_rows("study/subjects", [{"subject_id": "S01", "inclusion_date": "2024-03-05"}]),
        ulcers=empty("study/ulcers"),
        **tables,
    )
    small = ulcer(1.1, 1.2, 1.3, "outline", over_threshold="no")
    shown, tracked = from_rows("photos", shots), from_rows("tracked", [small])
    eligibility = assess_eligibility(study, tracked, empty("trajectories"), shown)
    assert eligibility.eligibility_summary["verdict"].tolist() == ["undetermined"]
    table = list_retakes(study, shown, from_rows("measurements", [small]), eligibility)
    assert table[["photo", "priority"]].to_numpy().tolist() == [["b.jpg", 1]]
