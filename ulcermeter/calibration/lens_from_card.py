"""A lens measured from photos of the card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from ulcermeter.calibration.references.printed_card import find_card
from ulcermeter.datatypes import CameraInfo, LensProfile, Photo, Points
from ulcermeter.errors import Problem, Refusal
from ulcermeter.protocol import Protocol
from ulcermeter.reference import Reference, ReferenceKind

__all__ = ["fit_lens", "fit_lens_to_corners"]

_LEAST_PHOTOS = 6
"""Each photo adds six unknowns of its own pose; from so many on the lens's numbers come apart (assumption)."""
_LEAST_CORNERS = 24
"""Of the card's on a photo: a quarter, over two directions (assumption)."""
_LARGEST_FOCAL_SD = 0.02
"""Of the focal length: a profile that is less sure tells no more than EXIF does (assumption)."""
_LARGEST_RMS_SHARE = 4e-4
"""Of the longer side: 1.6 px of 4000; beyond it the card was bent or the photos are not of one lens."""

_FOCAL_GUESS = 0.75
"""Focal length over the longer side from which the fit starts: a phone's main camera has about that (27 mm of 36)."""
_LEAST_FOCAL_SD = 0.005
"""Of the focal length: focusing changes it a little from photo to photo, so it is never surer (assumption)."""


def fit_lens(photos: Sequence[Photo], *, protocol: Protocol) -> LensProfile:
    """Measure a lens.

    Parameters
    ----------
    photos : sequence of Photo
        A dozen of the card, by one camera at one focal length, turned and tilted every way, over the whole frame.
    protocol : Protocol

    Returns
    -------
    LensProfile

    Raises
    ------
    Refusal
        Photos of different cameras or sizes; too few that show the card; photos too much alike.
    """
    # Which way is down differs from photo to photo, and says nothing of the lens.
    kinds = {(replace(p.camera, down=None), p.pixels.shape[:2]) for p in photos}
    if len(kinds) > 1:
        raise Refusal(
            Problem(
                where="lens",
                expected="photos of one camera, one focal length and one orientation",
                got=f"{len(kinds)} kinds",
                action="take all with the same phone held the same way up, without zooming",
            )
        )
    views, missed = [], []
    for photo in photos:
        try:
            found = find_card(photo, Reference(ReferenceKind.CARD), region=None, protocol=protocol)
        except Refusal:
            found = None
        if found is None or len(found.points_px) < _LEAST_CORNERS:
            missed.append(photo.path.name)
        else:
            views.append((found.points_px, found.points_mm))
    if len(views) < _LEAST_PHOTOS:
        missing = f" (not on {', '.join(missed[:6])})" if missed else ""
        raise Refusal(
            Problem(
                where="lens",
                expected=f"the card on at least {_LEAST_PHOTOS} photos",
                got=f"{len(views)}{missing}",
                action="take 12 with the whole card flat and sharp",
            )
        )
    return fit_lens_to_corners(views, shape=photos[0].pixels.shape[:2], camera=photos[0].camera)


def fit_lens_to_corners(
    views: Sequence[tuple[Points, Points]], *, shape: tuple[int, ...], camera: CameraInfo
) -> LensProfile:
    """Measure a lens from points of a plane.

    Parameters
    ----------
    views : sequence of (float64 (K, 2), float64 (K, 2))
        The points on each photo, px, and in the plane, mm.
    shape : (int, int)
        Rows and columns of the photos.
    camera : CameraInfo
        What the profile is for.

    Returns
    -------
    LensProfile
        Lengths over the photo's longer side.

    Raises
    ------
    Refusal
        The points do not fit one lens, or do not tell its focal length.
    """
    rows, cols = shape[:2]
    longer = float(max(rows, cols))
    plane = [np.column_stack([mm, np.zeros(len(mm))]).astype(np.float32) for _, mm in views]
    pixels = [px.astype(np.float32) for px, _ in views]
    start = np.array(
        [[_FOCAL_GUESS * longer, 0, (cols - 1) / 2], [0, _FOCAL_GUESS * longer, (rows - 1) / 2], [0, 0, 1]]
    )
    flags = cv2.CALIB_USE_INTRINSIC_GUESS | cv2.CALIB_FIX_ASPECT_RATIO | cv2.CALIB_FIX_K3
    rms, matrix, distortion, _, _, sds, _, _ = cv2.calibrateCameraExtended(
        plane, pixels, (cols, rows), start, np.zeros(5), flags=flags
    )
    focal, sd = float(matrix[0, 0]), float(np.max(np.ravel(sds)[:2]))
    if rms > _LARGEST_RMS_SHARE * longer:
        raise Refusal(
            Problem(
                where="lens",
                expected=f"the card's corners to fit one lens to {_LARGEST_RMS_SHARE * longer:.1f} px",
                got=f"{rms:.1f} px",
                action="keep the card flat and do not zoom between photos",
            )
        )
    if not sd < _LARGEST_FOCAL_SD * focal:
        raise Refusal(
            Problem(
                where="lens",
                expected=f"the focal length to {100 * _LARGEST_FOCAL_SD:g} %",
                got=f"{100 * sd / focal:.1f} %",
                action="tilt the phone by 20-40° to every side between photos",
            )
        )
    return LensProfile(
        camera=camera,
        focal_rel=focal / longer,
        focal_rel_sd=max(sd, _LEAST_FOCAL_SD * focal) / longer,
        centre_rel=((matrix[0, 2] - (cols - 1) / 2) / longer, (matrix[1, 2] - (rows - 1) / 2) / longer),
        distortion=tuple(float(value) for value in np.ravel(distortion)[:5]),
        n_photos=len(views),
        rms_px=float(rms),
    )
