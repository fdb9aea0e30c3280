"""From a trained finger network to the ONNX file that the package reads."""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from torch import nn

from ulcermeter.finger.network import MODEL_KIND
from ulcermeter.finger.training.architecture import FingerNetwork
from ulcermeter.finger.views import VIEW_PX
from ulcermeter.networks.onnx_files import Facts, absorb_norm, export_halves, unfold_convs
from ulcermeter.networks.plain import Mix

OUTPUTS = ("mask", "tip", "numbers")


def fold_network(network: FingerNetwork) -> FingerNetwork:
    """Copy the network with every batch norm folded into its convolution.

    Parameters
    ----------
    network : FingerNetwork

    Returns
    -------
    FingerNetwork
        In evaluation mode; it computes the same.
    """
    plain: FingerNetwork = copy.deepcopy(network).eval()
    unfold_convs(plain)
    for module in plain.modules():
        if isinstance(module, Mix) and isinstance(module.norm, nn.BatchNorm2d):
            module.conv, module.norm = absorb_norm(module.conv, module.norm), nn.Identity()
    return plain


def write_onnx(network: FingerNetwork, out: Path, *, facts: Facts) -> Path:
    """Write the network as ONNX, any number of views at a time, with `facts` and its kind as metadata.

    Parameters
    ----------
    network : FingerNetwork
    out : Path
        The file; one that is there is replaced.
    facts : mapping of str to str
        Version and training, for `ulcermeter.finger.network` to read.

    Returns
    -------
    Path
        `out`.
    """
    return export_halves(
        fold_network(network),
        torch.zeros(2, 4, VIEW_PX, VIEW_PX),
        out,
        inputs=["view"],
        outputs=OUTPUTS,
        free={name: {0: "n"} for name in ("view", *OUTPUTS)},
        facts={"kind": MODEL_KIND, **facts},
    )
