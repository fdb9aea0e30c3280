"""The edge between finger and ground on the photo."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_fingers import PX_PER_MM, paint

from ulcermeter.finger.edges import read_edges
from ulcermeter.finger.silhouette import FAR_MM, Solid, silhouette

TIP = np.array([31.0, 22.0])


@pytest.mark.parametrize("shadow", [False, True])
def test_the_painted_edge_is_found_though_looked_for_beside_it(shadow: bool) -> None:
    pixels = paint(turn_deg=0.0, shadow=shadow)
    beside = silhouette(Solid(0.3, 0.3, 0.0, 7.7, 0.0, 8.0, 2.0), np.array([0.0, 0.0, FAR_MM]), 0.0)
    points, share = read_edges(
        pixels,
        lambda p: (TIP + p[:, ::-1] * [-1.0, 1.0]) * PX_PER_MM,
        lambda at: np.zeros(len(at), dtype=bool),
        beside,
        shown_mm=30.0,
        reach_mm=2.0,
    )
    assert share > 0.95
    behind = points[:, 0] > 9
    assert np.abs(points[behind, 1]) == pytest.approx(np.full(behind.sum(), 8.0), abs=0.15)


def test_no_edge_where_all_is_one_colour() -> None:
    grey = np.random.default_rng(0).normal(128, 4, (400, 400, 3)).clip(0, 255).astype(np.uint8)
    outline = silhouette(Solid(0.0, 0.0, 0.0, 8.0, 0.0, 8.0, 2.0), np.array([0.0, 0.0, FAR_MM]), 0.0)
    points, share = read_edges(
        grey,
        lambda p: (p + [2.0, 20.0]) * 10.0,
        lambda at: np.zeros(len(at), dtype=bool),
        outline,
        shown_mm=30.0,
        reach_mm=1.0,
    )
    assert share < 0.5, points
