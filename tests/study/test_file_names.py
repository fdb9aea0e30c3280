"""Files of a study folder under other names than meant, and rows that end early."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from click.testing import CliRunner

from ulcermeter.cli import main
from ulcermeter.datatypes import Finding, Kind, Severity
from ulcermeter.study import check_study, read_study
from ulcermeter.wording import finding_in_words

HEADER = "photo,subject_id,visit,date,hand,finger,ulcer_no,site\n"


def study(root: Path, *photos: str, header: str = HEADER, **tables: str) -> Path:
    """Write a folder whose photos.csv names these photos, one a finger; none of them is written."""
    root.mkdir(parents=True)
    fingers = ("thumb", "index", "middle", "ring", "little")
    rows = (f"{name},S01,screening,2016-05-01,left,{finger},,\n" for name, finger in zip(photos, fingers, strict=False))
    (root / "photos.csv").write_text(header + "".join(rows), encoding="utf-8")
    for name, text in tables.items():
        (root / name.replace("_csv", ".csv")).write_text(text, encoding="utf-8")
    return root


def picture(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def of(kind: Kind, root: Path) -> list[Finding]:
    return [finding for finding in check_study(root).findings if finding.kind is kind]


@pytest.mark.parametrize(
    ("row", "file", "how"),
    [
        ("photos/a.jpg", "photos/a.JPG", "capitals"),
        ("Photos/a.jpg", "photos/A.jpg", "capitals"),
        (unicodedata.normalize("NFC", "photos/Zoë.jpg"), unicodedata.normalize("NFD", "photos/Zoë.jpg"), "accents"),
        (unicodedata.normalize("NFD", "photos/Åsa.jpg"), unicodedata.normalize("NFC", "photos/Åsa.jpg"), "accents"),
        (unicodedata.normalize("NFD", "photos/é.jpg"), unicodedata.normalize("NFC", "photos/É.JPG"), "capitals"),
        ("photos/a.jpg", "photos/a.jpeg", "ending"),
        ("a.jpg", "photos/a.jpg", "folder"),
    ],
)
def test_a_photo_of_another_name_is_named_with_the_file_that_is_meant(
    tmp_path: Path, row: str, file: str, how: str
) -> None:
    root = study(tmp_path / "s", row)
    picture(root / file, b"x")
    if (root / row).exists():
        pytest.skip("this file system takes both names for one")
    (finding,) = of(Kind.FILE_NAME, root)
    assert (finding.file, finding.rows, finding.column) == ("photos.csv", (2,), "photo")
    assert (finding.got, finding.meant, finding.severity) == (row, file, Severity.WARNING)
    assert how in finding.why and file in finding_in_words(finding)
    assert not of(Kind.PHOTO_NOT_NAMED, root), "it is named once"


def test_two_files_that_may_be_meant_are_not_chosen_from(tmp_path: Path) -> None:
    root = study(tmp_path / "s", "photos/a.jpg")
    picture(root / "photos/A.jpg", b"x")
    picture(root / "photos/a.JPG", b"y")
    assert [finding.got for finding in of(Kind.FILE_MISSING, root)] == ["photos/a.jpg"]
    assert not of(Kind.FILE_NAME, root)


def test_photos_that_no_row_names(tmp_path: Path) -> None:
    root = study(tmp_path / "s", "photos/a.jpg")
    for name in ("photos/a.jpg", "photos/left over.HEIC", "b.png", "photos/._a.jpg", "old/overlays/x.jpg", "note.txt"):
        picture(root / name, name.encode())
    picture(root / "old/run.json", b"{}")
    assert [finding.file for finding in of(Kind.PHOTO_NOT_NAMED, root)] == ["b.png", "photos/left over.HEIC"]
    assert check_study(root).study is not None


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("subject.csv", "subjects.csv"),
        ("Subjects.csv", "subjects.csv"),
        ("subjects.CSV", "subjects.csv"),
        ("treatment.csv", "treatments.csv"),
        ("subjects.xlsx", "subjects.csv"),
        ("visits.csv.csv", "visits.csv"),
        ("ulcers (1).csv", "ulcers.csv"),
        ("evnets.csv", "events.csv"),
    ],
)
def test_a_misspelt_table_is_a_fault(tmp_path: Path, name: str, meant: str) -> None:
    root = study(tmp_path / "s", "a.jpg")
    (root / name).write_text("subject_id\nS01\n")
    if (root / meant).exists():
        pytest.skip("this file system takes both names for one")
    (finding,) = of(Kind.TABLE_NAME, root)
    assert (finding.file, finding.meant, finding.severity) == (name, meant, Severity.FAULT)
    assert check_study(root).study is None
    (root / meant).write_text("subject_id\nS01\n")
    assert [finding.severity for finding in of(Kind.TABLE_NAME, root)] == [Severity.WARNING]


@pytest.mark.parametrize("name", ["truth.csv", "outlines.csv", "remarks.csv", "protocol.toml", "photos", "notes.txt"])
def test_other_files_are_no_tables(tmp_path: Path, name: str) -> None:
    root = study(tmp_path / "s", "a.jpg")
    (root / name).write_text("extends = 'manus'\n") if name != "photos" else (root / name).mkdir()
    assert not of(Kind.TABLE_NAME, root)


def test_a_wrong_folder_is_told_with_the_one_that_is_meant(tmp_path: Path) -> None:
    root = study(tmp_path / "clinic" / "study", "photos/a.jpg")
    (root / "photos").mkdir()
    (tmp_path / "typo").mkdir()
    (tmp_path / "typo" / "photo.csv").write_text(HEADER)
    (tmp_path / "results").mkdir()
    for name in ("run.json", "photos.csv"):
        (tmp_path / "results" / name).write_text("{}")
    for given, words in (
        (root.parent, "give its folder study, if that is meant"),
        (root / "photos", f"give the folder above it, {root}, if that is meant"),
        (root / "photos.csv", f"give its folder, {root}"),
        (tmp_path / "typo", "rename photo.csv to photos.csv"),
        (tmp_path / "results", "got a results folder"),
        (tmp_path / "nowhere", "got no such folder"),
    ):
        (fault,) = check_study(given).faults
        assert words in str(fault)


def test_all_that_is_wrong_comes_at_once(tmp_path: Path) -> None:
    """Faults of the tables do not hide those of the files, nor one another."""
    root = study(tmp_path / "s", "photos/a.jpg", "photos/b.jpg", visits_csv="subject_id,visit\nS01,week 3\n")
    picture(root / "photos/a.JPG", b"one")
    picture(root / "photos/c.jpg", b"two")
    (root / "subject.csv").write_text("subject_id\nS01\n")
    kinds = {finding.kind for finding in check_study(root).findings}
    assert kinds >= {Kind.BROKEN, Kind.FILE_NAME, Kind.FILE_MISSING, Kind.PHOTO_NOT_NAMED, Kind.TABLE_NAME}


@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("left_out", [1, 2])
def test_what_a_short_row_lacks_at_its_end_is_empty(tmp_path: Path, separator: str, left_out: int) -> None:
    cells = ["a.jpg", "S01", "screening", "2016-05-01", "left", "ring", "2", ""]
    short = separator.join(cells[:-left_out])
    root = study(tmp_path / "s", header=HEADER.replace(",", separator) + short + "\n")
    photos = read_study(root).photos
    assert photos.loc[0, "finger"] == "ring"
    assert photos.loc[0, "ulcer_no"] == ("2" if left_out == 1 else "") and photos.loc[0, "site"] == ""


def test_a_short_row_that_does_not_read_names_what_it_lacks(tmp_path: Path) -> None:
    root = study(
        tmp_path / "s", header=HEADER + "a.jpg,S01,screening,2016-05-01,left\nb.jpg,screening,2016-05-01,left,ring,,\n"
    )
    assert [f.rows for f in of(Kind.SHORT_ROW, root)] == [(2,), (3,)]
    assert "expected 8 cells as in the header, got 5" in "\n".join(map(str, check_study(root).faults))


def test_empty_cells_beyond_the_header_are_none(tmp_path: Path) -> None:
    root = study(tmp_path / "s", header=HEADER + "a.jpg,S01,screening,2016-05-01,left,ring,,,,\n")
    assert len(read_study(root).photos) == 1


def test_photos_are_opened_whatever_is_wrong_with_the_tables(tmp_path: Path) -> None:
    root = study(tmp_path / "s", "a.jpg", "../outside.jpg", visits_csv="subject_id,visit\nS01,week 3\n")
    picture(root / "a.jpg", b"no picture")
    picture(tmp_path / "outside.jpg", b"not to be read")
    done = CliRunner().invoke(main, ["check", str(root)])
    assert done.exit_code == 2
    assert "would fail: photos.csv row 2: a.jpg" in done.stderr and "week 3" in done.stderr
    assert "would fail: photos.csv row 3" not in done.stderr
