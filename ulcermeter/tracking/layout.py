"""How near new ulcers of a finger open to those that it has or had."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import chndtr

from ulcermeter.datatypes import Floats

__all__ = ["EVEN", "Layout", "opens_there", "ring_areas", "ring_shares"]

# Rings about an ulcer, mm: a millimetre wide where one ulcer could touch another, wider beyond [assumption].
_EDGES_MM = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 13.0, 18.0, 30.0)
# Half the breadth of the skin that one view shows, mm: rings are cut by it [assumption: as ``finger_radius_mm``].
_HALF_WIDTH_MM = 8.0
# Distances and their errors are told apart by so much, mm, against errors of half a millimetre and more.
_STEP_MM = 0.1


@dataclass(frozen=True)
class Layout:
    """How often a new ulcer opens at a distance of another, against one anywhere, evenly: a share for each ring."""

    shares: tuple[float, ...]


# Anywhere alike.
EVEN = Layout((1.0,) * (len(_EDGES_MM) - 1))


def opens_there(layout: Layout, apart_mm: float, sd_mm: float, reach_mm: float, inside_share: float) -> float:
    """Return how much more often than anywhere a new ulcer opens at a distance of an old one.

    Parameters
    ----------
    layout : Layout
    apart_mm, sd_mm : float
        The distance as measured, and its error an axis.
    reach_mm : float
        Nearer than that the two share skin.
    inside_share : float
        How often outlines that share skin are of two ulcers.

    Returns
    -------
    float
    """
    apart, sd, reach = (round(value / _STEP_MM) for value in (apart_mm, sd_mm, reach_mm))
    return _opens_there(layout, apart, max(sd, 1), reach, inside_share)


@lru_cache(maxsize=100_000)
def _opens_there(layout: Layout, apart: int, sd: int, reach: int, inside_share: float) -> float:
    edges = np.array(_EDGES_MM)
    touching = np.clip((reach * _STEP_MM - edges[:-1]) / np.diff(edges), 0.0, 1.0)
    shares = np.array(layout.shares) * (1 - (1 - inside_share) * touching)
    return float(ring_shares(apart * _STEP_MM, sd * _STEP_MM) @ shares)


def ring_shares(apart_mm: float, sd_mm: float) -> Floats:
    """Return how probable each ring is of a distance that is known give or take a normal error.

    Parameters
    ----------
    apart_mm, sd_mm : float
        The distance as measured, and its error an axis.

    Returns
    -------
    (rings) array
        Summing to 1; what is beyond the last ring counts for it.
    """
    sd = max(sd_mm, _STEP_MM)
    below = chndtr((np.array(_EDGES_MM) / sd) ** 2, 2, (apart_mm / sd) ** 2)
    below[-1] = 1.0
    shares: Floats = np.diff(below)
    return shares


@lru_cache(maxsize=1)
def ring_areas() -> Floats:
    """Return how much skin each ring about a place in the middle of a finger covers, mm².

    Returns
    -------
    (rings) array
    """
    r = np.array(_EDGES_MM)
    h = np.minimum(r, _HALF_WIDTH_MM)
    discs = 2 * (h * np.sqrt(r**2 - h**2) + r**2 * np.arcsin(h / np.maximum(r, _STEP_MM)))
    areas: Floats = np.diff(discs)
    return areas
