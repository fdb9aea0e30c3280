"""Estimands: the same study's tables, by how rescue treatment, machine-read healing and further ulcers are taken.

- *treatment policy*: all that was seen counts, whatever treatment was given (ICH E9(R1)).
- *censored at rescue*: what was seen after the first day of a rescue treatment is left out (hypothetical).
- *reader-confirmed only*: a place that only the machine calls healed has not been assessed.
- *largest ulcer only*: of each subject the ulcer with the largest baseline area, so that subjects weigh the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np

from ulcermeter.datatypes import Estimand, Outcomes, Results, Study, placed_events
from ulcermeter.outcomes.course import day_of
from ulcermeter.outcomes.doubts import contradicts_death
from ulcermeter.outcomes.incidents import Incident, end_of_follow_up, incidents_of, rescue_day
from ulcermeter.outcomes.machine_healing import without_machine_healing
from ulcermeter.outcomes.tabulate import tabulate_outcomes
from ulcermeter.tables import from_rows
from ulcermeter.tables.cells import grouped, records

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["EstimandTables", "before_rescue", "before_the_end", "estimand_tables", "largest_only"]


@dataclass(frozen=True)
class EstimandTables:
    """The tables that one estimand is estimated from."""

    estimand: Estimand
    outcomes: Outcomes
    trajectories: pd.DataFrame


def estimand_tables(
    outcomes: Outcomes | Results, trajectories: pd.DataFrame, study: Study | None
) -> tuple[EstimandTables, ...]:
    """Return the tables of every estimand.

    Parameters
    ----------
    outcomes : Outcomes or Results
        As the run gave them.
    trajectories : DataFrame
        Table ``trajectories``.
    study : Study or None
        Without it only what needs no other tabulation: as the run was, and the largest ulcers of that.

    Returns
    -------
    tuple of EstimandTables
    """
    if study is None:
        whole = EstimandTables(
            Estimand.TREATMENT_POLICY, Outcomes(outcomes.outcomes, outcomes.outcomes_by_subject), trajectories
        )
        return whole, largest_only(whole)
    trajectories = before_the_end(trajectories, study)
    policy = replace(study, protocol=study.protocol.changed(censor_at_rescue=False))
    censoring = replace(study, protocol=study.protocol.changed(censor_at_rescue=True))
    whole = _of(Estimand.TREATMENT_POLICY, policy, trajectories)
    return (
        whole,
        _of(Estimand.CENSORED_AT_RESCUE, censoring, before_rescue(trajectories, study)),
        _of(
            Estimand.READER_CONFIRMED, policy, from_rows("trajectories", without_machine_healing(records(trajectories)))
        ),
        largest_only(whole),
    )


def _of(estimand: Estimand, study: Study, trajectories: pd.DataFrame) -> EstimandTables:
    return EstimandTables(estimand, tabulate_outcomes(study, trajectories), trajectories)


def before_rescue(trajectories: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Leave out what was seen after the first day on which a rescue treatment of that finger may have begun.

    Parameters
    ----------
    trajectories : DataFrame
        Table ``trajectories``.
    study : Study
        The study folder as read.

    Returns
    -------
    DataFrame
    """
    return _up_to(trajectories, study, lambda incidents, place: rescue_day(incidents, *place))


def before_the_end(trajectories: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Leave out what was seen after a subject's death or withdrawal, unless the two dates contradict each other.

    Parameters
    ----------
    trajectories : DataFrame
        Table ``trajectories``.
    study : Study
        The study folder as read.

    Returns
    -------
    DataFrame
    """
    import pandas as pd

    doubted = {name for name in set(trajectories["subject_id"]) if contradicts_death(study, name)}
    sure = trajectories["subject_id"].isin(doubted)
    kept = _up_to(trajectories[~sure], study, lambda incidents, place: end_of_follow_up(incidents).day)
    return pd.concat([kept, trajectories[sure]], ignore_index=True) if doubted else kept


def _up_to(
    trajectories: pd.DataFrame, study: Study, last_day: Callable[[list[Incident], tuple[str, str]], float]
) -> pd.DataFrame:
    zeros = dict(zip(study.subjects["subject_id"], study.subjects["treatment_date"], strict=True))
    events = grouped(records(placed_events(study)), key=itemgetter("subject_id"))
    ends: dict[tuple[str, str, str], float] = {}
    kept = []
    for row in records(trajectories):
        place = (row["subject_id"], row["hand"], row["finger"])
        if place not in ends:
            ends[place] = last_day(incidents_of(events.get(place[0], ()), zeros.get(place[0], "")), place[1:])
        kept.append(not day_of(row) > ends[place])
    return trajectories[np.array(kept, dtype=bool)].reset_index(drop=True)


def largest_only(whole: EstimandTables) -> EstimandTables:
    """Keep of each subject the ulcer with the largest baseline area, ties by diameter.

    Parameters
    ----------
    whole : EstimandTables
        The tables of all ulcers.

    Returns
    -------
    EstimandTables
    """
    names = set(whole.outcomes.outcomes_by_subject["largest_ulcer"]) - {""}
    ulcers = whole.outcomes.outcomes
    outcomes = replace(whole.outcomes, outcomes=ulcers[ulcers["ulcer_id"].isin(names)].reset_index(drop=True))
    rows = whole.trajectories[whole.trajectories["ulcer_id"].isin(names)].reset_index(drop=True)
    return EstimandTables(Estimand.LARGEST_ULCER, outcomes, rows)
