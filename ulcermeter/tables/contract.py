"""What a table contract is made of."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

__all__ = ["Column", "Table", "count", "number", "text"]


@dataclass(frozen=True)
class Column:
    """One column: its name (unit in it), kind, meaning and, where they are few, the values it may hold.

    Attributes
    ----------
    name : str
    kind : {'text', 'number', 'count'}
    meaning : str
    unit : str
        Empty where there is none.
    values : tuple of str
        Allowed texts besides the empty one; empty tuple = any.
    required : bool
        In an input file the column must be there and no cell empty.
    """

    name: str
    kind: str
    meaning: str
    unit: str = ""
    values: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True)
class Table:
    """A table: what a row is, its columns, and the columns that fix the order of its rows.

    Attributes
    ----------
    name : str
    row : str
    columns : tuple of Column
    order : tuple of str
    by_visit : tuple of Column
        What visits of the protocol add to the file behind its columns, with ``VISIT`` in their names.
    """

    name: str
    row: str
    columns: tuple[Column, ...]
    order: tuple[str, ...] = ()
    by_visit: tuple[Column, ...] = ()

    def __getitem__(self, name: str) -> Column:
        """Return the column of that name."""
        return next(column for column in self.columns if column.name == name)

    def find(self, name: str) -> Column | None:
        """Return what a column of the file means, that of a visit included; None where there is none of that name."""
        known = next((column for column in self.columns if column.name == name), None)
        if known is not None:
            return known
        fits = (column for column in self.by_visit if re.fullmatch(column.name.replace("VISIT", r"\w+"), name))
        return next((replace(column, name=name) for column in fits), None)


def text(name: str, meaning: str, values: tuple[str, ...] = (), *, required: bool = False) -> Column:
    """Return a column of text, of the values named where they are few.

    Parameters
    ----------
    name : str
        The column's name, with its unit where it has one.
    meaning : str
        What the column means.
    values : tuple[str, ...], optional
        Values it may hold.
    required : bool, optional
        In an input file it must be there and filled.

    Returns
    -------
    Column
    """
    return Column(name, "text", meaning, values=values, required=required)


def number(name: str, meaning: str, unit: str = "") -> Column:
    """Return a column of numbers in a unit.

    Parameters
    ----------
    name : str
        The column's name, with its unit where it has one.
    meaning : str
        What the column means.
    unit : str, optional
        Its unit.

    Returns
    -------
    Column
    """
    return Column(name, "number", meaning, unit=unit)


def count(name: str, meaning: str, unit: str = "") -> Column:
    """Return a column of whole numbers.

    Parameters
    ----------
    name : str
        The column's name, with its unit where it has one.
    meaning : str
        What the column means.
    unit : str, optional
        Its unit.

    Returns
    -------
    Column
    """
    return Column(name, "count", meaning, unit=unit)
