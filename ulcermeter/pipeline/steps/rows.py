"""From what is known of a photo to its rows in the tables."""

from __future__ import annotations

import math

from ulcermeter.datatypes import Presence
from ulcermeter.pipeline.steps.records import Begun, Calibrated, Measured, Opened, Outlined, PhotoContext, Prompted
from ulcermeter.quality import judge_quality
from ulcermeter.tables import columns, filled
from ulcermeter.tables.cells import MACHINE, Record
from ulcermeter.wording import reason_of_photo

__all__ = ["judged_quality", "measurement_rows", "named_measurements", "photo_row"]

_FROM_THE_ROW = ("photo", "subject_id", "visit", "date", "hand", "finger", "site", "view")
_OF_THE_PHOTO = (*_FROM_THE_ROW, "reference", "reference_on")
_GATES = ("px_per_mm", "tilt_deg", "scale_se_pct", "focus", "exposure")


def photo_row(context: PhotoContext, known: Begun, *, status: str, reason: str = "", **more: str) -> dict[str, object]:
    """Return the row of photos.csv with what is known; `more` are cells of it that only the caller knows.

    Parameters
    ----------
    context : PhotoContext
        What one photo is measured with: its row's cells, protocol, folder, model and lens.
    known : Begun
        What is known so far.
    status : str
        What became of the photo.
    reason : str, optional
        Why the photo was not measured; empty when it was.
    **more : str
        Further cells of the row.

    Returns
    -------
    dict of str to object
        By the columns of ``photos``; what is not known is left out.
    """
    cells: dict[str, object] = {name: context.cell(name) for name in _OF_THE_PHOTO}
    if isinstance(known, Opened):
        cells["sha256"] = known.photo.sha256
    if isinstance(known, Calibrated):
        calibration = known.calibration
        cells |= {"reference": str(calibration.reference), "reference_on": calibration.reference_on}
        cells["distance_mm"] = calibration.distance_mm
        cells |= {name: float(getattr(known.gates, name)) for name in _GATES}
    if isinstance(known, Outlined):
        cells["detection_limit_mm"] = known.detection_limit_mm
    cells["n_ulcers"] = 0
    if isinstance(known, Measured):
        cells["n_ulcers"] = sum(row["presence"] == Presence.ULCER for row in known.measurements)
    cells |= {"status": status, "reason": reason_of_photo(reason, known.notes), **more}
    return {name: _finite(cells[name]) for name in columns("photos") if name in cells}


def judged_quality(context: PhotoContext, known: Begun) -> dict[str, str]:
    """Judge the photo as far as it was looked at; focus and light only where an ulcer or the finger was looked for.

    Parameters
    ----------
    context : PhotoContext
        What one photo is measured with: its row's cells, protocol, folder, model and lens.
    known : Begun
        What is known so far.

    Returns
    -------
    dict[str, str]
    """
    if not isinstance(known, Calibrated):
        return {"quality_reference_present": "no"} if isinstance(known, Prompted) else {}
    outlines = known.segmentation.outlines if isinstance(known, Outlined) else ()
    finger = known.finger if isinstance(known, Outlined) else None
    # Without any of these the focus that is known is of the photo's middle.
    searched = isinstance(known, Outlined) and bool(outlines or finger or known.prompt.click)
    clicked = None if known.prompt.click is None else known.prompt.place(known.photo)
    return judge_quality(
        known.photo,
        known.calibration,
        finger=finger if searched else None,
        outlines=outlines,
        place_px=outlines[0].mean(axis=0) if outlines else clicked,
        focus=known.gates.focus if searched else float("nan"),
        protocol=context.protocol,
    )


def named_measurements(context: PhotoContext, measured: Measured) -> tuple[Record, ...]:
    """Return the measurements with the cells of their row of photos.csv.

    Parameters
    ----------
    context : PhotoContext
        What one photo is measured with: its row's cells, protocol, folder, model and lens.
    measured : Measured
        The measured photo.

    Returns
    -------
    tuple of dict
    """
    named = {name: context.cell(name) for name in _FROM_THE_ROW}
    return tuple(row | named for row in measured.measurements)


def measurement_rows(
    context: PhotoContext, measured: Measured, *, run_id: str, first_label: int
) -> tuple[dict[str, object], ...]:
    """Return the rows of measurements.csv; their labels start at `first_label`.

    Parameters
    ----------
    context : PhotoContext
        What one photo is measured with: its row's cells, protocol, folder, model and lens.
    measured : Measured
        The measured photo.
    run_id : str
        Hash of version, protocol, parameters and model.
    first_label : int
        Label of the largest ulcer.

    Returns
    -------
    tuple[dict[str, object], ...]
    """
    more = {"reader": context.cell("mask") or MACHINE, "run_id": run_id}
    return tuple(
        filled("measurements", {**row, **more, "label": row["label"] + first_label - 1})
        for row in named_measurements(context, measured)
    )


def _finite(value: object) -> object:
    return float("nan") if isinstance(value, float) and not math.isfinite(value) else value
