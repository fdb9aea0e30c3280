"""A click or a box in the main job: where to look, never that there is an ulcer; and a clicked place can heal."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ulcermeter.phantom import CameraSpec, FingerSpec, PhantomSpec, UlcerSpec, draw_phantom, write_phantom
from ulcermeter.pipeline import measure_photo
from ulcermeter.protocol import read_protocol
from ulcermeter.tables import empty, from_rows
from ulcermeter.tracking import track

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "fingers"
PROTOCOL = read_protocol("manus")
CAMERA = CameraSpec(width_px=760, height_px=620, px_per_mm=11.0)
FINGER = FingerSpec(skin_tone=4.0, seed=3)
OPEN = PhantomSpec(finger=FINGER, ulcers=(UlcerSpec(diameter_mm=2.4, wound_bed="slough"),), camera=CAMERA)
ROW = {"subject_id": "S01", "hand": "left", "finger": "index", "view": "palmar"}
ROW |= {"reference": "aruco:10", "reference_on": "skin"}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[float, float]]:
    """A finger with an ulcer and the same finger healed; the folder, and where the ulcer is."""
    folder = tmp_path_factory.mktemp("prompts")
    phantom = draw_phantom(OPEN)
    write_phantom(phantom, folder / "open.jpg")
    write_phantom(draw_phantom(replace(OPEN, ulcers=())), folder / "healed.jpg")
    return folder, phantom.truth.ulcers[0].centroid_px


def measured(folder: Path, photo: str, **cells: Any) -> Any:
    return measure_photo(ROW | {"photo": photo} | cells, PROTOCOL, root=folder, overlay=False)


def pointed_at(at: tuple[float, float], prompt: str) -> dict[str, Any]:
    x, y = at
    return {"x": x, "y": y} if prompt == "click" else {"box": f"{x - 30:.0f} {y - 30:.0f} 60 60"}


@pytest.mark.parametrize("prompt", ["click", "box"])
def test_healthy_skin_that_is_pointed_at_is_no_ulcer_on_a_finger_and_an_ulcer_is_measured(
    drawn: tuple[Path, tuple[float, float]], prompt: str
) -> None:
    folder, at = drawn
    healed, there = (measured(folder, f"{name}.jpg", **pointed_at(at, prompt)) for name in ("healed", "open"))
    assert healed.photo["status"] == "no ulcer" and not healed.measurements and not healed.outlines
    assert there.photo["status"] == "measured"
    assert there.measurements[0]["diameter_low_mm"] < 2.4 < there.measurements[0]["diameter_high_mm"]


def test_a_clicked_place_that_healed_is_healed(drawn: tuple[Path, tuple[float, float]]) -> None:
    folder, at = drawn
    visits = [("open", "baseline", "2024-03-11"), ("healed", "week 4", "2024-04-08")]
    results = [
        measured(folder, f"{name}.jpg", visit=visit, date=date, **pointed_at(at, "click"))
        for name, visit, date in visits
    ]
    shown = [ROW | {"x": at[0], "y": at[1]} | dict(result.photo) for result in results]
    names = set(empty("photos").columns) | {"x", "y"}
    photos = from_rows("photos", [{k: v for k, v in row.items() if k in names - {"x", "y"}} for row in shown])
    photos = photos.assign(x=at[0], y=at[1])
    found = from_rows("measurements", [dict(row) for result in results for row in result.measurements])
    tracked = track(found, photos, protocol=PROTOCOL)
    assert tracked[["visit", "state"]].to_numpy().tolist() == [["baseline", "first seen"], ["week 4", "healed"]]


def test_the_refusal_names_no_click_as_its_cure_where_one_is_given(drawn: tuple[Path, tuple[float, float]]) -> None:
    folder, _ = drawn
    off = measured(folder, "healed.jpg", **pointed_at((40.0, 560.0), "click")).photo
    assert off["status"] == "refused" and "no ulcer was found at the click" in off["reason"]
    assert "click" not in off["instruction"] and "reader_state" in off["instruction"]
    box = measured(folder, "healed.jpg", **pointed_at((40.0, 560.0), "box")).photo
    assert box["status"] == "refused" and "box" not in box["instruction"] and "click" not in box["instruction"]


@pytest.mark.skipif(not DATA.is_dir(), reason="needs ../shared/data/fingers")
def test_real_healthy_fingers_that_are_clicked_are_never_measured() -> None:
    with (DATA / "fingers.csv").open(newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if float(row["width_px"]) >= 16 * 8]
    statuses = []
    for row in rows:
        scale = f"scale:{float(row['width_px']) / 16:.2f}"
        cells = {"photo": row["photo"], "x": row["x"], "y": row["y"], "reference": scale, "reference_on": "skin"}
        statuses.append(measure_photo(cells, PROTOCOL, root=DATA, overlay=False).photo["status"])
    # One of the eleven is blurred, one dark, and the deep fold of one's joint is taken for a crack.
    assert "measured" not in statuses and statuses.count("no ulcer") >= 8
