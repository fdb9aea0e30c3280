"""One phantom drawn, written as a JPEG and measured twice: its true outline handed in, and by the whole instrument."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ulcermeter.agreement import dice
from ulcermeter.calibration import calibrate, rectify
from ulcermeter.datatypes import PhotoResult, Presence
from ulcermeter.errors import Refusal
from ulcermeter.finger import locate_finger
from ulcermeter.phantom import Phantom, UlcerTruth, draw_phantom, write_phantom
from ulcermeter.photo import read_photo
from ulcermeter.pipeline import measure_photo
from ulcermeter.pipeline.workers import use_one_thread
from ulcermeter.planimetry import measure
from ulcermeter.quality import check_gates
from ulcermeter.segmentation import segment
from ulcermeter.tables.cells import PASSED, records
from ulcermeter.validation.plan import Case

if TYPE_CHECKING:
    import pandas as pd

    from ulcermeter.protocol import Protocol

__all__ = ["GEOMETRY", "INSTRUMENT", "Task", "measure_task"]

GEOMETRY, INSTRUMENT = "geometry", "instrument"
_MEASURED = (
    "diameter_mm", "diameter_low_mm", "diameter_high_mm", "area_mm2", "area_low_mm2", "area_high_mm2",
    "over_threshold", "dominant_error", "confidence",
)  # fmt: skip
# A find counts as the ulcer when its middle lies within the ulcer, or this near to its middle.
_NEAR_MM = 1.0


@dataclass(frozen=True)
class Task:
    """A case and what measures it."""

    case: Case
    protocol: Protocol
    model: str | Path | None
    run_id: str


def measure_task(task: Task) -> PhotoResult:
    """Draw and measure a case; its two rows of ``validation/phantoms`` stand where measurements do.

    Parameters
    ----------
    task : Task
        A case and how to measure it.

    Returns
    -------
    PhotoResult
    """
    use_one_thread()
    phantom = draw_phantom(task.case.spec)
    known = _known(task.case, phantom, threshold_mm=task.protocol.measurement.threshold_diameter_mm)
    with tempfile.TemporaryDirectory() as folder:
        write_phantom(phantom, Path(folder) / task.case.name)
        rows = (_geometry(task, phantom, Path(folder)), _instrument(task, phantom, Path(folder)))
    return PhotoResult(
        {"photo": task.case.name, "status": rows[1]["status"], "reason": rows[1]["reason"], "sha256": ""},
        measurements=tuple({**known, **row, **_judged(row, known)} for row in rows),
    )


def _known(case: Case, phantom: Phantom, *, threshold_mm: float) -> dict[str, Any]:
    """Return what is true of a phantom."""
    spec, ulcer = case.spec, phantom.truth.ulcers[0]
    return {
        "phantom": case.name.removesuffix(".jpg"),
        "sample": case.sample,
        "factor": case.factor,
        "level": case.level,
        "seed": case.seed,
        "reference": case.reference,
        "reference_on": spec.reference.place,
        "px_per_mm": ulcer.px_per_mm,
        "tilt_deg": phantom.truth.tilt_deg,
        "blur_px": spec.camera.blur_px,
        "skin_tone": spec.finger.skin_tone if spec.finger is not None else math.nan,
        "offset_mm": math.hypot(*spec.reference.offset_mm),
        "slope_true_deg": ulcer.slope_deg,
        "side": spec.finger.side if spec.finger is not None else "",
        "bed": spec.ulcers[0].wound_bed,
        "diameter_true_mm": ulcer.diameter_mm,
        "area_true_mm2": ulcer.area_plane_mm2,
        "over_threshold_true": "yes" if ulcer.diameter_mm > threshold_mm else "no",
    }


def _judged(row: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """Return the error and whether the interval holds the truth; nothing where nothing was measured."""
    if row["found"] != "yes":
        return {}
    truth = known["diameter_true_mm"]
    covered = row["diameter_low_mm"] <= truth <= row["diameter_high_mm"]
    return {"error_mm": row["diameter_mm"] - truth, "covered": "yes" if covered else "no"}


# --- the true outline -----------------------------------------------------------------------------------------------


def _geometry(task: Task, phantom: Phantom, folder: Path) -> dict[str, Any]:
    """Measure the true outline: only reference, height and slope can go wrong."""
    try:
        frame = _measure_truth(task, phantom, folder)
    except Refusal as refusal:
        return {"mode": GEOMETRY, "status": "refused", "reason": str(refusal), "found": "", "n_false": 0}
    row = records(frame)[0]
    return {
        "mode": GEOMETRY, "status": "measured", "reason": "", "found": "yes", "n_false": 0, "dice": 1.0,
        "finger_found": _finger_found(row), **{name: row[name] for name in _MEASURED},
    }  # fmt: skip


def _measure_truth(task: Task, phantom: Phantom, folder: Path) -> pd.DataFrame:
    ulcer, protocol = phantom.truth.ulcers[0], task.protocol
    photo = read_photo(folder / task.case.name)
    calibration = calibrate(
        photo, reference=task.case.reference, reference_on=task.case.spec.reference.place, protocol=protocol
    )
    failures = check_gates(photo, calibration, ulcer.outline_px, protocol=protocol).failures
    if failures:
        raise Refusal(*failures)
    middle = np.array(ulcer.centroid_px)
    rectified = rectify(photo, calibration, spacing_mm=1 / calibration.px_per_mm(middle))
    segmentation = segment(rectified, outline=[ulcer.outline_px], as_truth=True)
    finger = locate_finger(rectified, near_px=middle, side="", protocol=protocol)
    return measure(segmentation, finger=finger, protocol=protocol)


# --- the whole instrument -------------------------------------------------------------------------------------------


def _instrument(task: Task, phantom: Phantom, folder: Path) -> dict[str, Any]:
    """Measure the photo as a study would, without a prompt, and pick the find that is the ulcer."""
    cells = {"photo": task.case.name, "reference": task.case.reference}
    cells["reference_on"] = task.case.spec.reference.place
    result = measure_photo(
        cells, task.protocol, root=folder, model=task.model, run_id=task.run_id, overlay=False
    )  # fmt: skip
    status, reason = result.photo["status"], result.photo.get("reason", "")
    ulcer = phantom.truth.ulcers[0]
    at = _matching(result, ulcer)
    passed = status in PASSED
    n_sure = sum(row["presence"] == Presence.ULCER for row in result.measurements)
    row = {
        "mode": INSTRUMENT,
        "status": status,
        "reason": reason,
        "found": "" if not passed else "yes" if at is not None else "no",
        "n_false": n_sure - (at is not None),
        "scale_se_pct": result.photo.get("scale_se_pct", math.nan),
    }
    if at is None:
        return row
    found = result.measurements[at]
    row |= {name: found[name] for name in _MEASURED}
    overlap = dice(dict(result.outlines)[found["label"]], ulcer.outline_px)
    return {**row, "dice": overlap, "finger_found": _finger_found(found)}


def _matching(result: PhotoResult, ulcer: UlcerTruth) -> int | None:
    """Return which measurement is the drawn ulcer, or None; a possible ulcer has not found it."""
    apart = {
        k: math.dist((row["centroid_x_px"], row["centroid_y_px"]), ulcer.centroid_px) / ulcer.px_per_mm
        for k, row in enumerate(result.measurements)
        if row["presence"] == Presence.ULCER
    }
    nearest = min(apart, key=lambda k: apart[k], default=None)
    if nearest is None or apart[nearest] > max(_NEAR_MM, ulcer.diameter_mm / 2):
        return None
    return nearest


def _finger_found(row: dict[str, Any]) -> str:
    place = row.get("finger_s_mm")
    return "yes" if place is not None and math.isfinite(place) else "no"
