"""What the study's own outlines say of it: how sure places are, how sizes run, how often ulcers arise, and where."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ulcermeter.protocol import Protocol
from ulcermeter.tracking.belief import Model
from ulcermeter.tracking.explain import Explanation
from ulcermeter.tracking.identify import likeliest
from ulcermeter.tracking.rates import layout_of, with_own_rates
from ulcermeter.tracking.reading import Finger
from ulcermeter.tracking.sizes import sizes_of

__all__ = ["model_of"]

# From one step to the next a quarter more, which only large studies notice [assumption].
_STEP = 1.25


def model_of(fingers: Sequence[Finger], protocol: Protocol) -> Model:
    """Return the rules with what the study's own outlines say of places, sizes, rates and the layout of ulcers.

    Of factors from 1 to ``position_sd_factor_max``, by which the true standard deviation of places is larger than the
    stated one, the one under which all outlines of the study are most probable, over all explanations of which is
    which (empirical Bayes), against a prior that falls with a power of the factor. All else as the likeliest
    explanations under it have it, see `sizes_of`, `with_own_rates` and `layout_of`.

    Parameters
    ----------
    fingers : sequence of Finger
        Of the whole study.
    protocol : Protocol
        ``position_sd_factor_max``, ``position_sd_prior_power``, ``size_prior_outlines``,
        ``rate_prior_visits``, and what these start from.

    Returns
    -------
    Model
    """
    repeated = [finger for finger in fingers if _repeats(finger)]
    best: tuple[float, float, list[Explanation]] = (-math.inf, 1.0, [])
    last, factor = -math.inf, 1.0
    while factor <= protocol.identity.position_sd_factor_max:
        found = [likeliest(finger, Model(protocol, factor, finger.hand)) for finger in repeated]
        # Summed exactly, so that the order of subjects changes no bit.
        log = math.fsum(log for log, _ in found)
        # Not where the prior outweighs one small step: in a small study many steps together may weigh more than it.
        if log <= last:
            break
        believed = log - protocol.identity.position_sd_prior_power * math.log(factor)
        if believed > best[0]:
            best = (believed, factor, [explanation for _, explanation in found])
        last, factor = log, factor * _STEP
    explained = list(zip(repeated, best[2], strict=True))
    own = with_own_rates(explained, protocol)
    return Model(own, best[1], sizes=sizes_of(explained, protocol), layout=layout_of(explained, protocol))


def _repeats(finger: Finger) -> bool:
    """Say whether places were found on more than one photo."""
    placed = [
        name
        for photos in finger.observations.values()
        for name, observations in photos.items()
        if any(observation.places for observation in observations)
    ]
    return len(placed) > 1
