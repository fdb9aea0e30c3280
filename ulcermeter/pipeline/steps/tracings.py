"""A reader's tracing: a mask picture, outlines of another tool, or an outlines.csv that was corrected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Photo, Points
from ulcermeter.errors import PhotoError, Problem, TableError
from ulcermeter.geometry import distance_outside
from ulcermeter.photo import read_shares
from ulcermeter.photo.outline_files import JSON_SUFFIXES, outlines_in_json
from ulcermeter.segmentation.tracings import trace_mask
from ulcermeter.study.rules import plain_path, spell_paths
from ulcermeter.tables import conform
from ulcermeter.tables.cells import unguarded

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Tracing", "read_tracing"]

# How far a click may lie off its outline, px of the photo or a part of the outline's own size: clicks are made by hand,
# and the edge may have been corrected since. Wider, the click of an outline that was taken out would find a neighbour.
# Both are assumptions.
_REACH_PX = 6.0
_REACH_OF_SIZE = 0.1


@dataclass(frozen=True)
class Tracing:
    """A reader's tracing, as one of the two that `ulcermeter.segmentation.segment` takes.

    Attributes
    ----------
    mask : float (M, N) in 0..1, or None
        The share of each photo pixel that is ulcer.
    outlines : tuple of float64 (K, 2), or None
        Photo px (x, y).
    """

    mask: NDArray[np.floating] | None = None
    outlines: tuple[Points, ...] | None = None


def read_tracing(
    path: Path, *, photo: Photo, row: Mapping[str, str], click: tuple[float, float] | None = None
) -> Tracing:
    """Read a tracing.

    Parameters
    ----------
    path : Path
        A mask picture of the photo's own size, a LabelMe, COCO or GeoJSON file, or a CSV file with the columns of
        outlines.csv.
    photo : Photo
    row : mapping
        Its ``photo``, ``hand`` and ``finger`` choose the outlines.
    click : (float, float), optional
        The row's click, photo pixels: it chooses the one outline that it lies in, or the nearest within a few pixels.
        A finger with several ulcers stands in several rows, and each must get its own ulcer alone.

    Returns
    -------
    Tracing

    Raises
    ------
    PhotoError
        Missing, not readable, of another size, or without an outline of this photo or at the click.
    """
    if not path.is_file():
        raise PhotoError(
            Problem(where=f"the tracing {row.get('mask')}", expected="a file", got="none", action="check the path")
        )
    name = row.get("mask", "")
    if path.suffix.lower() == ".csv":
        outlines = _outlines(path, photo, row)
    elif path.suffix.lower() in JSON_SUFFIXES:
        outlines = _outlines_in_json(path, photo, row)
    else:
        mask = read_shares(path, photo.pixels.shape[:2], orientation=photo.orientation)
        if click is None or not (mask > 0.5).any():
            return Tracing(mask=mask)
        outlines = trace_mask(mask)
    return Tracing(outlines=tuple(outlines) if click is None else (_at_click(name, outlines, click),))


def _outlines_in_json(path: Path, photo: Photo, row: Mapping[str, str]) -> list[Points]:
    name, shape = row.get("photo") or photo.path.name, photo.pixels.shape[:2]
    outlines, masks = outlines_in_json(path, photo=plain_path(name), shape=shape)
    outlines += [outline for mask in masks for outline in trace_mask(mask)]
    if not outlines:
        raise PhotoError(
            Problem(
                where=f"the tracing {row.get('mask')}",
                expected=f"an outline of {name}",
                got="none",
                action="leave the mask cell empty, or say healed in reader_state where there is no ulcer",
            )
        )
    for outline in outlines:
        _check_on_photo(f"the tracing {row.get('mask')}", outline, photo)
    return outlines


def _at_click(name: str, outlines: Sequence[Points], click: tuple[float, float]) -> Points:
    """Choose the outline that a click lies in, of several the one whose middle is nearest; else the nearest."""
    off = [distance_outside(one, click) for one in outlines]
    middles = [float(np.hypot(*(one.mean(axis=0) - click))) for one in outlines]
    best = min(range(len(outlines)), key=lambda k: (off[k], middles[k]))
    if off[best] > max(_REACH_PX, _REACH_OF_SIZE * float(np.ptp(outlines[best], axis=0).max())):
        raise PhotoError(
            Problem(
                where=f"the tracing {name}",
                expected=f"an outline at the row's click ({click[0]:g}, {click[1]:g})",
                got=f"none nearer than {off[best]:.0f} px",
                action="move the click onto its ulcer, or leave the row out where there is none",
            )
        )
    return outlines[best]


def _outlines(path: Path, photo: Photo, row: Mapping[str, str]) -> list[Points]:
    import pandas as pd

    name = row.get("mask", "")
    try:
        raw = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig").map(unguarded)
        frame = conform("outlines", spell_paths(raw))
    except (ValueError, OSError, TableError) as error:
        raise PhotoError(
            Problem(
                where=f"the tracing {name}",
                expected="the columns of outlines.csv",
                got=f"what lacks them ({error})",
                action="hand back what run wrote",
            )
        ) from error
    mine = np.ones(len(frame), dtype=bool)
    for column in ("photo", "hand", "finger"):
        if given := row.get(column):
            mine &= (frame[column] == (plain_path(given) if column == "photo" else given)).to_numpy()
    own = frame[mine]
    if own.empty:
        raise PhotoError(
            Problem(
                where=f"the tracing {name}",
                expected=f"an outline of {row.get('photo')}, {row.get('hand')} {row.get('finger')}",
                got="none",
                action="leave the mask cell empty, or say healed in reader_state where there is no ulcer",
            )
        )
    return [_polygon(name, str(label), part, photo) for label, part in own.groupby("label", sort=True)]


def _polygon(name: str, label: str, part: pd.DataFrame, photo: Photo) -> Points:
    again = part.loc[part["vertex"].duplicated(), "vertex"]
    if len(again):
        raise PhotoError(
            Problem(
                where=f"the tracing {name}, label {label}",
                expected="each vertex once",
                got=f"vertex {again.iloc[0]} twice",
                action="give each outline a label of its own",
            )
        )
    points = part.sort_values("vertex")[["x_px", "y_px"]].to_numpy(dtype=np.float64)
    if len(points) < 3 or not np.isfinite(points).all():
        raise PhotoError(
            Problem(
                where=f"the tracing {name}, label {label}",
                expected="at least 3 vertices with x_px and y_px",
                got=f"{len(points)}, or one without a number",
                action="draw it again",
            )
        )
    _check_on_photo(f"the tracing {name}, label {label}", points, photo)
    return points


def _check_on_photo(where: str, points: Points, photo: Photo) -> None:
    rows, cols = photo.pixels.shape[:2]
    if (points < -0.5).any() or (points > np.array([cols, rows]) - 0.5).any():
        raise PhotoError(
            Problem(
                where=where,
                expected=f"vertices on the upright photo of {cols} × {rows} px",
                got=f"{points.min(axis=0).round(1).tolist()} to {points.max(axis=0).round(1).tolist()}",
                action="trace the photo itself",
            )
        )
