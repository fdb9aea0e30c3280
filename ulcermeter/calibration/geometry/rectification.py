"""See a window of the reference's plane square on."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Box, Calibration, Photo, Points, RectifiedPhoto
from ulcermeter.datatypes.arrays import Floats
from ulcermeter.errors import Problem, Refusal

__all__ = ["MAX_RECTIFIED_MEGAPIXELS", "rectify"]

MAX_RECTIFIED_MEGAPIXELS = 40
"""Largest rectified window, million pixels: beyond it the spacing is finer than the photo or the window too wide."""
MAX_RECTIFIED_SIDE_PX = 32_000
"""Longest side of a rectified window, and of the part of the photo that it is taken from: OpenCV resamples no longer
ones (32,767)."""
_GRID_STEP = 16
"""Between nodes that are mapped exactly, px of the result."""
_EDGE_POINTS = 17
"""Of each edge of a window, through a lens that bends it: between them lies less than a pixel (assumption)."""
_LEAST_DEPTH_SHARE = 0.05
"""Of a window's farthest part: one twenty times as far away as another shows no skin any more (assumption)."""
_MARGIN_PX = 8
"""Of the photo round what is resampled: the reach of the smoothing before it."""
_UNSMOOTHED = 1.2
"""Photo pixels to a new one up to which bilinear resampling smooths enough (assumption)."""
_SMOOTHING = 0.5
"""Sd of the smoothing, over the root of what is missing to a new pixel's own: about its box's .29 on either side."""


def rectify(photo: Photo, calibration: Calibration, *, spacing_mm: float, window: Box | None = None) -> RectifiedPhoto:
    """Resample a window of the photo so that a pixel is a square of one size in the reference's plane.

    Bilinear; where the result is coarser than the photo, the photo is first averaged over the size of a new pixel.
    What lies outside the photo is black.

    Parameters
    ----------
    photo : Photo
    calibration : Calibration
        Of the same photo.
    spacing_mm : float
        Millimetres per pixel of the result.
    window : (x, y, width, height) or None
        Photo pixels; None takes the whole photo. The result holds all of it.

    Returns
    -------
    RectifiedPhoto

    Raises
    ------
    Refusal
        A spacing that is not positive; a window outside the photo; one that reaches past the plane's horizon; a
        result of more than `MAX_RECTIFIED_MEGAPIXELS` or a longer side than `MAX_RECTIFIED_SIDE_PX`.
    """
    if not (math.isfinite(spacing_mm) and spacing_mm > 0):
        raise Refusal(
            Problem(
                where="spacing_mm",
                expected="millimetres per pixel above 0",
                got=str(spacing_mm),
                action="give one, for example 0.05",
            )
        )
    left, top, right, bottom = _bounds(photo, window)
    low, high = _plane_box(calibration, (left, top, right, bottom))
    shape = _bounded_shape(high - low, spacing_mm)
    origin_mm = (float(low[0]), float(low[1]))
    nodes = _nodes_on_photo(calibration, origin_mm, spacing_mm, shape)
    pixels = _sample(photo.pixels, nodes, shape)
    return RectifiedPhoto(pixels, float(spacing_mm), origin_mm, calibration, photo)


def _bounded_shape(size_mm: Points, spacing_mm: float) -> tuple[int, int]:
    """Return rows and columns of a window (width, height) in mm; refuse it where it is too large, before it is made."""
    cols, rows = (float(np.ceil(length / spacing_mm)) + 1 for length in size_mm)
    # Written so that not-a-number and infinity, as a plane that degenerates gives them, are refused too.
    if not (rows * cols <= MAX_RECTIFIED_MEGAPIXELS * 1e6 and max(rows, cols) <= MAX_RECTIFIED_SIDE_PX):
        raise Refusal(
            Problem(
                where="rectified photo",
                expected=f"at most {MAX_RECTIFIED_MEGAPIXELS} megapixels and {MAX_RECTIFIED_SIDE_PX} px a side",
                got=f"{cols:.0f} × {rows:.0f} px at {spacing_mm:g} mm",
                action="give a smaller window round the ulcer, or a larger spacing",
            )
        )
    return int(rows), int(cols)


def _bounds(photo: Photo, window: Box | None) -> tuple[float, float, float, float]:
    """Return left, top, right, bottom of the window on the photo, in pixel centres."""
    rows, cols = photo.pixels.shape[:2]
    if window is None:
        return 0.0, 0.0, cols - 1.0, rows - 1.0
    x, y, width, height = window
    left, top = max(x, 0.0), max(y, 0.0)
    right, bottom = min(x + width, cols - 1.0), min(y + height, rows - 1.0)
    if not (right - left >= 1 and bottom - top >= 1):
        raise Refusal(
            Problem(
                where="window",
                expected=f"x, y, width, height inside the photo of {cols} × {rows} px",
                got=f"{x:g}, {y:g}, {width:g}, {height:g}",
                action="give photo pixels",
            )
        )
    return left, top, right, bottom


