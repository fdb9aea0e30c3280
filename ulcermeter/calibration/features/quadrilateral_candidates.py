"""Four-sided outlines guessed on a shrunken photo: crossings of straight lines, and closed chains of edge."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.calibration.features.quadrilateral_fit import crossing
from ulcermeter.datatypes import Points
from ulcermeter.datatypes.arrays import Matrix
from ulcermeter.geometry import shrunken

__all__ = ["find_quads"]

_LONG_SIDE_PX = 640
"""Of the shrunken photo: a card is then some 200 px long and its print thin."""
_CANNY, _SOFTNESS_PX = (30, 90), 1.0
"""Weak and strong edges, levels of a Sobel gradient, after a blur of this sd (assumption)."""
_FAINT_CANNY, _FAINT_SOFTNESS_PX = (4, 12), 2.0
"""For a step of a dozen levels, as of a white card on a white table; twice the blur keeps noise and weave down."""
_MOST_LINES = 30
"""Of the whole photo that are crossed: pairs of pairs grow with the fourth power (assumption)."""
_MOST_COMPONENTS, _MOST_LINES_OF_COMPONENT = 10, 16
"""Connected webs of edge whose own lines are crossed, and how many of each."""
_LEAST_CHAIN_PX = 8
"""Shorter chains of edge are weave, pores and noise."""
_LEAST_LENGTH_SHARE = 0.06
"""Of a side, over the photo's longer one: 240 px of 4000 (assumption)."""
_LEAST_AREA_SHARE = 0.015
"""Of an outline, over the photo's: a card of that share has 6 px/mm on a photo of 12 megapixels (assumption)."""
_NEAR_PX = 2.0
"""An edge this near to a side supports it: lines are found to a pixel or two."""
_APART_PX = 4.0
"""Of two guesses, on the shrunken photo: lines nearer than 3 px are one line."""
_LEAST_VISIBLE, _FAINT_LEAST_VISIBLE = 0.55, 0.35
"""Share of a side along which there is an edge: a finger may cover the rest, a faint border has gaps (assumption)."""
_MEAN_COUNTS = 0.5
"""Weight of the mean share of all sides beside the least, and beside how far an outline is off, when outlines are put
in order (assumption)."""
_TURN_RAD, _LEAST_VOTES, _LARGEST_GAP_PX = np.pi / 360, 0.8, 12.0
"""Of Hough's lines: half a degree apart, edge under that share of their length, gaps in it as of a finger's edge."""
_SAME_LINE_PX, _SAME_TURN = 3.0, 0.995
"""Stretches whose ends lie nearer to a line, and the cosine of whose turn from it is larger, are that line's."""
_PARALLEL, _CROSSING = 0.9, 0.6
"""Cosines of the angle of opposite sides, at least (26 degrees), and of neighbours, at most (53): more than a gate's
tilt makes of a rectangle (assumption)."""
_CORNER_SHARES = (0.02, 0.035, 0.05)
"""How far a closed chain may lie off four sides, over its length: rounded corners take the larger ones (assumption)."""
_BEYOND = 0.03
"""How far beyond the photo a corner may be guessed, over the longer side (assumption)."""
_ALONG = np.linspace(0.09, 0.91, 28)[:, None]
"""Where along a side edges are looked for: clear of rounded corners, about every 7 px of the shrunken photo."""


