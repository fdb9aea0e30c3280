"""The files of a results folder: tables that come out byte for byte the same from the same inputs."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ulcermeter.errors import Problem, StudyError
from ulcermeter.files import Json, write_file
from ulcermeter.tables import TABLES, conform
from ulcermeter.tables.cells import FORMULA_STARTS

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "TABLE_FILES",
    "cell_text",
    "check_results_folder",
    "csv_text",
    "in_order",
    "overlay_name",
    "write_overlays",
    "write_run_record",
    "write_tables",
]

# Every CSV file of a results folder, named like its table.
TABLE_FILES = (
    "photos",
    "retake",
    "measurements",
    "outlines",
    "readings",
    "ids",
    "trajectories",
    "eligibility",
    "eligibility_by_ulcer",
    "eligibility_summary",
    "outcomes",
    "outcomes_by_subject",
    "queries",
)
# A tenth of a micrometre: far below any error, and a table that is read back gives the same answers.
_DECIMALS = 4
# With photo, hand and finger behind it a name stays under the 255 bytes that file systems allow.
_STEM_LENGTH = 100


def check_results_folder(path: str | Path, *, study: str | Path | None = None) -> Path:
    """Say whether a run may write into a folder; nothing is made yet.

    Parameters
    ----------
    path : str | Path
        The results folder that is wanted.
    study : str | Path, optional
        The study folder, which it may not be.

    Returns
    -------
    Path

    Raises
    ------
    StudyError
        It is a file, the study folder itself, or a folder with things of others in it.
    """
    root = Path(path)
    if root.exists() and not root.is_dir():
        raise StudyError(
            Problem(where=str(root), expected="a folder for the results", got="a file", action="choose another name")
        )
    if study is not None and root.resolve() == Path(study).resolve():
        raise StudyError(
            Problem(
                where=str(root),
                expected="a results folder apart from the study",
                got="the study's own, whose photos.csv would be overwritten",
                action="choose another name",
            )
        )
    ours = {"run.json", "store.sqlite", "readings.sqlite"}
    if root.is_dir() and any(root.iterdir()) and not any((root / name).exists() for name in ours):
        raise StudyError(
            Problem(
                where=str(root), expected="a new, empty or earlier results folder", got="one that holds other files"
            )
        )
    return root


def overlay_name(photo: str, hand: str, finger: str, nth: int = 0) -> str:
    """Return the overlay's file name in ``overlays/``: safe on every system, one for each photo row.

    Where the photo's path cannot be read off the name (letters outside ASCII, spaces, ``__``, or too long for a file
    system), eight digits of its hash tell it from others that look alike.

    Parameters
    ----------
    photo : str
        Its file, relative to the study folder.
    hand, finger : str
        Of its row; may be empty.
    nth : int
        Counts the rows of one photo, hand and finger (several clicks) from 0, in the order of the study.

    Returns
    -------
    str
    """
    stem = re.sub(r"[^A-Za-z0-9._-]+", "_", photo.replace("/", "__"))
    if stem.replace("__", "/") != photo or len(stem) > _STEM_LENGTH:
        stem = f"{stem[:_STEM_LENGTH]}-{hashlib.sha256(photo.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"
    again = f"-{nth + 1}" if nth else ""
    return f"{stem}.{hand or 'hand'}-{finger or 'finger'}{again}.jpg"


def write_tables(root: str | Path, tables: Mapping[str, pd.DataFrame]) -> None:
    """Write tables as ``NAME.csv``: contract checked, rows in the contract's order, each file whole or not at all.

    Parameters
    ----------
    root : str or Path
        The results folder; made where it is not there.
    tables : mapping of str to DataFrame
        By the names of `ulcermeter.tables.TABLES`.

    Raises
    ------
    TableError
        A table breaks its contract; none is written.
    OSError
        The folder cannot be written.
    """
    texts = {name: csv_text(name, frame) for name, frame in tables.items()}
    for name, text in texts.items():
        write_file(Path(root) / f"{name}.csv", text.encode())


def csv_text(name: str, frame: pd.DataFrame) -> str:
    """Return a table as CSV: UTF-8, line feeds, floats with 4 decimals, not known = empty.

    A text cell that a spreadsheet would run as a formula (it begins with = + - @ and is no number) gets an apostrophe
    in front, which `ulcermeter.store.read_results` takes off again.

    Parameters
    ----------
    name : str
        A key of `ulcermeter.tables.TABLES`.
    frame : DataFrame
        The table, with the contract's columns.

    Returns
    -------
    str
    """
    frame = conform(name, frame, extra=bool(TABLES[name].by_visit))
    return str(frame.iloc[in_order(name, frame)].map(cell_text).to_csv(index=False, lineterminator="\n"))


def in_order(name: str, frame: pd.DataFrame) -> list[int]:
    """Return the positions of a table's rows in the contract's order; the order as it is where a table has none.

    Parameters
    ----------
    name : str
        A key of `ulcermeter.tables.TABLES`.
    frame : DataFrame
        The table, with the contract's columns.

    Returns
    -------
    list[int]
    """
    order = list(TABLES[name].order)
    if order:
        # What ties in the contract's order is settled by all other cells, so that no earlier order shows through.
        shown = frame.map(cell_text)
        rest = [c for c in frame.columns if c not in order]
        positions = (
            frame[order]
            .assign(**{f"_{c}": shown[c] for c in rest})
            .sort_values([*order, *(f"_{c}" for c in rest)], kind="stable", na_position="first")
        )
        return [int(i) for i in positions.index]
    return list(range(len(frame)))


def cell_text(value: object) -> str:
    """Return one cell as it stands in a CSV file: 4 decimals, not known = empty, formulas disarmed.

    Parameters
    ----------
    value : object
        A cell as pandas holds it.

    Returns
    -------
    str
    """
    if isinstance(value, float):
        if math.isnan(value):
            return ""
        text = f"{value:.{_DECIMALS}f}"
        return text.removeprefix("-") if float(text) == 0 else text
    text = "" if value is None or type(value).__name__ == "NAType" else str(value)
    return "'" + text if text.startswith(FORMULA_STARTS) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text) is not None


def write_overlays(root: str | Path, overlays: Mapping[str, bytes]) -> None:
    """Write ``overlays/NAME`` and remove the overlays of an earlier run that this one has not.

    Parameters
    ----------
    root : str | Path
        The results folder.
    overlays : Mapping[str, bytes]
        Pictures by file name.
    """
    folder = Path(root) / "overlays"
    folder.mkdir(parents=True, exist_ok=True)
    for stale in {p.name for p in folder.glob("*.jpg")} - set(overlays):
        (folder / stale).unlink()
    for name, content in overlays.items():
        write_file(folder / name, content)


def write_run_record(root: str | Path, record: Mapping[str, Json]) -> None:
    """Write run.json.

    Parameters
    ----------
    root : str | Path
        The results folder.
    record : mapping of str to JSON values
        The whole record, as run.json holds it.
    """
    text = json.dumps(record, indent=2, ensure_ascii=False, sort_keys=False)
    write_file(Path(root) / "run.json", (text + "\n").encode())
