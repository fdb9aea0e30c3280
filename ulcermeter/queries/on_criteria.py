"""Queries on criteria: what would settle an open one, and what is flagged beside an answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ulcermeter.datatypes import Ask, Need, OpenAnswer, Study
from ulcermeter.queries.flags import flag_facts, where_answered
from ulcermeter.queries.query import Query, Subject
from ulcermeter.queries.stakes import Stakes
from ulcermeter.tables.cells import Record, records
from ulcermeter.tables.flags import CONTRADICTIONS, Flag, read_flags
from ulcermeter.tables.queries import AnsweredBy, QueryKind
from ulcermeter.wording import ask_observed, cell_in_words, flag_expected, flag_observed, wanted_in_words

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["flags_on_criteria", "missing_answers"]

_PHYSICIANS = "refractory.csv"
_PEOPLE = "subjects.csv"


@dataclass(frozen=True)
class _Asked:
    """One thing that is asked for, and the open answers that it would settle."""

    ask: Ask
    answers: tuple[OpenAnswer, ...] = ()


def missing_answers(study: Study, stakes: Stakes) -> Iterator[Query]:
    """Ask for what would settle the criteria that are open, each cell once.

    A cell in doubt is asked for with the other cells of the study. Of a subject without a row in subjects.csv the row
    is asked for, not each of its cells.

    Parameters
    ----------
    study : Study
        Its subjects.
    stakes : Stakes

    Yields
    ------
    Query
    """
    people = set(study.subjects["subject_id"])
    found: dict[Ask, _Asked] = {}
    for answer in stakes.open_answers:
        for ask in answer.asks:
            if not ask.rows:
                rowless = ask.file == _PEOPLE and ask.subject_id not in people
                one = Ask(_PEOPLE, ask.subject_id, need=Need.ROW) if rowless else replace(ask, or_else=False)
                known = found.setdefault(one, _Asked(one))
                found[one] = replace(known, answers=(*known.answers, answer))
    for asked in found.values():
        yield _missing(asked, stakes)


def _missing(asked: _Asked, stakes: Stakes) -> Query:
    ask, answers = asked.ask, asked.answers
    ulcers = {(answer.ulcer_id, answer.hand, answer.finger) for answer in answers}
    ulcer_id, hand, finger = next(iter(ulcers)) if len(ulcers) == 1 else ("", "", "")
    return Query(
        QueryKind.CONTRADICTION if ask.need is Need.CORRECT else QueryKind.MISSING_ANSWER,
        AnsweredBy.PHYSICIAN if ask.file == _PHYSICIANS else AnsweredBy.CLINIC,
        Subject(ask.subject_id, ulcer_id=ulcer_id, hand=hand, finger=finger),
        file=ask.file,
        cell=cell_in_words(ask.columns, whose=ask.about),
        about=tuple(dict.fromkeys(answer.criterion for answer in answers)),
        observed=ask_observed(ask),
        expected=wanted_in_words(ask),
        verdict=any(stakes.criterion(ask.subject_id, answer.criterion) for answer in answers),
        asked=(str(ask.need), *ask.columns, ask.about, *ask.photos),
    )


def flags_on_criteria(tables: Mapping[str, pd.DataFrame], stakes: Stakes) -> Iterator[Query]:
    """Ask about what is flagged on criteria.

    What is flagged on an ulcer's condition is not asked again of its subject, and a contradiction whose cells are asked
    for (`missing_answers`) not as such.

    Parameters
    ----------
    tables : mapping of str to DataFrame
    stakes : Stakes

    Yields
    ------
    Query
    """
    known: set[tuple[str, str, Flag]] = set()
    corrected = {_of(answer) for answer in stakes.open_answers for ask in answer.asks if ask.need is Need.CORRECT}
    for name in ("eligibility_by_ulcer", "eligibility"):
        of_this_table = set()
        for row in records(tables[name]):
            for flag in read_flags(row["flags"]):
                key = (row["subject_id"], row["criterion"], flag)
                asked = flag.kind in CONTRADICTIONS and (*key[:2], row.get("ulcer_id", "")) in corrected
                if where_answered(flag.kind) is not None and key not in known and not asked:
                    of_this_table.add(key)
                    yield _flagged(row, flag, stakes)
        known |= of_this_table


def _of(answer: OpenAnswer) -> tuple[str, str, str]:
    return answer.subject_id, answer.criterion, answer.ulcer_id


def _flagged(row: Record, flag: Flag, stakes: Stakes) -> Query:
    place = where_answered(flag.kind)
    assert place is not None
    return Query(
        QueryKind.CONTRADICTION if flag.kind in CONTRADICTIONS else QueryKind.EVIDENCE,
        place.by,
        Subject.of(row, photo=flag.photos[0] if len(flag.photos) == 1 else ""),
        file=place.file,
        cell=cell_in_words(place.columns, whose=_called(row)),
        about=(row["criterion"],),
        observed=flag_observed(flag),
        expected=flag_expected(flag),
        verdict=stakes.criterion(row["subject_id"], row["criterion"]),
        asked=(row["criterion"], row.get("ulcer_no", ""), *flag_facts(flag)),
    )


def _called(row: Record) -> str:
    """Return the clinic's number of an ulcer that no photo has shown; empty for all others."""
    return f"ulcer no. {row['ulcer_no']}" if row.get("ulcer_no") and not row["ulcer_id"] else ""
