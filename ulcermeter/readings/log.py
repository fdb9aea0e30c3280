"""The append-only log of what persons decided: every entry carries the hash of the one before it.

An entry is kept as the text that was hashed (canonical JSON), so that a check needs no second opinion on how to write
it. Whoever can write the file can write it anew from the start; only a head's hash that was kept elsewhere shows that.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ulcermeter.errors import Problem, UlcermeterError, UnfinishedError

__all__ = ["EMPTY_HEAD", "LOG_FILE", "Entry", "ReadingLog", "log_head", "read_rows"]

LOG_FILE = "readings.sqlite"
"""The log's file in a results folder."""
EMPTY_HEAD = "0" * 64
"""The head of a log without entries."""
# Nothing that goes through sqlite may change or remove an entry; what is done to the file itself, the hashes show.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (number INTEGER PRIMARY KEY, text TEXT NOT NULL, hash TEXT NOT NULL);
CREATE TRIGGER IF NOT EXISTS never_changed BEFORE UPDATE ON entries
    BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END;
CREATE TRIGGER IF NOT EXISTS never_removed BEFORE DELETE ON entries
    BEGIN SELECT RAISE(ABORT, 'entries are never removed'); END;
"""
_ROWS = "SELECT number, text, hash FROM entries ORDER BY number"
_LAST = f"{_ROWS} DESC LIMIT 1"
_ONE = "SELECT number, text, hash FROM entries WHERE number = :only"


@dataclass(frozen=True)
class Entry:
    """One decision.

    Attributes
    ----------
    number : int
        From 1.
    when : str
        UTC to the millisecond, ISO 8601.
    who : str
        As the person was named to the program; nobody is authenticated.
    action : str
        What was done, such as ``accept``, ``edit``, ``healed``, ``undo``, ``decision``.
    subject_id, photo, hand, finger, ulcer : str
        What it is about; empty where it is about no photo, or about all ulcers of it.
    before, after : mapping or None
        What was there and what is there now.
    why : str
        The reason that was given.
    run_id, photo_sha256 : str
        What the person was shown.
    previous : str
        Hash of the entry before it, `EMPTY_HEAD` for the first.
    """

    number: int
    when: str
    who: str
    action: str
    subject_id: str
    photo: str
    hand: str
    finger: str
    ulcer: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    why: str
    run_id: str
    photo_sha256: str
    previous: str

    @property
    def text(self) -> str:
        """The entry as it is kept and hashed."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False)

    @property
    def hash(self) -> str:
        """SHA-256 of `text`, 64 hexadecimal digits."""
        return hash_of(self.text)


def hash_of(text: str) -> str:
    """Return the SHA-256 of an entry's text as 64 hexadecimal digits.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
    """
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


