"""Is a PNG whole? Its decoders look at few of the checksums that it carries, and fill what is missing with black.

Places within the file are those of ISO/IEC 15948.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from ulcermeter.photo.limits import check_size, damaged, inflated_lengths
from ulcermeter.tables.cells import by_key

__all__ = ["SIGNATURE", "check_whole_png"]

_ROUND_DATA = 12
"""Bytes of a chunk beside its data: length, name and checksum, four each."""

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""By colour type (PNG 3rd ed., 11.2.1)."""
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Adam7: first column and row of each pass, and the steps between them (8.1)."""


def check_whole_png(data: bytes, path: Path) -> None:
    """Refuse a PNG of which any chunk breaks its checksum, whose end is missing, or whose picture ends early.

    Every chunk counts (5.3-5.4): those beside the picture hold its transparency, colours, orientation and camera, and a
    damaged name would hide one of them. What stands behind the end is not looked at.

    Parameters
    ----------
    data : bytes
        The whole file.
    path : Path
        For what is said of it.

    Raises
    ------
    PhotoError
        Such a PNG, or one of a size that is not read.
    """
    parts = by_key(_chunks(data, path))
    if b"IHDR" not in parts:
        raise damaged(path, "the PNG has no head")
    head = bytes(parts[b"IHDR"][0])
    check_size(struct.unpack(">II", head[:8]), path)
    _check_picture(head, parts.get(b"IDAT", []), path)


def _chunks(data: bytes, path: Path) -> Iterator[tuple[bytes, memoryview]]:
    """Walk the chunks up to the end, each with its checksum proved."""
    view, at = memoryview(data), len(SIGNATURE)
    while at + _ROUND_DATA <= len(data):
        end = at + _ROUND_DATA + int.from_bytes(view[at : at + 4], "big")
        if end > len(data):
            break
        if zlib.crc32(view[at + 4 : end - 4]) != int.from_bytes(view[end - 4 : end], "big"):
            raise damaged(path, f"a checksum fails {at / len(data):.0%} into the file")
        kind = bytes(view[at + 4 : at + 8])
        if kind == b"IEND":
            return
        yield kind, view[at + 8 : end - 4]
        at = end
    raise damaged(path, "the end of the PNG is missing")


def _check_picture(head: bytes, parts: list[memoryview], path: Path) -> None:
    """Inflate the picture, keeping nothing, to the bytes that its size needs and to zlib's own checksum.

    A picture of more bytes was written under another head: of another size, or of more channels.
    """
    needed, found, inflater = _raw_bytes(head), 0, zlib.decompressobj()
    for part in parts:
        for length in inflated_lengths(inflater, part):
            found += length
            if found > needed:
                raise damaged(path, "its picture goes on beyond its size")
    if found < needed:
        raise damaged(path, f"its picture ends after {found / needed:.0%}")


def _raw_bytes(head: bytes) -> int:
    """Return how many bytes the rows of a picture take with the filter byte of each (7.2, 8.1)."""
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", head[:13])
    passes = _PASSES if interlaced else ((0, 0, 1, 1),)
    bits = depth * _CHANNELS[colour]
    sizes = ((-(-(width - x) // dx), -(-(height - y) // dy)) for x, y, dx, dy in passes)
    return sum(rows * (1 + -(-columns * bits // 8)) for columns, rows in sizes if columns > 0 and rows > 0)
