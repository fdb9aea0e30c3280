"""From a reference's points to the plane: pose, homography, and equally likely homographies.

A plane homography has eight degrees of freedom, and the perspective of a marker of 10 mm carries three of them
poorly: two marker sides away its scale is already 1-4 % off. But the plane is seen by a camera of which much is known
beforehand. So the pose (6), the focal length, the principal point (2) and the first radial distortion are estimated
together by weighted least squares, the last four held by their prior: the maximum a posteriori homography.
Where the priors are wide it is the ordinary least-squares homography.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np

from ulcermeter.calibration.geometry.camera import CameraPrior
from ulcermeter.calibration.geometry.pose import Level, PoseSamples, solve_poses
from ulcermeter.datatypes import Points, transform_points
from ulcermeter.datatypes.arrays import Matrix

__all__ = ["PlaneFit", "fit_plane", "seeded_generator"]


@dataclass(frozen=True)
class PlaneFit:
    """A fitted plane.

    Attributes
    ----------
    pixel_to_mm : float64 (3, 3)
    draws : float64 (D, 3, 3)
    reprojection_mm : float
    tilt_deg, distance_mm, distance_sd_mm : float
        As in `Calibration`.
    chi2 : float
        Sum of squared standardised residuals, priors included.
    """

    pixel_to_mm: Matrix
    draws: Matrix
    reprojection_mm: float
    tilt_deg: float
    distance_mm: float
    distance_sd_mm: float
    chi2: float


def seeded_generator(sha256: str, purpose: str) -> np.random.Generator:
    """Return the random generator of a photo and a purpose: the same photo gives the same draws everywhere.

    Parameters
    ----------
    sha256 : str
        Hash of the photo's file.
    purpose : str
        What the random numbers are for.

    Returns
    -------
    np.random.Generator
    """
    digest = hashlib.sha256(f"{sha256}:{purpose}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def fit_plane(
    points_px: Points,
    points_mm: Points,
    covariance_px2: Matrix,
    *,
    starts_px: tuple[Points, ...] = (),
    camera: CameraPrior,
    shape: tuple[int, int],
    point_sd_mm: float,
    size_sd_pct: float,
    level_sd_deg: float,
    tilt_scale_deg: float,
    level: Level | None = None,
    n_draws: int,
    rng: np.random.Generator,
) -> PlaneFit:
    """Fit the plane that a reference lies in.

    Parameters
    ----------
    points_px, points_mm : float64 (K, 2)
        Undistorted where a lens profile is used.
    covariance_px2 : float64 (2K, 2K)
    starts_px : tuple of float64 (K, 2)
        Where the poses to start from would show the points; none: start from the points.
    camera : CameraPrior
    shape : (int, int)
        Rows and columns of the photo.
    point_sd_mm : float
        Independent error of each point by print and bending, mm.
    size_sd_pct : float
        Common error of the reference's size, %.
    level_sd_deg : float
        Angle about either axis between the reference and the plane that it stands for: paper curls, skin is not flat.
    tilt_scale_deg : float
        Scale of the tilts at which phones are held, see `solve_poses`.
    level : Level or None
        Where the plane is a table's and the camera felt which way is down.
    n_draws : int
    rng : Generator

    Returns
    -------
    PlaneFit
        The draws also hold the second, mirrored tilt where the photo cannot tell it from the first, by its weight.
    """
    poses = solve_poses(
        points_px,
        points_mm,
        covariance_px2,
        camera=camera,
        point_sd_mm=point_sd_mm,
        tilt_scale_deg=tilt_scale_deg,
        level=level,
        starts_px=starts_px,
    )
    best, samples = poses.best(), poses.sample(n_draws, rng)
    to_mm = poses.middle()
    draws = poses.pixel_to_mm(_levelled(samples, level_sd_deg, rng))
    draws[:, :2] *= 1 + (size_sd_pct / 100) * rng.standard_normal((n_draws, 1, 1))
    tilt_deg, distance_mm = _tilt_and_distance(best, shape)
    distances_mm = _tilt_and_distance(samples, shape)[1]
    off_mm = np.hypot(*(transform_points(to_mm, points_px) - points_mm).T)
    return PlaneFit(
        pixel_to_mm=to_mm,
        draws=draws,
        reprojection_mm=float(np.sqrt(np.mean(off_mm**2))),
        tilt_deg=float(tilt_deg[0]),
        distance_mm=float(distance_mm[0]),
        distance_sd_mm=float(np.std(distances_mm)) if n_draws > 1 else float("nan"),
        chi2=poses.chi2,
    )


def _levelled(samples: PoseSamples, level_sd_deg: float, rng: np.random.Generator) -> PoseSamples:
    """Return the poses of planes turned a little about the reference's centre."""
    angles = np.deg2rad(level_sd_deg) * rng.standard_normal((len(samples.frames), 2, 1))
    first, second = samples.frames[:, :, 0], samples.frames[:, :, 1]
    normal = np.cross(first, second)
    frames = samples.frames.copy()
    frames[:, :, 0] = np.cos(angles[:, 0]) * first + np.sin(angles[:, 0]) * normal
    frames[:, :, 1] = np.cos(angles[:, 1]) * second + np.sin(angles[:, 1]) * normal
    return replace(samples, frames=frames)


def _tilt_and_distance(samples: PoseSamples, shape: tuple[int, int]) -> tuple[Matrix, Matrix]:
    """Return tilt (degrees) and distance along the ray of the photo's centre (mm), (B,) each."""
    normals = np.cross(samples.frames[:, :, 0], samples.frames[:, :, 1])
    middle = np.array([(shape[1] - 1) / 2, (shape[0] - 1) / 2])
    rays = np.column_stack([(middle - samples.centres_px) / samples.focals_px[:, None], np.ones(len(normals))])
    along = np.sum(normals * samples.frames[:, :, 2], axis=1) / np.sum(normals * rays, axis=1)
    return np.degrees(np.arccos(np.clip(np.abs(normals[:, 2]), 0, 1))), along * np.linalg.norm(rays, axis=1)
