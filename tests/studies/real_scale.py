"""The scale on real photographs: `python tests/studies/real_scale.py [DATA] [--json FILE] [--every N]
[--only PART ...] [--coins even|odd]`.

One coin is the reference and the other coins are measured with the disc's own rims; the sides of a bank card are held
against each other; equal markers are measured from one of them; a ruler is held against its centimetres; and what has
no reference must be refused. Gates are reported and not applied; what passes and what fails them is shown apart. The
disc's rules were chosen on the coin photos whose last number is even: the odd ones tell. Nothing of the photographs is
kept in the project.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import time
from collections import defaultdict
from itertools import permutations
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.calibration import calibrate
from ulcermeter.calibration.references.aruco import find_markers
from ulcermeter.datatypes import Calibration, Photo, transform_points
from ulcermeter.errors import Refusal
from ulcermeter.photo import read_photo
from ulcermeter.protocol import read_protocol
from ulcermeter.quality import check_gates

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
PROTOCOL = read_protocol("manus")
RULER_PX = np.array([[20.8, 294.0], [488.8, 294.0]])
"""The ticks numbered 3 and 10 on the ruler, px."""
KINDS = ("aruco:10", "id1", "ruler", "disc:10")
"""Asked for by name where there is none; the card is a part of `auto`."""


def coins(data: Path, every: int, photos: str) -> dict[str, Any]:
    """Measure every coin from every other of its photo; `every` takes each n-th coin as reference."""
    rows: list[dict[str, Any]] = []
    n_coins = n_missed = 0
    seconds = []
    for image, listed in listed_coins(data, photos).items():
        photo = read_photo(data / "euro_coins" / image)
        started = time.process_time()
        found = [(float(row["diameter_mm"]), coin_calibration(photo, row)) for row in listed]
        seconds.append((time.process_time() - started) / len(listed))
        n_coins, n_missed = n_coins + len(found), n_missed + sum(c is None for _, c in found)
        seen = [(size, c, rim(c)) for size, c in found if c is not None]
        for size, calibration, own in seen[::every]:
            for other_size, another, other in seen:
                if other is not own:
                    rows.append(coin_row(calibration, another, other, other_size) | {"image": image, "reference": size})
    of_all = {"n_coins": n_coins, "n_missed": n_missed, "seconds_a_coin": float(np.mean(seconds))}
    return {**of_all, **coin_summary(rows), "by_photo": by_photo(rows)}


def listed_coins(data: Path, photos: str) -> dict[str, list[dict[str, str]]]:
    """Return the coins of each photo; even or odd by the last number in the photo's name."""
    truth = defaultdict(list)
    with open(data / "euro_coins/coins_truth.csv") as file:
        for row in csv.DictReader(file):
            odd = int(re.findall(r"[0-9]+", row["image"])[-1]) % 2
            if photos in ("all", ("even", "odd")[odd]):
                truth[row["image"]].append(row)
    return truth


def coin_calibration(photo: Photo, row: dict[str, str]) -> Calibration | None:
    x, y, r = (float(row[name]) for name in ("cx_px", "cy_px", "hough_r_px"))
    region = (x - r, y - r, 2 * r, 2 * r)
    try:
        return calibrate(photo, reference=f"disc:{row['diameter_mm']}", reference_on="table", region=region)
    except Refusal:
        return None


def rim(calibration: Calibration) -> NDArray[np.float64]:
    """Return a found disc's rim from its outline, which is 3 % larger."""
    outline = calibration.reference_outline_px
    return outline.mean(axis=0) + (outline - outline.mean(axis=0)) / 1.03


