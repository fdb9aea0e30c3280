"""How a hand is held: flexion and spread of each joint, drawn by chance, and the bones turned by it.

The numbers of the holds are angles in degrees and shares of a full bend, chosen by eye (assumption): anatomy's ranges,
wide enough that the finger network meets what it may meet. They place the drawn fingers; their truth is read off the
mesh.
"""

from __future__ import annotations

import numpy as np

from ulcermeter.datatypes.arrays import Floats
from ulcermeter.phantom.hands.body import BONES
from ulcermeter.phantom.hands.rest_pose import RestHand

# For each bone its flexion (towards the palm) and spread (towards the thumb's side), degrees.
Pose = dict[str, tuple[float, float]]

POSES = ("flat", "relaxed", "mixed", "pointing", "fist", "contracture", "crossing", "pinch")
# Of `POSES`: hands laid flat or relaxed for a photo are the most (assumption).
PROBABILITIES = (0.20, 0.22, 0.19, 0.10, 0.12, 0.07, 0.06, 0.04)
# Flexion of a finger's three joints when it is clenched, of the first two when it is open, and what the last differs
# by, degrees.
FULL_BEND_DEG, OPEN_DEG, END_DEG = (78, 100, 62), (-4, 2), 6


def draw_pose(hand: RestHand, rng: np.random.Generator, *, kind: str | None = None, touching: bool = False) -> Pose:
    """Draw how a hand is held.

    Parameters
    ----------
    hand : RestHand
        The hand at rest: its own resting flexion is taken off.
    rng : Generator
        What chance is drawn from.
    kind : str, optional
        One of `POSES`; without it one of them by chance.
    touching : bool
        Neighbours lie close.

    Returns
    -------
    Pose
        Flexion and spread of each bone, degrees.
    """
    chosen = str(rng.choice(POSES, p=PROBABILITIES)) if kind is None else kind
    # Straight fingers fan out by themselves; 1 makes them parallel, more makes them touch.
    together = rng.uniform(0.85, 1.35) if touching else rng.uniform(-0.35, 1.25)
    bend, pointing = rng.uniform(0, 0.5), int(rng.integers(2, 6))
    pose: Pose = {"wrist": (rng.normal(0, 12), rng.normal(0, 8))}
    for finger in range(2, 6):
        curl = _curl(chosen, bend, pointing=finger == pointing, rng=rng)
        side = _fan_deg(hand, finger) * together + rng.uniform(-2, 2)
        wanted = curl * FULL_BEND_DEG + (*OPEN_DEG, rng.uniform(-END_DEG, END_DEG))
        first, second, third = wanted - _resting_flexion_deg(hand, finger)
        pose[f"finger{finger}-1"] = (float(first), side)
        pose[f"finger{finger}-2"] = (float(second), 0.0)
        pose[f"finger{finger}-3"] = (float(third), 0.0)
    if chosen == "crossing":
        _cross(pose, int(rng.integers(2, 5)), rng)
    _bend_thumb(pose, chosen, rng)
    return pose


def _curl(kind: str, bend: float, *, pointing: bool, rng: np.random.Generator) -> Floats:
    """Return how far each of a finger's joints is bent, 0 straight to 1 clenched."""
    if kind == "contracture":
        return np.array([rng.uniform(-0.25, 0.2), rng.uniform(0.4, 0.95), rng.uniform(0.1, 0.9)])
    if kind == "fist" or (kind == "pointing" and not pointing):
        return np.full(3, rng.uniform(0.6, 1.05)) * rng.uniform(0.9, 1.1, 3)
    if kind == "pinch":
        return np.array([0.75, 0.5, 0.4]) * rng.uniform(0.7, 1.1) if pointing else np.full(3, rng.uniform(0.1, 0.6))
    if kind == "relaxed":
        return np.full(3, bend * 0.7 + rng.uniform(0, 0.12))
    if kind == "mixed":
        return np.full(3, rng.uniform(0, 1) ** 1.5) * rng.uniform(0.7, 1.3, 3)
    return rng.uniform(-0.02, 0.1, 3)


