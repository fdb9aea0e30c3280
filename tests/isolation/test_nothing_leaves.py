"""A run asks for no internet socket, and leaves nothing anywhere but in its results folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import no_network
import pytest
from no_network import can_forbid

GUARD = no_network.__file__
needs_filter = pytest.mark.skipif(not can_forbid(), reason="needs Linux on x86-64 or ARM: a filter on system calls")


CHILD = "import subprocess, sys; sys.exit(-subprocess.call([sys.executable, '-c',"


def guarded(*words: str | Path, home: Path) -> subprocess.CompletedProcess[str]:
    """Run Python under the filter."""
    return started(GUARD, *words, home=home)


def started(*words: str | Path, home: Path) -> subprocess.CompletedProcess[str]:
    """Run Python with a home, a working folder and a place for temporary files that are empty."""
    for name in ("home", "here", "tmp"):
        (home / name).mkdir(parents=True, exist_ok=True)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "MPL", "ORT_"))}
    # Compiled modules go beside a package that was not compiled when it was installed, as a checkout.
    own = {"HOME": str(home / "home"), "TMPDIR": str(home / "tmp"), "PYTHONDONTWRITEBYTECODE": "1"}
    own["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    call = [sys.executable, *map(str, words)]
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


# As an analyst would write it, without the usual __name__ guard.
ANALYSIS = """
import no_network, sys
if no_network.can_forbid():
    no_network.forbid_internet()
import ulcermeter as um
um.run_study(sys.argv[1], sys.argv[2], jobs=2)
"""


def test_a_run_in_two_processes_gives_the_same_bytes_opens_no_socket_and_leaves_nothing_behind(
    drawn: Path, finished: Path, tmp_path: Path, csv_bytes: Callable[[Path], dict[str, bytes]]
) -> None:
    out, script = tmp_path / "results", tmp_path / "analysis.py"
    script.write_text(ANALYSIS)
    done = started(script, drawn, out, home=tmp_path / "places")
    assert done.returncode == 0, done.stderr
    assert csv_bytes(out) == csv_bytes(finished)
    assert (out / "report.html").read_bytes() == (finished / "report.html").read_bytes()
    assert left_in(tmp_path / "places") == []


# One after another in one process, which saves the start of two.
COMMANDS = """
import sys
from ulcermeter.cli import main
for words in {commands!r}:
    try:
        main(words)
    except SystemExit as end:
        assert end.code in (0, 1), (words, end.code)
"""


@needs_filter
def test_other_commands_open_no_socket_and_leave_nothing_behind(drawn: Path, tmp_path: Path) -> None:
    photo = drawn / "photos" / "S01_screening.jpg"
    commands = [
        ["check", str(drawn)],
        ["measure", str(photo), "--reference", "aruco:10", "--reference-on", "skin"],
        ["card", str(tmp_path / "card.pdf")],
    ]
    done = guarded("-c", COMMANDS.format(commands=commands), home=tmp_path / "places")
    assert done.returncode == 0, done.stderr
    assert "4 photo rows" in done.stdout and photo.name in done.stdout and (tmp_path / "card.pdf").exists()
    assert left_in(tmp_path / "places") == []
