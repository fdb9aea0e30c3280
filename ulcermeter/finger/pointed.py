"""The one finger that a person, a box or a find points at: its mask, tip and direction, apart from its neighbours."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.finger.network import Answer, ask_turned, load_finger_model
from ulcermeter.finger.views import FINGER_PX, VIEW_PX, Matrix, Pixels, cut_view, view_matrix
from ulcermeter.networks.engine import OpenNetwork

__all__ = ["PointedFinger", "is_named_again", "is_named_all_round", "point_out_finger"]

# Breadth of a grown person's finger at its last joint, mm: assumption, 13 (little, woman) to 22 (thumb, man).
EXPECTED_WIDTH_MM = 16.0
# A view in which the finger is this much wider or narrower than expected, as a logarithm, is cut again.
GOOD_SCALE = 0.12
# Widths that are tried where the scale is not known, shares of the photo's longer side.
TRIED_WIDTHS = tuple(0.035 * 1.5**k for k in range(7))
# How far behind the tip the mask says the direction, in widths, and from which ratio of its variances it is long.
AXIS_WIDTHS, LONG = 2.0, 1.6
TIP_MARGIN_PX = 5
# The mask's end: its first pixels but a few stray ones, and how much of it tells its middle.
END_QUANTILE, END_WIDTHS, FAR_WIDTHS, MIN_END_PX = 0.005, 0.3, 0.8, 10
RESCALINGS, MAX_DRIFT, FIT_SD = 2, 0.8, 0.35
# How sure the network must be that a finger is at the point. Over this lie all points on end phalanges held out (150
# drawn, 105 of real open hands, 108 of phantoms) and 3 in 100 on those hands' palms; over .5 lies a third of these.
MIN_FINGER = 0.85
# How sure it must be that the tip is in view. Of 272 drawn tips held out .5 leaves 7 out and .4 two; of 184 hidden ones
# a tip is named for 43 and 55, which `is_named_again` is there for.
MIN_TIP = 0.4
# How far apart the mask's direction and the network's own number are where neither is believed: five of the 25 grossly
# wrong answers on 917 drawn fingers are so far apart, and five of the 813 right ones.
CONTRADICTION_DEG = 60.0
# Where a tip is asked for once more, in widths behind it: the middle of the end phalanx.
MIDDLE_OF_END = 0.75
# Where a finger is asked for once more, in widths behind the tip named, and how alike the answers must be (widths,
# degrees). How confident the first must be by how many of the two agree: of 101 right answers on real open hands this
# keeps 99, of 241 on drawn ones held out 237 (a confidence of .35 alone 64 and 221), of 3 and 9 grossly wrong 0 and 6.
_AGAIN, _ALIKE = (0.4, 1.2), (0.35, 20.0)
_LEAST_CONFIDENCE = (2.0, 0.22, 0.15)
# From where a finger is asked for at which nobody pointed, widths behind the tip on the axis and on either side of it,
# and how alike each answer must be (widths, degrees). Of what was located on 320 drawn photos with nothing pointed at
# these, and a tip beyond the border, leave out 3 of 91 right ones, 4 of 25 that are off and 8 of 16 wrong ones; of real
# close-ups 3 of 85, all right. Were no answer from aside to count too: 11, 10, 8, and 14 of 85.
_ALL_ROUND, _MUCH_ALIKE = ((0.25, 0.0), (1.0, 0.0), (1.3, 0.0), (0.75, -0.25), (0.75, 0.25)), (0.3, 30.0)
QUICK = ((0, False),)
TURNS = ((0, False), (1, True), (2, False), (3, True))


@dataclass(frozen=True)
class PointedFinger:
    """A finger as the network sees it round a point; px of the picture given, from the first pixel's centre.

    Attributes
    ----------
    at_px : (float, float)
        The point.
    probability : float32 (M, N)
        That a pixel shows this finger. It reaches about two widths from the point; beyond it is 0.
    inwards : (float, float)
        Unit vector from the tip towards the hand.
    width_px : float
        Across the finger.
    tip_px : (float, float) or None
        Middle of its end, a long nail's included; None where it is out of view or hidden.
    confidence : float
        The least of three, 0..1: that a finger is here, that the tip is where it is said to be (or rightly out of
        view), and how decided the mask is. 0 where the network says two directions.
    """

    at_px: tuple[float, float]
    probability: NDArray[np.float32] = field(repr=False)
    inwards: tuple[float, float]
    width_px: float
    tip_px: tuple[float, float] | None
    confidence: float

    @property
    def mask(self) -> NDArray[np.bool_]:
        """The finger's pixels, bool (M, N)."""
        return self.probability > 0.5

    @property
    def tip_in_view(self) -> bool:
        """Whether the tip shows."""
        return self.tip_px is not None


