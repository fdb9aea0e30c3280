"""From a trained network to the ONNX file that the engine runs, with what the engine must know written inside."""

import copy
import json
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from ulcermeter.errors import ModelError
from ulcermeter.segmentation.training.architecture import FoldedConv, Separable, UlcerNetwork

OPSET = 18
HALF = ".half"


def fold_network(network: UlcerNetwork) -> UlcerNetwork:
    """Copy the network with every batch norm folded into its convolution, ready for inference or fine-tuning."""
    plain = copy.deepcopy(network).eval()
    for module in list(plain.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, FoldedConv):
                setattr(module, name, _plain_conv(child))
        if isinstance(module, Separable) and isinstance(module.norm, nn.BatchNorm2d):
            module.pointwise, module.norm = _absorb_norm(module.pointwise, module.norm), nn.Identity()
    return plain


def _plain_conv(conv: FoldedConv) -> nn.Conv2d:
    scale = conv.gain * torch.rsqrt(conv.variance + 1e-3)
    outputs, per_group, kernel, _ = conv.weight.shape
    plain = nn.Conv2d(
        per_group * conv.groups, outputs, kernel, stride=conv.stride, padding=conv.padding, groups=conv.groups
    )
    return _filled(plain, conv.weight * scale[:, None, None, None], conv.shift - conv.mean * scale)


def _absorb_norm(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Conv2d:
    assert norm.running_var is not None and norm.running_mean is not None
    scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
    plain = nn.Conv2d(conv.in_channels, conv.out_channels, 1)
    return _filled(plain, conv.weight * scale[:, None, None, None], norm.bias - norm.running_mean * scale)


def _filled(conv: nn.Conv2d, weight: Tensor, bias: Tensor) -> nn.Conv2d:
    assert conv.bias is not None
    with torch.no_grad():
        conv.weight.copy_(weight)
        conv.bias.copy_(bias)
    return conv


def read_onnx(path: Path) -> UlcerNetwork:
    """Read a model that `write_onnx` wrote back into a network without batch norms, to train it further.

    Raises
    ------
    ModelError
        The file is missing or holds another network.
    """
    if not path.is_file():
        raise ModelError(f"Expected a model to start from at {path}, found none.")
    network = fold_network(UlcerNetwork())
    stored = {
        one.name.removesuffix(HALF): torch.tensor(numpy_helper.to_array(one).astype(np.float32))
        for one in onnx.load(path).graph.initializer
        if one.data_type in (TensorProto.FLOAT, TensorProto.FLOAT16)
    }
    own = network.state_dict()
    missing = [name for name in own if name not in stored and not name.startswith("rgb_")]
    if missing:
        raise ModelError(
            f"Expected a model of this package in {path}; it lacks {missing[0]} and {len(missing) - 1} more."
        )
    network.load_state_dict({name: stored.get(name, value) for name, value in own.items()})
    return network


def write_onnx(network: UlcerNetwork, out: Path, *, facts: dict[str, str | float | int]) -> Path:
    """Write the network as ONNX with named, dynamic axes and `facts` as its metadata.

    Weights are stored as 16 bit floats and reckoned with as 32 bit ones.

    Parameters
    ----------
    network : UlcerNetwork
    out : Path
        Ends in ``.onnx``.
    facts : dict
        Written as metadata; the engine needs `kind`, `version`, `temperature` and `logit_shift`.
    """
    sample = torch.zeros(1, 5, 96, 128)
    free = {0: "n", 2: "rows", 3: "cols"}
    out.parent.mkdir(parents=True, exist_ok=True)
    with torch.no_grad(), warnings.catch_warnings():
        # The newer exporter needs onnxscript and renames the weights, which `read_onnx` finds by name.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            fold_network(network),
            (sample,),
            str(out),
            input_names=["input"],
            output_names=["logits"],
            dynamic_axes={"input": free, "logits": free},
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load(out)
    _store_halves(model)
    _save(model, out, facts)
    return out


def _store_halves(model: onnx.ModelProto) -> None:
    """Keep each weight as a 16 bit float that a cast widens, once, when the file is opened."""
    graph, casts = model.graph, []
    for weight in [one for one in graph.initializer if one.data_type == TensorProto.FLOAT and len(one.dims) > 1]:
        name, values = weight.name, numpy_helper.to_array(weight)
        weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name + HALF))
        casts.append(helper.make_node("Cast", [name + HALF], [name], to=TensorProto.FLOAT))
    nodes = casts + list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes)


def write_facts(path: Path, facts: dict[str, str | float | int]) -> None:
    """Replace the metadata of an ONNX file."""
    _save(onnx.load(path), path, facts)


def _save(model: onnx.ModelProto, path: Path, facts: dict[str, str | float | int]) -> None:
    del model.metadata_props[:]
    for key, value in sorted(facts.items()):
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value if isinstance(value, str) else json.dumps(value)
    onnx.checker.check_model(model)
    onnx.save(model, path)
