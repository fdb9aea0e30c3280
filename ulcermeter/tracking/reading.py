"""The tables as tracking needs them: for every finger its occasions in time, their photos, and what was outlined."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby, pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from ulcermeter.errors import Problem, TableError
from ulcermeter.protocol import Protocol
from ulcermeter.tables import conform
from ulcermeter.tables.cells import PASSED, by_key, grouped, is_unconfirmed, not_known, records
from ulcermeter.tables.dates import exact_date, in_doubt, parse_date, time_keys
from ulcermeter.tracking.observation import Observation, Place, combine

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Finger",
    "Occasion",
    "PhotoRow",
    "Record",
    "day_zero",
    "measurement_records",
    "photo_rows",
    "read_fingers",
    "visits_of",
]

Record = dict[str, Any]
FingerKey = tuple[str, str, str]


@dataclass(frozen=True)
class Occasion:
    """A visit on a day; ``attended`` is visits.csv's word."""

    visit: str
    date: str
    attended: str = ""


@dataclass(frozen=True)
class PhotoRow:
    """A row of the photos' table: what was photographed, whether it passed, and what the clinic says of it."""

    photo: str
    view: str
    site: str
    number: str
    reader_state: str
    covered: bool
    click_px: tuple[float, float] | None
    passed: bool
    status: str
    reason: str
    detection_limit_mm: float
    px_per_mm: float


@dataclass(frozen=True)
class Finger:
    """One finger of one subject over time.

    Attributes
    ----------
    subject_id, hand, finger : str
    occasions : tuple of Occasion
        In time order.
    photos : mapping of Occasion to tuple of PhotoRow
    observations : mapping of Occasion to mapping of photo to tuple of Observation
    unplaced : mapping of Occasion to sequence of str
        Occasions whose partial date leaves open whether they come before or after others, and the names of those.
    issued : frozenset of str
        All ids that were ever given on this finger.
    """

    subject_id: str
    hand: str
    finger: str
    occasions: tuple[Occasion, ...]
    photos: Mapping[Occasion, tuple[PhotoRow, ...]]
    observations: Mapping[Occasion, Mapping[str, tuple[Observation, ...]]]
    unplaced: Mapping[Occasion, Sequence[str]]
    issued: frozenset[str] = frozenset()


def measurement_records(measurements: pd.DataFrame) -> list[Record]:
    """Return the measurement rows in an order that does not depend on the input's.

    Parameters
    ----------
    measurements : DataFrame
        Table ``measurements``.

    Returns
    -------
    list[Record]
    """
    rows = records(conform("measurements", measurements))
    names = ("subject_id", "date", "visit", "hand", "finger", "photo", "label", "centroid_x_px", "centroid_y_px")
    return sorted(rows, key=lambda row: tuple(_sortable(row[name]) for name in names))


def read_fingers(
    records: Sequence[Record], photos: Sequence[Record], visits: Sequence[Record], protocol: Protocol
) -> list[Finger]:
    """Sort rows to fingers and occasions; fingers in the order of their names.

    Parameters
    ----------
    records : sequence of Record
        Rows as mappings of column to cell.
    photos : sequence of Record
        Table ``photos`` or its rows, with the study's columns where they are there.
    visits : sequence of Record
        Rows of visits.csv.
    protocol : Protocol
        The trial's rules.

    Returns
    -------
    list[Finger]

    Raises
    ------
    TableError
        A measurement whose photo row is missing or did not pass.
    """
    _check(records, photos)
    rows_of = by_key((_finger(row), index) for index, row in enumerate(records))
    photos_of = grouped(photos, key=_finger)
    # Searching all rows once a finger would be quadratic in the subjects.
    own_photos, own_visits = (grouped(rows, key=itemgetter("subject_id")) for rows in (photos, visits))
    fingers = []
    for key in sorted(rows_of):
        occasions = _occasions(photos_of[key], own_photos.get(key[0], []), own_visits.get(key[0], []), protocol)
        passed = [p for p in photos_of[key] if p["status"] in PASSED]
        doubts = in_doubt([(p["visit"], p["date"]) for p in passed], protocol.places)
        fingers.append(_read_finger(key, occasions, records, rows_of[key], photos_of[key], doubts=doubts))
    return fingers


def photo_rows(photos: pd.DataFrame) -> list[Record]:
    """Return photo rows as dicts, with the study's columns where they are there, in a fixed order.

    Parameters
    ----------
    photos : DataFrame
        Table ``photos`` or its rows, with the study's columns where they are there.

    Returns
    -------
    list[Record]
    """
    frame = conform("photos", photos, extra=True)
    rows = records(frame)
    for row in rows:
        for name in ("ulcer_no", "site", "covered", "reader_state"):
            row[name] = "" if not_known(row.get(name)) else str(row[name])
        for name in ("x", "y"):
            row[name] = math.nan if not_known(row.get(name)) else float(row[name])
    names = ("subject_id", "date", "visit", "hand", "finger", "photo", "ulcer_no", "x", "y")
    return sorted(rows, key=lambda row: tuple(_sortable(row[name]) for name in names))


