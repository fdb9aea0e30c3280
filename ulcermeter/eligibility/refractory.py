"""Refractory to intravenous prostacyclins: worse within a month, no better after two, or back within three.

The physician's word stands first for worsening and recurrence, photos where it is silent; no improvement is the
physician's alone. Windows run in calendar months from the course's end, the last day included.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ulcermeter.datatypes import Ask, Need
from ulcermeter.eligibility.answers import Answer, asks_of, flags_of, listed, result_text
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
from ulcermeter.eligibility.statements import Asked, statement_on
from ulcermeter.eligibility.three_valued import Truth, all_of, any_of, negate, not_after
from ulcermeter.protocol.model import RefractoryRules
from ulcermeter.tables.dates import DateInterval
from ulcermeter.tables.flags import Flag, FlagKind
from ulcermeter.wording import (
    arm_words,
    beside_photos_words,
    compared_words,
    course_words,
    end_not_known_words,
    first_after_words,
    joined,
    no_course_words,
    no_statement_words,
    photos_silent_words,
    reopened_words,
    window_words,
)

__all__ = ["refractory"]


@dataclass(frozen=True)
class _Arm:
    """One of the three ways to be refractory."""

    letter: str
    title: str
    column: str
    months: Callable[[RefractoryRules], int]
    photos: Callable[[Case, Assessment, Sequence[Assessment], Window], Answer]
    physician_only: bool = False


@dataclass(frozen=True)
class _Question:
    """One ulcer after one course, with what photos showed of it."""

    case: Case
    ulcer: Ulcer
    course: Course
    assessments: Sequence[Assessment]
    reference: Assessment | None


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
        treated = Ask("treatments.csv", case.subject_id, ("drug", "route", "start", "end"))
        spoken = Ask("refractory.csv", case.subject_id, (), ulcer.called, Need.ROW)
        return Answer(None, "", no_course_words(case.cutoff_text), (treated, spoken))
    assessments = assessments_of(case, ulcer)
    days = case.protocol.refractory.reference_max_days_before_course
    answers = [
        _course(_Question(case, ulcer, course, assessments, reference_before(assessments, course, days)))
        for course in courses
    ]
    truth = any_of(*(answer.truth for answer in answers))
    asks = asks_of(answer for answer in answers if answer.truth is None) if truth is None else ()
    value = listed(answer.value for answer in answers if answer.truth is truth) if truth is not False else "no"
    evidence = joined(answer.evidence for answer in answers)
    return Answer(truth, value, evidence, asks, flags_of(answers)).flagged(_linkage_flag(ulcer))


def _linkage_flag(ulcer: Ulcer) -> Flag | None:
    vague = bool(ulcer.statements) and not any(sure for _, sure in ulcer.statements)
    return Flag(FlagKind.ROWS_AMBIGUOUS, what="refractory.csv") if vague else None


def _course(asked: _Question) -> Answer:
    """Answer the three arms of one course."""
    course, rules = asked.course, asked.case.protocol.refractory
    arms = [_arm(asked, arm) for arm in _ARMS]
    truth = all_of(course.intravenous, any_of(*(answer.truth for answer in arms)))
    parts = [
        arm_words(arm.letter, arm.title, arm.months(rules), result_text(answer.truth), answer.evidence)
        for arm, answer in zip(_ARMS, arms, strict=True)
    ]
    compared = asked.reference.evidence if asked.reference else ""
    reference = photos_silent_words(rules.reference_max_days_before_course, compared)
    evidence = course_words(course.drug, course.start, course.end, parts, reference)
    value = listed(f"({arm.letter})" for arm, a in zip(_ARMS, arms, strict=True) if a.truth is True)
    asks = asks_of(answer for answer in arms if answer.truth is None)
    if course.intravenous is None:
        asks = _drug_asks(asked)
    answer = Answer(truth, value, evidence, asks if truth is None else (), flags_of(arms))
    if not course.listed:
        return answer.flagged(Flag(FlagKind.COURSE_NOT_LISTED))
    return answer.flagged(None if course.intravenous else Flag(FlagKind.ROUTE_NOT_KNOWN))


def _drug_asks(asked: _Question) -> tuple[Ask, ...]:
    """Return the cells of a course's drug and route that leave it open; all where treatments.csv has it not."""
    course, subject = asked.course, asked.case.subject_id
    about = f"{course.drug} ending {course.end.text}" if course.end else course.drug
    if not course.listed:
        return (Ask("treatments.csv", subject, ("drug", "route", "start", "end"), about),)
    return tuple(Ask("treatments.csv", subject, (name,), about, need) for name, need in course.unread)


