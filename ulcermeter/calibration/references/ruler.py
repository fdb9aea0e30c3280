"""A ruler: mm ticks along a straight or gently curved scale.

Ticks are a wave: its direction and period show in the spectrum of small tiles, its phase, followed along the scale,
says where each tick is. What a tick is worth is read from the longer ones among them: every tenth (and fifth) means
millimetres, every twentieth with every second means half millimetres; eighths and sixteenths are inches and refused.
A ruler tells the scale along one line. How far the plane leans along it shows in the drift of the period; how far it
leans about it, in how the ticks, which are parallel, fan out, and in the angle between them and the line of their ends.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.calibration.features.robust import TUKEY, biweight, robust_sd
from ulcermeter.calibration.features.tick_detection import TickCluster, find_ticks
from ulcermeter.calibration.features.tick_fit import TickLines, fit_tick_lines
from ulcermeter.calibration.features.tick_unit import TickUnit, read_tick_unit, tick_ink
from ulcermeter.calibration.references.reference import FoundReference, KindOfReference
from ulcermeter.calibration.references.search_region import cropped
from ulcermeter.datatypes import Box, LensProfile, Note, NoteKind, Photo, Points
from ulcermeter.datatypes.arrays import Reals
from ulcermeter.errors import Problem, Refusal
from ulcermeter.reference import Reference, ReferenceKind

if TYPE_CHECKING:
    from ulcermeter.protocol import Protocol

__all__ = ["RULER", "find_ruler"]

_LONG_SIDES_PX = (1000, 2016)
"""Of the shrunken photos: coarse ticks show on the first, fine ones on the second."""
_STEP_PX = 0.5
"""Between places along the scale."""
_LEAST_TICKS = 15
"""In a row: one and a half periods of the ten that tell millimetres."""
_LARGEST_JITTER = 0.10
"""Spread of ticks about their smooth course, in ticks."""
_MOST_TICKS = 40
"""Points of a calibration: more ticks are averaged with their neighbours."""
_SURE_EXPLAINED = 0.80
"""Share of the ink's variance that a pattern of longer ticks explains from which no other row is tried (assumption)."""
_FAR_SD, _FAR_JITTER = 0.3, 0.1
"""Of the far points' distance from the near ones, together and each: a tilt of 35 degrees shortens it by 18 %. It says
on which side of the near ones they lie, lest the plane be seen from behind, and little more."""
_STRAIGHT_DEG = 2.0
"""A scale that turns by less from end to end is taken for a straight one, to half of this (assumption)."""
_SIZE_SD_PCT, _UNSTRETCHED_SD_MM = 0.3, 4.0
"""Of a paper scale's length; and how far from its ticks a bent one keeps its length (assumption)."""
_OBSERVED_TURN_SD = 0.035
"""A scale's turn is read off the photo, where a tilt of 15 degrees shortens one direction by 3.4 %."""
_SQUARE_SD_DEG = 0.3
"""Between ticks and the line of their ends, which may be the paper's cut edge (assumption)."""
_OVERTONES = (1.0, 1 / 2, 1 / 3, 2.0)
"""Ticks per wave found: as it is, every second or third wave a tick, two ticks a wave."""
_PERIODS_PX = (3.6, 40.0)
"""Of ticks on the shrunken photo: shorter ones are not resolved, of longer ones too few fit in."""
_INK_PERIODS = 6.0
"""To the sides of the short ticks, in which longer ones are looked for."""
_LEAST_COHERENCE = 0.04
"""Least share of the profile's variance that is the wave itself."""
_STRIP_TILES, _KERNEL_SDS = 1.3, 3.0
"""Of the straightened strip to either side, in tiles; and reach of a Gaussian kernel in sd."""
_GROUND_PERIODS, _ROW_PERIODS, _BEAT_PERIODS = 2.45, 7.0, 1.0
"""Over which a row's ground is a running mean, twice (sd of one period), a row's wave is, and, as a sd, the beat of all
rows: in periods of the ticks."""
_BAND_STRENGTH, _BAND_PERIODS = 0.5, 4.0
"""Rows that show the wave: their strength over the strongest row's, and how far from it they lie, in periods."""
_LEAST_BEAT, _USUAL_BEAT_PCT = 0.35, 75
"""Of the beat along a scale, over its usual strength, a percentile: under it the ticks are hidden (assumption)."""
_COURSE_DEGREE, _COURSE_ROUNDS, _LEAST_JITTER, _LEAST_ROOT = 3, 5, 1e-4, 1e-6
"""Of the phase's course along a bent scale, with its ends' own bend; rounds of weighting; the spread, in ticks, and the
weight's root that are taken at least."""
_TURN_STEP = 1e-3
"""Of the numerical derivative by a scale's turn, rad."""
_HALF_BREADTH_MM = 8.0
"""To either side of the ticks that is the ruler and no skin: rulers for wounds are 15-20 mm broad (assumption)."""


