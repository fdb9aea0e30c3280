"""segment: from a rectified photo to labelled ulcers with sub-pixel outlines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import OutlineSource, RectifiedPhoto, Segmentation
from ulcermeter.datatypes.arrays import Mask, Points, Reals
from ulcermeter.errors import PhotoError, Problem
from ulcermeter.protocol import Protocol, default_protocol
from ulcermeter.segmentation.confidence import POSSIBLE_CONFIDENCE, is_trusted
from ulcermeter.segmentation.network import Model, check_pixels, load_model
from ulcermeter.segmentation.passes import drop_repeats, find_ulcers, photo_px_per_mm, refine_find
from ulcermeter.segmentation.prompt_channels import polygon_region
from ulcermeter.segmentation.prompted import PassResult, find_at_click, find_in_outline, find_in_region, keep_ulcers
from ulcermeter.segmentation.tracings import segment_tracing
from ulcermeter.segmentation.views import Find, View, measure_rim

# What is calibrated round a find: a share of its extent and the pixels of an interpolation (assumption).
_MARGIN, _MARGIN_PX = 0.15, 2
# An outline nearer than this to an edge may go on beyond it, px: one pixel, and the half in which outlines lie.
_NEAR_EDGE_PX = 1.5
# Area over that of the disc of the detection limit: less is a line and no ulcer (assumption).
_LEAST_OF_DISC = 0.5


def segment(
    rectified: RectifiedPhoto,
    *,
    click: tuple[float, float] | None = None,
    box: tuple[float, float, float, float] | None = None,
    outline: NDArray[np.floating] | Sequence[NDArray[np.floating]] | None = None,
    mask: NDArray[np.bool_] | NDArray[np.floating] | None = None,
    tracing: NDArray[np.floating] | Sequence[NDArray[np.floating]] | None = None,
    as_truth: bool = False,
    model: Model | str | Path | None = None,
    protocol: Protocol | None = None,
) -> Segmentation:
    """Outline the ulcers of a rectified photo.

    Without a prompt they are found and each is outlined again at the photo's own resolution. A click, a box or a
    rough outline replaces the finding: the same network is told where to look. What it then finds at a click or in a
    box is an ulcer only where it stands out without the prompt too and reaches `detection_limit_mm`. Where nothing is
    sure enough to be called an ulcer, finds of a confidence of at least `POSSIBLE_CONFIDENCE` are given as possible
    ones, unless the photo is coarser than its gate allows. A mask or a tracing is taken as it is and carries a reader's
    error in its interval, with `as_truth` none.

    Parameters
    ----------
    rectified : RectifiedPhoto
    click : (x, y), photo pixels
    box : (x, y, width, height), photo pixels; x, y its upper left corner
    outline : float (K, 2), photo pixels (x, y)
        A rough outline that the network betters; with `as_truth`, the ulcer's outline itself, or a list of several.
    mask : bool (M, N), or float (M, N) in 0..1, photo pixels
        A reader's tracing as a picture, or the share of each pixel that is ulcer: every connected part is an ulcer.
    tracing : float (K, 2) or several, photo pixels (x, y)
        A reader's tracing as the outline itself, or a list of several.
    as_truth : bool
        The mask, tracing or outline is the truth: it carries no error of its own.
    model : Model, path or None
        None is the shipped network.
    protocol : Protocol or None
        Says how small an ulcer may be; None takes MANUS.

    Returns
    -------
    Segmentation
        Labels by falling area; empty where nothing was found. Either ulcers or, where there are none, possible ulcers.

    Raises
    ------
    PhotoError
        A prompt that is none, lies off the photo, or more than one at once.
    Refusal
        A mask or tracing that no ulcer has: it touches opposite borders or covers more than a quarter of the photo.
    ModelError
        The model cannot be opened.
    """
    check_pixels(rectified.pixels)
    _check_prompts(rectified, click=click, box=box, outline=outline, mask=mask, tracing=tracing, as_truth=as_truth)
    taken = tracing if tracing is not None else outline if as_truth else None
    if mask is not None or taken is not None:
        mask = None if mask is None else _shares(mask)
        source = OutlineSource.TRUTH if as_truth else OutlineSource.READER
        return segment_tracing(rectified, outlines=_listed(taken), mask=mask, source=source)
    protocol = protocol or default_protocol()
    opened = model if isinstance(model, Model) else load_model(model)
    if click is not None:
        at = rectified.from_photo_px(np.array([click]))[0]
        result = _ulcers_of(rectified, find_at_click(rectified, at, model=opened), opened, protocol)
        return _assemble(rectified, [result], opened, prompt="click")
    if box is not None:
        result = find_in_region(rectified, rectified.from_photo_px(_box_corners(box)), model=opened)
        return _assemble(rectified, [_ulcers_of(rectified, result, opened, protocol)], opened, prompt="box")
    if outline is not None:
        result = find_in_outline(rectified, rectified.from_photo_px(np.asarray(outline, np.float64)), model=opened)
        return _assemble(rectified, [result], opened, prompt="outline")
    return _segment_automatically(rectified, opened, protocol)


def _listed(outlines: Reals | Sequence[Reals] | None) -> list[Points]:
    """Return one outline or several, (x, y) points each, as a list of them."""
    if outlines is None:
        return []
    several = isinstance(outlines, list | tuple) and all(np.ndim(one) == 2 for one in outlines)
    return [np.asarray(one, dtype=np.float64) for one in (outlines if several else [outlines])]


def detection_limit_mm(rectified: RectifiedPhoto, *, protocol: Protocol) -> float:
    """Return the smallest diameter that is looked for, mm; what is found below it is dropped.

    The protocol's ``detection_limit_min_mm``, or ``detection_limit_min_px`` of the photo's pixels where those are more.

    Parameters
    ----------
    rectified : RectifiedPhoto
        The window seen square on.
    protocol : Protocol
        The trial's rules.

    Returns
    -------
    float
    """
    rows, cols = rectified.pixels.shape[:2]
    middle = rectified.to_photo_px(np.array([[(cols - 1) / 2, (rows - 1) / 2]]))[0]
    rules = protocol.measurement
    return max(rules.detection_limit_min_mm, rules.detection_limit_min_px / rectified.calibration.px_per_mm(middle))


def _segment_automatically(rectified: RectifiedPhoto, model: Model, protocol: Protocol) -> Segmentation:
    view, logits, finds = find_ulcers(rectified, model=model)
    sure: list[PassResult] = []
    possible: list[PassResult] = []
    for find in finds:
        # The second pass may enlarge a find; half the limit is never lifted over it (assumption).
        if find.extent * rectified.spacing_mm >= 0.5 * protocol.measurement.detection_limit_min_mm:
            cut, refined, found = refine_find(rectified, find, first_pass=(view, logits), model=model)
            kept = [one for one in found if _reaches_limit(one, rectified, protocol)]
            sure += _trusted((cut, refined, kept))
            if photo_px_per_mm(rectified, find.centre) >= protocol.gates.px_per_mm_min:
                possible += _trusted((cut, refined, kept), least=POSSIBLE_CONFIDENCE)
    results = [(view, logits, []), *(sure or possible)]
    return _assemble(rectified, results, model, possible=bool(possible and not sure))


def _trusted(result: PassResult, **least: float) -> list[PassResult]:
    """Return a pass with those of its finds that are sure enough; none where there is no such find."""
    view, logits, finds = result
    kept = [find for find in finds if is_trusted(find.confidence, find.peak, **least)]
    return [(view, logits, kept)] if kept else []


def _ulcers_of(rectified: RectifiedPhoto, result: PassResult, model: Model, protocol: Protocol) -> PassResult:
    view, logits, finds = keep_ulcers(rectified, result, model=model)
    return view, logits, [find for find in finds if _reaches_limit(find, rectified, protocol)]


def _reaches_limit(find: Find, rectified: RectifiedPhoto, protocol: Protocol) -> bool:
    """Whether a find is as long as the detection limit, and no mere line: half the disc of that diameter in area."""
    limit = detection_limit_mm(rectified, protocol=protocol) / rectified.spacing_mm
    return find.longest >= limit and find.area >= math.pi / 4 * limit**2 * _LEAST_OF_DISC


def _assemble(
    rectified: RectifiedPhoto,
    results: Sequence[PassResult],
    model: Model,
    *,
    prompt: str = "",
    possible: bool = False,
) -> Segmentation:
    finds = sorted(drop_repeats([find for _, _, found in results for find in found]), key=lambda find: -find.area)
    view_of = {id(find): (view, logits) for view, logits, found in results for find in found}
    shape = rectified.pixels.shape[:2]
    probability = np.zeros(shape, np.float32)
    for view, logits, found in results:
        _paste(probability, view, model.probability(logits), found)
    labels = np.zeros(shape, np.int32)
    for label, find in reversed(list(enumerate(finds, start=1))):
        labels[polygon_region(shape, find.outline) > 0] = label
    return Segmentation(
        rectified=rectified,
        labels=labels,
        probability=probability,
        outlines=tuple(rectified.to_photo_px(find.outline) for find in finds),
        confidence=tuple(round(float(find.confidence), 4) for find in finds),
        touches_border=tuple(touches_border(rectified, find.outline) for find in finds),
        source=OutlineSource.NETWORK,
        prompt=prompt,
        possible=possible,
        rims=tuple(measure_rim(find, *view_of[id(find)], model=model) for find in finds),
    )


def _paste(probability: NDArray[np.float32], view: View, values: NDArray[np.float32], finds: Sequence[Find]) -> None:
    """Write a view's probabilities into the window: all of the view, or only the surroundings of its finds."""
    rows, cols = probability.shape
    for left, top, right, bottom in [_surroundings(find, cols, rows) for find in finds] or [_covered(view, cols, rows)]:
        scale, (x, y) = 1 / view.step, view.from_window(np.array([[left, top]]))[0]
        matrix = np.array([[scale, 0, x], [0, scale, y]])
        size = (max(right - left, 1), max(bottom - top, 1))
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        probability[top:bottom, left:right] = cv2.warpAffine(
            values, matrix, size, flags=how, borderMode=cv2.BORDER_REPLICATE
        )


