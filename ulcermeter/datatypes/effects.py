"""Effects of treatment, as they pass to tables and plots: an estimate, its interval, how it was made, what to mind."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from ulcermeter.datatypes.arrays import Floats

__all__ = ["Caution", "Effect", "EffectMethod", "Estimand", "HealingCurve", "Measure", "UlcerCategory"]

_NAN = math.nan


class Estimand(StrEnum):
    """What is estimated of which ulcers, by how rescue treatment, machine-read healing and further ulcers are taken."""

    TREATMENT_POLICY = "treatment policy"
    CENSORED_AT_RESCUE = "censored at rescue"
    READER_CONFIRMED = "reader-confirmed only"
    LARGEST_ULCER = "largest ulcer only"


class Measure(StrEnum):
    """What the estimate is; differences are arm minus reference arm, ratios arm over reference arm."""

    SHARE = "share"
    CURVE = "share, by the healing curve"
    RISK_DIFFERENCE = "risk difference"
    RISK_RATIO = "risk ratio"
    MEDIAN_DAYS = "median, days"
    HAZARD_RATIO = "hazard ratio"
    SCORE = "Sun's log-rank score, standardised"
    SLOPE = "slope per week, mm2"
    SLOPE_DIFFERENCE = "difference of slopes per week, mm2"
    RATE = "rate per subject-month"
    RATE_RATIO = "rate ratio"
    CUMULATIVE_INCIDENCE = "cumulative incidence"
    SUBJECTS = "number of subjects"


class EffectMethod(StrEnum):
    """How the interval was made; each is defined where it is computed."""

    WILSON = "Wilson score"
    CLUSTERED_WILSON = "Wilson score, effective sample size by subject"
    NEWCOMBE = "Newcombe hybrid score"
    CLUSTERED_NEWCOMBE = "Newcombe hybrid score, effective sample size by subject"
    MOVER_R = "MOVER-R from Wilson scores"
    CLUSTERED_MOVER_R = "MOVER-R from Wilson scores, effective sample size by subject"
    BOOTSTRAP = "bootstrap of subjects, percentiles"
    WEIBULL = "Weibull, interval-censored, cluster-robust"
    PERMUTATION = "permutation between subjects"
    MIXED_MODEL = "mixed model, REML"
    POISSON = "Poisson, exact"
    QUASI_POISSON = "quasi-Poisson between subjects"
    AALEN_JOHANSEN = "Aalen-Johansen, infinitesimal jackknife by subject"
    COUNT = "count"


class Caution(StrEnum):
    """What a reader of an estimate has to know."""

    FEW_SUBJECTS = "few subjects"
    """Fewer subjects in an arm than an asymptotic interval needs."""
    NO_VARIATION = "no variation"
    """All or none had the event: clustering cannot be estimated, and a subject's ulcers are taken to go as one."""
    NOT_CONVERGED = "not converged"
    SINGULAR = "singular fit"
    """A variance is estimated as 0, or a correlation as 1: the data do not tell the random effects apart."""
    ONE_ULCER_A_SUBJECT = "one ulcer a subject"
    """The ulcers' own random effects were left out."""
    NOT_ESTIMABLE = "not estimable"
    NOT_REACHED = "not reached"
    """Fewer than half had healed by the last look, or the interval's end lies beyond it."""
    UNKNOWN_LEFT_OUT = "unknown left out"
    """Ulcers or subjects whose outcome is not known do not take part."""
    WITHOUT_RESULTS = "randomised subjects without results"
    """Subjects of the allocation that the results do not hold take no part."""
    STUDY_NOT_READ = "study folder not read"
    """Rescue treatments, amputations, deaths and follow-up in the study's tables are not known."""


@dataclass(frozen=True)
class Effect:
    """One estimate.

    Attributes
    ----------
    measure : Measure
    arm : str
    estimate, low, high : float
        With the ends of its 95 % interval; NaN where they cannot be estimated, an infinite end where it is open.
    method : EffectMethod
    n_ulcers, n_subjects : int
        That took part.
    reference_arm : str
        Empty where one arm stands alone.
    p_value : float
        Two-sided; NaN where none belongs to it.
    cautions : tuple of Caution
    outcome : str
        What was counted or timed, such as *healed by week 12*.
    """

    measure: Measure
    arm: str
    estimate: float
    low: float
    high: float
    method: EffectMethod
    n_ulcers: int
    n_subjects: int
    reference_arm: str = ""
    p_value: float = _NAN
    cautions: tuple[Caution, ...] = ()
    outcome: str = ""


@dataclass(frozen=True)
class HealingCurve:
    """The share healed against time in one arm (Turnbull), with its band.

    Attributes
    ----------
    arm : str
    days : float64 (k,)
        Rising; the share holds from a day on up to the next.
    share, low, high : float64 (k,)
        Healed by that day, 0..1, with a pointwise 95 % band.
    median : Effect
    visits : tuple of (name, day, number at risk, healed by then)
        Numbers of ulcers; at risk are those still followed and not seen healed before that day.
    """

    arm: str
    days: Floats
    share: Floats
    low: Floats
    high: Floats
    median: Effect
    visits: tuple[tuple[str, float, int, int], ...] = ()


class UlcerCategory(StrEnum):
    """A subject's ulcers over its follow-up visits, as the DUO registry has it (Ann Rheum Dis 2016;75:1770)."""

    NONE = "no ulcer"
    EPISODIC = "episodic"
    RECURRENT = "recurrent"
    CHRONIC = "chronic"
    UNKNOWN = "unknown"
