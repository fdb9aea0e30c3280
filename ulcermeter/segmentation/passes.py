"""Two passes: find ulcers at a spacing where a finger fits the network, then outline each at the photo's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import RectifiedPhoto
from ulcermeter.datatypes.arrays import Mask, Points
from ulcermeter.segmentation.network import STRIDE_PX, Logits, Model, forward, photo_logits
from ulcermeter.segmentation.prompt_channels import Prompt, polygon_region, region_prompt
from ulcermeter.segmentation.views import (
    Find,
    View,
    blank_polygon,
    cut_view,
    extract_finds,
    whole_view,
)

# Of the finding pass, mm a pixel: a finger of 20 mm is 170 px broad, an ulcer of 1.5 mm reaches the 12 px that the
# network knows as a wound.
FIND_SPACING_MM = 0.12
# How long an ulcer is shown in the second pass, px: among the sizes that training drew, 14 to 230 px (assumption).
REFINED_EXTENT_PX = 110.0
# Largest cut of the second pass, px: the smaller of the two sizes of training's cuts.
REFINE_SIZE_PX = 288
# Most finds that are outlined again (assumption): no finger has as many ulcers, and each costs a pass.
MAX_FINDS = 24
# Most view pixels to a pixel of the photo: beyond, a cut shows no more (assumption).
NATIVE_ENLARGEMENT = 2.0
# Weight of the first pass, which sees more around, in the joined logits (assumption).
FIRST_PASS_SHARE = 0.35
# Confidence from which a first outline is kept where the second pass shows nothing: the one under which a reader should
# look (`weights/MODEL_CARD.md`).
SURE = 0.85
# Side of a cut of the second pass, over the find's extent, and at least, px (assumption).
_CUT_EXTENTS, _LEAST_CUT_PX = 2.2, 160
# Shares of area, each between what neighbours have and what one ulcer has (assumption). Of the smaller: outlines of
# neighbours touch at most by their edges.
_TOUCHING = 0.1
# Of what either covers: two passes over one ulcer share more, two ulcers less.
_SAME = 0.3
# Of the smaller: a find that lies for the most part in another is a part of it.
_SWALLOWED = 0.6
# For these shares outlines are rastered at up to 4 px a pixel, the longer side in 256 px at most: to about 1 %.
_RASTER_FINER, _RASTER_PX = 4.0, 256.0


def find_step(rectified: RectifiedPhoto) -> float:
    """Window pixels per view pixel in the finding pass: 0.12 mm a pixel, never finer than the window itself.

    Parameters
    ----------
    rectified : RectifiedPhoto
        The window seen square on.

    Returns
    -------
    float
        At least 1.
    """
    return max(1.0, FIND_SPACING_MM / rectified.spacing_mm)


def find_ulcers(rectified: RectifiedPhoto, *, model: Model) -> tuple[View, Logits, list[Find]]:
    """Look at the whole window once.

    Parameters
    ----------
    rectified : RectifiedPhoto
        The window seen square on.
    model : Model
        The network, opened.

    Returns
    -------
    view : View
    logits : float32 (M, N) of the view
    finds : list of Find, largest first
    """
    step = find_step(rectified)
    view = whole_view(rectified.pixels, step=step)
    # Where the second pass sees finer, and in four ways, this one need not look twice.
    logits = photo_logits(view.pixels, model=model, views=1 if step > 1 else 2)
    logits = blank_polygon(logits, view, reference_in_window(rectified))
    finds = extract_finds(logits, view, model=model)
    strongest = sorted(finds, key=lambda find: -find.confidence * find.area**0.5)[:MAX_FINDS]
    return view, logits, strongest


def refine_find(
    rectified: RectifiedPhoto, find: Find, *, first_pass: tuple[View, Logits], model: Model
) -> tuple[View, Logits, list[Find]]:
    """Outline a find again on a cut where it is about 110 px across.

    The logit is the weighted mean of what the cut shows and of what the first pass saw with more of the surroundings.
    Where the cut alone shows nothing but the first pass was sure, the first outline is given as a rough one: close up
    a large slough can pass for skin. The confidence is that of the surer pass: a large wound is plain from afar, a
    small one close up.

    Parameters
    ----------
    rectified : RectifiedPhoto
        The window seen square on.
    find : Find
        Of the first pass.
    first_pass : (View, float32 (M, N))
        What it was found in, and the logits there.
    model : Model
        The network, opened.

    Returns
    -------
    View
        The cut.
    float32 (m, n)
        Its logits.
    list of Find
        Those that overlap the first outline, largest first.
    """
    step = refine_step(rectified, find.centre, find.extent)
    view = cut_view(rectified.pixels, centre=find.centre, step=step, size_px=_cut_size(find.extent / step))

    def outlined(prompt: Prompt | None) -> tuple[Logits, list[Find]]:
        logits = mirrored(view, prompt, model=model)
        logits += FIRST_PASS_SHARE * (resample(first_pass[1], first_pass[0], view) - logits)
        logits = blank_polygon(logits, view, reference_in_window(rectified))
        return logits, [one for one in extract_finds(logits, view, model=model) if overlaps(one.outline, find.outline)]

    logits, finds = outlined(None)
    if not finds and find.confidence >= SURE:
        logits, finds = outlined(region_prompt(view.pixels.shape, view.from_window(find.outline)))
    return view, logits, [replace(one, confidence=max(one.confidence, find.confidence)) for one in finds]


def resample(logits: Logits, old: View, new: View) -> Logits:
    """Logits of one view at the pixels of another, float32 (M, N).

    Parameters
    ----------
    logits : float32 (M, N)
        Of the view `old`.
    old : View
        The view that they are of.
    new : View
        The view that they are wanted in.

    Returns
    -------
    float32 (m, n)
        Bilinear; what lies outside the old view takes its border's.
    """
    scale = new.step / old.step
    x, y = old.from_window(np.array([new.origin]))[0]
    rows, cols = new.pixels.shape[:2]
    matrix = np.array([[scale, 0, x], [0, scale, y]])
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(logits, matrix, (cols, rows), flags=how, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    )


def refine_step(rectified: RectifiedPhoto, centre: NDArray[np.floating], extent: float) -> float:
    """Window pixels per view pixel that show `extent` as 110 px, enlarging the photo's own pixels at most twice.

    Parameters
    ----------
    rectified : RectifiedPhoto
        The window seen square on.
    centre : float (2,)
        Window px (x, y), for the photo's own scale there.
    extent : float
        Longer side of the find's box, window px.

    Returns
    -------
    float
        Window px per view px.
    """
    native = 1.0 / (rectified.spacing_mm * photo_px_per_mm(rectified, centre))
    return max(extent / REFINED_EXTENT_PX, native / NATIVE_ENLARGEMENT)


def photo_px_per_mm(rectified: RectifiedPhoto, centre: NDArray[np.floating]) -> float:
    """Scale of the photo at a window pixel (x, y), px/mm.

    Parameters
    ----------
    rectified : RectifiedPhoto
        The window seen square on.
    centre : float (2,)
        Window px (x, y).

    Returns
    -------
    float
        px/mm.
    """
    return rectified.calibration.px_per_mm(rectified.to_photo_px(centre)[0])


def _cut_size(extent_px: float) -> int:
    return int(np.clip(STRIDE_PX * np.ceil(_CUT_EXTENTS * extent_px / STRIDE_PX), _LEAST_CUT_PX, REFINE_SIZE_PX))


def reference_in_window(rectified: RectifiedPhoto) -> Points:
    """Polygon of the reference in window pixels (K, 2); empty for a stated scale.

    Parameters
    ----------
    rectified : RectifiedPhoto
        The window seen square on.

    Returns
    -------
    float64 (K, 2)
        (x, y), window px.
    """
    outline = rectified.calibration.reference_outline_px
    return rectified.from_photo_px(outline) if len(outline) >= 3 else np.zeros((0, 2))


def mirrored(view: View, prompt: Prompt | None, *, model: Model) -> Logits:
    """Mean logits of a view as it is and upside down, each seen left to right and right to left; float32 (M, N).

    Parameters
    ----------
    view : View
        A part of the window at the network's spacing.
    prompt : float32 (2, M, N) or None
        Click bump and region; None for neither.
    model : Model
        The network, opened.

    Returns
    -------
    float32 (M, N)
        Not calibrated.
    """
    total = np.zeros(view.pixels.shape[:2], np.float32)
    for flip in (np.s_[:], np.s_[::-1]):
        turned = None if prompt is None else prompt[:, flip]
        total += forward(view.pixels[flip], turned, model=model)[flip]
    return total / np.float32(2)


def overlaps(first: Points, second: Points) -> bool:
    """Whether two polygons share more than a tenth of the smaller one's pixels.

    Parameters
    ----------
    first, second : float64 (K, 2)
        Outlines in one pixel grid.

    Returns
    -------
    bool
        By areas rastered at up to 4 px a pixel.
    """
    shared, smaller, _ = _areas(first, second)
    return shared > _TOUCHING * smaller


def same_ulcer(first: Points, second: Points) -> bool:
    """Whether two polygons share more than three tenths of the pixels that either covers.

    Parameters
    ----------
    first, second : float64 (K, 2)
        Outlines in one pixel grid.

    Returns
    -------
    bool
        By areas rastered at up to 4 px a pixel.
    """
    shared, _, either = _areas(first, second)
    return shared > _SAME * either


def same_pixels(first: Mask, second: Mask) -> bool:
    """Whether two masks share more than three tenths of the pixels that either covers.

    Parameters
    ----------
    first, second : bool (M, N)
        In one pixel grid.

    Returns
    -------
    bool
        False where both are empty.
    """
    return bool((first & second).sum() > _SAME * (first | second).sum())


def _areas(first: Points, second: Points) -> tuple[float, float, float]:
    corner, far = np.minimum(first.min(0), second.min(0)), np.maximum(first.max(0), second.max(0))
    scale = min(_RASTER_FINER, _RASTER_PX / max(float((far - corner).max()), 1.0))
    shape = tuple(int(v) + 2 for v in np.ceil((far - corner) * scale)[::-1])
    one, two = (polygon_region(shape, (points - corner) * scale) > 0 for points in (first, second))
    return float((one & two).sum()), float(min(one.sum(), two.sum())), float((one | two).sum())


def drop_repeats(finds: Sequence[Find]) -> list[Find]:
    """Keep one of finds that are the same ulcer or swallow each other: the one the network is surer of.

    Parameters
    ----------
    finds : sequence of Find
        In any order.

    Returns
    -------
    list of Find
        The surest first.
    """
    kept: list[Find] = []
    for find in sorted(finds, key=lambda one: -one.confidence):
        if not any(same_ulcer(find.outline, other.outline) or _mostly_inside(find, other) for other in kept):
            kept.append(find)
    return kept


def _mostly_inside(find: Find, other: Find) -> bool:
    shared, smaller, _ = _areas(find.outline, other.outline)
    return shared > _SWALLOWED * smaller
