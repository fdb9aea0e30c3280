"""Queries: every doubt of a study as a question to the clinic, a reader or the physician.

Each has an id that hangs on what is asked alone, so that tomorrow's list shows what was answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ulcermeter.datatypes import OpenAnswer, Study
from ulcermeter.queries.compare import STATUSES, compare_queries
from ulcermeter.queries.on_criteria import flags_on_criteria, missing_answers
from ulcermeter.queries.on_people import with_queries_on_people
from ulcermeter.queries.on_photos import outlines_to_check, photos_not_measured, uncertain_at_threshold
from ulcermeter.queries.on_study import cells_of_the_study
from ulcermeter.queries.on_ulcers import counts_that_disagree, courses_to_check, unknown_outcomes
from ulcermeter.queries.query import Query, to_table
from ulcermeter.queries.stakes import Stakes

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["STATUSES", "compare_queries", "list_queries", "with_queries_on_people"]


def list_queries(
    study: Study,
    tables: Mapping[str, pd.DataFrame],
    *,
    open_answers: Iterable[OpenAnswer] = (),
) -> pd.DataFrame:
    """List all that is to be asked about a study.

    Parameters
    ----------
    study : Study
        Its findings and its photos' rows.
    tables : mapping of str to DataFrame
        ``photos``, ``retake``, ``measurements``, ``trajectories``, the three of eligibility and the two of outcomes.
    open_answers : iterable of OpenAnswer
        What would settle the open criteria, as `ulcermeter.eligibility.assess_eligibility` gives it.

    Returns
    -------
    DataFrame
        Table ``queries``.
    """
    stakes = Stakes(study, tables, tuple(open_answers))
    found: list[Query] = [
        *cells_of_the_study(study, stakes),
        *missing_answers(study, stakes),
        *flags_on_criteria(tables, stakes),
        *photos_not_measured(tables, stakes),
        *uncertain_at_threshold(tables, stakes, study.protocol),
        *outlines_to_check(tables, stakes, study.protocol),
        *courses_to_check(tables, stakes),
        *counts_that_disagree(tables),
        *unknown_outcomes(tables, study),
    ]
    return to_table(found)
