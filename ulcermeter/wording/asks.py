"""What would settle an open answer, and dates, in words."""

from __future__ import annotations

from collections.abc import Sequence

from ulcermeter.datatypes import Ask, Need
from ulcermeter.tables.dates import DateInterval

__all__ = ["columns_in_words", "ask_in_words", "asks_in_words", "date_in_words", "wanted_in_words"]


def date_in_words(when: DateInterval | None) -> str:
    """Return a date as one would write it: to the day, or as the interval it can mean.

    Parameters
    ----------
    when : DateInterval or None
        A date as the interval it can mean; None when it is not known.

    Returns
    -------
    str
    """
    return "an unknown day" if when is None else when.text


def ask_in_words(ask: Ask) -> str:
    """Return what is asked for: the file, whose row, the cells, and when it has to be answered.

    Parameters
    ----------
    ask : Ask

    Returns
    -------
    str
    """
    if ask.rows:
        return f"{ask.file} row{'s' if len(ask.rows) > 1 else ''} {', '.join(map(str, ask.rows))}, {_cells(ask)}"
    who = " ".join(part for part in (ask.subject_id, ask.about) if part)
    start = f"or {ask.file}" if ask.or_else else ask.file
    return f"{start}: {who}, {wanted_in_words(ask)}"


def wanted_in_words(ask: Ask) -> str:
    """Return what is wanted, without its place: the cells or a photo, and when it has to be answered.

    Parameters
    ----------
    ask : Ask

    Returns
    -------
    str
    """
    place = f", in place of {', '.join(ask.photos)}" if ask.photos else ""
    return f"{_WHAT[ask.need](ask)}{_when(ask)}{place}"


def asks_in_words(asks: Sequence[Ask]) -> str:
    """Return the cell ``would_settle``: each once, parted by '; '.

    Parameters
    ----------
    asks : sequence of Ask

    Returns
    -------
    str
    """
    return "; ".join(dict.fromkeys(map(ask_in_words, asks)))


def columns_in_words(columns: Sequence[str]) -> str:
    """Return columns as a person lists them.

    Parameters
    ----------
    columns : sequence of str

    Returns
    -------
    str
        Empty for none.
    """
    *first, last = columns or ("",)
    return f"{', '.join(first)} and {last}" if first else last


def _cells(ask: Ask) -> str:
    return columns_in_words(ask.columns)


def _photo(ask: Ask) -> str:
    return "a passing photo" + (f" with its {_cells(ask)}" if ask.columns else "")


def _when(ask: Ask) -> str:
    since = f", asked on or after {date_in_words(ask.since)}" if ask.since else ""
    until = f" up to {date_in_words(ask.until)}" if ask.until else ""
    return since + until + (f", at most {ask.most_days} days before" if ask.most_days is not None and until else "")


_WHAT = {
    Need.FILL: _cells,
    Need.EXACT: lambda ask: f"{_cells(ask)} to the day",
    Need.CORRECT: lambda ask: f"{_cells(ask)}, to be corrected",
    Need.AGAIN: lambda ask: f"{_cells(ask)}, to be answered anew",
    Need.ROW: lambda ask: "a row",
    Need.PHOTO: _photo,
}
