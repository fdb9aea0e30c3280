"""Ulcer outlines on the skin, and what is true of them before any camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from ulcermeter.datatypes.arrays import Reals
from ulcermeter.phantom.camera import Camera
from ulcermeter.phantom.solid import Solid
from ulcermeter.phantom.specs import UlcerSpec

# Of a true outline: chords of 720 are short by 3e-6 of the length of a circle.
OUTLINE_POINTS = 720
# Of the lobes: 2 is elongation, beyond 11 lobes would be rougher than an ulcer's edge (assumption).
HARMONICS = np.arange(2, 12)
# Of an outline of full irregularity: its second lobe over the radius, the power by which finer ones fall, and how they
# differ from ulcer to ulcer (assumption).
LOBES, LOBES_FALL, LOBES_DIFFER = 0.16, 1.3, (0.5, 1.2)
# Of central differences on the skin, mm: far below its bends, far above rounding.
STEP_MM = 0.01


@dataclass(frozen=True)
class UlcerTruth:
    """What is true of one ulcer, from the geometry alone.

    ``diameter_mm`` is the longest straight 3-D caliper between two points of the edge on the skin, ``width_mm`` the
    3-D outline's extent at right angles to it in the skin's tangent plane. ``area_plane_mm2`` is the outline projected
    orthogonally on the reference's plane, ``area_surface_mm2`` the skin inside it, ``perimeter_mm`` the length of the
    3-D edge; ``diameter_plane_mm`` and ``perimeter_plane_mm`` are of the projected outline. ``outline_mm`` (K, 3) is
    x, y, height above the table; ``outline_px`` (K, 2) its upright photo pixels. ``slope_deg`` is the angle between
    skin and plane, ``height_mm`` the outline's mean height above the reference's plane, ``px_per_mm`` the root of the
    area scale (px² per mm²) of the reference's plane, moved to the ulcer's height, at the ulcer.
    """

    diameter_mm: float
    width_mm: float
    area_plane_mm2: float
    area_surface_mm2: float
    perimeter_mm: float
    diameter_plane_mm: float
    perimeter_plane_mm: float
    outline_px: NDArray[np.float64]
    outline_mm: NDArray[np.float64]
    centroid_px: tuple[float, float]
    s_mm: float
    t_mm: float
    slope_deg: float
    height_mm: float
    px_per_mm: float
    in_view: bool


@dataclass(frozen=True)
class PlacedUlcer:
    """An ulcer's outline as radii over angle in the skin's tangent plane, and the frame that plane has."""

    spec: UlcerSpec
    centre_mm: NDArray[np.float64]
    frame: NDArray[np.float64]
    radii_mm: NDArray[np.float64]

    def edge(self, solid: Solid, *, share: float = 1.0) -> NDArray[np.float64]:
        """Return the outline (K, 3) on the skin, or the curve at ``share`` of its radii."""
        angle = np.linspace(0, 2 * np.pi, len(self.radii_mm), endpoint=False)
        flat = share * self.radii_mm * np.stack([np.cos(angle), np.sin(angle)])
        return solid.lift(self.centre_mm + flat.T @ self.frame[:2], self.frame[2])


def place_ulcer(spec: UlcerSpec, solid: Solid) -> PlacedUlcer:
    """Lay an ulcer on the skin and scale it until its 3-D caliper is the asked one (to 1e-8 of it, in at most 8 steps).

    Parameters
    ----------
    spec : UlcerSpec
        Place, size and shape.
    solid : Solid
        The finger.

    Returns
    -------
    PlacedUlcer
        World mm.
    """
    centre = solid.point(spec.s_mm, spec.t_mm)
    normal = np.asarray(solid.normal(centre))
    transverse = np.array([normal[2], 0.0, -normal[0]])
    transverse /= np.linalg.norm(transverse)
    frame = np.vstack([transverse, np.cross(transverse, normal) * _handedness(transverse, normal), normal])
    radii = unit_radii(spec)
    placed = PlacedUlcer(spec=spec, centre_mm=centre, frame=frame, radii_mm=radii * spec.diameter_mm / 2)
    for _ in range(8):
        share = spec.diameter_mm / caliper(placed.edge(solid))[0]
        placed = PlacedUlcer(spec=spec, centre_mm=centre, frame=frame, radii_mm=placed.radii_mm * share)
        if abs(share - 1) < 1e-8:
            break
    return placed


def _handedness(transverse: Reals, normal: Reals) -> float:
    """Return the sign that makes the frame's second direction run towards the hand."""
    return 1.0 if np.cross(transverse, normal)[1] >= 0 else -1.0


def unit_radii(spec: UlcerSpec) -> NDArray[np.float64]:
    """Return an ulcer's radii over angle, of about unit size: an ellipse with seeded lobes.

    Parameters
    ----------
    spec : UlcerSpec
        Its shape.

    Returns
    -------
    float64 (720,)
        From the first direction of the tangent plane towards the second.
    """
    rng = np.random.default_rng([71, spec.seed])
    angle = np.linspace(0, 2 * np.pi, OUTLINE_POINTS, endpoint=False)
    turned = angle - np.deg2rad(spec.angle_deg)
    ellipse = 1.0 / np.sqrt(np.cos(turned) ** 2 + (np.sin(turned) / spec.aspect) ** 2)
    size = LOBES * spec.irregularity / (HARMONICS / 2.0) ** LOBES_FALL * rng.uniform(*LOBES_DIFFER, len(HARMONICS))
    phase = rng.uniform(0, 2 * np.pi, len(HARMONICS))
    lobes = (size[:, None] * np.cos(HARMONICS[:, None] * angle + phase[:, None])).sum(axis=0)
    return np.asarray(ellipse * np.exp(lobes))


