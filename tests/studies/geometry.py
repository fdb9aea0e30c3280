"""Geometry alone: `python tests/studies/geometry.py [N] [skin] [table] [--reference KIND] [--tilt MAX] [--first SEED]`.

N random phantoms (by default 1-8 mm, tilt up to 25 degrees, 12-25 px/mm, one 10 mm ArUco marker) are drawn and
calibrated; the *true* outline is handed in, so that only the reference, the height and the skin's slope can go wrong.
Printed: bias, 95 % of the errors, the share within 0.15 mm or 3 %, how often the interval covers, and the error of the
scale at the ulcer by itself. Gates are reported and not applied; what passes them and what they would refuse stand
apart, and so does what lies in the range that is declared for the kind: large enough on the photo, and the ulcer within
two of its sizes. Drawing takes most of the time: 2-6 s of one core a photo, a card's and a ruler's the longest.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

from ulcermeter.calibration import calibrate, rectify
from ulcermeter.datatypes import Calibration, CameraInfo, OutlineSource, Photo, Segmentation, transform_points
from ulcermeter.errors import Refusal
from ulcermeter.finger import locate_finger
from ulcermeter.phantom import Phantom, PhantomSpec, draw_phantom, random_spec
from ulcermeter.planimetry import measure
from ulcermeter.protocol import read_protocol
from ulcermeter.quality import check_gates
from ulcermeter.validation.plan import _in_the_card

PROTOCOL = read_protocol()
LEAST_PX = {"disc": 150.0}
"""Size on the photo from which a kind's accuracy is declared, px; 100 for the others."""
WIDE_PX = {"card": (2400, 1800), "id1": (2400, 1800), "ruler": (2400, 1800)}
"""Photos of what needs more room than a marker, so that they are as fine as the others."""


def spec_of(seed: int, args: argparse.Namespace, place: str) -> PhantomSpec:
    """Return the photo to draw; the finger lies in the card's opening, beside or before the other kinds."""
    kind, *size = args.reference.split(":")
    asked: dict[str, Any] = {
        "diameter_mm": tuple(args.diameter),
        "tilt_deg": (0.0, args.tilt),
        "px_per_mm": tuple(args.px_per_mm),
        "place": place,
        "reference": kind,
    }
    if kind in WIDE_PX:
        asked["size_px"] = WIDE_PX[kind]
    if kind in ("aruco", "disc"):
        asked["reference_size_mm"] = float(size[0])
    return _in_the_card(seed, asked) if kind == "card" else random_spec(seed, **asked)


def photo_of(phantom: Phantom, seed: int) -> Photo:
    """Return the drawn pixels as a photo whose EXIF tells the focal length."""
    camera = CameraInfo("Phantom", "Pinhole 1", phantom.spec.camera.focal_35mm_mm)
    return Photo(phantom.pixels, f"phantom-{seed}", None, camera, Path(f"{seed}.png"))


def true_segmentation(phantom: Phantom, photo: Photo, calibration: Calibration) -> Segmentation:
    """Return the true outlines as a tracing given as truth."""
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
        touches_border=(False,) * count,
        source=OutlineSource.TRUTH,
    )


