"""Opening every photo of a study before a run, so that what would fail can be mended while the clinic has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ulcermeter.errors import PhotoError, Refusal, UlcermeterError
from ulcermeter.isolation import Limits, Lost, Workers
from ulcermeter.photo.lost import lost_photo, too_little_memory
from ulcermeter.study.cells import parse_box

if TYPE_CHECKING:
    from ulcermeter.datatypes import Study

__all__ = ["off_photo", "open_photos"]

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class _Opened:
    """A photo to open, and the rows of photos.csv that speak of it, by their place there."""

    root: Path
    name: str
    rows: dict[int, dict[str, Any]]


def open_photos(
    study: Study, *, limits: Limits | None = None, progress: Callable[[int, int, Any], None] | None = None
) -> list[str]:
    """Open each photo and mask picture; return a sentence for each row that would fail, in the study's order.

    They are opened in another process, so that a file that crashes its decoder or never ends is one more that fails.

    Parameters
    ----------
    study : Study
    limits : Limits, optional
        Of one photo with its masks.
    progress : callable, optional
        Called with photos done, photos in all and the photo's name.
    """
    sentences: list[tuple[int, str]] = []
    by_name: dict[str, dict[int, dict[str, Any]]] = {}
    for place, row in enumerate(study.photos.to_dict("records")):
        by_name.setdefault(row["photo"], {})[place] = {str(name): cell for name, cell in row.items()}
    photos = [_Opened(study.root, name, rows) for name, rows in by_name.items() if name]
    with Workers(limits=limits) as workers:
        for done, (number, came) in enumerate(workers.each(_faults_in, photos), start=1):
            photo = photos[number]
            lost = lost_photo(photo.name, came) if isinstance(came, Lost) else None
            sentences += came if lost is None else [(place, str(lost)) for place in photo.rows]
            if progress is not None:
                progress(done, len(photos), photo.name)
    return [f"photos.csv row {row + 2}: {text}" for row, text in sorted(sentences)]


def _faults_in(opened: _Opened) -> list[tuple[int, str]]:
    try:
        return list(_faults_of(opened))
    except MemoryError:
        said = str(too_little_memory(opened.name))
    except Exception as error:  # noqa: BLE001 - one photo never stops the others
        said = f"a fault of ours: {type(error).__name__}: {error}; please report it with this photo"
    return [(place, said) for place in opened.rows]


def _faults_of(opened: _Opened) -> Iterator[tuple[int, str]]:
    from ulcermeter.photo import read_mask, read_photo
    from ulcermeter.segmentation.tracings import check_on_photo, trace_mask

    try:
        photo = read_photo(opened.root / opened.name)
    except UlcermeterError as error:
        yield from ((i, str(error).replace(str(opened.root / opened.name), opened.name)) for i in opened.rows)
        return
    shape = photo.pixels.shape[:2]
    for i, row in opened.rows.items():
        click = None if row["x"] != row["x"] else (float(row["x"]), float(row["y"]))
        if fault := off_photo(shape, click, parse_box(row["box"]), parse_box(row["reference_box"])):
            yield i, fault
        mask = row["mask"]
        if mask and not mask.lower().endswith(".csv"):
            try:
                drawn = read_mask(opened.root / mask, shape, orientation=photo.orientation)
                check_on_photo(trace_mask(drawn), shape)
            except (PhotoError, Refusal) as error:
                yield i, str(error).replace(str(opened.root / mask), mask)


def off_photo(
    shape: tuple[int, int], click: tuple[float, float] | None, box: Box | None, reference_box: Box | None = None
) -> str:
    """Say how a click, a box or a reference's box misses its photo of (rows, columns); empty when none does."""
    rows, cols = shape
    on = f"outside the upright photo of {cols} × {rows} px; give pixels of that photo, x right and y down"
    if click is not None and not (-0.5 <= click[0] <= cols - 0.5 and -0.5 <= click[1] <= rows - 0.5):
        return f"the click ({click[0]:g}, {click[1]:g}) lies {on}"
    for name, given in (("box", box), ("reference box", reference_box)):
        if given is not None and not _meets(given, shape):
            return f"the {name} {' '.join(f'{number:g}' for number in given)} lies {on}"
    if box is None:
        return ""
    x, y, width, height = box
    if click is not None and not (x <= click[0] <= x + width and y <= click[1] <= y + height):
        own = f"the row's own box {x:g} {y:g} {width:g} {height:g}; mend one of them"
        return f"the click ({click[0]:g}, {click[1]:g}) lies outside {own}"
    return ""


def _meets(box: Box, shape: tuple[int, int]) -> bool:
    x, y, width, height = box
    return x < shape[1] and y < shape[0] and x + width > 0 and y + height > 0
