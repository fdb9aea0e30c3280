"""Skin seen clear or not: fingers that the phantoms draw, and some painted with a few lines of numpy."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import clear_skin
import cv2
import numpy as np
import pytest

from ulcermeter.calibration import calibrate
from ulcermeter.datatypes import CameraInfo, Finger, Photo
from ulcermeter.geometry import signed_distance
from ulcermeter.phantom import FissureSpec, draw_phantom
from ulcermeter.protocol import default_protocol
from ulcermeter.quality import DoubtfulKind, SkinView, judge_skin

PROTOCOL = default_protocol()
PX_PER_MM = 10.0
# Of fair, middle and dark skin a pulp, a back and a side; seeds that no network has seen.
PULPS, BACKS, SIDES = (47004, 47014, 47021), (47011, 47018, 47020), (47010, 47000, 47008)
DARK, RED, PALE = DoubtfulKind.DARK, DoubtfulKind.RED, DoubtfulKind.PALE
TONES = {"fair": (235, 195, 175), "middle": (196, 152, 128), "dark": (92, 62, 48)}
# Its tip at (20, 5) mm, 16 mm wide, pointing up; as seen it ends 40 mm further down.
ANGLES = np.linspace(np.pi, 2 * np.pi, 40)
OUTLINE = np.vstack(
    [[[12.0, 45.0]], np.column_stack([20 + 8 * np.cos(ANGLES), 13 + 8 * np.sin(ANGLES)]), [[28.0, 45.0]]]
)


def finger(side: str = "palmar") -> Finger:
    return Finger(OUTLINE, (20.0, 5.0), (0.0, 1.0), 8.0, 0.2, side=side)


def photo(
    tone: str,
    paint: tuple[int, int, int] | None = None,
    at_mm: tuple[float, float] = (20.0, 15.0),
    size_mm: float = 5.0,
) -> Photo:
    """A finger shaded across and along, with noise, and a disc of a colour on it."""
    y, x = np.mgrid[0:480, 0:400] / PX_PER_MM
    light = (0.75 + 0.25 * np.sqrt(np.clip(1 - ((x - 20) / 8.5) ** 2, 0, 1))) * (1.05 - 0.005 * y)
    picture = np.array(TONES[tone]) * light[..., None]
    if paint is not None:
        picture[np.hypot(x - at_mm[0], y - at_mm[1]) < size_mm / 2] = paint
    outside = np.ones((480, 400), np.uint8)
    cv2.fillPoly(outside, [np.rint(OUTLINE * PX_PER_MM).astype(np.int32)], 0)
    picture[outside > 0] = (70, 110, 160)
    picture += np.random.default_rng(3).normal(0, 3, picture.shape)
    return Photo(np.clip(picture, 0, 255).astype(np.uint8), "0" * 64, None, CameraInfo(), Path("a.png"))


def over_ground(colour: tuple[int, int, int], beside: int) -> tuple[Photo, np.ndarray]:
    """A finger of whose right side 4.5 mm are of another colour, and the network's outline, which leaves them out."""
    y, x = np.mgrid[0:480, 0:400] / PX_PER_MM
    taken = photo("middle")
    left_out, edge = (x > 23.5) & (x < 28.0) & (y > 12) & (y < 26), x > 28.0
    pixels = np.where(edge[..., None], beside, taken.pixels)
    seen_mm = OUTLINE * [0, 1] + np.minimum(OUTLINE * [1, 0], [23.5, 0])
    return with_pixels(taken, np.where(left_out[..., None], colour, pixels)), seen_mm


def with_pixels(taken: Photo, pixels: np.ndarray) -> Photo:
    return replace(taken, pixels=np.clip(pixels, 0, 255).astype(np.uint8))


@cache
def drawn(seed: int) -> clear_skin.Fingertip:
    return next(clear_skin.phantoms(seed, 1))


def end_of(tip: clear_skin.Fingertip) -> tuple[np.ndarray, np.ndarray, float]:
    """Return a drawn finger's tip, its way inwards and its radius, px of the photo."""
    truth = tip.phantom.truth
    height = truth.finger_thickness_mm / 2
    end, behind = truth.camera.project(np.array([[0, 0, height], [0, 20.0, height]]))
    return end, (behind - end) / np.hypot(*(behind - end)), truth.finger_radius_mm * tip.px_per_mm


