"""Counts that contradict each other, in words."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["counts_in_words"]


def counts_in_words(counts: Iterable[tuple[str, int, int, int]]) -> str:
    """Return the visits at which the clinic's count and the photos' exclude each other, with both.

    Parameters
    ----------
    counts : iterable of (str, int, int, int)
        Visit, the clinic's count, and the least and most that photos allow.

    Returns
    -------
    str
    """
    return "; ".join(
        f"{visit}: the clinic {counted}, photos {least}" + (f" to {most}" if most > least else "")
        for visit, counted, least, most in counts
    )
