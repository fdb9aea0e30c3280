"""How well ulcers are outlined: validation photos, prompts, baselines, false finds and phantoms, in one run.

Usage: python tests/studies/segmentation.py DIR [--split dev] [--limit N] [--phantoms N] [--model M.onnx]

DIR holds fuseg/ and the folders without ulcers. Prints Markdown, with intervals by 2000 resamplings of photos; the
network stands beside people who drew the same photos (twice_labelled, second_reader: some of them it was trained on).
Photos without a scale are given one (8 px/mm), so that both passes run; nothing below depends on it being true.
"""

import argparse
import csv
import math
import time
from pathlib import Path

import cv2
import numpy as np
from wound_scores import HEADER as SCORES_HEADER
from wound_scores import compare, dice, longest_px
from wound_scores import row as scores_row

from ulcermeter.datatypes import Calibration, CameraInfo, Photo, RectifiedPhoto
from ulcermeter.reference import parse_reference
from ulcermeter.segmentation import load_model, segment, ulcer_probability

SMALL_PX = 1300
STATED_PX_PER_MM = 8.0
NO_ULCER = {
    "hands_healthy": 10.0,
    "hand_card": 19.0,
    "markers": 8.0,
    "rulers": 8.0,
    "euro_coins": 14.0,
    "not_ulcers": 8.0,
}
ENDINGS = (".png", ".jpg", ".jpeg")


def stated(pixels, *, px_per_mm=STATED_PX_PER_MM, homography=None):
    """Rectify nothing: the photo itself as a window, one pixel a pixel."""
    none = np.zeros((0, 2))
    calibration = Calibration(
        pixel_to_mm=np.diag([1 / px_per_mm, 1 / px_per_mm, 1.0]),
        draws=np.zeros((0, 3, 3)),
        reference=parse_reference(f"scale:{px_per_mm}"),
        reference_on="skin",
        points_px=none,
        points_mm=none,
        points_covariance_px2=np.zeros((0, 0)),
        reference_outline_px=none,
        reprojection_mm=math.nan,
        tilt_deg=math.nan,
        distance_mm=300.0,
        distance_sd_mm=60.0,
        verified=False,
        shape=pixels.shape[:2],
    )
    photo = Photo(pixels, "0" * 64, None, CameraInfo(), Path("stated"))
    return RectifiedPhoto(pixels, 1 / px_per_mm, (0.0, 0.0), calibration, photo)