def seen(
    tip: clear_skin.Fingertip, pixels: np.ndarray, *, covered: np.ndarray | None = None, narrower_mm: float = 0.0
) -> SkinView:
    """Judge a drawn finger by its true outline, or by one whose sides lie further in."""
    end, way, radius = end_of(tip)
    radius -= narrower_mm * tip.px_per_mm
    angles = np.linspace(np.pi, 2 * np.pi, 40)
    round_end = np.column_stack([radius * np.cos(angles), radius + radius * np.sin(angles)])
    along = np.vstack([[[-radius, 30 * tip.px_per_mm]], round_end, [[radius, 30 * tip.px_per_mm]]])
    outline = end + along[:, :1] * np.array([way[1], -way[0]]) + along[:, 1:] * way
    scale = calibrate(Photo(tip.pixels, "0" * 64, None, CameraInfo(), Path("a.png")), reference="aruco:10")
    (tip_mm, behind_mm), half_mm = scale.to_mm(np.array([end, end + 10 * way])), radius / tip.px_per_mm
    axis = (behind_mm - tip_mm) / np.hypot(*(behind_mm - tip_mm))
    whole = Finger(scale.to_mm(outline), tuple(tip_mm), tuple(axis), half_mm, 0.2, side=tip.cells["view"])
    if covered is not None:
        scale = replace(scale, reference_outline_px=covered)
    taken = Photo(pixels, "0" * 64, None, CameraInfo(), Path("a.png"))
    return judge_skin(taken, scale, whole, protocol=PROTOCOL)


def painted(
    tip: clear_skin.Fingertip, colour: tuple[int, int, int], wide_mm: float, aside_mm: float = 0.0
) -> np.ndarray:
    """Lay a round area with a grain of its own on the middle of a drawn finger's end, or to its side."""
    rows, cols = np.indices(tip.on.shape)
    way, grain = end_of(tip)[1], 0.1
    x, y = np.array(tip.click) + aside_mm * tip.px_per_mm * np.array([way[1], -way[0]])
    off = np.hypot(cols - x, rows - y) / tip.px_per_mm
    share = np.clip(0.5 + (wide_mm / 2 - off) / 0.15, 0, 1)[..., None]
    share = share * cv2.GaussianBlur(tip.on.astype(np.float64), (0, 0), 1.0)[..., None]
    noise = clear_skin.noise(tip, np.random.default_rng(5))[..., None]
    return np.clip(tip.pixels * (1 - share) + np.array(colour) * (1 + grain * noise) * share, 0, 255).astype(np.uint8)


def test_where_a_fingers_sides_fade_its_skin_is_looked_at_as_far_as_the_network_sees_it() -> None:
    # Its outline ends 12 mm from the tip; a black area lies 10 mm further up, level with it or beside it.
    short = replace(finger(), outline_mm=np.vstack([[[12.0, 17.0]], OUTLINE[1:-1], [[28.0, 17.0]]]))
    dead = photo("middle", (40, 32, 30), at_mm=(20.0, 27.0))
    scale = calibrate(dead, reference=f"scale:{PX_PER_MM:g}")
    whole = judge_skin(dead, scale, short, network_mm=OUTLINE, protocol=PROTOCOL)
    (area,) = whole.doubtful
    assert area.size_mm == pytest.approx(5.0, abs=0.6) and area.from_tip_mm == pytest.approx(22.0, abs=1.0)
    assert max(one[:, 1].max() for one in whole.clear_px) > 35 * PX_PER_MM
    # Where the network sees no more than the outline, nothing is said of what lies further up.
    less = judge_skin(dead, scale, short, network_mm=short.outline_mm, protocol=PROTOCOL)
    assert less.doubtful == () and max(one[:, 1].max() for one in less.clear_px) < 17 * PX_PER_MM


def test_an_area_over_an_outline_that_lies_too_far_in_is_followed_beyond_it() -> None:
    tip = drawn(PULPS[0])
    radius_mm = end_of(tip)[2] / tip.px_per_mm
    narrower_mm, wide_mm = 1.5, 3.0
    black = painted(tip, (40, 32, 30), wide_mm, aside_mm=radius_mm - narrower_mm)
    (whole,) = seen(tip, black).doubtful
    (over,) = seen(tip, black, narrower_mm=narrower_mm).doubtful
    # Half of it lies beyond the outline, of which all but half a millimetre's rim within the one that is reached.
    assert over.size_mm > 0.85 * whole.size_mm > 0.85 * 0.85 * wide_mm
    # What does not reach the outline is another finger's or the ground's.
    beside = painted(tip, (40, 32, 30), 2.2, aside_mm=radius_mm - 1.6)
    assert seen(tip, beside, narrower_mm=3.0).doubtful == ()


@pytest.mark.parametrize("seed", [*PULPS, *BACKS, *SIDES])
def test_healthy_skin_of_every_side_and_tone_is_seen_clear(seed: int) -> None:
    view = seen(drawn(seed), drawn(seed).pixels)
    assert view.doubtful == ()
    assert view.clear_px


