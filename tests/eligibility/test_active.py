"""Active ulcer and calcinosis: the photo's numbers, the clinic's look, and what is dated too late."""

from __future__ import annotations

from typing import Any

import pytest
from eligibility_cases import ASSESSMENT, PERSON, STATEMENT, A, B, assess, photo_row, row_of, tracked_row, verdict

from ulcermeter.tables.flags import Flag, FlagKind, write_flags

SMALL = {"diameter_mm": 1.60, "diameter_low_mm": 1.38, "diameter_high_mm": 1.83, "over_threshold": "no"}
UNSURE = {"diameter_mm": 2.02, "diameter_low_mm": 1.80, "diameter_high_mm": 2.25, "over_threshold": "uncertain"}


def active(**changes: Any) -> dict[str, Any]:
    return row_of(assess(**changes), "active_ulcer")


def test_the_evidence_names_numbers_date_and_photo() -> None:
    row = active()
    assert (row["result"], row["effect"], row["value"]) == ("met", "passes", "2.41 mm")
    assert "diameter 2.41 mm (95 % 2.12-2.70) on 2016-05-03, photo S01_screening.jpg" in row["evidence"]
    assert "bedside 2.50 mm by R1 on 2016-05-03" in row["evidence"]


@pytest.mark.parametrize("sign", ["painful", "visible_depth", "loss_of_dermis"])
@pytest.mark.parametrize(("word", "result"), [("no", "not met"), ("", "not assessable")])
def test_a_photo_never_answers_pain_depth_or_dermis(sign: str, word: str, result: str) -> None:
    row = active(ulcers=[ASSESSMENT | {sign: word}])
    assert row["result"] == result
    assert (sign in row["would_settle"]) == (word == "")


def test_too_small_is_not_met_whatever_the_bedside_says_and_is_flagged() -> None:
    row = active(tracked=[tracked_row(**SMALL)])
    assert (row["result"], row["effect"]) == ("not met", "fails")
    assert "1.60 mm (95 % 1.38-1.83)" in row["evidence"] and "other side of 2 mm" in row["evidence"]


@pytest.mark.parametrize(
    ("bedside", "result"), [(2.5, "met"), (2.0, "not met"), (float("nan"), "not assessable"), (2.01, "met")]
)
def test_the_bedside_settles_only_an_uncertain_photo(bedside: float, result: str) -> None:
    row = active(tracked=[tracked_row(**UNSURE)], ulcers=[ASSESSMENT | {"diameter_mm_bedside": bedside}])
    assert row["result"] == result
    if result == "not assessable":
        assert "a passing photo" in row["would_settle"] and "diameter_mm_bedside" in row["would_settle"]
    else:
        assert "settles the uncertain photo" in row["evidence"] and "1.80-2.25" in row["evidence"]


def test_without_a_photo_the_bedside_alone_does_not_do() -> None:
    row = active(tracked=[])
    assert row["result"] == "not assessable" and "bedside 2.50 mm" in row["evidence"]
    assert "photos.csv: S01" in row["would_settle"]


def test_the_last_passing_photo_up_to_inclusion_counts() -> None:
    later = tracked_row(date="2016-05-09", photo="b.jpg", visit="unscheduled", **SMALL)
    after = tracked_row(date="2016-05-11", photo="c.jpg", visit="unscheduled")
    row = active(tracked=[tracked_row(), later, after])
    assert row["result"] == "not met" and "b.jpg" in row["evidence"] and "c.jpg" not in row["evidence"]


def test_healed_by_inclusion_is_not_active() -> None:
    healed = {"subject_id": "S01", "visit": "unscheduled", "date": "2016-05-09", "photo": "b.jpg", "hand": "left"}
    healed |= {
        "finger": "index",
        "ulcer_id": A,
        "state": "healed",
        "flags": write_flags([Flag(FlagKind.HEALED_BY_MACHINE)]),
    }
    row = active(tracked=[tracked_row(), healed])
    assert row["result"] == "not met" and "healed on 2016-05-09, photo b.jpg [healed_by_machine]" in row["evidence"]


