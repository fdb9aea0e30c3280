"""Where two readers of one photo differ in what matters: presence, the answer at the threshold, or the diameter."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from ulcermeter.agreement.overlap import common_area
from ulcermeter.errors import UlcermeterError
from ulcermeter.pipeline.readings import measure_outline
from ulcermeter.readings import PlaceKey, PlaceReading, PlaceVerdict, UlcerVerdict
from ulcermeter.review.items import Item
from ulcermeter.statistics import Z_95_AS_PRINTED
from ulcermeter.tables.cells import Record, grouped

if TYPE_CHECKING:
    from ulcermeter.protocol import Protocol
    from ulcermeter.store import KeptResults

__all__ = ["differ", "disagreements"]

_GONE = (UlcerVerdict.NO_ULCER, UlcerVerdict.MERGED)


def disagreements(
    readings: Sequence[PlaceReading], items: Mapping[PlaceKey, Item], protocol: Protocol, kept: KeptResults
) -> list[PlaceKey]:
    """Return the places that two readers read and differ in, and that nobody has adjudicated.

    Parameters
    ----------
    readings : sequence of PlaceReading
    items : mapping of PlaceKey to Item
    protocol : Protocol
        Its ``reader_boundary_sd_mm`` says how far two diameters may differ.
    kept : KeptResults

    Returns
    -------
    list of PlaceKey
        In the study's order.
    """
    current = [
        one
        for one in readings
        if (item := items.get(one.place)) is not None and item.sha256 == one.photo_sha256 and one.occasion == 1
    ]
    by_place = grouped(current, key=lambda one: one.place)
    found = []
    for place, own in by_place.items():
        plain = [one for one in own if not one.adjudicated]
        if len(plain) < 2 or len(plain) < len(own):
            continue
        sizes = [_sizes(one, items[place], protocol, kept) for one in plain]
        pairs = combinations(zip(plain, sizes, strict=True), 2)
        if any(differ(a, b, rows_a, rows_b, protocol=protocol) for (a, rows_a), (b, rows_b) in pairs):
            found.append(place)
    return sorted(found, key=lambda place: items[place].position)


def differ(
    a: PlaceReading,
    b: PlaceReading,
    rows_a: Sequence[Record],
    rows_b: Sequence[Record],
    *,
    protocol: Protocol,
) -> bool:
    """Say whether two readings of a photo differ in what matters.

    Parameters
    ----------
    a, b : PlaceReading
    rows_a, rows_b : sequence of mapping
        Their ulcers' measurements, each with ``outline_px``.
    protocol : Protocol

    Returns
    -------
    bool
        They see another number of ulcers, or others; give another answer at the threshold; or diameters that differ by
        more than 1.96 √2 times a reader's error at both ends, 2 ``reader_boundary_sd_mm``.
    """
    unsure = (PlaceVerdict.COVERED, PlaceVerdict.CANNOT_JUDGE)
    if len(rows_a) != len(rows_b) or (a.verdict != b.verdict and (a.verdict in unsure or b.verdict in unsure)):
        return True
    most = Z_95_AS_PRINTED * math.sqrt(2) * 2 * protocol.measurement.reader_boundary_sd_mm
    left = list(rows_b)
    for row in rows_a:
        shared = [common_area(row["outline_px"], other["outline_px"]) for other in left]
        if not shared or max(shared) <= 0:
            return True
        other = left.pop(shared.index(max(shared)))
        apart = abs(row["diameter_mm"] - other["diameter_mm"])
        if row["over_threshold"] != other["over_threshold"] or apart > most:
            return True
    return False


def _sizes(one: PlaceReading, item: Item, protocol: Protocol, kept: KeptResults) -> list[Record]:
    if one.verdict is not PlaceVerdict.NONE:
        return []
    geometry = next((found for key in item.keys if (found := kept.geometry(key)) is not None), None)
    rows = []
    for ulcer in one.ulcers:
        if ulcer.verdict in _GONE or ulcer.outline_px is None or geometry is None:
            continue
        try:
            row = measure_outline(geometry, ulcer.outline_px, sha256=item.sha256, protocol=protocol)
        except UlcermeterError:
            continue
        rows.append({**row, "outline_px": ulcer.outline_px})
    return rows
