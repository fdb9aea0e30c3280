"""Whether a finger's skin is seen clear: nothing on it is dark, bloody, crusted white, cracked, or a bare nail bed."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Calibration, Finger, Photo, Points
from ulcermeter.protocol import Protocol
from ulcermeter.quality.fissures import find_fissures, lost_nail
from ulcermeter.quality.skin_grid import (
    STEP_MM,
    Floats,
    Mask,
    SkinGrid,
    against_own,
    disc,
    finger_area,
    linear_light,
    logs,
    nail_zone,
    outlines_px,
    parts,
    relief,
    sampled,
    skin_shown,
)

__all__ = ["DoubtfulArea", "DoubtfulKind", "SkinView", "judge_skin"]

# Least share of the finger's skin that must show for its own colour to be known: assumption.
_LEAST_PIXELS = 2000
# Skin beside the nail from which its colour is read, cells of 0.1 mm: 3 mm2; a fold of skin beside it is enough.
_LEAST_BESIDE_NAIL = 300
# 8-bit levels of a burnt channel: glare, of which nothing is known.
_BURNT = 250
# 8-bit level of green from which an area is white whatever its red; well-lit fair skin lies below. Assumption.
_WHITE = 240
# Polish lies so much of it on the nail, is so long and so wide (radii), and fills so much of its box: assumption.
_POLISH = (0.85, 0.8, 0.9, 0.84)
# Added to OpenCV's L* of 8 bits: in the dark a* is noise, and must not count for redness (assumption).
_LIGHTNESS = 30
# Skin along a nail is red in a band up to so wide, mm: redness there counts where it is wider (6 real nails 1.7), or so
# much more than the skin's (those 1.5 at most, drawn and photographed wounds mostly 2 and more). Assumption.
_NAIL_BORDER_MM, _BLOOD = 2.0, 1.9
# Blue over green against the finger's own skin (ln) beyond which paleness is a dye's or polish's: white on the darkest
# skin is .5 bluer. Assumption.
_DYED = 0.8
# A shade that darkens towards the finger's edge: so much of a dark area's rim (share) is the edge of what is seen, and
# inwards it fades by less than this (ln) over 0.8 mm. Assumption.
_AT_THE_EDGE, _FADES = 0.3, 0.5
# Added to blue and green before their ratio, as a share of white: what a lens scatters. Assumption.
_DIM = 0.004
# Redness within so many mm of a crack is its own, where most (share) of an area lies there.
_CRACK_BORDER_MM, _MOSTLY = 0.6, 0.5
# Level with the nail's plate, and beside it, in radii from the tip and from the middle.
_BESIDE = (2.1, 0.65)
# Ground that the outline reaches over: behind the end phalanx, mm from the tip; held against what lies so many mm
# beside it, and like it within so much (8-bit CIELAB). Assumption.
_GROUND_FROM_MM, _GROUND_MM, _LIKE_GROUND = 15.0, 2.5, 15.0
# A plate of crust: narrower parts are dropped and gaps closed, mm; no darker than so much of skin; how far to either
# side of its rim it is held against the skin, mm; so much of that skin shows. Assumption.
_PLATE_OPEN_MM, _PLATE_CLOSE_MM, _PLATE_DIM, _PLATE_RIM_MM, _PLATE_SHOWN = 0.4, 0.8, 0.55, (0.3, 0.6), 0.6
# A nail seen from the side, in radii: so far up, and so far from the middle.
_SIDE_NAIL = (2.3, 0.45)
# It reaches the edge of what is seen with so much of its rim, and keeps so much of skin's red; crusts lose more on all
# but fair skin. Assumption.
_NAIL_AT_EDGE, _PINK = 0.15, 1.5


class DoubtfulKind(Enum):
    """How an area differs from the finger's own skin."""

    DARK = "dark"
    RED = "red"
    PALE = "pale"
    FISSURE = "fissure"
    LOST_NAIL = "lost nail"


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


