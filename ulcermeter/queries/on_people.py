"""Queries on what people decided and read: the investigator's decisions, readers who differ, readings not used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from ulcermeter.queries.query import Query, Subject, to_table
from ulcermeter.store import Unread, question
from ulcermeter.tables.cells import MACHINE, records
from ulcermeter.tables.queries import AnsweredBy, Phrase, QueryKind
from ulcermeter.wording import phrase, read_by_words

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["with_queries_on_people"]

_PLACE = ("subject_id", "visit", "hand", "finger", "photo")


def with_queries_on_people(
    queries: pd.DataFrame, *, readings: pd.DataFrame, unread: Iterable[Unread], changed: Mapping[str, str]
) -> pd.DataFrame:
    """Return queries with those on what people decided and read, of which the tables before know nothing.

    Parameters
    ----------
    queries : DataFrame
        Table ``queries``.
    readings : DataFrame
        Table ``readings``.
    unread : iterable of Unread
        What was typed into eligibility_summary.csv and could not be taken.
    changed : mapping of str to str
        By subject, what has become of the verdict on which was decided, in words; see
        `ulcermeter.store.with_decisions`.

    Returns
    -------
    DataFrame
        Table ``queries``.
    """
    import pandas as pd

    own = to_table([*_unread(unread), *_changed(changed), *_not_kept(readings), *_unsettled(readings)])
    return pd.concat([own, queries], ignore_index=True)


def _unread(unread: Iterable[Unread]) -> Iterator[Query]:
    for one in unread:
        yield Query(
            QueryKind.DECISION,
            AnsweredBy.PHYSICIAN,
            Subject(one.subject_id),
            file="eligibility_summary.csv",
            cell=one.column,
            observed=question(one),
            expected=phrase(Phrase.READABLE_DECISION),
            verdict=True,
            asked=(one.column, one.typed, one.why),
        )


def _changed(changed: Mapping[str, str]) -> Iterator[Query]:
    for subject, words in sorted(changed.items()):
        yield Query(
            QueryKind.DECISION,
            AnsweredBy.PHYSICIAN,
            Subject(subject),
            file="eligibility_summary.csv",
            cell="investigator_decision",
            observed=words,
            expected=phrase(Phrase.DECISION_STANDS),
            verdict=True,
        )


def _not_kept(readings: pd.DataFrame) -> Iterator[Query]:
    for row in records(readings):
        if row["not_kept"]:
            yield Query(
                QueryKind.READING,
                AnsweredBy.READER,
                Subject.of(row),
                file="readings.csv",
                cell=row["reader"],
                observed=row["not_kept"],
                expected=phrase(Phrase.READ_AGAIN),
                outcome=True,
                asked=(row["reader"], str(row["label"]), str(row["occasion"])),
            )


def _unsettled(readings: pd.DataFrame) -> Iterator[Query]:
    """Ask a third reader about photos that several have read, where none of them is the primary reader."""
    readers: dict[tuple[str, ...], set[str]] = {}
    settled = set()
    for row in records(readings):
        if row["occasion"] == 1 and row["reader"] != MACHINE and not row["not_kept"]:
            place = tuple(row[name] for name in _PLACE)
            readers.setdefault(place, set()).add(row["reader"])
            settled |= {place} if "yes" in (row["counts"], row["adjudicated"]) else set()
    for place, names in sorted(readers.items()):
        if len(names) > 1 and place not in settled:
            yield Query(
                QueryKind.READING,
                AnsweredBy.READER,
                Subject(**dict(zip(_PLACE, place, strict=True))),
                file="readings.csv",
                cell="adjudicated",
                observed=read_by_words(sorted(names)),
                expected=phrase(Phrase.ADJUDICATED),
                outcome=True,
            )
