"""How a click, a box or a rough outline reaches the network: two more channels beside red, green and blue."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CLICK_SD_PX = 4.0

Prompt = NDArray[np.float32]


def no_prompt(shape: tuple[int, ...]) -> Prompt:
    """Two empty channels, float32 (2, M, N)."""
    return np.zeros((2, *shape[:2]), np.float32)


def click_bump(shape: tuple[int, ...], click_px: tuple[float, float]) -> NDArray[np.float32]:
    """Gaussian of height 1 at a click (x, y), standard deviation 4 px of the network's input.

    Returns
    -------
    float32 (M, N)
    """
    x = np.arange(shape[1], dtype=np.float32) - np.float32(click_px[0])
    y = np.arange(shape[0], dtype=np.float32) - np.float32(click_px[1])
    across, down = np.exp(-0.5 * (x / CLICK_SD_PX) ** 2), np.exp(-0.5 * (y / CLICK_SD_PX) ** 2)
    return (down[:, None] * across[None, :]).astype(np.float32)


def polygon_region(shape: tuple[int, ...], polygon_px: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Pixels whose centre lies in a polygon (K, 2) given as (x, y); uint8 (M, N), 0 or 1.

    Not cv2.fillPoly, which also takes every pixel that the edge crosses: half a pixel too much all round.
    """
    from skimage.draw import polygon

    points = np.asarray(polygon_px, dtype=np.float64)
    region = np.zeros(shape[:2], np.uint8)
    rows, cols = polygon(points[:, 1], points[:, 0], shape[:2])
    region[rows, cols] = 1
    return region


def click_prompt(shape: tuple[int, ...], click_px: tuple[float, float]) -> Prompt:
    """Click channel filled, region channel empty; float32 (2, M, N)."""
    prompt = no_prompt(shape)
    prompt[0] = click_bump(shape, click_px)
    return prompt


def region_prompt(shape: tuple[int, ...], polygon_px: NDArray[np.floating]) -> Prompt:
    """Region channel 1 inside a polygon, click channel empty; float32 (2, M, N)."""
    prompt = no_prompt(shape)
    prompt[1] = polygon_region(shape, polygon_px)
    return prompt
