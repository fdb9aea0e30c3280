"""Where a flag is answered: by whom, in which file and columns; and which flags ask nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ulcermeter.tables.flags import Flag, FlagKind, write_flags
from ulcermeter.tables.queries import AnsweredBy

__all__ = ["ASK_NOTHING", "PLACES", "Place", "flag_facts", "where_answered"]


@dataclass(frozen=True)
class Place:
    """Who answers, and in which cells."""

    by: AnsweredBy
    file: str
    columns: tuple[str, ...] = ()


_WHICH = Place(AnsweredBy.READER, "photos.csv", ("ulcer_no",))
_STATE = Place(AnsweredBy.READER, "photos.csv", ("reader_state",))
_PHOTO = Place(AnsweredBy.CLINIC, "photos.csv", ("photo",))
_AMPUTATION = Place(AnsweredBy.CLINIC, "events.csv", ("date",))
_BEDSIDE = Place(AnsweredBy.CLINIC, "ulcers.csv", ("diameter_mm_bedside",))
_WORD = Place(AnsweredBy.PHYSICIAN, "refractory.csv")
_COURSE = Place(AnsweredBy.PHYSICIAN, "treatments.csv", ("start", "end"))

PLACES: dict[FlagKind, Place] = {
    FlagKind.IDENTITY_ASSUMED: _WHICH,
    FlagKind.AMBIGUOUS_IDENTITY: _WHICH,
    FlagKind.AMBIGUOUS_BETWEEN_PHOTOS: _WHICH,
    FlagKind.OUTLINE_MAY_BE_THIS: _WHICH,
    FlagKind.NUMBER_AND_PLACE_DISAGREE: _WHICH,
    FlagKind.PHOTO_OF_ANOTHER: _WHICH,
    FlagKind.MERGED_INTO: _WHICH,
    FlagKind.SPLIT_OR_NEW: _WHICH,
    FlagKind.POSSIBLE_ULCER: _STATE,
    FlagKind.NEVER_SEEN_OPEN: _STATE,
    FlagKind.COVERED_YET_OUTLINED: Place(AnsweredBy.READER, "photos.csv", ("covered",)),
    FlagKind.READER_UNSURE: _STATE,
    FlagKind.READER_SAYS_HEALED: _STATE,
    FlagKind.READER_SAYS_OPEN: _STATE,
    FlagKind.READER_STATE_NOT_USED: _WHICH,
    FlagKind.HEALED_BY_MACHINE: _STATE,
    FlagKind.LAST_SEEN_BELOW_LIMIT: _STATE,
    FlagKind.FISSURE: _STATE,
    FlagKind.PHOTOS_DISAGREE: _STATE,
    FlagKind.OTHER_SIDE_SEEN: _PHOTO,
    FlagKind.ONLY_CLICK_SEARCHED: _PHOTO,
    FlagKind.COVERED: _PHOTO,
    FlagKind.LIMIT_OVER_THRESHOLD: _PHOTO,
    FlagKind.LIMIT_NOT_KNOWN: _PHOTO,
    FlagKind.ORDER_NOT_KNOWN: Place(AnsweredBy.CLINIC, "photos.csv", ("date",)),
    FlagKind.AMPUTATED_PERHAPS: _AMPUTATION,
    FlagKind.OUTLINED_AFTER_AMPUTATION: _AMPUTATION,
    FlagKind.ROWS_AMBIGUOUS: Place(AnsweredBy.CLINIC, "ulcers.csv", ("ulcer_no",)),
    FlagKind.BEDSIDE_DISAGREES: _BEDSIDE,
    FlagKind.BEDSIDE_FAR: _BEDSIDE,
    FlagKind.CLINIC_COUNTS_MORE: Place(AnsweredBy.CLINIC, "visits.csv", ("n_active_clinician",)),
    FlagKind.CLINIC_COUNTS_FEWER: Place(AnsweredBy.CLINIC, "visits.csv", ("n_active_clinician",)),
    FlagKind.SCREENED_BEFORE_CONSENT: Place(AnsweredBy.CLINIC, "subjects.csv", ("consent_date", "screening_date")),
    FlagKind.ENDED_BEFORE_INCLUSION: Place(AnsweredBy.CLINIC, "events.csv", ("event", "date")),
    FlagKind.COURSE_NOT_LISTED: Place(AnsweredBy.CLINIC, "treatments.csv", ("end",)),
    FlagKind.ROUTE_NOT_KNOWN: Place(AnsweredBy.CLINIC, "treatments.csv", ("route",)),
    FlagKind.START_WOULD_DIFFER: _COURSE,
    FlagKind.WINDOW_CUT: _COURSE,
    FlagKind.NO_BEFORE_WINDOW_CLOSED: _WORD,
    FlagKind.WORDS_CONTRADICT: _WORD,
    FlagKind.PHOTOS_CONTRADICT_PHYSICIAN: _WORD,
    FlagKind.DATE_CONTRADICTS_ANSWER: Place(
        AnsweredBy.CLINIC, "subjects.csv", ("neoplasm_last_10y", "neoplasm_last_active")
    ),
    FlagKind.ANSWERS_CONTRADICT: Place(
        AnsweredBy.CLINIC, "subjects.csv", ("sex", "childbearing_potential", "pregnant")
    ),
    FlagKind.AGES_CONTRADICT: Place(AnsweredBy.CLINIC, "subjects.csv", ("birth_date", "age")),
    FlagKind.ITEMS_CONTRADICT_WORD: Place(AnsweredBy.CLINIC, "subjects.csv", ("ssc_established",)),
}
# What they say is evidence, is known, or is asked about elsewhere: refused photos, cells in doubt, what would settle a
# criterion.
ASK_NOTHING = frozenset(
    {
        FlagKind.SEEN_CLEAR,
        FlagKind.SEEN_CLEAR_BEFORE_BASELINE,
        FlagKind.HANGS_ON_UNCLEAR_LINK,  # the link itself is asked about at its visit
        FlagKind.NOT_FOUND_ON,
        FlagKind.OUTLINED_THAT_DAY,
        FlagKind.PHOTO_NOT_MEASURED,
        FlagKind.VISIT_NOT_ATTENDED,
        FlagKind.AMPUTATED,
        FlagKind.CELLS_IN_DOUBT,
        FlagKind.NOT_ON_PHOTOS,
        FlagKind.TIED_TO_NONE,
        FlagKind.NOT_USED_TOO_LATE,
        FlagKind.NOT_USED_TOO_OLD,
    }
)
# A kind without a line above is asked of the clinic rather than lost; a test finds it.
_ANYWHERE = Place(AnsweredBy.CLINIC, "subjects.csv")


def where_answered(kind: FlagKind) -> Place | None:
    """Return who answers a flag and where; None for a kind that asks nothing.

    Parameters
    ----------
    kind : FlagKind

    Returns
    -------
    Place or None
    """
    return None if kind in ASK_NOTHING else PLACES.get(kind, _ANYWHERE)


def flag_facts(flag: Flag) -> tuple[str, ...]:
    """Return what a flag says, without numbers measured on photos and without words, for the id of its query.

    Parameters
    ----------
    flag : Flag

    Returns
    -------
    tuple of str
    """
    return (
        write_flags([replace(flag, diameter_mm=None, limit_mm=None, threshold_mm=None, probability=None, reason="")]),
    )
