"""Printed references: what is painted where on their paper, in the paper's own mm.

Colours, and what is painted on a bank card, are appearance chosen by eye (assumption): nothing is measured at them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes.arrays import Pixels, Reals
from ulcermeter.errors import Problem, UlcermeterError
from ulcermeter.phantom.skin import linear
from ulcermeter.phantom.specs import ReferenceSpec

# ISO/IEC 7810:2019, ID-1: width and height, mm.
ID1_MM = (85.60, 53.98)
# ISO/IEC 7810:2019, ID-1: radius of the corners, mm.
ID1_CORNER_MM = 3.18
# Albedo of matt paper and of laser print (assumption).
PAPER, INK = 0.82, 0.035
# Of the masks of printed numbers: finer than any photo of them.
DIGIT_PX_PER_MM = 20
# A ruler's paper beyond its first and last tick, and its height; lengths of its ticks at every tenth, every fifth and
# between, and half the breadth of one, mm and as a share of a period (assumption: paper rulers for wounds).
RULER_END_MM, RULER_HIGH_MM = 3.0, 12.0
TICK_LENGTHS_MM = (6.0, 4.5, 3.0)
TICK_HALF_MM, TICK_HALF_SHARE = 0.09, 0.16
# Its numbers: from its middle line down, their page's height and base line, mm; OpenCV's font size and stroke.
DIGITS_FROM_MM, DIGITS_HIGH_MM, DIGITS_BASE_MM, DIGIT_SIZE, DIGIT_STROKE = 0.6, 4.4, 3.6, 2.4, 6


@dataclass(frozen=True)
class PlacedReference:
    """A reference lying flat at ``height_mm``, its centre at ``centre_mm`` (x, y), its u axis along ``axis`` (2,)."""

    spec: ReferenceSpec
    centre_mm: NDArray[np.float64]
    axis: NDArray[np.float64]
    height_mm: float
    paper_mm: tuple[float, float]

    def to_paper(self, x_mm: Reals, y_mm: Reals) -> tuple[Reals, Reals]:
        """Return the paper's own (u right, v down) of plane points."""
        dx, dy = x_mm - self.centre_mm[0], y_mm - self.centre_mm[1]
        cos, sin = self.axis
        u, v = dx * cos + dy * sin, dy * cos - dx * sin
        bend = self.spec.curve_radius_mm
        if bend is None:
            return u, v
        return bend * np.arctan2(u, bend - v), bend - np.hypot(u, bend - v)

    def to_world(self, u_mm: Reals, v_mm: Reals) -> NDArray[np.float64]:
        """Return world points (..., 3) of paper points."""
        cos, sin = self.axis
        u, v = np.asarray(u_mm, dtype=float), np.asarray(v_mm, dtype=float)
        bend = self.spec.curve_radius_mm
        if bend is not None:
            u, v = (bend - v) * np.sin(u / bend), bend - (bend - v) * np.cos(u / bend)
        x, y = self.centre_mm[0] + u * cos - v * sin, self.centre_mm[1] + u * sin + v * cos
        return np.stack([x, y, np.full_like(x, self.height_mm)], axis=-1)

    def outside_mm(self, u: Reals, v: Reals) -> Reals:
        """Return the distance outside the paper's outline, negative inside."""
        half_u, half_v = self.paper_mm[0] / 2, self.paper_mm[1] / 2
        corner = _corner_mm(self.spec)
        du, dv = np.abs(u) - (half_u - corner), np.abs(v) - (half_v - corner)
        return np.hypot(np.maximum(du, 0), np.maximum(dv, 0)) + np.minimum(np.maximum(du, dv), 0) - corner

    def covers(self, u: Reals, v: Reals) -> NDArray[np.bool_]:
        """Say where there is paper: inside its outline, and not in a card's cut-outs."""
        return np.asarray((self.outside_mm(u, v) <= 0) & self.printed(u, v))

    def printed(self, u: Reals, v: Reals) -> NDArray[np.bool_]:
        """Say where a card has no cut-out; true everywhere for the other kinds."""
        texture = self.spec.texture
        if texture is None or texture.ndim < 3 or texture.shape[2] < 4:
            return np.ones(np.shape(u), dtype=bool)
        return np.asarray(texture[_texel(self.spec, u, v)][..., 3] > 127)

    def points_paper_mm(self) -> NDArray[np.float64]:
        """Return the reference's known points (K, 2) on the paper: corners from the upper left, clockwise."""
        kind, size = self.spec.kind, self.spec.size_mm
        if kind == "disc":
            return np.zeros((1, 2))
        if kind == "ruler":
            ticks = np.arange(int(size / self.spec.tick_mm + 1e-9) + 1) * self.spec.tick_mm - size / 2
            return np.stack([ticks, np.full_like(ticks, -self.paper_mm[1] / 2)], axis=-1)
        wide, high = (size, size) if kind in ("aruco", "apriltag") else self.paper_mm
        return np.asarray(np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * np.array([wide, high]) / 2)

    def paint(self, u: Reals, v: Reals) -> NDArray[np.float32]:
        """Return the linear albedo (..., 3) at paper points inside the outline."""
        return _PAINTERS[self.spec.kind](self.spec, u, v)


