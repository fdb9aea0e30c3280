"""Which finger a row speaks of, and what of the finds lies on its skin; finger and network are given by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ulcermeter.calibration import calibrate, rectify
from ulcermeter.datatypes import CameraInfo, Finger, Note, NoteKind, OutlineSource, Photo, Segmentation
from ulcermeter.errors import Refusal
from ulcermeter.finger import Absence, FingerEnd, FingerSearch, NamedEnd
from ulcermeter.pipeline.steps import whose_finger
from ulcermeter.pipeline.steps.prompt import Prompt
from ulcermeter.pipeline.steps.records import Outlined, PhotoContext
from ulcermeter.protocol import read_protocol
from ulcermeter.quality import check_gates

PROTOCOL = read_protocol("manus")
PHOTO = Photo(np.full((600, 800, 3), 150, np.uint8), "0" * 64, datetime(2024, 3, 5, 9), CameraInfo(), Path("a.jpg"))
STATED = calibrate(PHOTO, reference="scale:10")


def finger(x_mm: float) -> Finger:
    """A finger 16 mm wide from (x, 10) mm down to 45 mm from its tip."""
    outline = np.array([[x_mm - 8, 10.0], [x_mm + 8, 10], [x_mm + 8, 55], [x_mm - 8, 55]])
    return Finger(outline, (x_mm, 10.0), (0.0, 1.0), 8.0, 0.5)


FIRST, SECOND = finger(20.0), finger(45.0)
ON_FIRST, ON_FIRST_TOO, ON_SECOND, ON_CLOTH = (200.0, 250.0), (210.0, 400.0), (450.0, 300.0), (700.0, 300.0)


def square(middle: tuple[float, float], wide_px: float = 30.0, high_px: float = 30.0) -> np.ndarray:
    corners = np.array([[-1.0, -1], [1, -1], [1, 1], [-1, 1]]) / 2
    return np.array(middle) + corners * (wide_px, high_px)


def outlined(*outlines: np.ndarray, **where: Any) -> Outlined:
    prompt = Prompt(**where)
    rectified = rectify(PHOTO, STATED, spacing_mm=1.0)
    labels = np.zeros(rectified.pixels.shape[:2], np.int32)
    for label, outline in enumerate(outlines, start=1):
        x, y = (outline.mean(axis=0) / 10).astype(int)
        labels[y, x] = label
    count = len(outlines)
    segmentation = Segmentation(
        rectified, labels, labels * 0.9, outlines, (0.9,) * count, (False,) * count, OutlineSource.NETWORK
    )
    gates = check_gates(PHOTO, STATED, prompt.place(PHOTO), protocol=PROTOCOL)
    return Outlined(
        photo=PHOTO,
        prompt=prompt,
        calibration=STATED,
        gates=gates,
        balanced=PHOTO,
        segmentation=segmentation,
        finger=None,
        detection_limit_mm=0.8,
    )


@pytest.fixture(autouse=True)
def two_fingers_in_view(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network sees two fingers, wherever it is asked, and nothing else."""

    def search(rectified: Any, *, near_px: Any, **_: Any) -> FingerSearch:
        for one in (FIRST, SECOND):
            if abs(near_px[0] / 10 - one.tip_mm[0]) < 9:
                return FingerSearch(one)
        return FingerSearch(absence=Absence.NO_FINGER)

    def ends(rectified: Any, *, box: Any = None) -> tuple[FingerEnd, ...]:
        both = [FingerEnd((10 * f.tip_mm[0], 220.0), (10 * f.tip_mm[0], 100.0), 160.0, 0.8) for f in (FIRST, SECOND)]
        return tuple(end for end in both if box is None or box[0] <= end.at_px[0] <= box[0] + box[2])

    monkeypatch.setattr(whose_finger, "search_finger", search)
    monkeypatch.setattr(whose_finger, "finger_ends", ends)


def owned(found: Outlined, **cells: str) -> Outlined:
    return whose_finger.find_finger(PhotoContext(cells, PROTOCOL), found)


def kinds(found: Outlined) -> list[NoteKind]:
    return [note.kind for note in found.notes]


def test_a_find_on_cloth_is_no_ulcer_of_the_finger_that_others_lie_on() -> None:
    found = owned(outlined(square(ON_CLOTH), square(ON_FIRST), square(ON_FIRST_TOO)))
    assert found.finger is FIRST
    assert [tuple(o.mean(axis=0)) for o in found.segmentation.outlines] == [ON_FIRST, ON_FIRST_TOO]
    assert kinds(found) == [NoteKind.FIND_OFF_FINGER]
    assert found.notes[0].values == ON_CLOTH
    # Numbered anew in their order, the cloth's label gone.
    labels = found.segmentation.labels
    assert (labels[25, 20], labels[40, 21], labels[30, 70]) == (1, 2, 0)


