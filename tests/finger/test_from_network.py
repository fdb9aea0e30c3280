"""A finger of which the photo's border cuts off a side; and edges that move a tip too far."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from ulcermeter.finger import locate as locate_module
from ulcermeter.finger.from_network import _in_frame, _with_both_sides
from ulcermeter.finger.locate import _Place
from ulcermeter.finger.shape import Edge, in_frame
from ulcermeter.protocol import read_protocol

TIP, AXIS, WIDTH = np.array([5.0, -3.0]), np.array([0.6, 0.8]), 16.0


def edge(*sides, shown_to=(40, 40)):
    """Return outline points every half millimetre along sides u = c, from tip to 40 mm behind it, on the plane."""
    along = [np.arange(0, to, 0.5) for to in shown_to]
    points = np.vstack([np.column_stack([s, np.full(len(s), u)]) for u, s in zip(sides, along, strict=False)])
    count = len(points)
    plane = TIP + points @ np.array([AXIS, [AXIS[1], -AXIS[0]]])
    return Edge(plane, np.ones(count, bool), np.zeros(count, bool), np.full(count, 30.0))


def test_a_side_that_is_cut_off_gives_way_to_the_network_width():
    one = edge(5.0)
    both, shown = _with_both_sides(one, one.shown, TIP, AXIS, width=WIDTH)
    u = in_frame(both.points, TIP, AXIS)[:, 1]
    # The side lies 5 mm off, as what is left has its middle anywhere: 16 mm wide is 8 to either side.
    assert sorted(set(np.round(u, 9))) == [-8, 8]
    assert shown.all()


def test_two_sides_stay_as_they_are():
    two = edge(-7.5, 7.0)
    same, shown = _with_both_sides(two, two.shown, TIP, AXIS, width=WIDTH)
    assert same is two
    assert shown is two.shown


@pytest.mark.parametrize(
    ("shown_to", "seen"),
    # What counts begins 6 mm behind the tip; 12 mm are asked of both sides together, and 3 of each.
    [((13, 13), True), ((10, 16), True), ((10, 13), False), ((8.5, 30), False), ((10, 30), True)],
)
def test_of_a_finger_that_the_border_cuts_across_one_side_may_be_short(shown_to, seen):
    both = edge(-5.0, 5.0, shown_to=shown_to)
    assert (_in_frame(both, both.shown, TIP, AXIS, width=10.0, protocol=read_protocol()) is not None) == seen


@pytest.mark.parametrize(("moved_mm", "by_edges", "by_outline"), [(2.5, True, True), (4.0, False, True)])
def test_edges_move_the_named_tip_by_a_fifth_of_the_width_at_most(monkeypatch, moved_mm, by_edges, by_outline):
    # 0.2 of 16 mm are 3.2 mm, 0.5 of them 8 mm.
    finger = SimpleNamespace(
        axis=(0.0, 1.0),
        on_skin=lambda point: np.append(point, 0.0)[None],
        axial_and_transverse=lambda points: np.atleast_2d(points)[:, ::-1] - [moved_mm, 0.0],
    )
    monkeypatch.setattr(locate_module, "observed_finger", lambda *_, **__: object())
    monkeypatch.setattr(locate_module, "tip_mm", lambda *_: np.zeros(2))
    monkeypatch.setattr(locate_module, "direction_mm", lambda *_: np.array([0.0, 1.0]))
    monkeypatch.setattr(locate_module, "width_mm", lambda *_: WIDTH)
    monkeypatch.setattr(_Place, "_stand_up", lambda *_, **__: finger)
    rectified = SimpleNamespace(calibration=None)
    place = _Place(rectified, coarse=None, near=np.zeros(2), side="", rules=None)
    sure = SimpleNamespace(confidence=0.5)
    assert (place.fit_pointed(sure) is not None) == by_edges
    assert (place.fit_pointed(sure, read=False) is not None) == by_outline
