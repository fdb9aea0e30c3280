"""Readings in the place of the machine's: measured by the library, and the same tables as a full run writes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ulcermeter.datatypes import Study
from ulcermeter.pipeline import run_study
from ulcermeter.pipeline.finish import finish_again, study_of_run
from ulcermeter.pipeline.readings import apply_readings, measure_outline, place_of
from ulcermeter.readings import PlaceReading, PlaceVerdict, ReadingLog, UlcerReading, UlcerVerdict, state_of
from ulcermeter.store import PhotoStore, read_results

SIZES = ["diameter_mm", "width_mm", "area_mm2", "perimeter_mm", "equivalent_diameter_mm", "surface_diameter_mm",
         "surface_area_mm2", "centroid_x_px", "centroid_y_px", "finger_s_mm", "finger_t_mm"]  # fmt: skip


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "results"))


@pytest.fixture(scope="session")
def machine(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple:
    copy = shutil.copytree(finished, tmp_path_factory.mktemp("machine") / "results")
    with PhotoStore(copy / "store.sqlite") as store:
        return tuple(store.of_last_run())


@pytest.fixture(scope="session")
def study(finished: Path) -> Study:
    return study_of_run(finished)


def reading(result, *ulcers: UlcerReading, reader: str = "R1", **more) -> PlaceReading:
    return PlaceReading(reader, place_of(result), result.photo["sha256"], ulcers=ulcers, **more)


def accepted(result) -> UlcerReading:
    label, outline = result.outlines[0]
    return UlcerReading(label, UlcerVerdict.ACCEPTED, outline, outline)


def edited(result, factor: float) -> UlcerReading:
    label, outline = result.outlines[0]
    middle = outline.mean(axis=0)
    return UlcerReading(label, UlcerVerdict.EDITED, middle + factor * (outline - middle), outline)


def log_reading(root: Path, one: PlaceReading) -> None:
    photo, hand, finger = one.place
    cells = {"photo": photo, "hand": hand, "finger": finger, "photo_sha256": one.photo_sha256}
    ReadingLog(root).append(who=one.reader, action="reading accept", after=state_of(one), **cells)


def test_without_readings_nothing_changes(study: Study, machine: tuple) -> None:
    applied = apply_readings(study, machine, [])
    assert applied.study is study and all(a is b for a, b in zip(applied.done, machine, strict=True))


def test_an_accepted_outline_keeps_every_vertex_and_size(study: Study, machine: tuple) -> None:
    applied = apply_readings(study, machine, [reading(machine[0], accepted(machine[0]))])
    before, after = machine[0], applied.done[0]
    assert np.array_equal(before.outlines[0][1], after.outlines[0][1])
    for name in SIZES:
        np.testing.assert_equal(after.measurements[0][name], before.measurements[0][name], err_msg=name)
    assert after.measurements[0]["reader"] == "R1" and applied.changed == {0}
    # The reader's own error instead of the network's lack of confidence.
    assert after.measurements[0]["confidence"] == 1.0


def test_an_edited_outline_is_measured_as_the_library_does(study: Study, machine: tuple) -> None:
    ulcer = edited(machine[1], 1.2)
    applied = apply_readings(study, machine, [reading(machine[1], ulcer)])
    got = applied.done[1].measurements[0]
    assert got["diameter_mm"] == pytest.approx(1.2 * machine[1].measurements[0]["diameter_mm"], rel=0.01)
    sha256 = machine[1].photo["sha256"]
    own = measure_outline(machine[1].geometry, ulcer.outline_px, sha256=sha256, protocol=study.protocol)
    assert all(got[name] == own[name] for name in ("diameter_mm", "diameter_low_mm", "area_high_mm2"))
    assert applied.rows[0]["counts"] == "yes" and applied.rows[0]["diameter_mm"] == got["diameter_mm"]


def test_an_outline_taken_away_leaves_a_photo_without_ulcer(study: Study, machine: tuple) -> None:
    label, outline = machine[0].outlines[0]
    gone = UlcerReading(label, UlcerVerdict.NO_ULCER, None, outline, why="glare")
    applied = apply_readings(study, machine, [reading(machine[0], gone)])
    after = applied.done[0]
    assert applied.study.photos["reader_state"][0] == "healed", "a person has said so, not the machine alone"
    assert after.photo["status"] == "no ulcer" and after.photo["n_ulcers"] == 0 and not after.outlines


@pytest.mark.parametrize(
    ("verdict", "column", "cell"),
    [
        (PlaceVerdict.HEALED, "reader_state", "healed"),
        (PlaceVerdict.COVERED, "covered", "yes"),
        (PlaceVerdict.CANNOT_JUDGE, "reader_state", "indeterminate"),
    ],
)
def test_a_word_on_the_photo_reaches_the_cells_that_tracking_reads(
    study: Study, machine: tuple, verdict: PlaceVerdict, column: str, cell: str
) -> None:
    applied = apply_readings(study, machine, [reading(machine[0], verdict=verdict)])
    assert applied.study.photos[column][0] == cell and applied.done[0].photo["status"] == "no ulcer"
    assert study.photos[column][0] == "", "the study as read is not changed"


def test_an_outline_that_was_read_overrules_an_older_word(study: Study, machine: tuple) -> None:
    said = study.photos.assign(reader_state=["healed", *study.photos["reader_state"][1:]])
    applied = apply_readings(replace(study, photos=said), machine, [reading(machine[0], accepted(machine[0]))])
    assert applied.study.photos["reader_state"][0] == "" and len(applied.done[0].measurements) == 1


def test_an_added_ulcer_gets_the_next_label(study: Study, machine: tuple) -> None:
    _, outline = machine[0].outlines[0]
    added = UlcerReading(1, UlcerVerdict.ADDED, outline + [0.0, 70.0])
    after = apply_readings(study, machine, [reading(machine[0], added)]).done[0]
    assert [row["label"] for row in after.measurements] == [1, 2]
    assert [row["reader"] for row in after.measurements] == ["machine", "R1"]


def test_an_added_ulcer_is_not_kept_where_the_photo_does_not_pass(study: Study, machine: tuple) -> None:
    """What was accepted passed at its own place; what was added is judged at its own, also from a file."""
    label, outline = machine[0].outlines[0]
    readings = [reading(machine[0], accepted(machine[0]), UlcerReading(label + 1, UlcerVerdict.ADDED, outline + 70.0))]
    for strict, n in (({}, 2), ({"px_per_mm_min": 40.0}, 1), ({"px_per_mm_min": 40.0, "gates": "report"}, 2)):
        own = replace(study, protocol=study.protocol.changed(**strict))
        applied = apply_readings(own, machine, readings)
        assert len(applied.done[0].measurements) == n, strict
        assert [row["counts"] for row in applied.rows if row["reader"] == "R1"] == ["yes", "yes" if n == 2 else "no"]
        assert ("go nearer" in " ".join(applied.not_kept)) is (n == 1)


def test_a_readers_outline_makes_a_possible_ulcer_one_and_is_counted(study: Study, machine: tuple) -> None:
    possible = tuple({**row, "presence": "possible"} for row in machine[0].measurements)
    weak = replace(machine[0], measurements=possible, photo={**machine[0].photo, "n_ulcers": 0})
    after = apply_readings(study, (weak, *machine[1:]), [reading(weak, accepted(weak))]).done[0]
    assert (after.measurements[0]["presence"], after.photo["n_ulcers"]) == ("ulcer", len(after.measurements))
    _, outline = weak.outlines[0]
    beside = UlcerReading(1, UlcerVerdict.ADDED, outline + [0.0, 70.0])
    added = apply_readings(study, (weak, *machine[1:]), [reading(weak, beside)]).done[0]
    assert [row["presence"] for row in added.measurements] == ["possible", "ulcer"]
    assert added.photo["n_ulcers"] == 1


def test_adjudicated_before_primary_before_the_only_one_before_the_machine(study: Study, machine: tuple) -> None:
    first = machine[0]
    one, two = reading(first, edited(first, 1.1)), reading(first, edited(first, 1.3), reader="R2")
    third = reading(first, edited(first, 1.2), reader="R3", adjudicated=True)
    primary = replace(study, protocol=study.protocol.changed(primary_reader="R2"))

    def who(own_study: Study, *readings: PlaceReading) -> str:
        return str(apply_readings(own_study, machine, readings).done[0].measurements[0]["reader"])

    assert who(study, one) == "R1" and who(study, one, two) == "machine"
    assert who(primary, one, two) == "R2" and who(primary, one) == "R1"
    assert who(study, one, two, third) == who(primary, one, two, third) == "R3"
    rows = apply_readings(primary, machine, [one, two]).rows
    listed = [(row["reader"], row["counts"]) for row in rows]
    assert listed == [("R1", "no"), ("R2", "yes"), ("machine", "no")]
    unsettled = apply_readings(study, machine, [one, two]).rows
    assert [row["counts"] for row in unsettled] == ["no", "no", "yes"]


def test_a_reading_of_another_photo_under_the_same_name_is_not_kept_and_named(study: Study, machine: tuple) -> None:
    other = replace(reading(machine[0], accepted(machine[0])), photo_sha256="0" * 64)
    applied = apply_readings(study, machine, [other])
    assert applied.done[0] is machine[0] and machine[0].photo["photo"] in applied.not_kept[0]
    assert applied.rows[0]["not_kept"]


def test_a_reading_outlasts_another_label_of_the_machine(study: Study, machine: tuple) -> None:
    """A new version may number or draw the same ulcer otherwise: what lies where the reader saw it is replaced."""
    label, outline = machine[0].outlines[0]
    shown = UlcerReading(label + 3, UlcerVerdict.EDITED, outline * 1.001, outline + 0.3)
    after = apply_readings(study, machine, [reading(machine[0], shown)]).done[0]
    assert len(after.measurements) == 1 and after.measurements[0]["reader"] == "R1"


def test_tables_after_readings_are_those_of_a_full_run(
    drawn: Path, folder: Path, machine: tuple, csv_bytes: Callable[[Path], dict[str, bytes]]
) -> None:
    log_reading(folder, reading(machine[0], accepted(machine[0])))
    log_reading(folder, reading(machine[1], edited(machine[1], 0.9)))
    finish_again(folder, study=study_of_run(folder))
    quick, pictures = csv_bytes(folder), {p: p.read_bytes() for p in folder.rglob("*.jpg")}
    report = (folder / "report.html").read_bytes()
    record = json.loads((folder / "run.json").read_text())
    full = run_study(drawn, folder)
    assert csv_bytes(folder) == quick and (folder / "report.html").read_bytes() == report
    assert {p: p.read_bytes() for p in folder.rglob("*.jpg")} == pictures
    assert "confirmed by a person" in report.decode() and record["log"]["head"] in report.decode()
    assert record["log"]["entries"] == 2 and record["log"] == full.run["log"]
    assert set(read_results(folder).measurements["reader"]) == {"R1"}
    assert dict(zip(full.readings["reader"], full.readings["counts"], strict=True)) == {"R1": "yes", "machine": "no"}
