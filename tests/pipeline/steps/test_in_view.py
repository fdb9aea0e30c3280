"""When a photo on which nothing was found may say that no ulcer is there; and a date that its camera contradicts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from ulcermeter.calibration import calibrate
from ulcermeter.datatypes import CameraInfo, Finger, Photo
from ulcermeter.errors import Refusal, StudyError
from ulcermeter.phantom import CameraSpec, PhantomSpec, draw_phantom, write_phantom
from ulcermeter.pipeline import measure_photo
from ulcermeter.pipeline.steps.in_view import check_in_view
from ulcermeter.pipeline.steps.opening import compare_dates
from ulcermeter.pipeline.steps.prompt import Prompt
from ulcermeter.pipeline.steps.records import Judged, Opened, PhotoContext
from ulcermeter.protocol import read_protocol
from ulcermeter.quality import check_gates
from ulcermeter.tables import empty, from_rows
from ulcermeter.tables.flags import read_flags
from ulcermeter.tracking import track
from ulcermeter.wording import note_in_words

PROTOCOL = read_protocol("manus")
PLAIN = np.random.default_rng(1).integers(0, 60, (600, 800, 1), np.uint8) + np.array([170, 150, 120], np.uint8)
PHOTO = Photo(PLAIN, "0" * 64, datetime(2024, 3, 5, 9), CameraInfo(), Path("a.jpg"))
STATED = calibrate(PHOTO, reference="scale:10")
# A finger from (200, 100) px on, 16 mm wide, along the photo's height.
FINGER = Finger(np.array([[12.0, 10], [28, 10], [28, 55], [12, 55]]), (20.0, 10.0), (0.0, 1.0), 8.0, 0.5)


NOTHING_FOUND: Any = SimpleNamespace(outlines=())


def context(**cells: str) -> PhotoContext:
    return PhotoContext(cells, PROTOCOL)


def judged(*, finger: Finger | None, **where: Any) -> Judged:
    """A photo on which nothing was found, by its finger and its prompt."""
    prompt = Prompt(**where)
    gates = check_gates(PHOTO, STATED, prompt.place(PHOTO), protocol=PROTOCOL)
    return Judged(
        photo=PHOTO,
        prompt=prompt,
        calibration=STATED,
        gates=gates,
        balanced=PHOTO,
        segmentation=NOTHING_FOUND,
        finger=finger,
        detection_limit_mm=0.8,
        reports=(gates,),
    )


@pytest.mark.parametrize(
    "where",
    [{"click": (200, 300)}, {"box": (180, 280, 40, 40)}, {"box": (100, 80, 500, 480)}, {}],
    ids=["click", "ulcer's box", "finger's box", "nothing"],
)
def test_no_ulcer_needs_the_place_on_a_finger_or_a_readers_word(where: dict[str, Any]) -> None:
    found = judged(finger=FINGER, **where)
    assert check_in_view(context(), found) is found
    with pytest.raises(Refusal, match="so it cannot be said that the place is in view"):
        check_in_view(context(), judged(finger=None, **where))
    passed = check_in_view(context(reader_state="healed"), judged(finger=None, **where))
    words = "no ulcer was found and no finger there: the reader's word, healed, stands"
    assert [note_in_words(note) for note in passed.notes] == [words]


def test_a_tracing_or_an_ulcer_needs_no_finger() -> None:
    traced = judged(finger=None, mask="mask.png")
    assert check_in_view(context(), traced) is traced
    found = replace(judged(finger=None), segmentation=SimpleNamespace(outlines=(FINGER.outline_mm,)))  # type: ignore[arg-type]
    assert check_in_view(context(), found) is found


@pytest.mark.parametrize("where", [{"click": (600, 300)}, {"box": (580, 280, 40, 40)}, {"box": (450, 80, 340, 480)}])
def test_a_finger_elsewhere_on_the_photo_tells_nothing_of_the_place(where: dict[str, Any]) -> None:
    with pytest.raises(Refusal, match="no finger there"):
        check_in_view(context(), judged(finger=FINGER, **where))


def test_a_box_on_plain_ground_is_refused_and_does_not_heal(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), PLAIN)
    row = {"photo": "a.png", "subject_id": "S01", "visit": "week 4", "date": "2024-04-08", "hand": "left"}
    row |= {"finger": "index", "view": "palmar", "reference": "scale:10", "box": "300 200 90 90"}
    photo = measure_photo(row, PROTOCOL, root=tmp_path, overlay=False).photo
    assert photo["status"] == "refused" and photo["reason"].startswith("no ulcer was found in the box")
    assert photo["instruction"].startswith("photograph the finger with its tip on a plain ground")
    before = {**row, "photo": "b.png", "visit": "baseline", "date": "2024-03-11", "status": "measured"}
    names = set(empty("photos").columns)
    ulcer = {**before, "label": 1, "diameter_mm": 3.0, "area_mm2": 7.0, "centroid_x_px": 5.0, "centroid_y_px": 5.0}
    measured = {k: v for k, v in ulcer.items() if k in set(empty("measurements").columns)}
    photos = from_rows("photos", [{k: v for k, v in r.items() if k in names} for r in (before, photo)])
    tracked = track(from_rows("measurements", [measured]), photos, protocol=PROTOCOL)
    last = tracked[tracked["visit"] == "week 4"].iloc[0]
    assert (
        last["state"] == "not photographed" and "no ulcer was found in the box" in read_flags(last["flags"])[0].reason
    )


@pytest.mark.parametrize(
    ("date", "days"),
    [("2024-03-05", 0), ("2024-03-04", 0), ("2024-03-06", 0), ("2024-03", 0), ("", 0), ("2024-03-07", 2),
     ("2024-03-03", 2), ("2024-02", 5), ("2023", 65)],
)  # fmt: skip
def test_a_camera_that_says_another_day_is_flagged(date: str, days: int) -> None:
    dated = compare_dates(context(date=date), Opened(photo=PHOTO))
    words = f"taken 2024-03-05 by the camera's clock, {days} days off the row's date {date}: check both"
    assert [note_in_words(note) for note in dated.notes] == ([words] if days else [])
    undated = Opened(photo=replace(PHOTO, taken_at=None))
    assert compare_dates(context(date=date), undated) is undated


def test_a_date_that_is_none_is_a_fault_of_the_row() -> None:
    with pytest.raises(StudyError, match="expected an ISO 8601 date"):
        compare_dates(context(date="last week"), Opened(photo=PHOTO))


def test_a_wrong_date_stands_beside_the_measurement(tmp_path: Path) -> None:
    camera = CameraSpec(width_px=640, height_px=480, px_per_mm=10.0)
    write_phantom(draw_phantom(PhantomSpec(camera=camera, taken_at=datetime(2024, 3, 5, 9))), tmp_path / "a.jpg")
    row = {"photo": "a.jpg", "date": "2024-04-08", "reference": "aruco:10", "reference_on": "skin"}
    photo = measure_photo(row, PROTOCOL, root=tmp_path, overlay=False).photo
    assert photo["status"] == "measured" and "34 days off the row's date 2024-04-08" in photo["reason"]
    assert "instruction" not in photo
