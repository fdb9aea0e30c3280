"""Read the code inside a four-sided shape and look it up in the marker dictionaries."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.calibration.geometry.homography import square_to_quad
from ulcermeter.datatypes import Points, transform_points

__all__ = ["Marker", "decode", "resembles_marker"]

_COMMON = {
    7: ("DICT_7X7_1000",),
    6: ("DICT_6X6_1000", "DICT_APRILTAG_36h11", "DICT_ARUCO_MIP_36h12", "DICT_APRILTAG_36h10"),
    5: ("DICT_5X5_1000", "DICT_APRILTAG_25h9", "DICT_ARUCO_ORIGINAL"),
    4: ("DICT_4X4_50", "DICT_APRILTAG_16h5"),
}
"""Looked for when no dictionary is stated, largest first. Of 4 × 4 only the first fifty: a thousand codes of sixteen
bits in four rotations would accept 6 % of all random patterns."""
_ERRORS_ALLOWED = {7: 3, 6: 2, 5: 0, 4: 0}
"""Wrong bits by modules a side: at most half of what OpenCV's dictionaries would correct (6, 4, 1 and 1), as patterns
that are no marker come near to a code more easily (assumption)."""
_COUNTS = (50, 100, 250, 1000)
"""Sizes in which OpenCV keeps each family."""
_LEAST_CONTRAST = 30.0
"""Between black and white, 8-bit levels: noise of a dark photo stays under a third of it (assumption)."""
_LEAST_MARGIN = 0.12
"""Of the contrast, by which each module must lie off the middle: nearer it may be either (assumption)."""
_SUBSAMPLES = (np.arange(3) - 1) * 0.22 + 0.5
"""Where in a module its grey is read, shares of its side: clear of the neighbours' blur."""
_GROUND_MODULES = 0.45
"""How far outside the square its ground is read, modules: paper is left there even when a marker is cut out tightly."""
_BRIGHT_GROUND, _LEAST_GROUND = 0.3, 0.85
"""Share of the contrast over black that counts as bright ground, and share of the ground that must be: shade may fall
on a few modules (assumption)."""
_USUAL_MODULES, _DARK_BORDER = 8, 0.9
"""Modules across the usual marker, 6 × 6 and its border; and share of the border that must be dark of what only
resembles a marker: the rest may be glare (assumption)."""
_BRIGHT_INSIDE = 0.5
"""Share of the contrast that something inside must have over the border, of what only resembles one (assumption)."""


@dataclass(frozen=True)
class Marker:
    """A decoded marker.

    Attributes
    ----------
    dictionary : str
        The smallest of its family that holds the id.
    id : int
    bits : bool (n + 2, n + 2)
        True where white, the black border included, as the marker is read upright.
    corners_px : float64 (4, 2)
        Of the black square: upper left, upper right, lower right, lower left of the upright marker.
    """

    dictionary: str
    id: int
    bits: NDArray[np.bool_]
    corners_px: Points


def decode(grey: NDArray[np.uint8], square: Points, *, dictionary: str | None) -> Marker | None:
    """Read a four-sided shape as a marker.

    The border must be black, the ground around it bright, every module clearly black or white, and the code in the
    dictionary within the errors allowed to its size (none for the small families).

    Parameters
    ----------
    grey : uint8 (M, N)
    square : float64 (4, 2)
        Clockwise as seen.
    dictionary : str or None
        Only this one, or the common ones, larger families first.

    Returns
    -------
    Marker or None
    """
    sizes = (_dictionary(dictionary).markerSize,) if dictionary else tuple(_COMMON)
    for size in sizes:
        bits = _read_bits(grey, square, size)
        if bits is None:
            continue
        for name in (dictionary,) if dictionary else _COMMON[size]:
            found = _find_code(bits, name, size, 1 if dictionary and size == 5 else _ERRORS_ALLOWED[size])
            if found is not None:
                return _upright(square, name, *found)
    return None


def resembles_marker(grey: NDArray[np.uint8], square: Points) -> bool:
    """Return whether a four-sided shape has a dark border on brighter ground and something bright inside.

    Parameters
    ----------
    grey : uint8 (M, N)
        sRGB grey.
    square : float64 (4, 2)
        Corners (x, y), px, clockwise as seen.

    Returns
    -------
    bool
        False off the picture.
    """
    cells = _read_cells(grey, square, _USUAL_MODULES)
    if cells is None:
        return False
    border, ground, inner = _ring(cells[1:-1, 1:-1]), float(np.median(_ring(cells))), cells[3:-3, 3:-3]
    contrast = ground - float(border.mean())
    dark = (ground - border) / max(contrast, 1.0) > 0.5
    return (
        contrast > _LEAST_CONTRAST
        and float(dark.mean()) > _DARK_BORDER
        and inner.max() - border.mean() > _BRIGHT_INSIDE * contrast
    )


