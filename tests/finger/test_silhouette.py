"""The outline of a solid of revolution under a camera, against the ray that touches it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ulcermeter.finger.silhouette import FAR_MM, Solid, fit_solid, silhouette

FINGER = Solid(0.3, -0.4, 0.06, 7.5, 0.02, 10.0, 2.4)


@given(st.floats(-60, 60), st.floats(-60, 60), st.floats(90, 300))
def test_every_ray_through_it_touches_the_skin(s: float, u: float, up: float) -> None:
    camera, height = np.array([s, u, up]), -7.5
    seen = silhouette(FINGER, camera, height)
    ahead = np.array([np.cos(FINGER.lean), np.sin(FINGER.lean)])
    for side in (seen.left[20::7], seen.right[20::7]):
        for point in side:
            ray = np.linspace(0.7, 1.3, 6001)[:, None] * (np.array([*point, 0.0]) - camera) + camera
            offset = ray[:, :2] - [FINGER.start, FINGER.offset]
            along, across = offset @ ahead, offset @ np.array([-ahead[1], ahead[0]])
            miss = np.hypot(across, ray[:, 2] - height) - FINGER.radius(along)
            assert abs(miss[along > 0].min()) < 0.02


def test_seen_from_far_above_it_is_its_profile() -> None:
    straight = Solid(0.0, 0.0, 0.0, 8.0, 0.0, 8.0, 2.0)
    seen = silhouette(straight, np.array([0.0, 0.0, FAR_MM]), 0.0)
    assert seen.right[:, 1] == pytest.approx(straight.radius(seen.right[:, 0]), abs=0.02)


@pytest.mark.parametrize("camera", [(0.0, 0.0, FAR_MM), (70.0, 50.0, 130.0)])
def test_the_fit_finds_the_solid_again(camera: tuple[float, float, float]) -> None:
    place = np.array(camera)
    edge = silhouette(FINGER, place, FINGER.height(near=9.7, shown=30.0, on_table=False)).closed()
    edge = edge[edge[:, 0] < 30] + np.random.default_rng(4).normal(0, 0.05, (int((edge[:, 0] < 30).sum()), 2))
    first = Solid(0.0, 0.0, 0.0, 8.3, 0.02, 9.9, 2.3)
    found, off = fit_solid(edge, place, first=first, near=10.0, on_table=False)
    assert np.std(off) < 0.07
    assert np.degrees(found.lean - FINGER.lean) == pytest.approx(0, abs=0.3)
    at = np.array([5.0, 10.0, 20.0])
    assert found.radius(at) == pytest.approx(FINGER.radius(at), abs=0.1)
    assert found.growth(at) == pytest.approx(FINGER.growth(at), abs=0.03)