def point_out_finger(
    pixels: Pixels,
    *,
    at_px: tuple[float, float],
    spacing_mm: float | None = None,
    model: OpenNetwork | None = None,
) -> PointedFinger | None:
    """Find the finger at a point.

    A view is cut round the point in which a finger of `EXPECTED_WIDTH_MM` is 28 px wide, and cut again at the scale
    that the network asks for; where the scale is not known, several are tried and the one that fits best is taken. The
    last view is looked at in four turns.

    Parameters
    ----------
    pixels : uint8 (M, N, 3)
        A photo or any part of one, sRGB.
    at_px : (float, float)
        x, y from the first pixel's centre.
    spacing_mm : float, optional
        Millimetres in a pixel at the finger; default not known.
    model : OpenNetwork, optional
        Default the shipped one.

    Returns
    -------
    PointedFinger or None
        None where no finger is at the point.
    """
    network = model or load_finger_model()
    width = EXPECTED_WIDTH_MM / spacing_mm if spacing_mm else _likely_width(pixels, at_px, network)
    for _ in range(RESCALINGS):
        drift = _ask(pixels, at_px, width, network, QUICK)[0].log_width
        width *= math.exp(float(np.clip(drift, -MAX_DRIFT, MAX_DRIFT)))
        if abs(drift) < GOOD_SCALE:
            break
    answer, matrix = _ask(pixels, at_px, width, network, TURNS)
    if answer.finger < MIN_FINGER or at_point(answer) < 0.5:
        return None
    return _in_picture(answer, matrix, pixels.shape[:2], width_px=width * math.exp(answer.log_width))


def is_named_again(
    pixels: Pixels,
    pointed: PointedFinger,
    *,
    spacing_mm: float,
    times: int | None = None,
    model: OpenNetwork | None = None,
) -> bool:
    """Say whether a tip is to be trusted: the network, asked again, names it, and the more surely the less often.

    It is asked nearer to the tip that it named and further from it, and no more often than can change the answer. A
    nail taken for a finger, or a finger seen from its wrong end, is seldom named again.

    Parameters
    ----------
    pixels : uint8 (M, N, 3)
        What `point_out_finger` was given.
    pointed : PointedFinger
        What it returned.
    spacing_mm : float
        Millimetres in a pixel at the finger.
    times : int, optional
        How often of two it must be named; default by how sure the first answer was.
    model : OpenNetwork, optional
        Default the shipped one.

    Returns
    -------
    bool
        False also where no tip is in view.
    """
    wanted = _times_wanted(pointed.confidence) if times is None else times
    if pointed.tip_px is None or wanted is None:
        return False
    agreeing = 0
    for left, behind in zip(range(len(_AGAIN), 0, -1), _AGAIN, strict=True):
        if not 0 < wanted - agreeing <= left:
            break
        x, y = np.array(pointed.tip_px) + behind * pointed.width_px * np.array(pointed.inwards)
        again = point_out_finger(pixels, at_px=(float(x), float(y)), spacing_mm=spacing_mm, model=model)
        agreeing += again is not None and _alike(pointed, again)
    return agreeing >= wanted


def is_named_all_round(
    pixels: Pixels, pointed: PointedFinger, *, spacing_mm: float, model: OpenNetwork | None = None
) -> bool:
    """Say whether a tip may be trusted though nobody pointed at its finger: it is named from wherever one asks.

    The hand's end of a finger, a ring's edge or a piece of ground is taken for a fingertip from some places and not
    from right behind it, from further up and from either side. How sure the network is does not count, nor that it sees
    no finger at a point aside of the axis.

    Parameters
    ----------
    pixels, pointed, spacing_mm, model
        See `is_named_again`.

    Returns
    -------
    bool
        False also where no tip is in view.
    """
    if pointed.tip_px is None:
        return False
    way, limit = np.array(pointed.inwards), np.array(pixels.shape[1::-1]) - 1
    places = pointed.tip_px + pointed.width_px * np.array(_ALL_ROUND) @ np.array([way, [-way[1], way[0]]])
    for (x, y), (_, aside) in zip(places, _ALL_ROUND, strict=True):
        if not (0 <= x <= limit[0] and 0 <= y <= limit[1]):
            continue
        again = point_out_finger(pixels, at_px=(float(x), float(y)), spacing_mm=spacing_mm, model=model)
        named = aside != 0 if again is None else _alike(pointed, again, limits=_MUCH_ALIKE)
        if not named:
            return False
    return True


