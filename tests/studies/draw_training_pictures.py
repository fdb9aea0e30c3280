"""Draw the extra pictures that the network was trained on: phantoms, healthy ones, and real wounds on drawn fingers.

Usage: python tests/studies/draw_training_pictures.py PHOTOS MASKS OUT [--count 500] [--groups CSV]

PHOTOS and MASKS are the training photos; those the training holds out lend no wound. OUT gets photos/ and masks/.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from ulcermeter.phantom import draw_phantom, random_spec, ulcer_mask, without_reference
from ulcermeter.segmentation.training.samples import list_pictures, read_rgb
from ulcermeter.segmentation.training.split import choose_held_out, read_groups

FIRST_SEED = 5_000_000
REFERENCES = ("aruco", "aruco", "apriltag", "disc", "disc", "id1", "ruler", "none", "none")
HEALTHY_SHARE, PASTED_SHARE = 0.25, 0.35


def draw_one(number: int, wounds: list[tuple[np.ndarray, np.ndarray]]) -> tuple[bytes, np.ndarray] | None:
    """Draw a picture and its mask; None when chance gave a scene that cannot be drawn or shows too little."""
    rng = np.random.default_rng([91, number])
    kind = str(rng.choice(REFERENCES))
    chance = rng.random()
    count = 0 if chance < HEALTHY_SHARE + PASTED_SHARE else int(rng.choice([1, 1, 1, 2]))
    low = float(np.exp(rng.uniform(np.log(0.8), np.log(9))))
    long_px = int(rng.integers(520, 900))
    spec = random_spec(
        FIRST_SEED + number,
        diameter_mm=(low, low * 1.1),
        tilt_deg=(0, 35),
        reference=kind,
        px_per_mm=tuple(np.exp(rng.uniform(np.log(6), np.log(18))) * np.ones(2)),
        blur_px=(0.3, 1.6),
        noise_sd=(0.5, 5),
        t_mm=(-4.0, 4.0),
        n_ulcers=count,
        size_px=(long_px, int(long_px * 0.75)),
        place=str(rng.choice(["skin", "table"])),
        crust=(0.0, float(rng.choice([0.0, 0.0, 0.6]))),
    )
    if kind == "none":
        spec = without_reference(spec)
    phantom = draw_phantom(spec)
    mask = (ulcer_mask(phantom) > 0).astype(np.uint8)
    if count == 0 and chance < PASTED_SHARE and wounds:
        pixels, mask = paste_wounds(phantom, wounds, rng)
        phantom = replace(phantom, pixels=pixels)
    code = cv2.imencode(".jpg", phantom.pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, spec.camera.jpeg_quality])[1]
    return code.tobytes(), mask


def paste_wounds(phantom, wounds, rng):
    """Clone one or two photographed wounds onto the skin of a drawn finger."""
    pixels, mask = phantom.pixels.copy(), np.zeros(phantom.pixels.shape[:2], np.uint8)
    truth, radius = phantom.truth, phantom.truth.finger_radius_mm
    for _ in range(int(rng.choice([1, 1, 2]))):
        point = truth.solid.point(rng.uniform(0.6, 4.0) * radius, rng.uniform(-0.4, 0.4) * radius)
        x, y = truth.camera.project(np.atleast_2d(point))[0]
        scale = phantom.spec.camera.px_per_mm
        patch, cut = wounds[rng.integers(len(wounds))]
        long_px = scale * float(np.exp(rng.uniform(np.log(1.0), np.log(8.0))))
        ratio = long_px / max(cv2.boundingRect(cut)[2:])
        patch, cut = turn_patch(patch, cut, ratio, rng)
        half_y, half_x = cut.shape[0] // 2 + 2, cut.shape[1] // 2 + 2
        if not (half_x < x < mask.shape[1] - half_x and half_y < y < mask.shape[0] - half_y) or cut.sum() < 30:
            continue
        hidden = np.zeros_like(mask)
        top, left = round(y) - cut.shape[0] // 2, round(x) - cut.shape[1] // 2
        hidden[top : top + cut.shape[0], left : left + cut.shape[1]] = cut
        if (mask & cv2.dilate(hidden, np.ones((9, 9), np.uint8))).any():
            continue
        pixels = blend(pixels, patch, cut, top, left, rng)
        mask |= hidden
    return pixels, mask


def turn_patch(patch, cut, ratio, rng):
    """Turn and resize a wound and its mask."""
    turns, kind = int(rng.integers(4)), cv2.INTER_AREA if ratio < 1 else cv2.INTER_CUBIC
    patch, cut = np.ascontiguousarray(np.rot90(patch, turns)), np.ascontiguousarray(np.rot90(cut, turns))
    size = (max(round(cut.shape[1] * ratio), 5), max(round(cut.shape[0] * ratio), 5))
    grown = cv2.resize(cut * 255, size, interpolation=cv2.INTER_LINEAR)
    return cv2.resize(patch, size, interpolation=kind), (grown > 127).astype(np.uint8)


def blend(pixels, patch, cut, top, left, rng):
    """Put a wound's patch in place: its colours moved to the skin's, its edge feathered over its own margin."""
    part = np.s_[top : top + cut.shape[0], left : left + cut.shape[1]]
    under = pixels[part].astype(np.float32)
    reach = max(2.0, 0.10 * np.sqrt(cut.sum()))
    wide = cv2.dilate(cut, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * int(reach) + 1,) * 2))
    ring = (wide > 0) & (cut == 0)
    gain = (under[ring].mean(0) + 5) / (patch[ring].mean(0) + 5) if ring.any() else np.ones(3)
    shifted = patch.astype(np.float32) * np.clip(gain, 0.5, 2.0)
    alpha = cv2.GaussianBlur(cv2.dilate(cut, np.ones((3, 3), np.uint8)).astype(np.float32), (0, 0), 0.35 * reach)
    alpha = np.maximum(alpha, cut * 0.9)[..., None]
    out = pixels.copy()
    out[part] = np.clip(under * (1 - alpha) + shifted * alpha, 0, 255).astype(np.uint8)
    return out


def collect_wounds(photos: Path, masks: Path, held: set[str]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Cut the compact wounds out of the training photos, each with a margin."""
    wounds = []
    for path in list_pictures(photos):
        mask_path = masks / f"{path.stem}.png"
        if path.name in held or not mask_path.exists():
            continue
        mask = (cv2.imread(str(mask_path), cv2.IMREAD_GRAYSCALE) > 127).astype(np.uint8)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
        for label in range(1, count):
            x, y, wide, high, area = stats[label]
            margin = int(0.3 * max(wide, high)) + 2
            inside = min(x, y) > margin and x + wide + margin < mask.shape[1] and y + high + margin < mask.shape[0]
            if inside and area > 500 and area > 0.5 * wide * high and max(wide, high) < 2.2 * min(wide, high):
                part = np.s_[y - margin : y + high + margin, x - margin : x + wide + margin]
                wounds.append((read_rgb(path)[part].copy(), (labels[part] == label).astype(np.uint8)))
    return wounds


def main() -> None:
    """Draw and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("masks", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--groups", type=Path)
    parser.add_argument("--held-out", type=int, default=80)
    parser.add_argument("--seed", type=int, default=20261)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    names = [path.name for path in list_pictures(args.photos)]
    groups = read_groups(args.groups) if args.groups else {}
    wounds = collect_wounds(
        args.photos, args.masks, choose_held_out(names, groups=groups, count=args.held_out, seed=args.seed)
    )
    for folder in ("photos", "masks"):
        (args.out / folder).mkdir(parents=True, exist_ok=True)
    for number in range(args.count):
        target = args.out / "photos" / f"drawn{number:04d}.jpg"
        if target.exists():
            continue
        drawn = draw_one(number, wounds)
        if drawn is not None:
            cv2.imwrite(str(args.out / "masks" / f"drawn{number:04d}.png"), drawn[1] * 255)
            target.write_bytes(drawn[0])


if __name__ == "__main__":
    main()
