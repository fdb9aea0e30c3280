"""The training loop of the finger network: AdamW, a cosine to the last step, averaged weights, checkpoints."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ulcermeter.finger.training.architecture import FingerNetwork
from ulcermeter.finger.training.samples import MarkedPicture, Sample, draw_sample
from ulcermeter.networks.optimisation import Learner

Log = Callable[[str], None]
# Weights of the loss's parts beside the mask's, so that each starts with about its size: a tip's squared error is small
# because its bump is (assumption).
TIP_WEIGHT, FACT_WEIGHT, WIDTH_WEIGHT, WAY_WEIGHT = 40.0, 1.5, 0.5, 1.5
# Value of a tip's bump from which on a place counts as inside it; and the width's error, in its unit, from which on the
# loss is no longer squared (assumption).
BUMP_FROM, WIDTH_BETA = 0.01, 0.2
# Length under which a direction is none, and the error of one, rad, under which its loss is squared (assumption).
NO_WAY, CHORD_SOFT = 1e-3, 0.05
# Where no finger is, so many pixels of a mask cost as much as half of a finger missed.
FAINT_PX = 20.0
# A tip's bump covers half a percent of its map: outside it an error counts this much less.
TIP_OFF_WEIGHT = 0.25


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a run besides the pictures."""

    steps: int = 6000
    batch: int = 16
    learning_rate: float = 1.4e-3
    encoder_rate: float = 6e-4
    weight_decay: float = 0.02
    average_decay: float = 0.997
    save_steps: int = 200
    seed: int = 20262
    threads: int = 1


class Trainer:
    """One run: the network, its average, its optimiser and how far it is; goes on from its checkpoint."""

    def __init__(self, network: FingerNetwork, *, recipe: Recipe, checkpoint: Path, log: Log) -> None:
        self.recipe, self.checkpoint, self.log = recipe, checkpoint, log
        network.freeze_first_blocks()
        encoder = [p for p in network.blocks.parameters() if p.requires_grad]
        known = {id(p) for p in encoder}
        rest = [p for p in network.parameters() if p.requires_grad and id(p) not in known]
        groups = [
            {"params": rest, "peak": recipe.learning_rate, "weight_decay": recipe.weight_decay},
            {"params": encoder, "peak": recipe.encoder_rate, "weight_decay": recipe.weight_decay},
        ]
        self.learner = Learner(network, groups, seed=recipe.seed, threads=recipe.threads)
        self.step = 0
        if checkpoint.exists():
            self.step = int(self.learner.restore(checkpoint)["step"])
            self.log(f"going on from step {self.step}")

    def fit(
        self, pictures: list[MarkedPicture], *, refill: Callable[[], int], check: Callable[[FingerNetwork], str]
    ) -> None:
        """Train to the recipe's last step; ``refill`` may add pictures at each checkpoint, ``check`` says how good."""
        began, total = time.monotonic(), 0.0
        while self.step < self.recipe.steps:
            total += self._step(pictures)
            if self.step % self.recipe.save_steps == 0 or self.step >= self.recipe.steps:
                self.learner.save(self.checkpoint, step=self.step, recipe=asdict(self.recipe))
                mean, total = total / self.recipe.save_steps, 0.0
                minutes = (time.monotonic() - began) / 60
                done = f"step {self.step} {minutes:.1f} min loss {mean:.4f} of {len(pictures)} pictures"
                self.log(f"{done}; {check(self.learner.average)}")
                refill()

    def _step(self, pictures: Sequence[MarkedPicture]) -> float:
        progress = self.step / self.recipe.steps
        batch = draw_batch(pictures, self.recipe.batch, self.learner.rng)
        loss = finger_loss(self.learner.network(batch[0]), batch)
        self.step += 1
        self.learner.descend(loss, step=self.step, progress=progress, decay=self.recipe.average_decay)
        return float(loss.detach())


def draw_batch(pictures: Sequence[MarkedPicture], count: int, rng: np.random.Generator) -> tuple[Tensor, ...]:
    """Draw samples and stack them: x, mask, tip, facts, weights as in `Sample`.

    Parameters
    ----------
    pictures : sequence of MarkedPicture
    count : int
        Samples.
    rng : Generator

    Returns
    -------
    tuple of Tensor
        Each with the samples along its first axis.
    """
    drawn: list[Sample] = []
    while len(drawn) < count:
        one, other = (pictures[int(rng.integers(len(pictures)))] for _ in range(2))
        sample = draw_sample(one, rng, other=other)
        if sample is not None:
            drawn.append(sample)
    x, *rest = (
        torch.from_numpy(np.stack([getattr(one, name) for one in drawn]))
        for name in ("x", "mask", "tip", "facts", "weights")
    )
    return x.contiguous(memory_format=torch.channels_last), *rest


def finger_loss(out: tuple[Tensor, Tensor, Tensor], batch: Sequence[Tensor]) -> Tensor:
    """Entropy and soft Dice of the mask, squares of the tip's map, entropy of both facts, width, direction.

    Parameters
    ----------
    out : tuple of Tensor
        Mask and tip logits and numbers, as `FingerNetwork` gives them.
    batch : sequence of Tensor
        As `draw_batch` gives it.

    Returns
    -------
    Tensor
        One number.
    """
    mask, tip, numbers = out
    _, wanted, wanted_tip, facts, weights = batch
    here = facts[:, 0]
    probability = torch.sigmoid(mask)
    overlap = 2 * (probability * wanted).sum((1, 2, 3)) + FAINT_PX
    dice = 1 - overlap / (probability.sum((1, 2, 3)) + wanted.sum((1, 2, 3)) + FAINT_PX)
    loss = F.binary_cross_entropy_with_logits(mask, wanted) + dice.mean()
    off = (torch.sigmoid(tip) - wanted_tip) ** 2
    loss = loss + TIP_WEIGHT * (off * torch.where(wanted_tip > BUMP_FROM, 1.0, TIP_OFF_WEIGHT)).mean()
    loss = loss + FACT_WEIGHT * F.binary_cross_entropy_with_logits(numbers[:, 0], here)
    tips = F.binary_cross_entropy_with_logits(numbers[:, 1], facts[:, 1], reduction="none")
    loss = loss + FACT_WEIGHT * (tips * here).mean()
    loss = (
        loss
        + WIDTH_WEIGHT
        * (F.smooth_l1_loss(numbers[:, 2], facts[:, 2], beta=WIDTH_BETA, reduction="none") * weights[:, 1]).mean()
    )
    # The chord between both directions, not its square: what is 15 degrees off still counts a quarter of a radian.
    way = F.normalize(numbers[:, 3:], dim=1, eps=NO_WAY)
    chord = torch.sqrt(((way - facts[:, 3:]) ** 2).sum(1) + CHORD_SOFT**2) - CHORD_SOFT
    return loss + WAY_WEIGHT * (chord * weights[:, 2]).mean()
