"""The prior of tilts, and the mean of poses that a photo cannot tell apart."""

from __future__ import annotations

import numpy as np
import pytest

from ulcermeter.calibration.geometry.camera import CameraPrior
from ulcermeter.calibration.geometry.pose import _aligned_like, _heavy_tailed, solve_poses

CAMERA = CameraPrior(3400.0, 0.02, (2000.0, 1500.0), 5.0, 0.001)
SQUARE = np.array([[-5.0, -5.0], [5.0, -5.0], [5.0, 5.0], [-5.0, 5.0]])


def seen(tilt_deg: float, at_mm: tuple[float, float], distance_mm: float) -> np.ndarray:
    tilt = np.deg2rad(tilt_deg)
    axes = np.array([[np.cos(tilt), 0.0, np.sin(tilt)], [0.0, 1.0, 0.0]])
    points = SQUARE @ axes + (*at_mm, distance_mm)
    return points[:, :2] / points[:, 2:] * CAMERA.focal_px + CAMERA.centre_px


@pytest.mark.parametrize("tilt", [0.0, 0.3, 1.0, 4.0])
def test_the_prior_of_tilts_is_student_s_t_in_two_dimensions(tilt: float) -> None:
    direction = np.array([[0.6, -0.8]])
    residuals = _heavy_tailed(tilt * direction)
    # -2 log of (1 + t²/v)^(-(v + 2) / 2), v = 2
    assert np.sum(residuals**2) == pytest.approx(4 * np.log(1 + tilt**2 / 2), abs=1e-9)


@pytest.mark.parametrize("tilt_deg", [0.0, 12.0, 30.0])
def test_clear_corners_tell_the_tilt_whatever_the_prior_expects(tilt_deg: float) -> None:
    poses = solve_poses(
        seen(tilt_deg, (20.0, -15.0), 220.0),
        SQUARE,
        0.01**2 * np.eye(8),
        camera=CAMERA,
        point_sd_mm=0.0,
        tilt_scale_deg=5.0,
    )
    axes = poses.best().frames[0, :, :2]
    assert np.degrees(np.arccos(np.cross(*axes.T)[2])) == pytest.approx(tilt_deg, abs=0.6)


def test_two_turns_of_a_disc_s_points_have_one_mean_size() -> None:
    """A plane turned by 25 degrees about the reference's centre is the same plane: no mean over both is smaller."""
    centre = np.array([3.0, -2.0])
    plane = np.array([[12.0, 0.5, 700.0], [-0.3, 11.0, 900.0], [1e-3, -2e-3, 1.0]])
    plane /= (plane @ [*centre, 1.0])[2]
    c, s = np.cos(np.deg2rad(25)), np.sin(np.deg2rad(25))
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])
    turn[:2, 2] = centre - turn[:2, :2] @ centre
    assert np.allclose(_aligned_like(plane, plane @ turn, centre), plane, atol=1e-9)
