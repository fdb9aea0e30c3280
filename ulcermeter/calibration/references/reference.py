"""A reference as found on a photo, and what calibration knows of each kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from typing import Protocol as Interface

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Box, LensProfile, Note, Photo, Points
from ulcermeter.reference import Reference, ReferenceKind

if TYPE_CHECKING:
    from ulcermeter.protocol import Protocol

__all__ = ["Finder", "FoundReference", "KindOfReference"]


@dataclass(frozen=True)
class FoundReference:
    """A reference as found on a photo: what every finder returns.

    Attributes
    ----------
    reference : Reference
        As asked for, completed by what was found: a marker's dictionary.
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
    warnings : tuple of Note
    """

    reference: Reference
    points_px: Points = field(repr=False)
    points_mm: Points = field(repr=False)
    covariance_px2: NDArray[np.float64] = field(repr=False)
    outline_px: Points = field(repr=False)
    starts_px: tuple[Points, ...] = field(default=(), repr=False)
    size_sd_pct: float | None = None
    point_sd_mm: float | None = None
    warnings: tuple[Note, ...] = ()


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


@dataclass(frozen=True)
class KindOfReference:
    """How calibration deals with one kind of reference.

    Attributes
    ----------
    find : Finder
    advice : str
        How to lay it, as an order.
    held_against : tuple of ReferenceKind
        References of one size everywhere that its stated size is held against where the photo shows them too.
    """

    find: Finder
    advice: str
    held_against: tuple[ReferenceKind, ...] = ()
