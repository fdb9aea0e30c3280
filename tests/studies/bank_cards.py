"""Bank cards that are drawn: `python tests/studies/bank_cards.py [--count N] [--first SEED] [--reference id1|auto]`.

Each seed draws one card on a ground (red on white, light on light, dark on dark, any colour on any plain ground), with
or without a hand beside it or over a corner, at any turn, tilted to 30 degrees, large or small in the frame, blurred,
shadowed, compressed. Printed are how many are found, how far their corners lie from the truth, how long it takes, and
how many are wrong in silence: the scale, or a corner that is not found, off by more than three stated errors.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "calibration"))

from drawn_cards import CARD_MM, PRINTS, SKINS, Scene, draw_card, mapped  # noqa: E402

from ulcermeter.calibration import calibrate  # noqa: E402
from ulcermeter.datatypes import Calibration  # noqa: E402
from ulcermeter.errors import Refusal  # noqa: E402

PAIRS = ("red on white", "light on light", "dark on dark", "any on any")
SIZES = ((1600, 1200), (1512, 2016), (2400, 1800), (1807, 3213))
LEAST_APART = 14
"""Between card and ground in one channel at least, sRGB levels: less is no plainly visible outline."""
POINT_SD_MM = 0.06
"""Of each corner by the card's own tolerance, as the finder states."""
FOUND_MM = 0.3
"""A corner farther from the truth than this is another outline."""


def scene(seed: int) -> Scene:
    """Return the scene of a seed; every fourth has the same pair of colours."""
    rng = np.random.default_rng([7810, seed])
    card, ground = colours(PAIRS[seed % 4], rng)
    wide, high = SIZES[rng.integers(len(SIZES))]
    return Scene(
        card=card,
        ground=ground,
        table=tuple(rng.uniform(60, 190, 3) * (1.0, 0.75, 0.5)) if rng.uniform() < 0.3 else None,
        print=str(rng.choice(PRINTS)),
        hand=str(rng.choice(["none", "beside", "beside", "corner"])),
        skin=SKINS[rng.integers(len(SKINS))],
        size_px=(wide, high) if rng.uniform() < 0.5 else (high, wide),
        long_side_share=float(rng.uniform(0.22, 0.5)),
        tilt_deg=float(rng.uniform(0, 30)),
        azimuth_deg=float(rng.uniform(0, 360)),
        turn_deg=float(rng.uniform(0, 360)),
        place=tuple(rng.uniform(-0.8, 0.8, 2)),
        falloff=float(rng.uniform(0, 0.5)),
        shadow=float(rng.choice([0, 0, rng.uniform(0.2, 0.5)])),
        contact=float(rng.uniform(0, 0.5)),
        blur_px=float(rng.uniform(0.6, 2.2)),
        noise=float(rng.uniform(0.5, 4)),
        grain=float(rng.uniform(0, 3)),
        quality=int(rng.integers(70, 97)),
        seed=seed,
    )


def colours(pair: str, rng: np.random.Generator) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the card's and the ground's colour, sRGB levels."""
    if pair == "red on white":
        return (rng.uniform(150, 235), *rng.uniform(10, 70, 2)), tuple(rng.uniform(205, 248) + rng.uniform(-5, 5, 3))
    low, high, tint = {"light on light": (175, 245, 12), "dark on dark": (18, 75, 12), "any on any": (15, 245, 0)}[pair]
    while True:
        ground, card = (rng.uniform(low, high) + rng.uniform(-tint, tint, 3) for _ in range(2))
        if pair == "any on any":
            ground, card = rng.uniform(low, high, 3), rng.uniform(low, high, 3)
        if np.abs(ground - card).max() >= LEAST_APART:
            return tuple(card), tuple(ground)


def look(seed: int, reference: str) -> dict[str, object]:
    """Draw a seed's card and look for it."""
    asked = scene(seed)
    photo, truth = draw_card(asked, exif=seed % 3 > 0)
    started = time.process_time()
    row: dict[str, object] = {"pair": PAIRS[seed % 4], "print": asked.print, "hand": asked.hand}
    try:
        calibration = calibrate(photo, reference=reference)
    except Refusal as refusal:
        return {**row, "why": str(refusal), "seconds": time.process_time() - started}
    row["seconds"] = time.process_time() - started
    away = np.hypot(*np.moveaxis(calibration.points_px[:, None] - truth[None], -1, 0)).min(axis=1)
    sides = np.hypot(*(np.roll(truth, -1, axis=0) - truth).T)
    mm = calibration.to_mm(truth)
    read = np.hypot(*(np.roll(mm, -1, axis=0) - mm).T) / [*CARD_MM, *CARD_MM]
    row["scale_z"] = scale_z(calibration, truth)
    row["corner_z"] = corner_z(calibration, truth)
    row["corner_mm"] = float(away.max() / sides.max() * CARD_MM[0])
    row["side_pct"] = float(100 * np.abs(read - 1).max())
    return row


