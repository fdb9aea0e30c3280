"""One row of a study's photos.csv to its result: the unit that is run in parallel, stored and resumed."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from ulcermeter.calibration import calibrate, rectify, standardise_colour
from ulcermeter.datatypes import (
    Calibration,
    Finger,
    LensProfile,
    OutlineSource,
    Photo,
    PhotoResult,
    RectifiedPhoto,
    Segmentation,
)
from ulcermeter.errors import MissingDependencyError, PhotoError, Problem, Refusal, StudyError, UlcermeterError
from ulcermeter.finger import locate_finger
from ulcermeter.photo import read_photo
from ulcermeter.photo.lost import too_little_memory, wants_memory
from ulcermeter.pipeline.in_view import check_seen, holds_point
from ulcermeter.pipeline.tracing_place import follows_edge, lies_elsewhere
from ulcermeter.pipeline.tracings import read_tracing
from ulcermeter.pipeline.window import (
    COARSE_SPACING_MM,
    along_the_finger,
    box_holds_finger,
    choose_spacing,
    choose_window,
    is_wide,
    look_at,
    round_a_finger,
)
from ulcermeter.pipeline.work import Work, compare_dates, quality_of
from ulcermeter.planimetry import diameter_line, measure
from ulcermeter.plots import draw_overlay, draw_refusal
from ulcermeter.quality import check_gates, tilt_limit_deg
from ulcermeter.segmentation import detection_limit_mm, segment
from ulcermeter.study import off_photo, parse_box, path_fault
from ulcermeter.study.cells import TOE, is_toe
from ulcermeter.tables import columns
from ulcermeter.wording.notes import note_in_words

if TYPE_CHECKING:
    import pandas as pd

    from ulcermeter.protocol import Protocol
    from ulcermeter.quality import GateReport

__all__ = ["failed_photo", "measure_photo"]

_log = logging.getLogger(__name__)
_FROM_THE_ROW = ("photo", "subject_id", "visit", "date", "hand", "finger", "site", "view")
_MEND = "mend what the reason names, or copy the photo from the camera again"
_REPORT = "please report it with this photo"
_COVERED = "covered: a dressing or crust hides the place, so nothing was measured and nothing is said to be healed"


def measure_photo(
    row: Mapping[str, Any],
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
        Its status is *measured*; *no ulcer* (looked, gates passed, nothing found; or covered, see the reason);
        *refused* (readable but not to be measured: the reason says how to take it again); or *failed* (not readable,
        or a fault of ours).
    """
    work = _begun(row, protocol, root=root, model=model, lens=lens)
    try:
        result = _measure(work, run_id, first_label, overlay)
    except Refusal as refusal:
        drawn = draw_refusal(work.photo, str(refusal)) if overlay and work.photo is not None else None
        work.known |= quality_of(work) | {"instruction": refusal.instruction}
        result = PhotoResult(_photo_row(work, "refused", str(refusal)), overlay=drawn)
    except (MissingDependencyError, PhotoError, StudyError) as error:
        result = _failed(work, error)
    except Exception as error:
        result = _failed(work, too_little_memory(work.cell("photo"))) if wants_memory(error) else _fault(work, error)
    return result


def failed_photo(row: Mapping[str, Any], protocol: Protocol, error: PhotoError) -> PhotoResult:
    """Return the result of a photo row that could not be measured at all, as `measure_photo` would."""
    return _failed(_begun(row, protocol), error)


def _begun(
    row: Mapping[str, Any],
    protocol: Protocol,
    *,
    root: str | Path = ".",
    model: str | Path | None = None,
    lens: LensProfile | None = None,
) -> Work:
    known = {name: row.get(name) or "" for name in _FROM_THE_ROW if name != "site"}
    known |= {name: row.get(name) or "" for name in ("reference", "reference_on")}
    return Work(dict(row), protocol, Path(root), model, lens, known)


def _failed(work: Work, error: UlcermeterError) -> PhotoResult:
    said = _said(work, error)
    work.known["instruction"] = error.instruction or _MEND
    return PhotoResult(_photo_row(work, "failed", said))


