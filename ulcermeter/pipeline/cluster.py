"""Work on a dask cluster's machines: who may take part, who has what, and what a worker that dies costs.

Each piece is given to one worker by name, and only as many as it has threads and one more: so it is known here what a
dead worker was at, nothing piles up on the cluster, and a worker that comes late is looked at like the first. Dask's
own retries would let a photo that kills its worker kill three more, and blame its neighbours.
"""

from __future__ import annotations

import contextlib
import logging
import math
import queue
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from ulcermeter.errors import MissingDependencyError, Problem, UlcermeterError, UnfinishedError
from ulcermeter.isolation import Fate, Limits, Lost
from ulcermeter.pipeline.on_worker import Setting, end_kept, measure_kept, setting_here
from ulcermeter.pipeline.shares import Shares

__all__ = ["Cluster", "cluster_at"]

_log = logging.getLogger(__name__)

# How long a scheduler may take to answer, s (assumption: it is in the same network).
_ANSWER_S = 10.0
# How often it is asked which workers there are, s: what a dead worker had is given to others after that.
_LOOK_EVERY_S = 1.0
_GO_ON = "run again: what was measured so far is kept and not measured anew"


class Future(Protocol):
    """A result that a cluster will have, such as dask's Future."""

    def result(self, timeout: float) -> Any:
        """Fetch it."""

    def add_done_callback(self, fn: Callable[[Future], None]) -> None:
        """Be told when it is there, or never will be."""

    def cancel(self) -> None:
        """Want it no more."""


class Client(Protocol):
    """What is used of dask's Client."""

    def nthreads(self) -> Mapping[str, int]:
        """Say how many threads each worker has, by address."""

    def submit(self, work: Callable[..., Any], /, *given: Any, workers: Sequence[str], pure: bool) -> Future:
        """Have something done by one of these workers."""

    def run(self, work: Callable[..., Any], /, *given: Any, workers: Sequence[str], on_error: str) -> Mapping[str, Any]:
        """Have something done at once by all of these workers; return what each says, or its error."""


@contextmanager
def cluster_at(scheduler: str, *, files: Sequence[str | Path] = (), wait_s: float = 60.0) -> Iterator[Cluster | None]:
    """Reach a dask scheduler and see that its workers can do this run, before anything is written or measured.

    Parameters
    ----------
    scheduler : str
        ``processes``, or the address of a dask scheduler (``tcp://host:8786``) whose workers see the same files.
    files : sequence of str or Path
        Files that every worker must see as they are here.
    wait_s : float
        How long to wait for workers while there are none, s.

    Yields
    ------
    Cluster or None
        None for ``processes``.

    Raises
    ------
    MissingDependencyError
        A dask address without the extra ``cluster``.
    UlcermeterError
        A file is not named by its whole path, which another machine needs; the dask scheduler does not answer, has no
        workers, or has one that computes with other versions or sees other files.
    """
    if scheduler == "processes":
        yield None
        return
    _check_whole(scheduler, files)
    client = _reached(scheduler)
    try:
        cluster = Cluster(client, scheduler, needed=setting_here([str(path) for path in files]), wait_s=wait_s)
        cluster.wait_for_workers()
        yield cluster
    finally:
        with contextlib.suppress(Exception):  # a scheduler that is gone takes no leave
            client.close(timeout=2)


def _check_whole(scheduler: str, files: Sequence[str | Path]) -> None:
    relative = [str(path) for path in files if not Path(path).is_absolute()]
    if relative:
        raise UlcermeterError(
            Problem(
                where=f"--scheduler {scheduler}",
                expected="whole paths, which mean the same on every machine",
                got=", ".join(relative),
                action="write them from the root on",
            )
        )


