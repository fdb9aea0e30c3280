"""What a file says about itself: which way is up, when it was taken, by which camera."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, SupportsInt, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ulcermeter.datatypes import CameraInfo, Framing, Pixels
from ulcermeter.photo.gravity import gravity_of

_Side = SupportsInt | str | None
_Stored = TypeVar("_Stored", bound=np.generic)

_TAG_ORIENTATION, _TAG_MAKE, _TAG_MODEL = 0x0112, 0x010F, 0x0110
"""EXIF 2.32, by number."""
_TAG_WIDTH, _TAG_HEIGHT, _TAG_ZOOM = 0xA002, 0xA003, 0xA404
"""EXIF 2.32: PixelXDimension, PixelYDimension, DigitalZoomRatio."""
_SENSORS = (1.0, 4 / 3, 3 / 2)
"""Longer over shorter side as cameras write pictures; from 16:10 on they are wide ones of any kind."""
_WIDE = 1.6
"""Longer over shorter side from which a picture is a wide one: 16:10."""
_SAME = 0.01
"""Relative difference of proportions that roundings and odd sensors make (assumption): 2592 × 1936 is 0.4 % off 4:3."""
_STEP_PX = 4
"""Cameras and programs that shrink whole photos write sides of multiples of four (4624 × 3468, 5712 × 4284, 640 × 480)
(assumption); a cut by hand does so once in 4 to 16 times."""
_LARGEST_ZOOM = 30.0
"""That is believed; beyond it the tag is taken for damaged (assumption)."""
_FOCAL_MM = (5.0, 2000.0)
"""Of lenses, in their 35 mm equivalent: none on a camera is shorter or longer (assumption)."""
_TAG_EXIF, _TAG_TAKEN, _TAG_DIGITISED, _TAG_FOCAL_35MM = 0x8769, 0x9003, 0x9004, 0xA405
"""EXIF 2.32: the inner directory, DateTimeOriginal, DateTimeDigitized, FocalLengthIn35mmFilm."""


@dataclass(frozen=True)
class Decoded:
    """Pixels as stored, uint8 (M, N, 3) RGB, and what the file says about itself."""

    pixels: Pixels
    orientation: int = 1
    taken_at: datetime | None = None
    camera: CameraInfo = CameraInfo()


def read_exif(image: Image.Image) -> tuple[int, datetime | None, CameraInfo]:
    """Orientation, time and camera; damaged EXIF counts as absent.

    Parameters
    ----------
    image : PIL.Image.Image
        Opened; a PNG loaded.

    Returns
    -------
    (int, datetime or None, CameraInfo)
        Orientation 1..8, the camera's clock, what it says of itself.
    """
    try:
        exif = image.getexif()
        inner = exif.get_ifd(_TAG_EXIF)
    except Exception:  # noqa: BLE001 - Pillow raises whatever the damaged bytes lead it into
        return 1, None, CameraInfo()
    tag = exif.get(_TAG_ORIENTATION, 1)
    orientation = tag if isinstance(tag, int) and 1 <= tag <= 8 else 1
    focal_mm, written = _focal(inner.get(_TAG_FOCAL_35MM)), (inner.get(_TAG_WIDTH), inner.get(_TAG_HEIGHT))
    # A file that says nothing of its camera has no focal length that could be another frame's.
    is_described = focal_mm is not None or None not in written
    framing, frame_px = framing_of(image.size, written) if is_described else (Framing.WHOLE, None)
    camera = CameraInfo(
        make=as_text(exif.get(_TAG_MAKE)),
        model=as_text(exif.get(_TAG_MODEL)),
        focal_35mm_mm=focal_mm,
        down=gravity_of(inner, orientation=orientation, size=image.size),
        framing=framing,
        frame_px=frame_px,
        digital_zoom=_zoom(inner.get(_TAG_ZOOM)),
    )
    taken_at = _time(inner.get(_TAG_TAKEN)) or _time(inner.get(_TAG_DIGITISED))
    return orientation, taken_at, camera


def as_text(value: object) -> str | None:
    """Return a tag as text without padding, None when there is nothing in it.

    Parameters
    ----------
    value : object
        A cell's value.

    Returns
    -------
    str or None
    """
    text = str(value).replace("\0", "").strip() if value is not None else ""
    return text or None


def framing_of(size: tuple[int, int], written: tuple[_Side, _Side]) -> tuple[Framing, tuple[int, int] | None]:
    """Compare a picture with the frame that its camera wrote.

    Parameters
    ----------
    size : (int, int)
        Columns and rows as stored.
    written : (int, int), as the file has it
        EXIF PixelXDimension and PixelYDimension, None where they are missing.

    Returns
    -------
    (Framing, (int, int) or None)
        The frame, longer side first, where the picture is a part of it or a smaller copy; the two cannot be told apart
        where the proportions agree.
    """
    longer, shorter = max(size), min(size)
    try:
        columns, rows = (int(side) for side in written if side is not None)
        frame = max(columns, rows), min(columns, rows)
    except (TypeError, ValueError, OverflowError):
        return Framing.UNKNOWN, None
    if frame == (longer, shorter):
        return (Framing.WHOLE if _is_a_cameras(longer, shorter) else Framing.UNKNOWN), None
    if frame[0] >= longer and frame[1] >= shorter:
        return Framing.CROPPED, frame
    return Framing.UNKNOWN, None


def _is_a_cameras(longer: int, shorter: int) -> bool:
    if longer % _STEP_PX or shorter % _STEP_PX:
        return False
    aspect = longer / shorter
    return aspect >= _WIDE * (1 - _SAME) or any(abs(aspect / sensor - 1) < _SAME for sensor in _SENSORS)


def _zoom(value: Any) -> float:
    """Return a believable digital zoom; 0 stands for not used in EXIF 2.32."""
    try:
        zoom = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return 1.0
    return zoom if 1 <= zoom <= _LARGEST_ZOOM else 1.0


def _focal(value: Any) -> float | None:
    """Return a believable 35 mm focal length; 0 stands for unknown in EXIF 2.32."""
    try:
        focal_mm = float(value)
    except (TypeError, ValueError):
        return None
    return focal_mm if _FOCAL_MM[0] <= focal_mm <= _FOCAL_MM[1] else None


def _time(value: object) -> datetime | None:
    try:
        return datetime.strptime(str(value).strip("\0 "), "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None


# By EXIF 2.32, Orientation 2 to 8: what turns the picture upright.
_TURNS: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
    2: lambda pixels: cv2.flip(pixels, 1),
    3: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_180),
    4: lambda pixels: cv2.flip(pixels, 0),
    5: cv2.transpose,
    6: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE),
    7: lambda pixels: cv2.rotate(cv2.transpose(pixels), cv2.ROTATE_180),
    8: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_COUNTERCLOCKWISE),
}


def turn_upright(pixels: NDArray[_Stored], orientation: int) -> NDArray[_Stored]:
    """Undo EXIF orientation 1-8 (EXIF 2.32, tag 0x0112) of rows and columns, with or without channels.

    Parameters
    ----------
    pixels : (M, N) or (M, N, 3)
        As stored.
    orientation : int
        1..8.

    Returns
    -------
    array
        Upright; rows and columns change places for 5..8.
    """
    return _TURNS[orientation](pixels) if orientation in _TURNS else pixels
