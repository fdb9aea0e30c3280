"""The gates at every place that the answer rests on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Calibration, Finger, Note, NoteKind, Photo
from ulcermeter.errors import Problem, Refusal
from ulcermeter.pipeline.steps.records import Calibrated, Judged, Outlined, PhotoContext
from ulcermeter.pipeline.steps.window import along_the_finger
from ulcermeter.quality import check_gates, check_gates_along

__all__ = ["finger_mask", "judge_gates", "pass_gates", "refuse_or_note"]

Known = TypeVar("Known", bound=Calibrated)


def judge_gates(context: PhotoContext, outlined: Outlined) -> Judged:
    """Judge the photo at every ulcer; where none was found along the finger, else at the prompt.

    Parameters
    ----------
    context : PhotoContext
        What one photo is measured with: its row's cells, protocol, folder, model and lens.
    outlined : Outlined
        The photo's outlines so far.

    Returns
    -------
    Judged
    """
    calibration, finger, photo = outlined.calibration, outlined.finger, outlined.photo
    mask = None if finger is None else finger_mask(photo, calibration, finger)
    along = [] if finger is None or outlined.prompt.click is not None else along_the_finger(photo, calibration, finger)
    protocol, outlines = context.protocol, outlined.segmentation.outlines
    reports = [check_gates(photo, calibration, at, protocol=protocol, finger_mask=mask) for at in outlines]
    if not reports:
        places = along or [outlined.prompt.place(photo)]
        reports = [check_gates_along(photo, calibration, places, protocol=protocol, finger_mask=mask)]
    notes = dict.fromkeys(note for report in reports for note in report.warnings)
    known = vars(outlined) | {"gates": reports[0], "notes": (*outlined.notes, *notes)}
    return Judged(**known, reports=tuple(reports))


def pass_gates(context: PhotoContext, judged: Judged) -> Judged:
    """Let through what passed the gates at all its ulcers.

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
        A gate failed at any: an ulcer left out in silence would later pass for healed.
    """
    failures = [
        failure.at(f"ulcer {label}") if len(judged.reports) > 1 else failure
        for label, report in enumerate(judged.reports, start=1)
        for failure in report.failures
    ]
    return refuse_or_note(context, judged, failures)


def refuse_or_note(context: PhotoContext, known: Known, failures: Iterable[Problem]) -> Known:
    """Refuse the photo for its failures, or note them where the protocol has gates reported.

    Parameters
    ----------
    context : PhotoContext
        What one photo is measured with: its row's cells, protocol, folder, model and lens.
    known : Known
        What is known so far.
    failures : iterable of Problem
        Gates that failed.

    Returns
    -------
    Known
        With a note for each failure.

    Raises
    ------
    Refusal
        A gate failed and the protocol has photos refused.
    """
    distinct = tuple(dict.fromkeys(failures))
    if distinct and context.protocol.gates.on_failure != "report":
        raise Refusal(*distinct)
    return replace(known, notes=(*known.notes, *(Note(NoteKind.GATE_FAILED, problem=failure) for failure in distinct)))


def finger_mask(photo: Photo, calibration: Calibration, finger: Finger) -> NDArray[np.bool_]:
    """Return the photo's pixels that lie on a finger.

    Parameters
    ----------
    photo : Photo
    calibration : Calibration
    finger : Finger

    Returns
    -------
    bool (M, N)
    """
    inside = np.zeros(photo.pixels.shape[:2], dtype=np.uint8)
    cv2.fillPoly(inside, [np.rint(calibration.to_px(finger.outline_mm)).astype(np.int32)], 1)
    return inside.view(np.bool_)
