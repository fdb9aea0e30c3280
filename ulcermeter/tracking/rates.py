"""How often ulcers heal and arise in the study at hand, how near new ones open to old ones, and how photos lie."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, pairwise
from typing import NamedTuple

import numpy as np

from ulcermeter.datatypes import Floats
from ulcermeter.protocol import Protocol
from ulcermeter.tracking.belief import Belief
from ulcermeter.tracking.explain import Explanation
from ulcermeter.tracking.layout import EVEN, Layout, ring_areas, ring_shares
from ulcermeter.tracking.reading import Finger, visits_of

__all__ = ["layout_of", "with_own_rates"]

# So far apart two ulcers say which way up a photo is, where places are off by a millimetre or two [assumption].
_FAR_APART_MM = 5.0
# Rounds of expectation and maximisation; the shares of rings move by less than 1 % after them.
_ROUNDS = 30


class _Seen(NamedTuple):
    """What became of ulcers in so many visits in all: of those open so many healed, on fingers so many arose."""

    open_visits: float = 0.0
    healed: float = 0.0
    visits: float = 0.0
    arose: float = 0.0
    at_first: float = 0.0


def with_own_rates(explained: Iterable[tuple[Finger, Explanation]], protocol: Protocol) -> Protocol:
    """Return the rules with rates as the study's own photos have them.

    What the protocol expects weighs as much as ``rate_prior_visits``. New ulcers, a safety outcome, are never expected
    more seldom than it says, nor recurrent ones in their place more often.

    Parameters
    ----------
    explained : iterable of (Finger, Explanation)
        The likeliest explanation of every finger.
    protocol : Protocol

    Returns
    -------
    Protocol
    """
    explained = list(explained)
    turns = [turn for finger, _ in explained for turn in _turns(finger)]
    # Of those at any turn every second one points down.
    upside_down = sum(math.cos(turn) < 0 for turn in turns)
    total = _Seen(*(math.fsum(values) for values in zip(*_seen(explained, protocol), strict=True)))
    rules, prior = protocol.identity, protocol.identity.rate_prior_visits

    def rate(expected: float, events: float, visits: float) -> float:
        return (prior * expected + events) / (prior + visits)

    return protocol.changed(
        ulcers_healed_per_visit=rate(rules.ulcers_healed_per_visit, total.healed, total.open_visits),
        ulcers_new_per_visit=max(
            rate(rules.ulcers_new_per_visit, total.arose, total.visits), rules.ulcers_new_per_visit
        ),
        there_at_first_share=rate(rules.there_at_first_share, total.at_first, total.at_first + total.arose),
        photo_upright_share=max(rate(rules.photo_upright_share, len(turns) - 2 * upside_down, len(turns)), 0.0),
    )


def _seen(explained: Iterable[tuple[Finger, Explanation]], protocol: Protocol) -> Iterator[_Seen]:
    yield _Seen()
    for finger, explanation in explained:
        at = visits_of(finger, protocol)
        passed = [n for n, occasion in enumerate(finger.occasions) if any(p.passed for p in finger.photos[occasion])]
        starts = [belief.began for belief in explanation.beliefs]
        arose = sum(start > passed[0] for start in starts)
        yield _Seen(visits=at[passed[-1]] - at[passed[0]], arose=arose, at_first=len(starts) - arose)
        for belief in explanation.beliefs:
            yield from _changes(belief, at)


def _changes(belief: Belief, at: Sequence[int]) -> Iterator[_Seen]:
    """Yield what became of an ulcer from photo to photo; what closed between two did so midway."""
    shown = {number: True for number, _ in belief.observed} | dict.fromkeys(belief.missed, False)
    for (before, was), (after, now) in pairwise(sorted(shown.items())):
        visits = at[after] - at[before]
        if was:
            yield _Seen(open_visits=visits if now else (visits + 1) / 2, healed=int(not now))


def _turns(finger: Finger) -> Iterator[float]:
    """Yield how far from upright photos show the finger, radians, by places on the photo and on the finger."""
    for photos in finger.observations.values():
        for outlines in photos.values():
            known = [
                (*one.on_photo_mm, place.t_mm, place.s_mm)
                for one in outlines
                for place in one.places.values()
                if one.on_photo_mm is not None
            ]
            if len(known) > 1 and max(math.dist(a[2:], b[2:]) for a, b in combinations(known, 2)) > _FAR_APART_MM:
                x, y, t, s = (np.array(known) - np.mean(known, axis=0)).T
                yield math.atan2(s @ x - t @ y, t @ x + s @ y)


def layout_of(explained: Iterable[tuple[Finger, Explanation]], protocol: Protocol) -> Layout:
    """Return how near new ulcers of a study open to those that their finger has or had.

    By rings about the old ones, their places being as sure as stated (expectation and maximisation, each of a finger's
    old ulcers being the one that a new one opens near to); an even layout weighs as much as ``rate_prior_visits`` new
    ulcers.

    Parameters
    ----------
    explained : iterable of (Finger, Explanation)
        The likeliest explanation of every finger.
    protocol : Protocol

    Returns
    -------
    Layout
    """
    new = [pairs for _, explanation in explained for pairs in _new_beside_old(explanation)]
    prior, even = protocol.identity.rate_prior_visits, protocol.identity.new_ulcer_range_mm**2 / ring_areas()
    shares = np.array(EVEN.shares)
    for _ in range(_ROUNDS if new else 0):
        found = [_responsible(pairs * shares) for pairs in new]
        shares = (prior + np.sum(found, axis=0) * even) / (prior + len(new))
    return Layout(tuple(float(share) for share in shares))


def _responsible(ways: Floats) -> Floats:
    total: Floats = ways.sum(axis=0) / ways.sum()
    return total


def _new_beside_old(explanation: Explanation) -> Iterator[Floats]:
    """Yield for every new ulcer how probably it is in which ring (column) about each old one (row)."""
    starts = [belief.began for belief in explanation.beliefs]
    for own, start in zip(explanation.beliefs, starts, strict=True):
        rows = [
            _ring_shares(own, other, view)
            for other, before in zip(explanation.beliefs, starts, strict=True)
            for view in sorted(own.spots.keys() & other.spots.keys())[:1]
            if before < start
        ]
        if rows:
            yield np.array(rows)


def _ring_shares(own: Belief, other: Belief, view: str) -> Floats:
    a, b = own.spots[view], other.spots[view]
    sd = math.sqrt((a.s_var + b.s_var + a.t_var + b.t_var) / 2)
    return ring_shares(math.hypot(a.s_mm - b.s_mm, a.t_mm - b.t_mm), sd)
