"""Opening every photo of a study before a run, so that what would fail can be mended while the clinic has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ulcermeter.datatypes import Box, Finding, Kind, Severity
from ulcermeter.errors import PhotoError, Problem, Refusal, UlcermeterError
from ulcermeter.isolation import Limits, Lost, Workers
from ulcermeter.photo.process_errors import lost_photo, too_little_memory, wants_memory
from ulcermeter.study.camera_dates import camera_date_finding
from ulcermeter.study.cell_formats import parse_box
from ulcermeter.tables.cells import Record, not_known, records

if TYPE_CHECKING:
    from ulcermeter.datatypes import Photo, Study

__all__ = ["off_photo", "open_photos"]


@dataclass(frozen=True)
class _Opened:
    """A photo to open, and the rows of photos.csv that speak of it, by their place there.

    Attributes
    ----------
    most_days : float
        How far the camera's date may be from a row's, days.
    """

    root: Path
    name: str
    rows: dict[int, Record]
    most_days: float


def open_photos(
    study: Study, *, limits: Limits | None = None, progress: Callable[[int, int, str], None] | None = None
) -> list[Finding]:
    """Open each photo and mask picture, and find what would fail and what the camera's clock contradicts.

    They are opened in another process, so that a file that crashes its decoder or never ends is one more that fails.

    Parameters
    ----------
    study : Study
    limits : Limits, optional
        Of one photo with its masks.
    progress : callable, optional
        Called with photos done, photos in all and the photo's name.

    Returns
    -------
    list of Finding
        Of the kinds `WOULD_FAIL` and `CAMERA_DATE`, in the study's order.
    """
    findings: list[Finding] = []
    by_name: dict[str, dict[int, Record]] = {}
    for place, row in enumerate(records(study.photos)):
        by_name.setdefault(row["photo"], {})[place] = row
    most_days = study.protocol.retake.taken_date_max_days
    photos = [_Opened(study.root, name, rows, most_days) for name, rows in by_name.items() if name]
    with Workers(limits=limits) as workers:
        for done, (number, came) in enumerate(workers.each(_findings_in, photos), start=1):
            photo = photos[number]
            findings += _each_row(photo, lost_photo(photo.name, came)) if isinstance(came, Lost) else came
            if progress is not None:
                progress(done, len(photos), photo.name)
    return sorted(findings, key=lambda finding: finding.rows)


def _findings_in(opened: _Opened) -> list[Finding]:
    try:
        return list(_findings_of(opened))
    except Exception as error:  # noqa: BLE001 - one photo never stops the others
        if wants_memory(error):
            return _each_row(opened, too_little_memory(opened.name))
        got = f"a fault of ours: {type(error).__name__}: {error}"
        return _each_row(opened, PhotoError(Problem(got, action="report it with this photo")))


def _findings_of(opened: _Opened) -> Iterator[Finding]:
    from ulcermeter.photo import read_photo

    try:
        photo = read_photo(opened.root / opened.name)
    except UlcermeterError as error:
        yield from _each_row(opened, error, where=opened.name)
        return
    for place, row in opened.rows.items():
        if (problem := _problem_of_row(opened.root, row, photo)) is not None:
            yield _would_fail(place, problem)
        date = camera_date_finding(row, place, photo.taken_at, most_days=opened.most_days)
        if date is not None:
            yield date


def _problem_of_row(root: Path, row: Record, photo: Photo) -> Problem | None:
    """Return what would make a row fail whose photo can be read: a place off the photo, a tracing."""
    from ulcermeter.photo import read_mask
    from ulcermeter.photo.outline_files import JSON_SUFFIXES, outlines_in_json
    from ulcermeter.segmentation.tracings import check_on_photo, trace_mask

    shape = (photo.pixels.shape[0], photo.pixels.shape[1])
    click = None if not_known(row["x"]) else (float(row["x"]), float(row["y"]))
    if problem := off_photo(shape, click, parse_box(row["box"]), parse_box(row["reference_box"])):
        return problem
    mask = row["mask"]
    if mask and not mask.lower().endswith(".csv"):
        try:
            if mask.lower().endswith(JSON_SUFFIXES):
                drawn, masks = outlines_in_json(root / mask, photo=row["photo"], shape=shape)
            else:
                drawn, masks = [], [read_mask(root / mask, shape, orientation=photo.orientation)]
            check_on_photo([*drawn, *(outline for one in masks for outline in trace_mask(one))], shape)
        except PhotoError as error:
            return replace(error.problems[0], where=mask)
        except Refusal as error:
            return error.problems[0]
    return None


def _each_row(opened: _Opened, error: UlcermeterError, *, where: str = "") -> list[Finding]:
    """Return the same problem for every row of a photo; `where` names its file as the row does."""
    problem = error.problems[0]
    problem = replace(problem, where=where) if where and problem.where else problem
    return [_would_fail(place, problem) for place in opened.rows]


def _would_fail(place: int, problem: Problem) -> Finding:
    return Finding(Kind.WOULD_FAIL, Severity.WARNING, "photos.csv", (place + 2,), problem=problem)


def off_photo(
    shape: tuple[int, int], click: tuple[float, float] | None, box: Box | None, reference_box: Box | None = None
) -> Problem | None:
    """Say how a click, a box or a reference's box misses its photo of (rows, columns); None when none does.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the upright photo.
    click : (x, y) or None
        Photo pixels.
    box, reference_box : (x, y, width, height) or None
        Photo pixels.

    Returns
    -------
    Problem or None
    """
    rows, cols = shape
    on = f"outside the upright photo of {cols} × {rows} px"
    give = "give pixels of that photo, x right and y down"
    if click is not None and not (-0.5 <= click[0] <= cols - 0.5 and -0.5 <= click[1] <= rows - 0.5):
        return Problem(f"the click ({click[0]:g}, {click[1]:g}) lies {on}", action=give)
    for name, given in (("box", box), ("reference box", reference_box)):
        if given is not None and not _meets(given, shape):
            return Problem(f"the {name} {' '.join(f'{number:g}' for number in given)} lies {on}", action=give)
    if box is None or click is None:
        return None
    x, y, width, height = box
    if x <= click[0] <= x + width and y <= click[1] <= y + height:
        return None
    own = f"the row's own box {x:g} {y:g} {width:g} {height:g}"
    return Problem(f"the click ({click[0]:g}, {click[1]:g}) lies outside {own}", action="mend one of them")


def _meets(box: Box, shape: tuple[int, int]) -> bool:
    x, y, width, height = box
    return x < shape[1] and y < shape[0] and x + width > 0 and y + height > 0
