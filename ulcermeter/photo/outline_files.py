"""Outlines as other tools write them: LabelMe, COCO and GeoJSON, in; LabelMe and GeoJSON, out.

These three count from the upper left corner of the first pixel, whose centre is (0.5, 0.5) there and (0, 0) here: half
a pixel lies between, on every side the same way. Without it a square of n pixels is n wide all the same, but half a
pixel away; with an outline through the outer pixels' centres, as OpenCV's contours run, it would be n - 1.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Mask, Points
from ulcermeter.errors import PhotoError, Problem
from ulcermeter.files import Json, read_file

__all__ = ["JSON_SUFFIXES", "geojson_of", "labelme_of", "outlines_in_json"]

JSON_SUFFIXES = (".json", ".geojson")
_CORNER = 0.5
"""These forms count from the corner of the first pixel, the photo from its centre, px."""
_MOST_MB = 100
"""Largest file that is read, million bytes: far more than outlines take (assumption)."""
_CIRCLE_POINTS = 180
"""Of a circle as an outline: its area is short by 0.02 %."""


def outlines_in_json(path: Path, *, photo: str, shape: tuple[int, int]) -> tuple[list[Points], list[Mask]]:
    """Read the outlines of one photo from a LabelMe, COCO or GeoJSON file.

    Parameters
    ----------
    path : Path
    photo : str
        As the study names it: a file of several photos is searched for it, or for its last part.
    shape : (int, int)
        Rows and columns of the upright photo.

    Returns
    -------
    list of float64 (K, 2)
        Photo px, (0, 0) the centre of the first pixel.
    list of bool (M, N)
        Masks, where COCO holds run lengths in the place of polygons.

    Raises
    ------
    PhotoError
        Not such a file, of another size, of another photo, or with shapes that are no areas.
    """
    try:
        content = json.loads(read_file(path, most_mb=_MOST_MB))
        if isinstance(content, dict) and "shapes" in content:
            return _from_labelme(content, shape), []
        if isinstance(content, dict) and "annotations" in content:
            return _from_coco(content, photo, shape)
        if isinstance(content, dict | list):
            return _from_geojson(content, photo), []
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise _other(path.name, f"a file that is none ({type(error).__name__}: {error})") from error
    raise _other(path.name, "JSON of something else")


def _other(where: str, got: str, action: str = "export it again as one of these, or as a mask") -> PhotoError:
    expected = "outlines as LabelMe, COCO or GeoJSON write them"
    return PhotoError(Problem(where=where, expected=expected, got=got, action=action))


def _points(values: Any) -> Points:
    points = np.asarray(values, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] < 2 or len(points) < 3 or not np.isfinite(points).all():
        raise ValueError("a shape is no list of three or more points (x, y)")
    points = points[:, :2]
    closed = len(points) > 3 and np.array_equal(points[0], points[-1])
    return points[: -1 if closed else None] - _CORNER


def _check_shape(given: tuple[Any, Any], shape: tuple[int, int], where: str) -> None:
    if None not in given and tuple(int(n) for n in given) != tuple(shape):
        got = f"{given[1]} × {given[0]} px"
        raise PhotoError(
            Problem(
                where=where,
                expected=f"outlines of the upright photo of {shape[1]} × {shape[0]} px",
                got=got,
                action="draw them on the photo itself, upright and at its own size",
            )
        )


def _only_ulcers(named: Sequence[tuple[str, Any]], where: str) -> list[Any]:
    """Return the shapes that are ulcers: all where they bear one name, else those whose name says so."""
    names = sorted({name for name, _ in named})
    if len(names) <= 1:
        return [shape for _, shape in named]
    ulcers = [shape for name, shape in named if "ulcer" in name.casefold() or "wound" in name.casefold()]
    if not ulcers:
        got = f"{', '.join(names)}"
        raise _other(where, f"shapes named {got}, none of them an ulcer", "name the ulcers' shapes ulcer")
    return ulcers


# --- LabelMe ----------------------------------------------------------------------------------------------------------


def _from_labelme(content: Mapping[str, Any], shape: tuple[int, int]) -> list[Points]:
    _check_shape((content.get("imageHeight"), content.get("imageWidth")), shape, "LabelMe")
    shapes = _only_ulcers([(str(one.get("label", "")), one) for one in content["shapes"]], "LabelMe")
    return [_labelme_shape(one) for one in shapes]


def _labelme_shape(one: Mapping[str, Any]) -> Points:
    kind, points = one.get("shape_type", "polygon"), one["points"]
    if kind == "polygon":
        return _points(points)
    (x0, y0), (x1, y1) = points[:2]
    if kind == "rectangle":
        return _points([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
    if kind == "circle":
        turn = 2 * np.pi * np.arange(_CIRCLE_POINTS) / _CIRCLE_POINTS
        radius = math.hypot(x1 - x0, y1 - y0)
        return _points(np.column_stack([x0 + radius * np.cos(turn), y0 + radius * np.sin(turn)]))
    raise _other("LabelMe", f"a shape of the kind '{kind}', which is no area", "draw ulcers as polygons")


def labelme_of(photo: str, shape: tuple[int, int], outlines: Iterable[tuple[int, Points]]) -> dict[str, Json]:
    """Return outlines of a photo as LabelMe holds them.

    Parameters
    ----------
    photo : str
        Its file, seen from the LabelMe file.
    shape : (int, int)
        Rows and columns of the upright photo.
    outlines : iterable of (int, float64 (K, 2))
        Label and outline, photo px.

    Returns
    -------
    dict
    """
    shapes = [
        {
            "label": "ulcer",
            "points": (np.asarray(points) + _CORNER).tolist(),
            "group_id": label,
            "description": "",
            "shape_type": "polygon",
            "flags": {},
        }
        for label, points in outlines
    ]
    rows, cols = shape
    size = {"imageData": None, "imageHeight": int(rows), "imageWidth": int(cols)}
    return {"version": "5.5.0", "flags": {}, "shapes": shapes, "imagePath": photo, **size}


# --- COCO -------------------------------------------------------------------------------------------------------------


def _from_coco(content: Mapping[str, Any], photo: str, shape: tuple[int, int]) -> tuple[list[Points], list[Mask]]:
    image = _coco_image(content.get("images", []), photo)
    _check_shape((image.get("height"), image.get("width")), shape, "COCO")
    names = {one["id"]: str(one.get("name", "")) for one in content.get("categories", [])}
    own = [one for one in content["annotations"] if one.get("image_id") == image["id"]]
    kept = _only_ulcers([(names.get(one.get("category_id"), ""), one) for one in own], "COCO")
    outlines: list[Points] = []
    masks: list[Mask] = []
    for one in kept:
        area = one["segmentation"]
        if isinstance(area, Mapping):
            masks.append(_run_lengths(area, shape))
        else:
            outlines += [_points(np.asarray(part, dtype=np.float64).reshape(-1, 2)) for part in area]
    return outlines, masks


def _coco_image(images: Sequence[Mapping[str, Any]], photo: str) -> Mapping[str, Any]:
    for wanted in (photo, PurePosixPath(photo).name):
        found = [one for one in images if str(one.get("file_name", "")).replace("\\", "/") == wanted]
        found = found or [one for one in images if PurePosixPath(str(one.get("file_name", ""))).name == wanted]
        if len(found) == 1:
            return found[0]
    raise _other("COCO", f"{len(images)} images, of which none, or more than one, is {photo}", "name it in file_name")


def _run_lengths(area: Mapping[str, Any], shape: tuple[int, int]) -> Mask:
    """Return the mask (M, N) of COCO's run lengths: down the columns, beginning with what is outside."""
    counts = area["counts"]
    if isinstance(counts, str):
        raise _other("COCO", "compressed run lengths", "export polygons, or run lengths as a list of numbers")
    _check_shape(tuple(area.get("size", (None, None))), shape, "COCO")
    inside = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    if inside.size != shape[0] * shape[1]:
        raise ValueError("the run lengths do not fill the picture")
    mask: NDArray[np.bool_] = inside.reshape(shape, order="F")
    return mask


