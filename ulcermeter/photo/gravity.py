"""Which way is down, as the phone felt it: the accelerometer's reading that iPhones write beside a photo.

Apple's maker note is a TIFF directory behind a header of 14 bytes; its tag 8 is the acceleration in g (as ExifTool
documents it, which reads the axes "as viewed from the front of the phone: x toward the left side, y toward the bottom,
z into the face"). At rest it points up.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping

from PIL.TiffImagePlugin import ImageFileDirectory_v2

__all__ = ["gravity_of"]

_HEADER, _HEADER_BYTES = b"Apple iOS\0", 14
"""Of Apple's maker note."""
_TAG_ACCELERATION = 8
"""In Apple's maker note (ExifTool)."""
_TAG_MAKER_NOTE, _TAG_WIDTH, _TAG_HEIGHT = 0x927C, 0xA002, 0xA003
"""EXIF 2.32: MakerNote, PixelXDimension, PixelYDimension."""
_AT_REST_G = (0.9, 1.1)
"""Beyond, the phone was being moved and its reading is not gravity (assumption)."""
_UP = {
    1: lambda x, y: (y, x),
    3: lambda x, y: (-y, -x),
    6: lambda x, y: (-x, y),
    8: lambda x, y: (x, -y),
}
"""By EXIF orientation: the phone's axes as the upright photo's right and down. A mirrored photo is no camera's own."""


def gravity_of(
    inner: Mapping[int, object], *, orientation: int, size: tuple[int, int]
) -> tuple[float, float, float] | None:
    """Return the unit vector of gravity in the upright photo's axes: right, down, away from the camera.

    Parameters
    ----------
    inner : mapping of int to object
        The EXIF directory's tags.
    orientation : int
        EXIF orientation.
    size : (int, int)
        Columns and rows as stored. They must be those that the camera wrote, and wider than high as the sensor is:
        else the picture was turned or cut since, and the reading no longer belongs to its axes.

    Returns
    -------
    (float, float, float) or None
        None where the file does not tell, or cannot be trusted to.
    """
    written = inner.get(_TAG_WIDTH), inner.get(_TAG_HEIGHT)
    note = inner.get(_TAG_MAKER_NOTE)
    if not isinstance(note, bytes) or orientation not in _UP or written != size or size[0] < size[1]:
        return None
    acceleration = _acceleration(note)
    if acceleration is None:
        return None
    x, y, z = acceleration
    length = math.hypot(x, y, z)
    if not _AT_REST_G[0] <= length <= _AT_REST_G[1]:
        return None
    right, down = _UP[orientation](x, y)
    return -right / length, -down / length, -z / length


def _acceleration(note: bytes) -> tuple[float, float, float] | None:
    if not note.startswith(_HEADER):
        return None
    order = note[_HEADER_BYTES - 2 : _HEADER_BYTES]
    directory = ImageFileDirectory_v2(order + (b"\0\x2a" if order == b"MM" else b"\x2a\0") + bytes(4))
    stream = io.BytesIO(note)
    stream.seek(_HEADER_BYTES)
    try:
        directory.load(stream)
        x, y, z = (float(value) for value in directory[_TAG_ACCELERATION])
    except Exception:  # noqa: BLE001 - Pillow raises whatever the damaged bytes lead it into
        return None
    return (x, y, z) if math.isfinite(x + y + z) else None
