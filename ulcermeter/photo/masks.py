"""A reader's tracing as a picture: which of its values are the ulcer, and which way up it is."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from ulcermeter.errors import PhotoError, Problem
from ulcermeter.photo.exif import Decoded, turn_upright
from ulcermeter.photo.formats import decode
from ulcermeter.photo.limits import read_bytes

__all__ = ["read_mask", "read_shares"]

_Levels = NDArray[np.unsignedinteger]

# Grey levels that an antialiased or JPEG edge passes through; an area of them, not an edge, is a second drawing.
_DARK, _BRIGHT = 0.25, 0.75
# A picture of no more levels than this was neither softened nor compressed: each of its levels means something.
_FEW_LEVELS = 8
# Share of the drawing that a stray area may have.
_STRAY = 0.01
# An area under so many pixels, and under this share of the largest, is no drawing (assumption): a fifth of a millimetre
# where the photo has the least resolution that is measured.
_SPECK_PX, _SPECK_SHARE = 4, 0.05


def read_mask(path: str | Path, shape: tuple[int, int], *, orientation: int = 1) -> NDArray[np.bool_]:
    """Read the pixels of a tracing that are more than half ulcer, bool (M, N); as `read_shares`.

    Parameters
    ----------
    path : str or Path
        A PNG, TIFF or JPEG file.
    shape : (int, int)
        Rows and columns of the upright photo it belongs to.
    orientation : int, optional
        EXIF orientation of the photo, 1..8.

    Returns
    -------
    bool (M, N)
        True inside.
    """
    return read_shares(path, shape, orientation=orientation) > 0.5


def read_shares(path: str | Path, shape: tuple[int, int], *, orientation: int = 1) -> NDArray[np.float32]:
    """Read a tracing: a picture of two values, as large as its (upright) photo, bright where the ulcer is.

    A white pixel belongs to the ulcer as a whole, up to half a pixel beyond its centre, a grey one of an antialiased
    edge in part. Where the picture has a transparent layer, what is opaque is the drawing, whatever its colour.

    Parameters
    ----------
    path : str or Path
        A PNG, TIFF or JPEG file.
    shape : (int, int)
        Rows and columns of the upright photo it belongs to.
    orientation : int
        EXIF orientation of the photo, as stored: a mask of the stored, unturned grid is turned by it where its size
        tells.

    Returns
    -------
    float32 (M, N), in 0..1
        Share of each pixel that is ulcer, of the brightest value.

    Raises
    ------
    PhotoError
        Unreadable, another shape than the photo's, or a picture of many values (several labels, a photo).
    """
    path = Path(path)
    data = read_bytes(path)
    if data[4:8] == b"ftyp" or data[128:132] == b"DICM":
        raise PhotoError(
            Problem(
                where=str(path), expected="a tracing as PNG, TIFF or JPEG", got="HEIC or DICOM", action="save it as PNG"
            )
        )
    decoded = decode(data, path)
    levels = turn_upright(_drawn_levels(data, decoded, path), decoded.orientation)
    levels = _like_photo(levels, path, shape=shape, own=decoded.orientation, orientation=orientation)
    top = int(levels.max(initial=0))
    if top == 0:
        _check_black(data, path)
        return np.zeros(levels.shape, dtype=np.float32)
    _check_two_values(levels, top, path)
    _check_specks(levels > top / 2, path)
    return np.asarray(levels.astype(np.float32) / np.float32(top))


def _drawn_levels(data: bytes, decoded: Decoded, path: Path) -> _Levels:
    """Return the levels (M, N) that tell the drawing: alpha where it varies, else the brightest channel as stored.

    Depth is kept: scaled to 8 bits, the 1 of a 16-bit mask of zeros and ones would be 0.
    """
    bright: _Levels = decoded.pixels.max(axis=2)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "TIFF")) as image:
                if image.mode.startswith("I"):
                    return np.asarray(image).astype(np.uint16)
                if image.mode not in ("RGBA", "LA", "PA") and "transparency" not in image.info:
                    return bright
                layer = image if image.mode == "RGBA" else image.convert("RGBA")
                # A channel at a time: at 100 megapixels the four as one array take gigabytes with their copies.
                red, green, blue, alpha = (np.asarray(layer.getchannel(name)) for name in "RGBA")
    except UnidentifiedImageError:  # a depth that only OpenCV reads
        return bright
    brightest: _Levels = np.maximum(np.maximum(red, green), blue)
    if alpha.min() < alpha.max():
        _check_one_colour(brightest[alpha > 127], path)
        return alpha
    if alpha.max() == 0:
        raise PhotoError(
            Problem(
                where=str(path),
                expected="a tracing",
                got="a layer that is transparent all over",
                action="draw the ulcer on it, or save a black picture where there is none",
            )
        )
    return brightest


def _check_one_colour(opaque: NDArray[np.uint8], path: Path) -> None:
    """Refuse black and white on a transparent layer: what is opaque and what is white are two drawings then."""
    dark, bright = np.count_nonzero(opaque < _DARK * 256), np.count_nonzero(opaque >= _BRIGHT * 256)
    if min(dark, bright) > _STRAY * opaque.size and dark + bright > (1 - _STRAY) * opaque.size:
        raise PhotoError(
            Problem(
                where=str(path),
                expected="a tracing in one colour on its transparent layer",
                got="dark and bright areas, either of which may be the ulcer",
                action="save white on black without transparency",
            )
        )


def _like_photo(levels: _Levels, path: Path, *, shape: tuple[int, int], own: int, orientation: int) -> _Levels:
    """Return the levels on the upright photo's grid, turned by the photo's orientation where the size says so."""
    if levels.shape == tuple(shape):
        return levels
    if orientation >= 5 and own < 5 and levels.shape == tuple(shape[::-1]):
        return turn_upright(levels, orientation)
    got, action = (
        f"{levels.shape[1]} × {levels.shape[0]} px",
        "draw it on the photo itself and save it without resizing",
    )
    if levels.shape == tuple(shape[::-1]) and own >= 5:
        got, action = f"{got} after turning it by its own EXIF orientation, {own}", "save it upright as PNG"
    elif levels.shape == tuple(shape[::-1]):
        got += f": it lies on its side, and the photo's EXIF orientation, {orientation}, does not tell which way"
        action = "turn it as the photo is and save it again"
    expected = f"a tracing as large as its upright photo, {shape[1]} × {shape[0]} px"
    raise PhotoError(Problem(where=str(path), expected=expected, got=got, action=action))


def _check_black(data: bytes, path: Path) -> None:
    """Refuse a picture that is black only as shown: it would pass for *no ulcer*."""
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "TIFF")) as image:
            varies = image.mode == "P" and np.ptp(np.asarray(image)) > 0
    except UnidentifiedImageError:  # a depth that only OpenCV reads
        varies = False
    if not varies:
        stored = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        varies = stored is not None and bool(np.any(stored[..., :3] if stored.ndim == 3 else stored))
    if varies:
        raise PhotoError(
            Problem(
                where=str(path),
                expected="a tracing of black and white",
                got="two values that are both shown as black",
                action="save it as an 8-bit picture of 0 outside and 255 inside",
            )
        )


def _check_specks(inside: NDArray[np.bool_], path: Path) -> None:
    """Refuse specks beside a drawing: a slip of the hand or a damaged file would pass for further ulcers."""
    count, _, boxes, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8), connectivity=8)
    areas = boxes[1:, cv2.CC_STAT_AREA]
    specks = np.flatnonzero(areas < min(_SPECK_PX, areas.max(initial=0) * _SPECK_SHARE))
    if not len(specks):
        return
    x, y = (int(boxes[1 + specks[0], place]) for place in (cv2.CC_STAT_LEFT, cv2.CC_STAT_TOP))
    raise PhotoError(
        Problem(
            where=str(path),
            expected="a tracing of one area for each ulcer",
            got=f"{count - 1} areas, of which {len(specks)} are specks of a few pixels, one at ({x}, {y})",
            action="remove the specks and save it again",
        )
    )


def _check_two_values(levels: _Levels, top: int, path: Path) -> None:
    """Refuse a mask with areas, and not only edges, that are neither dark nor bright."""
    held = np.flatnonzero(cv2.calcHist([levels], [0], None, [top + 1], [0, top + 1]))
    middling = (levels > _DARK * top) & (levels < _BRIGHT * top)
    if len(held) <= _FEW_LEVELS:
        middling |= (levels > held[0]) & (levels < top)
    areas = cv2.erode(middling.astype(np.uint8), np.ones((3, 3), np.uint8)).sum()
    dim = 1 < top < 128 and len(held) > 2
    if dim or areas > _STRAY * np.count_nonzero(levels > top / 2):
        raise PhotoError(
            Problem(
                where=str(path),
                expected="a tracing of two values (0 outside, 255 inside)",
                got=f"a picture of {len(held)} values",
                action="save one black-and-white picture for each ulcer",
            )
        )
