"""A study folder to a results folder: every photo, then identity, healing, eligibility, outcomes and the report."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import ulcermeter
from ulcermeter.datatypes import LensProfile, PhotoResult, Results, Study
from ulcermeter.isolation import Limits, Workers
from ulcermeter.pipeline.cluster import Cluster, cluster_at
from ulcermeter.pipeline.run_identity import identify, read_lens
from ulcermeter.pipeline.workers import Task, run_tasks
from ulcermeter.provenance import file_sha256, run_record, utc_now
from ulcermeter.readings import ReadingLog
from ulcermeter.store import (
    PAGES,
    TABLE_FILES,
    PhotoStore,
    check_results_folder,
    keep_unread,
    question,
    read_decisions,
    remove_pages,
    row_key,
)
from ulcermeter.study import read_id_corrections, read_study
from ulcermeter.tables import from_rows
from ulcermeter.tables.cells import Record, records

if TYPE_CHECKING:
    import pandas as pd

    from ulcermeter.protocol import Protocol

__all__ = ["run_study"]

_log = logging.getLogger(__name__)
Progress = Callable[[int, int, PhotoResult | None], None]


def run_study(
    study_path: str | Path,
    results: str | Path,
    *,
    protocol: str | Path | Protocol | None = None,
    model: str | Path | None = None,
    camera: str | Path | None = None,
    ids: str | Path | None = None,
    jobs: int = 1,
    scheduler: str = "processes",
    wait_s: float = 60.0,
    photo_time_limit_s: float = Limits.time_s,
    photo_memory_limit_mb: float = Limits.memory_mb,
    single_file: bool = False,
    progress: Progress | None = None,
    command: Sequence[str] | None = None,
    workers: Workers | None = None,
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
    ids : str or Path, optional
        A reader's corrections of which ulcer is which (`ulcermeter.study.read_id_corrections`); applied to the ids that
        an earlier run into `results` gave, logged, and kept by later runs.
    jobs : int
        Processes at once.
    scheduler : str
        ``processes`` or a dask scheduler's address. Its workers must have the same versions as this machine and see the
        study under the same whole path.
    wait_s : float
        How long to wait for workers of the scheduler while there are none, s.
    photo_time_limit_s, photo_memory_limit_mb : float
        What a photo row may take, see `ulcermeter.isolation.Limits`; one that takes more, or crashes the process it is
        measured in, is *failed*, and the others are measured all the same.
    single_file : bool
        Write the report as one file that holds all subjects and pictures: for small studies.
    progress : callable, optional
        Called with rows done, rows in all and the row's result, after each row: first those that an earlier run
        measured, then, with None for a result, where measuring begins, then those measured.
    command : sequence of str, optional
        Written into run.json; the process's own call when not given.
    workers : Workers, optional
        Processes that were started beforehand, as many as `jobs`; without them the run starts its own.

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
    ReadingLog(root).entries()  # a damaged log is named before anything is measured
    study = read_study(study_path, protocol=protocol)
    lens = read_lens(camera)
    corrections = read_id_corrections(ids) if ids is not None else None
    limits = Limits(photo_time_limit_s, photo_memory_limit_mb)
    identity = identify(study.protocol, model=model, lens=lens, limits=limits)
    # The store is held until the report is written: two runs into one folder would mix two studies.
    files = [study.root / "photos.csv", *([model] if model else [])]
    with cluster_at(scheduler, files=files, wait_s=wait_s) as cluster, PhotoStore(root / "store.sqlite") as store:
        if corrections is not None:
            _correct_ids(root, store, corrections, run_id=identity.run_id)
        typed = read_decisions(root)
        before = store.decisions()
        store.put_decisions(typed.rows)
        decisions = store.decisions()
        _log_decisions(root, before, decisions, run_id=identity.run_id)
        unread = keep_unread(root, typed.unread, decisions)
        tasks = _tasks(study, model=model, lens=lens, identity=identity.run_id)
        done = _measure_all(tasks, store, jobs=jobs, limits=limits, cluster=cluster, workers=workers, progress=progress)
        # Loaded only now, so that measuring begins the sooner.
        from ulcermeter.pipeline.finish import SINGLE_FILE, finish_study

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
                SINGLE_FILE: single_file,
            },
            model_sha256=identity.model_sha256,
            photo_sha256={r.photo["photo"]: r.photo.get("sha256", "") for r in done},
            command=list(sys.argv if command is None else command),
            started=started,
        )
        record["decisions_not_read"] = [{**asdict(one), "asked": question(one)} for one in unread]
        finished = finish_study(study, root, done, record=record, store=store)
    for one in unread:
        _log.warning("%s", question(one))
    return finished


def _log_decisions(
    root: Path, before: Mapping[str, Mapping[str, str]], now: Mapping[str, Mapping[str, str]], *, run_id: str
) -> None:
    """Log what the investigator typed into eligibility_summary.csv since the last run, as read from that file."""
    for subject in sorted({*before, *now}):
        was, stands = before.get(subject), now.get(subject)
        if was != stands:
            who = (stands or {}).get("decided_by", "")
            cells = {"before": was, "after": stands, "why": "read from eligibility_summary.csv", "run_id": run_id}
            ReadingLog(root).append(who=who, action="decision", subject_id=subject, **cells)


def _correct_ids(root: Path, store: PhotoStore, corrections: pd.DataFrame, *, run_id: str) -> None:
    """Apply a reader's corrections to the ids that are kept, and log what each outline was called before."""
    from ulcermeter.tracking import correct_ids

    before = store.ids()
    after = records(correct_ids(from_rows("ids", before), corrections))
    was = {_outline(row): row["ulcer_id"] for row in before}
    for row in after:
        old = was.get(_outline(row))
        if old != row["ulcer_id"]:
            place = {name: str(row[name]) for name in ("subject_id", "photo", "hand", "finger")}
            cells = {"before": {"ulcer_id": old}, "after": {"ulcer_id": row["ulcer_id"]}, "why": row["why"]}
            more = {"ulcer": str(row["ulcer_id"]), "photo_sha256": str(row["sha256"]), "run_id": run_id}
            ReadingLog(root).append(who=str(row["given_by"]), action="correct id", **place, **cells, **more)
    store.put_ids(after)


