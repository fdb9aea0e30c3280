"""From answers to the three eligibility tables: ulcers first, then the subject as the OR over its ulcers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from ulcermeter.eligibility.active import active, calcinosis
from ulcermeter.eligibility.answers import Answer, effect_of, listed, result_of
from ulcermeter.eligibility.case import Case
from ulcermeter.eligibility.linkage import Ulcer, ulcers_of
from ulcermeter.eligibility.personal import PERSONAL
from ulcermeter.eligibility.refractory import refractory
from ulcermeter.eligibility.three_valued import Truth, all_of, negate
from ulcermeter.protocol import Criterion
from ulcermeter.tables.flags import write_flags

__all__ = ["BY_ULCER", "Judged", "criterion_rows", "judge", "ranked", "summary_row", "ulcer_rows"]

BY_ULCER: dict[str, Callable[[Case, Ulcer], Answer]] = {
    "active_ulcer": active,
    "refractory_prostacyclin": refractory,
    "calcinosis": calcinosis,
}


@dataclass(frozen=True)
class Judged:
    """A subject's answers: each ulcer's three conditions, best ulcer first, and the subject's own criteria."""

    case: Case
    ulcers: tuple[tuple[Ulcer, dict[str, Answer]], ...]
    personal: dict[str, Answer]

    def answer(self, criterion: str) -> Answer:
        """Return the subject's answer; for a condition of ulcers that of the best one."""
        if criterion in self.personal:
            return self.personal[criterion]
        if not self.ulcers:
            settle = f"photos.csv: {self.case.subject_id}, a passing photo of an ulcer up to {self.case.cutoff_text}"
            return Answer(None, "", f"no ulcer is known up to {self.case.cutoff_text}", settle)
        ulcer, answers = self.ulcers[0]
        best = f"best of {len(self.ulcers)} ulcers" if len(self.ulcers) > 1 else "the only ulcer known"
        answer = answers[criterion]
        evidence = f"ulcer {ulcer.name} ({best}): {answer.evidence}"
        return replace(answer, evidence=evidence)


def judge(case: Case) -> Judged:
    """Answer every criterion of one subject.

    Parameters
    ----------
    case : Case
        One subject's rows of every table, and the day up to which evidence counts.

    Returns
    -------
    Judged
    """
    judged = [(ulcer, {name: ask(case, ulcer) for name, ask in BY_ULCER.items()}) for ulcer in ulcers_of(case)]
    personal = {name: ask(case) for name, ask in PERSONAL.items()}
    return Judged(case, ranked(judged), personal)


def ranked(ulcers: Iterable[tuple[Ulcer, dict[str, Answer]]]) -> tuple[tuple[Ulcer, dict[str, Answer]], ...]:
    """Return ulcers with the best first.

    Parameters
    ----------
    ulcers : Iterable[tuple[Ulcer, dict[str, Answer]]]
        Ulcers with their three answers.

    Returns
    -------
    tuple[tuple[Ulcer, dict[str, Answer]], ...]
    """
    return tuple(sorted(ulcers, key=lambda pair: _rank(pair[1])))


def qualifies(answers: dict[str, Answer]) -> Truth:
    """One ulcer must be active and refractory and free of calcinosis.

    Parameters
    ----------
    answers : dict[str, Answer]
        An ulcer's answers by criterion.

    Returns
    -------
    Truth
    """
    free = negate(answers["calcinosis"].truth)
    return all_of(answers["active_ulcer"].truth, answers["refractory_prostacyclin"].truth, free)


def _rank(answers: dict[str, Answer]) -> tuple[int, int, int]:
    """Best first: qualifying, then open, then failing; then by fewest failed and most passed conditions.

    The sort is stable, so equals keep the order of their identities.
    """
    truths = [answers["active_ulcer"].truth, answers["refractory_prostacyclin"].truth]
    truths.append(negate(answers["calcinosis"].truth))
    return {True: 0, None: 1, False: 2}[qualifies(answers)], truths.count(False), -truths.count(True)


def criterion_rows(judged: Judged) -> list[dict[str, Any]]:
    """One row a criterion, in the protocol's order.

    The three conditions of ulcers show the best ulcer: if any ulcer qualifies its rows pass, if any is open its rows
    do not fail, and if all fail at least one of its rows does; so the rows say what the OR over ulcers says.

    Parameters
    ----------
    judged : Judged
        A subject's answers.

    Returns
    -------
    list[dict[str, Any]]
    """
    return [_criterion_row(judged, criterion) for criterion in judged.case.protocol.criteria]


def _criterion_row(judged: Judged, criterion: Criterion) -> dict[str, Any]:
    answer = judged.answer(criterion.id)
    head = {"subject_id": judged.case.subject_id, "criterion": criterion.id}
    return {**head, "kind": criterion.kind, "text": criterion.text, **_cells(criterion, answer)}


def _cells(criterion: Criterion, answer: Answer) -> dict[str, Any]:
    return {
        "result": result_of(answer),
        "effect": effect_of(criterion, answer),
        "value": answer.value,
        "evidence": answer.evidence,
        "would_settle": answer.would_settle if answer.truth is None else "",
        "flags": write_flags(answer.flags),
    }


def ulcer_rows(judged: Judged) -> list[dict[str, Any]]:
    """One row an ulcer and condition, in the protocol's order, ulcers by identity.

    Parameters
    ----------
    judged : Judged
        A subject's answers.

    Returns
    -------
    list[dict[str, Any]]
    """
    criteria = [criterion for criterion in judged.case.protocol.criteria if criterion.id in BY_ULCER]
    ulcers = sorted(judged.ulcers, key=lambda p: (not p[0].ulcer_id, p[0].ulcer_id, p[0].ulcer_no, p[0].name))
    return [
        {
            "subject_id": judged.case.subject_id,
            "ulcer_id": ulcer.ulcer_id,
            "ulcer_no": ulcer.ulcer_no,
            "hand": ulcer.hand,
            "finger": ulcer.finger,
            "criterion": criterion.id,
            **_cells(criterion, answers[criterion.id]),
        }
        for ulcer, answers in ulcers
        for criterion in criteria
    ]


def summary_row(judged: Judged) -> dict[str, Any]:
    """Return the verdict, a proposal: any failed criterion, else any open one, else eligible.

    Parameters
    ----------
    judged : Judged
        A subject's answers.

    Returns
    -------
    dict[str, Any]
    """
    rows = criterion_rows(judged)
    failed = [row["criterion"] for row in rows if row["effect"] == "fails"]
    missing = [row["criterion"] for row in rows if row["effect"] == "unknown"]
    verdict = "not eligible" if failed else "undetermined" if missing else "eligible"
    good = sorted(ulcer.ulcer_id for ulcer, answers in judged.ulcers if qualifies(answers) is True)
    return {
        "subject_id": judged.case.subject_id,
        "verdict": verdict,
        "qualifying_ulcer": listed(good),
        "failed": listed(failed),
        "missing": listed(missing),
    }
