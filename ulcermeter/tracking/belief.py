"""What one explanation of a finger's outlines holds of one ulcer: where it is, how large, and whether it is open."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ulcermeter.protocol import Protocol
from ulcermeter.tracking.layout import EVEN, Layout
from ulcermeter.tracking.observation import GATE, Observation, combine
from ulcermeter.tracking.sides import Spot

__all__ = ["Belief", "Model", "Sizes", "begin", "later", "observed", "usual_sizes", "wander_variance"]


@dataclass(frozen=True)
class Sizes:
    """How diameters change from visit to visit, and how large new ulcers are; logarithms of mm.

    Attributes
    ----------
    change_log, change_log_sd : float
        Usual change a visit, and its scale.
    new_share : float
        Share of new ulcers that have a usual size; the others have any.
    new_log, new_log_sd : float
        The usual size of a new ulcer.
    """

    change_log: float
    change_log_sd: float
    new_share: float = 0.0
    new_log: float = 0.0
    new_log_sd: float = 1.0


def usual_sizes(protocol: Protocol) -> Sizes:
    """Return what the protocol expects of sizes before any outline is known.

    Parameters
    ----------
    protocol : Protocol

    Returns
    -------
    Sizes
    """
    return Sizes(0.0, protocol.identity.size_change_log_sd)


@dataclass(frozen=True)
class Model:
    """The rules with how much less sure places are than stated, and how sizes run in the study.

    Attributes
    ----------
    protocol : Protocol
        ``identity``: how often ulcers arise, heal and come back, and how places are off.
    factor : float
        True over stated standard deviation of places, at least 1.
    hand : str
        Of the finger that is looked at.
    sizes : Sizes or None
        As the study's own outlines say; None for the protocol's.
    layout : Layout
        How near new ulcers open to old ones, as the study's own outlines say.
    """

    protocol: Protocol
    factor: float = 1.0
    hand: str = ""
    sizes: Sizes | None = None
    layout: Layout = EVEN

    def spot(self, observation: Observation, view: str) -> Spot:
        """Return an outline's place with the variances that it is believed to have."""
        place = observation.places[view]
        apart = (self.protocol.identity.same_place_mm / GATE) ** 2
        return Spot(
            place.s_mm,
            place.t_mm,
            (self.factor * place.s_sd_mm) ** 2 + apart,
            (self.factor * place.t_sd_mm) ** 2 + apart,
        )


@dataclass(frozen=True, slots=True)
class Belief:
    """One ulcer.

    Attributes
    ----------
    latest : Observation
        As it was last outlined.
    spots : mapping of view to Spot
    views, sites : frozenset of str
        On and at which it was ever outlined.
    number, issued : str
        The clinic's number and the id it already has, empty where there is none.
    open_share : float
        Probability that it is open now.
    stayed_share : float
        Probability that it is open now and has been since it was last outlined; the rest of the former has closed in
        between and opened again.
    occasion : int
        When it was last outlined.
    parts : tuple of Observation
        Its parts, where it was last outlined as several.
    observed : tuple of (int, Observation)
        When it was outlined, and how.
    missed : tuple of int
        When it was not outlined though it would have shown.
    merged_on : int or None
        When it went into another.
    visits_since : int
        The protocol's visits since `latest`; negative where that lies later.
    """

    latest: Observation
    spots: Mapping[str, Spot]
    views: frozenset[str]
    sites: frozenset[str]
    number: str
    issued: str
    open_share: float
    occasion: int
    stayed_share: float = 1.0
    parts: tuple[Observation, ...] = ()
    observed: tuple[tuple[int, Observation], ...] = ()
    missed: tuple[int, ...] = ()
    merged_on: int | None = None
    visits_since: int = 0

    @property
    def began(self) -> int:
        """The occasion at which it was first outlined."""
        return min(number for number, _ in self.observed)

    @property
    def stayed_if_open(self) -> float:
        """Probability that it has not closed since it was last outlined, if it is open now."""
        return min(self.stayed_share / self.open_share, 1.0) if self.open_share > 0 else 0.0

    def is_gone(self, occasion: int) -> bool:
        """Say whether it has gone into another by a visit."""
        return self.merged_on is not None and occasion >= self.merged_on

    def nearest(self, observation: Observation, view: str) -> Observation:
        """Return of several parts the one nearest to an outline on a view, else the ulcer as last outlined."""
        here = [part for part in self.parts if view in part.places]
        if not here or view not in observation.places:
            return self.latest
        at = observation.places[view]
        return min(
            here, key=lambda part: math.hypot(part.places[view].s_mm - at.s_mm, part.places[view].t_mm - at.t_mm)
        )


