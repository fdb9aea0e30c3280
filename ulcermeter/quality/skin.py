"""Whether a finger's skin is seen clear: no area on it is dark, bloody or crusted white."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Calibration, Finger, Photo, Points
from ulcermeter.protocol import Protocol

__all__ = ["DoubtfulArea", "DoubtfulKind", "SkinView", "judge_skin"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

# The skin that is looked at: two phalanges, up to where shade and blur take over at the outline: assumption.
_STEP_MM, _REACH_MM, _RIM_MM = 0.1, 32.0, 0.7
# What is blurred and what is opened before an area counts, mm: creases and hairs are narrower.
_BLUR_MM, _CREASE_MM = 0.3, 0.8
# Least share of the finger's skin that must show for its own colour to be known: assumption.
_LEAST_PIXELS = 2000
# Skin beside the nail from which its colour is read, cells of 0.1 mm: 3 mm2; a fold of skin beside it is enough.
_LEAST_BESIDE_NAIL = 300
# 8-bit levels of a burnt channel: glare, of which nothing is known.
_BURNT = 250
# 8-bit level of green from which an area is white whatever its red; well-lit fair skin lies below. Assumption.
_WHITE = 240
# What a lens scatters over everything, as a share of white: keeps folds of dark skin from reading as black. Assumption.
_GLOW = 0.004
# A nail on the back, in radii: up to so far from the tip, and so far from the middle; its colour is no skin's.
_NAIL_TO, _NAIL_BESIDE = 2.3, 0.85
# Polish lies so much of it on the nail, is so long and so wide (radii), and fills so much of its box: assumption.
_POLISH = (0.85, 0.8, 0.9, 0.84)
# Rounds of weighted least squares and the residual (in ln) from which a pixel counts no more.
_ROUNDS, _TUKEY = 8, 0.5
# Or so many median absolute deviations, 3 sd, where the finger's skin is uneven itself.
_OUTLIER = 3 * 1.48
# One pixel of so many is fitted, as neighbours say the same; and the pull to the level, over their number, that keeps
# the surface from bending into what is not seen (assumption).
_EVERY, _PULL = 7, 1e-3
# sRGB's transfer function as one power, and red, green and blue in a brightness (their part in Y, rounded): near
# enough for ratios.
_GAMMA, _BRIGHTNESS = 2.2, (0.3, 0.6, 0.1)
# Added to OpenCV's L* of 8 bits: in the dark a* is noise, and must not count for redness (assumption).
_LIGHTNESS = 30


class DoubtfulKind(Enum):
    """How an area differs from the finger's own skin."""

    DARK = "dark"
    RED = "red"
    PALE = "pale"


@dataclass(frozen=True)
class DoubtfulArea:
    """An area of a finger on which it cannot be seen whether there is an ulcer.

    Attributes
    ----------
    kind : DoubtfulKind
    size_mm : float
        Diameter of the circle of its area, on the reference's plane.
    from_tip_mm : float
        Where its middle lies along the finger.
    middle_px : (float, float)
        Photo px.
    outline_px : float64 (K, 2)
    """

    kind: DoubtfulKind
    size_mm: float
    from_tip_mm: float
    middle_px: tuple[float, float]
    outline_px: Points = field(repr=False)


@dataclass(frozen=True)
class SkinView:
    """What is seen of a finger's skin.

    Attributes
    ----------
    clear_px : tuple of float64 (K, 2)
        Outlines of what was seen clear, photo px.
    doubtful : tuple of DoubtfulArea
        The largest first.
    """

    clear_px: tuple[Points, ...] = field(default=(), repr=False)
    doubtful: tuple[DoubtfulArea, ...] = ()


