"""What a criterion's answer is made of: truth, value, evidence in words, and the cells that would settle it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ulcermeter.eligibility.three_valued import Truth, all_of
from ulcermeter.protocol import Criterion
from ulcermeter.tables.dates import DateInterval
from ulcermeter.tables.flags import Flag
from ulcermeter.wording import flag_in_words

__all__ = ["Answer", "conjunction", "effect_of", "flags_of", "result_text", "listed", "result_of", "written"]


@dataclass(frozen=True)
class Answer:
    """The truth of a statement as worded, and why.

    Attributes
    ----------
    truth : bool or None
        None = not assessable.
    value : str
        The value that decided it.
    evidence : str
        In words, with numbers, dates and the photo.
    would_settle : str
        File and cell; only for an open one.
    flags : tuple of Flag
        What a reader should look at; the evidence says it too.
    """

    truth: Truth
    value: str = ""
    evidence: str = ""
    would_settle: str = ""
    flags: tuple[Flag, ...] = ()

    def flagged(self, flag: Flag | None) -> Answer:
        """Return the same answer with something a reader should look at added to its evidence."""
        if flag is None:
            return self
        evidence = listed([self.evidence, f"flag: {flag_in_words(flag)}"])
        return replace(self, evidence=evidence, flags=(*self.flags, flag))

    def noting(self, note: str) -> Answer:
        """Return the same answer with more said in its evidence."""
        return replace(self, evidence=listed([self.evidence, note]))

    def settled_by(self, cell: str) -> Answer:
        """Return the answer naming the cell that would settle it, if it is open and names none yet."""
        return replace(self, would_settle=cell) if self.truth is None and not self.would_settle else self


def listed(parts: Iterable[str]) -> str:
    """Join what is not empty with '; ', each once.

    Parameters
    ----------
    parts : iterable of str
        Texts, or answers that are put together.

    Returns
    -------
    str
    """
    return "; ".join(dict.fromkeys(part for part in parts if part))


def conjunction(parts: Sequence[Answer], value: str = "") -> Answer:
    """All parts must hold; the cells of the open parts would settle it.

    Parameters
    ----------
    parts : sequence of Answer
        Texts, or answers that are put together.
    value : str, optional
        The value that decided it.

    Returns
    -------
    Answer
    """
    truth = all_of(*(part.truth for part in parts))
    settle = listed(part.would_settle for part in parts if part.truth is None) if truth is None else ""
    return Answer(truth, value, listed(part.evidence for part in parts), settle, flags_of(parts))


def flags_of(parts: Iterable[Answer]) -> tuple[Flag, ...]:
    """Return the flags of several answers, each once.

    Parameters
    ----------
    parts : iterable of Answer
        Texts, or answers that are put together.

    Returns
    -------
    tuple[Flag, ...]
    """
    return tuple(dict.fromkeys(flag for part in parts for flag in part.flags))


def result_text(truth: Truth) -> str:
    """Return a truth as the tables write it.

    Parameters
    ----------
    truth : Truth
        True, False, or None for not known.

    Returns
    -------
    str
    """
    return {True: "met", False: "not met", None: "not assessable"}[truth]


def result_of(answer: Answer) -> str:
    """Return the criterion as worded: met, not met, not assessable.

    Parameters
    ----------
    answer : Answer
        The criterion's answer.

    Returns
    -------
    str
    """
    return result_text(answer.truth)


def effect_of(criterion: Criterion, answer: Answer) -> str:
    """Return what an answer does to eligibility; an exclusion that is met fails, what is not enforced does nothing.

    Parameters
    ----------
    criterion : Criterion
        The criterion as the protocol words it.
    answer : Answer
        The criterion's answer.

    Returns
    -------
    str
    """
    if not criterion.enforce:
        return "none"
    if answer.truth is None:
        return "unknown"
    return "passes" if answer.truth != (criterion.kind == "exclusion") else "fails"


def written(when: DateInterval | None) -> str:
    """Return a date as one would write it: to the day, or as the interval it can mean.

    Parameters
    ----------
    when : DateInterval or None
        A date as the interval it can mean; None when it is not known.

    Returns
    -------
    str
    """
    if when is None:
        return "an unknown day"
    return when.low.isoformat() if when.exact else f"{when.low.isoformat()} to {when.high.isoformat()}"
