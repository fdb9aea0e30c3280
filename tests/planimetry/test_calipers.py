from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_outlines import ellipse, rotated

from ulcermeter.planimetry import (
    area,
    centroid,
    equivalent_diameter,
    longest_caliper,
    perimeter,
    resample,
    transverse_width,
)

RECTANGLE = np.array([[1.0, 2.0], [5.0, 2.0], [5.0, 5.0], [1.0, 5.0]])
LOBES = st.builds(
    lambda seed, size, thin: star(seed, size, thin), st.integers(0, 10**6), st.floats(0.4, 40), st.floats(0.2, 1)
)


def star(seed: int, size: float, thin: float) -> np.ndarray:
    """A star-shaped polygon with random lobes, off centre."""
    rng = np.random.default_rng(seed)
    angle = np.linspace(0, 2 * np.pi, 73, endpoint=False)
    radius = 1 + sum(rng.uniform(0, 0.15) * np.cos(k * angle + rng.uniform(0, 6)) for k in range(2, 6))
    flat = size * radius[:, None] * np.column_stack([np.cos(angle), thin * np.sin(angle)])
    return rotated(flat, rng.uniform(0, 6)) + rng.uniform(-50, 50, 2)


def brute_diameter(points: np.ndarray) -> float:
    return max(float(np.hypot(*(p - q))) for p in points for q in points)


def triangle_area(points: np.ndarray) -> float:
    """Area as a fan of signed triangles, written the long way."""
    first, total = points[0], 0.0
    for a, b in zip(points[1:-1], points[2:], strict=True):
        total += (a[0] - first[0]) * (b[1] - first[1]) - (b[0] - first[0]) * (a[1] - first[1])
    return abs(total) / 2


def test_rectangle() -> None:
    found = longest_caliper(RECTANGLE)
    assert found.length_mm == pytest.approx(5.0)
    assert {found.start, found.end} in ({0, 2}, {1, 3})
    assert transverse_width(RECTANGLE) == pytest.approx(2 * 12 / 5)
    assert area(RECTANGLE) == pytest.approx(12.0)
    assert perimeter(RECTANGLE) == pytest.approx(14.0)
    assert centroid(RECTANGLE) == pytest.approx([3.0, 3.5])


@pytest.mark.parametrize(("length", "width"), [(2.0, 2.0), (3.0, 1.2), (9.0, 0.8)])
def test_ellipse(length: float, width: float) -> None:
    outline = ellipse(length, width)
    assert longest_caliper(outline).length_mm == pytest.approx(length, rel=1e-3)
    assert transverse_width(outline) == pytest.approx(width, rel=2e-3)
    assert area(outline) == pytest.approx(np.pi * length * width / 4, rel=1e-3)
    assert equivalent_diameter(area(outline)) == pytest.approx(np.sqrt(length * width), rel=1e-3)
    assert centroid(outline) == pytest.approx([3.0, -2.0])


def test_half_disc_is_as_wide_as_its_height() -> None:
    angle = np.linspace(0, np.pi, 400)
    outline = 2.5 * np.column_stack([np.cos(angle), np.sin(angle)]) + [7, 1]
    assert longest_caliper(outline).length_mm == pytest.approx(5.0)
    assert transverse_width(outline) == pytest.approx(2.5, rel=1e-4)
    assert perimeter(outline) == pytest.approx(2.5 * np.pi + 5.0, rel=1e-4)


def test_caliper_in_space_is_straight_through_the_finger() -> None:
    around = np.linspace(-0.6, 0.6, 41)
    bow = np.column_stack([8 * np.sin(around), np.full(41, 2.0), 8 * np.cos(around)])
    assert longest_caliper(bow).length_mm == pytest.approx(16 * np.sin(0.6))


@settings(max_examples=40)
@given(LOBES)
def test_against_a_naive_second_version(outline: np.ndarray) -> None:
    assert longest_caliper(outline).length_mm == pytest.approx(brute_diameter(outline), rel=1e-12)
    assert area(outline) == pytest.approx(triangle_area(outline), rel=1e-9)


@settings(max_examples=40)
@given(LOBES)
def test_laws_between_the_measures(outline: np.ndarray) -> None:
    diameter = longest_caliper(outline).length_mm
    assert transverse_width(outline) <= diameter * (1 + 1e-12)
    assert area(outline) <= np.pi / 4 * diameter**2
    assert perimeter(outline) >= 2 * diameter * (1 - 1e-12)
    assert perimeter(outline) ** 2 >= 4 * np.pi * area(outline)


@settings(max_examples=40)
@given(LOBES, st.floats(0, 6.3), st.booleans(), st.floats(0.1, 10))
def test_motion_changes_nothing_and_scale_scales(outline: np.ndarray, turn: float, mirror: bool, scale: float) -> None:
    moved = scale * rotated(outline * ([-1, 1] if mirror else [1, 1]), turn) + [31, -8]
    assert longest_caliper(moved).length_mm == pytest.approx(scale * longest_caliper(outline).length_mm, rel=1e-9)
    assert area(moved) == pytest.approx(scale**2 * area(outline), rel=1e-9)
    assert perimeter(moved) == pytest.approx(scale * perimeter(outline), rel=1e-9)
    assert area(moved[::-1]) == pytest.approx(area(moved), rel=1e-9)


def test_resampling_keeps_the_shape() -> None:
    outline = ellipse(6.0, 2.0)
    again = resample(outline, count=96)
    steps = np.linalg.norm(np.diff(again, axis=0), axis=1)
    assert steps.std() < 0.01 * steps.mean()
    assert area(again) == pytest.approx(area(outline), rel=3e-3)


@pytest.mark.parametrize("points", [np.empty((0, 2)), np.array([[1.0, 2.0]])])
def test_too_few_points_have_no_size(points: np.ndarray) -> None:
    assert np.isnan(longest_caliper(points).length_mm)
    assert np.isnan(transverse_width(points))
    assert area(points) == 0.0


def test_points_on_a_line() -> None:
    line = np.column_stack([np.linspace(0, 3, 7), np.linspace(0, 4, 7)])
    assert longest_caliper(line).length_mm == pytest.approx(5.0)
    assert transverse_width(line) == pytest.approx(0.0, abs=1e-12)
