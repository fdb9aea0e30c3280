"""Train the skin network: `train_skin.py CANVASES WOUNDS CHECKPOINT [--steps 3000] [--from skin.onnx]`.

CANVASES is what `draw_skins.py` wrote, WOUNDS a folder of photos/ and masks/. An interrupted run goes on with the same
command. With --from it starts from a file's weights, at half the rate. What it prints of views missed and suspected is
of fingers trained on where none are held out, and of wounds trained on: whether training still moves, and no figure to
report.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch

from ulcermeter.networks.onnx_files import unfold_norms
from ulcermeter.quality.training.architecture import SkinNetwork
from ulcermeter.quality.training.areas import Wound
from ulcermeter.quality.training.canvases import Canvas, read_canvas
from ulcermeter.quality.training.loop import WORST_CELLS, Recipe, train
from ulcermeter.quality.training.samples import Sample, draw_sample

# Wounds of so many photo px, to be shown 2 to 11 mm wide; with so much of their surroundings (shares of their size).
LEAST_WOUND_PX, AROUND = 600, 0.6
HELD_OUT = 400
# Of a run from a file's weights: the peak of its rate, half of the first run's, and views to set the norms by.
RATE_ON, VIEWS = 1e-3, 96


def read_wounds(folder: Path) -> list[Wound]:
    """Cut every wound that is no speck and not cut off out of its photograph."""
    wounds = []
    for path in sorted((folder / "masks").glob("*.png")):
        mask = (cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) > 127).astype(np.uint8)
        photo = cv2.imread(str(next((folder / "photos").glob(f"{path.stem}.*"))))[..., ::-1]
        count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
        for label in range(1, count):
            x, y, wide, high, area = stats[label]
            around = int(AROUND * max(wide, high)) + 8
            inside = x > 1 and y > 1 and x + wide < mask.shape[1] - 1 and y + high < mask.shape[0] - 1
            if inside and area > LEAST_WOUND_PX:
                part = np.s_[max(y - around, 0) : y + high + around, max(x - around, 0) : x + wide + around]
                own = labels[part] == label
                ring = (cv2.dilate(mask[part], np.ones((21, 21), np.uint8)) > 0) & (mask[part] == 0)
                pixels = np.ascontiguousarray(photo[part])
                skin = np.median(pixels[ring], axis=0) if ring.any() else np.full(3, 150.0)
                wounds.append(Wound(pixels, own.astype(np.float32), skin.astype(float)))
    return wounds


def describe(network: SkinNetwork, samples: list[Sample]) -> str:
    """Say how many ill views the network misses and healthy ones it suspects, by its most unclear cells."""
    ill, clear, found = [], [], []
    with torch.no_grad():
        for start in range(0, len(samples), 20):
            part = samples[start : start + 20]
            logits = network(torch.from_numpy(np.stack([one.x for one in part])))[:, 0].numpy()
            for one, answer in zip(part, logits, strict=True):
                area = one.wanted[0] > 0
                cells = min(WORST_CELLS, int(area.sum()) or WORST_CELLS)
                worst = float(np.sort(answer[one.counted[0] == 1])[-cells])
                (ill if area.any() else clear).append(worst)
                found += [float((answer[area] > 0).mean())] if area.any() else []
    limit = float(np.quantile(clear, 0.98))
    return (
        f"{np.mean(np.array(ill) <= 0):.3f} of {len(ill)} ill missed, {np.mean(np.array(clear) > 0):.3f} of "
        f"{len(clear)} clear suspected; where 2 % of clear ones are, {np.mean(np.array(ill) <= limit):.3f} missed; "
        f"{np.mean(found):.3f} of areas covered"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("canvases", type=Path)
    parser.add_argument("wounds", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--held-out", type=Path)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--from", dest="start", type=Path, help="skin.onnx to go on from")
    given = parser.parse_args()
    wounds = read_wounds(given.wounds)
    canvases: list[Canvas] = [read_canvas(path) for path in sorted(given.canvases.glob("*.png"))]
    print(len(canvases), "fingers", len(wounds), "wounds", flush=True)
    rng = np.random.default_rng(5)
    held_out = [read_canvas(path) for path in sorted((given.held_out or given.canvases).glob("*.png"))]
    samples = [draw_sample(held_out[int(rng.integers(len(held_out)))], wounds, rng) for _ in range(HELD_OUT)]
    network, recipe = SkinNetwork(), Recipe(steps=given.steps)
    if given.start:
        drawn = [draw_sample(canvases[int(rng.integers(len(canvases)))], wounds, rng).x for _ in range(VIEWS)]
        unfold_norms(network, given.start, torch.from_numpy(np.stack(drawn)))
        recipe = replace(recipe, learning_rate=RATE_ON, seed=recipe.seed + 1)
    train(
        network,
        canvases,
        wounds,
        recipe=recipe,
        checkpoint=given.checkpoint,
        check=lambda average: describe(average, samples),
        log=lambda line: print(line, flush=True),
    )


if __name__ == "__main__":
    main()
