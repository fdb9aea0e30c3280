"""Markers drawn by a known homography, sharing no code with the package: truth for the calibration's tests."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ulcermeter.datatypes import CameraInfo, Photo

INK, PAPER = 0.035, 0.82
OVERSAMPLED = 4
PHONE = CameraInfo("Maker", "Phone", 26.0)


def photo_of(pixels: np.ndarray, *, camera: CameraInfo = PHONE, name: str = "drawn") -> Photo:
    return Photo(pixels, name, None, camera, Path(f"{name}.jpg"))


def marker_bits(dictionary: str, marker_id: int) -> np.ndarray:
    """Modules (K, K) with the black border, 1 = white."""
    found = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, dictionary))
    return (cv2.aruco.generateImageMarker(found, marker_id, found.markerSize + 2) > 127).astype(np.float32)


def encoded(light: np.ndarray) -> np.ndarray:
    """Linear light to sRGB, 0..255, not rounded."""
    light = np.clip(light, 0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def draw_markers(
    shape: tuple[int, int],
    corners: list[np.ndarray],
    *,
    dictionary: str = "DICT_4X4_50",
    ids: tuple[int, ...] = (7,),
    blur_px: float = 1.0,
    noise: float = 2.0,
    seed: int = 0,
    ground: float = PAPER,
    bleed_px: float = 0.0,
    bits: np.ndarray | None = None,
) -> np.ndarray:
    """Draw markers whose black squares have the given corners (4, 2) in photo pixels: uint8 (M, N, 3).

    ``bleed_px`` widens white into black by that much on every border.
    """
    light = np.full(shape, ground, np.float32)
    for corner, marker_id in zip(corners, ids, strict=True):
        modules = marker_bits(dictionary, marker_id) if bits is None else bits
        _paint(light, corner, modules, blur_px, bleed_px, ground)
    rng = np.random.default_rng(seed)
    noisy = encoded(light)[..., None] + noise * rng.standard_normal((*shape, 3))
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def _paint(
    light: np.ndarray, corners: np.ndarray, modules: np.ndarray, blur_px: float, bleed_px: float, ground: float
) -> None:
    count = len(modules)
    pad = int(5 * blur_px + 6)
    low = np.floor(corners.min(axis=0) - pad).astype(int)
    high = np.ceil(corners.max(axis=0) + pad).astype(int)
    assert (low >= 0).all() and high[0] <= light.shape[1] and high[1] <= light.shape[0]
    square = np.array([[0, 0], [count, 0], [count, count], [0, count]], np.float32)
    to_modules = cv2.getPerspectiveTransform((corners - low).astype(np.float32), square)
    rows, cols = (high - low)[1] * OVERSAMPLED, (high - low)[0] * OVERSAMPLED
    y, x = np.mgrid[0:rows, 0:cols]
    plane = (
        np.stack([(x + 0.5) / OVERSAMPLED - 0.5, (y + 0.5) / OVERSAMPLED - 0.5, np.ones_like(x)], axis=-1)
        @ to_modules.T
    )
    col, row = (np.clip(np.floor(plane[..., i] / plane[..., 2]).astype(int) + 1, 0, count + 1) for i in (0, 1))
    painted = np.pad(modules, 1, constant_values=1)[row, col].astype(np.float32)
    if bleed_px:
        reach = 2 * round(bleed_px * OVERSAMPLED) + 1
        painted = cv2.dilate(painted, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    painted = cv2.GaussianBlur(INK + (ground - INK) * painted, (0, 0), blur_px * OVERSAMPLED)
    patch = cv2.resize(painted, tuple(int(n) for n in high - low), interpolation=cv2.INTER_AREA)
    light[low[1] : high[1], low[0] : high[0]] = patch


def tilted_camera(
    shape: tuple[int, int], *, tilt_deg: float, azimuth_deg: float, distance_mm: float, centre_mm: tuple[float, float]
) -> np.ndarray:
    """Plane mm to photo pixels, seen by a phone of 26 mm equivalent; ``centre_mm`` is what its axis hits."""
    focal_px = 26 * float(np.hypot(*shape)) / 43.2666
    tilt, azimuth = np.deg2rad([tilt_deg, azimuth_deg])
    axis = np.array([-np.sin(azimuth), np.cos(azimuth), 0.0])
    rotation = cv2.Rodrigues(tilt * axis)[0]
    frame = np.column_stack([rotation[:, 0], rotation[:, 1], [0.0, 0.0, distance_mm]])
    inner = np.array([[focal_px, 0, (shape[1] - 1) / 2], [0, focal_px, (shape[0] - 1) / 2], [0, 0, 1.0]])
    shift = np.array([[1, 0, -centre_mm[0]], [0, 1, -centre_mm[1]], [0, 0, 1.0]])
    return inner @ frame @ shift


def seen(to_px: np.ndarray, points_mm: np.ndarray) -> np.ndarray:
    mapped = np.column_stack([points_mm, np.ones(len(points_mm))]) @ to_px.T
    return mapped[:, :2] / mapped[:, 2:]


def square_mm(side_mm: float, at: tuple[float, float] = (0.0, 0.0), turned_deg: float = 0.0) -> np.ndarray:
    unit = (np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]]) - 0.5) * side_mm
    cos, sin = np.cos(np.deg2rad(turned_deg)), np.sin(np.deg2rad(turned_deg))
    return unit @ np.array([[cos, sin], [-sin, cos]]) + at