def _outline(row: Record) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in ("photo", "hand", "finger", "centroid_x_px", "centroid_y_px"))


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
    workers: Workers | None,
    progress: Progress | None,
) -> list[PhotoResult]:
    """Measure what the store has not yet, put each result there at once; return all in short, in the tasks' order."""
    found = {task.key: kept for task in tasks if (kept := store.get(task.key, in_short=True)) is not None}
    _remove_earlier(store.path.parent)
    if found:
        _log.info("%d of %d photo rows were measured before and are used again", len(found), len(tasks))
    fresh: dict[str, PhotoResult] = {}
    count = 0
    for count, task in enumerate((t for t in tasks if t.key in found), start=1):
        _report_progress(progress, count, len(tasks), found[task.key])
    _report_progress(progress, count, len(tasks), None)
    todo = [task for task in tasks if task.key not in found]
    for task, result in run_tasks(todo, jobs=jobs, limits=limits, cluster=cluster, workers=workers):
        store.put(task.key, result)
        fresh[task.key] = result.in_short()
        count += 1
        _report_progress(progress, count, len(tasks), result)
    store.keep_only(task.key for task in tasks)
    return [found[task.key] if task.key in found else fresh[task.key] for task in tasks]


def _remove_earlier(root: Path) -> None:
    """Remove an earlier run's files, so that what stands is of this run; only once nothing is left to refuse it."""
    for earlier in ("run.json", "report.html", *(f"{name}.csv" for name in TABLE_FILES)):
        (root / earlier).unlink(missing_ok=True)
    for part in [*root.rglob(".*.part")]:  # of a run that was killed while it wrote
        part.unlink(missing_ok=True)
    remove_pages(root / PAGES)


def _report_progress(progress: Progress | None, done: int, total: int, result: PhotoResult | None) -> None:
    if progress is not None:
        progress(done, total, result)
