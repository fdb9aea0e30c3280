"""A hand on a table and an ulcer on its finger, as a mesh: where it lies and how large it is, before any picture."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scenes import HandScene
from scipy.optimize import brentq

from ulcermeter import phantom as ph
from ulcermeter.phantom.camera import Camera
from ulcermeter.phantom.hands.body import FINGERS, read_body
from ulcermeter.phantom.hands.mesh import HandMesh, pose_mesh
from ulcermeter.phantom.hands.pose import draw_pose
from ulcermeter.phantom.hands.rest_pose import hand_at_rest
from ulcermeter.phantom.hands.scene import FOREARM_Y_MM
from ulcermeter.phantom.truth import (
    PlacedUlcer,
    UlcerTruth,
    caliper,
    local_scale,
    loop_length,
    polygon_centroid,
    shoelace,
    unit_radii,
)

Floats = NDArray[np.floating]


# Length of a finger that is looked at, mm from the tip; of a slice across it; above any hand.
SHOWN_MM, SLICE_MM, ABOVE_MM = 60.0, 1.5, 100.0


AGES = ("young", "old")


# How much of a finger's end lies on the table, mm.
TIP_MM = 12.0


@dataclass(frozen=True)
class HandPhotoSpec:
    """A photo of a hand: everything but the finger as in a phantom; how the hand lies; which finger has the ulcers.

    The camera's ``px_per_mm`` is at the table, its ``aim_mm`` counts from the middle finger's middle joint; so does the
    reference's ``offset_mm``.
    """

    phantom: ph.PhantomSpec
    scene: HandScene
    hand: str
    finger: str


def hand_mesh(scene: HandScene) -> HandMesh:
    """Return a grown woman's hand, held as asked."""
    shares = {"minweight": 0.2, "averageweight": 0.8}
    targets = {f"macrodetails/caucasian-female-{age}": 0.5 for age in AGES}
    targets |= {
        f"macrodetails/universal-female-{age}-averagemuscle-{build}": 0.5 * share
        for age in AGES
        for build, share in shares.items()
    }
    rest = hand_at_rest(read_body(), targets)
    rng = np.random.default_rng(scene.pose_seed)
    pose = draw_pose(rest, rng, kind=scene.pose, touching=scene.touching)
    return pose_mesh(rest, pose | {"wrist": (0.0, 0.0)})


def stand_on_table(spec: HandPhotoSpec, mesh: HandMesh) -> Floats:
    """Return (4, 4) from the hand's frame to the world (x right, y down the photo, height), fingertips up.

    The hand is tipped until hand and fingertip touch the table; the middle finger's middle joint is the origin.
    """
    facing = np.diag([1.0, 1, 1] if spec.scene.side == "palm" else [-1.0, 1, -1])
    mirror = np.diag([1.0 if spec.hand == "right" else -1.0, 1, 1])
    flat = mirror @ facing
    corners = mesh.corners[mesh.corners[:, 7] > FOREARM_Y_MM].astype(float)
    tip = (corners[:, 11] == 1 + FINGERS.index(spec.finger)) & (corners[:, 12] < TIP_MM)
    palm = corners[:, 11] == 0

    def lift_of_tip(pitch_deg: float) -> float:
        height = corners[:, :3] @ (_about_x(pitch_deg) @ flat)[2]
        return float(height[tip].min() - height[palm].min())

    pitch = brentq(lift_of_tip, -40.0, 40.0)
    out = np.eye(4)
    out[:3, :3] = np.diag([1.0, -1, 1]) @ _about_z(spec.scene.turn_deg) @ _about_x(pitch) @ flat
    out[:2, 3] = -(out[:3, :3] @ mesh.joints[2, 2])[:2]
    out[2, 3] = -(corners[:, :3] @ out[2, :3]).min()
    return out


def _about_x(angle_deg: float) -> Floats:
    c, s = np.cos(np.deg2rad(angle_deg)), np.sin(np.deg2rad(angle_deg))
    return np.array([[1.0, 0, 0], [0, c, -s], [0, s, c]])


def _about_z(angle_deg: float) -> Floats:
    c, s = np.cos(np.deg2rad(angle_deg)), np.sin(np.deg2rad(angle_deg))
    return np.array([[c, -s, 0], [s, c, 0], [0.0, 0, 1]])


