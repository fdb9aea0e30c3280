"""What the investigator decided, carried from an earlier run's eligibility_summary.csv into the next one's.

People fill that file in with spreadsheets and editors. What can be read in one way only is taken; the rest is kept in
``decisions_to_settle.csv`` as it was typed, named and asked for, until it is settled.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from ulcermeter.errors import Problem, TableError
from ulcermeter.files import Json, read_file, write_file
from ulcermeter.store.files import cell_text
from ulcermeter.tables import TABLES, columns
from ulcermeter.tables.cells import records, unguarded
from ulcermeter.tables.dates import readable_day

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "DECIDED",
    "WRITTEN",
    "Decisions",
    "Unread",
    "keep_unread",
    "question",
    "read_decisions",
    "unread_of",
    "with_decisions",
    "written_cells",
]

DECIDED = ("investigator_decision", "decided_by", "decided_on")
"""The columns of eligibility_summary.csv that are the investigator's."""
WRITTEN = "eligibility_summary_written"
"""Where run.json holds the cells that the run itself wrote there, so that one typed over is noticed."""
_DECISION, _, _ON = DECIDED
_OF_RUN = ("verdict", "qualifying_ulcer", "failed", "missing")
_WORDS = ("eligible", "not eligible", "undetermined", "include", "exclude")
_FILE, _KEPT = "eligibility_summary.csv", "decisions_to_settle.csv"
# A row a subject; a trial has some hundred.
_MOST_MB = 50


class Why(StrEnum):
    """Why something that was typed could not be taken."""

    LONG_ROW = "row longer than the header"
    WORD = "no decision that is known"
    DATE = "date that is none, or may be two"
    COLUMN = "column that is not known"
    NO_SUBJECT = "no subject"
    TWICE = "two rows of one subject"
    OVER_RUN = "cell that the run itself writes"


_QUESTIONS = {
    Why.LONG_ROW: "which cell holds the separator? Put it in quotes, and fill the row in again",
    Why.WORD: f"is one of {', '.join(_WORDS)} meant? Write it so",
    Why.DATE: "which day is meant? Write it as 2024-05-06, year, month and day",
    Why.COLUMN: f"is one of {', '.join(DECIDED)} meant? Fill it in there",
    Why.NO_SUBJECT: "whose decision is it? Fill it in at its subject",
    Why.TWICE: "which of the subject's rows holds? Keep one",
    Why.OVER_RUN: f"is it a decision? Write it into {_DECISION}, or mend the study's table on which the cell rests",
}


@dataclass(frozen=True)
class Unread:
    """Something that was typed into eligibility_summary.csv and could not be taken.

    Attributes
    ----------
    subject_id : str
        As far as it is known.
    column : str
        As the file calls it; empty for a whole row.
    typed : str
        As it was typed.
    why : str
        A value of `Why`.
    stood : str
        What stood there, of what could be read, when it was kept.
    settled : str
        What stands there since; empty while it is asked for. A person may write here how it was settled.
    """

    subject_id: str
    column: str
    typed: str
    why: str
    stood: str = ""
    settled: str = ""


@dataclass(frozen=True)
class Decisions:
    """What eligibility_summary.csv says: by subject the verdict and the decision, and what could not be read.

    A cell of `rows` is None where the file has no such column: what was decided before stands.
    """

    rows: tuple[dict[str, str | None], ...] = ()
    unread: tuple[Unread, ...] = ()


def question(unread: Unread) -> str:
    """Say what is asked about something that could not be read.

    Parameters
    ----------
    unread : Unread
        What was typed and could not be read.

    Returns
    -------
    str
    """
    place = unread.column or "a row"
    known = unread.why in set(Why)
    asked = _QUESTIONS[Why(unread.why)] if known else "what is meant?"
    return f"{_FILE}, {place}: '{unread.typed}' was typed and could not be taken ({unread.why}); {asked}"


