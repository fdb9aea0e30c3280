"""Ids of ulcers: issued once, kept for good."""

from __future__ import annotations

from ulcermeter.tracking.posterior import Identified
from ulcermeter.tracking.reading import Finger

__all__ = ["name_ulcers"]


def name_ulcers(finger: Finger, identified: Identified) -> dict[int, str]:
    """Give every ulcer of a finger its id: the one it has, else the next number.

    New ones are numbered by first appearance, then from the tip: ``S01-left-index-1``.

    Parameters
    ----------
    finger : Finger
    identified : Identified

    Returns
    -------
    dict of int to str
        By the ulcers' numbers, in the order of first appearance.
    """
    stem = f"{finger.subject_id}-{finger.hand}-{finger.finger}-"
    first: dict[int, tuple[object, ...]] = {}
    issued: dict[int, str] = {}
    for link in identified.links:
        first.setdefault(link.ulcer, (link.visit, *link.observation.order()))
        if link.observation.issued:
            issued.setdefault(link.ulcer, link.observation.issued)
    taken = [int(name.removeprefix(stem)) for name in finger.issued if name.removeprefix(stem).isdecimal()]
    last = max(taken, default=0)
    names = {}
    for ulcer in sorted(first, key=lambda k: first[k]):
        if ulcer not in issued:
            last += 1
        names[ulcer] = issued.get(ulcer, f"{stem}{last}")
    return names
