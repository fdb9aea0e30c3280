"""An id hangs on what is asked: neither on rows nor on numbers measured nor on words; lists are compared by it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner
from small_studies import FINGER, PAINFUL, ULCER, asked, criteria, doubtful, results, study

from ulcermeter.cli import main
from ulcermeter.datatypes import OpenAnswer
from ulcermeter.queries import compare_queries, list_queries
from ulcermeter.store import write_tables
from ulcermeter.tables.flags import Flag, FlagKind, write_flags

PHOTO = {**FINGER, "visit": "week 2", "photo": "a.jpg", "status": "refused", "reason": "tilt 46°"}
THIN = {**ULCER, "criterion": "active_ulcer", "effect": "passes"}


def ids(*args: Any, **tables: Any) -> list[str]:
    return [row["query_id"] for row in asked(*args, **tables)]


def test_an_id_is_the_same_whatever_the_row_of_its_cell() -> None:
    one = doubtful()
    moved = replace(one, rows=(9,))
    assert ids(study(one)) == ids(study(moved))
    assert ids(study(one)) != ids(study(replace(one, got="1891-01-01"))), "another value is another question"
    assert ids(study(one)) != ids(study(replace(one, subject_id="S02")))


def test_an_id_is_the_same_whatever_was_measured() -> None:
    thinner = [[{**THIN, "flags": write_flags([Flag(FlagKind.FISSURE, diameter_mm=d)])}] for d in (0.41, 0.43)]
    assert ids(eligibility_by_ulcer=thinner[0]) == ids(eligibility_by_ulcer=thinner[1])
    assert ids(photos=[PHOTO]) == ids(photos=[{**PHOTO, "status": "failed", "reason": "no photo"}])


def test_an_id_is_the_same_whatever_else_is_asked() -> None:
    others = [{**PHOTO, "photo": name} for name in ("z.jpg", "b.jpg")]
    assert set(ids(photos=[PHOTO])) < set(ids(photos=[*others, PHOTO]))
    assert set(ids(photos=[*others, PHOTO])) == set(ids(photos=[PHOTO, *others]))


def test_an_id_of_a_missing_cell_is_the_same_whichever_criteria_miss_it() -> None:
    one, two = (
        ids(answers=[OpenAnswer("S01", name, (PAINFUL,)) for name in names], eligibility=criteria(a="unknown"))
        for names in ("a", "ab")
    )
    assert one == two


def test_rows_that_ask_the_very_same_have_ids_of_their_own() -> None:
    """Two rows of one photo and finger, by two clicks: one that is answered leaves the first id."""
    both = ids(photos=[PHOTO, PHOTO])
    assert len(set(both)) == 2
    assert ids(photos=[PHOTO]) == both[:1]


def queries(*subjects: str) -> pd.DataFrame:
    rows = [{**PHOTO, "subject_id": subject} for subject in subjects]
    return list_queries(study(), results(photos=rows))


def test_queries_are_new_open_or_answered() -> None:
    found = compare_queries(queries("S02", "S03"), since=queries("S01", "S02"))
    assert dict(zip(found["subject_id"], found["status"], strict=True)) == {
        "S03": "new", "S02": "open", "S01": "answered"
    }  # fmt: skip
    assert list(found.columns) == ["status", *queries("S01").columns]


@pytest.mark.parametrize(("before", "now"), [((), ("S01",)), (("S01",), ())])
def test_a_list_without_a_query_can_be_compared(before: tuple[str, ...], now: tuple[str, ...]) -> None:
    found = compare_queries(queries(*now), since=queries(*before))
    assert list(found["status"]) == ["new" if now else "answered"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A results folder that asks about S02 and S03, beside an earlier list that asked about S01 and S02."""
    write_tables(tmp_path / "now", {"queries": queries("S02", "S03")})
    write_tables(tmp_path / "before", {"queries": queries("S01", "S02")})
    return tmp_path


def test_the_command_prints_all_or_says_what_was_answered(folder: Path) -> None:
    runner = CliRunner()
    plain = runner.invoke(main, ["queries", str(folder / "now")])
    assert plain.exit_code == 0
    assert plain.stdout == (folder / "now" / "queries.csv").read_text()
    since = runner.invoke(main, ["queries", str(folder / "now"), "--since", str(folder / "before" / "queries.csv")])
    assert [line.split(",")[0] for line in since.stdout.splitlines()] == ["status", "new", "open", "answered"]
    assert since.stderr == "1 new, 1 open, 1 answered\n"
    readers = runner.invoke(main, ["queries", str(folder / "now"), "--of", "reader"])
    assert readers.stderr == "0 queries\n" and len(readers.stdout.splitlines()) == 1


def test_a_folder_without_queries_is_not_taken_for_one_without_doubts(folder: Path) -> None:
    (folder / "now" / "queries.csv").unlink()
    got = CliRunner().invoke(main, ["queries", str(folder / "now")])
    assert got.exit_code == 2 and "without queries.csv" in got.stderr and got.stdout == ""


def test_an_earlier_list_that_is_none_is_named(folder: Path) -> None:
    wrong = folder / "other.csv"
    wrong.write_text("a,b\n1,2\n")
    got = CliRunner().invoke(main, ["queries", str(folder / "now"), "--since", str(wrong)])
    assert got.exit_code == 2 and "other.csv" in got.stderr
