"""The files of a results folder: tables that come out byte for byte the same from the same inputs."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ulcermeter.errors import Problem, StudyError
from ulcermeter.files import Json, write_file
from ulcermeter.tables import TABLES, conform
from ulcermeter.tables.cells import FORMULA_STARTS

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "PAGES",
    "PICTURES",
    "TABLE_FILES",
    "cell_text",
    "check_results_folder",
    "csv_text",
    "in_order",
    "overlay_name",
    "page_name",
    "remove_pages",
    "write_changed",
    "write_pictures",
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
PAGES = "report"
"""The folder of a report's pages, one a subject."""
PICTURES = f"{PAGES}/pictures"
"""The folder of their small pictures, named like the overlays."""
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
    again = f"-{nth + 1}" if nth else ""
    return f"{_stem(photo)}.{hand or 'hand'}-{finger or 'finger'}{again}.jpg"


def page_name(subject_id: str, nth: int = 0) -> str:
    """Return the file name of a subject's page in ``report/``: safe on every system.

    Parameters
    ----------
    subject_id : str
    nth : int
        Counts from 0 the subjects whose pages would else be one file.

    Returns
    -------
    str
    """
    again = f"-{nth + 1}" if nth else ""
    return f"{_stem(subject_id)}{again}.html"


def _stem(name: str) -> str:
    """Return a name's safe letters, with eight digits of its hash where it cannot be read off them."""
    stem = re.sub(r"^[.]+|[^A-Za-z0-9._-]+", "_", name.replace("/", "__"))
    if stem.replace("__", "/") != name or not stem or len(stem) > _STEM_LENGTH:
        stem = f"{stem[:_STEM_LENGTH]}-{hashlib.sha256(name.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"
    return stem


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


def write_pictures(root: str | Path, pictures: Iterable[tuple[str, bytes | None, bytes | None]]) -> None:
    """Write overlays and the report's small pictures one by one, and remove those that this run has not.

    Parameters
    ----------
    root : str | Path
        The results folder.
    pictures : iterable of (str, bytes or None, bytes or None)
        File name (`overlay_name`), the overlay for ``overlays/``, and the picture for ``report/pictures/``. None of
        them is held, and what stands there already is not written again.
    """
    folders = (Path(root) / "overlays", Path(root) / PICTURES)
    kept: tuple[set[str], set[str]] = (set(), set())
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    for name, *contents in pictures:
        for folder, names, content in zip(folders, kept, contents, strict=True):
            if content is not None:
                names.add(name)
                write_changed(folder / name, content)
    for folder, names in zip(folders, kept, strict=True):
        for stale in {path.name for path in folder.glob("*.jpg")} - names:
            (folder / stale).unlink()


def write_changed(path: Path, content: bytes) -> None:
    """Write a file as `write_file` does, unless it holds just that: of thousands each sync takes its time.

    Parameters
    ----------
    path : Path
    content : bytes
        What is to be written.
    """
    if not (path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content):
        write_file(path, content)


def remove_pages(folder: Path, *, keep: Iterable[str] = ()) -> None:
    """Remove the pages of subjects that are not in the study any more.

    Parameters
    ----------
    folder : Path
        The results folder's ``report``; it need not be there.
    keep : iterable of str, optional
        File names of the pages that stay.
    """
    for stale in {path.name for path in folder.glob("*.html")} - set(keep):
        (folder / stale).unlink()


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
