"""What a reference is, and how each kind is written in photos.csv, in a protocol and on the command line.

A new kind: its member of `ReferenceKind` and its form in `FORMS` here; what finds it is a file of its own in
`ulcermeter.calibration.references`, named in the registry there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from ulcermeter.errors import Problem, Refusal

__all__ = ["ANY_FORM", "DICTIONARIES", "FORMS", "THING_FORM", "Form", "Reference", "ReferenceKind", "parse_reference"]

DICTIONARIES = (
    *(f"DICT_{n}X{n}_{count}" for n in (4, 5, 6, 7) for count in (50, 100, 250, 1000)),
    "DICT_ARUCO_ORIGINAL",
    "DICT_ARUCO_MIP_36h12",
    "DICT_APRILTAG_16h5",
    "DICT_APRILTAG_25h9",
    "DICT_APRILTAG_36h10",
    "DICT_APRILTAG_36h11",
)
"""Marker dictionaries by their OpenCV names."""

_SIZE_RANGE_MM = (1.0, 500.0)
"""Assumption: what is smaller is no print, what is larger lies beside no finger."""
_SCALE_RANGE_PX_PER_MM = (0.1, 1000.0)
"""Assumption: a metre across 100 px, and a micrometre a pixel."""


class ReferenceKind(Enum):
    """The kinds of things of known size."""

    CARD = "card"
    ARUCO = "aruco"
    DISC = "disc"
    ID1 = "id1"
    RULER = "ruler"
    SCALE = "scale"
    """No thing on the photo: a scale that was known beforehand."""
    AUTO = "auto"
    """Asked for only: the first that is found of those the protocol lists."""

    @property
    def is_thing(self) -> bool:
        """Whether a photo can show it."""
        return self not in (ReferenceKind.SCALE, ReferenceKind.AUTO)


@dataclass(frozen=True)
class Form:
    """How a kind is written: its name alone, or with one number and perhaps a marker's dictionary behind colons.

    Attributes
    ----------
    number : str
        What the number is, as an error names it; empty where there is none.
    unit : str
        The number in the pattern of the form.
    limits : (float, float)
        Range of the number.
    is_scale : bool
        The number is a scale in px/mm, not a size in mm.
    takes_dictionary : bool
    example : str
    """

    number: str = ""
    unit: str = "MM"
    limits: tuple[float, float] = _SIZE_RANGE_MM
    is_scale: bool = False
    takes_dictionary: bool = False
    example: str = ""


FORMS: dict[ReferenceKind, Form] = {
    ReferenceKind.CARD: Form(),
    ReferenceKind.ARUCO: Form("the side of the black square in mm", takes_dictionary=True, example="aruco:10"),
    ReferenceKind.DISC: Form("the diameter in mm", example="disc:10"),
    ReferenceKind.ID1: Form(),
    ReferenceKind.RULER: Form(),
    ReferenceKind.SCALE: Form(
        "pixels per mm", unit="PX_PER_MM", limits=_SCALE_RANGE_PX_PER_MM, is_scale=True, example="scale:12.5"
    ),
    ReferenceKind.AUTO: Form(),
}


def _patterns(kind: ReferenceKind) -> list[str]:
    form = FORMS[kind]
    if not form.number:
        return [kind.value]
    sized = f"{kind.value}:{form.unit}"
    return [sized, f"{sized}:DICTIONARY"] if form.takes_dictionary else [sized]


def _alternatives(kinds: list[ReferenceKind]) -> str:
    *most, last = [pattern for kind in kinds for pattern in _patterns(kind)]
    return f"{', '.join(most)} or {last}" if most else last


ANY_FORM = _alternatives(list(ReferenceKind))
"""All forms in words, as an error names them."""
THING_FORM = _alternatives([kind for kind in ReferenceKind if kind.is_thing])
"""The forms of what a photo can show."""


@dataclass(frozen=True)
class Reference:
    """A thing of known size: as asked for, or as found on a photo.

    Attributes
    ----------
    kind : ReferenceKind
    size_mm : float or None
        Side of a marker's black square or diameter of a disc, mm.
    dictionary : str or None
        A marker's dictionary by its OpenCV name; None looks among the common ones.
    px_per_mm : float or None
        Of a stated scale.

    Examples
    --------
    >>> parse_reference("ARUCO:10:4x4_50")
    Reference(kind=<ReferenceKind.ARUCO: 'aruco'>, size_mm=10.0, dictionary='DICT_4X4_50', px_per_mm=None)
    >>> str(Reference(ReferenceKind.DISC, size_mm=25.75))
    'disc:25.75'
    """

    kind: ReferenceKind
    size_mm: float | None = None
    dictionary: str | None = None
    px_per_mm: float | None = None

    def __str__(self) -> str:
        """Return it as it is written: `parse_reference` reads it back."""
        numbers = [f"{value:g}" for value in (self.size_mm, self.px_per_mm) if value is not None]
        return ":".join([self.kind.value, *numbers, *([self.dictionary] if self.dictionary else [])])


def parse_reference(text: str) -> Reference:
    """Read a reference as it is written in photos.csv, a protocol or on the command line.

    Parameters
    ----------
    text : str
        ``card``, ``aruco:MM``, ``aruco:MM:DICTIONARY``, ``disc:MM``, ``id1``, ``ruler``, ``scale:PX_PER_MM``, ``auto``.
        Case does not matter, nor does a missing ``DICT_``.

    Returns
    -------
    Reference

    Raises
    ------
    Refusal
        Another text; the sentence says what was expected and got.
    """
    name, *values = [part.strip() for part in str(text).strip().split(":")]
    kind = next((kind for kind in ReferenceKind if kind.value == name.lower()), None)
    if kind is None:
        raise _wrong(text, ANY_FORM)
    form = FORMS[kind]
    least = 1 if form.number else 0
    if not least <= len(values) <= least + form.takes_dictionary:
        example = f", such as {form.example}" if form.example else ""
        raise _wrong(text, f"{_alternatives([kind])}{example}")
    dictionary = _dictionary(values[1], text) if len(values) > 1 else None
    number = _number(values[0], text, form) if form.number else None
    if form.is_scale:
        return Reference(kind, px_per_mm=number)
    return Reference(kind, size_mm=number, dictionary=dictionary)


def _number(part: str, text: str, form: Form) -> float:
    try:
        value = float(part)
    except ValueError:
        value = math.nan
    low, high = form.limits
    if not low <= value <= high:
        raise _wrong(text, f"{form.number} as a number from {low:g} to {high:g}")
    return value


def _dictionary(name: str, text: str) -> str:
    wanted = name.upper().removeprefix("DICT_")
    for known in DICTIONARIES:
        if known.upper().removeprefix("DICT_") == wanted:
            return known
    raise _wrong(text, "a marker dictionary by its OpenCV name, such as DICT_4X4_50 or DICT_APRILTAG_36h11")


def _wrong(text: str, expected: str) -> Refusal:
    return Refusal(
        Problem(
            where="reference",
            expected=expected,
            got=f"'{text}'",
            action=f"write the reference in one of these forms: {ANY_FORM}",
        )
    )