def read_decisions(root: str | Path) -> Decisions:
    """Return what a results folder's eligibility_summary.csv says of each subject: the verdict, and what was decided.

    Semicolons and tabs part its cells as well as commas. Capitals and spaces make no other word, and a date that can
    be read in one way only is taken.

    Parameters
    ----------
    root : str | Path
        The results folder.

    Returns
    -------
    Decisions

    Raises
    ------
    TableError
        The file is there and cannot be read at all: a run would lose what was decided.
    """
    path = Path(root) / _FILE
    if not path.exists():
        return Decisions()
    written = _written_by_run(Path(root) / "run.json")
    header, body = _table_of(path)
    names = [_folded(cell).replace(" ", "_") for cell in header]
    lines = [[unguarded(cell.strip()) for cell in row] for row in body if any(cell.strip() for cell in row)]
    rows: list[dict[str, str | None]] = []
    unread: list[Unread] = []
    for row in lines:
        cells = dict(zip(names, row, strict=False))
        subject = cells.get("subject_id", "")
        if any(row[len(header) :]):
            unread.append(Unread(subject, "", ",".join(row), Why.LONG_ROW))
            continue
        typed = [cells.get(name, "") for name in DECIDED]
        if not subject and any(typed):
            unread.append(Unread("", "", ",".join(row), Why.NO_SUBJECT))
        if subject:
            own = written.get(subject, {}) if written else None
            unread += _of_run_columns(cells, own)
            verdict = (own or cells).get("verdict", "")
            rows.append({"subject_id": subject, "verdict": verdict, **_taken(cells, unread)})
        unread += _of_other_columns(subject, header, names, row)
    return _once_a_subject(rows, unread)


