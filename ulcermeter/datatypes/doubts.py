"""A study without the cells that are in doubt: what comes out otherwise with them and without rests on them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ulcermeter.datatypes.findings import Finding, blanked
from ulcermeter.tables.cells import grouped

if TYPE_CHECKING:
    import pandas as pd

    from ulcermeter.datatypes import Study

__all__ = ["doubts_of", "undated", "without_doubted"]

_TABLES = ("photos", "subjects", "ulcers", "treatments", "refractory", "visits", "events")


def doubts_of(study: Study) -> dict[str, tuple[Finding, ...]]:
    """Return by subject the findings on whose cells nothing may rest.

    Parameters
    ----------
    study : Study
        The study folder as read.

    Returns
    -------
    dict of str to tuple of Finding
        Those that are `in_doubt`, by subject_id.
    """
    found = grouped((one for one in study.findings if one.in_doubt), key=lambda one: one.subject_id)
    return {subject: tuple(findings) for subject, findings in found.items()}


def without_doubted(study: Study, findings: Iterable[Finding]) -> Study:
    """Return a study in which the cells of these findings are empty; a photo whose visit is in doubt has no date.

    Parameters
    ----------
    study : Study
        The study folder as read.
    findings : iterable of Finding
        Whose cells become empty.

    Returns
    -------
    Study
        Another one; the given one stays.
    """
    dated = [
        replace(one, column="date") if one.file == "photos.csv" and one.column == "visit" else one for one in findings
    ]
    own = grouped(dated, key=lambda one: one.file)
    tables: dict[str, Any] = {name: blanked(getattr(study, name), own.get(f"{name}.csv", ())) for name in _TABLES}
    return replace(study, **tables)


def undated(frame: pd.DataFrame, study: Study, sure: Study) -> pd.DataFrame:
    """Return rows of what was measured without a date where it is that of photos whose date is in doubt.

    Parameters
    ----------
    frame : DataFrame
        With subject_id, visit and date: ``photos``, ``tracked`` or ``trajectories``.
    study, sure : Study
        With and without what is in doubt.

    Returns
    -------
    DataFrame
        A copy.
    """
    names = ["subject_id", "visit", "date"]
    lost = (sure.photos["date"] == "") & (study.photos["date"] != "")
    doubted = set(study.photos.loc[lost, names].itertuples(index=False, name=None))
    rows = [key in doubted for key in frame[names].itertuples(index=False, name=None)]
    frame = frame.copy()
    frame.loc[rows, "date"] = ""
    if "day" in frame.columns:
        frame.loc[rows, "day"] = None
    return frame
