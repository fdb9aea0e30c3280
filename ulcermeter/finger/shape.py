"""From a mask to a finger as seen: its sides, its mid-line, its tip, in the reference's plane."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Calibration
from ulcermeter.finger.mask import CoarsePhoto
from ulcermeter.protocol import Protocol

__all__ = ["ObservedFinger", "Edge", "in_frame", "outline_of", "read_shape", "shown_length_mm"]

Floats = NDArray[np.float64]

# Along a side, mm, in which at least one point of it must show to count.
_STEP_MM = 0.5
# Of the largest disc in a palm: no finger holds one (assumption).
_PALM_RADIUS_MM = 15.0
# Round the point, mm, along which sides are taken for straight: the end two phalanges.
_REACH_MM = 40.0
# Widest end, as a share of the width (see `_bluntness`), and what one under the reference counts as: assumption.
_BLUNT_END, _COVERED_END = 0.93, 0.75
# How far from the tip and from the axis an outline is the finger's own, mm: wider than any finger, short of the next.
FAR_MM, _WIDE_MM = 45.0, 18.0
# Of a round end: half its width over the radius, and how far from the tip its edge may be covered, mm; from the tip on
# how far an outline's contrast counts, mm, and the percentile that stands for its faintest part (assumption).
END_SHARE, END_MM, NEAR_TIP_MM, FAINTEST_PCT = 0.35, 1.0, 30, 20
# Points of an outline: those that a finger has at least, those of a part that counts, and of a side, over what length,
# mm, at first and after what does not lie along it is left out (assumption).
_LEAST_POINTS, _LEAST_PART = 30, 20
_LEAST_SIDE, _LEAST_SIDE_MM, _LEAST_KEPT, _LEAST_KEPT_MM = 12, 6, 10, 5
# How far a point may lie off a side, round by round, mm: at last a finger's own unevenness (assumption).
_OFF_MM = (4.0, 2.0, 1.2, 1.2)
# How far from the point the mask's nearest part may begin, mm.
_NEAREST_MM = 3
# Where colours on the two sides of an outline are read, coarse px inwards and outwards; and the sd of the mask's
# smoothing that says which way out is.
_INWARD_PX, _OUTWARD_PX, _SOFT_PX = -2.0, 2.5, 1.5
# Of the direction: outline points to either side that give one, its least and most length, mm; candidates, degrees
# apart; and how near to one, degrees, others count for it, and into the mean.
_AHEAD, _AHEAD_MM, _TURN_DEG, _FULLEST_DEG, _MEAN_DEG = 4, (0.5, 12 * 1.5), 3, 9, 15
# Points to either side that say how steep an outline is against the axis, and what a side is at most.
_STEEP_AHEAD, _STEEPEST = 3, 0.5
# Of two round ends one nearer to the point by so many mm outweighs all bluntness: ulcers of a finger's other end are
# rare (assumption).
_NEAR_COUNTS = 0.01
# Where behind the tip the radius is read, mm; and where from the tip a point of the finger may lie: radii aside, and
# mm along.
_RADIUS_AT_MM = (8.0, 24.0)
_MOST_ASIDE, _ALONG_MM = 1.15, (-1, 60)
# Of the outline's straightness: how far aside it counts and how near to a side it lies along it, mm; steepest side.
_ASIDE_MM, _ALONG_SIDE_MM, _STEEPEST_SIDE = 25, 0.8, 0.25
# Shares of an end's outline: covered by the reference, from which on it is the reference's; shown, for its bluntness.
_COVERED, _SHOWN = 0.3, 0.7
# Where an end's width is read, radii behind it, and over what length, mm.
_BLUNT_AT, _BLUNT_OVER_MM = 0.25, 0.6
# Half width that sides which meet are held to, mm.
_LEAST_HALF_MM = 0.5
# From the tip on a side counts as shown, mm: before it is the round end.
_SIDE_FROM_MM = 6


@dataclass(frozen=True)
class ObservedFinger:
    """A finger's outline in the reference's plane, in a frame from its tip (s along the axis, u across it).

    Attributes
    ----------
    tip_mm, axis : float64 (2,)
        Plane x, y of the tip as seen; unit vector to the hand.
    edge_mm : float64 (K, 2)
        s, u of what shows of the outline; nothing where the photo's border or the reference hides it.
    radius_mm : float
        Median half width behind the round end.
    tip_contrast, faintest : float
        Colour difference (CIE 1976) across the outline: the round end's median, 0 where the reference covers it; the
        whole's lowest fifth.
    tip_sd_mm, midline_sd_mm : float
        What a network's tip and direction are known to, along and across; 0 where colour gave the outline.
    """

    tip_mm: Floats
    axis: Floats
    edge_mm: Floats = field(repr=False)
    radius_mm: float
    tip_contrast: float
    faintest: float
    tip_sd_mm: float = 0.0
    midline_sd_mm: float = 0.0

    @property
    def pointed_out(self) -> bool:
        """Whether the network gave tip and direction, so that they cannot be a shadow's or a neighbour's."""
        return self.tip_sd_mm > 0

    def from_plane(self, points: Floats) -> Floats:
        """Turn plane x, y, (K, 2) or (2,), into (s, u)."""
        return in_frame(points, self.tip_mm, self.axis)

    def to_plane(self, points: Floats) -> Floats:
        """Turn (s, u) (K, 2) into plane x, y."""
        return np.asarray(self.tip_mm + points @ np.array([self.axis, [self.axis[1], -self.axis[0]]]))


@dataclass(frozen=True)
class Edge:
    """The outlines (K, 2) in mm: which vertices show the finger's own edge, and how clearly.

    `covered` are those at the reference, which may hide more of the finger. `contrast` is the colour difference
    (CIE 1976) between one millimetre inside and outside of each vertex.
    """

    points: Floats
    shown: NDArray[np.bool_]
    covered: NDArray[np.bool_]
    contrast: Floats


def read_shape(
    mask: NDArray[np.bool_], coarse: CoarsePhoto, calibration: Calibration, *, near_px: Floats, protocol: Protocol
) -> ObservedFinger | None:
    """Read sides, mid-line and tip off a mask of colours.

    Parameters
    ----------
    mask : bool (M, N)
        Where the finger may be, in pixels of the coarse photo.
    coarse : CoarsePhoto
    calibration : Calibration
        From photo pixels to millimetres.
    near_px : float64 (2,)
        The given point, photo pixels (x, y).
    protocol : Protocol
        For ``finger_...``.

    Returns
    -------
    ObservedFinger or None
        None where that is no finger (see `locate_finger`).
    """
    part = _part_of(mask, coarse)
    near = calibration.to_mm(near_px)[0]
    edge = None if part is None else outline_of(part, coarse, calibration)
    if edge is None or edge.shown.sum() < _LEAST_POINTS:
        return None
    axis = _direction(edge, near)
    for _ in range(2):
        lines = _side_lines(edge, near, axis)
        if lines is None:
            return None
        axis = _turned(axis, lines)
    lines = _side_lines(edge, near, axis)
    return None if lines is None else _from_tip(edge, near, axis, lines, protocol)


def _part_of(mask: NDArray[np.bool_], coarse: CoarsePhoto) -> NDArray[np.bool_] | None:
    """Return the connected part of the mask round the point, without palms; bridged by the reference."""
    whole = cv2.morphologyEx((mask | coarse.reference).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    inside = cv2.distanceTransform(np.pad(whole, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    palm = cv2.distanceTransform((inside <= _PALM_RADIUS_MM * coarse.px_per_mm).astype(np.uint8), cv2.DIST_L2, 5)
    whole[palm < _PALM_RADIUS_MM * coarse.px_per_mm] = 0
    labels = cv2.connectedComponents(whole)[1]
    rows, cols = mask.shape
    y, x = np.mgrid[0:rows, 0:cols]
    away = np.hypot(x - coarse.near[0], y - coarse.near[1])
    away[whole == 0] = np.inf
    nearest = np.unravel_index(int(away.argmin()), away.shape)
    if not away[nearest] < _NEAREST_MM * coarse.px_per_mm:
        return None
    part = (labels == labels[nearest]) & ~coarse.reference
    filled = np.zeros(mask.shape, dtype=np.uint8)
    outlines = cv2.findContours(part.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    cv2.drawContours(filled, outlines, -1, 1, cv2.FILLED)
    return (filled > 0) & ~coarse.reference


def outline_of(part: NDArray[np.bool_], coarse: CoarsePhoto, calibration: Calibration) -> Edge | None:
    """Return a mask's outlines in mm; vertices at the reference, the border or a cut-off palm do not count.

    Parameters
    ----------
    part : bool (M, N)
        In pixels of the coarse photo.
    coarse : CoarsePhoto
    calibration : Calibration
        From photo pixels to millimetres.

    Returns
    -------
    Edge or None
        None where there is nothing of a finger's size.
    """
    outlines = cv2.findContours(part.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    outlines = [o.reshape(-1, 2) for o in outlines if len(o) > _LEAST_PART]
    if not outlines:
        return None
    pixels = np.vstack(outlines)
    reference = cv2.dilate(coarse.reference.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    border = np.ones(reference.shape, dtype=bool)
    border[2:-2, 2:-2] = False
    # A contour runs through the outermost pixels' centres: the edge is half a pixel further out.
    outward = _outward(part, pixels)
    points = calibration.to_mm(coarse.to_photo_px(pixels + 0.5 * outward))
    covered, cut = (hidden[pixels[:, 1], pixels[:, 0]] for hidden in (reference & ~border, border))
    return Edge(points, ~covered & ~cut, covered, _contrast(coarse, pixels, outward))


def _contrast(coarse: CoarsePhoto, pixels: NDArray[np.int32], outward: Floats) -> Floats:
    limit = np.array(coarse.lab.shape[1::-1]) - 1
    sides = []
    for way in (_INWARD_PX, _OUTWARD_PX):
        at = np.clip(np.round(pixels + way * outward), 0, limit).astype(int)
        sides.append(coarse.lab[at[:, 1], at[:, 0]].astype(np.float64) * [100 / 255, 1, 1])
    return np.asarray(np.linalg.norm(sides[0] - sides[1], axis=1))


def _outward(part: NDArray[np.bool_], pixels: NDArray[np.int32]) -> Floats:
    soft = cv2.GaussianBlur(part.astype(np.float32), (0, 0), _SOFT_PX)
    slope = np.stack([cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)], axis=-1)
    found = -slope[pixels[:, 1], pixels[:, 0]].astype(np.float64)
    return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9))


def _direction(edge: Edge, near: Floats) -> Floats:
    """Return the direction most of the outline runs along, round the point: the fullest 15 degrees, averaged."""
    ahead = np.roll(edge.points, -_AHEAD, axis=0) - np.roll(edge.points, _AHEAD, axis=0)
    close = edge.shown & (np.linalg.norm(edge.points - near, axis=1) < _REACH_MM)
    length = np.linalg.norm(ahead, axis=1)
    use = close & (length > _AHEAD_MM[0]) & (length < _AHEAD_MM[1])
    angle = np.arctan2(ahead[use, 1], ahead[use, 0]) % np.pi
    turns = np.radians(np.arange(0, 180, _TURN_DEG))
    apart = np.abs((angle[:, None] - turns + np.pi / 2) % np.pi - np.pi / 2)
    best = turns[(apart < np.radians(_FULLEST_DEG)).sum(axis=0).argmax()] if use.any() else 0.0
    kept = angle[np.abs((angle - best + np.pi / 2) % np.pi - np.pi / 2) < np.radians(_MEAN_DEG)]
    doubled = np.exp(2j * kept).mean() if len(kept) else np.exp(2j * best)
    mean = np.angle(doubled) / 2
    return np.array([np.cos(mean), np.sin(mean)])


@dataclass(frozen=True)
class _Lines:
    """Straight sides u = c + k s about the point: left (c, k), right (c, k), and the spread about them."""

    left: Floats
    right: Floats
    spread: float

    def middle(self, s: Floats) -> Floats:
        return (np.polyval(self.left[::-1], s) + np.polyval(self.right[::-1], s)) / 2

    def half(self, s: Floats) -> Floats:
        return (np.polyval(self.right[::-1], s) - np.polyval(self.left[::-1], s)) / 2


def in_frame(points: Floats, origin: Floats, axis: Floats) -> Floats:
    """Turn plane points (K, 2) into (s, u): along a unit axis from an origin, and across it to the right.

    Parameters
    ----------
    points : float64 (K, 2)
        Plane x, y, mm.
    origin : float64 (2,)
        Plane x, y, mm.
    axis : float64 (2,)
        A unit vector.

    Returns
    -------
    float64 (K, 2)
    """
    return np.asarray((points - origin) @ np.array([[axis[0], axis[1]], [axis[1], -axis[0]]]))


def _side_lines(edge: Edge, near: Floats, axis: Floats) -> _Lines | None:
    """Fit a straight line to each side: a median of candidate offsets first, then trimmed least squares."""
    s, u = in_frame(edge.points, near, axis).T
    ahead = [np.roll(way, -_STEEP_AHEAD) - np.roll(way, _STEEP_AHEAD) for way in (u, s)]
    straight = edge.shown & (np.abs(s) < _REACH_MM) & (np.abs(ahead[0]) < _STEEPEST * np.abs(ahead[1]))
    found = []
    for side in (-1, 1):
        use = straight & (side * u > 0)
        line = _trimmed_line(s[use], u[use])
        if line is None:
            return None
        found.append(line)
    spread = float(np.hypot(found[0][1], found[1][1]) / np.sqrt(2))
    return _Lines(found[0][0], found[1][0], spread)


def _trimmed_line(s: Floats, u: Floats) -> tuple[Floats, float] | None:
    if len(s) < _LEAST_SIDE or np.ptp(s) < _LEAST_SIDE_MM:
        return None
    line, keep = np.array([np.median(u), 0.0]), np.ones(len(s), dtype=bool)
    for limit in _OFF_MM:
        keep = np.abs(u - line[0] - line[1] * s) < limit
        if keep.sum() < _LEAST_KEPT or np.ptp(s[keep]) < _LEAST_KEPT_MM:
            return None
        line = np.polyfit(s[keep], u[keep], 1)[::-1]
    return line, float(np.std(u[keep] - line[0] - line[1] * s[keep]))


def _turned(axis: Floats, lines: _Lines) -> Floats:
    lean = np.arctan((lines.left[1] + lines.right[1]) / 2)
    transverse = np.array([axis[1], -axis[0]])
    return np.asarray(np.cos(lean) * axis + np.sin(lean) * transverse)


def _from_tip(edge: Edge, near: Floats, axis: Floats, lines: _Lines, protocol: Protocol) -> ObservedFinger | None:
    """Find the round end, and give the sides from there; None unless all a finger's limits hold."""
    ends = [_end(edge, near, sign * axis, lines, sign) for sign in (1.0, -1.0)]
    known = [e for e in ends if e is not None]
    if not known:
        return None
    _, tip, toward = min(known, key=lambda e: e[0] + _NEAR_COUNTS * float(np.linalg.norm(e[1] - near)))
    s, u = in_frame(edge.points, tip, toward).T
    shown_mm = [shown_length_mm(s[edge.shown & (side * u > 0) & (np.abs(u) < _WIDE_MM)]) for side in (-1, 1)]
    place = in_frame(near[None], tip, toward)[0]
    radius = float(np.mean(lines.half(in_frame(tip + np.outer(_RADIUS_AT_MM, toward), near, axis)[:, 0])))
    plausible = (
        protocol.finger.finger_width_min_mm <= 2 * radius <= protocol.finger.finger_width_max_mm
        and lines.spread <= protocol.finger.finger_wander_max_mm
        and min(shown_mm) >= protocol.finger.finger_sides_min_mm
        and abs(place[1]) <= _MOST_ASIDE * radius
        and _ALONG_MM[0] <= place[0] <= _ALONG_MM[1]
        and np.median(edge.contrast[edge.shown & (s < NEAR_TIP_MM)]) >= protocol.finger.finger_contrast_min
        and _straightness(edge, near, axis, lines, s > radius) >= protocol.finger.finger_straight_min
    )
    if not plausible:
        return None
    at_end = edge.shown & (s < END_SHARE * radius)
    covered = edge.covered[(s < END_MM) & (np.abs(u) < END_SHARE * radius)].any()
    clear = 0.0 if covered or not at_end.any() else float(np.median(edge.contrast[at_end]))
    faintest = float(np.percentile(edge.contrast[edge.shown & (s < NEAR_TIP_MM)], FAINTEST_PCT))
    own = edge.shown & (s > _ALONG_MM[0]) & (s < FAR_MM) & (np.abs(u) < _WIDE_MM)
    return ObservedFinger(tip, toward, np.column_stack([s, u])[own], radius, clear, faintest)


