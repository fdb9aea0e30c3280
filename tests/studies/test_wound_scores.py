"""The study's scores on masks whose answers are plain."""

from __future__ import annotations

import numpy as np
import pytest
from wound_scores import compare, row, surface_dice


def box(left: int, top: int, wide: int, high: int) -> np.ndarray:
    mask = np.zeros((60, 90), dtype=bool)
    mask[top : top + high, left : left + wide] = True
    return mask


def test_rims_that_lie_three_pixels_apart_agree_at_four_and_not_at_two() -> None:
    truth, larger = box(20, 20, 20, 20), box(17, 17, 26, 26)
    assert surface_dice(truth, truth, 0.0) == 1.0
    assert surface_dice(larger, truth, 2.0) == 0.0
    # Only the larger one's corners are over four pixels away (3 in both directions: 4.2 px): 4 of 76 + 100.
    assert surface_dice(larger, truth, 4.0) == pytest.approx(1 - 4 / 176)
    assert surface_dice(truth, box(0, 0, 0, 0), 4.0) == 0.0 and surface_dice(*[box(0, 0, 0, 0)] * 2, 4.0) == 1.0


def test_wounds_found_false_finds_and_diameters_are_counted_one_by_one() -> None:
    truth = box(5, 5, 20, 4) | box(50, 5, 10, 3) | box(5, 40, 8, 8)
    found = box(5, 5, 24, 4) | box(51, 5, 8, 3) | box(70, 40, 6, 6)
    scores = compare(found, truth)
    assert (scores.wounds, scores.found, scores.false) == (3, 2, 1)
    lengths = [(np.hypot(w - 1, h - 1) + 1) for w, h in ((24, 4), (20, 4), (8, 3), (10, 3))]
    expected = [lengths[0] / lengths[1] - 1, lengths[2] / lengths[3] - 1]
    assert scores.diameter_errors == pytest.approx(expected)


def test_one_find_over_two_wounds_is_held_against_both_together() -> None:
    truth = box(10, 10, 10, 6) | box(24, 10, 10, 6)
    scores = compare(box(10, 10, 24, 6), truth)
    assert (scores.found, scores.false) == (2, 0) and scores.diameter_errors == pytest.approx([0.0, 0.0])


def test_nothing_against_nothing_is_right_and_counts_no_wound() -> None:
    scores = compare(box(0, 0, 0, 0), box(0, 0, 0, 0))
    assert (scores.dice, scores.wounds, scores.found, scores.false, scores.surface[2.0]) == (1.0, 0, 0, 0, 1.0)


def test_a_line_of_the_table_gives_each_figure_with_its_interval() -> None:
    line = row("all right", [compare(box(5, 5, 20, 4), box(5, 5, 20, 4))] * 3, draws=20)
    assert line.startswith("| all right | 3 | 1.000 (1.000-1.000) |") and "100.0 (100.0-100.0)" in line
