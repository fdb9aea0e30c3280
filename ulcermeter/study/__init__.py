"""A study folder in: its tables against their contracts, and all faults of all files in one message.

Only ``photos.csv`` is required. Each file may be UTF-8 with or without a byte-order mark, with any line end, its cells
parted by commas, semicolons or tabs; numbers have a decimal point. A photo that is named but not there is no fault of
the folder: its row fails in the results, since one bad photo never stops a batch; `check_study` warns of it.
``allocation.csv`` is never opened here: nothing before `ulcermeter outcomes --unblind` knows an arm.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ulcermeter.datatypes import Study
from ulcermeter.errors import ProtocolError, StudyError, TableError
from ulcermeter.protocol import Protocol, read_protocol
from ulcermeter.study.across import same_picture_faults, warn_across
from ulcermeter.study.cells import parse_box, path_fault
from ulcermeter.study.files import Findings, read_text_table, unguarded
from ulcermeter.study.opening import off_photo, open_photos
from ulcermeter.study.rules import cell_faults, photo_faults, refuse_toes, spell_paths, spell_visits, table_faults
from ulcermeter.tables import columns, conform, empty

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "StudyCheck",
    "check_study",
    "off_photo",
    "open_photos",
    "parse_box",
    "path_fault",
    "read_allocation",
    "read_study",
    "unguarded",
]

TABLE_NAMES = ("photos", "subjects", "ulcers", "treatments", "refractory", "visits", "events")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StudyCheck:
    """What reading a study folder gave.

    Attributes
    ----------
    study : Study or None
        None when there are faults.
    faults : tuple of str
        Everything that must be mended before a run.
    warnings : tuple of str
        What looks wrong but stops nothing.
    """

    study: Study | None
    faults: tuple[str, ...]
    warnings: tuple[str, ...]


def read_study(path: str | Path, *, protocol: str | Path | Protocol | None = None) -> Study:
    """Read and validate a study folder.

    Parameters
    ----------
    path : str or Path
        The folder that holds photos.csv.
    protocol : str, Path or Protocol, optional
        A shipped name, a TOML file or a protocol; without it the folder's protocol.toml, else ``manus``.

    Returns
    -------
    Study
        Each table by its contract ``study/...``; a file that is not there gives a table without rows.

    Raises
    ------
    StudyError
        All faults of all files, the protocol's included.
    """
    check = check_study(path, protocol=protocol)
    for warning in check.warnings:
        _log.warning(warning)
    if check.study is None:
        raise StudyError(check.faults)
    return check.study


def check_study(path: str | Path, *, protocol: str | Path | Protocol | None = None) -> StudyCheck:
    """Read a study folder and tell everything that is wrong with it; parameters as in `read_study`."""
    root, findings = Path(path), Findings()
    if not (root / "photos.csv").exists():
        what = "a folder without it" if root.is_dir() else "no such folder"
        return StudyCheck(None, (f"{root}: expected a study folder that holds photos.csv, got {what}.",), ())
    rules = _protocol(root, protocol, findings)
    tables = {name: _read(root, name, rules, findings) for name in TABLE_NAMES}
    if not findings.faults and not len(tables["photos"]):
        findings.faults.append("photos.csv: expected at least one photo, got none.")
    if findings.faults:
        return StudyCheck(None, _once(findings.faults), _once(findings.warnings))
    study = Study(root=root, protocol=rules, **tables)
    if faults := same_picture_faults(study):
        return StudyCheck(None, faults, _once(findings.warnings))
    warn_across(study, findings)
    return StudyCheck(study, (), _once(findings.warnings))


def read_allocation(path: str | Path) -> pd.DataFrame:
    """Read allocation.csv: a subject's arm.

    Raises
    ------
    StudyError
        The file is missing or breaks the contract ``study/allocation``.
    """
    findings = Findings()
    file = Path(path)
    if not file.is_file():
        raise StudyError(f"{file}: expected an allocation file with subject_id and arm, got no such file.")
    frame = _table(file, "study/allocation", None, findings)
    if findings.faults:
        raise StudyError(_once(findings.faults))
    return frame


def _protocol(root: Path, given: str | Path | Protocol | None, findings: Findings) -> Protocol:
    if isinstance(given, Protocol):
        return given
    own = root / "protocol.toml"
    try:
        return read_protocol(given if given is not None else own if os.path.lexists(own) else "manus")
    except ProtocolError as error:
        findings.faults += error.faults
        return read_protocol("manus")


def _read(root: Path, name: str, protocol: Protocol, findings: Findings) -> pd.DataFrame:
    file = root / f"{name}.csv"
    return _table(file, f"study/{name}", protocol, findings) if os.path.lexists(file) else empty(f"study/{name}")


def _table(file: Path, name: str, protocol: Protocol | None, findings: Findings) -> pd.DataFrame:
    import pandas as pd

    raw = read_text_table(file, name, findings)
    if raw is None:
        return empty(name)
    raw, faults = refuse_toes(file.name, spell_paths(raw))
    if protocol is not None:
        raw = spell_visits(raw, protocol)
    loose = raw.reindex(columns=columns(name), fill_value="")
    for axis in {"x", "y"} & set(loose.columns):
        loose[axis] = pd.to_numeric(loose[axis].replace("", None), errors="coerce")
    if protocol is not None:
        faults += cell_faults(name, raw, protocol)
    if name == "study/photos":
        from ulcermeter.calibration.references import parse_reference

        faults += photo_faults(loose, file.parent, parse_reference)
    faults += table_faults(name, loose)
    findings.faults += faults
    try:
        return conform(name, raw)
    except TableError as error:
        # A missing column was already told with the header; the rest speaks of the file the reader has before him.
        own = [f for f in error.faults if "expected a column '" not in f]
        findings.faults += [f.replace(f"{name} row", f"{file.name} row") for f in own]
        return empty(name)


def _once(sentences: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sentences))
