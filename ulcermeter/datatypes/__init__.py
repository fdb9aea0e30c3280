"""The things that pass from stage to stage. All are frozen: a stage takes one and returns the next.

Coordinates: photo pixels are (x, y) in the upright photo, x right, y down, (0, 0) the centre of the first pixel.
Plane millimetres are (x, y) in the reference's plane, with the same handedness. Arrays are (row, col).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes.arrays import Floats, Labels, Mask, Matrix, Pixels, Points
from ulcermeter.datatypes.asks import Ask, Need, OpenAnswer
from ulcermeter.datatypes.calibration import (
    Box,
    Calibration,
    CameraInfo,
    Framing,
    LensProfile,
    distorted,
    transform_points,
    undistorted,
)
from ulcermeter.datatypes.doubts import doubts_of, undated, without_doubted
from ulcermeter.datatypes.effects import (
    Caution,
    Effect,
    EffectMethod,
    Estimand,
    HealingCurve,
    Measure,
    UlcerCategory,
)
from ulcermeter.datatypes.findings import Finding, Kind, Severity, blanked
from ulcermeter.datatypes.finger import Finger
from ulcermeter.datatypes.notes import Note, NoteKind
from ulcermeter.datatypes.places import placed_events
from ulcermeter.reference import Reference, ReferenceKind

if TYPE_CHECKING:
    import pandas as pd

    from ulcermeter.protocol import Protocol

__all__ = [
    "Ask",
    "Box",
    "Calibration",
    "CameraInfo",
    "Caution",
    "Effect",
    "EffectMethod",
    "Eligibility",
    "Estimand",
    "Finding",
    "Finger",
    "Floats",
    "Framing",
    "HealingCurve",
    "Kind",
    "Labels",
    "LensProfile",
    "Mask",
    "Matrix",
    "Measure",
    "Need",
    "Note",
    "NoteKind",
    "OpenAnswer",
    "Outcomes",
    "OutlineSource",
    "Photo",
    "PhotoGeometry",
    "PhotoResult",
    "Pixels",
    "Points",
    "Presence",
    "RectifiedPhoto",
    "Reference",
    "ReferenceKind",
    "Results",
    "Rim",
    "Segmentation",
    "Severity",
    "Study",
    "UlcerCategory",
    "blanked",
    "distorted",
    "doubts_of",
    "placed_events",
    "transform_points",
    "undated",
    "undistorted",
    "without_doubted",
]


@dataclass(frozen=True)
class Photo:
    """An upright photo.

    Attributes
    ----------
    pixels : uint8 (M, N, 3), RGB, sRGB, upright
    sha256 : str
        Of the file's bytes.
    taken_at : datetime or None
    camera : CameraInfo
    path : Path
    orientation : int
        EXIF orientation 1..8 that the file had and `pixels` no longer need.
    """

    pixels: NDArray[np.uint8] = field(repr=False)
    sha256: str
    taken_at: datetime | None
    camera: CameraInfo
    path: Path
    orientation: int = 1


@dataclass(frozen=True)
class RectifiedPhoto:
    """A window of the reference's plane, seen square on.

    Attributes
    ----------
    pixels : uint8 (M, N, 3), RGB
    spacing_mm : float
        Millimetres per pixel, the same in both directions.
    origin_mm : (float, float)
        Plane (x, y) of the centre of pixel [0, 0], mm.
    calibration : Calibration
    photo : Photo
    """

    pixels: NDArray[np.uint8] = field(repr=False)
    spacing_mm: float
    origin_mm: tuple[float, float]
    calibration: Calibration
    photo: Photo

    def to_plane_mm(self, points: NDArray[np.floating]) -> Points:
        """Window pixels (K, 2) as (x, y) to plane millimetres (K, 2)."""
        return np.asarray(
            np.atleast_2d(np.asarray(points, dtype=np.float64)) * self.spacing_mm + np.asarray(self.origin_mm)
        )

    def from_plane_mm(self, points_mm: NDArray[np.floating]) -> Points:
        """Plane millimetres (K, 2) to window pixels (K, 2) as (x, y)."""
        return np.asarray(
            (np.atleast_2d(np.asarray(points_mm, dtype=np.float64)) - np.asarray(self.origin_mm)) / self.spacing_mm
        )

    def to_photo_px(self, points: NDArray[np.floating]) -> Points:
        """Window pixels (K, 2) as (x, y) to photo pixels (K, 2)."""
        return self.calibration.to_px(self.to_plane_mm(points))

    def from_photo_px(self, points_px: NDArray[np.floating]) -> Points:
        """Photo pixels (K, 2) to window pixels (K, 2) as (x, y)."""
        return self.from_plane_mm(self.calibration.to_mm(points_px))


class OutlineSource(Enum):
    """Who drew an outline, and so which error it carries: the network's, a reader's, or none where it is the truth."""

    NETWORK = "network"
    READER = "reader"
    TRUTH = "truth"


class Presence(StrEnum):
    """Whether an outline is of an ulcer, or too weak to be called one before a reader has looked."""

    ULCER = "ulcer"
    POSSIBLE = "possible"


@dataclass(frozen=True)
class Rim:
    """How far the network leaves an outline open, as shares of the outline's longest diameter.

    Attributes
    ----------
    spread : float
        Half the difference between the longest diameters at probability .25 and .75.
    pixel : float
        The network's pixel there: no edge is sharper to it.
    """

    spread: float
    pixel: float


@dataclass(frozen=True)
class Segmentation:
    """The ulcers found in a window.

    Attributes
    ----------
    rectified : RectifiedPhoto
    labels : int32 (M, N)
        0 none, then 1.. by falling area.
    probability : float32 (M, N), in 0..1
        That the pixel is ulcer; for a tracing 0 or 1.
    outlines : tuple of float64 (K, 2)
        One closed polygon a label (first vertex not repeated), in *photo* pixels, sub-pixel 0.5 level.
    confidence : tuple of float
        One a label, 0..1: the Dice that the network's outline may expect; 1 for a tracing.
    touches_border : tuple of bool
        One a label: the outline is cut by the photo's or window's border.
    source : OutlineSource
    prompt : str
        What told the network where to look: ``click``, ``box``, ``outline``, or empty.
    possible : bool
        The outlines are of *possible* ulcers: nothing surer was found.
    rims : tuple of Rim
        One a label for the network's outlines; empty for tracings.
    """

    rectified: RectifiedPhoto
    labels: NDArray[np.int32] = field(repr=False)
    probability: NDArray[np.float32] = field(repr=False)
    outlines: tuple[Points, ...] = field(repr=False)
    confidence: tuple[float, ...]
    touches_border: tuple[bool, ...]
    source: OutlineSource
    prompt: str = ""
    possible: bool = False
    rims: tuple[Rim, ...] = ()

    @property
    def presence(self) -> Presence:
        """What its outlines are of."""
        return Presence.POSSIBLE if self.possible else Presence.ULCER


@dataclass(frozen=True)
class PhotoGeometry:
    """What a photo's outlines are measured with: kept, so that a reader's outline is measured without the photo.

    Attributes
    ----------
    calibration : Calibration
    finger : Finger or None
        The one that the largest ulcer, or else the place looked at, lies on.
    """

    calibration: Calibration
    finger: Finger | None


@dataclass(frozen=True)
class PhotoResult:
    """All that one photo row gave: the unit that is run in parallel, stored and resumed.

    Attributes
    ----------
    photo : dict
        The row of photos.csv (columns of the results' table).
    measurements : tuple of dict
        Rows of measurements.csv.
    outlines : tuple of (int, float64 (K, 2))
        Label and outline in photo pixels.
    overlay : bytes or None
        The overlay as an encoded JPEG.
    geometry : PhotoGeometry or None
        None where the photo was not calibrated, or its ulcers not looked for.
    finger_view : bytes or None
        The finger as the report's strip shows it (`ulcermeter.plots.draw_finger_view`), a JPEG.
    """

    photo: dict[str, Any]
    measurements: tuple[dict[str, Any], ...] = ()
    outlines: tuple[tuple[int, Points], ...] = ()
    overlay: bytes | None = field(default=None, repr=False)
    geometry: PhotoGeometry | None = field(default=None, repr=False)
    finger_view: bytes | None = field(default=None, repr=False)

    def in_short(self) -> PhotoResult:
        """Return it without pictures and geometry, which the store keeps: so thousands of them fit into memory."""
        return replace(self, overlay=None, geometry=None, finger_view=None)


@dataclass(frozen=True)
class Study:
    """A study folder, read and validated; each table keeps the contract of `ulcermeter.tables` (``study/...``)."""

    root: Path
    protocol: Protocol
    photos: pd.DataFrame
    subjects: pd.DataFrame
    ulcers: pd.DataFrame
    treatments: pd.DataFrame
    refractory: pd.DataFrame
    visits: pd.DataFrame
    events: pd.DataFrame
    findings: tuple[Finding, ...] = ()
    """What looks wrong in it and stops nothing; results may not rest on a cell that is `in_doubt`."""


@dataclass(frozen=True)
class Eligibility:
    """The three eligibility tables, named like their files, and what would settle their open answers, as data."""

    eligibility: pd.DataFrame
    eligibility_by_ulcer: pd.DataFrame
    eligibility_summary: pd.DataFrame
    open_answers: tuple[OpenAnswer, ...] = ()


@dataclass(frozen=True)
class Outcomes:
    """The two outcome tables, named like their files."""

    outcomes: pd.DataFrame
    outcomes_by_subject: pd.DataFrame


@dataclass(frozen=True)
class Results:
    """A results folder as a record of tables, named like their files, and what made them."""

    root: Path
    photos: pd.DataFrame
    retake: pd.DataFrame
    measurements: pd.DataFrame
    readings: pd.DataFrame
    ids: pd.DataFrame
    queries: pd.DataFrame
    trajectories: pd.DataFrame
    eligibility: pd.DataFrame
    eligibility_by_ulcer: pd.DataFrame
    eligibility_summary: pd.DataFrame
    outcomes: pd.DataFrame
    outcomes_by_subject: pd.DataFrame
    run: dict[str, Any]
    read_outlines: Callable[[], pd.DataFrame] = field(repr=False)

    @cached_property
    def outlines(self) -> pd.DataFrame:
        """Table ``outlines``, read when asked for: it is by far the largest, and few need it."""
        return self.read_outlines()
