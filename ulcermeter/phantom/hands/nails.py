"""Nail plates that grow past the fingertip: the mesh paints its nails on the skin and has no long ones.

The numbers of this file are the form of nails, chosen by eye (assumption): the true tip is the drawn nail's end,
whatever its form.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes.arrays import Floats
from ulcermeter.phantom.hands.rest_pose import RestHand
from ulcermeter.phantom.hands.subdivision import smooth_hand

# Points of a plate over its width and length: at 2 mm apart its curve is smooth.
N_TRANSVERSE, N_AXIAL = 9, 10


@dataclass(frozen=True)
class Plate:
    """A nail plate at rest: points (K, 3) in mm, triangles (T, 3), and each point's distance from the tip."""

    finger: int
    points: Floats
    triangles: NDArray[np.int64]
    s: Floats


def nail_plate(hand: RestHand, smooth: Floats, finger: int, *, past_tip_mm: float, pointed: float) -> Plate | None:
    """Grow a plate from where the skin shows a nail past the fingertip.

    Parameters
    ----------
    hand : RestHand
        The hand at rest, mm.
    smooth : float64 (S, 3)
        The subdivided hand at rest, mm.
    finger : int
        1 (thumb) to 5.
    past_tip_mm : float
        How far past the fingertip it reaches, mm.
    pointed : float
        0 square, 1 pointed.

    Returns
    -------
    Plate or None
        None where the texture shows no nail.
    """
    frame = _end_frame(hand, finger)
    on_nail = smooth[_nail_vertices(finger)]
    if len(on_nail) < 12:
        return None
    tip = hand.joints(finger)[0]
    s, side, up = ((on_nail - tip) @ frame).T
    # The plate's face: height over the bone as a curved sheet through the painted nail.
    face = np.linalg.lstsq(np.c_[np.ones_like(s), s, side**2], up, rcond=None)[0]
    half = 0.5 * float(np.ptp(side))
    start, end = float(np.quantile(s, 0.3)), float(s.min()) - past_tip_mm
    axial = np.linspace(start, end, N_AXIAL)
    transverse = np.linspace(-1, 1, N_TRANSVERSE)
    beyond = np.clip((s.min() - axial) / max(past_tip_mm, 1e-6), 0, 1)
    wide = half * (1 - pointed * 0.75 * beyond**2)
    grid_s = np.repeat(axial[:, None], N_TRANSVERSE, axis=1)
    grid_side = wide[:, None] * transverse[None] + float(np.median(side))
    bent = 0.006 * np.maximum(s.min() - grid_s, 0) ** 2
    grid_up = face[0] + face[1] * grid_s + face[2] * grid_side**2 + 0.25 - bent
    points = tip + np.stack([grid_s, grid_side, grid_up], axis=-1).reshape(-1, 3) @ frame.T
    return Plate(finger, points, _grid_triangles(), grid_s.ravel())


def _end_frame(hand: RestHand, finger: int) -> Floats:
    """Return columns: from the tip inwards, to the side, out of the nail."""
    tip, joint = hand.joints(finger)[:2]
    inwards = (joint - tip) / np.linalg.norm(joint - tip)
    nail = _nail_vertices(finger)
    smooth = np.asarray(smooth_hand()[0] @ hand.points)
    out = smooth[nail].mean(0) - tip if len(nail) else np.array([0.0, 0, -1])
    out = out - (out @ inwards) * inwards
    out /= np.linalg.norm(out)
    return np.stack([inwards, np.cross(out, inwards), out], axis=1)


_FOUND: dict[int, NDArray[np.int64]] = {}


def _nail_vertices(finger: int) -> NDArray[np.int64]:
    """Return the smooth mesh's vertices that the texture paints as this finger's nail."""
    if not _FOUND:
        _, triangles, uv, finger_of = smooth_hand()
        texture = nails_picture()
        rows, cols = texture.shape
        x = np.clip((uv[..., 0] * cols).astype(int), 0, cols - 1)
        y = np.clip(((1 - uv[..., 1]) * rows).astype(int), 0, rows - 1)
        white = texture[y, x] > 127
        for one in range(1, 6):
            _FOUND[one] = np.unique(triangles[white & (finger_of == one)[:, None]])
    return _FOUND[finger]


def nails_picture() -> NDArray[np.uint8]:
    """Read the texture that is white on nails, uint8 (2048, 2048).

    Returns
    -------
    uint8 (2048, 2048)
        White on nails, in the skin texture's coordinates.
    """
    from ulcermeter.phantom.hands.body import read_body

    path = read_body().nails_texture()
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert picture is not None, path
    return np.asarray(picture.astype(np.uint8))


def _grid_triangles() -> NDArray[np.int64]:
    index = np.arange(N_AXIAL * N_TRANSVERSE).reshape(N_AXIAL, N_TRANSVERSE)
    a, b, c, d = index[:-1, :-1].ravel(), index[:-1, 1:].ravel(), index[1:, :-1].ravel(), index[1:, 1:].ravel()
    return np.vstack([np.c_[a, b, c], np.c_[b, d, c]])
