"""Healing of one ulcer as its rows in `trajectories` tell it: when it healed, and whether that was confirmed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from ulcermeter.tables.cells import Record, Row, known_number
from ulcermeter.tables.dates import exact_date, parse_date, time_keys
from ulcermeter.tables.flags import FlagKind, in_doubt_of_identity, read_flags

if TYPE_CHECKING:
    from ulcermeter.protocol import Protocol

__all__ = [
    "OPEN_STATES",
    "assessable",
    "confirmation_from",
    "healing_interval",
    "is_confirmed",
    "is_possibly_open",
    "is_surely_open",
    "is_sustained",
    "known_day",
    "without_contradicted",
]

# A merged or split ulcer is open only where an outline stands; one that went into another has no area of its own.
OPEN_STATES = ("first seen", "new", "persistent", "recurrent", "merged", "split")
_NAN = float("nan")
_SIZES = ("diameter_mm", "diameter_low_mm", "diameter_high_mm", "area_mm2", "area_low_mm2", "area_high_mm2")
_NOT_ASSESSED: Record = {"state": "indeterminate", "area_reduction_pct": _NAN, **dict.fromkeys(_SIZES, _NAN)}
_NOT_ASSESSED |= {"change_from_baseline": "uncertain", "change_from_previous": "uncertain"}


def healing_interval(trajectory: Sequence[Record], protocol: Protocol) -> tuple[float, float, bool]:
    """Return when an ulcer healed, as far as visits can tell: in (low, high].

    Where the protocol asks that healing lasts (``healed_lasts``) it is the first that did; one of which that is not
    known is no event, nor is any later one.

    A day on which it was also seen open is no day of healing. An outline that may be of another ulcer, or is smaller
    than its own photos could show, does not show that this one was still open.

    Parameters
    ----------
    trajectory : sequence of dict
        The rows of one ulcer in `trajectories`.
    protocol : Protocol
        The order of the visits, where a partial date leaves it open.

    Returns
    -------
    low : float
        Last day seen open before it was first seen healed after day 0 (may be before day 0); the last day seen open
        when healing was not seen; NaN when it was never seen open on a known day.
    high : float
        First day after day 0 on which it was seen healed, the last one that a partial date can mean; NaN when that was
        not seen.
    observed : bool
        Healing was seen. Amputation, indeterminate and not photographed are no healing.
    """
    low = _NAN
    rows = assessable(_in_order(trajectory, protocol))
    for position, (row, (first, last)) in enumerate(zip(rows, _days(rows), strict=True)):
        if not math.isfinite(first):
            continue
        if is_surely_open(row) and not _is_under_limit(row):
            low = first if not math.isfinite(low) else max(low, first)
        elif row["state"] == "healed" and _after_treatment(row["visit"], first, last, protocol):
            lasts = _lasts(rows, position, protocol) if low < last else "no"
            if lasts != "no":
                return (low, last, True) if lasts == "yes" else (low, _NAN, False)
        elif row["state"] == "healed" and last <= 0:
            low = _NAN
    return low, _NAN, False


def is_confirmed(trajectory: Sequence[Record], protocol: Protocol) -> str:
    """Say whether the first healing after day 0 was confirmed.

    The next passing photo at least ``confirmation_days`` later, less the half-window of that later visit but never
    under ``confirmation_min_days``, must show it healed too. Open on any photo up to then is *no*; no such photo, no
    healing, or an outline up to then that may be of another ulcer or is only a
    possible ulcer, is *unknown*.

    Parameters
    ----------
    trajectory : sequence of dict
        The rows of one ulcer in `trajectories`.
    protocol : Protocol

    Returns
    -------
    {'yes', 'no', 'unknown'}
    """
    return _still_healed(trajectory, protocol, after_days=protocol.healing.confirmation_days)


def is_sustained(trajectory: Sequence[Record], protocol: Protocol) -> str:
    """Say whether the first healing after day 0 lasted: as `is_confirmed`, ``sustained_weeks`` later.

    Parameters
    ----------
    trajectory : sequence of dict
        The rows of one ulcer in `trajectories`.
    protocol : Protocol

    Returns
    -------
    {'yes', 'no', 'unknown'}
    """
    return _still_healed(trajectory, protocol, after_days=7 * protocol.healing.sustained_weeks)


def _still_healed(trajectory: Sequence[Record], protocol: Protocol, *, after_days: int) -> str:
    rows = assessable(_in_order(trajectory, protocol))
    first = _first_healed(rows, protocol)
    if first is None:
        return "unknown"
    reply = _healed_from(rows, first, protocol, after_days)
    return "unknown" if reply == "no" and _may_be_earlier(rows, first) else reply


def _may_be_earlier(rows: Sequence[Record], first: int) -> bool:
    """Say whether one before the first healing may have been after day 0 too, and then the first."""
    opened = False
    for row, (_, last) in zip(rows[:first], _days(rows), strict=False):
        opened = opened or _is_open(row)
        if opened and row["state"] == "healed" and last > 0:
            return True
    return False


def _lasts(rows: Sequence[Record], position: int, protocol: Protocol) -> str:
    """Say whether a healing lasts as long as the protocol asks of one that counts."""
    rules = protocol.healing
    days = {"confirmed": rules.confirmation_days, "sustained": 7 * rules.sustained_weeks}.get(rules.healed_lasts)
    return "yes" if days is None else _healed_from(rows, position, protocol, days)


def confirmation_from(rows: Sequence[Record], position: int, protocol: Protocol) -> str:
    """Say whether one healing was confirmed, as `is_confirmed`.

    Parameters
    ----------
    rows : sequence of dict
        An ulcer's rows of `trajectories`, in time order.
    position : int
        Of the row that shows it healed.
    protocol : Protocol

    Returns
    -------
    {'yes', 'no', 'unknown'}
    """
    return _healed_from(rows, position, protocol, protocol.healing.confirmation_days)


def _healed_from(rows: Sequence[Record], first: int, protocol: Protocol, after_days: int) -> str:
    healed_on, perhaps = exact_date(rows[first]["date"]), False
    for row in rows[first + 1 :]:
        if _is_open(row):
            return "no" if is_surely_open(row) and not perhaps else "unknown"
        if is_possibly_open(row):
            return "unknown"
        if row["state"] != "healed":
            continue
        healed_again_on = exact_date(row["date"])
        if healed_on is None or healed_again_on is None:
            perhaps = True
            continue
        wanted = max(after_days - _half_window(row["visit"], protocol), protocol.healing.confirmation_min_days)
        if (healed_again_on - healed_on).days >= wanted:
            return "yes"
    return "unknown"


def _first_healed(rows: Sequence[Record], protocol: Protocol) -> int | None:
    """Return the position of the first row healed after day 0 (or on an unknown day) that was seen open before.

    Of one that lasts as the protocol asks, where there is one.
    """
    opened, found = False, None
    for position, (row, (first, last)) in enumerate(zip(rows, _days(rows), strict=True)):
        opened = opened or _is_open(row)
        later = not math.isfinite(first) or _after_treatment(row["visit"], first, last, protocol)
        if opened and later and row["state"] == "healed":
            if _lasts(rows, position, protocol) != "no":
                return position
            found = position if found is None else found
    return found


def _after_treatment(visit: str, first: float, last: float, protocol: Protocol) -> bool:
    """After day 0, by the days it can have been on, or by its visit where day 0 is one of them."""
    planned_after = any(v.name == visit and v.phase == "follow-up" for v in protocol.visits)
    return first > 0 or (last > 0 and planned_after)


def _days(rows: Sequence[Record]) -> list[tuple[float, float]]:
    """Return the first and last day after treatment that each row can mean; NaN where its date or day 0 is unknown."""
    dated = [(row, interval) for row in rows if (interval := parse_date(row["date"])) is not None]
    zeros = [i.low - timedelta(days=known_day(row)) for row, i in dated if i.exact and math.isfinite(known_day(row))]
    days = []
    for row in rows:
        day, interval = known_day(row), parse_date(row["date"])
        if math.isfinite(day) or interval is None or not zeros:
            days.append((day, day))
        else:
            days.append((float((interval.low - zeros[0]).days), float((interval.high - zeros[0]).days)))
    return days


def _half_window(visit: str, protocol: Protocol) -> int:
    return next((v.window_days or 0 for v in protocol.visits if v.name == visit), 0)


def _is_open(row: Row) -> bool:
    return row["state"] in OPEN_STATES and math.isfinite(known_number(row["area_mm2"]))


def is_surely_open(row: Row) -> bool:
    """Say whether a row shows the ulcer open, by an outline that is surely its own.

    Parameters
    ----------
    row : mapping
        A row of `trajectories`.

    Returns
    -------
    bool
    """
    return _is_open(row) and not in_doubt_of_identity(read_flags(str(row["flags"])))


def is_possibly_open(row: Row) -> bool:
    """Say whether a row shows a possible ulcer there, and nothing surer.

    Parameters
    ----------
    row : mapping
        A row of `trajectories`.

    Returns
    -------
    bool
    """
    possible = any(flag.kind is FlagKind.POSSIBLE_ULCER for flag in read_flags(str(row["flags"])))
    return possible and row["state"] == "indeterminate"


def assessable(rows: Sequence[Record]) -> list[Record]:
    """Return an ulcer's rows in time without what says healed and cannot: contradicted, or too small to be seen.

    Where only larger ulcers could have been found than this one was when last seen open, nothing found is no healing:
    it is *indeterminate* then, without a size. So it is where the ulcer was never outlined but smaller than what its
    own photos could show.

    Parameters
    ----------
    rows : sequence of dict
        Rows as mappings of column to cell, in time order.

    Returns
    -------
    list of dict
    """
    last_mm, shown, opened, out = _NAN, False, False, []
    for row in without_contradicted(rows):
        if is_surely_open(row):
            last_mm, opened = known_number(row["diameter_mm"]), True
            shown = shown or not _is_under_limit(row)
        elif row["state"] == "healed" and (opened > shown or known_number(row["diameter_high_mm"]) > last_mm):
            row = row | _NOT_ASSESSED
        out.append(row)
    return out


def _is_under_limit(row: Row) -> bool:
    """Say whether an outline is smaller than what its own photos could show."""
    return known_number(row["diameter_mm"]) < known_number(row["detection_limit_mm"])


def without_contradicted(rows: Sequence[Record]) -> list[Record]:
    """Leave out what says healed on a day on which the ulcer was also seen open.

    Two visits can fall on one day, an unscheduled one and a planned one. As with two photos of one visit, open weighs
    more: what was missed on one photo has not healed, and healing between two photos of a day is no interval.

    Parameters
    ----------
    rows : sequence of dict
        Rows as mappings of column to cell.

    Returns
    -------
    list of dict
    """
    open_on = {row["date"] for row in rows if _is_open(row) and exact_date(row["date"]) is not None}
    return [row for row in rows if row["state"] != "healed" or row["date"] not in open_on]


def known_day(row: Row) -> float:
    """Return a row's day after treatment; NaN when it is not known.

    Parameters
    ----------
    row : mapping of str to cell
        A row with a column ``day``.

    Returns
    -------
    float
    """
    return known_number(row["day"])


def _in_order(rows: Sequence[Record], protocol: Protocol) -> list[Record]:
    """Rows in time; within a partial date in the order of the protocol's visits."""
    keys = time_keys([(row["visit"], row["date"]) for row in rows], protocol.places)
    return [row for _, row in sorted(zip(keys, rows, strict=True), key=lambda item: item[0])]