@dataclass(frozen=True)
class _Skin:
    """A finger's skin on its grid: pixels, what shows, what is the finger's own, and values against that (ln)."""

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


def judge_skin(photo: Photo, calibration: Calibration, finger: Finger, *, protocol: Protocol) -> SkinView:
    """Look for areas of a finger that are darker, redder or paler than its own skin, for cracks and a lost nail.

    The logarithm of the light is fitted by a surface, smooth along the finger and across it, that few odd pixels bend
    little: shade and curvature go into it, and what lies far from it is no skin of this finger. So each finger is its
    own measure, whatever its tone and the light.

    Parameters
    ----------
    photo : Photo
    calibration : Calibration
        From photo pixels to millimetres.
    finger : Finger
        Its outline says where skin is; on its back the nail is left out.
    protocol : Protocol
        For ``skin_...``, ``doubtful_min_mm`` and ``fissure_...``.

    Returns
    -------
    SkinView
        Nothing clear where too little of the finger shows, or what shows has not skin's colour or evenness.
    """
    grid = SkinGrid.of(calibration, finger)
    visible = skin_shown(photo, calibration, finger, grid)
    if visible.sum() < _LEAST_PIXELS:
        return SkinView()
    skin = _laid_out(photo, finger, grid, visible)
    if not _is_skin(skin, protocol):
        return SkinView()
    found = [*_not_twice(_areas(skin, protocol), _cracks(skin, protocol)), *_bare_beds(skin)]
    odd = np.zeros(visible.shape, dtype=bool)
    for _, where, _ in found:
        odd |= where
    clear = tuple(outlines_px(visible & ~odd & ~skin.burnt, grid, calibration))
    doubtful = [_area(kind, where, size_mm, skin, calibration) for kind, where, size_mm in found]
    return SkinView(clear, tuple(sorted(doubtful, key=lambda area: -area.size_mm)))


def _laid_out(photo: Photo, finger: Finger, grid: SkinGrid, visible: Mask) -> _Skin:
    pixels = sampled(photo.pixels, grid)
    light, burnt, nail = linear_light(pixels), pixels.max(axis=-1) >= _BURNT, nail_zone(grid, finger)
    # A finger's own colour is not read off the nail, which is brighter, where enough else shows.
    seen, beside = visible & ~burnt, visible & ~burnt & ~nail
    own = beside if beside.sum() >= _LEAST_BESIDE_NAIL else seen
    brightness, redness = (against_own(value, own, grid, finger) for value in logs(light))
    bluer = np.log((light[..., 2] + _DIM) / (light[..., 1] + _DIM))
    blueness = bluer - (np.median(bluer[own]) if own.any() else 0.0)
    return _Skin(grid, finger, pixels, visible, burnt, own, nail, brightness, redness, blueness, relief(pixels))


def _is_skin(skin: _Skin, protocol: Protocol) -> bool:
    """Say whether what shows is as red as skin (a* over L* + 30, as OpenCV scales them for 8 bits), and as even."""
    if not skin.own.any():
        return False
    lab = cv2.cvtColor(skin.pixels, cv2.COLOR_RGB2LAB)[skin.own].astype(np.float64)
    redness = np.median((lab[:, 1] - 128) / (lab[:, 0] + _LIGHTNESS))
    uneven = np.median(np.abs(skin.relief[skin.own]))
    return bool(redness >= protocol.skin.skin_redness_min and uneven <= protocol.skin.skin_relief_max)


_Found = tuple[DoubtfulKind, Mask, float]


