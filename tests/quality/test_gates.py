"""The gates: each fails for its own reason, at the ulcer and not elsewhere, and says what to do."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from drawn_markers import draw_markers, photo_of, seen, square_mm, tilted_camera

from ulcermeter.calibration import calibrate
from ulcermeter.datatypes import Calibration, Note, NoteKind, Photo
from ulcermeter.phantom import CameraSpec, FingerSpec, PhantomSpec, ReferenceSpec, draw_phantom
from ulcermeter.protocol import read_protocol
from ulcermeter.quality import GateReport, check_gates, check_gates_along
from ulcermeter.quality.focus import measure_focus
from ulcermeter.reference import parse_reference

PROTOCOL = read_protocol("manus")
SHAPE = (330, 420)
PLACE = np.array([150.0, 170.0])
PIXELS_FROM_PLACE = np.hypot(*(np.indices(SHAPE)[::-1] - PLACE[:, None, None]))


def skin(
    shape: tuple[int, int],
    *,
    px_per_mm: float,
    blur_mm: float,
    contrast: float = 1.0,
    level: float = 1.0,
    at: tuple[float, float] = (150.0, 170.0),
) -> np.ndarray:
    """Skin of many scales with an ulcer's edge through it, blurred by so many mm."""
    rng = np.random.default_rng(3)
    oversize = 25.0 / px_per_mm  # drawn at 25 px/mm, so that every resolution sees the same skin
    rows, cols = (int(round(n * oversize)) for n in shape)
    texture = sum(
        cv2.GaussianBlur(rng.standard_normal((rows, cols)), (0, 0), sd) * sd * gain
        for sd, gain in ((1.0, 8.0), (2.0, 2.5), (6.0, 4.0), (20.0, 5.0))
    )
    y, x = np.mgrid[0:rows, 0:cols]
    ulcer = np.hypot(x - at[0] * oversize, y - at[1] * oversize) < 25 * 1.2
    grey = 150 + contrast * (texture - 60 * ulcer)
    grey = cv2.GaussianBlur(grey, (0, 0), max(blur_mm * 25, 0.3))
    small = cv2.resize(grey * level, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
    noisy = small[..., None] * (1.0, 0.75, 0.65) + rng.standard_normal((*shape, 3))
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def gated(
    pixels: np.ndarray, *, px_per_mm: float = 20.0, place: np.ndarray = PLACE, **options: np.ndarray
) -> GateReport:
    photo = photo_of(pixels)
    calibration = calibrate(photo, reference=f"scale:{px_per_mm}")
    return check_gates(photo, calibration, place, protocol=PROTOCOL, finger_mask=options.get("finger_mask"))


def marked(tilt_deg: float, *, side_mm: float = 10.0, distance_mm: float = 45.0) -> tuple[Photo, Calibration]:
    to_px = tilted_camera(SHAPE, tilt_deg=tilt_deg, azimuth_deg=20, distance_mm=distance_mm, centre_mm=(4, 2))
    ground = draw_markers(SHAPE, [seen(to_px, square_mm(side_mm))], noise=1.0)
    photo = photo_of(ground)
    return photo, calibrate(photo, reference=f"aruco:{side_mm:g}")


def test_a_good_photo_passes() -> None:
    report = gated(skin(SHAPE, px_per_mm=20, blur_mm=0.04))
    assert report.failures == ()
    assert report.px_per_mm == pytest.approx(20) and report.exposure == 1.0 and report.focus > 2
    assert np.isnan(report.tilt_deg) and np.isnan(report.scale_se_pct)
    assert report.warnings == (Note(NoteKind.SCALE_NOT_VERIFIED),)


def test_too_few_pixels() -> None:
    report = gated(skin(SHAPE, px_per_mm=7.5, blur_mm=0.04), px_per_mm=7.5)
    assert len(report.failures) == 1
    assert str(report.failures[0]).startswith("7.5 px/mm at the ulcer (least 8): go nearer")


def test_too_much_tilt() -> None:
    photo, calibration = marked(41)
    report = check_gates(photo, calibration, PLACE, protocol=PROTOCOL)
    tilted = next(failure for failure in map(str, report.failures) if "tilt" in failure)
    assert tilted == "tilt 41° (limit 35°): hold the phone parallel to the reference"
    photo, calibration = marked(20)
    assert not any("tilt" in str(f) for f in check_gates(photo, calibration, PLACE, protocol=PROTOCOL).failures)


def test_a_disc_is_refused_at_a_tilt_that_a_marker_is_not() -> None:
    photo, marker = marked(22)
    assert not any("tilt" in str(failure) for failure in check_gates(photo, marker, PLACE, protocol=PROTOCOL).failures)
    disc = replace(marker, reference=parse_reference("disc:10"))
    assert any(
        str(failure).startswith("tilt 22° (limit 15°)")
        for failure in check_gates(photo, disc, PLACE, protocol=PROTOCOL).failures
    )


def test_too_uncertain_a_scale() -> None:
    photo, calibration = marked(10, side_mm=3.0)
    far = np.array([10.0, 320.0])
    report = check_gates(photo, calibration, far, protocol=PROTOCOL)
    assert report.scale_se_pct > PROTOCOL.gates.scale_se_max_pct
    assert any("lay the reference closer to the ulcer, or go nearer" in str(failure) for failure in report.failures)
    mirrored = check_gates(photo, replace(calibration, reference=parse_reference("disc:3")), far, protocol=PROTOCOL)
    assert any("ulcer and hold the phone parallel to it" in str(failure) for failure in mirrored.failures)


def test_along_a_finger_the_scale_is_the_middle_ones_wherever_the_focus_is() -> None:
    photo, calibration = marked(30)
    places = [np.array([x, y]) for x, y in ((60.0, 60.0), (150.0, 165.0), (240.0, 270.0), (290.0, 320.0))]
    scales = [calibration.px_per_mm(place) for place in places]
    assert np.ptp(scales) > 0.5
    seen = {}
    for sharp in range(len(places)):
        blurred = cv2.GaussianBlur(photo.pixels, (0, 0), 4.0)
        rows, cols = np.indices(blurred.shape[:2])
        near = np.hypot(cols - places[sharp][0], rows - places[sharp][1]) < 60
        mixed = np.where(near[..., None], photo.pixels, blurred)
        report = check_gates_along(replace(photo, pixels=mixed), calibration, places, protocol=PROTOCOL)
        seen[report.px_per_mm, report.scale_se_pct] = report
    assert len(seen) == 1
    assert next(iter(seen.values())).px_per_mm == pytest.approx(np.median(scales))


def test_out_of_focus_at_the_ulcer_though_not_elsewhere() -> None:
    sharp, blurred = (skin(SHAPE, px_per_mm=20, blur_mm=b) for b in (0.04, 0.35))
    there = PIXELS_FROM_PLACE < 130
    report = gated(np.where(there[..., None], blurred, sharp))
    assert len(report.failures) == 1 and "mm wide at the ulcer (limit 0.67 mm): tap on the ulcer" in str(
        report.failures[0]
    )
    assert gated(np.where(there[..., None], sharp, blurred)).failures == ()


def test_burnt_out_at_the_ulcer_though_not_elsewhere() -> None:
    pixels = skin(SHAPE, px_per_mm=20, blur_mm=0.04)
    there = PIXELS_FROM_PLACE < 55
    burnt = np.where(there[..., None], 255, pixels).astype(np.uint8)
    report = gated(burnt)
    assert report.exposure < 0.75
    assert any(
        "neither burnt out nor black (least 75 %): use even light" in str(failure) for failure in report.failures
    )
    assert gated(burnt, place=np.array([320.0, 80.0])).exposure == 1.0
    dark = np.where(there[..., None], 4, pixels).astype(np.uint8)
    assert gated(dark).exposure == pytest.approx(report.exposure, abs=0.02)


@pytest.mark.parametrize(("kind", "background"), [("none", "black"), ("aruco", "drape")])
@pytest.mark.parametrize(("tone", "side"), [(1.0, "pulp"), (3.5, "nail"), (6.0, "pulp"), (6.0, "radial")])
def test_every_skin_tone_passes_in_normal_light_and_none_in_near_darkness(
    tone: float, side: str, kind: str, background: str
) -> None:
    spec = PhantomSpec(
        finger=FingerSpec(skin_tone=tone, side=side, seed=2),
        reference=ReferenceSpec(kind=kind),
        background=background,
        camera=CameraSpec(width_px=400, height_px=320, px_per_mm=9.0, aim_mm=(3.0, 5.0)),
    )
    lit, dim = (draw_phantom(replace(spec, camera=replace(spec.camera, exposure_ev=ev))) for ev in (0.0, -5.2))
    place = lit.truth.ulcers[0].outline_px
    bright, dark = (gated(one.pixels, px_per_mm=9.0, place=place) for one in (lit, dim))
    assert not any("dark" in str(failure) for failure in bright.failures) and bright.exposure > 0.9
    assert any("too dark: the brightest parts" in str(failure) for failure in dark.failures) and dark.exposure == 0.0


def test_a_fair_finger_in_near_darkness_is_refused_against_the_light_too() -> None:
    pixels = skin(SHAPE, px_per_mm=20, blur_mm=0.04)
    finger = np.zeros(SHAPE, bool)
    finger[:, :230] = True
    dim = pixels * (np.array([37, 24, 19]) / pixels[finger].mean(axis=0))
    dim = np.clip(np.rint(dim), 0, 255).astype(np.uint8)
    dark = gated(dim)
    assert [failure for failure in dark.failures if "too dark" in str(failure)] and dark.exposure == 0
    dim[:, 230:] = 240  # a window behind the hand
    against = gated(dim, finger_mask=finger)
    assert [failure for failure in against.failures if "lies in the dark" in str(failure)] and against.exposure == 0
    assert gated(np.where(finger[..., None], pixels, 240).astype(np.uint8), finger_mask=finger).failures == ()


def test_only_the_finger_counts() -> None:
    pixels = skin(SHAPE, px_per_mm=20, blur_mm=0.04)
    finger = np.zeros(SHAPE, bool)
    finger[:, :190] = True
    pixels[:, 190:] = 255
    assert gated(pixels).exposure < 0.9
    assert gated(pixels, finger_mask=finger).exposure == 1.0
    # The finger's own outline is a sharp edge: it must not hide that the skin is blurred.
    blurred = skin(SHAPE, px_per_mm=20, blur_mm=0.4)
    blurred[:, 170:] = 255
    finger[:, 170:] = False
    assert gated(blurred, finger_mask=finger).focus < 0.7 * gated(blurred).focus


def test_the_reference_does_not_count() -> None:
    pixels = skin(SHAPE, px_per_mm=20, blur_mm=0.4)
    marker = draw_markers(SHAPE, [square_mm(80, (230.0, 170.0))], noise=1.0, blur_px=0.6)
    pixels[120:220, 180:280] = marker[120:220, 180:280]
    photo = photo_of(pixels)
    calibration = calibrate(photo, reference="aruco:4")
    assert measure_focus(pixels[90:250, 70:230], px_per_mm=20, counted=np.ones((160, 160), bool)) > 2
    assert check_gates(photo, calibration, PLACE, protocol=PROTOCOL).focus < 1.5


def test_a_place_at_the_photos_corner() -> None:
    report = gated(skin(SHAPE, px_per_mm=20, blur_mm=0.04), place=np.array([419.0, 0.0]))
    assert report.failures == () and np.isfinite(report.focus)


def test_an_outline_widens_what_is_judged() -> None:
    pixels = skin(SHAPE, px_per_mm=20, blur_mm=0.04)
    pixels[PIXELS_FROM_PLACE > 90] = 255
    outline = PLACE + 80 * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1.0]])
    assert gated(pixels).exposure > gated(pixels, place=outline).exposure
    assert gated(pixels).px_per_mm == gated(pixels, place=outline).px_per_mm


