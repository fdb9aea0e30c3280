"""How an ulcer heals: area reduction, margin advance, rates, change, time to healing.

Everything works on tables or plain numbers; no photo is opened here. Positive is healing.
"""

from ulcermeter.healing.course import (
    OPEN_STATES,
    assessable,
    confirmation_from,
    healing_interval,
    is_confirmed,
    is_possibly_open,
    is_surely_open,
    is_sustained,
    without_contradicted,
)
from ulcermeter.healing.measures import (
    change,
    days_to_half_area,
    exponential_rate,
    margin_advance,
)
from ulcermeter.healing.trajectories import follow_healing

__all__ = [
    "OPEN_STATES",
    "assessable",
    "change",
    "confirmation_from",
    "days_to_half_area",
    "exponential_rate",
    "follow_healing",
    "healing_interval",
    "is_confirmed",
    "is_possibly_open",
    "is_surely_open",
    "is_sustained",
    "margin_advance",
    "without_contradicted",
]
