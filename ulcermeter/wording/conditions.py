"""A protocol's rules in words: what each criterion asks, and what an answer to one rests on."""

from __future__ import annotations

from collections.abc import Iterable

from ulcermeter.protocol import Criterion, Protocol, Rule, Visit
from ulcermeter.tables.dates import DateInterval
from ulcermeter.wording.asks import date_in_words

__all__ = [
    "condition_words",
    "courses_words",
    "days_words",
    "parts_words",
    "place_words",
    "protocol_in_words",
    "rule_in_words",
]


def rule_in_words(rule: Rule) -> str:
    """Return when a rule is met.

    Parameters
    ----------
    rule : Rule

    Returns
    -------
    str
    """
    file, limits = f"{rule.table}.csv", _limits(rule)
    words = _kind_in_words(rule, file, limits)
    if rule.of != "treatment":
        return words
    drugs = f" of {' or '.join(rule.drugs)}" if rule.drugs else ""
    return f"a course{drugs} is listed that {words}" if rule.kind == "given" else f"of a course{drugs} the {words}"


def _kind_in_words(rule: Rule, file: str, limits: str) -> str:
    return {
        "yes_no": f"{rule.column} of {file} says yes",
        "choice": f"{rule.column} of {file} is {' or '.join(rule.values)}",
        "number": f"{rule.column} of {file} is {limits}",
        "date": f"{rule.column} of {file} lies {limits} days before {rule.before}",
        "given": f"was given on any day {limits} days before {rule.before}",
        "age": f"completed years at inclusion are {limits}",
        "photo": f"the diameter on the last passing photo is {limits} mm, its 95 % interval included",
        "place": _place(rule),
        "all_of": f"all of {', '.join(rule.criteria)} are met",
        "any_of": f"one of {', '.join(rule.criteria)} is met",
    }[rule.kind]


def _limits(rule: Rule) -> str:
    named = (("at least", rule.at_least), ("over", rule.over), ("at most", rule.at_most), ("under", rule.under))
    return " and ".join(f"{name} {limit:g}" for name, limit in named if limit is not None)


def _place(rule: Rule) -> str:
    if rule.within_mm is None or rule.beyond_mm is None:
        return ""
    words = f"within {rule.within_mm:g} mm from the fingertip for sure, not beyond {rule.beyond_mm:g} mm"
    fingers = "; ".join(f"{name} {within:g} and {beyond:g}" for name, (within, beyond) in rule.by_finger.items())
    words += f" ({fingers})" if fingers else ""
    sites = f", or its site is {', '.join(rule.sites)}" if rule.sites else ""
    others = f" and not {', '.join(rule.other_sites)}" if rule.other_sites else ""
    return f"it lies {words}{sites}{others}"


def condition_words(what: str, reply: str, when: DateInterval | None = None) -> str:
    """Return the answer that a rule rests on.

    Parameters
    ----------
    what : str
        The column or measure.
    reply : str
        Empty where it is not known.
    when : DateInterval, optional
        Its day.

    Returns
    -------
    str
    """
    return f"{what}: {reply or 'not known'}" + (f" ({date_in_words(when)})" if when else "")


def days_words(column: str, when: DateInterval | None, cutoff: DateInterval | None) -> str:
    """Return a date and how long before the cutoff it was.

    Parameters
    ----------
    column : str
    when, cutoff : DateInterval or None

    Returns
    -------
    str
    """
    if when is None or cutoff is None:
        return condition_words(column, when.text if when else "")
    least, most = (cutoff.low - when.high).days, (cutoff.high - when.low).days
    days = f"{least}" if least == most else f"{least} to {most}"
    return f"{column}: {when.text}, {days} days before {cutoff.text}"


def place_words(s_mm: float, sd_mm: float, site: str) -> str:
    """Return where an ulcer was measured to lie on its finger.

    Parameters
    ----------
    s_mm, sd_mm : float
        Distance from the tip and its standard deviation; NaN when not known.
    site : str
        The clinic's word.

    Returns
    -------
    str
    """
    where = f"{s_mm:.0f} ± {sd_mm:.0f} mm from the tip" if s_mm == s_mm else "no place on the finger was measured"
    return f"{where}{f', site {site}' if site else ''}"


