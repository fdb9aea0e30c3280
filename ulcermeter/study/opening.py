"""Opening every photo of a study before a run, so that what would fail can be mended while the clinic has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ulcermeter.errors import PhotoError, Refusal, UlcermeterError
from ulcermeter.study.cells import parse_box

if TYPE_CHECKING:
    from ulcermeter.datatypes import Study

__all__ = ["off_photo", "open_photos"]

Box = tuple[float, float, float, float]


def open_photos(study: Study, *, progress: Callable[[int, int, Any], None] | None = None) -> list[str]:
    """Open each photo and mask picture; return a sentence for each row that would fail, in the study's order.

    Parameters
    ----------
    study : Study
    progress : callable, optional
        Called with photos done, photos in all and the photo's name.
    """
    sentences = []
    names = [name for name in dict.fromkeys(study.photos["photo"]) if name]
    for done, name in enumerate(names, start=1):
        rows = study.photos[study.photos["photo"] == name]
        sentences += [(int(str(i)), text) for i, text in _faults_of(study, name, rows)]
        if progress is not None:
            progress(done, len(names), name)
    return [f"photos.csv row {row + 2}: {text}" for row, text in sorted(sentences)]


def _faults_of(study: Study, name: str, rows: Any) -> Iterator[tuple[Any, str]]:
    from ulcermeter.photo import read_mask, read_photo
    from ulcermeter.segmentation.tracings import check_on_photo, trace_mask

    try:
        photo = read_photo(study.root / name)
    except UlcermeterError as error:
        yield from ((i, str(error).replace(str(study.root / name), name)) for i in rows.index)
        return
    shape = photo.pixels.shape[:2]
    for i, row in rows.iterrows():
        click = None if row["x"] != row["x"] else (float(row["x"]), float(row["y"]))
        if fault := off_photo(shape, click, parse_box(row["box"]), parse_box(row["reference_box"])):
            yield i, fault
        mask = row["mask"]
        if mask and not mask.lower().endswith(".csv"):
            try:
                drawn = read_mask(study.root / mask, shape, orientation=photo.orientation)
                check_on_photo(trace_mask(drawn), shape)
            except (PhotoError, Refusal) as error:
                yield i, str(error).replace(str(study.root / mask), mask)


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
