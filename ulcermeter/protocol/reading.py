"""From protocol files to a protocol: what a file extends, what it changes, and all that is wrong with it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ulcermeter.errors import Problem, ProtocolError
from ulcermeter.files import Json, read_file
from ulcermeter.protocol.conditions import AddedColumn, Rule, column_faults, rule_faults
from ulcermeter.protocol.faults import table_faults
from ulcermeter.protocol.rules import (
    GROUP_OF,
    Criterion,
    Origin,
    Protocol,
    Visit,
    groups_of,
    unit_of,
    unknown_parameter,
)
from ulcermeter.tables import columns
from ulcermeter.tables.cells import by_key

__all__ = ["default_protocol", "protocol_from_record", "read_protocol"]

_Table = TypeVar("_Table", bound=BaseModel)

_NAMES = "manus, rescue, aduse, generic"
# What a protocol file may hold, with the kind of each and how to say it.
_PARTS: dict[str, tuple[type, str]] = {
    "extends": (
        str,
        "a shipped name (manus, rescue, aduse, generic) or the path of a TOML file, beside this one, as text",
    ),
    "name": (str, "a text"),
    "title": (str, "a text"),
    "parameters": (dict, "a table [parameters]"),
    "visits": (list, "tables [[visits]]"),
    "criteria": (list, "tables [[criteria]]"),
    "columns": (list, "tables [[columns]]"),
    "drop": (list, "a list of ids of criteria"),
}
_RULES = ("parameters", "visits", "criteria", "columns")
_SHIPPED = "manus"
BY_ULCER = ("active_ulcer", "refractory_prostacyclin", "calcinosis")
"""Shipped criteria that are asked of each ulcer."""
# More missing parameters than a person leaves out by mistake (assumption): one problem then says what is forgotten.
_MANY = 5
# The shipped protocol, which holds every rule with its source, is a fiftieth of this.
_MOST_MB = 2


@dataclass(frozen=True)
class _File:
    """A protocol file as it was read: how a person calls it, where it stands, what it holds."""

    name: str
    place: Path
    raw: dict[str, Any]


@lru_cache(maxsize=1)
def default_protocol() -> Protocol:
    """Return MANUS, read once: what a stage takes that was called without a protocol.

    Returns
    -------
    Protocol
    """
    return read_protocol(_SHIPPED)


def read_protocol(name_or_path: str | Path = _SHIPPED) -> Protocol:
    """Read a protocol.

    Parameters
    ----------
    name_or_path : str or Path
        A shipped name (``manus``, ``rescue``, ``aduse``, ``generic``) or the path of a TOML file. What a file
        ``extends`` is a shipped name or a path seen from that file; it may extend another one in turn.

    Returns
    -------
    Protocol
        Named as the file says; a file that changes rules and gives no name goes by what it changes, such as
        ``manus, changed in protocol.toml``.

    Raises
    ------
    ProtocolError
        No such protocol, not TOML, or rules broken; all faults at once.
    """
    problems: list[Problem] = []
    files = _lineage(name_or_path, problems)
    name, raw = _merged(files)
    shipped = _load(_SHIPPED, Path()).raw
    faults: list[Problem] = []
    protocol = _build(name, raw, shipped, faults)
    problems += [fault.at(f"Protocol {name_or_path}") for fault in faults]
    if problems or protocol is None:
        raise ProtocolError(problems)
    return protocol


def _lineage(name_or_path: str | Path, problems: list[Problem]) -> list[_File]:
    """Read the file and all that it extends, the first ancestor first."""
    files: list[_File] = []
    wanted, folder = name_or_path, Path()
    while True:
        file = _load(wanted, folder)
        if file.place in [earlier.place for earlier in files]:
            circle = " extends ".join([*(earlier.name for earlier in files), file.name])
            raise ProtocolError(
                Problem(
                    where=f"Protocol {name_or_path}",
                    expected="extends to lead to a protocol that extends none",
                    got=str(circle),
                    action=f'say extends = "{_SHIPPED}" in one of them',
                )
            )
        file = replace(file, raw=_shaped(file, problems))
        files.insert(0, file)
        if "extends" not in file.raw:
            return files
        wanted, folder = file.raw["extends"], file.place.parent


@cache
def _parsed(name: str) -> dict[str, Any]:
    """Return what a shipped protocol's file holds: every study asks for one twice, and parsing takes .04 s."""
    return tomllib.loads((resources.files("ulcermeter") / "protocols" / f"{name}.toml").read_text(encoding="utf-8"))


