"""Bank cards: drawn and real ones, and four-sided things that are none."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn_cards import CARD_MM, Scene, draw_card
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ulcermeter.calibration import calibrate
from ulcermeter.calibration.features.corner_radius import border_beyond, corner_radii
from ulcermeter.calibration.features.quadrilateral_fit import fit_quad
from ulcermeter.calibration.geometry.camera import CameraPrior
from ulcermeter.calibration.references.bank_card import ID1_MM, _skew
from ulcermeter.datatypes import CameraInfo, Photo, transform_points
from ulcermeter.errors import Refusal
from ulcermeter.phantom import draw_phantom, random_spec
from ulcermeter.photo import read_photo

DATA = Path(__file__).parents[4] / "shared/data"


def photo_of(pixels: NDArray[np.uint8], focal_35mm_mm: float | None = 26.0) -> Photo:
    sha256 = hashlib.sha256(pixels.tobytes()).hexdigest()
    return Photo(pixels, sha256, None, CameraInfo("Phantom", "Pinhole 1", focal_35mm_mm), Path("photo.jpg"))


@pytest.mark.parametrize(("seed", "tilt_deg"), [(2, 28.0), (6, 4.0)])
def test_a_card_measures_a_circle_at_the_ulcer(seed: int, tilt_deg: float) -> None:
    spec = random_spec(seed, reference="id1", tilt_deg=(tilt_deg, tilt_deg), size_px=(1600, 1200))
    phantom = draw_phantom(spec)
    calibration = calibrate(photo_of(phantom.pixels, round(spec.camera.focal_35mm_mm)), reference="id1")
    centre = transform_points(phantom.truth.pixel_to_plane, np.array([phantom.truth.ulcers[0].centroid_px]))[0]
    angle = np.arange(24) * (2 * np.pi / 24)
    circle_px = phantom.truth.plane_to_pixel(centre + 1.5 * np.column_stack([np.cos(angle), np.sin(angle)]))
    mm = calibration.to_mm(circle_px)
    assert np.abs(np.hypot(*(mm[:12] - mm[12:]).T) - 3).max() < 0.03
    assert calibration.tilt_deg == pytest.approx(phantom.truth.tilt_deg, abs=1.0)
    assert calibration.scale_se(np.array(phantom.truth.ulcers[0].centroid_px)) < 0.02


@pytest.mark.parametrize("seed", [61037, 61042])
def test_a_white_card_on_a_white_cloth_is_found(seed: int) -> None:
    spec = random_spec(
        seed,
        diameter_mm=(1, 5),
        tilt_deg=(0, 45),
        px_per_mm=(12, 25),
        place="table",
        reference="id1",
        size_px=(2400, 1800),
    )
    phantom = draw_phantom(spec)
    calibration = calibrate(photo_of(phantom.pixels, spec.camera.focal_35mm_mm), reference="id1")
    assert calibration.tilt_deg == pytest.approx(phantom.truth.tilt_deg, abs=1.5)


@given(
    tilt_deg=st.floats(0, 60),
    azimuth_deg=st.floats(0, 360),
    turn_deg=st.floats(0, 360),
    share=st.floats(0.8, 1.25),
)
def test_a_card_of_any_pose_is_not_askew_and_a_slanted_outline_is(
    tilt_deg: float, azimuth_deg: float, turn_deg: float, share: float
) -> None:
    camera = CameraPrior(focal_px=3000.0, focal_sd_rel=0.02, centre_px=(2000.0, 1500.0), centre_sd_px=1.0, k1_sd=0.0)
    axis = np.array([np.cos(np.deg2rad(azimuth_deg)), np.sin(np.deg2rad(azimuth_deg)), 0])
    rotation = cv2.Rodrigues(axis * np.deg2rad(tilt_deg))[0] @ cv2.Rodrigues(np.array([0, 0, np.deg2rad(turn_deg)]))[0]
    card = (np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]]) - 0.5) * ID1_MM

    def seen(corners: NDArray[np.float64]) -> NDArray[np.float64]:
        places = np.column_stack([corners, np.zeros(4)]) @ rotation.T + [30, -20, 350]
        return places[:, :2] / places[:, 2:] * camera.focal_px + camera.centre_px

    assert _skew(seen(card), camera) == pytest.approx(0, abs=1e-6)
    # Another proportion shows as itself: the share of the sides is the ratio of the two columns' lengths.
    assert _skew(seen(card * (share, 1)), camera) == pytest.approx(abs(np.log(share)), abs=1e-6)
    assert _skew(seen(card + 0.5 * card[:, ::-1]), camera) > 0.15


def rectangle(
    wide_mm: float,
    high_mm: float,
    corner_mm: float,
    *,
    turn_deg: float = 8.0,
    colour: tuple[int, int, int] = (40, 70, 140),
    noise_sd: float = 0.0,
) -> NDArray[np.uint8]:
    """A plain rounded rectangle, 8 px/mm, on light ground; drawn four times as large and averaged."""
    y, x = np.mgrid[0:2400:2, 0:3200:2].astype(np.float64)
    turn = np.deg2rad(turn_deg)
    u = ((x - 1570) * np.cos(turn) + (y - 1210) * np.sin(turn)) / 32
    v = ((y - 1210) * np.cos(turn) - (x - 1570) * np.sin(turn)) / 32
    du, dv = np.abs(u) - (wide_mm / 2 - corner_mm), np.abs(v) - (high_mm / 2 - corner_mm)
    inside = (np.hypot(np.maximum(du, 0), np.maximum(dv, 0)) + np.minimum(np.maximum(du, dv), 0) < corner_mm) * 1.0
    light = inside.reshape(600, 2, 800, 2).mean(axis=(1, 3))[..., None]
    seen = 220 * (1 - light) + np.array(colour) * light
    return np.clip(seen + np.random.default_rng(0).normal(0, noise_sd, seen.shape), 0, 255).round().astype(np.uint8)


@pytest.mark.parametrize(
    ("size_mm", "corner_mm"), [((85.6, 53.98), 0.0), ((85.6, 60.0), 3.18), ((70.0, 53.98), 3.18), ((85.6, 53.98), 8.0)]
)
def test_paper_and_other_four_sided_things_are_no_card(size_mm: tuple[float, float], corner_mm: float) -> None:
    with pytest.raises(Refusal, match="got none; lay the bank card"):
        calibrate(photo_of(rectangle(*size_mm, corner_mm)), reference="id1")


@pytest.mark.parametrize("turn_deg", [8.0, 97.0])
def test_a_card_is_read_whichever_way_round(turn_deg: float) -> None:
    calibration = calibrate(photo_of(rectangle(60 * 85.6 / 85.6, 60 * 53.98 / 85.6, 2.23, turn_deg=turn_deg)))
    assert str(calibration.reference) == "id1"
    assert calibration.px_per_mm(np.array([392.0, 302.0])) == pytest.approx(8 * 60 / 85.6, rel=0.004)


def test_a_pale_card_on_a_pale_table_is_found() -> None:
    pixels = rectangle(60, 60 * 53.98 / 85.6, 2.23, colour=(231, 230, 227), noise_sd=2.0)
    calibration = calibrate(photo_of(pixels), reference="id1")
    assert calibration.px_per_mm(np.array([392.0, 302.0])) == pytest.approx(8 * 60 / 85.6, rel=0.006)


SCENES = {
    "red on white, a hand beside it": Scene(
        card=(200, 30, 40), ground=(236, 235, 232), hand="beside", tilt_deg=20, turn_deg=63, print="text"
    ),
    "light on light": Scene(card=(222, 224, 228), ground=(205, 203, 196), tilt_deg=12, azimuth_deg=200, grain=2),
    "dark on dark, text": Scene(card=(37, 44, 47), ground=(66, 57, 57), hand="beside", print="text", turn_deg=-40),
    "a finger over a corner": Scene(card=(60, 90, 160), ground=(190, 180, 170), hand="corner", print="waves"),
    "a printed frame": Scene(card=(70, 160, 190), ground=(50, 160, 60), print="frame", turn_deg=115, tilt_deg=25),
    "a printed frame, a finger over a corner": Scene(
        card=(60, 50, 50),
        ground=(30, 36, 40),
        print="frame",
        hand="corner",
        turn_deg=20,
        tilt_deg=20,
        contact=0.4,
        blur_px=1.2,
        seed=1,
    ),
    "wood beside the paper": Scene(
        card=(208, 215, 213), ground=(190, 196, 180), table=(130, 90, 60), print="stripe", turn_deg=70, noise=3
    ),
}


@pytest.mark.parametrize("name", SCENES)
def test_a_card_with_a_plain_outline_is_found_whatever_lies_beside_it(name: str) -> None:
    scene = replace(SCENES[name], size_px=(900, 675), long_side_share=0.5)
    photo, corners = draw_card(scene)
    calibration = calibrate(photo)
    assert str(calibration.reference) == "id1"
    mm = calibration.to_mm(corners)
    sides = np.hypot(*(np.roll(mm, -1, axis=0) - mm).T)
    assert sides == pytest.approx([*CARD_MM, *CARD_MM], rel=0.003)


@pytest.mark.parametrize("corner_mm", [0.0, 2.0, 3.2, 5.0, 7.6])
def test_the_radius_of_a_corner_is_measured(corner_mm: float) -> None:
    size = (60.0, 40.0)
    turn = np.deg2rad(8.0)
    along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    middle = np.array([1570, 1210]) / 4 - 0.375
    corners = np.array(
        [
            middle + 8 * (x * size[0] / 2 * along + y * size[1] / 2 * across)
            for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))
        ]
    )
    radii = corner_radii(rectangle(*size, corner_mm, noise_sd=2.0), corners, size)
    assert np.abs(radii - corner_mm).max() <= (0.4 if corner_mm < 4 else 0.8)


def test_a_thing_too_small_to_show_round_corners_is_no_card() -> None:
    pixels = cv2.resize(rectangle(60, 60 * 53.98 / 85.6, 2.23), None, fx=0.45, fy=0.45, interpolation=cv2.INTER_AREA)
    with pytest.raises(Refusal, match="got none; lay the bank card"):
        calibrate(photo_of(pixels), reference="id1")


def test_sides_are_lines_with_the_covariance_they_state() -> None:
    truth = np.array([[61.3, 52.8], [521.7, 71.2], [498.4, 371.9], [70.6, 349.5]])
    along = np.roll(truth, -1, axis=0) - truth
    normals = np.column_stack([-along[:, 1], along[:, 0]]) / np.hypot(*along.T)[:, None]
    y, x = np.mgrid[0:440, 0:600].astype(np.float64)
    depth = np.min([(x - p[0]) * n[0] + (y - p[1]) * n[1] for p, n in zip(truth, normals, strict=True)], axis=0)
    light = cv2.GaussianBlur(np.clip(0.5 + depth, 0, 1), (0, 0), 1.0)
    found, stated = [], []
    for seed in range(12):
        noise = np.random.default_rng(seed).normal(0, 3, (440, 600, 3))
        coded = 255 * (0.1 + 0.7 * light[..., None]) ** (1 / 2.2)
        quad = fit_quad(np.clip(coded + noise, 0, 255).round().astype(np.uint8), truth + 2.0, trim=(0.05, 0.08))
        assert quad is not None
        found.append(quad.corners_px)
        stated.append(np.sqrt(np.diag(quad.covariance_px2)))
    spread = np.std(found, axis=0).ravel()
    assert np.abs(np.mean(found, axis=0) - truth).max() < 0.05
    assert np.all(spread < 2.0 * np.mean(stated, axis=0))


def test_a_dark_rim_before_a_shadow_belongs_to_the_card_and_the_shadow_does_not() -> None:
    # 10 px/mm: a card 400 px high whose lowest 4 px are in shade, and a shadow that grows from 6 to 16 px beside it.
    y, x = np.mgrid[0:600, 0:800].astype(np.float64)
    light = np.full((600, 800), 0.6)
    light[(x >= 80) & (x < 720) & (y >= 100) & (y < 500 + 6 + (720 - x) / 64)] = 0.24
    card = (x >= 80) & (x < 720) & (y >= 100) & (y < 500)
    light[card] = 0.30
    light[card & (y >= 496)] = 0.12
    light = cv2.GaussianBlur(light, (0, 0), 0.8)[..., None] + np.random.default_rng(0).normal(0, 0.004, (600, 800, 3))
    pixels = np.clip(255 * np.clip(light, 0, 1) ** (1 / 2.2), 0, 255).round().astype(np.uint8)
    guess = np.array([[79.5, 99.5], [719.5, 99.5], [719.5, 505.5], [79.5, 514.5]])
    with_rim, without = (fit_quad(pixels, guess, trim=(0.05, 0.08), shadow=shadow) for shadow in (0.03, 0.0))
    assert with_rim is not None and without is not None
    assert with_rim.corners_px[2:, 1] == pytest.approx([499.5, 499.5], abs=1.2)
    assert np.abs(without.corners_px[2:, 1] - 499.5).max() > 4


def test_the_sides_of_a_printed_frame_go_on_to_the_true_corners() -> None:
    photo, corners = draw_card(
        replace(SCENES["a printed frame"], size_px=(600, 450), long_side_share=0.6, turn_deg=30, tilt_deg=0)
    )
    # The frame is printed 2.8 to 3.6 mm within the outline: here it is taken for the side from corner 1 to 2.
    within = corners.copy()
    within[1:3] += (3.2 / CARD_MM[0]) * (corners[[0, 3]] - corners[1:3])
    true, wrong = (
        border_beyond(photo.pixels, c, (CARD_MM[0] - mm, CARD_MM[1])) for c, mm in ((corners, 0.0), (within, 3.2))
    )
    assert np.abs(true).max() < 0.1
    assert wrong == pytest.approx([0, 1, 1, 0], abs=0.15)


def shaded(step: float, lost: float, wide_px: float) -> NDArray[np.uint8]:
    """A card of nearly its ground's light, 7.5 px/mm, with a soft shadow along half of its lowest side."""
    y, x = np.mgrid[0:600, 0:800].astype(np.float64)
    below = np.maximum(y - 500, 0)
    light = 0.6 - (y > 300) * lost / (1 + np.exp(-(x - 400) / 15)) * np.exp(-((below / wide_px) ** 2))
    light[(x >= 80) & (x < 720) & (y >= 100) & (y < 500)] = 0.6 - step
    light = cv2.GaussianBlur(light, (0, 0), 1.0)[..., None] + np.random.default_rng(0).normal(0, 0.004, (600, 800, 3))
    return np.clip(255 * np.clip(light, 0, 1) ** (1 / 2.2), 0, 255).round().astype(np.uint8)


