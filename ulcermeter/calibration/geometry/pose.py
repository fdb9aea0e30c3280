"""The pose of a reference's plane before the camera, with what is known of the camera as priors.

Ten parameters: rotation vector (3) on top of a first guess, the reference's centre as its ray (2) and the logarithm of
its depth in mm, logarithm of the focal length in px, principal point (2, px), first radial distortion coefficient k1.
The last four have priors. Depth and focal length trade against each other as a product, which is why both are
logarithms: the posterior is then near enough to normal for its draws to cover.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ulcermeter.calibration.geometry.camera import CameraPrior
from ulcermeter.calibration.geometry.homography import fit_homography
from ulcermeter.datatypes import Points
from ulcermeter.datatypes.arrays import Matrix

__all__ = ["Level", "PoseSamples", "Poses", "solve_poses"]

_STEPS = 40
"""Most steps of Levenberg-Marquardt: poses settle in under ten."""
_LEAST_GAIN = 1e-3
"""Of chi2, whose unit is one standard deviation squared: smaller steps change nothing."""
_MIRROR_CHI2 = 20.0
"""Solutions this much worse than the best one weigh exp(-10) and are left out."""
_SAME_PLANE = 0.01
"""Normals nearer than this (0.6 degrees) in every component are one plane: two that a reference's points are mirrored
by, or that start from other places of a disc's points, mean the same tilt."""
_TILT_FREEDOM = 2.0
"""Of the t distribution of tilts: many photos are nearly square to the plane, and a few far from it."""
_DIFFERENCES = np.array([1e-6, 1e-6, 1e-6, 1e-6, 1e-6, 1e-6, 1e-6, 1e-3, 1e-3, 1e-6])
"""Steps of the numerical derivatives, in each parameter's unit: rad, 1, ln mm, ln px, px, 1."""
_FIRST_DAMPING, _LEAST_DAMPING = 1e-3, 1e-9
"""Of Levenberg and Marquardt, over the normal equations' diagonal: the usual first one, and next to none."""
_DAMPING_GROWTH, _DAMPINGS = 10.0, 8
"""Marquardt's (1963) factor from one damping to the next, and how many are tried at once: the last hardly moves."""
_LENS_GRID = 9
"""Points on a side of the grid over which distortion is fitted by a homography: smooth, so that few tell it."""


@dataclass(frozen=True)
class Level:
    """A plane believed to be level, before a camera that felt which way is down.

    Attributes
    ----------
    down : (float, float, float)
        Unit vector of gravity in the camera's axes: right, down, away.
    scale_deg : float
        Of how far the plane's normal is from it, a t distribution.
    """

    down: tuple[float, float, float]
    scale_deg: float


@dataclass(frozen=True)
class PoseSamples:
    """Poses with their cameras.

    Attributes
    ----------
    frames : float64 (B, 3, 3)
        [r1 r2 t]: from the plane's mm, measured from the reference's centre, to the camera's mm.
    focals_px : float64 (B,)
    centres_px : float64 (B, 2)
    k1 : float64 (B,)
    """

    frames: Matrix
    focals_px: Matrix
    centres_px: Matrix
    k1: Matrix


@dataclass(frozen=True)
class _Problem:
    points_px: Points
    plane: Matrix
    whitening: Matrix
    camera: CameraPrior
    means: Matrix
    sds: Matrix
    tilt_scale: float
    level: Level | None


@dataclass(frozen=True)
class _Solution:
    rotation: Matrix
    parameters: Matrix
    factor: Matrix
    chi2: float

    def mode(self) -> PoseSamples:
        """Return the solution's own pose alone."""
        return self.samples(np.zeros((1, 10)))

    def samples(self, offsets: Matrix) -> PoseSamples:
        """Return the poses at parameters plus factor @ offsets, for offsets (B, 10)."""
        parameters = self.parameters + offsets @ self.factor.T
        return PoseSamples(
            _frames(self.rotation, parameters), np.exp(parameters[:, 6]), parameters[:, 7:9], parameters[:, 9]
        )


