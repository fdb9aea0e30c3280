"""The shape by which fingers of an open hand are named: `hand_shape.py fit DRAWN` or `hand_shape.py check DRAWN`.

DRAWN is a folder that `draw_hands.py` wrote. `fit` writes `hand_shape.json` from every hand of it that shows all five
fingers, none pointing at the camera; `check` prints how many fingers of such hands are named, rightly and wrongly,
where the row says the right side, no side, and the wrong side.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ulcermeter.finger import FingerEnd
from ulcermeter.finger.naming import HAND_FINGERS, SHAPE_FILE, end_of_finger, hand_features

LEAST_LENGTH, HANDS, FIRST_LABEL = 1.2, (0, 8), 2
# Fingers bent across the hand tell nothing of its shape, radians from the fingers' own mean.
WIDEST_RAD = 1.9
# Beside what drawn hands vary by: places in widths and directions, as the network finds them, squared.
PLACE_VARIANCE, WAY_VARIANCE = 0.05, 0.01


def open_hands(folder: Path) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield tips, directions and widths of whole hands, thumb first."""
    for path in sorted(folder.glob("*.json")):
        drawn = json.loads(path.read_text(encoding="utf-8"))["fingers"]
        for hand in HANDS:
            own = [one for one in drawn if hand + FIRST_LABEL <= one["label"] < hand + FIRST_LABEL + 5]
            if len(own) == len(HAND_FINGERS) and min(one["seen_length"] for one in own) > LEAST_LENGTH:
                yield tuple(np.array([one[name] for one in own]) for name in ("tip_px", "inwards", "width_px"))


def thumb_right(tips: np.ndarray, ways: np.ndarray) -> bool:
    """Say whether the little finger lies left of the index where the fingers point up."""
    x, y = ways[1:].mean(axis=0)
    return bool(np.array([y, -x]) @ (tips[4] - tips[1]) < 0)


def fit(folder: Path) -> None:
    rows = np.array([hand_features(*hand, mirrored=thumb_right(*hand[:2])) for hand in open_hands(folder)])
    rows = rows[np.abs(rows[:, 10:]).max(axis=1) < WIDEST_RAD]
    middle = np.median(rows, axis=0)
    spread = 1.48 * np.median(np.abs(rows - middle), axis=0)
    kept = middle + np.clip(rows - middle, -3 * spread, 3 * spread)
    covariance = np.cov(kept.T) + np.diag([PLACE_VARIANCE] * 10 + [WAY_VARIANCE] * 5)
    content = {"hands": len(rows), "mean": np.round(middle, 3).tolist(), "covariance": np.round(covariance, 4).tolist()}
    SHAPE_FILE.write_text(json.dumps(content) + "\n", encoding="utf-8")
    print(f"{len(rows)} hands, {SHAPE_FILE.name}")


def check(folder: Path) -> None:
    rng, counts = np.random.default_rng(1), Counter[tuple[str, str]]()
    for tips, ways, widths in open_hands(folder):
        order = rng.permutation(5)
        ends = [FingerEnd(tuple(tips[k] + ways[k]), tuple(tips[k]), float(widths[k]), 0.9) for k in order]
        # A right hand whose thumb lies right shows its palm.
        right = ("palmar", "dorsal") if thumb_right(tips, ways) else ("dorsal", "palmar")
        for said, view in zip(("right side", "wrong side", "no side"), (*right, ""), strict=True):
            for k, name in enumerate(HAND_FINGERS):
                found = end_of_finger(ends, hand="right", finger=name, view=view)
                hit = found is not None and found.end.tip_px == tuple(tips[k])
                counts[said, "not named" if found is None else "right" if hit else "wrong"] += 1
    for (said, word), count in sorted(counts.items()):
        print(f"{said}, {word}: {count}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("fit", "check"))
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    {"fit": fit, "check": check}[given.what](given.folder)
