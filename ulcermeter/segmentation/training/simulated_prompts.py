"""What a hand would give: a click in the wound, a box around it, a rough outline of it."""

import cv2
import numpy as np

from ulcermeter.datatypes.arrays import Pixels
from ulcermeter.segmentation.prompt_channels import Prompt, click_bump

# Smaller parts of a mask are no wound that a person would point at, px (assumption).
MIN_WOUND_PX = 40
# How hands prompt, all assumption: a click lies at least so deep in the wound, over its deepest place; a box is so much
# larger at each side, or smaller, over its own; a rough outline is larger by a factor and moved over its size (mean and
# sd of its logarithm, sd), and smoothed by so much of it.
_CLICK_DEPTH, _BOX_SHIFT = (0.2, 1.0), (-0.12, 0.15)
_OUTLINE_LN_SCALE, _OUTLINE_SHIFT_SD, _OUTLINE_SMOOTHED = (0.05, 0.12), 0.05, (0.03, 0.15)
# Px by which the target may pass a box: its edge's own, and one.
_PAST_BOX_PX = 2
# Under so many px a part of a mask has no outline.
_SPECK_PX = 4


def simulate_prompt(mask: Pixels, *, rng: np.random.Generator, share: float) -> tuple[Prompt, Pixels]:
    """Draw a prompt for `share` of the samples with a wound; a box or outline also narrows the target to what it holds.

    Parameters
    ----------
    mask : uint8 (M, N)
        1 on the wound.
    rng : Generator
        What chance is drawn from.
    share : float
        Of the samples with a wound, 0..1.

    Returns
    -------
    prompt : float32 (2, M, N)
    target : uint8 (M, N)
    """
    prompt = np.zeros((2, *mask.shape), np.float32)
    if rng.random() >= share or int(mask.sum()) < MIN_WOUND_PX:
        return prompt, mask
    kind = rng.integers(3)
    chosen = _choose_wound(mask, rng=rng)
    if kind == 0:
        prompt[0] = click_bump(mask.shape, _inner_point(chosen, rng=rng))
        return prompt, mask
    region = _jittered_box(chosen, rng=rng) if kind == 1 else _rough_outline(chosen, rng=rng)
    prompt[1] = region
    past = np.ones((2 * _PAST_BOX_PX + 1,) * 2, np.uint8)
    return prompt, mask * cv2.dilate(region, past) if kind == 1 else chosen


def _choose_wound(mask: Pixels, *, rng: np.random.Generator) -> Pixels:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    large = [label for label in range(1, count) if stats[label, cv2.CC_STAT_AREA] >= MIN_WOUND_PX]
    if len(large) < 2 or rng.random() < 0.5:
        return mask
    return np.asarray((labels == large[rng.integers(len(large))]).astype(np.uint8))


def _inner_point(mask: Pixels, *, rng: np.random.Generator) -> tuple[float, float]:
    depth = cv2.distanceTransform(cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0), cv2.DIST_L2, 3)
    depth = depth[1:-1, 1:-1]
    rows, cols = np.nonzero(depth >= depth.max() * rng.uniform(*_CLICK_DEPTH))
    at = rng.integers(len(rows))
    return float(cols[at]), float(rows[at])


def _jittered_box(mask: Pixels, *, rng: np.random.Generator) -> Pixels:
    x, y, width, height = cv2.boundingRect(mask)
    shift = rng.uniform(*_BOX_SHIFT, 4)
    left, right = x - shift[0] * width, x + width + shift[1] * width
    top, bottom = y - shift[2] * height, y + height + shift[3] * height
    region = np.zeros_like(mask)
    region[max(round(top), 0) : max(round(bottom), 0), max(round(left), 0) : max(round(right), 0)] = 1
    return region


def _rough_outline(mask: Pixels, *, rng: np.random.Generator) -> Pixels:
    """Every wound grown or shrunk about its own middle, moved a little, its outline smoothed."""
    out = np.zeros_like(mask)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    for label in range(1, count):
        if stats[label, cv2.CC_STAT_AREA] >= _SPECK_PX:
            out |= _rough_part((labels == label).astype(np.uint8), rng=rng)
    return out


def _rough_part(part: Pixels, *, rng: np.random.Generator) -> Pixels:
    rows, cols = np.nonzero(part)
    size = float(np.sqrt(len(rows)))
    scale, shift = np.exp(rng.normal(*_OUTLINE_LN_SCALE)), rng.normal(0, _OUTLINE_SHIFT_SD, 2) * size
    centre = np.array([cols.mean(), rows.mean()])
    matrix = np.column_stack([np.eye(2) * scale, centre * (1 - scale) + shift])
    moved = cv2.warpAffine(part * 255, matrix, (part.shape[1], part.shape[0]), flags=cv2.INTER_LINEAR)
    softened = cv2.GaussianBlur(moved, (0, 0), max(1.0, size * rng.uniform(*_OUTLINE_SMOOTHED)))
    return np.asarray((softened > 127).astype(np.uint8))