def place_reference(spec: ReferenceSpec, anchor_mm: Reals, *, level_mm: float) -> PlacedReference | None:
    """Place a reference relative to the first ulcer.

    Parameters
    ----------
    spec : ReferenceSpec
        Kind, size, place and offset.
    anchor_mm : float (2,) or (3,)
        The ulcer's place, world mm (x, y).
    level_mm : float
        The skin's height there, mm.

    Returns
    -------
    PlacedReference or None
        None for the kind ``none``.

    Raises
    ------
    UlcermeterError
        A kind, place or texture that cannot be drawn.
    """
    if spec.kind == "none":
        return None
    if spec.kind not in _PAINTERS or spec.place not in ("skin", "table"):
        raise UlcermeterError(
            Problem(expected="a kind and place of reference that can be drawn", got=f"{spec.kind!r} at {spec.place!r}")
        )
    turn = np.deg2rad(spec.rotation_deg)
    return PlacedReference(
        spec=spec,
        centre_mm=np.asarray(anchor_mm, dtype=float)[:2] + np.array(spec.offset_mm),
        axis=np.array([np.cos(turn), np.sin(turn)]),
        height_mm=(level_mm if spec.place == "skin" else 0.0) + spec.lift_mm,
        paper_mm=_paper_mm(spec),
    )


def _paper_mm(spec: ReferenceSpec) -> tuple[float, float]:
    """Return the paper's width and height."""
    if spec.kind in ("aruco", "apriltag"):
        modules = len(marker_bits(spec.dictionary, spec.marker_id))
        return (spec.size_mm * (1 + 2 / modules),) * 2
    if spec.kind == "card":
        if spec.texture is None or spec.texture_size_mm is None:
            raise UlcermeterError(
                Problem(
                    expected="texture and texture_size_mm for a reference of kind 'card'", got="one of them or none"
                )
            )
        return spec.texture_size_mm
    ruler = (spec.size_mm + 2 * RULER_END_MM, RULER_HIGH_MM)
    return {"disc": (spec.size_mm, spec.size_mm), "id1": ID1_MM, "ruler": ruler}[spec.kind]


def _corner_mm(spec: ReferenceSpec) -> float:
    """Return the radius of the paper's corners."""
    return {"disc": spec.size_mm / 2, "id1": ID1_CORNER_MM}.get(spec.kind, 0.0)


@lru_cache(maxsize=64)
def marker_bits(dictionary: str, marker_id: int) -> NDArray[np.uint8]:
    """Return a marker's modules (K, K) with its black border, 1 = white.

    Parameters
    ----------
    dictionary : str
        As OpenCV names it, with or without ``DICT_``.
    marker_id : int
        Number in the dictionary.

    Returns
    -------
    uint8 (K, K)
        1 white, 0 black; K counts the border.

    Raises
    ------
    UlcermeterError
        When OpenCV knows no dictionary of that name, or it has no such marker.
    """
    name = dictionary if dictionary.startswith("DICT_") else f"DICT_{dictionary}"
    if not hasattr(cv2.aruco, name):
        raise UlcermeterError(Problem(expected="an OpenCV dictionary such as DICT_4X4_50", got=repr(dictionary)))
    found = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, name))
    if not 0 <= marker_id < len(found.bytesList):
        raise UlcermeterError(
            Problem(expected=f"a marker of {name}, 0 to {len(found.bytesList) - 1}", got=str(marker_id))
        )
    modules = found.markerSize + 2
    return np.asarray((cv2.aruco.generateImageMarker(found, marker_id, modules) > 127).astype(np.uint8))


def _grey(values: Reals) -> NDArray[np.float32]:
    """Return values as three equal channels."""
    return np.repeat(np.asarray(values, dtype=np.float32)[..., None], 3, axis=-1)


def _paint_marker(spec: ReferenceSpec, u: Reals, v: Reals) -> NDArray[np.float32]:
    """Paint black modules on white paper."""
    bits = marker_bits(spec.dictionary, spec.marker_id)
    count = len(bits)
    framed = np.pad(bits, 1, constant_values=1)
    col = np.clip(np.floor((u / spec.size_mm + 0.5) * count) + 1, 0, count + 1).astype(np.int32)
    row = np.clip(np.floor((v / spec.size_mm + 0.5) * count) + 1, 0, count + 1).astype(np.int32)
    return _grey(np.where(framed[row, col] > 0, PAPER, INK))


def _paint_disc(spec: ReferenceSpec, u: Reals, v: Reals) -> NDArray[np.float32]:
    """Paint one plain colour."""
    colours = {
        "blue": (36, 84, 168),
        "green": (40, 140, 80),
        "white": (235, 235, 232),
        "black": (24, 24, 26),
        "red": (190, 40, 44),
        "yellow": (232, 200, 60),
    }
    return np.broadcast_to(linear(colours.get(spec.colour, (36, 84, 168))), (*u.shape, 3)).astype(np.float32)


