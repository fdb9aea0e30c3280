"""Ids once issued stay, and a reader's corrections hold."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from finger_histories import PROTOCOL, FingerHistory
from hypothesis import given, settings
from hypothesis import strategies as st

from ulcermeter import correct_ids, issue_ids, track
from ulcermeter.errors import StudyError, TableError
from ulcermeter.store import PhotoStore
from ulcermeter.study import read_id_corrections
from ulcermeter.tables import from_rows
from ulcermeter.tables.cells import records
from ulcermeter.tables.flags import in_doubt_of_identity, read_flags

A, B, C = (8.0, -4.0, 3.0), (16.0, 3.0, 2.0), (24.0, -2.0, 2.5)
HEADER = "action,ulcer_id,into,photo,label,from_date,who,when,why"


def ids_of(history: FingerHistory, known: pd.DataFrame | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tracked table and the ids that it issues."""
    tracked = history.track(known_ids=known)
    return tracked, issue_ids(tracked, history.tables()[1], known)


def called(tracked: pd.DataFrame) -> dict[tuple[str, int], str]:
    """The number of the ulcer by visit and label."""
    drawn = tracked[tracked["label"].notna()]
    return {(r.visit, int(r.label)): r.ulcer_id.rsplit("-", 1)[1] for r in drawn.itertuples()}


def corrections(*rows: str) -> pd.DataFrame:
    cells = [dict(zip(HEADER.split(","), row.split(","), strict=True)) for row in rows]
    return pd.DataFrame([{k: (float(v) if k == "label" and v else v or None) for k, v in c.items()} for c in cells])


def test_an_earlier_photo_that_arrives_late_renames_no_ulcer() -> None:
    history = FingerHistory().shot("baseline", B).shot("week 4", B, C)
    _, ids = ids_of(history)
    history.shot("screening", A, B)
    fresh, kept = called(history.track()), called(ids_of(history, ids)[0])
    assert fresh["baseline", 1] == "2"
    assert [kept[k] for k in (("baseline", 1), ("week 4", 1), ("week 4", 2))] == ["1", "2", "1"]
    assert (kept["screening", 2], kept["screening", 1]) == ("1", "3")


def test_a_number_is_not_given_twice_though_its_ulcer_is_no_longer_outlined() -> None:
    history = FingerHistory().shot("baseline", A).shot("week 4", A, C)
    _, ids = ids_of(history)
    less = FingerHistory().shot("baseline", A).shot("week 4", A, B)
    tracked, again = ids_of(less, ids)
    assert called(tracked)["week 4", 2] == "3"
    assert set(again["ulcer_id"]) == {f"S01-left-index-{n}" for n in (1, 2, 3)}


def test_a_photo_is_known_again_under_another_name_by_its_hash() -> None:
    history = FingerHistory().shot("baseline", B, sha256="b").shot("week 4", B, C, sha256="w")
    _, ids = ids_of(history)
    other = FingerHistory().shot("screening", A, sha256="s").shot("baseline", B, sha256="b")
    kept = called(ids_of(other.shot("week 4", B, C, sha256="w"), ids)[0])
    assert kept == {("screening", 1): "3", ("baseline", 1): "1", ("week 4", 1): "2", ("week 4", 2): "1"}


def test_what_has_become_unlikely_keeps_its_id_and_is_flagged() -> None:
    history = FingerHistory().shot("baseline", A).shot("week 4", A)
    _, ids = ids_of(history)
    ids["ulcer_id"] = ["S01-left-index-1", "S01-left-index-2"]
    tracked, _ = ids_of(history, ids)
    assert called(tracked) == {("baseline", 1): "1", ("week 4", 1): "2"}
    assert in_doubt_of_identity(read_flags(tracked[tracked["visit"] == "week 4"]["flags"].iloc[-1]))


@settings(max_examples=8)
@given(
    shots=st.lists(
        st.tuples(
            st.sampled_from(["screening", "baseline", "week 2", "week 8"]),
            st.lists(st.sampled_from([A, B, C, (10.5, -3.0, 2.0)]), max_size=3, unique=True),
        ),
        min_size=2,
        max_size=5,
        unique_by=lambda shot: shot[0],
    ),
    late=st.integers(0, 4),
)
def test_no_photo_that_comes_later_renames_an_outline(shots: list, late: int) -> None:
    history = FingerHistory()
    for visit, ulcers in [*shots[:late], *shots[late + 1 :]]:
        history.shot(visit, *ulcers)
    if not history.measurements:
        return
    before, ids = ids_of(history)
    for visit, ulcers in shots[late : late + 1]:
        history.shot(visit, *ulcers)
    after, again = ids_of(history, ids)
    assert called(before).items() <= called(after).items()
    pd.testing.assert_frame_equal(ids_of(history, again)[0], after)


def test_joined_ulcers_are_one_and_no_longer_in_doubt() -> None:
    history = FingerHistory().shot("baseline", (10, 0, 2.0)).shot("week 4", (15.0, 0, 2.0)).shot("week 8", (15.1, 0, 2))
    tracked, ids = ids_of(history)
    assert called(tracked)["week 8", 1] == "2"
    row = "join,S01-left-index-2,S01-left-index-1,,,,Dr X,2024-01-05,scar moved with the skin"
    joined = correct_ids(ids, corrections(row))
    assert set(joined["given_by"]) == {"Dr X"} and set(joined["why"]) == {"scar moved with the skin"}
    tracked, again = ids_of(history, joined)
    assert set(tracked["ulcer_id"]) == {"S01-left-index-1"} and set(tracked["identity_probability"]) == {1.0}
    assert not any(in_doubt_of_identity(read_flags(cell)) for cell in tracked["flags"])
    # Kept by later runs, and by the same file given again.
    pd.testing.assert_frame_equal(correct_ids(again, corrections(row)), again)
    history.shot("week 12", (15.0, 0.2, 2.0))
    assert called(ids_of(history, again)[0])["week 12", 1] == "1"


