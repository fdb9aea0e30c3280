"""The contracts of what is concluded: eligibility and outcomes."""

from __future__ import annotations

from ulcermeter.tables.contract import Table
from ulcermeter.tables.contract import count as _count
from ulcermeter.tables.contract import number as _number
from ulcermeter.tables.contract import text as _text
from ulcermeter.tables.inputs import YES_NO
from ulcermeter.tables.shared import FINGER, FLAGS_MEANING, HAND, SUBJECT, ULCER

__all__ = ["VERDICTS"]

_YES_NO_UNKNOWN = ("yes", "no", "unknown")

_RESULT = _text("result", "the criterion as worded", ("met", "not met", "not assessable"))
_EFFECT = _text("effect", "what that does to eligibility", ("passes", "fails", "unknown", "none"))
_KIND = _text("kind", "kind of criterion", ("inclusion", "exclusion", "advisory"))

ELIGIBILITY = Table(
    "eligibility",
    "a subject × criterion",
    (
        SUBJECT,
        _text("criterion", "its id in the protocol"),
        _KIND,
        _text("text", "its wording"),
        _RESULT,
        _EFFECT,
        _text("value", "the value that decided it"),
        _text("evidence", "in words, with the numbers, dates and photo"),
        _text("would_settle", "file and cell that would settle an open one"),
        _text("flags", FLAGS_MEANING),
    ),
)

ELIGIBILITY_BY_ULCER = Table(
    "eligibility_by_ulcer",
    "a subject × ulcer × condition",
    (
        SUBJECT,
        ULCER,
        _text("ulcer_no", "the clinic's own number"),
        HAND,
        FINGER,
        _text("criterion", "a criterion asked of ulcers, in MANUS active_ulcer, refractory_prostacyclin or calcinosis"),
        _RESULT,
        _EFFECT,
        _text("value", "the value that decided it"),
        _text("evidence", "in words, with the numbers, dates and photo"),
        _text("would_settle", "file and cell that would settle an open one"),
        _text("flags", FLAGS_MEANING),
    ),
)

ELIGIBILITY_SUMMARY = Table(
    "eligibility_summary",
    "a subject",
    (
        SUBJECT,
        _text("verdict", "a proposal; the investigator decides", ("eligible", "not eligible", "undetermined")),
        _text("qualifying_ulcer", "ulcer that is active, refractory and without calcinosis"),
        _text("failed", "criteria that fail, parted by '; '"),
        _text("missing", "criteria that are open, parted by '; '"),
        _text("investigator_decision", "left for the investigator"),
        _text("decided_by", "left for the investigator"),
        _text("decided_on", "left for the investigator"),
    ),
)

_IN_DOUBT = _text("in_doubt", "cells of the study that are in doubt, on which what is unknown or empty here would rest")

_FOLLOW_UP_ENDED = (
    _text(
        "follow_up_ended", "what ended it, if anything did; what is dated later does not count", ("death", "withdrawal")
    ),
    _number("follow_up_ended_day", "the last day that can have been on", "days"),
)

OUTCOMES = Table(
    "outcomes",
    "an ulcer",
    (
        SUBJECT,
        ULCER,
        HAND,
        FINGER,
        _text("injected_limb", "is the ulcer on the treated limb", YES_NO),
        _number(
            "baseline_diameter_mm", "last passing measurement at or before treatment, at most 28 days before", "mm"
        ),
        _number("baseline_area_mm2", "area of the same measurement", "mm2"),
        _text("healed", "seen healed after day 0", _YES_NO_UNKNOWN),
        _text("healing_confirmed", "the next passing photo far enough later agrees", _YES_NO_UNKNOWN),
        _text("healing_sustained", "still healed sustained_weeks later, not open in between", _YES_NO_UNKNOWN),
        _text(
            "healed_by_reader",
            "seen healed after day 0 by a reader; what the machine alone calls so is not known",
            _YES_NO_UNKNOWN,
        ),
        _number("healing_day_low", "last day seen open", "days"),
        _number("healing_day_high", "first day seen healed; empty when it was not", "days"),
        _count("event_observed", "1 = healing was seen, 0 = censored"),
        _number("healing_rate_per_week", "exponential rate k of area, positive = healing", "1/week"),
        _number("days_to_half_area", "days from baseline to half the baseline area; empty when not reached", "days"),
        _text("recurred", "open again after healed", _YES_NO_UNKNOWN),
        _text("course_of", "the ulcer it merged into, whose course counts for it from then on; empty for none"),
        *_FOLLOW_UP_ENDED,
        _IN_DOUBT,
    ),
    ("subject_id", "ulcer_id"),
    by_visit=(
        _number("area_reduction_VISIT_pct", "100 (A0 - At) / A0 at that visit, such as week_12, against baseline", "%"),
        _text("healed_by_VISIT", "seen healed after day 0 and by the end of that visit's window", _YES_NO_UNKNOWN),
        _text(
            "worsened_confirmed_by_VISIT",
            "worse at a visit up to that visit and again when next assessed, or gangrene, infection, amputation",
            _YES_NO_UNKNOWN,
        ),
        _text(
            "worsened_by_VISIT",
            "worse than baseline at any visit up to that visit, or gangrene, infection, amputation; in five visits "
            "9 % of stable ulcers are called so by chance, and 1.6 % twice in a row",
            _YES_NO_UNKNOWN,
        ),
    ),
)

OUTCOMES_BY_SUBJECT = Table(
    "outcomes_by_subject",
    "a subject",
    (
        SUBJECT,
        _count("n_active_baseline", "active ulcers at baseline"),
        _count("n_new", "ulcers new after day 0"),
        _count("n_healed", "baseline ulcers healed at the last assessment"),
        _count("n_recurred", "ulcers that recurred"),
        _count("net_burden_change", "active now minus active at baseline; empty unless all fingers were examined"),
        _text("largest_ulcer", "ulcer with the largest baseline area, ties by diameter"),
        _text("largest_healed", "did it heal", _YES_NO_UNKNOWN),
        _text(
            "counts_disagree", "visits at which the clinic's count of active ulcers and the photos' exclude each other"
        ),
        *_FOLLOW_UP_ENDED,
        _IN_DOUBT,
    ),
    ("subject_id",),
    by_visit=(
        _count("n_active_VISIT", "ulcers seen open at that visit, such as week_12"),
        _text(
            "worsened_or_new_by_VISIT",
            "any ulcer worse or new by that visit, a safety outcome in MANUS",
            _YES_NO_UNKNOWN,
        ),
    ),
)

VERDICTS = (ELIGIBILITY, ELIGIBILITY_BY_ULCER, ELIGIBILITY_SUMMARY, OUTCOMES, OUTCOMES_BY_SUBJECT)
