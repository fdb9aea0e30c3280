"""From the photos' results to the tables of a study: pure, tables in and tables out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ulcermeter.datatypes import Eligibility, Outcomes, PhotoResult, Study, placed_events
from ulcermeter.pipeline.retakes import list_retakes
from ulcermeter.tables import columns, conform, from_rows
from ulcermeter.tables.cells import Record
from ulcermeter.tables.dates import day_number

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FROM_THE_STUDY", "Gathered", "gather", "tables_of"]

FROM_THE_STUDY = ("ulcer_no", "site", "covered", "reader_state", "x", "y")
"""Cells of the study's photos.csv that tracking reads beside the results' own columns."""


@dataclass(frozen=True)
class Gathered:
    """The photos' results as tables: `photos` and `measurements` by their contracts, and for tracking
    `photographed`, which is `photos` with the reader's cells of the study (covered, reader_state, ...) behind."""  # noqa: D205, D209

    photos: pd.DataFrame
    photographed: pd.DataFrame
    measurements: pd.DataFrame


def gather(study: Study, done: Sequence[PhotoResult]) -> Gathered:
    """Put the results of all photo rows, given in the study's order, into tables.

    Parameters
    ----------
    study : Study
        The study folder as read.
    done : sequence of PhotoResult
        Results in the study's order.

    Returns
    -------
    Gathered
    """
    photos = from_rows("photos", [dict(result.photo) for result in done])
    photographed = photos.assign(**{name: study.photos[name].to_numpy() for name in FROM_THE_STUDY})
    zero = dict(zip(study.subjects["subject_id"], study.subjects["treatment_date"], strict=True))
    rows: list[Record] = [dict(row) for result in done for row in result.measurements]
    for row in rows:
        row["day"] = day_number(row["date"], zero.get(row["subject_id"], ""))
    return Gathered(photos, photographed, from_rows("measurements", rows))


def tables_of(study: Study, gathered: Gathered, *, known_ids: pd.DataFrame | None = None) -> dict[str, pd.DataFrame]:
    """Follow the ulcers over the visits and answer the trial's questions; all tables but outlines, by name.

    Parameters
    ----------
    study : Study
        The study folder as read.
    gathered : Gathered
        The photos' results as tables.
    known_ids : DataFrame, optional
        Table ``ids``: which outline has which id already.

    Returns
    -------
    dict[str, DataFrame]
    """
    from ulcermeter.eligibility import assess_eligibility
    from ulcermeter.healing import follow_healing
    from ulcermeter.outcomes import tabulate_outcomes
    from ulcermeter.queries import list_queries
    from ulcermeter.tracking import issue_ids, track

    tracked = track(
        gathered.measurements,
        gathered.photographed,
        protocol=study.protocol,
        events=placed_events(study),
        visits=study.visits,
        known_ids=known_ids,
    )
    trajectories = follow_healing(tracked, gathered.photographed, protocol=study.protocol)
    eligibility: Eligibility = assess_eligibility(study, tracked, trajectories, gathered.photographed)
    outcomes: Outcomes = tabulate_outcomes(study, trajectories)
    measurements = conform("measurements", tracked[tracked["label"].notna()][columns("measurements")])
    tables = {
        "photos": gathered.photos,
        "retake": list_retakes(study, gathered.photos, measurements, eligibility),
        "measurements": measurements,
        "ids": issue_ids(tracked, gathered.photographed, known_ids),
        "trajectories": trajectories,
        "eligibility": eligibility.eligibility,
        "eligibility_by_ulcer": eligibility.eligibility_by_ulcer,
        "eligibility_summary": eligibility.eligibility_summary,
        "outcomes": outcomes.outcomes,
        "outcomes_by_subject": outcomes.outcomes_by_subject,
    }
    return {**tables, "queries": list_queries(study, tables, open_answers=eligibility.open_answers)}
