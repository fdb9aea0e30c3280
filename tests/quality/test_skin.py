"""Skin seen clear or not, on fingers painted with a few lines of numpy: areas whose size and place are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from ulcermeter.calibration import calibrate
from ulcermeter.datatypes import CameraInfo, Finger, Photo
from ulcermeter.geometry import signed_distance
from ulcermeter.protocol import default_protocol
from ulcermeter.quality import DoubtfulKind, SkinView, judge_skin

PROTOCOL = default_protocol()
PX_PER_MM = 10.0
TONES = {"fair": (235, 195, 175), "middle": (196, 152, 128), "dark": (92, 62, 48)}
DEAD, BLOOD, CRUST = (34, 27, 26), (150, 22, 22), (236, 228, 214)
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


def judged(taken: Photo, side: str = "palmar", network_mm: np.ndarray | None = None) -> SkinView:
    scale = calibrate(taken, reference="scale:10")
    return judge_skin(taken, scale, finger(side), network_mm=network_mm, protocol=PROTOCOL)


@pytest.mark.parametrize("tone", TONES)
def test_healthy_skin_is_seen_clear_up_to_its_rim(tone: str) -> None:
    seen = judged(photo(tone))
    assert seen.doubtful == ()
    (clear,) = seen.clear_px
    assert signed_distance(clear, (200.0, 150.0)) > 50
    # A millimetre from the finger's side nothing is said.
    assert signed_distance(clear, (124.0, 300.0)) < 0


@pytest.mark.parametrize("tone", TONES)
@pytest.mark.parametrize(
    ("paint", "kind"), [(DEAD, DoubtfulKind.DARK), (BLOOD, DoubtfulKind.RED), (CRUST, DoubtfulKind.PALE)]
)
def test_dead_bloody_and_crusted_areas_are_told_with_size_and_place(
    tone: str, paint: tuple[int, int, int], kind: DoubtfulKind
) -> None:
    # Blood gives back little light as well.
    kinds = {kind, DoubtfulKind.DARK} if kind is DoubtfulKind.RED else {kind}
    (area,) = judged(photo(tone, paint)).doubtful
    assert area.kind in kinds
    assert area.size_mm == pytest.approx(5.0, abs=1.1)
    assert area.from_tip_mm == pytest.approx(10.0, abs=0.4)
    assert area.middle_px == pytest.approx((200, 150), abs=3)
    assert signed_distance(area.outline_px, (200.0, 150.0)) == pytest.approx(25, abs=5)


def test_what_is_too_small_or_under_the_reference_is_no_doubt() -> None:
    assert judged(photo("middle", DEAD, size_mm=1.5)).doubtful == ()
    taken = photo("middle", DEAD)
    card = np.array([[160.0, 110], [240, 110], [240, 190], [160, 190]])
    covered = replace(calibrate(taken, reference="scale:10"), reference_outline_px=card)
    assert judge_skin(taken, covered, finger(), protocol=PROTOCOL).doubtful == ()


def test_a_nails_polish_is_no_dead_skin_and_a_dead_tip_no_polish() -> None:
    polished = photo("middle").pixels.copy()
    cv2.rectangle(polished, (145, 65), (255, 175), (120, 10, 40), -1)
    nail = Photo(polished, "0" * 64, None, CameraInfo(), Path("a.png"))
    assert judged(nail, side="dorsal").doubtful == ()
    assert len(judged(nail).doubtful) == 1, "the pulp has no nail"
    assert len(judged(photo("middle", DEAD, (20.0, 12.0), 8.0), side="dorsal").doubtful) == 1


@pytest.mark.parametrize(("from_tip_mm", "size_mm", "doubtful"), [(10.0, 5.0, 0), (19.0, 8.0, 1), (15.0, 8.0, 0)])
def test_a_pale_area_counts_by_what_of_it_lies_beside_the_nail(
    from_tip_mm: float, size_mm: float, doubtful: int
) -> None:
    # The nail reaches 2.3 radii, 18.4 mm, from the tip: the second goes 4.6 mm beyond, the third 0.6 mm.
    taken = photo("middle", CRUST, (20.0, 5.0 + from_tip_mm), size_mm)
    assert len(judged(taken, side="dorsal").doubtful) == doubtful
    assert len(judged(taken, side="palmar").doubtful) == 1


def test_on_an_unnamed_side_a_crust_counts_unless_a_nails_smooth_plate_lies_round_it() -> None:
    crusted = photo("middle", CRUST, (20.0, 14.0), 4.0)
    assert len(judged(crusted, side="").doubtful) == 1
    y, x = np.mgrid[0:480, 0:400] / PX_PER_MM
    plate = ((np.abs(x - 20.0) < 6.0) & (y > 6.5) & (y < 20.0))[..., None]
    nail = with_pixels(crusted, np.where(plate, cv2.GaussianBlur(crusted.pixels, (0, 0), 2.0), crusted.pixels))
    assert judged(nail, side="").doubtful == ()


def test_a_white_area_is_no_clear_skin_where_it_is_burnt_out_and_fair_skin_is_where_red_alone_is() -> None:
    (area,) = judged(photo("middle", (255, 255, 255))).doubtful
    assert area.kind is DoubtfulKind.PALE
    assert area.size_mm == pytest.approx(5.0, abs=1.1)
    bright = photo("fair").pixels.copy()
    bright[120:180, 170:230, 0] = 255
    assert judged(Photo(bright, "0" * 64, None, CameraInfo(), Path("a.png"))).doubtful == ()


def lined(taken: Photo, colour: tuple[float, float, float], *, wide_mm: float, long_mm: float = 6.0) -> Photo:
    """The same with a line along the finger, 10 mm from its tip."""
    y, x = np.mgrid[0:480, 0:400] / PX_PER_MM
    across = np.clip((wide_mm / 2 - np.abs(x - 21.0)) * PX_PER_MM + 0.5, 0, 1)
    share = (across * (np.abs(y - 15.0) < long_mm / 2))[..., None]
    return with_pixels(taken, taken.pixels * (1 - share) + np.array(colour) * share)


def with_pixels(taken: Photo, pixels: np.ndarray) -> Photo:
    return replace(taken, pixels=np.clip(pixels, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("tone", TONES)
@pytest.mark.parametrize("colour", [(46, 20, 18), (150, 32, 30)])
def test_a_crack_is_told_with_its_length(tone: str, colour: tuple[int, int, int]) -> None:
    (area,) = judged(lined(photo(tone), colour, wide_mm=0.5)).doubtful
    assert area.kind is DoubtfulKind.FISSURE
    assert area.size_mm == pytest.approx(6.0, abs=0.6)
    assert area.from_tip_mm == pytest.approx(10.0, abs=0.4)
    assert signed_distance(area.outline_px, (210.0, 150.0)) > 0


def test_a_crack_beside_the_nail_is_seen_up_to_half_a_millimetre_from_the_edge() -> None:
    y, x = np.mgrid[0:480, 0:400] / PX_PER_MM
    taken = photo("middle")
    for at_mm, doubtful in ((27.25, 1), (27.75, 0)):
        crack = (np.abs(x - at_mm) < 0.25) & (np.abs(y - 18.0) < 3.0)
        cracked = with_pixels(taken, np.where(crack[..., None], (120, 26, 24), taken.pixels))
        assert len(judged(cracked).doubtful) == doubtful


def test_a_dark_line_round_a_nails_plate_is_its_fold_and_between_skin_a_crack() -> None:
    y, x = np.mgrid[0:480, 0:400] / PX_PER_MM
    taken = photo("middle")
    plate = ((np.abs(x - 20.0) < 5.5) & (y > 6.5) & (y < 19.0))[..., None]
    smooth = cv2.GaussianBlur(taken.pixels, (0, 0), 2.0)
    line = ((np.abs(x - 25.7) < 0.2) & (y > 9.0) & (y < 18.0))[..., None]
    # Linear blue over green 1.2 times the skin's on the plate; none where both sides are skin. A groove of half the
    # skin's red and .35 of its green is 2 ln(1 / .35) - ln 2 = 1.4 deep; what is deeper is a crack beside a plate too.
    groove, deep = np.array(TONES["middle"]) * np.array([0.5, 0.35, 0.35]) ** (1 / 2.2), (60, 24, 22)
    for colour, blue, doubtful in ((groove, 1.2 ** (1 / 2.2), 0), (groove, 1.0, 1), (deep, 1.2 ** (1 / 2.2), 1)):
        nail = np.where(plate, smooth * (1.0, 1.0, blue), taken.pixels)
        assert len(judged(with_pixels(taken, np.where(line, colour, nail)), side="").doubtful) == doubtful


def beside_another(taken: Photo, *lines_mm: float, lighter: float = 1.0) -> Photo:
    """The same with another finger's skin from 26 mm on, and dark lines 0.4 mm wide along the finger."""
    y, x = np.mgrid[0:480, 0:400] / PX_PER_MM
    mirrored = np.where(
        ((x > 26.0) & (y > 9.0))[..., None],
        taken.pixels[:, 260 - (np.arange(400) - 260).clip(0)] * lighter,
        taken.pixels,
    )
    line = np.any([(np.abs(x - at) < 0.2) & (np.abs(y - 20.0) < 7.0) for at in lines_mm], axis=0)
    return with_pixels(taken, np.where(line[..., None], (52, 22, 18), mirrored))