def one(seed: int, args: argparse.Namespace, place: str) -> dict[str, Any]:
    """Return what is true of a phantom, what was measured with and without the finger, and what the gates say."""
    phantom = draw_phantom(spec_of(seed, args, place))
    photo, ulcer = photo_of(phantom, seed), phantom.truth.ulcers[0]
    row = {"seed": seed, "truth": ulcer.diameter_mm, "slope": ulcer.slope_deg, **declared(phantom)}
    started = time.process_time()
    try:
        calibration = calibrate(photo, reference=args.reference, reference_on=place, protocol=PROTOCOL)
    except Refusal as refusal:
        return row | {"refused": str(refusal), "calibrate_s": time.process_time() - started}
    row["calibrate_s"] = time.process_time() - started
    row |= scale_at(phantom, calibration)
    failures = check_gates(photo, calibration, np.array(ulcer.outline_px), protocol=PROTOCOL).failures
    segmentation = true_segmentation(phantom, photo, calibration)
    started = time.process_time()
    finger = locate_finger(segmentation.rectified, near_px=ulcer.centroid_px, protocol=PROTOCOL)
    row |= {"refused": "", "gates": "; ".join(map(str, failures)), "finger": finger is not None}
    row["finger_s"] = time.process_time() - started
    for name, given in (("", finger), ("_alone", None)):
        measured = measure(segmentation, finger=given, protocol=PROTOCOL).iloc[0]
        row |= {f"{key}{name}": float(measured[f"diameter{end}_mm"]) for key, end in ENDS.items()}
        if not name:
            row |= {
                "ds": float(measured["finger_s_mm"]) - ulcer.s_mm,
                "dt": float(measured["finger_t_mm"]) - ulcer.t_mm,
            }
    return row


ENDS = {"mm": "", "low": "_low", "high": "_high"}


def scale_at(phantom: Phantom, calibration: Calibration) -> dict[str, float]:
    """Return by how much a length at the ulcer, in the reference's plane, reads too long, %; and its standard error."""
    centre = np.array(phantom.truth.ulcers[0].centroid_px)
    mm = transform_points(phantom.truth.pixel_to_plane, centre + np.array([[-0.5, 0], [0.5, 0], [0, -0.5], [0, 0.5]]))
    mm_per_px = float(np.sqrt(abs(np.linalg.det([mm[1] - mm[0], mm[3] - mm[2]]))))
    error = 1 / (mm_per_px * calibration.px_per_mm(centre)) - 1
    return {"scale_pct": 100 * error, "scale_se_pct": 100 * calibration.scale_se(centre)}


def declared(phantom: Phantom) -> dict[str, Any]:
    """Return how far the reference lies from the ulcer, in its own sizes, and whether its range declares accuracy."""
    printed, ulcer = phantom.spec.reference, phantom.truth.ulcers[0]
    away = float(np.hypot(*printed.offset_mm)) / printed.size_mm
    large = printed.size_mm * ulcer.px_per_mm >= LEAST_PX.get(printed.kind, 100.0)
    # Inside the card's opening, and beside a ruler, every ulcer is near.
    near = printed.kind in ("card", "ruler") or away <= 2.0
    return {"tilt": phantom.truth.tilt_deg, "away": away, "in_range": bool(large and near)}


def report(name: str, rows: pd.DataFrame, ends: str = "") -> None:
    """Print bias, spread and coverage."""
    if len(rows) < 3:
        print(f"{name:42s} n={len(rows):4d}")
        return
    truth, estimate, low, high = (rows[key].to_numpy() for key in ("truth", *(f"{k}{ends}" for k in ENDS)))
    error = estimate - truth
    near = np.abs(error) <= np.maximum(0.15, 0.03 * truth)
    covered = (low <= truth) & (truth <= high)
    wide = np.median(high - low) / np.subtract(*np.percentile(error, [97.5, 2.5]))
    print(
        f"{name:42s} n={len(truth):4d}  bias {error.mean():+.3f} mm ({100 * (error / truth).mean():+.2f} %)  "
        f"95 % of |error| {np.percentile(np.abs(error), 95):.3f} mm  within 0.15 mm or 3 % {100 * near.mean():.1f} %  "
        f"covered {100 * covered.mean():.1f} %  interval {np.median(high - low):.2f} mm = {wide:.2f} x empirical"
    )


def report_scale(name: str, rows: pd.DataFrame) -> None:
    """Print the error of the scale at the ulcer, and how it compares with what the calibration claims."""
    if len(rows) < 3:
        return
    error, claimed = rows["scale_pct"], rows["scale_se_pct"]
    print(
        f"scale at the ulcer, {name:29s} n={len(rows):4d}  bias {error.mean():+.3f} %  95 % of |error| "
        f"{np.percentile(error.abs(), 95):.3f} %  within 1.96 standard errors "
        f"{100 * (error.abs() <= 1.96 * claimed).mean():.1f} %  (median one {claimed.median():.2f} %)"
    )


