"""ArUco and AprilTag markers.

Shapes are looked for and decoded on a shrunken photo (about 3 ms a megapixel) and fitted at full resolution. Only
where that shows no marker is the photo searched at twice the resolution; what is smaller still would fail the gates.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ulcermeter.calibration.features.marker_bending import Bending
from ulcermeter.calibration.features.marker_code import Marker, decode, resembles_marker
from ulcermeter.calibration.features.marker_fit import MarkerFit, fit_marker
from ulcermeter.calibration.features.square_candidates import find_squares, shrunken_grey
from ulcermeter.calibration.geometry.homography import UNIT_SQUARE, square_to_quad
from ulcermeter.calibration.references.reference import FoundReference, KindOfReference
from ulcermeter.calibration.references.search_region import cropped
from ulcermeter.datatypes import Box, LensProfile, Note, NoteKind, Photo, transform_points
from ulcermeter.errors import Problem, Refusal
from ulcermeter.reference import Reference, ReferenceKind

if TYPE_CHECKING:
    from ulcermeter.protocol import Protocol

__all__ = ["ARUCO", "find_aruco", "find_markers", "refuse_mirrored"]

# A little more than the box: a marker that is boxed tightly keeps the ground round it (share of its side, assumption).
_BOX_MARGIN = 0.15
_FIRST_LONG_SIDE_PX = 1000
"""Of the shrunken photo: a marker of 10 mm at 12 px/mm on 4000 px is then 30 px, five a module."""
_MOST_SQUARES = 400
"""That are decoded, largest first: texture has thousands (assumption)."""
_LEAST_FITTED = 0.7
"""Share of borders that lie where the code has them: fewer is no square marker (assumption)."""
_SIMPLE_BORDERS = 12
"""Codes with fewer borders between their inner modules are so simple that icons on a cardboard box read as them. Of the
codes looked for only DICT_4X4_50's 17 is (8 borders)."""
_SIMPLE_LEAST_SIDE_PX, _SIMPLE_LEAST_FITTED = 60.0, 0.9
"""Such a code counts only where it is large enough to see its borders, and they lie where the code has them: an icon's
do not, and a smaller marker would fail the gates."""

_BENT_RATIO, _BENT_SHARE = 5.0, 5e-4
"""A marker counts as bent where its displacements explain the borders five times better than noise does (F with 12 and
some 30 degrees of freedom passes that once in 10,000 flat ones) and they are more than 0.05 % of its side."""
_POINTS_PER_BEND, _SIZE_PER_BEND = 3.0, 1.0
"""How far a bent marker's corners may be off, in root mean square displacements, and its size, in % per %: chosen on
120 drawn markers bent round 8 to 60 mm (98 % of the scales covered; with 5 and 8 fewer, as the tilt is lost);
`tests/studies/bent.py` reports on others."""


def find_aruco(
    photo: Photo,
    reference: Reference,
    *,
    region: Box | None,
    protocol: Protocol,
    lens: LensProfile | None = None,
) -> FoundReference | None:
    """Find the one marker on a photo, or inside the region.

    Parameters
    ----------
    photo : Photo
    reference : Reference
        Of kind `ARUCO`, with its size.
    region : Box or None
    protocol : Protocol
    lens : LensProfile or None

    Returns
    -------
    FoundReference or None
        None when nothing on the photo decodes.

    Raises
    ------
    Refusal
        Several markers without a region that tells which; a square that looks like a marker but carries no known
        code; a marker whose sides cannot be fitted.
    """
    markers = find_markers(photo, dictionary=reference.dictionary, region=region)
    if not markers:
        refuse_mirrored(photo, reference, region=region)
        _refuse_undecodable(photo, reference, region)
        return None
    if len(markers) > 1:
        raise _ambiguous(markers)
    marker = markers[0]
    fitted = fit_marker(photo.pixels, marker)
    if fitted is None or fitted.share_fitted < _LEAST_FITTED:
        raise Refusal(
            Problem(
                where=f"marker {marker.dictionary} id {marker.id}",
                expected="four straight sides from dark to bright",
                got="sides that cannot be followed",
                action="lay the marker flat, whole in the photo and in even light",
            )
        )
    assert reference.size_mm is not None
    return _found(reference, marker, fitted, protocol)