@pytest.mark.parametrize("tone", TONES)
def test_the_line_between_two_fingers_is_no_crack_and_one_within_their_border_is(tone: str) -> None:
    alone, between = lined(photo(tone), (52, 22, 18), wide_mm=0.4, long_mm=14.0), beside_another(photo(tone), 26.0)
    assert judged(between).doubtful == ()
    # The light may fall on the neighbour: twice as much is a level 1.37 times as high.
    assert judged(beside_another(photo(tone), 26.0, lighter=min(1.37, 250 / TONES[tone][0]))).doubtful == ()
    assert len(judged(beside_another(photo(tone), 26.0, 28.2)).doubtful) == 1, "the border is the outer one"
    y, x = np.mgrid[0:480, 0:400] / PX_PER_MM
    no_neighbour = with_pixels(alone, np.where((x > 28.0)[..., None], (70, 110, 160), between.pixels))
    assert len(judged(no_neighbour).doubtful) == 1


@pytest.mark.parametrize("tone", TONES)
def test_a_crack_among_folds_must_be_deeper_than_on_plain_skin(tone: str) -> None:
    # Green squared over red falls to 0.6 * 0.6 / 0.72 = 0.5 and to 0.46 * 0.46 / 0.56 = 0.38.
    faint, deeper = (
        np.array(TONES[tone]) * np.array(left) ** (1 / 2.2) for left in ((0.72, 0.6, 0.6), (0.56, 0.46, 0.46))
    )
    for colour, side, doubtful in ((faint, "palmar", 0), (deeper, "palmar", 1), (deeper, "dorsal", 0)):
        assert len(judged(lined(photo(tone), tuple(colour), wide_mm=0.7), side=side).doubtful) == doubtful


