"""JPEG, PNG and TIFF: Pillow for what the file says, OpenCV for the fast decoding of JPEG."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from ulcermeter.errors import PhotoError
from ulcermeter.photo.exif import Decoded, Pixels, read_exif
from ulcermeter.photo.jpeg import check_whole_jpeg
from ulcermeter.photo.limits import KINDS, check_size, damaged, too_large


def decode_picture(data: bytes, path: Path) -> Decoded:
    """Decode JPEG, PNG or TIFF."""
    try:
        with warnings.catch_warnings():
            # Pillow warns of large pictures and odd metadata; sizes are judged below, by our own limit.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "TIFF")) as image:
                check_size(image.size, path)
                _check_single(image, path)
                return _decode_opened(image, data, path)
    except Image.DecompressionBombError as error:
        raise too_large(
            path, f"more than {2 * Image.MAX_IMAGE_PIXELS / 1e6:.0f}" if Image.MAX_IMAGE_PIXELS else ""
        ) from error
    except Image.UnidentifiedImageError as error:
        return _decode_unidentified(data, path, error)
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError) as error:
        raise damaged(path, error) from error


def _decode_opened(image: Image.Image, data: bytes, path: Path) -> Decoded:
    orientation, taken_at, camera = read_exif(image)
    jpeg = image.format in ("JPEG", "MPO")
    if jpeg and image.mode in ("RGB", "L"):
        check_whole_jpeg(data, path)
        pixels = _decode_with_opencv(data, path)
        pixels = _to_srgb(pixels, image.info.get("icc_profile")) if image.mode == "RGB" else pixels
    elif image.format == "TIFF" and image.mode == "RGB" and _bits(image) > 8:
        pixels = _decode_with_opencv(data, path)
        orientation = 1  # OpenCV turns every TIFF upright by its tag, also when told to ignore it
    else:
        pixels = flatten(image, path)
        # Pillow turns some TIFFs while it loads them, and says so by dropping the tag.
        orientation = read_exif(image)[0]
    return Decoded(pixels, orientation, taken_at, camera)


def _decode_unidentified(data: bytes, path: Path, error: Exception) -> Decoded:
    """TIFFs with 16 bits a channel are unknown to Pillow but not to OpenCV."""
    if data[:4] in (b"II*\0", b"MM\0*"):
        # Asked for RGB at this depth, OpenCV 5.0 returns memory that nothing was written to.
        array = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_BGR | cv2.IMREAD_ANYDEPTH)
        if array is not None and array.dtype == np.uint16:
            check_size((array.shape[1], array.shape[0]), path)
            return Decoded((array[:, :, ::-1] // 257).astype(np.uint8))
    raise PhotoError(
        f"{path}: expected a picture ({KINDS}), got a file that is none of these; "
        "export the photo as JPEG, or check that the name points to a photo."
    ) from error


def _check_single(image: Image.Image, path: Path) -> None:
    # A phone's MPO holds previews behind the photo itself; a TIFF or PNG of several pictures is ambiguous.
    pages = getattr(image, "n_frames", 1)
    if image.format not in ("JPEG", "MPO") and pages > 1:
        raise PhotoError(f"{path}: expected one picture in the file, got {pages}; save each as a file of its own.")


def _decode_with_opencv(data: bytes, path: Path) -> Pixels:
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if pixels is None:
        raise damaged(path, "it could not be decoded")
    return pixels


def _bits(image: Image.Image) -> int:
    tags: Any = getattr(image, "tag_v2", {})
    bits = tags.get(258, 8)
    return int(max(bits) if isinstance(bits, tuple) else bits)


def flatten(image: Image.Image, path: Path) -> Pixels:
    """Bring any Pillow mode to RGB over white."""
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I;16") or image.mode == "I":
        return _from_16_bit(np.asarray(image), path)
    if image.mode == "F":
        raise PhotoError(f"{path}: expected 8 or 16 bits a channel, got floating point; export the photo as JPEG.")
    if image.mode == "CMYK":
        return _from_cmyk(image, profile)
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        return _to_srgb(_over_white(np.asarray(image.convert("RGBA"))), profile)
    pixels = np.asarray(image.convert("RGB"))
    return _to_srgb(pixels, profile) if image.mode == "RGB" else pixels


def _from_16_bit(array: NDArray[Any], path: Path) -> Pixels:
    if array.max(initial=0) > 65535 or array.min(initial=0) < 0:
        raise PhotoError(f"{path}: expected 8 or 16 bits a channel, got 32; export the photo as JPEG.")
    return cv2.cvtColor((array // 257).astype(np.uint8), cv2.COLOR_GRAY2RGB)


def _over_white(rgba: NDArray[np.uint8]) -> Pixels:
    alpha = rgba[:, :, 3:].astype(np.uint16)
    return ((rgba[:, :, :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def _from_cmyk(image: Image.Image, profile: bytes | None) -> Pixels:
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            return np.asarray(converted)
        except ImageCms.PyCMSError:
            pass  # a broken profile is no reason to lose the photo: the plain conversion follows
    return np.asarray(image.convert("RGB"))


def _to_srgb(pixels: Pixels, profile: bytes | None) -> Pixels:
    """Convert from the embedded profile; a missing, broken or sRGB one leaves the pixels as they are."""
    if not profile:
        return pixels
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in (ImageCms.getProfileDescription(source) or "").lower():
            return pixels
        converted = ImageCms.profileToProfile(Image.fromarray(pixels), source, ImageCms.createProfile("sRGB"))
        return np.asarray(converted)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return pixels
