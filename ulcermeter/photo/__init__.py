"""The only door for pictures: photos and tracings come in here, upright, sRGB and checked.

JPEG, PNG and TIFF are read with what the package brings; HEIC needs the extra ``heic``, DICOM the extra ``dicom``.
Whatever cannot be used is refused with one sentence before it costs memory: the size is read before the pixels.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from ulcermeter.datatypes import Photo
from ulcermeter.errors import MissingDependencyError, Problem

try:
    import cv2  # noqa: F401 - asked for first, so that what is missing is said in a sentence
except ImportError as error:
    raise MissingDependencyError(
        Problem(
            expected="opencv-python with its system library",
            got=f"OpenCV that cannot be loaded ({error})",
            action="install the package libgl1 on a server without a screen, or replace opencv-python by "
            "opencv-python-headless",
        )
    ) from error

from ulcermeter.photo.exif import turn_upright
from ulcermeter.photo.formats import decode
from ulcermeter.photo.limits import MAX_FILE_MB, MAX_MEGAPIXELS, MIN_SIDE_PX, read_bytes
from ulcermeter.photo.masks import read_mask, read_shares

__all__ = ["MAX_FILE_MB", "MAX_MEGAPIXELS", "MIN_SIDE_PX", "read_mask", "read_photo", "read_shares"]


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
    decoded = decode(data, path)
    return Photo(
        pixels=np.ascontiguousarray(turn_upright(decoded.pixels, decoded.orientation)),
        sha256=hashlib.sha256(data).hexdigest(),
        taken_at=decoded.taken_at,
        camera=decoded.camera,
        path=path,
        orientation=decoded.orientation,
    )
