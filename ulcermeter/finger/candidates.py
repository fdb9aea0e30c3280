"""The fingers of a photo on which nothing is pointed at: the network is asked all over it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import compress

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Calibration, RectifiedPhoto
from ulcermeter.finger.likely_skin import LikelySkin, likely_skin
from ulcermeter.finger.network import Answer, ask, load_finger_model
from ulcermeter.finger.pointed import (
    EXPECTED_WIDTH_MM,
    MIDDLE_OF_END,
    MIN_TIP,
    at_point,
    is_named_again,
    point_out_finger,
    tip_and_direction,
)
from ulcermeter.finger.views import FINGER_PX, Matrix, Pixels, cut_view, view_matrix
from ulcermeter.geometry import shrunken
from ulcermeter.networks.engine import OpenNetwork

__all__ = ["FingerEnd", "finger_ends"]

Floats = NDArray[np.float64]

# Points that are asked, mm apart: two or more on each end phalanx; and how many at most on all of the photo.
_APART_MM, _MOST_POINTS, _BATCH = 10.0, 500, 16
# How sure of a finger the network must be for its answer to be asked again from the end that it names.
_LEAST_FINGER = 0.5
# The photo is looked at with so many pixels a finger's width.
_WIDTH_PX = 36.0
# Tips that lie nearer than this, in widths, are one finger's; a tip that more of the points name is looked at first.
_ONE_TIP = 0.7
# Of an end that nobody pointed at: how often it must be named again and how surely; how many points must name it, or
# which share of what most points name; and its width beside the median of all. On 8 real open hands it keeps 30 tips of
# 40 and none that is false; before, a confidence of .33 kept 21 and 9 false ones.
_TIMES_NAMED, _LEAST_CONFIDENCE = 2, 0.15
_ENOUGH_POINTS, _SHARE_OF_MOST, _NARROWEST = 4, 0.5, 0.7
# Of an end that is not named again: how many points name it for it to make a person be asked which finger is meant.
# Of 30 drawn photos of several fingers three would else be measured at the one finger found; of 24 of one, none is
# asked.
_DOUBTED_BY = 2
# Which part of the photo's shorter side a finger has that fills the photo, widths: beside it one does not count whose
# end phalanx has its middle so near to the border, or nearer, while its own lies further in: assumption.
_FILLS, _AT_BORDER, _INSIDE = 0.2, 0.4, 0.75
# A tip so near, in widths, to one that was not named again puts the same question. Of 75 tips on 15 real open hands 62
# are found with and without it; within .05 two fewer, so another try from a little aside does find some.
_SAME_QUESTION = 0.03
# How straight a finger with two ends is, and how long at most, widths: assumption.
_STRAIGHT_DEG, _LONGEST = 25.0, 7.0


@dataclass(frozen=True)
class FingerEnd:
    """The end of a finger that nobody pointed at; photo px.

    Attributes
    ----------
    at_px : (float, float)
        The middle of its end phalanx: where to point.
    tip_px : (float, float)
    width_px : float
    confidence : float
        See `PointedFinger`.
    sure : bool
        Whether the network names it again. What it does not is no finger to measure; beside one it leaves open which
        is meant.
    """

    at_px: tuple[float, float]
    tip_px: tuple[float, float]
    width_px: float
    confidence: float
    sure: bool = True

    @property
    def inwards(self) -> Floats:
        """Unit vector from the tip towards the hand, (2,)."""
        way = np.subtract(self.at_px, self.tip_px)
        return np.asarray(way / np.hypot(*way))


def finger_ends(
    rectified: RectifiedPhoto,
    *,
    box: tuple[float, float, float, float] | None = None,
    skin: LikelySkin | None = None,
) -> tuple[FingerEnd, ...]:
    """Find the ends of all fingers of a photo, or of a box of it, where it may show skin.

    Parameters
    ----------
    rectified : RectifiedPhoto
        Its photo is looked at, not its window.
    box : (x, y, width, height), optional
        Photo px; only fingers whose end phalanx has its middle in it.
    skin : LikelySkin, optional
        Of the photo, where it is known.

    Returns
    -------
    tuple of FingerEnd
        The surest first; beside them those that are not sure. Those whose tip is out of view, or under the reference,
        are not among them.
    """
    model = load_finger_model()
    small = _small(rectified, box, skin)
    if small is None:
        return ()
    found: list[_Backed] = []
    doubted: list[_Backed] = []
    denied: list[Floats] = []
    for tip, inwards, width, backing in _votes(small, model):
        if _is_known(tip, found) or any(np.hypot(*(tip - one)) < _SAME_QUESTION * width for one in denied):
            continue
        end = _confirmed(small, tip, inwards, width, model=model)
        if end is None or not end.sure:
            denied.append(tip)
        if end is not None and not _is_known(np.array(end.tip_px), found):
            (found if end.sure else doubted).append(_Backed(end, backing))
    ends = _in_question(_true_ends(_trusted(found)), doubted)
    if box is None:
        ends = _filling(ends, small.reference.shape)
    on_photo = [small.on_photo(one) for one in sorted(ends, key=lambda one: (not one.sure, -one.confidence))]
    return tuple(one for one in on_photo if box is None or _inside(one.at_px, box))


@dataclass(frozen=True)
class _Backed:
    """An end in small pixels, and how many of the points asked name its tip."""

    end: FingerEnd
    backing: int


@dataclass(frozen=True)
class _Small:
    """A photo made small: pixels, where its reference and its skin are, and from its pixels to the photo's."""

    pixels: Pixels
    reference: NDArray[np.bool_]
    skin: LikelySkin
    corner_px: Floats
    step: float

    def to_photo(self, point: Floats) -> tuple[float, float]:
        x, y = (np.asarray(point) + 0.5) * self.step + self.corner_px - 0.5
        return float(x), float(y)

    def on_photo(self, end: FingerEnd) -> FingerEnd:
        at, tip = (self.to_photo(np.array(point)) for point in (end.at_px, end.tip_px))
        return FingerEnd(at, tip, end.width_px * self.step, end.confidence, end.sure)


