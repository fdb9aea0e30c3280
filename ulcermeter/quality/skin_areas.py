"""Areas of a finger that are darker, redder or paler than its own skin, or a crust on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Finger
from ulcermeter.protocol import Protocol
from ulcermeter.quality.fissures import length_and_width_mm
from ulcermeter.quality.skin_grid import STEP_MM, Floats, Mask, SkinGrid, disc, finger_area, parts

__all__ = ["DoubtfulKind", "Found", "LaidOutSkin", "circle_mm", "find_areas"]

# 8-bit level of green from which an area is white whatever its red; well-lit fair skin lies below. Assumption.
_WHITE = 240
# Polish lies so much of it on the nail, is so long and so wide (radii), and fills so much of its box: assumption.
_POLISH = (0.85, 0.8, 0.9, 0.84)
# Skin along a nail is red in a band up to so wide, mm: redness there counts where it is wider (6 real nails 1.7), or so
# much more than the skin's (those 1.5 at most, drawn and photographed wounds mostly 2 and more). Assumption.
_NAIL_BORDER_MM, _BLOOD = 2.0, 1.9
# Blue over green against the finger's own skin (ln) beyond which paleness is a dye's or polish's: white on the darkest
# skin is .5 bluer. Assumption.
_DYED = 0.8
# A shade that darkens towards the finger's edge: so much of a dark area's rim (share) is the edge of what is seen, and
# inwards it fades by less than this (ln) over 0.8 mm. Assumption.
_AT_THE_EDGE, _FADES = 0.3, 0.5
# Ground that the outline reaches over: behind the end phalanx, mm from the tip; held against what lies so many mm
# beside it, and like it within so much (8-bit CIELAB). Assumption.
_GROUND_FROM_MM, _GROUND_MM, _LIKE_GROUND = 15.0, 2.5, 15.0
# A strip counts where it is so much darker than skin or as red as blood, at least so wide, mm, and stands out from the
# skin beside it by so much (ln): healthy nail folds and shaded edges come to .35 and fade. Assumption.
_BLACK, _STRIP_MM, _STRIP_STEP = 0.3, 0.5, 0.5
# A plate of crust: narrower parts are dropped and gaps closed, mm; no darker than so much of skin; how far to either
# side of its rim it is held against the skin, mm; so much of that skin shows. Assumption.
_PLATE_OPEN_MM, _PLATE_CLOSE_MM, _PLATE_DIM, _PLATE_RIM_MM, _PLATE_SHOWN = 0.4, 0.8, 0.55, (0.3, 0.6), 0.6
# What could lie on a nail that no row says is seen lies on none where skin shows round so much of it, it lies so far
# off the middle (radii), and pales by so much: glare and half-moons of 13 nails do by 1.2 at most. Assumption.
_ALL_ROUND, _OFF_MIDDLE, _NO_MOON = 0.9, 0.35, 1.25
# Or where it is narrower than so many radii, and the rest of a plate (radii from the tip, and to either side)
# is so much as uneven as the skin further up: plates of 13 nails .3-.8, of drawn pulps .8-1. Assumption.
_SMALLER, _PLATE, _PLATE_ROUGH = 0.8, (0.45, 1.6, 0.6), 0.85
# How sharply a pale area there ends (red over green, beyond over within); glare comes to 1.13 where no nail's
# smoothness shows. Assumption.
_SHARP_RIM = 1.15
# A nail seen from the side, in radii: so far up, and so far from the middle.
_SIDE_NAIL = (2.3, 0.45)
# It reaches the edge of what is seen with so much of its rim, and keeps so much of skin's red; crusts lose more on all
# but fair skin. Assumption.
_NAIL_AT_EDGE, _PINK = 0.15, 1.5
# Most of an area (share): assumption.
_MOSTLY = 0.5


class DoubtfulKind(Enum):
    """How an area differs from the finger's own skin."""

    DARK = "dark"
    RED = "red"
    PALE = "pale"
    FISSURE = "fissure"
    LOST_NAIL = "lost nail"


