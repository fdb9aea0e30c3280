"""A study folder's bad input: each fault has its sentence, and all of them come at once."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ulcermeter.errors import StudyError
from ulcermeter.study import check_study, open_photos, parse_box, path_fault, read_allocation, read_study
from ulcermeter.wording import finding_in_words, problem_of

HEADER = "photo,subject_id,visit,date,hand,finger,reference,reference_on,x,y,box,mask,reference_box"
GOOD = "photos/a.jpg,S01,screening,2016-05-01,left,index,aruco:10,skin,120.5,80,,,"


def folder(tmp_path: Path, rows: str | bytes = GOOD, *, header: str = HEADER, **files: str) -> Path:
    root = tmp_path / "study"
    (root / "photos").mkdir(parents=True)
    for name in ("a.jpg", "b.jpg"):
        (root / "photos" / name).write_bytes(b"not opened by a check")
    content = rows if isinstance(rows, bytes) else f"{header}\n{rows}\n".encode()
    (root / "photos.csv").write_bytes(content)
    for name, text in files.items():
        (root / f"{name}.csv").write_text(text, encoding="utf-8")
    return root


def faults(root: Path) -> str:
    with pytest.raises(StudyError) as caught:
        read_study(root)
    return str(caught.value)


def row(**cells: str) -> str:
    values = dict(zip(HEADER.split(","), GOOD.split(","), strict=True)) | cells
    return ",".join(values[name] for name in HEADER.split(","))


def test_a_good_folder_is_read_by_its_contract(tmp_path: Path) -> None:
    study = read_study(folder(tmp_path))
    assert study.protocol.name == "manus"
    assert study.photos.loc[0, "x"] == 120.5 and study.photos.loc[0, "covered"] == ""
    assert len(study.subjects) == 0 and "consent_date" in study.subjects.columns


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        ({"visit": "week 3"}, "row 2, visit: expected a visit of the protocol (history, screening, baseline"),
        ({"date": "2015-02-30"}, "row 2, date: expected a date that exists, got '2015-02-30'"),
        ({"date": "01-05-2016"}, "row 2, date: expected an ISO 8601 date"),
        ({"date": "0216-05-01"}, "expected a year from 1800 to 2100"),
        ({"date": ""}, "row 2, date: expected day of the photo"),
        ({"hand": ""}, "row 2, hand: expected left or right, got an empty cell"),
        ({"finger": ""}, "row 2, finger: expected thumb, index, middle, ring or little, got an empty cell"),
        ({"photo": "../outside.jpg"}, "expected a file inside the study folder, got '../outside.jpg'"),
        ({"photo": "/etc/hostname"}, "expected a path relative to the study folder"),
        ({"photo": "photos\\a.jpg"}, "expected a path with '/' between folders"),
        ({"mask": "../mask.png"}, "row 2, mask: expected a file inside the study folder"),
        ({"hand": "left foot"}, "row 2, hand: toes are refused"),
        ({"finger": "big toe"}, "row 2, finger: toes are refused"),
        ({"finger": "pinky"}, "row 2, finger: expected one of thumb, index, middle, ring, little, got 'pinky'"),
        ({"x": ""}, "row 2, x: expected both x and y of a click, got only y"),
        ({"x": "left"}, "row 2, x: expected a number, got 'left'"),
        ({"x": "-5"}, "expected a pixel of the photo"),
        ({"box": "10 20 30"}, "row 2, box: expected a box as 'x y width height'"),
        ({"box": "10 20 0 5"}, "expected a box with a width and a height"),
        ({"reference_box": "10 20 30"}, "row 2, reference_box: expected a box as 'x y width height'"),
        ({"reference_box": "10 20 nan 5"}, "row 2, reference_box: expected a box with a width and a height"),
        ({"reference": "aruco"}, "row 2, reference:"),
        ({"reference": "stick:10"}, "row 2, reference:"),
        # Words that programs write for what is not known: they passed the check, and the run fell over them later.
        *(({"date": word}, "row 2, date: expected an ISO 8601 date") for word in ("nan", "None", "<NA>", "NaT")),
        ({"reference": "nan"}, "row 2, reference:"),
        ({"reference_on": "floor"}, "row 2, reference_on: expected one of skin, table"),
    ],
)
def test_a_bad_cell_has_a_sentence(tmp_path: Path, cells: dict[str, str], sentence: str) -> None:
    assert sentence in faults(folder(tmp_path, row(**cells)))


def test_all_faults_of_all_files_come_at_once(tmp_path: Path) -> None:
    root = folder(
        tmp_path,
        row(visit="week 3", date="2015-02-30"),
        subjects="subject_id,age\nS01,forty\nS01,40\n",
        treatments="subject_id,drug,start,end\nS01,iloprost,2016-03-05,2016-03-01\n",
        events="subject_id,event\nS01,fell\n",
        protocol_="",
    )
    (root / "protocol.toml").write_text("extends = 'manus'\n[parameters]\nno_such_rule = 3\n", encoding="utf-8")
    told = faults(root)
    for part in (
        "week 3",
        "2015-02-30",
        "got 'forty'",
        "same subject_id",
        "expected a day on or after",
        "fell",
        "no_such_rule",
    ):
        assert part in told


def test_missing_and_misspelt_columns(tmp_path: Path) -> None:
    root = folder(
        tmp_path, "photos/a.jpg,S01,screening,2016-05-01,left,index", header="photo,subject,visit,datum,Hand,finger"
    )
    told = faults(root)
    assert "expected a column 'date'" in told and "expected a column 'hand', got 'Hand'; rename it" in told
    assert "expected a column 'subject_id'" in told


def test_an_unknown_column_is_a_warning(tmp_path: Path) -> None:
    found = check_study(folder(tmp_path, GOOD + ",nice", header=HEADER + ",remark"))
    assert found.study is not None
    assert any("'remark' is not one that ulcermeter knows" in w for w in map(str, found.warnings))


def test_the_same_click_twice(tmp_path: Path) -> None:
    assert "row 3: the same photo, hand, finger, x, y as row 2" in faults(folder(tmp_path, f"{GOOD}\n{GOOD}"))
    no_click = row(x="", y="")
    assert "row 3: the same photo" in faults(folder(tmp_path / "2", f"{no_click}\n{no_click}"))


def test_two_clicks_on_one_finger_are_two_ulcers(tmp_path: Path) -> None:
    assert len(read_study(folder(tmp_path, f"{GOOD}\n{row(x='300')}")).photos) == 2


def test_a_finger_with_a_click_and_without(tmp_path: Path) -> None:
    assert "with a click and without" in faults(folder(tmp_path, f"{GOOD}\n{row(x='', y='')}"))


def test_one_photo_of_two_subjects(tmp_path: Path) -> None:
    told = faults(folder(tmp_path, f"{GOOD}\n{row(subject_id='S02', finger='ring')}"))
    assert "one photo, photos/a.jpg, with several subject_id: S01, S02" in told


def test_a_link_that_leads_out_of_the_folder(tmp_path: Path) -> None:
    root = folder(tmp_path, row(photo="photos/link.jpg"))
    (tmp_path / "secret.jpg").write_bytes(b"x")
    (root / "photos" / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    assert "a link that leads out of it" in faults(root)


def test_a_missing_photo_is_a_warning_not_a_fault(tmp_path: Path) -> None:
    found = check_study(folder(tmp_path, row(photo="photos/gone.jpg")))
    assert found.study is not None and any("photos/gone.jpg" in w for w in map(str, found.warnings))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_spreadsheet_dialects(tmp_path: Path, separator: str, mark: bytes, end: str) -> None:
    text = f"{HEADER}{end}{GOOD}{end}{',' * 11}{end}".replace(",", separator)
    assert len(read_study(folder(tmp_path, mark + text.encode())).photos) == 1


def test_a_decimal_comma_is_told(tmp_path: Path) -> None:
    text = f"{HEADER}\n{GOOD}\n".replace(",", ";").replace("120.5", "120,5")
    assert "x: expected a number, got '120,5'" in faults(folder(tmp_path, text.encode()))


def test_other_encodings_and_files_that_are_no_tables(tmp_path: Path) -> None:
    assert "expected UTF-8" in faults(folder(tmp_path / "1", f"{HEADER}\n{row(subject_id='Sé')}".encode("latin-1")))
    assert "zero bytes" in faults(folder(tmp_path / "2", HEADER.encode() + b"\n\0\0"))
    assert "empty file" in faults(folder(tmp_path / "3", b""))
    assert "at least one photo" in faults(folder(tmp_path / "4", HEADER.encode() + b"\n"))
    assert "expected 13 cells as in the header, got 14" in faults(folder(tmp_path / "5", GOOD + ",more"))


@pytest.mark.parametrize(
    ("line", "got"),
    [("sep=,", "a spreadsheet's mark 'sep="), ("sep=;", "a spreadsheet's mark"), ("", "an empty"), (",,", "an empty")],
)
@pytest.mark.parametrize("separator", [",", ";"])
def test_a_first_line_that_is_no_header_is_one_fault(tmp_path: Path, line: str, got: str, separator: str) -> None:
    text = f"{HEADER}\n{GOOD}\n".replace(",", separator)
    told = faults(folder(tmp_path, f"{line}\n{text}".encode()))
    assert told.startswith(f"photos.csv: expected the column names in the first line, got {got}")
    assert told.endswith("; delete that line.") and "\n" not in told


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";"])
def test_a_quote_too_many_loses_no_rows_in_silence(tmp_path: Path, end: str, separator: str) -> None:
    """A quote at a cell's start takes everything up to the next quote, or to the end, into that cell."""
    lines = [HEADER, *(row(x=str(x)) for x in range(1, 9))]
    whole = end.join(lines).replace(",", separator) + end
    for column in (0, 4, 7, 12):
        cells = [line.split(separator) for line in whole.split(end)]
        cells[3][column] = '"' + cells[3][column]
        open_quote = end.join(separator.join(line) for line in cells)
        said = faults(folder(tmp_path / f"{column} open", open_quote.encode()))
        assert "photos.csv row 4: expected a row by the rules of CSV, got a quote that is opened and not closed" in said
        # A second quote that happens to close it: the rows between are within one cell, and nothing is too long.
        cells[5][column] = cells[5][column] + '"'
        closed = end.join(separator.join(line) for line in cells)
        said = faults(folder(tmp_path / f"{column} closed", closed.encode()))
        assert "photos.csv row 4: expected one row, got several within a quoted cell" in said


