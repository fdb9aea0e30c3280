"""Queries on the course of ulcers: which ulcer it is, what its state is, and outcomes that stay unknown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ulcermeter.datatypes import Study
from ulcermeter.queries.due import Due
from ulcermeter.queries.flags import flag_facts, where_answered
from ulcermeter.queries.query import Query, Subject
from ulcermeter.queries.stakes import Stakes, unknown_of
from ulcermeter.tables.cells import Record, records
from ulcermeter.tables.flags import Flag, FlagKind, read_flags
from ulcermeter.tables.queries import AnsweredBy, Phrase, QueryKind
from ulcermeter.wording import (
    cell_in_words,
    counts_words,
    flag_expected,
    flag_observed,
    outcome_expected,
    outcomes_words,
    phrase,
    state_expected,
    state_words,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["counts_that_disagree", "courses_to_check", "unknown_outcomes"]

_DOUBTFUL = ("indeterminate", "merged", "split")
_NOT_SHOWN = ("indeterminate", "not photographed")
_KINDS = {FlagKind.POSSIBLE_ULCER: QueryKind.POSSIBLE_ULCER}
# Outcomes hang on these also where they are known today.
_DECIDE = (FlagKind.HEALED_BY_MACHINE, FlagKind.POSSIBLE_ULCER)


def courses_to_check(tables: Mapping[str, pd.DataFrame], stakes: Stakes) -> Iterator[Query]:
    """Ask about the flags of trajectories, and about states to check that no flag explains.

    Parameters
    ----------
    tables : mapping of str to DataFrame
    stakes : Stakes

    Yields
    ------
    Query
    """
    for row in records(tables["trajectories"]):
        flags = [flag for flag in read_flags(row["flags"]) if where_answered(flag.kind) is not None]
        for flag in flags:
            yield _flagged(row, flag, stakes)
        if not flags and row["state"] in _DOUBTFUL:
            yield _state(row, stakes)


def _flagged(row: Record, flag: Flag, stakes: Stakes) -> Query:
    place = where_answered(flag.kind)
    assert place is not None
    kind = QueryKind.IDENTITY if place.columns == ("ulcer_no",) else _KINDS.get(flag.kind, QueryKind.STATE)
    decides = kind is QueryKind.IDENTITY or flag.kind in _DECIDE
    return Query(
        kind,
        place.by,
        Subject.of(row, photo=flag.photos[0] if len(flag.photos) == 1 else ""),
        file=place.file,
        cell=cell_in_words(place.columns),
        observed=flag_observed(flag),
        expected=flag_expected(flag),
        verdict=stakes.ulcer_before_treatment(row["subject_id"], row["ulcer_id"], row["visit"]),
        outcome=decides or stakes.outcome_of(row["ulcer_id"]),
        asked=flag_facts(flag),
    )


def _state(row: Record, stakes: Stakes) -> Query:
    return Query(
        QueryKind.STATE,
        AnsweredBy.READER,
        Subject.of(row),
        file="photos.csv",
        cell="reader_state",
        observed=state_words(row["state"]),
        expected=state_expected(row["state"]),
        verdict=stakes.ulcer_before_treatment(row["subject_id"], row["ulcer_id"], row["visit"]),
        outcome=stakes.outcome_of(row["ulcer_id"]),
        asked=(row["state"],),
    )


def unknown_outcomes(tables: Mapping[str, pd.DataFrame], study: Study) -> Iterator[Query]:
    """Ask for what would make an ulcer's outcomes known, all at once; of a subject only where those of its ulcers are.

    Outcomes count from the day of treatment, so without it that day is asked for. Photos are asked for of visits that
    are due and did not show the ulcer's place clear; where none is, nobody can answer yet. Where a cell in doubt may be
    why, that cell is asked about and this is not.

    Parameters
    ----------
    tables : mapping of str to DataFrame
    study : Study
        Its days of treatment and its planned visits.

    Yields
    ------
    Query
    """
    due, shown = Due(study), _shown(tables["trajectories"])
    open_ulcers = set()
    for row in records(tables["outcomes"]):
        unknown = [] if row["in_doubt"] else unknown_of(row)
        open_ulcers |= {row["subject_id"]} if unknown or row["in_doubt"] else set()
        missed = [name for name in due.visits(row) if name not in shown.get(row["ulcer_id"], set())]
        if unknown and missed:
            yield _unknown(row, unknown, file="photos.csv", column="photo", expected=outcome_expected(missed))
    for row in records(tables["outcomes_by_subject"]):
        unknown = [] if row["in_doubt"] else unknown_of(row)
        if unknown and not due.is_treated(row["subject_id"]):
            expected = phrase(Phrase.DAY_OF_TREATMENT)
            yield _unknown(row, unknown, file="subjects.csv", column="treatment_date", expected=expected)
        elif unknown and row["subject_id"] not in open_ulcers:
            expected = phrase(Phrase.ALL_FINGERS)
            yield _unknown(row, unknown, file="visits.csv", column="all_fingers_examined", expected=expected)


def _unknown(row: Record, outcomes: list[str], *, file: str, column: str, expected: str) -> Query:
    return Query(
        QueryKind.OUTCOME,
        AnsweredBy.CLINIC,
        Subject.of(row),
        file=file,
        cell=column,
        about=tuple(outcomes),
        observed=outcomes_words(outcomes),
        expected=expected,
        outcome=True,
    )


def counts_that_disagree(tables: Mapping[str, pd.DataFrame]) -> Iterator[Query]:
    """Ask about the clinic's counts of active ulcers that the photos exclude, all of a subject at once.

    Parameters
    ----------
    tables : mapping of str to DataFrame

    Yields
    ------
    Query
    """
    for row in records(tables["outcomes_by_subject"]):
        if row["counts_disagree"]:
            yield Query(
                QueryKind.CONTRADICTION,
                AnsweredBy.CLINIC,
                Subject.of(row),
                file="visits.csv",
                cell="n_active_clinician",
                observed=counts_words(row["counts_disagree"]),
                expected=phrase(Phrase.WHICH_COUNT),
                outcome=True,
            )


def _shown(trajectories: pd.DataFrame) -> dict[str, set[str]]:
    """Return by ulcer the visits that showed its place clear."""
    shown: dict[str, set[str]] = {}
    for row in records(trajectories):
        if row["state"] not in _NOT_SHOWN:
            shown.setdefault(row["ulcer_id"], set()).add(row["visit"])
    return shown
