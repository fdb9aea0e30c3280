"""What a reference is: as asked for in text, and as found on a photo."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from typing import Protocol as Interface

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Box, LensProfile, Photo, Points
from ulcermeter.errors import Refusal

if TYPE_CHECKING:
    from ulcermeter.protocol import Protocol

__all__ = ["DICTIONARIES", "KINDS", "Finder", "FoundReference", "Reference", "parse_reference"]

KINDS = ("card", "aruco", "disc", "id1", "ruler", "scale", "auto")
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

_FORMS = "card, aruco:MM, aruco:MM:DICTIONARY, disc:MM, id1, ruler, scale:PX_PER_MM or auto"
_SIZE_RANGE_MM = (1.0, 500.0)
_SCALE_RANGE = (0.1, 1000.0)


@dataclass(frozen=True)
class Reference:
    """A reference as asked for.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    text : str
        As given.
    size_mm : float or None
        Side of a marker's black square or diameter of a disc, mm.
    dictionary : str or None
        A marker's dictionary by its OpenCV name; None looks among the common ones.
    px_per_mm : float or None
        Of a stated scale.
    """

    kind: str
    text: str
    size_mm: float | None = None
    dictionary: str | None = None
    px_per_mm: float | None = None


@dataclass(frozen=True)
class FoundReference:
    """A reference as found on a photo: what every finder returns.

    Attributes
    ----------
    text : str
        As asked for, completed by what was found, for example ``aruco:10:DICT_4X4_50``.
    points_px : float64 (K, 2)
        K ≥ 4 points (x, y) on the photo, as seen (lens distortion not removed).
    points_mm : float64 (K, 2)
        The same points in the plane, mm; x right and y down as the reference is read, so never mirrored.
    covariance_px2 : float64 (2K, 2K)
        Of `points_px`, ordered x0, y0, x1, y1, ...; of finding them only: print, bending, lens and focal length are
        added when the plane is fitted.
    outline_px : float64 (L, 2)
        Polygon round everything that belongs to the reference.
    starts_px : tuple of float64 (K, 2)
        Where the poses to start from would show the points (a disc's two mirrored tilts); none: start from the points.
    size_sd_pct : float or None
        Standard deviation of the reference's size, %; None takes the protocol's `reference_size_sd_pct`.
    point_sd_mm : float or None
        Standard deviation of one point by print and bending, mm; None takes the protocol's `reference_point_sd_mm`.
    warnings : tuple of str
    """

    text: str
    points_px: Points = field(repr=False)
    points_mm: Points = field(repr=False)
    covariance_px2: NDArray[np.float64] = field(repr=False)
    outline_px: Points = field(repr=False)
    starts_px: tuple[Points, ...] = field(default=(), repr=False)
    size_sd_pct: float | None = None
    point_sd_mm: float | None = None
    warnings: tuple[str, ...] = ()


class Finder(Interface):
    """Look for one kind of reference.

    Returns None when the photo shows nothing of the kind; raises `Refusal` when it shows something of the kind that
    must not be used (ambiguous, undecodable, cut off).
    """

    def __call__(
        self,
        photo: Photo,
        reference: Reference,
        *,
        region: Box | None,
        protocol: Protocol,
        lens: LensProfile | None,
    ) -> FoundReference | None:
        """Find the reference on the photo, inside the region if there is one."""
        ...


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
    parts = [part.strip() for part in str(text).strip().split(":")]
    kind = parts[0].lower()
    if kind not in KINDS:
        raise _wrong(text, f"expected {_FORMS}")
    if kind == "aruco" and len(parts) in (2, 3):
        dictionary = _dictionary(parts[2], text) if len(parts) == 3 else None
        size_mm = _number(parts[1], text, _SIZE_RANGE_MM, "the side of the black square in mm")
        return Reference(kind, text, size_mm=size_mm, dictionary=dictionary)
    if kind == "disc" and len(parts) == 2:
        return Reference(kind, text, size_mm=_number(parts[1], text, _SIZE_RANGE_MM, "the diameter in mm"))
    if kind == "scale" and len(parts) == 2:
        return Reference(kind, text, px_per_mm=_number(parts[1], text, _SCALE_RANGE, "pixels per mm"))
    if kind in ("card", "id1", "ruler", "auto") and len(parts) == 1:
        return Reference(kind, text)
    forms = {"aruco": "aruco:MM or aruco:MM:DICTIONARY, such as aruco:10", "disc": "disc:MM, such as disc:10"}
    raise _wrong(
        text, f"expected {forms.get(kind, 'scale:PX_PER_MM, such as scale:12.5' if kind == 'scale' else kind)}"
    )


def _number(part: str, text: str, limits: tuple[float, float], what: str) -> float:
    try:
        value = float(part)
    except ValueError:
        value = math.nan
    if not limits[0] <= value <= limits[1]:
        raise _wrong(text, f"expected {what} as a number from {limits[0]:g} to {limits[1]:g}")
    return value


def _dictionary(name: str, text: str) -> str:
    wanted = name.upper().removeprefix("DICT_")
    for known in DICTIONARIES:
        if known.upper().removeprefix("DICT_") == wanted:
            return known
    raise _wrong(text, "expected a marker dictionary by its OpenCV name, such as DICT_4X4_50 or DICT_APRILTAG_36h11")


def _wrong(text: str, expected: str) -> Refusal:
    return Refusal(f"reference: {expected}, got '{text}'; write the reference in one of these forms: {_FORMS}.")
