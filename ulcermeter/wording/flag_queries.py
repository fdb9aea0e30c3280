"""Flags as queries in words: what is observed, and what is expected of whom they are asked."""

from __future__ import annotations

from collections.abc import Callable

from ulcermeter.tables.flags import CONTRADICTIONS, Flag, FlagKind
from ulcermeter.tables.queries import Phrase
from ulcermeter.wording.flags import flag_in_words
from ulcermeter.wording.queries import again_expected, phrase

__all__ = ["flag_expected", "flag_observed"]


def flag_observed(flag: Flag) -> str:
    """Return a flag as what is observed.

    Parameters
    ----------
    flag : Flag

    Returns
    -------
    str
    """
    if flag.kind is FlagKind.HEALED_BY_MACHINE:
        return "called healed by the machine alone; no reader has said so"
    return flag_in_words(flag)


def flag_expected(flag: Flag) -> str:
    """Return what is expected of whom a flag is asked.

    Parameters
    ----------
    flag : Flag

    Returns
    -------
    str
    """
    if flag.kind in CONTRADICTIONS:
        return "which of them holds; mend the other"
    return _EXPECTED.get(flag.kind, _confirm)(flag)


def _confirm(flag: Flag) -> str:
    return "confirm it, or mend it"


def _which(flag: Flag) -> str:
    return phrase(Phrase.WHICH_ULCER)


def _state(flag: Flag) -> str:
    return "whether the ulcer is open or healed there: ulcermeter review, or reader_state"


def _photo(flag: Flag) -> str:
    return again_expected("")


_EXPECTED: dict[FlagKind, Callable[[Flag], str]] = {
    **dict.fromkeys(
        (
            FlagKind.IDENTITY_ASSUMED,
            FlagKind.AMBIGUOUS_IDENTITY,
            FlagKind.AMBIGUOUS_BETWEEN_PHOTOS,
            FlagKind.OUTLINE_MAY_BE_THIS,
            FlagKind.NUMBER_AND_PLACE_DISAGREE,
            FlagKind.PHOTO_OF_ANOTHER,
            FlagKind.READER_STATE_NOT_USED,
        ),
        _which,
    ),
    **dict.fromkeys(
        (
            FlagKind.NEVER_SEEN_OPEN,
            FlagKind.READER_UNSURE,
            FlagKind.READER_SAYS_HEALED,
            FlagKind.READER_SAYS_OPEN,
            FlagKind.LAST_SEEN_BELOW_LIMIT,
            FlagKind.COVERED_YET_OUTLINED,
        ),
        _state,
    ),
    **dict.fromkeys(
        (
            FlagKind.OTHER_SIDE_SEEN,
            FlagKind.ONLY_CLICK_SEARCHED,
            FlagKind.COVERED,
            FlagKind.LIMIT_OVER_THRESHOLD,
            FlagKind.LIMIT_NOT_KNOWN,
        ),
        _photo,
    ),
    FlagKind.POSSIBLE_ULCER: lambda _: "whether it is an open ulcer, or none: ulcermeter review, or reader_state",
    FlagKind.HEALED_BY_MACHINE: lambda _: "a reader's word whether it has healed: ulcermeter review, or reader_state",
    FlagKind.MERGED_INTO: lambda _: "whether it has merged, and into which ulcer",
    FlagKind.SPLIT_OR_NEW: lambda _: "whether all outlines are parts of the one ulcer, or one of them a new one",
    FlagKind.FISSURE: lambda _: "whether it is an ulcer or a fissure",
    FlagKind.ORDER_NOT_KNOWN: lambda _: "the date to the day",
    FlagKind.AMPUTATED_PERHAPS: lambda _: "the day of the amputation",
    FlagKind.OUTLINED_AFTER_AMPUTATION: lambda _: "which is wrong: the amputation, its date, or the photo's finger",
    FlagKind.ROWS_AMBIGUOUS: lambda _: "which ulcer each row speaks of: ulcer_no",
    FlagKind.CLINIC_COUNTS_MORE: lambda _: "photos of the ulcers that were counted, or the count mended",
    FlagKind.CLINIC_COUNTS_FEWER: lambda _: "the count or the signs of activity mended",
    FlagKind.ENDED_BEFORE_INCLUSION: lambda f: f"the day of inclusion or of the {f.what} mended",
    FlagKind.COURSE_NOT_LISTED: lambda _: "the course in treatments.csv, or another course_end",
    FlagKind.ROUTE_NOT_KNOWN: lambda _: "the route",
    FlagKind.NO_BEFORE_WINDOW_CLOSED: lambda f: f"the answer anew, on or after {f.date}",
}