def _load(name_or_path: str | Path, folder: Path) -> _File:
    """Read a shipped protocol or a file seen from a folder."""
    shipped = resources.files("ulcermeter") / "protocols" / f"{name_or_path}.toml"
    path = folder / name_or_path
    try:
        if path.suffix != ".toml" and shipped.is_file():
            return _File(str(name_or_path), Path(str(shipped)), deepcopy(_parsed(str(name_or_path))))
        return _File(str(path), path.resolve(), tomllib.loads(read_file(path, most_mb=_MOST_MB).decode("utf-8-sig")))
    except OSError as error:
        got = "neither" if isinstance(error, FileNotFoundError) else error.strerror
        raise ProtocolError(
            Problem(
                where=f"Protocol {path}",
                expected=f"a shipped name ({_NAMES}) or a TOML file",
                got=str(got),
                action="check the path",
            )
        ) from error
    except (ValueError, RecursionError) as error:
        raise ProtocolError(
            Problem(where=f"Protocol {path}", expected="TOML", got=f"a file that breaks its rules: {error}")
        ) from error


def _shaped(file: _File, problems: list[Problem]) -> dict[str, Any]:
    """Return what a file holds without what is of no use, which is a problem; the rest is still checked."""
    raw, faults = dict(file.raw), list[Problem]()
    others = sorted(set(raw) - set(_PARTS))
    faults += [
        Problem(where=f"key {key}", expected=f"one of {', '.join(_PARTS)}", got=key, action="rename it")
        for key in others
    ]
    for part, (kind, expected) in _PARTS.items():
        if part in raw and not isinstance(raw[part], kind):
            faults.append(Problem(where=part, expected=expected, got=repr(raw[part])))
            raw = {**raw, part: _SHIPPED} if part == "extends" else {k: v for k, v in raw.items() if k != part}
    for part, key in (("visits", "name"), ("criteria", "id"), ("columns", "name")):
        if raw.get(part):
            raw[part] = _shaped_tables(raw[part], part, key, faults)
            if not raw[part]:  # its problem is known; what it extends stands in, so that the rest can be checked
                del raw[part]
    problems += [fault.at(f"Protocol {file.name}") for fault in faults]
    return raw


def _shaped_tables(tables: list[Any], part: str, key: str, faults: list[Problem]) -> list[dict[str, Any]]:
    """Keep the tables that have a name, each name once."""
    kept: dict[str, dict[str, Any]] = {}
    for table in tables:
        name = table.get(key) if isinstance(table, dict) else None
        if not isinstance(name, str):
            expected = f"tables [[{part}]], each with {key} as text"
            faults.append(Problem(where=part, expected=expected, got=repr(table)))
        elif name in kept:
            faults.append(Problem("stands twice", where=f"{part} {name}", action="leave one away"))
        else:
            kept[name] = table
    return list(kept.values())


def _merged(files: Sequence[_File]) -> tuple[str, dict[str, Any]]:
    """Lay each file over what it extends; return the name of the whole, and its rules under the name last written."""
    raw = files[0].raw
    name = raw.get("name") or files[0].place.name
    for file in files[1:]:
        before, raw = raw, _merge(raw, file.raw)
        unchanged = all(before.get(part) == raw.get(part) for part in _RULES)
        name = file.raw.get("name") or (name if unchanged else f"{name}, changed in {file.place.name}")
    return name, raw