def test_a_covered_visit_leaves_the_photo_before_in_force() -> None:
    covered = {"subject_id": "S01", "visit": "unscheduled", "date": "2016-05-09", "photo": "b.jpg", "hand": "left"}
    covered |= {"finger": "index", "ulcer_id": A, "state": "indeterminate"}
    assert active(tracked=[tracked_row(), covered])["result"] == "met"


@pytest.mark.parametrize("said", [{"reader_state": "healed"}, {"reader_state": "indeterminate"}, {"covered": "yes"}])
@pytest.mark.parametrize("size", [{}, SMALL])
@pytest.mark.parametrize(("bedside", "result"), [(float("nan"), "not assessable"), (1.5, "not met"), (2.5, "met")])
def test_an_outline_that_is_contested_answers_nothing(
    said: dict[str, str], size: dict[str, Any], bedside: float, result: str
) -> None:
    look = ASSESSMENT | {"diameter_mm_bedside": bedside}
    row = active(photos=[photo_row(**said)], tracked=[tracked_row(state="indeterminate", **size)], ulcers=[look])
    assert row["result"] == result
    assert "cannot tell whether open and over 2 mm" in row["evidence"]


def test_a_possible_ulcer_passes_nothing_until_a_reader_confirms_it() -> None:
    look = ASSESSMENT | {"diameter_mm_bedside": float("nan")}
    flags = write_flags([Flag(FlagKind.POSSIBLE_ULCER, photos=("S01_screening.jpg",))])
    possible = tracked_row(state="indeterminate", presence="possible", flags=flags)
    row = active(tracked=[possible], ulcers=[look])
    assert row["result"] == "not assessable" and "possible ulcer" in row["evidence"]
    small = active(tracked=[possible | SMALL], ulcers=[look])
    assert small["result"] == "not assessable"
    ruled_out = tracked_row(state="healed", presence="possible")
    assert active(tracked=[ruled_out], ulcers=[look])["result"] == "not met"
    assert active(tracked=[tracked_row(presence="ulcer")], ulcers=[look])["result"] == "met"


def test_a_surer_photo_of_the_day_answers_without_the_possible_one() -> None:
    weak = tracked_row(photo="b.jpg", state="first seen", presence="possible", **SMALL)
    row = active(tracked=[tracked_row(), weak])
    assert row["result"] == "met" and "b.jpg" not in row["evidence"]


def test_the_bedside_does_not_settle_what_the_reader_doubts_later() -> None:
    photos = [photo_row(), photo_row(date="2016-05-09", photo="b.jpg", reader_state="healed")]
    later = tracked_row(date="2016-05-09", photo="b.jpg", state="indeterminate")
    row = active(photos=photos, tracked=[tracked_row(), later])
    assert row["result"] == "not assessable" and "bedside 2.50 mm" in row["evidence"]
    again = ASSESSMENT | {"assessed_on": "2016-05-09"}
    assert active(photos=photos, tracked=[tracked_row(), later], ulcers=[ASSESSMENT, again])["result"] == "met"


def test_a_covered_outline_leaves_the_photo_before_in_force() -> None:
    photos = [photo_row(), photo_row(date="2016-05-09", photo="b.jpg", covered="yes")]
    later = tracked_row(date="2016-05-09", photo="b.jpg", state="indeterminate", **SMALL)
    assert active(photos=photos, tracked=[tracked_row(), later])["result"] == "met"


def test_two_photos_of_one_day_must_agree() -> None:
    look = ASSESSMENT | {"diameter_mm_bedside": float("nan")}
    row = active(tracked=[tracked_row(), tracked_row(photo="b.jpg", **SMALL)], ulcers=[look])
    assert row["result"] == "not assessable" and "S01_screening.jpg" in row["evidence"] and "b.jpg" in row["evidence"]


