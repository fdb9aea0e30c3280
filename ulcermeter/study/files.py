"""CSV files in: bytes to a frame of stripped text, and what is wrong with the file as such."""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ulcermeter.datatypes import Finding, Kind, Severity
from ulcermeter.errors import Problem
from ulcermeter.files import read_file
from ulcermeter.tables import TABLES, Column, Table
from ulcermeter.tables.cells import unguarded

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Findings", "broken", "read_text_table", "short_rows_at_fault"]

_SEPARATORS = (",", ";", "\t")
_QUOTE = "write a quote that is part of a cell twice, within quotes, or take it away"
# A million rows; a trial has some thousand.
_MOST_MB = 200


@dataclass
class Findings:
    """What a folder's reading turned up, in the order in which it was found."""

    found: list[Finding] = field(default_factory=list)
    short: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)
    """Rows that end before their header does, by file and row: their cells, and the header's."""

    def fault(self, problem: Problem, file: str = "", *rows: int) -> None:
        """Add a broken rule that stops a run."""
        self.found.append(broken(problem, file, *rows))

    def warn(self, problem: Problem, file: str = "", *rows: int) -> None:
        """Add what looks wrong and stops nothing."""
        self.found.append(Finding(Kind.BROKEN, Severity.WARNING, file, rows, problem=problem))

    @property
    def stopping(self) -> bool:
        """Is there any fault."""
        return any(finding.severity is Severity.FAULT for finding in self.found)


def broken(problem: Problem, file: str, *rows: int, column: str = "", got: str = "") -> Finding:
    """Return a fault: what was expected and got, at a place.

    Parameters
    ----------
    problem : Problem
    file : str
        Relative to the study folder.
    *rows : int
        As a spreadsheet counts them.
    column, got : str
        The cell's column and content.

    Returns
    -------
    Finding
    """
    return Finding(Kind.BROKEN, Severity.FAULT, file, rows, column, got=got, problem=problem)


def short_rows_at_fault(findings: Findings) -> list[Finding]:
    """Return the short rows in which a cell is at fault: what they lack need not stand at their end.

    Parameters
    ----------
    findings : Findings
        What was found wrong in the study folder.

    Returns
    -------
    list[Finding]
    """
    wrong = {(f.file, row) for f in findings.found if f.severity is Severity.FAULT for row in f.rows}
    return [
        Finding(Kind.SHORT_ROW, Severity.FAULT, file, (row,), got=str(got), meant=str(header))
        for (file, row), (got, header) in findings.short.items()
        if (file, row) in wrong
    ]