def begin(observation: Observation, occasion: int, model: Model) -> Belief:
    """Return the belief in an ulcer that was outlined for the first time.

    Parameters
    ----------
    observation : Observation
        Its first outline.
    occasion : int
        When.
    model : Model

    Returns
    -------
    Belief
    """
    return Belief(
        latest=observation,
        spots={view: model.spot(observation, view) for view in observation.places},
        views=observation.views,
        sites=observation.sites,
        number=observation.number,
        issued=observation.issued,
        open_share=1.0,
        occasion=occasion,
        observed=((occasion, observation),),
    )


def later(belief: Belief, model: Model) -> Belief:
    """Return the belief a visit later, before anything was looked at: it may have closed, or opened again.

    Parameters
    ----------
    belief : Belief
    model : Model

    Returns
    -------
    Belief
    """
    rules, share = model.protocol.identity, belief.open_share
    opened = (1 - share) * rules.ulcers_recurred_per_visit
    stays = 1 - rules.ulcers_healed_per_visit
    return replace(
        belief,
        open_share=share * stays + opened,
        stayed_share=belief.stayed_share * stays,
        visits_since=belief.visits_since + 1,
    )


def wander_variance(belief: Belief, former: Observation, observation: Observation) -> float:
    """Return how far a centre may have moved since it was last outlined, variance an axis, mm².

    The smaller outline's centre is uniform in a disc of the difference of the radii, R²/4 an axis; one that came back
    lies anywhere within the outline that had closed.

    Parameters
    ----------
    belief : Belief
        The ulcer so far.
    former : Observation
        Its last outline, or the part of it that is looked at.
    observation : Observation
        The outline that may be its next.

    Returns
    -------
    float
    """
    before, now = former.diameter_mm / 2, observation.diameter_mm / 2
    share = belief.stayed_if_open
    return (share * (before - now) ** 2 + (1 - share) * before**2) / 4


def observed(belief: Belief, parts: Sequence[Observation], occasion: int, model: Model) -> Belief:
    """Return the belief after an outline of the ulcer.

    Places of one view are averaged by their variances (Kalman filter with a wandering centre).

    Parameters
    ----------
    belief : Belief
        The ulcer so far.
    parts : sequence of Observation
        Its outline, or its parts on one photo.
    occasion : int
        When.
    model : Model

    Returns
    -------
    Belief
    """
    observation = combine(parts, parts=len(parts) > 1)
    wander = wander_variance(belief, belief.latest, observation)
    spots = dict(belief.spots)
    for view in observation.places:
        now = model.spot(observation, view)
        spots[view] = _between(spots[view], now, wander) if view in spots else now
    return Belief(
        latest=observation if observation.places or not belief.latest.places else _with_places(observation, belief),
        spots=spots,
        views=belief.views | observation.views,
        sites=belief.sites | observation.sites,
        number=belief.number or observation.number,
        issued=belief.issued or observation.issued,
        open_share=1.0,
        occasion=occasion,
        parts=tuple(parts) if len(parts) > 1 else (),
        observed=(*belief.observed, (occasion, observation)),
        missed=belief.missed,
        merged_on=None if belief.is_gone(occasion) else belief.merged_on,
    )


def _with_places(observation: Observation, belief: Belief) -> Observation:
    return replace(observation, places=belief.latest.places)


def _between(before: Spot, now: Spot, wander: float) -> Spot:
    s, s_var = _mean(before.s_mm, before.s_var + wander, now.s_mm, now.s_var)
    t, t_var = _mean(before.t_mm, before.t_var + wander, now.t_mm, now.t_var)
    return Spot(s, t, s_var, t_var)


def _mean(a: float, a_var: float, b: float, b_var: float) -> tuple[float, float]:
    share = a_var / (a_var + b_var) if a_var + b_var > 0 else 0.5
    return a + share * (b - a), a_var * (1 - share)
