"""A finger of a real open hand, cut out close: what is located with nothing pointed at. `close_ups.py DIR [--step 2]`.

DIR holds photos and `meta.json` with 21 landmarks of each hand (MediaPipe's order). Each finger is turned to point up,
give or take 15 degrees, and cut out by chance: .8 to 1.25 widths to either side, .8 to 1.3 before the tip, 1.6 to 2.6
behind it, 150 px a width; neighbours show as slivers. Cuts that reach past the photo, and fingers under 30 px, are left
out. Right is a direction within 18 degrees of the landmarks' and a tip up to .8 widths before the landmark (it lies
within the finger) and within .35 beside it.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from fingers import only_finger

from ulcermeter.calibration import calibrate, rectify
from ulcermeter.datatypes import CameraInfo, Photo

# A finger's width over the palm's length, and its mm, assumption; its width in a cut, px.
WIDTH_OF_PALM, WIDTH_MM, WIDTH_PX = 0.247, 16.0, 150.0
LEAST_PX, WAY_DEG, AHEAD, ASIDE = 30.0, 18.0, 0.8, 0.35


@dataclass(frozen=True)
class CloseUp:
    pixels: np.ndarray
    tip: np.ndarray
    inwards: np.ndarray


def close_ups(folder: Path, step: int) -> Iterator[CloseUp]:
    rng = np.random.default_rng(5)
    hands = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    for name in list(hands)[1::step]:
        path = folder / f"{name}.jpg"
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR) if path.exists() else None
        if picture is None:
            continue
        places = np.array(hands[name]["keypoints"], float)
        width = WIDTH_OF_PALM * float(np.hypot(*(places[9] - places[0])))
        for finger in range(5):
            tip, middle = places[4 + 4 * finger], places[2 + 4 * finger]
            cut = cut_out(picture[..., ::-1], tip, middle - tip, width, rng)
            if cut is not None:
                yield cut


def cut_out(
    pixels: np.ndarray, tip: np.ndarray, way: np.ndarray, width: float, rng: np.random.Generator
) -> CloseUp | None:
    """Turn and cut a finger out; None where that reaches past the photo, or it is too small."""
    half, before, behind = (rng.uniform(*span) * width for span in ((0.8, 1.25), (0.8, 1.3), (1.6, 2.6)))
    angle, scale = np.arctan2(way[0], way[1]) + rng.normal(0, 0.25), WIDTH_PX / width
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    size = (int(2 * half * scale), int((before + behind) * scale))
    shift = np.array([half, before]) * scale - turn @ tip
    corners = np.array([[0, 0], [size[0], 0], [0, size[1]], size]) - shift
    back = np.linalg.solve(turn, corners.T).T
    if width < LEAST_PX or (back < 0).any() or (back > np.array(pixels.shape[1::-1]) - 1).any():
        return None
    cut = cv2.warpAffine(np.ascontiguousarray(pixels), np.column_stack([turn, shift]), size)
    inwards = turn @ way
    return CloseUp(cut, turn @ tip + shift, inwards / np.hypot(*inwards))


def located(one: CloseUp) -> str:
    """Say what is located on a close-up, as a run does with nothing pointed at."""
    photo = Photo(np.ascontiguousarray(one.pixels), "cut", None, CameraInfo(), Path("cut"))
    calibration = calibrate(photo, reference=f"scale:{WIDTH_PX / WIDTH_MM:.6f}", reference_on="skin")
    rectified = rectify(photo, calibration, spacing_mm=1.0)
    finger = only_finger(rectified)
    if isinstance(finger, str):
        return finger
    off = (calibration.to_px(np.array([finger.tip_mm]))[0] - one.tip) / WIDTH_PX
    side = np.array([-one.inwards[1], one.inwards[0]])
    straight = np.dot(finger.axis, one.inwards) > np.cos(np.radians(WAY_DEG))
    return "right" if straight and 0 < -(off @ one.inwards) < AHEAD and abs(off @ side) < ASIDE else "wrong"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--step", type=int, default=2, help="every so many hands")
    given = parser.parse_args()
    for word, count in sorted(Counter(located(one) for one in close_ups(given.folder, given.step)).items()):
        print(f"{word}: {count}")


if __name__ == "__main__":
    main()
