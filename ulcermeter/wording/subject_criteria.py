"""The evidence of a subject's own criteria in words: consent, neoplasm, age, classification, plain cells."""

from __future__ import annotations

from collections.abc import Sequence

from ulcermeter.wording.criteria import joined

__all__ = [
    "age_words",
    "born_words",
    "cell_words",
    "consent_words",
    "neoplasm_words",
    "score_words",
]


def cell_words(column: str, reply: str) -> str:
    """Return a cell as it stands, or that it is not known.

    Parameters
    ----------
    column, reply : str

    Returns
    -------
    str
    """
    return f"{column}: {reply or 'not known'}"


def consent_words(given: str, included: str) -> str:
    """Return the days of consent and inclusion as they stand.

    Parameters
    ----------
    given, included : str
        As in subjects.csv.

    Returns
    -------
    str
    """
    return f"consent {given or 'not known'}, inclusion {included or 'not known'}"


def neoplasm_words(last: str, reply: str, years: int, cutoff: str) -> str:
    """Return what is known of a neoplasm.

    Parameters
    ----------
    last, reply : str
        As in subjects.csv.
    years : int
        How long before the cutoff counts.
    cutoff : str
        In words.

    Returns
    -------
    str
    """
    parts = [f"last active {last}" if last else "", f"neoplasm_last_10y: {reply}" if reply else ""]
    return joined([*parts, f"{years} years before {cutoff}"])


def age_words(age: float) -> str:
    """Return the age as stated, or that it is not known.

    Parameters
    ----------
    age : float
        Years; NaN when not known.

    Returns
    -------
    str
    """
    return "age not known" if age != age else f"age {age:g} at inclusion as stated"


def born_words(birth: str, years: str, cutoff: str) -> str:
    """Return the birth date and the age that follows.

    Parameters
    ----------
    birth : str
        As in subjects.csv.
    years : str
        Completed years, or the two that are possible; empty where not known.
    cutoff : str
        In words.

    Returns
    -------
    str
    """
    return f"born {birth}, {years or 'age not known'} at {cutoff}"


def score_words(stated: str, against: Sequence[str], score: str, needed: int, known: Sequence[str]) -> str:
    """Return the clinic's word on the diagnosis and the classification's points.

    Parameters
    ----------
    stated : str
        The clinic's word.
    against : sequence of str
        Why the classification is not applicable.
    score : str
        Points, or the range that is possible.
    needed : int
        Points for definite disease.
    known : sequence of str
        Items that are known, with their points.

    Returns
    -------
    str
    """
    not_for = f"not applicable: {' and '.join(against)}" if against else ""
    items = ", ".join(known) or "no item known"
    return joined([cell_words("ssc_established", stated), not_for, f"score {score} points, {needed} needed: {items}"])