def _covered(view: View, cols: int, rows: int) -> tuple[int, int, int, int]:
    """Window pixels that a view covers: left, top, right, bottom."""
    high, wide = view.pixels.shape[:2]
    corners = view.to_window(np.array([[-0.5, -0.5], [wide - 0.5, high - 0.5]]))
    (left, top), (right, bottom) = np.round(corners + 0.5).astype(int)
    return max(int(left), 0), max(int(top), 0), min(int(right), cols), min(int(bottom), rows)


def _surroundings(find: Find, cols: int, rows: int) -> tuple[int, int, int, int]:
    margin = _MARGIN * find.extent + _MARGIN_PX
    left, top = np.floor(find.outline.min(0) - margin).astype(int)
    right, bottom = np.ceil(find.outline.max(0) + margin).astype(int) + 1
    return max(int(left), 0), max(int(top), 0), min(int(right), cols), min(int(bottom), rows)


def touches_border(rectified: RectifiedPhoto, outline: Points) -> bool:
    """Whether an outline in window pixels comes within 1.5 px of the window's or the photo's edge.

    Parameters
    ----------
    rectified : RectifiedPhoto
        The window seen square on.
    outline : float64 (K, 2)
        (x, y), window px.

    Returns
    -------
    bool
        Of the window or of the photo.
    """
    rows, cols = rectified.pixels.shape[:2]
    on_photo = rectified.to_photo_px(outline)
    high = np.array(rectified.calibration.shape[::-1]) - 1
    return bool(
        (outline < _NEAR_EDGE_PX).any()
        or (outline > np.array([cols, rows]) - 1 - _NEAR_EDGE_PX).any()
        or (on_photo < _NEAR_EDGE_PX).any()
        or (on_photo > high - _NEAR_EDGE_PX).any()
    )