@dataclass(frozen=True)
class Poses:
    """The poses that explain a reference's points: the best one, and any mirrored one that does nearly as well."""

    solutions: tuple[_Solution, ...] = field(repr=False)
    centre_mm: Points
    undistortion: Matrix = field(repr=False)

    @property
    def chi2(self) -> float:
        """The best pose's sum of squared standardised residuals, priors included."""
        return self.solutions[0].chi2

    def best(self) -> PoseSamples:
        """Return the maximum a posteriori pose alone."""
        return self.solutions[0].mode()

    def middle(self) -> Matrix:
        """Return the homography (3, 3) from photo pixels to plane mm in the middle of the solutions, by weight.

        Where the photo cannot tell a tilt from its mirror image, either one is wrong twice as often as far; their
        mean, taken of the homographies to pixels, has the foreshortening that both share and half the rest.
        """
        weights = np.exp([(self.chi2 - solution.chi2) / 2 for solution in self.solutions])
        each = [self.pixel_to_mm(solution.mode())[0] for solution in self.solutions]
        to_px = np.linalg.inv(np.stack(each))
        to_px /= (to_px[:, 2] @ np.append(self.centre_mm, 1.0))[:, None, None]
        turned = np.stack([_aligned_like(to_px[0], one, self.centre_mm) for one in to_px])
        mean = np.linalg.inv(np.average(turned, axis=0, weights=weights))
        return np.asarray(mean / mean[2, 2])

    def sample(self, n_draws: int, rng: np.random.Generator) -> PoseSamples:
        """Return equally likely poses, each solution by its weight exp(-chi2 / 2)."""
        normal, uniform = rng.standard_normal((n_draws, 10)), rng.random(n_draws)
        weights = np.exp([(self.chi2 - solution.chi2) / 2 for solution in self.solutions])
        ends = np.floor(np.cumsum(weights / weights.sum()) * n_draws + 0.5).astype(int)
        starts = [0, *ends[:-1]]
        order = np.argsort(uniform, kind="stable")
        parts = [s.samples(normal[a:b]) for s, a, b in zip(self.solutions, starts, ends, strict=True)]
        return PoseSamples(
            np.concatenate([part.frames for part in parts])[order],
            np.concatenate([part.focals_px for part in parts])[order],
            np.concatenate([part.centres_px for part in parts])[order],
            np.concatenate([part.k1 for part in parts])[order],
        )

    def pixel_to_mm(self, samples: PoseSamples) -> Matrix:
        """Return homographies (B, 3, 3) from photo pixels to plane mm, last element 1.

        A homography cannot bend a line: of the lens's distortion it carries the part that a homography can, round the
        reference.
        """
        inner = np.zeros_like(samples.frames)
        inner[:, 0, 0] = inner[:, 1, 1] = samples.focals_px
        inner[:, :2, 2] = samples.centres_px
        inner[:, 2, 2] = 1.0
        shift = np.array([[1, 0, self.centre_mm[0]], [0, 1, self.centre_mm[1]], [0, 0, 1.0]])
        straightened = np.eye(3) + samples.k1[:, None, None] * self.undistortion
        homographies = shift @ np.linalg.inv(inner @ samples.frames) @ straightened
        return np.asarray(homographies / homographies[:, 2:, 2:])


def solve_poses(
    points_px: Points,
    points_mm: Points,
    covariance_px2: Matrix,
    *,
    camera: CameraPrior,
    point_sd_mm: float,
    tilt_scale_deg: float,
    level: Level | None = None,
    starts_px: tuple[Points, ...] = (),
) -> Poses:
    """Find the poses that explain a reference's points.

    Parameters
    ----------
    points_px, points_mm : float64 (K, 2)
    covariance_px2 : float64 (2K, 2K)
    camera : CameraPrior
    point_sd_mm : float
        Independent error of each point in the plane, mm.
    tilt_scale_deg : float
        Scale of the tilts at which phones are held, a t distribution: what decides where the points do not.
    level : Level or None
        Where the plane is a table's and the camera felt which way is down.
    starts_px : tuple of float64 (K, 2)
        Where the poses to start from would show the points; none: start from the points.

    Returns
    -------
    Poses
    """
    centre_mm = points_mm.mean(axis=0)
    plane = np.column_stack([points_mm - centre_mm, np.ones(len(points_mm))])
    px_per_mm = _spread(points_px) / _spread(points_mm)
    noise = covariance_px2 + np.eye(len(covariance_px2)) * ((point_sd_mm * px_per_mm) ** 2 + 1e-8)
    whitening = np.linalg.inv(np.linalg.cholesky(noise))
    means = np.array([np.log(camera.focal_px), *camera.centre_px, 0.0])
    sds = np.array([camera.focal_sd_rel, camera.centre_sd_px, camera.centre_sd_px, max(camera.k1_sd, 1e-7)])
    tilt_scale = float(np.sin(np.deg2rad(tilt_scale_deg)))
    problem = _Problem(points_px, plane, whitening, camera, means, sds, tilt_scale, level)
    starts = [start for places_px in starts_px or (points_px,) for start in _starts(problem, places_px)]
    solutions = [_solve(problem, *start) for start in starts]
    return Poses(_distinct(solutions), centre_mm, _undistortion(points_px, camera))


