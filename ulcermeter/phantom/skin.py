"""How skin and nail look: albedo, relief and gloss over the finger's surface coordinates.

The numbers of this file are appearance chosen by eye against photographs (assumption); none of them enters a truth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes.arrays import Reals
from ulcermeter.phantom.noise_maps import bumps, fade, noise, smoothstep
from ulcermeter.phantom.specs import FingerSpec, FissureSpec

# Back-of-hand and palm colours, 8-bit sRGB, for Fitzpatrick 1 to 6.
BACK_SRGB = np.array([(240, 204, 186), (229, 186, 162), (211, 164, 134), (178, 129, 99), (128, 88, 65), (84, 57, 45)])
# The palm is lighter, the more so the darker the tone (assumption).
PALM_SRGB = np.array(
    [(238, 194, 178), (229, 178, 158), (218, 165, 142), (198, 146, 121), (170, 121, 99), (148, 104, 86)]
)
# IEC 61966-2-1: up to the knee the curve is straight, above it a power with an offset. The laboratory's own, so that an
# error on the measuring side cannot cancel.
_KNEE_SRGB, _KNEE_LINEAR = 0.04045, 0.0031308
_SLOPE, _SCALE, _OFFSET, _POWER = 12.92, 1.055, 0.055, 2.4
# Turn of the finger's back from the camera, degrees.
TOWARD_CAMERA_DEG = {"nail": 0.0, "pulp": 180.0, "radial": 90.0, "ulnar": -90.0}


@dataclass
class Surface:
    """What shading needs at each pixel (M, N): linear albedo (M, N, 3), slopes of the relief along t and s, gloss.

    ``gloss`` is the strength and ``sharpness`` the exponent of the highlight. Being drawn in layers, it is the one
    thing here that is changed in place.
    """

    albedo: Reals
    slope_t: Reals
    slope_s: Reals
    gloss: Reals
    sharpness: Reals


def linear(srgb: NDArray[np.number] | tuple[float, ...]) -> NDArray[np.float32]:
    """Return linear light of 8-bit sRGB (IEC 61966-2-1).

    Parameters
    ----------
    srgb : (...)
        0..255.

    Returns
    -------
    float32 (...)
        0..1.
    """
    x = np.asarray(srgb, dtype=np.float32) / 255
    return np.where(x <= _KNEE_SRGB, x / _SLOPE, ((x + _OFFSET) / _SCALE) ** _POWER).astype(np.float32)


def coded(light: Reals) -> Reals:
    """Return sRGB values 0..1 of linear light (IEC 61966-2-1).

    Parameters
    ----------
    light : float (...)
        0..1.

    Returns
    -------
    float (...)
        0..1.
    """
    return np.where(light <= _KNEE_LINEAR, _SLOPE * light, _SCALE * np.maximum(light, 1e-9) ** (1 / _POWER) - _OFFSET)


def tone_colour(table: NDArray[np.number], skin_tone: float) -> NDArray[np.float32]:
    """Return the colour of a Fitzpatrick tone, interpolated in linear light.

    Parameters
    ----------
    table : (6, 3)
        sRGB of the tones 1 to 6, 0..255.
    skin_tone : float
        1 to 6.

    Returns
    -------
    float32 (3,)
        Linear light.
    """
    rows = linear(table.astype(float))
    return np.array([np.interp(skin_tone, np.arange(1, 7), rows[:, c]) for c in range(3)], dtype=np.float32)


def mix(below: Reals, above: Reals, share: Reals) -> Reals:
    """Blend a colour or picture over another.

    Parameters
    ----------
    below : float (M, N, 3)
        What lies under it.
    above : float (M, N, 3) or (3,)
        What is laid over it.
    share : float (M, N)
        0 keeps what is below, 1 hides it.

    Returns
    -------
    float (M, N, 3)
        The blend.
    """
    return below + (above - below) * share[..., None]


def draw_skin(finger: FingerSpec, s_mm: Reals, t_mm: Reals, angle: Reals, *, px_per_mm: float) -> Surface:
    """Draw bare skin and nail.

    Parameters
    ----------
    finger : FingerSpec
        Tone, side and texture.
    s_mm : float (M, N)
        Distance from the fingertip along the axis, mm.
    t_mm : float (M, N)
        Arc length from the mid-line that faces the camera, mm.
    angle : float (M, N)
        The same round the axis, rad.
    px_per_mm : float
        Scale of the photo: what it cannot resolve is faded out.

    Returns
    -------
    Surface
        Before any ulcer.
    """
    back = _backness(finger, angle)
    around = _from_back(finger, angle)
    surface = _base(finger, s_mm, t_mm, back)
    _ridges(surface, finger, s_mm, t_mm, back, px_per_mm=px_per_mm)
    _grain(surface, finger, s_mm, t_mm, px_per_mm=px_per_mm)
    _creases(surface, finger, s_mm, around, back)
    if float(back.max(initial=0)) > 0.02:
        (_nail if finger.nail else _nail_bed)(surface, finger, s_mm, around)
    for fissure in finger.fissures:
        _fissure(surface, fissure, s_mm, t_mm, px_per_mm=px_per_mm)
    return surface


def _from_back(finger: FingerSpec, angle: Reals) -> Reals:
    """Return the angle from the middle of the finger's back, in -π..π."""
    turned = angle + np.float32(np.deg2rad(TOWARD_CAMERA_DEG[finger.side]))
    return np.asarray(np.mod(turned + np.float32(np.pi), np.float32(2 * np.pi)) - np.float32(np.pi))