def _shares(mask: Mask | Reals) -> Mask | Reals:
    """Return a mask of two values as bool, one of shares as it is."""
    given: NDArray[Any] = np.asarray(mask)
    if given.dtype == bool or (given.dtype.kind == "f" and given.min(initial=0) >= 0 and given.max(initial=0) <= 1):
        return given
    values = np.unique(given)
    if len(values) > 2 or not np.isfinite(values).all() or (len(values) == 2 and values[0] != 0):
        raise PhotoError(
            Problem(
                expected="a mask of two values, or of shares in 0..1",
                got=f"{len(values)} values from {values[0]:g} to {values[-1]:g}",
                action="give bool, or float divided by the value of a full pixel",
            )
        )
    return np.asarray(given > 0)


def _box_corners(box: tuple[float, float, float, float]) -> Points:
    x, y, width, height = (float(v) for v in box)
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]])


def _check_prompts(rectified: RectifiedPhoto, *, as_truth: bool, **prompts: Any) -> None:
    given = [name for name, value in prompts.items() if value is not None]
    if len(given) > 1:
        raise PhotoError(
            Problem(expected=f"one of {', '.join(prompts)}", got=f"{' and '.join(given)}", action="give one")
        )
    if as_truth and not set(given) & {"outline", "mask", "tracing"}:
        raise PhotoError(
            Problem(
                expected="an outline, a mask or a tracing with as_truth",
                got="none",
                action="give it, or leave as_truth",
            )
        )
    click, box, mask = prompts["click"], prompts["box"], prompts["mask"]
    if click is not None:
        _check_points(rectified, np.asarray(click, dtype=np.float64), shape=(2,), name="click (x, y)")
    if box is not None:
        _check_box(rectified, box)
    for outline in _listed(prompts["outline"]) + _listed(prompts["tracing"]):
        _check_points(rectified, outline, shape=(len(outline), 2), name="outline of (x, y) points")
        if len(outline) < 3:
            raise PhotoError(Problem(expected="an outline of at least 3 points", got=str(len(outline))))
    if mask is not None and np.shape(mask) != tuple(rectified.calibration.shape):
        raise PhotoError(
            Problem(
                expected=f"a mask as large as the photo, {tuple(rectified.calibration.shape)}",
                got=str(np.shape(mask)),
                action=f"draw it on the upright photo (the file's EXIF orientation is {rectified.photo.orientation})",
            )
        )


def _check_box(rectified: RectifiedPhoto, box: tuple[float, float, float, float]) -> None:
    values = np.asarray(box, dtype=np.float64)
    if values.shape != (4,) or not np.isfinite(values).all() or min(values[2:]) <= 0:
        raise PhotoError(Problem(expected="a box x, y, width, height with a positive size", got=str(box)))
    _check_points(rectified, values[:2] + values[2:] / 2, shape=(2,), name="box with its middle")


def _check_points(rectified: RectifiedPhoto, points: Points, *, shape: tuple[int, ...], name: str) -> None:
    rows, cols = rectified.calibration.shape
    middle = np.atleast_2d(points).mean(0) if points.shape == shape else np.full(2, np.nan)
    if not np.isfinite(points).all() or not (-0.5 <= middle[0] <= cols - 0.5 and -0.5 <= middle[1] <= rows - 0.5):
        raise PhotoError(
            Problem(
                expected=f"a {name} on the photo of {cols} by {rows} pixels",
                got=f"{np.array2string(np.ravel(points)[:4], precision=1)}",
            )
        )