def courses_words(courses: Iterable[str]) -> str:
    """Return what each course of treatment says of a rule.

    Parameters
    ----------
    courses : iterable of str
        Evidence of each.

    Returns
    -------
    str
    """
    return "; ".join(courses) or "no course is listed"


def parts_words(parts: Iterable[tuple[str, str]]) -> str:
    """Return the results of criteria that a rule puts together.

    Parameters
    ----------
    parts : iterable of (str, str)
        Id and result.

    Returns
    -------
    str
    """
    return ", ".join(f"{name} {result}" for name, result in parts)


def protocol_in_words(protocol: Protocol) -> list[str]:
    """Explain a protocol: who takes part, what is asked of ulcers, when they are seen, what counts as an outcome.

    Parameters
    ----------
    protocol : Protocol

    Returns
    -------
    list of str
        One sentence a line.
    """
    visits = ", ".join(_visit(visit) for visit in protocol.visits if visit.day is not None)
    assumed = sum(parameter.assumption for parameter in protocol.parameters)
    return [
        f"{protocol.name}: {protocol.title or 'no title'}.",
        *(f"It asks {c.name} in {c.table}.csv ({c.kind}): {c.meaning}." for c in protocol.columns),
        *(_criterion(criterion) for criterion in protocol.criteria),
        f"Visits after treatment: {visits}.",
        *_outcomes(protocol),
        f"{assumed} of its {len(protocol.parameters)} numbers are assumptions of ours; the report lists them.",
    ]


def _outcomes(protocol: Protocol) -> list[str]:
    """Explain what healed, worse, new and recurred mean, one sentence a line."""
    rules, healing = protocol.outcomes, protocol.healing
    word = {"photo": "a passing photo shows nothing open", "reader": "a reader says that nothing is open"}
    lasts = {"seen": "seen once", "confirmed": "confirmed", "sustained": "sustained"}
    detectable = f"beyond 1.96 √2 × {healing.sem_log_area:g} of ln(area), the smallest detectable change"
    change = {"detectable": detectable, "percent": f"by more than {healing.change_area_pct:g} % of its area"}
    clear = "whose place had been seen clear before" if rules.new_needs_clear_place else "first seen after baseline"
    recurred = {"healed": "was seen healed", "confirmed": "had healed, and that was confirmed"}
    indeterminate = " and indeterminate" if rules.burden_counts_indeterminate else ""
    worse_at = "any visit" if rules.worsened_at == "any visit" else rules.primary_visit
    return [
        f"An ulcer has healed where {word[healing.healed_word]} on its place, and counts as healed when that was "
        f"{lasts[healing.healed_lasts]}.",
        f"Healing is confirmed where it is so again {healing.confirmation_days} days later, and never under "
        f"{healing.confirmation_min_days}, sustained where it is so {healing.sustained_weeks} weeks later; both less "
        "the later visit's window.",
        f"An ulcer is worse or better {change[healing.change_rule]}, and beyond its photos' own errors; worse at "
        f"{worse_at} counts, up to {rules.primary_visit}.",
        f"New is an ulcer {clear}; recurrent one that is open again at the same place after it "
        f"{recurred[rules.recurred_after]}.",
        f"At a visit active{indeterminate} ulcers are counted; the primary outcome is at {rules.primary_visit}.",
    ]


def _visit(visit: Visit) -> str:
    window = f" ± {visit.window_days}" if visit.window_days else ""
    origin = "; ".join(part for part in (visit.source, visit.reason) if part)
    return f"{visit.name} (day {visit.day}{window}{f' [{origin}]' if origin else ''})"


def _criterion(criterion: Criterion) -> str:
    counts = {"inclusion": "Asked for", "exclusion": "Ruled out", "advisory": "Advised"}[criterion.kind]
    force = "" if criterion.enforce else ", reported and not enforced"
    rule = f" Met where {rule_in_words(criterion.rule)}." if criterion.rule else ""
    origin = criterion.source or criterion.reason
    return f"{counts} ({criterion.id}{force}): {criterion.text}.{rule}" + (f" [{origin}]" if origin else "")
