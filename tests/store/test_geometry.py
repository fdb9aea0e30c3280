"""What a reader's outline is measured with comes back from the store bit for bit."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ulcermeter.datatypes import Calibration, CameraInfo, Finger, LensProfile, PhotoGeometry, PhotoResult
from ulcermeter.reference import parse_reference
from ulcermeter.store import PhotoStore
from ulcermeter.store.geometry import geometry_bytes, geometry_from_bytes

RNG = np.random.default_rng(5)
LENS = LensProfile(
    CameraInfo("a", "b", 26.0, (0.0, 0.0, 1.0)), 0.8, 0.01, (0.001, -0.002), (0.1, 0.0, 0.0, 0.0, 0.0), 9, 0.3
)
CALIBRATION = Calibration(
    pixel_to_mm=RNG.random((3, 3)),
    draws=RNG.random((4, 3, 3)),
    reference=parse_reference("aruco:10:4x4_50"),
    reference_on="skin",
    points_px=RNG.random((4, 2)),
    points_mm=RNG.random((4, 2)),
    points_covariance_px2=RNG.random((8, 8)),
    reference_outline_px=np.empty((0, 2)),
    reprojection_mm=float("nan"),
    tilt_deg=1 / 3,
    distance_mm=np.float64(200.1),  # type: ignore[arg-type]
    distance_sd_mm=float("inf"),
    verified=True,
    shape=(720, 960),
)
FINGER = Finger(
    RNG.random((9, 2)), (1.0, 2.0), (0.6, 0.8), 8.0, 0.2, "palmar", RNG.random(5), viewpoint_mm=(0.1, 0.2, 300.0)
)


def same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b) and a.dtype == b.dtype
    if isinstance(a, Calibration | Finger):
        return all(same(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    return bool(a == b or (a != a and b != b))


@pytest.mark.parametrize("lens", [None, LENS])
@pytest.mark.parametrize("finger", [None, FINGER])
def test_a_geometry_comes_back_bit_for_bit(lens: LensProfile | None, finger: Finger | None) -> None:
    kept = PhotoGeometry(replace(CALIBRATION, lens=lens), finger)
    back = geometry_from_bytes(geometry_bytes(kept))
    assert same(kept.calibration, back.calibration) and same(kept.finger, back.finger)


def test_the_store_keeps_it_beside_the_result_and_forgets_it_with_it(tmp_path: Path) -> None:
    result = PhotoResult({"photo": "a.jpg", "status": "measured"}, geometry=PhotoGeometry(CALIBRATION, FINGER))
    with PhotoStore(tmp_path / "store.sqlite") as store:
        store.put("k", result)
        got = store.get("k")
        assert got is not None and got.geometry is not None and same(got.geometry.calibration, CALIBRATION)
        store.keep_only(["other"])
        assert store.geometry("k") is None
