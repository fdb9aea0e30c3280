"""What the page sends, checked: nothing of it is measured or written down that is no reading."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from ulcermeter.datatypes import Points
from ulcermeter.errors import PhotoError, Problem
from ulcermeter.files import JsonObject
from ulcermeter.readings import PlaceReading, PlaceVerdict, UlcerReading, UlcerVerdict
from ulcermeter.review.items import Item

__all__ = ["check_identity", "check_outline", "numbers_sent", "points_sent", "prompt_sent", "reading_sent"]

# More than any photo has; what a hostile page sends is refused before it is measured.
_MOST_VERTICES, _MOST_ULCERS, _LARGEST_LABEL = 20_000, 50, 999
_MOST_WORDS, _MOST_ID = 500, 200


def reading_sent(item: Item, state: JsonObject, empty: PlaceReading) -> PlaceReading:
    """Return the reading that a state stands for.

    Parameters
    ----------
    item : Item
        What it is of.
    state : mapping
        The keys verdict, why and ulcers; those of another mode of reading are not looked at.
    empty : PlaceReading
        A reading of the same item that says nothing: whose it is and how it was made.

    Returns
    -------
    PlaceReading

    Raises
    ------
    ValueError, KeyError, TypeError
        A state that is none.
    PhotoError
        An identity that is none.
    """
    given = list(state["ulcers"])
    if len(given) > _MOST_ULCERS:
        raise ValueError("too many ulcers")
    ulcers = tuple(_ulcer(item, one) for one in given)
    if len({ulcer.label for ulcer in ulcers}) != len(ulcers):
        raise ValueError("a label stands twice")
    return PlaceReading(
        **{name: getattr(empty, name) for name in ("reader", "place", "photo_sha256", "run_id", "occasion")},
        adjudicated=empty.adjudicated,
        whole=empty.whole,
        verdict=PlaceVerdict(state.get("verdict", "")),
        ulcers=ulcers,
        why=str(state.get("why", ""))[:_MOST_WORDS],
    )


def _ulcer(item: Item, one: JsonObject) -> UlcerReading:
    label, verdict = int(one["label"]), UlcerVerdict(one["verdict"])
    given = one.get("outline_px")
    shown, outline = item.outlines.get(label), None if given is None else points_sent(given)
    if not 1 <= label <= _LARGEST_LABEL or (shown is None) is not (verdict is UlcerVerdict.ADDED):
        raise ValueError("what was not shown can only be added, what was shown cannot be")
    if verdict is UlcerVerdict.ACCEPTED:
        outline = shown  # every vertex as it was, whatever the page makes of it
    if verdict in (UlcerVerdict.EDITED, UlcerVerdict.ADDED) and outline is None:
        raise ValueError("an outline is missing")
    if verdict in (UlcerVerdict.NO_ULCER, UlcerVerdict.MERGED):
        outline = None
    words = {name: str(one.get(name, "") or "").strip()[:_MOST_ID] for name in ("ulcer_id", "why")}
    check_identity(item, words["ulcer_id"])
    return UlcerReading(label, verdict, outline, shown, **words)


def points_sent(given: ArrayLike) -> Points:
    """Return points (x, y) that the page sends, photo px.

    Parameters
    ----------
    given : list of [x, y]

    Returns
    -------
    float64 (K, 2)

    Raises
    ------
    ValueError, TypeError
        Something else.
    """
    points = np.asarray(given, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) > _MOST_VERTICES or not np.isfinite(points).all():
        raise ValueError("expected a list of points (x, y)")
    return points


def numbers_sent(given: Iterable[float | str], count: int) -> tuple[float, ...]:
    """Return so many numbers that the page sends.

    Parameters
    ----------
    given : list of float
    count : int

    Returns
    -------
    tuple of float

    Raises
    ------
    ValueError, TypeError
        Something else.
    """
    values = tuple(float(value) for value in given)
    if len(values) != count or not all(math.isfinite(value) for value in values):
        raise ValueError("numbers of another count")
    return values


def prompt_sent(given: JsonObject, shape: tuple[int, int]) -> JsonObject:
    """Return where the network is to look: one of click, box and stroke, on a photo of (rows, columns).

    Parameters
    ----------
    given : mapping
    shape : (int, int)

    Returns
    -------
    dict
        The keyword and value that `ulcermeter.review.shapes.find_outline` takes.

    Raises
    ------
    PhotoError
        It is off the photo.
    ValueError, KeyError, TypeError
        Something else.
    """
    if "stroke" in given:
        stroke = points_sent(given["stroke"])
        check_outline(stroke, shape)
        return {"stroke": stroke}
    name, count = ("box", 4) if "box" in given else ("click", 2)
    values = numbers_sent(given[name], count)
    far = (values[0] + values[2], values[1] + values[3]) if name == "box" else values
    corners = np.array([values[:2], far, values[:2]])
    if name == "box" and min(values[2:]) <= 0:
        raise ValueError("a box without an inside")
    check_outline(corners, shape)
    return {name: values}


def check_identity(item: Item, ulcer_id: str) -> None:
    """Refuse an identity that no ulcer of an item's finger can have.

    Parameters
    ----------
    item : Item
    ulcer_id : str
        Empty for none.

    Raises
    ------
    PhotoError
        Not the finger's name with a number behind it.
    """
    stem = "-".join(item.whose)
    if ulcer_id and not (ulcer_id.startswith(f"{stem}-") and ulcer_id[len(stem) + 1 :].isdecimal()):
        raise PhotoError(
            Problem(expected=f"an ulcer of this finger, such as {stem}-1", got=f"'{ulcer_id}'", action="mend the id")
        )


def check_outline(outline: Points, shape: tuple[int, int]) -> None:
    """Refuse what is no outline on a photo of (rows, columns).

    Parameters
    ----------
    outline : float64 (K, 2)
    shape : (int, int)

    Raises
    ------
    PhotoError
        Fewer than three vertices, too many, or off the photo.
    """
    rows, cols = shape
    inside = np.isfinite(outline).all() and (outline >= -0.5).all() and (outline <= np.array([cols, rows]) - 0.5).all()
    if not 3 <= len(outline) <= _MOST_VERTICES or not inside:
        raise PhotoError(
            Problem(
                expected=f"an outline of 3 vertices or more on the photo of {cols} × {rows} px",
                got=f"{len(outline)} vertices" + ("" if inside else ", some of them off the photo"),
                action="draw it on the photo",
            )
        )
