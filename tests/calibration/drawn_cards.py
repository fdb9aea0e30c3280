"""Bank cards drawn on a table through a pinhole camera, sharing no code with the package: truth for finding them.

Everything is drawn in linear light. A card's outline is exact: each quarter of a pixel takes the share of it that lies
within the rounded rectangle of ISO/IEC 7810, mapped through the camera. Hands are capsules shaded as cylinders.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from drawn_markers import encoded

from ulcermeter.datatypes import CameraInfo, Photo

CARD_MM, CORNER_MM = (85.60, 53.98), 3.18
PRINTS = ("plain", "text", "waves", "stripe", "gradient", "blotches", "frame")
SKINS = ((224, 172, 140), (198, 134, 104), (141, 85, 60), (80, 52, 40))


@dataclass(frozen=True)
class Scene:
    """What lies on the table and how it is photographed; colours are sRGB levels, lengths mm or px by their names."""

    card: tuple[float, float, float] = (40, 70, 140)
    ground: tuple[float, float, float] = (225, 224, 220)
    table: tuple[float, float, float] | None = None
    """Of what shows beyond a sheet of paper; None: the ground fills the frame."""
    print: str = "plain"
    hand: str = "none"
    """``none``, ``beside`` or ``corner``: a finger over one corner of the card."""
    skin: tuple[float, float, float] = SKINS[0]
    size_px: tuple[int, int] = (1600, 1200)
    long_side_share: float = 0.4
    """The card's long side over the frame's longer one."""
    tilt_deg: float = 0.0
    azimuth_deg: float = 0.0
    turn_deg: float = 8.0
    place: tuple[float, float] = (0.0, 0.0)
    """Of the card's middle, as shares of half the room that the frame leaves it."""
    falloff: float = 0.2
    shadow: float = 0.0
    """Light lost within a soft shadow whose border crosses the picture."""
    contact: float = 0.3
    """Light lost close beside two of the card's sides."""
    blur_px: float = 1.0
    noise: float = 2.0
    grain: float = 1.0
    quality: int = 90
    focal_35mm_mm: float = 26.0
    seed: int = 0


def draw_card(scene: Scene, *, exif: bool = True) -> tuple[Photo, np.ndarray]:
    """Return the photo and where the card's sides meet (4, 2), px, clockwise as seen."""
    rng = np.random.default_rng(scene.seed)
    to_px = _camera(scene)
    width, height = scene.size_px
    light = _table(scene, to_px, rng)
    mm = _plane_mm(to_px, (height, width))
    if scene.contact:
        near = np.maximum(_rounded_mm(mm - [1.2, 1.6]), 0)
        light *= (1 - scene.contact * np.exp(-((near / 1.5) ** 2)))[..., None]
    card = _lit(scene, _printed(scene, mm, rng), mm)
    cover = _coverage(to_px, (height, width))[..., None]
    light = light * (1 - cover) + card * cover
    if scene.hand != "none":
        light = _hand(scene, light, mm, rng)
    if scene.shadow:
        across = mm @ np.array([np.cos(scene.seed), np.sin(scene.seed)])
        light *= (1 - scene.shadow / (1 + np.exp(-(across - rng.uniform(-25, 25)) / 4.0)))[..., None]
    light = cv2.GaussianBlur(light.astype(np.float32), (0, 0), scene.blur_px)
    noisy = encoded(light) + scene.noise * rng.standard_normal(light.shape, dtype=np.float32)
    pixels = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    coded = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, scene.quality])[1]
    pixels = np.ascontiguousarray(cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1])
    camera = CameraInfo("Maker", "Phone", scene.focal_35mm_mm if exif else None)
    corners = (np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]]) - 0.5) * CARD_MM
    return Photo(pixels, f"card {scene.seed}", None, camera, Path(f"card_{scene.seed}.jpg")), mapped(to_px, corners)


def mapped(homography: np.ndarray, points: np.ndarray) -> np.ndarray:
    places = np.concatenate([points, np.ones((*points.shape[:-1], 1))], axis=-1) @ homography.T
    return places[..., :2] / places[..., 2:]


def _camera(scene: Scene) -> np.ndarray:
    """Return the homography from the plane, mm from the card's middle, to photo pixels."""
    width, height = scene.size_px
    focal = scene.focal_35mm_mm / 43.267 * np.hypot(width, height)
    distance = focal * CARD_MM[0] / (scene.long_side_share * max(width, height))
    axis = np.deg2rad(scene.azimuth_deg)
    tilt = cv2.Rodrigues(np.deg2rad(scene.tilt_deg) * np.array([np.cos(axis), np.sin(axis), 0]))[0]
    rotation = tilt @ cv2.Rodrigues(np.array([0, 0, np.deg2rad(scene.turn_deg)]))[0]
    camera = np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]])
    centred = camera @ np.column_stack([rotation[:, :2], [0, 0, distance]])
    corners = mapped(centred, (np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]]) - 0.5) * CARD_MM)
    room = np.minimum(corners.min(axis=0), np.array([width, height]) - 1 - corners.max(axis=0)) - 0.02 * width
    shift = np.array(scene.place) * np.maximum(room, 0) * distance / focal
    return camera @ np.column_stack([rotation[:, :2], [*shift, distance]])


def _plane_mm(to_px: np.ndarray, shape: tuple[int, int], *, fine: int = 1) -> np.ndarray:
    """Return where each pixel's middle lies in the plane, (M, N, 2); `fine` divides each pixel."""
    x, y = ((np.arange(n * fine) + 0.5) / fine - 0.5 for n in (shape[1], shape[0]))
    return mapped(np.linalg.inv(to_px), np.stack(np.meshgrid(x, y), axis=-1))


