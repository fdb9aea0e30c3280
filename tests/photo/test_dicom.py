"""DICOM: every way of writing one RGB picture comes back as that picture, or is refused in a sentence."""

from __future__ import annotations

import io
import itertools
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ulcermeter.errors import PhotoError
from ulcermeter.photo import read_photo

pydicom = pytest.importorskip("pydicom", reason="the extra dicom is not installed")

from pydicom.dataset import Dataset, FileMetaDataset  # noqa: E402
from pydicom.encaps import encapsulate  # noqa: E402
from pydicom.pixels import get_encoder  # noqa: E402

ROWS, COLUMNS = 57, 92
Y, X = np.mgrid[0:ROWS, 0:COLUMNS]
SKIN = np.stack([2 * X + 20, 3 * Y + 40, 200 - X - Y], axis=-1).clip(0, 255).astype(np.uint8)
"""A smooth picture without symmetry, warm and cold corners."""

IMPLICIT, EXPLICIT, DEFLATED = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99"
BIG_ENDIAN, RLE = "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.5"
JPEG, EXTENDED = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"
J2K, J2K_LOSSLESS = "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.90"
NATIVE = (IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN)
COLOURS = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_422", "YBR_PARTIAL_420", "YBR_ICT", "YBR_RCT", "HSV", "CMYK")


def ybr(rgb: np.ndarray) -> np.ndarray:
    """YBR_FULL by the formula of DICOM PS3.3 C.7.6.3.1.2, written out."""
    r, g, b = (rgb[..., k].astype(float) for k in range(3))
    y = 0.2990 * r + 0.5870 * g + 0.1140 * b
    cb = -0.1687 * r - 0.3313 * g + 0.5000 * b + 128
    cr = 0.5000 * r - 0.4187 * g - 0.0813 * b + 128
    return np.stack([y, cb, cr], axis=-1).round().clip(0, 255).astype(np.uint8)


def in_422(full: np.ndarray) -> bytes:
    """Two luma values for one pair of chroma values, which is sited on the first of them."""
    y, cb, cr = full[..., 0], full[:, ::2, 1], full[:, ::2, 2]
    return np.stack([y[:, ::2], y[:, 1::2], cb, cr], axis=-1).tobytes()


def dicom(syntax: str, kind: str, pixels: bytes, planar: int | None = 0, **tags: Any) -> Dataset:
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.77.1.4"
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = "1.2.3"
    data.PatientID, data.Modality = "S01", "XC"
    data.Rows, data.Columns, data.SamplesPerPixel = ROWS, COLUMNS, 3
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 8, 8, 7, 0
    data.PhotometricInterpretation = kind
    if planar is not None:
        data.PlanarConfiguration = planar
    for name, value in tags.items():
        setattr(data, name, value)
    if pixels:
        data.PixelData = pixels + b"\0" * (len(pixels) % 2)
        data["PixelData"].VR = "OB" if data.BitsAllocated <= 8 else "OW"
        data["PixelData"].is_undefined_length = syntax not in NATIVE
    return data


def saved(folder: Path, data: Dataset) -> Path:
    path = folder / "a.dcm"
    data.save_as(path, enforce_file_format=True, implicit_vr=None)
    return path


def read(folder: Path, data: Dataset) -> np.ndarray:
    return read_photo(saved(folder, data)).pixels


def error_to(pixels: np.ndarray, expected: np.ndarray = SKIN) -> float:
    """The mean difference of each channel, grey levels; the largest of the three."""
    return float(np.abs(pixels.astype(float) - expected).mean(axis=(0, 1)).max())


def outcome(folder: Path, data: Dataset) -> float | str:
    """Return how far a file's picture is off, or the sentence that refuses it; nothing else may happen."""
    path = saved(folder, data)
    try:
        return error_to(read_photo(path).pixels)
    except PhotoError as error:
        text = str(error)
        assert text.startswith(str(path)) and "expected" in text and "got" in text and text.endswith(".")
        assert "\n" not in text and len(text) < 500
        return text


