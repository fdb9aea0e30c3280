"""The whole files that are damaged: drawn photos and tracings, written in every format, and where their pixels lie."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ulcermeter.phantom import (
    CameraSpec,
    FingerSpec,
    Phantom,
    PhantomSpec,
    ReferenceSpec,
    UlcerSpec,
    draw_phantom,
    encode_phantom,
)

Pixels = NDArray[np.uint8]
SIZES_MM = (1.8, 2.0, 2.2, 3.4)
"""Ulcers about the trial's 2 mm, and a larger one."""


@dataclass(frozen=True)
class Whole:
    """A whole file: its bytes, and the spans of bytes that are pixels which the format does not protect.

    Pixels that a checksum covers are no such span, nor are heads, tables and tags.
    """

    name: str
    data: bytes
    spans: tuple[tuple[int, int], ...] = ()


@lru_cache(maxsize=8)
def drawn(size_mm: float) -> Phantom:
    """Return a small photo with one ulcer beside a marker of 10 mm."""
    seed = round(10 * size_mm)
    return draw_phantom(
        PhantomSpec(
            finger=FingerSpec(seed=seed),
            ulcers=(UlcerSpec(diameter_mm=size_mm, s_mm=10.0, t_mm=0.6, seed=seed),),
            reference=ReferenceSpec(kind="aruco", offset_mm=(0.0, 17.0)),
            camera=CameraSpec(width_px=960, height_px=720, px_per_mm=13.0, tilt_deg=6.0, azimuth_deg=30.0),
            seed=seed,
        )
    )


def saved(pixels: Pixels, kind: str, **options: object) -> bytes:
    """Return a picture as Pillow writes it."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


# --- photos -----------------------------------------------------------------------------------------------------------


def jpegs() -> Iterator[Whole]:
    """Write baseline JPEGs with EXIF, one with restart marks, and a progressive one."""
    for size in SIZES_MM[:2]:
        yield _jpeg(f"baseline {size}.jpg", encode_phantom(drawn(size)))
    options = [cv2.IMWRITE_JPEG_QUALITY, 92, cv2.IMWRITE_JPEG_RST_INTERVAL, 20]
    yield _jpeg("restarts.jpg", cv2.imencode(".jpg", drawn(2.2).pixels[..., ::-1], options)[1].tobytes())
    yield _jpeg("progressive.jpg", saved(drawn(3.4).pixels, "jpeg", quality=90, progressive=True))


def _jpeg(name: str, data: bytes) -> Whole:
    return Whole(name, data, tuple(_coded(data)))


def _coded(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield where the coded pixels of each scan lie (ITU T.81, B.1.1.5)."""
    for scan in re.finditer(rb"\xff\xda", data):
        start = scan.end() + int.from_bytes(data[scan.end() : scan.end() + 2], "big")
        end = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]").search(data, start)
        if end is not None:
            yield start, end.start()


def pngs() -> Iterator[Whole]:
    """Write PNGs of colours, with EXIF, interlaced by another library, and with a transparent layer."""
    tags = Image.Exif()
    tags[0x0110] = "Phantom"
    yield Whole("plain.png", saved(drawn(1.8).pixels, "png"))
    yield Whole("exif.png", saved(drawn(2.0).pixels, "png", exif=tags))
    layer = np.full((*drawn(2.2).pixels.shape[:2], 1), 255, np.uint8)
    yield Whole("layer.png", saved(np.concatenate([drawn(2.2).pixels, layer], axis=2), "png"))


def tiffs() -> Iterator[Whole]:
    """Write TIFFs, plain and compressed; only deflate has a checksum."""
    for size, packed in zip(SIZES_MM, (None, "tiff_lzw", "packbits", "tiff_adobe_deflate"), strict=True):
        data = saved(drawn(size).pixels, "tiff", compression=packed)
        spans = () if packed == "tiff_adobe_deflate" else tuple(_strips(data))
        yield Whole(f"{packed or 'plain'}.tif", data, spans)


def _strips(data: bytes) -> Iterator[tuple[int, int]]:
    with Image.open(io.BytesIO(data)) as image:
        for start, length in zip(image.tag_v2[273], image.tag_v2[279], strict=True):
            yield start, start + length


