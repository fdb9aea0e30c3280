from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from drawn_fingers import GROUNDS, PX_PER_MM, SHAPE, axis, paint, rectified

from ulcermeter.calibration import calibrate, rectify
from ulcermeter.datatypes import CameraInfo, Finger, Photo
from ulcermeter.finger import Absence, finger_coordinates, locate_finger, search_finger
from ulcermeter.finger import locate as locate_module
from ulcermeter.finger.locate import _Place
from ulcermeter.finger.mask import coarse_photo
from ulcermeter.phantom import draw_phantom, random_spec
from ulcermeter.protocol import read_protocol

HANDS = Path(__file__).parents[2].parent / "shared" / "data" / "hands_healthy"
TIP = (31.0, 22.0)


def along(s: float, t: float, turn_deg: float) -> tuple[float, float]:
    """Return the photo px of a place s from the tip and t to the right when the tip points up."""
    ax, ay = axis(turn_deg)
    return (TIP[0] + s * ax + t * ay) * PX_PER_MM, (TIP[1] + s * ay - t * ax) * PX_PER_MM


def lay_reference(pixels: np.ndarray, low: tuple[float, float], high: tuple[float, float]) -> np.ndarray:
    """Paint a white reference between two corners (x, y), mm, and return its corners, px."""
    (left, top), (right, bottom) = low, high
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]]) * PX_PER_MM
    cv2.fillPoly(pixels, [corners.astype(np.int32)], (250, 250, 250))
    return corners


def angle_between(finger: Finger, turn_deg: float) -> float:
    return float(np.degrees(np.arccos(np.clip(np.dot(finger.axis, axis(turn_deg)), -1, 1))))


@pytest.mark.parametrize("ground", sorted(GROUNDS))
@pytest.mark.parametrize("turn", [-65.0, 20.0])
def test_a_painted_finger(ground: str, turn: float) -> None:
    found = locate_finger(rectified(paint(turn_deg=turn, ground=ground)), near_px=along(10, 1, turn), side="palmar")
    assert found is not None and found.side == "palmar"
    assert found.tip_mm == pytest.approx(TIP, abs=0.8)
    assert angle_between(found, turn) < 2.0
    assert found.radius_mm == pytest.approx(8.0, abs=0.4)
    assert found.radius_at(np.array([4.0, 8.0])) == pytest.approx([8 * np.sqrt(0.75), 8.0], abs=0.6)


@pytest.mark.parametrize("turn", [20.0, 200.0])
def test_the_place_of_a_point_on_it(turn: float) -> None:
    tip = TIP if turn < 90 else (45.0, 50.0)
    pixels = paint(turn_deg=turn, tip=tip)
    ax, ay = axis(turn)
    offset = 8.0 * np.sin(3.0 / 8.0)
    point = np.array([tip[0] + 12 * ax + offset * ay, tip[1] + 12 * ay - offset * ax])
    found = locate_finger(rectified(pixels), near_px=point * PX_PER_MM)
    assert found is not None
    s, s_sd, t, t_sd = (float(v[0]) for v in finger_coordinates(found, point))
    assert s == pytest.approx(12.0, abs=0.6) and t == pytest.approx(3.0, abs=0.3)
    assert 0 < s_sd < 3 and 0 < t_sd < 2


def test_right_is_right_when_the_tip_points_up() -> None:
    pixels = paint(turn_deg=0.0)
    found = locate_finger(rectified(pixels), near_px=along(10, 0, 0.0))
    assert found is not None
    right_of_it = found.coordinates(np.array([[TIP[0] + 4, TIP[1] + 15]]))[2][0]
    assert right_of_it > 3


def test_a_shadow_is_no_finger() -> None:
    found = locate_finger(rectified(paint(shadow=True)), near_px=along(6, 0, 20.0))
    assert found is not None
    assert found.tip_mm == pytest.approx(TIP, abs=0.8)


def test_the_tip_lies_before_the_nail() -> None:
    found = locate_finger(rectified(paint(nail=True, ground="grey")), near_px=along(17, 0, 20.0))
    assert found is not None
    assert found.tip_mm == pytest.approx(TIP, abs=1.0)