def _spread(points: Points) -> float:
    return float(np.sqrt(np.mean(np.sum((points - points.mean(axis=0)) ** 2, axis=1))))


def _aligned_like(first: Matrix, other: Matrix, centre_mm: Points) -> Matrix:
    """Turn the plane of another homography to pixels about the reference's centre until its axes lie as the first's.

    The points of a disc may lie anywhere along its rim, and a mean over two turns would be too small.
    """
    middle = np.append(centre_mm, 1.0)
    slopes = [h[:2, :2] - np.outer(h[:2] @ middle, h[2, :2]) for h in (first, other)]
    u, _, vt = np.linalg.svd(slopes[1].T @ slopes[0])
    turn = np.eye(3)
    turn[:2, :2] = u @ vt
    turn[:2, 2] = centre_mm - turn[:2, :2] @ centre_mm
    return np.asarray(other @ turn, dtype=np.float64)


def _distinct(solutions: list[_Solution]) -> tuple[_Solution, ...]:
    """Sort by chi2; leave out the far worse, and those whose plane lies as a better one's does."""
    kept: list[_Solution] = []
    for solution in sorted(solutions, key=lambda s: s.chi2):
        duplicates = [np.abs(_normal(solution) - _normal(k)).max() < _SAME_PLANE for k in kept]
        if not kept or (solution.chi2 - kept[0].chi2 < _MIRROR_CHI2 and not any(duplicates)):
            kept.append(solution)
    return tuple(kept)


def _normal(solution: _Solution) -> Matrix:
    first, second = solution.mode().frames[0, :, :2].T
    return np.cross(first, second)


def _undistortion(points_px: Points, camera: CameraPrior) -> Matrix:
    """Return dP (3, 3): I + k1 dP is the homography nearest to undistorting with a small k1, round the reference.

    Fitted over the reference's box grown by two of its sizes on every side, inside the photo: where an ulcer can lie.
    """
    low, high = points_px.min(axis=0), points_px.max(axis=0)
    size = float((high - low).max())
    low = np.minimum(low, np.maximum(low - 2 * size, 0))
    high = np.maximum(high, np.minimum(high + 2 * size, 2 * np.asarray(camera.centre_px)))
    x, y = np.meshgrid(*(np.linspace(low[i], high[i], _LENS_GRID) for i in (0, 1)))
    rays = (np.column_stack([x.ravel(), y.ravel()]) - camera.centre_px) / camera.focal_px
    shift = -rays * np.sum(rays**2, axis=1, keepdims=True)
    ones, zero = np.ones((len(rays), 1)), np.zeros((len(rays), 3))
    rows_x = np.hstack([rays, ones, zero, -rays[:, :1] * rays])
    rows_y = np.hstack([zero, rays, ones, -rays[:, 1:] * rays])
    free = np.linalg.lstsq(np.vstack([rows_x, rows_y]), np.concatenate([shift[:, 0], shift[:, 1]]), rcond=None)[0]
    return np.asarray(camera.matrix @ np.append(free, 0.0).reshape(3, 3) @ np.linalg.inv(camera.matrix))


def _rotations(vectors: Matrix) -> Matrix:
    """Return rotation matrices (B, 3, 3) of rotation vectors (B, 3), by Rodrigues' formula."""
    angle = np.sqrt(np.sum(vectors**2, axis=1) + 1e-24)[:, None, None]
    skew = np.zeros((len(vectors), 3, 3))
    skew[:, [2, 0, 1], [1, 2, 0]] = vectors
    skew[:, [1, 2, 0], [2, 0, 1]] = -vectors
    return np.asarray(np.eye(3) + np.sin(angle) / angle * skew + (1 - np.cos(angle)) / angle**2 * (skew @ skew))


def _frames(rotation: Matrix, parameters: Matrix) -> Matrix:
    frames = _rotations(parameters[:, :3]) @ rotation
    frames[:, :2, 2] = parameters[:, 3:5]
    frames[:, 2, 2] = 1.0
    frames[:, :, 2] *= np.exp(parameters[:, 5:6])
    return frames


def _residuals(problem: _Problem, rotation: Matrix, parameters: Matrix) -> Matrix:
    """Return standardised residuals (B, 2K + 6, or + 8 with a level) of parameters (B, 10)."""
    frames = _frames(rotation, parameters)
    observed = np.einsum("bij,kj->bki", frames, problem.plane)
    rays = observed[:, :, :2] / observed[:, :, 2:]
    rays = rays * (1 + parameters[:, None, 9:] * np.sum(rays**2, axis=2, keepdims=True))
    pixels = rays * np.exp(parameters[:, None, 6:7]) + parameters[:, None, 7:9]
    off = (pixels - problem.points_px).reshape(len(parameters), -1) @ problem.whitening.T
    normals = np.cross(frames[:, :, 0], frames[:, :, 1])
    priors = [_heavy_tailed(normals[:, :2] / problem.tilt_scale)]
    if problem.level is not None:
        # Both are nearly along the optical axis or the photo is refused: their difference is the angle between them.
        apart = normals[:, :2] - problem.level.down[:2]
        priors.append(_heavy_tailed(apart / np.sin(np.deg2rad(problem.level.scale_deg))))
    return np.hstack([off, (parameters[:, 6:] - problem.means) / problem.sds, *priors])


