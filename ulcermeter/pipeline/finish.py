"""Everything after the photos: readings applied, tables in and tables out, report and run.json last."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ulcermeter.datatypes import PhotoResult, Points, Results, Study
from ulcermeter.errors import Problem, StudyError, UnfinishedError
from ulcermeter.files import Json
from ulcermeter.pipeline.assemble import Gathered, gather, tables_of
from ulcermeter.pipeline.read_ids import as_issued, with_read_ids
from ulcermeter.pipeline.read_overlays import draw_reading
from ulcermeter.pipeline.readings import Applied, apply_readings
from ulcermeter.plots import shrink_jpeg
from ulcermeter.provenance import utc_now
from ulcermeter.queries import with_queries_on_people
from ulcermeter.readings import ReadingLog, current_readings, log_head
from ulcermeter.store import (
    WRITTEN,
    PhotoStore,
    in_order,
    overlay_name,
    protocol_of,
    read_results,
    unread_of,
    with_decisions,
    write_outlines,
    write_pictures,
    write_run_record,
    write_tables,
    written_cells,
)
from ulcermeter.store.reading import read_record
from ulcermeter.study import read_study
from ulcermeter.tables import from_rows
from ulcermeter.tables.cells import records
from ulcermeter.wording import record_of

__all__ = ["SINGLE_FILE", "finish_again", "finish_study", "folder_of_study", "study_of_run"]

SINGLE_FILE = "single_file"
"""Of run.json's parameters: the report is one file."""
# Of a photo that was not measured, in the report.
_SMALL_PX = 260
_log = logging.getLogger(__name__)


def finish_study(
    study: Study,
    root: Path,
    done: Sequence[PhotoResult],
    *,
    record: Mapping[str, Json],
    store: PhotoStore,
    overlays: bool = True,
) -> Results:
    """Write tables, overlays, report and run.json from the photos' results and the readings in the log.

    Parameters
    ----------
    study : Study
        The study folder as read.
    root : Path
        The results folder.
    done : sequence of PhotoResult
        The machine's results in the study's order, in short: their pictures and geometry are taken from the store one
        at a time.
    record : mapping
        What run.json is to hold beside what follows from the tables.
    store : PhotoStore
        Holds what was decided and which outline has which id; the ids are kept there anew.
    overlays : bool
        Write the overlays, those of photos that were read drawn anew; without it what stands there stays.

    Returns
    -------
    Results

    Raises
    ------
    UnfinishedError
        The disk is full, or a fault of ours: what was measured is kept.
    UlcermeterError
        The log of readings is not as it was written.
    """
    from ulcermeter.report import write_report

    head, count = log_head(root)
    readings = current_readings(ReadingLog(root).entries())
    with _in_one_sentence(root):
        keys = store.order()
        run_id = str(record["run_id"])
        applied: Applied = apply_readings(
            study, done, readings, run_id=run_id, geometry=lambda at: store.geometry(keys[at])
        )
        gathered: Gathered = gather(applied.study, applied.done)
        # Kept whatever becomes of the rest.
        readings_table = from_rows("readings", list(applied.rows))
        write_tables(
            root, {"photos": gathered.photos, "measurements": gathered.measurements, "readings": readings_table}
        )
        write_outlines(root, _outlines(applied.done))
        named = dict(_named(applied.done))
        if overlays:
            write_pictures(root, _pictures(study, applied, named, store))
        known_ids = from_rows("ids", with_read_ids(store.ids(), applied))
        tables = tables_of(applied.study, gathered, known_ids=known_ids)
        tables["eligibility_summary"], changed = with_decisions(tables["eligibility_summary"], store.decisions())
        tables["queries"] = with_queries_on_people(
            tables["queries"], readings=readings_table, unread=unread_of(record), changed=changed
        )
        write_tables(root, tables)
        store.put_ids(as_issued(records(tables["ids"]), applied))
        counts = dict(sorted(Counter(r.photo["status"] for r in applied.done).items()))
        findings = [record_of(finding) for finding in study.findings]
        more: dict[str, Json] = {
            "status_counts": counts,
            "decisions_to_look_at": changed,
            "findings": findings,
            "log": {"head": head, "entries": count},
            "readings_not_kept": list(applied.not_kept),
        }
        more[WRITTEN] = written_cells(tables["eligibility_summary"])
        write_run_record(root, {**record, **more})
        results = read_results(root)
        labels = {name: [label for label, _ in applied.done[at].outlines] for name, at in named.items()}
        single = bool(_parameters(record).get(SINGLE_FILE))
        write_report(study, results, root / "report.html", labels=labels, single_file=single)
    _warn(changed, applied)
    return results