def test_a_line_end_within_a_quoted_note_is_no_fault(tmp_path: Path) -> None:
    header, note = f"{HEADER},note", '"seen late,\nthe card lay askew"'
    check = check_study(folder(tmp_path, f"{GOOD},{note}\n{row(x='7')},", header=header))
    assert check.faults == () and len(check.study.photos) == 2


def test_words_of_a_short_list_may_be_capitals(tmp_path: Path) -> None:
    assert read_study(folder(tmp_path, row(hand="Left"))).photos.loc[0, "hand"] == "left"


@pytest.mark.parametrize("visit", ["Week 2", "WEEK  2", " week 2 "])
def test_a_visit_may_be_written_in_capitals(tmp_path: Path, visit: str) -> None:
    visits = f"subject_id,visit\nS01,{visit}\n"
    study = read_study(folder(tmp_path, row(visit=visit), visits=visits))
    assert study.photos.loc[0, "visit"] == study.visits.loc[0, "visit"] == "week 2"
    assert "expected a visit of the protocol" in faults(folder(tmp_path / "other", row(visit="week2")))


def test_one_picture_under_two_names(tmp_path: Path) -> None:
    again = {"photo": "photos/b.jpg", "x": "300"}
    later = {"visit": "baseline", "date": "2016-05-09"}
    for cells, words in (
        ({"subject_id": "S02"}, "subject_id S01, S02"),
        (later, "visit screening, baseline; date 2016-05-01, 2016-05-09"),
    ):
        root = folder(tmp_path / words[:5], f"{GOOD}\n{row(**again, **cells)}")
        told = faults(root)
        assert told.startswith("photos.csv rows 2, 3: photos/a.jpg, photos/b.jpg are one and the same picture"), told
        assert f"several {words}: keep the row it was taken for" in told and "\n" not in told
        (root / "photos" / "b.jpg").write_bytes(b"not opened by a Check")  # as long, and another picture
        assert not check_study(root).faults
    assert not check_study(folder(tmp_path / "fingers", f"{GOOD}\n{row(**again, finger='ring')}")).faults


