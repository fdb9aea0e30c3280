"""The instrument held against phantoms: how wrong it is, and whether its intervals say so."""

from __future__ import annotations

from ulcermeter.validation.curves import calls_by_diameter, errors_by_diameter
from ulcermeter.validation.plan import DEVELOPMENT_SEED, FIRST_SEED, SIZES, Case, Size, plan_cases
from ulcermeter.validation.runs import Validation, measure_cases, validate
from ulcermeter.validation.summary import CLEAR_MM, summarise
from ulcermeter.validation.targets import WITHIN_MM, Target, judge

__all__ = [
    "CLEAR_MM",
    "DEVELOPMENT_SEED",
    "FIRST_SEED",
    "SIZES",
    "WITHIN_MM",
    "Case",
    "Size",
    "Target",
    "Validation",
    "calls_by_diameter",
    "errors_by_diameter",
    "judge",
    "measure_cases",
    "plan_cases",
    "summarise",
    "validate",
]