@pytest.mark.parametrize("tone", TONES)
def test_a_crease_a_hair_and_a_short_crack_are_left_in_peace(tone: str) -> None:
    crease = tuple(0.72 * level for level in TONES[tone])
    assert judged(lined(photo(tone), crease, wide_mm=0.8, long_mm=9.0)).doubtful == ()
    assert judged(lined(photo(tone), (60, 45, 40), wide_mm=0.06)).doubtful == ()
    assert judged(lined(photo(tone), (46, 20, 18), wide_mm=0.5, long_mm=1.5)).doubtful == ()


def on_plate(taken: Photo, *, redder: float, grain: float) -> Photo:
    """The same with an area of a nail's place and size: redder than the skin, with a grain of its own."""
    y, x = np.mgrid[0:480, 0:400] / PX_PER_MM
    plate = (np.abs(x - 20.0) < 5.8) & (y > 6.5) & (y < 19.5)
    rough = cv2.GaussianBlur(np.random.default_rng(5).normal(0, 1, plate.shape), (0, 0), 2.0)
    pixels = taken.pixels * (1 + grain * rough / rough.std())[..., None]
    pixels[..., 1:] /= redder
    return with_pixels(taken, np.where(plate[..., None], pixels, taken.pixels))


def test_the_bed_of_a_lost_nail_is_told_and_a_smooth_pink_nail_is_not() -> None:
    skin = on_plate(photo("middle"), redder=1.0, grain=0.04)
    grained = np.random.default_rng(6).normal(0, 1, skin.pixels.shape[:2])
    skin = with_pixels(skin, skin.pixels * (1 + 0.04 * cv2.GaussianBlur(grained, (0, 0), 2.0) * 7)[..., None])
    bed = on_plate(skin, redder=1.12, grain=0.04)
    assert [area.kind for area in judged(bed, side="dorsal").doubtful] == [DoubtfulKind.LOST_NAIL]
    assert judged(bed, side="palmar").doubtful == (), "a red pulp is no bed"
    y, x = np.mgrid[0:480, 0:400] / PX_PER_MM
    at_an_angle = with_pixels(bed, np.where((x < 18.5)[..., None], skin.pixels, bed.pixels))
    assert judged(at_an_angle, side="dorsal").doubtful == (), "it reaches over the middle as a fold's skin does"
    plate = ((np.abs(x - 20.0) < 5.8) & (y > 6.5) & (y < 19.5))[..., None]
    nail = with_pixels(bed, np.where(plate, cv2.GaussianBlur(bed.pixels, (0, 0), 9.0), bed.pixels))
    assert judged(nail, side="dorsal").doubtful == ()


