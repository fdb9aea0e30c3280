"""How much more likely an outline is as the next one of a known ulcer than as anything else: odds, as logarithms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ulcermeter.protocol import Protocol
from ulcermeter.tracking.belief import Belief, Model, Sizes, usual_sizes, wander_variance
from ulcermeter.tracking.layout import EVEN, opens_there
from ulcermeter.tracking.observation import Observation
from ulcermeter.tracking.sides import on_view, opposite, turn_variances, visible_share

__all__ = [
    "NEVER",
    "Offset",
    "is_possible",
    "offset_of",
    "opening_log",
    "openings_log",
    "place_log",
    "size_log",
    "view_share",
]

NEVER = -math.inf
# Density of Student's t with 3 degrees of freedom at its middle.
_T3_MIDDLE = 0.36755


@dataclass(frozen=True, slots=True)
class Offset:
    """How far an outline lies from where an ulcer was: mm along and across, and their variances.

    ``common`` are the variances of what moves all ulcers of the photo together, because it shows another side.
    """

    s_mm: float
    t_mm: float
    s_var: float
    t_var: float
    common: tuple[float, float]


def offset_of(belief: Belief, observation: Observation, model: Model) -> Offset | None:
    """Return an outline's offset from an ulcer.

    Parameters
    ----------
    belief : Belief
        The ulcer so far.
    observation : Observation
        An outline on one photo.
    model : Model

    Returns
    -------
    Offset or None
        None where either has no place. On the same side where there is one, else on the side whose places are turned
        least surely away.
    """
    offsets = [
        (from_view != view, from_view, view)
        for view in sorted(observation.places)
        for from_view in sorted(belief.spots)
    ]
    if not offsets:
        return None
    _, from_view, view = min(offsets)
    former = belief.nearest(observation, view)
    spot = belief.spots[from_view] if former is belief.latest else model.spot(former, view)
    was = on_view(spot, from_view, view, model.hand, model.protocol)
    now = model.spot(observation, view)
    wander = wander_variance(belief, former, observation)
    common = turn_variances(from_view, view, model.protocol)
    return Offset(
        now.s_mm - was.s_mm, now.t_mm - was.t_mm, now.s_var + was.s_var + wander, now.t_var + was.t_var + wander, common
    )


def place_log(offsets: Sequence[Offset], model: Model, *, moved: bool) -> float:
    """Return the log odds of the places of all of a photo's linked outlines against those of new ulcers.

    Normal densities; what moves the ulcers of a photo together is integrated out. Against it stands a new ulcer's
    place, even over ``new_ulcer_range_mm`` along and across.

    Parameters
    ----------
    offsets : sequence of Offset
    model : Model
    moved : bool
        The finger lies differently, ``finger_moved_mm``.

    Returns
    -------
    float
    """
    shift = model.protocol.identity.finger_moved_mm**2 if moved else 0.0
    width = math.log(model.protocol.identity.new_ulcer_range_mm)
    total = 0.0
    for common in sorted({offset.common for offset in offsets}):
        group = [offset for offset in offsets if offset.common == common]
        along = [(o.s_mm, o.s_var) for o in group if math.isfinite(o.s_var)]
        across = [(o.t_mm, o.t_var) for o in group if math.isfinite(o.t_var)]
        total += _normal_log(along, common[0] + shift) + _normal_log(across, common[1] + shift)
        total += width * (len(along) + len(across))
    return total


def _normal_log(values: Sequence[tuple[float, float]], common_var: float) -> float:
    """Return the log density of differences with own variances and one normal shift common to all."""
    if len(values) == 1:
        ((d, var),) = values
        return -(d * d / (var + common_var) + math.log(2 * math.pi * (var + common_var))) / 2
    weight = sum(1 / var for _, var in values)
    pull = sum(d / var for d, var in values)
    squares = sum(d * d / var for d, var in values) - common_var * pull**2 / (1 + common_var * weight)
    spread = sum(math.log(2 * math.pi * var) for _, var in values) + math.log(1 + common_var * weight)
    return -(squares + spread) / 2


def size_log(belief: Belief, observation: Observation, model: Model) -> float:
    """Return the log odds of an outline's size after the ulcer's last against that of a new one.

    Parameters
    ----------
    belief : Belief
        The ulcer so far.
    observation : Observation
        An outline.
    model : Model

    Returns
    -------
    float
        0 where a size is not known; what has closed and opened again has the size of a new one.
    """
    view = min(observation.places, default="")
    then, now = belief.nearest(observation, view).diameter_mm, observation.diameter_mm
    if not (then > 0 and now > 0):
        return 0.0
    visits = belief.visits_since
    sizes = model.sizes or usual_sizes(model.protocol)
    scale = sizes.change_log_sd * math.sqrt(max(abs(visits), 1))
    change = (math.log(now / then) - sizes.change_log * visits) / scale
    near = _T3_MIDDLE / scale * (1 + change**2 / 3) ** -2 / _new_density(now, sizes, model.protocol)
    return math.log(belief.stayed_if_open * near + 1 - belief.stayed_if_open)


def _new_density(diameter_mm: float, sizes: Sizes, protocol: Protocol) -> float:
    """Return the density of a new ulcer's log diameter: of any size, or of the usual one."""
    away = (math.log(diameter_mm) - sizes.new_log) / sizes.new_log_sd
    usual = math.exp(-(away**2) / 2) / (sizes.new_log_sd * math.sqrt(2 * math.pi))
    return (1 - sizes.new_share) / math.log(protocol.identity.new_ulcer_size_ratio) + sizes.new_share * usual