def _backness(finger: FingerSpec, angle: Reals) -> Reals:
    """Return 1 on the finger's back, 0 on its palm side."""
    return smoothstep(-0.75, 0.55, np.cos(_from_back(finger, angle)))


def _base(finger: FingerSpec, s_mm: Reals, t_mm: Reals, back: Reals) -> Surface:
    """Colour: tone, palm side lighter, redder towards the tip, blotches."""
    palm, dorsal = tone_colour(PALM_SRGB, finger.skin_tone), tone_colour(BACK_SRGB, finger.skin_tone)
    albedo = palm + (dorsal - palm) * back[..., None]
    cloudy = noise(t_mm, s_mm, low=1.5, high=9, tile_mm=45, seed=finger.seed + 1)
    blotch = noise(t_mm, s_mm, low=4, high=30, tile_mm=38, seed=finger.seed + 2)
    tip = smoothstep(22.0, 3.0, s_mm) * (1 - 0.5 * back)
    red = 0.09 * tip + finger.mottling * (0.05 * cloudy + 0.035 * blotch)
    shade = 1 + finger.mottling * (0.04 * noise(t_mm, s_mm, low=2, high=20, tile_mm=30, seed=finger.seed + 3))
    albedo = albedo * np.stack([shade * (1 - 0.25 * red), shade * (1 - 1.5 * red), shade * (1 - 1.3 * red)], axis=-1)
    flat = np.zeros_like(s_mm)
    gloss = np.full_like(s_mm, 0.05 + 0.09 * finger.tightness)
    return Surface(albedo.astype(np.float32), flat, flat.copy(), gloss, np.full_like(s_mm, 14 + 16 * finger.tightness))


def _ridges(surface: Surface, finger: FingerSpec, s_mm: Reals, t_mm: Reals, back: Reals, *, px_per_mm: float) -> None:
    """Fingerprint ridges on the palm side: a loop over the pulp, waves further back."""
    period_mm = 0.48
    strength = fade(period_mm, px_per_mm) * (1 - 0.6 * finger.tightness)
    if strength <= 0 or float(back.min(initial=1)) > 0.9:
        return
    warp = noise(t_mm, s_mm, low=1, high=7, tile_mm=24, seed=finger.seed + 4)
    centre = 0.95 * finger.radius_mm
    reach = np.sqrt((1.15 * t_mm) ** 2 + (s_mm - centre - 0.15 * t_mm) ** 2 + 0.3)
    beyond = smoothstep(centre + 2, centre + 9, s_mm)
    path = reach * (1 - beyond) + beyond * (s_mm + 0.02 * t_mm * t_mm) + 0.55 * warp
    phase = 2 * np.pi / period_mm * path
    share = strength * (1 - back) * (0.6 + 0.4 * smoothstep(-1.0, 1.0, warp))
    wave = np.cos(phase) * share
    surface.albedo *= (1 + 0.055 * wave)[..., None]
    pull = 0.27 * np.sin(phase) * share
    away = np.maximum(reach, 0.5)
    surface.slope_t += pull * t_mm / away
    surface.slope_s += pull * ((s_mm - centre) / away * (1 - beyond) + beyond)


