"""Pictures made smaller, against means by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ulcermeter.geometry import shrunken


@pytest.mark.parametrize(("rows", "cols", "size"), [(8, 12, (3, 2)), (9, 15, (5, 3)), (16, 16, (1, 1)), (6, 8, (8, 6))])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_each_pixel_is_the_mean_of_its_block(
    rows: int, cols: int, size: tuple[int, int], channels: tuple[int, ...]
) -> None:
    pixels = np.random.default_rng(5).integers(0, 256, (rows, cols, *channels), np.uint8)
    found = shrunken(pixels, size)
    high, wide = rows // size[1], cols // size[0]
    blocks = pixels.reshape(size[1], high, size[0], wide, *channels).mean(axis=(1, 3))
    # Each halving rounds once.
    assert found.dtype == np.uint8 and np.abs(found - blocks).max() <= 2


def test_places_stay_where_they_are_at_any_ratio() -> None:
    """A slope of one level a pixel: the mean of a block is the level at its middle."""
    slope = np.tile(np.arange(200, dtype=np.uint8), (120, 1))
    found = shrunken(slope, (45, 27))
    middles = (np.arange(45) + 0.5) * 200 / 45 - 0.5
    assert np.abs(found - middles).max() <= 1.5
