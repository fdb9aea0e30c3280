"""Discs: drawn photos of known truth, and what must be refused."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ulcermeter.calibration import calibrate
from ulcermeter.calibration.features.ellipses import Ellipse, EllipseFit, fit_ellipse
from ulcermeter.calibration.geometry.camera import CameraPrior
from ulcermeter.calibration.geometry.plane import fit_plane
from ulcermeter.calibration.references.disc import _COIN_SD, _found, _outermost, disc_poses
from ulcermeter.datatypes import Calibration, CameraInfo, NoteKind, Photo, transform_points
from ulcermeter.errors import Refusal
from ulcermeter.phantom import Phantom, draw_phantom, random_spec


def photo_of(pixels: NDArray[np.uint8], focal_35mm_mm: float | None = 26.0) -> Photo:
    sha256 = hashlib.sha256(pixels.tobytes()).hexdigest()
    return Photo(pixels, sha256, None, CameraInfo("Phantom", "Pinhole 1", focal_35mm_mm), Path("photo.jpg"))


def widths_mm(homography: NDArray[np.float64], circle_px: NDArray[np.float64]) -> NDArray[np.float64]:
    mm = transform_points(homography, circle_px)
    return np.hypot(*(mm[:12] - mm[12:]).T)


def circle_at_the_ulcer(phantom: Phantom, diameter_mm: float) -> NDArray[np.float64]:
    centre = transform_points(phantom.truth.pixel_to_plane, np.array([phantom.truth.ulcers[0].centroid_px]))[0]
    angle = np.arange(24) * (2 * np.pi / 24)
    circle = centre + diameter_mm / 2 * np.column_stack([np.cos(angle), np.sin(angle)])
    return phantom.truth.plane_to_pixel(circle)


@pytest.mark.parametrize("seed", [2, 5, 7])
def test_a_dot_measures_a_circle_at_the_ulcer(seed: int) -> None:
    spec = random_spec(seed, reference="disc", tilt_deg=(5, 15), px_per_mm=(15, 20), size_px=(1200, 900))
    phantom = draw_phantom(spec)
    calibration = calibrate(photo_of(phantom.pixels, round(spec.camera.focal_35mm_mm)), reference="disc:10")
    circle_px = circle_at_the_ulcer(phantom, 3.0)
    assert np.abs(widths_mm(calibration.pixel_to_mm, circle_px) - 3).max() < 0.20
    low, high = np.percentile([widths_mm(d, circle_px) for d in calibration.draws[:400]], [2.5, 97.5], axis=0)
    assert np.mean((low <= 3) & (high >= 3)) > 0.9


def drawn_disc(centre: tuple[float, float], axes: tuple[float, float], *, blur_px: float = 0.9) -> NDArray[np.uint8]:
    """A dark ellipse on light ground, box-filtered, blurred in linear light, then coded as sRGB."""
    y, x = (np.mgrid[0 : 220 * 4, 0 : 300 * 4] + 0.5) / 4 - 0.5
    inside = ((x - centre[0]) / axes[0]) ** 2 + ((y - centre[1]) / axes[1]) ** 2 < 1
    light = cv2.GaussianBlur(inside.reshape(220, 4, 300, 4).mean(axis=(1, 3)), (0, 0), blur_px)
    light = 0.75 - 0.7 * light
    coded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    noise = np.random.default_rng(3).normal(0, 1.5, (220, 300, 3))
    return np.clip(255 * coded[..., None] + noise, 0, 255).round().astype(np.uint8)


def test_a_blurred_rim_is_found_where_it_is() -> None:
    fitted = fit_ellipse(drawn_disc((141.3, 98.7), (71.0, 62.0)), Ellipse(np.array([143.0, 97]), np.diag([68.0, 64])))
    assert fitted is not None
    np.testing.assert_allclose(fitted.ellipse.centre_px, [141.3, 98.7], atol=0.02)
    np.testing.assert_allclose(np.linalg.eigvalsh(fitted.ellipse.shape_px), [62, 71], atol=0.03)
    assert np.sqrt(fitted.covariance[0, 0]) < 0.03


def test_an_ellipse_gives_the_circle_s_pose_and_its_mirror_image() -> None:
    camera = CameraPrior(1500.0, 0.05, (400.0, 300.0), 5.0, 0.02)
    tilt = np.deg2rad(20.0)
    frame = np.array([[1, 0, 12.0], [0, np.cos(tilt), -8.0], [0, np.sin(tilt), 180.0]])
    angle = np.arange(200) * (2 * np.pi / 200)
    seen = np.column_stack([5 * np.cos(angle), 5 * np.sin(angle), np.ones(200)]) @ frame.T
    pixels = seen[:, :2] / seen[:, 2:] * 1500 + [400, 300]
    (x, y), axes, degrees = cv2.fitEllipseDirect(pixels.astype(np.float32))
    turn = np.deg2rad(degrees)
    u = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    poses = disc_poses(Ellipse(np.array([x, y]), u @ np.diag(np.array(axes) / 2) @ u.T), 10.0, camera)
    off = [np.abs(pose[:, 2] - frame[:, 2]).max() for pose in poses]
    best = poses[int(np.argmin(off))]
    np.testing.assert_allclose(best[:, 2], frame[:, 2], atol=0.05)
    normal = np.cross(best[:, 0], best[:, 1])
    assert np.rad2deg(np.arccos(normal @ [0, -np.sin(tilt), np.cos(tilt)])) < 0.5


def two_dots() -> NDArray[np.uint8]:
    pixels = np.full((500, 760, 3), 225, dtype=np.uint8)
    cv2.circle(pixels, (200, 260), 70, (40, 60, 150), -1, cv2.LINE_AA)
    cv2.circle(pixels, (520, 210), 90, (40, 60, 150), -1, cv2.LINE_AA)
    return pixels


def test_two_equal_dots_are_refused_and_a_box_tells_which() -> None:
    photo = photo_of(two_dots())
    with pytest.raises(Refusal, match=r"one disc, got 2.*reference box"):
        calibrate(photo, reference="disc:10")
    calibration = calibrate(photo, reference="disc:10", region=(120, 180, 160, 160))
    assert calibration.px_per_mm(np.array([200.0, 260.0])) == pytest.approx(14.1, rel=0.015)


def test_the_rounder_of_two_rims_that_nearly_coincide_is_kept_among_several_discs() -> None:
    def fit(x: float, axes: tuple[float, float]) -> EllipseFit:
        return EllipseFit(Ellipse(np.array([x, 100.0]), np.diag(axes), 0.9), np.eye(5), 0.2, 0.3)

    apart, flat, round_ = fit(500.0, (90.0, 90.0)), fit(100.0, (80.0, 70.0)), fit(101.0, (72.0, 72.0))
    assert [id(kept) for kept in _outermost([flat, apart, round_])] == [id(apart), id(round_)]


@pytest.mark.parametrize("levels", [-8, 8])
def test_a_dot_of_nearly_the_ground_s_colour_is_found(levels: int) -> None:
    paper = np.random.default_rng(4).normal(0, 2.0, (500, 760, 3)) + 225
    inside = np.zeros((500, 760), dtype=np.float32)
    cv2.circle(inside, (300, 260), 80, 1.0, -1, cv2.LINE_AA)
    pixels = np.clip(paper + levels * cv2.GaussianBlur(inside, (0, 0), 1.0)[..., None], 0, 255).round().astype(np.uint8)
    calibration = calibrate(photo_of(pixels), reference="disc:10")
    assert calibration.px_per_mm(np.array([300.0, 260.0])) == pytest.approx(16.05, rel=0.015)


def test_ragged_rounds_are_no_dot() -> None:
    """A wound or a bead is round here and there: rims seen in part and wandering are refused without a box."""
    angle = np.arange(720) * (2 * np.pi / 720)
    radius = 60 + 4 * np.cos(3 * angle + 1) + 3 * np.cos(5 * angle) + 2 * np.cos(9 * angle)
    ragged = np.column_stack([380 + radius * np.cos(angle), 250 + radius * np.sin(angle)])
    pixels = np.full((500, 760, 3), (214, 170, 150), dtype=np.uint8)
    cv2.fillPoly(pixels, [ragged.round().astype(np.int32)], (150, 60, 60), cv2.LINE_AA)
    with pytest.raises(Refusal, match="got none"):
        calibrate(photo_of(pixels), reference="disc:10")


def test_no_dot_is_refused_with_what_to_do() -> None:
    with pytest.raises(Refusal, match="got none; stick the dot"):
        calibrate(photo_of(np.full((300, 400, 3), 180, dtype=np.uint8)), reference="disc:10")


def test_without_a_focal_length_the_interval_is_wider() -> None:
    known = calibrate(photo_of(two_dots()), reference="disc:10", region=(120, 180, 160, 160))
    photo = replace(photo_of(two_dots()), camera=CameraInfo())
    guessed = calibrate(photo, reference="disc:10", region=(120, 180, 160, 160))
    assert guessed.distance_sd_mm > known.distance_sd_mm
    assert NoteKind.FOCAL_ASSUMED in [note.kind for note in guessed.warnings]


def test_a_rim_s_own_error_is_carried_into_a_length_beside_it() -> None:
    """A coin square on, far from the photo's middle, its rim fitted 1 % off: nobody knows its tilt."""
    camera = CameraPrior(3400.0, 0.05, (1500.0, 2000.0), 30.0, 0.01, ())
    rng, radius, angles = np.random.default_rng(7), 140.0, np.arange(24) * (2 * np.pi / 24)
    circle = np.column_stack([np.cos(angles), np.sin(angles)]) * radius
    own, beside = np.array([500.0, 700.0]) + circle, np.array([1100.0, 1500.0]) + circle
    read, covered = [], []
    for _ in range(40):
        a, b, c = _COIN_SD * radius * rng.standard_normal(3) * (1.0, 0.5**0.5, 1.0)
        fit = EllipseFit(
            Ellipse(own.mean(axis=0), np.array([[radius + a, b], [b, radius + c]]), 1.0), np.eye(5) * 1e-4, 0.1, 0.3
        )
        found = _found(20.0, fit, camera, 0.1)
        plane = fit_plane(
            found.points_px,
            found.points_mm,
            found.covariance_px2,
            starts_px=found.starts_px,
            camera=camera,
            shape=(4000, 3000),
            point_sd_mm=0.003,
            size_sd_pct=0.1,
            level_sd_deg=0.0,
            tilt_scale_deg=5.0,
            n_draws=200,
            rng=rng,
        )
        read.append(widths_mm(plane.pixel_to_mm, fit.ellipse.rim(angles)).mean() / 20)
        low, high = np.percentile([widths_mm(draw, beside).mean() for draw in plane.draws], [2.5, 97.5])
        covered.append(low <= 20 <= high)
    assert abs(np.mean(read) - 1) < 0.002
    assert np.mean(covered) >= 0.9


