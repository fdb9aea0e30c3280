"""Criteria that a protocol words itself: answered by their rules, in three values, with what would settle them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from ulcermeter.datatypes import Ask, Need
from ulcermeter.eligibility.answers import Answer, asks_of, flags_of, result_text
from ulcermeter.eligibility.asking import ask_of_ulcer, ask_photo
from ulcermeter.eligibility.case import Case, Row
from ulcermeter.eligibility.linkage import Ulcer
from ulcermeter.eligibility.personal import years_reached
from ulcermeter.eligibility.size import photos_of
from ulcermeter.eligibility.three_valued import Truth, after, all_of, any_of, not_after
from ulcermeter.eligibility.timing import agreed, dated, last_ones
from ulcermeter.protocol import Rule, is_drug
from ulcermeter.statistics import Z_95_AS_PRINTED
from ulcermeter.tables.cells import known_number, not_known
from ulcermeter.tables.dates import DateInterval, parse_date
from ulcermeter.wording import condition_words, courses_words, days_words, joined, parts_words, place_words

__all__ = ["ask_subject", "ask_ulcer"]


def ask_subject(case: Case, rule: Rule, answers: Mapping[str, Answer]) -> Answer:
    """Answer a rule on a subject.

    Parameters
    ----------
    case : Case
    rule : Rule
    answers : mapping of str to Answer
        Those of the criteria before it.

    Returns
    -------
    Answer
    """
    if rule.kind in ("all_of", "any_of"):
        return _together(rule, answers)
    if rule.kind == "age":
        return years_reached(case, lambda years: within(rule, math.floor(years), math.floor(years)))
    if rule.of == "treatment":
        return _ask_courses(case, rule)
    cell = case.person.get(rule.column, "")
    return _of_cell(case, rule, cell, None).settled_by(case.ask(rule.column))


def ask_ulcer(case: Case, ulcer: Ulcer, rule: Rule, answers: Mapping[str, Answer]) -> Answer:
    """Answer a rule on an ulcer.

    Parameters
    ----------
    case : Case
    ulcer : Ulcer
    rule : Rule
    answers : mapping of str to Answer
        Those of the criteria before it, on this ulcer.

    Returns
    -------
    Answer
    """
    if rule.kind in ("all_of", "any_of"):
        return _together(rule, answers)
    if rule.kind == "photo":
        return _by_photo(case, ulcer, rule)
    if rule.kind == "place":
        return _by_place(case, ulcer, rule)
    horizon = case.assessment_horizon
    assessments = dated(
        [(row, sure) for row, sure in ulcer.assessments if not not_known(row.get(rule.column, ""))], "assessed_on"
    )
    source = agreed(assessments, rule.column, horizon)
    if source is None:
        asks = ask_of_ulcer(case, ulcer, assessments, rule.column, "assessed_on", horizon=horizon)
        return Answer(None, "", condition_words(rule.column, ""), asks)
    answer = _of_cell(case, rule, source.row[rule.column], source.when)
    return answer.settled_by(Ask("ulcers.csv", case.subject_id, (rule.column,), ulcer.called))


def within(rule: Rule, low: float, high: float) -> Truth:
    """Say whether a value that lies between two ends lies within a rule's limits.

    Parameters
    ----------
    rule : Rule
    low, high : float
        Equal where it is known; NaN where not.

    Returns
    -------
    Truth
    """
    if math.isnan(low) or math.isnan(high):
        return None
    tests: list[Truth] = []
    if rule.at_least is not None:
        tests.append(_surely(low >= rule.at_least, high < rule.at_least))
    if rule.over is not None:
        tests.append(_surely(low > rule.over, high <= rule.over))
    if rule.at_most is not None:
        tests.append(_surely(high <= rule.at_most, low > rule.at_most))
    if rule.under is not None:
        tests.append(_surely(high < rule.under, low >= rule.under))
    return all_of(*tests)


def _surely(yes: bool, no: bool) -> Truth:
    return True if yes else False if no else None


def _ask_courses(case: Case, rule: Rule) -> Answer:
    """Answer a rule on courses of treatment: one that fits is enough; with none listed nothing is known."""
    begun = [row for row in case.courses if after(parse_date(row["start"]), case.cutoff) is not True]
    each = [(row, _of_course(case, rule, row)) for row in begun]
    truth = any_of(*(answer.truth for _, answer in each)) if each else None
    telling = [answer for _, answer in each if answer.truth is truth]
    asks = [ask for _, answer in each for ask in answer.asks]
    if not each:
        asks = [Ask("treatments.csv", case.subject_id, need=Need.ROW)]
    value = telling[0].value if truth and telling else ""
    return Answer(truth, value, courses_words(answer.evidence for answer in telling)).settled_by(*asks)


def _of_course(case: Case, rule: Rule, row: Row) -> Answer:
    """Answer by one course: another drug's is none that is meant."""
    meant = is_drug(row["drug"], rule.drugs, case.protocol) if rule.drugs else True
    about = f"course of {row['drug'] or 'an unnamed drug'}"
    if rule.kind == "given":
        answer = _given(case, rule, row)
        columns = [name for name in ("start", "end") if not _is_exact(row[name])]
    else:
        answer, columns = _of_cell(case, rule, row.get(rule.column, ""), None), [rule.column]
    asked = [("drug", meant), *((name, answer.truth) for name in columns)]
    open_cells = [(name, Need.CORRECT if row.get(name) else Need.FILL) for name, truth in asked if truth is None]
    truth = all_of(meant, answer.truth)
    asks = [Ask("treatments.csv", case.subject_id, (name,), about, need) for name, need in open_cells]
    words = f"{about}: {answer.evidence}"
    return Answer(truth, answer.value, words).settled_by(*asks)


