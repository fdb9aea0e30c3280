"""A verdict that rests on an implausible cell is undetermined and names it; one that does not stands."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from eligibility_cases import (
    ASSESSMENT,
    COURSE,
    PERSON,
    STATEMENT,
    assess,
    photo_row,
    row_of,
    story,
    tracked_row,
    verdict,
)

from ulcermeter.datatypes import Eligibility
from ulcermeter.eligibility import assess_eligibility
from ulcermeter.study.drug_names import drug_findings
from ulcermeter.study.plausibility import plausibility_findings

UNCERTAIN = {"diameter_low_mm": 1.9, "over_threshold": "uncertain"}
LATER = photo_row(photo="S01_baseline.jpg", visit="baseline", date="2016-05-24")
SHOWN_LATER = tracked_row(photo="S01_baseline.jpg", visit="baseline", date="2016-05-24", state="persistent")


def judged(**changes: Any) -> Eligibility:
    study, tracked, trajectories = story(**changes)
    found = (*plausibility_findings(study), *drug_findings(study))
    return assess_eligibility(replace(study, findings=found), tracked, trajectories)


def test_a_study_in_order_is_judged_as_without_findings() -> None:
    assert verdict(judged()) == "eligible"
    assert judged().eligibility.equals(assess().eligibility)


# What is changed of the person, the criterion that rests on it, the verdict with and without the cell's doubt.
@pytest.mark.parametrize(
    ("person", "criterion", "as_it_stands"),
    [
        ({"birth_date": "2016-05-03"}, "age_18", "not eligible"),  # the day of screening
        ({"birth_date": "2036-02-14"}, "age_18", "not eligible"),
        ({"birth_date": "1900-01-01"}, "age_18", "eligible"),
        ({"birth_date": "", "age": 300.0}, "age_18", "eligible"),
        ({"age": 12.0}, "age_18", "undetermined"),
        ({"inclusion_date": "2016-05-01"}, "active_ulcer", "undetermined"),
        ({"screening_date": "2016-05-30"}, None, "eligible"),  # evidence counts up to inclusion, which stands
        ({"consent_date": "2017-05-01"}, "informed_consent", "not eligible"),
    ],
)
def test_a_persons_cells(person: dict[str, Any], criterion: str | None, as_it_stands: str) -> None:
    changes = {"subjects": [PERSON | person]}
    assert verdict(assess(**changes)) == as_it_stands
    result = judged(**changes)
    if criterion is None:
        assert verdict(result) == as_it_stands
        return
    row = row_of(result, criterion)
    column = next(name for name, cell in person.items() if cell)
    told = f"{person[column]:g}" if column == "age" else person[column]
    assert verdict(result) == "undetermined" and row["result"] == "not assessable"
    assert f"subjects.csv row 2, {column}" in row["would_settle"]
    assert f"subjects.csv row 2, {column} ({'age ' * (len(person) == 1 and column == 'age')}{told})" in row["evidence"]


def test_what_does_not_rest_on_the_cell_stands() -> None:
    """A pregnant subject is not eligible whatever the birth date; an age beside a wrong birth date counts for none."""
    pregnant = {"birth_date": "1900-01-01", "childbearing_potential": "yes", "pregnant": "yes"}
    assert verdict(judged(subjects=[PERSON | pregnant])) == "not eligible"
    assert row_of(judged(subjects=[PERSON | {"birth_date": "1900-01-01"}]), "active_ulcer")["result"] == "met"


@pytest.mark.parametrize(
    ("size", "result", "words"),
    [
        (2.5, "met", "settles the uncertain photo"),
        (25.0, "not assessable", "ulcers.csv row 2, diameter_mm_bedside (25 mm)"),
        (6.0, "not assessable", "far from the photo's"),  # the photo says 1.9 to 2.7
        (0.9, "not assessable", "far from the photo's"),
        (5.3, "met", "settles the uncertain photo"),
    ],
)
def test_a_bedside_diameter_that_would_settle_an_uncertain_photo(size: float, result: str, words: str) -> None:
    changes = {"ulcers": [ASSESSMENT | {"diameter_mm_bedside": size}], "tracked": [tracked_row(**UNCERTAIN)]}
    row = row_of(judged(**changes), "active_ulcer")
    assert row["result"] == result and words in row["evidence"]
    if result != "met":
        assert "diameter_mm_bedside" in row["would_settle"]


def test_a_bedside_diameter_that_settles_nothing_changes_nothing() -> None:
    row = row_of(judged(ulcers=[ASSESSMENT | {"diameter_mm_bedside": 25.0}]), "active_ulcer")
    assert row["result"] == "met"


def test_screening_and_baseline_exchanged() -> None:
    """Which photo is of before inclusion is not known any more."""
    first, later = photo_row(date="2016-05-24"), LATER | {"date": "2016-05-03"}
    shown = [tracked_row(date="2016-05-24"), SHOWN_LATER | {"date": "2016-05-03", "diameter_mm": 1.0}]
    shown[1] |= {"diameter_low_mm": 0.8, "diameter_high_mm": 1.2, "over_threshold": "no"}
    changes = {"photos": [first, later], "tracked": shown}
    assert verdict(assess(**changes)) == "not eligible"
    result = judged(**changes)
    assert verdict(result) == "undetermined"
    row = row_of(result, "active_ulcer")
    assert "photos.csv row 2, date" in row["would_settle"] and "photos.csv row 3, date" in row["would_settle"]


def test_photos_after_death_or_of_a_visit_not_attended() -> None:
    dead = {"events": [{"subject_id": "S01", "event": "death", "date": "2016-05-02"}]}
    absent = {"visits": [{"subject_id": "S01", "visit": "screening", "date": "2016-05-03", "attended": "no"}]}
    for changes, cell in ((dead, "photos.csv row 2, date"), (absent, "photos.csv row 2, visit")):
        result = judged(**changes)
        assert verdict(result) == "undetermined"
        assert cell in row_of(result, "active_ulcer")["would_settle"]


@pytest.mark.parametrize(
    ("course", "result"),
    [
        ({"drug": "Ilomedin", "route": "IV infusion"}, "met"),
        ({"drug": "iloprost trometamol", "route": "I.V."}, "met"),
        ({"drug": "iloprst"}, "not assessable"),
        ({"route": "intravenus"}, "not assessable"),
        ({"route": "infusion"}, "not assessable"),
    ],
)
def test_drugs_and_routes_as_clinics_write_them(course: dict[str, str], result: str) -> None:
    changes = {"treatments": [COURSE | course], "refractory": [STATEMENT]}
    row = row_of(judged(**changes), "refractory_prostacyclin")
    assert row["result"] == result
    if result != "met":
        (column,) = course
        assert row["would_settle"].startswith("treatments.csv: S01 ")
        assert row["would_settle"].endswith(f", {column}, to be corrected")
