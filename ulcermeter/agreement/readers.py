"""Which pairs of outlines were read by somebody, and which were only accepted as they were shown."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from ulcermeter.datatypes.arrays import Points
from ulcermeter.tables.cells import Record

__all__ = ["ACCEPTED", "MACHINE", "READ", "comparison_of", "is_read"]

READ, ACCEPTED, MACHINE = "read", "accepted", "machine"
_MACHINE = ("", "machine")
# Outlines are written with 4 decimals of a pixel, and a tracing that is handed back is drawn anew to some hundredths.
# Nobody traces an ulcer twice to a twentieth of a pixel all round.
_SAME_PX = 0.05
# Tables are written with 4 decimals.
_SAME = 1.5e-4
_SIZES = ("diameter_mm", "area_mm2", "perimeter_mm")


def is_read(row: Mapping[str, object]) -> bool:
    """Say whether an outline was read by somebody: its ``reader`` names who; the machine is none.

    Parameters
    ----------
    row : mapping of str to object
        A row of measurements, with ``reader``.

    Returns
    -------
    bool
    """
    return str(row.get("reader", "") or "").strip().casefold() not in _MACHINE


def comparison_of(a: Record, b: Record, drawn_a: Points | None, drawn_b: Points | None) -> str:
    """Return what a pair of one ulcer's outlines compares.

    Parameters
    ----------
    a, b : mapping
        Rows of measurements, with ``reader``.
    drawn_a, drawn_b : float (K, 2) or None
        Their outlines in photo pixels; without them sizes tell whether they are the same.

    Returns
    -------
    {'read', 'accepted', 'machine'}
        ``machine``: nobody read either, so they say nothing of reading; ``accepted``: somebody let stand what was
        shown, so that the two are one outline and measure no error; ``read``: one was drawn without the other.
    """
    if not (is_read(a) or is_read(b)):
        return MACHINE
    same = _same_sizes(a, b) if drawn_a is None or drawn_b is None else _same_outline(drawn_a, drawn_b)
    return ACCEPTED if same else READ


def _same_sizes(a: Record, b: Record) -> bool:
    known = [name for name in _SIZES if math.isfinite(a[name]) and math.isfinite(b[name])]
    return bool(known) and all(abs(a[name] - b[name]) <= _SAME for name in known)


def _same_outline(a: Points, b: Points) -> bool:
    """Say whether every vertex of each lies on the other, whatever vertex they begin at and which way they run."""
    return _farthest_px(a, b) <= _SAME_PX and _farthest_px(b, a) <= _SAME_PX


def _farthest_px(points: Points, outline: Points) -> float:
    """Return how far the farthest of points (K, 2) lies from the sides of a closed outline (N, 2), px."""
    start, along = outline[None], np.roll(outline, -1, axis=0)[None] - outline[None]
    length = np.maximum((along**2).sum(axis=2), 1e-12)
    share = np.clip((((points[:, None] - start) * along).sum(axis=2)) / length, 0, 1)
    apart = points[:, None] - (start + share[..., None] * along)
    return float(np.sqrt((apart**2).sum(axis=2)).min(axis=1).max())
