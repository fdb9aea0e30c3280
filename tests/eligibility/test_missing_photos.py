"""What photos were to show and did not: an ulcer that may be there stays open beside those that are known."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from eligibility_cases import ASSESSMENT, STATEMENT, A, photo_row, row_of, story, tracked_row, verdict

from ulcermeter.datatypes import Eligibility
from ulcermeter.eligibility import assess_eligibility
from ulcermeter.tables import columns, from_rows

SMALL = {"diameter_mm": 1.20, "diameter_low_mm": 1.10, "diameter_high_mm": 1.30, "over_threshold": "no"}
RING = photo_row(photo="ring.jpg", finger="ring", ulcer_no="")
SECOND = RING | {"ulcer_no": "2"}


def assessed(photos: list[dict[str, Any]], *, told: bool = True, **changes: Any) -> Eligibility:
    """Photos with their status (measured where none is given) and, for one small ulcer, what they lead to.

    With `told` False nothing is known of the photos but the study's own rows.
    """
    tracked = changes.pop("tracked", [tracked_row(**SMALL)])
    own = columns("study/photos")
    rows = [{name: value for name, value in row.items() if name in own} for row in photos]
    study, frame, course = story(photos=rows, tracked=tracked, **changes)
    shown = [{k: v for k, v in {"status": "measured", **row}.items() if k in columns("photos")} for row in photos]
    clicks = {name: [row.get(name, float("nan")) for row in photos] for name in ("x", "y")}
    became: pd.DataFrame = from_rows("photos", shown).assign(**clicks)
    return assess_eligibility(study, frame, course, became if told else None)


REFUSED = {"status": "refused", "reason": "tilt 41 deg"}


@pytest.mark.parametrize(
    "photo",
    [
        SECOND | REFUSED,
        SECOND | REFUSED | {"reader_state": "open"},
        RING | REFUSED,
        RING | {"status": "failed"},
        RING | REFUSED | {"visit": "unscheduled", "date": "2016-05-10"},
        RING | {"status": "no ulcer", "reader_state": "open"},
        RING | {"status": "no ulcer", "covered": "yes"},
        photo_row(photo="ring.jpg", ulcer_no="2") | REFUSED,
    ],
    ids=["numbered", "open", "nameless", "failed", "last day", "not found", "covered", "same finger"],
)
def test_what_no_photo_saw_is_never_no(photo: dict[str, Any]) -> None:
    done = assessed([photo_row(), photo])
    assert verdict(done) == "undetermined"
    row = row_of(done, "active_ulcer")
    assert row["result"] == "not assessable" and "best of 2 ulcers" in row["evidence"]
    assert "not seen on ring.jpg, which was to show it" in row["evidence"]
    assert "in place of ring.jpg" in row["would_settle"]


@pytest.mark.parametrize(
    "photo",
    [
        RING | {"status": "no ulcer"},
        SECOND | {"status": "no ulcer"},
        SECOND | REFUSED | {"reader_state": "healed"},
        RING | REFUSED | {"visit": "history", "date": "2015-01-01"},
        RING | REFUSED | {"visit": "unscheduled", "date": "2016-05-11"},
        photo_row(photo="again.jpg") | REFUSED,
        photo_row(photo="again.jpg", ulcer_no="") | REFUSED,
    ],
    ids=["clear", "numbered clear", "healed", "history", "after inclusion", "known number", "known finger"],
)
def test_what_was_seen_or_does_not_count_changes_nothing(photo: dict[str, Any]) -> None:
    done = assessed([photo_row(), photo])
    assert verdict(done) == "not eligible"
    assert set(done.eligibility_by_ulcer["ulcer_id"]) == {A}


@pytest.mark.parametrize("refused", [RING | REFUSED, SECOND | REFUSED])
@pytest.mark.parametrize("day", ["2016-05-03", "2016-05-09"])
def test_another_photo_of_that_side_makes_it_good(refused: dict[str, Any], day: str) -> None:
    again = RING | {"photo": "again.jpg", "status": "no ulcer", "date": day}
    assert verdict(assessed([photo_row(), refused, again])) == "not eligible"
    sides = [refused | {"view": "dorsal"}, again | {"view": "palmar"}]
    assert verdict(assessed([photo_row(), *sides])) == "undetermined"
    said = refused | {"reader_state": "open"}
    assert verdict(assessed([photo_row(), said, again])) == "undetermined"
    assert verdict(assessed([photo_row(), said, again | {"reader_state": "healed"}])) == "not eligible"


def test_another_side_of_a_finger_with_a_known_ulcer_may_hold_another() -> None:
    photos = [photo_row(view="palmar"), photo_row(photo="back.jpg", ulcer_no="", view="dorsal") | REFUSED]
    assert verdict(assessed(photos, tracked=[tracked_row(view="palmar", **SMALL)])) == "undetermined"


def test_a_second_click_that_was_refused_is_a_second_ulcer() -> None:
    photos = [photo_row(x=100.0, y=100.0), photo_row(x=300.0, y=100.0, ulcer_no="2") | REFUSED]
    tracked = [tracked_row(centroid_x_px=101.0, centroid_y_px=99.0, **SMALL)]
    assert verdict(assessed(photos, tracked=tracked)) == "undetermined"
    nameless = [photo | {"ulcer_no": ""} for photo in photos]
    assert verdict(assessed(nameless, tracked=tracked)) == "undetermined"
    assert verdict(assessed(photos[:1], tracked=tracked)) == "not eligible"


def test_a_good_ulcer_still_carries_the_subject() -> None:
    done = assessed([photo_row(), SECOND | REFUSED], tracked=[tracked_row()])
    assert verdict(done) == "eligible" and done.eligibility_summary["qualifying_ulcer"].item() == A


def test_the_clinics_no_on_it_still_says_no() -> None:
    looks = [ASSESSMENT, ASSESSMENT | {"ulcer_no": "2", "finger": "ring", "painful": "no"}]
    done = assessed(
        [photo_row(), SECOND | REFUSED], ulcers=looks, refractory=[STATEMENT, STATEMENT | {"ulcer_no": "2"}]
    )
    assert verdict(done) == "not eligible"
    told = done.eligibility_by_ulcer.set_index(["ulcer_no", "criterion"])["evidence"]
    assert "not seen on ring.jpg" in told[("2", "active_ulcer")]


def test_without_their_status_photos_speak_by_number_and_word() -> None:
    assert verdict(assessed([photo_row(), SECOND], told=False)) == "undetermined"
    assert verdict(assessed([photo_row(), SECOND | {"reader_state": "healed"}], told=False)) == "not eligible"
    assert verdict(assessed([photo_row(), RING | {"reader_state": "open"}], told=False)) == "undetermined"
    assert verdict(assessed([photo_row(), RING], told=False)) == "not eligible"
