"""Fingers painted with a few lines of numpy: a skin-coloured bar with a round end, seen square on or from a camera."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ulcermeter.datatypes import Calibration, CameraInfo, Photo, RectifiedPhoto
from ulcermeter.reference import parse_reference

SHAPE = (620, 860)
PX_PER_MM = 10.0
SKIN, NAIL = (196, 152, 128), (226, 178, 172)
GROUNDS = {"blue": (70, 110, 160), "grey": (120, 120, 122), "white": (225, 226, 224), "green": (60, 115, 90)}


def paint(
    *,
    tip: tuple[float, float] = (31.0, 22.0),
    turn_deg: float = 20.0,
    radius_mm: float = 8.0,
    ground: str = "blue",
    skin: tuple[int, int, int] = SKIN,
    nail: bool = False,
    length_mm: float = 200.0,
    shadow: bool = False,
) -> np.ndarray:
    """Return pixels (M, N, 3) at 10 px/mm; the axis runs `turn_deg` clockwise from straight down."""
    y, x = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]] / PX_PER_MM
    ax, ay = axis(turn_deg)
    along, across = (x - tip[0]) * ax + (y - tip[1]) * ay, (x - tip[0]) * ay - (y - tip[1]) * ax
    half = radius_mm * np.sqrt(np.clip(1 - np.maximum(1 - along / radius_mm, 0) ** 2, 0, 1))
    on = (np.abs(across) < half) & (along < length_mm)
    picture = np.empty((*SHAPE, 3))
    picture[:] = GROUNDS[ground]
    picture *= (0.9 + 0.2 * x / x.max())[:, :, None]
    if shadow:
        picture[np.roll(on, (25, -30), axis=(0, 1))] *= 0.55
    shade = 0.75 + 0.25 * np.sqrt(np.clip(1 - (across / radius_mm) ** 2, 0, 1))
    picture[on] = (np.array(skin) * shade[:, :, None])[on]
    if nail:
        plate = ((along - 6) / 5) ** 2 + (across / (0.65 * radius_mm)) ** 2 < 1
        picture[plate] = NAIL
    picture += np.random.default_rng(2).normal(0, 4, picture.shape)
    return cv2.GaussianBlur(np.clip(picture, 0, 255).astype(np.uint8), (0, 0), 1.0)


def axis(turn_deg: float) -> tuple[float, float]:
    """Return the unit vector from tip to hand."""
    turn = np.radians(turn_deg)
    return -float(np.sin(turn)), float(np.cos(turn))


def rectified(
    pixels: np.ndarray, *, reference_px: np.ndarray | None = None, px_per_mm: float = PX_PER_MM
) -> RectifiedPhoto:
    """Return the painting with a stated scale: no perspective to undo."""
    nan = float("nan")
    calibration = Calibration(
        pixel_to_mm=np.diag([1 / px_per_mm, 1 / px_per_mm, 1.0]),
        draws=np.empty((0, 3, 3)),
        reference=parse_reference(f"scale:{px_per_mm:g}"),
        reference_on="skin",
        points_px=np.empty((0, 2)),
        points_mm=np.empty((0, 2)),
        points_covariance_px2=np.empty((0, 0)),
        reference_outline_px=np.empty((0, 2)) if reference_px is None else reference_px,
        reprojection_mm=nan,
        tilt_deg=nan,
        distance_mm=nan,
        distance_sd_mm=nan,
        verified=False,
        shape=pixels.shape[:2],
    )
    photo = Photo(pixels, "f00d", None, CameraInfo(), Path("painted.png"))
    return RectifiedPhoto(pixels[:40, :50], 1 / px_per_mm, (0.0, 0.0), calibration, photo)
