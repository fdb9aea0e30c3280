"""The small view round a point that the finger network is given: 112 px, a finger about 28 px wide in it."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Matrix = NDArray[np.float64]

# Side of a view: four fingers, at the width below.
VIEW_PX = 112
# How wide a finger should be in a view; from half to twice that the network was trained on.
FINGER_PX = 28.0
# What lies beyond the photo's border: the grey that means nothing to the network.
BEYOND = (115, 115, 115)
# Of the bump that marks a click: a seventh of a finger.
CLICK_SD_PX = 4.0
# What is cut out of a photo for a view: half its side and a turned one's corners, in sides, and px of interpolation.
_REACH, _MARGIN_PX = 0.75, 4
# View pixels to one of the part from which on the interpolation itself smooths enough, and the sd of the smoothing,
# view px (assumption).
_UNSMOOTHED, _SMOOTHING_PX = 0.8, 0.4


def view_matrix(at_px: tuple[float, float], *, scale: float, turn_rad: float = 0.0, mirrored: bool = False) -> Matrix:
    """Return the (2, 3) affine from photo pixels to a view with ``at_px`` in its middle.

    Parameters
    ----------
    at_px : (float, float)
        x, y from the first pixel's centre.
    scale : float
        View pixels in a photo pixel.
    turn_rad, mirrored
        The view turned, and mirrored left to right before that.

    Returns
    -------
    float64 (2, 3)
    """
    cosine, sine = scale * math.cos(turn_rad), scale * math.sin(turn_rad)
    linear = np.array([[cosine, -sine], [sine, cosine]]) @ np.diag([-1.0 if mirrored else 1.0, 1.0])
    middle = np.full(2, (VIEW_PX - 1) / 2)
    return np.column_stack([linear, middle - linear @ np.asarray(at_px, dtype=np.float64)])


def cut_view(pixels: Pixels, matrix: Matrix) -> Pixels:
    """Cut a view (112, 112, 3) out of a photo (M, N, 3); a photo larger than the view is averaged, not sampled.

    Parameters
    ----------
    pixels : uint8 (M, N, 3)
        A photo.
    matrix : float64 (2, 3)
        From photo pixels to the view.

    Returns
    -------
    uint8 (112, 112, 3)
    """
    scale = math.sqrt(abs(float(np.linalg.det(matrix[:, :2]))))
    middle = np.linalg.solve(matrix[:, :2], np.full(2, (VIEW_PX - 1) / 2) - matrix[:, 2])
    reach = _REACH * VIEW_PX / scale + _MARGIN_PX
    left, top = (max(int(v - reach), 0) for v in middle)
    part = pixels[top : max(int(middle[1] + reach) + 1, 0), left : max(int(middle[0] + reach) + 1, 0)]
    if part.size == 0:
        return np.full((VIEW_PX, VIEW_PX, 3), BEYOND, np.uint8)
    step = max(int(0.5 / scale), 1)
    if step > 1:
        size = (max(part.shape[1] // step, 1), max(part.shape[0] // step, 1))
        part = cv2.resize(part[: size[1] * step, : size[0] * step], size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    if step * scale < _UNSMOOTHED:
        part = cv2.GaussianBlur(part, (0, 0), _SMOOTHING_PX / (step * scale)).astype(np.uint8)
    # A pixel of the part is `step` pixels of the photo, its centre in the middle of them.
    shift = matrix[:, :2] @ (np.array([left, top]) + (step - 1) / 2) + matrix[:, 2]
    move = np.column_stack([matrix[:, :2] * step, shift])
    out = cv2.warpAffine(part, move, (VIEW_PX, VIEW_PX), borderMode=cv2.BORDER_CONSTANT, borderValue=BEYOND)
    return np.asarray(out, dtype=np.uint8)


def click_map(x: float = (VIEW_PX - 1) / 2, y: float = (VIEW_PX - 1) / 2) -> NDArray[np.float32]:
    """Return the bump (112, 112), height 1, that marks the point in a view; default its middle.

    Parameters
    ----------
    x, y : float, optional
        The point, view px; default the middle.

    Returns
    -------
    float32 (112, 112)
    """
    cols, rows = np.arange(VIEW_PX) - x, np.arange(VIEW_PX) - y
    return np.exp(-(rows[:, None] ** 2 + cols[None] ** 2) / (2 * CLICK_SD_PX**2)).astype(np.float32)


def network_input(view: Pixels, click: NDArray[np.float32]) -> NDArray[np.float32]:
    """Stack a view and its click as the network reads them, float32 (4, 112, 112), sRGB in 0..1.

    Parameters
    ----------
    view : uint8 (112, 112, 3)
        sRGB.
    click : float32 (112, 112)
        From `click_map`.

    Returns
    -------
    float32 (4, 112, 112)
    """
    return np.concatenate([view.transpose(2, 0, 1).astype(np.float32) / 255, click[None]])
