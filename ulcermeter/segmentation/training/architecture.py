"""The network: EfficientNet-lite0 encoder, depthwise decoder, five input channels.

Channels are red, green, blue, click and region; the last two are zero when nothing was prompted.
The output is a logit per pixel.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ulcermeter.networks.mobile import (
    LITE0_STAGES,
    MEAN_RGB,
    SD_RGB,
    FoldedConv,
    fill_from_imagenet,
    mobile_blocks,
)

# Kept as ImageNet left them: edges and colours, at half and quarter size.
FROZEN_BLOCKS = 2
# The last block of each resolution of EfficientNet-lite0, and its channels.
SKIP_BLOCKS = (0, 2, 4, 10, 15)
SKIP_CHANNELS = (16, 24, 40, 112, 320)
# From fine to coarse: 3.1 million parameters in all, what a CPU runs in seconds (assumption).
DECODER_CHANNELS = (24, 32, 48, 80, 128)


class Separable(nn.Module):
    """Depthwise filter, pointwise mix, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, *, kernel: int = 3, dilation: int = 1) -> None:
        super().__init__()
        reach = dilation * (kernel // 2)
        self.depthwise = nn.Conv2d(inputs, inputs, kernel, padding=reach, dilation=dilation, groups=inputs, bias=False)
        self.pointwise = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Filter and mix."""
        return F.relu(self.norm(self.pointwise(self.depthwise(x))), inplace=True)


class UpBlock(nn.Module):
    """Twice the resolution, joined with the encoder's features and the prompt at that resolution."""

    def __init__(self, below: int, skip: int, outputs: int) -> None:
        super().__init__()
        self.lateral = nn.Conv2d(skip, outputs, 1)
        self.reduce = nn.Conv2d(below, outputs, 1, bias=False)
        self.mix = Separable(2 * outputs + 2, outputs)
        self.refine = Separable(outputs, outputs)

    def forward(self, below: Tensor, skip: Tensor, prompt: Tensor) -> Tensor:
        """Join and refine."""
        up = F.interpolate(self.reduce(below), scale_factor=2.0, mode="bilinear", align_corners=False)
        return self.refine(self.mix(torch.cat((up, self.lateral(skip), prompt), 1)))


class UlcerNetwork(nn.Module):
    """Encoder-decoder from (N, 5, H, W), H and W multiples of 32, to (N, 1, H, W) logits.

    The first three channels are sRGB in 0..1, the fourth a bump at each click, the fifth the inside of a box or
    rough outline. The weights on the prompts start at zero, so an untrained prompt changes nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = FoldedConv(3, 32, 3, stride=2)
        self.prompt_stem = nn.Conv2d(2, 24, 5, padding=2, bias=False)
        nn.init.zeros_(self.prompt_stem.weight)
        self.blocks = mobile_blocks(LITE0_STAGES)
        self.squeeze = nn.Conv2d(320, DECODER_CHANNELS[-1], 1, bias=False)
        wide = DECODER_CHANNELS[-1]
        self.context = nn.Sequential(Separable(wide + 2, wide, kernel=5), Separable(wide, wide, kernel=5, dilation=2))
        self.ups = nn.ModuleList(
            UpBlock(DECODER_CHANNELS[i + 1], SKIP_CHANNELS[i], DECODER_CHANNELS[i]) for i in (3, 2, 1, 0)
        )
        self.head = nn.Conv2d(DECODER_CHANNELS[0], 1, 3, padding=1)
        nn.init.constant_(self.head.bias, -3.0)
        self.register_buffer("rgb_mean", torch.tensor(MEAN_RGB)[None, :, None, None])
        self.register_buffer("rgb_sd", torch.tensor(SD_RGB)[None, :, None, None])

    def forward(self, x: Tensor) -> Tensor:
        """Logits at the input's resolution."""
        rgb, prompt = (x[:, :3] - self.rgb_mean) / self.rgb_sd, x[:, 3:]
        prompts = _prompt_pyramid(prompt)
        skips = self._encode(rgb, prompts[1])
        deep = self.squeeze(skips[4])
        y = deep + self.context(torch.cat((deep, prompts[4]), 1))
        for level, up in zip((3, 2, 1, 0), self.ups, strict=True):
            y = up(y, skips[level], prompts[level])
        return F.interpolate(self.head(y), scale_factor=2.0, mode="bilinear", align_corners=False)

    def _encode(self, rgb: Tensor, prompt: Tensor) -> list[Tensor]:
        y, skips = F.relu6(self.stem(rgb), inplace=True), []
        for index, block in enumerate(self.blocks):
            y = block(y)
            if index == FROZEN_BLOCKS - 1:
                y = y + self.prompt_stem(prompt)
            if index in SKIP_BLOCKS:
                skips.append(y)
        return skips

    def encoder_parameters(self) -> list[nn.Parameter]:
        """Return the pretrained part, which learns more slowly."""
        return list(self.blocks[FROZEN_BLOCKS:].parameters())

    def freeze_first_blocks(self) -> None:
        """Keep ImageNet's edges and colours as they are: half the time of a step is spent below a quarter size."""
        for part in (self.stem, *self.blocks[:FROZEN_BLOCKS]):
            part.requires_grad_(False)


def _prompt_pyramid(prompt: Tensor) -> list[Tensor]:
    levels = []
    for _ in range(5):
        prompt = F.max_pool2d(prompt, 2)
        levels.append(prompt)
    return levels


def load_pretrained_encoder(network: UlcerNetwork) -> None:
    """Fill the encoder with ImageNet weights.

    Parameters
    ----------
    network : UlcerNetwork
        Changed in place.
    """
    fill_from_imagenet(network.stem, network.blocks)
