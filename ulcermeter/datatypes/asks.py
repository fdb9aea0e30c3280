"""What would settle an open answer, as data: a file, whose row, which cells, and by when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ulcermeter.tables.dates import DateInterval

__all__ = ["Ask", "Need", "OpenAnswer"]


class Need(StrEnum):
    """What is to be done with a cell."""

    FILL = "fill"  # it is empty
    EXACT = "to the day"  # it holds a date to the month or year
    CORRECT = "correct"  # what it holds is contradicted, or no word that is known
    AGAIN = "again"  # it holds an answer that does not count, being of another time or another ulcer's
    ROW = "row"  # there is no row yet
    PHOTO = "photo"  # no cell: a photo that passes


@dataclass(frozen=True)
class Ask:
    """One thing that would settle an answer.

    Attributes
    ----------
    file : str
        Such as ``ulcers.csv``.
    subject_id : str
    columns : tuple of str
        The cells; none for a photo.
    about : str
        Whose row: the ulcer or course as a person calls it.
    need : Need
    rows : tuple of int
        Rows of the file as a spreadsheet counts them, where they are known.
    since, until : DateInterval or None
        The days on which the answer has to be given.
    most_days : int or None
        At most so many days before `until`.
    photos : tuple of str
        Those in whose place one is asked for.
    or_else : bool
        It would do in place of what is asked before it.
    """

    file: str
    subject_id: str
    columns: tuple[str, ...] = ()
    about: str = ""
    need: Need = Need.FILL
    rows: tuple[int, ...] = ()
    since: DateInterval | None = None
    until: DateInterval | None = None
    most_days: int | None = None
    photos: tuple[str, ...] = ()
    or_else: bool = False


@dataclass(frozen=True)
class OpenAnswer:
    """A criterion that is not assessable, and what would settle it.

    Attributes
    ----------
    subject_id, criterion : str
    asks : tuple of Ask
    ulcer_id, hand, finger : str
        Of a condition of an ulcer; empty for the subject's own.
    """

    subject_id: str
    criterion: str
    asks: tuple[Ask, ...]
    ulcer_id: str = ""
    hand: str = ""
    finger: str = ""
