"""Flags: what a person should know about a row, as data.

A flag is a kind out of a closed set and the things it speaks of. A ``flags`` column holds them as a JSON list, so that
photo names and numbers come back as they went in; `ulcermeter.wording` puts them into words. What is decided is decided
by the kind, never by the words.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import lru_cache
from typing import Any

__all__ = ["CONTRADICTIONS", "Flag", "FlagKind", "in_doubt_of_identity", "read_flags", "sort_flags", "write_flags"]


class FlagKind(StrEnum):
    """Every kind of flag; the comment names the fields that say more."""

    # Which ulcer is it
    IDENTITY_ASSUMED = "identity_assumed"
    AMBIGUOUS_IDENTITY = "ambiguous_identity"  # ulcers: which others it may be, probability: of this one
    AMBIGUOUS_BETWEEN_PHOTOS = "ambiguous_identity_between_photos"  # as above
    OUTLINE_MAY_BE_THIS = "ambiguous_identity_of_an_outline"  # photos: where the outline is, probability
    HANGS_ON_UNCLEAR_LINK = "hangs_on_unclear_link"  # visit, date: of that link, probability
    NUMBER_AND_PLACE_DISAGREE = "number_and_place_disagree"  # number: the clinic's
    MERGED_INTO = "merged_into"  # ulcers: the one it went into
    SPLIT_OR_NEW = "split_or_new"  # photos: on which it first has parts, or lies where ulcers (filled then) were
    # What was seen of its place
    SEEN_CLEAR = "seen_clear"  # photos, visit, date
    SEEN_CLEAR_BEFORE_BASELINE = "seen_clear_before_baseline"  # photos, visit, date
    NOT_FOUND_ON = "not_found_on"  # photos
    OUTLINED_THAT_DAY = "outlined_that_day"
    NEVER_SEEN_OPEN = "never_seen_open"
    OTHER_SIDE_SEEN = "other_side_seen"  # photos, view: the side that was seen
    ONLY_CLICK_SEARCHED = "only_click_searched"  # photos
    PHOTO_OF_ANOTHER = "photo_of_another"  # photos, number: the ulcer the photo names
    PHOTO_NOT_MEASURED = "photo_not_measured"  # photos, status, reason
    POSSIBLE_ULCER = "possible_ulcer"  # photos: on which something too weak to be called an ulcer was outlined
    COVERED = "covered"  # photos
    COVERED_YET_OUTLINED = "covered_yet_outlined"  # photos
    READER_UNSURE = "reader_unsure"  # photos
    READER_SAYS_HEALED = "reader_says_healed"  # photos
    READER_SAYS_OPEN = "reader_says_open"  # photos
    READER_STATE_NOT_USED = "reader_state_not_used"
    HEALED_BY_MACHINE = "healed_by_machine"
    LIMIT_OVER_THRESHOLD = "detection_limit_over_threshold"  # photos, limit_mm, threshold_mm
    LIMIT_NOT_KNOWN = "detection_limit_not_known"
    LAST_SEEN_BELOW_LIMIT = "last_seen_below_detection_limit"  # diameter_mm
    # When
    VISIT_NOT_ATTENDED = "visit_not_attended"
    ORDER_NOT_KNOWN = "order_not_known"  # date, others: visits it may come before or after
    AMPUTATED = "amputated"  # date
    AMPUTATED_PERHAPS = "amputated_before_or_after"
    OUTLINED_AFTER_AMPUTATION = "outlined_after_amputation"  # date, empty where not known to be before
    # On criteria
    NOT_USED_TOO_LATE = "not_used_too_late"  # what: look or X-ray, others: their dates, visit and date: the cutoff
    NOT_USED_TOO_OLD = "not_used_too_old"  # what: look, X-ray or photo, others: dates, visit and date: the cutoff, days
    PHOTOS_DISAGREE = "photos_of_one_day_disagree"  # photos
    CLINIC_COUNTS_MORE = "clinic_counts_more"  # number: the count, date
    CLINIC_COUNTS_FEWER = "clinic_counts_fewer"  # number: the count, date
    NOT_ON_PHOTOS = "not_on_photos"  # photos: which were to show it
    TIED_TO_NONE = "tied_to_no_ulcer_on_photos"
    ROWS_AMBIGUOUS = "rows_could_mean_several_ulcers"  # what: the table, or empty for the clinic's rows
    FISSURE = "fissure"  # diameter_mm: its width
    BEDSIDE_DISAGREES = "bedside_disagrees"  # threshold_mm
    BEDSIDE_FAR = "bedside_far_from_photo"  # diameter_mm: by hand
    CELLS_IN_DOUBT = "cells_in_doubt"  # others: the cells on which the answer would rest
    SCREENED_BEFORE_CONSENT = "screened_before_consent"  # date
    ENDED_BEFORE_INCLUSION = "ended_before_inclusion"  # what: death or withdrawal, date
    COURSE_NOT_LISTED = "course_not_listed"
    ROUTE_NOT_KNOWN = "route_not_known"
    START_WOULD_DIFFER = "counting_from_start_would_differ"  # date: the start, what: the answer then
    WINDOW_CUT = "window_cut"  # what: the drug, date: its start
    NO_BEFORE_WINDOW_CLOSED = "no_before_window_closed"  # date: the window's last day
    DATE_CONTRADICTS_ANSWER = "date_contradicts_answer"
    ANSWERS_CONTRADICT = "answers_contradict"
    AGES_CONTRADICT = "ages_contradict"
    ITEMS_CONTRADICT_WORD = "items_contradict_word"
    WORDS_CONTRADICT = "words_contradict"
    PHOTOS_CONTRADICT_PHYSICIAN = "photos_contradict_physician"


_IDENTITY_DOUBTS = frozenset(
    {
        FlagKind.AMBIGUOUS_IDENTITY,
        FlagKind.AMBIGUOUS_BETWEEN_PHOTOS,
        FlagKind.OUTLINE_MAY_BE_THIS,
        FlagKind.HANGS_ON_UNCLEAR_LINK,
    }
)
CONTRADICTIONS = frozenset(
    {
        FlagKind.DATE_CONTRADICTS_ANSWER,
        FlagKind.ANSWERS_CONTRADICT,
        FlagKind.AGES_CONTRADICT,
        FlagKind.ITEMS_CONTRADICT_WORD,
        FlagKind.WORDS_CONTRADICT,
        FlagKind.PHOTOS_CONTRADICT_PHYSICIAN,
        FlagKind.CLINIC_COUNTS_FEWER,
        FlagKind.ENDED_BEFORE_INCLUSION,
    }
)
"""Kinds that say that two answers cannot both be right."""


@dataclass(frozen=True)
class Flag:
    """One flag; a field that its kind does not use stays empty.

    Attributes
    ----------
    kind : FlagKind
    ulcers, photos, others : tuple of str
        Ulcer ids, photo files, and dates or visits.
    visit, date, view, number, status, reason, what : str
        As the kind says; `date` as it is to be read by a person.
    diameter_mm, limit_mm, threshold_mm, probability : float or None
    days : int or None
        A limit of the protocol.
    """

    kind: FlagKind
    ulcers: tuple[str, ...] = ()
    photos: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    visit: str = ""
    date: str = ""
    view: str = ""
    number: str = ""
    status: str = ""
    reason: str = ""
    what: str = ""
    diameter_mm: float | None = None
    limit_mm: float | None = None
    threshold_mm: float | None = None
    days: int | None = None
    probability: float | None = None


def write_flags(flags: Iterable[Flag]) -> str:
    """Return the cell of a ``flags`` column: a JSON list, each flag once; empty text for none.

    Parameters
    ----------
    flags : iterable of Flag
        Flags of a row.

    Returns
    -------
    str
    """
    cells = [
        {f.name: getattr(flag, f.name) for f in fields(Flag) if getattr(flag, f.name) not in ("", (), None)}
        for flag in dict.fromkeys(flags)
    ]
    return json.dumps(cells, ensure_ascii=False, separators=(",", ":")) if cells else ""


def sort_flags(flags: Iterable[Flag]) -> list[Flag]:
    """Return each flag once, in an order that hangs on what they say alone.

    Parameters
    ----------
    flags : iterable of Flag
        Flags of a row.

    Returns
    -------
    list[Flag]
    """
    return sorted(dict.fromkeys(flags), key=lambda flag: write_flags([flag]))


@lru_cache(maxsize=4096)
def read_flags(cell: str) -> tuple[Flag, ...]:
    """Return the flags of a cell.

    Parameters
    ----------
    cell : str
        A cell of a ``flags`` column.

    Returns
    -------
    tuple[Flag, ...]

    Raises
    ------
    ValueError
        A cell that `write_flags` did not write: no JSON list of flags, or a kind that is not known.
    """
    if not cell:
        return ()
    try:
        return tuple(_flag(item) for item in json.loads(cell))
    except (TypeError, AttributeError, KeyError, ValueError) as error:
        raise ValueError(f"expected flags as a JSON list of kinds, as a run writes them, got '{cell}'") from error


def _flag(item: dict[str, Any]) -> Flag:
    values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in item.items()}
    values["kind"] = FlagKind(item["kind"])
    return Flag(**values)


def in_doubt_of_identity(flags: Iterable[Flag]) -> bool:
    """Say whether the outlines of the row, or those it lacks, may be of another ulcer.

    Parameters
    ----------
    flags : iterable of Flag
        Flags of a row.

    Returns
    -------
    bool
    """
    return any(flag.kind in _IDENTITY_DOUBTS for flag in flags)
