"""`ulcermeter train` answers a wrong call in a sentence, with torch or without it."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from ulcermeter.cli import main


def test_folders_without_photos_are_told(tmp_path: Path) -> None:
    for name in ("photos", "masks"):
        (tmp_path / name).mkdir()
    call = ["train", str(tmp_path / "photos"), str(tmp_path / "masks"), "-o", str(tmp_path / "m.onnx")]
    answer = CliRunner().invoke(main, call)
    assert answer.exit_code == 2
    told = answer.output.lower()
    assert ("expected" in told or "ulcermeter[train]" in told) and "traceback" not in told
    assert not (tmp_path / "m.onnx").exists()
