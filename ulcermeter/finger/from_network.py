"""From the finger that the network points out to a finger as seen: the record that colour gives too."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Calibration
from ulcermeter.finger.mask import CoarsePhoto
from ulcermeter.finger.pointed import PointedFinger
from ulcermeter.finger.shape import (
    END_MM,
    END_SHARE,
    FAINTEST_PCT,
    FAR_MM,
    NEAR_TIP_MM,
    Edge,
    ObservedFinger,
    in_frame,
    outline_of,
    shown_length_mm,
)
from ulcermeter.protocol import Protocol

__all__ = ["observed_finger", "direction_mm", "tip_mm", "width_mm"]

Floats = NDArray[np.float64]

# The network's view ends two widths from the point: nearer to its border the mask's edge is the border's, in widths.
_VIEW_WIDTHS = 1.9
# Where the sides are read, behind the tip, in widths; how far before it the outline may reach.
_SIDES, _BEFORE_TIP = (0.5, 1.5), 0.3
# Points of a side there, and of the outline, that a finger has at least (assumption).
_LEAST_SIDE, _LEAST_OUTLINE = 5, 30
# The network says which way a finger points: twice `finger_sides_min_mm` must show of both sides together, and of the
# shorter this share of it, where the border cuts a finger across. Of 9 single fingers on 320 drawn photos that were
# seen and not located that finds 3, all rightly, and of 272 pointed at (held out) it changes none.
_SHORTER_SIDE = 0.5
# sd of the network's tip along and across the axis, in widths: fresh drawn hands, median error .05 (.075 as an sd).
TIP_SD, ACROSS_SD = 0.08, 0.08


def observed_finger(
    pointed: PointedFinger,
    coarse: CoarsePhoto,
    calibration: Calibration,
    *,
    protocol: Protocol,
    one_sided: bool = False,
) -> ObservedFinger | None:
    """Lay the network's mask, tip and direction on the reference's plane.

    Parameters
    ----------
    pointed : PointedFinger
        In pixels of the coarse photo.
    coarse : CoarsePhoto
    calibration : Calibration
        From photo pixels to millimetres.
    protocol : Protocol
        For ``finger_width_...`` and ``finger_sides_min_mm``.
    one_sided : bool
        Whether a finger counts of which the photo's border cuts one side off: with the network's width.

    Returns
    -------
    ObservedFinger or None
        None where no tip is in view, too little of its sides shows, or no finger is so wide.
    """
    tip = tip_mm(pointed, coarse, calibration)
    axis = direction_mm(pointed, coarse, calibration)
    edge = outline_of(pointed.mask & ~coarse.reference, coarse, calibration)
    if tip is None or edge is None:
        return None
    away = np.abs(coarse.from_photo_px(calibration.to_px(edge.points)) - pointed.at_px).max(axis=1)
    shown = edge.shown & (away < _VIEW_WIDTHS * pointed.width_px)
    if shown.sum() < _LEAST_OUTLINE:
        return None
    width = width_mm(pointed, coarse)
    if one_sided:
        edge, shown = _with_both_sides(edge, shown, tip, axis, width=width)
    return _in_frame(edge, shown, tip, axis, width=width, protocol=protocol)


def tip_mm(pointed: PointedFinger, coarse: CoarsePhoto, calibration: Calibration) -> Floats | None:
    """Return a pointed-at finger's tip on the plane, mm (2,); None where it is not in view.

    Parameters
    ----------
    pointed : PointedFinger
    coarse : CoarsePhoto
    calibration : Calibration
        See `as_seen`.

    Returns
    -------
    float64 (2,) or None
    """
    if pointed.tip_px is None:
        return None
    return np.asarray(calibration.to_mm(coarse.to_photo_px(np.array([pointed.tip_px])))[0])


def direction_mm(pointed: PointedFinger, coarse: CoarsePhoto, calibration: Calibration) -> Floats:
    """Return a pointed-at finger's direction inwards on the plane, a unit vector (2,).

    Parameters
    ----------
    pointed : PointedFinger
    coarse : CoarsePhoto
    calibration : Calibration
        See `as_seen`.

    Returns
    -------
    float64 (2,)
    """
    at = np.asarray(pointed.at_px if pointed.tip_px is None else pointed.tip_px)
    start, end = calibration.to_mm(coarse.to_photo_px(np.array([at, at + pointed.inwards])))
    return np.asarray((end - start) / np.hypot(*(end - start)))


def width_mm(pointed: PointedFinger, coarse: CoarsePhoto) -> float:
    """Return a pointed-at finger's width on the plane, mm.

    Parameters
    ----------
    pointed : PointedFinger
    coarse : CoarsePhoto
        See `as_seen`.

    Returns
    -------
    float
    """
    return pointed.width_px / coarse.px_per_mm


def _with_both_sides(
    edge: Edge, shown: NDArray[np.bool_], tip: Floats, axis: Floats, *, width: float
) -> tuple[Edge, NDArray[np.bool_]]:
    """Return an outline and what shows of it; of a finger with one side cut off, both as the network's width has them.

    What is left of a finger that the border cuts lengthwise says little of where its middle is.
    """
    s, u = in_frame(edge.points, tip, axis).T
    sides = shown & (s > _SIDES[0] * width) & (s < _SIDES[1] * width) & (np.abs(u) < width)
    left, right = sides & (u < 0), sides & (u > 0)
    if min(left.sum(), right.sum()) >= _LEAST_SIDE or not sides.any():
        return edge, shown
    one = left if left.sum() > right.sum() else right
    points = np.vstack([np.column_stack([s[one], np.full(one.sum(), at)]) for at in (-width / 2, width / 2)])
    both = Edge(
        tip + points @ np.array([axis, [axis[1], -axis[0]]]),
        np.ones(len(points), dtype=bool),
        np.tile(edge.covered[one], 2),
        np.tile(edge.contrast[one], 2),
    )
    return both, both.shown


def _in_frame(
    edge: Edge, shown: NDArray[np.bool_], tip: Floats, axis: Floats, *, width: float, protocol: Protocol
) -> ObservedFinger | None:
    s, u = in_frame(edge.points, tip, axis).T
    sides = shown & (s > _SIDES[0] * width) & (s < _SIDES[1] * width) & (np.abs(u) < width)
    left, right = u[sides & (u < 0)], u[sides & (u > 0)]
    if min(len(left), len(right)) < _LEAST_SIDE:
        return None
    radius = float(np.median(right) - np.median(left)) / 2
    if not protocol.finger.finger_width_min_mm <= 2 * radius <= protocol.finger.finger_width_max_mm:
        return None
    shown_mm = [shown_length_mm(s[shown & (side * u > 0) & (np.abs(u) < width)]) for side in (-1, 1)]
    least_mm = protocol.finger.finger_sides_min_mm
    if np.mean(shown_mm) < least_mm or min(shown_mm) < _SHORTER_SIDE * least_mm:
        return None
    at_end, near = shown & (s < END_SHARE * radius), shown & (s < NEAR_TIP_MM)
    covered = edge.covered[(np.abs(s) < END_MM) & (np.abs(u) < END_SHARE * radius)].any()
    own = shown & (s > -_BEFORE_TIP * width) & (s < FAR_MM)
    return ObservedFinger(
        tip_mm=tip,
        axis=axis,
        edge_mm=np.column_stack([s, u])[own],
        radius_mm=radius,
        tip_contrast=0.0 if covered or not at_end.any() else float(np.median(edge.contrast[at_end])),
        faintest=float(np.percentile(edge.contrast[near], FAINTEST_PCT)) if near.any() else 0.0,
        tip_sd_mm=2 * TIP_SD * radius,
        midline_sd_mm=2 * ACROSS_SD * radius,
    )
