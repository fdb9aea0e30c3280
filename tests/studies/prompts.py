"""What becomes of clicks and boxes on healthy skin and on wounds: `python tests/studies/prompts.py DIR [--calibrate]`.

DIR holds fuseg/, hands/, hands_healthy/ and fingers/. With --calibrate it prints what the level `STANDS_OUT` was chosen
on: photos held out of training, drawn fingers, skin of hands/real_ccby_own. Without, what it is reported on and was not
chosen on: 200 random places of skin of hands_healthy, 100 of drawn fingers, every finger of fingers, the wounds of
fuseg/dev, and the main job on the fingers of at least 8 px/mm. --sets names some of these; --part 2/4 takes every
fourth place, from the second on. Prints Markdown.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from segmentation import inmost_point, jittered_box, stated

from ulcermeter.datatypes import transform_points
from ulcermeter.phantom import draw_phantom, random_spec, ulcer_mask
from ulcermeter.pipeline import measure_photo
from ulcermeter.protocol import read_protocol
from ulcermeter.segmentation import load_model, segment
from ulcermeter.segmentation.prompted import find_at_click, find_in_region, mean_inside, unprompted_result
from ulcermeter.segmentation.training.split import choose_held_out, read_groups

LEVELS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7)
HALF_WINDOW_PX = 450
FINGER_MM = 16.0
SETS = ["hands_healthy", "drawn", "fingers", "fuseg/dev"]
SEED = 20261128


@dataclass(frozen=True)
class Place:
    """A place to point at: the picture, the click, a box round it, and the wound there (None: healthy skin)."""

    pixels: np.ndarray
    px_per_mm: float
    click: tuple[float, float]
    box: tuple[float, float, float, float]
    wound: np.ndarray | None
    name: str


def read(path: Path) -> np.ndarray:
    """Read a photo as RGB."""
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


def around(pixels: np.ndarray, x: float, y: float, *, px_per_mm: float, box_mm: np.ndarray, name: str) -> Place:
    """Make a place of healthy skin, with as much of the photo as the main job looks at round a click."""
    left, top = max(int(x) - HALF_WINDOW_PX, 0), max(int(y) - HALF_WINDOW_PX, 0)
    part = np.ascontiguousarray(pixels[top : int(y) + HALF_WINDOW_PX, left : int(x) + HALF_WINDOW_PX])
    wide, high = box_mm * px_per_mm
    at = (float(x - left), float(y - top))
    return Place(part, px_per_mm, at, (at[0] - wide / 2, at[1] - high / 2, wide, high), None, name)


def skin(pixels: np.ndarray) -> np.ndarray:
    """Pixels of a skin's colour, a few px from their edge."""
    tones = cv2.inRange(cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb), (60, 136, 86), (255, 174, 134))
    whole = cv2.morphologyEx(tones, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    return cv2.erode(whole, np.ones((15, 15), np.uint8)) > 0


def random_places(pixels: np.ndarray, where: np.ndarray, n: int, rng: np.random.Generator, **about: Any) -> list[Place]:
    """Draw `n` places where a mask says so, each with a box of 3 to 8 mm round it."""
    rows, cols = np.nonzero(where)
    picks = rng.integers(0, len(rows), n) if len(rows) else []
    return [around(pixels, cols[k], rows[k], box_mm=rng.uniform(3, 8, 2), **about) for k in picks]


def healthy_hands(data: Path) -> Iterator[Place]:
    """Yield 200 random places of skin, the scale stated as 10 px/mm."""
    rng, photos = np.random.default_rng(SEED), sorted((data / "hands_healthy").glob("*.jpg"))
    for path in photos:
        pixels = read(path)
        yield from random_places(pixels, skin(pixels), 200 // len(photos), rng, px_per_mm=10.0, name=path.name)


def own_hands(data: Path) -> Iterator[Place]:
    """Yield two random places on each masked hand, the scale stated as 8 to 14 px/mm."""
    rng = np.random.default_rng(SEED)
    for path in sorted((data / "hands" / "real_ccby_own").glob("*.jpg")):
        mask = cv2.imread(str(path.with_suffix(".png")), cv2.IMREAD_GRAYSCALE) > 0
        inner = cv2.erode(mask.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
        yield from random_places(read(path), inner, 2, rng, px_per_mm=float(rng.uniform(8, 14)), name=path.name)


def finger_rows(data: Path) -> list[dict[str, str]]:
    """Return the rows of fingers.csv."""
    with (data / "fingers" / "fingers.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def fingers(data: Path) -> Iterator[Place]:
    """Yield every outlined finger's given point and two random points of its outline, a finger taken for 16 mm wide."""
    rng = np.random.default_rng(SEED)
    for row in finger_rows(data):
        pixels = read(data / "fingers" / row["photo"])
        scale = float(row["width_px"]) / FINGER_MM
        outline = np.array([point.split() for point in row["polygon"].split(";")], np.float64)
        inside = cv2.fillPoly(np.zeros(pixels.shape[:2], np.uint8), [np.round(outline).astype(np.int32)], 1)
        about = {"px_per_mm": scale, "name": f"{row['photo']} {row['finger_id']}"}
        yield around(pixels, float(row["x"]), float(row["y"]), box_mm=rng.uniform(3, 8, 2), **about)
        yield from random_places(pixels, inside > 0, 2, rng, **about)


def wounds(folder: Path, names: list[str]) -> Iterator[Place]:
    """Yield every photo's largest wound: a click on its inmost point and a box a tenth off, stated 8 px/mm."""
    rng = np.random.default_rng(SEED)
    for name in names:
        mask = cv2.imread(str(folder / "masks" / f"{Path(name).stem}.png"), cv2.IMREAD_GRAYSCALE) > 127
        _, parts, sizes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
        if len(sizes) > 1:
            wound = parts == 1 + int(sizes[1:, cv2.CC_STAT_AREA].argmax())
            yield Place(read(folder / "photos" / name), 8.0, inmost_point(wound), jittered_box(wound, rng), wound, name)


def held_out(data: Path) -> list[str]:
    """Name the photos that the shipped weights never saw in training."""
    names = [path.name for path in (data / "fuseg" / "train" / "photos").iterdir()]
    groups = read_groups(data / "fuseg" / "twice_labelled.csv")
    return sorted(choose_held_out(names, groups=groups, count=80, seed=20261))


def skin_beside_wounds(folder: Path, names: list[str]) -> Iterator[Place]:
    """Yield a random place of skin at least 40 px from every wound."""
    rng = np.random.default_rng(SEED)
    for name in names:
        pixels, mask = read(folder / "photos" / name), folder / "masks" / f"{Path(name).stem}.png"
        near = cv2.dilate(cv2.imread(str(mask), cv2.IMREAD_GRAYSCALE), np.ones((81, 81), np.uint8)) > 127
        yield from random_places(pixels, skin(pixels) & ~near, 1, rng, px_per_mm=8.0, name=name)


def drawn(count: int, *, diameter_mm: tuple[float, float]) -> Iterator[Place]:
    """Yield a drawn ulcer and, on the same finger drawn without it, a random place of skin."""
    rng = np.random.default_rng(SEED)
    for seed in range(count):
        spec = random_spec(9_400_000 + seed, diameter_mm=diameter_mm, px_per_mm=(9.0, 24.0), size_px=(1000, 760))
        phantom, scale = draw_phantom(spec), spec.camera.px_per_mm
        mask = ulcer_mask(phantom) > 0
        name = f"seed {seed}: {spec.ulcers[0].diameter_mm:.1f} mm {spec.ulcers[0].wound_bed}"
        if mask.any():
            yield Place(phantom.pixels, scale, inmost_point(mask), jittered_box(mask, rng, 0.25), mask, name)
        bare = draw_phantom(replace(spec, ulcers=(), reference=replace(spec.reference, kind="none")))
        yield from random_places(bare.pixels, on_finger(bare), 1, rng, px_per_mm=scale, name=f"healthy {seed}")


def bare(count: int) -> Iterator[Place]:
    """Yield a random place of skin on each of some drawn fingers without an ulcer, of every tone and side."""
    rng = np.random.default_rng(SEED)
    for seed in range(9_500_000, 9_500_000 + count):
        spec = random_spec(seed, px_per_mm=(9.0, 24.0), size_px=(1000, 760))
        phantom = draw_phantom(replace(spec, ulcers=(), reference=replace(spec.reference, kind="none")))
        yield from random_places(
            phantom.pixels, on_finger(phantom), 1, rng, px_per_mm=spec.camera.px_per_mm, name=f"healthy {seed}"
        )


def on_finger(phantom: Any) -> np.ndarray:
    """Pixels over a drawn finger's middle, 3 to 40 mm from its tip."""
    rows, cols = np.mgrid[: phantom.pixels.shape[0], : phantom.pixels.shape[1]]
    mm = transform_points(phantom.truth.pixel_to_plane, np.column_stack([cols.ravel(), rows.ravel()]).astype(float))
    on = (np.abs(mm[:, 0]) < 0.8 * phantom.truth.finger_radius_mm) & (mm[:, 1] > 3) & (mm[:, 1] < 40)
    return np.asarray(on.reshape(rows.shape))


def levels(places: Iterator[Place], model: Any) -> dict[str, list[float]]:
    """Return the probability that each find reaches without its prompt; 0 where the prompt found nothing."""
    reached: dict[str, list[float]] = {}
    for place in places:
        rectified = stated(place.pixels, px_per_mm=place.px_per_mm)
        x, y, wide, high = place.box
        corners = np.array([[x, y], [x + wide, y], [x + wide, y + high], [x, y + high]])
        looks = {
            "click": find_at_click(rectified, np.array(place.click), model=model),
            "box": find_in_region(rectified, corners, model=model),
        }
        for prompt, (_, _, finds) in looks.items():
            best = 0.0
            for find in finds[:1]:
                view, logits = unprompted_result(rectified, find, model=model)
                best = mean_inside(find, view, model.probability(logits))
            kind = "skin" if place.wound is None else "wound"
            reached.setdefault(f"{kind}, {prompt}", []).append(best)
            if (best > LEVELS[0]) == (place.wound is None) or (place.wound is not None and best < LEVELS[-1]):
                print(f"<!-- {kind} {prompt} {best:.3f} {place.name} {place.click} -->", flush=True)
    return reached


def calibrate(data: Path, model: Any) -> None:
    """Print how many finds reach each level on what the level is chosen on."""
    train, names = data / "fuseg" / "train", held_out(data)
    sets = {
        "held-out photos": wounds(train, names),
        "skin of held-out photos": skin_beside_wounds(train, names),
        "hands/real_ccby_own": own_hands(data),
        "drawn, 1-2.6 mm": drawn(40, diameter_mm=(1.0, 2.6)),
        "drawn, 1-8 mm": drawn(20, diameter_mm=(1.0, 8.0)),
    }
    print(
        "| set | prompts |" + "".join(f" ≥ {level:g} |" for level in LEVELS) + "\n" + "|---" * (len(LEVELS) + 2) + "|"
    )
    for name, places in sets.items():
        for kind, values in levels(places, model).items():
            counts = "".join(f" {sum(v >= level for v in values)} |" for level in LEVELS)
            print(f"| {name}: {kind} | {len(values)} |{counts}", flush=True)


def report(data: Path, model: Any, *, names: list[str], part: tuple[int, int]) -> None:
    """Print what becomes an ulcer of prompts on healthy skin and on wounds."""
    dev = data / "fuseg" / "dev"
    makers = {
        "hands_healthy": lambda: healthy_hands(data),
        "drawn": lambda: bare(100),
        "fingers": lambda: fingers(data),
        "fuseg/dev": lambda: wounds(dev, sorted(path.name for path in (dev / "photos").iterdir())),
    }
    sets = {name: islice(makers[name](), part[0] - 1, None, part[1]) for name in names}
    print("| set | prompt | prompts | an ulcer | overlaps the wound |\n|---|---|---|---|---|")
    for name, places in sets.items():
        counts: dict[str, Counter[str]] = {"click": Counter(), "box": Counter()}
        for place in places:
            for prompt, counted in counts.items():
                outcome = look(place, prompt, model)
                counted.update(outcome)
                if ("ulcer" in outcome) == (place.wound is None):
                    print(f"<!-- {name} {prompt} {place.name} {place.click}: {sorted(outcome)} -->", flush=True)
        for prompt, counted in counts.items():
            print(f"| {name} | {prompt} | {counted['prompts']} | {counted['ulcer']} | {counted['hit']} |", flush=True)


def look(place: Place, prompt: str, model: Any) -> set[str]:
    """Say what one prompt came to: 'ulcer' where one was outlined, 'hit' where it overlaps the wound."""
    rectified = stated(place.pixels, px_per_mm=place.px_per_mm)
    asked: dict[str, Any] = {"click": place.click} if prompt == "click" else {"box": place.box}
    found = segment(rectified, model=model, **asked).labels > 0
    outcome = {"prompts"} | ({"ulcer"} if found.any() else set())
    return outcome | ({"hit"} if place.wound is not None and (found & place.wound).any() else set())


def main_job(data: Path) -> None:
    """Print the status of each finger of at least 8 px/mm, clicked."""
    protocol, statuses = read_protocol("manus"), Counter[str]()
    for row in finger_rows(data):
        scale = float(row["width_px"]) / FINGER_MM
        if scale < protocol.gates.px_per_mm_min:
            continue
        cells = {"photo": row["photo"], "x": row["x"], "y": row["y"], "reference": f"scale:{scale:.3f}"}
        photo = measure_photo(cells, protocol, root=data / "fingers", overlay=False).photo
        statuses[photo["status"]] += 1
        print(f"- {row['photo']} {row['finger_id']} ({row['kind']}, {scale:.1f} px/mm): {photo['status']}"
              f"; {photo['reason'][:150]}", flush=True)  # fmt: skip
    print(f"\nFingers of at least 8 px/mm, clicked: {dict(statuses)}")


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dir", type=Path)
    parser.add_argument("--calibrate", action="store_true")
    parser.add_argument("--sets", nargs="+", default=SETS, choices=SETS)
    parser.add_argument("--part", default="1/1", help="K/N: every N-th place, from the K-th on")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    model = load_model()
    if args.calibrate:
        calibrate(args.dir, model)
        return
    first, every = (int(number) for number in args.part.split("/"))
    report(args.dir, model, names=args.sets, part=(first, every))
    if "fingers" in args.sets:
        main_job(args.dir)


if __name__ == "__main__":
    main()