def wrong_in_silence(row: dict[str, object]) -> bool:
    """Say whether the scale, or a corner beyond what counts as found, is off by more than three stated errors."""
    return abs(row["scale_z"]) > 3 or (row["corner_mm"] > FOUND_MM and row["corner_z"] > 3)


def scale_z(calibration: Calibration, truth: np.ndarray) -> float:
    """Return the scale's error at the card's middle over the error stated for it."""
    corners_mm = (np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]]) - 0.5) * CARD_MM
    to_px = cv2.getPerspectiveTransform(corners_mm.astype(np.float32), truth.astype(np.float32))
    middle = mapped(to_px, np.zeros(2))
    stepped = mapped(to_px, 0.5 * np.array([[1, 0], [-1, 0], [0, 1], [0, -1.0]]))
    across = stepped[::2] - stepped[1::2]
    px_per_mm = np.sqrt(abs(np.linalg.det(across)))
    return float(np.log(calibration.px_per_mm(middle) / px_per_mm) / calibration.scale_se(middle))


def corner_z(calibration: Calibration, truth: np.ndarray) -> float:
    """Return the largest error of a corner, along x or y, over the one stated for it."""
    nearest = np.hypot(*np.moveaxis(calibration.points_px[:, None] - truth[None], -1, 0)).argmin(axis=1)
    off = np.abs(calibration.points_px - truth[nearest]).ravel()
    px_per_mm = np.hypot(*(truth[1] - truth[0])) / CARD_MM[0]
    stated = np.sqrt(np.diag(calibration.points_covariance_px2) + (POINT_SD_MM * px_per_mm) ** 2)
    return float((off / stated).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--reference", choices=["id1", "auto"], default="id1")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    rows = {}
    for seed in range(args.first, args.first + args.count):
        row = rows[seed] = look(seed, args.reference)
        print(seed, {k: round(v, 3) if isinstance(v, float) else v for k, v in row.items()}, flush=True)
    found = [row for row in rows.values() if row.get("corner_mm", 9.0) <= FOUND_MM]
    wrong = sum("corner_mm" in row for row in rows.values()) - len(found)
    silent = [s for s, row in rows.items() if "corner_mm" in row and wrong_in_silence(row)]
    refused = sum("why" in row for row in rows.values())
    print(f"{args.reference}: found {len(found)} of {len(rows)}, {refused} refused, {wrong} elsewhere than drawn")
    print(f"wrong in silence (more than 3 stated errors): {len(silent)} {silent or ''}")
    z = np.abs([row["scale_z"] for row in rows.values() if "scale_z" in row])
    print(f"scale's 95 % interval holds the truth in {np.sum(z <= 1.96)} of {len(z)}; most {z.max():.2f} stated errors")
    for name in ("corner_mm", "side_pct"):
        values = [row[name] for row in found]
        print(
            f"{name}: median {np.median(values):.3f}, 95 % {np.percentile(values, 95):.3f}, most {np.max(values):.3f}"
        )
    seconds = [row["seconds"] for row in rows.values()]
    print(f"seconds of one core: median {np.median(seconds):.2f}, most {np.max(seconds):.2f}")


if __name__ == "__main__":
    main()
