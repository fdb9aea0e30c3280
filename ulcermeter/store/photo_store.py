"""What is measured so far, in store.sqlite, so that a killed run goes on where it was and loses nothing."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import numpy as np

from ulcermeter.datatypes import PhotoGeometry, PhotoResult
from ulcermeter.errors import Problem, UlcermeterError, UnfinishedError
from ulcermeter.files import Json
from ulcermeter.store.decisions import DECIDED
from ulcermeter.store.geometry import geometry_bytes, geometry_from_bytes
from ulcermeter.tables.cells import Record, Row

__all__ = ["PhotoStore", "row_key"]

_log = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS photo_results (
    key TEXT PRIMARY KEY, result TEXT NOT NULL, overlay BLOB, sha256 TEXT NOT NULL, status TEXT NOT NULL,
    seal TEXT NOT NULL
)"""
# What a reader's outline is measured with; beside the results, which are listed without it.
_GEOMETRY = """
CREATE TABLE IF NOT EXISTS photo_geometry (key TEXT PRIMARY KEY, geometry BLOB NOT NULL, seal TEXT NOT NULL)"""
# The finger as the report shows it.
_VIEWS = "CREATE TABLE IF NOT EXISTS finger_views (key TEXT PRIMARY KEY, view BLOB NOT NULL, seal TEXT NOT NULL)"
# Where each result's row stands in the study of the last run.
_ORDER = "CREATE TABLE IF NOT EXISTS study_order (position INTEGER PRIMARY KEY, key TEXT NOT NULL)"
# Between a run's start and its end eligibility_summary.csv is not there, so what was decided is kept here.
_DECISIONS = f"""
CREATE TABLE IF NOT EXISTS decisions (
    subject_id TEXT PRIMARY KEY, verdict TEXT NOT NULL, {" TEXT NOT NULL, ".join(DECIDED)} TEXT NOT NULL,
    seal TEXT NOT NULL
)"""
# Which outline has which id: a row of the table `ids`, as JSON.
_IDS = """
CREATE TABLE IF NOT EXISTS issued_ids (position INTEGER PRIMARY KEY, row TEXT NOT NULL, seal TEXT NOT NULL)"""

_COLUMNS = {
    "photo_results": ("key", "result", "overlay", "sha256", "status", "seal"),
    "photo_geometry": ("key", "geometry", "seal"),
    "finger_views": ("key", "view", "seal"),
    "study_order": ("position", "key"),
    "decisions": ("subject_id", "verdict", *DECIDED, "seal"),
    "issued_ids": ("position", "row", "seal"),
}
# What sqlite says where the disk or the folder is at fault, not the file; further bytes of a code say more.
_NO_ROOM = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
# Of what a result holds; raised when it holds more, so that photos of an earlier form are measured again.
_FORM = 3


