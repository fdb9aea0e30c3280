"""The log: nothing goes in unseen, and whatever is done to it afterwards is found and named."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from ulcermeter.errors import UlcermeterError
from ulcermeter.readings import EMPTY_HEAD, LOG_FILE, Entry, ReadingLog, check_log, log_head, log_table
from ulcermeter.readings.audit import FaultKind
from ulcermeter.readings.log import hash_of


def filled(root: Path, count: int = 5) -> list[Entry]:
    log = ReadingLog(root)
    return [
        log.append(who="R1", action="reading accept", photo=f"{n}.jpg", before=None, after={"n": n}, run_id="r")
        for n in range(1, count + 1)
    ]


def force(root: Path, statement: str, *values: object) -> None:
    """Change the file as somebody with a sqlite client would, past the triggers."""
    with sqlite3.connect(root / LOG_FILE) as database:
        database.execute("DROP TRIGGER never_changed")
        database.execute("DROP TRIGGER never_removed")
        database.execute(statement, values)


def changed(root: Path) -> None:
    force(root, "UPDATE entries SET text = replace(text, 'R1', 'R2') WHERE number = 3")


def rewritten(root: Path) -> None:
    """An entry exchanged together with its hash: only the next one shows it."""
    text = filled_text(root, 3).replace('"n":3', '"n":9')
    force(root, "UPDATE entries SET text = ?, hash = ? WHERE number = 3", text, hash_of(text))


def filled_text(root: Path, number: int) -> str:
    with sqlite3.connect(root / LOG_FILE) as database:
        return str(database.execute("SELECT text FROM entries WHERE number = ?", (number,)).fetchone()[0])


def dropped(root: Path) -> None:
    force(root, "DELETE FROM entries WHERE number = 3")


def dropped_and_closed(root: Path) -> None:
    force(root, "DELETE FROM entries WHERE number = 3")
    with sqlite3.connect(root / LOG_FILE) as database:
        database.execute("UPDATE entries SET number = number - 1 WHERE number > 3")


def reordered(root: Path) -> None:
    force(root, "UPDATE entries SET number = 10 WHERE number = 3")
    with sqlite3.connect(root / LOG_FILE) as database:
        database.execute("UPDATE entries SET number = 3 WHERE number = 4")
        database.execute("UPDATE entries SET number = 4 WHERE number = 10")


@pytest.mark.parametrize(
    ("harm", "number", "kind"),
    [
        (changed, 3, FaultKind.CHANGED),
        (rewritten, 4, FaultKind.NOT_FOLLOWING),
        (dropped, 3, FaultKind.DROPPED),
        (dropped_and_closed, 3, FaultKind.REORDERED),
        (reordered, 3, FaultKind.REORDERED),
    ],
)
def test_what_was_done_to_a_log_is_found_and_named(
    tmp_path: Path, harm: Callable[[Path], None], number: int, kind: FaultKind
) -> None:
    filled(tmp_path)
    assert check_log(tmp_path) == []
    harm(tmp_path)
    faults = check_log(tmp_path)
    assert (faults[0].number, faults[0].kind) == (number, kind)
    with pytest.raises(UlcermeterError, match="audit"):
        ReadingLog(tmp_path).entries()


def test_a_log_cut_at_its_end_or_written_anew_is_found_by_a_head_that_was_kept(tmp_path: Path) -> None:
    filled(tmp_path)
    head, count = log_head(tmp_path)
    assert count == 5 and check_log(tmp_path, head=head) == []
    ReadingLog(tmp_path).append(who="R1", action="reading accept")
    assert check_log(tmp_path, head=head) == [], "a head stays good when the log grows"
    force(tmp_path, "DELETE FROM entries WHERE number > 4")
    assert check_log(tmp_path) == []
    assert [fault.kind for fault in check_log(tmp_path, head=head)] == [FaultKind.CUT]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.6, 0.7, 0.9])
def test_a_flipped_byte_of_an_entry_is_found(tmp_path: Path, share: float) -> None:
    filled(tmp_path)
    path = tmp_path / LOG_FILE
    content = bytearray(path.read_bytes())
    first, last = content.index(b'{"action"'), content.rindex(b'{"action"')
    content[round(min(first, last) + share * abs(last - first))] ^= 4
    path.write_bytes(content)
    with contextlib.suppress(UlcermeterError):  # where it hit sqlite's own structures
        assert check_log(tmp_path)


def test_each_entry_says_who_when_what_and_follows_the_one_before(tmp_path: Path) -> None:
    entries = filled(tmp_path, 3)
    assert entries[0].previous == EMPTY_HEAD
    assert [e.previous for e in entries[1:]] == [e.hash for e in entries[:-1]]
    table = log_table(tmp_path)
    assert list(table["number"]) == [1, 2, 3] and set(table["fault"]) == {""}
    assert json.loads(table["after"][1]) == {"n": 2} and table["when"].str.endswith("+00:00").all()
    assert ReadingLog(tmp_path).entries() == entries


def test_sqlite_itself_refuses_to_change_or_remove_entries(tmp_path: Path) -> None:
    filled(tmp_path, 1)
    for statement in ("UPDATE entries SET text = ''", "DELETE FROM entries"):
        with pytest.raises(sqlite3.Error, match="never"), sqlite3.connect(tmp_path / LOG_FILE) as database:
            database.execute(statement)


def test_no_log_is_an_empty_one_and_is_not_made_by_looking(tmp_path: Path) -> None:
    assert ReadingLog(tmp_path).entries() == [] and log_head(tmp_path) == (EMPTY_HEAD, 0)
    assert check_log(tmp_path) == [] and not (tmp_path / LOG_FILE).exists()
