"""Processes that outlive a run, so that the many runs of the tests do not each wait for Python to start and import.

Nothing else changes: each photo still goes through `ulcermeter.isolation` to a process of its own. A process is taken
again only where it would be started alike: same limits, same working folder, same environment, same path.
"""

from __future__ import annotations

import os
import sys
from types import TracebackType

import pytest

from ulcermeter.isolation import Limits, Workers

_Key = tuple[object, ...]
_START, _END = Workers.__init__, Workers.__exit__


class KeptProcesses:
    """The processes that wait for a next run."""

    def __init__(self) -> None:
        self._waiting: dict[_Key, list] = {}

    def keep(self, patch: pytest.MonkeyPatch) -> None:
        """Have every `Workers` take its processes from here and give them back."""
        patch.setattr(Workers, "__init__", lambda workers, **given: self._start(workers, **given))
        patch.setattr(Workers, "__exit__", lambda workers, *error: self._end(workers, *error))

    @staticmethod
    def leave_alone(patch: pytest.MonkeyPatch) -> None:
        """Have every `Workers` start and end processes of its own, as outside the tests."""
        patch.setattr(Workers, "__init__", _START)
        patch.setattr(Workers, "__exit__", _END)

    def close(self) -> None:
        """End them all."""
        for workers in self._waiting.values():
            for worker in workers:
                worker.close()

    def _start(self, workers: Workers, *, jobs: int = 1, limits: Limits | None = None) -> None:
        _START(workers, jobs=jobs, limits=limits)
        workers.started_alike = _key(limits or Limits())
        waiting = self._waiting.get(workers.started_alike, [])
        workers._workers = [waiting.pop() if waiting else new for new in workers._workers]

    def _end(
        self, workers: Workers, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if error is not None:  # perhaps stopped in the midst of a photo
            _END(workers, kind, error, at)
        else:
            self._waiting.setdefault(workers.started_alike, []).extend(workers._workers)


def _key(limits: Limits) -> _Key:
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    return limits, os.getcwd(), tuple(sorted(environment.items())), tuple(sys.path)
