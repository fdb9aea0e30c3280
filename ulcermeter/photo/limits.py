"""What every picture must satisfy before its pixels are decoded, and the sentences that say so."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

from ulcermeter.errors import MissingDependencyError, PhotoError, Problem
from ulcermeter.files import check_regular, read_file

MAX_MEGAPIXELS = 100
"""Largest photo that is decoded, million pixels: phones reach 50; more is a scan or an attack on memory."""
MAX_FILE_MB = 300
"""Largest file that is read, million bytes: an uncompressed photo of `MAX_MEGAPIXELS` in 8 bits."""
MIN_SIDE_PX = 16
"""Shortest side of a photo, px: below it nothing can be measured."""
BAND_ROWS = 256
"""Rows converted at a time (assumption): at 100 megapixels a whole picture in wider numbers takes gigabytes."""

INFLATED_AT_A_TIME = 1 << 20
"""Bytes, so that data that grow without end are seen before memory is gone."""

KINDS = "JPEG, PNG, TIFF, HEIC or DICOM"

_SHOWN_CHARACTERS = 160
"""Of what a decoder says, in a sentence (assumption): some repeat the file."""


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file, or say why they cannot be had.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    bytes
        All of it.

    Raises
    ------
    PhotoError
        Missing, not a regular file, empty, or over `MAX_FILE_MB`.
    """
    try:
        size = check_regular(path)
        if size > MAX_FILE_MB * 1e6:
            raise PhotoError(
                Problem(
                    where=str(path),
                    expected=f"at most {MAX_FILE_MB} MB",
                    got=f"{size / 1e6:.0f} MB",
                    action="export the photo as JPEG",
                )
            )
        data = read_file(path, most_mb=MAX_FILE_MB)
    except (OSError, ValueError) as error:  # a name with a zero byte is a ValueError
        got = str(getattr(error, "strerror", None) or error)
        raise PhotoError(
            Problem(where=str(path), expected="a readable file", got=got, action="check the path")
        ) from error
    if not data:
        raise PhotoError(
            Problem(
                where=str(path), expected="a photo", got="a file of 0 bytes", action="copy it from the camera again"
            )
        )
    return data


def check_size(size: tuple[int, int], path: Path) -> None:
    """Refuse a picture (width, height) that is too large to decode or too small to measure.

    Parameters
    ----------
    size : (int, int)
        Columns and rows, px.
    path : Path
        For what is said of it.

    Raises
    ------
    PhotoError
        Over `MAX_MEGAPIXELS`, or a side under `MIN_SIDE_PX`.
    """
    width, height = size
    if width * height > MAX_MEGAPIXELS * 1e6:
        raise too_large(path, f"{width} × {height} = {width * height / 1e6:.0f}")
    if min(size) < MIN_SIDE_PX:
        raise PhotoError(
            Problem(
                where=str(path),
                expected=f"a photo of at least {MIN_SIDE_PX} px on each side",
                got=f"{width} × {height} px",
                action="use the original photo and not its thumbnail",
            )
        )


def too_large(path: Path, got: str) -> PhotoError:
    """Return the error of a picture with too many pixels.

    Parameters
    ----------
    path : Path
        The file.
    got : str
        What was found.

    Returns
    -------
    PhotoError
    """
    return PhotoError(
        Problem(
            where=str(path),
            expected=f"at most {MAX_MEGAPIXELS} megapixels",
            got=got,
            action="set the camera to its ordinary resolution (12 megapixels are plenty)",
        )
    )


def damaged(path: Path, error: object) -> PhotoError:
    """Return the error of a file whose picture is not whole, with what its decoder said, in one line.

    Parameters
    ----------
    path : Path
        The file.
    error : object
        What was raised.

    Returns
    -------
    PhotoError
    """
    reason = " ".join(str(error).split()) or type(error).__name__
    reason = reason if len(reason) <= _SHOWN_CHARACTERS else reason[:_SHOWN_CHARACTERS] + " …"
    return PhotoError(
        Problem(
            where=str(path),
            expected=f"a whole picture ({KINDS})",
            got=f"a damaged or truncated one ({reason})",
            action="copy it from the camera again",
        )
    )


def missing_extra(path: Path, kind: str, extra: str) -> MissingDependencyError:
    """Return the error of a kind of file whose extra package is not installed.

    Parameters
    ----------
    path : Path
        The file.
    kind : str
        Its kind.
    extra : str
        The extra that brings the package.

    Returns
    -------
    MissingDependencyError
    """
    return MissingDependencyError(
        Problem(
            where=str(path),
            expected=f"the extra package that reads {kind}",
            got="none",
            action=f"install it (pip install 'ulcermeter[{extra}]'), or export the photo as JPEG",
        )
    )


def inflated_lengths(inflater: zlib._Decompress, data: bytes | memoryview) -> Iterator[int]:
    """Inflate data a piece at a time, keeping nothing.

    Parameters
    ----------
    inflater : zlib decompression object
        Stands at its stream's end afterwards where `data` hold it.
    data : bytes or memoryview
        Deflated.

    Yields
    ------
    int
        Bytes of each piece, at most `INFLATED_AT_A_TIME`.
    """
    while data and not inflater.eof:
        yield len(inflater.decompress(data, INFLATED_AT_A_TIME))
        data = inflater.unconsumed_tail
