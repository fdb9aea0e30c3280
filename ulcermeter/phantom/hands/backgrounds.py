"""What lies under and behind a hand: pictures from a folder, or wood, cloth, print and clutter of our own.

The numbers of this file are appearance chosen by eye against photographs (assumption), wide enough that the finger
network meets what it may meet; none of them enters a truth.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ulcermeter.datatypes.arrays import Reals
from ulcermeter.phantom.noise_maps import band_noise
from ulcermeter.phantom.skin import BACK_SRGB, PALM_SRGB, linear

# A picture smaller than this is a tile to be repeated, a larger one a room to cut from.
TILE_LIMIT_PX = 200
PLAIN_SRGB = np.array(
    [(236, 236, 236), (60, 60, 60), (60, 110, 150), (205, 165, 150), (210, 150, 120), (90, 130, 90), (90, 140, 180),
     (20, 30, 60), (140, 90, 60), (200, 190, 170), (120, 170, 160), (245, 240, 230)]
)  # fmt: skip


class Backgrounds:
    """A store of ground pictures; empty, every ground is drawn."""

    def __init__(self, folder: Path | None = None) -> None:
        paths = [] if folder is None else sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".png"))
        pictures = [cv2.imread(str(path), cv2.IMREAD_COLOR) for path in paths]
        kept = [cv2.cvtColor(p, cv2.COLOR_BGR2RGB) for p in pictures if p is not None]
        self.tiles = [p for p in kept if max(p.shape[:2]) < TILE_LIMIT_PX]
        self.scenes = [p for p in kept if max(p.shape[:2]) >= TILE_LIMIT_PX]

    def draw(self, size_px: int, rng: np.random.Generator, *, skin: bool = False) -> Reals:
        """Draw a ground, float32 (size, size, 3) linear light; of ``skin`` that is no finger, where asked."""
        uniform = rng.random()
        if skin:
            srgb = _skin_like(size_px, rng)
        elif self.scenes and uniform < 0.25:
            srgb = _crop_scene(self.scenes[rng.integers(len(self.scenes))], size_px, rng)
        elif self.tiles and uniform < 0.60:
            srgb = _lay_tiles(self.tiles[rng.integers(len(self.tiles))], size_px, rng)
        else:
            kinds = (_plain, _wood, _weave, _clutter, _skin_like, _print)
            srgb = kinds[rng.choice(len(kinds), p=(0.3, 0.15, 0.15, 0.18, 0.15, 0.07))](size_px, rng)
        if rng.random() < 0.15:
            srgb = _patchwork(srgb, self, size_px, rng)
        return np.ascontiguousarray(linear(np.clip(srgb, 0, 255)), dtype=np.float32)


def _crop_scene(scene: Reals, size_px: int, rng: np.random.Generator) -> Reals:
    rows, cols = scene.shape[:2]
    side = int(rng.uniform(0.3, 0.9) * min(rows, cols))
    y, x = rng.integers(0, rows - side + 1), rng.integers(0, cols - side + 1)
    out = cv2.resize(scene[y : y + side, x : x + side], (size_px, size_px), interpolation=cv2.INTER_CUBIC)
    return np.asarray(cv2.GaussianBlur(out, (0, 0), rng.uniform(0.5, 6)).astype(np.float32))


def _lay_tiles(tile: Reals, size_px: int, rng: np.random.Generator) -> Reals:
    mirrored = np.hstack([tile, tile[:, ::-1]])
    mirrored = np.vstack([mirrored, mirrored[::-1]])
    scale, angle = np.exp(rng.uniform(np.log(0.5), np.log(4))), rng.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / scale
    move = np.column_stack([turn, rng.uniform(0, 200, 2)]).astype(np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(mirrored, move, (size_px, size_px), flags=flags, borderMode=cv2.BORDER_WRAP).astype(np.float32)
    )


def _colour(rng: np.random.Generator) -> Reals:
    return np.asarray(PLAIN_SRGB[rng.integers(len(PLAIN_SRGB))] + rng.normal(0, 14, 3))


def _noise(size_px: int, waves: float, rng: np.random.Generator) -> Reals:
    """Return noise of unit sd, (size, size), with up to ``waves`` waves across."""
    side = int(rng.integers(128, 512))
    y, x = rng.integers(0, 512 - side + 1, 2)
    field = band_noise(max(waves * 512 / side / 6, 0.5), waves * 512 / side, int(rng.integers(3)))
    return np.asarray(cv2.resize(field[y : y + side, x : x + side], (size_px, size_px), interpolation=cv2.INTER_LINEAR))


def _plain(size_px: int, rng: np.random.Generator) -> Reals:
    field = _noise(size_px, float(rng.uniform(2, 60)), rng)[..., None]
    return _colour(rng) + field * rng.uniform(0, 14) + np.zeros((1, 1, 3))


def _wood(size_px: int, rng: np.random.Generator) -> Reals:
    position = np.linspace(0, rng.uniform(4, 25), size_px)[:, None] + 0.5 * _noise(size_px, 4, rng)
    grain = np.sin(2 * np.pi * position + 2 * _noise(size_px, 3, rng)) + 0.6 * _noise(size_px, 50, rng)
    tone = np.array([165, 120, 80]) * rng.uniform(0.4, 1.35) + rng.normal(0, 10, 3)
    out = tone + (grain * rng.uniform(3, 16))[..., None]
    return np.asarray(out if rng.random() < 0.5 else out.transpose(1, 0, 2))


def _weave(size_px: int, rng: np.random.Generator) -> Reals:
    y, x = np.mgrid[:size_px, :size_px].astype(np.float32)
    fold = rng.uniform(0, 8) * _noise(size_px, 4, rng)
    period = rng.uniform(3, 14)
    threads = np.sin(2 * np.pi * (x + fold) / period) * np.sin(2 * np.pi * (y + fold) / period)
    shade = 1 + 0.12 * _noise(size_px, 5, rng)
    return np.asarray((_colour(rng) + threads[..., None] * rng.uniform(3, 22)) * shade[..., None])


def _print(size_px: int, rng: np.random.Generator) -> Reals:
    """Draw printed matter: rows of dark strokes on a pale sheet."""
    out = np.full((size_px, size_px, 3), rng.uniform(200, 250), np.float32)
    pitch = int(rng.integers(8, 26))
    for top in range(0, size_px, pitch):
        x = 0
        while x < size_px:
            word = int(rng.integers(4, 4 * pitch))
            if rng.random() < 0.8:
                cv2.rectangle(out, (x, top), (x + word, top + pitch // 3), (rng.uniform(10, 120),) * 3, -1)
            x += word + pitch // 2
    return np.asarray(cv2.GaussianBlur(out, (0, 0), rng.uniform(0.5, 2)))


def _skin_like(size_px: int, rng: np.random.Generator) -> Reals:
    """Draw skin that is no finger: a leg, a palm close up, with soft shades and folds."""
    table = PALM_SRGB if rng.random() < 0.5 else BACK_SRGB
    tone = table[rng.integers(6)] * rng.uniform(0.8, 1.1) + rng.normal(0, 8, 3)
    shade = 1 + 0.16 * _noise(size_px, float(rng.uniform(1, 4)), rng) + 0.03 * _noise(size_px, 60, rng)
    out = tone * shade[..., None]
    for _ in range(int(rng.integers(0, 5))):
        ends = rng.uniform(0, size_px, (3, 2))
        line = np.zeros((size_px, size_px), np.float32)
        curve = np.array(
            [(1 - t) ** 2 * ends[0] + 2 * t * (1 - t) * ends[1] + t**2 * ends[2] for t in np.linspace(0, 1, 20)]
        )
        cv2.polylines(line, [np.round(curve).astype(np.int32)], False, 1.0, int(rng.integers(1, 9)))
        out = out * (1 - 0.35 * cv2.GaussianBlur(line, (0, 0), rng.uniform(1, 6))[..., None])
    return np.asarray(out)


def _clutter(size_px: int, rng: np.random.Generator) -> Reals:
    """Draw a table full of things: rods, boxes, discs, cables in any colours, skin's among them."""
    out = _plain(size_px, rng).astype(np.float32).copy()
    for _ in range(int(rng.integers(5, 40))):
        colour = tuple(float(v) for v in (_colour(rng) if rng.random() < 0.7 else BACK_SRGB[rng.integers(6)]))
        layer = out.copy()
        centre, size = rng.uniform(0, size_px, 2), rng.uniform(0.02, 0.3) * size_px
        angle = float(rng.uniform(0, 180))
        if rng.random() < 0.4:
            box = cv2.boxPoints((tuple(centre), (size, size * rng.uniform(0.1, 1)), angle))
            cv2.fillConvexPoly(layer, np.round(box).astype(np.int32), colour)
        elif rng.random() < 0.5:
            axes = (max(int(size), 1), max(int(size * rng.uniform(0.2, 1)), 1))
            cv2.ellipse(layer, tuple(int(v) for v in centre), axes, angle, 0, 360, colour, -1)
        else:
            ends = np.round(rng.uniform(0, size_px, (2, 2))).astype(int)
            wide = int(rng.integers(2, max(3, size_px // 10)))
            cv2.line(layer, ends[0].tolist(), ends[1].tolist(), colour, wide, cv2.LINE_AA)
        out = cv2.GaussianBlur(layer, (0, 0), 0.7)
    return out


def _patchwork(srgb: Reals, backgrounds: Backgrounds, size_px: int, rng: np.random.Generator) -> Reals:
    """Lay a piece of another ground over one side, its edge straight: a sheet on a table, a sleeve, a screen."""
    tile = backgrounds.tiles[rng.integers(len(backgrounds.tiles))] if backgrounds.tiles else None
    other = _plain(size_px, rng) if tile is None else _lay_tiles(tile, size_px, rng)
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[:size_px, :size_px] - size_px / 2
    side = np.cos(angle) * x + np.sin(angle) * y > rng.uniform(-0.3, 0.3) * size_px
    return np.where(side[..., None], other, srgb)
