"""A results folder: nothing measured is lost, and the same tables give the same bytes."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ulcermeter.datatypes import PhotoResult
from ulcermeter.errors import StudyError, TableError, UlcermeterError, UnfinishedError
from ulcermeter.protocol import read_protocol
from ulcermeter.readings import ReadingLog
from ulcermeter.store import (
    DECIDED,
    PICTURES,
    TABLE_FILES,
    PhotoStore,
    check_results_folder,
    csv_text,
    overlay_name,
    page_name,
    protocol_of,
    read_decisions,
    read_results,
    row_key,
    with_decisions,
    write_file,
    write_outlines,
    write_pictures,
    write_run_record,
    write_tables,
)
from ulcermeter.tables import empty, from_rows

ROW = {"photo": "a.jpg", "hand": "left", "finger": "ring", "x": 1.5, "y": float("nan")}


def result(status: str = "measured") -> PhotoResult:
    photo = {"photo": "a.jpg", "status": status, "tilt_deg": float("nan"), "px_per_mm": np.float64(0.1) + 0.2}
    points = np.array([[0.1, 1 / 3], [2e-17, 5.0], [7.0, 8.0]])
    return PhotoResult(
        photo, ({"label": np.int64(1), "diameter_mm": 2 / 3},), ((1, points),), b"\xff\xd8", None, b"view"
    )


def key(**changes: object) -> str:
    others: dict[str, Any] = {"photo_sha256": "p", "mask_sha256": "", "run_id": "r", "first_label": 1}
    return row_key(
        ROW | {k: v for k, v in changes.items() if k not in others},
        **others | {k: v for k, v in changes.items() if k in others},
    )


def test_a_result_comes_back_bit_for_bit(tmp_path: Path) -> None:
    with PhotoStore(tmp_path / "store.sqlite") as store:
        store.put(key(), result())
    with PhotoStore(tmp_path / "store.sqlite") as store:
        back = store.get(key())
        assert len(store) == 1
        short = store.get(key(), in_short=True)
        assert store.pictures(key()) == (b"\xff\xd8", b"view") and store.pictures("other") == (None, None)
    assert back is not None and back.overlay == b"\xff\xd8" and back.finger_view == b"view"
    assert short is not None and short.photo == back.photo and short.measurements == back.measurements
    assert (short.overlay, short.geometry, short.finger_view) == (None, None, None)
    assert back.photo["px_per_mm"] == 0.1 + 0.2 and np.isnan(back.photo["tilt_deg"])
    assert np.array_equal(back.outlines[0][1], result().outlines[0][1])
    assert back.measurements[0] == {"label": 1, "diameter_mm": 2 / 3}


def test_what_is_put_outlives_a_killed_process(tmp_path: Path) -> None:
    code = (
        "import os; from ulcermeter.store import PhotoStore; from ulcermeter.datatypes import PhotoResult;"
        f"s = PhotoStore({str(tmp_path / 'store.sqlite')!r});"
        "s.put('k', PhotoResult({'status': 'measured'})); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 9
    with PhotoStore(tmp_path / "store.sqlite") as store:
        assert store.get("k") == PhotoResult({"status": "measured"})


def test_what_is_no_longer_in_the_study_is_forgotten(tmp_path: Path) -> None:
    with PhotoStore(tmp_path / "store.sqlite") as store:
        for name in "abc":
            store.put(name, result())
        store.keep_only(["b", "d"])
        assert [store.get(name) is not None for name in "abc"] == [False, True, False]


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    with PhotoStore(tmp_path / "store.sqlite"), pytest.raises(UlcermeterError, match="another run"):
        PhotoStore(tmp_path / "store.sqlite")
    PhotoStore(tmp_path / "store.sqlite").close()


def decided(verdict: str, *cells: str) -> list[dict[str, str]]:
    return [{"subject_id": "S01", "verdict": verdict, **dict(zip(DECIDED, cells, strict=True))}]


def test_a_decision_keeps_the_verdict_on_which_it_was_made(tmp_path: Path) -> None:
    with PhotoStore(tmp_path / "store.sqlite") as store:
        store.put_decisions(decided("eligible", "include", "Dr X", "2024-03-01"))
        store.put_decisions(decided("not eligible", "include", "Dr X", "2024-03-01"))
        assert store.decisions()["S01"]["verdict"] == "eligible"
        summary = from_rows("eligibility_summary", [{"subject_id": "S01", "verdict": "not eligible"}])
        filled, told = with_decisions(summary, store.decisions())
        assert filled.loc[0, "decided_by"] == "Dr X"
        assert "decided include by Dr X on 2024-03-01, when the proposed verdict was eligible; it is not" in told["S01"]
        store.put_decisions(decided("not eligible", "exclude", "Dr X", "2024-03-02"))
        assert with_decisions(summary, store.decisions())[1] == {}
        assert "not in the study any more" in with_decisions(summary.iloc[:0], store.decisions())[1]["S01"]
        store.put_decisions(decided("not eligible", "", "", ""))
        assert store.decisions() == {}


@pytest.mark.parametrize("parted", [",", ";", "\t"])
def test_decisions_are_read_as_spreadsheets_save_them(tmp_path: Path, parted: str) -> None:
    header = ["subject_id", "verdict", "qualifying_ulcer", "failed", "missing", *DECIDED]
    row = ["S01", "eligible", "", "", "", " Include", "'=Müller", "2024-03-01"]
    text = "\r\n".join(parted.join(cells) for cells in (header, row))
    (tmp_path / "eligibility_summary.csv").write_bytes(text.encode("utf-8-sig"))
    assert list(read_decisions(tmp_path).rows) == decided("eligible", "include", "=Müller", "2024-03-01")


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", "subject_id\nM\u00fc\n".encode("latin-1")])
def test_decisions_that_cannot_be_read_are_not_thrown_away(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "eligibility_summary.csv").write_bytes(content)
    with pytest.raises(TableError, match="expected the table of an earlier run, whose decisions are carried over"):
        read_decisions(tmp_path)


def test_failed_photos_are_tried_again(tmp_path: Path) -> None:
    with PhotoStore(tmp_path / "store.sqlite") as store:
        store.put(key(), result("failed"))
        assert store.get(key()) is None


@pytest.mark.parametrize(
    "change", [{"photo_sha256": "q"}, {"mask_sha256": "m"}, {"run_id": "s"}, {"x": 1.6}, {"first_label": 2}]
)
def test_any_change_is_measured_anew(change: dict[str, object]) -> None:
    assert key(**change) != key()
    assert key() == key()


def test_a_store_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite").write_bytes(b"a text file, longer than the header of a data base file is" * 9)
    with pytest.raises(UlcermeterError, match=r"expected a store of ulcermeter"):
        PhotoStore(tmp_path / "store.sqlite")


def test_a_store_of_another_make(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "store.sqlite")
    other.execute("CREATE TABLE photo_results (key TEXT PRIMARY KEY, json TEXT)")
    other.close()
    with pytest.raises(UlcermeterError, match=r"has the columns key, json, not key, result.*; remove it"):
        PhotoStore(tmp_path / "store.sqlite")


def test_a_store_that_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite").mkdir()
    with pytest.raises(UlcermeterError, match=r"got a file that sqlite cannot use \(unable to open"):
        PhotoStore(tmp_path / "store.sqlite")


def test_a_full_disk_is_told_and_what_was_put_is_kept(tmp_path: Path) -> None:
    with PhotoStore(tmp_path / "store.sqlite") as store:
        store.put("a", result())
        store._db.execute(f"PRAGMA max_page_count = {store._db.execute('PRAGMA page_count').fetchone()[0]}")
        large = replace(result(), overlay=bytes(100_000))
        with pytest.raises(UnfinishedError, match=r"got database or disk is full; make room .* and run again"):
            store.put("b", large)
        assert store.get("a") is not None and store.get("b") is None


def test_a_store_that_breaks_later_is_told(tmp_path: Path) -> None:
    with PhotoStore(tmp_path / "store.sqlite") as store:
        store.put("a", result())
        store._db.execute("DROP TABLE photo_results")
        with pytest.raises(UlcermeterError, match="got a damaged store .*; remove it") as caught:
            store.get("a")
        assert not isinstance(caught.value, UnfinishedError)
        with pytest.raises(UnfinishedError, match="expected to write here, got no such table"):
            store.keep_only(["a"])


def test_cells_a_spreadsheet_would_run_are_disarmed() -> None:
    names = ["=1+2", "+cmd|x", "-x.jpg", "@SUM(A1)", "-1.5", "a=b"]
    frame = from_rows("photos", [{"photo": name, "subject_id": f"S{i}"} for i, name in enumerate(names)])
    cells = [line.split(",")[0] for line in csv_text("photos", frame).splitlines()[1:]]
    assert cells == ["'=1+2", "'+cmd|x", "'-x.jpg", "'@SUM(A1)", "-1.5", "a=b"]


def test_numbers_have_four_decimals_and_no_negative_zero() -> None:
    frame = from_rows("photos", [{"photo": "a", "tilt_deg": 1 / 3, "focus": -1e-9, "n_ulcers": 2, "exposure": None}])
    line = dict(zip(*(text.split(",") for text in csv_text("photos", frame).splitlines()), strict=True))
    assert (line["tilt_deg"], line["focus"], line["n_ulcers"], line["exposure"]) == ("0.3333", "0.0000", "2", "")


def test_the_order_of_rows_does_not_show() -> None:
    rng = np.random.default_rng(3)
    rows = [{"photo": f"p{i % 7}", "subject_id": f"S{i % 3}", "date": "2016-05-01", "focus": i / 9} for i in range(40)]
    frame = from_rows("photos", rows)
    texts = {csv_text("photos", frame.iloc[rng.permutation(40)].reset_index(drop=True)) for _ in range(5)}
    assert len(texts) == 1


def tables() -> dict[str, pd.DataFrame]:
    frames = {name: empty(name) for name in TABLE_FILES}
    frames["photos"] = from_rows("photos", [{"photo": "=a.jpg", "subject_id": "S01", "status": "measured"}])
    frames["outcomes"] = pd.concat(
        [empty("outcomes"), pd.DataFrame({"area_reduction_week_12_pct": []}, dtype=float)], axis=1
    )
    frames["outcomes"].loc[0, ["subject_id", "ulcer_id", "area_reduction_week_12_pct"]] = ["S01", "S01-1", 12.34567]
    return frames


def test_a_folder_reads_back(tmp_path: Path) -> None:
    write_tables(tmp_path, tables())
    write_run_record(tmp_path, {"run_id": "r"})
    back = read_results(tmp_path)
    assert back.photos.loc[0, "photo"] == "=a.jpg" and back.run == {"run_id": "r"}
    assert back.outcomes.loc[0, "area_reduction_week_12_pct"] == 12.3457
    before = {p.name: p.read_bytes() for p in tmp_path.glob("*.csv")}
    write_tables(tmp_path, {name: getattr(back, name) for name in TABLE_FILES})
    assert before == {p.name: p.read_bytes() for p in tmp_path.glob("*.csv")}
    assert not list(tmp_path.glob(".*"))


def test_an_unfinished_folder_says_what_is_missing(tmp_path: Path) -> None:
    write_tables(tmp_path, {"photos": empty("photos")})
    with pytest.raises(StudyError, match=r"without retake.csv, measurements.csv, .*run.json"):
        read_results(tmp_path)


def test_an_edited_table_is_refused(tmp_path: Path) -> None:
    write_tables(tmp_path, tables())
    write_run_record(tmp_path, {})
    text = (tmp_path / "photos.csv").read_text().replace("measured", "fine")
    (tmp_path / "photos.csv").write_text(text)
    with pytest.raises(TableError, match="expected one of measured"):
        read_results(tmp_path)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text.replace(",", ";").encode(), "without subject_id, ulcer_id, .*parted by semicolons; save it"),
        (lambda text: text.replace("healed,", "closed,", 1).encode(), "got a file without healed; save"),
        (lambda text: text.replace("\n", ",note\n", 1).replace(",12.3457", ",12.3457,x").encode(), "got also note;"),
        (lambda text: text.replace(",12.3457", ",12.3457,x").encode(), "rows that are longer than the header"),
        (lambda text: text.replace("12.3457", "12;3").encode(), r"outcomes.csv row 2, area.*expected a number, got"),
        (lambda text: text.encode("utf-16"), r"got what is none \('utf-8' codec"),
        (lambda text: b"", r"got what is none \(No columns"),
    ],
    ids=["semicolons", "renamed", "added", "shifted", "no number", "UTF-16", "empty"],
)
def test_a_table_saved_otherwise_is_not_read_as_nothing_known(
    tmp_path: Path, change: Callable[[str], bytes], told: str
) -> None:
    write_tables(tmp_path, tables())
    write_run_record(tmp_path, {})
    path = tmp_path / "outcomes.csv"
    path.write_bytes(change(path.read_text()))
    with pytest.raises(TableError, match=told):
        read_results(tmp_path)


def test_a_run_json_that_is_none(tmp_path: Path) -> None:
    write_tables(tmp_path, tables())
    for record in ({}, {"protocol": {"name": "x"}}, {"protocol": 3}):
        write_run_record(tmp_path, record)
        with pytest.raises(StudyError, match=r"expected the record of a run with its protocol in full"):
            protocol_of(read_results(tmp_path).run)
    for content in (b"[]", b"{", "{}".encode("utf-16")):
        (tmp_path / "run.json").write_bytes(content)
        with pytest.raises(StudyError, match=r"run.json: expected (JSON|a JSON object) as a run writes it"):
            read_results(tmp_path)


def test_nothing_is_written_into_a_folder_of_others(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("x")
    with pytest.raises(StudyError, match="holds other files"):
        check_results_folder(tmp_path)
    with pytest.raises(StudyError, match="got a file"):
        check_results_folder(tmp_path / "thesis.docx")
    with pytest.raises(StudyError, match="apart from the study"):
        check_results_folder(tmp_path / "a" / "..", study=tmp_path)
    assert check_results_folder(tmp_path / "new") == tmp_path / "new"


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    sync, replace_by = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda number: (done.append("sync"), sync(number)))
    monkeypatch.setattr(os, "replace", lambda old, new: (done.append("rename"), replace_by(old, new)))
    write_file(tmp_path / "new" / "a.csv", b"whole")
    assert done == ["sync", "rename"]
    assert [(p.name, p.read_bytes()) for p in (tmp_path / "new").iterdir()] == [("a.csv", b"whole")]


@pytest.fixture
def no_room() -> Iterator[Callable[[int], None]]:
    """Return a function after which no file grows over so many bytes, as on a disk that is full."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda most: resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_names_the_file_and_keeps_what_stood_there(tmp_path: Path, no_room: Callable[[int], None]) -> None:
    path = tmp_path / "photos.csv"
    write_file(path, b"before")
    no_room(1000)
    with pytest.raises(OSError) as raised:
        write_file(path, bytes(100_000))
    no_room(10_000_000)
    assert raised.value.filename == str(path) and raised.value.errno == errno.EFBIG
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("photos.csv", b"before")]


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("store.sqlite", lambda root: PhotoStore(root / "store.sqlite")),
        ("readings.sqlite", lambda root: ReadingLog(root).append(who="R1", action="accept")),
    ],
)
def test_a_full_disk_names_the_database(
    tmp_path: Path, no_room: Callable[[int], None], name: str, write: Callable[[Path], object]
) -> None:
    no_room(1000)
    with pytest.raises(UlcermeterError) as raised:
        write(tmp_path)
    no_room(10_000_000)
    assert str(raised.value).startswith(f"{tmp_path / name}: expected to write ")
    assert "make room on the disk" in str(raised.value)


