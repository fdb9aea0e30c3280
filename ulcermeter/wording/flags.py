"""Flags in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ulcermeter.tables.flags import Flag, FlagKind

__all__ = ["evidence_of_visit", "flag_in_words", "flags_in_words"]


def flag_in_words(flag: Flag) -> str:
    """Return a flag as a person reads it: a clause without a full stop.

    Parameters
    ----------
    flag : Flag
        One flag.

    Returns
    -------
    str
    """
    return _WORDS[flag.kind](flag)


def flags_in_words(flags: Iterable[Flag]) -> list[str]:
    """Return flags as the parts of an evidence, parted by '; ', in which no part holds another such mark.

    Parameters
    ----------
    flags : iterable of Flag
        Flags of a row.

    Returns
    -------
    list[str]
    """
    return [flag_in_words(flag).replace("; ", ", ") for flag in flags]


def evidence_of_visit(photos: Sequence[str], flags: Iterable[Flag]) -> str:
    """Return what a row of trajectories rests on: its photos, then its flags.

    Parameters
    ----------
    photos : sequence of str
        Names of the photos the row rests on.
    flags : iterable of Flag
        Flags of a row.

    Returns
    -------
    str
    """
    named = [f"photos {', '.join(photos)}"] if photos else []
    return "; ".join([*named, *sorted(flags_in_words(flags))])


def _fixed(words: str) -> Callable[[Flag], str]:
    return lambda _: words


def _first(names: Sequence[str]) -> str:
    return names[0] if names else ""


def _ambiguous(flag: Flag) -> str:
    also = ": also " + " or ".join(flag.ulcers) if flag.ulcers else ""
    return "ambiguous identity" + also + _sure(flag, "this one")


def _sure(flag: Flag, what: str) -> str:
    return f" (probability of {what} {flag.probability:.2f})" if flag.probability is not None else ""


def _split_or_new(flag: Flag) -> str:
    if flag.ulcers:
        return f"within a former outline of {' and '.join(flag.ulcers)}, of which it may be a part"
    on = ", ".join(flag.photos)
    return f"several outlines on {on} within its last one are taken for its parts, one may be a new ulcer"


def _amputation(flag: Flag) -> str:
    return f"amputation on {flag.date}" if flag.date else "amputation, before or after this visit is not known"


def _too_late(flag: Flag) -> str:
    return f"the {flag.what} of {', '.join(flag.others)} is later than {flag.visit} ({flag.date}) and not used"


def _too_old(flag: Flag) -> str:
    days = ", ".join(flag.others)
    return f"the {flag.what} of {days} is over {flag.days} days before {flag.visit} ({flag.date}) and not used"


def _rows_ambiguous(flag: Flag) -> str:
    if flag.what:
        return f"rows of {flag.what} could mean more than one ulcer; none is used"
    return "the clinic's rows on this finger could mean more than one ulcer; none is used"


_WORDS: dict[FlagKind, Callable[[Flag], str]] = {
    FlagKind.IDENTITY_ASSUMED: _fixed("identity assumed"),
    FlagKind.AMBIGUOUS_IDENTITY: _ambiguous,
    FlagKind.AMBIGUOUS_BETWEEN_PHOTOS: lambda f: (
        "ambiguous identity between photos of one visit" + _sure(f, "this one")
    ),
    FlagKind.OUTLINE_MAY_BE_THIS: lambda f: (
        f"ambiguous identity: the outline on {', '.join(f.photos)} may be this ulcer{_sure(f, 'that')}"
    ),
    FlagKind.HANGS_ON_UNCLEAR_LINK: lambda f: (
        f"hangs on the unclear identity at {f.visit} ({f.date}){_sure(f, 'one and the same')}"
    ),
    FlagKind.NUMBER_AND_PLACE_DISAGREE: lambda f: f"ulcer_no {f.number} and its place disagree",
    FlagKind.MERGED_INTO: lambda f: f"merged into {_first(f.ulcers)}",
    FlagKind.SPLIT_OR_NEW: _split_or_new,
    FlagKind.SEEN_CLEAR: lambda f: f"seen clear on {_first(f.photos)} ({f.visit}, {f.date})",
    FlagKind.SEEN_CLEAR_BEFORE_BASELINE: lambda f: (
        f"seen clear before baseline on {_first(f.photos)} ({f.visit}, {f.date})"
    ),
    FlagKind.NOT_FOUND_ON: lambda f: f"not found on {_first(f.photos)}",
    FlagKind.OUTLINED_THAT_DAY: _fixed("outlined on another photo of that day"),
    FlagKind.NEVER_SEEN_OPEN: _fixed("was never seen open for certain"),
    FlagKind.OTHER_SIDE_SEEN: lambda f: f"only the {f.view or 'unnamed'} side was seen ({_first(f.photos)})",
    FlagKind.ONLY_CLICK_SEARCHED: lambda f: f"only what was clicked was looked for ({_first(f.photos)})",
    FlagKind.PHOTO_OF_ANOTHER: lambda f: (
        f"the photo names ulcer {f.number} and may not show this one ({_first(f.photos)})"
    ),
    FlagKind.PHOTO_NOT_MEASURED: lambda f: f"{f.status}: {f.reason or 'no reason given'} ({_first(f.photos)})",
    FlagKind.POSSIBLE_ULCER: lambda f: (
        f"possible ulcer, too weak to be called one: look, and say open or healed ({', '.join(f.photos)})"
    ),
    FlagKind.COVERED: lambda f: f"covered ({_first(f.photos)})",
    FlagKind.COVERED_YET_OUTLINED: lambda f: f"covered, the outline may be of a crust or dressing ({_first(f.photos)})",
    FlagKind.READER_UNSURE: lambda f: f"the reader is unsure ({_first(f.photos)})",
    FlagKind.READER_SAYS_HEALED: lambda f: f"the reader says healed, yet it is outlined ({_first(f.photos)})",
    FlagKind.READER_SAYS_OPEN: lambda f: f"the reader says open, nothing was found ({_first(f.photos)})",
    FlagKind.READER_STATE_NOT_USED: _fixed("reader_state names no ulcer and was not used"),
    FlagKind.HEALED_BY_MACHINE: _fixed("healed_by_machine"),
    FlagKind.LIMIT_OVER_THRESHOLD: lambda f: (
        f"detection limit {f.limit_mm:.1f} mm, over {f.threshold_mm:g} mm ({_first(f.photos)})"
    ),
    FlagKind.LIMIT_NOT_KNOWN: _fixed("detection limit not known"),
    FlagKind.LAST_SEEN_BELOW_LIMIT: lambda f: f"last seen at {f.diameter_mm:.1f} mm, below the detection limit",
    FlagKind.VISIT_NOT_ATTENDED: _fixed("visit not attended"),
    FlagKind.ORDER_NOT_KNOWN: lambda f: f"dated {f.date or 'not at all'}: before or after {' and '.join(f.others)}",
    FlagKind.AMPUTATED: _amputation,
    FlagKind.AMPUTATED_PERHAPS: _amputation,
    FlagKind.OUTLINED_AFTER_AMPUTATION: lambda f: f"outlined despite {_amputation(f)}",
    FlagKind.NOT_USED_TOO_LATE: _too_late,
    FlagKind.NOT_USED_TOO_OLD: _too_old,
    FlagKind.PHOTOS_DISAGREE: lambda f: f"photos of one day disagree ({', '.join(f.photos)})",
    FlagKind.CLINIC_COUNTS_MORE: lambda f: (
        f"the clinic counted {f.number} active ulcers on {f.date}, more than are known"
    ),
    FlagKind.CLINIC_COUNTS_FEWER: lambda f: (
        f"the clinic examined all fingers on {f.date} and counted only {f.number} active ulcers"
    ),
    FlagKind.NOT_ON_PHOTOS: lambda f: f"not seen on {', '.join(f.photos)}, which was to show it, nor on another photo",
    FlagKind.TIED_TO_NONE: _fixed("this ulcer of the clinic's tables is tied to none on the photos"),
    FlagKind.ROWS_AMBIGUOUS: _rows_ambiguous,
    FlagKind.FISSURE: lambda f: f"width only {f.diameter_mm:.2f} mm, a fissure?",
    FlagKind.BEDSIDE_FAR: lambda f: f"the bedside diameter of {f.diameter_mm:.2f} mm is far from the photo's",
    FlagKind.CELLS_IN_DOUBT: lambda f: f"in doubt: {', '.join(f.others)}",
    FlagKind.BEDSIDE_DISAGREES: lambda f: f"the bedside diameter lies on the other side of {f.threshold_mm:g} mm",
    FlagKind.SCREENED_BEFORE_CONSENT: lambda f: f"screened on {f.date}, before consent",
    FlagKind.ENDED_BEFORE_INCLUSION: lambda f: (
        f"{f.what} on {f.date or 'a day not known'}, which is not later than inclusion"
    ),
    FlagKind.COURSE_NOT_LISTED: _fixed("no course in treatments.csv ends on that day as intravenous prostacyclin"),
    FlagKind.ROUTE_NOT_KNOWN: _fixed("it is not known whether the course was intravenous"),
    FlagKind.START_WOULD_DIFFER: lambda f: f"counted from the course's start ({f.date}) this would be {f.what}",
    FlagKind.WINDOW_CUT: lambda f: f"a further course ({f.what} from {f.date}) cuts the window",
    FlagKind.NO_BEFORE_WINDOW_CLOSED: lambda f: f"before the window closed on {f.date}",
    FlagKind.DATE_CONTRADICTS_ANSWER: _fixed("the date and the answer contradict each other"),
    FlagKind.ANSWERS_CONTRADICT: _fixed("the answers contradict each other"),
    FlagKind.AGES_CONTRADICT: _fixed("birth date and stated age contradict each other"),
    FlagKind.ITEMS_CONTRADICT_WORD: _fixed("the clinic's word and the items contradict each other"),
    FlagKind.WORDS_CONTRADICT: _fixed("two words contradict each other"),
    FlagKind.PHOTOS_CONTRADICT_PHYSICIAN: _fixed("the photos contradict the physician"),
}
