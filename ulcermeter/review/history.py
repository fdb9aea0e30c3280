"""What can be undone of a reading: the way that it went through the log."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["REDO", "UNDO", "History"]

UNDO, REDO = "undo", "redo"


@dataclass
class History:
    """The states of one reading as numbers of the entries that hold them; 0 for nothing read.

    Attributes
    ----------
    photo_sha256 : str
        The photo that it is of: of another one under the same name nothing is undone.
    now : int
        The last entry's number.
    before, undone : list of int
        What `UNDO` and `REDO` lead to, the next one last.
    """

    photo_sha256: str
    now: int = 0
    before: list[int] = field(default_factory=list)
    undone: list[int] = field(default_factory=list)

    def add(self, number: int, action: str) -> None:
        """Take note of an entry and what was done there.

        Parameters
        ----------
        number : int
        action : str
        """
        if action == UNDO and self.before:
            self.before.pop()
            self.undone.append(self.now)
        elif action == REDO and self.undone:
            self.undone.pop()
            self.before.append(self.now)
        else:
            self.before.append(self.now)
            self.undone.clear()
        self.now = number

    def next_of(self, action: str) -> int | None:
        """Return the number of the state that undo or redo leads to; None where there is none.

        Parameters
        ----------
        action : {'undo', 'redo'}

        Returns
        -------
        int or None
        """
        states = self.before if action == UNDO else self.undone
        return states[-1] if states else None
