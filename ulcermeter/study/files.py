"""CSV files in: bytes to a frame of stripped text, and what is wrong with the file as such."""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ulcermeter.files import read_file
from ulcermeter.tables import TABLES, columns

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Findings", "read_text_table", "unguarded"]

_SEPARATORS = (",", ";", "\t")
_NUMBER_STARTS = "=+-@"
# A million rows; a trial has some thousand.
_MOST_MB = 200


@dataclass
class Findings:
    """What a folder's reading turned up: faults stop a run, warnings do not."""

    faults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def unguarded(cell: str) -> str:
    """Take off the apostrophe that `ulcermeter.store` puts before a cell a spreadsheet would run as a formula."""
    return cell[1:] if len(cell) > 1 and cell[0] == "'" and cell[1] in _NUMBER_STARTS else cell


def read_text_table(path: Path, name: str, findings: Findings) -> pd.DataFrame | None:
    """Read a CSV file as text, its header checked against a contract.

    UTF-8 with or without a byte-order mark, any line end; the separator is the one of comma, semicolon and tab that
    makes most sense of the header. Cells are stripped; words of a short list (left, yes, ...) are folded to lower case.

    Parameters
    ----------
    path : Path
    name : str
        A key of `ulcermeter.tables.TABLES`.
    findings : Findings
        Faults and warnings are added to it.

    Returns
    -------
    DataFrame or None
        Columns of the contract that the file has, all text; None where nothing can be read.
    """
    import pandas as pd

    rows = _rows(path, columns(name), findings)
    if rows is None:
        return None
    header, body = rows[0], rows[1:]
    _check_header(path.name, name, header, findings)
    _check_width(path.name, header, body, findings)
    keep = [c for c in columns(name) if c in header]
    data = {c: [_cell(name, c, row, header.index(c)) for row in body] for c in keep}
    return pd.DataFrame(data, columns=keep, index=range(len(body)), dtype=object)


def _rows(path: Path, known: Sequence[str], findings: Findings) -> list[list[str]] | None:
    """Header and body as stripped cells, without the empty rows that spreadsheets leave at the end."""
    try:
        text = read_file(path, most_mb=_MOST_MB).decode("utf-8-sig")
    except OSError as error:
        findings.faults.append(f"{path.name}: expected a file that can be read, got: {error.strerror}.")
        return None
    except UnicodeDecodeError:
        findings.faults.append(
            f"{path.name}: expected UTF-8 text, got another encoding; save it as 'CSV UTF-8' in the spreadsheet."
        )
        return None
    if "\0" in text:
        findings.faults.append(f"{path.name}: expected a CSV file, got a file with zero bytes in it.")
        return None
    try:
        rows = [
            [cell.strip() for cell in row]
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text, known))
        ]
    except csv.Error as error:
        findings.faults.append(f"{path.name}: expected a CSV file, got one that breaks its rules: {error}.")
        return None
    while rows and not any(rows[-1]):
        rows.pop()
    if not rows:
        findings.faults.append(f"{path.name}: expected a header line and rows, got an empty file.")
        return None
    if got := _no_header(rows[0]):
        findings.faults.append(
            f"{path.name}: expected the column names in the first line, got {got}; delete that line."
        )
        return None
    return rows


def _no_header(first: Sequence[str]) -> str:
    """Say what stands in the first line where it is no header: row numbers would be off, so it is not passed over."""
    if not any(first):
        return "an empty line"
    return f"a spreadsheet's mark '{first[0]}'" if first[0].lower().startswith("sep=") else ""


def _separator(text: str, known: Iterable[str]) -> str:
    line = text.lstrip("\r\n").splitlines()[0] if text.strip() else ""
    hits = {s: len(set(known) & {cell.strip().strip('"') for cell in line.split(s)}) for s in _SEPARATORS}
    return max(_SEPARATORS, key=lambda s: hits[s])


def _check_header(file: str, name: str, header: list[str], findings: Findings) -> None:
    known = columns(name)
    twice = sorted({c for c in header if c and header.count(c) > 1})
    findings.faults += [f"{file}: the column '{c}' stands twice; keep one." for c in twice]
    absent = [c for c in known if c not in header]
    meant = []
    for column in dict.fromkeys(c for c in header if c and c not in known):
        close = difflib.get_close_matches(column.lower().replace(" ", "_"), absent, n=1, cutoff=0.8)
        meant += close
        if close:
            findings.faults.append(f"{file}: expected a column '{close[0]}', got '{column}'; rename it.")
        else:
            findings.warnings.append(f"{file}: the column '{column}' is not one that ulcermeter knows and is not used.")
    findings.faults += [
        f"{file}: expected a column '{column.name}' ({column.meaning}), got none; add it."
        for column in TABLES[name].columns
        if column.required and column.name in absent and column.name not in meant
    ]


def _check_width(file: str, header: list[str], body: list[list[str]], findings: Findings) -> None:
    for position, row in enumerate(body):
        if len(row) != len(header):
            findings.faults.append(
                f"{file} row {position + 2}: expected {len(header)} cells as in the header, got {len(row)}; "
                "a cell that holds the separator needs quotes."
            )


def _cell(name: str, column: str, row: list[str], index: int) -> str:
    cell = unguarded(row[index]) if index < len(row) else ""
    values = TABLES[name][column].values
    return cell.lower() if cell.lower() in values else cell
