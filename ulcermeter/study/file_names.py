"""Names of files: tables and photos that are named otherwise than meant, photos that no row names, wrong folders."""

from __future__ import annotations

import difflib
import os
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from ulcermeter.datatypes import Finding, Kind, Severity, Study
from ulcermeter.errors import Problem
from ulcermeter.study.cell_formats import path_fault
from ulcermeter.tables.inputs import INPUTS

__all__ = ["file_findings", "folder_fault", "table_name_findings"]

_PICTURES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".heic", ".heif", ".dcm", ".webp", ".bmp")
_SHEETS = (".csv", ".tsv", ".txt", ".xls", ".xlsx", ".ods", ".numbers")
_TABLES = tuple(table.name.removeprefix("study/") for table in INPUTS)
# One letter of five wrong, missing or too many: subject, Subjcts, photo.
_ALIKE = 0.8


def folder_fault(root: Path) -> Problem | None:
    """Say why a folder is no study folder, and which one is meant where that can be seen; None for nothing.

    Parameters
    ----------
    root : Path
        The study folder.

    Returns
    -------
    Problem or None
    """
    if root.is_file():
        own = f"give its folder, {root.parent}" if root.name == "photos.csv" else ""
        return _no_study(root, "a file", own)
    if not root.is_dir():
        return _no_study(root, "no such folder")
    if (root / "run.json").is_file() or (root / "store.sqlite").is_file():
        return _no_study(root, "a results folder", "give the folder with the clinic's photos.csv")
    if os.path.lexists(root / "photos.csv"):
        return None
    return _no_study(root, "a folder without it", _meant_instead(root))


def _no_study(root: Path, got: str, action: str = "") -> Problem:
    return Problem(where=str(root), expected="a study folder that holds photos.csv", got=got, action=action)


def _meant_instead(root: Path) -> str:
    """Return what to do about a folder without photos.csv, where what is meant can be seen; else empty."""
    near = [name for name in sorted(os.listdir(root)) if _table_meant(name) == "photos"]
    if near:
        return f"rename {', '.join(near)} to photos.csv (as CSV UTF-8)"
    inside = [child.name for child in sorted(root.iterdir()) if (child / "photos.csv").is_file()]
    if inside:
        return f"give its folder {' or '.join(inside)}, if that is meant"
    above = root.resolve().parent
    return f"give the folder above it, {above}, if that is meant" if (above / "photos.csv").is_file() else ""


def table_name_findings(root: Path) -> Iterator[Finding]:
    """Yield files that seem to be a study's table under another name; no fault where that table is there too.

    Parameters
    ----------
    root : Path
        The study folder.

    Returns
    -------
    Iterator[Finding]
    """
    for name in sorted(os.listdir(root)):
        meant = _table_meant(name)
        proper = root / f"{meant}.csv"
        if not meant or not (root / name).is_file() or (proper.exists() and proper.samefile(root / name)):
            continue
        severity = Severity.WARNING if proper.exists() else Severity.FAULT
        yield Finding(Kind.TABLE_NAME, severity, name, got=name, meant=proper.name)


def _table_meant(name: str) -> str:
    """Return the table that a file's name means without being it; empty for none."""
    if name in {f"{table}.csv" for table in _TABLES}:
        return ""
    stem, ending = os.path.splitext(unicodedata.normalize("NFKC", name).casefold().strip())
    if ending not in _SHEETS:
        return ""
    stem = os.path.splitext(stem)[0] if stem.endswith(_SHEETS) else stem
    # subjects (1), subjects - copy, study_subjects_2024
    parts = [part for part in re.split(r"[^a-z]+", stem) if part]
    for part in (stem.strip(), *parts):
        if close := difflib.get_close_matches(part, _TABLES, n=1, cutoff=_ALIKE):
            return close[0]
    return ""


def file_findings(study: Study) -> Iterator[Finding]:
    """Yield rows whose photo or mask is not there, with the file that is meant, and photos that no row names.

    Parameters
    ----------
    study : Study
        The study folder as read.

    Returns
    -------
    Iterator[Finding]
    """
    there = _pictures(study.root)
    named: set[str] = set()
    for column in ("photo", "mask"):
        for position, (name, subject) in enumerate(zip(study.photos[column], study.photos["subject_id"], strict=True)):
            if not name or path_fault(study.root, name):
                continue
            if (study.root / name).is_file():
                named.add(_one_way(name))
                continue
            meant, how = _file_meant(name, there)
            named.add(_one_way(meant))
            kind = Kind.FILE_NAME if meant else Kind.FILE_MISSING
            yield Finding(kind, Severity.WARNING, "photos.csv", (position + 2,), column, name, meant, how, subject)
    for name in there:
        if _one_way(name) not in named:
            yield Finding(Kind.PHOTO_NOT_NAMED, Severity.WARNING, name, got=name)


def _pictures(root: Path) -> list[str]:
    """Return the pictures in a study folder, hidden folders and results folders left out."""
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and not (Path(folder) / name / "run.json").exists()
        )
        place = Path(folder).relative_to(root)
        found += [(place / name).as_posix() for name in sorted(files) if _is_picture(name)]
    return found


def _is_picture(name: str) -> bool:
    # A name that begins with a dot is a system's own, such as macOS's ._a.jpg.
    return not name.startswith(".") and name.lower().endswith(_PICTURES)


def _file_meant(name: str, there: Sequence[str]) -> tuple[str, str]:
    """Return the one file that a name means, and how the two differ; empty where none is, or more than one may be."""
    path = PurePosixPath(_folded(name))
    ways: tuple[tuple[str, Callable[[str], bool]], ...] = (
        ("in how accents are written (one sign, or letter and mark)", lambda file: _one_way(file) == _one_way(name)),
        ("in capitals", lambda file: _folded(file) == str(path)),
        ("in its ending", lambda file: str(PurePosixPath(_folded(file)).with_suffix("")) == str(path.with_suffix(""))),
        ("in its folder", lambda file: PurePosixPath(_folded(file)).name == path.name),
    )
    for how, is_meant in ways:
        if found := [file for file in there if is_meant(file)]:
            return (found[0], how) if len(found) == 1 else ("", "")
    return "", ""


def _one_way(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _folded(name: str) -> str:
    return _one_way(unicodedata.normalize("NFC", name).casefold())
