"""What the page is told: plain values, and in a blinded reading none that tells which photo it is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from ulcermeter.datatypes import Calibration, Finger, PhotoGeometry, Points
from ulcermeter.files import JsonObject
from ulcermeter.pipeline.readings import traced
from ulcermeter.planimetry import diameter_line
from ulcermeter.readings import PlaceReading, state_of
from ulcermeter.review.items import Item
from ulcermeter.review.session import Session
from ulcermeter.review.worklist import REASON_WORDS

__all__ = ["item_in_list", "photo_payload", "values_in_short", "work_list"]

_SIZES = (
    *("diameter_mm", "diameter_low_mm", "diameter_high_mm", "width_mm", "area_mm2", "area_low_mm2", "area_high_mm2"),
    *("over_threshold", "probability_over_threshold", "dominant_error"),
)
# Skin round an ulcer that is shown beside it, mm either way.
_ROUND_MM = 7.0
_OF_PHOTO = ("subject_id", "visit", "date", "hand", "finger", "view", "photo", "status")
_PRIOR_MM = 10.0


def work_list(session: Session) -> JsonObject:
    """Return the whole list, and what is common to all photos.

    Parameters
    ----------
    session : Session

    Returns
    -------
    dict
    """
    return {
        "reader": session.reader,
        "blinded": session.mode.blinded,
        "adjudicating": session.mode.adjudicating,
        "whole": session.mode.whole,
        "threshold_mm": session.protocol.measurement.threshold_diameter_mm,
        "reasons": {str(reason): words for reason, words in REASON_WORDS.items()},
        "items": [item_in_list(session, item, number) for number, item in enumerate(session.items, start=1)],
    }


def item_in_list(session: Session, item: Item, number: int) -> JsonObject:
    """Return one line of the list.

    Parameters
    ----------
    session : Session
    item : Item
    number : int
        Its place in the list, from 1.

    Returns
    -------
    dict
    """
    facts = {"id": item.id, "number": number, "done": session.is_done(item), "readable": item.is_readable}
    if session.mode.blinded:
        return facts
    cells = {name: str(item.photo.get(name, "")) for name in _OF_PHOTO}
    return {**facts, **cells, "reasons": [str(reason) for reason in item.reasons], "n": len(item.outlines)}


def photo_payload(session: Session, item: Item) -> JsonObject:
    """Return all that is shown of one photo.

    Parameters
    ----------
    session : Session
    item : Item

    Returns
    -------
    dict
    """
    geometry, own = session.geometry(item), session.reading(item)
    payload: JsonObject = {
        "id": item.id,
        "can_measure": geometry is not None,
        "machine": [_machine_ulcer(session, item, geometry, label) for label in sorted(item.outlines)],
        "reading": None if own is None else state_of(own),
        "values": {} if own is None else _values_of(session, item, own),
        "scale": None if geometry is None else _scale(session, item, geometry, own),
        "others": [state_of(other) for other in session.others(item)],
    }
    if session.mode.blinded:
        return payload
    cells = {name: str(item.photo.get(name, "")) for name in _OF_PHOTO}
    more = {"reason": str(item.photo.get("reason", "")), "instruction": str(item.photo.get("instruction", ""))}
    return {**payload, **cells, **more, "reasons": [str(r) for r in item.reasons], **_neighbours(session, item)}


def _neighbours(session: Session, item: Item) -> JsonObject:
    """Return the same finger's other photos in time, and the identities its ulcers have."""
    same = session.fingers[item.whose]
    names = {session.identities.get((one.place, label), "") for one in same for label in one.outlines} - {""}
    return {"course": [one.id for one in same if one.is_readable or one is item], "identities": sorted(names)}


def values_in_short(row: Mapping[str, object], line: Sequence[tuple[float, float]]) -> JsonObject:
    """Return what the page shows of a measurement; what is not known is None.

    Parameters
    ----------
    row : mapping
        A row of measurements.
    line : sequence of (x, y)
        The diameter's ends, photo px.

    Returns
    -------
    dict
    """
    cells = {name: row.get(name) for name in _SIZES}
    known = {n: None if isinstance(v, float) and not math.isfinite(v) else v for n, v in cells.items()}
    return {**known, "line_px": [[float(x), float(y)] for x, y in line]}