# --- the matrix -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("syntax", NATIVE)
@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("kind", ["RGB", "YBR_FULL"])
def test_uncompressed_colours(tmp_path: Path, syntax: str, planar: int, kind: str) -> None:
    stored = SKIN if kind == "RGB" else ybr(SKIN)
    pixels = stored.tobytes() if planar == 0 else stored.transpose(2, 0, 1).tobytes()
    assert error_to(read(tmp_path, dicom(syntax, kind, pixels, planar))) < (0.01 if kind == "RGB" else 1)


@pytest.mark.parametrize("syntax", NATIVE)
def test_uncompressed_colours_with_half_the_chroma(tmp_path: Path, syntax: str) -> None:
    assert error_to(read(tmp_path, dicom(syntax, "YBR_FULL_422", in_422(ybr(SKIN))))) < 2
    assert "planar configuration 1" in outcome(tmp_path, dicom(syntax, "YBR_FULL_422", in_422(ybr(SKIN)), 1))
    full = dicom(syntax, "YBR_FULL_422", ybr(SKIN).tobytes())
    assert "bytes too many" in outcome(tmp_path, full)


@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("kind", COLOURS)
def test_run_lengths(tmp_path: Path, planar: int, kind: str) -> None:
    data = dicom(RLE, "RGB", b"", planar)
    data.compress(RLE, ybr(SKIN) if kind == "YBR_FULL" else SKIN, encoding_plugin="pydicom")
    data.PhotometricInterpretation = kind
    found = outcome(tmp_path, data)
    assert found < 1 if kind in ("RGB", "YBR_FULL") else isinstance(found, str)


def jpeg(subsampling: int = 0, pixels: np.ndarray = SKIN, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "jpeg", quality=97, subsampling=subsampling, **options)
    return file.getvalue()


def with_mark(data: bytes, transform: int | None) -> bytes:
    """Exchange the JFIF mark for Adobe's with a transform, or take it away."""
    assert data[2:4] == b"\xff\xe0"
    behind = data[4 + int.from_bytes(data[4:6], "big") :]
    adobe = b"" if transform is None else b"\xff\xee\0\x0eAdobe\0d\0\0\0\0" + bytes((transform,))
    return data[:2] + adobe + behind


def in_frames(*frames: bytes) -> bytes:
    return encapsulate([frame + b"\0" * (len(frame) % 2) for frame in frames])


@pytest.mark.parametrize("kind", ["RGB", "YBR_FULL", "YBR_FULL_422"])
@pytest.mark.parametrize("subsampling", [0, 1, 2], ids=["444", "422", "420"])
@pytest.mark.parametrize("syntax", [JPEG, EXTENDED])
@pytest.mark.parametrize("planar", [0, 1])
def test_jpeg_colours_go_by_the_marks_of_the_jpeg(
    tmp_path: Path, kind: str, subsampling: int, syntax: str, planar: int
) -> None:
    frame = jpeg(subsampling)
    for one in (frame, with_mark(frame, 1)):
        assert error_to(read(tmp_path, dicom(syntax, kind, in_frames(one), planar))) < 2


@pytest.mark.parametrize("kind", ["RGB", "YBR_FULL", "YBR_FULL_422"])
def test_jpeg_of_unchanged_rgb(tmp_path: Path, kind: str) -> None:
    frame = jpeg(keep_rgb=True)
    assert error_to(read(tmp_path, dicom(JPEG, kind, in_frames(frame)))) < 2


def test_a_jpeg_without_marks(tmp_path: Path) -> None:
    frame = with_mark(jpeg(), None)
    assert error_to(read(tmp_path, dicom(JPEG, "YBR_FULL_422", in_frames(frame)))) < 2
    assert "without a mark" in str(outcome(tmp_path, dicom(JPEG, "RGB", in_frames(frame))))


def jpeg_2000(mct: int, pixels: np.ndarray = SKIN, irreversible: bool = False) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "jpeg2000", mct=mct, irreversible=irreversible, no_jp2=True)
    return file.getvalue()


