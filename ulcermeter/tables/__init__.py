"""The contract of every table: its columns in order, each with dtype, unit and meaning.

Conventions, the same in memory and on disk:

* text: Python strings; the empty string means *not known* (never *no*, never missing values);
* number: float64, NaN when not known, unit in the name; count: nullable ``Int64``;
* yes/no answers are text, ``yes`` / ``no`` / empty; dates are ISO 8601 text (partial dates allowed where said);
* a table always has all its columns, in this order.

`conform` brings a frame to its contract or raises with all faults; it is called at every hand-over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ulcermeter.errors import Problem, TableError
from ulcermeter.tables.cells import Record, Row
from ulcermeter.tables.comparisons import COMPARISONS
from ulcermeter.tables.contract import Column, Table
from ulcermeter.tables.inputs import INPUTS
from ulcermeter.tables.outputs import OUTPUTS
from ulcermeter.tables.queries import QUERIES

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

_DTYPES: dict[str, Any] = {"text": "str", "number": "float64", "count": "Int64"}
_NOT_KNOWN: dict[str, Any] = {"text": "", "number": float("nan"), "count": None}

__all__ = [
    "TABLES",
    "CellFault",
    "Column",
    "Table",
    "columns",
    "conform",
    "conform_loosely",
    "empty",
    "filled",
    "from_rows",
]


@dataclass(frozen=True)
class CellFault:
    """A cell that breaks its column's contract: its row counted from 0, what was expected and what stands there."""

    position: int
    column: str
    expected: str
    got: str

    @property
    def problem(self) -> Problem:
        """What was expected and got, without its place."""
        return Problem(expected=self.expected, got=f"'{self.got}'" if self.got else "an empty cell")


TABLES: dict[str, Table] = {table.name: table for table in (*INPUTS, *OUTPUTS, QUERIES, *COMPARISONS)}


def columns(name: str) -> list[str]:
    """Return the column names of a table, in order.

    Parameters
    ----------
    name : str
        A key of `TABLES`.

    Returns
    -------
    list of str
    """
    return [column.name for column in TABLES[name].columns]


def empty(name: str) -> pd.DataFrame:
    """Return a table without rows.

    Parameters
    ----------
    name : str
        A key of `TABLES`.

    Returns
    -------
    DataFrame
    """
    return from_rows(name, [])


def filled(name: str, row: Row) -> Record:
    """Return a row with all columns of its table in their order; those that it lacks become *not known*.

    Parameters
    ----------
    name : str
        A key of `TABLES`.
    row : mapping
        Cells by column, each of its column's kind; others are left out.

    Returns
    -------
    dict
    """
    return {column.name: row.get(column.name, _NOT_KNOWN[column.kind]) for column in TABLES[name].columns}


def from_rows(name: str, rows: Sequence[Row]) -> pd.DataFrame:
    """Build a table from dicts; keys that a row lacks become *not known*, unknown keys raise.

    Parameters
    ----------
    name : str
        A key of `TABLES`.
    rows : sequence of mapping
        Cells by column.

    Returns
    -------
    DataFrame
        By its contract.
    """
    import pandas as pd

    return conform(name, pd.DataFrame(rows, columns=None if rows else columns(name)))


def conform(name: str, frame: pd.DataFrame, *, extra: bool = False, called: str = "") -> pd.DataFrame:
    """Bring a frame to a table's contract: all columns, in order, of their dtype; row order untouched.

    Parameters
    ----------
    name : str
        A key of `TABLES`, for example ``measurements`` or ``study/photos``.
    frame : DataFrame
        Columns that are absent are added as *not known*.
    extra : bool
        Keep columns the contract does not know, behind the others, instead of raising.
    called : str
        What a person calls the table, such as its file; without it, its name.

    Returns
    -------
    DataFrame
        A new one, index 0..n-1.

    Raises
    ------
    TableError
        Unknown columns, missing required ones, cells that are not of the column's kind or allowed values: all at once.
    """
    where, problems = called or name, list[Problem]()
    others = [str(c) for c in frame.columns if c not in columns(name)]
    if others and not extra:
        expected = f"only the columns {', '.join(columns(name))}"
        problems.append(Problem(where=where, expected=expected, got=f"also {', '.join(others)}"))
    problems += [
        Problem(where=where, expected=f"a column '{column.name}' ({column.meaning})", got="none", action="add it")
        for column in TABLES[name].columns
        if column.required and column.name not in frame.columns and len(frame)
    ]
    known, cells = conform_loosely(name, frame)
    # Row 1 of a CSV file is its header.
    problems += [cell.problem.at(f"{where} row {cell.position + 2}, {cell.column}") for cell in cells]
    if problems:
        raise TableError(problems)
    return known.assign(**{c: frame[c].reset_index(drop=True) for c in others}) if extra and others else known


