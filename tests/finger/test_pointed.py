"""The pointed-at finger: what is turned comes back, and on drawn fingers tip, direction and outline are right."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from ulcermeter.finger import pointed as pointed_module
from ulcermeter.finger.candidates import FingerEnd, _Backed, _filling, _in_question, _true_ends, _trusted
from ulcermeter.finger.network import WEIGHTS, Answer, _turned_back
from ulcermeter.finger.pointed import (
    PointedFinger,
    _in_picture,
    _peak,
    _tip,
    is_named_again,
    is_named_all_round,
    point_out_finger,
)
from ulcermeter.finger.views import VIEW_PX, view_matrix
from ulcermeter.phantom import CameraSpec, FingerSpec, PhantomSpec, draw_phantom

needs_weights = pytest.mark.skipif(not WEIGHTS.is_file(), reason="no finger network is shipped yet")


@lru_cache(maxsize=8)
def drawn(tone, side):
    """Draw one finger whole in the picture, turned and seen at a slant."""
    finger = FingerSpec(skin_tone=tone, side=side, radius_mm=7.5, seed=3)
    camera = CameraSpec(width_px=800, height_px=600, px_per_mm=5.0, tilt_deg=8.0, roll_deg=35.0, aim_mm=(2.0, 16.0))
    return draw_phantom(PhantomSpec(finger=finger, ulcers=(), camera=camera))


def answer(tip=(30.0, 20.0), base=(70.0, 90.0)):
    """Return what a perfect network says of a finger from tip to base (x, y), and the two."""
    y, x = np.mgrid[:VIEW_PX, :VIEW_PX]
    way = (np.array(base) - tip) / np.hypot(*(np.array(base) - tip))
    across = np.abs((x - tip[0]) * way[1] - (y - tip[1]) * way[0])
    mask = ((across < 14) & ((x - tip[0]) * way[0] + (y - tip[1]) * way[1] > 0)).astype(np.float32)
    half = np.mgrid[: VIEW_PX // 2, : VIEW_PX // 2] * 2 + 0.5
    bump = np.exp(-((half[1] - tip[0]) ** 2 + (half[0] - tip[1]) ** 2) / 36).astype(np.float32)
    return Answer(mask, bump, 0.9, 0.8, 0.1, (float(way[0]), float(way[1])))


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
def test_what_is_said_of_a_turned_view_is_turned_back(turns, mirrored):
    upright = answer()
    # Where points of the view go by a mirror and then quarter turns counter-clockwise, done to the points themselves.
    tip, base = (np.array(point) for point in ((30.0, 20.0), (70.0, 90.0)))
    for point in (tip, base):
        if mirrored:
            point[0] = VIEW_PX - 1 - point[0]
        for _ in range(turns):
            point[:] = point[1], VIEW_PX - 1 - point[0]
    back = _turned_back(answer(tuple(tip), tuple(base)), turns, mirrored)
    np.testing.assert_allclose(back.inwards, upright.inwards, atol=1e-9)
    np.testing.assert_allclose(_peak(back.tip), _peak(upright.tip), atol=0.01)
    assert (back.mask != upright.mask).mean() < 0.01


def test_the_peak_is_found_between_pixels():
    for tip in [(30.0, 20.0), (31.3, 70.9), (3.0, 108.0)]:
        np.testing.assert_allclose(_peak(answer(tip, (60.0, 50.0)).tip), tip, atol=0.6)


def test_a_view_is_laid_back_into_the_picture():
    at, scale = (200.0, 140.0), 0.5
    found = _in_picture(answer(), view_matrix(at, scale=scale), (260, 390), width_px=56.0)
    # The view's pixel (30, 20) lies (30 - 55.5) / 0.5 right of the point, (20 - 55.5) / 0.5 below it.
    assert found.tip_px == pytest.approx((200 - 51, 140 - 71), abs=1)
    assert found.tip_in_view
    assert found.probability.shape == found.mask.shape == (260, 390)
    assert not found.mask[int(140 - 80), int(200 - 58)], "nothing of it lies before its tip"
    assert found.mask[140, 200]
    np.testing.assert_allclose(found.inwards, np.array([40, 70]) / np.hypot(40, 70), atol=0.03)
    assert 0.75 < found.confidence <= 0.8, "no surer than that the tip is in view"


def test_a_tip_beside_the_axis_is_drawn_to_the_end_of_the_mask():
    # The map's peak lies 6 view pixels beside the finger's middle: half of that remains.
    right, side = answer(), np.array([70.0, -40.0]) / np.hypot(70, 40)
    beside = answer(tuple(np.array([30.0, 20.0]) + 6 * side))
    found = _tip(Answer(right.mask, beside.tip, 0.9, 0.8, 0.1, right.inwards), right.inwards)
    assert (found - (30.0, 20.0)) @ side == pytest.approx(3, abs=1)


def test_a_tip_out_of_view_has_no_place():
    seen = answer()
    hidden = Answer(seen.mask, seen.tip * 0, 0.9, 0.1, 0.0, seen.inwards)
    found = _in_picture(hidden, view_matrix((200.0, 140.0), scale=0.5), (260, 390), width_px=56.0)
    assert found.tip_px is None
    assert not found.tip_in_view
    assert found.confidence == pytest.approx(0.9)


@pytest.mark.parametrize(("turn_deg", "believed"), [(0, True), (50, True), (70, False), (180, False)])
def test_two_directions_in_one_answer_are_not_believed(turn_deg, believed):
    seen = answer()
    cosine, sine = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
    x, y = seen.inwards
    said = Answer(seen.mask, seen.tip, 0.9, 0.8, 0.1, (cosine * x - sine * y, sine * x + cosine * y))
    found = _in_picture(said, view_matrix((200.0, 140.0), scale=0.5), (260, 390), width_px=56.0)
    assert (found.confidence > 0) == believed


@needs_weights
@pytest.mark.parametrize("tone", [1.5, 3.5, 5.5])
@pytest.mark.parametrize("side", ["pulp", "nail"])
@pytest.mark.parametrize("given", ["scale", "no scale"])
def test_on_phantoms_tip_and_direction_are_right(tone, side, given):
    phantom = drawn(tone, side)
    # A phantom's finger lies along y from the origin; at its axis' height the truth's camera says where.
    truth = phantom.truth
    heights = truth.finger_thickness_mm / 2
    radius = truth.finger_radius_mm
    tip, at, base = truth.camera.project(
        np.array([[0, 0, heights], [0, 1.5 * radius, heights], [0, 4 * radius, heights]])
    )
    px_per_mm = float(np.hypot(*(base - tip))) / (4 * radius)
    spacing = 1 / px_per_mm if given == "scale" else None
    found = point_out_finger(phantom.pixels, at_px=tuple(at), spacing_mm=spacing)
    assert found is not None
    assert found.tip_in_view
    error, inwards = (np.array(found.tip_px) - tip) / (2 * radius * px_per_mm), (base - tip) / np.hypot(*(base - tip))
    assert abs(error @ inwards) < 0.25
    assert abs(error @ (-inwards[1], inwards[0])) < 0.3
    assert found.inwards @ inwards > np.cos(np.radians(15))
    assert found.width_px == pytest.approx(2 * radius * px_per_mm, rel=0.3)


@needs_weights
def test_a_bare_table_has_no_finger():
    wood = np.random.default_rng(2).normal(0, 6, (300, 400, 1)) + np.array([150.0, 110, 70])
    assert point_out_finger(np.clip(wood, 0, 255).astype(np.uint8), at_px=(200.0, 150.0), spacing_mm=0.2) is None


def named(tip, inwards=(0.0, 1.0), confidence=0.5):
    """Return a finger 20 px wide with its tip there."""
    return PointedFinger((0.0, 0.0), np.zeros((1, 1), np.float32), inwards, 20.0, tip, confidence)


@pytest.mark.parametrize(
    ("confidence", "nearer", "further", "trusted"),
    [
        (0.16, named((103.0, 104.0)), named((96.0, 97.0)), True),
        (0.14, named((103.0, 104.0)), named((96.0, 97.0)), False),
        (0.23, named((103.0, 104.0)), named((100.0, 110.0)), True),  # the second is half a width off
        (0.21, named((103.0, 104.0)), named((100.0, 110.0)), False),
        (0.90, named((100.0, 140.0), (0.0, -1.0)), None, False),  # seen from its other end; no finger
        (0.90, named(None), named((100.0, 101.0), (0.6, 0.8)), False),  # no tip; 37 degrees turned
    ],
)
def test_a_tip_is_trusted_where_the_network_names_it_again(monkeypatch, confidence, nearer, further, trusted):
    asked = {108.0: nearer, 124.0: further}  # 0.4 and 1.2 widths behind the tip at (100, 100)
    monkeypatch.setattr(pointed_module, "point_out_finger", lambda _, *, at_px, **__: asked[at_px[1]])
    first = named((100.0, 100.0), confidence=confidence)
    assert is_named_again(np.zeros((1, 1, 3), np.uint8), first, spacing_mm=0.5) == trusted


@pytest.mark.parametrize(
    ("confidence", "nearer", "times", "asks"),
    [
        (0.9, named((100.0, 101.0)), None, 1),  # one that agrees is enough
        (0.9, None, None, 2),
        (0.16, None, None, 1),  # both would have to agree
        (0.1, named((100.0, 101.0)), None, 0),
        (0.9, None, 2, 1),
        (0.1, named((100.0, 101.0)), 2, 2),
    ],
)
def test_it_is_asked_no_more_often_than_can_change_the_answer(monkeypatch, confidence, nearer, times, asks):
    asked = []
    monkeypatch.setattr(pointed_module, "point_out_finger", lambda _, *, at_px, **__: asked.append(at_px) or nearer)
    first = named((100.0, 100.0), confidence=confidence)
    is_named_again(np.zeros((1, 1, 3), np.uint8), first, spacing_mm=0.5, times=times)
    assert len(asked) == asks


def test_a_tip_out_of_view_is_not_named_again():
    assert not is_named_again(np.zeros((1, 1, 3), np.uint8), named(None), spacing_mm=0.5)


# A quarter of a width, 1 and 1.3 widths behind the tip at (100, 100), and .75 behind it on either side.
ALL_ROUND = [(100.0, 105.0), (100.0, 120.0), (100.0, 126.0), (105.0, 115.0), (95.0, 115.0)]


@pytest.mark.parametrize("place", ALL_ROUND)
@pytest.mark.parametrize(
    ("said", "trusted"),
    [
        (named((105.0, 102.0), (0.45, 0.893)), True),  # .27 widths off, 27 degrees turned
        (named((106.0, 103.0)), False),  # .34 widths
        (named((100.0, 100.0), (0.57, 0.82)), False),  # 35 degrees
        (named(None), False),
        (None, False),
    ],
)
def test_a_finger_that_nobody_points_at_is_named_from_all_round_it(monkeypatch, place, said, trusted):
    def answer(_, *, at_px, **__):
        assert any(np.allclose(at_px, one) for one in ALL_ROUND)
        return said if np.allclose(at_px, place) else named((100.0, 100.0))

    monkeypatch.setattr(pointed_module, "point_out_finger", answer)
    trusted = trusted or (said is None and place[0] != 100.0)  # a point aside may lie on no finger
    photo = np.zeros((200, 200, 3), np.uint8)
    assert is_named_all_round(photo, named((100.0, 100.0), confidence=0.01), spacing_mm=0.5) == trusted
    # Of a photo that ends 10 px behind the tip only the first place is left.
    narrow = photo[:111]
    assert is_named_all_round(narrow, named((100.0, 100.0)), spacing_mm=0.5) == (trusted or place != ALL_ROUND[0])


def end(tip, at, width=20.0):
    return FingerEnd(at, tip, width, 0.5)


def test_the_cut_end_of_the_only_finger_is_no_second_finger():
    tip, cut = end((100.0, 20.0), (101.0, 35.0), 19.0), end((104.0, 110.0), (103.0, 95.0), 23.0)
    assert _true_ends([cut, tip]) == [tip]
    beside = end((150.0, 110.0), (150.0, 95.0), 23.0)  # 29 degrees off the line
    same_way = end((100.0, 70.0), (100.0, 85.0), 23.0)  # a finger behind the first, pointing the same way
    facing = end((100.0, 0.0), (100.0, -15.0), 23.0)  # another hand's finger, tip to tip
    for other in (beside, same_way, facing):
        assert _true_ends([tip, other]) == [tip, other]


def test_ends_that_few_points_name_or_that_are_far_too_narrow_are_left_out():
    ends = [end((100.0 * k, 20.0), (100.0 * k, 35.0), width) for k, width in enumerate((20.0, 22.0, 13.0, 24.0))]
    found = [_Backed(one, backing) for one, backing in zip(ends, (9, 4, 6, 3), strict=True)]
    assert _trusted(found) == ends[:2], "13 px is under 0.7 of the median, 20; 3 points are under 4"
    assert _trusted([_Backed(ends[0], 3), _Backed(ends[1], 2), _Backed(ends[3], 1)]) == ends[:2], "half of 3 is enough"
    assert _trusted([]) == []


def test_what_several_points_name_but_nobody_confirms_makes_a_person_be_asked():
    sure = end((100.0, 20.0), (100.0, 35.0), 20.0)
    beside, on_it, seldom = (
        FingerEnd(at, tip, 20.0, 0.3, sure=False)
        for at, tip in [((160.0, 45.0), (160.0, 30.0)), ((108.0, 75.0), (108.0, 60.0)), ((40.0, 45.0), (40.0, 30.0))]
    )
    doubted = [_Backed(beside, 2), _Backed(on_it, 6), _Backed(seldom, 1)]
    assert _in_question([sure], doubted) == [sure, beside], "a fold is no neighbour, one point little"
    assert _in_question([], doubted) == []


def test_a_sliver_at_the_border_does_not_count_beside_a_finger_that_fills_the_photo():
    shape = (300, 400)
    # 90 px wide, the middle of its end 150 px or 1.7 widths inside; a sliver's lies 30 px or a third of a width inside.
    main, sliver = end((200.0, 80.0), (200.0, 150.0), 90.0), end((370.0, 80.0), (370.0, 150.0), 90.0)
    assert _filling([main, sliver], shape) == [main]
    whole = end((330.0, 80.0), (330.0, 150.0), 90.0)
    assert _filling([main, whole], shape) == [main, whole]
    small = end((200.0, 120.0), (200.0, 150.0), 50.0)
    assert _filling([small, sliver], shape) == [small, sliver], "a sixth of the photo does not fill it"
    cut = end((200.0, -20.0), (200.0, 45.0), 90.0)
    assert _filling([cut, sliver], shape) == [cut, sliver], "the finger itself is at the border"
