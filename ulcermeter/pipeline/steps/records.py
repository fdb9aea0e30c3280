"""What goes into one photo's journey, and what is known after each of its stages.

Each stage takes the record of the one before it and returns the next: the same facts and its own. All are frozen, and
none has a field that is not known yet, so that a stage cannot be called too early. Where a stage refuses the photo,
the last record tells what was known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ulcermeter.datatypes import Box, Calibration, Finger, LensProfile, Note, Photo, Points, Segmentation
from ulcermeter.pipeline.steps.prompt import Prompt
from ulcermeter.quality import GateReport, SkinView

if TYPE_CHECKING:
    from ulcermeter.finger import FingerEnd
    from ulcermeter.protocol import Protocol
    from ulcermeter.tables.cells import Record

__all__ = [
    "Begun",
    "Calibrated",
    "Covered",
    "Judged",
    "Measured",
    "Opened",
    "Outlined",
    "PhotoContext",
    "Prompted",
    "Standardised",
    "row_cells",
]


@dataclass(frozen=True)
class PhotoContext:
    """What one photo row is measured with.

    Attributes
    ----------
    cells : mapping of str to str
        The row of a study's photos.csv, see `row_cells`.
    protocol : Protocol
    root : Path
        The folder that the row's paths start from.
    model : str, Path or None
        Another segmentation model than the shipped one.
    lens : LensProfile or None
    """

    cells: Mapping[str, str]
    protocol: Protocol
    root: Path = Path(".")
    model: str | Path | None = None
    lens: LensProfile | None = None

    def cell(self, name: str) -> str:
        """Return a cell of the row, empty where it is not known."""
        return self.cells.get(name, "")


def row_cells(row: Mapping[str, object]) -> dict[str, str]:
    """Return a row's cells as text without blanks round it; None and NaN are not known, so empty.

    Parameters
    ----------
    row : Mapping[str, object]
        A row of a table as a mapping of column to cell.

    Returns
    -------
    dict[str, str]
    """
    return {name: "" if value is None or value != value else str(value).strip() for name, value in row.items()}


@dataclass(frozen=True, kw_only=True)
class Begun:
    """Nothing but the row is known."""

    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Opened(Begun):
    """The photo is read."""

    photo: Photo


@dataclass(frozen=True, kw_only=True)
class Covered(Opened):
    """The journey's end where a dressing or crust hides the place."""


@dataclass(frozen=True, kw_only=True)
class Prompted(Opened):
    """It is known where to look for the ulcer, and for the reference (photo px; None anywhere)."""

    prompt: Prompt
    reference_box: Box | None = None


@dataclass(frozen=True, kw_only=True)
class Calibrated(Prompted):
    """The scale is known, and how the photo does at the gates: first at the prompt, later at its worst ulcer."""

    calibration: Calibration
    gates: GateReport


@dataclass(frozen=True, kw_only=True)
class Standardised(Calibrated):
    """The photo's colour is brought to a standard, for what looks for ulcers and fingers; never for lengths or gates.

    Attributes
    ----------
    balanced : Photo
        `photo` itself where nothing could be done.
    """

    balanced: Photo = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Outlined(Standardised):
    """The ulcers are outlined.

    Attributes
    ----------
    segmentation : Segmentation
    finger : Finger or None
        After `find_finger` the one that the largest ulcer lies on.
    network_mm : float64 (K, 2)
        Outline on the reference's plane of what the finger network takes for that finger; empty where it sees none.
    rough_finger : Finger or None
        Where no finger could be fitted, what the network alone takes for it: to look at its skin.
    detection_limit_mm : float
        The smallest ulcer that would have been found, mm.
    ends : tuple of FingerEnd, or None
        The ends of all fingers in view; None where they were not looked for.
    """

    segmentation: Segmentation
    finger: Finger | None = None
    network_mm: Points = field(default_factory=lambda: np.empty((0, 2)), repr=False)
    rough_finger: Finger | None = None
    detection_limit_mm: float
    ends: tuple[FingerEnd, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Judged(Outlined):
    """The photo is judged at every ulcer, or in one place where there is none.

    Attributes
    ----------
    reports : tuple of GateReport
        `gates` is the first of them.
    skin : SkinView
        What was seen clear of the finger, and what was not, where nothing was found.
    """

    reports: tuple[GateReport, ...]
    skin: SkinView = SkinView()


@dataclass(frozen=True, kw_only=True)
class Measured(Judged):
    """The journey's end: a row an ulcer, none where no ulcer is there."""

    measurements: tuple[Record, ...]
