"""How far the network's diameters are off, in units of its own spread at the rim: the evidence for the outline's doubt.

    python tests/studies/boundary.py DATA [--split train|dev] [--phantoms N] [--model M.onnx]

On photographed wounds the truth is an annotator's outline; on phantoms it comes from geometry. For `train` it gives
the conformal factor of `outline_spread_factor` (95 % quantile, by n + 1) of all its wounds and of those held out of
training, and how many of the annotators' diameters and areas an interval of the outline's doubt alone would hold:
overall, by size and by how crisp the rim is (thirds), by 3-fold cross-validation over photos. The network was trained
on all but the photos held out, so that the others are easier for it than a new photo. The scale is stated (8 px/mm);
only ratios matter.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from segmentation import inmost_point, jittered_box, rough_outline, stated
from wound_scores import LEAST_PX

from ulcermeter.geometry import area, perimeter
from ulcermeter.planimetry import longest_caliper
from ulcermeter.protocol import default_protocol
from ulcermeter.segmentation import Model, load_model, segment
from ulcermeter.segmentation.training.split import choose_held_out, read_groups
from ulcermeter.statistics import Z_95, wilson

RULES = default_protocol().measurement
PROMPTS = ("none", "click", "box", "outline")
# The rule before this one: the offset's sd was half of what the confidence lacks of the diameter, and .03 mm beside it.
FORMER_FLOOR_MM = 0.03


@dataclass(frozen=True)
class Wound:
    """One outline beside its truth: lengths in px, areas in px².

    `open_px` is the rim's spread less what a sharp edge spreads; `crisp` that spread as a share of the diameter.
    """

    photo: str
    held_out: bool
    true_px: float
    found_px: float
    open_px: float
    crisp: float
    confidence: float
    true_area: float
    found_area: float
    perimeter: float
    px_per_mm: float = float("nan")


def annotated_diameter_px(wound: NDArray[np.bool_]) -> float:
    """Longest caliper of a wound's pixels; the contour runs through pixel centres, so nearly a pixel is added."""
    contours = cv2.findContours(wound.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    return longest_caliper(max(contours, key=len)[:, 0].astype(np.float64)).length_mm + 0.9


def wounds_on(path: Path, mask: NDArray[np.bool_], model: Model, *, prompt: str, held_out: bool) -> Iterator[Wound]:
    """Outlines of a photo that meet just one wound, and overlap it by half: below that it is another thing."""
    pixels = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    labels = cv2.connectedComponents(mask.astype(np.uint8))[1]
    for found in found_on(pixels, mask, model, prompt):
        for outline, rim, sure in zip(found.outlines, found.rims, found.confidence, strict=True):
            inside = cv2.fillPoly(np.zeros(mask.shape, np.uint8), [np.rint(outline).astype(int)], 1) > 0
            met = np.setdiff1d(np.unique(labels[inside]), [0])
            wound = labels == met[0] if len(met) == 1 else np.zeros_like(inside)
            if wound.sum() >= LEAST_PX and 2 * (wound & inside).sum() > 0.5 * (wound.sum() + inside.sum()):
                true = {"true_px": annotated_diameter_px(wound), "true_area": float(wound.sum())}
                yield beside(outline, rim, sure, photo=path.name, held_out=held_out, **true)


def found_on(pixels, mask, model, prompt):
    """Segmentations of a photo: one without a prompt, or one for the largest wound's click or box."""
    rectified = stated(pixels)
    if prompt == "none":
        found = segment(rectified, model=model)
        return [] if found.possible else [found]
    if not mask.any():
        return []
    rng = np.random.default_rng(int(mask.sum()))
    draw = {
        "click": inmost_point,
        "box": lambda one: jittered_box(one, rng),
        "outline": lambda one: rough_outline(one, rng),
    }
    where = draw[prompt](mask)
    return [] if where is None else [segment(rectified, model=model, **{prompt: where})]


def beside(outline, rim, sure, **known) -> Wound:
    """An outline (K, 2), px, with its rim, beside what is true of it."""
    length = longest_caliper(outline).length_mm
    open_share = max(rim.spread - RULES.outline_sharp_px * rim.pixel, RULES.outline_least_px * rim.pixel)
    return Wound(found_px=length, open_px=open_share * length, crisp=rim.spread, confidence=sure,
                 found_area=area(outline), perimeter=perimeter(outline), **known)  # fmt: skip


def photographed(data: Path, split: str, model: Model, *, prompt: str, held_only: bool) -> list[Wound]:
    """Wounds of a folder of photos and masks."""
    folder = data / "fuseg" / split
    names = sorted(path.name for path in (folder / "photos").iterdir())
    held = set()
    if split == "train":
        groups = read_groups(data / "fuseg" / "twice_labelled.csv")
        held = choose_held_out(names, groups=groups, count=81, seed=20261)
    found = []
    for name in names:
        if name in held or not held_only:
            mask = cv2.imread(str(folder / "masks" / f"{Path(name).stem}.png"), cv2.IMREAD_GRAYSCALE) > 127
            found += wounds_on(folder / "photos" / name, mask, model, prompt=prompt, held_out=name in held)
    return found


def drawn(count: int, model: Model) -> list[Wound]:
    """Drawn ulcers of 1 to 8 mm at 10 to 30 px/mm, of fresh seeds; the truth is the drawn outline on the photo."""
    from ulcermeter.phantom import draw_phantom, random_spec

    wounds = []
    for seed in range(8_100_000, 8_100_000 + count):
        phantom = draw_phantom(random_spec(seed, diameter_mm=(1.0, 8.0), px_per_mm=(10.0, 30.0), n_ulcers=1))
        truth = phantom.truth.ulcers[0]
        at, scale = np.asarray(truth.outline_px), truth.px_per_mm
        length = longest_caliper(at).length_mm
        found = segment(stated(phantom.pixels, px_per_mm=scale), model=model)
        for outline, rim, sure in zip(found.outlines, found.rims, found.confidence, strict=True):
            if np.hypot(*(outline.mean(0) - at.mean(0))) < max(scale, length / 2):
                wounds.append(beside(outline, rim, sure, photo=str(seed), held_out=True, true_px=length,
                                     true_area=area(at), px_per_mm=scale))  # fmt: skip
    return wounds


def conformal(wounds: list[Wound], *, share: float = 0.95) -> float:
    """Return the factor that a next wound's error stays under with a probability of `share`: the quantile by n + 1."""
    ratios = np.sort([abs(wound.found_px - wound.true_px) / wound.open_px for wound in wounds])
    rank = min(int(np.ceil(share * (len(ratios) + 1))), len(ratios))
    return float(ratios[rank - 1])


def half_px(wound: Wound, factor: float) -> float:
    """Half the interval of a diameter that the outline's doubt alone gives, px."""
    return factor * wound.open_px


def former_half_px(wound: Wound) -> float:
    """The same by the rule before."""
    floor = FORMER_FLOOR_MM * wound.px_per_mm if np.isfinite(wound.px_per_mm) else 0.0
    return 2 * Z_95 * float(np.hypot(floor, wound.found_px * (1 - wound.confidence) / 2))


def third_of(values: list[float]) -> NDArray[np.intp]:
    """Which third of the values each belongs to, 0..2."""
    return np.searchsorted(np.quantile(values, [1 / 3, 2 / 3]), values)


def report(name: str, wounds: list[Wound], factors: list[float]) -> None:
    """Print the coverage of diameters and areas, and how wide the interval is beside the rule before."""
    inside = np.array([abs(w.found_px - w.true_px) <= half_px(w, f) for w, f in zip(wounds, factors, strict=True)])
    areas = np.array([
        abs(w.found_area - w.true_area) <= w.perimeter * half_px(w, f) / 2 for w, f in zip(wounds, factors, strict=True)
    ])  # fmt: skip
    before = np.array([abs(w.found_px - w.true_px) <= former_half_px(w) for w in wounds])
    ratio = np.array([half_px(w, f) / former_half_px(w) for w, f in zip(wounds, factors, strict=True)])
    size, crisp = third_of([w.true_px for w in wounds]), third_of([w.crisp for w in wounds])
    low, high = wilson(float(inside.mean()), len(inside))
    print(
        f"| {name} | {len(wounds)} | {inside.mean():.1%} ({low:.1%}-{high:.1%}) | {_by(inside, size)} | "
        f"{_by(inside, crisp)} | {areas.mean():.1%} | {before.mean():.1%} | {_by(ratio, crisp, np.median)} | "
        f"{np.median([half_px(w, f) / w.found_px for w, f in zip(wounds, factors, strict=True)]):.1%} |"
    )


def _by(values: NDArray, third: NDArray[np.intp], figure=np.mean) -> str:
    return " / ".join(f"{100 * figure(values[third == k]):.0f} %" for k in range(3))


def cross_validated(wounds: list[Wound], folds: int = 3) -> list[float]:
    """Return each wound's factor, from the folds without its photo."""
    names = sorted({wound.photo for wound in wounds})
    fold = dict(zip(names, np.random.default_rng(0).permutation(len(names)) % folds, strict=True))
    by_fold = [conformal([w for w in wounds if fold[w.photo] != k]) for k in range(folds)]
    return [by_fold[fold[wound.photo]] for wound in wounds]


HEADER = """| outlines | n | diameters inside (95 %) | small / middle / large | crisp / middle / open rim \
| areas inside | diameters inside before | width over the one before, crisp / middle / open | half of it / diameter |
|---|---|---|---|---|---|---|---|---|"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--split", default="train")
    parser.add_argument("--phantoms", type=int, default=0)
    parser.add_argument("--model", type=Path)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    model = load_model(args.model)
    factor = RULES.outline_spread_factor
    wounds = photographed(args.data, args.split, model, prompt="none", held_only=False)
    held = [wound for wound in wounds if wound.held_out]
    if args.split == "train":
        print(f"Factor by all {len(wounds)} wounds {conformal(wounds):.2f}, by the {len(held)} held out ", end="")
        print(f"{conformal(held):.2f}; in force {factor}\n\n{HEADER}")
        report("train, 3-fold", wounds, cross_validated(wounds))
        report("held out of training", held, [factor] * len(held))
        report("held out, 3-fold among themselves", held, cross_validated(held))
    else:
        print(HEADER)
        report(args.split, wounds, [factor] * len(wounds))
    for prompt in PROMPTS[1:]:
        prompted = photographed(args.data, args.split, model, prompt=prompt, held_only=args.split == "train")
        report(f"{'held out' if args.split == 'train' else args.split}, {prompt}", prompted, [factor] * len(prompted))
    if args.phantoms:
        found = drawn(args.phantoms, model)
        report(f"{args.phantoms} phantoms", found, [factor] * len(found))


if __name__ == "__main__":
    main()
