"""Queries on what the investigator decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from ulcermeter.queries.query import Query, Subject, to_table
from ulcermeter.store import Unread, question
from ulcermeter.tables.queries import AnsweredBy, Phrase, QueryKind
from ulcermeter.wording import phrase

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["with_queries_on_decisions"]


def with_queries_on_decisions(
    queries: pd.DataFrame, unread: Iterable[Unread], changed: Mapping[str, str]
) -> pd.DataFrame:
    """Return queries with those on what the investigator decided, which is known only once all verdicts stand.

    Parameters
    ----------
    queries : DataFrame
        Table ``queries``.
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

    own = to_table([*_unread(unread), *_changed(changed)])
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
