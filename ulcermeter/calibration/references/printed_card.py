"""The printable card: found on a shrunken photo, its corners placed at full resolution."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.calibration.card.layout import (
    CARD_MM,
    OPENING_MM,
    card_board,
    corner_places_mm,
)
from ulcermeter.calibration.card.layout import card_texture as card_texture
from ulcermeter.calibration.card.print import write_card as write_card
from ulcermeter.calibration.features.square_candidates import shrunken_grey
from ulcermeter.calibration.geometry.homography import fit_homography
from ulcermeter.calibration.references.reference import FoundReference, KindOfReference
from ulcermeter.calibration.references.search_region import cropped
from ulcermeter.datatypes import Box, LensProfile, Photo, Points, transform_points
from ulcermeter.errors import Problem, Refusal
from ulcermeter.reference import Reference, ReferenceKind

if TYPE_CHECKING:
    from ulcermeter.protocol import Protocol

__all__ = ["CARD", "card_corners", "card_texture", "find_card", "write_card"]

_LONG_SIDES_PX = (1000, 2000)
"""Of the shrunken photos: the first is quick and reads a card that fills the photo, the second a far one."""
_ENOUGH_CORNERS = 24
"""With which the second size is not tried (assumption)."""
_LEAST_CORNERS = 8
"""Twice what a homography needs."""
_LEAST_SPREAD_MM = 10.0
"""In both directions: as much as a marker of 10 mm has."""
_WINDOW_MM = 0.65
"""Half of the window in which a corner is placed: short of the markers beside it."""
_OUTLIER = 4.0
"""Robust standard deviations: one corner of 16,000 lies farther off by chance."""
_LEAST_SD_PX = 0.02
"""Of a corner's place, px: interpolation errs by as much (assumption)."""
_THRESHOLD_PX, _LEAST_PERIMETER = (9, 25), 0.015
"""Sides of the two neighbourhoods that a marker is held against, px of the shrunken photo: its thin border, and all of
a small one; and a marker's least perimeter over the photo's longer side, 4 px a side (assumption)."""
_EDGE_PX, _WINDOW_PX, _REST = 4, (2, 15), (30, 0.005)
"""Round a corner that is placed, px, and half its window, least and most; OpenCV's rounds, and px at which it rests."""
_MEDIAN_DISTANCE = 1.1774
"""Of a two-dimensional normal, in standard deviations: sqrt(2 ln 2)."""
_NEVER_OUT_PX, _ROUNDS, _LEAST_AGREEING = 0.05, 4, 0.6
"""Nearer to the plane's view a corner is no outlier; rounds of leaving them out; and share of the corners that must
agree: fewer are two cards, or one that is bent (assumption)."""


def find_card(
    photo: Photo, reference: Reference, *, region: Box | None, protocol: Protocol, lens: LensProfile | None = None
) -> FoundReference | None:
    """Find the card on a photo, or inside the region.

    Parameters
    ----------
    photo : Photo
    reference : Reference
        Of kind `CARD`.
    region : Box or None
    protocol : Protocol
    lens : LensProfile or None

    Returns
    -------
    FoundReference or None
        None where none of its markers is seen.

    Raises
    ------
    Refusal
        A card of which too little is seen.
    """
    rough, n_markers = _rough_corners(photo.pixels, region)
    if n_markers < 2:
        return None
    numbers, corners = card_corners(photo.pixels, rough)
    places = corner_places_mm()
    plane = np.array([places[n] for n in numbers]).reshape(-1, 2)
    if len(numbers) < _LEAST_CORNERS or min(np.ptp(plane, axis=0)) < _LEAST_SPREAD_MM:
        raise Refusal(
            Problem(
                where="reference card",
                expected=f"at least {_LEAST_CORNERS} of its corners over two directions",
                got=f"{len(numbers)}",
                action="show the whole card, flat, sharp and without glare",
            )
        )
    used, spread = _agreeing(corners, plane)
    return _found(corners[used], plane[used], spread)


@lru_cache(maxsize=1)
def _detector() -> cv2.aruco.CharucoDetector:
    markers = cv2.aruco.DetectorParameters()
    markers.adaptiveThreshWinSizeMin, markers.adaptiveThreshWinSizeMax = _THRESHOLD_PX
    markers.adaptiveThreshWinSizeStep = _THRESHOLD_PX[1] - _THRESHOLD_PX[0]
    markers.minMarkerPerimeterRate = _LEAST_PERIMETER
    return cv2.aruco.CharucoDetector(card_board(), cv2.aruco.CharucoParameters(), markers)


