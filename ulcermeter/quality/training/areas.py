"""Sores that are laid on healthy skin to train on: areas of any colour, photographed wounds, cracks, black tips.

The numbers of this file are ranges (drawn uniformly between) and shares (0..1), all assumptions: wider than what is
expected on photos, so that the network learns what skin is rather than these colours. Lengths are in mm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes.arrays import Mask, Pixels
from ulcermeter.quality.skin_grid import STEP_MM
from ulcermeter.quality.training.painting import Reals, any_colour, light_on, noise, offsets_mm, place_on

__all__ = ["Laid", "Wound", "lay_area", "lay_black_tip", "lay_crack", "lay_wound"]

# Size along its longer side, width over length, how ragged, how soft its edge is, and how much of it covers.
_SIZE_MM, _ASPECT, _RAGGED, _SOFT_MM, _COVERS = (2.4, 11.0), (0.45, 1.0), (0.0, 0.4), (0.03, 0.8), (0.75, 1.0)
# Grain of an area: its size and how much lighter and darker it makes it; and share of areas of two colours.
_GRAIN_MM, _GRAIN, _TWO = (0.12, 0.7), (0.0, 0.3), 0.35
# How much of the light on the finger an area takes over.
_LIGHT = (0.3, 1.0)
# Of cracks: length, width, how they wander, colours, and share with hard pale skin beside.
_CRACK_MM, _CRACK_WIDE_MM, _WANDER_MM, _CALLUS = (2.6, 11.0), (0.2, 0.9), (0.05, 0.35), 0.3
_CRACK_COLOURS = ((30, 12, 12), (160, 45, 40))
# Share of cracks at the edge of the skin, and how wide that is, mm.
_AT_EDGE, _EDGE_MM = 0.25, 1.5
# Hard skin beside a crack, sRGB.
_HARD_SKIN = (235, 220, 190)
# Black tips reach so far.
_TIP_MM = (2.5, 16.0)
# Blur, cells of the finger, before a photograph is shrunk: against aliases.
_BEFORE_SHRINKING = 0.4
# 8-bit CIELAB by which an area differs from the skin it covers, at least, to count; and of its size, as a circle.
_SEEN, _LEAST_MM = 9.0, 1.9
# Share of an area's cover from which on it is one, and below which it is none; what lies between is its rim.
_MOST, _TRACE = 0.5, 0.08


@dataclass(frozen=True)
class Wound:
    """A photographed wound with its surroundings: sRGB, how much of each pixel is wound (0..1), the skin's colour."""

    pixels: Pixels
    cover: Reals
    skin: NDArray[np.float64]


@dataclass(frozen=True)
class Laid:
    """A picture with something laid on it, where that is, and its rim, which it covers by less than half."""

    pixels: Reals
    where: Mask
    unsure: Mask


def _covered(pixels: Reals, paint: Reals, cover: Reals, skin: Mask) -> Laid | None:
    """Lay paint over a picture; None where what is laid could not be told from skin, or is too small."""
    cover = cover * cv2.GaussianBlur(skin.astype(np.float32), (0, 0), 0.7)
    out = pixels + cover[..., None] * (paint - pixels)
    where, unsure = cover > _MOST, (cover > _TRACE) & (cover <= _MOST)
    if where.sum() * STEP_MM**2 < np.pi / 4 * _LEAST_MM**2:
        return None
    before, after = (_lab(one[where]) for one in (pixels, out))
    if np.linalg.norm(after - before, axis=1).mean() < _SEEN:
        return None
    return Laid(out, where, unsure)


def _lab(pixels: Reals) -> Reals:
    clipped = np.clip(pixels, 0, 255).astype(np.float32)[None] / 255
    return np.asarray(cv2.cvtColor(clipped, cv2.COLOR_RGB2LAB)[0], dtype=np.float32)


