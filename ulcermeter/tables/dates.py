"""Dates as trials write them: ISO 8601, sometimes only to the month or year, which makes them intervals."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date

__all__ = ["DateInterval", "add_months", "day_number", "parse_date"]

_ISO = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


@dataclass(frozen=True)
class DateInterval:
    """The first and the last day a date can mean; equal when it is known to the day."""

    low: date
    high: date

    @property
    def exact(self) -> bool:
        """Is the date known to the day."""
        return self.low == self.high


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
    ValueError
        Not such a date, or one that does not exist (2015-02-30).
    """
    if not text.strip():
        return None
    match = _ISO.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"expected an ISO 8601 date such as 2016-05-17, 2016-05 or 2016, got '{text}'")
    year, month, day = (int(part) if part else None for part in match.groups())
    assert year is not None
    try:
        if day is not None and month is not None:
            return DateInterval(date(year, month, day), date(year, month, day))
        last_month = 12 if month is None else month
        last = date(year, last_month, calendar.monthrange(year, last_month)[1])
        return DateInterval(date(year, 1 if month is None else month, 1), last)
    except (ValueError, calendar.IllegalMonthError) as error:
        raise ValueError(f"expected a date that exists, got '{text}'") from error


def add_months(day: date, months: int) -> date:
    """Add calendar months; the day is cut to the month's last (31 January + 1 month = 28 or 29 February)."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def day_number(text: str, day_zero: str) -> int | None:
    """Return the days from `day_zero` to `text`; None unless both are known to the day."""
    then, zero = parse_date(text), parse_date(day_zero)
    if then is None or zero is None or not then.exact or not zero.exact:
        return None
    return (then.low - zero.low).days
