"""Which finger each fingertip of an open hand is: by the hand's shape, and by the side that the row says is seen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ulcermeter.finger.candidates import FingerEnd

__all__ = ["HAND_FINGERS", "NamedEnd", "end_of_finger", "hand_features"]

Floats = NDArray[np.float64]

HAND_FINGERS = ("thumb", "index", "middle", "ring", "little")
SHAPE_FILE = Path(__file__).parent / "weights" / "hand_shape.json"
# How often a row's hand and view are right, or the photo is not mirrored: assumption.
_SIDE_RIGHT = 0.97
# How sure a name must be, and how far from the shapes of drawn hands (squared Mahalanobis distance, 15 features, of
# which 13 are free) the hand may lie. Of 345 fingers of drawn hands held out it names 184 with the right side given,
# 137 with none and 75 with the wrong one, none of them wrongly (`tests/studies/hand_shape.py`).
_LEAST_PROBABILITY, _FARTHEST = 0.95, 20.0
# A view from the back of a right hand, fingers up, has the thumb left: the little finger lies right of the index.
_THUMB_LEFT = {("right", "dorsal"), ("left", "palmar")}
_THUMB_RIGHT = {("left", "dorsal"), ("right", "palmar")}


@dataclass(frozen=True)
class NamedEnd:
    """A fingertip that the row's words chose.

    Attributes
    ----------
    end : FingerEnd
    probability : float
        That it is the finger named, 0..1.
    """

    end: FingerEnd
    probability: float


def end_of_finger(ends: Sequence[FingerEnd], *, hand: str, finger: str, view: str) -> NamedEnd | None:
    """Choose a finger's end among those of one open hand.

    All five ends must be in view: of four, the hand's shape does not say which is missing (27 of 208 fingers of real
    open hands would be sure). Every order of the five, as they are and mirrored, is held against the shapes of drawn
    hands; the row's hand and view say which of the two sides is likely.

    Parameters
    ----------
    ends : sequence of FingerEnd
        From `finger_ends`.
    hand : str
        left or right; empty where not known.
    finger : str
        One of `HAND_FINGERS`.
    view : str
        palmar, dorsal or another; empty where not known.

    Returns
    -------
    NamedEnd or None
        None unless it is sure.
    """
    if len(ends) != len(HAND_FINGERS) or finger not in HAND_FINGERS:
        return None
    tips, ways = np.array([end.tip_px for end in ends]), np.array([end.inwards for end in ends])
    widths = np.array([end.width_px for end in ends])
    share, place = np.zeros(len(ends)), HAND_FINGERS.index(finger)
    scored = []
    for order in permutations(range(len(ends))):
        for mirrored, prior in enumerate(_priors(hand, view)):
            features = hand_features(tips[[*order]], ways[[*order]], widths[[*order]], mirrored=bool(mirrored))
            scored.append((_distance(features), _side_by_side(features), order[place], prior))
    nearest, side_by_side, _, _ = min(scored)
    for distance, _, end, prior in scored:
        share[end] += prior * np.exp(-0.5 * (distance - nearest))
    best = int(share.argmax())
    probability = float(share[best] / share.sum())
    if probability < _LEAST_PROBABILITY or nearest > _FARTHEST or not side_by_side:
        return None
    return NamedEnd(ends[best], probability)


def hand_features(tips_px: Floats, inwards: Floats, widths_px: Floats, *, mirrored: bool) -> Floats:
    """Describe five fingertips, thumb to little finger, wherever the hand lies and however it is turned.

    Parameters
    ----------
    tips_px, inwards : float64 (5, 2)
        Tips, and unit vectors from them towards the hand.
    widths_px : float64 (5,)
        Widths of the end phalanges.
    mirrored : bool
        Whether the thumb lies right where the fingers point up.

    Returns
    -------
    float64 (15,)
        Places from their mean, in finger widths: across (towards the little finger) and towards the hand, by finger;
        then directions from the fingers' own mean, radians.
    """
    ahead = inwards[1:].mean(axis=0)
    ahead = ahead / max(float(np.hypot(*ahead)), 1e-9)
    aside = np.array([ahead[1], -ahead[0]]) * (-1.0 if mirrored else 1.0)
    away = (tips_px - tips_px.mean(axis=0)) / float(np.median(widths_px[1:]))
    places = np.column_stack([away @ aside, away @ ahead])
    return np.concatenate([places.ravel(), np.arctan2(inwards @ aside, inwards @ ahead)])


def _priors(hand: str, view: str) -> tuple[float, float]:
    """Return how likely the thumb lies left, and right, where the fingers point up."""
    if (hand, view) in _THUMB_LEFT:
        return _SIDE_RIGHT, 1 - _SIDE_RIGHT
    return (1 - _SIDE_RIGHT, _SIDE_RIGHT) if (hand, view) in _THUMB_RIGHT else (0.5, 0.5)


def _side_by_side(features: Floats) -> bool:
    """Say whether index, middle, ring and little finger lie in this order across the hand: they do not cross."""
    return bool((np.diff(features[2:10:2]) > 0).all())


def _distance(features: Floats) -> float:
    """Return the squared Mahalanobis distance from the shapes of drawn hands."""
    mean, inverse = _shape()
    off = features - mean
    return float(off @ inverse @ off)


@lru_cache(maxsize=1)
def _shape() -> tuple[Floats, Floats]:
    content = json.loads(SHAPE_FILE.read_text(encoding="utf-8"))
    return np.array(content["mean"]), np.linalg.inv(np.array(content["covariance"]))
