"""Split and merge: what outlines and former ulcers share one footprint."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ulcermeter.protocol import Protocol
from ulcermeter.tracking.observation import GATE, Observation, Place, combine, distance2, span_mm

__all__ = ["covers_both", "fit_together"]


def fit_together(parts: Sequence[Observation], former: Observation, protocol: Protocol) -> bool:
    """Say whether these outlines lie inside one former ulcer's footprint, so that they are its parts.

    Together they are no longer than it was (times ``outline_growth``), and their common centre is where it was.
    Distances between outlines of one photo are used, in which the finger's own error cancels.

    Parameters
    ----------
    parts : sequence of Observation
        Outlines of one photo.
    former : Observation
        The ulcer as it was before.
    protocol : Protocol
        The trial's rules.

    Returns
    -------
    bool
    """
    views = sorted(set(former.places).intersection(*(part.places for part in parts)))
    if not views or len({part.number for part in parts if part.number}) > 1:
        return False
    view = views[0]
    if span_mm([part.places[view] for part in parts]) > protocol.identity.outline_growth * former.diameter_mm:
        return False
    whole = combine(parts, parts=True).places[view]
    return distance2(whole, former.places[view], protocol.identity.same_place_mm) <= GATE**2


def covers_both(outline: Observation, a: Observation, b: Observation, protocol: Protocol) -> bool:
    """Say whether one outline covers the places of two former ulcers, so that they have merged in it.

    It is larger than either, reaches from one centre to the other, and both centres lie in it, give or take one
    standard deviation of their place.

    Parameters
    ----------
    outline : Observation
        The outline that may cover both.
    a : Observation
        One of the two former ulcers.
    b : Observation
        The other one.
    protocol : Protocol
        The trial's rules.

    Returns
    -------
    bool
    """
    views = sorted(set(outline.places) & set(a.places) & set(b.places))
    if not views or outline.area_mm2 <= max(a.area_mm2, b.area_mm2):
        return False
    here, first, second = (observation.places[views[0]] for observation in (outline, a, b))
    apart = math.hypot(first.s_mm - second.s_mm, first.t_mm - second.t_mm)
    if apart > protocol.identity.outline_growth * outline.diameter_mm:
        return False
    return all(_inside(place, here, outline.diameter_mm / 2, protocol) for place in (first, second))


def _inside(place: Place, outline: Place, radius_mm: float, protocol: Protocol) -> bool:
    sd = max(math.hypot(place.s_sd_mm, outline.s_sd_mm), math.hypot(place.t_sd_mm, outline.t_sd_mm))
    sd = math.hypot(sd, protocol.identity.same_place_mm / GATE)
    return math.hypot(place.s_mm - outline.s_mm, place.t_mm - outline.t_mm) <= radius_mm + sd
