"""Samples for the finger network: a view round a point of a picture of hands, and what is true there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.finger.training.augment import retake
from ulcermeter.finger.views import BEYOND, FINGER_PX, VIEW_PX, click_map, cut_view, network_input, view_matrix

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

# Smaller fingers than this say too little, px of the picture.
MIN_WIDTH_PX, MIN_VISIBLE_PX = 8.0, 80
# sd of the tip's bump in a view's half resolution: 0.15 of a finger's width.
TIP_SD_PX = 2.1
# How often a finger whose tip is hidden is drawn, over one that shows it (assumption).
HIDDEN_TIP_ODDS = 0.35
# A finger of which less shows, half its width and in widths, cannot be pointed at.
SLIVER = 0.15
# Shares of points on no finger, of those on a finger that lie anywhere on it and not within so many widths of its tip,
# and of views of an odd scale; of those on a finger that keep off its edge, and by how much of its width (assumption).
NO_FINGER_SHARE, ANYWHERE_SHARE, ODD_SCALE_SHARE = 0.25, 0.25, 0.2
NEAR_TIP_WIDTHS, INNER_SHARE, INNER_DEPTH = 2.0, 0.8, 0.2
# sd of ln(scale) about the right one, and the most that an odd one is off either way (assumption).
SCALE_SD, ODD_SCALE = 0.22, np.log(2.2)
# Share of views that the photo's border cuts nearer than in the picture, how near to the point, in widths, and how much
# of the finger's pixels in view must be left (assumption).
CUT_SHARE, CUT_WIDTHS, CUT_LEFT = 0.15, (0.08, 1.4), 0.3
# Share of fingers behind which another picture is laid, and the sd of its edge, view px (assumption).
PASTED_SHARE, PASTED_SOFT_PX = 0.3, 0.6
# Width that is taken for the scale where a picture has no finger, px (assumption); labels that a picture may have.
EMPTY_WIDTH_PX, MOST_LABELS = (15, 80), 32


class MarkedFinger(Protocol):
    """What is known of one finger of a picture; px from the first pixel's centre."""

    @property
    def label(self) -> int:
        """The value of its pixels."""

    @property
    def tip_px(self) -> tuple[float, float]:
        """Middle of its end."""

    @property
    def inwards(self) -> tuple[float, float]:
        """Unit vector from the tip towards the hand."""

    @property
    def width_px(self) -> float:
        """Across its end phalanx."""

    @property
    def seen_length(self) -> float:
        """From tip to middle joint, in widths as seen."""

    @property
    def tip_in_view(self) -> bool:
        """Whether its end shows."""


class MarkedPicture(Protocol):
    """A picture with a label for every pixel: 0 ground, any other that is no finger's is palm or arm."""

    @property
    def pixels(self) -> Pixels:
        """The picture, uint8 (M, N, 3) RGB."""

    @property
    def labels(self) -> Pixels:
        """Whose skin each pixel shows, uint8 (M, N)."""

    @property
    def fingers(self) -> Sequence[MarkedFinger]:
        """The fingers of which anything is seen."""


@dataclass(frozen=True)
class Sample:
    """One view and its truth.

    Attributes
    ----------
    x : float32 (4, 112, 112)
    mask : float32 (1, 112, 112)
    tip : float32 (1, 56, 56)
        A bump at the tip; zero where it is out of view.
    facts : float32 (5,)
        Finger here, tip in view (0 or 1); log of the width over the expected one; direction inwards (x, y).
    weights : float32 (3,)
        How much the mask and tip, the width, and the direction count.
    """

    x: Floats
    mask: Floats
    tip: Floats
    facts: Floats
    weights: Floats


def clear_fingers(picture: MarkedPicture) -> list[MarkedFinger]:
    """Return the fingers that are large enough to be pointed at.

    Parameters
    ----------
    picture : MarkedPicture

    Returns
    -------
    list of MarkedFinger
    """
    counts = np.bincount(picture.labels.ravel(), minlength=MOST_LABELS)
    return [f for f in picture.fingers if f.width_px >= MIN_WIDTH_PX and counts[f.label] >= MIN_VISIBLE_PX]


