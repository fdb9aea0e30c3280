"""What can go wrong, in one family, so that a caller can tell a result from a fault.

Every message is one clear sentence or a list of them: what was expected, what was got, what to do next.
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
]


class UlcermeterError(Exception):
    """The base of every error ulcermeter raises on purpose."""


class PhotoError(UlcermeterError):
    """A photo, or a file that goes with it, cannot be used: unreadable, too large, not a picture.

    The photo's row gets the status *failed*.
    """


class Refusal(UlcermeterError):  # noqa: N818 - a refusal is a result, not an error
    """A readable photo that must not be measured: no reference, a gate not passed.

    The photo's row gets the status *refused*; the message says how to take the photo again.
    """


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
