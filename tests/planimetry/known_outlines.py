"""Outlines of known size on photos of known geometry, for the tests of this room."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ulcermeter.datatypes import (
    Calibration,
    CameraInfo,
    Finger,
    OutlineSource,
    Photo,
    RectifiedPhoto,
    Rim,
    Segmentation,
)
from ulcermeter.reference import parse_reference

SHAPE = (900, 1300)


def ellipse(length: float, width: float, *, count: int = 240, turn: float = 0.3, at: tuple = (3.0, -2.0)) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    flat = np.column_stack([length / 2 * np.cos(angle), width / 2 * np.sin(angle)])
    return rotated(flat, turn) + np.asarray(at)


def rotated(points: np.ndarray, turn: float) -> np.ndarray:
    return points @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])


def pose(tilt_deg: float, *, height_mm: float = 120.0, azimuth_deg: float = 40.0) -> tuple[np.ndarray, np.ndarray]:
    """Return plane mm -> px (3, 3) of a tilted pinhole camera (focal 1500 px) and its centre (x, y, height)."""
    tilt, azimuth = np.radians([tilt_deg, azimuth_deg])
    lean = np.array([np.cos(azimuth), np.sin(azimuth), 0])
    forward = np.cos(tilt) * np.array([0, 0, 1.0]) + np.sin(tilt) * lean
    right = np.array([-np.sin(azimuth), np.cos(azimuth), 0])
    rotation = np.vstack([right, np.cross(forward, right), forward])
    # Heights count towards the camera, the third axis of the right-handed frame away from it.
    centre = np.array([4.0, -6.0, -height_mm])
    inner = np.array([[1500.0, 0, (SHAPE[1] - 1) / 2], [0, 1500.0, (SHAPE[0] - 1) / 2], [0, 0, 1]])
    return inner @ np.column_stack([rotation[:, 0], rotation[:, 1], -rotation @ centre]), np.array(
        [4.0, -6.0, height_mm]
    )


def projected(points: np.ndarray, tilt_deg: float, **kwargs: float) -> np.ndarray:
    """Project points (K, 3) with height towards the camera to photo px."""
    to_px, centre = pose(tilt_deg, **kwargs)
    share = centre[2] / (centre[2] - points[:, 2:])
    flat = centre[:2] + (points[:, :2] - centre[:2]) * share
    mapped = np.column_stack([flat, np.ones(len(flat))]) @ to_px.T
    return mapped[:, :2] / mapped[:, 2:]


def calibration(
    tilt_deg: float = 0.0, *, on: str = "skin", rel_sd: float = 0.0, known: bool = True, height_mm: float = 120.0
) -> Calibration:
    to_px, centre = pose(tilt_deg, height_mm=height_mm)
    best = np.linalg.inv(to_px)
    rng = np.random.default_rng(5)
    draws = [np.diag([1 + r, 1 + r, 1]) @ best for r in rel_sd * rng.standard_normal(300)] if rel_sd else []
    return Calibration(
        pixel_to_mm=best,
        draws=np.array(draws).reshape(-1, 3, 3),
        reference=parse_reference("aruco:10"),
        reference_on=on,
        points_px=np.empty((0, 2)),
        points_mm=np.empty((0, 2)),
        points_covariance_px2=np.empty((0, 0)),
        reference_outline_px=np.empty((0, 2)),
        reprojection_mm=0.01,
        tilt_deg=tilt_deg,
        distance_mm=centre[2] / np.cos(np.radians(tilt_deg)) if known else float("nan"),
        distance_sd_mm=4.0 if known else float("nan"),
        verified=known,
        shape=SHAPE,
    )


def segmentation(
    outlines_px: list[np.ndarray],
    found: Calibration,
    *,
    source: OutlineSource = OutlineSource.TRUTH,
    confidence: float = 0.9,
    spread: float = 0.02,
) -> Segmentation:
    photo = Photo(np.zeros((*SHAPE, 3), np.uint8), "a1b2", None, CameraInfo(), Path("drawn.png"))
    rectified = RectifiedPhoto(np.zeros((30, 40, 3), np.uint8), 0.05, (0.0, 0.0), found, photo)
    count = len(outlines_px)
    return Segmentation(
        rectified=rectified,
        labels=np.zeros((30, 40), np.int32),
        probability=np.zeros((30, 40), np.float32),
        outlines=tuple(outlines_px),
        confidence=(confidence,) * count,
        touches_border=(False,) * count,
        source=source,
        rims=(Rim(spread, 0.0),) * count if source is OutlineSource.NETWORK else (),
    )


def cylinder(found: Calibration, *, radius_mm: float = 8.0, axis_height_mm: float = 8.0) -> Finger:
    """Return a finger along +y from a tip at (1, -12)."""
    return Finger(
        outline_mm=np.empty((0, 2)),
        tip_mm=(1.0, -12.0),
        axis=(0.0, 1.0),
        radius_mm=radius_mm,
        radius_sd_mm=0.3,
        axis_height_mm=axis_height_mm,
        viewpoint_mm=tuple(found.viewpoint_mm()),
    )


def on_cylinder(s: np.ndarray, t: np.ndarray, *, radius_mm: float = 8.0, axis_height_mm: float = 8.0) -> np.ndarray:
    """Return (K, 3) of places along (s) and around (t, arc) that finger."""
    angle = t / radius_mm
    return np.column_stack([1.0 + radius_mm * np.sin(angle), s - 12.0, axis_height_mm + radius_mm * np.cos(angle)])
