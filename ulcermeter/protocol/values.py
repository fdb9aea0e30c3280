"""What the values of a protocol file may be: of the shipped value's kind, finite, and words that something reads."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields
from typing import Any

from ulcermeter.protocol.rules import KINDS, PHASES, Criterion, Parameter, Visit

__all__ = ["record", "value_fault"]

# TOML reads 1e400 as infinite, and knows nan; a limit that is either refuses nothing, or everything.
_LARGEST = 1e12
# 0 days is the same day, and a seed is any number; all other numbers are sizes, shares and counts.
_MAY_BE_ZERO = ("days", "seed")
_NUMBER = r"(?P<size>\d*\.?\d+)"
_ON_A_PHOTO = rf"card|id1|ruler|disc:{_NUMBER}|aruco:{_NUMBER.replace('size', 'side')}(:\w+)?"
# Texts that are no free words: the form, and how to say it. References are read by `calibration`, which stands above
# this room; here only what no photo's row could mean is refused, before anything is measured.
_FORMS = {
    "gates": (r"refuse|report", "refuse or report"),
    "reference_on": (r"skin|table", "skin or table"),
    "reference": (
        rf"(?i:{_ON_A_PHOTO}|auto|scale:{_NUMBER.replace('size', 'scale')})",
        "card, aruco:MM, aruco:MM:DICTIONARY, disc:MM, id1, ruler, scale:PX_PER_MM or auto",
    ),
    "references_auto": (rf"(?i:{_ON_A_PHOTO})", "card, aruco:MM, aruco:MM:DICTIONARY, disc:MM, id1 or ruler"),
    "active_photo_phases": ("|".join(PHASES), f"{', '.join(PHASES[:-1])} or {PHASES[-1]}"),
}
_SIZES = {"size": (1.0, 500.0), "side": (1.0, 500.0), "scale": (0.1, 1000.0)}
# The kinds of cells that visits, criteria and parameters have, by their annotation.
_CELLS: dict[str, tuple[type, str]] = {
    "str": (str, "a text"),
    "bool": (bool, "true or false"),
    "int | None": (int, "a whole number"),
}
_WORDS = {(Visit, "phase"): PHASES, (Criterion, "kind"): KINDS}


def value_fault(value: Any, shipped: Parameter) -> str:
    """Say what is wrong with a parameter's value, held against the shipped one of that name; empty for nothing."""
    expected = _expected(value, shipped.value, shipped)
    if not expected:
        return ""
    told = f"parameter {shipped.name}: expected {expected}, got {value!r}"
    return f"{told}; write it like the shipped one, {shipped.value!r}."


def _expected(value: Any, like: Any, shipped: Parameter) -> str:
    """Return what was expected instead of a value, empty where it is as it should be."""
    if isinstance(like, bool):
        return "" if isinstance(value, bool) else "true or false"
    if isinstance(like, int | float):
        return _expected_number(value, like, may_be_zero=shipped.unit in _MAY_BE_ZERO)
    if isinstance(like, str):
        return _expected_text(value, shipped.name)
    if isinstance(like, list):
        wrong = [part for part in value if _expected_text(part, shipped.name)] if isinstance(value, list) else ["all"]
        return f"a list of texts, each {_form(shipped.name)[1]}" if wrong or not value else ""
    if not isinstance(value, dict) or not value:
        return "a table"
    unknown = set(value) - set(like)
    if unknown:
        return f"only the keys {', '.join(like)}"
    faults = {key: _expected(part, like[key], shipped) for key, part in value.items()}
    return next((f"at {key} {fault}" for key, fault in faults.items() if fault), "")


def _expected_number(value: Any, like: float, *, may_be_zero: bool) -> str:
    whole, above = isinstance(like, int), like > 0 and not may_be_zero
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and (value > 0 if above else value >= 0) and value < _LARGEST and not (whole and value % 1):
        return ""
    return f"a {'whole' if whole else 'finite'} number {'above 0' if above else 'of 0 or more'}"


def _form(name: str) -> tuple[str, str]:
    return _FORMS.get(name, (r"(?s:.*\S.*)", "not empty"))


def _expected_text(value: Any, name: str) -> str:
    form, words = _form(name)
    if not isinstance(value, str):
        return words if name in _FORMS else "a text"
    spaced = name.startswith("reference") and name != "reference_on"
    match = re.fullmatch(form, re.sub(r"\s*:\s*", ":", value.strip()) if spaced else value)
    sizes = {k: float(v) for k, v in match.groupdict().items() if v} if match else {}
    fits = match is not None and all(_SIZES[k][0] <= size <= _SIZES[k][1] for k, size in sizes.items())
    return "" if fits else words if name in _FORMS else "a text"


def record(kind: type, table: dict[str, Any], what: str, faults: list[str], **given: Any) -> Any:
    """Make a parameter, visit or criterion of a table; None where it cannot, with all that is wrong in `faults`.

    Parameters
    ----------
    what : str
        How to name it in a fault.
    given
        Cells that the table does not hold.
    """
    cells = {cell.name: cell for cell in fields(kind) if cell.name not in given}
    told = []
    if set(table) - set(cells):
        told.append(f"{what}: expected only the keys {', '.join(cells)}, got {', '.join(table)}.")
    for name, cell in cells.items():
        if name in table:
            told += _cell_faults(kind, name, str(cell.type), table[name], what)
        elif cell.default is MISSING:
            told.append(f"{what}: expected a key {name}, got none; add it.")
    faults += told
    return None if told else kind(**given, **table)


def _cell_faults(kind: type, name: str, annotation: str, value: Any, what: str) -> list[str]:
    type_, expected = _CELLS.get(annotation, (object, ""))
    words = _WORDS.get((kind, name))
    fits = isinstance(value, type_) and not (type_ is int and isinstance(value, bool))
    if words is not None:
        fits, expected = value in words, f"{', '.join(words[:-1])} or {words[-1]}"
    elif fits and name == "window_days" and value < 0:
        fits, expected = False, "a whole number of days, 0 or more"
    elif fits and name in ("name", "id") and not value:
        fits, expected = False, "a text that is not empty"
    return [] if fits else [f"{what}, {name}: expected {expected}, got {value!r}."]
