"""Damaged tables of a study, as disks, spreadsheets and people damage them; another reader says what the cells are."""

from __future__ import annotations

import csv
import io
import pickle
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from mutations.chance import Mutation, damage
from mutations.files import drawn
from mutations.pieces import Answer, Outcome, Piece, answer, refused
from ulcermeter.datatypes import PhotoResult, Study
from ulcermeter.phantom import write_phantom
from ulcermeter.pipeline import measure_photo
from ulcermeter.pipeline.assemble import gather, tables_of
from ulcermeter.protocol import read_protocol
from ulcermeter.study import check_study

__all__ = ["ask_table", "write_tables"]

SAMPLE = Path(__file__).parents[3] / "sample_images" / "study"
_EVENTS = (
    "subject_id,hand,finger,ulcer_no,event,date\nS01,left,ring,,debridement,2024-05-20\nS04,,,,rescue,2024-06-03\n"
)
_MOST_ROWS = 16
_CARRIED_EVERY = 2
"""Of tables with other cells one in so many is carried through to the verdicts."""
Cells = list[dict[str, str]]


def write_tables(_: str, folder: Path, most: int) -> list[str]:
    """Write the sample study's tables (the first rows of each, without photos) and how they are read."""
    for path in sorted(SAMPLE.glob("*.csv")):
        if not path.name.startswith("truth"):
            lines = path.read_text(encoding="utf-8").splitlines()[: _MOST_ROWS + 1]
            (folder / path.name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "events.csv").write_text(_EVENTS, encoding="utf-8")
    checked = check_study(folder)
    assert checked.study is not None, checked.faults
    (folder / "whole.base").write_bytes(pickle.dumps((checked.study, _measured_once(folder))))
    return sorted(path.name for path in folder.glob("*.csv"))[:most]


def ask_table(piece: Piece) -> Answer:
    """Damage one table and read the study; where it reads, carry it through to the verdicts."""
    whole = (piece.folder / piece.base).read_bytes()
    mutation = _damage_table(whole, piece.seed)
    study = piece.place / "study"
    if not study.exists():
        study.mkdir()
        for path in piece.folder.glob("*.csv"):
            shutil.copy(path, study)
    (study / piece.base).write_bytes(mutation.data)
    try:
        return answer(mutation.what, lambda: _judge(piece, whole, mutation.data, study))
    finally:
        (study / piece.base).write_bytes(whole)


# --- damage -----------------------------------------------------------------------------------------------------------


def _damage_table(whole: bytes, seed: int) -> Mutation:
    """Damage bytes in one case of three, else cells, columns or the encoding."""
    rng = np.random.default_rng(seed)
    if rng.random() < 0.33:
        return damage(whole, seed)
    rows = list(csv.reader(io.StringIO(whole.decode())))
    how: Sequence[Callable[..., tuple[str, bytes]]] = (
        _other_cell, _other_cell, _other_cell, _missing_cell, _extra_cell, _bare_quote, _swapped_columns,
        _swapped_header, _encoded, _parted, _twice, _shuffled,
    )  # fmt: skip
    what, data = how[int(rng.integers(len(how)))](rows, rng)
    return Mutation(what, data, ((0, len(whole)),))


def _text(rows: list[list[str]], **options: Any) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n", **options).writerows(rows)
    return out.getvalue()


def _place(rows: list[list[str]], rng: np.random.Generator) -> tuple[int, int]:
    i = int(rng.integers(1, len(rows)))
    return i, int(rng.integers(len(rows[i])))


_CELLS = (
    "", " ", "?", "yes", "no", "-1", "0", "1e9", "nan", "inf", "2,5", "99999999999999999999", "=1+1", "'", '"', "\n",
    "2024-13-01", "06/05/2024", "2024-05", "1856-02-01", "2099-01-01", "Müller, Anna", "left index", "LEFT", "S01",
    "week 3", "../../etc/passwd", "photos/none.jpg", "a" * 5000, "😀", "null", "1.5", "scale:0", "aruco:0",
)  # fmt: skip


def _other_cell(rows: list[list[str]], rng: np.random.Generator) -> tuple[str, bytes]:
    i, j = _place(rows, rng)
    cell = _CELLS[int(rng.integers(len(_CELLS)))]
    before, rows[i][j] = rows[i][j], cell
    return f"row {i + 1}, {rows[0][j]}: {before!r} to {cell[:20]!r}", _text(rows).encode()


def _missing_cell(rows: list[list[str]], rng: np.random.Generator) -> tuple[str, bytes]:
    i, j = _place(rows, rng)
    del rows[i][j]
    return f"row {i + 1}, {rows[0][j]} missing", _text(rows).encode()


def _extra_cell(rows: list[list[str]], rng: np.random.Generator) -> tuple[str, bytes]:
    i, j = _place(rows, rng)
    rows[i].insert(j, str(rng.choice(["", "x", "1"])))
    return f"row {i + 1}: a cell before {rows[0][j]}", _text(rows).encode()


def _bare_quote(rows: list[list[str]], rng: np.random.Generator) -> tuple[str, bytes]:
    lines = _text(rows).splitlines(keepends=True)
    i = int(rng.integers(len(lines)))
    at = int(rng.integers(len(lines[i])))
    commas = [k + 1 for k, letter in enumerate(lines[i]) if letter == ","]
    at = int(rng.choice(commas)) if commas and rng.random() < 0.5 else at
    lines[i] = lines[i][:at] + '"' + lines[i][at:]
    return f"line {i + 1}: a quote at {at}", "".join(lines).encode()