def _small(
    rectified: RectifiedPhoto, box: tuple[float, float, float, float] | None, skin: LikelySkin | None
) -> _Small | None:
    photo, calibration = rectified.photo.pixels, rectified.calibration
    rows, cols = photo.shape[:2]
    x, y, width, height = box or (0.0, 0.0, float(cols), float(rows))
    scale = calibration.px_per_mm(np.array([x + width / 2, y + height / 2]))
    if not (np.isfinite(scale) and scale > 0.5):
        return None
    margin = 2 * EXPECTED_WIDTH_MM * scale if box else 0.0
    left, top = max(int(x - margin), 0), max(int(y - margin), 0)
    part = photo[top : int(y + height + margin) + 1, left : int(x + width + margin) + 1]
    step = max(1.0, EXPECTED_WIDTH_MM * scale / _WIDTH_PX)
    size = tuple(max(round(n / step), 8) for n in part.shape[1::-1])
    pixels = shrunken(part, (size[0], size[1]))
    corner = np.array([left, top], dtype=np.float64)
    hidden = _reference(calibration, corner, step, pixels.shape)
    if hidden.any():
        # Painted over with what is round it: a finger runs on under the reference.
        around = cv2.dilate(hidden.astype(np.uint8), np.ones((3, 3), np.uint8))
        pixels = cv2.inpaint(pixels, around, 3, cv2.INPAINT_TELEA)
    return _Small(pixels.astype(np.uint8), hidden, skin or likely_skin(rectified.photo, calibration), corner, step)


