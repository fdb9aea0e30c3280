"""The table of trajectories: one row per ulcer and visit, its photos combined and compared with earlier visits."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np

from ulcermeter.healing.course import OPEN_STATES, known_day, without_contradicted
from ulcermeter.healing.measures import change, margin_advance
from ulcermeter.tables import TABLES, conform, from_rows
from ulcermeter.tables.cells import PASSED, Record, Row, grouped, known_number, not_known, records
from ulcermeter.tables.dates import TimeKey, exact_date, time_keys
from ulcermeter.tables.flags import Flag, FlagKind, in_doubt_of_identity, read_flags, sort_flags, write_flags
from ulcermeter.wording import evidence_of_visit

if TYPE_CHECKING:
    import pandas as pd

    from ulcermeter.protocol import Protocol

__all__ = ["follow_healing"]

_NAN = float("nan")
_ENDS = ("", "_low", "_high")


@dataclass(frozen=True)
class _Visit:
    """One ulcer at one visit, its photos combined; areas in mm², lengths in mm; `when` sorts a subject's visits."""

    row: Record
    when: TimeKey
    perimeter_mm: float
    area: tuple[float, float, float]
    sure: bool

    @property
    def known(self) -> bool:
        return self.sure and math.isfinite(self.area[0])


def follow_healing(tracked: pd.DataFrame, photos: pd.DataFrame, *, protocol: Protocol) -> pd.DataFrame:
    """Follow every ulcer over the visits.

    A visit's passing photos are averaged; so are the ends of their intervals, because photos of one visit share their
    errors (one reader, one reference) and averaging must not narrow them; photos of one side whose intervals exclude
    each other are flagged, and no change is told from that visit. Parts of a split add their areas and
    perimeters and give their longest diameter; only photos that show the most parts are used then. Healed is 0 mm
    with an interval up to the detection limit. Where an ulcer took in another, both areas stand before it together.

    Parameters
    ----------
    tracked : DataFrame
        Table ``tracked``.
    photos : DataFrame
        Table ``photos`` (further columns do no harm).
    protocol : Protocol
        ``baseline_max_days_before``, ``sem_log_area``, the order of the visits.

    Returns
    -------
    DataFrame
        Table ``trajectories``. Changes are *uncertain* where a value is missing or unsure, empty where there is
        nothing to compare with (the first row, the baseline itself and before, an ulcer new after baseline).
    """
    rows = records(conform("tracked", tracked, extra=True))
    passed = _passed(records(conform("photos", photos, extra=True)))
    times = _times(rows, protocol)
    courses: dict[str, list[_Visit]] = {}
    for (subject_id, ulcer_id), own in grouped(rows, key=itemgetter("subject_id", "ulcer_id")).items():
        visits = grouped(own, key=itemgetter("date", "visit"))
        views = {row["view"] for group in visits.values() for row in group if _open_row(row)}
        keys = sorted((times[subject_id, visit, day], (day, visit)) for day, visit in visits)
        courses[ulcer_id] = [_visit(visits[key], when, _passing(passed, visits[key][0], views)) for when, key in keys]
    hosts = _absorbed(rows)
    done = [_compare(courses, ulcer_id, hosts.get(ulcer_id, []), protocol) for ulcer_id in sorted(courses)]
    table = from_rows("trajectories", [row for course in done for row in course])
    return table.sort_values(list(TABLES["trajectories"].order), kind="stable", ignore_index=True)


def _times(rows: list[Record], protocol: Protocol) -> dict[tuple[str, str, str], TimeKey]:
    """Return the sort key of every subject's visit and date."""
    times = {}
    for subject_id, own in grouped(rows, key=itemgetter("subject_id")).items():
        visits = sorted({(row["visit"], row["date"]) for row in own})
        for (visit, day), key in zip(visits, time_keys(visits, protocol.places), strict=True):
            times[subject_id, visit, day] = key
    return times


def _open_row(row: Row) -> bool:
    return not not_known(row["label"])


def _finger_at_visit(row: Row) -> tuple[object, ...]:
    return tuple(row[name] for name in ("subject_id", "visit", "date", "hand", "finger"))


def _passed(photos: list[Record]) -> dict[tuple[object, ...], list[Record]]:
    """Return the passing photos by finger and visit: looking each up among all photos would be quadratic."""
    return grouped((photo for photo in photos if photo["status"] in PASSED), key=_finger_at_visit)


