"""Evidence in time: only what is dated up to inclusion counts, and the last of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ulcermeter.eligibility.three_valued import not_after
from ulcermeter.tables.cells import not_known
from ulcermeter.tables.dates import DateInterval, parse_date

__all__ = ["Dated", "agreed", "dated", "last_ones"]


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

    row: dict[str, Any]
    when: DateInterval | None
    sure: bool = True

    def counts(self, cutoff: DateInterval | None) -> bool:
        """Surely of this ulcer and surely not later than the cutoff."""
        return self.sure and not_after(self.when, cutoff) is True


def dated(rows: Iterable[tuple[dict[str, Any], bool]], column: str) -> list[Dated]:
    """Date each (row, sure) by one of its columns.

    Parameters
    ----------
    rows : Iterable[tuple[dict[str, Any], bool]]
        Rows, each with whether it surely speaks of this ulcer.
    column : str
        A column's name.

    Returns
    -------
    list[Dated]
    """
    return [Dated(row, parse_date(row[column]), sure) for row, sure in rows]


def last_ones(items: Iterable[Dated], cutoff: DateInterval | None) -> list[Dated]:
    """Return every row that could be the last one up to the cutoff.

    A row is out when it is surely later than the cutoff, or surely earlier than one that surely counts. Rows without
    a date, or that may be another ulcer's, stay in: what they say must agree before anything is known.

    Parameters
    ----------
    items : iterable of Dated
        Dated rows.
    cutoff : DateInterval or None
        The day up to which evidence counts, as an interval; None when it is not known.

    Returns
    -------
    list[Dated]
    """
    possible = [item for item in items if not_after(item.when, cutoff) is not False]
    newest = max((item.when.low for item in possible if item.when and item.counts(cutoff)), default=None)
    if newest is None:
        return possible
    return [item for item in possible if item.when is None or item.when.high >= newest]


def agreed(items: Sequence[Dated], column: str, cutoff: DateInterval | None) -> Any:
    """Return what the last row up to the cutoff says in a column, or None when that is not known.

    Known only when a row that surely counts says it, no row that could be the last says otherwise, and no row that
    could be later is empty there.

    Parameters
    ----------
    items : sequence of Dated
        Dated rows.
    column : str
        A column's name.
    cutoff : DateInterval or None
        The day up to which evidence counts, as an interval; None when it is not known.

    Returns
    -------
    Any
    """
    last = last_ones(items, cutoff)
    spoken = [item for item in last if not not_known(item.row[column])]
    sure = [item for item in spoken if item.counts(cutoff)]
    if not sure or len({item.row[column] for item in spoken}) != 1:
        return None
    known_from = max(item.when.low for item in sure if item.when)
    silent = [item for item in last if not_known(item.row[column])]
    if any(item.when is None or item.when.high > known_from for item in silent):
        return None
    return sure[0].row[column]
