"""Which photos to take again, and how: one list for retake.csv and the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ulcermeter.protocol import Protocol
from ulcermeter.tables import from_rows
from ulcermeter.tables.cells import PASSED, Record, grouped, records
from ulcermeter.tables.dates import parse_date

if TYPE_CHECKING:
    import pandas as pd

    from ulcermeter.datatypes import Eligibility, Study

__all__ = ["list_retakes"]

# Criteria that photos can settle; the first looks at photos of the protocol's `active_photo_phases` alone.
_BY_PHOTO = ("active_ulcer", "refractory_prostacyclin")
_FACE_IT = "turn the finger until the ulcer faces the camera"
_ALL_OF_IT = "take the whole ulcer into the picture"
_LEVEL = "hold the reference level with the ulcer"
_NEARER = "go nearer, or set the camera to its full resolution"
# What mends an outline that leaves the answer open, by the quality that the photo lacks.
_CLEARER = {
    "quality_in_focus": "tap on the ulcer to focus, and hold the phone still",
    "quality_no_shadow": "keep shadows off the finger",
    "quality_even_light": "use even light without flash",
}


def list_retakes(
    study: Study, photos: pd.DataFrame, measurements: pd.DataFrame, eligibility: Eligibility
) -> pd.DataFrame:
    """List the photos to take again.

    A photo row stands in it when it was refused or failed; or when one of its ulcers is *uncertain* at the threshold
    and a better photo would mend that. So it would where the photo's border cuts the ulcer off, where the skin slopes
    too much (the interval alone has decided), or where the diameter is farther from the threshold than half the
    interval of a good photo (``retake_half_width_mm``) and what dominates the interval can be bettered: the reference,
    the height, the slope; or the outline, on a photo of fewer than ``retake_px_per_mm``, out of focus, shadowed or
    unevenly lit. Source of these rules: assumption.

    Parameters
    ----------
    study : Study
        Its inclusion dates say which photos count for eligibility.
    photos, measurements : DataFrame
        Tables of the same names.
    eligibility : Eligibility

    Returns
    -------
    DataFrame
        Table ``retake``, in the order of `photos`.
    """
    shown = records(photos)
    measured = grouped(records(measurements), key=_place)
    deciding = _Deciding(study, eligibility)
    passed = {_visit(photo) for photo in shown if photo["status"] in PASSED}
    rows, listed = [], set()
    for photo in shown:
        why = _not_measured(photo) or _uncertain(photo, measured.get(_place(photo), []), study.protocol)
        # Rows of one photo and finger with a click each share their measurements: listed once.
        if why is None or (why["status"] == "uncertain" and _place(photo) in listed):
            continue
        listed |= {_place(photo)} if why["status"] == "uncertain" else set()
        priority = 1 if deciding.counts(photo) else 3 if _visit(photo) in passed else 2
        place = {name: photo[name] for name in ("photo", "subject_id", "visit", "date", "hand", "finger")}
        rows.append({**place, **why, "priority": priority})
    return from_rows("retake", rows)


def _place(row: Record) -> tuple[str, ...]:
    return (*_visit(row), row["photo"])


def _visit(row: Record) -> tuple[str, ...]:
    return tuple(row[name] for name in ("subject_id", "visit", "date", "hand", "finger"))


class _Deciding:
    """Which photos count for a criterion that is open: `counts`."""

    def __init__(self, study: Study, eligibility: Eligibility) -> None:
        verdicts = eligibility.eligibility_summary.set_index("subject_id")["verdict"]
        self.open = {
            (row["subject_id"], row["criterion"])
            for row in records(eligibility.eligibility)
            if row["effect"] == "unknown" and verdicts.get(row["subject_id"]) == "undetermined"
        }
        people = study.subjects
        dates = [a or b for a, b in zip(people["inclusion_date"], people["screening_date"], strict=True)]
        self.until = dict(zip(people["subject_id"], dates, strict=True))
        self.phases = {visit.name: visit.phase for visit in study.protocol.visits}
        self.active_phases = study.protocol.eligibility.active_photo_phases
        own = [c.id for c in study.protocol.criteria if c.rule is not None and c.rule.kind in ("photo", "place")]
        self.by_photo = (*_BY_PHOTO, *own)

    def counts(self, photo: Record) -> bool:
        subject = photo["subject_id"]
        day, until = parse_date(photo["date"]), parse_date(self.until.get(subject, ""))
        if day is not None and until is not None and day.low > until.high:
            return False
        phase = self.phases.get(photo["visit"], "")
        fits = {name: name == "refractory_prostacyclin" or phase in self.active_phases for name in self.by_photo}
        return any((subject, name) in self.open and fits[name] for name in self.by_photo)


def _not_measured(photo: Record) -> Record | None:
    if photo["status"] in PASSED:
        return None
    return {name: photo[name] for name in ("status", "reason", "instruction")}


def _uncertain(photo: Record, ulcers: list[Record], protocol: Protocol) -> Record | None:
    reasons, instructions = [], list[str]()
    for ulcer in ulcers:
        why, mends = _mends(photo, ulcer, protocol) if ulcer["over_threshold"] == "uncertain" else ("", [])
        if mends:
            size = f"{ulcer['diameter_low_mm']:.2f} to {ulcer['diameter_high_mm']:.2f} mm"
            reasons.append(f"{ulcer['ulcer_id'] or 'ulcer ' + str(ulcer['label'])}: {size}, {why}")
            instructions += mends
    if not reasons:
        return None
    found = {"reason": "; ".join(reasons), "instruction": "; ".join(dict.fromkeys(instructions))}
    return {"status": "uncertain", **found}


def _mends(photo: Record, ulcer: Record, protocol: Protocol) -> tuple[str, list[str]]:
    """Return why the answer is open and what a better photo would do otherwise; nothing where it would be as open."""
    threshold, error = protocol.measurement.threshold_diameter_mm, ulcer["dominant_error"]
    if ulcer["touches_border"] == "yes":
        return "of the part in view; the photo's border cuts it off", [_ALL_OF_IT]
    if ulcer["diameter_low_mm"] > threshold or ulcer["diameter_high_mm"] <= threshold:
        return f"on skin that slopes more than {protocol.measurement.slope_max_deg:g}° from the reference", [_FACE_IT]
    why = f"which cannot be told from {threshold:g} mm; the widest error is the {error}"
    if abs(ulcer["diameter_mm"] - threshold) <= protocol.retake.retake_half_width_mm:
        return why, []
    if error == "slope":
        return why, [_FACE_IT]
    if error == "height":
        return why, [_LEVEL + (", not on the table" if photo["reference_on"] == "table" else "")]
    if error == "reference":
        square = photo["quality_reference_square"] != "no"
        return why, ["lay the reference closer to the ulcer" + ("" if square else " and hold the phone parallel to it")]
    nearer = [_NEARER] if photo["px_per_mm"] < protocol.retake.retake_px_per_mm else []
    return why, nearer + [how for name, how in _CLEARER.items() if photo[name] == "no"]