@dataclass(frozen=True)
class LaidOutSkin:
    """A finger's skin on its grid, and its values against the finger's own skin (ln).

    Attributes
    ----------
    grid : SkinGrid
    finger : Finger
    pixels : uint8 (M, N, 3)
        sRGB.
    visible, burnt, own, nail : bool (M, N)
        What shows of the finger, is burnt out, is the finger's own skin, and where a nail can be.
    brightness, redness, blueness : float64 (M, N)
        Light, red over green and blue over green, against the finger's own.
    relief : float64 (M, N)
        How the brightness goes up and down over tenths of a millimetre.
    """

    grid: SkinGrid
    finger: Finger
    pixels: NDArray[np.uint8]
    visible: Mask
    burnt: Mask
    own: Mask
    nail: Mask
    brightness: Floats
    redness: Floats
    blueness: Floats
    relief: Floats


Found = tuple[DoubtfulKind, Mask, float]


def find_areas(skin: LaidOutSkin, protocol: Protocol) -> list[Found]:
    """Return areas that are darker, redder or paler than the finger's skin.

    Parameters
    ----------
    skin : LaidOutSkin
        The finger's skin on its grid.
    protocol : Protocol
        For ``skin_...``, ``crust_...`` and ``doubtful_min_mm``.

    Returns
    -------
    list of (DoubtfulKind, bool (M, N), float)
        What differs how, where, and how large, mm.
    """
    least = protocol.skin.doubtful_min_mm
    dark, red, pale = _odd(skin, protocol)
    found: list[Found] = []
    for part in parts((dark | red) & skin.visible, skin.visible, at_least_mm=least):
        kind = DoubtfulKind.RED if red[part].sum() > dark[part].sum() else DoubtfulKind.DARK
        if not (_is_polish(part, skin) or (kind is DoubtfulKind.DARK and _is_shade(part, skin))):
            found.append((kind, part, circle_mm(part)))
    for part in parts(pale & skin.visible, skin.visible, at_least_mm=least):
        beside = _on_bare_skin(part, skin) or parts(part & ~skin.nail, part, at_least_mm=least)
        if beside and not _is_side_nail(part, skin):
            found.append((DoubtfulKind.PALE, part, circle_mm(part)))
    found = [one for one in found if not _is_ground(*one[:2], skin)]
    taken = np.any([part for _, part, _ in found], axis=0) if found else np.zeros(skin.visible.shape, dtype=bool)
    more = [
        *((DoubtfulKind.PALE, part, circle_mm(part)) for part in _crusts(skin, protocol)),
        *_strips(skin, protocol),
    ]
    return [*found, *(one for one in more if not (one[1] & taken).any())]


def _odd(skin: LaidOutSkin, protocol: Protocol) -> tuple[Mask, Mask, Mask]:
    """Return what is dark, what is red and what is pale."""
    rules, burnt = protocol.skin, skin.burnt
    dark = (skin.brightness < np.log(rules.skin_dark_ratio)) & ~burnt
    red = (skin.redness > np.log(rules.skin_red_ratio)) & ~dark & ~burnt
    wide = cv2.morphologyEx((red | dark).astype(np.uint8), cv2.MORPH_OPEN, disc(_NAIL_BORDER_MM / 2)) > 0
    border = cv2.dilate(skin.nail.astype(np.uint8), disc(_NAIL_BORDER_MM)) > 0
    red &= wide | ~border | (skin.redness > np.log(_BLOOD))
    # What is white may be a crust, burnt out or not; fair skin burns out in red alone.
    shown = ~burnt | (skin.pixels[..., 1] >= _WHITE)
    lost = skin.redness < -np.log(rules.skin_pale_redness_ratio)
    return dark, red, (skin.brightness > 0) & lost & shown & (skin.blueness < _DYED)


def _is_polish(part: Mask, skin: LaidOutSkin) -> bool:
    """Say whether a dark or red area fills a nail's shape on the back, as polish does and dead skin does not."""
    on_nail = float(skin.nail[part].mean())
    rows, cols = np.nonzero(part)
    long, wide = (float(np.ptp(cells) + 1) * STEP_MM / skin.finger.radius_mm for cells in (rows, cols))
    fills = part.sum() * STEP_MM**2 / (long * wide * skin.finger.radius_mm**2)
    return bool(on_nail > _POLISH[0] and long > _POLISH[1] and wide > _POLISH[2] and fills > _POLISH[3])


