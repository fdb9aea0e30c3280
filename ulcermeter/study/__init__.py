"""A study folder in: its tables against their contracts, and all faults of all files in one message.

Only ``photos.csv`` is required. Each file may be UTF-8 with or without a byte-order mark, with any line end, its cells
parted by commas, semicolons or tabs; numbers have a decimal point. A photo that is named but not there is no fault of
the folder: its row fails in the results, since one bad photo never stops a batch; `check_study` warns of it.
``allocation.csv`` is never opened here: nothing before `ulcermeter outcomes --unblind` knows an arm.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ulcermeter.datatypes import Finding, Kind, Severity, Study, blanked
from ulcermeter.errors import Problem, ProtocolError, StudyError
from ulcermeter.protocol import Protocol, read_protocol
from ulcermeter.study.added_columns import added_columns, with_added
from ulcermeter.study.cell_formats import parse_box, path_fault
from ulcermeter.study.consistency import consistency_warnings, same_picture_faults
from ulcermeter.study.file_names import folder_fault, table_name_findings
from ulcermeter.study.files import Findings, broken, read_text_table, short_rows_at_fault
from ulcermeter.study.photo_opening import off_photo, open_photos
from ulcermeter.study.rules import cell_faults, photo_faults, refuse_toes, spell_paths, spell_visits, table_faults
from ulcermeter.tables import conform_loosely, empty
from ulcermeter.wording import finding_in_words, problem_of

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
    "read_id_corrections",
    "read_study",
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
    findings : tuple of Finding
        All that was found, each once.
    as_read : Study or None
        The tables as far as they could be read, faults or not; cells that break a rule are empty.
    """

    study: Study | None
    findings: tuple[Finding, ...]
    as_read: Study | None = None

    @property
    def faults(self) -> tuple[Problem, ...]:
        """Everything that must be mended before a run."""
        return tuple(problem_of(f) for f in self.findings if f.severity is Severity.FAULT)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What looks wrong but stops nothing."""
        return tuple(problem_of(f) for f in self.findings if f.severity is Severity.WARNING)


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
    for finding in check.findings:
        if finding.severity is Severity.WARNING:
            _log.warning(finding_in_words(finding))
    if check.study is None:
        raise StudyError(check.faults)
    return check.study


def check_study(path: str | Path, *, protocol: str | Path | Protocol | None = None) -> StudyCheck:
    """Read a study folder and tell everything that is wrong with it; parameters as in `read_study`.

    Parameters
    ----------
    path : str or Path
    protocol : str, Path or Protocol, optional
        As in `read_study`.

    Returns
    -------
    StudyCheck
    """
    root, findings = Path(path), Findings()
    if fault := folder_fault(root):
        return StudyCheck(None, (Finding(Kind.PROTOCOL, Severity.FAULT, problem=fault),))
    rules = _protocol(root, protocol, findings)
    findings.found += table_name_findings(root)
    tables: dict[str, Any] = {name: _read(root, name, rules, findings) for name in TABLE_NAMES}
    if not findings.stopping and not len(tables["photos"]):
        findings.fault(Problem(expected="at least one photo", got="none"), "photos.csv")
    study = Study(root=root, protocol=rules, **tables)
    findings.found += short_rows_at_fault(findings)
    findings.found += same_picture_faults(study)
    findings.found += consistency_warnings(study)
    found = tuple(dict.fromkeys(findings.found))
    read = replace(study, findings=tuple(f for f in found if f.severity is Severity.WARNING))
    return StudyCheck(None if findings.stopping else read, found, read)


def read_allocation(path: str | Path) -> pd.DataFrame:
    """Read allocation.csv: a subject's arm.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    DataFrame
        By the contract ``study/allocation``.

    Raises
    ------
    StudyError
        The file is missing or breaks the contract ``study/allocation``.
    """
    findings = Findings()
    file = Path(path)
    if not file.is_file():
        raise StudyError(
            Problem(where=str(file), expected="an allocation file with subject_id and arm", got="no such file")
        )
    frame = _table(file, "study/allocation", None, findings)
    if findings.stopping:
        raise StudyError(problem_of(finding) for finding in findings.found if finding.severity is Severity.FAULT)
    return frame


def read_id_corrections(path: str | Path) -> pd.DataFrame:
    """Read a reader's corrections of which ulcer is which.

    Parameters
    ----------
    path : str or Path
        A CSV file with action, ulcer_id, into, photo, label, from_date, who, when and why.

    Returns
    -------
    DataFrame
        By the contract ``study/id_corrections``.

    Raises
    ------
    StudyError
        The file is missing or breaks the contract.
    """
    findings = Findings()
    file = Path(path)
    if not file.is_file():
        raise StudyError(Problem(where=str(file), expected="corrections of ids as a CSV file", got="no such file"))
    frame = _table(file, "study/id_corrections", read_protocol("manus"), findings)
    if findings.stopping:
        raise StudyError(problem_of(finding) for finding in findings.found if finding.severity is Severity.FAULT)
    return frame


def _protocol(root: Path, given: str | Path | Protocol | None, findings: Findings) -> Protocol:
    if isinstance(given, Protocol):
        return given
    own = root / "protocol.toml"
    try:
        return read_protocol(given if given is not None else own if os.path.lexists(own) else "manus")
    except ProtocolError as error:
        findings.found += [Finding(Kind.PROTOCOL, Severity.FAULT, problem=fault) for fault in error.problems]
        return read_protocol("manus")


def _read(root: Path, name: str, protocol: Protocol, findings: Findings) -> pd.DataFrame:
    file = root / f"{name}.csv"
    if os.path.lexists(file):
        return _table(file, f"study/{name}", protocol, findings)
    return with_added(empty(f"study/{name}"), None, added_columns(f"study/{name}", protocol))[0]


def _table(file: Path, name: str, protocol: Protocol | None, findings: Findings) -> pd.DataFrame:
    added = added_columns(name, protocol)
    raw = read_text_table(file, name, findings, added=added)
    if raw is None:
        return with_added(empty(name), None, added)[0]
    raw, faults = refuse_toes(file.name, spell_paths(raw))
    if protocol is not None:
        raw = spell_visits(raw, protocol)
        faults += cell_faults(name, raw, protocol)
    table, cells = conform_loosely(name, raw)
    table, wrong = with_added(table, raw, added)
    cells += wrong
    # A column that is not there was already told with the header.
    faults += [
        broken(c.problem, file.name, c.position + 2, column=c.column, got=c.got) for c in cells if c.column in raw
    ]
    if name == "study/photos":
        faults += photo_faults(table, file.parent)
    faults += table_faults(name, table)
    findings.found += faults
    return blanked(table, faults)
