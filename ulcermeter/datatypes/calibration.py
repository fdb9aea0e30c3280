"""From photo pixels to millimetres: homographies, the lens and where the camera stood."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes.arrays import Points
from ulcermeter.datatypes.notes import Note
from ulcermeter.reference import Reference

__all__ = [
    "Box",
    "Calibration",
    "CameraInfo",
    "Framing",
    "LensProfile",
    "distorted",
    "transform_points",
    "undistorted",
]

Box = tuple[float, float, float, float]
"""A box x, y, width, height in photo pixels."""


def transform_points(homography: NDArray[np.floating], points: NDArray[np.floating]) -> Points:
    """Apply one homography to points.

    Parameters
    ----------
    homography : float64 (3, 3)
    points : float (K, 2), as (x, y)

    Returns
    -------
    float64 (K, 2), as (x, y), in the units the homography maps to.
    """
    xy = np.atleast_2d(np.asarray(points, dtype=np.float64))
    mapped = np.column_stack([xy, np.ones(len(xy))]) @ np.asarray(homography, dtype=np.float64).T
    return mapped[:, :2] / mapped[:, 2:3]


class Framing(Enum):
    """What a file says of the frame that its camera wrote, against the picture that it holds."""

    WHOLE = "the whole frame, or nothing that speaks against it"
    CROPPED = "a part of a larger frame whose size the file still names, or that frame made smaller"
    UNKNOWN = "the frame is not named, or the picture has no camera's proportions: cut by an unknown amount"


@dataclass(frozen=True)
class CameraInfo:
    """The camera as the file names it.

    Attributes
    ----------
    make, model : str or None
    focal_35mm_mm : float or None
        Focal length in its 35 mm equivalent (EXIF tag 0xA405), mm.
    down : (float, float, float) or None
        Unit vector of gravity in the upright photo's axes: right, down, away from the camera. None where the file does
        not tell.
    framing : Framing
        Whether the focal length is the whole picture's.
    frame_px : (int, int) or None
        Longer and shorter side of the frame that the camera wrote (EXIF tags 0xA002, 0xA003), where it is `CROPPED`.
    digital_zoom : float
        EXIF tag 0xA404; 1 without.
    """

    make: str | None = None
    model: str | None = None
    focal_35mm_mm: float | None = None
    down: tuple[float, float, float] | None = None
    framing: Framing = Framing.WHOLE
    frame_px: tuple[int, int] | None = None
    digital_zoom: float = 1.0


@dataclass(frozen=True)
class LensProfile:
    """A lens, measured from photos of the card.

    Attributes
    ----------
    camera : CameraInfo
        Make, model and focal length it holds for.
    focal_rel, focal_rel_sd : float
        Focal length over the photo's longer side, and its standard deviation.
    centre_rel : (float, float)
        Principal point minus the photo's centre, over the longer side.
    distortion : tuple of float
        k1, k2, p1, p2, k3 as in OpenCV's pinhole model.
    n_photos : int
    rms_px : float
        Reprojection error of the fit, px.
    """

    camera: CameraInfo
    focal_rel: float
    focal_rel_sd: float
    centre_rel: tuple[float, float]
    distortion: tuple[float, ...]
    n_photos: int
    rms_px: float

    def matrix(self, shape: tuple[int, int]) -> NDArray[np.float64]:
        """Return the inner matrix (3, 3), from rays (x, y, 1) to pixels, for a photo of these rows and columns."""
        rows, cols = shape
        longer = float(max(rows, cols))
        focal = self.focal_rel * longer
        x = (cols - 1) / 2 + self.centre_rel[0] * longer
        y = (rows - 1) / 2 + self.centre_rel[1] * longer
        return np.array([[focal, 0, x], [0, focal, y], [0, 0, 1.0]])


def undistorted(points_px: NDArray[np.floating], *, lens: LensProfile | None, shape: tuple[int, int]) -> Points:
    """Take a lens's distortion out of photo pixels.

    Parameters
    ----------
    points_px : float (K, 2)
        As seen, (x, y).
    lens : LensProfile or None
        None returns the points as they are.
    shape : (int, int)
        Rows and columns of the photo.

    Returns
    -------
    float64 (K, 2)
    """
    if lens is None:
        return np.atleast_2d(np.asarray(points_px, dtype=np.float64))
    import cv2

    matrix, points = lens.matrix(shape), np.asarray(points_px, dtype=np.float64).reshape(-1, 1, 2)
    ideal = cv2.undistortPoints(points, matrix, np.asarray(lens.distortion, dtype=np.float64), P=matrix)
    return np.asarray(ideal.reshape(-1, 2), dtype=np.float64)


def distorted(points_px: NDArray[np.floating], *, lens: LensProfile | None, shape: tuple[int, int]) -> Points:
    """Undo `undistorted`: return where ideal pixels (K, 2) lie on the photo.

    Parameters
    ----------
    points_px : float (K, 2)
        Ideal photo px (x, y).
    lens : LensProfile or None
        None returns the points as they are.
    shape : (int, int)
        Rows and columns of the photo.

    Returns
    -------
    float64 (K, 2)
        As seen, photo px (x, y).
    """
    ideal = np.atleast_2d(np.asarray(points_px, dtype=np.float64))
    if lens is None:
        return ideal
    import cv2

    matrix, zero = lens.matrix(shape), np.zeros(3)
    rays = transform_points(np.linalg.inv(matrix), ideal)
    rays3 = np.column_stack([rays, np.ones(len(rays))])
    projected = cv2.projectPoints(rays3, zero, zero, matrix, np.asarray(lens.distortion, dtype=np.float64))[0]
    return np.asarray(projected.reshape(-1, 2), dtype=np.float64)


@dataclass(frozen=True)
class Calibration:
    """From photo pixels to millimetres in the reference's plane, and how sure that is.

    Attributes
    ----------
    pixel_to_mm : float64 (3, 3)
        Homography from photo pixels (x, y) to plane millimetres (x, y); the best estimate.
    draws : float64 (D, 3, 3)
        Equally likely homographies given the reference's points and their covariance (and, where a reference has
        one, its mirror ambiguity). D = 0 where the scale was only stated.
    reference : Reference
        As asked for, with the dictionary that was found.
    reference_on : {'skin', 'table'}
    points_px : float64 (K, 2)
        The reference's points on the photo.
    points_mm : float64 (K, 2)
        The same points in the plane.
    points_covariance_px2 : float64 (2K, 2K)
        Ordered x0, y0, x1, y1, ...
    reference_outline_px : float64 (L, 2)
        Polygon round everything that belongs to the reference; no ulcer can lie in it. Empty for a stated scale.
    reprojection_mm : float
        Root mean square distance between mapped points and their known places, mm; NaN for a stated scale.
    tilt_deg : float
        Angle between the camera's axis and the plane's normal, degrees in 0..90; NaN when unknown.
    distance_mm, distance_sd_mm : float
        From the camera's centre to the plane along the viewing ray of the photo's centre, mm, and its sd.
    verified : bool
        False where the scale was stated and not seen on the photo.
    lens : LensProfile or None
        Where given, `pixel_to_mm` and `draws` map *undistorted* pixels, and `to_mm` undistorts first.
    shape : (int, int)
        Rows and columns of the photo.
    warnings : tuple of Note
    """

    pixel_to_mm: NDArray[np.float64] = field(repr=False)
    draws: NDArray[np.float64] = field(repr=False)
    reference: Reference
    reference_on: str
    points_px: Points = field(repr=False)
    points_mm: Points = field(repr=False)
    points_covariance_px2: NDArray[np.float64] = field(repr=False)
    reference_outline_px: Points = field(repr=False)
    reprojection_mm: float
    tilt_deg: float
    distance_mm: float
    distance_sd_mm: float
    verified: bool
    shape: tuple[int, int]
    lens: LensProfile | None = None
    warnings: tuple[Note, ...] = ()

    def undistorted(self, points_px: NDArray[np.floating]) -> Points:
        """Photo pixels (K, 2) without the lens's distortion; the same points where no lens is known."""
        return undistorted(points_px, lens=self.lens, shape=self.shape)

    def distorted(self, points_px: NDArray[np.floating]) -> Points:
        """Undo `undistorted`: where ideal pixels (K, 2) lie on the photo."""
        return distorted(points_px, lens=self.lens, shape=self.shape)

    def to_mm(self, points_px: NDArray[np.floating]) -> Points:
        """Photo pixels (K, 2) to plane millimetres (K, 2)."""
        return transform_points(self.pixel_to_mm, self.undistorted(points_px))

    def to_px(self, points_mm: NDArray[np.floating]) -> Points:
        """Plane millimetres (K, 2) to photo pixels (K, 2)."""
        return self.distorted(transform_points(np.linalg.inv(self.pixel_to_mm), points_mm))

    def px_per_mm(self, point_px: NDArray[np.floating]) -> float:
        """Return the scale at a photo pixel (x, y), px/mm: the square root of the local area ratio.

        To 9 decimals, so that a stated scale comes back as it was stated: one of exactly 8 px/mm passes a limit of 8.
        """
        return round(1.0 / float(np.sqrt(_area_scale(self.pixel_to_mm[None], self.undistorted(point_px)[0])[0])), 9)

    def scale_se(self, point_px: NDArray[np.floating]) -> float:
        """Return the relative standard error of length at a photo pixel (x, y): a fraction, NaN for a stated scale.

        The spread of the square root of the local area ratio over `draws`, over its mean.
        """
        if len(self.draws) == 0:
            return float("nan")
        lengths = np.sqrt(_area_scale(self.draws, self.undistorted(point_px)[0]))
        return float(np.std(lengths) / np.mean(lengths))

    def viewpoint_mm(self) -> NDArray[np.float64]:
        """Return where the camera stood: (x, y) of its foot in the plane and its height over the plane, mm.

        With the distance D along the ray of the photo's centre, the focal length is D times the largest local scale
        (px/mm) there, since a length across the tilt is seen unshortened. With it the homography gives the pose
        (Zhang 2000, doi 10.1109/34.888718). NaN three times where the distance is not known.
        """
        if not np.isfinite(self.distance_mm):
            return np.full(3, np.nan)
        plane_to_px = np.linalg.inv(self.pixel_to_mm)
        centre = self._principal_px()
        scales = np.linalg.svd(_jacobian(plane_to_px, transform_points(self.pixel_to_mm, centre)[0]), compute_uv=False)
        focal = self.distance_mm * scales[0]
        inner = np.array([[focal, 0, centre[0]], [0, focal, centre[1]], [0, 0, 1.0]])
        columns = np.linalg.inv(inner) @ plane_to_px
        columns /= np.sqrt(np.linalg.norm(columns[:, 0]) * np.linalg.norm(columns[:, 1]))
        first, second, moved = columns.T * np.sign(columns[2, 2])
        u, _, vt = np.linalg.svd(np.column_stack([first, second, np.cross(first, second)]))
        position = -(u @ vt).T @ moved
        return np.array([position[0], position[1], abs(position[2])])

    def _principal_px(self) -> NDArray[np.float64]:
        if self.lens is not None:
            return self.lens.matrix(self.shape)[:2, 2]
        return np.array([(self.shape[1] - 1) / 2, (self.shape[0] - 1) / 2])


def _area_scale(homographies: NDArray[np.float64], point: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return mm² per px² at an (undistorted) pixel for each homography: |det H| / |w|³."""
    w = homographies[:, 2, :] @ np.array([point[0], point[1], 1.0])
    return np.asarray(np.abs(np.linalg.det(homographies)) / np.abs(w) ** 3)


def _jacobian(homography: NDArray[np.floating], point: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the derivative (2, 2) of a homography at a point (x, y)."""
    x, y, w = homography @ np.array([point[0], point[1], 1.0])
    return np.asarray((homography[:2, :2] - np.outer([x / w, y / w], homography[2, :2])) / w)