def _given(case: Case, rule: Rule, row: Row) -> Answer:
    """Answer by a course's first and last day: it ran on a day at most so many before."""
    start, end, until = parse_date(row["start"]), parse_date(row["end"]), _counted_to(case, rule)
    words = days_words("start", start, until), days_words("end", end, until)
    if until is None or rule.at_most is None:
        return Answer(None, "", joined(words))
    span = timedelta(days=rule.at_most)
    since = DateInterval(until.low - span, until.high - span)
    begun = _or_surely(not_after(start, until), not_after(end, until))
    lasted = _or_surely(not_after(since, end), not_after(since, start))
    return Answer(all_of(begun, lasted), " to ".join((row["start"], row["end"])), joined(words))


def _or_surely(truth: Truth, other: Truth) -> Truth:
    """Return the first, or True where that is not known and the other is True."""
    return True if truth is None and other else truth


def _is_exact(cell: str) -> bool:
    day = parse_date(cell)
    return day is not None and day.exact


def _counted_to(case: Case, rule: Rule) -> DateInterval | None:
    return parse_date(case.person["screening_date"]) if rule.before == "screening" else case.cutoff


def _of_cell(case: Case, rule: Rule, cell: str | float | None, when: DateInterval | None) -> Answer:
    """Answer by one cell; empty is not known."""
    if rule.kind == "date":
        day = parse_date(str(cell)) if not not_known(cell) else None
        since = _counted_to(case, rule)
        return Answer(_days(rule, day, since), str(cell or ""), days_words(rule.column, day, since))
    if rule.kind == "number":
        number = known_number(cell)
        shown = "" if math.isnan(number) else f"{number:g}"
        return Answer(within(rule, number, number), shown, condition_words(rule.column, shown, when))
    if not_known(cell):
        return Answer(None, "", condition_words(rule.column, ""))
    met = cell in rule.values if rule.kind == "choice" else cell == "yes"
    return Answer(met, str(cell), condition_words(rule.column, str(cell), when))


def _days(rule: Rule, day: DateInterval | None, until: DateInterval | None) -> Truth:
    """Say whether so many days lie between; a day after the other is no such day."""
    if day is None or until is None:
        return None
    in_time = not_after(day, until)
    return all_of(in_time, within(rule, (until.low - day.high).days, (until.high - day.low).days))


def _together(rule: Rule, answers: Mapping[str, Answer]) -> Answer:
    parts = [(name, answers[name]) for name in rule.criteria]
    truths = [answer.truth for _, answer in parts]
    truth = all_of(*truths) if rule.kind == "all_of" else any_of(*truths)
    asks = asks_of(answer for _, answer in parts if answer.truth is None) if truth is None else ()
    words = parts_words((name, result_text(answer.truth)) for name, answer in parts)
    return Answer(truth, "", words, asks, flags_of(answer for _, answer in parts))


def _by_photo(case: Case, ulcer: Ulcer, rule: Rule) -> Answer:
    """Answer by the last passing photos' intervals, which must agree."""
    words = {True: "yes", False: "no", None: "uncertain"}
    photos = []
    for shown, item in photos_of(case, ulcer):
        truth = None if shown.contested else within(rule, *shown.ends)
        photos.append((shown, replace(item, row=item.row | {"answer": words[truth]})))
    horizon = case.photo_horizon
    items = [item for _, item in photos]
    source = agreed(items, "answer", horizon)
    ends = last_ones(items, horizon)
    last = [shown for shown, item in photos if any(item is one for one in ends)]
    truth = {"yes": True, "no": False}.get(str(source.row["answer"])) if source else None
    flags = tuple(flag for shown in last for flag in shown.flags)
    evidence = joined(shown.evidence for shown in last) or condition_words("diameter", "")
    return Answer(truth, last[0].value if last else "", evidence, (), flags).settled_by(ask_photo(case, ulcer))


def _by_place(case: Case, ulcer: Ulcer, rule: Rule) -> Answer:
    """Answer by where photos up to the cutoff show it, else by the clinic's word for the site; both must agree."""
    in_time = [r for r in ulcer.tracked if not_after(parse_date(r["date"]), case.cutoff) is True]
    measured = [(known_number(r["finger_s_mm"]), known_number(r["finger_s_sd_mm"])) for r in in_time]
    measured = [(s, 0.0 if math.isnan(sd) else sd) for s, sd in measured if not math.isnan(s)]
    within_mm, beyond_mm = rule.reach_mm(ulcer.finger)
    ends = [(s - Z_95_AS_PRINTED * sd, s + Z_95_AS_PRINTED * sd) for s, sd in measured]
    by_photo = _one_answer([_surely(high <= within_mm, low >= beyond_mm) for low, high in ends])
    sites = {str(row["site"]) for row in in_time if row["site"]}
    sites |= {str(row["site"]) for row, sure in ulcer.assessments if sure and row["site"]}
    by_site = _one_answer([_of_site(rule, site.casefold()) for site in sorted(sites)])
    contradict = None not in (by_photo, by_site) and by_photo != by_site
    truth = None if contradict else by_photo if by_photo is not None else by_site
    s, sd = measured[-1] if measured else (math.nan, math.nan)
    answer = Answer(truth, "", place_words(s, sd, ", ".join(sorted(sites))))
    return answer.settled_by(
        ask_photo(case, ulcer), Ask("ulcers.csv", case.subject_id, ("site",), ulcer.called, or_else=True)
    )


def _of_site(rule: Rule, site: str) -> Truth:
    if site in [known.casefold() for known in rule.sites]:
        return True
    return False if site in [known.casefold() for known in rule.other_sites] else None


def _one_answer(truths: Sequence[Truth]) -> Truth:
    known = {truth for truth in truths if truth is not None}
    return known.pop() if len(known) == 1 else None
