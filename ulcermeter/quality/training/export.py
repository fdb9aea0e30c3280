"""From a trained skin network to the ONNX file that the package reads."""

from __future__ import annotations

from pathlib import Path

import torch

from ulcermeter.networks.onnx_files import Facts, export_halves, fold_norms
from ulcermeter.quality.skin_network import MODEL_KIND
from ulcermeter.quality.skin_views import VIEW_COLS, VIEW_ROWS
from ulcermeter.quality.training.architecture import SkinNetwork

__all__ = ["write_onnx"]


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
        fold_norms(network),
        torch.zeros(2, 4, VIEW_ROWS, VIEW_COLS),
        out,
        inputs=["view"],
        outputs=["unclear"],
        free={name: {0: "n"} for name in ("view", "unclear")},
        facts={"kind": MODEL_KIND, **facts},
    )
