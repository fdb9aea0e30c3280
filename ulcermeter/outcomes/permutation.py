"""Permutation between subjects: arms are constant within a subject, so all of its ulcers change arm together."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ulcermeter.protocol import Protocol

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Permuted", "difference_of_shares", "permute", "permute_subjects", "sum_of_scores"]

Floats = NDArray[np.float64]
# Sums of the same scores in another order differ in their last digits; such splits tie.
_TIE = 1e-9


@dataclass(frozen=True)
class Permuted:
    """A permutation test.

    Attributes
    ----------
    observed : float
        The statistic as allocated.
    z : float
        The same in standard deviations of its permutation distribution, about its mean.
    p_value : float
        Two-sided: share of splits whose statistic is at least as far from 0.
    n_splits : int
    method : str
        exact, or random splits with their seed.
    """

    observed: float
    z: float
    p_value: float
    n_splits: int
    method: str


def permute(
    values: Floats,
    first_arm: NDArray[np.bool_],
    statistic: Callable[[Floats, Floats], Floats],
    protocol: Protocol,
    *,
    strata: Sequence[str] = (),
) -> Permuted:
    """Test whether the arms differ, by moving whole subjects between them, within strata where there are any.

    All splits with the same arm sizes, in every stratum, are counted where there are at most ``permutation_exact_max``
    of them; else ``permutation_draws`` are drawn with ``permutation_seed``, and the p-value is (hits + 1) over
    (draws + 1).

    Parameters
    ----------
    values : float64 (n, k)
        One row a subject; sums over an arm's subjects are what the statistic needs.
    first_arm : bool (n,)
        The subjects allocated to the first arm.
    statistic : callable
        From sums over the first arm, float64 (splits, k), and over the other, to float64 (splits,).
    protocol : Protocol
    strata : sequence of str, optional
        Each subject's stratum of the randomisation.

    Returns
    -------
    Permuted
        With NaN and the method *not possible* where an arm is empty or the statistic is not known as allocated.
    """
    values = np.atleast_2d(np.asarray(values, dtype=float))
    n, size = len(first_arm), int(np.sum(first_arm))
    if size in (0, n):
        return Permuted(math.nan, math.nan, math.nan, 0, "not possible: one arm only")
    total = values.sum(axis=0)

    def of(members: NDArray[np.intp]) -> Floats:
        sums = np.stack([values[:, k][members].sum(axis=1) for k in range(values.shape[1])], axis=1)
        return statistic(sums, total - sums)

    observed = float(of(np.flatnonzero(first_arm)[None, :])[0])
    if not math.isfinite(observed):
        return Permuted(math.nan, math.nan, math.nan, 0, "not possible: the statistic is not known")
    blocks = _blocks(first_arm, strata or [""] * n)
    exact = math.prod(math.comb(len(b), k) for b, k in blocks) <= protocol.outcomes.permutation_exact_max
    members = _all_splits(blocks) if exact else _random_splits(blocks, protocol)
    spread = of(members)
    known = spread[np.isfinite(spread)]
    hits = int(np.sum(np.abs(known) >= abs(observed) - _TIE))
    p_value = hits / len(known) if exact else (hits + 1) / (len(known) + 1)
    sd = float(np.std(known))
    off = observed - float(np.mean(known))
    z = (off if abs(off) > _TIE else 0.0) / sd if sd > _TIE else math.nan
    method = "all splits" if exact else f"random splits, seed {protocol.outcomes.permutation_seed}"
    return Permuted(observed, z, p_value, len(spread), method)


def permute_subjects(
    rows: pd.DataFrame,
    values: Floats,
    first_arm: str,
    statistic: Callable[[Floats, Floats], Floats],
    protocol: Protocol,
) -> Permuted:
    """Add up each subject's rows, then permute subjects.

    Parameters
    ----------
    rows : DataFrame
        subject_id and arm; every subject in one arm. With a column ``stratum`` subjects are moved within strata.
    values : float64 (n, k)
        What each row adds.
    first_arm : str
        Held against all other rows.
    statistic, protocol
        As in `permute`.

    Returns
    -------
    Permuted
    """
    subjects = sorted(set(rows["subject_id"]))
    member = rows["subject_id"].to_numpy(dtype=object)[None, :] == np.array(subjects, dtype=object)[:, None]
    arm = dict(zip(rows["subject_id"], rows["arm"], strict=True))
    first = np.array([arm[subject] == first_arm for subject in subjects], dtype=bool)
    stratum = dict(zip(rows["subject_id"], rows["stratum"], strict=True)) if "stratum" in rows else {}
    strata = [stratum.get(subject, "") for subject in subjects]
    return permute(member.astype(float) @ values, first, statistic, protocol, strata=strata)


def difference_of_shares(first: Floats, other: Floats) -> Floats:
    """Return the first arm's sum of column 0 over that of column 1, less the other's: shares, or rates.

    Parameters
    ----------
    first : Floats
        The first arm's values, float64 (..., N, K).
    other : Floats
        The other arm's values, float64 (..., N, K).

    Returns
    -------
    Floats
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return first[:, 0] / first[:, 1] - other[:, 0] / other[:, 1]


def sum_of_scores(first: Floats, other: Floats) -> Floats:
    """Return the first arm's sum of scores, which sum to 0 over both.

    Parameters
    ----------
    first : Floats
        The first arm's values, float64 (..., N, K).
    other : Floats
        The other arm's values, float64 (..., N, K).

    Returns
    -------
    Floats
    """
    return first[:, 0]


def _blocks(first_arm: NDArray[np.bool_], strata: Sequence[str]) -> list[tuple[NDArray[np.intp], int]]:
    """Return each stratum's subjects, by position, and how many of them the first arm has."""
    names = np.array(strata, dtype=object)
    found = [np.flatnonzero(names == name) for name in sorted(set(strata))]
    return [(members, int(first_arm[members].sum())) for members in found]


def _all_splits(blocks: Sequence[tuple[NDArray[np.intp], int]]) -> NDArray[np.intp]:
    """Return the first arm's members in every split (splits, members): every choice in one stratum with every other."""
    splits = np.zeros((1, 0), dtype=np.intp)
    for members, size in blocks:
        n = math.comb(len(members), size)
        flat = itertools.chain.from_iterable(itertools.combinations(members.tolist(), size))
        own = np.fromiter(flat, dtype=np.intp, count=n * size).reshape(n, size)
        splits = np.hstack([np.repeat(splits, n, axis=0), np.tile(own, (len(splits), 1))])
    return splits


def _random_splits(blocks: Sequence[tuple[NDArray[np.intp], int]], protocol: Protocol) -> NDArray[np.intp]:
    random = np.random.default_rng(protocol.outcomes.permutation_seed)
    draws = protocol.outcomes.permutation_draws
    parts = [members[np.argsort(random.random((draws, len(members))), axis=1)[:, :size]] for members, size in blocks]
    return np.hstack(parts)
