"""What is found is held against the skin network: an area that it takes for clear skin is a possible ulcer only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from judged_skin import FINGER, PROTOCOL, judged

from ulcermeter.datatypes import NoteKind
from ulcermeter.pipeline.steps.prompt import Prompt
from ulcermeter.pipeline.steps.records import Judged, PhotoContext
from ulcermeter.pipeline.steps.second_look import look_again
from ulcermeter.wording import note_in_words


@dataclass(frozen=True)
class Finds:
    """As much of a segmentation as is looked at."""

    outlines: tuple[np.ndarray, ...]
    possible: bool = False


def disc(x: float, y: float, diameter_px: float) -> np.ndarray:
    angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    return np.array([x, y]) + diameter_px / 2 * np.column_stack([np.cos(angles), np.sin(angles)])


# 10 px/mm: a dead area of 6 mm lies at (200, 150); the skin at (200, 300) is clear.
DEAD, CLEAR, SMALL = disc(200, 150, 60), disc(200, 300, 50), disc(200, 300, 15)


def looked_again(*outlines: np.ndarray, cells: dict[str, str] | None = None, **more: Any) -> Judged:
    return look_again(PhotoContext(cells or {}, PROTOCOL), judged(6.0, **{"segmentation": Finds(outlines)} | more))


def test_a_find_on_clear_skin_is_a_possible_ulcer() -> None:
    seen = looked_again(CLEAR)
    assert seen.segmentation.possible
    (note,) = seen.notes
    assert note.kind is NoteKind.FIND_LOOKS_CLEAR
    assert note.values[:2] == pytest.approx((200, 300), abs=1)
    assert "at (200, 300) looks like clear skin or a nail: a possible ulcer" in note_in_words(note)


def test_a_find_on_a_sore_stands() -> None:
    seen = looked_again(DEAD)
    assert not seen.segmentation.possible and seen.notes == ()


def test_beside_one_that_stands_a_doubted_one_is_told() -> None:
    seen = looked_again(DEAD, CLEAR)
    assert not seen.segmentation.possible
    (note,) = seen.notes
    assert "at (200, 300)" in note_in_words(note) and "counts beside the others" in note_in_words(note)


@pytest.mark.parametrize(
    "more",
    [{"prompt": Prompt(mask="a.png")}, {"cells": {"reader_state": "open"}}, {"finger": None}],
    ids=["traced", "judged by a reader", "no finger"],
)
def test_what_a_person_says_is_not_doubted_nor_what_lies_on_no_finger(more: dict[str, Any]) -> None:
    seen = looked_again(CLEAR, **more)
    assert not seen.segmentation.possible and seen.notes == ()


def test_what_is_smaller_than_the_network_marks_is_not_doubted() -> None:
    assert looked_again(SMALL).notes == ()
    # Beyond the 32 mm from the tip that it sees, neither.
    assert looked_again(disc(200, 420, 50)).notes == ()
    # Nor what reaches into what it sees by less than half; by more than half it is.
    assert looked_again(disc(200, 380, 70)).notes == ()
    assert len(looked_again(disc(200, 360, 70)).notes) == 1


def test_where_no_finger_could_be_fitted_the_rough_one_does() -> None:
    assert looked_again(CLEAR, finger=None, rough_finger=FINGER).segmentation.possible
    assert not looked_again(DEAD, finger=None, rough_finger=replace(FINGER, radius_mm=7.0)).segmentation.possible
