"""Areas of a finger that are darker, redder or paler than its own skin, or a crust on it."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

import cv2
import numpy as np

from ulcermeter.protocol import Protocol
from ulcermeter.quality.fissures import length_and_width_mm
from ulcermeter.quality.laid_out import (
    MOSTLY,
    LaidOutSkin,
    at_the_edge,
    circle_mm,
    falls_over_rim,
    from_tip_mm,
    is_rough_within,
    rims,
    roughness,
)
from ulcermeter.quality.nail_plate import (
    is_no_nail,
    is_on_bare_skin,
    is_plaque,
    is_polish,
    is_side_nail,
)
from ulcermeter.quality.skin_grid import STEP_MM, Mask, disc, finger_area, parts

__all__ = ["DoubtfulKind", "Found", "find_areas"]

# 8-bit level of green from which an area is white whatever its red; well-lit fair skin lies below. Assumption.
_WHITE = 240
# Skin along a nail is red in a band up to so wide, mm: redness there counts where it is wider (6 real nails 1.7), or so
# much more than the skin's (those 1.5 at most, drawn and photographed wounds mostly 2 and more). Assumption.
_NAIL_BORDER_MM, _BLOOD = 2.0, 1.9
# Blue over green against the finger's own skin (ln) beyond which paleness is a dye's or polish's: white on the darkest
# skin is .5 bluer. Assumption.
_DYED = 0.8
# Green over blue against the finger's own skin from which it is yellow, and over the area's rim: of real and rendered
# healthy fingers yellow skin comes to 1.25 over the rim and is no rougher than 1.9 times its finger. Assumption.
_YELLOW, _YELLOW_RIM = 1.2, 1.28
# A shade that darkens towards the finger's edge: so much of a dark area's rim (share) is the edge of what is seen, and
# inwards it fades by less than this (ln) over 0.8 mm. Assumption.
_AT_THE_EDGE, _FADES = 0.3, 0.5
# Ground that the outline reaches over: behind the end phalanx, mm from the tip; held against what lies so many mm
# beside it, and like it within so much (8-bit CIELAB). Assumption.
_GROUND_FROM_MM, _GROUND_MM, _LIKE_GROUND = 15.0, 2.5, 15.0
# A strip counts where it is so much darker than skin or as red as blood, at least so wide, mm, and stands out from the
# skin beside it by so much (ln): healthy nail folds and shaded edges come to .35 and fade. Assumption.
_BLACK, _STRIP_MM, _STRIP_STEP = 0.3, 0.5, 0.5
# A plate of crust: narrower parts are dropped and gaps closed, mm; no darker than so much of skin; so much of the skin
# beyond its rim shows. Assumption.
_PLATE_OPEN_MM, _PLATE_CLOSE_MM, _PLATE_DIM, _PLATE_SHOWN = 0.4, 0.8, 0.55, 0.6


class DoubtfulKind(Enum):
    """How an area differs from the finger's own skin."""

    DARK = "dark"
    RED = "red"
    PALE = "pale"
    FISSURE = "fissure"
    LOST_NAIL = "lost nail"


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
        if not (is_polish(part, skin, protocol) or (kind is DoubtfulKind.DARK and _is_shade(part, skin))):
            found.append((kind, part, circle_mm(part)))
    for part in parts(pale & skin.visible, skin.visible, at_least_mm=least):
        if _is_pale_skin(part, skin, protocol) and not is_side_nail(part, skin):
            found.append((DoubtfulKind.PALE, part, circle_mm(part)))
    found = [one for one in found if not _is_ground(*one[:2], skin)]
    taken = np.any([part for _, part, _ in found], axis=0) if found else np.zeros(skin.visible.shape, dtype=bool)
    more = [
        *((DoubtfulKind.PALE, part, circle_mm(part)) for part in _crusts(skin, protocol)),
        *((DoubtfulKind.RED, part, circle_mm(part)) for part in _raw(skin, protocol)),
        *((DoubtfulKind.PALE, part, circle_mm(part)) for part in _yellow(skin, protocol)),
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
    pale = (skin.brightness > 0) & lost & shown & (skin.blueness < _DYED)
    bare = ~skin.worn
    return dark & bare, red & bare, pale & bare


def _is_pale_skin(part: Mask, skin: LaidOutSkin, protocol: Protocol) -> bool:
    """Say whether a pale area is none of a nail: enough of it lies beside one, or it is no nail's."""
    if parts(part & ~skin.nail, part, at_least_mm=protocol.skin.doubtful_min_mm):
        return True
    return is_on_bare_skin(part, skin, protocol) or is_plaque(part, skin, protocol)


def _is_shade(part: Mask, skin: LaidOutSkin) -> bool:
    """Say whether a dark area lies along the edge of what is seen and fades inwards, as a finger's shaded side does."""
    beyond, within = rims(part)
    seen = beyond & skin.visible
    if not seen.any() or not within.any() or at_the_edge(part, skin) < _AT_THE_EDGE:
        return False
    return bool(np.median(skin.brightness[seen]) - np.median(skin.brightness[part & within]) < _FADES)


def _strips(skin: LaidOutSkin, protocol: Protocol) -> Iterator[Found]:
    """Yield black and bloody strips too narrow for an area, as what shows between a nail and the finger's edge."""
    black = skin.brightness < np.log(_BLACK)
    mask = (black | (skin.redness > np.log(_BLOOD))) & skin.visible & ~skin.burnt & ~skin.worn
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, disc(_STRIP_MM / 2))
    count, labels = cv2.connectedComponents(opened)
    for part in (labels == label for label in range(1, count)):
        length_mm, width_mm = length_and_width_mm(part)
        beyond, within = rims(part)
        seen, inner = beyond & skin.visible, part & within
        if not width_mm < protocol.skin.doubtful_min_mm <= length_mm or not (seen.any() and inner.any()):
            continue
        if from_tip_mm(part) > _GROUND_FROM_MM or _like_ground(part, skin):
            continue
        darker, redder = (float(np.median(v[seen]) - np.median(v[inner])) for v in (skin.brightness, -skin.redness))
        if max(darker, redder) > _STRIP_STEP:
            yield (DoubtfulKind.DARK if black[part].mean() > MOSTLY else DoubtfulKind.RED, part, length_mm)


