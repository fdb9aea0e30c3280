"""Find dark four-sided shapes on a bright ground: where a marker could be."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Points
from ulcermeter.geometry import area, shrunken, signed_area

__all__ = ["find_squares", "shrunken_grey"]

_WINDOWS_PX = (15, 51)
"""Of the local mean that a dark shape is held against: thin borders of small markers, broad ones of large."""
_DARKER = 7
"""Than that mean, 8-bit levels: above the noise of a phone, below the contrast of grey print (assumption)."""
_LEAST_SIDE_PX = 9.0
"""Six modules of 1.5 px: a smaller marker cannot be read."""
_LEAST_ROUND, _CORNER_SHARE = 3.5, 0.03
"""Pixels round a shape over the least side, less than 4 as a chain goes over corners; and how far it may lie off four
straight sides, over its length (assumption)."""
_LARGEST_RATIO = 4
"""Of the sides: a square tilted by 75 degrees has sides of 1 to 4."""
_SAME_CENTRE, _SAME_SIZE = 0.1, 1.15
"""Shapes whose middles lie nearer, over their size, and whose sizes are nearer are two edges of one (assumption)."""


def shrunken_grey(pixels: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Return the sRGB grey of a photo, averaged over blocks of pixels; odd ends are cut off.

    Parameters
    ----------
    pixels : uint8 (M, N, 3)
        RGB in sRGB.
    factor : int
        Side of a block, px.

    Returns
    -------
    uint8 (M // factor, N // factor)
        Rows downwards.
    """
    rows, cols = (n // factor * factor for n in pixels.shape[:2])
    if factor > 1:
        pixels = shrunken(pixels[:rows, :cols], (cols // factor, rows // factor))
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))


def find_squares(grey: NDArray[np.uint8]) -> list[Points]:
    """Return convex four-sided outlines of dark shapes.

    Parameters
    ----------
    grey : uint8 (M, N)
        sRGB grey.

    Returns
    -------
    list of float64 (4, 2)
        (x, y), px, clockwise as seen; largest first, of nearly equal ones only the outermost.
    """
    found: list[Points] = []
    for window in _WINDOWS_PX:
        dark = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, window, _DARKER)
        contours = cv2.findContours(_without_specks(dark), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)[0]
        found += [square for contour in contours if (square := _four_sided(contour)) is not None]
    return _outermost(found)


def _without_specks(dark: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Leave out what is too small for any four sides: noise and texture have tens of thousands of such parts."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    longer = stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(axis=1)
    kept = np.where(longer >= _LEAST_SIDE_PX / np.sqrt(2), 255, 0).astype(np.uint8)
    kept[0] = 0
    return np.asarray(kept[labels])


def _four_sided(contour: NDArray[np.int32]) -> Points | None:
    if len(contour) < _LEAST_ROUND * _LEAST_SIDE_PX:
        return None
    polygon = cv2.approxPolyDP(contour, _CORNER_SHARE * len(contour), True).reshape(-1, 2).astype(np.float64)
    if len(polygon) != 4 or not cv2.isContourConvex(polygon.astype(np.float32)):
        return None
    sides = np.hypot(*(np.roll(polygon, -1, axis=0) - polygon).T)
    if sides.min() < _LEAST_SIDE_PX or sides.max() > _LARGEST_RATIO * sides.min():
        return None
    return np.asarray(polygon if signed_area(polygon) > 0 else polygon[::-1].copy())


def _outermost(squares: list[Points]) -> list[Points]:
    kept: list[Points] = []
    for square in sorted(squares, key=area, reverse=True):
        size = np.sqrt(area(square))
        centre = square.mean(axis=0)
        duplicates = [
            np.hypot(*(centre - k.mean(axis=0))) < _SAME_CENTRE * size and np.sqrt(area(k)) < _SAME_SIZE * size
            for k in kept
        ]
        if not any(duplicates):
            kept.append(square)
    return kept
