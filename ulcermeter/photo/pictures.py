"""JPEG, PNG and TIFF: Pillow for what the file says, OpenCV for the fast decoding of JPEG."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, UnidentifiedImageError

from ulcermeter.datatypes import Pixels
from ulcermeter.errors import PhotoError, Problem
from ulcermeter.photo.exif import Decoded, read_exif
from ulcermeter.photo.jpeg import COMPLAINTS, check_complaints, check_whole_jpeg
from ulcermeter.photo.limits import BAND_ROWS, KINDS, check_size, damaged, too_large
from ulcermeter.photo.png import SIGNATURE, check_whole_png
from ulcermeter.photo.stderr_messages import messages_on_stderr
from ulcermeter.photo.tiff import BYTE_ORDERS, check_deep_tiff, check_packed_tiff, directories

_OPENCV_ERROR = "[ERROR:"
"""How OpenCV begins a line of its log."""


def decode_picture(data: bytes, path: Path) -> Decoded:
    """Decode JPEG, PNG or TIFF. What Pillow and OpenCV raise on damaged bytes is left to the caller.

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
        Damaged, too large, several pictures, or none of these kinds.
    """
    if data.startswith(SIGNATURE):
        check_whole_png(data, path)
    if data[:4] in BYTE_ORDERS:
        check_deep_tiff(data, path)
        check_packed_tiff(data, path)
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "TIFF")) as image:
            check_size(image.size, path)
            _check_single(image, path)
            return _decode_opened(image, data, path)
    except Image.DecompressionBombError as error:
        raise too_large(
            path, f"more than {2 * Image.MAX_IMAGE_PIXELS / 1e6:.0f}" if Image.MAX_IMAGE_PIXELS else ""
        ) from error
    except UnidentifiedImageError as error:
        return _decode_unidentified(data, path, error)


def _decode_opened(image: Image.Image, data: bytes, path: Path) -> Decoded:
    if image.format == "PNG":
        # Its EXIF may stand behind the picture, so Pillow loads a PNG to read it, and hides there that it is damaged.
        image.load()
    orientation, taken_at, camera = read_exif(image)
    if image.format in ("JPEG", "MPO"):
        pixels = _decode_jpeg(image, data, path)
    elif image.format == "TIFF" and image.mode == "RGB" and _bits(image) > 8:
        with _watching_libtiff(path):
            pixels = _decode_with_opencv(data, None, path)
        orientation = 1  # OpenCV turns every TIFF upright by its tag, also when told to ignore it
    else:
        pixels = flatten(image, path)
        # Pillow turns some TIFFs while it loads them, and says so by dropping the tag.
        orientation = read_exif(image)[0]
    return Decoded(pixels, orientation, taken_at, camera)


def _decode_jpeg(image: Image.Image, data: bytes, path: Path) -> Pixels:
    harmless = check_whole_jpeg(data, path)
    with messages_on_stderr(*COMPLAINTS) as complaints:
        pixels = _decode_with_opencv(data, image.size, path)
    check_complaints(complaints, harmless, path)
    if image.mode not in ("RGB", "L"):
        return flatten(image, path)
    return to_srgb(pixels, image.info.get("icc_profile")) if image.mode == "RGB" else pixels


def _decode_unidentified(data: bytes, path: Path, error: Exception) -> Decoded:
    """TIFFs with 16 bits a channel are unknown to Pillow but not to OpenCV."""
    first = next(directories(data), None) if data[:4] in BYTE_ORDERS else None
    if first is not None and first.pixels:
        check_size(first.size, path)
        # Asked for RGB at this depth, OpenCV 5.0 returns memory that nothing was written to.
        with _watching_libtiff(path):
            array = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_BGR | cv2.IMREAD_ANYDEPTH)
        if array is not None and array.dtype == np.uint16:
            return Decoded(_to_8_bit(array[:, :, ::-1]))
    raise PhotoError(
        Problem(
            where=str(path),
            expected=f"a picture ({KINDS})",
            got="a file that is none of these",
            action="export the photo as JPEG, or check that the name points to a photo",
        )
    ) from error


@contextmanager
def _watching_libtiff(path: Path) -> Iterator[None]:
    """Refuse a TIFF in which libtiff lost its way while OpenCV decodes it: OpenCV writes so, and returns a picture."""
    with messages_on_stderr(_OPENCV_ERROR) as messages:
        yield
    if messages:
        raise damaged(path, messages[0].rpartition("TIFF_Error ")[2])


def _check_single(image: Image.Image, path: Path) -> None:
    # A phone's MPO holds previews behind the photo itself; a TIFF or PNG of several pictures is ambiguous.
    pages = getattr(image, "n_frames", 1)
    if image.format not in ("JPEG", "MPO") and pages > 1:
        raise PhotoError(
            Problem(
                where=str(path),
                expected="one picture in the file",
                got=str(pages),
                action="save each as a file of its own",
            )
        )


def _decode_with_opencv(data: bytes, size: tuple[int, int] | None, path: Path) -> Pixels:
    """Decode to RGB; `size` (columns, rows) is what Pillow read, where the two must agree."""
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    pixels: Pixels | None = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if pixels is None or (size and pixels.shape[1::-1] != size):
        raise damaged(path, "it could not be decoded")
    return pixels


def _bits(image: Image.Image) -> int:
    tags: Any = getattr(image, "tag_v2", {})
    bits = tags.get(258, 8)
    return int(max(bits) if isinstance(bits, tuple) else bits)


def flatten(image: Image.Image, path: Path) -> Pixels:
    """Bring any Pillow mode to RGB over white, a band of rows at a time where numbers grow wider.

    Parameters
    ----------
    image : PIL.Image.Image
        Of any mode.
    path : Path
        For what is said of it.

    Returns
    -------
    uint8 (M, N, 3)
        RGB in sRGB.

    Raises
    ------
    PhotoError
        Floating point, or 32 bits a channel.
    """
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I;16") or image.mode == "I":
        return _from_16_bit(np.asarray(image), path)
    if image.mode == "F":
        raise PhotoError(
            Problem(
                where=str(path),
                expected="8 or 16 bits a channel",
                got="floating point",
                action="export the photo as JPEG",
            )
        )
    if image.mode == "CMYK":
        return _from_cmyk(image, profile)
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image.load()
        return to_srgb(_by_bands(image, lambda band: _over_white(np.asarray(band.convert("RGBA")))), profile)
    pixels = np.asarray(image.convert("RGB"))
    return to_srgb(pixels, profile) if image.mode == "RGB" else pixels


def _by_bands(image: Image.Image, convert: Callable[[Image.Image], Pixels]) -> Pixels:
    """Return uint8 (M, N, 3) RGB, converted a band of rows at a time."""
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    for top in range(0, image.height, BAND_ROWS):
        bottom = min(top + BAND_ROWS, image.height)
        pixels[top:bottom] = convert(image.crop((0, top, image.width, bottom)))
    return pixels


def _from_16_bit(array: NDArray[np.integer], path: Path) -> Pixels:
    if array.max(initial=0) > 65535 or array.min(initial=0) < 0:
        raise PhotoError(
            Problem(where=str(path), expected="8 or 16 bits a channel", got="32", action="export the photo as JPEG")
        )
    rgb: Pixels = cv2.cvtColor(_to_8_bit(array), cv2.COLOR_GRAY2RGB)
    return rgb


def _to_8_bit(array: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Scale 16 bits to 8, a band of rows at a time."""
    scaled = np.empty(array.shape, np.uint8)
    for top in range(0, len(array), BAND_ROWS):
        scaled[top : top + BAND_ROWS] = array[top : top + BAND_ROWS] // 257
    return scaled