def felt_by(phantom: Phantom) -> tuple[float, float, float]:
    """The table's normal, away from the camera, in the photo's axes."""
    focal_px = phantom.spec.camera.focal_35mm_mm * np.hypot(*phantom.pixels.shape[:2]) / 43.2666
    rows, cols = phantom.pixels.shape[:2]
    inner = np.array([[focal_px, 0, (cols - 1) / 2], [0, focal_px, (rows - 1) / 2], [0, 0, 1]])
    axes = np.linalg.solve(inner, np.linalg.inv(phantom.truth.pixel_to_plane))[:, :2]
    normal = np.cross(*axes.T)
    x, y, z = normal / np.linalg.norm(normal) * np.sign(normal[2])
    return float(x), float(y), float(z)


@pytest.mark.parametrize("seed", [3, 8])
def test_what_is_felt_of_the_level_tells_a_dot_on_a_table_from_its_mirror_image(seed: int) -> None:
    spec = random_spec(
        seed, reference="disc", place="table", tilt_deg=(12, 15), px_per_mm=(15, 20), size_px=(1200, 900)
    )
    phantom = draw_phantom(spec)
    photo, down = photo_of(phantom.pixels, spec.camera.focal_35mm_mm), felt_by(phantom)
    assert np.degrees(np.arccos(down[2])) == pytest.approx(phantom.truth.tilt_deg, abs=0.5)
    felt = replace(photo, camera=replace(photo.camera, down=down))
    blind, level = (calibrate(one, reference="disc:10", reference_on="table") for one in (photo, felt))
    # Four of the dot's own widths away the two tilts differ.
    normal, centre = np.array(down), blind.points_px.mean(axis=0)
    far = centre + 4 * np.ptp(blind.points_px[:, 0]) * normal[:2] / np.hypot(*normal[:2])
    true_mm = transform_points(phantom.truth.pixel_to_plane, far + np.array([[-20.0, 0], [20.0, 0]]))
    true = 40 / np.hypot(*(true_mm[0] - true_mm[1]))

    def read(calibration: Calibration) -> float:
        mm = calibration.to_mm(far + np.array([[-20.0, 0], [20.0, 0]]))
        return float(40 / np.hypot(*(mm[0] - mm[1])))

    assert level.scale_se(far) < 0.5 * blind.scale_se(far)
    assert abs(np.log(read(level) / true)) < min(0.01, abs(np.log(read(blind) / true)))
    on_skin = [calibrate(one, reference="disc:10", reference_on="skin") for one in (photo, felt)]
    assert np.array_equal(on_skin[0].draws, on_skin[1].draws)


def test_a_slanting_table_is_believed_where_the_marker_shows_it() -> None:
    spec = random_spec(5, reference="aruco", place="table", tilt_deg=(20, 20), px_per_mm=(15, 20), size_px=(1200, 900))
    phantom = draw_phantom(spec)
    photo = photo_of(phantom.pixels, spec.camera.focal_35mm_mm)
    wrong = replace(photo, camera=replace(photo.camera, down=(0.0, 0.0, 1.0)))
    calibration = calibrate(wrong, reference=f"aruco:{spec.reference.size_mm:g}", reference_on="table")
    assert calibration.tilt_deg == pytest.approx(phantom.truth.tilt_deg, abs=1.0)
