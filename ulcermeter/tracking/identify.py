"""Which outlines of a finger are one ulcer: the likeliest explanation of all its photos together, and how likely.

Photos are taken in time order. Each explanation of those before goes on in all likely ways with the next (multiple
hypothesis tracking, Reid 1979, doi 10.1109/TAC.1979.1102177); the weights of whole explanations, once all photos are
in, say how probable each link is, so that later visits decide on earlier ones too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from ulcermeter.protocol import Protocol
from ulcermeter.tracking.belief import Model
from ulcermeter.tracking.explain import Explanation, Scan, explain
from ulcermeter.tracking.likelihood import openings_log
from ulcermeter.tracking.posterior import Identified, most_right, weigh
from ulcermeter.tracking.reading import Finger, Occasion
from ulcermeter.tracking.sides import opposite

__all__ = ["identify", "likeliest", "scans_of"]

# So many explanations go on from photo to photo, and none e^8 times less likely than the best.
_MOST, _GAP = 60, 8.0


def scans_of(finger: Finger, protocol: Protocol) -> list[Scan]:
    """Return a finger's passing photos in time order, those of a visit in an order that no file name decides.

    Parameters
    ----------
    finger : Finger
    protocol : Protocol
        How many new ulcers are to be expected on a photo: ``ulcers_new_per_visit`` and ``ulcers_on_...``.

    Returns
    -------
    list of Scan
    """
    scans: list[Scan] = []
    sides: set[str] = set()
    for number, occasion in enumerate(finger.occasions):
        photos = [_scan(finger, occasion, number, name) for name in _passing(finger, occasion)]
        for scan in sorted(photos, key=_order):
            rate = _new_rate(scan.view, sides, protocol)
            scans.append(replace(scan, new_rate=rate, planned=protocol.places.get(occasion.visit)))
            sides.add(scan.view)
    return scans


def _passing(finger: Finger, occasion: Occasion) -> list[str]:
    return sorted({photo.photo for photo in finger.photos[occasion] if photo.passed})


def _scan(finger: Finger, occasion: Occasion, number: int, name: str) -> Scan:
    rows = [photo for photo in finger.photos[occasion] if photo.photo == name]
    shows_all = any(p.passed and not p.covered and p.click_px is None and not p.number for p in rows)
    observations = finger.observations[occasion].get(name, ())
    late = bool(observations) and not any(o.places for o in observations)
    return Scan(number, 0, late, rows[0].view, observations, shows_all, 0.0)


def _order(scan: Scan) -> tuple[object, ...]:
    outlines = tuple((*o.order()[:2], o.diameter_mm, o.area_mm2) for o in scan.observations)
    placed = sum(bool(o.places) for o in scan.observations)
    names = tuple(sorted(name for o in scan.observations for name in o.photos))
    return (-placed, -len(outlines), scan.view, outlines, names)


def _new_rate(view: str, sides: set[str], protocol: Protocol) -> float:
    if not sides:
        return protocol.identity.ulcers_on_first_photo
    if view in sides:
        return protocol.identity.ulcers_new_per_visit
    opposed = not view or all(opposite(view, side) or not side for side in sides)
    return protocol.identity.ulcers_on_other_side if opposed else protocol.identity.ulcers_on_side_beside


def _explain_all(scans: Sequence[Scan], model: Model, most: int) -> list[Explanation]:
    explanations = [Explanation(0.0, ())]
    order = _taken_up(scans)
    for scan in _stepped([scans[k] for k in order]):
        after = [one for explanation in explanations for one in explain(explanation, scan, model)]
        after.sort(key=lambda one: (-one.log_weight, one.clusters))
        explanations = [one for one in after[:most] if one.log_weight > after[0].log_weight - _GAP]
    weighed = (_weighed_again(one, model) for one in explanations)
    ended = [replace(one, clusters=_in_time(one.clusters, scans, order)) for one in weighed]
    return sorted(ended, key=lambda one: (-one.log_weight, one.clusters))


def _weighed_again(explanation: Explanation, model: Model) -> Explanation:
    """Return an explanation of all photos, its new ulcers being where all photos together say."""
    now = openings_log(explanation.beliefs, model)
    return replace(explanation, log_weight=explanation.log_weight + now - explanation.openings_log, openings_log=now)


def _taken_up(scans: Sequence[Scan]) -> list[int]:
    """Return the order in which photos are explained: those whose finger was found first, then the others.

    What no place tells apart is so held against all places, of later visits too.
    """
    return sorted(range(len(scans)), key=lambda k: (scans[k].is_late, k))


def _stepped(scans: Sequence[Scan]) -> list[Scan]:
    """Say of each photo how many visits lie between it and the one before, and how many new ulcers came up in them."""
    stepped: list[Scan] = []
    for scan in scans:
        before = stepped[-1] if stepped else scan
        steps = 0 if scan.is_late or scan.occasion == before.occasion else 1
        if steps and scan.planned is not None and before.planned is not None:
            steps = max(scan.planned - before.planned, 1)
        known_side = any(other.view == scan.view and other.occasion < scan.occasion for other in scans)
        rate = scan.new_rate * max(steps, 1) if known_side else scan.new_rate
        stepped.append(replace(scan, steps=steps, new_rate=rate))
    return stepped


def _in_time(clusters: Sequence[int], scans: Sequence[Scan], order: Sequence[int]) -> tuple[int, ...]:
    """Bring the ulcers of the outlines from the order in which photos were explained into that of time."""
    of_photo: dict[int, list[int]] = {}
    rest = list(clusters)
    for k in order:
        count = len(scans[k].observations)
        of_photo[k], rest = rest[:count], rest[count:]
    return tuple(ulcer for k in range(len(scans)) for ulcer in of_photo[k])


def likeliest(finger: Finger, model: Model) -> tuple[float, Explanation]:
    """Return the log probability of a finger's outlines under a model, up to a constant, and the likeliest explanation.

    Few explanations suffice.

    Parameters
    ----------
    finger : Finger
    model : Model

    Returns
    -------
    float, Explanation
    """
    explanations = _explain_all(scans_of(finger, model.protocol), model, 6)
    top = explanations[0].log_weight
    return top + math.log(math.fsum(math.exp(one.log_weight - top) for one in explanations)), explanations[0]


def identify(finger: Finger, model: Model) -> Identified:
    """Say which outlines of a finger are one ulcer.

    What has an id already keeps it. Probabilities are those without the ids that were issued by the program, so that a
    link that later photos speak against is noticed; what a reader has said holds.

    Parameters
    ----------
    finger : Finger
    model : Model

    Returns
    -------
    Identified
    """
    scans = scans_of(finger, model.protocol)
    free = _explain_all([_only_settled(scan) for scan in scans], model, _MOST)
    issued = any(o.issued and not o.is_settled for scan in scans for o in scan.observations)
    best = _explain_all(scans, model, _MOST)[0] if issued else most_right(free)
    return weigh(scans, best, free)


def _only_settled(scan: Scan) -> Scan:
    kept = tuple(o if o.is_settled else replace(o, issued="") for o in scan.observations)
    return replace(scan, observations=kept)
