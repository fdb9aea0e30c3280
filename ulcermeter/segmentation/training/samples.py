"""Training pictures: read once, cut, turned, recoloured and prompted anew at each step."""

import math
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes.arrays import Pixels
from ulcermeter.segmentation.training.augment import recolour, scatter_clutter
from ulcermeter.segmentation.training.simulated_prompts import simulate_prompt

# Of the cuts that are centred near a wound: most of a photo is none (assumption).
WOUND_SHARE = 0.65
# A photo's difficulty (1 - Dice) before it was segmented; and the weight with which the easiest is drawn, and the most
# that difficulty adds: up to about three times as often (assumption).
_UNKNOWN_DIFFICULTY, _EASIEST_WEIGHT, _MOST_DIFFICULTY = 0.5, 0.3, 0.8
# Most extra pictures in memory, about 1 GB of them.
_MOST_EXTRA = 2000
# What is beyond a photo's border: of its own colour so often, else black; or mirrored so often (assumption).
_OWN_BORDER, _MIRRORED_BORDER = 0.3, 0.4
# Under this scale a photo is smoothed before it is cut, by so many px of the cut, as when it is measured.
_SMOOTHED_UNDER, _SMOOTHING_PX = 0.7, 0.45
# Of samples with clutter over them (assumption).
_CLUTTERED = 0.25
# How far from a cut's middle the wound's pixel may be, in sides: it stays in the cut.
_OFF_MIDDLE = 0.42
# Largest scale of a cut that is centred anywhere, and of one near a wound; least, over that at which the photo fits.
_LARGEST_ANYWHERE, _LARGEST_SCALE, _LEAST_FIT = 1.6, 3.5, 0.4
# Share of wounds shown about as large as they were photographed, sd of ln(scale) then; else a diameter, px, uniform in
# its logarithm: what the network is to know as a wound, and what the passes of `ulcermeter.segmentation.passes` show
# it.
_AS_PHOTOGRAPHED, _LN_SCALE_SD, _DIAMETER_PX = 0.65, 0.30, (14, 230)
# Most of a cut's side that a wound takes: a little more than all of it.
_MOST_OF_SIDE = 1.1
# Beside quarter turns, half of the cuts are turned by so many degrees either way; sd of ln(stretch), all (assumption).
_TURN_DEG, _LN_STRETCH_SD = 20, 0.06
PICTURE_ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff")


@dataclass
class Pool:
    """Photos and masks of one folder pair held in memory, each with how badly it was last segmented.

    `share` says how often a photo is drawn beside another as difficult: less than 1 where its mask is doubted.
    """

    photos: list[Pixels] = field(default_factory=list)
    masks: list[Pixels] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    difficulty: list[float] = field(default_factory=list)
    share: list[float] = field(default_factory=list)

    def add(self, name: str, photo: Pixels, mask: Pixels, *, share: float = 1.0) -> None:
        """Take one pair in."""
        self.names.append(name)
        self.photos.append(photo)
        self.masks.append(mask)
        self.difficulty.append(_UNKNOWN_DIFFICULTY)
        self.share.append(share)

    def draw(self, rng: np.random.Generator) -> int:
        """Index of a photo, up to about three times as often where the network was worst."""
        weight = (_EASIEST_WEIGHT + np.clip(self.difficulty, 0.0, _MOST_DIFFICULTY)) * self.share
        return int(rng.choice(len(self.names), p=weight / weight.sum()))

    def rescan(self, photos_dir: Path, masks_dir: Path, *, limit: int = _MOST_EXTRA) -> int:
        """Read the pairs that appeared since last time; a photo without a mask waits for it."""
        known, new = set(self.names), 0
        for path in list_pictures(photos_dir):
            mask_path = masks_dir / f"{path.stem}.png"
            if path.name in known or not mask_path.exists() or len(self.names) >= limit:
                continue
            photo, mask = read_rgb(path), cv2.imread(str(mask_path), cv2.IMREAD_GRAYSCALE)
            if mask is not None and mask.shape == photo.shape[:2]:
                self.add(path.name, photo, (mask > 127).astype(np.uint8))
                new += 1
        return new


def list_pictures(folder: Path) -> list[Path]:
    """Pictures of a folder in name order; none when the folder is not there.

    Parameters
    ----------
    folder : Path
        May be missing.

    Returns
    -------
    list of Path
        By the endings of `PICTURE_ENDINGS`, in name order.
    """
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURE_ENDINGS)


def read_rgb(path: Path) -> Pixels:
    """Read a training picture.

    Parameters
    ----------
    path : Path
        Of a kind that OpenCV decodes.

    Returns
    -------
    uint8 (M, N, 3)
        RGB in sRGB.

    Raises
    ------
    ValueError
        It cannot be decoded.
    """
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if bgr is None:
        raise ValueError(f"expected a readable picture, got {path}")
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))


