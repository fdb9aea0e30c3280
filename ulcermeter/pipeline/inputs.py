"""What a run is told beside its photos: the lens and the model, opened once before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ulcermeter
from ulcermeter.provenance import run_id

if TYPE_CHECKING:
    from ulcermeter.datatypes import LensProfile
    from ulcermeter.protocol import Protocol

__all__ = ["Identity", "identify", "read_lens"]


@dataclass(frozen=True)
class Identity:
    """The identity of a run and what it was made from; see `ulcermeter.provenance.run_id`."""

    run_id: str
    parameters: dict[str, Any]
    model_sha256: str


def identify(protocol: Protocol, *, model: str | Path | None, lens: LensProfile | None) -> Identity:
    """Open the model and name the run.

    Raises
    ------
    ModelError
        The model cannot be used.
    """
    from ulcermeter.segmentation import load_model

    parameters = {"camera": "" if lens is None else repr(lens)}
    model_sha256 = load_model(model).sha256
    identity = run_id(
        version=ulcermeter.__version__,
        protocol_sha256=protocol.sha256,
        parameters=parameters,
        model_sha256=model_sha256,
    )
    return Identity(identity, parameters, model_sha256)


def read_lens(camera: str | Path | None) -> LensProfile | None:
    """Read a lens profile as ``ulcermeter camera`` writes it; None for none."""
    if camera is None:
        return None
    from ulcermeter.calibration.camera import read_lens as read

    profile: LensProfile = read(camera)
    return profile
