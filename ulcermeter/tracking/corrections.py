"""A reader's corrections of which ulcer is which: ulcers joined, split, or given another id."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ulcermeter.errors import Problem, TableError
from ulcermeter.tables import TABLES, conform, from_rows
from ulcermeter.tables.cells import MACHINE, Record, known_number, not_known, records
from ulcermeter.tables.dates import parse_date

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["correct_ids"]

_NUMBERED = re.compile(r"(.+-)([1-9][0-9]*)")


def correct_ids(ids: pd.DataFrame, corrections: pd.DataFrame) -> pd.DataFrame:
    """Apply a reader's corrections to issued ids.

    All outlines of the ulcers that a correction names are taken as settled: who joins or splits has looked at them.
    A correction that stands in the ids already is passed over, so that the same file can be given to every run.

    Parameters
    ----------
    ids : DataFrame
        Table ``ids``.
    corrections : DataFrame
        Table ``study/id_corrections``; taken in the order of its rows.

    Returns
    -------
    DataFrame
        Table ``ids``, corrected.

    Raises
    ------
    TableError
        Rows that cannot be done, all at once: an id that was never issued, ulcers of two fingers, an id that is taken.
    """
    rows = records(conform("ids", ids))
    problems: list[Problem] = []
    for number, correction in enumerate(records(conform("study/id_corrections", corrections)), start=2):
        if _is_done(rows, correction):
            continue
        problem = _nobody(correction) or _CORRECT[correction["action"]](rows, correction)
        if problem is not None:
            problems.append(problem.at(f"id_corrections row {number}"))
    if problems:
        raise TableError(problems)
    return from_rows("ids", rows).sort_values(list(TABLES["ids"].order), kind="stable", ignore_index=True)


def _is_done(rows: Sequence[Record], correction: Record) -> bool:
    """Say whether ids show that a correction was applied before: its words stand there."""
    stamped = [row for row in rows if _stamp(row) == _stamp_of(correction)]
    if not stamped:
        return False
    if correction["action"] == "split":
        return not any(row["ulcer_id"] == correction["ulcer_id"] for row in _chosen(rows, correction))
    return not any(row["ulcer_id"] == correction["ulcer_id"] for row in rows)


def _nobody(correction: Record) -> Problem | None:
    if correction["who"].casefold() != MACHINE:
        return None
    return Problem(expected="the person who decided, in who", got=f"'{correction['who']}'", action="name the reader")


def _stamp(row: Record) -> tuple[str, str, str]:
    return str(row["given_by"]), str(row["given_on"]), str(row["why"])


def _stamp_of(correction: Record) -> tuple[str, str, str]:
    return str(correction["who"]), str(correction["when"]), str(correction["why"])


def _give(row: Record, ulcer_id: str, correction: Record) -> None:
    who, when, why = _stamp_of(correction)
    row.update(ulcer_id=ulcer_id, given_by=who, given_on=when, why=why, identity_probability=1.0)


def _of(rows: Sequence[Record], ulcer_id: str) -> list[Record]:
    return [row for row in rows if row["ulcer_id"] == ulcer_id]


def _unknown(rows: Sequence[Record], ulcer_id: str) -> Problem | None:
    if _of(rows, ulcer_id):
        return None
    return Problem(
        expected="an id that the last run gave, see ids.csv",
        got=f"'{ulcer_id}'",
        action="run once without --ids into this folder, and take the id from there",
    )


def _join(rows: Sequence[Record], correction: Record) -> Problem | None:
    one, other = correction["ulcer_id"], correction["into"]
    for ulcer_id in (one, other):
        if (problem := _unknown(rows, ulcer_id)) is not None:
            return problem
    places = {(row["subject_id"], row["hand"], row["finger"]) for name in (one, other) for row in _of(rows, name)}
    if len(places) > 1:
        return Problem(expected="two ulcers of one finger", got=f"{one} and {other}", action="mend the id")
    for row in [*_of(rows, one), *_of(rows, other)]:
        _give(row, other, correction)
    return None


def _rename(rows: Sequence[Record], correction: Record) -> Problem | None:
    one, new = correction["ulcer_id"], correction["into"]
    if (problem := _unknown(rows, one)) is not None:
        return problem
    if (problem := _not_free(rows, one, new)) is not None:
        return problem
    for row in _of(rows, one):
        _give(row, new, correction)
    return None


def _split(rows: Sequence[Record], correction: Record) -> Problem | None:
    one = correction["ulcer_id"]
    if (problem := _unknown(rows, one)) is not None:
        return problem
    new = correction["into"] or _next_free(rows, one)
    if (problem := _not_free(rows, one, new)) is not None:
        return problem
    off = [row for row in _chosen(rows, correction) if row["ulcer_id"] == one]
    stay = [row for row in _of(rows, one) if row not in off]
    if not off or not stay:
        got = "all outlines of the ulcer" if off else "none"
        return Problem(
            expected="photo (and label) or from_date that part some outlines of the ulcer from the others", got=got
        )
    for row in stay:
        _give(row, one, correction)
    for row in off:
        _give(row, new, correction)
    return None


def _chosen(rows: Sequence[Record], correction: Record) -> list[Record]:
    """Return the outlines that a split speaks of, of any ulcer."""
    since = parse_date(correction["from_date"])
    label = known_number(correction["label"])
    found = []
    for row in rows:
        when = parse_date(row["date"])
        named = row["photo"] == correction["photo"] != ""
        labelled = not_known(correction["label"]) or known_number(row["label"]) == label
        later = since is not None and when is not None and when.low >= since.low
        if (named and labelled) or (not correction["photo"] and later):
            found.append(row)
    return found


def _not_free(rows: Sequence[Record], ulcer_id: str, new: str) -> Problem | None:
    """Return what is wrong with a new id: taken, or not a number of the same finger."""
    was, now = _NUMBERED.fullmatch(ulcer_id), _NUMBERED.fullmatch(new)
    if was is None or now is None or was.group(1) != now.group(1):
        stem = was.group(1) if was else f"{ulcer_id}-"
        return Problem(
            expected=f"an id of the same finger, such as {_next_free(rows, ulcer_id) or stem}", got=f"'{new}'"
        )
    if _of(rows, new):
        return Problem(expected="an id that no ulcer has", got=f"'{new}'", action="use join where both are one ulcer")
    return None


def _next_free(rows: Sequence[Record], ulcer_id: str) -> str:
    was = _NUMBERED.fullmatch(ulcer_id)
    if was is None:
        return ""
    numbers = [int(m.group(2)) for row in rows if (m := _NUMBERED.fullmatch(row["ulcer_id"])) and m[1] == was[1]]
    return f"{was.group(1)}{max(numbers, default=0) + 1}"


_CORRECT = {"join": _join, "rename": _rename, "split": _split}
