"""Evidence in time: only what is dated up to inclusion and not too old counts, and the last of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ulcermeter.datatypes import Ask
from ulcermeter.eligibility.three_valued import Truth, all_of, not_after
from ulcermeter.tables.cells import Record, not_known
from ulcermeter.tables.dates import DateInterval, parse_date

__all__ = ["Dated", "Horizon", "agreed", "dated", "last_ones", "too_late", "too_old"]


@dataclass(frozen=True)
class Horizon:
    """The days whose evidence counts: up to the cutoff, and at most so many days before it.

    Attributes
    ----------
    cutoff : DateInterval or None
        None when it is not known: then nothing surely counts.
    most_days : int
        The protocol's limit for that kind of evidence, days.
    """

    cutoff: DateInterval | None
    most_days: int

    def in_time(self, when: DateInterval | None) -> Truth:
        """Is the day not later than the cutoff."""
        return not_after(when, self.cutoff)

    def fresh(self, when: DateInterval | None) -> Truth:
        """Is the day at most so many days before the cutoff."""
        if when is None or self.cutoff is None:
            return None
        if (self.cutoff.high - when.low).days <= self.most_days:
            return True
        return False if (self.cutoff.low - when.high).days > self.most_days else None

    def holds(self, when: DateInterval | None) -> Truth:
        """Say whether evidence of that day counts."""
        return all_of(self.in_time(when), self.fresh(when))

    def within(self, ask: Ask) -> Ask:
        """Return what is asked for, to be answered on one of these days."""
        return replace(ask, until=self.cutoff, most_days=self.most_days)


@dataclass(frozen=True)
class Dated:
    """A row of evidence.

    Attributes
    ----------
    row : dict
    when : DateInterval or None
    sure : bool
        It surely speaks of this ulcer; False where it may be another's.
    """

    row: Record
    when: DateInterval | None
    sure: bool = True

    def counts(self, horizon: Horizon) -> bool:
        """Surely of this ulcer, surely not later than the cutoff, and surely not too old."""
        return self.sure and horizon.holds(self.when) is True


def dated(rows: Iterable[tuple[Record, bool]], column: str) -> list[Dated]:
    """Date each (row, sure) by one of its columns.

    Parameters
    ----------
    rows : Iterable[tuple[Record, bool]]
        Rows, each with whether it surely speaks of this ulcer.
    column : str
        A column's name.

    Returns
    -------
    list[Dated]
    """
    return [Dated(row, parse_date(row[column]), sure) for row, sure in rows]


def last_ones(items: Iterable[Dated], horizon: Horizon) -> list[Dated]:
    """Return every row that could be the last one up to the cutoff, however old.

    A row is out when it is surely later than the cutoff, or surely earlier than one that surely is of this ulcer and
    in time. Rows without a date, or that may be another ulcer's, stay in: what they say must agree before anything is
    known.

    Parameters
    ----------
    items : iterable of Dated
        Dated rows.
    horizon : Horizon
        The days whose evidence counts.

    Returns
    -------
    list[Dated]
    """
    possible = [item for item in items if horizon.in_time(item.when) is not False]
    sure = [item.when for item in possible if item.sure and horizon.in_time(item.when) is True]
    newest = max((when.low for when in sure if when), default=None)
    if newest is None:
        return possible
    return [item for item in possible if item.when is None or item.when.high >= newest]


def agreed(items: Sequence[Dated], column: str, horizon: Horizon) -> Dated | None:
    """Return the row whose answer in a column is the last up to the cutoff, or None when that is not known.

    Known only when a row that surely counts says it, no row that could be the last says otherwise, and no row that
    could be later is empty there.

    Parameters
    ----------
    items : sequence of Dated
        Dated rows.
    column : str
        A column's name.
    horizon : Horizon
        The days whose evidence counts.

    Returns
    -------
    Dated or None
    """
    last = last_ones(items, horizon)
    spoken = [item for item in last if not not_known(item.row[column])]
    sure = [item for item in spoken if item.counts(horizon)]
    if not sure or len({item.row[column] for item in spoken}) != 1:
        return None
    known_from = max(item.when.low for item in sure if item.when)
    silent = [item for item in last if not_known(item.row[column])]
    if any(item.when is None or item.when.high > known_from for item in silent):
        return None
    return sure[0]


def too_late(items: Iterable[Dated], horizon: Horizon) -> list[Dated]:
    """Return the rows that are surely later than the cutoff.

    Parameters
    ----------
    items : iterable of Dated
        Dated rows.
    horizon : Horizon
        The days whose evidence counts.

    Returns
    -------
    list[Dated]
    """
    return [item for item in items if horizon.in_time(item.when) is False]


def too_old(items: Iterable[Dated], column: str, horizon: Horizon) -> list[Dated]:
    """Return the rows that answer in a column, could be the last up to the cutoff, and are or may be too old.

    Parameters
    ----------
    items : iterable of Dated
        Dated rows.
    column : str
        A column's name.
    horizon : Horizon
        The days whose evidence counts.

    Returns
    -------
    list[Dated]
    """
    answering = [item for item in last_ones(items, horizon) if not not_known(item.row[column])]
    return [item for item in answering if item.when is not None and horizon.fresh(item.when) is not True]
