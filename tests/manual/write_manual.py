"""Write what the manual's pages have from the code: ``python tests/manual/write_manual.py``."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from click.testing import CliRunner

import ulcermeter as um
from ulcermeter.cli import COMMANDS, main
from ulcermeter.protocol import Parameter, read_protocol
from ulcermeter.protocol.conditions import KINDS
from ulcermeter.protocol.faults import expected_of
from ulcermeter.protocol.model import GROUPS
from ulcermeter.protocol.rules import GROUP_OF
from ulcermeter.tables import TABLES, Column, Table

PAGES = Path(__file__).parents[2] / "ulcermeter" / "manual"
MARKED = re.compile(r"(<!-- generated (\w+) -->\n).*?(<!-- end -->)", flags=re.DOTALL)
# In memory only.
NOT_WRITTEN = ("tracked",)


def cell(text: str) -> str:
    """Return a text for a cell of a Markdown table."""
    return text.replace("|", "\\|").replace("\n", " ")


def table_of(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [head, ("---",) * len(head), *(tuple(map(cell, row)) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def column_row(column: Column) -> tuple[str, ...]:
    """Return name, unit and meaning of a column; a name in bold must be filled."""
    name = f"**{column.name}**" if column.required else column.name
    values = f" ({', '.join(column.values)})" if column.values else ""
    return name, column.unit, column.meaning + values


def file_section(table: Table) -> str:
    """Return what a file's columns mean."""
    known = (*table.columns, *table.by_visit)
    columns = table_of(("column", "unit", "meaning"), [column_row(column) for column in known])
    return f"### {table.name.rpartition('/')[2]}.csv\n\nA row is {table.row}.\n\n{columns}"


def tables_of(folder: str) -> str:
    """Return the sections of a folder's files."""
    named = [table for name, table in TABLES.items() if name.rpartition("/")[0] == folder and name not in NOT_WRITTEN]
    return "\n\n".join(map(file_section, named))


def command_section(name: str) -> str:
    """Return a command's help."""
    words = {"prog_name": "ulcermeter", "terminal_width": 100, "catch_exceptions": False}
    done = CliRunner().invoke(main, [name, "--help"], **words)
    note = done.output.rpartition("\n\n")[0]  # the note on what this is for stands above all commands
    return f"## ulcermeter {name}\n\n{COMMANDS[name]}\n\n```\n{note.strip()}\n```"


def rule_row(rule: Parameter) -> tuple[str, ...]:
    """Return name, value, unit, range and origin of a rule."""
    group, attribute = GROUP_OF[rule.name]
    allowed = expected_of(rule.name, GROUPS[group].model_fields[attribute]).replace("a finite number", "a number")
    origin = rule.source or "assumption: " + rule.reason
    return f"`{rule.name}`", shown(rule.value), rule.unit, allowed, origin


def shown(value: Any) -> str:
    """Return a rule's value as a person writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {shown(inner)}" for key, inner in value.items())
    if isinstance(value, tuple | list):
        return ", ".join(map(shown, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def rules() -> str:
    """Return the shipped rules in their groups."""
    by_name = {rule.name: rule for rule in read_protocol("manus").parameters}
    sections = []
    for group, kind in GROUPS.items():
        rows = [rule_row(by_name[name]) for name, (owner, _) in GROUP_OF.items() if owner == group]
        head = ("rule", "value", "unit", "takes", "source, or reason of an assumption")
        sections.append(f"### {group}\n\n{(kind.__doc__ or '').strip()}\n\n{table_of(head, rows)}")
    return "\n\n".join(sections)


def visits() -> str:
    """Return the shipped visits."""
    rows = [
        (v.name, "" if v.day is None else str(v.day), "" if v.window_days is None else f"± {v.window_days}", v.phase)
        for v in read_protocol("manus").visits
    ]
    return table_of(("visit", "day after treatment", "window, days", "phase"), rows)


def criteria() -> str:
    """Return the shipped criteria."""
    rows = [
        (f"`{c.id}`", c.kind, c.text, "yes" if c.enforce else "no", c.source or c.reason)
        for c in read_protocol("manus").criteria
    ]
    return table_of(("criterion", "kind", "text", "enforced", "source or reason"), rows)


def public() -> str:
    """Return the public names, each with the first line of its docstring."""
    names = [name for name in um.__all__ if not name.startswith("_")]
    lines = {name: (inspect.getdoc(getattr(um, name)) or "").splitlines()[0] for name in names}
    return table_of(("name", "what it does"), [(f"`um.{name}`", line) for name, line in lines.items()])


def kinds() -> str:
    """Return the kinds of rules that a protocol's own criteria can have."""
    return table_of(("kind", "met where"), [(f"`{kind}`", words) for kind, words in KINDS.items()])


BLOCKS = {
    "study": lambda: tables_of("study"),
    "results": lambda: tables_of(""),
    "agreement": lambda: tables_of("agreement"),
    "validation": lambda: tables_of("validation"),
    "commands": lambda: "\n\n".join(map(command_section, COMMANDS)),
    "rules": rules,
    "visits": visits,
    "criteria": criteria,
    "kinds": kinds,
    "public": public,
}


def written(page: str) -> str:
    """Return a page with its marked parts as the code has them now."""
    return MARKED.sub(lambda found: f"{found[1]}\n{BLOCKS[found[2]]()}\n\n{found[3]}", page)


if __name__ == "__main__":
    for path in sorted(PAGES.glob("*.md")):
        path.write_text(written(path.read_text(encoding="utf-8")), encoding="utf-8")
