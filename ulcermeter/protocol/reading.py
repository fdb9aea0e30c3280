"""From protocol files to a protocol: what a file extends, what it changes, and all that is wrong with it."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

from ulcermeter.errors import ProtocolError
from ulcermeter.files import read_file
from ulcermeter.protocol.rules import Criterion, Parameter, Protocol, Visit
from ulcermeter.protocol.values import record, value_fault

__all__ = ["read_protocol"]

# What a protocol file may hold, with the kind of each and how to say it.
_PARTS: dict[str, tuple[type, str]] = {
    "extends": (str, "a shipped name (manus) or the path of a TOML file, beside this one, as text"),
    "name": (str, "a text"),
    "title": (str, "a text"),
    "parameters": (dict, "a table [parameters]"),
    "visits": (list, "tables [[visits]]"),
    "criteria": (list, "tables [[criteria]]"),
}
_RULES = ("parameters", "visits", "criteria")
_SHIPPED = "manus"
_MANY = 5
# The shipped protocol, which holds every rule with its source, is a fiftieth of this.
_MOST_MB = 2


@dataclass(frozen=True)
class _File:
    """A protocol file as it was read: how a person calls it, where it stands, what it holds."""

    told: str
    place: Path
    raw: dict[str, Any]


def read_protocol(name_or_path: str | Path = _SHIPPED) -> Protocol:
    """Read a protocol.

    Parameters
    ----------
    name_or_path : str or Path
        A shipped name (``manus``) or the path of a TOML file. What a file ``extends`` is a shipped name or a path
        seen from that file; it may extend another one in turn.

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
    told: list[str] = []
    files = _lineage(name_or_path, told)
    name, raw = _merged(files)
    shipped = _load(_SHIPPED, Path()).raw
    faults: list[str] = []
    protocol = replace(_build(raw, shipped, faults), name=name)
    faults += _missing(sorted(set(shipped["parameters"]) - set(protocol.parameters)))
    told += [f"Protocol {name_or_path}: {fault}" for fault in faults]
    if told:
        raise ProtocolError(told)
    return protocol


def _lineage(name_or_path: str | Path, told: list[str]) -> list[_File]:
    """Read the file and all that it extends, the first ancestor first."""
    files: list[_File] = []
    wanted, folder = name_or_path, Path()
    while True:
        file = _load(wanted, folder)
        if file.place in [earlier.place for earlier in files]:
            circle = " extends ".join([*(earlier.told for earlier in files), file.told])
            raise ProtocolError(
                f"Protocol {name_or_path}: expected extends to lead to a protocol that extends none, got {circle}; "
                f'say extends = "{_SHIPPED}" in one of them.'
            )
        file = replace(file, raw=_shaped(file, told))
        files.insert(0, file)
        if "extends" not in file.raw:
            return files
        wanted, folder = file.raw["extends"], file.place.parent


def _load(name_or_path: str | Path, folder: Path) -> _File:
    """Read a shipped protocol or a file seen from a folder."""
    shipped = resources.files("ulcermeter") / "protocols" / f"{name_or_path}.toml"
    path = folder / name_or_path
    try:
        if path.suffix != ".toml" and shipped.is_file():
            return _File(str(name_or_path), Path(str(shipped)), tomllib.loads(shipped.read_text(encoding="utf-8")))
        return _File(str(path), path.resolve(), tomllib.loads(read_file(path, most_mb=_MOST_MB).decode("utf-8-sig")))
    except OSError as error:
        got = "neither" if isinstance(error, FileNotFoundError) else error.strerror
        raise ProtocolError(
            f"Protocol {path}: expected a shipped name ({_SHIPPED}) or a TOML file, got {got}; check the path."
        ) from error
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"Protocol {path}: expected TOML, got a file that breaks its rules: {error}.") from error


def _shaped(file: _File, told: list[str]) -> dict[str, Any]:
    """Return what a file holds without what is of no use, which is told; the rest is still checked."""
    raw, faults = dict(file.raw), []
    others = sorted(set(raw) - set(_PARTS))
    faults += [f"key {key}: expected one of {', '.join(_PARTS)}, got {key}; rename it." for key in others]
    for part, (kind, expected) in _PARTS.items():
        if part in raw and not isinstance(raw[part], kind):
            faults.append(f"{part}: expected {expected}, got {raw[part]!r}.")
            raw = {**raw, part: _SHIPPED} if part == "extends" else {k: v for k, v in raw.items() if k != part}
    for part, key in (("visits", "name"), ("criteria", "id")):
        if raw.get(part):
            raw[part] = _shaped_tables(raw[part], part, key, faults)
            if not raw[part]:  # told already; what it extends stands in, so that the rest can be checked
                del raw[part]
    told += [f"Protocol {file.told}: {fault}" for fault in faults]
    return raw


