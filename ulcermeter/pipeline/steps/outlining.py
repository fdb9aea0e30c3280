"""Ulcers and finger outlined in the part of a photo that its row speaks of."""

from __future__ import annotations

from dataclasses import replace

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
from ulcermeter.finger import FingerEnd, finger_ends, likely_skin
from ulcermeter.pipeline.steps.prompt import Prompt, PromptKind
from ulcermeter.pipeline.steps.records import Outlined, PhotoContext, Standardised
from ulcermeter.pipeline.steps.tracing_place import follows_edge, lies_elsewhere
from ulcermeter.pipeline.steps.tracings import read_tracing
from ulcermeter.pipeline.steps.window import (
    box_holds_finger,
    choose_spacing,
    choose_window,
    round_box,
)
from ulcermeter.segmentation import detection_limit_mm, segment
from ulcermeter.study import path_fault

__all__ = ["check_tracing", "outline_ulcers"]


def outline_ulcers(context: PhotoContext, standardised: Standardised) -> Outlined:
    """Outline the ulcers in the window that the row speaks of; without one where skin is, or else in all of the photo.

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
    segmentation, ends = _outline(context, standardised.balanced, standardised.calibration, standardised.prompt)
    return Outlined(
        **vars(standardised),
        segmentation=segmentation,
        ends=ends,
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
) -> tuple[Segmentation, tuple[FingerEnd, ...] | None]:
    """Return the outlines, and the ends of fingers where they were looked for on the way."""
    own = choose_window(photo, calibration, prompt, protocol=context.protocol)
    skin = likely_skin(photo, calibration) if prompt.kind is PromptKind.NONE else None
    if skin is None or (box := skin.box()) is None:
        return _segment_window(context, photo, calibration, prompt, own), None
    found = _segment_window(context, photo, calibration, prompt, round_box(photo, calibration, box))
    ends = finger_ends(found.rectified, skin=skin) if skin.may_be_a_hand or not _is_sure(found) else None
    # A finger is only found where skin is, and so in the window: beyond it lies at most the rest of a find.
    if (ends or _is_sure(found)) and not any(found.touches_border):
        return found, ends
    wider = _segment_window(context, photo, calibration, prompt, own)
    # What was found where skin is gives way only to something sure.
    return (found if found.outlines and not _is_sure(wider) else wider), ends


def _is_sure(found: Segmentation) -> bool:
    return bool(found.outlines) and not found.possible


def _segment_window(
    context: PhotoContext, photo: Photo, calibration: Calibration, prompt: Prompt, window: Box | None
) -> Segmentation:
    spacing_mm = choose_spacing(photo, calibration, window=window, at=prompt.within(window).place(photo))
    return _segment(context, rectify(photo, calibration, spacing_mm=spacing_mm, window=window), prompt)


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