@pytest.mark.parametrize(
    ("kind", "mct", "irreversible"),
    [("RGB", 0, False), ("RGB", 1, False), ("YBR_RCT", 1, False), ("YBR_ICT", 1, True)],
)
def test_jpeg_2000(tmp_path: Path, kind: str, mct: int, irreversible: bool) -> None:
    for syntax in (J2K, J2K_LOSSLESS):
        frame = jpeg_2000(mct, irreversible=irreversible)
        assert error_to(read(tmp_path, dicom(syntax, kind, in_frames(frame)))) < 2


def test_every_combination_is_right_or_refused(tmp_path: Path) -> None:
    """Whatever the tags claim of a picture that was written well: the picture, or a sentence."""
    ways: dict[str, list[tuple[str, bytes]]] = {
        syntax: [("RGB", SKIN.tobytes()), ("YBR_FULL", ybr(SKIN).tobytes()), ("YBR_FULL_422", in_422(ybr(SKIN)))]
        for syntax in NATIVE
    }
    right = 0
    for syntax in NATIVE:
        for (kind, pixels), planar in itertools.product(ways[syntax], (0, 1)):
            whole = kind != "YBR_FULL_422"
            stored = SKIN if kind == "RGB" else ybr(SKIN)
            pixels = stored.transpose(2, 0, 1).tobytes() if planar and whole else pixels
            found = outcome(tmp_path, dicom(syntax, kind, pixels, planar))
            assert isinstance(found, str) or found < 2, (syntax, kind, planar, found)
            right += not isinstance(found, str)
    encoded = {
        JPEG: in_frames(jpeg(1)),
        J2K: in_frames(jpeg_2000(1, irreversible=True)),
        J2K_LOSSLESS: in_frames(jpeg_2000(1)),
    }
    for (syntax, pixels), kind, planar in itertools.product(encoded.items(), COLOURS, (0, 1)):
        found = outcome(tmp_path, dicom(syntax, kind, pixels, planar))
        assert isinstance(found, str) or found < 2, (syntax, kind, planar, found)
        right += not isinstance(found, str)
    assert right == 4 * 5 + 3 * 2 + 2 * 3 * 2
    for syntax, kind in itertools.product(NATIVE, COLOURS[3:]):
        assert isinstance(outcome(tmp_path, dicom(syntax, kind, SKIN.tobytes())), str)


@pytest.mark.parametrize(
    "syntax",
    [
        "1.2.840.10008.1.2.4.57",
        "1.2.840.10008.1.2.4.70",
        "1.2.840.10008.1.2.4.80",
        "1.2.840.10008.1.2.4.201",
        "1.2.840.10008.1.2.4.102",
    ],
)
def test_syntaxes_that_are_not_read_are_named(tmp_path: Path, syntax: str) -> None:
    data = dicom(JPEG, "RGB", in_frames(jpeg()))
    data.file_meta.TransferSyntaxUID = syntax
    assert syntax in str(outcome(tmp_path, data))


# --- numbers of other kinds -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [10, 12, 16])
@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("syntax", NATIVE)
def test_deep_colours_are_scaled(tmp_path: Path, bits: int, planar: int, syntax: str) -> None:
    deep = (SKIN.astype(float) / 255 * (2**bits - 1)).round().astype(">u2" if syntax == BIG_ENDIAN else "<u2")
    deep = deep.transpose(2, 0, 1) if planar else deep
    tags = {"BitsAllocated": 16, "BitsStored": bits, "HighBit": bits - 1}
    assert error_to(read(tmp_path, dicom(syntax, "RGB", deep.tobytes(), planar, **tags))) < 1


