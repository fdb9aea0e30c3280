"""Measuring many photo rows: each in a process of its own, here or on a dask cluster; results come as they are done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ulcermeter.datatypes import LensProfile, PhotoResult
from ulcermeter.isolation import Limits, Lost, Workers
from ulcermeter.pipeline.cluster import Cluster
from ulcermeter.tables.cells import Record

if TYPE_CHECKING:
    from ulcermeter import protocol as rules

__all__ = ["Task", "run_tasks", "use_one_thread"]


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


def use_one_thread() -> None:
    """Keep OpenCV to one thread, as a worker's environment keeps every other library; sums then come out alike."""
    import cv2

    cv2.setNumThreads(1)


def run_tasks(
    tasks: Sequence[Task],
    *,
    jobs: int = 1,
    limits: Limits | None = None,
    cluster: Cluster | None = None,
    workers: Workers | None = None,
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
        See `ulcermeter.pipeline.cluster.cluster_at`; its workers measure instead.
    workers : Workers, optional
        Processes that the caller holds, in place of `jobs` of its own with `limits`.

    Yields
    ------
    (Task, PhotoResult)

    Raises
    ------
    UnfinishedError
        The cluster failed; the rows before were yielded.
    """
    if cluster is not None:
        done = cluster.each(_measure, tasks, limits=limits or Limits())
        yield from ((tasks[number], _result(tasks[number], came)) for number, came in done)
        return
    with nullcontext(workers) if workers else Workers(jobs=min(jobs, len(tasks)), limits=limits) as working:
        for number, came in working.each(_measure, tasks):
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
