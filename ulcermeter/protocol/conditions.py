"""What a trial may ask beyond the shipped criteria: columns that it adds to the study's tables, and rules on them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from ulcermeter.errors import Problem

__all__ = ["FILES", "KINDS", "AddedColumn", "Rule", "column_faults", "rule_faults"]

_TABLE = ConfigDict(frozen=True, extra="forbid", strict=True)
_Words = Annotated[tuple[str, ...], Field(strict=False)]
Finger = Literal["thumb", "index", "middle", "ring", "little"]
ColumnName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]

KINDS = {
    "yes_no": "a yes/no column says yes",
    "choice": "a column holds one of these words",
    "number": "a column's number lies within limits",
    "date": "a column's date lies so many days before inclusion, or screening",
    "given": "a course of treatment was given on any day that lies at most so many days before inclusion, or screening",
    "age": "completed years at inclusion lie within limits",
    "photo": "the ulcer's diameter on its last passing photo lies within limits, its interval included",
    "place": "the ulcer lies on this part of the finger, by its distance from the tip or the site's name",
    "all_of": "all of these criteria are met",
    "any_of": "one of these criteria is met",
}
"""The kinds of rules, and when each is met."""
_WITH_COLUMN = ("yes_no", "choice", "number", "date")
_WITH_LIMITS = ("number", "date", "given", "age", "photo")
_OF_COURSES = (*_WITH_COLUMN, "given")
_OF_ULCERS = ("photo", "place")
FILES: dict[str, Literal["subjects", "ulcers", "treatments"]] = {
    "subject": "subjects",
    "ulcer": "ulcers",
    "treatment": "treatments",
}
"""The file that is asked of whom."""


class AddedColumn(BaseModel):
    """A typed column that a protocol adds to a file of the study."""

    model_config = _TABLE

    table: Literal["subjects", "ulcers", "treatments"]
    name: ColumnName
    kind: Literal["yes/no", "choice", "number", "date", "text"]
    values: _Words = ()
    unit: str = ""
    meaning: str = ""
    source: str = ""


class Rule(BaseModel):
    """When a criterion is met: a kind of `KINDS`, and what it needs.

    ``of`` says whether subjects, ulcers or courses of treatment are asked; of courses one that fits is enough, and
    ``drugs`` says which courses are meant (none: any). Limits are ``at_least`` and ``at_most`` (the limit counts),
    ``over`` and ``under`` (it does not): of a number in its unit, a date in days ``before`` inclusion or screening, an
    age in completed years, a photo in mm. A place is surely within up to ``within_mm`` from the fingertip and surely
    beyond from ``beyond_mm`` on, from other lengths on the fingers of ``by_finger``; ``sites`` and ``other_sites`` are
    the clinic's words for the one and the other.
    """

    model_config = _TABLE

    kind: Literal["yes_no", "choice", "number", "date", "given", "age", "photo", "place", "all_of", "any_of"]
    of: Literal["subject", "ulcer", "treatment"] = "subject"
    column: str = ""
    values: _Words = ()
    at_least: float | None = None
    over: float | None = None
    at_most: float | None = None
    under: float | None = None
    within_mm: float | None = None
    beyond_mm: float | None = None
    by_finger: dict[Finger, Annotated[tuple[float, float], Field(strict=False)]] = {}
    sites: _Words = ()
    other_sites: _Words = ()
    criteria: _Words = ()
    drugs: _Words = ()
    before: Literal["inclusion", "screening"] = "inclusion"

    def reach_mm(self, finger: str) -> tuple[float, float]:
        """Return from the tip up to where a place on a finger is surely within, and from where on surely beyond."""
        named: dict[str, tuple[float, float]] = {str(name): ends for name, ends in self.by_finger.items()}
        return named.get(finger, (self.within_mm or 0.0, math.inf if self.beyond_mm is None else self.beyond_mm))

    @property
    def table(self) -> Literal["subjects", "ulcers", "treatments"]:
        """The file whose cells it asks."""
        return FILES[self.of]

    @property
    def limited(self) -> bool:
        """It has any limit."""
        return any(limit is not None for limit in (self.at_least, self.over, self.at_most, self.under))


def column_faults(added: Sequence[AddedColumn], known: Mapping[str, Sequence[str]]) -> list[Problem]:
    """Return what is wrong with the columns a protocol adds.

    Parameters
    ----------
    added : sequence of AddedColumn
    known : mapping of str to sequence of str
        The columns that each file has already.

    Returns
    -------
    list[Problem]
    """
    faults = []
    for column in added:
        where = f"column {column.name} of {column.table}.csv"
        if column.name in known[column.table]:
            faults.append(Problem(where=where, expected="a name that the file has not yet", got=column.name))
        if (column.kind == "choice") != bool(column.values):
            faults.append(Problem(where=where, expected="values for a choice, and for no other kind", got=column.kind))
        if not column.meaning:
            faults.append(Problem(where=where, expected="a meaning", got="none", action="say what it asks"))
    return faults


def rule_faults(name: str, rule: Rule, columns: Sequence[str], others: Mapping[str, str]) -> list[Problem]:
    """Return what a criterion's rule lacks.

    Parameters
    ----------
    name : str
        The criterion's id.
    rule : Rule
    columns : sequence of str
        Columns of the file that it asks.
    others : mapping of str to str
        The protocol's criteria that a rule may put together, with what each is of; one of treatments is the subject's.

    Returns
    -------
    list[Problem]
    """
    where = f"criterion {name}, rule"
    faults = [Problem(where=where, expected=expected, got=got) for expected, got in _unfit(rule, columns)]
    if rule.kind in ("all_of", "any_of"):
        fit = [other for other in rule.criteria if other != name and others.get(other) == rule.of]
        if not fit or len(fit) < len(rule.criteria):
            expected = f"criteria of the protocol that are of a {rule.of} too and stand before it"
            faults.append(Problem(where=where, expected=expected, got=", ".join(rule.criteria) or "none"))
    return faults


def _unfit(rule: Rule, columns: Sequence[str]) -> list[tuple[str, str]]:
    """Return what a rule's kind expects of it and does not get."""
    courses, at_most = rule.of == "treatment", rule.at_most is not None
    place = rule.within_mm is not None and rule.beyond_mm is not None and rule.within_mm <= rule.beyond_mm
    place = place and all(within <= beyond for within, beyond in rule.by_finger.values())
    tests = (
        (rule.kind in _WITH_COLUMN and rule.column not in columns, f"a column of {rule.table}.csv", repr(rule.column)),
        (rule.kind in _WITH_LIMITS and not rule.limited, "at_least, over, at_most or under", "none"),
        (rule.kind == "choice" and not rule.values, "values", "none"),
        (rule.kind in _OF_ULCERS and rule.of != "ulcer", 'of = "ulcer"', rule.of),
        (courses and rule.kind not in _OF_COURSES, f"of courses one of {', '.join(_OF_COURSES)}", rule.kind),
        (rule.kind == "given" and not (courses and at_most), 'of = "treatment" and at_most', rule.of),
        (bool(rule.drugs) and not courses, 'of = "treatment" beside drugs', rule.of),
        (rule.kind == "place" and not place, "within_mm, and beyond_mm not below it", "others"),
    )
    return [(expected, got) for missed, expected, got in tests if missed]
