"""From a study and its trajectories to the two outcome tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import TYPE_CHECKING, Literal

from ulcermeter.datatypes import Outcomes, Study, placed_events, without_doubted
from ulcermeter.outcomes.columns import outcome_columns
from ulcermeter.outcomes.course import day_of
from ulcermeter.outcomes.doubts import agreed, contradicts_death, resting_on, without_doubted_days
from ulcermeter.outcomes.incidents import days_between, end_of_follow_up, incidents_of, rescue_day
from ulcermeter.outcomes.machine_healing import without_machine_healing
from ulcermeter.outcomes.merged import courses_of
from ulcermeter.outcomes.per_subject import Burden, subject_row
from ulcermeter.outcomes.per_ulcer import ulcer_row
from ulcermeter.protocol import Protocol
from ulcermeter.tables import TABLES, columns, conform, from_rows
from ulcermeter.tables.cells import Record, grouped, records
from ulcermeter.tables.dates import parse_date

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["tabulate_outcomes"]


_DTYPES: dict[str, Literal["float64", "Int64"]] = {"number": "float64", "count": "Int64"}


def tabulate_outcomes(study: Study, trajectories: pd.DataFrame) -> Outcomes:
    """Tabulate what became of every ulcer and of every subject.

    Rescue treatment follows the treatment policy: what is seen after it counts. With the protocol's
    ``censor_at_rescue`` it is the sensitivity analysis: what was seen or happened after the first day of a rescue
    treatment (events.csv) is left out, for that finger, or for all where the event names none; that day still counts.
    Death and withdrawal end follow-up: what is dated later does not count. An amputated finger's ulcer has not healed;
    an ulcer that merged into another takes its course from then on (``course_of``). What would come out otherwise
    without the cells that are in doubt (`Study.findings`) is unknown, and column ``in_doubt`` names them. No arm is
    known here.

    Parameters
    ----------
    study : Study
    trajectories : DataFrame
        Table ``trajectories``.

    Returns
    -------
    Outcomes
        ``outcomes`` and ``outcomes_by_subject``, with the columns of `outcome_columns`.
    """
    trajectories = conform("trajectories", trajectories, extra=True)
    if study.protocol.healing.healed_word == "reader":
        trajectories = from_rows("trajectories", without_machine_healing(records(trajectories)))
    given = _tabulate(study, trajectories)
    if _ends_in_doubt(study):
        given = agreed(given, _tabulate(study, trajectories, earliest=True), {})
    findings = resting_on(study)
    if not findings:
        return given
    sure = without_doubted(study, [finding for own in findings.values() for finding in own])
    return agreed(given, _tabulate(sure, without_doubted_days(trajectories, study, sure)), findings)


def _ends_in_doubt(study: Study) -> bool:
    """Say whether anybody withdrew on a day that is not known."""
    dates = [parse_date(row["date"]) for row in records(study.events) if row["event"] == "withdrawal"]
    return any(date is None or not date.exact for date in dates)


def _tabulate(study: Study, trajectories: pd.DataFrame, *, earliest: bool = False) -> Outcomes:
    study = replace(study, events=placed_events(study))
    ulcers: list[Record] = []
    by_subject = []
    for followed in _subjects(study, trajectories):
        rows, burden = _subject(study, followed, earliest)
        ulcers += rows
        by_subject.append(subject_row(followed.person["subject_id"], burden))
    return Outcomes(
        outcomes=_table("outcomes", ulcers, study.protocol),
        outcomes_by_subject=_table("outcomes_by_subject", by_subject, study.protocol),
    )


@dataclass(frozen=True)
class _Followed:
    """A subject's row and its rows of the other tables."""

    person: Record
    trajectories: Sequence[Record]
    visits: Sequence[Record]
    events: Sequence[Record]


def _subjects(study: Study, trajectories: pd.DataFrame) -> list[_Followed]:
    """Return every subject with its rows: searching the tables once a subject would be quadratic."""
    people: dict[str, Record] = {row["subject_id"]: row for row in records(study.subjects)}
    courses, visits, events = (
        grouped(records(table), key=itemgetter("subject_id")) for table in (trajectories, study.visits, study.events)
    )
    return [
        _Followed(
            people.get(name, {"subject_id": name, "treatment_date": "", "injected_limb": ""}),
            courses.get(name, ()),
            visits.get(name, ()),
            events.get(name, ()),
        )
        for name in sorted(set(people) | set(study.photos["subject_id"]) | set(courses))
    ]


def _subject(study: Study, followed: _Followed, earliest: bool) -> tuple[list[Record], Burden]:
    person, zero = followed.person, followed.person["treatment_date"]
    incidents = incidents_of(followed.events, zero)
    end = end_of_follow_up(incidents, earliest=earliest)
    # Photos from after a death are a contradiction that `agreed` settles: the one or the other date is wrong.
    stop = math.inf if end.event == "death" and contradicts_death(study, person["subject_id"]) else end.day
    rescues = study.protocol.outcomes.censor_at_rescue
    last_days = {
        row["ulcer_id"]: min(stop, rescue_day(incidents, row["hand"], row["finger"])) if rescues else stop
        for row in followed.trajectories
    }
    kept = [row for row in followed.trajectories if not _later(row, last_days[row["ulcer_id"]], zero)]
    courses = {name: replace(own, zero=zero) for name, own in courses_of(kept, study.protocol).items()}
    limb = person["injected_limb"]
    rows = [
        ulcer_row(course, incidents, injected_limb=limb, censored_on=last_days[name], end=end)
        for name, course in courses.items()
    ]
    return rows, Burden(list(courses.values()), rows, followed.visits, study.protocol, end, tuple(incidents), zero)


def _later(row: Record, last_day: float, treatment_date: str) -> bool:
    """Say whether a row may be of a later day; one whose day cannot be known at all stands for no day."""
    latest = day_of(row)
    if not math.isfinite(latest):
        _, latest = days_between(parse_date(str(row["date"])), parse_date(treatment_date))
    return math.isfinite(latest) and latest > last_day


def _table(name: str, rows: list[Record], protocol: Protocol) -> pd.DataFrame:
    """Bring rows to the contract, the protocol's own columns behind it with their dtype."""
    import pandas as pd

    added = outcome_columns(protocol)[name]
    frame = pd.DataFrame(rows, columns=None if rows else columns(name) + added)
    for column in added:
        known = TABLES[name].find(column)
        kind = known.kind if known else "number"
        cells = frame[column] if column in frame else pd.Series("" if kind == "text" else None, index=frame.index)
        frame[column] = cells.astype("str") if kind == "text" else pd.to_numeric(cells).astype(_DTYPES[kind])
    ordered = columns(name) + added
    return conform(name, frame.reindex(columns=ordered), extra=True)