def cut_sample(
    photo: Pixels, mask: Pixels, *, size_px: int, rng: np.random.Generator, prompt_share: float = 0.5
) -> tuple[Pixels, NDArray[np.float32], Pixels]:
    """Cut one augmented sample.

    Parameters
    ----------
    photo : uint8 (M, N, 3)
        RGB in sRGB.
    mask : uint8 (M, N)
        1 on the wound.
    size_px : int
        Side of the sample.
    rng : Generator
        What chance is drawn from.
    prompt_share : float, optional
        Share of samples with a wound that get a prompt.

    Returns
    -------
    pixels : uint8 (size, size, 3) RGB
    prompt : float32 (2, size, size), click bump and region, zero when none
    mask : uint8 (size, size), 0 or 1
    """
    matrix = _random_window(mask, size_px=size_px, rng=rng)
    border = tuple(int(v) for v in photo[rng.integers(photo.shape[0]), 0]) if rng.random() < _OWN_BORDER else (0, 0, 0)
    mode = cv2.BORDER_REFLECT_101 if rng.random() < _MIRRORED_BORDER else cv2.BORDER_CONSTANT
    shrink = math.sqrt(abs(np.linalg.det(matrix[:, :2])))
    source = cv2.GaussianBlur(photo, (0, 0), _SMOOTHING_PX / shrink) if shrink < _SMOOTHED_UNDER else photo
    kind = cv2.INTER_LINEAR if shrink < 1 or rng.random() < 0.5 else cv2.INTER_CUBIC
    pixels = cv2.warpAffine(source, matrix, (size_px, size_px), flags=kind, borderMode=mode, borderValue=border)
    cut = cv2.warpAffine(mask * 255, matrix, (size_px, size_px), flags=cv2.INTER_LINEAR, borderMode=mode, borderValue=0)
    cut = (cut > 127).astype(np.uint8)
    if rng.random() < _CLUTTERED:
        pixels, cut = scatter_clutter(pixels, cut, rng=rng)
    pixels = recolour(pixels, rng=rng)
    prompt, target = simulate_prompt(cut, rng=rng, share=prompt_share)
    return pixels, prompt, target


def _random_window(mask: Pixels, *, size_px: int, rng: np.random.Generator) -> NDArray[np.float64]:
    height, width = mask.shape
    rows, cols = np.nonzero(mask)
    fit = size_px / max(height, width)
    if len(rows) and rng.random() < WOUND_SHARE:
        at = rng.integers(len(rows))
        scale = _wound_scale(len(rows), size_px=size_px, fit=fit, rng=rng)
        reach = _OFF_MIDDLE * size_px / scale
        centre = (cols[at] + rng.uniform(-reach, reach), rows[at] + rng.uniform(-reach, reach))
    else:
        scale = math.exp(rng.uniform(math.log(min(fit, 1.0)), math.log(_LARGEST_ANYWHERE)))
        centre = (rng.uniform(0, width), rng.uniform(0, height))
    half = min(0.5 * size_px / scale, 0.5 * min(width, height))
    centre = (min(max(centre[0], half), width - half), min(max(centre[1], half), height - half))
    return _similarity(centre, scale=scale, size_px=size_px, rng=rng)


def _wound_scale(area_px: int, *, size_px: int, fit: float, rng: np.random.Generator) -> float:
    diameter = math.sqrt(area_px * 4 / math.pi)
    if rng.random() < _AS_PHOTOGRAPHED:
        scale = math.exp(rng.normal(0.0, _LN_SCALE_SD))
    else:
        least, most = (math.log(px) for px in _DIAMETER_PX)
        scale = math.exp(rng.uniform(least, most)) / diameter
    low = max(_DIAMETER_PX[0] / diameter, _LEAST_FIT * fit)
    high = min(_MOST_OF_SIDE * size_px / diameter, _LARGEST_SCALE)
    return float(np.clip(scale, min(low, high), max(low, high)))


def _similarity(
    centre: tuple[float, float], *, scale: float, size_px: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    angle = rng.choice([0, 90, 180, 270]) + (rng.uniform(-_TURN_DEG, _TURN_DEG) if rng.random() < 0.5 else 0.0)
    turn = math.radians(angle)
    stretch = math.exp(rng.normal(0, _LN_STRETCH_SD))
    linear = scale * np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    linear = linear @ np.diag([(-1.0 if rng.random() < 0.5 else 1.0) * stretch, 1.0 / stretch])
    shift = np.array([size_px / 2, size_px / 2]) - linear @ np.array(centre)
    return np.column_stack([linear, shift])