def test_dark_skin_and_twice_the_scale() -> None:
    pixels = cv2.resize(paint(skin=(92, 62, 48), ground="green"), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    near = 2 * np.array(along(10, 1, 20.0))
    found = locate_finger(rectified(pixels, px_per_mm=2 * PX_PER_MM), near_px=near)
    assert found is not None
    assert found.tip_mm == pytest.approx(TIP, abs=0.8)
    assert found.radius_mm == pytest.approx(8.0, abs=0.4)


def test_a_reference_across_the_finger_does_not_part_it() -> None:
    pixels = paint(turn_deg=0.0)
    corners = lay_reference(pixels, (22.5, 42.0), (38.5, 52.0))
    found = locate_finger(rectified(pixels, reference_px=corners), near_px=along(12, 0, 0.0))
    assert found is not None
    assert found.tip_mm == pytest.approx(TIP, abs=0.8)
    assert found.radius_mm == pytest.approx(8.0, abs=0.3)


@pytest.mark.parametrize(
    ("what", "pixels", "near"),
    [
        ("bare ground", paint(length_mm=0.0), (300, 200)),
        ("beside the finger", paint(turn_deg=0.0), (700, 300)),
        ("a strip without a tip", paint(turn_deg=0.0, tip=(31.0, -40.0)), (310, 300)),
        ("as wide as a hand", paint(turn_deg=0.0, radius_mm=24.0), (310, 500)),
        ("a straw", paint(turn_deg=0.0, radius_mm=2.5), (310, 300)),
        ("a blob", paint(turn_deg=0.0, radius_mm=9.0, length_mm=14.0), (310, 280)),
        ("one colour all over", np.full((*SHAPE, 3), 200, np.uint8), (310, 280)),
        ("noise", np.random.default_rng(1).integers(0, 255, (*SHAPE, 3)).astype(np.uint8), (310, 280)),
    ],
)
def test_none_rather_than_a_wild_one(what: str, pixels: np.ndarray, near: tuple[int, int]) -> None:
    assert locate_finger(rectified(pixels), near_px=near) is None, what


def test_it_is_the_same_every_time() -> None:
    first, again = (locate_finger(rectified(paint()), near_px=along(10, 1, 20.0)) for _ in range(2))
    assert first is not None and again is not None
    assert first.tip_mm == again.tip_mm and np.array_equal(first.radii_mm, again.radii_mm)


@pytest.mark.parametrize(("place", "seed"), [("skin", 13), ("table", 8)])
def test_a_phantom_stands_up_as_it_was_made(place: str, seed: int) -> None:
    phantom = draw_phantom(random_spec(seed, place=place, size_px=(960, 720), px_per_mm=(8, 11), diameter_mm=(2, 4)))
    camera = CameraInfo("Phantom", "Pinhole 1", phantom.spec.camera.focal_35mm_mm)
    photo = Photo(phantom.pixels, "cafe", None, camera, Path("drawn.png"))
    calibration = calibrate(photo, reference="aruco:10", reference_on=place)
    truth = phantom.truth.ulcers[0]
    x, y = truth.centroid_px
    seen = rectify(photo, calibration, spacing_mm=0.1, window=(x - 50, y - 50, 100.0, 100.0))
    finger = locate_finger(seen, near_px=(x, y))
    assert finger is not None
    s, _, t, _ = (float(v[0]) for v in finger.coordinates(calibration.to_mm(np.array([[x, y]]))))
    assert s == pytest.approx(truth.s_mm, abs=1.0) and t == pytest.approx(truth.t_mm, abs=0.8)
    assert phantom.truth.solid is not None
    middle = np.arange(10.0, 24.0, 0.5)
    assert finger.radius_mm == pytest.approx(np.median(phantom.truth.solid.radius_mm(middle)), rel=0.06)


def test_rays_meet_the_skin_where_they_should() -> None:
    finger = Finger(
        np.empty((0, 2)), (0.0, 0.0), (0.0, 1.0), 8.0, 0.2, axis_height_mm=8.0, viewpoint_mm=(5.0, 30.0, 90.0)
    )
    angle, s = np.array([-0.7, -0.2, 0.0, 0.5]), np.array([3.0, 8.0, 15.0, 30.0])
    skin = np.column_stack([8 * np.sin(angle), s, 8 + 8 * np.cos(angle)])
    camera = np.array([5.0, 30.0, 90.0])
    plane = camera + (skin - camera) * (camera[2] / (camera[2] - skin[:, 2]))[:, None]
    assert finger.on_skin(plane[:, :2]) == pytest.approx(skin, abs=1e-3)
    found_s, _, found_t, _ = finger.coordinates(plane[:, :2])
    assert found_s == pytest.approx(s, abs=1e-3) and found_t == pytest.approx(8 * angle, abs=1e-3)
    back = [finger.as_seen(*place) for place in zip(found_s, found_t, strict=True)]
    assert np.array(back) == pytest.approx(plane[:, :2], abs=2e-3)
    flat = replace(finger, viewpoint_mm=(float("nan"),) * 3)
    assert flat.as_seen(s[3], 8 * angle[3]) == pytest.approx(skin[3, :2], abs=1e-6)
    assert flat.on_skin(skin[:, :2]) == pytest.approx(skin, abs=1e-6)


@pytest.mark.skipif(not HANDS.exists(), reason="the photographs of ../shared/data are not here")
def test_fingers_of_a_real_hand() -> None:
    pixels = cv2.cvtColor(cv2.imread(str(HANDS / "nail_ID004.jpg")), cv2.COLOR_BGR2RGB)
    seen = rectified(pixels, px_per_mm=17.0)
    for near, tip in (((1550, 1500), (1496, 1329)), ((550, 1700), (354, 1444))):
        found = locate_finger(seen, near_px=near, side="dorsal")
        assert found is not None
        assert np.array(found.tip_mm) * 17.0 == pytest.approx(tip, abs=60)
        assert 6 < found.radius_mm < 11


def test_a_tip_under_the_reference_is_found_from_the_sides() -> None:
    pixels = paint(turn_deg=0.0)
    corners = lay_reference(pixels, (10.0, 10.0), (52.0, 24.0))
    found = locate_finger(rectified(pixels, reference_px=corners), near_px=along(9, 0, 0.0))
    assert found is not None
    assert found.tip_mm == pytest.approx(TIP, abs=1.0) and found.tip_sd_mm > 1
    assert found.radius_mm == pytest.approx(8.0, abs=0.2)


def test_an_outline_that_no_edge_bears_out_is_believed_only_of_a_sure_network() -> None:
    pixels = paint(nail=True)
    photo = rectified(pixels)
    near = np.array(along(12.0, 0.0, 20.0))
    coarse = coarse_photo(photo, near)
    assert coarse is not None
    place = _Place(photo, coarse, near, "", read_protocol())
    seen = place.ask(near)
    assert seen is not None and seen.tip_in_view
    assert place.fit_pointed(replace(seen, confidence=0.36), read=False) is not None
    assert place.fit_pointed(replace(seen, confidence=0.34), read=False) is None


def test_a_finger_that_cannot_be_fitted_is_given_as_the_network_sees_it(monkeypatch: pytest.MonkeyPatch) -> None:
    photo, near = rectified(paint(turn_deg=20.0)), along(10, 1, 20.0)
    fitted = search_finger(photo, near_px=near)
    assert fitted.finger is not None and fitted.rough is None
    for name in ("fit_pointed", "fit_by_colour"):
        monkeypatch.setattr(_Place, name, lambda *_, **__: None)
    found = search_finger(photo, near_px=near, side="palmar")
    assert found.finger is None and found.absence is Absence.NOT_FITTED
    rough = found.rough
    assert rough is not None and rough.side == "palmar"
    # The painted finger: 8 mm in radius, its tip as known.
    assert np.hypot(*(np.array(rough.tip_mm) - TIP)) < 2
    assert np.dot(rough.axis, fitted.finger.axis) > np.cos(np.deg2rad(8))
    assert rough.radius_mm == pytest.approx(8.0, abs=1.0)
    s, u = rough.axial_and_transverse(rough.outline_mm).T
    assert -2 < s.min() < 2 and np.abs(u).max() < 11
    # On bare ground the network sees none.
    assert search_finger(photo, near_px=(5.0, 5.0)).rough is None


def test_what_nobody_points_at_must_be_borne_out(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def named(_: object, pointed: object, *, spacing_mm: float) -> bool:
        asked.append(spacing_mm)
        return len(asked) == 1

    monkeypatch.setattr(locate_module, "is_named_all_round", named)
    photo, near = rectified(paint(turn_deg=20.0)), along(10, 1, 20.0)
    found = search_finger(photo, near_px=near)
    assert found.finger is not None and not asked, "a click is a person's word for it"
    first = search_finger(photo, near_px=near, pointed_at=False)
    assert first.finger is not None and first.finger.tip_mm == found.finger.tip_mm
    second = search_finger(photo, near_px=near, pointed_at=False)
    assert second.finger is None and second.absence is Absence.NOT_FITTED


@pytest.mark.parametrize(("aside_px", "believed"), [(1.0, True), (-1.0, False)])
def test_a_tip_beyond_the_border_is_not_in_view(
    monkeypatch: pytest.MonkeyPatch, aside_px: float, believed: bool
) -> None:
    photo = rectified(paint(turn_deg=20.0))
    found = locate_finger(photo, near_px=along(10, 1, 20.0))
    coarse = coarse_photo(photo, np.array(along(10, 1, 20.0)))
    assert found is not None and coarse is not None
    x, y = photo.calibration.to_mm(np.array([[aside_px, 200.0]]))[0]
    place = _Place(photo, coarse, np.zeros(2), "", read_protocol())
    monkeypatch.setattr(_Place, "ask", lambda *_: SimpleNamespace(tip_in_view=True))
    monkeypatch.setattr(_Place, "_same", lambda *_: True)
    monkeypatch.setattr(locate_module, "is_named_all_round", lambda *_, **__: True)
    assert place.is_borne_out(replace(found, tip_mm=(float(x), float(y)))) == believed
