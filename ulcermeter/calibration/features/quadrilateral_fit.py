"""The straight sides of a four-sided outline, fitted at full resolution."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.calibration.features.dark_rim import rim_offsets
from ulcermeter.calibration.features.edge_position import edge_offsets
from ulcermeter.calibration.features.robust import LEAST_FREE, TUKEY, biweight, robust_sd
from ulcermeter.calibration.features.sharpest_line import Sharpest, sharpest_line
from ulcermeter.datatypes import Points
from ulcermeter.datatypes.arrays import Matrix
from ulcermeter.datatypes.light import SRGB_TO_LINEAR

__all__ = ["Quad", "crossing", "fit_quad"]

_LARGEST_SIDE_PX = 1600.0
"""A thing larger than this is shrunken first, which costs no accuracy that matters."""
_LEAST_SD_PX = 0.02
"""Of a border's place, px: interpolation errs by as much (assumption)."""
_LARGEST_SPREAD_PX = 0.8
"""Of places about a straight side: beyond it they are something else's (assumption)."""
_LEAST_RIM_VISIBLE = 0.6
"""Share of a side along which a dark rim must be seen, in a straight line, to be one; assumption."""
_LEAST_REACH_PX = 6.0
"""Of a look for a sharper border, px: the least with which `fit_quad` finds a side."""
_FINE_REACH_PX, _EVERY = 5.0, 3
"""Wider looks only bring a side near, and see every third place along it."""
_START_SHARE, _START_REACH_PX = 0.02, (6, 16)
"""How far off a guess may be, over the thing's size, a pixel or two of the shrunken photo; and least and most of that,
px (assumption)."""
_SECOND_REACH, _LAST_REACH_PX = 0.6, 4.0
"""Of the second look, over the first; and of the last, px: a border blurred by 1.2 px sd still fits in."""
_MARGIN, _MARGIN_PX = 0.05, 12
"""Round a guess that is cut out: more of its size than it may be off, and the pixels of a blurred border."""
_LEAST_PLACES, _LEAST_SHARE = 8, 1 / 3
"""Places along a side at which its border must be seen, at least, and their share (assumption)."""
_LEAST_STEP = 0.2
"""Of a border, over the typical one: places where hardly any is are not the side's (assumption)."""
_PLACE_EVERY_PX, _PLACES, _FEWEST_PLACES = 8, (16, 120), 16
"""Along a side, px: nearer places share relief and print; least and most of them, and least of a wide look."""
_FITTED = 0.3
"""Least weight of a place that counts as fitted: 3.1 sd off."""
_MIX_ALONG, _MIX_ASIDE = np.linspace(0.1, 0.9, 60)[:, None], 0.8
"""Where along a side its two grounds are read, and how far aside, over the reach: clear of the border itself."""
_ROUNDS, _LEAST_WEIGHT, _LEAST_DET = 8, 6, 1e-9
"""Of weighting; the sum of weights that a line needs (assumption); under that determinant it is undetermined."""
_PLACES_TOGETHER = 4
"""Neighbouring places that share the errors of print and relief: a side of 60 counts as some 15 (assumption)."""
_THEIL_APART = 4
"""Places by which a pair for the median slope is apart at least: nearer ones tell their noise."""
_MOVES = ((1e-3, 0.0), (0.0, 1e-6))
"""Shift, px, and turn, rad, of a side for the numerical derivatives of the corners."""
_PARALLEL = 1e-9
"""Sine of the angle of lines that are taken to cross far away instead of nowhere."""


@dataclass(frozen=True)
class Quad:
    """A four-sided outline fitted at full resolution.

    Attributes
    ----------
    corners_px : float64 (4, 2)
        Where neighbouring sides would meet, clockwise as seen.
    covariance_px2 : float64 (8, 8)
        Ordered x0, y0, x1, y1, ...
    seen : float64 (4,)
        Share of each side, 0..1, that is seen; the first from corner 0 to 1.
    rms_px : float
    """

    corners_px: Points
    covariance_px2: Matrix
    visible: Matrix
    rms_px: float


