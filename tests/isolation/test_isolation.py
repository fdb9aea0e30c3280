"""A piece of work that crashes, hangs or eats memory costs its own result, and no process outlives its caller."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pieces
import pytest

from ulcermeter import isolation
from ulcermeter.errors import UlcermeterError
from ulcermeter.isolation import Fate, Limits, Lost, Workers

unix = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs the timers of Unix")
QUICK = Limits(time_s=0.5, memory_mb=1000)


def results(*names: str, jobs: int = 1, limits: Limits = QUICK) -> list[object]:
    with Workers(jobs=jobs, limits=limits) as workers:
        return [came for _, came in sorted(workers.each(pieces.do, names), key=lambda each: each[0])]


@unix
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_crash_and_a_hang_cost_their_own_piece(jobs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # On a machine that is busy with other things the clock would else be first.
    monkeypatch.setattr(isolation, "_CLOCK_TIMES", 200)
    names = ["getpid", "crash", "getpid", "compute_for_ever", "end_quietly", "getpid"]
    came = results(*names, jobs=jobs)
    assert came[1] == Lost(Fate.CRASHED, "SIGSEGV", QUICK)
    assert came[3] == Lost(Fate.TOOK_TOO_LONG, "SIGPROF", QUICK)
    assert came[4] == Lost(Fate.CRASHED, "exit status 3", QUICK)
    assert all(isinstance(came[k], int) and came[k] != os.getpid() for k in (0, 2, 5))


def test_after_a_death_the_rest_shares_a_process() -> None:
    before, _, *after = results("getpid", "end_quietly", *["getpid"] * 4)
    assert len(set(after)) == 1 and before not in after


def test_a_process_loads_what_its_first_piece_will_need_and_a_fault_there_is_the_works() -> None:
    for load, loads in ((pieces.load_something, 2), (pieces.load_what_is_missing, 1)):
        with Workers(limits=QUICK) as workers:
            workers.start(load)
            who = next(workers.each(pieces.do, ["what_is_loaded"]))[1]
            assert len(who) == loads and len(set(who)) == 1 and who[0] != os.getpid()


def test_what_waits_for_ever_is_ended_by_the_clock() -> None:
    start = time.monotonic()
    assert results("compute_for_ever_in_c", "print_much") == [Lost(Fate.TOOK_TOO_LONG, "SIGKILL", QUICK), "printed"]
    assert time.monotonic() - start < 50  # the piece itself waits 60 s


def test_waiting_is_no_computing() -> None:
    # Each of the pieces is short; together they take longer than one may.
    assert len(set(results(*["wait_a_little"] * 4, limits=Limits(time_s=0.1)))) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process's data")
def test_memory_beyond_the_limit_is_an_error_there_and_the_process_goes_on() -> None:
    with Workers(limits=Limits(memory_mb=600)) as workers:
        before = next(workers.each(pieces.do, ["getpid"]))[1]
        with pytest.raises(MemoryError):
            next(workers.each(pieces.do, ["eat_memory"]))
        assert next(workers.each(pieces.do, ["getpid"]))[1] == before


def test_what_is_printed_does_not_come_between_the_answers(capfd: pytest.CaptureFixture[str]) -> None:
    assert results("print_much", "print_much") == ["printed", "printed"]
    assert capfd.readouterr().out == ""


def test_what_is_logged_there_is_logged_here(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "ulcermeter"):
        assert results("warn_and_answer") == ["warned"]
    assert [(r.name, r.getMessage()) for r in caplog.records] == [("ulcermeter.there", "looked twice")]


def test_what_is_raised_there_is_raised_here() -> None:
    with pytest.raises(LookupError, match="of all things"):
        results("raise_it")
    with pytest.raises(RuntimeError, match="Own: cannot be pickled"):
        results("raise_what_cannot_be_sent")


def test_one_process_does_many_pieces_and_ends_with_its_caller() -> None:
    (number,) = set(results(*["getpid"] * 5))
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


def test_going_away_in_the_midst_waits_for_nothing() -> None:
    start = time.monotonic()
    with Workers(jobs=2, limits=Limits()) as workers:
        for _, came in workers.each(pieces.do, ["getpid", "compute_for_ever_in_c", "compute_for_ever_in_c"]):
            assert isinstance(came, int)
            break
    assert time.monotonic() - start < 50  # the piece itself waits 60 s


def test_a_python_that_cannot_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(UlcermeterError, match=r"got one that ended at once \(exit status 1\)"):
        results("getpid")


@unix
@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGINT"])
def test_no_process_outlives_a_caller_that_is_killed(tmp_path: Path, name: str) -> None:
    code = (
        "import pieces; from ulcermeter.isolation import Workers\n"
        "with Workers(jobs=2) as workers:\n"
        "    list(workers.each(pieces.do, ['write_own_number'] * 2))"
    )
    env = os.environ | {"WHERE": str(tmp_path), "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    caller = subprocess.Popen([sys.executable, "-c", code], env=env, stderr=subprocess.DEVNULL)
    _until(lambda: len(list(tmp_path.iterdir())) == 2)
    numbers = [int(path.name) for path in tmp_path.iterdir()]
    caller.send_signal(signal.Signals[name])
    caller.wait(20)
    _until(lambda: not any(map(_lives, numbers)))


def _lives(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{number}/stat")  # one that has ended and that nobody has asked after is still listed
    return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")


def _until(so: object, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not so():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.05)
