"""outlines.csv, written outline by outline: of 20,000 photos it has ten million vertices, too many for a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from ulcermeter.datatypes import Points
from ulcermeter.files import write_parts
from ulcermeter.store.files import cell_text
from ulcermeter.tables import columns

__all__ = ["write_outlines"]

Place = tuple[str, str, str, int]
"""Photo, hand, finger and label."""


def write_outlines(root: str | Path, outlines: Iterable[tuple[Place, Points]]) -> None:
    """Write ``outlines.csv`` as `ulcermeter.store.write_tables` writes a table of its contract.

    Parameters
    ----------
    root : str or Path
        The results folder.
    outlines : iterable of ((str, str, str, int), float64 (K, 2))
        Photo, hand, finger, label, and the vertices in photo px (x, y).
    """
    write_parts(Path(root) / "outlines.csv", (part.encode() for part in _parts(outlines)))


def _parts(outlines: Iterable[tuple[Place, Points]]) -> Iterator[str]:
    yield ",".join(columns("outlines")) + "\n"
    for place, same in groupby(sorted(outlines, key=itemgetter(0)), key=itemgetter(0)):
        cells = [
            (vertex, cell_text(float(x)), cell_text(float(y)))
            for _, points in same
            for vertex, (x, y) in enumerate(points)
        ]
        head = _line(place)
        yield "".join(f"{head},{vertex},{x},{y}\n" for vertex, x, y in sorted(cells))


def _line(cells: Iterable[object]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow([cell_text(cell) for cell in cells])
    return out.getvalue()
