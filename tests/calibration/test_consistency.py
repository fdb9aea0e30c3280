"""A stated size is held against a card that the photo shows too."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ulcermeter.calibration import calibrate
from ulcermeter.calibration.references.printed_card import card_texture
from ulcermeter.datatypes import CameraInfo, Photo
from ulcermeter.errors import Refusal


def dot_beside_a_card(diameter_mm: float) -> Photo:
    """A card seen square on at 10 px/mm, and a dot to its right."""
    pixels = np.full((1000, 1500, 3), 205, dtype=np.uint8)
    pixels[30:950, 20:1060] = card_texture(10.0)[..., :3]
    centre = (1250 * 16, 480 * 16)
    cv2.circle(pixels, centre, round(5 * diameter_mm * 16), (150, 40, 60), -1, cv2.LINE_AA, 4)
    return Photo(pixels, "c" * 64, None, CameraInfo("Phantom", "Pinhole 1", 26.0), Path("photo.jpg"))


BOX = (1150.0, 380.0, 200.0, 200.0)


def test_a_true_size_stands() -> None:
    calibration = calibrate(dot_beside_a_card(16.0), reference="disc:16", region=(1165.0, 395.0, 170.0, 170.0))
    assert calibration.px_per_mm(np.array([1250.0, 480.0])) == pytest.approx(10, rel=0.01)


def test_a_size_that_the_card_contradicts_is_refused() -> None:
    with pytest.raises(
        Refusal, match="disc:10: expected the scale that card on the same photo gives.*check the stated"
    ):
        calibrate(dot_beside_a_card(20.0), reference="disc:10", region=BOX)
