"""A finger as seen, by colour alone: where the network makes out no tip."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Calibration
from ulcermeter.finger.mask import CoarsePhoto, extend_mask, finger_masks
from ulcermeter.finger.shape import ObservedFinger, read_shape
from ulcermeter.protocol import Protocol

__all__ = ["CLEAR", "see_by_colour"]

Floats = NDArray[np.float64]

# Faintest fifth of the outline, CIE 1976: over it no second try is made. An edge of shadow on wood lies below 12.
CLEAR = 20.0
# What a nail adds at least, mm; and how far before the first tip it may reach and how broad it is, in radii
# (assumption).
_LEAST_NAIL_MM = 4.0
_NAIL_REACH, _NAIL_HALF = 1.6, 0.75


def see_by_colour(
    coarse: CoarsePhoto, calibration: Calibration, *, near_px: Floats, protocol: Protocol
) -> ObservedFinger | None:
    """Part finger and ground by colour and read the finger's sides and round end.

    k-means in Lab seeded round the point, then GrabCut, on a copy of the photo at about 0.45 mm a pixel, 45 mm round
    the point; the reference's own pixels count neither way.

    Parameters
    ----------
    coarse : CoarsePhoto
    calibration : Calibration
        From photo pixels to millimetres.
    near_px : float64 (2,)
        The given point, photo pixels (x, y).
    protocol : Protocol
        For ``finger_...``.

    Returns
    -------
    ObservedFinger or None
        None where no finger can be told from the ground by colour.
    """
    best: ObservedFinger | None = None
    for mask in finger_masks(coarse):
        observed = _with_nail(coarse, calibration, mask, near_px=near_px, protocol=protocol)
        if observed is not None and (best is None or observed.faintest > best.faintest):
            best = observed
        if best is not None and best.faintest > CLEAR:
            break
    return best


def _with_nail(
    coarse: CoarsePhoto, calibration: Calibration, mask: NDArray[np.bool_], *, near_px: Floats, protocol: Protocol
) -> ObservedFinger | None:
    observed = read_shape(mask, coarse, calibration, near_px=near_px, protocol=protocol)
    if observed is None:
        return None
    # A nail is another colour than skin: offer the place before the first tip once more, as a likely finger.
    longer = extend_mask(mask, coarse, _before_tip(observed, coarse, calibration))
    again = read_shape(longer, coarse, calibration, near_px=near_px, protocol=protocol)
    return again if again is not None and _shows_a_nail(observed, again) else observed


def _shows_a_nail(observed: ObservedFinger, longer: ObservedFinger) -> bool:
    """Say whether the longer finger gained a nail, 4 mm or more with a clearer end, and not a shadow."""
    gained_mm = float(observed.axis @ (observed.tip_mm - longer.tip_mm))
    return gained_mm > _LEAST_NAIL_MM and longer.tip_contrast > observed.tip_contrast


def _before_tip(observed: ObservedFinger, coarse: CoarsePhoto, calibration: Calibration) -> Floats:
    """Return the corners (4, 2), in the coarse photo's pixels, of the strip that a nail before the tip would fill."""
    reach, half = _NAIL_REACH * observed.radius_mm, _NAIL_HALF * observed.radius_mm
    corners = np.array([[-reach, -half], [-reach, half], [reach, half], [reach, -half]])
    return coarse.from_photo_px(calibration.to_px(observed.to_plane(corners)))
