"""Whether a finger's skin is seen clear: nothing on it is dark, bloody, crusted, cracked, or a bare nail bed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Calibration, Finger, Photo, Points
from ulcermeter.networks.engine import OpenNetwork
from ulcermeter.protocol import Protocol
from ulcermeter.protocol.model import SkinRules
from ulcermeter.quality.ground import ground_within
from ulcermeter.quality.laid_out import MOSTLY, LaidOutSkin, lay_out
from ulcermeter.quality.skin_grid import (
    STEP_MM,
    SkinGrid,
    disc,
    filled,
    finger_area,
    outlines_px,
    sampled,
    skin_shown,
    uncovered,
)
from ulcermeter.quality.skin_network import ask_skin, load_skin_model
from ulcermeter.quality.unclear import DoubtfulKind, Found, find_unclear

__all__ = ["DoubtfulArea", "DoubtfulKind", "SkinView", "judge_skin", "unclear_shares"]

# Least of the finger's skin that must show for its own colour to be known, cells of 0.1 mm: 20 mm2. Assumption.
_LEAST_PIXELS = 2000
# Share of the finger that may be burnt out in green too: beyond it a white crust would not be seen. Assumption.
_MOST_BURNT = 0.2
# Added to OpenCV's L* of 8 bits: in the dark a* is noise, and must not count for redness (assumption).
_LIGHTNESS = 30
# Areas are looked for up to so near to the outline, mm: the network was trained with outlines that are off by up to
# 0.7, but an outline's own error is a quarter of a millimetre on phantoms. Assumption.
_RIM_MM = 0.25
# An area that reaches up to there is followed so far beyond the outline, mm: beside a polished nail the outline runs
# along the nail now and then. Of two cracks passed over on 81 rendered fingers that finds one; on 210 healthy ones it
# changes nothing. Assumption.
_BEYOND_MM = 1.0
# Level with the nail's plate, and beside it, in radii from the tip and from the middle.
_BESIDE = (2.1, 0.65)


@dataclass(frozen=True)
class DoubtfulArea:
    """An area of a finger on which it cannot be seen whether there is an ulcer.

    Attributes
    ----------
    kind : DoubtfulKind
    size_mm : float
        Diameter of the circle of its area, on the reference's plane; a fissure's length.
    from_tip_mm : float
        Where its middle lies along the finger.
    middle_px : (float, float)
        Photo px.
    outline_px : float64 (K, 2)
    beside_nail : bool
        It lies on skin beside where the nail is.
    """

    kind: DoubtfulKind
    size_mm: float
    from_tip_mm: float
    middle_px: tuple[float, float]
    outline_px: Points = field(repr=False)
    beside_nail: bool = False


@dataclass(frozen=True)
class SkinView:
    """What is seen of a finger's skin.

    Attributes
    ----------
    clear_px : tuple of float64 (K, 2)
        Outlines of what was seen clear, photo px.
    doubtful : tuple of DoubtfulArea
        The largest first.
    """

    clear_px: tuple[Points, ...] = field(default=(), repr=False)
    doubtful: tuple[DoubtfulArea, ...] = ()


def judge_skin(
    photo: Photo,
    calibration: Calibration,
    finger: Finger,
    *,
    network_mm: Points | None = None,
    protocol: Protocol,
    model: OpenNetwork | None = None,
) -> SkinView:
    """Look for areas of a finger's skin that are not clear: dead, bloody, crusted, cracked, or a nail's bare bed.

    The skin network looks at the finger laid out, its tip up, and holds every place against the finger's own colour and
    texture. What it was trained on and how often it errs stands in its model card.

    Parameters
    ----------
    photo : Photo
    calibration : Calibration
        From photo pixels to millimetres.
    finger : Finger
        Its outline says where skin is.
    network_mm : float64 (K, 2), optional
        Outline on the plane of what the finger network takes for the finger, which shows where the finger's own
        outline reaches over ground, and how much further up than its outline it is seen.
    protocol : Protocol
        For the rules of the skin, ``protocol.skin``.
    model : OpenNetwork, optional
        The shipped one when none is given.

    Returns
    -------
    SkinView
        Nothing clear where too little of the finger shows, or what shows has not skin's colour or evenness.
    """
    grid, rules = SkinGrid.of(calibration, finger, network_mm), protocol.skin
    own, network = finger_area(finger, grid), None if network_mm is None else filled(network_mm, finger, grid)
    if network is not None:
        # What the network sees of the finger further up than the outline, whose sides end where they fade.
        own |= network & np.maximum.accumulate(own, axis=0)
    visible = skin_shown(photo, calibration, finger, grid, own=own)
    if visible.sum() < _LEAST_PIXELS:
        return SkinView()
    pixels = sampled(photo.pixels, grid)
    nearer = skin_shown(photo, calibration, finger, grid, own=own, rim_mm=_RIM_MM)
    reached = cv2.dilate(own.astype(np.uint8), disc(_BEYOND_MM)) > 0
    reached &= uncovered(photo, calibration, finger, grid)
    if network is not None:
        ground = ground_within(pixels, network, nearer, grid=grid, finger=finger, rules=rules)
        visible, nearer, reached = visible & ~ground, nearer & ~ground, reached & ~ground
    skin = lay_out(pixels, grid, finger, visible)
    if not _is_skin(skin, rules):
        return SkinView()
    likely = ask_skin(pixels, own, grid, model=model or load_skin_model())
    marked = (likely > rules.unclear_probability) & reached
    found = find_unclear(marked, skin, looked_at=nearer, rules=rules)
    seen = visible & ~skin.burnt & np.isfinite(likely) & ~marked
    clear = tuple(outlines_px(seen, grid, calibration))
    doubtful = (_area(one, skin, calibration) for one in found)
    return SkinView(clear, tuple(sorted(doubtful, key=lambda area: -area.size_mm)))


def unclear_shares(
    photo: Photo,
    calibration: Calibration,
    finger: Finger,
    outlines_px: Sequence[Points],
    *,
    protocol: Protocol,
    model: OpenNetwork | None = None,
) -> tuple[float, ...]:
    """Return how much of each area the skin network takes for anything but clear skin or a nail.

    Parameters
    ----------
    photo : Photo
    calibration : Calibration
        From photo pixels to millimetres.
    finger : Finger
        The one that the areas lie on, to lay it out by.
    outlines_px : sequence of float64 (K, 2)
        Photo px.
    protocol : Protocol
        For ``unclear_probability`` and ``doubtful_min_mm``.
    model : OpenNetwork, optional
        The shipped one when none is given.

    Returns
    -------
    tuple of float
        0..1 each; NaN where an area is smaller than ``doubtful_min_mm``, the least of what the network was trained to
        mark, or most of it lies beyond what it sees.
    """
    grid = SkinGrid.of(calibration, finger)
    pixels, inside = sampled(photo.pixels, grid), finger_area(finger, grid)
    likely = ask_skin(pixels, inside, grid, model=model or load_skin_model())
    outlines_mm = (calibration.to_mm(one) for one in outlines_px)
    return tuple(_share_unclear(one, likely, grid, finger, rules=protocol.skin) for one in outlines_mm)


def _share_unclear(
    outline_mm: Points, likely: NDArray[np.float32], grid: SkinGrid, finger: Finger, *, rules: SkinRules
) -> float:
    area_mm2 = cv2.contourArea(outline_mm.astype(np.float32))
    known = filled(outline_mm, finger, grid) & np.isfinite(likely)
    if area_mm2 < np.pi / 4 * rules.doubtful_min_mm**2 or known.sum() * STEP_MM**2 <= MOSTLY * area_mm2:
        return float("nan")
    return float((likely[known] > rules.unclear_probability).mean())


def _is_skin(skin: LaidOutSkin, rules: SkinRules) -> bool:
    """Say whether what shows is as red as skin (a* over L* + 30, 8-bit CIELAB), as even, not burnt out and no glove."""
    if not skin.own.any() or (skin.pixels[..., 1] >= skin.BURNT)[skin.visible].mean() > _MOST_BURNT:
        return False
    lab = skin.lab[skin.own].astype(np.float64)
    redness = np.median((lab[:, 1] - 128) / (lab[:, 0] + _LIGHTNESS))
    uneven = np.median(np.abs(skin.relief[skin.own]))
    return bool(redness >= rules.skin_redness_min and uneven <= rules.skin_relief_max and not skin.gloved)


def _area(found: Found, skin: LaidOutSkin, calibration: Calibration) -> DoubtfulArea:
    kind, part, size_mm = found
    rows, cols = np.nonzero(part)
    grid, middle = skin.grid, (float(cols.mean()), float(rows.mean()))
    x, y = calibration.to_px(grid.to_plane(np.array([middle])))[0]
    outline = max(outlines_px(part, grid, calibration), key=len)
    return DoubtfulArea(
        kind,
        size_mm,
        float(grid.s[round(middle[1])] - grid.s[0]),
        (float(x), float(y)),
        outline,
        _beside_nail(middle, skin),
    )


def _beside_nail(middle: tuple[float, float], skin: LaidOutSkin) -> bool:
    """Say whether a cell (column, row) lies level with the nail on the back, and beside its plate."""
    radius = skin.finger.radius_mm
    s, u = middle[1] * STEP_MM / radius, abs(skin.grid.u[round(middle[0])]) / radius
    return bool(skin.finger.side == "dorsal" and s < _BESIDE[0] and u > _BESIDE[1])
