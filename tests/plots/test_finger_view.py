"""A finger's view: the same place of the finger stands at the same pixel, however it lay before the camera."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ulcermeter.datatypes import Calibration, Finger, transform_points
from ulcermeter.plots import FINGER_VIEW_PX, PX_PER_MM, draw_finger_view, place_in_view
from ulcermeter.reference import parse_reference

CAMERA_MM = 250.0
RADIUS_MM = 8.0
# s and t of an ulcer, mm; its arc over the finger's top ends nearer the mid-line than it is long.
PLACE = (14.0, 3.0)


def calibration(turn_deg: float, keystone: float) -> Calibration:
    """Return a plane seen at about 12 px/mm, turned and tilted."""
    turn = np.radians(turn_deg)
    rotation = np.array([[np.cos(turn), -np.sin(turn), 20.0], [np.sin(turn), np.cos(turn), 5.0], [0, 0, 1.0]])
    pixel_to_mm = rotation @ np.array([[1 / 12, 0, 0], [0, 1 / 12, 0], [0, keystone, 1.0]])
    square = np.array([[100.0, 100], [200, 100], [200, 200], [100, 200]])
    return Calibration(
        pixel_to_mm=pixel_to_mm,
        draws=pixel_to_mm[None],
        reference=parse_reference("aruco:10"),
        reference_on="table",
        points_px=square,
        points_mm=transform_points(pixel_to_mm, square),
        points_covariance_px2=np.eye(8) * 0.01,
        reference_outline_px=square,
        reprojection_mm=0.01,
        tilt_deg=0.0,
        distance_mm=CAMERA_MM,
        distance_sd_mm=5.0,
        verified=True,
        shape=(900, 1200),
    )


def seen_from(true_mm: np.ndarray, height_mm: float, camera: np.ndarray) -> np.ndarray:
    """Return where the ray from the camera through a point meets the plane, by similar triangles."""
    return camera[:2] + (true_mm - camera[:2]) * camera[2] / (camera[2] - height_mm)


@pytest.mark.parametrize(("turn_deg", "keystone"), [(0.0, 0.0), (35.0, 2e-5), (-140.0, -3e-5)])
def test_a_place_stands_where_its_coordinates_say(turn_deg: float, keystone: float) -> None:
    plane = calibration(turn_deg, keystone)
    middle_mm = plane.to_mm(np.array([[600.0, 450.0]]))[0]
    axis = np.array([np.cos(np.radians(70 + turn_deg)), np.sin(np.radians(70 + turn_deg))])
    camera = np.array([*(middle_mm + [12.0, -7.0]), CAMERA_MM])
    finger = Finger(np.zeros((0, 2)), tuple(middle_mm - 10 * axis), tuple(axis), RADIUS_MM, 0.3, axis_height_mm=1.0,
                    viewpoint_mm=tuple(camera))  # fmt: skip
    s, t = PLACE
    off = RADIUS_MM * np.sin(t / RADIUS_MM)
    true_mm = middle_mm - 10 * axis + s * axis + off * np.array([axis[1], -axis[0]])
    height_mm = 1.0 + np.sqrt(RADIUS_MM**2 - off**2)
    x, y = plane.to_px(seen_from(true_mm, height_mm, camera)[None])[0]
    pixels = np.full((900, 1200, 3), 210, np.uint8)
    cv2.circle(pixels, (round(x), round(y)), 8, (200, 0, 0), -1)
    view = cv2.imdecode(np.frombuffer(draw_finger_view(pixels, plane, finger, ()) or b"", np.uint8), cv2.IMREAD_COLOR)
    assert view.shape[1::-1] == FINGER_VIEW_PX
    rows, cols = np.nonzero((view[..., 2].astype(int) - view[..., 1]) > 90)
    found = np.array([cols.mean(), rows.mean()])
    # The view is of the top's height: off the mid-line it is half a millimetre lower, and the arc counts as straight.
    assert np.hypot(*(found - place_in_view(s, t))) < 0.4 * PX_PER_MM


def test_without_a_finger_the_largest_ulcer_is_in_the_middle_and_with_neither_there_is_no_view() -> None:
    plane, pixels = calibration(20.0, 0.0), np.full((900, 1200, 3), 210, np.uint8)
    outline = np.array([[500.0, 300], [530, 300], [530, 330], [500, 330]])
    data = draw_finger_view(pixels, plane, None, [outline])
    view = cv2.imdecode(np.frombuffer(data or b"", np.uint8), cv2.IMREAD_COLOR).astype(int)
    assert view.shape[0] == view.shape[1] == FINGER_VIEW_PX[0]
    rows, cols = np.nonzero(np.ptp(view, axis=2) > 60)
    assert abs(rows.mean() - view.shape[0] / 2) < 2 and abs(cols.mean() - view.shape[1] / 2) < 2
    assert draw_finger_view(pixels, plane, None, ()) is None
