"""Agreement in plain numbers: ICC, Bland-Altman, standard error of measurement, kappa."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ulcermeter.statistics import UPPER_95, Z_95_AS_PRINTED, smallest_detectable_change

__all__ = ["Icc", "Limits", "bland_altman", "confusion", "icc", "kappa", "repeatability"]

_NAN = float("nan")


@dataclass(frozen=True)
class Icc:
    """An intraclass correlation and its 95 % confidence interval, dimensionless, at most 1."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Limits:
    """Bias (a - b), its standard deviation between pairs, and 95 % limits of agreement, in the data's unit."""

    n: int
    bias: float
    sd: float
    low: float
    high: float


def icc(ratings: ArrayLike) -> dict[str, Icc]:
    """Return the intraclass correlations of single ratings: Shrout & Fleiss 1979 (doi 10.1037/0033-2909.86.2.420).

    Parameters
    ----------
    ratings : float (n, k)
        n targets, each rated by the same k raters; rows with a NaN are left out.

    Returns
    -------
    dict
        ``icc_1_1`` (raters differ from target to target), ``icc_2_1`` (raters are a sample; absolute agreement),
        ``icc_3_1`` (these raters only; consistency). NaN with fewer than two targets or no variance.
    """
    x = np.asarray(ratings, dtype=float)
    x = x[np.isfinite(x).all(axis=1)]
    n, k = x.shape
    if n < 2 or k < 2 or np.ptp(x) == 0:
        return dict.fromkeys(("icc_1_1", "icc_2_1", "icc_3_1"), Icc(_NAN, _NAN, _NAN))
    grand, targets, raters = x.mean(), x.mean(axis=1), x.mean(axis=0)
    between = k * ((targets - grand) ** 2).sum() / (n - 1)
    within = ((x - targets[:, None]) ** 2).sum() / (n * (k - 1))
    of_raters = n * ((raters - grand) ** 2).sum() / (k - 1)
    error = ((x - targets[:, None] - raters[None] + grand) ** 2).sum() / ((n - 1) * (k - 1))
    return {
        "icc_1_1": _one_way(between, within, n - 1, n * (k - 1), k),
        "icc_2_1": _two_way_random(between, of_raters, error, n, k),
        "icc_3_1": _one_way(between, error, n - 1, (n - 1) * (k - 1), k),
    }


def _one_way(between: float, rest: float, df_between: int, df_rest: int, k: int) -> Icc:
    from scipy.stats import f

    if rest == 0:
        return Icc(1.0, 1.0, 1.0)
    ratio = between / rest
    ends = ratio / f.ppf(UPPER_95, df_between, df_rest), ratio * f.ppf(UPPER_95, df_rest, df_between)
    value, low, high = ((r - 1) / (r + k - 1) for r in (ratio, *ends))
    return Icc(float(value), float(low), float(high))


def _two_way_random(between: float, of_raters: float, error: float, n: int, k: int) -> Icc:
    from scipy.stats import f

    value = (between - error) / (between + (k - 1) * error + k * (of_raters - error) / n)
    if error == 0:
        return Icc(float(value), _NAN, _NAN)
    ratio = of_raters / error
    part = n * (1 + (k - 1) * value) - k * value
    df = (k - 1) * (n - 1) * (k * value * ratio + part) ** 2
    df /= (n - 1) * k**2 * value**2 * ratio**2 + part**2
    upper, lower = f.ppf(UPPER_95, n - 1, df), f.ppf(UPPER_95, df, n - 1)
    spread = k * of_raters + (k * n - k - n) * error
    low = n * (between - upper * error) / (upper * spread + n * between)
    high = n * (lower * between - error) / (spread + n * lower * between)
    return Icc(float(value), float(low), float(high))


