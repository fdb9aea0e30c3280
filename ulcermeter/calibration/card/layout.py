"""The printable card: what is where on it, in mm, and how it looks as a picture.

A frame of ChArUco squares, open below: the finger lies in the opening, so that the reference stands on three sides of
the ulcer. Above the squares a mm ruler, grey and colour patches, a 1 cm disc and room for a label.

Places that are written where a thing is drawn are mm from the card's upper left, chosen by eye: nothing is measured at
them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Points

__all__ = [
    "CARD_MM",
    "OPENING_MM",
    "PATCHES",
    "Shape",
    "card_board",
    "card_shapes",
    "card_texture",
    "corner_places_mm",
]

CARD_MM = (104.0, 92.0)
"""Width and height of the card, mm."""
SQUARE_MM, MARKER_MM = 6.0, 4.2
"""Sides of squares and markers, mm: at the 8 px/mm of a far photo a module of the marker is 5 px."""
GRID = (15, 10)
"""Columns and rows of squares."""
GRID_AT_MM = (7.0, 24.0)
"""Upper left of the squares on the card, mm."""
OPENING_MM = (37.0, 42.0, 67.0, 92.0)
"""Left, top, right and bottom of the opening, mm: 30 mm wide, for a thumb."""
_OPENING_CELLS = (5, 3, 10, 10)
"""Of the squares, those that the opening takes: first and last column and row."""
_DICTIONARY = "DICT_4X4_100"
_INK, _WHITE = (0, 0, 0), (255, 255, 255)
"""sRGB."""
PATCHES = (
    ("white", (245, 245, 245)),
    ("grey", (128, 128, 128)),
    ("dark", (64, 64, 64)),
    ("red", (190, 60, 55)),
    ("green", (70, 145, 75)),
    ("blue", (50, 80, 160)),
)
"""Name and sRGB of the patches, from the left."""
_PATCH_AT_MM, _PATCH_MM = (46.5, 4.35), 6.2
"""Upper left of the first patch on the card, and side of each, mm."""
_DISC_AT_MM = (92.0, 9.2)
"""Centre of the disc on the card, mm."""
_DISC_MM, _DISC_BLUE = 10.0, (40, 80, 165)
"""Its diameter, mm, and its sRGB: neither skin nor wound nor paper has that colour."""
_RULER_MM, _TICKS_MM, _TICK_MM = 90, (3.6, 2.7, 1.8), 0.15
"""Length of the ruler; of its ticks at each centimetre, at each half and between; and their width."""
_GREY, _FRAME_MM, _BORDER_MM = (110, 110, 110), 0.2, 0.35
"""sRGB of what is read by persons only; width of its frame's lines and of the black line round the patches, mm."""


@dataclass(frozen=True)
class Shape:
    """One thing on the card: 'rect' (x, y, width, height), 'disc' (x, y, diameter) or 'text' (x, y, height); mm."""

    kind: str
    place_mm: tuple[float, ...]
    colour: tuple[int, int, int] = _INK
    text: str = ""


@lru_cache(maxsize=1)
def card_board() -> cv2.aruco.CharucoBoard:
    """Return the squares as an OpenCV ChArUco board, with its origin at the first square.

    Returns
    -------
    cv2.aruco.CharucoBoard
        15 × 10 squares of 6 mm, markers of 4.2 mm.
    """
    dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, _DICTIONARY))
    return cv2.aruco.CharucoBoard(GRID, SQUARE_MM, MARKER_MM, dictionary)


def _in_opening(col: int, row: int) -> bool:
    left, top, right, bottom = _OPENING_CELLS
    return left <= col < right and top <= row < bottom


def corner_places_mm() -> dict[int, Points]:
    """Return where on the card each inner corner is; only those with four squares round.

    Returns
    -------
    dict of int to float64 (2,)
        By OpenCV's number of the corner, (x, y), mm from the card's upper left.
    """
    cols, rows = GRID
    places = {}
    for row in range(1, rows):
        for col in range(1, cols):
            around = [_in_opening(c, r) for c in (col - 1, col) for r in (row - 1, row)]
            if not any(around):
                number = (row - 1) * (cols - 1) + col - 1
                places[number] = np.array(GRID_AT_MM) + SQUARE_MM * np.array([col, row], dtype=np.float64)
    return places


def card_shapes() -> list[Shape]:
    """Return all that is printed on the card, in the order of printing.

    Returns
    -------
    list of Shape
        Places in mm from the card's upper left.
    """
    shapes = [*_squares(), *_ruler(), *_patches()]
    shapes.append(Shape("disc", (*_DISC_AT_MM, _DISC_MM), _DISC_BLUE))
    shapes += _frame((7.0, 4.0, 36.0, 10.5))
    shapes.append(Shape("text", (8.0, 6.4, 1.7), _GREY, "subject / visit / finger"))
    shapes.append(Shape("text", (7.0, 88.6, 1.8), _INK, "ulcermeter card 1"))
    shapes.append(Shape("text", (69.0, 87.6, 1.5), _INK, "research use only,"))
    shapes.append(Shape("text", (69.0, 89.7, 1.5), _INK, "not a medical device"))
    return shapes


