"""References as they are written: what is read is written back, and every kind says how it is written."""

from __future__ import annotations

import pytest

from ulcermeter.calibration.references.registry import REFERENCES
from ulcermeter.errors import Refusal
from ulcermeter.reference import ANY_FORM, FORMS, THING_FORM, Reference, ReferenceKind, parse_reference


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (" ArUco : 12.50 : 4x4_50 ", "aruco:12.5:DICT_4X4_50"),
        ("aruco:10", "aruco:10"),
        ("disc:25.75", "disc:25.75"),
        ("Scale:7.25", "scale:7.25"),
        ("ID1", "id1"),
        ("AUTO", "auto"),
    ],
)
def test_a_reference_is_written_as_it_is_read(text: str, written: str) -> None:
    asked = parse_reference(text)
    assert str(asked) == written and parse_reference(written) == asked


def test_every_kind_declares_its_form_and_every_thing_is_looked_for() -> None:
    assert set(FORMS) == set(ReferenceKind)
    assert set(REFERENCES) == {kind for kind in ReferenceKind if kind.is_thing}
    held = {other for known in REFERENCES.values() for other in known.held_against}
    assert all(not FORMS[kind].number for kind in held)  # only what is of one size everywhere vouches for another


def test_forms_in_words() -> None:
    assert ANY_FORM.startswith("card, aruco:MM, aruco:MM:DICTIONARY, disc:MM, ")
    assert ANY_FORM.endswith(", scale:PX_PER_MM or auto")
    assert "scale" not in THING_FORM and "auto" not in THING_FORM and " or " in THING_FORM


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("aruco", "expected aruco:MM or aruco:MM:DICTIONARY, such as aruco:10, got 'aruco'"),
        ("disc:10:DICT_4X4_50", "expected disc:MM, such as disc:10, got"),
        ("id1:3", "expected id1, got 'id1:3'"),
        ("disc:900", "expected the diameter in mm as a number from 1 to 500, got 'disc:900'"),
        ("scale:a", "expected pixels per mm as a number from 0.1 to 1000, got"),
        ("foo", f"expected {ANY_FORM}, got 'foo'"),
    ],
)
def test_a_wrong_text_is_told_what_its_kind_expects(text: str, expected: str) -> None:
    with pytest.raises(Refusal) as caught:
        parse_reference(text)
    assert expected in str(caught.value)


def test_what_was_found_completes_what_was_asked() -> None:
    assert str(Reference(ReferenceKind.ARUCO, 10.0, "DICT_6X6_50")) == "aruco:10:DICT_6X6_50"
