"""One damaged file, and what came of it."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from ulcermeter.errors import Refusal, UlcermeterError

MOST_MB = 2000.0
"""What a piece may take at most of memory, million bytes."""
MOST_S = 20.0
"""What a piece may take at most of computing, s: a photo of this size takes 1 (assumption)."""
TOLERANCE_MM = 0.05
"""What a right number may differ from the undamaged file's by: half of what a ruler shows."""


class Outcome(Enum):
    """What came of a damaged file; the columns of the table."""

    REFUSED = "refused or failed in a sentence"
    RIGHT = "right number"
    LISTED = "listed"
    OVERDONE = "refused though whole"
    WRONG = "wrong number in silence"
    TRACEBACK = "traceback"
    HANG = "hang"
    MEMORY = "over 2 GB"


FAULTS = (Outcome.OVERDONE, Outcome.WRONG, Outcome.TRACEBACK, Outcome.HANG, Outcome.MEMORY)


@dataclass(frozen=True)
class Piece:
    """A mutation to try: everything follows from the base file and the seed."""

    kind: str
    base: str
    seed: int
    folder: Path
    measured: bool = False
    """Measure it also where its pixels are the base's."""

    @property
    def place(self) -> Path:
        """Where this process puts what it damages: no other works there."""
        place = self.folder / f"process {os.getpid()}"
        place.mkdir(exist_ok=True)
        return place


@dataclass(frozen=True)
class Answer:
    """What came of a piece: the mutation in words, and its effect or the sentence that refused it."""

    outcome: Outcome
    mutation: str
    effect: str = ""
    seconds: float = 0.0
    peak_mb: float = 0.0


def answer(mutation: str, judge: Callable[[], tuple[Outcome, str]]) -> Answer:
    """Judge a piece, and watch what it takes; whatever it raises is an outcome."""
    start = time.process_time()
    with _peak() as peak:
        try:
            outcome, effect = judge()
        except UlcermeterError as error:
            outcome, effect = refused(str(error), several=len(error.problems) > 1)
        except MemoryError as error:
            outcome, effect = Outcome.MEMORY, repr(error)
        except Exception as error:  # noqa: BLE001 - to be counted
            outcome, effect = Outcome.TRACEBACK, f"{type(error).__name__}: {error}"
    result = Answer(outcome, mutation, effect, time.process_time() - start, peak[0])
    if result.peak_mb > MOST_MB:
        return replace(result, outcome=Outcome.MEMORY, effect=f"{result.peak_mb:.0f} MB; {effect}")
    return replace(result, outcome=Outcome.HANG) if result.seconds > MOST_S else result


def refused(said: str, *, several: bool = False) -> tuple[Outcome, str]:
    """Count a refusal as one only where it is a sentence: one line (or one a fault), and no fault of ours."""
    one_line = several or "\n" not in said.strip()
    if not said or not one_line or "a fault of ours" in said or "Traceback" in said:
        return Outcome.TRACEBACK, said
    return Outcome.REFUSED, said


def sentence_kind(said: str) -> str:
    """Return a sentence without its names and numbers, to count alike ones together."""
    return re.sub(r"\d[\d.]*", "N", re.sub(r"\S*/\S+", "FILE", said.replace("\n", " | ")))[:110]


@contextmanager
def _peak() -> Iterator[list[float]]:
    """Yield a list that holds the process's largest memory meanwhile, million bytes, where the system tells (Linux)."""
    peak = [0.0]
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        yield peak
        return
    yield peak
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    peak[0] = int(found[1]) * 1024 / 1e6 if found else 0.0


__all__ = [
    "FAULTS", "MOST_MB", "MOST_S", "TOLERANCE_MM", "Answer", "Outcome", "Piece", "Refusal", "answer", "refused",
    "sentence_kind",
]  # fmt: skip
