"""From answers to the three eligibility tables: ulcers first, then the subject as the OR over its ulcers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from ulcermeter.datatypes import Ask, Need, OpenAnswer
from ulcermeter.eligibility.active import active, calcinosis
from ulcermeter.eligibility.answers import Answer, effect_of, listed, result_of
from ulcermeter.eligibility.case import Case
from ulcermeter.eligibility.conditions import ask_subject, ask_ulcer
from ulcermeter.eligibility.events import last_assessed, taken_back, with_amputations, with_ends
from ulcermeter.eligibility.examination import last_examination
from ulcermeter.eligibility.linkage import Ulcer, ulcers_of
from ulcermeter.eligibility.personal import PERSONAL
from ulcermeter.eligibility.refractory import refractory
from ulcermeter.eligibility.three_valued import Truth, after, all_of, negate
from ulcermeter.protocol import Criterion, Protocol
from ulcermeter.tables.cells import Record
from ulcermeter.tables.flags import Flag, FlagKind, write_flags
from ulcermeter.wording import asks_in_words, best_ulcer_words, no_ulcer_words

__all__ = ["BY_ULCER", "Judged", "criterion_rows", "judge", "open_answers", "ranked", "summary_row", "ulcer_rows"]

BY_ULCER: dict[str, Callable[[Case, Ulcer], Answer]] = {
    "active_ulcer": active,
    "refractory_prostacyclin": refractory,
    "calcinosis": calcinosis,
}


def is_of_ulcers(criterion: Criterion) -> bool:
    """Say whether a criterion is asked of each ulcer.

    Parameters
    ----------
    criterion : Criterion
        The criterion as the protocol words it.

    Returns
    -------
    bool
    """
    return criterion.id in BY_ULCER if criterion.rule is None else criterion.rule.of == "ulcer"


Answered = tuple[Ulcer, dict[str, Answer]]
"""An ulcer and its answers by criterion."""


@dataclass(frozen=True)
class Judged:
    """A subject's answers: each ulcer's conditions, best ulcer first, and the subject's own criteria."""

    case: Case
    ulcers: tuple[Answered, ...]
    personal: dict[str, Answer]

    def answer(self, criterion: str) -> Answer:
        """Return the subject's answer; for a condition of ulcers that of the best one."""
        if criterion in self.personal:
            return self.personal[criterion]
        if not self.ulcers:
            return self._without_ulcers()
        ulcer, answers = self.ulcers[0]
        answer = answers[criterion]
        return replace(answer, evidence=best_ulcer_words(ulcer.name, len(self.ulcers), answer.evidence))

    def _without_ulcers(self) -> Answer:
        """No ulcer at all has the property, once the clinic examined all fingers and found none."""
        examined, horizon = last_examination(self.case), self.case.assessment_horizon
        if examined is not None and examined.found_none:
            return Answer(False, "no ulcer", no_ulcer_words(self.case.cutoff_text, examined.when))
        names = ("all_fingers_examined", "n_active_clinician")
        photo = self.case.photo_horizon.within(Ask("photos.csv", self.case.subject_id, (), "any ulcer", Need.PHOTO))
        none = horizon.within(Ask("visits.csv", self.case.subject_id, names, or_else=True))
        return Answer(None, "", no_ulcer_words(self.case.cutoff_text, None), (photo, none))


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
    judged = _held_against_count(case, [(ulcer, _of_ulcer(case, ulcer)) for ulcer in ulcers_of(case)])
    personal = {name: ask(case) for name, ask in PERSONAL.items()}
    personal["informed_consent"] = with_ends(case, personal["informed_consent"])
    for criterion in case.protocol.criteria:
        if criterion.rule is not None and criterion.rule.of != "ulcer":
            personal[criterion.id] = ask_subject(case, criterion.rule, personal)
    return Judged(case, ranked(judged, case.protocol), personal)


def _held_against_count(case: Case, judged: list[Answered]) -> list[Answered]:
    """Leave active ulcers open where the clinic has examined all fingers since and counted fewer: one is wrong."""
    counted = last_examination(case)
    if counted is None or not counted.all_fingers or counted.count is None:
        return judged
    active = [
        (ulcer, answers["active_ulcer"])
        for ulcer, answers in judged
        if answers["active_ulcer"].truth is True and after(last_assessed(case, ulcer), counted.when) is not True
    ]
    if counted.count >= len(active):
        return judged
    flag = Flag(FlagKind.CLINIC_COUNTS_FEWER, number=str(counted.count), date=counted.when.text)
    ask = Ask("visits.csv", case.subject_id, ("n_active_clinician",), counted.when.text, Need.CORRECT)
    doubted = {ulcer.name: taken_back(answer, None, flag, ask) for ulcer, answer in active}
    return [
        (ulcer, answers | {"active_ulcer": doubted.get(ulcer.name, answers["active_ulcer"])})
        for ulcer, answers in judged
    ]


def _of_ulcer(case: Case, ulcer: Ulcer) -> dict[str, Answer]:
    """Answer the shipped conditions of ulcers, then the protocol's own in their order."""
    answers = {name: ask(case, ulcer) for name, ask in BY_ULCER.items()}
    for criterion in case.protocol.criteria:
        if criterion.rule is not None and criterion.rule.of == "ulcer":
            answers[criterion.id] = ask_ulcer(case, ulcer, criterion.rule, answers)
    return with_amputations(case, ulcer, answers)


