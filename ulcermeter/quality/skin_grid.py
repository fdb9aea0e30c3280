"""A finger's skin laid out square along the finger, and what its pixels are against the finger's own skin."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Calibration, Finger, Photo, Points

__all__ = [
    "STEP_MM",
    "Floats",
    "Mask",
    "SkinGrid",
    "against_own",
    "disc",
    "filled",
    "finger_area",
    "linear_light",
    "logs",
    "nail_zone",
    "outlines_px",
    "relief",
    "sampled",
    "skin_shown",
]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

# The skin that is looked at: two phalanges, up to where shade and blur take over at the outline: assumption.
STEP_MM, _REACH_MM, _RIM_MM = 0.1, 32.0, 0.7
# What lies beside the finger is looked at so far; and at least so far from the mid-line, as the skin network looks.
_BESIDE_MM, _LEAST_BESIDE_MM = 3.0, 11.2
# What light is blurred by before colours are read, mm (sd): creases and hairs are narrower.
_BLUR_MM = 0.3
# What a lens scatters over everything, as a share of white: keeps folds of dark skin from reading as black. Assumption.
_GLOW = 0.004
# A nail on the back, in radii: up to so far from the tip, and so far from the middle; its colour is no skin's.
_NAIL_TO, _NAIL_BESIDE = 2.3, 0.85
# Its plate, in radii, as drawn hands have it: 1.4 wide.
_PLATE_TO, _PLATE_BESIDE = 2.0, 0.75
# Rounds of weighted least squares and the residual (in ln) from which a pixel counts no more.
_ROUNDS, _TUKEY = 8, 0.5
# Or so many median absolute deviations, 3 sd, where the finger's skin is uneven itself.
_OUTLIER = 3 * 1.48
# One pixel of so many is fitted, as neighbours say the same; and the pull to the level, over their number, that keeps
# the surface from bending into what is not seen (assumption).
_EVERY, _PULL = 7, 1e-3
# sRGB's transfer function as one power, and red, green and blue in a brightness (their part in Y, rounded): near
# enough for ratios.
_GAMMA, _BRIGHTNESS = 2.2, (0.3, 0.6, 0.1)
# Relief is what differs over so much, mm: grain of skin and of crusts, no shade and no noise of single pixels.
_RELIEF_MM = (0.1, 0.4)


@dataclass(frozen=True)
class SkinGrid:
    """Places of the reference's plane in the finger's frame: s down the rows, u over the columns, 0.1 mm apart."""

    s: Floats
    u: Floats
    origin_mm: Floats
    axis: Floats
    photo_px: Floats = field(repr=False)

    @classmethod
    def of(cls, calibration: Calibration, finger: Finger, further_mm: Points | None = None) -> SkinGrid:
        """Lay the grid over a finger up to 32 mm from its tip, and 3 mm beside it or 11 mm beside its mid-line.

        Parameters
        ----------
        calibration : Calibration
            From photo pixels to millimetres.
        finger : Finger
        further_mm : float64 (K, 2), optional
            An outline on the plane that it reaches down to too, if that goes further.

        Returns
        -------
        SkinGrid
        """
        s, u = finger.axial_and_transverse(finger.outline_mm).T
        end = float(s.max())
        if further_mm is not None and len(further_mm):
            end = max(end, float(finger.axial_and_transverse(further_mm)[:, 0].max()))
        top, low = float(s.min()), min(end, float(s.min()) + _REACH_MM)
        rows = np.arange(top, low, STEP_MM)
        left = min(float(u.min()) - _BESIDE_MM, -_LEAST_BESIDE_MM)
        cols = np.arange(left, max(float(u.max()) + _BESIDE_MM, _LEAST_BESIDE_MM), STEP_MM)
        axis, origin = np.asarray(finger.axis), np.asarray(finger.tip_mm)
        where = np.stack(np.meshgrid(rows, cols, indexing="ij"), axis=-1)
        plane = origin + where[..., :1] * axis + where[..., 1:] * np.array([axis[1], -axis[0]])
        photo_px = calibration.to_px(plane.reshape(-1, 2)).reshape(where.shape)
        return cls(rows, cols, origin, axis, photo_px)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.s), len(self.u)

    def in_radii(self, finger: Finger) -> tuple[Floats, Floats]:
        """Return how far from the tip and how far to the side each cell lies, in the finger's radii."""
        s, u = np.meshgrid((self.s - self.s[0]) / finger.radius_mm, self.u / finger.radius_mm, indexing="ij")
        return s, u

    def to_plane(self, cells: Floats) -> Floats:
        """Turn grid cells (K, 2), column and row, into plane points (K, 2)."""
        s, u = self.s[0] + cells[:, 1] * STEP_MM, self.u[0] + cells[:, 0] * STEP_MM
        return np.asarray(
            self.origin_mm + s[:, None] * self.axis + u[:, None] * np.array([self.axis[1], -self.axis[0]])
        )