def test_on_fair_skin_a_rough_plate_with_a_rim_is_a_crust_and_smooth_pallor_is_not() -> None:
    y, x = np.mgrid[0:480, 0:400] / PX_PER_MM
    away = np.hypot(x - 20.0, y - 17.0)
    rough = cv2.GaussianBlur(np.random.default_rng(7).normal(0, 1, away.shape), (0, 0), 2.0)
    crust = np.array([228.0, 214, 190]) * (1 + 0.12 * rough / rough.std())[..., None]
    fair = photo("fair")
    plate = with_pixels(fair, np.where((away < 2.5)[..., None], crust, fair.pixels))
    (area,) = judged(plate).doubtful
    assert area.kind is DoubtfulKind.PALE and area.size_mm == pytest.approx(5.0, abs=1.1)
    faded = np.clip(1.6 - away / 5.0, 0, 1)[..., None]
    pallor = fair.pixels * (1 - faded) + np.array([226.0, 204, 190]) * faded
    assert judged(with_pixels(fair, pallor)).doubtful == ()


def grained(away_px: np.ndarray, colour: tuple[float, float, float], grain: float) -> np.ndarray:
    """A colour with a grain of a fifth of a millimetre, (rows, cols, 3)."""
    rough = cv2.GaussianBlur(np.random.default_rng(7).normal(0, 1, away_px.shape), (0, 0), 2.0)
    return np.array(colour) * (1 + grain * rough / rough.std())[..., None]


def test_yellow_slough_is_told_and_smooth_yellow_skin_is_not() -> None:
    y, x = np.mgrid[0:480, 0:400] / PX_PER_MM
    away, taken = np.hypot(x - 20.0, y - 17.0), photo("middle")
    # As light and as red over green as the skin; blue over green is 0.6 of the skin's.
    colour = (196.0, 152.0, 128.0 * 0.6 ** (1 / 2.2))
    for grain, doubtful in ((0.1, 1), (0.01, 0)):
        slough = np.where((away < 2.0)[..., None], grained(away, colour, grain), taken.pixels)
        assert len(judged(with_pixels(taken, slough), side="").doubtful) == doubtful


