"""Files come in by their kind: nothing that waits or never ends is opened, whatever names it."""

from __future__ import annotations

import errno
import os
import socket
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from ulcermeter.calibration.geometry.camera import read_lens
from ulcermeter.errors import ModelError, PhotoError, ProtocolError, Refusal, StudyError, UlcermeterError
from ulcermeter.files import read_file
from ulcermeter.photo import read_mask, read_photo
from ulcermeter.protocol import read_protocol
from ulcermeter.provenance import file_sha256
from ulcermeter.segmentation import load_model
from ulcermeter.study import check_study, read_allocation

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as it:
        it.bind(str(path))


KINDS: dict[str, Callable[[Path], None]] = {
    "a folder": lambda path: path.mkdir(),
    "a named pipe": lambda path: os.mkfifo(path),
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a socket": a_socket,
}


@pytest.fixture(params=KINDS)
def odd(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Path]:
    """Return what stands in a file's place, and where; the path is short, as a socket's must be."""
    monkeypatch.chdir(tmp_path)
    path = Path("odd.toml")
    KINDS[request.param](path)
    return request.param, path


@pytest.mark.parametrize(
    ("door", "error"),
    [
        (read_photo, PhotoError),
        (lambda path: read_mask(path, (20, 30)), PhotoError),
        (read_protocol, ProtocolError),
        (load_model, ModelError),
        (read_lens, Refusal),
    ],
    ids=["photo", "mask", "protocol", "model", "lens"],
)
def test_what_is_no_file_is_refused_by_its_kind(
    odd: tuple[str, Path], door: Callable[[Path], object], error: type[UlcermeterError]
) -> None:
    kind, path = odd
    with pytest.raises(error, match=f"{kind}, not a file; "):
        door(path)


def test_what_a_protocol_extends_is_refused_by_its_kind(odd: tuple[str, Path]) -> None:
    kind, path = odd
    for extended in (str(path), str(path.absolute()), "/dev/zero"):
        Path("own.toml").write_text(f'extends = "{extended}"\n')
        with pytest.raises(ProtocolError, match="a device" if extended == "/dev/zero" else kind):
            read_protocol("own.toml")


@pytest.mark.parametrize("name", ["photos.csv", "subjects.csv", "events.csv", "protocol.toml"])
def test_a_study_file_that_is_none_is_a_fault_and_not_passed_over(
    odd: tuple[str, Path], tiny_study: Path, name: str
) -> None:
    kind, path = odd
    (tiny_study / name).unlink(missing_ok=True)
    (tiny_study / name).symlink_to(path.absolute())
    faults = [str(fault) for fault in check_study(tiny_study).faults]
    assert len(faults) == 1 and name in faults[0] and f"{kind}, not a file" in faults[0], faults


def test_a_link_to_nothing_is_a_fault_and_not_an_absent_file(tiny_study: Path) -> None:
    (tiny_study / "events.csv").symlink_to("nowhere.csv")
    (tiny_study / "protocol.toml").symlink_to("nowhere.toml")
    faults = [str(fault) for fault in check_study(tiny_study).faults]
    assert len(faults) == 2 and "protocol.toml" in faults[0] and faults[1].startswith("events.csv: expected a file")


def test_an_allocation_that_is_no_file(odd: tuple[str, Path]) -> None:
    with pytest.raises(StudyError, match="expected an allocation file"):
        read_allocation(odd[1])


def test_hashing_a_pipe_does_not_wait(odd: tuple[str, Path]) -> None:
    with pytest.raises(OSError, match="not a file"):
        file_sha256(odd[1])


@pytest.mark.parametrize("kind", ["a named pipe", "a device"])
def test_what_takes_a_files_place_after_the_first_look_is_refused_without_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x")

    def exchange(found: str | Path) -> int:
        path.unlink()
        KINDS[kind](path)
        return 1

    monkeypatch.setattr("ulcermeter.files.check_regular", exchange)
    with pytest.raises(OSError, match=f"{kind}, not a file"):
        read_file(path, most_mb=1)


def test_a_small_file_asks_for_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 1000)
    tracemalloc.start()
    try:
        read_file(path, most_mb=300)
        assert tracemalloc.get_traced_memory()[1] < 5e6
    finally:
        tracemalloc.stop()


def test_a_file_is_read_to_its_limit_and_not_beyond(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 1000)
    assert read_file(path, most_mb=0.001) == b"x" * 1000
    with path.open("ab") as file:
        file.write(b"x")
    with pytest.raises(OSError, match=r"a file of over 0.001 MB") as caught:
        read_file(path, most_mb=0.001)
    assert caught.value.errno == errno.EFBIG
    # The kernel states no size for its own files, and some are long: only what is read can be counted.
    states_none = Path("/proc/self/smaps")
    if states_none.exists() and not states_none.stat().st_size:
        with pytest.raises(OSError, match=r"a file of over 0.001 MB"):
            read_file(states_none, most_mb=0.001)