def _rounded_mm(mm: np.ndarray) -> np.ndarray:
    """Return the distance from the card's outline, negative within."""
    beyond = np.abs(mm) - (np.array(CARD_MM) / 2 - CORNER_MM)
    return np.hypot(*np.moveaxis(np.maximum(beyond, 0), -1, 0)) + np.minimum(beyond.max(axis=-1), 0) - CORNER_MM


def _coverage(to_px: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return the share of each pixel that lies on the card, drawn twice as fine."""
    depth = _rounded_mm(_plane_mm(to_px, shape, fine=2))
    down, across = np.gradient(depth)
    share = np.clip(0.5 - depth / np.maximum(np.hypot(across, down), 1e-9), 0, 1)
    return share.reshape(shape[0], 2, shape[1], 2).mean(axis=(1, 3))


def _light(colour: object) -> np.ndarray:
    levels = np.asarray(colour, dtype=np.float64) / 255
    return np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)


def _smooth(mm: np.ndarray, every_mm: float, rng: np.random.Generator) -> np.ndarray:
    """Return smooth noise of mean 0 and sd 1 over the plane."""
    grid = rng.standard_normal((64, 64)).astype(np.float32)
    at = (mm / every_mm + 32).astype(np.float32)
    return cv2.remap(grid, at[..., 0], at[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_WRAP) / 0.7


def _lit(scene: Scene, colours: np.ndarray, mm: np.ndarray) -> np.ndarray:
    way = np.array([np.cos(2.1 * scene.seed), np.sin(2.1 * scene.seed)])
    span = np.ptp(mm @ way) / 2
    return colours * (1 - scene.falloff * (1 + mm @ way / span) / 2)[..., None]


def _table(scene: Scene, to_px: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    mm = _plane_mm(to_px, (scene.size_px[1], scene.size_px[0]))
    colours = np.broadcast_to(_light(scene.ground), (*mm.shape[:2], 3)).copy()
    if scene.table is not None:
        turn = rng.uniform(0, 2 * np.pi)
        beyond = mm @ np.array([np.cos(turn), np.sin(turn)]) > rng.uniform(58, 75)
        grained = 1 + 0.25 * _smooth(mm * [0.15, 1], 2.0, rng)
        colours = np.where(beyond[..., None], _light(scene.table) * np.clip(grained, 0.3, 1.6)[..., None], colours)
    colours *= 1 + 0.01 * scene.grain * _smooth(mm, 0.6, rng)[..., None]
    return _lit(scene, colours, mm)


def _printed(scene: Scene, mm: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the card's face, linear light (M, N, 3)."""
    x, y = mm[..., 0], mm[..., 1]
    face = np.broadcast_to(_light(scene.card), (*mm.shape[:2], 3)).copy()
    other = _light(np.clip(np.array(scene.card) + rng.uniform(-70, 70, 3), 5, 250))
    ink = _light((30, 30, 30) if np.mean(scene.card) > 110 else (225, 225, 215))
    if scene.print == "waves":
        face[np.abs(y - 9 * np.sin(x / 14)) < 8] = other
    if scene.print == "stripe":
        face[(y > -22) & (y < -10)] = _light((20, 20, 22))
    if scene.print == "gradient":
        share = np.clip(x / CARD_MM[0] + 0.5, 0, 1)[..., None]
        face = face * (1 - share) + other * share
    if scene.print == "blotches":
        share = np.clip(0.5 + 0.4 * _smooth(mm, 12, rng), 0, 1)[..., None]
        face = face * (1 - share) + other * share
    if scene.print == "frame":
        inset = _rounded_mm(mm)
        face[(inset > -3.6) & (inset < -2.8)] = other
    if scene.print in ("text", "waves", "frame"):
        face[(np.abs(x + 26) < 6) & (np.abs(y + 4) < 5)] = _light((200, 170, 90))
        for row in (8, 14, 18):
            letters = (np.abs(y - row) < 1.3) & (np.abs(x + 8) < 28) & (np.sin(2.3 * x + row * x / 9) > 0)
            face[letters] = ink
    return face


def _hand(scene: Scene, light: np.ndarray, mm: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw fingers of 16 mm beside the card, or one whose tip lies over a corner, each with its shadow."""
    side = 1.0 if rng.uniform() < 0.5 else -1.0
    if scene.hand == "corner":
        tip = np.array([side * (CARD_MM[0] / 2 - 1), CARD_MM[1] / 2 + 1])
        fingers = [(tip, tip + [side * 60, rng.uniform(60, 110)])]
    else:
        edge = side * (CARD_MM[0] / 2 + 16)
        tips = [np.array([edge + side * 19 * k, rng.uniform(-30, -10)]) for k in range(4)]
        fingers = [(tip, tip + [side * rng.uniform(-2, 6), 110.0]) for tip in tips]
    for tip, base in fingers:
        along = (base - tip) / np.hypot(*(base - tip))
        for offset, is_skin in (([2.0, 3.0], False), ([0.0, 0.0], True)):
            place = mm - tip - offset
            s = np.clip(place @ along, 0, np.hypot(*(base - tip)))
            away = np.hypot(*np.moveaxis(place - s[..., None] * along, -1, 0))
            if not is_skin:
                light = light * (1 - 0.45 / (1 + np.exp((away - 8) / 0.8)))[..., None]
                continue
            shade = 0.35 + 0.65 * np.sqrt(np.clip(1 - (away / 8.2) ** 2, 0, 1))
            shade = shade * (1 + 0.05 * _smooth(mm, 1.5, rng)) * (1 - 0.15 * (np.abs(s - 24) % 22 < 0.5))
            light = np.where((away < 8)[..., None], _light(scene.skin) * shade[..., None], light)
    return light