def ranked(ulcers: Iterable[Answered], protocol: Protocol) -> tuple[Answered, ...]:
    """Return ulcers with the best first.

    Parameters
    ----------
    ulcers : iterable of (Ulcer, dict of str to Answer)
        Ulcers with their answers.
    protocol : Protocol
        Says which conditions are enforced.

    Returns
    -------
    tuple of (Ulcer, dict of str to Answer)
    """
    return tuple(sorted(ulcers, key=lambda pair: _rank(pair[1], protocol)))


def qualifies(answers: dict[str, Answer], protocol: Protocol) -> Truth:
    """Say whether an ulcer meets every condition of ulcers that the protocol enforces, and is out by no exclusion.

    Parameters
    ----------
    answers : dict[str, Answer]
        An ulcer's answers by criterion.
    protocol : Protocol
        Says which conditions are enforced.

    Returns
    -------
    Truth
        Not known too where the protocol enforces none: then no ulcer is singled out.
    """
    truths = _conditions(answers, protocol)
    return all_of(*truths) if truths else None


def _conditions(answers: dict[str, Answer], protocol: Protocol) -> list[Truth]:
    enforced = [criterion for criterion in protocol.criteria if criterion.enforce and criterion.id in answers]
    truths = [(criterion.kind, answers[criterion.id].truth) for criterion in enforced]
    return [negate(truth) if kind == "exclusion" else truth for kind, truth in truths]


def _rank(answers: dict[str, Answer], protocol: Protocol) -> tuple[int, int, int]:
    """Best first: qualifying, then open, then failing; then by fewest failed and most passed conditions.

    The sort is stable, so equals keep the order of their identities.
    """
    truths = _conditions(answers, protocol)
    return {True: 0, None: 1, False: 2}[all_of(*truths)], truths.count(False), -truths.count(True)


def criterion_rows(judged: Judged) -> list[Record]:
    """One row a criterion, in the protocol's order.

    The conditions of ulcers show the best ulcer: if any ulcer qualifies its rows pass, if any is open its rows
    do not fail, and if all fail at least one of its rows does; so the rows say what the OR over ulcers says.

    Parameters
    ----------
    judged : Judged
        A subject's answers.

    Returns
    -------
    list[Record]
    """
    return [_criterion_row(judged, criterion) for criterion in judged.case.protocol.criteria]


def _criterion_row(judged: Judged, criterion: Criterion) -> Record:
    answer = judged.answer(criterion.id)
    head = {"subject_id": judged.case.subject_id, "criterion": criterion.id}
    return {**head, "kind": criterion.kind, "text": criterion.text, **_cells(criterion, answer)}


def _cells(criterion: Criterion, answer: Answer) -> Record:
    return {
        "result": result_of(answer),
        "effect": effect_of(criterion, answer),
        "value": answer.value,
        "evidence": answer.evidence,
        "would_settle": asks_in_words(answer.asks) if answer.truth is None else "",
        "flags": write_flags(answer.flags),
    }


def ulcer_rows(judged: Judged) -> list[Record]:
    """One row an ulcer and condition, in the protocol's order, ulcers by identity.

    Parameters
    ----------
    judged : Judged
        A subject's answers.

    Returns
    -------
    list[Record]
    """
    criteria = [c for c in judged.case.protocol.criteria if is_of_ulcers(c)]
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


def open_answers(judged: Judged) -> list[OpenAnswer]:
    """Return what would settle each open criterion of the protocol: the subject's own, and each ulcer's conditions.

    Parameters
    ----------
    judged : Judged
        A subject's answers.

    Returns
    -------
    list of OpenAnswer
    """
    subject = judged.case.subject_id
    asked = [criterion.id for criterion in judged.case.protocol.criteria]
    own = [name for name in asked if name in judged.personal or not judged.ulcers]
    found = [(name, judged.answer(name), ("", "", "")) for name in own]
    for ulcer, answers in judged.ulcers:
        place = (ulcer.ulcer_id, ulcer.hand, ulcer.finger)
        found += [(name, answers[name], place) for name in asked if name in answers]
    return [OpenAnswer(subject, name, answer.asks, *place) for name, answer, place in found if answer.truth is None]


def summary_row(judged: Judged) -> Record:
    """Return the verdict, a proposal: any failed criterion, else any open one, else eligible.

    Parameters
    ----------
    judged : Judged
        A subject's answers.

    Returns
    -------
    Record
    """
    rows = criterion_rows(judged)
    failed = [row["criterion"] for row in rows if row["effect"] == "fails"]
    missing = [row["criterion"] for row in rows if row["effect"] == "unknown"]
    verdict = "not eligible" if failed else "undetermined" if missing else "eligible"
    protocol = judged.case.protocol
    good = sorted(ulcer.ulcer_id for ulcer, answers in judged.ulcers if qualifies(answers, protocol))
    return {
        "subject_id": judged.case.subject_id,
        "verdict": verdict,
        "qualifying_ulcer": listed(good),
        "failed": listed(failed),
        "missing": listed(missing),
    }
