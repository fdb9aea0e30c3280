"""A hand at rest: the mesh in mm, each finger's own coordinates, and the shapes that disease and chance give it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from ulcermeter.datatypes.arrays import Floats
from ulcermeter.phantom.hands.body import BONES, MM_PER_UNIT, Body, shaped


@dataclass(frozen=True)
class RestHand:
    """A right hand at rest, x towards the thumb's side, y towards the fingertips, z out of the palm; mm.

    Attributes
    ----------
    body : Body
    points : float64 (U, 3)
    heads, tails : float64 (B, 3)
        Beginning and end of each bone.
    """

    body: Body = field(repr=False)
    points: Floats = field(repr=False)
    heads: Floats = field(repr=False)
    tails: Floats = field(repr=False)

    def joints(self, finger: int) -> Floats:
        """Return a finger's (1 to 5) tip and three joints (4, 3), from the tip inwards."""
        bones = [BONES.index(f"finger{finger}-{part}") for part in (3, 2, 1)]
        return np.vstack([self.tails[bones[0]], self.heads[bones]])

    def share(self, finger: int) -> Floats:
        """Return how much a finger's bones move each vertex (U,), 0..1."""
        own = [BONES.index(f"finger{finger}-{part}") for part in (1, 2, 3)]
        return np.asarray(self.body.weights[:, own].sum(1))


@dataclass(frozen=True)
class FingerShape:
    """How one finger departs from a healthy one.

    Attributes
    ----------
    end_share : float
        Length of the end phalanx as a share of what it was; under 1 is a short, resorbed tip.
    girth : float
        Thickness as a share of what it was; over 1.15 is a sausage finger.
    taper : float
        How much thinner than the rest the tip is, as a share.
    wrapped_mm : (float, float)
        From where to where, from the tip, a dressing of `wrap_mm` thickness lies; equal = none.
    """

    end_share: float = 1.0
    girth: float = 1.0
    taper: float = 0.0
    wrapped_mm: tuple[float, float] = (0.0, 0.0)
    wrap_mm: float = 0.0


def hand_at_rest(body: Body, targets: Mapping[str, float]) -> RestHand:
    """Take the right hand out of the shaped body, turned and scaled to its own frame.

    Parameters
    ----------
    body : Body
        MakeHuman's mesh.
    targets : mapping of str to float
        Shares of its shapes, see `shaped`.

    Returns
    -------
    RestHand
        In mm; origin at the middle finger's knuckle.
    """
    vertices = shaped(body, targets)
    heads = np.array([vertices[own].mean(0) for own in body.heads])
    tails = np.array([vertices[own].mean(0) for own in body.tails])
    wrist, index, middle, little = (
        heads[BONES.index(name)] for name in ("wrist", "finger2-1", "finger3-1", "finger5-1")
    )
    y = (middle - wrist) / np.linalg.norm(middle - wrist)
    z = np.cross(index - little, y)
    z /= np.linalg.norm(z)
    frame = np.stack([np.cross(y, z), y, z])
    return RestHand(body, *((each - middle) @ frame.T * MM_PER_UNIT for each in (vertices[body.used], heads, tails)))


def along_finger(points: Floats, joints: Floats) -> tuple[Floats, Floats]:
    """Place points on a finger's chain of joints: the nearest place of each.

    Parameters
    ----------
    points : float64 (K, 3)
        mm.
    joints : float64 (4, 3)
        From the tip inwards, mm.

    Returns
    -------
    s : float64 (K,)
        Distance from the tip along the chain, mm; negative beyond the tip.
    away : float64 (K, 3)
        From the nearest place of the chain to the point, mm.
    """
    best = np.full(len(points), np.inf)
    s, away = np.zeros(len(points)), np.zeros_like(points)
    passed = 0.0
    for part, (start, end) in enumerate(zip(joints[:-1], joints[1:], strict=True)):
        length = float(np.linalg.norm(end - start))
        axis = (end - start) / length
        at = np.clip((points - start) @ axis, -np.inf if part == 0 else 0.0, np.inf if part == 2 else length)
        offset = points - start - at[:, None] * axis
        distance = np.linalg.norm(offset, axis=1)
        nearer = distance < best
        best[nearer], s[nearer], away[nearer] = distance[nearer], passed + at[nearer], offset[nearer]
        passed += length
    return s, away


def reshaped(hand: RestHand, shapes: Mapping[int, FingerShape]) -> RestHand:
    """Give fingers (1 to 5) their shapes: shorter tips, other girths, dressings.

    Parameters
    ----------
    hand : RestHand
        The hand at rest.
    shapes : mapping of int to FingerShape
        By finger, 1 (thumb) to 5.

    Returns
    -------
    RestHand
        Another hand; the given one stays.
    """
    points, tails = hand.points.copy(), hand.tails.copy()
    for finger, shape in shapes.items():
        joints, share = hand.joints(finger), hand.share(finger)[:, None]
        s, away = along_finger(points, joints)
        points += share * away * (_girth(s, shape, float(np.linalg.norm(joints[0] - joints[1]))) - 1)[:, None]
        away_mm = np.linalg.norm(away, axis=1, keepdims=True)
        points += share * away / np.maximum(away_mm, 1.0) * _wrap(s, shape)[:, None]
        end = (joints[0] - joints[1]) / np.linalg.norm(joints[0] - joints[1])
        beyond = np.maximum((points - joints[1]) @ end, 0.0) * (s < np.linalg.norm(joints[0] - joints[1]))
        points -= share * ((1 - shape.end_share) * beyond)[:, None] * end
        tails[BONES.index(f"finger{finger}-3")] = joints[1] + shape.end_share * (joints[0] - joints[1])
    return replace(hand, points=points, tails=tails)


def _girth(s: Floats, shape: FingerShape, end_mm: float) -> Floats:
    base = 1 + (shape.girth - 1) * np.clip((5 * end_mm - s) / (2 * end_mm), 0, 1)
    return base * (1 - shape.taper * np.clip(1 - s / (1.5 * end_mm), 0, 1))


def _wrap(s: Floats, shape: FingerShape) -> Floats:
    low, high = shape.wrapped_mm
    inside = np.clip((s - low + 1.0) / 2.0, 0, 1) * np.clip((high + 1.0 - s) / 2.0, 0, 1)
    return shape.wrap_mm * inside * (high > low)
