"""HEIC, with an extra package."""

from __future__ import annotations

import io
from pathlib import Path

from ulcermeter.photo.exif import Decoded, read_exif
from ulcermeter.photo.limits import check_size, damaged, missing_extra
from ulcermeter.photo.pictures import flatten

__all__ = ["decode_heic"]


def decode_heic(data: bytes, path: Path) -> Decoded:
    """Decode HEIC with the extra ``heic``.

    Parameters
    ----------
    data : bytes
        The whole file.
    path : Path
        For what is said of it.

    Returns
    -------
    Decoded
        Upright.

    Raises
    ------
    PhotoError
        No picture in it, or one of a size that is not read.
    MissingDependencyError
        The extra is not installed.
    """
    try:
        import pi_heif
    except ImportError as error:
        raise missing_extra(path, "HEIC", "heic") from error
    stored = pi_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True)
    if not len(stored):
        raise damaged(path, "it holds no picture")
    check_size(stored.size, path)
    image = stored.to_pillow()
    # libheif has turned the picture already; the EXIF tag that stayed behind must not turn it again.
    _, taken_at, camera = read_exif(image)
    return Decoded(flatten(image, path), 1, taken_at, camera)
