"""One subject's rows of every table, and the day up to which evidence counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING

from ulcermeter.datatypes import Ask, Need, Study, placed_events
from ulcermeter.eligibility.timing import Horizon
from ulcermeter.protocol import Protocol
from ulcermeter.tables import columns
from ulcermeter.tables.cells import PASSED, Record, grouped, records
from ulcermeter.tables.dates import DateInterval, parse_date
from ulcermeter.wording import cutoff_in_words

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Case", "cases"]

Row = Record


@dataclass(frozen=True)
class Case:
    """A subject as eligibility sees it; no table here names an arm.

    Attributes
    ----------
    subject_id : str
    protocol : Protocol
    person : dict
        The row of subjects.csv; every cell empty where there is none.
    photos, assessments, courses, statements, visits, events : tuple of dict
        Rows of photos.csv, ulcers.csv, treatments.csv, refractory.csv, visits.csv, events.csv. Those of photos carry
        ``passed`` (yes / no) where it is known what became of the photo.
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
    visits: tuple[Row, ...] = field(default=(), repr=False)
    events: tuple[Row, ...] = field(default=(), repr=False)

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
        """Name and date of the cutoff, in words."""
        return cutoff_in_words(self.inclusion, self.cutoff)

    @property
    def cutoff_name(self) -> str:
        """Which day the cutoff is."""
        return "screening" if self.cutoff and not self.inclusion else "inclusion"

    @property
    def photo_horizon(self) -> Horizon:
        """The days whose photos count for size."""
        return Horizon(self.cutoff, self.protocol.eligibility.active_photo_max_days)

    @property
    def assessment_horizon(self) -> Horizon:
        """The days whose bedside examinations count."""
        return Horizon(self.cutoff, self.protocol.eligibility.examination_max_days)

    @property
    def xray_horizon(self) -> Horizon:
        """The days whose X-rays count."""
        return Horizon(self.cutoff, self.protocol.eligibility.xray_max_days)

    def counts_for_size(self, row: Row) -> bool:
        """Say whether a photo's visit is of a phase whose photos tell how large an ulcer is."""
        allowed = self.protocol.eligibility.active_photo_phases
        return any(visit.name == row["visit"] and visit.phase in allowed for visit in self.protocol.visits)

    def ask(self, column: str, need: Need = Need.FILL) -> Ask:
        """Return what is asked for in a cell of subjects.csv."""
        return Ask("subjects.csv", self.subject_id, (column,), need=need)


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
    tables = [shown, study.ulcers, study.treatments, study.refractory, tracked, trajectories, study.visits]
    tables.append(placed_events(study))
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
    for row in records(results):
        key = tuple(str(row[name]) for name in names)
        passed[key] = passed.get(key, True) and row["status"] in PASSED
    keys = [tuple(str(row[name]) for name in names) for row in records(photos)]
    statements = {True: "yes", False: "no", None: ""}
    return photos.assign(passed=[statements[passed.get(key)] for key in keys])


def _rows(table: pd.DataFrame) -> list[Row]:
    return sorted(records(table), key=lambda row: [str(cell) for cell in row.values()])


def _by_subject(table: pd.DataFrame) -> dict[str, tuple[Row, ...]]:
    return {name: tuple(rows) for name, rows in grouped(_rows(table), key=itemgetter("subject_id")).items()}