def _machine_ulcer(session: Session, item: Item, geometry: PhotoGeometry | None, label: int) -> JsonObject:
    outline = item.outlines[label]
    line = () if geometry is None else diameter_line(traced(geometry, [outline], sha256=item.sha256), 1)
    identity = "" if session.mode.blinded else session.identities.get((item.place, label), "")
    values = values_in_short(item.rows.get(label, {}), line)
    return {"label": label, "outline_px": outline.tolist(), "ulcer_id": identity, "values": values}


def _values_of(session: Session, item: Item, reading: PlaceReading) -> JsonObject:
    found = {}
    for ulcer in reading.ulcers:
        if ulcer.outline_px is not None:
            row = session.measure(item, ulcer.outline_px)
            found[str(ulcer.label)] = values_in_short(row, row["line_px"])
    return found


def _scale(session: Session, item: Item, geometry: PhotoGeometry, own: PlaceReading | None) -> JsonObject:
    """Return how photo pixels become millimetres, where to look, and which way the finger points."""
    calibration, finger = geometry.calibration, geometry.finger
    outlines = [u.outline_px for u in own.ulcers if u.outline_px is not None] if own is not None else []
    outlines = outlines or list(item.outlines.values())
    place, half_mm = _place(calibration, finger, outlines, _former_place(session, item))
    per_mm = calibration.px_per_mm(place)
    rows, cols = calibration.shape
    half = _PRIOR_MM * per_mm
    left, top = max(0, int(place[0] - half)), max(0, int(place[1] - half))
    return {
        "shape": [int(rows), int(cols)],
        "pixel_to_mm": None if calibration.lens is not None else calibration.pixel_to_mm.tolist(),
        "px_per_mm": per_mm,
        "place_px": [float(place[0]), float(place[1])],
        "half_px": half_mm * per_mm,
        "up_px": _direction(calibration, finger),
        "crop": [left, top, min(cols, int(place[0] + half)) - left, min(rows, int(place[1] + half)) - top],
    }


def _former_place(session: Session, item: Item) -> tuple[float, float]:
    """Return where on the finger an ulcer was outlined at another visit, s and t in mm; its tip's middle for none."""
    if not session.mode.blinded:
        for other in session.fingers[item.whose]:
            for row in other.rows.values():
                s, t = (float(str(row.get(name) or "nan")) for name in ("finger_s_mm", "finger_t_mm"))
                if math.isfinite(s) and math.isfinite(t):
                    return s, t
    return _ROUND_MM, 0.0


def _place(
    calibration: Calibration, finger: Finger | None, outlines: list[Points], former: tuple[float, float]
) -> tuple[Points, float]:
    """Return where to look, photo px, and how much is shown to either side, mm."""
    if outlines:
        points = np.vstack(outlines)
        low, high = points.min(axis=0), points.max(axis=0)
        middle = (low + high) / 2
        return middle, max(_ROUND_MM, 1.2 * float((high - low).max()) / calibration.px_per_mm(middle))
    rows, cols = calibration.shape
    if finger is not None:
        (s, t), (ax, ay) = former, finger.axis
        off = finger.radius_mm * math.sin(max(-1.5, min(1.5, t / finger.radius_mm)))
        at = calibration.to_px(np.array([finger.tip_mm]) + s * np.array([[ax, ay]]) + off * np.array([[ay, -ax]]))[0]
        if 0 <= at[0] < cols and 0 <= at[1] < rows:
            return at, 1.5 * _ROUND_MM
    return np.array([(cols - 1) / 2, (rows - 1) / 2]), 5 * _ROUND_MM


def _direction(calibration: Calibration, finger: Finger | None) -> list[float] | None:
    """Return the unit vector on the photo from the hand to the fingertip; None without a finger."""
    if finger is None:
        return None
    tip, axis = np.array(finger.tip_mm), np.array(finger.axis)
    ends = calibration.to_px(np.vstack([tip + 10 * axis, tip]))
    along = ends[1] - ends[0]
    return [float(value) for value in along / max(float(np.linalg.norm(along)), 1e-9)]
