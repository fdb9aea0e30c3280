"""Ellipses on a photo: where the rim of a disc could be, and where exactly it is.

Coarse: arcs of edge on a shrunken photo, each fitted, then followed all the way round. Fine: the rim's place at some
200 angles at full resolution, in linear light and along the colour that tells disc from ground, fitted robustly.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.calibration.features.edge_position import edge_offsets
from ulcermeter.calibration.features.robust import LEAST_FREE, TUKEY, biweight, robust_sd
from ulcermeter.datatypes import Points
from ulcermeter.datatypes.arrays import Matrix, Reals
from ulcermeter.datatypes.light import SRGB_TO_LINEAR
from ulcermeter.geometry import shrunken

__all__ = ["Ellipse", "EllipseFit", "find_ellipses", "fit_ellipse"]

_LONG_SIDES_PX = (900, 360)
"""Of the shrunken photos: small discs show on the first, large ones on the second."""
_CANNY = {False: (40, 110), True: (8, 20)}
"""Weak and strong edges, levels of a Sobel gradient; faint rims: a white dot on paper is 10 levels off it (25 here)."""
_MOST_CHAINS = 500
"""The longest chains of edge that are looked at: texture has thousands (assumption)."""
_LEAST_ARC_PX = 18
"""Of an arc of edge, px: shorter ones fit any ellipse (assumption)."""
_LEAST_TURN = 0.7
"""By which an arc must bend, rad: 40 degrees of a circle; a flatter one does not tell its radius (assumption)."""
_TANGENT_STEP = 5
"""Edge pixels to either side from which a tangent is taken: over ten, steps of the pixel grid cancel."""
_LEAST_SEMI_PX, _LEAST_RATIO = 7.0, 0.5
"""Of the short half axis on the shrunken photo, and its share of the long one: 60 degrees of tilt, more than any gate
passes (assumption)."""
_ANGLES = 72
"""At which a rim is followed: every 5 degrees."""
_LEAST_SUPPORT = 0.55
"""Share of a rim that must be seen: more than half, so that no two rims share their support (assumption)."""
_FINE_SPACING_PX = 2.0
"""Between the places of the fine fit along the rim: nearer ones see the same pixels."""
_REACHES = (0.08, 0.05, 0.03, 0.02, 0.02, 0.02)
"""How far off a rim is looked for, shares of the radius; wide looks only bring it near and see every third place."""
_WIDE, _EVERY = 0.02, 3
"""Reaches beyond this share of the radius count as wide; every third place is then enough."""
_REACH_LIMITS_PX = (3.5, 10.0)
"""A blurred edge of 1.2 px sd needs the first; more than the second takes in what lies beside the disc (assumption)."""
_LARGEST_DIAMETER_PX = 900.0
"""A disc larger than this is shrunken first: its rim is known to a hundredth of a pixel all the same."""
_LEAST_SD_PX = 0.01
"""Of a rim's place, px: interpolation errs by as much (assumption)."""
_LARGEST_SPREAD = (0.25, 0.0025)
"""Beyond this the rim is something else: px, and as a share of the radius."""
_SMOOTH = 15
"""Edge pixels over which a turn is averaged: one and a half times those that a tangent is taken from."""
_CORNER, _STRAIGHT = 0.9, 0.03
"""Turns of an arc, rad: more between two tangents is a corner (50 degrees); so little the other way is the grid."""
_LARGEST_SEMI = 0.6
"""Of the long half axis, over the shrunken photo's longer side: more of it lies outside than inside (assumption)."""
_FOLLOW_REACHES, _LEAST_FOLLOW_PX, _FOLLOW_ROUNDS = (0.10, 0.05, 0.03), 2.0, 3
"""How far off a guess its rim is looked for, shares of the radius and at least px; rounds of each fit to it."""
_ALONG_NORMAL = 0.85
"""Share of a gradient that must point along the rim's normal, 32 degrees: other edges cross it (assumption)."""
_LEAST_FOLLOWED = 0.3
"""Share of the angles at which a rim must be seen to be followed on; in the end it is `_LEAST_SUPPORT`."""
_FOLLOWED = (1.2, 0.012)
"""An edge nearer to the fit than this is the rim's: px of the shrunken photo, and as a share of the radius."""
_SHRUNK = 0.7
"""Of `_LEAST_SEMI_PX`, what a fit may come down to (assumption)."""
_APART = (2.0, 0.04)
"""Ellipses nearer than this in centre and radius are one: px of the shrunken photo, and as a share of the radius."""
_CUT, _CUT_PX = 1.3, 12
"""What is cut out, over the half axes and px beyond: the rings outside, and a blurred edge."""
_RINGS = ((0.84, 0.90, 0.95), (1.05, 1.10, 1.16))
"""Where disc and ground are taken to show, shares of the radius: off the rim by more than blur (assumption)."""
_FEWEST_PLACES, _MOST_PLACES = 48, 360
"""Of the fine fit along the rim: ten to a number, and one a degree."""
_OTHER_WAY = 2.0
"""An edge the other way is taken for the rim where it is so many times as strong (assumption)."""
_LEAST_STEP, _LEAST_SHARE = 0.25, 1 / 3
"""Of an edge, over the typical one, that is the rim's; and share of the places where it must be seen (assumption)."""
_ROUNDS = 6
"""Of weighting; more change nothing that matters (assumption)."""
_LEAST_WEIGHT, _FITTED = 12, 0.3
"""Sum of weights that five numbers need (assumption), and the weight from which on a place counts as fitted."""
_TOGETHER, _TOGETHER_SHARE = 0.05, 8
"""Autocorrelation under which neighbours err by themselves, and the part of the rim, an eighth, that is looked at."""


