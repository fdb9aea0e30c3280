"""Least squares with a soft-L1 loss within bounds, for the few numbers of a finger's solid.

Levenberg and Marquardt's steps as in `scipy.optimize.least_squares`, whose import alone takes as long as measuring half
a photo. The residuals of several tries are asked for at once: arrays of a few hundred numbers take hardly longer.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["fit_softly"]

Floats = NDArray[np.float64]

# Of a forward difference: the root of double precision's rounding, the usual choice.
_DIFFERENCE = 1.5e-8
# Marquardt's damping at first, its growth, and how often it grows before a round gives up (assumption).
_FIRST_DAMPING, _DAMPING_GROWTH, _DAMPINGS = 1e-3, 10.0, 14
# Of a parameter that no residual depends on: what keeps the equations solvable.
_LEAST = 1e-12


def fit_softly(
    residuals: Callable[[Floats], Floats], begin: Floats, *, low: Floats, high: Floats, settled: float, rounds: int
) -> Floats:
    """Return the parameters (P,) of least cost: the sum of 2 (sqrt(1 + f²) - 1) over the residuals f.

    Parameters
    ----------
    residuals : callable
        From parameters (B, P) to residuals (B, K), in standard deviations.
    begin, low, high : float64 (P,)
        Where to begin, and least and most.
    settled : float
        Relative gain of a step, damped no more than the one before, from which on the fit has settled.
    rounds : int
        At most.

    Returns
    -------
    float64 (P,)
    """
    values, damping = np.clip(begin, low, high), _FIRST_DAMPING
    for _ in range(rounds):
        steps = _DIFFERENCE * np.maximum(1.0, np.abs(values))
        steps = np.where(values + steps > high, -steps, steps)
        at = residuals(np.vstack([values, values + np.diag(steps)]))
        off, jacobian = at[0], ((at[1:] - at[0]) / steps[:, None]).T
        # Each residual weighs as the loss rises there. By the loss's own curvature points far off would weigh nothing,
        # and a fit that begins beside the finger would not move.
        weight = 1 / np.sqrt(1 + off**2)
        gradient, normal = jacobian.T @ (weight * off), (jacobian.T * weight) @ jacobian
        cost, undamped = _cost(off), damping
        for _ in range(_DAMPINGS):
            moved = np.clip(values + _step(gradient, normal, damping, values <= low, values >= high), low, high)
            gained = cost - _cost(residuals(moved[None])[0])
            if gained > 0:
                break
            damping *= _DAMPING_GROWTH
        else:
            return values
        values = moved
        if gained < settled * cost and damping == undamped:
            break
        damping /= _DAMPING_GROWTH
    return values


def _cost(off: Floats) -> float:
    return float((2 * (np.sqrt(1 + off**2) - 1)).sum())


def _step(
    gradient: Floats, normal: Floats, damping: float, at_low: NDArray[np.bool_], at_high: NDArray[np.bool_]
) -> Floats:
    """Return a damped step of the parameters that it does not take out of bounds at once."""
    free = ~((at_low & (gradient > 0)) | (at_high & (gradient < 0)))
    inner = normal[np.ix_(free, free)]
    step = np.zeros(len(gradient))
    step[free] = -np.linalg.solve(
        inner + damping * np.diag(np.diag(inner)) + _LEAST * np.eye(len(inner)), gradient[free]
    )
    return step
