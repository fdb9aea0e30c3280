"""The trial's rules as data: thresholds, gates, visits and criteria, read from TOML.

A protocol file holds ``[parameters.NAME]`` tables (``value``, ``unit``, and ``source`` or ``assumption = true`` with a
``reason``), ``[[visits]]`` and ``[[criteria]]``. A clinic's own file usually says ``extends = "manus"`` and changes a
few values. Nothing else in the package holds a clinical number.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from ulcermeter.errors import ProtocolError

__all__ = ["Criterion", "Parameter", "Protocol", "Visit", "read_protocol"]


# What a protocol file may hold beside ``extends``.
_PARTS = ("name", "title", "parameters", "visits", "criteria")
_MANY = 5


@dataclass(frozen=True)
class Parameter:
    """One rule in a number, word or list.

    Attributes
    ----------
    name : str
    value : float, int, bool, str or list
    unit : str
    source : str
        Where it comes from; empty for an assumption.
    assumption : bool
        Ours and not the trial's.
    reason : str
        Why this value.
    """

    name: str
    value: Any
    unit: str = ""
    source: str = ""
    assumption: bool = False
    reason: str = ""


@dataclass(frozen=True)
class Visit:
    """A planned visit: its name, day after treatment (None for one without a day) and half-window in days."""

    name: str
    day: int | None = None
    window_days: int | None = None
    phase: str = "follow-up"


@dataclass(frozen=True)
class Criterion:
    """An eligibility criterion by its id."""

    id: str
    kind: str
    text: str
    enforce: bool = True
    source: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Protocol:
    """A trial's rules. ``protocol["tilt_max_deg"]`` is that parameter's value.

    Attributes
    ----------
    name : str
    title : str
    parameters : mapping of str to Parameter
    visits : tuple of Visit
        In the order of the trial.
    criteria : tuple of Criterion
    sha256 : str
        Of all the rules in force, so that two runs can be told apart.
    """

    name: str
    title: str
    parameters: Mapping[str, Parameter]
    visits: tuple[Visit, ...]
    criteria: tuple[Criterion, ...]
    sha256: str = field(default="")

    def __getitem__(self, name: str) -> Any:
        """Return a parameter's value.

        Raises
        ------
        KeyError
            A programming fault: no such parameter in the shipped protocol.
        """
        return self.parameters[name].value

    def visit(self, name: str) -> Visit:
        """Return the visit of that name; KeyError when the protocol has none."""
        for visit in self.visits:
            if visit.name == name:
                return visit
        raise KeyError(name)

    @property
    def places(self) -> dict[str, int]:
        """The place of every visit in the order of the trial; an unscheduled one has none."""
        return {visit.name: i for i, visit in enumerate(self.visits) if visit.phase != "unscheduled"}

    def assumptions(self) -> tuple[Parameter, ...]:
        """Return every rule that is ours and not the trial's, in file order."""
        return tuple(p for p in self.parameters.values() if p.assumption)


def read_protocol(name_or_path: str | Path = "manus") -> Protocol:
    """Read a protocol.

    Parameters
    ----------
    name_or_path : str or Path
        A shipped name (``manus``) or the path of a TOML file.

    Returns
    -------
    Protocol

    Raises
    ------
    ProtocolError
        No such protocol, not TOML, or rules broken; all faults at once.
    """
    raw = _load(name_or_path)
    faults: list[str] = []
    parent = _load(raw["extends"]) if "extends" in raw else None
    if parent is not None:
        raw = _merge(parent, raw, faults)
    protocol = _build(raw, faults)
    shipped = set(_load("manus")["parameters"])
    faults += _missing(sorted(shipped - set(protocol.parameters)))
    others = sorted(set(raw) - {*_PARTS, "extends"})
    faults += [f"key {key}: expected one of extends, {', '.join(_PARTS)}, got {key}; rename it." for key in others]
    unknown = sorted(set(protocol.parameters) - shipped)
    faults += [
        f"parameter {p}: not one that ulcermeter knows; see protocols/manus.toml for the names." for p in unknown
    ]
    if faults:
        raise ProtocolError([f"Protocol {name_or_path}: {fault}" for fault in faults])
    return protocol