def _areas(skin: _Skin, protocol: Protocol) -> list[_Found]:
    """Return areas that are darker, redder or paler than the finger's skin."""
    least = protocol.skin.doubtful_min_mm
    dark, red, pale = _odd(skin, protocol)
    found: list[_Found] = []
    for part in parts((dark | red) & skin.visible, skin.visible, at_least_mm=least):
        kind = DoubtfulKind.RED if red[part].sum() > dark[part].sum() else DoubtfulKind.DARK
        if not (_is_polish(part, skin) or (kind is DoubtfulKind.DARK and _is_shade(part, skin))):
            found.append((kind, part, _circle_mm(part)))
    for part in parts(pale & skin.visible, skin.visible, at_least_mm=least):
        if parts(part & ~skin.nail, part, at_least_mm=least) and not _is_side_nail(part, skin):
            found.append((DoubtfulKind.PALE, part, _circle_mm(part)))
    found = [one for one in found if not _is_ground(one[1], skin)]
    taken = np.any([part for _, part, _ in found], axis=0) if found else np.zeros(skin.visible.shape, dtype=bool)
    crusts = [part for part in _crusts(skin, protocol) if not (part & taken).any()]
    return [*found, *((DoubtfulKind.PALE, part, _circle_mm(part)) for part in crusts)]


def _odd(skin: _Skin, protocol: Protocol) -> tuple[Mask, Mask, Mask]:
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


def _is_polish(part: Mask, skin: _Skin) -> bool:
    """Say whether a dark or red area fills a nail's shape on the back, as polish does and dead skin does not."""
    on_nail = float(skin.nail[part].mean())
    rows, cols = np.nonzero(part)
    long, wide = (float(np.ptp(cells) + 1) * STEP_MM / skin.finger.radius_mm for cells in (rows, cols))
    fills = part.sum() * STEP_MM**2 / (long * wide * skin.finger.radius_mm**2)
    return bool(on_nail > _POLISH[0] and long > _POLISH[1] and wide > _POLISH[2] and fills > _POLISH[3])


def _is_side_nail(part: Mask, skin: _Skin) -> bool:
    """Say whether a pale area on a finger's side is its nail's: at the edge, level with the nail, and pink yet."""
    if skin.finger.side not in ("radial", "ulnar"):
        return False
    beyond, _ = _rims(part)
    at_edge = 1 - (beyond & skin.visible).sum() / max(int(beyond.sum()), 1)
    on_nail = float(_side_nail_zone(skin)[part].mean())
    pink = float(np.median(skin.redness[part])) > -np.log(_PINK)
    return bool(on_nail > _POLISH[0] and at_edge > _NAIL_AT_EDGE and pink)


def _side_nail_zone(skin: _Skin) -> Mask:
    s, v = skin.grid.in_radii(skin.finger)
    return np.asarray((s < _SIDE_NAIL[0]) & (np.abs(v) > _SIDE_NAIL[1]))


def _is_shade(part: Mask, skin: _Skin) -> bool:
    """Say whether a dark area lies along the edge of what is seen and fades inwards, as a finger's shaded side does."""
    beyond, within = _rims(part)
    seen = beyond & skin.visible
    if not seen.any() or not within.any() or 1 - seen.sum() / beyond.sum() < _AT_THE_EDGE:
        return False
    return bool(np.median(skin.brightness[seen]) - np.median(skin.brightness[part & within]) < _FADES)


def _is_ground(part: Mask, skin: _Skin) -> bool:
    """Say whether an area along the edge, behind the end phalanx, has the colour of what lies beyond the edge.

    A bent finger's outline, which is straight, can reach over its side. At the tip this is not asked: dead skin on a
    black cloth has its colour too.
    """
    if np.nonzero(part)[0].mean() * STEP_MM < _GROUND_FROM_MM:
        return False
    beyond, _ = _rims(part)
    around = cv2.dilate(part.astype(np.uint8), disc(_GROUND_MM)) > 0
    ground = around & ~finger_area(skin.finger, skin.grid)
    if 1 - (beyond & skin.visible).sum() / max(int(beyond.sum()), 1) < _AT_THE_EDGE or not ground.any():
        return False
    lab = cv2.cvtColor(skin.pixels, cv2.COLOR_RGB2LAB).astype(np.float64)
    return bool(np.linalg.norm(np.median(lab[part], axis=0) - np.median(lab[ground], axis=0)) < _LIKE_GROUND)


