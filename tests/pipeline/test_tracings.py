"""Tracings handed back: each row gets its own ulcers, and one that clicks gets the one it clicked."""

from __future__ import annotations

import io
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import ulcermeter as um
from ulcermeter.cli import main
from ulcermeter.errors import PhotoError
from ulcermeter.phantom import CameraSpec, Phantom, PhantomSpec, ReferenceSpec, UlcerSpec, draw_phantom, write_phantom
from ulcermeter.pipeline import run_study
from ulcermeter.pipeline.steps.tracings import read_tracing
from ulcermeter.segmentation.prompt_channels import polygon_region
from ulcermeter.segmentation.tracings import trace_mask

ROW = {"photo": "a.jpg", "hand": "left", "finger": "index"}
PHOTO: Any = SimpleNamespace(pixels=np.zeros((120, 200, 3), np.uint8), orientation=1)
SQUARES = ((10, 10, 40), (60, 12, 40), (150, 20, 24))  # left, top, side


def square(left: float, top: float, side: float) -> np.ndarray:
    return np.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=float) * side + (left, top)


def table(path: Path) -> Path:
    frames = [
        pd.DataFrame({**ROW, "label": label, "vertex": range(4), "x_px": points[:, 0], "y_px": points[:, 1]})
        for label, points in enumerate((square(*one) for one in SQUARES), start=1)
    ]
    pd.concat(frames).to_csv(path, index=False)
    return path


def traced(path: Path, click: tuple[float, float] | None) -> list[np.ndarray]:
    return list(read_tracing(path, photo=PHOTO, row={**ROW, "mask": path.name}, click=click).outlines or ())


@pytest.mark.parametrize(("click", "chosen"), [((30, 30), 0), ((54, 30), 0), ((57, 30), 1), ((149, 18), 2)])
def test_a_click_takes_the_outline_it_lies_in_or_the_nearest(
    tmp_path: Path, click: tuple[float, float], chosen: int
) -> None:
    path = table(tmp_path / "outlines.csv")
    (one,) = traced(path, click)
    assert np.array_equal(one, square(*SQUARES[chosen]))
    assert len(traced(path, None)) == 3


def test_a_click_takes_the_part_of_a_mask_picture(tmp_path: Path) -> None:
    mask = np.zeros((120, 200), np.uint8)
    for left, top, side in SQUARES:
        mask[top : top + side, left : left + side] = 255
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    (one,) = traced(tmp_path / "mask.png", (80, 30))
    assert one.min(axis=0).tolist() == [59.5, 11.5] and one.max(axis=0).tolist() == [99.5, 51.5]
    cv2.imwrite(str(tmp_path / "closed.png"), 0 * mask)
    closed = read_tracing(tmp_path / "closed.png", photo=PHOTO, row=ROW, click=(80, 30))
    assert closed.outlines is None and closed.mask is not None and not closed.mask.any()


def test_a_photo_is_found_however_its_path_is_written(tmp_path: Path) -> None:
    path = table(tmp_path / "outlines.csv")
    path.write_text(path.read_text().replace("a.jpg", "./a.jpg"))
    assert len(traced(path, None)) == 3
    assert len(read_tracing(path, photo=PHOTO, row={**ROW, "photo": ".//a.jpg"}).outlines or ()) == 3


def test_a_click_off_every_outline_is_told(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match=r"an outline at the row's click \(30, 90\), got none nearer than 40 px"):
        traced(table(tmp_path / "outlines.csv"), (30, 90))


