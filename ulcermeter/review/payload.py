"""What the page is told: plain values, and in a blinded reading none that tells which photo it is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from ulcermeter.datatypes import Calibration, Finger, PhotoGeometry, Points
from ulcermeter.files import JsonObject
from ulcermeter.pipeline.readings import traced
from ulcermeter.planimetry import diameter_line
from ulcermeter.readings import PlaceReading
from ulcermeter.review.history import REDO, UNDO
from ulcermeter.review.items import Item
from ulcermeter.review.session import Session
from ulcermeter.review.worklist import REASON_WORDS

__all__ = ["item_in_list", "photo_payload", "place_payload", "reading_payload", "values_in_short", "work_list"]

_SIZES = (
    *("diameter_mm", "diameter_low_mm", "diameter_high_mm", "width_mm", "area_mm2", "area_low_mm2", "area_high_mm2"),
    *("over_threshold", "probability_over_threshold", "dominant_error", "finger_s_mm", "finger_t_mm"),
)
# Skin round an ulcer that is shown beside it, mm either way.
_ROUND_MM = 7.0
# Of a large ulcer so much, over its size, either way.
_ROUND_SIZES = 1.2
# Where an ulcer was before so much more is shown, as its place is known to some mm; where nothing is known, five times.
_FORMER_SHARE, _NOWHERE_SHARE = 1.5, 5
# Along the finger's axis to a second place that tells its direction on the photo, mm.
_AXIS_MM = 10
# The middle of the tip, s and t: looked at where nothing is known of the finger.
_TIP_MM = (7.0, 0.0)
_OF_LINE = ("subject_id", "visit", "date", "hand", "finger", "status", "instruction")
_OF_PHOTO = ("subject_id", "visit", "date", "hand", "finger", "view", "photo", "status")


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
    cells = {name: str(item.photo.get(name, "") or "") for name in _OF_LINE}
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
        **reading_payload(session, item),
        "scale": None if geometry is None else _scale(session, item, geometry, own),
        "others": [_state(other) for other in session.others(item)],
    }
    if session.mode.blinded:
        return payload
    cells = {name: str(item.photo.get(name, "")) for name in _OF_PHOTO}
    more = {"reason": str(item.photo.get("reason", "")), "instruction": str(item.photo.get("instruction", ""))}
    return {**payload, **cells, **more, "reasons": [str(r) for r in item.reasons], **_neighbours(session, item)}


def reading_payload(session: Session, item: Item) -> JsonObject:
    """Return what changes with every edit: the reader's reading of a photo, its values, and what can be undone.

    Parameters
    ----------
    session : Session
    item : Item

    Returns
    -------
    dict
    """
    own, history = session.reading(item), session.history(item)
    return {
        "reading": None if own is None else _state(own),
        "values": {} if own is None else _values_of(session, item, own),
        "follows": history.now,
        "turns": {action: history.next_of(action) is not None for action in (UNDO, REDO)},
    }


def _state(reading: PlaceReading) -> JsonObject:
    """Return a reading as the page draws it, and nothing of when and how it was made."""
    return {
        "verdict": str(reading.verdict),
        "why": reading.why,
        "ulcers": [
            {
                "label": ulcer.label,
                "verdict": str(ulcer.verdict),
                "outline_px": None if ulcer.outline_px is None else ulcer.outline_px.tolist(),
                "ulcer_id": ulcer.ulcer_id,
                "why": ulcer.why,
            }
            for ulcer in reading.ulcers
        ],
    }


def place_payload(session: Session, item: Item, place_mm: tuple[float, float]) -> JsonObject:
    """Return where on a photo a place of the finger is.

    Parameters
    ----------
    session : Session
    item : Item
    place_mm : (float, float)
        Finger coordinates s and t.

    Returns
    -------
    dict
        ``px``: photo px (x, y), or None where the finger was not located or the place is not on the photo.
    """
    geometry = session.geometry(item)
    if geometry is None or geometry.finger is None:
        return {"px": None}
    at = _on_photo(geometry.calibration, geometry.finger, place_mm)
    return {"px": None if at is None else at.tolist()}


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
    """Return how photo pixels become millimetres, where to look, and where the finger lies and points."""
    calibration, finger = geometry.calibration, geometry.finger
    outlines = [u.outline_px for u in own.ulcers if u.outline_px is not None] if own is not None else []
    former = _former_place(session, item)
    place, half_mm = _place(calibration, finger, outlines or list(item.outlines.values()), former)
    per_mm = calibration.px_per_mm(place)
    of_machine = finger is not None and not session.mode.whole
    return {
        "shape": [int(side) for side in calibration.shape],
        "pixel_to_mm": None if calibration.lens is not None else calibration.pixel_to_mm.tolist(),
        "px_per_mm": per_mm,
        "place_px": [float(place[0]), float(place[1])],
        "place_mm": None if finger is None or former is None else list(former),
        "half_px": half_mm * per_mm,
        "up_px": _direction(calibration, finger),
        "finger_px": calibration.to_px(finger.outline_mm).tolist() if finger is not None and of_machine else None,
    }


def _former_place(session: Session, item: Item) -> tuple[float, float] | None:
    """Return where on the finger an ulcer was outlined at the visit before, else the next one: s and t in mm."""
    same = [] if session.mode.blinded else session.fingers[item.whose]
    at = same.index(item) if item in same else 0
    for other in [*reversed(same[:at]), *same[at:]]:
        for row in other.rows.values():
            s, t = row.get("finger_s_mm"), row.get("finger_t_mm")
            if isinstance(s, float) and isinstance(t, float) and math.isfinite(s) and math.isfinite(t):
                return s, t
    return None


def _place(
    calibration: Calibration, finger: Finger | None, outlines: list[Points], former: tuple[float, float] | None
) -> tuple[Points, float]:
    """Return where to look, photo px, and how much is shown to either side, mm."""
    if outlines:
        points = np.vstack(outlines)
        low, high = points.min(axis=0), points.max(axis=0)
        middle = (low + high) / 2
        return middle, max(_ROUND_MM, _ROUND_SIZES * float((high - low).max()) / calibration.px_per_mm(middle))
    at = None if finger is None else _on_photo(calibration, finger, former or _TIP_MM)
    if at is not None:
        return at, _FORMER_SHARE * _ROUND_MM
    rows, cols = calibration.shape
    return np.array([(cols - 1) / 2, (rows - 1) / 2]), _NOWHERE_SHARE * _ROUND_MM


def _on_photo(calibration: Calibration, finger: Finger, place_mm: tuple[float, float]) -> Points | None:
    """Return the photo px (x, y) of a place in finger coordinates; None off the photo."""
    rows, cols = calibration.shape
    at = calibration.to_px(finger.as_seen(*place_mm)[None])[0]
    return at if 0 <= at[0] < cols and 0 <= at[1] < rows else None


def _direction(calibration: Calibration, finger: Finger | None) -> list[float] | None:
    """Return the unit vector on the photo from the hand to the fingertip; None without a finger."""
    if finger is None:
        return None
    tip, axis = np.array(finger.tip_mm), np.array(finger.axis)
    ends = calibration.to_px(np.vstack([tip + _AXIS_MM * axis, tip]))
    along = ends[1] - ends[0]
    return [float(value) for value in along / max(float(np.linalg.norm(along)), 1e-9)]
