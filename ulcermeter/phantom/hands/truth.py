"""Where each drawn finger is in the picture: its tip, its direction and its width, from the mesh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes.arrays import Floats, Mask, Reals
from ulcermeter.phantom.hands.mesh import HandMesh
from ulcermeter.phantom.hands.renderer import View

# The end that counts as the tip: this share of the width, along the axis.
END_SHARE = 0.12
# Corners from which a finger's width is read: behind so much of its end phalanx, past the round end.
WIDTH_FROM = 0.3
# A tip shows where, so far behind its end, in widths, most of nine pixels are its own, and nothing of it lies higher by
# so many mm: that would be its knuckle.
SHOWN_BEHIND, SHOWN_PIXELS, KNUCKLE_MM = 0.5 * END_SHARE + 0.04, 5, 3.0
# From one hand's labels to the next's.
HAND_LABELS = 8


@dataclass(frozen=True)
class FingerTruth:
    """One finger of a picture, px from the first pixel's centre.

    Attributes
    ----------
    label : int
        Of its pixels.
    tip_px : (float, float)
        Middle of its end, nail included, where nothing hides it.
    inwards : (float, float)
        Unit vector from the tip towards the middle joint (the thumb's base joint).
    width_px : float
        Across the end phalanx.
    seen_length : float
        Distance from tip to that joint in widths as seen; a finger that points at the camera has little.
    tip_in_view : bool
    visible_px : int
        Pixels of it that are in view.
    """

    label: int
    tip_px: tuple[float, float]
    inwards: tuple[float, float]
    width_px: float
    seen_length: float
    tip_in_view: bool
    visible_px: int


def fingers_in_view(
    mesh: HandMesh,
    stand: Reals,
    view: View,
    labels: NDArray[np.uint8],
    height_mm: Reals,
    *,
    hand: int,
) -> list[FingerTruth]:
    """Return the truth of each finger of a hand of which any skin is in view.

    Parameters
    ----------
    mesh : HandMesh
        The posed hand, mm.
    stand : float (4, 4)
        From the hand's frame to the table's, mm.
    view : View
        The camera.
    labels : uint8 (M, N)
        As `HandPicture.labels`.
    height_mm : float32 (M, N)
        Of the nearest skin over z = 0, mm; NaN on the background.
    hand : int
        0 the first hand, 1 the second: 8 is added to its labels for each.

    Returns
    -------
    list of FingerTruth
        Thumb first.
    """
    out = []
    for finger in range(1, 6):
        label = finger + 1 + HAND_LABELS * hand
        visible = int((labels == label).sum())
        if visible:
            shown = _Shown(label, labels == label, height_mm, visible)
            out.append(_truth(mesh, finger, stand, view, shown))
    return out


@dataclass(frozen=True)
class _Shown:
    """What the picture shows of one finger: its label, pixels (M, N), the heights of all skin, how many pixels."""

    label: int
    own: Mask
    height_mm: Reals
    count_px: int


def _truth(mesh: HandMesh, finger: int, stand: Reals, view: View, shown: _Shown) -> FingerTruth:
    joints = mesh.joints[finger - 1] @ stand[:3, :3].T + stand[:3, 3]
    joints_px = view.to_px(joints)
    phalanx_mm = float(np.linalg.norm(joints[1] - joints[0]))
    own = (mesh.corners[:, 11] == finger) & (mesh.corners[:, 12] < phalanx_mm)
    points = mesh.corners[own, :3] @ stand[:3, :3].T + stand[:3, 3]
    place = view.to_px(points)
    way = joints_px[2] - joints_px[0]
    inwards = way / max(float(np.hypot(*way)), 1e-9)
    along = (place - joints_px[2]) @ -inwards
    transverse = (place - joints_px[2]) @ np.array([-inwards[1], inwards[0]])
    middle = transverse[mesh.corners[own, 12] > WIDTH_FROM * phalanx_mm]
    width = float(np.ptp(middle)) if len(middle) else float(np.ptp(transverse))
    end = along > along.max() - END_SHARE * width
    tip = joints_px[2] - inwards * along.max() + np.array([-inwards[1], inwards[0]]) * _mid(transverse[end])
    return FingerTruth(
        label=shown.label,
        tip_px=(float(tip[0]), float(tip[1])),
        inwards=(float(inwards[0]), float(inwards[1])),
        width_px=width,
        seen_length=float(along.max()) / max(width, 1e-9),
        tip_in_view=_tip_in_view(tip, inwards, width, shown, highest_mm=float(points[end, 2].max())),
        visible_px=shown.count_px,
    )


def _mid(values: Floats) -> float:
    return 0.5 * float(values.min() + values.max())


def _tip_in_view(tip: Floats, inwards: Floats, width: float, shown: _Shown, *, highest_mm: float) -> bool:
    """Say whether the finger's end shows: its own skin there, and not the same finger's knuckle above it."""
    place = np.rint(tip + SHOWN_BEHIND * width * inwards).astype(int)
    if (place < 1).any() or (place >= np.array(shown.own.shape[::-1]) - 1).any():
        return False
    around = np.s_[place[1] - 1 : place[1] + 2, place[0] - 1 : place[0] + 2]
    own = shown.own[around]
    if own.sum() < SHOWN_PIXELS:
        return False
    return bool(np.nanmedian(np.where(own, shown.height_mm[around], np.nan)) < highest_mm + KNUCKLE_MM)