def _heavy_tailed(tilt: Matrix) -> Matrix:
    """Return residuals (B, 2) whose squares add up to -2 log of Student's t in two dimensions."""
    squared = np.sum(tilt**2, axis=1, keepdims=True) + 1e-12
    return np.asarray(tilt * np.sqrt((_TILT_FREEDOM + 2) * np.log1p(squared / _TILT_FREEDOM) / squared))


def _starts(problem: _Problem, places_px: Points) -> list[tuple[Matrix, Matrix]]:
    """Return two first guesses (rotation, translation): the pose by DLT, and the same with its tilt mirrored."""
    camera = problem.camera
    frame = np.linalg.inv(camera.matrix) @ fit_homography(problem.plane[:, :2], places_px)
    frame = frame / np.sqrt(np.linalg.norm(frame[:, 0]) * np.linalg.norm(frame[:, 1])) * np.sign(frame[2, 2])
    u, _, vt = np.linalg.svd(frame[:, :2], full_matrices=False)
    first, second = (u @ vt).T
    rotation = np.column_stack([first, second, np.cross(first, second)])
    ray = frame[:, 2] / np.linalg.norm(frame[:, 2])
    mirrored = 2 * (rotation[:, 2] @ ray) * ray - rotation[:, 2]
    return [(rotation, frame[:, 2]), (_turn(rotation[:, 2], mirrored) @ rotation, frame[:, 2])]


def _turn(start: Matrix, end: Matrix) -> Matrix:
    """Return the smallest rotation that takes one unit vector to another."""
    axis = np.cross(start, end)
    sine, cosine = float(np.linalg.norm(axis)), float(start @ end)
    return np.eye(3) if sine < 1e-9 else _rotations((axis / sine * np.arctan2(sine, cosine))[None])[0]


def _solve(problem: _Problem, rotation: Matrix, translation: Matrix) -> _Solution:
    """Levenberg-Marquardt from one first guess."""
    parameters = np.concatenate(
        [np.zeros(3), translation[:2] / translation[2], [np.log(translation[2])], problem.means]
    )
    damping, chi2 = _FIRST_DAMPING, np.inf
    jacobian = np.empty((0, 10))
    for _ in range(_STEPS):
        probes = np.vstack([parameters, parameters + np.diag(_DIFFERENCES), parameters - np.diag(_DIFFERENCES)])
        values = _residuals(problem, rotation, probes)
        residuals, jacobian = values[0], ((values[1:11] - values[11:]) / (2 * _DIFFERENCES[:, None])).T
        chi2 = float(residuals @ residuals)
        moved, damping = _step(problem, rotation, parameters, residuals, jacobian, damping=damping)
        done = moved is None or chi2 - moved[1] < _LEAST_GAIN
        if moved is not None:
            parameters, chi2 = moved
        if done:
            break
    covariance = np.linalg.inv(jacobian.T @ jacobian)
    factor = np.asarray(np.linalg.cholesky((covariance + covariance.T) / 2), dtype=np.float64)
    return _Solution(rotation, parameters, factor, chi2)


def _step(
    problem: _Problem, rotation: Matrix, parameters: Matrix, residuals: Matrix, jacobian: Matrix, *, damping: float
) -> tuple[tuple[Matrix, float] | None, float]:
    """Try steps of growing damping; return the first that is better with its chi2, and the damping for the next."""
    normal, gradient = jacobian.T @ jacobian, jacobian.T @ residuals
    chi2 = float(residuals @ residuals)
    dampings = damping * _DAMPING_GROWTH ** np.arange(_DAMPINGS)
    damped = normal + dampings[:, None, None] * np.diag(np.diag(normal))
    tries = parameters - np.linalg.solve(damped, np.tile(gradient[:, None], (_DAMPINGS, 1, 1)))[:, :, 0]
    tried = np.sum(_residuals(problem, rotation, tries) ** 2, axis=1)
    better = np.flatnonzero(tried < chi2)
    if not len(better):
        return None, damping
    return (tries[better[0]], float(tried[better[0]])), max(dampings[better[0]] / _DAMPING_GROWTH, _LEAST_DAMPING)
