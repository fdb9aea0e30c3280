"""random_spec: plausible photos by chance, for tests, validation and training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes.arrays import Pixels
from ulcermeter.phantom.specs import CameraSpec, FingerSpec, LightSpec, PhantomSpec, ReferenceSpec, UlcerSpec
from ulcermeter.phantom.tabletop import BACKGROUNDS

Range = tuple[float, float]

# Usual size of each kind, mm; ISO/IEC 7810 for id1, the others assumption.
REFERENCE_SIZE_MM = {"aruco": 10.0, "apriltag": 10.0, "disc": 10.0, "id1": 85.60, "ruler": 50.0, "none": 10.0}
WIDE = ("id1", "card")
DICTIONARY = {"aruco": "DICT_4X4_50", "apriltag": "DICT_APRILTAG_36h11"}


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
        azimuth_deg=float(rng.uniform(-180, 180)),
        elevation_deg=float(rng.uniform(42, 75)),
        ambient=float(rng.uniform(0.35, 0.65)),
        softness=float(rng.uniform(0.1, 0.4)),
        glare=float(rng.uniform(0.4, 1.3)),
    )
    background = str(rng.choice(BACKGROUNDS))
    return PhantomSpec(finger, ulcers, printed, camera, light, background, seed=int(rng.integers(2**31)))


def _finger(rng: np.random.Generator, skin_tone: Range, sides: Sequence[str], seed: int) -> FingerSpec:
    return FingerSpec(
        radius_mm=float(rng.uniform(6.5, 9.5)),
        taper=float(rng.uniform(0.1, 0.35)),
        length_mm=float(rng.uniform(62, 85)),
        side=str(rng.choice(list(sides))),
        skin_tone=float(rng.uniform(*skin_tone)),
        mottling=float(rng.uniform(0.1, 0.9)),
        creases=float(rng.uniform(0.3, 0.9)),
        tightness=float(rng.uniform(0.0, 0.9)),
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
    start_mm = radius * (rng.uniform(1.98, 2.3) if finger.side == "nail" else rng.uniform(0.55, 1.7))
    ulcers: list[UlcerSpec] = []
    for _ in range(n_ulcers):
        size = float(rng.uniform(*diameter_mm))
        place = max(start_mm, 0.35 * radius + size / 2) + (size / 2 if finger.side == "nail" or ulcers else 0.0)
        ulcers.append(
            UlcerSpec(
                diameter_mm=size,
                s_mm=float(place),
                t_mm=float(rng.uniform(*t_mm)),
                irregularity=float(rng.uniform(0.1, 0.8)),
                aspect=float(rng.uniform(0.55, 1.0)),
                angle_deg=float(rng.uniform(0, 180)),
                wound_bed=str(rng.choice(list(wound_beds))),
                depth_mm=float(rng.uniform(0.2, 0.9)) * min(1.0, size / 3),
                halo=float(rng.uniform(0.1, 0.9)),
                rim=float(rng.uniform(0.0, 0.8)),
                crust=float(rng.uniform(*crust)),
                seed=int(rng.integers(2**31)),
            )
        )
        start_mm = place + size / 2 + 2.0
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
    turn = float(rng.uniform(-8, 8))
    first = ulcers[0].s_mm if ulcers else 1.2 * finger.radius_mm
    reach = (ulcers[0].diameter_mm / 2 if ulcers else 0.0) + 1.0
    flat = first >= 0.95 * finger.radius_mm and len(ulcers) <= 1 and half_wide <= 8.0
    if place == "skin" and flat and rng.random() < 0.6:
        offset = (float(rng.uniform(-1, 1)), float(1.16 * half_high + reach + rng.uniform(0, 2)))
    else:
        aside = max(finger.radius_mm * 1.12, reach) + 1.15 * half_wide + rng.uniform(0.5, 2.5)
        if kind == "ruler":
            turn, aside = turn + 90.0, max(finger.radius_mm * 1.12, reach) + half_high + 5 + rng.uniform(0.5, 2.5)
        offset = (float(aside * rng.choice([-1, 1])), float(rng.uniform(-3, 5)))
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
    return {"id1": (42.8, 27.0), "ruler": (size_mm / 2 + 3, 6.0)}.get(kind, (0.68 * size_mm, 0.68 * size_mm))


def _needed_mm(printed: ReferenceSpec) -> NDArray[np.float64]:
    """Return points (K, 2), from the ulcer, that the frame must hold: the ulcer's surroundings and the paper."""
    around = np.array([(-5.0, -5.0), (5.0, -5.0), (5.0, 5.0), (-5.0, 5.0)])
    if printed.kind == "none":
        return around + [0.0, 4.0]
    turn = np.deg2rad(printed.rotation_deg)
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    corners = around / 5.0 * np.array(_half_mm(printed.kind, printed.size_mm, printed.texture_size_mm))
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
    roll_deg = float(rng.uniform(-15, 15) + rng.choice(quarter_turns))
    needed = _needed_mm(printed)
    aim = (needed.min(axis=0) + needed.max(axis=0)) / 2 + rng.uniform(-2, 2, 2)
    turn = np.deg2rad(roll_deg)
    turned_mm = np.abs((needed - aim) @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])).max(
        axis=0
    )
    scale = min(scale, 0.42 * size_px[0] / float(turned_mm[0]), 0.42 * size_px[1] / float(turned_mm[1]))
    # Phones do not focus nearer; where the main lens would have to be, people zoom, and EXIF says so.
    nearest_mm = float(rng.uniform(110, 220))
    return CameraSpec(
        width_px=size_px[0],
        height_px=size_px[1],
        focal_35mm_mm=max(float(rng.uniform(23.6, 28.4)), nearest_mm * scale * 43.2666 / float(np.hypot(*size_px))),
        px_per_mm=scale,
        tilt_deg=float(rng.uniform(*tilt_deg)),
        azimuth_deg=float(rng.uniform(-180, 180)),
        roll_deg=roll_deg,
        aim_mm=(float(aim[0]), float(aim[1])),
        k1=float(rng.uniform(-0.04, 0.04)) if distortion else 0.0,
        k2=0.0,
        blur_px=float(rng.uniform(*blur_px)),
        noise_sd=float(rng.uniform(*noise_sd)),
        vignetting=float(rng.uniform(0.0, 0.3)),
        white_balance=(float(rng.uniform(0.92, 1.08)), float(rng.uniform(0.88, 1.1))),
        exposure_ev=float(rng.uniform(-0.35, 0.1)),
        jpeg_quality=int(rng.integers(82, 97)),
        exif_orientation=1,
    )
