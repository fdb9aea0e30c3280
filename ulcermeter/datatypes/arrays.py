"""Arrays by what they hold; shapes and axis order stand where they are used."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Floats", "Ints", "Labels", "Mask", "Matrix", "Pixels", "Points", "Reals", "Singles"]

Floats = NDArray[np.float64]
"""Numbers of any shape."""
Singles = NDArray[np.float32]
"""Numbers of any shape in single precision: linear light, what a network gives."""
Reals = NDArray[np.floating]
"""Numbers of any shape in either precision."""
Ints = NDArray[np.int64]
"""Whole numbers of any shape: indices."""
Points = NDArray[np.float64]
"""(K, 2) as (x, y), in photo pixels, window pixels or plane millimetres."""
Matrix = NDArray[np.float64]
"""(M, N): a homography (3, 3), a covariance."""
Pixels = NDArray[np.uint8]
"""(M, N, 3) as RGB in sRGB, or (M, N) of grey, rows downwards."""
Mask = NDArray[np.bool_]
"""(M, N), True inside."""
Labels = NDArray[np.int32]
"""(M, N), 0 for none, then 1, 2, ..."""
