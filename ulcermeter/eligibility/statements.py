"""The physician's answers on an ulcer after a course: which of them count, and what is to be asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ulcermeter.datatypes import Ask, Need
from ulcermeter.eligibility.answers import Answer
from ulcermeter.eligibility.case import Case, Row
from ulcermeter.eligibility.courses import Course, Window
from ulcermeter.eligibility.three_valued import Truth, not_after, yes_no
from ulcermeter.tables.dates import DateInterval, parse_date
from ulcermeter.tables.flags import Flag, FlagKind
from ulcermeter.wording import joined, judged_words, not_used_words

__all__ = ["Asked", "Statement", "statement_on"]


@dataclass(frozen=True)
class Asked:
    """What a physician is asked: a column of refractory.csv on one ulcer after one course.

    Attributes
    ----------
    case : Case
    about : str
        How the ulcer is called.
    course : Course
    column : str
    needs_closed_window : bool
        Any answer needs the months to be over.
    """

    case: Case
    about: str
    course: Course
    column: str
    needs_closed_window: bool

    def ask(self, *columns: str, need: Need = Need.FILL, since: DateInterval | None = None) -> Ask:
        """Return what is asked for in the ulcer's row."""
        return Ask("refractory.csv", self.case.subject_id, columns, self.about, need, since=since)


@dataclass(frozen=True)
class Statement:
    """The physician's answer.

    Attributes
    ----------
    answer : Answer
    given : bool
        There is an answer up to the cutoff, whether it counts or not.
    gives_way : bool
        Every answer was surely given too early and counts for nothing, so that photos may settle it.
    """

    answer: Answer
    given: bool
    gives_way: bool = False


@dataclass(frozen=True)
class _Given:
    """One answer: its row, day, whether it surely is on this ulcer and course, and late enough."""

    row: Row
    reply: Truth
    judged: DateInterval | None
    sure: bool
    late: Truth
    wanted_from: DateInterval | None
    counts: bool
    flag: Flag | None


def statement_on(asked: Asked, window: Window) -> Statement:
    """Return the physician's answer on one of the three ways to be refractory.

    An answer on no improvement needs the months to be over, any other the course to have ended; a *no* on worsening or
    recurrence needs the window to have closed too (or, without ``physician_no_needs_closed_window``, is flagged). One
    surely given too early counts for nothing and takes nothing from a later one. One without a date, or that may be on
    another ulcer or course, settles nothing, nor does any beside it. Two that differ settle nothing either.

    Parameters
    ----------
    asked : Asked
    window : Window
        The time after the course in which it must have happened.

    Returns
    -------
    Statement
    """
    rows = [(row, sure) for row, sure in asked.course.statements if row[asked.column]]
    cutoff = asked.case.cutoff
    given = [_given(asked, row, sure, window) for row, sure in rows if _in_time(row, cutoff)]
    if not given:
        need = Need.AGAIN if rows else Need.FILL
        return Statement(Answer(None).settled_by(asked.ask(*_unanswered(asked, rows), need=need)), given=False)
    truths = [one.reply if one.counts else None for one in given if one.late is not False]
    truth = truths[0] if len(set(truths)) == 1 else None
    words = joined(_worded(asked, one) for one in given)
    answer = Answer(truth, "", words, flags=tuple(one.flag for one in given if one.flag and one.counts))
    contradict = {True, False} <= set(truths)
    answer = answer.flagged(Flag(FlagKind.WORDS_CONTRADICT)) if contradict else answer
    asks = tuple(dict.fromkeys(_wanted(asked, one) for one in given if not one.counts))
    if contradict:
        asks = (asked.ask(asked.column, need=Need.CORRECT),)
    return Statement(answer.settled_by(*asks), given=True, gives_way=not truths)


def _in_time(row: Row, cutoff: DateInterval | None) -> bool:
    return not_after(parse_date(row["judged_on"]), cutoff) is not False


def _unanswered(asked: Asked, too_late: Sequence[tuple[Row, bool]]) -> tuple[str, ...]:
    """Return the cells to fill where nothing was answered in time; the day too, where no row of the ulcer has one."""
    dated = any(row["judged_on"] for row, sure in asked.course.statements if sure and not row[asked.column])
    return (asked.column,) if dated and not too_late else (asked.column, "judged_on")


def _given(asked: Asked, row: Row, sure: bool, window: Window) -> _Given:
    judged, reply = parse_date(row["judged_on"]), yes_no(row[asked.column])
    rules, cutoff = asked.case.protocol.refractory, asked.case.cutoff
    waits = asked.needs_closed_window or (reply is False and rules.physician_no_needs_closed_window)
    wanted_from = window.last if waits else window.begin
    late = not_after(wanted_from, judged)
    early_no = reply is False and not asked.needs_closed_window and not_after(window.last, judged) is False
    closes = window.last.text if window.last else ""
    flag = Flag(FlagKind.NO_BEFORE_WINDOW_CLOSED, date=closes) if early_no else None
    counts = sure and not_after(judged, cutoff) is True and late is True
    return _Given(row, reply, judged, sure, late, wanted_from, counts, flag)


def _worded(asked: Asked, one: _Given) -> str:
    why = "" if one.counts else not_used_words(one.judged, sure=one.sure, late=one.late)
    if one.counts and one.flag:
        why = not_used_words(one.judged, sure=one.sure, late=one.late, flag=one.flag)
    return judged_words(one.row, one.row[asked.column], why)


def _wanted(asked: Asked, one: _Given) -> Ask:
    """Return the cell that keeps an answer from counting."""
    if one.judged is None:
        return asked.ask("judged_on")
    if not one.sure:
        empty = [name for name in ("ulcer_no", "course_end") if not one.row[name]]
        return asked.ask(*empty) if empty else asked.ask("ulcer_no", "course_end", need=Need.CORRECT)
    if one.late is False:
        return asked.ask(asked.column, "judged_on", need=Need.AGAIN, since=one.wanted_from)
    return asked.ask("judged_on", need=Need.EXACT)