@pytest.mark.parametrize("kind", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("syntax", [EXPLICIT, RLE, JPEG, J2K])
def test_grey_is_read_as_it_was_seen(tmp_path: Path, kind: str, syntax: str) -> None:
    grey = SKIN[:, :, 1]
    stored = 255 - grey if kind == "MONOCHROME1" else grey
    pixels = {EXPLICIT: stored.tobytes(), JPEG: in_frames(jpeg(pixels=stored)), RLE: b""}.get(syntax)
    pixels = in_frames(jpeg_2000(0, stored)) if pixels is None else pixels
    data = dicom(syntax, kind, pixels, None, SamplesPerPixel=1)
    if syntax == RLE:
        data.compress(RLE, stored, encoding_plugin="pydicom")
    assert error_to(read(tmp_path, data), grey[:, :, None]) < 2


@pytest.mark.parametrize(
    "tags",
    [
        {"WindowCenter": 100, "WindowWidth": 50},
        {"RescaleSlope": 2, "RescaleIntercept": 0},
        {"RescaleIntercept": -1024, "RescaleSlope": 1},
        {"PresentationLUTShape": "INVERSE"},
    ],
    ids=str,
)
def test_grey_that_a_tag_changes_is_refused(tmp_path: Path, tags: dict[str, Any]) -> None:
    data = dicom(EXPLICIT, "MONOCHROME2", SKIN[:, :, 0].tobytes(), None, SamplesPerPixel=1, **tags)
    assert "window" in str(outcome(tmp_path, data))


@pytest.mark.parametrize("bits", [8, 16])
def test_a_palette_is_resolved(tmp_path: Path, bits: int) -> None:
    image = Image.fromarray(SKIN).quantize(64)
    table = np.array(image.getpalette(), np.uint16).reshape(-1, 3)
    table = np.vstack([table, np.zeros((256 - len(table), 3), np.uint16)])
    data = dicom(EXPLICIT, "PALETTE COLOR", np.asarray(image).tobytes(), None, SamplesPerPixel=1)
    for k, name in enumerate(("Red", "Green", "Blue")):
        column = table[:, k].astype(np.uint8) if bits == 8 else table[:, k] * 257
        setattr(data, f"{name}PaletteColorLookupTableDescriptor", [256, 0, bits])
        setattr(data, f"{name}PaletteColorLookupTableData", column.tobytes())
    assert np.array_equal(read(tmp_path, data), np.asarray(image.convert("RGB")))
    del data.GreenPaletteColorLookupTableData
    assert isinstance(outcome(tmp_path, data), str)


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ({"NumberOfFrames": 2}, "2 frames"),
        ({"PixelRepresentation": 1}, "signed"),
        ({"BitsStored": 7, "HighBit": 6}, "7 bits"),
        ({"HighBit": 5}, "bit 5"),
        ({"BitsAllocated": 32, "BitsStored": 32, "HighBit": 31}, "32"),
        ({"BitsAllocated": 1, "BitsStored": 1, "HighBit": 0}, "1 bits"),
        ({"PixelAspectRatio": [1, 2]}, "not square"),
        ({"SamplesPerPixel": 4}, "4 channels"),
        ({"PlanarConfiguration": 2}, "planar configuration 2"),
        ({"Rows": ROWS - 1}, "bytes too many"),
        ({"Columns": COLUMNS + 1}, "bytes too few"),
        ({"Rows": 65535, "Columns": 65535}, "megapixels"),
        ({"Rows": 0}, "thumbnail"),
        ({"BitsStored": [8, 8, 8]}, "3 values"),
        ({"Columns": [COLUMNS] * 500}, "500 values"),
        ({"Rows": None}, "nothing"),
        ({"PhotometricInterpretation": ["RGB", "RGB"]}, "2 values"),
        ({"PhotometricInterpretation": ""}, "nothing"),
        ({"PhotometricInterpretation": "rgb"}, "rgb"),
    ],
    ids=str,
)
def test_tags_that_do_not_fit_are_told(tmp_path: Path, tags: dict[str, Any], said: str) -> None:
    assert said in str(outcome(tmp_path, dicom(EXPLICIT, "RGB", SKIN.tobytes(), **tags)))