def judge_skin(photo: Photo, calibration: Calibration, finger: Finger, *, protocol: Protocol) -> SkinView:
    """Look for areas of a finger that are darker, redder or paler than its own skin.

    The logarithm of the light is fitted by a surface, smooth along the finger and across it, that few odd pixels bend
    little: shade and curvature go into it, and what lies far from it is no skin of this finger. So each finger is its
    own measure, whatever its tone and the light.

    Parameters
    ----------
    photo : Photo
    calibration : Calibration
        From photo pixels to millimetres.
    finger : Finger
        Its outline says where skin is; on its back the nail is left out.
    protocol : Protocol
        For ``skin_...`` and ``doubtful_min_mm``.

    Returns
    -------
    SkinView
        Nothing clear where too little of the finger shows, or what shows has not the colour of skin.
    """
    grid = _Grid.of(calibration, finger)
    visible = _skin(photo, calibration, finger, grid)
    if visible.sum() < _LEAST_PIXELS:
        return SkinView()
    light = _linear(photo, grid)
    sampled = _sampled(photo.pixels, grid)
    burnt, white = sampled.max(axis=-1) >= _BURNT, sampled[..., 1] >= _WHITE
    own = _own_skin(visible & ~burnt, grid, finger)
    if _redness(photo, grid, own) < protocol.skin.skin_redness_min:
        return SkinView()
    brightness, redness = (_against_own(value, own, grid, finger) for value in _logs(light))
    areas: list[DoubtfulArea] = []
    odd = np.zeros(visible.shape, dtype=bool)
    # What is white may be a crust, burnt out or not; fair skin burns out in red alone.
    for kind, where in _odd(brightness, redness, protocol).items():
        shown = (where & ~burnt) | white if kind is DoubtfulKind.PALE else where & ~burnt
        for part in _parts(shown & visible, visible, at_least_mm=protocol.skin.doubtful_min_mm):
            if not _is_nail(kind, part, grid, finger, protocol=protocol):
                odd |= part
                areas.append(_area(kind, part, grid, calibration))
    clear = tuple(_outlines(visible & ~odd & ~burnt, grid, calibration))
    return SkinView(clear, tuple(sorted(areas, key=lambda area: -area.size_mm)))


@dataclass(frozen=True)
class _Grid:
    """Places of the reference's plane in the finger's frame: s down the rows, u over the columns, 0.1 mm apart."""

    s: Floats
    u: Floats
    origin_mm: Floats
    axis: Floats
    photo_px: Floats = field(repr=False)

    @classmethod
    def of(cls, calibration: Calibration, finger: Finger) -> _Grid:
        s, u = finger.axial_and_transverse(finger.outline_mm).T
        top, low = float(s.min()), min(float(s.max()), float(s.min()) + _REACH_MM)
        rows, cols = np.arange(top, low, _STEP_MM), np.arange(float(u.min()), float(u.max()), _STEP_MM)
        axis, origin = np.asarray(finger.axis), np.asarray(finger.tip_mm)
        where = np.stack(np.meshgrid(rows, cols, indexing="ij"), axis=-1)
        plane = origin + where[..., :1] * axis + where[..., 1:] * np.array([axis[1], -axis[0]])
        photo_px = calibration.to_px(plane.reshape(-1, 2)).reshape(where.shape)
        return cls(rows, cols, origin, axis, photo_px)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.s), len(self.u)

    def to_plane(self, cells: Floats) -> Floats:
        """Turn grid cells (K, 2), column and row, into plane points (K, 2)."""
        s, u = self.s[0] + cells[:, 1] * _STEP_MM, self.u[0] + cells[:, 0] * _STEP_MM
        return np.asarray(
            self.origin_mm + s[:, None] * self.axis + u[:, None] * np.array([self.axis[1], -self.axis[0]])
        )