def test_finds_on_two_fingers_leave_it_open_which_is_meant() -> None:
    with pytest.raises(Refusal, match="more than one finger.*say which finger"):
        owned(outlined(square(ON_FIRST), square(ON_SECOND)))


def test_of_a_whole_hand_the_row_names_the_finger_and_the_neighbours_finds_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    second = FingerEnd((450.0, 220.0), (450.0, 100.0), 160.0, 0.8)
    cells = {"hand": "right", "finger": "ring", "view": "dorsal"}
    asked = []
    monkeypatch.setattr(whose_finger, "end_of_finger", lambda _, **words: asked.append(words) or NamedEnd(second, 0.97))
    hand = replace(outlined(square(ON_FIRST), square(ON_SECOND)), ends=(second,))
    found = owned(hand, **cells)
    assert asked == [cells]
    assert found.finger is SECOND
    assert [tuple(o.mean(axis=0)) for o in found.segmentation.outlines] == [ON_SECOND]
    assert kinds(found) == [NoteKind.FINGER_BY_NAME, NoteKind.FIND_OFF_FINGER]
    assert found.notes[0] == Note(NoteKind.FINGER_BY_NAME, ("ring", 450.0, 100.0, 0.97))


def test_of_several_fingers_none_is_chosen_where_the_hands_shape_does_not_say() -> None:
    ends = tuple(FingerEnd((x, 220.0), (x, 100.0), 160.0, 0.8) for x in (200.0, 450.0))
    with pytest.raises(Refusal, match="2 fingers are in view"):
        owned(replace(outlined(), ends=ends), hand="right", finger="ring", view="dorsal")


def test_in_a_fingers_box_the_neighbours_find_is_left_out() -> None:
    box = (100.0, 90.0, 200.0, 460.0)
    found = owned(outlined(square(ON_SECOND), square(ON_FIRST), box=box))
    assert found.finger is FIRST
    assert len(found.segmentation.outlines) == 1
    assert kinds(found) == [NoteKind.FIND_OFF_FINGER]


def test_nothing_found_on_several_fingers_asks_which() -> None:
    with pytest.raises(Refusal, match=r"2 fingers are in view, with tips at \(200, 100\), \(450, 100\)"):
        owned(outlined())


@pytest.mark.parametrize(("at", "wanted"), [(ON_FIRST, FIRST), (ON_SECOND, SECOND), (ON_CLOTH, None)])
def test_a_click_means_the_finger_under_it(at: tuple[float, float], wanted: Finger | None) -> None:
    found = owned(outlined(click=at))
    assert found.finger is wanted
    assert kinds(found) == ([] if wanted else [NoteKind.NO_FINGER])


def test_what_a_person_points_at_is_never_left_out() -> None:
    found = owned(outlined(square(ON_CLOTH), click=ON_CLOTH))
    assert len(found.segmentation.outlines) == 1
    assert kinds(found) == [NoteKind.NO_FINGER]


def test_a_click_on_the_reference_shows_no_finger() -> None:
    below = replace(STATED, reference_outline_px=square((200.0, 300.0), 100.0, 100.0))
    found = owned(replace(outlined(click=(210.0, 290.0)), calibration=below))
    assert found.finger is None


NAIL = square((200.0, 190.0), 110.0, 120.0)


def test_a_find_with_a_nails_place_and_shape_is_no_ulcer_of_a_fingers_back() -> None:
    found = owned(outlined(NAIL, square(ON_FIRST_TOO)), view="dorsal")
    assert [tuple(o.mean(axis=0)) for o in found.segmentation.outlines] == [ON_FIRST_TOO]
    assert kinds(found) == [NoteKind.FIND_ON_NAIL]
    with pytest.raises(Refusal, match="shape of a nail"):
        owned(outlined(NAIL))
    # The pulp has no nail; a small find is none, one beside the middle is none.
    assert len(owned(outlined(NAIL), view="palmar").segmentation.outlines) == 1
    for other in (square((200.0, 190.0)), square((245.0, 190.0), 60.0, 120.0)):
        assert len(owned(outlined(other), view="dorsal").segmentation.outlines) == 1


@pytest.mark.parametrize(
    ("view", "size_px", "possible"),
    [("dorsal", (110, 140), True), ("", (110, 140), True), ("palmar", (110, 140), False), ("dorsal", (50, 60), False)],
)
def test_what_has_a_nails_place_and_shape_at_a_click_is_a_possible_ulcer_only(
    view: str, size_px: tuple[float, float], possible: bool
) -> None:
    found = owned(outlined(square((200.0, 190.0), *size_px), click=(200.0, 190.0)), view=view)
    assert len(found.segmentation.outlines) == 1
    assert found.segmentation.possible == possible
    assert kinds(found) == [NoteKind.NAIL_AT_CLICK] * possible