def view_share(belief: Belief, view: str, model: Model) -> float:
    """Return how far an ulcer can be expected to show on a side of the finger, 0..1; 1 where it was outlined on it.

    Parameters
    ----------
    belief : Belief
        The ulcer so far.
    view : str
        The side that faces the camera.
    model : Model

    Returns
    -------
    float
    """
    if view in belief.views:
        return 1.0
    places = [on_view(spot, from_view, view, model.hand, model.protocol) for from_view, spot in belief.spots.items()]
    if places:
        return max(visible_share(spot, view, model.protocol) for spot in places)
    return 0.0 if all(opposite(view, other) for other in belief.views) else model.protocol.identity.side_beside_share


def is_possible(belief: Belief, observation: Observation, *, placed: bool) -> bool:
    """Say whether an outline may be of an ulcer, for all that ids, the clinic's numbers, sites and sides say.

    Parameters
    ----------
    belief : Belief
        The ulcer so far.
    observation : Observation
        An outline.
    placed : bool
        Both have places to compare; else their sites count.

    Returns
    -------
    bool
    """
    if belief.number and observation.number and belief.number != observation.number:
        return False
    if belief.issued and observation.issued and belief.issued != observation.issued:
        return False
    if not placed and belief.sites and observation.sites:
        return bool(belief.sites & observation.sites)
    return placed or not all(opposite(a, b) for a in belief.views for b in observation.views)


def opening_log(beliefs: Sequence[Belief], observation: Observation, model: Model) -> float:
    """Return the log weight of the place of an outline as a new ulcer's, against one anywhere on that part of a finger.

    Parameters
    ----------
    beliefs : sequence of Belief
        All ulcers known.
    observation : Observation
        The outline.
    model : Model

    Returns
    -------
    float
    """
    return _opening_log([_neighbour(belief, observation, model) for belief in beliefs], model)


def openings_log(beliefs: Sequence[Belief], model: Model) -> float:
    """Return the log weight of the places of all new ulcers, once all photos say where they and the old ones lie.

    Parameters
    ----------
    beliefs : sequence of Belief
        All ulcers in the order in which they came up.
    model : Model

    Returns
    -------
    float
    """
    total = 0.0
    for number, belief in enumerate(beliefs):
        first = belief.observed[0][1]
        old = [other for other in beliefs[:number] if not other.observed[0][1].photos & first.photos]
        total += _opening_log([_neighbour_in_the_end(other, belief) for other in old], model)
    return total


class _Neighbour(NamedTuple):
    """An old ulcer beside a new one: how far, mm, how surely an axis, and nearer than what they share skin."""

    apart_mm: float
    sd_mm: float
    reach_mm: float


def _neighbour(belief: Belief, observation: Observation, model: Model) -> _Neighbour | None:
    offset = offset_of(belief, observation, model)
    if offset is None or offset.common != (0.0, 0.0):
        return None
    largest = max(own.diameter_mm for _, own in belief.observed)
    sd = math.sqrt((offset.s_var + offset.t_var) / 2)
    return _Neighbour(math.hypot(offset.s_mm, offset.t_mm), sd, (largest + observation.diameter_mm) / 2)


def _neighbour_in_the_end(old: Belief, new: Belief) -> _Neighbour | None:
    views = sorted(old.spots.keys() & new.spots.keys() - {"tip"})
    if not views:
        return None
    a, b = old.spots[views[0]], new.spots[views[0]]
    start, first = new.observed[0]
    largest = max((own.diameter_mm for at, own in old.observed if at < start), default=0.0)
    sd = math.sqrt((a.s_var + b.s_var + a.t_var + b.t_var) / 2)
    return _Neighbour(math.hypot(a.s_mm - b.s_mm, a.t_mm - b.t_mm), sd, (largest + first.diameter_mm) / 2)


def _opening_log(neighbours: Sequence[_Neighbour | None], model: Model) -> float:
    """Return the log weight of a new ulcer's place: near to one of the old ones, any, and sharing no skin with others.

    Where it seems to share skin, that is rarely so. What is known of no place weighs as any place.
    """
    if not neighbours:
        return 0.0
    inside = model.protocol.identity.new_inside_share
    near = [opens_there(model.layout, *one, inside) if one else 1.0 for one in neighbours]
    beside = [opens_there(EVEN, *one, inside) if one else 1.0 for one in neighbours]
    shares = [own * min(beside[:k] + beside[k + 1 :], default=1.0) for k, own in enumerate(near)]
    return math.log(sum(shares) / len(shares))