def _straightness(edge: Edge, near: Floats, axis: Floats, lines: _Lines, behind: NDArray[np.bool_]) -> float:
    """Return the share of the outline behind the tip, within 30 mm of the point, that lies along the two sides."""
    s, u = in_frame(edge.points, near, axis).T
    use = edge.shown & behind & (np.abs(s) < NEAR_TIP_MM) & (np.abs(u) < _ASIDE_MM)
    if max(abs(lines.left[1]), abs(lines.right[1])) > _STEEPEST_SIDE or not use.any():
        return 0.0
    off = np.minimum(np.abs(u - np.polyval(lines.left[::-1], s)), np.abs(u - np.polyval(lines.right[::-1], s)))
    return float((off[use] < _ALONG_SIDE_MM).mean())


def _end(edge: Edge, near: Floats, axis: Floats, lines: _Lines, sign: float) -> tuple[float, Floats, Floats] | None:
    """Return how blunt the end before the point is (1 = cut straight), where it is, and the axis from it."""
    s, u = in_frame(edge.points, near, axis).T
    middle = sign * lines.middle(sign * s)
    half = np.maximum(lines.half(sign * s), _LEAST_HALF_MM)
    off = (u - middle) / half
    core = np.abs(off) < END_SHARE
    if not core.any():
        return None
    first = float(s[core].min())
    at_end = core & (s < first + END_MM)
    if edge.covered[at_end].mean() > _COVERED and not (~edge.covered & ~edge.shown)[at_end].any():
        blunt = _COVERED_END  # as in the card's opening
    else:
        blunt = _bluntness(edge, s - first, off, float(np.median(half))) if edge.shown[at_end].mean() >= _SHOWN else 1.0
    if blunt > _BLUNT_END:
        return None
    place = np.array([first, float(sign * lines.middle(np.array([sign * first]))[0])])
    tip = near + place[0] * axis + place[1] * np.array([axis[1], -axis[0]])
    return blunt, tip, axis


def _bluntness(edge: Edge, s: Floats, off: Floats, radius: float) -> float:
    """Return the share of the width that a quarter of a radius behind the end has; 1 where a side does not show."""
    ring = edge.shown & (np.abs(s - _BLUNT_AT * radius) < _BLUNT_OVER_MM)
    right, left = off[ring & (off > 0)], off[ring & (off < 0)]
    return float((np.median(right) - np.median(left)) / 2) if len(right) and len(left) else 1.0


def shown_length_mm(s: Floats) -> float:
    """Return over what length behind the round end a side shows.

    Parameters
    ----------
    s : float64 (K,)
        Distances from the tip of the edge points of one side, mm.

    Returns
    -------
    float
    """
    place = np.unique(np.round(s[(s > _SIDE_FROM_MM) & (s < _REACH_MM)] / _STEP_MM))
    return float(len(place)) * _STEP_MM