def fit_quad(
    pixels: NDArray[np.uint8], guess: Points, *, trim: tuple[float, float], shadow: float = 0.0
) -> Quad | None:
    """Fit the four sides at full resolution, in linear light.

    Parameters
    ----------
    pixels : uint8 (M, N, 3), RGB
    guess : float64 (4, 2)
        Clockwise as seen, within some pixels of the shrunken photo.
    trim : (float, float)
        Share of the longer and of the shorter sides left out at either end (rounded corners).
    shadow : float
        How far within a shadow.s end a dark rim may be looked for, share of the longer sides; 0 for nowhere.

    Returns
    -------
    Quad or None
        None where a side is not seen along a third of its length.
    """
    light, origin, scale = _patch(pixels, guess)
    corners = (guess - origin + 0.5) * scale - 0.5
    start_reach = float(np.clip(_START_SHARE * np.ptp(corners, axis=0).max(), *_START_REACH_PX))
    ends = np.roll(corners, -1, axis=0)
    mixes = [_channel_mix(light, a, b, start_reach) for a, b in zip(corners, ends, strict=True)]
    for reach in (start_reach, _SECOND_REACH * start_reach, _FINE_REACH_PX, _LAST_REACH_PX):
        fits = _fit_sides(light, mixes, corners, reach, trim)
        if fits is None:
            return None
        corners = _corners(np.stack([fit[0] for fit in fits]))
    assert fits is not None
    if shadow:
        fits = _sharpened(light, corners, fits, shadow, trim)
        corners = _corners(np.stack([fit[0] for fit in fits]))
        fits = _with_dark_rims(light, corners, fits, shadow, trim)
        corners = _corners(np.stack([fit[0] for fit in fits]))
    lines, covariances = np.stack([fit[0] for fit in fits]), [fit[1] for fit in fits]
    covariance = _propagated(lines, covariances)
    visible = np.array([fit[2] for fit in fits])
    rms = float(np.sqrt(np.mean([fit[3] ** 2 for fit in fits])))
    return Quad((corners + 0.5) / scale - 0.5 + origin, covariance / scale**2, visible, rms / scale)