@dataclass(frozen=True)
class FingerSkin:
    """One finger's triangles in the world, mm: corners (T, 3) each, normals (T, 3); tip and first joint of its bone."""

    a: Floats
    b: Floats
    c: Floats
    normals: Floats
    tip: Floats
    joint: Floats

    @classmethod
    def of(cls, mesh: HandMesh, stand: Floats, finger: int) -> FingerSkin:
        """Take a finger (1 thumb to 5) out of a hand."""
        corners = mesh.corners[~mesh.plate].astype(float).reshape(-1, 3, 14)
        own = corners[(corners[:, :, 11] == finger).all(1) & (corners[:, :, 12] < SHOWN_MM).all(1)]
        place = own[..., :3] @ stand[:3, :3].T + stand[:3, 3]
        tip, joint = mesh.joints[finger - 1, :2] @ stand[:3, :3].T + stand[:3, 3]
        return cls(*place.transpose(1, 0, 2), (own[..., 3:6] @ stand[:3, :3].T).mean(1), tip, joint)

    def ways(self) -> tuple[Floats, Floats]:
        """Return the level directions from the tip to the hand, and across the finger to the right of the photo."""
        inwards = (self.joint - self.tip) * [1, 1, 0]
        inwards /= np.linalg.norm(inwards)
        aside = np.array([-inwards[1], inwards[0], 0.0])
        return inwards, aside * np.sign(aside[0])

    def lift(self, points: Floats, direction: Floats) -> tuple[Floats, Floats]:
        """Move points along the line of ``direction`` to the nearest skin; return places and which triangles."""
        ab, ac = self.b - self.a, self.c - self.a
        # Moeller and Trumbore (1997) solve one line; for lines of one direction all is linear in their points.
        through = np.cross(np.broadcast_to(direction, ac.shape), ac)
        det = (ab * through).sum(1)
        u, v, far = (
            (points @ row.T - (self.a * row).sum(1)) / det
            for row in (through, np.cross(ab, direction), np.cross(ab, ac))
        )
        inside = (u >= -1e-9) & (v >= -1e-9) & (u + v <= 1 + 1e-9)
        which = np.where(inside, np.abs(far), np.inf).argmin(axis=1)
        return points + far[np.arange(len(points)), which, None] * direction, which

    def coordinates(self, point: Floats) -> tuple[float, float]:
        """Return a place's level distance from the tip's end, and its arc from the middle of what faces up, mm.

        The arc is that of a circle as wide as the finger is there.
        """
        inwards, aside = self.ways()
        corners = np.concatenate([self.a, self.b, self.c])
        s = float(point @ inwards - (corners @ inwards).min())
        across = corners[np.abs((corners - point) @ inwards) < SLICE_MM] @ aside
        radius, middle = np.ptp(across) / 2, (across.max() + across.min()) / 2
        return s, float(radius * np.arcsin((point @ aside - middle) / radius))


def place_ulcer(spec: ph.UlcerSpec, skin: FingerSkin) -> PlacedUlcer:
    """Lay an ulcer on the finger's skin that faces up, and scale it until its longest 3-D caliper is the asked one.

    ``s_mm`` and ``t_mm`` are level distances from the tip's end and from the bone; its truth says what they become.
    """
    inwards, aside = skin.ways()
    end = np.concatenate([skin.a, skin.b, skin.c]) @ inwards
    start = skin.tip + inwards * (spec.s_mm + end.min() - skin.tip @ inwards) + spec.t_mm * aside
    (centre,), (which,) = skin.lift(np.array([[*start[:2], ABOVE_MM]]), np.array([0.0, 0, 1]))
    normal = skin.normals[which] / np.linalg.norm(skin.normals[which])
    transverse = aside - (aside @ normal) * normal
    transverse /= np.linalg.norm(transverse)
    towards_hand = np.cross(normal, transverse)
    frame = np.vstack([transverse, towards_hand * np.sign(towards_hand @ inwards), normal])
    placed = PlacedUlcer(spec, centre, frame, unit_radii(spec) * spec.diameter_mm / 2)
    for _ in range(8):
        share = spec.diameter_mm / caliper(edge(placed, skin))[0]
        placed = replace(placed, radii_mm=placed.radii_mm * share)
        if abs(share - 1) < 1e-6:
            break
    return placed


def edge(ulcer: PlacedUlcer, skin: FingerSkin, *, share: float = 1.0) -> Floats:
    """Return the outline (K, 3) on the mesh, or the curve at ``share`` of its radii."""
    angle = np.linspace(0, 2 * np.pi, len(ulcer.radii_mm), endpoint=False)
    flat = share * ulcer.radii_mm * np.stack([np.cos(angle), np.sin(angle)])
    return skin.lift(ulcer.centre_mm + flat.T @ ulcer.frame[:2], ulcer.frame[2])[0]


def ulcer_truth(ulcer: PlacedUlcer, skin: FingerSkin, camera: Camera) -> UlcerTruth:
    """Work out what is true of an ulcer, from the mesh and the camera."""
    rim = edge(ulcer, skin)
    diameter, along = caliper(rim)
    sideways = np.cross(ulcer.frame[2], along)
    outline = camera.project(rim)
    s_mm, t_mm = skin.coordinates(ulcer.centre_mm)
    return UlcerTruth(
        diameter_mm=diameter,
        width_mm=float(np.ptp(rim @ (sideways / np.linalg.norm(sideways)))),
        area_plane_mm2=shoelace(rim[:, :2]),
        area_surface_mm2=_skin_area(ulcer, skin),
        perimeter_mm=loop_length(rim),
        diameter_plane_mm=caliper(rim[:, :2])[0],
        perimeter_plane_mm=loop_length(rim[:, :2]),
        outline_px=outline,
        outline_mm=rim,
        centroid_px=polygon_centroid(outline),
        s_mm=s_mm,
        t_mm=t_mm,
        slope_deg=float(np.rad2deg(np.arccos(ulcer.frame[2, 2]))),
        height_mm=float(rim[:, 2].mean()),
        px_per_mm=local_scale(camera, np.array([*polygon_centroid(rim[:, :2]), rim[:, 2].mean()])),
        in_view=True,
    )


def _skin_area(ulcer: PlacedUlcer, skin: FingerSkin, *, rings: int = 6) -> float:
    """Return the area of the mesh inside the outline: triangles between rings lifted onto it."""
    inner, area = np.repeat(ulcer.centre_mm[None], len(ulcer.radii_mm), axis=0), 0.0
    for k in range(1, rings + 1):
        outer = edge(ulcer, skin, share=k / rings)
        a, b = np.roll(inner, -1, axis=0), np.roll(outer, -1, axis=0)
        area += sum(
            np.linalg.norm(np.cross(q - p, r - p), axis=1).sum() / 2 for p, q, r in ((inner, outer, b), (inner, b, a))
        )
        inner = outer
    return float(area)
