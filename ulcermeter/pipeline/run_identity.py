"""What a run is given beside its photos: the lens and the model, opened once before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import ulcermeter
from ulcermeter.errors import ModelError, Problem
from ulcermeter.files import Json
from ulcermeter.isolation import Limits, Lost, Workers
from ulcermeter.provenance import file_sha256, run_id

if TYPE_CHECKING:
    from ulcermeter.datatypes import LensProfile
    from ulcermeter.protocol import Protocol

__all__ = ["Identity", "identify", "read_lens"]


@dataclass(frozen=True)
class Identity:
    """The identity of a run and what it was made from; see `ulcermeter.provenance.run_id`."""

    run_id: str
    parameters: dict[str, Json]
    model_sha256: str


def identify(
    protocol: Protocol, *, model: str | Path | None, lens: LensProfile | None, limits: Limits | None = None
) -> Identity:
    """Try the model and name the run.

    Parameters
    ----------
    protocol : Protocol
        The trial's rules.
    model : str | Path or None
        An ONNX file; None for the shipped network.
    lens : LensProfile or None
        A lens profile; None for none.
    limits : Limits, optional
        Time and memory of one photo.

    Returns
    -------
    Identity

    Raises
    ------
    ModelError
        The model cannot be used.
    """
    from ulcermeter.finger.network import WEIGHTS as FINGER_WEIGHTS
    from ulcermeter.quality.skin_network import WEIGHTS as SKIN_WEIGHTS

    parameters: dict[str, Json] = {
        "camera": "" if lens is None else repr(lens),
        "finger_network_sha256": _weights_sha256(FINGER_WEIGHTS),
        "skin_network_sha256": _weights_sha256(SKIN_WEIGHTS),
    }
    model_sha256 = _sha256_of(model, limits)
    identity = run_id(
        version=ulcermeter.__version__,
        protocol_sha256=protocol.sha256,
        parameters=parameters,
        model_sha256=model_sha256,
    )
    return Identity(identity, parameters, model_sha256)


def _weights_sha256(path: Path) -> str:
    try:
        return file_sha256(path)
    except OSError as error:
        raise ModelError(
            Problem(
                expected=f"the package's weights at {path}",
                got=str(error.strerror or error),
                action="install the package again, with its weights",
            )
        ) from error


def _sha256_of(model: str | Path | None, limits: Limits | None) -> str:
    """Return the model's hash; another one than the shipped is tried first, in a process that it may crash."""
    from ulcermeter.segmentation.network import WEIGHTS, try_model

    if model is None:
        return _weights_sha256(WEIGHTS)
    with Workers(limits=limits) as workers:
        _, came = next(workers.each(try_model, [model]))
    if isinstance(came, Lost):
        raise ModelError(
            Problem(
                expected=f"an ONNX network in {model}",
                got=f"a file on which the process that runs it {came.fate.value} ({came.ended_by})",
                action="train one with `ulcermeter train`",
            )
        )
    return str(came)


def read_lens(camera: str | Path | None) -> LensProfile | None:
    """Read a lens profile as ``ulcermeter camera`` writes it; None for none.

    Parameters
    ----------
    camera : str | Path or None
        The file of the profile; None for none.

    Returns
    -------
    LensProfile or None
    """
    if camera is None:
        return None
    from ulcermeter.calibration.geometry.camera import read_lens as read

    profile: LensProfile = read(camera)
    return profile
