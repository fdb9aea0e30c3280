"""Whether a log is as it was written, entry by entry, and its entries as a table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ulcermeter.readings.log import EMPTY_HEAD, LOG_FILE, hash_of, read_rows
from ulcermeter.tables import from_rows
from ulcermeter.tables.cells import by_key

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FaultKind", "LogFault", "check_log", "log_table"]


class FaultKind(StrEnum):
    """What can be wrong with a log."""

    CHANGED = "changed"
    DROPPED = "dropped"
    REORDERED = "reordered"
    UNREADABLE = "unreadable"
    NOT_FOLLOWING = "does not follow the entry before it"
    CUT = "cut or written anew"


@dataclass(frozen=True)
class LogFault:
    """One thing that is wrong: the entry's number (0 for the log as a whole), what it is, and what was found."""

    number: int
    kind: FaultKind
    got: str


def check_log(root: str | Path, *, head: str = "") -> list[LogFault]:
    """Check a log's chain.

    Parameters
    ----------
    root : str or Path
        The results folder.
    head : str
        A hash that was kept elsewhere: it must be an entry's of the log, else the log was cut or written anew.

    Returns
    -------
    list of LogFault
        Empty where every entry is as it was written and follows the one before it. Without a head that somebody kept,
        a log that was written anew as a whole, or cut at its end, cannot be told from one that was not.

    Raises
    ------
    UlcermeterError
        No file that sqlite can read.
    """
    rows = read_rows(Path(root) / LOG_FILE)
    faults = _chain_faults(rows)
    if head and head not in {EMPTY_HEAD, *(own for _, _, own in rows)}:
        faults.append(LogFault(0, FaultKind.CUT, f"no entry with the hash {head}"))
    return faults


def _chain_faults(rows: Sequence[tuple[int, str, str]]) -> list[LogFault]:
    faults: list[LogFault] = []
    expected, previous = 1, EMPTY_HEAD
    for number, text, own in rows:
        if number > expected:
            gone = f"{expected}" if number == expected + 1 else f"{expected} to {number - 1}"
            faults.append(LogFault(expected, FaultKind.DROPPED, f"entry {gone} is not there"))
        faults += _own_faults(number, text, own, previous, follows=number == expected)
        expected, previous = number + 1, own
    return faults


def _own_faults(number: int, text: str, own: str, previous: str, *, follows: bool) -> list[LogFault]:
    if hash_of(text) != own:
        return [LogFault(number, FaultKind.CHANGED, "its text has another hash than was kept with it")]
    try:
        entry = json.loads(text)
        written, before = entry["number"], entry["previous"]
    except (ValueError, KeyError, TypeError):
        return [LogFault(number, FaultKind.UNREADABLE, "its text is none that this program writes")]
    if written != number:
        return [LogFault(number, FaultKind.REORDERED, f"it was written as entry {written}")]
    if before != previous and follows:
        return [LogFault(number, FaultKind.NOT_FOLLOWING, "an entry before it was exchanged, or it was itself")]
    return []


def log_table(root: str | Path) -> pd.DataFrame:
    """Return a log as the table ``log``, in the order of its entries, whatever is wrong with them.

    Parameters
    ----------
    root : str or Path
        The results folder.

    Returns
    -------
    DataFrame
    """
    rows = read_rows(Path(root) / LOG_FILE)
    faults = by_key((fault.number, str(fault.kind)) for fault in _chain_faults(rows))
    return from_rows("log", [_cells(n, text, own, "; ".join(faults.get(n, []))) for n, text, own in rows])


def _cells(number: int, text: str, own: str, fault: str) -> dict[str, Any]:
    try:
        entry = json.loads(text)
        cells = {name: value for name, value in entry.items() if name not in ("number", "before", "after")}
        states = {name: "" if entry[name] is None else json.dumps(entry[name]) for name in ("before", "after")}
    except (ValueError, AttributeError, KeyError, TypeError):
        return {"number": number, "hash": own, "fault": fault}
    return {"number": number, **cells, **states, "hash": own, "fault": fault}
