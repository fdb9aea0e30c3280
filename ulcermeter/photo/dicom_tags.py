"""What a DICOM file says about its pixels, and which of it is read."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, SupportsInt

from ulcermeter.errors import PhotoError, Problem
from ulcermeter.photo.limits import check_size, damaged

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = ["DEFLATED", "Described", "check_described", "describe"]

DEFLATED = "1.2.840.10008.1.2.1.99"
_NATIVE = frozenset(("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", DEFLATED, "1.2.840.10008.1.2.2"))
_RLE = frozenset(("1.2.840.10008.1.2.5",))
_JPEG = frozenset(("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"))
_JPEG_2000 = frozenset(("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"))
_ONE_CHANNEL = frozenset(("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"))
_READ = {
    "RGB": _NATIVE | _RLE | _JPEG | _JPEG_2000,
    "YBR_FULL": _NATIVE | _RLE | _JPEG,
    "YBR_FULL_422": _NATIVE | _JPEG,
    "YBR_ICT": _JPEG_2000,
    "YBR_RCT": _JPEG_2000,
    "MONOCHROME1": _NATIVE | _RLE | _JPEG | _JPEG_2000,
    "MONOCHROME2": _NATIVE | _RLE | _JPEG | _JPEG_2000,
    "PALETTE COLOR": _NATIVE | _RLE,
}
"""Photometric interpretations, and the transfer syntaxes in which each means one thing (DICOM PS3.5 8.2 and PS3.3
C.7.6.3.1.2). YBR_FULL in JPEG 2000 is left out: files that say so hold RGB as often as not."""
_GREY_CHANGED = ("ModalityLUTSequence", "VOILUTSequence", "WindowCenter", "RedPaletteColorLookupTableData")


@dataclass(frozen=True)
class Described:
    """What the tags say of one picture's pixels."""

    rows: int
    columns: int
    samples: int
    kind: str
    syntax: str
    planar: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: int
    frames: int
    floating: bool
    square: bool
    grey_changed: bool
    surplus: int
    """Bytes of uncompressed pixels beyond what the size needs, padding left out; negative where some are missing."""

    @property
    def is_jpeg(self) -> bool:
        """Baseline or extended JPEG."""
        return self.syntax in _JPEG

    @property
    def is_jpeg_2000(self) -> bool:
        """JPEG 2000, lossless or not."""
        return self.syntax in _JPEG_2000


def describe(dataset: Dataset, path: Path) -> Described:
    """Read the tags; each must hold what it should, and one value.

    Parameters
    ----------
    dataset : pydicom.Dataset
        The file as read.
    path : Path
        For what is said of it.

    Returns
    -------
    Described
        Each tag's number or word.

    Raises
    ------
    PhotoError
        No picture, or a tag without the one value that it should have.
    """
    floating = "FloatPixelData" in dataset or "DoubleFloatPixelData" in dataset
    if "PixelData" not in dataset and not floating:
        raise PhotoError(
            Problem(
                where=str(path),
                expected="one picture in the file",
                got="a DICOM file without one",
                action="export the photo",
            )
        )
    number = {
        name: _number(dataset, keyword, path, default)
        for name, (keyword, default) in {
            "rows": ("Rows", None),
            "columns": ("Columns", None),
            "samples": ("SamplesPerPixel", None),
            "planar": ("PlanarConfiguration", 0),
            "bits_allocated": ("BitsAllocated", None),
            "bits_stored": ("BitsStored", None if not floating else 32),
            "signed": ("PixelRepresentation", None if not floating else 0),
            "frames": ("NumberOfFrames", 1),
        }.items()
    }
    kind, syntax = _text(dataset, "PhotometricInterpretation", path), str(dataset.file_meta.get("TransferSyntaxUID"))
    wide = 2 if kind == "YBR_FULL_422" else number["samples"]
    needed = number["rows"] * number["columns"] * wide * number["bits_allocated"] // 8
    return Described(
        **number,
        kind=kind,
        syntax=syntax,
        high_bit=_number(dataset, "HighBit", path, number["bits_stored"] - 1),
        floating=floating,
        square=_is_square(dataset.get("PixelAspectRatio")),
        grey_changed=_is_grey_changed(dataset),
        surplus=len(dataset.PixelData) - needed - needed % 2 if syntax in _NATIVE and not floating else 0,
    )


