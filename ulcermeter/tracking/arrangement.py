"""How ulcers lie to each other on a photo whose finger was not found: as they lay before, at any turn of the photo."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ulcermeter.datatypes import Floats
from ulcermeter.tracking.belief import Belief, Model
from ulcermeter.tracking.observation import GATE, Observation

__all__ = ["Pair", "arrangement_log", "pair_of"]

# The finger points up on the photo, give or take 30 degrees, on half of the photos, and anywhere on the others.
_UPRIGHT_SHARE, _UPRIGHT_SD_DEG, _STEP_DEG = 0.5, 30.0, 15.0
# Skin curves away and photos are tilted: so far lengths on the photo are off, mm.
_FLAT_SD_MM = 0.6
# What the picture's places say is wrong, for whatever reason, on one photo in ten.
_WRONG_SHARE = 0.1


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
    more = _FLAT_SD_MM**2 + (model.protocol.identity.same_place_mm / GATE) ** 2
    x, y = observation.on_photo_mm
    return Pair(x, y, spot.s_mm, spot.t_mm, spot.s_var + more, spot.t_var + more)


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
    return _arrangement_log(pairs, model.protocol.identity.new_ulcer_range_mm)


# Many explanations of the photos before hold the same places.
@lru_cache(maxsize=20_000)
def _arrangement_log(pairs: tuple[Pair, ...], range_mm: float) -> float:
    width = 2 * math.log(range_mm) * (len(pairs) - 1)
    x, y, s, t, s_var, t_var = np.array([(p.x_mm, p.y_mm, p.s_mm, p.t_mm, p.s_var, p.t_var) for p in pairs]).T
    cosine, sine, share = _TURNS
    logs = _shifted_log(np.outer(cosine, x) - np.outer(sine, y) - t, t_var)
    logs += _shifted_log(np.outer(sine, x) + np.outer(cosine, y) - s, s_var)
    return math.log(_WRONG_SHARE + (1 - _WRONG_SHARE) * float(share @ np.exp(logs + width)))


def _turns() -> tuple[Floats, Floats, Floats]:
    """Return cosine and sine of every turn of the photo, and how often it lies so."""
    turns = np.arange(0.0, 360.0, _STEP_DEG)
    away = np.minimum(turns, 360.0 - turns)
    heights = np.exp(-((away / _UPRIGHT_SD_DEG) ** 2) / 2)
    share = (1 - _UPRIGHT_SHARE) / len(turns) + _UPRIGHT_SHARE * heights / heights.sum()
    return np.cos(np.radians(turns)), np.sin(np.radians(turns)), share


_TURNS = _turns()


def _shifted_log(off: Floats, var: Floats) -> Floats:
    """Return for every turn (row) the log density of the outlines' differences (columns), over any shift, mm."""
    weight = 1 / var
    squares = (off**2) @ weight - (off @ weight) ** 2 / weight.sum()
    spread = np.log(2 * math.pi * var).sum() - math.log(2 * math.pi / weight.sum())
    logs: Floats = -(squares + spread) / 2
    return logs