def widths(homographies: NDArray[np.float64], outline_px: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean diameter (B,) of an outline under each homography (B, 3, 3)."""
    mapped = np.column_stack([outline_px, np.ones(len(outline_px))]) @ np.swapaxes(homographies, 1, 2)
    mm = mapped[..., :2] / mapped[..., 2:]
    half = len(outline_px) // 2
    apart = mm[:, :half] - mm[:, half:]
    return np.hypot(apart[..., 0], apart[..., 1]).mean(axis=1)


def coin_row(
    calibration: Calibration, another: Calibration, other: NDArray[np.float64], size_mm: float
) -> dict[str, Any]:
    """Measure another coin; the interval has the error of both rims, as the rim is what is measured here."""
    read = float(widths(calibration.pixel_to_mm[None], other)[0])
    middle = other.mean(axis=0)
    rim_error = 1 + another.scale_se(middle) * np.random.default_rng(0).standard_normal(200)
    low, high = np.percentile(widths(calibration.draws[:200], other) * rim_error, [2.5, 97.5])
    away = np.hypot(*(middle - calibration.points_px.mean(axis=0))) / np.ptp(rim(calibration)[:, 0])
    gates = (
        100 * calibration.scale_se(middle) <= PROTOCOL.gates.scale_se_max_pct,
        calibration.tilt_deg <= PROTOCOL.gates.tilt_max_deg,
        calibration.px_per_mm(middle) >= PROTOCOL.gates.px_per_mm_min,
    )
    error, covered = read - size_mm, bool(low <= size_mm <= high)
    return {"error_mm": error, "covered": covered, "passed": all(gates), "away": float(away)}


def coin_summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Summarise all pairs, those near and far (in diameters of the reference), and those that pass and fail gates."""
    return {
        **errors(rows),
        "within_2.5_diameters": errors([row for row in rows if row["away"] < 2.5]),
        "from_2.5_to_5_diameters": errors([row for row in rows if 2.5 <= row["away"] < 5]),
        "beyond_5_diameters": errors([row for row in rows if row["away"] >= 5]),
        "passing_the_gates": errors([row for row in rows if row["passed"]]),
        "failing_a_gate": errors([row for row in rows if not row["passed"]]),
    }


def errors(rows: list[dict[str, Any]]) -> dict[str, Any]:
    if not rows:
        return {"n_pairs": 0}
    off = np.array([row["error_mm"] for row in rows])
    return {
        "n_pairs": len(rows),
        "bias_mm": round(float(np.mean(off)), 3),
        "median_error_mm": round(float(np.median(np.abs(off))), 3),
        "p95_error_mm": round(float(np.percentile(np.abs(off), 95)), 3),
        "covered": round(float(np.mean([row["covered"] for row in rows])), 3),
    }


def median(values: NDArray[np.float64]) -> float | None:
    return float(np.median(values)) if len(values) else None


def by_photo(rows: list[dict[str, Any]]) -> dict[str, Any]:
    images = sorted({row["image"] for row in rows})
    return {image: errors([row for row in rows if row["image"] == image]) for image in images}


def cards(data: Path) -> dict[str, Any]:
    """Hold a card's two sides against each other: the ratio of its sides over 85.60 / 53.98, as seen in the plane."""
    out: dict[str, Any] = {}
    for path in sorted((data / "hand_card").glob("*.jpg")):
        photo = read_photo(path)
        try:
            calibration = calibrate(photo, reference="id1")
        except Refusal as refusal:
            out[path.name] = {"refused": str(refusal)}
            continue
        mm = calibration.to_mm(calibration.points_px)
        sides = np.hypot(*(np.roll(mm, -1, axis=0) - mm).T) / np.array([85.60, 53.98, 85.60, 53.98])
        gates = check_gates(photo, calibration, calibration.points_px.mean(axis=0), protocol=PROTOCOL)
        out[path.name] = {
            "side_errors_pct": [round(float(100 * (s - 1)), 3) for s in sides],
            "tilt_deg": round(calibration.tilt_deg, 1),
            "gates": [str(failure) for failure in gates.failures],
        }
    return out


def markers(data: Path) -> dict[str, Any]:
    """Measure equal markers from one of them, each in turn."""
    photo = read_photo(data / "markers/singlemarkersoriginal.jpg")
    found = []
    for marker in find_markers(photo, dictionary=None, region=None):
        low, size = marker.corners_px.min(axis=0), np.ptp(marker.corners_px, axis=0)
        found.append(calibrate(photo, reference="aruco:20", region=(*low, *size)))
    off, covered = [], []
    rng = np.random.default_rng(0)
    for one, other in permutations(found, 2):
        noise = rng.multivariate_normal(np.zeros(8), other.points_covariance_px2, 400).reshape(-1, 4, 2)
        sides = [side(h, other.points_px + n) for h, n in zip(one.draws[:400], noise, strict=True)]
        low, high = np.percentile(sides, [2.5, 97.5])
        covered.append(bool(low <= 20 <= high))
        off.append(100 * abs(side(one.pixel_to_mm, other.points_px) / 20 - 1))
    return {
        "n_markers": len(found),
        "n_pairs": len(off),
        "median_error_pct": median(np.array(off)),
        "covered": float(np.mean(covered)) if covered else None,
    }


def side(homography: NDArray[np.float64], corners: NDArray[np.float64]) -> float:
    """Return the root of a square's area in the plane, mm."""
    x, y = transform_points(homography, corners).T
    return float(np.sqrt(abs(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2))


def ruler(data: Path) -> dict[str, Any]:
    """Read 7 numbered centimetres."""
    try:
        calibration = calibrate(read_photo(data / "rulers/mothra_BMNHE_1105737.jpg"), reference="ruler")
    except Refusal as refusal:
        return {"refused": str(refusal)}
    ends = calibration.to_mm(RULER_PX)
    return {"reads_mm": float(np.hypot(*(ends[1] - ends[0]))), "expected_mm": 70.0}


def refusals(data: Path, every: int) -> dict[str, Any]:
    """Count what is found where there is nothing, by `auto` and by each kind's name; and which markers pass for one.

    A refusal of several candidates, or of a marker of unknown size, has seen something too and is counted apart.
    """
    folders = ("hands_healthy", "not_ulcers", "fuseg/dev/photos")
    nothing = sorted(path for folder in folders for path in (data / folder).glob("*.*"))[::every]
    out: dict[str, Any] = {"n_without_reference": len(nothing)}
    for reference in ("auto", *KINDS):
        said = {path.name: refused(path, reference) for path in nothing}
        seen = {name: why for name, why in said.items() if "got none" not in why}
        out[reference] = {
            "found": [name for name, why in seen.items() if not why],
            "unsure": [n for n in seen if seen[n]],
        }
    out["undecodable"] = {
        name: refused(data / "markers" / name, "aruco:30") for name in ("diamondmarkers.png", "gboriginal.png")
    }
    return out


def refused(path: Path, reference: str) -> str:
    try:
        calibrate(read_photo(path), reference=reference)
    except Refusal as refusal:
        return str(refusal)
    return ""


def lines(part: str, found: Any) -> list[str]:
    """Return a part's results as lines for eyes, each with its target."""
    if part == "coins":
        return coin_lines(found)
    if part == "cards":
        return [f"card {name}: {card.get('side_errors_pct', card)} % (0.6)" for name, card in found.items()]
    if part == "refusals":
        return refusal_lines(found)
    return [f"{part}: {found}"]


def refusal_lines(found: dict[str, Any]) -> list[str]:
    heads = [
        f"{found['n_without_reference']} photos without a reference, {kind}: found {len(seen['found'])} (0) "
        f"{seen['found']}; refused as unsure {len(seen['unsure'])} {seen['unsure']}"
        for kind, seen in found.items()
        if kind in ("auto", *KINDS)
    ]
    return heads + [f"undecodable {name}: {why or 'ACCEPTED'}" for name, why in found["undecodable"].items()]


def coin_lines(found: dict[str, Any]) -> list[str]:
    n = found["n_coins"]
    heads = [f"coins: {n - found['n_missed']} of {n} found, {found['seconds_a_coin']:.2f} s of one core each"]
    targets = "(targets: median 0.15, 95 % 0.5)"
    groups = {key: value for key, value in found.items() if isinstance(value, dict) and key != "by_photo"}
    every = {"all pairs": {key: value for key, value in found.items() if not isinstance(value, dict)}}
    return [*heads, *(f"  {name}: {value}" for name, value in (every | groups | found["by_photo"]).items()), targets]


PARTS = {"cards": cards, "markers": markers, "ruler": ruler}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", type=Path, default=DATA)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--every", type=int, default=1, help="each n-th coin as reference, each n-th empty photo")
    parser.add_argument("--coins", choices=["all", "even", "odd"], default="all", help="by the photos' last number")
    parser.add_argument("--only", nargs="+", choices=[*PARTS, "refusals", "coins"])
    args = parser.parse_args()
    cv2.setNumThreads(1)
    results: dict[str, Any] = {}
    for part in args.only or [*PARTS, "refusals", "coins"]:
        if part == "refusals":
            results[part] = refusals(args.data, args.every)
        elif part == "coins":
            results[part] = coins(args.data, args.every, args.coins)
        else:
            results[part] = PARTS[part](args.data)
        print("\n".join(lines(part, results[part])), flush=True)
    if args.json:
        args.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
