"""A process that is killed at any moment loses no entry that it had confirmed."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from ulcermeter.readings import ReadingLog, check_log

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def write_until_killed(root: Path, confirmed: int) -> None:
    log = ReadingLog(root)
    for _ in range(100):
        entry = log.append(who="R1", action="reading edit", after={"outline": [[0.1, 0.2]] * 200})
        os.write(confirmed, f"{entry.number}\n".encode())
    signal.pause()


def test_killed_at_twenty_random_moments(tmp_path: Path) -> None:
    rng, kept = random.Random(7), 0
    for _ in range(20):
        parent_end, child_end = os.pipe()
        child = os.fork()
        if child == 0:
            write_until_killed(tmp_path, child_end)
        os.close(child_end)
        with os.fdopen(parent_end) as lines:
            first = int(lines.readline())
            time.sleep(rng.uniform(0, 0.02))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            numbers = [first, *(int(line) for line in lines.read().split("\n") if line)]
        last = max(numbers)
        kept = len(ReadingLog(tmp_path).entries())
        assert kept >= last and check_log(tmp_path) == []
    assert kept > 0
