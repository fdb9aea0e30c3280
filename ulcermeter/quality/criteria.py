"""Six quality criteria of a photo, after the study of patients' phone photos (doi 10.1093/rap/rkac105).

The study had people judge whether a photo is in focus, without shadow, evenly lit, with the reference in place, the
reference square to the camera and the ulcer centred. Its limits are not published, so each is an assumption of the
protocol. The criteria are told and refuse nothing: the gates do that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Calibration, Finger, Photo, Points
from ulcermeter.datatypes.light import SRGB_TO_LINEAR

if TYPE_CHECKING:
    from ulcermeter.protocol import Protocol

__all__ = ["judge_quality"]

# Light is read off the end two phalanges, on a copy of so many mm a pixel.
_REACH_MM = 30.0
_SPACING_MM = 0.5
"""Of the copy, mm a pixel: pores and ridges are averaged away, a shadow's edge is not (assumption)."""
_FINEST_STEP = 4
"""Photo pixels to a pixel of the copy that are enough for its mean."""
# Nearer to the finger's outline than this share of its half width, and at its very tip, roundness darkens the skin.
_RIM_SHARE = 0.3
_TIP_MM = 3.0
"""From the tip, where the skin turns away from the light, mm (assumption)."""
# Linear light that darker pixels count as: its logarithm is taken, and below it is noise (assumption).
_DARKEST = 1e-3
# Seen from the back, so much from the tip is nail and the fold behind it, brighter than skin in the same light.
_NAIL_MM = 15.0
# An ulcer is of another colour than skin, and a reference throws its shadow on what lies beside it.
_ROUND_ULCER_MM = 1.5
_ROUND_REFERENCE_MM = 2.0
"""Of a reference, mm: its shadow at 45 degrees if it is as thick (assumption)."""
_STEP_MM = 3.0
"""Between the two places of skin that are compared, mm: a shadow's edge is sharper, roundness is not (assumption)."""
# Light and shadow leave the colour nearly as it is: R/G and R/B change by less than this ratio, though shade on skin is
# a little redder (its light spreads farthest) and under the sky bluer. Another ulcer or a scar changes it more.
_SAME_COLOUR = 1.5
_BURNT = 250
"""8-bit level from which a pixel may be clipped and tells nothing of the light (assumption)."""
_LEAST_MM2, _LEAST_CELL_MM2 = 30.0, 3.0
"""Of skin in all, and in one of the six parts, mm²: less tells nothing of the light (assumption)."""
_WEIGHTS = (0.2126, 0.7152, 0.0722)
"""Luminance from linear sRGB (IEC 61966-2-1)."""


def judge_quality(
    photo: Photo,
    calibration: Calibration,
    *,
    finger: Finger | None,
    outlines: Sequence[Points],
    place_px: NDArray[np.floating] | None,
    focus: float,
    protocol: Protocol,
) -> dict[str, str]:
    """Judge a photo by the six criteria.

    Parameters
    ----------
    photo : Photo
    calibration : Calibration
    finger : Finger or None
        Without one the light is not judged.
    outlines : sequence of float64 (K, 2)
        The ulcers, photo px, largest first.
    place_px : float (2,) or None
        The largest ulcer's middle, else the click; photo px (x, y). None: nothing says where the ulcer is.
    focus : float
        1/mm at the ulcer, see `ulcermeter.quality.focus.measure_focus`; NaN where it was not judged.
    protocol : Protocol
        For the limits ``quality_...``.

    Returns
    -------
    dict of str to str
        Columns ``quality_...`` of the table ``photos``: yes, no, or empty when not determined.
        *no_shadow*: of the places of skin 3 mm apart (0.5 mm copy, linear luminance, the finger's rim, ulcers and
        reference left out), a share of at most ``quality_shadow_share_max`` differs by ``quality_shadow_step`` or more
        and is of one colour. *even_light*: the median luminance of six parts, either side of the finger's middle in
        three thirds of its seen length, differs by a ratio of at most ``quality_light_ratio_max`` between any two of
        one colour. Source: assumption.
    """
    parts = _light(photo, calibration, finger, outlines) if finger is not None else None
    verified, square = calibration.verified, calibration.tilt_deg <= protocol.quality.quality_tilt_max_deg
    return {
        "quality_in_focus": "" if math.isnan(focus) else _yes_or_no(focus >= protocol.quality.quality_focus_min),
        "quality_no_shadow": "" if parts is None else _yes_or_no(_no_shadow(*parts, protocol)),
        "quality_even_light": "" if parts is None else _even(*parts, protocol),
        "quality_reference_present": "yes" if verified else "",
        "quality_reference_square": _yes_or_no(square) if verified else "",
        "quality_ulcer_centred": "" if place_px is None else _yes_or_no(_centred(photo, place_px, protocol)),
    }


