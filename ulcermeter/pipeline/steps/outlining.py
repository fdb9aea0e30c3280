"""Ulcers and finger outlined in the part of a photo that its row speaks of."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ulcermeter.calibration import rectify
from ulcermeter.datatypes import (
    Box,
    Calibration,
    Note,
    NoteKind,
    OutlineSource,
    Photo,
    RectifiedPhoto,
    Segmentation,
)
from ulcermeter.errors import PhotoError
from ulcermeter.pipeline.steps.prompt import Prompt
from ulcermeter.pipeline.steps.records import Outlined, PhotoContext, Standardised
from ulcermeter.pipeline.steps.tracing_place import follows_edge, lies_elsewhere
from ulcermeter.pipeline.steps.tracings import read_tracing
from ulcermeter.pipeline.steps.whose_finger import FingerChoice, choose_finger
from ulcermeter.pipeline.steps.window import (
    COARSE_SPACING_MM,
    box_holds_finger,
    choose_spacing,
    choose_window,
    is_wide,
    round_a_finger,
)
from ulcermeter.segmentation import detection_limit_mm, segment
from ulcermeter.study import path_fault

__all__ = ["check_tracing", "outline_ulcers"]


@dataclass(frozen=True)
class _Windows:
    """Where to look for ulcers, one after the other (None the whole photo), and the finger found on the way."""

    boxes: tuple[Box | None, ...]
    choice: FingerChoice = FingerChoice()


def outline_ulcers(context: PhotoContext, standardised: Standardised) -> Outlined:
    """Outline the ulcers in the window that the row speaks of; where nothing is found round a finger, in the photo.

    Parameters
    ----------
    context : PhotoContext
        What one photo is measured with: its row's cells, protocol, folder, model and lens.
    standardised : Standardised
        The photo with its colours brought to a standard.

    Returns
    -------
    Outlined

    Raises
    ------
    PhotoError
        A tracing that cannot be used.
    Refusal
        One that no ulcer has.
    """
    segmentation, choice = _outline(context, standardised.balanced, standardised.calibration, standardised.prompt)
    return Outlined(
        **(vars(standardised) | {"notes": (*standardised.notes, *choice.notes)}),
        segmentation=segmentation,
        finger=choice.finger,
        detection_limit_mm=detection_limit_mm(segmentation.rectified, protocol=context.protocol),
    )


def check_tracing(context: PhotoContext, outlined: Outlined) -> Outlined:
    """Note a tracing that follows no edge while the photo's own ulcer lies on other skin: it may be upside down.

    Parameters
    ----------
    context : PhotoContext
        What one photo is measured with: its row's cells, protocol, folder, model and lens.
    outlined : Outlined
        The photo's outlines so far.

    Returns
    -------
    Outlined
    """
    photo, calibration, traced = outlined.balanced, outlined.calibration, outlined.segmentation
    if traced.source is not OutlineSource.READER:
        return outlined
    if all(follows_edge(photo, calibration, outline) for outline in traced.outlines):
        return outlined
    own, _ = _outline(context, photo, calibration, outlined.prompt.without_tracing())
    if not lies_elsewhere(traced, own):
        return outlined
    x, y = own.outlines[0].mean(axis=0)
    return replace(outlined, notes=(*outlined.notes, Note(NoteKind.TRACING_ELSEWHERE, (float(x), float(y)))))


def _outline(
    context: PhotoContext, photo: Photo, calibration: Calibration, prompt: Prompt
) -> tuple[Segmentation, FingerChoice]:
    windows = _choose_windows(context, photo, calibration, prompt)
    best: Segmentation | None = None
    for window in windows.boxes:
        spacing_mm = choose_spacing(photo, calibration, window=window, at=prompt.within(window).place(photo))
        rectified = rectify(photo, calibration, spacing_mm=spacing_mm, window=window)
        segmentation = _segment(context, rectified, prompt)
        sure = bool(segmentation.outlines) and not segmentation.possible
        # A possible ulcer round the finger gives way only to a surer one in the wider window.
        best = segmentation if sure or best is None or not best.possible else best
        if sure:
            break
    assert best is not None, "there is always a window"
    return best, windows.choice


def _choose_windows(context: PhotoContext, photo: Photo, calibration: Calibration, prompt: Prompt) -> _Windows:
    """Choose the prompt's own window; on a wide photo without one, first round the finger: that saves time."""
    own = choose_window(photo, calibration, prompt, protocol=context.protocol)
    if prompt.points or not is_wide(photo, calibration):
        return _Windows((own,))
    coarse = rectify(photo, calibration, spacing_mm=COARSE_SPACING_MM)
    choice = choose_finger(context, coarse)
    if choice.finger is None:
        return _Windows((own,))
    return _Windows((round_a_finger(photo, calibration, choice.finger.outline_mm), own), choice)


def _segment(context: PhotoContext, rectified: RectifiedPhoto, prompt: Prompt) -> Segmentation:
    photo, calibration = rectified.photo, rectified.calibration
    if not prompt.mask:
        box = prompt.box
        if prompt.click is not None or (box and box_holds_finger(calibration, box, protocol=context.protocol)):
            box = None
        return segment(rectified, click=prompt.click, box=box, model=context.model, protocol=context.protocol)
    fault = path_fault(context.root, prompt.mask)
    if fault and context.cell("subject_id"):
        raise PhotoError(fault)
    tracing = read_tracing(context.root / prompt.mask, photo=photo, row=context.cells, click=prompt.click)
    return segment(rectified, mask=tracing.mask, tracing=tracing.outlines)