def _passing(passed: dict[tuple[object, ...], list[Record]], at: Row, views: set[str]) -> list[Record]:
    photos = passed.get(_finger_at_visit(at), [])
    return [photo for photo in photos if photo["view"] in views or photo["photo"] == at["photo"]]


def _visit(rows: list[Record], when: TimeKey, passing: list[Record]) -> _Visit:
    """Combine the rows of one ulcer at one visit."""
    first = min(rows, key=lambda row: (row["photo"], str(row["label"])))
    state = first["state"]
    out = {name: first[name] for name in ("subject_id", "ulcer_id", "hand", "finger", "visit", "date", "day", "state")}
    drawn = [row for row in rows if _open_row(row) and row["presence"] != "possible"] if state in OPEN_STATES else []
    apart = _that_exclude_each_other(drawn) if state != "split" else ()
    disagree = (Flag(FlagKind.PHOTOS_DISAGREE, photos=apart),) if apart else ()
    flags = sort_flags((*(flag for row in rows for flag in read_flags(row["flags"])), *disagree))
    sure = not in_doubt_of_identity(flags) and not disagree
    perimeter, names = _NAN, [first["photo"]] if first["photo"] else []
    if drawn:
        combined, perimeter, names = _combine(drawn, parts=state == "split")
        out.update(combined)
        out["detection_limit_mm"] = _limit(passing, names)
    elif state == "healed":
        out.update(_closed(_limit(passing, [first["photo"]])))
        perimeter, names = 0.0, sorted({photo["photo"] for photo in passing}) or names
    out["n_photos"] = len(names) if drawn or state == "healed" else 0
    out["evidence"] = evidence_of_visit(names, flags)
    out["flags"] = write_flags(flags)
    out["identity_probability"] = min((known_number(row["identity_probability"]) for row in drawn), default=_NAN)
    out["merged_into"] = next((row["merged_into"] for row in rows if row["merged_into"]), "")
    area = tuple(float(out.get(name, _NAN)) for name in ("area_mm2", "area_low_mm2", "area_high_mm2"))
    return _Visit(out, when, perimeter, (area[0], area[1], area[2]), sure)


def _that_exclude_each_other(drawn: list[Record]) -> tuple[str, ...]:
    """Return photos of one side whose intervals of the diameter do not meet: one of them shows something else."""
    found = {
        name
        for a, b in combinations(drawn, 2)
        if a["photo"] != b["photo"] and a["view"] == b["view"]
        if max(a["diameter_low_mm"], b["diameter_low_mm"]) > min(a["diameter_high_mm"], b["diameter_high_mm"])
        for name in (a["photo"], b["photo"])
    }
    return tuple(sorted(found))


def _combine(drawn: list[Record], *, parts: bool) -> tuple[dict[str, float], float, list[str]]:
    """Put a visit's outlines of one ulcer together: over the parts on one photo, then the mean over photos.

    Parts add (areas, perimeters) or give the longest (diameters); without a split two outlines on one photo are the
    same ulcer drawn twice and average.
    """
    by_photo = grouped(drawn, key=itemgetter("photo"))
    most = max(len(rows) for rows in by_photo.values()) if parts else 0
    use = {name: rows for name, rows in sorted(by_photo.items()) if len(rows) >= most}

    def over_photos(name: str, total: Callable[[list[float]], float]) -> float:
        return float(np.mean([(total if parts else np.mean)([row[name] for row in rows]) for rows in use.values()]))

    values = {f"diameter{end}_mm": over_photos(f"diameter{end}_mm", max) for end in _ENDS}
    values |= {f"area{end}_mm2": over_photos(f"area{end}_mm2", sum) for end in _ENDS}
    return values, over_photos("perimeter_mm", sum), list(use)


def _limit(passing: list[Record], names: list[str]) -> float:
    """Return the smallest detection limit of the photos that a state rests on; NaN where none is known."""
    limits = [known_number(photo["detection_limit_mm"]) for photo in passing if photo["photo"] in names]
    return min((limit for limit in limits if math.isfinite(limit)), default=_NAN)


def _closed(limit: float) -> dict[str, float]:
    """Return zeros; the upper ends are the detection limit of the photo that the state rests on."""
    return {
        "diameter_mm": 0.0,
        "diameter_low_mm": 0.0,
        "diameter_high_mm": limit,
        "detection_limit_mm": limit,
        "area_mm2": 0.0,
        "area_low_mm2": 0.0,
        "area_high_mm2": math.pi / 4 * limit**2,
    }


