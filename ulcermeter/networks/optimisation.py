"""What every training does at each step: one step of the optimiser, and weights averaged over the steps."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["descend", "update_average"]

# Norm of the gradient beyond which it is scaled down: a rare bad batch must not undo the run (assumption; no run needed
# another).
_GRADIENT_NORM_MAX = 3.0
# Steps until which an average is mostly of late weights (the usual ramp, as in TensorFlow).
_AVERAGE_AFTER = 10


def descend(network: nn.Module, optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    """Take one step against the gradient of a loss.

    Parameters
    ----------
    network : Module
        Changed in place.
    optimiser : Optimizer
        Of the network's parameters.
    loss : Tensor
        One number.
    """
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), _GRADIENT_NORM_MAX)
    optimiser.step()


@torch.no_grad()
def update_average(average: nn.Module, network: nn.Module, *, step: int, decay: float) -> None:
    """Move averaged weights towards the network's.

    Parameters
    ----------
    average : Module
        Changed in place.
    network : Module
        Of the same kind.
    step : int
        Steps done; early ones count more, so that the average forgets where it began.
    decay : float
        Share of the average that a step keeps at most.
    """
    share = min(decay, (1 + step) / (_AVERAGE_AFTER + step))
    for kept, live in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if kept.dtype.is_floating_point:
            kept.lerp_(live, 1 - share)