def conform_loosely(name: str, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[CellFault]]:
    """Bring a frame to a table's contract as far as it goes: cells that break it become *not known*, and are named.

    Parameters
    ----------
    name : str
        A key of `TABLES`.
    frame : DataFrame
        Columns that are absent are added as *not known*; others are left out.

    Returns
    -------
    DataFrame
        A new one, index 0..n-1.
    list of CellFault
        Of each column the first 20.
    """
    import pandas as pd

    faults: list[CellFault] = []
    data = {column.name: _conform_column(column, frame, faults) for column in TABLES[name].columns}
    return pd.DataFrame(data, index=range(len(frame))), faults


def _conform_column(column: Column, frame: pd.DataFrame, faults: list[CellFault]) -> Any:
    """Return a column's cells as an array of its dtype; plain lists, since a table has many columns and few rows."""
    import pandas as pd

    if column.name not in frame.columns:
        return pd.array([_NOT_KNOWN[column.kind]] * len(frame), dtype=_DTYPES[column.kind])
    cells = frame[column.name]
    if column.kind == "text":
        return pd.array(_texts(column, cells.to_numpy(dtype=object), faults), dtype=_DTYPES["text"])
    if cells.dtype == _DTYPES[column.kind]:
        return cells.array
    return _numbers(column, cells.reset_index(drop=True), faults).array


def _texts(column: Column, cells: NDArray[np.object_], faults: list[CellFault]) -> list[str]:
    import pandas as pd

    texts = ["" if missing else str(cell) for cell, missing in zip(cells, pd.isna(cells), strict=True)]
    if column.values:
        allowed = {"", *column.values}
        others = [i for i, text in enumerate(texts) if text not in allowed]
        _report(column, texts, others, "one of " + ", ".join(column.values), faults)
        for i in others:
            texts[i] = ""
    if column.required:
        expected = ", ".join(column.values[:-1]) + f" or {column.values[-1]}" if column.values else column.meaning
        _report(column, texts, [i for i, text in enumerate(texts) if not text.strip()], expected, faults)
    return texts


def _numbers(column: Column, cells: pd.Series[Any], faults: list[CellFault]) -> pd.Series[Any]:
    import pandas as pd

    is_numeric = pd.api.types.is_numeric_dtype(cells)
    numbers = pd.to_numeric(cells.replace("", None) if cells.dtype == object else cells, errors="coerce")
    if not is_numeric:
        texts = ["" if missing else str(cell) for cell, missing in zip(cells, cells.isna(), strict=True)]
        wrong = [i for i, gone in enumerate(numbers.isna()) if gone and texts[i].strip()]
        _report(column, texts, wrong, "a number", faults)
    if column.kind == "count" and len(cells):
        broken = (numbers.dropna() % 1 != 0).reindex(cells.index, fill_value=False)
        _report(column, [str(cell) for cell in cells], list(broken[broken].index), "a whole number", faults)
        numbers = numbers.where(~broken)
    return numbers.astype(_DTYPES[column.kind])


def _report(
    column: Column, texts: Sequence[str], positions: Sequence[int], expected: str, faults: list[CellFault]
) -> None:
    faults += [CellFault(int(i), column.name, expected, texts[i]) for i in positions[:20]]
