"""Refractory to intravenous prostacyclins: worse within a month, no better after two, or back within three.

The physician's word stands first for worsening and recurrence, photos where it is silent; no improvement is the
physician's alone. Windows run in calendar months from the course's end, the last day included.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ulcermeter.eligibility.answers import Answer, flags_of, in_words, join, written
from ulcermeter.eligibility.case import Case
from ulcermeter.eligibility.courses import (
    Course,
    Look,
    Window,
    alike,
    courses_for,
    grew,
    looks_at,
    reference_before,
    window_end,
)
from ulcermeter.eligibility.linkage import Ulcer
from ulcermeter.eligibility.three_valued import Kleene, all_of, any_of, negate, not_after, yes_no
from ulcermeter.protocol.model import RefractoryRules
from ulcermeter.tables.dates import DateInterval, parse_date
from ulcermeter.tables.flags import Flag, FlagKind
from ulcermeter.wording import flag_in_words

__all__ = ["refractory"]


@dataclass(frozen=True)
class _Arm:
    """One of the three ways to be refractory."""

    letter: str
    words: str
    column: str
    months: Callable[[RefractoryRules], int]
    photos: Callable[[Case, Look, Sequence[Look], Window], Answer]
    physician_only: bool = False


def refractory(case: Case, ulcer: Ulcer) -> Answer:
    """Say whether the ulcer is refractory: any arm after any course suffices, *no* needs all to say no."""
    courses = courses_for(case, ulcer)
    if not courses:
        cells = f"treatments.csv: {case.subject_id}, drug, route, start and end; refractory.csv: {_who(case, ulcer)}"
        return Answer(None, "", f"no course of intravenous prostacyclin is known up to {case.cutoff_in_words}", cells)
    looks = looks_at(case, ulcer)
    answers = [_course(case, ulcer, course, looks) for course in courses]
    truth = any_of(*(answer.truth for answer in answers))
    settle = join(answer.would_settle for answer in answers if answer.truth is None) if truth is None else ""
    value = join(answer.value for answer in answers if answer.truth is truth) if truth is not False else "no"
    evidence = join(answer.evidence for answer in answers)
    return Answer(truth, value, evidence, settle, flags_of(answers)).flagged(_unjoined(ulcer))


def _who(case: Case, ulcer: Ulcer) -> str:
    return f"{case.subject_id} ulcer {ulcer.name}"


def _unjoined(ulcer: Ulcer) -> Flag | None:
    vague = bool(ulcer.words) and not any(sure for _, sure in ulcer.words)
    return Flag(FlagKind.ROWS_AMBIGUOUS, what="refractory.csv") if vague else None


def _course(case: Case, ulcer: Ulcer, course: Course, looks: Sequence[Look]) -> Answer:
    """Answer the three arms of one course, told in words."""
    days = case.protocol.refractory.reference_max_days_before_course
    reference = reference_before(looks, course, days)
    arms = [_arm(case, ulcer, course, arm, looks, reference) for arm in _ARMS]
    truth = all_of(course.intravenous, any_of(*(answer.truth for answer in arms)))
    name = f"{course.drug} {written(course.start) + ' to ' if course.start else 'ended '}{written(course.end)}"
    told = [
        f"({arm.letter}) {_titled(arm, case)}: {in_words(a.truth)}, {a.evidence}"
        for arm, a in zip(_ARMS, arms, strict=True)
    ]
    silent = "" if reference else f"no photo within {days} days before the course's start, so photos are silent"
    evidence = f"{name}: " + join([*told, f"reference {reference.evidence}" if reference else silent])
    value = join(f"({arm.letter})" for arm, a in zip(_ARMS, arms, strict=True) if a.truth is True)
    settle = [answer.would_settle for answer in arms if answer.truth is None]
    if course.intravenous is None:
        settle = [f"treatments.csv: {case.subject_id} {course.drug} ending {written(course.end)}, drug and route"]
    answer = Answer(truth, value, evidence, join(settle) if truth is None else "", flags_of(arms))
    if not course.listed:
        return answer.flagged(Flag(FlagKind.COURSE_NOT_LISTED))
    return answer.flagged(None if course.intravenous else Flag(FlagKind.ROUTE_NOT_KNOWN))


def _titled(arm: _Arm, case: Case) -> str:
    months = arm.months(case.protocol.refractory)
    return arm.words.format(f"{months} month{'s' if months != 1 else ''}")


def _arm(case: Case, ulcer: Ulcer, course: Course, arm: _Arm, looks: Sequence[Look], reference: Look | None) -> Answer:
    answer = _counted_from(case, ulcer, course, arm, looks, reference, begin=course.end)
    if course.start is not None:
        other = _counted_from(case, ulcer, course, arm, looks, reference, begin=course.start)
        if other.truth is not answer.truth and course.end is not None:
            then = Flag(FlagKind.START_WOULD_DIFFER, date=written(course.start), what=in_words(other.truth))
            answer = answer.flagged(then)
    window = window_end(course.end, arm.months(case.protocol.refractory), course.further)
    for cut in window.cuts(case.cutoff) if course.end else ():
        answer = answer.flagged(Flag(FlagKind.WINDOW_CUT, what=cut.drug, date=written(cut.start)))
    return answer


def _counted_from(
    case: Case,
    ulcer: Ulcer,
    course: Course,
    arm: _Arm,
    looks: Sequence[Look],
    reference: Look | None,
    *,
    begin: DateInterval | None,
) -> Answer:
    """Answer one arm with its window counted from a day."""
    cell = f"refractory.csv: {_who(case, ulcer)}, {arm.column}"
    if begin is None:
        ends = f"treatments.csv: {case.subject_id} {course.drug}, end"
        return Answer(None, "", "the course's end is not known", ends)
    window = window_end(begin, arm.months(case.protocol.refractory), course.further)
    seen = Answer(None, "", "photos silent")
    if reference is not None:
        seen = arm.photos(case, reference, looks, window)
    word = _word(case, course, arm, window)
    if word is None:
        if arm.physician_only:
            answer = Answer(None, "", f"no word of the physician; photos (which cannot answer it): {seen.evidence}")
        else:
            answer = seen
        return answer.settled_by(f"{cell} and judged_on")
    answer = word.noting(f"photos: {seen.evidence}" if reference is not None else "").settled_by(f"{cell}, judged_on")
    if word.truth is not None and seen.truth is not None and word.truth != seen.truth:
        return answer.flagged(Flag(FlagKind.PHOTOS_CONTRADICT_PHYSICIAN))
    return answer


def _word(case: Case, course: Course, arm: _Arm, window: Window) -> Answer | None:
    """Return the physician's word on an arm; None where there is none up to the cutoff.

    The word on no improvement needs the months to be over, any other the course to have ended; a *no* given before
    the window closed is flagged (or, with ``physician_no_needs_closed_window``, settles nothing). A word surely given
    too early is told and takes nothing from a later one. A word without a date, or that may be on another ulcer or
    course, settles nothing, nor does any beside it. Two that differ settle nothing either.
    """
    said = [(row, sure) for row, sure in course.words if row[arm.column]]
    said = [(row, sure) for row, sure in said if not_after(parse_date(row["judged_on"]), case.cutoff) is not False]
    if not said:
        return None
    truths, told, flags = [], [], list[Flag]()
    no_waits = case.protocol.refractory.physician_no_needs_closed_window
    for row, sure in said:
        judged = parse_date(row["judged_on"])
        early_no = row[arm.column] == "no" and not arm.physician_only and not_after(window.last, judged) is False
        waits = arm.physician_only or (row[arm.column] == "no" and no_waits)
        late = not_after(window.last if waits else window.begin, judged)
        good = sure and not_after(judged, case.cutoff) is True and late is True
        if late is not False:
            truths.append(yes_no(row[arm.column]) if good else None)
        by = f" by {row['judged_by']}" if row["judged_by"] else ""
        soon = Flag(FlagKind.NO_BEFORE_WINDOW_CLOSED, date=written(window.last))
        flags += [soon] if early_no and good else []
        why = f" (flag: {flag_in_words(soon)})" if early_no else ""
        why = why if good else _why_not(judged, sure, late)
        told.append(f"judged {row[arm.column]}{by} on {row['judged_on'] or 'an unknown day'}{why}")
    truth = truths[0] if len(set(truths)) == 1 else None
    answer = Answer(truth, "", join(told), flags=tuple(flags))
    return answer.flagged(Flag(FlagKind.WORDS_CONTRADICT)) if {True, False} <= set(truths) else answer


def _why_not(judged: DateInterval | None, sure: bool, late: Kleene) -> str:
    if judged is None:
        return ", not used: without a date"
    if not sure:
        return ", not used: it could mean another ulcer or course"
    return ", not used: too early to say" if late is False else ", not used: its date leaves it open"


def _worse(case: Case, reference: Look, looks: Sequence[Look], window: Window) -> Answer:
    """Worse than before the course on any photo inside the window; no, once it closed and was looked into."""
    inside = [(look, window.holds(look.when)) for look in looks]
    grown = any_of(*(all_of(held, grew(reference, look, case)) for look, held in inside if held is not False))
    shown = join(f"{look.evidence}{_times(look, reference)}" for look, held in inside if held is not False)
    shown = shown or "no photo inside the window"
    if grown is True:
        return Answer(True, "", shown)
    if not any(held is True for _, held in inside) or grown is None:
        return Answer(None, "", shown)
    closed = window.closed_by(case.cutoff) is True
    until = f"the window to {written(window.last)}"
    return Answer(False if closed else None, "", join([shown, f"{until} {'is closed' if closed else 'is still open'}"]))


def _times(look: Look, reference: Look) -> str:
    if not look.open:
        return ""
    both, took_in = alike(reference, look), ", ".join(sorted(look.took_in ^ reference.took_in))
    if both is None:
        return f", not to be compared with the reference, which was without {took_in}"
    then, now = both
    together = f" together with {took_in}" if took_in else ""
    return f", {now.area_mm2 / then.area_mm2:.2f} times the reference{together}"


def _no_better(case: Case, reference: Look, looks: Sequence[Look], window: Window) -> Answer:
    """Not smaller by more than the smallest detectable change on the first photo once the months are over."""
    later = [look for look in looks if not_after(window.last, look.when) is True]
    if not later:
        return Answer(None, "", f"no photo on or after {written(window.last)}")
    first = later[0]
    shrank = any_of(not first.open and first.sure, grew(first, reference, case) if first.open else None)
    says = {True: "better", False: "no better", None: "cannot tell whether better"}[shrank]
    return Answer(negate(shrank), "", f"{first.evidence}{_times(first, reference)}: {says}")


def _came_back(case: Case, reference: Look, looks: Sequence[Look], window: Window) -> Answer:
    """Open, seen healed, open again at the same place, reopening (last healed, first open] before the limit."""
    since = [look for look in looks if look.when.low >= reference.when.low]
    inside = [look for look in since if window.holds(look.when) is True]
    reopened, told = [], []
    for closed, opened in zip(since, since[1:], strict=False):
        if not closed.open and opened.open:
            reopened.append(_in_time(closed, opened, window))
            told.append(f"{closed.evidence}, then {opened.evidence}")
    reopened += [None for look in inside if not look.sure]
    back = any_of(*reopened)
    limit = written(window.last)
    shown = join(told) or f"not seen to reopen ({len(inside)} photos to {limit})"
    if back is True:
        return Answer(True, "", shown)
    if back is None:
        return Answer(None, "", f"{shown}: reopened before or after {limit}, photos cannot tell")
    hanging = not since[-1].open and window.ended_before(since[-1].when) is not True
    settled = bool(inside) and not hanging and window.closed_by(case.cutoff) is True
    return Answer(False if settled else None, "", shown)


def _in_time(closed: Look, opened: Look, window: Window) -> Kleene:
    """Reopened in (closed, opened]: after the course and not after the limit or a cut."""
    if not (closed.sure and opened.sure):
        return None
    if not_after(opened.when, window.begin) is True or window.ended_before(closed.when) is True:
        return False
    cut = window.cut_before(opened.when)
    return True if all_of(not_after(opened.when, window.last), None if cut is None else not cut) is True else None


_ARMS = (
    _Arm("a", "worse within {} after", "worsened_1_month", lambda rules: rules.worsening_months, _worse),
    _Arm(
        "b",
        "no improvement {} after",
        "no_improvement_2_months",
        lambda rules: rules.no_improvement_months,
        _no_better,
        physician_only=True,
    ),
    _Arm(
        "c",
        "back at the same place within {} after",
        "recurred_3_months",
        lambda rules: rules.recurrence_months,
        _came_back,
    ),
)
