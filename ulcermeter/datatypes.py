"""The things that pass from stage to stage. All are frozen: a stage takes one and returns the next.

Coordinates: photo pixels are (x, y) in the upright photo, x right, y down, (0, 0) the centre of the first pixel.
Plane millimetres are (x, y) in the reference's plane, with the same handedness. Arrays are (row, col).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

    from ulcermeter.protocol import Protocol

__all__ = [
    "Calibration",
    "CameraInfo",
    "Eligibility",
    "Finger",
    "LensProfile",
    "Outcomes",
    "Photo",
    "PhotoResult",
    "RectifiedPhoto",
    "Results",
    "Segmentation",
    "Study",
    "transform_points",
]

Points = NDArray[np.float64]


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


@dataclass(frozen=True)
class CameraInfo:
    """The camera as the file names it.

    Attributes
    ----------
    make, model : str or None
    focal_35mm_mm : float or None
        Focal length in its 35 mm equivalent (EXIF tag 0xA405), mm.
    """

    make: str | None = None
    model: str | None = None
    focal_35mm_mm: float | None = None


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


@dataclass(frozen=True)
class Photo:
    """An upright photo.

    Attributes
    ----------
    pixels : uint8 (M, N, 3), RGB, sRGB, upright
    sha256 : str
        Of the file's bytes.
    taken_at : datetime or None
    camera : CameraInfo
    path : Path
    """

    pixels: NDArray[np.uint8] = field(repr=False)
    sha256: str
    taken_at: datetime | None
    camera: CameraInfo
    path: Path


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
    reference : str
        As given, for example ``aruco:10:DICT_4X4_50``; the dictionary that was found stands in it.
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
    warnings : tuple of str
    """

    pixel_to_mm: NDArray[np.float64] = field(repr=False)
    draws: NDArray[np.float64] = field(repr=False)
    reference: str
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
    warnings: tuple[str, ...] = ()

    def undistorted(self, points_px: NDArray[np.floating]) -> Points:
        """Photo pixels (K, 2) without the lens's distortion; the same points where no lens is known."""
        if self.lens is None:
            return np.atleast_2d(np.asarray(points_px, dtype=np.float64))
        import cv2

        matrix, coefficients = self._lens_matrix()
        points = np.asarray(points_px, dtype=np.float64).reshape(-1, 1, 2)
        return cv2.undistortPoints(points, matrix, coefficients, P=matrix).reshape(-1, 2).astype(np.float64)

    def distorted(self, points_px: NDArray[np.floating]) -> Points:
        """Undo `undistorted`: where ideal pixels (K, 2) lie on the photo."""
        ideal = np.atleast_2d(np.asarray(points_px, dtype=np.float64))
        if self.lens is None:
            return ideal
        import cv2

        matrix, coefficients = self._lens_matrix()
        rays = transform_points(np.linalg.inv(matrix), ideal)
        rays3 = np.column_stack([rays, np.ones(len(rays))])
        zero = np.zeros(3)
        return cv2.projectPoints(rays3, zero, zero, matrix, coefficients)[0].reshape(-1, 2).astype(np.float64)

    def _lens_matrix(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        assert self.lens is not None
        rows, cols = self.shape
        longer = float(max(rows, cols))
        focal = self.lens.focal_rel * longer
        x = (cols - 1) / 2 + self.lens.centre_rel[0] * longer
        y = (rows - 1) / 2 + self.lens.centre_rel[1] * longer
        return np.array([[focal, 0, x], [0, focal, y], [0, 0, 1.0]]), np.asarray(self.lens.distortion, dtype=np.float64)

    def to_mm(self, points_px: NDArray[np.floating]) -> Points:
        """Photo pixels (K, 2) to plane millimetres (K, 2)."""
        return transform_points(self.pixel_to_mm, self.undistorted(points_px))

    def to_px(self, points_mm: NDArray[np.floating]) -> Points:
        """Plane millimetres (K, 2) to photo pixels (K, 2)."""
        return self.distorted(transform_points(np.linalg.inv(self.pixel_to_mm), points_mm))

    def px_per_mm(self, point_px: NDArray[np.floating]) -> float:
        """Return the scale at a photo pixel (x, y), px/mm: the square root of the local area ratio."""
        return 1.0 / float(np.sqrt(_area_scale(self.pixel_to_mm[None], self.undistorted(point_px)[0])[0]))

    def scale_se(self, point_px: NDArray[np.floating]) -> float:
        """Return the relative standard error of length at a photo pixel (x, y): a fraction, NaN for a stated scale.

        The spread of the square root of the local area ratio over `draws`, over its mean.
        """
        if len(self.draws) == 0:
            return float("nan")
        lengths = np.sqrt(_area_scale(self.draws, self.undistorted(point_px)[0]))
        return float(np.std(lengths) / np.mean(lengths))


def _area_scale(homographies: NDArray[np.float64], point: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return mm² per px² at an (undistorted) pixel for each homography: |det H| / |w|³."""
    w = homographies[:, 2, :] @ np.array([point[0], point[1], 1.0])
    return np.abs(np.linalg.det(homographies)) / np.abs(w) ** 3


@dataclass(frozen=True)
class RectifiedPhoto:
    """A window of the reference's plane, seen square on.

    Attributes
    ----------
    pixels : uint8 (M, N, 3), RGB
    spacing_mm : float
        Millimetres per pixel, the same in both directions.
    origin_mm : (float, float)
        Plane (x, y) of the centre of pixel [0, 0], mm.
    calibration : Calibration
    photo : Photo
    """

    pixels: NDArray[np.uint8] = field(repr=False)
    spacing_mm: float
    origin_mm: tuple[float, float]
    calibration: Calibration
    photo: Photo

    def to_plane_mm(self, points: NDArray[np.floating]) -> Points:
        """Window pixels (K, 2) as (x, y) to plane millimetres (K, 2)."""
        return np.atleast_2d(np.asarray(points, dtype=np.float64)) * self.spacing_mm + np.asarray(self.origin_mm)

    def from_plane_mm(self, points_mm: NDArray[np.floating]) -> Points:
        """Plane millimetres (K, 2) to window pixels (K, 2) as (x, y)."""
        return (np.atleast_2d(np.asarray(points_mm, dtype=np.float64)) - np.asarray(self.origin_mm)) / self.spacing_mm

    def to_photo_px(self, points: NDArray[np.floating]) -> Points:
        """Window pixels (K, 2) as (x, y) to photo pixels (K, 2)."""
        return self.calibration.to_px(self.to_plane_mm(points))

    def from_photo_px(self, points_px: NDArray[np.floating]) -> Points:
        """Photo pixels (K, 2) to window pixels (K, 2) as (x, y)."""
        return self.from_plane_mm(self.calibration.to_mm(points_px))


@dataclass(frozen=True)
class Segmentation:
    """The ulcers found in a window.

    Attributes
    ----------
    rectified : RectifiedPhoto
    labels : int32 (M, N)
        0 none, then 1.. by falling area.
    probability : float32 (M, N), in 0..1
        That the pixel is ulcer; for a tracing 0 or 1.
    outlines : tuple of float64 (K, 2)
        One closed polygon a label (first vertex not repeated), in *photo* pixels, sub-pixel 0.5 level.
    confidence : tuple of float
        One a label, 0..1: how sure the method is that this is an ulcer.
    edge_width_mm : tuple of float
        One a label: width over which the probability falls from 0.75 to 0.25, mm; 0 for a tracing given as truth.
    touches_border : tuple of bool
        One a label: the outline is cut by the photo's or window's border.
    method : str
        For example ``network``, ``network+click``, ``tracing``.
    """

    rectified: RectifiedPhoto
    labels: NDArray[np.int32] = field(repr=False)
    probability: NDArray[np.float32] = field(repr=False)
    outlines: tuple[Points, ...] = field(repr=False)
    confidence: tuple[float, ...]
    edge_width_mm: tuple[float, ...]
    touches_border: tuple[bool, ...]
    method: str


@dataclass(frozen=True)
class Finger:
    """A finger in the reference's plane.

    Attributes
    ----------
    outline_mm : float64 (K, 2)
    tip_mm : (float, float)
        Where the axis leaves the finger at its tip.
    axis : (float, float)
        Unit vector from the tip towards the hand.
    radius_mm, radius_sd_mm : float
        Half the finger's width, mm.
    side : str
        As photographed: palmar, dorsal, tip, radial, ulnar, or empty when not known.
    """

    outline_mm: Points = field(repr=False)
    tip_mm: tuple[float, float]
    axis: tuple[float, float]
    radius_mm: float
    radius_sd_mm: float
    side: str = ""


@dataclass(frozen=True)
class PhotoResult:
    """All that one photo row gave: the unit that is run in parallel, stored and resumed.

    Attributes
    ----------
    photo : dict
        The row of photos.csv (columns of the results' table).
    measurements : tuple of dict
        Rows of measurements.csv.
    outlines : tuple of (int, float64 (K, 2))
        Label and outline in photo pixels.
    overlay : bytes or None
        The overlay as an encoded JPEG.
    """

    photo: dict[str, Any]
    measurements: tuple[dict[str, Any], ...] = ()
    outlines: tuple[tuple[int, Points], ...] = ()
    overlay: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Study:
    """A study folder, read and validated; each table keeps the contract of `ulcermeter.tables` (``study/...``)."""

    root: Path
    protocol: Protocol
    photos: pd.DataFrame
    subjects: pd.DataFrame
    ulcers: pd.DataFrame
    treatments: pd.DataFrame
    refractory: pd.DataFrame
    visits: pd.DataFrame
    events: pd.DataFrame


@dataclass(frozen=True)
class Eligibility:
    """The three eligibility tables, named like their files."""

    eligibility: pd.DataFrame
    eligibility_by_ulcer: pd.DataFrame
    eligibility_summary: pd.DataFrame


@dataclass(frozen=True)
class Outcomes:
    """The two outcome tables, named like their files."""

    outcomes: pd.DataFrame
    outcomes_by_subject: pd.DataFrame


@dataclass(frozen=True)
class Results:
    """A results folder as a record of tables, named like their files, and what made them."""

    root: Path
    photos: pd.DataFrame
    measurements: pd.DataFrame
    outlines: pd.DataFrame
    trajectories: pd.DataFrame
    eligibility: pd.DataFrame
    eligibility_by_ulcer: pd.DataFrame
    eligibility_summary: pd.DataFrame
    outcomes: pd.DataFrame
    outcomes_by_subject: pd.DataFrame
    run: dict[str, Any]
