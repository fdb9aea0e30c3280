"""Healing of one ulcer as its rows in `trajectories` tell it: when it healed, and whether that was confirmed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from ulcermeter.tables.dates import parse_date

if TYPE_CHECKING:
    import pandas as pd

    from ulcermeter.protocol import Protocol

__all__ = [
    "OPEN_STATES",
    "exact_date",
    "healing_interval",
    "is_confirmed",
    "known_day",
    "may_be_another",
    "without_contradicted",
]

# A merged or split ulcer is open only where an outline stands; one that went into another has no area of its own.
OPEN_STATES = ("first seen", "new", "persistent", "recurrent", "merged", "split")
_UNSURE = "ambiguous identity"
_NAN = float("nan")
_Row = dict[str, Any]


def healing_interval(trajectory: pd.DataFrame) -> tuple[float, float, bool]:
    """Return when an ulcer healed, as far as visits can tell: in (low, high].

    A day on which it was also seen open is no day of healing.

    Parameters
    ----------
    trajectory : DataFrame
        The rows of one ulcer in `trajectories`.

    Returns
    -------
    low : float
        Last day seen open before it was first seen healed after day 0 (may be before day 0); the last day seen open
        when healing was not seen; NaN when it was never seen open on a known day.
    high : float
        First day after day 0 on which it was seen healed; NaN when that was not seen.
    observed : bool
        Healing was seen. Amputation, indeterminate and not photographed are no healing.
    """
    low = _NAN
    for row in without_contradicted(_in_order(trajectory)):
        day = known_day(row)
        if not math.isfinite(day):
            continue
        if _is_open(row):
            low = day
        elif row["state"] == "healed" and day > 0 and math.isfinite(low):
            return low, day, True
        elif row["state"] == "healed" and day <= 0:
            low = _NAN
    return low, _NAN, False


def is_confirmed(trajectory: pd.DataFrame, protocol: Protocol) -> str:
    """Say whether the first healing after day 0 was confirmed.

    The next passing photo at least ``confirmation_days`` later, less the half-window of that later visit, must show it
    healed too. Open on any photo up to then is *no*; no such photo, or no healing, is *unknown*.

    Parameters
    ----------
    trajectory : DataFrame
        The rows of one ulcer in `trajectories`.
    protocol : Protocol

    Returns
    -------
    {'yes', 'no', 'unknown'}
    """
    told = without_contradicted(_in_order(trajectory))
    rows = [row for row in told if _is_open(row) or row["state"] == "healed"]
    first = next((i for i, row in enumerate(rows) if row["state"] == "healed" and _after_treatment(rows, i)), None)
    if first is None:
        return "unknown"
    healed_on = exact_date(rows[first]["date"])
    for row in rows[first + 1 :]:
        if _is_open(row):
            return "no"
        seen_on = exact_date(row["date"])
        if healed_on is None or seen_on is None:
            continue
        if (seen_on - healed_on).days >= protocol["confirmation_days"] - _half_window(row["visit"], protocol):
            return "yes"
    return "unknown"


def _after_treatment(rows: list[_Row], position: int) -> bool:
    """After day 0 (or on an unknown day), and seen open before."""
    day = known_day(rows[position])
    return not day <= 0 and any(_is_open(row) for row in rows[:position])


def _half_window(visit: str, protocol: Protocol) -> int:
    return next((v.window_days or 0 for v in protocol.visits if v.name == visit), 0)


def _is_open(row: Mapping[str, Any]) -> bool:
    return row["state"] in OPEN_STATES and math.isfinite(row["area_mm2"])


def without_contradicted(rows: Sequence[_Row]) -> list[_Row]:
    """Leave out what says healed on a day on which the ulcer was also seen open.

    Two visits can fall on one day, an unscheduled one and a planned one. As with two photos of one visit, open weighs
    more: what was missed on one photo has not healed, and healing between two photos of a day is no interval.
    """
    open_on = {row["date"] for row in rows if _is_open(row) and exact_date(row["date"]) is not None}
    return [row for row in rows if row["state"] != "healed" or row["date"] not in open_on]


def may_be_another(flags: str) -> bool:
    """Say whether flags or evidence tell that the outlines may be of another ulcer."""
    return any(flag.startswith(_UNSURE) for flag in flags.split("; "))


def known_day(row: Mapping[str, Any]) -> float:
    """Return a row's day after treatment; NaN when it is not known."""
    return _NAN if str(row["day"]) in ("", "None", "<NA>", "nan") else float(row["day"])


def exact_date(text: str) -> date | None:
    """Return a date known to the day, else None."""
    known = parse_date(text)
    return known.low if known is not None and known.exact else None


def _in_order(trajectory: pd.DataFrame) -> list[_Row]:
    """Rows by day of the photo; a row without a date keeps its place in the frame behind the one before it."""
    rows = [{str(k): v for k, v in row.items()} for row in trajectory.to_dict("records")]
    last, keyed = "", []
    for position, row in enumerate(rows):
        last = row["date"] or last
        keyed.append((last, position, row))
    return [row for _, _, row in sorted(keyed, key=lambda item: item[:2])]
