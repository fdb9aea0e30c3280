"""Which observation belongs to which ulcer: by number, else by place, else by what little is left; never silently."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ulcermeter.protocol import Protocol
from ulcermeter.tracking.observation import GATE, Observation, distance2, same_view

__all__ = ["Links", "link"]

_FORBIDDEN = 1e9
# One more than the gate, so that a pair within the gate is always better than leaving both alone.
_ALONE = GATE**2 + 1.0
# One ulcer gone and another come up within half as far again as the gate may as well be one ulcer that was misplaced.
_NEAR_MISS = 1.5


@dataclass(frozen=True)
class Links:
    """What was paired, and how sure that is.

    Attributes
    ----------
    pairs : dict of int to int
        Index on the left to index on the right.
    assumed : frozenset of int
        Lefts that were paired only because nothing else was possible.
    doubts : frozenset of (int, int)
        Left and right that might be a pair as well, instead of what `pairs` says.
    """

    pairs: dict[int, int]
    assumed: frozenset[int] = frozenset()
    doubts: frozenset[tuple[int, int]] = frozenset()


def link(left: Sequence[Observation], right: Sequence[Observation], protocol: Protocol) -> Links:
    """Pair observations one to one.

    First by the clinic's number. Then, in a view both were seen in, by finger coordinates: the assignment with the
    smallest sum of squared distances, each within the 95 % gate. What has no coordinates to compare is paired by site,
    or because it is the only one left on either side (*assumed*). A pair is in doubt when the best assignment with a
    rival is less than `identity_odds` times less likely; so are two that were left alone just beyond the gate.

    Parameters
    ----------
    left, right : sequence of Observation
        In a fixed order, which settles ties.
    protocol : Protocol

    Returns
    -------
    Links
    """
    pairs = _by_number(left, right)
    i = [k for k in range(len(left)) if k not in pairs]
    j = [k for k in range(len(right)) if k not in pairs.values()]
    placed, doubts = _by_place([left[k] for k in i], [right[k] for k in j], protocol)
    pairs |= {i[a]: j[b] for a, b in placed.items()}
    sure = {(i[a], j[b]) for a, b in doubts}
    i = [k for k in range(len(left)) if k not in pairs]
    j = [k for k in range(len(right)) if k not in pairs.values()]
    rest = _by_elimination([left[k] for k in i], [right[k] for k in j])
    pairs |= {i[a]: j[b] for a, b in rest.pairs.items()}
    return Links(
        pairs,
        frozenset(i[a] for a in rest.assumed),
        frozenset(sure | {(i[a], j[b]) for a, b in rest.doubts}),
    )


def _by_number(left: Sequence[Observation], right: Sequence[Observation]) -> dict[int, int]:
    pairs: dict[int, int] = {}
    for a, observation in enumerate(left):
        for b, other in enumerate(right):
            if observation.number and observation.number == other.number and b not in pairs.values() and a not in pairs:
                pairs[a] = b
    return pairs


def _by_place(
    left: Sequence[Observation], right: Sequence[Observation], protocol: Protocol
) -> tuple[dict[int, int], set[tuple[int, int]]]:
    distances = _distances(left, right, protocol.identity.same_place_mm)
    costs = np.where(distances <= GATE**2, distances, _FORBIDDEN)
    pairs, best = _assign(costs)
    margin = 2 * math.log(protocol.identity.identity_odds)
    near = distances <= (_NEAR_MISS * GATE) ** 2
    doubts = {(int(a), int(b)) for a, b in np.argwhere(near) if a not in pairs and b not in pairs.values()}
    for a, b in zip(*np.nonzero(costs < _FORBIDDEN), strict=True):
        if pairs.get(int(a)) == b:
            continue
        _, rest = _assign(np.delete(np.delete(costs, a, axis=0), b, axis=1))
        if costs[a, b] + rest - best < margin:
            doubts.add((int(a), int(b)))
    return pairs, doubts


def _distances(left: Sequence[Observation], right: Sequence[Observation], same_place_mm: float) -> NDArray[np.float64]:
    distances = np.full((len(left), len(right)), _FORBIDDEN)
    for a, observation in enumerate(left):
        for b, other in enumerate(right):
            view = same_view(observation, other)
            if view is not None and not (observation.number and other.number):
                distances[a, b] = distance2(observation.places[view], other.places[view], same_place_mm)
    return distances


def _assign(costs: NDArray[np.float64]) -> tuple[dict[int, int], float]:
    """Pair rows with columns at the least cost; a row may stay alone. Return the pairs and the cost."""
    from scipy.optimize import linear_sum_assignment

    n = len(costs)
    alone = np.full((n, n), _FORBIDDEN)
    np.fill_diagonal(alone, _ALONE)
    padded = np.hstack([costs, alone])
    rows, cols = linear_sum_assignment(padded)
    pairs = {int(a): int(b) for a, b in zip(rows, cols, strict=True) if b < costs.shape[1]}
    return pairs, float(padded[rows, cols].sum())


def _by_elimination(left: Sequence[Observation], right: Sequence[Observation]) -> Links:
    """Pair what cannot be told apart by number or place: alone with each other is assumed, more is in doubt."""
    edges = {(a, b) for a, x in enumerate(left) for b, y in enumerate(right) if _possible(x, y)}
    pairs: dict[int, int] = {}
    assumed, doubts = set(), set()
    for group in _components(edges):
        lefts, rights = sorted({a for a, _ in group}), sorted({b for _, b in group})
        costs = np.full((len(lefts), len(rights)), _FORBIDDEN)
        for a, b in group:
            costs[lefts.index(a), rights.index(b)] = min(_size_cost(left[a], right[b]), _ALONE / 2)
        chosen = {lefts[a]: rights[b] for a, b in _assign(costs)[0].items()}
        pairs |= chosen
        if len(group) == 1:
            assumed |= set(chosen)
        else:
            doubts |= group
    return Links(pairs, frozenset(assumed), frozenset(doubts))


def _possible(a: Observation, b: Observation) -> bool:
    """Could these be one ulcer, for all that numbers, places, sites and views say."""
    if (a.number and b.number) or same_view(a, b) is not None:
        return False
    if a.sites and b.sites:
        return bool(a.sites & b.sites)
    return bool(a.views & b.views) or "" in a.views or "" in b.views


def _size_cost(a: Observation, b: Observation) -> float:
    ratio = a.area_mm2 / b.area_mm2 if b.area_mm2 > 0 else math.nan
    return abs(math.log(ratio)) if ratio > 0 else 1.0


def _components(edges: set[tuple[int, int]]) -> list[set[tuple[int, int]]]:
    groups: list[set[tuple[int, int]]] = []
    for edge in sorted(edges):
        touching = [g for g in groups if any(edge[0] == a or edge[1] == b for a, b in g)]
        groups = [g for g in groups if g not in touching]
        groups.append({edge}.union(*touching))
    return groups
