"""The six quality criteria on drawn photos whose light, tilt and place are known."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from drawn_markers import photo_of

from ulcermeter.calibration import calibrate, rectify
from ulcermeter.datatypes.light import SRGB_TO_LINEAR
from ulcermeter.finger import locate_finger
from ulcermeter.phantom import (
    CameraSpec,
    FingerSpec,
    LightSpec,
    Phantom,
    PhantomSpec,
    ReferenceSpec,
    UlcerSpec,
    draw_phantom,
)
from ulcermeter.protocol import read_protocol
from ulcermeter.quality import check_gates, judge_quality
from ulcermeter.tables.outputs import QUALITY

PROTOCOL = read_protocol("manus")
CAMERA = CameraSpec(width_px=640, height_px=480, px_per_mm=10.0, tilt_deg=5.0, azimuth_deg=30.0, aim_mm=(2.0, 7.0))
GOOD = dict.fromkeys(QUALITY, "yes")


@lru_cache
def drawn(*, elevation_deg: float = 85.0, azimuth_deg: float = -90.0, ambient: float = 0.9, **camera: float) -> Phantom:
    light = LightSpec(azimuth_deg=azimuth_deg, elevation_deg=elevation_deg, ambient=ambient)
    ulcers = (UlcerSpec(diameter_mm=3.4, s_mm=10.0, t_mm=0.6, seed=4),)
    reference = ReferenceSpec(offset_mm=(0.0, 17.0))
    seen = replace(CAMERA, **camera)  # type: ignore[arg-type]
    return draw_phantom(PhantomSpec(FingerSpec(seed=4), ulcers, reference, seen, light, seed=4))


def judged(
    phantom: Phantom, light: np.ndarray | float = 1.0, *, finger: bool = True, view: str = "palmar"
) -> dict[str, str]:
    """Judge a phantom on which a further light (M, N), 0..1, falls."""
    pixels = SRGB_TO_LINEAR[phantom.pixels] * np.broadcast_to(light, phantom.pixels.shape[:2])[..., None]
    coded = np.where(pixels <= 0.0031308, 12.92 * pixels, 1.055 * pixels ** (1 / 2.4) - 0.055)
    photo = photo_of(np.rint(255 * coded).astype(np.uint8))
    ulcer = phantom.truth.ulcers[0]
    calibration = calibrate(photo, reference="aruco:10", reference_on="skin")
    found = locate_finger(rectify(photo, calibration, spacing_mm=0.4), near_px=ulcer.centroid_px, side=view)
    return judge_quality(
        photo,
        calibration,
        finger=found if finger else None,
        outlines=[ulcer.outline_px],
        place_px=np.array(ulcer.centroid_px),
        focus=check_gates(photo, calibration, ulcer.outline_px, protocol=PROTOCOL).focus,
        protocol=PROTOCOL,
    )


def falling(along: str, start_mm: float, end_mm: float, least: float) -> np.ndarray:
    """Return light that falls from 1 to `least` between two distances from the ulcer, across or down the photo."""
    phantom = drawn()
    rows, cols = phantom.pixels.shape[:2]
    x, y = phantom.truth.ulcers[0].centroid_px
    place = (np.arange(cols)[None] - x if along == "x" else np.arange(rows)[:, None] - y) / CAMERA.px_per_mm
    fallen = 1 - (1 - least) * np.clip((place - start_mm) / (end_mm - start_mm), 0, 1)
    light = np.broadcast_to(fallen, (rows, cols)).copy()
    light[np.arange(rows) > y + 11 * CAMERA.px_per_mm] = 1.0  # the marker stays lit
    return light


def test_a_good_photo_meets_all_six() -> None:
    assert judged(drawn()) == GOOD


@pytest.mark.parametrize(
    ("light", "lacks"),
    [
        (falling("y", 4.0, 5.0, 0.35), {"quality_no_shadow", "quality_even_light"}),
        (falling("x", 0.5, 1.5, 0.35), {"quality_no_shadow", "quality_even_light"}),
        (falling("x", -9.0, 9.0, 0.3), {"quality_even_light"}),
        (falling("y", -10.0, 11.0, 0.3), {"quality_even_light"}),
        (falling("x", -9.0, 9.0, 0.8), set()),
        (falling("y", 4.0, 5.0, 0.85), set()),
    ],
    ids=["shadow across", "shadow along", "dim side", "dim end", "a little dim", "faint shadow"],
)
def test_shadow_and_uneven_light_are_told_apart(light: np.ndarray, lacks: set[str]) -> None:
    assert {name for name, word in judged(drawn(), light).items() if word != "yes"} == lacks


def test_a_nail_and_a_second_ulcer_are_no_shadow() -> None:
    ulcers = (UlcerSpec(diameter_mm=3.4, s_mm=17.0, seed=4), UlcerSpec(diameter_mm=4.0, s_mm=20.0, t_mm=4.5, seed=5))
    finger = FingerSpec(seed=3, side="nail", skin_tone=4)
    light = LightSpec(azimuth_deg=-90.0, elevation_deg=85.0, ambient=0.9)
    spec = PhantomSpec(finger, ulcers, ReferenceSpec(offset_mm=(0.0, 17.0)), CAMERA, light, seed=4)
    assert judged(draw_phantom(spec), view="dorsal") == GOOD


def test_a_low_lamp_from_the_side_shades_the_far_flank() -> None:
    low = judged(drawn(azimuth_deg=180.0, elevation_deg=30.0, ambient=0.15))
    assert low["quality_no_shadow"] == low["quality_even_light"] == "no"


@pytest.mark.parametrize(
    ("camera", "lacks"),
    [
        ({"tilt_deg": 16.0}, {"quality_reference_square"}),
        ({"blur_px": 2.4}, {"quality_in_focus"}),
        ({"aim_mm": (-20.0, 7.0)}, {"quality_ulcer_centred"}),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_the_camera_s_faults_are_told_one_by_one(camera: dict, lacks: set[str]) -> None:
    assert {name for name, word in judged(drawn(**camera)).items() if word != "yes"} == lacks


def test_what_is_not_determined_is_empty() -> None:
    words = judged(drawn(), finger=False)
    assert words == GOOD | {"quality_no_shadow": "", "quality_even_light": ""}
    photo = photo_of(drawn().pixels)
    stated = calibrate(photo, reference="scale:10")
    nothing = judge_quality(
        photo, stated, finger=None, outlines=(), place_px=None, focus=float("nan"), protocol=PROTOCOL
    )
    assert nothing == dict.fromkeys(QUALITY, "")