def _fault(work: Work, error: Exception) -> PhotoResult:
    _log.error("a fault of ours on %s", work.row.get("photo"), exc_info=error)
    work.known["instruction"] = _REPORT
    return PhotoResult(_photo_row(work, "failed", f"a fault of ours: {type(error).__name__}: {error}; {_REPORT}"))


def _measure(work: Work, run_id: str, first_label: int, overlay: bool) -> PhotoResult:
    if is_toe(work.cell("hand")) or is_toe(work.cell("finger")):
        raise Refusal(TOE)
    work.photo = photo = _read(work)
    if work.cell("covered") == "yes":
        drawn = draw_refusal(photo, _COVERED, title="Covered: not measured") if overlay else None
        return PhotoResult(_photo_row(work, "no ulcer", _COVERED), overlay=drawn)
    click, box = _prompts(work, photo)
    work.click = click
    calibration = _calibrate(work, photo, click, box)
    # Lengths and gates are read off the photo as it was taken; only what looks for ulcers sees its colour mended.
    balanced, colour_note = standardise_colour(photo, calibration)
    work.notes += [note_in_words(colour_note)] if colour_note else []
    work.segmentation = segmentation = _outline(work, balanced, calibration, click, box)
    if segmentation.source is OutlineSource.READER:
        _check_place(work, balanced, calibration, box)
    finger = _find_finger(work, segmentation, click, box)
    _check_gates(work, photo, segmentation, finger, click, box)
    if not segmentation.outlines and not work.cell("mask"):
        check_seen(work, photo, calibration, click, box)
    frame = measure(segmentation, finger=finger, protocol=work.protocol)
    drawn = _draw(work, photo, segmentation, frame, first_label) if overlay else None
    shift = first_label - 1
    outlines = tuple((label + shift, points) for label, points in enumerate(segmentation.outlines, start=1))
    status = "measured" if len(frame) else "no ulcer"
    work.known |= quality_of(work) | {"n_ulcers": len(frame)}
    return PhotoResult(_photo_row(work, status), _measurement_rows(work, frame, run_id, shift), outlines, drawn)


def _read(work: Work) -> Photo:
    name = work.cell("photo")
    # In a study the folder's own check refuses paths that lead out of it; this is for rows made in Python.
    path = work.root / name
    photo = read_photo(path)
    work.known["sha256"] = photo.sha256
    compare_dates(work, photo)
    return photo


def _prompts(work: Work, photo: Photo) -> tuple[tuple[float, float] | None, tuple[float, float, float, float] | None]:
    if work.cell("x") and work.cell("y"):
        try:
            click = (float(work.cell("x")), float(work.cell("y")))
        except ValueError:
            x, y = work.cell("x"), work.cell("y")
            raise StudyError(Problem(expected="a click x, y in px of the upright photo", got=f"'{x}', '{y}'")) from None
    else:
        click = None
    box = parse_box(work.cell("box"))
    if fault := off_photo(photo.pixels.shape[:2], click, box, parse_box(work.cell("reference_box"))):
        raise PhotoError(fault)
    return click, box


def _calibrate(work: Work, photo: Photo, click: Any, box: Any) -> Calibration:
    """Calibrate, and refuse at once what is tilted too far to be rectified."""
    try:
        calibration = calibrate(
            photo,
            reference=work.cell("reference") or work.protocol.calibration.reference,
            reference_on=work.cell("reference_on") or work.protocol.calibration.reference_on,
            protocol=work.protocol,
            region=parse_box(work.cell("reference_box")),
            lens=work.lens,
        )
    except Refusal:
        work.known["quality_reference_present"] = "no"
        raise
    work.calibration = calibration
    work.notes += map(note_in_words, calibration.warnings)
    if not work.cell("reference_on") and calibration.verified:
        work.notes.append(f"reference_on is not given: taken as {calibration.reference_on}, by the protocol")
    work.known["reference"] = str(calibration.reference)
    work.known["distance_mm"] = calibration.distance_mm
    work.known["reference_on"] = calibration.reference_on
    point = look_at(photo, click, box)
    report = check_gates(photo, calibration, point, protocol=work.protocol)
    _tell(work, report)
    if calibration.tilt_deg > tilt_limit_deg(calibration.reference, work.protocol):
        _refuse(work, report.failures)
    return calibration


