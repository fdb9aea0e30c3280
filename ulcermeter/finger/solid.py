"""From a finger as seen to a solid: perspective undone by the tangents from the camera."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Calibration, Finger
from ulcermeter.finger.profile import fit_profile
from ulcermeter.finger.shape import AsSeen

__all__ = ["stand_up"]

Floats = NDArray[np.float64]

_STEP_MM = 0.5
_CLEAR_TIP = 18.0


def stand_up(seen: AsSeen, calibration: Calibration, *, near_mm: Floats, side: str) -> Finger:
    """Turn outlines as seen into a surface of revolution over the reference's plane.

    Across the axis, rays at angles a and b from the normal touch both sides of a cylinder whose centre lies on their
    bisector: with B = (a + b) / 2, P = (b - a) / 2 and the axis at height h, the radius is
    (Zc - h) sin P / cos B. On the table h is the largest radius in view (it lies on its thickest part); with a
    reference on the skin h is minus the radius at the given point (its top is level with the reference). The tip is
    moved likewise, with the end taken as a ball of the finger's radius. Without a known camera height the outline is
    taken as it is.
    """
    left, right = _whole(seen)
    viewpoint = calibration.viewpoint_mm()
    if not np.isfinite(viewpoint[2]):
        return _finger(seen, (left, right), seen.tip_mm, _rounded((right - left) / 2), 0.0, viewpoint, side)
    foot = _to_frame(seen, viewpoint[:2])
    low, high = np.arctan2(left - foot[1], viewpoint[2]), np.arctan2(right - foot[1], viewpoint[2])
    bisector, opening = (low + high) / 2, (high - low) / 2
    ratio = np.sin(opening) / np.cos(bisector)
    near = _to_frame(seen, near_mm)
    height = _axis_height(ratio, viewpoint[2], near[0], calibration.reference_on)
    radii = (viewpoint[2] - height) * ratio
    centre = foot[1] + (viewpoint[2] - height) * np.tan(bisector)
    radius = float(np.median(radii[int(10 / _STEP_MM) : int(24 / _STEP_MM)]))
    contact = height + radius * np.mean((np.sin(high) - np.sin(low))[20:50]) / 2
    along = np.arange(len(radii)) * _STEP_MM
    along = along + contact * (foot[0] - along) / viewpoint[2]
    lean = np.arctan2(-foot[0], viewpoint[2])
    start = (radius - height * np.sin(lean)) / np.cos(lean) - radius
    use = np.arange(20, 70)
    slope, offset = np.polyfit(along[use], centre[use], 1)
    profile = _profile(seen, along - start, radii, (left, right), radius)
    tip = seen.to_plane(np.array([[start, offset + slope * start]]))[0]
    straight = seen.axis + slope * np.array([seen.axis[1], -seen.axis[0]])
    return _finger(
        seen, (left, right), tip, profile, float(height), viewpoint, side, axis=straight / np.linalg.norm(straight)
    )


def _outline(seen: AsSeen, left: Floats, right: Floats) -> Floats:
    """Return the closed outline (K, 2) as seen, as far as a side shows, straight across what the reference hides."""
    shown = np.isfinite(seen.left_mm) | np.isfinite(seen.right_mm)
    steps = np.arange(1, int(np.flatnonzero(shown).max()) + 1)
    up, down = np.column_stack([steps * _STEP_MM, left[steps]]), np.column_stack([steps * _STEP_MM, right[steps]])
    return seen.to_plane(np.vstack([[[0.0, 0.0]], up, down[::-1]]))


def _to_frame(seen: AsSeen, point: Floats) -> Floats:
    offset = np.asarray(point) - seen.tip_mm
    return np.array([offset @ seen.axis, offset @ np.array([seen.axis[1], -seen.axis[0]])])


def _whole(seen: AsSeen) -> tuple[Floats, Floats]:
    """Fill what is hidden of a side from the other one and straight lines, and smooth both along the finger."""
    along = np.arange(len(seen.left_mm)) * _STEP_MM
    sides = []
    for values in (seen.left_mm, seen.right_mm):
        known = np.isfinite(values)
        trusted = known & (along > 6) & (along < 40)
        line = np.polyfit(along[trusted], values[trusted], 1)
        sane = known & ((along <= 8) | (np.abs(values - np.polyval(line, along)) < 1.5))
        line_there = np.polyval(line, along)
        relative = np.where(sane, values - line_there, np.nan)
        good = np.isfinite(relative)
        last = along[good].max()
        filled = np.interp(along, along[good], relative[good])
        sides.append(line_there + np.where(along > last, 0.0, filled))
    left, right = (_smooth(side) for side in sides)
    return np.minimum(left, -0.05), np.maximum(right, 0.05)


def _smooth(values: Floats) -> Floats:
    """Average over 2 mm behind the round end, where nothing bends fast; leave the end as it is."""
    kernel = np.array([1, 2, 3, 2, 1]) / 9
    padded = np.pad(values, 2, mode="edge")
    smooth = np.convolve(padded, kernel, mode="valid")
    smooth[:12] = values[:12]
    return smooth


def _axis_height(ratio: Floats, camera_height: float, near_s: float, reference_on: str) -> float:
    if reference_on == "table":
        widest = float(np.percentile(ratio[16:90], 95))
        return camera_height * widest / (1 + widest)
    at = float(np.interp(near_s, np.arange(len(ratio)) * _STEP_MM, ratio))
    return -camera_height * at / (1 - at)


def _rounded(radii: Floats) -> Floats:
    radii = radii.copy()
    radii[0] = 0.0
    return radii


def _profile(seen: AsSeen, along: Floats, radii: Floats, sides: tuple[Floats, Floats], radius: float) -> Floats:
    """Return radii from the true tip: fitted to each side's own share of the width, else as they were seen."""
    left, right = sides
    middle = np.polyval(np.polyfit(np.arange(20, 70), ((left + right) / 2)[20:70], 1), np.arange(len(radii)))
    scale = 2 * radii / (right - left)
    shown = [np.where(np.isfinite(seen.left_mm), (middle - left) * scale, np.nan)]
    shown += [np.where(np.isfinite(seen.right_mm), (right - middle) * scale, np.nan)]
    fitted = fit_profile(along, (shown[0], shown[1]), step_mm=_STEP_MM)
    return _from_start(along, radii, radius) if fitted is None else np.asarray(fitted, dtype=np.float64)


