"""What is wrong in a protocol file: what was expected and what was got."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from ulcermeter.errors import Problem
from ulcermeter.protocol.model import ClassificationItem, Group
from ulcermeter.reference import ANY_FORM, THING_FORM

__all__ = ["group_faults", "table_faults"]

# Texts whose form a validator of the model checks.
_FORMS = {
    "reference": ANY_FORM,
    "references_auto": f"a list of texts, each {THING_FORM}",
    "acr_eular_points": "a table of items, each a table of points by answer",
    "prostacyclin_names": "a table of drugs, each a list of texts",
}


def group_faults(error: ValidationError, group: type[Group], given: Mapping[str, object]) -> list[Problem]:
    """Return one problem for each parameter of a group that the model refused.

    Parameters
    ----------
    error : ValidationError
    group : type of Group
    given : mapping of str to value
        The group's values by their names in the file.

    Returns
    -------
    list of Problem
    """
    fields = {field.alias or name: field for name, field in group.model_fields.items()}
    faults: dict[str, Problem] = {}
    for problem in error.errors():
        name, inside = str(problem["loc"][0]), problem["loc"][1:]
        if problem["type"] != "missing" and name not in faults:
            expected = _inside(name, inside) or expected_of(name, fields[name])
            faults[name] = Problem(where=f"parameter {name}", expected=expected, got=repr(given[name]))
    return list(faults.values())


def table_faults(
    error: ValidationError, kind: type[BaseModel], what: str, given: Mapping[str, object], *, also: Sequence[str] = ()
) -> list[Problem]:
    """Return one problem for each cell of a table (a visit, a criterion, a parameter) that its model refused.

    Parameters
    ----------
    error : ValidationError
    kind : type of BaseModel
    what : str
        How to name the table.
    given : mapping of str to value
    also : sequence of str
        Keys that the table may have beside those of the model.

    Returns
    -------
    list of Problem
    """
    faults: dict[str, Problem] = {}
    for problem in error.errors():
        name = str(problem["loc"][0])
        if problem["type"] == "extra_forbidden":
            keys = f"only the keys {', '.join([*also, *kind.model_fields])}"
            faults.setdefault("", Problem(where=what, expected=keys, got=", ".join(given)))
        elif problem["type"] == "missing":
            faults.setdefault(name, Problem(where=what, expected=f"a key {name}", got="none", action="add it"))
        else:
            expected = expected_of(name, kind.model_fields[name])
            faults.setdefault(name, Problem(where=f"{what}, {name}", expected=expected, got=repr(given[name])))
    return list(faults.values())


def expected_of(name: str, field: FieldInfo) -> str:
    """Say what a field takes: its kind, words or range.

    Parameters
    ----------
    name : str
        The field's name in the file.
    field : FieldInfo
        The field of the model.

    Returns
    -------
    str
    """
    if name in _FORMS:
        return _FORMS[name]
    kind, limits = field.annotation, list(field.metadata)
    if get_origin(kind) in (Union, UnionType):
        kind = next(part for part in get_args(kind) if part is not NoneType)
    if get_origin(kind) is Annotated:
        limits += _limits(kind)
        kind = get_args(kind)[0]
    if get_origin(kind) is Literal:
        return _one_of(get_args(kind))
    if get_origin(kind) is tuple:
        words = get_args(get_args(kind)[0]) if get_origin(get_args(kind)[0]) is Literal else ()
        return f"a list of texts, each {_one_of(words)}" if words else "a list of texts, each not empty"
    if kind is bool:
        return "true or false"
    return _number_of(kind, limits) if kind in (int, float) else "a text that is not empty"


def _limits(kind: Any) -> list[Any]:
    """Return the limits in an annotation's notes, also those that stand in a pydantic field."""
    notes = get_args(kind)[1:]
    return [limit for note in notes for limit in (note.metadata if isinstance(note, FieldInfo) else [note])]


def _number_of(kind: Any, limits: Sequence[Any]) -> str:
    above = next((limit.gt for limit in limits if isinstance(limit, Gt)), None)
    least = next((limit.ge for limit in limits if isinstance(limit, Ge)), None)
    most = next((limit.le for limit in limits if isinstance(limit, Le)), None)
    below = next((limit.lt for limit in limits if isinstance(limit, Lt)), None)
    words = f"a {'whole' if kind is int else 'finite'} number"
    words += f" above {above:g}" if above is not None else f" of {least:g} or more" if least is not None else ""
    return words + (
        f" and at most {most:g}" if most is not None else f" and below {below:g}" if below is not None else ""
    )


def _one_of(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]


def _inside(name: str, keys: Sequence[int | str]) -> str:
    """Say what the table of points should hold at a place; empty for any other parameter."""
    if name != "acr_eular_points" or not keys:
        return ""
    if keys[-1] == "[key]":
        return f"only the keys {', '.join(get_args(ClassificationItem))}"
    return " ".join(f"at {key}" for key in keys) + " a whole number of points, 0 to 100"
