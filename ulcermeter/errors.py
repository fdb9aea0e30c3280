"""What can go wrong, in one family, so that a caller can tell a result from a fault.

Every error carries `Problem`s: what was expected, what was got, what to do, and where. Its message is made of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

__all__ = [
    "MissingDependencyError",
    "ModelError",
    "PhotoError",
    "Problem",
    "ProtocolError",
    "Refusal",
    "StudyError",
    "TableError",
    "UlcermeterError",
    "UnfinishedError",
]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes
    ----------
    got : str
        What was found. Where nothing was expected in particular it says all, such as a gate's *tilt 41° (limit 35°)*.
    expected : str
        What should have been there; empty where `got` says it.
    action : str
        What a person is to do, as an order; empty where that is plain.
    where : str
        The file, cell, reference or option it is about.
    """

    got: str
    expected: str = ""
    action: str = ""
    where: str = ""

    def __str__(self) -> str:
        """Return one sentence: a gate's short one, or where, expected, got and what to do."""
        head = f"{self.where}: " if self.where else ""
        if not self.expected:
            return f"{head}{self.got}: {self.action}" if self.action else f"{head}{self.got}"
        tail = f"; {self.action}." if self.action else "."
        sentence = f"{head}expected {self.expected}, got {self.got}{tail}"
        return sentence if head else f"E{sentence[1:]}"

    def at(self, where: str) -> Problem:
        """Return the same problem at a place that only the caller knows."""
        return replace(self, where=f"{where}: {self.where}" if self.where else where)


class UlcermeterError(Exception):
    """The base of every error ulcermeter raises on purpose: all problems together.

    Attributes
    ----------
    problems : tuple of Problem
    """

    parted_by = "\n"

    def __init__(self, *problems: Problem | Iterable[Problem]) -> None:
        flat = [one for given in problems for one in ([given] if isinstance(given, Problem) else given)]
        self.problems = tuple(dict.fromkeys(flat))
        super().__init__(self.parted_by.join(map(str, self.problems)))

    def __reduce__(self) -> tuple[type[UlcermeterError], tuple[Problem, ...]]:
        """Come back whole from another process."""
        return type(self), self.problems

    @property
    def instruction(self) -> str:
        """What to do, of all problems; each thing once."""
        return "; ".join(dict.fromkeys(problem.action for problem in self.problems if problem.action))


class PhotoError(UlcermeterError):
    """A photo, or a file that goes with it, cannot be used: unreadable, too large, not a picture.

    The photo's row gets the status *failed*.
    """


class Refusal(UlcermeterError):  # noqa: N818 - a refusal is a result, not an error
    """A readable photo that must not be measured: no reference, a gate not passed.

    The photo's row gets the status *refused*. Each problem says how to take the photo again; several are told together.
    """

    parted_by = "; "


class UnfinishedError(UlcermeterError):
    """A run that could not be finished, for a full disk or a fault of ours: what was measured is kept."""


class ModelError(UlcermeterError):
    """A segmentation model that is missing, damaged or of another kind."""


class MissingDependencyError(UlcermeterError):
    """A package that an optional feature needs is not installed; the problem names the extra."""


class TableError(UlcermeterError):
    """A table breaks its contract in `ulcermeter.tables`."""


class ProtocolError(UlcermeterError):
    """A protocol file breaks its rules; all faults are listed."""


class StudyError(UlcermeterError):
    """A study folder is wrong and nothing was written; all faults are listed."""
