"""Linear light: what a camera counted before sRGB bent it (IEC 61966-2-1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes.arrays import Floats

__all__ = ["SRGB_TO_LINEAR", "linear_to_srgb"]

# IEC 61966-2-1, 5.2 and 5.3: up to the knee the curve is straight, above it a power with an offset.
_KNEE_SRGB, _KNEE_LINEAR = 0.04045, 0.0031308
_SLOPE, _SCALE, _OFFSET, _POWER = 12.92, 1.055, 0.055, 2.4


def _srgb_to_linear() -> NDArray[np.float32]:
    values = np.arange(256) / 255
    return np.where(values <= _KNEE_SRGB, values / _SLOPE, ((values + _OFFSET) / _SCALE) ** _POWER).astype(np.float32)


SRGB_TO_LINEAR = _srgb_to_linear()
"""Linear light 0..1 of each sRGB value (IEC 61966-2-1)."""


def linear_to_srgb(light: Floats) -> Floats:
    """Return sRGB values of linear light (IEC 61966-2-1).

    Parameters
    ----------
    light : float64 (...)
        0..1.

    Returns
    -------
    float64 (...)
        0..1.
    """
    return np.where(light <= _KNEE_LINEAR, _SLOPE * light, _SCALE * light ** (1 / _POWER) - _OFFSET)
