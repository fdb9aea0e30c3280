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
from ulcermeter.phantom import CameraSpec, UlcerSpec
from ulcermeter.phantom.camera import place_camera

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


def test_an_ulcer_on_a_sloping_mesh_is_as_large_as_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a plane that falls by 30 degrees across the finger: 3.2 mm on the skin, its area from above less by cos 30."""
    monkeypatch.syspath_prepend(str(SAMPLES))
    from hand_mesh import FingerSkin, place_ulcer, ulcer_truth

    # Fingertip at y = 0, the hand at y = 40; corners at x = -10 and 10, 5.77 mm lower on the right.
    fall = np.tan(np.pi / 6)
    corner = {(x, y): np.array([x, y, 20 - x * fall]) for x in (-10.0, 10.0) for y in (0.0, 10.0, 40.0)}
    strips = ((0, 10), (10, 40))
    triangles = [t for p, q in strips for t in ([(-10, p), (10, p), (10, q)], [(-10, p), (10, q), (-10, q)])]
    a, b, c = (np.array([corner[one[k]] for one in triangles]) for k in range(3))
    up = np.tile([np.sin(np.pi / 6), 0, np.cos(np.pi / 6)], (4, 1))
    skin = FingerSkin(a, b, c, up, tip=np.array([0.0, 2, 10]), joint=np.array([0.0, 25, 10]))
    camera = place_camera(CameraSpec(), np.array([0.0, 10, 20]))
    ulcer = place_ulcer(UlcerSpec(diameter_mm=3.2, s_mm=10.0, t_mm=1.0), skin)
    truth = ulcer_truth(ulcer, skin, camera)
    assert truth.diameter_mm == pytest.approx(3.2, abs=1e-5)
    assert truth.area_plane_mm2 == pytest.approx(np.cos(np.pi / 6) * truth.area_surface_mm2, rel=1e-3)
    assert (truth.s_mm, truth.slope_deg) == (pytest.approx(10.0), pytest.approx(30.0))
    np.testing.assert_allclose(truth.outline_mm[:, 2], 20 - truth.outline_mm[:, 0] * fall, atol=1e-9)
    # A circle 20 mm wide in plan: 1 mm beside its middle is an arc of 10 asin(0.1).
    assert truth.t_mm == pytest.approx(10 * np.arcsin(0.1), abs=1e-6)
