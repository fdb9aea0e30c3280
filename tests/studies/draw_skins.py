"""Lay out fingers to train the skin network on: `draw_skins.py OUT [--phantoms 700] [--first SEED] [--hands DIR]`.

Each becomes one PNG of colours and marks, 0.1 mm a cell with its tip up: single drawn fingers of all tones and
sides, healthy, cracked, with ulcers, and with the nail lost; and every finger of pictures that
`draw_hands.py --healthy --size 768` wrote. Those that are there already are not drawn again.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import clear_skin
import cv2
import numpy as np

from ulcermeter.phantom import Phantom, UlcerSpec, draw_phantom, ulcer_mask
from ulcermeter.phantom.hands import read_picture
from ulcermeter.quality.training.canvases import CANVAS_CELLS, Canvas, canvas_matrix, write_canvas

# Of a rendered finger so much skin shows, mm2, and no more of it is burnt out (share of 250 levels and over in green).
LEAST_SKIN_MM2, MOST_BURNT = 60, 0.3
LINEAR, NEAREST = (kind | cv2.WARP_INVERSE_MAP for kind in (cv2.INTER_LINEAR, cv2.INTER_NEAREST))
# A cell is changed where a channel differs by so many 8-bit levels from the healthy finger's picture.
CHANGED = 14


@dataclass(frozen=True)
class Seen:
    """A finger on a picture: its tip, its way inwards, px in a mm; what is its own, its skin, and not clear."""

    name: str
    pixels: np.ndarray
    tip: np.ndarray
    inwards: np.ndarray
    px_per_mm: float
    inside: np.ndarray
    on: np.ndarray
    unclear: np.ndarray
    nail: np.ndarray | None = None


def laid(seen: Seen) -> Canvas:
    matrix = canvas_matrix(seen.tip, seen.inwards, px_per_mm=seen.px_per_mm)
    size = (CANVAS_CELLS, CANVAS_CELLS)
    marks = [
        cv2.warpAffine(one.astype(np.uint8), matrix, size, flags=NEAREST) > 0
        for one in (seen.inside, seen.on, seen.unclear, seen.on & False if seen.nail is None else seen.nail)
    ]
    return Canvas(cv2.warpAffine(seen.pixels, matrix, size, flags=LINEAR, borderMode=cv2.BORDER_REPLICATE), *marks)


def phantoms(first: int, count: int) -> Iterator[Seen]:
    for tip in clear_skin.phantoms(first, count):
        phantom, rng = tip.phantom, np.random.default_rng([7, int(tip.name.split()[1])])
        *where, inside = placed(phantom)
        bare = clear_skin.without_nail(tip)
        nail = inside & False if bare is None else plate(bare, tip) & inside
        skin = tip.on & ~nail
        yield Seen(f"{tip.name} healthy", tip.pixels, *where, inside, skin, inside & False, nail)
        cracked = clear_skin.crack_drawn(tip, rng)
        closed = cv2.morphologyEx(changed(cracked, tip), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)) > 0
        yield Seen(f"{tip.name} crack", cracked, *where, inside, skin, closed & inside, nail)
        if bare is not None:
            yield Seen(f"{tip.name} bare", bare, *where, inside, tip.on, nail)
        spec = phantom.spec
        ulcer = UlcerSpec(
            diameter_mm=float(np.exp(rng.uniform(np.log(2), np.log(9)))),
            s_mm=float(rng.uniform(5, 26)),
            t_mm=float(rng.uniform(-4, 4)),
            irregularity=float(rng.uniform(0.1, 0.8)),
            aspect=float(rng.uniform(0.5, 1)),
            angle_deg=float(rng.uniform(0, 180)),
            wound_bed=str(rng.choice(["granulation", "slough", "eschar"])),
            depth_mm=float(rng.uniform(0.2, 0.9)),
            halo=float(rng.uniform(0.1, 0.9)),
            rim=float(rng.uniform(0, 0.8)),
            crust=float(rng.choice([0.0, 0.0, 0.7])),
            seed=int(rng.integers(1 << 30)),
        )
        try:
            ill = draw_phantom(replace(spec, ulcers=(ulcer,)))
        except ValueError:
            continue
        if ill.pixels.shape == tip.pixels.shape:
            # The camera aims at the ulcer: the finger has another place on the photo.
            yield Seen(f"{tip.name} ulcer", ill.pixels, *placed(ill), inside & False, ulcer_mask(ill) > 0)


def plate(bare: np.ndarray, tip: clear_skin.Fingertip) -> np.ndarray:
    """Return where the nail is: where the finger looks another way without it."""
    closed = cv2.morphologyEx(changed(bare, tip), cv2.MORPH_CLOSE, np.ones((25, 25), np.uint8))
    return cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((25, 25), np.uint8)) > 0


def changed(pixels: np.ndarray, tip: clear_skin.Fingertip) -> np.ndarray:
    return (np.abs(pixels.astype(int) - tip.pixels).max(axis=-1) > CHANGED).astype(np.uint8)


def placed(phantom: Phantom) -> tuple[np.ndarray, np.ndarray, float, np.ndarray]:
    """Return a drawn finger's tip, its way inwards, px in a mm, and what is its own."""
    truth, height = phantom.truth, phantom.truth.finger_thickness_mm / 2
    end, behind = truth.camera.project(np.array([[0, 0, height], [0, 20.0, height]]))
    px_per_mm = float(np.hypot(*(behind - end))) / 20
    radius = truth.finger_radius_mm
    angles = np.linspace(np.pi, 2 * np.pi, 30)
    ring = np.column_stack([radius * np.cos(angles), radius + radius * np.sin(angles)])
    ring = np.vstack([[[-1.1 * radius, 45.0]], ring, [[1.1 * radius, 45.0]]])
    at = truth.camera.project(np.column_stack([ring, np.full(len(ring), height)]))
    inside = np.zeros(phantom.pixels.shape[:2], np.uint8)
    cv2.fillPoly(inside, [np.rint(at).astype(np.int32)], 1)
    return end, (behind - end) / (20 * px_per_mm), px_per_mm, inside > 0