def _squares() -> list[Shape]:
    """Return black squares, and the modules of the markers in the white ones."""
    board = card_board()
    dictionary = board.getDictionary()
    shapes, number = [], 0
    for row in range(GRID[1]):
        for col in range(GRID[0]):
            x, y = GRID_AT_MM[0] + col * SQUARE_MM, GRID_AT_MM[1] + row * SQUARE_MM
            black = (col + row) % 2 == 0
            if not _in_opening(col, row):
                shapes += [Shape("rect", (x, y, SQUARE_MM, SQUARE_MM))] if black else _marker(dictionary, number, x, y)
            number += not black
    return shapes


def _marker(dictionary: cv2.aruco.Dictionary, number: int, x_mm: float, y_mm: float) -> list[Shape]:
    modules = dictionary.markerSize + 2
    bits = cv2.aruco.generateImageMarker(dictionary, number, modules) > 127
    size, margin = MARKER_MM / modules, (SQUARE_MM - MARKER_MM) / 2
    shapes = [Shape("rect", (x_mm + margin, y_mm + margin, MARKER_MM, MARKER_MM))]
    for row, col in zip(*np.nonzero(bits), strict=True):
        place = (x_mm + margin + float(col) * size, y_mm + margin + float(row) * size, size, size)
        shapes.append(Shape("rect", place, _WHITE))
    return shapes


def _ruler() -> list[Shape]:
    """Return a ruler of 90 mm over the squares: ticks up from its line, a number at each centimetre."""
    left, base = GRID_AT_MM[0], 22.5
    shapes = []
    for tick in range(_RULER_MM + 1):
        length = _TICKS_MM[0 if tick % 10 == 0 else 1 if tick % 5 == 0 else 2]
        shapes.append(Shape("rect", (left + tick - _TICK_MM / 2, base - length, _TICK_MM, length)))
        if tick % 10 == 0:
            shapes.append(Shape("text", (left + tick + 0.4, base - 2.6, 1.8), _INK, str(tick // 10)))
    return shapes


def _patches() -> list[Shape]:
    x, y = _PATCH_AT_MM
    shapes = [
        Shape("rect", (x + k * _PATCH_MM, y, _PATCH_MM, _PATCH_MM), colour) for k, (_, colour) in enumerate(PATCHES)
    ]
    wide = len(PATCHES) * _PATCH_MM + 2 * _BORDER_MM
    return [Shape("rect", (x - _BORDER_MM, y - _BORDER_MM, wide, _PATCH_MM + 2 * _BORDER_MM)), *shapes]


def _frame(box_mm: tuple[float, float, float, float], *, line_mm: float = _FRAME_MM) -> list[Shape]:
    x, y, wide, high = box_mm
    return [
        Shape("rect", (x, y, wide, line_mm), _GREY),
        Shape("rect", (x, y + high - line_mm, wide, line_mm), _GREY),
        Shape("rect", (x, y, line_mm, high), _GREY),
        Shape("rect", (x + wide - line_mm, y, line_mm, high), _GREY),
    ]


def patch_box_mm(name: str) -> tuple[float, float, float, float]:
    """Return a patch's x, y, width, height on the card, mm.

    Parameters
    ----------
    name : str
        One of `PATCHES`.

    Returns
    -------
    (float, float, float, float)
        x, y, width, height, mm from the card's upper left.
    """
    k = [patch for patch, _ in PATCHES].index(name)
    return _PATCH_AT_MM[0] + k * _PATCH_MM, _PATCH_AT_MM[1], _PATCH_MM, _PATCH_MM


def card_texture(px_per_mm: float) -> NDArray[np.uint8]:
    """Return the card as a picture, clear in the opening.

    Parameters
    ----------
    px_per_mm : float

    Returns
    -------
    uint8 (M, N, 4), RGBA
    """
    size = [round(side * px_per_mm) for side in CARD_MM]
    out = np.full((size[1], size[0], 4), 255, dtype=np.uint8)
    for shape in card_shapes():
        _draw(out, shape, px_per_mm)
    left, top, right, bottom = (round(v * px_per_mm) for v in OPENING_MM)
    out[..., 3] = 255
    out[top:bottom, left:right, 3] = 0
    return out


def _draw(out: NDArray[np.uint8], shape: Shape, px_per_mm: float) -> None:
    colour = (*shape.colour, 255)
    if shape.kind == "rect":
        x, y, wide, high = shape.place_mm
        left, top, right, bottom = (round(v * px_per_mm) for v in (x, y, x + wide, y + high))
        out[top:bottom, left:right] = colour
    elif shape.kind == "disc":
        x, y, diameter = (v * px_per_mm for v in shape.place_mm)
        rows, cols = np.ogrid[: out.shape[0], : out.shape[1]]
        out[(cols + 0.5 - x) ** 2 + (rows + 0.5 - y) ** 2 < (diameter / 2) ** 2] = colour
    else:
        x, y, high = (v * px_per_mm for v in shape.place_mm)
        cv2.putText(out, shape.text, (round(x), round(y)), 0, high / 22, colour, max(round(high / 12), 1), cv2.LINE_AA)