def find_quads(
    pixels: NDArray[np.uint8], *, skew_of: Callable[[Matrix], Matrix], most: int, faint: bool = False
) -> list[Points]:
    """Guess four-sided outlines.

    Parameters
    ----------
    pixels : uint8 (M, N, 3), RGB
    skew_of : callable
        Returns for outlines (Q, 4, 2), px, by how much each is no picture of what is looked for, (Q,); 0 for a perfect
        one, infinite for what is not to be guessed.
    most : int
    faint : bool
        Look for borders of little contrast too.

    Returns
    -------
    list of float64 (4, 2)
        Clockwise as seen, best supported first, px.
    """
    scale = min(1.0, _LONG_SIDE_PX / max(pixels.shape[:2]))
    # A faint edge is gone once it was rounded twice.
    size = (round(scale * pixels.shape[1]), round(scale * pixels.shape[0]))
    small = shrunken(pixels, size, at_once=faint)
    edges = _edges(small, faint=faint)
    least = _LEAST_LENGTH_SHARE * max(edges.shape)
    lines = [_lines(edges, least=least, most=_MOST_LINES), *_lines_of_components(edges)]
    quads = np.concatenate([_closed(edges), *map(_crossings, lines)])
    quads = _plausible(quads, (small.shape[1], small.shape[0]))
    off = skew_of((quads + 0.5) / scale - 0.5)
    quads, off = quads[np.isfinite(off)], off[np.isfinite(off)]
    if not len(quads):
        return []
    visible = _visible_shares(quads, edges)
    order = np.argsort(off - visible.min(axis=1) - _MEAN_COUNTS * visible.mean(axis=1), kind="stable")
    order = order[visible[order].min(axis=1) >= (_FAINT_LEAST_VISIBLE if faint else _LEAST_VISIBLE)]
    return [(quad + 0.5) / scale - 0.5 for quad in _distinct(quads[order], most)]


def _distinct(quads: Matrix, most: int) -> list[Points]:
    """Return the first outlines that differ from all before them, whichever corner they begin with."""
    kept: list[Points] = []
    while len(quads) and len(kept) < most:
        kept.append(quads[0])
        apart = [np.abs(np.roll(quads, k, axis=1) - quads[0]).max(axis=(1, 2)) for k in range(4)]
        quads = quads[np.min(apart, axis=0) > _APART_PX]
    return kept


def _edges(pixels: NDArray[np.uint8], *, faint: bool) -> NDArray[np.uint8]:
    softness_px, limits = (_FAINT_SOFTNESS_PX, _FAINT_CANNY) if faint else (_SOFTNESS_PX, _CANNY)
    soft = cv2.GaussianBlur(pixels, (0, 0), softness_px)
    dx, dy = (cv2.Sobel(soft, cv2.CV_16S, a, b) for a, b in ((1, 0), (0, 1)))
    most = (np.abs(dx).astype(np.int32) + np.abs(dy)).argmax(axis=2)[..., None]
    dx_most, dy_most = (np.take_along_axis(d, most, 2)[..., 0].copy() for d in (dx, dy))
    edges = np.asarray(cv2.Canny(dx_most, dy_most, *limits, L2gradient=True), dtype=np.uint8)
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(edges)
    return np.where(boxes[:, 2:4].max(axis=1)[labels] >= _LEAST_CHAIN_PX, edges, 0).astype(np.uint8)


def _lines_of_components(edges: NDArray[np.uint8]) -> list[Matrix]:
    """Return the lines of each of the largest connected webs of edge: of a thing beside wood, cloth or skin."""
    joined = cv2.dilate(edges, np.ones((3, 3), np.uint8))
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(joined)
    order = np.argsort(-boxes[:, 2:4].sum(axis=1), kind="stable")[: _MOST_COMPONENTS + 1]
    least, components = _LEAST_LENGTH_SHARE * max(edges.shape), []
    for k in order:
        x, y, width, height = boxes[k, :4]
        if k == 0 or min(width, height) < least:
            continue
        part = (slice(y, y + height), slice(x, x + width))
        lines = _lines(
            np.where(labels[part] == k, edges[part], 0).astype(np.uint8), least=least / 2, most=_MOST_LINES_OF_COMPONENT
        )
        if len(lines):
            components.append(lines + np.outer(lines[:, :2] @ [x, y], [0, 0, 1]))
    return components