def skin_shown(
    photo: Photo, calibration: Calibration, finger: Finger, grid: SkinGrid, *, own: Mask, rim_mm: float = _RIM_MM
) -> Mask:
    """Return where the finger's skin shows, away from its outline, the reference and the photo's border.

    Parameters
    ----------
    photo : Photo
    calibration : Calibration
        From photo pixels to millimetres.
    finger : Finger
    grid : SkinGrid
    own : bool (M, N)
        What is the finger.
    rim_mm : float
        How far away from these.

    Returns
    -------
    bool (M, N)
    """
    inside = np.pad(own.astype(np.uint8), 1)
    deep = cv2.distanceTransform(inside, cv2.DIST_L2, 5)[1:-1, 1:-1] * STEP_MM > rim_mm
    return np.asarray(deep & uncovered(photo, calibration, finger, grid, rim_mm=rim_mm))


def uncovered(photo: Photo, calibration: Calibration, finger: Finger, grid: SkinGrid, *, rim_mm: float = 0.0) -> Mask:
    """Return which cells lie on the photo and not on the reference.

    Parameters
    ----------
    photo, calibration, finger, grid
        As `skin_shown`.
    rim_mm : float
        How far away from the reference.

    Returns
    -------
    bool (M, N)
    """
    rows, cols = photo.pixels.shape[:2]
    x, y = grid.photo_px[..., 0], grid.photo_px[..., 1]
    on_photo = (x >= 1) & (y >= 1) & (x <= cols - 2) & (y <= rows - 2)
    if len(calibration.reference_outline_px) > 2:
        covered = filled(calibration.to_mm(calibration.reference_outline_px), finger, grid)
        on_photo &= cv2.dilate(covered.astype(np.uint8), disc(rim_mm)) == 0
    return np.asarray(on_photo)


def finger_area(finger: Finger, grid: SkinGrid) -> Mask:
    """Return what lies within a finger's outline.

    Parameters
    ----------
    finger : Finger
    grid : SkinGrid

    Returns
    -------
    bool (M, N)
    """
    return filled(finger.outline_mm, finger, grid)


def filled(outline_mm: Points, finger: Finger, grid: SkinGrid) -> Mask:
    """Return what lies within an outline of the reference's plane; nothing within an empty one.

    Parameters
    ----------
    outline_mm : float64 (K, 2)
        On the reference's plane.
    finger : Finger
        In whose frame the grid lies.
    grid : SkinGrid

    Returns
    -------
    bool (M, N)
    """
    inside = np.zeros(grid.shape, np.uint8)
    if len(outline_mm) > 2:
        s, u = finger.axial_and_transverse(outline_mm).T
        cells = np.column_stack([u - grid.u[0], s - grid.s[0]]) / STEP_MM
        cv2.fillPoly(inside, [np.rint(cells).astype(np.int32)], 1)
    return inside > 0


def disc(radius_mm: float) -> NDArray[np.uint8]:
    """Return a disc of grid cells, for morphology.

    Parameters
    ----------
    radius_mm : float

    Returns
    -------
    uint8 (K, K)
    """
    side = 2 * round(radius_mm / STEP_MM) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), dtype=np.uint8)