def _fan_deg(hand: RestHand, finger: int) -> float:
    way = hand.joints(finger)[0] - hand.joints(finger)[3]
    return float(np.degrees(np.arctan2(way[0], way[1])))


def _resting_flexion_deg(hand: RestHand, finger: int) -> Floats:
    """Return how far a finger's three joints are bent in the mesh as it comes, knuckle first."""
    ways = np.diff(hand.joints(finger)[::-1], axis=0)
    return np.diff(np.degrees(np.arctan2(ways[:, 2], np.hypot(ways[:, 0], ways[:, 1]))), prepend=0.0)


def _cross(pose: Pose, finger: int, rng: np.random.Generator) -> None:
    """Lay one finger over its neighbour."""
    for own, turn in ((finger, 1.0), (finger + 1, -1.0)):
        flexion, spread = pose[f"finger{own}-1"]
        pose[f"finger{own}-1"] = (
            flexion + (rng.uniform(8, 25) if turn > 0 else 0.0),
            spread + turn * rng.uniform(4, 14),
        )


def _bend_thumb(pose: Pose, kind: str, rng: np.random.Generator) -> None:
    bend = rng.uniform(0.6, 1.0) if kind in ("fist", "pinch") else rng.uniform(0, 1)
    pose["finger1-1"] = (bend * 20, rng.uniform(-8, 22))
    pose["finger1-2"] = (bend * rng.uniform(15, 40), 0.0)
    pose["finger1-3"] = (bend * rng.uniform(20, 55) - 5, 0.0)


def bone_transforms(hand: RestHand, pose: Pose) -> Floats:
    """Return what moves each bone from rest to its pose, parents first.

    Parameters
    ----------
    hand : RestHand
        The hand at rest, mm.
    pose : Pose
        Flexion and spread of each bone, degrees; a bone that is not named stays.

    Returns
    -------
    float64 (B, 4, 4)
        In the order of `BONES`, mm.
    """
    moves = np.empty((len(BONES), 4, 4))
    for index, bone in enumerate(BONES):
        parent = hand.body.parents[index]
        flexion, spread = pose.get(bone, (0.0, 0.0))
        turn = _turn(np.array([0.0, 0, 1]), spread) @ _turn(_flexion_axis(hand, index), flexion)
        own = np.eye(4)
        own[:3, :3] = turn
        own[:3, 3] = hand.heads[index] - turn @ hand.heads[index]
        moves[index] = own if parent < 0 else moves[parent] @ own
    return moves


def _flexion_axis(hand: RestHand, index: int) -> Floats:
    """Return the axis that bends a bone towards the palm; the thumb bends across it."""
    along = hand.tails[index] - hand.heads[index]
    if BONES[index].startswith("finger1"):
        return -np.cross(along, np.array([0.35, 0.0, 0.94]))
    return np.cross(along, np.array([0.0, 0, 1]))


def _turn(axis: Floats, angle_deg: float) -> Floats:
    """Return the rotation (3, 3) about an axis by Rodrigues' formula."""
    x, y, z = axis / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.deg2rad(angle_deg)
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)


def moved(points: Floats, transforms: Floats, weights: Floats) -> Floats:
    """Move points by linear blend skinning: the mean of what their bones do, by weight.

    Parameters
    ----------
    points : float64 (K, 3)
        At rest, mm.
    transforms : float64 (B, 4, 4)
        What moves each bone, see `bone_transforms`.
    weights : float64 (K, B)
        How much each bone moves a point, 0..1; what lacks to 1 stays at rest.

    Returns
    -------
    float64 (K, 3)
        As posed, mm.
    """
    rotated = np.einsum("bij,kj->kbi", transforms[:, :3, :3], points) + transforms[None, :, :3, 3]
    return np.asarray(np.einsum("kb,kbi->ki", weights, rotated) + (1 - weights.sum(1))[:, None] * points)
