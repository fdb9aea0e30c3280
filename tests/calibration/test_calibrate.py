"""From a photo to millimetres: the scale is right, its stated error covers, and the same photo gives the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn_markers import PHONE, draw_markers, photo_of, seen, square_mm, tilted_camera
from hypothesis import given, settings
from hypothesis import strategies as st

from ulcermeter.calibration import calibrate, parse_reference
from ulcermeter.calibration.consistency import refuse_contradiction
from ulcermeter.calibration.geometry.camera import CameraPrior, camera_prior
from ulcermeter.calibration.geometry.homography import UNIT_SQUARE, fit_homography, square_to_quad
from ulcermeter.calibration.geometry.plane import fit_plane, seeded_generator
from ulcermeter.datatypes import Calibration, CameraInfo, LensProfile, Note, NoteKind, Photo, transform_points
from ulcermeter.errors import Refusal
from ulcermeter.protocol import read_protocol

SHAPE = (720, 960)
PROTOCOL = read_protocol("manus")


def scene(tilt_deg: float, azimuth_deg: float = 35.0, *, distance_mm: float = 60.0) -> tuple[np.ndarray, np.ndarray]:
    """Plane to photo of a marker of 10 mm that lies off the middle, and its corners on the photo."""
    to_px = tilted_camera(SHAPE, tilt_deg=tilt_deg, azimuth_deg=azimuth_deg, distance_mm=distance_mm, centre_mm=(12, 4))
    return to_px, seen(to_px, square_mm(10.0, turned_deg=12.0))


def local_scale(to_px: np.ndarray, place_px: np.ndarray) -> float:
    """Pixels per mm at a photo pixel, by a small square."""
    centre = seen(np.linalg.inv(to_px), place_px[None])
    small = seen(to_px, square_mm(0.01) + centre)
    d1, d2 = small[2] - small[0], small[3] - small[1]
    return float(np.sqrt(abs(d1[0] * d2[1] - d1[1] * d2[0]) / 2) / 0.01)


# --- the texts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("card", ("card", None, None, None)),
        ("aruco:10", ("aruco", 10.0, None, None)),
        (" ArUco:12.5:4x4_50 ", ("aruco", 12.5, "DICT_4X4_50", None)),
        ("aruco:20:apriltag_36H11", ("aruco", 20.0, "DICT_APRILTAG_36h11", None)),
        ("disc:16.25", ("disc", 16.25, None, None)),
        ("id1", ("id1", None, None, None)),
        ("ruler", ("ruler", None, None, None)),
        ("scale:12.5", ("scale", None, None, 12.5)),
        ("auto", ("auto", None, None, None)),
    ],
)
def test_references_as_text(text: str, expected: tuple[object, ...]) -> None:
    asked = parse_reference(text)
    assert (asked.kind.value, asked.size_mm, asked.dictionary, asked.px_per_mm) == expected


@pytest.mark.parametrize(
    "text",
    ["", "aruco", "aruco:", "aruco:ten", "aruco:0", "aruco:-3", "aruco:nan", "aruco:10:3X3", "aruco:10:4X4_50:1"]
    + ["disc", "disc:0", "scale", "scale:inf", "card:2", "id1:85", "qr:10", "scale:0", "auto:1", "10"],
)
def test_wrong_texts_are_told_apart_in_one_sentence(text: str) -> None:
    with pytest.raises(Refusal) as caught:
        parse_reference(text)
    said = str(caught.value)
    assert "expected" in said and f"got '{text}'" in said and "aruco:MM" in said and said.endswith(".")


# --- truth -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tilt_deg", "azimuth_deg"), [(0, 0), (8, 200), (20, 75), (32, -40)])
def test_scale_tilt_and_distance(tilt_deg: float, azimuth_deg: float) -> None:
    to_px, corners = scene(tilt_deg, azimuth_deg)
    photo = photo_of(draw_markers(SHAPE, [corners], noise=3.0))
    calibration = calibrate(photo, reference="aruco:10")
    assert calibration.verified and calibration.shape == SHAPE and str(calibration.reference) == "aruco:10:DICT_4X4_50"
    assert calibration.tilt_deg == pytest.approx(tilt_deg, abs=0.6 if tilt_deg > 5 else 2.0)
    assert abs(calibration.distance_mm - 60) < 3 * calibration.distance_sd_mm < 12
    assert calibration.reprojection_mm < 0.01
    for place in np.array([[480.0, 360], [300, 500], [700, 300]]):
        truth = local_scale(to_px, place)
        assert calibration.px_per_mm(place) == pytest.approx(truth, rel=0.004)
        assert abs(calibration.px_per_mm(place) / truth - 1) < 3 * calibration.scale_se(place)
        assert calibration.scale_se(place) < 0.025  # a phone at 60 mm sees a degree of curl as much as this


def test_the_plane_starts_at_the_marker_and_runs_along_the_photo() -> None:
    _, corners = scene(10)
    calibration = calibrate(photo_of(draw_markers(SHAPE, [corners])), reference="aruco:10")
    known = calibration.to_mm(corners)
    assert known[0] == pytest.approx([0, 0], abs=0.02)
    sides = np.roll(known, -1, axis=0) - known
    assert np.hypot(*sides.T) == pytest.approx(10 * np.ones(4), abs=0.02)
    assert np.linalg.det(calibration.pixel_to_mm) > 0
    middle = corners.mean(axis=0)
    right = calibration.to_mm(middle + np.array([[50.0, 0]]))[0] - calibration.to_mm(middle)[0]
    assert abs(np.degrees(np.arctan2(right[1], right[0]))) < 2
    reach = np.linalg.norm(calibration.to_mm(calibration.reference_outline_px) - known.mean(axis=0), axis=1)
    assert reach == pytest.approx((5 + 10 / 6) * np.sqrt(2) * np.ones(len(reach)), abs=0.15)


def test_half_the_size_is_half_the_millimetres() -> None:
    photo = photo_of(draw_markers(SHAPE, [scene(15)[1]]))
    ten, five = (calibrate(photo, reference=f"aruco:{size}") for size in (10, 5))
    place = np.array([500.0, 300.0])
    assert ten.px_per_mm(place) * 2 == pytest.approx(five.px_per_mm(place), rel=1e-3)
    assert ten.distance_mm == pytest.approx(2 * five.distance_mm, rel=0.01)
    assert ten.tilt_deg == pytest.approx(five.tilt_deg, abs=0.3)


def coverage(tilt_deg: float, *, focal_sd_rel: float, n: int = 40) -> tuple[float, float]:
    """Share of simulated photos whose draws cover the scale 20 mm from a marker of 10 mm; median error in se."""
    rng = np.random.default_rng(int(tilt_deg) + 1)
    inside, standardised = [], []
    for _ in range(n):
        to_px, _ = scene(tilt_deg, float(rng.uniform(0, 360)), distance_mm=180.0)
        square = square_mm(10.0, (-6.0, 2.0), float(rng.uniform(0, 360)))
        points = seen(to_px, square) + 0.05 * rng.standard_normal((4, 2))
        focal_px = 26 * float(np.hypot(*SHAPE)) / 43.2666 * float(np.exp(focal_sd_rel * rng.standard_normal()))
        camera = CameraPrior(focal_px, focal_sd_rel, ((SHAPE[1] - 1) / 2, (SHAPE[0] - 1) / 2), 9.6, 0.0)
        options = {"point_sd_mm": 0.0, "size_sd_pct": 0.0, "level_sd_deg": 0.0, "tilt_scale_deg": 15.0}
        noise = np.eye(8) * 0.05**2
        plane = fit_plane(points, square, noise, camera=camera, shape=SHAPE, n_draws=300, rng=rng, **options)
        place = seen(to_px, np.array([[14.0, 4.0]]))[0]
        scales = 1 / np.array([local_scale(np.linalg.inv(h), place) for h in plane.draws])
        truth = 1 / local_scale(to_px, place)
        low, high = np.percentile(scales, [2.5, 97.5])
        inside.append(low <= truth <= high)
        standardised.append(abs(np.mean(scales) - truth) / np.std(scales))
    return float(np.mean(inside)), float(np.median(standardised))


@pytest.mark.parametrize(("tilt_deg", "focal_sd_rel"), [(0, 0.05), (0, 0.15), (6, 0.15), (25, 0.05)])
def test_draws_cover_the_scale_away_from_the_marker(tilt_deg: float, focal_sd_rel: float) -> None:
    covered, typical = coverage(tilt_deg, focal_sd_rel=focal_sd_rel)
    assert covered >= 0.875  # 40 photos: 95 % less twice its own error
    assert typical > 0.15  # and not by being far too wide


def test_the_error_grows_away_from_the_marker_and_with_noise() -> None:
    _, corners = scene(15)
    sharp = calibrate(photo_of(draw_markers(SHAPE, [corners], noise=1.0)), reference="aruco:10")
    middle = corners.mean(axis=0)
    errors = [sharp.scale_se(middle + np.array([d, 0.0])) for d in (0, 250, 500)]
    assert errors[0] < errors[1] < errors[2]
    noisy = calibrate(photo_of(draw_markers(SHAPE, [corners], noise=25.0, blur_px=2.5)), reference="aruco:10")
    assert np.trace(noisy.points_covariance_px2) > 3 * np.trace(sharp.points_covariance_px2)


def test_without_a_focal_length_the_distance_is_wide_and_said() -> None:
    pixels = draw_markers(SHAPE, [scene(5)[1]])
    known, unknown = (calibrate(photo_of(pixels, camera=c), reference="aruco:10") for c in (PHONE, CameraInfo()))
    assert unknown.distance_sd_mm > 2 * known.distance_sd_mm
    assert Note(NoteKind.FOCAL_ASSUMED, (32.0, 11.0)) in unknown.warnings and known.warnings == ()


def test_the_same_photo_gives_the_same_draws() -> None:
    photo = photo_of(draw_markers(SHAPE, [scene(15)[1]]))
    first, second = (calibrate(photo, reference="aruco:10") for _ in range(2))
    assert np.array_equal(first.draws, second.draws) and first.draws.shape == (
        PROTOCOL.measurement.monte_carlo_draws,
        3,
        3,
    )
    other = calibrate(replace(photo, sha256="other"), reference="aruco:10")
    assert not np.array_equal(first.draws, other.draws)
    assert first.pixel_to_mm == pytest.approx(other.pixel_to_mm)
    a, b = (seeded_generator("x", purpose).random(3) for purpose in ("calibration", "measurement"))
    assert not np.array_equal(a, b)


def test_draws_are_centred_on_the_estimate() -> None:
    calibration = calibrate(photo_of(draw_markers(SHAPE, [scene(15)[1]])), reference="aruco:10")
    place = np.array([[400.0, 500.0]])
    drawn = np.array([transform_points(h, place)[0] for h in calibration.draws])
    assert np.abs(drawn.mean(axis=0) - calibration.to_mm(place)[0]).max() < 0.2 * drawn.std(axis=0).max()


# --- laws ------------------------------------------------------------------------------------------------------------

finite = st.floats(-0.2, 0.2)


@settings(max_examples=40)
@given(st.lists(finite, min_size=8, max_size=8), st.floats(20, 900), st.floats(-300, 300), st.floats(-300, 300))
def test_homographies_of_four_points_agree(wobble: list[float], side: float, x: float, y: float) -> None:
    quad = (UNIT_SQUARE + np.array(wobble).reshape(4, 2)) * side + (x, y)
    fitted, closed = fit_homography(UNIT_SQUARE, quad), square_to_quad(quad[None])[0]
    inside = np.array([[0.2, 0.3], [0.9, 0.1], [0.5, 0.8]])
    assert transform_points(fitted, UNIT_SQUARE) == pytest.approx(quad, abs=1e-6 * side)
    assert transform_points(fitted, inside) == pytest.approx(transform_points(closed, inside), abs=1e-6 * side)


LENS = LensProfile(PHONE, 0.72, 0.01, (0.004, -0.006), (0.06, -0.03, 0.001, -0.0005, 0.0), 12, 0.2)


def calibrated(tilt_deg: float, lens: LensProfile | None) -> Calibration:
    to_px = tilted_camera(SHAPE, tilt_deg=tilt_deg, azimuth_deg=50, distance_mm=70, centre_mm=(5, 9))
    blank = calibrate(photo_of(np.zeros((*SHAPE, 3), np.uint8)), reference="scale:10")
    return replace(blank, pixel_to_mm=np.linalg.inv(to_px), lens=lens)


@settings(max_examples=60)
@given(st.floats(0, 959), st.floats(0, 719), st.floats(0, 40), st.booleans())
def test_pixels_to_millimetres_and_back(x: float, y: float, tilt_deg: float, with_lens: bool) -> None:
    calibration = calibrated(tilt_deg, LENS if with_lens else None)
    place = np.array([[x, y]])
    assert calibration.to_px(calibration.to_mm(place)) == pytest.approx(place, abs=0.01)


# --- lens, scale, auto -----------------------------------------------------------------------------------------------


def test_a_matching_lens_straightens_and_another_is_not_used() -> None:
    to_px, _ = scene(12)
    ideal = calibrated(0, LENS)
    corners = ideal.distorted(seen(to_px, square_mm(10.0, (3, 1), 12.0)))
    photo = photo_of(draw_markers(SHAPE, [corners], noise=1.0))
    with_lens = calibrate(photo, reference="aruco:10", lens=LENS)
    place = np.array([420.0, 640.0])
    truth = local_scale(to_px, ideal.undistorted(place)[0])
    assert with_lens.lens == LENS and with_lens.px_per_mm(place) == pytest.approx(truth, rel=0.01)
    other = calibrate(photo, reference="aruco:10", lens=replace(LENS, camera=CameraInfo("Maker", "Another", 26.0)))
    assert other.lens is None and Note(NoteKind.LENS_NOT_USED) in other.warnings


def test_no_lens_profile_widens_the_interval() -> None:
    photo = photo_of(draw_markers(SHAPE, [scene(12)[1]]))
    prior = camera_prior(photo, protocol=PROTOCOL, lens=None)
    assert prior.k1_sd == PROTOCOL.calibration.lens_k1_sd > 0
    assert camera_prior(photo, protocol=PROTOCOL, lens=LENS).k1_sd == 0
    ideal = PROTOCOL.changed(lens_k1_sd=0.0)
    far = np.array([60.0, 690.0])
    errors = [calibrate(photo, reference="aruco:10", protocol=p).scale_se(far) for p in (PROTOCOL, ideal)]
    assert errors[0] > 1.02 * errors[1]


def test_a_stated_scale_is_not_verified() -> None:
    calibration = calibrate(photo_of(np.zeros((60, 90, 3), np.uint8)), reference="scale:12.5", reference_on="table")
    assert not calibration.verified and len(calibration.draws) == 0 and calibration.reference_on == "table"
    assert calibration.px_per_mm(np.array([7.0, 9.0])) == pytest.approx(12.5)
    assert np.isnan(calibration.scale_se(np.array([7.0, 9.0]))) and np.isnan(calibration.tilt_deg)
    assert calibration.to_mm(np.array([[25.0, 50.0]])) == pytest.approx(np.array([[2.0, 4.0]]))
    assert len(calibration.warnings) == 1


def test_where_a_reference_lies_is_skin_or_table() -> None:
    with pytest.raises(Refusal, match="expected skin or table, got 'nail'"):
        calibrate(photo_of(np.zeros((60, 90, 3), np.uint8)), reference="scale:12.5", reference_on="nail")


def test_auto_says_that_a_marker_needs_its_size() -> None:
    photo = photo_of(draw_markers(SHAPE, [scene(5)[1]]))
    with pytest.raises(Refusal, match=r"marker DICT_4X4_50 of unknown size; state it as aruco:MM"):
        calibrate(photo)
    protocol = PROTOCOL.changed(references_auto=["id1", "aruco:10"])
    assert str(calibrate(photo, protocol=protocol).reference) == "aruco:10:DICT_4X4_50"


def test_auto_on_an_empty_photo() -> None:
    with pytest.raises(Refusal, match="reference auto: expected one of"):
        calibrate(photo_of(np.full((300, 400, 3), 150, np.uint8)))


def test_a_second_reference_that_contradicts_the_stated_size() -> None:
    corners = [scene(10)[1], scene(10)[1] + (330, 120)]
    photo = photo_of(draw_markers(SHAPE, corners, ids=(7, 9)))
    boxes = [(*(c.min(axis=0) - 5), *(np.ptp(c, axis=0) + 10)) for c in corners]
    ten, again, twenty = (
        calibrate(photo, reference=f"aruco:{size}", region=boxes[k]) for size, k in ((10, 0), (10, 1), (20, 1))
    )
    refuse_contradiction(ten, again)
    with pytest.raises(
        Refusal, match=r"aruco:10:DICT_4X4_50: expected the scale that aruco:20.* check the stated size"
    ):
        refuse_contradiction(ten, twenty)


def test_a_marker_on_12_megapixels_is_placed_like_on_a_small_photo() -> None:
    pixels = np.full((3024, 4032, 3), 190, np.uint8)
    rng = np.random.default_rng(0)
    pixels[::3, ::2] = rng.integers(150, 220, pixels[::3, ::2].shape)
    corners = square_mm(260, (220.5, 210.3), 20)
    pixels[900:1340, 2000:2450] = draw_markers((440, 450), [corners])
    calibration = calibrate(photo_of(pixels), reference="aruco:10")
    assert calibration.points_px == pytest.approx(corners + (2000, 900), abs=0.1)


@pytest.mark.parametrize("scale", [8.0, 8.1, 12.5, 20.0, 33.3])
def test_a_stated_scale_comes_back_as_it_was_stated_and_passes_its_own_limit(scale: float) -> None:
    photo = Photo(np.zeros((60, 90, 3), np.uint8), "0" * 64, None, CameraInfo(), Path("stated.jpg"))
    found = calibrate(photo, reference=f"scale:{scale}")
    assert all(found.px_per_mm(np.array(at)) == scale for at in ((0.0, 0.0), (41.3, 22.7), (89.0, 59.0)))
