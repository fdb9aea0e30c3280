"""What must hold inside a study's tables beyond their columns: dates, visits, paths, duplicates, sane numbers."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from ulcermeter.datatypes import Finding
from ulcermeter.errors import Problem, UlcermeterError
from ulcermeter.reference import parse_reference
from ulcermeter.study.cell_formats import TOE, is_toe, parse_box, path_fault
from ulcermeter.study.files import broken
from ulcermeter.tables import TABLES
from ulcermeter.tables.cells import not_known
from ulcermeter.tables.dates import DateError, DateInterval, parse_date

if TYPE_CHECKING:
    import pandas as pd

    from ulcermeter.protocol import Protocol

__all__ = [
    "cell_faults",
    "ambiguous_fingers",
    "photo_faults",
    "plain_path",
    "readable_date",
    "refuse_toes",
    "row_numbers",
    "spell_paths",
    "spell_visits",
    "table_faults",
]

# Years outside are no dates of anything here (0215-03-01, 20165-...); what is only implausible is told elsewhere.
_FIRST_YEAR, _LAST_YEAR = 1800, 2100
_PHOTOS = "photos.csv"


def refuse_toes(file: str, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Finding]]:
    """Name every cell that speaks of a toe, and blank it so that it is not reported a second time.

    Parameters
    ----------
    file : str
        The file, relative to the study folder.
    frame : DataFrame
        The table, with the contract's columns.

    Returns
    -------
    tuple[DataFrame, list[Finding]]
    """
    frame, faults = frame.copy(), []
    for column in ("hand", "finger"):
        if column not in frame.columns:
            continue
        bad = frame[column].map(is_toe)
        for i in frame.index[bad]:
            got = str(frame.loc[i, column])
            faults.append(broken(TOE, file, i + 2, column=column, got=got))
        frame.loc[bad, column] = TABLES["study/photos"][column].values[0]
    return frame, faults


def spell_visits(frame: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """Write visits as the protocol does: capitals and spaces (``Week  2``) make no other visit.

    Parameters
    ----------
    frame : DataFrame
        The table, with the contract's columns.
    protocol : Protocol
        The trial's rules.

    Returns
    -------
    DataFrame
    """
    if "visit" not in frame.columns:
        return frame
    names = {_folded(visit.name): visit.name for visit in protocol.visits}
    return frame.assign(visit=[names.get(_folded(text), text) for text in frame["visit"]])


def spell_paths(frame: pd.DataFrame) -> pd.DataFrame:
    """Write each path one way: ``./photos//a.jpg`` is ``photos/a.jpg``, and rows are compared by it.

    Parameters
    ----------
    frame : DataFrame
        The table, with the contract's columns.

    Returns
    -------
    DataFrame
    """
    paths = {column: frame[column].map(plain_path) for column in ("photo", "mask") if column in frame.columns}
    return frame.assign(**paths)


def plain_path(text: str) -> str:
    """Write a path without the parts that name nothing; empty stays empty.

    Parameters
    ----------
    text : str
        A cell's text.

    Returns
    -------
    str
    """
    return PurePosixPath(text).as_posix() if text else ""


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def cell_faults(name: str, frame: pd.DataFrame, protocol: Protocol) -> list[Finding]:
    """Check single cells of any table: dates and visit names.

    Parameters
    ----------
    name : str
        A key of `ulcermeter.tables.TABLES`, such as ``study/photos``.
    frame : DataFrame
        The table, with the contract's columns.
    protocol : Protocol
        The trial's rules.

    Returns
    -------
    list[Finding]
    """
    file = _file(name)
    checks: dict[str, Callable[[str], Problem | None]] = {c: _date_fault for c in frame.columns if _is_date(name, c)}
    if "visit" in frame.columns:
        checks["visit"] = lambda text: _visit_fault(text, protocol)
    return [
        broken(fault, file, i + 2, column=column, got=text)
        for column, check in checks.items()
        for i, text in _cells(frame, column)
        if (fault := check(text))
    ]


def photo_faults(frame: pd.DataFrame, root: Path) -> list[Finding]:
    """Check the photos' own cells: paths, clicks, boxes, references.

    Parameters
    ----------
    frame : DataFrame
        The table, with the contract's columns.
    root : Path
        The study folder.

    Returns
    -------
    list[Finding]
    """
    faults = [
        broken(fault, _PHOTOS, i + 2, column=column, got=text)
        for column in ("photo", "mask")
        for i, text in _cells(frame, column)
        if (fault := path_fault(root, text))
    ]
    for column, parse in (("box", parse_box), ("reference_box", parse_box), ("reference", parse_reference)):
        for i, text in _cells(frame, column):
            try:
                parse(text)
            except UlcermeterError as error:
                faults.append(broken(error.problems[0], _PHOTOS, i + 2, column=column, got=text))
    return faults + list(_click_faults(frame))


def _click_faults(frame: pd.DataFrame) -> Iterator[Finding]:
    for i, row in frame.iterrows():
        at = int(str(i)) + 2
        has = {axis: row[axis] == row[axis] for axis in ("x", "y")}
        if has["x"] != has["y"]:
            given, lacking = ("x", "y") if has["x"] else ("y", "x")
            half = Problem(expected="both x and y of a click", got=f"only {given}")
            yield broken(half, _PHOTOS, at, column=lacking)
        yield from (
            broken(Problem(expected="a pixel of the photo, 0 or more", got=f"{row[axis]:g}"), _PHOTOS, at, column=axis)
            for axis in ("x", "y")
            if has[axis] and not 0 <= row[axis] < 1e6
        )


def table_faults(name: str, frame: pd.DataFrame) -> list[Finding]:
    """Check rows against each other: what must not stand twice, dates that run backwards, photos of two subjects.

    Parameters
    ----------
    name : str
        A key of `ulcermeter.tables.TABLES`, such as ``study/photos``.
    frame : DataFrame
        The table, with the contract's columns.

    Returns
    -------
    list[Finding]
    """
    file = _file(name)
    keys = {
        "study/photos": ["photo", "hand", "finger", "x", "y"],
        "study/subjects": ["subject_id"],
        "study/allocation": ["subject_id"],
        "study/refractory": ["subject_id", "ulcer_no", "course_end", "judged_by", "judged_on"],
        "study/treatments": ["subject_id", "drug", "route", "start", "end"],
    }
    faults = _duplicates(file, frame, keys[name]) if name in keys else []
    if name == "study/visits":
        faults += _duplicates(file, frame[~frame["visit"].isin(("history", "unscheduled"))], ["subject_id", "visit"])
    if name == "study/treatments":
        faults += _backwards(file, frame)
    if name == "study/photos":
        faults += _contradictions(frame)
    return faults


def _duplicates(file: str, frame: pd.DataFrame, keys: list[str]) -> list[Finding]:
    again = frame.duplicated(keys)
    first = {
        tuple(map(str, row)): i for i, row in reversed(list(zip(frame.index, frame[keys].to_numpy(), strict=True)))
    }
    return [
        broken(
            Problem(
                f"the same {', '.join(keys)} as row {first[tuple(map(str, frame.loc[i, keys]))] + 2} "
                f"({', '.join(str(v) for v in frame.loc[i, keys] if not not_known(v))})",
                action="keep one",
            ),
            file,
            i + 2,
        )
        for i in frame.index[again]
    ]


def _backwards(file: str, frame: pd.DataFrame) -> Iterator[Finding]:
    for i, row in frame.iterrows():
        start, end = readable_date(row["start"]), readable_date(row["end"])
        if start and end and end.high < start.low:
            late = Problem(expected=f"a day on or after the start {row['start']}", got=row["end"])
            yield broken(late, file, int(str(i)) + 2, column="end", got=row["end"])


def _contradictions(frame: pd.DataFrame) -> list[Finding]:
    """One file is one moment of one subject; and a finger seen twice on it needs a click each time."""
    faults = []
    for photo, rows in frame.groupby("photo", sort=False):
        for column in ("subject_id", "visit", "date"):
            if rows[column].nunique() > 1:
                several = ", ".join(dict.fromkeys(rows[column]))
                got = f"one photo, {photo}, with several {column}: {several}"
                once = Problem(got, action="keep the row of the subject and visit that it shows")
                faults.append(broken(once, _PHOTOS, *row_numbers(rows)))
    for (name, hand, finger), rows in frame.groupby(["photo", "hand", "finger"], sort=False):
        if len(rows) > 1 and rows["x"].isna().any() and rows["x"].notna().any():
            got = f"the {hand} {finger} finger of {name} stands with a click and without"
            both = Problem(got, action="give every row a click (x, y), or keep one row without")
            faults.append(broken(both, _PHOTOS, *row_numbers(rows)))
    return faults + list(ambiguous_fingers(frame))


def ambiguous_fingers(frame: pd.DataFrame) -> Iterator[Finding]:
    """Name photos of several fingers whose rows would all find the same ulcer, which would count on each finger.

    An outlines.csv tells fingers apart by itself.

    Parameters
    ----------
    frame : DataFrame
        The table, with the contract's columns.

    Returns
    -------
    Iterator[Finding]
    """
    for photo, rows in frame.groupby("photo", sort=False):
        fingers = list(dict.fromkeys(zip(rows["hand"], rows["finger"], strict=True)))
        if len(fingers) < 2:
            continue
        alone = rows[rows["x"].isna() & ~rows["mask"].str.lower().str.endswith(".csv")]
        same = alone[(alone["box"] == "") & (alone["mask"] == "") | alone.duplicated(["box", "mask"], keep=False)]
        if len(same):
            names = ", ".join(" ".join(finger) for finger in fingers)
            got = f"{photo} shows several fingers ({names}), and these rows do not say where theirs is"
            yield broken(Problem(got, action="give each its own box, or a click (x, y)"), _PHOTOS, *row_numbers(same))


def row_numbers(rows: pd.DataFrame) -> list[int]:
    """Return rows as a spreadsheet counts them: row 1 is the header.

    Parameters
    ----------
    rows : DataFrame
        Rows of the table.

    Returns
    -------
    list[int]
    """
    return [int(i) + 2 for i in rows.index]


def _cells(frame: pd.DataFrame, column: str) -> Iterator[tuple[int, str]]:
    if column in frame.columns:
        yield from ((i, str(text)) for i, text in frame[column].items() if not not_known(text))  # type: ignore[misc]


def _file(name: str) -> str:
    return name.removeprefix("study/") + ".csv"


def _is_date(name: str, column: str) -> bool:
    meaning = next((c.meaning for c in TABLES[name].columns if c.name == column), "")
    return "ISO 8601" in meaning


def readable_date(text: str) -> DateInterval | None:
    """Return a date, or None for an empty cell and one that is no date, which is told as a fault of its own.

    Parameters
    ----------
    text : str
        A cell's text.

    Returns
    -------
    DateInterval or None
    """
    try:
        return parse_date(text)
    except ValueError:
        return None


def _date_fault(text: str) -> Problem | None:
    try:
        parsed = parse_date(text)
    except DateError as error:
        return error.problem
    if parsed and not _FIRST_YEAR <= parsed.low.year <= _LAST_YEAR:
        return Problem(expected=f"a year from {_FIRST_YEAR} to {_LAST_YEAR}", got=f"'{text}'")
    return None


def _visit_fault(text: str, protocol: Protocol) -> Problem | None:
    names = [visit.name for visit in protocol.visits]
    if text in names:
        return None
    close = difflib.get_close_matches(text.lower(), names, n=1)
    hint = f" (closest: {close[0]})" if close else ""
    return Problem(expected=f"a visit of the protocol ({', '.join(names)})", got=f"'{text}'{hint}")
