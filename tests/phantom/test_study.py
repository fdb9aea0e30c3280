"""A drawn study: its files, its courses, the same bytes every time."""

import csv

import pytest

from ulcermeter.errors import StudyError, UlcermeterError
from ulcermeter.phantom import write_study

VISITS = ("baseline", "week 12")


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    told = []
    out = write_study(
        tmp_path_factory.mktemp("drawn"), n_subjects=2, visits=VISITS, size_px=(360, 270), on_photo=told.append
    )
    assert len(told) == 4
    return out


def test_every_photo_is_listed_and_there(folder):
    photos = rows_of(folder / "photos.csv")
    assert len(photos) == 4 == len({row["photo"] for row in photos})
    assert all((folder / row["photo"]).stat().st_size > 5000 for row in photos)
    assert {row["reference"] for row in photos} == {"aruco:10"}
    assert [row["subject_id"] for row in rows_of(folder / "subjects.csv")] == ["S01", "S02"]


def test_courses_go_where_they_say(folder):
    truth = {(r["subject_id"], r["true_ulcer"], r["visit"]): r for r in rows_of(folder / "truth.csv")}
    assert len(truth) == 2 * 3
    assert truth["S01", "1", "baseline"]["open"] == "yes" and truth["S01", "1", "week 12"]["open"] == "no"
    assert truth["S01", "1", "week 12"]["diameter_mm"] == ""
    grown = [float(truth["S02", "2", visit]["diameter_mm"]) for visit in ("baseline", "week 12")]
    assert truth["S02", "2", "baseline"]["course"] == "worsens" and grown[1] > grown[0]


def test_outlines_belong_to_open_ulcers(folder):
    wanted = {(r["photo"], r["true_ulcer"]) for r in rows_of(folder / "truth.csv") if r["open"] == "yes"}
    assert {(r["photo"], r["label"]) for r in rows_of(folder / "truth_outlines.csv")} == wanted


def test_a_subject_has_the_same_bytes_whoever_else_is_drawn(folder, tmp_path):
    again = write_study(tmp_path / "again", n_subjects=1, visits=VISITS, size_px=(360, 270))
    for photo in rows_of(again / "photos.csv"):
        assert (folder / photo["photo"]).read_bytes() == (again / photo["photo"]).read_bytes()
    first = [row for row in rows_of(folder / "truth.csv") if row["subject_id"] == "S01"]
    assert rows_of(again / "truth.csv") == first


def test_unknown_visit_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(UlcermeterError, match="week 3"):
        write_study(tmp_path / "none", visits=("week 3",))
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("name", "told"), [("photos.csv", "a study that was not drawn"), ("thesis.docx", "other files")]
)
def test_what_was_not_drawn_is_not_overwritten(tmp_path, name, told):
    (tmp_path / name).write_text("the only copy")
    with pytest.raises(StudyError, match=told):
        write_study(tmp_path, n_subjects=1, visits=VISITS, size_px=(360, 270))
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {name: "the only copy"}


def test_a_drawn_study_is_drawn_again_even_when_it_was_stopped(tmp_path):
    def stop(photo):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_study(tmp_path, n_subjects=1, visits=VISITS, size_px=(360, 270), on_photo=stop)
    for _ in range(2):
        write_study(tmp_path, n_subjects=1, visits=VISITS[:1], size_px=(360, 270))
    assert len(rows_of(tmp_path / "photos.csv")) == 1
