"""The evidence of criteria in words: every clause that stands in eligibility.csv, made of what decided."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ulcermeter.tables.cells import Record
from ulcermeter.tables.dates import DateInterval
from ulcermeter.tables.flags import Flag
from ulcermeter.wording.asks import date_in_words
from ulcermeter.wording.flags import flag_in_words, flags_in_words

__all__ = [
    "best_ulcer_words",
    "bedside_words",
    "cutoff_in_words",
    "diameter_words",
    "flagged_in_words",
    "history_words",
    "joined",
    "no_ulcer_words",
    "no_photo_words",
    "no_xray_words",
    "sign_words",
    "still_active_words",
    "too_old_words",
    "without_outline_words",
    "xray_words",
]


def joined(parts: Iterable[str]) -> str:
    """Join what is not empty with '; ', each once.

    Parameters
    ----------
    parts : iterable of str
        Clauses.

    Returns
    -------
    str
    """
    return "; ".join(dict.fromkeys(part for part in parts if part))


def flagged_in_words(flag: Flag) -> str:
    """Return a flag as a clause of an evidence.

    Parameters
    ----------
    flag : Flag

    Returns
    -------
    str
    """
    return f"flag: {flag_in_words(flag)}"


def _bracketed(flags: Iterable[Flag]) -> str:
    words = joined(flags_in_words(flags))
    return f" [{words}]" if words else ""


def cutoff_in_words(included: DateInterval | None, screened: DateInterval | None) -> str:
    """Return the last day whose evidence counts, with what day it is.

    Parameters
    ----------
    included, screened : DateInterval or None
        Screening stands in for an inclusion that is not known.

    Returns
    -------
    str
    """
    if included or screened:
        return f"{'inclusion' if included else 'screening'} ({date_in_words(included or screened)})"
    return "inclusion (date not known)"


def best_ulcer_words(name: str, n_ulcers: int, evidence: str) -> str:
    """Return a subject's evidence on a condition of ulcers: that of its best one.

    Parameters
    ----------
    name : str
        How the ulcer is called.
    n_ulcers : int
        How many are known.
    evidence : str
        What it rests on.

    Returns
    -------
    str
    """
    best = f"best of {n_ulcers} ulcers" if n_ulcers > 1 else "the only ulcer known"
    return f"ulcer {name} ({best}): {evidence}"


def no_ulcer_words(cutoff: str, examined: DateInterval | None) -> str:
    """Return that no ulcer is known, or that the clinic examined all fingers and counted none.

    Parameters
    ----------
    cutoff : str
        In words.
    examined : DateInterval or None
        The day of that examination.

    Returns
    -------
    str
    """
    if examined is None:
        return f"no ulcer is known up to {cutoff}"
    return f"no ulcer: all fingers examined on {date_in_words(examined)}, none counted, none on a photo"


# --- one ulcer: size, signs, X-ray ------------------------------------------------------------------------------------


def diameter_words(longest: Record, answer: str, threshold_mm: float, *, contested: bool, flags: Iterable[Flag]) -> str:
    """Return what a photo says of an ulcer's size.

    Parameters
    ----------
    longest : dict
        The row of ``tracked`` with its longest diameter.
    answer : str
        Over the threshold: yes, no or uncertain.
    threshold_mm : float
    contested : bool
        It may not be open.
    flags : iterable of Flag

    Returns
    -------
    str
    """
    doubt = "open and " if contested else ""
    over = {"yes": "over", "no": "not over", "uncertain": f"cannot tell whether {doubt}over"}[answer]
    ends = f"95 % {longest['diameter_low_mm']:.2f}-{longest['diameter_high_mm']:.2f}"
    where = _on_photo(longest)
    return f"diameter {longest['diameter_mm']:.2f} mm ({ends}) {where}: {over} {threshold_mm:g} mm{_bracketed(flags)}"


def without_outline_words(row: Record, flags: Iterable[Flag]) -> str:
    """Return what a photo says of an ulcer of which nothing was outlined: healed or amputated.

    Parameters
    ----------
    row : dict
        Of ``tracked``.
    flags : iterable of Flag

    Returns
    -------
    str
    """
    return f"{row['state']} {_on_photo(row)}{_bracketed(flags)}"


def _on_photo(row: Record) -> str:
    return f"on {row['date'] or 'a day in doubt'}" + (f", photo {row['photo']}" if row["photo"] else "")


def no_photo_words(cutoff: str) -> str:
    """Return that no photo settles the size.

    Parameters
    ----------
    cutoff : str
        In words.

    Returns
    -------
    str
    """
    return f"no passing photo that surely shows it up to {cutoff}"


def history_words(photos: Sequence[str]) -> str:
    """Return that photos are of a visit whose photos do not count for size; empty for none.

    Parameters
    ----------
    photos : sequence of str

    Returns
    -------
    str
    """
    return f"earlier photos ({', '.join(photos)}) are history" if photos else ""


def bedside_words(row: Record, when: DateInterval | None, *, settles: bool = False) -> str:
    """Return the diameter read at the bedside, and whether it settles what the photo leaves open.

    Parameters
    ----------
    row : dict
        Of ulcers.csv.
    when : DateInterval or None
    settles : bool

    Returns
    -------
    str
    """
    by = f" by {row['measured_by']}" if row["measured_by"] else ""
    words = f"bedside {row['diameter_mm_bedside']:.2f} mm{by} on {date_in_words(when)}"
    return f"{words} settles the uncertain photo" if settles else words


def sign_words(sign: str, reply: str, when: DateInterval | None, cutoff: str) -> str:
    """Return the clinic's answer on a sign of activity; without one, that it is not known.

    Parameters
    ----------
    sign : str
    reply : str
        yes, no or empty.
    when : DateInterval or None
    cutoff : str
        In words.

    Returns
    -------
    str
    """
    return f"{sign}: {reply} (clinic, {date_in_words(when)})" if reply else f"{sign}: not known up to {cutoff}"


def too_old_words(what: str, reply: object, when: DateInterval, cutoff: DateInterval | None, most_days: int) -> str:
    """Return evidence that is too old to settle anything, with its age.

    Parameters
    ----------
    what : str
        What was found.
    reply : object
        How it was answered.
    when, cutoff : DateInterval
        Its day, and the last whose evidence counts.
    most_days : int
        The protocol's limit.

    Returns
    -------
    str
    """
    days = "" if cutoff is None else f"{(cutoff.high - when.low).days} days before, "
    return f"{what}: {reply} on {date_in_words(when)}, {days}over the {most_days} days that count"


def xray_words(reply: str, when: DateInterval | None) -> str:
    """Return what the X-ray shows.

    Parameters
    ----------
    reply : str
        yes or no.
    when : DateInterval or None

    Returns
    -------
    str
    """
    shows = "shows" if reply == "yes" else "shows no"
    return f"the X-ray of {date_in_words(when)} {shows} calcinosis under the ulcer"


def no_xray_words(cutoff: str, *, any_row: bool) -> str:
    """Return that no X-ray settles it.

    Parameters
    ----------
    cutoff : str
        In words.
    any_row : bool
        There is one that may be of another ulcer or day.

    Returns
    -------
    str
    """
    return ("no X-ray that surely is of this ulcer and up to " if any_row else "no X-ray up to ") + cutoff


def still_active_words(reply: str, photos: Iterable[str]) -> str:
    """Return whether the ulcer was still over the threshold at baseline, which decides nothing.

    Parameters
    ----------
    reply : str
        yes, no, uncertain, or empty for not known.
    photos : iterable of str
        What the photos say.

    Returns
    -------
    str
    """
    if not reply:
        return "still_active_at_baseline: not known"
    return f"still_active_at_baseline: {reply} ({joined(photos)}; size alone)"
