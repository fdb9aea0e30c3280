"""One subject's rows of every table, and the day up to which evidence counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ulcermeter.datatypes import Study
from ulcermeter.eligibility.answers import written
from ulcermeter.protocol import Protocol
from ulcermeter.tables import columns
from ulcermeter.tables.cells import PASSED
from ulcermeter.tables.dates import DateInterval, parse_date

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Case", "cases"]

Row = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A subject as eligibility sees it; no table here names an arm.

    Attributes
    ----------
    subject_id : str
    protocol : Protocol
    person : dict
        The row of subjects.csv; every cell empty where there is none.
    photos, looks, courses, words : tuple of dict
        Rows of photos.csv, ulcers.csv, treatments.csv, refractory.csv. Those of photos carry ``passed`` (yes / no)
        where it is known what became of the photo.
    tracked, trajectories : tuple of dict
    """

    subject_id: str
    protocol: Protocol
    person: Row
    photos: tuple[Row, ...] = field(repr=False)
    assessments: tuple[Row, ...] = field(repr=False)
    courses: tuple[Row, ...] = field(repr=False)
    statements: tuple[Row, ...] = field(repr=False)
    tracked: tuple[Row, ...] = field(repr=False)
    trajectories: tuple[Row, ...] = field(repr=False)

    @property
    def inclusion(self) -> DateInterval | None:
        """The day of inclusion, where it is given."""
        return parse_date(self.person["inclusion_date"])

    @property
    def cutoff(self) -> DateInterval | None:
        """The last day whose evidence counts: inclusion, else screening, else not known."""
        return self.inclusion or parse_date(self.person["screening_date"])

    @property
    def cutoff_text(self) -> str:
        """Name and date of the cutoff."""
        name = "inclusion" if self.inclusion else "screening"
        return f"{name} ({written(self.cutoff)})" if self.cutoff else "inclusion (date not known)"

    def counts_for_size(self, row: Row) -> bool:
        """Say whether a photo's visit is of a phase whose photos tell how large an ulcer is."""
        allowed = self.protocol.eligibility.active_photo_phases
        return any(visit.name == row["visit"] and visit.phase in allowed for visit in self.protocol.visits)

    def cell(self, column: str) -> str:
        """Name a cell of subjects.csv."""
        return f"subjects.csv: {self.subject_id}, {column}"


def cases(
    study: Study, tracked: pd.DataFrame, trajectories: pd.DataFrame, photos: pd.DataFrame | None = None
) -> list[Case]:
    """Return one case for every subject of photos.csv and subjects.csv, sorted; rows in an order of their own.

    Rows are sorted by all their cells, so that the order of a file's rows can change nothing.

    Parameters
    ----------
    study : Study
        The study folder as read.
    tracked : DataFrame
        Table ``tracked``.
    trajectories : DataFrame
        Table ``trajectories``.
    photos : DataFrame, optional
        The photo results; without them a refused photo cannot be told from none.

    Returns
    -------
    list[Case]
    """
    people = {row["subject_id"]: row for row in _rows(study.subjects)}
    unknown = dict.fromkeys(columns("study/subjects"), "") | {"age": float("nan")}
    shown = study.photos if photos is None else _with_passed(study.photos, photos)
    tables = [shown, study.ulcers, study.treatments, study.refractory, tracked, trajectories]
    parts = [_by_subject(table) for table in tables]
    names = sorted(set(people) | set(parts[0]))
    return [
        Case(name, study.protocol, people.get(name, unknown | {"subject_id": name}), *(p.get(name, ()) for p in parts))
        for name in names
    ]


def _with_passed(photos: pd.DataFrame, results: pd.DataFrame) -> pd.DataFrame:
    """Return the study's photo rows with what became of each; rows that cannot be told apart pass only together.

    Rows of one photo and finger differ by their click, where the results tell it.
    """
    names = ["photo", "subject_id", "visit", "date", "hand", "finger"]
    names += [name for name in ("x", "y") if name in results]
    passed: dict[tuple[str, ...], bool] = {}
    for row in results.to_dict("records"):
        key = tuple(str(row[name]) for name in names)
        passed[key] = passed.get(key, True) and row["status"] in PASSED
    keys = [tuple(str(row[name]) for name in names) for row in photos.to_dict("records")]
    statements = {True: "yes", False: "no", None: ""}
    return photos.assign(passed=[statements[passed.get(key)] for key in keys])


def _rows(table: pd.DataFrame) -> list[Row]:
    rows = [{str(name): cell for name, cell in row.items()} for row in table.to_dict("records")]
    return sorted(rows, key=lambda row: [str(cell) for cell in row.values()])


def _by_subject(table: pd.DataFrame) -> dict[str, tuple[Row, ...]]:
    grouped: dict[str, list[Row]] = {}
    for row in _rows(table):
        grouped.setdefault(row["subject_id"], []).append(row)
    return {name: tuple(rows) for name, rows in grouped.items()}
