"""A run asks for no internet socket, and leaves nothing anywhere but in its results folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import no_network
import pytest
from no_network import can_forbid

GUARD = no_network.__file__
needs_filter = pytest.mark.skipif(not can_forbid(), reason="needs Linux on x86-64 or ARM: a filter on system calls")


CHILD = "import subprocess, sys; sys.exit(-subprocess.call([sys.executable, '-c',"


def guarded(*words: str | Path, home: Path) -> subprocess.CompletedProcess[str]:
    """Run Python under the filter, with a home, a working folder and a place for temporary files that are empty."""
    for name in ("home", "here", "tmp"):
        (home / name).mkdir(parents=True, exist_ok=True)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "MPL", "ORT_"))}
    # Compiled modules go beside a package that was not compiled when it was installed, as a checkout.
    own = {"HOME": str(home / "home"), "TMPDIR": str(home / "tmp"), "PYTHONDONTWRITEBYTECODE": "1"}
    own["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    call = [sys.executable, GUARD, *map(str, words)]
    return subprocess.run(call, env=kept | own, cwd=home / "here", capture_output=True, text=True)


def left_in(home: Path) -> list[str]:
    return sorted(str(p.relative_to(home)) for name in ("home", "here", "tmp") for p in (home / name).rglob("*"))


@needs_filter
@pytest.mark.parametrize(
    ("code", "ended"),
    [
        ("import socket; socket.socket(socket.AF_INET)", True),
        ("import socket; socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)", True),
        ("import ctypes; ctypes.CDLL(None).socket(2, 1, 0)", True),
        (f"{CHILD} 'import socket; socket.socket()']))", True),
        ("import socket; socket.socket(socket.AF_UNIX)", False),
    ],
)  # fmt: skip
def test_the_filter_ends_what_asks_for_the_internet(tmp_path: Path, code: str, ended: bool) -> None:
    done = guarded("-c", code, home=tmp_path)
    assert (abs(done.returncode) == 31) == ended, done.stderr  # SIGSYS


@needs_filter
def test_a_run_opens_no_socket_and_leaves_nothing_behind(
    drawn: Path, finished: Path, tmp_path: Path, csv_bytes
) -> None:
    out = tmp_path / "results"
    done = guarded("-m", "ulcermeter", "run", drawn, "-o", out, "--jobs", "2", home=tmp_path / "places")
    assert done.returncode == 1, done.stderr  # one file of this study is no picture
    assert "2 measured, 1 refused, 1 failed" in done.stdout
    assert csv_bytes(out) == csv_bytes(finished)
    assert left_in(tmp_path / "places") == []


@needs_filter
def test_other_commands_open_no_socket_and_leave_nothing_behind(drawn: Path, tmp_path: Path) -> None:
    photo = drawn / "photos" / "S01_screening.jpg"
    for words in (
        ("check", drawn),
        ("measure", photo, "--reference", "aruco:10", "--reference-on", "skin"),
        ("card", tmp_path / "card.pdf"),
    ):
        done = guarded("-m", "ulcermeter", *words, home=tmp_path / "places")
        assert done.returncode in (0, 1), (words, done.stderr)
        assert left_in(tmp_path / "places") == [], words
