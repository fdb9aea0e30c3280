"""The training loop: AdamW, a cosine that ends on time, averaged weights, a checkpoint at every epoch."""

import copy
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ulcermeter.networks.optimisation import Learner
from ulcermeter.segmentation.network import STRIDE_PX
from ulcermeter.segmentation.training.architecture import UlcerNetwork
from ulcermeter.segmentation.training.samples import Pool, cut_sample

Log = Callable[[str], None]
# Dice alone forgives wide outlines and finds far from the wound; entropy at this weight is a quarter of its pull.
ENTROPY_WEIGHT = 8.0
# Added to both sides of soft Dice, px: a wound of a few pixels, or none, does not make it leap (assumption).
_SMOOTH_PX = 20.0
# Rates for weights that already know ulcers, of the new layers and of the encoder (assumption).
FINE_RATE, FINE_ENCODER_RATE = 3e-4, 1e-4
# How far a photo's difficulty moves to what it was last (assumption).
_DIFFICULTY_MOVES = 0.3
# Extra pictures from which on they are drawn from (assumption): fewer would be seen again and again.
_ENOUGH_EXTRA = 20


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run besides the pictures.

    Attributes
    ----------
    crops : tuple of (pictures in a step, side in px)
        Taken in turn: near cuts as the second pass and prompts see them, wide ones as a whole photo shows its wound.
    """

    # Rates and shares are assumptions; what was tried stands in `weights/MODEL_CARD.md`.
    minutes: float = 90.0
    crops: tuple[tuple[int, int], ...] = ((8, 288), (4, 416))
    learning_rate: float = 2e-3
    encoder_rate: float = 5e-4
    weight_decay: float = 0.02
    average_decay: float = 0.998
    prompt_share: float = 0.5
    extra_share: float = 0.25
    epoch_steps: int = 100
    check_epochs: int = 4
    held_out: int = 80
    seed: int = 20261
    threads: int = 2
    max_steps: int | None = None

    def for_fine_tuning(self) -> "Recipe":
        """Return the recipe with rates for weights that already know ulcers."""
        return replace(self, learning_rate=FINE_RATE, encoder_rate=FINE_ENCODER_RATE)


@dataclass
class RunState:
    """What a checkpoint restores."""

    step: int = 0
    seconds: float = 0.0
    best: float = -1.0
    history: list[dict[str, float]] = field(default_factory=list)


class Trainer:
    """One run: the network, its average, its optimiser and how far it is."""

    def __init__(self, network: UlcerNetwork, *, recipe: Recipe, checkpoint: Path, log: Log) -> None:
        self.recipe, self.checkpoint, self.log = recipe, checkpoint, log
        network.freeze_first_blocks()
        self.learner = Learner(network, _groups(network, recipe), seed=recipe.seed, threads=recipe.threads)
        self.state = RunState()
        if checkpoint.exists():
            self.state = RunState(**self.learner.restore(checkpoint)["state"])
            self.log(f"resumed at step {self.state.step}, {self.state.seconds / 60:.1f} min spent")

    def fit(self, pool: Pool, extra: Pool, *, held_out: Pool, refill: Callable[[Pool], int]) -> None:
        """Train until the recipe's minutes are spent, picking up new extra pictures at every epoch."""
        while self._progress() < 1.0:
            new = refill(extra)
            loss, began = self._epoch(pool, extra), self.state.seconds
            epoch = self.state.step // self.recipe.epoch_steps
            if epoch % self.recipe.check_epochs == 0 or self._progress() >= 1.0:
                self._check(held_out)
            self.learner.save(self.checkpoint, state=asdict(self.state), recipe=asdict(self.recipe))
            self.log(f"step {self.state.step} {began / 60:.1f} min loss {loss:.4f} extra {len(extra.names)} (+{new})")

    def chosen_network(self) -> UlcerNetwork:
        """Return the averaged weights of the best check, or the last ones when nothing was held out."""
        chosen: UlcerNetwork = copy.deepcopy(self.learner.average)
        best = self.checkpoint.with_suffix(".best.pt")
        if best.exists():
            chosen.load_state_dict(torch.load(best, map_location="cpu", weights_only=True))
        chosen.eval()
        return chosen

    def _progress(self) -> float:
        steps = self.recipe.max_steps
        if steps is not None:
            return self.state.step / steps
        return self.state.seconds / (60 * self.recipe.minutes)

    def _epoch(self, pool: Pool, extra: Pool) -> float:
        total, steps = 0.0, 0
        for _ in range(self.recipe.epoch_steps):
            if self._progress() >= 1.0:
                break
            began = time.monotonic()
            total, steps = total + self._step(pool, extra), steps + 1
            self.state.seconds += time.monotonic() - began
        return total / max(steps, 1)

    def _step(self, pool: Pool, extra: Pool) -> float:
        recipe, progress = self.recipe, self._progress()
        origin, x, target = draw_batch(pool, extra, recipe=recipe, step=self.state.step, rng=self.learner.rng)
        logits = self.learner.network(x)
        loss, per_image = segmentation_loss(logits, target)
        self.state.step += 1
        self.learner.descend(loss, step=self.state.step, progress=progress, decay=recipe.average_decay)
        for (source, index), value in zip(origin, per_image.tolist(), strict=True):
            source.difficulty[index] += _DIFFICULTY_MOVES * (value - source.difficulty[index])
        return float(loss.detach())

    def _check(self, held_out: Pool) -> None:
        if not held_out.names:
            return
        dice = [
            hard_dice(predict(self.learner.average, photo) > 0.5, mask)
            for photo, mask in zip(held_out.photos, held_out.masks, strict=True)
        ]
        mean = float(np.mean(dice))
        self.state.history.append({"step": self.state.step, "held_out_dice": mean})
        self.log(f"step {self.state.step} held-out image-mean Dice {mean:.4f} median {np.median(dice):.4f}")
        if mean > self.state.best:
            self.state.best = mean
            torch.save(self.learner.average.state_dict(), self.checkpoint.with_suffix(".best.pt"))


