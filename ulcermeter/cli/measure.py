"""``ulcermeter measure``: photos alone."""

from __future__ import annotations

import io
import math
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ulcermeter.cli.console import (
    clear_errors,
    command_with,
    folder_for,
    limit_options,
    model_options,
    progress_bar,
    set_up_logging,
    warn,
)
from ulcermeter.errors import Problem, StudyError
from ulcermeter.isolation import Limits
from ulcermeter.tables.cells import Cell

if TYPE_CHECKING:
    import pandas as pd

    from ulcermeter.datatypes import PhotoResult

__all__ = ["command"]

_FOR_EYES = (
    "photo", "status", "label", "presence", "diameter_mm", "diameter_low_mm", "diameter_high_mm", "width_mm",
    "area_mm2", "over_threshold", "dominant_error", "reason",
)  # fmt: skip


@click.command(
    name="measure",
    cls=command_with("ulcermeter measure S01_week2.jpg --reference aruco:10 --reference-on skin --table"),
)
@click.argument("photos", type=click.Path(), nargs=-1, required=True)
@click.option("--reference", help="card, aruco:MM[:DICTIONARY], disc:MM, id1, ruler, scale:PX_PER_MM or auto.")
@click.option("--reference-on", type=click.Choice(["skin", "table"]), help="Where the reference lies.")
@click.option("--reference-box", metavar="X,Y,W,H", help="Where on the photo the reference is, px.")
@click.option("--box", metavar="X,Y,W,H", help="The region that holds the finger or ulcer, px.")
@click.option("--click", "click_at", metavar="X,Y", help="A point on the ulcer or where it was, upright px.")
@click.option("--mask", type=click.Path(), help="A tracing: a mask picture, outlines.csv, LabelMe, COCO or GeoJSON.")
@click.option("--overlay", type=click.Path(), metavar="DIR", help="Write an overlay of each photo there.")
@click.option("--table", "for_eyes", is_flag=True, help="A table for eyes instead of CSV.")
@model_options
@limit_options
@clear_errors
def command(
    *,
    photos: tuple[str, ...],
    reference: str | None,
    reference_on: str | None,
    reference_box: str | None,
    box: str | None,
    click_at: str | None,
    mask: str | None,
    overlay: str | None,
    for_eyes: bool,
    protocol: str | None,
    model: str | None,
    camera: str | None,
    photo_time_limit_s: float,
    photo_memory_limit_mb: float,
) -> None:
    """Measure PHOTOS; rows of measurements.csv with status and reason on standard output.

    A row for each ulcer, or one row with an empty label. A photo that fails is named on standard error too.

    Exit status: 0 every photo is accounted for, 1 some photo failed, 2 the call is wrong.
    """
    set_up_logging(as_json=False)
    if len(photos) > 1 and (box or click_at or mask):
        one = Problem(
            where="--box, --click and --mask",
            expected="one photo",
            got=str(len(photos)),
            action="use a study folder, or one photo",
        )
        raise StudyError(one)
    cells = _cells(
        reference=reference,
        reference_on=reference_on,
        reference_box=reference_box,
        box=box,
        click_at=click_at,
        mask=mask,
    )
    drawings = folder_for(overlay, what="overlays")
    limits = Limits(photo_time_limit_s, photo_memory_limit_mb)
    results = _measure(
        photos, cells, protocol=protocol, model=model, camera=camera, limits=limits, draw=overlay is not None
    )
    frame = _rows(results)
    click.echo(_table(frame) if for_eyes else _csv(frame), nl=False)
    if drawings is not None:
        _write_overlays(drawings, results)
    failed = [r for r in results if r.photo["status"] == "failed"]
    for result in failed:
        warn(f"failed: {result.photo['photo']}: {result.photo['reason']}")
    sys.exit(1 if failed else 0)


