"""One ulcer's rows of trajectories, as outcomes read them: what was seen at a visit, at baseline, at last."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ulcermeter.healing import OPEN_STATES, assessable
from ulcermeter.outcomes.incidents import days_between
from ulcermeter.protocol import Protocol, Visit
from ulcermeter.tables.cells import Record, not_known
from ulcermeter.tables.dates import parse_date
from ulcermeter.tables.flags import in_doubt_of_identity, read_flags

__all__ = ["Course", "day_of", "is_assessed", "is_open", "is_sized", "window_of"]


def day_of(row: Record) -> float:
    """Return the day after treatment; NaN when it is not known.

    Parameters
    ----------
    row : Record
        A row of a table as a mapping of column to cell.

    Returns
    -------
    float
    """
    return float("nan") if not_known(row["day"]) else float(row["day"])


def is_open(row: Record) -> bool:
    """Something open was measured (a merged ulcer without an area of its own was not).

    Parameters
    ----------
    row : Record
        A row of a table as a mapping of column to cell.

    Returns
    -------
    bool
    """
    return row["state"] in OPEN_STATES and math.isfinite(row["area_mm2"])


def is_assessed(row: Record) -> bool:
    """Say whether the visit told open from closed: measured, or healed, or amputated.

    Parameters
    ----------
    row : Record
        A row of a table as a mapping of column to cell.

    Returns
    -------
    bool
    """
    return is_open(row) or row["state"] in ("healed", "amputated")


def is_sized(row: Record) -> bool:
    """Say whether the visit told this ulcer's area: assessed, and surely of this ulcer and no other.

    Parameters
    ----------
    row : Record
        A row of a table as a mapping of column to cell.

    Returns
    -------
    bool
    """
    return is_assessed(row) and row["state"] != "amputated" and not in_doubt_of_identity(read_flags(row["flags"]))


def window_of(visit: Visit) -> tuple[int, int] | None:
    """Return the first and last day that count for a visit; None for one without a day.

    Parameters
    ----------
    visit : Visit
        A visit of the protocol.

    Returns
    -------
    tuple[int, int] or None
    """
    if visit.day is None:
        return None
    half = visit.window_days or 0
    return visit.day - half, visit.day + half


@dataclass(frozen=True)
class Course:
    """An ulcer over the visits.

    Attributes
    ----------
    own : tuple of Record
        Its rows of trajectories, dated or not; from a merge on those of the ulcer that it went into.
    protocol : Protocol
    host : str
        That ulcer; empty for none.
    merged_on : float
        The day from which it is a part of another; infinite for none.
    zero : str
        The day of treatment as subjects.csv writes it; empty where it is not known.
    """

    own: tuple[Record, ...] = field(repr=False)
    protocol: Protocol = field(repr=False)
    host: str = ""
    merged_on: float = math.inf
    zero: str = ""

    @cached_property
    def undated(self) -> list[tuple[Record, float, float]]:
        """Assessments whose day is not known, each with the first and last day after treatment that it can mean."""
        rows = [row for row in self.own if is_assessed(row) and not math.isfinite(day_of(row))]
        return [(row, *self._days(row)) for row in rows]

    def starts_after(self, day: float) -> bool:
        """Say whether all that is known of it is surely of later days."""
        dated = [day_of(row) for row in self.own if math.isfinite(day_of(row))]
        others = [self._days(row)[0] for row in self.own if not math.isfinite(day_of(row))]
        return min([*dated, *others], default=day) > day

    def _days(self, row: Record) -> tuple[float, float]:
        """Return the first and last day after treatment that a row's date can mean."""
        return days_between(parse_date(str(row["date"])), parse_date(self.zero))

    @cached_property
    def rows(self) -> list[Record]:
        """Rows with a known day, in time order; equal days in the order of the protocol's visits.

        What says healed and cannot (`ulcermeter.healing.assessable`) is left out, or not assessed.
        """
        order = {visit.name: i for i, visit in enumerate(self.protocol.visits)}
        known = [row for row in self.own if math.isfinite(day_of(row))]
        return assessable(sorted(known, key=lambda row: (day_of(row), order.get(row["visit"], len(order)))))

    @cached_property
    def baseline(self) -> Record | None:
        """The last assessment at or before day 0, at most ``baseline_max_days_before`` days before.

        As where trajectories are compared with it: one that may be another ulcer's is none.
        """
        oldest = -self.protocol.healing.baseline_max_days_before
        assessed = [row for row in self.rows if is_assessed(row) and not in_doubt_of_identity(read_flags(row["flags"]))]
        rows = [row for row in assessed if oldest <= day_of(row) <= 0]
        return rows[-1] if rows else None

    @property
    def open_at_baseline(self) -> bool:
        """It was seen open at baseline."""
        return self.baseline is not None and is_open(self.baseline)

    @property
    def after(self) -> list[Record]:
        """Assessments after day 0."""
        return [row for row in self.rows if is_assessed(row) and day_of(row) > 0]

    def at(self, visit: Visit) -> Record | None:
        """Return the assessment that counts for a visit: the nearest in its window, whatever it was called.

        At equal distance the one of that name, then the earlier. The visit of phase baseline takes the baseline.
        """
        if visit.phase == "baseline":
            return self.baseline
        window = window_of(visit)
        if window is None or visit.day is None:
            return None
        day = visit.day
        rows = [row for row in self.rows if is_assessed(row) and window[0] <= day_of(row) <= window[1]]
        return min(rows, key=lambda r: (abs(day_of(r) - day), r["visit"] != visit.name, day_of(r)), default=None)

    def indeterminate_at(self, visit: Visit) -> bool:
        """Say whether photos of a visit could not tell: nothing was assessed in its window, and one was indeterminate.

        The visit of phase baseline takes the days that a baseline can be of.
        """
        window = window_of(visit)
        if visit.phase == "baseline":
            window = (-self.protocol.healing.baseline_max_days_before, 0)
        if window is None or self.at(visit) is not None:
            return False
        own = [row for row in self.rows if window[0] <= day_of(row) <= window[1]]
        return any(row["state"] == "indeterminate" for row in own)

    def last_known(self, *, by: float = math.inf) -> Record | None:
        """Return the last row by a day that tells anything of it."""
        assessed = [row for row in self.rows if day_of(row) <= by and row["state"] != "not photographed"]
        return assessed[-1] if assessed else None

    def is_counted_in_another(self, *, by: float = math.inf) -> bool:
        """Say whether by a day it is a part of another ulcer, which is counted in its place."""
        return self.merged_on <= by if self.host else self.went_into_another(by=by)

    def went_into_another(self, *, by: float = math.inf) -> bool:
        """Say whether the last that is known of it by a day is that it merged, into what is not followed."""
        last = self.last_known(by=by)
        return last is not None and last["state"] == "merged" and not is_open(last)

    def until(self, day: float) -> Sequence[Record]:
        """Rows after day 0 up to and with a day, assessed or not."""
        return [row for row in self.rows if 0 < day_of(row) <= day]
