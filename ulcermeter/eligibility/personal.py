"""Criteria that are the subject's and not an ulcer's: consent, neoplasm, pregnancy, age, and plain yes/no answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from ulcermeter.datatypes import Ask, Need
from ulcermeter.eligibility.answers import Answer, listed
from ulcermeter.eligibility.case import Case
from ulcermeter.eligibility.classification import established
from ulcermeter.eligibility.three_valued import Truth, after, all_of, any_of, not_after, yes_no
from ulcermeter.tables.dates import DateInterval, add_months, parse_date
from ulcermeter.tables.flags import Flag, FlagKind
from ulcermeter.wording import age_words, born_words, cell_words, consent_words, joined, neoplasm_words

__all__ = ["PERSONAL", "adult", "advised_age", "consented", "neoplasm", "pregnancy", "years_reached"]


def consented(case: Case) -> Answer:
    """Written consent on or before the day of inclusion; a screening before consent is flagged.

    Parameters
    ----------
    case : Case
        One subject's rows of every table, and the day up to which evidence counts.

    Returns
    -------
    Answer
    """
    given, included = parse_date(case.person["consent_date"]), case.inclusion
    truth = not_after(given, included)
    evidence = consent_words(case.person["consent_date"], case.person["inclusion_date"])
    asks = _days_asked(case, {"consent_date": given, "inclusion_date": included})
    screened = parse_date(case.person["screening_date"])
    answer = Answer(truth, case.person["consent_date"], evidence).settled_by(*asks)
    if screened is not None and after(given, screened) is True:
        return answer.flagged(Flag(FlagKind.SCREENED_BEFORE_CONSENT, date=screened.text))
    return answer


def _days_asked(case: Case, days: Mapping[str, DateInterval | None]) -> list[Ask]:
    """Return the days that are missing or not known to the day."""
    asked = {name: Need.FILL if day is None else Need.EXACT for name, day in days.items() if not (day and day.exact)}
    return [case.ask(name, need) for name, need in asked.items()]


def _cutoff_asked(case: Case) -> list[Ask]:
    """Return the cutoff's day where it is missing or not known to the day."""
    return _days_asked(case, {f"{case.cutoff_name}_date": case.cutoff})


_NEOPLASM = ("neoplasm_last_10y", "neoplasm_last_active")


def neoplasm(case: Case) -> Answer:
    """Neoplasm in the years before inclusion (the day exactly so many years before counts).

    Parameters
    ----------
    case : Case
        One subject's rows of every table, and the day up to which evidence counts.

    Returns
    -------
    Answer
    """
    years = case.protocol.eligibility.neoplasm_years
    last, reply = parse_date(case.person["neoplasm_last_active"]), case.person["neoplasm_last_10y"]
    by_date = _within(last, case.cutoff, years)
    by_reply = yes_no(reply)
    evidence = neoplasm_words(case.person["neoplasm_last_active"], reply, years, case.cutoff_text)
    value = listed([case.person["neoplasm_last_active"], reply])
    if by_date is not None and by_reply is not None and by_date != by_reply:
        answer = Answer(None, value, evidence).flagged(Flag(FlagKind.DATE_CONTRADICTS_ANSWER))
        return answer.settled_by(*(case.ask(name, Need.CORRECT) for name in _NEOPLASM))
    answer = Answer(by_date if by_date is not None else by_reply, value, evidence)
    # A last sign after the cutoff says nothing of the time before: then only the answer would.
    late = after(last, case.cutoff) is True
    asks = [] if late else _days_asked(case, {"neoplasm_last_active": last})
    return answer.settled_by(case.ask("neoplasm_last_10y"), *asks, *(_cutoff_asked(case) if last else []))


def _within(last: DateInterval | None, cutoff: DateInterval | None, years: int) -> Truth:
    """In the years up to the cutoff; a last sign after the cutoff says nothing of the time before."""
    if cutoff is None:
        return None
    start = DateInterval(add_months(cutoff.low, -12 * years), add_months(cutoff.high, -12 * years))
    long_ago = after(start, last)
    if long_ago is True:
        return False
    return True if long_ago is False and not_after(last, cutoff) is True else None