def _patch(pixels: NDArray[np.uint8], guess: Points) -> tuple[NDArray[np.float32], Points, float]:
    size = np.ptp(guess, axis=0).max()
    low = np.maximum(np.floor(guess.min(axis=0) - _MARGIN * size - _MARGIN_PX), 0).astype(int)
    high = np.ceil(guess.max(axis=0) + _MARGIN * size + _MARGIN_PX)
    high = np.minimum(high, [pixels.shape[1], pixels.shape[0]]).astype(int)
    factor = max(int(size // _LARGEST_SIDE_PX), 1)
    high = low + np.maximum((high - low) // factor, 1) * factor
    light = cv2.LUT(np.ascontiguousarray(pixels[low[1] : high[1], low[0] : high[0]]), SRGB_TO_LINEAR)
    if factor > 1:
        light = cv2.resize(light, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
    return light, low.astype(np.float64), 1 / factor


_Side = tuple[Matrix, Matrix, float, float]


def _cuts(corners: Points, trim: tuple[float, float]) -> tuple[list[float], float]:
    """Return the share of each side that is left out at either end, and the longest side's length, px."""
    lengths = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T)
    long_first = lengths[0] + lengths[2] >= lengths[1] + lengths[3]
    return [trim[0] if (k % 2 == 0) == long_first else trim[1] for k in range(4)], float(lengths.max())


def _sharpened(
    light: NDArray[np.float32], corners: Points, fits: list[_Side], shadow: float, trim: tuple[float, float]
) -> list[_Side]:
    """Return the sides, those not clear fitted to where the light changes most steeply within a shadow's width."""
    ends = np.roll(corners, -1, axis=0)
    cuts, longest = _cuts(corners, trim)
    sides = []
    for k, fit in enumerate(fits):
        at, half, outwards = _stretches(corners[k], ends[k], cuts[k])
        sharp = sharpest_line(light, at, half, outwards, reach_px=max(shadow * longest, _LEAST_REACH_PX))
        side = None if sharp is None else _sharp_side(corners[k], ends[k], at, sharp)
        sides.append(fit if side is None or side[2] < _LEAST_RIM_VISIBLE else _surer(side, fit, corners[k], ends[k]))
    return sides


def _sharp_side(start: Points, end: Points, at: Matrix, sharp: Sharpest) -> _Side | None:
    """Fit a side to its surest places.

    Added to its covariance is how far all places alike, and a second border along the whole of it, would move it.
    """
    visible = np.isfinite(sharp.offsets_px)
    if visible.sum() < _LEAST_PLACES:
        return None
    surest = _side(start, end, at, sharp.offsets_px, visible, sds=sharp.sd_px)
    alike = _side(start, end, at, sharp.offsets_px, visible, sds=np.full(len(at), _LARGEST_SPREAD_PX))
    if surest is None:
        return None
    line, covariance, share, rms = surest if alike is None else _with_doubt(surest, alike, start, end)
    return line, covariance + np.diag([sharp.second_px**2, 0.0]), share, rms


def _surer(sharp: _Side, fit: _Side, start: Points, end: Points) -> _Side:
    """Return the sharper border where it is seen along as much of the side, else the other; each doubts the other."""
    first, second = (sharp, fit) if sharp[2] >= fit[2] else (fit, sharp)
    return _with_doubt(first, second, start, end)


def _with_doubt(side: _Side, other: _Side, start: Points, end: Points) -> _Side:
    """Return a side whose covariance holds how far another line for it lies apart, as a standard deviation."""
    line, covariance, visible, rms = side
    apart = np.stack([start, end]) @ (other[0][:2] - line[:2]) - (other[0][2] - line[2])
    change = np.array([apart.mean(), (apart[1] - apart[0]) / np.hypot(*(end - start))])
    return line, covariance + np.outer(change, change), visible, rms


def _with_dark_rims(
    light: NDArray[np.float32], corners: Points, fits: list[_Side], shadow: float, trim: tuple[float, float]
) -> list[_Side]:
    """Return the sides, those with a dark rim before a shadow fitted to the rim."""
    ends = np.roll(corners, -1, axis=0)
    cuts, longest = _cuts(corners, trim)
    sides = []
    for k, fit in enumerate(fits):
        at, half, outwards = _stretches(corners[k], ends[k], cuts[k])
        offsets, _ = rim_offsets(light, at - half, at + half, outwards, reach_px=shadow * longest)
        visible = np.isfinite(offsets)
        inner = _side(corners[k], ends[k], at, offsets, visible) if visible.mean() >= _LEAST_RIM_VISIBLE else None
        sides.append(inner if inner is not None and inner[2] >= _LEAST_RIM_VISIBLE else fit)
    return sides


def _fit_sides(
    light: NDArray[np.float32], mixes: list[Matrix], corners: Points, reach_px: float, trim: tuple[float, float]
) -> list[_Side] | None:
    ends = np.roll(corners, -1, axis=0)
    cuts, _ = _cuts(corners, trim)
    fits = []
    for k in range(4):
        fit = _fit_side(light, mixes[k], corners[k], ends[k], reach_px=reach_px, trim=cuts[k])
        if fit is None:
            return None
        fits.append(fit)
    return fits


def _fit_side(
    light: NDArray[np.float32], mix: Matrix, start: Points, end: Points, *, reach_px: float, trim: float
) -> _Side | None:
    """Fit one side: line (normal angle and offset about the side's middle), covariance, share seen, rms."""
    at, half, outwards = _stretches(start, end, trim, every=_EVERY if reach_px > _FINE_REACH_PX else 1)
    normals = np.broadcast_to(outwards, at.shape)
    offsets, steps = edge_offsets(light, at - half, at + half, normals, reach_px=reach_px, mix=mix)
    visible = np.isfinite(offsets)
    if visible.sum() < max(len(at) * _LEAST_SHARE, _LEAST_PLACES):
        return None
    visible &= steps > _LEAST_STEP * float(np.median(steps[visible]))
    return _side(start, end, at, offsets, visible)


def _stretches(start: Points, end: Points, trim: float, *, every: int = 1) -> tuple[Matrix, Matrix, Matrix]:
    """Return the middles (P, 2) of a side's stretches, half a stretch (2,) and the way outwards (2,)."""
    length = float(np.hypot(*(end - start)))
    along = (end - start) / length
    n = max(int(np.clip(length / _PLACE_EVERY_PX, *_PLACES)) // every, _FEWEST_PLACES)
    at = start + (end - start) * (trim + (1 - 2 * trim) * (np.arange(n)[:, None] + 0.5) / n)
    return at, along * (length * (1 - 2 * trim) / n / 2), np.array([along[1], -along[0]])


def _side(
    start: Points, end: Points, at: Matrix, offsets: Matrix, visible: NDArray[np.bool_], *, sds: Matrix | None = None
) -> _Side | None:
    """Fit a line to how far a border lies from a side at places along it; `sds` (P,) px where they differ."""
    length = float(np.hypot(*(end - start)))
    along = (end - start) / length
    outwards = np.array([along[1], -along[0]])
    place = ((at - (start + end) / 2) @ along) / (length / 2)
    solved = _robust_line(place, np.where(visible, offsets, 0.0), visible, sds)
    if solved is None:
        return None
    (shift, slope), covariance, weights, rms = solved
    tilt = slope / (length / 2)
    normal = (outwards - tilt * along) / np.hypot(1, tilt)
    line = np.array([*normal, normal @ ((start + end) / 2 + shift * outwards)])
    # From offset and slope at the middle to the line's angle and its offset there.
    turn = np.diag([1.0, 2 / length])
    return line, turn @ covariance @ turn, float(np.mean(weights > _FITTED)), rms


def _channel_mix(light: NDArray[np.float32], start: Points, end: Points, reach_px: float) -> Matrix:
    """Return the mix of channels (3,) that differs most across a side, brighter outside."""
    along = (end - start) / np.hypot(*(end - start))
    outwards = np.array([along[1], -along[0]])
    at = start + (end - start) * _MIX_ALONG
    rings = []
    for side in (-1, 1):
        where = (at + side * _MIX_ASIDE * reach_px * outwards)[None].astype(np.float32)
        visible = cv2.remap(light, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        rings.append(np.median(visible.reshape(-1, 3), axis=0))
    apart = rings[1] - rings[0]
    return np.asarray(apart / max(float(np.abs(apart).sum()), 1e-6), dtype=np.float64)


def _robust_line(
    place: Matrix, offsets: Matrix, visible: NDArray[np.bool_], sds: Matrix | None = None
) -> tuple[Matrix, Matrix, Matrix, float] | None:
    """Tukey-weighted straight line through offsets; the start is Theil's median slope, so a bump cannot take it.

    Where the offsets' standard deviations are given they weigh, and the start is what the surest places say.
    """
    design = np.column_stack([np.ones_like(place), place])
    own = np.ones_like(offsets) if sds is None else sds
    solution = _theil(place[visible], offsets[visible]) if sds is None else _weighted(design, offsets, visible / sds**2)
    least = _LEAST_SD_PX if sds is None else 1.0
    most = _LARGEST_SPREAD_PX if sds is None else _LARGEST_SPREAD_PX / float(np.min(sds))
    for _ in range(_ROUNDS):
        off = (offsets - design @ solution) / own
        spread = float(np.clip(robust_sd(off[visible]), least, most))
        weights = np.where(visible, biweight(off, TUKEY * spread), 0.0)
        normal = (design.T * (weights / own**2)) @ design
        if np.linalg.det(normal) < _LEAST_DET:
            return None
        solution = _weighted(design, offsets, weights / own**2)
    if weights.sum() < _LEAST_WEIGHT:
        return None
    off = (offsets - design @ solution) / own
    variance = max(float(np.sum(weights * off**2) / max(weights.sum() - 2, LEAST_FREE)), least**2)
    rms = float(np.sqrt(np.sum(weights * (off * own) ** 2) / weights.sum()))
    covariance = np.asarray(np.linalg.inv(normal), dtype=np.float64) * variance * _PLACES_TOGETHER
    return solution, covariance, weights, rms


def _theil(place: Matrix, offsets: Matrix) -> Matrix:
    i, j = np.triu_indices(len(place), _THEIL_APART)
    slope = float(np.median((offsets[j] - offsets[i]) / (place[j] - place[i])))
    return np.array([float(np.median(offsets - slope * place)), slope])


def _weighted(design: Matrix, offsets: Matrix, weights: Matrix) -> Matrix:
    normal = (design.T * weights) @ design + 1e-12 * np.eye(2)
    return np.asarray(np.linalg.solve(normal, (design.T * weights) @ offsets), dtype=np.float64)


def _corners(lines: Matrix) -> Points:
    """Return the corners (4, 2): corner k is where side k-1 meets side k."""
    return crossing(np.roll(lines, 1, axis=0), lines)


def _propagated(lines: Matrix, covariances: list[Matrix]) -> Matrix:
    """Return the corners' covariance from each side's (offset, turn) about its own middle."""
    corners = _corners(lines)
    middles = (corners + np.roll(corners, -1, axis=0)) / 2
    out = np.zeros((8, 8))
    for k in range(4):
        jacobian = np.empty((8, 2))
        for m, (shift, angle) in enumerate(_MOVES):
            moved = lines.copy()
            a, b = lines[k, :2]
            moved[k, :2] = [a + angle * b, b - angle * a]
            moved[k, 2] = moved[k, :2] @ middles[k] + shift
            jacobian[:, m] = (_corners(moved) - corners).ravel() / (shift + angle)
        out += jacobian @ covariances[k] @ jacobian.T
    return out


def crossing(first: Matrix, second: Matrix) -> Matrix:
    """Return where lines cross.

    Parameters
    ----------
    first : float64 (K, 3)
        a, b, c of a x + b y = c.
    second : float64 (K, 3)
        The lines that they cross.

    Returns
    -------
    float64 (K, 2)
        (x, y); far away for parallel lines.
    """
    det = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    det = np.where(np.abs(det) < _PARALLEL, _PARALLEL, det)
    x = (first[:, 2] * second[:, 1] - second[:, 2] * first[:, 1]) / det
    y = (first[:, 0] * second[:, 2] - second[:, 0] * first[:, 2]) / det
    return np.column_stack([x, y])