def _absorbed(rows: list[Record]) -> dict[str, list[str]]:
    """For every ulcer the ulcers that went into it."""
    hosts: dict[str, set[str]] = {}
    for row in rows:
        if row["merged_into"]:
            hosts.setdefault(row["merged_into"], set()).add(row["ulcer_id"])
    return {host: sorted(parts) for host, parts in hosts.items()}


def _compare(courses: dict[str, list[_Visit]], ulcer_id: str, parts: list[str], protocol: Protocol) -> list[Record]:
    course = courses[ulcer_id]
    baseline = _baseline(course, protocol)
    out = []
    for position, now in enumerate(course):
        row = dict(now.row)
        took_in = [courses[part] for part in parts if _gone(courses[part], now)]
        earlier = [visit for visit in course[:position] if visit.known]
        previous = earlier[-1] if earlier else None
        if previous is not None and not _gone_by(took_in, previous):
            previous = _together(previous, took_in)
        start = _together(baseline, took_in) if baseline is not None else None
        row.update(_against_previous(previous, now, protocol, first=position == 0))
        row.update(_against_baseline(start, now, course, protocol))
        out.append(row)
    return out


def _gone(part: list[_Visit], now: _Visit) -> bool:
    """Has this ulcer gone into another by now."""
    return any(v.row["state"] == "merged" and not v.known and v.when <= now.when for v in part)


def _gone_by(took_in: list[list[_Visit]], when: _Visit) -> bool:
    return not took_in or all(_gone(part, when) for part in took_in)


def _together(visit: _Visit, took_in: list[list[_Visit]]) -> _Visit:
    """Add the last areas and perimeters, up to that visit, of the ulcers that were taken in."""
    area, perimeter = visit.area, visit.perimeter_mm
    for part in took_in:
        known = [v for v in part if v.known and v.when <= visit.when]
        if known:
            area = (area[0] + known[-1].area[0], area[1] + known[-1].area[1], area[2] + known[-1].area[2])
            perimeter += known[-1].perimeter_mm
    return _Visit(visit.row, visit.when, perimeter, area, visit.sure)


def _baseline(course: list[_Visit], protocol: Protocol) -> _Visit | None:
    """Return the last passing measurement at or before day 0, at most `baseline_max_days_before` days before."""
    days = -protocol.healing.baseline_max_days_before
    before = [visit for visit in course if visit.known and days <= known_day(visit.row) <= 0]
    kept = {id(row) for row in without_contradicted([visit.row for visit in before])}
    return next((visit for visit in reversed(before) if id(visit.row) in kept), None)


def _against_previous(previous: _Visit | None, now: _Visit, protocol: Protocol, *, first: bool) -> Record:
    if previous is None or not now.known:
        return {"change_from_previous": "" if first else "uncertain", "margin_advance_mm_per_week": _NAN}
    then_on, now_on = exact_date(previous.row["date"]), exact_date(now.row["date"])
    weeks = (now_on - then_on).days / 7 if then_on is not None and now_on is not None else _NAN
    advance = margin_advance(previous.area[0], now.area[0], previous.perimeter_mm, now.perimeter_mm, weeks)
    return {"change_from_previous": _change(previous, now, protocol), "margin_advance_mm_per_week": advance}


def _against_baseline(start: _Visit | None, now: _Visit, course: list[_Visit], protocol: Protocol) -> Record:
    day = known_day(now.row)
    if start is None:
        compares = course[0].row["state"] != "new" and not day <= 0 and (day > 0 or now is not course[0])
        return {"change_from_baseline": "uncertain" if compares else "", "area_reduction_pct": _NAN}
    if day <= known_day(start.row) or now.when < start.when:
        itself = day == known_day(start.row) and start.area[0] > 0
        return {"change_from_baseline": "", "area_reduction_pct": 0.0 if itself else _NAN}
    if not now.known:
        return {"change_from_baseline": "uncertain", "area_reduction_pct": _NAN}
    reduction = 100 * (start.area[0] - now.area[0]) / start.area[0] if start.area[0] > 0 else _NAN
    return {"change_from_baseline": _change(start, now, protocol), "area_reduction_pct": reduction}


def _change(then: _Visit, now: _Visit, protocol: Protocol) -> str:
    return change(then.area[0], now.area[0], protocol, interval_then=then.area[1:], interval_now=now.area[1:])