def test_overlay_names_are_safe_and_apart() -> None:
    names = [
        overlay_name(*parts)
        for parts in [("a/b c.jpg", "left", "ring"), ("a/b c.jpg", "left", "ring", 1), ("x", "", "")]
    ]
    told = sha256(b"a/b c.jpg").hexdigest()[:8]
    assert names == [
        f"a__b_c.jpg-{told}.left-ring.jpg",
        f"a__b_c.jpg-{told}.left-ring-2.jpg",
        "x.hand-finger.jpg",
    ]
    assert overlay_name("photos/S01_week2.jpg", "left", "ring") == "photos__S01_week2.jpg.left-ring.jpg"
    assert "/" not in overlay_name("../../etc/passwd", "left", "ring")


@pytest.mark.parametrize(
    "photos",
    [
        ("photos/Ä.jpg", "photos/Ö.jpg"),
        ("a b.jpg", "a_b.jpg", "a  b.jpg"),
        ("a/b.jpg", "a__b.jpg"),
        ("a_/b.jpg", "a/_b.jpg"),
        (f"{'x' * 120}/{'y' * 120}1.jpg", f"{'x' * 120}/{'y' * 120}2.jpg"),
    ],
)
def test_photos_that_look_alike_have_overlays_of_their_own(photos: tuple[str, ...]) -> None:
    names = {overlay_name(photo, "left", "index", nth=41) for photo in photos}
    assert len(names) == len(photos)
    assert max(map(len, names)) < 150