class _WhyNot(Enum):
    """Why a ruler's ticks cannot be used."""

    TOO_FEW = "fewer even ticks in a row than are needed"
    UNIT_NOT_CLEAR = "no pattern of longer ticks that says what a tick is worth"
    INCHES = "parts of an inch"
    FADED = "ticks that are no straight lines at full resolution"


# What a tick is worth, mm, or why that is not known.
_WORTH_MM = {TickUnit.MILLIMETRE: 1.0, TickUnit.HALF_MILLIMETRE: 0.5}
_NO_UNIT = {TickUnit.INCH: _WhyNot.INCHES, TickUnit.NOT_CLEAR: _WhyNot.UNIT_NOT_CLEAR}
_ENOUGH_TICKS = f"at least {_LEAST_TICKS}"
_PROBLEMS = {
    _WhyNot.TOO_FEW: Problem(
        where="reference ruler",
        expected=f"{_ENOUGH_TICKS} even ticks in a row",
        got="fewer",
        action="lay the ruler flat beside the ulcer, free of glare, with 2 cm or more of it in the photo",
    ),
    _WhyNot.UNIT_NOT_CLEAR: Problem(
        where="reference ruler",
        expected="longer ticks at every 5 or 10 mm",
        got="ticks whose unit cannot be told",
        action="show 3 cm or more of the ruler, sharp and whole, or use another reference",
    ),
    _WhyNot.INCHES: Problem(
        where="reference ruler",
        expected="millimetres",
        got="eighths or sixteenths, as of an inch",
        action="use a ruler in mm",
    ),
    _WhyNot.FADED: Problem(
        where="reference ruler",
        expected=f"{_ENOUGH_TICKS} straight ticks in a row",
        got="some that fade or bend",
        action="photograph the ruler flat, sharp and without glare",
    ),
}


@dataclass(frozen=True)
class _Scale:
    """Ticks along a curve: places (x, y) at `phase` (in ticks), and the ink of each whole tick; light or dark ones."""

    places_px: Points
    phase: Reals
    jitter: float
    ink: Reals
    light: bool


@dataclass(frozen=True)
class _Reading:
    """A scale with what its ticks are worth, or why that is not known; and how much of the ink's pattern says so."""

    scale: _Scale
    explained: float
    tick_mm: float | None = None
    why_not: _WhyNot | None = None


