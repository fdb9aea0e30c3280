"""``ulcermeter agreement``: what it takes, prints and writes, and its exit status."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from ulcermeter.cli import main
from ulcermeter.protocol import read_protocol
from ulcermeter.tables import columns


def call(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["agreement", *(str(word) for word in words)])


def write_reading(
    folder: Path, radii_px: dict[tuple[str, str], float], *, outlines: bool = True, reader: str = "R1"
) -> Path:
    """Write a reading of round ulcers at 10 px/mm, one a photo."""
    folder.mkdir()
    rows, vertices = [], []
    angle = np.linspace(0, 2 * np.pi, 80, endpoint=False)
    for (subject, photo), radius in radii_px.items():
        where = {"photo": photo, "hand": "left", "finger": "ring", "label": 1}
        d = radius / 5
        call_made = "uncertain" if 1.8 < d < 2.2 else "yes" if d > 2 else "no"
        sizes = {"diameter_mm": d, "width_mm": d, "area_mm2": math.pi / 4 * d**2, "perimeter_mm": math.pi * d}
        rows.append(
            where | sizes | {"subject_id": subject, "centroid_x_px": 80.0, "centroid_y_px": 60.0, "site": "=2+3"}
            | {"over_threshold": call_made, "reader": reader}
        )  # fmt: skip
        points = np.column_stack([80 + radius * np.cos(angle), 60 + radius * np.sin(angle)])
        vertices += [where | {"vertex": k, "x_px": x, "y_px": y} for k, (x, y) in enumerate(points)]
    pd.DataFrame(rows).to_csv(folder / "measurements.csv", index=False)
    if outlines:
        pd.DataFrame(vertices).to_csv(folder / "outlines.csv", index=False)
    return folder


PHOTOS = [(f"S0{1 + k // 3}", f"p{k}.jpg") for k in range(9)]
RADII_A = dict(zip(PHOTOS, (6, 7, 8, 9, 10, 12, 15, 20, 25), strict=True))
# Areas of A are exp(0.2) times those of B throughout: sem(ln area) = 0.2 / sqrt(2).
RADII_B = {key: radius * math.exp(-0.1) for key, radius in RADII_A.items()}


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("readings")
    return write_reading(root / "a", RADII_A), write_reading(root / "b", RADII_B)


def test_prints_what_a_protocol_needs(readings: tuple[Path, Path], tmp_path: Path) -> None:
    done = call(*readings)
    assert done.exit_code == 0, done.output
    assert "9 ulcers in both readings (9 by overlap), 0 only in A, 0 only in B." in done.stdout
    assert "not a medical device" in done.stdout
    start = done.stdout.index("[parameters.sem_log_area]")
    snippet = "\n".join(done.stdout[start:].splitlines()[:4])
    assert tomllib.loads(snippet)["parameters"]["sem_log_area"]["value"] == pytest.approx(0.2 / 2**0.5, abs=1e-4)
    own = tmp_path / "protocol.toml"
    own.write_text(f'extends = "manus"\nname = "clinic"\n{snippet}\n', encoding="utf-8")
    assert read_protocol(own).healing.sem_log_area == pytest.approx(0.1414, abs=1e-4)


def test_one_reading_given_twice_measures_no_error(readings: tuple[Path, Path], tmp_path: Path) -> None:
    done = call(readings[0], readings[0])
    assert done.exit_code == 0 and "[parameters.sem_log_area]" not in done.stdout
    assert "Warning: all 9 outlines that were read are the same in both readings" in done.stdout
    two = {key: RADII_A[key] * 1.1 for key in PHOTOS[:2]}
    almost = call(readings[0], write_reading(tmp_path / "almost", RADII_A | two)).stdout
    assert (
        "Of these 2 read again, 7 accepted as shown, counted apart." in almost and "two readings of 2 ulcers" in almost
    )


def test_outlines_let_stand_as_the_machine_drew_them_propose_no_error(tmp_path: Path) -> None:
    """A reader who corrects 4 of 9: the five others make the error no smaller."""
    machine = write_reading(tmp_path / "machine", RADII_A, reader="machine")
    corrected = {key: RADII_A[key] * math.exp(-0.1) for key in PHOTOS[:4]}
    reader = write_reading(tmp_path / "reader", RADII_A | corrected, reader="R2")
    done = call(machine, reader, "-o", tmp_path / "out")
    assert "Of these 4 read again, 5 accepted as shown, counted apart." in done.stdout
    sizes = pd.read_csv(tmp_path / "out" / "sizes.csv").set_index("measure")
    assert sizes.loc["ln_area", "n"] == 4
    assert sizes.loc["ln_area", "sem"] == pytest.approx(0.2 / 2**0.5, abs=1e-4)
    pairs = pd.read_csv(tmp_path / "out" / "pairs.csv")
    assert list(pairs["comparison"]) == ["read"] * 4 + ["accepted"] * 5
    dice = 2 * math.exp(-0.2) / (1 + math.exp(-0.2))
    overlap = pd.read_csv(tmp_path / "out" / "overlap.csv")
    assert overlap["n_photos"][0] == 4 and overlap["dice_mean"][0] == pytest.approx(dice, abs=0.002)


def test_accepted_is_told_without_outlines_too(tmp_path: Path) -> None:
    machine = write_reading(tmp_path / "machine", RADII_A, reader="", outlines=False)
    reader = write_reading(tmp_path / "reader", RADII_A, reader="R2", outlines=False)
    done = call(machine, reader)
    assert "Of these 0 read again, 9 accepted as shown" in done.stdout
    assert "[parameters.sem_log_area]" not in done.stdout


@pytest.mark.parametrize("reader", ["", "machine", " Machine"])
def test_two_runs_of_the_machine_propose_no_error(tmp_path: Path, reader: str) -> None:
    one = write_reading(tmp_path / "one", RADII_A, reader=reader)
    other = write_reading(tmp_path / "other", RADII_B, reader="machine")
    done = call(one, other)
    assert done.exit_code == 0 and "[parameters.sem_log_area]" not in done.stdout
    assert "Nobody read either" in done.stdout and "name who read in the column reader" in done.stdout


def test_writes_tables_that_keep_their_contracts(readings: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "new" / "agreement"
    assert call(*readings, "-o", out).exit_code == 0
    tables = {file.stem: pd.read_csv(file) for file in out.glob("*.csv")}
    assert set(tables) == {"pairs", "counts", "sizes", "calls", "confusion", "overlap"}
    for name, frame in tables.items():
        assert list(frame.columns) == columns(f"agreement/{name}")
    sizes = tables["sizes"].set_index("measure")
    assert sizes.loc["ln_area", "bias"] == pytest.approx(0.2, abs=1e-4)
    dice = math.exp(-0.2) * 2 / (1 + math.exp(-0.2))
    assert tables["overlap"]["dice_pooled"][0] == pytest.approx(dice, abs=0.002)
    assert tables["confusion"].drop(columns="call_a").to_numpy().sum() == 9
    before = {file.name: file.read_bytes() for file in out.iterdir()}
    assert call(*readings, "-o", out).exit_code == 0
    assert {file.name: file.read_bytes() for file in out.iterdir()} == before


def test_a_file_without_outlines_is_paired_by_place(readings: tuple[Path, Path], tmp_path: Path) -> None:
    bare = write_reading(tmp_path / "bare", dict(list(RADII_B.items())[:4]), outlines=False)
    done = call(readings[0] / "measurements.csv", bare / "measurements.csv")
    assert done.exit_code == 0 and "4 ulcers in both readings (4 by centroid)" in done.stdout
    assert "Dice" not in done.stdout


def test_results_against_a_reader(finished: Path, tmp_path: Path) -> None:
    reader = tmp_path / "reader"
    reader.mkdir()
    frame = pd.read_csv(finished / "measurements.csv", dtype=str, keep_default_na=False)
    frame.iloc[:1].to_csv(reader / "measurements.csv", index=False)
    done = call(finished, reader)
    assert done.exit_code == 0 and "1 ulcer in both" in done.stdout
    assert "ulcers in both readings (2 by overlap)" in call(finished, finished).stdout


def test_what_measure_prints_tells_who_missed_what(tmp_path: Path) -> None:
    head = "photo,label,diameter_mm,area_mm2,centroid_x_px,centroid_y_px,over_threshold,status,reason"
    both = ["p1.jpg,1,3.0,6,100,100,yes,measured,", "p2.jpg,1,2.5,4,100,100,yes,measured,"]
    only_a = [*both, "p3.jpg,,,,,,,no ulcer,", "p4.jpg,1,2.5,4,90,90,yes,measured,", "p5.jpg,,,,,,,refused,tilt"]
    only_b = [*both, "p3.jpg,1,2.2,3,50,50,yes,measured,", "p4.jpg,,,,,,,no ulcer,", "p5.jpg,1,2.2,3,5,5,yes,measured,"]
    for name, lines in (("a.csv", only_a), ("b.csv", only_b)):
        (tmp_path / name).write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    done = call(tmp_path / "a.csv", tmp_path / "b.csv")
    assert done.exit_code == 0, done.output
    assert "2 ulcers in both readings (2 by centroid), 1 only in A, 1 only in B." in done.stdout
    assert "Dice" not in done.stdout
    assert "Left out are photos that only one reading has: 0 only in A, 1 only in B." in done.stdout
    for name in ("a.csv", "b.csv"):
        found = [line for line in (tmp_path / name).read_text().splitlines() if ",,,,,,," not in line]
        (tmp_path / name).write_text("\n".join(found) + "\n", encoding="utf-8")
    silent = call(tmp_path / "a.csv", tmp_path / "b.csv")
    assert "1 only in A, 2 only in B. A photo that was read and showed nothing needs a row" in silent.stdout
    assert "Left out" not in call(tmp_path / "a.csv", tmp_path / "a.csv").stdout


def test_what_cannot_be_compared_is_2_and_writes_nothing(readings: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    other = write_reading(tmp_path / "other", {("S09", "elsewhere.jpg"): 8.0})
    for first, second, word in (
        (readings[0], tmp_path / "nowhere", "neither"),
        (readings[0], other, "in common"),
        (readings[0], readings[0] / "outlines.csv", "measurements.csv"),
    ):
        wrong = call(first, second, "-o", out)
        assert wrong.exit_code == 2 and word in wrong.stderr and "Traceback" not in wrong.output
    assert not out.exists()
    broken = tmp_path / "broken.csv"
    text = (readings[0] / "measurements.csv").read_text().replace("p1.jpg,left,ring,1,1.4", "p1.jpg,left,ring,1,wide")
    broken.write_text(text)
    wrong = call(broken, readings[1])
    assert wrong.exit_code == 2 and f"{broken} row 3, diameter_mm" in wrong.stderr
    assert call(*readings, "-o", broken).exit_code == 2
