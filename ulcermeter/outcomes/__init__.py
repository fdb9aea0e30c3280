"""Outcomes: one row an ulcer, one row a subject, and, only when asked with an allocation, by arm.

Every rule that is not the trial's stands in the protocol as an assumption. Positive is healing.
"""

from ulcermeter.outcomes.by_arm import outcomes_by_arm
from ulcermeter.outcomes.columns import outcome_columns
from ulcermeter.outcomes.interval_censored import interval_censored_scores, turnbull
from ulcermeter.outcomes.tabulate import tabulate_outcomes

__all__ = ["interval_censored_scores", "outcome_columns", "outcomes_by_arm", "tabulate_outcomes", "turnbull"]
