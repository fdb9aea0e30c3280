"""Markers bent round a cylinder, ray by ray and sharing no code with the package: truth for the calibration's tests.

World: the plane z = 0 is the skin's level at the ulcer and touches the cylinder at its highest line, under the marker's
middle; z is towards the camera. A flat marker lies in that plane.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from drawn_markers import INK, PAPER, encoded, marker_bits, photo_of

from ulcermeter.datatypes import CameraInfo, Photo

SHAPE = (720, 960)
SIDE_MM = 10.0
SKIN = 0.32
SUBPIXELS = 4


@dataclass(frozen=True)
class Bent:
    """One photo: the cylinder's radius (None = flat), the direction of its axis, the marker's turn, the camera."""

    radius_mm: float | None
    axis_deg: float
    turn_deg: float
    tilt_deg: float
    azimuth_deg: float
    px_per_mm: float
    focal_35mm_mm: float
    away_mm: tuple[float, float]
    blur_px: float = 0.8
    noise: float = 2.0
    quality: int = 92
    dictionary: str = "DICT_4X4_50"
    marker_id: int = 7
    seed: int = 0


def chance(seed: int, *, radius_mm: float | None | str = "any") -> Bent:
    """Draw one at random: radius 8 to 60 mm, one in six flat; any turn; phones as they are held."""
    rng = np.random.default_rng([71, seed])
    radius = None if rng.random() < 1 / 6 else float(rng.uniform(8, 60))
    towards, away = rng.uniform(0, 2 * np.pi), rng.uniform(10, 20)
    names = (("DICT_4X4_50", 50), ("DICT_5X5_250", 250), ("DICT_6X6_250", 250), ("DICT_APRILTAG_36h11", 587))
    name, count = names[rng.integers(4)]
    return Bent(
        radius_mm=radius if isinstance(radius_mm, str) else radius_mm,
        axis_deg=float(rng.uniform(0, 180)),
        turn_deg=float(rng.uniform(0, 360)),
        tilt_deg=float(rng.uniform(0, 30) * rng.uniform(0.3, 1)),
        azimuth_deg=float(rng.uniform(0, 360)),
        px_per_mm=float(rng.uniform(9, 17)),
        focal_35mm_mm=float(rng.uniform(24, 52)),
        away_mm=(float(away * np.cos(towards)), float(away * np.sin(towards))),
        blur_px=float(rng.uniform(0.5, 1.5)),
        noise=float(rng.uniform(1, 4)),
        quality=int(rng.integers(85, 97)),
        dictionary=name,
        marker_id=int(rng.integers(count)),
        seed=seed,
    )


def camera_of(bent: Bent) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the focal length in px, the rotation (rows right, down, forward) and the centre (3,), mm.

    The axis hits the plane half way between marker and ulcer.
    """
    focal = bent.focal_35mm_mm * float(np.hypot(*SHAPE)) / 43.2666
    tilt, azimuth = np.deg2rad([bent.tilt_deg, bent.azimuth_deg])
    turn = cv2.Rodrigues(tilt * np.array([-np.sin(azimuth), np.cos(azimuth), 0.0]))[0]
    rotation = np.diag([1.0, 1.0, -1.0]) @ turn
    middle = np.array([*np.asarray(bent.away_mm) / 2, 0.0])
    return focal, rotation, middle - focal / bent.px_per_mm * rotation[2]


def project(bent: Bent, points_mm: np.ndarray) -> np.ndarray:
    """World points (K, 3) to photo pixels (K, 2)."""
    focal, rotation, centre = camera_of(bent)
    seen = (points_mm - centre) @ rotation.T
    return focal * seen[:, :2] / seen[:, 2:] + (np.array(SHAPE[::-1]) - 1) / 2


def ulcer_px(bent: Bent) -> np.ndarray:
    return project(bent, np.array([[*bent.away_mm, 0.0]]))[0]


