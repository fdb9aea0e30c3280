"""What the finger lies on, and the cloth that covers the hand.

The numbers of this file are appearance chosen by eye against photographs (assumption); none of them enters a truth.
"""

from __future__ import annotations

import numpy as np

from ulcermeter.datatypes.arrays import Reals
from ulcermeter.errors import Problem, UlcermeterError
from ulcermeter.phantom.noise_maps import fade, noise
from ulcermeter.phantom.skin import linear

BACKGROUNDS = ("drape", "paper", "wood", "grey", "green", "towel", "black")


def draw_table(kind: str, x: Reals, y: Reals, *, seed: int, px_per_mm: float) -> Reals:
    """Return the table's linear albedo (M, N, 3) at table coordinates in mm.

    Parameters
    ----------
    kind : str
        One of `BACKGROUNDS`.
    x, y : float (M, N)
        Table coordinates, mm.
    seed : int
        Chooses the texture.
    px_per_mm : float
        Scale of the photo: threads that it cannot resolve are faded out.

    Returns
    -------
    float (M, N, 3)
        Albedo, linear 0..1.

    Raises
    ------
    UlcermeterError
        When no background has that name.
    """
    if kind not in BACKGROUNDS:
        raise UlcermeterError(Problem(expected=f"a background, one of {', '.join(BACKGROUNDS)}", got=repr(kind)))
    if kind == "wood":
        return _wood(x, y, seed=seed)
    colours = {
        "drape": (96, 138, 172),
        "paper": (226, 225, 220),
        "grey": (132, 134, 136),
        "black": (44, 44, 47),
        "green": (74, 122, 106),
        "towel": (208, 214, 218),
    }
    shade = 1 + 0.035 * noise(x, y, low=1, high=6, tile_mm=160, seed=seed + 51)
    if kind in ("drape", "green", "towel"):
        shade = shade * _weave(x, y, seed=seed, px_per_mm=px_per_mm, coarse=1.8 if kind == "towel" else 1.0)
    else:
        shade = shade + 0.012 * noise(x, y, low=10, high=90, tile_mm=40, seed=seed + 52)
    return linear(colours[kind]) * shade[..., None]


def _weave(x: Reals, y: Reals, *, seed: int, px_per_mm: float, coarse: float) -> Reals:
    """Return the shade of a woven cloth: threads both ways, a little uneven, and soft folds."""
    thread_mm = 0.55 * coarse
    clear = fade(thread_mm, px_per_mm)
    folds = 0.07 * noise(x, y * 0.5, low=1, high=5, tile_mm=150, seed=seed + 53)
    if clear <= 0:
        return 1 + folds
    wander = 0.25 * thread_mm * noise(x, y, low=2, high=24, tile_mm=40, seed=seed + 54)
    k = np.float32(2 * np.pi / thread_mm)
    warp, weft = np.cos(k * (x + wander)), np.cos(k * (y - wander))
    slub = noise(x, y, low=10, high=110, tile_mm=40, seed=seed + 55)
    return 1 + folds + clear * (0.07 * coarse * warp * weft + 0.04 * warp + 0.035 * slub)


def _wood(x: Reals, y: Reals, *, seed: int) -> Reals:
    """Return light wood: grain along x, bent by slow noise."""
    bend = 3.0 * noise(x * 0.25, y, low=1, high=4, tile_mm=140, seed=seed + 56)
    grain = np.sin((y + bend) * 1.1) * 0.5 + 0.5 * noise(x * 0.06, y, low=8, high=80, tile_mm=60, seed=seed + 57)
    share = np.clip(0.5 + 0.3 * grain, 0, 1)[..., None]
    return linear((146, 104, 66)) * (1 - share) + linear((196, 154, 108)) * share


def draw_cover(x: Reals, y: Reals, *, seed: int, px_per_mm: float) -> Reals:
    """Return the albedo of the cloth over the hand, folds already shaded.

    Parameters
    ----------
    x, y : float (M, N)
        Table coordinates, mm.
    seed : int
        Chooses the texture.
    px_per_mm : float
        Scale of the photo.

    Returns
    -------
    float (M, N, 3)
        Albedo times the shade of its folds, linear.
    """
    shade = _weave(x, y, seed=seed + 60, px_per_mm=px_per_mm, coarse=1.3)
    fold = 0.16 * noise(x, y * 0.7, low=1, high=7, tile_mm=110, seed=seed + 61)
    return linear((196, 206, 210)) * (shade + fold)[..., None]


def cover_edge_mm(x: Reals, *, length_mm: float, seed: int) -> Reals:
    """Return the y at which the cloth over the hand begins.

    Parameters
    ----------
    x : float (M, N)
        Table coordinates, mm.
    length_mm : float
        How much of the finger shows, mm.
    seed : int
        Chooses the wave of the edge.

    Returns
    -------
    float32 (M, N)
        y, mm.
    """
    wave = noise(x, np.zeros_like(x), low=1, high=5, tile_mm=90, seed=seed + 62)
    return (length_mm + 2.0 * wave).astype(np.float32)
