"""A study folder to a results folder: every photo, then identity, healing, eligibility, outcomes and the report."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import ulcermeter
from ulcermeter.datatypes import LensProfile, PhotoResult, Results, Study
from ulcermeter.errors import Problem, UnfinishedError
from ulcermeter.files import Json
from ulcermeter.isolation import Limits
from ulcermeter.pipeline.assemble import Gathered, gather, tables_of
from ulcermeter.pipeline.run_identity import identify, read_lens
from ulcermeter.pipeline.workers import Cluster, Task, cluster_at, run_tasks
from ulcermeter.provenance import file_sha256, run_record, utc_now
from ulcermeter.store import (
    TABLE_FILES,
    WRITTEN,
    PhotoStore,
    check_results_folder,
    in_order,
    keep_unread,
    overlay_name,
    question,
    read_decisions,
    read_results,
    row_key,
    with_decisions,
    write_overlays,
    write_run_record,
    write_tables,
    written_cells,
)
from ulcermeter.study import read_study
from ulcermeter.tables import from_rows
from ulcermeter.tables.cells import records
from ulcermeter.wording import record_of

if TYPE_CHECKING:
    from ulcermeter.protocol import Protocol

__all__ = ["run_study"]

_log = logging.getLogger(__name__)
Progress = Callable[[int, int, PhotoResult], None]


def run_study(
    study_path: str | Path,
    results: str | Path,
    *,
    protocol: str | Path | Protocol | None = None,
    model: str | Path | None = None,
    camera: str | Path | None = None,
    jobs: int = 1,
    scheduler: str = "processes",
    photo_time_limit_s: float = Limits.time_s,
    photo_memory_limit_mb: float = Limits.memory_mb,
    progress: Progress | None = None,
    command: Sequence[str] | None = None,
) -> Results:
    """Measure every photo of a study and write tables, outlines, overlays, report and run.json.

    A run that was killed goes on where it was: each photo row's result is kept in ``store.sqlite`` as soon as it is
    there, and is used again while photo, row, protocol, model and version are the same. The tables come out byte for
    byte the same from the same inputs, whatever `jobs` is. What an investigator has written into the folder's
    eligibility_summary.csv is carried over, and so is an input.

    Parameters
    ----------
    study_path, results : str or Path
        The study folder and the results folder (new, empty, or of an earlier run).
    protocol : str, Path or Protocol, optional
        See `ulcermeter.study.read_study`.
    model : str or Path, optional
        An ONNX file instead of the shipped network.
    camera : str or Path, optional
        A lens profile as ``ulcermeter camera`` writes it.
    jobs : int
        Processes at once.
    scheduler : str
        ``processes`` or a dask scheduler's address.
    photo_time_limit_s, photo_memory_limit_mb : float
        What a photo row may take, see `ulcermeter.isolation.Limits`; one that takes more, or crashes the process it is
        measured in, is *failed*, and the others are measured all the same.
    progress : callable, optional
        Called with rows done, rows in all and the row's result, after each row.
    command : sequence of str, optional
        Written into run.json; the process's own call when not given.

    Returns
    -------
    Results
        The tables as they stand on disk.

    Raises
    ------
    StudyError
        The study folder, protocol or results folder is wrong; nothing was written.
    ModelError
        The model cannot be used; nothing was written.
    UnfinishedError
        The disk is full, or a fault of ours came after the photos: what was measured is kept in store.sqlite, and
        where it came so far in photos.csv, measurements.csv (without identities) and outlines.csv.
    """
    started = utc_now()
    root = check_results_folder(results, study=study_path)
    study = read_study(study_path, protocol=protocol)
    lens = read_lens(camera)
    limits = Limits(photo_time_limit_s, photo_memory_limit_mb)
    identity = identify(study.protocol, model=model, lens=lens, limits=limits)
    tasks = _tasks(study, model=model, lens=lens, identity=identity.run_id)
    # The store is held until the report is written: two runs into one folder would mix two studies.
    with cluster_at(scheduler) as cluster, PhotoStore(root / "store.sqlite") as store:
        typed = read_decisions(root)
        store.put_decisions(typed.rows)
        decisions = store.decisions()
        unread = keep_unread(root, typed.unread, decisions)
        done = _measure_all(tasks, store, jobs=jobs, limits=limits, cluster=cluster, progress=progress)
        record = run_record(
            version=ulcermeter.__version__,
            run_id=identity.run_id,
            protocol=study.protocol.record(),
            parameters={
                **identity.parameters,
                "study": str(study_path),
                "model": str(model or "shipped"),
                "jobs": jobs,
                "photo_time_limit_s": photo_time_limit_s,
                "photo_memory_limit_mb": photo_memory_limit_mb,
            },
            model_sha256=identity.model_sha256,
            photo_sha256={r.photo["photo"]: r.photo.get("sha256", "") for r in done},
            command=list(sys.argv if command is None else command),
            started=started,
        )
        record["decisions_not_read"] = [{**asdict(one), "asked": question(one)} for one in unread]
        finished = _finish(study, root, done, record, decisions)
    for one in unread:
        _log.warning("%s", question(one))
    return finished


def _tasks(study: Study, *, model: str | Path | None, lens: LensProfile | None, identity: str) -> list[Task]:
    """One task a photo row, in the study's order."""
    rows_so_far: Counter[tuple[str, ...]] = Counter()
    tasks = []
    for row in records(study.photos):
        place = (row["photo"], row["hand"], row["finger"])
        rows_so_far[place] += 1
        key = row_key(
            row,
            photo_sha256=_hash_of(study.root / row["photo"]),
            mask_sha256=_hash_of(study.root / row["mask"]) if row["mask"] else "",
            run_id=identity,
            first_label=rows_so_far[place],
        )
        tasks.append(Task(key, row, study.protocol, study.root, model, lens, identity, first_label=rows_so_far[place]))
    return tasks


