"""Single cells of the tables, whichever table they stand in: what is not known, rows as records, disarmed formulas."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "FORMULA_STARTS",
    "MACHINE",
    "PASSED",
    "Cell",
    "Record",
    "Row",
    "by_key",
    "grouped",
    "is_unconfirmed",
    "known_number",
    "not_known",
    "records",
    "unguarded",
]

_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")

Cell = str | float | None
"""A cell: text, a number (of a count or a measure), or nothing; `not_known` says which of them tell nothing."""

Row = Mapping[str, Cell]
"""A row as a function is given it: its cells by column."""

Record = dict[str, Any]
"""A row of a table that `conform` made; which column holds text and which numbers stands in its contract."""

MACHINE = "machine"
"""The `reader` of an outline that nobody drew or confirmed."""

PASSED = ("measured", "no ulcer")
"""A photo's `status` where it was seen well enough to tell what it shows; otherwise it was refused or failed."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is run by a spreadsheet; it is written behind an apostrophe (OWASP, CSV injection)."""


def not_known(cell: object) -> bool:
    """Say whether a cell is not known, whatever pandas makes of one.

    Parameters
    ----------
    cell : object
        Of a frame or of `records`.

    Returns
    -------
    bool

    Examples
    --------
    >>> [not_known(cell) for cell in ("", None, float("nan"), 0, "no", "nan")]
    [True, True, True, False, False, False]
    """
    # A person may type such a word: then it is a text, which some rule has to take or to name.
    return cell == "" if isinstance(cell, str) else str(cell) in ("None", "<NA>", "nan", "NaT")


def known_number(cell: Cell) -> float:
    """Return the number of a cell; NaN when it is not known.

    Parameters
    ----------
    cell : str, float or None
        Of a column of numbers or counts.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        A text that is no number.

    Examples
    --------
    >>> known_number(3), known_number("")
    (3.0, nan)
    """
    return float("nan") if cell is None or not_known(cell) else float(cell)


def records(frame: pd.DataFrame) -> list[Record]:
    """Return a table's rows, each as its cells by column, in their order.

    Parameters
    ----------
    frame : DataFrame

    Returns
    -------
    list of dict
        Text, float (NaN where not known), or int (None where not known).
    """
    names = [str(name) for name in frame.columns]
    # Column by column it takes a third of the time of pandas' own to_dict.
    return [dict(zip(names, cells, strict=True)) for cells in zip(*(_cells(frame[c]) for c in frame), strict=True)]


def _cells(column: pd.Series) -> list[Any]:
    if str(column.dtype) != "Int64":
        return column.tolist()
    return [None if not_known(cell) else cell for cell in column.tolist()]


def grouped(rows: Iterable[_V], key: Callable[[_V], _K]) -> dict[_K, list[_V]]:
    """Return rows by a key, each group in the order of the rows, the groups in the order of their first row.

    Parameters
    ----------
    rows : iterable
        Of `records`, or of anything else.
    key : callable
        Of a row; for a column ``itemgetter(name)``.

    Returns
    -------
    dict of key to list

    Examples
    --------
    >>> grouped(["S02", "T01", "S01"], key=lambda name: name[0])
    {'S': ['S02', 'S01'], 'T': ['T01']}
    """
    return by_key((key(row), row) for row in rows)


def by_key(pairs: Iterable[tuple[_K, _V]]) -> dict[_K, list[_V]]:
    """Return what stands under each key, in the order of the pairs; `grouped` where the row itself has the key.

    Parameters
    ----------
    pairs : iterable of (key, value)

    Returns
    -------
    dict of key to list

    Examples
    --------
    >>> by_key([("left", 2), ("right", 5), ("left", 1)])
    {'left': [2, 1], 'right': [5]}
    """
    groups: dict[_K, list[_V]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups


def is_unconfirmed(row: Record) -> bool:
    """Say whether a measurement is of a possible ulcer that no reader has drawn or confirmed.

    Parameters
    ----------
    row : mapping
        Of ``measurements``, with ``presence`` and ``reader``.

    Returns
    -------
    bool
    """
    return bool(row["presence"] == "possible" and row["reader"] in ("", MACHINE))


def unguarded(cell: str) -> str:
    """Take off the apostrophe that stands before a formula (`FORMULA_STARTS`) in the CSV files written here.

    Parameters
    ----------
    cell : str

    Returns
    -------
    str

    Examples
    --------
    >>> unguarded("'=1+1"), unguarded("'s-Hertogenbosch")
    ('=1+1', "'s-Hertogenbosch")
    """
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(FORMULA_STARTS) else cell
