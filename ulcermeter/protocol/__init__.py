"""The trial's rules as data: thresholds, gates, visits and criteria, read from TOML.

A protocol file holds ``[parameters.NAME]`` tables (``value``, and ``source`` or ``assumption = true`` with a
``reason``), ``[[visits]]`` and ``[[criteria]]``. A clinic's own file usually says ``extends = "manus"`` and changes a
few values. `model` says which parameters there are, with the unit and range of each. Nothing else in the package holds
a clinical number.
"""

from __future__ import annotations

from ulcermeter.protocol.conditions import AddedColumn, Rule
from ulcermeter.protocol.drugs import INTRAVENOUS, ReadWord, is_drug, read_drug, read_route
from ulcermeter.protocol.reading import default_protocol, protocol_from_record, read_protocol
from ulcermeter.protocol.rules import Criterion, Parameter, Protocol, Visit

__all__ = [
    "INTRAVENOUS",
    "AddedColumn",
    "Criterion",
    "Parameter",
    "Protocol",
    "ReadWord",
    "Rule",
    "Visit",
    "default_protocol",
    "is_drug",
    "protocol_from_record",
    "read_drug",
    "read_protocol",
    "read_route",
]
