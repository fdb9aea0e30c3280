"""Overlays and healing curves: what is drawn stands where it must, and the same inputs give the same bytes."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

from ulcermeter import tables
from ulcermeter.datatypes import (
    Calibration,
    CameraInfo,
    OutlineSource,
    Photo,
    RectifiedPhoto,
    Segmentation,
    transform_points,
)
from ulcermeter.plots import draw_overlay, draw_refusal, healing_curve, shrink_jpeg
from ulcermeter.plots.canvas import CYAN, WHITE, YELLOW
from ulcermeter.protocol import read_protocol
from ulcermeter.reference import parse_reference

PX_PER_MM = 15.0


def make_photo(rows: int = 900, cols: int = 1400, tone: tuple[int, int, int] = (205, 160, 135)) -> Photo:
    """A finger-like bar of one tone on a table, not square, nothing centred."""
    pixels = np.full((rows, cols, 3), (92, 104, 118), dtype=np.uint8)
    cv2.ellipse(pixels, (cols // 3, rows // 2), (cols // 3, rows // 6), 8, 0, 360, tone, -1)
    return Photo(pixels, "ab" * 32, None, CameraInfo(), Path("photos/S01_screening.jpg"))


def make_calibration(
    photo: Photo, *, px_per_mm: float = PX_PER_MM, keystone: float = 0.0, reference_on: str = "skin"
) -> Calibration:
    homography = np.array([[1 / px_per_mm, 0, 0], [0, 1 / px_per_mm, 0], [0, keystone, 1.0]])
    square = np.array([[980.0, 120], [1130, 120], [1130, 270], [980, 270]]) * photo.pixels.shape[1] / 1400
    return Calibration(
        pixel_to_mm=homography,
        draws=np.repeat(homography[None], 4, axis=0),
        reference=parse_reference("aruco:10:DICT_4X4_50"),
        reference_on=reference_on,
        points_px=square,
        points_mm=transform_points(homography, square),
        points_covariance_px2=np.eye(8) * 0.01,
        reference_outline_px=square,
        reprojection_mm=0.01,
        tilt_deg=3.0,
        distance_mm=200.0,
        distance_sd_mm=5.0,
        verified=True,
        shape=photo.pixels.shape[:2],
    )


def ellipse_px(centre: tuple[float, float], long_mm: float, *, px_per_mm: float = PX_PER_MM) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    shape = np.column_stack([long_mm / 2 * np.cos(angle), 0.35 * long_mm * np.sin(angle)])
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    return np.asarray(centre) + px_per_mm * shape @ turn.T


def make_segmentation(photo: Photo, outlines: list[np.ndarray], **calibration: Any) -> Segmentation:
    found = make_calibration(photo, **calibration)
    spacing = 0.05
    window = np.zeros((600, 800, 3), dtype=np.uint8)
    rectified = RectifiedPhoto(window, spacing, (12.0, 14.0), found, photo)
    n = len(outlines)
    return Segmentation(
        rectified=rectified,
        labels=np.zeros((600, 800), dtype=np.int32),
        probability=np.zeros((600, 800), dtype=np.float32),
        outlines=tuple(outlines),
        confidence=(0.9,) * n,
        touches_border=(False,) * n,
        source=OutlineSource.TRUTH,
    )


def make_measurements(diameters: list[float], over: str = "yes") -> pd.DataFrame:
    common = {"subject_id": "S01", "visit": "screening", "hand": "left", "finger": "index", "over_threshold": over}
    rows: list[dict[str, Any]] = [
        {
            **common, "label": label, "diameter_mm": d, "diameter_low_mm": 0.88 * d, "diameter_high_mm": 1.12 * d,
            "area_mm2": 0.55 * d**2,
        }
        for label, d in enumerate(diameters, start=1)
    ]  # fmt: skip
    return tables.from_rows("measurements", rows)


def decoded(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1].astype(int)


def near(pixels: np.ndarray, colour: tuple[int, int, int], within: int = 60) -> np.ndarray:
    return np.abs(pixels - np.asarray(colour)).max(axis=2) < within


def ends_of(outline: np.ndarray) -> np.ndarray:
    return np.array([outline[0], outline[30]])


def example(tone: tuple[int, int, int] = (205, 160, 135), **calibration: Any) -> bytes:
    photo = make_photo(tone=tone)
    outline = ellipse_px((420.0, 470.0), 2.41)
    segmentation = make_segmentation(photo, [outline], **calibration)
    return draw_overlay(photo, segmentation, make_measurements([2.41]), lines={1: ends_of(outline)}, threshold_mm=2.0)


def test_an_overlay_is_one_jpeg_of_bounded_size_and_the_same_every_time() -> None:
    first = example()
    assert first[:3] == b"\xff\xd8\xff"
    assert max(decoded(first).shape) <= 1600
    assert example() == first


@pytest.mark.parametrize("tone", [(246, 222, 206), (205, 160, 135), (140, 95, 70), (62, 41, 33), (150, 30, 25)])
def test_outline_and_diameter_are_seen_on_every_skin_tone(tone: tuple[int, int, int]) -> None:
    pixels = decoded(example(tone))
    assert near(pixels, CYAN).sum() > 300
    assert near(pixels, YELLOW).sum() > 150


def test_a_possible_ulcer_is_drawn_in_dashes_and_called_so() -> None:
    photo = make_photo()
    outline = ellipse_px((420.0, 470.0), 2.41)
    sure = make_segmentation(photo, [outline])
    rows = make_measurements([2.41])
    drawn = [
        decoded(draw_overlay(photo, one, rows.assign(presence=one.presence.value), lines={}))
        for one in (sure, replace(sure, possible=True))
    ]
    whole, dashed = (near(pixels, CYAN)[:800].sum() for pixels in drawn)
    assert 0.4 * whole < dashed < 0.85 * whole
    captions = [pixels[-120:] for pixels in drawn]
    assert (captions[0] != captions[1]).any()


def test_outline_stands_where_it_was_given() -> None:
    # The view is 24 mm wide and shown at 1200 px: 50 px per mm, so 2.41 mm along (0.8, 0.6) spans this much.
    ys, xs = np.nonzero(near(decoded(example())[:800], YELLOW))
    picture = np.column_stack([xs, ys])[(ys > 260)]  # below the inset, whose frame is yellow too
    assert np.ptp(picture[:, 0]) == pytest.approx(0.8 * 2.41 * 50 + 0.6 * 18, abs=8)
    assert picture.mean(axis=0) == pytest.approx([600, 450], abs=6)


def bar_length_px(data: bytes) -> int:
    """Longest run of white in a row near the lower edge of the picture: the bar."""
    best = 0
    for row in near(decoded(data)[820:890], WHITE, 40):
        runs = np.diff(np.flatnonzero(np.diff(np.concatenate([[0], row[:700].astype(int), [0]]))))[::2]
        best = max([best, *runs.tolist()])
    return best


def test_scale_bar_is_true_at_the_ulcer() -> None:
    assert bar_length_px(example()) == pytest.approx(5 * 50, abs=5)


def test_scale_bar_takes_the_height_of_the_ulcer_into_account() -> None:
    photo, outline = make_photo(), ellipse_px((420.0, 470.0), 2.5)
    segmentation = make_segmentation(photo, [outline], reference_on="table")
    # A measured diameter 8 % under the one in the reference's plane: a millimetre there is 8 % more pixels.
    drawn = draw_overlay(photo, segmentation, make_measurements([2.3]), lines={1: ends_of(outline)}, threshold_mm=2.0)
    assert bar_length_px(drawn) == pytest.approx(5 * 50 / 0.92, abs=6)


def test_several_ulcers_no_ulcer_and_no_lines_are_drawn_too() -> None:
    photo = make_photo()
    outlines = [ellipse_px((420.0, 470.0), 4.0), ellipse_px((640.0, 500.0), 2.0)]
    both = draw_overlay(photo, make_segmentation(photo, outlines), make_measurements([4.0, 2.0], "uncertain"), lines={})
    none = draw_overlay(photo, make_segmentation(photo, []), tables.empty("measurements"), lines={}, threshold_mm=2.0)
    assert both != none
    assert max(decoded(none).shape) <= 1600


def test_an_ulcer_as_large_as_the_photo_and_one_at_its_border() -> None:
    photo = make_photo(rows=300, cols=420)
    for centre, long_mm in (((210.0, 150.0), 25.0), ((2.0, 290.0), 2.0)):
        outline = ellipse_px(centre, long_mm)
        data = draw_overlay(
            photo, make_segmentation(photo, [outline]), make_measurements([long_mm]), lines={1: ends_of(outline)}
        )
        assert max(decoded(data).shape) <= 1600


def test_a_twelve_megapixel_photo_is_never_copied_whole() -> None:
    photo = make_photo(3000, 4000)
    outline = ellipse_px((1500.0, 1600.0), 2.41, px_per_mm=40)
    segmentation = make_segmentation(photo, [outline], px_per_mm=40.0)
    rows, lines = make_measurements([2.41]), {1: ends_of(outline)}
    tracemalloc.start()
    draw_overlay(photo, segmentation, rows, lines=lines)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < photo.pixels.nbytes


def test_a_refused_photo_keeps_its_reason_below_it() -> None:
    photo = make_photo()
    short, long = draw_refusal(photo, "tilt 41°"), draw_refusal(photo, "tilt 41°: hold the phone parallel. " * 12)
    assert decoded(long).shape[0] > decoded(short).shape[0]
    assert max(decoded(long).shape) <= 1600
    assert draw_refusal(photo, "tilt 41°") == short


def test_shrinking_keeps_the_shape_and_refuses_rubbish() -> None:
    small = shrink_jpeg(example(), longest_px=300)
    assert max(decoded(small).shape) == 300
    assert shrink_jpeg(b"", longest_px=300) == shrink_jpeg(b"not a picture", longest_px=300) == b""


def make_course() -> pd.DataFrame:
    visits = [
        ("screening", -14, 3.1, "first seen"), ("baseline", 0, 3.0, "persistent"), ("week 2", 14, 2.2, "persistent"),
        ("week 4", 28, None, "not photographed"), ("week 8", 56, 0.0, "healed"), ("week 12", 84, 1.7, "recurrent"),
        ("week 24", 168, None, "indeterminate"),
    ]  # fmt: skip
    rows: list[dict[str, Any]] = []
    for visit, day, diameter, state in visits:
        row: dict[str, Any] = {"subject_id": "S01", "ulcer_id": "S01-left-index-1", "visit": visit, "day": day}
        row |= {"date": f"2016-{1 + (day + 20) // 30:02d}-10", "state": state, "hand": "left", "finger": "index"}
        if diameter is not None:
            row |= {"diameter_mm": diameter, "area_mm2": 0.6 * diameter**2}
            if diameter:
                row |= {"diameter_low_mm": 0.9 * diameter, "diameter_high_mm": 1.1 * diameter}
                row |= {"area_low_mm2": 0.5 * diameter**2, "area_high_mm2": 0.7 * diameter**2}
        rows.append(row)
    return tables.from_rows("trajectories", rows)


def test_a_curve_is_a_small_svg_the_same_every_time_and_names_its_states() -> None:
    protocol = read_protocol("manus")
    svg = healing_curve(make_course(), protocol=protocol)
    assert svg.startswith("<svg") and len(svg) < 80_000
    assert "dc:date" not in svg
    for words in ("healed", "recurrent", "not photographed", "indeterminate", "days since treatment", "2 mm"):
        assert words in svg
    assert healing_curve(make_course(), protocol=protocol) == svg


def test_a_curve_without_days_counts_from_the_first_photo_and_says_what_is_left_out() -> None:
    course = make_course()
    course["day"] = pd.array([pd.NA] * len(course), dtype="Int64")
    course.loc[0, "date"] = "2016-01"
    svg = healing_curve(course, protocol=read_protocol("manus"))
    assert "days since first photo" in svg
    assert "1 visit(s) without an exact date not drawn" in svg


def test_a_curve_of_one_point_and_of_none() -> None:
    protocol = read_protocol("manus")
    for course in (make_course().iloc[:1], make_course().iloc[:0], make_course().iloc[3:4]):
        assert healing_curve(course, protocol=protocol).startswith("<svg")


def test_the_number_beside_an_outline_can_start_later() -> None:
    photo, outline = make_photo(), ellipse_px((420.0, 470.0), 2.41)
    segmentation, rows = make_segmentation(photo, [outline]), make_measurements([2.41])
    drawn = [draw_overlay(photo, segmentation, rows, lines={}, first_label=first) for first in (1, 2)]
    assert drawn[0] != drawn[1]