def _reached(scheduler: str) -> Any:
    """Connect, and leave what is said of the connection to this room: where nobody else set up dask's log."""
    try:
        import dask

        if "distributed" not in sys.modules:
            talkers = ("distributed", "distributed.client", "tornado", "tornado.application", "asyncio")
            quiet = dict.fromkeys(talkers, "critical")
            dask.config.set({"logging": quiet})
        from distributed import Client as DaskClient
    except ImportError as error:
        raise MissingDependencyError(
            Problem(
                where=f"--scheduler {scheduler}",
                expected="dask",
                got="none",
                action="install ulcermeter[cluster], or leave the option away",
            )
        ) from error
    try:
        # Asked before a client is made of it, which would wait for itself at its end.
        if urlsplit(scheduler if "://" in scheduler else f"tcp://{scheduler}").port is None:
            raise ValueError("an address without a port")
        return DaskClient(scheduler, timeout=_ANSWER_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UlcermeterError(
            Problem(
                where=f"--scheduler {scheduler}",
                expected="a dask scheduler that answers",
                got=f"none ({error})",
                action="check the address, such as tcp://host:8786",
            )
        ) from error


class Cluster:
    """A dask cluster whose workers are looked at before they are given anything.

    Parameters
    ----------
    client : Client
        Connected.
    scheduler : str
        Its address, as the person wrote it.
    needed : Setting
        What every worker must have.
    wait_s : float
        How long to wait for workers while there are none, s.
    """

    def __init__(self, client: Client, scheduler: str, *, needed: Setting, wait_s: float) -> None:
        self.client, self._scheduler, self._needed, self._wait_s = client, scheduler, needed, wait_s
        self.threads: dict[str, int] = {}
        self._unfit: dict[str, str] = {}
        self._looked_at, self._had_some_at = -math.inf, time.monotonic()
        self._begun = self.gone = False

    def wait_for_workers(self) -> None:
        """Wait until there is a worker; all that are there must be fit, since whoever set them up meant them to be.

        Raises
        ------
        UlcermeterError
            There is none in time, or one that is not fit, or the scheduler is gone.
        """
        try:
            self.update_workers()
            while not (self.threads or self._unfit):
                time.sleep(min(_LOOK_EVERY_S, self._wait_s / 10))
                self.update_workers()
        except UnfinishedError as error:  # nothing was begun
            raise UlcermeterError(error.problems) from error
        if self._unfit:
            raise UlcermeterError(_unfit_worker(*one) for one in self._unfit.items())
        self._begun = True

    def each(self, work: Callable[[Any], Any], pieces: Sequence[Any], *, limits: Limits) -> Iterator[tuple[int, Any]]:
        """Do the same work on each piece, as `ulcermeter.isolation.Workers.each` does on this machine.

        Parameters
        ----------
        work : callable
            A function of a module, called with a piece in a process of its own on a worker's machine.
        pieces : sequence
            Each is pickled, and so is what comes of it.
        limits : Limits
            Of each piece.

        Yields
        ------
        (int, Any)
            The piece's place in the sequence and the result, or `Lost`. In no fixed order.

        Raises
        ------
        UnfinishedError
            The scheduler is gone, there were no workers for too long, or a worker cannot do the work.
        """
        ordered = _Orders(self, work, pieces, limits)
        try:
            yield from ordered.results()
        finally:
            ordered.end()

    def update_workers(self) -> list[str]:
        """See which workers are there, look new ones over, and return those that are gone.

        Raises
        ------
        UnfinishedError
            The scheduler is gone, or there were no workers for too long.
        """
        now = time.monotonic()
        if now - self._looked_at < _LOOK_EVERY_S:
            return []
        there, settings = self._ask()
        for worker, setting in settings.items():
            self._admit(worker, there[worker], setting)
        gone = [worker for worker in self.threads if worker not in there]
        for worker in gone:
            del self.threads[worker]
        self._looked_at = now
        if self.threads:
            self._had_some_at = now
        elif now - self._had_some_at > self._wait_s:
            raise UnfinishedError(self._no_workers())
        return gone

    def _ask(self) -> tuple[Mapping[str, int], Mapping[str, Setting | Exception]]:
        """Return every worker's threads, and what new workers say of themselves."""
        try:
            there = self.client.nthreads()
            new = [worker for worker in there if worker not in self.threads and worker not in self._unfit]
            files = list(self._needed.files)
            return there, self.client.run(setting_here, files, workers=new, on_error="return") if new else {}
        except Exception as error:  # whatever the connection raises
            raise UnfinishedError(self.broken(error)) from error

    def _admit(self, worker: str, threads: int, setting: Setting | Exception) -> None:
        """Let a new worker take part, or keep in mind why it cannot."""
        if isinstance(setting, OSError):  # gone again
            return
        if differing := self._needed.differences(setting):
            self._unfit[worker] = differing
            if self._begun:
                _log.warning("%s", _unfit_worker(worker, differing))
        else:
            self.threads[worker] = threads

    def broken(self, error: Exception) -> Problem:
        """Say that the cluster failed us: its scheduler is gone, or a worker cannot do the work."""
        self.gone = isinstance(error, OSError | CancelledError)
        got = "none: its scheduler is gone" if self.gone else " ".join(f"{type(error).__name__}: {error}".split())
        return Problem(
            where=f"--scheduler {self._scheduler}",
            expected="a cluster that measures photos",
            got=got,
            action=f"see to it and {_GO_ON}",
        )

    def _no_workers(self) -> Problem:
        unfit = "".join(f"; {worker} is not used: {why}" for worker, why in self._unfit.items())
        return Problem(
            where=f"--scheduler {self._scheduler}",
            expected="workers",
            got=f"none for {self._wait_s:g} s (--wait){unfit}",
            action=f"see that some are started and {_GO_ON}",
        )


class _Orders:
    """The pieces of one call, with the workers that have them."""

    def __init__(self, cluster: Cluster, work: Callable[[Any], Any], pieces: Sequence[Any], limits: Limits) -> None:
        self._cluster, self._work, self._pieces, self._limits = cluster, work, pieces, limits
        self._run = uuid.uuid4().hex
        self._shares = Shares(len(pieces))
        self._given: dict[int, Future] = {}
        self._arrived = queue.SimpleQueue[tuple[int, Future]]()
        self._patience_s = defaultdict[int, float](lambda: _LOOK_EVERY_S)

    def results(self) -> Iterator[tuple[int, Any]]:
        while self._shares.left:
            for worker in self._cluster.update_workers():
                for number in self._shares.of(worker):
                    self._given[number].cancel()
                    yield from self._after_a_death(number)
            for worker, threads in self._cluster.threads.items():
                while (free := self._shares.next_for(worker, threads)) is not None:
                    self._give(worker, free)
            yield from self._next()

    def end(self) -> None:
        """Want nothing any more, and have the workers end what they kept for this."""
        if self._cluster.gone:
            return
        with contextlib.suppress(Exception):  # it may go just now
            for future in self._given.values():
                future.cancel()
            workers = list(self._cluster.threads)
            self._cluster.client.run(end_kept, self._run, workers=workers, on_error="ignore")

    def _give(self, worker: str, number: int) -> None:
        order = (self._run, self._work, self._pieces[number], self._limits)
        future = self._cluster.client.submit(measure_kept, *order, workers=[worker], pure=False)
        future.add_done_callback(lambda done: self._arrived.put((number, done)))
        self._given[number] = future

    def _next(self) -> Iterator[tuple[int, Any]]:
        """Wait a little for a next result, and yield it if it comes."""
        try:
            number, future = self._arrived.get(timeout=_LOOK_EVERY_S)
        except queue.Empty:
            return
        if self._given.get(number) is not future:  # it was taken back
            return
        try:
            came = future.result(timeout=self._patience_s[number])
        except TimeoutError:  # its worker may be gone, which is seen next; or the network is slow
            self._patience_s[number] *= 2
            self._arrived.put((number, future))
        except Exception as error:
            if type(error).__name__ != "KilledWorker":  # dask's own word, where it may not even try twice
                raise UnfinishedError(self._cluster.broken(error)) from error
            yield from self._after_a_death(number)
        else:
            del self._given[number]
            self._shares.done(number)
            yield number, came

    def _after_a_death(self, number: int) -> Iterator[tuple[int, Lost]]:
        """Take a piece back from a worker that died, and yield it if it is given up."""
        del self._given[number]
        if self._shares.worker_died(number):
            yield number, Lost(Fate.CRASHED, "its worker on the cluster, twice", self._limits)


def _unfit_worker(worker: str, why: str) -> Problem:
    return Problem(
        where=f"worker {worker}",
        expected="one that computes with the same versions and sees the same files as this machine",
        got=f"one with {why}",
        action="set it up like this machine: it is given no photos",
    )
