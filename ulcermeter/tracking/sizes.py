"""How the diameters of ulcers run from visit to visit, and how large new ones are, in the study at hand."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from statistics import median

from ulcermeter.protocol import Protocol
from ulcermeter.tracking.belief import Belief, Sizes, usual_sizes
from ulcermeter.tracking.explain import Explanation
from ulcermeter.tracking.reading import Finger, visits_of

__all__ = ["sizes_of"]

# Median of the absolute value of Student's t with 3 degrees of freedom, and of a standard normal deviate.
_T3_MEDIAN, _NORMAL_MEDIAN = 0.7649, 0.6745
# Sizes of new ulcers that many, or the study at most, speak for: the others have any size [assumption].
_USUAL_MOST = 0.8
# No study's ulcers are so alike that sizes lie closer together than this, ln(mm) [assumption: as outlines repeat].
_LEAST_SD = 0.05


def sizes_of(explained: Iterable[tuple[Finger, Explanation]], protocol: Protocol) -> Sizes:
    """Return how sizes run in a study, the protocol's expectation weighing as much as ``size_prior_outlines``.

    Medians, so that a few wrong links change little.

    Parameters
    ----------
    explained : iterable of (Finger, Explanation)
        The likeliest explanation of every finger.
    protocol : Protocol

    Returns
    -------
    Sizes
    """
    changes: list[tuple[float, int]] = []
    new: list[float] = []
    for finger, explanation in explained:
        first = min((belief.began for belief in explanation.beliefs), default=0)
        visits = visits_of(finger, protocol)
        for belief in explanation.beliefs:
            changes += _changes(belief, visits)
            at, born = min(belief.observed, key=lambda one: one[0])
            new += [math.log(born.diameter_mm)] if at > first and born.diameter_mm > 0 else []
    prior = protocol.identity.size_prior_outlines
    usual = usual_sizes(protocol)
    change, scale = _middle([d / n for d, n in changes]), usual.change_log_sd
    if changes:
        own = max(_middle([abs(d - change * n) / math.sqrt(n) for d, n in changes]) / _T3_MEDIAN, _LEAST_SD)
        scale = math.sqrt((prior * scale**2 + len(changes) * own**2) / (prior + len(changes)))
    size = _middle(new)
    return Sizes(
        change_log=change * len(changes) / (prior + len(changes)),
        change_log_sd=scale,
        new_share=_USUAL_MOST * len(new) / (prior + len(new)),
        new_log=size,
        new_log_sd=max(_middle([abs(one - size) for one in new]) / _NORMAL_MEDIAN, 2 * _LEAST_SD),
    )


def _middle(values: Sequence[float]) -> float:
    return median(values) if values else 0.0


def _changes(belief: Belief, at: Sequence[int]) -> Iterator[tuple[float, int]]:
    """Yield the changes of an ulcer's log diameter while it stayed open, and over how many of the protocol's visits."""
    in_time = sorted(belief.observed, key=lambda one: one[0])
    for (before, then), (after, now) in pairwise(in_time):
        closed = any(before < at < after for at in belief.missed)
        if before == after or closed or not (then.diameter_mm > 0 and now.diameter_mm > 0):
            continue
        yield math.log(now.diameter_mm / then.diameter_mm), at[after] - at[before]