def find_markers(photo: Photo, *, dictionary: str | None, region: Box | None) -> list[Marker]:
    """Return all markers on a photo that decode, largest first.

    Parameters
    ----------
    photo : Photo
        Upright.
    dictionary : str or None
        Only this one, or the common ones.
    region : Box or None
        Only markers inside, with a little round it.

    Returns
    -------
    list of Marker
        Corners in photo px; none inside another.
    """
    pixels, origin = cropped(photo.pixels, region, margin_share=_BOX_MARGIN)
    first = max(round(max(pixels.shape[:2]) / _FIRST_LONG_SIDE_PX), 1)
    for factor in sorted({first, max(first // 2, 1)}, reverse=True):
        decoded = _decoded(shrunken_grey(pixels, factor), dictionary)
        placed = [replace(m, corners_px=(m.corners_px + 0.5) * factor - 0.5 + origin) for m in decoded]
        markers = [m for m in placed if dictionary or not _is_icon(photo, m)]
        if markers:
            return _without_nested(_of_larger_families(markers))
    return []


def _decoded(grey: NDArray[np.uint8], dictionary: str | None) -> list[Marker]:
    squares = find_squares(grey)[:_MOST_SQUARES]
    return [marker for square in squares if (marker := decode(grey, square, dictionary=dictionary)) is not None]


def _is_icon(photo: Photo, marker: Marker) -> bool:
    """Return whether a code is too simple to be believed and its borders do not bear it out."""
    bits = marker.bits.astype(np.int8)
    if int(np.abs(np.diff(bits, axis=0)).sum() + np.abs(np.diff(bits, axis=1)).sum()) >= _SIMPLE_BORDERS:
        return False
    side = float(np.sqrt(np.prod(np.ptp(marker.corners_px, axis=0))))
    fitted = fit_marker(photo.pixels, marker) if side >= _SIMPLE_LEAST_SIDE_PX else None
    return fitted is None or fitted.share_fitted < _SIMPLE_LEAST_FITTED


def _of_larger_families(markers: list[Marker]) -> list[Marker]:
    """Leave out codes of sixteen bits beside larger ones: patterns that are no marker read as them most easily."""
    larger = [marker for marker in markers if len(marker.bits) > 6]
    return larger or markers


def refuse_mirrored(photo: Photo, reference: Reference, *, region: Box | None) -> None:
    """Refuse a photo on which no marker decodes as it is printed, but one does in the mirror.

    Parameters
    ----------
    photo : Photo
    reference : Reference
        Of any kind that carries markers; its `dictionary` is kept to.
    region : Box or None

    Raises
    ------
    Refusal
    """
    pixels, origin = cropped(photo.pixels, region, margin_share=_BOX_MARGIN)
    flipped = replace(photo, pixels=np.ascontiguousarray(pixels[:, ::-1]))
    markers = find_markers(flipped, dictionary=reference.dictionary, region=None)
    if markers:
        x, y = markers[0].corners_px.mean(axis=0)
        raise Refusal(
            Problem(
                where=f"reference {reference}",
                expected="a marker as it is printed",
                got=f"{markers[0].dictionary} id {markers[0].id} mirrored "
                f"at ({origin[0] + pixels.shape[1] - 1 - x:.0f}, {origin[1] + y:.0f})",
                action="take the photo without a mirror and without the mirroring of a front camera, or hand it in "
                "as it was taken",
            )
        )


def _refuse_undecodable(photo: Photo, reference: Reference, region: Box | None) -> None:
    """Refuse a photo on which a square looks like a marker; nothing is said about a photo without one."""
    pixels, origin = cropped(photo.pixels, region, margin_share=_BOX_MARGIN)
    factor = max(round(max(pixels.shape[:2]) / _FIRST_LONG_SIDE_PX), 1)
    grey = shrunken_grey(pixels, factor)
    for square in find_squares(grey)[:_MOST_SQUARES]:
        if resembles_marker(grey, square):
            x, y = (square.mean(axis=0) + 0.5) * factor - 0.5 + origin
            known = reference.dictionary or "a common dictionary (7X7, 6X6, 5X5, 4X4_50, AprilTag)"
            raise Refusal(
                Problem(
                    where=f"reference {reference}",
                    expected=f"a marker of {known}",
                    got=f"a dark square at ({x:.0f}, {y:.0f}) whose code is not in it",
                    action="state the marker's own dictionary, or use a printed marker that is flat, whole, in focus "
                    "and without glare",
                )
            )


def _without_nested(markers: list[Marker]) -> list[Marker]:
    """Leave out what lies inside another marker: its modules can look like a small marker."""
    kept: list[Marker] = []
    for marker in sorted(markers, key=lambda m: -float(np.ptp(m.corners_px, axis=0).max())):
        centre = marker.corners_px.mean(axis=0)
        inside = [(centre > k.corners_px.min(axis=0)).all() and (centre < k.corners_px.max(axis=0)).all() for k in kept]
        if not any(inside):
            kept.append(marker)
    return kept


def _ambiguous(markers: list[Marker]) -> Refusal:
    places = "; ".join(
        f"{m.dictionary} id {m.id} at ({m.corners_px[:, 0].mean():.0f}, {m.corners_px[:, 1].mean():.0f})"
        for m in markers[:6]
    )
    return Refusal(
        Problem(
            where="reference",
            expected="one marker",
            got=f"{len(markers)} ({places})",
            action="point at one with a reference box, or photograph one alone",
        )
    )


def _found(reference: Reference, marker: Marker, fitted: MarkerFit, protocol: Protocol) -> FoundReference:
    modules, size_mm = len(marker.bits), reference.size_mm
    assert size_mm is not None
    with_margin = (UNIT_SQUARE - 0.5) * (1 + 2 / modules) + 0.5
    found = FoundReference(
        reference=replace(reference, dictionary=marker.dictionary),
        points_px=fitted.corners_px,
        points_mm=UNIT_SQUARE * size_mm,
        covariance_px2=fitted.covariance_px2,
        outline_px=transform_points(square_to_quad(fitted.corners_px[None])[0], with_margin),
    )
    return _as_bent(found, marker, fitted.bending, size_mm, protocol)


def _as_bent(
    found: FoundReference, marker: Marker, bending: Bending | None, size_mm: float, protocol: Protocol
) -> FoundReference:
    """Refuse a marker that is bent too far, and widen the points of one that is bent a little; a flat one stays."""
    if bending is None or bending.ratio < _BENT_RATIO or bending.share < _BENT_SHARE:
        return found
    share_pct, limit_pct = 100 * bending.share, protocol.calibration.marker_bend_max_pct
    if share_pct > limit_pct:
        raise Refusal(
            Problem(
                where=f"marker {marker.dictionary} id {marker.id}",
                expected="borders that lie as a flat marker's do",
                got=f"them off by {share_pct:.1f} % of its side (limit {limit_pct:g} %): it is bent or curled",
                action="lay it flat, on a stiff backing, and not round the finger",
            )
        )
    off_mm = bending.share * size_mm
    return replace(
        found,
        point_sd_mm=float(np.hypot(protocol.calibration.reference_point_sd_mm, _POINTS_PER_BEND * off_mm)),
        size_sd_pct=float(np.hypot(protocol.calibration.reference_size_sd_pct, _SIZE_PER_BEND * share_pct)),
        warnings=(*found.warnings, Note(NoteKind.MARKER_BENT, (share_pct,))),
    )


ARUCO = KindOfReference(
    find_aruco,
    "lay the printed marker beside the ulcer, flat, whole, in focus and with its white margin",
    held_against=(ReferenceKind.CARD,),
)