def day_zero(records: Sequence[Record]) -> dict[str, date]:
    """Return every subject's treatment date as the measurements' days give it away.

    Parameters
    ----------
    records : sequence of Record
        Rows as mappings of column to cell.

    Returns
    -------
    dict[str, date]
    """
    zero: dict[str, date] = {}
    for row in records:
        known = parse_date(row["date"])
        if known is not None and known.exact and not not_known(row["day"]):
            zero.setdefault(row["subject_id"], known.low - timedelta(days=int(row["day"])))
    return zero


def _sortable(value: Any) -> tuple[int, float, str]:
    if not_known(value):
        return 1, 0.0, ""
    return (0, 0.0, value) if isinstance(value, str) else (0, float(value), "")


def _finger(row: Record) -> FingerKey:
    return row["subject_id"], row["hand"], row["finger"]


def _check(records: Sequence[Record], photos: Sequence[Record]) -> None:
    names = ("subject_id", "hand", "finger", "photo", "visit", "date")
    passed = {tuple(p[name] for name in names) for p in photos if p["status"] == "measured"}
    faults = [
        Problem(
            where="measurements",
            expected=f"the photo {row['photo']} ({row['subject_id']}, {row['visit']}, {row['date']}, "
            f"{row['hand']} {row['finger']}) in photos with the status measured",
            got="none",
            action="give both tables of one run",
        )
        for row in records
        if tuple(row[name] for name in names) not in passed
    ]
    if faults:
        raise TableError(sorted(set(faults), key=str))


# --- occasions ------------------------------------------------------------------------------------------------------


def _occasions(
    own: Sequence[Record], others: Sequence[Record], planned: Sequence[Record], protocol: Protocol
) -> tuple[Occasion, ...]:
    """Where this finger was photographed or, by the subject's other photos or visits.csv, could have been.

    A visit that has photos of this finger is not expected a second time for another date. Visits without a planned
    day (history, screening, unscheduled) may come more than once; there the date tells them apart.
    """
    words = {(v["visit"], v["date"]): v["attended"] for v in planned}
    found = {(p["visit"], p["date"]) for p in own}
    for source in (others, planned):
        for row in source:
            many = next((v.day is None for v in protocol.visits if v.name == row["visit"]), True)
            same = any(v == row["visit"] and (d == row["date"] or not row["date"] or not many) for v, d in found)
            if not same:
                found.add((row["visit"], row["date"]))
    occasions = [Occasion(v, d, words.get((v, d), "")) for v, d in found]
    keys = time_keys([(occasion.visit, occasion.date) for occasion in occasions], protocol.places)
    in_time = [occasion for _, occasion in sorted(zip(keys, occasions, strict=True), key=lambda item: item[0])]
    # Of one day's visits those that show an ulcer are read first, so that the others cannot tell of healing between.
    drawn = {(p["visit"], p["date"]) for p in own if p["status"] == "measured"}
    days = groupby(in_time, key=lambda o: o.date if exact_date(o.date) else o)
    return tuple(o for _, day in days for o in sorted(day, key=lambda o: (o.visit, o.date) not in drawn))


# --- photos and outlines of one finger ------------------------------------------------------------------------------


def _read_finger(
    key: FingerKey,
    occasions: tuple[Occasion, ...],
    records: Sequence[Record],
    rows: list[int],
    photos: list[Record],
    *,
    doubts: Mapping[tuple[str, str], Sequence[str]],
) -> Finger:
    photos_at: dict[Occasion, tuple[PhotoRow, ...]] = {}
    observations_at: dict[Occasion, dict[str, tuple[Observation, ...]]] = {}
    for occasion in occasions:
        here = tuple(_photo_row(p) for p in photos if (p["visit"], p["date"]) == (occasion.visit, occasion.date))
        photos_at[occasion] = here
        observations_at[occasion] = {}
        for name in sorted({row.photo for row in here}):
            mine = [k for k in rows if records[k]["photo"] == name and records[k]["date"] == occasion.date]
            mine = [k for k in mine if records[k]["visit"] == occasion.visit]
            if mine:
                same = [row for row in here if row.photo == name]
                observations_at[occasion][name] = _observations_on(mine, records, same)
    unplaced = {o: doubts[o.visit, o.date] for o in occasions if (o.visit, o.date) in doubts}
    return Finger(*key, occasions, photos_at, observations_at, unplaced)