def test_a_history_photo_does_not_prove_activity() -> None:
    row = active(tracked=[tracked_row(visit="history", date="2015-01-01", photo="old.jpg")])
    assert row["result"] == "not assessable" and "earlier photos (old.jpg) are history" in row["evidence"]


def test_a_narrow_one_is_flagged_as_a_fissure() -> None:
    assert "flag: width only 1.40 mm, a fissure?" in active(tracked=[tracked_row(width_mm=1.4)])["evidence"]
    assert "fissure" not in active()["evidence"]


def test_still_active_at_baseline_is_reported_and_decides_nothing() -> None:
    gone = tracked_row(visit="baseline", date="2016-05-24", photo="base.jpg", state="persistent", **SMALL)
    row = active(tracked=[tracked_row(), gone])
    assert row["result"] == "met" and "still_active_at_baseline: no (diameter 1.60 mm" in row["evidence"]
    assert "still_active_at_baseline: not known" in active()["evidence"]


def test_a_sighting_that_may_be_another_ulcer_settles_nothing() -> None:
    row = active(
        tracked=[tracked_row(flags=write_flags([Flag(FlagKind.AMBIGUOUS_IDENTITY, ulcers=("S01-left-index-2",))]))]
    )
    assert row["result"] == "not assessable"


def test_the_last_look_counts_and_a_later_one_does_not() -> None:
    first = ASSESSMENT | {"assessed_on": "2016-04-20", "painful": "no"}
    assert active(ulcers=[first, ASSESSMENT])["result"] == "met"
    late = ASSESSMENT | {"assessed_on": "2016-05-12", "painful": "no"}
    row = active(ulcers=[ASSESSMENT, late])
    assert row["result"] == "met" and "the look of 2016-05-12 is later than inclusion (2016-05-10)" in row["evidence"]
    assert active(ulcers=[first, ASSESSMENT | {"assessed_on": ""}])["result"] == "not assessable"
    assert active(ulcers=[first, ASSESSMENT | {"painful": ""}])["result"] == "not assessable"


def test_without_any_date_of_inclusion_or_screening_nothing_counts() -> None:
    done = assess(subjects=[PERSON | {"inclusion_date": "", "screening_date": ""}])
    for name in ("active_ulcer", "calcinosis", "refractory_prostacyclin"):
        assert row_of(done, name)["result"] == "not assessable"
    only_screened = assess(subjects=[PERSON | {"inclusion_date": ""}])
    assert row_of(only_screened, "active_ulcer")["result"] == "met"
    # The X-ray is a day later than screening.
    assert row_of(only_screened, "calcinosis")["result"] == "not assessable"


@pytest.mark.parametrize(
    ("changes", "result", "effect", "told"),
    [
        ({}, "not met", "passes", "the X-ray of 2016-05-04 shows no calcinosis"),
        ({"calcinosis_on_xray": "yes"}, "met", "fails", "the X-ray of 2016-05-04 shows calcinosis"),
        ({"calcinosis_on_xray": ""}, "not assessable", "unknown", "no X-ray"),
        ({"xray_date": ""}, "not assessable", "unknown", "no X-ray"),
        (
            {"calcinosis_on_xray": "", "xray_date": ""},
            "not assessable",
            "unknown",
            "X-ray up to inclusion (2016-05-10)",
        ),
        ({"xray_date": "2016-05-11"}, "not assessable", "unknown", "the X-ray of 2016-05-11 is later than inclusion"),
        ({"xray_date": "2016-05-10"}, "not met", "passes", "2016-05-10 shows no"),
        ({"xray_date": "2016-05"}, "not assessable", "unknown", "no X-ray"),
    ],
)
def test_calcinosis(changes: dict[str, str], result: str, effect: str, told: str) -> None:
    row = row_of(assess(ulcers=[ASSESSMENT | changes]), "calcinosis")
    assert (row["result"], row["effect"]) == (result, effect)
    assert told in row["evidence"]
    # What is filled is not asked for: of an X-ray without a date only the date.
    asked = "xray_date" if changes.get("xray_date") in ("", "2016-05") else "calcinosis_on_xray"
    asked = "calcinosis_on_xray" if changes.get("calcinosis_on_xray") == "" else asked
    assert (asked in row["would_settle"]) == (result == "not assessable")
    if asked == "xray_date":
        assert "calcinosis_on_xray" not in row["would_settle"]


