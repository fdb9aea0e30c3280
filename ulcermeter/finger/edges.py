"""The finger's outline on the photo itself, to a tenth of a millimetre, once it is known where to look."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.finger.silhouette import Silhouette

__all__ = ["read_edges"]

Floats = NDArray[np.float64]

# Between places across the outline, a quarter of a photo's usual blur, and along it: three to each point (assumption).
_STEP_MM = 0.1
_TOGETHER = 3
_ALONG_MM = 1 / _TOGETHER
# Width of what is compared on either side of an edge, and of what is surely finger or ground before it is known.
_SIDE_MM, _SURE_MM = 0.8, 0.8
# Points of the outline, a millimetre apart, that share finger's and ground's colours: light and shadow change along.
_PIECE = 12
# Share of the full step from finger to ground that an edge must have: assumption.
_LEAST_STEP = 0.5
# Squared Mahalanobis distance between finger and ground from which they differ at all: assumption.
_LEAST_APART = 0.5
# Added to L* (0..100) under a colour: in the dark a* and b* are noise, and must not count for a colour (assumption).
_LIGHTNESS = 12
# Between which a reading of finger (1) or ground (0) is kept: glare and dirt say no more than that.
_READINGS = (-0.5, 1.5)
# Of a full step, what an edge at the end of the reach must have more than one in its middle (assumption).
_FAR_COSTS = 0.1


def read_edges(
    pixels: NDArray[np.uint8],
    to_px: Callable[[Floats], Floats],
    hidden: Callable[[Floats], NDArray[np.bool_]],
    outline: Silhouette,
    *,
    shown_mm: float,
    reach_mm: float,
) -> tuple[Floats, float]:
    """Find the step from finger to ground across an outline that is known to `reach_mm`.

    Every millimetre the photo is read along the normal. What parts the colours well inside best from those well
    outside (Fisher's linear discriminant, by pieces of the outline) turns the reading into one number, so that a cast
    shadow's edge, of one colour on both sides, counts little; the edge is where that number steps most.

    Parameters
    ----------
    pixels : uint8 (M, N, 3)
    to_px : callable
        From the outline's frame, mm, to photo pixels, (K, 2) each.
    hidden : callable
        Which photo pixels (K, 2) show no finger and no ground: (K,).
    outline : Silhouette
    shown_mm : float
        How far from the tip the finger shows.
    reach_mm : float
        Where to look, on either side.

    Returns
    -------
    float64 (K, 2), float
        Edge points in the outline's frame; and their share of all places that show.
    """
    foot, normal = _places(outline, shown_mm)
    if len(foot) < _TOGETHER * _PIECE:
        return np.empty((0, 2)), 0.0
    offsets = np.arange(-reach_mm - _SIDE_MM, reach_mm + _SIDE_MM + _STEP_MM / 2, _STEP_MM)
    at = to_px((foot[:, None] + offsets[:, None] * normal[:, None]).reshape(-1, 2))
    open_ = ~hidden(at).reshape(-1, _TOGETHER * len(offsets)).any(axis=1)
    colours = _colours(pixels, at).reshape(-1, _TOGETHER, len(offsets), 3).mean(axis=1)
    middle, normal, colours = foot[1::_TOGETHER][open_], normal[1::_TOGETHER][open_], colours[open_]
    if len(middle) < _PIECE:
        return np.empty((0, 2)), 0.0
    moved, step = _steepest(_discriminant(colours, offsets), offsets, reach_mm)
    kept = step > _LEAST_STEP
    return (middle + moved[:, None] * normal)[kept], float(kept.mean())


def _places(outline: Silhouette, shown_mm: float) -> tuple[Floats, Floats]:
    """Return points of the outline a third of a millimetre apart, whole threes of them, and normals that look out."""
    line = outline.closed()
    line = line[np.concatenate([outline.along[::-1], outline.along]) <= shown_mm]
    way = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    count = int(way[-1] / _ALONG_MM) // _TOGETHER * _TOGETHER
    to = np.arange(count) * _ALONG_MM
    foot = np.column_stack([np.interp(to, way, line[:, 0]), np.interp(to, way, line[:, 1])])
    if count < _TOGETHER:
        return foot, foot
    ahead = np.gradient(foot, axis=0)
    normal = np.column_stack([-ahead[:, 1], ahead[:, 0]])
    return foot, normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)


def _colours(pixels: NDArray[np.uint8], at: Floats) -> Floats:
    """Return lightness and colour over lightness (K, 3) at photo pixels."""
    x, y = (np.ascontiguousarray(v, dtype=np.float32)[None] for v in at.T)
    observed = cv2.remap(pixels, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    lab = cv2.cvtColor(observed.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0].astype(np.float64)
    return np.column_stack([lab[:, 0], 100 * lab[:, 1:] / (lab[:, :1] + _LIGHTNESS)])


def _discriminant(colours: Floats, offsets: Floats) -> Floats:
    """Return one number (K, N) for colours (K, N, 3): about 1 well inside and 0 well outside."""
    inside, outside = offsets < -_SURE_MM, offsets > _SURE_MM
    found = np.empty(colours.shape[:2])
    pieces = max(1, round(len(colours) / _PIECE))
    for piece in np.array_split(np.arange(len(colours)), pieces):
        some = colours[piece]
        skin, ground = some[:, inside].reshape(-1, 3), some[:, outside].reshape(-1, 3)
        apart = skin.mean(axis=0) - ground.mean(axis=0)
        within = (np.cov(skin.T) + np.cov(ground.T)) / 2 + np.eye(3)
        weight = np.linalg.solve(within, apart)
        clear = float(apart @ weight)
        found[piece] = (some - ground.mean(axis=0)) @ weight / clear if clear > _LEAST_APART else 0.0
    found = np.clip(found, *_READINGS)
    padded = np.pad(found, ((1, 1), (0, 0)), mode="edge")
    return np.asarray((padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4)


def _steepest(values: Floats, offsets: Floats, reach_mm: float) -> tuple[Floats, Floats]:
    """Return where each row (K, N) falls most from what is before to what is after, and by how much."""
    width = round(_SIDE_MM / _STEP_MM)
    total = np.pad(np.cumsum(values, axis=1), ((0, 0), (1, 0)))
    mean = (total[:, width:] - total[:, :-width]) / width
    fall = mean[:, :-width] - mean[:, width:]
    # fall[:, k] compares samples k..k+width-1 with the next ones: it is between samples k+width-1 and k+width.
    at = offsets[width : width + fall.shape[1]] - _STEP_MM / 2
    best = np.argmax(fall - _FAR_COSTS * np.abs(at) / reach_mm, axis=1)
    best = np.clip(best, 1, fall.shape[1] - 2)
    rows = np.arange(len(fall))
    before, there, after = fall[rows, best - 1], fall[rows, best], fall[rows, best + 1]
    bend = before - 2 * there + after
    shift = np.where(bend < -1e-9, 0.5 * (before - after) / np.minimum(bend, -1e-9), 0.0)
    return at[best] + np.clip(shift, -1, 1) * _STEP_MM, there
