"""Refractory to intravenous prostacyclins: worse within a month, no better after two, or back within three.

The physician's word stands first for worsening and recurrence, photos where it is silent; no improvement is the
physician's alone. Windows run in calendar months from the course's end, the last day included.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ulcermeter.eligibility.answers import Answer, flags_of, listed, result_text, written
from ulcermeter.eligibility.case import Case
from ulcermeter.eligibility.courses import (
    Assessment,
    Course,
    Window,
    alike,
    assessments_of,
    courses_for,
    grew,
    reference_before,
    window_end,
)
from ulcermeter.eligibility.linkage import Ulcer
from ulcermeter.eligibility.three_valued import Truth, all_of, any_of, negate, not_after, yes_no
from ulcermeter.protocol.model import RefractoryRules
from ulcermeter.tables.dates import DateInterval, parse_date
from ulcermeter.tables.flags import Flag, FlagKind
from ulcermeter.wording import flag_in_words

__all__ = ["refractory"]


@dataclass(frozen=True)
class _Arm:
    """One of the three ways to be refractory."""

    letter: str
    statements: str
    column: str
    months: Callable[[RefractoryRules], int]
    photos: Callable[[Case, Assessment, Sequence[Assessment], Window], Answer]
    physician_only: bool = False


def refractory(case: Case, ulcer: Ulcer) -> Answer:
    """Say whether the ulcer is refractory: any arm after any course suffices, *no* needs all to say no.

    Parameters
    ----------
    case : Case
        One subject's rows of every table, and the day up to which evidence counts.
    ulcer : Ulcer
        One ulcer of the subject, as the photos and the clinic's tables know it.

    Returns
    -------
    Answer
    """
    courses = courses_for(case, ulcer)
    if not courses:
        cells = f"treatments.csv: {case.subject_id}, drug, route, start and end; refractory.csv: {_who(case, ulcer)}"
        return Answer(None, "", f"no course of intravenous prostacyclin is known up to {case.cutoff_text}", cells)
    assessments = assessments_of(case, ulcer)
    answers = [_course(case, ulcer, course, assessments) for course in courses]
    truth = any_of(*(answer.truth for answer in answers))
    settle = listed(answer.would_settle for answer in answers if answer.truth is None) if truth is None else ""
    value = listed(answer.value for answer in answers if answer.truth is truth) if truth is not False else "no"
    evidence = listed(answer.evidence for answer in answers)
    return Answer(truth, value, evidence, settle, flags_of(answers)).flagged(_linkage_flag(ulcer))


def _who(case: Case, ulcer: Ulcer) -> str:
    return f"{case.subject_id} ulcer {ulcer.name}"


def _linkage_flag(ulcer: Ulcer) -> Flag | None:
    vague = bool(ulcer.statements) and not any(sure for _, sure in ulcer.statements)
    return Flag(FlagKind.ROWS_AMBIGUOUS, what="refractory.csv") if vague else None


def _course(case: Case, ulcer: Ulcer, course: Course, assessments: Sequence[Assessment]) -> Answer:
    """Answer the three arms of one course, told in words."""
    days = case.protocol.refractory.reference_max_days_before_course
    reference = reference_before(assessments, course, days)
    arms = [_arm(case, ulcer, course, arm, assessments, reference) for arm in _ARMS]
    truth = all_of(course.intravenous, any_of(*(answer.truth for answer in arms)))
    name = f"{course.drug} {written(course.start) + ' to ' if course.start else 'ended '}{written(course.end)}"
    parts = [
        f"({arm.letter}) {_titled(arm, case)}: {result_text(a.truth)}, {a.evidence}"
        for arm, a in zip(_ARMS, arms, strict=True)
    ]
    silent = "" if reference else f"no photo within {days} days before the course's start, so photos are silent"
    evidence = f"{name}: " + listed([*parts, f"reference {reference.evidence}" if reference else silent])
    value = listed(f"({arm.letter})" for arm, a in zip(_ARMS, arms, strict=True) if a.truth is True)
    settle = [answer.would_settle for answer in arms if answer.truth is None]
    if course.intravenous is None:
        settle = [f"treatments.csv: {case.subject_id} {course.drug} ending {written(course.end)}, drug and route"]
    answer = Answer(truth, value, evidence, listed(settle) if truth is None else "", flags_of(arms))
    if not course.listed:
        return answer.flagged(Flag(FlagKind.COURSE_NOT_LISTED))
    return answer.flagged(None if course.intravenous else Flag(FlagKind.ROUTE_NOT_KNOWN))


def _titled(arm: _Arm, case: Case) -> str:
    months = arm.months(case.protocol.refractory)
    return arm.statements.format(f"{months} month{'s' if months != 1 else ''}")


def _arm(
    case: Case, ulcer: Ulcer, course: Course, arm: _Arm, assessments: Sequence[Assessment], reference: Assessment | None
) -> Answer:
    answer = _counted_from(case, ulcer, course, arm, assessments, reference, begin=course.end)
    if course.start is not None:
        other = _counted_from(case, ulcer, course, arm, assessments, reference, begin=course.start)
        if other.truth is not answer.truth and course.end is not None:
            then = Flag(FlagKind.START_WOULD_DIFFER, date=written(course.start), what=result_text(other.truth))
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
    assessments: Sequence[Assessment],
    reference: Assessment | None,
    *,
    begin: DateInterval | None,
) -> Answer:
    """Answer one arm with its window counted from a day."""
    cell = f"refractory.csv: {_who(case, ulcer)}, {arm.column}"
    if begin is None:
        ends = f"treatments.csv: {case.subject_id} {course.drug}, end"
        return Answer(None, "", "the course's end is not known", ends)
    window = window_end(begin, arm.months(case.protocol.refractory), course.further)
    by_photos = Answer(None, "", "photos silent")
    if reference is not None:
        by_photos = arm.photos(case, reference, assessments, window)
    reply = _statement(case, course, arm, window)
    if reply is None:
        if arm.physician_only:
            answer = Answer(
                None, "", f"no word of the physician; photos (which cannot answer it): {by_photos.evidence}"
            )
        else:
            answer = by_photos
        return answer.settled_by(f"{cell} and judged_on")
    answer = reply.noting(f"photos: {by_photos.evidence}" if reference is not None else "").settled_by(
        f"{cell}, judged_on"
    )
    if reply.truth is not None and by_photos.truth is not None and reply.truth != by_photos.truth:
        return answer.flagged(Flag(FlagKind.PHOTOS_CONTRADICT_PHYSICIAN))
    return answer


def _statement(case: Case, course: Course, arm: _Arm, window: Window) -> Answer | None:
    """Return the physician's word on an arm; None where there is none up to the cutoff.

    The word on no improvement needs the months to be over, any other the course to have ended; a *no* given before
    the window closed is flagged (or, with ``physician_no_needs_closed_window``, settles nothing). A word surely given
    too early is told and takes nothing from a later one. A word without a date, or that may be on another ulcer or
    course, settles nothing, nor does any beside it. Two that differ settle nothing either.
    """
    statements_on = [(row, sure) for row, sure in course.statements if row[arm.column]]
    statements_on = [
        (row, sure) for row, sure in statements_on if not_after(parse_date(row["judged_on"]), case.cutoff) is not False
    ]
    if not statements_on:
        return None
    truths, parts, flags = [], [], list[Flag]()
    no_waits = case.protocol.refractory.physician_no_needs_closed_window
    for row, sure in statements_on:
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
        parts.append(f"judged {row[arm.column]}{by} on {row['judged_on'] or 'an unknown day'}{why}")
    truth = truths[0] if len(set(truths)) == 1 else None
    answer = Answer(truth, "", listed(parts), flags=tuple(flags))
    return answer.flagged(Flag(FlagKind.WORDS_CONTRADICT)) if {True, False} <= set(truths) else answer


def _why_not(judged: DateInterval | None, sure: bool, late: Truth) -> str:
    if judged is None:
        return ", not used: without a date"
    if not sure:
        return ", not used: it could mean another ulcer or course"
    return ", not used: too early to say" if late is False else ", not used: its date leaves it open"


def _worse(case: Case, reference: Assessment, assessments: Sequence[Assessment], window: Window) -> Answer:
    """Worse than before the course on any photo inside the window; no, once it closed and was looked into."""
    inside = [(assessment, window.holds(assessment.when)) for assessment in assessments]
    grown = any_of(
        *(all_of(held, grew(reference, assessment, case)) for assessment, held in inside if held is not False)
    )
    shown = listed(
        f"{assessment.evidence}{_times(assessment, reference)}" for assessment, held in inside if held is not False
    )
    shown = shown or "no photo inside the window"
    if grown is True:
        return Answer(True, "", shown)
    if not any(held is True for _, held in inside) or grown is None:
        return Answer(None, "", shown)
    closed = window.closed_by(case.cutoff) is True
    until = f"the window to {written(window.last)}"
    return Answer(
        False if closed else None, "", listed([shown, f"{until} {'is closed' if closed else 'is still open'}"])
    )


def _times(assessment: Assessment, reference: Assessment) -> str:
    if not assessment.open:
        return ""
    both, took_in = alike(reference, assessment), ", ".join(sorted(assessment.took_in ^ reference.took_in))
    if both is None:
        return f", not to be compared with the reference, which was without {took_in}"
    then, now = both
    together = f" together with {took_in}" if took_in else ""
    return f", {now.area_mm2 / then.area_mm2:.2f} times the reference{together}"


def _no_better(case: Case, reference: Assessment, assessments: Sequence[Assessment], window: Window) -> Answer:
    """Not smaller by more than the smallest detectable change on the first photo once the months are over."""
    later = [assessment for assessment in assessments if not_after(window.last, assessment.when) is True]
    if not later:
        return Answer(None, "", f"no photo on or after {written(window.last)}")
    first = later[0]
    shrank = any_of(not first.open and first.sure, grew(first, reference, case) if first.open else None)
    outcome = {True: "better", False: "no better", None: "cannot tell whether better"}[shrank]
    return Answer(negate(shrank), "", f"{first.evidence}{_times(first, reference)}: {outcome}")


def _came_back(case: Case, reference: Assessment, assessments: Sequence[Assessment], window: Window) -> Answer:
    """Open, seen healed, open again at the same place, reopening (last healed, first open] before the limit."""
    since = [assessment for assessment in assessments if assessment.when.low >= reference.when.low]
    inside = [assessment for assessment in since if window.holds(assessment.when) is True]
    reopened, parts = [], []
    for closed, opened in zip(since, since[1:], strict=False):
        if not closed.open and opened.open:
            reopened.append(_in_time(closed, opened, window))
            parts.append(f"{closed.evidence}, then {opened.evidence}")
    reopened += [None for assessment in inside if not assessment.sure]
    back = any_of(*reopened)
    limit = written(window.last)
    shown = listed(parts) or f"not seen to reopen ({len(inside)} photos to {limit})"
    if back is True:
        return Answer(True, "", shown)
    if back is None:
        return Answer(None, "", f"{shown}: reopened before or after {limit}, photos cannot tell")
    hanging = not since[-1].open and window.ended_before(since[-1].when) is not True
    settled = bool(inside) and not hanging and window.closed_by(case.cutoff) is True
    return Answer(False if settled else None, "", shown)


def _in_time(closed: Assessment, opened: Assessment, window: Window) -> Truth:
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
