"""A marker's four corners from all its borders, with their covariance.

Every straight border between a dark and a bright module says where a line of the marker lies. All are fitted at once:
four corners (a homography) and one *bleeding*, by which every dark area is smaller than drawn (exposure, sharpening,
ink): measured by the outer sides alone it would make a lone marker read 0.2-0.3 % short, but borders of the inner
modules face both ways and tell it apart from size.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.calibration.features.edge_position import edge_offsets, linear_grey
from ulcermeter.calibration.features.marker_bending import Bending, fit_bending
from ulcermeter.calibration.features.marker_code import Marker
from ulcermeter.calibration.features.robust import LEAST_FREE, TUKEY, biweight, robust_sd
from ulcermeter.calibration.geometry.homography import square_to_quad
from ulcermeter.datatypes import Points, transform_points
from ulcermeter.datatypes.arrays import Matrix, Reals

__all__ = ["MarkerFit", "fit_marker"]

_TRIM = 0.18
"""Share of a module left out at both ends of a border: there the next border's blur begins."""
_REACHES = (0.48, 0.48, 0.42, 0.42, 0.42)
"""Half length of the profiles in modules, pass by pass."""
_LEAST_REACH_PX, _USUAL_REACH_PX, _WIDE_REACH = 1.6, 9.0, 0.2
"""Profiles are kept short, so that they see one border only; in large modules they may be longer, so that a heavily
blurred border still fits in."""
_LARGEST_SIDE_PX = 900.0
"""A marker larger than this is shrunken first, which costs no accuracy that matters."""
_LEAST_SD_PX = 0.02
"""Of a border's place, px: interpolation errs by as much (assumption)."""
_BLEED_SD_PX = 0.5
"""Prior of the bleeding, px: exposure and sharpening move borders by a few tenths (assumption)."""
_FIRST_PASSES_OUTER = 2
"""Passes with the outer borders alone: decoded corners may be off by more than an inner module."""
_LARGEST_MOVE = 0.25
"""Of the side: decoded corners are a pixel or two off; a fit that goes farther follows no square."""
_FITTED = 0.2
"""Least of Tukey's weights of a border that counts as fitted: 3.5 sd off."""
_LEAST_OBSERVED, _LEAST_BORDERS = 0.5, 12
"""Share of the borders that must be seen, as of what is no marker fewer are, and their least number: three degrees of
freedom beside four corners and the bleeding."""
_FIXED = 1e6
"""Weight that holds the bleeding at 0 where outer borders alone cannot tell it from size."""
_ROUNDS = 4
"""Of weighting in each pass: the next pass measures anew (assumption)."""
_MARGIN, _MARGIN_PX = 0.2, 12
"""Round a marker that is cut out: more of its size than corners may move, and the pixels of a blurred border."""
_STEP = 1e-4
"""Of the numerical derivatives, over the marker's size: small beside a border's place, large beside rounding."""


@dataclass(frozen=True)
class MarkerFit:
    """A fitted marker.

    Attributes
    ----------
    corners_px : float64 (4, 2)
        Upper left, upper right, lower right, lower left of the upright marker.
    covariance_px2 : float64 (8, 8)
        Ordered x0, y0, x1, y1, ...
    bleed_px : float
        By how much each dark border is moved into the dark.
    rms_px : float
        Of the borders' distances from the fit.
    share_fitted : float
        Of all borders, those that lie where the code has them, 0..1.
    bending : Bending or None
        Whether they lie as a flat marker's do; None before the last pass.
    """

    corners_px: Points
    covariance_px2: Matrix
    bleed_px: float
    rms_px: float
    share_fitted: float
    bending: Bending | None = None


@dataclass(frozen=True)
class _Window:
    """Borders as they are seen from given corners: arguments of `fit_bending`, and the share of borders seen."""

    places: Points
    axes_px: Matrix
    normals: Matrix
    design: Matrix
    offsets: Matrix
    share_observed: float


@dataclass(frozen=True)
class _Borders:
    """Borders in marker units 0..1: ends, and a point on their bright side."""

    starts: Points
    ends: Points
    bright: Points
    outer: NDArray[np.bool_]
    modules: int