def _over_white(rgba: NDArray[np.uint8]) -> Pixels:
    alpha = rgba[:, :, 3:].astype(np.uint16)
    return ((rgba[:, :, :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def _from_cmyk(image: Image.Image, profile: bytes | None) -> Pixels:
    image.load()
    turn = _transform(profile, image.mode)
    if turn is not None:
        return _by_bands(image, lambda band: np.asarray(ImageCms.applyTransform(band, turn)))
    return np.asarray(image.convert("RGB"))


def to_srgb(pixels: Pixels, profile: bytes | None) -> Pixels:
    """Convert from the embedded profile; a missing, broken or sRGB one leaves the pixels as they are.

    Parameters
    ----------
    pixels : uint8 (M, N, 3)
        RGB in the colours of the profile.
    profile : bytes or None
        ICC, as embedded.

    Returns
    -------
    uint8 (M, N, 3)
    """
    turn = _transform(profile, "RGB")
    if turn is None:
        return pixels
    converted = np.empty_like(pixels)
    for top in range(0, len(pixels), BAND_ROWS):
        band = Image.fromarray(pixels[top : top + BAND_ROWS])
        converted[top : top + BAND_ROWS] = np.asarray(ImageCms.applyTransform(band, turn))
    return converted


def _transform(profile: bytes | None, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return how to get from a profile to sRGB; None where there is nothing to do or the profile is broken.

    A broken profile is no reason to lose the photo.
    """
    if not profile:
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in (ImageCms.getProfileDescription(source) or "").lower():
            return None
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
