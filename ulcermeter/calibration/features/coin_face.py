"""The face of a coin: a thick disc's upper rim among the edges of its wall, its shadow, its rings and its neighbours.

A coin is seen as the hull of two ellipses: its face, and its foot, which the wall shifts towards the point straight
below the camera. The hull is so nearly an ellipse itself that its fit does not give it away (a wall of 8 px leaves
0.3 px), while its diameter reads 1-3 % long. So every edge along every ray from the middle is kept, ellipses are fitted
through them from many starts, and what is chosen must be seen all round, touch the outline on the side away from the
wall, and leave a wall as broad as a coin's thickness shows there. Of several that do about as well the mean is taken,
and their differences go into its covariance. A flat dot has one rim only and keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.calibration.features.ellipses import Ellipse, EllipseFit, sensitivity
from ulcermeter.calibration.features.robust import biweight
from ulcermeter.calibration.geometry.camera import CameraPrior
from ulcermeter.datatypes.arrays import Matrix

__all__ = ["face_of"]

_RAYS, _FINER = 180, 4
"""Rays from the middle, and how many neighbours are averaged to one."""
_ANGLES = np.arange(_RAYS) * (2 * np.pi / _RAYS)
"""Of the rays, rad."""
_CIRCLE = np.column_stack([np.cos(_ANGLES), np.sin(_ANGLES)])
_DESIGN = np.column_stack([_CIRCLE, _CIRCLE[:, 0] ** 2, 2 * _CIRCLE[:, 0] * _CIRCLE[:, 1], _CIRCLE[:, 1] ** 2])
"""How each ray's edge moves with the ellipse's five numbers."""
_SHARES = (0.80, 1.18)
"""Where edges are looked for, shares of the radius found."""
_LEAST_RADIUS_PX = 40.0
"""Of a smaller coin, wall and rim are a pixel or two apart and cannot be told (assumption)."""
_BLUR = (1.0, 0.006)
"""Gaussian of the edge filter: px, and as a share of the radius."""
_EDGES_A_RAY, _LEAST_EDGE, _CLEAR_EDGE = 8, 0.12, 0.30
"""Edges kept on a ray; as shares of the typical strongest one."""
_NEAR = (1.0, 0.005)
"""An edge this near lies on the ellipse: px, and as a share of the radius."""
_BEYOND = 0.10
"""Edges farther out than this share of the radius are the ground's (assumption)."""
_LEAST_OBSERVED, _LEAST_OUTER = 40, 0.35
"""Rays of 180 on which a rim must be seen, and share of them on which nothing may lie beyond it (assumption)."""
_AS_WELL_OBSERVED = 0.6
"""Of the rim found, the least share that must be seen of one that replaces it: cloth round a dot has edges too."""
_THICKNESS = 0.09
"""A coin's thickness as a share of its diameter: 0.079-0.103 for the eight euro coins (Council Regulation (EU)
729/2014, annex I)."""
_OFF_ALONG, _OFF_TRANSVERSE, _FLAT, _CLEAR = 10.0, 4.0, 8.0, 0.5
"""What counts beside the share of the rim that is seen: a wall that is too broad or narrow, a shift across the wall's
direction (a shadow may do that), flatness, strength. Chosen on three photos of coins (assumption)."""
_MOST_FLAT = 0.06
"""A wall seen beside a rim flattens it by less than this: a tilt beyond 20 degrees is not held against a rim."""
_DOUBT = 0.01
"""Rims whose worth differs by this weigh 1 to e (chosen on the same photos): a coin's bevelled edge often has two."""
_SAME = 0.006
"""Two ellipses whose centres and radii agree to this share of the radius are one."""
_REPEATED = 0.6
"""Of that, in each of the five numbers by itself."""
_PLACES, _BLUR_REACH = (24, 160), 3.0
"""Places on a ray, least and most (about one a pixel), and the reach of the edge filter in sd."""
_START_SHARES, _START_WALL_SHARES = (0.90, 0.94, 0.97, 1.0, 1.03, 1.06, 1.10), (1.0, 1.03)
"""Sizes of the ellipses from which the search starts: concentric ones, and ones that are narrower by a wall."""
_START_SIDES, _START_WALLS = 12, (0.015, 0.03, 0.05)
"""Sides to which a wall may lie, and half its breadth, shares of the radius: a coin's to 29 degrees aside."""
_REACHES, _LAST_ROUNDS = (0.03, 0.021, 0.015, 0.0105), 3
"""How far from an ellipse its edges are looked for, round by round, shares of the radius; then twice `_NEAR` each."""
_LARGEST_MOVE = 0.3
"""Of any of an ellipse's numbers from the one found: beyond it is another thing (assumption)."""
_MOST_STRENGTH = 1.5
"""Of an edge, over the typical strongest one: a glint counts no more than that (assumption)."""
_OUTSIDE = 1.5
"""An edge farther out than the rim by more than this many times `_NEAR` lies beyond it (assumption)."""
_RAYS_TOGETHER = 5
"""Neighbouring rays whose edges err together, ten degrees: they count as one (assumption)."""
_FAR, _RIDGE = 9.0, 1e-6
"""Where there is no edge, shares of the radius; and what keeps the normal equations of few edges solvable."""


