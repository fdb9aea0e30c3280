"""What the instrument has to reach on phantoms, and whether it does."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["WITHIN_MM", "Target", "judge"]

# The error that 95 % of phantoms of the working range should stay within, by mode.
WITHIN_MM = {"geometry": 0.10, "instrument": 0.25}

# Fewer phantoms than this in a cell say nothing about its coverage.
_ENOUGH_IN_A_CELL = 30


@dataclass(frozen=True)
class Target:
    """One requirement: what it is of, its limit, what was reached and how many phantoms say so.

    Attributes
    ----------
    of : str
        Which phantoms, in which mode.
    text : str
    limit, value, low, high : float
        In the unit that the text names; low and high are the value's 95 % interval.
    met : {'yes', 'no', 'unknown'}
        By the value itself; its interval says how sure that is.
    n : int
    """

    of: str
    text: str
    limit: float
    value: float
    low: float
    high: float
    met: str
    n: int


def judge(summary: pd.DataFrame) -> list[Target]:
    """Return every requirement with what a run's ``validation/summary`` says of it.

    Parameters
    ----------
    summary : DataFrame
        Table ``validation/summary``.

    Returns
    -------
    list of Target
        The instrument's first, then those of the true outline by reference.
    """
    whole, outline = "whole instrument, working range", "true outline, working range"
    instrument = _row(summary, "working range", "all", "", "instrument")
    geometry = _row(summary, "working range", "all", "", "geometry")
    targets = [
        _target(instrument, whole, "bias_mm", "bias, mm: at most ± {:g}", 0.05, size=True),
        _target(instrument, whole, "abs_error_95_mm", "95 % of errors within ± {:g} mm", WITHIN_MM["instrument"]),
        _target(instrument, whole, "coverage", "intervals that hold the truth: at least {:g}", 0.93, at_least=True),
        _least_covered(summary, whole),
        _target(instrument, whole, "width_ratio", "interval over empirical width: at most {:g}", 1.5),
        _target(instrument, whole, "wrong_side", "wrong side, ≥ 0.3 mm from the threshold: at most {:g}", 0.005),
        _target(instrument, whole, "uncertain", "uncertain, ≥ 0.3 mm from the threshold: at most {:g}", 0.15),
        _target(geometry, outline, "bias_mm", "bias, mm: at most ± {:g}", 0.02, size=True),
        _target(geometry, outline, "abs_error_95_mm", "95 % of errors within ± {:g} mm", WITHIN_MM["geometry"]),
        _target(geometry, outline, "coverage", "intervals that hold the truth: at least {:g}", 0.93, at_least=True),
    ]
    for kind, within in (("card", 0.10), ("id1", 0.10), ("aruco", 0.10), ("disc", 0.20), ("ruler", 0.20)):
        row = _row(summary, "sweep", "reference", kind, "geometry")
        if row:
            of = f"true outline, {kind}"
            targets.append(_target(row, of, "abs_error_95_mm", "95 % of errors within ± {:g} mm", within))
    return targets


def _row(summary: pd.DataFrame, sample: str, factor: str, level: str, mode: str) -> dict[str, float]:
    cell = {"sample": sample, "factor": factor, "level": level, "mode": mode}
    found = summary[(summary[list(cell)] == list(cell.values())).all(axis=1)]
    return {str(k): v for k, v in found.iloc[0].items()} if len(found) else {}


def _target(
    row: dict[str, float],
    of: str,
    name: str,
    text: str,
    limit: float,
    *,
    at_least: bool = False,
    size: bool = False,
) -> Target:
    value, low, high = (float(row.get(key, math.nan)) for key in (name, f"{name}_low", f"{name}_high"))
    reached = abs(value) if size else value
    if not math.isfinite(value):
        met = "unknown"
    else:
        met = "yes" if (reached >= limit if at_least else reached <= limit) else "no"
    n = int(row.get("n_clear" if name in ("wrong_side", "uncertain") else "n_measured", 0))
    return Target(of, text.format(limit), limit, value, low, high, met, n)


def _least_covered(summary: pd.DataFrame, of: str) -> Target:
    """Judge the worst cell of the working range that has enough phantoms."""
    cells = summary[(summary["sample"] == "working range") & (summary["mode"] == "instrument")]
    cells = cells[(cells["factor"] != "all") & (cells["n_measured"] >= _ENOUGH_IN_A_CELL)]
    text = "intervals that hold the truth, in the worst cell: at least {:g}"
    if not len(cells):
        return _target({}, of, "coverage", text, 0.88, at_least=True)
    worst = min(cells.to_dict("records"), key=lambda row: float(row["coverage"]))
    text = text.replace("the worst cell", f"the worst cell ({worst['factor']} {worst['level']})")
    return _target({str(k): v for k, v in worst.items()}, of, "coverage", text, 0.88, at_least=True)