def _rims(part: Mask) -> tuple[Mask, Mask]:
    """Return a band of cells just beyond an area and one just within it."""
    near, far = _PLATE_RIM_MM
    mask = part.astype(np.uint8)
    beyond = (cv2.dilate(mask, disc(far)) > 0) & (cv2.dilate(mask, disc(near - STEP_MM)) == 0)
    return np.asarray(beyond), np.asarray(part & (cv2.erode(mask, disc(far - 2 * STEP_MM)) == 0))


def _crusts(skin: _Skin, protocol: Protocol) -> list[Mask]:
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


def _no_nail(where: Mask, skin: _Skin, *, at_least_mm: float) -> list[Mask]:
    """Return the connected areas that are large enough beside a nail, be it seen from above or from the side."""
    lateral = _side_nail_zone(skin) & (skin.finger.side in ("radial", "ulnar", ""))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(where.astype(np.uint8))
    large = np.flatnonzero(stats[:, cv2.CC_STAT_AREA] >= _least_cells(at_least_mm))
    found = [labels == label for label in large if label]
    return [part for part in found if parts(part & ~skin.nail & ~lateral, part, at_least_mm=at_least_mm)]


def _least_cells(size_mm: float) -> float:
    return float(np.pi / 4 * (size_mm / STEP_MM) ** 2)


def _is_rimmed(part: Mask, skin: _Skin, protocol: Protocol) -> bool:
    beyond, within = _rims(part)
    seen = beyond & skin.visible
    if not within.any() or seen.sum() < _PLATE_SHOWN * beyond.sum():
        return False
    step = float(np.median(skin.redness[seen]) - np.median(skin.redness[within]))
    return bool(step > np.log(protocol.skin.crust_rim_ratio))


def _bare_beds(skin: _Skin) -> list[_Found]:
    if skin.finger.side != "dorsal":
        return []
    where = lost_nail(
        skin.relief,
        brightness=skin.brightness,
        redness=skin.redness,
        visible=skin.visible,
        nail=skin.nail,
        in_radii=skin.grid.in_radii(skin.finger),
    )
    return [] if where is None else [(DoubtfulKind.LOST_NAIL, where, _circle_mm(where))]


def _cracks(skin: _Skin, protocol: Protocol) -> list[_Found]:
    found = find_fissures(skin.pixels, skin.grid, skin.finger, own=skin.own, visible=skin.visible, protocol=protocol)
    return [(DoubtfulKind.FISSURE, one.where, one.length_mm) for one in found]


def _not_twice(areas: list[_Found], cracks: list[_Found]) -> list[_Found]:
    """Return areas that are no crack's own redness, and cracks that are not a ragged part of an area or its edge."""
    grown = [cv2.dilate(crack.astype(np.uint8), disc(_CRACK_BORDER_MM)) > 0 for _, crack, _ in cracks]
    areas = [area for area in areas if all(one[area[1]].mean() < _MOSTLY for one in grown)]
    apart = (
        crack for crack, one in zip(cracks, grown, strict=True) if not any((one & part).any() for _, part, _ in areas)
    )
    return [*areas, *apart]


def _circle_mm(part: Mask) -> float:
    return float(np.sqrt(4 / np.pi * part.sum())) * STEP_MM


def _area(kind: DoubtfulKind, part: Mask, size_mm: float, skin: _Skin, calibration: Calibration) -> DoubtfulArea:
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


def _beside_nail(middle: tuple[float, float], skin: _Skin) -> bool:
    """Say whether a cell (column, row) lies level with the nail on the back, and beside its plate."""
    radius = skin.finger.radius_mm
    s, u = middle[1] * STEP_MM / radius, abs(skin.grid.u[round(middle[0])]) / radius
    return bool(skin.finger.side == "dorsal" and s < _BESIDE[0] and u > _BESIDE[1])