def _yes_or_no(answer: bool) -> str:
    return "yes" if answer else "no"


def _centred(photo: Photo, place_px: NDArray[np.floating], protocol: Protocol) -> bool:
    size = np.array([photo.pixels.shape[1], photo.pixels.shape[0]])
    off = np.abs((np.asarray(place_px) + 0.5) / size - 0.5)
    return bool((off <= protocol.quality.quality_off_centre_max).all())


def _light(
    photo: Photo, calibration: Calibration, finger: Finger, outlines: Sequence[Points]
) -> tuple[NDArray[np.float32], NDArray[np.int8]] | None:
    """Return the finger at 0.5 mm a pixel: ln of luminance, R/G and R/B (M, N, 3), and parts (M, N).

    Parts are 0 where nothing counts, 1..6 by side and third.

    None where the photo shows too little skin.
    """
    tip, axis = np.asarray(finger.tip_mm), np.asarray(finger.axis)
    start, end = calibration.to_px(np.array([tip, tip + _REACH_MM * axis]))
    px_per_mm = float(np.hypot(*(end - start))) / _REACH_MM
    outline = calibration.to_px(finger.outline_mm)
    rows, cols = photo.pixels.shape[:2]
    low = np.clip(np.floor(outline.min(axis=0)), 0, [cols - 1, rows - 1]).astype(int)
    high = np.clip(np.ceil(outline.max(axis=0)) + 1, low + 1, [cols, rows]).astype(int)
    # A few pixels for each of the copy's are enough for a mean.
    stride = max(int(px_per_mm * _SPACING_MM / _FINEST_STEP), 1)
    crop = np.ascontiguousarray(photo.pixels[low[1] : high[1] : stride, low[0] : high[0] : stride])
    size = [max(round(n * stride / px_per_mm / _SPACING_MM), 1) for n in (crop.shape[1], crop.shape[0])]
    coarse = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
    scale = np.array(size) / (high - low)

    def to_coarse(points: NDArray[np.floating]) -> Points:
        return np.asarray((np.asarray(points, dtype=np.float64) - low + 0.5) * scale - 0.5)

    distance, side = _middle(
        coarse.shape[:2],
        to_coarse(outline),
        to_coarse(np.array([start, end])),
        start_mm=_NAIL_MM if finger.side == "dorsal" else _TIP_MM,
    )
    _leave_out(distance, [to_coarse(o) for o in outlines], _ROUND_ULCER_MM)
    _leave_out(distance, [to_coarse(calibration.reference_outline_px)], _ROUND_REFERENCE_MM)
    distance[coarse.max(axis=2) >= _BURNT] = np.nan
    counted = np.isfinite(distance)
    if np.count_nonzero(counted) * _SPACING_MM**2 < _LEAST_MM2:
        return None
    low, high = distance[counted].min(), distance[counted].max()
    third = np.clip(np.nan_to_num(3 * (distance - low) / max(high - low, 1.0)).astype(np.int8), 0, 2)
    parts = np.where(counted, 1 + third + 3 * (side > 0), 0).astype(np.int8)
    red, green, blue = cv2.split(np.maximum(cv2.LUT(coarse, SRGB_TO_LINEAR), _DARKEST))
    luminance = _WEIGHTS[0] * red + _WEIGHTS[1] * green + _WEIGHTS[2] * blue
    return np.log(np.stack([luminance, red / green, red / blue], axis=-1)), parts


