"""What a nail's plate, bare or polished, looks like on a finger, and what lies where one could be and is none."""

from __future__ import annotations

import cv2
import numpy as np

from ulcermeter.protocol import Protocol
from ulcermeter.quality.laid_out import (
    MOSTLY,
    LaidOutSkin,
    at_the_edge,
    falls_over_rim,
    is_rough_within,
    off_middle,
    rims,
    roughness,
)
from ulcermeter.quality.skin_grid import STEP_MM, Mask, disc, side_nail_zone

__all__ = ["is_nails_fold", "is_no_nail", "is_on_bare_skin", "is_plaque", "is_polish", "is_side_nail"]

# Polish lies so much of it on the nail, is so long and so wide (radii), and fills so much of its box: assumption.
_POLISH = (0.85, 0.8, 0.9, 0.84)
# Or so much of its box, where it fills so much of its own hull, lies so near the middle (radii), and is as smooth as
# the protocol asks: polished drawn nails fill .75 to .83 of their box and .96 to .98 of their hull. Assumption.
_ROUND_POLISH, _POLISH_HULL, _POLISH_OFF = 0.72, 0.94, 0.2
# Or is as smooth, fills so much of its hull, as a nail seen askew does, and is so much bluer against green than skin
# (ln): pink polish .7, blood and photographed wounds .37 at most. Assumption.
_ASKEW_HULL, _PINK_DYE = 0.9, 0.5
# What could lie on a nail that no row says is seen lies on none where skin shows round so much of it, it lies so far
# off the middle (radii), and pales by so much: glare and half-moons of 13 nails do by 1.2 at most. Assumption.
_ALL_ROUND, _OFF_MIDDLE, _NO_MOON = 0.9, 0.35, 1.25
# Or where it is narrower than so many radii, and the rest of a plate (radii from the tip, and to either side)
# is so much as uneven as the skin further up: plates of 13 nails .3-.8, of drawn pulps .8-1. Assumption.
_SMALLER, _PLATE, _PLATE_ROUGH = 0.8, (0.45, 1.6, 0.6), 0.85
# So many times as rough as a plaque has to be, its rim need be no sharper than on bare skin: glare on real nails is 3
# times as rough as skin at most, crusts drawn on fair skin, which hardly pale, 7. Assumption.
_VERY = 2.0
# Round an area, mm, what lies beside it begins.
_BESIDE_MM = 0.6
# How sharply a pale area there ends (red over green, beyond over within); glare comes to 1.13 where no nail's
# smoothness shows. Assumption.
_SHARP_RIM = 1.15
# Behind a nail, radii from the tip.
_BEHIND_NAIL = 2.3
# What lies to either side of a line so near, mm, but not nearer than the line's own blur; and how much bluer against
# green a plate is than the skin beyond its fold (ln): of a crack both sides are skin, and of 24 drawn ones where a nail
# can be two differ so much. Assumption.
_ALONGSIDE_MM, _BLUER = (0.4, 1.2), 0.1
# It reaches the edge of what is seen with so much of its rim, and keeps so much of skin's red; crusts lose more on all
# but fair skin. Assumption.
_NAIL_AT_EDGE, _PINK = 0.15, 1.5
# A nail's free edge, seen from the pulp too where it is long: before so many radii from the tip, and so many times as
# wide as long. A plaque is somewhere so far from its rim, mm, that its roughness can be read. Assumption.
_FREE_EDGE, _PLAQUE_DEEP_MM = (0.8, 1.5), 0.75


def is_polish(part: Mask, skin: LaidOutSkin, protocol: Protocol) -> bool:
    """Say whether a dark or red area fills a nail's shape on the back, as polish does and dead skin does not.

    Parameters
    ----------
    part : bool (M, N)
        On the grid.
    skin : LaidOutSkin
    protocol : Protocol
        For ``polish_roughness_ratio``.

    Returns
    -------
    bool
    """
    on_nail = float(skin.nail[part].mean())
    long, wide = _size(part, skin)
    if on_nail <= _POLISH[0] or long <= _POLISH[1] or wide <= _POLISH[2]:
        return False
    fills = part.sum() * STEP_MM**2 / (long * wide * skin.finger.radius_mm**2)
    if fills > _POLISH[3]:
        return True
    if roughness(part, skin) >= protocol.skin.polish_roughness_ratio:
        return False
    hull = _hull_filled(part)
    compact = fills > _ROUND_POLISH and hull > _POLISH_HULL and off_middle(part, skin) < _POLISH_OFF
    return bool(compact or (hull > _ASKEW_HULL and np.median(skin.blueness[part]) > _PINK_DYE))


def _size(part: Mask, skin: LaidOutSkin) -> tuple[float, float]:
    """Return an area's length along the finger and its width across, radii."""
    rows, cols = (float(np.ptp(cells) + 1) * STEP_MM / skin.finger.radius_mm for cells in np.nonzero(part))
    return rows, cols


