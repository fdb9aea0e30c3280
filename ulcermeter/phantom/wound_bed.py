"""How an ulcer looks: its bed, crater, rim, halo and crust, laid over bare skin.

The numbers of this file are appearance chosen by eye against photographs (assumption); none of them enters a truth.
The true edge is that of `ulcermeter.phantom.truth`; the bed fades into skin evenly on both sides of it.
"""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from ulcermeter.datatypes.arrays import Reals
from ulcermeter.errors import Problem, UlcermeterError
from ulcermeter.phantom.noise_maps import bumps, fade, noise, smoothstep
from ulcermeter.phantom.skin import Surface, linear, mix
from ulcermeter.phantom.specs import UlcerSpec
from ulcermeter.phantom.truth import PlacedUlcer

# Light and dark colour, and the colour of patches, 8-bit sRGB.
WOUND_BED_SRGB = {
    "granulation": ((170, 58, 52), (108, 22, 26), (196, 118, 84)),
    "slough": ((216, 190, 138), (178, 138, 84), (172, 88, 66)),
    "eschar": ((58, 44, 38), (22, 17, 17), (84, 56, 40)),
}
# Height in mm of fine granules and of wider unevenness, strength of the glare, its exponent.
WOUND_BED_RELIEF = {
    "granulation": (0.030, 0.040, 0.42, 80.0),
    "slough": (0.012, 0.030, 0.30, 60.0),
    "eschar": (0.006, 0.022, 0.10, 24.0),
}


def inside_distance(ulcer: PlacedUlcer, points_mm: tuple[Reals, Reals, Reals]) -> tuple[Reals, ...]:
    """Return how far points lie inside an ulcer's outline, to first order, and their place in its tangent plane.

    Parameters
    ----------
    ulcer : PlacedUlcer
        The ulcer on the skin.
    points_mm : tuple of 3 float (M, N)
        World x, y, h, mm.

    Returns
    -------
    float32 (M, N)
        Signed distance, mm, positive inside; -1000 on the far side of the finger.
    float32 (M, N)
        First coordinate in the tangent plane, mm: across the finger.
    float32 (M, N)
        Second coordinate, mm: towards the hand.
    """
    dx, dy, dh = (p - np.float32(c) for p, c in zip(points_mm, ulcer.centre_mm, strict=True))
    a, b, depth = (row[0] * dx + row[1] * dy + row[2] * dh for row in ulcer.frame.astype(np.float32))
    count = len(ulcer.radii_mm)
    ring = np.append(ulcer.radii_mm, ulcer.radii_mm[0])
    rate = np.gradient(np.tile(ulcer.radii_mm, 3))[count : 2 * count + 1] * count / (2 * np.pi)
    place = np.mod(np.arctan2(b, a), 2 * np.pi) * (count / (2 * np.pi))
    index = np.minimum(place.astype(np.int32), count - 1)
    rest = place - index
    radius = ring[index] * (1 - rest) + ring[index + 1] * rest
    distance = (radius - np.hypot(a, b)) / np.sqrt(1 + (rate[index] / radius) ** 2)
    distance = np.where(depth < -4 * ulcer.spec.diameter_mm - 4, -1e3, distance)
    return distance.astype(np.float32), a.astype(np.float32), b.astype(np.float32)