def test_outlines_handed_back_give_the_same_ulcers(tmp_path: Path) -> None:
    study = tmp_path / "study"
    drawn = draw_phantom(
        PhantomSpec(
            ulcers=(UlcerSpec(diameter_mm=3.6, s_mm=8.0, t_mm=-2.0), UlcerSpec(diameter_mm=3.0, s_mm=14.5, t_mm=2.0)),
            reference=ReferenceSpec(kind="aruco", offset_mm=(0.0, 17.0)),
            camera=CameraSpec(width_px=960, height_px=720, px_per_mm=13.0),
        )
    )
    (study / "photos").mkdir(parents=True)
    write_phantom(drawn, study / "photos" / "a.jpg")
    header = "photo,subject_id,visit,date,hand,finger,reference,reference_on,x,y,mask"
    cells = "photos/a.jpg,S01,screening,2024-03-01,left,index,aruco:10,skin"
    clicks = [",".join(f"{v:.0f}" for v in ulcer.centroid_px) for ulcer in drawn.truth.ulcers]

    def measured(name: str, mask: str) -> Any:
        rows = [f"{cells},{click},{mask}" for click in clicks]
        (study / "photos.csv").write_text("\n".join([header, *rows]) + "\n")
        return run_study(study, tmp_path / name).measurements.set_index("label")

    first = measured("first", "")
    (study / "outlines.csv").write_bytes((tmp_path / "first" / "outlines.csv").read_bytes())
    back = measured("back", "outlines.csv")
    assert list(first.index) == list(back.index) == [1, 2]
    same = ["diameter_mm", "width_mm", "area_mm2", "centroid_x_px", "centroid_y_px"]
    assert np.allclose(back[same], first[same], rtol=1e-3)
    assert list(back["ulcer_id"]) == list(first["ulcer_id"])


HEADER = "photo,subject_id,visit,date,hand,finger,reference,reference_on,mask"
ON_SKIN = {"reference": "aruco:10", "reference_on": "skin"}


@pytest.fixture(scope="module")
def small() -> Phantom:
    """Draw a finger with an ulcer of 1.94 mm, where the interval decides the answer."""
    return draw_phantom(
        PhantomSpec(
            ulcers=(UlcerSpec(diameter_mm=1.94, s_mm=9.0),),
            reference=ReferenceSpec(kind="aruco", offset_mm=(0.0, 17.0)),
            camera=CameraSpec(width_px=960, height_px=720, px_per_mm=13.0),
        )
    )


def true_mask(drawn: Phantom) -> np.ndarray:
    return polygon_region(drawn.pixels.shape, drawn.truth.ulcers[0].outline_px) > 0


def study_with(folder: Path, drawn: Phantom, mask: np.ndarray) -> Path:
    folder.mkdir()
    write_phantom(drawn, folder / "a.jpg")
    cv2.imwrite(str(folder / "mask.png"), mask * np.uint8(255))
    (folder / "photos.csv").write_text(f"{HEADER}\na.jpg,S01,screening,2024-03-01,left,index,aruco:10,skin,mask.png\n")
    return folder


def test_one_mask_gives_one_answer_by_every_way_in(tmp_path: Path, small: Phantom) -> None:
    """At 1.94 mm the interval decides: a reader's error taken on one way and not on the other says *no* there only."""
    mask = true_mask(small)
    study = study_with(tmp_path / "study", small, mask)
    (traced,) = trace_mask(mask)
    handed = pd.DataFrame({"vertex": range(len(traced)), "x_px": traced[:, 0], "y_px": traced[:, 1]})
    handed.assign(photo="a.jpg", hand="left", finger="index", label=1).to_csv(study / "back.csv", index=False)

    protocol = um.read_protocol("manus")
    photo = um.read_photo(study / "a.jpg")
    rectified = um.rectify(photo, um.calibrate(photo, reference="aruco:10", reference_on="skin"), spacing_mm=0.1)
    finger = um.locate_finger(rectified)
    by_hand = [um.segment(rectified, mask=mask), um.segment(rectified, tracing=[traced])]
    answers = [um.measure(one, finger=finger, protocol=protocol).iloc[0] for one in by_hand]
    for name in ("mask.png", "back.csv"):
        cells = f"a.jpg,S01,screening,2024-03-01,left,index,aruco:10,skin,{name}"
        (study / "photos.csv").write_text(f"{HEADER}\n{cells}\n")
        answers.append(run_study(study, tmp_path / name).measurements.iloc[0])
    call = ["measure", str(study / "a.jpg"), "--reference", "aruco:10", "--reference-on", "skin"]
    said = CliRunner().invoke(main, [*call, "--mask", str(study / "mask.png")])
    answers.append(pd.read_csv(io.StringIO(said.stdout)).iloc[0])
    truth = um.measure(um.segment(rectified, mask=mask, as_truth=True), finger=finger, protocol=protocol).iloc[0]

    told = pd.DataFrame(answers)
    assert set(told["method"]) == {"reader's tracing"} and set(told["over_threshold"]) == {"uncertain"}
    numbers = told[["diameter_mm", "diameter_low_mm", "diameter_high_mm", "area_mm2"]].astype(float)
    assert np.ptp(numbers.to_numpy(), axis=0).max() < 0.02
    assert truth["diameter_high_mm"] - truth["diameter_low_mm"] < 0.8 * float(
        (numbers["diameter_high_mm"] - numbers["diameter_low_mm"]).min()
    )