def rendered(folder: Path) -> Iterator[Seen]:
    for path in sorted(folder.glob("*.json")):
        picture = read_picture(path)
        for finger in picture.fingers:
            own, px_per_mm = picture.labels == finger.label, finger.width_px / 16
            if not (finger.tip_in_view and finger.seen_length > 1.2 and px_per_mm >= 6.5):
                continue
            skin = cv2.erode((own & ~picture.nails & ~picture.sores).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
            if skin.sum() < LEAST_SKIN_MM2 * px_per_mm**2 or (picture.pixels[skin, 1] >= 250).mean() > MOST_BURNT:
                continue
            yield Seen(
                f"hand {path.stem} {finger.label}",
                picture.pixels,
                np.array(finger.tip_px),
                np.array(finger.inwards),
                px_per_mm,
                own,
                skin & clear_skin.skin_coloured(picture.pixels),
                picture.sores & own,
                picture.nails & own,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--phantoms", type=int, default=0)
    parser.add_argument("--first", type=int, default=400_000)
    parser.add_argument("--hands", type=Path)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    given.out.mkdir(parents=True, exist_ok=True)
    done = {path.stem.removesuffix(" healthy") for path in given.out.glob("drawn * healthy.png")}
    for seed in range(given.first, given.first + given.phantoms):
        if f"drawn {seed}" not in done:
            # The healthy one last: where it is, the others are.
            for seen in reversed(list(phantoms(seed, 1))):
                write_canvas(laid(seen), given.out / f"{seen.name}.png")
    for seen in rendered(given.hands) if given.hands else ():
        if not (given.out / f"{seen.name}.png").exists():
            write_canvas(laid(seen), given.out / f"{seen.name}.png")


if __name__ == "__main__":
    main()