def read_text_table(path: Path, name: str, findings: Findings, *, added: Sequence[Column] = ()) -> pd.DataFrame | None:
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
    added : sequence of Column
        What the protocol adds to the file.

    Returns
    -------
    DataFrame or None
        Columns of the contract that the file has, all text; None where nothing can be read. What a short row lacks at
        its end is empty: spreadsheets leave out the last cells of a row where nothing stands in them.
    """
    import pandas as pd

    table = replace(TABLES[name], columns=(*TABLES[name].columns, *added))
    known = [column.name for column in table.columns]
    rows = _rows(path, known, findings)
    if rows is None:
        return None
    header, body = rows[0], rows[1:]
    _check_header(path.name, table, header, findings)
    _check_width(path.name, header, body, findings)
    keep = [c for c in known if c in header]
    data = {c: [_cell(table[c], row, header.index(c)) for row in body] for c in keep}
    return pd.DataFrame(data, columns=keep, index=range(len(body)), dtype=object)


def _rows(path: Path, known: Sequence[str], findings: Findings) -> list[list[str]] | None:
    """Header and body as stripped cells, without the empty rows that spreadsheets leave at the end."""
    try:
        text = read_file(path, most_mb=_MOST_MB).decode("utf-8-sig")
    except OSError as error:
        findings.fault(Problem(expected="a file that can be read", got=str(error.strerror)), path.name)
        return None
    except UnicodeDecodeError:
        save = "save it as 'CSV UTF-8' in the spreadsheet"
        findings.fault(Problem(expected="UTF-8 text", got="another encoding", action=save), path.name)
        return None
    if "\0" in text:
        findings.fault(Problem(expected="a CSV file", got="a file with zero bytes in it"), path.name)
        return None
    rows = _parted(text, _separator(text, known), path.name, findings)
    if rows is None:
        return None
    while rows and not any(rows[-1]):
        rows.pop()
    if not rows:
        findings.fault(Problem(expected="a header line and rows", got="an empty file"), path.name)
        return None
    if got := _no_header(rows[0]):
        head = "the column names in the first line"
        findings.fault(Problem(expected=head, got=got, action="delete that line"), path.name)
        return None
    return rows


def _parted(text: str, separator: str, file: str, findings: Findings) -> list[list[str]] | None:
    """Part rows and cells; a quote too many, which takes the rows behind it into one cell, is told."""
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True):
            rows.append([cell.strip() for cell in row])
            if any(_holds_rows(cell, separator, len(rows[0])) for cell in rows[-1]):
                several = Problem(expected="one row", got="several within a quoted cell", action=_QUOTE)
                findings.fault(several, file, len(rows))
    except csv.Error as error:
        got = "a quote that is opened and not closed" if "end of data" in str(error) else str(error)
        findings.fault(Problem(expected="a row by the rules of CSV", got=got, action=_QUOTE), file, len(rows) + 1)
        return None
    return rows


def _holds_rows(cell: str, separator: str, width: int) -> bool:
    """Tell whether a cell has line ends and as many separators as a row: it begins in one and ends in another."""
    return len(cell.splitlines()) > 1 and cell.count(separator) >= width - 1


def _no_header(first: Sequence[str]) -> str:
    """Say what stands in the first line where it is no header: row numbers would be off, so it is not passed over."""
    if not any(first):
        return "an empty line"
    return f"a spreadsheet's mark '{first[0]}'" if first[0].lower().startswith("sep=") else ""


def _separator(text: str, known: Iterable[str]) -> str:
    line = text.lstrip("\r\n").splitlines()[0] if text.strip() else ""
    hits = {s: len(set(known) & {cell.strip().strip('"') for cell in line.split(s)}) for s in _SEPARATORS}
    return max(_SEPARATORS, key=lambda s: hits[s])


def _check_header(file: str, table: Table, header: list[str], findings: Findings) -> None:
    known = [column.name for column in table.columns]
    twice = sorted({c for c in header if c and header.count(c) > 1})
    for column in twice:
        findings.fault(Problem(f"the column '{column}' stands twice", action="keep one"), file)
    absent = [c for c in known if c not in header]
    meant = []
    for column in dict.fromkeys(c for c in header if c and c not in known):
        close = difflib.get_close_matches(column.lower().replace(" ", "_"), absent, n=1, cutoff=0.8)
        meant += close
        if close:
            findings.fault(Problem(f"'{column}'", f"a column '{close[0]}'", "rename it"), file)
        else:
            findings.warn(Problem(f"the column '{column}' is not one that ulcermeter knows and is not used"), file)
    for own in table.columns:
        if own.required and own.name in absent and own.name not in meant:
            findings.fault(Problem("none", f"a column '{own.name}' ({own.meaning})", "add it"), file)


def _check_width(file: str, header: list[str], body: list[list[str]], findings: Findings) -> None:
    for position, row in enumerate(body):
        if any(row[len(header) :]):
            quotes = "write a cell that holds the separator in quotes"
            wide = Problem(expected=f"{len(header)} cells as in the header", got=str(len(row)), action=quotes)
            findings.fault(wide, file, position + 2)
        if len(row) < len(header):
            findings.short[file, position + 2] = len(row), len(header)


def _cell(column: Column, row: list[str], index: int) -> str:
    cell = unguarded(row[index]) if index < len(row) else ""
    return cell.lower() if cell.lower() in column.values else cell
