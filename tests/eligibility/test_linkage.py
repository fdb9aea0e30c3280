"""Which row speaks of which ulcer: by number, by place, never by guess."""

from __future__ import annotations

from typing import Any

import pytest
from eligibility_cases import ASSESSMENT, STATEMENT, A, B, assess, photo_row, row_of, tracked_row, verdict

UNNUMBERED = photo_row(ulcer_no="")
TWO = [tracked_row(), tracked_row(ulcer_id=B, label=2)]


def effects(**changes: Any) -> dict[tuple[str, str, str], str]:
    table = assess(**changes).eligibility_by_ulcer
    return table.set_index(["ulcer_id", "ulcer_no", "criterion"])["result"].to_dict()


def test_by_the_number_on_the_photo() -> None:
    row = row_of(assess(), "active_ulcer")
    assert "ulcer S01-left-index-1 (no. 1)" in row["evidence"]


def test_by_hand_and_finger_where_one_ulcer_is_there() -> None:
    assert verdict(assess(photos=[UNNUMBERED])) == "eligible"
    assert effects(photos=[UNNUMBERED], ulcers=[ASSESSMENT | {"ulcer_no": ""}])[(A, "", "active_ulcer")] == "met"


def test_two_ulcers_on_one_finger_are_not_guessed() -> None:
    done = assess(photos=[UNNUMBERED], tracked=TWO)
    assert verdict(done) == "undetermined"
    row = row_of(done, "active_ulcer")
    assert row["result"] == "not assessable" and "is tied to none on the photos" in row["evidence"]
    assert "ulcer_no" in row["would_settle"]
    got = effects(photos=[UNNUMBERED], tracked=TWO)
    assert got[(A, "", "active_ulcer")] == got[(B, "", "active_ulcer")] == "not assessable"
    assert got[("", "1", "active_ulcer")] == "not assessable"
    told = done.eligibility_by_ulcer.set_index(["ulcer_id", "criterion"])["evidence"]
    assert "could mean more than one ulcer" in told[(A, "active_ulcer")]


def test_two_numbers_for_one_tracked_ulcer_are_not_guessed() -> None:
    assessments = [ASSESSMENT, ASSESSMENT | {"ulcer_no": "2"}]
    assert verdict(assess(photos=[UNNUMBERED], ulcers=assessments)) == "undetermined"


@pytest.mark.parametrize("number", ["", "1"])
def test_the_site_tells_two_apart(number: str) -> None:
    tracked = [tracked_row(site="tip"), tracked_row(ulcer_id=B, label=2, site="PIP")]
    assessments = [ASSESSMENT | {"ulcer_no": number, "site": "Tip"}]
    got = effects(photos=[UNNUMBERED], tracked=tracked, ulcers=assessments)
    assert got[(A, number, "active_ulcer")] == "met" and got[(B, "", "active_ulcer")] == "not assessable"


def test_a_site_that_one_of_two_lacks_does_not_tell() -> None:
    tracked = [tracked_row(site="tip"), tracked_row(ulcer_id=B, label=2)]
    got = effects(photos=[UNNUMBERED], tracked=tracked, ulcers=[ASSESSMENT | {"site": "tip"}])
    assert {got[(A, "", "active_ulcer")], got[(B, "", "active_ulcer")]} == {"not assessable"}


def test_clicks_tell_two_numbers_on_one_photo_apart() -> None:
    photos = [photo_row(x=100.0, y=100.0), photo_row(ulcer_no="2", x=200.0, y=100.0)]
    tracked = [
        tracked_row(centroid_x_px=104.0, centroid_y_px=98.0),
        tracked_row(ulcer_id=B, label=2, centroid_x_px=197.0, centroid_y_px=103.0),
    ]
    assessments = [ASSESSMENT, ASSESSMENT | {"ulcer_no": "2", "painful": "no"}]
    got = effects(photos=photos, tracked=tracked, ulcers=assessments)
    assert got[(A, "1", "active_ulcer")] == "met" and got[(B, "2", "active_ulcer")] == "not met"
    between = [photo_row(x=140.0, y=100.0), photo_row(ulcer_no="2", x=160.0, y=100.0)]
    assert (A, "1", "active_ulcer") not in effects(photos=between, tracked=tracked, ulcers=assessments)


def test_a_box_tells_two_apart() -> None:
    photos = [photo_row(box="90 90 30 30"), photo_row(ulcer_no="2", box="180 90 30 30")]
    tracked = [
        tracked_row(centroid_x_px=104.0, centroid_y_px=98.0),
        tracked_row(ulcer_id=B, label=2, centroid_x_px=197.0, centroid_y_px=103.0),
    ]
    got = effects(photos=photos, tracked=tracked, ulcers=[ASSESSMENT, ASSESSMENT | {"ulcer_no": "2"}])
    assert got[(A, "1", "active_ulcer")] == got[(B, "2", "active_ulcer")] == "met"


def test_an_ulcer_of_after_inclusion_blurs_nothing() -> None:
    later = tracked_row(ulcer_id=B, date="2016-06-07", visit="week 2", photo="w2.jpg", state="new")
    done = assess(photos=[UNNUMBERED], tracked=[tracked_row(), later])
    assert verdict(done) == "eligible" and B not in set(done.eligibility_by_ulcer["ulcer_id"])


def test_a_number_that_contradicts_its_place_is_not_used() -> None:
    assert effects(ulcers=[ASSESSMENT | {"finger": "thumb"}])[(A, "1", "active_ulcer")] == "not assessable"


def test_a_word_without_a_number_could_be_any_ulcers() -> None:
    no = {"worsened_1_month": "no", "no_improvement_2_months": "no", "recurred_3_months": "no"}
    assert (
        row_of(assess(refractory=[STATEMENT | {"ulcer_no": ""}]), "refractory_prostacyclin")["result"]
        == "not assessable"
    )
    row = row_of(assess(refractory=[STATEMENT | no, STATEMENT | {"ulcer_no": ""}]), "refractory_prostacyclin")
    assert row["result"] == "not assessable"


def test_an_ulcer_the_clinic_knows_and_no_photo_shows() -> None:
    got = effects(tracked=[])
    assert got[("", "1", "active_ulcer")] == "not assessable"
    assert effects(tracked=[], ulcers=[ASSESSMENT | {"painful": "no"}])[("", "1", "active_ulcer")] == "not met"


def test_a_subject_of_whom_nothing_is_known() -> None:
    done = assess(photos=[photo_row(subject_id="S09")], tracked=[])
    assert set(done.eligibility["subject_id"]) == {"S01", "S09"}
    own = done.eligibility[done.eligibility["subject_id"] == "S09"]
    assert set(own["result"]) == {"not assessable"} and (own["would_settle"] != "").all()
    assert verdict(done, "S09") == "undetermined"
    assert list(done.eligibility_summary["subject_id"]) == ["S01", "S09"]
    last = done.eligibility_summary.iloc[0][["investigator_decision", "decided_by", "decided_on"]]
    assert (last == "").all()
