"""Whether a marker lies flat: what is left of its borders' places once the best plane view of it is taken away.

Paper bent round a finger keeps its code, but its borders no longer lie where any plane square would show them: a side
bows, or the modules at the ends of the bend look narrower than those in the middle. These displacements are fitted to
the borders as polynomials of the second and third degree, of which a homography is no part.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ulcermeter.calibration.features.robust import LEAST_FREE, TUKEY, biweight, robust_sd
from ulcermeter.datatypes import Points
from ulcermeter.datatypes.arrays import Matrix, Reals

__all__ = ["Bending", "fit_bending"]

_POWERS = ((2, 0), (1, 1), (0, 2), (3, 0), (2, 1), (1, 2), (0, 3))
"""Of x and y: second and third degree; a fold or roll of paper shows in these."""
_N_MODES = 12
"""Seven powers in two directions are 14 displacements; two of them are perspective, which a homography has too."""
_ROUNDS = 6
"""Of weighting; more change nothing that matters (assumption)."""
_RIDGE = 1e-9
"""Added to the normal equations, whose numbers are of size 1: keeps those of few borders solvable."""
_GRID = 15
"""Places over each side at which displacements are made of unit size."""
_LEAST_SD_PX = 0.02
"""Of a border's place, px: interpolation errs by as much (assumption)."""


@dataclass(frozen=True)
class Bending:
    """How far a marker's borders lie off the best flat view of it.

    Attributes
    ----------
    share : float
        Root mean square displacement over the square, as a share of its side, what noise alone makes taken off.
    sd_share : float
        What noise alone makes of it.
    ratio : float
        Of the variance that the displacements explain to the one that is left, F with 12 degrees of freedom; about 1
        for a flat marker.
    """

    share: float
    sd_share: float
    ratio: float


@lru_cache(maxsize=1)
def _mixing() -> Matrix:
    """Return (14, 12): displacements of root mean square 1 over the square that no homography can make."""
    along = np.linspace(-1, 1, _GRID)
    x, y = (a.ravel() for a in np.meshgrid(along, along))
    fields = _fields(x, y)
    one, nought = np.ones_like(x), np.zeros_like(x)
    plane = [
        (x, nought),
        (y, nought),
        (one, nought),
        (nought, x),
        (nought, y),
        (nought, one),
        (x * x, x * y),
        (x * y, y * y),
    ]
    smooth = np.linalg.qr(np.array([np.concatenate(pair) for pair in plane]).T)[0]
    flat = fields.reshape(len(fields), -1).T
    rest = flat - smooth @ (smooth.T @ flat)
    _, sizes, vt = np.linalg.svd(rest, full_matrices=False)
    return np.asarray(vt[:_N_MODES].T / sizes[:_N_MODES] * np.sqrt(len(x)), dtype=np.float64)


def _fields(x: Matrix, y: Matrix) -> Matrix:
    """Return the displacements (14, 2, P) at places in -1..1."""
    powers = np.array([x**i * y**j for i, j in _POWERS])
    nought = np.zeros_like(powers)
    return np.concatenate([np.stack([powers, nought], axis=1), np.stack([nought, powers], axis=1)])


def fit_bending(places: Points, axes_px: Matrix, normals: Matrix, plane: Matrix, offsets: Matrix) -> Bending:
    """Fit displacements to a marker's borders beside the flat view's own parameters.

    Parameters
    ----------
    places : float64 (P, 2)
        Middles of the borders in the marker's units 0..1.
    axes_px : float64 (P, 2, 2)
        How far the photo's x, y (rows) move there with the marker's units (columns).
    normals : float64 (P, 2)
        Unit vectors across the borders.
    plane : float64 (P, Q)
        By how much each border moves along its normal with each of the flat view's parameters.
    offsets : float64 (P,)
        How far each border lies from the flat view, px.

    Returns
    -------
    Bending
    """
    x, y = (2 * places - 1).T
    modes = np.einsum("mcp,mk->kcp", _fields(x, y), _mixing())
    moved = np.einsum("pc,pcd,kdp->pk", normals, axes_px, modes)
    design = np.hstack([plane, moved])
    weights: Reals = np.ones(len(offsets))
    for _ in range(_ROUNDS):
        normal = (design.T * weights) @ design + _RIDGE * np.eye(design.shape[1])
        solution = np.linalg.solve(normal, (design.T * weights) @ offsets)
        residuals = offsets - design @ solution
        weights = biweight(residuals, TUKEY * max(robust_sd(residuals), _LEAST_SD_PX))
    free = max(float(weights.sum()) - design.shape[1], LEAST_FREE)
    variance = float(np.sum(weights * residuals**2)) / free + _LEAST_SD_PX**2
    covariance = np.linalg.inv(normal)[-_N_MODES:, -_N_MODES:] * variance
    size = solution[-_N_MODES:]
    noise = float(np.trace(covariance))
    ratio = float(size @ np.linalg.solve(covariance, size)) / _N_MODES
    return Bending(float(np.sqrt(max(float(size @ size) - noise, 0.0))), float(np.sqrt(noise)), ratio)
