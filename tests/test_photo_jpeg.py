"""A JPEG that is not whole is refused, and one that is whole never is."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ulcermeter.errors import PhotoError
from ulcermeter.photo import read_photo

NOISE = np.random.default_rng(3).normal(0, 12, (300, 420, 3))
SKIN = np.clip(np.array([190, 140, 120]) + NOISE, 0, 255).astype(np.uint8)


def coded(pixels: np.ndarray = SKIN, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "jpeg", **({"quality": 92} | options))
    return file.getvalue()


def blanked(data: bytes, length: int = 4096) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes(length) + data[middle + length :]


def read(tmp_path: Path, data: bytes) -> Any:
    (tmp_path / "a.jpg").write_bytes(data)
    return read_photo(tmp_path / "a.jpg")


@pytest.mark.parametrize("length", [512, 4096])
@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"restart_marker_rows": 1}], ids=str)
@pytest.mark.parametrize("grey", [False, True])
def test_a_lost_sector_is_noticed(tmp_path: Path, length: int, options: dict[str, Any], grey: bool) -> None:
    data = coded(SKIN[:, :, 0] if grey else SKIN, **options)
    read(tmp_path, data)
    with pytest.raises(PhotoError, match="a part of its data is blank"):
        read(tmp_path, blanked(data, length))


@pytest.mark.parametrize("options", [{}, {"optimize": True}, {"progressive": True}, {"quality": 5}], ids=str)
@pytest.mark.parametrize("shade", [0, 128, 255])
def test_flat_photos_are_whole(tmp_path: Path, options: dict[str, Any], shade: int) -> None:
    flat = np.full((1200, 1600, 3), shade, np.uint8)
    flat[:300, :420] = SKIN
    assert read(tmp_path, coded(flat, **options)).pixels.shape == flat.shape
    assert read(tmp_path, coded(np.full_like(flat, shade), **options)).pixels.shape == flat.shape


def test_padding_before_the_end_mark_is_no_damage(tmp_path: Path) -> None:
    data = coded()
    assert np.array_equal(read(tmp_path, data[:-2] + bytes(5000) + data[-2:]).pixels, read(tmp_path, data).pixels)


def test_zeros_in_a_note_of_the_camera_are_no_damage(tmp_path: Path) -> None:
    data = coded()
    note = b"\xff\xe7" + (5002).to_bytes(2, "big") + bytes(5000)
    assert np.array_equal(read(tmp_path, data[:2] + note + data[2:]).pixels, read(tmp_path, data).pixels)