def _cells(
    *,
    reference: str | None,
    reference_on: str | None,
    reference_box: str | None,
    box: str | None,
    click_at: str | None,
    mask: str | None,
) -> dict[str, Cell]:
    """Return the call as cells of a study's photos.csv, faults of the call all told before anything is opened."""
    from ulcermeter.reference import parse_reference
    from ulcermeter.study import parse_box

    if reference:
        parse_reference(reference)
    for option, text in (("--box", box), ("--reference-box", reference_box)):
        try:
            parse_box((text or "").replace(",", " "))
        except StudyError as error:
            given = replace(error.problems[0], where=option, action="give X,Y,W,H, for example 700,380,200,200")
            raise StudyError(given) from None
    if mask and not Path(mask).is_file():
        raise StudyError(
            Problem(
                where="--mask",
                expected="a mask picture or an outlines.csv",
                got=f"no file {mask}",
                action="check the path",
            )
        )
    cells: dict[str, Cell] = {"reference": reference or "", "reference_on": reference_on or "", "box": box or ""}
    cells |= {"reference_box": reference_box or "", "mask": str(Path(mask).resolve()) if mask else ""}
    if click_at:
        try:
            x, y = (float(part) for part in click_at.split(","))
        except ValueError:
            x = y = math.nan
        if not (math.isfinite(x) and math.isfinite(y)):
            raise StudyError(Problem(where="--click", expected="X,Y in px, for example 812,484", got=f"'{click_at}'"))
        cells |= {"x": x, "y": y}
    return cells


def _measure(
    photos: tuple[str, ...],
    cells: dict[str, Cell],
    *,
    protocol: str | None,
    model: str | None,
    camera: str | None,
    limits: Limits,
    draw: bool,
) -> list[PhotoResult]:
    """Measure the photos one after another, in another process: one that crashes it fails by itself."""
    from ulcermeter.pipeline.run_identity import identify, read_lens
    from ulcermeter.pipeline.workers import Task, run_tasks
    from ulcermeter.protocol import read_protocol

    rules, lens = read_protocol(protocol or "manus"), read_lens(camera)
    identity = identify(rules, model=model, lens=lens, limits=limits).run_id
    tasks = [
        Task(str(k), {**cells, "photo": photo}, rules, Path(), model, lens, identity, overlay=draw)
        for k, photo in enumerate(photos)
    ]
    done: list[PhotoResult] = []
    with progress_bar("photos") as moved:
        for _, result in run_tasks(tasks, limits=limits):  # one process: they come in their order
            done.append(result)
            moved(len(done), len(photos), result)
    return done


def _rows(results: list[PhotoResult]) -> pd.DataFrame:
    import pandas as pd

    from ulcermeter.tables import columns, from_rows

    empty = {"label": None}
    rows = [
        ({k: v for k, v in row.items() if k in columns("measurements")}, result.photo)
        for result in results
        for row in (result.measurements or ({"photo": result.photo["photo"], **empty},))
    ]
    frame = from_rows("measurements", [row for row, _ in rows])
    outcome = pd.DataFrame([{"status": photo["status"], "reason": photo["reason"]} for _, photo in rows], dtype="str")
    return pd.concat([frame, outcome], axis=1)


def _csv(frame: pd.DataFrame) -> str:
    from ulcermeter.store import cell_text

    return str(frame.map(cell_text).to_csv(index=False, lineterminator="\n"))


def _table(frame: pd.DataFrame) -> str:
    from rich.console import Console
    from rich.table import Table

    from ulcermeter.store import cell_text

    table = Table(show_lines=False)
    for name in _FOR_EYES:
        table.add_column(name, overflow="fold")
    for row in frame[list(_FOR_EYES)].map(cell_text).itertuples(index=False):
        table.add_row(*row)
    text = io.StringIO()
    Console(file=text, width=160 if not sys.stdout.isatty() else None).print(table)
    return text.getvalue()


def _write_overlays(folder: Path, results: list[PhotoResult]) -> None:
    from ulcermeter.store import overlay_name, write_file

    drawn: Counter[str] = Counter()  # photos of one name can come from several folders
    for result in results:
        name = Path(result.photo["photo"]).name
        if result.overlay is not None:
            write_file(folder / overlay_name(name, "", "", nth=drawn[name]), result.overlay)
        drawn[name] += 1
