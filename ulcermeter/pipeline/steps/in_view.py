"""Whether a photo on which nothing was found can say that no ulcer is there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Finger, Note, NoteKind
from ulcermeter.errors import Problem, Refusal
from ulcermeter.geometry import signed_distance
from ulcermeter.pipeline.steps.records import Judged, PhotoContext
from ulcermeter.pipeline.steps.window import along_the_finger, box_holds_finger

if TYPE_CHECKING:
    from ulcermeter.protocol import Protocol

__all__ = ["check_in_view", "holds_point"]

_TIP_ON_PLAIN = "photograph the finger with its tip on a plain ground"
_NOT_IN_VIEW = "so it cannot be said that the place is in view"


def holds_point(finger: Finger, point_mm: NDArray[np.floating], *, protocol: Protocol) -> bool:
    """Say whether a plane point (2,), mm, lies on a finger, or so near its outline that an ulcer there may be on it.

    Parameters
    ----------
    finger : Finger
        The finger, or None when none was found.
    point_mm : float (K, 2)
        A point in the reference's plane, mm (x, y), float64 (2,).
    protocol : Protocol
        For ``finger_off_mm``.

    Returns
    -------
    bool
    """
    return signed_distance(finger.outline_mm, point_mm) > -protocol.finger.finger_off_mm


def check_in_view(context: PhotoContext, judged: Judged) -> Judged:
    """Refuse to say *no ulcer* of a photo on which none could have been found: it would later pass for healed.

    The place must lie on a finger that was located; failing that, a reader must have said what there is.

    Parameters
    ----------
    context : PhotoContext
        What one photo is measured with: its row's cells, protocol, folder, model and lens.
    judged : Judged
        The photo with its finger and gates judged.

    Returns
    -------
    Judged

    Raises
    ------
    Refusal
        It does not, or the photo has no colour.
    """
    if judged.segmentation.outlines or judged.prompt.mask:
        return judged
    red, green, blue = cv2.split(np.ascontiguousarray(judged.photo.pixels[::4, ::4]))
    coloured = max(int(cv2.absdiff(*pair).max()) for pair in ((red, green), (green, blue), (red, blue)))
    if coloured < context.protocol.skin.colourless_levels_below:
        raise Refusal(
            Problem("a photo without colour, and no ulcer was found", action="take it in colour, or hand in a tracing")
        )
    if _on_the_finger(judged, protocol=context.protocol):
        return judged
    if state := context.cell("reader_state"):
        return replace(judged, notes=(*judged.notes, Note(NoteKind.READER_STATE_TAKEN, (state,))))
    raise Refusal(_not_in_view(judged))


def _not_in_view(judged: Judged) -> Problem:
    """Say why nothing found is not said to be no ulcer; a click is no cure where one is given."""
    prompt, without = judged.prompt, _what_of_the_finger(judged)
    if not prompt.points:
        return Problem(
            f"{f'no ulcer was found, and {without}' if without else 'neither an ulcer nor a finger was found'}, "
            f"{_NOT_IN_VIEW}",
            action=f"{_TIP_ON_PLAIN}, or say where to look with a click (x, y) or a box",
        )
    where = "in the box" if prompt.click is None else f"at the click ({prompt.click[0]:g}, {prompt.click[1]:g})"
    return Problem(
        f"no ulcer was found {where}, and {without or 'no finger there'}, {_NOT_IN_VIEW}",
        action=f"{_TIP_ON_PLAIN}, or give a reader's word in reader_state",
    )


def _what_of_the_finger(judged: Judged) -> str:
    """Say what is lacking of a finger that was found; empty where none was."""
    kinds = {note.kind for note in judged.notes}
    if NoteKind.NO_TIP_IN_VIEW in kinds:
        return "the finger's tip is not in view"
    return "the finger's tip and sides cannot be made out" if NoteKind.FINGER_NOT_FITTED in kinds else ""


def _on_the_finger(judged: Judged, *, protocol: Protocol) -> bool:
    """Say whether a finger was located where the row points: under its click, in its box, or at all."""
    finger, prompt, photo, calibration = judged.finger, judged.prompt, judged.photo, judged.calibration
    if finger is None or not prompt.points:
        return finger is not None
    if holds_point(finger, calibration.to_mm(prompt.place(photo))[0], protocol=protocol):
        return True
    box = prompt.box
    if prompt.click is not None or box is None or not box_holds_finger(calibration, box, protocol=protocol):
        return False
    x, y, width, height = box
    along = along_the_finger(photo, calibration, finger)
    return any(x <= at[0] <= x + width and y <= at[1] <= y + height for at in along)
