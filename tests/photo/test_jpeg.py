"""A JPEG that is not whole is refused, and one that is whole never is."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ulcermeter.errors import PhotoError
from ulcermeter.photo import read_photo
from ulcermeter.photo.stderr_messages import messages_on_stderr

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


# --- the end --------------------------------------------------------------------------------------------------------

VIDEO = (
    b"\0\0\0\x18ftypmp42" + bytes(12) + np.random.default_rng(8).integers(0, 256, 200_000).astype(np.uint8).tobytes()
)
WAYS: list[dict[str, Any]] = [
    {},
    {"subsampling": 0},
    {"progressive": True},
    {"restart_marker_rows": 1},
    {"restart_marker_blocks": 7},
    {"optimize": True},
]


@pytest.mark.parametrize("options", WAYS, ids=str)
@pytest.mark.parametrize("behind", [VIDEO, VIDEO[8:], b"RIFF\0\0\0\0AVI " + VIDEO, coded(), bytes(3000)])
def test_what_follows_does_not_lend_its_end(tmp_path: Path, options: dict[str, Any], behind: bytes) -> None:
    whole = coded(**options)
    assert np.array_equal(read(tmp_path, whole + behind).pixels, read(tmp_path, whole).pixels)
    for share in (0.3, 0.6, 0.99):
        with pytest.raises(PhotoError, match="damaged"):
            read(tmp_path, whole[: int(len(whole) * share)] + behind)


def test_a_video_of_noise_rarely_ends_a_photo_that_has_no_end(tmp_path: Path) -> None:
    """Without a video's own mark, one start of noise in about 250 looks like the end of a JPEG."""
    broken, rng, read_whole = coded()[:-1000], np.random.default_rng(9), 0
    for _ in range(100):
        try:
            read(tmp_path, broken + rng.integers(0, 256, 5000).astype(np.uint8).tobytes())
            read_whole += 1
        except PhotoError:
            pass
    assert read_whole <= 3


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("options", [{"restart_marker_rows": 1}, {"restart_marker_blocks": 7}], ids=str)
def test_restart_marks_tell_of_what_is_missing(tmp_path: Path, options: dict[str, Any], grey: bool) -> None:
    data = coded(SKIN[:, :, 0] if grey else SKIN, **options)
    read(tmp_path, data)
    third, fifth = data.index(b"\xff\xd3"), data.index(b"\xff\xd5")
    for missing in (data[:third] + data[fifth:], data[:third] + data[third + 2 :]):
        with pytest.raises(PhotoError, match="a part of the JPEG"):
            read(tmp_path, missing)
    last = max(data.rindex(bytes((0xFF, 0xD0 + k))) for k in range(8))
    with pytest.raises(PhotoError, match="a part of the JPEG is missing"):
        read(tmp_path, data[:last] + b"\xff\xd9")


def test_a_jpeg_of_more_scans_than_any_encoder_writes_is_not_decoded(tmp_path: Path) -> None:
    data = coded(progressive=True)
    last = data.rindex(b"\xff\xda")
    for more in (50, 1000):
        many = data[:-2] + data[last:-2] * more + data[-2:]
        if more == 50:
            assert read(tmp_path, many).pixels.shape == SKIN.shape
            continue
        with pytest.raises(PhotoError, match="at most 100 scans"):
            read(tmp_path, many)


def test_a_file_of_marks_alone_takes_no_time(tmp_path: Path) -> None:
    for rest in (
        b"\xff" * 4_000_000,
        b"\xff\xd0" * 2_000_000,
        b"\xff\xda\0\2" * 1_000_000,
        b"\xff\xe0\0\0" * 1_000_000,
    ):
        with pytest.raises(PhotoError):
            read(tmp_path, coded()[:-2] + rest)


# --- what the decoder says ------------------------------------------------------------------------------------------


def changed_pixels_pass(tmp_path: Path, whole: bytes, changed: list[bytes]) -> int:
    """Count the files that are read with other pixels than the whole one's."""
    pixels, passed = read(tmp_path, whole).pixels, 0
    for data in changed:
        try:
            passed += not np.array_equal(read(tmp_path, data).pixels, pixels)
        except PhotoError as error:
            assert "damaged" in str(error)
    return passed


@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"optimize": True}, {"progressive": True}], ids=str)
def test_a_part_that_was_lost_or_written_twice_is_heard_from_the_decoder(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    """Without restart marks nothing but the decoder can notice it; it goes on and invents the rest of the picture."""
    whole = coded(**options)
    places = np.random.default_rng(4).integers(len(whole) // 4, len(whole) - 2000, 20).tolist()
    lost = [whole[:at] + whole[at + 512 :] for at in places]
    twice = [whole[: at + 512] + whole[at:] for at in places]
    assert changed_pixels_pass(tmp_path, whole, lost + twice) <= (12 if "progressive" in options else 2)


@pytest.mark.parametrize("shorter", [1, 40, 200])
def test_a_note_of_the_camera_whose_length_is_wrong_costs_no_photo(tmp_path: Path, shorter: int) -> None:
    """What is left of it is no segment, and decoders pass it over up to the next one."""
    whole = coded()
    note = b"\xff\xe7" + (302 - shorter).to_bytes(2, "big") + b"a" * 300
    assert np.array_equal(read(tmp_path, whole[:2] + note + whole[2:]).pixels, read(tmp_path, whole).pixels)


@pytest.mark.parametrize("marker", [0xDB, 0xC4, 0xC0])
def test_bytes_put_into_a_table_are_no_note_of_the_camera(tmp_path: Path, marker: int) -> None:
    """They push as many bytes out of the table, which stand behind it as bytes that belong to nothing."""
    whole = coded()
    at = whole.index(bytes((0xFF, marker))) + 8
    with pytest.raises(PhotoError):
        read(tmp_path, whole[:at] + b"\x11" * 16 + whole[at:])


def test_a_cmyk_jpeg_is_listened_to_as_well(tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.fromarray(SKIN).convert("CMYK").save(file, "jpeg", quality=92)
    whole = file.getvalue()
    assert read(tmp_path, whole).pixels.shape == SKIN.shape
    middle = len(whole) // 2
    with pytest.raises(PhotoError, match="Corrupt JPEG data"):
        read(tmp_path, whole[:middle] + whole[middle + 512 :])


def test_hearing_takes_nothing_from_others(capfd: pytest.CaptureFixture[str]) -> None:
    with messages_on_stderr("Corrupt") as said:
        os.write(2, b"a word of another thread\nCorrupt JPEG data: bad Huffman code\nand one more\n")
    assert said == ["Corrupt JPEG data: bad Huffman code"]
    assert capfd.readouterr().err == "a word of another thread\nand one more\n"
    with pytest.raises(KeyError), messages_on_stderr("Corrupt"):
        os.write(2, b"before it broke\n")
        raise KeyError
    assert capfd.readouterr().err == "before it broke\n"


def test_photos_are_read_where_nobody_listens(tmp_path: Path) -> None:
    """As in a service without standard error."""
    (tmp_path / "a.jpg").write_bytes(coded())
    code = "import os, sys; os.close(2); from ulcermeter.photo import read_photo; print(read_photo(sys.argv[1]).sha256)"
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.jpg")], capture_output=True, check=True)
    assert len(done.stdout.strip()) == 64
