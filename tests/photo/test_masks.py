"""Masks as other programs save them: each reads as the drawing it is, or is refused in a sentence."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from ulcermeter.errors import PhotoError
from ulcermeter.photo import read_mask, read_photo

SHAPE = (60, 92)
ROWS, COLS = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]]
DRAWN = ((COLS - 50) / 22.0) ** 2 + ((ROWS - 22) / 12.0) ** 2 <= 1
GREY = DRAWN.astype(np.uint8)


def saved(path: Path, image: Image.Image, **options: Any) -> Path:
    image.save(path, **options)
    return path


def layer(colour: tuple[int, int, int], *, under: tuple[int, int, int] = (0, 0, 0), opacity: int = 255) -> Image.Image:
    """Return a drawing of one colour on a layer that is transparent elsewhere, with a hidden colour under it."""
    rgba = np.zeros((*SHAPE, 4), np.uint8)
    rgba[..., :3], rgba[DRAWN, :3], rgba[DRAWN, 3] = under, colour, opacity
    return Image.fromarray(rgba)


def cut_out() -> Image.Image:
    noise = np.random.default_rng(1).integers(30, 220, (*SHAPE, 3), dtype=np.uint8)
    return Image.fromarray(np.dstack([noise, GREY * 255]))


def palette(*colours: tuple[int, int, int]) -> Image.Image:
    image = Image.fromarray(GREY, mode="P")
    image.putpalette([level for colour in colours for level in colour])
    return image


def opaque(alpha: int) -> Image.Image:
    return Image.fromarray(np.dstack([GREY * 255] * 3 + [np.full(SHAPE, alpha, np.uint8)]))


READ = {
    "red layer": lambda: layer((255, 0, 0)),
    "black layer": lambda: layer((0, 0, 0)),
    "white layer on hidden white": lambda: layer((255, 255, 255), under=(255, 255, 255)),
    "half transparent layer": lambda: layer((0, 200, 0), opacity=120),
    "grey layer": lambda: Image.fromarray(np.dstack([GREY * 90, GREY * 255]), mode="LA"),
    "photo cut out": cut_out,
    "opaque with alpha": lambda: opaque(255),
    "evenly half transparent": lambda: opaque(128),
    "palette 0, 1": lambda: palette((0, 0, 0), (128, 0, 0)),
    "palette as ramp": lambda: palette((0, 0, 0), (1, 1, 1)),
    "zeros and ones": lambda: Image.fromarray(GREY),
    "zeros and sevens": lambda: Image.fromarray(GREY * 7),
    "16 bit of 0, 1": lambda: Image.fromarray(GREY.astype(np.uint16)),
    "16 bit of 0, 255": lambda: Image.fromarray(GREY.astype(np.uint16) * 255),
    "16 bit of 0, 65535": lambda: Image.fromarray(GREY.astype(np.uint16) * 65535),
}


@pytest.mark.parametrize("kind", READ)
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_the_drawing_is_read_whatever_it_is_saved_as(tmp_path: Path, kind: str, suffix: str) -> None:
    image = READ[kind]()
    read = read_mask(saved(tmp_path / f"m.{suffix}", image), SHAPE)
    assert read.dtype == bool and np.array_equal(read, DRAWN)


def test_a_palette_with_a_transparent_colour_is_a_layer(tmp_path: Path) -> None:
    image = palette((255, 255, 255), (250, 250, 250))
    assert np.array_equal(read_mask(saved(tmp_path / "m.png", image, transparency=0), SHAPE), DRAWN)


@pytest.mark.parametrize("soft", [0.6, 1.0])
def test_a_soft_layer_is_cut_at_half_its_opacity(tmp_path: Path, soft: float) -> None:
    alpha = cv2.GaussianBlur(DRAWN.astype(np.float32), (0, 0), soft)
    rgba = np.dstack([np.full((*SHAPE, 3), 10, np.uint8), (alpha * 255).astype(np.uint8)])
    read = read_mask(saved(tmp_path / "m.png", Image.fromarray(rgba)), SHAPE)
    assert abs(read.sum() / DRAWN.sum() - 1) < 0.03


def tiff(path: Path, *, bits: int, white_is_zero: bool, stored: np.ndarray) -> Path:
    """Write an uncompressed grey TIFF by hand, tag 262 (PhotometricInterpretation) as told."""
    data = np.packbits(stored, axis=1).tobytes() if bits == 1 else stored.astype(f"<u{bits // 8}").tobytes()
    fields = {256: SHAPE[1], 257: SHAPE[0], 258: bits, 259: 1, 262: int(not white_is_zero), 277: 1, 278: SHAPE[0]}
    fields |= {273: 8, 279: len(data)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, fields[tag]) for tag in sorted(fields))
    head = b"II*\0" + struct.pack("<I", 8 + len(data))
    path.write_bytes(head + data + struct.pack("<H", len(fields)) + entries + b"\0" * 4)
    return path


@pytest.mark.parametrize("bits", [1, 8])
@pytest.mark.parametrize("white_is_zero", [False, True])
def test_white_is_the_ulcer_in_a_tiff_whichever_number_white_is(tmp_path: Path, bits: int, white_is_zero: bool) -> None:
    top = 2**bits - 1
    stored = np.where(DRAWN ^ white_is_zero, top, 0)
    path = tiff(tmp_path / "m.tif", bits=bits, white_is_zero=white_is_zero, stored=stored)
    assert np.array_equal(read_mask(path, SHAPE), DRAWN)


@pytest.mark.parametrize("quality", [30, 75, 95])
def test_the_fringes_of_a_compressed_mask_are_no_drawing(tmp_path: Path, quality: int) -> None:
    read = read_mask(saved(tmp_path / "m.jpg", Image.fromarray(GREY * 255), quality=quality), SHAPE)
    assert cv2.connectedComponents(read.astype(np.uint8))[0] == 2
    assert abs(read.sum() / DRAWN.sum() - 1) < 0.03


LABELS = (GREY + 2 * ((COLS < 20) & (ROWS > 40))).astype(np.uint16)
VOID = np.where(cv2.dilate(GREY, np.ones((7, 7))) > GREY, 255, GREY).astype(np.uint8)
BLACK_ON_WHITE = np.dstack([(1 - GREY) * 255] * 3 + [np.where(COLS < 80, 255, 0)]).astype(np.uint8)
REFUSED = {
    "labels": (lambda: Image.fromarray(LABELS.astype(np.uint8)), "two values"),
    "labels of 16 bits": (lambda: Image.fromarray(LABELS), "two values"),
    "a label in a ring of 255": (lambda: Image.fromarray(VOID), "two values"),
    "drawn on the photo": (
        lambda: Image.fromarray(np.asarray(cut_out())[..., :3] // 2 + GREY[..., None] * 90),
        "two v",
    ),
    "nothing opaque": (lambda: layer((255, 0, 0), opacity=0), "transparent all over"),
    "black and white and transparent": (lambda: Image.fromarray(BLACK_ON_WHITE), "in one colour"),
    "palette of two blacks": (lambda: palette((0, 0, 0), (0, 0, 0)), "both shown as black"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_may_be_two_drawings_is_refused(tmp_path: Path, kind: str) -> None:
    make, told = REFUSED[kind]
    with pytest.raises(PhotoError, match=told):
        read_mask(saved(tmp_path / "m.png", make()), SHAPE)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bit_colours_too_dark_to_show_are_refused(tmp_path: Path, suffix: str) -> None:
    path, colours = str(tmp_path / f"m.{suffix}"), np.dstack([GREY.astype(np.uint16)] * 3)
    cv2.imwrite(path, colours)
    with pytest.raises(PhotoError, match="both shown as black"):
        read_mask(path, SHAPE)
    cv2.imwrite(path, 0 * colours)
    assert not read_mask(path, SHAPE).any()


@pytest.mark.parametrize("head", [b"\0\0\0\x18ftypheic", b"\0" * 128 + b"DICM"])
def test_kinds_that_nobody_draws_in_are_refused(tmp_path: Path, head: bytes) -> None:
    (tmp_path / "m").write_bytes(head + b"\0" * 40)
    with pytest.raises(PhotoError, match="PNG, TIFF or JPEG"):
        read_mask(tmp_path / "m", SHAPE)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_mask_of_the_stored_grid_is_turned_or_refused(tmp_path: Path, orientation: int) -> None:
    """The same pixels stand in the photo and in the mask: upright, the photo's own red is where the mask is."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.dstack([GREY * 255, GREY * 0, GREY * 0]))
    photo = read_photo(saved(tmp_path / "photo.png", stored, exif=exif))
    upright, shape = photo.pixels[..., 0] > 127, photo.pixels.shape[:2]
    unturned, turned = (saved(tmp_path / f"{k}.png", Image.fromarray(one)) for k, one in enumerate((DRAWN, upright)))
    assert photo.orientation == orientation
    assert np.array_equal(read_mask(turned, shape, orientation=orientation), upright)
    if orientation >= 5:
        assert np.array_equal(read_mask(unturned, shape, orientation=orientation), upright)
    with pytest.raises(PhotoError, match="EXIF orientation, 1, does not tell which way"):
        read_mask(unturned, SHAPE[::-1], orientation=1)


