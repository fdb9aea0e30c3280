"""Eligibility: every criterion of the protocol, three-valued, per ulcer and then per subject, with its evidence.

Verdicts are proposals; the investigator decides. No table read here names an arm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ulcermeter.datatypes import Eligibility, Study, doubts_of
from ulcermeter.eligibility.case import cases
from ulcermeter.eligibility.doubts import Evidence, judged_without_doubts
from ulcermeter.eligibility.summary import criterion_rows, judge, open_answers, summary_row, ulcer_rows
from ulcermeter.tables import conform, from_rows

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["assess_eligibility"]


def assess_eligibility(
    study: Study, tracked: pd.DataFrame, trajectories: pd.DataFrame, photos: pd.DataFrame | None = None
) -> Eligibility:
    """Answer every criterion of the study's protocol for every subject of photos.csv and subjects.csv.

    Only evidence dated up to inclusion_date (else screening_date) counts. An empty cell is not known, never no; what
    could go either way is *not assessable* and names the cell that would settle it. One ulcer must be active and
    refractory and free of calcinosis: that is decided ulcer by ulcer, and the subject's three rows are those of its
    best ulcer, so that two halves of two ulcers never make an eligible subject. An ulcer that photos were to show and
    did not, by its number or on a finger that no photo saw, stays open beside those that are known. What would come out
    otherwise without the cells that are in doubt (`Study.findings`) is not assessable and names them.

    Parameters
    ----------
    study : Study
    tracked, trajectories : DataFrame
        Tables of those names.
    photos : DataFrame, optional
        Table ``photos``: which photos passed. Without it a photo that was refused or failed goes unnoticed unless it
        names an ulcer.

    Returns
    -------
    Eligibility
        Three tables: subject × criterion, subject × ulcer × condition, and a verdict a subject with the investigator's
        columns left empty; and what would settle each open answer.
    """
    tracked = conform("tracked", tracked, extra=True)
    trajectories = conform("trajectories", trajectories, extra=True)
    if photos is not None:
        photos = conform("photos", photos, extra=True)
    judged = [judge(case) for case in cases(study, tracked, trajectories, photos)]
    doubts, evidence = doubts_of(study), Evidence(study, tracked, trajectories, photos)
    judged = [
        judged_without_doubts(one, evidence, doubts[one.case.subject_id]) if one.case.subject_id in doubts else one
        for one in judged
    ]
    return Eligibility(
        eligibility=from_rows("eligibility", [row for one in judged for row in criterion_rows(one)]),
        eligibility_by_ulcer=from_rows("eligibility_by_ulcer", [row for one in judged for row in ulcer_rows(one)]),
        eligibility_summary=from_rows("eligibility_summary", [summary_row(one) for one in judged]),
        open_answers=tuple(answer for one in judged for answer in open_answers(one)),
    )
