"""From laid-out fingers to what the skin network is trained on: turned, shifted, lit anew, with something laid on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes.arrays import Mask, Pixels
from ulcermeter.quality.skin_views import VIEW_COLS, VIEW_ROWS, network_input
from ulcermeter.quality.training.areas import Laid, Wound, lay_area, lay_black_tip, lay_crack, lay_wound
from ulcermeter.quality.training.canvases import CANVAS_CELLS, TIP_ROW, Canvas
from ulcermeter.quality.training.harmless import lay_groove, lay_neighbour, lay_polish, lay_shade, lay_small
from ulcermeter.quality.training.painting import beyond_mm

__all__ = ["Sample", "draw_sample"]

Floats = NDArray[np.float32]

# How far a finger is laid out wrong, as its outline is: degrees, cells along and across, scale (ln); sd.
_TURN_DEG, _SHIFT, _SCALE = 4.0, (6.0, 5.0), 0.09
# How the outline is wrong: cells that it is wide or narrow by, either way, and shifted by, sd; share of those twice as
# wrong, and of straight ones about bent fingers.
_OUTLINE, _OUTLINE_SHIFT, _TWICE, _STRAIGHT = 7, 3.0, 0.2, 0.2
# How much the half-covered rim of an area counts as clear.
_RIM_COUNTS = 0.3
# Shares: left healthy; a second thing laid on; a small thing that is none; shade; a deep groove round a nail; a finger
# that touches; polish; each kind of thing; and cracks beside the nail.
_HEALTHY, _SECOND, _SMALL, _SHADE, _GROOVE, _TOUCHED, _POLISH = 0.45, 0.15, 0.55, 0.35, 0.5, 0.25, 0.3
_KINDS = {"area": 0.34, "wound": 0.26, "crack": 0.32, "tip": 0.08}
_CRACK_AT_NAIL, _AT_NAIL_MM = 0.3, 2.0
# Tries until something is laid that shows.
_TRIES = 6
# Photographed anew: gains of the colours (ln), gamma (ln), exposure (ln), saturation (ln), sd; blur, cells; noise.
_GAIN, _GAMMA, _EXPOSURE, _SATURATION = 0.06, 0.12, 0.18, 0.12
_MOST_EXPOSED = 0.2
_BLUR, _NOISE, _JPEG = (0.0, 1.6), (0.0, 5.0), (60, 97)


@dataclass(frozen=True)
class Sample:
    """One view and its answer.

    Attributes
    ----------
    x : float32 (4, 320, 224)
        As `network_input` gives it.
    wanted : float32 (1, 160, 112)
        1 where skin is not clear.
    counted : float32 (1, 160, 112)
        How much a cell counts, 0..1: little at an area's rim.
    """

    x: Floats
    wanted: Floats
    counted: Floats


def draw_sample(canvas: Canvas, wounds: Sequence[Wound], rng: np.random.Generator) -> Sample:
    """Draw a sample of a laid-out finger by chance.

    Parameters
    ----------
    canvas : Canvas
    wounds : sequence of Wound
        To lay on it.
    rng : Generator

    Returns
    -------
    Sample
    """
    matrix, mirrored = _view_matrix(rng), bool(rng.random() < 0.5)
    pixels = _warped(canvas.pixels, matrix, mirrored).astype(np.float32)
    inside, skin, unclear, nail = (
        _warped(one.astype(np.uint8), matrix, mirrored, near=True) > 0
        for one in (canvas.inside, canvas.skin, canvas.unclear, canvas.nail)
    )
    if rng.random() < _POLISH:
        pixels = lay_polish(pixels, nail & ~unclear, rng)
    if rng.random() < _GROOVE:
        pixels = lay_groove(pixels, nail, rng)
    where, unsure = _none(skin)
    if not unclear.any():
        # Before a sore is laid: the neighbour is the finger's mirror image.
        if rng.random() < _TOUCHED:
            pixels = lay_neighbour(pixels, inside, rng)
        pixels, where, unsure = _laid_on(pixels, (inside, skin, nail), wounds, rng)
    if rng.random() < _SHADE:
        pixels = lay_shade(pixels, rng)
    where, unsure = where | unclear, unsure | _rim(unclear)
    wanted = _halved(where)
    return Sample(
        network_input(_photographed(pixels, rng), _outline(inside, rng)),
        wanted[None],
        np.where((wanted > 0) | (_halved(unsure) == 0), np.float32(1), np.float32(_RIM_COUNTS))[None],
    )


def _none(skin: Mask) -> tuple[Mask, Mask]:
    return np.zeros_like(skin), np.zeros_like(skin)


def _rim(where: Mask) -> Mask:
    return np.asarray((cv2.dilate(where.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0) & ~where)


def _view_matrix(rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the matrix from view cells to canvas cells."""
    turn, scale = np.deg2rad(rng.normal(0, _TURN_DEG)), np.exp(rng.normal(0, _SCALE))
    part = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    tip = np.array([CANVAS_CELLS / 2, TIP_ROW]) + rng.normal(0, 1, 2) * _SHIFT[::-1]
    return np.column_stack([part, tip - part @ np.array([VIEW_COLS / 2, 0.0])])


