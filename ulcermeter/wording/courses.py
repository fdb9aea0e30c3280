"""The evidence of refractory ulcers in words: courses, the physician's answers, what photos showed around them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ulcermeter.tables.cells import Record
from ulcermeter.tables.dates import DateInterval
from ulcermeter.tables.flags import Flag
from ulcermeter.wording.asks import date_in_words
from ulcermeter.wording.criteria import joined
from ulcermeter.wording.flags import flag_in_words

__all__ = [
    "arm_words",
    "beside_photos_words",
    "compared_words",
    "course_words",
    "end_not_known_words",
    "first_after_words",
    "judged_words",
    "no_course_words",
    "no_statement_words",
    "not_used_words",
    "photos_silent_words",
    "reopened_words",
    "size_words",
    "window_words",
]


def no_course_words(cutoff: str) -> str:
    """Return that no course is known.

    Parameters
    ----------
    cutoff : str
        In words.

    Returns
    -------
    str
    """
    return f"no course of intravenous prostacyclin is known up to {cutoff}"


def course_words(
    drug: str, start: DateInterval | None, end: DateInterval | None, arms: Iterable[str], reference: str
) -> str:
    """Return a course with the answers of its three arms and the photo that others are compared with.

    Parameters
    ----------
    drug : str
    start, end : DateInterval or None
    arms : iterable of str
        In words.
    reference : str
        In words, or why there is none.

    Returns
    -------
    str
    """
    began = f"{date_in_words(start)} to " if start else "ended "
    return f"{drug} {began}{date_in_words(end)}: " + joined([*arms, reference])


def arm_words(letter: str, title: str, months: int, result: str, evidence: str) -> str:
    """Return one arm's answer.

    Parameters
    ----------
    letter, title : str
        The title has a place for the time.
    months : int
    result : str
        met, not met, not assessable.
    evidence : str
        In words.

    Returns
    -------
    str
    """
    time = f"{months} month{'s' if months != 1 else ''}"
    return f"({letter}) {title.format(time)}: {result}, {evidence}"


def photos_silent_words(days: int | None = None, reference: str = "") -> str:
    """Return the photo that others are compared with, or that photos say nothing for want of one.

    Parameters
    ----------
    days : int, optional
        How long before the course's start it may be.
    reference : str, optional
        What it shows, in words.

    Returns
    -------
    str
    """
    if reference:
        return f"reference {reference}"
    if days is None:
        return "photos silent"
    return f"no photo within {days} days before the course's start, so photos are silent"


def end_not_known_words() -> str:
    """Return that the course's end is not known.

    Returns
    -------
    str
    """
    return "the course's end is not known"


def no_statement_words(photos: str) -> str:
    """Return that the physician alone could answer and has not.

    Parameters
    ----------
    photos : str
        What photos show, in words.

    Returns
    -------
    str
    """
    return f"no word of the physician; photos (which cannot answer it): {photos}"


def beside_photos_words(photos: str) -> str:
    """Return what photos show beside the physician's answer.

    Parameters
    ----------
    photos : str
        In words.

    Returns
    -------
    str
    """
    return f"photos: {photos}"


def judged_words(row: Record, reply: str, why: str) -> str:
    """Return the physician's answer, and why it is not used or flagged.

    Parameters
    ----------
    row : dict
        Of refractory.csv.
    reply : str
        yes or no.
    why : str
        In words; empty where it stands.

    Returns
    -------
    str
    """
    by = f" by {row['judged_by']}" if row["judged_by"] else ""
    return f"judged {reply}{by} on {row['judged_on'] or 'an unknown day'}{why}"


def not_used_words(judged: DateInterval | None, *, sure: bool, late: bool | None, flag: Flag | None = None) -> str:
    """Return why a physician's answer is not used, or what flags it; empty where it stands.

    Parameters
    ----------
    judged : DateInterval or None
        Its day.
    sure : bool
        It surely is on this ulcer and course.
    late : bool or None
        Whether it was given late enough.
    flag : Flag, optional
        For one that is used.

    Returns
    -------
    str
    """
    if flag is not None:
        return f" (flag: {flag_in_words(flag)})"
    if judged is None:
        return ", not used: without a date"
    if not sure:
        return ", not used: it could mean another ulcer or course"
    return ", not used: too early to say" if late is False else ", not used: its date leaves it open"


def size_words(row: Record, *, healed: bool) -> str:
    """Return what a visit's photos showed of an ulcer.

    Parameters
    ----------
    row : dict
        Of ``trajectories``.
    healed : bool

    Returns
    -------
    str
    """
    size = "healed" if healed else f"{row['area_mm2']:.1f} mm2"
    return f"{size} on {row['date']} ({row['evidence'] or row['visit']})"


def compared_words(evidence: str, times: float | None, took_in: Sequence[str], *, is_open: bool) -> str:
    """Return what photos showed, and how large that is against the reference.

    Parameters
    ----------
    evidence : str
        In words.
    times : float or None
        Area against the reference's; None where they cannot be compared.
    took_in : sequence of str
        Ulcers that are part of one of the two and not of the other.
    is_open : bool
        A healed one is not compared.

    Returns
    -------
    str
    """
    others = ", ".join(took_in)
    if not is_open:
        return evidence
    if times is None:
        return f"{evidence}, not to be compared with the reference, which was without {others}"
    return f"{evidence}, {times:.2f} times the reference{f' together with {others}' if took_in else ''}"


def window_words(last: DateInterval | None, shown: Iterable[str], *, closed: bool | None = None) -> str:
    """Return what photos inside a window showed, and whether it has closed.

    Parameters
    ----------
    last : DateInterval or None
        The window's last day.
    shown : iterable of str
        In words.
    closed : bool, optional
        Left out where it does not matter.

    Returns
    -------
    str
    """
    words = joined(shown) or "no photo inside the window"
    if closed is None:
        return words
    return joined([words, f"the window to {date_in_words(last)} {'is closed' if closed else 'is still open'}"])


def first_after_words(last: DateInterval | None, evidence: str = "", shrank: bool | None = None) -> str:
    """Return whether the first photo after the window showed the ulcer better.

    Parameters
    ----------
    last : DateInterval or None
        The window's last day.
    evidence : str, optional
        What that photo showed; without one there was none.
    shrank : bool, optional

    Returns
    -------
    str
    """
    if not evidence:
        return f"no photo on or after {date_in_words(last)}"
    return f"{evidence}: {({True: 'better', False: 'no better', None: 'cannot tell whether better'})[shrank]}"


def reopened_words(
    pairs: Iterable[tuple[str, str]], n_photos: int, last: DateInterval | None, *, unclear: bool = False
) -> str:
    """Return whether the ulcer was seen to reopen.

    Parameters
    ----------
    pairs : iterable of (str, str)
        What was seen closed, and then open, in words.
    n_photos : int
        Photos inside the window.
    last : DateInterval or None
        The window's last day.
    unclear : bool
        Photos cannot tell whether that was in time.

    Returns
    -------
    str
    """
    limit = date_in_words(last)
    shown = joined(f"{closed}, then {opened}" for closed, opened in pairs)
    shown = shown or f"not seen to reopen ({n_photos} photos to {limit})"
    return f"{shown}: reopened before or after {limit}, photos cannot tell" if unclear else shown
