"""What a dask worker does for a run: says what it computes with, and measures in processes that it keeps meanwhile."""

from __future__ import annotations

import platform
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

from ulcermeter.isolation import Limits, Lost, Workers
from ulcermeter.provenance import file_sha256, package_versions

__all__ = ["Setting", "end_kept", "measure_kept", "setting_here"]

Piece = TypeVar("Piece")
Came = TypeVar("Came")

# A run that is killed says nothing to its workers: what they keep for it ends by itself, s (assumption: the next row of
# a run that goes on comes within a second).
_IDLE_S = 60.0


@dataclass(frozen=True)
class Setting:
    """What decides a row's bytes on a machine beside the row itself.

    Attributes
    ----------
    versions : mapping of str to str
        Of Python, ulcermeter and the packages that touch numbers, by name.
    files : mapping of str to str
        SHA-256 of files that all must see alike, by path; empty where there is none.
    """

    versions: Mapping[str, str]
    files: Mapping[str, str]

    def differences(self, other: Setting | Exception) -> str:
        """Return in words what another machine has that is not as here; empty where nothing differs.

        Parameters
        ----------
        other : Setting or Exception
            As `setting_here` returned it there, or why it could not.

        Returns
        -------
        str
        """
        if isinstance(other, Exception):
            return f"no ulcermeter {self.versions['ulcermeter']} ({type(other).__name__}: {other})"
        versions = [
            f"{name} {other.versions.get(name, 'missing')} (here {version})"
            for name, version in self.versions.items()
            if other.versions.get(name) != version
        ]
        files = [
            f"{path} {'changed' if other.files.get(path) else 'missing'}"
            for path, sha256 in self.files.items()
            if other.files.get(path) != sha256
        ]
        return ", ".join([*versions, *files])


def setting_here(paths: Sequence[str]) -> Setting:
    """Return what this machine computes with and what it sees of some files.

    Parameters
    ----------
    paths : sequence of str
        Files, by absolute path.

    Returns
    -------
    Setting
    """
    import ulcermeter

    # A server has OpenCV without windows: the same code under another name.
    packages = {name.removesuffix("-headless"): version for name, version in package_versions().items()}
    python = ".".join(platform.python_version_tuple()[:2])
    versions = {"python": python, "ulcermeter": ulcermeter.__version__, **packages}
    return Setting(versions, {path: _sha256(path) for path in paths})


def _sha256(path: str) -> str:
    try:
        return file_sha256(path)
    except OSError:
        return ""


def measure_kept(run: str, work: Callable[[Piece], Came], piece: Piece, limits: Limits) -> Came | Lost:
    """Do a piece of work in a process of its own, one that did another piece of the same run where one is free.

    Parameters
    ----------
    run : str
        Which run it is for; no two share a process.
    work : callable
        See `ulcermeter.isolation.Workers.each`.
    piece : object
        What it is called with.
    limits : Limits
        Of the piece.

    Returns
    -------
    object or Lost
        What came of it, or `ulcermeter.isolation.Lost`.
    """
    return _kept_for(run, limits).do(work, piece)


def end_kept(run: str) -> None:
    """End the processes that are kept for a run, whatever they are at.

    Parameters
    ----------
    run : str
        As `measure_kept` was given it.
    """
    with _lock:
        kept = _kept.pop(run, None)
    if kept is not None:
        kept.close()


class _Kept:
    """One run's processes on this machine: as many as its worker has threads."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._all: list[Workers] = []
        self._free: list[Workers] = []
        self._lock = threading.Lock()
        self._clock: threading.Timer | None = None

    def do(self, work: Callable[[Piece], Came], piece: Piece) -> Came | Lost:
        one = self._take()
        try:
            ((_, came),) = one.each(work, [piece])
            return cast("Came | Lost", came)
        finally:
            self._give_back(one)

    def close(self) -> None:
        """End all of them; the next piece starts another."""
        with self._lock:
            self._stop_clock()
            ended, self._all, self._free = self._all, [], []
        for one in ended:
            one.close()

    def _take(self) -> Workers:
        with self._lock:
            self._stop_clock()
            if not self._free:
                self._all.append(Workers(limits=self._limits))
                self._free.append(self._all[-1])
            return self._free.pop()

    def _give_back(self, one: Workers) -> None:
        with self._lock:
            if one not in self._all:  # the run has ended meanwhile
                return
            self._free.append(one)
            if len(self._free) == len(self._all):
                self._clock = threading.Timer(_IDLE_S, self.close)
                self._clock.daemon = True
                self._clock.start()

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None


_lock = threading.Lock()
_kept: dict[str, _Kept] = {}


def _kept_for(run: str, limits: Limits) -> _Kept:
    with _lock:
        if run not in _kept:
            _kept[run] = _Kept(limits)
        return _kept[run]
