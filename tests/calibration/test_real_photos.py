"""Markers, and what is none, on photographs that others took."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ulcermeter.calibration import calibrate
from ulcermeter.calibration.references.aruco import find_markers
from ulcermeter.datatypes import Calibration, Photo, transform_points
from ulcermeter.errors import Refusal
from ulcermeter.photo import read_photo

DATA = Path(__file__).parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real photographs (../shared/data) are not here")


def side_of(homography: np.ndarray, corners: np.ndarray) -> float:
    """Root of the area of a square in the plane."""
    x, y = transform_points(homography, corners).T
    return float(np.sqrt(abs(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2))


def equal_markers() -> tuple[Photo, list[Calibration]]:
    photo = read_photo(DATA / "markers" / "singlemarkersoriginal.jpg")
    calibrations = []
    for marker in find_markers(photo, dictionary=None, region=None):
        low, size = marker.corners_px.min(axis=0), np.ptp(marker.corners_px, axis=0)
        calibrations.append(calibrate(photo, reference="aruco:20", region=(*low, *size)))
    return photo, calibrations


def test_six_equal_markers_measure_each_other_within_their_intervals() -> None:
    _, calibrations = equal_markers()
    assert len(calibrations) == 6 and {str(c.reference) for c in calibrations} <= {
        f"aruco:20:DICT_6X6_{n}" for n in (50, 100, 250)
    }
    inside, off = [], []
    rng = np.random.default_rng(0)
    for one in calibrations:
        for other in calibrations:
            if one is other:
                continue
            noise = rng.multivariate_normal(np.zeros(8), other.points_covariance_px2, 400).reshape(-1, 4, 2)
            sides = [side_of(h, other.points_px + n) for h, n in zip(one.draws[:400], noise, strict=True)]
            low, high = np.percentile(sides, [2.5, 97.5])
            inside.append(low <= 20 <= high)
            off.append(side_of(one.pixel_to_mm, other.points_px) / 20 - 1)
    assert np.mean(inside) >= 0.9
    assert np.sqrt(np.mean(np.square(off))) < 0.025  # 4.2 % by four corners alone, at 40° and 2 to 7 sides away


def test_equal_markers_without_a_box_are_refused() -> None:
    for name in ("singlemarkersoriginal.jpg", "33369213973_9d9bb4cc96_c.jpg"):
        with pytest.raises(Refusal, match="reference box"):
            calibrate(read_photo(DATA / "markers" / name), reference="aruco:20")


def test_apriltags_are_where_their_truth_says() -> None:
    name = DATA / "markers" / "33369213973_9d9bb4cc96_c"
    lines = name.with_suffix(".txt").read_text().replace("(", "").replace(")", "").splitlines()
    truth = [np.array(line.split(",", 1)[1].replace(",", " ").split(), float).reshape(4, 2) for line in lines if line]
    found = find_markers(read_photo(name.with_suffix(".jpg")), dictionary=None, region=None)
    assert len(found) >= 6 and {m.dictionary for m in found} == {"DICT_APRILTAG_36h11"}
    for marker in found:
        off = [np.abs(marker.corners_px.mean(axis=0) - corners.mean(axis=0)).max() for corners in truth]
        assert min(off) < 1.5


@pytest.mark.parametrize("name", ["diamondmarkers.png", "gboriginal.png"])
def test_markers_of_no_dictionary_are_refused(name: str) -> None:
    with pytest.raises(Refusal, match="whose code is not in it"):
        calibrate(read_photo(DATA / "markers" / name), reference="aruco:20")


@pytest.mark.parametrize("folder", ["hands_healthy", "not_ulcers", "hand_card", "rulers", "fuseg/dev/photos"])
def test_nothing_is_found_where_no_marker_is(folder: str) -> None:
    paths = sorted(p for p in (DATA / folder).iterdir() if p.suffix.lower() in (".jpg", ".png"))[:25]
    assert paths
    for path in paths:
        assert find_markers(read_photo(path), dictionary=None, region=None) == [], path.name
