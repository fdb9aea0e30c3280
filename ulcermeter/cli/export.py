"""``ulcermeter export``: outlines for other tools."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ulcermeter.cli.console import clear_errors, command_with, folder_for, say
from ulcermeter.errors import Problem, StudyError

if TYPE_CHECKING:
    import pandas as pd

    from ulcermeter.datatypes import Points

__all__ = ["command"]


@click.command(name="export", cls=command_with("ulcermeter export results --as labelme -o outlines"))
@click.argument("results", type=click.Path())
@click.option("--as", "form", type=click.Choice(["labelme", "geojson"]), required=True, help="The tool's form.")
@click.option("-o", "--out", required=True, type=click.Path(), metavar="DIR", help="A file a photo is written there.")
@click.option("--study", type=click.Path(), help="Where the study is now; where the run found it, without this.")
@clear_errors
def command(*, results: str, form: str, out: str, study: str | None) -> None:
    """Write the outlines of RESULTS as LabelMe or GeoJSON, a file a photo.

    They count from the upper left corner of the first pixel, as these tools do. What is corrected there comes back as
    `mask` in photos.csv, or with `measure --mask`.

    Exit status: 0 written, 2 the folder or call is wrong.
    """
    from ulcermeter.pipeline.finish import study_of_run
    from ulcermeter.store import read_results, write_file

    read = read_results(results)
    folder = folder_for(out, what="outlines")
    assert folder is not None
    root = study_of_run(results, study).root
    by_photo = {str(name): part for name, part in read.outlines.groupby("photo", sort=True)}
    for photo, part in by_photo.items():
        content = _content(form, photo, root, _outlines(part))
        suffix = "json" if form == "labelme" else "geojson"
        write_file(folder / f"{photo.replace('/', '__')}.{suffix}", (json.dumps(content) + "\n").encode())
    say(f"{len(by_photo)} photos with outlines: {folder}")


def _content(form: str, photo: str, root: Path, outlines: list[tuple[int, Points]]) -> Mapping[str, object]:
    from ulcermeter.photo import read_photo
    from ulcermeter.photo.outline_files import geojson_of, labelme_of

    if form == "geojson":
        return geojson_of(photo, outlines)
    path = root / photo
    if not path.is_file():
        raise StudyError(
            Problem(
                where=str(path), expected="the photo, whose size LabelMe wants", got="no file", action="say --study"
            )
        )
    rows, cols = read_photo(path).pixels.shape[:2]
    return labelme_of(str(path.resolve()), (rows, cols), outlines)


def _outlines(part: pd.DataFrame) -> list[tuple[int, Points]]:
    """Return the outlines of one photo, fingers one behind the other; labels count within a finger."""
    ordered = part.sort_values(["hand", "finger", "label", "vertex"])
    return [
        (int(str(names[2])), own[["x_px", "y_px"]].to_numpy(dtype="float64"))
        for names, own in ordered.groupby(["hand", "finger", "label"], sort=True)
    ]
