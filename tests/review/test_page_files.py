"""The page is shipped whole, asks nothing of elsewhere, and its files stay readable."""

from __future__ import annotations

import re
import sys
from importlib import resources
from pathlib import Path

import pytest
from click.testing import CliRunner

from ulcermeter.cli import main

PAGE = resources.files("ulcermeter.review") / "page"
FILES = {path.name: path.read_text(encoding="utf-8") for path in PAGE.iterdir()}


def test_nothing_is_loaded_from_elsewhere_and_every_module_is_there() -> None:
    for name, text in FILES.items():
        assert not re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", text), name
        assert {found for found in re.findall(r'from "\./([\w.]+)"', text)} <= set(FILES), name
    assert set(re.findall(r'static/([\w.]+)"', FILES["index.html"])) <= set(FILES)


def test_no_text_of_a_study_becomes_markup() -> None:
    for name, text in FILES.items():
        assert not re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", text), name


def test_files_stay_readable() -> None:
    assert not {name: n for name, text in FILES.items() if (n := len(text.splitlines())) > 400}


def test_every_command_of_the_sheet_exists_and_has_keys_of_its_own() -> None:
    rows = re.findall(r'^    \["([\w-]+)", \[([^\]]+)\]', FILES["keys.js"], flags=re.MULTILINE)
    assert len(rows) > 25
    keys = [key for _, listed in rows for key in re.findall(r'"([^"]+)"', listed)]
    assert len(set(keys)) == len(keys)
    for name, _ in rows:
        assert re.search(rf'^  (?:async )?"?{name}"?(?:\(|:|,)', FILES["commands.js"], flags=re.MULTILINE), name


def test_without_the_extra_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    done = CliRunner().invoke(main, ["review", str(tmp_path), "--reader", "R1"])
    assert done.exit_code == 2 and "install ulcermeter[review]" in done.stderr and done.stderr.count("\n") == 1