def _skin(photo: Photo, calibration: Calibration, finger: Finger, grid: _Grid) -> Mask:
    """Return where the finger's skin shows, away from its outline, the reference and the photo's border."""
    s, u = finger.axial_and_transverse(finger.outline_mm).T
    inside = _filled(np.column_stack([u - grid.u[0], s - grid.s[0]]) / _STEP_MM, grid.shape)
    deep = cv2.distanceTransform(np.pad(inside, 1), cv2.DIST_L2, 5)[1:-1, 1:-1] * _STEP_MM > _RIM_MM
    rows, cols = photo.pixels.shape[:2]
    x, y = grid.photo_px[..., 0], grid.photo_px[..., 1]
    visible = deep & (x >= 1) & (y >= 1) & (x <= cols - 2) & (y <= rows - 2)
    if len(calibration.reference_outline_px) > 2:
        s, u = finger.axial_and_transverse(calibration.to_mm(calibration.reference_outline_px)).T
        covered = _filled(np.column_stack([u - grid.u[0], s - grid.s[0]]) / _STEP_MM, grid.shape)
        visible &= cv2.dilate(covered, _disc(_RIM_MM)) == 0
    return np.asarray(visible)


def _filled(cells: Floats, shape: tuple[int, int]) -> NDArray[np.uint8]:
    inside = np.zeros(shape, np.uint8)
    cv2.fillPoly(inside, [np.rint(cells).astype(np.int32)], 1)
    return inside


def _disc(radius_mm: float) -> NDArray[np.uint8]:
    side = 2 * round(radius_mm / _STEP_MM) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), dtype=np.uint8)