def check_described(described: Described, path: Path) -> None:
    """Refuse, before anything is decoded, every kind of pixels whose colours or places are not known for certain.

    Parameters
    ----------
    described : Described
        What its tags say of the picture.
    path : Path
        For what is said of it.

    Raises
    ------
    PhotoError
        Too large, several frames, a layout or numbers whose colours are not certain, bytes too many or too few.
    """
    check_size((described.columns, described.rows), path)
    if described.frames != 1:
        raise PhotoError(
            Problem(
                where=str(path),
                expected="one picture in the file",
                got=f"{described.frames} frames",
                action="export one frame",
            )
        )
    for got in filter(None, (_odd_numbers(described), _odd_layout(described), _odd_grey(described))):
        raise PhotoError(
            Problem(
                where=str(path),
                expected="a colour photo in 8 or 16 bits a channel",
                got=str(got),
                action="export it as JPEG",
            )
        )
    if described.surplus not in (-1, 0):
        raise damaged(path, f"{abs(described.surplus)} bytes too {'many' if described.surplus > 0 else 'few'}")


def _odd_numbers(described: Described) -> str:
    """Say which numbers the pixels are, where they are not whole, unsigned and of 8 to 16 bits."""
    if described.floating:
        return "floating point"
    if described.signed:
        return "signed numbers"
    allocated, stored = described.bits_allocated, described.bits_stored
    if allocated not in (8, 16) or not 8 <= stored <= allocated or described.high_bit != stored - 1:
        return f"{stored} bits (the highest being bit {described.high_bit}) in {allocated}"
    if allocated != 8 and (described.is_jpeg or described.kind.startswith("YBR")):
        return f"{described.kind} in {allocated} bits"
    return ""


def _odd_layout(described: Described) -> str:
    """Say how the pixels are laid out, where it is no way that is read."""
    channels = 1 if described.kind in _ONE_CHANNEL else 3
    if described.syntax not in _READ.get(described.kind, ()):
        return f"{described.kind} in the transfer syntax {described.syntax}"
    if described.samples != channels or described.planar not in (0, 1):
        return f"{described.kind} in {described.samples} channels (planar configuration {described.planar})"
    if described.kind == "YBR_FULL_422" and not described.is_jpeg and (described.planar or described.columns % 2):
        return f"YBR_FULL_422 of {described.columns} columns (planar configuration {described.planar})"
    return "" if described.square else "pixels that are not square"


def _odd_grey(described: Described) -> str:
    if described.kind.startswith("MONOCHROME") and described.grey_changed:
        return "grey values that a table, a slope or a window changes"
    return ""


def _is_square(ratio: Sequence[SupportsInt | str] | None) -> bool:
    if ratio is None or ratio == "":
        return True
    return len(ratio) == 2 and int(ratio[0]) == int(ratio[1])


def _is_grey_changed(dataset: Dataset) -> bool:
    slope, intercept = dataset.get("RescaleSlope"), dataset.get("RescaleIntercept")
    shape = str(dataset.get("PresentationLUTShape") or "IDENTITY")
    inverse = str(dataset.get("PhotometricInterpretation")) == "MONOCHROME1"
    return (
        any(dataset.get(keyword) not in (None, "") for keyword in _GREY_CHANGED)
        or slope not in (None, "", 1)
        or intercept not in (None, "", 0)
        or shape != ("INVERSE" if inverse and "PresentationLUTShape" in dataset else "IDENTITY")
    )


def _number(dataset: Dataset, keyword: str, path: Path, default: int | None) -> int:
    value = dataset.get(keyword)
    if value in (None, "") and default is not None:
        return default
    if isinstance(value, int):
        return int(value)
    raise _bad_tag(path, keyword, "one whole number", value)


def _text(dataset: Dataset, keyword: str, path: Path) -> str:
    value = dataset.get(keyword)
    if isinstance(value, str) and value:
        return str(value)
    raise _bad_tag(path, keyword, "one word", value)


def _bad_tag(path: Path, keyword: str, expected: str, value: object) -> PhotoError:
    got = "nothing" if value in (None, "") else repr(value)[:40]
    if isinstance(value, Sized) and not isinstance(value, (str, bytes)):
        got = f"{len(value)} values"
    return PhotoError(
        Problem(
            where=str(path),
            expected=f"{expected} in the DICOM tag {keyword}",
            got=str(got),
            action="export the photo as JPEG",
        )
    )
