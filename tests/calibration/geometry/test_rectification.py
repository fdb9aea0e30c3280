"""A rectified window shows the plane square on, at the spacing that was asked for."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from drawn_markers import PHONE, photo_of, seen, tilted_camera

from ulcermeter.calibration import calibrate, rectify
from ulcermeter.datatypes import Calibration, LensProfile, Photo
from ulcermeter.errors import Refusal

SHAPE = (420, 610)
LENS = LensProfile(PHONE, 0.72, 0.01, (0.004, -0.006), (0.08, -0.03, 0.001, -0.0005, 0.0), 12, 0.2)


def dotted(tilt_deg: float, lens: LensProfile | None = None) -> tuple[Photo, Calibration, np.ndarray]:
    """A photo of soft dots at known places in the plane (mm)."""
    to_px = tilted_camera(SHAPE, tilt_deg=tilt_deg, azimuth_deg=25, distance_mm=40, centre_mm=(6, -2))
    blank = calibrate(photo_of(np.zeros((*SHAPE, 3), np.uint8)), reference="scale:10")
    calibration = replace(blank, pixel_to_mm=np.linalg.inv(to_px), lens=lens)
    places = np.array([[0.0, 0.0], [9.0, -7.0], [14.0, 3.0], [1.0, 6.0]])
    y, x = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]]
    light = np.zeros(SHAPE)
    for px, py in calibration.distorted(seen(to_px, places)):
        light += np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * 4.0**2))
    pixels = np.repeat(np.rint(200 * light)[..., None], 3, axis=2).astype(np.uint8)
    return photo_of(pixels), calibration, places


def found_dots(pixels: np.ndarray) -> np.ndarray:
    grey = pixels[:, :, 1].astype(float)
    count, labels = cv2.connectedComponents((grey > 40).astype(np.uint8))
    y, x = np.indices(grey.shape)
    return np.array([[np.average(v[labels == k], weights=grey[labels == k]) for v in (x, y)] for k in range(1, count)])


@pytest.mark.parametrize("tilt_deg", [0, 28])
@pytest.mark.parametrize("lens", [None, LENS])
@pytest.mark.parametrize("spacing_mm", [0.05, 0.13])
def test_dots_land_where_the_plane_has_them(tilt_deg: float, lens: LensProfile | None, spacing_mm: float) -> None:
    photo, calibration, places = dotted(tilt_deg, lens)
    rectified = rectify(photo, calibration, spacing_mm=spacing_mm)
    dots = rectified.to_plane_mm(found_dots(rectified.pixels))
    assert len(dots) == len(places)
    for place in places:
        assert np.hypot(*(dots - place).T).min() < 0.05  # perspective moves a dot's own centroid a little


def test_a_window_is_held_whole_and_little_more() -> None:
    photo, calibration, _ = dotted(20)
    rectified = rectify(photo, calibration, spacing_mm=0.08, window=(100, 50, 200, 120))
    corners = np.array([[100, 50], [300, 50], [300, 170], [100, 170.0]])
    inside = rectified.from_photo_px(corners)
    rows, cols = rectified.pixels.shape[:2]
    assert (inside > -0.6).all() and (inside[:, 0] < cols).all() and (inside[:, 1] < rows).all()
    assert inside.min() < 1 and inside[:, 0].max() > cols - 2.5 and inside[:, 1].max() > rows - 2.5
    whole = rectify(photo, calibration, spacing_mm=0.08)
    shift = rectified.from_plane_mm(np.asarray(whole.origin_mm)[None])[0]
    assert (shift < 0).all() and whole.pixels.shape[0] > rows


def test_photo_and_window_pixels_round_trip() -> None:
    photo, calibration, _ = dotted(20, LENS)
    rectified = rectify(photo, calibration, spacing_mm=0.07, window=(37, 90, 300, 111))
    places = np.array([[3.0, 7.0], [100.5, 40.25]])
    assert rectified.from_photo_px(rectified.to_photo_px(places)) == pytest.approx(places, abs=0.01)


def test_twice_the_spacing_is_half_the_size() -> None:
    photo, calibration, _ = dotted(10)
    fine, coarse = (rectify(photo, calibration, spacing_mm=s) for s in (0.06, 0.12))
    assert np.array(fine.pixels.shape[:2]) / 2 == pytest.approx(np.array(coarse.pixels.shape[:2]), abs=1)
    assert fine.pixels.mean() == pytest.approx(coarse.pixels.mean(), rel=0.02)


def test_fine_stripes_are_averaged_and_not_aliased() -> None:
    stripes = np.zeros((*SHAPE, 3), np.uint8)
    stripes[:, ::2] = 255
    photo = photo_of(stripes)
    calibration = calibrate(photo, reference="scale:10")
    for spacing_mm in (0.33, 0.5):  # 3.3 and 5 photo pixels
        inner = rectify(photo, calibration, spacing_mm=spacing_mm).pixels[3:-3, 3:-3]
        assert np.abs(inner.astype(float) - 127.5).max() < 45
    kept = rectify(photo, calibration, spacing_mm=0.1).pixels[3:-3, 3:-3]
    assert kept.std() > 100


def test_the_scale_is_isotropic_under_tilt() -> None:
    photo, calibration, _ = dotted(30)
    rectified = rectify(photo, calibration, spacing_mm=0.1, window=(200, 150, 150, 120))
    right, down = rectified.to_plane_mm(np.array([[50.0, 20.0], [20.0, 50.0]])) - rectified.to_plane_mm(
        np.array([[20.0, 20.0]])
    )
    assert right == pytest.approx((3.0, 0.0)) and down == pytest.approx((0.0, 3.0))


def test_outside_the_photo_is_black() -> None:
    photo = photo_of(np.full((*SHAPE, 3), 200, np.uint8))
    calibration = dotted(30)[1]
    pixels = rectify(photo, calibration, spacing_mm=0.1).pixels
    assert (pixels[0, 0] == 0).all() or (pixels[-1, -1] == 0).all() or (pixels[0, -1] == 0).all()
    assert pixels.max() == 200


@pytest.mark.parametrize("spacing_mm", [0.0, -0.1, float("nan"), float("inf")])
def test_a_spacing_must_be_positive(spacing_mm: float) -> None:
    photo, calibration, _ = dotted(0)
    with pytest.raises(Refusal, match="above 0"):
        rectify(photo, calibration, spacing_mm=spacing_mm)


def test_spacing_has_no_default() -> None:
    photo, calibration, _ = dotted(0)
    with pytest.raises(TypeError):
        rectify(photo, calibration)  # type: ignore[call-arg]


@pytest.mark.parametrize("window", [(-50, 10, 40, 40), (10, 10, 0, 5), (700, 10, 20, 20), (float("nan"), 0, 5, 5)])
def test_a_window_off_the_photo(window: tuple[float, float, float, float]) -> None:
    photo, calibration, _ = dotted(0)
    with pytest.raises(Refusal, match="inside the photo of 610 × 420 px"):
        rectify(photo, calibration, spacing_mm=0.1, window=window)


def test_too_large_a_result() -> None:
    photo, calibration, _ = dotted(0)
    with pytest.raises(Refusal, match="40 megapixels and 32000 px a side, got .* smaller window"):
        rectify(photo, calibration, spacing_mm=0.001)


def test_a_window_longer_than_can_be_resampled() -> None:
    shape = (40, 33_000)
    photo = photo_of(np.full((*shape, 3), 120, np.uint8))
    with pytest.raises(Refusal, match="32000 px a side, got 33000 × 40 px"):
        rectify(photo, calibrate(photo, reference="scale:10"), spacing_mm=0.1)
    with pytest.raises(Refusal, match="at most 32000 px a side, got 33000 × 40 px"):
        rectify(photo, calibrate(photo, reference="scale:10"), spacing_mm=0.4)
    part = rectify(photo, calibrate(photo, reference="scale:10"), spacing_mm=0.1, window=(20_000, 0, 900, 39))
    assert part.pixels.shape[1] > 900 and part.pixels.max() == 120


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("scale", [1e-9, 1e9, float("inf"), float("nan")])
def test_a_plane_that_degenerates_is_refused_before_anything_is_made(scale: float) -> None:
    photo, calibration, _ = dotted(0)
    bad = replace(calibration, pixel_to_mm=calibration.pixel_to_mm * np.array([[scale], [1.0], [1.0]]))
    with pytest.raises(Refusal):
        rectify(photo, replace(bad, lens=None), spacing_mm=1e-6 if scale < 1 else 0.1)


def test_past_the_horizon() -> None:
    to_px = tilted_camera(SHAPE, tilt_deg=75, azimuth_deg=90, distance_mm=40, centre_mm=(0, 0))
    photo, calibration, _ = dotted(0)
    with pytest.raises(Refusal, match="horizon"):
        rectify(photo, replace(calibration, pixel_to_mm=np.linalg.inv(to_px)), spacing_mm=0.5)