@pytest.mark.parametrize("seed", [*PULPS, *SIDES])
@pytest.mark.parametrize(
    ("colour", "kinds"),
    [((34, 27, 26), {DARK}), ((140, 22, 22), {RED, DARK}), ((84, 44, 36), {DARK, RED}), ((236, 226, 206), {PALE})],
    ids=["black", "blood", "scab", "crust"],
)
def test_dead_bloody_scabbed_and_crusted_areas_are_told_with_size_and_place(
    seed: int, colour: tuple[int, int, int], kinds: set[DoubtfulKind]
) -> None:
    tip = drawn(seed)
    (area,) = seen(tip, painted(tip, colour, 5.0)).doubtful
    assert area.kind in kinds
    assert area.size_mm == pytest.approx(5.0, abs=0.8)
    np.testing.assert_allclose(area.middle_px, tip.click, atol=0.5 * tip.px_per_mm)
    end, way, _ = end_of(tip)
    assert area.from_tip_mm == pytest.approx((np.array(tip.click) - end) @ way / tip.px_per_mm, abs=1.2)
    assert signed_distance(area.outline_px, tip.click) > 1.5 * tip.px_per_mm


@pytest.mark.parametrize("seed", PULPS)
@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("colour", [(34, 27, 26), (140, 22, 22), (236, 226, 206)], ids=["black", "blood", "crust"])
def test_what_reaches_over_the_fingers_edge_is_no_ground(seed: int, side: int, colour: tuple[int, int, int]) -> None:
    tip = drawn(seed)
    assert seen(tip, painted(tip, colour, 6.0, aside_mm=side * 0.8 * end_of(tip)[2] / tip.px_per_mm)).doubtful


@pytest.mark.parametrize("seed", PULPS)
def test_what_is_too_small_or_under_the_reference_is_no_doubt(seed: int) -> None:
    tip = drawn(seed)
    assert seen(tip, painted(tip, (34, 27, 26), 1.2)).doubtful == ()
    corners = np.array([[-1.0, -1], [1, -1], [1, 1], [-1, 1]]) * 3.5 * tip.px_per_mm + tip.click
    assert seen(tip, painted(tip, (34, 27, 26), 5.0), covered=corners).doubtful == ()


@pytest.mark.parametrize("seed", PULPS)
@pytest.mark.parametrize("red", [0.1, 0.9])
def test_a_crack_is_told_with_its_length(seed: int, red: float) -> None:
    tip = drawn(seed)
    crack = FissureSpec(6.0, 0.5, s_mm=8.0, t_mm=1.0, angle_deg=60.0, red=red, callus=0.2, seed=1)
    spec = replace(tip.phantom.spec, finger=replace(tip.phantom.spec.finger, fissures=(crack,)))
    (area,) = seen(tip, draw_phantom(spec).pixels).doubtful
    assert area.kind is DoubtfulKind.FISSURE
    assert area.size_mm == pytest.approx(6.0, abs=1.6)


@pytest.mark.parametrize("seed", BACKS)
def test_the_bed_of_a_lost_nail_is_told_and_a_nail_is_not(seed: int) -> None:
    bare = clear_skin.without_nail(drawn(seed))
    assert bare is not None
    largest = seen(drawn(seed), bare).doubtful[0]
    assert largest.kind is DoubtfulKind.LOST_NAIL
    assert largest.size_mm > 7


@pytest.mark.parametrize("seed", BACKS)
def test_polish_on_a_nail_is_no_doubt(seed: int) -> None:
    tip = drawn(seed)
    end, way, radius = end_of(tip)
    rows, cols = np.indices(tip.on.shape)
    off = np.stack([cols, rows], -1) - end
    along, across = off @ way / radius, off @ np.array([way[1], -way[0]]) / radius
    plate = np.hypot((along - 1.0) / 0.86, across / 0.72) < 1
    light = cv2.GaussianBlur(tip.pixels.mean(axis=2), (0, 0), 8)[..., None] / 150
    colour = np.clip(np.array((70, 110, 190)) * light, 0, 255)
    share = cv2.GaussianBlur(plate.astype(np.float64), (0, 0), 1.0)[..., None]
    polished = (tip.pixels * (1 - share) + colour * share).astype(np.uint8)
    assert seen(tip, polished).doubtful == ()


@pytest.mark.parametrize("seed", PULPS)
@pytest.mark.parametrize("edge_mm", [0.5, 4.0])
def test_a_shadow_over_half_a_finger_hides_nothing(seed: int, edge_mm: float) -> None:
    tip = drawn(seed)
    cols = np.arange(tip.on.shape[1])
    dark = 1 / (1 + np.exp(-(cols - tip.click[0]) / (edge_mm * tip.px_per_mm / 4)))
    assert seen(tip, (tip.pixels * (0.55 + 0.45 * dark)[None, :, None]).astype(np.uint8)).doubtful == ()


