"""The finger network: the first half of EfficientNet-lite0, a decoder of plain convolutions, four input channels.

Channels are red, green, blue and a bump at the point. It returns the mask of the finger at the point, a map of its tip,
and five numbers: logits of "a finger is here" and "its tip is in view", the log of its width over the expected one, and
its direction inwards.
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
from ulcermeter.networks.plain import Mix

# Lite0 to the first of its blocks of 112.
STAGES = (*LITE0_STAGES[:4], (6, 112, 1, 1, 5))
FROZEN_BLOCKS = 3
SKIP_BLOCKS = (0, 2, 4)
SKIP_CHANNELS = (16, 24, 40)
DECODER_CHANNELS = (24, 48, 64)
DEEP_CHANNELS, WIDE = 112, 96


class UpBlock(nn.Module):
    """Twice the resolution, joined with the encoder's features and the click at that resolution."""

    def __init__(self, below: int, skip: int, outputs: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(below, outputs, 1)
        self.lateral = nn.Conv2d(skip, outputs, 1)
        self.click = nn.Conv2d(1, outputs, 1, bias=False)
        self.mix = nn.Sequential(Mix(outputs, outputs), Mix(outputs, outputs))

    def forward(self, below: Tensor, skip: Tensor, click: Tensor) -> Tensor:
        """Join and refine."""
        up = F.interpolate(self.reduce(below), scale_factor=2.0, mode="bilinear", align_corners=False)
        return self.mix(F.relu(up + self.lateral(skip) + self.click(click), inplace=True))


def _mean_over(features: Tensor, share: Tensor) -> Tensor:
    return (features * share).sum((2, 3)) / (share.sum((2, 3)) + 1e-3)


class FingerNetwork(nn.Module):
    """From (N, 4, 112, 112) to the mask's logits (N, 1, 112, 112), the tip's (N, 1, 56, 56) and five numbers (N, 5)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = FoldedConv(3, 32, 3, stride=2)
        self.click_stem = nn.Conv2d(1, SKIP_CHANNELS[1], 5, padding=2, bias=False)
        self.blocks = mobile_blocks(STAGES)
        self.deep_click = nn.Conv2d(1, DEEP_CHANNELS, 1, bias=False)
        self.context = nn.Sequential(Mix(DEEP_CHANNELS, WIDE), Mix(WIDE, WIDE), Mix(WIDE, WIDE), Mix(WIDE, WIDE))
        below = (WIDE, *DECODER_CHANNELS[:0:-1])
        self.ups = nn.ModuleList(UpBlock(below[k], SKIP_CHANNELS[2 - k], DECODER_CHANNELS[2 - k]) for k in range(3))
        # Each pixel of the half resolution says what its four are, and where the tip is.
        self.heads = nn.Conv2d(DECODER_CHANNELS[0], 5, 3, padding=1)
        self.way = nn.Conv2d(DECODER_CHANNELS[1], 2, 1)
        self.facts = nn.Sequential(nn.Linear(2 * WIDE, 64), nn.ReLU(), nn.Linear(64, 3))
        # Where a finger is bent the mask's middle says one direction and its end another: both, and what lies round.
        self.bend = nn.Sequential(nn.Linear(2 * DECODER_CHANNELS[1] + 2 * WIDE, 96), nn.ReLU(), nn.Linear(96, 2))
        self.register_buffer("rgb_mean", torch.tensor(MEAN_RGB)[None, :, None, None])
        self.register_buffer("rgb_sd", torch.tensor(SD_RGB)[None, :, None, None])
        nn.init.constant_(self.heads.bias[4:], -3.0)
        nn.init.zeros_(self.bend[2].weight)
        nn.init.zeros_(self.bend[2].bias)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of mask and tip, and the five numbers."""
        clicks = [x[:, 3:]]
        for _ in range(4):
            clicks.append(F.max_pool2d(clicks[-1], 2))
        skips, deep = self._encode((x[:, :3] - self.rgb_mean) / self.rgb_sd, clicks[2])
        deep = self.context(deep + self.deep_click(clicks[4]))
        levels = [deep]
        for level, up in zip((2, 1, 0), self.ups, strict=True):
            levels.append(up(levels[-1], skips[level], clicks[level + 1]))
        maps = self.heads(levels[3])
        mask = F.pixel_shuffle(maps[:, :4], 2)
        at_click = _mean_over(deep, clicks[4])
        facts = self.facts(torch.cat((at_click, deep.mean((2, 3))), 1))
        return mask, maps[:, 4:5], torch.cat((facts, self._way(maps, levels[2], at_click, deep)), 1)

    def _way(self, maps: Tensor, features: Tensor, at_click: Tensor, deep: Tensor) -> Tensor:
        inside = F.avg_pool2d(torch.sigmoid(maps[:, :4]).mean(1, keepdim=True), 2)
        end = F.avg_pool2d(torch.sigmoid(maps[:, 4:5]), 2)
        way = (self.way(features) * inside).sum((2, 3)) / (inside.sum((2, 3)) + 1.0)
        parts = (_mean_over(features, inside), _mean_over(features, end), at_click, deep.mean((2, 3)))
        return way + self.bend(torch.cat(parts, 1))

    def _encode(self, rgb: Tensor, click: Tensor) -> tuple[list[Tensor], Tensor]:
        y, skips = F.relu6(self.stem(rgb), inplace=True), []
        for index, block in enumerate(self.blocks):
            y = block(y)
            # Added behind the frozen blocks, so that nothing has to be carried back through the largest maps.
            if index == FROZEN_BLOCKS - 1:
                y = y + self.click_stem(click)
            if index in SKIP_BLOCKS:
                skips.append(y)
        return skips, y

    def freeze_first_blocks(self) -> None:
        """Keep ImageNet's edges and colours as they are: half the time of a step is spent below a quarter size."""
        for part in (self.stem, *self.blocks[:FROZEN_BLOCKS]):
            part.requires_grad_(False)


def load_pretrained_encoder(network: FingerNetwork) -> None:
    """Fill the encoder with ImageNet weights.

    Parameters
    ----------
    network : FingerNetwork
        Changed in place.
    """
    fill_from_imagenet(network.stem, network.blocks)
