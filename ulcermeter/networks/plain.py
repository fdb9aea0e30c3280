"""The plain convolution block that the small networks are built of."""

import torch.nn.functional as F
from torch import Tensor, nn


class Mix(nn.Module):
    """Plain 3 x 3 convolution, batch norm, ReLU, added to what came in where both have the same channels."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.residual = inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """Filter and mix."""
        y = F.relu(self.norm(self.conv(x)), inplace=True)
        return x + y if self.residual else y
