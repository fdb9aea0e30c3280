"""Where the finger lies: its outline, axis, tip and thickness, and so the place of an ulcer on it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Calibration, Finger, RectifiedPhoto
from ulcermeter.finger.mask import TRIES, CoarsePhoto, coarse_photo, extend_mask, finger_mask
from ulcermeter.finger.shape import AsSeen, read_shape
from ulcermeter.finger.solid import stand_up
from ulcermeter.protocol import Protocol, read_protocol

__all__ = ["finger_coordinates", "locate_finger"]

# Faintest fifth of the outline, CIE 1976: over it no second try is made. An edge of shadow on wood lies below 12.
_CLEAR = 20.0


def locate_finger(
    rectified: RectifiedPhoto,
    *,
    near_px: tuple[float, float] | NDArray[np.floating] | None = None,
    side: str = "",
    protocol: Protocol | None = None,
) -> Finger | None:
    """Find the finger under a point of the photo.

    Colour parts finger and ground (k-means in Lab seeded round the point, then GrabCut) on a copy of the photo at about
    0.45 mm a pixel, 45 mm round the point and not only in the rectified window; the reference's own pixels count
    neither way. Sides and round end say where it lies; a tapered solid with a round cap, under the camera, is then
    fitted to the edges of the photo itself. It lies on the table, or its top is level with a reference on the skin.

    Parameters
    ----------
    rectified : RectifiedPhoto
    near_px : (float, float), optional
        A point on the finger in photo pixels: the ulcer, a click. Default the photo's centre.
    side : str
        The view, passed through.
    protocol : Protocol, optional
        Limits of a plausible finger (``finger_...``); default MANUS.

    Returns
    -------
    Finger or None
        None rather than a wild one: no tip in view, width or length that no finger has, sides not straight.
    """
    rules = protocol or read_protocol()
    calibration = rectified.calibration
    rows, cols = rectified.photo.pixels.shape[:2]
    near = np.array([(cols - 1) / 2, (rows - 1) / 2]) if near_px is None else np.asarray(near_px, dtype=np.float64)
    coarse = coarse_photo(rectified, near)
    if coarse is None:
        return None
    best: AsSeen | None = None
    for lightness, ground in TRIES:
        observed = _see(coarse, calibration, finger_mask(coarse, lightness=lightness, ground=ground), near, rules)
        if observed is not None and (best is None or observed.faintest > best.faintest):
            best = observed
        if best is not None and best.faintest > _CLEAR:
            break
    if best is None:
        return None
    pixels = rectified.photo.pixels
    return stand_up(best, coarse, pixels, calibration, near_mm=calibration.to_mm(near)[0], side=side)


def _see(
    coarse: CoarsePhoto,
    calibration: Calibration,
    mask: NDArray[np.bool_],
    near: NDArray[np.float64],
    rules: Protocol,
) -> AsSeen | None:
    observed = read_shape(mask, coarse, calibration, near_px=near, protocol=rules)
    if observed is None:
        return None
    # A nail is another colour than skin: offer the place before the first tip once more, as a likely finger.
    longer = extend_mask(mask, coarse, _before_tip(observed, coarse, calibration))
    again = read_shape(longer, coarse, calibration, near_px=near, protocol=rules)
    return again if again is not None and _shows_a_nail(observed, again) else observed


def _shows_a_nail(observed: AsSeen, longer: AsSeen) -> bool:
    """Say whether the longer finger gained a nail, 4 mm or more with a clearer end, and not a shadow."""
    gained_mm = float(observed.axis @ (observed.tip_mm - longer.tip_mm))
    return gained_mm > 4.0 and longer.tip_contrast > observed.tip_contrast


def _before_tip(observed: AsSeen, coarse: CoarsePhoto, calibration: Calibration) -> NDArray[np.float64]:
    """Return the corners (4, 2), in the coarse photo's pixels, of the strip that a nail before the tip would fill."""
    reach, half = 1.6 * observed.radius_mm, 0.75 * observed.radius_mm
    corners = np.array([[-reach, -half], [-reach, half], [reach, half], [reach, -half]])
    return coarse.from_photo_px(calibration.to_px(observed.to_plane(corners)))


def finger_coordinates(
    finger: Finger, points_mm: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return s, its sd, t, its sd (each (K,), mm) of plane points (K, 2) as seen: see `Finger.coordinates`."""
    s, s_sd, t, t_sd = finger.coordinates(points_mm)
    return s, s_sd, t, t_sd