def draw_sample(
    picture: MarkedPicture, rng: np.random.Generator, *, other: MarkedPicture | None = None
) -> Sample | None:
    """Draw a sample by chance: mostly a point on a finger, else on palm or ground; None where the picture has none.

    Parameters
    ----------
    picture : MarkedPicture
    rng : Generator
    other : MarkedPicture, optional
        A picture to lay behind a finger at times, whatever it shows.

    Returns
    -------
    Sample or None
    """
    fingers = clear_fingers(picture)
    if fingers and rng.random() > NO_FINGER_SHARE:
        odds = np.array([1.0 if f.tip_in_view else HIDDEN_TIP_ODDS for f in fingers])
        finger = fingers[rng.choice(len(fingers), p=odds / odds.sum())]
        at = _point_on(picture, finger, rng)
        behind = other if rng.random() < PASTED_SHARE else None
        return None if at is None else make_sample(picture, finger, at, finger.width_px, rng=rng, behind=behind)
    known = [f.label for f in picture.fingers]
    rows, cols = np.nonzero(~np.isin(picture.labels, known))
    if not len(rows):
        return None
    pick = int(rng.integers(len(rows)))
    width = float(np.median([f.width_px for f in fingers])) if fingers else float(rng.uniform(*EMPTY_WIDTH_PX))
    return make_sample(picture, None, (float(cols[pick]), float(rows[pick])), width, rng=rng)


def _point_on(picture: MarkedPicture, finger: MarkedFinger, rng: np.random.Generator) -> tuple[float, float] | None:
    """Choose a point on a finger, mostly within two widths of its tip and off its edge; None where a sliver shows."""
    own = picture.labels == finger.label
    rows, cols = np.nonzero(own)
    depth = cv2.distanceTransform(own.astype(np.uint8), cv2.DIST_L2, 3)
    if depth.max() < SLIVER * finger.width_px:
        return None
    if finger.tip_in_view and rng.random() > ANYWHERE_SHARE:
        near = np.hypot(cols - finger.tip_px[0], rows - finger.tip_px[1]) < NEAR_TIP_WIDTHS * finger.width_px
        rows, cols = rows[near], cols[near]
    if len(rows) and rng.random() < INNER_SHARE:
        inner = depth[rows, cols] > INNER_DEPTH * finger.width_px
        rows, cols = (rows[inner], cols[inner]) if inner.any() else (rows, cols)
    if not len(rows):
        return None
    pick = int(rng.integers(len(rows)))
    return float(cols[pick]), float(rows[pick])


