"""What effects are estimated from: each ulcer's end of follow-up and answers by visit, areas in time, months."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from ulcermeter.datatypes import Study, placed_events
from ulcermeter.outcomes.columns import followed_visits
from ulcermeter.outcomes.course import Course, day_of, is_assessed, is_sized
from ulcermeter.outcomes.effects.rates import DAYS_PER_MONTH
from ulcermeter.outcomes.incidents import Incident, days_between, incidents_of
from ulcermeter.outcomes.merged import courses_of
from ulcermeter.protocol import Protocol, Visit
from ulcermeter.tables.cells import by_key, grouped, not_known, records
from ulcermeter.tables.dates import parse_date

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["areas_over_time", "incidents_by_subject", "months_followed", "ulcer_ends", "visits_after"]

Row = dict[str, Any]
_LEAVING = ("death", "withdrawal")


def visits_after(protocol: Protocol) -> list[Visit]:
    """Return the follow-up visits that have a day, in time.

    Parameters
    ----------
    protocol : Protocol
        The trial's rules.

    Returns
    -------
    list[Visit]
    """
    return sorted(followed_visits(protocol), key=lambda visit: visit.day or 0)


def incidents_by_subject(study: Study | None) -> dict[str, list[Incident]]:
    """Return each subject's events in days after treatment; nothing where the study is not known.

    Parameters
    ----------
    study : Study or None
        The study folder as read.

    Returns
    -------
    dict[str, list[Incident]]
    """
    if study is None:
        return {}
    zeros = _days_zero(study)
    events = grouped(records(placed_events(study)), key=itemgetter("subject_id"))
    return {subject: incidents_of(events.get(subject, ()), zeros.get(subject, "")) for subject in _names(study)}


def _names(study: Study) -> set[str]:
    return set(study.subjects["subject_id"]) | set(study.photos["subject_id"]) | set(study.events["subject_id"])


def _days_zero(study: Study) -> dict[str, str]:
    return dict(zip(study.subjects["subject_id"], study.subjects["treatment_date"], strict=True))


def ulcer_ends(
    outcomes: pd.DataFrame, trajectories: pd.DataFrame, incidents: dict[str, list[Incident]], protocol: Protocol
) -> pd.DataFrame:
    """Return the ulcers open at baseline with how and when each one's follow-up ended.

    The first of: seen healed (``healing_day_high``), amputation of that finger, death of the subject; else it is
    censored on the last day it was assessed, or at withdrawal. An event whose day is an interval counts on its last
    day; one without any day is not used.

    Parameters
    ----------
    outcomes : DataFrame
        Table ``outcomes``.
    trajectories : DataFrame
        Table ``trajectories``.
    incidents : dict[str, list[Incident]]
        Each subject's events, in days after treatment.
    protocol : Protocol
        The trial's rules.

    Returns
    -------
    DataFrame
        The rows of `outcomes` with end_day (NaN where nothing was seen after day 0) and end_cause ('' = censored).
    """
    open_ones = outcomes[outcomes["baseline_area_mm2"].notna()]
    courses = courses_of(records(trajectories), protocol)
    ends = [
        _end(row, courses[row["ulcer_id"]], incidents.get(row["subject_id"], []))
        for row in open_ones.to_dict("records")
    ]
    return open_ones.assign(end_day=[day for day, _ in ends], end_cause=[cause for _, cause in ends])


def _end(row: dict[Any, Any], course: Course, incidents: list[Incident]) -> tuple[float, str]:
    found = [(row["healing_day_high"], "healed")] if row["event_observed"] == 1 else []
    found += [(day_of(one), "amputated") for one in course.after if one["state"] == "amputated"][:1]
    here = [i for i in incidents if i.event == "amputation" and i.on(row["hand"], row["finger"])]
    found += [(day, "amputated") for day in _days(here)]
    found += [(day, "died") for day in _days(i for i in incidents if i.event == "death")]
    if found:
        return min(found)
    last = max((day_of(one) for one in course.after if is_assessed(one)), default=math.nan)
    left = min(_days(i for i in incidents if i.event == "withdrawal"), default=math.inf)
    return min(last, left), ""


def _days(incidents: Iterable[Incident]) -> list[float]:
    """Return the days, after day 0, by which events had happened."""
    return [i.high for i in incidents if 0 < i.high < math.inf]


def areas_over_time(trajectories: pd.DataFrame, ulcers: Iterable[str], protocol: Protocol) -> pd.DataFrame:
    """Return the areas that slopes are fitted to: of each ulcer from its baseline on, up to the first healing.

    Once healed an ulcer's area stays 0 and has no slope; its first 0 counts. Rows of which it is not sure that they are
    of this ulcer are left out.

    Parameters
    ----------
    trajectories : DataFrame
        Table ``trajectories``.
    ulcers : iterable of str
        Ids of the ulcers.
    protocol : Protocol
        The trial's rules.

    Returns
    -------
    DataFrame
    """
    import pandas as pd

    rows: list[Row] = []
    own = grouped(records(trajectories[trajectories["ulcer_id"].isin(set(ulcers))]), key=itemgetter("ulcer_id"))
    for ulcer_id in sorted(own):
        course = Course(tuple(own[ulcer_id]), protocol)
        start = day_of(course.baseline) if course.baseline is not None else math.inf
        for row in course.rows:
            if day_of(row) >= start and is_sized(row):
                rows.append(row)
                if row["state"] == "healed":
                    break
    return pd.DataFrame(rows, columns=trajectories.columns)


def months_followed(
    subjects: Iterable[str], trajectories: pd.DataFrame, study: Study | None, incidents: dict[str, list[Incident]]
) -> dict[str, float]:
    """Return each subject's months from day 0 to the last photo or visit attended, or to death or withdrawal.

    NaN where no look after day 0 is known.

    Parameters
    ----------
    subjects : iterable of str
        Subject codes.
    trajectories : DataFrame
        Table ``trajectories``.
    study : Study or None
        The study folder as read.
    incidents : dict[str, list[Incident]]
        Each subject's events, in days after treatment.

    Returns
    -------
    dict[str, float]
    """
    assessed = trajectories[trajectories["state"] != "not photographed"]
    last = assessed.groupby("subject_id")["day"].max().to_dict()
    zeros = _days_zero(study) if study is not None else {}
    dated = _dates(study)
    months = {}
    for subject in subjects:
        zero = parse_date(zeros.get(subject, ""))
        days = [days_between(parse_date(date), zero)[0] for date in dated.get(subject, ())]
        days += [] if not_known(last.get(subject)) else [float(last[subject])]
        last_day = max((day for day in days if day > 0), default=math.nan)
        left = min(_days(i for i in incidents.get(subject, ()) if i.event in _LEAVING), default=math.inf)
        months[subject] = min(last_day, left) / DAYS_PER_MONTH
    return months


def _dates(study: Study | None) -> dict[str, list[str]]:
    if study is None:
        return {}
    attended = study.visits[study.visits["attended"] == "yes"]
    dated = (zip(table["subject_id"], table["date"], strict=True) for table in (attended, study.photos))
    return by_key(chain.from_iterable(dated))
