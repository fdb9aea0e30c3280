"""Least squares that outliers do not bend: a spread they do not move, and weights that leave them out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes.arrays import Reals

__all__ = ["LEAST_FREE", "TUKEY", "biweight", "robust_sd"]

MAD_TO_SD = 1.4826
"""Standard deviation over median absolute deviation of normal errors: 1 / Φ⁻¹(.75)."""
TUKEY = 4.685
"""Standard deviations from which on an error weighs nothing in Tukey's biweight: 95 % as efficient as least squares
where all errors are normal (Holland & Welsch 1977)."""
LEAST_FREE = 3.0
"""Degrees of freedom by which squared residuals are divided at least, however few are left (assumption)."""


def robust_sd(residuals: NDArray[np.floating]) -> float:
    """Return the standard deviation that normal errors of the same median size have.

    Parameters
    ----------
    residuals : float (n,)
        About 0, in any unit.

    Returns
    -------
    float
        In the same unit.
    """
    return MAD_TO_SD * float(np.median(np.abs(residuals)))


def biweight(residuals: NDArray[np.floating], reach: float, *, least: float = 0.0) -> Reals:
    """Return Tukey's weights: (1 - (r / reach)²)², 0 from `reach` on.

    Parameters
    ----------
    residuals : float (n,)
        About 0, in any unit.
    reach : float
        In the same unit; `TUKEY` standard deviations.
    least : float
        Of the weight's root, where no residual is to be left out altogether.

    Returns
    -------
    float64 (n,)
        0..1.
    """
    return np.asarray(np.clip(1 - (residuals / reach) ** 2, least, None) ** 2)
