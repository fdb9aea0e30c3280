"""A click, a box or a rough outline: the same network, told where to look.

A click or a box never says that there is an ulcer: `keep_ulcers` asks the network again without it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import RectifiedPhoto
from ulcermeter.datatypes.arrays import Points
from ulcermeter.geometry import distance_outside
from ulcermeter.segmentation.network import Logits, Model, forward
from ulcermeter.segmentation.passes import (
    REFINED_EXTENT_PX,
    find_step,
    mirrored,
    overlaps,
    photo_px_per_mm,
    reference_in_window,
    refine_step,
    same_pixels,
)
from ulcermeter.segmentation.prompt_channels import click_prompt, polygon_region, region_prompt
from ulcermeter.segmentation.views import NEVER, Find, View, blank_polygon, cut_view, extract_finds

# Side of the cut at a click, px: that of training's near cuts.
CLICK_VIEW_PX = 288
# How long a box is shown, px, and the side of its cut: a box is a little larger than its wound (assumption).
REGION_EXTENT_PX = 120.0
REGION_VIEW_PX = 288
# Most view pixels to a pixel of the photo: more than without a prompt, as a box may hold a small ulcer (assumption).
REGION_ENLARGEMENT = 3.0
# Of a box on each side, in which an outline may pass it: hands draw boxes that much too tight (training's jitter).
REGION_MARGIN = 0.12
# From this size on, px of the photo, what is seen without the box counts by half (the share, assumption): a large wound
# shows its rim by itself, and there the box only stands in the way; of a small one it says most. Chosen on photos held
# out of training, see `weights/MODEL_CARD.md`.
LARGE_BOX_PX, UNPROMPTED_SHARE = 80.0, 0.5
# How far from an outline a click may lie, view px: a finger on glass misses by half a millimetre (assumption).
CLICK_REACH_PX = 6.0
# Best probability under which nothing is raised (assumption): better none than a wild outline.
FAINTEST = 0.1
# Mean probability inside an outline, seen without its click or box. It keeps 157 of 158 prompts on wounds held out of
# training and all 80 on drawn ulcers of 1 to 2.6 mm; of 410 on healthy skin (beside those wounds, hands/real_ccby_own,
# drawn fingers) none reaches even .02. `python tests/studies/prompts.py DIR --calibrate`.
STANDS_OUT = 0.1
# How far from the middle of its cut a click may lie, in sides of the cut: beyond, the find would push it out.
_OFF_MIDDLE = 0.4
# Of two finds as near a click the longer one is meant: view px of nearness that a px of extent outweighs (assumption).
_NEARNESS_PER_EXTENT = 1e-3
# Corners of the polygon that stands for a circle round a click: short of it by 1 % of 6 px.
_CIRCLE_CORNERS = 24
# A find smaller than this share of the largest in a box or outline is a crumb of it (assumption).
_CRUMB = 0.05

PassResult = tuple[View, Logits, list[Find]]


def find_at_click(rectified: RectifiedPhoto, click: Points, *, model: Model) -> PassResult:
    """Outline the ulcer at a click.

    The click is looked at on three cuts, each twice as wide as the one before; the one on which the network is
    surest says how large the ulcer is, and it is outlined again at about 110 px across. Only that outline is the mean
    of four views; for the size the picture and its mirror do as well on 79 wounds held out of training, one view each
    loses .003 of Dice.

    Parameters
    ----------
    rectified : RectifiedPhoto
        The window seen square on.
    click : float64 (2,)
        Window px (x, y).
    model : Model
        The network, opened.

    Returns
    -------
    PassResult
        The view, its logits, and at most one find.
    """
    base = find_step(rectified)
    best: Find | None = None
    for step in (0.5 * base, base, 2.0 * base):
        _, _, finds = _pass_at_click(rectified, click, click, max(step, 0.5), model=model, views=2)
        for find in finds[:1]:
            if best is None or find.confidence > best.confidence:
                best = find
    if best is None:
        view, logits, finds = _pass_at_click(rectified, click, click, base, model=model)
        if not finds:
            return view, logits, []
        best = finds[0]
    step = refine_step(rectified, best.centre, best.extent)
    centre = np.where(np.abs(best.centre - click) < _OFF_MIDDLE * CLICK_VIEW_PX * step, best.centre, click)
    view, logits, finds = _pass_at_click(rectified, click, centre, step, model=model)
    return view, logits, finds if finds else [best]


def _pass_at_click(
    rectified: RectifiedPhoto, click: Points, centre: Points, step: float, *, model: Model, views: int = 4
) -> PassResult:
    """Look at a click on one cut, in the mean of two views or of four (`mirrored`)."""
    view = cut_view(rectified.pixels, centre=centre, step=step, size_px=CLICK_VIEW_PX)
    x, y = view.from_window(click)[0]
    prompt = click_prompt(view.pixels.shape, (x, y))
    seen = forward(view.pixels, prompt, model=model) if views == 2 else mirrored(view, prompt, model=model)
    logits = blank_polygon(seen, view, reference_in_window(rectified))
    nearby = polygon_region(logits.shape, np.array([[x, y]]) + CLICK_REACH_PX * _circle())
    lifted = lift_faint(logits, nearby > 0, model=model)
    finds = [
        find
        for find in extract_finds(lifted, view, model=model)
        if distance_outside(find.outline, click) <= CLICK_REACH_PX * step
    ]
    nearest = sorted(finds, key=lambda one: distance_outside(one.outline, click) - _NEARNESS_PER_EXTENT * one.extent)
    return view, lifted, nearest[:1]


def _circle() -> Points:
    turn = np.linspace(0, 2 * np.pi, _CIRCLE_CORNERS, endpoint=False)
    return np.column_stack([np.cos(turn), np.sin(turn)])


def find_in_outline(rectified: RectifiedPhoto, polygon: Points, *, model: Model) -> PassResult:
    """Outline the ulcers that a rough outline (K, 2) in window pixels points at.

    The network is given the outline's box: measured on held-out photos it does better with that (mean Dice .892) than
    with a rough outline's own shape (.885), which it follows too closely where the hand was off.

    Parameters
    ----------
    rectified : RectifiedPhoto
        The window seen square on.
    polygon : float64 (K, 2)
        A rough outline, window px (x, y).
    model : Model
        The network, opened.

    Returns
    -------
    PassResult
        The view, its logits, and the finds that overlap the outline.
    """
    (left, top), (right, bottom) = polygon.min(0), polygon.max(0)
    box = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    view, logits, finds = find_in_region(rectified, box, model=model)
    return view, logits, [find for find in finds if overlaps(find.outline, polygon)]


def find_in_region(rectified: RectifiedPhoto, polygon: Points, *, model: Model) -> PassResult:
    """Outline the ulcers inside a box, at most an eighth of its size beyond it.

    In a large box (`LARGE_BOX_PX`) the logit is the mean of what is seen with and without it, unless that leaves little
    of what is seen with it: some ulcers the network sees only when it is told.

    Parameters
    ----------
    rectified : RectifiedPhoto
        The window seen square on.
    polygon : float64 (K, 2)
        The box's corners, window px (x, y).
    model : Model
        The network, opened.

    Returns
    -------
    PassResult
        The view, its logits, and the finds of more than a twentieth of the largest one's area.
    """
    low, high = polygon.min(0), polygon.max(0)
    centre, extent = 0.5 * (low + high), float((high - low).max())
    native = 1.0 / (rectified.spacing_mm * photo_px_per_mm(rectified, centre))
    step = max(extent / REGION_EXTENT_PX, native / REGION_ENLARGEMENT)
    view = cut_view(rectified.pixels, centre=centre, step=step, size_px=REGION_VIEW_PX)
    inner = view.from_window(polygon)
    middle = inner.mean(0)
    allowed = polygon_region(view.pixels.shape[:2], middle + (inner - middle) * (1 + 2 * REGION_MARGIN)) > 0
    logits = mirrored(view, region_prompt(view.pixels.shape, inner), model=model)
    if extent / native >= LARGE_BOX_PX:
        logits = _without_the_box_too(view, logits, allowed, model=model)
    logits = blank_polygon(logits, view, reference_in_window(rectified))
    logits = lift_faint(np.where(allowed, logits, NEVER), allowed, model=model)
    finds = extract_finds(logits, view, model=model)
    return view, logits, [find for find in finds if find.area > _CRUMB * finds[0].area]


def _without_the_box_too(view: View, logits: Logits, allowed: NDArray[np.bool_], *, model: Model) -> Logits:
    """Mean of what is seen with and without a box; with it alone where the mean would be of another thing."""
    unprompted = forward(view.pixels, None, model=model)
    mean = logits + np.float32(UNPROMPTED_SHARE) * (unprompted - logits)
    told, both = (allowed & (model.probability(one) > 0.5) for one in (logits, mean))
    return mean if same_pixels(told, both) else logits


def keep_ulcers(rectified: RectifiedPhoto, result: PassResult, *, model: Model) -> PassResult:
    """Keep what stands out from the skin around it without the prompt too, as an unprompted find must.

    Told where to look the network draws something at most clicks on healthy skin. So each find is looked at again at
    the spacing of the unprompted finding pass (coarser where it would pass 110 px there), with both prompt channels
    empty; it is an ulcer where the mean probability inside its outline reaches `STANDS_OUT`. Where nothing is kept,
    what was seen without the prompt is returned.

    Parameters
    ----------
    rectified : RectifiedPhoto
        The window seen square on.
    result : PassResult
        What a pass found.
    model : Model
        The network, opened.

    Returns
    -------
    PassResult
    """
    view, logits, finds = result
    unprompted = [(find, *unprompted_result(rectified, find, model=model)) for find in finds]
    kept = [
        find
        for find, first_pass, own in unprompted
        if mean_inside(find, first_pass, model.probability(own)) >= STANDS_OUT
    ]
    if finds and not kept:
        return (*unprompted[0][1:], [])
    return view, logits, kept


def unprompted_result(rectified: RectifiedPhoto, find: Find, *, model: Model) -> tuple[View, Logits]:
    """Look at a find, at most 110 px across, with both prompt channels empty.

    Parameters
    ----------
    rectified : RectifiedPhoto
        The window seen square on.
    find : Find
        Of a prompted pass.
    model : Model
        The network, opened.

    Returns
    -------
    View
        Round the find.
    float32 (M, N)
        Its logits.
    """
    step = max(find_step(rectified), find.extent / REFINED_EXTENT_PX)
    view = cut_view(rectified.pixels, centre=find.centre, step=step, size_px=CLICK_VIEW_PX)
    logits = forward(view.pixels, None, model=model)
    return view, blank_polygon(logits, view, reference_in_window(rectified))


def mean_inside(find: Find, view: View, probability: NDArray[np.float32]) -> float:
    """Mean of a view's probability inside a find's outline, 0..1; at its middle where it holds no pixel's centre.

    Parameters
    ----------
    find : Find
        Its outline in window px.
    view : View
        A part of the window at the network's spacing.
    probability : float32 (M, N)
        Of the view, 0..1.

    Returns
    -------
    float
        0..1.
    """
    inside = polygon_region(probability.shape, view.from_window(find.outline)) > 0
    if not inside.any():
        x, y = np.round(view.from_window(find.centre)[0]).astype(int)
        return float(probability[y, x])
    return float(probability[inside].mean())


def lift_faint(logits: Logits, inside: NDArray[np.bool_], *, model: Model) -> Logits:
    """Raise the logits where a hand points at an ulcer that the network sees only faintly.

    Where the best probability inside is between 0.1 and 0.5, all logits rise so that half of that best becomes the
    0.5 level; the confidence stays low and flags the outline. Below 0.1 nothing is raised: better none than a wild one.

    Parameters
    ----------
    logits : float32 (M, N)
        Of a view.
    inside : bool (M, N)
        Where the click, box or outline points.
    model : Model
        For the probability of the logits.

    Returns
    -------
    float32 (M, N)
        The same array where nothing was raised.
    """
    probability = model.probability(logits[inside]) if inside.any() else np.zeros(1, np.float32)
    best = float(probability.max())
    if best >= 0.5 or best < FAINTEST:
        return logits
    half = best / 2
    return logits - np.float32(model.temperature * np.log(half / (1 - half)))
