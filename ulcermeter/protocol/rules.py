"""What a protocol is: its rules in groups, where each comes from, its visits and its criteria."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal, TypedDict, cast

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from ulcermeter.errors import Problem, ProtocolError
from ulcermeter.files import Json
from ulcermeter.protocol.conditions import AddedColumn, Rule
from ulcermeter.protocol.faults import group_faults
from ulcermeter.protocol.model import (
    GROUPS,
    PHASES,
    CalibrationRules,
    EligibilityRules,
    FingerRules,
    GateRules,
    Group,
    HealingRules,
    IdentityRules,
    MeasurementRules,
    OutcomeRules,
    Phase,
    QualityRules,
    RefractoryRules,
    RetakeRules,
    SkinRules,
    Whole,
)

__all__ = [
    "GROUP_OF",
    "PHASES",
    "Criterion",
    "Origin",
    "Parameter",
    "Protocol",
    "Visit",
    "groups_of",
    "unit_of",
    "unknown_parameter",
]

Name = Annotated[str, StringConstraints(min_length=1)]
_TABLE = ConfigDict(frozen=True, extra="forbid", strict=True)


class Origin(BaseModel):
    """Where a value comes from: a source, or an assumption of ours with its reason."""

    model_config = _TABLE

    source: str = ""
    assumption: bool = False
    reason: str = ""


class Visit(BaseModel):
    """A planned visit: its name, day after treatment (None for one without a day) and half-window in days.

    ``source`` says where its day is from; ``reason`` what of it is assumed, and why.
    """

    model_config = _TABLE

    name: Name
    day: Whole | None = None
    window_days: Annotated[Whole, Field(ge=0)] | None = None
    phase: Phase = "follow-up"
    source: str = ""
    reason: str = ""

    @property
    def column(self) -> str:
        """Its name as a part of a column's name: ``week_12``."""
        return re.sub(r"\W+", "_", self.name.strip())


class Criterion(BaseModel):
    """An eligibility criterion by its id."""

    model_config = _TABLE

    id: Name
    kind: Literal["inclusion", "exclusion", "advisory"]
    text: str
    enforce: bool = True
    source: str = ""
    reason: str = ""
    rule: Rule | None = None