def test_on_an_unnamed_side_a_very_rough_crust_counts_though_fair_skin_is_nearly_as_pale() -> None:
    y, x = np.mgrid[0:480, 0:400] / PX_PER_MM
    away, fair = np.hypot(x - 18.0, y - 14.0), photo("fair")
    # Red over green falls by 1.27 from the skin's 1.51 to 1.19, over half a millimetre by less than 1.2.
    for grain, doubtful in ((0.15, 1), (0.01, 0)):
        crust = np.where((away < 2.5)[..., None], grained(away, (195.0, 180.0, 162.0), grain), fair.pixels)
        assert len(judged(with_pixels(fair, crust), side="").doubtful) == doubtful


def test_a_pink_polished_nail_seen_askew_is_no_wound_and_blood_of_its_shape_is() -> None:
    nail = np.zeros((480, 400), np.uint8)
    cv2.fillPoly(nail, [cv2.boxPoints(((190.0, 130.0), (70.0, 120.0), 25.0)).astype(np.int32)], 1)
    taken = photo("middle")
    for colour, doubtful in (((228, 120, 150), 0), (BLOOD, 1)):
        assert (
            len(judged(with_pixels(taken, np.where((nail > 0)[..., None], colour, taken.pixels)), side="").doubtful)
            == doubtful
        )


def test_a_wound_that_goes_on_behind_what_shows_is_not_taken_for_ground() -> None:
    y, x = np.mgrid[0:480, 0:400] / PX_PER_MM
    taken = photo("middle")
    raw = with_pixels(taken, np.where((np.hypot(x - 20.0, y - 24.0) < 4.0)[..., None], (170, 70, 60), taken.pixels))
    ended = replace(finger(), outline_mm=np.minimum(OUTLINE, [[np.inf, 24.0]]))
    seen = judge_skin(raw, calibrate(raw, reference="scale:10"), ended, protocol=PROTOCOL)
    assert [area.kind for area in seen.doubtful] == [DoubtfulKind.RED]


def test_a_light_blue_glove_is_no_clear_skin() -> None:
    # CIELAB a* of 9 at L* of 74: red enough for skin, but b* is -37.
    taken = photo("middle")
    gloved = with_pixels(taken, taken.pixels * (np.array((150.0, 175.0, 250.0)) / np.array(TONES["middle"])))
    assert judged(gloved) == SkinView()


def test_a_bloody_strip_between_nail_and_edge_counts_and_a_burnt_finger_says_nothing() -> None:
    y, x = np.mgrid[0:480, 0:400] / PX_PER_MM
    taken = photo("middle")
    strip = (x > 13.0) & (x < 13.9) & (np.abs(y - 16.0) < 1.8)
    bloody = with_pixels(taken, np.where(strip[..., None], BLOOD, taken.pixels))
    assert len(judged(bloody, side="dorsal").doubtful) == 1
    burnt = with_pixels(taken, taken.pixels.astype(np.float64) * np.where(y < 25, 3.0, 1.0)[..., None])
    assert judged(burnt) == SkinView()


@pytest.mark.parametrize(("wide_mm", "doubtful"), [(1.4, 0), (4.0, 1)])
def test_a_red_border_round_a_nail_is_no_doubt_and_blood_there_is(wide_mm: float, doubtful: int) -> None:
    y, x = np.mgrid[0:480, 0:400] / PX_PER_MM
    border = (np.abs(y - 19.0) < wide_mm / 2) & (np.abs(x - 20.0) < 5.0)
    taken = photo("middle")
    red = taken.pixels * np.where(border[..., None], np.array([0.95, 0.66, 0.66]), 1.0)
    assert len(judged(with_pixels(taken, red), side="dorsal").doubtful) == doubtful