def caliper(points: Reals) -> tuple[float, NDArray[np.float64]]:
    """Return the largest distance between two points, and its direction: all pairs are compared.

    Parameters
    ----------
    points : float (K, D)
        mm.

    Returns
    -------
    float
        mm.
    float64 (D,)
        Unit vector.
    """
    apart = cdist(points, points)
    i, j = np.unravel_index(int(apart.argmax()), apart.shape)
    return float(apart[i, j]), np.asarray(points[j] - points[i]) / apart[i, j]


def ulcer_truth(ulcer: PlacedUlcer, solid: Solid, camera: Camera, *, plane_height_mm: float) -> UlcerTruth:
    """Work out every true value of a placed ulcer, from its geometry alone.

    Parameters
    ----------
    ulcer : PlacedUlcer
        The ulcer on the skin.
    solid : Solid
        The finger.
    camera : Camera
        For its places and scale on the photo.
    plane_height_mm : float
        Of the reference's plane over the table, mm.

    Returns
    -------
    UlcerTruth
        mm, mm², degrees, photo px.
    """
    edge = ulcer.edge(solid)
    diameter, along = caliper(edge)
    sideways = np.cross(ulcer.frame[2], along)
    reach = edge @ (sideways / np.linalg.norm(sideways))
    outline_px = camera.project(edge)
    return UlcerTruth(
        diameter_mm=diameter,
        width_mm=float(np.ptp(reach)),
        area_plane_mm2=shoelace(edge[:, :2]),
        area_surface_mm2=_skin_area(ulcer, solid),
        perimeter_mm=loop_length(edge),
        diameter_plane_mm=caliper(edge[:, :2])[0],
        perimeter_plane_mm=loop_length(edge[:, :2]),
        outline_px=outline_px,
        outline_mm=edge,
        centroid_px=polygon_centroid(outline_px),
        s_mm=ulcer.spec.s_mm,
        t_mm=ulcer.spec.t_mm,
        slope_deg=float(np.rad2deg(np.arccos(np.clip(ulcer.frame[2, 2], -1, 1)))),
        height_mm=float(edge[:, 2].mean() - plane_height_mm),
        px_per_mm=local_scale(camera, np.array([*polygon_centroid(edge[:, :2]), edge[:, 2].mean()])),
        in_view=_in_view(outline_px, ulcer, camera),
    )


def _in_view(outline_px: Reals, ulcer: PlacedUlcer, camera: Camera) -> bool:
    """Say whether the whole outline falls inside the photo and its skin faces the camera."""
    inside = (outline_px >= 0).all() and (outline_px <= [camera.spec.width_px - 1, camera.spec.height_px - 1]).all()
    return bool(inside and (camera.centre_mm - ulcer.centre_mm) @ ulcer.frame[2] > 0)


def local_scale(camera: Camera, point_mm: Reals) -> float:
    """Return the photo's scale at a world point: the root of the area scale of the level plane through it.

    Parameters
    ----------
    camera : Camera
        In place.
    point_mm : float (3,)
        World mm.

    Returns
    -------
    float
        px/mm.
    """
    step = STEP_MM
    sides = [camera.project(point_mm + d) - camera.project(point_mm - d) for d in np.eye(3)[:2] * step]
    return float(np.sqrt(abs(np.linalg.det(np.array(sides))))) / (2 * step)


def shoelace(points: Reals) -> float:
    """Return the area inside a closed polygon (K, 2).

    Parameters
    ----------
    points : float (K, 2)
        In order, closing itself.

    Returns
    -------
    float
        In the unit squared, at least 0.
    """
    x, y = points.T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def loop_length(points: Reals) -> float:
    """Return the length of a closed polygon (K, D).

    Parameters
    ----------
    points : float (K, D)
        In order, closing itself.

    Returns
    -------
    float
        In their unit.
    """
    return float(np.linalg.norm(points - np.roll(points, -1, axis=0), axis=1).sum())


def polygon_centroid(points: Reals) -> tuple[float, float]:
    """Return the centroid (x, y) of the area inside a closed polygon (K, 2).

    Parameters
    ----------
    points : float (K, 2)
        In order, closing itself.

    Returns
    -------
    (float, float)
        x and y, in their unit.
    """
    middle = points.mean(axis=0)
    x, y = (points - middle).T
    cross = x * np.roll(y, -1) - y * np.roll(x, -1)
    total = cross.sum()
    cx = ((x + np.roll(x, -1)) * cross).sum() / (3 * total)
    cy = ((y + np.roll(y, -1)) * cross).sum() / (3 * total)
    return float(middle[0] + cx), float(middle[1] + cy)


def _skin_area(ulcer: PlacedUlcer, solid: Solid, *, rings: int = 12) -> float:
    """Return the skin's area inside the outline: triangles between rings lifted onto the surface."""
    curves = [ulcer.edge(solid, share=k / rings) for k in range(1, rings + 1)]
    inner = np.repeat(ulcer.centre_mm[None], len(curves[0]), axis=0)
    area = 0.0
    for outer in curves:
        a, b = np.roll(inner, -1, axis=0), np.roll(outer, -1, axis=0)
        area += _triangles(inner, outer, b) + _triangles(inner, b, a)
        inner = outer
    return area


def _triangles(a: Reals, b: Reals, c: Reals) -> float:
    """Return the summed area of triangles given by three corner arrays (K, 3)."""
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)
