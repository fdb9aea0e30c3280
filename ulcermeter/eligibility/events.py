"""What events.csv says up to inclusion: an amputation that took an ulcer's finger, a death or a withdrawal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ulcermeter.datatypes import Ask, Need
from ulcermeter.eligibility.answers import Answer
from ulcermeter.eligibility.case import Case, Row
from ulcermeter.eligibility.linkage import Ulcer
from ulcermeter.eligibility.three_valued import Truth, after, all_of, any_of, not_after
from ulcermeter.tables.cells import not_known
from ulcermeter.tables.dates import DateInterval, parse_date
from ulcermeter.tables.flags import Flag, FlagKind

__all__ = ["last_assessed", "taken_back", "with_amputations", "with_ends"]

_ENDS = ("death", "withdrawal")


def last_assessed(case: Case, ulcer: Ulcer) -> DateInterval | None:
    """Return the last day up to the cutoff on which a photo or the clinic surely saw the ulcer; None for none known.

    Parameters
    ----------
    case : Case
    ulcer : Ulcer

    Returns
    -------
    DateInterval or None
    """
    days = [parse_date(row["date"]) for row in ulcer.tracked if not not_known(row["label"])]
    days += [parse_date(row["assessed_on"]) for row, sure in ulcer.assessments if sure]
    in_time = [day for day in days if day and not_after(day, case.cutoff) is True]
    return max(in_time, key=lambda day: (day.high, day.low), default=None)


def with_amputations(case: Case, ulcer: Ulcer, answers: Mapping[str, Answer]) -> dict[str, Answer]:
    """Return an ulcer's answers once its finger is lost: after an amputation up to the cutoff it is no active ulcer.

    One that was seen after that amputation is on what is left of the finger. Where finger or day leave it open the
    conditions that ask for the ulcer are not assessable.

    Parameters
    ----------
    case : Case
    ulcer : Ulcer
    answers : mapping of str to Answer
        By criterion.

    Returns
    -------
    dict of str to Answer
    """
    lost = [(event, _took(event, case, ulcer)) for event in case.events if event["event"] == "amputation"]
    truth = any_of(*(took for _, took in lost))
    if truth is False:
        return dict(answers)
    event = next(event for event, took in lost if took is truth)
    kind = FlagKind.AMPUTATED if truth else FlagKind.AMPUTATED_PERHAPS
    ask = _ask(event, "amputation", *(name for name in ("hand", "finger") if not event[name]))
    asked = {c.id for c in case.protocol.criteria if c.kind == "inclusion" and (c.id == "active_ulcer" or c.rule)}
    return {
        name: taken_back(answer, False if truth else None, Flag(kind, date=event["date"]), ask)
        if name in asked
        else answer
        for name, answer in answers.items()
    }


def _took(event: Row, case: Case, ulcer: Ulcer) -> Truth:
    """Say whether an amputation up to the cutoff was of an ulcer's finger, and after it was last seen."""
    when = parse_date(event["date"])
    named = event["ulcer_no"] != "" and event["ulcer_no"] == ulcer.ulcer_no
    pairs = ((event["hand"], ulcer.hand), (event["finger"], ulcer.finger))
    other = any(own and asked and own != asked for own, asked in pairs)
    here: Truth = True if named else False if other else None if any("" in pair for pair in pairs) else True
    return all_of(here, not_after(when, case.cutoff), not_after(last_assessed(case, ulcer), when))


def taken_back(answer: Answer, truth: Truth, flag: Flag, ask: Ask) -> Answer:
    """Return an answer that an event or a count contradicts; one that fails already stays so.

    Parameters
    ----------
    answer : Answer
    truth : bool or None
        What is left of it.
    flag : Flag
        What contradicts it.
    ask : Ask
        What would settle it.

    Returns
    -------
    Answer
    """
    if answer.truth is False:
        return answer
    asks = () if truth is not None else (*answer.asks, ask)
    return replace(answer, truth=truth, asks=asks).flagged(flag)


def with_ends(case: Case, answer: Answer) -> Answer:
    """Return the answer on consent where a death or a withdrawal is not surely later than inclusion: it may not stand.

    Parameters
    ----------
    case : Case
    answer : Answer

    Returns
    -------
    Answer
    """
    if case.inclusion is None:
        return answer
    for event in case.events:
        if event["event"] in _ENDS and after(parse_date(event["date"]), case.inclusion) is not True:
            flag = Flag(FlagKind.ENDED_BEFORE_INCLUSION, what=event["event"], date=event["date"])
            answer = taken_back(answer, None, flag, _ask(event, event["event"]))
    return answer


def _ask(event: Row, about: str, *columns: str) -> Ask:
    need = Need.CORRECT if event["date"] and not columns else Need.FILL
    return Ask("events.csv", event["subject_id"], (*columns, "date"), about, need)