def _merge(parent: dict[str, Any], child: dict[str, Any]) -> dict[str, Any]:
    """Child values win; a parameter given as a bare value is an assumption of the child."""
    by = f"protocol {child['name']}" if child.get("name") else "the study's own protocol"
    parameters = dict(parent.get("parameters", {}))
    for name, table in child.get("parameters", {}).items():
        before = parameters.get(name)
        if isinstance(table, dict):
            parameters[name] = {**(before if isinstance(before, dict) else {}), **table}
        else:
            parameters[name] = {"value": table, "assumption": True, "reason": f"set by {by}"}
    dropped = set(map(str, child.get("drop", [])))
    criteria = {c["id"]: c for c in parent.get("criteria", []) if c["id"] not in dropped}
    for criterion in child.get("criteria", []):
        criteria[criterion["id"]] = {**criteria.get(criterion["id"], {}), **criterion}
    columns = {column["name"]: column for column in (*parent.get("columns", []), *child.get("columns", []))}
    added = {"columns": list(columns.values())} if columns else {}
    return {**parent, **child, "parameters": parameters, "criteria": list(criteria.values()), **added}


def _missing(names: Sequence[str]) -> list[Problem]:
    """One problem for a file that leaves most away, since it can only have forgotten what it extends."""
    if len(names) > _MANY:
        expected = 'extends = "manus" or every parameter'
        return [Problem(expected=expected, got=f"a file with {len(names)} missing", action="say extends")]
    give = 'say extends = "manus" or give it a value'
    return [Problem("missing", where=f"parameter {name}", action=give) for name in names]


def _build(name: str, raw: Mapping[str, Any], shipped: Mapping[str, Any], faults: list[Problem]) -> Protocol | None:
    """Make the protocol, or find all that is wrong with it."""
    values, origins = _parameters(raw.get("parameters", {}), faults)
    groups = groups_of(values, faults)
    visits = _tables(Visit, raw.get("visits", []), "visit", "name", faults)
    added = _tables(AddedColumn, raw.get("columns", []), "column", "name", faults)
    criteria = _criteria(raw.get("criteria", []), added, faults)
    if not raw.get("visits"):
        faults.append(Problem(expected="at least one [[visits]]", got="none"))
    known = [criterion["id"] for criterion in shipped["criteria"]]
    faults += [
        Problem(where=f"criterion {criterion.id}", expected="one that ulcermeter can answer", got="another id")
        for criterion in criteria
        if criterion.id not in known and criterion.rule is None
    ]
    faults += _primary_fault(values.get("primary_visit"), visits)
    faults += _column_faults(visits)
    faults += _missing(sorted(set(GROUP_OF) - set(raw.get("parameters", {}))))
    if faults:
        return None
    title = str(raw.get("title", ""))
    lists: dict[str, Any] = {"visits": tuple(visits), "criteria": tuple(criteria), "columns": tuple(added)}
    return Protocol(name, title, **groups, **lists, origins=origins)


def _criteria(tables: Sequence[dict[str, Any]], added: Sequence[AddedColumn], faults: list[Problem]) -> list[Criterion]:
    """Return the criteria, each with its rule where it has one; a rule may put together only what stands before it."""
    known = {name: columns(f"study/{name}") for name in ("subjects", "ulcers", "treatments")}
    faults += column_faults(added, known)
    names = {name: [*own, *(c.name for c in added if c.table == name)] for name, own in known.items()}
    found, of = [], dict[str, str]()
    for table in tables:
        plain = {key: cell for key, cell in table.items() if key != "rule"}
        made = _tables(Criterion, [plain], "criterion", "id", faults)
        given = table.get("rule")
        rules = _tables(Rule, [given | {"id": table["id"]}], "rule of", "id", faults) if isinstance(given, dict) else []
        for rule in rules:
            faults += rule_faults(table["id"], rule, names[rule.table], of)
            of[table["id"]] = "ulcer" if rule.of == "ulcer" else "subject"
        for criterion in made:
            found.append(criterion.model_copy(update={"rule": rules[0]}) if rules else criterion)
            of.setdefault(criterion.id, "ulcer" if criterion.id in BY_ULCER else "subject")
    return found


