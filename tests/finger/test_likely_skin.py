"""Where skin may be: pictures of flat colours whose places are known."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from ulcermeter.calibration import calibrate
from ulcermeter.datatypes import Calibration, CameraInfo, Photo
from ulcermeter.finger import likely_skin

# sRGB of skin of the first and the last Fitzpatrick tones (von Luschan's plates 5 and 34), of cloth, paper and steel.
PALE, DARK, DRAPE, PAPER, STEEL = (241, 209, 196), (74, 46, 38), (70, 140, 130), (245, 245, 245), (120, 124, 128)
SCALE = 10.0


def shown(ground: tuple[int, int, int], *parts: tuple[tuple[int, int, int], slice, slice]) -> tuple[Photo, Calibration]:
    """Return a photo of 60 x 40 mm at 10 px/mm with parts (colour, rows, cols) on a ground."""
    pixels = np.full((400, 600, 3), ground, np.uint8)
    for colour, rows, cols in parts:
        pixels[rows, cols] = colour
    photo = Photo(pixels, "0" * 64, datetime(2024, 3, 5, 9), CameraInfo(), Path("a.jpg"))
    return photo, calibrate(photo, reference=f"scale:{SCALE}")


@pytest.mark.parametrize("skin", [PALE, DARK])
@pytest.mark.parametrize("ground", [DRAPE, PAPER, STEEL])
def test_the_box_holds_the_skin_and_little_else(skin: tuple[int, int, int], ground: tuple[int, int, int]) -> None:
    found = likely_skin(*shown(ground, (skin, np.s_[100:400], np.s_[200:360]))).box()
    assert found is not None
    x, y, width, height = found
    assert (x, y, x + width, y + height) == pytest.approx((199.5, 99.5, 359.5, 399.5), abs=10)


def test_specks_and_the_reference_are_no_skin() -> None:
    photo, stated = shown(PAPER, (PALE, np.s_[50:80], np.s_[50:80]))
    assert likely_skin(photo, stated).box() is None
    photo, stated = shown(PAPER, (PALE, np.s_[50:150], np.s_[50:150]))
    assert likely_skin(photo, stated).box() is not None
    outline = np.array([[40.0, 40], [160, 40], [160, 160], [40, 160]])
    assert likely_skin(photo, replace(stated, reference_outline_px=outline)).box() is None


def test_what_lies_beside_skin_is_near_it() -> None:
    found = likely_skin(*shown(PAPER, (DARK, np.s_[100:400], np.s_[200:360])))
    points = np.array([[280.0, 200], [280, 70], [280, 45], [390, 200], [415, 200], [599, 399]])
    assert found.near(points).tolist() == [True, True, False, True, False, False]


@pytest.mark.parametrize(("wide_mm", "hand"), [(24, False), (50, True)])
def test_a_hand_shows_more_skin_than_a_finger(wide_mm: int, hand: bool) -> None:
    """40 mm of a broad thumb are 960 mm2; the ends of five fingers 2000."""
    photo, stated = shown(PAPER, (PALE, np.s_[0:400], np.s_[50 : 50 + 10 * wide_mm]))
    assert likely_skin(photo, stated).may_be_a_hand == hand
