"""What a protocol is made of: parameters, visits, criteria."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["KINDS", "PHASES", "Criterion", "Parameter", "Protocol", "Visit"]

PHASES = ("history", "screening", "baseline", "follow-up", "unscheduled")
"""The phases of a trial that a visit can belong to."""
KINDS = ("inclusion", "exclusion", "advisory")
"""The kinds of criteria."""


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