def _sampled(pixels: NDArray[np.uint8], grid: _Grid) -> NDArray[np.uint8]:
    x, y = (np.ascontiguousarray(grid.photo_px[..., k], dtype=np.float32) for k in (0, 1))
    return np.asarray(cv2.remap(pixels, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _linear(photo: Photo, grid: _Grid) -> Floats:
    """Return linear light (M, N, 3) on the grid, blurred (sRGB by a power of 2.2)."""
    light = (_sampled(photo.pixels, grid).astype(np.float64) / 255) ** _GAMMA
    return np.asarray(cv2.GaussianBlur(light, (0, 0), _BLUR_MM / _STEP_MM))


def _logs(light: Floats) -> tuple[Floats, Floats]:
    """Return the logarithms of brightness and of red over green."""
    red, green, blue = (light[..., k] + _GLOW for k in range(3))
    return np.log(_BRIGHTNESS[0] * red + _BRIGHTNESS[1] * green + _BRIGHTNESS[2] * blue), np.log(red / green)


def _against_own(values: Floats, visible: Mask, grid: _Grid, finger: Finger) -> Floats:
    """Return values less the smooth surface fitted to what is seen (Tukey's weights about its own scale)."""
    s, v = np.meshgrid((grid.s - grid.s[0]) / _REACH_MM, grid.u / finger.radius_mm, indexing="ij")
    terms = np.stack([np.ones_like(s), s, s**2, v, v**2, v**4, s * v], axis=-1)
    x, y = terms[visible][::_EVERY], values[visible][::_EVERY]
    weight = np.ones(len(y))
    level = np.median(y)
    fitted = np.full(len(y), level)
    for _ in range(_ROUNDS):
        off = (y - fitted) / max(_TUKEY, _OUTLIER * float(np.median(np.abs(y - fitted))))
        weight = np.where(np.abs(off) < 1, (1 - off**2) ** 2, 0.0) + 1e-6
        left = (x * weight[:, None]).T @ x + _PULL * len(y) * np.diag([0.0, 1, 1, 1, 1, 1, 1])
        factors = np.linalg.solve(left, (x * weight[:, None]).T @ y)
        fitted = x @ factors
    return np.asarray(values - terms @ factors)


def _redness(photo: Photo, grid: _Grid, own: Mask) -> float:
    """Return the median of a* over (L* + 30), both as OpenCV scales them for 8 bits."""
    lab = cv2.cvtColor(_sampled(photo.pixels, grid), cv2.COLOR_RGB2LAB)[own].astype(np.float64)
    return float(np.median((lab[:, 1] - 128) / (lab[:, 0] + _LIGHTNESS))) if len(lab) else 0.0


def _own_skin(visible: Mask, grid: _Grid, finger: Finger) -> Mask:
    """Return what a finger's own colour is read off: not the nail, which is brighter, where enough else shows."""
    without = visible & ~_nail(grid, finger)
    return without if without.sum() >= _LEAST_BESIDE_NAIL else visible


def _nail(grid: _Grid, finger: Finger) -> Mask:
    """Return where a nail is on the back of a finger, or on an unnamed side, bool (M, N)."""
    if finger.side not in ("", "dorsal"):
        return np.zeros(grid.shape, dtype=bool)
    s, v = np.meshgrid((grid.s - grid.s[0]) / finger.radius_mm, np.abs(grid.u) / finger.radius_mm, indexing="ij")
    return np.asarray((s < _NAIL_TO) & (v < _NAIL_BESIDE))


def _odd(brightness: Floats, redness: Floats, protocol: Protocol) -> dict[DoubtfulKind, Mask]:
    rules = protocol.skin
    dark = brightness < np.log(rules.skin_dark_ratio)
    red = (redness > np.log(rules.skin_red_ratio)) & ~dark
    pale = (brightness > 0) & (redness < -np.log(rules.skin_pale_redness_ratio))
    return {DoubtfulKind.DARK: dark, DoubtfulKind.RED: red, DoubtfulKind.PALE: pale}


def _parts(where: Mask, visible: Mask, *, at_least_mm: float) -> list[Mask]:
    """Return the connected areas of a size, narrow ones opened away."""
    opened = cv2.morphologyEx(where.astype(np.uint8), cv2.MORPH_OPEN, _disc(_CREASE_MM / 2))
    closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, _disc(_CREASE_MM / 2)) > 0
    count, labels, stats, _ = cv2.connectedComponentsWithStats((closed & visible).astype(np.uint8))
    least = np.pi / 4 * (at_least_mm / _STEP_MM) ** 2
    return [labels == label for label in range(1, count) if stats[label, cv2.CC_STAT_AREA] >= least]


def _is_nail(kind: DoubtfulKind, part: Mask, grid: _Grid, finger: Finger, *, protocol: Protocol) -> bool:
    """Say whether an area is a nail's, on a finger that shows its back or an unnamed side.

    A pale one that lies where the nail is but for less than counts; a dark or red one only where it fills the nail's
    shape, as polish does and dead skin does not.
    """
    nail = _nail(grid, finger)
    if kind is DoubtfulKind.PALE:
        return not _parts(part & ~nail, part, at_least_mm=protocol.skin.doubtful_min_mm)
    on_nail = float(nail[part].mean())
    rows, cols = np.nonzero(part)
    long, wide = (float(np.ptp(cells) + 1) * _STEP_MM / finger.radius_mm for cells in (rows, cols))
    fills = part.sum() * _STEP_MM**2 / (long * wide * finger.radius_mm**2)
    return bool(on_nail > _POLISH[0] and long > _POLISH[1] and wide > _POLISH[2] and fills > _POLISH[3])


def _area(kind: DoubtfulKind, part: Mask, grid: _Grid, calibration: Calibration) -> DoubtfulArea:
    rows, cols = np.nonzero(part)
    middle = grid.to_plane(np.array([[cols.mean(), rows.mean()]]))
    x, y = calibration.to_px(middle)[0]
    outline = max(_outlines(part, grid, calibration), key=len)
    size = float(np.sqrt(4 / np.pi * part.sum())) * _STEP_MM
    return DoubtfulArea(kind, size, float(grid.s[round(rows.mean())] - grid.s[0]), (float(x), float(y)), outline)


def _outlines(where: Mask, grid: _Grid, calibration: Calibration) -> list[Points]:
    found = cv2.findContours(where.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]
    return [calibration.to_px(grid.to_plane(one.reshape(-1, 2).astype(np.float64))) for one in found if len(one) > 2]
