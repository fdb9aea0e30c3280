"""A finger as a surface of revolution over the reference's plane."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes.arrays import Points

__all__ = ["Finger"]

# Radii from the axis beyond which the skin is taken to go on level, and the share of the radius that a tip has reached
# when its cap ends: farther out a finger turns away from the camera, and a small error of its place would make lengths
# wild (assumption).
_LEVEL_FROM, _CAP_RADIUS = 0.95, 0.6
# Rounds along a ray to the skin, and what each keeps of the height before and takes of the new one: it settles even
# where ray and skin are both steep.
_RAY_STEPS, _RAY_KEPT, _RAY_NEW = 25, 0.3, 0.7
# To each side of a place for the skin's rise there, mm: wide of the grid that radii are known on.
_GRADIENT_STEP_MM = 0.5
# The same along the axis, mm: together 1, over which the difference of radii is their change a millimetre.
_SLOPE_STEP_MM = 0.5
# How much farther a place along the skin may move than the mid-line does: at the outline it would be without end.
_MOST_STRETCH = 3.0


@dataclass(frozen=True)
class Finger:
    """A finger lying along the reference's plane, as a surface of revolution about its axis.

    A point of the plane means the ray from the camera through it; `on_skin` follows that ray to the skin. Without a
    known `viewpoint_mm` the rays are parallel to the plane's normal.

    Attributes
    ----------
    outline_mm : float64 (K, 2)
        As seen, mapped to the reference's plane: tip and sides as far as they show, straight across the reference.
    tip_mm : (float, float)
        Where the axis leaves the finger at its tip; true place (straight below it in the plane), not as seen.
    axis : (float, float)
        Unit vector from the tip towards the hand.
    radius_mm, radius_sd_mm : float
        Half the finger's true width, mm: the median over the length of the end phalanx.
    side : str
        As photographed: palmar, dorsal, tip, radial, ulnar, or empty when not known.
    radii_mm : float64 (N,)
        Half the true width at 0, `step_mm`, 2 `step_mm`, ... from the tip; empty = `radius_mm` everywhere.
    step_mm : float
    axis_height_mm : float
        Height of the axis over the reference's plane, towards the camera, mm.
    viewpoint_mm : (float, float, float)
        The camera's foot (x, y) in the plane and its height over it, mm; NaN when not known.
    tip_sd_mm, midline_sd_mm : float
        Standard deviations of the tip's place along the axis and of the axis's place across it, mm.
    """

    outline_mm: Points = field(repr=False)
    tip_mm: tuple[float, float]
    axis: tuple[float, float]
    radius_mm: float
    radius_sd_mm: float
    side: str = ""
    radii_mm: NDArray[np.float64] = field(default_factory=lambda: np.empty(0), repr=False)
    step_mm: float = 0.5
    axis_height_mm: float = 0.0
    viewpoint_mm: tuple[float, float, float] = (float("nan"), float("nan"), float("nan"))
    tip_sd_mm: float = 1.0
    midline_sd_mm: float = 0.5

    def axial_and_transverse(self, points_mm: NDArray[np.floating]) -> Points:
        """Turn plane points (K, 2) to (K, 2): distance from the tip along the axis, and offset from it.

        The offset is positive to the right when the fingertip points up.
        """
        offset = np.atleast_2d(np.asarray(points_mm, dtype=np.float64)) - np.asarray(self.tip_mm)
        ax, ay = self.axis
        return np.asarray(offset @ np.array([[ax, ay], [ay, -ax]]))

    def radius_at(self, along_mm: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return half the true width (mm) at distances from the tip; 0 before it, level beyond the last known."""
        along = np.asarray(along_mm, dtype=np.float64)
        if len(self.radii_mm) == 0:
            return np.full(along.shape, float(self.radius_mm))
        return np.interp(along, np.arange(len(self.radii_mm)) * self.step_mm, self.radii_mm, left=0.0)

    def _cap_mm(self) -> float:
        if len(self.radii_mm) == 0:
            return -np.inf
        return float(np.argmax(self.radii_mm >= _CAP_RADIUS * self.radius_mm)) * self.step_mm

    def height_at(self, points_mm: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the skin's height (mm) over the reference's plane straight above plane points (K, 2).

        Beyond 95 % of the radius, and before the tip has reached 60 % of it, the skin is continued level: there a
        finger turns away from the camera, and a small error of its place would make lengths wild.
        """
        along, transverse = self.axial_and_transverse(points_mm).T
        radius = self.radius_at(np.maximum(along, self._cap_mm()))
        inside = np.minimum(np.abs(transverse), _LEVEL_FROM * radius)
        return np.asarray(self.axis_height_mm + np.sqrt(np.maximum(radius**2 - inside**2, 0.0)))

    def on_skin(self, points_mm: NDArray[np.floating]) -> Points:
        """Follow the rays through plane points (K, 2) to the skin: (K, 3) as x, y and height, mm.

        A fixed point in the height: the ray at height z passes over P + z (C - P) / Zc, with C, Zc the camera's foot
        and height; it contracts by the product of the ray's and the skin's slope.
        """
        apparent = np.atleast_2d(np.asarray(points_mm, dtype=np.float64))
        foot, camera_height = np.asarray(self.viewpoint_mm[:2]), self.viewpoint_mm[2]
        lean = (foot - apparent) / camera_height if np.isfinite(camera_height) else np.zeros_like(apparent)
        height = np.full(len(apparent), self.axis_height_mm + self.radius_mm)
        for _ in range(_RAY_STEPS):
            height = _RAY_KEPT * height + _RAY_NEW * self.height_at(apparent + height[:, None] * lean)
        return np.column_stack([apparent + height[:, None] * lean, height])

    def gradient_at(self, point_mm: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the skin's rise (2,) per mm of x and of y at a true plane point (2,): the tangent plane's slopes."""
        step = _GRADIENT_STEP_MM
        moves = step * np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]])
        heights = self.height_at(np.asarray(point_mm) + moves)
        return np.array([heights[0] - heights[1], heights[2] - heights[3]]) / (2 * step)

    def slope_deg_at(self, point_mm: NDArray[np.floating]) -> float:
        """Return the angle (degrees, 0..90) between skin and reference plane at a true plane point (2,).

        arccos(cos a / sqrt(1 + r'^2)) with a the angle round the axis, r' the change of the radius along it; not
        levelled as `height_at` is. 90 before the tip.
        """
        along, transverse = self.axial_and_transverse(point_mm)[0]
        radius, before, behind = (
            float(self.radius_at(np.array(along + step))) for step in (0.0, -_SLOPE_STEP_MM, _SLOPE_STEP_MM)
        )
        if radius <= 0 or abs(transverse) >= radius:
            return 90.0
        cosine = np.sqrt(1 - (transverse / radius) ** 2) / np.hypot(1, behind - before)
        return float(np.degrees(np.arccos(np.clip(cosine, 0, 1))))

    def coordinates(self, points_mm: NDArray[np.floating]) -> tuple[NDArray[np.float64], ...]:
        """Return finger coordinates of plane points (K, 2) as seen: s, its sd, t, its sd, each (K,), mm.

        s is the distance from the tip along the axis; t the arc from the mid-line that faces straight up,
        radius x asin(offset / radius), positive to the right when the fingertip points up. The sd of t is that of the
        mid-line's place, stretched by the skin's slope (at most threefold).
        """
        along, transverse = self.axial_and_transverse(self.on_skin(points_mm)[:, :2]).T
        radius = np.maximum(self.radius_at(along), 1e-6)
        share = np.clip(transverse / radius, -1.0, 1.0)
        stretch = 1 / np.sqrt(np.maximum(1 - share**2, 1 / _MOST_STRETCH**2))
        arc = radius * np.arcsin(share)
        arc_sd = np.hypot(self.midline_sd_mm * stretch, self.radius_sd_mm * (np.arcsin(share) - share * stretch))
        return along, np.full(len(along), float(self.tip_sd_mm)), arc, arc_sd

    def as_seen(self, along_mm: float, arc_mm: float) -> NDArray[np.float64]:
        """Return the plane point (2,) under which the skin at finger coordinates s, t is seen: undoes `coordinates`."""
        radius = max(float(self.radius_at(np.array(along_mm))), 1e-6)
        across = radius * float(np.sin(np.clip(arc_mm / radius, -np.pi / 2, np.pi / 2)))
        (ax, ay), foot, camera_height = self.axis, np.asarray(self.viewpoint_mm[:2]), self.viewpoint_mm[2]
        place = np.asarray(self.tip_mm) + along_mm * np.array([ax, ay]) + across * np.array([ay, -ax])
        if not np.isfinite(camera_height):
            return place
        share = float(self.height_at(place)[0]) / camera_height
        return np.asarray((place - share * foot) / (1 - share))