@pytest.mark.parametrize("from_px", [0.0, 4.0])
@pytest.mark.parametrize(("step", "lost", "wide_px"), [(0.05, 0.2, 6.0), (0.05, 0.2, 10.0), (0.03, 0.3, 6.0)])
def test_a_faint_side_beside_a_soft_shadow_states_an_error_that_covers(
    step: float, lost: float, wide_px: float, from_px: float
) -> None:
    truth = np.array([[79.5, 99.5], [719.5, 99.5], [719.5, 499.5], [79.5, 499.5]])
    guess = truth + np.array([[0, 0], [0, 0], [0, from_px], [0, from_px]])
    quad = fit_quad(shaded(step, lost, wide_px), guess, trim=(0.05, 0.08), shadow=1 / ID1_MM[0])
    assert quad is not None
    off, stated = np.abs(quad.corners_px - truth), np.sqrt(np.diag(quad.covariance_px2)).reshape(4, 2)
    assert np.all(off <= 3 * np.hypot(stated, 0.06 * 7.5))  # a corner's own tolerance: 0.06 mm
    if not from_px:
        assert off.max() < 0.2 and stated.max() < 1.0


@pytest.mark.skipif(not DATA.exists(), reason="real photographs are not here")
def test_a_real_card_beside_a_hand() -> None:
    calibration = calibrate(read_photo(DATA / "hand_card/IMG_5965.jpg"), reference="id1")
    with open(DATA / "hand_card/card_corners.csv") as file:
        by_eye = np.array([(float(r["x_px"]), float(r["y_px"])) for r in csv.DictReader(file)])
    off = np.hypot(*(calibration.points_px[:, None] - by_eye[None]).T).min(axis=0)
    assert off.max() < 6.5  # read by eye to 5 px along x and along y


@pytest.mark.skipif(not DATA.exists(), reason="real photographs are not here")
@pytest.mark.parametrize("name", ["IMG_5965.jpg", "IMG_6024_card_only.jpg"])
def test_the_sides_of_a_real_card_agree(name: str) -> None:
    calibration = calibrate(read_photo(DATA / "hand_card" / name))
    assert str(calibration.reference) == "id1"
    mm = calibration.to_mm(calibration.points_px)
    sides = np.hypot(*(np.roll(mm, -1, axis=0) - mm).T)
    assert sides == pytest.approx([*ID1_MM, *ID1_MM], rel=0.002)