def fit_marker(pixels: NDArray[np.uint8], marker: Marker) -> MarkerFit | None:
    """Fit a decoded marker's corners at full resolution.

    Parameters
    ----------
    pixels : uint8 (M, N, 3), RGB
    marker : Marker
        Its corners may be some pixels off.

    Returns
    -------
    MarkerFit or None
        None where fewer than half of the borders are seen, or no square can be laid on them.
    """
    grey, origin, scale = _patch(pixels, marker.corners_px)
    borders = _borders(marker.bits)
    corners = decoded = (marker.corners_px - origin + 0.5) * scale - 0.5
    side = float(np.sqrt(np.prod(np.ptp(corners, axis=0))))
    fitted = None
    for n_pass, reach in enumerate(_REACHES):
        used = borders.outer if n_pass < _FIRST_PASSES_OUTER else np.ones(len(borders.outer), dtype=bool)
        fitted = _improve(grey, corners, borders, used, reach)
        if fitted is None or not np.abs(fitted.corners_px - decoded).max() < _LARGEST_MOVE * side:
            return None
        corners = fitted.corners_px
    assert fitted is not None
    last = _window_of(grey, corners, borders, np.ones(len(borders.outer), dtype=bool), _REACHES[-1])
    if last is None:
        return None
    return MarkerFit(
        (fitted.corners_px + 0.5) / scale - 0.5 + origin,
        fitted.covariance_px2 / scale**2,
        fitted.bleed_px / scale,
        fitted.rms_px / scale,
        fitted.share_fitted,
        fit_bending(last.places, last.axes_px, last.normals, last.design, last.offsets),
    )


