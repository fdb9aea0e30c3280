"""The skin network: a small U-Net of plain convolutions over a finger laid out on its grid.

It starts with what every finger is held against: its own mean colour. So tone and light are taken off before anything
is learnt.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ulcermeter.networks.plain import Mix
from ulcermeter.quality.skin_views import VIEW_COLS, VIEW_ROWS

# Channels at 0.2, 0.4, 0.8 and 1.6 mm a cell.
CHANNELS = (16, 32, 64, 96)
# Three colours as they are, three against the finger's own, its inside, and two places.
INPUTS = 9
# Added to colours 0..1 before their logarithm: the noise of dark pixels (assumption).
DIM = 0.03


class Down(nn.Module):
    """Half the resolution, and more channels."""

    def __init__(self, inputs: int, outputs: int, mixes: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.mix = nn.Sequential(*(Mix(outputs, outputs) for _ in range(mixes)))

    def forward(self, x: Tensor) -> Tensor:
        """Halve and mix."""
        y: Tensor = self.mix(F.relu(self.norm(self.conv(x)), inplace=True))
        return y


class Up(nn.Module):
    """Twice the resolution, joined with what was seen there."""

    def __init__(self, below: int, outputs: int) -> None:
        super().__init__()
        self.reduce, self.lateral = nn.Conv2d(below, outputs, 1), nn.Conv2d(outputs, outputs, 1)
        self.mix = Mix(outputs, outputs)

    def forward(self, below: Tensor, skip: Tensor) -> Tensor:
        """Join and refine."""
        up = F.interpolate(self.reduce(below), scale_factor=2.0, mode="bilinear", align_corners=False)
        y: Tensor = self.mix(F.relu(up + self.lateral(skip), inplace=True))
        return y


class SkinNetwork(nn.Module):
    """From colours 0..1 and the finger's inside (N, 4, 320, 224) to logits of unclear skin (N, 1, 160, 112)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Mix(4 * INPUTS, CHANNELS[0])
        self.first = Mix(CHANNELS[0], CHANNELS[0])
        self.downs = nn.ModuleList(Down(CHANNELS[k], CHANNELS[k + 1], 2 + (k == 2)) for k in range(3))
        self.whole = nn.Linear(CHANNELS[3], CHANNELS[3])
        self.ups = nn.ModuleList(Up(CHANNELS[k + 1], CHANNELS[k]) for k in range(3))
        self.head = nn.Conv2d(CHANNELS[0], 1, 3, padding=1)
        rows, cols = torch.meshgrid(
            torch.linspace(0, 1, VIEW_ROWS), torch.linspace(-1, 1, VIEW_COLS).abs(), indexing="ij"
        )
        self.register_buffer("places", torch.stack((rows, cols))[None])
        nn.init.constant_(self.head.bias, -3.0)

    def forward(self, x: Tensor) -> Tensor:
        """Logits at half the resolution."""
        colours, inside = x[:, :3], x[:, 3:]
        logs = torch.log(colours + DIM)
        own = (logs * inside).sum((2, 3), keepdim=True) / (inside.sum((2, 3), keepdim=True) + 1.0)
        places = self.places.expand(x.shape[0], -1, -1, -1)
        y = F.pixel_unshuffle(torch.cat((colours - 0.5, logs - own, inside, places), 1), 2)
        skips = [self.first(self.stem(y))]
        for down in self.downs:
            skips.append(down(skips[-1]))
        y = skips[-1] + self.whole(skips[-1].mean((2, 3)))[:, :, None, None]
        for k in (2, 1, 0):
            y = self.ups[k](y, skips[k])
        out: Tensor = self.head(y)
        return out
