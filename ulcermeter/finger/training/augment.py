"""A view taken again by another camera in other light, with something in the way at times.

The numbers of this file are how often and how far a view is changed, chosen by eye (assumption): wide enough that the
network meets what phones and rooms make of a hand. Tip, direction and mask stay what they were.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


def retake(view: Pixels, rng: np.random.Generator) -> Pixels:
    """Change light, colour, focus and noise of a view (M, N, 3) by chance.

    Parameters
    ----------
    view : ndarray of uint8, shape (M, N, 3)
        RGB.
    rng : Generator

    Returns
    -------
    ndarray of uint8, shape (M, N, 3)
        A new array.
    """
    out: Any = view.astype(np.float32)
    if rng.random() < 0.3:
        out = _cover(out, rng)
    out = 255 * np.clip(out / 255, 1e-3, 1) ** np.float32(np.exp(rng.normal(0, 0.28)))
    out = out * np.exp(rng.normal(0, 0.10, 3)).astype(np.float32) + np.float32(rng.normal(0, 10))
    if rng.random() < 0.15:
        grey = out.mean(2, keepdims=True)
        out = grey + np.float32(rng.uniform(0, 0.7)) * (out - grey)
    if rng.random() < 0.35:
        out = _ramp(out, rng)
    if rng.random() < 0.4:
        out = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.4, 1.8))
    if rng.random() < 0.6:
        out = out + rng.normal(0, rng.uniform(0, 9), out.shape).astype(np.float32)
    out = np.clip(out, 0, 255).astype(np.uint8)
    return _as_jpeg(out, rng) if rng.random() < 0.3 else out


def _cover(view: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Lay a soft-edged spot or stroke of any colour over the view: a sore, a sticker, a hair, a pen."""
    rows, cols = view.shape[:2]
    mask = np.zeros((rows, cols), np.float32)
    at = rng.uniform(0, 1, 2) * (cols, rows)
    if rng.random() < 0.7:
        size = rng.uniform(3, 13)
        axes = (int(size) + 1, int(size * rng.uniform(0.3, 1)) + 1)
        cv2.ellipse(mask, tuple(int(v) for v in at), axes, float(rng.uniform(0, 180)), 0, 360, 1.0, -1)
    else:
        to = at + rng.normal(0, 0.6 * cols, 2)
        cv2.line(mask, tuple(int(v) for v in at), tuple(int(v) for v in to), 1.0, int(rng.integers(1, 6)))
    share = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.5, 2))[..., None] * rng.uniform(0.5, 1)
    return np.asarray(view * (1 - share) + rng.uniform(0, 255, 3) * share, dtype=np.float32)


def _ramp(view: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Darken one side, softly or along the hard edge of a shadow."""
    rows, cols = view.shape[:2]
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : cols * 1j]
    side = np.cos(angle) * x + np.sin(angle) * y + rng.uniform(-0.6, 0.6)
    steep = rng.uniform(0.7, 2) if rng.random() < 0.7 else rng.uniform(8, 30)
    return np.asarray(view * (1 - rng.uniform(0.1, 0.55) / (1 + np.exp(-steep * side)))[..., None], dtype=np.float32)


def _as_jpeg(view: Pixels, rng: np.random.Generator) -> Pixels:
    done, data = cv2.imencode(".jpg", view, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))])
    again = cv2.imdecode(data, cv2.IMREAD_COLOR) if done else None
    return view if again is None else again.astype(np.uint8)
