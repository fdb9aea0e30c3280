"""Damaged protocols: every value that is taken stands in the file, and nothing in the file is passed over."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from mutations.chance import Mutation, damage
from mutations.pieces import Answer, Outcome, Piece, answer
from ulcermeter.protocol import read_protocol

__all__ = ["ask_protocol", "write_protocols"]

_CHANGES = """\
extends = "manus"
name = "trial 2"
title = "Another threshold"

[parameters]
threshold_diameter_mm = 2.5
tilt_max_deg = 30

[parameters.px_per_mm_min]
value = 9
assumption = true
reason = "the clinic's cameras give more"

[[criteria]]
id = "active_ulcer"
text = "at least one active ulcer of over 2.5 mm"
"""
_VALUES = (
    "nan", "inf", "-inf", "-1", "0", "1e308", "1e-308", "true", '""', '"2.0"', "[]", "[2.0]", "{}", "2024-05-06",
    "99999999999999999999", "0x10", "2", "3.5", '"\\u0000"', "'''x'''",
)  # fmt: skip


def write_protocols(_: str, folder: Path, most: int) -> list[str]:
    """Write a protocol that changes some rules, and the shipped one in full."""
    (folder / "changes.toml").write_text(_CHANGES, encoding="utf-8")
    shipped = resources.files("ulcermeter") / "protocols" / "manus.toml"
    (folder / "full.toml").write_bytes(shipped.read_bytes())
    return ["changes.toml", "full.toml"][:most]


def ask_protocol(piece: Piece) -> Answer:
    """Damage a protocol and read it."""
    whole = (piece.folder / piece.base).read_bytes()
    mutation = _damage_protocol(whole, piece.seed)
    path = piece.place / "damaged.toml"
    path.write_bytes(mutation.data)
    return answer(mutation.what, lambda: _judge(piece.folder / piece.base, path))


def _damage_protocol(whole: bytes, seed: int) -> Mutation:
    rng = np.random.default_rng(seed)
    if rng.random() < 0.4:
        return damage(whole, seed)
    lines = whole.decode().splitlines()
    places = [k for k, line in enumerate(lines) if "=" in line and not line.startswith("#")]
    k = int(rng.choice(places))
    name, _, value = lines[k].partition("=")
    how = int(rng.integers(5))
    if how == 0:
        lines[k] = ""
    elif how == 1:
        lines[k] = f"{name.rstrip()}x = {value}"
    elif how == 2:
        lines.insert(k, lines[k])
    else:
        lines[k] = f"{name}= {_VALUES[int(rng.integers(len(_VALUES)))]}"
    return Mutation(f"line {k + 1}: {name.strip()} becomes {lines[k][:60]!r}", "\n".join(lines).encode(), ())


def _judge(whole: Path, path: Path) -> tuple[Outcome, str]:
    record, before = read_protocol(path).record(), read_protocol(whole).record()
    # What is not named goes by the file.
    changed = {at for at in _differences(before, record) if at != "name"}
    written = set(_differences(_toml(whole), _toml(path)))
    if not changed:
        # What is left away is taken from the protocol that this one extends, and may be the same.
        over = [at for at in sorted(written) if _holds(_toml(path), at)]
        return (Outcome.WRONG, f"passed over: {over[:5]}") if over else (Outcome.RIGHT, "the same rules")
    if not written:
        return Outcome.WRONG, f"changed unasked: {sorted(changed)[:5]}"
    return Outcome.LISTED, ", ".join(sorted(changed))[:200]


def _toml(path: Path) -> Any:
    return tomllib.loads(path.read_bytes().decode("utf-8-sig"))


def _differences(a: Any, b: Any, at: str = "") -> Iterator[str]:
    """Yield where two nested values differ; lists of named tables are compared by their names."""
    a, b = _named(a), _named(b)
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        for key in {*a, *b}:
            yield from _differences(a.get(key), b.get(key), f"{at}.{key}".strip("."))
    elif json.dumps(a, default=str, sort_keys=True) != json.dumps(b, default=str, sort_keys=True):
        yield at


def _holds(value: Any, at: str) -> bool:
    """Tell whether something stands at a place of nested tables."""
    for name in at.split("."):
        value = _named(value)
        if not isinstance(value, Mapping) or name not in value:
            return False
        value = value[name]
    return True


def _named(value: Any) -> Any:
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        return {str(one.get("name") or one.get("id")): one for one in value}
    return value
