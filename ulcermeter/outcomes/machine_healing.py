"""Healing that only the machine saw: taken for not assessed, it leaves what a reader confirmed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ulcermeter.tables.flags import FlagKind, read_flags

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["without_machine_healing"]


def without_machine_healing(trajectories: pd.DataFrame) -> pd.DataFrame:
    """Take a place that only the machine calls healed for one that was not assessed (*indeterminate*, no size).

    Parameters
    ----------
    trajectories : DataFrame
        Table ``trajectories``.

    Returns
    -------
    DataFrame
    """
    alone = [
        state == "healed" and any(flag.kind is FlagKind.HEALED_BY_MACHINE for flag in read_flags(flags))
        for state, flags in zip(trajectories["state"], trajectories["flags"], strict=True)
    ]
    rows = np.array(alone, dtype=bool)
    changed = trajectories.copy()
    sizes = [c for c in changed.columns if c.startswith(("diameter_", "area_", "margin_"))]
    changed.loc[rows, "state"] = "indeterminate"
    changed.loc[rows, sizes] = math.nan
    changed.loc[rows, ["change_from_baseline", "change_from_previous"]] = "uncertain"
    return changed
