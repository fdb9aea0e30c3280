"""What tracking knows of an ulcer on a photo: its place on the finger, size, side, and the clinic's number."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

__all__ = ["GATE", "Place", "Observation", "distance2", "combine", "same_view", "span_mm"]

# 95 % of a two-dimensional normal distribution lies within 2.4477 standard deviations of its centre.
GATE = 2.4477


@dataclass(frozen=True)
class Place:
    """Where an ulcer lies in finger coordinates of one view, mm: centre, its sd, and half the longest diameter."""

    s_mm: float
    t_mm: float
    s_sd_mm: float
    t_sd_mm: float
    radius_mm: float


@dataclass(frozen=True)
class Observation:
    """An ulcer as outlined on one photo, or on the photos of one visit.

    Attributes
    ----------
    rows : tuple of int
        Its measurement rows.
    photos : frozenset of str
    places : mapping of view to Place
        Only views whose finger was found.
    views : frozenset of str
        Views it was outlined on, '' for an unknown one.
    sites : frozenset of str
        In the clinic's words, lower case.
    number : str
        The clinic's own, '' when not known.
    area_mm2, diameter_mm : float
    on_photo_mm : (float, float) or None
        x right and y down on its photo, from the upper left; None where it is on several photos, or not known.
    issued : str
        The id that it already has; '' for none.
    is_settled : bool
        A reader said so.
    possible_on : frozenset of str
        Photos of these on which it is only a possible ulcer.
    """

    rows: tuple[int, ...]
    photos: frozenset[str]
    places: Mapping[str, Place]
    views: frozenset[str]
    sites: frozenset[str]
    number: str
    area_mm2: float
    diameter_mm: float
    on_photo_mm: tuple[float, float] | None = None
    issued: str = ""
    is_settled: bool = False
    possible_on: frozenset[str] = frozenset()

    @property
    def only_possible(self) -> bool:
        """Whether none of its outlines is surely of an ulcer."""
        return self.photos == self.possible_on

    def order(self) -> tuple[float, float, float, tuple[int, ...]]:
        """From the tip to the hand, then across; places that are not known come last, the largest first."""
        if not self.places:
            return math.inf, math.inf, -self.area_mm2, self.rows
        place = self.places[min(self.places)]
        return place.s_mm, place.t_mm, -self.area_mm2, self.rows


def same_view(a: Observation, b: Observation) -> str | None:
    """Return a view in which both have a place; None when they cannot be compared.

    Parameters
    ----------
    a : Observation
        An observation or place.
    b : Observation
        The other one.

    Returns
    -------
    str or None
    """
    both = sorted(set(a.places) & set(b.places))
    return both[0] if both else None


def distance2(a: Place, b: Place, same_place_mm: float) -> float:
    """Return the squared distance of two places in standard deviations.

    Each axis has the variance of both coordinates, of how far a place seems to move between photos (`same_place_mm`
    is where 95 % of such moves end), and of how far a centre wanders when an ulcer shrinks or grows within its own
    footprint: the smaller centre is taken as uniform in a disc of the difference of radii, variance R²/4 an axis.

    Parameters
    ----------
    a : Place
        An observation or place.
    b : Place
        The other one.
    same_place_mm : float
        95 % of the moves that one place seems to make between photos are shorter, mm.

    Returns
    -------
    float
    """
    common = (same_place_mm / GATE) ** 2 + (a.radius_mm - b.radius_mm) ** 2 / 4
    s = (a.s_mm - b.s_mm) ** 2 / (a.s_sd_mm**2 + b.s_sd_mm**2 + common)
    t = (a.t_mm - b.t_mm) ** 2 / (a.t_sd_mm**2 + b.t_sd_mm**2 + common)
    return s + t


def span_mm(places: Sequence[Place]) -> float:
    """Return the longest extent of several places together, mm; errors common to the photo cancel in it.

    Parameters
    ----------
    places : sequence of Place
        Places in finger coordinates of one view, mm.

    Returns
    -------
    float
    """
    longest = 2 * max(place.radius_mm for place in places)
    for i, a in enumerate(places):
        for b in places[i + 1 :]:
            longest = max(longest, math.hypot(a.s_mm - b.s_mm, a.t_mm - b.t_mm) + a.radius_mm + b.radius_mm)
    return longest


def combine(observations: Iterable[Observation], *, parts: bool) -> Observation:
    """Put observations of one ulcer together: photos of one visit (sizes average), or parts of it (areas add).

    Parameters
    ----------
    observations : iterable of Observation
        Observations of one ulcer.
    parts : bool
        Parts of one ulcer on one photo (areas add), else photos of one visit (sizes average).

    Returns
    -------
    Observation
    """
    group = sorted(observations, key=lambda observation: observation.rows)
    if len(group) == 1:
        return group[0]
    views = sorted({view for observation in group for view in observation.places})
    areas = [observation.area_mm2 for observation in group]
    extents = [span_mm([s.places[v] for s in group if v in s.places]) for v in views] if parts else []
    return Observation(
        rows=tuple(sorted(row for observation in group for row in observation.rows)),
        photos=frozenset().union(*(observation.photos for observation in group)),
        places={view: _mean([s for s in group if view in s.places], view, parts=parts) for view in views},
        views=frozenset().union(*(observation.views for observation in group)),
        sites=frozenset().union(*(observation.sites for observation in group)),
        number=next((observation.number for observation in group if observation.number), ""),
        area_mm2=sum(areas) if parts else sum(areas) / len(areas),
        diameter_mm=max([*(observation.diameter_mm for observation in group), *extents]),
        issued=next((observation.issued for observation in group if observation.issued), ""),
        is_settled=any(observation.is_settled for observation in group),
        possible_on=_possible_on(group),
    )


def _possible_on(group: Sequence[Observation]) -> frozenset[str]:
    """Return the photos on which none of the outlines is surely an ulcer."""
    possible = frozenset().union(*(observation.possible_on for observation in group))
    return possible.difference(*(observation.photos - observation.possible_on for observation in group))


def _mean(group: Sequence[Observation], view: str, *, parts: bool) -> Place:
    """Mean place (by area for parts); sds average, because photos of one visit share their errors."""
    places = [observation.places[view] for observation in group]
    weights = [observation.area_mm2 if parts else 1.0 for observation in group]
    total = sum(weights)

    def mean(values: Iterable[float]) -> float:
        return sum(w * v for w, v in zip(weights, values, strict=True)) / total

    return Place(
        s_mm=mean(p.s_mm for p in places),
        t_mm=mean(p.t_mm for p in places),
        s_sd_mm=mean(p.s_sd_mm for p in places),
        t_sd_mm=mean(p.t_sd_mm for p in places),
        radius_mm=span_mm(places) / 2 if parts else mean(p.radius_mm for p in places),
    )