def _is_side_nail(part: Mask, skin: LaidOutSkin) -> bool:
    """Say whether a pale area on a finger's side is its nail's: at the edge, level with the nail, and pink yet."""
    if skin.finger.side not in ("radial", "ulnar"):
        return False
    beyond, _ = _rims(part)
    at_edge = 1 - (beyond & skin.visible).sum() / max(int(beyond.sum()), 1)
    on_nail = float(_side_nail_zone(skin)[part].mean())
    pink = float(np.median(skin.redness[part])) > -np.log(_PINK)
    return bool(on_nail > _POLISH[0] and at_edge > _NAIL_AT_EDGE and pink)


def _side_nail_zone(skin: LaidOutSkin) -> Mask:
    s, v = skin.grid.in_radii(skin.finger)
    return np.asarray((s < _SIDE_NAIL[0]) & (np.abs(v) > _SIDE_NAIL[1]))


def _is_shade(part: Mask, skin: LaidOutSkin) -> bool:
    """Say whether a dark area lies along the edge of what is seen and fades inwards, as a finger's shaded side does."""
    beyond, within = _rims(part)
    seen = beyond & skin.visible
    if not seen.any() or not within.any() or 1 - seen.sum() / beyond.sum() < _AT_THE_EDGE:
        return False
    return bool(np.median(skin.brightness[seen]) - np.median(skin.brightness[part & within]) < _FADES)


def _strips(skin: LaidOutSkin, protocol: Protocol) -> Iterator[Found]:
    """Yield black and bloody strips too narrow for an area, as what shows between a nail and the finger's edge."""
    black = skin.brightness < np.log(_BLACK)
    mask = (black | (skin.redness > np.log(_BLOOD))) & skin.visible & ~skin.burnt
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, disc(_STRIP_MM / 2))
    count, labels = cv2.connectedComponents(opened)
    for part in (labels == label for label in range(1, count)):
        length_mm, width_mm = length_and_width_mm(part)
        beyond, within = _rims(part)
        seen, inner = beyond & skin.visible, part & within
        if not width_mm < protocol.skin.doubtful_min_mm <= length_mm or not (seen.any() and inner.any()):
            continue
        if _from_tip_mm(part) > _GROUND_FROM_MM or _like_ground(part, skin):
            continue
        darker, redder = (float(np.median(v[seen]) - np.median(v[inner])) for v in (skin.brightness, -skin.redness))
        if max(darker, redder) > _STRIP_STEP:
            yield (DoubtfulKind.DARK if black[part].mean() > _MOSTLY else DoubtfulKind.RED, part, length_mm)


def _is_ground(kind: DoubtfulKind, part: Mask, skin: LaidOutSkin) -> bool:
    """Say whether an area along the edge has the colour of what lies beyond the edge.

    A bent finger's outline, which is straight, can reach over its side. At the tip this is asked of red ones only: dead
    skin on a black cloth has its colour too, and crusts that of paper.
    """
    if kind is not DoubtfulKind.RED and _from_tip_mm(part) < _GROUND_FROM_MM:
        return False
    beyond, _ = _rims(part)
    at_edge = 1 - (beyond & skin.visible).sum() / max(int(beyond.sum()), 1)
    return bool(at_edge > _AT_THE_EDGE and _like_ground(part, skin))


def _from_tip_mm(part: Mask) -> float:
    return float(np.nonzero(part)[0].mean()) * STEP_MM


def _like_ground(part: Mask, skin: LaidOutSkin) -> bool:
    ground = (cv2.dilate(part.astype(np.uint8), disc(_GROUND_MM)) > 0) & ~finger_area(skin.finger, skin.grid)
    if not ground.any():
        return False
    lab = cv2.cvtColor(skin.pixels, cv2.COLOR_RGB2LAB).astype(np.float64)
    return bool(np.linalg.norm(np.median(lab[part], axis=0) - np.median(lab[ground], axis=0)) < _LIKE_GROUND)


def _rims(part: Mask) -> tuple[Mask, Mask]:
    """Return a band of cells just beyond an area and one just within it."""
    near, far = _PLATE_RIM_MM
    mask = part.astype(np.uint8)
    beyond = (cv2.dilate(mask, disc(far)) > 0) & (cv2.dilate(mask, disc(near - STEP_MM)) == 0)
    return np.asarray(beyond), np.asarray(part & (cv2.erode(mask, disc(far - 2 * STEP_MM)) == 0))


