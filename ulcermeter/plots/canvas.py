"""Marks that stay visible on any skin: every light line and letter has a dark halo."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ulcermeter.geometry import shrunken

__all__ = [
    "CYAN",
    "DARK",
    "GREY",
    "WHITE",
    "YELLOW",
    "add_caption",
    "dashed_outline",
    "encode_jpeg",
    "fill_polygon_edge",
    "line",
    "resized",
    "text_size_px",
    "write",
    "write_boxed",
]

Pixels = NDArray[np.uint8]
Colour = tuple[int, int, int]
Box = tuple[float, float, float, float]

# RGB. Cyan and yellow lie far from every skin tone, from blood, slough and eschar.
CYAN: Colour = (0, 229, 255)
YELLOW: Colour = (255, 221, 51)
WHITE: Colour = (255, 255, 255)
DARK: Colour = (16, 18, 24)
GREY: Colour = (92, 98, 108)
_PAPER: Colour = (252, 252, 250)
_SHIFT_BITS = 4
_JPEG_QUALITY = 88
_DASH_PX = 18.0


@lru_cache(maxsize=16)
def _font(size_px: int, bold: bool) -> ImageFont.FreeTypeFont:
    """Return DejaVu Sans as it comes with matplotlib, found without importing matplotlib (0.1 s)."""
    spec = importlib.util.find_spec("matplotlib")
    assert spec is not None and spec.origin is not None
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf" / name), size_px)


def _fixed(points: NDArray[np.floating]) -> NDArray[np.int32]:
    fixed: NDArray[np.int32] = np.round(np.asarray(points, dtype=np.float64) * 2**_SHIFT_BITS).astype(np.int32)
    return fixed.reshape(-1, 1, 2)


def line(
    pixels: Pixels, points: NDArray[np.floating], *, colour: Colour, width_px: int, closed: bool, halo_px: int = 2
) -> None:
    """Draw a line through points (K, 2) as (x, y) of the picture, sub-pixel, on a dark halo; changes `pixels`.

    Parameters
    ----------
    pixels : Pixels
        RGB, uint8 (M, N, 3), rows downwards.
    points : float (K, 2)
        Points (K, 2), px (x, y).
    colour : Colour
        RGB, 0..255.
    width_px : int
        Width, px.
    closed : bool
        Join the last point to the first.
    halo_px : int, optional
        Width of the dark halo, px.
    """
    for shade, thickness in ((DARK, width_px + 2 * halo_px), (colour, width_px)):
        cv2.polylines(pixels, [_fixed(points)], closed, shade, thickness, cv2.LINE_AA, _SHIFT_BITS)


def dashed_outline(pixels: Pixels, points: NDArray[np.floating], *, colour: Colour, width_px: int) -> None:
    """Draw a closed outline in dashes, for what is not sure; changes `pixels`.

    Parameters
    ----------
    pixels : Pixels
        RGB, uint8 (M, N, 3), rows downwards.
    points : float (K, 2)
        Vertices, px (x, y).
    colour : Colour
        RGB, 0..255.
    width_px : int
        Width, px.
    """
    ring = np.vstack([points, points[:1]])
    way = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(ring, axis=0).T))])
    n_dashes = max(round(way[-1] / _DASH_PX), 4)
    for start in np.arange(n_dashes) / n_dashes * way[-1]:
        # Three fifths of each period are drawn.
        at = start + np.linspace(0, 0.6 * way[-1] / n_dashes, 6)
        dash = np.column_stack([np.interp(at, way, ring[:, axis]) for axis in (0, 1)])
        line(pixels, dash, colour=colour, width_px=width_px, closed=False, halo_px=1)


def fill_polygon_edge(pixels: Pixels, points: NDArray[np.floating], *, colour: Colour) -> None:
    """Draw a thin closed line for something seen small, such as the reference in an inset; changes `pixels`.

    Parameters
    ----------
    pixels : Pixels
        RGB, uint8 (M, N, 3), rows downwards.
    points : float (K, 2)
        Points (K, 2), px (x, y).
    colour : Colour
        RGB, 0..255.
    """
    line(pixels, points, colour=colour, width_px=1, closed=True, halo_px=1)


def text_size_px(text: str, *, size_px: int, bold: bool = False) -> tuple[int, int]:
    """Return the width and line height of a text, px.

    Parameters
    ----------
    text : str
        A cell's text.
    size_px : int
        Height or side, px.
    bold : bool, optional
        Bold letters.

    Returns
    -------
    tuple[int, int]
    """
    font = _font(size_px, bold)
    ascent, descent = font.getmetrics()
    return int(np.ceil(font.getlength(text))), ascent + descent


def write(
    pixels: Pixels,
    text: str,
    at: tuple[float, float],
    *,
    size_px: int,
    colour: Colour = WHITE,
    bold: bool = False,
    halo_px: int = 3,
) -> Pixels:
    """Return the picture with a text whose top left corner stands at (x, y).

    Parameters
    ----------
    pixels : Pixels
        RGB, uint8 (M, N, 3), rows downwards.
    text : str
        A cell's text.
    at : tuple[float, float]
        A point, photo px (x, y).
    size_px : int
        Height or side, px.
    colour : Colour, optional
        RGB, 0..255.
    bold : bool, optional
        Bold letters.
    halo_px : int, optional
        Width of the dark halo, px.

    Returns
    -------
    Pixels
    """
    image = Image.fromarray(pixels)
    ImageDraw.Draw(image).text(
        (round(at[0]), round(at[1])),
        text,
        fill=colour,
        font=_font(size_px, bold),
        stroke_width=halo_px,
        stroke_fill=DARK if halo_px else None,
    )
    return np.asarray(image).copy()


def write_boxed(pixels: Pixels, texts: Sequence[tuple[str, tuple[float, float]]], *, size_px: int) -> Pixels:
    """Return the picture with several haloed texts, each with its top left corner at (x, y).

    Parameters
    ----------
    pixels : Pixels
        RGB, uint8 (M, N, 3), rows downwards.
    texts : Sequence[tuple[str, tuple[float, float]]]
        Texts, each with its place px (x, y).
    size_px : int
        Height or side, px.

    Returns
    -------
    Pixels
    """
    for text, at in texts:
        pixels = write(pixels, text, at, size_px=size_px, bold=True)
    return pixels


def resized(pixels: Pixels, width_px: int, height_px: int) -> Pixels:
    """Return the picture at another size: averaged below half the size, linear down to it, cubic when it gets larger.

    Parameters
    ----------
    pixels : Pixels
        RGB, uint8 (M, N, 3), rows downwards.
    width_px : int
        Width, px.
    height_px : int
        Height, px.

    Returns
    -------
    Pixels
    """
    if 4 * width_px * height_px < pixels.shape[0] * pixels.shape[1]:
        return np.ascontiguousarray(shrunken(pixels, (width_px, height_px)))
    smaller = width_px * height_px < pixels.shape[0] * pixels.shape[1]
    method = cv2.INTER_LINEAR if smaller else cv2.INTER_CUBIC
    return np.ascontiguousarray(cv2.resize(pixels, (width_px, height_px), interpolation=method), dtype=np.uint8)


def _wrapped(text: str, *, width_px: int, size_px: int, bold: bool) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        candidate = f"{lines[-1]} {word}" if lines else word
        if lines and text_size_px(candidate, size_px=size_px, bold=bold)[0] <= width_px:
            lines[-1] = candidate
        else:
            lines.append(word)
    return lines


def add_caption(pixels: Pixels, paragraphs: Sequence[tuple[str, int, bool, Colour]]) -> Pixels:
    """Return the picture with paragraphs (text, size in px, bold, colour) on paper below it, wrapped to its width.

    Parameters
    ----------
    pixels : Pixels
        RGB, uint8 (M, N, 3), rows downwards.
    paragraphs : Sequence[tuple[str, int, bool, Colour]]
        Text, size, bold and colour of each.

    Returns
    -------
    Pixels
    """
    margin = 18
    width = pixels.shape[1]
    rows: list[tuple[str, int, bool, Colour]] = []
    for text, size, bold, colour in paragraphs:
        rows += [
            (part, size, bold, colour) for part in _wrapped(text, width_px=width - 2 * margin, size_px=size, bold=bold)
        ]
    heights = [round(1.45 * size) for _, size, _, _ in rows]
    paper = Image.new("RGB", (width, sum(heights) + 2 * margin - 6), _PAPER)
    pen = ImageDraw.Draw(paper)
    y = margin - 4
    for (text, size, bold, colour), height in zip(rows, heights, strict=True):
        pen.text((margin, y), text, fill=colour, font=_font(size, bold))
        y += height
    return np.vstack([pixels, np.asarray(paper)])


def encode_jpeg(pixels: Pixels, *, quality: int = _JPEG_QUALITY) -> bytes:
    """Encode RGB as JPEG at full colour resolution, so that thin coloured lines stay sharp.

    Parameters
    ----------
    pixels : Pixels
        RGB, uint8 (M, N, 3), rows downwards.
    quality : int, optional
        JPEG quality, 1..100.

    Returns
    -------
    bytes
    """
    flags = [
        cv2.IMWRITE_JPEG_QUALITY,
        quality,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ]
    ok, data = cv2.imencode(".jpg", pixels[..., ::-1], flags)
    assert ok, "a uint8 RGB picture can always be encoded"
    return data.tobytes()
