"""HEIC and DICOM, each with an extra package."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import CameraInfo
from ulcermeter.errors import MissingDependencyError, PhotoError
from ulcermeter.photo.exif import Decoded, Pixels, as_text, read_exif
from ulcermeter.photo.limits import check_size, damaged
from ulcermeter.photo.pictures import flatten


def decode_heic(data: bytes, path: Path) -> Decoded:
    """Decode HEIC with the extra ``heic``."""
    try:
        import pi_heif
    except ImportError as error:
        raise _missing(path, "HEIC", "heic") from error
    try:
        stored = pi_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True)
        check_size(stored.size, path)
        image = stored.to_pillow()
    except (OSError, ValueError, EOFError, SyntaxError) as error:
        raise damaged(path, error) from error
    # libheif has turned the picture already; the EXIF tag that stayed behind must not turn it again.
    _, taken_at, camera = read_exif(image)
    return Decoded(flatten(image, path), 1, taken_at, camera)


def decode_dicom(data: bytes, path: Path) -> Decoded:
    """Decode a visible-light DICOM picture with the extra ``dicom``."""
    try:
        import pydicom
        from pydicom.pixels import apply_color_lut, convert_color_space
    except ImportError as error:
        raise _missing(path, "DICOM", "dicom") from error
    try:
        dataset = pydicom.dcmread(io.BytesIO(data))
        check_size((int(dataset.Columns), int(dataset.Rows)), path)
        array, kind = dataset.pixel_array, str(dataset.PhotometricInterpretation)
        if kind == "PALETTE COLOR":
            array = apply_color_lut(array, dataset)
        elif (
            kind.startswith("YBR_FULL")
            and array.ndim == 3
            and str(dataset.file_meta.TransferSyntaxUID) in _UNCOMPRESSED
        ):
            array = convert_color_space(array, kind, "RGB")
    except (
        AttributeError,
        KeyError,
        OSError,
        ValueError,
        NotImplementedError,
        RuntimeError,
        pydicom.errors.InvalidDicomError,
    ) as error:
        raise damaged(path, error) from error
    camera = CameraInfo(make=as_text(dataset.get("Manufacturer")), model=as_text(dataset.get("ManufacturerModelName")))
    return Decoded(_dicom_rgb(array, dataset, kind, path), 1, _dicom_time(dataset), camera)


_UNCOMPRESSED = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2")


def _dicom_rgb(array: NDArray[Any], dataset: Any, kind: str, path: Path) -> Pixels:
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3):
        raise PhotoError(
            f"{path}: expected one picture in the file, got an array of shape {array.shape}; export one frame."
        )
    top = 65535 if kind == "PALETTE COLOR" and array.dtype == np.uint16 else 2 ** int(dataset.BitsStored) - 1
    scaled = (np.clip(array.astype(np.float32), 0, top) * (255.0 / top)).round().astype(np.uint8)
    if kind == "MONOCHROME1":
        scaled = 255 - scaled
    return cv2.cvtColor(scaled, cv2.COLOR_GRAY2RGB) if scaled.ndim == 2 else scaled


def _dicom_time(dataset: Any) -> datetime | None:
    stamp = str(
        dataset.get("AcquisitionDateTime") or f"{dataset.get('ContentDate', '')}{dataset.get('ContentTime', '')}"
    )
    try:
        return datetime.strptime(stamp[:14], "%Y%m%d%H%M%S")
    except ValueError:
        return None


def _missing(path: Path, kind: str, extra: str) -> MissingDependencyError:
    return MissingDependencyError(
        f"{path}: reading {kind} needs an extra package; install it with: pip install 'ulcermeter[{extra}]', "
        "or export the photo as JPEG."
    )
