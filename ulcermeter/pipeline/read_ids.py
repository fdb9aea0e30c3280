"""Identities that readers gave on the page: settled for tracking, as corrections are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ulcermeter.pipeline.readings import Applied
from ulcermeter.tables.cells import MACHINE, Record

__all__ = ["as_issued", "with_read_ids"]

_PLACE = ("photo", "hand", "finger")
# An outline of the same ulcer has its middle within half its diameter, as where ids are known again (assumption).
_SAME_DIAMETERS = 0.5


def with_read_ids(known: Sequence[Record], applied: Applied) -> list[Record]:
    """Return the issued ids with those that readings give in the place of the machine's.

    Parameters
    ----------
    known : sequence of dict
        Rows of ``ids``.
    applied : Applied

    Returns
    -------
    list of dict
        Rows of ``ids``. Without an identity in any reading the rows as they are.
    """
    given = [row for row in applied.rows if row["ulcer_id"] and row["counts"] == "yes"]
    px_per_mm = {tuple(r.photo[n] for n in _PLACE): r.photo.get("px_per_mm", math.nan) for r in applied.done}
    new = [_ids_row(row, float(px_per_mm[tuple(row[n] for n in _PLACE)])) for row in given]
    return [row for row in known if not any(_same(row, other) for other in new)] + new


def as_issued(ids: Sequence[Record], applied: Applied) -> list[Record]:
    """Return ids as they are kept for later runs: what a reading gives is taken from the reading each time.

    Parameters
    ----------
    ids : sequence of dict
        Rows of ``ids`` after tracking.
    applied : Applied

    Returns
    -------
    list of dict
    """
    given = [row for row in applied.rows if row["ulcer_id"] and row["counts"] == "yes"]
    by_reading = {(*(row[n] for n in _PLACE), row["reader"], row["ulcer_id"]) for row in given}
    machine = {"given_by": MACHINE, "given_on": "", "why": ""}
    return [
        {**row, **machine} if (*(row[n] for n in _PLACE), row["given_by"], row["ulcer_id"]) in by_reading else row
        for row in ids
    ]


def _ids_row(row: Mapping[str, object], px_per_mm: float) -> Record:
    names = ("subject_id", "visit", "date", *_PLACE, "sha256", "label", "centroid_x_px", "centroid_y_px", "ulcer_id")
    size = float(str(row["diameter_mm"])) * px_per_mm
    return {
        **{name: row[name] for name in names},
        **{
            "diameter_px": size,
            "identity_probability": 1.0,
            "given_by": row["reader"],
            "given_on": "",
            "why": row["why"],
        },
    }


def _same(row: Record, other: Record) -> bool:
    if any(row[name] != other[name] for name in _PLACE):
        return False
    apart = math.dist(*([float(one[f"centroid_{axis}_px"]) for axis in "xy"] for one in (row, other)))
    return apart <= _SAME_DIAMETERS * float(other["diameter_px"])
