"""A results folder read back: the tables as a run wrote them, or a sentence that says what is no longer so."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ulcermeter.datatypes import Results
from ulcermeter.errors import Problem, ProtocolError, StudyError, TableError
from ulcermeter.files import Json
from ulcermeter.protocol import Protocol, protocol_from_record
from ulcermeter.store.files import TABLE_FILES
from ulcermeter.tables import TABLES, columns, conform, empty
from ulcermeter.tables.cells import unguarded

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["protocol_of", "read_record", "read_results", "read_table", "read_tables"]

# Runs of versions without readers, queries or kept ids wrote none.
_MAY_LACK = ("readings", "queries", "ids")
_WRITE_AGAIN = "run `ulcermeter run` again, which writes the tables anew and measures nothing twice"


def read_results(path: str | Path) -> Results:
    """Read a results folder.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Results
        The tables as they stand on disk (numbers to 4 decimals) and run.json as `run`.

    Raises
    ------
    StudyError
        Not a finished results folder; all missing files are named.
    TableError
        A file breaks its contract, for example after editing.
    """
    root = Path(path)
    absent = [f"{n}.csv" for n in TABLE_FILES if n not in _MAY_LACK and not (root / f"{n}.csv").is_file()]
    absent += [] if (root / "run.json").is_file() else ["run.json"]
    if absent:
        raise _unfinished(root, absent)
    record = read_record(root)
    tables = {name: _written(root, name) for name in TABLE_FILES if name != "outlines"}
    return Results(
        root=root, run=record, read_outlines=partial(read_table, root / "outlines.csv", "outlines"), **tables
    )


def read_tables(path: str | Path, names: Iterable[str]) -> dict[str, pd.DataFrame]:
    """Read some of a results folder's tables; the others may be large.

    Parameters
    ----------
    path : str or Path
        The results folder.
    names : iterable of str
        Of ``TABLE_FILES``.

    Returns
    -------
    dict of str to DataFrame

    Raises
    ------
    StudyError
        One is not there.
    TableError
        A file breaks its contract.
    """
    root = Path(path)
    absent = [f"{name}.csv" for name in names if not (root / f"{name}.csv").is_file()]
    if absent:
        raise _unfinished(root, absent)
    return {name: read_table(root / f"{name}.csv", name) for name in names}


def _unfinished(root: Path, absent: Sequence[str]) -> StudyError:
    return StudyError(
        Problem(
            where=str(root),
            expected="a finished results folder",
            got=f"one without {', '.join(absent)}",
            action="run `ulcermeter run` again, it goes on where it was",
        )
    )


def read_record(root: Path) -> dict[str, Json]:
    """Read run.json of a results folder.

    Parameters
    ----------
    root : Path

    Returns
    -------
    dict

    Raises
    ------
    StudyError
        It is not there, or none that a run writes.
    """
    if not (root / "run.json").is_file():
        got = "one without run.json"
        action = "run `ulcermeter run` again, it goes on where it was"
        raise StudyError(Problem(where=str(root), expected="a finished results folder", got=got, action=action))
    try:
        record = json.loads((root / "run.json").read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise StudyError(
            Problem(
                where=f"{root / 'run.json'}",
                expected="JSON as a run writes it",
                got=f"what is none ({error})",
                action=_WRITE_AGAIN,
            )
        ) from error
    if not isinstance(record, dict):
        raise StudyError(
            Problem(
                where=f"{root / 'run.json'}",
                expected="a JSON object as a run writes it",
                got="none",
                action=_WRITE_AGAIN,
            )
        )
    return record


def _written(root: Path, name: str) -> pd.DataFrame:
    path = root / f"{name}.csv"
    return empty(name) if name in _MAY_LACK and not path.is_file() else read_table(path, name)


def read_table(path: str | Path, name: str) -> pd.DataFrame:
    """Read a table that a run wrote; a column that is not there is a fault, since a run writes them all.

    Parameters
    ----------
    path : str or Path
        The CSV file.
    name : str
        A key of `ulcermeter.tables.TABLES`.

    Returns
    -------
    DataFrame
        By its contract.

    Raises
    ------
    TableError
        No such table: not UTF-8, rows of unequal length, other columns, or cells that break the contract.
    OSError
        The file cannot be read.
    """
    import pandas as pd

    path = Path(path)
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except ValueError as error:  # not UTF-8, nothing in it, or rows of unequal length
        got = f"what is none ({' '.join(str(error).split())})"
        raise TableError(
            Problem(where=str(path), expected="a table as a run writes it", got=got, action=_WRITE_AGAIN)
        ) from error
    if got := _header_fault(name, frame):
        raise TableError(
            Problem(
                where=str(path),
                expected=f"the columns of a run's {name}.csv, parted by commas",
                got=got,
                action=f"save it as it was, or {_WRITE_AGAIN}",
            )
        )
    frame = frame.map(unguarded)
    of_visits = [column for column in frame.columns if column not in columns(name)]
    numeric = [column for column in of_visits if (known := TABLES[name].find(column)) and known.kind != "text"]
    frame = frame.assign(**{column: _numbers(path, frame[column]) for column in numeric})
    return conform(name, frame, extra=bool(of_visits))


def _header_fault(name: str, frame: pd.DataFrame) -> str:
    """Say what is wrong with a table's columns as a whole, empty for nothing: neither more nor fewer, and no shift."""
    import pandas as pd

    absent = [column for column in columns(name) if column not in frame.columns]
    others = [column for column in frame.columns if column not in columns(name)]
    others = [column for column in others if not TABLES[name].find(column)]
    if absent:
        return f"a file without {', '.join(absent)}" + (", parted by semicolons" if ";" in frame.columns[0] else "")
    if others:
        return f"also {', '.join(others)}"
    # Where rows are longer than the header, pandas takes their first cells for names of the rows.
    return "" if isinstance(frame.index, pd.RangeIndex) else "rows that are longer than the header"


def _numbers(path: Path, cells: pd.Series) -> pd.Series:
    """Return a visit's column as numbers; what is no number must not pass for not known."""
    import pandas as pd

    numbers = pd.to_numeric(cells.replace("", None), errors="coerce")
    counts = str(cells.name).startswith("n_")
    wrong = numbers.isna() & (cells != "") | (counts & (numbers % 1 > 0))
    if wrong.any():
        row, expected = int(wrong.to_numpy().argmax()), "a whole number" if counts else "a number"
        raise TableError(
            Problem(where=f"{path} row {row + 2}, {cells.name}", expected=expected, got=f"'{cells.iloc[row]}'")
        )
    return numbers.astype("Int64") if counts else numbers.astype("float64")


def protocol_of(record: Mapping[str, Json]) -> Protocol:
    """Return the protocol that run.json holds in full.

    Parameters
    ----------
    record : mapping of str to JSON values
        The whole record, as run.json holds it.

    Returns
    -------
    Protocol

    Raises
    ------
    StudyError
        The record holds none, or not in full.
    """
    try:
        kept = record["protocol"]
        if not isinstance(kept, Mapping):
            raise TypeError("its protocol is no JSON object")
        return protocol_from_record(kept)
    except (KeyError, TypeError, AttributeError, ProtocolError) as error:
        raise StudyError(
            Problem(
                where="run.json",
                expected="the record of a run with its protocol in full",
                got=f"one that lacks it ({type(error).__name__}: {error})",
                action=_WRITE_AGAIN,
            )
        ) from error
