"""Dates of one subject that cannot all be right: which cells are in doubt, and what each does not go with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ulcermeter.datatypes import Finding, Kind, Severity, Study
from ulcermeter.study.rules import readable_date
from ulcermeter.tables.cells import Record, by_key, records
from ulcermeter.tables.dates import DateInterval

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DEATH", "Point", "SUBJECT_DATES", "disordered", "order_findings", "points_of", "rows_of"]

DEATH = "death"
SUBJECT_DATES = ("consent_date", "screening_date", "inclusion_date", "treatment_date")
# What of a subject's row must come before what. Consent after inclusion is a criterion's answer; after the treatment it
# is no consent to it.
_BEFORE = {
    ("screening_date", "inclusion_date"),
    ("screening_date", "treatment_date"),
    ("inclusion_date", "treatment_date"),
    ("consent_date", "treatment_date"),
    *((name, DEATH) for name in SUBJECT_DATES),
}
_UP_TO_TREATMENT = ("screening", "baseline")


@dataclass(frozen=True)
class Point:
    """A day that the tables give for something of a subject.

    Attributes
    ----------
    name : str
        A column of subjects.csv, ``death``, or a visit's name.
    when : DateInterval
    text : str
        As it stands in the cells.
    cells : tuple of (str, int, str)
        File, row and column of each cell that gives it.
    place : int or None
        Of a visit, in the order of the protocol; None for an unscheduled one and for what is no visit.
    phase : str
        Of a visit; else empty.
    """

    name: str
    when: DateInterval
    text: str
    cells: tuple[tuple[str, int, str], ...]
    place: int | None = None
    phase: str = ""

    @property
    def place_in_words(self) -> str:
        """What it is and where it stands, in words."""
        file, row, _ = self.cells[0]
        return f"{self.name} of {file} row {row}"


def rows_of(table: pd.DataFrame, subject_id: str) -> list[tuple[int, Record]]:
    """Return a subject's rows of a table of the study, each with its number in the file.

    Parameters
    ----------
    table : DataFrame
        One of the study's, such as ``study.events``.
    subject_id : str
        The subject's code.

    Returns
    -------
    list of (int, dict)
        Row number as a spreadsheet counts, the header being row 1, and the row.
    """
    own = (table["subject_id"] == subject_id).to_numpy()
    # Only the subject's rows become dicts: asked for each subject, all of them would take a large study's square.
    return [(int(i) + 2, row) for i, row in zip(own.nonzero()[0], records(table[own]), strict=True)]


def points_of(study: Study, subject_id: str) -> list[Point]:
    """Return every dated point of a subject; cells that give one visit one date are one point.

    Parameters
    ----------
    study : Study
        The study folder as read.
    subject_id : str
        The subject's code.

    Returns
    -------
    list[Point]
    """
    cells = by_key(_dated_cells(study, subject_id))
    phases = {visit.name: visit.phase for visit in study.protocol.visits}
    places = study.protocol.places
    return [
        Point(name, when, text, tuple(where), places.get(name), phases.get(name, ""))
        for (name, text), where in cells.items()
        if (when := readable_date(text)) is not None
    ]


def _dated_cells(study: Study, subject_id: str) -> Iterator[tuple[tuple[str, str], tuple[str, int, str]]]:
    """Yield a subject's dates as (what, text) with where each stands (file, row, column)."""
    for i, row in rows_of(study.subjects, subject_id):
        yield from (((name, row[name]), ("subjects.csv", i, name)) for name in SUBJECT_DATES)
    for i, row in rows_of(study.events, subject_id):
        if row["event"] == DEATH:
            yield (DEATH, row["date"]), ("events.csv", i, "date")
    for file, table in (("photos.csv", study.photos), ("visits.csv", study.visits)):
        for i, row in rows_of(table, subject_id):
            if row.get("attended", "") != "no":
                yield (row["visit"], row["date"]), (file, i, "date")


def disordered(points: Sequence[Point]) -> dict[Point, Point]:
    """Return the points in doubt, each with one that it does not go with.

    Of two that contradict each other both are in doubt; where one contradicts more points than they do, it alone is:
    a single slip of the pen does not make all other dates doubtful.

    Parameters
    ----------
    points : sequence of Point
        Dated points of the subject's course.

    Returns
    -------
    dict[Point, Point]
    """
    against = {
        point: [other for other in points if _must_precede(point, other) and _surely_later(point, other)]
        for point in points
    }
    for point, others in list(against.items()):
        for other in others:
            if point not in against[other]:
                against[other].append(point)
    doubtful: dict[Point, Point] = {}
    while most := max((len(others) for others in against.values()), default=0):
        worst = [point for point, others in against.items() if len(others) == most]
        doubtful |= {point: against[point][0] for point in worst}
        against = {p: [o for o in others if o not in worst] for p, others in against.items() if p not in worst}
    return doubtful


def _surely_later(point: Point, other: Point) -> bool:
    """Say whether a point is later than one that it must precede; follow-up begins on a day after the treatment's."""
    together = point.name == "treatment_date" and point.when.low >= other.when.high
    return point.when.low > other.when.high or (together and bool(other.phase))


def _must_precede(first: Point, then: Point) -> bool:
    if (first.name, then.name) in _BEFORE:
        return True
    if first.place is not None and then.place is not None:
        return first.place < then.place
    if then.name == "treatment_date":
        return first.phase in _UP_TO_TREATMENT
    return first.name == "treatment_date" and then.phase == "follow-up"


def order_findings(study: Study, subject_id: str, points: Sequence[Point]) -> Iterator[Finding]:
    """Yield the cells of a subject whose dates are out of order, and consent later than it should be.

    Parameters
    ----------
    study : Study
        The study folder as read.
    subject_id : str
        The subject's code.
    points : sequence of Point
        Dated points of the subject's course.

    Returns
    -------
    Iterator[Finding]
    """
    for point, other in disordered(points).items():
        visits = bool(point.phase and other.phase)
        kind = Kind.VISITS_OUT_OF_ORDER if visits else Kind.DATES_OUT_OF_ORDER
        for file, column in dict.fromkeys((file, column) for file, _, column in point.cells):
            rows = tuple(row for name, row, own in point.cells if (name, own) == (file, column))
            got = f"{point.name} on {point.text}" if point.phase else point.text
            yield Finding(
                kind,
                Severity.WARNING,
                file,
                rows,
                column,
                got,
                f"on {other.text}",
                other.place_in_words,
                subject_id,
                in_doubt=True,
            )
    yield from _late_consent(subject_id, {point.name: point for point in points})


def _late_consent(subject_id: str, points: Mapping[str, Point]) -> Iterator[Finding]:
    consent = points.get("consent_date")
    for name in ("screening_date", "inclusion_date"):
        other = points.get(name)
        if consent and other and other.when.high < consent.when.low:
            file, row, column = consent.cells[0]
            yield Finding(
                Kind.CONSENT_LATE, Severity.WARNING, file, (row,), column, consent.text, other.text, name, subject_id
            )
