"""What a reader's outline is measured with, as bytes and back: arrays and plain values, nothing that could run."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from ulcermeter.datatypes import Calibration, CameraInfo, Finger, Framing, LensProfile, PhotoGeometry
from ulcermeter.reference import parse_reference

__all__ = ["geometry_bytes", "geometry_from_bytes"]

_ARRAYS = ("pixel_to_mm", "draws", "points_px", "points_mm", "points_covariance_px2", "reference_outline_px")
_OF_FINGER = ("outline_mm", "radii_mm")


def geometry_bytes(geometry: PhotoGeometry) -> bytes:
    """Return a photo's geometry as bytes; the calibration's warnings, which stand in the photo's row, are left out.

    Parameters
    ----------
    geometry : PhotoGeometry

    Returns
    -------
    bytes
    """
    calibration, finger = geometry.calibration, geometry.finger
    arrays = {name: getattr(calibration, name) for name in _ARRAYS}
    plain: dict[str, Any] = {
        field.name: getattr(calibration, field.name)
        for field in fields(Calibration)
        if field.name not in (*_ARRAYS, "warnings")
    }
    plain["reference"] = str(calibration.reference)
    plain["lens"] = None if calibration.lens is None else asdict(calibration.lens)
    if finger is not None:
        arrays |= {f"finger_{name}": getattr(finger, name) for name in _OF_FINGER}
        plain["finger"] = {f.name: getattr(finger, f.name) for f in fields(Finger) if f.name not in _OF_FINGER}
    out = io.BytesIO()
    text = json.dumps(plain, default=_plain).encode()
    np.savez_compressed(out, plain=np.frombuffer(text, np.uint8), **arrays)
    return out.getvalue()


def geometry_from_bytes(content: bytes) -> PhotoGeometry:
    """Undo `geometry_bytes`, every number bit for bit.

    Parameters
    ----------
    content : bytes

    Returns
    -------
    PhotoGeometry
    """
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        plain = json.loads(arrays["plain"].tobytes())
        of_finger = plain.pop("finger", None)
        calibration = Calibration(
            **plain
            | {name: arrays[name] for name in _ARRAYS}
            | {"reference": parse_reference(plain["reference"]), "lens": _lens(plain["lens"])}
            | {"shape": tuple(plain["shape"])}
        )
        if of_finger is None:
            return PhotoGeometry(calibration, None)
        values = _with_tuples(of_finger) | {name: arrays[f"finger_{name}"] for name in _OF_FINGER}
        return PhotoGeometry(calibration, Finger(**values))


def _lens(values: dict[str, Any] | None) -> LensProfile | None:
    if values is None:
        return None
    camera = _with_tuples(values["camera"])
    camera["framing"] = Framing(camera["framing"])
    return LensProfile(**_with_tuples(values) | {"camera": CameraInfo(**camera)})


def _with_tuples(values: dict[str, Any]) -> dict[str, Any]:
    """Return values as the records hold them: JSON knows lists alone."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Framing):
        return value.value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(f"expected a plain value in a photo's geometry, got {type(value).__name__}")
