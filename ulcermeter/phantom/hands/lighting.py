"""Light on drawn hands: lamp and sky, cast shadows, dimness between fingers; then the camera's faults.

The numbers of this file are appearance chosen by eye against photographs (assumption), wide enough that the finger
network meets what it may meet; none of them enters a truth.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes.arrays import Reals
from ulcermeter.phantom.hands.renderer import Layers, View
from ulcermeter.phantom.light import WRAP
from ulcermeter.phantom.skin import coded

# Places towards the lamp that are looked at, 1.5 to 60 mm away: a thickness of a finger to the length of one
# (assumption).
SHADOW_STEPS = 12


@dataclass(frozen=True)
class Lighting:
    """The lamp and what surrounds it.

    Attributes
    ----------
    towards : (3,)
        Unit vector to the lamp.
    lamp, sky : (3,)
        Their colours and strengths, linear.
    softness : float
        How much a shadow's edge widens with the distance of what casts it.
    falloff : float
        How much darker the picture's corners are: a flash near the lens.
    """

    towards: Reals
    lamp: Reals
    sky: Reals
    softness: float = 0.15
    falloff: float = 0.0


def draw_lighting(rng: np.random.Generator) -> Lighting:
    """Draw a light: window, lamp or flash.

    Parameters
    ----------
    rng : Generator
        What chance is drawn from.

    Returns
    -------
    Lighting
        One of four is a flash near the lens, the others a lamp or window from above and aside (assumption).
    """
    warm = np.array([1.0, 1.0 + rng.normal(0, 0.04), 1.0 + rng.normal(0, 0.10)])
    if rng.random() < 0.25:
        towards, share, falloff = np.array([*rng.normal(0, 0.06, 2), 1.0]), rng.uniform(0.4, 0.8), rng.uniform(0, 0.6)
    else:
        towards, share, falloff = np.array([*rng.normal(0, 0.8, 2), rng.uniform(0.5, 1.2)]), rng.uniform(0.2, 0.75), 0.0
    strength = rng.uniform(0.8, 1.25)
    return Lighting(
        towards / np.linalg.norm(towards),
        strength * share * 1.3 * warm,
        strength * (1 - share) * (1 + rng.normal(0, 0.03, 3)),
        softness=float(rng.uniform(0.03, 0.5)),
        falloff=falloff,
    )


def lit(
    layers: Layers, background: Reals, lighting: Lighting, *, view: View, background_mm: float
) -> NDArray[np.float32]:
    """Light hands and background together.

    Parameters
    ----------
    layers : Layers
        What the renderer drew, (M, N).
    background : float32 (M, N, 3)
        Albedo behind the hands, linear 0..1.
    lighting : Lighting
        Lamp and sky.
    view : View
        The camera, for mm to px.
    background_mm : float
        Height of the background over z = 0, mm.

    Returns
    -------
    float32 (M, N, 3)
        Linear light; 1 is white paper in full light.
    """
    height = np.where(np.isnan(layers.height_mm), background_mm, layers.height_mm).astype(np.float32)
    lamp_share = 1 - _shadow(height, lighting, view)
    open_sky = _open_sky(height, view)
    direct, sky = lamp_share[..., None] * lighting.lamp, open_sky[..., None] * lighting.sky
    wrapped = np.clip((layers.facing[..., None] + WRAP) / (1 + WRAP), 0, 1)
    round_sky = (0.7 + 0.3 * np.clip(layers.upright, 0, 1))[..., None]
    hand = layers.albedo * (direct * wrapped + sky * round_sky) + (layers.spark * lamp_share)[..., None] * lighting.lamp
    flat = background * (direct * float(lighting.towards[2]) + sky)
    cover = layers.cover[..., None]
    return np.asarray((hand * cover + flat * (1 - cover)).astype(np.float32) * _falloff(height.shape, lighting.falloff))


def _shadow(height_mm: Reals, lighting: Lighting, view: View) -> Reals:
    """Return 0..1, how much of the lamp higher skin takes away: a walk over the picture towards the lamp."""
    rise = float(lighting.towards[2]) / max(float(np.hypot(*lighting.towards[:2])), 1e-3)
    way = np.array([lighting.towards[0], -lighting.towards[1]]) / max(float(np.hypot(*lighting.towards[:2])), 1e-3)
    out = np.zeros_like(height_mm)
    if rise > 8:
        return out
    for step_mm in np.geomspace(1.5, 60.0, SHADOW_STEPS):
        shift = way * step_mm * view.px_per_mm
        move = np.array([[1, 0, shift[0]], [0, 1, shift[1]]])
        there = cv2.warpAffine(
            height_mm,
            move,
            height_mm.shape[::-1],
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        above = there - height_mm - step_mm * rise
        soft = 0.5 + lighting.softness * step_mm
        out = np.maximum(out, np.clip(above / soft, 0, 1) * (above < 60))
    return np.asarray(cv2.GaussianBlur(out.astype(np.float32), (0, 0), 0.6 + lighting.softness * 3 * view.px_per_mm))


def _open_sky(height_mm: Reals, view: View) -> Reals:
    """Return 0..1, how much of the sky a place sees: less where its surroundings stand higher."""
    out = np.ones_like(height_mm)
    for reach_mm in (3.0, 9.0):
        around = cv2.GaussianBlur(height_mm, (0, 0), reach_mm * view.px_per_mm)
        out *= np.clip(1 - 0.35 * np.clip(around - height_mm, 0, 2 * reach_mm) / reach_mm, 0.35, 1)
    return out


def _falloff(shape: tuple[int, ...], strength: float) -> Reals:
    y, x = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    return np.asarray((1 - strength * 0.5 * (x**2 + y**2))[..., None].astype(np.float32))


def photographed(light: Reals, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Take a photo of linear light: exposure, white balance, blur, the sRGB curve (IEC 61966-2-1), noise, sharpening.

    Parameters
    ----------
    light : float32 (M, N, 3)
        Linear light.
    rng : Generator
        What chance is drawn from.

    Returns
    -------
    uint8 (M, N, 3)
        RGB in sRGB.
    """
    level = float(np.mean(light)) + 1e-3
    wanted = np.exp(rng.normal(np.log(0.26), 0.35))
    exposed = light * np.clip(wanted / level, 0.35, 2.8) * (1 + rng.normal(0, 0.05, 3))
    if rng.random() < 0.5:
        exposed = cv2.GaussianBlur(exposed, (0, 0), rng.uniform(0.3, 1.6))
    if rng.random() < 0.08:
        exposed = cv2.filter2D(exposed.astype(np.float32), -1, _motion(rng))
    exposed = np.clip(exposed, 0, 1) ** rng.uniform(0.85, 1.15)
    srgb = 255 * coded(exposed)
    noise = rng.normal(0, 1, srgb.shape[:2] + (1,)) + 0.6 * rng.normal(0, 1, srgb.shape)
    srgb = srgb + rng.uniform(0, 5) * cv2.GaussianBlur(noise.astype(np.float32), (0, 0), 0.5)
    if rng.random() < 0.3:
        srgb += rng.uniform(0.2, 0.9) * (srgb - cv2.GaussianBlur(srgb, (0, 0), 1.2))
    return np.asarray(np.clip(np.rint(srgb), 0, 255).astype(np.uint8))


def _motion(rng: np.random.Generator) -> NDArray[np.float32]:
    kernel = np.zeros((9, 9), np.float32)
    ends = 4 + rng.uniform(-3, 3, 2)
    cv2.line(kernel, np.rint(ends).astype(int).tolist(), np.rint(8 - ends).astype(int).tolist(), 1.0, 1)
    return np.asarray(kernel / kernel.sum())
