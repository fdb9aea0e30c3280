"""Whether a finger's skin is seen clear: nothing on it is dark, bloody, crusted white, cracked, or a bare nail bed."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Calibration, Finger, Photo, Points
from ulcermeter.protocol import Protocol
from ulcermeter.quality.fissures import find_fissures, lost_nail
from ulcermeter.quality.ground import ground_within
from ulcermeter.quality.laid_out import MOSTLY, LaidOutSkin, circle_mm
from ulcermeter.quality.skin_areas import DoubtfulKind, Found, find_areas
from ulcermeter.quality.skin_grid import (
    STEP_MM,
    Mask,
    SkinGrid,
    against_own,
    disc,
    filled,
    linear_light,
    logs,
    nail_zone,
    outlines_px,
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
# Share of the finger that may be burnt out in green too: beyond it a white crust would not be seen. Assumption.
_MOST_BURNT = 0.2
# Added to OpenCV's L* of 8 bits: in the dark a* is noise, and must not count for redness (assumption).
_LIGHTNESS = 30
# Added to blue and green before their ratio, as a share of white: what a lens scatters. Assumption.
_DIM = 0.004
# Level with the nail's plate, and beside it, in radii from the tip and from the middle.
_BESIDE = (2.1, 0.65)
# Redness within so many mm of a crack is its own, where most of an area lies there.
_CRACK_BORDER_MM = 0.6
# Cracks are narrow, and seen nearer to the outline than areas, mm: on 11 healthy real fingers none is there; at 0.4
# one's shaded border passes for one. Assumption.
_CRACK_RIM_MM = 0.5


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
    photo: Photo, calibration: Calibration, finger: Finger, *, network_mm: Points | None = None, protocol: Protocol
) -> SkinView:
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
    network_mm : float64 (K, 2), optional
        Outline on the plane of what the finger network takes for the finger, which shows where the finger's own
        outline reaches over ground.
    protocol : Protocol
        For the rules of the skin, ``protocol.skin``.

    Returns
    -------
    SkinView
        Nothing clear where too little of the finger shows, or what shows has not skin's colour or evenness.
    """
    grid = SkinGrid.of(calibration, finger)
    visible = skin_shown(photo, calibration, finger, grid)
    if visible.sum() < _LEAST_PIXELS:
        return SkinView()
    pixels, nearer = sampled(photo.pixels, grid), skin_shown(photo, calibration, finger, grid, rim_mm=_CRACK_RIM_MM)
    if network_mm is not None:
        network = filled(network_mm, finger, grid)
        ground = ground_within(pixels, network, nearer, grid=grid, finger=finger, rules=protocol.skin)
        visible, nearer = visible & ~ground, nearer & ~ground
    skin = _laid_out(pixels, finger, grid, visible)
    if not _is_skin(skin, protocol):
        return SkinView()
    found = [*_not_twice(find_areas(skin, protocol), _cracks(skin, nearer, protocol)), *_bare_beds(skin)]
    odd = np.zeros(visible.shape, dtype=bool)
    for _, where, _ in found:
        odd |= where
    clear = tuple(outlines_px(visible & ~odd & ~skin.burnt, grid, calibration))
    doubtful = [_area(kind, where, size_mm, skin, calibration) for kind, where, size_mm in found]
    return SkinView(clear, tuple(sorted(doubtful, key=lambda area: -area.size_mm)))


def _laid_out(pixels: NDArray[np.uint8], finger: Finger, grid: SkinGrid, visible: Mask) -> LaidOutSkin:
    light, burnt, nail = linear_light(pixels), pixels.max(axis=-1) >= _BURNT, nail_zone(grid, finger)
    seen, plate = visible & ~burnt, nail_zone(grid, finger, plate=True)
    # A finger's own colour is not read off the nail, which is brighter, where enough else shows.
    own = next((skin for skin in (seen & ~nail, seen & ~plate) if skin.sum() >= _LEAST_BESIDE_NAIL), seen)
    brightness, redness = (against_own(value, own, grid, finger) for value in logs(light))
    bluer = np.log((light[..., 2] + _DIM) / (light[..., 1] + _DIM))
    blueness = bluer - (np.median(bluer[own]) if own.any() else 0.0)
    return LaidOutSkin(grid, finger, pixels, visible, burnt, own, nail, brightness, redness, blueness, relief(pixels))


def _is_skin(skin: LaidOutSkin, protocol: Protocol) -> bool:
    """Say whether what shows is as red as skin (a* over L* + 30, 8-bit CIELAB), as even, not burnt out and no glove."""
    if not skin.own.any() or (skin.pixels[..., 1] >= _BURNT)[skin.visible].mean() > _MOST_BURNT:
        return False
    lab = skin.lab[skin.own].astype(np.float64)
    redness = np.median((lab[:, 1] - 128) / (lab[:, 0] + _LIGHTNESS))
    uneven = np.median(np.abs(skin.relief[skin.own]))
    gloved = skin.worn[skin.own].mean() > MOSTLY
    return bool(redness >= protocol.skin.skin_redness_min and uneven <= protocol.skin.skin_relief_max and not gloved)


def _bare_beds(skin: LaidOutSkin) -> list[Found]:
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
    return [] if where is None else [(DoubtfulKind.LOST_NAIL, where, circle_mm(where))]


def _cracks(skin: LaidOutSkin, nearer: Mask, protocol: Protocol) -> list[Found]:
    found = find_fissures(skin, visible=nearer, protocol=protocol)
    return [(DoubtfulKind.FISSURE, one.where, one.length_mm) for one in found if skin.worn[one.where].mean() < MOSTLY]


def _not_twice(areas: list[Found], cracks: list[Found]) -> list[Found]:
    """Return areas that are no crack's own redness, and cracks that are not a ragged part of an area or its edge."""
    grown = [cv2.dilate(crack.astype(np.uint8), disc(_CRACK_BORDER_MM)) > 0 for _, crack, _ in cracks]
    areas = [area for area in areas if all(one[area[1]].mean() < MOSTLY for one in grown)]
    apart = (
        crack for crack, one in zip(cracks, grown, strict=True) if not any((one & part).any() for _, part, _ in areas)
    )
    return [*areas, *apart]


def _area(kind: DoubtfulKind, part: Mask, size_mm: float, skin: LaidOutSkin, calibration: Calibration) -> DoubtfulArea:
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
