"""One person's readings alone, as tables: what agreement compares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ulcermeter.errors import Problem, StudyError
from ulcermeter.pipeline.assemble import gather
from ulcermeter.pipeline.finish import study_of_run
from ulcermeter.pipeline.readings import apply_readings, place_of
from ulcermeter.readings import ReadingLog, current_readings
from ulcermeter.store import PhotoStore
from ulcermeter.tables import from_rows
from ulcermeter.tables.cells import records

if TYPE_CHECKING:
    import pandas as pd

    from ulcermeter.datatypes import PhotoResult, Study
    from ulcermeter.readings import PlaceReading

__all__ = ["tables_of_reader"]


def tables_of_reader(
    root: str | Path, reader: str, *, occasion: int = 1, study: str | Path | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what a reader says of a results folder's photos, whatever others say.

    Parameters
    ----------
    root : str or Path
        The results folder.
    reader : str
    occasion : int
        1, or 2 for the photos that a reading list showed again.
    study : str or Path, optional
        Where the study is now.

    Returns
    -------
    measurements : DataFrame
        Table ``measurements``, a row without a label for each photo that was read and shows nothing.
    outlines : DataFrame
        Table ``outlines``.

    Raises
    ------
    StudyError
        Nothing was read so.
    """
    own = [
        replace(one, occasion=1)
        for one in current_readings(ReadingLog(root).entries())
        if one.reader == reader and one.occasion == occasion and not one.adjudicated
    ]
    if not own:
        raise StudyError(
            Problem(
                where=str(root),
                expected=f"readings by {reader}" + (", of photos shown again" if occasion > 1 else ""),
                got="none",
                action="see readings.csv for who has read",
            )
        )
    with PhotoStore(Path(root) / "store.sqlite") as store:
        return _tables(study_of_run(root, study), store, own)


def _tables(study: Study, store: PhotoStore, own: Sequence[PlaceReading]) -> tuple[pd.DataFrame, pd.DataFrame]:
    reader = own[0].reader
    done, keys = store.of_last_run(in_short=True), store.order()
    applied = apply_readings(study, done, own, geometry=lambda at: store.geometry(keys[at]))
    places = {one.place for one in own}
    read = [(at, result) for at, result in enumerate(applied.done) if place_of(result) in places]
    kept = {at: _of_reader(result, reader) for at, result in read}
    gathered = gather(study, [kept.get(at, replace(r, measurements=())) for at, r in enumerate(done)])
    vertices = [vertex for result in kept.values() for vertex in _vertices(result)]
    empty: list[dict[str, Any]] = [
        {**{name: result.photo.get(name, "") for name in ("photo", "subject_id", "visit", "date", "hand", "finger")},
         "reader": reader}
        for at, result in read
        if not kept[at].measurements
    ]  # fmt: skip
    return from_rows("measurements", [*records(gathered.measurements), *empty]), from_rows("outlines", vertices)


def _vertices(result: PhotoResult) -> Iterator[dict[str, Any]]:
    """Yield the rows of ``outlines`` of a photo row."""
    place = {name: result.photo[name] for name in ("photo", "hand", "finger")}
    for label, points in result.outlines:
        for vertex, (x, y) in enumerate(points):
            yield {**place, "label": label, "vertex": vertex, "x_px": float(x), "y_px": float(y)}


def _of_reader(result: PhotoResult, reader: str) -> PhotoResult:
    rows = tuple(row for row in result.measurements if row["reader"] == reader)
    labels = {row["label"] for row in rows}
    return replace(result, measurements=rows, outlines=tuple(one for one in result.outlines if one[0] in labels))
