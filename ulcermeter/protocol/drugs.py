"""Drugs and routes as clinics write them: brands, salts and forms of a known word, or what only nearly is one."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ulcermeter.protocol.rules import Protocol

__all__ = ["INTRAVENOUS", "ReadWord", "is_drug", "read_drug", "read_route"]

INTRAVENOUS = "iv"
_OTHER_ROUTE = "not intravenous"
# One letter of five wrong, missing or too many. Of the other drugs in -prost none comes nearer than 0.74.
_ALIKE = 0.8
_UNITS = frozenset(["mcg", "ug", "mg", "ng", "ml", "l", "kg", "min", "h", "hr", "hrs", "d", "day", "days", "per", "x"])


@dataclass(frozen=True)
class ReadWord:
    """How a cell was read.

    Attributes
    ----------
    meant : str
        The drug, or ``iv``, that it is or may be; empty for none that is known.
    sure : bool
        It is that; where it is not sure and `meant` is given, it only may be.
    as_written : bool
        The cell holds that very word.
    """

    meant: str
    sure: bool
    as_written: bool = True


def read_drug(text: str, protocol: Protocol) -> ReadWord:
    """Read a drug's name: one of the protocol's prostacyclins, by its name, brand or salt, nearly one, or another drug.

    Doses and forms (``Ilomedin 50 µg/0.5 ml``) are passed over; a known name beside words that are not is not sure.

    Parameters
    ----------
    text : str
        A cell's text.
    protocol : Protocol
        The trial's rules.

    Returns
    -------
    ReadWord
    """
    rules = protocol.refractory
    names = {name.casefold(): (name, *rules.prostacyclin_names.get(name, ())) for name in rules.prostacyclins}
    return _read(text, names, rules.drug_forms)


def is_drug(text: str, drugs: Sequence[str], protocol: Protocol) -> bool | None:
    """Say whether a cell names one of these drugs, by its name or one that the protocol knows for it.

    Parameters
    ----------
    text : str
        A cell's text.
    drugs : sequence of str
    protocol : Protocol
        The trial's rules.

    Returns
    -------
    bool or None
        None for an empty cell, a name nearly one of them, or one beside words that are not known.
    """
    rules = protocol.refractory
    names = {drug.casefold(): (drug, *rules.prostacyclin_names.get(drug.casefold(), ())) for drug in drugs}
    found = _read(text, names, rules.drug_forms)
    if found.sure:
        return True
    return None if found.meant or not text.strip() else False


def read_route(text: str, protocol: Protocol) -> ReadWord:
    """Read a route: surely intravenous, surely not (`meant` is then ``not intravenous``), or not known.

    Parameters
    ----------
    text : str
        A cell's text.
    protocol : Protocol
        The trial's rules.

    Returns
    -------
    ReadWord
    """
    rules = protocol.refractory
    names = {INTRAVENOUS: rules.intravenous_routes, _OTHER_ROUTE: rules.other_routes}
    return _read(text, names, rules.route_forms)


def _read(text: str, names: Mapping[str, Sequence[str]], forms: Iterable[str]) -> ReadWord:
    words, spoken = list(_words(text)), []
    phrases = [(_words(phrase), meant) for meant, listed in names.items() for phrase in listed]
    for phrase, meant in sorted(phrases, key=lambda pair: -len(pair[0])):
        for start in range(len(words) - len(phrase), -1, -1):
            if tuple(words[start : start + len(phrase)]) == phrase:
                spoken.append(meant)
                words[start : start + len(phrase)] = []
    passed_over = {word for form in forms for word in _words(form)}
    others = [word for word in words if word not in passed_over]
    if spoken:
        plain = {name.casefold() for name in (*names, *names.get(INTRAVENOUS, ()), *names.get(_OTHER_ROUTE, ()))}
        written = text.strip().casefold() in plain
        return ReadWord(spoken[0], len(set(spoken)) == 1 and not others, written)
    known = {phrase[0]: meant for phrase, meant in phrases if len(phrase) == 1}
    for word in others:
        if close := difflib.get_close_matches(word, known, n=1, cutoff=_ALIKE):
            return ReadWord(known[close[0]], False, False)
    return ReadWord("", False, False)


@lru_cache(maxsize=4096)
def _words(text: str) -> tuple[str, ...]:
    """Return words in plain small letters, without numbers and units; ``i.v.``, ``I/V`` and ``i. v.`` are ``iv``."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign)).replace("μ", "u")
    plain = re.sub(r"\b([a-z])[./\s]+([a-z])\b\.?", r"\1\2", plain)
    found = re.findall(r"[a-z0-9]+", re.sub(r"(?<=\d)[.,](?=\d)", "", plain))
    return tuple(word for word in found if not word[0].isdigit() and word not in _UNITS)