class ReadingLog:
    """The log of a results folder; opened for reading it is not made where it is not there."""

    def __init__(self, root: str | Path) -> None:
        self.path = Path(root) / LOG_FILE

    def append(self, *, who: str, action: str, **cells: Any) -> Entry:
        """Write an entry down to the disk and return it; `cells` are further fields of `Entry`.

        Raises
        ------
        UnfinishedError
            The disk is full, or the file cannot be written: the entry is not in the log.
        UlcermeterError
            The log's last entry is not as it was written: nothing may follow it.
        """
        with self._open() as database:
            database.execute("BEGIN IMMEDIATE")
            last = database.execute("SELECT number, text, hash FROM entries ORDER BY number DESC LIMIT 1").fetchone()
            number, previous = (0, EMPTY_HEAD) if last is None else (int(last[0]), str(last[2]))
            if last is not None and hash_of(str(last[1])) != previous:
                raise _damaged(self.path, f"an entry {number} that is not as it was written")
            given: dict[str, Any] = dict.fromkeys(
                ("subject_id", "photo", "hand", "finger", "ulcer", "why", "run_id", "photo_sha256"), ""
            )
            given |= {"before": None, "after": None, **cells}
            when = datetime.now(UTC).isoformat(timespec="milliseconds")
            entry = Entry(number=number + 1, when=when, who=who, action=action, previous=previous, **given)
            database.execute("INSERT INTO entries VALUES (?, ?, ?)", (entry.number, entry.text, entry.hash))
        return entry

    def entries(self) -> list[Entry]:
        """Return all entries in order.

        Raises
        ------
        UlcermeterError
            The file is no log, or an entry is not as it was written: nothing is taken from such a log.
        """
        entries = []
        previous = EMPTY_HEAD
        for position, (number, text, own) in enumerate(read_rows(self.path), start=1):
            try:
                entry = Entry(**json.loads(text))
            except (ValueError, TypeError) as error:
                raise _damaged(self.path, f"an entry {number} that cannot be read") from error
            if number != position or hash_of(text) != own or entry.previous != previous or entry.number != number:
                raise _damaged(self.path, f"an entry {position} that does not follow the one before it")
            entries.append(entry)
            previous = own
        return entries

    def entry(self, number: int) -> Entry:
        """Return one entry, without a look at its chain.

        Raises
        ------
        UlcermeterError
            There is none of that number, or it is not as it was written.
        """
        for _, text, own in read_rows(self.path, only=number):
            with suppress(ValueError, TypeError):
                found = Entry(**json.loads(text))
                if hash_of(text) == own and found.number == number:
                    return found
        raise _damaged(self.path, f"no entry {number} that can be read")

    def count(self) -> int:
        """Return the last entry's number; 0 where there is none."""
        return max((number for number, _, _ in read_rows(self.path, only=-1)), default=0)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Open, make what is not there, and write all or nothing."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            database = sqlite3.connect(self.path, timeout=10, isolation_level=None)
            try:
                # FULL: an entry that was confirmed stays after a power cut.
                database.execute("PRAGMA synchronous=FULL")
                database.executescript(_SCHEMA)
                yield database
                database.execute("COMMIT")
            finally:
                database.close()
        except sqlite3.Error as error:
            raise UnfinishedError(
                Problem(
                    where=str(self.path),
                    expected="to write a reading here",
                    got=str(error),
                    action="make room on the disk, see that the folder may be written, and do it again: readings "
                    "confirmed so far are kept",
                )
            ) from error


def read_rows(path: Path, *, only: int | None = None) -> list[tuple[int, str, str]]:
    """Return a log's rows as they stand: number, text, hash; none where there is no log.

    Parameters
    ----------
    path : Path
        The log's file; no entry of it is changed.
    only : int, optional
        The entry of that number alone; -1 for the last one.

    Returns
    -------
    list of (int, str, str)

    Raises
    ------
    UlcermeterError
        A file that sqlite cannot read, or without entries' table.
    """
    if not path.exists():
        return []
    try:
        # What a killed process left half written is rolled back, which needs to write.
        how = "rw" if path.with_name(f"{path.name}-journal").exists() else "ro"
        database = sqlite3.connect(f"{path.resolve().as_uri()}?mode={how}", uri=True, timeout=10)
        try:
            database.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
            if not database.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]:
                return []  # killed before the first entry
            found = database.execute(_ROWS if only is None else _LAST if only < 0 else _ONE, {"only": only})
            return [(int(n), str(t), str(h)) for n, t, h in found]
        finally:
            database.close()
    except (sqlite3.Error, ValueError, TypeError) as error:
        raise _damaged(path, f"a file that sqlite cannot read ({error})") from error


def log_head(root: str | Path) -> tuple[str, int]:
    """Return the hash of a log's last entry and how many there are; `EMPTY_HEAD` and 0 where there is no log.

    Parameters
    ----------
    root : str or Path
        The results folder.

    Returns
    -------
    (str, int)
    """
    rows = read_rows(Path(root) / LOG_FILE)
    return (rows[-1][2], len(rows)) if rows else (EMPTY_HEAD, 0)


def _damaged(path: Path, got: str) -> UlcermeterError:
    return UlcermeterError(
        Problem(
            where=str(path),
            expected="a log of readings as it was written",
            got=got,
            action="see `ulcermeter audit` for what is wrong, and put back a copy of the file from before",
        )
    )
