"""Cracks of a finger's skin, and a nail that is lost: what colour of an area alone does not show."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from ulcermeter.datatypes import Finger
from ulcermeter.protocol import Protocol
from ulcermeter.quality.laid_out import MOSTLY, LaidOutSkin
from ulcermeter.quality.nail_plate import is_nails_fold
from ulcermeter.quality.skin_grid import (
    STEP_MM,
    Floats,
    Mask,
    against_own,
    disc,
    finger_area,
    linear_light,
)

__all__ = ["Fissure", "find_fissures", "length_and_width_mm", "lost_nail"]

# Cracks up to so wide are filled by closing before what is darker than that is looked at: a nail's fold and a shaded
# crease are wider and fall less over so little. What light is blurred by, mm (sd).
_WIDEST_MM, _SHARP_MM = 1.0, 0.08
# What a lens scatters over everything, as a share of white. Assumption.
_SCATTER = 0.004
# Stands for no light (ln).
_NO_LIGHT = -9.0
# Beside a bright nail or glare skin is no crack: what lies beside counts at most this much brighter than own skin (ln),
# as the pale hard skin along a crack is on dark fingers. Assumption.
_BRIGHTEST_BESIDE = 0.6
# A crack is followed as far as its light falls to so little of what is beside it, and joined over gaps of so many mm;
# so much of it lies as deep as the protocol asks: assumption.
_FOLLOWED, _GAP_MM, _DEEPEST_SHARE = 1 / 1.6, 0.4, 0.1
# Joints fold behind so many radii from the tip, in lines that turn from straight across by at most so many degrees.
_JOINTS_FROM, _ACROSS_DEG = 2.3, 35.0
# A line of which so much (share) lies within so many mm of the edge of what is seen is that edge's shade, unless its
# reddest quarter is so much redder than skin: assumption (240 drawn, rendered and real healthy fingers have none there
# at all, cracks beside the nail lie .7 to 1 mm from it).
_ALONG_EDGE, _EDGE_MM, _REDDEST, _RED = 0.9, 0.6, 75, 1.4
# Where another finger lies beside, the line between them is a border and no crack: it runs along the finger, to so many
# degrees, so near to its outline, mm; from so far beyond the line to so far beyond the outline, mm, most (share) of it
# is as red and as light as the finger's skin within so much (ln), and nothing is half as dark as the line (share
# of its length), as the border would be were the line a crack. Assumption.
_ALONG_DEG, _BORDER_MM, _PAST_LINE_MM, _PAST_OUTLINE_MM = 30.0, 2.5, 0.4, 2.5
_NEIGHBOUR, _AS_RED, _AS_LIGHT, _SECOND_LINE = 0.7, 0.4, 0.9, 0.3
# A nail's groove is nowhere (percentile of its cells) deeper than this (ln); of five drawn and painted cracks beside a
# plate one is no deeper. Assumption.
_DEEP_PCT, _GROOVE = 90, 1.5
# What a crack is at least times as long as wide: assumption.
_SLENDER = 3.0
# Where a nail's plate lies, in radii: from the tip, and to either side; and the fold beside it.
_PLATE, _PLATE_BESIDE, _FOLD = (0.45, 1.6), 0.6, (0.68, 0.8)
# Least cells of plate, skin and fold that must show, 0.5 mm2.
_LEAST_CELLS = 50
# A bed that lies bare is redder than the skin by so much, as rough as skin (a plate of 13 drawn and real nails .3-.75
# of it, a bare bed .9 and more), and no much darker fold (ln) frames it: assumption.
_BED_REDDER, _BED_ROUGH, _FOLD_DARKER = 1.12, 0.85, 0.15
# Each of its sides is redder by so much at least: drawn beds by 1.07 and more, the far side of a real thumb's nail seen
# at an angle by less than nothing. Assumption.
_SIDE_REDDER = 1.05


@dataclass(frozen=True)
class Fissure:
    """A crack on the grid: bool (M, N), and how long it is, mm."""

    where: Mask = field(repr=False)
    length_mm: float


def find_fissures(skin: LaidOutSkin, *, visible: Mask, protocol: Protocol) -> list[Fissure]:
    """Find narrow, dark or red lines in a finger's skin that are deeper than a crease or a nail's fold.

    Green light is what both lose, and blood keeps red: depth is by how much green falls and red over green rises over a
    line's width, so that a crack shows on dark skin, whose green is hardly more than a crack's. A crack is followed
    where it is shallow and counts where it is deep: on plain skin sooner than where healthy fingers
    fold, and along the edge.

    Parameters
    ----------
    skin : LaidOutSkin
    visible : bool (M, N)
        What shows of the finger, up to nearer its outline than its areas are looked for.
    protocol : Protocol
        For ``fissure_...``.

    Returns
    -------
    list of Fissure
    """
    own = skin.own
    light = linear_light(skin.pixels, blur_mm=_SHARP_MM) + _SCATTER
    green, redness = np.log(light[..., 1]), np.log(light[..., 0] / light[..., 1])
    redder, lighter = (each - (np.median(each[own]) if own.any() else 0.0) for each in (redness, green))
    # What lies beyond the edge is no skin that a line could be held against.
    against = against_own(green, own, skin.grid, skin.finger)
    depth = _depth(np.where(visible, against, _NO_LIGHT))
    depth += _rise(np.where(visible, redness, -_NO_LIGHT))
    line = ((depth > -np.log(_FOLLOWED)) & visible).astype(np.uint8)
    count, labels = cv2.connectedComponents(cv2.morphologyEx(line, cv2.MORPH_CLOSE, disc(_GAP_MM / 2)))
    near_edge = cv2.erode(np.pad(visible.astype(np.uint8), 1), disc(_EDGE_MM))[1:-1, 1:-1] == 0
    found = []
    for label in np.unique(labels[(depth > -np.log(protocol.skin.fissure_plain_ratio)) & visible]):
        part = labels == label
        length_mm, width_mm = length_and_width_mm(part)
        folds = (skin.nail_on_any_side | near_edge)[part].mean() > MOSTLY or _is_across_joint(part, skin.finger)
        ratio = protocol.skin.fissure_fold_ratio if folds else protocol.skin.fissure_plain_ratio
        if (
            label
            and length_mm >= max(protocol.skin.fissure_min_mm, _SLENDER * width_mm)
            and (depth[part] > -np.log(ratio)).mean() > _DEEPEST_SHARE
            and (near_edge[part].mean() < _ALONG_EDGE or np.percentile(redder[part], _REDDEST) > np.log(_RED))
            and not _is_border(part, lighter, redder, skin)
            and not (np.percentile(depth[part], _DEEP_PCT) < _GROOVE and is_nails_fold(part, skin))
        ):
            found.append(Fissure(part, length_mm))
    return found


def _depth(green: Floats) -> Floats:
    closed = cv2.morphologyEx(green.astype(np.float32), cv2.MORPH_CLOSE, disc(_WIDEST_MM / 2))
    return np.asarray(np.minimum(closed, _BRIGHTEST_BESIDE) - green)


def _rise(redness: Floats) -> Floats:
    return np.asarray(redness - cv2.morphologyEx(redness.astype(np.float32), cv2.MORPH_OPEN, disc(_WIDEST_MM / 2)))


def _is_across_joint(part: Mask, finger: Finger) -> bool:
    along = float(_axis(np.argwhere(part).astype(np.float64))[0])
    behind = np.nonzero(part)[0].mean() * STEP_MM > _JOINTS_FROM * finger.radius_mm
    return bool(behind and abs(along) < np.sin(np.deg2rad(_ACROSS_DEG)))


def _is_border(part: Mask, lighter: Floats, redder: Floats, skin: LaidOutSkin) -> bool:
    """Say whether a line parts the finger from another one beside it; all of both is held against its skin."""
    inside, side = finger_area(skin.finger, skin.grid), np.sign(skin.grid.u[np.nonzero(part)[1]].mean())
    outwards = slice(None) if side > 0 else slice(None, None, -1)
    line, finger_side, light, red = (a[part.any(axis=1)][:, outwards] for a in (part, inside, lighter, redder))
    last, cols = line.shape[1] - 1, np.arange(line.shape[1])
    line_ends, ends = (last - a[:, ::-1].argmax(axis=1) for a in (line, finger_side))
    along = abs(float(_axis(np.argwhere(part).astype(np.float64))[0])) > np.cos(np.deg2rad(_ALONG_DEG))
    if not along or np.median(ends - line_ends) * STEP_MM > _BORDER_MM:
        return False
    beyond = (cols > line_ends[:, None] + _PAST_LINE_MM / STEP_MM) & (cols < ends[:, None] + _PAST_OUTLINE_MM / STEP_MM)
    alike = (np.abs(red) < _AS_RED) & (np.abs(light) < _AS_LIGHT)
    second = np.where(beyond, light, 0.0).min(axis=1) < np.where(line, light, 0.0).min(axis=1) / 2
    return bool(alike[beyond].mean() > _NEIGHBOUR and second.mean() < _SECOND_LINE)


def _axis(cells: Floats) -> Floats:
    """Return the direction in which cells (K, 2) lie, down the rows and over the columns."""
    return np.asarray(np.linalg.svd(cells - cells.mean(axis=0), full_matrices=False)[2][0])


def length_and_width_mm(part: Mask) -> tuple[float, float]:
    """Return a line's length from end to end and its mean width, mm.

    Parameters
    ----------
    part : bool (M, N)
        On the grid.

    Returns
    -------
    float
        Length along its own axis.
    float
        Area over length.
    """
    cells = np.argwhere(part).astype(np.float64)
    length = (float(np.ptp(cells @ _axis(cells))) + 1) * STEP_MM
    return length, len(cells) * STEP_MM**2 / length


def lost_nail(
    relief: Floats,
    *,
    brightness: Floats,
    redness: Floats,
    visible: Mask,
    nail: Mask,
    in_radii: tuple[Floats, Floats],
) -> Mask | None:
    """Return where the bed of a lost nail lies bare on the back of a finger; None where a nail, or too little, shows.

    A bed is redder than the skin and as rough, where a nail is smooth, and no fold frames it.

    Parameters
    ----------
    relief : float64 (M, N)
        How the brightness goes up and down over tenths of a millimetre (ln).
    brightness, redness : float64 (M, N)
        Against the finger's own skin (ln).
    visible, nail : bool (M, N)
        What shows of the finger, and where a nail can be.
    in_radii : tuple of 2 float64 (M, N)
        How far each cell lies from the tip and from the middle.

    Returns
    -------
    bool (M, N) or None
    """
    s, v = in_radii[0], np.abs(in_radii[1])
    along = (s > _PLATE[0]) & (s < _PLATE[1])
    left = in_radii[1] < 0
    plate, skin = visible & along & (v < _PLATE_BESIDE), visible & ~nail
    fold = visible & along & (v > _FOLD[0]) & (v < _FOLD[1])
    if min(int(one.sum()) for one in (plate & left, plate & ~left, skin, fold)) < _LEAST_CELLS:
        return None
    ups = np.abs(relief)
    rough = float(np.median(ups[plate]) / max(np.median(ups[skin]), 1e-6))
    darker = float(np.median(brightness[plate]) - np.median(brightness[fold]))
    # To either side of the middle: of a nail seen at an angle one side is the fold's skin, and redder.
    sides = [float(np.median(redness[plate & half])) for half in (left, ~left)]
    redder = np.median(redness[plate]) > np.log(_BED_REDDER) and min(sides) > np.log(_SIDE_REDDER)
    bare = redder and rough > _BED_ROUGH and darker < _FOLD_DARKER
    return plate if bare else None