def row_key(row: Row, *, photo_sha256: str, mask_sha256: str, run_id: str, first_label: int) -> str:
    """Name a photo row's result: 64 hexadecimal digits over all that can change it.

    Parameters
    ----------
    row : mapping
        The row of the study's photos.csv.
    photo_sha256, mask_sha256 : str
        Of the files as they are now; empty where there is none. A photo exchanged under its old name is measured anew.
    run_id : str
        See `ulcermeter.provenance.run_id`: another protocol or model measures anew.
    first_label : int
        Of the row's ulcers. It follows from the rows around it, and stands in the result: a row added above another of
        the same finger must not leave both with one label.

    Returns
    -------
    str
    """
    cells = {name: "" if value != value else str(value) for name, value in row.items()}
    text = json.dumps([cells, photo_sha256, mask_sha256, run_id, first_label, _FORM], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


class PhotoStore:
    """The results of single photo rows, each safe on disk as soon as it is put."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._db = sqlite3.connect(self.path, timeout=1)
            self._prepare()
            if not self._is_sound():
                self._set_aside()
        except sqlite3.Error as error:
            if "locked" in str(error):
                raise UlcermeterError(
                    Problem("another run is writing here", where=str(self.path.parent), action="wait for it to end")
                ) from error
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _NO_ROOM and not self.path.is_dir():
                raise UlcermeterError(_not_written(self.path, error)) from error
            raise UlcermeterError(
                Problem(
                    where=str(self.path),
                    expected="a store of ulcermeter",
                    got=f"a file that sqlite cannot use ({error})",
                    action="remove it, or choose another results folder",
                )
            ) from error

    def _prepare(self) -> None:
        """Take hold of the file and see that it is a store; it is let go of again where it is none."""
        # A letter that lost a bit may be no letter: the row's seal tells it, not the decoding.
        self._db.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
        try:
            # Held until closed or killed: two runs into one folder would overwrite each other's tables.
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
            with self._db:
                self._db.execute("BEGIN EXCLUSIVE")
                self._db.execute(_SCHEMA)
                self._db.execute(_GEOMETRY)
                self._db.execute(_VIEWS)
                self._db.execute(_ORDER)
                self._db.execute(_DECISIONS)
                self._db.execute(_IDS)
                self._check_columns()
        except sqlite3.Error:
            self._db.close()
            raise

    def _is_sound(self) -> bool:
        """Tell whether sqlite finds its own structures whole; what stands in the rows their seals tell."""
        try:
            return bool(self._db.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok")
        except sqlite3.DatabaseError:
            return False

    def _set_aside(self) -> None:
        """Begin a new store beside a damaged one, which is kept: what was decided may stand there alone."""
        try:
            decided, ids = self.decisions(), self.ids()
        except sqlite3.Error:
            decided, ids = {}, []
        self._db.close()
        kept = self.path.with_suffix(".damaged.sqlite")
        # A journal left beside it would be played back into the new one.
        self.path.with_name(f"{self.path.name}-journal").unlink(missing_ok=True)
        os.replace(self.path, kept)
        _log.warning(
            "%s is damaged and is kept as %s: all photos are measured anew, and %d decision(s) were taken from it; see "
            "that eligibility_summary.csv holds all that was decided.", self.path, kept.name, len(decided),
        )  # fmt: skip
        self._db = sqlite3.connect(self.path, timeout=1)
        self._prepare()
        self.put_decisions({"subject_id": subject, **cells} for subject, cells in decided.items())
        self.put_ids(ids)

    def _check_columns(self) -> None:
        for table, names in _COLUMNS.items():
            got = tuple(row[1] for row in self._db.execute(f"PRAGMA table_info({table})"))
            if got != names:
                raise sqlite3.DatabaseError(f"its {table} has the columns {', '.join(got)}, not {', '.join(names)}")

    @contextmanager
    def _writing(self, failed: type[UlcermeterError]) -> Iterator[None]:
        """Write all or nothing; what sqlite cannot write is told in a sentence."""
        try:
            with self._db:
                yield
        except sqlite3.Error as error:
            raise failed(_not_written(self.path, error)) from error

    def __enter__(self) -> PhotoStore:
        """Return the store itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def put(self, key: str, result: PhotoResult) -> None:
        """Keep a result; one of the same key is replaced."""
        text = json.dumps(
            {
                "photo": result.photo,
                "measurements": result.measurements,
                "outlines": [(int(label), np.asarray(points).tolist()) for label, points in result.outlines],
            },
            default=_plain,
        )
        cells = (key, text, result.overlay, str(result.photo.get("sha256", "")), str(result.photo.get("status", "")))
        with self._writing(UnfinishedError):
            self._db.execute("INSERT OR REPLACE INTO photo_results VALUES (?, ?, ?, ?, ?, ?)", (*cells, _seal(cells)))
            self._db.execute("DELETE FROM photo_geometry WHERE key = ?", (key,))
            if result.geometry is not None:
                kept = (key, geometry_bytes(result.geometry))
                self._db.execute("INSERT INTO photo_geometry VALUES (?, ?, ?)", (*kept, _seal(kept)))
            self._db.execute("DELETE FROM finger_views WHERE key = ?", (key,))
            if result.finger_view is not None:
                shown = (key, result.finger_view)
                self._db.execute("INSERT INTO finger_views VALUES (?, ?, ?)", (*shown, _seal(shown)))

    def get(self, key: str, *, failed: bool = False, in_short: bool = False) -> PhotoResult | None:
        """Return the result of that key, bit for bit as it was put, or None.

        In short it comes without pictures and geometry. A photo that failed is none, unless asked for: what made it
        fail may have passed, so it is tried again. Neither is one that is not as it was put, since somebody edited it
        or a disk lost a bit: that is told, and it is measured again.
        """
        try:
            found = self._db.execute(
                "SELECT key, result, overlay, sha256, status, seal FROM photo_results WHERE key = ?", (key,)
            ).fetchone()
        except sqlite3.Error as error:
            raise UlcermeterError(
                Problem(
                    where=str(self.path),
                    expected="the results of photos",
                    got=f"a damaged store ({error})",
                    action="remove it, and all photos are measured anew, or choose another results folder",
                )
            ) from error
        if found is None:
            return None
        *cells, seal = found
        if seal != _seal(cells):
            _log.warning(
                "%s: a result is not as it was kept (edited, or damaged); its photo is measured again", self.path
            )
            return None
        _, text, overlay, _, status = cells
        if status == "failed" and not failed:
            return None
        parts = json.loads(text)
        outlines = tuple(
            (label, np.array(points, dtype=np.float64).reshape(-1, 2)) for label, points in parts["outlines"]
        )
        more = () if in_short else (overlay, self.geometry(key), self._view(key))
        return PhotoResult(parts["photo"], tuple(parts["measurements"]), outlines, *more)

    def geometry(self, key: str) -> PhotoGeometry | None:
        """Return what the outlines of that key's photo are measured with, bit for bit; None where there is none."""
        found = self._db.execute("SELECT key, geometry, seal FROM photo_geometry WHERE key = ?", (key,)).fetchone()
        if found is None or found[2] != _seal(found[:2]):
            return None
        return geometry_from_bytes(found[1])

    def pictures(self, key: str) -> tuple[bytes | None, bytes | None]:
        """Return the overlay of that key's photo and the view of its finger; None for what there is not."""
        found = self._db.execute("SELECT overlay FROM photo_results WHERE key = ?", (key,)).fetchone()
        return None if found is None else found[0], self._view(key)

    def _view(self, key: str) -> bytes | None:
        found = self._db.execute("SELECT key, view, seal FROM finger_views WHERE key = ?", (key,)).fetchone()
        return None if found is None or found[2] != _seal(found[:2]) else bytes(found[1])

    def keep_only(self, keys: Iterable[str]) -> None:
        """Forget the results of rows, photos or rules that are no longer in the study, whose order the keys are in."""
        with self._writing(UnfinishedError):
            self._db.execute("DELETE FROM study_order")
            self._db.executemany("INSERT INTO study_order VALUES (?, ?)", enumerate(keys))
            for table in ("photo_results", "photo_geometry", "finger_views"):
                self._db.execute(f"DELETE FROM {table} WHERE key NOT IN (SELECT key FROM study_order)")

    def order(self) -> list[str]:
        """Return the keys of the last run's photo rows, in its study's order."""
        return [str(key) for (key,) in self._db.execute("SELECT key FROM study_order ORDER BY position")]

    def of_last_run(self, *, in_short: bool = False) -> list[PhotoResult]:
        """Return the results of the last finished run in its study's order, those of failed photos too.

        Raises
        ------
        UlcermeterError
            One is not there any more, or not as it was put.
        """
        found = [self.get(key, failed=True, in_short=in_short) for key in self.order()]
        if None in found or not found:
            raise UlcermeterError(
                Problem(
                    where=str(self.path),
                    expected="the results of every photo of a finished run",
                    got=f"{sum(one is not None for one in found)} of {len(found)}",
                    action="run `ulcermeter run` again: readings are kept",
                )
            )
        return [one for one in found if one is not None]

    def put_decisions(self, rows: Iterable[Mapping[str, str | None]]) -> None:
        """Keep what an earlier eligibility_summary.csv says was decided; other subjects, and cells of None, stay.

        A decision that has not changed keeps the verdict on which it was made: the file shows the last run's verdict.
        """
        with self._writing(UlcermeterError):
            for row in rows:
                subject = str(row["subject_id"])
                before = self.decisions().get(subject)
                cells = tuple((before or {}).get(name, "") if row[name] is None else row[name] for name in DECIDED)
                if not any(cells):
                    self._db.execute("DELETE FROM decisions WHERE subject_id = ?", (subject,))
                elif before is None or cells != tuple(before[name] for name in DECIDED):
                    place = "INSERT OR REPLACE INTO decisions VALUES (?, ?, ?, ?, ?, ?)"
                    kept = (subject, row["verdict"], *cells)
                    self._db.execute(place, (*kept, _seal(kept)))

    def decisions(self) -> dict[str, dict[str, str]]:
        """Return what was decided, by subject: the verdict on which it was, and the investigator's three cells."""
        names = ("verdict", *DECIDED)
        found = self._db.execute(f"SELECT subject_id, {', '.join(names)}, seal FROM decisions").fetchall()
        kept = {}
        for subject, *cells, seal in found:
            if seal == _seal((subject, *cells)):
                kept[subject] = dict(zip(names, cells, strict=True))
            else:
                _log.warning(
                    "%s: the decision %s is not as it was kept (edited, or damaged) and is not carried over; fill it "
                    "in again in eligibility_summary.csv", self.path, [subject, *cells],
                )  # fmt: skip
        return kept

    def put_ids(self, rows: Iterable[Row]) -> None:
        """Keep which outline has which id, in the place of all that was kept: rows of the table ``ids``."""
        with self._writing(UnfinishedError):
            self._db.execute("DELETE FROM issued_ids")
            for position, row in enumerate(rows):
                kept = (position, json.dumps(row, default=_plain, sort_keys=True))
                self._db.execute("INSERT INTO issued_ids VALUES (?, ?, ?)", (*kept, _seal(kept)))

    def ids(self) -> list[Record]:
        """Return which outline has which id, as it was kept; rows that are not as they were put are left out."""
        found = self._db.execute("SELECT position, row, seal FROM issued_ids ORDER BY position").fetchall()
        sound = [json.loads(text) for position, text, seal in found if seal == _seal((position, text))]
        if len(sound) < len(found):
            _log.warning(
                "%s: %d ids of outlines are not as they were kept (edited, or damaged) and are given anew; compare "
                "ids.csv with an earlier one", self.path, len(found) - len(sound),
            )  # fmt: skip
        return sound

    def __len__(self) -> int:
        """Return how many results it holds."""
        return int(self._db.execute("SELECT COUNT(*) FROM photo_results").fetchone()[0])


def _not_written(path: Path, error: sqlite3.Error) -> Problem:
    return Problem(
        where=str(path),
        expected="to write here",
        got=str(error),
        action="make room on the disk, see that the folder may be written, and run again: what was measured so far is "
        "kept and not measured anew",
    )


def _seal(cells: Iterable[object]) -> str:
    """Return a checksum over a row's cells: 64 hexadecimal digits of a SHA-256, each cell with its kind and length."""
    digest = hashlib.sha256()
    for cell in cells:
        content = cell if isinstance(cell, bytes) else str(cell).encode("utf-8", "surrogateescape")
        digest.update(f"{type(cell).__name__} {len(content)} ".encode() + content)
    return digest.hexdigest()


def _plain(value: object) -> Json:
    """Numbers of numpy and pandas as JSON has them."""
    if isinstance(value, np.generic):
        plain: bool | int | float | str = value.item()
        return plain
    if type(value).__name__ == "NAType":
        return None
    raise TypeError(f"expected a JSON value in a photo's result, got {type(value).__name__}")
