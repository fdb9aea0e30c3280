"""What is laid on fingers to train on and hides nothing: dots, glare, hairs, folds, grooves, polish, neighbours.

The numbers of this file are ranges (drawn uniformly between) and shares (0..1), all assumptions: wider than what is
expected on photos, so that the network learns what skin is rather than these colours. Lengths are in mm.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes.arrays import Mask
from ulcermeter.quality.skin_grid import STEP_MM
from ulcermeter.quality.training.painting import Reals, any_colour, beyond_mm, light_on, noise, offsets_mm, place_on

__all__ = ["lay_groove", "lay_neighbour", "lay_polish", "lay_shade", "lay_small"]

# Round nails: a groove's width, how dark it is, how far off the plate's rim it lies, and over what of it, mm.
_GROOVE_WIDE_MM, _GROOVE_DARK, _GROOVE_OFF_MM, _GROOVE_OVER_MM = (0.15, 0.7), (0.2, 0.8), (-0.3, 0.5), (3.0, 9.0)
_GROOVE_COLOURS = ((50, 20, 18), (165, 70, 60))
# Polish: least and most of a channel, how far it reaches over the plate's rim, mm, how ragged and soft, how much light
# it takes over, its sheen's grain, mm, and the lines of glare on it: how many, half width, mm, and how bright.
_POLISH, _POLISH_OFF_MM, _POLISH_RAGGED, _POLISH_SOFT_MM = (8, 250), (-0.8, 0.4), (0.0, 0.3), (0.05, 0.3)
_POLISH_LIGHT, _SHEEN_MM, _SHEEN, _GLARES, _GLARE_LINE_MM = (0.4, 1.2), (0.2, 3.0), (0.0, 0.15), 3, (0.1, 0.8)
# Between fingers that touch: the gap's width, how dark it is, and how far off the outline it lies, mm.
_GAP_MM, _GAP_DARK, _GAP_OFF_MM = (0.15, 1.2), (0.3, 0.97), (-0.4, 0.8)
# What is none: dots' radii, soft glare's, creases' and hairs' half widths (sd) and lengths, mm; a crease's light of the
# skin's, and hair, sRGB.
_DOT_MM, _GLARE_MM, _CREASE_MM, _HAIR_MM, _LINE_MM = (0.15, 0.75), (0.3, 2.5), (0.12, 0.5), 0.05, (1.0, 16.0)
_CREASE_LIGHT, _HAIR = np.array((0.72, 0.58, 0.56), np.float32), (40, 30, 26)
# What is laid, by chance alike.
_KINDS = ("dot", "dot", "glare", "hair", "crease", "fold", "fold", "fold")
# Of a joint's fold: how far from the tip at least, cells, its length, mm, its light of the skin's and how much of that,
# how much lighter one side is, and its ridges, 8-bit levels.
_JOINT_CELLS, _FOLD_MM, _FOLD_LIGHT, _FOLDED = 110, (14.0, 40.0), np.array((0.72, 0.52, 0.47), np.float32), (0.2, 0.7)
_LIGHTER_SIDE, _RIDGES = (-0.05, 0.35), (0.0, 40.0)
# Glare, and a pale dot, sRGB.
_GLARE, _PALE = np.array((252, 250, 248), np.float32), np.array((250, 248, 244), np.float32)


def lay_small(pixels: Reals, skin: Mask, rng: np.random.Generator) -> Reals:
    """Lay what is too small to count, or none: a mole or dot, soft glare, a hair, a crease, a joint's deep fold.

    Parameters
    ----------
    pixels : float32 (M, N, 3)
        sRGB, 0..255.
    skin : bool (M, N)
        Where it may lie.
    rng : Generator

    Returns
    -------
    float32 (M, N, 3)
    """
    kind = rng.choice(_KINDS)
    at = place_on(skin, rng, near_tip=kind != "fold")
    if at is None:
        return pixels
    offsets = offsets_mm(skin.shape, at)
    if kind == "fold":
        behind = at[1] > np.flatnonzero(skin.any(axis=1))[0] + _JOINT_CELLS
        return _folded(pixels, offsets, rng) if behind else pixels
    cover: NDArray[np.floating]
    colour: NDArray[np.floating]
    if kind == "crease":
        cover, colour = _line(offsets, rng.uniform(*_CREASE_MM), rng, across=True), pixels * _CREASE_LIGHT
        cover = cover * rng.uniform(0.2, 1.0)
    elif kind == "hair":
        cover, colour = _line(offsets, _HAIR_MM, rng, across=False), np.array(_HAIR, np.float32)
        cover = cover * rng.uniform(0.2, 0.7)
    elif kind == "glare":
        x, y = offsets
        far = (x / rng.uniform(*_GLARE_MM)) ** 2 + (y / rng.uniform(*_GLARE_MM)) ** 2
        cover, colour = np.exp(-far) * rng.uniform(0.2, 1.1), _GLARE
    else:
        x, y = offsets
        radius = rng.uniform(*_DOT_MM)
        cover = np.clip(0.5 + (radius - np.hypot(x, y / rng.uniform(0.6, 1))) / rng.uniform(0.05, 0.4), 0, 1)
        colour = _PALE if rng.random() < 0.4 else any_colour(rng)
        cover = cover * rng.uniform(0.4, 1)
    return np.asarray(pixels + np.clip(cover, 0, 1)[..., None] * (colour - pixels), dtype=np.float32)


def _folded(pixels: Reals, offsets: tuple[Reals, Reals], rng: np.random.Generator) -> Reals:
    """Lay a joint's fold: a red brown line across that wanders, lighter skin on one side, dry ridges that glisten."""
    angle, wander = rng.normal(0, 0.2), noise(pixels.shape[:2], rng.uniform(1.5, 5), rng)
    along = offsets[0] * np.cos(angle) + offsets[1] * np.sin(angle)
    off = offsets[1] * np.cos(angle) - offsets[0] * np.sin(angle) + rng.uniform(0, 0.35) * wander
    ends = np.exp(-((2 * along / rng.uniform(*_FOLD_MM)) ** 6))
    side = ends / (1 + np.exp(-off / rng.uniform(0.05, 0.3))) * np.exp(-np.maximum(off, 0) / rng.uniform(1, 8))
    line = np.exp(-0.5 * (off / rng.uniform(*_CREASE_MM)) ** 2) * ends * rng.uniform(*_FOLDED)
    ridges = np.maximum(noise(off.shape, rng.uniform(0.15, 0.4), rng) - 1, 0) * np.exp(-(off**2)) * ends
    out = pixels * (1 + rng.uniform(*_LIGHTER_SIDE) * side)[..., None]
    out = out * (1 - line[..., None] * (1 - _FOLD_LIGHT)) + (rng.uniform(*_RIDGES) * ridges)[..., None]
    return np.asarray(out, dtype=np.float32)


