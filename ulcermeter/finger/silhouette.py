"""A finger as a surface of revolution, and the outline that a camera sees of it."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from ulcermeter.finger.soft_fit import fit_softly

__all__ = ["BLUNT", "FAR_MM", "LENGTH", "TAPER", "Silhouette", "Solid", "fit_solid", "silhouette"]

Floats = NDArray[np.float64]

FAR_MM = 1e5
"""Height of a camera that looks straight down, for a photo whose camera is not known."""
# Along the finger from its tip, as far as the solid is drawn: the end two phalanges.
_REACH_MM = 48.0
# Dense at the tip, where the outline turns.
_STEPS = np.concatenate([8.0 * np.linspace(0.02, 0.97, 48) ** 2, np.arange(8.0, _REACH_MM, 0.8)])
# What an outline read off a photo is known to, mm, and what is known beforehand of fingers: assumption.
_EDGE_SD_MM = 0.2
LENGTH, _LENGTH_SD = 1.2, 0.4
BLUNT, _BLUNT_SD = 2.3, 0.5
TAPER, _TAPER_SD = 0.02, 0.05
# How far a tip that the reference covers may lie from where it goes under; one that shows is known far better.
_TIP_SD_MM = 2.0
# sd of the axis's lean from where the fit begins, rad: hardly any constraint.
_LEAN_SD = 0.5
# How far the tip may be moved, and least and most of lean, base, taper, length and blunt in their units: beyond it is
# no finger (assumption); and rounds of the search.
_TIP_REACH_MM = 6.0
_LEAST, _MOST = (-0.5, 2.5, -0.15, 2.0, 1.5), (0.5, 20.0, 0.2, 40.0, 4.0)
_ROUNDS = 25
# Sections of a solid that a camera must see, how far outside each point counts of one it does not, and how far behind
# the middle of the cap the round end is still compared by its angle, mm.
_FEWEST_SECTIONS, _OUT_OF_SIGHT_MM, _BEYOND_PIVOT_MM = 8, 9.0, 3.0
# Relative change of the cost from which the fit has settled: further steps move it by less than a micrometre.
_SETTLED = 1e-4


@dataclass(frozen=True)
class Solid:
    """A straight taper that ends in a round cap, its axis parallel to the plane, in a frame (s, u) of that plane.

    r(x) = (base + taper x) sqrt(1 - (1 - x / length)^blunt), x the distance from the tip: a superellipse on a taper.

    Attributes
    ----------
    start, offset : float
        s and u of the tip, mm.
    lean : float
        Angle of the axis from the direction of s towards u, radians.
    base, taper : float
        Radius (mm) carried on to the tip, and what it grows by per mm.
    length, blunt : float
        The cap's length (mm), and how blunt it is: 2 is an ellipse's.
    """

    start: float
    offset: float
    lean: float
    base: float
    taper: float
    length: float
    blunt: float

    def radius(self, along: Floats) -> Floats:
        """Return the radius at distances from the tip, mm."""
        return _radius(along, self._row().T)

    def growth(self, along: Floats) -> Floats:
        """Return what the radius grows by per mm."""
        return _growth(along, self._row().T)

    def height(self, *, near: float, shown: float, on_table: bool) -> float:
        """Return the axis's height: on the table at its thickest part; else so that its top is level at `near`."""
        return float(_heights(self._row(), near=np.array([near]), shown=shown, on_table=on_table)[0])

    def _row(self) -> Floats:
        return np.array([astuple(self)])


def _radius(along: Floats, solids: Floats) -> Floats:
    """Return the radius at distances from the tip of the solids (7, ...) that they go with, mm."""
    _, _, _, base, taper, length, blunt = solids
    left = np.clip(1 - along / length, 0.0, 1.0)
    return np.asarray((base + taper * along) * np.sqrt(np.maximum(1 - left**blunt, 0.0)))


def _growth(along: Floats, solids: Floats) -> Floats:
    """Return what the radius grows by per mm."""
    _, _, _, base, taper, length, blunt = solids
    left = np.clip(1 - along / length, 0.0, 1.0)
    root = np.sqrt(np.maximum(1 - left**blunt, 1e-6))
    bend = blunt * left ** (blunt - 1) / (2 * length * root)
    return np.asarray(taper * root + (base + taper * along) * bend)


def _heights(solids: Floats, *, near: Floats, shown: float, on_table: bool) -> Floats:
    """Return the heights (B,) of the axes of solids (B, 7), see `Solid.height`; `near` (B,) is from the tips."""
    if on_table:
        return _radius(np.array(min(shown, _REACH_MM)), solids.T)
    return -np.maximum(_radius(np.maximum(near, 0.0), solids.T), solids[:, 3] / 2)


@dataclass(frozen=True)
class Silhouette:
    """What a camera sees of a solid's outline, in the plane's frame (s, u): left and right (K, 2), from the tip."""

    left: Floats
    right: Floats
    along: Floats

    def closed(self) -> Floats:
        """Return the outline (2K, 2) from the left side's end round the tip to the right side's."""
        return np.vstack([self.left[::-1], self.right])


def silhouette(solid: Solid, camera: Floats, height: float) -> Silhouette:
    """Return where rays from a camera touch the solid, carried on to the plane.

    At a point of the section x at angle f round the axis the normal is (cos f, sin f) less r' along the axis; it is
    at right angles to the ray where |c| cos(f - fc) = r + r' (xc - x), with c the camera's place across the axis, at
    angle fc, and xc its place along it.

    Parameters
    ----------
    solid : Solid
    camera : float64 (3,)
        s, u and height over the plane, mm.
    height : float
        Of the axis over the plane, mm.

    Returns
    -------
    Silhouette
    """
    shown, left, right = _outlines(np.array([astuple(solid)]), camera, np.array([height]))
    return Silhouette(left[0, shown[0]], right[0, shown[0]], _STEPS[shown[0]])


