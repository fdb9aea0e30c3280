"""How ulcers lie to each other on a photo whose finger was not found: as they lay before, at any turn of the photo."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

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


def arrangement_log(pairs: Sequence[Pair], model: Model) -> float:
    """Return the log odds of the outlines' places to each other against those of new ulcers.

    Normal densities about the former places, over all turns of the photo and all shifts; scale is known.

    Parameters
    ----------
    pairs : sequence of Pair
        Of one photo.
    model : Model

    Returns
    -------
    float
        0 for fewer than two.
    """
    if len(pairs) < 2:
        return 0.0
    width = math.log(model.protocol.identity.new_ulcer_range_mm)
    total = 0.0
    for step in range(round(360 / _STEP_DEG)):
        turn = math.radians(step * _STEP_DEG)
        total += _turn_share(step) * math.exp(_shifted_log(pairs, turn) + 2 * width * (len(pairs) - 1))
    return math.log(_WRONG_SHARE + (1 - _WRONG_SHARE) * total)


def _turn_share(step: int) -> float:
    steps = round(360 / _STEP_DEG)
    away = [min(k, steps - k) * _STEP_DEG for k in range(steps)]
    heights = [math.exp(-((a / _UPRIGHT_SD_DEG) ** 2) / 2) for a in away]
    return (1 - _UPRIGHT_SHARE) / steps + _UPRIGHT_SHARE * heights[step] / sum(heights)


def _shifted_log(pairs: Sequence[Pair], turn: float) -> float:
    """Return the log density of the differences at a turn of the photo, over any shift."""
    c, s = math.cos(turn), math.sin(turn)
    across = [(c * p.x_mm - s * p.y_mm - p.t_mm, p.t_var) for p in pairs]
    along = [(s * p.x_mm + c * p.y_mm - p.s_mm, p.s_var) for p in pairs]
    return _flat_log(across) + _flat_log(along)


def _flat_log(values: Sequence[tuple[float, float]]) -> float:
    weight = sum(1 / var for _, var in values)
    pull = sum(d / var for d, var in values)
    squares = sum(d * d / var for d, var in values) - pull**2 / weight
    spread = sum(math.log(2 * math.pi * var) for _, var in values) - math.log(2 * math.pi / weight)
    return -(squares + spread) / 2
