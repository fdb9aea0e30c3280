"""Hands drawn by the graphics library, in software where there is no card: layers that light is laid on afterwards.

The numbers of this file are appearance chosen by eye against photographs (assumption), wide enough that the finger
network meets what it may meet; none of them enters a truth.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes.arrays import Singles
from ulcermeter.errors import MissingDependencyError, Problem
from ulcermeter.phantom.hands.mesh import HandMesh
from ulcermeter.phantom.hands.nails import nails_picture
from ulcermeter.phantom.hands.shader import FRAGMENT, VERTEX

# Drawn pixels per picture pixel on each side: edges are mixed of four.
SUPERSAMPLE = 2
# Depths between which the graphics library draws, mm: nearer than any hand comes to the lens, farther than any table.
NEAR_MM, FAR_MM = 20.0, 5000.0


@dataclass(frozen=True)
class View:
    """A pinhole camera straight above the table: it looks down z from ``distance_mm`` over z = 0.

    Attributes
    ----------
    size_px : int
        Side of the square picture.
    px_per_mm : float
        At z = 0.
    """

    size_px: int
    px_per_mm: float
    distance_mm: float

    def to_px(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return where points (..., 3) in mm appear, (..., 2) px from the first pixel's centre, y down."""
        points = np.asarray(points, dtype=np.float64)
        scale = self.px_per_mm * self.distance_mm / (self.distance_mm - points[..., 2])
        middle = (self.size_px - 1) / 2
        return np.stack([middle + scale * points[..., 0], middle - scale * points[..., 1]], axis=-1)

    def matrix(self) -> NDArray[np.float64]:
        """Return the 4 x 4 matrix to the graphics library's clip space."""
        focal = 2 * self.px_per_mm * self.distance_mm / self.size_px
        a = -(FAR_MM + NEAR_MM) / (FAR_MM - NEAR_MM)
        b = -2 * FAR_MM * NEAR_MM / (FAR_MM - NEAR_MM)
        move = np.eye(4)
        move[2, 3] = -self.distance_mm
        return np.array([[focal, 0, 0, 0], [0, focal, 0, 0], [0, 0, a, b], [0, 0, -1, 0]]) @ move


@dataclass
class SkinAppearance:
    """How one hand's skin looks. Arrays over fingers have six rows, row 0 (palm) unused; colours are linear.

    Attributes
    ----------
    back, palm : (3,)
        Colours of back and palm.
    mottling, creases, gloss, detail_share : float
        0 none to about 1; ``detail_share`` of the skin's texture.
    glove : (3,) or None
        The colour of a glove in place of skin.
    tip : (6, 4), tip_mm : (6,)
        Colour and strength of each tip (black, white, purple), and how far it reaches.
    polish : (6, 4)
        Colour and strength of nail polish.
    band_mm : (6, 2), band : (6, 4)
        A dressing from where to where, its colour, and how much its weave shows.
    ring_mm : (6, 2), ring : (3,)
        A ring from where to where, and the colour of all.
    sores : (K, 9) up to four
        Finger; place (x, y, z) at rest and radius, mm; colour; unevenness 0..1.
    """

    back: NDArray[np.floating]
    palm: NDArray[np.floating]
    mottling: float = 0.5
    creases: float = 0.6
    gloss: float = 0.06
    detail_share: float = 0.8
    glove: NDArray[np.floating] | None = None
    tip: NDArray[np.floating] = field(default_factory=lambda: np.zeros((6, 4)))
    tip_mm: NDArray[np.floating] = field(default_factory=lambda: np.zeros(6))
    polish: NDArray[np.floating] = field(default_factory=lambda: np.zeros((6, 4)))
    band_mm: NDArray[np.floating] = field(default_factory=lambda: np.zeros((6, 2)))
    band: NDArray[np.floating] = field(default_factory=lambda: np.zeros((6, 4)))
    ring_mm: NDArray[np.floating] = field(default_factory=lambda: np.zeros((6, 2)))
    ring: NDArray[np.floating] = field(default_factory=lambda: np.array([0.7, 0.5, 0.2]))
    sores: NDArray[np.floating] = field(default_factory=lambda: np.zeros((0, 9)))


@dataclass(frozen=True)
class Layers:
    """What was drawn, each (M, N) or (M, N, 3), float32 unless said.

    Attributes
    ----------
    albedo : linear colour of what covers a pixel
    cover : 0..1, share of the pixel that a hand covers
    facing : cosine between skin and lamp, -1..1
    spark : highlight
    upright : cosine between skin and the view
    labels : uint8, 0 ground, 1 palm and arm, 2 to 6 thumb to little finger; 8 more for each further hand
    height_mm : over z = 0 of the nearest skin; NaN on the ground
    nail, sore : 0..1
    """

    albedo: Singles
    cover: Singles
    facing: Singles
    spark: Singles
    upright: Singles
    labels: NDArray[np.uint8]
    height_mm: Singles
    nail: Singles
    sore: Singles


