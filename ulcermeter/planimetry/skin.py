"""From an outline on the photo to the outline on the skin: height and slope of the ulcer over the reference's plane."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Calibration, Finger
from ulcermeter.datatypes.arrays import Points
from ulcermeter.geometry import centroid
from ulcermeter.protocol import Protocol

__all__ = ["SkinOutline", "lay_on_skin", "local_scale", "tangent_frame"]


@dataclass(frozen=True)
class SkinOutline:
    """An ulcer's outline where it lies.

    Attributes
    ----------
    edge_mm : float64 (K, 3)
        x, y and height over the reference's plane; x, y straight below it.
    tangent_mm : float64 (K, 2)
        The same outline in the skin's tangent plane at its centroid.
    unrolled_mm : float64 (K, 2) or None
        (s, t) along the skin, finger unrolled; None without a finger.
    gradient : float64 (2,)
        The skin's rise per mm of x and y at the centroid; 0 without a finger.
    lean : float64 (2,)
        Way in x and y per mm of height of the ray through the centroid; 0 where the camera's place is not known.
    height_mm, camera_height_mm : float
        Of the outline on average, and of the camera, over the reference's plane; the latter NaN when not known.
    finger_place : tuple of 4 float
        s, its sd, t, its sd of the centroid; NaN without a finger.
    slope_deg : float
        Angle between skin and reference plane at the centroid; 0 without a finger.
    """

    edge_mm: Points = field(repr=False)
    tangent_mm: Points = field(repr=False)
    unrolled_mm: Points | None = field(repr=False)
    gradient: NDArray[np.float64]
    lean: NDArray[np.float64]
    height_mm: float
    camera_height_mm: float
    finger_place: tuple[float, float, float, float]
    slope_deg: float


def lay_on_skin(
    outline_px: NDArray[np.floating], calibration: Calibration, *, finger: Finger | None, protocol: Protocol
) -> SkinOutline:
    """Put an outline of the photo on the skin.

    Without a finger the skin is taken to be a plane parallel to the reference's at height h. The maps of a photo to
    two parallel planes differ by a similarity about the camera's foot, so every length is exactly
    (1 - h / Zc) times its length in the reference's plane, with Zc the camera's *height* over that plane
    (distance along the central ray x cosine of the tilt): h = 0 for a reference on the skin, `height_table_mm` on the
    table. With a finger each ray is followed to its surface: on the table as it lies there, for a reference on the
    skin after scaling about the camera until the outline's mean height is the reference's. Where
    the camera's place is not known (a stated scale) nothing is corrected for height or perspective.

    Parameters
    ----------
    outline_px : float (K, 2)
        Photo px (x, y).
    calibration : Calibration
        From photo pixels to the reference's plane.
    finger : Finger or None
        None when none was found.
    protocol : Protocol
        For `height_table_mm`.

    Returns
    -------
    SkinOutline
        mm.
    """
    flat = calibration.to_mm(outline_px)
    viewpoint = calibration.viewpoint_mm()
    if finger is not None:
        return _on_finger(flat, viewpoint, finger, level=calibration.reference_on == "skin")
    height = 0.0 if calibration.reference_on == "skin" else protocol.measurement.height_table_mm
    return _on_plane(flat, viewpoint, height)


def _on_plane(flat: Points, viewpoint: Points, height: float) -> SkinOutline:
    middle, camera_height = centroid(flat), float(viewpoint[2])
    known = np.isfinite(camera_height)
    lean = (viewpoint[:2] - middle) / camera_height if known else np.zeros(2)
    if known:
        flat = viewpoint[:2] + (flat - viewpoint[:2]) * (1 - height / camera_height)
    edge = np.column_stack([flat, np.full(len(flat), height if known else 0.0)])
    nowhere = (float("nan"),) * 4
    return SkinOutline(
        edge, flat - centroid(flat), None, np.zeros(2), lean, height if known else 0.0, camera_height, nowhere, 0.0
    )


def _on_finger(flat: Points, viewpoint: Points, finger: Finger, *, level: bool) -> SkinOutline:
    known = bool(np.isfinite(viewpoint[2]))
    middle = centroid(flat)
    edge, at = finger.on_skin(flat), finger.on_skin(middle)[0]
    gradient, slope_deg = finger.gradient_at(at[:2]), finger.slope_deg_at(at[:2])
    along, transverse = finger.axial_and_transverse(edge[:, :2]).T
    radius = np.maximum(finger.radius_at(along), 1e-6)
    unrolled = np.column_stack([along, radius * np.arcsin(np.clip(transverse / radius, -1, 1))])
    lean = (viewpoint[:2] - middle) / viewpoint[2] if known else np.zeros(2)
    if level and known:
        share = viewpoint[2] / (viewpoint[2] - edge[:, 2].mean())
        edge, unrolled, at = (
            viewpoint + share * (edge - viewpoint),
            share * unrolled,
            viewpoint + share * (at - viewpoint),
        )
    place = tuple(float(value[0]) for value in finger.coordinates(middle))
    tangent = _in_tangent_plane(edge - at, gradient)
    height = float(edge[:, 2].mean())
    return SkinOutline(edge, tangent, unrolled, gradient, lean, height, float(viewpoint[2]), place, slope_deg)  # type: ignore[arg-type]


def tangent_frame(gradient: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return two orthonormal directions (2, 3) of the plane with that rise: the level one, then the steepest.

    Parameters
    ----------
    gradient : float (2,)
        Rise of the surface per mm of x and of y.

    Returns
    -------
    float64 (2, 3)
        Unit vectors as rows.
    """
    rise = float(np.hypot(*gradient))
    steep = gradient / rise if rise > 1e-9 else np.array([0.0, 1.0])
    up = np.array([*steep, rise]) / np.hypot(1, rise)
    return np.array([[steep[1], -steep[0], 0.0], up])


def _in_tangent_plane(edge: Points, gradient: NDArray[np.float64]) -> Points:
    return edge @ tangent_frame(gradient).T


def local_scale(calibration: Calibration, homographies: NDArray[np.float64], point_px: NDArray[np.floating]) -> Points:
    """Return each homography's derivative (D, 2, 2) at a photo pixel over that of the best estimate.

    Parameters
    ----------
    calibration : Calibration
        For the best estimate and the lens.
    homographies : float64 (D, 3, 3)
        From (undistorted) photo px to mm.
    point_px : float (2,)
        Photo px (x, y).

    Returns
    -------
    float64 (D, 2, 2)
        The identity for the best estimate itself.
    """
    ideal = calibration.undistorted(point_px)[0]
    best = _derivative(calibration.pixel_to_mm[None], ideal)[0]
    return _derivative(homographies, ideal) @ np.linalg.inv(best)


def _derivative(homographies: NDArray[np.float64], point: NDArray[np.float64]) -> Points:
    mapped = homographies @ np.array([point[0], point[1], 1.0])
    w = mapped[:, 2][:, None, None]
    where = (mapped[:, :2] / mapped[:, 2:])[:, :, None]
    return np.asarray((homographies[:, :2, :2] - where * homographies[:, 2:3, :2]) / w)
