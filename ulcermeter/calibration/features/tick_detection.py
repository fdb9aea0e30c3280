"""Where on a photo there are even ticks: waves in the spectrum of small tiles that agree with their neighbours."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Points
from ulcermeter.datatypes.arrays import Reals

__all__ = ["TickCluster", "find_ticks"]

_TILE_PX = 96
"""Side of a tile, px: some ten ticks (assumption)."""
_PERIODS_PX = (3.6, 30.0)
"""Of ticks: shorter ones are not resolved, of longer ones a tile holds too few."""
_LEAST_SHARE = 0.22
"""Share of a tile's fine detail that lies in one wave and its neighbours in the spectrum."""
_LEAST_CONTRAST = 4.0
"""Of a tile, standard deviation in 8-bit levels: less is noise (assumption)."""
_AGREE, _DRIFT = 0.15, 0.35
"""How far neighbours' waves may differ, and those of one scale, by its tilt and bend."""
_LEAST_TILES = 4
"""Of a row, overlapping by half: 240 px, the 15 ticks that a reading needs at 16 px a tick."""
_STRONGEST = 10
"""Tiles of a row that count for its strength: cloth is larger than any ruler."""
_MOST_SEEDS, _MOST_ROWS = 12, 3
"""Rows that are grown, and that are returned (assumption): each costs a reading."""
_LEAST_TILE_PX, _PERIODS_A_TILE = 32, 5
"""Of a tile's side: in a smaller one, and of fewer periods in one, a wave has no place in the spectrum (assumption)."""
_NEIGHBOURS = 1.1
"""Tiles whose middles lie within so many sides of each other are neighbours: those that touch, askew ones too."""
_ASIDE, _ASIDE_ALONG = 0.8, 0.12
"""How far a scale's tiles may lie to its side, in tiles and over the way along it: a row, if bent (assumption)."""
_BESIDE = (1.2, 2.5)
"""Tiles to the side from which on, and up to which, what shows the same wave is not the scale's (assumption)."""
_CURVE_PLACES = 400
"""At which a bent scale's length is summed: far more than it has ticks."""


@dataclass(frozen=True)
class TickCluster:
    """Tiles that show the same ticks.

    Attributes
    ----------
    origin_px, axis : float64 (2,)
        A point on the scale, and its direction there.
    bend : float64 (2,)
        Slope and half curvature of the scale against its axis: aside = bend[0] s + bend[1] s².
    frequency : float
        Ticks per px.
    low_px, high_px : float
        From where to where along the axis.
    strength : float
    tile_px : int
    """

    origin_px: Points
    axis: Points
    bend: Reals
    frequency: float
    low_px: float
    high_px: float
    strength: float
    tile_px: int

    def curve(self, s: Reals) -> tuple[Points, Points]:
        """Return the scale's points (K, 2) at s (K,) px along it, and the unit vectors across it there."""
        fine = np.linspace(self.low_px, self.high_px, _CURVE_PLACES)
        slope = self.bend[0] + 2 * self.bend[1] * fine
        length = np.concatenate([[0.0], np.cumsum(np.hypot(1, (slope[1:] + slope[:-1]) / 2) * np.diff(fine))])
        length += self.low_px - np.interp(0.0, fine, length + self.low_px)
        x = np.interp(s, length, fine)
        side = np.array([-self.axis[1], self.axis[0]])
        points = self.origin_px + x[:, None] * self.axis + (self.bend[0] * x + self.bend[1] * x**2)[:, None] * side
        along = self.axis + (self.bend[0] + 2 * self.bend[1] * x)[:, None] * side
        along /= np.hypot(*along.T)[:, None]
        return points, np.column_stack([-along[:, 1], along[:, 0]])


def find_ticks(grey: NDArray[np.uint8]) -> list[TickCluster]:
    """Find rows of tiles with one even wave.

    Parameters
    ----------
    grey : uint8 (M, N)

    Returns
    -------
    list of TickCluster
        The longest and clearest first, at most three. The wave may be an overtone of the ticks.
    """
    size = min(_TILE_PX, min(grey.shape))
    if size < _LEAST_TILE_PX:
        return []
    centres, waves, shares, weights = _tile_waves(grey, size)
    good = np.flatnonzero(shares >= _LEAST_SHARE)
    rows: list[TickCluster] = []
    taken: set[int] = set()
    for seed in good[np.argsort(-weights[good], kind="stable")].tolist():
        if seed in taken or len(rows) == _MOST_SEEDS:
            continue
        members = _connected_tiles(seed, good, centres, waves, size)
        taken |= set(members.tolist())
        row = _cluster(members, centres, waves, weights, size) if len(members) >= _LEAST_TILES else None
        if row is not None:
            beside = _beside(seed, row, good, centres, waves) / len(members)
            rows.append(replace(row, strength=row.strength / (1 + beside) ** 2))
    return sorted(rows, key=lambda row: -row.strength)[:_MOST_ROWS]


