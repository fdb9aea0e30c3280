"""The commands: exit status, what is printed where, and how fast help answers."""

from __future__ import annotations

import errno
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from ulcermeter.cli import COMMANDS, main
from ulcermeter.tables import columns

Bytes = Callable[[Path], dict[str, bytes]]


def call(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def half_done(finished: Path, tmp_path: Path) -> Path:
    """Return a copy of finished results: a run into it measures nothing again."""
    return Path(shutil.copytree(finished, tmp_path / "results"))


def test_help_loads_nothing_that_measures() -> None:
    code = (
        "import sys\nfrom ulcermeter.cli import main\nmain(['--help'], standalone_mode=False)\n"
        "print(sorted({'numpy', 'pandas', 'cv2', 'scipy', 'skimage', 'matplotlib', 'onnxruntime'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "Usage:" in done.stdout and done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", COMMANDS)
def test_each_help_has_an_example_and_the_note(name: str) -> None:
    text = " ".join(call(name, "--help").output.split())
    assert "Example:" in text and f"ulcermeter {name}" in text
    assert "not a medical device" in text and "the investigator decides" in text


def test_run_names_what_failed_and_where_the_report_is(drawn: Path, half_done: Path) -> None:
    done = call("run", drawn, "-o", half_done, "--single-file")
    assert done.exit_code == 1
    report = (half_done / "report.html").read_text()
    assert list((half_done / "report").glob("*.html")) == []
    assert 'id="subject-2"' in report and 'src="pictures' not in report and 'src="data:image/jpeg' in report
    assert "failed: photos/S02_baseline.jpg (right ring): " in done.stderr
    assert str(half_done / "report.html") in done.stdout
    assert "2 measured, 1 refused, 1 failed" in done.stdout
    assert f"Photo rows to take again: 2; how: {half_done / 'retake.csv'}" in done.stdout
    assert "Queries: " in done.stdout and str(half_done / "queries.csv") in done.stdout


def test_a_refusal_is_a_result_unless_strict(tiny_study: Path, half_done: Path) -> None:
    text = (tiny_study / "photos.csv").read_text().splitlines()
    (tiny_study / "photos.csv").write_text("\n".join(text[:-1]) + "\n")
    assert call("run", tiny_study, "-o", half_done).exit_code == 0
    strict = call("run", tiny_study, "-o", half_done, "--strict")
    assert strict.exit_code == 1 and "refused: photos/S02_screening.jpg" in strict.stderr


def test_a_fault_after_the_photos_is_1_in_one_sentence_and_keeps_what_was_measured(
    drawn: Path, half_done: Path, finished: Path, monkeypatch: pytest.MonkeyPatch, csv_bytes: Bytes
) -> None:
    def burst(*_: object, **__: object) -> None:
        raise KeyError("of all\nthings")

    with monkeypatch.context() as patch:
        patch.setattr("ulcermeter.tracking.track", burst)
        done = call("run", drawn, "-o", half_done)
    assert done.exit_code == 1 and "Traceback" not in done.output and done.stderr.count("\n") == 1
    assert "failed by a fault of ours: KeyError: 'of all\\nthings': report it" in done.stderr
    kept = csv_bytes(half_done)
    assert set(kept) == {"photos.csv", "measurements.csv", "outlines.csv", "readings.csv"}
    assert kept["photos.csv"] == csv_bytes(finished)["photos.csv"] and not (half_done / "run.json").exists()
    assert call("run", drawn, "-o", half_done).exit_code == 1  # a photo of this study is no picture
    assert csv_bytes(half_done) == csv_bytes(finished)


def test_a_full_disk_after_the_photos_is_1_in_one_sentence(
    drawn: Path, half_done: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(half_done / "report.html"))

    monkeypatch.setattr("ulcermeter.report.write_report", full)
    done = call("run", drawn, "-o", half_done)
    assert done.exit_code == 1 and "Traceback" not in done.output and done.stderr.count("\n") == 1
    assert "report.html: No space left on device: make room on the disk" in done.stderr


def test_a_wrong_study_or_call_is_2_and_writes_nothing(tiny_study: Path, tmp_path: Path) -> None:
    (tiny_study / "photos.csv").write_text((tiny_study / "photos.csv").read_text().replace("2024-03-01", "2024-02-30"))
    out = tmp_path / "out"
    wrong = call("run", tiny_study, "-o", out)
    assert wrong.exit_code == 2 and "2024-02-30" in wrong.stderr and "Traceback" not in wrong.output
    assert call("run", tmp_path / "nowhere", "-o", out).exit_code == 2
    assert call("run", tiny_study).exit_code == 2
    assert call("run", tiny_study, "-o", out, "--protocol", "none.toml").exit_code == 2
    assert call("run", tiny_study, "-o", out, "--model", tmp_path / "none.onnx").exit_code == 2
    assert not out.exists()


def test_json_log_lines(drawn: Path, half_done: Path) -> None:
    done = call("run", drawn, "-o", half_done, "--log-json")
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert events[-1]["level"] == "warning" and "failed: photos/S02_baseline.jpg" in events[-1]["event"]
    photos = [event for event in events if event["event"] == "photo"]
    assert [event["done"] for event in photos] == [1, 2, 3, 4]
    assert {event["status"] for event in photos} == {"measured", "refused", "failed"}
    # Only the last two are measured by this run; the others came at once and say nothing of its pace.
    assert all(event["photos_per_s"] > 0 for event in photos[2:]) and photos[-1]["left_s"] == 0


def test_check_explains_a_protocol_without_a_study() -> None:
    done = call("check", "--protocol", "rescue")
    assert done.exit_code == 0 and "Visits after treatment" in done.stdout
    assert "active and indeterminate ulcers are counted; the primary outcome is at week 16" in done.stdout
    assert call("check").exit_code == 2


def test_check_tells_all_faults_and_measures_nothing(drawn: Path, tiny_study: Path) -> None:
    opened = call("check", drawn)
    assert opened.exit_code == 1 and "would fail: photos.csv row 5: photos/S02_baseline.jpg" in opened.stderr
    good = call("check", drawn, "--tables-only")
    assert good.exit_code == 0 and "4 photo rows of 2 subjects; protocol manus" in good.stdout
    assert "Asked for" not in good.stdout
    explained = call("check", drawn, "--tables-only", "--protocol", "manus").stdout
    assert "Asked for (active_ulcer): At least one active digital ulcer" in explained
    assert "Ruled out (calcinosis)" in explained and "week 12 (day 84 ± 7 [NCT03211793;" in explained
    text = (tiny_study / "photos.csv").read_text().replace("baseline", "base line").replace("ring", "hallux")
    (tiny_study / "photos.csv").write_text(text)
    bad = call("check", tiny_study)
    assert bad.exit_code == 2 and bad.stderr.count("fault:") >= 4
    assert not [p for p in tiny_study.iterdir() if p.name not in ("photos", "photos.csv", "subjects.csv")]


def test_measure_prints_rows_on_stdout(drawn: Path, tmp_path: Path) -> None:
    photos = drawn / "photos"
    done = call(
        "measure", photos / "S01_screening.jpg", photos / "S02_screening.jpg", "--reference", "aruco:10",
        "--reference-on", "skin", "--overlay", tmp_path / "overlays",
    )  # fmt: skip
    frame = pd.read_csv(io.StringIO(done.stdout), dtype=str, keep_default_na=False)
    assert done.exit_code == 0
    assert list(frame.columns) == [*columns("measurements"), "status", "reason"]
    assert frame["status"].tolist() == ["measured", "refused"] and frame["label"].tolist() == ["1", ""]
    assert frame["photo"].tolist() == [str(photos / "S01_screening.jpg"), str(photos / "S02_screening.jpg")]
    assert list((tmp_path / "overlays").iterdir())


def test_measure_keeps_the_overlays_of_photos_of_one_name_apart(drawn: Path, tmp_path: Path) -> None:
    again = tmp_path / "other" / "S01_screening.jpg"
    again.parent.mkdir()
    shutil.copy(drawn / "photos" / "S01_baseline.jpg", again)
    photos = [drawn / "photos" / "S01_screening.jpg", again]
    call("measure", *photos, "--reference", "aruco:10", "--reference-on", "skin", "--overlay", tmp_path / "overlays")
    first, second = sorted((tmp_path / "overlays").iterdir())
    assert first.read_bytes() != second.read_bytes()


def test_measure_with_a_click_and_a_table_for_eyes(drawn: Path) -> None:
    row = pd.read_csv(drawn / "photos.csv").iloc[0]
    done = call(
        "measure", drawn / row["photo"], "--reference", "aruco:10", "--reference-on", "skin",
        "--click", f"{row['x']},{row['y']}", "--table",
    )  # fmt: skip
    assert done.exit_code == 0 and "measured" in done.stdout and "diameter_mm" in done.stdout.replace("\n", "")


def test_measure_fails_with_1_and_a_wrong_call_with_2(drawn: Path) -> None:
    bad = drawn / "photos" / "S02_baseline.jpg"
    failed = call("measure", bad, "--reference", "aruco:10")
    assert failed.exit_code == 1 and f"failed: {bad}" in failed.stderr and "failed" in failed.stdout
    assert call("measure", bad, "--reference", "stick").exit_code == 2
    assert call("measure", bad, "--click", "here").exit_code == 2
    for words in (["--click", "815,nan"], ["--box", "1,2,3"], ["--mask", "none.png"], ["--overlay", bad]):
        wrong = call("measure", bad, *words)
        assert wrong.exit_code == 2 and not wrong.stdout, words
        assert "expected" in wrong.stderr and "Traceback" not in wrong.output, words
    assert call("measure", bad, bad, "--box", "1,2,3,4").exit_code == 2
    assert call("measure").exit_code == 2


def test_outcomes_knows_no_arm_until_unblinded(finished: Path, tmp_path: Path) -> None:
    blind = call("outcomes", finished)
    assert blind.exit_code == 0 and blind.stdout.startswith("subject_id,")
    allocation = tmp_path / "allocation.csv"
    allocation.write_text("subject_id,arm\nS01,A\nS02,B\n")
    by_arm = call("outcomes", finished, "--unblind", allocation)
    assert by_arm.exit_code == 0 and "arm" in by_arm.stdout.splitlines()[0]
    assert call("outcomes", finished, "--unblind", tmp_path / "none.csv").exit_code == 2
    assert call("outcomes", tmp_path).exit_code == 2


def test_outcomes_prints_and_writes_effects_beside_p_values(finished: Path, tmp_path: Path) -> None:
    allocation = tmp_path / "allocation.csv"
    allocation.write_text("subject_id,arm,stratum\nS01,A,x\nS02,B,y\n")
    done = call("outcomes", finished, "--unblind", allocation, "-o", tmp_path / "unblinded", "--reference-arm", "A")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("estimand,outcome,arm,reference_arm,stratum,measure,estimate,low,high,p_value,")
    assert (tmp_path / "unblinded" / "effects.csv").read_text() == done.stdout
    assert (tmp_path / "unblinded" / "outcomes_by_arm.csv").read_text().startswith("limb,ulcers,measure,arm,")
    assert not list(finished.glob("*effects*")), "the results folder stays blind"
    counts = call("outcomes", finished, "--unblind", allocation, "--counts")
    assert counts.stdout.startswith("limb,ulcers,measure,arm,")
    assert call("outcomes", finished, "--unblind", allocation, "--reference-arm", "C").exit_code == 2


def test_outcomes_says_where_the_study_is_not_here(finished: Path, tiny_study: Path, tmp_path: Path) -> None:
    moved = tmp_path / "results"
    shutil.copytree(finished, moved)
    record = json.loads((moved / "run.json").read_text())
    record["parameters"]["study"] = str(tmp_path / "gone")
    (moved / "run.json").write_text(json.dumps(record))
    allocation = tmp_path / "allocation.csv"
    allocation.write_text("subject_id,arm\nS01,A\nS02,B\n")
    done = call("outcomes", moved, "--unblind", allocation)
    assert done.exit_code == 0 and "name it with --study" in done.stderr and "study folder not read" in done.stdout
    photos = tiny_study / "photos.csv"
    photos.write_text("".join(photos.read_text().splitlines(keepends=True)[:-1]))
    other = call("outcomes", moved, "--unblind", allocation, "--study", tiny_study)
    assert other.exit_code == 2 and "the study folder of these results" in other.stderr


def test_phantom_draws_a_study_that_checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ulcermeter.phantom.study.USUAL_VISITS", ("baseline",))
    done = call("phantom", tmp_path / "drawn", "--subjects", "1")
    assert done.exit_code == 0 and (tmp_path / "drawn" / "truth.csv").is_file()
    assert call("check", tmp_path / "drawn").exit_code == 0


def test_phantom_leaves_a_real_study_alone(tiny_study: Path) -> None:
    before = (tiny_study / "photos.csv").read_bytes()
    done = call("phantom", tiny_study, "--subjects", "1")
    assert done.exit_code == 2 and "expected a new or empty folder" in done.stderr
    assert (tiny_study / "photos.csv").read_bytes() == before


def test_a_place_that_cannot_be_written_is_2_with_a_sentence(drawn: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = call("run", drawn, "-o", tmp_path / "file" / "results")
    assert done.exit_code == 2 and "expected to read or write here" in done.stderr
    assert done.exception is None or isinstance(done.exception, SystemExit)


def test_the_package_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "ulcermeter", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("ulcermeter, version ")