def _rough_corners(pixels: NDArray[np.uint8], region: Box | None) -> tuple[dict[int, Points], int]:
    """Return corners by number to a pixel or two of the shrunken photo, and how many markers were read."""
    patch, origin = cropped(pixels, region)
    best: dict[int, Points] = {}
    most = 0
    for long_side in _LONG_SIDES_PX:
        factor = max(int(max(patch.shape[:2]) / long_side), 1)
        corners, numbers, _, markers = _detector().detectBoard(shrunken_grey(patch, factor))
        most = max(most, 0 if markers is None else len(markers))
        if numbers is not None and len(numbers) > len(best):
            full = (np.asarray(corners, dtype=np.float64).reshape(-1, 2) + 0.5) * factor - 0.5 + origin
            best = {int(n): place for n, place in zip(np.ravel(numbers), full, strict=True)}
        if len(best) >= _ENOUGH_CORNERS or factor == 1 or most == 0:
            break
    return best, most


def card_corners(pixels: NDArray[np.uint8], rough: dict[int, Points]) -> tuple[list[int], Points]:
    """Place the corners at full resolution.

    Parameters
    ----------
    pixels : uint8 (M, N, 3), RGB
    rough : dict of int to float64 (2,)
        Corners by number, (x, y).

    Returns
    -------
    numbers : list of int
    corners : float64 (K, 2)
    """
    places = corner_places_mm()
    edge = np.array([pixels.shape[1], pixels.shape[0]]) - 1 - _EDGE_PX
    numbers = [n for n in sorted(rough) if n in places and (rough[n] > _EDGE_PX).all() and (rough[n] < edge).all()]
    if len(numbers) < 4:
        return [], np.empty((0, 2))
    corners = np.array([rough[n] for n in numbers])
    plane = np.array([places[n] for n in numbers])
    px_per_mm = float(np.sqrt(np.linalg.det(np.cov(corners.T) + 1e-9) / np.linalg.det(np.cov(plane.T) + 1e-9)) ** 0.5)
    half = int(np.clip(round(_WINDOW_MM * px_per_mm), *_WINDOW_PX))
    low = np.maximum(np.floor(corners.min(axis=0)).astype(int) - half - _EDGE_PX, 0)
    high = np.ceil(corners.max(axis=0)).astype(int) + half + _EDGE_PX + 1
    grey = cv2.cvtColor(np.ascontiguousarray(pixels[low[1] : high[1], low[0] : high[0]]), cv2.COLOR_RGB2GRAY)
    start = (corners - low).astype(np.float32).reshape(-1, 1, 2)
    rule = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, *_REST)
    placed = cv2.cornerSubPix(grey, start.copy(), (half, half), (-1, -1), rule)
    still = np.hypot(*(placed - start).reshape(-1, 2).T) < half
    kept = [n for n, ok in zip(numbers, still, strict=True) if ok]
    return kept, placed.reshape(-1, 2)[still].astype(np.float64) + low


def _agreeing(corners: Points, plane: Points) -> tuple[NDArray[np.bool_], float]:
    """Return which corners agree with one plane, and their spread about it, px."""
    used = np.ones(len(corners), dtype=bool)
    spread = 1.0
    for _ in range(_ROUNDS):
        off = np.hypot(*(transform_points(fit_homography(plane[used], corners[used]), plane) - corners).T)
        spread = max(float(np.median(off[used])) / _MEDIAN_DISTANCE, _LEAST_SD_PX)
        kept = off < _OUTLIER * spread + _NEVER_OUT_PX
        if (kept == used).all() or kept.sum() < _LEAST_CORNERS:
            break
        used = kept
    if used.sum() < _LEAST_AGREEING * len(used):
        raise Refusal(
            Problem(
                where="reference card",
                expected="its corners in one plane",
                got=f"only {int(used.sum())} of {len(used)} that agree",
                action="keep the card flat and unbent, and photograph one card alone",
            )
        )
    return used, spread


def _found(corners: Points, plane: Points, spread_px: float) -> FoundReference:
    wide, high = CARD_MM
    left, top, right, bottom = OPENING_MM
    outline = [(0, 0), (wide, 0), (wide, high), (right, bottom), (right, top), (left, top), (left, bottom), (0, high)]
    to_px = fit_homography(plane, corners)
    return FoundReference(
        reference=Reference(ReferenceKind.CARD),
        points_px=corners,
        points_mm=plane,
        covariance_px2=np.eye(2 * len(corners)) * spread_px**2,
        outline_px=transform_points(to_px, np.array(outline, dtype=np.float64)),
    )


CARD = KindOfReference(
    find_card,
    "lay the printed card so that it frames the ulcer, flat and whole",
)
