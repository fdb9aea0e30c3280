"""Pictures come in by one door: upright, 8-bit sRGB, and refused in a sentence when they cannot be used."""

from __future__ import annotations

import builtins
import hashlib
import io
import struct
import subprocess
import sys
import tracemalloc
import zlib
from datetime import datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from ulcermeter.errors import MissingDependencyError, PhotoError
from ulcermeter.photo import MAX_MEGAPIXELS, read_mask, read_photo
from ulcermeter.photo.formats import decode


@pytest.fixture
def colours() -> np.ndarray:
    """A smooth picture without symmetry, 57 × 91."""
    y, x = np.mgrid[0:57, 0:91]
    return np.stack([2 * x + 20, 3 * y + 40, 200 - x - y], axis=-1).clip(0, 255).astype(np.uint8)


def saved(path: Path, image: Image.Image, **options: Any) -> Path:
    image.save(path, **options)
    return path


def exif(orientation: int = 1, **inner: Any) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags[0x010F], tags[0x0110] = "Maker", "Model 3\0"
    names = {"taken": 0x9003, "digitised": 0x9004, "focal": 0xA405}
    for name, value in inner.items():
        tags.get_ifd(0x8769)[names[name]] = value
    return tags


# --- what is read ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_pixels_of_lossless_files_are_kept(tmp_path: Path, colours: np.ndarray, suffix: str) -> None:
    path = saved(tmp_path / f"a.{suffix}", Image.fromarray(colours))
    photo = read_photo(path)
    assert np.array_equal(photo.pixels, colours)
    assert photo.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert photo.path == path and photo.taken_at is None and photo.camera.focal_35mm_mm is None


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
def test_photos_are_upright_in_every_format(tmp_path: Path, colours: np.ndarray, suffix: str, orientation: int) -> None:
    options = {"quality": 95, "subsampling": 0} if suffix == "jpg" else {}
    path = saved(tmp_path / f"a.{suffix}", Image.fromarray(colours), exif=exif(orientation), **options)
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image)).astype(int)
    pixels = read_photo(path).pixels
    assert pixels.shape == expected.shape and pixels.flags.c_contiguous
    assert np.abs(pixels - expected).max() <= 3


def test_camera_and_time_come_from_exif(tmp_path: Path, colours: np.ndarray) -> None:
    tags = exif(taken="2024:02:29 08:05:01", focal=27)
    photo = read_photo(saved(tmp_path / "a.jpg", Image.fromarray(colours), exif=tags))
    assert photo.taken_at == datetime(2024, 2, 29, 8, 5, 1)
    assert (photo.camera.make, photo.camera.model, photo.camera.focal_35mm_mm) == ("Maker", "Model 3", 27.0)


def test_unknown_exif_values_are_none(tmp_path: Path, colours: np.ndarray) -> None:
    tags = exif(taken="0000:00:00 00:00:00", focal=0)
    tags[0x0132] = "2020:01:01 00:00:00"  # the date of the last edit says nothing
    photo = read_photo(saved(tmp_path / "a.jpg", Image.fromarray(colours), exif=tags))
    assert photo.taken_at is None and photo.camera.focal_35mm_mm is None


def test_damaged_exif_is_no_reason_to_lose_a_photo(tmp_path: Path, colours: np.ndarray) -> None:
    path = saved(tmp_path / "a.jpg", Image.fromarray(colours), exif=b"Exif\0\0II*\0\xff\xff\xff\x7f")
    assert read_photo(path).camera.make is None


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
def test_grey_becomes_rgb(tmp_path: Path, colours: np.ndarray, suffix: str) -> None:
    grey = colours[:, :, 0]
    pixels = read_photo(saved(tmp_path / f"a.{suffix}", Image.fromarray(grey))).pixels
    assert pixels.shape == (57, 91, 3)
    assert np.abs(pixels.astype(int) - grey[:, :, None]).max() <= 3


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_16_bits_are_scaled_to_8(tmp_path: Path, colours: np.ndarray, suffix: str, channels: int) -> None:
    deep = colours.astype(np.uint16) * 257
    path = tmp_path / f"a.{suffix}"
    assert cv2.imwrite(str(path), deep[:, :, 0] if channels == 1 else deep[:, :, ::-1])
    expected = colours[:, :, :1] if channels == 1 else colours
    assert np.abs(read_photo(path).pixels.astype(int) - expected).max() <= 1


