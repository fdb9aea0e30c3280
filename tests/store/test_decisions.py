"""A decisions file handed back: what can be read in one way only is taken, all else is kept and asked for."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from ulcermeter.store import DECIDED, WRITTEN, Unread, keep_unread, question, read_decisions
from ulcermeter.tables.dates import readable_day

HEADER = ("subject_id", "verdict", "qualifying_ulcer", "failed", "missing", *DECIDED)


def typed(root: Path, *rows: str, header: str = ",".join(HEADER)) -> Path:
    (root / "eligibility_summary.csv").write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return root


def row(decision: str = "", by: str = "", on: str = "", subject: str = "S01") -> str:
    return f"{subject},undetermined,,,age_18,{decision},{by},{on}"


def taken(root: Path) -> list[tuple[str | None, ...]]:
    return [tuple(cells[name] for name in DECIDED) for cells in read_decisions(root).rows]


def unread(root: Path) -> list[tuple[str, str, str]]:
    return [(one.subject_id, one.column, one.typed) for one in read_decisions(root).unread]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-05-06", "2024-05-06"),
        ("2024-05", "2024-05"),
        ("25/05/2024", "2024-05-25"),
        ("5/25/2024", "2024-05-25"),
        ("05.05.2024", "2024-05-05"),
        ("2024/5/6", "2024-05-06"),
        ("06/05/2024", ""),
        ("6.5.2024", ""),
        ("06/05/24", ""),
        ("31/04/2024", ""),
        ("yesterday", ""),
        ("", ""),
    ],
)
def test_days_that_can_be_read_in_one_way_only(text: str, day: str) -> None:
    assert readable_day(text) == day


@pytest.mark.parametrize("word", ["Eligible", " ELIGIBLE ", "eligible"])
def test_capitals_and_spaces_make_no_other_word(tmp_path: Path, word: str) -> None:
    root = typed(tmp_path, row(word, " Dr  X", "25/05/2024"), header=", ".join(HEADER).replace("_by", " By"))
    assert taken(root) == [("eligible", "Dr X", "2024-05-25")] and unread(root) == []


def test_an_ambiguous_date_is_kept_and_asked_for(tmp_path: Path) -> None:
    root = typed(tmp_path, row("not eligible", "Dr X", "06/05/2024"))
    assert taken(root) == [("not eligible", "Dr X", "")]
    (one,) = read_decisions(root).unread
    assert (one.column, one.typed) == ("decided_on", "06/05/2024") and "which day is meant?" in question(one)


def test_a_word_that_is_no_decision(tmp_path: Path) -> None:
    root = typed(tmp_path, row("ask Anna", "Dr X", "2024-05-06"))
    assert taken(root) == [("", "Dr X", "2024-05-06")] and unread(root) == [
        ("S01", "investigator_decision", "ask Anna")
    ]


def test_a_name_with_a_comma_without_quotes(tmp_path: Path) -> None:
    root = typed(tmp_path, row("eligible", "Müller, Anna", "2024-05-06"), row("eligible", '"Müller, Anna"', "", "S02"))
    assert taken(root) == [("eligible", "Müller, Anna", "")]
    ((subject, column, text),) = unread(root)
    assert (subject, column) == ("S01", "")
    assert all(part in text for part in ("eligible", "Müller", "Anna", "2024-05-06"))


def test_a_renamed_column_loses_neither_what_is_typed_nor_what_was_decided(tmp_path: Path) -> None:
    root = typed(
        tmp_path, row("eligible", "Dr X"), header=",".join(HEADER).replace("investigator_decision", "Decision")
    )
    assert taken(root) == [(None, "Dr X", "")], "None: what was decided before stands"
    assert unread(root) == [("S01", "Decision", "eligible")]


def test_own_columns_rows_without_a_subject_and_a_verdict_written_over(tmp_path: Path) -> None:
    lines = [row("eligible") + ",call back", row("eligible", subject=""), row(subject="S02").replace("undet", "und")]
    root = typed(tmp_path, *lines, header=",".join(HEADER) + ",remark")
    assert [(s, c) for s, c, _ in unread(root)] == [("S01", "remark"), ("", ""), ("S02", "verdict")]


def test_two_rows_of_one_subject_that_differ(tmp_path: Path) -> None:
    root = typed(tmp_path, row("eligible", "A"), row("not eligible", "B"), row("include", subject="S02"))
    assert taken(root) == [("include", "", "")]
    assert unread(root) == [("S01", "", "eligible,A,"), ("S01", "", "not eligible,B,")]
    assert taken(typed(tmp_path, row("eligible", "A"), row("eligible", "A"))) == [("eligible", "A", "")]


def kept(root: Path) -> list[dict[str, str]]:
    with (root / "decisions_to_settle.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_what_is_kept_survives_until_something_else_stands_there(tmp_path: Path) -> None:
    date = Unread("S01", "decided_on", "06/05/2024", "date")
    standing = {"S01": {"investigator_decision": "eligible", "decided_by": "X", "decided_on": ""}}
    for given in ((date,), (), ()):
        (asked,) = keep_unread(tmp_path, given, standing)
        assert (asked.typed, asked.settled) == ("06/05/2024", "")
    standing["S01"]["decided_on"] = "2024-05-06"
    assert keep_unread(tmp_path, (), standing) == ()
    assert [(one["typed"], one["settled"]) for one in kept(tmp_path)] == [("06/05/2024", "2024-05-06")]


def test_a_whole_row_is_asked_for_beside_an_earlier_decision(tmp_path: Path) -> None:
    """What was decided before is no answer to what was typed since."""
    standing = {"S01": {"investigator_decision": "eligible", "decided_by": "X", "decided_on": "2024-01-01"}}
    for given in ((Unread("S01", "", "S01,not eligible,Y, Z", "row"),), ()):
        assert len(keep_unread(tmp_path, given, standing)) == 1
    standing["S01"]["investigator_decision"] = "not eligible"
    assert keep_unread(tmp_path, (), standing) == ()


def test_a_person_may_write_how_it_was_settled(tmp_path: Path) -> None:
    assert len(keep_unread(tmp_path, (Unread("", "", "=1+1", "no subject"),), {})) == 1
    path = tmp_path / "decisions_to_settle.csv"
    assert "'=1+1" in path.read_text(), "no formula for the spreadsheet"
    path.write_text(path.read_text().replace("'=1+1,no subject,,", "'=1+1,no subject,,was a test"))
    assert keep_unread(tmp_path, (), {}) == ()
    assert kept(tmp_path)[0]["settled"] == "was a test"


def test_a_run_asks_for_what_it_could_not_read(tiny_study: Path, finished: Path, tmp_path: Path) -> None:
    from ulcermeter.pipeline import run_study

    out = Path(shutil.copytree(finished, tmp_path / "results"))
    summary = out / "eligibility_summary.csv"
    header, first, second, *rest = summary.read_text().splitlines()
    first, second = (line.removesuffix(",,,") for line in (first, second))
    lines = (header, f"{first},Eligible,Dr X,06/05/2024", f"{second},eligible,Müller, Anna,2024-05-06", *rest)
    summary.write_text("\n".join(lines) + "\n")
    for _ in range(2):
        done = run_study(tiny_study, out)
        asked = [one["typed"] for one in done.run["decisions_not_read"]]
        assert "06/05/2024" in asked and any("Müller" in text and "2024-05-06" in text for text in asked)
        page = (out / "report.html").read_text()
        queries = done.queries[done.queries["kind"] == "decision"]
        assert queries["observed"].str.contains("06/05/2024").any() and "06/05/2024" in page
        row = done.eligibility_summary.set_index("subject_id").loc["S01"]
        assert tuple(row[list(DECIDED)]) == ("eligible", "Dr X", "")
    summary.write_text(summary.read_text().replace("eligible,Dr X,", "eligible,Dr X,2024-05-06"))
    done = run_study(tiny_study, out)
    assert "06/05/2024" not in [one["typed"] for one in done.run["decisions_not_read"]]
    assert not done.queries["observed"].str.contains("06/05/2024").any()


def written(root: Path, **cells: str) -> Path:
    """Write run.json as a run leaves it that wrote the cells of `row` for S01."""
    own = {"verdict": "undetermined", "qualifying_ulcer": "", "failed": "", "missing": "age_18"} | cells
    (root / "run.json").write_text(json.dumps({WRITTEN: {"S01": own}}))
    return root


@pytest.mark.parametrize(
    ("name", "cell"), [("verdict", "eligible"), ("qualifying_ulcer", "S01-left-index-1"), ("failed", "age_18"),
                       ("missing", "age_18 asked Anna")],
)  # fmt: skip
def test_what_is_typed_over_the_runs_own_cells_is_kept(tmp_path: Path, name: str, cell: str) -> None:
    root = typed(written(tmp_path), row("include", "X"))
    assert unread(root) == []
    cells = dict(zip(HEADER, row("include", "X").split(","), strict=True)) | {name: cell}
    typed(root, ",".join(cells.values()))
    assert unread(root) == [("S01", name, cell)]
    (one,) = read_decisions(root).unread
    assert "is it a decision?" in question(one)
    (taken_row,) = read_decisions(root).rows
    assert taken_row["verdict"] == "undetermined", "the verdict that the decision was made on is the run's"


def test_a_subject_that_the_run_did_not_write_is_kept_whole(tmp_path: Path) -> None:
    root = typed(written(tmp_path), row("include", subject="S09"))
    assert unread(root) == [("S09", "verdict", "undetermined"), ("S09", "missing", "age_18")]


@pytest.mark.parametrize("record", [None, "{", "[]", "{}", '{"eligibility_summary_written": {"S01": 3}}'])
def test_without_the_runs_own_cells_only_a_verdict_that_is_none_is_noticed(tmp_path: Path, record: str | None) -> None:
    if record is not None:
        (tmp_path / "run.json").write_text(record)
    root = typed(tmp_path, row(), row(subject="S02").replace("undetermined", "call back"))
    assert unread(root) == [("S02", "verdict", "call back")]


def test_spaces_that_a_spreadsheet_adds_are_no_change(tmp_path: Path) -> None:
    root = typed(written(tmp_path, missing="age_18; consent"), row().replace("age_18", " age_18;  consent "))
    assert unread(root) == []


def test_a_rerun_keeps_a_verdict_typed_over(tiny_study: Path, finished: Path, tmp_path: Path) -> None:
    from ulcermeter.pipeline import run_study

    out = Path(shutil.copytree(finished, tmp_path / "results"))
    summary = out / "eligibility_summary.csv"
    before = summary.read_text()
    header, first, *rest = before.splitlines()
    subject, verdict, *cells = first.split(",")
    other = "eligible" if verdict != "eligible" else "not eligible"
    summary.write_text("\n".join([header, ",".join([subject, other, *cells]), *rest]) + "\n")
    done = run_study(tiny_study, out)
    assert summary.read_text() == before
    asked = [(one["subject_id"], one["column"], one["typed"]) for one in done.run["decisions_not_read"]]
    assert asked == [(subject, "verdict", other)]
    assert [(one["column"], one["typed"]) for one in kept(out)] == [("verdict", other)]
    assert f"verdict: &#39;{other}&#39; was typed" in (out / "report.html").read_text()