def bland_altman(
    a: ArrayLike, b: ArrayLike, *, groups: Sequence[str] | None = None, z: float = Z_95_AS_PRINTED
) -> Limits:
    """Return bias and limits of agreement of a - b: Bland & Altman 1986 (doi 10.1016/S0140-6736(86)90837-8).

    With `groups` (a subject's pairs belong together) the variance is the sum of its parts between and within groups,
    where the true value varies: Bland & Altman 2007 (doi 10.1080/10543400701329422), section 3.

    Parameters
    ----------
    a, b : float (n,)
        Pairs with a NaN are left out.
    groups : sequence of str, optional
        The subject of each pair.
    z : float
        Standard deviations to a limit; the paper of 1986 prints 2.

    Returns
    -------
    Limits
        In the data's unit; NaN with fewer than two pairs.
    """
    difference = np.asarray(a, dtype=float) - np.asarray(b, dtype=float)
    use = np.isfinite(difference)
    names = np.asarray(groups)[use] if groups is not None else None
    difference = difference[use]
    n = len(difference)
    if n < 2:
        return Limits(n, float(difference.mean()) if n else _NAN, _NAN, _NAN, _NAN)
    bias = float(difference.mean())
    sd = math.sqrt(float(difference.var(ddof=1)) if names is None else _clustered_variance(difference, names))
    return Limits(n, bias, sd, bias - z * sd, bias + z * sd)


def _clustered_variance(difference: NDArray[np.float64], names: NDArray[np.str_]) -> float:
    """One-way analysis of variance by group: variance between (not below 0) plus variance within."""
    parts = [difference[names == name] for name in sorted(set(names.tolist()))]
    sizes = np.array([len(part) for part in parts], dtype=float)
    n, m = sizes.sum(), len(parts)
    if m < 2 or n == m:
        return float(difference.var(ddof=1))
    between = sum(len(part) * (part.mean() - difference.mean()) ** 2 for part in parts) / (m - 1)
    within = sum(((part - part.mean()) ** 2).sum() for part in parts) / (n - m)
    divisor = (n**2 - (sizes**2).sum()) / ((m - 1) * n)
    return float(max((between - within) / divisor, 0.0) + within)


def repeatability(a: ArrayLike, b: ArrayLike) -> tuple[float, float]:
    """Return the standard error of measurement and the smallest detectable change of two readings of one thing.

    SEM = √(Σd²/2n), the standard deviation within things (Bland & Altman 1996, doi 10.1136/bmj.312.7047.1654), with
    bias in it; SDC = 1.96 √2 SEM. In the data's unit; NaN without pairs. On ln(area) this is what the protocol's
    ``sem_log_area`` stands for.

    Parameters
    ----------
    a, b : float (n,)
        Two readings of the same things; pairs with a NaN are left out.

    Returns
    -------
    (float, float)
        SEM and SDC.
    """
    difference = np.asarray(a, dtype=float) - np.asarray(b, dtype=float)
    difference = difference[np.isfinite(difference)]
    if len(difference) == 0:
        return _NAN, _NAN
    sem = math.sqrt(float((difference**2).mean()) / 2)
    return sem, smallest_detectable_change(sem)


def confusion(a: Sequence[str], b: Sequence[str], categories: Sequence[str]) -> NDArray[np.int64]:
    """Return how often a said the row's category and b the column's; other words are left out.

    Parameters
    ----------
    a : sequence of str
        The first reader's categories.
    b : sequence of str
        The second reader's of the same things, in the same order.
    categories : sequence of str
        In the order of rows and columns.

    Returns
    -------
    int64 (c, c)
        Counts.
    """
    counts = np.zeros((len(categories), len(categories)), dtype=np.int64)
    for x, y in zip(a, b, strict=True):
        if x in categories and y in categories:
            counts[categories.index(x), categories.index(y)] += 1
    return counts


def kappa(counts: ArrayLike, *, weights: str = "none") -> float:
    """Return Cohen's kappa of a confusion matrix: (p_o - p_e) / (1 - p_e) (doi 10.1177/001316446002000104).

    Parameters
    ----------
    counts : int (c, c)
    weights : {'none', 'linear'}
        Linear: a step between neighbours counts 1/(c-1) of a full disagreement.

    Returns
    -------
    float
        At most 1; NaN without counts, or where both always said the same one thing.
    """
    table = np.asarray(counts, dtype=float)
    total, c = table.sum(), len(table)
    if total == 0:
        return _NAN
    i, j = np.indices(table.shape)
    cost = np.abs(i - j) / max(c - 1, 1) if weights == "linear" else (i != j).astype(float)
    expected_counts = np.outer(table.sum(axis=1), table.sum(axis=0)) / total
    expected = float((cost * expected_counts).sum())
    return _NAN if expected == 0 else float(1 - (cost * table).sum() / expected)
