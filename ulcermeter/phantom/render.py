"""The renderer: every pixel's ray to table, finger and reference, then the camera's faults.

How cloth, its lip and its shadow look are appearance chosen by eye (assumption); none of it enters a truth.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes.arrays import Floats, Reals
from ulcermeter.phantom.camera import Camera
from ulcermeter.phantom.light import light_on_skin, light_on_table, tag_shadow
from ulcermeter.phantom.noise_maps import smoothstep
from ulcermeter.phantom.references import PlacedReference
from ulcermeter.phantom.skin import coded, draw_skin, mix
from ulcermeter.phantom.solid import Solid
from ulcermeter.phantom.specs import PhantomSpec
from ulcermeter.phantom.tabletop import cover_edge_mm, draw_cover, draw_table
from ulcermeter.phantom.truth import PlacedUlcer
from ulcermeter.phantom.wound_bed import draw_ulcer

# Side of a rendered tile, px: its arrays stay in the processor's cache.
TILE_PX = 256
# A tile whose coarse rays all miss the finger by more than this shows none of it, mm: rays 8 px apart are closer.
REACH_MM = 3.0
# Points of the R2 low-discrepancy sequence: their projection on any direction is even, so that the share of a pixel
# behind a straight edge is right to about 1/SUBPIXELS whatever the edge's direction (a square grid's is not).
SUBPIXELS = 160
# The R2 sequence's steps in x and y: 1 / p and 1 / p² of the plastic number p (Roberts 2018).
_R2 = (0.7548776662466927, 0.5698402909980532)
# Half the square in which nothing of a paper may differ for a pixel to hold no edge, px, a little over the pixel's own;
# and the difference of albedo that counts.
_STRADDLE_PX, _DIFFERS = 0.6, 0.02
# Steps of the table of sRGB: sixteen to an 8-bit level.
_SRGB_STEPS = 4096
# A tag pressed on the finger dents the skin by up to this much.
SKIN_GIVES_MM = 2.0


@dataclass(frozen=True)
class Scene:
    """Everything in place, ready to be looked at."""

    spec: PhantomSpec
    solid: Solid | None
    ulcers: tuple[PlacedUlcer, ...]
    reference: PlacedReference | None
    camera: Camera
    px_per_mm: float


def render(scene: Scene) -> NDArray[np.uint8]:
    """Render a scene, tile by tile.

    Parameters
    ----------
    scene : Scene
        Everything in place.

    Returns
    -------
    uint8 (M, N, 3)
        RGB in sRGB, upright.
    """
    camera = scene.spec.camera
    light = np.empty((camera.height_px, camera.width_px, 3), dtype=np.float32)
    for top in range(0, camera.height_px, TILE_PX):
        for left in range(0, camera.width_px, TILE_PX):
            rows = slice(top, min(top + TILE_PX, camera.height_px))
            cols = slice(left, min(left + TILE_PX, camera.width_px))
            light[rows, cols] = _tile(scene, rows, cols)
    return expose(light, scene.spec)


def _tile(scene: Scene, rows: slice, cols: slice) -> Reals:
    """Return the linear light of one tile."""
    y_px, x_px = np.mgrid[rows, cols].astype(np.float32)
    rays = scene.camera.rays(x_px, y_px)
    picture = _table(scene, rays)
    depth = np.full(x_px.shape, np.inf, dtype=np.float32)
    if scene.reference is not None and scene.spec.reference.place == "table":
        picture = _with_reference(scene, picture, rows, cols, depth)
    if scene.solid is not None:
        picture, depth = _with_finger(scene, picture, rays)
    if scene.reference is not None and scene.spec.reference.place == "skin":
        picture = _with_reference(scene, picture, rows, cols, depth)
    return picture


def _at(scene: Scene, rays: tuple[Reals, Reals, Reals], far: Reals) -> tuple[Reals, Reals, Reals]:
    """Return the world points at ray parameters ``far``."""
    centre = scene.camera.centre_mm.astype(np.float32)
    return tuple(centre[i] + far * rays[i] for i in range(3))


def _table(scene: Scene, rays: tuple[Reals, Reals, Reals]) -> Reals:
    """Draw table and the cloth over the hand, with shadows."""
    spec = scene.spec
    far = np.float32(-scene.camera.centre_mm[2]) / rays[2]
    x, y, h = _at(scene, rays, far)
    albedo = draw_table(spec.background, x, y, seed=spec.seed, px_per_mm=scene.px_per_mm)
    if scene.solid is None:
        return albedo
    shadowed = tag_shadow(scene.reference, spec.light, (x, y, h))
    light = light_on_table(scene.solid, spec.light, x, y, height_mm=0.0, shadowed=shadowed)
    picture = albedo * light[..., None]
    if float(y.max()) < scene.solid.spec.length_mm - 12:
        return picture
    past = y - cover_edge_mm(x, length_mm=scene.solid.spec.length_mm, seed=spec.seed)
    picture *= (1 - 0.45 * np.exp(-np.maximum(-past, 0) / 1.5))[..., None]
    cover = draw_cover(x, y, seed=spec.seed, px_per_mm=scene.px_per_mm)
    bulge = 0.75 + 0.25 * np.exp(-0.5 * (x / (1.6 * scene.solid.spec.radius_mm)) ** 2)
    lip = 0.8 + 0.2 * smoothstep(0.0, 2.5, past)
    return mix(picture, (cover * (bulge * lip)[..., None]).astype(np.float32), smoothstep(-0.08, 0.08, past))


def _with_finger(scene: Scene, picture: Reals, rays: tuple[Reals, Reals, Reals]) -> tuple[Reals, Reals]:
    """Draw the finger over the picture; return it with the depth of the skin (infinite where there is none)."""
    assert scene.solid is not None
    coarse = scene.solid.meet(scene.camera.centre_mm, (rays[0][::8, ::8], rays[1][::8, ::8], rays[2][::8, ::8]))
    if float(coarse[1].min()) > REACH_MM:
        return picture, np.full(rays[0].shape, np.inf, dtype=np.float32)
    far, miss = scene.solid.meet(scene.camera.centre_mm, rays)
    far = far.astype(np.float32)
    local = (scene.camera.focal_px / np.maximum(far, 1.0)).astype(np.float32)
    share = np.clip(0.5 - miss * local, 0, 1).astype(np.float32)
    points = _at(scene, rays, far)
    past = points[1] - cover_edge_mm(points[0], length_mm=scene.solid.spec.length_mm, seed=scene.spec.seed)
    share = share * smoothstep(0.08, -0.08, past)
    if float(share.max()) <= 0:
        return picture, np.full(far.shape, np.inf, dtype=np.float32)
    skin = _skin(scene, points, rays) * (1 - 0.5 * np.exp(-np.maximum(-past, 0) / 1.2))[..., None]
    return mix(picture, skin, share), np.where(share > 0.5, far, np.inf).astype(np.float32)


def _skin(scene: Scene, points: tuple[Reals, Reals, Reals], rays: tuple[Reals, Reals, Reals]) -> Reals:
    """Return the light from the skin at world points."""
    assert scene.solid is not None
    solid, finger = scene.solid, scene.solid.spec
    x, y, h = points
    z = h - np.float32(solid.axis_height_mm)
    angle = np.arctan2(x, z).astype(np.float32)
    radius = np.sqrt(x * x + z * z)
    s = np.maximum(y, 0)
    surface = draw_skin(finger, s, angle * radius, angle, px_per_mm=scene.px_per_mm)
    for ulcer in scene.ulcers:
        draw_ulcer(surface, ulcer, points, px_per_mm=scene.px_per_mm)
    normal = _bent_normal(solid, points, surface.slope_t, surface.slope_s)
    length = np.sqrt(rays[0] ** 2 + rays[1] ** 2 + rays[2] ** 2)
    toward = (-rays[0] / length, -rays[1] / length, -rays[2] / length)
    shadowed = tag_shadow(scene.reference, scene.spec.light, points)
    return light_on_skin(
        surface,
        scene.spec.light,
        normal,
        toward,
        height_share=h / np.float32(2 * solid.axis_height_mm),
        shadowed=shadowed,
    )


def _bent_normal(
    solid: Solid, points: tuple[Reals, Reals, Reals], slope_t: Reals, slope_s: Reals
) -> tuple[Reals, Reals, Reals]:
    """Return the unit normals of the solid, bent by the relief's slopes around and along the finger."""
    x, y, h = points
    z = h - np.float32(solid.axis_height_mm)
    _, slope, _ = solid.q(y)
    nx, ny, nz = x, (-0.5 * slope).astype(np.float32), z
    size = np.maximum(np.sqrt(nx * nx + ny * ny + nz * nz), 1e-6)
    nx, ny, nz = nx / size, ny / size, nz / size
    flat = np.maximum(np.sqrt(x * x + z * z), 1e-6)
    tx, tz = z / flat, -x / flat
    sx, sy, sz = -ny * x / flat, np.sqrt(np.maximum(1 - ny * ny, 0)), -ny * z / flat
    nx = nx - slope_t * tx - slope_s * sx
    ny = ny - slope_s * sy
    nz = nz - slope_t * tz - slope_s * sz
    size = np.sqrt(nx * nx + ny * ny + nz * nz)
    return nx / size, ny / size, nz / size


