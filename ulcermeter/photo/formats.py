"""Which decoder a file needs, and what becomes of whatever a decoder trips over."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

from ulcermeter.errors import UlcermeterError
from ulcermeter.photo.dicom import decode_dicom
from ulcermeter.photo.exif import Decoded
from ulcermeter.photo.heic import decode_heic
from ulcermeter.photo.limits import damaged
from ulcermeter.photo.pictures import decode_picture
from ulcermeter.photo.process_errors import too_little_memory, wants_memory
from ulcermeter.photo.raw import refuse_raw

__all__ = ["decode"]

_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def decode(data: bytes, path: Path) -> Decoded:
    """Decode a photo or a tracing once; whatever its decoder raises makes it a damaged file.

    Parameters
    ----------
    data : bytes
        The whole file.
    path : Path
        For what is said of it.

    Returns
    -------
    Decoded
        Pixels as stored, not turned.

    Raises
    ------
    PhotoError
        Damaged, or of a kind that is not read.
    MissingDependencyError
        HEIC or DICOM without their extra.
    """
    try:
        with warnings.catch_warnings():
            # Decoders warn of large pictures and odd metadata; what matters of it is judged by our own limits.
            warnings.simplefilter("ignore")
            refuse_raw(data, path)
            return _decoder(data)(data, path)
    except UlcermeterError:
        raise
    except Exception as error:  # noqa: BLE001 - decoders raise whatever the damaged bytes lead them into
        if wants_memory(error):
            raise too_little_memory(str(path)) from error
        raise damaged(path, error) from error


def _decoder(data: bytes) -> Callable[[bytes, Path], Decoded]:
    """Choose by the first bytes, never by the name."""
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS:
        return decode_heic
    if data[128:132] == b"DICM":
        return decode_dicom
    return decode_picture