def _middle(
    shape: tuple[int, ...], outline: Points, axis: Points, *, start_mm: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return for each pixel its distance along the axis from the finger's seen tip, in pixels, and its side.

    Distance is NaN where the pixel does not count: off the finger, in its rim, before `start_mm` or beyond the axis'
    end. The side is of the finger's middle line, which is read off the outline slice by slice.
    """
    inside = np.zeros((shape[0], shape[1]), dtype=np.uint8)
    cv2.fillPoly(inside, [np.rint(outline).astype(np.int32)], 1)
    y, x = np.nonzero(inside)
    forward = (axis[1] - axis[0]) / np.hypot(*(axis[1] - axis[0]))
    offset = np.column_stack([x, y]) - axis[0]
    along, transverse = offset @ forward, offset @ np.array([-forward[1], forward[0]])
    along_from_tip = along - (along.min() if len(along) else 0.0)
    slices = along_from_tip.astype(int)
    width = np.bincount(slices)
    side = transverse - (np.bincount(slices, transverse) / np.maximum(width, 1))[slices]
    counts = np.abs(side) <= (1 - _RIM_SHARE) * width[slices] / 2
    counts &= (along_from_tip >= start_mm / _SPACING_MM) & (along_from_tip <= _REACH_MM / _SPACING_MM)
    distance, sides = np.full(inside.shape, np.nan), np.zeros(inside.shape)
    distance[y[counts], x[counts]] = along_from_tip[counts]
    sides[y, x] = side
    return distance, sides


def _leave_out(distance: NDArray[np.float64], polygons: Sequence[Points], margin_mm: float) -> None:
    out = np.zeros(distance.shape, dtype=np.uint8)
    for polygon in polygons:
        if len(polygon):
            points = [np.rint(polygon).astype(np.int32)]
            cv2.fillPoly(out, points, 1)
            cv2.polylines(out, points, True, 1, thickness=max(2 * round(margin_mm / _SPACING_MM), 1))
    distance[out > 0] = np.nan


def _no_shadow(light: NDArray[np.float32], parts: NDArray[np.int8], protocol: Protocol) -> bool:
    apart, least = round(_STEP_MM / _SPACING_MM), math.log(protocol.quality.quality_shadow_step)
    steps = pairs = 0
    for turned, counted in ((light, parts > 0), (light.transpose(1, 0, 2), (parts > 0).T)):
        both = counted[apart:] & counted[:-apart]
        change = np.abs(turned[apart:] - turned[:-apart])[both]
        steps += int(np.count_nonzero((change[:, 0] >= least) & _one_colour(change)))
        pairs += len(change)
    return steps <= protocol.quality.quality_shadow_share_max * pairs


def _one_colour(change: NDArray[np.floating]) -> NDArray[np.bool_]:
    return np.asarray(change[..., 1:].max(axis=-1) <= math.log(_SAME_COLOUR))


def _even(light: NDArray[np.float32], parts: NDArray[np.int8], protocol: Protocol) -> str:
    cells = [light[parts == part] for part in range(1, 7)]
    medians = np.array([np.median(cell, axis=0) for cell in cells if len(cell) * _SPACING_MM**2 >= _LEAST_CELL_MM2])
    if len(medians) < 3:
        return ""
    change = np.abs(medians[:, None] - medians[None])
    return _yes_or_no(
        bool(change[..., 0][_one_colour(change)].max() <= math.log(protocol.quality.quality_light_ratio_max))
    )