def sampled(pixels: NDArray[np.uint8], grid: SkinGrid) -> NDArray[np.uint8]:
    """Return a photo's pixels on the grid.

    Parameters
    ----------
    pixels : uint8 (rows, cols, 3)
        The photo.
    grid : SkinGrid

    Returns
    -------
    uint8 (M, N, 3)
    """
    x, y = (np.ascontiguousarray(grid.photo_px[..., k], dtype=np.float32) for k in (0, 1))
    return np.asarray(cv2.remap(pixels, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def linear_light(on_grid: NDArray[np.uint8], *, blur_mm: float = _BLUR_MM) -> Floats:
    """Return linear light (M, N, 3) of pixels on the grid, blurred (sRGB by a power of 2.2).

    Parameters
    ----------
    on_grid : uint8 (M, N, 3)
        Pixels on the grid, sRGB.
    blur_mm : float
        Standard deviation of the blur.

    Returns
    -------
    float64 (M, N, 3)
        0..1.
    """
    light = (on_grid.astype(np.float64) / 255) ** _GAMMA
    return np.asarray(cv2.GaussianBlur(light, (0, 0), blur_mm / STEP_MM))


def logs(light: Floats) -> tuple[Floats, Floats]:
    """Return the logarithms of brightness and of red over green.

    Parameters
    ----------
    light : float64 (M, N, 3)
        Linear.

    Returns
    -------
    float64 (M, N)
        Of brightness.
    float64 (M, N)
        Of red over green.
    """
    red, green, blue = (light[..., k] + _GLOW for k in range(3))
    return np.log(_BRIGHTNESS[0] * red + _BRIGHTNESS[1] * green + _BRIGHTNESS[2] * blue), np.log(red / green)


def against_own(values: Floats, visible: Mask, grid: SkinGrid, finger: Finger) -> Floats:
    """Return values less the smooth surface fitted to what is seen (Tukey's weights about its own scale).

    Parameters
    ----------
    values : float64 (M, N)
        On the grid.
    visible : bool (M, N)
        What is fitted.
    grid : SkinGrid
    finger : Finger

    Returns
    -------
    float64 (M, N)
        All zero where nothing is seen.
    """
    if not visible.any():
        return np.zeros_like(values)
    s, v = np.meshgrid((grid.s - grid.s[0]) / _REACH_MM, grid.u / finger.radius_mm, indexing="ij")
    terms = np.stack([np.ones_like(s), s, s**2, v, v**2, v**4, s * v], axis=-1)
    x, y = terms[visible][::_EVERY], values[visible][::_EVERY]
    weight = np.ones(len(y))
    level = np.median(y)
    fitted = np.full(len(y), level)
    for _ in range(_ROUNDS):
        off = (y - fitted) / max(_TUKEY, _OUTLIER * float(np.median(np.abs(y - fitted))))
        weight = np.where(np.abs(off) < 1, (1 - off**2) ** 2, 0.0) + 1e-6
        left = (x * weight[:, None]).T @ x + _PULL * len(y) * np.diag([0.0, 1, 1, 1, 1, 1, 1])
        factors = np.linalg.solve(left, (x * weight[:, None]).T @ y)
        fitted = x @ factors
    return np.asarray(values - terms @ factors)


def relief(on_grid: NDArray[np.uint8]) -> Floats:
    """Return how the brightness (ln) of pixels on the grid goes up and down over tenths of a millimetre.

    Parameters
    ----------
    on_grid : uint8 (M, N, 3)
        Pixels on the grid, sRGB.

    Returns
    -------
    float64 (M, N)
    """
    fine, _ = logs(linear_light(on_grid, blur_mm=_RELIEF_MM[0]))
    return np.asarray(fine - cv2.GaussianBlur(fine, (0, 0), _RELIEF_MM[1] / STEP_MM))


def nail_zone(grid: SkinGrid, finger: Finger, *, plate: bool = False) -> Mask:
    """Return where a nail is on the back of a finger, or on an unnamed side, bool (M, N).

    Parameters
    ----------
    grid : SkinGrid
    finger : Finger
    plate : bool
        Its usual place alone, and not all that it could cover.

    Returns
    -------
    bool (M, N)
    """
    if finger.side not in ("", "dorsal"):
        return np.zeros(grid.shape, dtype=bool)
    s, v = grid.in_radii(finger)
    up_to, beside = (_PLATE_TO, _PLATE_BESIDE) if plate else (_NAIL_TO, _NAIL_BESIDE)
    return np.asarray((s < up_to) & (np.abs(v) < beside))


def outlines_px(where: Mask, grid: SkinGrid, calibration: Calibration) -> list[Points]:
    """Return the outlines of areas of the grid in photo px.

    Parameters
    ----------
    where : bool (M, N)
        On the grid.
    grid : SkinGrid
    calibration : Calibration
        From photo pixels to millimetres.

    Returns
    -------
    list of float64 (K, 2)
    """
    found = cv2.findContours(where.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]
    return [calibration.to_px(grid.to_plane(one.reshape(-1, 2).astype(np.float64))) for one in found if len(one) > 2]