def _grain(surface: Surface, finger: FingerSpec, s_mm: Reals, t_mm: Reals, *, px_per_mm: float) -> None:
    """Pores and the fine net of lines between them."""
    for wave_mm, tile_mm, high, height in ((0.35, 14.0, 60, 0.011), (0.9, 26.0, 40, 0.017)):
        strength = fade(wave_mm, px_per_mm) * (1 - 0.5 * finger.tightness)
        if strength <= 0:
            continue
        value, along_t, along_s = bumps(
            t_mm, s_mm * 1.3, kind="band", low=high / 3, high=high, tile_mm=tile_mm, seed=finger.seed + high
        )
        surface.slope_t += height * strength * along_t
        surface.slope_s += height * strength * along_s
        surface.albedo *= (1 + 0.025 * strength * value)[..., None]
        surface.gloss *= 1 + 0.25 * strength * np.clip(value, -2, 2)


def _creases(surface: Surface, finger: FingerSpec, s_mm: Reals, around: Reals, back: Reals) -> None:
    """Folds at the two joints: sharp lines on the palm side, a field of arcs on the back."""
    radius = finger.radius_mm
    lateral = radius * np.sin(around)
    wobble = 0.35 * noise(lateral, s_mm, low=2, high=14, tile_mm=40, seed=finger.seed + 5)
    rng = np.random.default_rng([23, finger.seed])
    for joint_mm, folds in ((3.2 * radius, 2), (6.3 * radius, 3)):
        for _ in range(folds):
            place = joint_mm + rng.uniform(-1.6, 1.6) + rng.uniform(-0.01, 0.02) * lateral**2
            _groove(surface, s_mm - place - wobble, (1 - back) * finger.creases, width_mm=rng.uniform(0.2, 0.45))
        offset = s_mm - joint_mm + wobble
        bow = offset * (1 - 0.035 * lateral**2 / (1 + np.abs(offset)))
        envelope = np.exp(-0.5 * (offset / (0.5 * radius)) ** 2) * np.exp(-0.5 * (lateral / (0.62 * radius)) ** 2)
        phase = 2 * np.pi * bow / rng.uniform(1.5, 2.1) + 1.2 * wobble
        share = back * finger.creases * envelope
        line = np.exp(-2.2 * (1 + np.cos(phase))) * share
        surface.albedo *= 1 - line[..., None] * np.array([0.28, 0.36, 0.38], dtype=np.float32)
        surface.slope_s += 0.3 * share * np.sin(phase)


def _groove(surface: Surface, transverse_mm: Reals, share: Reals, *, width_mm: float) -> None:
    """Cut one groove: a dark red line with sloping sides."""
    shape = np.exp(-0.5 * (transverse_mm / width_mm) ** 2) * share
    wide = np.exp(-0.5 * (transverse_mm / (3 * width_mm)) ** 2) * share
    surface.albedo *= 1 - shape[..., None] * np.array([0.30, 0.42, 0.42], dtype=np.float32)
    surface.slope_s += (0.5 * shape + 0.12 * wide) * transverse_mm / width_mm


def _nail(surface: Surface, finger: FingerSpec, s_mm: Reals, around: Reals) -> None:
    """Lay the nail plate: pink, glossy, a pale free edge, a half-moon, and the fold around it."""
    radius = finger.radius_mm
    lateral = (radius * np.sin(around)).astype(np.float32)
    front = smoothstep(-0.1, 0.25, np.cos(around))
    inside = _nail_distance(finger, s_mm, lateral)
    plate = smoothstep(-0.08, 0.08, inside) * front
    colour = surface.albedo * 0.7 + 0.3 * linear((232, 176, 164))
    streaks = noise(lateral * 6, s_mm * 0.35, low=6, high=40, tile_mm=30, seed=finger.seed + 6)
    colour = colour * (1 + 0.02 * streaks)[..., None]
    moon = smoothstep(-0.7, 0.5, s_mm - 1.62 * radius + 0.16 * lateral**2 / radius * 2.2) * smoothstep(0.2, 1.0, inside)
    colour = mix(colour, linear((236, 208, 198)), 0.45 * moon)
    free = smoothstep(0.35, -0.25, s_mm - 0.22 * radius - 0.02 * lateral**2)
    colour = mix(colour, linear((232, 220, 200)), 0.75 * free)
    surface.albedo = mix(surface.albedo, colour.astype(np.float32), plate)
    fold = np.exp(-0.5 * ((inside + 0.12) / 0.2) ** 2) * front * smoothstep(0.2 * radius, 0.5 * radius, s_mm)
    surface.albedo *= 1 - fold[..., None] * np.array([0.22, 0.38, 0.38], dtype=np.float32)
    sideways = np.clip(lateral / (0.72 * radius), -1, 1) ** 5
    keep = 1 - plate
    surface.slope_t = surface.slope_t * keep - 0.25 * plate * lateral / radius + 0.35 * fold * sideways
    surface.slope_s = surface.slope_s * keep + fold * 0.3 * smoothstep(radius, 1.6 * radius, s_mm)
    surface.gloss = surface.gloss * keep + plate * 0.30
    surface.sharpness = surface.sharpness * keep + plate * 60


