"""The whole flow on drawn photos: every row accounted for, nothing lost on a kill, the same bytes every time."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

import ulcermeter as um
from ulcermeter.errors import StudyError, UlcermeterError, UnfinishedError
from ulcermeter.phantom import CameraSpec, PhantomSpec, draw_phantom, write_phantom
from ulcermeter.pipeline import measure_photo, run_study, whole_study, workers
from ulcermeter.pipeline.steps import outlining
from ulcermeter.protocol import read_protocol
from ulcermeter.store import PAGES, PICTURES, TABLE_FILES, read_results
from ulcermeter.study import read_study

Bytes = Callable[[Path], dict[str, bytes]]


def rows_of(study: Path) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in read_study(study).photos.to_dict("records")]


def measured(study: Path, index: int, **cells: Any) -> Any:
    row = rows_of(study)[index] | cells
    return measure_photo(row, read_protocol("manus"), root=study, run_id="r")


def test_every_photo_row_is_accounted_for(finished: Path) -> None:
    results = read_results(finished)
    status = dict(zip(results.photos["photo"], results.photos["status"], strict=True))
    assert status == {
        "photos/S01_screening.jpg": "measured",
        "photos/S01_baseline.jpg": "measured",
        "photos/S02_screening.jpg": "refused",
        "photos/S02_baseline.jpg": "failed",
    }
    assert (results.photos.loc[results.photos["status"].isin(["refused", "failed"]), "reason"] != "").all()
    assert results.run["status_counts"] == {"failed": 1, "measured": 2, "refused": 1}


def test_a_reference_box_says_which_of_two_markers_counts(tiny_study: Path) -> None:
    path = tiny_study / "photos" / "S01_screening.jpg"
    alone = measured(tiny_study, 0)
    pixels = cv2.imread(str(path))
    code = cv2.aruco.generateImageMarker(cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50), 3, 84)
    # Twice as large as the one beside the ulcer: taken for it, every length would be half as long.
    pixels[10:210, 10:210] = np.pad(np.kron(code, np.ones((2, 2), np.uint8)), 16, constant_values=235)[..., None]
    cv2.imwrite(str(path), pixels, [cv2.IMWRITE_JPEG_QUALITY, 95])
    both = measured(tiny_study, 0)
    assert both.photo["status"] == "refused"
    assert all(f"DICT_4X4_50 id {n} at (" in both.photo["reason"] for n in (3, 7))
    x, y = rows_of(tiny_study)[0]["x"], rows_of(tiny_study)[0]["y"]
    boxed = measured(tiny_study, 0, reference_box=f"{x - 120:g} {y + 100:g} 240 240")
    assert boxed.photo["status"] == "measured", boxed.photo["reason"]
    sizes = [result.measurements[0]["diameter_mm"] for result in (alone, boxed)]
    assert sizes[1] == pytest.approx(sizes[0], rel=0.03)
    outside = measured(tiny_study, 0, reference_box="2000 10 50 50")
    assert (
        outside.photo["status"] == "failed"
        and "the reference box 2000 10 50 50 lies outside" in (outside.photo["reason"])
    )


def test_what_to_take_again_is_a_table_of_its_own(finished: Path) -> None:
    results = read_results(finished)
    again = results.retake.set_index("photo")
    assert again["status"].to_dict() == {"photos/S02_screening.jpg": "refused", "photos/S02_baseline.jpg": "failed"}
    assert again.loc["photos/S02_screening.jpg", "instruction"].startswith("lay the printed marker beside the ulcer")
    assert again.loc["photos/S02_baseline.jpg", "instruction"].startswith("export the photo as JPEG")
    # Nothing else says whether S02 has an ulcer over 2 mm; the baseline photo comes after inclusion.
    assert again["priority"].to_dict() == {"photos/S02_screening.jpg": 1, "photos/S02_baseline.jpg": 2}
    told = results.photos.set_index("photo")["instruction"]
    assert {name for name, text in told.items() if text} == set(again.index)
    assert "lay the printed marker beside the ulcer" in (finished / "report.html").read_text(encoding="utf-8")


def test_each_photo_tells_its_quality(finished: Path) -> None:
    photos = read_results(finished).photos.set_index("photo")
    words = photos[[name for name in photos.columns if name.startswith("quality_")]]
    assert words.shape[1] == 6
    assert (words.loc["photos/S01_screening.jpg"] == "yes").all()
    assert words.loc["photos/S02_screening.jpg"].tolist() == ["", "", "", "no", "", ""]
    assert (words.loc["photos/S02_baseline.jpg"] == "").all()


def test_the_tables_hold_together(finished: Path) -> None:
    results = read_results(finished)
    rows = results.measurements
    assert set(rows["ulcer_id"]) == {"S01-left-index-1"}
    assert (rows["diameter_low_mm"] <= rows["diameter_mm"]).all() and (
        rows["diameter_mm"] <= rows["diameter_high_mm"]
    ).all()
    assert list(rows["day"]) == [-10, 0] and set(rows["reader"]) == {"machine"}
    assert set(rows["run_id"]) == {results.run["run_id"]}
    assert abs(rows["diameter_mm"].iloc[0] - 4.0) < 0.6
    assert set(results.outlines["photo"]) == set(rows["photo"])
    assert set(results.eligibility_summary["subject_id"]) == {"S01", "S02"}


def test_everything_a_folder_should_hold_is_there(finished: Path) -> None:
    names = {p.name for p in finished.iterdir()}
    assert names == {f"{name}.csv" for name in TABLE_FILES} | {
        "overlays",
        "report",
        "report.html",
        "run.json",
        "store.sqlite",
    }
    overlays = sorted(p.name for p in (finished / "overlays").iterdir())
    assert "photos__S01_screening.jpg.left-index.jpg" in overlays
    pictures = sorted(p.name for p in (finished / PICTURES).iterdir())
    assert pictures == overlays and {p.name for p in (finished / PAGES).glob("*.html")} == {"S01.html", "S02.html"}
    record = json.loads((finished / "run.json").read_text())
    assert record["protocol"]["name"] == "manus" and len(record["model_sha256"]) == 64
    assert len(record["photos"]["photos/S01_screening.jpg"]) == 64


def test_shuffled_rows_give_the_same_bytes(tiny_study: Path, finished: Path, tmp_path: Path, csv_bytes: Bytes) -> None:
    header, *rows = (tiny_study / "photos.csv").read_text().splitlines()
    (tiny_study / "photos.csv").write_text("\n".join([header, *rows[::-1]]) + "\n")
    shutil.copytree(finished, tmp_path / "again")  # what is measured is not measured again
    run_study(tiny_study, tmp_path / "again")
    assert csv_bytes(tmp_path / "again") == csv_bytes(finished)


class Killed(BaseException):
    """The end of a process, for all that it could still do."""


def killed_at(patch: pytest.MonkeyPatch, call: str, name: str) -> None:
    """Have a run end when it syncs (``fsync``) or renames (``replace``) the file of a name."""
    original = getattr(os, call)

    def end(*given: Any) -> None:
        path = given[-1] if call == "replace" else os.readlink(f"/proc/self/fd/{given[0]}")
        if Path(path).name == name:
            raise Killed
        original(*given)

    patch.setattr(os, call, end)


@pytest.mark.skipif(sys.platform != "linux", reason="reads a file's name from /proc")
def test_a_killed_run_goes_on_and_loses_nothing(drawn: Path, finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "results"
    code = (
        "import os, sys; from ulcermeter.pipeline import run_study\n"
        "def kill(done, total, result):\n    os._exit(9) if done == 2 else None\n"
        "run_study(sys.argv[1], sys.argv[2], progress=kill)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(drawn), str(out)]).returncode == 9
    assert not list(out.glob("*.csv"))
    assert measured_again(drawn, out, "replace", "measurements.csv") == ["S02_screening.jpg", "S02_baseline.jpg"]
    # What failed is tried again, nothing else; what stands is whole, what was half written goes.
    for call, name in (("fsync", ".photos__S01_screening.jpg.left-index.jpg.part"), ("replace", "outcomes.csv")):
        assert measured_again(drawn, out, call, name) == ["S02_baseline.jpg"]
    whole = everything(finished)
    standing = {name: content for name, content in everything(out).items() if not name.endswith((".sqlite", ".part"))}
    assert standing.items() <= whole.items() and "photos.csv" in standing and "run.json" not in standing
    assert measured_again(drawn, out, "replace", "report.html") == ["S02_baseline.jpg"]
    run_study(drawn, out)
    come = everything(out)
    assert set(come) == set(whole)
    assert {name for name in whole if come[name] != whole[name]} <= {"run.json", "store.sqlite"}


def measured_again(drawn: Path, out: Path, call: str, name: str) -> list[str]:
    """Return the photos that a run measures that is killed then."""
    photos: list[str] = []
    original = workers.run_tasks
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        killed_at(patch, call, name)
        patch.setattr(
            whole_study,
            "run_tasks",
            lambda todo, **k: photos.extend(Path(t.row["photo"]).name for t in todo) or original(todo, **k),
        )
        run_study(drawn, out)
    return photos


def test_a_changed_photo_is_measured_anew(tiny_study: Path, finished: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(finished, tmp_path / "results"))
    with (tiny_study / "photos" / "S01_baseline.jpg").open("ab") as file:
        file.write(b"\0")
    before, after = read_results(finished), run_study(tiny_study, out)
    assert before.photos["sha256"].tolist() != after.photos["sha256"].tolist()


def test_a_study_that_is_wrong_writes_nothing(tiny_study: Path, tmp_path: Path) -> None:
    text = (tiny_study / "photos.csv").read_text().replace("screening", "sreening")
    (tiny_study / "photos.csv").write_text(text)
    with pytest.raises(StudyError, match="expected a visit"):
        run_study(tiny_study, tmp_path / "results")
    assert not (tmp_path / "results").exists()


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_run_that_cannot_start_leaves_finished_results_alone(
    drawn: Path, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*_: object, **__: object) -> None:
        raise OSError("Timed out trying to connect")

    monkeypatch.setitem(sys.modules, "distributed", types.SimpleNamespace(Client=silent))
    out = Path(shutil.copytree(finished, tmp_path / "results"))
    before = everything(out)
    with pytest.raises(UlcermeterError, match="expected a dask scheduler that answers"):
        run_study(drawn, out, scheduler="tcp://127.0.0.1:1")
    assert everything(out) == before
    with pytest.raises(UlcermeterError, match="expected a dask scheduler that answers"):
        run_study(drawn, tmp_path / "new", scheduler="tcp://127.0.0.1:1")
    assert not (tmp_path / "new").exists()
    (out / "store.sqlite").write_bytes(b"this is no store of ulcermeter, it is a text that stands in its place" * 20)
    before = everything(out)
    with pytest.raises(UlcermeterError, match="expected a store of ulcermeter"):
        run_study(drawn, out)
    assert everything(out) == before


@pytest.mark.parametrize("at", ["ulcermeter.tracking.track", "ulcermeter.report.write_report"])
def test_a_folder_is_one_runs_until_its_report_is_written(
    drawn: Path, finished: Path, tmp_path: Path, csv_bytes: Bytes, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    out = Path(shutil.copytree(finished, tmp_path / "results"))
    module, _, name = at.rpartition(".")
    original, refused = getattr(importlib.import_module(module), name), []

    def meanwhile(*args: Any, **kwargs: Any) -> Any:
        with pytest.raises(UlcermeterError, match="another run is writing here"):
            run_study(drawn, out)
        refused.append(True)
        return original(*args, **kwargs)

    monkeypatch.setattr(at, meanwhile)
    run_study(drawn, out)
    assert refused and csv_bytes(out) == csv_bytes(finished)
    monkeypatch.undo()
    run_study(drawn, out)  # the next one finds it free


def test_what_the_investigator_decided_is_carried_over(tiny_study: Path, finished: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(finished, tmp_path / "results"))
    summary = out / "eligibility_summary.csv"
    header, first, *rest = summary.read_text().splitlines()
    assert first.endswith(",,,")
    decided = f"{first.removesuffix(',,,')},include,Dr X,2024-03-06"
    summary.write_text("\n".join([header, decided, *rest]) + "\n")
    filled = summary.read_bytes()
    with pytest.MonkeyPatch.context() as patch, pytest.raises(UnfinishedError):
        patch.setattr("ulcermeter.tracking.track", lambda *_, **__: {}["of all things"])
        run_study(tiny_study, out)
    assert not summary.exists()
    again = run_study(tiny_study, out)
    assert summary.read_bytes() == filled and again.run["decisions_to_look_at"] == {}
    text = (tiny_study / "subjects.csv").read_text()
    # An age under 18 changes the verdict of S01 from open to not eligible.
    (tiny_study / "subjects.csv").write_text(text.replace(",54,", ",17,"))
    for _ in range(2):
        changed = run_study(tiny_study, out)
        row = changed.eligibility_summary.set_index("subject_id").loc["S01"]
        assert (row["verdict"], row["investigator_decision"], row["decided_by"]) == ("not eligible", "include", "Dr X")
        assert "it is not eligible now" in changed.run["decisions_to_look_at"]["S01"]
        asked = changed.queries[changed.queries["kind"] == "decision"]
        assert list(asked["subject_id"]) == ["S01"]
        assert asked["query_id"].item() in (out / "report.html").read_text()


def test_results_into_the_study_itself_are_refused(tiny_study: Path) -> None:
    with pytest.raises(StudyError, match="apart from the study"):
        run_study(tiny_study, tiny_study)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "0 bytes"), (b"not a picture at all" * 9, ""), (None, "")],
    ids=["0 bytes", "no picture", "missing"],
)
def test_a_bad_file_is_a_failed_row(tiny_study: Path, content: bytes | None, words: str) -> None:
    path = tiny_study / "photos" / "S01_screening.jpg"
    path.unlink() if content is None else path.write_bytes(content)
    result = measured(tiny_study, 0)
    assert result.photo["status"] == "failed" and words in result.photo["reason"].lower()
    assert "fault of ours" not in result.photo["reason"]


@pytest.mark.parametrize(
    ("module", "content"),
    [("pi_heif", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"), ("pydicom", bytes(128) + b"DICM" + bytes(200))],
)
def test_a_photo_that_needs_an_extra_says_which(
    tiny_study: Path, module: str, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    (tiny_study / "photos" / "S01_screening.jpg").write_bytes(content)
    photo = measured(tiny_study, 0).photo
    assert photo["status"] == "failed" and "fault of ours" not in photo["reason"]
    assert "ulcermeter[" in photo["reason"] and "ulcermeter[" in photo["instruction"]


def test_a_truncated_photo_fails(tiny_study: Path) -> None:
    path = tiny_study / "photos" / "S01_screening.jpg"
    path.write_bytes(path.read_bytes()[:20000])
    assert measured(tiny_study, 0).photo["status"] == "failed"


def test_clicks_and_boxes_off_the_photo_fail(drawn: Path) -> None:
    assert "lies outside the upright photo" in measured(drawn, 0, x=5000.0).photo["reason"]
    assert "lies outside the upright photo" in measured(drawn, 1, box="2000 10 30 30").photo["reason"]


def test_what_nobody_thought_of_is_a_failed_row_that_says_so(drawn: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def burst(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("of all things")

    monkeypatch.setattr(outlining, "segment", burst)
    photo = measured(drawn, 0).photo
    assert photo["status"] == "failed" and photo["reason"].startswith("a fault of ours: ZeroDivisionError")
    assert photo["px_per_mm"] > 5 and photo["sha256"]


def test_a_covered_place_is_not_measured(drawn: Path) -> None:
    result = measured(drawn, 0, covered="yes")
    assert (result.photo["status"], result.photo["n_ulcers"], result.measurements) == ("no ulcer", 0, ())
    assert result.photo["reason"].startswith("covered")


def test_a_refusal_tells_what_is_known(drawn: Path) -> None:
    photo = measured(drawn, 1, reference="aruco:10:DICT_7X7_50").photo
    assert photo["status"] == "refused" and len(photo["sha256"]) == 64


def test_gates_that_only_report_measure_all_the_same(drawn: Path, tmp_path: Path) -> None:
    strict, lax = tmp_path / "strict.toml", tmp_path / "lax.toml"
    strict.write_text("extends = 'manus'\n[parameters]\ntilt_max_deg = 1.0\n")
    lax.write_text("extends = 'manus'\n[parameters]\ntilt_max_deg = 1.0\ngates = 'report'\n")
    refused = measure_photo(rows_of(drawn)[0], read_protocol(strict), root=drawn)
    reported = measure_photo(rows_of(drawn)[0], read_protocol(lax), root=drawn)
    assert refused.photo["status"] == "refused" and "tilt" in refused.photo["reason"] and refused.photo["tilt_deg"] > 2
    assert reported.photo["status"] == "measured" and "gate failed: tilt" in reported.photo["reason"]


def test_a_handed_back_outline_is_taken_as_it_is(tiny_study: Path, finished: Path) -> None:
    shutil.copy(finished / "outlines.csv", tiny_study / "corrected.csv")
    result = measured(tiny_study, 1, mask="corrected.csv")
    own = read_results(finished).measurements.set_index("photo").loc["photos/S01_baseline.jpg"]
    row = result.measurements[0]
    assert row["reader"] == "corrected.csv" and row["method"] == "reader's tracing"
    assert abs(row["diameter_mm"] - own["diameter_mm"]) < 0.01


def test_a_mask_picture_of_another_shape_fails(tiny_study: Path) -> None:
    cv2.imwrite(str(tiny_study / "mask.png"), np.zeros((30, 40), np.uint8))
    photo = measured(tiny_study, 0, x=None, y=None, mask="mask.png").photo
    assert photo["status"] == "failed" and "40 × 30" in photo["reason"]


def test_an_outline_of_another_photo_fails(tiny_study: Path) -> None:
    frame = pd.DataFrame({"photo": ["b.jpg"] * 3, "hand": "left", "finger": "index", "label": 1, "vertex": [0, 1, 2]})
    frame.assign(x_px=[1, 9, 5], y_px=[1, 1, 8]).to_csv(tiny_study / "other.csv", index=False)
    assert "expected an outline of photos/S01_baseline.jpg" in measured(tiny_study, 1, mask="other.csv").photo["reason"]


def test_vertices_that_stand_twice_are_refused(tiny_study: Path) -> None:
    outline = {"photo": "photos/S01_baseline.jpg", "hand": "left", "finger": "index", "label": 1}
    frame = pd.DataFrame({**outline, "vertex": [0, 1, 1, 2]}, index=range(4))
    frame.assign(x_px=[1, 9, 9, 5], y_px=[1, 1, 2, 8]).to_csv(tiny_study / "twice.csv", index=False)
    photo = measured(tiny_study, 1, mask="twice.csv").photo
    assert "label 1: expected each vertex once, got vertex 1 twice" in photo["reason"]


def test_a_closed_finger_is_looked_at_and_has_no_ulcer(tiny_study: Path) -> None:
    spec = PhantomSpec(camera=CameraSpec(width_px=960, height_px=720, px_per_mm=13.0), ulcers=())
    write_phantom(draw_phantom(spec), tiny_study / "photos" / "S01_baseline.jpg")
    photo = measured(tiny_study, 1).photo
    assert (photo["status"], photo["n_ulcers"]) == ("no ulcer", 0), photo["reason"]
    assert photo["focus"] > 1.5 and 0.4 < photo["detection_limit_mm"] < 1.2
    path = tiny_study / "photos" / "S01_baseline.jpg"
    cv2.imwrite(str(path), cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2GRAY))
    grey = measured(tiny_study, 1).photo
    assert grey["status"] == "refused" and "without colour" in grey["reason"]


def test_no_ulcer_is_not_said_of_what_was_not_seen(tiny_study: Path) -> None:
    path = tiny_study / "photos" / "S01_baseline.jpg"
    cloth = np.random.default_rng(1).integers(0, 60, (600, 800, 1), np.uint8) + np.array([170, 150, 120], np.uint8)
    cv2.imwrite(str(path), cloth)
    bare = measured(tiny_study, 1, reference="scale:10").photo
    assert bare["status"] == "refused" and "neither an ulcer nor a finger" in bare["reason"]


def test_a_wide_photo_is_measured_like_its_middle(tiny_study: Path) -> None:
    path = tiny_study / "photos" / "S01_baseline.jpg"
    row = rows_of(tiny_study)[1]
    alone = measure_photo(row, read_protocol("manus"), root=tiny_study)
    pixels = cv2.imread(str(path))
    cv2.imwrite(str(tiny_study / "wide.png"), np.pad(pixels, ((520, 480), (610, 650), (0, 0)), mode="edge"))
    wide = measure_photo(row | {"photo": "wide.png"}, read_protocol("manus"), root=tiny_study)
    assert wide.photo["status"] == "measured", wide.photo["reason"]
    assert wide.measurements[0]["diameter_mm"] == pytest.approx(alone.measurements[0]["diameter_mm"], rel=0.05)
    assert wide.measurements[0]["centroid_x_px"] == pytest.approx(alone.measurements[0]["centroid_x_px"] + 610, abs=2)


def test_a_long_box_holds_a_finger_and_a_short_one_an_ulcer(drawn: Path) -> None:
    finger = measured(drawn, 1, box="320 120 250 590")
    x, y = (finger.measurements[0][f"centroid_{axis}_px"] for axis in "xy")
    ulcer = measured(drawn, 1, box=f"{x - 40:.0f} {y - 40:.0f} 80 80")
    assert [r.measurements[0]["method"] for r in (finger, ulcer)] == ["network", "network+box"]
    assert len(finger.measurements) == len(ulcer.measurements) == 1


def test_two_clicks_on_one_finger_get_two_labels_resumed_or_not(
    tiny_study: Path, tmp_path: Path, csv_bytes: Bytes
) -> None:
    header, *rows = (tiny_study / "photos.csv").read_text().splitlines()
    first = rows[0].split(",")
    second = ",".join([*first[:-2], str(float(first[-2]) + 6), first[-1]])
    (tiny_study / "photos.csv").write_text("\n".join([header, rows[0]]) + "\n")
    run_study(tiny_study, tmp_path / "resumed")
    (tiny_study / "photos.csv").write_text("\n".join([header, second, rows[0]]) + "\n")  # a row above the other
    resumed = run_study(tiny_study, tmp_path / "resumed")
    assert sorted(resumed.measurements["label"]) == [1, 2]
    assert not resumed.outlines.duplicated(["photo", "hand", "finger", "label", "vertex"]).any()
    run_study(tiny_study, tmp_path / "fresh")
    assert csv_bytes(tmp_path / "resumed") == csv_bytes(tmp_path / "fresh")


def test_the_python_words_of_the_design(drawn: Path) -> None:
    protocol = um.read_protocol("manus")
    photo = um.read_photo(drawn / "photos" / "S01_screening.jpg")
    calibration = um.calibrate(photo, reference="aruco:10", reference_on="skin")
    rectified = um.rectify(photo, calibration, spacing_mm=0.08)
    segmentation = um.segment(rectified)
    measurements = um.measure(segmentation, finger=um.locate_finger(rectified), protocol=protocol)
    assert len(measurements) == 1


def test_rows_made_in_python_are_refused_in_words(drawn: Path) -> None:
    toe = measured(drawn, 0, hand="left foot", finger="hallux").photo
    assert toe["status"] == "refused" and toe["reason"].startswith("toes are refused")
    click = measured(drawn, 0, x="here", y=3.0).photo
    assert click["status"] == "failed" and "x, y: expected a click in px" in click["reason"]
    assert "a fault of ours" not in click["reason"]


def test_a_click_off_the_finger_does_not_say_that_no_ulcer_is_there(drawn: Path) -> None:
    photo = um.read_photo(drawn / "photos" / "S01_screening.jpg")
    marker = um.calibrate(photo, reference="aruco:10", reference_on="skin").points_px.mean(axis=0)
    off = measured(drawn, 0, x=float(marker[0]), y=float(marker[1])).photo
    assert off["status"] == "refused"
    assert "no ulcer was found at the click" in off["reason"] and "and no finger there" in off["reason"]
