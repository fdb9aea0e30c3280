"""A reader's tracing: a mask picture, or an outlines.csv that was corrected and handed back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ulcermeter.errors import PhotoError, TableError
from ulcermeter.photo import read_mask
from ulcermeter.study import unguarded
from ulcermeter.tables import conform

if TYPE_CHECKING:
    from ulcermeter.datatypes import Photo

__all__ = ["read_tracing"]


def read_tracing(path: Path, *, photo: Photo, row: Mapping[str, Any]) -> dict[str, Any]:
    """Read a tracing as the keyword that `ulcermeter.segmentation.segment` takes it by.

    Parameters
    ----------
    path : Path
        A mask picture of the photo's own size, or a CSV file with the columns of outlines.csv.
    photo : Photo
    row : mapping
        Its ``photo``, ``hand`` and ``finger`` choose the outlines.

    Returns
    -------
    dict
        ``{"mask": ...}`` or ``{"outline": [float64 (K, 2), ...]}``, in photo pixels.

    Raises
    ------
    PhotoError
        Missing, not readable, of another size, or without an outline of this photo.
    """
    if not path.is_file():
        raise PhotoError(f"the tracing {row.get('mask')}: expected a file, got none; check the path")
    if path.suffix.lower() != ".csv":
        return {"mask": read_mask(path, photo.pixels.shape[:2])}
    return {"outline": _outlines(path, photo, row)}


def _outlines(path: Path, photo: Photo, row: Mapping[str, Any]) -> list[np.ndarray]:
    import pandas as pd

    name = str(row.get("mask"))
    try:
        raw = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig").map(unguarded)
        frame = conform("outlines", raw)
    except (ValueError, OSError, TableError) as error:
        raise PhotoError(
            f"the tracing {name}: expected the columns of outlines.csv, got: {error}; hand back what run wrote"
        ) from error
    mine = np.ones(len(frame), dtype=bool)
    for column in ("photo", "hand", "finger"):
        if row.get(column):
            mine &= (frame[column] == row[column]).to_numpy()
    own = frame[mine]
    if own.empty:
        raise PhotoError(
            f"the tracing {name}: expected an outline of {row.get('photo')}, {row.get('hand')} {row.get('finger')}, "
            "got none; leave the mask cell empty, or say healed in reader_state where there is no ulcer"
        )
    return [_polygon(name, label, part, photo) for label, part in own.groupby("label", sort=True)]


def _polygon(name: str, label: Any, part: Any, photo: Photo) -> np.ndarray:
    again = part.loc[part["vertex"].duplicated(), "vertex"]
    if len(again):
        raise PhotoError(
            f"the tracing {name}, label {label}: expected each vertex once, got vertex {again.iloc[0]} twice; give "
            "each outline a label of its own"
        )
    points = part.sort_values("vertex")[["x_px", "y_px"]].to_numpy(dtype=np.float64)
    rows, cols = photo.pixels.shape[:2]
    if len(points) < 3 or not np.isfinite(points).all():
        raise PhotoError(
            f"the tracing {name}, label {label}: expected at least 3 vertices with x_px and y_px; draw it again"
        )
    if (points < -0.5).any() or (points > np.array([cols, rows]) - 0.5).any():
        raise PhotoError(
            f"the tracing {name}, label {label}: expected vertices on the upright photo of {cols} × {rows} px, got "
            f"{points.min(axis=0).round(1).tolist()} to {points.max(axis=0).round(1).tolist()}; trace the photo itself"
        )
    return points