def _tile_waves(grey: NDArray[np.uint8], size: int) -> tuple[Points, Reals, Reals, Reals]:
    """Return each tile's centre (x, y), its strongest wave (cycles per px in x, y), its share of detail, its weight."""
    step = size // 2
    tiles = np.lib.stride_tricks.sliding_window_view(grey, (size, size))[::step, ::step]
    rows, cols = np.indices(tiles.shape[:2])
    centres = np.column_stack([cols.ravel(), rows.ravel()]) * float(step) + (size - 1) / 2
    tiles = tiles.reshape(-1, size, size)
    contrast = tiles.reshape(len(tiles), -1).std(axis=1)
    lively = contrast > _LEAST_CONTRAST
    centres, tiles, contrast = centres[lively], tiles[lively].astype(np.float32), contrast[lively]
    if not len(tiles):
        return np.empty((0, 2)), np.empty((0, 2)), np.empty(0), np.empty(0)
    hann = np.hanning(size).astype(np.float32)
    tiles = (tiles - tiles.mean(axis=(1, 2), keepdims=True)) * hann[:, None] * hann
    fy, fx = np.fft.fftfreq(size), np.fft.rfftfreq(size)
    radius = np.hypot(fx[None], fy[:, None])
    longest_px = min(_PERIODS_PX[1], size / _PERIODS_A_TILE)
    fine = ((radius > 1 / longest_px) & (radius < 1 / _PERIODS_PX[0])).astype(np.float32)
    # Plain borders fall off with the square of the frequency; so weighed they are flat and only waves stand out.
    power = np.abs(np.fft.rfft2(tiles)) ** 2 * (fine * radius**2).astype(np.float32)
    peak = power.reshape(len(power), -1).argmax(axis=1)
    row, col = np.unravel_index(peak, power.shape[1:])
    total = power.reshape(len(power), -1).sum(axis=1) + 1e-6
    waves, shares = np.empty((len(power), 2)), np.empty(len(power))
    near = np.arange(-2, 3)
    for k in range(len(power)):
        r, c = (row[k] + near) % size, np.clip(col[k] + near, 0, power.shape[2] - 1)
        part = power[k][np.ix_(r, c)]
        shares[k] = part.sum() / total[k]
        weight = part[1:4, 1:4] / part[1:4, 1:4].sum()
        waves[k] = [
            (weight.sum(axis=0) * (col[k] + near[1:4])).sum() / size,
            (weight.sum(axis=1) * ((row[k] + size // 2) % size - size // 2 + near[1:4])).sum() / size,
        ]
    return centres, waves, shares, shares * np.sqrt(power[np.arange(len(power)), row, col])


def _connected_tiles(seed: int, good: NDArray[np.intp], centres: Points, waves: Reals, size: int) -> NDArray[np.intp]:
    """Return the tiles that are reached from one over neighbours with nearly the same wave."""
    members, front = {seed}, [seed]
    drift = np.minimum(np.hypot(*(waves[good] - waves[seed]).T), np.hypot(*(waves[good] + waves[seed]).T))
    good = good[drift < _DRIFT * np.hypot(*waves[seed])]
    while front:
        k = front.pop()
        near = good[np.abs(centres[good] - centres[k]).max(axis=1) <= _NEIGHBOURS * size]
        off = np.minimum(np.hypot(*(waves[near] - waves[k]).T), np.hypot(*(waves[near] + waves[k]).T))
        for other in near[off < _AGREE * np.hypot(*waves[k])].tolist():
            if other not in members:
                members.add(other)
                front.append(other)
    axis = waves[seed] / np.hypot(*waves[seed])
    found = np.array(sorted(members))
    aside = np.abs((centres[found] - centres[seed]) @ np.array([-axis[1], axis[0]]))
    along = np.abs((centres[found] - centres[seed]) @ axis)
    return np.asarray(found[aside <= _ASIDE * size + _ASIDE_ALONG * along])


def _beside(seed: int, row: TickCluster, good: NDArray[np.intp], centres: Points, waves: Reals) -> int:
    """Return how many tiles to the sides of a row show its wave too: many in cloth and wood, none beside a scale."""
    aside = np.abs((centres[good] - row.origin_px) @ np.array([-row.axis[1], row.axis[0]])) / row.tile_px
    along = (centres[good] - row.origin_px) @ row.axis
    near = good[(aside > _BESIDE[0]) & (aside < _BESIDE[1]) & (along > row.low_px) & (along < row.high_px)]
    off = np.minimum(np.hypot(*(waves[near] - waves[seed]).T), np.hypot(*(waves[near] + waves[seed]).T))
    return int((off < _DRIFT * np.hypot(*waves[seed])).sum())


def _cluster(members: NDArray[np.intp], centres: Points, waves: Reals, shares: Reals, size: int) -> TickCluster | None:
    weight = shares[members]
    best = members[int(np.argmax(weight))]
    aligned = waves[members] * np.sign(waves[members] @ waves[best])[:, None]
    mean = np.average(aligned, axis=0, weights=weight)
    frequency = float(np.median(np.hypot(*aligned.T)))
    axis = mean / np.hypot(*mean)
    side = np.array([-axis[1], axis[0]])
    origin = np.average(centres[members], axis=0, weights=weight)
    along = (centres[members] - origin) @ axis
    slopes = (aligned @ side) / (aligned @ axis)
    bend = np.zeros(2)
    if np.ptp(along) > 2 * size:
        fitted = np.polynomial.Polynomial.fit(along, slopes, 1, w=weight).convert().coef
        bend = np.array([fitted[0], fitted[1] / 2]) if len(fitted) == 2 else bend
    # The tiles' own places hold the curve too: its offset is theirs.
    aside = (centres[members] - origin) @ side - (bend[0] * along + bend[1] * along**2)
    origin = origin + float(np.average(aside, weights=weight)) * side
    if np.ptp(along) < size:
        return None
    return TickCluster(
        origin, axis, bend, frequency, float(along.min() - size / 2), float(along.max() + size / 2),
        float(np.sort(weight)[-_STRONGEST:].sum()), size,
    )  # fmt: skip
