"""Which marked areas of skin count, worked out by hand on masks drawn with a few lines of numpy."""

from __future__ import annotations

import numpy as np
import pytest

from ulcermeter.datatypes import Finger
from ulcermeter.protocol import default_protocol
from ulcermeter.quality.laid_out import LaidOutSkin
from ulcermeter.quality.skin_grid import STEP_MM, SkinGrid
from ulcermeter.quality.unclear import DoubtfulKind, find_unclear, length_and_width_mm

RULES = default_protocol().skin
SHAPE = (300, 200)
ROWS, COLS = np.mgrid[: SHAPE[0], : SHAPE[1]]
ALL = np.ones(SHAPE, bool)


def skin(lighter: np.ndarray | float = 0.0, redder: np.ndarray | float = 0.0, side: str = "") -> LaidOutSkin:
    rows, cols = (np.arange(length) * STEP_MM for length in SHAPE)
    grid = SkinGrid(rows, cols - 10, np.zeros(2), np.array([0.0, 1.0]), np.zeros((*SHAPE, 2)))
    finger = Finger(np.zeros((0, 2)), (0.0, 0.0), (0.0, 1.0), 8.0, 0.2, side=side)
    values = [np.broadcast_to(np.asarray(one, float), SHAPE) for one in (lighter, redder, 0.0)]
    return LaidOutSkin(grid, finger, np.zeros((*SHAPE, 3), np.uint8), ALL, ~ALL, ALL, *values)


def disc(row: float, col: float, wide_mm: float) -> np.ndarray:
    return np.hypot(ROWS - row, COLS - col) < wide_mm / STEP_MM / 2


@pytest.mark.parametrize(("wide_mm", "counts"), [(1.6, False), (1.9, False), (2.2, True), (6.0, True)])
def test_an_area_counts_from_two_millimetres_on_by_its_circle(wide_mm: float, counts: bool) -> None:
    found = find_unclear(disc(100, 100, wide_mm), skin(), looked_at=ALL, rules=RULES)
    assert len(found) == counts
    if counts:
        assert found[0][2] == pytest.approx(wide_mm, abs=0.15)


@pytest.mark.parametrize(("long_mm", "counts"), [(1.8, False), (2.3, True), (9.0, True)])
def test_a_crack_counts_by_its_length(long_mm: float, counts: bool) -> None:
    # Along a diagonal, 0.4 mm wide: its area is that of a circle of less than 2 mm until it is 8 mm long.
    along, off = (COLS + ROWS - 200) / np.sqrt(2) * STEP_MM, (COLS - ROWS) / np.sqrt(2) * STEP_MM
    line = (np.abs(off) <= 0.2) & (np.abs(along) <= long_mm / 2)
    found = find_unclear(line, skin(), looked_at=ALL, rules=RULES)
    assert [kind for kind, *_ in found] == [DoubtfulKind.FISSURE] * counts
    if counts:
        assert found[0][2] == pytest.approx(long_mm, abs=0.35)


def test_a_cracks_thin_places_do_not_part_it_and_distance_does() -> None:
    line = (np.abs(COLS - 100) <= 2) & (np.abs(ROWS - 100) <= 25)
    (one,) = find_unclear(line & (np.abs(ROWS - 100) > 1), skin(), looked_at=ALL, rules=RULES)
    assert one[2] == pytest.approx(5.1, abs=0.1)
    assert len(find_unclear(line & (np.abs(ROWS - 100) > 4), skin(), looked_at=ALL, rules=RULES)) == 2


def test_an_area_that_reaches_out_of_what_is_looked_at_counts_whole_and_one_beyond_does_not() -> None:
    area = disc(100, 100, 5.0)
    assert find_unclear(area, skin(), looked_at=COLS > 140, rules=RULES) == []
    (whole,) = find_unclear(area, skin(), looked_at=COLS >= 118, rules=RULES)
    assert whole[2] == pytest.approx(5.0, abs=0.15)


def test_what_is_clear_in_an_areas_middle_belongs_to_it() -> None:
    ring = disc(100, 100, 6.0) & ~disc(100, 100, 5.0)
    ((kind, where, size),) = find_unclear(ring, skin(), looked_at=ALL, rules=RULES)
    assert size == pytest.approx(6.0, abs=0.15)
    assert kind is not DoubtfulKind.FISSURE
    assert where[100, 100]


@pytest.mark.parametrize(
    ("lighter", "redder", "kind"),
    [
        (-1.2, 0.1, DoubtfulKind.DARK),
        (-0.3, 0.8, DoubtfulKind.RED),
        (0.4, -0.4, DoubtfulKind.PALE),
        (-0.05, -0.3, DoubtfulKind.PALE),
    ],
)
def test_an_area_is_named_after_what_it_differs_most_in(lighter: float, redder: float, kind: DoubtfulKind) -> None:
    # What lens and grid mix with skin at its rim does not speak.
    core = disc(100, 100, 4.5)
    shown = skin(np.where(core, lighter, 0.0), np.where(core, redder, 0.0))
    ((found, *_),) = find_unclear(disc(100, 100, 5.0), shown, looked_at=ALL, rules=RULES)
    assert found is kind


@pytest.mark.parametrize(
    ("side", "lighter", "kind"),
    [("dorsal", 0.0, DoubtfulKind.LOST_NAIL), ("dorsal", -1.5, DoubtfulKind.DARK), ("palmar", 0.0, DoubtfulKind.RED)],
)
def test_a_nails_bed_is_named_so_on_the_back_unless_it_is_black(side: str, lighter: float, kind: DoubtfulKind) -> None:
    # The plate of a finger of 8 mm radius: 16 mm from the tip on, 6 mm to either side.
    plate = (ROWS < 150) & (np.abs(COLS - 100) < 55)
    ((found, *_),) = find_unclear(plate, skin(lighter, 0.3, side), looked_at=ALL, rules=RULES)
    assert found is kind


def test_each_area_is_told_once_and_wholly() -> None:
    two = disc(60, 60, 4.0) | disc(200, 120, 7.0)
    found = find_unclear(two, skin(), looked_at=ALL, rules=RULES)
    assert sorted(round(size) for *_, size in found) == [4, 7]
    assert (np.any([where for _, where, _ in found], axis=0) == two).mean() > 0.999


def test_length_and_width_of_a_bar_at_any_angle() -> None:
    for angle in np.deg2rad([0, 25, 90, 140]):
        along = ((COLS - 100) * np.cos(angle) + (ROWS - 120) * np.sin(angle)) * STEP_MM
        off = ((ROWS - 120) * np.cos(angle) - (COLS - 100) * np.sin(angle)) * STEP_MM
        length, width = length_and_width_mm((np.abs(along) <= 4) & (np.abs(off) <= 0.6))
        assert (length, width) == pytest.approx((8.1, 1.2), abs=0.2)
