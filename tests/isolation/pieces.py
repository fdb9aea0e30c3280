"""Work for `ulcermeter.isolation` that goes wrong in every way there is."""

from __future__ import annotations

import ctypes
import logging
import os
import time
from pathlib import Path

loaded: list[int] = []
"""Of this process: who loaded something in it."""


def do(piece: str) -> object:
    """Do what a piece names."""
    return WORK[piece]()


def load_something() -> None:
    loaded.append(os.getpid())


def load_what_is_missing() -> None:
    raise FileNotFoundError("weights")


def what_is_loaded() -> list[int]:
    return [*loaded, os.getpid()]


def crash() -> None:
    ctypes.string_at(0)  # reads address 0, as a decoder with a fault does


def crash_on(piece: object) -> None:
    crash()


def end_quietly() -> None:
    os._exit(3)


def compute_for_ever() -> None:
    while True:
        pass


def compute_for_ever_in_c() -> None:
    # Holds Python's lock the whole time, so that no Python code of the process can end it.
    ctypes.PyDLL(None).usleep(60_000_000)


def eat_memory() -> None:
    eaten = []
    while True:
        eaten.append(bytearray(50_000_000))


def print_much() -> str:
    os.write(1, b"noise of a library\n" * 5)
    print("noise of Python")
    return "printed"


def warn_and_answer() -> str:
    logging.getLogger("ulcermeter.there").warning("looked %s", "twice")
    return "warned"


def raise_it() -> None:
    raise LookupError("of all things")


def raise_what_cannot_be_sent() -> None:
    class Own(Exception):
        pass

    raise Own("cannot be pickled")


def wait_a_little() -> int:
    time.sleep(0.2)
    return os.getpid()


def write_own_number() -> None:
    Path(os.environ["WHERE"], str(os.getpid())).touch()
    time.sleep(600)


WORK = {
    work.__name__: work
    for work in (
        what_is_loaded,
        crash,
        end_quietly,
        compute_for_ever,
        compute_for_ever_in_c,
        eat_memory,
        print_much,
        warn_and_answer,
        raise_it,
        raise_what_cannot_be_sent,
        wait_a_little,
        write_own_number,
        os.getpid,
    )
}
