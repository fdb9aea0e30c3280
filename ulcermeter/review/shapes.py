"""What is done to whole outlines: joined, cut in two, and found anew by the network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ulcermeter.calibration import rectify
from ulcermeter.calibration.card.colour import standardise_colour
from ulcermeter.datatypes import Box, Calibration, Photo, Points
from ulcermeter.errors import PhotoError, Problem
from ulcermeter.pipeline.steps.prompt import Prompt
from ulcermeter.pipeline.steps.window import choose_spacing, choose_window
from ulcermeter.segmentation import segment

if TYPE_CHECKING:
    from ulcermeter.protocol import Protocol

__all__ = ["cut_outline", "find_outline", "join_outlines"]


def join_outlines(outlines: Sequence[Points]) -> Points:
    """Return the outline of what several enclose together; the hull of all where they do not touch.

    Parameters
    ----------
    outlines : sequence of float64 (K, 2)

    Returns
    -------
    float64 (K, 2)
    """
    from shapely import MultiPoint, Polygon, union_all

    joined = union_all([Polygon(one).buffer(0) for one in outlines])
    if joined.geom_type != "Polygon":
        joined = MultiPoint(np.vstack(outlines)).convex_hull
    return np.asarray(joined.exterior.coords, dtype=np.float64)[:-1]


def cut_outline(outline: Points, line: Points) -> list[Points]:
    """Cut an outline along a line; the two largest parts.

    Parameters
    ----------
    outline : float64 (K, 2)
    line : float64 (L, 2)
        It must run from outside to outside.

    Returns
    -------
    list of two float64 (K, 2)

    Raises
    ------
    PhotoError
        The line does not part it.
    """
    from shapely import LineString, Polygon
    from shapely.ops import split

    parts = [part for part in split(Polygon(outline).buffer(0), LineString(line)).geoms if part.geom_type == "Polygon"]
    if len(parts) < 2:
        raise PhotoError(
            Problem(expected="a line that parts the ulcer in two", got="one that does not", action="draw it across")
        )
    parts = sorted(parts, key=lambda part: -part.area)[:2]
    return [np.asarray(part.exterior.coords, dtype=np.float64)[:-1] for part in parts]


def find_outline(
    photo: Photo,
    calibration: Calibration,
    *,
    protocol: Protocol,
    click: tuple[float, float] | None = None,
    box: Box | None = None,
    stroke: Points | None = None,
    model: str | None = None,
) -> list[Points]:
    """Ask the network for the ulcer at a click, in a box or along a rough stroke.

    Parameters
    ----------
    photo : Photo
    calibration : Calibration
        Of the same photo.
    protocol : Protocol
    click : (x, y), photo px
    box : x, y, width, height, photo px
    stroke : float64 (K, 2), photo px
        A rough outline.
    model : str, optional
        Another network than the shipped one.

    Returns
    -------
    list of float64 (K, 2)
        Photo px; empty where the network finds nothing there.
    """
    if stroke is not None:
        low, high = stroke.min(axis=0), stroke.max(axis=0)
        box_of_stroke = (float(low[0]), float(low[1]), *(float(value) for value in high - low))
        prompt = Prompt(box=box_of_stroke)  # type: ignore[arg-type]
    else:
        prompt = Prompt(click=click, box=box)
    balanced, _ = standardise_colour(photo, calibration)
    window = choose_window(photo, calibration, prompt, protocol=protocol)
    spacing = choose_spacing(photo, calibration, window=window, at=prompt.place(photo))
    rectified = rectify(balanced, calibration, spacing_mm=spacing, window=window)
    found = segment(rectified, click=click, box=box, outline=stroke, model=model, protocol=protocol)
    return list(found.outlines)