@pytest.mark.parametrize("syntax", [EXPLICIT, RLE, JPEG, J2K])
def test_no_tag_that_is_taken_away_or_doubled_makes_a_traceback(tmp_path: Path, syntax: str) -> None:
    frames = {JPEG: in_frames(jpeg()), J2K: in_frames(jpeg_2000(0)), EXPLICIT: SKIN.tobytes(), RLE: b""}
    data = dicom(syntax, "RGB", frames[syntax])
    if syntax == RLE:
        data.compress(RLE, SKIN, encoding_plugin="pydicom")
    for keyword in [element.keyword for element in data if element.tag.group == 0x28 or element.keyword == "PixelData"]:
        for change in ("gone",) if keyword == "PixelData" else ("gone", "doubled", "empty", "word"):
            changed = pydicom.dcmread(saved(tmp_path, data))
            element = changed[keyword]
            if change == "gone":
                del changed[keyword]
            elif change == "word" and element.VR == "US":
                changed.add_new(element.tag, "LO", "many")
            else:
                element.value = None if change == "empty" else [element.value] * 2
            found = outcome(tmp_path, changed)
            assert isinstance(found, str) or found < 2, (keyword, change, found)


def test_floating_point_is_refused(tmp_path: Path) -> None:
    data = dicom(EXPLICIT, "MONOCHROME2", b"", None, SamplesPerPixel=1, BitsAllocated=32)
    data.FloatPixelData = SKIN[:, :, 0].astype(np.float32).tobytes()
    for keyword in ("BitsStored", "HighBit", "PixelRepresentation"):
        delattr(data, keyword)
    assert "floating point" in str(outcome(tmp_path, data))


def test_values_beyond_their_bits_are_no_picture(tmp_path: Path) -> None:
    deep = SKIN.astype(np.uint16) * 257
    tags = {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11}
    found = outcome(tmp_path, dicom(EXPLICIT, "RGB", deep.tobytes(), **tags))
    assert isinstance(found, str)


# --- damaged and hostile --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("syntax", [EXPLICIT, DEFLATED, RLE, JPEG, J2K])
def test_a_file_that_is_broken_off_is_refused(tmp_path: Path, syntax: str, share: float) -> None:
    noise = np.random.default_rng(5).integers(0, 256, SKIN.shape).astype(np.uint8)
    frames = {JPEG: jpeg(pixels=noise), J2K: jpeg_2000(0, noise)}
    native = syntax in (EXPLICIT, DEFLATED)
    data = dicom(syntax, "RGB", noise.tobytes() if native else in_frames(frames.get(syntax, b"no frame")))
    if syntax == RLE:
        data.compress(RLE, noise, encoding_plugin="pydicom")
    path = saved(tmp_path, data)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(PhotoError):
        read_photo(path)


@pytest.mark.parametrize("encode", [jpeg, lambda: jpeg_2000(0)], ids=["jpeg", "jpeg 2000"])
def test_a_frame_that_is_broken_off_is_damaged(tmp_path: Path, encode: Any) -> None:
    frame = encode()
    syntax = JPEG if encode is jpeg else J2K
    for share in (0.5, 0.95):
        data = dicom(syntax, "YBR_FULL_422" if encode is jpeg else "RGB", in_frames(frame[: int(len(frame) * share)]))
        assert "damaged" in str(outcome(tmp_path, data))


def test_a_deflated_file_that_grows_without_end_is_not_inflated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ulcermeter.photo.dicom.MAX_FILE_MB", 3)
    path = saved(tmp_path, dicom(DEFLATED, "RGB", SKIN.tobytes()))
    read_photo(path)
    start = path.read_bytes()
    body = 132 + 12 + int.from_bytes(start[140:144], "little")
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    grown = deflater.compress(zlib.decompress(start[body:], -zlib.MAX_WBITS) + bytes(4_000_000)) + deflater.flush()
    path.write_bytes(start[:body] + grown)
    assert path.stat().st_size < 30_000
    with pytest.raises(PhotoError, match="grows beyond"):
        read_photo(path)


def test_a_jpeg_of_many_scans_inside_is_refused(tmp_path: Path) -> None:
    frame = jpeg(progressive=True)
    last = frame.rindex(b"\xff\xda")
    many = frame[:-2] + frame[last:-2] * 120 + frame[-2:]
    assert "scans" in str(outcome(tmp_path, dicom(JPEG, "YBR_FULL_422", in_frames(many))))


def test_encoders_that_this_file_uses_are_at_hand() -> None:
    assert get_encoder(RLE).is_available
