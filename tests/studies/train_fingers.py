"""Train the finger network on drawn hands: `train_fingers.py PICTURES HELD_OUT CHECKPOINT --steps 6000`.

PICTURES and HELD_OUT are folders that `draw_hands.py` wrote; new pictures that appear in PICTURES are taken in at every
checkpoint, and an interrupted run goes on with the same command. `export_network.py` turns a checkpoint into the ONNX
file that the package reads.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ulcermeter.finger.training.architecture import FingerNetwork, load_pretrained_encoder
from ulcermeter.finger.training.checks import bare_samples, describe, tip_samples
from ulcermeter.finger.training.loop import Recipe, Trainer
from ulcermeter.phantom.hands import FingerTruth, read_picture


@dataclass(frozen=True)
class Marked:
    """What training keeps of a drawn picture."""

    pixels: Any
    labels: Any
    fingers: tuple[FingerTruth, ...]


class Pool:
    """The pictures of a folder, read once each."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.known, self.pictures = folder, set(), []
        self.refill()

    def refill(self) -> int:
        new = [path for path in sorted(self.folder.glob("*.json")) if path not in self.known]
        for path in new:
            picture = read_picture(path)
            self.pictures.append(Marked(picture.pixels, picture.labels, picture.fingers))
            self.known.add(path)
        return len(new)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("held_out", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--start", type=Path, help="a checkpoint whose averaged weights to begin with")
    given = parser.parse_args()
    network = FingerNetwork()
    if given.start is None:
        load_pretrained_encoder(network)
    else:
        import torch

        network.load_state_dict(torch.load(given.start, map_location="cpu", weights_only=False)["average"])
    pool, held_out = Pool(given.pictures), Pool(given.held_out)
    tips = tip_samples(held_out.pictures, seed=1)[:300]
    bare = bare_samples(held_out.pictures, 80, seed=2)
    trainer = Trainer(
        network,
        recipe=Recipe(steps=given.steps),
        checkpoint=given.checkpoint,
        log=lambda line: print(line, flush=True),
    )
    trainer.fit(pool.pictures, refill=pool.refill, check=lambda average: describe(average, tips, bare))


if __name__ == "__main__":
    main()