def find_ruler(
    photo: Photo, reference: Reference, *, region: Box | None, protocol: Protocol, lens: LensProfile | None = None
) -> FoundReference | None:
    """Find a ruler's ticks on a photo, or inside the region.

    Parameters
    ----------
    photo : Photo
    reference : Reference
        Of kind `RULER`.
    region : Box or None
    protocol : Protocol
    lens : LensProfile or None

    Returns
    -------
    FoundReference or None
        None where no ticks are seen.

    Raises
    ------
    Refusal
        Too few ticks; ticks that are not even; a unit that cannot be told, or inches.
    """
    patch, origin = cropped(photo.pixels, region)
    grey = cv2.cvtColor(patch, cv2.COLOR_RGB2GRAY)
    readings: list[_Reading] = []
    any_rows = False
    for long_side in _LONG_SIDES_PX:
        factor = max(int(max(grey.shape) / long_side), 1)
        size = (grey.shape[1] // factor, grey.shape[0] // factor)
        small = cv2.resize(grey[: size[1] * factor, : size[0] * factor], size, interpolation=cv2.INTER_AREA)
        rows = find_ticks(small)
        any_rows |= bool(rows)
        readings += _readings(small, rows, factor, origin)
        found = _first_found(grey, origin, readings)
        if found is not None:
            return found
        if factor == 1:
            break
    if not readings and not any_rows:
        return None
    raise Refusal(_PROBLEMS[_why_not(readings)])


def _why_not(readings: list[_Reading]) -> _WhyNot:
    """Return why no reading could be used: that of the clearest one whose unit is not known."""
    if not readings:
        return _WhyNot.TOO_FEW
    clearest = max(readings, key=lambda reading: (reading.why_not is not None, reading.explained))
    return clearest.why_not or _WhyNot.FADED


def _readings(grey: NDArray[np.uint8], rows: list[TickCluster], factor: int, origin: Points) -> list[_Reading]:
    """Read each row of ticks at its wave, and as if that were an overtone."""
    readings = []
    for row in rows:
        for part in _OVERTONES:
            frequency = row.frequency * part
            if not 1 / _PERIODS_PX[1] < frequency < 1 / _PERIODS_PX[0]:
                continue
            scale = _follow(grey, replace(row, frequency=frequency))
            if scale is not None:
                places = (scale.places_px + 0.5) * factor - 0.5 + origin
                readings.append(_read(replace(scale, places_px=places)))
                if readings[-1].tick_mm is not None and readings[-1].explained > _SURE_EXPLAINED:
                    return readings
    return readings


def _follow(grey: NDArray[np.uint8], cluster: TickCluster) -> _Scale | None:
    """Follow the ticks' phase along the curve that the tiles lie on; None where it cannot be followed."""
    s = np.arange(cluster.low_px, cluster.high_px, _STEP_PX)
    middle, transverse = cluster.curve(s)
    half = int(_STRIP_TILES * cluster.tile_px)
    lateral = np.arange(-half, half + 1)
    where = (middle[None] + lateral[:, None, None] * transverse[None]).astype(np.float32)
    strip = cv2.remap(grey, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    period = 1 / cluster.frequency
    wide = _GROUND_PERIODS * period / _STEP_PX
    flat = strip - _boxed(_boxed(strip, wide), wide)
    wave = np.exp(-2j * np.pi * cluster.frequency * s)
    slow = [
        _boxed((flat * part).astype(np.float32), _ROW_PERIODS * period / _STEP_PX) for part in (wave.real, wave.imag)
    ]
    strength = np.hypot(*slow).mean(axis=1)
    band = strength > _BAND_STRENGTH * strength.max()
    band &= np.abs(lateral - lateral[int(np.argmax(strength))]) < _BAND_PERIODS * period
    profile = flat[band].mean(axis=0)
    beat = _smoothed((profile * wave)[None], _BEAT_PERIODS * period / _STEP_PX)[0]
    if np.mean(np.abs(beat) ** 2) < _LEAST_COHERENCE * np.var(profile):
        return None
    start, stop = _longest(np.abs(beat) > _LEAST_BEAT * np.percentile(np.abs(beat), _USUAL_BEAT_PCT))
    place = s[start:stop]
    # Ticks are narrower than what is between them: the profile leans to their side. Its phase is 0 on a tick.
    sign = -1.0 if np.mean(profile[start:stop] ** 3) > 0 else 1.0
    phase = cluster.frequency * place + (np.unwrap(np.angle(-sign * beat[start:stop]))) / (2 * np.pi)
    if phase[-1] - phase[0] < _LEAST_TICKS:
        return None
    smooth, jitter = _smooth_course(place, phase)
    if jitter > _LARGEST_JITTER:
        return None
    near = np.abs(lateral - np.median(lateral[band])) < _INK_PERIODS * period
    ink = tick_ink(sign * flat[near, start:stop], smooth, band[near])
    row = float(np.average(lateral[band], weights=strength[band]))
    places = middle[start:stop] + row * transverse[start:stop]
    return _Scale(places, smooth, jitter, ink, light=sign < 0)


def _boxed(rows: Reals, width: float) -> Reals:
    """Return running means along rows: one of width w has the spread of a Gaussian of sd w / √12."""
    return np.asarray(cv2.blur(rows, (2 * int(width / 2) + 1, 1), borderType=cv2.BORDER_REFLECT))


def _smoothed(values: Reals, sd: float) -> Reals:
    reach = int(_KERNEL_SDS * sd)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sd) ** 2)
    kernel /= kernel.sum()
    return np.stack([np.convolve(np.pad(row, reach, mode="reflect"), kernel, "valid") for row in values])


