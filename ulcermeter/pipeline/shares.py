"""Which worker of a cluster has which piece, and what becomes of the pieces of a worker that dies."""

from __future__ import annotations

from collections import Counter, defaultdict, deque

__all__ = ["Shares"]

# A piece whose worker died is done again, alone on a worker; when that one dies too, the piece is given up.
_DEATHS = 2


class Shares:
    """Pieces of work, handed to workers by name; each is waiting, with one worker, done or given up.

    Which of its pieces a worker died of is not known, so all of them are suspect: while there are any, only they are
    handed out, one a worker. A piece that ends its worker costs two of them, its neighbours none of theirs.

    Parameters
    ----------
    count : int
        How many pieces; they are named by number from 0.
    """

    def __init__(self, count: int) -> None:
        self._waiting, self._suspect = deque(range(count)), deque[int]()
        self._deaths: Counter[int] = Counter()
        self._worker_of: dict[int, str] = {}
        self._has = defaultdict[str, list[int]](list)

    @property
    def left(self) -> int:
        """How many are neither done nor given up."""
        return len(self._waiting) + len(self._suspect) + len(self._worker_of)

    def next_for(self, worker: str, threads: int) -> int | None:
        """Hand a worker its next piece; None while it has enough.

        Parameters
        ----------
        worker : str
        threads : int
            It gets one piece more than that, so that it does not wait for the next; a suspect it does alone.

        Returns
        -------
        int or None
        """
        has = self._has[worker]
        if any(self._deaths[number] for number in has):
            return None
        if self._suspect:
            if has:
                return None
            number = self._suspect.popleft()
        elif self._waiting and len(has) <= threads:
            number = self._waiting.popleft()
        else:
            return None
        self._worker_of[number] = worker
        has.append(number)
        return number

    def of(self, worker: str) -> list[int]:
        """Return what a worker has."""
        return list(self._has[worker])

    def done(self, number: int) -> None:
        """Take a piece off the list."""
        self._has[self._worker_of.pop(number)].remove(number)

    def worker_died(self, number: int) -> bool:
        """Take a piece back from a worker that died; tell whether it is given up for it.

        Parameters
        ----------
        number : int

        Returns
        -------
        bool
        """
        self.done(number)
        self._deaths[number] += 1
        if self._deaths[number] >= _DEATHS:
            return True
        self._suspect.append(number)
        return False
