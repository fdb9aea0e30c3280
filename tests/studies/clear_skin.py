"""What is said of healthy and of diseased fingertips: `clear_skin.py [N] [--first SEED]`.

N drawn fingers without an ulcer, all skin tones and sides, each measured with a click on its end phalanx as it is, and
again with one area of 4 to 10 mm painted on its end: dead black skin, a scab, fresh blood, a white crust. Prints what
became of them by kind, the share of *indeterminate* among healthy ones by tone, and of *no ulcer* among the others.
An area counts as painted on the finger only where at least 2 mm (as a circle) of it lie on skin that shows.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from ulcermeter.phantom import Phantom, draw_phantom, random_spec, write_phantom
from ulcermeter.pipeline import measure_photo
from ulcermeter.protocol import read_protocol

TONES = 6
VIEWS = {"pulp": "palmar", "nail": "dorsal", "radial": "radial", "ulnar": "ulnar"}
PAINTS = {"black": (32, 26, 26), "scab": (80, 42, 34), "blood": (150, 22, 22), "crust": (228, 214, 190)}
LEAST_MM = 2.0


@dataclass(frozen=True)
class Fingertip:
    """A drawn finger: its tone, where to click, and photo px in a millimetre there."""

    phantom: Phantom
    tone: int
    view: str
    click: tuple[float, float]
    px_per_mm: float


def fingertips(first: int, count: int) -> Iterator[Fingertip]:
    """Yield drawn fingers without an ulcer; every sixth has the same tone."""
    for seed in range(first, first + count):
        tone = 1 + seed % TONES
        spec = random_spec(
            seed, place="skin", size_px=(960, 720), px_per_mm=(8.5, 11), skin_tone=(tone - 0.5 * (tone > 1), tone)
        )
        assert spec.finger is not None
        phantom = draw_phantom(replace(spec, ulcers=()))
        height = phantom.truth.finger_thickness_mm / 2
        at, further = phantom.truth.camera.project(np.array([[0, 8.0, height], [0, 13.0, height]]))
        px_per_mm = float(np.hypot(*(further - at))) / 5
        yield Fingertip(phantom, tone, VIEWS[spec.finger.side], (float(at[0]), float(at[1])), px_per_mm)


def painted(tip: Fingertip, colour: tuple[int, int, int], rng: np.random.Generator) -> Phantom | None:
    """Paint an area with ragged edges and a grain of its own near a fingertip; None where too little lies on it."""
    pixels = tip.phantom.pixels.astype(np.float32)
    rows, cols = pixels.shape[:2]
    on = finger_mask(tip)
    size_px = rng.uniform(4, 10) * tip.px_per_mm
    x, y = np.array(tip.click) + rng.uniform(-5, 5, 2) * tip.px_per_mm
    across, down = np.arange(cols) - x, np.arange(rows)[:, None] - y
    ragged = 1 - np.hypot(across, down / rng.uniform(0.6, 1)) / (size_px / 2) + 0.25 * noise(rows, cols, tip, rng)
    share = np.clip(ragged * size_px / (0.5 * tip.px_per_mm), 0, 1) * on
    if (share > 0.5).sum() < np.pi / 4 * (LEAST_MM * tip.px_per_mm) ** 2:
        return None
    light = pixels.mean(axis=2) / np.median(pixels[on].mean(axis=1))
    paint = np.array(colour) * np.clip(light, 0.4, 1.4)[..., None] * (1 + 0.1 * noise(rows, cols, tip, rng)[..., None])
    share = cv2.GaussianBlur(share.astype(np.float32), (0, 0), 1.0)[..., None]
    mixed = pixels * (1 - share) + paint * share
    return replace(tip.phantom, pixels=np.clip(mixed, 0, 255).astype(np.uint8))


def finger_mask(tip: Fingertip) -> np.ndarray:
    """Return where the finger's skin shows, bool (M, N): inside its true outline, and of skin's redness."""
    truth, height = tip.phantom.truth, tip.phantom.truth.finger_thickness_mm / 2
    radius = truth.finger_radius_mm
    angles = np.linspace(np.pi, 2 * np.pi, 30)
    round_end = np.column_stack([0.93 * radius * np.cos(angles), radius + 0.93 * radius * np.sin(angles)])
    outline = np.vstack([[[-0.93 * radius, 24.0]], round_end, [[0.93 * radius, 24.0]]])
    at = truth.camera.project(np.column_stack([outline, np.full(len(outline), height)]))
    on = np.zeros(tip.phantom.pixels.shape[:2], np.uint8)
    cv2.fillPoly(on, [np.rint(at).astype(np.int32)], 1)
    lab = cv2.cvtColor(tip.phantom.pixels, cv2.COLOR_RGB2LAB).astype(np.float32)
    return np.asarray((on > 0) & ((lab[..., 1] - 128) / (lab[..., 0] + 30) > 0.03))


def noise(rows: int, cols: int, tip: Fingertip, rng: np.random.Generator) -> np.ndarray:
    """Return smooth noise of about unit sd and a third of a millimetre, (rows, cols)."""
    blurred = cv2.GaussianBlur(rng.normal(size=(rows, cols)).astype(np.float32), (0, 0), tip.px_per_mm / 3)
    return np.asarray(blurred / max(float(blurred.std()), 1e-6))


def status(phantom: Phantom, tip: Fingertip, folder: Path) -> str:
    """Return what `measure` says of a photo with a click on the end phalanx."""
    path = folder / "photo.png"
    write_phantom(phantom, path)
    row = {"photo": path.name, "reference": "aruco:10", "reference_on": "skin", "view": tip.view}
    row |= {"x": f"{tip.click[0]:.1f}", "y": f"{tip.click[1]:.1f}"}
    return str(measure_photo(row, read_protocol(), root=folder, overlay=False).photo["status"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int, nargs="?", default=60)
    parser.add_argument("--first", type=int, default=5000)
    given = parser.parse_args()
    found: Counter[tuple[str, str]] = Counter()
    by_tone: Counter[tuple[int, str]] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for tip in fingertips(given.first, given.count):
            said = status(tip.phantom, tip, Path(folder))
            found["healthy", said] += 1
            by_tone[tip.tone, said] += 1
            rng = np.random.default_rng(tip.phantom.spec.seed)
            for kind, colour in PAINTS.items():
                ill = painted(tip, colour, rng)
                if ill is not None:
                    found[kind, status(ill, tip, Path(folder))] += 1
    for kind in ("healthy", *PAINTS):
        print(kind, {said: count for (one, said), count in sorted(found.items()) if one == kind})
    for tone in range(1, TONES + 1):
        print(f"healthy, tone {tone}:", {said: count for (one, said), count in sorted(by_tone.items()) if one == tone})


if __name__ == "__main__":
    main()