def _from_start(along: Floats, radii: Floats, radius: float) -> Floats:
    """Read radii at every half millimetre from the true tip; the end's squared radius is linear in s near the tip.

    Where the tip moved, the end is stretched from it to one radius behind, so that it stays round.
    """
    steps = np.arange(len(radii)) * _STEP_MM
    shift = along[0]
    stretched = along - shift * np.clip(1 - (along - shift) / (1.3 * radius), 0.0, 1.0)
    squared = np.interp(steps, stretched, _rounded(radii) ** 2)
    return np.sqrt(np.maximum(squared, 0.0))


def _finger(
    seen: AsSeen,
    sides: tuple[Floats, Floats],
    tip: Floats,
    radii: Floats,
    height: float,
    viewpoint: Floats,
    side: str,
    *,
    axis: Floats | None = None,
) -> Finger:
    direction = seen.axis if axis is None else axis
    behind = radii[int(10 / _STEP_MM) : int(24 / _STEP_MM)]
    return Finger(
        outline_mm=_outline(seen, *sides),
        tip_mm=(float(tip[0]), float(tip[1])),
        axis=(float(direction[0]), float(direction[1])),
        radius_mm=float(np.median(behind)),
        radius_sd_mm=float(np.hypot(0.2, seen.wander_mm)),
        side=side,
        radii_mm=radii,
        step_mm=_STEP_MM,
        axis_height_mm=height,
        viewpoint_mm=(float(viewpoint[0]), float(viewpoint[1]), float(viewpoint[2])),
        # Where the round end is faint, it may be a shadow's.
        tip_sd_mm=0.8 if seen.tip_contrast > _CLEAR_TIP else 2.5,
        midline_sd_mm=float(np.hypot(0.3, seen.wander_mm)),
    )