def _times_wanted(confidence: float) -> int | None:
    """Return how often a tip must be named again; None where no number would do."""
    return next((times for times, least in enumerate(_LEAST_CONFIDENCE) if confidence >= least), None)


def _alike(one: PointedFinger, other: PointedFinger, *, limits: tuple[float, float] = _ALIKE) -> bool:
    if one.tip_px is None or other.tip_px is None:
        return False
    apart = math.dist(one.tip_px, other.tip_px) / one.width_px
    turn = float(np.dot(one.inwards, other.inwards))
    return apart < limits[0] and turn > math.cos(math.radians(limits[1]))


def _ask(
    pixels: Pixels,
    at_px: tuple[float, float],
    width_px: float,
    model: OpenNetwork,
    turns: tuple[tuple[int, bool], ...],
) -> tuple[Answer, Matrix]:
    matrix = view_matrix(at_px, scale=FINGER_PX / width_px)
    return ask_turned(cut_view(pixels, matrix), model=model, turns=turns), matrix


def _likely_width(pixels: Pixels, at_px: tuple[float, float], model: OpenNetwork) -> float:
    """Return the width (px) at which the network sees most surely a finger of the expected width."""
    longer = max(pixels.shape[:2])
    answers = [(share * longer, _ask(pixels, at_px, share * longer, model, QUICK)[0]) for share in TRIED_WIDTHS]
    width, best = max(answers, key=lambda pair: pair[1].finger * math.exp(-((pair[1].log_width / FIT_SD) ** 2)))
    return float(width) * math.exp(float(np.clip(best.log_width, -MAX_DRIFT, MAX_DRIFT)))


def _in_picture(answer: Answer, matrix: Matrix, shape: tuple[int, ...], *, width_px: float) -> PointedFinger:
    rows, cols = shape[:2]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    probability = cv2.warpAffine(np.ascontiguousarray(answer.mask), matrix, (cols, rows), flags=flags)
    has_tip = answer.tip_in_view >= MIN_TIP
    inwards, tip = _inwards(answer, has_tip), None
    if has_tip:
        x, y = np.linalg.solve(matrix[:, :2], _tip(answer, inwards) - matrix[:, 2])
        tip = (float(x), float(y))
    x, y = np.linalg.solve(matrix[:, :2], np.full(2, (VIEW_PX - 1) / 2) - matrix[:, 2])
    # The view is never turned: directions in it are directions in the picture.
    return PointedFinger(
        at_px=(float(x), float(y)),
        probability=probability.astype(np.float32),
        inwards=inwards,
        width_px=width_px,
        tip_px=tip,
        confidence=_confidence(answer, inwards),
    )


def tip_and_direction(answer: Answer) -> tuple[NDArray[np.float64], tuple[float, float]]:
    """Return where a view's finger ends, x, y in view pixels (2,), and its unit direction inwards.

    Parameters
    ----------
    answer : Answer
        What the network says of a view.

    Returns
    -------
    float64 (2,), (float, float)
    """
    inwards = _inwards(answer, True)
    return _tip(answer, inwards), inwards


def _tip(answer: Answer, inwards: tuple[float, float]) -> NDArray[np.float64]:
    """Return x, y in the view of the tip: half-way between the tip map's peak and the end of the mask on the axis.

    On real fingers of open hands the peak lies 0.15 widths beside the axis in the median, the end 0.05; on drawn ones
    the end is off more often where a neighbour covers it. Where they are far apart the peak counts.
    """
    peak, width = _peak(_own_tip(answer)), FINGER_PX * math.exp(answer.log_width)
    end = _mask_end(answer, peak, np.array(inwards), width)
    return peak if end is None or np.hypot(*(end - peak)) > FAR_WIDTHS * width else 0.5 * (peak + end)


