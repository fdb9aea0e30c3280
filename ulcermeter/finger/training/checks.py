"""How well a network does on samples whose truth is known: what a training run is watched by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ulcermeter.finger.training.architecture import FingerNetwork
from ulcermeter.finger.training.samples import (
    MarkedFinger,
    MarkedPicture,
    Sample,
    clear_fingers,
    draw_sample,
    make_sample,
)
from ulcermeter.finger.views import FINGER_PX, VIEW_PX

# What counts as right, shares of the finger's width and degrees.
ALONG, ACROSS, WAY_DEG = 0.25, 0.30, 15.0
NEAR_TIP = 1.5
# Round the tip in which a mask is judged, in widths.
JUDGED_WIDTHS = 3
# Fingers that are asked about: at least so wide, px, of which so much shows, in widths; and where they are pointed at,
# in widths behind the tip, as an ulcer of the fingertip is (assumption).
FAIR_WIDTH_PX, FAIR_LENGTH, POINTED_AT = 12, 0.8, (0.5, 1.0)


@dataclass(frozen=True)
class Score:
    """One view's result.

    Attributes
    ----------
    iou : float
        Of the masks, within 1.5 widths of the tip.
    along, across : float
        The tip's error along and across the axis, in widths.
    way_deg : float
        The direction's error.
    """

    iou: float
    along: float
    across: float
    way_deg: float

    @property
    def right(self) -> bool:
        """Whether tip and direction are right."""
        return self.along <= ALONG and self.across <= ACROSS and self.way_deg <= WAY_DEG


def tip_samples(pictures: Sequence[MarkedPicture], *, seed: int) -> list[Sample]:
    """Return a sample for each finger whose tip is in view, pointed at half to one width behind the tip.

    Parameters
    ----------
    pictures : sequence of MarkedPicture
    seed : int
        Of where on the finger is pointed.

    Returns
    -------
    list of Sample
        Straight views: neither turned nor changed in light.
    """
    rng, out = np.random.default_rng(seed), []
    for picture in pictures:
        for finger in clear_fingers(picture):
            at = np.asarray(finger.tip_px) + rng.uniform(*POINTED_AT) * finger.width_px * np.asarray(finger.inwards)
            fair = finger.tip_in_view and finger.width_px >= FAIR_WIDTH_PX and finger.seen_length > FAIR_LENGTH
            if fair and _own(picture, finger, at):
                out.append(make_sample(picture, finger, (float(at[0]), float(at[1])), finger.width_px))
    return out


def _own(picture: MarkedPicture, finger: MarkedFinger, at: NDArray[np.float64]) -> bool:
    x, y = np.rint(at).astype(int)
    rows, cols = picture.labels.shape
    return bool(0 <= x < cols and 0 <= y < rows and picture.labels[y, x] == finger.label)


def bare_samples(pictures: Sequence[MarkedPicture], count: int, *, seed: int) -> list[Sample]:
    """Return samples of points that lie on no finger.

    Parameters
    ----------
    pictures : sequence of MarkedPicture
        Taken in turn.
    count : int
        Samples wanted; fewer where 40 tries for each do not give them.
    seed : int

    Returns
    -------
    list of Sample
    """
    rng, out = np.random.default_rng(seed), []
    for number in range(40 * count):
        sample = draw_sample(pictures[number % len(pictures)], rng)
        if sample is not None and sample.facts[0] == 0:
            out.append(sample)
        if len(out) == count:
            break
    return out


@torch.no_grad()
def run(network: FingerNetwork, samples: Sequence[Sample]) -> list[tuple[Any, Any, Any]]:
    """Return the network's mask and tip probabilities and five numbers for each sample.

    Parameters
    ----------
    network : FingerNetwork
        In evaluation mode.
    samples : sequence of Sample

    Returns
    -------
    list of tuple
        Mask (V, V), tip map (V / 2, V / 2), both 0 to 1, and the numbers as in `FingerNetwork`.
    """
    out = []
    for start in range(0, len(samples), 32):
        x = torch.from_numpy(np.stack([one.x for one in samples[start : start + 32]]))
        mask, tip, numbers = network(x.contiguous(memory_format=torch.channels_last))
        parts = (torch.sigmoid(mask)[:, 0].numpy(), torch.sigmoid(tip)[:, 0].numpy(), numbers.numpy())
        out += list(zip(*parts, strict=True))
    return out


def score(sample: Sample, mask: NDArray[np.float32], tip: NDArray[np.float32], numbers: NDArray[np.float32]) -> Score:
    """Hold one view against its truth.

    Parameters
    ----------
    sample : Sample
    mask : ndarray of float, shape (V, V)
        Probability of finger.
    tip : ndarray of float, shape (V / 2, V / 2)
        Probability of tip.
    numbers : ndarray of float, shape (5,)
        As in `FingerNetwork`; the last two are the direction.

    Returns
    -------
    Score
    """
    way = sample.facts[3:].astype(float)
    true_tip = _peak(sample.tip[0])
    away = _peak(tip) - true_tip
    y, x = np.mgrid[:VIEW_PX, :VIEW_PX]
    along = (x - true_tip[0]) * way[0] + (y - true_tip[1]) * way[1]
    near = (along < NEAR_TIP * FINGER_PX) & (np.hypot(x - true_tip[0], y - true_tip[1]) < JUDGED_WIDTHS * FINGER_PX)
    own, found = sample.mask[0] > 0.5, mask > 0.5
    cosine = numbers[3:] @ way / max(float(np.linalg.norm(numbers[3:])), 1e-6)
    return Score(
        iou=float((own & found)[near].sum() / max((own | found)[near].sum(), 1)),
        along=float(abs(away @ way)) / FINGER_PX,
        across=float(abs(away @ (-way[1], way[0]))) / FINGER_PX,
        way_deg=float(np.degrees(np.arccos(np.clip(cosine, -1, 1)))),
    )


def _peak(tip: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return x, y in view pixels of a tip map's highest place."""
    row, col = np.unravel_index(int(tip.argmax()), tip.shape)
    return np.array([2 * col + 0.5, 2 * row + 0.5])


def describe(network: FingerNetwork, tips: Sequence[Sample], bare: Sequence[Sample]) -> str:
    """Return one line: how many tips are right, the masks' IoU, and how often "no finger" is said rightly.

    Parameters
    ----------
    network : FingerNetwork
        Put in evaluation mode.
    tips, bare : sequence of Sample
        Points on fingers whose tip is in view, and on no finger.

    Returns
    -------
    str
    """
    network.eval()
    results = run(network, tips)
    scores = [score(sample, *result) for sample, result in zip(tips, results, strict=True)]
    iou = [one.iou for one in scores]
    found = np.mean([numbers[0] > 0 for _, _, numbers in results])
    tips_in_view = np.mean([numbers[1] > 0 for _, _, numbers in results])
    none = np.mean([numbers[0] < 0 for _, _, numbers in run(network, bare)]) if bare else float("nan")
    tip_right = np.mean([s.along <= ALONG and s.across <= ACROSS for s in scores])
    return (
        f"tips right {np.mean([s.right for s in scores]):.3f} of {len(scores)} (tip alone {tip_right:.3f}, way alone "
        f"{np.mean([s.way_deg <= WAY_DEG for s in scores]):.3f}), IoU median {np.median(iou):.3f} mean "
        f"{np.mean(iou):.3f}, finger said {found:.3f}, tip said {tips_in_view:.3f}, no finger said {none:.3f}"
    )
