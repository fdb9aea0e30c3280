"""Areas, centroids and distances of shapes whose answer is known by hand, however they lie and turn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ulcermeter.geometry import area, centroid, distance_outside, perimeter, signed_area, signed_distance

# A horseshoe of 7 x 6 less a slot of 3 x 4, 1 to the right of its left side's wall of 2.
HORSESHOE = np.array([[0, 0], [2, 0], [2, 4], [5, 4], [5, 0], [7, 0], [7, 6], [0, 6.0]])


def moved(points: np.ndarray, turn: float, by: tuple[float, float], size: float) -> np.ndarray:
    cosine, sine = np.cos(turn), np.sin(turn)
    return size * points @ np.array([[cosine, sine], [-sine, cosine]]) + by


@given(
    turn=st.floats(-4, 4),
    by=st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)),
    size=st.floats(0.1, 50),
    start=st.integers(0, 7),
)
def test_laws_of_a_known_shape(turn: float, by: tuple[float, float], size: float, start: int) -> None:
    shape = np.roll(moved(HORSESHOE, turn, by, size), start, axis=0)
    assert area(shape) == pytest.approx(30 * size**2, rel=1e-6)
    assert signed_area(shape[::-1]) == pytest.approx(-float(signed_area(shape)), rel=1e-6)
    assert perimeter(shape) == pytest.approx(34 * size, rel=1e-9)
    # Walls 2 x 6 at x 1 and 6, the bridge 3 x 2 at (3.5, 5).
    middle = moved(np.array([[3.5, (24 * 3 + 6 * 5) / 30]]), turn, by, size)[0]
    assert centroid(shape) == pytest.approx(middle, abs=1e-6 * size + 1e-7)


def test_many_at_once_are_each_as_alone() -> None:
    rng = np.random.default_rng(3)
    many = rng.normal(size=(4, 5, 9, 2))
    alone = [[float(signed_area(one)) for one in row] for row in many]
    assert np.allclose(signed_area(many), alone, rtol=1e-12)


def test_fewer_than_three_vertices_hold_nothing() -> None:
    assert area(np.array([[1.0, 2], [3, 4]])) == 0.0 and area(np.empty((0, 2))) == 0.0
    line = np.array([[0.0, 0], [2, 2], [4, 4]])
    assert centroid(line) == pytest.approx([2, 2])


@pytest.mark.parametrize(
    ("point", "apart"), [((1, 3), 1.0), ((3.5, 2), -1.5), ((6, 7), -1.0), ((0, 3), 0.0), ((8, 7), -(2**0.5))]
)
def test_distance_is_positive_inside_and_negative_in_the_slot(point: tuple[float, float], apart: float) -> None:
    assert signed_distance(HORSESHOE, point) == pytest.approx(apart, abs=1e-6)
    assert distance_outside(HORSESHOE, point) == pytest.approx(max(0.0, -apart), abs=1e-6)
    assert signed_distance(HORSESHOE[::-1], point) == pytest.approx(apart, abs=1e-6)
