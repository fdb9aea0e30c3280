"""Rulers: drawn and real ones, half millimetres, and inches that are refused."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ulcermeter.calibration import calibrate
from ulcermeter.calibration.features.tick_fit import fit_tick_lines
from ulcermeter.calibration.references.ruler import find_ruler
from ulcermeter.datatypes import CameraInfo, Photo, transform_points
from ulcermeter.errors import Refusal
from ulcermeter.phantom import draw_phantom, random_spec
from ulcermeter.photo import read_photo
from ulcermeter.protocol import read_protocol
from ulcermeter.reference import parse_reference

DATA = Path(__file__).parents[4] / "shared/data"


def photo_of(pixels: NDArray[np.uint8], focal_35mm_mm: float | None = 26.0) -> Photo:
    sha256 = hashlib.sha256(pixels.tobytes()).hexdigest()
    return Photo(pixels, sha256, None, CameraInfo("Phantom", "Pinhole 1", focal_35mm_mm), Path("photo.jpg"))


@pytest.mark.parametrize("seed", [2, 7])
def test_a_ruler_measures_a_circle_at_the_ulcer(seed: int) -> None:
    spec = random_spec(seed, reference="ruler", tilt_deg=(5, 15), px_per_mm=(14, 18), size_px=(1300, 1000))
    phantom = draw_phantom(spec)
    calibration = calibrate(photo_of(phantom.pixels, round(spec.camera.focal_35mm_mm)), reference="ruler")
    centre = transform_points(phantom.truth.pixel_to_plane, np.array([phantom.truth.ulcers[0].centroid_px]))[0]
    angle = np.arange(24) * (2 * np.pi / 24)
    circle_px = phantom.truth.plane_to_pixel(centre + 1.5 * np.column_stack([np.cos(angle), np.sin(angle)]))

    def widths(homography: NDArray[np.float64]) -> NDArray[np.float64]:
        mm = transform_points(homography, circle_px)
        return np.hypot(*(mm[:12] - mm[12:]).T)

    assert np.abs(widths(calibration.pixel_to_mm) - 3).max() < 0.02
    low, high = np.percentile([widths(d) for d in calibration.draws[:400]], [2.5, 97.5], axis=0)
    assert np.mean((low <= 3) & (high >= 3)) > 0.9
    assert calibration.tilt_deg == pytest.approx(phantom.truth.tilt_deg, abs=0.5)
    assert calibration.scale_se(np.array(phantom.truth.ulcers[0].centroid_px)) < 0.012


def test_a_bent_ruler_measures_less_surely_than_a_straight_one() -> None:
    straight = random_spec(5, reference="ruler", tilt_deg=(9, 9), px_per_mm=(14, 18), size_px=(1300, 1000))
    bent = replace(straight, reference=replace(straight.reference, curve_radius_mm=250.0))
    uncertain = []
    for spec in (straight, bent):
        phantom = draw_phantom(spec)
        calibration = calibrate(photo_of(phantom.pixels, round(spec.camera.focal_35mm_mm)), reference="ruler")
        ulcer = np.array(phantom.truth.ulcers[0].centroid_px)
        uncertain.append(calibration.scale_se(ulcer))
        off = calibration.px_per_mm(ulcer) * np.sqrt(abs(_area(phantom.truth.pixel_to_plane, ulcer))) - 1
        assert abs(off) < 2 * uncertain[-1]
        assert calibration.tilt_deg == pytest.approx(9.0, abs=1.5)
    assert uncertain[1] > 2 * uncertain[0]


def _area(homography: NDArray[np.float64], at: NDArray[np.float64]) -> float:
    """mm² per px² at a pixel."""
    mm = transform_points(homography, at + np.array([[0, 0], [1, 0], [0, 1.0]]))
    return float(np.linalg.det(mm[1:] - mm[0]))


def drawn_ruler(lengths_px: list[float], period_px: float, *, turn_deg: float = 11.0) -> NDArray[np.uint8]:
    """White paper with ticks whose lengths repeat, turned and slightly blurred."""
    y, x = np.mgrid[0:520, 0:760].astype(np.float64)
    turn = np.deg2rad(turn_deg)
    u = (x - 380) * np.cos(turn) + (y - 260) * np.sin(turn)
    v = (y - 260) * np.cos(turn) - (x - 380) * np.sin(turn)
    ticks = np.rint(u / period_px)
    lengths = np.array(lengths_px)[ticks.astype(int) % len(lengths_px)]
    ink = np.clip(1.5 - np.abs(u - ticks * period_px), 0, 1) * ((v > -30) & (v < -30 + lengths) & (np.abs(u) < 330))
    light = np.where((np.abs(u) < 345) & (np.abs(v) < 45), 225 - 195 * ink, 130).astype(np.uint8)
    return np.repeat(cv2.GaussianBlur(light, (0, 0), 0.8)[..., None], 3, axis=2)


def fanned(photo: NDArray[np.uint8], fan: float) -> NDArray[np.uint8]:
    """The same seen aslant: parallels meet `1 / fan` px above the middle."""
    to_middle = np.array([[1, 0, -380], [0, 1, -260], [0, 0, 1.0]])
    aslant = np.linalg.inv(to_middle) @ np.array([[1, 0, 0], [0, 1, 0], [0, fan, 1.0]]) @ to_middle
    return cv2.warpPerspective(photo, aslant, (760, 520), flags=cv2.INTER_CUBIC, borderValue=(130, 130, 130))


TENS = [40.0, 18, 18, 18, 18, 29, 18, 18, 18, 18]
HALVES = [42.0 if k == 0 else 34 if k == 10 else 26 if k % 2 == 0 else 15 for k in range(20)]
SIXTEENTHS = [44.0 if k == 0 else 36 if k == 8 else 29 if k % 4 == 0 else 22 if k % 2 == 0 else 15 for k in range(16)]


@pytest.mark.parametrize("light", [False, True])
@pytest.mark.parametrize(("lengths", "period_px", "px_per_mm"), [(TENS, 11.3, 11.3), (HALVES, 8.2, 16.4)])
def test_what_a_tick_is_worth_is_read_from_the_longer_ones(
    lengths: list[float], period_px: float, px_per_mm: float, light: bool
) -> None:
    pixels = drawn_ruler(lengths, period_px)
    calibration = calibrate(photo_of(255 - pixels if light else pixels), reference="ruler")
    ends = np.array([[380 - 200 * np.cos(np.deg2rad(11)), 260 - 200 * np.sin(np.deg2rad(11))]])
    ends = np.vstack([ends, 2 * np.array([[380, 260]]) - ends])
    assert np.hypot(*np.diff(calibration.to_mm(ends), axis=0)[0]) == pytest.approx(400 / px_per_mm, rel=0.005)


@pytest.mark.parametrize("fan", [-2e-4, 0.0, 2e-4])
def test_ticks_are_lines_that_fan_out_when_seen_aslant(fan: float) -> None:
    pixels = fanned(drawn_ruler(TENS, 11.3, turn_deg=0.0), fan)
    x = np.linspace(100, 660, 500)
    lines = fit_tick_lines(
        pixels[..., 0], np.column_stack([x, np.full(500, 239.0)]), (x - 380) / (11.3 * (1 + 21 * fan))
    )
    assert lines is not None and len(lines.number) > 40
    for points in (lines.near_px, lines.far_px):
        expected = 380 + 11.3 * lines.number * (1 - fan * (points[:, 1] - 260))
        off = points[:, 0] - expected
        assert np.abs(off).max() < 0.12
        assert np.std(off) < 2 * np.sqrt(lines.covariance_px2[0, 0]) + 0.02
    assert lines.end_sd_px < 0.3
    assert np.ptp(lines.near_px[:, 1]) < 0.6 + 600 * abs(fan) * 10


def test_a_ruler_is_never_seen_from_behind() -> None:
    # From behind, a tick's far point would lie on the other side of its near one: sure enough to be left out.
    photo = photo_of(drawn_ruler(TENS, 11.3))
    found = find_ruler(photo, parse_reference("ruler"), region=None, protocol=read_protocol("manus"))
    assert found is not None
    near, far = np.split(found.points_px, 2)
    off = np.vstack([np.zeros_like(near), 2 * (near - far)]).ravel()
    assert off @ np.linalg.solve(found.covariance_px2, off) > 20


def test_a_tilt_across_the_ruler_is_seen() -> None:
    # A plane that leans by t about the photo's x axis has its parallels to y meet f / tan(t) from the middle.
    focal_px = 26 * np.hypot(760, 520) / 43.2666
    for lean_deg in (-12.0, 12.0):
        fan = np.tan(np.deg2rad(lean_deg)) / focal_px
        calibration = calibrate(photo_of(fanned(drawn_ruler(TENS, 11.3, turn_deg=0.0), fan)), reference="ruler")
        lean = np.linalg.inv(calibration.pixel_to_mm)[2, :2] / np.linalg.inv(calibration.pixel_to_mm)[2, 2]
        assert calibration.tilt_deg == pytest.approx(12.0, abs=1.0), lean
        below, above = (calibration.px_per_mm(np.array([380.0, y])) for y in (400.0, 120.0))
        assert (below > above) == (lean_deg < 0)


@pytest.mark.parametrize(("lengths", "said"), [(SIXTEENTHS, "inch"), ([20.0], "unit cannot be told")])
def test_inches_and_bare_ticks_are_refused(lengths: list[float], said: str) -> None:
    with pytest.raises(Refusal, match=f"reference ruler: expected.*{said}"):
        calibrate(photo_of(drawn_ruler(lengths, 9.0)), reference="ruler")


def test_no_ruler_is_refused_with_what_to_do() -> None:
    with pytest.raises(Refusal, match="got none; lay the ruler"):
        calibrate(photo_of(np.full((400, 500, 3), 170, dtype=np.uint8)), reference="ruler")


@pytest.mark.skipif(not DATA.exists(), reason="real photographs are not here")
def test_a_real_ruler_has_its_centimetres() -> None:
    calibration = calibrate(read_photo(DATA / "rulers/mothra_BMNHE_1105737.jpg"), reference="ruler")
    three_to_ten = calibration.to_mm(np.array([[20.8, 294.0], [488.8, 294.0]]))
    assert np.hypot(*(three_to_ten[1] - three_to_ten[0])) == pytest.approx(70, rel=0.015)