def test_cmyk_is_converted(tmp_path: Path) -> None:
    flat = Image.new("RGB", (90, 60), (200, 60, 40))
    for suffix in ("jpg", "tif"):
        pixels = read_photo(saved(tmp_path / f"a.{suffix}", flat.convert("CMYK"))).pixels
        assert np.abs(pixels.astype(int) - (200, 60, 40)).max() <= 3


def test_transparency_is_laid_over_white(tmp_path: Path, colours: np.ndarray) -> None:
    alpha = np.zeros(colours.shape[:2], np.uint8)
    alpha[:, 40:], alpha[:, 70:] = 255, 128
    path = saved(tmp_path / "a.png", Image.fromarray(np.dstack([colours, alpha])))
    pixels = read_photo(path).pixels.astype(int)
    assert (pixels[:, :40] == 255).all() and np.array_equal(pixels[:, 40:70], colours[:, 40:70])
    half = (colours[:, 70:].astype(int) * 128 + 255 * 127) / 255
    assert np.abs(pixels[:, 70:] - half).max() <= 1


def test_palette_is_resolved(tmp_path: Path, colours: np.ndarray) -> None:
    image = Image.fromarray(colours).quantize(32)
    expected = np.asarray(image.convert("RGB"))
    assert np.array_equal(read_photo(saved(tmp_path / "a.png", image)).pixels, expected)
    image.info["transparency"] = 0
    assert read_photo(saved(tmp_path / "b.png", image, transparency=0)).pixels.shape == expected.shape


def test_a_colour_profile_is_applied(tmp_path: Path) -> None:
    image = Image.new("RGB", (60, 90), (120, 90, 60))
    same = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert (read_photo(saved(tmp_path / "a.png", image, icc_profile=same)).pixels == (120, 90, 60)).all()
    assert (read_photo(saved(tmp_path / "b.png", image, icc_profile=b"broken")).pixels == (120, 90, 60)).all()
    swapped = _profile_with_red_and_blue_swapped(same)
    assert (
        np.abs(read_photo(saved(tmp_path / "c.png", image, icc_profile=swapped)).pixels[0, 0] - [60.0, 90, 120]).max()
        < 12
    )


def _profile_with_red_and_blue_swapped(profile: bytes) -> bytes:
    """The sRGB profile whose red and blue primaries stand under each other's name, and which is called otherwise."""
    data = bytearray(profile)
    n = struct.unpack(">I", data[128:132])[0]
    at = {bytes(data[132 + 12 * i : 136 + 12 * i]): 132 + 12 * i for i in range(n)}
    red, blue = at[b"rXYZ"], at[b"bXYZ"]
    data[red + 4 : red + 12], data[blue + 4 : blue + 12] = data[blue + 4 : blue + 12], data[red + 4 : red + 12]
    return bytes(data).replace("sRGB".encode("utf-16-be"), "test".encode("utf-16-be"))


def test_the_name_does_not_decide(tmp_path: Path, colours: np.ndarray) -> None:
    path = tmp_path / "really_a_png.jpg"
    Image.fromarray(colours).save(path, format="PNG")
    assert np.array_equal(read_photo(path).pixels, colours)


# --- what is refused ------------------------------------------------------------------------------------------------


def refused(path: Path) -> str:
    """Return the sentence; it names the file, and says what was expected, got and can be done."""
    with pytest.raises(PhotoError) as caught:
        read_photo(path)
    text = str(caught.value)
    assert text.startswith(str(path)) and "expected" in text and "got" in text and text.endswith(".") and ";" in text
    assert "\n" not in text
    return text


def test_a_missing_file(tmp_path: Path) -> None:
    assert "check the path" in refused(tmp_path / "none.jpg")
    refused(tmp_path)


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"")
    assert "0 bytes" in refused(tmp_path / "a.jpg")


@pytest.mark.parametrize("content", [b"photo,subject_id\n1,S01\n", b"%PDF-1.4 ...", b"\xff\xd8\xff", b"II*\0junk"])
def test_no_picture(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "notes.jpg").write_bytes(content)
    refused(tmp_path / "notes.jpg")


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
@pytest.mark.parametrize("share", [0.15, 0.5, 0.97])
def test_truncated(tmp_path: Path, suffix: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 300, 3)).astype(np.uint8)
    path = saved(tmp_path / f"a.{suffix}", Image.fromarray(noise))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    refused(path)