def test_overlays_of_an_earlier_run_go(tmp_path: Path) -> None:
    write_pictures(tmp_path, [("a.jpg", b"1", b"small"), ("b.jpg", b"2", None)])
    write_pictures(tmp_path, iter([("b.jpg", b"3", b"smaller"), ("c.jpg", None, None)]))
    folders = (tmp_path / "overlays", tmp_path / PICTURES)
    held = [{path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders]
    assert held == [{"b.jpg": b"3"}, {"b.jpg": b"smaller"}]


@pytest.mark.parametrize(
    "names",
    [("S01", "s01 "), ("../../etc/passwd", "..__..__etc__passwd"), ("", "_"), (".hidden", "_hidden"), ("Ä", "Ö")],
)
def test_pages_of_subjects_are_plain_names_of_their_own(names: tuple[str, str]) -> None:
    pages = {page_name(name) for name in names}
    assert len(pages) == 2
    assert all(Path(page).name == page and not page.startswith(".") and page.endswith(".html") for page in pages)


def test_outlines_written_one_by_one_are_the_table_of_the_contract(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    places = [("b,c.jpg", "left", "index", 2), ('say "a".jpg', "", "", 1), ("=b.jpg", "left", "index", 1)]
    places += [("b,c.jpg", "left", "index", 1), ("b,c.jpg", "left", "index", 12), ("é.jpg", "right", "", 1)]
    outlines = [(place, rng.normal(0, 0.0003 if i else 400, (5 + i, 2))) for i, place in enumerate(places)]
    rows = [
        {"photo": photo, "hand": hand, "finger": finger, "label": label, "vertex": vertex, "x_px": x, "y_px": y}
        for (photo, hand, finger, label), points in outlines
        for vertex, (x, y) in enumerate(points)
    ]
    write_outlines(tmp_path, iter(outlines))
    assert (tmp_path / "outlines.csv").read_text() == csv_text("outlines", from_rows("outlines", rows))
    write_outlines(tmp_path, [])
    assert (tmp_path / "outlines.csv").read_text() == csv_text("outlines", from_rows("outlines", []))


def test_the_protocol_in_run_json_is_the_protocol(tmp_path: Path) -> None:
    protocol = read_protocol("manus")
    record = json.loads(json.dumps({"protocol": protocol.record()}))
    assert protocol_of(record) == protocol


def test_counts_of_the_visits_read_back_as_counts(tmp_path: Path) -> None:
    counts = from_rows("outcomes_by_subject", [{"subject_id": "S01", "n_new": 1}, {"subject_id": "S02"}])
    counts = counts.assign(n_active_week_4=pd.array([2, None], dtype="Int64"))
    tables = {name: empty(name) for name in TABLE_FILES} | {"outcomes_by_subject": counts}
    write_tables(tmp_path, tables)
    write_run_record(tmp_path, {})
    back = read_results(tmp_path).outcomes_by_subject
    pd.testing.assert_frame_equal(back, counts)
    assert csv_text("outcomes_by_subject", back) == (tmp_path / "outcomes_by_subject.csv").read_text()


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE photo_results SET result = replace(result, '0.6666666666666666', '0.7666666666666666')",
        "UPDATE photo_results SET result = substr(result, 2)",
        "UPDATE photo_results SET overlay = x'ffd9'",
        "UPDATE photo_results SET overlay = NULL",
        "UPDATE photo_results SET status = 'no ulcer'",
        "UPDATE photo_results SET result = CAST(result AS BLOB)",
        "UPDATE photo_results SET key = 'b' WHERE key = 'a'",
    ],
)
def test_an_edited_result_is_told_and_measured_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, edit: str
) -> None:
    with PhotoStore(tmp_path / "store.sqlite") as store:
        store.put("a", result())
    editor = sqlite3.connect(tmp_path / "store.sqlite")
    with editor:
        assert editor.execute(edit).rowcount == 1
    editor.close()
    with PhotoStore(tmp_path / "store.sqlite") as store:
        assert store.get("b" if "key = " in edit else "a") is None
        assert "a result is not as it was kept (edited, or damaged); its photo is measured again" in caplog.text
        store.put("a", result())
        assert store.get("a") is not None


