"""Which part of a photo is looked at square on, and how finely."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ulcermeter.datatypes import Box, Calibration, Finger, Photo
    from ulcermeter.pipeline.steps.prompt import Prompt
    from ulcermeter.protocol import Protocol

__all__ = [
    "along_the_finger",
    "box_holds_finger",
    "choose_spacing",
    "choose_window",
    "round_box",
]

# A finger's end two phalanges and what lies beside them are seen within this distance of a click; the finger's tip and
# axis need no more. An ulcer and the skin round it lie within the second of a box, and what of a finger has not the
# colour of skin within it of what has (assumption).
_ROUND_A_CLICK_MM = 45.0
_ROUND_A_BOX_MM = 8.0
# The end two phalanges, where digital ulcers are; past them the reference may lie.
_ALONG_MM = (6.0, 10.0, 14.0, 18.0, 22.0, 26.0)
# A rectified window of a 12 MP photo at its own resolution fits; more is made coarser, never cropped.
_MOST_PX = 16e6


def box_holds_finger(calibration: Calibration, box: Box, *, protocol: Protocol) -> bool:
    """Tell whether a box holds a finger, in which ulcers are to be found, or is drawn round one ulcer.

    Its longer side decides: from ``finger_box_min_mm`` on it is a finger's.

    Parameters
    ----------
    calibration : Calibration
        From photo pixels to millimetres.
    box : Box
        A box x, y, width, height, photo px.
    protocol : Protocol
        The trial's rules.

    Returns
    -------
    bool
    """
    px_per_mm = calibration.px_per_mm(np.array([box[0] + box[2] / 2, box[1] + box[3] / 2]))
    return max(box[2:]) / px_per_mm >= protocol.measurement.finger_box_min_mm


def choose_window(photo: Photo, calibration: Calibration, prompt: Prompt, *, protocol: Protocol) -> Box | None:
    """Choose the window (x, y, width, height in photo px) round a click or a box; None = the whole photo.

    Nothing beside a finger's box is taken: it may be the next finger.

    Parameters
    ----------
    photo : Photo
        The photo, upright.
    calibration : Calibration
        From photo pixels to millimetres.
    prompt : Prompt
        Where to look: a click, a box, a tracing or nothing.
    protocol : Protocol
        The trial's rules.

    Returns
    -------
    Box or None
    """
    px_per_mm = calibration.px_per_mm(prompt.place(photo))
    if (box := prompt.box) is not None:
        tight = box_holds_finger(calibration, box, protocol=protocol)
        margin = 0.0 if tight else _ROUND_A_BOX_MM * px_per_mm
        return _clipped(photo, box[0] - margin, box[1] - margin, box[2] + 2 * margin, box[3] + 2 * margin)
    if prompt.click is not None:
        (x, y), half = prompt.click, _ROUND_A_CLICK_MM * px_per_mm
        return _clipped(photo, x - half, y - half, 2 * half, 2 * half)
    return None


def round_box(photo: Photo, calibration: Calibration, skin: Box) -> Box:
    """Return the window round a box of skin, with room for a part of a finger that has not its colour.

    Parameters
    ----------
    photo : Photo
        The photo, upright.
    calibration : Calibration
        From photo pixels to millimetres.
    skin : Box
        A box x, y, width, height, photo px.

    Returns
    -------
    Box
    """
    x, y, width, height = skin
    margin = _ROUND_A_BOX_MM * calibration.px_per_mm(np.array([x + width / 2, y + height / 2]))
    return _clipped(photo, x - margin, y - margin, width + 2 * margin, height + 2 * margin)


def along_the_finger(photo: Photo, calibration: Calibration, finger: Finger) -> list[np.ndarray]:
    """Return places on the finger's mid-line, 6 to 26 mm from its tip, that lie on the photo; photo px (x, y).

    Parameters
    ----------
    photo : Photo
        The photo, upright.
    calibration : Calibration
        From photo pixels to millimetres.
    finger : Finger
        The finger, or None when none was found.

    Returns
    -------
    list[np.ndarray]
    """
    steps = np.asarray(_ALONG_MM)[:, None]
    points = calibration.to_px(np.asarray(finger.tip_mm) + steps * np.asarray(finger.axis))
    rows, cols = photo.pixels.shape[:2]
    return [point for point in points if 0 <= point[0] <= cols - 1 and 0 <= point[1] <= rows - 1]


def choose_spacing(photo: Photo, calibration: Calibration, *, window: Box | None, at: np.ndarray) -> float:
    """Choose the spacing of a window, mm per pixel: the photo's own at the point `at` (x, y), photo px.

    So nothing is thrown away and nothing invented; coarser where the window would pass 16 million pixels.

    Parameters
    ----------
    photo : Photo
        The photo, upright.
    calibration : Calibration
        From photo pixels to millimetres.
    window : Box or None
        The window x, y, width, height, photo px; None for the whole photo.
    at : np.ndarray
        A point, photo px (x, y).

    Returns
    -------
    float
    """
    own_mm = 1.0 / calibration.px_per_mm(at)
    return max(own_mm, float(np.sqrt(np.prod(_size_mm(photo, calibration, window)) / _MOST_PX)))


def _size_mm(photo: Photo, calibration: Calibration, window: Box | None) -> np.ndarray:
    rows, cols = photo.pixels.shape[:2]
    return np.asarray(np.ptp(calibration.to_mm(_corners(window or (0.0, 0.0, cols - 1.0, rows - 1.0))), axis=0))


def _clipped(photo: Photo, x: float, y: float, width: float, height: float) -> Box:
    rows, cols = photo.pixels.shape[:2]
    left, top = max(x, 0.0), max(y, 0.0)
    return left, top, min(x + width, cols - 1.0) - left, min(y + height, rows - 1.0) - top


def _corners(box: Box) -> np.ndarray:
    x, y, width, height = box
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]])
