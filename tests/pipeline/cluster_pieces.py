"""Work for a cluster's machines: what goes wrong there, in the process that a worker has for a photo."""

from __future__ import annotations

import os
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from ulcermeter.datatypes import PhotoResult


def who(piece: object) -> tuple[int, int]:
    """Take a moment, and return this process and its worker."""
    time.sleep(0.05)
    return os.getpid(), os.getppid()


def kill_worker_once(marker: Path | None) -> tuple[int, int]:
    """End the worker on a piece that names a file, the first time."""
    if marker is not None and not marker.exists():
        marker.touch()
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)
    return who(marker)


def kill_worker(log: Path | None) -> tuple[int, int]:
    """End the worker on a piece that names a file, each time, and write down which."""
    if log is not None:
        with log.open("a") as file:
            file.write(f"{os.getppid()}\n")
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)
    return who(log)


def first_only(task: Any) -> PhotoResult:
    """Be done with a study's first row, and never with another."""
    if task.row["photo"] != "photos/S01_screening.jpg":
        time.sleep(600)
    return PhotoResult({**task.row, "status": "refused"}, (), ())


def be_scheduler(pipe: Connection) -> None:
    """Be a dask scheduler with a worker, until killed."""
    import asyncio

    from distributed import Scheduler, Worker

    async def serve() -> None:
        scheduler = await Scheduler(host="127.0.0.1", port=0, dashboard_address=None)
        await Worker(scheduler.address, nthreads=1)
        pipe.send(scheduler.address)
        await scheduler.finished()

    asyncio.run(serve())
