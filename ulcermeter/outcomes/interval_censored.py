"""Time to healing known only as (low, high]: Turnbull's estimate and the scores of rank tests on it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ulcermeter.errors import Problem, TableError

__all__ = ["innermost_intervals", "interval_censored_scores", "turnbull"]

Floats = NDArray[np.float64]


def turnbull(low: Floats, high: Floats, *, tolerance: float = 1e-9, rounds: int = 20000) -> tuple[Floats, Floats]:
    """Estimate the distribution of an interval-censored time without assuming its form (NPMLE).

    Mass can only lie on Turnbull's innermost intervals (q, p]; it is found by self-consistency (Turnbull 1976).

    Parameters
    ----------
    low, high : float64 (n,)
        The event lies in (low, high]; high infinite when it was not seen.
    tolerance : float
        Stop when no mass moves more than this.
    rounds : int

    Returns
    -------
    ends : float64 (m,)
        Right ends p of the innermost intervals, rising; the last may be infinite.
    mass : float64 (m,)
        Probability on each; sums to 1.

    Raises
    ------
    TableError
        An interval that holds no time.
    """
    _check(low, high)
    left, right = innermost_intervals(low, high)
    inside = ((low[:, None] <= left[None, :]) & (right[None, :] <= high[:, None])).astype(float)
    mass = np.full(len(left), 1.0 / len(left))
    for _ in range(rounds):
        share = inside * mass
        share /= share.sum(axis=1, keepdims=True)
        moved = share.mean(axis=0)
        done = np.max(np.abs(moved - mass)) < tolerance
        mass = moved
        if done:
            break
    return right, mass


def _check(low: Floats, high: Floats) -> None:
    wrong = [(float(a), float(b)) for a, b in zip(low, high, strict=True) if not a < b]
    if wrong:
        got = ", ".join(f"({a:g}, {b:g}]" for a, b in wrong)
        raise TableError(
            Problem(
                where="time to healing",
                expected="healing_day_low before healing_day_high",
                got=f"the intervals {got}",
                action="correct these rows of outcomes.csv or tabulate it again",
            )
        )


def innermost_intervals(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Intervals whose left end is some low, whose right end some high, with no other end between.

    Parameters
    ----------
    low : Floats
        Low ends, days after treatment, float64 (N,).
    high : Floats
        High ends, days after treatment; infinite where healing was not seen, float64 (N,).

    Returns
    -------
    tuple[Floats, Floats]
    """
    # At equal values a right end comes first, for (a, b] and (b, c] share no time.
    ends = sorted([(value, 1) for value in set(low.tolist())] + [(value, 0) for value in set(high.tolist())])
    pairs = [(a, b) for (a, opens), (b, closes) in zip(ends, ends[1:], strict=False) if opens == 1 and closes == 0]
    return np.array([a for a, _ in pairs]), np.array([b for _, b in pairs])


def interval_censored_scores(low: Floats, high: Floats, *, kind: str) -> Floats:
    """Score every interval for a permutation test; early events score high, and all scores sum to 0.

    With S the pooled Turnbull estimate of survival: *logrank* is Sun's (1996) score
    (S(L) log S~(L) - S(R) log S~(R)) / (S(L) - S(R)), where log S~ is minus the sum of the discrete hazards, and
    *wilcoxon* is S(L) + S(R) - 1 (Fay 1996; both as in Fay & Shaw 2010, doi 10.18637/jss.v036.i02).

    Parameters
    ----------
    low, high : float64 (n,)
        The event lies in (low, high]; high infinite when it was not seen.
    kind : {'logrank', 'wilcoxon'}

    Returns
    -------
    float64 (n,)
    """
    low, high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    ends, mass = turnbull(low, high)
    survival = np.clip(np.concatenate([[1.0], 1.0 - np.cumsum(mass)]), 0.0, 1.0)
    at_low, at_high = np.searchsorted(ends, low, side="right"), np.searchsorted(ends, high, side="right")
    start, stop = survival[at_low], survival[at_high]
    if kind == "wilcoxon":
        return np.asarray(start + stop - 1.0, dtype=np.float64)
    hazard = np.divide(mass, survival[:-1], out=np.zeros_like(mass), where=survival[:-1] > 1e-12)
    log_s = np.concatenate([[0.0], -np.cumsum(hazard)])
    return np.asarray((start * log_s[at_low] - stop * log_s[at_high]) / (start - stop), dtype=np.float64)