def judged(taken: Photo, side: str = "palmar", network_mm: np.ndarray | None = None) -> SkinView:
    scale = calibrate(taken, reference="scale:10")
    return judge_skin(taken, scale, finger(side), network_mm=network_mm, protocol=PROTOCOL)


def test_a_light_blue_glove_is_no_clear_skin() -> None:
    # CIELAB a* of 9 at L* of 74: red enough for skin, but b* is -37.
    taken = photo("middle")
    gloved = with_pixels(taken, taken.pixels * (np.array((150.0, 175.0, 250.0)) / np.array(TONES["middle"])))
    assert judged(gloved) == SkinView()


def test_blue_ground_that_the_network_leaves_out_is_not_said_to_be_clear_skin() -> None:
    taken, seen_mm = over_ground((70, 100, 150), 200)
    places = [(260.0, 190.0), (200.0, 190.0)]
    (clear,) = judged(taken, network_mm=seen_mm).clear_px
    assert [signed_distance(clear, place) > 0 for place in places] == [False, True]
    (clear,) = judged(taken).clear_px
    assert [signed_distance(clear, place) > 0 for place in places] == [True, True]


def test_what_the_network_leaves_out_at_the_end_of_what_shows_is_no_ground() -> None:
    taken = photo("middle")
    # It ends askew, 2 mm behind the tip on one side and 30 mm on the other.
    askew = OUTLINE * [1.0, 1.0] - [[0.0, 25.0 * (x > 20 and y > 40)] for x, y in OUTLINE]
    end = replace(finger(), outline_mm=askew)
    scale, narrow_mm = calibrate(taken, reference="scale:10"), OUTLINE * [0.25, 1.0] + [11.0, 0.0]
    (clear,) = judge_skin(taken, scale, end, network_mm=narrow_mm, protocol=PROTOCOL).clear_px
    assert signed_distance(clear, (200.0, 290.0)) > 0


def test_what_is_spotted_all_over_is_no_skin() -> None:
    spots = cv2.GaussianBlur(np.random.default_rng(8).normal(0, 1, (480, 400)), (0, 0), 2.5)
    taken = photo("middle")
    wing = with_pixels(taken, taken.pixels * np.where(spots > 0.3 * spots.std(), 0.25, 1.0)[..., None])
    assert judged(wing) == SkinView()


def test_too_little_skin_says_nothing_clear() -> None:
    speck = Finger(OUTLINE * 0.05, (1.0, 0.25), (0.0, 1.0), 0.4, 0.1)
    taken = photo("middle")
    assert judge_skin(taken, calibrate(taken, reference="scale:10"), speck, protocol=PROTOCOL) == SkinView()


def test_a_very_wide_finger_is_looked_at_up_to_its_sides() -> None:
    # 29 mm wide: more than the network sees at once.
    taken = with_pixels(photo("middle"), cv2.resize(photo("middle").pixels[:, 110:290], (400, 480)))
    wide = replace(finger(), outline_mm=OUTLINE * [1.8, 1.0] - [16.0, 0.0], radius_mm=14.4)
    scale = calibrate(taken, reference="scale:10")
    view = judge_skin(taken, scale, wide, protocol=PROTOCOL)
    assert view.doubtful == ()
    assert any(signed_distance(clear, (76.0, 220.0)) > 0 for clear in view.clear_px)
    rows, cols = np.indices(taken.pixels.shape[:2])
    grain = 1 + 0.1 * np.random.default_rng(6).normal(size=taken.pixels.shape)
    dead = (np.hypot(cols - 82, rows - 220) < 25)[..., None]
    black = with_pixels(taken, np.where(dead, np.array((40, 32, 30)) * grain, taken.pixels))
    assert len(judge_skin(black, scale, wide, protocol=PROTOCOL).doubtful) == 1


def test_a_finger_that_is_burnt_out_says_nothing() -> None:
    y = np.mgrid[0:480, 0:400][0] / PX_PER_MM
    taken = photo("middle")
    for much in (3.0, 30.0):
        burnt = with_pixels(taken, taken.pixels.astype(np.float64) * np.where(y < 25, much, 1.0)[..., None])
        assert judged(burnt) == SkinView()
    assert judged(with_pixels(taken, np.full_like(taken.pixels, 255))) == SkinView()


def test_grey_ground_in_the_fingers_shadow_is_neither_doubtful_nor_clear() -> None:
    taken, seen_mm = over_ground((165, 165, 165), 215)
    view = judged(taken, network_mm=seen_mm)
    assert view.clear_px
    assert all(area.middle_px[0] < 240 for area in view.doubtful)
    assert all(signed_distance(clear, (260.0, 190.0)) < 0 for clear in view.clear_px)
