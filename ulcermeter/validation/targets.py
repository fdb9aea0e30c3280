"""What the instrument has to reach on phantoms, and whether it does."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LEAST_COVERED", "REQUIREMENTS", "WITHIN_MM", "Direction", "Requirement", "Target", "judge"]

# The error that 95 % of phantoms of the working range should stay within, mm, by mode: an eighth of the threshold, so
# that an ulcer is clear of it within .3 mm, and of the true outline a part that hardly adds to that (assumption).
WITHIN_MM = {"geometry": 0.10, "instrument": 0.25}

# The least share of intervals that must hold the truth in any cell, see `REQUIREMENTS`.
LEAST_COVERED = 0.88

# Fewer phantoms than this in a cell say nothing about its coverage.
_ENOUGH_IN_A_CELL = 30


class Direction(Enum):
    """On which side of its limit a value meets it."""

    AT_MOST = "at most"
    AT_LEAST = "at least"
    SIZE_AT_MOST = "at most, whatever its sign"


@dataclass(frozen=True)
class Requirement:
    """One number of ``validation/summary`` with the limit it has to keep, set before it was measured.

    Attributes
    ----------
    mode : {'instrument', 'geometry'}
        The whole instrument, or what remains when the true outline is given.
    column : str
        Of the summary.
    limit : float
        In the unit that `text` names.
    direction : Direction
    text : str
        For a person; ``{limit}`` and, of the worst cell, ``{cell}`` are filled in.
    reason : str
        Why that size; all are ours (assumption).
    reference : str
        The kind whose sweep is judged; empty for the working range.
    worst_cell : bool
        Of the working range the cell in which the value is least, instead of all of it.
    """

    mode: str
    column: str
    limit: float
    direction: Direction
    text: str
    reason: str
    reference: str = ""
    worst_cell: bool = False

    @property
    def of(self) -> str:
        """Which phantoms, in which mode, for a person."""
        whose = "whole instrument" if self.mode == "instrument" else "true outline"
        return f"{whose}, {self.reference or 'working range'}"


_BIAS, _WITHIN = "bias, mm: at most ± {limit:g}", "95 % of errors within ± {limit:g} mm"
_COVERAGE = "intervals that hold the truth: at least {limit:g}"
_SPREAD = "see WITHIN_MM"

REQUIREMENTS = (
    Requirement(
        "instrument", "bias_mm", 0.05, Direction.SIZE_AT_MOST, _BIAS,
        "a fortieth of the threshold: ulcers just over it are called as rightly as those just under it",
    ),
    Requirement("instrument", "abs_error_95_mm", WITHIN_MM["instrument"], Direction.AT_MOST, _WITHIN, _SPREAD),
    Requirement(
        "instrument", "coverage", 0.93, Direction.AT_LEAST, _COVERAGE,
        ".95 is meant; of some 240 phantoms a share of .95 comes out within .014 of itself two times in three",
    ),
    Requirement(
        "instrument", "coverage", LEAST_COVERED, Direction.AT_LEAST,
        "intervals that hold the truth, in the worst cell{cell}: at least {limit:g}",
        "as above, of 30 phantoms within .04, and the worst of many cells lies farther out", worst_cell=True,
    ),
    Requirement(
        "instrument", "width_ratio", 1.5, Direction.AT_MOST, "interval over empirical width: at most {limit:g}",
        "a wider interval holds the truth by saying little",
    ),
    Requirement(
        "instrument", "wrong_side", 0.005, Direction.AT_MOST,
        "wrong side, ≥ 0.3 mm from the threshold: at most {limit:g}",
        "one in 200: a wrong answer is worse than none",
    ),
    Requirement(
        "instrument", "uncertain", 0.15, Direction.AT_MOST,
        "uncertain, ≥ 0.3 mm from the threshold: at most {limit:g}",
        "an instrument that seldom answers is of no use",
    ),
    Requirement(
        "geometry", "bias_mm", 0.02, Direction.SIZE_AT_MOST, _BIAS,
        "a hundredth of the threshold: lost beside the outline's",
    ),
    Requirement("geometry", "abs_error_95_mm", WITHIN_MM["geometry"], Direction.AT_MOST, _WITHIN, _SPREAD),
    Requirement("geometry", "coverage", 0.93, Direction.AT_LEAST, _COVERAGE, "as of the whole instrument"),
    *(
        Requirement("geometry", "abs_error_95_mm", limit, Direction.AT_MOST, _WITHIN, reason, reference=kind)
        for kind, limit, reason in (
            ("card", WITHIN_MM["geometry"], _SPREAD),
            ("id1", WITHIN_MM["geometry"], _SPREAD),
            ("aruco", WITHIN_MM["geometry"], _SPREAD),
            ("disc", 0.20, "twice that: a disc's tilt and its mirror image look alike"),
            ("ruler", 0.20, "twice that: its marks lie on one line, across which little is known"),
        )
    ),
)  # fmt: skip
"""What is asked of the instrument, in the order it is reported."""


@dataclass(frozen=True)
class Target:
    """One requirement as a run meets it: what it is of, its limit, what was reached and how many phantoms say so.

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
        The instrument's first, then those of the true outline; of a reference only where the run swept it.
    """
    cells = ((requirement, _cell(summary, requirement)) for requirement in REQUIREMENTS)
    return [_target(requirement, cell) for requirement, cell in cells if cell or not requirement.reference]


def _cell(summary: pd.DataFrame, requirement: Requirement) -> dict[str, float]:
    """Return the row of the summary that a requirement judges; empty where there is none."""
    of_mode = summary[summary["mode"] == requirement.mode]
    if requirement.reference:
        swept = of_mode[(of_mode["sample"] == "sweep") & (of_mode["factor"] == "reference")]
        return _first(swept[swept["level"] == requirement.reference])
    working = of_mode[of_mode["sample"] == "working range"]
    if not requirement.worst_cell:
        return _first(working[(working["factor"] == "all") & (working["level"] == "")])
    cells = working[(working["factor"] != "all") & (working["n_measured"] >= _ENOUGH_IN_A_CELL)]
    return _first(cells.sort_values(requirement.column, kind="stable"))


def _first(rows: pd.DataFrame) -> dict[str, float]:
    return {str(k): v for k, v in rows.iloc[0].items()} if len(rows) else {}


def _target(requirement: Requirement, cell: dict[str, float]) -> Target:
    name, limit = requirement.column, requirement.limit
    value, low, high = (float(cell.get(key, math.nan)) for key in (name, f"{name}_low", f"{name}_high"))
    which = f" ({cell['factor']} {cell['level']})" if requirement.worst_cell and cell else ""
    n = int(cell.get("n_clear" if name in ("wrong_side", "uncertain") else "n_measured", 0))
    text = requirement.text.format(limit=limit, cell=which)
    return Target(requirement.of, text, limit, value, low, high, _met(value, limit, requirement.direction), n)


def _met(value: float, limit: float, direction: Direction) -> str:
    if not math.isfinite(value):
        return "unknown"
    if direction is Direction.AT_LEAST:
        return "yes" if value >= limit else "no"
    return "yes" if (abs(value) if direction is Direction.SIZE_AT_MOST else value) <= limit else "no"