def test_two_side_by_side_from_the_first_photo_on_are_joined_without_a_doubt() -> None:
    """A reader says so, so both outlines of every photo are parts of one: no explanation begins two ulcers."""
    history = FingerHistory()
    for visit in ("baseline", "week 2", "week 4"):
        history.shot(visit, (10, 0, 3.0), (16, 0, 2.0))
    _, ids = ids_of(history)
    row = "join,S01-left-index-2,S01-left-index-1,,,,R1,2024-01-05,one scar"
    tracked, again = ids_of(history, correct_ids(ids, corrections(row)))
    assert set(tracked["ulcer_id"]) == {"S01-left-index-1"} and set(tracked["identity_probability"]) == {1.0}
    assert not any(in_doubt_of_identity(read_flags(cell)) for cell in tracked["flags"])
    pd.testing.assert_frame_equal(ids_of(history, again)[1], again)


def test_a_split_ulcer_is_two_from_a_day_on() -> None:
    history = FingerHistory().shot("baseline", A).shot("week 4", A).shot("week 8", A)
    _, ids = ids_of(history)
    split = correct_ids(ids, corrections("split,S01-left-index-1,,,,2016-05-30,R1,2024-01-05,another scar"))
    tracked, again = ids_of(history, split)
    assert called(tracked) == {("baseline", 1): "1", ("week 4", 1): "2", ("week 8", 1): "2"}
    row = "split,S01-left-index-1,,,,2016-05-30,R1,2024-01-05,another scar"
    pd.testing.assert_frame_equal(correct_ids(again, corrections(row)), again)


def test_a_split_by_photo_and_label_and_a_new_name() -> None:
    history = FingerHistory().shot("baseline", A, B)
    _, ids = ids_of(history)
    one = correct_ids(ids, corrections("join,S01-left-index-2,S01-left-index-1,,,,R1,2024-01-05,one scar"))
    row = "split,S01-left-index-1,S01-left-index-7,00 baseline.jpg,2,,R1,2024-01-06,two after all"
    two = correct_ids(one, corrections(row))
    assert sorted(two["ulcer_id"]) == ["S01-left-index-1", "S01-left-index-7"]
    renamed = correct_ids(two, corrections("rename,S01-left-index-7,S01-left-index-2,,,,R1,2024-01-07,in order"))
    assert called(ids_of(history, renamed)[0]) == {("baseline", 1): "1", ("baseline", 2): "2"}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("join,S01-left-index-9,S01-left-index-1,,,,R1,2024-01-05,x", "S01-left-index-9"),
        ("join,S01-left-index-1,S01-left-ring-1,,,,R1,2024-01-05,x", "two ulcers of one finger"),
        ("rename,S01-left-index-1,S01-left-index-2,,,,R1,2024-01-05,x", "use join"),
        ("rename,S01-left-index-1,the big one,,,,R1,2024-01-05,x", "an id of the same finger"),
        ("split,S01-left-index-1,,,,,R1,2024-01-05,x", "photo"),
        ("split,S01-left-index-1,,,,2016-01-01,R1,2024-01-05,x", "all outlines"),
        ("join,S01-left-index-1,S01-left-index-2,,,,machine,2024-01-05,x", "name the reader"),
    ],
)
def test_what_cannot_be_done_is_said(row: str, words: str) -> None:
    history = FingerHistory().shot("baseline", A, B).shot("baseline", A, finger="ring").shot("week 4", A, B)
    _, ids = ids_of(history)
    with pytest.raises(TableError, match=words) as raised:
        correct_ids(ids, corrections(row))
    assert "id_corrections row 2" in str(raised.value)


def test_corrections_are_read_from_a_file_or_refused(tmp_path: Path) -> None:
    file = tmp_path / "ids.csv"
    file.write_text(f"{HEADER}\njoin,S01-left-index-2,S01-left-index-1,,,,R1,2024-01-05,one scar\n")
    assert list(read_id_corrections(file)["who"]) == ["R1"]
    file.write_text(f"{HEADER}\nmelt,S01-left-index-2,,,,yesterday,R1,2024-01-05,\n")
    with pytest.raises(StudyError, match="join, split") as raised:
        read_id_corrections(file)
    assert "yesterday" in str(raised.value) and "why" in str(raised.value)
    with pytest.raises(StudyError, match="no such file"):
        read_id_corrections(tmp_path / "none.csv")


def test_the_store_keeps_ids_and_leaves_out_what_was_edited(tmp_path: Path) -> None:
    _, ids = ids_of(FingerHistory().shot("baseline", A, B))
    with PhotoStore(tmp_path / "store.sqlite") as store:
        store.put_ids(records(ids))
    with PhotoStore(tmp_path / "store.sqlite") as store:
        pd.testing.assert_frame_equal(from_rows("ids", store.ids()), ids)
        store._db.execute("UPDATE issued_ids SET row = replace(row, 'index-2', 'index-1')")
        assert [row["ulcer_id"] for row in store.ids()] == ["S01-left-index-1"]


def test_track_takes_ids_as_a_results_folder_gives_them_back() -> None:
    history = FingerHistory().shot("baseline", A, B)
    tracked, ids = ids_of(history)
    read_back = ids.round(4)
    pd.testing.assert_frame_equal(track(*history.tables(), protocol=PROTOCOL, known_ids=read_back), tracked)
