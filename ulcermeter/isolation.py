"""Work in processes of its own, so that a piece that crashes, hangs or eats memory costs its own result and no other.

A process is started when the first piece comes, or before to load what that will need, and does one piece after
another; one that died is started anew. Each is watched by a thread of the caller over two pipes. Time is what the
process computes (all its threads together), which does not depend on what else the machine does; by the clock it may be
several times as long, and ends then, since what waits computes nothing. Where the system has no such measures
(Windows), only the clock and the crash are watched.
"""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import os
import pickle
import queue
import signal
import struct
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import IO, Any

from ulcermeter.errors import Problem, UlcermeterError

__all__ = ["Fate", "Limits", "Lost", "Workers"]

# By the clock a piece may take this many times its computing: a busy machine, a slow disk.
_CLOCK_TIMES = 5
# Read by the mathematics libraries when they are loaded: one thread each, so that sums come out alike.
_ONE_THREAD = {
    name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
}
# The caller's paths come first of all, so that the same ulcermeter is found; its script is not run again. A caller that
# was killed meanwhile sends none.
_START = """
import pickle, sys
try:
    sys.path[:] = pickle.load(sys.stdin.buffer)
except EOFError:
    sys.exit()
from ulcermeter.isolation import serve
serve()
"""
_LENGTH = struct.Struct("<Q")
_READY = b"ready"


class Fate(Enum):
    """Why a piece of work has no result."""

    CRASHED = "crashed"
    TOOK_TOO_LONG = "took too long"


@dataclass(frozen=True)
class Limits:
    """What one piece of work may take.

    Attributes
    ----------
    time_s : float
        Of computing, s. A photo of 12 megapixels takes 2, one of 99 megapixels up to 12 (measured on one core); the
        rest is room for slower machines (assumption).
    memory_mb : float
        Of the process's data, million bytes, where the system can limit them (Linux): more is a MemoryError there. A
        JPEG of 12 megapixels takes 660, one of 99 megapixels 1120 (measured). With what the libraries themselves take
        the process stays under 2000.
    """

    time_s: float = 120.0
    memory_mb: float = 1800.0


@dataclass(frozen=True)
class Lost:
    """A piece of work whose process died on it.

    Attributes
    ----------
    fate : Fate
    ended_by : str
        What the system says of the end, such as ``SIGSEGV`` or ``exit status 1``.
    limits : Limits
        Those it had.
    """

    fate: Fate
    ended_by: str
    limits: Limits


