"""All explanations of one photo: which outline is which ulcer, which is new, what merged, split, closed, or moved."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ulcermeter.tracking.arrangement import Pair, arrangement_log, pair_of
from ulcermeter.tracking.belief import Belief, Model, begin, later, observed
from ulcermeter.tracking.between import at_visit
from ulcermeter.tracking.likelihood import (
    NEVER,
    Offset,
    is_possible,
    offset_of,
    opening_log,
    place_log,
    size_log,
    view_share,
)
from ulcermeter.tracking.observation import Observation, combine
from ulcermeter.tracking.split_merge import covers_both, fit_together

__all__ = ["Explanation", "Merge", "Scan", "explain"]

# In place of an ulcer's number: an outline that is none of them.
NEW = -1
# Of one photo's explanations the likeliest are kept: so many, and none e^9 times less likely than the best.
_MOST, _GAP = 24, 9.0
_LEAST = 1e-6


@dataclass(frozen=True)
class Scan:
    """One photo of a finger that passed.

    Attributes
    ----------
    occasion : int
        Number of the visit in time.
    steps : int
        Visits of the protocol since the photo that was taken up before it, missed ones too.
    planned : int or None
        The place of its visit among the protocol's.
    is_late : bool
        It is taken up after all photos whose finger was found, those of later visits too.
    view : str
    observations : tuple of Observation
    shows_all : bool
        What is not outlined on it is not open, as far as the view shows it.
    new_rate : float
        Ulcers expected on it that no earlier photo has shown.
    """

    occasion: int
    steps: int
    is_late: bool
    view: str
    observations: tuple[Observation, ...]
    shows_all: bool
    new_rate: float
    planned: int | None = None


@dataclass(frozen=True)
class Merge:
    """An ulcer that went into another, by their numbers in the explanation."""

    occasion: int
    goes: int
    keeps: int


@dataclass(frozen=True)
class Explanation:
    """One way to explain all photos so far.

    Attributes
    ----------
    log_weight : float
    beliefs : tuple of Belief
        Its ulcers in the order in which they came up.
    clusters : tuple of int
        The ulcer of every outline so far.
    merges : tuple of Merge
    openings_log : float
        What the places of new ulcers add to `log_weight`, as they were known when these came up.
    """

    log_weight: float
    beliefs: tuple[Belief, ...]
    clusters: tuple[int, ...] = ()
    merges: tuple[Merge, ...] = ()
    openings_log: float = 0.0


@dataclass(frozen=True)
class _Option:
    """An outline as a known ulcer's: what speaks for it beside its place, its place, and all that without others."""

    log_weight: float
    offset: Offset | None
    sure: bool
    alone_log: float = 0.0
    pair: Pair | None = None


@dataclass(frozen=True)
class _Situation:
    """A photo as it meets one explanation: the ulcers' beliefs by then, and what every outline could be."""

    scan: Scan
    beliefs: tuple[Belief, ...]
    shares: tuple[float, ...]
    options: tuple[Mapping[int, _Option], ...]
    births: tuple[float, ...]
    openings: tuple[float, ...]
    model: Model


def explain(before: Explanation, scan: Scan, model: Model) -> list[Explanation]:
    """Return how a photo can go on from one explanation of those before it, the likeliest first.

    Parameters
    ----------
    before : Explanation
        Of the photos so far.
    scan : Scan
        The photo.
    model : Model

    Returns
    -------
    list of Explanation
        At least one.
    """
    beliefs = tuple(_brought_to(belief, scan, model) for belief in before.beliefs)
    situation = _situation(beliefs, scan, model)
    ranked = sorted(((_weight(situation, picks), picks) for picks in _picks(situation)), key=lambda item: -item[0])
    kept = [(weight, picks) for weight, picks in ranked if weight > ranked[0][0] - _GAP]
    after = [one for weight, picks in kept for one in _after(before, situation, picks, weight)]
    return after or _after(before, situation, kept[0][1], kept[0][0], any_host=True)


def _brought_to(belief: Belief, scan: Scan, model: Model) -> Belief:
    if scan.is_late:
        return at_visit(belief, scan.occasion, model.protocol)
    for _ in range(scan.steps):
        belief = later(belief, model)
    return belief


def _situation(beliefs: tuple[Belief, ...], scan: Scan, model: Model) -> _Situation:
    found = model.protocol.identity.ulcer_outlined_share
    shares = tuple(
        min(max(belief.open_share * found * view_share(belief, scan.view, model), _LEAST), 1 - _LEAST)
        for belief in beliefs
    )
    bare = _Situation(scan, beliefs, shares, (), (), (), model)
    # Once other photos are explained, most of a late photo's ulcers are known already.
    rate = model.protocol.identity.ulcers_new_per_visit if scan.is_late and beliefs else scan.new_rate
    openings = tuple(opening_log(beliefs, observation, model) for observation in scan.observations)
    free = [math.log(rate) + opening for opening in openings]
    options = tuple(_options(bare, o, birth) for o, birth in zip(scan.observations, free, strict=True))
    births = tuple(
        NEVER if any(option.sure for option in own.values()) else birth
        for birth, own in zip(free, options, strict=True)
    )
    return replace(bare, options=options, births=births, openings=openings)


