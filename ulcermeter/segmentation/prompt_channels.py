"""How a click, a box or a rough outline reaches the network: two more channels beside red, green and blue."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Of the bump at a click, px of the network's input; the weights were trained with it.
CLICK_SD_PX = 4.0

Prompt = NDArray[np.float32]


def no_prompt(shape: tuple[int, ...]) -> Prompt:
    """Two empty channels, float32 (2, M, N).

    Parameters
    ----------
    shape : tuple of int
        Rows and columns first.

    Returns
    -------
    float32 (2, M, N)
        Zeros.
    """
    return np.zeros((2, *shape[:2]), np.float32)


def click_bump(shape: tuple[int, ...], click_px: tuple[float, float]) -> NDArray[np.float32]:
    """Gaussian of height 1 at a click (x, y), standard deviation 4 px of the network's input.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns first.
    click_px : (float, float)
        x, y, px.

    Returns
    -------
    float32 (M, N)
        0..1.
    """
    x = np.arange(shape[1], dtype=np.float32) - np.float32(click_px[0])
    y = np.arange(shape[0], dtype=np.float32) - np.float32(click_px[1])
    transverse, down = np.exp(-0.5 * (x / CLICK_SD_PX) ** 2), np.exp(-0.5 * (y / CLICK_SD_PX) ** 2)
    return np.asarray((down[:, None] * transverse[None, :]).astype(np.float32))


def polygon_region(shape: tuple[int, ...], polygon_px: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Pixels whose centre lies in a polygon (K, 2) given as (x, y), even-odd; uint8 (M, N), 0 or 1.

    Not cv2.fillPoly, which also takes every pixel that the edge crosses: half a pixel too much all round. Not
    skimage.draw.polygon, which asks every pixel of every edge: a second for an outline of 1000 points.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns first.
    polygon_px : float (K, 2)
        (x, y), px; it closes itself.

    Returns
    -------
    uint8 (M, N)
        1 inside.
    """
    region = np.zeros(shape[:2], np.uint8)
    points = np.asarray(polygon_px, dtype=np.float64)
    left, top = np.maximum(np.ceil(points.min(axis=0)).astype(int), 0)
    right, bottom = np.minimum(np.floor(points.max(axis=0)).astype(int) + 1, region.shape[::-1])
    if left >= right or top >= bottom:
        return region
    start, end = points, np.roll(points, -1, axis=0)
    row = np.arange(top, bottom)[:, None]
    crossed, edge = np.nonzero((start[:, 1] <= row) != (end[:, 1] <= row))
    share = (crossed + top - start[edge, 1]) / (end[edge, 1] - start[edge, 1])
    x = start[edge, 0] + share * (end[edge, 0] - start[edge, 0])
    # From each crossing on, a row changes from outside to inside or back.
    changes = np.zeros((bottom - top, right - left + 1), np.int32)
    np.add.at(changes, (crossed, np.clip(np.ceil(x).astype(int) - left, 0, right - left)), 1)
    region[top:bottom, left:right] = np.cumsum(changes, axis=1)[:, :-1] % 2
    return region


def click_prompt(shape: tuple[int, ...], click_px: tuple[float, float]) -> Prompt:
    """Click channel filled, region channel empty; float32 (2, M, N).

    Parameters
    ----------
    shape : tuple of int
        Rows and columns first.
    click_px : (float, float)
        x, y, px.

    Returns
    -------
    float32 (2, M, N)
        Click bump and empty region.
    """
    prompt = no_prompt(shape)
    prompt[0] = click_bump(shape, click_px)
    return prompt


def region_prompt(shape: tuple[int, ...], polygon_px: NDArray[np.floating]) -> Prompt:
    """Region channel 1 inside a polygon, click channel empty; float32 (2, M, N).

    Parameters
    ----------
    shape : tuple of int
        Rows and columns first.
    polygon_px : float (K, 2)
        (x, y), px.

    Returns
    -------
    float32 (2, M, N)
        Empty click and region.
    """
    prompt = no_prompt(shape)
    prompt[1] = polygon_region(shape, polygon_px)
    return prompt