@pytest.mark.parametrize(("from_mm", "ground", "doubtful"), [(24.0, True, 0), (24.0, False, 1), (9.0, True, 1)])
def test_red_ground_that_the_outline_reaches_over_is_no_blood(from_mm: float, ground: bool, doubtful: int) -> None:
    y, x = np.mgrid[0:480, 0:400] / PX_PER_MM
    over = (x > 24.0) & (x < (40.0 if ground else 28.0)) & (y > from_mm) & (y < from_mm + 10)
    taken = photo("middle")
    assert len(judged(with_pixels(taken, np.where(over[..., None], (150, 22, 22), taken.pixels))).doubtful) == doubtful


def over_ground(colour: tuple[int, int, int], beside: int) -> tuple[Photo, np.ndarray]:
    """A finger of whose right side 4.5 mm are of another colour, and the network's outline, which leaves them out."""
    y, x = np.mgrid[0:480, 0:400] / PX_PER_MM
    taken = photo("middle")
    left_out, edge = (x > 23.5) & (x < 28.0) & (y > 12) & (y < 26), x > 28.0
    pixels = np.where(edge[..., None], beside, taken.pixels)
    seen_mm = OUTLINE * [0, 1] + np.minimum(OUTLINE * [1, 0], [23.5, 0])
    return with_pixels(taken, np.where(left_out[..., None], colour, pixels)), seen_mm


@pytest.mark.parametrize(
    ("colour", "beside", "doubtful"),
    [((165, 165, 165), 215, 0), ((165, 165, 165), 20, 1)]
    + [((34, 27, 26), 200, 1), ((34, 27, 26), 40, 1), ((150, 22, 22), 200, 1)],
)
def test_ground_in_the_fingers_shadow_is_no_skin_and_black_and_red_that_the_network_leaves_out_are_doubtful(
    colour: tuple[int, int, int], beside: int, doubtful: int
) -> None:
    taken, seen_mm = over_ground(colour, beside)
    view = judged(taken, network_mm=seen_mm)
    assert len(view.doubtful) == doubtful
    assert judged(taken).doubtful, "the outline alone does not tell"
    assert all(signed_distance(clear, (260.0, 190.0)) < 0 for clear in view.clear_px)


def test_blue_ground_that_the_network_leaves_out_is_not_said_to_be_clear_skin() -> None:
    taken, seen_mm = over_ground((70, 100, 150), 200)
    places = [(260.0, 190.0), (200.0, 190.0)]
    (clear,) = judged(taken, network_mm=seen_mm).clear_px
    assert [signed_distance(clear, place) > 0 for place in places] == [False, True]
    (clear,) = judged(taken).clear_px
    assert [signed_distance(clear, place) > 0 for place in places] == [True, True]


@pytest.mark.parametrize(("grain", "doubtful"), [(0.12, 1), (0.01, 0)])
def test_on_an_unnamed_side_a_rough_plaque_beside_the_middle_counts_and_a_smooth_plate_at_the_edge_does_not(
    grain: float, doubtful: int
) -> None:
    y, x = np.mgrid[0:480, 0:400] / PX_PER_MM
    taken = photo("middle")
    fine = cv2.GaussianBlur(taken.pixels, (0, 0), 3.0)
    plate = ((np.abs(x - 20.0) < 6.0) & (y > 6.5) & (y < 20.0))[..., None]
    rough = cv2.GaussianBlur(np.random.default_rng(9).normal(0, 1, x.shape), (0, 0), 2.0)
    white = np.array([228.0, 214, 190]) * (1 + grain * rough / rough.std())[..., None]
    nail = np.where(plate, fine, taken.pixels)
    at_edge = np.hypot(x - 25.0, y - 14.0)[..., None] < 2.0
    assert len(judged(with_pixels(taken, np.where(at_edge, white, nail)), side="").doubtful) == doubtful