@dataclass(frozen=True)
class Ellipse:
    """An ellipse as centre + shape @ (cos, sin).

    Attributes
    ----------
    centre_px : float64 (2,)
        (x, y).
    shape_px : float64 (2, 2)
        Symmetric and positive: its eigenvalues are the half axes, px.
    support : float
        Share of the rim, 0..1, that is seen.
    """

    centre_px: Points
    shape_px: Matrix
    support: float = 0.0

    @property
    def radius_px(self) -> float:
        """Radius of the circle of the same area."""
        return float(np.sqrt(abs(np.linalg.det(self.shape_px))))

    def rim(self, angles: Reals) -> Points:
        """Return rim points (K, 2) at angles (K,), radians."""
        return np.asarray(self.centre_px + np.column_stack([np.cos(angles), np.sin(angles)]) @ self.shape_px)

    def normals(self, angles: Reals) -> Points:
        """Return unit vectors (K, 2) outwards at rim points."""
        out = np.column_stack([np.cos(angles), np.sin(angles)]) @ np.linalg.inv(self.shape_px)
        return np.asarray(out / np.hypot(*out.T)[:, None])


@dataclass(frozen=True)
class EllipseFit:
    """A rim fitted at full resolution.

    Attributes
    ----------
    ellipse : Ellipse
        `support` is the share of angles at which the rim was seen on the ellipse.
    covariance : float64 (5, 5)
        Of centre x, y and shape xx, xy, yy; px².
    rms_px : float
        Of the rim's distances from the ellipse.
    contrast : float
        Difference across the rim, linear light 0..1.
    """

    ellipse: Ellipse
    covariance: Matrix
    rms_px: float
    contrast: float


def sensitivity(ellipse: Ellipse, angles: Reals) -> Matrix:
    """Return how far the rim moves outwards (K, 5) for centre x, y and shape xx, xy, yy.

    Parameters
    ----------
    ellipse : Ellipse
        px.
    angles : float64 (K,)
        Where on the rim, rad.

    Returns
    -------
    float64 (K, 5)
        px per px.
    """
    q, n = np.column_stack([np.cos(angles), np.sin(angles)]), ellipse.normals(angles)
    return np.column_stack([n, n[:, 0] * q[:, 0], n[:, 0] * q[:, 1] + n[:, 1] * q[:, 0], n[:, 1] * q[:, 1]])


def find_ellipses(
    pixels: NDArray[np.uint8], *, long_sides_px: tuple[int, ...] = _LONG_SIDES_PX, faint: bool = False
) -> list[Ellipse]:
    """Find ellipses whose rim is seen over more than half of its length.

    Parameters
    ----------
    pixels : uint8 (M, N, 3), RGB
    long_sides_px : tuple of int
        The picture is shrunken to each: fine detail hides the large, and the other way round.
    faint : bool
        Look for rims that hardly differ from their ground; texture then shows many more.

    Returns
    -------
    list of Ellipse
        The best supported first; of those inside one another about one centre, each.
    """
    found = []
    for long_side in long_sides_px:
        scale = min(1.0, long_side / max(pixels.shape[:2]))
        # A faint edge is gone once it was rounded twice.
        size = (round(scale * pixels.shape[1]), round(scale * pixels.shape[0]))
        small = shrunken(pixels, size, at_once=faint)
        dx, dy = _gradient(small)
        edges = cv2.Canny(dx, dy, *_CANNY[faint], L2gradient=True)
        guesses = [guess for chain in _chains(edges) for guess in _fit_arcs(chain, max(small.shape[:2]))]
        for e in _followed(guesses, dx, dy, float(_CANNY[faint][0])):
            found.append(Ellipse((e.centre_px + 0.5) / scale - 0.5, e.shape_px / scale, e.support))
    return _distinct(found)


