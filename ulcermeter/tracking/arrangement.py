"""How ulcers lie to each other on a photo whose finger was not found: as they lay before, at any turn of the photo."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ulcermeter.datatypes import Floats
from ulcermeter.tracking.belief import Belief, Model
from ulcermeter.tracking.observation import Observation

__all__ = ["Pair", "arrangement_log", "pair_of"]

# Turns of the photo that are tried, one every 5 degrees: 1 mm at 10 mm, under the error of a place.
_STEP_DEG = 5.0


@dataclass(frozen=True, slots=True)
class Pair:
    """An outline's place on the photo, x right and y down in mm, and where the ulcer was on the finger."""

    x_mm: float
    y_mm: float
    s_mm: float
    t_mm: float
    s_var: float
    t_var: float


def pair_of(belief: Belief, observation: Observation, model: Model) -> Pair | None:
    """Return an outline beside an ulcer of that side of the finger; None where either place is not known.

    Parameters
    ----------
    belief : Belief
        The ulcer so far.
    observation : Observation
        An outline on a photo whose finger was not found.
    model : Model

    Returns
    -------
    Pair or None
    """
    view = next(iter(observation.views))
    if observation.places or observation.on_photo_mm is None or view not in belief.spots:
        return None
    spot = belief.spots[view]
    # An outline on such a photo is as far off as on others [assumption].
    own = next(model.spot(former, view) for _, former in reversed(belief.observed) if view in former.places)
    more = model.protocol.identity.photo_flat_sd_mm**2
    x, y = observation.on_photo_mm
    return Pair(x, y, spot.s_mm, spot.t_mm, spot.s_var + own.s_var + more, spot.t_var + own.t_var + more)


def arrangement_log(pairs: tuple[Pair, ...], model: Model) -> float:
    """Return the log odds of the outlines' places to each other against those of new ulcers.

    Normal densities about the former places, over all turns of the photo and all shifts; scale is known.

    Parameters
    ----------
    pairs : tuple of Pair
        Of one photo.
    model : Model

    Returns
    -------
    float
        0 for fewer than two.
    """
    if len(pairs) < 2:
        return 0.0
    rules = model.protocol.identity
    turned = (rules.photo_upright_share, rules.photo_upright_sd_deg)
    likely = _arrangement(pairs, rules.new_ulcer_range_mm, turned)
    return math.log(rules.arrangement_wrong_share + (1 - rules.arrangement_wrong_share) * likely)


# Many explanations of the photos before hold the same places.
@lru_cache(maxsize=20_000)
def _arrangement(pairs: tuple[Pair, ...], range_mm: float, turned: tuple[float, float]) -> float:
    width = 2 * math.log(range_mm) * (len(pairs) - 1)
    x, y, s, t, s_var, t_var = np.array([(p.x_mm, p.y_mm, p.s_mm, p.t_mm, p.s_var, p.t_var) for p in pairs]).T
    cosine, sine, share = _turns(*turned)
    logs = _shifted_log(np.outer(cosine, x) - np.outer(sine, y) - t, t_var)
    logs += _shifted_log(np.outer(sine, x) + np.outer(cosine, y) - s, s_var)
    return float(share @ np.exp(logs + width))


@lru_cache(maxsize=8)
def _turns(upright_share: float, upright_sd_deg: float) -> tuple[Floats, Floats, Floats]:
    """Return cosine and sine of every turn of the photo, and how often it lies so."""
    turns = np.arange(0.0, 360.0, _STEP_DEG)
    away = np.minimum(turns, 360.0 - turns)
    heights = np.exp(-((away / upright_sd_deg) ** 2) / 2)
    share = (1 - upright_share) / len(turns) + upright_share * heights / heights.sum()
    return np.cos(np.radians(turns)), np.sin(np.radians(turns)), share


def _shifted_log(off: Floats, var: Floats) -> Floats:
    """Return for every turn (row) the log density of the outlines' differences (columns), over any shift, mm."""
    weight = 1 / var
    squares = (off**2) @ weight - (off @ weight) ** 2 / weight.sum()
    spread = np.log(2 * math.pi * var).sum() - math.log(2 * math.pi / weight.sum())
    logs: Floats = -(squares + spread) / 2
    return logs
