"""Camera-raw files: their pictures are not decoded here, and the small preview inside must not be measured instead."""

from __future__ import annotations

from pathlib import Path

from ulcermeter.errors import PhotoError, Problem
from ulcermeter.photo.tiff import BYTE_ORDERS, Directory, directories

__all__ = ["refuse_raw"]

_STARTS = (
    b"FUJIFILMCCD-RAW",
    b"IIU\0",  # Panasonic, Leica
    b"IIRO",  # Olympus
    b"IIRS",
    b"MMOR",
    b"FOVb",  # Sigma
    b"\0MRM",  # Minolta
    b"II\x1a\0\0\0HEAPCCDR",  # Canon CRW
)
_CANON_CR3, _CANON_CR2 = b"ftypcrx ", b"CR"
_SUBFILE, _COMPRESSION, _PHOTOMETRIC = 0x00FE, 0x0103, 0x0106
"""Tags of TIFF 6.0."""
_RAW_TAGS = frozenset((0x828D, 0x828E, 0xC612))
"""CFARepeatPatternDim and CFAPattern (TIFF/EP), DNGVersion (DNG 1.7)."""
_RAW_PHOTOMETRIC = frozenset((32803, 34892, 52527))
"""Colour filter array, linear raw (DNG 1.7), depth or semantic maps beside them."""
_RAW_COMPRESSION = frozenset((32767, 32769, 32770, 34713, 65535))
"""Sony ARW, Epson and Samsung, Nikon NEF, Pentax PEF."""
_REDUCED = 1
"""Bit of NewSubfileType: a reduced version of another picture."""


def refuse_raw(data: bytes, path: Path) -> None:
    """Refuse a camera's raw file, and any TIFF whose first picture is the preview of a larger one.

    Told by the makers' first bytes, by tags that only raw files carry (TIFF/EP, DNG), and for all others by their
    directories: the first one, which decoders read, must hold the largest picture.

    Parameters
    ----------
    data : bytes
        The whole file.
    path : Path
        For what is said of it.

    Raises
    ------
    PhotoError
        A raw file, or a TIFF whose first picture is a preview.
    """
    if data.startswith(_STARTS) or data[4:12] == _CANON_CR3 or (data[:4] in BYTE_ORDERS and data[8:10] == _CANON_CR2):
        raise _raw(path, "a camera-raw file")
    if data[:4] not in BYTE_ORDERS:
        return
    found = list(directories(data))
    if any(_is_raw(directory) for directory in found):
        raise _raw(path, "a camera-raw file")
    first, others = found[:1], found[1:]
    if first and (first[0].first(_SUBFILE) & _REDUCED or any(o.pixels > first[0].pixels for o in others)):
        raise _raw(path, "a TIFF whose first picture is the small preview of another")


def _is_raw(directory: Directory) -> bool:
    return (
        not _RAW_TAGS.isdisjoint(directory.tags)
        or directory.first(_PHOTOMETRIC) in _RAW_PHOTOMETRIC
        or directory.first(_COMPRESSION) in _RAW_COMPRESSION
    )


def _raw(path: Path, got: str) -> PhotoError:
    return PhotoError(
        Problem(
            where=str(path),
            expected="a finished picture",
            got=got,
            action="export it at full size as JPEG, PNG or 8-bit TIFF, or hand in the JPEG that the camera saved "
            "beside it",
        )
    )