def draw_ulcer(
    surface: Surface, ulcer: PlacedUlcer, points_mm: tuple[Reals, Reals, Reals], *, px_per_mm: float
) -> None:
    """Lay one ulcer over ``surface`` at world points (x, y, h); only the window it reaches is worked on.

    Parameters
    ----------
    surface : Surface
        Bare skin; changed in place.
    ulcer : PlacedUlcer
        The ulcer on the skin.
    points_mm : tuple of 3 float (M, N)
        World x, y, h of the surface, mm.
    px_per_mm : float
        Scale of the photo.

    Raises
    ------
    UlcermeterError
        For a bed that is none of granulation, slough and eschar.
    """
    if ulcer.spec.wound_bed not in WOUND_BED_SRGB:
        raise UlcermeterError(
            Problem(expected=f"an ulcer's bed, one of {', '.join(WOUND_BED_SRGB)}", got=repr(ulcer.spec.wound_bed))
        )
    reach_mm = float(ulcer.radii_mm.max()) + 6 * _halo_mm(ulcer.spec)
    dx, dy, dh = (p - np.float32(c) for p, c in zip(points_mm, ulcer.centre_mm, strict=True))
    near = dx * dx + dy * dy + dh * dh < reach_mm**2
    if not near.any():
        return
    rows, cols = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
    window = (slice(rows[0], rows[-1] + 1), slice(cols[0], cols[-1] + 1))
    names = [f.name for f in fields(Surface)]
    part = Surface(*(getattr(surface, name)[window] for name in names))
    _lay(part, ulcer, (points_mm[0][window], points_mm[1][window], points_mm[2][window]), px_per_mm=px_per_mm)
    for name in names:
        getattr(surface, name)[window] = getattr(part, name)


def _lay(surface: Surface, ulcer: PlacedUlcer, points_mm: tuple[Reals, Reals, Reals], *, px_per_mm: float) -> None:
    """Lay one ulcer over a window of the surface: halo, rim, bed, crater, crust."""
    spec = ulcer.spec
    inside, a, b = inside_distance(ulcer, points_mm)
    _halo(surface, spec, inside, a, b)
    soft_mm = max(0.08, 0.6 / px_per_mm)
    share = smoothstep(-soft_mm, soft_mm, inside)
    colour, relief_a, relief_b, gloss, sharpness = _wound_bed(spec, inside, a, b, px_per_mm=px_per_mm)
    slope_a, slope_b = _crater(ulcer, inside, a, b, px_per_mm=px_per_mm)
    surface.albedo = mix(surface.albedo, colour, share)
    keep = 1 - share
    surface.slope_t = surface.slope_t * keep + share * relief_a + slope_a
    surface.slope_s = surface.slope_s * keep + share * relief_b + slope_b
    surface.gloss = surface.gloss * keep + share * gloss
    surface.sharpness = surface.sharpness * keep + share * sharpness
    if spec.crust > 0:
        _crust(surface, spec, inside, a, b, px_per_mm=px_per_mm)


def _halo_mm(spec: UlcerSpec) -> float:
    """Return how far the redness reaches before it falls to about a third."""
    return 0.5 + 0.35 * spec.diameter_mm


def _halo(surface: Surface, spec: UlcerSpec, inside: Reals, a: Reals, b: Reals) -> None:
    """Redden the skin around, and lay the pale callous rim just outside the edge."""
    reach_mm = _halo_mm(spec)
    uneven = 1 + 0.3 * noise(a, b, low=2, high=10, tile_mm=20, seed=spec.seed + 31)
    glow = spec.halo * np.exp(-((np.maximum(-inside, 0) / (reach_mm * np.maximum(uneven, 0.3))) ** 1.3))
    surface.albedo *= 1 - glow[..., None] * np.array([0.10, 0.42, 0.36], dtype=np.float32)
    width_mm = 0.10 + 0.06 * spec.diameter_mm
    rim = spec.rim * np.exp(-0.5 * ((inside + 1.1 * width_mm) / (0.6 * width_mm)) ** 2)
    rim = rim * smoothstep(-1.2, 0.8, noise(a, b, low=3, high=16, tile_mm=16, seed=spec.seed + 32))
    surface.albedo = mix(surface.albedo, linear((232, 208, 170)), 0.6 * rim)


