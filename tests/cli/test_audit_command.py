"""``ulcermeter audit``: the exit status says whether the log is as it was written, and CSV comes out either way."""

from __future__ import annotations

import csv
import io
import sqlite3
from pathlib import Path

from click.testing import CliRunner

from ulcermeter.cli import main
from ulcermeter.readings import LOG_FILE, ReadingLog


def audit(*words: str):
    return CliRunner().invoke(main, ["audit", *words])


def test_a_whole_log_and_a_changed_one(tmp_path: Path) -> None:
    log = ReadingLog(tmp_path)
    log.append(who="=R1", action="reading accept", photo="a,b.jpg", after={"n": 1})
    head = log.append(who="R1", action="reading healed", why="closed").hash
    good = audit(str(tmp_path), "--head", head)
    rows = list(csv.DictReader(io.StringIO(good.stdout)))
    assert good.exit_code == 0 and head in good.stderr
    assert [row["who"] for row in rows] == ["'=R1", "R1"] and rows[0]["photo"] == "a,b.jpg"
    assert audit(str(tmp_path), "--head", "0" * 63 + "1").exit_code == 1
    with sqlite3.connect(tmp_path / LOG_FILE) as database:
        database.execute("DROP TRIGGER never_changed")
        database.execute("UPDATE entries SET text = replace(text, 'closed', 'open') WHERE number = 2")
    bad = audit(str(tmp_path))
    assert bad.exit_code == 1 and "entry 2 changed" in bad.stderr
    assert [row["fault"] for row in csv.DictReader(io.StringIO(bad.stdout))] == ["", "changed"]


def test_no_such_folder(tmp_path: Path) -> None:
    assert audit(str(tmp_path / "none")).exit_code == 2
