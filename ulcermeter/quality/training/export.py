"""From a trained skin network to the ONNX file that the package reads."""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from torch import nn

from ulcermeter.networks.onnx_files import Facts, absorb_norm, export_halves
from ulcermeter.networks.plain import Mix
from ulcermeter.quality.skin_network import MODEL_KIND
from ulcermeter.quality.skin_views import VIEW_COLS, VIEW_ROWS
from ulcermeter.quality.training.architecture import Down, SkinNetwork

__all__ = ["fold_network", "write_onnx"]


def fold_network(network: SkinNetwork) -> SkinNetwork:
    """Copy the network with every batch norm folded into its convolution.

    Parameters
    ----------
    network : SkinNetwork

    Returns
    -------
    SkinNetwork
        In evaluation mode; it computes the same.
    """
    plain: SkinNetwork = copy.deepcopy(network).eval()
    for module in plain.modules():
        if isinstance(module, Mix | Down) and isinstance(module.norm, nn.BatchNorm2d):
            module.conv, module.norm = absorb_norm(module.conv, module.norm), nn.Identity()
    return plain


def write_onnx(network: SkinNetwork, out: Path, *, facts: Facts) -> Path:
    """Write the network as ONNX, any number of views at a time, with `facts` and its kind as metadata.

    Parameters
    ----------
    network : SkinNetwork
    out : Path
        The file; one that is there is replaced.
    facts : mapping of str to str
        Version and training, for `ulcermeter.quality.skin_network` to read.

    Returns
    -------
    Path
        `out`.
    """
    return export_halves(
        fold_network(network),
        torch.zeros(2, 4, VIEW_ROWS, VIEW_COLS),
        out,
        inputs=["view"],
        outputs=["unclear"],
        free={name: {0: "n"} for name in ("view", "unclear")},
        facts={"kind": MODEL_KIND, **facts},
    )