def test_an_xray_in_a_row_of_its_own_blurs_no_look() -> None:
    look = ASSESSMENT | {"calcinosis_on_xray": "", "xray_date": ""}
    xray = {"subject_id": "S01", "ulcer_no": "1", "hand": "left", "finger": "index"}
    xray |= {"calcinosis_on_xray": "no", "xray_date": "2016-05-04"}
    assert verdict(assess(ulcers=[look, xray])) == "eligible"


def test_halves_of_two_ulcers_make_no_eligible_subject() -> None:
    """A is active and not refractory; B is refractory and not active."""
    photos = [photo_row(), photo_row(finger="middle", ulcer_no="2", photo="m.jpg")]
    tracked = [tracked_row(), tracked_row(ulcer_id=B, finger="middle", photo="m.jpg", **SMALL)]
    assessments = [ASSESSMENT, ASSESSMENT | {"ulcer_no": "2", "finger": "middle"}]
    no = {"worsened_1_month": "no", "no_improvement_2_months": "no", "recurred_3_months": "no"}
    done = assess(
        photos=photos, tracked=tracked, ulcers=assessments, refractory=[STATEMENT | no, STATEMENT | {"ulcer_no": "2"}]
    )
    effects = {n: row_of(done, n)["effect"] for n in ("active_ulcer", "refractory_prostacyclin", "calcinosis")}
    assert effects == {"active_ulcer": "passes", "refractory_prostacyclin": "fails", "calcinosis": "passes"}
    assert verdict(done) == "not eligible"
    by_ulcer = done.eligibility_by_ulcer.set_index(["ulcer_id", "criterion"])["effect"].to_dict()
    assert by_ulcer[(A, "active_ulcer")] == "passes" and by_ulcer[(A, "refractory_prostacyclin")] == "fails"
    assert by_ulcer[(B, "active_ulcer")] == "fails" and by_ulcer[(B, "refractory_prostacyclin")] == "passes"


def test_one_good_ulcer_carries_a_subject_with_a_calcified_one() -> None:
    photos = [photo_row(), photo_row(finger="middle", ulcer_no="2", photo="m.jpg")]
    tracked = [tracked_row(), tracked_row(ulcer_id=B, finger="middle", photo="m.jpg")]
    assessments = [ASSESSMENT | {"calcinosis_on_xray": "yes"}, ASSESSMENT | {"ulcer_no": "2", "finger": "middle"}]
    done = assess(
        photos=photos, tracked=tracked, ulcers=assessments, refractory=[STATEMENT, STATEMENT | {"ulcer_no": "2"}]
    )
    assert verdict(done) == "eligible"
    assert done.eligibility_summary["qualifying_ulcer"].item() == B
    assert "best of 2 ulcers" in row_of(done, "calcinosis")["evidence"]


def test_a_later_row_of_the_xray_alone_does_not_undo_the_look() -> None:
    look = ASSESSMENT | {"calcinosis_on_xray": "", "xray_date": ""}
    day = {"assessed_on": "2016-05-09", "xray_date": "2016-05-09"}
    xray = {"subject_id": "S01", "ulcer_no": "1", "calcinosis_on_xray": "no"} | day
    assert verdict(assess(ulcers=[look, xray])) == "eligible"
    # A later look that leaves pain empty is one that does not know it.
    again = look | {"assessed_on": "2016-05-09", "painful": ""}
    assert row_of(assess(ulcers=[look, xray, again]), "active_ulcer")["result"] == "not assessable"
