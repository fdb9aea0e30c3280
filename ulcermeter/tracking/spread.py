"""How much less sure places are than stated, as the study's own repeats say."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ulcermeter.protocol import Protocol
from ulcermeter.tracking.belief import Model
from ulcermeter.tracking.identify import evidence_log
from ulcermeter.tracking.reading import Finger

__all__ = ["position_sd_factor"]

# From one step to the next a quarter more, which only large studies notice [assumption].
_STEP = 1.25


def position_sd_factor(fingers: Sequence[Finger], protocol: Protocol) -> float:
    """Return by what factor the true standard deviation of places is larger than the stated one, at least 1.

    Of factors from 1 to ``position_sd_factor_max`` the one under which all outlines of the study are most probable,
    over all explanations of which is which (empirical Bayes), against a prior that falls with a power of the factor.

    Parameters
    ----------
    fingers : sequence of Finger
        Of the whole study.
    protocol : Protocol
        ``position_sd_factor_max``, ``position_sd_prior_power``.

    Returns
    -------
    float
    """
    repeated = [finger for finger in fingers if _repeats(finger)]
    best, best_log, factor = 1.0, -math.inf, 1.0
    while factor <= protocol.identity.position_sd_factor_max:
        logs = [evidence_log(finger, Model(protocol, factor, finger.hand)) for finger in repeated]
        # Summed exactly, so that the order of subjects changes no bit.
        log = math.fsum(logs) - protocol.identity.position_sd_prior_power * math.log(factor)
        if log <= best_log:
            break
        best, best_log, factor = factor, log, factor * _STEP
    return best


def _repeats(finger: Finger) -> bool:
    """Say whether places were found on more than one photo."""
    placed = [
        name
        for photos in finger.observations.values()
        for name, observations in photos.items()
        if any(observation.places for observation in observations)
    ]
    return len(placed) > 1