@dataclass(frozen=True)
class _Rim:
    """An ellipse in units of the one found: centre (2), shape xx, xy, yy; and how it fits the edges."""

    numbers: Matrix
    offsets: Matrix
    on: float
    clear: float
    outer: float
    ellipse: Ellipse

    @property
    def flatness(self) -> float:
        low, high = np.linalg.eigvalsh(self.ellipse.shape_px)
        return float(1 - low / high)


def face_of(pixels: NDArray[np.uint8], disc: EllipseFit, camera: CameraPrior) -> EllipseFit:
    """Return the rim of a disc's face where what was found holds its wall or shadow too, or is an inner ring.

    Parameters
    ----------
    pixels : uint8 (M, N, 3), RGB
    disc : EllipseFit
    camera : CameraPrior
        Taken to look straight down (assumption): the wall is seen towards the principal point.

    Returns
    -------
    EllipseFit
        `disc` itself where that is the face.
    """
    if disc.ellipse.radius_px < _LEAST_RADIUS_PX:
        return disc
    found = disc.ellipse
    for _ in range(2):
        rims = [rim for rim in _rims(pixels, found) if rim.on >= _AS_WELL_OBSERVED * disc.ellipse.support]
        if not rims:
            return disc
        outline = max(rims, key=lambda rim: rim.on + rim.outer)
        found = outline.ellipse
    candidates = [rim for rim in rims if rim.outer >= _LEAST_OUTER] or [outline]
    scores = np.array([_score(rim, outline, camera) for rim in candidates])
    best = candidates[int(scores.argmax())]
    if scores.max() == -np.inf or _same(best.ellipse, disc.ellipse):
        return disc
    return _mean_of(candidates, np.exp((scores - scores.max()) / _DOUBT), _fit_of(best, disc))


def _score(rim: _Rim, outline: _Rim, camera: CameraPrior) -> float:
    radius = outline.ellipse.radius_px
    if rim.ellipse.radius_px > (1 + _SAME) * radius:
        return -np.inf
    down = (outline.ellipse.centre_px - np.asarray(camera.centre_px)) / camera.focal_px
    slant = max(float(np.hypot(*down)), 1e-6)
    shift = (rim.ellipse.centre_px - outline.ellipse.centre_px) / radius
    along = shift @ down / slant - _THICKNESS * slant
    transverse = (shift[0] * down[1] - shift[1] * down[0]) / slant
    off = _OFF_ALONG * abs(along) + _OFF_TRANSVERSE * abs(transverse)
    return rim.on + _CLEAR * rim.clear - _FLAT * min(rim.flatness, _MOST_FLAT) - float(off)


