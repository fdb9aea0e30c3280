"""What every training does: a step of the optimiser at its rate, weights averaged over the steps, and a checkpoint."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

import cv2
import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["Learner", "schedule"]

# Norm of the gradient beyond which it is scaled down: a rare bad batch must not undo the run (assumption; no run needed
# another).
_GRADIENT_NORM_MAX = 3.0
# Share of the run in which the rate rises, its least share of the peak then, and at the end (assumption).
_WARM_UP, _LEAST_WARM, _LEAST_RATE = 0.04, 0.02, 0.01
# Steps until which an average is mostly of late weights (the usual ramp, as in TensorFlow).
_AVERAGE_AFTER = 10
# What of a `Learner` a checkpoint holds, by name, beside chance.
_CHANGED = ("network", "average", "optimiser")

_Network = TypeVar("_Network", bound=nn.Module)


class Learner(Generic[_Network]):
    """A network with all that its training changes: averaged weights, the optimiser's state, and chance.

    Attributes
    ----------
    network, average : Module
        As trained, and its weights averaged over the steps, in evaluation mode.
    optimiser : AdamW
        Of the groups of parameters given; the ``peak`` of each is its highest rate.
    rng : Generator
        What chance is drawn from.
    """

    def __init__(self, network: _Network, groups: Sequence[Mapping[str, Any]], *, seed: int, threads: int) -> None:
        torch.manual_seed(seed)
        torch.set_num_threads(threads)
        cv2.setNumThreads(1)
        self.network: _Network = network.to(memory_format=torch.channels_last).train()
        self.average: _Network = copy.deepcopy(network).eval()
        self.optimiser = torch.optim.AdamW([dict(group) for group in groups])
        self.rng = np.random.default_rng(seed)

    def descend(self, loss: Tensor, *, step: int, progress: float, decay: float) -> None:
        """Take one step, the `step`-th from 1, against the gradient of a loss, and move the average by it.

        Parameters
        ----------
        loss : Tensor
            One number.
        step : int
            Early ones count more in the average, so that it forgets where it began.
        progress : float
            Share of the run that is done, 0..1, by which `schedule` sets the rate.
        decay : float
            Share of the average that a step keeps at most.
        """
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        for group in self.optimiser.param_groups:
            group["lr"] = group["peak"] * schedule(progress)
        nn.utils.clip_grad_norm_(self.network.parameters(), _GRADIENT_NORM_MAX)
        self.optimiser.step()
        _update_average(self.average, self.network, share=min(decay, (1 + step) / (_AVERAGE_AFTER + step)))

    def save(self, path: Path, **facts: Any) -> None:
        """Write everything beside what else the run must know, whole or not at all.

        Parameters
        ----------
        path : Path
            The checkpoint.
        **facts
            Numbers, texts, and lists and dicts of them.
        """
        part = path.with_suffix(".part")
        states = {name: getattr(self, name).state_dict() for name in _CHANGED}
        torch.save({**facts, "rng": self.rng.bit_generator.state, **states}, part)
        part.replace(path)

    def restore(self, path: Path) -> dict[str, Any]:
        """Go back to a checkpoint of the same network and return the facts that were saved with it.

        Parameters
        ----------
        path : Path
            As `save` wrote it.

        Returns
        -------
        dict
            What `save` was given.
        """
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        for name in _CHANGED:
            getattr(self, name).load_state_dict(content.pop(name))
        self.rng.bit_generator.state = content.pop("rng")
        return content


def schedule(progress: float) -> float:
    """Share of the peak learning rate at a share of the run: a rise over 4 %, then a cosine to one hundredth.

    Parameters
    ----------
    progress : float
        Share of the run that is done, 0..1.

    Returns
    -------
    float
        0.01..1.
    """
    if progress < _WARM_UP:
        return max(progress / _WARM_UP, _LEAST_WARM)
    share = min((progress - _WARM_UP) / (1 - _WARM_UP), 1.0)
    return _LEAST_RATE + (1 - _LEAST_RATE) * 0.5 * (1 + math.cos(math.pi * share))


@torch.no_grad()
def _update_average(average: nn.Module, network: nn.Module, *, share: float) -> None:
    """Move averaged weights towards the network's, in place; `share` of them stays."""
    for kept, live in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if kept.dtype.is_floating_point:
            kept.lerp_(live, 1 - share)
