"""Every criterion of the subject's own: met, not met, not assessable, each with its evidence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from eligibility_stories import PERSON, PROTOCOL, assess, row_of, verdict
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

# criterion, changes to the person, result, effect, what the evidence and the settling cell must say
STORIES: list[tuple[str, dict[str, Any], str, str, tuple[str, ...], str]] = [
    # ssc_acr_eular_2013
    ("ssc_acr_eular_2013", {}, "met", "passes", ("ssc_established: yes",), ""),
    ("ssc_acr_eular_2013", LOW, "not met", "fails", ("score 5 points, 9 needed", "fingers puffy (2)", "raynaud yes (3)"), ""),
    ("ssc_acr_eular_2013", CLEAR, "not assessable", "unknown", ("score 0-28 points",), "S01, ssc_established"),
    ("ssc_acr_eular_2013", CLEAR | {"skin_thickening_proximal_mcp": "yes"}, "met", "passes", ("score 9-28",), ""),
    (
        "ssc_acr_eular_2013",
        CLEAR | {"fingers": "sclerodactyly", "raynaud": "yes", "fingertips": "ulcers"},
        "met",
        "passes",
        ("score 9-", "sclerodactyly (4)", "ulcers (2)"),
        "",
    ),
    # 7 known of which the open item can add 2: at the highest 9.
    ("ssc_acr_eular_2013", LOW | {"fingertips": "ulcers", "telangiectasia": ""}, "not assessable", "unknown", ("score 7-9",), "S01, telangiectasia"),
    ("ssc_acr_eular_2013", LOW | {"telangiectasia": ""}, "not met", "fails", ("score 5-7",), ""),
    ("ssc_acr_eular_2013", LOW | {"ssc_established": "yes"}, "not assessable", "unknown", ("contradict",), "S01, ssc_established"),
    ("ssc_acr_eular_2013", {"better_explained": "yes"}, "not assessable", "unknown", ("not applicable: better_explained",), "ssc_established"),
    ("ssc_acr_eular_2013", {"fingers_spared": "yes", "ssc_established": "no"}, "not met", "fails", ("not applicable: fingers_spared",), ""),
    ("ssc_acr_eular_2013", {"ssc_established": "no"}, "not assessable", "unknown", ("contradict",), "ssc_established"),
    # informed_consent
    ("informed_consent", {}, "met", "passes", ("consent 2016-05-01", "inclusion 2016-05-10"), ""),
    ("informed_consent", {"consent_date": "2016-05-10"}, "met", "passes", ("screened on 2016-05-03, before consent",), ""),
    ("informed_consent", {"consent_date": "2016-05-11"}, "not met", "fails", ("consent 2016-05-11",), ""),
    ("informed_consent", {"consent_date": ""}, "not assessable", "unknown", ("consent not known",), "subjects.csv: S01, consent_date"),
    ("informed_consent", {"consent_date": "2016-05"}, "not assessable", "unknown", ("consent 2016-05,",), "S01, consent_date"),
    ("informed_consent", {"consent_date": "2016-04"}, "met", "passes", ("consent 2016-04,",), ""),
    ("informed_consent", {"inclusion_date": ""}, "not assessable", "unknown", ("inclusion not known",), "S01, inclusion_date"),
    # neoplasm_10y: the day exactly ten years before counts
    ("neoplasm_10y", {}, "not met", "passes", ("neoplasm_last_10y: no",), ""),
    ("neoplasm_10y", {"neoplasm_last_10y": "yes"}, "met", "fails", ("neoplasm_last_10y: yes",), ""),
    ("neoplasm_10y", {"neoplasm_last_10y": ""}, "not assessable", "unknown", ("10 years before inclusion (2016-05-10)",), "neoplasm_last_active"),
    ("neoplasm_10y", {"neoplasm_last_10y": "", "neoplasm_last_active": "2006-05-10"}, "met", "fails", ("last active 2006-05-10",), ""),
    ("neoplasm_10y", {"neoplasm_last_10y": "", "neoplasm_last_active": "2006-05-09"}, "not met", "passes", ("2006-05-09",), ""),
    ("neoplasm_10y", {"neoplasm_last_10y": "", "neoplasm_last_active": "2006-05"}, "not assessable", "unknown", ("2006-05",), "neoplasm_last_active"),
    ("neoplasm_10y", {"neoplasm_last_10y": "", "neoplasm_last_active": "2006-04"}, "not met", "passes", (), ""),
    ("neoplasm_10y", {"neoplasm_last_10y": "", "neoplasm_last_active": "2006-06"}, "met", "fails", (), ""),
    ("neoplasm_10y", {"neoplasm_last_active": "2014"}, "not assessable", "unknown", ("contradict",), "neoplasm_last_10y"),
    # a sign after inclusion says nothing of the ten years before
    ("neoplasm_10y", {"neoplasm_last_10y": "", "neoplasm_last_active": "2017-01"}, "not assessable", "unknown", (), "neoplasm_last_10y"),
    # pregnancy_contraception
    ("pregnancy_contraception", {}, "not met", "passes", ("childbearing_potential: no",), ""),
    ("pregnancy_contraception", {"sex": "male", "childbearing_potential": ""}, "not met", "passes", ("sex: male",), ""),
    ("pregnancy_contraception", {"childbearing_potential": "yes", "pregnant": "yes"}, "met", "fails", ("pregnant: yes",), ""),
    ("pregnancy_contraception", {"childbearing_potential": "yes", "pregnant": "no", "contraception_refused": "yes"}, "met", "fails", ("contraception_refused: yes",), ""),
    ("pregnancy_contraception", {"childbearing_potential": "yes", "pregnant": "no", "contraception_refused": "no"}, "not met", "passes", (), ""),
    ("pregnancy_contraception", {"childbearing_potential": "", "pregnant": "no", "contraception_refused": "no"}, "not met", "passes", (), ""),
    ("pregnancy_contraception", {"childbearing_potential": "", "pregnant": "no", "contraception_refused": "yes"}, "not assessable", "unknown", (), "S01, childbearing_potential"),
    ("pregnancy_contraception", {"childbearing_potential": "yes", "pregnant": "no"}, "not assessable", "unknown", (), "S01, contraception_refused"),
    ("pregnancy_contraception", {"sex": "male", "childbearing_potential": "", "pregnant": "yes"}, "not assessable", "unknown", ("contradict",), "S01, sex"),
    # age_18: the birthday itself counts
    ("age_18", {}, "met", "passes", ("born 1960-02-14, 56 at inclusion",), ""),
    ("age_18", {"birth_date": "1998-05-10"}, "met", "passes", ("18 at inclusion",), ""),
    ("age_18", {"birth_date": "1998-05-11"}, "not met", "fails", ("17 at inclusion",), ""),
    ("age_18", {"birth_date": "1998"}, "not assessable", "unknown", ("17 or 18",), "S01, birth_date"),
    ("age_18", {"birth_date": "1997"}, "met", "passes", ("18 or 19",), ""),
    ("age_18", {"birth_date": "", "age": 18.0}, "met", "passes", ("age 18 at inclusion as stated",), ""),
    ("age_18", {"birth_date": "", "age": 17.9}, "not met", "fails", ("17.9",), ""),
    ("age_18", {"birth_date": ""}, "not assessable", "unknown", ("age not known",), "S01, age"),
    ("age_18", {"age": 16.0}, "not assessable", "unknown", ("contradict",), "S01, birth_date"),
    ("age_18", {"birth_date": "1996-02-29", "inclusion_date": "2014-02-28"}, "met", "passes", ("18 at",), ""),
    # age_65_74: advisory, so it does nothing
    ("age_65_74", {}, "not met", "none", ("prose summary", "contradicts the registries"), ""),
    ("age_65_74", {"birth_date": "1941-05-11"}, "met", "none", ("74 at inclusion",), ""),
    ("age_65_74", {"birth_date": "1941-05-10"}, "not met", "none", ("75 at inclusion",), ""),
    ("age_65_74", {"birth_date": "1951-05-10"}, "met", "none", ("65 at inclusion",), ""),
    ("age_65_74", {"birth_date": "1951-05-11"}, "not met", "none", ("64 at inclusion",), ""),
    ("age_65_74", {"birth_date": "1951"}, "not assessable", "none", ("64 or 65",), "S01, birth_date"),
]  # fmt: skip


@pytest.fixture(scope="module")
def told() -> Eligibility:
    """Every story in one study, a subject each."""
    people = [PERSON | story[1] | {"subject_id": f"S{i:02d}"} for i, story in enumerate(STORIES)]
    return assess(subjects=people, photos=[])


@pytest.mark.parametrize("i", range(len(STORIES)), ids=lambda i: f"{STORIES[i][0]}-{i}")
def test_one_story(told: Eligibility, i: int) -> None:
    criterion, _, result, effect, words, settles = STORIES[i]
    row = row_of(told, criterion, f"S{i:02d}")
    assert (row["result"], row["effect"]) == (result, effect)
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
    criteria = tuple(replace(c, enforce=True) if c.id == "age_65_74" else c for c in PROTOCOL.criteria)
    strict = assess(protocol=replace(PROTOCOL, criteria=criteria))
    assert row_of(strict, "age_65_74")["effect"] == "fails"
    assert verdict(strict) == "not eligible"


def test_pregnancy_says_not_applicable() -> None:
    assert row_of(assess(), "pregnancy_contraception")["value"] == "not applicable"
