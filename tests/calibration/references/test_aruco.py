"""Markers: found, told from what is none, and their corners known to a few hundredths of a pixel."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from drawn_markers import draw_markers, marker_bits, photo_of, square_mm

from ulcermeter.calibration import calibrate
from ulcermeter.calibration.features.marker_code import decode
from ulcermeter.calibration.features.marker_fit import fit_marker
from ulcermeter.calibration.features.square_candidates import find_squares
from ulcermeter.calibration.references.aruco import find_markers
from ulcermeter.errors import Refusal
from ulcermeter.reference import DICTIONARIES

SKEW = np.array([[3.0, -5.0], [-4.0, 2.0], [6.0, 4.0], [-2.0, -3.0]])


def corners_of(side_px: float, at: tuple[float, float], turned_deg: float = 17.0, seed: int = 0) -> np.ndarray:
    """A skewed square off the pixel grid."""
    wobble = np.random.default_rng(seed).uniform(-0.5, 0.5, 2)
    return square_mm(side_px, at, turned_deg) + SKEW * side_px / 200 + wobble


def fitted(pixels: np.ndarray, **options: str) -> tuple[np.ndarray, np.ndarray, float]:
    found = find_markers(photo_of(pixels), dictionary=options.get("dictionary"), region=None)
    assert len(found) == 1
    fit = fit_marker(pixels, found[0])
    assert fit is not None
    return fit.corners_px, fit.covariance_px2, fit.bleed_px


def rms(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sqrt(np.mean((a - b) ** 2)))


@pytest.mark.parametrize("dictionary", ["DICT_4X4_50", "DICT_6X6_250", "DICT_APRILTAG_36h11"])
@pytest.mark.parametrize(
    ("side_px", "blur_px", "limit_px"), [(200, 3.0, 0.05), (200, 0.7, 0.03), (100, 1.5, 0.04), (45, 1.0, 0.08)]
)
def test_corners_of_blurred_noisy_markers(dictionary: str, side_px: int, blur_px: float, limit_px: float) -> None:
    corners = corners_of(side_px, (190, 160))
    pixels = draw_markers((330, 380), [corners], dictionary=dictionary, ids=(11,), blur_px=blur_px, noise=3.0)
    assert rms(fitted(pixels)[0], corners) < limit_px


def test_corners_do_not_move_with_exposure() -> None:
    corners = corners_of(150, (190, 160))
    for ground in (0.25, 0.5, 0.95):
        found = fitted(draw_markers((330, 380), [corners], blur_px=2.0, ground=ground))[0]
        assert rms(found, corners) < 0.06


@pytest.mark.parametrize("bleed_px", [0.5, 0.75])
def test_bleeding_is_told_from_size(bleed_px: float) -> None:
    corners = corners_of(120, (190, 160))
    found, _, bleed = fitted(draw_markers((330, 380), [corners], bleed_px=bleed_px))
    assert bleed == pytest.approx(bleed_px, abs=0.06)
    sides = [np.sqrt(cv2.contourArea(c.astype(np.float32))) for c in (found, corners)]
    assert sides[0] / sides[1] == pytest.approx(1, abs=0.001)  # left alone it would be 2 × bleed / 120


def test_the_covariance_is_honest() -> None:
    corners = corners_of(60, (90, 80))
    standardised = []
    for seed in range(12):
        moved = corners + np.random.default_rng(100 + seed).uniform(-0.5, 0.5, 2)
        found, covariance, _ = fitted(draw_markers((170, 190), [moved], blur_px=1.2, noise=8.0, seed=seed))
        off = (found - moved).ravel()
        standardised.append(off @ np.linalg.solve(covariance, off) / 8)
    assert 0.2 < np.mean(standardised) < 2.5


@pytest.mark.parametrize("dictionary", DICTIONARIES)
def test_every_dictionary_and_turn_as_opencv_reads_it(dictionary: str) -> None:
    known = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, dictionary))
    marker_id = len(known.bytesList) // 2
    upright = np.full((160, 190), 255, np.uint8)
    upright[30:120, 40:130] = cv2.aruco.generateImageMarker(known, marker_id, 90)
    for turns in range(4):
        grey = np.ascontiguousarray(np.rot90(upright, turns))
        found = [m for s in find_squares(grey) if (m := decode(grey, s, dictionary=dictionary)) is not None]
        theirs = cv2.aruco.ArucoDetector(known).detectMarkers(grey)[0][0].reshape(4, 2)
        assert [m.id for m in found] == [marker_id]
        assert np.abs(found[0].corners_px - theirs).max() <= 2
        assert np.array_equal(found[0].bits, marker_bits(dictionary, marker_id) > 0)


@pytest.mark.parametrize(
    "dictionary",
    ["DICT_4X4_50", "DICT_5X5_250", "DICT_6X6_1000", "DICT_7X7_100", "DICT_APRILTAG_36h11", "DICT_APRILTAG_16h5"],
)
def test_the_family_is_inferred(dictionary: str) -> None:
    pixels = draw_markers((330, 380), [corners_of(120, (190, 160))], dictionary=dictionary, ids=(23,))
    calibration = calibrate(photo_of(pixels), reference="aruco:10")
    assert (
        str(calibration.reference)
        == f"aruco:10:{dictionary.replace('1000', '50').replace('250', '50').replace('100', '50')}"
    )


def test_agrees_with_pupil_apriltags() -> None:
    oracle = pytest.importorskip("pupil_apriltags", reason="the oracle pupil-apriltags is not installed")
    corners = [corners_of(150, (130, 140), 5), corners_of(110, (330, 190), -20)]
    pixels = draw_markers((330, 430), corners, dictionary="DICT_APRILTAG_36h11", ids=(3, 8), blur_px=1.0)
    theirs = oracle.Detector(families="tag36h11", quad_decimate=1.0).detect(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))
    ours = find_markers(photo_of(pixels), dictionary=None, region=None)
    assert {m.id for m in ours} == {t.tag_id for t in theirs} == {3, 8}
    for marker in ours:
        fit = fit_marker(pixels, marker)
        assert fit is not None
        tag = next(t for t in theirs if t.tag_id == marker.id)
        # Their corners: lower left first, pixel edges instead of centres, and in sRGB, where black reads smaller.
        reordered = min(
            (np.roll(tag.corners[::-1], k, axis=0) - 0.5 for k in range(4)), key=lambda c: rms(c, fit.corners_px)
        )
        truth = corners[(3, 8).index(marker.id)]
        assert rms(reordered, fit.corners_px) < 0.6
        assert rms(fit.corners_px, truth) < 0.3 * rms(reordered, truth)


# --- which one, and whether ------------------------------------------------------------------------------------------


def two_markers() -> np.ndarray:
    corners = [corners_of(100, (100, 120)), corners_of(100, (290, 200), -8)]
    return draw_markers((330, 400), corners, ids=(7, 9))


def test_two_markers_need_a_box() -> None:
    photo = photo_of(two_markers())
    with pytest.raises(Refusal, match=r"expected one marker, got 2 .* reference box"):
        calibrate(photo, reference="aruco:10")
    left = calibrate(photo, reference="aruco:10", region=(40, 55, 125, 130))
    right = calibrate(photo, reference="aruco:10", region=(235, 140, 115, 120))
    assert left.points_px.mean(axis=0) == pytest.approx((100, 120), abs=3)
    assert right.points_px.mean(axis=0) == pytest.approx((290, 200), abs=3)


def test_a_box_off_the_photo() -> None:
    with pytest.raises(Refusal, match="inside the photo of 400 × 330 px"):
        calibrate(photo_of(two_markers()), reference="aruco:10", region=(900, 10, 50, 50))


def test_a_square_that_is_no_marker() -> None:
    bits = np.zeros((8, 8), np.float32)
    bits[2:6, 2:6] = np.array([[1, 0, 1, 1], [1, 1, 0, 1], [0, 0, 1, 0], [1, 0, 0, 1]])
    pixels = draw_markers((330, 380), [corners_of(140, (190, 160))], bits=bits)
    with pytest.raises(Refusal, match=r"dark square at \(1\d\d, 1\d\d\) whose code is not in it; state the marker"):
        calibrate(photo_of(pixels), reference="aruco:10")


@pytest.mark.parametrize("reference", ["aruco:10", "aruco:10:6X6_250", "auto"])
def test_a_mirrored_marker_is_named_as_mirrored(reference: str) -> None:
    pixels = draw_markers((330, 380), [corners_of(140, (150, 170))], dictionary="DICT_6X6_250", ids=(40,))
    with pytest.raises(Refusal, match=r"got DICT_6X6_\d+ id 40 mirrored at \(2[23]\d, 1[67]\d\); take the photo with"):
        calibrate(photo_of(np.ascontiguousarray(pixels[:, ::-1])), reference=reference)
    upside_down = np.ascontiguousarray(pixels[::-1, ::-1])  # turned by half, which mirrors nothing
    if reference != "auto":
        assert calibrate(photo_of(upside_down), reference=reference).verified


def test_a_wrong_dictionary_is_no_match() -> None:
    pixels = draw_markers((330, 380), [corners_of(140, (190, 160))])
    with pytest.raises(Refusal, match="DICT_6X6_250, got a dark square"):
        calibrate(photo_of(pixels), reference="aruco:10:6X6_250")


def test_no_marker_at_all() -> None:
    pixels = np.full((300, 400, 3), 180, np.uint8)
    with pytest.raises(Refusal, match="expected one on the photo, got none; lay the printed marker"):
        calibrate(photo_of(pixels), reference="aruco:10")


def test_a_larger_family_wins_over_a_pattern_that_reads_as_a_small_one() -> None:
    pixels = draw_markers((330, 400), [corners_of(90, (90, 130))], ids=(9,))
    other = draw_markers((330, 400), [corners_of(120, (290, 180))], dictionary="DICT_6X6_250", ids=(30,))
    both = np.where(np.arange(400)[None, :, None] < 190, pixels, other)
    assert str(calibrate(photo_of(both), reference="aruco:10").reference) == "aruco:10:DICT_6X6_50"


@pytest.mark.parametrize("scale", [1, 5])
def test_an_icon_that_reads_as_the_simplest_code(scale: int) -> None:
    """Icons on a cardboard box read as id 17 of 4X4_50: two arrows, a wine glass."""
    icon = np.full((60 * scale, 80 * scale, 3), 150, np.uint8)
    cv2.rectangle(icon, (20 * scale, 15 * scale), (56 * scale, 51 * scale), (40, 40, 40), -1)
    bits = marker_bits("DICT_4X4_50", 17)
    rows, cols = np.nonzero(bits)
    for row, col in zip(rows, cols, strict=True):
        centre = (int((20 + 6 * (col + 0.5)) * scale), int((15 + 6 * (row + 0.5)) * scale))
        cv2.ellipse(icon, centre, (int(3.4 * scale), int(2.6 * scale)), 30, 0, 360, (150, 150, 150), -1)
    photo = photo_of(cv2.GaussianBlur(icon, (0, 0), 0.8))
    assert find_markers(photo, dictionary=None, region=None) == []
    drawn = photo_of(draw_markers((330, 380), [corners_of(120, (190, 160))], ids=(17,)))
    assert str(calibrate(drawn, reference="aruco:10").reference) == "aruco:10:DICT_4X4_50"


def test_without_ground_round_it_a_marker_is_none() -> None:
    pixels = draw_markers((330, 380), [corners_of(120, (190, 160), 0)])
    pixels[:, :133] = 30
    assert find_markers(photo_of(pixels), dictionary=None, region=None) == []


def test_a_covered_corner() -> None:
    corners = corners_of(120, (190, 160))
    pixels = draw_markers((330, 380), [corners])
    cv2.circle(pixels, tuple(int(c) for c in corners[2]), 25, (190, 140, 120), -1)
    with pytest.raises(Refusal):
        calibrate(photo_of(pixels), reference="aruco:10")


def test_noise_holds_no_marker() -> None:
    for seed in range(3):
        noise = np.random.default_rng(seed).integers(0, 256, (60, 80, 3)).astype(np.uint8)
        blocks = cv2.resize(noise, (640, 480), interpolation=cv2.INTER_NEAREST)
        assert find_markers(photo_of(blocks), dictionary=None, region=None) == []
