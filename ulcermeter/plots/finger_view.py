"""A finger as every photo of it shows it alike: tip up, at one scale, so that visits lie beside each other."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Calibration, Finger, Pixels, Points
from ulcermeter.plots import canvas

__all__ = ["FINGER_VIEW_PX", "PX_PER_MM", "draw_finger_view", "place_in_view"]

PX_PER_MM = 10.0
"""Pixels of the view for each millimetre on the finger's top; an ulcer of 2 mm is 20 px wide."""

# From before the tip to past the middle joint of a long finger, and a finger's width to either side, mm [assumption].
_BEFORE_TIP_MM, _ALONG_MM, _HALF_WIDTH_MM = 5.0, 45.0, 13.0
FINGER_VIEW_PX = round(2 * _HALF_WIDTH_MM * PX_PER_MM), round((_BEFORE_TIP_MM + _ALONG_MM) * PX_PER_MM)
"""Width and height of a finger's view."""
_PAPER = (252, 252, 250)
_QUALITY = 82


def place_in_view(along_mm: float, across_mm: float) -> tuple[float, float]:
    """Return where a place of the finger stands in its view, px (x, y) from the view's corner.

    Parameters
    ----------
    along_mm, across_mm : float
        ``finger_s_mm`` and ``finger_t_mm``; the arc t counts as if it were straight, .2 mm wrong at 4 mm on a finger
        of 8 mm radius.

    Returns
    -------
    (float, float)
    """
    return (across_mm + _HALF_WIDTH_MM) * PX_PER_MM, (along_mm + _BEFORE_TIP_MM) * PX_PER_MM


def draw_finger_view(
    pixels: Pixels,
    calibration: Calibration,
    finger: Finger | None,
    outlines: Sequence[Points],
    *,
    possible: bool = False,
) -> bytes | None:
    """Draw the finger with its tip up at `PX_PER_MM`; without a finger the largest ulcer's surroundings as they lie.

    Parameters
    ----------
    pixels : uint8 (M, N, 3)
        The upright photo, RGB.
    calibration : Calibration
    finger : Finger or None
    outlines : sequence of float64 (K, 2)
        Photo px (x, y), largest first.
    possible : bool
        They are of possible ulcers, and drawn in dashes.

    Returns
    -------
    bytes or None
        A JPEG of 260 × 500 px, 260 × 260 without a finger; None with neither finger nor ulcer.
    """
    if finger is not None:
        size, corners_px = _finger_corners(calibration, finger)
    elif len(outlines):
        size, corners_px = _square_corners(calibration, outlines[0])
    else:
        return None
    wide, high = size
    view = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], dtype=np.float32)
    to_photo = cv2.getPerspectiveTransform(view, corners_px.astype(np.float32))
    drawn = _warped(pixels, to_photo, size)
    to_view = np.linalg.inv(to_photo)
    for outline in outlines:
        placed = cv2.perspectiveTransform(np.asarray(outline, dtype=np.float64).reshape(-1, 1, 2), to_view)[:, 0]
        if possible:
            canvas.dashed_outline(drawn, placed, colour=canvas.CYAN, width_px=1)
        else:
            canvas.line(drawn, placed, colour=canvas.CYAN, width_px=1, closed=True, halo_px=1)
    return canvas.encode_jpeg(drawn, quality=_QUALITY)


def _finger_corners(calibration: Calibration, finger: Finger) -> tuple[tuple[int, int], Points]:
    """Return the view's size, px, and its corners on the photo: at the height of the finger's top."""
    ax, ay = finger.axis
    along = np.array([-_BEFORE_TIP_MM, -_BEFORE_TIP_MM, _ALONG_MM, _ALONG_MM])
    across = np.array([-1.0, 1.0, 1.0, -1.0]) * _HALF_WIDTH_MM
    true = np.asarray(finger.tip_mm) + along[:, None] * [[ax, ay]] + across[:, None] * [[ay, -ax]]
    foot, camera_mm = np.asarray(finger.viewpoint_mm[:2]), float(finger.viewpoint_mm[2])
    top_mm = finger.axis_height_mm + finger.radius_mm
    # The ray from the camera through a point at that height meets the reference's plane further out.
    projected = true + (true - foot) * top_mm / (camera_mm - top_mm) if np.isfinite(camera_mm) else true
    return FINGER_VIEW_PX, calibration.to_px(projected)


def _square_corners(calibration: Calibration, outline: Points) -> tuple[tuple[int, int], Points]:
    middle = calibration.to_mm(np.asarray(outline).mean(axis=0, keepdims=True))
    corners = middle + _HALF_WIDTH_MM * np.array([[-1.0, -1], [1, -1], [1, 1], [-1, 1]])
    side = round(2 * _HALF_WIDTH_MM * PX_PER_MM)
    return (side, side), calibration.to_px(corners)


def _warped(pixels: Pixels, to_photo: NDArray[np.float64], size: tuple[int, int]) -> Pixels:
    """Return the view, drawn at twice its size and halved, so that fine texture of a sharp photo does not alias."""
    twice = to_photo @ np.diag([0.5, 0.5, 1.0])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    large = cv2.warpPerspective(
        pixels, twice, (2 * size[0], 2 * size[1]), flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=_PAPER
    )
    return canvas.resized(np.asarray(large, dtype=np.uint8), *size)