def _missing(names: list[str]) -> list[str]:
    """One sentence for a file that leaves most away, since it can only have forgotten what it extends."""
    if len(names) > _MANY:
        return [f'expected extends = "manus" or every parameter, got a file with {len(names)} missing; say extends.']
    return [f'parameter {name}: missing; say extends = "manus" or give it a value.' for name in names]


def _load(name_or_path: str | Path) -> dict[str, Any]:
    shipped = resources.files("ulcermeter") / "protocols" / f"{name_or_path}.toml"
    path = Path(name_or_path)
    try:
        if path.suffix != ".toml" and shipped.is_file():
            return tomllib.loads(shipped.read_text(encoding="utf-8"))
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ProtocolError(
            f"Protocol {name_or_path}: expected a shipped name (manus) or a TOML file, got neither; check the path."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProtocolError(
            f"Protocol {name_or_path}: expected TOML, got a file that breaks its rules: {error}."
        ) from error


def _merge(parent: dict[str, Any], child: dict[str, Any], faults: list[str]) -> dict[str, Any]:
    """Child values win; a parameter given as a bare value keeps its parent's unit and is an assumption of the child."""
    merged = {**parent, **child}
    parameters = {name: dict(table) for name, table in parent.get("parameters", {}).items()}
    for name, table in child.get("parameters", {}).items():
        if isinstance(table, dict):
            parameters[name] = {**parameters.get(name, {}), **table}
        else:
            parameters[name] = {
                "unit": parameters.get(name, {}).get("unit", ""),
                "value": table,
                "assumption": True,
                "reason": f"set by protocol {child.get('name', '')}".strip(),
            }
    by_id = {criterion.get("id"): dict(criterion) for criterion in parent.get("criteria", [])}
    for criterion in child.get("criteria", []):
        if criterion.get("id") not in by_id:
            faults.append(f"criterion {criterion.get('id')}: not one that ulcermeter knows how to answer.")
        by_id[criterion.get("id")] = {**by_id.get(criterion.get("id"), {}), **criterion}
    return {**merged, "parameters": parameters, "criteria": list(by_id.values())}


def _build(raw: dict[str, Any], faults: list[str]) -> Protocol:
    parameters: dict[str, Parameter] = {}
    for name, table in raw.get("parameters", {}).items():
        parameters[name] = _parameter(name, table, faults)
    visits = tuple(_record(Visit, table, f"visit {table.get('name')}", faults) for table in raw.get("visits", []))
    criteria = tuple(
        _record(Criterion, table, f"criterion {table.get('id')}", faults) for table in raw.get("criteria", [])
    )
    names = [visit.name for visit in visits if visit is not None]
    faults.extend(f"visit {name}: stands twice." for name in sorted({n for n in names if names.count(n) > 1}))
    if not visits:
        faults.append("expected at least one [[visits]], got none.")
    text = repr((raw.get("name"), sorted(parameters.items()), visits, criteria))
    return Protocol(
        name=str(raw.get("name", "")),
        title=str(raw.get("title", "")),
        parameters=parameters,
        visits=visits,
        criteria=criteria,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
    )


def _parameter(name: str, table: Any, faults: list[str]) -> Parameter:
    if not isinstance(table, dict) or "value" not in table:
        faults.append(f"parameter {name}: expected a table with a value, got {table!r}.")
        return Parameter(name, None)
    if not table.get("source") and not (table.get("assumption") and table.get("reason")):
        faults.append(f"parameter {name}: expected a source, or assumption = true with a reason, got neither.")
    return _record(Parameter, {"name": name, **table}, f"parameter {name}", faults) or Parameter(name, None)


def _record(kind: type, table: dict[str, Any], what: str, faults: list[str]) -> Any:
    try:
        return kind(**table)
    except TypeError:
        known = ", ".join(kind.__dataclass_fields__)  # type: ignore[attr-defined]
        faults.append(f"{what}: expected only the keys {known}, got {', '.join(table)}.")
        return None
