"""What the skin network is given: a finger laid out on its grid, the tip up, cut to one size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["VIEW_COLS", "VIEW_ROWS", "network_input"]

VIEW_ROWS, VIEW_COLS = 320, 224
"""Cells of 0.1 mm: 32 mm from the tip on, and 11.2 mm to either side of the mid-line."""


def network_input(pixels: NDArray[np.uint8], inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return what the network takes of one view.

    Parameters
    ----------
    pixels : uint8 (320, 224, 3)
        sRGB, the tip up.
    inside : bool (320, 224)
        What the finger's outline holds.

    Returns
    -------
    float32 (4, 320, 224)
        Colours 0..1, and 1 inside.
    """
    colours = pixels.astype(np.float32).transpose(2, 0, 1) / 255
    return np.concatenate([colours, inside[None].astype(np.float32)])
