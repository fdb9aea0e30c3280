"""The training loop of the skin network: AdamW, a cosine to the last step, averaged weights, checkpoints."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ulcermeter.networks.optimisation import Learner
from ulcermeter.quality.training.architecture import SkinNetwork
from ulcermeter.quality.training.areas import Wound
from ulcermeter.quality.training.canvases import Canvas
from ulcermeter.quality.training.samples import draw_sample

# A cell of an area weighs so much more than one of clear skin, of which there are many more (assumption).
AREA_WEIGHT = 3.0
# The whole picture's answer is its most unclear cells': so many, a third of the least area that counts; and its weight
# beside the cells' (assumption).
WORST_CELLS, PICTURE_WEIGHT = 24, 0.25
# Stands for a cell that does not count among them.
NO_LOGIT = 10.0
# Cells of an area under which its overlap is not reckoned with.
FAINT_CELLS = 20.0


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a run besides the pictures."""

    steps: int = 3000
    batch: int = 12
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    average_decay: float = 0.995
    save_steps: int = 200
    seed: int = 20263
    threads: int = 1


class Batches(Dataset[tuple[Tensor, ...]]):
    """The batches of a run by step, each from a seed of its own: an interrupted run draws the same again."""

    def __init__(self, canvases: Sequence[Canvas], wounds: Sequence[Wound], recipe: Recipe, first: int) -> None:
        self.canvases, self.wounds, self.recipe, self.first = canvases, wounds, recipe, first

    def __len__(self) -> int:
        """Return the steps that are left."""
        return self.recipe.steps - self.first

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        """Return x, wanted and counted of one step."""
        rng = np.random.default_rng([self.recipe.seed, self.first + index])
        picks = rng.integers(len(self.canvases), size=self.recipe.batch)
        drawn = [draw_sample(self.canvases[int(pick)], self.wounds, rng) for pick in picks]
        x, wanted, counted = (
            torch.from_numpy(np.stack([getattr(one, name) for one in drawn])) for name in ("x", "wanted", "counted")
        )
        return x, wanted, counted


def train(
    network: SkinNetwork,
    canvases: Sequence[Canvas],
    wounds: Sequence[Wound],
    *,
    recipe: Recipe,
    checkpoint: Path,
    check: Callable[[SkinNetwork], str],
    log: Callable[[str], None],
) -> SkinNetwork:
    """Train to the recipe's last step, or go on from a checkpoint; ``check`` says how good the average is.

    Parameters
    ----------
    network : SkinNetwork
    canvases : sequence of Canvas
    wounds : sequence of Wound
    recipe : Recipe
    checkpoint : Path
        Written every ``save_steps``.
    check : callable
        From the averaged network to a line of the log.
    log : callable

    Returns
    -------
    SkinNetwork
        The average.
    """
    groups = [{"params": list(network.parameters()), "peak": recipe.learning_rate, "weight_decay": recipe.weight_decay}]
    learner = Learner(network, groups, seed=recipe.seed, threads=recipe.threads)
    first = int(learner.restore(checkpoint)["step"]) if checkpoint.exists() else 0
    began, total = time.monotonic(), 0.0
    for step, batch in enumerate(_batches(canvases, wounds, recipe, first), start=first + 1):
        loss = skin_loss(learner.network(batch[0].contiguous(memory_format=torch.channels_last)), *batch[1:])
        learner.descend(loss, step=step, progress=(step - 1) / recipe.steps, decay=recipe.average_decay)
        total += float(loss.detach())
        if step % recipe.save_steps == 0 or step == recipe.steps:
            learner.save(checkpoint, step=step, recipe=asdict(recipe))
            minutes = (time.monotonic() - began) / 60
            log(f"step {step} {minutes:.1f} min loss {total / recipe.save_steps:.4f}; {check(learner.average)}")
            total = 0.0
    return learner.average


def _batches(
    canvases: Sequence[Canvas], wounds: Sequence[Wound], recipe: Recipe, first: int
) -> Iterator[tuple[Tensor, ...]]:
    yield from DataLoader(Batches(canvases, wounds, recipe, first), batch_size=None, num_workers=1, prefetch_factor=8)


def skin_loss(logits: Tensor, wanted: Tensor, counted: Tensor) -> Tensor:
    """Weighted entropy of the cells, soft Dice of the areas, and entropy of each picture's most unclear cells.

    Parameters
    ----------
    logits, wanted, counted : Tensor (N, 1, M, N)
        As `SkinNetwork` and `draw_sample` give them.

    Returns
    -------
    Tensor
        One number.
    """
    entropy = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    weights = counted * (1 + (AREA_WEIGHT - 1) * wanted)
    loss = (entropy * weights).sum() / weights.sum()
    probability = torch.sigmoid(logits) * counted
    overlap = 2 * (probability * wanted).sum((1, 2, 3)) + FAINT_CELLS
    dice = 1 - overlap / (probability.sum((1, 2, 3)) + wanted.sum((1, 2, 3)) + FAINT_CELLS)
    told = torch.where(counted == 1, logits, -NO_LOGIT).flatten(1).topk(WORST_CELLS, dim=1).values
    cells = wanted.sum((1, 2, 3))
    ill = (cells > 0).float()
    # A short crack has fewer cells: the others beside it are clear.
    meant = torch.arange(WORST_CELLS) < torch.where(cells > 0, cells, WORST_CELLS)[:, None]
    worst = (told * meant).sum(1) / meant.sum(1)
    return loss + dice.mean() + PICTURE_WEIGHT * F.binary_cross_entropy_with_logits(worst, ill)
