"""The sample study's manual and its smaller photos are what their scripts make: nothing was mended by hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from ulcermeter.geometry import area

SAMPLES = Path(__file__).parent.parent / "sample_images"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the scripts make: the manual, every table that needs no photo, and the photos and rows of S06."""
    out = tmp_path_factory.mktemp("made")
    code = (
        "import manual, make_study, sys; from pathlib import Path\n"
        "out = Path(sys.argv[1])\n"
        "(out / 'README.md').write_text(manual.manual(), encoding='utf-8')\n"
        "make_study.write_what_needs_no_photo(out, make_study.SUBJECTS)\n"
        "drawn = make_study.draw_photos(out, [(s, s.shots[0]) for s in make_study.SUBJECTS if s.subject_id == 'S06'])\n"
        "make_study.write_csv(out / 'truth_of_S06.csv', make_study.TRUTH, drawn.truth)"
    )
    subprocess.run([sys.executable, "-c", code, str(out)], cwd=SAMPLES, check=True)
    return out


def test_the_manual_is_what_its_script_writes(made: Path) -> None:
    kept = (SAMPLES / "README.md").read_bytes()
    assert (made / "README.md").read_bytes() == kept, "run python sample_images/manual.py"


def test_tables_are_what_the_script_writes(made: Path) -> None:
    tables = [path.name for path in made.glob("*.csv") if path.name != "truth_of_S06.csv"]
    assert {"subjects.csv", "visits.csv", "events.csv", "treatments.csv", "truth_verdicts.csv"} <= set(tables)
    for name in tables:
        assert (made / name).read_bytes() == (SAMPLES / "study" / name).read_bytes(), name


def test_two_readers_err_as_their_script_says() -> None:
    """Equivalent radii of both rims, in mm by the ulcer's true area: R2's 0.03 mm wider, each off by 0.05 mm (sd)."""
    drawn = pd.read_csv(SAMPLES / "study" / "truth_readings.csv").dropna(subset=["label"])
    truth = pd.read_csv(SAMPLES / "study" / "truth.csv").dropna(subset=["area_plane_mm2"])
    rims: dict[tuple[str, str], list[np.ndarray]] = {}
    for (photo, reader, occasion, _), rim in drawn.groupby(["photo", "reader", "occasion", "label"]):
        if occasion == 1:
            rims.setdefault((photo, reader), []).append(rim[["x_px", "y_px"]].to_numpy(float))
    wider, missed = [], []
    for row in truth[truth["expected_status"] == "measured"].to_dict("records"):
        middle = np.array([row["centroid_x_px"], row["centroid_y_px"]])
        near = [
            next((r for r in rims.get((row["photo"], who), []) if np.linalg.norm(r.mean(axis=0) - middle) < 12), None)
            for who in ("R1", "R2")
        ]
        if near[0] is not None and near[1] is not None:
            first, second = (np.sqrt(area(rim)) for rim in near if rim is not None)
            wider.append((second / first - 1) * np.sqrt(row["area_plane_mm2"] / np.pi))
        elif near[0] is not None:
            missed.append(row["diameter_mm"])
    assert len(wider) > 40 and np.mean(wider) == pytest.approx(0.03, abs=3 * 0.071 / np.sqrt(len(wider)))
    assert 0.05 < np.std(wider) < 0.1 and missed and max(missed) < 1.8


def test_a_photo_is_what_the_script_draws(made: Path) -> None:
    photo = "photos/S06_screening_2024-04-22.jpg"
    drawn, kept = (cv2.imread(str(folder / photo)).astype(float) for folder in (made, SAMPLES / "study"))
    # Another processor may round a few pixels, and JPEG spreads that over a block.
    assert np.abs(drawn - kept).mean() < 0.1
    rows = [line for line in (SAMPLES / "study" / "truth.csv").read_text().splitlines() if ",S06," in line]
    assert rows == (made / "truth_of_S06.csv").read_text().splitlines()[1:]
