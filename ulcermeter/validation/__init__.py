"""The instrument held against phantoms: how wrong it is, and whether its intervals say so."""

from __future__ import annotations

from ulcermeter.validation.plan import DEVELOPMENT_SEED, FIRST_SEED, SIZES, Case, Size, plan_cases
from ulcermeter.validation.runs import Validation, measure_cases, validate
from ulcermeter.validation.summary import summarise
from ulcermeter.validation.targets import Target, judge

__all__ = [
    "DEVELOPMENT_SEED",
    "FIRST_SEED",
    "SIZES",
    "Case",
    "Size",
    "Target",
    "Validation",
    "judge",
    "measure_cases",
    "plan_cases",
    "summarise",
    "validate",
]