def told(row: dict[str, Any]) -> dict[str, Any]:
    """Say on stderr that a phantom is done: a run takes minutes."""
    print(f"phantom {row['seed']}: {row['refused'] or 'measured'}", file=sys.stderr, flush=True)
    return row


def main(args: argparse.Namespace, place: str) -> None:
    """Draw, measure, print."""
    table = pd.DataFrame([told(one(seed, args, place)) for seed in range(args.first, args.first + args.count)])
    rows = table[table["refused"] == ""]
    n_refused = len(table) - len(rows)
    print(f"\n{args.reference} on {place}, tilt to {args.tilt:g} degrees: {n_refused} of {len(table)} refused")
    for refusal, some in table[table["refused"] != ""].groupby("refused"):
        print(f"  {len(some)} x {refusal} seeds {some['seed'].tolist()}")
    print(
        f"finger found on {rows['finger'].sum()} of {len(rows)}; seconds of one core, median: to calibrate "
        f"{table['calibrate_s'].median():.3f}, to find a finger {rows['finger_s'].median():.3f}"
    )
    gated = rows["gates"] != ""
    inside = rows["in_range"]
    report("all, finger where found", rows)
    report("passing the gates", rows[~gated])
    report("failing a gate", rows[gated])
    report("in the declared range", rows[inside])
    report("in the declared range, passing the gates", rows[inside & ~gated])
    report("outside the declared range, passing the gates", rows[~inside & ~gated])
    report_scale("all", rows)
    report_scale("in the declared range", rows[inside])
    report_scale("passing the gates", rows[~gated])
    n_inside = int(table["in_range"].sum())
    print(f"in the declared range: {n_inside}; not found {n_inside - inside.sum()}, gated {(inside & gated).sum()}")
    for sentence, n in rows["gates"][gated].str.replace(r"[0-9.]+", "N", regex=True).value_counts().items():
        print(f"  gate, {n} x {sentence}")
    report("finger found", rows[rows["finger"]])
    report("never using the finger", rows, "_alone")
    for low, high in ((0, 10), (10, 20), (20, 45)):
        report(f"  slope {low}-{high} degrees", rows[(rows["slope"] >= low) & (rows["slope"] < high)])
    for low, high in ((0, 8), (8, 15), (15, 25), (25, 45)):
        report(f"  tilt {low}-{high} degrees", rows[(rows["tilt"] >= low) & (rows["tilt"] < high)])
    print(f"finger s, t: bias {rows[['ds', 'dt']].mean().round(3).tolist()}, sd {rows[['ds', 'dt']].std().tolist()} mm")
    worst = (rows["mm"] - rows["truth"]).abs().nlargest(5).index
    print(rows.loc[worst, ["seed", "truth", "mm", "low", "high", "tilt", "away", "slope", "gates"]].to_string())
    if args.csv:
        table.to_csv(args.csv, index=False)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", nargs="?", type=int, default=200)
    parser.add_argument("places", nargs="*", default=["skin", "table"], help="skin, table or both")
    parser.add_argument("--reference", default="aruco:10", help="card, aruco:MM, disc:MM, id1 or ruler")
    parser.add_argument("--tilt", type=float, default=25.0, help="largest tilt, degrees")
    parser.add_argument("--diameter", type=float, nargs=2, default=(1.0, 8.0), metavar=("LOW", "HIGH"), help="mm")
    parser.add_argument("--px-per-mm", type=float, nargs=2, default=(12.0, 25.0), metavar=("LOW", "HIGH"))
    parser.add_argument("--first", type=int, default=1000, help="first seed: develop on some, report on others")
    parser.add_argument("--csv", type=Path, help="write every row")
    return parser.parse_args()


if __name__ == "__main__":
    cv2.setNumThreads(1)
    given = arguments()
    for where in given.places:
        main(given, where)
