"""A finger's radius along its axis: a straight taper that ends in a round cap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["fit_profile"]

Floats = NDArray[np.floating]

_CAP_MM = 22.0
_WIDE_MM = 4.0


def fit_profile(along_mm: Floats, sides_mm: tuple[Floats, Floats], *, step_mm: float) -> Floats | None:
    """Fit radii at 0, `step_mm`, ... from the tip to what both sides show.

    Near the end r(s) = (c + d s) sqrt(1 - (1 - (s - e) / L)^n), a superellipse of length L and bluntness n on a
    straight taper, and e a small error of the tip's place; fitted with a soft-L1 loss, so that a nail that sticks out
    on one side, or a gap in the outline, bends nothing. Behind the cap the smoothed rest is added, for joints.

    Parameters
    ----------
    along_mm : float64 (N,)
        Distance from the tip.
    sides_mm : two float64 (N,)
        Distance of each side from the axis; NaN where it does not show.
    step_mm : float
        Spacing of the result.

    Returns
    -------
    float64 (N,) or None
        None when the sides do not show enough to fit.
    """
    s = np.concatenate([along_mm, along_mm])
    r = np.concatenate(sides_mm)
    known = np.isfinite(r) & (s > 0.2)
    s, r = s[known], r[known]
    behind, front = (s > 12) & (s < 40), s < _CAP_MM
    if behind.sum() < 10 or front.sum() < 16 or (s < 8).sum() < 8:
        return None
    taper, base = _robust_line(s[behind], r[behind])
    found = _fit_cap(s[front], r[front], base, taper)
    steps = np.arange(len(along_mm)) * step_mm
    smooth = _cap(steps, np.array([0.0, found[1], found[2]]), base, taper)
    fade = np.clip((steps - found[1]) / 6.0, 0.0, 1.0)
    return smooth + fade * _rest(steps, s, r - _cap(s, found, base, taper))


def _cap(s: Floats, shape: Floats, base: float, taper: float) -> Floats:
    error, length, blunt = shape
    left = np.clip(1 - (s - error) / length, 0.0, 1.0)
    return (base + taper * s) * np.sqrt(np.maximum(1 - left**blunt, 0.0))


def _fit_cap(s: Floats, r: Floats, base: float, taper: float) -> Floats:
    from scipy.optimize import least_squares

    radius = base + 10 * taper

    def off(shape: Floats) -> Floats:
        # The tip's place is known to about 0.3 mm, cap length and bluntness to about a third beforehand.
        prior = [shape[0] / 0.3, (shape[1] / radius - 1.2) / 0.4, (shape[2] - 2.3) / 0.5]
        return np.concatenate([(_cap(s, shape, base, taper) - r) / 0.2, prior])

    low, high = [-1.0, 0.6 * radius, 1.5], [1.0, 2.4 * radius, 4.0]
    return np.asarray(least_squares(off, [0.0, 1.2 * radius, 2.3], bounds=(low, high), loss="soft_l1", max_nfev=30).x)


def _robust_line(s: Floats, r: Floats) -> tuple[float, float]:
    keep = np.abs(r - np.median(r)) < 3.0
    slope, offset = 0.0, float(np.median(r))
    for limit in (1.0, 0.6, 0.6):
        if keep.sum() >= 8:
            slope, offset = np.polyfit(s[keep], r[keep], 1)
        keep = np.abs(r - offset - slope * s) < limit
    return float(np.clip(slope, -0.15, 0.15)), float(offset)


def _rest(steps: Floats, s: Floats, rest: Floats) -> Floats:
    """Return the residuals as a local mean over about 4 mm, drawn to 0 where few are seen; at most 1 mm."""
    weight = np.exp(-0.5 * ((steps[:, None] - s) / _WIDE_MM) ** 2) * (np.abs(rest) < 1.0)
    return np.asarray((weight * rest).sum(axis=1) / (weight.sum(axis=1) + 2.0))
