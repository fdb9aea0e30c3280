"""TIFFs of 16 bits a channel, which OpenCV decodes: upright once, and their own pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, UnidentifiedImageError
from tifffile import imwrite

from ulcermeter.photo import read_photo


@pytest.fixture
def colours() -> np.ndarray:
    """A smooth picture without symmetry, 57 × 91."""
    y, x = np.mgrid[0:57, 0:91]
    return np.stack([2 * x + 20, 3 * y + 40, 200 - x - y], axis=-1).clip(0, 255).astype(np.uint8)


def deep(path: Path, colours: np.ndarray, **options: Any) -> Path:
    imwrite(path, colours.astype(np.uint16) * 257, photometric="rgb", **options)
    return path


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_16_bit_tiffs_are_turned_once(tmp_path: Path, colours: np.ndarray, orientation: int, byteorder: Any) -> None:
    tags = Image.Exif()
    tags[0x0112] = orientation
    Image.fromarray(colours).save(tmp_path / "8.tif", exif=tags)
    path = deep(tmp_path / "16.tif", colours, byteorder=byteorder, extratags=[(0x0112, "H", 1, orientation, True)])
    assert np.array_equal(read_photo(path).pixels, read_photo(tmp_path / "8.tif").pixels)


def test_a_16_bit_tiff_that_only_opencv_knows(
    tmp_path: Path, colours: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise UnidentifiedImageError

    path = deep(tmp_path / "16.tif", colours)
    monkeypatch.setattr(Image, "open", unknown)
    assert np.array_equal(read_photo(path).pixels, colours)