@pytest.mark.parametrize(("grain", "doubtful"), [(0.0, 0), (0.15, 1)])
def test_rounded_polish_is_smooth_and_dead_skin_of_its_shape_is_not(grain: float, doubtful: int) -> None:
    y, x = np.mgrid[0:480, 0:400] / PX_PER_MM
    taken = photo("middle")
    rough = cv2.GaussianBlur(np.random.default_rng(10).normal(0, 1, x.shape), (0, 0), 2.0)
    polish = np.array([190.0, 50, 60]) * (1 + grain * rough / rough.std())[..., None]
    oval = (np.hypot((x - 20.0) / 4.8, (y - 12.5) / 6.0) < 1)[..., None]
    polish = np.clip(polish + np.random.default_rng(11).normal(0, 2, polish.shape), 0, 255)
    assert len(judged(with_pixels(taken, np.where(oval, polish, taken.pixels)), side="").doubtful) == doubtful


@pytest.mark.parametrize(("grain", "soft_px", "doubtful"), [(0.1, 0.1, 1), (0.0, 0.1, 0), (0.1, 9.0, 0)])
def test_beside_a_nail_what_is_no_redder_than_its_fold_is_raw_where_it_is_rough_and_ends_sharply(
    grain: float, soft_px: float, doubtful: int
) -> None:
    y, x = np.mgrid[0:480, 0:400] / PX_PER_MM
    taken = photo("middle")
    rough = cv2.GaussianBlur(np.random.default_rng(12).normal(0, 1, x.shape), (0, 0), 2.0)
    red = taken.pixels * np.array([1.0, 0.82, 0.82]) * (1 + grain * rough / rough.std())[..., None]
    share = cv2.GaussianBlur((np.hypot(x - 24.0, y - 17.0) < 2.0).astype(np.float64), (0, 0), soft_px)[..., None]
    wounded = with_pixels(taken, taken.pixels * (1 - share) + red * share)
    assert len(judged(wounded, side="dorsal").doubtful) == doubtful


@pytest.mark.parametrize("colour", [(60, 200, 170), (170, 80, 205)])
def test_green_and_violet_are_worn_and_no_doubt(colour: tuple[int, int, int]) -> None:
    y, x = np.mgrid[0:480, 0:400] / PX_PER_MM
    taken = photo("middle")
    nail = ((x > 25.0) & (y > 8.0) & (y < 17.0))[..., None]
    painted = cv2.GaussianBlur(np.where(nail, colour, taken.pixels).astype(np.float64), (0, 0), 1.5)
    assert judged(with_pixels(taken, painted), side="").doubtful == ()
    strip = np.where((nail[..., 0] & (x < 26.4))[..., None], colour, taken.pixels).astype(np.float64)
    assert judged(with_pixels(taken, cv2.GaussianBlur(strip, (0, 0), 1.5)), side="").doubtful == ()


def test_where_the_nail_fills_most_of_what_shows_the_dark_skin_beside_it_is_no_dead_skin() -> None:
    y, x = np.mgrid[0:480, 0:400] / PX_PER_MM
    taken = photo("dark")
    plate = ((np.abs(x - 20.0) < 5.9) & (y > 6.0) & (y < 18.5))[..., None]
    nailed = with_pixels(taken, np.where(plate, taken.pixels * 2.3, taken.pixels))
    # Of the finger 15 mm show: a reference lies over the rest.
    end = replace(finger("dorsal"), radius_mm=9.0, outline_mm=np.minimum(OUTLINE, [40.0, 20.0]))
    seen = judge_skin(nailed, calibrate(nailed, reference="scale:10"), end, protocol=PROTOCOL)
    assert seen.doubtful == () and seen.clear_px


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


def test_a_side_in_the_shade_is_no_dead_skin() -> None:
    y, x = np.mgrid[0:480, 0:400] / PX_PER_MM
    shade = 1 / (1 + np.exp(-(x - 14.5) / 1.2))
    taken = photo("middle")
    assert judged(with_pixels(taken, taken.pixels * (0.25 + 0.75 * shade)[..., None])).doubtful == ()


def test_too_little_skin_says_nothing_clear() -> None:
    speck = Finger(OUTLINE * 0.05, (1.0, 0.25), (0.0, 1.0), 0.4, 0.1)
    taken = photo("middle")
    assert judge_skin(taken, calibrate(taken, reference="scale:10"), speck, protocol=PROTOCOL) == SkinView()
