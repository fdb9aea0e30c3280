"""DICOM, with an extra package: one visible-light picture, whose colours are known for certain."""

from __future__ import annotations

import io
import zlib
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import CameraInfo, Pixels
from ulcermeter.errors import PhotoError, Problem
from ulcermeter.photo.dicom_tags import DEFLATED, Described, check_described, describe
from ulcermeter.photo.exif import Decoded, as_text
from ulcermeter.photo.jpeg import check_whole_jpeg, read_head
from ulcermeter.photo.limits import MAX_FILE_MB, damaged, inflated_lengths, missing_extra
from ulcermeter.photo.pictures import decode_picture, to_srgb

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = ["decode_dicom"]

_ADOBE, _JFIF = 0xEE, 0xE0
"""JPEG markers APP14 and APP0, in which a file says how its colours are stored."""
_J2K_START, _J2K_END = b"\xff\x4f\xff\x51", b"\xff\xd9"


def decode_dicom(data: bytes, path: Path) -> Decoded:
    """Decode a visible-light DICOM picture with the extra ``dicom``.

    Every kind of pixels that cannot be brought to RGB for certain is refused before they are decoded
    (`check_described`). JPEG goes the way of every other JPEG, for libjpeg knows its colours by its own marks; all else
    is decoded by pydicom 3, which returns RGB for YBR_FULL and YBR_FULL_422 already.

    Parameters
    ----------
    data : bytes
        The whole file.
    path : Path
        For what is said of it.

    Returns
    -------
    Decoded
        Upright, RGB in sRGB.

    Raises
    ------
    PhotoError
        Pixels whose colours are not certain, a damaged or an inflated file.
    MissingDependencyError
        The extra is not installed.
    """
    try:
        import pydicom
    except ImportError as error:
        raise missing_extra(path, "DICOM", "dicom") from error
    _check_inflated(data, path)
    dataset = pydicom.dcmread(io.BytesIO(data))
    described = describe(dataset, path)
    check_described(described, path)
    pixels = _decode_jpeg(dataset, described, path) if described.is_jpeg else _decode_other(dataset, described, path)
    if pixels.shape != (described.rows, described.columns, 3):
        raise damaged(path, "its picture is of another size than its tags say")
    camera = CameraInfo(make=as_text(dataset.get("Manufacturer")), model=as_text(dataset.get("ManufacturerModelName")))
    return Decoded(np.ascontiguousarray(pixels), 1, _time(dataset), camera)


def _check_inflated(data: bytes, path: Path) -> None:
    """Refuse a deflated file that grows beyond what any file may hold, counting without keeping."""
    from pydicom.filereader import read_dataset, read_preamble

    file = io.BytesIO(data)
    read_preamble(file, force=False)
    # The file's own group, always explicit and little-endian (DICOM PS3.10, 7.1): what follows it may be deflated.
    meta = read_dataset(file, False, True, stop_when=lambda tag, *_: tag.group != 2)
    if str(meta.get("TransferSyntaxUID")) != DEFLATED:
        return
    inflater, total, rest = zlib.decompressobj(-zlib.MAX_WBITS), 0, data[file.tell() :]
    for length in inflated_lengths(inflater, rest):
        total += length
        if total > MAX_FILE_MB * 1e6:
            raise PhotoError(
                Problem(
                    where=str(path),
                    expected=f"at most {MAX_FILE_MB} MB",
                    got="a deflated file that grows beyond",
                    action="export the photo as JPEG",
                )
            )


def _decode_jpeg(dataset: Dataset, described: Described, path: Path) -> Pixels:
    frame = _frame(dataset)
    check_whole_jpeg(frame, path)
    head = read_head(frame)
    if len(head.component_ids) != described.samples:
        raise damaged(path, f"{described.samples} channels in its tags, {len(head.component_ids)} in its picture")
    marked = head.body(_ADOBE).startswith(b"Adobe") or head.body(_JFIF).startswith(b"JFIF")
    if described.kind == "RGB" and not marked and head.component_ids not in (b"RGB", b"rgb"):
        raise PhotoError(
            Problem(
                where=str(path),
                expected="a JPEG that says how its colours are stored",
                got="one without a mark inside a DICOM file that calls it RGB",
                action="export the photo as JPEG",
            )
        )
    pixels = decode_picture(frame, path).pixels
    return 255 - pixels if described.kind == "MONOCHROME1" else pixels


def _decode_other(dataset: Dataset, described: Described, path: Path) -> Pixels:
    from pydicom.pixels import apply_color_lut, get_decoder

    if described.is_jpeg_2000:
        _check_whole_jpeg_2000(_frame(dataset), path)
    decoder = get_decoder(described.syntax)
    # Unused bits are left as they are, so that what hides in them is noticed. JPEG 2000 knows its own channels' order.
    options = {"planar_configuration": 0} if described.is_jpeg_2000 else {"correct_unused_bits": False}
    array, found = decoder.as_array(dataset, index=0, allow_excess_frames=False, **options)
    kind = str(found["photometric_interpretation"])
    if described.kind == "PALETTE COLOR":
        array = apply_color_lut(array, dataset)
        return to_srgb(_scaled(array, 8 * array.dtype.itemsize, path), dataset.get("ICCProfile"))
    scaled = _scaled(array, described.bits_stored, path)
    if scaled.ndim == 2:
        pixels: Pixels = cv2.cvtColor(255 - scaled if kind == "MONOCHROME1" else scaled, cv2.COLOR_GRAY2RGB)
        return pixels
    if kind != "RGB":
        raise PhotoError(
            Problem(
                where=str(path),
                expected="a DICOM picture that decodes to RGB",
                got=str(kind),
                action="export the photo as JPEG",
            )
        )
    return to_srgb(scaled, dataset.get("ICCProfile"))


def _frame(dataset: Dataset) -> bytes:
    from pydicom.encaps import get_frame

    return bytes(get_frame(dataset.PixelData, 0, number_of_frames=1))


def _check_whole_jpeg_2000(frame: bytes, path: Path) -> None:
    """Refuse a JPEG 2000 picture without its first or last mark (ITU T.800, A.4)."""
    if not frame.startswith(_J2K_START) or not frame.rstrip(b"\0").endswith(_J2K_END):
        raise damaged(path, "the start or the end of its JPEG 2000 picture is missing")


def _scaled(array: NDArray[np.unsignedinteger], bits: int, path: Path) -> NDArray[np.uint8]:
    """Bring whole numbers of so many bits to 0-255."""
    top = 2**bits - 1
    if array.max(initial=0) > top:
        raise damaged(path, f"values beyond its {bits} bits")
    if bits == 8:
        return array.astype(np.uint8)
    steps = (np.arange(top + 1) * (255.0 / top)).round().astype(np.uint8)
    pixels: Pixels = steps[array]
    return pixels


def _time(dataset: Dataset) -> datetime | None:
    stamp = str(
        dataset.get("AcquisitionDateTime") or f"{dataset.get('ContentDate', '')}{dataset.get('ContentTime', '')}"
    )
    try:
        return datetime.strptime(stamp[:14], "%Y%m%d%H%M%S")
    except ValueError:
        return None
