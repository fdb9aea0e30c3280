"""From a study and its trajectories to the two outcome tables."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ulcermeter.datatypes import Outcomes, Study, without_doubted
from ulcermeter.outcomes.course import Course, day_of
from ulcermeter.outcomes.doubts import agreed, resting_on, without_doubted_days
from ulcermeter.outcomes.incidents import Incident, days_between, incidents_of, rescue_day
from ulcermeter.outcomes.per_subject import Burden, active_column, active_visits, subject_row
from ulcermeter.outcomes.per_ulcer import reduction_column, reduction_visits, ulcer_row
from ulcermeter.protocol import Protocol
from ulcermeter.tables import columns, conform
from ulcermeter.tables.dates import parse_date

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["outcome_columns", "tabulate_outcomes"]


def outcome_columns(protocol: Protocol) -> dict[str, list[str]]:
    """Return the columns that the protocol's visits add to each outcome table, in the order of the visits.

    ``outcomes`` gets area_reduction_week_N_pct, 100 (A0 - At) / A0 in %, for each visit N weeks after treatment;
    ``outcomes_by_subject`` gets n_active_<visit>, ulcers seen open, for each visit after baseline.

    Parameters
    ----------
    protocol : Protocol
        The trial's rules.

    Returns
    -------
    dict[str, list[str]]
    """
    return {
        "outcomes": [reduction_column(visit) for visit in reduction_visits(protocol)],
        "outcomes_by_subject": [
            name for name in map(active_column, active_visits(protocol)) if name not in columns("outcomes_by_subject")
        ],
    }


def tabulate_outcomes(study: Study, trajectories: pd.DataFrame) -> Outcomes:
    """Tabulate what became of every ulcer and of every subject.

    Rescue treatment follows the treatment policy: what is seen after it counts. With the protocol's
    ``censor_at_rescue`` it is the sensitivity analysis: what was seen or happened after the first day of a rescue
    treatment (events.csv) is left out, for that finger, or for all where the event names none; that day still counts.
    An amputated finger's ulcer has not healed. What would come out otherwise without the cells that are in doubt
    (`Study.findings`) is unknown, and column ``in_doubt`` names them. No arm is known here.

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
    given = _tabulate(study, trajectories)
    findings = resting_on(study)
    if not findings:
        return given
    sure = without_doubted(study, [finding for own in findings.values() for finding in own])
    return agreed(given, _tabulate(sure, without_doubted_days(trajectories, study, sure)), findings)


def _tabulate(study: Study, trajectories: pd.DataFrame) -> Outcomes:
    people = {row["subject_id"]: row for row in study.subjects.to_dict("records")}
    subjects = sorted(set(people) | set(study.photos["subject_id"]) | set(trajectories["subject_id"]))
    ulcers: list[dict[str, Any]] = []
    by_subject = []
    for subject_id in subjects:
        person = people.get(subject_id, {"treatment_date": "", "injected_limb": ""})
        own = trajectories[trajectories["subject_id"] == subject_id]
        rows, burden = _subject(study, own, person, subject_id)
        ulcers += rows
        by_subject.append(subject_row(subject_id, burden))
    return Outcomes(
        outcomes=_table("outcomes", ulcers, study.protocol),
        outcomes_by_subject=_table("outcomes_by_subject", by_subject, study.protocol),
    )


def _subject(
    study: Study, trajectories: pd.DataFrame, person: dict[Any, Any], subject_id: str
) -> tuple[list[dict[str, Any]], Burden]:
    incidents = incidents_of(study.events, subject_id, person["treatment_date"])
    courses, rows = [], []
    for _, frame in trajectories.groupby("ulcer_id", sort=True):
        last_day = _last_day(frame.iloc[0].to_dict(), incidents, study.protocol)
        kept = [not _later(row, last_day, person["treatment_date"]) for row in frame.to_dict("records")]
        if not any(kept):
            continue
        courses.append(Course(frame[kept], study.protocol))
        rows.append(ulcer_row(courses[-1], incidents, injected_limb=person["injected_limb"], censored_on=last_day))
    visits = study.visits[study.visits["subject_id"] == subject_id]
    return rows, Burden(courses, rows, visits, study.protocol)


def _last_day(ulcer: dict[Any, Any], incidents: list[Incident], protocol: Protocol) -> float:
    """Return the last day that counts for an ulcer: all of them, unless rescue treatment censors."""
    return rescue_day(incidents, ulcer["hand"], ulcer["finger"]) if protocol.outcomes.censor_at_rescue else math.inf


def _later(row: dict[Any, Any], last_day: float, treatment_date: str) -> bool:
    """Say whether a row may be of a later day; one whose day cannot be known at all stands for no day."""
    latest = day_of(row)
    if not math.isfinite(latest):
        _, latest = days_between(parse_date(row["date"]), parse_date(treatment_date))
    return math.isfinite(latest) and latest > last_day


def _table(name: str, rows: list[dict[str, Any]], protocol: Protocol) -> pd.DataFrame:
    """Bring rows to the contract, the protocol's own columns behind it with their dtype."""
    import pandas as pd

    added = outcome_columns(protocol)[name]
    frame = pd.DataFrame(rows, columns=None if rows else columns(name) + added)
    for column in added:
        cells = pd.to_numeric(frame[column]) if column in frame else pd.Series(float("nan"), index=frame.index)
        frame[column] = cells.astype("Int64" if name == "outcomes_by_subject" else "float64")
    ordered = columns(name) + added
    return conform(name, frame.reindex(columns=ordered), extra=True)
