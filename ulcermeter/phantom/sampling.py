"""random_spec: plausible photos by chance, for tests, validation and training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes.arrays import Pixels
from ulcermeter.phantom.camera import DIAGONAL_35MM_MM
from ulcermeter.phantom.specs import CameraSpec, FingerSpec, LightSpec, PhantomSpec, ReferenceSpec, UlcerSpec
from ulcermeter.phantom.tabletop import BACKGROUNDS

Range = tuple[float, float]

# Usual size of each kind, mm; ISO/IEC 7810 for id1, the others assumption.
REFERENCE_SIZE_MM = {"aruco": 10.0, "apriltag": 10.0, "disc": 10.0, "id1": 85.60, "ruler": 50.0, "none": 10.0}
WIDE = ("id1", "card")
DICTIONARY = {"aruco": "DICT_4X4_50", "apriltag": "DICT_APRILTAG_36h11"}

# What is not asked for is drawn uniformly between these, all of them assumptions. The figures of `ulcermeter validate`
# and of the training hold for photos drawn so, and rest on these ranges: units are those of `ulcermeter.phantom.specs`.
_FINGER: dict[str, Range] = {
    "radius_mm": (6.5, 9.5),  # fingertips are 13 to 19 mm thick
    "taper": (0.1, 0.35),  # thicker by 6 to 20 % over the end two phalanges
    "length_mm": (62, 85),
    "mottling": (0.1, 0.9),
    "creases": (0.3, 0.9),  # some on every finger
    "tightness": (0.0, 0.9),  # systemic sclerosis from none to far gone
}
_ULCER: dict[str, Range] = {
    "irregularity": (0.1, 0.8),
    "aspect": (0.55, 1.0),  # longer ones are fissures
    "angle_deg": (0, 180),
    "depth_mm": (0.2, 0.9),  # of those over 3 mm; of smaller ones in proportion
    "halo": (0.1, 0.9),
    "rim": (0.0, 0.8),
}
_LIGHT: dict[str, Range] = {
    "azimuth_deg": (-180, 180),
    "elevation_deg": (42, 75),  # a lamp or window above the table
    "ambient": (0.35, 0.65),  # a room whose walls are light
    "softness": (0.1, 0.4),
    "glare": (0.4, 1.3),
}
_CAMERA: dict[str, Range] = {
    "azimuth_deg": (-180, 180),
    "roll_deg": (-15, 15),  # beside quarter turns
    "aim_mm": (-2, 2),  # off the middle of what must be on the photo
    "nearest_mm": (110, 220),  # nearer phones do not focus
    "focal_35mm_mm": (23.6, 28.4),  # main cameras of phones
    "k1": (-0.04, 0.04),
    "vignetting": (0.0, 0.3),
    "white_red": (0.92, 1.08),
    "white_blue": (0.88, 1.1),
    "exposure_ev": (-0.35, 0.1),
}
# JPEG qualities that phones and programs write, from and below.
_JPEG_QUALITY = (82, 97)
# Where the first ulcer begins, in radii from the tip: on the back behind the nail plate, else on the end phalanx.
_START_NAIL, _START = (1.98, 2.3), (0.55, 1.7)
# The least, in radii, clear of the steep end; and skin between two ulcers, mm.
_LEAST_START, _BETWEEN_MM = 0.35, 2.0
# Diameter from which an ulcer is as deep as it was drawn, mm: smaller ones are shallower.
_DEEP_FROM_MM = 3.0
# The reference: turned by hand, degrees; share behind the ulcer on the skin, where the finger is flat enough, in radii
# from the tip, and it no broader than a thumb, mm to either side.
_TURN_DEG: Range = (-8, 8)
_BEHIND_SHARE, _FLAT_FROM, _BEHIND_HALF_MM = 0.6, 0.95, 8.0
# Its place there: gap to the ulcer, mm, its half height with its margin, and both ways' play, mm.
_GAP_MM, _BEHIND_HIGH, _BEHIND_X_MM, _BEHIND_Y_MM = 1.0, 1.16, (-1.0, 1.0), (0.0, 2.0)
# Beside the finger: how far off its middle the finger reaches, in radii, half its width with its margin, play across
# and along, mm, and what a ruler keeps off besides, mm.
_FINGER_REACH, _BESIDE_WIDE, _BESIDE_X_MM, _BESIDE_Y_MM, _RULER_OFF_MM = 1.12, 1.15, (0.5, 2.5), (-3.0, 5.0), 5.0
# Half of a bank card's and of a ruler's paper, mm, and of others' over their size: a marker's white margin.
_ID1_HALF_MM, _RULER_HALF_MM, _RULER_END_MM, _PAPER_HALF = (42.8, 27.0), 6.0, 3.0, 0.68
# Round the ulcer what must be on the photo, mm either way; how far the frame reaches from its aim, in sides of the
# photo, short of half so that nothing touches its edge.
_AROUND_MM, _FRAME = 5.0, 0.42
# What is looked at then lies so much farther to the hand than that, mm.
_BARE_OFF_MM = 4.0
# Where a finger without an ulcer is looked at, in radii from the tip.
_LOOKED_AT = 1.2


def random_spec(
    seed: int,
    *,
    diameter_mm: Range = (1.0, 8.0),
    tilt_deg: Range = (0.0, 25.0),
    px_per_mm: Range = (12.0, 25.0),
    blur_px: Range = (0.5, 1.2),
    noise_sd: Range = (0.8, 3.0),
    skin_tone: Range = (1.0, 6.0),
    t_mm: Range = (-2.0, 2.0),
    reference: str = "aruco",
    reference_size_mm: float | None = None,
    place: str = "skin",
    n_ulcers: int = 1,
    size_px: tuple[int, int] = (1600, 1200),
    sides: Sequence[str] = ("pulp", "nail", "radial", "ulnar"),
    wound_beds: Sequence[str] = ("granulation", "granulation", "slough", "eschar"),
    crust: Range = (0.0, 0.0),
    distortion: bool = False,
    texture: Pixels | None = None,
    texture_size_mm: tuple[float, float] | None = None,
    reference_offset_mm: tuple[float, float] | None = None,
) -> PhantomSpec:
    """Return a photo to draw, by chance: the same seed and arguments give the same spec.

    Ranges are (low, high), drawn uniformly; their defaults are what phone photos of fingers are like (assumption).

    Parameters
    ----------
    seed : int
        Of the whole photo.
    diameter_mm : (float, float), optional
        Longest caliper of each ulcer, mm.
    tilt_deg : (float, float), optional
        Between optical axis and table normal, degrees.
    px_per_mm : (float, float), optional
        Scale at the first ulcer; lowered where ulcer and reference would not fit into the frame, as a bank card in
        a small photo.
    blur_px : (float, float), optional
        Standard deviation of the lens's blur, px.
    noise_sd : (float, float), optional
        8-bit levels.
    skin_tone : (float, float), optional
        Fitzpatrick, 1 to 6.
    t_mm : (float, float), optional
        Each ulcer's arc length from the mid-line that faces the camera, mm.
    reference : str, optional
        A kind as in `ReferenceSpec`; ``none`` gives a photo without one.
    reference_size_mm : float, optional
        Its size, mm; without it the kind's usual one.
    place : {'skin', 'table'}, optional
        Behind the ulcer on the finger or held beside it; or next to the finger.
    n_ulcers : int, optional
        0 gives a healthy finger.
    size_px : (int, int), optional
        Width and height of the photo.
    sides : sequence of str, optional
        Sides of the finger that may face the camera.
    wound_beds : sequence of str, optional
        What may fill the ulcers.
    crust : (float, float), optional
        Share of the bed that a crust covers, 0..1.
    distortion : bool, optional
        Whether the lens distorts: k1 of up to ± 0.04 (assumption).
    texture : uint8 (M, N), (M, N, 3) or (M, N, 4), optional
        A card's picture.
    texture_size_mm : (float, float), optional
        Its width and height, mm.
    reference_offset_mm : (float, float), optional
        From the first ulcer to the reference's centre, in place of chance.

    Returns
    -------
    PhantomSpec
        What `draw_phantom` takes.
    """
    rng = np.random.default_rng([37, seed])
    finger = _finger(rng, skin_tone, sides, seed)
    ulcers = _ulcers(
        rng, finger, n_ulcers, diameter_mm=diameter_mm, t_mm=t_mm, wound_beds=wound_beds, crust=crust, seed=seed
    )
    scale = float(rng.uniform(*px_per_mm))
    asked = _ReferenceRequest(reference, place, reference_size_mm, texture, texture_size_mm, reference_offset_mm)
    printed = _reference(rng, finger, ulcers, asked)
    camera = _camera(
        rng,
        printed,
        scale,
        size_px=size_px,
        tilt_deg=tilt_deg,
        blur_px=blur_px,
        noise_sd=noise_sd,
        distortion=distortion,
    )
    light = LightSpec(
        azimuth_deg=_between(rng, _LIGHT["azimuth_deg"]),
        elevation_deg=_between(rng, _LIGHT["elevation_deg"]),
        ambient=_between(rng, _LIGHT["ambient"]),
        softness=_between(rng, _LIGHT["softness"]),
        glare=_between(rng, _LIGHT["glare"]),
    )
    background = str(rng.choice(BACKGROUNDS))
    return PhantomSpec(finger, ulcers, printed, camera, light, background, seed=int(rng.integers(2**31)))


def _between(rng: np.random.Generator, ends: Range) -> float:
    return float(rng.uniform(*ends))


def _finger(rng: np.random.Generator, skin_tone: Range, sides: Sequence[str], seed: int) -> FingerSpec:
    return FingerSpec(
        radius_mm=_between(rng, _FINGER["radius_mm"]),
        taper=_between(rng, _FINGER["taper"]),
        length_mm=_between(rng, _FINGER["length_mm"]),
        side=str(rng.choice(list(sides))),
        skin_tone=float(rng.uniform(*skin_tone)),
        mottling=_between(rng, _FINGER["mottling"]),
        creases=_between(rng, _FINGER["creases"]),
        tightness=_between(rng, _FINGER["tightness"]),
        seed=int(rng.integers(2**31)),
    )


def _ulcers(
    rng: np.random.Generator,
    finger: FingerSpec,
    n_ulcers: int,
    *,
    diameter_mm: Range,
    t_mm: Range,
    wound_beds: Sequence[str],
    crust: Range,
    seed: int,
) -> tuple[UlcerSpec, ...]:
    """Return ulcers one behind the other, 2 mm of skin between them, clear of the nail plate."""
    radius = finger.radius_mm
    start_mm = radius * rng.uniform(*(_START_NAIL if finger.side == "nail" else _START))
    ulcers: list[UlcerSpec] = []
    for _ in range(n_ulcers):
        size = float(rng.uniform(*diameter_mm))
        place = max(start_mm, _LEAST_START * radius + size / 2) + (size / 2 if finger.side == "nail" or ulcers else 0.0)
        ulcers.append(
            UlcerSpec(
                diameter_mm=size,
                s_mm=float(place),
                t_mm=float(rng.uniform(*t_mm)),
                irregularity=_between(rng, _ULCER["irregularity"]),
                aspect=_between(rng, _ULCER["aspect"]),
                angle_deg=_between(rng, _ULCER["angle_deg"]),
                wound_bed=str(rng.choice(list(wound_beds))),
                depth_mm=_between(rng, _ULCER["depth_mm"]) * min(1.0, size / _DEEP_FROM_MM),
                halo=_between(rng, _ULCER["halo"]),
                rim=_between(rng, _ULCER["rim"]),
                crust=float(rng.uniform(*crust)),
                seed=int(rng.integers(2**31)),
            )
        )
        start_mm = place + size / 2 + _BETWEEN_MM
    return tuple(ulcers)


@dataclass(frozen=True)
class _ReferenceRequest:
    """What `random_spec` is asked for of the reference; None is left to chance, or to the kind."""

    kind: str
    place: str
    size_mm: float | None
    texture: Pixels | None
    texture_size_mm: tuple[float, float] | None
    offset_mm: tuple[float, float] | None


def _reference(
    rng: np.random.Generator, finger: FingerSpec, ulcers: tuple[UlcerSpec, ...], asked: _ReferenceRequest
) -> ReferenceSpec:
    """Return a reference that covers no ulcer: behind it on the finger, or beside the finger."""
    kind, place = asked.kind, asked.place
    size = asked.size_mm if asked.size_mm is not None else REFERENCE_SIZE_MM.get(kind, 10.0)
    half_wide, half_high = _half_mm(kind, size, asked.texture_size_mm)
    turn = _between(rng, _TURN_DEG)
    first = ulcers[0].s_mm if ulcers else _LOOKED_AT * finger.radius_mm
    reach = (ulcers[0].diameter_mm / 2 if ulcers else 0.0) + _GAP_MM
    flat = first >= _FLAT_FROM * finger.radius_mm and len(ulcers) <= 1 and half_wide <= _BEHIND_HALF_MM
    if place == "skin" and flat and rng.random() < _BEHIND_SHARE:
        across = _between(rng, _BEHIND_X_MM)
        offset = (across, float(_BEHIND_HIGH * half_high + reach + rng.uniform(*_BEHIND_Y_MM)))
    else:
        clear = max(finger.radius_mm * _FINGER_REACH, reach)
        aside = clear + _BESIDE_WIDE * half_wide + rng.uniform(*_BESIDE_X_MM)
        if kind == "ruler":
            turn, aside = turn + 90.0, clear + half_high + _RULER_OFF_MM + rng.uniform(*_BESIDE_X_MM)
        offset = (float(aside * rng.choice([-1, 1])), _between(rng, _BESIDE_Y_MM))
    return ReferenceSpec(
        kind=kind,
        size_mm=size,
        dictionary=DICTIONARY.get(kind, "DICT_4X4_50"),
        marker_id=int(rng.integers(0, 50)),
        place=place,
        offset_mm=offset if asked.offset_mm is None else asked.offset_mm,
        rotation_deg=turn,
        texture=asked.texture,
        texture_size_mm=asked.texture_size_mm,
        colour=str(rng.choice(["blue", "green", "red", "white", "black"])),
    )


def _half_mm(kind: str, size_mm: float, texture_size_mm: tuple[float, float] | None) -> tuple[float, float]:
    """Return half the width and height that a reference's paper takes."""
    if texture_size_mm is not None:
        return texture_size_mm[0] / 2, texture_size_mm[1] / 2
    known = {"id1": _ID1_HALF_MM, "ruler": (size_mm / 2 + _RULER_END_MM, _RULER_HALF_MM)}
    return known.get(kind, (_PAPER_HALF * size_mm, _PAPER_HALF * size_mm))