def _longest(good: NDArray[np.bool_]) -> tuple[int, int]:
    steps = np.flatnonzero(np.diff(np.concatenate([[False], good, [False]]).astype(np.int8)))
    runs = list(zip(steps[::2].tolist(), steps[1::2].tolist(), strict=True))
    return max(runs, key=lambda run: run[1] - run[0]) if runs else (0, len(good))


def _smooth_course(place: Reals, phase: Reals) -> tuple[Reals, float]:
    """Return the phase as a cubic of the place, robustly, and the spread about it."""
    t = np.linspace(-1, 1, len(place))
    weights: Reals = np.ones(len(place))
    for _ in range(_COURSE_ROUNDS):
        course = np.polynomial.Polynomial.fit(t, phase, _COURSE_DEGREE, w=np.sqrt(weights))(t)
        off = phase - course
        weights = biweight(off, TUKEY * max(robust_sd(off), _LEAST_JITTER), least=_LEAST_ROOT)
    return course, float(np.sqrt(np.average(off**2, weights=weights)))


def _read(scale: _Scale) -> _Reading:
    unit, explained = read_tick_unit(scale.ink)
    return _Reading(scale, explained, _WORTH_MM.get(unit), _NO_UNIT.get(unit))


def _first_found(grey: NDArray[np.uint8], origin: Points, readings: list[_Reading]) -> FoundReference | None:
    """Return the clearest scale whose ticks are straight lines at full resolution."""
    for reading in sorted(readings, key=lambda reading: -reading.explained):
        if reading.tick_mm is None:
            continue
        dark = cv2.bitwise_not(grey) if reading.scale.light else grey
        lines = fit_tick_lines(dark, reading.scale.places_px - origin, reading.scale.phase)
        if lines is not None:
            return _found(lines, origin, reading.tick_mm)
    return None


def _found(lines: TickLines, origin: Points, tick_mm: float) -> FoundReference:
    """Return two points on each tick; what is not known of them stands in their covariance."""
    lines = _few(lines)
    along_mm = (lines.number - lines.number.mean()) * tick_mm
    near, far = lines.near_px + origin, lines.far_px + origin
    axis = near[-1] - near[0]
    px_per_mm = float(np.hypot(*axis)) / float(np.ptp(along_mm))
    axis = axis / np.hypot(*axis)
    normal = np.array([-axis[1], axis[0]])
    aside_mm = float(((far - near) @ normal).mean()) / px_per_mm
    turn = _turn((near - near.mean(axis=0)) @ axis, near @ normal)
    shape = turn if abs(turn) > np.deg2rad(_STRAIGHT_DEG) and np.isfinite(lines.end_sd_px) else 0.0
    points_mm = _on_arc(along_mm, aside_mm, shape)
    bent_mm = _on_arc(along_mm, aside_mm, shape + _TURN_STEP) - points_mm
    bent_px = bent_mm * (px_per_mm / _TURN_STEP) @ np.stack([axis, normal])
    turn_sd = np.hypot(np.deg2rad(_STRAIGHT_DEG / 2), _OBSERVED_TURN_SD * shape)
    covariance = _covariance(lines, near, far) + turn_sd**2 * np.outer(bent_px.ravel(), bent_px.ravel())
    half = normal * _HALF_BREADTH_MM * px_per_mm
    return FoundReference(
        reference=Reference(ReferenceKind.RULER),
        points_px=np.vstack([near, far]),
        points_mm=points_mm,
        covariance_px2=covariance,
        outline_px=np.vstack([near[[0, -1]] + half, near[[-1, 0]] - half]),
        size_sd_pct=float(np.hypot(_SIZE_SD_PCT, 100 * _UNSTRETCHED_SD_MM * turn / np.ptp(along_mm))),
        warnings=(Note(NoteKind.RULER_UNIT, (tick_mm,)),),
    )