def _reference(calibration: Calibration, corner: Floats, step: float, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    inside = np.zeros(shape[:2], np.uint8)
    if len(calibration.reference_outline_px) > 2:
        outline = (calibration.reference_outline_px + 0.5 - corner) / step - 0.5
        cv2.fillPoly(inside, [np.rint(outline).astype(np.int32)], 1)
    return inside > 0


def _votes(small: _Small, model: OpenNetwork) -> Iterator[tuple[Floats, Floats, float, int]]:
    """Yield tips, directions, widths (small pixels) and how many points name them, those that most name first."""
    answers = [(one, matrix) for one, matrix in _asked(small, model) if _is_end(one)]
    proposals = []
    for answer, matrix in answers:
        tip, inwards = tip_and_direction(answer)
        place = np.linalg.solve(matrix[:, :2], tip - matrix[:, 2])
        scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
        proposals.append((place, np.array(inwards), FINGER_PX * float(np.exp(answer.log_width)) / scale))
    tips = np.array([tip for tip, _, _ in proposals]).reshape(-1, 2)
    backing = [int((np.hypot(*(tips - tip).T) < _ONE_TIP * width).sum()) for tip, _, width in proposals]
    for index in np.argsort(-np.array(backing, dtype=np.float64), kind="stable"):
        yield *proposals[index], backing[index]


def _is_end(answer: Answer) -> bool:
    return answer.finger >= _LEAST_FINGER and answer.tip_in_view >= MIN_TIP and at_point(answer) >= 0.5


def _asked(small: _Small, model: OpenNetwork) -> Iterator[tuple[Answer, Matrix]]:
    rows, cols = small.reference.shape
    apart = max(_APART_MM / EXPECTED_WIDTH_MM * _WIDTH_PX, float(np.sqrt(rows * cols / _MOST_POINTS)))
    xs, ys = (np.arange(apart / 2, size, apart) for size in (cols, rows))
    points = [(float(x), float(y)) for y in ys for x in xs if not small.reference[int(y), int(x)]]
    near = small.skin.near(np.array([small.to_photo(np.array(point)) for point in points]).reshape(-1, 2))
    matrices = [view_matrix(point, scale=FINGER_PX / _WIDTH_PX) for point in compress(points, near)]
    for start in range(0, len(matrices), _BATCH):
        some = matrices[start : start + _BATCH]
        yield from zip(ask([cut_view(small.pixels, one) for one in some], model=model), some, strict=True)


def _confirmed(small: _Small, tip: Floats, inwards: Floats, width: float, *, model: OpenNetwork) -> FingerEnd | None:
    """Ask in the middle of the end phalanx and on either side of it; sure where the same tip is named each time."""
    x, y = (float(v) for v in tip + MIDDLE_OF_END * width * inwards)
    rows, cols = small.reference.shape
    if not (0 <= x < cols and 0 <= y < rows):
        return None
    spacing_mm = EXPECTED_WIDTH_MM / _WIDTH_PX
    again = point_out_finger(small.pixels, at_px=(x, y), spacing_mm=spacing_mm, model=model)
    if again is None or again.tip_px is None or again.confidence < _LEAST_CONFIDENCE:
        return None
    sure = np.hypot(*(np.array(again.tip_px) - tip)) < _ONE_TIP * again.width_px and is_named_again(
        small.pixels, again, spacing_mm=spacing_mm, times=_TIMES_NAMED, model=model
    )
    x, y = (float(v) for v in np.add(again.tip_px, MIDDLE_OF_END * again.width_px * np.array(again.inwards)))
    return FingerEnd((x, y), again.tip_px, again.width_px, again.confidence, bool(sure))


def _is_known(tip: Floats, found: list[_Backed]) -> bool:
    return any(np.hypot(*(tip - one.end.tip_px)) <= _ONE_TIP * one.end.width_px for one in found)


def _trusted(found: list[_Backed]) -> list[FingerEnd]:
    """Leave out what few points name beside what most do, and what is far narrower than the others."""
    most = max((one.backing for one in found), default=0)
    ends = [one.end for one in found if one.backing >= min(_ENOUGH_POINTS, _SHARE_OF_MOST * most)]
    usual = float(np.median([end.width_px for end in ends])) if ends else 0.0
    return [end for end in ends if end.width_px >= _NARROWEST * usual]


def _in_question(ends: list[FingerEnd], doubted: list[_Backed]) -> list[FingerEnd]:
    """Add to the ends of fingers those in doubt that several points name and that are no part of one of them."""
    if not ends:
        return []
    others = (one.end for one in doubted if one.backing >= _DOUBTED_BY)
    return [*ends, *(one for one in others if not any(_lies_along(one, end) for end in ends))]


def _lies_along(one: FingerEnd, end: FingerEnd) -> bool:
    """Say whether an end's tip lies on another's finger, or at its tip."""
    away = np.subtract(one.tip_px, end.tip_px) / end.width_px
    along, across = float(away @ end.inwards), float(abs(away @ (-end.inwards[1], end.inwards[0])))
    return -1 < along < _LONGEST and across < 1


def _filling(ends: list[FingerEnd], shape: tuple[int, ...]) -> list[FingerEnd]:
    """Leave out neighbours of which the photo's border cuts off all but a sliver, beside one that fills the photo."""
    inside = [_from_border(end, shape) for end in ends]
    main = [end for end, away in zip(ends, inside, strict=True) if away > _AT_BORDER]
    if len(main) != 1 or not main[0].sure or main[0].width_px < _FILLS * min(shape):
        return ends
    return main if _from_border(main[0], shape) > _INSIDE else ends


def _from_border(end: FingerEnd, shape: tuple[int, ...]) -> float:
    """Return how far the middle of an end phalanx lies from the border of a picture (M, N), in widths."""
    x, y = end.at_px
    rows, cols = shape
    return min(x, y, cols - 1 - x, rows - 1 - y) / end.width_px


def _true_ends(ends: list[FingerEnd]) -> list[FingerEnd]:
    """Leave out the hand's end of a finger whose tip is among the ends: a sleeve or the photo's border cuts it off.

    Each lies where the other points, and the hand's end is the wider: fingers taper.
    """
    return [one for one in ends if not any(_other_end(one, end) and end.width_px < one.width_px for end in ends)]


def _other_end(one: FingerEnd, end: FingerEnd) -> bool:
    """Say whether two ends are those of one straight finger."""
    line = np.subtract(one.tip_px, end.tip_px)
    apart, straight = float(np.hypot(*line)), np.cos(np.radians(_STRAIGHT_DEG))
    if not 0 < apart < _LONGEST * end.width_px:
        return False
    return bool(end.inwards @ line > straight * apart and one.inwards @ -line > straight * apart)


def _inside(point: tuple[float, float], box: tuple[float, float, float, float]) -> bool:
    x, y, width, height = box
    return x <= point[0] <= x + width and y <= point[1] <= y + height