def _hash_of(path: Path) -> str:
    try:
        return file_sha256(path)
    except OSError:
        return ""


def _measure_all(
    tasks: Sequence[Task],
    store: PhotoStore,
    *,
    jobs: int,
    limits: Limits,
    cluster: Cluster | None,
    progress: Progress | None,
) -> list[PhotoResult]:
    """Measure what the store has not yet, put each result there at once, and return all in the tasks' order."""
    found = {task.key: kept for task in tasks if (kept := store.get(task.key)) is not None}
    _remove_earlier(store.path.parent)
    if found:
        _log.info("%d of %d photo rows were measured before and are used again", len(found), len(tasks))
    fresh: dict[str, PhotoResult] = {}
    count = 0
    for count, task in enumerate((t for t in tasks if t.key in found), start=1):
        _report_progress(progress, count, len(tasks), found[task.key])
    todo = [task for task in tasks if task.key not in found]
    for task, result in run_tasks(todo, jobs=jobs, limits=limits, cluster=cluster):
        store.put(task.key, result)
        fresh[task.key] = result
        count += 1
        _report_progress(progress, count, len(tasks), result)
    store.keep_only(task.key for task in tasks)
    return [found[task.key] if task.key in found else fresh[task.key] for task in tasks]


def _remove_earlier(root: Path) -> None:
    """Remove an earlier run's files, so that what stands is of this run; only once nothing is left to refuse it."""
    for earlier in ("run.json", "report.html", *(f"{name}.csv" for name in TABLE_FILES)):
        (root / earlier).unlink(missing_ok=True)


def _report_progress(progress: Progress | None, done: int, total: int, result: PhotoResult) -> None:
    if progress is not None:
        progress(done, total, result)


def _finish(
    study: Study,
    root: Path,
    done: Sequence[PhotoResult],
    record: dict[str, Json],
    decisions: Mapping[str, Mapping[str, str]],
) -> Results:
    """Everything after the photos: tables in, tables out; the report and run.json last."""
    from ulcermeter.report import write_report

    with _in_one_sentence(root):
        gathered: Gathered = gather(study, done)
        # Kept whatever becomes of the rest.
        measured = {"photos": gathered.photos, "measurements": gathered.measurements, "outlines": gathered.outlines}
        write_tables(root, measured)
        write_overlays(root, _overlays(done))
        tables = tables_of(study, gathered)
        tables["eligibility_summary"], changed = with_decisions(tables["eligibility_summary"], decisions)
        write_tables(root, tables)
        counts = dict(sorted(Counter(r.photo["status"] for r in done).items()))
        findings = [record_of(finding) for finding in study.findings]
        more: dict[str, Json] = {"status_counts": counts, "decisions_to_look_at": changed, "findings": findings}
        more[WRITTEN] = written_cells(tables["eligibility_summary"])
        write_run_record(root, {**record, **more})
        results = read_results(root)
        write_report(study, results, root / "report.html")
    for subject, sentence in changed.items():
        _log.warning("eligibility_summary.csv, subject %s: %s.", subject, sentence)
    return results


@contextmanager
def _in_one_sentence(root: Path) -> Iterator[None]:
    """Turn a full disk, or a fault of ours, into an error that says what is kept."""
    try:
        yield
    except OSError as error:
        raise UnfinishedError(
            Problem(
                "the photos are measured and kept in store.sqlite, but what follows from them could not be written: "
                f"{error.filename or 'a file'}: {error.strerror or error}",
                where=str(root),
                action="make room on the disk, see that the folder may be written, and run again: nothing is measured "
                "twice",
            )
        ) from error
    except Exception as error:
        _log.info("a fault of ours after the photos", exc_info=True)
        fault = " ".join(f"{type(error).__name__}: {error}".split())
        raise UnfinishedError(
            Problem(
                "the photos are measured and kept (photos.csv, measurements.csv, outlines.csv), but what follows from "
                f"them failed by a fault of ours: {fault}",
                where=str(root),
                action="report it with the study's tables",
            )
        ) from error


def _overlays(done: Sequence[PhotoResult]) -> dict[str, bytes]:
    """Name the overlays; rows of one photo, hand and finger are counted in the order of the results' photos.csv."""
    rows_so_far: Counter[tuple[str, ...]] = Counter()
    overlays = {}
    rows = from_rows("photos", [dict(result.photo) for result in done])
    for result in (done[i] for i in in_order("photos", rows)):
        place = (result.photo["photo"], result.photo["hand"], result.photo["finger"])
        if result.overlay is not None:
            overlays[overlay_name(*place, nth=rows_so_far[place])] = result.overlay
        rows_so_far[place] += 1
    return overlays