def _is_ground(kind: DoubtfulKind, part: Mask, skin: LaidOutSkin) -> bool:
    """Say whether an area along the edge has the colour of what lies beyond the edge.

    A bent finger's outline, which is straight, can reach over its side. At the tip this is asked of red ones only: dead
    skin on a black cloth has its colour too, and crusts that of paper.
    """
    if kind is not DoubtfulKind.RED and from_tip_mm(part) < _GROUND_FROM_MM:
        return False
    return at_the_edge(part, skin) > _AT_THE_EDGE and _like_ground(part, skin)


def _like_ground(part: Mask, skin: LaidOutSkin) -> bool:
    # Behind what shows the finger goes on: there lies no ground, and an area could be like the rest of itself.
    finger_and_behind = np.maximum.accumulate(finger_area(skin.finger, skin.grid), axis=0)
    ground = (cv2.dilate(part.astype(np.uint8), disc(_GROUND_MM)) > 0) & ~finger_and_behind
    if not ground.any():
        return False
    lab = skin.lab.astype(np.float64)
    return bool(np.linalg.norm(np.median(lab[part], axis=0) - np.median(lab[ground], axis=0)) < _LIKE_GROUND)


def _crusts(skin: LaidOutSkin, protocol: Protocol) -> list[Mask]:
    """Return plates of crust on skin that is nearly as pale: rougher than it, and pale from a sharp rim on."""
    rules, ups = protocol.skin, np.abs(skin.relief)
    paler = skin.redness < -np.log(rules.crust_pale_redness_ratio)
    light = (skin.brightness > np.log(_PLATE_DIM)) & (skin.blueness < _DYED)
    mask = (paler & light & skin.visible & ~skin.worn).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, disc(_PLATE_OPEN_MM / 2))
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, disc(_PLATE_CLOSE_MM / 2))
    own = float(np.median(ups[skin.own]))
    return [
        part
        for part in _beside_nail(mask > 0, skin, protocol)
        if np.sqrt(np.mean(ups[part] ** 2)) > rules.crust_roughness_ratio * own and _is_rimmed(part, skin, protocol)
    ]


def _raw(skin: LaidOutSkin, protocol: Protocol) -> list[Mask]:
    """Return areas less red than blood, but rough and sharply rimmed, as wounds are and no nail's bed or fold."""
    rules = protocol.skin
    red = (skin.redness > np.log(rules.raw_red_ratio)) & skin.visible & ~skin.burnt & ~skin.worn
    rough, deep_mm = rules.plaque_roughness_ratio, _NAIL_BORDER_MM / 2
    return [
        part
        for part in parts(red, skin.visible, at_least_mm=rules.doubtful_min_mm)
        if is_rough_within(part, skin, rough, deep_mm=deep_mm)
        and -falls_over_rim(skin.redness, part, skin) > np.log(rules.raw_rim_ratio)
    ]


def _yellow(skin: LaidOutSkin, protocol: Protocol) -> list[Mask]:
    """Return yellow areas, rough and sharply rimmed, as slough is, which is neither dark nor red nor white."""
    rules, light = protocol.skin, skin.brightness > np.log(_PLATE_DIM)
    yellow = (skin.blueness < -np.log(_YELLOW)) & light & skin.visible & ~skin.burnt & ~skin.worn
    return [
        part
        for part in parts(yellow, skin.visible, at_least_mm=rules.doubtful_min_mm)
        if roughness(part, skin) > rules.plaque_roughness_ratio
        and falls_over_rim(skin.blueness, part, skin) > np.log(_YELLOW_RIM)
        and not _is_ground(DoubtfulKind.PALE, part, skin)
    ]


def _beside_nail(where: Mask, skin: LaidOutSkin, protocol: Protocol) -> list[Mask]:
    """Return the connected areas that are large enough beside a nail, be it seen from above or from the side."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(where.astype(np.uint8))
    least = protocol.skin.doubtful_min_mm
    large = np.flatnonzero(stats[:, cv2.CC_STAT_AREA] >= _least_cells(least))
    return [
        part
        for part in (labels == label for label in large if label)
        if is_no_nail(part, skin)
        or is_plaque(part, skin, protocol)
        or parts(part & ~skin.nail_on_any_side, part, at_least_mm=least)
    ]


def _least_cells(size_mm: float) -> float:
    return float(np.pi / 4 * (size_mm / STEP_MM) ** 2)


def _is_rimmed(part: Mask, skin: LaidOutSkin, protocol: Protocol) -> bool:
    beyond, within = rims(part)
    seen = beyond & skin.visible
    if not within.any() or seen.sum() < _PLATE_SHOWN * beyond.sum():
        return False
    return bool(falls_over_rim(skin.redness, part, skin) > np.log(protocol.skin.crust_rim_ratio))
