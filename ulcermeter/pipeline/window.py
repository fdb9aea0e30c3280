"""Which part of a photo is looked at square on, and how finely."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ulcermeter.datatypes import Calibration, Photo

__all__ = ["choose_view", "look_at"]

Box = tuple[float, float, float, float]

# A finger's end two phalanges and what lies beside them are seen within this distance of a click; the finger's tip and
# axis need no more.
_ROUND_A_CLICK_MM = 45.0
_ROUND_A_BOX_MM = 8.0
# A rectified window of a 12 MP photo at its own resolution fits; more is made coarser, never cropped.
_MOST_PX = 16e6


def look_at(photo: Photo, click: tuple[float, float] | None, box: Box | None) -> np.ndarray:
    """Return the photo pixel (x, y), float64 (2,), that a row speaks of: its click, its box's or the photo's centre."""
    rows, cols = photo.pixels.shape[:2]
    if click is not None:
        return np.array(click, dtype=np.float64)
    x, y, width, height = box if box is not None else (0.0, 0.0, float(cols - 1), float(rows - 1))
    return np.array([x + width / 2, y + height / 2])


def choose_view(
    photo: Photo, calibration: Calibration, *, click: tuple[float, float] | None, box: Box | None
) -> tuple[Box | None, float]:
    """Choose the window (x, y, width, height in photo px; None = the whole photo) and its spacing in mm per pixel.

    The spacing is the photo's own at the window's centre, so that nothing is thrown away and nothing invented; coarser
    where the window would pass 16 million pixels.
    """
    point = look_at(photo, click, box)
    px_per_mm = calibration.px_per_mm(point)
    window = None
    if box is not None:
        margin = _ROUND_A_BOX_MM * px_per_mm
        window = _clipped(photo, box[0] - margin, box[1] - margin, box[2] + 2 * margin, box[3] + 2 * margin)
    elif click is not None:
        half = _ROUND_A_CLICK_MM * px_per_mm
        window = _clipped(photo, click[0] - half, click[1] - half, 2 * half, 2 * half)
    rows, cols = photo.pixels.shape[:2]
    corners = _corners(window or (0.0, 0.0, float(cols - 1), float(rows - 1)))
    width_mm, height_mm = np.ptp(calibration.to_mm(corners), axis=0)
    return window, max(1.0 / px_per_mm, float(np.sqrt(width_mm * height_mm / _MOST_PX)))


def _clipped(photo: Photo, x: float, y: float, width: float, height: float) -> Box:
    rows, cols = photo.pixels.shape[:2]
    left, top = max(x, 0.0), max(y, 0.0)
    return left, top, min(x + width, cols - 1.0) - left, min(y + height, rows - 1.0) - top


def _corners(box: Box) -> np.ndarray:
    x, y, width, height = box
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]])
