"""Things beside a finger: bank cards, printed markers, dots, rulers, coins, pens, drawn flat on the ground.

The numbers of this file are appearance chosen by eye against photographs (assumption), wide enough that the finger
network meets what it may meet; none of them enters a truth.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes.arrays import Reals
from ulcermeter.phantom.skin import linear

# Pixels of a prop's own picture in a millimetre.
FINE = 4.0


def lay_prop(picture: Reals, *, px_per_mm: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Lay one thing somewhere on a picture of linear light, changing it.

    Parameters
    ----------
    picture : float32 (M, N, 3)
        Linear light; changed in place.
    px_per_mm : float
        Scale of the picture.
    rng : Generator
        What chance is drawn from.

    Returns
    -------
    float32 (M, N)
        How much of each pixel the thing covers, 0..1.
    """
    srgb, cover = KINDS[rng.choice(len(KINDS), p=PROBABILITIES)](rng)
    rows, cols = cover.shape
    angle, scale = rng.uniform(0, 2 * np.pi), px_per_mm / FINE * rng.uniform(0.9, 1.1)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    at = rng.uniform(-0.1, 1.1, 2) * np.array(picture.shape[1::-1])
    move = np.column_stack([turn, at - turn @ (cols / 2, rows / 2)])
    size = picture.shape[1::-1]
    share = cv2.warpAffine(cover, move, size, flags=cv2.INTER_AREA)
    colour = cv2.warpAffine(np.ascontiguousarray(linear(srgb)), move, size, flags=cv2.INTER_AREA)
    picture *= 1 - share[..., None]
    picture += colour * share[..., None]
    return np.asarray(share)


def _sheet(wide_mm: float, high_mm: float, srgb: Reals, corner_mm: float = 0.0) -> tuple[Reals, NDArray[np.float32]]:
    rows, cols = int(high_mm * FINE), int(wide_mm * FINE)
    cover, r = np.zeros((rows, cols), np.float32), int(corner_mm * FINE)
    cv2.rectangle(cover, (r, 0), (cols - r, rows), 1.0, -1)
    cv2.rectangle(cover, (0, r), (cols, rows - r), 1.0, -1)
    for x in (r, cols - 1 - r):
        for y in (r, rows - 1 - r):
            cv2.circle(cover, (x, y), r, 1.0, -1)
    return np.full((rows, cols, 3), srgb, np.float32), cover


def _bank_card(rng: np.random.Generator) -> tuple[Reals, NDArray[np.float32]]:
    picture, cover = _sheet(85.6, 53.98, rng.uniform(20, 245, 3), 3.18)
    rows, cols = cover.shape
    ramp = np.linspace(rng.uniform(0.6, 1), rng.uniform(1, 1.4), cols)[None, :, None]
    picture *= ramp
    cv2.rectangle(picture, (40, 80), (88, 118), (205, 180, 110), -1)
    for line in range(int(rng.integers(0, 4))):
        cv2.rectangle(
            picture, (40, 130 + 22 * line), (int(rng.uniform(100, 320)), 140 + 22 * line), rng.uniform(0, 255, 3), -1
        )
    return np.clip(picture, 0, 255), cover


def _marker(rng: np.random.Generator) -> tuple[Reals, NDArray[np.float32]]:
    side = float(rng.choice([10, 15, 20, 30]))
    picture, cover = _sheet(side * 1.5, side * 1.5, np.full(3, rng.uniform(215, 250)))
    px = int(side * FINE)
    family = cv2.aruco.DICT_4X4_50 if rng.random() < 0.6 else cv2.aruco.DICT_APRILTAG_36h11
    printed = cv2.aruco.generateImageMarker(cv2.aruco.getPredefinedDictionary(family), int(rng.integers(50)), px)
    start = (cover.shape[0] - px) // 2
    picture[start : start + px, start : start + px] = np.maximum(printed[..., None].astype(np.float32) * 0.95, 18)
    return picture, cover


def _disc(rng: np.random.Generator) -> tuple[Reals, NDArray[np.float32]]:
    side = int(rng.uniform(5, 26) * FINE)
    picture, cover = np.full((side, side, 3), rng.uniform(20, 245, 3), np.float32), np.zeros((side, side), np.float32)
    cv2.circle(cover, (side // 2, side // 2), side // 2 - 1, 1.0, -1)
    if rng.random() < 0.5:
        cv2.circle(picture, (side // 2, side // 2), int(side * rng.uniform(0.25, 0.45)), rng.uniform(40, 230, 3), -1)
    return picture, cover


def _ruler(rng: np.random.Generator) -> tuple[Reals, NDArray[np.float32]]:
    paper = np.full(3, rng.uniform(170, 250)) if rng.random() < 0.7 else rng.uniform(20, 240, 3)
    ink = 20.0 if paper.mean() > 110 else 235.0
    high = rng.uniform(10, 30)
    sheet, cover = _sheet(150, high, paper)
    picture = sheet.astype(np.uint8)
    for tick in range(150):
        reach = (0.5 if tick % 10 == 0 else 0.36 if tick % 5 == 0 else 0.22) * min(high, 14)
        cv2.line(picture, (int(tick * FINE), 0), (int(tick * FINE), int(reach * FINE)), (ink,) * 3, 1)
        if tick % 10 == 0:
            at = (int(tick * FINE) + 2, int((reach + 3) * FINE))
            cv2.putText(picture, str(tick // 10), at, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (ink,) * 3, 1, cv2.LINE_AA)
    return picture.astype(np.float32), cover


def _pen(rng: np.random.Generator) -> tuple[Reals, NDArray[np.float32]]:
    """Draw a rod of a finger's colours or any other, rounded by its shade."""
    wide = rng.uniform(6, 16)
    colour = rng.uniform(20, 245, 3) if rng.random() < 0.6 else np.array([205, 160, 135]) * rng.uniform(0.5, 1.15)
    picture, cover = _sheet(rng.uniform(70, 150), wide, colour, rng.choice([0.0, 0.48]) * wide)
    shade = np.sqrt(np.clip(1 - np.linspace(-0.98, 0.98, cover.shape[0]) ** 2, 0, 1))
    return picture * (0.45 + 0.6 * shade)[:, None, None], cover


KINDS: tuple[Callable[[np.random.Generator], tuple[Reals, NDArray[np.float32]]], ...] = (
    _bank_card,
    _marker,
    _disc,
    _ruler,
    _pen,
)
# Of `KINDS`: rods most often, as they are likest to a finger (assumption).
PROBABILITIES = (0.2, 0.2, 0.2, 0.15, 0.25)