def _needed_mm(printed: ReferenceSpec) -> NDArray[np.float64]:
    """Return points (K, 2), from the ulcer, that the frame must hold: the ulcer's surroundings and the paper."""
    around = _AROUND_MM * np.array([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)])
    if printed.kind == "none":
        return around + [0.0, _BARE_OFF_MM]
    turn = np.deg2rad(printed.rotation_deg)
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    corners = around / _AROUND_MM * np.array(_half_mm(printed.kind, printed.size_mm, printed.texture_size_mm))
    return np.vstack([around, corners @ axes + np.array(printed.offset_mm)])


def _camera(
    rng: np.random.Generator,
    printed: ReferenceSpec,
    scale: float,
    *,
    size_px: tuple[int, int],
    tilt_deg: Range,
    blur_px: Range,
    noise_sd: Range,
    distortion: bool,
) -> CameraSpec:
    """Return a camera that aims between ulcer and reference; ``scale`` is lowered where they would not fit."""
    quarter_turns = [0, 0, 0, 180] if printed.kind in WIDE else [0, 0, 0, 90, 180]
    roll_deg = float(rng.uniform(*_CAMERA["roll_deg"]) + rng.choice(quarter_turns))
    needed = _needed_mm(printed)
    aim = (needed.min(axis=0) + needed.max(axis=0)) / 2 + rng.uniform(*_CAMERA["aim_mm"], 2)
    turn = np.deg2rad(roll_deg)
    turned_mm = np.abs((needed - aim) @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])).max(
        axis=0
    )
    scale = min(scale, _FRAME * size_px[0] / float(turned_mm[0]), _FRAME * size_px[1] / float(turned_mm[1]))
    # Phones do not focus nearer; where the main lens would have to be, people zoom, and EXIF says so.
    nearest_mm = _between(rng, _CAMERA["nearest_mm"])
    return CameraSpec(
        width_px=size_px[0],
        height_px=size_px[1],
        focal_35mm_mm=max(
            _between(rng, _CAMERA["focal_35mm_mm"]), nearest_mm * scale * DIAGONAL_35MM_MM / float(np.hypot(*size_px))
        ),
        px_per_mm=scale,
        tilt_deg=float(rng.uniform(*tilt_deg)),
        azimuth_deg=_between(rng, _CAMERA["azimuth_deg"]),
        roll_deg=roll_deg,
        aim_mm=(float(aim[0]), float(aim[1])),
        k1=_between(rng, _CAMERA["k1"]) if distortion else 0.0,
        k2=0.0,
        blur_px=float(rng.uniform(*blur_px)),
        noise_sd=float(rng.uniform(*noise_sd)),
        vignetting=_between(rng, _CAMERA["vignetting"]),
        white_balance=(_between(rng, _CAMERA["white_red"]), _between(rng, _CAMERA["white_blue"])),
        exposure_ev=_between(rng, _CAMERA["exposure_ev"]),
        jpeg_quality=int(rng.integers(*_JPEG_QUALITY)),
        exif_orientation=1,
    )
