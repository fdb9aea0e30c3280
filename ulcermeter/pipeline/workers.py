"""Measuring many photo rows: in this process, in several, or on a dask cluster; results come as they are done."""

from __future__ import annotations

import logging
import os
import sys
import types
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import SpawnContext, SpawnProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ulcermeter.datatypes import LensProfile, PhotoResult
from ulcermeter.errors import MissingDependencyError, UlcermeterError

if TYPE_CHECKING:
    from ulcermeter.protocol import Protocol

__all__ = ["Task", "cluster_at", "run_tasks", "use_one_thread"]

_log = logging.getLogger(__name__)
# Read by the mathematics libraries when they are loaded, so they must stand before a worker starts.
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@dataclass(frozen=True)
class Task:
    """One photo row to measure.

    Attributes
    ----------
    key : str
        Of the result in the store.
    row : dict
        Of the study's photos.csv.
    """

    key: str
    row: dict[str, Any]
    protocol: Protocol
    root: Path
    model: str | Path | None = None
    lens: LensProfile | None = None
    run_id: str = ""
    first_label: int = 1


def use_one_thread() -> None:
    """Keep every library to one thread, so that sums come out alike however many processes run."""
    for name in _THREAD_VARIABLES:
        os.environ.setdefault(name, "1")
    import cv2

    cv2.setNumThreads(1)


@contextmanager
def cluster_at(scheduler: str) -> Iterator[Any]:
    """Reach a dask scheduler, before anything is written or measured.

    Parameters
    ----------
    scheduler : str
        ``processes``, or the address of a dask scheduler (``tcp://host:8786``) whose workers see the same files.

    Yields
    ------
    Client or None
        None for ``processes``.

    Raises
    ------
    MissingDependencyError
        A dask address without the extra ``cluster``.
    UlcermeterError
        The dask scheduler does not answer.
    """
    if scheduler == "processes":
        yield None
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingDependencyError(
            f"--scheduler {scheduler}: expected dask, got none; install ulcermeter[cluster], or leave the option away."
        ) from error
    try:
        client = Client(scheduler, timeout=10)
    except (OSError, ValueError) as error:
        raise UlcermeterError(
            f"--scheduler {scheduler}: expected a dask scheduler that answers, got: {error}; check the address."
        ) from error
    with client:
        yield client


def run_tasks(tasks: Sequence[Task], *, jobs: int = 1, cluster: Any = None) -> Iterator[tuple[Task, PhotoResult]]:
    """Measure rows and yield each with its result as soon as it is done, in no fixed order.

    Parameters
    ----------
    tasks : sequence of Task
    jobs : int
        Processes at once; 1 measures in this one.
    cluster : Client, optional
        See `cluster_at`; its workers measure instead.
    """
    if cluster is not None:
        yield from _on_cluster(tasks, cluster)
    elif jobs <= 1 or len(tasks) <= 1:
        use_one_thread()
        for task in tasks:
            yield task, _measure(task)
    else:
        yield from _in_processes(tasks, jobs)


def _measure(task: Task) -> PhotoResult:
    from ulcermeter.pipeline.one_photo import measure_photo

    return measure_photo(
        task.row,
        task.protocol,
        root=task.root,
        model=task.model,
        lens=task.lens,
        run_id=task.run_id,
        first_label=task.first_label,
    )


def _in_processes(tasks: Sequence[Task], jobs: int) -> Iterator[tuple[Task, PhotoResult]]:
    """Measure in fresh processes (spawned: a forked one can hang in a library's threads)."""
    waiting = list(tasks)
    try:
        with _pool(min(jobs, len(tasks))) as pool:
            futures = {pool.submit(_measure, task): task for task in tasks}
            try:
                for future in as_completed(futures):
                    result = future.result()
                    waiting.remove(futures[future])
                    yield futures[future], result
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    except BrokenProcessPool:
        _log.warning("a measuring process died; the photos left are measured one by one")
        yield from _one_by_one(waiting)


def _one_by_one(tasks: Sequence[Task]) -> Iterator[tuple[Task, PhotoResult]]:
    """Give each row a process of its own, so that a row that kills its process takes no other one with it."""
    for task in tasks:
        with _pool(1) as pool:
            future: Future[PhotoResult] = pool.submit(_measure, task)
            try:
                result = future.result()
            except BrokenProcessPool:
                reason = "a fault of ours: the measuring process died on this photo, perhaps for want of memory"
                row = {
                    k: task.row.get(k, "") for k in ("photo", "subject_id", "visit", "date", "hand", "finger", "view")
                }
                again = "run again with fewer --jobs; if it dies again, save the photo smaller"
                told = {"status": "failed", "reason": f"{reason}; {again}", "instruction": again, "n_ulcers": 0}
                result = PhotoResult({**row, **told})
        yield task, result


class _BareProcess(SpawnProcess):
    """A spawned process that does not import the caller's script, which may lack its ``__name__`` guard."""

    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # multiprocessing's name for starting one
        main = sys.modules["__main__"]
        sys.modules["__main__"] = types.ModuleType("__main__")
        try:
            return SpawnProcess._Popen(process_obj)
        finally:
            sys.modules["__main__"] = main


class _BareContext(SpawnContext):
    Process = _BareProcess


def _pool(jobs: int) -> ProcessPoolExecutor:
    for name in _THREAD_VARIABLES:
        os.environ.setdefault(name, "1")
    return ProcessPoolExecutor(max_workers=jobs, mp_context=_BareContext(), initializer=use_one_thread)


def _on_cluster(tasks: Sequence[Task], client: Any) -> Iterator[tuple[Task, PhotoResult]]:
    from distributed import as_completed as as_they_come

    client.run(use_one_thread)
    futures = {client.submit(_measure, task, pure=False): task for task in tasks}
    for future in as_they_come(futures):
        yield futures[future], future.result()
