"""The pinhole camera of a phantom: world points to pixels, pixels to rays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes.arrays import Reals
from ulcermeter.errors import Problem, UlcermeterError
from ulcermeter.phantom.specs import CameraSpec

# Of a 36 × 24 mm frame, mm (CIPA DCG-001).
DIAGONAL_35MM_MM = 43.2666
# Distortion is turned round by a table of rays' slopes: up to 56 degrees off the axis, in steps of 0.00025.
_LARGEST_SLOPE, _DISTORTION_PLACES = 1.5, 6001


@dataclass(frozen=True)
class Camera:
    """A camera in place: ``rotation`` rows are its right, down and forward directions in the world."""

    spec: CameraSpec
    focal_px: float
    centre_mm: NDArray[np.float64]
    rotation: NDArray[np.float64]

    @property
    def principal_px(self) -> tuple[float, float]:
        """The principal point (x, y): the photo's centre."""
        return (self.spec.width_px - 1) / 2, (self.spec.height_px - 1) / 2

    def project(self, points_mm: Reals) -> NDArray[np.float64]:
        """Return the photo pixels (..., 2), x right and y down, of world points (..., 3)."""
        in_camera = (np.asarray(points_mm, dtype=float) - self.centre_mm) @ self.rotation.T
        flat = in_camera[..., :2] / in_camera[..., 2:]
        r2 = (flat**2).sum(axis=-1, keepdims=True)
        flat = flat * (1 + self.spec.k1 * r2 + self.spec.k2 * r2 * r2)
        return np.asarray(self.focal_px * flat + np.array(self.principal_px))

    def rays(self, x_px: Reals, y_px: Reals) -> tuple[Reals, Reals, Reals]:
        """Return world directions (dx, dy, dh) of pixels; one unit of ray parameter is one mm of depth."""
        cx, cy = self.principal_px
        u, v = (x_px - cx) / self.focal_px, (y_px - cy) / self.focal_px
        if self.spec.k1 or self.spec.k2:
            shrink = self._undistortion(u * u + v * v)
            u, v = u * shrink, v * shrink
        right, down, forward = self.rotation.astype(u.dtype)
        return tuple(u * right[i] + v * down[i] + forward[i] for i in range(3))

    def _undistortion(self, distorted_r2: Reals) -> Reals:
        """Return the factor that undoes the radial distortion, from a table over the squared distorted radius."""
        r = np.linspace(0.0, _LARGEST_SLOPE, _DISTORTION_PLACES)
        out = r * (1 + self.spec.k1 * r**2 + self.spec.k2 * r**4)
        rising = int(np.argmax(np.diff(out) <= 0)) or len(r) - 1
        factor = np.ones(rising + 1)
        factor[1:] = r[1 : rising + 1] / out[1 : rising + 1]
        found = np.interp(distorted_r2, out[: rising + 1] ** 2, factor)
        return found.astype(distorted_r2.dtype)

    def plane_homography(self, height_mm: float) -> NDArray[np.float64]:
        """Return H (3, 3): plane mm (x, y, 1) at ``height_mm`` to *undistorted* photo pixels, up to scale."""
        cx, cy = self.principal_px
        inner = np.array([[self.focal_px, 0, cx], [0, self.focal_px, cy], [0, 0, 1.0]])
        origin = np.array([0.0, 0.0, height_mm]) - self.centre_mm
        return inner @ np.column_stack([self.rotation[:, 0], self.rotation[:, 1], self.rotation @ origin])


def place_camera(spec: CameraSpec, target_mm: Reals) -> Camera:
    """Put the camera so that ``target_mm`` (3,) has the asked depth and the axis hits the aimed point.

    Parameters
    ----------
    spec : CameraSpec
        Tilt, azimuth and roll in degrees; `distance_mm` or, without it, `px_per_mm` sets the depth.
    target_mm : float (3,)
        The point that has the asked depth: the first ulcer, world mm (x, y, h).

    Returns
    -------
    Camera
        Its optical axis hits the target moved by `aim_mm`.

    Raises
    ------
    UlcermeterError
        When the tilt is 80° or more, or the depth is not positive.
    """
    focal_px = spec.focal_35mm_mm * float(np.hypot(spec.width_px, spec.height_px)) / DIAGONAL_35MM_MM
    depth_mm = spec.distance_mm if spec.distance_mm is not None else focal_px / spec.px_per_mm
    if not (0 <= spec.tilt_deg < 80 and depth_mm > 0):
        raise UlcermeterError(Problem(expected="a camera with a tilt in 0..80° and a positive distance", got=str(spec)))
    rotation = _orientation(spec)
    aim = np.asarray(target_mm, dtype=float) + np.array([*spec.aim_mm, 0.0])
    forward = rotation[2]
    back_mm = depth_mm - float((np.asarray(target_mm) - aim) @ forward)
    return Camera(spec=spec, focal_px=focal_px, centre_mm=aim - back_mm * forward, rotation=rotation)


def _orientation(spec: CameraSpec) -> NDArray[np.float64]:
    """Return the camera's right, down and forward rows for its tilt, azimuth and roll."""
    tilt, azimuth, roll = np.deg2rad([spec.tilt_deg, spec.azimuth_deg, spec.roll_deg])
    lean = np.array([np.cos(azimuth), np.sin(azimuth), 0.0])
    up = np.array([0.0, 0.0, 1.0])
    forward = np.sin(tilt) * -lean - np.cos(tilt) * up
    lean_in_camera = np.cos(tilt) * lean - np.sin(tilt) * up
    side = np.array([-np.sin(azimuth), np.cos(azimuth), 0.0])
    right = np.cos(azimuth) * lean_in_camera - np.sin(azimuth) * side
    down = np.sin(azimuth) * lean_in_camera + np.cos(azimuth) * side
    turn = np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
    return np.vstack([turn @ np.vstack([right, down]), forward])