def _gradient(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Return the gradient of whichever colour channel changes most."""
    soft = cv2.GaussianBlur(pixels, (0, 0), 1.0)
    dx, dy = (cv2.Sobel(soft, cv2.CV_16S, a, b) for a, b in ((1, 0), (0, 1)))
    size = np.abs(dx).astype(np.int32) + np.abs(dy)
    most = size.argmax(axis=2)[..., None]
    return (np.take_along_axis(dx, most, 2)[..., 0].copy(), np.take_along_axis(dy, most, 2)[..., 0].copy())


def _chains(edges: NDArray[np.uint8]) -> list[Points]:
    contours = cv2.findContours(edges, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)[0]
    long = sorted((c for c in contours if len(c) >= 2 * _LEAST_ARC_PX), key=len, reverse=True)
    return [c.reshape(-1, 2).astype(np.float64) for c in long[:_MOST_CHAINS]]


def _fit_arcs(chain: Points, longest_px: int) -> list[Ellipse]:
    """Fit each stretch of a closed chain of edge pixels that bends one way without a corner."""
    k = _TANGENT_STEP
    tangent = np.roll(chain, -k, axis=0) - np.roll(chain, k, axis=0)
    before, after = np.roll(tangent, k, axis=0), np.roll(tangent, -k, axis=0)
    cross = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    turn = np.arctan2(cross, np.sum(before * after, axis=1))
    smooth = np.convolve(np.pad(turn, _SMOOTH // 2, mode="wrap"), np.ones(_SMOOTH) / _SMOOTH, "valid")
    arcs = []
    for sign in (1, -1):
        good = (np.abs(turn) < _CORNER) & (sign * smooth > -_STRAIGHT)
        for start, stop in _runs(good):
            turned = float(smooth[start:stop].sum()) / (2 * k)
            if stop - start >= _LEAST_ARC_PX and sign * turned >= _LEAST_TURN:
                arcs.append(chain[start:stop])
    return [fitted for arc in arcs if (fitted := _direct_fit(arc, longest_px)) is not None]


def _runs(good: NDArray[np.bool_]) -> list[tuple[int, int]]:
    steps = np.flatnonzero(np.diff(np.concatenate([[False], good, [False]]).astype(np.int8)))
    return list(zip(steps[::2].tolist(), steps[1::2].tolist(), strict=True))


def _direct_fit(arc: Points, longest_px: int) -> Ellipse | None:
    (x, y), axes, angle_deg = cv2.fitEllipseDirect(arc.astype(np.float32))
    low, high = min(axes) / 2, max(axes) / 2
    if not (low >= _LEAST_SEMI_PX and low >= _LEAST_RATIO * high and high < _LARGEST_SEMI * longest_px):
        return None
    turn = np.deg2rad(angle_deg)
    u = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return Ellipse(np.array([x, y], dtype=np.float64), u @ np.diag(np.array(axes) / 2) @ u.T)


def _followed(guesses: list[Ellipse], dx: NDArray[np.int16], dy: NDArray[np.int16], least: float) -> list[Ellipse]:
    """Follow each guess round its rim on the gradient, refit, and keep those that are seen."""
    if not guesses:
        return []
    guesses = _distinct(guesses)
    gradient = np.dstack([dx, dy]).astype(np.float32)
    for wide in _FOLLOW_REACHES:
        kept = []
        for guess in guesses:
            better = _follow(guess, gradient, wide, least)
            if better is not None:
                kept.append(better)
        guesses = _distinct(kept)
    return [guess for guess in guesses if guess.support >= _LEAST_SUPPORT]


def _follow(guess: Ellipse, gradient: NDArray[np.float32], wide: float, least: float) -> Ellipse | None:
    angles = np.arange(_ANGLES) * (2 * np.pi / _ANGLES)
    rim, normals = guess.rim(angles), guess.normals(angles)
    reach = max(wide * guess.radius_px, _LEAST_FOLLOW_PX)
    s = np.linspace(-reach, reach, 2 * int(np.ceil(reach)) + 1)
    where = (rim[:, None] + s[:, None] * normals[:, None]).astype(np.float32)
    observed = cv2.remap(gradient, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    along = np.einsum("kpi,ki->kp", observed, normals)
    strong = np.abs(along) * (np.abs(along) > _ALONG_NORMAL * np.hypot(observed[..., 0], observed[..., 1]))
    best = strong.argmax(axis=1)
    offset = s[best]
    ok = strong[np.arange(_ANGLES), best] > least
    if ok.sum() < _LEAST_FOLLOWED * _ANGLES:
        return None
    design = sensitivity(guess, angles)
    for _ in range(_FOLLOW_ROUNDS):
        step = np.linalg.lstsq(design[ok], offset[ok], rcond=None)[0]
        off = np.abs(offset - design @ step)
        ok = (strong[np.arange(_ANGLES), best] > least) & (off < max(_FOLLOWED[0], _FOLLOWED[1] * guess.radius_px))
        if ok.sum() < _LEAST_FOLLOWED * _ANGLES:
            return None
    return _moved(guess, step, float(ok.mean()))


def _moved(ellipse: Ellipse, step: Reals, support: float) -> Ellipse | None:
    shape = ellipse.shape_px + np.array([[step[2], step[3]], [step[3], step[4]]])
    low, high = np.linalg.eigvalsh(shape)
    if low < _SHRUNK * _LEAST_SEMI_PX or low < _LEAST_RATIO * high:
        return None
    return Ellipse(ellipse.centre_px + step[:2], shape, support)


def _distinct(ellipses: list[Ellipse]) -> list[Ellipse]:
    """Keep the best supported of nearly equal ellipses."""
    kept: list[Ellipse] = []
    centres, radii = np.empty((0, 2)), np.empty(0)
    for ellipse in sorted(ellipses, key=lambda e: -e.support):
        apart = np.hypot(*(centres - ellipse.centre_px).T) + np.abs(radii - ellipse.radius_px)
        if not len(kept) or apart.min() > max(_APART[0], _APART[1] * ellipse.radius_px):
            kept.append(ellipse)
            centres, radii = np.vstack([centres, ellipse.centre_px]), np.append(radii, ellipse.radius_px)
    return kept


def fit_ellipse(pixels: NDArray[np.uint8], guess: Ellipse) -> EllipseFit | None:
    """Fit a rim at full resolution.

    Parameters
    ----------
    pixels : uint8 (M, N, 3), RGB
    guess : Ellipse
        Within a tenth of its radius.

    Returns
    -------
    EllipseFit or None
        None where less than a third of the rim is seen.
    """
    light, origin, scale = _patch(pixels, guess)
    ellipse = Ellipse((guess.centre_px - origin + 0.5) * scale - 0.5, guess.shape_px * scale)
    grey, bright_inside = _separate(light, ellipse)
    fitted = None
    for reach in _REACHES:
        fitted = _improve(grey, ellipse, reach, bright_inside=bright_inside)
        if fitted is None:
            return None
        ellipse = fitted.ellipse
    assert fitted is not None
    centre = (ellipse.centre_px + 0.5) / scale - 0.5 + origin
    whole = Ellipse(centre, ellipse.shape_px / scale, ellipse.support)
    return EllipseFit(whole, fitted.covariance / scale**2, fitted.rms_px / scale, fitted.contrast)


def _patch(pixels: NDArray[np.uint8], guess: Ellipse) -> tuple[NDArray[np.float32], Points, float]:
    """Cut the disc out in linear light; a very large one is shrunken, which costs no accuracy that matters."""
    half = np.sqrt(np.diag(guess.shape_px @ guess.shape_px.T)) * _CUT + _CUT_PX
    low = np.clip(np.floor(guess.centre_px - half), 0, None).astype(int)
    high = np.minimum(np.ceil(guess.centre_px + half), [pixels.shape[1], pixels.shape[0]]).astype(int)
    factor = max(int(2 * guess.radius_px // _LARGEST_DIAMETER_PX), 1)
    high = low + np.maximum((high - low) // factor, 1) * factor
    light = cv2.LUT(np.ascontiguousarray(pixels[low[1] : high[1], low[0] : high[0]]), SRGB_TO_LINEAR)
    if factor > 1:
        light = cv2.resize(light, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
    return light, low.astype(np.float64), 1 / factor


def _separate(light: NDArray[np.float32], ellipse: Ellipse) -> tuple[NDArray[np.float32], bool]:
    """Return the mix of channels (linear light) that differs most between disc and ground; which of them is bright."""
    angles = np.arange(_ANGLES) * (2 * np.pi / _ANGLES)
    rings = []
    for shares in _RINGS:
        where = np.concatenate([Ellipse(ellipse.centre_px, ellipse.shape_px * s).rim(angles) for s in shares])
        observed = cv2.remap(
            light, where[None].astype(np.float32), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        rings.append(np.median(observed.reshape(-1, 3), axis=0))
    apart = rings[0] - rings[1]
    weights = apart / max(float(np.abs(apart).sum()), 1e-6)
    if weights.sum() < 0:
        return cv2.transform(light, -weights[None].astype(np.float32)), False
    return cv2.transform(light, weights[None].astype(np.float32)), True


def _improve(grey: NDArray[np.float32], ellipse: Ellipse, reach: float, *, bright_inside: bool) -> EllipseFit | None:
    every = _EVERY if reach > _WIDE else 1
    n = int(np.clip(2 * np.pi * ellipse.radius_px / (_FINE_SPACING_PX * every), _FEWEST_PLACES, _MOST_PLACES // every))
    angles = np.arange(n) * (2 * np.pi / n)
    rim, normals = ellipse.rim(angles), ellipse.normals(angles)
    beside = np.column_stack([-normals[:, 1], normals[:, 0]]) * (_FINE_SPACING_PX / 2)
    sign = -1.0 if bright_inside else 1.0
    reach_px = float(np.clip(reach * ellipse.radius_px, *_REACH_LIMITS_PX))
    offsets, steps = edge_offsets(grey, rim - beside, rim + beside, sign * normals, reach_px=reach_px)
    # A coin's wall is darker than both its face and the ground: there the rim is an edge the other way.
    others, back = edge_offsets(grey, rim - beside, rim + beside, -sign * normals, reach_px=reach_px)
    swap = np.isfinite(others) & (~np.isfinite(offsets) | (back > _OTHER_WAY * steps))
    offsets, steps = np.where(swap, -others, offsets), np.where(swap, back, steps)
    typical = float(np.median(steps[np.isfinite(offsets)])) if np.isfinite(offsets).any() else 0.0
    observed = np.isfinite(offsets) & (steps > _LEAST_STEP * typical)
    if observed.sum() < n * _LEAST_SHARE:
        return None
    return _solved(ellipse, angles, sign * offsets, observed, typical)


def _solved(
    ellipse: Ellipse, angles: Reals, offsets: Matrix, observed: NDArray[np.bool_], contrast: float
) -> EllipseFit | None:
    """Weighted least squares with Tukey's weights; the covariance counts how far neighbours err together."""
    design = sensitivity(ellipse, angles)
    weights = observed.astype(np.float64)
    offsets = np.where(observed, offsets, 0.0)
    for _ in range(_ROUNDS):
        normal = (design.T * weights) @ design
        try:
            step = np.linalg.solve(normal, (design.T * weights) @ offsets)
        except np.linalg.LinAlgError:
            return None
        residuals = offsets - design @ step
        spread = robust_sd(residuals[observed])
        spread = float(np.clip(spread, _LEAST_SD_PX, max(_LARGEST_SPREAD[0], _LARGEST_SPREAD[1] * ellipse.radius_px)))
        weights = np.where(observed, biweight(residuals, TUKEY * spread), 0.0)
    total = float(weights.sum())
    if total < _LEAST_WEIGHT:
        return None
    variance = float(np.sum(weights * residuals**2)) / max(total - 5, LEAST_FREE) + _LEAST_SD_PX**2
    moved = _moved(ellipse, step, float(np.mean(weights > _FITTED)))
    if moved is None:
        return None
    covariance = np.asarray(np.linalg.inv(normal), dtype=np.float64) * variance * _together(residuals, weights)
    return EllipseFit(moved, covariance, float(np.sqrt(variance)), contrast)


def _together(residuals: Matrix, weights: Matrix) -> float:
    """Return by how much errors that neighbours share inflate a variance: 1 + 2 × the summed autocorrelation."""
    scaled = residuals * weights
    power = np.abs(np.fft.rfft(scaled)) ** 2
    correlation = np.fft.irfft(power, n=len(scaled))
    correlation /= max(float(correlation[0]), 1e-12)
    falling = np.flatnonzero(correlation[1 : len(scaled) // _TOGETHER_SHARE] < _TOGETHER)
    last = int(falling[0]) + 1 if len(falling) else len(scaled) // _TOGETHER_SHARE
    return 1 + 2 * float(np.sum(correlation[1:last]))