def _with_reference(scene: Scene, picture: Reals, rows: slice, cols: slice, depth: Reals) -> Reals:
    """Draw the reference over the picture where no skin stands before it; every pixel's share of it is exact."""
    reference, box = scene.reference, _reference_box(scene)
    assert reference is not None
    top, bottom = max(rows.start, box[1]), min(rows.stop, box[3])
    left, right = max(cols.start, box[0]), min(cols.stop, box[2])
    if top >= bottom or left >= right:
        return picture
    part = (slice(top - rows.start, bottom - rows.start), slice(left - cols.start, right - cols.start))
    y_px, x_px = np.mgrid[top:bottom, left:right].astype(float)
    colour, share, level = _reference_pixels(scene, x_px, y_px)
    behind = depth[part] < level - SKIN_GIVES_MM
    share = np.where(behind, 0, share).astype(np.float32)
    out = picture.copy()
    out[part] = picture[part] * (1 - share[..., None]) + np.where(behind[..., None], 0, colour)
    return out


def _reference_box(scene: Scene) -> tuple[int, int, int, int]:
    """Return the photo's box (left, top, right, bottom) around the reference's paper."""
    assert scene.reference is not None
    half = np.array(scene.reference.paper_mm) / 2
    along = np.linspace(-1, 1, 21)
    rim = (
        np.concatenate(
            [np.stack([along, np.full(21, e)], 1) for e in (-1, 1)]
            + [np.stack([np.full(21, e), along], 1) for e in (-1, 1)]
        )
        * half
    )
    projected = scene.camera.project(scene.reference.to_world(rim[:, 0], rim[:, 1]))
    low, high = np.floor(projected.min(axis=0)) - 2, np.ceil(projected.max(axis=0)) + 3
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _paper_at(scene: Scene, x_px: Floats, y_px: Floats) -> tuple[Reals, Reals, Reals]:
    """Return paper coordinates (u, v) and the ray parameter of the reference's plane, in double precision."""
    assert scene.reference is not None
    centre = scene.camera.centre_mm
    dx, dy, dh = scene.camera.rays(x_px, y_px)
    far = (scene.reference.height_mm - centre[2]) / dh
    u, v = scene.reference.to_paper(centre[0] + far * dx, centre[1] + far * dy)
    return u, v, far


