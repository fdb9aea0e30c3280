"""How fast the results of a run come, and how long the rest will take."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from datetime import timedelta

__all__ = ["Pace"]

# What came in the last minute counts: workers come and go, photos differ (assumption: a minute evens out photos).
_RECENT_S = 60.0


class Pace:
    """What came when; what an earlier run measured does not count, since it comes at once.

    Parameters
    ----------
    clock : callable, optional
        Returns seconds; the system's when not given.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._recent = deque[tuple[float, int]]()
        self._total = 0

    def note(self, done: int, total: int, result: object) -> None:
        """Take note of a result; None says that measuring begins now, with so many done before."""
        now = self._clock()
        if result is None:
            self._recent.clear()
        self._recent.append((now, done))
        self._total = total
        while len(self._recent) > 2 and self._recent[1][0] <= now - _RECENT_S:
            self._recent.popleft()

    @property
    def per_s(self) -> float | None:
        """Results a second; None before the first."""
        if len(self._recent) < 2:
            return None
        (start, before), (end, done) = self._recent[0], self._recent[-1]
        return (done - before) / (end - start) if end > start else None

    @property
    def left_s(self) -> float | None:
        """Seconds until all are there, at this pace; None before the first."""
        per_s = self.per_s
        return (self._total - self._recent[-1][1]) / per_s if per_s else None

    def __str__(self) -> str:
        """Return both for a progress bar; empty before the first result."""
        per_s, left_s = self.per_s, self.left_s
        return "" if per_s is None or left_s is None else f"{per_s:.2f}/s, {timedelta(seconds=round(left_s))} left"
