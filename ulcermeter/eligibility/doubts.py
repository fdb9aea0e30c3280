"""Answers that rest on a cell in doubt: what comes out otherwise without it is not assessable, and names it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ulcermeter.datatypes import Ask, Finding, Need, Study, undated, without_doubted
from ulcermeter.eligibility.answers import Answer
from ulcermeter.eligibility.case import cases
from ulcermeter.eligibility.linkage import Ulcer
from ulcermeter.eligibility.summary import Judged, judge, ranked
from ulcermeter.tables.flags import Flag, FlagKind

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Evidence", "judged_without_doubts"]

_TABLES = ("photos", "subjects", "ulcers", "treatments", "refractory", "visits", "events")
_NO_ANSWER = Answer(None)


@dataclass(frozen=True)
class Evidence:
    """Everything that answers rest on: the study folder, and what photos showed.

    Attributes
    ----------
    study : Study
    tracked, trajectories : DataFrame
    photos : DataFrame or None
    """

    study: Study
    tracked: pd.DataFrame
    trajectories: pd.DataFrame
    photos: pd.DataFrame | None


def judged_without_doubts(given: Judged, evidence: Evidence, findings: Sequence[Finding]) -> Judged:
    """Return a subject's answers as far as they rest on no cell in doubt.

    Parameters
    ----------
    given : Judged
        With all cells as they stand.
    evidence : Evidence
    findings : sequence of Finding
        The subject's, each ``in_doubt``.

    Returns
    -------
    Judged
    """

    def judged(doubted: Sequence[Finding]) -> Judged:
        return _judged(given.case.subject_id, evidence, doubted)

    sure, causes = judged(findings), {finding: judged([finding]) for finding in findings}
    personal = {
        name: _sure(given.personal[name], answer, {f: one.personal[name] for f, one in causes.items()})
        for name, answer in sure.personal.items()
    }
    ulcers = [(ulcer, _of_ulcer(given, ulcer, answers, causes)) for ulcer, answers in sure.ulcers]
    return Judged(sure.case, ranked(ulcers, sure.case.protocol), personal)


def _judged(subject: str, evidence: Evidence, findings: Sequence[Finding]) -> Judged:
    """Judge one subject with the cells of these findings empty."""
    study, photos = evidence.study, evidence.photos
    sure = without_doubted(study, findings)
    tracked, trajectories = (_own(undated(f, study, sure), subject) for f in (evidence.tracked, evidence.trajectories))
    results = None if photos is None else _own(undated(photos, study, sure), subject)
    own: dict[str, Any] = {name: _own(getattr(sure, name), subject) for name in _TABLES}
    sure = replace(sure, **own)
    if any(finding.column == "inclusion_date" for finding in findings):
        # The day of screening stands in for no day of inclusion; for a doubtful one nothing does.
        sure = replace(sure, subjects=sure.subjects.assign(screening_date=""))
    (case,) = cases(sure, tracked, trajectories, results)
    return judge(case)


def _own(frame: pd.DataFrame, subject: str) -> pd.DataFrame:
    return frame[frame["subject_id"] == subject].reset_index(drop=True)


def _of_ulcer(
    given: Judged, ulcer: Ulcer, answers: Mapping[str, Answer], causes: Mapping[Finding, Judged]
) -> dict[str, Answer]:
    before = _answers_on(given, ulcer)
    others = {finding: _answers_on(one, ulcer) for finding, one in causes.items()}
    return {
        name: _sure(before.get(name, _NO_ANSWER), answer, {f: own.get(name, _NO_ANSWER) for f, own in others.items()})
        for name, answer in answers.items()
    }


def _answers_on(judged: Judged, ulcer: Ulcer) -> Mapping[str, Answer]:
    def key(one: Ulcer) -> tuple[str, ...]:
        return one.ulcer_id, one.ulcer_no, one.hand, one.finger

    return next((answers for other, answers in judged.ulcers if key(other) == key(ulcer)), {})


def _ask(finding: Finding) -> Ask:
    return Ask(finding.file, finding.subject_id, (finding.column,), need=Need.CORRECT, rows=finding.rows)


def _sure(given: Answer, sure: Answer, causes: Mapping[Finding, Answer]) -> Answer:
    """Return the answer without what is in doubt; not known where it would be another one with it."""
    if sure == given or (sure.truth is not None and sure.truth == given.truth):
        return given
    on = [finding for finding, answer in causes.items() if answer != given] or list(causes)
    cells = tuple(dict.fromkeys(f"{finding.place} ({finding.got})" for finding in on))
    asks = tuple(dict.fromkeys((*(_ask(finding) for finding in on), *sure.asks)))
    doubted = replace(sure, truth=None, value=given.value, asks=asks)
    return doubted.flagged(Flag(FlagKind.CELLS_IN_DOUBT, others=cells))