def _plane_box(calibration: Calibration, bounds: tuple[float, float, float, float]) -> tuple[Points, Points]:
    """Return the smallest box in plane mm round a window on the photo."""
    left, top, right, bottom = bounds
    t = np.linspace(0, 1, _EDGE_POINTS)[:, None]
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    outline = np.vstack([a + (b - a) * t for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True)])
    straight = calibration.undistorted(outline)
    depth = np.column_stack([straight, np.ones(len(straight))]) @ calibration.pixel_to_mm[2]
    if depth.min() <= 0 <= depth.max() or np.abs(depth).min() < _LEAST_DEPTH_SHARE * np.abs(depth).max():
        raise Refusal(
            Problem(
                where="window",
                expected="a part of the photo that lies in the reference's plane",
                got="one that reaches to the plane's horizon",
                action="give a window round the ulcer, or hold the phone parallel to the reference",
            )
        )
    plane = calibration.to_mm(outline)
    return plane.min(axis=0), plane.max(axis=0)


def _nodes_on_photo(
    calibration: Calibration, origin_mm: tuple[float, float], spacing_mm: float, shape: tuple[int, int]
) -> Floats:
    """Return photo x, y (m, n, 2) on a coarse grid over the result, one node round it on every side.

    The nodes lie where `cv2.resize` takes the middle of its blocks to be; between them, bilinear is exact to 0.01 px.
    """
    rows, cols = (np.arange(-1, n // _GRID_STEP + 2) * _GRID_STEP + (_GRID_STEP - 1) / 2 for n in shape)
    x, y = np.meshgrid(cols, rows)
    plane = np.column_stack([x.ravel(), y.ravel()]) * spacing_mm + np.asarray(origin_mm)
    return calibration.to_px(plane).reshape(*x.shape, 2)


def _between_nodes(nodes: Floats, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return photo x, y (M, N, 2) of every pixel of the result."""
    size = (nodes.shape[1] * _GRID_STEP, nodes.shape[0] * _GRID_STEP)
    fine = cv2.resize(nodes.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(fine[_GRID_STEP : _GRID_STEP + shape[0], _GRID_STEP : _GRID_STEP + shape[1]])


def _minification(nodes: Floats) -> float:
    """Return how many photo pixels one new pixel spans, in the middle of the window."""
    row, col = (n // 2 for n in nodes.shape[:2])
    step_x, step_y = nodes[row, col] - nodes[row, col - 1], nodes[row, col] - nodes[row - 1, col]
    return float(np.sqrt(abs(step_x[0] * step_y[1] - step_x[1] * step_y[0]))) / _GRID_STEP


def _sample(pixels: NDArray[np.uint8], nodes: Floats, shape: tuple[int, int]) -> NDArray[np.uint8]:
    cols_rows = np.array([pixels.shape[1], pixels.shape[0]])
    low = np.clip(np.floor(nodes.min(axis=(0, 1))) - _MARGIN_PX, 0, cols_rows - 1).astype(int)
    high = np.clip(np.ceil(nodes.max(axis=(0, 1))) + _MARGIN_PX + 1, low + 1, cols_rows).astype(int)
    if (high - low).max() > MAX_RECTIFIED_SIDE_PX:
        raise Refusal(
            Problem(
                where="rectified photo",
                expected=f"a part of the photo of at most {MAX_RECTIFIED_SIDE_PX} px a side",
                got=f"{high[0] - low[0]} × {high[1] - low[1]} px",
                action="give a smaller window round the ulcer",
            )
        )
    patch, nodes = pixels[low[1] : high[1], low[0] : high[0]], nodes - low
    minified = _minification(nodes)
    whole = max(int(minified), 1)
    if whole > 1:
        size = np.maximum((high - low) // whole, 1)
        patch = cv2.resize(patch, (int(size[0]), int(size[1])), interpolation=cv2.INTER_AREA)
        nodes = (nodes + 0.5) * (size / (high - low)) - 0.5
    rest = minified / whole
    if rest > _UNSMOOTHED:
        patch = cv2.GaussianBlur(patch, (0, 0), _SMOOTHING * math.sqrt(rest**2 - 1))
    where, patch = _between_nodes(nodes, shape), np.ascontiguousarray(patch)
    return np.asarray(
        cv2.remap(patch, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(0, 0, 0))
    )