def _warped(values: NDArray[np.uint8], matrix: NDArray[np.float64], mirrored: bool, *, near: bool = False) -> Pixels:
    flags = (cv2.INTER_NEAREST if near else cv2.INTER_LINEAR) | cv2.WARP_INVERSE_MAP
    border = cv2.BORDER_CONSTANT if near else cv2.BORDER_REPLICATE
    out = cv2.warpAffine(values, matrix, (VIEW_COLS, VIEW_ROWS), flags=flags, borderMode=border)
    return np.ascontiguousarray(out[:, ::-1] if mirrored else out)


def _laid_on(
    pixels: Floats, on: tuple[Mask, Mask, Mask], wounds: Sequence[Wound], rng: np.random.Generator
) -> tuple[Floats, Mask, Mask]:
    """Lay sores or none on a finger, of which is known where it is, its skin, and its nail."""
    skin = on[1]
    where, unsure = _none(skin)
    if rng.random() < _SMALL:
        pixels = lay_small(pixels, skin, rng)
    if rng.random() < _HEALTHY or not skin.any():
        return pixels, where, unsure
    for _ in range(1 + (rng.random() < _SECOND)):
        laid = _any_laid(pixels, on, wounds, rng)
        if laid is not None:
            pixels, where, unsure = laid.pixels, where | laid.where, unsure | laid.unsure
    return pixels, where, unsure & ~where


def _any_laid(
    pixels: Floats, on: tuple[Mask, Mask, Mask], wounds: Sequence[Wound], rng: np.random.Generator
) -> Laid | None:
    inside, skin, nail = on
    for _ in range(_TRIES):
        kind = str(rng.choice(list(_KINDS), p=list(_KINDS.values())))
        if kind == "tip":
            laid = lay_black_tip(pixels, inside, rng)
        elif kind == "wound":
            laid = lay_wound(pixels, skin, wounds, rng)
        elif kind == "crack":
            at_nail = nail.any() and rng.random() < _CRACK_AT_NAIL
            laid = lay_crack(pixels, skin, rng, beside=_round(nail) if at_nail else None)
        else:
            laid = lay_area(pixels, skin, rng)
        if laid is not None:
            return laid
    return None


def _round(nail: Mask) -> Mask:
    """Return what lies beside a nail."""
    return (beyond_mm(nail) < _AT_NAIL_MM) & ~nail


def _outline(inside: Mask, rng: np.random.Generator) -> Mask:
    """Return where the finger is taken to be: too wide or too narrow by chance, and shifted."""
    if rng.random() < _STRAIGHT and inside.any():
        hull = cv2.convexHull(np.argwhere(inside)[:, ::-1].astype(np.int32))
        inside = cv2.fillConvexPoly(np.zeros(inside.shape, np.uint8), hull, 1) > 0
    times = 2 if rng.random() < _TWICE else 1
    wide = times * int(rng.integers(-_OUTLINE, _OUTLINE + 1))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * abs(wide) + 1,) * 2)
    changed = (cv2.dilate if wide > 0 else cv2.erode)(inside.astype(np.uint8), disc)
    shift = np.array([[1, 0, 0], [0, 1, 0]], dtype=float)
    shift[:, 2] = rng.normal(0, times * _OUTLINE_SHIFT, 2)
    return np.asarray(cv2.warpAffine(changed, shift, changed.shape[::-1], flags=cv2.INTER_NEAREST) > 0)


def _photographed(pixels: Floats, rng: np.random.Generator) -> Pixels:
    """Light and photograph a view anew."""
    values = np.clip(pixels, 0, 255) / 255
    values = values ** np.exp(rng.normal(0, _GAMMA)) * np.exp(
        min(rng.normal(-0.05, _EXPOSURE), _MOST_EXPOSED) + rng.normal(0, _GAIN, 3)
    )
    grey = values.mean(axis=-1, keepdims=True)
    values = grey + (values - grey) * np.exp(rng.normal(0, _SATURATION))
    values = cv2.GaussianBlur(values, (0, 0), max(rng.uniform(*_BLUR), 0.05))
    noise = cv2.GaussianBlur(rng.normal(size=values.shape), (0, 0), rng.uniform(0.3, 0.9))
    values = 255 * values + rng.uniform(*_NOISE) * noise / max(float(noise.std()), 1e-6)
    out = np.clip(values, 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(*_JPEG))]
        out = cv2.imdecode(cv2.imencode(".jpg", out, quality)[1], cv2.IMREAD_COLOR)
    return np.asarray(out, dtype=np.uint8)


def _halved(where: Mask) -> Floats:
    """Return which cells of the answer hold any of an area: a crack is narrower than one."""
    blocks = where.reshape(where.shape[0] // 2, 2, where.shape[1] // 2, 2)
    return np.asarray(blocks.any(axis=(1, 3)), dtype=np.float32)
