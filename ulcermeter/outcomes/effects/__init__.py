"""Effects of treatment with intervals, beside the p-values: pure functions on tables, one estimator a file.

Every function takes one row an ulcer (or a subject, or a measurement) and gives `ulcermeter.datatypes.Effect`s, which
say how they were made and what to mind. Subjects are the units everywhere: a subject's ulcers go together.
"""

from ulcermeter.outcomes.effects.area_slopes import compare_slopes, fit_slopes
from ulcermeter.outcomes.effects.categories import categorise_subjects, category_of, count_categories
from ulcermeter.outcomes.effects.competing import cumulative_incidence, incidence_by
from ulcermeter.outcomes.effects.estimands import EstimandTables, estimand_tables
from ulcermeter.outcomes.effects.proportions import compare_shares, share_of
from ulcermeter.outcomes.effects.rates import compare_rates
from ulcermeter.outcomes.effects.tabulate import analysed_areas, analysed_ulcers, healing_curves, tabulate_effects
from ulcermeter.outcomes.effects.turnbull_bands import estimate_healing_curve
from ulcermeter.outcomes.effects.weibull import compare_hazards, fit_weibull

__all__ = [
    "EstimandTables",
    "analysed_areas",
    "analysed_ulcers",
    "categorise_subjects",
    "category_of",
    "compare_hazards",
    "compare_rates",
    "compare_shares",
    "compare_slopes",
    "count_categories",
    "cumulative_incidence",
    "estimand_tables",
    "estimate_healing_curve",
    "fit_slopes",
    "fit_weibull",
    "healing_curves",
    "incidence_by",
    "share_of",
    "tabulate_effects",
]