def _shaped_tables(tables: list[Any], part: str, key: str, faults: list[str]) -> list[dict[str, Any]]:
    """Keep the tables that have a name, each name once."""
    kept: dict[str, dict[str, Any]] = {}
    for table in tables:
        name = table.get(key) if isinstance(table, dict) else None
        if not isinstance(name, str):
            faults.append(f"{part}: expected tables [[{part}]], each with {key} as text, got {table!r}.")
        elif name in kept:
            faults.append(f"{part} {name}: stands twice; leave one away.")
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
    """Child values win; a parameter given as a bare value keeps its parent's unit and is an assumption of the child."""
    by = f"protocol {child['name']}" if child.get("name") else "the study's own protocol"
    parameters = dict(parent.get("parameters", {}))
    for name, table in child.get("parameters", {}).items():
        before = parameters.get(name)
        before = before if isinstance(before, dict) else {}
        if isinstance(table, dict):
            parameters[name] = {**before, **table}
        else:
            unit = before.get("unit", "")
            parameters[name] = {"unit": unit, "value": table, "assumption": True, "reason": f"set by {by}"}
    criteria = {criterion["id"]: criterion for criterion in parent.get("criteria", [])}
    for criterion in child.get("criteria", []):
        criteria[criterion["id"]] = {**criteria.get(criterion["id"], {}), **criterion}
    return {**parent, **child, "parameters": parameters, "criteria": list(criteria.values())}


def _missing(names: list[str]) -> list[str]:
    """One sentence for a file that leaves most away, since it can only have forgotten what it extends."""
    if len(names) > _MANY:
        return [f'expected extends = "manus" or every parameter, got a file with {len(names)} missing; say extends.']
    return [f'parameter {name}: missing; say extends = "manus" or give it a value.' for name in names]


def _build(raw: dict[str, Any], shipped: dict[str, Any], faults: list[str]) -> Protocol:
    parameters = {
        name: _parameter(name, table, shipped["parameters"].get(name), faults)
        for name, table in raw.get("parameters", {}).items()
    }
    visits = tuple(_records(Visit, raw.get("visits", []), "visit", "name", faults))
    criteria = tuple(_records(Criterion, raw.get("criteria", []), "criterion", "id", faults))
    if not raw.get("visits"):
        faults.append("expected at least one [[visits]], got none.")
    known = [criterion["id"] for criterion in shipped["criteria"]]
    unknown = [criterion.id for criterion in criteria if criterion.id not in known]
    faults += [f"criterion {name}: not one that ulcermeter knows how to answer." for name in unknown]
    faults += _primary_fault(parameters, visits)
    text = repr((raw.get("name"), sorted(parameters.items()), visits, criteria))
    return Protocol(
        name=str(raw.get("name", "")),
        title=str(raw.get("title", "")),
        parameters=parameters,
        visits=visits,
        criteria=criteria,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
    )


def _records(kind: type, tables: list[dict[str, Any]], what: str, key: str, faults: list[str]) -> list[Any]:
    made = [record(kind, table, f"{what} {table[key]}", faults) for table in tables]
    return [one for one in made if one is not None]


def _parameter(name: str, table: Any, shipped: dict[str, Any] | None, faults: list[str]) -> Parameter:
    if not isinstance(table, dict) or "value" not in table:
        faults.append(f"parameter {name}: expected a table with a value, got {table!r}.")
        return Parameter(name, None)
    if not table.get("source") and not (table.get("assumption") and table.get("reason")):
        faults.append(f"parameter {name}: expected a source, or assumption = true with a reason, got neither.")
    if shipped is None:
        faults.append(f"parameter {name}: not one that ulcermeter knows; see protocols/manus.toml for the names.")
    elif fault := value_fault(table["value"], Parameter(name, shipped["value"], shipped["unit"])):
        faults.append(fault)
    return record(Parameter, table, f"parameter {name}", faults, name=name) or Parameter(name, None)


def _primary_fault(parameters: dict[str, Parameter], visits: Sequence[Visit]) -> list[str]:
    """Outcomes are counted up to the primary visit, so it must be one of the visits that have a day."""
    primary = parameters["primary_visit"].value if "primary_visit" in parameters else None
    names = [visit.name for visit in visits if visit.day is not None]
    if not isinstance(primary, str) or primary in names:
        return []
    return [
        f"parameter primary_visit: expected one of the visits that have a day ({', '.join(names) or 'none has'}), got "
        f"{primary!r}; set primary_visit to one of them."
    ]
