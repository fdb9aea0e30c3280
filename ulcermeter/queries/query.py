"""One query as data, its id, and the table of them all."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, astuple, dataclass, fields
from typing import TYPE_CHECKING

from ulcermeter.tables import from_rows
from ulcermeter.tables.cells import Row
from ulcermeter.tables.queries import AnsweredBy, QueryKind

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Query", "Subject", "to_table"]

# Hexadecimal digits of an id: two of ten thousand queries have one id with a chance of 2e-7.
_DIGITS = 12


@dataclass(frozen=True)
class Subject:
    """What a query is about: a subject, and as far as it is known the visit, the finger, the ulcer and the photo."""

    subject_id: str = ""
    visit: str = ""
    hand: str = ""
    finger: str = ""
    ulcer_id: str = ""
    photo: str = ""

    @classmethod
    def of(cls, row: Row, **others: str) -> Subject:
        """Return what a table's row is about; `others` stand in place of its cells."""
        cells = {field.name: str(row.get(field.name, "")) for field in fields(cls)}
        return cls(**{**cells, **others})


@dataclass(frozen=True)
class Query:
    """A question about the study.

    Attributes
    ----------
    kind : QueryKind
    answered_by : AnsweredBy
    of : Subject
    file, cell : str
        Where it is answered; `cell` is for a person and may hold row numbers.
    about : tuple of str
        Criteria or outcomes that it stands behind.
    observed, expected : str
        In words.
    verdict, outcome : bool
        What the answer can change.
    asked : tuple of str
        The facts that tell it from other queries of that kind and place: never row numbers, words of ours or measured
        numbers, which change while the question stays.
    """

    kind: QueryKind
    answered_by: AnsweredBy
    of: Subject
    file: str = ""
    cell: str = ""
    about: tuple[str, ...] = ()
    observed: str = ""
    expected: str = ""
    verdict: bool = False
    outcome: bool = False
    asked: tuple[str, ...] = ()

    @property
    def facts(self) -> tuple[str, ...]:
        """What is asked, without how it is worded and where it stands today."""
        return (str(self.kind), *astuple(self.of), self.file, *self.asked)


def to_table(queries: Iterable[Query]) -> pd.DataFrame:
    """Return queries as a table; of those that ask the very same, such as two equal rows, each has its own id.

    Parameters
    ----------
    queries : iterable of Query

    Returns
    -------
    DataFrame
        Table ``queries``.
    """
    times: Counter[tuple[str, ...]] = Counter()
    rows = []
    for query in queries:
        facts = query.facts
        times[facts] += 1
        rows.append(_row(query, _id(facts, times[facts])))
    return from_rows("queries", rows)


def _row(query: Query, query_id: str) -> dict[str, str]:
    yes = {True: "yes", False: "no"}
    same = ("file", "cell", "observed", "expected")
    return {
        "query_id": query_id,
        "kind": str(query.kind),
        **asdict(query.of),
        **{name: getattr(query, name) for name in same},
        "about": "; ".join(query.about),
        "answered_by": str(query.answered_by),
        "touches_verdict": yes[query.verdict],
        "touches_outcome": yes[query.outcome],
    }


def _id(facts: tuple[str, ...], nth: int) -> str:
    text = json.dumps([*facts, nth], ensure_ascii=False)
    # Names of files may hold bytes that are no UTF-8.
    return "q-" + hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:_DIGITS]
