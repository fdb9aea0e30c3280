"""A reading: what one person says of the ulcers that one row of photos shows, on one occasion."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Points
from ulcermeter.files import JsonObject

__all__ = [
    "PlaceKey",
    "PlaceReading",
    "PlaceVerdict",
    "UlcerReading",
    "UlcerVerdict",
    "reading_from_state",
    "state_of",
]

PlaceKey = tuple[str, str, str]
"""A photo, hand and finger: what a reading is of. Its ulcers go by the run's labels, or the reader's own."""


class PlaceVerdict(StrEnum):
    """What a reader says of the photo as a whole; NONE where the ulcers say it."""

    NONE = ""
    NO_ULCER = "no ulcer"
    HEALED = "healed"
    COVERED = "covered"
    CANNOT_JUDGE = "cannot be judged"


class UlcerVerdict(StrEnum):
    """What a reader says of one outline."""

    ACCEPTED = "accepted"
    EDITED = "edited"
    ADDED = "added"
    NO_ULCER = "no ulcer"
    MERGED = "merged"


@dataclass(frozen=True)
class UlcerReading:
    """What a reader says of one ulcer.

    Attributes
    ----------
    label : int
        The run's; of an ulcer that the reader added the next free one.
    verdict : UlcerVerdict
    outline_px : float64 (K, 2) or None
        As it is now; None where there is no ulcer.
    shown_px : float64 (K, 2) or None
        The machine's, as it was shown; None where none was.
    ulcer_id : str
        The identity that the reader gave it; empty for none.
    why : str
        Reason, where one was given.
    """

    label: int
    verdict: UlcerVerdict
    outline_px: Points | None = field(default=None, repr=False)
    shown_px: Points | None = field(default=None, repr=False)
    ulcer_id: str = ""
    why: str = ""


@dataclass(frozen=True)
class PlaceReading:
    """A reading as it stands after its last entry.

    Attributes
    ----------
    reader : str
    place : PlaceKey
    photo_sha256, run_id : str
        What the reader was shown.
    occasion : int
        1, or 2 where a reading list showed the photo again.
    adjudicated : bool
        It settles what others differ in.
    whole : bool
        It was made without the machine's outlines in view, and says of every ulcer on the photo what there is to say:
        none of the machine's stays.
    verdict : PlaceVerdict
    ulcers : tuple of UlcerReading
        Those that were read; another outline of the run stays the machine's.
    why : str
    """

    reader: str
    place: PlaceKey
    photo_sha256: str
    run_id: str = ""
    occasion: int = 1
    adjudicated: bool = False
    whole: bool = False
    verdict: PlaceVerdict = PlaceVerdict.NONE
    ulcers: tuple[UlcerReading, ...] = ()
    why: str = ""

    @property
    def has_content(self) -> bool:
        """Whether anything of it is read."""
        return bool(self.ulcers) or self.verdict is not PlaceVerdict.NONE


def state_of(reading: PlaceReading) -> JsonObject:
    """Return a reading as the plain values that the log keeps in *before* and *after*.

    Parameters
    ----------
    reading : PlaceReading

    Returns
    -------
    dict
    """
    return {
        "occasion": reading.occasion,
        "adjudicated": reading.adjudicated,
        "whole": reading.whole,
        "verdict": str(reading.verdict),
        "why": reading.why,
        "ulcers": [
            {
                "label": ulcer.label,
                "verdict": str(ulcer.verdict),
                "outline_px": _plain(ulcer.outline_px),
                "shown_px": _plain(ulcer.shown_px),
                "ulcer_id": ulcer.ulcer_id,
                "why": ulcer.why,
            }
            for ulcer in reading.ulcers
        ],
    }


def reading_from_state(
    state: JsonObject, *, reader: str, place: PlaceKey, photo_sha256: str, run_id: str = ""
) -> PlaceReading:
    """Undo `state_of`, for a reader, place and photo.

    Parameters
    ----------
    state : mapping
    reader : str
    place : PlaceKey
    photo_sha256, run_id : str

    Returns
    -------
    PlaceReading

    Raises
    ------
    ValueError, KeyError, TypeError
        Values that `state_of` does not write.
    """
    return PlaceReading(
        reader=reader,
        place=place,
        photo_sha256=photo_sha256,
        run_id=run_id,
        occasion=int(state["occasion"]),
        adjudicated=bool(state["adjudicated"]),
        whole=bool(state["whole"]),
        verdict=PlaceVerdict(state["verdict"]),
        why=str(state["why"]),
        ulcers=tuple(
            UlcerReading(
                label=int(one["label"]),
                verdict=UlcerVerdict(one["verdict"]),
                outline_px=_points(one["outline_px"]),
                shown_px=_points(one["shown_px"]),
                ulcer_id=str(one["ulcer_id"]),
                why=str(one["why"]),
            )
            for one in state["ulcers"]
        ),
    )


def _plain(points: Points | None) -> list[list[float]] | None:
    return None if points is None else [[float(x), float(y)] for x, y in points]


def _points(given: object) -> NDArray[np.float64] | None:
    if given is None:
        return None
    points = np.asarray(given, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 3 or not np.isfinite(points).all():
        raise ValueError("expected an outline of at least 3 points (x, y)")
    return points