def test_a_mask_whose_own_tag_turns_it_wrongly_is_refused(tmp_path: Path) -> None:
    """Drawn upright and saved with the photo's tag: turned by either tag it would lie on its side or on its head."""
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(tmp_path / "m.png", Image.fromarray(GREY * 255), exif=exif)
    with pytest.raises(PhotoError, match="its own EXIF orientation, 6"):
        read_mask(path, SHAPE, orientation=6)


@pytest.mark.parametrize("specks", [[(3, 5)], [(3, 5), (50, 80), (51, 80)], [(58, 2), (58, 3), (57, 2)]])
def test_specks_beside_a_drawing_are_told_and_never_ulcers(tmp_path: Path, specks: list[tuple[int, int]]) -> None:
    stray = GREY * 255
    for at in specks:
        stray[at] = 255
    with pytest.raises(PhotoError, match="remove the specks"):
        read_mask(saved(tmp_path / "a.png", Image.fromarray(stray)), SHAPE)


def test_a_small_drawing_is_a_drawing(tmp_path: Path) -> None:
    """A dot alone, a second ulcer of 2 × 2 px, and a hole are no specks."""
    dot, second, hole = np.zeros(SHAPE, np.uint8), GREY * 255, GREY * 255
    dot[20, 30], second[50:52, 10:12], hole[22, 50] = 255, 255, 0
    for drawn in (dot, second, hole):
        assert np.array_equal(read_mask(saved(tmp_path / "a.png", Image.fromarray(drawn)), SHAPE), drawn > 0)
