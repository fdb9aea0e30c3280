"""Outcomes that rest on a cell in doubt: what comes out otherwise without it is unknown, and names it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ulcermeter.datatypes import Finding, Kind, Outcomes, Study, doubts_of, undated
from ulcermeter.tables import TABLES
from ulcermeter.tables.cells import not_known

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["agreed", "contradicts_death", "resting_on", "without_doubted_days"]

# The cells that outcomes are made of; those of birth, consent and bedside diameters are not among them.
_TABLES = ("photos.csv", "visits.csv", "events.csv")
_DAY_ZERO = ("subjects.csv", "treatment_date")
_KEYS = {"outcomes": ["subject_id", "ulcer_id"], "outcomes_by_subject": ["subject_id"]}
_UNKNOWN = "unknown"
Row = dict[str, Any]


def resting_on(study: Study) -> dict[str, list[Finding]]:
    """Return by subject the findings in doubt that outcomes can rest on.

    Parameters
    ----------
    study : Study
        The study folder as read.

    Returns
    -------
    dict[str, list[Finding]]
    """
    found = {
        subject: [f for f in findings if f.file in _TABLES or (f.file, f.column) == _DAY_ZERO]
        for subject, findings in doubts_of(study).items()
    }
    return {subject: findings for subject, findings in found.items() if findings}


def contradicts_death(study: Study, subject_id: str) -> bool:
    """Say whether photos of a subject are dated after its death.

    Parameters
    ----------
    study : Study
        The study folder as read.
    subject_id : str
        The subject's code.

    Returns
    -------
    bool
    """
    return any(f.kind is Kind.AFTER_DEATH and f.subject_id == subject_id and f.in_doubt for f in study.findings)


def without_doubted_days(trajectories: pd.DataFrame, study: Study, sure: Study) -> pd.DataFrame:
    """Return trajectories without a day where it is in doubt, or day 0 is; and without comparisons with such a day.

    Which look was the baseline is not known any more where one that may be it is in doubt.

    Parameters
    ----------
    trajectories : DataFrame
        Table ``trajectories``.
    study : Study
        The study folder as read.
    sure : Study
        The study, or its outcomes, without the cells in doubt.

    Returns
    -------
    DataFrame
    """
    frame = undated(trajectories, study, sure)
    known = dict(zip(study.subjects["subject_id"], study.subjects["treatment_date"], strict=True))
    left = dict(zip(sure.subjects["subject_id"], sure.subjects["treatment_date"], strict=True))
    no_zero = frame["subject_id"].map(lambda name: known.get(name, "") != left.get(name, ""))
    frame.loc[no_zero, "date"] = ""
    frame.loc[no_zero, "day"] = None
    before = trajectories["day"].fillna(0) <= 0
    lost = frame["day"].isna() & trajectories["day"].notna() & before
    ulcers = set(frame.loc[lost | no_zero, "ulcer_id"])
    rows = frame["ulcer_id"].isin(ulcers)
    frame.loc[rows, "change_from_baseline"] = ""
    frame.loc[rows, "area_reduction_pct"] = math.nan
    return frame


def agreed(given: Outcomes, sure: Outcomes, findings: Mapping[str, Sequence[Finding]]) -> Outcomes:
    """Return the outcomes as far as they are the same with and without what is in doubt.

    Parameters
    ----------
    given : Outcomes
        The outcomes with every cell as it stands.
    sure : Outcomes
        The study, or its outcomes, without the cells in doubt.
    findings : Mapping[str, Sequence[Finding]]
        By subject, what was found wrong in the study folder.

    Returns
    -------
    Outcomes
    """
    return Outcomes(
        outcomes=_agreed("outcomes", given.outcomes, sure.outcomes, findings),
        outcomes_by_subject=_agreed(
            "outcomes_by_subject", given.outcomes_by_subject, sure.outcomes_by_subject, findings
        ),
    )


def _agreed(
    name: str, given: pd.DataFrame, sure: pd.DataFrame, findings: Mapping[str, Sequence[Finding]]
) -> pd.DataFrame:
    import pandas as pd

    keys = _KEYS[name]
    left = {tuple(row[key] for key in keys): row for row in sure.to_dict("records")}
    rows = []
    for row in given.to_dict("records"):
        other = left.get(tuple(row[key] for key in keys)) or _nothing(name, row)
        cells = {str(column): _cell(name, str(column), row, other) for column in given.columns}
        changed = any(not _same(cells[str(column)], row[column]) for column in given.columns)
        places = dict.fromkeys(finding.place for finding in findings.get(row["subject_id"], ()))
        rows.append(cells | {"in_doubt": "; ".join(places) if changed else ""})
    return pd.DataFrame(rows, columns=given.columns).astype(given.dtypes.to_dict())


def _nothing(name: str, row: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return the row of an ulcer of which nothing is left: nothing is known but whose it is."""
    columns = {column: TABLES[name].find(column) for column in row}
    unknown = {c: _UNKNOWN for c, known in columns.items() if known is not None and _UNKNOWN in known.values}
    kept = {
        c: row[c] for c, known in columns.items() if known is not None and known.kind == "text" and c not in unknown
    }
    return {**dict.fromkeys(row, math.nan), "event_observed": 0, **kept, **unknown}


def _cell(name: str, column: str, row: Mapping[Any, Any], other: Mapping[Any, Any]) -> Any:
    """Return what both say; of an interval of healing what holds both, of counts and words not known."""
    one, two = row[column], other[column]
    if _same(one, two):
        return one
    if column == "healing_day_low":
        return min(one, two) if one == one and two == two else math.nan
    if column == "healing_day_high":
        return max(one, two) if one == one and two == two else math.nan
    if column == "event_observed":
        return 0
    if not isinstance(one, str):
        return None
    known = TABLES[name].find(column)
    return _UNKNOWN if known is not None and _UNKNOWN in known.values else ""


def _same(one: Any, two: Any) -> bool:
    if isinstance(one, str) or isinstance(two, str):
        return bool(one == two)
    return not_known(one) and not_known(two) or bool(not not_known(one) and not not_known(two) and one == two)
