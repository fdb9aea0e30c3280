"""The sample study's manual and its smaller photos are what their scripts make: nothing was mended by hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

SAMPLES = Path(__file__).parent.parent / "sample_images"


def test_the_manual_is_what_its_script_writes() -> None:
    code = "import manual, pathlib, sys; sys.stdout.write(manual.manual())"
    made = subprocess.run([sys.executable, "-c", code], cwd=SAMPLES, capture_output=True, text=True, check=True).stdout
    assert made == (SAMPLES / "README.md").read_text(encoding="utf-8"), "run python sample_images/manual.py"


def test_tables_and_a_photo_are_what_the_script_draws(tmp_path: Path) -> None:
    code = (
        "import sys, make_study; from pathlib import Path\n"
        "make_study.SUBJECTS = tuple(s for s in make_study.SUBJECTS if s.subject_id == 'S06')\n"
        "make_study.main(Path(sys.argv[1]))"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=SAMPLES, check=True)
    photo = "photos/S06_screening_2024-04-22.jpg"
    made, kept = (cv2.imread(str(folder / photo)).astype(float) for folder in (tmp_path, SAMPLES / "study"))
    # Another processor may round a few pixels, and JPEG spreads that over a block.
    assert np.abs(made - kept).mean() < 0.1
    rows = [line for line in (SAMPLES / "study" / "truth.csv").read_text().splitlines() if ",S06," in line]
    assert rows == (tmp_path / "truth.csv").read_text().splitlines()[1:]
