"""From a trained network to the ONNX file that the engine runs, with what the engine must know written inside."""

import copy
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, numpy_helper
from torch import nn

from ulcermeter.errors import ModelError, Problem
from ulcermeter.networks.onnx_files import HALF, Facts, absorb_norm, export_halves, unfold_convs
from ulcermeter.segmentation.training.architecture import Separable, UlcerNetwork


def fold_network(network: UlcerNetwork) -> UlcerNetwork:
    """Copy the network with every batch norm folded into its convolution, ready for inference or fine-tuning.

    Parameters
    ----------
    network : UlcerNetwork
        As trained; stays.

    Returns
    -------
    UlcerNetwork
        Without batch norms; the same outputs in evaluation mode.
    """
    plain = copy.deepcopy(network)
    plain.eval()
    unfold_convs(plain)
    for module in plain.modules():
        if isinstance(module, Separable) and isinstance(module.norm, nn.BatchNorm2d):
            module.pointwise, module.norm = absorb_norm(module.pointwise, module.norm), nn.Identity()
    return plain


def read_onnx(path: Path) -> UlcerNetwork:
    """Read a model that `write_onnx` wrote back into a network without batch norms, to train it further.

    Parameters
    ----------
    path : Path
        The ONNX file.

    Returns
    -------
    UlcerNetwork
        Without batch norms.

    Raises
    ------
    ModelError
        The file is missing or holds another network.
    """
    if not path.is_file():
        raise ModelError(Problem(expected=f"a model to start from at {path}", got="none"))
    network = fold_network(UlcerNetwork())
    stored = {
        one.name.removesuffix(HALF): torch.tensor(numpy_helper.to_array(one).astype(np.float32))
        for one in onnx.load(path).graph.initializer
        if one.data_type in (TensorProto.FLOAT, TensorProto.FLOAT16)
    }
    own = network.state_dict()
    missing = [name for name in own if name not in stored and not name.startswith("rgb_")]
    if missing:
        lacking = f"one that lacks {missing[0]} and {len(missing) - 1} more"
        raise ModelError(Problem(expected=f"a model of this package in {path}", got=lacking))
    network.load_state_dict({name: stored.get(name, value) for name, value in own.items()})
    return network


def write_onnx(network: UlcerNetwork, out: Path, *, facts: Facts) -> Path:
    """Write the network as ONNX with named, dynamic axes and `facts` as its metadata.

    Parameters
    ----------
    network : UlcerNetwork
        As trained; stays.
    out : Path
        Ends in ``.onnx``.
    facts : mapping of str to str, float or int
        The engine needs `kind`, `version`, `temperature` and `logit_shift`.

    Returns
    -------
    Path
        The file written.
    """
    free = {0: "n", 2: "rows", 3: "cols"}
    return export_halves(
        fold_network(network),
        torch.zeros(1, 5, 96, 128),
        out,
        inputs=["input"],
        outputs=["logits"],
        free={"input": free, "logits": free},
        facts=facts,
    )
