"""TIFFs of 16 bits a channel, which OpenCV decodes: upright once, and their own pixels."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, UnidentifiedImageError
from tifffile import imwrite

from ulcermeter.errors import PhotoError
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


WAYS = list(
    itertools.product(
        (8, 16), ("rgb", "rgba", "minisblack", "miniswhite"), ("contig", "separate"), (None, "zlib"), (None, (16, 16))
    )
)


@pytest.mark.parametrize(("bits", "kind", "planar", "compression", "tile"), WAYS)
@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_every_layout_is_read_as_it_was_written_or_refused(
    tmp_path: Path,
    colours: np.ndarray,
    bits: int,
    kind: str,
    planar: Any,
    compression: Any,
    tile: Any,
    bigtiff: bool,
    byteorder: Any,
) -> None:
    alpha = np.full(colours.shape[:2], 255, np.uint8)
    stored = {"rgb": colours, "rgba": np.dstack([colours, alpha])}.get(kind, colours[:, :, 0])
    expected = colours if stored.ndim == 3 else colours[:, :, :1]
    stored = 255 - stored if kind == "miniswhite" else stored
    stored = stored if bits == 8 else stored.astype(np.uint16) * 257
    options: dict[str, Any] = {"photometric": kind, "compression": compression, "tile": tile}
    if stored.ndim == 3:
        stored = stored.transpose(2, 0, 1) if planar == "separate" else stored
        options |= {"photometric": "rgb", "planarconfig": planar}
    if kind == "rgba":
        options["extrasamples"] = ["unassalpha"]
    imwrite(tmp_path / "a.tif", stored, metadata=None, bigtiff=bigtiff, byteorder=byteorder, **options)
    try:
        pixels = read_photo(tmp_path / "a.tif").pixels
    except PhotoError as error:
        assert bits == 16 or bigtiff, error
    else:
        assert np.abs(pixels.astype(int) - expected).max() <= 1


def test_twelve_bits_are_refused(tmp_path: Path, colours: np.ndarray) -> None:
    deep(tmp_path / "a.tif", colours)
    data = (tmp_path / "a.tif").read_bytes()
    sixteen = np.array([16, 16, 16], "<u2").tobytes()
    assert data.count(sixteen) == 1
    (tmp_path / "a.tif").write_bytes(data.replace(sixteen, np.array([12, 12, 12], "<u2").tobytes()))
    with pytest.raises(PhotoError, match="got 12 bits"):
        read_photo(tmp_path / "a.tif")