@dataclass(frozen=True)
class Parameter:
    """One rule as a person reads it.

    Attributes
    ----------
    name : str
        As in the file.
    value : float, int, bool, str, tuple or mapping
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
    unit: str
    source: str = ""
    assumption: bool = False
    reason: str = ""


def _names() -> dict[str, tuple[str, str]]:
    return {
        rule.alias or attribute: (group, attribute)
        for group, kind in GROUPS.items()
        for attribute, rule in kind.model_fields.items()
    }


GROUP_OF = _names()
"""Group and attribute of every rule by its name in the file."""


def unit_of(name: str) -> str:
    """Return the unit of a rule by its name in the file.

    Parameters
    ----------
    name : str
        By its name in the file.

    Returns
    -------
    str
    """
    group, attribute = GROUP_OF[name]
    extra = GROUPS[group].model_fields[attribute].json_schema_extra
    return str(extra["unit"]) if isinstance(extra, dict) else ""


@dataclass(frozen=True)
class Protocol:
    """A trial's rules. ``protocol.gates.tilt_max_deg`` is that rule's value.

    Attributes
    ----------
    name, title : str
    measurement, calibration, gates, quality, retake, finger, identity, healing, refractory, eligibility, outcomes
        The rules in groups: see `ulcermeter.protocol.model`.
    visits : tuple of Visit
        In the order of the trial.
    criteria : tuple of Criterion
    origins : mapping of str to Origin
        Where each rule comes from, by its name in the file.
    columns : tuple of AddedColumn
        What the trial adds to the study's files.
    """

    name: str
    title: str
    measurement: MeasurementRules
    calibration: CalibrationRules
    gates: GateRules
    quality: QualityRules
    retake: RetakeRules
    finger: FingerRules
    skin: SkinRules
    identity: IdentityRules
    healing: HealingRules
    refractory: RefractoryRules
    eligibility: EligibilityRules
    outcomes: OutcomeRules
    visits: tuple[Visit, ...]
    criteria: tuple[Criterion, ...]
    origins: Mapping[str, Origin] = field(repr=False)
    columns: tuple[AddedColumn, ...] = ()

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

    @property
    def values(self) -> dict[str, Any]:
        """Every rule's value by its name in the file."""
        return {name: getattr(getattr(self, group), attribute) for name, (group, attribute) in GROUP_OF.items()}

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Every rule as a person reads it, in the order of the groups."""
        return tuple(
            Parameter(name, value, unit_of(name), **self.origins[name].model_dump())
            for name, value in self.values.items()
        )

    def assumptions(self) -> tuple[Parameter, ...]:
        """Return every rule that is ours and not the trial's."""
        return tuple(parameter for parameter in self.parameters if parameter.assumption)

    @property
    def sha256(self) -> str:
        """Hash of all the rules in force, so that two runs can be told apart."""
        return hashlib.sha256(json.dumps(self.record(), sort_keys=True).encode()).hexdigest()

    def record(self) -> dict[str, Json]:
        """Return the whole protocol as run.json keeps it: plain values, enough to make it again."""
        kept = ("value", "unit", "source", "assumption", "reason")
        return {
            "name": self.name,
            "title": self.title,
            "parameters": {p.name: {key: getattr(p, key) for key in kept} for p in self.parameters},
            "visits": [visit.model_dump() for visit in self.visits],
            "criteria": [criterion.model_dump(exclude_none=True) for criterion in self.criteria],
            "columns": [column.model_dump() for column in self.columns],
        }

    def changed(self, **values: Any) -> Protocol:
        """Return the same protocol with some values changed, by their names in the file.

        Parameters
        ----------
        **values
            Such as ``threshold_diameter_mm=3.0``; they are marked as assumptions.

        Returns
        -------
        Protocol
            Named ``manus, changed``.

        Raises
        ------
        ProtocolError
            An unknown name, or a value outside the rule's kind and range.
        """
        faults = [unknown_parameter(name) for name in values if name not in GROUP_OF]
        groups = groups_of({**self.values, **values}, faults)
        if faults:
            raise ProtocolError(faults)
        ours = Origin(assumption=True, reason="changed in Python")
        origins = {**self.origins, **dict.fromkeys(values, ours)}
        return replace(self, name=f"{self.name}, changed", origins=origins, **groups)


def unknown_parameter(name: str) -> Problem:
    """Return the problem of a parameter that no protocol has.

    Parameters
    ----------
    name : str
        What stands in the file for a parameter's name.

    Returns
    -------
    Problem
    """
    see = "see `ulcermeter manual protocol` for the names"
    return Problem(where=f"parameter {name}", expected="one that ulcermeter knows", got="another name", action=see)


class Groups(TypedDict):
    """The groups of a protocol's rules, by its attributes."""

    measurement: MeasurementRules
    calibration: CalibrationRules
    gates: GateRules
    quality: QualityRules
    retake: RetakeRules
    finger: FingerRules
    skin: SkinRules
    identity: IdentityRules
    healing: HealingRules
    refractory: RefractoryRules
    eligibility: EligibilityRules
    outcomes: OutcomeRules


def groups_of(values: Mapping[str, object], faults: list[Problem]) -> Groups:
    """Validate values, by their names in the file, into the groups of a protocol.

    Parameters
    ----------
    values : mapping of str to object
        Every value by its name in the file.
    faults : list[Problem]
        Filled with what is wrong.

    Returns
    -------
    Groups
        A group with a fault is left out, and `faults` says all that is wrong; names that no group has are ignored.
    """
    groups: dict[str, Group] = {}
    for group, kind in GROUPS.items():
        names = [name for name, (owner, _) in GROUP_OF.items() if owner == group]
        given = {name: values[name] for name in names if name in values}
        try:
            groups[group] = kind.model_validate(given)
        except ValidationError as error:
            faults += group_faults(error, kind, given)
    return cast(Groups, groups)
