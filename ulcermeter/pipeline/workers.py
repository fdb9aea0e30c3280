"""Measuring many photo rows: each in a process of its own, here or on a dask cluster; results come as they are done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ulcermeter.datatypes import LensProfile, PhotoResult
from ulcermeter.errors import MissingDependencyError, Problem, UlcermeterError, UnfinishedError
from ulcermeter.isolation import Limits, Lost, Workers
from ulcermeter.tables.cells import Record

if TYPE_CHECKING:
    from ulcermeter import protocol as rules

__all__ = ["Task", "cluster_at", "run_tasks", "use_one_thread"]


@dataclass(frozen=True)
class Task:
    """One photo row to measure.

    Attributes
    ----------
    key : str
        Of the result in the store.
    row : dict
        Of the study's photos.csv.
    protocol, root, model, lens, run_id, first_label, overlay
        See `ulcermeter.pipeline.one_photo.measure_photo`.
    """

    key: str
    row: Record
    protocol: rules.Protocol
    root: Path
    model: str | Path | None = None
    lens: LensProfile | None = None
    run_id: str = ""
    first_label: int = 1
    overlay: bool = True


class Coming(Protocol):
    """A row's result that a cluster will have, such as dask's Future."""

    def result(self) -> PhotoResult:
        """Wait for it."""


class Cluster(Protocol):
    """What measures rows on other machines, such as dask's Client."""

    def submit(self, measure: Callable[..., PhotoResult], /, *given: object, pure: bool) -> Coming:
        """Have one row measured."""


def use_one_thread() -> None:
    """Keep OpenCV to one thread, as a worker's environment keeps every other library; sums then come out alike."""
    import cv2

    cv2.setNumThreads(1)


@contextmanager
def cluster_at(scheduler: str) -> Iterator[Cluster | None]:
    """Reach a dask scheduler, before anything is written or measured.

    Parameters
    ----------
    scheduler : str
        ``processes``, or the address of a dask scheduler (``tcp://host:8786``) whose workers see the same files.

    Yields
    ------
    Cluster or None
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
            Problem(
                where=f"--scheduler {scheduler}",
                expected="dask",
                got="none",
                action="install ulcermeter[cluster], or leave the option away",
            )
        ) from error
    try:
        client = Client(scheduler, timeout=10)
    except (OSError, ValueError) as error:
        raise UlcermeterError(
            Problem(
                where=f"--scheduler {scheduler}",
                expected="a dask scheduler that answers",
                got=f"none ({error})",
                action="check the address",
            )
        ) from error
    with client:
        yield client


def run_tasks(
    tasks: Sequence[Task], *, jobs: int = 1, limits: Limits | None = None, cluster: Cluster | None = None
) -> Iterator[tuple[Task, PhotoResult]]:
    """Measure rows and yield each with its result as soon as it is done, in no fixed order.

    Each row is measured in another process than this one, so that a photo that crashes, hangs or eats memory fails by
    itself: also with one job, and on a cluster.

    Parameters
    ----------
    tasks : sequence of Task
    jobs : int
        Processes at once.
    limits : Limits, optional
        Of one row.
    cluster : Cluster, optional
        See `cluster_at`; its workers measure instead.

    Yields
    ------
    (Task, PhotoResult)

    Raises
    ------
    UnfinishedError
        The cluster lost a row; those before it were yielded.
    """
    if cluster is not None:
        yield from _on_cluster(tasks, cluster, limits or Limits())
        return
    with Workers(jobs=min(jobs, len(tasks)), limits=limits) as workers:
        for number, came in workers.each(_measure, tasks):
            yield tasks[number], _result(tasks[number], came)


def _measure(task: Task) -> PhotoResult:
    from ulcermeter.pipeline.one_photo import measure_photo

    use_one_thread()
    return measure_photo(
        task.row,
        task.protocol,
        root=task.root,
        model=task.model,
        lens=task.lens,
        run_id=task.run_id,
        first_label=task.first_label,
        overlay=task.overlay,
    )


def _result(task: Task, came: PhotoResult | Lost) -> PhotoResult:
    """Return what was measured, or the failed row of a photo whose process died on it."""
    if isinstance(came, PhotoResult):
        return came
    from ulcermeter.photo.process_errors import lost_photo
    from ulcermeter.pipeline.one_photo import failed_photo

    return failed_photo(task.row, task.protocol, lost_photo(task.row["photo"], came))


def _apart(task: Task, limits: Limits) -> PhotoResult:
    """Measure in a process of its own, started for one row: what a dask worker keeps outlives the run."""
    with Workers(limits=limits) as workers:
        return _result(task, next(workers.each(_measure, [task]))[1])


def _on_cluster(tasks: Sequence[Task], cluster: Cluster, limits: Limits) -> Iterator[tuple[Task, PhotoResult]]:
    from distributed import as_completed as as_they_come

    futures = {cluster.submit(_apart, task, limits, pure=False): task for task in tasks}
    for future in as_they_come(futures):
        try:
            result = future.result()
        except Exception as error:
            raise UnfinishedError(
                Problem(
                    where="--scheduler",
                    expected=f"the cluster to measure {futures[future].row['photo']}",
                    got=" ".join(f"{type(error).__name__}: {error}".split()),
                    action="see to its workers and run again: what was measured so far is kept and not measured anew",
                )
            ) from error
        yield futures[future], result
