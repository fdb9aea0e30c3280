"""The curves over the true diameter that the figures show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ulcermeter.statistics import wilson
from ulcermeter.validation.summary import empirical_width

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["calls_by_diameter", "errors_by_diameter"]

# Classes of the true diameter, mm: narrow where the plan has many phantoms, so that each holds a few.
_EDGES_MM = (0.7, 0.9, 1.2, 1.6, 1.95, 2.2, 2.7, 3.5, 4.5, 6.0, 8.0, 11.0)
# Classes of the true diameter for the answers, mm: finest about the threshold of 2 mm.
_CALL_EDGES_MM = (0.9, 1.15, 1.4, 1.6, 1.7, 1.85, 1.95, 2.05, 2.15, 2.3, 2.6, 3.0, 3.6)
# Phantoms of a class for a point of the curve.
_LEAST = 3


def errors_by_diameter(phantoms: pd.DataFrame) -> pd.DataFrame:
    """Return bias and 95 % range of the error in classes of the true diameter, for each mode.

    Taken together are the working range and its sweep over diameters. The range is bias ± half the empirical width.

    Parameters
    ----------
    phantoms : DataFrame
        Table ``validation/phantoms``.

    Returns
    -------
    DataFrame
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for mode, part in _classes(_over_diameters(phantoms), _EDGES_MM):
        errors = part["error_mm"].to_numpy(dtype=np.float64)
        bias, half = float(errors.mean()), float(empirical_width(errors)) / 2
        middle = float(part["diameter_true_mm"].mean())
        ends = {"low_mm": bias - half, "high_mm": bias + half}
        rows.append({"mode": mode, "diameter_mm": middle, "n": len(part), "bias_mm": bias, **ends})
    return pd.DataFrame(rows, columns=["mode", "diameter_mm", "n", "bias_mm", "low_mm", "high_mm"])


def calls_by_diameter(phantoms: pd.DataFrame) -> pd.DataFrame:
    """Return the shares of right, uncertain and wrong calls of the whole instrument in classes of the true diameter.

    Parameters
    ----------
    phantoms : DataFrame
        Table ``validation/phantoms``.

    Returns
    -------
    DataFrame
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    whole = _over_diameters(phantoms[phantoms["mode"] == "instrument"])
    for _, part in _classes(whole, _CALL_EDGES_MM):
        unsure = part["over_threshold"] == "uncertain"
        right = part["over_threshold"] == part["over_threshold_true"]
        for call, chosen in (("right", right), ("uncertain", unsure), ("wrong", ~right & ~unsure)):
            count = int(chosen.sum())
            ends = dict(zip(("share_low", "share_high"), wilson(count / len(part), len(part)), strict=True))
            middle = float(part["diameter_true_mm"].mean())
            rows.append({"call": call, "diameter_mm": middle, "n": len(part), "share": count / len(part), **ends})
    return pd.DataFrame(rows, columns=["call", "diameter_mm", "n", "share", "share_low", "share_high"])


def _over_diameters(phantoms: pd.DataFrame) -> pd.DataFrame:
    chosen = (phantoms["sample"] == "working range") | (phantoms["factor"] == "diameter_mm")
    return phantoms[chosen & (phantoms["found"] == "yes")]


def _classes(phantoms: pd.DataFrame, edges: tuple[float, ...]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield mode and phantoms of each class of the true diameter, [from, to), that has a few of them."""
    for mode, of_mode in phantoms.groupby("mode", sort=True):
        for low, high in zip(edges[:-1], edges[1:], strict=True):
            part = of_mode[(of_mode["diameter_true_mm"] >= low) & (of_mode["diameter_true_mm"] < high)]
            if len(part) >= _LEAST:
                yield str(mode), part