def _line(offsets: tuple[Reals, Reals], sd_mm: float, rng: np.random.Generator, *, across: bool) -> Reals:
    """Return how much a soft, bent line covers each cell: across the finger, or any way."""
    angle = rng.normal(0, 0.25) if across else rng.uniform(0, np.pi)
    along = offsets[0] * np.cos(angle) + offsets[1] * np.sin(angle)
    off = offsets[1] * np.cos(angle) - offsets[0] * np.sin(angle) + 0.02 * rng.normal() * along**2
    ends = np.exp(-((2 * along / rng.uniform(*_LINE_MM)) ** 6))
    return np.asarray(np.exp(-0.5 * (off / sd_mm) ** 2) * ends, dtype=np.float32)


def lay_groove(pixels: Reals, nail: Mask, rng: np.random.Generator) -> Reals:
    """Deepen and redden the fold along a part of a nail's rim, as on healthy fingers: it hides nothing.

    Parameters
    ----------
    pixels : float32 (M, N, 3)
        sRGB, 0..255.
    nail : bool (M, N)
    rng : Generator

    Returns
    -------
    float32 (M, N, 3)
    """
    if not nail.any():
        return pixels
    out = beyond_mm(nail)
    rim = np.argwhere(np.abs(out) < 2 * STEP_MM)
    middle = rim[int(rng.integers(len(rim)))]
    x, y = offsets_mm(nail.shape, (float(middle[1]), float(middle[0])))
    along = np.exp(-0.5 * (np.hypot(x, y) / (rng.uniform(*_GROOVE_OVER_MM) / 2)) ** 4)
    across = np.exp(-0.5 * ((out - rng.uniform(*_GROOVE_OFF_MM)) / (rng.uniform(*_GROOVE_WIDE_MM) / 2)) ** 2)
    dark, red = (np.array(one) for one in _GROOVE_COLOURS)
    colour = (dark + rng.random() * (red - dark)) * np.clip(pixels[nail].mean() / 170, 0.3, 1.2)
    cover = (along * across * rng.uniform(*_GROOVE_DARK))[..., None]
    return np.asarray(pixels + cover * (np.minimum(colour, pixels) - pixels), dtype=np.float32)


