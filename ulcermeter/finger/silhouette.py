"""A finger as a surface of revolution, and the outline that a camera sees of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
# no finger (assumption); their scales in the search, and its steps.
_TIP_REACH_MM = 6.0
_LEAST, _MOST = (-0.5, 2.5, -0.15, 2.0, 1.5), (0.5, 20.0, 0.2, 40.0, 4.0)
_SCALES, _ROUNDS = (1.0, 1.0, 0.03, 1.0, 0.03, 3.0, 0.5), 12
# Sections of a solid that a camera must see, how far outside each point counts of one it does not, and how far behind
# the middle of the cap the round end is still compared by its angle, mm.
_FEWEST_SECTIONS, _OUT_OF_SIGHT_MM, _BEYOND_PIVOT_MM = 8, 9.0, 3.0
# Relative change of the cost from which the fit has settled: further steps move it by less than a micrometre.
_SETTLED = 1e-3


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
        left = np.clip(1 - along / self.length, 0.0, 1.0)
        return np.asarray((self.base + self.taper * along) * np.sqrt(np.maximum(1 - left**self.blunt, 0.0)))

    def growth(self, along: Floats) -> Floats:
        """Return what the radius grows by per mm."""
        left = np.clip(1 - along / self.length, 0.0, 1.0)
        root = np.sqrt(np.maximum(1 - left**self.blunt, 1e-6))
        bend = self.blunt * left ** (self.blunt - 1) / (2 * self.length * root)
        return np.asarray(self.taper * root + (self.base + self.taper * along) * bend)

    def height(self, *, near: float, shown: float, on_table: bool) -> float:
        """Return the axis's height: on the table at its thickest part; else so that its top is level at `near`."""
        if on_table:
            return float(self.radius(np.array(min(shown, _REACH_MM))))
        return -max(float(self.radius(np.array(max(near, 0.0)))), self.base / 2)


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
    ahead = np.array([np.cos(solid.lean), np.sin(solid.lean)])
    aside = np.array([-ahead[1], ahead[0]])
    tip = np.array([solid.start, solid.offset])
    place, transverse, up = (camera[:2] - tip) @ ahead, (camera[:2] - tip) @ aside, camera[2] - height
    far, toward = np.hypot(transverse, up), np.arctan2(transverse, up)
    radius = solid.radius(_STEPS)
    cosine = (radius + solid.growth(_STEPS) * (place - _STEPS)) / far
    observed = np.abs(cosine) <= 1
    along, radius, opening = _STEPS[observed], radius[observed], np.arccos(cosine[observed])
    sides = []
    for angle in (toward - opening, toward + opening):
        skin = tip + along[:, None] * ahead + (radius * np.sin(angle))[:, None] * aside
        z = height + radius * np.cos(angle)
        sides.append(camera[:2] + (skin - camera[:2]) * (camera[2] / (camera[2] - z))[:, None])
    return Silhouette(sides[0], sides[1], along)


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
    from scipy.optimize import least_squares

    shown = float(edge[:, 0].max()) - first.start
    pivot = np.array([LENGTH * first.base, first.offset])
    at_end = edge[:, 0] < first.start + pivot[0]
    pivot[0] += first.start
    turned = np.arctan2(edge[at_end, 1] - pivot[1], pivot[0] - edge[at_end, 0])
    away = np.hypot(*(edge[at_end] - pivot).T)
    s, u = edge[~at_end].T

    def outside(values: Floats) -> Floats:
        solid = Solid(*values)
        height = solid.height(near=near - solid.start, shown=shown, on_table=on_table)
        observed = silhouette(solid, camera, height)
        if len(observed.along) < _FEWEST_SECTIONS:
            return np.full(len(edge), _OUT_OF_SIGHT_MM)
        off = np.empty(len(edge))
        ring = observed.closed()
        ring = ring[ring[:, 0] < pivot[0] + _BEYOND_PIVOT_MM]
        angle = np.arctan2(ring[:, 1] - pivot[1], pivot[0] - ring[:, 0])
        order = np.argsort(angle)
        off[at_end] = away - np.interp(turned, angle[order], np.hypot(*(ring - pivot).T)[order])
        low, high = (np.interp(s, *side.T) for side in (observed.left, observed.right))
        off[~at_end] = np.where(u < (low + high) / 2, low - u, u - high)
        return off

    def cost(values: Floats) -> Floats:
        prior = [
            (values[4] - TAPER) / _TAPER_SD,
            (values[5] / values[3] - LENGTH) / _LENGTH_SD,
            (values[6] - BLUNT) / _BLUNT_SD,
            (values[0] - first.start) / _TIP_SD_MM,
            values[2] / _LEAN_SD,
        ]
        return np.concatenate([outside(values) / edge_sd_mm, prior])

    begin = np.array([first.start, first.offset, first.lean, first.base, first.taper, first.length, first.blunt])
    low = [begin[0] - _TIP_REACH_MM, begin[1] - _TIP_REACH_MM, *_LEAST]
    high = [begin[0] + _TIP_REACH_MM, begin[1] + _TIP_REACH_MM, *_MOST]
    begin = np.clip(begin, np.array(low) + 1e-6, np.array(high) - 1e-6)
    found = least_squares(
        cost, begin, bounds=(low, high), x_scale=_SCALES, loss="soft_l1", ftol=_SETTLED, max_nfev=_ROUNDS
    ).x
    return Solid(*(float(v) for v in found)), outside(found)