def _crusts(skin: LaidOutSkin, protocol: Protocol) -> list[Mask]:
    """Return plates of crust on skin that is nearly as pale: rougher than it, and pale from a sharp rim on."""
    rules, ups = protocol.skin, np.abs(skin.relief)
    paler = skin.redness < -np.log(rules.crust_pale_redness_ratio)
    light = (skin.brightness > np.log(_PLATE_DIM)) & (skin.blueness < _DYED)
    mask = (paler & light & skin.visible).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, disc(_PLATE_OPEN_MM / 2))
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, disc(_PLATE_CLOSE_MM / 2))
    own = float(np.median(ups[skin.own]))
    return [
        part
        for part in _no_nail(mask > 0, skin, at_least_mm=rules.doubtful_min_mm)
        if np.sqrt(np.mean(ups[part] ** 2)) > rules.crust_roughness_ratio * own and _is_rimmed(part, skin, protocol)
    ]


def _no_nail(where: Mask, skin: LaidOutSkin, *, at_least_mm: float) -> list[Mask]:
    """Return the connected areas that are large enough beside a nail, be it seen from above or from the side."""
    lateral = _side_nail_zone(skin) & (skin.finger.side in ("radial", "ulnar", ""))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(where.astype(np.uint8))
    large = np.flatnonzero(stats[:, cv2.CC_STAT_AREA] >= _least_cells(at_least_mm))
    return [
        part
        for part in (labels == label for label in large if label)
        if _like_no_nail(part, skin) or parts(part & ~skin.nail & ~lateral, part, at_least_mm=at_least_mm)
    ]


def _like_no_nail(part: Mask, skin: LaidOutSkin) -> bool:
    """Say whether an area where a nail could be, on an unnamed side, is none's: skin all round, and no plate beside."""
    beyond, within = _rims(part)
    seen, inner = beyond & skin.visible, part & within
    if skin.finger.side or not inner.any() or seen.sum() < _ALL_ROUND * beyond.sum():
        return False
    small = min(np.ptp(cells) * STEP_MM for cells in np.nonzero(part)) < _SMALLER * skin.finger.radius_mm
    off_middle = abs(float(skin.grid.u[np.nonzero(part)[1]].mean())) / skin.finger.radius_mm
    step = float(np.median(skin.redness[seen]) - np.median(skin.redness[inner]))
    return bool(step > np.log(_NO_MOON) and (off_middle > _OFF_MIDDLE or (small and _no_plate_beside(part, skin))))


def _on_bare_skin(part: Mask, skin: LaidOutSkin) -> bool:
    """Say whether a pale area, on an unnamed side, has a sharp rim and no nail round it, and is no polished nail."""
    beyond, within = _rims(part)
    seen, inner = beyond & skin.visible, part & within
    if skin.finger.side or not (seen.any() and inner.any()) or _is_polish(part, skin):
        return False
    step = float(np.median(skin.redness[seen]) - np.median(skin.redness[inner]))
    return step > np.log(_SHARP_RIM) and _no_plate_beside(part, skin)


def _no_plate_beside(part: Mask, skin: LaidOutSkin) -> bool:
    """Say whether what lies round an area where a nail would be is as uneven as the skin further up."""
    s, v = skin.grid.in_radii(skin.finger)
    around = cv2.dilate(part.astype(np.uint8), disc(_PLATE_RIM_MM[1])) > 0
    plate = skin.visible & (s > _PLATE[0]) & (s < _PLATE[1]) & (np.abs(v) < _PLATE[2]) & ~around
    further = skin.visible & (s > _SIDE_NAIL[0])
    if not plate.any() or not further.any():
        return False
    uneven = np.abs(skin.relief)
    return bool(np.median(uneven[plate]) > _PLATE_ROUGH * np.median(uneven[further]))


def _least_cells(size_mm: float) -> float:
    return float(np.pi / 4 * (size_mm / STEP_MM) ** 2)


def _is_rimmed(part: Mask, skin: LaidOutSkin, protocol: Protocol) -> bool:
    beyond, within = _rims(part)
    seen = beyond & skin.visible
    if not within.any() or seen.sum() < _PLATE_SHOWN * beyond.sum():
        return False
    step = float(np.median(skin.redness[seen]) - np.median(skin.redness[within]))
    return bool(step > np.log(protocol.skin.crust_rim_ratio))


def circle_mm(part: Mask) -> float:
    """Return the diameter of the circle of an area's size, mm.

    Parameters
    ----------
    part : bool (M, N)
        On the grid.

    Returns
    -------
    float
    """
    return float(np.sqrt(4 / np.pi * part.sum())) * STEP_MM