def lay_area(pixels: Reals, skin: Mask, rng: np.random.Generator) -> Laid | None:
    """Lay a ragged area of one or two colours with a grain of its own on the skin.

    Parameters
    ----------
    pixels : float32 (M, N, 3)
        sRGB, 0..255.
    skin : bool (M, N)
        Where it may lie.
    rng : Generator

    Returns
    -------
    Laid or None
        None where nothing that shows was laid.
    """
    at = place_on(skin, rng)
    if at is None:
        return None
    shape, x_y, angle = skin.shape, offsets_mm(skin.shape, at), rng.uniform(0, np.pi)
    size, aspect = float(np.exp(rng.uniform(*np.log(_SIZE_MM)))), rng.uniform(*_ASPECT)
    along = x_y[0] * np.cos(angle) + x_y[1] * np.sin(angle)
    across = (x_y[1] * np.cos(angle) - x_y[0] * np.sin(angle)) / aspect
    inner = 1 - np.hypot(along, across) / (size / 2)
    inner += rng.uniform(*_RAGGED) * noise(shape, rng.uniform(0.4, 2.5), rng)
    soft = rng.uniform(*_SOFT_MM)
    cover = np.clip(0.5 + inner * size / 2 / soft, 0, 1) * rng.uniform(*_COVERS)
    paint = np.broadcast_to(any_colour(rng), pixels.shape)
    if rng.random() < _TWO:
        share = np.clip(0.5 + 2 * noise(shape, rng.uniform(0.4, 2.5), rng), 0, 1)[..., None]
        paint = paint * share + any_colour(rng) * (1 - share)
    grain = 1 + rng.uniform(*_GRAIN) * noise(shape, rng.uniform(*_GRAIN_MM), rng)
    light = 1 + rng.uniform(*_LIGHT) * (light_on(pixels, skin) - 1)
    return _covered(pixels, paint * (grain * light)[..., None], cover, skin)


def lay_black_tip(pixels: Reals, inside: Mask, rng: np.random.Generator) -> Laid | None:
    """Darken, bloody or crust the end of a finger, its nail too, up to a ragged line.

    Parameters
    ----------
    pixels : float32 (M, N, 3)
        sRGB, 0..255.
    inside : bool (M, N)
        The finger, its nail too.
    rng : Generator

    Returns
    -------
    Laid or None
        None where nothing that shows was laid.
    """
    rows = np.nonzero(inside.any(axis=1))[0]
    if not len(rows):
        return None
    reach = rng.uniform(*_TIP_MM)
    down = (np.arange(inside.shape[0], dtype=np.float32) - rows[0])[:, None] * STEP_MM
    line = reach - down + rng.uniform(0.3, 1.5) * noise(inside.shape, rng.uniform(1, 4), rng)
    cover = np.clip(0.5 + line / rng.uniform(0.3, 2.5), 0, 1) * rng.uniform(0.7, 1.0)
    grain = 1 + rng.uniform(*_GRAIN) * noise(inside.shape, rng.uniform(*_GRAIN_MM), rng)
    paint = any_colour(rng) * (grain * light_on(pixels, inside))[..., None]
    return _covered(pixels, paint, cover, inside)


def lay_wound(pixels: Reals, skin: Mask, wounds: Sequence[Wound], rng: np.random.Generator) -> Laid | None:
    """Lay a photographed wound on the skin, turned and scaled, as light as the skin that it covers.

    Parameters
    ----------
    pixels : float32 (M, N, 3)
        sRGB, 0..255.
    skin : bool (M, N)
        Where it may lie.
    wounds : sequence of Wound
        One of them is laid.
    rng : Generator

    Returns
    -------
    Laid or None
        None where nothing that shows was laid.
    """
    at = place_on(skin, rng)
    if at is None or not wounds:
        return None
    wound = wounds[int(rng.integers(len(wounds)))]
    area = float((wound.cover > _MOST).sum())
    size = float(np.exp(rng.uniform(*np.log(_SIZE_MM)))) / STEP_MM
    rows, cols = np.nonzero(wound.cover > _MOST)
    middle = (float(cols.mean()), float(rows.mean()))
    scale = size / np.sqrt(4 / np.pi * area)
    turn = cv2.getRotationMatrix2D(middle, rng.uniform(0, 360), scale)
    turn[:, 2] += np.array(at) - middle
    shape = skin.shape[::-1]
    grow = rng.uniform(0, 1.2)
    cover = cv2.warpAffine(wound.cover, turn, shape)
    cover = np.clip(cv2.GaussianBlur(cover, (0, 0), 1 + 4 * grow) * (1 + grow), 0, 1)
    level = np.median(pixels[skin], axis=0) if rng.random() < 0.8 else np.full(3, np.median(pixels[skin]))
    gain = (level + 1) / (wound.skin + 1) if rng.random() < 0.8 else rng.uniform(0.7, 1.3) * np.ones(3)
    fine = wound.pixels.astype(np.float32)
    if scale < 1:
        fine = cv2.GaussianBlur(fine, (0, 0), _BEFORE_SHRINKING / scale)
    paint = cv2.warpAffine(fine, turn, shape, borderMode=cv2.BORDER_REFLECT)
    return _covered(pixels, paint * gain.astype(np.float32), cover, skin)


