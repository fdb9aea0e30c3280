"""How probable each link of the likeliest explanation is, over all explanations."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from ulcermeter.tables.cells import by_key
from ulcermeter.tracking.explain import Explanation, Scan
from ulcermeter.tracking.observation import Observation, same_view

__all__ = ["Identified", "Link", "Maybe", "most_right", "weigh"]

# Of equal matches the one of earlier outlines counts; a thousand outlines of a finger together weigh less than one.
_EARLIER = 1e-6
# So many explanations are candidates, unless one of them is so probable; sums are compared to so many digits.
_CANDIDATES, _ENOUGH, _DIGITS = 10, 0.7, 9


@dataclass(frozen=True)
class Link:
    """An outline and its ulcer.

    Attributes
    ----------
    observation : Observation
    visit : int
        Number of its visit among the finger's occasions.
    ulcer : int
        Ulcers are numbered as they came up.
    probability : float
        Of being the ulcer that it is called; of the first outline of an ulcer, of being new.
    rivals : mapping of int to float
        What other ulcers it may be, and how probable that is.
    right : float
        How probable it is that the outline carries the id that its true ulcer has, over all explanations: ids are
        matched to the explanation's ulcers one to one, so that most outlines agree.
    hangs_on : int
        The visit of the most unclear link on which it hangs: between it and the core of those that are called its
        ulcer, or that ulcer's first outline as a new one.
    is_next : bool
        Whether the outline is at an end of that link.
    least_before : float
        The least `right` of its ulcer's outlines on earlier photos; 1 where there are none.
    is_assumed : bool
        No place says so: there is nothing else that it could be, or its site.
    same_visit : bool
        It was linked to an outline of the same visit.
    """

    observation: Observation
    visit: int
    ulcer: int
    probability: float
    rivals: Mapping[int, float]
    right: float
    hangs_on: int
    is_next: bool
    least_before: float
    is_assumed: bool
    same_visit: bool


@dataclass(frozen=True)
class Maybe:
    """An ulcer without an outline at a visit: how probable it is that an outline is its own, and which is likeliest."""

    probability: float
    observation: Observation


@dataclass(frozen=True)
class Identified:
    """The outlines of a finger, each with its ulcer.

    Attributes
    ----------
    links : tuple of Link
        In time order.
    merges : mapping of (int, int) to (int, float)
        Which ulcer went at which visit into which, and how probable that is.
    maybe : mapping of (int, int) to Maybe
        By visit and ulcer, where the ulcer was known and has no outline.
    """

    links: tuple[Link, ...]
    merges: Mapping[tuple[int, int], tuple[int, float]]
    maybe: Mapping[tuple[int, int], Maybe]


def weigh(scans: Sequence[Scan], best: Explanation, others: Sequence[Explanation]) -> Identified:
    """Hold the likeliest explanation against all that were kept.

    Parameters
    ----------
    scans : sequence of Scan
        A finger's photos in time order.
    best : Explanation
        What is taken for true.
    others : sequence of Explanation
        All that were kept, with their weights; `best` is one of them, or near one.

    Returns
    -------
    Identified
    """
    reading = _Reading(scans, best, others)
    return Identified(
        links=tuple(reading.link(i) for i in range(len(best.clusters))),
        merges={(m.occasion, m.goes): (m.keeps, reading.merged(m.occasion, m.goes)) for m in best.merges},
        maybe=dict(reading.maybes()),
    )


def most_right(explanations: Sequence[Explanation]) -> Explanation:
    """Return of the likeliest explanations the one whose ids are most often right, over all explanations.

    Parameters
    ----------
    explanations : sequence of Explanation
        All that were kept, the likeliest first.

    Returns
    -------
    Explanation
        Of those that give the same ids the likeliest.
    """
    top = explanations[0].log_weight
    weights, likeliest = dict[tuple[int, ...], float](), dict[tuple[int, ...], Explanation]()
    for one in explanations:
        ids = _numbered(one.clusters)
        likeliest.setdefault(ids, one)
        weights[ids] = weights.get(ids, 0.0) + math.exp(one.log_weight - top)
    ranked = sorted(weights, key=lambda ids: (-weights[ids], ids))
    if weights[ranked[0]] > _ENOUGH * sum(weights.values()):
        return likeliest[ranked[0]]
    every = [(weights[ids], np.array(ids, dtype=np.int64)) for ids in ranked]
    right = [sum(weight * _agrees(own, true).sum() for weight, true in every) for _, own in every[:_CANDIDATES]]
    return likeliest[ranked[int(np.argmax(np.round(right, _DIGITS)))]]


def _numbered(clusters: Sequence[int]) -> tuple[int, ...]:
    """Return the ulcers of outlines, numbered as they come up in time."""
    numbers: dict[int, int] = {}
    return tuple(numbers.setdefault(ulcer, len(numbers)) for ulcer in clusters)


@dataclass(frozen=True)
class _Reading:
    """Explanations as arrays: a row an explanation, a column an outline."""

    scans: Sequence[Scan]
    best: Explanation
    others: Sequence[Explanation]

    @cached_property
    def observations(self) -> list[Observation]:
        return [observation for scan in self.scans for observation in scan.observations]

    @cached_property
    def photo(self) -> list[int]:
        """The number of every outline's photo."""
        return [number for number, scan in enumerate(self.scans) for _ in scan.observations]

    @cached_property
    def visit(self) -> list[int]:
        return [scan.occasion for scan in self.scans for _ in scan.observations]

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        logs = np.array([one.log_weight for one in self.others])
        weights: NDArray[np.float64] = np.exp(logs - logs.max())
        weights /= weights.sum()
        return weights

    @cached_property
    def first(self) -> NDArray[np.int64]:
        """The first outline of every outline's ulcer."""
        rows = []
        for one in self.others:
            start: dict[int, int] = {}
            rows.append([start.setdefault(ulcer, i) for i, ulcer in enumerate(one.clusters)])
        return np.array(rows, dtype=np.int64).reshape(len(self.others), -1)

    def earlier(self, ulcer: int, photo: int) -> list[int]:
        """Return an ulcer's outlines before a photo."""
        return [j for j in self.own.get(ulcer, ()) if self.photo[j] < photo]

    def surest(self, ulcer: int, photo: int) -> int | None:
        """Return of an ulcer's outlines before a photo the one that most surely is of one ulcer with its others."""
        return max(self.earlier(ulcer, photo), key=self._sureness, default=None)

    def _sureness(self, i: int) -> tuple[float, int]:
        return round(sum(self.same(i, j) for j in self.own[self.best.clusters[i]]), 9), -i

    def same(self, i: int, j: int) -> float:
        """Return how probable it is that two outlines are of one ulcer."""
        return float(self.weights @ (self.first[:, i] == self.first[:, j]))

    def link(self, i: int) -> Link:
        ulcer, photo = self.best.clusters[i], self.photo[i]
        known = sorted({own for j, own in enumerate(self.best.clusters) if self.photo[j] < photo})
        before = {k: j for k in known if (j := self.surest(k, photo)) is not None}
        probabilities = {k: self.same(i, j) for k, j in before.items()}
        own = self.earlier(ulcer, photo)
        ends = self.weakest(i)
        return Link(
            observation=self.observations[i],
            visit=self.visit[i],
            ulcer=ulcer,
            probability=self.linked(i),
            rivals={k: probability for k, probability in probabilities.items() if k != ulcer},
            right=float(self.right[i]),
            hangs_on=self.visit[ends[-1]],
            is_next=i in ends,
            least_before=min((float(self.right[j]) for j in own), default=1.0),
            is_assumed=self._is_assumed(i),
            same_visit=bool(own) and self.visit[own[-1]] == self.visit[i],
        )

    def linked(self, i: int) -> float:
        """Return how probable an outline's link to its ulcer's earlier ones is; of the first, that it is a new one."""
        photo = self.photo[i]
        own = self.earlier(self.best.clusters[i], photo)
        if own:
            return max(self.same(i, j) for j in own)
        return float(self.weights @ (self.first[:, i] >= self.photo.index(photo)))

    @cached_property
    def own(self) -> dict[int, list[int]]:
        """The outlines of every ulcer."""
        return by_key((ulcer, i) for i, ulcer in enumerate(self.best.clusters))

    @cached_property
    def core(self) -> dict[int, int]:
        """Of every ulcer the outline that most surely is of one ulcer with its others."""
        return {ulcer: max(own, key=self._sureness) for ulcer, own in self.own.items()}

    @cached_property
    def right(self) -> NDArray[np.float64]:
        """How probable it is of every outline that its id is the true ulcer's."""
        right = np.zeros(len(self.best.clusters))
        own = np.array(self.best.clusters, dtype=np.int64)
        for weight, one in zip(self.weights, self.others, strict=True):
            right += weight * _agrees(own, np.array(one.clusters, dtype=np.int64))
        return right

    def weakest(self, i: int) -> tuple[int, ...]:
        """Return the outlines, in time order, of the most unclear link on which an outline hangs.

        Links between it and the core of its ulcer, and that ulcer's first outline as a new one.
        """
        own = self.own[self.best.clusters[i]]
        ends = sorted((i, self.core[self.best.clusters[i]]))
        between = [j for j in own if ends[0] <= j <= ends[1]]
        links = [(round(self.same(*pair), 9), pair) for pair in pairwise(between)]
        return min([*links, (round(self.linked(own[0]), 9), (own[0],))])[1]

    def _is_assumed(self, i: int) -> bool:
        """Say whether an outline was linked though no side shows both places, and no number or reader says so."""
        now, ulcer = self.observations[i], self.best.clusters[i]
        earlier = [
            self.observations[j]
            for j, own in enumerate(self.best.clusters)
            if own == ulcer and self.photo[j] < self.photo[i]
        ]
        named = now.is_settled or any(now.number and now.number == before.number for before in earlier)
        return bool(earlier) and not named and all(same_view(now, before) is None for before in earlier)

    def merged(self, visit: int, ulcer: int) -> float:
        """Return how probable it is that an ulcer went into another at a visit."""
        photo = next(k for k, scan in enumerate(self.scans) if scan.occasion == visit)
        j = self.surest(ulcer, photo)
        if j is None:
            return 0.0
        went = [any(m.occasion == visit and m.goes == one.clusters[j] for m in one.merges) for one in self.others]
        return float(self.weights @ np.array(went))

    def maybes(self) -> list[tuple[tuple[int, int], Maybe]]:
        """Return for every visit and known ulcer without an outline which of the visit's outlines may be its own."""
        found = []
        for visit in sorted(set(self.visit)):
            here = [i for i, at in enumerate(self.visit) if at == visit]
            photo = min(self.photo[i] for i in here)
            drawn = {self.best.clusters[i] for i in here}
            for ulcer in sorted(set(self.best.clusters) - drawn):
                j = self.surest(ulcer, photo)
                if j is not None:
                    found.append(((visit, ulcer), self._maybe(here, j)))
        return found

    def _maybe(self, here: Sequence[int], j: int) -> Maybe:
        hits = self.first[:, list(here)] == self.first[:, [j]]
        each = self.weights @ hits
        likeliest = here[int(np.argmax(each))]
        return Maybe(float(self.weights @ hits.any(axis=1)), self.observations[likeliest])


def _agrees(own: NDArray[np.int64], true: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say of every outline whether its id is its true ulcer's, ids being matched one to one so that most agree.

    Of equal matches the one that agrees at earlier outlines.
    """
    shared = np.zeros((own.max() + 1, true.max() + 1))
    np.add.at(shared, (own, true), 1 - _EARLIER * np.arange(len(own)))
    rows, columns = linear_sum_assignment(-shared)
    match = np.full(len(shared), -1)
    match[rows] = columns
    agrees: NDArray[np.bool_] = match[own] == true
    return agrees
