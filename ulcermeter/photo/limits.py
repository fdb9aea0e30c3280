"""What every picture must satisfy before its pixels are decoded, and the sentences that say so."""

from __future__ import annotations

from pathlib import Path

from ulcermeter.errors import PhotoError
from ulcermeter.files import check_regular, read_file

MAX_MEGAPIXELS = 100
"""Largest photo that is decoded, million pixels: phones reach 50; more is a scan or an attack on memory."""
MAX_FILE_MB = 300
"""Largest file that is read, million bytes: an uncompressed photo of `MAX_MEGAPIXELS` in 8 bits."""
MIN_SIDE_PX = 16
"""Shortest side of a photo, px: below it nothing can be measured."""

KINDS = "JPEG, PNG, TIFF, HEIC or DICOM"


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file, or say why they cannot be had."""
    try:
        size = check_regular(path)
        if size > MAX_FILE_MB * 1e6:
            raise PhotoError(
                f"{path}: expected at most {MAX_FILE_MB} MB, got {size / 1e6:.0f} MB; export the photo as JPEG."
            )
        data = read_file(path, most_mb=MAX_FILE_MB)
    except OSError as error:
        raise PhotoError(
            f"{path}: expected a readable file, got: {error.strerror or error}; check the path."
        ) from error
    if not data:
        raise PhotoError(f"{path}: expected a photo, got a file of 0 bytes; copy it from the camera again.")
    return data


def check_size(size: tuple[int, int], path: Path) -> None:
    """Refuse a picture (width, height) that is too large to decode or too small to measure."""
    width, height = size
    if width * height > MAX_MEGAPIXELS * 1e6:
        raise too_large(path, f"{width} × {height} = {width * height / 1e6:.0f}")
    if min(size) < MIN_SIDE_PX:
        raise PhotoError(
            f"{path}: expected a photo of at least {MIN_SIDE_PX} px on each side, got {width} × {height} px; "
            "use the original photo and not its thumbnail."
        )


def too_large(path: Path, got: str) -> PhotoError:
    """Return the error of a picture with too many pixels."""
    return PhotoError(
        f"{path}: expected at most {MAX_MEGAPIXELS} megapixels, got {got}; "
        "set the camera to its ordinary resolution (12 megapixels are plenty)."
    )


def damaged(path: Path, error: object) -> PhotoError:
    """Return the error of a file whose picture is not whole."""
    return PhotoError(
        f"{path}: expected a whole picture ({KINDS}), got a damaged or truncated one ({error}); copy it from the "
        "camera again."
    )
