"""A tracing, taken as it is: a mask or a polygon becomes the ulcer's outline itself."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import OutlineSource, RectifiedPhoto, Segmentation
from ulcermeter.datatypes.arrays import Points
from ulcermeter.errors import Problem, Refusal
from ulcermeter.geometry import area
from ulcermeter.segmentation.prompt_channels import polygon_region

# An outline this near to the photo's rim, which runs half a pixel outside its first and last pixels' centres, is cut by
# it, px.
BORDER_PX = 0.75
# Share of a photo that no tracing covers (issue: a quarter); the black of an inverted mask covers nearly all of it.
LARGEST_SHARE = 0.25
# A rim is soft where a quarter of its pixels or more are neither nearly empty nor full; compression leaves fewer.
_HARD, _SOFT_RIM = 0.1, 0.25


def segment_tracing(
    rectified: RectifiedPhoto,
    *,
    outlines: Sequence[NDArray[np.floating]] = (),
    mask: NDArray[np.bool_] | NDArray[np.floating] | None = None,
    source: OutlineSource,
) -> Segmentation:
    """Take polygons or a mask in photo pixels as the ulcers' outlines.

    A mask's connected parts (8 neighbours) are the ulcers, holes filled; its outline is the 0.5 level between pixel
    centres, so a part n pixels wide measures n pixels. Probability is 0 or 1, confidence 1.

    Parameters
    ----------
    rectified : RectifiedPhoto
        The window seen square on.
    outlines : sequence of float (K, 2), optional
        Outlines, photo px (x, y).
    mask : bool or float (M, N), optional
        See `trace_mask`; used where there are no outlines.
    source : OutlineSource
        A reader's tracing, or the truth.

    Returns
    -------
    Segmentation
        Labels by falling area in the window; outlines in photo px as they came.

    Raises
    ------
    Refusal
        It touches opposite borders of the photo or covers more than a quarter of it.
    """
    polygons = [np.asarray(one, dtype=np.float64) for one in outlines] or trace_mask(mask)
    check_on_photo(polygons, rectified.calibration.shape)
    in_window = sorted(((rectified.from_photo_px(one), one) for one in polygons), key=lambda two: -area(two[0]))
    shape = rectified.pixels.shape[:2]
    labels = np.zeros(shape, np.int32)
    for label, (window, _) in reversed(list(enumerate(in_window, start=1))):
        labels[polygon_region(shape, window) > 0] = label
    count = len(in_window)
    return Segmentation(
        rectified=rectified,
        labels=labels,
        probability=(labels > 0).astype(np.float32),
        outlines=tuple(photo for _, photo in in_window),
        confidence=(1.0,) * count,
        touches_border=tuple(_on_border(photo, rectified.calibration.shape) for _, photo in in_window),
        source=source,
    )


def trace_mask(mask: NDArray[np.bool_] | NDArray[np.floating] | None) -> list[Points]:
    """Outer outlines of a mask's connected parts, (K, 2) as (x, y), first vertex not repeated.

    The 0.5 level between pixel centres. Where a part's rim is soft, the share of each pixel tells where the edge runs.
    The stairs of a hard rim are halved, each vertex drawn half-way to its neighbours' middle: the longest caliper finds
    their tips, 0.4-0.5 px too long on smooth outlines. Halved it is 0.2 px long there, between corners 0.2 px short.

    Parameters
    ----------
    mask : bool (M, N), float (M, N) in 0..1, or None
        The ulcer's pixels, or the share of each that is ulcer.

    Returns
    -------
    list of float64 (K, 2)
        (x, y), px; none for None.
    """
    if mask is None:
        return []
    share = np.asarray(mask, dtype=np.float32)
    count, labels, stats, _ = cv2.connectedComponentsWithStats((share > 0.5).astype(np.uint8), connectivity=8)
    polygons = []
    for label in range(1, count):
        left, top, width, height = (int(value) for value in stats[label, :4])
        rows, cols = slice(max(top - 1, 0), top + height + 1), slice(max(left - 1, 0), left + width + 1)
        part = labels[rows, cols]
        own = np.where((part == label) | (part == 0), share[rows, cols], np.float32(0))
        polygons.append(_trace_part(own, part == label) + (cols.start, rows.start))
    return polygons


def _trace_part(share: NDArray[np.float32], inside: NDArray[np.bool_]) -> Points:
    from skimage.measure import find_contours

    curves = find_contours(np.pad(share, 1).astype(np.float64), 0.5, fully_connected="high")
    outline = max(curves, key=area)[:-1, ::-1] - 1.0
    near = np.ones((3, 3), np.uint8)
    whole = inside.astype(np.uint8)
    rim = cv2.dilate(whole, near) != cv2.erode(whole, near, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    soft = np.mean((share[rim] > _HARD) & (share[rim] < 1 - _HARD)) >= _SOFT_RIM
    return np.asarray(
        outline if soft else outline / 2 + (np.roll(outline, 1, axis=0) + np.roll(outline, -1, axis=0)) / 4
    )


def check_on_photo(outlines: Sequence[Points], shape: tuple[int, int]) -> None:
    """Refuse outlines (K, 2) that no ulcer has on its photo of (rows, columns): most often the mask is inverted.

    Parameters
    ----------
    outlines : sequence of float64 (K, 2)
        (x, y), photo px.
    shape : (int, int)
        Rows and columns of the photo.

    Raises
    ------
    Refusal
        They touch opposite borders or cover more than a quarter of it.
    """
    share = sum(map(area, outlines)) / (shape[0] * shape[1])
    spanning = any(
        (outline.min(axis=0) < BORDER_PX - 0.5).any(where=far)
        for outline in outlines
        if (far := outline.max(axis=0) > _far_border(shape)).any()
    )
    if spanning or share > LARGEST_SHARE:
        fault = "touches opposite borders of the photo" if spanning else f"covers {share:.0%} of the photo"
        raise Refusal(
            Problem(
                f"the tracing {fault}, as no ulcer does (inverted?)",
                action="save it with the ulcer white and everything else black",
            )
        )


def _on_border(points: Points, shape: tuple[int, int]) -> bool:
    return bool((points < BORDER_PX - 0.5).any() or (points > _far_border(shape)).any())


def _far_border(shape: tuple[int, int]) -> Points:
    return np.array(shape[::-1]) - 1 - BORDER_PX + 0.5
