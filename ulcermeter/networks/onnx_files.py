"""From trained layers to an ONNX file: batch norms folded, weights stored as halves, facts written beside them."""

import copy
import json
import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from ulcermeter.networks.mobile import BATCH_NORM_EPSILON, FoldedConv

# Of ONNX: known to the oldest onnxruntime and torch that the package asks for (assumption).
OPSET = 18
HALF = ".half"
_NORM = nn.BatchNorm2d
Facts = Mapping[str, str | float | int]


def unfold_convs(network: nn.Module) -> None:
    """Put a plain convolution in the place of each `FoldedConv`, in place.

    Parameters
    ----------
    network : Module
        Changed in place.
    """
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, FoldedConv):
                scale = child.gain * torch.rsqrt(child.variance + BATCH_NORM_EPSILON)
                weight = child.weight * scale[:, None, None, None]
                setattr(module, name, _plain_conv(weight, child.shift - child.mean * scale, child))


def absorb_norm(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Conv2d:
    """Return one convolution that does what a convolution and its batch norm do.

    Weight w g / sqrt(v + eps), bias b - m g / sqrt(v + eps), with the norm's mean m, variance v, gain g and shift b.

    Parameters
    ----------
    conv : Conv2d
        Without bias.
    norm : BatchNorm2d
        Behind it, with running statistics.

    Returns
    -------
    Conv2d
        With bias.
    """
    assert norm.running_var is not None and norm.running_mean is not None
    scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
    return _plain_conv(conv.weight * scale[:, None, None, None], norm.bias - norm.running_mean * scale, conv)


def _plain_conv(weight: Tensor, bias: Tensor, like: FoldedConv | nn.Conv2d) -> nn.Conv2d:
    outputs, per_group, kernel, _ = weight.shape
    plain = nn.Conv2d(
        per_group * like.groups, outputs, kernel, stride=like.stride, padding=like.padding, groups=like.groups
    )
    assert plain.bias is not None
    with torch.no_grad():
        plain.weight.copy_(weight)
        plain.bias.copy_(bias)
    return plain


def fold_norms(network: nn.Module) -> nn.Module:
    """Copy a network with every batch norm folded into its convolution: where a module has a ``conv`` and a ``norm``.

    Parameters
    ----------
    network : Module

    Returns
    -------
    Module
        In evaluation mode; it computes the same.
    """
    plain = copy.deepcopy(network).eval()
    unfold_convs(plain)
    for module in plain.modules():
        if isinstance(getattr(module, "conv", None), nn.Conv2d) and isinstance(module.norm, _NORM):
            module.conv, module.norm = absorb_norm(module.conv, module.norm), nn.Identity()
    return plain


def unfold_norms(network: nn.Module, path: Path, sample: Tensor) -> None:
    """Fill a network with the weights of a file that `fold_norms` and `export_halves` made of its like, in place.

    Each batch norm was folded into its convolution. It is made anew such that it adds the convolution's bias to what of
    `sample` reaches it, and does nothing else: so training goes on from a file whose checkpoint was not kept.

    Parameters
    ----------
    network : Module
        As the file's was before its norms were folded; changed in place.
    path : Path
        Of the ONNX file.
    sample : Tensor
        Inputs by which the norms' means and variances are set.

    Raises
    ------
    RuntimeError
        The file is of another network.
    """
    weights = {
        one.name.removesuffix(HALF): torch.from_numpy(numpy_helper.to_array(one).astype(np.float32))
        for one in onnx.load(path).graph.initializer
    }
    normed = {name: one for name, one in network.named_modules() if isinstance(getattr(one, "norm", None), _NORM)}
    handles = [
        one.norm.register_forward_pre_hook(partial(_only_add, bias=weights.pop(f"{name}.conv.bias", torch.zeros(1))))
        for name, one in normed.items()
    ]
    network.load_state_dict({**network.state_dict(), **weights})
    training = network.training
    with torch.no_grad():
        network.eval()(sample)
    network.train(training)
    for handle in handles:
        handle.remove()


def _only_add(norm: nn.BatchNorm2d, inputs: tuple[Tensor, ...], *, bias: Tensor) -> None:
    """Set a norm's numbers by what reaches it, so that it only adds a bias."""
    variance, mean = torch.var_mean(inputs[0], (0, 2, 3), correction=0)
    assert norm.running_var is not None and norm.running_mean is not None
    norm.running_var.copy_(variance)
    norm.running_mean.copy_(mean)
    norm.weight.copy_(torch.sqrt(variance + norm.eps))
    norm.bias.copy_(mean + bias)


def export_halves(
    network: nn.Module,
    sample: Tensor,
    out: Path,
    *,
    inputs: Sequence[str],
    outputs: Sequence[str],
    free: Mapping[str, Mapping[int, str]],
    facts: Facts,
) -> Path:
    """Write a network as ONNX, its weights stored as 16 bit floats and reckoned with as 32 bit ones.

    Parameters
    ----------
    network : Module
        Without batch norms.
    sample : Tensor
        An input to trace it with.
    out : Path
        Ends in ``.onnx``.
    inputs, outputs : sequence of str
        Names of the network's inputs and outputs.
    free : mapping of str to mapping of int to str
        For each of them the axes whose length is free, by number, with their names.
    facts : mapping of str to str, float or int
        Written as metadata.

    Returns
    -------
    Path
        The file written.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with torch.no_grad(), warnings.catch_warnings():
        # The newer exporter needs onnxscript and renames the weights, by which they are read back.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            network,
            (sample,),
            str(out),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={name: dict(axes) for name, axes in free.items()},
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


def write_facts(path: Path, facts: Facts) -> None:
    """Replace the metadata of an ONNX file.

    Parameters
    ----------
    path : Path
        Of the ONNX file.
    facts : mapping of str to str, float or int
        Numbers are written as JSON.
    """
    _save(onnx.load(path), path, facts)


def _save(model: onnx.ModelProto, path: Path, facts: Facts) -> None:
    del model.metadata_props[:]
    for key, value in sorted(facts.items()):
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value if isinstance(value, str) else json.dumps(value)
    onnx.checker.check_model(model)
    part = path.with_suffix(".part")
    onnx.save(model, part)
    part.replace(path)
