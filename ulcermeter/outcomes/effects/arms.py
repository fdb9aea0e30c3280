"""What the effects have in common: arms and the one that others are compared with, enough subjects, quantiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ulcermeter.datatypes import Caution
from ulcermeter.errors import Problem, TableError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FEW_SUBJECTS", "arms_of", "few", "need", "timed"]

FEW_SUBJECTS = 10
"""Subjects in an arm below which an interval is marked (assumption: coverage in simulations with 10 against 10)."""


def arms_of(table: pd.DataFrame, reference_arm: str) -> tuple[str, list[str]]:
    """Return the reference arm (the last by name where none is given) and the others, by name.

    Parameters
    ----------
    table : DataFrame
        Rows of the analysed ulcers or subjects.
    reference_arm : str
        The arm that others are compared with; empty takes the last by name.

    Returns
    -------
    tuple[str, list[str]]

    Raises
    ------
    TableError
        The reference arm named is none of the table's.
    """
    names = sorted(set(table["arm"]))
    if reference_arm and reference_arm not in names:
        raise TableError(
            Problem(f"'{reference_arm}'", f"one of {', '.join(names)}", "name one of them", "reference arm")
        )
    reference = reference_arm or (names[-1] if names else "")
    return reference, [name for name in names if name != reference]


def few(n_subjects: int) -> tuple[Caution, ...]:
    """Return the caution that an interval of so few subjects needs.

    Parameters
    ----------
    n_subjects : int
        Subjects of the smaller arm.

    Returns
    -------
    tuple[Caution, ...]
    """
    return (Caution.FEW_SUBJECTS,) if n_subjects < FEW_SUBJECTS else ()


def timed(ulcers: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Caution, ...]]:
    """Return the ulcers whose healing interval tells anything, from day 0 on, and the caution where some do not.

    One never seen after day 0 would be in (0, infinity]: it adds nothing to a likelihood and may not be counted.

    Parameters
    ----------
    ulcers : DataFrame
        Rows of the ulcers that are analysed.

    Returns
    -------
    tuple[DataFrame, tuple[Caution, ...]]
    """
    low = ulcers["healing_day_low"].clip(lower=0.0)
    informative = low.notna() & ((low > 0) | ulcers["healing_day_high"].notna())
    left_out = () if bool(informative.all()) else (Caution.UNKNOWN_LEFT_OUT,)
    return ulcers[informative].assign(healing_day_low=low[informative]), left_out


def need(table: pd.DataFrame, *names: str) -> None:
    """Say which columns a table lacks.

    Parameters
    ----------
    table : DataFrame
        Rows of the analysed ulcers or subjects.
    *names : str
        The columns that are needed.

    Raises
    ------
    TableError
        Some are not there.
    """
    absent = [name for name in names if name not in table.columns]
    if absent:
        columns = f"a table with the columns {', '.join(names)}"
        raise TableError(Problem(f"one without {', '.join(absent)}", columns, "add them", "effects"))
