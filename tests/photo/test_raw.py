"""A camera's raw file is refused: its small preview is not measured in its place."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tifffile import TiffWriter

from ulcermeter.errors import PhotoError
from ulcermeter.photo import read_mask, read_photo

PREVIEW = np.random.default_rng(1).integers(0, 256, (60, 90, 3)).astype(np.uint8)
SENSOR = np.random.default_rng(2).integers(0, 4096, (240, 360)).astype(np.uint16)
CFA, LINEAR_RAW = 32803, 34892


def refused(path: Path) -> str:
    with pytest.raises(PhotoError) as caught:
        read_photo(path)
    assert "export it at full size as JPEG" in str(caught.value)
    with pytest.raises(PhotoError):
        read_mask(path, (60, 90))
    return str(caught.value)


def two_pictures(path: Path, *, bigtiff: bool = False, order: Any = "<", sub: bool = True, **second: Any) -> Path:
    """A preview, and the sensor's picture in a directory below it (or behind it)."""
    with TiffWriter(path, bigtiff=bigtiff, byteorder=order) as file:
        file.write(PREVIEW, photometric="rgb", subifds=int(sub), extratags=second.pop("extratags", ()), metadata=None)
        options = {"photometric": "minisblack", "subfiletype": 0} | second
        file.write(SENSOR, metadata=None, **options)
    return path


@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_preview_before_a_larger_picture_is_not_measured(tmp_path: Path, bigtiff: bool, order: str) -> None:
    """As in NEF, ARW, PEF and DNG: whatever the maker calls what is below."""
    path = two_pictures(tmp_path / "a.nef", bigtiff=bigtiff, order=order)
    assert "preview" in refused(path)


@pytest.mark.parametrize("kind", [CFA, LINEAR_RAW])
def test_a_colour_filter_array_is_raw(tmp_path: Path, kind: int) -> None:
    path = tmp_path / "a.dng"
    with TiffWriter(path) as file:
        file.write(SENSOR if kind == CFA else np.dstack([SENSOR] * 3), photometric=kind, metadata=None)
    assert "camera-raw" in refused(path)


def test_a_dng_is_known_by_its_version(tmp_path: Path) -> None:
    path = tmp_path / "a.dng"
    with TiffWriter(path) as file:
        file.write(PREVIEW, photometric="rgb", extratags=[(50706, "B", 4, (1, 4, 0, 0), True)], metadata=None)
    assert "camera-raw" in refused(path)


@pytest.mark.parametrize("compression", [32767, 34713, 65535])
def test_makers_own_compressions_are_raw(tmp_path: Path, compression: int) -> None:
    path = tmp_path / "a.tif"
    Image.fromarray(PREVIEW).save(path)
    data = bytearray(path.read_bytes())
    start = int.from_bytes(data[4:8], "little")
    for k in range(int.from_bytes(data[start : start + 2], "little")):
        at = start + 2 + 12 * k
        if int.from_bytes(data[at : at + 2], "little") == 259:
            data[at + 8 : at + 10] = compression.to_bytes(2, "little")
    path.write_bytes(data)
    assert "camera-raw" in refused(path)


def test_the_first_picture_may_say_itself_that_it_is_a_preview(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    with TiffWriter(path) as file:
        file.write(PREVIEW, photometric="rgb", subfiletype=1, metadata=None)
    assert "preview" in refused(path)


@pytest.mark.parametrize(
    "start",
    [
        b"FUJIFILMCCD-RAW 0201",
        b"IIU\0\x18\0\0\0",
        b"IIRO\x08\0\0\0",
        b"FOVb\0\0\3\0",
        b"\0\0\0\x18ftypcrx \0\0\0\1crx isom",
        b"II\x1a\0\0\0HEAPCCDR",
        b"II*\0\x10\0\0\0CR\2\0",
    ],
    ids=["RAF", "RW2", "ORF", "X3F", "CR3", "CRW", "CR2"],
)
def test_raw_files_are_known_by_their_first_bytes(tmp_path: Path, start: bytes) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(start + bytes(2000))
    assert "camera-raw" in refused(path)


def test_finished_tiffs_are_read(tmp_path: Path) -> None:
    """Also a large one whose smaller copies lie below it, as a pyramid is written."""
    path = tmp_path / "a.tif"
    with TiffWriter(path) as file:
        file.write(PREVIEW, photometric="rgb", subifds=1, metadata=None)
        file.write(PREVIEW[::2, ::2], photometric="rgb", subfiletype=1, metadata=None)
    assert np.array_equal(read_photo(path).pixels, PREVIEW)
    Image.fromarray(PREVIEW).save(path, compression="tiff_lzw")
    assert np.array_equal(read_photo(path).pixels, PREVIEW)


@pytest.mark.parametrize("order", ["<", ">"])
def test_directories_that_run_in_a_circle_or_nowhere_end(tmp_path: Path, order: str) -> None:
    """A directory that names itself as the next and as its own below, and offsets beyond the file."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    below = struct.pack(order + "HHII", 0x14A, 4, 3, 30)
    path = tmp_path / "a.tif"
    for offsets in ((8, 8, 8), (0xFFFFFFF0, 7, 0)):
        data = mark + struct.pack(order + "I", 8) + struct.pack(order + "H", 1) + below + struct.pack(order + "I", 8)
        path.write_bytes(data.ljust(30, b"\0") + struct.pack(order + "3I", *offsets))
        with pytest.raises(PhotoError):
            read_photo(path)