def lay_crack(pixels: Reals, skin: Mask, rng: np.random.Generator, *, beside: Mask | None = None) -> Laid | None:
    """Lay a crack that ends in points and wanders on the skin: anywhere, across joints, at the edge, beside the nail.

    Parameters
    ----------
    pixels : float32 (M, N, 3)
        sRGB, 0..255.
    skin : bool (M, N)
        Where it may lie.
    rng : Generator
    beside : bool (M, N), optional
        Where it is to lie if there is skin: round a nail.

    Returns
    -------
    Laid or None
        None where nothing that shows was laid.
    """
    at = None if beside is None else place_on(skin & beside, rng, near_tip=False)
    if at is None and rng.random() < _AT_EDGE:
        at = place_on(_edge(skin), rng, near_tip=rng.random() < 0.6)
    if at is None:
        at = place_on(skin, rng, near_tip=rng.random() < 0.6)
    if at is None:
        return None
    angle = rng.uniform(0, np.pi) if rng.random() < 0.6 else np.pi / 2 + rng.normal(0, 0.25)
    x, y = offsets_mm(skin.shape, at)
    along, off = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    length, wide = rng.uniform(*_CRACK_MM), float(np.exp(rng.uniform(*np.log(_CRACK_WIDE_MM))))
    off = off + rng.uniform(*_WANDER_MM) * noise(skin.shape, rng.uniform(1.0, 3.0), rng)
    off = off + rng.normal(0, 0.03) * along**2
    half = 0.5 * wide * np.sqrt(np.clip(1 - (2 * along / length) ** 2, 0, 1))
    cover = np.clip(0.5 + (half - np.abs(off)) / STEP_MM, 0, 1) * (half > 0)
    cover = cv2.GaussianBlur(cover.astype(np.float32), (0, 0), rng.uniform(0.4, 1.0))
    if rng.random() < _CALLUS:
        callus = np.exp(-((off / rng.uniform(0.5, 1.5)) ** 2)) * (half > 0) * rng.uniform(0.1, 0.5)
        hard = np.array(_HARD_SKIN) * light_on(pixels, skin)[..., None]
        pixels = pixels + (callus * skin)[..., None] * (hard - pixels)
    dark, red = (np.array(one) for one in _CRACK_COLOURS)
    colour = dark + rng.random() * (red - dark)
    level = float(np.clip(pixels[skin].mean() / 170, 0.3, 1.2))
    cover = cover * cv2.GaussianBlur(skin.astype(np.float32), (0, 0), 0.7)
    out = pixels + cover[..., None] * (colour * level - pixels)
    changed = np.abs(out - pixels).max(axis=-1)
    where = (changed > 20) & (cover > 0.25)
    shown = cv2.connectedComponentsWithStats(cv2.morphologyEx(where.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3))))
    if max((np.hypot(*one[2:4]) for one in shown[2][1:]), default=0.0) * STEP_MM < _LEAST_MM:
        return None
    near = cv2.dilate(where.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return Laid(np.asarray(out, dtype=np.float32), where, near & ~where)


def _edge(skin: Mask) -> Mask:
    """Return the skin that lies near its border."""
    wide = 2 * round(_EDGE_MM / STEP_MM) + 1
    return np.asarray(skin & (cv2.erode(skin.astype(np.uint8), np.ones((wide, wide), np.uint8)) == 0))
