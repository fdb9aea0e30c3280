"""A part of a rectified window as the network saw it, and the ulcers that stand out in it."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Rim
from ulcermeter.datatypes.arrays import Pixels, Points
from ulcermeter.geometry import area as polygon_area
from ulcermeter.geometry import shrunken
from ulcermeter.segmentation.confidence import expected_dice, surroundings
from ulcermeter.segmentation.network import Logits, Model
from ulcermeter.segmentation.prompt_channels import polygon_region

# A logit of probability 2e-9: what is blanked is no ulcer.
NEVER = np.float32(-20.0)
# Of a find, view px: a smaller part has no outline to speak of (assumption).
MIN_AREA_PX = 12
# Probability .75, and .25 on the other side.
_SPREAD_LOGIT = float(np.log(3.0))
# The other end of logits that are used: surer than this is as sure.
_MOST_SURE = 20.0
# View px that an interpolation and the smoothing before it reach beyond a cut.
_MARGIN_PX = 4
# Window px a view px up to which the interpolation itself smooths enough, and the sd of the smoothing beyond, view px:
# about what keeps a grating of two pixels from folding (assumption).
_UNSMOOTHED_STEP, _SMOOTHING_PX = 1.4, 0.45
# Logits either side of the outline's level that its place is interpolated between: .998, so that a leap in one pixel
# does not draw the outline to its faint side (assumption).
_OUTLINE_LOGITS = 6.0
# Just under a level: what is not the part's own is not outlined with it.
_UNDER = -1e-3
# Fewest vertices of a closed curve, its first repeated: less is a single pixel's.
_FEWEST_VERTICES = 5


@dataclass(frozen=True)
class View:
    """A square-pixel cut of the window: view pixel (x, y) lies at ``origin + step * (x, y)`` of the window."""

    pixels: Pixels = field(repr=False)
    origin: tuple[float, float]
    step: float

    def to_window(self, points: NDArray[np.floating]) -> Points:
        """View pixels (K, 2) to window pixels (K, 2)."""
        return np.asarray(np.atleast_2d(np.asarray(points, dtype=np.float64)) * self.step + np.asarray(self.origin))

    def from_window(self, points: NDArray[np.floating]) -> Points:
        """Window pixels (K, 2) to view pixels (K, 2)."""
        return np.asarray((np.atleast_2d(np.asarray(points, dtype=np.float64)) - np.asarray(self.origin)) / self.step)


@dataclass(frozen=True)
class Find:
    """One ulcer in a view.

    Attributes
    ----------
    outline : float64 (K, 2)
        0.5 level, window pixels (x, y), first vertex not repeated.
    area : float
        Window pixels².
    peak : float
        Largest probability inside.
    confidence : float
        Expected Dice of the outline if the probabilities are right.
    """

    outline: Points = field(repr=False)
    area: float
    peak: float
    confidence: float

    @property
    def centre(self) -> Points:
        """Middle of the outline's bounding box, window pixels (x, y)."""
        return np.asarray(0.5 * (self.outline.min(0) + self.outline.max(0)))

    @property
    def extent(self) -> float:
        """Longer side of the outline's bounding box, window pixels."""
        return float((self.outline.max(0) - self.outline.min(0)).max())

    @property
    def longest(self) -> float:
        """Longest distance between two points of the outline, window pixels."""
        return longest_extent(self.outline)


def whole_view(pixels: Pixels, *, step: float) -> View:
    """Return the whole window, made smaller so that a view pixel is `step` (at least 1) window pixels.

    Parameters
    ----------
    pixels : uint8 (M, N, 3)
        The window, RGB in sRGB.
    step : float
        Window px per view px; under 1 counts as 1.

    Returns
    -------
    View
        All of the window.
    """
    if step <= 1.0:
        return View(pixels, (0.0, 0.0), 1.0)
    rows, cols = pixels.shape[:2]
    size = (max(round(cols / step), 1), max(round(rows / step), 1))
    small = shrunken(pixels, size)
    offset = 0.5 * step - 0.5
    return View(small, (offset, offset), step)


def cut_view(pixels: Pixels, *, centre: NDArray[np.floating], step: float, size_px: int) -> View:
    """Cut a square of `size_px` view pixels round a window pixel (x, y); what lies outside the window is black.

    Parameters
    ----------
    pixels : uint8 (M, N, 3)
        The window, RGB in sRGB.
    centre : float (2,)
        Of the view, window px (x, y).
    step : float
        Window px per view px.
    size_px : int
        Side of the square, view px.

    Returns
    -------
    View
        Bicubic where it enlarges; smoothed by 0.45 view px first where it shrinks by more than 1.4.
    """
    origin = np.asarray(centre, dtype=np.float64) - step * (size_px - 1) / 2
    margin = _MARGIN_PX * step + _MARGIN_PX
    rows, cols = pixels.shape[:2]
    left, top = (int(max(np.floor(v - margin), 0)) for v in origin)
    right, bottom = (int(np.ceil(v + step * size_px + margin)) for v in origin)
    part = pixels[top : min(bottom, rows), left : min(right, cols)]
    if part.size == 0:
        return View(np.zeros((size_px, size_px, 3), np.uint8), (float(origin[0]), float(origin[1])), step)
    if step > _UNSMOOTHED_STEP:
        part = cv2.GaussianBlur(part, (0, 0), _SMOOTHING_PX * step)
    matrix = np.array([[1 / step, 0, (left - origin[0]) / step], [0, 1 / step, (top - origin[1]) / step]])
    kind = cv2.INTER_CUBIC if step < 1.0 else cv2.INTER_LINEAR
    cut = cv2.warpAffine(part, matrix, (size_px, size_px), flags=kind, borderMode=cv2.BORDER_CONSTANT)
    return View(cut, (float(origin[0]), float(origin[1])), step)


