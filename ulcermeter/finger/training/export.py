"""From a trained finger network to the ONNX file that the package reads."""

from __future__ import annotations

from pathlib import Path

import torch

from ulcermeter.finger.network import MODEL_KIND
from ulcermeter.finger.training.architecture import FingerNetwork
from ulcermeter.finger.views import VIEW_PX
from ulcermeter.networks.onnx_files import Facts, export_halves, fold_norms

OUTPUTS = ("mask", "tip", "numbers")


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
        fold_norms(network),
        torch.zeros(2, 4, VIEW_PX, VIEW_PX),
        out,
        inputs=["view"],
        outputs=OUTPUTS,
        free={name: {0: "n"} for name in ("view", *OUTPUTS)},
        facts={"kind": MODEL_KIND, **facts},
    )
