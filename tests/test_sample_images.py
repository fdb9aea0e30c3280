"""The sample study's manual and its smaller photos are what their scripts make: nothing was mended by hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

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


def test_a_photo_is_what_the_script_draws(made: Path) -> None:
    photo = "photos/S06_screening_2024-04-22.jpg"
    drawn, kept = (cv2.imread(str(folder / photo)).astype(float) for folder in (made, SAMPLES / "study"))
    # Another processor may round a few pixels, and JPEG spreads that over a block.
    assert np.abs(drawn - kept).mean() < 0.1
    rows = [line for line in (SAMPLES / "study" / "truth.csv").read_text().splitlines() if ",S06," in line]
    assert rows == (made / "truth_of_S06.csv").read_text().splitlines()[1:]
