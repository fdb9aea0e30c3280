"""The part of a photo in which a reference was said to lie."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Box, Points
from ulcermeter.errors import Problem, Refusal

__all__ = ["cropped"]

_BOX_MARGIN = 0.25
"""Share of the box's longer side that is looked at round it (assumption)."""
_LEAST_SIDE_PX = 16
"""Of what is looked at: in less no reference could be seen (assumption)."""


def cropped(
    pixels: NDArray[np.uint8], region: Box | None, *, margin_share: float = _BOX_MARGIN
) -> tuple[NDArray[np.uint8], Points]:
    """Return the region of a picture, with a little more round it, and the place (x, y) of its first pixel.

    Parameters
    ----------
    pixels : uint8 (M, N, 3)
        RGB in sRGB.
    region : Box or None
        x, y, width, height, photo px; None for the whole photo.
    margin_share : float
        What is added on each side, as a share of the box's longer side.

    Returns
    -------
    uint8 (m, n, 3)
        The part; not a copy of the whole photo.
    float64 (2,)
        Photo px (x, y) of its first pixel.

    Raises
    ------
    Refusal
        A box outside the picture.
    """
    if region is None:
        return pixels, np.zeros(2)
    rows, cols = pixels.shape[:2]
    x, y, width, height = region
    margin = margin_share * max(width, height)
    left, top = max(int(x - margin), 0), max(int(y - margin), 0)
    right, bottom = min(int(np.ceil(x + width + margin)), cols), min(int(np.ceil(y + height + margin)), rows)
    if min(right - left, bottom - top) < _LEAST_SIDE_PX:
        raise Refusal(
            Problem(
                where="reference box",
                expected=f"a box x, y, width, height inside the photo of {cols} × {rows} px",
                got=f"{x:g}, {y:g}, {width:g}, {height:g}",
                action="draw it round the reference",
            )
        )
    return np.ascontiguousarray(pixels[top:bottom, left:right]), np.array([left, top], dtype=np.float64)