def true_px_per_mm(bent: Bent) -> float:
    """The scale of the plane z = 0 at the ulcer: the root of the ratio of areas."""
    step = 0.01
    around = np.array([[0, 0], [step, 0], [0, step]]) + np.asarray(bent.away_mm)
    a, b, c = project(bent, np.column_stack([around, np.zeros(3)]))
    return float(np.sqrt(abs(np.linalg.det([b - a, c - a])))) / step


def draw_bent(bent: Bent) -> Photo:
    """The photo, with the focal length that its camera has."""
    light = np.full((*SHAPE, 1), SKIN)
    reach = 0.75 * SIDE_MM * 1.5
    box = np.array([[x, y, z] for x in (-reach, reach) for y in (-reach, reach) for z in (-SIDE_MM / 2, 0)])
    corners = project(bent, box)
    low = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(corners.max(axis=0)).astype(int), SHAPE[::-1])
    offsets = (np.arange((high - low)[0] * SUBPIXELS) + 0.5) / SUBPIXELS - 0.5 + low[0]
    downs = (np.arange((high - low)[1] * SUBPIXELS) + 0.5) / SUBPIXELS - 0.5 + low[1]
    patch = _seen(bent, *np.meshgrid(offsets, downs))
    light[low[1] : high[1], low[0] : high[0], 0] = cv2.resize(patch, tuple(high - low), interpolation=cv2.INTER_AREA)
    light = cv2.GaussianBlur(light, (0, 0), bent.blur_px)[..., None]
    grain = bent.noise * np.random.default_rng(bent.seed).standard_normal((*SHAPE, 3))
    pixels = np.clip(np.rint(encoded(light * (1.0, 0.97, 0.93)) + grain), 0, 255).astype(np.uint8)
    coded = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, bent.quality])[1]
    decoded = np.ascontiguousarray(cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1])
    return photo_of(decoded, camera=CameraInfo("Maker", "Phone", bent.focal_35mm_mm), name=f"bent-{bent.seed}")


def _seen(bent: Bent, x_px: np.ndarray, y_px: np.ndarray) -> np.ndarray:
    """Linear light along the rays of photo pixels."""
    focal, rotation, centre = camera_of(bent)
    flat = np.stack([x_px, y_px], axis=-1) - (np.array(SHAPE[::-1]) - 1) / 2
    rays = np.dstack([flat / focal, np.ones(x_px.shape)]) @ rotation
    axis = np.deg2rad(bent.axis_deg)
    along, across = np.array([np.cos(axis), np.sin(axis), 0]), np.array([-np.sin(axis), np.cos(axis), 0])
    if bent.radius_mm is None:
        far = -centre[2] / rays[..., 2]
        hit = centre + far[..., None] * rays
        arc, facing = hit @ across, np.ones(x_px.shape)
    else:
        radius = bent.radius_mm
        (o1, o2), d1, d2 = (centre @ across, centre[2] + radius), rays @ across, rays[..., 2]
        a, b, c = d1**2 + d2**2, o1 * d1 + o2 * d2, o1**2 + o2**2 - radius**2
        far = (-b - np.sqrt(np.maximum(b * b - a * c, 0))) / a
        hit = centre + far[..., None] * rays
        angle = np.arctan2(hit @ across, hit[..., 2] + radius)
        arc, facing = np.where(b * b > a * c, radius * angle, 99.0), np.cos(angle)
    turn = np.deg2rad(bent.turn_deg) - axis
    s = hit @ along
    u, v = np.cos(turn) * s + np.sin(turn) * arc, -np.sin(turn) * s + np.cos(turn) * arc
    return _painted(bent, u, v) * (0.45 + 0.55 * facing)


def _painted(bent: Bent, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    bits = marker_bits(bent.dictionary, bent.marker_id)
    count = len(bits)
    framed = np.pad(bits, 1, constant_values=1)
    col, row = ((np.floor((w / SIDE_MM + 0.5) * count) + 1).astype(int) for w in (u, v))
    on_paper = (col >= 0) & (col <= count + 1) & (row >= 0) & (row <= count + 1)
    modules = framed[np.clip(row, 0, count + 1), np.clip(col, 0, count + 1)]
    return np.where(on_paper, np.where(modules > 0, PAPER, INK), SKIN)