def _patch(pixels: NDArray[np.uint8], corners: Points) -> tuple[NDArray[np.float32], Points, float]:
    """Cut the marker out in linear light; a very large one is shrunken, which costs no accuracy that matters."""
    size = float((corners.max(axis=0) - corners.min(axis=0)).max())
    margin = _MARGIN * size + _MARGIN_PX
    low = np.maximum(np.floor(corners.min(axis=0) - margin), 0).astype(int)
    high = np.minimum(np.ceil(corners.max(axis=0) + margin), [pixels.shape[1], pixels.shape[0]]).astype(int)
    factor = max(int(size // _LARGEST_SIDE_PX), 1)
    high = low + (high - low) // factor * factor
    grey = linear_grey(np.ascontiguousarray(pixels[low[1] : high[1], low[0] : high[0]]))
    if factor > 1:
        grey = cv2.resize(grey, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
    return grey, low.astype(np.float64), 1 / factor


def _borders(bits: NDArray[np.bool_]) -> _Borders:
    """List all module borders between black and white, the ground outside being white."""
    modules = len(bits)
    framed = np.pad(bits, 1, constant_values=True)
    starts, ends, bright, outer = [], [], [], []
    # Borders between rows, then, transposed, between columns.
    for cells, swap in ((framed, False), (framed.T, True)):
        rows, cols = np.nonzero(cells[1:] != cells[:-1])
        for row, col in zip(rows, cols, strict=True):
            line, along = float(row), float(col - 1)
            side = 0.5 if cells[row + 1, col] else -0.5
            points = [(along + _TRIM, line), (along + 1 - _TRIM, line), (along + 0.5, line + side)]
            points = [(y, x) for x, y in points] if swap else points
            starts.append(points[0])
            ends.append(points[1])
            bright.append(points[2])
            outer.append(row in (0, modules))
    return _Borders(
        np.array(starts, dtype=np.float64) / modules,
        np.array(ends, dtype=np.float64) / modules,
        np.array(bright, dtype=np.float64) / modules,
        np.array(outer),
        modules,
    )


def _improve(
    grey: NDArray[np.float32], corners: Points, borders: _Borders, used: NDArray[np.bool_], reach: float
) -> MarkerFit | None:
    """Take one Gauss-Newton step over the borders; reach is in modules."""
    window = _window_of(grey, corners, borders, used, reach)
    if window is None:
        return None
    fit = _solve(corners, window.design, window.offsets, bleeding=not borders.outer[used].all())
    return fit and replace(fit, share_fitted=fit.share_fitted * window.share_observed)


def _window_of(
    grey: NDArray[np.float32], corners: Points, borders: _Borders, used: NDArray[np.bool_], reach: float
) -> _Window | None:
    """Measure the used borders from given corners; None where fewer than half are seen."""
    to_px = square_to_quad(corners[None])[0]
    starts, ends, bright = (transform_points(to_px, p[used]) for p in (borders.starts, borders.ends, borders.bright))
    side = float(np.sqrt(np.abs(np.linalg.det(to_px))))
    most_px = max(_USUAL_REACH_PX, _WIDE_REACH * side / borders.modules)
    reach_px = float(np.clip(reach * side / borders.modules, _LEAST_REACH_PX, most_px))
    direction = (ends - starts) / np.hypot(*(ends - starts).T)[:, None]
    normals = np.column_stack([-direction[:, 1], direction[:, 0]])
    normals *= np.sign(np.sum(normals * (bright - starts), axis=1))[:, None]
    offsets, _ = edge_offsets(grey, starts, ends, normals, reach_px=reach_px)
    middles = (borders.starts[used] + borders.ends[used]) / 2
    design = np.column_stack([_sensitivity(corners, middles, normals), -np.ones(len(middles))])
    observed = np.isfinite(offsets)
    if observed.sum() < max(_LEAST_OBSERVED * used.sum(), _LEAST_BORDERS):
        return None
    axes = _axes(to_px, middles)
    return _Window(
        middles[observed],
        axes[observed],
        normals[observed],
        design[observed],
        offsets[observed],
        float(observed.mean()),
    )


def _axes(to_px: Matrix, places: Points) -> Matrix:
    """Return the derivative (P, 2, 2) of a homography at places."""
    mapped = np.column_stack([places, np.ones(len(places))]) @ to_px.T
    points, depth = mapped[:, :2] / mapped[:, 2:], mapped[:, 2, None, None]
    return np.asarray((to_px[:2, :2] - points[:, :, None] * to_px[2, :2]) / depth, dtype=np.float64)


def _sensitivity(corners: Points, places: Points, normals: Matrix) -> Matrix:
    """Return how far each border (P) moves along its normal for each corner coordinate (8), numerically."""
    step = _STEP * max(float(np.ptp(corners)), 1.0)
    moved = corners.ravel() + step * np.vstack([np.eye(8), -np.eye(8)])
    plane = np.column_stack([places, np.ones(len(places))])
    mapped = np.einsum("bij,pj->bpi", square_to_quad(moved.reshape(16, 4, 2)), plane)
    points = mapped[:, :, :2] / mapped[:, :, 2:]
    return np.asarray(np.einsum("bpi,pi->pb", (points[:8] - points[8:]) / (2 * step), normals))


def _solve(corners: Points, design: Matrix, offsets: Matrix, *, bleeding: bool) -> MarkerFit | None:
    """Weighted least squares with Tukey's weights; covariance from the residuals."""
    prior = np.zeros(9)
    prior[8] = (_LEAST_SD_PX / _BLEED_SD_PX) ** 2 if bleeding else _FIXED
    weights: Reals = np.ones(len(offsets))
    for _ in range(_ROUNDS):
        normal = (design.T * weights) @ design + np.diag(prior)
        try:
            solution = np.linalg.solve(normal, (design.T * weights) @ offsets)
        except np.linalg.LinAlgError:
            return None
        residuals = offsets - design @ solution
        weights = biweight(residuals, TUKEY * max(robust_sd(residuals), _LEAST_SD_PX))
    if np.count_nonzero(weights) < _LEAST_BORDERS:
        return None
    variance = float(np.sum(weights * residuals**2) / max(weights.sum() - 9, LEAST_FREE)) + _LEAST_SD_PX**2
    covariance = np.asarray(np.linalg.inv(normal), dtype=np.float64) * variance
    rms = float(np.sqrt(np.average(residuals**2, weights=weights)))
    improved = corners + solution[:8].reshape(4, 2)
    return MarkerFit(improved, covariance[:8, :8], float(solution[8]), rms, float(np.mean(weights > _FITTED)))
