"""How numbers and short answers are worded for a reader; nothing known is a dash, never a zero."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from ulcermeter.tables.cells import Cell, Row, known_number, not_known
from ulcermeter.tables.flags import read_flags
from ulcermeter.wording import flag_in_words

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["FILTERS", "pieces", "plural", "with_interval"]

_UNKNOWN = "–"
# A sign beside the word, so that the meaning survives grey print and colour blindness.
_SIGNS = {
    "passes": "✓",
    "fails": "✗",
    "unknown": "?",
    "none": "·",
    "eligible": "✓",
    "not eligible": "✗",
    "undetermined": "?",
    "yes": "✓",
    "no": "✗",
    "uncertain": "?",
}


def number(value: Cell, decimals: int = 2) -> str:
    """Return a number with so many decimals (a plain 0 for an exact zero, as of a healed ulcer), or a dash.

    Parameters
    ----------
    value : str, float or None
        A cell of a column of numbers.
    decimals : int, optional
        Decimals shown.

    Returns
    -------
    str
    """
    if not_known(value):
        return _UNKNOWN
    shown = f"{known_number(value):.{decimals}f}"
    return shown if value and float(shown) else shown.removeprefix("-") if value else "0"


def whole(value: Cell) -> str:
    """Return a whole number, or a dash.

    Parameters
    ----------
    value : str, float or None
        A cell of a column of counts or days.

    Returns
    -------
    str
    """
    return _UNKNOWN if not_known(value) else str(int(known_number(value)))


def text(value: Cell) -> str:
    """Return a text, or a dash.

    Parameters
    ----------
    value : str, float or None
        A cell of a column of texts.

    Returns
    -------
    str
    """
    return _UNKNOWN if not_known(value) else str(value)


def sign(value: Cell) -> str:
    """Return the sign that goes with an answer, or nothing.

    Parameters
    ----------
    value : str, float or None
        A cell that holds an answer.

    Returns
    -------
    str
    """
    return _SIGNS.get(str(value), "")


def with_interval(row: Row, name: str, decimals: int = 2) -> str:
    """Return ``2.41 (2.12–2.70)`` from the columns ``diameter_mm``, ``diameter_low_mm``, ``diameter_high_mm``.

    Parameters
    ----------
    row : mapping of str to cell
        A row of a table as a mapping of column to cell.
    name : str
        The value's column; the columns of its ends are named after it.
    decimals : int, optional
        Decimals shown.

    Returns
    -------
    str
    """
    stem, unit = name.rsplit("_", 1)
    value, low, high = row[name], row[f"{stem}_low_{unit}"], row[f"{stem}_high_{unit}"]
    if not_known(low) or not_known(high) or low == high:
        return number(value, decimals)
    return f"{number(value, decimals)} ({number(low, decimals)}–{number(high, decimals)})"


def pieces(evidence: str) -> list[str]:
    """Return the parts of an evidence that stand between semicolons, brackets kept whole.

    Parameters
    ----------
    evidence : str
        An evidence in words.

    Returns
    -------
    list[str]
    """
    parts, depth = [""], 0
    for character in evidence:
        depth += (character == "(") - (character == ")")
        if character == ";" and depth <= 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts if part.strip()]


def flag_words(flags: str) -> list[str]:
    """Return the words of each flag of a ``flags`` cell.

    Parameters
    ----------
    flags : str
        A cell of a ``flags`` column.

    Returns
    -------
    list[str]
    """
    return [flag_in_words(flag) for flag in read_flags(flags)]


def healing_days(row: Row) -> str:
    """Return ``14 to 56`` for a healed ulcer, ``after 84`` for one last seen open, or a dash.

    Parameters
    ----------
    row : mapping of str to cell
        A row of a table as a mapping of column to cell.

    Returns
    -------
    str
    """
    low, high = row["healing_day_low"], row["healing_day_high"]
    if not not_known(high):
        return f"{whole(low)} to {whole(high)}"
    return _UNKNOWN if not_known(low) else f"after {whole(low)}"


def plural(count: int, one: str, many: str = "") -> str:
    """Return ``1 photo`` or ``2 photos``.

    Parameters
    ----------
    count : int
        How many of them.
    one : str
        The word for one.
    many : str, optional
        The word for several.

    Returns
    -------
    str
    """
    return f"{count} {one if count == 1 else many or one + 's'}"


def css(value: Cell) -> str:
    """Return an answer as a class name.

    Parameters
    ----------
    value : str, float or None
        A cell that holds an answer.

    Returns
    -------
    str
    """
    return "is-" + str(value).replace(" ", "-")


def breakable(value: Cell) -> Markup:
    """Return a file's name or a cell's address, escaped, with places where a line may end behind its signs.

    Parameters
    ----------
    value : str, float or None
        A cell of a column of texts.

    Returns
    -------
    Markup
    """
    from markupsafe import Markup, escape

    return Markup("<wbr>").join(escape(part) for part in re.split(r"(?<=[/.])", text(value)))


def unbroken_dates(value: Cell) -> Markup:
    """Return a text, escaped, whose ISO 8601 dates no line ends within.

    Parameters
    ----------
    value : str, float or None
        A cell of a column of texts.

    Returns
    -------
    Markup
    """
    from markupsafe import Markup, escape

    # What is split off at odd places is a date, which holds nothing to escape.
    parts = re.split(r"(\b\d{4}-\d{2}(?:-\d{2})?\b)", text(value))
    return Markup("").join(
        Markup('<span class="nowrap">{}</span>').format(part) if i % 2 else escape(part) for i, part in enumerate(parts)
    )


FILTERS: dict[str, Callable[..., object]] = {
    "number": number,
    "whole": whole,
    "known": text,
    "sign": sign,
    "healing_days": healing_days,
    "interval": with_interval,
    "pieces": pieces,
    "flag_words": flag_words,
    "plural": plural,
    "css": css,
    "breakable": breakable,
    "unbroken_dates": unbroken_dates,
}
