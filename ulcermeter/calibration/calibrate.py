"""Choose the reference on a photo and calibrate by it."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

import numpy as np

from ulcermeter.calibration.consistency import refuse_contradiction
from ulcermeter.calibration.geometry.camera import camera_prior, lens_matches
from ulcermeter.calibration.geometry.plane import fit_plane, seeded_generator
from ulcermeter.calibration.geometry.pose import Level
from ulcermeter.calibration.references.aruco import find_markers, refuse_mirrored
from ulcermeter.calibration.references.reference import FoundReference
from ulcermeter.calibration.references.registry import REFERENCES
from ulcermeter.calibration.references.stated_scale import stated_scale
from ulcermeter.datatypes import Box, Calibration, LensProfile, Note, NoteKind, Photo, Points, undistorted
from ulcermeter.errors import Problem, Refusal
from ulcermeter.protocol import Protocol, default_protocol
from ulcermeter.reference import Reference, ReferenceKind, parse_reference

__all__ = ["calibrate"]


def calibrate(
    photo: Photo,
    *,
    reference: str = "auto",
    reference_on: str = "skin",
    protocol: Protocol | None = None,
    region: Box | None = None,
    lens: LensProfile | None = None,
) -> Calibration:
    """Find the reference on a photo and calibrate by it.

    Parameters
    ----------
    photo : Photo
    reference : str
        ``card``, ``aruco:MM``, ``aruco:MM:DICTIONARY``, ``disc:MM``, ``id1``, ``ruler``, ``scale:PX_PER_MM`` or
        ``auto`` (the protocol's `references_auto`, in that order; the first that is found counts).
    reference_on : {'skin', 'table'}
        Level with the ulcer, or on the table that the finger lies on.
    protocol : Protocol or None
        None takes MANUS.
    region : (x, y, width, height) or None
        Box round the reference, photo pixels: where to look.
    lens : LensProfile or None
        Used when its make, model and focal length are the photo's; otherwise a warning says that it was not.

    Returns
    -------
    Calibration

    Raises
    ------
    Refusal
        A wrong text; no such reference on the photo, or more than one; one that cannot be used.
    """
    protocol = protocol or default_protocol()
    if reference_on not in ("skin", "table"):
        raise Refusal(
            Problem(
                where="reference_on",
                expected="skin or table",
                got=f"'{reference_on}'",
                action="say where the reference lies",
            )
        )
    requested = parse_reference(reference)
    if requested.kind is ReferenceKind.SCALE:
        return stated_scale(photo, requested, reference_on=reference_on)
    notes: tuple[Note, ...] = ()
    if lens is not None and not lens_matches(photo, lens):
        lens, notes = None, (Note(NoteKind.LENS_NOT_USED),)
    find = _find_any if requested.kind is ReferenceKind.AUTO else _find_one
    found = find(photo, requested, region=region, protocol=protocol, lens=lens)
    calibration = _calibrated(photo, found, reference_on=reference_on, protocol=protocol, lens=lens, warnings=notes)
    for kind in REFERENCES[found.reference.kind].held_against:
        with suppress(Refusal):
            other = _find(photo, Reference(kind), region=None, protocol=protocol, lens=lens)
            if other is None:
                continue
            second = _calibrated(photo, other, reference_on=reference_on, protocol=protocol, lens=lens)
            break
    else:
        return calibration
    refuse_contradiction(calibration, second)
    return calibration


def _find(
    photo: Photo, requested: Reference, *, region: Box | None, protocol: Protocol, lens: LensProfile | None
) -> FoundReference | None:
    return REFERENCES[requested.kind].find(photo, requested, region=region, protocol=protocol, lens=lens)


def _find_one(
    photo: Photo, requested: Reference, *, region: Box | None, protocol: Protocol, lens: LensProfile | None
) -> FoundReference:
    found = _find(photo, requested, region=region, protocol=protocol, lens=lens)
    if found is None:
        if requested.kind is ReferenceKind.CARD:
            refuse_mirrored(photo, requested, region=region)
        raise Refusal(
            Problem(
                where=f"reference {requested}",
                expected="one on the photo",
                got="none",
                action=REFERENCES[requested.kind].advice,
            )
        )
    return found


def _find_any(
    photo: Photo, requested: Reference, *, region: Box | None, protocol: Protocol, lens: LensProfile | None
) -> FoundReference:
    """Return the first reference of the protocol's list that the photo shows."""
    texts = protocol.calibration.references_auto
    for text in texts:
        found = _find(photo, parse_reference(text), region=region, protocol=protocol, lens=lens)
        if found is not None:
            return found
    markers = find_markers(photo, dictionary=None, region=region)
    if markers:
        raise Refusal(
            Problem(
                where="reference auto",
                expected=f"one of {', '.join(texts)}",
                got=f"a marker {markers[0].dictionary} of unknown size",
                action="state it as aruco:MM, the side of its black square",
            )
        )
    refuse_mirrored(photo, requested, region=region)
    raise Refusal(
        Problem(
            where="reference auto",
            expected=f"one of {', '.join(texts)} on the photo",
            got="none",
            action="lay a reference beside the ulcer, or state its kind and size",
        )
    )


def _calibrated(
    photo: Photo,
    found: FoundReference,
    *,
    reference_on: str,
    protocol: Protocol,
    lens: LensProfile | None,
    warnings: tuple[Note, ...] = (),
) -> Calibration:
    shape = (photo.pixels.shape[0], photo.pixels.shape[1])
    camera = camera_prior(photo, protocol=protocol, lens=lens)
    straight = partial(undistorted, lens=lens, shape=shape)
    point_sd_mm = protocol.calibration.reference_point_sd_mm if found.point_sd_mm is None else found.point_sd_mm
    size_sd_pct = protocol.calibration.reference_size_sd_pct if found.size_sd_pct is None else found.size_sd_pct
    points_mm = _aligned_with_photo(found.points_px, found.points_mm)
    gravity = photo.camera.down if reference_on == "table" else None
    plane = fit_plane(
        straight(found.points_px),
        points_mm,
        found.covariance_px2,
        starts_px=tuple(straight(points) for points in found.starts_px),
        camera=camera,
        shape=shape,
        point_sd_mm=float(point_sd_mm),
        size_sd_pct=float(size_sd_pct),
        level_sd_deg=protocol.calibration.reference_level_sd_deg,
        tilt_scale_deg=protocol.calibration.tilt_scale_deg,
        level=None if gravity is None else Level(gravity, protocol.calibration.table_level_scale_deg),
        n_draws=protocol.measurement.monte_carlo_draws,
        rng=seeded_generator(photo.sha256, "calibration"),
    )
    return Calibration(
        pixel_to_mm=plane.pixel_to_mm,
        draws=plane.draws,
        reference=found.reference,
        reference_on=reference_on,
        points_px=found.points_px,
        points_mm=points_mm,
        points_covariance_px2=found.covariance_px2,
        reference_outline_px=found.outline_px,
        reprojection_mm=plane.reprojection_mm,
        tilt_deg=plane.tilt_deg,
        distance_mm=plane.distance_mm,
        distance_sd_mm=plane.distance_sd_mm,
        verified=True,
        shape=shape,
        lens=lens,
        warnings=(*found.warnings, *camera.warnings, *warnings),
    )


def _aligned_with_photo(points_px: Points, points_mm: Points) -> Points:
    """Return the points with the plane's axes turned along the photo's.

    How the reference happens to lie says nothing of the finger, and a plane askew to the photo makes every rectified
    window larger than what the photo shows.
    """
    observed, known = points_px - points_px.mean(axis=0), points_mm - points_mm.mean(axis=0)
    angle = np.arctan2((known[:, 0] * observed[:, 1] - known[:, 1] * observed[:, 0]).sum(), (known * observed).sum())
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.asarray(points_mm @ np.array([[cosine, sine], [-sine, cosine]]))
