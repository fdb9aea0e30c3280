"""``ulcermeter describe``: what the columns of a table mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ulcermeter.cli.console import clear_errors, command_with, say
from ulcermeter.cli.lookup import unknown_name

if TYPE_CHECKING:
    from ulcermeter.tables import Column, Table

__all__ = ["command"]

_FOLDERS = {"study": "the study folder", "agreement": "agreement's folder", "validation": "the validation's folder"}


@click.command(
    name="describe",
    cls=command_with("ulcermeter describe measurements", "ulcermeter describe measurements diameter_mm"),
)
@click.argument("table", required=False)
@click.argument("column", required=False)
@clear_errors
def command(table: str | None, column: str | None) -> None:
    """Print what the columns of TABLE mean, or only COLUMN; without a table, list the tables.

    A table goes by its file's name, with or without .csv; study/photos is the study's file, photos both it and the
    results' one.

    Exit status: 0 printed, 2 no such table or column.
    """
    from ulcermeter.tables import TABLES

    if table is None:
        say(_definitions("ulcermeter describe TABLE", [(name, f"a row is {t.row}") for name, t in TABLES.items()]))
        return
    tables = _tables_named(table)
    shown = [(one, _columns(one, column)) for one in tables]
    if not any(columns for _, columns in shown):
        known = [each.name for one in tables for each in _columns(one, None)]
        raise unknown_name(f"column of {table}", str(column), known, listed_by=f"ulcermeter describe {table}")
    say("\n\n".join(_described(one, columns) for one, columns in shown if columns))


def _columns(table: Table, name: str | None) -> list[Column]:
    """Return a table's column of a name, or all, those of visits included."""
    asked = [table.find(name)] if name is not None else [*table.columns, *table.by_visit]
    return [column for column in asked if column is not None]


def _tables_named(given: str) -> list[Table]:
    """Return the tables of a name: the one of that key, else those of a file so called."""
    from ulcermeter.tables import TABLES

    name = given.casefold().removesuffix(".csv")
    found = [table for key, table in TABLES.items() if name in (key, key.rpartition("/")[2])]
    if found:
        return found
    holders = [key for key, table in TABLES.items() if name in (column.name for column in table.columns)]
    raise unknown_name("table", given, TABLES, near=holders, listed_by="ulcermeter describe")


def _described(table: Table, columns: list[Column]) -> str:
    folder, _, name = table.name.rpartition("/")
    head = f"{name}.csv of {_FOLDERS.get(folder, 'the results')}, a row is {table.row}"
    return _definitions(head, [(column.name, _meaning(column)) for column in columns])


def _meaning(column: Column) -> str:
    """Return a column's meaning with unit and kind, the values it may hold and whether it must be filled."""
    kind = {"text": "text", "number": "number", "count": "whole number"}[column.kind]
    parts = [f"{column.meaning} [{kind}{', ' + column.unit if column.unit else ''}]"]
    if column.values:
        parts.append(f"One of: {', '.join(column.values)}.")
    if column.required:
        parts.append("Must be filled.")
    return " ".join(parts)


def _definitions(head: str, rows: list[tuple[str, str]]) -> str:
    formatter = click.HelpFormatter(width=110)
    with formatter.section(head):
        formatter.write_dl(rows)
    return formatter.getvalue().rstrip()
