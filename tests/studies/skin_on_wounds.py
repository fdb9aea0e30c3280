"""The skin network on real photographed skin: `skin_on_wounds.py FOLDER [--keep OUT.png]`.

FOLDER holds photos/ and masks/ of wounds.
Every wound of at least 600 px is shown 4 to 9 mm wide on what is taken for a finger, at a place by chance, as the
photo has it: nothing is laid on anything. Prints how many wounds the network marks, and how much of the skin and ground
a millimetre and a half and more beside them; the masks leave out dead, macerated and hard skin round a wound, which it
is meant to mark too. --keep draws the views.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from ulcermeter.networks.engine import OpenNetwork
from ulcermeter.quality.skin_network import load_skin_model
from ulcermeter.quality.skin_views import VIEW_COLS, VIEW_ROWS, network_input
from ulcermeter.statistics import wilson

LEAST_PX, MOST_ENLARGED, BESIDE_CELLS = 600, 3.0, 15
WIDE_MM, CELLS_PER_MM = (4.0, 9.0), 10
SIZE, BEFORE_SHRINKING = (VIEW_COLS, VIEW_ROWS), 0.4


def wounds(folder: Path) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield views, the wounds in them, and what of each the photo shows."""
    rng = np.random.default_rng(0)
    for path in sorted((folder / "masks").glob("*.png")):
        mask = (cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) > 127).astype(np.uint8)
        photo = cv2.imread(str(next((folder / "photos").glob(f"{path.stem}.*"))))[..., ::-1]
        count, _, stats, middles = cv2.connectedComponentsWithStats(mask)
        for label in range(1, count):
            area = stats[label, cv2.CC_STAT_AREA]
            scale = rng.uniform(*WIDE_MM) * CELLS_PER_MM / np.sqrt(4 / np.pi * area)
            at = np.array([VIEW_COLS / 2, 150]) + rng.uniform(-1, 1, 2) * (40, 60)
            if area >= LEAST_PX and scale <= MOST_ENLARGED:
                matrix = np.column_stack([scale * np.eye(2), at - scale * middles[label]])
                # Blurred before it is shrunk, against aliases.
                fine = cv2.GaussianBlur(photo, (0, 0), BEFORE_SHRINKING / scale) if scale < 1 else photo
                view = cv2.warpAffine(fine, matrix, SIZE, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
                near = [cv2.warpAffine(one, matrix, SIZE, flags=cv2.INTER_NEAREST) > 0 for one in (mask, mask | 1)]
                yield view, *near


def finger_shape() -> np.ndarray:
    """A finger 17 mm wide with a round end, bool (320, 224)."""
    shape = np.zeros((VIEW_ROWS, VIEW_COLS), np.uint8)
    cv2.ellipse(shape, (VIEW_COLS // 2, 90), (85, 90), 0, 180, 360, 1, -1)
    shape[90:, VIEW_COLS // 2 - 85 : VIEW_COLS // 2 + 85] = 1
    return shape > 0


def marked(view: np.ndarray, inside: np.ndarray, model: OpenNetwork) -> np.ndarray:
    logits = model.session.run(None, {"view": network_input(view, inside)[None]})[0][0, 0]
    return cv2.resize((logits > 0).astype(np.uint8), SIZE, interpolation=cv2.INTER_NEAREST) > 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    model, inside, covered, beside, views = load_skin_model(), finger_shape(), [], [], []
    for view, wound, shown in wounds(given.folder):
        found, looked_at = marked(view, inside, model), inside & shown
        far = cv2.dilate(wound.astype(np.uint8), np.ones((2 * BESIDE_CELLS + 1,) * 2)) == 0
        covered.append((found & wound & looked_at).sum() / max((wound & looked_at).sum(), 1))
        beside.append((found & far & looked_at).sum() / max((far & looked_at).sum(), 1))
        views.append(np.hstack([view, np.where(found[..., None], np.uint8((255, 0, 0)), view)]))
    hits = sum(share > 0.5 for share in covered)
    low, high = wilson(hits / len(covered), len(covered))
    print(f"{hits} of {len(covered)} wounds marked by more than half ({100 * low:.1f}-{100 * high:.1f} %)")
    median, mean = 100 * np.median(beside), 100 * np.mean(beside)
    print(f"of what lies beside them {median:.1f} % in the median, {mean:.1f} % in the mean")
    if given.keep:
        views += [np.zeros_like(views[0])] * (-len(views) % 8)
        sheet = np.vstack([np.hstack(views[k : k + 8]) for k in range(0, len(views), 8)])
        cv2.imwrite(str(given.keep), np.ascontiguousarray(sheet[..., ::-1]))


if __name__ == "__main__":
    main()
