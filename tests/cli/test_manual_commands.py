"""`ulcermeter manual` and `ulcermeter describe`: what is printed, and what a wrong name gets."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest
from click.testing import CliRunner, Result

from ulcermeter.cli import main
from ulcermeter.manual import TOPICS, read_topic
from ulcermeter.outcomes import outcome_columns
from ulcermeter.protocol import read_protocol
from ulcermeter.tables import TABLES


def call(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def refused(*words: str) -> str:
    done = call(*words)
    assert done.exit_code == 2 and done.stdout == "" and done.stderr.count("\n") == 1
    return done.stderr


def test_without_a_topic_each_is_listed_with_a_line() -> None:
    lines = call("manual").stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(TOPICS)
    assert all(" ".join(line.split()[1:]) == TOPICS[line.split()[0]] for line in lines[1:])


@pytest.mark.parametrize("topic", TOPICS)
def test_a_page_is_plain_markdown_where_nobody_reads(topic: str) -> None:
    assert call("manual", topic).stdout == read_topic(topic).rstrip() + "\n"


def test_a_page_is_laid_out_on_a_terminal() -> None:
    inner, outer = pty.openpty()
    words = [sys.executable, "-m", "ulcermeter", "manual", "privacy"]
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80"}
    with subprocess.Popen(words, stdout=outer, stderr=subprocess.DEVNULL, env=environment) as process:
        os.close(outer)
        shown = b""
        while True:
            try:
                part = os.read(inner, 4096)
            except OSError:  # Linux: the other end is closed
                break
            if not part:
                break
            shown += part
    os.close(inner)
    assert process.returncode == 0
    assert b"\x1b[" in shown and "Privacy" in shown.decode() and "# Privacy" not in shown.decode()


def test_an_unknown_topic_gets_one_sentence_with_names_near_it() -> None:
    assert "such as photographing, got 'fotographing'" in refused("manual", "fotographing")
    assert "one of photographing, study" in refused("manual", "zzz")


def test_a_table_is_described_column_by_column() -> None:
    text = call("describe", "trajectories.csv").stdout
    names = [line.split()[0] for line in text.splitlines()[1:] if line.startswith("  ") and line[2] != " "]
    assert names == [column.name for column in TABLES["trajectories"].columns]


def test_a_column_is_described_with_unit_and_values() -> None:
    text = " ".join(call("describe", "measurements", "over_threshold").stdout.split())
    assert "One of: yes, no, uncertain." in text and "diameter_mm" not in text
    assert "[number, mm2]" in call("describe", "measurements", "area_mm2").stdout
    assert "Must be filled." in call("describe", "study/photos", "hand").stdout


def test_a_name_of_two_files_describes_both_and_a_column_where_it_is() -> None:
    both = call("describe", "photos").stdout
    assert "photos.csv of the study folder" in both and "photos.csv of the results" in both
    one = call("describe", "photos", "sha256").stdout
    assert "of the results" in one and "study folder" not in one


def test_the_columns_that_visits_add_are_described() -> None:
    added = outcome_columns(read_protocol("manus"))
    assert added["outcomes"] and added["outcomes_by_subject"]
    for table, names in added.items():
        assert "VISIT" in call("describe", table).stdout
        for name in names:
            text = " ".join(call("describe", table, name).stdout.split())
            assert f": {name} " in text and "that visit" in text
    assert "active ulcers at baseline" in call("describe", "outcomes_by_subject", "n_active_baseline").stdout


def test_an_unknown_table_or_column_names_near_ones() -> None:
    assert "such as measurements" in refused("describe", "mesurements")
    assert "diameter_mm" in refused("describe", "measurements", "diametre_mm")
    # A column in the place of a table: the tables that hold it.
    assert "such as measurements, tracked, readings, trajectories" in refused("describe", "diameter_mm")


def test_without_a_table_each_is_listed() -> None:
    listed = [line.split()[0] for line in call("describe").stdout.splitlines()[1:] if not line.startswith("   ")]
    assert listed == list(TABLES)