def _paint_id1(spec: ReferenceSpec, u: Reals, v: Reals) -> NDArray[np.float32]:
    """Paint a bank card without a bank: a plain ground, a stripe, a chip, lines of embossed blocks."""
    albedo = _paint_disc(spec, u, v) * (1 + 0.15 * np.sin(0.05 * u + 0.09 * v))[..., None]
    chip = (np.abs(u + 27) < 5.5) & (np.abs(v - 0) < 4.5)
    albedo[chip] = linear((205, 178, 110))
    seams = chip & ((np.abs(v) % 3 < 0.25) | (np.abs(u + 27) < 0.15))
    albedo[seams] = linear((120, 100, 60))
    digits = (np.abs(v - 9.5) < 1.6) & (np.abs(u) < 33) & (np.mod(u + 34, 17) < 13.5) & (np.mod(u, 3.4) < 2.2)
    albedo[digits] = linear((214, 214, 218))
    return albedo.astype(np.float32)


def _paint_ruler(spec: ReferenceSpec, u: Reals, v: Reals) -> NDArray[np.float32]:
    """Paint a paper scale: ticks from the upper edge, every fifth and tenth longer, a number at every tenth."""
    along = (u + spec.size_mm / 2) / spec.tick_mm
    nearest = np.rint(along)
    tenth, fifth, single = TICK_LENGTHS_MM
    length = np.where(nearest % 10 == 0, tenth, np.where(nearest % 5 == 0, fifth, single))
    half_width = min(TICK_HALF_MM, TICK_HALF_SHARE * spec.tick_mm) / spec.tick_mm
    last = np.floor(spec.size_mm / spec.tick_mm + 1e-9)
    ink = (np.abs(along - nearest) < half_width) & (nearest >= 0) & (nearest <= last) & (v + RULER_HIGH_MM / 2 < length)
    digits = _ruler_digits(int(last) // 10, 10 * spec.tick_mm)
    col = np.clip((u + spec.size_mm / 2 + RULER_END_MM) * DIGIT_PX_PER_MM, 0, digits.shape[1] - 1).astype(np.int32)
    row = np.clip((v - DIGITS_FROM_MM) * DIGIT_PX_PER_MM, 0, digits.shape[0] - 1).astype(np.int32)
    return _grey(np.where(ink | (digits[row, col] & (v > DIGITS_FROM_MM)), INK, PAPER))


@lru_cache(maxsize=16)
def _ruler_digits(count: int, every_mm: float) -> NDArray[np.bool_]:
    """Return the printed numbers 0..count as a mask, the first centred 3 mm from its left."""
    scale = DIGIT_PX_PER_MM
    page = np.zeros((int(DIGITS_HIGH_MM * scale), int((count * every_mm + 3 * RULER_END_MM) * scale)), dtype=np.uint8)
    for k in range(count + 1):
        (wide, _), _ = cv2.getTextSize(str(k), cv2.FONT_HERSHEY_SIMPLEX, DIGIT_SIZE, DIGIT_STROKE)
        spot = (int((RULER_END_MM + k * every_mm) * scale - wide / 2), int(DIGITS_BASE_MM * scale))
        cv2.putText(page, str(k), spot, cv2.FONT_HERSHEY_SIMPLEX, DIGIT_SIZE, 255, DIGIT_STROKE, cv2.LINE_8)
    return page > 127


def _paint_texture(spec: ReferenceSpec, u: Reals, v: Reals) -> NDArray[np.float32]:
    """Paint a given picture, nearest pixel (the renderer averages many points to a pixel)."""
    assert spec.texture is not None
    picked = linear(np.arange(256.0))[_colours(spec.texture)[_texel(spec, u, v)]] * (PAPER - INK) + INK
    return picked if spec.texture.ndim == 3 else _grey(picked)


def _colours(texture: Pixels) -> Pixels:
    """Return a texture without its alpha."""
    return texture[..., :3] if texture.ndim == 3 else texture


def _texel(spec: ReferenceSpec, u: Reals, v: Reals) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the texture's row and column at paper points."""
    assert spec.texture is not None and spec.texture_size_mm is not None
    rows, cols = spec.texture.shape[:2]
    col = np.clip(np.floor((u / spec.texture_size_mm[0] + 0.5) * cols), 0, cols - 1).astype(np.int32)
    row = np.clip(np.floor((v / spec.texture_size_mm[1] + 0.5) * rows), 0, rows - 1).astype(np.int32)
    return row, col


_PAINTERS = {
    "aruco": _paint_marker,
    "apriltag": _paint_marker,
    "disc": _paint_disc,
    "id1": _paint_id1,
    "ruler": _paint_ruler,
    "card": _paint_texture,
}
