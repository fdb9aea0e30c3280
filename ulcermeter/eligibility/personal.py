"""Criteria that are the subject's and not an ulcer's: consent, neoplasm, pregnancy, age, and plain yes/no answers."""

from __future__ import annotations

import math
from collections.abc import Callable

from ulcermeter.eligibility.answers import Answer, listed, written
from ulcermeter.eligibility.case import Case
from ulcermeter.eligibility.classification import established
from ulcermeter.eligibility.three_valued import Truth, after, all_of, any_of, negate, not_after, yes_no
from ulcermeter.tables.dates import DateInterval, add_months, parse_date
from ulcermeter.tables.flags import Flag, FlagKind

__all__ = ["PERSONAL", "adult", "advised_age", "consented", "neoplasm", "pregnancy"]


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
    evidence = f"consent {case.person['consent_date'] or 'not known'}, "
    evidence += f"inclusion {case.person['inclusion_date'] or 'not known'}"
    cells = ["consent_date" if given is None or not given.exact else "", "" if _exact(included) else "inclusion_date"]
    settle = listed(case.cell(cell) for cell in cells if cell) if truth is None else ""
    screened = parse_date(case.person["screening_date"])
    answer = Answer(truth, case.person["consent_date"], evidence, settle)
    if after(given, screened) is True:
        return answer.flagged(Flag(FlagKind.SCREENED_BEFORE_CONSENT, date=written(screened)))
    return answer


def _exact(when: DateInterval | None) -> bool:
    return when is not None and when.exact


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
    evidence = listed(
        [
            f"last active {case.person['neoplasm_last_active']}" if last else "",
            f"neoplasm_last_10y: {reply}" if reply else "",
            f"{years} years before {case.cutoff_text}",
        ]
    )
    value = listed([case.person["neoplasm_last_active"], reply])
    if by_date is not None and by_reply is not None and by_date != by_reply:
        answer = Answer(None, value, evidence).flagged(Flag(FlagKind.DATE_CONTRADICTS_ANSWER))
    else:
        answer = Answer(by_date if by_date is not None else by_reply, value, evidence)
    return answer.settled_by(listed([case.cell("neoplasm_last_10y"), case.cell("neoplasm_last_active")]))


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
    evidence = ", ".join(f"{name}: {person[name] or 'not known'}" for name in names)
    potential, pregnant = yes_no(person["childbearing_potential"]), yes_no(person["pregnant"])
    male = person["sex"] == "male"
    if (male and (potential or pregnant)) or (potential is False and pregnant):
        answer = Answer(None, "contradiction", evidence).flagged(Flag(FlagKind.ANSWERS_CONTRADICT))
        return answer.settled_by(listed(case.cell(name) for name in names[:3]))
    if male or potential is False:
        return Answer(False, "not applicable", evidence)
    truth = any_of(pregnant, all_of(potential, yes_no(person["contraception_refused"])))
    missing = [name for name in names[1:] if not person[name]]
    settle = listed(case.cell(name) for name in missing) if truth is None else ""
    return Answer(truth, {True: "yes", False: "no", None: ""}[truth], evidence, settle)


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
    birth, age = parse_date(case.person["birth_date"]), float(case.person["age"])
    by_date = _reached(birth, case.cutoff, low)
    by_age: Truth = None if math.isnan(age) else age >= low
    if high is not None:
        by_date = all_of(by_date, negate(_reached(birth, case.cutoff, high + 1)))
        by_age = all_of(by_age, None if math.isnan(age) else age < high + 1)
    value, phrases = "", []
    if not math.isnan(age):
        value = f"{age:g}"
        phrases.append(f"age {age:g} at inclusion as stated")
    if birth is not None:
        value = _years(birth, case.cutoff) or value
        phrases.append(f"born {case.person['birth_date']}, {value or 'age not known'} at {case.cutoff_text}")
    answer = Answer(by_date if by_date is not None else by_age, value, listed(phrases) or "age not known")
    if by_date is not None and by_age is not None and by_date != by_age:
        answer = Answer(None, value, answer.evidence).flagged(Flag(FlagKind.AGES_CONTRADICT))
    return answer.settled_by(listed([case.cell("birth_date"), case.cell("age")]))


def _reached(birth: DateInterval | None, cutoff: DateInterval | None, years: int) -> Truth:
    if birth is None:
        return None
    return not_after(DateInterval(add_months(birth.low, 12 * years), add_months(birth.high, 12 * years)), cutoff)


def _years(birth: DateInterval, cutoff: DateInterval | None) -> str:
    """Completed years, or the two that a partial date leaves open."""
    if cutoff is None:
        return ""
    ages = []
    for born, on in ((birth.high, cutoff.low), (birth.low, cutoff.high)):
        years = on.year - born.year
        ages.append(years if add_months(born, 12 * years) <= on else years - 1)
    return str(ages[0]) if ages[0] == ages[1] else f"{ages[0]} or {ages[1]}"


def _plain(column: str) -> Callable[[Case], Answer]:
    """Read a criterion that one yes/no cell answers."""

    def answer(case: Case) -> Answer:
        reply = case.person[column]
        return Answer(yes_no(reply), reply, f"{column}: {reply or 'not known'}").settled_by(case.cell(column))

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
