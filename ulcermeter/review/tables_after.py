"""The tables after readings: written anew beside the page's work, in a process of its own, and once more at the end."""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Lock, Timer

from ulcermeter.errors import UlcermeterError
from ulcermeter.pipeline.finish import finish_again, study_of_run
from ulcermeter.readings import EMPTY_HEAD, log_head
from ulcermeter.store.reading import read_record

__all__ = ["TablesAfter"]

_log = logging.getLogger(__name__)
# After so long without an edit the tables are written: a reader's pause, s (assumption).
_IDLE_S = 4.0


class TablesAfter:
    """Writes a results folder's tables once nothing was read for some seconds."""

    def __init__(self, root: Path, study: str | Path | None) -> None:
        self.root, self.study = root, study
        self._timer: Timer | None = None
        self._process: BaseProcess | None = None
        self._lock = Lock()

    def are_behind(self) -> bool:
        """Whether the log has entries that the tables were not written from, also of a program that was killed."""
        written = read_record(self.root).get("log")
        head = written.get("head", EMPTY_HEAD) if isinstance(written, Mapping) else EMPTY_HEAD
        return bool(head != log_head(self.root)[0])

    def changed(self) -> None:
        """Take note of an edit."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = Timer(_IDLE_S, self._start)
            self._timer.daemon = True
            self._timer.start()

    def _start(self) -> None:
        with self._lock:
            if self._process is not None and self._process.is_alive():
                self._timer = Timer(_IDLE_S, self._start)
                self._timer.daemon = True
                self._timer.start()
                return
            context = multiprocessing.get_context("spawn")
            self._process = context.Process(target=_write, args=(self.root, self.study), daemon=True)
            self._process.start()

    def end(self) -> None:
        """Wait for what is being written, then write everything, overlays too."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
        if self._process is not None:
            self._process.join()
        finish_again(self.root, study=study_of_run(self.root, self.study))


def _write(root: Path, study: str | Path | None) -> None:
    try:
        finish_again(root, study=study_of_run(root, study), overlays=False)
    except UlcermeterError as error:
        _log.warning("%s", error)
