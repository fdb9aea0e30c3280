"""What is found wrong, or looks wrong, in a study folder: facts about a cell, and the one place that words them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Finding", "Kind", "Severity", "blanked", "record_of", "sentence"]


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
        What `meant` is: the other cell, the limit, or how a name differs. For a broken rule what was
        expected and got.
    subject_id : str
    in_doubt : bool
        Nothing may rest on the cell: what does is not known until it is mended.
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

    @property
    def place(self) -> str:
        """File, row and column, as they are named to a person."""
        many = "s" if len(self.rows) > 1 else ""
        rows = f" row{many} {', '.join(map(str, self.rows))}" if self.rows else ""
        return f"{self.file}{rows}" + (f", {self.column}" if self.column else "")


_WORDS = {
    Kind.PROTOCOL: "{why}",
    Kind.BROKEN: "{place}: {why}.",
    Kind.SHORT_ROW: "{place}: expected {meant} cells as in the header, got {got}; cells are missing before its end.",
    Kind.TABLE_NAME: "{place}: no table of a study is called so, and it is not read; {meant} is meant: rename it.",
    Kind.FILE_MISSING: "{place}: there is no file '{got}'; this row will fail.",
    Kind.FILE_NAME: "{place}: there is no file '{got}'; '{meant}' is meant, which differs {why}: write the cell as the "
    "file is named, or this row will fail.",
    Kind.PHOTO_NOT_NAMED: "{place}: no row of photos.csv names this photo, and it is not measured.",
    Kind.CAMERA_DATE: "{place}: got {got}, but the camera's clock says {meant}; one of them, or the photo, is wrong.",
    Kind.DATES_OUT_OF_ORDER: "{place}: {got} cannot be together with {why}, {meant}; mend what is wrong.",
    Kind.CONSENT_LATE: "{place}: {got} is later than {why} {meant}; mend it if it is wrong.",
    Kind.VISITS_OUT_OF_ORDER: "{place}: {got} does not go with {why}, {meant}, by the order of visits; mend visit or "
    "date.",
    Kind.OUTSIDE_WINDOW: "{place}: {got} lies outside the window of {why} ({meant}).",
    Kind.NOT_ATTENDED: "{place}: a photo of {got}, which {meant} says was not attended; mend one of them.",
    Kind.AFTER_DEATH: "{place}: {got} is later than the death on {meant} ({why}); mend one of them.",
    Kind.IMPLAUSIBLE: "{place}: {got} is implausible: {why}; mend it.",
    Kind.AGE_AND_BIRTH: "{place}: {got} does not go with {meant} ({why}); mend one of them.",
    Kind.READ_AS: "{place}: '{got}' is read as {meant}.",
    Kind.NEARLY: "{place}: '{got}' is no word that is known; is {meant} meant? Until it is written so it is not known.",
}


def sentence(finding: Finding) -> str:
    """Return a finding in words, with the place and what to do."""
    return _WORDS[finding.kind].format(place=finding.place, **asdict(finding))


def record_of(finding: Finding) -> dict[str, Any]:
    """Return a finding for run.json: its facts, its place and its words."""
    return {**asdict(finding), "place": finding.place, "words": sentence(finding)}


def blanked(table: pd.DataFrame, findings: Iterable[Finding]) -> pd.DataFrame:
    """Return a table of the study without what stands in the cells of findings: they become *not known*."""
    import pandas as pd

    table = table.copy()
    for finding in findings:
        if finding.column in table.columns:
            unknown = None if pd.api.types.is_numeric_dtype(table[finding.column]) else ""
            table.loc[[row - 2 for row in finding.rows], finding.column] = unknown
    return table
