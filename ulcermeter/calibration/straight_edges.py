"""Straight edges on a photo: four-sided outlines guessed on a shrunken photo, their sides fitted at full resolution."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.calibration.edges import SRGB_TO_LINEAR, edge_offsets
from ulcermeter.datatypes import Points

__all__ = ["Quad", "fit_quad", "find_quads"]

Matrix = NDArray[Any]
_LONG_SIDE_PX = 640
_CANNY, _SOFTNESS_PX = (30, 90), 1.0
_FAINT_CANNY, _FAINT_SOFTNESS_PX = (4, 12), 2.0
"""For a step of a dozen levels, as of a white card on a white table; twice the blur keeps noise and weave down."""
_MOST_LINES = 20
_LEAST_LENGTH_SHARE = 0.06
_LEAST_AREA_SHARE = 0.015
_NEAR_PX = 2.0
_LEAST_SEEN, _FAINT_LEAST_SEEN = 0.55, 0.35
_LARGEST_SIDE_PX = 1600.0
_LEAST_SD_PX = 0.02
_LARGEST_SPREAD_PX = 0.8
_FINE_REACH_PX, _EVERY = 5.0, 3
"""Wider looks only bring a side near, and see every third place along it."""


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
    seen: Matrix
    rms_px: float


def find_quads(
    pixels: NDArray[np.uint8], *, aspects: tuple[float, float], most: int, faint: bool = False
) -> list[Points]:
    """Guess four-sided outlines.

    Parameters
    ----------
    pixels : uint8 (M, N, 3), RGB
    aspects : (float, float)
        Least and largest ratio of the longer to the shorter pair of sides.
    most : int
    faint : bool
        Look for borders of little contrast too.

    Returns
    -------
    list of float64 (4, 2)
        Clockwise as seen, best supported first, px.
    """
    scale = min(1.0, _LONG_SIDE_PX / max(pixels.shape[:2]))
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else pixels
    edges = _edges(small, faint=faint)
    lines = _lines(edges)
    size = (small.shape[1], small.shape[0])
    quads = _plausible(np.concatenate([_crossings(lines), _closed(edges)]), size, aspects)
    if not len(quads):
        return []
    seen = _seen(quads, edges)
    score = seen.min(axis=1) + 0.5 * seen.mean(axis=1)
    order = np.argsort(-score, kind="stable")
    kept: list[Points] = []
    for i in order[:200]:
        if seen[i].min() < (_FAINT_LEAST_SEEN if faint else _LEAST_SEEN) or len(kept) == most:
            break
        if all(np.abs(quads[i] - k).max() > 0.02 * _LONG_SIDE_PX for k in kept):
            kept.append(quads[i])
    return [(quad + 0.5) / scale - 0.5 for quad in kept]


def _edges(pixels: NDArray[np.uint8], *, faint: bool) -> NDArray[np.uint8]:
    softness_px, limits = (_FAINT_SOFTNESS_PX, _FAINT_CANNY) if faint else (_SOFTNESS_PX, _CANNY)
    soft = cv2.GaussianBlur(pixels, (0, 0), softness_px)
    dx, dy = (cv2.Sobel(soft, cv2.CV_16S, a, b) for a, b in ((1, 0), (0, 1)))
    most = (np.abs(dx).astype(np.int32) + np.abs(dy)).argmax(axis=2)[..., None]
    across, down = (np.take_along_axis(d, most, 2)[..., 0].copy() for d in (dx, dy))
    return np.asarray(cv2.Canny(across, down, *limits, L2gradient=True), dtype=np.uint8)


def _lines(edges: NDArray[np.uint8]) -> Matrix:
    """Return lines (L, 3) as a, b, c with ax + by = c and a² + b² = 1, those with most edge along them first."""
    least = _LEAST_LENGTH_SHARE * max(edges.shape)
    found = cv2.HoughLinesP(edges, 1, np.pi / 360, 30, minLineLength=least, maxLineGap=least / 3)
    if found is None:
        return np.empty((0, 3))
    segments = np.asarray(found, dtype=np.float64).reshape(-1, 4)
    along = segments[:, 2:] - segments[:, :2]
    lengths = np.hypot(*along.T)
    normals = np.column_stack([-along[:, 1], along[:, 0]]) / lengths[:, None]
    free = np.argsort(-lengths, kind="stable")
    lines: list[tuple[float, ...]] = []
    while len(free) and len(lines) < _MOST_LINES:
        first = free[0]
        off = [np.abs((segments[free, k : k + 2] - segments[first, :2]) @ normals[first]) for k in (0, 2)]
        same = (np.maximum(*off) < 3.0) & (np.abs(normals[free] @ normals[first]) > 0.995)
        lines.append((float(lengths[free[same]].sum()), *normals[first], segments[first, :2] @ normals[first]))
        free = free[~same]
    return np.array(sorted(lines, reverse=True))[:, 1:]


def _crossings(lines: Matrix) -> Matrix:
    """Return outlines (Q, 4, 2) of two pairs of nearly parallel lines."""
    pairs = [(i, j) for i, j in combinations(range(len(lines)), 2) if abs(lines[i, :2] @ lines[j, :2]) > 0.9]
    picks = [
        (*p, *q)
        for p, q in combinations(pairs, 2)
        if not set(p) & set(q) and abs(lines[p[0], :2] @ lines[q[0], :2]) < 0.6
    ]
    if not picks:
        return np.empty((0, 4, 2))
    index = np.array(picks)
    order = ((0, 2), (1, 2), (1, 3), (0, 3))
    return np.stack([_meet(lines[index[:, a]], lines[index[:, b]]) for a, b in order], axis=1)


def _closed(edges: NDArray[np.uint8]) -> Matrix:
    """Return outlines (Q, 4, 2) of closed chains of edge: of a thing on a plain ground, whatever else is about."""
    joined = cv2.dilate(edges, np.ones((3, 3), np.uint8))
    quads = []
    for contour in cv2.findContours(joined, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)[0]:
        if len(contour) < 4 * _LEAST_LENGTH_SHARE * max(edges.shape):
            continue
        hull = cv2.convexHull(contour)
        for share in (0.02, 0.035, 0.05):
            polygon = cv2.approxPolyDP(hull, share * cv2.arcLength(hull, True), True).reshape(-1, 2)
            if len(polygon) == 4:
                quads.append(polygon.astype(np.float64))
                break
    return np.array(quads).reshape(-1, 4, 2)


def _plausible(quads: Matrix, size: tuple[int, int], aspects: tuple[float, float]) -> Matrix:
    """Turn outlines clockwise and keep those of the right size and proportions that lie on the photo."""
    x, y = quads[..., 0], quads[..., 1]
    area = np.sum(x * np.roll(y, -1, axis=1) - np.roll(x, -1, axis=1) * y, axis=1) / 2
    quads = np.where((area > 0)[:, None, None], quads, quads[:, ::-1])
    sides = np.hypot(*np.moveaxis(np.roll(quads, -1, axis=1) - quads, 2, 0))
    ratio = (sides[:, 0] + sides[:, 2]) / np.maximum(sides[:, 1] + sides[:, 3], 1e-9)
    ratio = np.maximum(ratio, 1 / np.maximum(ratio, 1e-9))
    low, high = -0.03 * max(size), np.array(size) + 0.03 * max(size)
    inside = (quads > low).all(axis=(1, 2)) & (quads < high).all(axis=(1, 2))
    large = np.abs(area) > _LEAST_AREA_SHARE * size[0] * size[1]
    return np.asarray(quads[inside & large & (ratio > aspects[0]) & (ratio < aspects[1])])


def _meet(first: Matrix, second: Matrix) -> Matrix:
    """Return where lines (K, 3) cross, (K, 2)."""
    det = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    det = np.where(np.abs(det) < 1e-9, 1e-9, det)
    x = (first[:, 2] * second[:, 1] - second[:, 2] * first[:, 1]) / det
    y = (first[:, 0] * second[:, 2] - second[:, 0] * first[:, 2]) / det
    return np.column_stack([x, y])


def _seen(quads: Matrix, edges: NDArray[np.uint8]) -> Matrix:
    """Return the share of each side (Q, 4) along which there is an edge."""
    away = cv2.distanceTransform(255 - edges, cv2.DIST_L2, 3)
    t = np.linspace(0.09, 0.91, 28)[:, None]
    starts, ends = quads, np.roll(quads, -1, axis=1)
    at = np.rint(starts[:, :, None] + (ends - starts)[:, :, None] * t).astype(int)
    rows, cols = np.clip(at[..., 1], 0, edges.shape[0] - 1), np.clip(at[..., 0], 0, edges.shape[1] - 1)
    return np.asarray((away[rows, cols] <= _NEAR_PX).mean(axis=2))


def fit_quad(pixels: NDArray[np.uint8], guess: Points, *, trim: tuple[float, float]) -> Quad | None:
    """Fit the four sides at full resolution, in linear light.

    Parameters
    ----------
    pixels : uint8 (M, N, 3), RGB
    guess : float64 (4, 2)
        Clockwise as seen, within some pixels of the shrunken photo.
    trim : (float, float)
        Share of the longer and of the shorter sides left out at either end (rounded corners).

    Returns
    -------
    Quad or None
        None where a side is not seen along a third of its length.
    """
    light, origin, scale = _patch(pixels, guess)
    corners = (guess - origin + 0.5) * scale - 0.5
    start_reach = float(np.clip(0.02 * np.ptp(corners, axis=0).max(), 6, 16))
    ends = np.roll(corners, -1, axis=0)
    mixes = [_told_apart(light, a, b, start_reach) for a, b in zip(corners, ends, strict=True)]
    for reach in (start_reach, 0.6 * start_reach, _FINE_REACH_PX, 4.0, 4.0):
        fits = _fit_sides(light, mixes, corners, reach, trim)
        if fits is None:
            return None
        corners = _corners(np.stack([fit[0] for fit in fits]))
    assert fits is not None
    lines, covariances = np.stack([fit[0] for fit in fits]), [fit[1] for fit in fits]
    covariance = _propagated(lines, covariances)
    seen = np.array([fit[2] for fit in fits])
    rms = float(np.sqrt(np.mean([fit[3] ** 2 for fit in fits])))
    return Quad((corners + 0.5) / scale - 0.5 + origin, covariance / scale**2, seen, rms / scale)


def _patch(pixels: NDArray[np.uint8], guess: Points) -> tuple[NDArray[np.float32], Points, float]:
    size = np.ptp(guess, axis=0).max()
    low = np.maximum(np.floor(guess.min(axis=0) - 0.05 * size - 12), 0).astype(int)
    high = np.minimum(np.ceil(guess.max(axis=0) + 0.05 * size + 12), [pixels.shape[1], pixels.shape[0]]).astype(int)
    factor = max(int(size // _LARGEST_SIDE_PX), 1)
    high = low + np.maximum((high - low) // factor, 1) * factor
    light = cv2.LUT(np.ascontiguousarray(pixels[low[1] : high[1], low[0] : high[0]]), SRGB_TO_LINEAR)
    if factor > 1:
        light = cv2.resize(light, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
    return light, low.astype(np.float64), 1 / factor


_Side = tuple[Matrix, Matrix, float, float]


def _fit_sides(
    light: NDArray[np.float32], mixes: list[Matrix], corners: Points, reach_px: float, trim: tuple[float, float]
) -> list[_Side] | None:
    ends = np.roll(corners, -1, axis=0)
    lengths = np.hypot(*(ends - corners).T)
    long_first = lengths[0] + lengths[2] >= lengths[1] + lengths[3]
    fits = []
    for k in range(4):
        cut = trim[0] if (k % 2 == 0) == long_first else trim[1]
        fit = _fit_side(light, mixes[k], corners[k], ends[k], reach_px, cut)
        if fit is None:
            return None
        fits.append(fit)
    return fits


def _fit_side(
    light: NDArray[np.float32], mix: Matrix, start: Points, end: Points, reach_px: float, trim: float
) -> _Side | None:
    """Fit one side: line (normal angle and offset about the side's middle), covariance, share seen, rms."""
    along = (end - start) / np.hypot(*(end - start))
    outwards = np.array([along[1], -along[0]])
    length = float(np.hypot(*(end - start)))
    n = int(np.clip(length / 8, 16, 120))
    if reach_px > _FINE_REACH_PX:
        n = max(n // _EVERY, 16)
    at = start + (end - start) * (trim + (1 - 2 * trim) * (np.arange(n)[:, None] + 0.5) / n)
    half = along * (length * (1 - 2 * trim) / n / 2)
    normals = np.broadcast_to(outwards, at.shape)
    offsets, steps = edge_offsets(light, at - half, at + half, normals, reach_px=reach_px, mix=mix)
    seen = np.isfinite(offsets)
    if seen.sum() < max(n / 3, 8):
        return None
    seen &= steps > 0.2 * float(np.median(steps[seen]))
    place = ((at - (start + end) / 2) @ along) / (length / 2)
    solved = _robust_line(place, np.where(seen, offsets, 0.0), seen)
    if solved is None:
        return None
    (shift, slope), covariance, weights, rms = solved
    tilt = slope / (length / 2)
    normal = (outwards - tilt * along) / np.hypot(1, tilt)
    line = np.array([*normal, normal @ ((start + end) / 2 + shift * outwards)])
    # From offset and slope at the middle to the line's angle and its offset there.
    turn = np.diag([1.0, 2 / length])
    return line, turn @ covariance @ turn, float(np.mean(weights > 0.3)), rms


def _told_apart(light: NDArray[np.float32], start: Points, end: Points, reach_px: float) -> Matrix:
    """Return the mix of channels (3,) that differs most across a side, brighter outside."""
    along = (end - start) / np.hypot(*(end - start))
    outwards = np.array([along[1], -along[0]])
    at = start + (end - start) * np.linspace(0.1, 0.9, 60)[:, None]
    rings = []
    for side in (-1, 1):
        where = (at + side * 0.8 * reach_px * outwards)[None].astype(np.float32)
        seen = cv2.remap(light, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        rings.append(np.median(seen.reshape(-1, 3), axis=0))
    apart = rings[1] - rings[0]
    return np.asarray(apart / max(float(np.abs(apart).sum()), 1e-6), dtype=np.float64)


def _robust_line(
    place: Matrix, offsets: Matrix, seen: NDArray[np.bool_]
) -> tuple[Matrix, Matrix, Matrix, float] | None:
    """Tukey-weighted straight line through offsets; the start is Theil's median slope, so a bump cannot take it."""
    design = np.column_stack([np.ones_like(place), place])
    i, j = np.triu_indices(int(seen.sum()), 4)
    p, o = place[seen], offsets[seen]
    slope = float(np.median((o[j] - o[i]) / (p[j] - p[i])))
    solution = np.array([float(np.median(o - slope * p)), slope])
    for _ in range(8):
        residuals = offsets - design @ solution
        spread = float(np.clip(1.4826 * np.median(np.abs(residuals[seen])), _LEAST_SD_PX, _LARGEST_SPREAD_PX))
        weights = np.where(seen, np.clip(1 - (residuals / (4.685 * spread)) ** 2, 0, None) ** 2, 0.0)
        normal = (design.T * weights) @ design
        if np.linalg.det(normal) < 1e-9:
            return None
        solution = np.linalg.solve(normal, (design.T * weights) @ offsets)
    if weights.sum() < 6:
        return None
    variance = float(np.sum(weights * residuals**2) / max(weights.sum() - 2, 3)) + _LEAST_SD_PX**2
    # Neighbouring profiles share the errors of print and relief: a side of 60 counts as some 15.
    return solution, np.linalg.inv(normal) * variance * 4, weights, float(np.sqrt(variance))


def _corners(lines: Matrix) -> Points:
    """Return the corners (4, 2): corner k is where side k-1 meets side k."""
    return _meet(np.roll(lines, 1, axis=0), lines)


def _propagated(lines: Matrix, covariances: list[Matrix]) -> Matrix:
    """Return the corners' covariance from each side's (offset, turn) about its own middle."""
    corners = _corners(lines)
    middles = (corners + np.roll(corners, -1, axis=0)) / 2
    out = np.zeros((8, 8))
    for k in range(4):
        jacobian = np.empty((8, 2))
        for m, (shift, angle) in enumerate(((1e-3, 0.0), (0.0, 1e-6))):
            moved = lines.copy()
            a, b = lines[k, :2]
            moved[k, :2] = [a + angle * b, b - angle * a]
            moved[k, 2] = moved[k, :2] @ middles[k] + shift
            jacobian[:, m] = (_corners(moved) - corners).ravel() / (shift + angle)
        out += jacobian @ covariances[k] @ jacobian.T
    return out