def _few(lines: TickLines) -> TickLines:
    """Return neighbouring ticks as one where there are more than are of use."""
    size = int(np.ceil(len(lines.number) / _MOST_TICKS))
    groups = np.array_split(np.arange(len(lines.number)), int(np.ceil(len(lines.number) / size)))
    number, near, far = (
        np.array([v[g].mean(axis=0) for g in groups]) for v in (lines.number, lines.near_px, lines.far_px)
    )
    return TickLines(number, near, far, lines.covariance_px2 / size, lines.end_sd_px / np.sqrt(size))


def _turn(x: Reals, y: Reals) -> float:
    """Return by how much (rad) a course turns from end to end."""
    return float(2 * np.polynomial.Polynomial.fit(x, y, 2).convert().coef[2] * np.ptp(x))


def _on_arc(along_mm: Reals, aside_mm: float, turn: float) -> Points:
    """Return points (2T, 2) along a scale that turns by `turn` (rad) from end to end, and the same aside of it.

    Lengths along the scale are kept, and ticks stand at right angles to it.
    """
    angle = turn * along_mm / float(np.ptp(along_mm))
    # sin(x) / x and (1 - cos(x)) / x², of the angle from the middle, to the second order that a gentle bend needs.
    course = np.column_stack([along_mm * (1 - angle**2 / 6), along_mm * (angle / 2 - angle**3 / 24)])
    return np.vstack([course, course + aside_mm * np.column_stack([-np.sin(angle), np.cos(angle)])])


def _covariance(lines: TickLines, near: Points, far: Points) -> Reals:
    """Return the covariance (4T, 4T) of the near and far points of ticks.

    A tick is placed at right angles to itself only: along it, its far point may lie anywhere, and its near point as
    the line of ends has it, which may stand askew to the ticks as a whole.
    """
    count = len(near)
    ticks = far - near
    length_px = float(np.median(np.hypot(*ticks.T)))
    ticks /= np.hypot(*ticks.T)[:, None]
    sides = np.column_stack([-ticks[:, 1], ticks[:, 0]])
    out = np.zeros((2, count, 2, 2, count, 2))
    each = np.arange(count)
    for i in (0, 1):
        for j in (0, 1):
            out[i, each, :, j, each, :] = lines.covariance_px2[i, j] * sides[:, :, None] * sides[:, None, :]
    for i, sd in ((0, min(lines.end_sd_px, length_px)), (1, _FAR_JITTER * length_px)):
        out[i, each, :, i, each, :] += sd**2 * ticks[:, :, None] * ticks[:, None, :]
    along_px = (near - near.mean(axis=0)) @ (near[-1] - near[0]) / np.hypot(*(near[-1] - near[0]))
    together = np.zeros((3, 2, count, 2))
    together[0, 0] = ticks * along_px[:, None] * np.deg2rad(_SQUARE_SD_DEG)
    together[1, 1] = ticks * _FAR_SD * length_px
    together[2, 1] = together[1, 1] * along_px[:, None] / np.abs(along_px).max()
    flat = together.reshape(3, -1)
    return out.reshape(4 * count, 4 * count) + flat.T @ flat


RULER = KindOfReference(
    find_ruler,
    "lay the ruler beside the ulcer so that at least 2 cm of its ticks can be seen",
)
