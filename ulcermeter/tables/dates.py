"""Dates as trials write them: ISO 8601, sometimes only to the month or year, which makes them intervals."""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from ulcermeter.errors import Problem
from ulcermeter.tables.cells import by_key

__all__ = [
    "DateError",
    "DateInterval",
    "TimeKey",
    "add_months",
    "day_number",
    "exact_date",
    "in_doubt",
    "parse_date",
    "readable_day",
    "time_keys",
]

# A visit's sort key: the earliest day that it can have been on behind the visits planned before it; its place; itself.
TimeKey = tuple[date, int, str, str]

_ISO = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


class DateError(ValueError):
    """A text that is no ISO 8601 date; its problem says what was expected."""

    def __init__(self, expected: str, text: str) -> None:
        self.problem = Problem(expected=expected, got=f"'{text}'")
        super().__init__(str(self.problem))


@dataclass(frozen=True)
class DateInterval:
    """The first and the last day a date can mean; equal when it is known to the day."""

    low: date
    high: date

    @property
    def exact(self) -> bool:
        """Is the date known to the day."""
        return self.low == self.high

    @property
    def text(self) -> str:
        """ISO 8601 where it is known to the day; else the first and the last day it can mean."""
        return self.low.isoformat() if self.exact else f"{self.low.isoformat()} to {self.high.isoformat()}"


@lru_cache(maxsize=4096)
def parse_date(text: str) -> DateInterval | None:
    """Read an ISO 8601 date, full or partial.

    Parameters
    ----------
    text : str
        ``2016-05-17``, ``2016-05``, ``2016`` or empty.

    Returns
    -------
    DateInterval or None
        None for an empty text.

    Raises
    ------
    DateError
        Not such a date, or one that does not exist (2015-02-30).
    """
    if not text.strip():
        return None
    match = _ISO.fullmatch(text.strip())
    if match is None:
        raise DateError("an ISO 8601 date such as 2016-05-17, 2016-05 or 2016", text)
    year, month, day = (int(part) if part else None for part in match.groups())
    assert year is not None
    try:
        if day is not None and month is not None:
            return DateInterval(date(year, month, day), date(year, month, day))
        last_month = 12 if month is None else month
        last = date(year, last_month, calendar.monthrange(year, last_month)[1])
        return DateInterval(date(year, 1 if month is None else month, 1), last)
    except (ValueError, calendar.IllegalMonthError) as error:
        raise DateError("a date that exists", text) from error


def readable_day(text: str) -> str:
    """Return a day written otherwise than ISO 8601 as such a date, where it can be read in one way only.

    ``25/05/2024`` and ``2024/5/6`` can; ``06/05/2024`` is a day of May or of June. ISO dates, partial ones too, come
    back as they are; empty for what is no date or may be two.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        ISO 8601, or empty.
    """
    try:
        return text.strip() if parse_date(text) else ""
    except ValueError:
        parts = re.split(r"[-./\s]+", text.strip())
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        return ""
    first, second, third = parts
    orders = [(third, second, first), (third, first, second)] if len(third) == 4 else [(first, second, third)]
    days = set()
    for year, month, day in orders:
        try:
            days.add(date(int(year), int(month), int(day)) if len(year) == 4 else None)
        except ValueError:
            continue
    (only,) = days if len(days) == 1 else (None,)
    return only.isoformat() if only else ""


def exact_date(text: str) -> date | None:
    """Return a date known to the day, else None.

    Parameters
    ----------
    text : str
        As in `parse_date`.

    Returns
    -------
    date or None
    """
    known = parse_date(text)
    return known.low if known is not None and known.exact else None


def add_months(day: date, months: int) -> date:
    """Add calendar months; the day is cut to the month's last (31 January + 1 month = 28 or 29 February).

    Parameters
    ----------
    day : date
    months : int
        May be negative.

    Returns
    -------
    date
    """
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def day_number(text: str, day_zero: str) -> int | None:
    """Return the days from `day_zero` to `text`; None unless both are known to the day.

    Parameters
    ----------
    text, day_zero : str
        As in `parse_date`.

    Returns
    -------
    int or None
        Days, negative before `day_zero`.
    """
    then, zero = parse_date(text), parse_date(day_zero)
    if then is None or zero is None or not then.exact or not zero.exact:
        return None
    return (then.low - zero.low).days


def time_keys(visits: Sequence[tuple[str, str]], places: Mapping[str, int]) -> list[TimeKey]:
    """Return a sort key for every visit: by day; within what a partial date can mean, by the order of the protocol.

    A visit dated only to the month stands behind the visits of that month that are planned before it; one without a
    date behind all that are.

    Parameters
    ----------
    visits : sequence of (name, date)
        Dates as in `parse_date`, or empty.
    places : mapping of str to int
        Each planned visit's place; other visits stand behind them.

    Returns
    -------
    list of tuple
        In the order given.
    """
    spans = [parse_date(text) or DateInterval(date.min, date.max) for _, text in visits]
    at = [places.get(name, len(places)) for name, _ in visits]
    days = {i: span.low for i, span in enumerate(spans) if span.exact}
    # In the order of the protocol, so that one partial date can rest on another.
    for i in sorted(set(range(len(visits))) - set(days), key=lambda k: (at[k], spans[k].low)):
        before = [day for k, day in days.items() if at[k] < at[i] and spans[i].low <= day <= spans[i].high]
        days[i] = max(before, default=spans[i].low)
    return [(days[i], at[i], name, text) for i, (name, text) in enumerate(visits)]


def in_doubt(visits: Sequence[tuple[str, str]], places: Mapping[str, int]) -> dict[tuple[str, str], list[str]]:
    """Return the visits that, by their partial date, may come before or after another, with the names of those.

    Two planned visits of different names are told apart by their places; others only by dates that do not overlap.

    Parameters
    ----------
    visits : Sequence[tuple[str, str]]
        Rows of visits.csv.
    places : Mapping[str, int]
        The place of every visit in the order of the trial.

    Returns
    -------
    dict[tuple[str, str], list[str]]
    """
    spans = {visit: parse_date(visit[1]) or DateInterval(date.min, date.max) for visit in visits}
    pairs = [(one, other) for one, span in spans.items() if not span.exact for other in spans if other != one]
    return by_key(
        (one, f"{other[0]} ({other[1] or 'no date'})")
        for one, other in pairs
        if spans[one].low <= spans[other].high
        and spans[other].low <= spans[one].high
        and (one[0] == other[0] or one[0] not in places or other[0] not in places)
    )
