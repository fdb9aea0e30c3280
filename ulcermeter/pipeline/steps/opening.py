"""From a row to its photo, the place it speaks of, and the scale there."""

from __future__ import annotations

from dataclasses import replace

from ulcermeter.calibration import calibrate, standardise_colour
from ulcermeter.datatypes import Note, NoteKind
from ulcermeter.errors import PhotoError, Refusal, StudyError
from ulcermeter.photo import read_photo
from ulcermeter.pipeline.steps.gating import refuse_or_note
from ulcermeter.pipeline.steps.prompt import parse_prompt
from ulcermeter.pipeline.steps.records import Calibrated, Covered, Opened, PhotoContext, Prompted, Standardised
from ulcermeter.quality import check_gates, tilt_limit_deg
from ulcermeter.study import off_photo, parse_box
from ulcermeter.study.cell_formats import TOE, is_toe
from ulcermeter.tables.dates import DateError, parse_date

__all__ = ["calibrate_photo", "check_tilt", "compare_dates", "cover", "open_photo", "read_prompt", "standardise"]


def open_photo(context: PhotoContext) -> Opened:
    """Read the row's photo.

    In a study the folder's own check refuses paths that lead out of it; here a row may name any file.

    Parameters
    ----------
    context : PhotoContext
        What one photo is measured with: its row's cells, protocol, folder, model and lens.

    Returns
    -------
    Opened

    Raises
    ------
    Refusal
        The row speaks of a toe.
    PhotoError
        The file is no picture that can be read.
    """
    if is_toe(context.cell("hand")) or is_toe(context.cell("finger")):
        raise Refusal(TOE)
    return Opened(photo=read_photo(context.root / context.cell("photo")))


def compare_dates(context: PhotoContext, opened: Opened) -> Opened:
    """Note a photo that its camera dates otherwise than its row: the clock, the date or the photo is wrong.

    Parameters
    ----------
    context : PhotoContext
        What one photo is measured with: its row's cells, protocol, folder, model and lens.
    opened : Opened
        The opened photo.

    Returns
    -------
    Opened

    Raises
    ------
    StudyError
        The row's date is none.
    """
    try:
        given = parse_date(context.cell("date"))
    except DateError as error:
        raise StudyError(error.problem.at("date")) from None
    if given is None or opened.photo.taken_at is None:
        return opened
    taken = opened.photo.taken_at.date()
    days = max((given.low - taken).days, (taken - given.high).days)
    if days <= context.protocol.retake.taken_date_max_days:
        return opened
    note = Note(NoteKind.CAMERA_DATE_DIFFERS, (taken.isoformat(), days, context.cell("date")))
    return replace(opened, notes=(*opened.notes, note))


def cover(opened: Opened) -> Covered:
    """End the journey of a photo whose place is covered.

    Parameters
    ----------
    opened : Opened
        The opened photo.

    Returns
    -------
    Covered
    """
    return Covered(photo=opened.photo, notes=(Note(NoteKind.COVERED), *opened.notes))


def read_prompt(context: PhotoContext, opened: Opened) -> Prompted:
    """Read where the row says to look.

    Parameters
    ----------
    context : PhotoContext
        What one photo is measured with: its row's cells, protocol, folder, model and lens.
    opened : Opened
        The opened photo.

    Returns
    -------
    Prompted

    Raises
    ------
    StudyError
        A click or a box that is none.
    PhotoError
        One that lies off the photo.
    """
    prompt = parse_prompt(**{name: context.cell(name) for name in ("x", "y", "box", "mask")})
    reference_box = parse_box(context.cell("reference_box"))
    if fault := off_photo(opened.photo.pixels.shape[:2], prompt.click, prompt.box, reference_box):
        raise PhotoError(fault)
    return Prompted(**vars(opened), prompt=prompt, reference_box=reference_box)


def calibrate_photo(context: PhotoContext, prompted: Prompted) -> Calibrated:
    """Calibrate by the row's reference, or the protocol's, and judge the photo where the row says to look.

    Parameters
    ----------
    context : PhotoContext
        What one photo is measured with: its row's cells, protocol, folder, model and lens.
    prompted : Prompted
        The photo with its prompt.

    Returns
    -------
    Calibrated

    Raises
    ------
    Refusal
        No such reference on the photo, or one that cannot be used.
    """
    rules = context.protocol.calibration
    calibration = calibrate(
        prompted.photo,
        reference=context.cell("reference") or rules.reference,
        reference_on=context.cell("reference_on") or rules.reference_on,
        protocol=context.protocol,
        region=prompted.reference_box,
        lens=context.lens,
    )
    notes = calibration.warnings
    if not context.cell("reference_on") and calibration.verified:
        notes = (*notes, Note(NoteKind.REFERENCE_ON_ASSUMED, (calibration.reference_on,)))
    place = prompted.prompt.place(prompted.photo)
    gates = check_gates(prompted.photo, calibration, place, protocol=context.protocol)
    known = vars(prompted) | {"notes": (*prompted.notes, *notes)}
    return Calibrated(**known, calibration=calibration, gates=gates)


def check_tilt(context: PhotoContext, calibrated: Calibrated) -> Calibrated:
    """Refuse at once what is tilted too far to be rectified.

    Parameters
    ----------
    context : PhotoContext
        What one photo is measured with: its row's cells, protocol, folder, model and lens.
    calibrated : Calibrated
        The calibrated photo.

    Returns
    -------
    Calibrated

    Raises
    ------
    Refusal
        It is, and the protocol's gates refuse.
    """
    calibration = calibrated.calibration
    if not calibration.tilt_deg > tilt_limit_deg(calibration.reference, context.protocol):
        return calibrated
    return refuse_or_note(context, calibrated, calibrated.gates.failures)


def standardise(calibrated: Calibrated) -> Standardised:
    """Bring the photo's colour to a standard where the reference allows.

    Parameters
    ----------
    calibrated : Calibrated
        The calibrated photo.

    Returns
    -------
    Standardised
    """
    balanced, note = standardise_colour(calibrated.photo, calibrated.calibration)
    notes = calibrated.notes if note is None else (*calibrated.notes, note)
    return Standardised(**vars(calibrated) | {"notes": notes}, balanced=balanced)
