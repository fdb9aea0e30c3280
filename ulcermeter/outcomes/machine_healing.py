"""Healing that only the machine saw: taken for not assessed, it leaves what a reader confirmed."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ulcermeter.tables.cells import Record
from ulcermeter.tables.flags import FlagKind, read_flags

__all__ = ["without_machine_healing"]


def without_machine_healing(trajectories: Iterable[Record]) -> list[Record]:
    """Take a place that only the machine calls healed for one that was not assessed (*indeterminate*, no size).

    Parameters
    ----------
    trajectories : iterable of dict
        Rows of ``trajectories``.

    Returns
    -------
    list of dict
    """
    return [_not_assessed(row) if _by_machine_alone(row) else row for row in trajectories]


def _by_machine_alone(row: Record) -> bool:
    flags = read_flags(row["flags"]) if row["state"] == "healed" else ()
    return any(flag.kind is FlagKind.HEALED_BY_MACHINE for flag in flags)


def _not_assessed(row: Record) -> Record:
    sizes = {name: math.nan for name in row if name.startswith(("diameter_", "area_", "margin_"))}
    changes = dict.fromkeys(("change_from_baseline", "change_from_previous"), "uncertain")
    return row | sizes | changes | {"state": "indeterminate"}