def heics() -> Iterator[Whole]:
    """Write HEICs, where the package that can is installed: the one that ulcermeter reads with cannot write."""
    try:
        import pillow_heif
    except ImportError:
        return
    for size in SIZES_MM[1:3]:
        file = io.BytesIO()
        pillow_heif.from_pillow(Image.fromarray(drawn(size).pixels)).save(file, quality=85)
        data = file.getvalue()
        at = data.find(b"mdat")
        yield Whole(f"{size}.heic", data, ((at + 4, at - 4 + int.from_bytes(data[at - 4 : at], "big")),))


def dicoms() -> Iterator[Whole]:
    """Write DICOM files: plain, run-length, deflated, JPEG and JPEG 2000."""
    from pydicom.encaps import encapsulate
    from pydicom.pixels import get_encoder

    plain, rle, deflated = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.1.99"
    jpeg, jpeg_2000 = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.90"
    for size, syntax, kind in zip(SIZES_MM, (plain, rle, deflated, jpeg), ("RGB", "RGB", "RGB", "YBR_FULL_422"),
                                  strict=True):  # fmt: skip
        pixels = drawn(size).pixels
        body = pixels.tobytes()
        if syntax == rle:
            body = encapsulate([get_encoder(rle).encode(_dataset(plain, "RGB", body), index=0)])
        if syntax == jpeg:
            body = encapsulate([saved(pixels, "jpeg", quality=92)])
        data = _file(_dataset(syntax, kind, body))
        # Behind the items' and the run-length segments' own heads; what is deflated begins behind the file's group.
        at = 400 if syntax == deflated else data.find(body[:64]) + (84 if syntax == rle else 0)
        spans = tuple(_coded(data)) if syntax == jpeg else ((at, len(data)),)
        yield Whole(f"{kind} {syntax}.dcm", data, spans)
    body = encapsulate([saved(drawn(2.0).pixels, "jpeg2000", irreversible=False, no_jp2=True)])
    data = _file(_dataset(jpeg_2000, "YBR_RCT", body))
    at = data.find(b"\xff\x93")
    yield Whole("YBR_RCT.dcm", data, ((at + 2, len(data) - 12),))


def _dataset(syntax: str, kind: str, body: bytes) -> object:
    from pydicom.dataset import Dataset, FileMetaDataset

    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.77.1.4"
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = "1.2.3"
    data.PatientID, data.Modality = "S01", "XC"
    data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = 720, 960, 3, kind
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 8, 8, 7, 0
    data.PlanarConfiguration, data.PixelData = 0, body
    return data


def _file(data: object) -> bytes:
    file = io.BytesIO()
    data["PixelData"].VR = "OB"  # type: ignore[index]
    data.save_as(file, enforce_file_format=True)  # type: ignore[attr-defined]
    return file.getvalue()


PHOTOS = {"jpeg": jpegs, "png": pngs, "tiff": tiffs, "heic": heics, "dicom": dicoms}


# --- tracings ---------------------------------------------------------------------------------------------------------


def tracing(size_mm: float) -> Pixels:
    """Return the true outline of a drawn ulcer, filled: 255 inside, 0 outside."""
    phantom = drawn(size_mm)
    mask = np.zeros(phantom.pixels.shape[:2], np.uint8)
    outline = np.asarray(phantom.truth.ulcers[0].outline_px)
    return cv2.fillPoly(mask, [outline.round().astype(np.int32)], 255)


def masks() -> Iterator[Whole]:
    """Write the tracing of the first drawn photo as programs do."""
    mask = tracing(SIZES_MM[0])
    yield Whole("grey.png", saved(mask, "png"))
    bits = io.BytesIO()
    Image.fromarray(mask).convert("1").save(bits, "png")
    yield Whole("bits.png", bits.getvalue())
    yield Whole("layer.png", saved(np.dstack([mask, mask * 0, mask * 0, mask]), "png"))
    data = saved(mask, "jpeg", quality=95)
    yield Whole("mask.jpg", data, tuple(_coded(data)))
    data = saved(mask, "tiff")
    yield Whole("mask.tif", data, tuple(_strips(data)))
    yield Whole("deflate.tif", saved(mask, "tiff", compression="tiff_adobe_deflate"))