def test_one_picture_under_two_names_is_one_photo_of_its_fingers(tmp_path: Path) -> None:
    bare, copy = {"x": "", "y": ""}, {"photo": "photos/b.jpg"}
    for cells in (bare, {}, {"x": "300"}):
        told = faults(folder(tmp_path / f"same{cells}", f"{row(**bare)}\n{row(**copy, **cells)}"))
        assert "byte for byte, listed as several photos of the left index finger: keep one row" in told
    told = faults(folder(tmp_path / "fingers", f"{row(**bare)}\n{row(**copy, **bare, finger='ring')}"))
    assert told.startswith("photos.csv rows 2, 3: photos/a.jpg = photos/b.jpg shows several fingers (left index, left")
    boxes = [bare | {"box": box} for box in ("0 0 90 90", "90 0 90 90")]
    root = folder(tmp_path / "boxes", f"{row(**boxes[0])}\n{row(**copy, **boxes[1], finger='ring')}")
    assert not check_study(root).faults


@pytest.mark.parametrize("name", ["./photos/a.jpg", "photos//a.jpg", "photos/./a.jpg"])
def test_a_path_is_one_however_it_is_written(tmp_path: Path, name: str) -> None:
    assert "the same photo, hand, finger, x, y as row 2" in faults(folder(tmp_path, f"{GOOD}\n{row(photo=name)}"))
    bare = {"x": "", "y": ""}
    rows = f"{row(**bare)}\n{row(photo=name, **bare, finger='middle')}"
    assert "photos/a.jpg shows several fingers" in faults(folder(tmp_path / "fingers", rows))
    assert "one photo, photos/a.jpg, with several date" in faults(
        folder(tmp_path / "dates", f"{GOOD}\n{row(photo=name, date='2016-05-02', finger='ring')}")
    )
    masked = [bare | {"mask": mask} for mask in ("photos/b.jpg", name.replace("a.jpg", "b.jpg"))]
    rows = "\n".join(row(**cells, finger=finger) for cells, finger in zip(masked, ("ring", "index"), strict=True))
    assert "do not say where theirs is" in faults(folder(tmp_path / "masks", rows))


