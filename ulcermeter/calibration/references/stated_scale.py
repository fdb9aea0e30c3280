"""A scale that was known beforehand: stated, not seen."""

from __future__ import annotations

import numpy as np

from ulcermeter.datatypes import Calibration, Note, NoteKind, Photo
from ulcermeter.reference import Reference

__all__ = ["stated_scale"]


def stated_scale(photo: Photo, reference: Reference, *, reference_on: str) -> Calibration:
    """Return the calibration of a stated scale: the photo itself is the plane, seen square on.

    Nothing on the photo vouches for it, so there are no draws, its error is not a number, and it is not verified.

    Parameters
    ----------
    photo : Photo
        For its size.
    reference : Reference
        Of kind `SCALE`.
    reference_on : {'skin', 'table'}
        As stated.

    Returns
    -------
    Calibration
        Not verified; tilt, distance and errors NaN.
    """
    assert reference.px_per_mm is not None
    nan = float("nan")
    return Calibration(
        pixel_to_mm=np.diag([1 / reference.px_per_mm, 1 / reference.px_per_mm, 1.0]),
        draws=np.empty((0, 3, 3)),
        reference=reference,
        reference_on=reference_on,
        points_px=np.empty((0, 2)),
        points_mm=np.empty((0, 2)),
        points_covariance_px2=np.empty((0, 0)),
        reference_outline_px=np.empty((0, 2)),
        reprojection_mm=nan,
        tilt_deg=nan,
        distance_mm=nan,
        distance_sd_mm=nan,
        verified=False,
        shape=(photo.pixels.shape[0], photo.pixels.shape[1]),
        warnings=(Note(NoteKind.SCALE_STATED),),
    )