class Workers:
    """Processes that work for as long as they are held; all are ended with it.

    Parameters
    ----------
    jobs : int
        Processes at once.
    limits : Limits
        Of each piece.
    """

    def __init__(self, *, jobs: int = 1, limits: Limits | None = None) -> None:
        self._workers = [_Worker(limits or Limits()) for _ in range(max(1, jobs))]

    def __enter__(self) -> Workers:
        """Return the workers; nothing is started yet."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End all processes, whatever they are at."""
        self.close()

    def close(self) -> None:
        """End all processes, whatever they are at."""
        for worker in self._workers:
            worker.close()

    def start(self, load: Callable[[], object]) -> None:
        """Start the first process now, to load what its work needs while the caller does other things.

        Parameters
        ----------
        load : callable
            A function of a module. What it raises the work will raise again.
        """
        self._workers[0].load(load)

    def each(self, work: Callable[[Any], Any], pieces: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        """Do the same work on each piece; yield its number and what came of it as soon as it is done.

        Parameters
        ----------
        work : callable
            A function of a module, called with a piece in another process.
        pieces : sequence
            Each is pickled, and so is what comes of it.

        Yields
        ------
        (int, Any)
            The piece's place in the sequence and the result, or `Lost`. In no fixed order.

        Raises
        ------
        UlcermeterError
            A process cannot be started.
        Exception
            What the work raised on a piece; the pieces left are not done.
        """
        waiting, done = deque(enumerate(pieces)), queue.SimpleQueue[tuple[int, Any, BaseException | None]]()
        threads = [
            threading.Thread(target=_keep_busy, args=(worker, work, waiting, done), daemon=True)
            for worker in self._workers[: len(pieces)]
        ]
        for thread in threads:
            thread.start()
        left = len(pieces)
        try:
            while left:
                number, result, error = done.get()
                left -= 1
                if error is not None:
                    raise error
                yield number, result
        finally:
            waiting.clear()
            if left:  # the caller goes away, or is stopped: nothing that is under way is waited for
                self.close()
            for thread in threads:
                thread.join()
            if left:
                for worker in self._workers:
                    worker.reopen()


def _keep_busy(
    worker: _Worker, work: Callable[[Any], Any], waiting: deque[tuple[int, Any]], done: queue.SimpleQueue[Any]
) -> None:
    """Give a process one piece after another, as long as there are any."""
    while True:
        try:
            number, piece = waiting.popleft()
        except IndexError:
            return
        try:
            done.put((number, worker.do(work, piece), None))
        except BaseException as error:  # noqa: BLE001 - it is raised where the results are taken
            done.put((number, None, error))
            return


class _Worker:
    """One process, seen from its caller."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._lock, self._turn = threading.Lock(), threading.Lock()
        self._busy = self._late = self._closed = False

    def load(self, load: Callable[[], object]) -> None:
        """Let the process load something; a piece that comes meanwhile waits for it."""
        self._turn.acquire()
        threading.Thread(target=self._load, args=(load,), daemon=True).start()

    def _load(self, load: Callable[[], object]) -> None:
        try:
            with contextlib.suppress(Exception):
                self._do(_call, load)
        finally:
            self._turn.release()

    def do(self, work: Callable[[Any], Any], piece: Any) -> Any:
        """Return what comes of a piece, or `Lost`; raise what the work raised."""
        with self._turn:
            return self._do(work, piece)

    def _do(self, work: Callable[[Any], Any], piece: Any) -> Any:
        order = pickle.dumps((work, piece))
        process = self._started()
        self._busy, self._late = True, False
        clock = threading.Timer(self._limits.time_s * _CLOCK_TIMES, self._stop_late)
        clock.daemon = True
        clock.start()
        try:
            _send(_pipe(process.stdin), order)
            answer = _receive(_pipe(process.stdout))
        except (OSError, EOFError):
            answer = None
        finally:
            clock.cancel()
            with self._lock:  # from here on the clock may not end the process, which is at no piece
                self._busy = False
        if answer is None:
            return self._lost()
        raised, result, records = pickle.loads(answer)
        _pass_on(records)
        if raised:
            raise result
        return result

    def close(self) -> None:
        """End the process, if there is one; none is started any more."""
        with self._lock:
            self._closed = True
            process, self._process = self._process, None
        if process is not None:
            _end(process)

    def reopen(self) -> None:
        """Let a process be started again after `close`."""
        self._closed = False

    def _started(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._closed:
                raise UlcermeterError(Problem(expected="work for a process that runs", got="some after all were ended"))
            if self._process is None:
                self._process = _start(self._limits)
            return self._process

    def _stop_late(self) -> None:
        with self._lock:
            if self._busy and self._process is not None:
                self._late = True
                self._process.kill()

    def _lost(self) -> Lost:
        """Say how the process ended, and forget it: the next piece starts another."""
        with self._lock:
            process, self._process = self._process, None
        if process is None:  # closed meanwhile
            return Lost(Fate.CRASHED, "ended by its caller", self._limits)
        _end(process)
        too_long = self._late or process.returncode == -getattr(signal, "SIGPROF", sys.maxsize)
        return Lost(Fate.TOOK_TOO_LONG if too_long else Fate.CRASHED, _ending(process.returncode), self._limits)


def _call(load: Callable[[], object]) -> None:
    load()


def _start(limits: Limits) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", _START],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**_ONE_THREAD, **os.environ},
    )
    try:
        _pipe(process.stdin).write(pickle.dumps(sys.path))
        _send(_pipe(process.stdin), pickle.dumps(limits))
        if _receive(_pipe(process.stdout)) == _READY:
            return process
    except (OSError, EOFError):
        pass
    _end(process)
    raise UlcermeterError(
        Problem(
            expected="Python to start a process of its own to work in",
            got=f"one that ended at once ({_ending(process.returncode)})",
            action=f"see what it wrote above, and that {sys.executable} can be run",
        )
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):  # what was not sent yet cannot be
            _pipe(pipe).close()


def _ending(status: int) -> str:
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"exit status {status}"


def _pass_on(records: Sequence[logging.LogRecord]) -> None:
    """Log here what was logged there, as if the work had been done here."""
    for record in records:
        logger = logging.getLogger(record.name)
        if logger.isEnabledFor(record.levelno):
            logger.handle(record)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def _send(pipe: IO[bytes], content: bytes) -> None:
    pipe.write(_LENGTH.pack(len(content)) + content)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> bytes:
    """Return what `_send` sent; EOFError where the other side is gone."""
    head = pipe.read(_LENGTH.size)
    content = pipe.read(*_LENGTH.unpack(head)) if len(head) == _LENGTH.size else b""
    if len(head) < _LENGTH.size or len(content) < _LENGTH.unpack(head)[0]:
        raise EOFError
    return content


# --- in the process ---------------------------------------------------------------------------------------------------


def serve() -> None:
    """Do what comes over standard input until it ends: the whole life of a process of `Workers`."""
    orders, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    # What a library prints must not come between the answers.
    os.dup2(2, 1)
    # Ctrl-C reaches every process of a terminal; the caller decides what becomes of this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        limits: Limits = pickle.loads(_receive(orders))
        _send(answers, _READY)
    except (OSError, EOFError):  # killed meanwhile, too
        return
    incoming: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(orders, incoming), daemon=True).start()
    records: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    logging.getLogger().addHandler(logging.handlers.QueueHandler(records))
    while True:
        _send(answers, _answer(incoming.get(), limits, records))


def _listen(orders: IO[bytes], incoming: queue.SimpleQueue[bytes]) -> None:
    """Take orders; once the caller is gone, however it ended, end at once, in the midst of a piece too."""
    try:
        while True:
            incoming.put(_receive(orders))
    except (OSError, EOFError):
        os._exit(0)


def _answer(order: bytes, limits: Limits, records: queue.SimpleQueue[logging.LogRecord]) -> bytes:
    raised = False
    try:
        work, piece = pickle.loads(order)  # imports what the work needs, before anything is limited
        with _limited(limits):
            result = work(piece)
    except Exception as error:  # noqa: BLE001 - it is raised again in the caller's process
        raised, result = True, error
    logged = [records.get() for _ in range(records.qsize())]
    try:
        return pickle.dumps((raised, result, logged))
    except Exception as error:  # noqa: BLE001 - some libraries' errors cannot be pickled
        return pickle.dumps((True, RuntimeError(f"{type(result).__name__}: {result} ({error})"), logged))


@contextlib.contextmanager
def _limited(limits: Limits) -> Iterator[None]:
    """Limit data and computing while a piece is worked on; a process past its time is ended by the system."""
    if not hasattr(signal, "setitimer"):  # Windows
        yield
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash leaves no file with the photo's pixels in it
    most = round(limits.memory_mb * 1e6)
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    resource.setrlimit(resource.RLIMIT_DATA, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    signal.setitimer(signal.ITIMER_PROF, limits.time_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
