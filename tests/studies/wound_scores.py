"""What decides a diameter, of two masks of one photo: wounds found, false finds, longest diameters, rims that agree."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

Mask = NDArray[np.bool_]

# Fewer pixels hold no rim.
LEAST_PX = 12
# Two parts are the same wound where they share more than this much of the smaller one, as in the engine's passes.
SHARED = 0.1


@dataclass(frozen=True)
class PhotoScores:
    """One photo's scores.

    Attributes
    ----------
    dice : float
        Empty against empty is 1.
    shared, total : int
        Pixels in both, and in one plus the other, for the pooled Dice.
    wounds, found, false : int
        Wounds of the reference, those that were found, and finds that meet none.
    diameter_errors : tuple of float
        Of each wound found: longest diameter over the reference's, less 1.
    surface : dict of float to float
        Surface Dice by its tolerance in px.
    """

    dice: float
    shared: int
    total: int
    wounds: int
    found: int
    false: int
    diameter_errors: tuple[float, ...]
    surface: dict[float, float]


def longest_px(mask: Mask) -> float:
    """Longest caliper of a mask, px, between pixel centres plus one."""
    points = cv2.findNonZero(mask.astype(np.uint8))
    if points is None:
        return 0.0
    hull = cv2.convexHull(points).reshape(-1, 2).astype(float)
    return float(pdist(hull).max()) + 1 if len(hull) > 1 else 1.0


def dice(found: Mask, truth: Mask) -> float:
    """Dice of two masks; empty against empty is 1."""
    total = int(found.sum()) + int(truth.sum())
    return 1.0 if total == 0 else 2 * int((found & truth).sum()) / total


def surface_dice(found: Mask, truth: Mask, tolerance_px: float) -> float:
    """Share of both rims that lies within a tolerance of the other (Nikolov et al. 2018); both empty is 1, one is 0."""
    if not found.any() or not truth.any():
        return float(found.any() == truth.any())
    rims = [rim(found), rim(truth)]
    away = [cv2.distanceTransform((~one).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) for one in rims]
    near = [(away[1 - k][rims[k]] <= tolerance_px).sum() for k in (0, 1)]
    return float(sum(near) / sum(one.sum() for one in rims))


def rim(mask: Mask) -> Mask:
    """Pixels of a mask that touch its outside (8 neighbours); the photo's border counts as outside."""
    padded = np.pad(mask, 1).astype(np.uint8)
    return mask & (cv2.erode(padded, np.ones((3, 3), np.uint8))[1:-1, 1:-1] == 0)


def parts_of(mask: Mask) -> list[Mask]:
    """Connected parts of at least `LEAST_PX` pixels."""
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    parts = [labels == label for label in range(1, count)]
    return [part for part in parts if part.sum() >= LEAST_PX]


def compare(found: Mask, truth: Mask) -> PhotoScores:
    """Score what was found on a photo against a reference."""
    wounds, finds = parts_of(truth), parts_of(found)
    meets = np.array([[same_wound(find, wound) for find in finds] for wound in wounds], dtype=bool)
    meets = meets.reshape(len(wounds), len(finds))
    errors = []
    for wound, met in zip(wounds, meets, strict=True):
        if met.any():
            best = max(np.flatnonzero(met), key=lambda k: (finds[k] & wound).sum())
            # A find that takes in several wounds is held against all of them together.
            whole = np.any([other for other, row in zip(wounds, meets, strict=True) if row[best]], axis=0)
            errors.append(longest_px(finds[best]) / longest_px(whole) - 1)
    return PhotoScores(
        dice(found, truth),
        int((found & truth).sum()),
        int(found.sum()) + int(truth.sum()),
        len(wounds),
        int(meets.any(axis=1).sum()),
        int((~meets.any(axis=0)).sum()),
        tuple(errors),
        {tolerance: surface_dice(found, truth, tolerance) for tolerance in (2.0, 4.0)},
    )


def same_wound(find: Mask, wound: Mask) -> bool:
    """Whether two parts share more than a tenth of the smaller one."""
    return bool((find & wound).sum() > SHARED * min(find.sum(), wound.sum()))


HEADER = """| outlines | photos | image-mean Dice | pooled Dice | wounds found, % | false finds a photo | \
diameter off, median % | 90 % | surface Dice 2 px | 4 px |
|---|---|---|---|---|---|---|---|---|---|"""


def row(name: str, scores: list[PhotoScores], *, draws: int = 2000) -> str:
    """One line of the table with 95 % bootstrap intervals over photos."""
    picks = np.random.default_rng(5).integers(0, len(scores), (draws, len(scores)))
    picks = np.vstack([np.arange(len(scores)), picks])
    figures = [
        (_mean([one.dice for one in scores], picks), 3),
        (2 * _sums([one.shared for one in scores], picks) / _sums([one.total for one in scores], picks), 3),
        (100 * _sums([one.found for one in scores], picks) / _sums([one.wounds for one in scores], picks), 1),
        (_mean([one.false for one in scores], picks), 2),
        *((100 * values, 1) for values in _off([one.diameter_errors for one in scores], picks)),
        *((_mean([one.surface[tolerance] for one in scores], picks), 3) for tolerance in (2.0, 4.0)),
    ]
    return f"| {name} | {len(scores)} | {' | '.join(_cell(values, digits) for values, digits in figures)} |"


def _cell(values: NDArray[np.float64], digits: int) -> str:
    """The figure, first of the values, and the ends of its interval by the others."""
    low, high = np.nanpercentile(values[1:], [2.5, 97.5])
    return f"{values[0]:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def _mean(values: list[float], picks: NDArray[np.intp]) -> NDArray[np.float64]:
    return np.asarray(values, dtype=float)[picks].mean(axis=1)


def _sums(values: list[float], picks: NDArray[np.intp]) -> NDArray[np.float64]:
    return np.maximum(np.asarray(values, dtype=float)[picks].sum(axis=1), 1e-9)


def _off(errors: list[tuple[float, ...]], picks: NDArray[np.intp]) -> list[NDArray[np.float64]]:
    """Median and 90 % quantile of how far diameters are off, of each resampling."""
    resampled = [np.abs([error for k in pick for error in errors[k]] or [np.nan]) for pick in picks]
    return [np.array([np.quantile(one, share) for one in resampled]) for share in (0.5, 0.9)]