def blank_polygon(logits: Logits, view: View, polygon: Points) -> Logits:
    """Logits with everything inside a window polygon (K, 2) made impossible.

    Parameters
    ----------
    logits : float32 (M, N)
        Of the view.
    view : View
        A part of the window at the network's spacing.
    polygon : float64 (K, 2)
        (x, y), window px; fewer than 3 vertices blank nothing.

    Returns
    -------
    float32 (M, N)
        A copy, or the same array.
    """
    if len(polygon) < 3:
        return logits
    inside = polygon_region(logits.shape, view.from_window(polygon))
    return np.where(inside > 0, NEVER, logits)


def extract_finds(logits: Logits, view: View, *, model: Model) -> list[Find]:
    """Outline every connected part of a view above probability 0.5, largest first.

    Parameters
    ----------
    logits : float32 (M, N)
        Raw logits of the view.
    view : View
        A part of the window at the network's spacing.
    model : Model
        For temperature and shift of the logits.

    Returns
    -------
    list of Find
        Outlines in window px; parts of fewer than 12 view px are left out.
    """
    level = (np.clip(logits, NEVER, _MOST_SURE) + np.float32(model.logit_shift)) / np.float32(model.temperature)
    count, labels, stats, _ = cv2.connectedComponentsWithStats((level > 0).astype(np.uint8), connectivity=8)
    finds = []
    for label in range(1, count):
        if stats[label, cv2.CC_STAT_AREA] >= MIN_AREA_PX:
            find = _outline_part(level, labels, label, stats[label], view)
            if find is not None:
                finds.append(find)
    return sorted(finds, key=lambda find: -find.area)


def _outline_part(
    level: Logits, labels: NDArray[np.int32], label: int, box: NDArray[np.int32], view: View
) -> Find | None:
    part, own, others = surroundings(labels, label, box)
    top, left = part[0].start, part[1].start
    local = np.where(others, NEVER, level[part])
    outline = _level_set(local)
    if outline is None:
        return None
    probability = 1.0 / (1.0 + np.exp(-local.astype(np.float64)))
    return Find(
        outline=view.to_window(outline + (left, top)),
        area=polygon_area(outline) * view.step**2,
        peak=float(probability[own].max()),
        confidence=expected_dice(probability, own),
    )


def measure_rim(find: Find, view: View, logits: Logits, *, model: Model) -> Rim:
    """Say how far a find's longest diameter changes between the levels of probability .25 and .75.

    Parameters
    ----------
    find : Find
        One find.
    view : View
        The view that it was outlined in.
    logits : float32 (M, N)
        Raw logits of the view.
    model : Model
        The network, opened.

    Returns
    -------
    Rim
    """
    level = (np.clip(logits, NEVER, _MOST_SURE) + np.float32(model.logit_shift)) / np.float32(model.temperature)
    inside = polygon_region(level.shape, view.from_window(find.outline)) > 0
    outer, inner = (_longest_at(level, inside, offset) for offset in (-_SPREAD_LOGIT, _SPREAD_LOGIT))
    return Rim(spread=0.5 * (outer - inner) * view.step / find.longest, pixel=view.step / find.longest)


def _longest_at(level: Logits, inside: NDArray[np.bool_], offset: float) -> float:
    """Longest diameter, view px, at a logit of the part that shares most with what is inside; 0 where there is none."""
    labels = cv2.connectedComponents((level > offset).astype(np.uint8), connectivity=8)[1]
    shared = np.bincount(labels[inside], minlength=2)
    shared[0] = 0
    own = labels == shared.argmax()
    outline = _level_set(np.where(own, level - offset, np.minimum(level - offset, _UNDER))) if shared.any() else None
    return 0.0 if outline is None else longest_extent(outline)


def longest_extent(points: Points) -> float:
    """Return the longest distance between two of the points (K, 2), in their unit.

    Parameters
    ----------
    points : float64 (K, 2)

    Returns
    -------
    float
    """
    hull = cv2.convexHull(points.astype(np.float32)).reshape(-1, 2).astype(np.float64)
    return float(np.hypot(*(hull[:, None] - hull[None]).transpose(2, 0, 1)).max())


def _level_set(level: Logits) -> Points | None:
    """Largest closed curve of level 0 as (x, y), first vertex not repeated; the frame outside counts as no ulcer."""
    from skimage.measure import find_contours

    framed = np.pad(np.clip(level, -_OUTLINE_LOGITS, _OUTLINE_LOGITS), 1, constant_values=-_OUTLINE_LOGITS)
    curves = find_contours(framed, 0.0, fully_connected="high")
    if not curves:
        return None
    largest = max(curves, key=polygon_area)
    return largest[:-1, ::-1] - 1.0 if len(largest) >= _FEWEST_VERTICES else None
