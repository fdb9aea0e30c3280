"""Light: the lamp and the light from all around, shadows on the table, glare on skin.

The numbers of this file are appearance chosen by eye against photographs (assumption); none of them enters a truth.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes.arrays import Reals
from ulcermeter.phantom.noise_maps import smoothstep
from ulcermeter.phantom.references import PlacedReference
from ulcermeter.phantom.skin import Surface
from ulcermeter.phantom.solid import Solid
from ulcermeter.phantom.specs import LightSpec

# How far light of each channel wraps round the skin's terminator (red travels furthest in skin).
WRAP = np.array([0.38, 0.20, 0.15], dtype=np.float32)


def lamp_direction(light: LightSpec) -> NDArray[np.float32]:
    """Return the unit direction (x, y, h) towards the lamp.

    Parameters
    ----------
    light : LightSpec
        Azimuth and elevation in degrees.

    Returns
    -------
    float32 (3,)
        Unit vector (x, y, h).
    """
    azimuth, elevation = np.deg2rad([light.azimuth_deg, light.elevation_deg])
    flat = np.cos(elevation)
    return np.array([flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)], dtype=np.float32)


def tag_shadow(reference: PlacedReference | None, light: LightSpec, points: tuple[Reals, Reals, Reals]) -> Reals:
    """Return how much of the lamp a reference held above the points takes away.

    Parameters
    ----------
    reference : PlacedReference or None
        None throws no shadow.
    light : LightSpec
        Where the lamp stands, how soft its shadows are.
    points : tuple of 3 float (M, N)
        World x, y, h, mm.

    Returns
    -------
    float32 (M, N)
        0 full light, 1 full shadow.
    """
    x, y, h = points
    if reference is None or reference.height_mm <= 0.05:
        return np.zeros_like(x)
    lamp = lamp_direction(light)
    gap = np.float32(reference.height_mm) - h
    u, v = reference.to_paper(x + gap * lamp[0] / lamp[2], y + gap * lamp[1] / lamp[2])
    soft = (0.15 + light.softness * np.maximum(gap, 0)).astype(np.float32)
    under = smoothstep(soft, -soft, reference.outside_mm(u, v).astype(np.float32)) * reference.printed(u, v)
    return under * smoothstep(0.0, 0.5, gap)


def light_on_table(solid: Solid, light: LightSpec, x: Reals, y: Reals, *, height_mm: float, shadowed: Reals) -> Reals:
    """Return the light on a level surface beside the finger: the finger's shadow, and dimness close to it.

    Parameters
    ----------
    solid : Solid
        The finger.
    light : LightSpec
        Lamp and ambient light.
    x, y : float (M, N)
        World mm.
    height_mm : float
        Of the surface over the table, mm.
    shadowed : float (M, N)
        What other things take of the lamp, 0..1.

    Returns
    -------
    float32 (M, N)
        Factor on the albedo; 1 is full light.
    """
    lamp = lamp_direction(light)
    radius = np.float32(solid.spec.radius_mm)
    rise = np.float32(solid.axis_height_mm - height_mm)
    cross_section = np.hypot(lamp[0], lamp[2])
    nearest = np.clip((-x * lamp[0] + rise * lamp[2]) / cross_section**2, 0, None)
    beyond = y + nearest * lamp[1]
    side, up = x + nearest * lamp[0], nearest * lamp[2] - rise
    before = np.maximum(0.9 * radius - beyond, 0)
    reach = np.sqrt(side**2 + up**2 + before**2)
    wide = radius * (1.0 + 0.004 * np.clip(beyond, 0, 90))
    soft = 0.2 + light.softness * nearest
    lit = (1 - shadowed) * smoothstep(wide - soft, wide + soft, reach)
    clear = np.sqrt(x**2 + np.maximum(0.8 * radius - y, 0) ** 2)
    open_sky = 1 - 0.55 * np.exp(-np.maximum(clear - 0.6 * radius, 0) / (0.55 * radius))
    return np.asarray((light.ambient * open_sky + (1 - light.ambient) * lit).astype(np.float32))


def light_on_skin(
    surface: Surface,
    light: LightSpec,
    normal: tuple[Reals, Reals, Reals],
    toward_camera: tuple[Reals, Reals, Reals],
    *,
    height_share: Reals,
    shadowed: Reals,
) -> Reals:
    """Return the light that leaves the skin: ambient, lamp wrapped round the terminator, Blinn-Phong glare, pale rim.

    Parameters
    ----------
    surface : Surface
        Albedo, gloss and its sharpness, (M, N).
    light : LightSpec
        Lamp and ambient light.
    normal : tuple of 3 float (M, N)
        Unit normals x, y, h.
    toward_camera : tuple of 3 float (M, N)
        Unit vectors to the camera.
    height_share : float (M, N)
        0 where the skin meets the table, 1 at the finger's top.
    shadowed : float (M, N)
        What other things take of the lamp, 0..1.

    Returns
    -------
    float (M, N, 3)
        Linear light; 1 is white in full light, glare goes beyond.
    """
    lamp = lamp_direction(light)
    nx, ny, nh = normal
    facing = nx * lamp[0] + ny * lamp[1] + nh * lamp[2]
    sky = light.ambient * (0.55 + 0.45 * nh) * (0.45 + 0.55 * np.sqrt(np.clip(height_share, 0, 1)))
    lit = (1 - light.ambient) / lamp[2] * (1 - shadowed)
    wrapped = np.maximum((facing[..., None] + WRAP) / (1 + WRAP), 0)
    out = surface.albedo * (sky[..., None] + lit[..., None] * wrapped)
    half = [lamp[i] + toward_camera[i] for i in range(3)]
    size = np.sqrt(half[0] ** 2 + half[1] ** 2 + half[2] ** 2)
    match = np.maximum((nx * half[0] + ny * half[1] + nh * half[2]) / size, 1e-3)
    lobe = np.exp(surface.sharpness * np.log(match)) * (surface.sharpness + 8) / 40
    glare = light.glare * surface.gloss * lobe * lit * (facing > 0)
    rim = (
        0.10
        * light.ambient
        * surface.gloss
        / 0.1
        * (1 - np.clip(nx * toward_camera[0] + ny * toward_camera[1] + nh * toward_camera[2], 0, 1)) ** 3
    )
    return np.asarray(out + (glare + 0.3 * rim)[..., None])