def _photo_row(photo: Record) -> PhotoRow:
    clicked = math.isfinite(photo["x"]) and math.isfinite(photo["y"])
    return PhotoRow(
        photo=photo["photo"],
        view=photo["view"],
        site=_site(photo["site"]),
        number=photo["ulcer_no"].strip(),
        reader_state=photo["reader_state"],
        covered=photo["covered"] == "yes",
        click_px=(photo["x"], photo["y"]) if clicked else None,
        passed=photo["status"] in PASSED,
        status=photo["status"],
        reason=photo["reason"],
        detection_limit_mm=photo["detection_limit_mm"],
        px_per_mm=photo["px_per_mm"],
    )


def _site(text: str) -> str:
    return " ".join(text.casefold().split())


def _observations_on(rows: list[int], records: Sequence[Record], photos: Sequence[PhotoRow]) -> tuple[Observation, ...]:
    """Return the ulcers outlined on one photo; two clicks that gave one outline count once."""
    numbers = _numbers(rows, records, photos)
    groups: list[list[int]] = []
    for row in rows:
        twin = next((g for g in groups if _same_outline(records[g[0]], records[row], photos[0].px_per_mm)), None)
        if twin is None:
            groups.append([row])
        else:
            twin.append(row)
    return tuple(
        combine([_observation(k, records[k], numbers.get(k, ""), photos) for k in g], parts=False) for g in groups
    )


def _same_outline(a: Record, b: Record, px_per_mm: float) -> bool:
    apart = math.hypot(a["centroid_x_px"] - b["centroid_x_px"], a["centroid_y_px"] - b["centroid_y_px"])
    # A quarter of the smaller one: two outlines of one photo that near each other overlap almost wholly.
    return bool(apart < min(a["diameter_mm"], b["diameter_mm"]) / 4 * px_per_mm)


def _numbers(rows: list[int], records: Sequence[Record], photos: Sequence[PhotoRow]) -> dict[int, str]:
    """Give an outline the clinic's number where a click says which, or where there is just one of either.

    A row whose reader says healed does not name the outline that is there.
    """
    numbers: dict[int, str] = {}
    rows = [k for k in rows if not is_unconfirmed(records[k])] or rows
    named = [photo for photo in photos if photo.number]
    for photo in named:
        if photo.click_px is not None:
            nearest = min(rows, key=lambda k: _apart_px(records[k], photo.click_px))
            reach = records[nearest]["diameter_mm"] * photo.px_per_mm
            if not _apart_px(records[nearest], photo.click_px) > reach:
                numbers[nearest] = photo.number
        elif len(rows) == 1 and len(named) == 1 and photo.reader_state != "healed":
            numbers[rows[0]] = photo.number
    return numbers


def _apart_px(record: Record, click_px: tuple[float, float] | None) -> float:
    assert click_px is not None
    return math.hypot(record["centroid_x_px"] - click_px[0], record["centroid_y_px"] - click_px[1])


def _observation(row: int, record: Record, number: str, photos: Sequence[PhotoRow]) -> Observation:
    view = record["view"] or photos[0].view
    # A site on the photo row speaks of all its ulcers only when it names no particular one.
    own = [p for p in photos if p.number == number] or (list(photos) if len(photos) == 1 else [])
    site = _site(record["site"]) or (own[0].site if own else "")
    place = Place(
        record["finger_s_mm"],
        record["finger_t_mm"],
        _known(record["finger_s_sd_mm"]),
        _known(record["finger_t_sd_mm"]),
        _known(record["diameter_mm"]) / 2,
    )
    located = math.isfinite(place.s_mm) and math.isfinite(place.t_mm)
    return Observation(
        rows=(row,),
        photos=frozenset({record["photo"]}),
        places={view: place} if located else {},
        views=frozenset({view}),
        sites=frozenset({site} if site else ()),
        number=number,
        area_mm2=_known(record["area_mm2"]),
        diameter_mm=_known(record["diameter_mm"]),
        possible_on=frozenset({record["photo"]} if is_unconfirmed(record) else ()),
        on_photo_mm=_on_photo(record, photos[0].px_per_mm),
    )


def _on_photo(record: Record, px_per_mm: float) -> tuple[float, float] | None:
    x, y = record["centroid_x_px"] / px_per_mm, record["centroid_y_px"] / px_per_mm
    return (x, y) if math.isfinite(x) and math.isfinite(y) else None


def _known(value: float) -> float:
    return float(value) if math.isfinite(value) else 0.0


def visits_of(finger: Finger, protocol: Protocol) -> list[int]:
    """Return how many of the protocol's visits have passed by every occasion: at least one more than by the one before.

    Parameters
    ----------
    finger : Finger
    protocol : Protocol

    Returns
    -------
    list of int
        0 for the first.
    """
    passed = [0]
    for before, occasion in pairwise(finger.occasions):
        then, now = (protocol.places.get(one.visit) for one in (before, occasion))
        passed.append(passed[-1] + (1 if then is None or now is None else max(now - then, 1)))
    return passed
