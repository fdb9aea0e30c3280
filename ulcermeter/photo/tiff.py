"""The directories of a TIFF: what its pictures are, read without decoding any."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ulcermeter.errors import PhotoError, Problem

__all__ = ["BYTE_ORDERS", "Directory", "check_deep_tiff", "directories"]

BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">", b"II+\0": "<", b"MM\0+": ">"}
"""By a file's first bytes (TIFF 6.0, BigTIFF), the byte order of its numbers."""
_WIDTH, _HEIGHT, _SUB_IFDS = 0x0100, 0x0101, 0x014A
_BITS, _PHOTOMETRIC, _SAMPLES, _PLANAR = 0x0102, 0x0106, 0x0115, 0x011C
_BLACK_IS_ZERO, _RGB, _SEPARATE = 1, 2, 2
_MOST_DIRECTORIES, _MOST_TAGS = 64, 4096
_SIZES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}


@dataclass(frozen=True)
class Directory:
    """The whole numbers of one TIFF directory, by tag."""

    tags: dict[int, tuple[int, ...]]

    def first(self, tag: int, default: int = 0) -> int:
        """Return the first number of a tag."""
        return next(iter(self.tags.get(tag, ())), default)

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        return self.first(_WIDTH), self.first(_HEIGHT)

    @property
    def pixels(self) -> int:
        """Columns × rows."""
        return self.size[0] * self.size[1]


def check_deep_tiff(data: bytes, path: Path) -> None:
    """Refuse a TIFF of more than 8 bits that Pillow and OpenCV decode to another picture without a word.

    Of 12 bits both make a dark one, of channels stored apart OpenCV mixes the planes, and Pillow does not invert the
    grey of one in which white is zero. With 8 bits all of these are read rightly.
    """
    first = next(directories(data), Directory({}))
    bits = max(first.tags.get(_BITS, (1,)), default=1)
    if bits <= 8:
        return
    got = f"{bits} bits" if bits < 16 else ""
    if first.first(_PHOTOMETRIC) not in (_BLACK_IS_ZERO, _RGB):
        got = f"the photometric interpretation {first.first(_PHOTOMETRIC)} in {bits} bits"
    elif first.first(_SAMPLES, 1) > 1 and first.first(_PLANAR) == _SEPARATE:
        got = f"channels stored apart in {bits} bits"
    if got:
        raise PhotoError(
            Problem(
                where=str(path),
                expected="grey or RGB in 8 or 16 bits a channel",
                got=str(got),
                action="export it as 8-bit TIFF",
            )
        )


def directories(data: bytes) -> Iterator[Directory]:
    """Walk the directories of a TIFF and theirs within, each once; one that cannot be read ends its branch."""
    order, big = BYTE_ORDERS[data[:4]], data[2:4].strip(b"\0") == b"+"
    ahead = [_number(data, 8 if big else 4, order + ("Q" if big else "I"))]
    known: set[int] = set()
    while ahead and len(known) < _MOST_DIRECTORIES:
        at = ahead.pop(0)
        if not at or at in known:
            continue
        known.add(at)
        directory, following = _directory(data, at, order, big)
        yield directory
        ahead += [following, *directory.tags.get(_SUB_IFDS, ())]


def _directory(data: bytes, at: int, order: str, big: bool) -> tuple[Directory, int]:
    """Return the directory at an offset and where the next one stands (TIFF 6.0, section 2; BigTIFF)."""
    head, entry, offset = (8, 20, "Q") if big else (2, 12, "I")
    count = min(_number(data, at, order + ("Q" if big else "H")), _MOST_TAGS)
    tags = {}
    for k in range(count):
        start = at + head + k * entry
        if start + entry > len(data):
            break
        tag, kind = struct.unpack_from(order + "HH", data, start)
        tags[tag] = _values(data, start + 4, kind, order, offset)
    return Directory(tags), _number(data, at + head + count * entry, order + offset)


def _values(data: bytes, start: int, kind: int, order: str, offset: str) -> tuple[int, ...]:
    """Return a tag's whole numbers, none for other kinds of value."""
    width = struct.calcsize(offset)
    count = min(_number(data, start, order + offset), _MOST_DIRECTORIES)
    letters = f"{order}{count}{_SIZES.get(kind, 'B')}"
    if kind not in _SIZES:
        return ()
    at = start + width
    if struct.calcsize(letters) > width:
        at = _number(data, at, order + offset)
    return struct.unpack_from(letters, data, at) if at + struct.calcsize(letters) <= len(data) else ()


def _number(data: bytes, at: int, letter: str) -> int:
    """Return one whole number, 0 where the file has ended."""
    return struct.unpack_from(letter, data, at)[0] if at + struct.calcsize(letter) <= len(data) else 0
