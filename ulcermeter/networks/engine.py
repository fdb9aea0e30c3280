"""The engine: an ONNX file run by onnxruntime on a stated number of threads, the same on every run."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ulcermeter.errors import MissingDependencyError, ModelError, Problem
from ulcermeter.files import check_regular

__all__ = ["OpenNetwork", "Session", "load_onnxruntime", "open_network", "sigmoid"]

# Beyond it a logit's probability is 0 or 1 in single precision.
_SURE_LOGIT = 30


class Input(Protocol):
    """An input of a network; a side that is free has a name or None in place of a length."""

    name: str
    shape: Sequence[int | str | None]


class Session(Protocol):
    """What is used of onnxruntime's `InferenceSession`."""

    def get_inputs(self) -> Sequence[Input]:
        """Return what the network takes."""
        ...

    def run(
        self, output_names: Sequence[str] | None, input_feed: Mapping[str, NDArray[np.float32]]
    ) -> Sequence[NDArray[np.float32]]:
        """Return the outputs asked for, None for all, of inputs by name."""
        ...


@dataclass(frozen=True)
class OpenNetwork:
    """A network that is ready to run.

    Attributes
    ----------
    sha256 : str
        Of the file's bytes.
    facts : mapping of str to str
        What its training wrote beside the weights.
    """

    path: Path
    sha256: str
    facts: Mapping[str, str] = field(repr=False, compare=False)
    session: Session = field(repr=False, compare=False)

    @property
    def version(self) -> str:
        """What its training called it; empty where it says nothing."""
        return self.facts.get("version", "")

    def check_kind(self, kind: str, *, what: str) -> None:
        """Refuse a network of another kind.

        Parameters
        ----------
        kind : str
            As its training wrote it.
        what : str
            What the file should be, in words.

        Raises
        ------
        ModelError
        """
        if self.facts.get("kind") != kind:
            raise ModelError(
                Problem(
                    where=str(self.path),
                    expected=f"a model of kind {kind}",
                    got=f"kind {self.facts.get('kind') or 'unknown'}",
                    action=f"give the path of a {what}",
                )
            )


def open_network(path: Path, *, threads: int, otherwise: str) -> OpenNetwork:
    """Open an ONNX file once per process; ``otherwise`` says what to do where there is none.

    Parameters
    ----------
    path : Path
        The file.
    threads : int
        Threads of the engine.
    otherwise : str
        What to do where there is none.

    Returns
    -------
    OpenNetwork

    Raises
    ------
    ModelError
        The file is missing or damaged.
    MissingDependencyError
        onnxruntime is not installed.
    """
    try:
        check_regular(path)
    except OSError as error:
        got = "none" if isinstance(error, FileNotFoundError) else error.strerror
        raise ModelError(Problem(expected=f"a model file at {path}", got=str(got), action=otherwise)) from error
    return _open(path.resolve(), path.stat().st_mtime_ns, threads)


@lru_cache(maxsize=8)
def _open(path: Path, modified_ns: int, threads: int) -> OpenNetwork:
    onnxruntime = load_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.enable_cpu_mem_arena = True
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelError(
            Problem(expected=f"an ONNX network in {path}", got=f"a file that cannot be opened: {error}")
        ) from error
    facts = session.get_modelmeta().custom_metadata_map
    return OpenNetwork(path, hashlib.sha256(path.read_bytes()).hexdigest(), facts, session)


def sigmoid(logit: NDArray[np.floating] | float) -> NDArray[np.float32]:
    """Return the probability that a network's logit stands for.

    Parameters
    ----------
    logit : float array or float

    Returns
    -------
    float32 array
        0..1, of the same shape.
    """
    sure = np.clip(np.asarray(logit, dtype=np.float32), -_SURE_LOGIT, _SURE_LOGIT)
    return np.asarray(1 / (1 + np.exp(-sure)), dtype=np.float32)


def load_onnxruntime() -> ModuleType:
    """Import onnxruntime with its telemetry off: the one place where it is imported.

    Unless it finds the variable when it is loaded, it writes a device id and events into the home folder and sends them
    to its vendor. Where the caller has loaded it already, its own switch stops what it has not sent yet.

    Returns
    -------
    module

    Raises
    ------
    MissingDependencyError
        It is not installed.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingDependencyError(
            Problem("Running a network needs onnxruntime", action="pip install onnxruntime")
        ) from error
    onnxruntime.disable_telemetry_events()
    loaded: ModuleType = onnxruntime
    return loaded
