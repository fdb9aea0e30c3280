"""What is found wrong, or looks wrong, in a study folder: facts about a cell; `ulcermeter.wording` says them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from ulcermeter.errors import Problem

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Finding", "Kind", "Severity", "blanked"]


class Severity(StrEnum):
    """A fault cannot be parsed or assigned and stops a run; a warning stops nothing."""

    FAULT = "fault"
    WARNING = "warning"


class Kind(StrEnum):
    """What sort of finding it is."""

    PROTOCOL = "protocol"
    BROKEN = "broken rule"
    SHORT_ROW = "short row"
    TABLE_NAME = "misspelt table"
    FILE_MISSING = "missing file"
    FILE_NAME = "file of another name"
    PHOTO_NOT_NAMED = "photo without a row"
    CAMERA_DATE = "camera's date"
    DATES_OUT_OF_ORDER = "dates out of order"
    CONSENT_LATE = "consent late"
    VISITS_OUT_OF_ORDER = "visits out of order"
    OUTSIDE_WINDOW = "outside the visit's window"
    NOT_ATTENDED = "photo of a visit not attended"
    AFTER_DEATH = "after death"
    IMPLAUSIBLE = "implausible value"
    AGE_AND_BIRTH = "age and birth date disagree"
    READ_AS = "read as"
    NEARLY = "nearly a known word"
    WOULD_FAIL = "photo that would fail"


@dataclass(frozen=True)
class Finding:
    """One thing found in a study folder.

    Attributes
    ----------
    kind : Kind
    severity : Severity
    file : str
        Relative to the study folder.
    rows : tuple of int
        Rows of the file as a spreadsheet counts them, the header being row 1; empty where it is of the whole file.
    column : str
    got : str
        What stands there.
    meant : str
        What is meant, or what it disagrees with.
    why : str
        What `meant` is: the other cell, the limit, or how a name differs.
    subject_id : str
    in_doubt : bool
        Nothing may rest on the cell: what does is not known until it is mended.
    problem : Problem or None
        Of a broken rule, a protocol's fault and a photo that would fail.
    """

    kind: Kind
    severity: Severity
    file: str = ""
    rows: tuple[int, ...] = ()
    column: str = ""
    got: str = ""
    meant: str = ""
    why: str = ""
    subject_id: str = ""
    in_doubt: bool = False
    problem: Problem | None = None

    @property
    def place(self) -> str:
        """File, row and column, as they are named to a person."""
        many = "s" if len(self.rows) > 1 else ""
        rows = f" row{many} {', '.join(map(str, self.rows))}" if self.rows else ""
        return f"{self.file}{rows}" + (f", {self.column}" if self.column else "")


def blanked(table: pd.DataFrame, findings: Iterable[Finding]) -> pd.DataFrame:
    """Return a table of the study without what stands in the cells of findings: they become *not known*.

    Parameters
    ----------
    table : DataFrame
        The table.
    findings : iterable of Finding
        What was found wrong in the study folder.

    Returns
    -------
    DataFrame
    """
    import pandas as pd

    table = table.copy()
    for finding in findings:
        if finding.column in table.columns:
            unknown = None if pd.api.types.is_numeric_dtype(table[finding.column]) else ""
            table.loc[[row - 2 for row in finding.rows], finding.column] = unknown
    return table
