"""`run --ids`: a reader's corrections of which ulcer is which, kept by later runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ulcermeter.errors import TableError
from ulcermeter.pipeline import run_study
from ulcermeter.readings import ReadingLog

HEADER = "action,ulcer_id,into,photo,label,from_date,who,when,why\n"


def test_a_renamed_ulcer_keeps_its_name_and_the_log_says_who_named_it(
    drawn: Path, finished: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(finished, tmp_path / "results"))
    file = tmp_path / "ids.csv"
    file.write_text(f"{HEADER}rename,S01-left-index-1,S01-left-index-4,,,,R1,2024-05-01,numbered as in the clinic\n")
    run_study(drawn, folder, ids=file)
    results = run_study(drawn, folder)
    assert set(results.measurements["ulcer_id"]) == {"S01-left-index-4"} == set(results.ids["ulcer_id"])
    assert set(results.ids["given_by"]) == {"R1"} and set(results.trajectories["ulcer_id"]) == {"S01-left-index-4"}
    entries = [entry for entry in ReadingLog(folder).entries() if entry.action == "correct id"]
    assert len(entries) == len(results.ids) and {entry.who for entry in entries} == {"R1"}
    assert entries[0].before == {"ulcer_id": "S01-left-index-1"} and entries[0].why == "numbered as in the clinic"


def test_an_id_that_was_never_given_is_refused_and_nothing_is_touched(
    drawn: Path, finished: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(finished, tmp_path / "results"))
    before = (folder / "ids.csv").read_bytes(), (folder / "run.json").read_bytes()
    file = tmp_path / "ids.csv"
    file.write_text(f"{HEADER}rename,S09-left-index-1,S09-left-index-4,,,,R1,2024-05-01,numbered anew\n")
    with pytest.raises(TableError, match="S09-left-index-1"):
        run_study(drawn, folder, ids=file)
    assert ((folder / "ids.csv").read_bytes(), (folder / "run.json").read_bytes()) == before