def test_no_such_folder(tmp_path: Path) -> None:
    assert "no such folder" in faults(tmp_path / "nowhere")
    (tmp_path / "bare").mkdir()
    assert "a folder without it" in faults(tmp_path / "bare")


def test_an_own_protocol_names_its_own_visits(tmp_path: Path) -> None:
    root = folder(tmp_path, row(visit="day 7"))
    (root / "protocol.toml").write_text(
        "extends = 'manus'\nparameters.primary_visit = 'day 7'\n[[visits]]\nname = 'day 7'\nday = 7\n", encoding="utf-8"
    )
    assert [v.name for v in read_study(root).protocol.visits] == ["day 7"]
    assert "day 7" in "\n".join(map(str, check_study(root, protocol="manus").faults))


def test_warnings_between_the_tables(tmp_path: Path) -> None:
    root = folder(
        tmp_path,
        row(visit="week 2", date="2016-06-30"),
        subjects="subject_id,treatment_date\nS01,2016-05-01\nS02,\n",
        ulcers="subject_id,painful\nS01,yes\n",
    )
    told = "\n".join(map(str, check_study(root).warnings))
    for part in ("outside the window of week 2", "subject S02 has no photo", "joins to no ulcer"):
        assert part in told


def test_what_would_fail_is_found_by_opening(tmp_path: Path) -> None:
    root = folder(tmp_path, f"{GOOD}\n{row(photo='photos/b.jpg', x='', y='', box='900 900 5 5')}")
    pixels = np.full((120, 160, 3), 90, np.uint8)
    cv2.imwrite(str(root / "photos" / "b.jpg"), pixels)
    told = [finding_in_words(finding) for finding in open_photos(read_study(root))]
    assert told[0].startswith("photos.csv row 2: photos/a.jpg: expected") and len(told) == 2
    assert told[1] == "photos.csv row 3: the box 900 900 5 5 lies outside the upright photo of 160 × 120 px; " + (
        "give pixels of that photo, x right and y down."
    )


def test_a_reference_box_off_the_photo_would_fail(tmp_path: Path) -> None:
    root = folder(tmp_path, row(x="", y="", reference_box="170 10 20 20"))
    cv2.imwrite(str(root / "photos" / "a.jpg"), np.full((120, 160, 3), 90, np.uint8))
    assert [problem_of(finding).got for finding in open_photos(read_study(root))] == [
        "the reference box 170 10 20 20 lies outside the upright photo of 160 × 120 px"
    ]


def test_allocation_is_not_read_with_the_study(tmp_path: Path) -> None:
    root = folder(tmp_path, allocation="this is not,a table\n")
    assert check_study(root).faults == ()
    with pytest.raises(StudyError, match="arm"):
        read_allocation(root / "allocation.csv")


@pytest.mark.parametrize(("text", "box"), [("", None), ("1 2 3 4", (1, 2, 3, 4)), ("1.5, 2,3,4", (1.5, 2, 3, 4))])
def test_boxes(text: str, box: tuple[float, ...] | None) -> None:
    assert parse_box(text) == box


def test_paths_inside_are_fine(tmp_path: Path) -> None:
    assert path_fault(tmp_path, "photos/é b.jpg") is None
    assert path_fault(tmp_path, "C:/photo.jpg") is not None


def test_several_fingers_on_one_photo_must_be_told_apart(tmp_path: Path) -> None:
    bare = {"x": "", "y": ""}
    for name, cells, other in (
        ("none", bare, bare),
        ("one", bare | {"box": "0 0 90 90"}, bare),
        ("same", bare | {"box": "0 0 90 90"}, bare | {"box": "0 0 90 90"}),
        ("mask", bare | {"mask": "a.png"}, bare | {"mask": "a.png"}),
    ):
        root = folder(tmp_path / name, row(**cells) + "\n" + row(**other, finger="middle"))
        assert "do not say where theirs is: give each its own box, or a click" in faults(root), name
    for name, cells, other in (
        ("boxes", bare | {"box": "0 0 90 90"}, bare | {"box": "90 0 90 90"}),
        ("clicks", {}, {"x": "300"}),
        ("outlines", bare | {"mask": "outlines.csv"}, bare | {"mask": "outlines.csv"}),
        ("mixed", bare | {"box": "0 0 90 90"}, {"x": "300"}),
    ):
        root = folder(tmp_path / name, row(**cells) + "\n" + row(**other, finger="middle"))
        assert not check_study(root).faults, name
