"""The card: true to size on paper, and found on drawn photos."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ulcermeter.calibration import calibrate
from ulcermeter.calibration.card.layout import CARD_MM, OPENING_MM, SQUARE_MM, corner_places_mm
from ulcermeter.calibration.card.print import BAR_MM, PAPERS_MM, card_place_mm
from ulcermeter.calibration.references.printed_card import card_texture, write_card
from ulcermeter.datatypes import CameraInfo, Photo, transform_points
from ulcermeter.errors import Refusal
from ulcermeter.phantom import draw_phantom, random_spec


def photo_of(pixels: NDArray[np.uint8], focal_35mm_mm: float | None = 26.0) -> Photo:
    sha256 = hashlib.sha256(pixels.tobytes()).hexdigest()
    return Photo(pixels, sha256, None, CameraInfo("Phantom", "Pinhole 1", focal_35mm_mm), Path("photo.jpg"))


def rasterised(path: Path, px_per_mm: float) -> NDArray[np.uint8]:
    pypdfium2 = pytest.importorskip("pypdfium2")
    page = pypdfium2.PdfDocument(path)[0]
    return np.asarray(page.render(scale=px_per_mm * 25.4 / 72).to_numpy()[..., :3])


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_the_page_is_true_to_size(tmp_path: Path, paper: str) -> None:
    px_per_mm = 12.0
    page = rasterised(write_card(tmp_path / "card.pdf", paper=paper), px_per_mm)
    expected = np.array(PAPERS_MM[paper.lower()]) * px_per_mm
    np.testing.assert_allclose([page.shape[1], page.shape[0]], expected, atol=1.5)
    grey = page.mean(axis=2)
    # The bar is the longest run of black on the page.
    runs = (grey < 60).sum(axis=1)
    row = grey[int(np.argmax(np.where(runs > 0.9 * BAR_MM * px_per_mm, runs, 0)))] < 128
    assert row.sum() / px_per_mm == pytest.approx(BAR_MM, abs=0.1)
    calibration = calibrate(photo_of(page), reference="card")
    assert calibration.px_per_mm(np.array(expected) / 2) == pytest.approx(px_per_mm, rel=2e-4)
    left, top = calibration.to_px(np.zeros((1, 2)))[0] / px_per_mm
    np.testing.assert_allclose([left, top], card_place_mm(paper.lower()), atol=0.1)


def test_another_paper_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="expected A4 or Letter, got 'A3'"):
        write_card(tmp_path / "card.pdf", paper="A3")


def test_the_same_card_is_the_same_file(tmp_path: Path) -> None:
    first, second = (write_card(tmp_path / name).read_bytes() for name in ("a.pdf", "b.pdf"))
    assert first == second


def test_the_texture_is_the_card_with_its_opening_clear() -> None:
    texture = card_texture(10.0)
    assert texture.shape == (920, 1040, 4)
    left, top, right, bottom = (round(10 * v) for v in OPENING_MM)
    assert not texture[top:bottom, left:right, 3].any()
    assert texture[..., 3].sum() / 255 == texture[..., 3].size - (right - left) * (bottom - top)


def test_corners_have_a_square_on_every_side() -> None:
    places = np.array(list(corner_places_mm().values()))
    left, top, right, bottom = OPENING_MM
    near = (places[:, 0] > left - SQUARE_MM / 2) & (places[:, 0] < right + SQUARE_MM / 2)
    assert not (near & (places[:, 1] > top - SQUARE_MM / 2) & (places[:, 1] < bottom)).any()
    assert len(places) == 84


@pytest.mark.parametrize(("seed", "tilt_deg"), [(1, 12.0), (2, 30.0)])
def test_the_card_measures_a_circle_at_the_ulcer(seed: int, tilt_deg: float) -> None:
    spec = random_spec(
        seed,
        reference="card",
        tilt_deg=(tilt_deg, tilt_deg),
        size_px=(1600, 1200),
        texture=card_texture(20.0),
        texture_size_mm=CARD_MM,
        reference_offset_mm=(0.0, -6.0),
    )
    phantom = draw_phantom(spec)
    calibration = calibrate(photo_of(phantom.pixels, round(spec.camera.focal_35mm_mm)), reference="auto")
    assert str(calibration.reference) == "card"
    centre = transform_points(phantom.truth.pixel_to_plane, np.array([phantom.truth.ulcers[0].centroid_px]))[0]
    angle = np.arange(24) * (2 * np.pi / 24)
    circle_px = phantom.truth.plane_to_pixel(centre + 1.5 * np.column_stack([np.cos(angle), np.sin(angle)]))
    mm = calibration.to_mm(circle_px)
    assert np.abs(np.hypot(*(mm[:12] - mm[12:]).T) - 3).max() < 0.02
    assert calibration.tilt_deg == pytest.approx(phantom.truth.tilt_deg, abs=0.5)
    assert calibration.scale_se(np.array(phantom.truth.ulcers[0].centroid_px)) < 0.01


def test_a_scrap_of_a_card_is_refused() -> None:
    scrap = np.full((500, 700, 3), 200, dtype=np.uint8)
    scrap[100:340, 150:390] = cv2.cvtColor(card_texture(20.0)[480:720, 140:380], cv2.COLOR_RGBA2RGB)
    with pytest.raises(Refusal, match="reference card: expected at least 8 of its corners.*show the whole card"):
        calibrate(photo_of(scrap), reference="card")