def _groups(network: UlcerNetwork, recipe: Recipe) -> list[dict[str, Any]]:
    """Return the parameters of the encoder and, with and without decay, of all else."""
    encoder = {id(p) for p in network.encoder_parameters()}
    rest = [p for p in network.parameters() if p.requires_grad and id(p) not in encoder]
    decay, peak = recipe.weight_decay, recipe.learning_rate
    return [
        {"params": network.encoder_parameters(), "peak": recipe.encoder_rate, "weight_decay": decay},
        {"params": [p for p in rest if p.ndim > 1], "peak": peak, "weight_decay": decay},
        {"params": [p for p in rest if p.ndim <= 1], "peak": peak, "weight_decay": 0.0},
    ]


def draw_batch(
    pool: Pool, extra: Pool, *, recipe: Recipe, step: int, rng: np.random.Generator
) -> tuple[list[tuple[Pool, int]], Tensor, Tensor]:
    """Cut one batch; a share of it comes from the extra pictures once there are some.

    Parameters
    ----------
    pool : Pool
        The training photos.
    extra : Pool
        Drawn or other pictures; used from 20 on.
    recipe : Recipe
        Sizes and shares.
    step : int
        Which of the recipe's crops is taken.
    rng : Generator
        What chance is drawn from.

    Returns
    -------
    origin : the pool and index of each sample
    x : float32 (N, 5, size, size)
    target : float32 (N, 1, size, size)
    """
    count, side = recipe.crops[step % len(recipe.crops)]
    origin, inputs, targets = [], [], []
    for _ in range(count):
        source = extra if len(extra.names) >= _ENOUGH_EXTRA and rng.random() < recipe.extra_share else pool
        index = source.draw(rng)
        pixels, prompt, target = cut_sample(
            source.photos[index], source.masks[index], size_px=side, rng=rng, prompt_share=recipe.prompt_share
        )
        rgb = pixels.transpose(2, 0, 1).astype(np.float32) / 255
        origin.append((source, index))
        inputs.append(np.concatenate([rgb, prompt]))
        targets.append(target[None].astype(np.float32))
    x = torch.from_numpy(np.stack(inputs)).to(memory_format=torch.channels_last)
    return origin, x, torch.from_numpy(np.stack(targets))


def segmentation_loss(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Pixelwise cross entropy plus one minus soft Dice of each picture, so that a small wound counts as a large one.

    Parameters
    ----------
    logits : float32 (N, 1, M, N)
        Of the network.
    target : float32 (N, 1, M, N)
        0 or 1.

    Returns
    -------
    loss : scalar
    per_image : (N,), the Dice part of each picture, without gradient
    """
    entropy = F.binary_cross_entropy_with_logits(logits, target)
    probability = torch.sigmoid(logits)
    shared = (probability * target).sum((1, 2, 3))
    total = probability.sum((1, 2, 3)) + target.sum((1, 2, 3))
    dice = 1 - (2 * shared + _SMOOTH_PX) / (total + _SMOOTH_PX)
    return ENTROPY_WEIGHT * entropy + dice.mean(), dice.detach()


@torch.no_grad()
def predict(network: UlcerNetwork, photo: np.ndarray) -> np.ndarray:
    """Return the probability of a whole photo at its own resolution, padded to a multiple of 32.

    Parameters
    ----------
    network : UlcerNetwork
        In evaluation mode.
    photo : uint8 (M, N, 3)
        RGB in sRGB.

    Returns
    -------
    float32 (M, N)
        0..1, not calibrated.
    """
    height, width = photo.shape[:2]
    padded = cv2.copyMakeBorder(photo, 0, -height % STRIDE_PX, 0, -width % STRIDE_PX, cv2.BORDER_REFLECT_101)
    x = torch.zeros(1, 5, *padded.shape[:2])
    x[0, :3] = torch.from_numpy(padded.transpose(2, 0, 1).astype(np.float32) / 255)
    logits = network(x.to(memory_format=torch.channels_last))
    return np.asarray(torch.sigmoid(logits)[0, 0, :height, :width].numpy())


def hard_dice(found: np.ndarray, truth: np.ndarray) -> float:
    """Dice of two masks; empty against empty is 1.

    Parameters
    ----------
    found : bool (M, N)
        What was segmented.
    truth : uint8 or bool (M, N)
        Over 0 is ulcer.

    Returns
    -------
    float
        0..1.
    """
    total = int(found.sum()) + int(truth.sum())
    return 1.0 if total == 0 else 2.0 * int((found & (truth > 0)).sum()) / total
