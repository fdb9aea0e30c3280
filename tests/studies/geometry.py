"""Geometry alone: `python tests/studies/geometry.py [N] [skin|table]`.

N random phantoms (1-8 mm, tilt up to 25 degrees, 12-25 px/mm, one 10 mm ArUco marker) are drawn and calibrated; the
*true* outline is handed in, so that only the reference, the height and the skin's slope can go wrong. Printed: bias,
the share within 0.15 mm or 3 %, and how often the interval covers, with the finger found on the photo, with none, and
by slope.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from ulcermeter.calibration import calibrate, rectify
from ulcermeter.datatypes import CameraInfo, Photo, Segmentation
from ulcermeter.errors import Refusal
from ulcermeter.finger import locate_finger
from ulcermeter.phantom import Phantom, draw_phantom, random_spec
from ulcermeter.planimetry import measure
from ulcermeter.protocol import read_protocol

PROTOCOL = read_protocol()


def photo_of(phantom: Phantom, seed: int) -> Photo:
    """Return the drawn pixels as a photo whose EXIF tells the focal length."""
    camera = CameraInfo("Phantom", "Pinhole 1", phantom.spec.camera.focal_35mm_mm)
    return Photo(phantom.pixels, f"phantom-{seed}", None, camera, Path(f"{seed}.png"))


def true_segmentation(phantom: Phantom, photo: Photo, place: str) -> Segmentation:
    """Return the true outlines as a tracing given as truth."""
    calibration = calibrate(photo, reference="aruco:10", reference_on=place, protocol=PROTOCOL)
    ulcers = phantom.truth.ulcers
    x, y = ulcers[0].centroid_px
    rectified = rectify(photo, calibration, spacing_mm=0.2, window=(x - 40.0, y - 40.0, 80.0, 80.0))
    nothing = np.zeros(rectified.pixels.shape[:2])
    count = len(ulcers)
    return Segmentation(
        rectified=rectified,
        labels=nothing.astype(np.int32),
        probability=nothing.astype(np.float32),
        outlines=tuple(u.outline_px for u in ulcers),
        confidence=(1.0,) * count,
        edge_width_mm=(0.0,) * count,
        touches_border=(False,) * count,
        method="tracing",
    )


def one(seed: int, place: str) -> list[float] | None:
    """Return truth, slope, and estimate, low, high with and without the finger; None for a refused photo."""
    phantom = draw_phantom(random_spec(seed, diameter_mm=(1, 8), place=place))
    photo = photo_of(phantom, seed)
    try:
        segmentation = true_segmentation(phantom, photo, place)
    except Refusal:
        return None
    ulcer = phantom.truth.ulcers[0]
    started = time.process_time()
    finger = locate_finger(segmentation.rectified, near_px=ulcer.centroid_px, protocol=PROTOCOL)
    took = time.process_time() - started
    values = [ulcer.diameter_mm, ulcer.slope_deg, float(finger is not None), took]
    for given in (finger, None):
        row = measure(segmentation, finger=given, protocol=PROTOCOL).iloc[0]
        values += [float(row[f"diameter{end}_mm"]) for end in ("", "_low", "_high")]
    where = [row for row in (measure(segmentation, finger=finger, protocol=PROTOCOL).iloc[0],)][0]
    return [*values, float(where["finger_s_mm"]) - ulcer.s_mm, float(where["finger_t_mm"]) - ulcer.t_mm]


def report(name: str, truth: np.ndarray, rows: np.ndarray) -> None:
    """Print bias, spread and coverage of estimate, low, high (N, 3)."""
    estimate, low, high = rows.T
    error = estimate - truth
    near = np.abs(error) <= np.maximum(0.15, 0.03 * truth)
    covered = (low <= truth) & (truth <= high)
    wide = np.median(high - low) / np.subtract(*np.percentile(error, [97.5, 2.5])) if len(truth) > 5 else float("nan")
    print(
        f"{name:30s} n={len(truth):4d}  bias {error.mean():+.3f} mm ({100 * (error / truth).mean():+.2f} %)  "
        f"95 % of |error| {np.percentile(np.abs(error), 95):.3f} mm  within 0.15 mm or 3 % {100 * near.mean():.1f} %  "
        f"covered {100 * covered.mean():.1f} %  interval {np.median(high - low):.2f} mm = {wide:.2f} x empirical"
    )


def main(count: int, place: str) -> None:
    """Draw, measure, print."""
    found = [one(seed, place) for seed in range(1000, 1000 + count)]
    rows = np.array([row for row in found if row is not None])
    truth, with_finger = rows[:, 0], rows[:, 2] > 0
    print(f"{place}: {count - len(rows)} of {count} refused, finger found on {with_finger.sum()} of {len(rows)}")
    print(f"seconds of one core to find a finger: median {np.median(rows[:, 3]):.3f}, most {rows[:, 3].max():.3f}")
    report("all, finger where found", truth, rows[:, 4:7])
    report("finger found", truth[with_finger], rows[with_finger, 4:7])
    report("never using the finger", truth, rows[:, 7:10])
    for low, high in ((0, 10), (10, 20), (20, 45)):
        some = (rows[:, 1] >= low) & (rows[:, 1] < high)
        if some.sum() > 3:
            report(f"  slope {low}-{high} degrees", truth[some], rows[some, 4:7])
    print(f"finger s, t: bias {np.nanmean(rows[:, 10:], axis=0)}, sd {np.nanstd(rows[:, 10:], axis=0)} mm")
    worst = np.argsort(-np.abs(rows[:, 4] - truth))[:5]
    print(
        "worst:", [(int(np.flatnonzero([f is not None for f in found])[i]) + 1000, rows[i, :7].round(2)) for i in worst]
    )


if __name__ == "__main__":
    places = sys.argv[2:] or ["skin", "table"]
    for where in places:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 200, where)