def _outlines(solids: Floats, camera: Floats, heights: Floats) -> tuple[NDArray[np.bool_], Floats, Floats]:
    """Return which sections (B, N) of solids (B, 7) the camera sees, and left and right outlines (B, N, 2) there."""
    start, offset, lean = solids.T[:3, :, None]
    ahead_s, ahead_u = np.cos(lean), np.sin(lean)
    away_s, away_u, up = camera[0] - start, camera[1] - offset, camera[2] - heights[:, None]
    place, transverse = away_s * ahead_s + away_u * ahead_u, away_u * ahead_s - away_s * ahead_u
    columns = solids.T[:, :, None]
    radius = _radius(_STEPS, columns)
    cosine = (radius + _growth(_STEPS, columns) * (place - _STEPS)) / np.hypot(transverse, up)
    opening, toward = np.arccos(np.clip(cosine, -1, 1)), np.arctan2(transverse, up)
    sides = []
    for angle in (toward - opening, toward + opening):
        aside, z = radius * np.sin(angle), heights[:, None] + radius * np.cos(angle)
        skin = np.stack(
            [start + _STEPS * ahead_s - aside * ahead_u, offset + _STEPS * ahead_u + aside * ahead_s], axis=-1
        )
        sides.append(camera[:2] + (skin - camera[:2]) * (camera[2] / (camera[2] - z))[:, :, None])
    return np.abs(cosine) <= 1, sides[0], sides[1]


def fit_solid(
    edge: Floats, camera: Floats, *, first: Solid, near: float, on_table: bool, edge_sd_mm: float = _EDGE_SD_MM
) -> tuple[Solid, Floats]:
    """Fit a solid to points of its outline as seen.

    Least squares with a soft-L1 loss, so that a nail that sticks out on one side, or a gap, bends little.

    Parameters
    ----------
    edge : float64 (K, 2)
        s, u in the plane's frame.
    camera : float64 (3,)
    first : Solid
        Where to begin.
    near : float
        s of the given point, for the height.
    on_table : bool
    edge_sd_mm : float
        What the points are known to.

    Returns
    -------
    Solid, float64 (K,)
        And how far each point lies outside the fitted outline, mm.
    """
    outline = _Outline(edge, camera, first=first, near=near, on_table=on_table)

    def cost(values: Floats) -> Floats:
        start, _, lean, base, taper, length, blunt = values.T
        prior = [
            (taper - TAPER) / _TAPER_SD,
            (length / base - LENGTH) / _LENGTH_SD,
            (blunt - BLUNT) / _BLUNT_SD,
            (start - first.start) / _TIP_SD_MM,
            lean / _LEAN_SD,
        ]
        return np.hstack([outline.outside(values) / edge_sd_mm, np.column_stack(prior)])

    begin = np.array(astuple(first))
    low, high = np.array([*begin[:2] - _TIP_REACH_MM, *_LEAST]), np.array([*begin[:2] + _TIP_REACH_MM, *_MOST])
    found = fit_softly(cost, begin, low=low, high=high, settled=_SETTLED, rounds=_ROUNDS)
    return Solid(*(float(v) for v in found)), outline.outside(found[None])[0]


class _Outline:
    """Points of an outline as seen (K, 2), held against what a camera sees of solids."""

    def __init__(self, edge: Floats, camera: Floats, *, first: Solid, near: float, on_table: bool) -> None:
        self._camera, self._near, self._on_table = camera, near, on_table
        self._shown = float(edge[:, 0].max()) - first.start
        self._pivot = np.array([first.start + LENGTH * first.base, first.offset])
        self._at_end = edge[:, 0] < self._pivot[0]
        # The round end is compared by its angle round the middle of the cap, the sides across.
        self._turned, self._away = _round(self._pivot, edge[self._at_end])
        self._s, self._u = edge[~self._at_end].T

    def outside(self, solids: Floats) -> Floats:
        """Return how far each point lies outside of solids (B, 7), mm (B, K)."""
        heights = _heights(solids, near=self._near - solids[:, 0], shown=self._shown, on_table=self._on_table)
        shown, left, right = _outlines(solids, self._camera, heights)
        return np.stack(
            [self._off(*(side[seen] for side in sides)) for seen, *sides in zip(shown, left, right, strict=True)]
        )

    def _off(self, left: Floats, right: Floats) -> Floats:
        off = np.full(len(self._at_end), _OUT_OF_SIGHT_MM)
        if len(left) < _FEWEST_SECTIONS:
            return off
        ring = np.vstack([left[::-1], right])
        angle, away = _round(self._pivot, ring[ring[:, 0] < self._pivot[0] + _BEYOND_PIVOT_MM])
        order = np.argsort(angle)
        off[self._at_end] = self._away - np.interp(self._turned, angle[order], away[order])
        low, high = (np.interp(self._s, *side.T) for side in (left, right))
        off[~self._at_end] = np.where(self._u < (low + high) / 2, low - self._u, self._u - high)
        return off


def _round(pivot: Floats, points: Floats) -> tuple[Floats, Floats]:
    """Return the angle round a pivot and the distance from it of points (K, 2)."""
    s, u = (points - pivot).T
    return np.arctan2(u, -s), np.hypot(s, u)
