"""The finger as a solid of revolution: where rays meet it, its normals, its skin coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes.arrays import Reals
from ulcermeter.phantom.specs import FingerSpec

# Between the table's entries, mm; between them a parabola is followed.
STEP_MM = 0.01
# How far the table goes on before the tip, mm, so that rays that just miss it have a smooth equation.
BEFORE_MM = 10.0
# How far it goes towards the hand, mm: beyond any photo.
BEYOND_MM = 400.0
# The finger's form, which enters every true slope and height; lengths in radii from the tip, all assumption: length of
# the round end and how blunt it is (2 is an ellipse's).
_CAP, _BLUNT = 1.35, 2.6
# From the middle of the end phalanx on the finger widens, over so many mm.
_MIDDLE, _WIDENS_MM = 1.2, 60.0
# Swellings and waists: height over the radius, middle and sd: the end joint, the middle joint, and the pulp's end.
_SWELLINGS = ((0.035, 3.2, 0.7), (0.07, 6.3, 0.9))
_WAIST = (-0.02, 2.4, 0.4)
# The finger lies on its thickest part within so many mm of its tip.
_LIES_WITHIN_MM = 60.0
# Of Newton's method: rounds for a ray and for a point close to the surface, and least slope that is divided by, mm.
_RAY_ROUNDS, _LIFT_ROUNDS, _LEAST_SLOPE = 6, 12, 1e-3


@dataclass(frozen=True)
class Solid:
    """A tapered finger with a rounded tip, lying on the table.

    Its surface is x² + (h − axis_height)² = q(y), with q the squared radius, tabulated every 0.01 mm with its first
    and second derivative. q runs on below zero before the tip, which keeps the rays' equation smooth there.
    """

    spec: FingerSpec
    axis_height_mm: float
    q_table: NDArray[np.float32]

    def q(self, y_mm: Reals) -> tuple[Reals, Reals, Reals]:
        """Return the squared radius at ``y_mm`` and its first two derivatives."""
        place = (y_mm + BEFORE_MM) / STEP_MM
        index = np.clip(np.rint(np.nan_to_num(place)), 0, len(self.q_table) - 1).astype(np.int32)
        rows = self.q_table[index]
        delta = np.clip((place - index) * STEP_MM, -1.0, 1.0)
        second = rows[..., 2]
        slope = rows[..., 1] + second * delta
        value = rows[..., 0] + rows[..., 1] * delta + 0.5 * second * delta * delta
        return value, slope, second

    def radius_mm(self, y_mm: Reals) -> Reals:
        """Return the radius at ``y_mm``, 0 before the tip."""
        return np.sqrt(np.maximum(self.q(np.asarray(y_mm, dtype=float))[0], 0.0))

    def point(self, s_mm: float, t_mm: float) -> NDArray[np.float64]:
        """Return the world point (x, y, h) at ``s_mm`` from the tip and arc length ``t_mm`` from the upper mid-line."""
        radius = float(self.radius_mm(np.array(s_mm)))
        angle = t_mm / max(radius, 1e-6)
        return np.array([radius * np.sin(angle), s_mm, self.axis_height_mm + radius * np.cos(angle)])

    def normal(self, points_mm: Reals) -> Reals:
        """Return outward unit normals (..., 3) at surface points (..., 3)."""
        _, slope, _ = self.q(points_mm[..., 1])
        raw = np.stack([2 * points_mm[..., 0], -slope, 2 * (points_mm[..., 2] - self.axis_height_mm)], axis=-1)
        return np.asarray(raw / np.linalg.norm(raw, axis=-1, keepdims=True))

    def meet(self, origin_mm: Reals, directions: tuple[Reals, Reals, Reals]) -> tuple[Reals, Reals]:
        """Return where rays first meet the finger and by how much they miss it.

        Parameters
        ----------
        origin_mm
            The camera's centre (3,).
        directions
            Ray directions as three arrays (dx, dy, dh) of one shape.

        Returns
        -------
        tuple
            The ray parameter of the first hit (of the nearest approach for a miss), and the distance in mm by which
            the ray misses the surface, negative for a hit; first order in that distance.
        """
        dx, dy, dh = directions
        ox, oy, oh = (np.asarray(v, dtype=dx.dtype) for v in origin_mm)
        oz = oh - np.asarray(self.axis_height_mm, dtype=dx.dtype)
        at = -oz / dh
        base_a, base_b, base_c = dx * dx + dh * dh, ox * dx + oz * dh, ox * ox + oz * oz
        for _ in range(_RAY_ROUNDS):
            y = oy + at * dy
            value, slope, second = self.q(y)
            a = base_a - 0.5 * second * dy * dy
            half_b = base_b - 0.5 * dy * (slope - second * at * dy)
            c = base_c - (value - slope * at * dy + 0.5 * second * at * at * dy * dy)
            disc = half_b * half_b - a * c
            at = (-half_b - np.sqrt(np.maximum(disc, 0))) / a
        miss = -disc / a / np.sqrt(np.maximum(4 * np.maximum(value, 0) + slope * slope, _LEAST_SLOPE))
        return at, miss

    def lift(self, points_mm: Reals, direction: Reals) -> NDArray[np.float64]:
        """Move points (K, 3) along the line of ``direction`` (3,) onto the surface (Newton; they start close to it)."""
        moved = np.array(points_mm, dtype=float)
        for _ in range(_LIFT_ROUNDS):
            value, slope, _ = self.q(moved[:, 1])
            z = moved[:, 2] - self.axis_height_mm
            gap = moved[:, 0] ** 2 + z**2 - value
            rate = 2 * moved[:, 0] * direction[0] - slope * direction[1] + 2 * z * direction[2]
            moved -= (gap / rate)[:, None] * direction
        return moved


def build_solid(finger: FingerSpec) -> Solid:
    """Build the solid of ``finger``: an end cap, taper, and slight swellings at the joints.

    Parameters
    ----------
    finger : FingerSpec
        Radius, taper, length.

    Returns
    -------
    Solid
        Its axis lies as high over the table as its largest radius in the first 60 mm.
    """
    table = _profile(finger.radius_mm, finger.taper)
    radius_largest = float(np.sqrt(table[: int((BEFORE_MM + _LIES_WITHIN_MM) / STEP_MM), 0].max()))
    return Solid(spec=finger, axis_height_mm=radius_largest, q_table=table)


@lru_cache(maxsize=64)
def _profile(radius_mm: float, taper: float) -> NDArray[np.float32]:
    """Tabulate q, q′ and q″ over y."""
    y = np.arange(-BEFORE_MM, BEYOND_MM, STEP_MM)
    cap_mm = _CAP * radius_mm
    shape = 1.0 - np.maximum(1.0 - y / cap_mm, 0.0) ** _BLUNT
    middle = _MIDDLE * radius_mm
    widening = 1.0 + taper / 100.0 * _WIDENS_MM * np.tanh((np.maximum(y, 0.0) - middle) / _WIDENS_MM)
    first_joint, second_joint, waist = (
        height * np.exp(-0.5 * ((y - at * radius_mm) / (wide * radius_mm)) ** 2)
        for height, at, wide in (*_SWELLINGS, _WAIST)
    )
    joints = first_joint + second_joint
    q = shape * (radius_mm * (widening + joints + waist)) ** 2
    first = np.gradient(q, STEP_MM)
    return np.stack([q, first, np.gradient(first, STEP_MM)], axis=-1).astype(np.float32)
