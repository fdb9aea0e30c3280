"""What a finished run keeps, read without holding the store: results without overlays, geometry when asked for."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ulcermeter.datatypes import PhotoGeometry, PhotoResult
from ulcermeter.errors import Problem, StudyError
from ulcermeter.store.geometry import geometry_from_bytes

__all__ = ["KeptResults"]


class KeptResults:
    """The store of a finished run, opened for each look and let go of again."""

    def __init__(self, root: str | Path) -> None:
        self.path = Path(root) / "store.sqlite"

    def results(self) -> list[tuple[str, PhotoResult]]:
        """Return each photo row's key and result in the study's order, without overlay and geometry.

        Raises
        ------
        StudyError
            No store of a finished run.
        """
        statement = (
            "SELECT o.key, r.result FROM study_order o JOIN photo_results r ON r.key = o.key ORDER BY o.position"
        )
        with self._open() as database:
            rows = database.execute(statement).fetchall()
            count = database.execute("SELECT COUNT(*) FROM study_order").fetchone()[0]
        if not rows or len(rows) != count:
            raise self._unfinished(f"{len(rows)} of {count}")
        return [(str(key), _result(text)) for key, text in rows]

    def geometry(self, key: str) -> PhotoGeometry | None:
        """Return what the outlines of a key's photo are measured with; None where there is none."""
        with self._open() as database:
            found = database.execute("SELECT geometry FROM photo_geometry WHERE key = ?", (key,)).fetchone()
        return None if found is None else geometry_from_bytes(found[0])

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        if not self.path.is_file():
            raise self._unfinished("no store.sqlite")
        try:
            database = sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro", uri=True, timeout=10)
            try:
                yield database
            finally:
                database.close()
        except sqlite3.Error as error:
            raise self._unfinished(f"{error}") from error

    def _unfinished(self, got: str) -> StudyError:
        return StudyError(
            Problem(
                where=str(self.path),
                expected="the results of every photo of a finished run, which no run is writing now",
                got=got,
                action="run `ulcermeter run` again, or wait for it to end: readings are kept",
            )
        )


def _result(text: str) -> PhotoResult:
    parts = json.loads(text)
    outlines = tuple((label, np.array(points, dtype=np.float64).reshape(-1, 2)) for label, points in parts["outlines"])
    return PhotoResult(parts["photo"], tuple(parts["measurements"]), outlines)
