"""Columns that a protocol adds to the study's files: read and checked as the files' own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ulcermeter.protocol import Protocol
from ulcermeter.tables import CellFault, Column
from ulcermeter.tables.dates import DateError, parse_date
from ulcermeter.tables.inputs import YES_NO

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["added_columns", "with_added"]


def added_columns(name: str, protocol: Protocol | None) -> list[Column]:
    """Return what a protocol adds to a file of the study.

    Parameters
    ----------
    name : str
        A key of `ulcermeter.tables.TABLES`.
    protocol : Protocol or None

    Returns
    -------
    list[Column]
    """
    own = [c for c in (protocol.columns if protocol else ()) if f"study/{c.table}" == name]
    values = {"yes/no": YES_NO}
    return [
        Column(c.name, "number" if c.kind == "number" else "text", c.meaning, c.unit, values.get(c.kind, c.values))
        if c.kind != "date"
        else Column(c.name, "text", c.meaning, "date")
        for c in own
    ]


def with_added(
    table: pd.DataFrame, raw: pd.DataFrame | None, added: Sequence[Column]
) -> tuple[pd.DataFrame, list[CellFault]]:
    """Return a table with the added columns behind its own; cells that break one become *not known*, and are named.

    Parameters
    ----------
    table : DataFrame
        By its contract.
    raw : DataFrame or None
        The file's cells as text; None where there is no file.
    added : sequence of Column

    Returns
    -------
    DataFrame
    list of CellFault
    """
    import pandas as pd

    faults: list[CellFault] = []
    cells: dict[str, Any] = {}
    for column in added:
        texts = list(raw[column.name]) if raw is not None and column.name in raw else [""] * len(table)
        read = [_read(column, position, text, faults) for position, text in enumerate(texts)]
        cells[column.name] = pd.Series(read, index=table.index, dtype="float64" if column.kind == "number" else "str")
    return table.assign(**cells), faults


def _read(column: Column, position: int, text: str, faults: list[CellFault]) -> str | float:
    nothing = float("nan") if column.kind == "number" else ""
    if not text:
        return nothing
    try:
        if column.kind == "number":
            return float(text)
        if column.unit == "date":
            parse_date(text)
    except DateError as error:
        faults.append(CellFault(position, column.name, str(error.problem.expected), text))
        return nothing
    except ValueError:
        faults.append(CellFault(position, column.name, "a number", text))
        return nothing
    if column.values and text not in column.values:
        faults.append(CellFault(position, column.name, f"one of {', '.join(column.values)}", text))
        return nothing
    return text
