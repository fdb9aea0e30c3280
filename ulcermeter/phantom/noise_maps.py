"""Tileable noise, made once, from which every texture of a phantom is sampled.

The numbers of this file are appearance chosen by eye against photographs (assumption); none of them enters a truth.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from ulcermeter.datatypes.arrays import Reals

# Side of a noise tile, px.
TILE_PX = 512


@lru_cache(maxsize=32)
def band_noise(low: float, high: float, index: int) -> Reals:
    """Return periodic noise of unit sd, filtered to a band of frequencies.

    Parameters
    ----------
    low, high : float
        Waves per tile, from and to.
    index : int
        Another map of the same kind.

    Returns
    -------
    float32 (512, 512)
        Mean 0, sd 1.
    """
    rng = np.random.default_rng([13, index])
    spectrum = np.fft.rfft2(rng.standard_normal((TILE_PX, TILE_PX)))
    waves = np.hypot(np.fft.fftfreq(TILE_PX)[:, None], np.fft.rfftfreq(TILE_PX)[None]) * TILE_PX
    keep = np.exp(-((waves / high) ** 2)) * (1 - np.exp(-((waves / low) ** 2))) / np.maximum(waves, 1.0) ** 0.7
    field = np.fft.irfft2(spectrum * keep, s=(TILE_PX, TILE_PX))
    return np.asarray(((field - field.mean()) / field.std()).astype(np.float32))


@lru_cache(maxsize=16)
def granules(per_tile: int, index: int) -> Reals:
    """Return a periodic map of rounded bumps: the distance to the nearest of random points, negative and blurred.

    Parameters
    ----------
    per_tile : int
        Points on a tile.
    index : int
        Another map of the same kind.

    Returns
    -------
    float32 (512, 512)
        Mean 0, sd 1.
    """
    rng = np.random.default_rng([17, index])
    seeds = np.ones((3 * TILE_PX, 3 * TILE_PX), dtype=np.uint8)
    points = rng.integers(0, TILE_PX, (per_tile, 2))
    for shift in np.ndindex(3, 3):
        seeds[tuple((points + np.array(shift) * TILE_PX).T)] = 0
    near = cv2.distanceTransform(seeds, cv2.DIST_L2, 5)[TILE_PX : 2 * TILE_PX, TILE_PX : 2 * TILE_PX]
    bumps = -cv2.GaussianBlur(near, (0, 0), 1.0)
    return np.asarray(((bumps - bumps.mean()) / bumps.std()).astype(np.float32))


@lru_cache(maxsize=48)
def _with_slopes(kind: str, low: float, high: float, index: int) -> Reals:
    """Return a map with its two slopes per tile pixel, (512, 512, 3)."""
    field = band_noise(low, high, index) if kind == "band" else granules(int(low), index)
    du = (np.roll(field, -1, axis=1) - np.roll(field, 1, axis=1)) / 2
    dv = (np.roll(field, -1, axis=0) - np.roll(field, 1, axis=0)) / 2
    return np.ascontiguousarray(np.stack([field, du, dv], axis=-1), dtype=np.float32)


def sample(field: Reals, u_mm: Reals, v_mm: Reals, *, tile_mm: float, seed: int) -> Reals:
    """Sample a periodic map at surface coordinates, bilinear.

    Parameters
    ----------
    field : float32 (512, 512) or (512, 512, C)
        A map.
    u_mm, v_mm : float (M, N)
        Places on the surface, mm.
    tile_mm : float
        Width of the map, mm.
    seed : int
        Moves the map.

    Returns
    -------
    float32 (M, N) or (M, N, C)
        The map's values.
    """
    offset_u, offset_v = np.random.default_rng([19, seed]).uniform(0, TILE_PX, 2)
    map_u = _wrapped(u_mm, TILE_PX / tile_mm, offset_u)
    map_v = _wrapped(v_mm, TILE_PX / tile_mm, offset_v)
    return np.asarray(cv2.remap(field, map_u, map_v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP))


def _wrapped(place_mm: Reals, scale: float, offset: float) -> Reals:
    """Return tile pixels in 0..TILE_PX; floor is several times faster than the remainder."""
    place = np.asarray(place_mm, dtype=np.float32) * np.float32(scale / TILE_PX) + np.float32(offset / TILE_PX)
    place -= np.floor(place)
    place *= np.float32(TILE_PX)
    return place


def noise(u_mm: Reals, v_mm: Reals, *, low: float, high: float, tile_mm: float, seed: int) -> Reals:
    """Return band noise of unit sd at surface coordinates, with waves of ``tile_mm / high`` to ``tile_mm / low`` mm.

    Parameters
    ----------
    u_mm, v_mm : float (M, N)
        Places on the surface, mm.
    low, high : float
        Waves per tile.
    tile_mm : float
        Width of the tile, mm.
    seed : int
        Chooses and moves the map.

    Returns
    -------
    float32 (M, N)
        Mean about 0, sd about 1.
    """
    return sample(band_noise(low, high, seed % 3), u_mm, v_mm, tile_mm=tile_mm, seed=seed)


def bumps(
    u_mm: Reals, v_mm: Reals, *, kind: str, low: float, high: float, tile_mm: float, seed: int
) -> tuple[Reals, Reals, Reals]:
    """Return a relief's value and its slopes along u and v (per mm, for a height of 1).

    Parameters
    ----------
    u_mm, v_mm : float (M, N)
        Places on the surface, mm.
    kind : {'band', 'granules'}
        Which map.
    low, high : float
        As in `band_noise`; of granules `low` is their number on a tile and `high` does not count.
    tile_mm : float
        Width of the tile, mm.
    seed : int
        Chooses and moves the map.

    Returns
    -------
    tuple of 3 float32 (M, N)
        Value, slope along u, slope along v.
    """
    out = sample(_with_slopes(kind, low, high, seed % 3), u_mm, v_mm, tile_mm=tile_mm, seed=seed)
    scale = np.float32(TILE_PX / tile_mm)
    return out[..., 0], out[..., 1] * scale, out[..., 2] * scale


def fade(wave_mm: float, px_per_mm: float) -> float:
    """Return how much of a texture a camera resolves: nothing under 1.8 px a wave, all from 4 px on (assumption).

    Parameters
    ----------
    wave_mm : float
        Length of its waves, mm.
    px_per_mm : float
        Scale of the photo.

    Returns
    -------
    float
        0..1.
    """
    return float(np.clip((wave_mm * px_per_mm - 1.8) / 2.2, 0.0, 1.0))


def smoothstep(low: float | Reals, high: float | Reals, value: Reals) -> Reals:
    """Return 0 below `low`, 1 above `high`, the cubic 3 x² - 2 x³ between; 0.5 half-way.

    Parameters
    ----------
    low, high : float or float (M, N)
        Where it begins and ends; `low` over `high` turns it round.
    value : float (M, N)
        Where it is taken.

    Returns
    -------
    float (M, N)
        0..1.
    """
    x = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(x * x * (3 - 2 * x))
