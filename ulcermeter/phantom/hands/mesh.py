"""A posed hand as triangles with everything its skin needs to know at each corner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes.arrays import Floats
from ulcermeter.phantom.hands.body import BONES
from ulcermeter.phantom.hands.nails import Plate, nail_plate
from ulcermeter.phantom.hands.pose import Pose, bone_transforms, moved
from ulcermeter.phantom.hands.rest_pose import RestHand, along_finger
from ulcermeter.phantom.hands.subdivision import smooth_hand

# The part of the bone beside the knuckle that still counts for the finger: the web lies there.
FREE_SHARE = 0.55
# The same of the thumb's second phalanx (assumption).
THUMB_FREE_SHARE = 0.7
# Towards the back of a thumb, which the mesh holds sideways, and of a finger, in the hand's frame.
BACK_OF_THUMB, BACK_OF_FINGER = (-0.75, 0.0, -0.66), (0.0, 0.0, -1.0)
# Where a finger's back fades into the palm's: so much of its free length is faded over, and so much of that is still
# all finger (assumption).
FADES_OVER, FADES_FROM = 0.4, 1.5
# Distance from the tip given to the palm, mm: beyond any finger.
FAR_MM = 1e3


@dataclass(frozen=True)
class LongNail:
    """How far a nail grows past the tip (mm), and how pointed it is, 0..1."""

    past_tip_mm: float
    pointed: float = 0.3


@dataclass(frozen=True)
class HandMesh:
    """Triangle corners in turn, K = 3 T of them.

    Attributes
    ----------
    corners : float32 (K, 14)
        Place (x, y, z) and normal in the hand's frame, place at rest, texture u and v, finger (0 palm, 1 to 5),
        distance from the tip (1000 on the palm), and 0 palm side to 1 back; mm.
    plate : bool (K,)
        On a nail plate that grows past the tip.
    joints : float64 (5, 4, 3)
        Of each finger its tip and three joints, from the tip inwards.
    free_mm : tuple of float
        Length of each finger from the tip to where it leaves the palm.
    """

    corners: NDArray[np.float32] = field(repr=False)
    plate: NDArray[np.bool_] = field(repr=False)
    joints: Floats = field(repr=False)
    free_mm: tuple[float, ...]


def pose_mesh(hand: RestHand, pose: Pose, *, long_nails: Mapping[int, LongNail] | None = None) -> HandMesh:
    """Pose a hand by linear blend skinning and smooth it.

    Parameters
    ----------
    hand : RestHand
        The hand at rest, mm.
    pose : Pose
        Flexion and spread of each bone, degrees.
    long_nails : mapping of int to LongNail, optional
        By finger, 1 (thumb) to 5.

    Returns
    -------
    HandMesh
        Triangles with all that the shader needs at their corners.
    """
    matrix, triangles, uv, finger_of = smooth_hand()
    transforms = bone_transforms(hand, pose)
    rest = np.asarray(matrix @ hand.points)
    points = np.asarray(matrix @ moved(hand.points, transforms, hand.body.weights))
    s, back = _finger_coordinates(hand, rest)
    own = np.repeat(finger_of[:, None], 3, axis=1)
    corners = np.concatenate(
        [
            points[triangles].reshape(-1, 3),
            normals(points, triangles)[triangles].reshape(-1, 3),
            rest[triangles].reshape(-1, 3),
            uv.reshape(-1, 2),
            own.reshape(-1, 1),
            s[triangles, own].reshape(-1, 1),
            back[triangles, own].reshape(-1, 1),
        ],
        axis=1,
    )
    plates = [_plate_corners(hand, rest, transforms, finger, nail) for finger, nail in (long_nails or {}).items()]
    plates = [one for one in plates if len(one)]
    return HandMesh(
        corners=np.concatenate([corners, *plates]).astype(np.float32),
        plate=np.arange(len(corners) + sum(map(len, plates))) >= len(corners),
        joints=posed_joints(hand, transforms),
        free_mm=tuple(_free_mm(hand.joints(finger), finger) for finger in range(1, 6)),
    )


def posed_joints(hand: RestHand, transforms: Floats) -> Floats:
    """Return each finger's tip and joints (5, 4, 3) as posed.

    Parameters
    ----------
    hand : RestHand
        The hand at rest, mm.
    transforms : float64 (B, 4, 4)
        What moves each bone from rest, see `bone_transforms`.

    Returns
    -------
    float64 (5, 4, 3)
        For each finger its tip and three joints, from the tip inwards, mm.
    """
    out = np.empty((5, 4, 3))
    for finger in range(1, 6):
        for part, joint in enumerate(hand.joints(finger)):
            move = transforms[BONES.index(f"finger{finger}-{3 - max(part - 1, 0)}")]
            out[finger - 1, part] = move[:3, :3] @ joint + move[:3, 3]
    return out


def _free_mm(joints: Floats, finger: int) -> float:
    lengths = np.linalg.norm(np.diff(joints, axis=0), axis=1)
    return float(
        lengths[0] + THUMB_FREE_SHARE * lengths[1] if finger == 1 else lengths[:2].sum() + FREE_SHARE * lengths[2]
    )


def _finger_coordinates(hand: RestHand, rest: Floats) -> tuple[Floats, Floats]:
    """Return for palm and each finger (S, 6) the distance from the tip and how much a place faces back, 0..1."""
    s, back = np.full((len(rest), 6), FAR_MM), np.empty((len(rest), 6))
    back[:, 0] = np.clip(0.5 - normals(rest, smooth_hand()[1])[:, 2], 0, 1)
    for finger in range(1, 6):
        joints = hand.joints(finger)
        s[:, finger], away = along_finger(rest, joints)
        out = np.array(BACK_OF_THUMB if finger == 1 else BACK_OF_FINGER)
        cosine = away @ out / np.maximum(np.linalg.norm(away, axis=1), 1e-6)
        on_palm = np.clip(s[:, finger] / _free_mm(joints, finger) / FADES_OVER - FADES_FROM, 0, 1)
        back[:, finger] = np.clip(0.5 + 0.5 * cosine, 0, 1) * (1 - on_palm) + back[:, 0] * on_palm
    return s, back


def normals(points: Floats, triangles: NDArray[np.int64]) -> Floats:
    """Return unit normals of a mesh's vertices, weighted by the triangles' areas.

    Parameters
    ----------
    points : float64 (S, 3)
        Vertices.
    triangles : int64 (T, 3)
        Their corners.

    Returns
    -------
    float64 (S, 3)
        Outwards where the corners run anticlockwise as seen from outside.
    """
    a, b, c = (points[triangles[:, k]] for k in range(3))
    face = np.cross(b - a, c - a)
    out = np.stack(
        [np.bincount(triangles.ravel(), np.repeat(face[:, axis], 3), minlength=len(points)) for axis in range(3)],
        axis=1,
    )
    return np.asarray(out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12))


def _plate_corners(hand: RestHand, rest: Floats, transforms: Floats, finger: int, nail: LongNail) -> Floats:
    plate: Plate | None = nail_plate(hand, rest, finger, past_tip_mm=nail.past_tip_mm, pointed=nail.pointed)
    if plate is None:
        return np.empty((0, 14))
    move = transforms[BONES.index(f"finger{finger}-3")]
    points = plate.points @ move[:3, :3].T + move[:3, 3]
    normal = normals(points, plate.triangles)
    count = 3 * len(plate.triangles)
    return np.concatenate(
        [
            points[plate.triangles].reshape(-1, 3),
            normal[plate.triangles].reshape(-1, 3),
            plate.points[plate.triangles].reshape(-1, 3),
            np.zeros((count, 2)),
            np.full((count, 1), finger),
            plate.s[plate.triangles].reshape(-1, 1),
            np.ones((count, 1)),
        ],
        axis=1,
    )