def _arm(asked: _Question, arm: _Arm) -> Answer:
    course = asked.course
    answer = _counted_from(asked, arm, begin=course.end)
    if course.start is not None:
        other = _counted_from(asked, arm, begin=course.start)
        if other.truth is not answer.truth and course.end is not None:
            then = Flag(FlagKind.START_WOULD_DIFFER, date=course.start.text, what=result_text(other.truth))
            answer = answer.flagged(then)
    window = window_end(course.end, arm.months(asked.case.protocol.refractory), course.further)
    for cut in window.cuts(asked.case.cutoff) if course.end else ():
        answer = answer.flagged(Flag(FlagKind.WINDOW_CUT, what=cut.drug, date=cut.start.text if cut.start else ""))
    return answer


def _counted_from(asked: _Question, arm: _Arm, *, begin: DateInterval | None) -> Answer:
    """Answer one arm with its window counted from a day."""
    case, course = asked.case, asked.course
    if begin is None:
        return Answer(None, "", end_not_known_words(), (Ask("treatments.csv", case.subject_id, ("end",), course.drug),))
    window = window_end(begin, arm.months(case.protocol.refractory), course.further)
    by_photos = Answer(None, "", photos_silent_words())
    if asked.reference is not None:
        by_photos = arm.photos(case, asked.reference, asked.assessments, window)
    question = Asked(case, asked.ulcer.called, course, arm.column, arm.physician_only)
    stated = statement_on(question, window)
    if not stated.given:
        if arm.physician_only:
            return Answer(None, "", no_statement_words(by_photos.evidence), stated.answer.asks)
        return by_photos.settled_by(*stated.answer.asks)
    answer = stated.answer.noting(beside_photos_words(by_photos.evidence) if asked.reference is not None else "")
    if stated.gives_way and not arm.physician_only and by_photos.truth is not None:
        answer = replace(answer, truth=by_photos.truth, asks=())
    if answer.truth is not None and by_photos.truth is not None and answer.truth != by_photos.truth:
        return answer.flagged(Flag(FlagKind.PHOTOS_CONTRADICT_PHYSICIAN))
    return answer


def _worse(case: Case, reference: Assessment, assessments: Sequence[Assessment], window: Window) -> Answer:
    """Worse than before the course on any photo inside the window; no, once it closed and was looked into."""
    inside = [(assessment, window.holds(assessment.when)) for assessment in assessments]
    grown = any_of(
        *(all_of(held, grew(reference, assessment, case)) for assessment, held in inside if held is not False)
    )
    shown = [_compared(assessment, reference) for assessment, held in inside if held is not False]
    if grown is True:
        return Answer(True, "", window_words(window.last, shown))
    if not any(held is True for _, held in inside) or grown is None:
        return Answer(None, "", window_words(window.last, shown))
    closed = window.closed_by(case.cutoff) is True
    return Answer(False if closed else None, "", window_words(window.last, shown, closed=closed))


def _compared(assessment: Assessment, reference: Assessment) -> str:
    both = alike(reference, assessment) if assessment.open else None
    times = both[1].area_mm2 / both[0].area_mm2 if both else None
    took_in = sorted(assessment.took_in ^ reference.took_in)
    return compared_words(assessment.evidence, times, took_in, is_open=assessment.open)


def _no_better(case: Case, reference: Assessment, assessments: Sequence[Assessment], window: Window) -> Answer:
    """Not smaller by more than the smallest detectable change on the first photo once the months are over."""
    later = [assessment for assessment in assessments if not_after(window.last, assessment.when) is True]
    if not later:
        return Answer(None, "", first_after_words(window.last))
    first = later[0]
    shrank = any_of(not first.open and first.sure, grew(first, reference, case) if first.open else None)
    return Answer(negate(shrank), "", first_after_words(window.last, _compared(first, reference), shrank))


def _came_back(case: Case, reference: Assessment, assessments: Sequence[Assessment], window: Window) -> Answer:
    """Open, seen healed, open again at the same place, reopening (last healed, first open] before the limit."""
    since = [assessment for assessment in assessments if assessment.when.low >= reference.when.low]
    inside = [assessment for assessment in since if window.holds(assessment.when) is True]
    reopened: list[Truth] = []
    pairs = []
    for closed, opened in zip(since, since[1:], strict=False):
        if not closed.open and opened.open:
            reopened.append(_in_time(closed, opened, window))
            pairs.append((closed.evidence, opened.evidence))
    reopened += [None for assessment in inside if not assessment.sure]
    back = any_of(*reopened)
    shown = reopened_words(pairs, len(inside), window.last, unclear=back is None)
    if back is not False:
        return Answer(back, "", shown)
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
