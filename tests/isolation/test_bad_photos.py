"""A photo that crashes, hangs or eats memory is one failed row, in every command; a run that is stopped says so."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from ulcermeter.cli import main
from ulcermeter.errors import ModelError
from ulcermeter.pipeline import run_study
from ulcermeter.pipeline.run_identity import identify
from ulcermeter.protocol import read_protocol

# This photo of the drawn study failed, so that every run tries it again.
PHOTO = "S02_baseline.jpg"
NAME = f"photos/{PHOTO}"
WRONG = {
    "crash": "ends the process it is read in (SIGSEGV)",
    "compute": "is read and measured within 3 s of computing",
    "eat": "in the memory it may have",
    "raise": "a fault of ours: ZeroDivisionError: of all things",
}
LIMITS = ("--photo-time-limit-s", "3", "--photo-memory-limit-mb", "1000")
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs the timers and the limits of Linux")


@pytest.fixture
def goes_wrong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Return a function that lets the photo go wrong in a way, in every process that starts from then on."""

    def choose(how: str) -> Path:
        where = tmp_path / "where"
        where.mkdir()
        here = str(Path(__file__).parent)
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([here, *(path for path in sys.path if path)]))
        monkeypatch.setenv("PHOTO_GOES_WRONG", f"{PHOTO}={how}")
        monkeypatch.setenv("WHERE", str(where))
        return where

    return choose


@pytest.fixture
def results(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "results"))


def call(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@linux
def test_a_run_measures_the_others(
    tiny_study: Path, finished: Path, results: Path, monkeypatch: pytest.MonkeyPatch, goes_wrong: Callable[[str], Path]
) -> None:
    others = {"compute": "S02_week2.jpg", "eat": "S02_week4.jpg"}
    goes_wrong("crash")
    wrong = [f"{PHOTO}=crash", *(f"{name}={how}" for how, name in others.items())]
    monkeypatch.setenv("PHOTO_GOES_WRONG", " ".join(wrong))
    with (tiny_study / "photos.csv").open("a") as table:
        for day, name in zip(("week 2,2024-03-26", "week 4,2024-04-09"), others.values(), strict=True):
            (tiny_study / "photos" / name).write_text(f"{name} stands for a file that misleads its decoder\n")
            table.write(f"photos/{name},S02,{day},right,ring,palmar,aruco:10,skin,,\n")
    done = call("run", tiny_study, "-o", results, *LIMITS)
    assert done.exit_code == 1 and "Traceback" not in done.stdout, done.output
    photos = pd.read_csv(results / "photos.csv", index_col="photo", dtype=str, keep_default_na=False)
    before = pd.read_csv(finished / "photos.csv", index_col="photo", dtype=str, keep_default_na=False)
    for how, name in {"crash": NAME, **{how: f"photos/{name}" for how, name in others.items()}}.items():
        assert photos.loc[name, "status"] == "failed" and WRONG[how] in photos.loc[name, "reason"]
        assert photos.loc[name, "instruction"] and photos.loc[name, "finger"] == "ring"
        assert name in pd.read_csv(results / "retake.csv", index_col="photo").index
        photos = photos.drop(name)
    pd.testing.assert_frame_equal(photos, before.drop(NAME))


@linux
@pytest.mark.parametrize("how", ["crash", "raise"])
def test_check_names_it_and_opens_the_others(drawn: Path, goes_wrong, how: str) -> None:
    goes_wrong(how)
    done = call("check", drawn, *LIMITS)
    assert done.exit_code == 1 and "1 photo row(s) that would fail" in done.stdout, done.output
    assert (
        f"would fail: photos.csv row 5: {'' if how == 'raise' else NAME}" in done.stderr and WRONG[how] in done.stderr
    )


@linux
def test_measure_names_it_and_goes_on(drawn: Path, goes_wrong) -> None:
    goes_wrong("crash")
    bad, good = drawn / NAME, drawn / "photos" / "S02_screening.jpg"
    done = call("measure", bad, good, "--reference", "aruco:10")
    assert done.exit_code == 1 and WRONG["crash"] in done.stderr
    assert [line.split(",")[5] for line in done.stdout.splitlines()[1:]] and "refused" in done.stdout


@linux
@pytest.mark.parametrize(("name", "status"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_run_that_is_stopped_says_what_is_kept_and_leaves_no_process(
    drawn: Path, results: Path, goes_wrong, name: str, status: int
) -> None:
    where = goes_wrong("wait")
    words = [sys.executable, "-m", "ulcermeter", "run", str(drawn), "-o", str(results)]
    run = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while not (numbers := [int(path.name) for path in where.iterdir()]):
        assert time.monotonic() < end and run.poll() is None
        time.sleep(0.05)
    run.send_signal(signal.Signals[name])
    _, told = run.communicate(timeout=60)
    assert run.returncode == status
    assert told == (
        f"{results}: 3 of 4 photo rows are measured and kept; call the same command again to go on: nothing is "
        "measured twice.\nStopped.\n"
    )
    with pytest.raises(ProcessLookupError):
        os.kill(numbers[0], 0)


@linux
def test_a_model_that_crashes_the_engine_is_refused_before_anything_is_written(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.onnx").write_bytes(b"no network")
    with pytest.raises(ModelError, match="got a file that cannot be opened"):
        run_study(drawn, tmp_path / "out", model=tmp_path / "model.onnx")
    import pieces

    monkeypatch.setattr("ulcermeter.segmentation.network.try_model", pieces.crash_on)
    with pytest.raises(ModelError, match=r"the process that runs it crashed \(SIGSEGV\)"):
        identify(read_protocol("manus"), model=tmp_path / "model.onnx", lens=None)
    assert not (tmp_path / "out").exists()


@linux
def test_camera_names_the_photo_that_cannot_be_read(drawn: Path, tmp_path: Path, goes_wrong) -> None:
    goes_wrong("crash")
    done = call("camera", drawn / "photos" / "S02_screening.jpg", drawn / NAME, "-o", tmp_path / "lens.toml")
    assert done.exit_code == 2 and f"{drawn / NAME}: expected a photo" in done.stderr and WRONG["crash"] in done.stderr
    assert not (tmp_path / "lens.toml").exists()
