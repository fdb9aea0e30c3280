"""What can go wrong, in one family, so that a caller can tell a result from a fault.

Every message is one clear sentence or a list of them: what was expected, what was got, what to do next. What to do
stands last, behind a semicolon or, in a gate's short sentence, behind a colon; `what_to_do` takes it out.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = [
    "MissingDependencyError",
    "ModelError",
    "PhotoError",
    "ProtocolError",
    "Refusal",
    "StudyError",
    "TableError",
    "UlcermeterError",
    "UnfinishedError",
    "what_to_do",
]


def what_to_do(sentence: str) -> str:
    """Return what a sentence tells a person to do: its part behind the last semicolon, else behind the last colon.

    Empty where it tells nothing: no such part, or one that only says what was expected.
    """
    mark = "; " if "; " in sentence else ": "
    told = sentence.rpartition(mark)[2].strip().rstrip(".") if mark in sentence else ""
    return "" if told.startswith("expected") else told


class UlcermeterError(Exception):
    """The base of every error ulcermeter raises on purpose."""


class PhotoError(UlcermeterError):
    """A photo, or a file that goes with it, cannot be used: unreadable, too large, not a picture.

    The photo's row gets the status *failed*.
    """


class Refusal(UlcermeterError):  # noqa: N818 - a refusal is a result, not an error
    """A readable photo that must not be measured: no reference, a gate not passed.

    The photo's row gets the status *refused*. Each sentence says how to take the photo again; several are told
    together.
    """

    def __init__(self, *sentences: str) -> None:
        self.sentences = sentences
        super().__init__("; ".join(sentences))

    @property
    def instruction(self) -> str:
        """What to do, of all sentences; each thing once."""
        return "; ".join(dict.fromkeys(filter(None, map(what_to_do, self.sentences))))


class UnfinishedError(UlcermeterError):
    """A run that could not be finished, for a full disk or a fault of ours: what was measured is kept."""


class ModelError(UlcermeterError):
    """A segmentation model that is missing, damaged or of another kind."""


class MissingDependencyError(UlcermeterError):
    """A package that an optional feature needs is not installed; the message names the extra."""


class _Faults(UlcermeterError):
    """An error that reports all its faults together."""

    def __init__(self, faults: str | Iterable[str]) -> None:
        self.faults: tuple[str, ...] = (faults,) if isinstance(faults, str) else tuple(faults)
        super().__init__("\n".join(self.faults))


class TableError(_Faults):
    """A table breaks its contract in `ulcermeter.tables`."""


class ProtocolError(_Faults):
    """A protocol file breaks its rules; all faults are listed."""


class StudyError(_Faults):
    """A study folder is wrong and nothing was written; all faults are listed."""