def _options(situation: _Situation, observation: Observation, birth: float) -> dict[int, _Option]:
    """Return the ulcers that an outline may be, but for those far less likely than a new one."""
    options, model = {}, situation.model
    for number, (belief, share) in enumerate(zip(situation.beliefs, situation.shares, strict=True)):
        # What has merged comes back only when the clinic says so by its number, or a reader by its id.
        named = bool(observation.number) and observation.number == belief.number
        named |= bool(observation.issued) and observation.issued == belief.issued
        offset = offset_of(belief, observation, model)
        if (belief.is_gone(situation.scan.occasion) and not named) or not is_possible(
            belief, observation, placed=offset is not None
        ):
            continue
        if named:
            options[number] = _Option(0.0, None, sure=True)
            continue
        weight = math.log(share) - (math.log1p(-share) if situation.scan.shows_all else 0.0)
        weight += size_log(belief, observation, model)
        alone = weight + (_place_mixture([offset], model)[0] if offset else 0.0)
        pair = pair_of(belief, observation, model)
        if alone > birth - 3 * _GAP:
            options[number] = _Option(weight, offset, sure=False, alone_log=alone, pair=pair)
    sure = {number: option for number, option in options.items() if option.sure}
    return sure or options


def _picks(situation: _Situation) -> list[tuple[int, ...]]:
    """Return the likeliest ways to give every outline an ulcer, or to call it new."""
    partial = [_Partial()]
    for position in range(len(situation.options)):
        longer = [one for before in partial for one in _longer(before, situation, position)]
        longer.sort(key=lambda one: -one.score)
        partial = [one for one in longer[:_MOST] if one.score > longer[0].score - 2 * _GAP]
    return [one.picks for one in partial]


@dataclass(frozen=True, slots=True)
class _Partial:
    """Ulcers of a photo's first outlines; the score is their weight with how they lie to each other."""

    weight: float = 0.0
    picks: tuple[int, ...] = ()
    pairs: tuple[Pair, ...] = ()
    score: float = 0.0


def _longer(before: _Partial, situation: _Situation, position: int) -> list[_Partial]:
    """Return a photo's first outlines with one more."""
    birth = situation.births[position]
    found = []
    if birth > NEVER:
        found.append(_Partial(before.weight + birth, (*before.picks, NEW), before.pairs, before.score + birth))
    for number, option in situation.options[position].items():
        again = number in before.picks
        more = _part_log(situation, position, number, before.picks, option) if again else option.alone_log
        if more == NEVER:
            continue
        pairs = before.pairs if option.pair is None else (*before.pairs, option.pair)
        weight = before.weight + more
        score = weight + arrangement_log(tuple(pairs), situation.model)
        found.append(_Partial(weight, (*before.picks, number), pairs, score))
    return found


def _part_log(situation: _Situation, position: int, number: int, picks: tuple[int, ...], option: _Option) -> float:
    """Return the weight of a further part of an ulcer: anywhere within its former outline."""
    if option.sure:
        return 0.0
    belief, model = situation.beliefs[number], situation.model
    observations = situation.scan.observations
    parts = [observations[i] for i, pick in enumerate(picks) if pick == number] + [observations[position]]
    if any(part.only_possible for part in parts):
        return NEVER
    if not fit_together(parts, belief.latest, model.protocol):
        return NEVER
    if belief.parts:
        return option.alone_log + math.log1p(-situation.shares[number])
    rules = model.protocol.identity
    room = math.pi / 4 * (rules.outline_growth * belief.latest.diameter_mm) ** 2
    log = (
        math.log(rules.split_odds) + math.log(rules.new_ulcer_range_mm**2 / room) + math.log(belief.open_share + _LEAST)
    )
    # Of an ulcer that splits no part says how its size runs.
    return log - (size_log(belief, parts[0], model) if len(parts) == 2 else 0.0)


def _weight(situation: _Situation, picks: tuple[int, ...]) -> float:
    """Return the log weight of one way, places of all outlines together, whether or not the finger moved."""
    total, offsets, pairs, parted = 0.0, list[Offset](), list[Pair](), set[int]()
    for position, number in enumerate(picks):
        if number == NEW:
            total += situation.births[position]
            continue
        option = situation.options[position][number]
        if number in parted:
            total += _part_log(situation, position, number, picks[:position], option)
            continue
        parted.add(number)
        total += option.log_weight
        if option.offset is not None:
            offsets.append(option.offset)
        elif option.pair is not None:
            pairs.append(option.pair)
    if situation.scan.shows_all:
        total += sum(math.log1p(-share) for share in situation.shares)
    return total + _place_mixture(offsets, situation.model)[0] + arrangement_log(tuple(pairs), situation.model)


