"""Fingers laid out to train on: colours and marks on a square of 0.1 mm cells, larger than what the network sees."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes.arrays import Mask, Pixels
from ulcermeter.quality.skin_grid import STEP_MM

__all__ = ["CANVAS_CELLS", "TIP_ROW", "Canvas", "canvas_matrix", "read_canvas", "write_canvas"]

# A side, cells, and the tip's row: the view's 32 mm with room to turn and shift it.
CANVAS_CELLS, TIP_ROW = 400, 44
_INSIDE, _SKIN, _UNCLEAR, _NAIL = 1, 2, 4, 8


@dataclass(frozen=True)
class Canvas:
    """A finger with its tip up in the middle column.

    Attributes
    ----------
    pixels : uint8 (400, 400, 3)
        sRGB.
    inside, skin, unclear, nail : bool (400, 400)
        The finger's own, its skin on which a sore may be laid, what is not clear on it already, and its nail, where
        that is known.
    """

    pixels: Pixels
    inside: Mask
    skin: Mask
    unclear: Mask
    nail: Mask


def canvas_matrix(
    tip_px: NDArray[np.floating], inwards: NDArray[np.floating], *, px_per_mm: float
) -> NDArray[np.float64]:
    """Return the matrix (2, 3) from canvas cells (column, row) to photo px.

    Parameters
    ----------
    tip_px, inwards : float64 (2,)
        Where the tip is, and the unit vector from it to the hand.
    px_per_mm : float

    Returns
    -------
    float64 (2, 3)
    """
    down = STEP_MM * px_per_mm * np.asarray(inwards, dtype=np.float64)
    right = np.array([down[1], -down[0]])
    origin = np.asarray(tip_px) - TIP_ROW * down - CANVAS_CELLS / 2 * right
    return np.column_stack([right, down, origin])


def write_canvas(canvas: Canvas, path: Path) -> None:
    """Write a canvas as one PNG, its marks as the fourth channel.

    Parameters
    ----------
    canvas : Canvas
    path : Path
        Ends in ``.png``; a file that is there is replaced.
    """
    marks = canvas.inside * _INSIDE + canvas.skin * _SKIN + canvas.unclear * _UNCLEAR + canvas.nail * _NAIL
    # Never wholly clear: some viewers would show nothing.
    cv2.imwrite(str(path), np.dstack([canvas.pixels[..., ::-1], (255 - marks).astype(np.uint8)]))


def read_canvas(path: Path) -> Canvas:
    """Read a canvas that `write_canvas` wrote.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Canvas

    Raises
    ------
    ValueError
        The file is missing or damaged.
    """
    content = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if content is None or content.ndim != 3 or content.shape[2] != 4:
        raise ValueError(f"expected a canvas that `write_canvas` wrote at {path}, got none that can be read")
    marks = 255 - content[..., 3]
    masks = ((marks & bit) > 0 for bit in (_INSIDE, _SKIN, _UNCLEAR, _NAIL))
    return Canvas(np.ascontiguousarray(content[..., 2::-1]).astype(np.uint8), *masks)