# --- focus means the same everywhere ----------------------------------------------------------------------------------


def focus_of(**options: float) -> float:
    px_per_mm = options["px_per_mm"]
    shape = (int(8 * px_per_mm), int(9 * px_per_mm))
    pixels = skin(shape, at=(0.45 * shape[1], 0.55 * shape[0]), **options)  # type: ignore[arg-type]
    return measure_focus(pixels, px_per_mm=px_per_mm, counted=np.ones(shape, bool))


def test_focus_falls_with_blur() -> None:
    values = [focus_of(px_per_mm=20, blur_mm=blur) for blur in (0.03, 0.08, 0.15, 0.2, 0.3, 0.4)]
    assert all(a > b for a, b in zip(values, values[1:], strict=False))
    assert values[2] > PROTOCOL.gates.focus_min > values[4]
    for blur, value in zip((0.15, 0.2, 0.3), (values[2], values[3], values[4]), strict=True):
        assert 1 / value == pytest.approx(2.563 * blur, rel=0.15)  # the width of a blurred step


@pytest.mark.parametrize("blur_mm", [0.1, 0.25])
def test_focus_does_not_depend_on_resolution_contrast_or_tone(blur_mm: float) -> None:
    usual = focus_of(px_per_mm=20, blur_mm=blur_mm)
    for changed in ({"px_per_mm": 10.0}, {"px_per_mm": 40.0}, {"contrast": 0.5}, {"level": 0.5}):
        assert focus_of(**{"px_per_mm": 20.0, "blur_mm": blur_mm, **changed}) == pytest.approx(usual, rel=0.12)