def _place_mixture(offsets: Sequence[Offset], model: Model) -> tuple[float, bool]:
    """Return the log odds of the places, and whether the finger has rather moved."""
    if not offsets:
        return 0.0, False
    share = model.protocol.identity.finger_moved_share
    still = math.log1p(-share) + place_log(offsets, model, moved=False)
    moved = math.log(share) + place_log(offsets, model, moved=True) if share > 0 else NEVER
    high = max(still, moved)
    return high + math.log(math.exp(still - high) + math.exp(moved - high)), moved > still


def _after(
    before: Explanation, situation: _Situation, picks: tuple[int, ...], weight: float, *, any_host: bool = False
) -> list[Explanation]:
    """Return the explanation with this photo; two where an outline may have taken a second ulcer in."""
    scan, model = situation.scan, situation.model
    offsets = [o for i, k in enumerate(picks) if k != NEW and (o := situation.options[i][k].offset) is not None]
    moved = _place_mixture(offsets, model)[1]
    beliefs = list(situation.beliefs)
    clusters = list(before.clusters)
    for position, number in enumerate(picks):
        clusters.append(number if number != NEW else _begin(beliefs, scan.observations[position], situation))
    for number in sorted(set(picks) - {NEW}):
        parts = [scan.observations[i] for i, pick in enumerate(picks) if pick == number]
        placed = [replace(part, places={}) for part in parts] if moved else parts
        beliefs[number] = observed(beliefs[number], placed, scan.occasion, model)
    merges = _merges(situation, picks)
    if merges is None and not any_host:
        return []
    plain = _closing(beliefs, situation, picks)
    opened = before.openings_log + sum(situation.openings[i] for i, number in enumerate(picks) if number == NEW)
    without = Explanation(before.log_weight + weight, plain, tuple(clusters), before.merges, opened)
    if not merges:
        return [without]
    less = without.log_weight + len(merges) * math.log(model.protocol.identity.closed_under_share)
    return [_merged(without, situation, merges), replace(without, log_weight=less)]


def _begin(beliefs: list[Belief], observation: Observation, situation: _Situation) -> int:
    """Begin an ulcer and return its number; of outlines of one photo that have one id already they are its parts."""
    occasion, model = situation.scan.occasion, situation.model
    for number in range(len(situation.beliefs), len(beliefs)):
        begun = beliefs[number]
        if observation.issued and begun.issued == observation.issued:
            parts = (*(begun.parts or (begun.latest,)), observation)
            beliefs[number] = replace(begin(combine(parts, parts=True), occasion, model), parts=parts)
            return number
    beliefs.append(begin(observation, occasion, model))
    return len(beliefs) - 1


def _closing(beliefs: Sequence[Belief], situation: _Situation, picks: tuple[int, ...]) -> tuple[Belief, ...]:
    """Return the beliefs, those not outlined where they would have shown being less likely open now."""
    if not situation.scan.shows_all:
        return tuple(beliefs)
    known = len(situation.shares)
    return tuple(
        _not_outlined(belief, situation.shares[number], situation.scan.occasion)
        if number < known and number not in picks
        else belief
        for number, belief in enumerate(beliefs)
    )


def _not_outlined(belief: Belief, share: float, occasion: int) -> Belief:
    missed = share > belief.open_share / 2 and not belief.is_gone(occasion)
    return replace(
        belief,
        open_share=_still_open(belief.open_share, share),
        stayed_share=belief.stayed_if_open * _still_open(belief.open_share, share),
        missed=(*belief.missed, occasion) if missed else belief.missed,
    )


def _still_open(open_share: float, outlined_share: float) -> float:
    return max(open_share - outlined_share, 0.0) / (1 - outlined_share)


def _merges(situation: _Situation, picks: tuple[int, ...]) -> list[Merge] | None:
    """Return which ulcers may have gone into another's outline; None where the larger one is not the host.

    The larger former ulcer keeps its identity, unless the clinic's number says otherwise.
    """
    merges = []
    for goes, lost in enumerate(situation.beliefs):
        if goes in picks or lost.is_gone(situation.scan.occasion) or lost.open_share < 0.5:
            continue
        for position, keeps in enumerate(picks):
            if keeps == NEW or picks.count(keeps) > 1:
                continue
            outline, host = situation.scan.observations[position], situation.beliefs[keeps]
            if host.open_share < 0.5 or outline.only_possible or (outline.number and outline.number == lost.number):
                continue
            if covers_both(outline, host.latest, lost.latest, situation.model.protocol):
                named = outline.number or situation.options[position][keeps].sure
                if lost.latest.area_mm2 > host.latest.area_mm2 and not named:
                    return None
                merges.append(Merge(situation.scan.occasion, goes, keeps))
                break
    return merges


def _merged(without: Explanation, situation: _Situation, merges: Sequence[Merge]) -> Explanation:
    beliefs, weight = list(without.beliefs), without.log_weight
    for merge in merges:
        share = situation.shares[merge.goes]
        weight += math.log(situation.model.protocol.identity.merged_share * share)
        weight -= math.log1p(-share) if situation.scan.shows_all else 0.0
        beliefs[merge.goes] = replace(beliefs[merge.goes], merged_on=merge.occasion)
    return replace(without, log_weight=weight, beliefs=tuple(beliefs), merges=(*without.merges, *merges))
