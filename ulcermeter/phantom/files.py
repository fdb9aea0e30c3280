"""Phantoms as JPEG files with EXIF, the same bytes every time."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.errors import Problem, UlcermeterError
from ulcermeter.phantom.drawing import Phantom
from ulcermeter.phantom.specs import PhantomSpec

# Types of TIFF values (TIFF 6.0, section 2).
ASCII, SHORT, LONG, RATIONAL = 2, 3, 4, 5

# The turn that takes the upright photo to the stored rows for each EXIF orientation.
STORED_AS = {1: None, 3: cv2.ROTATE_180, 6: cv2.ROTATE_90_COUNTERCLOCKWISE, 8: cv2.ROTATE_90_CLOCKWISE}


def encode_phantom(phantom: Phantom) -> bytes:
    """Return the photo as JPEG with EXIF orientation, make, model, date and focal length.

    Parameters
    ----------
    phantom : Phantom
        A drawn photo.

    Returns
    -------
    bytes
        JPEG of the camera's `jpeg_quality`, stored turned as `exif_orientation` says.

    Raises
    ------
    UlcermeterError
        For an orientation other than 1, 3, 6 or 8.
    """
    spec = phantom.spec
    if spec.camera.exif_orientation not in STORED_AS:
        raise UlcermeterError(
            Problem(expected="an EXIF orientation of 1, 3, 6 or 8", got=str(spec.camera.exif_orientation))
        )
    turn = STORED_AS[spec.camera.exif_orientation]
    stored = phantom.pixels if turn is None else cv2.rotate(phantom.pixels, turn)
    done, jpeg = cv2.imencode(".jpg", _bgr(stored), [cv2.IMWRITE_JPEG_QUALITY, spec.camera.jpeg_quality])
    if not done:
        raise UlcermeterError(Problem(expected="a phantom as JPEG", got="an OpenCV that could not encode it"))
    payload = b"Exif\0\0" + _tiff(spec, width_px=stored.shape[1], height_px=stored.shape[0])
    return b"\xff\xd8\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload + jpeg.tobytes()[2:]


def write_phantom(phantom: Phantom, path: str | Path) -> Path:
    """Write the photo as a JPEG file and return its path; the same phantom gives the same bytes.

    Parameters
    ----------
    phantom : Phantom
        A drawn photo.
    path : str or Path
        The file to write.

    Returns
    -------
    Path
        The same path.

    Raises
    ------
    UlcermeterError
        For an orientation other than 1, 3, 6 or 8.
    """
    target = Path(path)
    target.write_bytes(encode_phantom(phantom))
    return target


def _bgr(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the picture in the channel order OpenCV writes."""
    return np.ascontiguousarray(pixels[..., ::-1])


def _tiff(spec: PhantomSpec, *, width_px: int, height_px: int) -> bytes:
    """Return the TIFF block of the EXIF segment: one main directory and one EXIF directory."""
    main = [(0x010F, ASCII, spec.make), (0x0110, ASCII, spec.model), (0x0112, SHORT, spec.camera.exif_orientation)]
    inner = [
        (0x920A, RATIONAL, (round(spec.camera.focal_35mm_mm * 1000 / 6.5), 1000)),
        (0xA002, LONG, width_px),
        (0xA003, LONG, height_px),
        (0xA405, SHORT, round(spec.camera.focal_35mm_mm)),
    ]
    if spec.taken_at is not None:
        stamp = spec.taken_at.strftime("%Y:%m:%d %H:%M:%S")
        main.append((0x0132, ASCII, stamp))
        inner.insert(0, (0x9003, ASCII, stamp))
    start = 8
    length = len(_directory([*main, (0x8769, LONG, 0)], start=start))
    head = _directory([*main, (0x8769, LONG, start + length)], start=start)
    return b"II*\0" + struct.pack("<I", start) + head + _directory(inner, start=start + length)


def _directory(entries: list[tuple[int, int, object]], *, start: int) -> bytes:
    """Return one TIFF directory at offset ``start``, its long values behind it."""
    rows, extra = b"", b""
    behind = start + 2 + 12 * len(entries) + 4
    for tag, kind, value in entries:
        data, count = _value(kind, value)
        if len(data) > 4:
            data, extra = struct.pack("<I", behind + len(extra)), extra + data + b"\0" * (len(data) % 2)
        rows += struct.pack("<HHI", tag, kind, count) + data.ljust(4, b"\0")
    return struct.pack("<H", len(entries)) + rows + b"\0\0\0\0" + extra


def _value(kind: int, value: object) -> tuple[bytes, int]:
    """Return a TIFF value's bytes and count."""
    if kind == ASCII:
        text = str(value).encode("ascii", "replace") + b"\0"
        return text, len(text)
    if kind == RATIONAL:
        return struct.pack("<II", *value), 1  # type: ignore[misc]
    return struct.pack("<H" if kind == SHORT else "<I", value), 1
