"""``ulcermeter run``: the main job."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ulcermeter.cli.console import (
    NOTE,
    Progress,
    clear_errors,
    command_with,
    limit_options,
    model_options,
    progress_bar,
    say,
    saying_what_is_kept,
    set_up_logging,
    warn,
)
from ulcermeter.cli.pace import Pace
from ulcermeter.isolation import Limits, Workers
from ulcermeter.pipeline.loading import load_measuring

if TYPE_CHECKING:
    from ulcermeter.datatypes import PhotoResult, Results

__all__ = ["command"]

_log = logging.getLogger("ulcermeter.run")


@click.command(name="run", cls=command_with("ulcermeter run sample_images/study -o results --jobs 2"))
@click.argument("study", type=click.Path())
@click.option("-o", "--out", "results", required=True, type=click.Path(), help="The results folder.")
@model_options
@click.option(
    "--ids",
    type=click.Path(),
    metavar="FILE",
    help="A reader's corrections of which ulcer is which (join, split, rename), kept by later runs.",
)
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes at once.")
@click.option(
    "--scheduler",
    default="processes",
    show_default=True,
    metavar="processes|ADDRESS",
    help="This machine's processes, or a dask scheduler such as tcp://host:8786 (extra `cluster`).",
)
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(min=0),
    default=60,
    show_default=True,
    metavar="S",
    help="How long to wait for the scheduler's workers while there are none, s.",
)
@limit_options
@click.option(
    "--single-file",
    is_flag=True,
    help="Write the report as one file with all subjects and pictures in it: for small studies.",
)
@click.option("--strict", is_flag=True, help="A refused photo makes the exit status 1 too.")
@click.option("--log-json", is_flag=True, help="Log to standard error, one JSON object a line.")
@clear_errors
def command(
    *,
    study: str,
    results: str,
    protocol: str | None,
    model: str | None,
    camera: str | None,
    ids: str | None,
    jobs: int,
    scheduler: str,
    wait_s: float,
    photo_time_limit_s: float,
    photo_memory_limit_mb: float,
    single_file: bool,
    strict: bool,
    log_json: bool,
) -> None:
    """Measure every photo of STUDY and write tables, outlines, overlays and a report.

    A run that was stopped goes on where it was when it is called again. A photo that cannot be used is a row with a
    reason in photos.csv and stops nothing.

    Exit status: 0 every photo is accounted for, 1 some photo failed or the run could not be finished (a full disk, a
    fault of ours) and what was measured is kept, 2 the call or the study is wrong and nothing was written, 130 or 143
    it was stopped (Ctrl-C, SIGTERM) and what was measured is kept.
    """
    set_up_logging(as_json=log_json)
    limits = Limits(photo_time_limit_s, photo_memory_limit_mb)
    with (
        Workers(jobs=jobs, limits=limits) as workers,
        progress_bar("photos") as bar,
        saying_what_is_kept(results, "photo rows", bar) as moved,
    ):
        if scheduler == "processes":
            workers.start(load_measuring)
        from ulcermeter.pipeline import run_study

        done = run_study(
            study,
            results,
            protocol=protocol,
            model=model,
            camera=camera,
            ids=ids,
            jobs=jobs,
            scheduler=scheduler,
            wait_s=wait_s,
            photo_time_limit_s=photo_time_limit_s,
            photo_memory_limit_mb=photo_memory_limit_mb,
            single_file=single_file,
            progress=_both(moved) if log_json else moved,
            command=sys.argv,
            workers=workers,
        )
    sys.exit(_summarise(done, strict=strict))


def _both(moved: Progress) -> Callable[[int, int, PhotoResult | None], None]:
    """Log a row's result beside moving the bar, and how fast they come."""
    pace = Pace()

    def report(done: int, total: int, result: PhotoResult | None) -> None:
        pace.note(done, total, result)
        if result is not None:
            fields = {name: result.photo.get(name, "") for name in ("photo", "hand", "finger", "status", "reason")}
            paces = {"photos_per_s": pace.per_s, "left_s": pace.left_s}
            rounded = {name: value if value is None else round(value, 2) for name, value in paces.items()}
            _log.info("photo", extra={"fields": {**fields, "done": done, "total": total, **rounded}})
        moved(done, total, result)

    return report


def _summarise(results: Results, *, strict: bool) -> int:
    """Name every photo that failed, count the rest, say where the report is, and return the exit status."""
    photos = results.photos
    counts = Counter(photos["status"])
    shown = ("failed", "refused") if strict else ("failed",)
    for row in photos[photos["status"].isin(shown)].to_dict("records"):
        warn(f"{row['status']}: {row['photo']} ({row['hand']} {row['finger']}): {row['reason']}")
    parts = [
        f"{counts[name]} {name}"
        for name in ("measured", "no ulcer", "indeterminate", "refused", "failed")
        if counts[name]
    ]
    say(f"{len(photos)} photo rows: {', '.join(parts)}; {len(results.measurements)} ulcers measured.")
    if len(results.retake):
        say(f"Photo rows to take again: {len(results.retake)}; how: {Path(results.root) / 'retake.csv'}")
    if asked := len(results.queries):
        deciding = int((results.queries["touches_verdict"] == "yes").sum())
        say(f"Queries: {asked}, of which {deciding} can change a verdict: {Path(results.root) / 'queries.csv'}")
    say(f"Report: {Path(results.root) / 'report.html'}")
    say(NOTE)
    return int(bool(counts["failed"]) or (strict and bool(counts["refused"])))