def _find_finger(work: Work, segmentation: Segmentation, click: Any, box: Any) -> Finger | None:
    """Find the finger that the largest ulcer lies on; without one, the finger the row speaks of."""
    photo, outlines = segmentation.rectified.photo, segmentation.outlines
    near = outlines[0].mean(axis=0) if outlines else look_at(photo, click, box)
    near_mm = segmentation.rectified.calibration.to_mm(near)[0]
    finger = work.finger
    if finger is None or (outlines and not holds_point(finger, near_mm)):
        finger = locate_finger(segmentation.rectified, near_px=near, side=work.cell("view"), protocol=work.protocol)
    if finger is not None and outlines and not holds_point(finger, near_mm):
        finger = None  # what was found is another finger, or a part of this one
    work.finger = finger
    if finger is None:
        work.notes.append("no finger was found, so there are no finger coordinates and no values along the skin")
    return finger


def _outline(work: Work, photo: Photo, calibration: Calibration, click: Any, box: Any) -> Segmentation:
    """Outline the ulcers in the window that the row speaks of; where nothing is found round a finger, in the photo."""
    holds_finger = box is not None and box_holds_finger(calibration, box, protocol=work.protocol)
    windows = [choose_window(photo, calibration, click=click, box=box, tight=holds_finger)]
    if click is None and box is None and is_wide(photo, calibration):
        coarse = rectify(photo, calibration, spacing_mm=COARSE_SPACING_MM)
        near = look_at(photo, None, None)
        work.finger = finger = locate_finger(coarse, near_px=near, side=work.cell("view"), protocol=work.protocol)
        windows[:0] = [] if finger is None else [round_a_finger(photo, calibration, finger.outline_mm)]
    prompt = None if click is not None or holds_finger else box
    for window in windows:
        spacing_mm = choose_spacing(photo, calibration, window=window, at=look_at(photo, click, box or window))
        rectified = rectify(photo, calibration, spacing_mm=spacing_mm, window=window)
        segmentation = _segment(work, photo, rectified, click, prompt)
        if segmentation.outlines:
            break
    work.known["detection_limit_mm"] = detection_limit_mm(rectified)
    return segmentation


def _segment(work: Work, photo: Photo, rectified: RectifiedPhoto, click: Any, box: Any) -> Segmentation:
    if not work.cell("mask"):
        return segment(rectified, click=click, box=box, model=work.model)
    fault = path_fault(work.root, work.cell("mask"))
    if fault and work.row.get("subject_id"):
        raise PhotoError(fault)
    tracing = read_tracing(work.root / work.cell("mask"), photo=photo, row=work.row, click=work.click)
    return segment(rectified, **tracing)


def _check_place(work: Work, photo: Photo, calibration: Calibration, box: Any) -> None:
    """Note a tracing that follows no edge while the photo's own ulcer lies on other skin: it may be upside down."""
    traced = work.segmentation
    if traced is None or all(follows_edge(photo, calibration, outline) for outline in traced.outlines):
        return
    untraced = work.row | dict.fromkeys(("mask", "x", "y"), "")
    alone = dataclasses.replace(work, row=untraced, known={}, notes=[], click=None)
    own = _outline(alone, photo, calibration, None, box)
    if lies_elsewhere(traced, own):
        x, y = own.outlines[0].mean(axis=0)
        work.notes.append(
            f"the tracing's rim follows no edge, and an ulcer lies elsewhere, at ({x:.0f}, {y:.0f}): look whether the "
            "tracing is of this photo and the same way up (is it upside down?)"
        )


