"""Which finger is which on an open hand, laid out by hand in millimetres and turned, mirrored, shuffled."""

from __future__ import annotations

import numpy as np
import pytest

from ulcermeter.finger import FingerEnd, end_of_finger
from ulcermeter.finger.naming import HAND_FINGERS

# Tips of a right hand on its palm, fingers up, as its owner sees the back, mm; y downwards. About a grown woman's.
TIPS = {"thumb": (-62, 58), "index": (-28, 8), "middle": (-3, 0), "ring": (20, 7), "little": (42, 28)}
# Where each points, degrees right of up.
POINTING = {"thumb": -48, "index": -9, "middle": 0, "ring": 7, "little": 17}
PX_PER_MM = 6.0


def hand(*, mirrored: bool = False, turn_deg: float = 0.0, seed: int = 0) -> dict[str, FingerEnd]:
    """The ends of a hand, each tip a millimetre off and each direction four degrees."""
    rng = np.random.default_rng(seed)
    angle, side = np.radians(turn_deg), -1.0 if mirrored else 1.0
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    ends = {}
    for name, tip in TIPS.items():
        way = np.radians(POINTING[name]) + rng.normal(0, 0.07)
        inwards = turn @ np.array([-side * np.sin(way), np.cos(way)])
        place = PX_PER_MM * (turn @ ((np.array(tip) + rng.normal(0, 1, 2)) * (side, 1.0))) + 900
        at = place + 12 * PX_PER_MM * inwards
        ends[name] = FingerEnd((at[0], at[1]), (place[0], place[1]), 16 * PX_PER_MM, 0.6)
    return ends


@pytest.mark.parametrize("name", HAND_FINGERS)
@pytest.mark.parametrize(
    ("side", "view", "mirrored"), [("right", "dorsal", False), ("right", "palmar", True), ("left", "palmar", False)]
)
def test_the_fingers_of_an_open_hand_are_told_apart(name: str, side: str, view: str, mirrored: bool) -> None:
    ends = hand(mirrored=mirrored, turn_deg=140.0)
    shuffled = [ends[other] for other in ("ring", "thumb", "little", "middle", "index")]
    found = end_of_finger(shuffled, hand=side, finger=name, view=view)
    assert found is not None and found.end is ends[name]
    assert 0.95 <= found.probability <= 1


@pytest.mark.parametrize("seed", range(3))
def test_the_wrong_side_never_makes_another_finger_of_it(seed: int) -> None:
    ends = hand(seed=seed, turn_deg=-70.0)
    for name in HAND_FINGERS:
        found = end_of_finger([*ends.values()], hand="right", finger=name, view="palmar")
        assert found is None or found.end is ends[name]


def test_four_fingers_or_no_hand_are_not_named() -> None:
    ends = hand()
    asked = {"hand": "right", "finger": "index", "view": "dorsal"}
    assert end_of_finger([end for name, end in ends.items() if name != "thumb"], **asked) is None
    in_a_row = [FingerEnd((100.0 * k, 50.0), (100.0 * k, 0.0), 90.0, 0.6) for k in range(5)]
    assert end_of_finger(in_a_row, **asked) is None
    assert end_of_finger([*ends.values()], hand="right", finger="", view="dorsal") is None