@pytest.mark.parametrize("blur_mm", [0.1, 0.3])
def test_soft_shade_over_the_skin_does_not_count(blur_mm: float) -> None:
    shape, px_per_mm = (160, 180), 20.0
    pixels = skin(shape, px_per_mm=px_per_mm, blur_mm=blur_mm, at=(40.0, 80.0), contrast=0.5)
    # A nail's side or a hand's shadow: light falls to a half over a step of sd 1.5 mm.
    across_mm = (np.arange(shape[1]) - 90) / px_per_mm
    shaded = pixels * (0.5 + 0.5 / (1 + np.exp(-1.7 * across_mm / 1.5)))[None, :, None]
    values = [
        measure_focus(one.astype(np.uint8), px_per_mm=px_per_mm, counted=np.ones(shape, bool))
        for one in (pixels, shaded)
    ]
    assert values[1] == pytest.approx(values[0], rel=0.2)


def test_focus_without_anything_to_see() -> None:
    flat = np.full((200, 220, 3), 140, np.uint8)
    assert measure_focus(flat, px_per_mm=20, counted=np.ones((200, 220), bool)) == 0.0
    assert np.isnan(measure_focus(flat, px_per_mm=20, counted=np.zeros((200, 220), bool)))
    report = gated(np.full((*SHAPE, 3), 140, np.uint8))
    assert any(str(failure).startswith("no edge to be seen at the ulcer") for failure in report.failures)


def test_every_failure_is_told_at_once() -> None:
    photo, calibration = marked(38, side_mm=4.0, distance_mm=60)
    limits = {"px_per_mm_min": 99.0, "scale_se_max_pct": 0.01, "focus_min": 99.0, "exposure_min": 1.1}
    strict = replace(PROTOCOL, gates=PROTOCOL.gates.model_copy(update=limits))
    report = check_gates(photo, calibration, np.array([210.0, 165.0]), protocol=strict)
    assert len(report.failures) == 5
