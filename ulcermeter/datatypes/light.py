"""Linear light: what a camera counted before sRGB bent it (IEC 61966-2-1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["SRGB_TO_LINEAR"]


def _srgb_to_linear() -> NDArray[np.float32]:
    values = np.arange(256) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4).astype(np.float32)


SRGB_TO_LINEAR = _srgb_to_linear()
"""Linear light 0..1 of each sRGB value (IEC 61966-2-1)."""
