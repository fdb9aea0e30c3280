"""Queries in words: what is observed, what is expected, and in which cell."""

from __future__ import annotations

from collections.abc import Sequence

from ulcermeter.datatypes import Ask, Finding, Need
from ulcermeter.tables.cells import Row, known_number
from ulcermeter.tables.queries import Phrase
from ulcermeter.wording.asks import columns_in_words
from ulcermeter.wording.findings import problem_of

__all__ = [
    "again_expected",
    "ask_observed",
    "cell_in_words",
    "counts_words",
    "finding_expected",
    "finding_observed",
    "low_confidence_words",
    "not_measured_words",
    "outcome_expected",
    "outcomes_words",
    "phrase",
    "read_by_words",
    "state_expected",
    "state_words",
    "threshold_words",
    "whole_ulcer_expected",
]

_STATES = {
    "indeterminate": ("it cannot be said whether the ulcer is open or healed", "whether it is open or healed"),
    "merged": ("two ulcers seem to have grown into one", "whether they have, and which ulcer it is"),
    "split": ("one ulcer seems to have come apart", "whether it has, or another ulcer is there"),
}


_PHRASES = {
    Phrase.WHICH_ULCER: "which ulcer it is: ulcer_no, or a correction by ulcermeter run --ids",
    Phrase.WHETHER_AN_ULCER: "whether it is an ulcer, and its right outline: ulcermeter review, or mask",
    Phrase.CUT_OFF: "cut off by the photo's border, so larger than measured",
    Phrase.NO_IDENTITY: "could not be told which ulcer this is",
    Phrase.ALL_FINGERS: "whether all fingers were examined at each visit, and how many ulcers were active",
    Phrase.DAY_OF_TREATMENT: "the day of treatment, or that there was none",
    Phrase.READABLE_DECISION: "the decision in a word that is known, or how it was settled in decisions_to_settle.csv",
    Phrase.DECISION_STANDS: "whether the decision stands",
    Phrase.WHICH_COUNT: "the count mended, or photos of the ulcers that were counted",
    Phrase.READ_AGAIN: "a reading of the photo as it is now",
    Phrase.ADJUDICATED: "a third reader's word: ulcermeter adjudicate",
}


def phrase(words: Phrase) -> str:
    """Return the words.

    Parameters
    ----------
    words : Phrase

    Returns
    -------
    str
    """
    return _PHRASES[words]


def cell_in_words(columns: Sequence[str], *, rows: Sequence[int] = (), whose: str = "") -> str:
    """Return a cell of a file as a person looks it up: row, whose row, columns.

    Parameters
    ----------
    columns : sequence of str
    rows : sequence of int
        As a spreadsheet counts, the header being row 1.
    whose : str
        The ulcer or course whose row it is.

    Returns
    -------
    str
    """
    row = f"row{'s' if len(rows) > 1 else ''} {', '.join(map(str, rows))}" if rows else ""
    return ", ".join(part for part in (row, whose, columns_in_words(columns)) if part)


def finding_observed(finding: Finding) -> str:
    """Return what looks wrong in a cell.

    Parameters
    ----------
    finding : Finding

    Returns
    -------
    str
    """
    return problem_of(finding).got


def finding_expected(finding: Finding) -> str:
    """Return what is expected of a cell that looks wrong.

    Parameters
    ----------
    finding : Finding

    Returns
    -------
    str
    """
    problem = problem_of(finding)
    return "; ".join(filter(None, (problem.expected, problem.action))) or "confirm it, or mend it"


def ask_observed(ask: Ask) -> str:
    """Return what stands now where something is asked for.

    Parameters
    ----------
    ask : Ask

    Returns
    -------
    str
    """
    return _NEEDS[ask.need]


_NEEDS = {
    Need.FILL: "empty: not known",
    Need.EXACT: "a date that is not known to the day",
    Need.CORRECT: "what stands there is contradicted, or no word that is known",
    Need.AGAIN: "the answer does not count: it is of another time, or of another ulcer",
    Need.ROW: "no row",
    Need.PHOTO: "no passing photo shows it",
}


def not_measured_words(status: str, reason: str) -> str:
    """Return that a photo was not measured, and why.

    Parameters
    ----------
    status, reason : str
        Cells of ``photos``.

    Returns
    -------
    str
    """
    return f"{status}: {reason}" if reason else status


def again_expected(instruction: str, *, bedside: bool = False) -> str:
    """Return what photo is expected, and whether the size by hand would do too.

    Parameters
    ----------
    instruction : str
        How to take it; empty where that is not known to help.
    bedside : bool
        A caliper at the bedside would do too.

    Returns
    -------
    str
    """
    photo = f"another photo: {instruction}" if instruction else "another photo that passes and shows it clear"
    if not bedside:
        return photo
    caliper = "the diameter by caliper, diameter_mm_bedside in ulcers.csv"
    return f"{photo}; or {caliper}" if instruction else caliper


def threshold_words(row: Row, threshold_mm: float) -> str:
    """Return that a diameter cannot be told from the threshold, and what widens its interval.

    Parameters
    ----------
    row : mapping of str to cell
        Of ``measurements``.
    threshold_mm : float
        The protocol's threshold, mm.

    Returns
    -------
    str
    """
    value, low, high = (known_number(row[f"diameter{end}_mm"]) for end in ("", "_low", "_high"))
    words = f"{value:.2f} ({low:.2f}–{high:.2f}) mm: this photo cannot tell whether it is over {threshold_mm:g} mm"
    return words + (f"; the widest error is the {row['dominant_error']}" if row["dominant_error"] else "")


def low_confidence_words(confidence: float) -> str:
    """Return that an outline may be none of an ulcer.

    Parameters
    ----------
    confidence : float
        0..1.

    Returns
    -------
    str
    """
    return f"low confidence that this is an ulcer ({confidence:.2f})"


def whole_ulcer_expected() -> str:
    """Return what is expected where an outline is cut off.

    Returns
    -------
    str
    """
    return again_expected("take the whole ulcer into the picture")


def counts_words(counts: str) -> str:
    """Return that the clinic's counts and the photos exclude each other.

    Parameters
    ----------
    counts : str
        Visits and counts in words.

    Returns
    -------
    str
    """
    return f"the clinic's count of active ulcers and the photos exclude each other: {counts}"


def read_by_words(readers: Sequence[str]) -> str:
    """Return that several have read a photo and nobody has settled it.

    Parameters
    ----------
    readers : sequence of str
        Their names.

    Returns
    -------
    str
    """
    return f"read by {', '.join(readers)}, none of them the primary reader, and not adjudicated"


def state_words(state: str) -> str:
    """Return what a state to check means.

    Parameters
    ----------
    state : {'indeterminate', 'merged', 'split'}

    Returns
    -------
    str
    """
    return _STATES[state][0]


def state_expected(state: str) -> str:
    """Return what is expected of a reader on a state to check.

    Parameters
    ----------
    state : {'indeterminate', 'merged', 'split'}

    Returns
    -------
    str
    """
    return _STATES[state][1]


def outcomes_words(outcomes: Sequence[str]) -> str:
    """Return that outcomes are unknown.

    Parameters
    ----------
    outcomes : sequence of str
        Their columns.

    Returns
    -------
    str
    """
    return f"unknown: {', '.join(outcomes)}"


def outcome_expected(visits: Sequence[str]) -> str:
    """Return what would make an outcome of an ulcer known.

    Parameters
    ----------
    visits : sequence of str
        Visits that are due and did not show its place clear.

    Returns
    -------
    str
    """
    return f"a passing photo of its place at {', '.join(visits)}, or why there is none: visits.csv, events.csv"
