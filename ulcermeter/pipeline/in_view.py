"""Whether a photo on which nothing was found can say that no ulcer is there."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from ulcermeter.datatypes import Calibration, Finger, Photo
from ulcermeter.errors import Refusal
from ulcermeter.pipeline.window import along_the_finger, box_holds_finger, look_at
from ulcermeter.pipeline.work import Work

__all__ = ["check_seen", "holds_point"]

# A photo whose channels differ by less, in 8-bit levels, was taken or saved without colour.
_GREY_LEVELS = 2.0
# An ulcer on the very edge of a finger may have its middle this far outside the finger's outline.
_OFF_FINGER_MM = 1.5
# Why nothing found is not said to be no ulcer, by what the row points at.
_NOT_IN_VIEW = {
    "click": "no ulcer was found at the click ({click[0]:g}, {click[1]:g}), and no finger there, so it cannot be said "
    "that the place is in view: photograph the finger with its tip on a plain ground, or give a reader's word in "
    "reader_state",
    "box": "no ulcer was found in the box, and no finger there, so it cannot be said that the place is in view: "
    "photograph the finger with its tip on a plain ground, or give a reader's word in reader_state",
    "": "neither an ulcer nor a finger was found, so it cannot be said that the place is in view: photograph the "
    "finger with its tip on a plain ground, or say where to look with a click (x, y) or a box",
}


def holds_point(finger: Finger, point_mm: np.ndarray) -> bool:
    """Say whether a plane point (2,), mm, lies on a finger, or so near its outline that an ulcer there may be on it."""
    contour = np.asarray(finger.outline_mm, dtype=np.float32).reshape(-1, 1, 2)
    return cv2.pointPolygonTest(contour, (float(point_mm[0]), float(point_mm[1])), True) > -_OFF_FINGER_MM


def check_seen(work: Work, photo: Photo, calibration: Calibration, click: Any, box: Any) -> None:
    """Refuse to say *no ulcer* of a photo on which none could have been seen: it would later pass for healed.

    The place must lie on a finger that was located; failing that, a reader must have said what there is.
    """
    thinned = photo.pixels[::4, ::4].astype(np.int16)
    if np.ptp(thinned, axis=2).max() < _GREY_LEVELS:
        raise Refusal("a photo without colour, and no ulcer was found: take it in colour, or hand in a tracing")
    if _on_the_finger(work, photo, calibration, click, box):
        return
    if word := work.cell("reader_state"):
        work.notes.append(f"no ulcer was found and no finger there: the reader's word, {word}, stands")
        return
    raise Refusal(_NOT_IN_VIEW["click" if click is not None else "box" if box is not None else ""].format(click=click))


def _on_the_finger(work: Work, photo: Photo, calibration: Calibration, click: Any, box: Any) -> bool:
    """Say whether a finger was located where the row looks: under its click, in its box, or at all."""
    if work.finger is None:
        return False
    if click is None and box is None:
        return True
    if holds_point(work.finger, calibration.to_mm(look_at(photo, click, box))[0]):
        return True
    if click is not None or not box_holds_finger(calibration, box, protocol=work.protocol):
        return False
    (x, y, width, height), along = box, along_the_finger(photo, calibration, work.finger)
    return any(x <= at[0] <= x + width and y <= at[1] <= y + height for at in along)