def _table_of(path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        text = read_file(path, most_mb=_MOST_MB).decode("utf-8-sig")
        parted = max(",;\t", key=text.partition("\n")[0].count)
        header, *body = csv.reader(io.StringIO(text, newline=""), delimiter=parted, strict=True)
        got = "" if "subject_id" in [_folded(cell).replace(" ", "_") for cell in header] else "one without subject_id"
    except OSError as error:
        got = str(error.strerror)
    except (ValueError, csv.Error) as error:
        got = " ".join(str(error).split())
    if got:
        raise TableError(
            Problem(
                where=str(path),
                expected="the table of an earlier run, whose decisions are carried over",
                got=got,
                action="save it as CSV UTF-8 with its header, or move it away",
            )
        )
    return header, body


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _taken(cells: Mapping[str, str], unread: list[Unread]) -> dict[str, str | None]:
    """Return the investigator's cells as far as they can be read; None for a column that is not there."""
    subject = cells["subject_id"]
    taken: dict[str, str | None] = {name: " ".join(cells[name].split()) if name in cells else None for name in DECIDED}
    word, day = taken[_DECISION], taken[_ON]
    if word and _folded(word) not in _WORDS:
        unread.append(Unread(subject, _DECISION, word, Why.WORD))
        taken[_DECISION] = ""
    elif word:
        taken[_DECISION] = _folded(word)
    if day:
        taken[_ON] = readable_day(day)
        if not taken[_ON]:
            unread.append(Unread(subject, _ON, day, Why.DATE))
    return taken


def _of_run_columns(cells: Mapping[str, str], own: Mapping[str, str] | None) -> Iterator[Unread]:
    """Find what was typed into columns that the run writes; without its own cells only a verdict that is none."""
    if own is None:
        verdict = cells.get("verdict", "")
        if verdict not in ("", *TABLES["eligibility_summary"]["verdict"].values):
            yield Unread(cells["subject_id"], "verdict", verdict, Why.OVER_RUN)
        return
    for name in _OF_RUN:
        typed = cells.get(name, "")
        if typed and " ".join(typed.split()) != " ".join(own.get(name, "").split()):
            yield Unread(cells["subject_id"], name, typed, Why.OVER_RUN)


def written_cells(summary: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Return what a run writes into eligibility_summary.csv, by subject and column, for `WRITTEN` in run.json.

    Parameters
    ----------
    summary : DataFrame
        The table of verdicts.

    Returns
    -------
    dict[str, dict[str, str]]
    """
    return {
        str(row["subject_id"]): {name: unguarded(cell_text(row[name])) for name in _OF_RUN} for row in records(summary)
    }


def _written_by_run(path: Path) -> Mapping[str, Mapping[str, str]]:
    """Return the cells that the earlier run wrote; empty where its record is gone, damaged or older than this rule."""
    try:
        written = json.loads(read_file(path, most_mb=_MOST_MB)).get(WRITTEN, {})
        return {str(subject): {name: str(cells[name]) for name in _OF_RUN} for subject, cells in written.items()}
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        return {}


def _of_other_columns(
    subject: str, header: Sequence[str], names: Sequence[str], row: Sequence[str]
) -> Iterator[Unread]:
    known = set(columns("eligibility_summary"))
    for position, (own, name) in enumerate(zip(header, names, strict=True)):
        if (name not in known or name in names[:position]) and position < len(row) and row[position]:
            yield Unread(subject, own.strip(), row[position], Why.COLUMN)


def _once_a_subject(rows: Sequence[dict[str, str | None]], unread: Iterable[Unread]) -> Decisions:
    """Take of several rows of a subject what they agree on; where they differ none is taken."""
    own: dict[str | None, list[dict[str, str | None]]] = {}
    for row in rows:
        if row not in own.setdefault(row["subject_id"], []):
            own[row["subject_id"]].append(row)
    twice = [
        Unread(str(subject), "", ",".join(row[name] or "" for name in DECIDED), Why.TWICE)
        for subject, several in own.items()
        for row in several
        if len(several) > 1
    ]
    return Decisions(tuple(several[0] for several in own.values() if len(several) == 1), (*unread, *twice))


def keep_unread(
    root: str | Path, unread: Iterable[Unread], decisions: Mapping[str, Mapping[str, str]]
) -> tuple[Unread, ...]:
    """Keep what could not be read beside what is kept from earlier runs, and return what is still asked for.

    Something is settled once another decision stands in its place than did when it was kept, or a person has written
    how it was settled.

    Parameters
    ----------
    root : str or Path
        The results folder; ``decisions_to_settle.csv`` in it is written before anything is removed.
    unread : iterable of Unread
    decisions : mapping
        What stands now, by subject, as `ulcermeter.store.PhotoStore.decisions` returns it.

    Returns
    -------
    tuple of Unread
        Those not settled.
    """
    path = Path(root) / _KEPT
    earlier = _kept(path) if path.exists() else []
    known = {(one.subject_id, one.column, one.typed): one for one in earlier}
    for one in unread:
        # Typed again as it was: it is asked for again.
        known[one.subject_id, one.column, one.typed] = replace(one, stood=_standing(one, decisions))
    kept = [one if one.settled else replace(one, settled=_since(one, decisions)) for one in known.values()]
    if kept:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([*(field.name for field in fields(Unread)), "asked"])
        for one in kept:
            writer.writerow([cell_text(cell) for cell in (*asdict(one).values(), question(one))])
        write_file(path, out.getvalue().encode())
    return tuple(one for one in kept if not one.settled)


def _kept(path: Path) -> list[Unread]:
    names = [field.name for field in fields(Unread)]
    header, body = _table_of(path)
    return [
        Unread(**{name: unguarded(cell) for name, cell in zip(header, row, strict=False) if name in names})
        for row in body
        if any(row)
    ]


def unread_of(record: Mapping[str, Json]) -> list[Unread]:
    """Return what could not be read when a run was made, of the record of that run.

    Parameters
    ----------
    record : mapping of str to JSON values
        As run.json holds it.

    Returns
    -------
    list of Unread
    """
    kept = record.get("decisions_not_read", [])
    names = [field.name for field in fields(Unread)]
    rows = [one for one in kept if isinstance(one, Mapping)] if isinstance(kept, Sequence) else []
    return [Unread(**{name: str(one.get(name, "")) for name in names}) for one in rows]


def _standing(one: Unread, decisions: Mapping[str, Mapping[str, str]]) -> str:
    made = decisions.get(one.subject_id, {})
    if one.column in DECIDED:
        return made.get(one.column, "")
    return ", ".join(made[name] for name in DECIDED if made.get(name))


def _since(one: Unread, decisions: Mapping[str, Mapping[str, str]]) -> str:
    now = _standing(one, decisions)
    return now if now != one.stood else ""


def with_decisions(
    summary: pd.DataFrame, decisions: Mapping[str, Mapping[str, str]]
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Put earlier decisions into a summary of eligibility.

    Parameters
    ----------
    summary : DataFrame
        By the contract ``eligibility_summary``.
    decisions : mapping
        By subject, as `ulcermeter.store.PhotoStore.decisions` returns them; each with the verdict it was made on.

    Returns
    -------
    DataFrame
        The summary with them.
    dict
        By subject a sentence where the verdict is another one now, or the subject is not in the study any more.
    """
    cells = {name: [decisions.get(s, {}).get(name, "") for s in summary["subject_id"]] for name in DECIDED}
    now = dict(zip(summary["subject_id"], summary["verdict"], strict=True))
    changed = {}
    for subject, made in sorted(decisions.items()):
        words = zip(("decided", "by", "on"), DECIDED, strict=True)
        what = " ".join(f"{word} {made[name]}" for word, name in words if made[name])
        if subject not in now:
            changed[subject] = f"{what}, and not in the study any more; kept in store.sqlite until the subject is back"
        elif made["verdict"] and made["verdict"] != now[subject]:
            changed[subject] = (
                f"{what}, when the proposed verdict was {made['verdict']}; it is {now[subject]} now: decide again in "
                "eligibility_summary.csv"
            )
    return summary.assign(**cells), changed