def pregnancy(case: Case) -> Answer:
    """Pregnant, or unwilling to use contraception where that applies; *not applicable* for men and without potential.

    Answers that contradict each other (a man said to be pregnant) are not assessable.

    Parameters
    ----------
    case : Case
        One subject's rows of every table, and the day up to which evidence counts.

    Returns
    -------
    Answer
    """
    person = case.person
    names = ("sex", "childbearing_potential", "pregnant", "contraception_refused")
    evidence = ", ".join(cell_words(name, person[name]) for name in names)
    potential, pregnant = yes_no(person["childbearing_potential"]), yes_no(person["pregnant"])
    male = person["sex"] == "male"
    if (male and (potential or pregnant)) or (potential is False and pregnant):
        answer = Answer(None, "contradiction", evidence).flagged(Flag(FlagKind.ANSWERS_CONTRADICT))
        return answer.settled_by(*(case.ask(name, Need.CORRECT) for name in names[:3] if person[name]))
    if male or potential is False:
        return Answer(False, "not applicable", evidence)
    truth = any_of(pregnant, all_of(potential, yes_no(person["contraception_refused"])))
    missing = [name for name in names[1:] if not person[name]]
    value = {True: "yes", False: "no", None: ""}[truth]
    return Answer(truth, value, evidence).settled_by(*map(case.ask, missing))


def adult(case: Case) -> Answer:
    """At least the protocol's years at inclusion.

    Parameters
    ----------
    case : Case
        One subject's rows of every table, and the day up to which evidence counts.

    Returns
    -------
    Answer
    """
    return _aged(case, low=case.protocol.eligibility.age_min_years)


def advised_age(case: Case) -> Answer:
    """Between the two ages, both in completed years, that one page's summary names.

    Parameters
    ----------
    case : Case
        One subject's rows of every table, and the day up to which evidence counts.

    Returns
    -------
    Answer
    """
    rules = case.protocol.eligibility
    reason = next((c.reason for c in case.protocol.criteria if c.id == "age_65_74"), "")
    answer = _aged(case, low=rules.age_advisory_low_years, high=rules.age_advisory_high_years)
    return answer.noting(reason)


def _aged(case: Case, *, low: int, high: int | None = None) -> Answer:
    """Completed years from `low` to `high` at inclusion, by birth date and by the stated age; both must agree."""
    return years_reached(case, lambda years: bool(years >= low and (high is None or years < high + 1)))


def years_reached(case: Case, fits: Callable[[float], Truth]) -> Answer:
    """Say whether the age at inclusion fits, by birth date and by the stated age; both must agree.

    Parameters
    ----------
    case : Case
        One subject's rows of every table, and the day up to which evidence counts.
    fits : callable
        Of completed years.

    Returns
    -------
    Answer
    """
    birth, age = parse_date(case.person["birth_date"]), float(case.person["age"])
    possible = _possible_years(birth, case.cutoff)
    answers = {fits(years) for years in possible}
    by_date: Truth = answers.pop() if len(answers) == 1 else None
    by_age: Truth = None if math.isnan(age) else fits(age)
    value, phrases = "", []
    if not math.isnan(age):
        value = f"{age:g}"
        phrases.append(age_words(age))
    if birth is not None:
        value = " or ".join(map(str, possible)) or value
        phrases.append(born_words(case.person["birth_date"], value, case.cutoff_text))
    answer = Answer(by_date if by_date is not None else by_age, value, joined(phrases) or age_words(age))
    if by_date is not None and by_age is not None and by_date != by_age:
        answer = Answer(None, value, answer.evidence).flagged(Flag(FlagKind.AGES_CONTRADICT))
        return answer.settled_by(case.ask("birth_date", Need.CORRECT), case.ask("age", Need.CORRECT))
    asks = [] if not math.isnan(age) else [case.ask("age")]
    return answer.settled_by(*_days_asked(case, {"birth_date": birth}), *asks, *(_cutoff_asked(case) if birth else []))


def _possible_years(birth: DateInterval | None, cutoff: DateInterval | None) -> list[int]:
    """Return the completed years that are possible: one, or as many as partial dates leave open."""
    if birth is None or cutoff is None:
        return []
    ends = []
    for born, on in ((birth.high, cutoff.low), (birth.low, cutoff.high)):
        years = on.year - born.year
        ends.append(years if add_months(born, 12 * years) <= on else years - 1)
    return list(range(ends[0], ends[1] + 1))


def _plain(column: str) -> Callable[[Case], Answer]:
    """Read a criterion that one yes/no cell answers."""

    def answer(case: Case) -> Answer:
        reply = case.person[column]
        return Answer(yes_no(reply), reply, cell_words(column, reply)).settled_by(case.ask(column))

    return answer


PERSONAL: dict[str, Callable[[Case], Answer]] = {
    "ssc_acr_eular_2013": established,
    "informed_consent": consented,
    "neoplasm_10y": neoplasm,
    "pregnancy_contraception": pregnancy,
    "life_expectancy_1y": _plain("life_expectancy_under_1y"),
    "uncontrolled_hypertension": _plain("uncontrolled_hypertension"),
    "uncontrolled_infection": _plain("uncontrolled_infection_systemic"),
    "follow_up_impossible": _plain("follow_up_impossible"),
    "age_18": adult,
    "age_65_74": advised_age,
}
