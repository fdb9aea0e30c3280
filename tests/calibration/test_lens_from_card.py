"""A lens is measured from photos of the card, and photos that cannot tell it are refused."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ulcermeter.calibration.card.layout import corner_places_mm
from ulcermeter.calibration.lens_from_card import fit_lens, fit_lens_to_corners
from ulcermeter.datatypes import CameraInfo, Photo, Points
from ulcermeter.errors import Refusal
from ulcermeter.protocol import read_protocol

CAMERA = CameraInfo("Phantom", "Pinhole 1", 26.0)
SHAPE = (1500, 2000)
MATRIX = np.array([[1480.0, 0, 1012.0], [0, 1480.0, 741.0], [0, 0, 1]])
DISTORTION = np.array([-0.06, 0.02, 0.0005, -0.0003, 0.0])


def views(tilt_deg: float, *, noise_px: float = 0.05) -> list[tuple[Points, Points]]:
    """Twelve views of the card, tilted to every side."""
    rng = np.random.default_rng(5)
    plane = np.array(list(corner_places_mm().values()))
    out = []
    for k in range(12):
        lean = np.deg2rad(tilt_deg) * np.array([np.cos(k), np.sin(k), 0.3 * np.sin(2 * k)])
        place = np.array([-52 + 12 * np.cos(1.7 * k), -50 + 9 * np.sin(2.3 * k), 115.0 + 4 * k])
        solid = np.column_stack([plane, np.zeros(len(plane))])
        seen = cv2.projectPoints(solid, lean, place, MATRIX, DISTORTION)[0].reshape(-1, 2)
        out.append((seen + rng.normal(0, noise_px, seen.shape), plane))
    return out


def test_a_lens_is_measured_from_tilted_views() -> None:
    lens = fit_lens_to_corners(views(30.0), shape=SHAPE, camera=CAMERA)
    assert lens.focal_rel == pytest.approx(1480 / 2000, rel=0.003)
    assert lens.centre_rel[0] == pytest.approx((1012 - 999.5) / 2000, abs=0.002)
    assert lens.distortion[0] == pytest.approx(-0.06, abs=0.01)
    assert lens.rms_px < 0.1 and lens.n_photos == 12 and lens.camera == CAMERA


def test_corners_that_fit_no_lens_are_refused() -> None:
    with pytest.raises(Refusal, match="fit one lens.*keep the card flat"):
        fit_lens_to_corners(views(30.0, noise_px=4.0), shape=SHAPE, camera=CAMERA)


def blank(make: str) -> Photo:
    return Photo(np.full((300, 400, 3), 200, np.uint8), "a" * 64, None, CameraInfo(make, "X", 26.0), Path("a.jpg"))


def test_photos_without_the_card_or_of_two_cameras_are_refused() -> None:
    protocol = read_protocol("manus")
    with pytest.raises(Refusal, match=r"on at least 6 photos, got 0 \(not on a.jpg"):
        fit_lens([blank("A")] * 7, protocol=protocol)
    with pytest.raises(Refusal, match="photos of one camera"):
        fit_lens([blank("A"), blank("B")], protocol=protocol)