def _parameters(tables: Mapping[str, Any], faults: list[Problem]) -> tuple[dict[str, Any], dict[str, Origin]]:
    """Return the value and the origin of every parameter that is written as one."""
    values, origins = {}, {}
    for name, table in tables.items():
        what = f"parameter {name}"
        if name not in GROUP_OF:
            faults.append(unknown_parameter(name))
        elif not isinstance(table, dict) or "value" not in table:
            faults.append(Problem(where=what, expected="a table with a value", got=repr(table)))
        else:
            values[name] = table["value"]
            if (origin := _origin(table, what, unit_of(name), faults)) is not None:
                origins[name] = origin
    return values, origins


def _origin(table: Mapping[str, Any], what: str, unit: str, faults: list[Problem]) -> Origin | None:
    """Read where a value comes from; a unit may stand there for a person to read, and is held to the rule's own."""
    others = {key: cell for key, cell in table.items() if key not in ("value", "unit")}
    if table.get("unit", unit) != unit:
        give = f"give the value in {unit!r}"
        faults.append(Problem(where=what, expected=f"the unit {unit!r}", got=repr(table["unit"]), action=give))
    if not table.get("source") and not (table.get("assumption") and table.get("reason")):
        faults.append(Problem(where=what, expected="a source, or assumption = true with a reason", got="neither"))
    try:
        return Origin.model_validate(others)
    except ValidationError as error:
        faults += table_faults(error, Origin, what, others, also=("value", "unit"))
        return None


def _tables(
    kind: type[_Table], tables: Sequence[dict[str, Any]], what: str, key: str, faults: list[Problem]
) -> list[_Table]:
    made = []
    for table in tables:
        try:
            given = {name: cell for name, cell in table.items() if name != key or key in kind.model_fields}
            made.append(kind.model_validate(given))
        except ValidationError as error:
            faults += table_faults(error, kind, f"{what} {table[key]}", table)
    return made


def _primary_fault(primary: object, visits: Sequence[Visit]) -> list[Problem]:
    """Outcomes are counted up to the primary visit, so it must be one of the visits that have a day."""
    names = [visit.name for visit in visits if visit.day is not None]
    if not isinstance(primary, str) or primary in names:
        return []
    expected = f"one of the visits that have a day ({', '.join(names) or 'none has'})"
    set_it = "set primary_visit to one of them"
    return [Problem(where="parameter primary_visit", expected=expected, got=repr(primary), action=set_it)]


def _column_faults(visits: Sequence[Visit]) -> list[Problem]:
    """Outcomes have a column for each visit, named after it, so no two visits may come to the same name."""
    named = by_key((visit.column, visit.name) for visit in visits)
    return [
        Problem(
            where=f"visits {' and '.join(names)}", expected="names that differ in letters or digits", got="the same"
        )
        for names in named.values()
        if len(names) > 1
    ]


def protocol_from_record(record: Mapping[str, Json]) -> Protocol:
    """Make a protocol of what `Protocol.record` gave.

    Parameters
    ----------
    record : mapping
        Of run.json.

    Returns
    -------
    Protocol

    Raises
    ------
    ProtocolError
        A record that lacks a part, or holds a value that no protocol may have.
    """
    faults: list[Problem] = []
    raw: dict[str, Any] = {part: record.get(part, kind()) for part, (kind, _) in _PARTS.items() if part in _RULES}
    protocol = _build(str(record.get("name", "")), {**raw, "title": record.get("title", "")}, raw, faults)
    if protocol is None:
        raise ProtocolError(faults)
    return protocol