def _check_gates(
    work: Work, photo: Photo, segmentation: Segmentation, finger: Finger | None, click: Any, box: Any
) -> None:
    """Refuse the photo when a gate fails at any ulcer: an ulcer left out in silence would later pass for healed."""
    calibration = segmentation.rectified.calibration
    mask = None if finger is None else _filled(photo, calibration.to_px(finger.outline_mm))
    along = [] if finger is None or click is not None else along_the_finger(photo, calibration, finger)
    places = list(segmentation.outlines) or along or [look_at(photo, click, box)]
    reports = [check_gates(photo, calibration, at, protocol=work.protocol, finger_mask=mask) for at in places]
    if not segmentation.outlines:
        reports = [_middling(reports)]
    _tell(work, reports[0])
    work.notes += dict.fromkeys(note_in_words(note) for report in reports for note in report.warnings)
    several = len(reports) > 1
    _refuse(
        work,
        [
            failure.at(f"ulcer {label}") if several else failure
            for label, report in enumerate(reports, start=1)
            for failure in report.failures
        ],
    )


def _middling(reports: list[GateReport]) -> GateReport:
    """Return the report of the middling focus: one bare spot, or one sharp one, does not speak for a finger."""
    judged = sorted((r for r in reports if np.isfinite(r.focus)), key=lambda report: report.focus)
    return judged[(len(judged) - 1) // 2] if judged else reports[0]


def _filled(photo: Photo, outline_px: np.ndarray) -> np.ndarray:
    """Return the pixels inside an outline, bool (M, N)."""
    inside = np.zeros(photo.pixels.shape[:2], dtype=np.uint8)
    cv2.fillPoly(inside, [np.rint(outline_px).astype(np.int32)], 1)
    return inside.astype(bool)


def _tell(work: Work, report: GateReport) -> None:
    names = ("px_per_mm", "tilt_deg", "scale_se_pct", "focus", "exposure")
    work.known |= {name: float(getattr(report, name)) for name in names}


def _refuse(work: Work, failures: Sequence[Problem]) -> None:
    if not failures:
        return
    if work.protocol.gates.on_failure == "report":
        work.notes += [f"gate failed: {failure}" for failure in failures]
        return
    raise Refusal(*dict.fromkeys(failures))


def _draw(work: Work, photo: Photo, segmentation: Segmentation, frame: pd.DataFrame, first_label: int) -> bytes:
    shown = frame.copy()
    for name in _FROM_THE_ROW:
        shown[name] = work.cell(name)
    lines = {label: np.array(diameter_line(segmentation, label)) for label in range(1, len(segmentation.outlines) + 1)}
    threshold_mm = work.protocol.measurement.threshold_diameter_mm
    return draw_overlay(photo, segmentation, shown, lines=lines, threshold_mm=threshold_mm, first_label=first_label)


def _measurement_rows(work: Work, frame: pd.DataFrame, run_id: str, shift: int) -> tuple[dict[str, Any], ...]:
    given = {name: work.cell(name) for name in _FROM_THE_ROW}
    given |= {"reader": work.cell("mask") or "machine", "run_id": run_id}
    rows = [{name: value for name, value in row.items() if name in columns("measurements")} for row in _records(frame)]
    return tuple({**row, **given, "label": int(row["label"]) + shift} for row in rows)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): (None if _is_na(v) else v) for k, v in row.items()} for row in frame.to_dict("records")]


def _is_na(value: Any) -> bool:
    return type(value).__name__ == "NAType"


def _photo_row(work: Work, status: str, reason: str = "") -> dict[str, Any]:
    known = {**work.known, "status": status, "reason": "; ".join([*([reason] if reason else []), *work.notes])}
    known.setdefault("n_ulcers", 0)
    return {name: _finite(known[name]) for name in columns("photos") if name in known}


def _said(work: Work, error: Exception) -> str:
    """Return an error's words with files named as the study names them, so that they hold wherever the study lies."""
    words = str(error)
    for name in filter(None, (work.cell("photo"), work.cell("mask"))):
        words = words.replace(str(work.root / name), name)
    return words


def _finite(value: Any) -> Any:
    return float("nan") if isinstance(value, float | np.floating) and not np.isfinite(value) else value