def make_sample(
    picture: MarkedPicture,
    finger: MarkedFinger | None,
    at: tuple[float, float],
    width_px: float,
    *,
    rng: np.random.Generator | None = None,
    behind: MarkedPicture | None = None,
) -> Sample:
    """Cut the view round a point; with ``rng`` turned, scaled, cut off and taken again by chance, else straight.

    Parameters
    ----------
    picture : MarkedPicture
    finger : MarkedFinger or None
        The finger pointed at; None where the point lies on none.
    at : (float, float)
        The point, x, y in px of the picture.
    width_px : float
        Width of a finger there, which decides the view's scale.
    rng : Generator, optional
    behind : MarkedPicture, optional
        Laid over the picture's ground; with ``rng`` only.

    Returns
    -------
    Sample
    """
    drift, turn, mirrored = 0.0, 0.0, False
    if rng is not None:
        odd = rng.random() < ODD_SCALE_SHARE
        drift = float(rng.uniform(-ODD_SCALE, ODD_SCALE) if odd else rng.normal(0, SCALE_SD))
        turn, mirrored = float(rng.uniform(0, 2 * np.pi)), bool(rng.random() < 0.5)
    matrix = view_matrix(at, scale=FINGER_PX / width_px * np.exp(drift), turn_rad=turn, mirrored=mirrored)
    if rng is not None:
        matrix[:, 2] += rng.normal(0, 1.0, 2)
    frame = _frame(picture, at, width_px, rng)
    inside = _in_frame(matrix, frame)
    own = None if finger is None else _mask_in_view(picture.labels == finger.label, matrix)
    if own is not None and (own[0] * inside).sum() < CUT_LEFT * own.sum():
        frame = _frame(picture, at, width_px, None)
        inside = _in_frame(matrix, frame)
    view = cut_view(picture.pixels, matrix)
    if rng is not None:
        view = retake(view if behind is None else _laid_on(view, picture, matrix, behind, rng), rng)
        view[~inside] = BEYOND
    click = matrix[:, :2] @ np.asarray(at) + matrix[:, 2]
    x = network_input(view, click_map(float(click[0]), float(click[1])))
    if finger is None or own is None:
        blank = np.zeros((1, VIEW_PX, VIEW_PX), np.float32)
        nothing = np.zeros((1, VIEW_PX // 2, VIEW_PX // 2), np.float32)
        return Sample(x, blank, nothing, np.zeros(5, np.float32), np.array([1, 0, 0], np.float32))
    tip, in_view = _tip_in_view(finger, matrix, frame)
    way = matrix[:, :2] @ np.asarray(finger.inwards)
    way /= max(float(np.hypot(*way)), 1e-9)
    facts = np.array([1.0, in_view, drift, *way], np.float32)
    return Sample(x, own * inside, tip, facts, np.array([1, 1, np.clip(finger.seen_length, 0, 1)], np.float32))


def _frame(
    picture: MarkedPicture, at: tuple[float, float], width_px: float, rng: np.random.Generator | None
) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of what counts as the photo, px; with ``rng`` one may lie near the point."""
    rows, cols = picture.labels.shape
    frame = [0.0, 0.0, cols - 1.0, rows - 1.0]
    if rng is not None and rng.random() < CUT_SHARE:
        side, away = int(rng.integers(4)), float(rng.uniform(*CUT_WIDTHS)) * width_px
        place = at[side % 2] + (-away if side < 2 else away)
        frame[side] = max(frame[side], place) if side < 2 else min(frame[side], place)
    return frame[0], frame[1], frame[2], frame[3]


def _in_frame(matrix: NDArray[np.float64], frame: tuple[float, float, float, float]) -> NDArray[np.bool_]:
    """Say which pixels of a view show the photo, bool (112, 112)."""
    back = np.linalg.inv(matrix[:, :2])
    place = back @ (np.indices((VIEW_PX, VIEW_PX))[::-1].reshape(2, -1) - matrix[:, 2:])
    left, top, right, bottom = frame
    x, y = place
    inside = (x >= left - 0.5) & (x <= right + 0.5) & (y >= top - 0.5) & (y <= bottom + 0.5)
    return np.asarray(inside.reshape(VIEW_PX, VIEW_PX))


def _laid_on(
    view: Pixels, picture: MarkedPicture, matrix: NDArray[np.float64], behind: MarkedPicture, rng: np.random.Generator
) -> Pixels:
    """Replace what a view shows of the ground by another picture, its fingers about as wide, turned by chance."""
    rows, cols = behind.labels.shape
    at = (float(rng.uniform(0, cols - 1)), float(rng.uniform(0, rows - 1)))
    widths = [finger.width_px for finger in clear_fingers(behind)]
    width = float(np.median(widths)) if widths else float(rng.uniform(*EMPTY_WIDTH_PX))
    other = view_matrix(
        at, scale=FINGER_PX / width * np.exp(rng.normal(0, SCALE_SD)), turn_rad=float(rng.uniform(0, 2 * np.pi))
    )
    ground = cv2.warpAffine((picture.labels == 0).astype(np.float32), matrix, (VIEW_PX, VIEW_PX))
    share = cv2.GaussianBlur(ground, (0, 0), PASTED_SOFT_PX) * _in_frame(other, (0, 0, cols - 1, rows - 1))
    mixed = view + share[..., None] * (cut_view(behind.pixels, other).astype(np.float32) - view)
    return np.asarray(np.clip(mixed, 0, 255).astype(np.uint8))


def _mask_in_view(own: NDArray[np.bool_], matrix: NDArray[np.float64]) -> Floats:
    """Return the finger's share of each pixel, hardened: the picture's pixels as they are seen in the view."""
    out = cv2.warpAffine(own.astype(np.float32), matrix, (VIEW_PX, VIEW_PX), flags=cv2.INTER_LINEAR)
    return np.asarray(out > 0.5, dtype=np.float32)[None]


def _tip_in_view(
    finger: MarkedFinger, matrix: NDArray[np.float64], frame: tuple[float, float, float, float]
) -> tuple[Floats, bool]:
    half, place = VIEW_PX // 2, np.asarray(finger.tip_px)
    tip = matrix[:, :2] @ place + matrix[:, 2]
    cut_off = (place < frame[:2]).any() or (place > frame[2:]).any()
    if cut_off or not finger.tip_in_view or (tip < 1).any() or (tip > VIEW_PX - 2).any():
        return np.zeros((1, half, half), np.float32), False
    x, y = (tip - 0.5) / 2
    bump = np.exp(-((np.arange(half)[:, None] - y) ** 2 + (np.arange(half)[None] - x) ** 2) / (2 * TIP_SD_PX**2))
    return bump.astype(np.float32)[None], True