def _wound_bed(
    spec: UlcerSpec, inside: Reals, a: Reals, b: Reals, *, px_per_mm: float
) -> tuple[Reals, Reals, Reals, Reals, Reals]:
    """Return the bed's colour, the slopes of its relief, its gloss and the gloss's sharpness."""
    cloud = noise(a, b, low=2, high=12, tile_mm=12, seed=spec.seed + 34)
    patch = noise(a, b, low=2, high=14, tile_mm=10, seed=spec.seed + 35)
    fine, fine_a, fine_b = bumps(a, b, kind="granules", low=900, high=0, tile_mm=11, seed=spec.seed + 33)
    wide, wide_a, wide_b = bumps(a, b, kind="band", low=5, high=34, tile_mm=13, seed=spec.seed + 38)
    clear = fade(0.4, px_per_mm)
    level = 0.45 * wide + 0.35 * cloud + 0.25 * clear * fine
    light, dark, patches = WOUND_BED_SRGB[spec.wound_bed]
    colour = _speckled(light, dark, level)
    colour = mix(colour, linear(patches), 0.7 * smoothstep(0.4, 2.6, patch + 0.2 * wide))
    hollow = 0.35 * min(spec.depth_mm / 0.5, 1.0) * np.exp(-np.maximum(inside, 0) / (0.08 + 0.5 * spec.depth_mm))
    colour *= (1 - hollow)[..., None]
    blood = np.exp(-np.maximum(inside, 0) / 0.22) * (0.2 if spec.wound_bed == "eschar" else 0.5)
    colour = mix(colour, linear((112, 26, 26)), blood.astype(np.float32))
    height_fine, height_wide, wet, sharp = WOUND_BED_RELIEF[spec.wound_bed]
    film = wet * smoothstep(-1.4, 1.6, cloud - 0.4 * patch)
    slope_a = height_fine * clear * fine_a + height_wide * wide_a
    slope_b = height_fine * clear * fine_b + height_wide * wide_b
    return colour, slope_a, slope_b, film, np.full_like(a, sharp)


def _speckled(light: tuple[int, int, int], dark: tuple[int, int, int], level: Reals) -> Reals:
    """Return a picture between two sRGB colours by a noise level of about unit sd."""
    share = np.clip(0.5 + 0.4 * level, 0, 1)[..., None]
    return np.asarray(linear(dark) * (1 - share) + linear(light) * share)


def _crater(ulcer: PlacedUlcer, inside: Reals, a: Reals, b: Reals, *, px_per_mm: float) -> tuple[Reals, Reals]:
    """Return the slopes of the crater's wall just inside the edge and of the swollen rim just outside."""
    wall_mm = max(0.12 * ulcer.spec.diameter_mm, 0.18)
    away = np.maximum(np.hypot(a, b), 1e-3)
    wall = ulcer.spec.depth_mm / wall_mm * np.exp(-0.5 * ((inside - 0.8 * wall_mm) / (0.5 * wall_mm)) ** 2)
    swell = -0.35 * ulcer.spec.depth_mm / wall_mm * np.exp(-0.5 * ((inside + 1.5 * wall_mm) / wall_mm) ** 2) * 0.6
    steep = np.clip(wall + swell, -1.2, 1.2).astype(np.float32)
    return steep * a / away, steep * b / away


def _crust(surface: Surface, spec: UlcerSpec, inside: Reals, a: Reals, b: Reals, *, px_per_mm: float) -> None:
    """Cover a share of the bed, and a little beyond, with a dull brown-yellow crust."""
    value, along_a, along_b = bumps(a, b, kind="band", low=3, high=15, tile_mm=10, seed=spec.seed + 36)
    patch = noise(a, b, low=2, high=8, tile_mm=10 + 2 * spec.diameter_mm, seed=spec.seed + 37)
    edge = 3.0 * (1 - 2 * spec.crust)
    share = smoothstep(edge - 0.3, edge + 0.3, patch) if spec.crust < 1 else np.ones_like(a)
    share = share * smoothstep(-0.45, 0.05, inside + 0.08 * value)
    colour = _speckled((138, 88, 50), (74, 38, 24), 0.8 * value)
    surface.albedo = mix(surface.albedo, colour, share)
    keep = 1 - share
    height = 0.12 * fade(0.5, px_per_mm)
    surface.slope_t = surface.slope_t * keep + share * height * along_a
    surface.slope_s = surface.slope_s * keep + share * height * along_b
    surface.gloss = surface.gloss * keep + share * 0.05
