"""How probable it is that an ulcer was open at a visit, by all visits before and after it."""

from __future__ import annotations

from dataclasses import replace

from ulcermeter.protocol import Protocol
from ulcermeter.tracking.belief import Belief

__all__ = ["at_visit", "open_between"]

# Probability of what is ruled out: its logarithm is taken.
_NOT = 1e-9


def at_visit(belief: Belief, occasion: int, protocol: Protocol) -> Belief:
    """Return what is believed of an ulcer at a visit, once visits before and after it are known.

    Parameters
    ----------
    belief : Belief
        After all of these visits.
    occasion : int
        The visit's number.
    protocol : Protocol

    Returns
    -------
    Belief
        As it was outlined at the visit nearest in time, of two the earlier.
    """
    at, nearest = min(belief.observed, key=lambda observed: (abs(observed[0] - occasion), observed[0]))
    open_share = open_between(belief, occasion, protocol)
    stayed = open_share * _stayed_if_open(belief, min(at, occasion), max(at, occasion), protocol)
    return replace(
        belief, latest=nearest, parts=(), open_share=open_share, stayed_share=stayed, visits_since=occasion - at
    )


def _stayed_if_open(belief: Belief, start: int, end: int, protocol: Protocol) -> float:
    """Return the probability that what is open at both of two visits has not closed in between."""
    ways, stayed = (0.0, 1.0, 0.0), 1.0
    for number in range(start + 1, end + 1):
        seen = _shown(belief, number, protocol) if number < end else (1.0, 1.0, 1.0)
        before, now, after = _step(ways, protocol)
        ways = (before * seen[0], now * seen[1], after * seen[2])
        stayed *= (1 - protocol.identity.ulcers_healed_per_visit) * seen[1]
    return stayed / ways[1]


def open_between(belief: Belief, occasion: int, protocol: Protocol) -> float:
    """Return the probability that an ulcer was open at a visit.

    A hidden Markov chain of not yet there, open and closed (forward and backward): outlined is open, and not outlined
    where it would have shown is open only as often as outlines are missed.

    Parameters
    ----------
    belief : Belief
        When it was outlined, and when it was not though it would have shown.
    occasion : int
        The visit's number.
    protocol : Protocol
        ``ulcers_healed_per_visit``, ``ulcers_recurred_per_visit``, ``ulcer_outlined_share``,
        ``there_at_first_share``, ``opens_per_visit``.

    Returns
    -------
    float
    """
    last = max(occasion, *(observed for observed, _ in belief.observed), *belief.missed)
    forward = [_there_at_first(belief, protocol)]
    for number in range(1, last + 1):
        moved = _step(forward[-1], protocol)
        forward.append(_times(moved, _shown(belief, number, protocol)))
    backward = (1.0, 1.0, 1.0)
    for number in range(last, occasion, -1):
        backward = _step_back(_times(backward, _shown(belief, number, protocol)), protocol)
    before, now, after = _times(forward[occasion], backward)
    return now / (before + now + after)


_Share = tuple[float, float, float]


def _there_at_first(belief: Belief, protocol: Protocol) -> _Share:
    there = protocol.identity.there_at_first_share
    return _times((1 - there, there, _NOT), _shown(belief, 0, protocol))


def _times(a: _Share, b: _Share) -> _Share:
    product = (a[0] * b[0], a[1] * b[1], a[2] * b[2])
    total = sum(product)
    return product[0] / total, product[1] / total, product[2] / total


def _shown(belief: Belief, number: int, protocol: Protocol) -> _Share:
    """Return how well not yet there, open and closed go with what was seen at a visit."""
    if any(observed == number for observed, _ in belief.observed):
        return _NOT, 1.0, _NOT
    return (1.0, 1 - protocol.identity.ulcer_outlined_share, 1.0) if number in belief.missed else (1.0, 1.0, 1.0)


def _step(share: _Share, protocol: Protocol) -> _Share:
    rules = protocol.identity
    heals, recurs, opens = rules.ulcers_healed_per_visit, rules.ulcers_recurred_per_visit, rules.opens_per_visit
    before, now, after = share
    return (
        before * (1 - opens),
        before * opens + now * (1 - heals) + after * recurs,
        now * heals + after * (1 - recurs),
    )


def _step_back(share: _Share, protocol: Protocol) -> _Share:
    rules = protocol.identity
    heals, recurs, opens = rules.ulcers_healed_per_visit, rules.ulcers_recurred_per_visit, rules.opens_per_visit
    before, now, after = share
    return (
        before * (1 - opens) + now * opens,
        now * (1 - heals) + after * heals,
        now * recurs + after * (1 - recurs),
    )