# --- GeoJSON ----------------------------------------------------------------------------------------------------------


def _from_geojson(content: Any, photo: str) -> list[Points]:
    features = content.get("features", [content]) if isinstance(content, dict) else content
    named = []
    for feature in features:
        about = feature.get("properties") or {}
        if PurePosixPath(str(about.get("photo", photo))).name != PurePosixPath(photo).name:
            continue
        named.append((_name_of(about), feature.get("geometry", feature)))
    return [outline for one in _only_ulcers(named, "GeoJSON") for outline in _geojson_areas(one)]


def _name_of(about: Mapping[str, Any]) -> str:
    """Return what a feature is called; QuPath keeps that in its classification."""
    kind = about.get("classification")
    return str(kind.get("name", "") if isinstance(kind, Mapping) else about.get("name") or about.get("label") or "")


def _geojson_areas(geometry: Mapping[str, Any]) -> list[Points]:
    if geometry["type"] == "Polygon":
        return [_points(geometry["coordinates"][0])]
    if geometry["type"] == "MultiPolygon":
        return [_points(polygon[0]) for polygon in geometry["coordinates"]]
    raise _other("GeoJSON", f"a {geometry['type']}, which is no area", "draw ulcers as polygons")


def geojson_of(photo: str, outlines: Iterable[tuple[int, Points]]) -> dict[str, Json]:
    """Return outlines of a photo as GeoJSON, in pixels from the upper left corner of the photo.

    Parameters
    ----------
    photo : str
        Its file, kept in each feature's properties.
    outlines : iterable of (int, float64 (K, 2))
        Label and outline, photo px.

    Returns
    -------
    dict
        Rings are closed, as the form wants it.
    """
    features: list[Json] = []
    for label, points in outlines:
        ring = (np.asarray(points) + _CORNER).tolist()
        about: dict[str, Json] = {"photo": photo, "name": "ulcer", "ulcer_label": label}
        geometry = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
        features.append({"type": "Feature", "properties": about, "geometry": geometry})
    return {"type": "FeatureCollection", "features": features}
