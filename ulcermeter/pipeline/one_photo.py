"""One row of a study's photos.csv to its result: the unit that is run in parallel, stored and resumed."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ulcermeter.datatypes import LensProfile, Note, NoteKind, PhotoGeometry, PhotoResult
from ulcermeter.errors import MissingDependencyError, PhotoError, Refusal, StudyError, UlcermeterError
from ulcermeter.photo.process_errors import too_little_memory, wants_memory
from ulcermeter.pipeline.steps.clear_skin import check_clear_skin
from ulcermeter.pipeline.steps.gating import judge_gates, pass_gates
from ulcermeter.pipeline.steps.in_view import check_in_view
from ulcermeter.pipeline.steps.opening import (
    calibrate_photo,
    check_tilt,
    compare_dates,
    cover,
    open_photo,
    read_prompt,
    standardise,
)
from ulcermeter.pipeline.steps.outlining import check_tracing, outline_ulcers
from ulcermeter.pipeline.steps.records import (
    Begun,
    Covered,
    Judged,
    Measured,
    Opened,
    Outlined,
    PhotoContext,
    row_cells,
)
from ulcermeter.pipeline.steps.rows import judged_quality, measurement_rows, named_measurements, photo_row
from ulcermeter.pipeline.steps.second_look import look_again
from ulcermeter.pipeline.steps.whose_finger import find_finger
from ulcermeter.planimetry import diameter_line, measure_rows
from ulcermeter.plots import FingerMarks, draw_finger_view, draw_overlay, draw_refusal, finger_marks
from ulcermeter.quality import SkinView
from ulcermeter.tables import filled
from ulcermeter.wording import note_in_words

if TYPE_CHECKING:
    from ulcermeter.protocol import Protocol

__all__ = ["failed_photo", "measure_photo"]

_log = logging.getLogger(__name__)
_MEND = "mend what the reason names, or copy the photo from the camera again"
_A_READER = "let a reader look at it and say open, healed or indeterminate in reader_state"
_REPORT = "please report it with this photo"


def measure_photo(
    row: Mapping[str, object],
    protocol: Protocol,
    *,
    root: str | Path = ".",
    model: str | Path | None = None,
    lens: LensProfile | None = None,
    run_id: str = "",
    first_label: int = 1,
    overlay: bool = True,
) -> PhotoResult:
    """Measure one photo row; never raises for a bad photo and never looks at another one.

    Parameters
    ----------
    row : mapping
        A row of a study's photos.csv (`ulcermeter.tables`, ``study/photos``); cells it lacks are not known.
    protocol : Protocol
    root : str or Path
        The study folder that the row's paths start from.
    model : str or Path, optional
        Another segmentation model than the shipped one.
    lens : LensProfile, optional
        Used where make, model and focal length match the photo's.
    run_id : str
        Written into the measurements.
    first_label : int
        Label of the largest ulcer; over 1 where one photo, hand and finger stands in several rows, one a click.
    overlay : bool
        Draw the overlay too.

    Returns
    -------
    PhotoResult
        Its status is *measured*; *no ulcer* (looked, gates passed, nothing found on clear skin; or covered, see the
        reason); *indeterminate* (nothing found, but skin is dark, bloody or crusted: a reader must say);
        *refused* (readable but not to be measured: the reason says how to take it again); or *failed* (not readable,
        or a fault of ours).
    """
    context = PhotoContext(row_cells(row), protocol, Path(root), model, lens)
    known = Begun()
    try:
        for known in _stages(context):  # noqa: B007 - where a stage raises, the last record tells what was known
            pass
        return _finished(context, known, run_id=run_id, first_label=first_label, overlay=overlay)
    except Refusal as refusal:
        return _refused(context, known, refusal, overlay=overlay)
    except (MissingDependencyError, PhotoError, StudyError) as error:
        return _failed(context, known, error)
    except Exception as error:
        if wants_memory(error):
            return _failed(context, known, too_little_memory(context.cell("photo")))
        return _fault(context, known, error)


def _stages(context: PhotoContext) -> Iterator[Begun]:
    """Take a photo through its stages in order, and yield what is known after each."""
    yield (opened := open_photo(context))
    yield (opened := compare_dates(context, opened))
    if context.cell("covered") == "yes":
        yield cover(opened)
        return
    yield (prompted := read_prompt(context, opened))
    yield (calibrated := calibrate_photo(context, prompted))
    yield (calibrated := check_tilt(context, calibrated))
    yield (standardised := standardise(calibrated))
    yield (outlined := outline_ulcers(context, standardised))
    yield (outlined := check_tracing(context, outlined))
    yield (outlined := find_finger(context, outlined))
    yield (judged := judge_gates(context, outlined))
    yield (judged := pass_gates(context, judged))
    yield (judged := look_again(context, judged))
    yield (judged := check_in_view(context, judged))
    yield (judged := check_clear_skin(context, judged))
    yield _measured(context, judged)


def failed_photo(row: Mapping[str, object], protocol: Protocol, error: PhotoError) -> PhotoResult:
    """Return the result of a photo row that could not be measured at all, as `measure_photo` would.

    Parameters
    ----------
    row : Mapping[str, object]
        A row of a table as a mapping of column to cell.
    protocol : Protocol
        The trial's rules.
    error : PhotoError
        What was raised.

    Returns
    -------
    PhotoResult
    """
    return _failed(PhotoContext(row_cells(row), protocol), Begun(), error)


def _measured(context: PhotoContext, judged: Judged) -> Measured:
    rows = measure_rows(judged.segmentation, finger=judged.finger, protocol=context.protocol)
    return Measured(**vars(judged), measurements=tuple(filled("measurements", row) for row in rows))


def _finished(context: PhotoContext, known: Begun, *, run_id: str, first_label: int, overlay: bool) -> PhotoResult:
    if isinstance(known, Covered):
        covered = note_in_words(Note(NoteKind.COVERED))
        drawn = draw_refusal(known.photo, covered, title="Covered: not measured") if overlay else None
        return PhotoResult(photo_row(context, known, status="no ulcer"), overlay=drawn)
    assert isinstance(known, Measured)
    more = judged_quality(context, known) | ({"instruction": _A_READER} if known.skin.doubtful else {})
    return PhotoResult(
        photo_row(context, known, status=_status(known), **more),
        measurement_rows(context, known, run_id=run_id, first_label=first_label),
        tuple(enumerate(known.segmentation.outlines, start=first_label)),
        _draw(context, known, first_label) if overlay else None,
        PhotoGeometry(known.calibration, known.finger),
        _view(known) if overlay else None,
    )


def _status(measured: Measured) -> str:
    if len(measured.measurements):
        return "measured"
    return "indeterminate" if measured.skin.doubtful else "no ulcer"


def _draw(context: PhotoContext, measured: Measured, first_label: int) -> bytes:
    segmentation = measured.segmentation
    lines = {label: np.array(diameter_line(segmentation, label)) for label in range(1, len(segmentation.outlines) + 1)}
    return draw_overlay(
        measured.photo,
        segmentation,
        named_measurements(context, measured),
        lines=lines,
        threshold_mm=context.protocol.measurement.threshold_diameter_mm,
        first_label=first_label,
        finger=_marks(measured),
        remarks=[note_in_words(note) for note in measured.notes if note.kind is NoteKind.DOUBTFUL_SKIN],
    )


def _view(measured: Measured) -> bytes | None:
    segmentation = measured.segmentation
    return draw_finger_view(
        measured.photo.pixels,
        measured.calibration,
        measured.finger,
        segmentation.outlines,
        possible=segmentation.possible,
    )


def _marks(known: Begun) -> FingerMarks | None:
    """Return what is drawn of the finger that was found, if any."""
    if not isinstance(known, Outlined):
        return None
    skin = known.skin if isinstance(known, Judged) else SkinView()
    doubtful = tuple(area.outline_px for area in skin.doubtful)
    return finger_marks(known.calibration, known.finger, clear_px=skin.clear_px, doubtful_px=doubtful)


def _refused(context: PhotoContext, known: Begun, refusal: Refusal, *, overlay: bool) -> PhotoResult:
    drawn = None
    if overlay and isinstance(known, Opened):
        drawn = draw_refusal(known.photo, str(refusal), finger=_marks(known))
    more = judged_quality(context, known) | {"instruction": refusal.instruction}
    return PhotoResult(photo_row(context, known, status="refused", reason=str(refusal), **more), overlay=drawn)


def _failed(context: PhotoContext, known: Begun, error: UlcermeterError) -> PhotoResult:
    reason, instruction = _in_study(context, error), error.instruction or _MEND
    return PhotoResult(photo_row(context, known, status="failed", reason=reason, instruction=instruction))


def _fault(context: PhotoContext, known: Begun, error: Exception) -> PhotoResult:
    _log.error("a fault of ours on %s", context.cell("photo"), exc_info=error)
    reason = f"a fault of ours: {type(error).__name__}: {error}; {_REPORT}"
    return PhotoResult(photo_row(context, known, status="failed", reason=reason, instruction=_REPORT))


def _in_study(context: PhotoContext, error: UlcermeterError) -> str:
    """Return an error's words with files named as the study names them, so that they hold wherever the study lies."""
    words = str(error)
    for name in filter(None, (context.cell("photo"), context.cell("mask"))):
        words = words.replace(str(context.root / name), name)
    return words
