"""How far the network's diameters are off on photographed wounds, in units of what their confidence lacks.

`python tests/studies/boundary.py DATA` uses the photos held out of training alone (never fuseg/dev) and says, for
several shares of that lack, how many of the annotators' diameters an interval of that outline term would hold: the
evidence for `boundary_confidence_share`. The scale is stated as 10 px/mm; only ratios matter.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

import ulcermeter as um
from ulcermeter.planimetry import longest_caliper
from ulcermeter.segmentation.training.split import choose_held_out, read_groups

SPACING_MM = 0.1
SHARES = (0.6, 0.8, 0.9, 1.0, 1.1, 1.2)
SMALL_PX = 60


def annotated_diameter_px(wound: np.ndarray) -> float:
    """Longest caliper of a wound's pixels; the contour runs through pixel centres, so nearly a pixel is added."""
    contours = cv2.findContours(wound.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    return longest_caliper(max(contours, key=len)[:, 0].astype(np.float64)).length_mm + 0.9


def pairs(photo_path: Path, mask_path: Path) -> list[tuple[float, float, float]]:
    """Annotator's diameter, network's diameter (px) and confidence of each outline that meets just one wound."""
    mask = cv2.imread(str(mask_path), cv2.IMREAD_GRAYSCALE) > 127
    wounds = cv2.connectedComponents(mask.astype(np.uint8))[1]
    photo = um.read_photo(photo_path)
    calibration = um.calibrate(photo, reference="scale:10", reference_on="skin")
    segmentation = um.segment(um.rectify(photo, calibration, spacing_mm=SPACING_MM))
    found = []
    for outline, confidence in zip(segmentation.outlines, segmentation.confidence, strict=True):
        inside = cv2.fillPoly(np.zeros(mask.shape, np.uint8), [np.rint(outline).astype(int)], 1) > 0
        met = [wound for wound in range(1, wounds.max() + 1) if (inside & (wounds == wound)).any()]
        wound = wounds == met[0] if len(met) == 1 else np.zeros_like(inside)
        # Half overlap: below it the outline is another thing than the wound, which no boundary term describes.
        if wound.sum() >= 12 and 2 * (wound & inside).sum() > 0.5 * (wound.sum() + inside.sum()):
            diameter = longest_caliper(outline).length_mm
            found.append((annotated_diameter_px(wound), diameter, confidence))
    return found


def main(data: Path) -> None:
    folder = data / "fuseg" / "train"
    names = sorted(path.name for path in (folder / "photos").glob("*.jpg"))
    groups = read_groups(data / "fuseg" / "twice_labelled.csv")
    held = sorted(choose_held_out(names, groups=groups, count=81, seed=20261))
    read = [pairs(folder / "photos" / name, folder / "masks" / f"{Path(name).stem}.png") for name in held]
    truth, measured, confidence = np.array([pair for some in read for pair in some]).T
    off = np.abs(measured - truth)
    print(f"{len(truth)} wounds, median error {np.median((measured - truth) / truth):+.1%}")
    for name, some in (("small", truth < SMALL_PX), ("large", truth >= SMALL_PX)):
        for share in SHARES:
            half = 1.96 * share * measured[some] * (1 - confidence[some])
            print(f"{name} (n {some.sum()}): share {share}: {np.mean(off[some] <= half):.1%} inside")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