def _reference_pixels(scene: Scene, x_px: Floats, y_px: Floats) -> tuple[Reals, Reals, Reals]:
    """Return premultiplied linear light, coverage and depth of the reference at pixels (M, N), box-filtered."""
    reference = scene.reference
    assert reference is not None
    u, v, far = _paper_at(scene, x_px, y_px)
    colour, share = _painted(reference, u, v)
    mixed = _straddles(scene, x_px, y_px, colour, share)
    if mixed.any():
        colour[mixed], share[mixed] = _averaged(scene, x_px[mixed], y_px[mixed])
    world = reference.to_world(u, v).astype(np.float32)
    shade = np.ones(u.shape, dtype=np.float32)
    if scene.solid is not None:
        height = reference.height_mm
        if scene.spec.reference.place == "table":
            shade = light_on_table(
                scene.solid,
                scene.spec.light,
                world[..., 0],
                world[..., 1],
                height_mm=height,
                shadowed=np.zeros_like(shade),
            )
    return colour * shade[..., None], share, far.astype(np.float32)


def _painted(reference: PlacedReference, u: Reals, v: Reals) -> tuple[Reals, Reals]:
    """Return premultiplied albedo and coverage (0 or 1) at paper points."""
    share = reference.covers(u, v).astype(np.float32)
    return reference.paint(u, v) * share[..., None], share