def lay_polish(pixels: Reals, nail: Mask, rng: np.random.Generator) -> Reals:
    """Polish a nail in any colour, chipped or grown out, with lines of glare: it hides nothing that is skin.

    Parameters
    ----------
    pixels : float32 (M, N, 3)
        sRGB, 0..255.
    nail : bool (M, N)
    rng : Generator

    Returns
    -------
    float32 (M, N, 3)
    """
    if not nail.any():
        return pixels
    shape, soft = nail.shape, rng.uniform(*_POLISH_SOFT_MM)
    within = -beyond_mm(nail)
    within += rng.uniform(*_POLISH_OFF_MM) + rng.uniform(*_POLISH_RAGGED) * noise(shape, rng.uniform(0.5, 3), rng)
    cover = np.clip(0.5 + within / soft, 0, 1) * rng.uniform(0.85, 1.0)
    light = 1 + rng.uniform(*_POLISH_LIGHT) * (light_on(pixels, nail) - 1)
    sheen = 1 + rng.uniform(*_SHEEN) * noise(shape, rng.uniform(*_SHEEN_MM), rng)
    paint = (rng.uniform(*_POLISH, 3) * (light * sheen)[..., None]).astype(np.float32)
    for _ in range(int(rng.integers(_GLARES + 1))):
        at = place_on(nail, rng, near_tip=False)
        assert at is not None
        line = _line(offsets_mm(shape, at), rng.uniform(*_GLARE_LINE_MM), rng, across=rng.random() < 0.5)
        paint = paint + (line * rng.uniform(0.2, 1.0))[..., None] * (_GLARE - paint)
    return np.asarray(pixels + cover[..., None] * (paint - pixels), dtype=np.float32)


def lay_neighbour(pixels: Reals, inside: Mask, rng: np.random.Generator) -> Reals:
    """Lay another finger against one side of a finger, the mirrored one, and a dark line between both.

    Parameters
    ----------
    pixels : float32 (M, N, 3)
        sRGB, 0..255.
    inside : bool (M, N)
        The finger.
    rng : Generator

    Returns
    -------
    float32 (M, N, 3)
    """
    rows, cols = (np.arange(length, dtype=np.float32) for length in inside.shape)
    flipped, right = inside, bool(rng.random() < 0.5)
    if not right:
        pixels, flipped = pixels[:, ::-1], inside[:, ::-1]
    shown = flipped.any(axis=1)
    if shown.sum() < len(rows) / 4:
        return pixels if right else np.ascontiguousarray(pixels[:, ::-1])
    edges = len(cols) - 1 - flipped[:, ::-1].argmax(axis=1).astype(np.float32)
    edge = np.interp(rows, rows[shown], edges[shown]).astype(np.float32)
    edge = cv2.GaussianBlur(edge[:, None], (1, 0), 0, sigmaY=8)[:, 0] + rng.uniform(*_GAP_OFF_MM) / STEP_MM
    beyond = cols[None] - edge[:, None]
    mirrored = cv2.remap(
        np.ascontiguousarray(pixels),
        np.where(beyond > 0, edge[:, None] - beyond, cols[None]).astype(np.float32),
        np.broadcast_to((rows + rng.uniform(-30, 30))[:, None], inside.shape).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    out = np.where((beyond > 0)[..., None], mirrored * rng.uniform(0.8, 1.15), pixels)
    gap = np.exp(-0.5 * (beyond * STEP_MM / (rng.uniform(*_GAP_MM) / 2)) ** 2) * rng.uniform(*_GAP_DARK)
    out = out * (1 - gap[..., None] * (1 - np.array((0.25, 0.1, 0.1)) * rng.uniform(0, 2)))
    return np.ascontiguousarray(out if right else out[:, ::-1], dtype=np.float32)


def lay_shade(pixels: Reals, rng: np.random.Generator) -> Reals:
    """Lay a shadow, or a soft stain of colder or redder skin, over everything: it hides nothing.

    Parameters
    ----------
    pixels : float32 (M, N, 3)
        sRGB, 0..255.
    rng : Generator

    Returns
    -------
    float32 (M, N, 3)
    """
    shape = pixels.shape[:2]
    if rng.random() < 0.5:
        angle, edge = rng.uniform(0, 2 * np.pi), float(np.exp(rng.uniform(np.log(0.3), np.log(6))))
        x, y = offsets_mm(shape, (rng.uniform(0, shape[1]), rng.uniform(0, shape[0])))
        side = x * np.cos(angle) + y * np.sin(angle) + 0.5 * noise(shape, 6.0, rng)
        cover = np.clip(0.5 + side / edge, 0, 1)
        factor = rng.uniform(0.45, 0.85) * (1 + rng.normal(0, 0.03, 3))
    else:
        cover = np.clip(0.5 + 0.5 * noise(shape, rng.uniform(6, 20), rng), 0, 1)
        factor = 1 + rng.uniform(0, 0.18) * np.array((1, -1, rng.uniform(-1, 1))) * rng.choice([-1, 1])
    return np.asarray(pixels * (1 - cover[..., None] * (1 - factor)), dtype=np.float32)