def test_an_inverted_mask_is_refused_and_told_by_check(tmp_path: Path, small: Phantom) -> None:
    study = study_with(tmp_path / "study", small, ~true_mask(small))
    photo = um.measure_photo({"photo": "a.jpg", "mask": "mask.png", **ON_SKIN}, um.read_protocol("manus"), root=study)
    assert photo.photo["status"] == "refused" and "inverted?" in photo.photo["reason"] and not photo.measurements
    said = CliRunner().invoke(main, ["check", str(study)])
    assert said.exit_code == 1 and "row 2: the tracing touches opposite borders" in said.output


@pytest.mark.parametrize(("width_px", "orientation"), [(960, 3), (720, 6)])
def test_a_mask_turned_where_size_cannot_tell_is_flagged(tmp_path: Path, width_px: int, orientation: int) -> None:
    """Upside down, or on its side on a square photo, the tracing lies on the marker or beside the finger."""
    drawn = draw_phantom(
        PhantomSpec(
            ulcers=(UlcerSpec(diameter_mm=3.0, s_mm=8.0),),
            reference=ReferenceSpec(kind="aruco", offset_mm=(0.0, 17.0)),
            camera=CameraSpec(width_px=width_px, height_px=720, px_per_mm=13.0, exif_orientation=orientation),
        )
    )
    stored = np.ascontiguousarray(np.rot90(true_mask(drawn), {3: 2, 6: 1}[orientation]))
    protocol = um.read_protocol("manus")
    reasons = []
    for name, mask in (("right", true_mask(drawn)), ("turned", stored)):
        study = study_with(tmp_path / name, drawn, mask)
        assert um.read_photo(study / "a.jpg").orientation == orientation
        reasons.append(um.measure_photo({"photo": "a.jpg", "mask": "mask.png", **ON_SKIN}, protocol, root=study).photo)
    x, y = drawn.truth.ulcers[0].centroid_px
    assert reasons[0]["status"] == "measured" and "upside down?" not in reasons[0]["reason"]
    assert "follows no edge" in reasons[1]["reason"] and "upside down?" in reasons[1]["reason"]
    told = re.search(r"elsewhere, at \((\d+), (\d+)\)", reasons[1]["reason"])
    assert told and np.hypot(int(told[1]) - x, int(told[2]) - y) < 5


@pytest.mark.parametrize("form", ["labelme", "geojson"])
def test_outlines_that_were_exported_are_measured_as_they_were(
    form: str, finished: Path, drawn: Path, tmp_path: Path
) -> None:
    done = CliRunner().invoke(main, ["export", str(finished), "--as", form, "-o", str(tmp_path)])
    assert done.exit_code == 0, done.output
    before = um.read_results(finished).measurements.iloc[0]
    file = next(path for path in tmp_path.iterdir() if path.name.startswith(before["photo"].replace("/", "__")))
    row = {"photo": str(drawn / before["photo"]), "mask": str(file), "reference": "aruco:10", "reference_on": "skin"}
    after = um.measure_photo(row, um.read_protocol("manus"), overlay=False)
    assert after.photo["status"] == "measured", after.photo["reason"]
    assert after.measurements[0]["diameter_mm"] == pytest.approx(before["diameter_mm"], abs=2e-3)
