"""Which way is down: what an iPhone writes beside a photo, and when it is not to be believed."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ulcermeter.datatypes import Photo
from ulcermeter.photo import read_photo


def tags_of(orientation: int, note: bytes, written: tuple[int, int]) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112], tags[0x0110] = orientation, "Phone 6"
    inner = tags.get_ifd(0x8769)
    inner[0x927C], inner[0xA002], inner[0xA003] = note, *written
    return tags


def saved(folder: Path, size: tuple[int, int], tags: Image.Exif) -> Photo:
    Image.new("RGB", size).save(folder / "a.jpg", exif=tags)
    return read_photo(folder / "a.jpg")


def maker_note(acceleration_g: tuple[float, float, float], order: str = ">") -> bytes:
    """An iPhone's maker note of two tags, the second its accelerometer's reading."""
    mark = b"MM" if order == ">" else b"II"
    head = b"Apple iOS\0\0\1" + mark + struct.pack(order + "H", 2)
    tags = struct.pack(order + "HHIi", 1, 9, 1, 4) + struct.pack(order + "HHII", 8, 10, 3, len(head) + 28)
    values = [number for g in acceleration_g for number in (round(g * 30000), 30000)]
    return head + tags + bytes(4) + struct.pack(order + "6i", *values)


@pytest.mark.parametrize("order", [">", "<"])
@pytest.mark.parametrize(("orientation", "turn_deg"), [(6, 0), (1, 90), (8, 180), (3, 270)])
def test_down_is_the_same_however_the_phone_was_turned(
    tmp_path: Path, orientation: int, turn_deg: int, order: str
) -> None:
    """A phone over a table, leaning; turned about its own axis it writes another orientation and another reading."""
    right, down, away = 0.12, -0.05, 0.99
    c, s = round(np.cos(np.deg2rad(turn_deg))), round(np.sin(np.deg2rad(turn_deg)))
    # The phone's right and bottom, seen by who holds it upright and then turns it anticlockwise. At rest it reads up.
    x, y, z = -(-right * c + down * s), -right * s - down * c, -away
    tags = tags_of(orientation, maker_note((x, y, z), order), (40, 30))
    photo = saved(tmp_path, (40, 30), tags)
    assert photo.camera.down == pytest.approx(np.array([right, down, away]) / np.hypot(np.hypot(right, down), away))


@pytest.mark.parametrize(
    ("orientation", "size", "note"),
    [
        (6, (40, 30), maker_note((0.0, 0.0, -1.3))),
        (6, (39, 30), maker_note((0.0, 0.0, -1.0))),
        (6, (30, 40), maker_note((0.0, 0.0, -1.0))),
        (2, (40, 30), maker_note((0.0, 0.0, -1.0))),
        (6, (40, 30), maker_note((0.0, 0.0, -1.0))[:40]),
        (6, (40, 30), b"Nikon\0" + maker_note((0.0, 0.0, -1.0))),
    ],
    ids=["moved", "cut", "turned", "mirrored", "damaged", "another maker"],
)
def test_a_reading_that_may_not_belong_to_the_picture_is_not_used(
    tmp_path: Path, orientation: int, size: tuple[int, int], note: bytes
) -> None:
    written = size if size == (30, 40) else (40, 30)
    photo = saved(tmp_path, size, tags_of(orientation, note, written))
    assert photo.camera.down is None and photo.camera.model == "Phone 6"