def _swapped_columns(rows: list[list[str]], rng: np.random.Generator) -> tuple[str, bytes]:
    order = list(rng.permutation(len(rows[0])))
    return "columns in another order", _text([[row[j] for j in order] for row in rows]).encode()


def _swapped_header(rows: list[list[str]], rng: np.random.Generator) -> tuple[str, bytes]:
    a, b = (int(j) for j in rng.choice(len(rows[0]), 2, replace=False))
    rows[0][a], rows[0][b] = rows[0][b], rows[0][a]
    return f"names {rows[0][a]} and {rows[0][b]} exchanged", _text(rows).encode()


def _encoded(rows: list[list[str]], rng: np.random.Generator) -> tuple[str, bytes]:
    encoding = str(rng.choice(["utf-16", "utf-8-sig", "cp1252", "utf-16-le", "utf-32"]))
    rows[1][0] = rows[1][0] + "ü" if rng.random() < 0.3 else rows[1][0]
    return f"in {encoding}", _text(rows).encode(encoding)


def _parted(rows: list[list[str]], rng: np.random.Generator) -> tuple[str, bytes]:
    mark = str(rng.choice([";", "\t", "|", " "]))
    return f"parted by {mark!r}", _text(rows, delimiter=mark).encode()


def _twice(rows: list[list[str]], rng: np.random.Generator) -> tuple[str, bytes]:
    i, _ = _place(rows, rng)
    return f"row {i + 1} twice", _text([*rows, rows[i]]).encode()


def _shuffled(rows: list[list[str]], rng: np.random.Generator) -> tuple[str, bytes]:
    order = rng.permutation(len(rows) - 1) + 1
    return "rows in another order", _text([rows[0], *(rows[i] for i in order)]).encode()


# --- judgement --------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _whole(path: Path) -> tuple[Study, PhotoResult]:
    return pickle.loads(path.read_bytes())


def _judge(piece: Piece, whole: bytes, data: bytes, folder: Path) -> tuple[Outcome, str]:
    checked = check_study(folder)
    if checked.study is None:
        return refused("\n".join(map(str, checked.faults)), several=True)
    base, template = _whole(piece.folder / "whole.base")
    name = piece.base.removesuffix(".csv")
    before, after = getattr(base, name), getattr(checked.study, name)
    if wrong := _misread(_cells(whole), before, _cells(data), after):
        return Outcome.WRONG, wrong
    if before.equals(after):
        return Outcome.RIGHT, "the same cells"
    if piece.seed % _CARRIED_EVERY == 0:
        tables_of(checked.study, gather(checked.study, _as_if_measured(checked.study, template)))
    return Outcome.LISTED, "other valid cells"


def _cells(data: bytes) -> Cells:
    """Return the cells as the csv module reads them, by the header's names; empty rows left out."""
    text = data.decode("utf-8-sig")
    mark = max(",;\t", key=text.split("\n")[0].count)
    header, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    names = [name.strip() for name in header]
    return [dict(zip(names, (cell.strip() for cell in row), strict=False)) for row in rows if any(map(str.strip, row))]


def _misread(before: Cells, read_before: Any, after: Cells, read_after: Any) -> str:
    """Say where a text that is known from the whole table is read as something else, or where a row is lost."""
    means: dict[tuple[str, str], set[str]] = {}
    for row, read in zip(before, read_before.to_dict("records"), strict=True):
        for name, text in row.items():
            means.setdefault((name, text), set()).add(repr(read.get(name)))
    if len(after) != len(read_after):
        return f"{len(after)} rows are there, {len(read_after)} were read"
    for position, (row, read) in enumerate(zip(after, read_after.to_dict("records"), strict=True), start=2):
        for name, text in row.items():
            if "\n" in text and "," in text:
                return f"row {position}, {name}: rows within a cell: {text[:40]!r}"
            if name in read and repr(read[name]) not in means.get((name, text), {repr(read[name])}):
                return f"row {position}, {name}: {text!r} is read as {read[name]!r}"
    return ""


def _as_if_measured(study: Study, template: PhotoResult) -> list[PhotoResult]:
    """Return a result for each photo row, its ulcer healing from photo to photo."""
    done = []
    for k, row in enumerate(study.photos.to_dict("records")):
        known = {name: row[name] for name in ("photo", "subject_id", "visit", "date", "hand", "finger", "view")}
        size = 4.0 - 0.4 * (k % 9)
        photo = {**template.photo, **known}
        measured = {
            **template.measurements[0], **known, "diameter_mm": size, "diameter_low_mm": size - 0.2,
            "diameter_high_mm": size + 0.2, "area_mm2": 0.7 * size**2, "over_threshold": "yes" if size > 2.2 else "no",
        }  # fmt: skip
        done.append(replace(template, photo=photo, measurements=(measured,)))
    return done


def _measured_once(folder: Path) -> PhotoResult:
    """Return what is measured on one drawn photo."""
    write_phantom(drawn(1.8), folder / "a.jpg")
    row = {"photo": "a.jpg", "reference": "aruco:10", "reference_on": "skin", "hand": "left", "finger": "index"}
    result = measure_photo(row, read_protocol(), root=folder, overlay=False)
    assert result.photo["status"] == "measured", result.photo
    return result