class HandRenderer:
    """A graphics context with its programs; one per process and picture size."""

    def __init__(self, size_px: int) -> None:
        try:
            import moderngl
        except ImportError as error:
            raise MissingDependencyError(
                Problem(
                    where="drawing whole hands",
                    expected="the package moderngl",
                    got="none",
                    action="install it (pip install 'ulcermeter[train]')",
                )
            ) from error
        self.size_px = size_px
        side = size_px * SUPERSAMPLE
        create: Any = moderngl.create_standalone_context
        self.context = create(backend="egl")
        self.context.enable(moderngl.DEPTH_TEST)
        self.program: Any = self.context.program(VERTEX, FRAGMENT)
        targets = [self.context.texture((side, side), 4, dtype="f4") for _ in range(3)]
        self.frame = self.context.framebuffer(targets, self.context.depth_renderbuffer((side, side)))
        self.program["detail"], self.program["nails"] = 0, 1
        self._texture(nails_picture()[..., None]).use(1)
        self.details: dict[int, Any] = {}

    def _texture(self, picture: NDArray[np.uint8]) -> Any:
        rows, cols, channels = picture.shape
        texture = self.context.texture((cols, rows), channels, np.ascontiguousarray(picture[::-1]).tobytes())
        texture.build_mipmaps()
        return texture

    def clear(self) -> None:
        """Begin a picture."""
        self.frame.use()
        self.frame.clear(0.0, 0.0, 0.0, 0.0)

    def draw(
        self,
        mesh: HandMesh,
        appearance: SkinAppearance,
        *,
        view: View,
        stand: NDArray[np.floating],
        lamp: NDArray[np.floating],
        detail: NDArray[np.uint8],
        hand: int = 0,
    ) -> None:
        """Draw a hand into the picture.

        Parameters
        ----------
        stand : float (4, 4)
            From the hand's frame to the table's, mm.
        lamp : float (3,)
            Unit vector towards the lamp.
        detail : uint8 (M, N, 3)
            The skin's texture as a ratio to its mean, 128 for 1. It is kept by its identity: pass the same array again.
        hand : int
            0 the first hand, 1 the second: 8 is added to its labels for each.
        """
        if id(detail) not in self.details:
            self.details[id(detail)] = (self._texture(detail), detail)
        self.details[id(detail)][0].use(0)
        values: dict[str, Any] = {"project": view.matrix().T, "stand": np.asarray(stand).T, "lamp": lamp}
        values |= _skin_values(mesh, appearance)
        values["label_base"] = 8.0 * hand
        for name, value in values.items():
            self._set(name, value)
        self._render(mesh)

    def _set(self, name: str, value: Any) -> None:
        if name in self.program:
            self.program[name].write(np.ascontiguousarray(value, dtype="f4").tobytes())

    def _render(self, mesh: HandMesh) -> None:
        data = np.concatenate([mesh.corners, mesh.plate[:, None]], axis=1).astype("f4")
        buffer = self.context.buffer(data.tobytes())
        names = ("place", "normal", "rest", "uv", "finger", "plate")
        array = self.context.vertex_array(self.program, [(buffer, "3f 3f 3f 2f 3f 1f", *names)])
        array.render()
        array.release()
        buffer.release()

    def layers(self) -> Layers:
        """Read what was drawn, brought down to the picture's size."""
        side = self.size_px * SUPERSAMPLE
        albedo, light, facts = (
            np.frombuffer(self.frame.read(components=4, attachment=k, dtype="f4"), np.float32).reshape(side, side, 4)[
                ::-1
            ]
            for k in range(3)
        )
        cover = self._small(albedo[..., 3])
        share = np.maximum(cover, 1e-3)
        own = facts[::SUPERSAMPLE, ::SUPERSAMPLE]
        inside = own[..., 0] > 0
        light = self._small(light) / share[..., None]
        marks = self._small(facts[..., 2:]) / share[..., None]
        return Layers(
            albedo=self._small(albedo[..., :3]) / share[..., None],
            cover=cover,
            facing=light[..., 0],
            spark=light[..., 1],
            upright=light[..., 2],
            labels=np.rint(own[..., 0]).astype(np.uint8),
            height_mm=np.where(inside, own[..., 1], np.nan).astype(np.float32),
            nail=marks[..., 0],
            sore=marks[..., 1],
        )

    def _small(self, layer: Singles) -> Any:
        return cv2.resize(np.ascontiguousarray(layer), (self.size_px, self.size_px), interpolation=cv2.INTER_AREA)


def _skin_values(mesh: HandMesh, appearance: SkinAppearance) -> dict[str, Any]:
    joints_mm = np.cumsum(np.linalg.norm(np.diff(mesh.joints, axis=1), axis=2), axis=1)
    sores = np.zeros((4, 9))
    sores[: len(appearance.sores)] = appearance.sores[:4]
    return {
        "back_colour": appearance.back,
        "palm_colour": appearance.palm,
        "mottling": appearance.mottling,
        "creases": appearance.creases,
        "gloss": appearance.gloss,
        "detail_share": appearance.detail_share,
        "bare": float(appearance.glove is None),
        "glove": np.zeros(3) if appearance.glove is None else appearance.glove,
        "free_mm": np.r_[0.0, mesh.free_mm],
        "joint_mm": np.vstack([np.full((1, 3), 1e4), joints_mm]),
        "tip_colour": appearance.tip,
        "tip_mm": appearance.tip_mm,
        "polish": appearance.polish,
        "band_mm": appearance.band_mm,
        "band_colour": appearance.band,
        "ring_mm": appearance.ring_mm,
        "ring_colour": appearance.ring,
        "sore_finger": sores[:, 0],
        "sore_at": sores[:, 1:5],
        "sore_colour": sores[:, 5:9],
    }
