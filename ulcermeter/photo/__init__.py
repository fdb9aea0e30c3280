"""The only door for pictures: photos and tracings come in here, upright, sRGB and checked.

JPEG, PNG and TIFF are read with what the package brings; HEIC needs the extra ``heic``, DICOM the extra ``dicom``.
Whatever cannot be used is refused with one sentence before it costs memory: the size is read before the pixels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Photo
from ulcermeter.errors import MissingDependencyError, PhotoError

try:
    import cv2
except ImportError as error:
    raise MissingDependencyError(
        f"OpenCV could not be loaded ({error}): expected opencv-python with its system library; on a server without "
        "a screen install the package libgl1, or replace opencv-python by opencv-python-headless."
    ) from error

from ulcermeter.photo.exif import Decoded, Pixels
from ulcermeter.photo.limits import MAX_FILE_MB, MAX_MEGAPIXELS, MIN_SIDE_PX, read_bytes
from ulcermeter.photo.medical import decode_dicom, decode_heic
from ulcermeter.photo.pictures import decode_picture

__all__ = ["MAX_FILE_MB", "MAX_MEGAPIXELS", "MIN_SIDE_PX", "read_mask", "read_photo"]

_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def read_photo(path: str | Path) -> Photo:
    """Read a photo: upright, 8-bit sRGB, with the hash of its bytes.

    EXIF orientation is applied whatever the format. Grey becomes RGB, 16 bits are scaled to 8, CMYK and colour
    profiles are converted to sRGB, transparency is laid over white.

    Parameters
    ----------
    path : str or Path
        A JPEG, PNG, TIFF, HEIC (extra ``heic``) or DICOM (extra ``dicom``) file with one picture.

    Returns
    -------
    Photo
        `taken_at` from EXIF DateTimeOriginal or DateTimeDigitized (never the date of the last edit).

    Raises
    ------
    PhotoError
        No such file, empty, truncated, not a picture, more than `MAX_MEGAPIXELS`, of a kind that is not read.
    MissingDependencyError
        HEIC or DICOM without their extra.
    """
    path = Path(path)
    data = read_bytes(path)
    decoded = _decoder(data, path)(data, path)
    return Photo(
        pixels=np.ascontiguousarray(_upright(decoded.pixels, decoded.orientation)),
        sha256=hashlib.sha256(data).hexdigest(),
        taken_at=decoded.taken_at,
        camera=decoded.camera,
        path=path,
    )


def read_mask(path: str | Path, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Read a tracing: a picture of two values, as large as its (upright) photo, bright where the ulcer is.

    Parameters
    ----------
    path : str or Path
    shape : (int, int)
        Rows and columns of the photo it belongs to.

    Returns
    -------
    bool (M, N)
        True above half of the brightest value; grey edges of an antialiased tracing are allowed.

    Raises
    ------
    PhotoError
        Unreadable, another shape than the photo's, or a picture of many values (several labels, a photo).
    """
    path = Path(path)
    data = read_bytes(path)
    stored = _decoder(data, path)(data, path)
    grey = _upright(stored.pixels, stored.orientation).max(axis=2)
    if grey.shape != tuple(shape):
        raise PhotoError(
            f"{path}: expected a tracing as large as its photo, {shape[1]} × {shape[0]} px, got "
            f"{grey.shape[1]} × {grey.shape[0]} px; draw it on the photo itself and save it without resizing."
        )
    _two_values(grey, path)
    return grey > grey.max() / 2 if grey.any() else np.zeros(grey.shape, dtype=bool)


def _two_values(grey: Pixels, path: Path) -> None:
    """Refuse a mask with areas, and not only edges, that are neither dark nor bright."""
    top = int(grey.max())
    between = ((grey > 0.25 * top) & (grey < 0.75 * top)).astype(np.uint8)
    areas = cv2.erode(between, np.ones((3, 3), np.uint8)).sum()
    if top > 1 and (areas > 0.01 * np.count_nonzero(grey) or (top < 128 and len(np.unique(grey)) > 2)):
        raise PhotoError(
            f"{path}: expected a tracing of two values (0 outside, 255 inside), got a picture of "
            f"{len(np.unique(grey))} values; save one black-and-white picture for each ulcer."
        )


def _decoder(data: bytes, path: Path) -> Callable[[bytes, Path], Decoded]:
    """Choose by the first bytes, never by the name."""
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS:
        return decode_heic
    if data[128:132] == b"DICM":
        return decode_dicom
    return decode_picture


_TURNS: dict[int, Callable[[Pixels], Pixels]] = {
    2: lambda pixels: cv2.flip(pixels, 1),
    3: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_180),
    4: lambda pixels: cv2.flip(pixels, 0),
    5: cv2.transpose,
    6: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE),
    7: lambda pixels: cv2.rotate(cv2.transpose(pixels), cv2.ROTATE_180),
    8: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_COUNTERCLOCKWISE),
}


def _upright(pixels: Pixels, orientation: int) -> Pixels:
    """Undo EXIF orientation 1-8 (EXIF 2.32, tag 0x0112)."""
    return _TURNS[orientation](pixels) if orientation in _TURNS else pixels
