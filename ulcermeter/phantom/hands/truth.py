"""Where each drawn finger is in the picture: its tip, its direction and its width, from the mesh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes.arrays import Floats
from ulcermeter.phantom.hands.mesh import HandMesh
from ulcermeter.phantom.hands.painter import View

# The end that counts as the tip: this share of the width, along the axis.
END_SHARE = 0.12


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
    stand: NDArray[np.floating],
    view: View,
    labels: NDArray[np.uint8],
    height_mm: NDArray[np.floating],
    *,
    hand: int,
) -> list[FingerTruth]:
    """Return the truth of each finger of a hand of which anything is seen."""
    out = []
    for finger in range(1, 6):
        label = finger + 1 + 8 * hand
        visible = int((labels == label).sum())
        if visible:
            out.append(_truth(mesh, finger, stand, view, labels, height_mm, label, visible))
    return out


def _truth(
    mesh: HandMesh,
    finger: int,
    stand: NDArray[np.floating],
    view: View,
    labels: NDArray[np.uint8],
    height_mm: NDArray[np.floating],
    label: int,
    visible: int,
) -> FingerTruth:
    joints = mesh.joints[finger - 1] @ stand[:3, :3].T + stand[:3, 3]
    seen = view.to_px(joints)
    phalanx_mm = float(np.linalg.norm(joints[1] - joints[0]))
    own = (mesh.corners[:, 11] == finger) & (mesh.corners[:, 12] < phalanx_mm)
    points = mesh.corners[own, :3] @ stand[:3, :3].T + stand[:3, 3]
    place = view.to_px(points)
    way = seen[2] - seen[0]
    inwards = way / max(float(np.hypot(*way)), 1e-9)
    along = (place - seen[2]) @ -inwards
    across = (place - seen[2]) @ np.array([-inwards[1], inwards[0]])
    middle = across[mesh.corners[own, 12] > 0.3 * phalanx_mm]
    width = float(np.ptp(middle)) if len(middle) else float(np.ptp(across))
    end = along > along.max() - END_SHARE * width
    tip = seen[2] - inwards * along.max() + np.array([-inwards[1], inwards[0]]) * _mid(across[end])
    return FingerTruth(
        label=label,
        tip_px=(float(tip[0]), float(tip[1])),
        inwards=(float(inwards[0]), float(inwards[1])),
        width_px=width,
        seen_length=float(along.max()) / max(width, 1e-9),
        tip_in_view=_tip_in_view(tip, inwards, width, labels == label, height_mm, points[end, 2]),
        visible_px=visible,
    )


def _mid(values: Floats) -> float:
    return 0.5 * float(values.min() + values.max())


def _tip_in_view(
    tip: Floats,
    inwards: Floats,
    width: float,
    own: NDArray[np.bool_],
    height_mm: NDArray[np.floating],
    end_mm: Floats,
) -> bool:
    """Say whether the finger's end shows: its own skin there, and not the same finger's knuckle above it."""
    place = np.rint(tip + (0.5 * END_SHARE + 0.04) * width * inwards).astype(int)
    if (place < 1).any() or (place >= np.array(own.shape[::-1]) - 1).any():
        return False
    around = np.s_[place[1] - 1 : place[1] + 2, place[0] - 1 : place[0] + 2]
    if own[around].sum() < 5:
        return False
    return bool(np.nanmedian(np.where(own[around], height_mm[around], np.nan)) < end_mm.max() + 3.0)