def test_an_edited_decision_is_told_and_not_carried_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with PhotoStore(tmp_path / "store.sqlite") as store:
        store.put_decisions(decided("eligible", "include", "Dr X", "2024-03-01"))
    editor = sqlite3.connect(tmp_path / "store.sqlite")
    with editor:
        editor.execute("UPDATE decisions SET investigator_decision = 'exclude'")
    editor.close()
    with PhotoStore(tmp_path / "store.sqlite") as store:
        assert store.decisions() == {}
    assert "the decision ['S01', 'eligible', 'exclude', 'Dr X', '2024-03-01'] is not as it was kept" in caplog.text


@pytest.mark.parametrize("seed", range(40))
def test_a_flipped_byte_never_gives_another_result(tmp_path: Path, seed: int) -> None:
    path, rng = tmp_path / "store.sqlite", np.random.default_rng(seed)
    with PhotoStore(path) as store:
        for name in "abc":
            store.put(name, replace(result(), overlay=bytes(rng.integers(0, 256, 3000, np.uint8))))
        whole = {name: store.get(name) for name in "abc"}
        store.put_decisions(decided("eligible", "include", "Dr X", "2024-03-01"))
        before = store.decisions()
    content = bytearray(path.read_bytes())
    content[int(rng.integers(0, len(content)))] ^= 1 << int(rng.integers(0, 8))
    path.write_bytes(content)
    try:
        store = PhotoStore(path)
    except UlcermeterError as error:
        assert "expected a store of ulcermeter" in str(error)  # its very head says that it is none
        return
    with store:
        assert store.decisions() in ({}, before)
        for name in "abc":
            found = store.get(name)
            assert found is None or repr(found) == repr(whole[name])
            store.put(name, result())
            assert store.get(name) is not None
        store.keep_only("ab")
