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
PICTURE_ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff")


@dataclass
class Pool:
    """Photos and masks of one folder pair held in memory, each with how badly it was last segmented."""

    photos: list[Pixels] = field(default_factory=list)
    masks: list[Pixels] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    difficulty: list[float] = field(default_factory=list)

    def add(self, name: str, photo: Pixels, mask: Pixels) -> None:
        """Take one pair in."""
        self.names.append(name)
        self.photos.append(photo)
        self.masks.append(mask)
        self.difficulty.append(0.5)

    def draw(self, rng: np.random.Generator) -> int:
        """Index of a photo, up to about three times as often where the network was worst."""
        weight = 0.3 + np.clip(self.difficulty, 0.0, 0.8)
        return int(rng.choice(len(self.names), p=weight / weight.sum()))

    def rescan(self, photos_dir: Path, masks_dir: Path, *, limit: int = 2000) -> int:
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
    border = tuple(int(v) for v in photo[rng.integers(photo.shape[0]), 0]) if rng.random() < 0.3 else (0, 0, 0)
    mode = cv2.BORDER_REFLECT_101 if rng.random() < 0.4 else cv2.BORDER_CONSTANT
    shrink = math.sqrt(abs(np.linalg.det(matrix[:, :2])))
    source = cv2.GaussianBlur(photo, (0, 0), 0.45 / shrink) if shrink < 0.7 else photo
    kind = cv2.INTER_LINEAR if shrink < 1 or rng.random() < 0.5 else cv2.INTER_CUBIC
    pixels = cv2.warpAffine(source, matrix, (size_px, size_px), flags=kind, borderMode=mode, borderValue=border)
    cut = cv2.warpAffine(mask * 255, matrix, (size_px, size_px), flags=cv2.INTER_LINEAR, borderMode=mode, borderValue=0)
    cut = (cut > 127).astype(np.uint8)
    if rng.random() < 0.25:
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
        reach = 0.42 * size_px / scale
        centre = (cols[at] + rng.uniform(-reach, reach), rows[at] + rng.uniform(-reach, reach))
    else:
        scale = math.exp(rng.uniform(math.log(min(fit, 1.0)), math.log(1.6)))
        centre = (rng.uniform(0, width), rng.uniform(0, height))
    half = min(0.5 * size_px / scale, 0.5 * min(width, height))
    centre = (min(max(centre[0], half), width - half), min(max(centre[1], half), height - half))
    return _similarity(centre, scale=scale, size_px=size_px, rng=rng)


def _wound_scale(area_px: int, *, size_px: int, fit: float, rng: np.random.Generator) -> float:
    diameter = math.sqrt(area_px * 4 / math.pi)
    if rng.random() < 0.65:
        scale = math.exp(rng.normal(0.0, 0.30))
    else:
        scale = math.exp(rng.uniform(math.log(14), math.log(230))) / diameter
    low, high = max(14 / diameter, 0.4 * fit), min(1.1 * size_px / diameter, 3.5)
    return float(np.clip(scale, min(low, high), max(low, high)))


def _similarity(
    centre: tuple[float, float], *, scale: float, size_px: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    angle = rng.choice([0, 90, 180, 270]) + (rng.uniform(-20, 20) if rng.random() < 0.5 else 0.0)
    turn = math.radians(angle)
    stretch = math.exp(rng.normal(0, 0.06))
    linear = scale * np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    linear = linear @ np.diag([(-1.0 if rng.random() < 0.5 else 1.0) * stretch, 1.0 / stretch])
    shift = np.array([size_px / 2, size_px / 2]) - linear @ np.array(centre)
    return np.column_stack([linear, shift])
