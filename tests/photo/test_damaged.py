"""A damaged picture is a damaged picture, once, in every format and as a tracing; never another number."""

from __future__ import annotations

import io
import mmap
import os
import socket
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from ulcermeter.errors import PhotoError
from ulcermeter.photo import formats, read_mask, read_photo

NOISE = np.random.default_rng(3).normal(0, 12, (120, 170, 3))
SKIN = np.clip(np.array([190, 140, 120]) + NOISE, 0, 255).astype(np.uint8)


def png(pixels: np.ndarray = SKIN, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png", **options)
    return file.getvalue()


def tracing() -> np.ndarray:
    y, x = np.mgrid[0:120, 0:170]
    return (np.hypot(x - 80, y - 60) < 30).astype(np.uint8) * 255


def flipped(data: bytes, at: int, bit: int) -> bytes:
    return data[:at] + bytes((data[at] ^ 1 << bit,)) + data[at + 1 :]


def refused(path: Path, call: Callable[[Path], object] = read_photo) -> str:
    with pytest.raises(PhotoError) as caught:
        call(path)
    text = str(caught.value)
    assert text.startswith(str(path)) and "expected" in text and "got" in text and "\n" not in text
    return text


# --- PNG ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("exif", [False, True])
def test_one_flipped_bit_of_a_png_gives_the_true_pixels_or_a_failure(tmp_path: Path, exif: bool) -> None:
    tags = Image.Exif()
    tags[0x0110] = "Model"
    whole, path = png(**({"exif": tags} if exif else {})), tmp_path / "a.png"
    rng = np.random.default_rng(11)
    for at, bit in zip(rng.integers(0, len(whole), 300), rng.integers(0, 8, 300), strict=True):
        path.write_bytes(flipped(whole, int(at), int(bit)))
        try:
            pixels = read_photo(path).pixels
        except PhotoError:
            continue
        assert np.array_equal(pixels, SKIN), (at, bit)


def test_one_flipped_bit_of_a_tracing_gives_the_true_area_or_a_failure(tmp_path: Path) -> None:
    whole, path = png(tracing()), tmp_path / "a.png"
    path.write_bytes(whole)
    area = int(read_mask(path, (120, 170)).sum())
    for at in range(len(whole)):
        path.write_bytes(flipped(whole, at, at % 8))
        try:
            found = int(read_mask(path, (120, 170)).sum())
        except PhotoError:
            continue
        assert found == area, at


@pytest.mark.parametrize("length", [1, 512, 4096])
def test_a_block_of_zeros_in_a_png_is_damage(tmp_path: Path, length: int) -> None:
    whole, path = png(), tmp_path / "a.png"
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + bytes(length) + whole[middle + length :])
    assert "checksum" in refused(path)
    assert "checksum" in refused(path, lambda path: read_mask(path, (120, 170)))


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def made_by_hand(rows: bytes, colour: int, depth: int, *, interlaced: bool = False) -> bytes:
    """A PNG of 170 × 120 px whose checksums all fit, whatever its rows are."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 170, 120, depth, colour, 0, 0, interlaced))
    half = len(rows) // 2
    packed = zlib.compress(rows)
    parts = chunk(b"IDAT", packed[:half]) + chunk(b"IDAT", b"") + chunk(b"IDAT", packed[half:])
    return b"\x89PNG\r\n\x1a\n" + head + parts + chunk(b"IEND", b"")


@pytest.mark.parametrize("left_out", [1, 600, 30_000])
def test_a_png_whose_picture_ends_early_is_damage_though_its_checksums_fit(tmp_path: Path, left_out: int) -> None:
    rows = b"".join(b"\0" + row.tobytes() for row in SKIN)
    path = tmp_path / "a.png"
    path.write_bytes(made_by_hand(rows, 2, 8))
    assert np.array_equal(read_photo(path).pixels, SKIN)
    path.write_bytes(made_by_hand(rows[:-left_out], 2, 8))
    assert "its picture ends after" in refused(path)


@pytest.mark.parametrize(("colour", "more"), [(0, 2 * 170 * 120), (2, 1), (2, 170 * 121)])
def test_a_png_of_more_bytes_than_its_head_says_is_damage(tmp_path: Path, colour: int, more: int) -> None:
    """A head that was changed to fewer channels or rows leaves the rest of the picture over."""
    rows = b"".join(b"\0" + row.tobytes() for row in (SKIN if colour else SKIN[..., 0]))
    path = tmp_path / "a.png"
    path.write_bytes(made_by_hand(rows, colour, 8))
    assert read_photo(path).pixels.shape == (120, 170, 3)
    path.write_bytes(made_by_hand(rows + bytes(more), colour, 8))
    assert "goes on beyond its size" in refused(path)


@pytest.mark.parametrize(("colour", "depth", "bits"), [(0, 1, 1), (0, 16, 16), (2, 8, 24), (2, 16, 48), (6, 8, 32)])
def test_interlaced_pngs_are_whole_by_their_own_measure(tmp_path: Path, colour: int, depth: int, bits: int) -> None:
    """Seven passes by the standard's picture of 8 × 8 pixels: which pass each pixel belongs to."""
    order = ("16462646", "77777777", "56565656", "77777777", "36463646", "77777777", "56565656", "77777777")
    grid = np.array([[int(k) for k in row] for row in order])
    passes = np.tile(grid, (15, 22))[:120, :170]
    rows = b""
    for k in range(1, 8):
        inside = passes == k
        wide = int(inside.sum(axis=1).max())
        rows += b"".join(b"\0" + bytes(-(-wide * bits // 8)) for _ in range(int(inside.any(axis=1).sum())))
    path = tmp_path / "a.png"
    path.write_bytes(made_by_hand(rows, colour, depth, interlaced=True))
    assert read_photo(path).pixels.shape == (120, 170, 3)
    path.write_bytes(made_by_hand(rows[:-1], colour, depth, interlaced=True))
    assert "its picture ends after" in refused(path)


def test_what_stands_behind_a_png_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png() + b"anything")
    assert np.array_equal(read_photo(path).pixels, SKIN)


# --- TIFF and whatever a decoder raises -----------------------------------------------------------------------------


def tiff(pixels: np.ndarray, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "tiff", **options)
    return file.getvalue()


def deep_tiff(compression: int) -> bytes:
    """16 bits a channel, as OpenCV writes them."""
    pixels = np.tile(SKIN, (2, 2, 1)).astype(np.uint16) * 257
    return cv2.imencode(".tif", pixels, [cv2.IMWRITE_TIFF_COMPRESSION, compression])[1].tobytes()


@pytest.mark.parametrize("kind", ["colour", "grey", "16 bits", "16 bits of grey"])
def test_a_deflated_tiff_is_protected_by_its_own_checksum(tmp_path: Path, kind: str) -> None:
    """libtiff stops inflating once the pixels are there, so it proves few of the checksums."""
    large, path = np.tile(SKIN, (2, 2, 1)), tmp_path / "a.tif"
    whole = {
        "colour": lambda: tiff(large, compression="tiff_adobe_deflate"),
        "grey": lambda: tiff(large[..., 0], compression="tiff_adobe_deflate"),
        "16 bits": lambda: deep_tiff(8),
        "16 bits of grey": lambda: tiff(large[..., 0].astype(np.uint16) * 257, compression="tiff_adobe_deflate"),
    }[kind]()
    path.write_bytes(whole)
    right = read_photo(path).pixels
    rng = np.random.default_rng(2)
    for at in rng.integers(300, len(whole) - 400, 60):
        path.write_bytes(flipped(whole, int(at), 3))
        try:
            pixels = read_photo(path).pixels
        except PhotoError:
            continue
        assert np.array_equal(pixels, right), at


def test_where_libtiff_loses_its_way_while_opencv_decodes_the_photo_is_damaged(tmp_path: Path) -> None:
    whole, path = deep_tiff(5), tmp_path / "a.tif"
    path.write_bytes(whole)
    assert read_photo(path).pixels.shape == (240, 340, 3)
    refusals = 0
    for at in range(5000, len(whole) - 5000, len(whole) // 40):
        path.write_bytes(whole[:at] + bytes(64) + whole[at + 64 :])
        try:
            read_photo(path)
        except PhotoError as error:
            refusals += "damaged" in str(error)
    # Some codes of LZW are other pixels and no error.
    assert refusals > 25


def test_jpeg_within_tiff_is_refused_since_its_damage_is_not_told(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(tiff(SKIN, compression="jpeg"))
    assert "compression 7" in refused(path)


def tag_at(data: bytes, tag: int) -> int:
    """Where a tag's entry stands in the first directory of a little-endian TIFF."""
    start = int.from_bytes(data[4:8], "little")
    count = int.from_bytes(data[start : start + 2], "little")
    places = (start + 2 + 12 * k for k in range(count))
    return next(at for at in places if int.from_bytes(data[at : at + 2], "little") == tag)


@pytest.mark.parametrize("packed", [{}, {"compression": "tiff_adobe_deflate"}, {"compression": "packbits"}])
@pytest.mark.parametrize("change", ["no value", "another tag"])
def test_a_tracing_in_bytes_is_never_read_as_bits_and_so_as_black(
    tmp_path: Path, packed: dict[str, str], change: str
) -> None:
    """Bits per sample may be left out for one bit: then a drawing in bytes is black, and *no ulcer*."""
    whole, path = tiff(tracing(), **packed), tmp_path / "a.tif"
    at = tag_at(whole, 258)
    new = (whole[at : at + 4] + bytes(4)) if change == "no value" else (b"\xfb\x00" + whole[at + 2 : at + 8])
    path.write_bytes(whole[:at] + new + whole[at + 8 :])
    refused(path, lambda path: read_mask(path, (120, 170)))


@pytest.mark.parametrize("packed", [{}, {"compression": "tiff_adobe_deflate"}])
@pytest.mark.parametrize(("tag", "value"), [(258, 1), (258, 4), (257, 40), (256, 85)])
def test_more_pixels_than_the_tags_speak_of_are_damage(
    tmp_path: Path, packed: dict[str, str], tag: int, value: int
) -> None:
    whole, path = tiff(tracing(), **packed), tmp_path / "a.tif"
    at = tag_at(whole, tag) + 8
    path.write_bytes(whole[:at] + value.to_bytes(2, "little") + whole[at + 2 :])
    refused(path)


@pytest.mark.parametrize("tag", [256, 257, 258, 262, 273, 277, 279])
@pytest.mark.parametrize("change", ["gone", "zero", "huge", "text"])
def test_a_tiff_with_a_bad_tag_is_a_sentence(tmp_path: Path, tag: int, change: str) -> None:
    path = tmp_path / "a.tif"
    Image.fromarray(SKIN).save(path)
    data = bytearray(path.read_bytes())
    start = int.from_bytes(data[4:8], "little")
    for k in range(int.from_bytes(data[start : start + 2], "little")):
        at = start + 2 + 12 * k
        if int.from_bytes(data[at : at + 2], "little") == tag:
            data[at : at + 2] = (65000).to_bytes(2, "little") if change == "gone" else data[at : at + 2]
            data[at + 2 : at + 4] = (2).to_bytes(2, "little") if change == "text" else data[at + 2 : at + 4]
            data[at + 8 : at + 12] = {"zero": bytes(4), "huge": b"\xf0\xff\xff\x7f"}.get(change, data[at + 8 : at + 12])
    path.write_bytes(data)
    try:
        pixels = read_photo(path).pixels
    except PhotoError as error:
        assert "\n" not in str(error)
    else:
        assert np.array_equal(pixels, SKIN) or tag in (258, 262, 273)


@pytest.mark.parametrize(
    "raised", [IndexError("list index out of range"), TypeError("Missing\ndimensions"), RecursionError(), KeyError(3)]
)
def test_whatever_a_decoder_raises_is_damage_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raised: Exception
) -> None:
    calls = []

    def broken(*_: Any) -> None:
        calls.append(1)
        raise raised

    monkeypatch.setattr(formats, "decode_picture", broken)
    (tmp_path / "a.png").write_bytes(png())
    assert "damaged" in refused(tmp_path / "a.png")
    assert "damaged" in refused(tmp_path / "a.png", lambda path: read_mask(path, (120, 170)))
    assert len(calls) == 2


# --- things that are no files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", [read_photo, lambda path: read_mask(path, (120, 170))], ids=["photo", "tracing"])
def test_what_is_no_file_is_refused_by_its_kind_before_it_is_opened(
    tmp_path: Path, call: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = tmp_path / "pipe.jpg"
    os.mkfifo(pipe)
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(tmp_path)
        server.bind("socket.jpg")
        monkeypatch.setattr("builtins.open", lambda *_: pytest.fail("opened"))
        for path, kind in (
            (pipe, "a named pipe"),
            (tmp_path, "a folder"),
            (Path("/dev/zero"), "a device"),
            (tmp_path / "socket.jpg", "a socket"),
        ):
            assert kind in refused(path, call)


def test_a_link_to_a_photo_is_a_photo(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png())
    (tmp_path / "b.png").symlink_to(tmp_path / "a.png")
    assert np.array_equal(read_photo(tmp_path / "b.png").pixels, SKIN)


def _no_memory(*_: object) -> None:
    np.empty(1 << 60, np.uint8)


def _no_memory_of_opencv(*_: object) -> None:
    cv2.resize(np.zeros((1, 1), np.uint8), (1 << 22, 1 << 24))


def _no_memory_of_the_system(*_: object) -> None:
    mmap.mmap(-1, 1 << 60)


@pytest.mark.parametrize("decoder", [_no_memory, _no_memory_of_opencv, _no_memory_of_the_system])
def test_too_little_memory_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, decoder: object) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(np.full((40, 50, 3), 90, np.uint8)).save(path)
    monkeypatch.setattr("ulcermeter.photo.formats._decoder", lambda data: decoder)
    with pytest.raises(PhotoError, match="in the memory it may have, got one that asks for more") as caught:
        read_photo(path)
    assert caught.value.problems[0].where == str(path)
