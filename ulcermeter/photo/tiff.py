"""The directories of a TIFF: what its pictures are, read without decoding any.

Places within the file are those of TIFF 6.0 and BigTIFF.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ulcermeter.errors import PhotoError, Problem
from ulcermeter.photo.limits import MAX_FILE_MB, damaged, inflated_lengths

__all__ = ["BYTE_ORDERS", "Directory", "check_deep_tiff", "check_packed_tiff", "directories"]

BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">", b"II+\0": "<", b"MM\0+": ">"}
"""By a file's first bytes (TIFF 6.0, BigTIFF), the byte order of its numbers."""
_WIDTH, _HEIGHT, _SUB_IFDS = 0x0100, 0x0101, 0x014A
"""Tags of TIFF 6.0, and SubIFDs (TIFF/EP)."""
_BITS, _PHOTOMETRIC, _SAMPLES, _PLANAR = 0x0102, 0x0106, 0x0115, 0x011C
"""Tags of TIFF 6.0."""
_COMPRESSION, _STRIPS, _TILES = 0x0103, (0x0111, 0x0117), (0x0144, 0x0145)
"""The tags of the parts' offsets and of their lengths."""
_BLACK_IS_ZERO, _RGB, _SEPARATE = 1, 2, 2
"""Values of PhotometricInterpretation and PlanarConfiguration."""
_YCBCR = 6
"""Value of PhotometricInterpretation."""
_PLAIN, _DEFLATED = 1, (8, 32946)
"""Values of Compression; deflate has an official and an older number."""
_ROW_PADDING = 8
"""Most bytes by which a row may be padded (assumption)."""
_READ = (1, 2, 3, 4, 5, 32773, *_DEFLATED)
"""Compressions that tell when they break, or are listed as unprotected: none, fax, LZW, packbits, deflate."""
_MOST_DIRECTORIES, _MOST_TAGS = 64, 4096
"""Read of a file (assumption): no photo has as many, a file made to take memory may say so."""
_MOST_PARTS = 1_000_000
"""Strips or tiles of a picture (assumption): one a row of the largest photo is a tenth."""
_SIZES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
"""By a value's type, its letter for `struct` (TIFF 6.0, section 2; BigTIFF)."""


@dataclass(frozen=True)
class Directory:
    """The whole numbers of one TIFF directory, by tag."""

    tags: dict[int, tuple[int, ...]]
    places: dict[int, int] = field(default_factory=dict)
    """Where in the file each tag's kind, count and values stand."""

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

    Parameters
    ----------
    data : bytes
        The whole file.
    path : Path
        For what is said of it.

    Raises
    ------
    PhotoError
        Such a TIFF.
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
                got=got,
                action="export it as 8-bit TIFF",
            )
        )


def check_packed_tiff(data: bytes, path: Path) -> None:
    """Refuse a TIFF whose deflated parts break their checksum, and compressions that do not tell when they break.

    libtiff stops inflating once a part's pixels are there, so it proves few of the checksums (RFC 1950, 2.2); of JPEG
    within TIFF neither Pillow nor OpenCV passes on what libjpeg complains of.

    Parameters
    ----------
    data : bytes
        The whole file.
    path : Path
        For what is said of it.

    Raises
    ------
    PhotoError
        Such a compression, a part that is damaged or missing, or more pixels than its size takes.
    """
    first = next(directories(data), Directory({}))
    compression = first.first(_COMPRESSION, 1)
    if compression not in _READ:
        raise PhotoError(
            Problem(
                where=str(path),
                expected="a TIFF that is not compressed, or by LZW, packbits or deflate",
                got=f"compression {compression}",
                action="export it as PNG, JPEG or plain TIFF",
            )
        )
    if first.pixels and not first.tags.get(_BITS):
        # Read as bits, as a TIFF may leave this out, a drawing in bytes is black.
        raise damaged(path, "no bits per sample")
    parts = list(_parts(data, first))
    if compression == _PLAIN:
        _check_length(sum(length for _, length in parts), first, path)
    if compression in _DEFLATED:
        left = MAX_FILE_MB * 1e6
        for start, length in parts:
            if start + length > len(data):
                raise damaged(path, "a part of the TIFF is missing")
            left -= _inflated(memoryview(data)[start : start + length], left, path)
        _check_length(round(MAX_FILE_MB * 1e6 - left), first, path)


def _check_length(got: int, directory: Directory, path: Path) -> None:
    """Refuse pixels in strips that are more than a picture of the size and depth that the tags say takes.

    What is missing is told by the decoders; with more, the tags are not those with which it was written. Rows may be
    padded to whole words.
    """
    wide, high = directory.size
    samples, bits = directory.first(_SAMPLES, 1), directory.first(_BITS, 1)
    most = high * (samples * wide * bits / 8 + _ROW_PADDING * samples)
    if _TILES[0] not in directory.tags and directory.first(_PHOTOMETRIC) != _YCBCR and got > most:
        raise damaged(path, f"{got} bytes of pixels, {most:.0f} at most by its size")


def _parts(data: bytes, directory: Directory) -> Iterator[tuple[int, int]]:
    """Yield where the strips or tiles of a picture lie: start and length, bytes."""
    order, big = BYTE_ORDERS[data[:4]], data[2:4].strip(b"\0") == b"+"
    for tags in (_STRIPS, _TILES):
        if all(tag in directory.places for tag in tags):
            starts, lengths = (
                _values(data, directory.places[tag], order, "Q" if big else "I", most=_MOST_PARTS) for tag in tags
            )
            yield from zip(starts, lengths, strict=False)


def _inflated(part: memoryview, most: float, path: Path) -> int:
    """Inflate a part to its end, keeping nothing, and return its length in bytes."""
    inflater, total = zlib.decompressobj(), 0
    for length in inflated_lengths(inflater, part):
        total += length
        if total > most:
            raise damaged(path, f"its pixels take more than {MAX_FILE_MB} MB")
    if not inflater.eof:
        raise damaged(path, "a deflated part ends early")
    return total


def directories(data: bytes) -> Iterator[Directory]:
    """Walk the directories of a TIFF and theirs within, each once; one that cannot be read ends its branch.

    Parameters
    ----------
    data : bytes
        The whole file.

    Returns
    -------
    iterator of Directory
        In the file's order; at most 64.
    """
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
    tags, places = {}, {}
    for k in range(count):
        start = at + head + k * entry
        if start + entry > len(data):
            break
        tag = struct.unpack_from(order + "H", data, start)[0]
        tags[tag], places[tag] = _values(data, start + 2, order, offset), start + 2
    return Directory(tags, places), _number(data, at + head + count * entry, order + offset)


def _values(data: bytes, start: int, order: str, offset: str, *, most: int = _MOST_DIRECTORIES) -> tuple[int, ...]:
    """Return a tag's whole numbers, at most so many, none for other kinds of value; it starts with its kind."""
    kind, width = _number(data, start, order + "H"), struct.calcsize(offset)
    count = min(_number(data, start + 2, order + offset), most)
    letters = f"{order}{count}{_SIZES.get(kind, 'B')}"
    if kind not in _SIZES:
        return ()
    at = start + 2 + width
    if struct.calcsize(letters) > width:
        at = _number(data, at, order + offset)
    return struct.unpack_from(letters, data, at) if at + struct.calcsize(letters) <= len(data) else ()


def _number(data: bytes, at: int, letter: str) -> int:
    """Return one whole number, 0 where the file has ended."""
    return struct.unpack_from(letter, data, at)[0] if at + struct.calcsize(letter) <= len(data) else 0
