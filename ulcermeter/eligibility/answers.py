"""What a criterion's answer is made of: truth, value, evidence, and the cells that would settle it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ulcermeter.datatypes import Ask
from ulcermeter.eligibility.three_valued import Truth, all_of
from ulcermeter.protocol import Criterion
from ulcermeter.tables.flags import Flag
from ulcermeter.wording import flagged_in_words, joined

__all__ = ["Answer", "asks_of", "conjunction", "effect_of", "flags_of", "listed", "result_of", "result_text"]


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
        In words made by `ulcermeter.wording`, with numbers, dates and the photo; nobody reads them back.
    asks : tuple of Ask
        What would settle an open one.
    flags : tuple of Flag
        What a reader should look at; the evidence says it too.
    """

    truth: Truth
    value: str = ""
    evidence: str = ""
    asks: tuple[Ask, ...] = ()
    flags: tuple[Flag, ...] = ()

    def flagged(self, flag: Flag | None) -> Answer:
        """Return the same answer with something a reader should look at added to its evidence."""
        if flag is None:
            return self
        return replace(self, evidence=joined([self.evidence, flagged_in_words(flag)]), flags=(*self.flags, flag))

    def noting(self, note: str) -> Answer:
        """Return the same answer with more said in its evidence."""
        return replace(self, evidence=joined([self.evidence, note]))

    def settled_by(self, *asks: Ask) -> Answer:
        """Return the answer saying what would settle it, if it is open and says nothing yet."""
        return replace(self, asks=asks) if self.truth is None and not self.asks else self


def conjunction(parts: Sequence[Answer], value: str = "") -> Answer:
    """All parts must hold; the cells of the open parts would settle it.

    Parameters
    ----------
    parts : sequence of Answer
        Answers that are put together.
    value : str, optional
        The value that decided it.

    Returns
    -------
    Answer
    """
    truth = all_of(*(part.truth for part in parts))
    asks = asks_of(part for part in parts if part.truth is None) if truth is None else ()
    return Answer(truth, value, joined(part.evidence for part in parts), asks, flags_of(parts))


def listed(parts: Iterable[str]) -> str:
    """Join names or values with '; ', each once; empty ones are left out.

    Parameters
    ----------
    parts : iterable of str
        Such as ids of criteria or ulcers.

    Returns
    -------
    str
    """
    return "; ".join(dict.fromkeys(part for part in parts if part))


def asks_of(parts: Iterable[Answer]) -> tuple[Ask, ...]:
    """Return what would settle several answers, each once.

    Parameters
    ----------
    parts : iterable of Answer
        Answers that are put together.

    Returns
    -------
    tuple[Ask, ...]
    """
    return tuple(dict.fromkeys(ask for part in parts for ask in part.asks))


def flags_of(parts: Iterable[Answer]) -> tuple[Flag, ...]:
    """Return the flags of several answers, each once.

    Parameters
    ----------
    parts : iterable of Answer
        Answers that are put together.

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