def _lines(edges: NDArray[np.uint8], *, least: float, most: int) -> Matrix:
    """Return lines (L, 3) as a, b, c with ax + by = c and a² + b² = 1, those with most edge along them first."""
    votes = int(_LEAST_VOTES * least)
    found = cv2.HoughLinesP(edges, 1, _TURN_RAD, votes, minLineLength=least, maxLineGap=_LARGEST_GAP_PX)
    if found is None:
        return np.empty((0, 3))
    segments = np.asarray(found, dtype=np.float64).reshape(-1, 4)
    along = segments[:, 2:] - segments[:, :2]
    lengths = np.hypot(*along.T)
    normals = np.column_stack([-along[:, 1], along[:, 0]]) / lengths[:, None]
    free = np.argsort(-lengths, kind="stable")
    lines: list[tuple[float, ...]] = []
    while len(free) and len(lines) < most:
        first = free[0]
        off = [np.abs((segments[free, k : k + 2] - segments[first, :2]) @ normals[first]) for k in (0, 2)]
        same = (np.maximum(*off) < _SAME_LINE_PX) & (np.abs(normals[free] @ normals[first]) > _SAME_TURN)
        lines.append((float(lengths[free[same]].sum()), *normals[first], segments[first, :2] @ normals[first]))
        free = free[~same]
    return np.array(sorted(lines, reverse=True))[:, 1:]


def _crossings(lines: Matrix) -> Matrix:
    """Return outlines (Q, 4, 2) of two pairs of nearly parallel lines."""
    if len(lines) < 4:
        return np.empty((0, 4, 2))
    i, j = np.triu_indices(len(lines), 1)
    along = np.abs(lines[:, :2] @ lines[:, :2].T)
    i, j = i[along[i, j] > _PARALLEL], j[along[i, j] > _PARALLEL]
    p, q = np.nonzero(np.triu(along[np.ix_(i, i)] < _CROSSING, 1))
    sides = [lines[k] for k in (i[p], j[p], i[q], j[q])]
    return np.stack([crossing(sides[a], sides[b]) for a, b in ((0, 2), (1, 2), (1, 3), (0, 3))], axis=1)


def _closed(edges: NDArray[np.uint8]) -> Matrix:
    """Return outlines (Q, 4, 2) of closed chains of edge: of a thing on a plain ground, whatever else is about."""
    joined = cv2.dilate(edges, np.ones((3, 3), np.uint8))
    quads = []
    for contour in cv2.findContours(joined, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)[0]:
        if len(contour) < 4 * _LEAST_LENGTH_SHARE * max(edges.shape):
            continue
        hull = cv2.convexHull(contour)
        for share in _CORNER_SHARES:
            polygon = cv2.approxPolyDP(hull, share * cv2.arcLength(hull, True), True).reshape(-1, 2)
            if len(polygon) == 4:
                quads.append(polygon.astype(np.float64))
                break
    return np.array(quads).reshape(-1, 4, 2)


def _plausible(quads: Matrix, size: tuple[int, int]) -> Matrix:
    """Turn outlines clockwise and keep the convex ones of the right size that lie on the photo."""
    low, high = -_BEYOND * max(size), np.array(size) + _BEYOND * max(size)
    quads = quads[(quads > low).all(axis=(1, 2)) & (quads < high).all(axis=(1, 2))]
    ahead = np.roll(quads, -1, axis=1) - quads
    behind = np.roll(ahead, 1, axis=1)
    turns = behind[..., 0] * ahead[..., 1] - behind[..., 1] * ahead[..., 0]
    clockwise = np.all(turns > 0, axis=1, keepdims=True)[..., None]
    quads = np.where(clockwise, quads, quads[:, ::-1])
    x, y = quads[..., 0], quads[..., 1]
    area = np.sum(x * np.roll(y, -1, axis=1) - np.roll(x, -1, axis=1) * y, axis=1) / 2
    convex = (turns > 0).all(axis=1) | (turns < 0).all(axis=1)
    return np.asarray(quads[convex & (area > _LEAST_AREA_SHARE * size[0] * size[1])])


def _visible_shares(quads: Matrix, edges: NDArray[np.uint8]) -> Matrix:
    """Return the share of each side (Q, 4) along which there is an edge."""
    away = cv2.distanceTransform(255 - edges, cv2.DIST_L2, 3)
    starts, ends = quads, np.roll(quads, -1, axis=1)
    at = np.rint(starts[:, :, None] + (ends - starts)[:, :, None] * _ALONG).astype(int)
    rows, cols = np.clip(at[..., 1], 0, edges.shape[0] - 1), np.clip(at[..., 0], 0, edges.shape[1] - 1)
    return np.asarray((away[rows, cols] <= _NEAR_PX).mean(axis=2))