def test_a_truncated_jpeg_with_a_whole_thumbnail(tmp_path: Path, colours: np.ndarray) -> None:
    thumbnail = io.BytesIO()
    Image.fromarray(colours).resize((40, 30)).save(thumbnail, format="JPEG")
    path = saved(tmp_path / "a.jpg", Image.fromarray(colours), exif=b"Exif\0\0" + thumbnail.getvalue())
    read_photo(path)
    path.write_bytes(path.read_bytes()[:-40])
    assert "truncated" in refused(path)


def test_progressive_jpeg_and_bytes_behind_the_end_are_read(tmp_path: Path, colours: np.ndarray) -> None:
    path = saved(tmp_path / "a.jpg", Image.fromarray(colours), progressive=True)
    path.write_bytes(path.read_bytes() + b"\0" * 5000)
    assert read_photo(path).pixels.shape == colours.shape


def huge_png(path: Path, width: int, height: int) -> Path:
    """A PNG that states a size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    )
    return path


@pytest.mark.parametrize("size", [(10001, 10000), (40000, 30000), (2**31 - 1, 2**31 - 1)])
def test_more_than_100_megapixels_before_decoding(
    tmp_path: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("decoded")

    for module, name in ((cv2, "imdecode"), (cv2, "imread"), (Image.Image, "load")):
        monkeypatch.setattr(module, name, never)
    assert f"{MAX_MEGAPIXELS} megapixels" in refused(huge_png(tmp_path / "a.png", *size))


def test_a_thumbnail(tmp_path: Path) -> None:
    assert "thumbnail" in refused(saved(tmp_path / "a.png", Image.new("RGB", (15, 400))))


def test_several_pages(tmp_path: Path, colours: np.ndarray) -> None:
    image = Image.fromarray(colours)
    assert "got 2" in refused(saved(tmp_path / "a.tif", image, save_all=True, append_images=[image]))


def test_floating_point(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.tif", Image.fromarray(np.linspace(0, 1, 3000, dtype=np.float32).reshape(50, 60)))
    assert "floating point" in refused(path)


def test_other_formats(tmp_path: Path, colours: np.ndarray) -> None:
    assert "JPEG, PNG, TIFF" in refused(saved(tmp_path / "a.bmp", Image.fromarray(colours)))
    assert "JPEG, PNG, TIFF" in refused(saved(tmp_path / "a.gif", Image.fromarray(colours)))


# --- extras ---------------------------------------------------------------------------------------------------------

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 300
DICOM = b"\0" * 128 + b"DICM" + b"\0" * 300


@pytest.mark.parametrize(("content", "package", "extra"), [(HEIC, "pi_heif", "heic"), (DICOM, "pydicom", "dicom")])
def test_a_missing_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, package: str, extra: str
) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.split(".")[0] == package:
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(MissingDependencyError, match=rf"ulcermeter\[{extra}\]"):
        read_photo(tmp_path / "a.jpg")


def test_heic_is_read(tmp_path: Path, colours: np.ndarray) -> None:
    pytest.importorskip("pi_heif", reason="the extra heic is not installed")
    (tmp_path / "a.heic").write_bytes(HEIC)
    assert "damaged" in refused(tmp_path / "a.heic")


def test_dicom_is_read(tmp_path: Path, colours: np.ndarray) -> None:
    pydicom = pytest.importorskip("pydicom", reason="the extra dicom is not installed")
    path = tmp_path / "a.dcm"
    _write_dicom(pydicom, path, colours)
    photo = read_photo(path)
    assert np.array_equal(photo.pixels, colours)
    assert photo.taken_at == datetime(2024, 3, 5, 10, 20, 30) and photo.camera.model == "Scope"
    path.write_bytes(path.read_bytes()[:-500])
    refused(path)


def _write_dicom(pydicom: Any, path: Path, pixels: np.ndarray) -> None:
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.77.1.4", "1.2.3"
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    data.Rows, data.Columns, data.SamplesPerPixel, data.PlanarConfiguration = *pixels.shape[:2], 3, 0
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit, data.PixelRepresentation, data.PhotometricInterpretation = 7, 0, "RGB"
    data.ContentDate, data.ContentTime, data.ManufacturerModelName = "20240305", "102030", "Scope"
    data.PixelData = pixels.tobytes() + b"\0" * (pixels.size % 2)
    data.save_as(path, enforce_file_format=True)


def test_opencv_without_its_system_library_says_what_to_install() -> None:
    code = (
        "import sys\n"
        "class Broken:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'cv2': raise ImportError('libGL.so.1: cannot open shared object file')\n"
        "sys.meta_path.insert(0, Broken())\n"
        "from ulcermeter.errors import MissingDependencyError\n"
        "try:\n"
        "    import ulcermeter.photo\n"
        "except MissingDependencyError as error:\n"
        "    print(error)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "libGL.so.1" in said and "libgl1" in said and "opencv-python-headless" in said


# --- tracings -------------------------------------------------------------------------------------------------------


@pytest.fixture
def shape() -> np.ndarray:
    drawn = np.zeros((57, 91), bool)
    drawn[10:30, 50:80] = True
    drawn[25:40, 55:60] = True
    return drawn


@pytest.mark.parametrize("kind", ["255", "one", "1bit", "rgb", "palette", "alpha", "16bit"])
def test_tracings_of_every_kind(tmp_path: Path, shape: np.ndarray, kind: str) -> None:
    grey = shape.astype(np.uint8)
    rgba = np.zeros((*shape.shape, 4), np.uint8)
    rgba[..., 3], rgba[shape, :3] = 255, (255, 0, 0)
    made = {
        "255": Image.fromarray(grey * 255),
        "one": Image.fromarray(grey),
        "1bit": Image.fromarray(grey * 255).convert("1"),
        "rgb": Image.fromarray(np.dstack([grey * 200, grey * 0, grey * 0])),
        "palette": Image.fromarray(np.dstack([grey * 200, grey * 90, grey * 0])).quantize(4),
        "alpha": Image.fromarray(rgba),
        "16bit": Image.fromarray(grey.astype(np.uint16) * 65535),
    }
    mask = read_mask(saved(tmp_path / "m.png", made[kind]), (57, 91))
    assert mask.dtype == bool and np.array_equal(mask, shape)


def test_an_antialiased_and_a_jpeg_tracing(tmp_path: Path, shape: np.ndarray) -> None:
    soft = cv2.GaussianBlur(shape.astype(np.float32), (0, 0), 1.0)
    path = saved(tmp_path / "m.jpg", Image.fromarray((soft * 255).astype(np.uint8)), quality=90)
    assert np.mean(read_mask(path, (57, 91)) != shape) < 0.01


def test_an_empty_tracing(tmp_path: Path) -> None:
    assert not read_mask(saved(tmp_path / "m.png", Image.new("L", (91, 57))), (57, 91)).any()


def test_a_tracing_of_another_shape(tmp_path: Path, shape: np.ndarray) -> None:
    path = saved(tmp_path / "m.png", Image.fromarray(shape))
    with pytest.raises(PhotoError, match=r"57 × 91 px, got 91 × 57 px"):
        read_mask(path, (91, 57))


def test_a_tracing_of_many_values(tmp_path: Path, colours: np.ndarray, shape: np.ndarray) -> None:
    with pytest.raises(PhotoError, match="two values"):
        read_mask(saved(tmp_path / "a.png", Image.fromarray(colours)), (57, 91))
    labels = shape.astype(np.uint8)
    labels[40:50, 10:40] = 2
    with pytest.raises(PhotoError, match="two values"):
        read_mask(saved(tmp_path / "b.png", Image.fromarray(labels)), (57, 91))


def test_a_tracing_that_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "m.png").write_bytes(b"x,y\n1,2\n")
    with pytest.raises(PhotoError, match="none of these"):
        read_mask(tmp_path / "m.png", (57, 91))
    with pytest.raises(PhotoError, match="check the path"):
        read_mask(tmp_path / "none.png", (57, 91))


def test_an_ordinary_photo_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path / "a.jpg", Image.new("RGB", (200, 150), (90, 60, 50)), quality=92)
    decode, decoded = cv2.imdecode, []

    def counted(data: Any, flags: int) -> Any:
        decoded.append(flags)
        return decode(data, flags)

    monkeypatch.setattr(cv2, "imdecode", counted)
    assert read_photo(path).pixels.shape == (150, 200, 3)
    assert len(decoded) == 1


def test_transparency_of_a_large_photo_takes_little_memory_beside_it(tmp_path: Path) -> None:
    """What is counted are arrays; laid over white as a whole, they took over 12 bytes a pixel beside the photo's 3."""
    pixels = np.zeros((3000, 4000, 4), np.uint8)
    pixels[:1500, :, 3], pixels[:, 1000:, :3] = 255, 77
    path = saved(tmp_path / "a.png", Image.fromarray(pixels), compress_level=1)
    data = path.read_bytes()
    tracemalloc.start()
    decoded = decode(data, path).pixels
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert decoded[0, 0].tolist() == [0, 0, 0] and decoded[-1, -1].tolist() == [255, 255, 255]
    assert peak < 2 * decoded.nbytes
