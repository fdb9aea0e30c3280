"""Every criterion of the subject's own: met, not met, not assessable, each with its evidence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from eligibility_cases import PERSON, PROTOCOL, assess, row_of, verdict

from ulcermeter.datatypes import Eligibility

CLEAR = dict.fromkeys(
    ("skin_thickening_proximal_mcp", "fingers", "fingertips", "telangiectasia", "abnormal_capillaries", "pah_or_ild"),
    "",
) | {"raynaud": "", "ssc_antibodies": "", "ssc_established": ""}
LOW = CLEAR | {
    "skin_thickening_proximal_mcp": "no",
    "fingers": "puffy",
    "fingertips": "none",
    "telangiectasia": "no",
    "abnormal_capillaries": "no",
    "pah_or_ild": "no",
    "raynaud": "yes",
    "ssc_antibodies": "no",
}

# By criterion: changes to the person, the result, what the evidence must say, the cell that would settle it.
OPEN = "not assessable"
BY_CRITERION: dict[str, list[tuple[dict[str, Any], str, tuple[str, ...], str]]] = {
    "ssc_acr_eular_2013": [
        ({}, "met", ("ssc_established: yes",), ""),
        (LOW, "not met", ("score 5 points, 9 needed", "fingers puffy (2)", "raynaud yes (3)"), ""),
        (CLEAR, OPEN, ("score 0-19 points",), "S01, ssc_established"),
        (CLEAR | {"skin_thickening_proximal_mcp": "yes"}, "met", ("score 9 points",), ""),
        (
            CLEAR | {"fingers": "sclerodactyly", "raynaud": "yes", "fingertips": "ulcers"},
            "met",
            ("score 9-", "sclerodactyly (4)", "ulcers (2)"),
            "",
        ),
        (LOW | {"fingertips": "ulcers", "telangiectasia": ""}, OPEN, ("score 7-9",), "S01, telangiectasia"),
        (LOW | {"telangiectasia": ""}, "not met", ("score 5-7",), ""),
        (LOW | {"ssc_established": "yes"}, OPEN, ("contradict",), "S01, ssc_established"),
        ({"better_explained": "yes"}, OPEN, ("not applicable: better_explained",), "ssc_established"),
        ({"fingers_spared": "yes", "ssc_established": "no"}, "not met", ("not applicable: fingers_spared",), ""),
        ({"ssc_established": "no"}, OPEN, ("contradict",), "ssc_established"),
    ],
    "informed_consent": [
        ({}, "met", ("consent 2016-05-01", "inclusion 2016-05-10"), ""),
        ({"consent_date": "2016-05-10"}, "met", ("screened on 2016-05-03, before consent",), ""),
        ({"consent_date": "2016-05-11"}, "not met", ("consent 2016-05-11",), ""),
        ({"consent_date": ""}, OPEN, ("consent not known",), "subjects.csv: S01, consent_date"),
        ({"consent_date": "2016-05"}, OPEN, ("consent 2016-05,",), "S01, consent_date"),
        ({"consent_date": "2016-04"}, "met", ("consent 2016-04,",), ""),
        ({"inclusion_date": ""}, OPEN, ("inclusion not known",), "S01, inclusion_date"),
    ],
    # The day exactly ten years before counts; a sign after inclusion says nothing of the years before.
    "neoplasm_10y": [
        ({}, "not met", ("neoplasm_last_10y: no",), ""),
        ({"neoplasm_last_10y": "yes"}, "met", ("neoplasm_last_10y: yes",), ""),
        ({"neoplasm_last_10y": ""}, OPEN, ("10 years before inclusion (2016-05-10)",), "neoplasm_last_active"),
        ({"neoplasm_last_10y": "", "neoplasm_last_active": "2006-05-10"}, "met", ("last active 2006-05-10",), ""),
        ({"neoplasm_last_10y": "", "neoplasm_last_active": "2006-05-09"}, "not met", ("2006-05-09",), ""),
        ({"neoplasm_last_10y": "", "neoplasm_last_active": "2006-05"}, OPEN, ("2006-05",), "neoplasm_last_active"),
        ({"neoplasm_last_10y": "", "neoplasm_last_active": "2006-04"}, "not met", (), ""),
        ({"neoplasm_last_10y": "", "neoplasm_last_active": "2006-06"}, "met", (), ""),
        ({"neoplasm_last_active": "2014"}, OPEN, ("contradict",), "neoplasm_last_10y"),
        ({"neoplasm_last_10y": "", "neoplasm_last_active": "2017-01"}, OPEN, (), "neoplasm_last_10y"),
    ],
    "pregnancy_contraception": [
        ({}, "not met", ("childbearing_potential: no",), ""),
        ({"sex": "male", "childbearing_potential": ""}, "not met", ("sex: male",), ""),
        ({"childbearing_potential": "yes", "pregnant": "yes"}, "met", ("pregnant: yes",), ""),
        (
            {"childbearing_potential": "yes", "pregnant": "no", "contraception_refused": "yes"},
            "met",
            ("contraception_refused: yes",),
            "",
        ),
        ({"childbearing_potential": "yes", "pregnant": "no", "contraception_refused": "no"}, "not met", (), ""),
        ({"childbearing_potential": "", "pregnant": "no", "contraception_refused": "no"}, "not met", (), ""),
        (
            {"childbearing_potential": "", "pregnant": "no", "contraception_refused": "yes"},
            OPEN,
            (),
            "S01, childbearing_potential",
        ),
        ({"childbearing_potential": "yes", "pregnant": "no"}, OPEN, (), "S01, contraception_refused"),
        ({"sex": "male", "childbearing_potential": "", "pregnant": "yes"}, OPEN, ("contradict",), "S01, sex"),
    ],
    # The birthday itself counts.
    "age_18": [
        ({}, "met", ("born 1960-02-14, 56 at inclusion",), ""),
        ({"birth_date": "1998-05-10"}, "met", ("18 at inclusion",), ""),
        ({"birth_date": "1998-05-11"}, "not met", ("17 at inclusion",), ""),
        ({"birth_date": "1998"}, OPEN, ("17 or 18",), "S01, birth_date"),
        ({"birth_date": "1997"}, "met", ("18 or 19",), ""),
        ({"birth_date": "", "age": 18.0}, "met", ("age 18 at inclusion as stated",), ""),
        ({"birth_date": "", "age": 17.9}, "not met", ("17.9",), ""),
        ({"birth_date": ""}, OPEN, ("age not known",), "S01, age"),
        ({"age": 16.0}, OPEN, ("contradict",), "S01, birth_date"),
        ({"birth_date": "1996-02-29", "inclusion_date": "2014-02-28"}, "met", ("18 at",), ""),
    ],
    # Advisory: it does nothing.
    "age_65_74": [
        ({}, "not met", ("prose summary", "contradicts the registries"), ""),
        ({"birth_date": "1941-05-11"}, "met", ("74 at inclusion",), ""),
        ({"birth_date": "1941-05-10"}, "not met", ("75 at inclusion",), ""),
        ({"birth_date": "1951-05-10"}, "met", ("65 at inclusion",), ""),
        ({"birth_date": "1951-05-11"}, "not met", ("64 at inclusion",), ""),
        ({"birth_date": "1951"}, OPEN, ("64 or 65",), "S01, birth_date"),
    ],
}
STORIES = [(criterion, *story) for criterion, stories in BY_CRITERION.items() for story in stories]
EXCLUSIONS = ("neoplasm_10y", "pregnancy_contraception")


def effect_of(criterion: str, result: str) -> str:
    if criterion == "age_65_74":
        return "none"
    passing = "not met" if criterion in EXCLUSIONS else "met"
    return "unknown" if result == OPEN else "passes" if result == passing else "fails"


@pytest.fixture(scope="module")
def told() -> Eligibility:
    """Every story in one study, a subject each."""
    people = [PERSON | story[1] | {"subject_id": f"S{i:02d}"} for i, story in enumerate(STORIES)]
    return assess(subjects=people, photos=[])


@pytest.mark.parametrize("i", range(len(STORIES)), ids=lambda i: f"{STORIES[i][0]}-{i}")
def test_one_story(told: Eligibility, i: int) -> None:
    criterion, _, result, words, settles = STORIES[i]
    row = row_of(told, criterion, f"S{i:02d}")
    assert (row["result"], row["effect"]) == (result, effect_of(criterion, result))
    assert all(word in row["evidence"] for word in words), row["evidence"]
    assert settles.replace("S01", f"S{i:02d}") in row["would_settle"]
    assert bool(row["would_settle"]) == (result == "not assessable")


@pytest.mark.parametrize(
    ("criterion", "column"),
    [
        ("life_expectancy_1y", "life_expectancy_under_1y"),
        ("uncontrolled_hypertension", "uncontrolled_hypertension"),
        ("uncontrolled_infection", "uncontrolled_infection_systemic"),
        ("follow_up_impossible", "follow_up_impossible"),
    ],
)
@pytest.mark.parametrize(
    ("word", "result", "effect", "says"),
    [
        ("yes", "met", "fails", "not eligible"),
        ("no", "not met", "passes", "eligible"),
        ("", "not assessable", "unknown", "undetermined"),
    ],
)
def test_plain_exclusions(criterion: str, column: str, word: str, result: str, effect: str, says: str) -> None:
    done = assess(subjects=[PERSON | {column: word}])
    row = row_of(done, criterion)
    assert (row["result"], row["effect"]) == (result, effect)
    assert row["would_settle"] == (f"subjects.csv: S01, {column}" if not word else "")
    assert verdict(done) == says


def test_the_advisory_age_decides_only_when_enforced() -> None:
    assert verdict(assess()) == "eligible"
    criteria = tuple(c.model_copy(update={"enforce": True}) if c.id == "age_65_74" else c for c in PROTOCOL.criteria)
    strict = assess(protocol=replace(PROTOCOL, criteria=criteria))
    assert row_of(strict, "age_65_74")["effect"] == "fails"
    assert verdict(strict) == "not eligible"


def test_pregnancy_says_not_applicable() -> None:
    assert row_of(assess(), "pregnancy_contraception")["value"] == "not applicable"