def _mask_end(
    answer: Answer, peak: NDArray[np.float64], inwards: NDArray[np.float64], width: float
) -> NDArray[np.float64] | None:
    """Return the middle of the mask's end, within two widths of the peak; None where the mask has nothing there."""
    rows, cols = np.nonzero(answer.mask > 0.5)
    away = np.column_stack([cols, rows]) - peak
    near = away[np.hypot(away[:, 0], away[:, 1]) < AXIS_WIDTHS * width]
    if len(near) < MIN_END_PX:
        return None
    side = np.array([-inwards[1], inwards[0]])
    along, across = near @ inwards, near @ side
    first = float(np.quantile(along, END_QUANTILE))
    ending = across[along < first + END_WIDTHS * width]
    return peak + first * inwards + 0.5 * float(ending.min() + ending.max()) * side


def _inwards(answer: Answer, has_tip: bool) -> tuple[float, float]:
    """Return the direction inwards: the long axis of the mask within two widths of the tip (all of it without one).

    Where the mask is hardly longer than wide there, the line from the tip to its middle. The network's own number only
    says which way, where no tip is in view. On 168 real fingers of open hands the long axis was within 15 degrees of
    the line to the middle joint for 97 of 100, the line to the middle for 65, the network's number for 38.
    """
    tip, reach = _peak(_own_tip(answer)), AXIS_WIDTHS * FINGER_PX * math.exp(answer.log_width)
    y, x = np.mgrid[: answer.mask.shape[0], : answer.mask.shape[1]]
    share = answer.mask * (answer.mask > 0.5)
    if has_tip:
        share = share * (np.hypot(x - tip[0], y - tip[1]) < reach)
    if share.sum() < 1:
        return answer.inwards
    middle = np.array([(x * share).sum(), (y * share).sum()]) / share.sum()
    way = middle - tip if has_tip else np.array(answer.inwards)
    away = np.stack([x - middle[0], y - middle[1]], axis=-1).reshape(-1, 2)
    spread, axes = np.linalg.eigh((away * share.reshape(-1, 1)).T @ away)
    if spread[1] > LONG * spread[0]:
        way = axes[:, 1] * (1.0 if axes[:, 1] @ way >= 0 else -1.0)
    way = way / max(float(np.hypot(*way)), 1e-9)
    return float(way[0]), float(way[1])


def _own_tip(answer: Answer) -> NDArray[np.float32]:
    """Return the tip's map where this finger's mask reaches, give or take a sixth of its width: no neighbour's tip."""
    reach = np.ones((2 * TIP_MARGIN_PX + 1,) * 2, np.uint8)
    near = cv2.dilate(np.ascontiguousarray(answer.mask), reach)
    return np.asarray(answer.tip * cv2.resize(near, answer.tip.shape[::-1], interpolation=cv2.INTER_AREA))


def _peak(tip: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return x, y in view pixels of the tip map's peak: the centre of mass of its neighbourhood."""
    row, col = np.unravel_index(int(tip.argmax()), tip.shape)
    top, left = max(int(row) - 3, 0), max(int(col) - 3, 0)
    part = tip[top : int(row) + 4, left : int(col) + 4] ** 2
    y, x = np.mgrid[top : top + part.shape[0], left : left + part.shape[1]]
    centre = np.array([(x * part).sum(), (y * part).sum()]) / max(float(part.sum()), 1e-12)
    return 2 * centre + 0.5


def at_point(answer: Answer) -> float:
    """Return the mask's height within three view pixels of the point, a tenth of a finger's width.

    Parameters
    ----------
    answer : Answer
        What the network says of a view.

    Returns
    -------
    float
        0..1.
    """
    middle = answer.mask.shape[0] // 2
    return float(answer.mask[middle - 3 : middle + 3, middle - 3 : middle + 3].max())


def _confidence(answer: Answer, inwards: tuple[float, float]) -> float:
    """Return the least of: finger, tip (its map's height, or that it is out of view), mask (how decided).

    0 where the mask and the network's own number say two directions.
    """
    has_tip = answer.tip_in_view >= MIN_TIP
    if has_tip and np.dot(answer.inwards, inwards) < math.cos(math.radians(CONTRADICTION_DEG)):
        return 0.0
    tip = min(answer.tip_in_view, float(answer.tip.max())) if has_tip else 1 - answer.tip_in_view
    area = max(float(answer.mask.sum()), 1.0)
    unsure = float(np.minimum(answer.mask, 1 - answer.mask).sum()) / area
    return float(np.clip(min(answer.finger, tip, 1 - unsure), 0, 1))
