"""Colour is brought to a standard by the card, and left alone without one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ulcermeter.calibration import calibrate
from ulcermeter.calibration.card.colour import standardise_colour
from ulcermeter.calibration.references.printed_card import card_texture
from ulcermeter.datatypes import CameraInfo, Note, NoteKind, Photo
from ulcermeter.reference import parse_reference

SKIN = (205, 160, 140)


def lit(gains: tuple[float, float, float]) -> Photo:
    """A card seen square on, skin in its opening, under light of a colour (gains of linear light)."""
    pixels = np.full((1000, 1200, 3), 150, dtype=np.uint8)
    texture = card_texture(10.0)
    pixels[40:960, 60:1100] = np.where(texture[..., 3:] > 0, texture[..., :3], np.array(SKIN))
    light = (pixels / 255.0) ** 2.2 * np.array(gains)
    return Photo(
        (255 * np.clip(light, 0, 1) ** (1 / 2.2)).round().astype(np.uint8), "d" * 64, None, CameraInfo(), Path("a.jpg")
    )


def skin_of(photo: Photo) -> NDArray[np.float64]:
    return np.median(photo.pixels[600:800, 500:600].reshape(-1, 3), axis=0)


def test_two_lights_give_one_colour() -> None:
    skins = []
    for gains in ((0.75, 0.60, 0.40), (0.40, 0.50, 0.62)):
        photo = lit(gains)
        balanced, record = standardise_colour(photo, calibrate(photo, reference="card"))
        assert record is not None and record.kind is NoteKind.COLOUR_STANDARDISED and len(record.values) == 3
        skins.append(skin_of(balanced))
    assert np.abs(skins[0] - skins[1]).max() <= 4
    assert np.abs(skin_of(lit((0.75, 0.60, 0.40))) - skin_of(lit((0.40, 0.50, 0.62)))).max() > 20


def test_a_burnt_out_patch_changes_nothing_and_is_said() -> None:
    photo = lit((1.6, 1.5, 1.4))
    same, record = standardise_colour(photo, calibrate(photo, reference="card"))
    assert same is photo and record == Note(NoteKind.WHITE_PATCH_UNUSABLE)


def test_without_a_card_nothing_is_invented() -> None:
    photo = lit((0.75, 0.60, 0.40))
    other = replace(calibrate(photo, reference="card"), reference=parse_reference("disc:10"))
    assert standardise_colour(photo, other) == (photo, None)