def _hull_filled(part: Mask) -> float:
    outlines = cv2.findContours(part.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    largest = max(outlines, key=len)
    return float(cv2.contourArea(largest) / max(cv2.contourArea(cv2.convexHull(largest)), 1.0))


def is_side_nail(part: Mask, skin: LaidOutSkin) -> bool:
    """Say whether a pale area on a finger's side is its nail's: at the edge, level with the nail, and pink yet.

    Parameters
    ----------
    part : bool (M, N)
        On the grid.
    skin : LaidOutSkin

    Returns
    -------
    bool
    """
    if skin.finger.side not in ("radial", "ulnar"):
        return False
    on_nail = float(side_nail_zone(skin.grid, skin.finger)[part].mean())
    pink = float(np.median(skin.redness[part])) > -np.log(_PINK)
    return bool(on_nail > _POLISH[0] and at_the_edge(part, skin) > _NAIL_AT_EDGE and pink)


def is_no_nail(part: Mask, skin: LaidOutSkin) -> bool:
    """Say whether an area where a nail could be, on an unnamed side, is none's: skin all round, and no plate beside.

    Parameters
    ----------
    part : bool (M, N)
        On the grid.
    skin : LaidOutSkin

    Returns
    -------
    bool
    """
    beyond, within = rims(part)
    if skin.finger.side or not within.any() or (beyond & skin.visible).sum() < _ALL_ROUND * beyond.sum():
        return False
    small = min(np.ptp(cells) * STEP_MM for cells in np.nonzero(part)) < _SMALLER * skin.finger.radius_mm
    pales = falls_over_rim(skin.redness, part, skin) > np.log(_NO_MOON)
    return bool(pales and (off_middle(part, skin) > _OFF_MIDDLE or (small and _no_plate_beside(part, skin))))


def is_on_bare_skin(part: Mask, skin: LaidOutSkin, protocol: Protocol) -> bool:
    """Say whether a pale area, on an unnamed side, has a sharp rim and no nail round it, and is no polished nail.

    Parameters
    ----------
    part : bool (M, N)
        On the grid.
    skin : LaidOutSkin
    protocol : Protocol
        For ``polish_roughness_ratio`` and ``plaque_roughness_ratio``.

    Returns
    -------
    bool
    """
    if skin.finger.side or is_polish(part, skin, protocol):
        return False
    ratio = protocol.skin.plaque_roughness_ratio
    if _is_free_edge(part, skin) and not is_rough_within(part, skin, ratio, deep_mm=_PLAQUE_DEEP_MM):
        return False
    return falls_over_rim(skin.redness, part, skin) > np.log(_SHARP_RIM) and _no_plate_beside(part, skin)


def is_plaque(part: Mask, skin: LaidOutSkin, protocol: Protocol) -> bool:
    """Say whether a pale area, on an unnamed side, is too rough and too sharply rimmed for a nail, its moon or glare.

    Parameters
    ----------
    part : bool (M, N)
        On the grid.
    skin : LaidOutSkin
    protocol : Protocol
        For ``plaque_...``.

    Returns
    -------
    bool
    """
    if skin.finger.side or _is_free_edge(part, skin):
        return False
    ratio, rim = protocol.skin.plaque_roughness_ratio, falls_over_rim(skin.redness, part, skin)
    if not is_rough_within(part, skin, ratio, deep_mm=_PLAQUE_DEEP_MM):
        return False
    very = is_rough_within(part, skin, _VERY * ratio, deep_mm=_PLAQUE_DEEP_MM)
    return bool(rim > np.log(_SHARP_RIM if very else protocol.skin.plaque_rim_ratio))


def is_nails_fold(line: Mask, skin: LaidOutSkin) -> bool:
    """Say whether a line where a nail can be is the fold round its plate: one of its sides is the plate's, one skin's.

    Parameters
    ----------
    line : bool (M, N)
        On the grid.
    skin : LaidOutSkin

    Returns
    -------
    bool
    """
    if skin.nail_on_any_side[line].mean() <= MOSTLY or _no_plate_beside(line, skin):
        return False
    near, far = (cv2.dilate(line.astype(np.uint8), disc(reach_mm)) > 0 for reach_mm in _ALONGSIDE_MM)
    off_mm = np.abs(skin.grid.u)
    within = np.where(line, off_mm, 0.0).max(axis=1)[:, None] > off_mm
    plate, beyond = (far & ~near & skin.visible & side for side in (within, ~within))
    if not (plate.any() and beyond.any()):
        return False
    return bool(np.median(skin.blueness[plate]) - np.median(skin.blueness[beyond]) > _BLUER)


def _is_free_edge(part: Mask, skin: LaidOutSkin) -> bool:
    ends = np.nonzero(part)[0].max() * STEP_MM / skin.finger.radius_mm
    long, wide = _size(part, skin)
    return bool(ends < _FREE_EDGE[0] and wide > _FREE_EDGE[1] * long)


def _no_plate_beside(part: Mask, skin: LaidOutSkin) -> bool:
    """Say whether what lies round an area where a nail would be is as uneven as the skin further up."""
    s, v = skin.grid.in_radii(skin.finger)
    around = cv2.dilate(part.astype(np.uint8), disc(_BESIDE_MM)) > 0
    plate = skin.visible & (s > _PLATE[0]) & (s < _PLATE[1]) & (np.abs(v) < _PLATE[2]) & ~around
    further = skin.visible & (s > _BEHIND_NAIL)
    if not plate.any() or not further.any():
        return False
    uneven = np.abs(skin.relief)
    return bool(np.median(uneven[plate]) > _PLATE_ROUGH * np.median(uneven[further]))
