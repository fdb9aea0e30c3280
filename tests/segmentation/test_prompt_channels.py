"""A polygon's pixels, held against scikit-image's, which asks every pixel of every edge."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.draw import polygon

from ulcermeter.segmentation.prompt_channels import polygon_region

SHAPE = (90, 130)


@pytest.mark.parametrize("seed", range(12))
def test_a_region_is_scikit_images(seed: int) -> None:
    rng = np.random.default_rng(seed)
    turn = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 300)))
    reach = 35 * (1 + 0.3 * np.sin(3 * turn) + 0.05 * rng.standard_normal(len(turn)))
    points = rng.uniform(-10, 130, 2) + np.column_stack([reach * np.cos(turn), reach * np.sin(turn)])
    rows, cols = polygon(points[:, 1], points[:, 0], SHAPE)
    naive = np.zeros(SHAPE, np.uint8)
    naive[rows, cols] = 1
    assert np.array_equal(polygon_region(SHAPE, points), naive)


def test_a_polygon_off_the_picture_covers_nothing() -> None:
    assert not polygon_region(SHAPE, np.array([[-30.0, -30.0], [-5.0, -30.0], [-5.0, -3.0]])).any()


def test_a_bow_tie_keeps_both_its_halves() -> None:
    region = polygon_region(SHAPE, np.array([[10.2, 10.2], [60.7, 50.1], [60.7, 10.2], [10.2, 50.1]]))
    assert region[30, 12] == 1 and region[30, 58] == 1 and region[12, 35] == 0