def _straddles(scene: Scene, x_px: Floats, y_px: Floats, colour: Reals, share: Reals) -> NDArray[np.bool_]:
    """Say which pixels hold an edge: anything differs among nine points that reach 0.6 px from the middle."""
    assert scene.reference is not None
    mixed = np.zeros(x_px.shape, dtype=bool)
    steps = (-_STRADDLE_PX, 0, _STRADDLE_PX)
    for dx, dy in ((a, b) for a in steps for b in steps if a or b):
        u, v, _ = _paper_at(scene, x_px + dx, y_px + dy)
        near, cover = _painted(scene.reference, u, v)
        mixed |= (cover != share) | (np.abs(near - colour).max(axis=-1) > _DIFFERS)
    return mixed


def _averaged(scene: Scene, x_px: Floats, y_px: Floats) -> tuple[Reals, Reals]:
    """Return albedo and coverage averaged over each listed pixel's square."""
    assert scene.reference is not None
    colour = np.zeros((len(x_px), 3), dtype=np.float32)
    share = np.zeros(len(x_px), dtype=np.float32)
    for k in range(SUBPIXELS):
        dx, dy = ((k + 0.5) * step % 1 - 0.5 for step in _R2)
        u, v, _ = _paper_at(scene, x_px + dx, y_px + dy)
        one, cover = _painted(scene.reference, u, v)
        colour += one
        share += cover
    return colour / SUBPIXELS, share / SUBPIXELS


def expose(light: Reals, spec: PhantomSpec) -> NDArray[np.uint8]:
    """Turn linear light into the camera's 8-bit sRGB: blur, vignetting, gains, noise.

    Parameters
    ----------
    light : float32 (M, N, 3)
        Linear light; may be overwritten.
    spec : PhantomSpec
        For the camera's faults and the noise's seed.

    Returns
    -------
    uint8 (M, N, 3)
        RGB in sRGB.
    """
    camera = spec.camera
    if camera.blur_px > 0:
        light = cv2.GaussianBlur(light, (0, 0), camera.blur_px, borderType=cv2.BORDER_REFLECT_101)
    gains = np.array([camera.white_balance[0], 1.0, camera.white_balance[1]], dtype=np.float32) * 2**camera.exposure_ev
    rows = np.linspace(-1, 1, light.shape[0], dtype=np.float32)[:, None] ** 2
    cols = np.linspace(-1, 1, light.shape[1], dtype=np.float32)[None] ** 2
    rng = np.random.default_rng([29, spec.seed])
    out = np.empty(light.shape, dtype=np.uint8)
    for top in range(0, light.shape[0], TILE_PX):
        part = slice(top, top + TILE_PX)
        fall = 1 - camera.vignetting * (rows[part] + cols) / 2
        coded = srgb(light[part] * gains * fall[..., None]) * 255
        grain = rng.standard_normal(coded.shape, dtype=np.float32)
        out[part] = np.clip(coded + camera.noise_sd * grain + 0.5, 0, 255).astype(np.uint8)
    return out


def srgb(light: Reals) -> Reals:
    """Return sRGB values of linear light, clipped at white (a table of 4096 steps in the root of the light).

    Parameters
    ----------
    light : float (...)
        Linear light.

    Returns
    -------
    float32 (...)
        0..1.
    """
    place = np.sqrt(np.clip(light, 0, 1)) * np.float32(_SRGB_STEPS - 1)
    return _SRGB[(place + np.float32(0.5)).astype(np.int32)]


def _srgb_table() -> Reals:
    return coded((np.arange(_SRGB_STEPS) / (_SRGB_STEPS - 1)) ** 2).astype(np.float32)


_SRGB = _srgb_table()