def _nail_bed(surface: Surface, finger: FingerSpec, s_mm: Reals, around: Reals) -> None:
    """Lay the bed of a nail that is lost: redder than skin, uneven and without gloss, the fold around it shallow."""
    lateral = (finger.radius_mm * np.sin(around)).astype(np.float32)
    front = smoothstep(-0.1, 0.25, np.cos(around))
    inside = _nail_distance(finger, s_mm, lateral)
    bed = smoothstep(-0.5, 0.5, inside) * front
    patch = noise(lateral, s_mm, low=2, high=12, tile_mm=14, seed=finger.seed + 7)
    red = (0.45 + 0.15 * patch)[..., None] * np.array([0.12, 0.5, 0.45], dtype=np.float32)
    surface.albedo *= 1 - bed[..., None] * np.clip(red, 0, 1)
    fold = np.exp(-0.5 * ((inside + 0.12) / 0.35) ** 2) * front * smoothstep(0.2 * finger.radius_mm, 4.0, s_mm)
    surface.albedo *= 1 - 0.5 * fold[..., None] * np.array([0.22, 0.38, 0.38], dtype=np.float32)
    _, along_t, along_s = bumps(lateral, s_mm, kind="granules", low=700, high=0, tile_mm=12, seed=finger.seed + 8)
    surface.slope_t += 0.03 * bed * along_t
    surface.slope_s += 0.03 * bed * along_s
    surface.gloss = surface.gloss * (1 - 0.7 * bed)


def _fissure(surface: Surface, fissure: FissureSpec, s_mm: Reals, t_mm: Reals, *, px_per_mm: float) -> None:
    """Cut one crack: dark red between steep walls, hard pale skin beside it."""
    turn = np.deg2rad(fissure.angle_deg)
    dt, ds = t_mm - fissure.t_mm, s_mm - fissure.s_mm
    along = (np.cos(turn) * dt + np.sin(turn) * ds).astype(np.float32)
    off = (np.cos(turn) * ds - np.sin(turn) * dt).astype(np.float32)
    off = off - 0.15 * noise(along, 0 * along, low=2, high=10, tile_mm=14, seed=fissure.seed + 41)
    part = 2 * along / np.float32(fissure.length_mm)
    half_mm = 0.5 * fissure.width_mm * np.sqrt(np.clip(1 - part**2, 0, 1))
    ends = smoothstep(1.0, 0.9, np.abs(part))
    soft_mm = max(0.05, 0.5 / px_per_mm)
    # Over a pixel wide edge the share of a narrow crack stays its width's.
    share = (smoothstep(-soft_mm, soft_mm, half_mm - off) + smoothstep(-soft_mm, soft_mm, half_mm + off) - 1) * ends
    beside = np.exp(-((np.maximum(np.abs(off) - half_mm, 0) / 0.5) ** 2)) * smoothstep(1.2, 0.8, np.abs(part))
    surface.albedo = mix(surface.albedo, linear((222, 200, 168)), 0.5 * fissure.callus * beside)
    colour = linear((46, 20, 18)) * (1 - fissure.red) + linear((150, 32, 30)) * fissure.red
    surface.albedo = mix(surface.albedo, colour.astype(np.float32), np.clip(share, 0, 1))
    wall = 0.5 * beside * np.sign(off) * np.minimum(np.abs(off) / np.float32(0.2), 1)
    surface.slope_t = surface.slope_t - wall * np.float32(np.sin(turn))
    surface.slope_s = surface.slope_s + wall * np.float32(np.cos(turn))
    surface.gloss = surface.gloss * (1 - np.clip(share, 0, 1))


def _nail_distance(finger: FingerSpec, s_mm: Reals, lateral_mm: Reals) -> Reals:
    """Return the signed distance in mm (positive inside) to the nail plate's rounded outline."""
    radius = finger.radius_mm
    half_wide, half_long, corner = 0.72 * radius, 0.86 * radius, 0.5 * radius
    dx = np.abs(lateral_mm) - (half_wide - corner)
    ds = np.abs(s_mm - 1.0 * radius) - (half_long - corner)
    outside = np.hypot(np.maximum(dx, 0), np.maximum(ds, 0)) + np.minimum(np.maximum(dx, ds), 0)
    return np.asarray((corner - outside).astype(np.float32))
