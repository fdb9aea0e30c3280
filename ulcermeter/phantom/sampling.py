"""random_spec: plausible photos by chance, for tests, validation and training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ulcermeter.phantom.specs import CameraSpec, FingerSpec, LightSpec, PhantomSpec, ReferenceSpec, UlcerSpec
from ulcermeter.phantom.table import BACKGROUNDS

Range = tuple[float, float]

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
    beds: Sequence[str] = ("granulation", "granulation", "slough", "eschar"),
    crust: Range = (0.0, 0.0),
    distortion: bool = False,
    texture: NDArray[np.uint8] | None = None,
    texture_size_mm: tuple[float, float] | None = None,
    reference_offset_mm: tuple[float, float] | None = None,
) -> PhantomSpec:
    """Return a photo to draw, by chance: the same seed and arguments give the same spec.

    Ranges are (low, high), drawn uniformly. The reference lies where it can: behind the ulcer on the finger or held
    beside it ('skin'), or next to the finger ('table'); both stand inside the frame, and ``px_per_mm`` is lowered where
    they would not (a bank card in a small photo). ``n_ulcers=0`` gives a
    healthy finger, ``reference="none"`` a photo without one. A 'card' needs its
    ``texture`` and ``texture_size_mm``; ``reference_offset_mm`` (x, y from the first ulcer) replaces a chance place.
    """
    rng = np.random.default_rng([37, seed])
    finger = _finger(rng, skin_tone, sides, seed)
    ulcers = _ulcers(rng, finger, n_ulcers, diameter_mm=diameter_mm, t_mm=t_mm, beds=beds, crust=crust, seed=seed)
    scale = float(rng.uniform(*px_per_mm))
    printed = _reference(
        rng, finger, ulcers, reference, place, reference_size_mm, texture, texture_size_mm, reference_offset_mm
    )
    camera = _camera(rng, printed, scale, size_px, tilt_deg, blur_px, noise_sd, distortion)
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
    beds: Sequence[str],
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
                bed=str(rng.choice(list(beds))),
                depth_mm=float(rng.uniform(0.2, 0.9)) * min(1.0, size / 3),
                halo=float(rng.uniform(0.1, 0.9)),
                rim=float(rng.uniform(0.0, 0.8)),
                crust=float(rng.uniform(*crust)),
                seed=int(rng.integers(2**31)),
            )
        )
        start_mm = place + size / 2 + 2.0
    return tuple(ulcers)


def _reference(
    rng: np.random.Generator,
    finger: FingerSpec,
    ulcers: tuple[UlcerSpec, ...],
    kind: str,
    place: str,
    size_mm: float | None,
    texture: NDArray[np.uint8] | None,
    texture_size_mm: tuple[float, float] | None,
    offset_mm: tuple[float, float] | None,
) -> ReferenceSpec:
    """Return a reference that covers no ulcer: behind it on the finger, or beside the finger."""
    size = size_mm if size_mm is not None else REFERENCE_SIZE_MM.get(kind, 10.0)
    half_wide, half_high = _half_mm(kind, size, texture_size_mm)
    turn = float(rng.uniform(-8, 8))
    first = ulcers[0].s_mm if ulcers else 1.2 * finger.radius_mm
    reach = (ulcers[0].diameter_mm / 2 if ulcers else 0.0) + 1.0
    flat = first >= 0.95 * finger.radius_mm and len(ulcers) <= 1 and half_wide <= 8.0
    if place == "skin" and flat and rng.random() < 0.6:
        offset = (float(rng.uniform(-1, 1)), float(1.16 * half_high + reach + rng.uniform(0, 2)))
    else:
        across = max(finger.radius_mm * 1.12, reach) + 1.15 * half_wide + rng.uniform(0.5, 2.5)
        if kind == "ruler":
            turn, across = turn + 90.0, max(finger.radius_mm * 1.12, reach) + half_high + 5 + rng.uniform(0.5, 2.5)
        offset = (float(across * rng.choice([-1, 1])), float(rng.uniform(-3, 5)))
    return ReferenceSpec(
        kind=kind,
        size_mm=size,
        dictionary=DICTIONARY.get(kind, "DICT_4X4_50"),
        marker_id=int(rng.integers(0, 50)),
        place=place,
        offset_mm=offset if offset_mm is None else offset_mm,
        rotation_deg=turn,
        texture=texture,
        texture_size_mm=texture_size_mm,
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
    seen = np.abs((needed - aim) @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])).max(axis=0)
    scale = min(scale, 0.42 * size_px[0] / float(seen[0]), 0.42 * size_px[1] / float(seen[1]))
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
