"""Every note has its words, and its numbers stand in them."""

from __future__ import annotations

import pytest

from ulcermeter.datatypes import Note, NoteKind
from ulcermeter.wording import note_in_words

VALUES = {
    NoteKind.FOCAL_ASSUMED: (32.0, 11.0),
    NoteKind.CROPPED: (4032, 3024, 1500, 2000),
    NoteKind.DIGITAL_ZOOM: (2.5,),
    NoteKind.RULER_UNIT: (0.5,),
    NoteKind.MARKER_BENT: (0.126,),
    NoteKind.GAINS_TOO_LARGE: (0.31, 1.0, 2.75),
    NoteKind.CAMERA_DATE_DIFFERS: ("2024-03-05", 34, "2024-04-08"),
    NoteKind.REFERENCE_ON_ASSUMED: ("skin",),
    NoteKind.TRACING_ELSEWHERE: (12.2, 30.7),
    NoteKind.READER_STATE_TAKEN: ("healed",),
    NoteKind.FINGER_BY_NAME: ("index", 12.2, 30.7, 0.98),
    NoteKind.FIND_OFF_FINGER: (12.2, 30.7),
    NoteKind.FIND_LOOKS_CLEAR: (12.2, 30.7, "possible"),
    NoteKind.DOUBTFUL_SKIN: ("dark", 5.8, 3.0, 12.2, 30.7, ""),
    NoteKind.DOUBTFUL_ELSEWHERE: (12.2, 30.7),
    NoteKind.FIND_ON_NAIL: (12.2, 30.7),
    NoteKind.NAIL_AT_CLICK: (12.2, 30.7),
    NoteKind.COLOUR_STANDARDISED: (0.5, 1.0, 2.25),
}


@pytest.mark.parametrize("kind", NoteKind)
def test_each_kind_is_a_clause_of_its_own(kind: NoteKind) -> None:
    words = note_in_words(Note(kind, VALUES.get(kind, ())))
    assert words and not words.endswith(".") and "\n" not in words


def test_numbers_stand_in_the_words() -> None:
    assert note_in_words(Note(NoteKind.FOCAL_ASSUMED, (32.0, 11.0))) == (
        "no focal length in the file: 32 ± 11 mm (35 mm equivalent) assumed"
    )
    cropped = note_in_words(Note(NoteKind.CROPPED, (4032, 3024, 1500, 2000)))
    assert cropped.startswith("the camera wrote 4032 × 3024 px and the picture has 1500 × 2000: cropped")
    assert [note_in_words(Note(NoteKind.RULER_UNIT, (mm,))) for mm in (1.0, 0.5)] == [
        "the ruler's ticks were read as mm: check it",
        "the ruler's ticks were read as half mm: check it",
    ]
    assert "gains 0.50, 1.00, 2.25" in note_in_words(Note(NoteKind.COLOUR_STANDARDISED, (0.5, 1.0, 2.25)))
    assert "0.13 %" in note_in_words(Note(NoteKind.MARKER_BENT, (0.126,)))


def test_a_crack_beside_the_nail_and_a_lost_nail_are_named_as_such() -> None:
    crack = note_in_words(Note(NoteKind.DOUBTFUL_SKIN, ("fissure", 5.8, 9.0, 12.2, 30.7, "nail")))
    assert crack == "a crack of 6 mm beside the nail, at (12, 31): a reader must say what it is"
    assert "bare bed" in note_in_words(Note(NoteKind.DOUBTFUL_SKIN, ("lost nail", 9.0, 9.0, 12.2, 30.7, "")))
