"""Formulas that several rooms need: Wilson's interval, the smallest detectable change, the error an interval says."""

from __future__ import annotations

import math
from statistics import NormalDist

__all__ = [
    "CENTRAL_95_PCT",
    "LOWER_95",
    "UPPER_95",
    "Z_95",
    "Z_95_AS_PRINTED",
    "least_log_change",
    "log_sd",
    "smallest_detectable_change",
    "wilson",
]

LOWER_95, UPPER_95 = 0.025, 0.975
"""Probabilities below the ends of a two-sided 95 % interval."""
CENTRAL_95_PCT = (2.5, 97.5)
"""The same as percentiles, for intervals read off draws."""
Z_95 = NormalDist().inv_cdf(UPPER_95)
"""Quantile of the normal distribution for a two-sided 95 % interval, 1.95996."""
Z_95_AS_PRINTED = 1.96
"""The same in two decimals, as Bland & Altman (2007) and de Vet et al. (2006) print it in their limits."""


def wilson(share: float, n: float) -> tuple[float, float]:
    """Return Wilson's 95 % score interval of a share of `n` (doi 10.1080/01621459.1927.10502953).

    Parameters
    ----------
    share : float
        0..1.
    n : float
        How many it is a share of; an effective number need not be whole.

    Returns
    -------
    tuple[float, float]
        NaN twice of nothing.
    """
    if not n > 0:
        return math.nan, math.nan
    spread = Z_95**2 / n
    middle = (share + spread / 2) / (1 + spread)
    half = Z_95 / (1 + spread) * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def smallest_detectable_change(sem: float) -> float:
    """Return the smallest change that test-retest error does not explain: 1.96 √2 SEM (de Vet et al. 2006).

    Parameters
    ----------
    sem : float
        Standard error of measurement, in any unit; of ln(area) it is the protocol's ``sem_log_area``.

    Returns
    -------
    float
        In the same unit.
    """
    return Z_95_AS_PRINTED * math.sqrt(2.0) * sem


def least_log_change(rule: str, sem: float, pct: float, *, worse: bool) -> float:
    """Return how far ln(area) must move to count as a change.

    Parameters
    ----------
    rule : {'detectable', 'percent'}
        The protocol's ``change_rule``.
    sem : float
        Standard error of measurement of ln(area).
    pct : float
        Change of the area that counts, %, where the rule is percent.
    worse : bool
        Upwards; a loss of so many percent is a larger step of the logarithm than a gain.

    Returns
    -------
    float
        Above 0.
    """
    if rule == "detectable":
        return smallest_detectable_change(sem)
    return math.log1p(pct / 100) if worse else -math.log1p(-pct / 100)


def log_sd(low: float, high: float) -> float:
    """Return the standard deviation on the log scale that a 95 % interval says: half its width there over 1.96.

    Parameters
    ----------
    low, high : float
        Ends of the interval, in any unit.

    Returns
    -------
    float
        0 where an end is not known, infinite where the interval reaches 0.
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return 0.0
    return math.inf if low <= 0 else math.log(high / low) / (2 * Z_95_AS_PRINTED)