def _warn(changed: Mapping[str, str], applied: Applied) -> None:
    for subject, sentence in changed.items():
        _log.warning("eligibility_summary.csv, subject %s: %s.", subject, sentence)
    for words in applied.not_kept:
        _log.warning("%s", words)


def folder_of_study(root: str | Path, study: str | Path | None = None) -> Path:
    """Return the study folder that a results folder is of.

    Parameters
    ----------
    root : str or Path
        The results folder.
    study : str or Path, optional
        Where the study is now; where run.json says without it.

    Returns
    -------
    Path

    Raises
    ------
    StudyError
        The study is not where it was.
    """
    where = Path(study or str(_parameters(read_record(Path(root))).get("study", "")))
    if not where.is_dir():
        raise StudyError(
            Problem(
                where=str(root),
                expected=f"the study of its run in {where}",
                got="no such folder",
                action="give the study's folder with --study, or start it from where `ulcermeter run` was started",
            )
        )
    return where


def _parameters(record: Mapping[str, Json]) -> Mapping[str, Json]:
    parameters = record.get("parameters")
    return parameters if isinstance(parameters, Mapping) else {}


def study_of_run(root: str | Path, study: str | Path | None = None) -> Study:
    """Read the study that a results folder is of, with the protocol of its run.

    Parameters
    ----------
    root : str or Path
        The results folder.
    study : str or Path, optional
        Where the study is now; where run.json says without it.

    Returns
    -------
    Study

    Raises
    ------
    StudyError
        The study is not where it was, or is wrong.
    """
    return read_study(folder_of_study(root, study), protocol=protocol_of(read_record(Path(root))))


def finish_again(root: str | Path, *, study: Study, overlays: bool = True) -> Results:
    """Write a results folder anew after readings: as a full run would, but without measuring a photo.

    Parameters
    ----------
    root : str or Path
        The results folder.
    study : Study
        As `study_of_run` returns it.
    overlays : bool
        See `finish_study`.

    Returns
    -------
    Results

    Raises
    ------
    StudyError
        The study has other photo rows than the run.
    """
    folder = Path(root)
    record = {**read_record(folder), "finished": utc_now()}
    with PhotoStore(folder / "store.sqlite") as store:
        done = store.of_last_run(in_short=True)
        same = ("photo", "hand", "finger")
        rows = [tuple(row[name] for name in same) for row in records(study.photos)]
        if rows != [tuple(result.photo[name] for name in same) for result in done]:
            raise StudyError(
                Problem(
                    where=str(study.root),
                    expected="the photo rows of the run",
                    got="others",
                    action="run `ulcermeter run` again: readings are kept",
                )
            )
        return finish_study(study, folder, done, record=record, store=store, overlays=overlays)


@contextmanager
def _in_one_sentence(root: Path) -> Iterator[None]:
    """Turn a full disk, or a fault of ours, into an error that says what is kept."""
    try:
        yield
    except UnfinishedError:  # the store's own, which names its file
        raise
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


def _outlines(done: Sequence[PhotoResult]) -> Iterator[tuple[tuple[str, str, str, int], Points]]:
    for result in done:
        place = result.photo["photo"], result.photo["hand"], result.photo["finger"]
        yield from (((*place, label), points) for label, points in result.outlines)


def _named(done: Sequence[PhotoResult]) -> Iterator[tuple[str, int]]:
    """Yield the pictures' names with their results' positions, a finger's rows counted in the order of photos.csv."""
    rows_so_far: Counter[tuple[str, ...]] = Counter()
    for at in in_order("photos", from_rows("photos", [dict(result.photo) for result in done])):
        place = (done[at].photo["photo"], done[at].photo["hand"], done[at].photo["finger"])
        yield overlay_name(*place, nth=rows_so_far[place]), at
        rows_so_far[place] += 1


def _pictures(
    study: Study, applied: Applied, named: Mapping[str, int], store: PhotoStore
) -> Iterator[tuple[str, bytes | None, bytes | None]]:
    """Yield names, overlays and small pictures, one at a time: as the store has them, or drawn anew where read."""
    keys = store.order()
    for name, at in named.items():
        if at in applied.changed:
            result = draw_reading(study, replace(applied.done[at], geometry=store.geometry(keys[at])))
            overlay, view = result.overlay, result.finger_view
        else:
            overlay, view = store.pictures(keys[at])
        yield name, overlay, view or shrink_jpeg(overlay or b"", longest_px=_SMALL_PX) or None
