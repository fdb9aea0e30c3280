"""A name that a person typed, against the names there are."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from ulcermeter.errors import Problem, UlcermeterError

__all__ = ["unknown_name"]


def unknown_name(
    what: str, name: str, known: Iterable[str], *, listed_by: str, near: Sequence[str] = ()
) -> UlcermeterError:
    """Return the error for a name that is not known: names near it, or all where they are few.

    Parameters
    ----------
    what : str
        The kind of thing, for example ``topic``.
    name : str
        As the person typed it.
    known : iterable of str
        The names there are.
    listed_by : str
        The command that lists them.
    near : sequence of str
        Names that are meant most likely; none: those that are spelt alike.

    Returns
    -------
    UlcermeterError
    """
    names = list(dict.fromkeys(known))
    near = near or difflib.get_close_matches(name.casefold(), names, n=3, cutoff=0.6)
    near = near or [other for other in names if len(name) > 2 and name.casefold() in other][:3]
    expected = f"such as {', '.join(near)}" if near else f"one of {', '.join(names)}"
    action = f"see all of them with {listed_by}"
    return UlcermeterError(Problem(expected=f"a {what} {expected}", got=f"'{name}'", action=action))