@lru_cache(maxsize=32)
def _dictionary(name: str) -> cv2.aruco.Dictionary:
    return cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, name))


def _read_cells(grey: NDArray[np.uint8], square: Points, modules: int) -> NDArray[np.float64] | None:
    """Return mean grey (modules + 2, modules + 2) of the modules and of the ground round them; None off the photo."""
    # One module of ground on every side is read too: cells -1 .. modules.
    places = (np.arange(-1, modules + 1)[:, None] + _SUBSAMPLES).ravel() / modules
    u, v = np.meshgrid(places, places)
    beside = -_GROUND_MODULES / modules, 1 + _GROUND_MODULES / modules
    u, v = np.clip(u, *beside), np.clip(v, *beside)
    to_px = square_to_quad(square[None])[0]
    xy = np.rint(transform_points(to_px, np.column_stack([u.ravel(), v.ravel()]))).astype(int)
    inside = (xy >= 0).all(axis=1) & (xy[:, 0] < grey.shape[1]) & (xy[:, 1] < grey.shape[0])
    if not inside.all():
        return None
    each = (modules + 2, len(_SUBSAMPLES))
    return np.asarray(grey[xy[:, 1], xy[:, 0]].reshape(*each, *each).mean(axis=(1, 3)))


def _read_bits(grey: NDArray[np.uint8], square: Points, size: int) -> NDArray[np.uint8] | None:
    """Return the inner modules (size, size) as 0 and 1, or None where the shape is no marker of that size."""
    cells = _read_cells(grey, square, size + 2)
    if cells is None:
        return None
    inner, marker = cells[2:-2, 2:-2], cells[1:-1, 1:-1]
    border = _ring(marker)
    black, white = float(border.mean()), float(np.median(np.concatenate([_ring(cells), inner[inner > inner.mean()]])))
    contrast = white - black
    if contrast < _LEAST_CONTRAST:
        return None
    level = (inner - black) / contrast
    if ((border - black) / contrast > 0.5 - _LEAST_MARGIN).any() or (np.abs(level - 0.5) < _LEAST_MARGIN).any():
        return None
    if np.mean((_ring(cells) - black) / contrast > _BRIGHT_GROUND) < _LEAST_GROUND:
        return None
    return (level > 0.5).astype(np.uint8)


def _ring(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([cells[0], cells[-1], cells[1:-1, 0], cells[1:-1, -1]])


def _find_code(bits: NDArray[np.uint8], name: str, size: int, errors: int) -> tuple[int, int, NDArray[np.uint8]] | None:
    """Return id, quarter turns and error-free bits of the nearest code within the errors allowed.

    OpenCV keeps a code's four rotations one after another (whatever the array's shape says), each as bytes with the
    most significant bit first and the last byte filled from the right.
    """
    listed = _dictionary(name).bytesList
    codes = listed.reshape(len(listed), 4, -1)
    flat = bits.ravel()
    whole = len(flat) // 8 * 8
    packed = [int(byte) for byte in np.packbits(flat[:whole])]
    if whole < len(flat):
        packed.append(int("".join(map(str, flat[whole:])), 2))
    wrong = np.bitwise_count(codes ^ np.array(packed, dtype=np.uint8)).sum(axis=2)
    best = int(np.argmin(wrong))
    marker_id, turns = divmod(best, 4)
    if wrong.flat[best] > errors:
        return None
    clean = cv2.aruco.Dictionary.getBitsFromByteList(listed[marker_id : marker_id + 1], size)
    return marker_id, turns, clean


def _upright(square: Points, name: str, marker_id: int, turns: int, clean: NDArray[np.uint8]) -> Marker:
    bits = np.pad(clean.astype(bool), 1, constant_values=False)
    return Marker(_smallest(name, marker_id), marker_id, bits, np.roll(square, turns, axis=0))


def _smallest(name: str, marker_id: int) -> str:
    stem, _, count = name.rpartition("_")
    if "X" not in stem or not count.isdigit():
        return name
    return next(f"{stem}_{n}" for n in _COUNTS if marker_id < n and n <= int(count))