def inmost_point(mask):
    """(x, y) of the mask's pixel farthest from its edge."""
    depth = cv2.distanceTransform(np.pad(mask.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    row, col = np.unravel_index(depth.argmax(), depth.shape)
    return float(col), float(row)


def jittered_box(mask, rng, share=0.1):
    """Bounding box with every side moved by up to a share of the size."""
    x, y, wide, high = cv2.boundingRect(mask.astype(np.uint8))
    move = rng.uniform(-share, share, 4)
    left, right = x + move[0] * wide, x + wide + move[1] * wide
    top, bottom = y + move[2] * high, y + high + move[3] * high
    return left, top, right - left, bottom - top


def rough_outline(mask, rng):
    """Outline of the mask's hull, a tenth larger or smaller and a little off."""
    hull = cv2.convexHull(cv2.findNonZero(mask.astype(np.uint8))).reshape(-1, 2).astype(float)
    if len(hull) < 3:
        return None
    return hull.mean(0) + (hull - hull.mean(0)) * (1 + rng.uniform(-0.1, 0.2)) + rng.normal(0, 0.05, 2) * np.ptp(hull)


def ellipse_in_box(shape, box):
    """Fill the ellipse that a box encloses."""
    x, y, wide, high = box
    rows, cols = np.mgrid[: shape[0], : shape[1]]
    return ((cols + 0.5 - x - wide / 2) / (wide / 2)) ** 2 + ((rows + 0.5 - y - high / 2) / (high / 2)) ** 2 <= 1


def grabcut_in_box(pixels, box):
    """GrabCut seeded by a box, five rounds, on a cut three boxes wide."""
    cv2.setRNGSeed(1)
    x, y, wide, high = (int(v) for v in np.round(box))
    wide, high = max(wide, 3), max(high, 3)
    left, top = max(x - wide, 0), max(y - high, 0)
    part = pixels[top : y + 2 * high, left : x + 2 * wide][..., ::-1].copy()
    labels = np.zeros(part.shape[:2], np.uint8)
    rect = (max(x - left, 1), max(y - top, 1), min(wide, part.shape[1] - 3), min(high, part.shape[0] - 3))
    out = np.zeros(pixels.shape[:2], bool)
    try:
        cv2.grabCut(part, labels, rect, np.zeros((1, 65)), np.zeros((1, 65)), 5, cv2.GC_INIT_WITH_RECT)
    except cv2.error:
        return out
    out[top : top + part.shape[0], left : left + part.shape[1]] = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
    return out


class Tally:
    """What one method did on every photo."""

    def __init__(self):
        self.dice, self.shared, self.total, self.area, self.longest, self.seconds = [], [], [], [], [], []
        self.small, self.scores = [], []

    def add(self, found, truth, seconds):
        """Score one photo."""
        self.dice.append(dice(found, truth))
        self.scores.append(compare(found, truth))
        self.shared.append(int((found & truth).sum()))
        self.total.append(int(found.sum()) + int(truth.sum()))
        self.small.append(0 < truth.sum() < SMALL_PX)
        self.seconds.append(seconds)
        if found.any() and truth.any():
            self.area.append(found.sum() / truth.sum() - 1)
            self.longest.append(longest_px(found) / longest_px(truth) - 1)

    def row(self, name):
        """One line of the table, intervals by 2000 resamplings of photos."""
        values, small = np.array(self.dice), np.array(self.small)
        shared, total = np.array(self.shared), np.array(self.total)
        rng = np.random.default_rng(5)
        picks = rng.integers(0, len(values), (2000, len(values)))
        low, high = np.percentile(values[picks].mean(1), [2.5, 97.5])
        pooled_low, pooled_high = np.percentile(2 * shared[picks].sum(1) / total[picks].sum(1), [2.5, 97.5])
        area, longest = np.array(self.area or [np.nan]), np.array(self.longest or [np.nan])
        return (
            f"| {name} | {values.mean():.3f} ({low:.3f}-{high:.3f}) | {np.median(values):.3f} | "
            f"{2 * shared.sum() / total.sum():.3f} ({pooled_low:.3f}-{pooled_high:.3f}) | "
            f"{values[small].mean() if small.any() else math.nan:.3f} | {values[~small].mean():.3f} | "
            f"{(values < 0.01).sum()} / {(values < 0.5).sum()} | "
            f"{100 * np.median(np.abs(area)):.1f} / {100 * np.median(area):+.1f} | "
            f"{100 * np.median(np.abs(longest)):.1f} / {100 * np.median(longest):+.1f} | "
            f"{np.mean(self.seconds):.2f} |"
        )


HEADER = """| method | image-mean Dice (95 %) | median | pooled (95 %) | < 1300 px | others | missed / under .5 | \
area error / bias % | diameter error / bias % | s |
|---|---|---|---|---|---|---|---|---|---|"""


def timed(make):
    """Call and time."""
    began = time.perf_counter()
    return make(), time.perf_counter() - began


def study_photos(folder, model, limit):
    """Score every method on the outlined photos; return tallies and the calibration's bins."""
    names = (
        "network, one pass",
        "network, two passes",
        "network + click",
        "network + box",
        "network + rough outline",
        "GrabCut in the box",
        "ellipse in the box",
        "network + click, against the wound that was clicked",
    )
    tallies, bins, rng = {name: Tally() for name in names}, np.zeros((15, 3)), np.random.default_rng(11)
    for path in sorted((folder / "photos").iterdir())[:limit]:
        pixels = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        truth = cv2.imread(str(folder / "masks" / f"{path.stem}.png"), cv2.IMREAD_GRAYSCALE) > 127
        probability, seconds = timed(lambda p=pixels: ulcer_probability(p, model=model))
        tallies[names[0]].add(probability > 0.5, truth, seconds)
        add_bins(bins, probability, truth)
        rectified = stated(pixels)
        found, seconds = timed(lambda r=rectified: segment(r, model=model).labels > 0)
        tallies[names[1]].add(found, truth, seconds)
        if not truth.any():
            continue
        box = jittered_box(truth, rng)
        prompts = ({"click": inmost_point(truth)}, {"box": box}, {"outline": rough_outline(truth, rng)})
        for name, prompt in zip(names[2:5], prompts, strict=True):
            if all(value is not None for value in prompt.values()):
                found, seconds = timed(lambda r=rectified, p=prompt: segment(r, model=model, **p).labels > 0)
                tallies[name].add(found, truth, seconds)
        found, seconds = timed(lambda p=pixels, b=box: grabcut_in_box(p, b))
        tallies[names[5]].add(found, truth, seconds)
        tallies[names[6]].add(ellipse_in_box(truth.shape, box), truth, 0.0)
        x, y = (int(v) for v in inmost_point(truth))
        parts = cv2.connectedComponents(truth.astype(np.uint8), connectivity=8)[1]
        found = segment(rectified, model=model, click=(x, y)).labels > 0
        tallies[names[7]].add(found, parts == parts[y, x], 0.0)
    return tallies, bins


def study_people(root, model):
    """Hold the network against each of two people, beside one person against the other."""
    print(f"\n{SCORES_HEADER}")
    for name, pairs in (("twice labelled, train", twice_labelled(root)), *second_reader(root)):
        found = [segment(stated(pixels), model=model).labels > 0 for pixels, *_ in pairs]
        masks = [(first & seen, second & seen, seen) for _, first, second, seen in pairs]
        print(scores_row(f"{name}: person against person", [compare(b, a) for a, b, _ in masks]))
        for who, at in (("first", 0), ("second", 1)):
            scores = [compare(one & mask[2], mask[at]) for one, mask in zip(found, masks, strict=True)]
            print(scores_row(f"{name}: network against the {who}", scores))


def twice_labelled(root):
    """Photos that are the same picture with two masks: pixels, both masks, what both saw."""
    folder, pairs = root / "fuseg", []
    with (folder / "twice_labelled.csv").open(newline="") as stream:
        for one in csv.DictReader(stream):
            pixels, first = read_pair(folder / one["split_a"], Path(one["file_a"]).stem)
            _, second = read_pair(folder / one["split_b"], Path(one["file_b"]).stem)
            pairs.append((pixels, first, second, np.ones_like(first)))
    return pairs


def second_reader(root):
    """Photos marked again as tissue: wound is classes 1 and 2, 255 was not seen; those trained on apart."""
    folder = root / "fuseg"
    with (folder / "second_reader" / "index.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    for split in ("train", "dev"):
        pairs = []
        for one in (row for row in rows if row["set"] == split):
            pixels, first = read_pair(folder / split, one["photo"])
            tissue = cv2.imread(str(folder / "second_reader" / f"{one['photo']}.png"), cv2.IMREAD_GRAYSCALE)
            pairs.append((pixels, first, (tissue == 1) | (tissue == 2), tissue != 255))
        yield f"second reader, {split}", pairs


def read_pair(folder, name):
    """A photo and its mask."""
    path = next((folder / "photos").glob(f"{name}.*"))
    pixels = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    return pixels, cv2.imread(str(folder / "masks" / f"{name}.png"), cv2.IMREAD_GRAYSCALE) > 127


def add_bins(bins, probability, truth):
    """Count pixels, probability and truth in 15 bins."""
    which = np.minimum((probability * len(bins)).astype(int), len(bins) - 1).ravel()
    for column, weight in enumerate((None, probability.ravel(), truth.ravel())):
        bins[:, column] += np.bincount(which, weight, minlength=len(bins))


def print_calibration(bins):
    """Expected calibration error, of all pixels and of those between .02 and .98, and the reliability table."""
    count = np.maximum(bins[:, 0], 1)
    gap = np.abs(bins[:, 1] - bins[:, 2]) / count
    unsure = slice(1, -1)
    print(
        f"\nExpected calibration error: {100 * (gap * bins[:, 0]).sum() / bins[:, 0].sum():.2f} % of all pixels, "
        f"{100 * (gap * bins[:, 0])[unsure].sum() / bins[unsure, 0].sum():.1f} % of the unsure ones\n"
    )
    print("| probability | " + " | ".join(f"{v:.2f}" for v in bins[:, 1] / count) + " |")
    print("|---" * (len(bins) + 1) + "|")
    print("| ulcer | " + " | ".join(f"{v:.2f}" for v in bins[:, 2] / count) + " |")


def study_no_ulcer(root, model):
    """Count finds where there is no ulcer."""
    print("\n| folder | photos | with a find | finds (confidence) | pixels over .5 in one pass | s |")
    print("|---|---|---|---|---|---|")
    for name, scale in NO_ULCER.items():
        photos = [p for p in sorted((root / name).rglob("*")) if p.suffix.lower() in ENDINGS]
        finds, over, with_find, spent = [], 0, 0, 0.0
        for path in photos:
            pixels = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
            result, seconds = timed(lambda p=pixels, s=scale: segment(stated(p, px_per_mm=s), model=model))
            spent += seconds
            with_find += bool(result.confidence)
            called = "possible " if result.possible else ""
            finds += [f"{called}{path.name} {c:.2f}" for c in result.confidence]
            over += int((ulcer_probability(pixels, model=model) > 0.5).any())
        print(
            f"| {name} | {len(photos)} | {with_find} | {'; '.join(finds) or 'none'} | {over} photos | "
            f"{spent / max(len(photos), 1):.2f} |"
        )


def study_phantoms(count, model):
    """Draw phantoms of fresh seeds and measure what is found of them."""
    from ulcermeter.phantom import draw_phantom, random_spec, ulcer_mask

    scores, errors, missed, false, seconds, healthy_false = [], [], [], 0, [], 0
    for seed in range(count):
        healthy = seed % 5 == 4
        spec = random_spec(
            7_000_000 + seed, diameter_mm=(1.2, 8.0), px_per_mm=(10.0, 22.0), n_ulcers=0 if healthy else 1
        )
        phantom = draw_phantom(spec)
        truth = ulcer_mask(phantom) > 0
        rectified = stated(phantom.pixels, px_per_mm=spec.camera.px_per_mm)
        result, spent = timed(lambda r=rectified: segment(r, model=model))
        seconds.append(spent)
        hits = [label for label in range(1, len(result.confidence) + 1) if (truth & (result.labels == label)).any()]
        extra = len(result.confidence) - len(hits)
        false, healthy_false = false + extra, healthy_false + (extra if healthy else 0)
        if healthy:
            continue
        found = np.isin(result.labels, hits)
        scores.append((spec.finger.skin_tone, dice(found, truth)))
        if not hits:
            missed.append(f"seed {seed}: {spec.ulcers[0].diameter_mm:.1f} mm {spec.ulcers[0].wound_bed}")
        else:
            errors.append(longest_px(found) / longest_px(truth) - 1)
    tones = np.array(scores)
    print(
        f"\nPhantoms: {len(scores)} with an ulcer of 1.2-8 mm, found {len(errors)}; false finds {false} "
        f"({healthy_false} on healthy ones) in {count} photos; diameter error median "
        f"{100 * np.median(np.abs(errors)):.1f} %, bias {100 * np.median(errors):+.1f} %; "
        f"{np.mean(seconds):.2f} s a photo. Missed: {'; '.join(missed) or 'none'}."
    )
    for low, high in ((1, 2.67), (2.67, 4.33), (4.33, 6.01)):
        part = tones[(tones[:, 0] >= low) & (tones[:, 0] < high), 1]
        if len(part):
            print(f"  skin tone {low}-{high}: {len(part)} photos, mean Dice {part.mean():.3f}")


def main():
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dir", type=Path)
    parser.add_argument("--split", default="dev")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--phantoms", type=int, default=60)
    parser.add_argument("--model", type=Path)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    model = load_model(args.model)
    print(f"Model {model.version}, sha256 {model.sha256[:12]}, one thread\n\n{HEADER}")
    tallies, bins = study_photos(args.dir / "fuseg" / args.split, model, args.limit)
    for name, tally in tallies.items():
        print(tally.row(name))
    print_calibration(bins)
    print(f"\n{SCORES_HEADER}")
    for name, tally in tallies.items():
        print(scores_row(name, tally.scores))
    study_people(args.dir, model)
    study_no_ulcer(args.dir, model)
    if args.phantoms:
        study_phantoms(args.phantoms, model)


if __name__ == "__main__":
    main()