def _rims(pixels: NDArray[np.uint8], found: Ellipse) -> list[_Rim]:
    places, clear = _edges(pixels, found)
    near = max(_NEAR[0] / found.radius_px, _NEAR[1])
    rims: list[_Rim] = []
    for start in _STARTS:
        rim = _converged(start, places, clear, near, found)
        if rim is not None and not any(np.abs(rim.numbers - r.numbers).max() < _REPEATED * _SAME for r in rims):
            rims.append(rim)
    return rims


def _edges(pixels: NDArray[np.uint8], found: Ellipse) -> tuple[Matrix, Matrix]:
    """Return where along each ray edges lie (R, E), shares of the ellipse found, NaN for none; and their strengths."""
    radius = found.radius_px
    n = int(np.clip(round((_SHARES[1] - _SHARES[0]) * radius), *_PLACES))
    shares = np.linspace(*_SHARES, n)
    spacing_px = (shares[1] - shares[0]) * radius
    angles = np.arange(_RAYS * _FINER) * (2 * np.pi / (_RAYS * _FINER))
    rays = np.column_stack([np.cos(angles), np.sin(angles)]) @ found.shape_px
    where = (found.centre_px + shares[None, :, None] * rays[:, None]).astype(np.float32)
    observed = cv2.remap(pixels, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    observed = observed.astype(np.float32).reshape(_RAYS, _FINER, n, 3).mean(axis=1)
    blur = max(_BLUR[0], _BLUR[1] * radius) / spacing_px
    half = int(np.ceil(_BLUR_REACH * blur))
    x = np.arange(-half, half + 1)
    slope = -x * np.exp(-((x / blur) ** 2) / 2)
    change = cv2.filter2D(observed, -1, (slope / np.abs(slope).sum() * 2)[None].astype(np.float32), borderType=1)
    return _peaks(np.sqrt(np.sum(change**2, axis=2)), shares)


def _peaks(strength: Matrix, shares: Matrix) -> tuple[Matrix, Matrix]:
    before, middle, after = strength[:, :-2], strength[:, 1:-1], strength[:, 2:]
    peak = (middle >= before) & (middle > after)
    bend = np.where(peak, before - 2 * middle + after, -1.0)
    places = shares[1:-1] + np.where(peak, 0.5 * (before - after) / bend, 0.0) * (shares[1] - shares[0])
    middle = np.where(peak, middle, 0.0)
    order = np.argsort(-middle, axis=1)[:, :_EDGES_A_RAY]
    places, middle = np.take_along_axis(places, order, 1), np.take_along_axis(middle, order, 1)
    middle = middle / max(float(np.median(middle[:, 0])), 1e-6)
    return np.where(middle > _LEAST_EDGE, places, np.nan), np.where(middle > _LEAST_EDGE, middle, 0.0)


def _starts() -> list[Matrix]:
    """Return ellipses concentric with the one found, and such as touch it on one side and are narrower by a wall."""
    starts = [np.array([0, 0, share, 0, share]) for share in _START_SHARES]
    for angle in np.arange(_START_SIDES) * (2 * np.pi / _START_SIDES):
        x, y = np.cos(angle), np.sin(angle)
        for wall in _START_WALLS:
            for share in _START_WALL_SHARES:
                shape = share * np.array([1, 0, 1]) - wall * np.array([x * x, x * y, y * y])
                starts.append(np.concatenate([[-wall * x, -wall * y], shape]))
    return starts


_STARTS = _starts()


def _reached(numbers: Matrix) -> Matrix:
    """Return where the rays meet an ellipse."""
    inverse = np.linalg.inv(np.array([[numbers[2], numbers[3]], [numbers[3], numbers[4]]]))
    rays, centre = _CIRCLE @ inverse, -numbers[:2] @ inverse
    a, b, c = np.sum(rays * rays, axis=1), rays @ centre, centre @ centre - 1
    return np.asarray((np.sqrt(np.maximum(b * b - a * c, 0.0)) - b) / a)


def _nearest(numbers: Matrix, places: Matrix) -> tuple[Matrix, Matrix]:
    """Return how far from an ellipse each ray's nearest edge lies, and which it is."""
    off = np.where(np.isnan(places), _FAR, places - _reached(numbers)[:, None])
    which = np.abs(off).argmin(axis=1)
    return off[np.arange(_RAYS), which], which


def _converged(start: Matrix, places: Matrix, clear: Matrix, near: float, found: Ellipse) -> _Rim | None:
    """Let an ellipse settle on the nearest edges: least squares with Tukey's weights, ever narrower."""
    numbers = start
    for reach in (*_REACHES, *([2 * near] * _LAST_ROUNDS)):
        off, which = _nearest(numbers, places)
        weights = biweight(off, reach)
        weights *= np.sqrt(np.minimum(clear[np.arange(_RAYS), which], 1.0))
        if np.count_nonzero(weights) < _LEAST_OBSERVED:
            return None
        normal = (_DESIGN.T * weights) @ _DESIGN + _RIDGE * np.eye(5)
        numbers = numbers + np.linalg.solve(normal, (_DESIGN.T * weights) @ off)
        if np.abs(numbers - [0, 0, 1, 0, 1]).max() > _LARGEST_MOVE:
            return None
    off, which = _nearest(numbers, places)
    on = np.abs(off) < near
    strength = np.minimum(clear[np.arange(_RAYS), which], _MOST_STRENGTH)
    reached = _reached(numbers)
    outermost = np.where((clear > _CLEAR_EDGE) & (places < reached[:, None] + _BEYOND), places, -_FAR).max(axis=1)
    outer = float(np.mean(outermost - reached < _OUTSIDE * near))
    ellipse = _whole(numbers, found, float(on.mean()))
    return _Rim(numbers, off, float(on.mean()), float(np.mean(strength * on)), outer, ellipse)


def _whole(numbers: Matrix, found: Ellipse, support: float) -> Ellipse:
    turned = np.array([[numbers[2], numbers[3]], [numbers[3], numbers[4]]]) @ found.shape_px
    squares, axes = np.linalg.eigh(turned.T @ turned)
    return Ellipse(found.centre_px + numbers[:2] @ found.shape_px, (axes * np.sqrt(squares)) @ axes.T, support)


def _same(one: Ellipse, other: Ellipse) -> bool:
    apart = np.abs(one.centre_px - other.centre_px).max(), np.abs(one.shape_px - other.shape_px).max()
    return float(max(apart)) < _SAME * other.radius_px


def _fit_of(rim: _Rim, disc: EllipseFit) -> EllipseFit:
    """Return a face as a fit."""
    on = np.abs(rim.offsets) < max(_NEAR[0] / rim.ellipse.radius_px, _NEAR[1])
    rms_px = float(np.sqrt(np.mean(rim.offsets[on] ** 2))) * rim.ellipse.radius_px
    normal = sensitivity(rim.ellipse, _ANGLES[on])
    covariance = np.linalg.inv(normal.T @ normal) * rms_px**2 * _RAYS_TOGETHER
    return replace(disc, ellipse=rim.ellipse, covariance=np.asarray(covariance, dtype=np.float64), rms_px=rms_px)


def _mean_of(rims: list[_Rim], weights: Matrix, best: EllipseFit) -> EllipseFit:
    """Return the weighted mean of the rims that may be the face; how far they differ goes into its covariance."""
    numbers = np.array([[*rim.ellipse.centre_px, *rim.ellipse.shape_px[np.triu_indices(2)]] for rim in rims])
    mean = np.average(numbers, axis=0, weights=weights)
    between = np.cov(numbers.T, aweights=weights, ddof=0)
    ellipse = replace(best.ellipse, centre_px=mean[:2], shape_px=mean[[2, 3, 3, 4]].reshape(2, 2))
    return replace(best, ellipse=ellipse, covariance=best.covariance + between)
