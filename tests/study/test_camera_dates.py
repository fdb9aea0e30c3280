"""A photo's row against its camera's clock."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from ulcermeter.cli import main
from ulcermeter.datatypes import Finding, Kind
from ulcermeter.study import open_photos, read_study


def folder(root: Path, date: str, clock: str | None, *, name: str = "a.jpg") -> Path:
    root.mkdir()
    exif = Image.Exif()
    if clock:
        exif.get_ifd(0x8769)[0x9003] = clock
    Image.fromarray(np.full((60, 80, 3), 120, np.uint8)).save(root / name, exif=exif.tobytes())
    row = f"{name},S01,screening,{date},left,ring"
    (root / "photos.csv").write_text(f"photo,subject_id,visit,date,hand,finger\n{row}\n")
    return root


def dates_in(root: Path) -> list[Finding]:
    return [finding for finding in open_photos(read_study(root)) if finding.kind is Kind.CAMERA_DATE]


# The camera wrote 2024-03-01, 23:30; a day more is another time zone, a partial date is met by any of its days.
@pytest.mark.parametrize(
    ("date", "told"),
    [
        ("2024-03-01", False),
        ("2024-03-02", False),
        ("2024-02-29", False),
        ("2024-03-03", True),
        ("2014-03-01", True),
        ("2024-03", False),
        ("2024-02", False),
        ("2023", True),
    ],
)
def test_a_date_that_the_camera_contradicts(tmp_path: Path, date: str, told: bool) -> None:
    found = dates_in(folder(tmp_path / "s", date, "2024:03:01 23:30:00"))
    assert [(f.rows, f.column, f.got, f.meant) for f in found] == [((2,), "date", date, "2024-03-01")] * told


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif"])
def test_every_format_tells_its_date(tmp_path: Path, name: str) -> None:
    (found,) = dates_in(folder(tmp_path / "s", "2014-03-01", "2024:03:01 23:30:00", name=name))
    assert found.meant == "2024-03-01" and found.subject_id == "S01"


def test_check_tells_it_and_stops_nothing(tmp_path: Path) -> None:
    root = folder(tmp_path / "s", "2024-05-01", "2024:03:01 23:30:00")
    done = CliRunner().invoke(main, ["check", str(root)])
    assert done.exit_code == 0 and "No faults, 1 warning(s)" in done.stdout
    assert "photos.csv row 2, date: got 2024-05-01, but the camera's clock says 2024-03-01" in done.stderr
    assert "camera" not in CliRunner().invoke(main, ["check", str(root), "--tables-only"]).stderr


def test_no_clock_and_no_picture_tell_nothing(tmp_path: Path) -> None:
    assert not dates_in(folder(tmp_path / "s", "2024-05-01", None))
    root = folder(tmp_path / "t", "2024-05-01", "2024:03:01 23:30:00")
    (root / "a.jpg").write_bytes(b"\xff\xd8\xff\xe1 no picture")
    assert not dates_in(root)
