"""What is said of healthy and of diseased fingertips: `clear_skin.py [N] [--first SEED] [--wounds DIR] [--hands DIR]`.

N drawn fingers without an ulcer, all skin tones and sides, each measured with a click on its end phalanx as it is, and
(every --each one) again with one area of 4 to 10 mm on its end: dead black skin, a scab, fresh blood, a white crust
painted on it, or, with --wounds (a folder of photos/ and masks/), a photographed wound; with a crack of 2.5 to 10 mm,
0.2 to 0.8 mm wide, anywhere, across a joint's creases or beside the nail; and where the back shows with the nail lost.
With --one each finger that is not refused gets one of these, the kinds in turn, so that no finger counts twice.
--hands adds the fingers of at least 8 px/mm of pictures that `draw_hands.py --healthy --size 768` wrote,
their tone by the individual typology angle. Prints what became of them by kind, and with Wilson's 95 % intervals the
share of *indeterminate* among healthy ones by tone, and of *no ulcer* among the others. An area counts as lying on the
finger only where at least 2 mm (as a circle) of it in one piece lie on skin that shows; a nail is no skin. --keep OUT
writes the diseased ones that come back *no ulcer* and the healthy ones that do not, to be looked at.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path

import cv2
import numpy as np

from ulcermeter.phantom import FissureSpec, Phantom, draw_phantom, random_spec, write_phantom
from ulcermeter.phantom.hands import HandPicture, read_picture
from ulcermeter.pipeline import measure_photo
from ulcermeter.protocol import read_protocol
from ulcermeter.statistics import wilson

TONES = 6
# Individual typology angles from very light to dark skin, degrees (Chardon 1991).
TYPOLOGY_DEG = (55, 41, 28, 10, -30)
VIEWS = {"pulp": "palmar", "nail": "dorsal", "radial": "radial", "ulnar": "ulnar"}
TURNS = ("black", "crust", "crack", "scab", "wound", "blood")
PAINTS = {"black": (32, 26, 26), "scab": (80, 42, 34), "blood": (150, 22, 22), "crust": (228, 214, 190)}
LEAST_MM = 2.0
CRACK_MM, CRACK_WIDE_MM = (2.5, 10.0), (0.2, 0.8)
# A crack shows where it changes a pixel by so many 8-bit levels.
SHOWS = 25
LEAST_WOUND_PX = 1500


@dataclass(frozen=True)
class Fingertip:
    """A drawn finger: where its skin shows, its tone, where to click, and photo px in a millimetre there."""

    name: str
    pixels: np.ndarray
    on: np.ndarray
    tone: int
    click: tuple[float, float]
    px_per_mm: float
    cells: dict[str, str]
    phantom: Phantom | None = None

    @property
    def rng(self) -> np.random.Generator:
        return np.random.default_rng(list(self.name.encode()))  # all of the name: cut short, every finger drew the same


def phantoms(first: int, count: int) -> Iterator[Fingertip]:
    """Yield single fingers without an ulcer; every sixth has the same tone."""
    for seed in range(first, first + count):
        tone = 1 + seed % TONES
        spec = random_spec(
            seed, place="skin", size_px=(960, 720), px_per_mm=(8.5, 11), skin_tone=(tone - 0.5 * (tone > 1), tone)
        )
        assert spec.finger is not None
        phantom = draw_phantom(replace(spec, ulcers=()))
        height = phantom.truth.finger_thickness_mm / 2
        at, further = phantom.truth.camera.project(np.array([[0, 8.0, height], [0, 13.0, height]]))
        yield Fingertip(
            f"drawn {seed}",
            phantom.pixels,
            on_phantom(phantom),
            tone,
            (float(at[0]), float(at[1])),
            float(np.hypot(*(further - at))) / 5,
            {"reference": "aruco:10", "reference_on": "skin", "view": VIEWS[spec.finger.side]},
            phantom,
        )


def on_phantom(phantom) -> np.ndarray:
    """Return where the finger's skin shows, bool (M, N): inside its true outline, and of skin's redness."""
    truth, height = phantom.truth, phantom.truth.finger_thickness_mm / 2
    radius = truth.finger_radius_mm
    angles = np.linspace(np.pi, 2 * np.pi, 30)
    round_end = np.column_stack([0.93 * radius * np.cos(angles), radius + 0.93 * radius * np.sin(angles)])
    outline = np.vstack([[[-0.93 * radius, 24.0]], round_end, [[0.93 * radius, 24.0]]])
    at = truth.camera.project(np.column_stack([outline, np.full(len(outline), height)]))
    on = np.zeros(phantom.pixels.shape[:2], np.uint8)
    cv2.fillPoly(on, [np.rint(at).astype(np.int32)], 1)
    if phantom.spec.finger.side == "nail":
        # The nail plate is no skin: 1.44 radii wide, from 0.14 to 1.86 radii behind the tip.
        plate = radius * np.array([[-0.72, 0.14], [0.72, 0.14], [0.72, 1.86], [-0.72, 1.86]])
        at = truth.camera.project(np.column_stack([plate, np.full(4, 2 * height)]))
        cv2.fillPoly(on, [np.rint(at).astype(np.int32)], 0)
    return (on > 0) & skin_coloured(phantom.pixels)


def skin_coloured(pixels: np.ndarray) -> np.ndarray:
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB).astype(np.float32)
    return np.asarray((lab[..., 1] - 128) / (lab[..., 0] + 30) > 0.03)


def on_red_cloth(picture: HandPicture) -> HandPicture:
    """Lay a woven red ground under a drawn hand."""
    rows, cols = np.mgrid[: picture.labels.shape[0], : picture.labels.shape[1]] * (2 * np.pi / picture.px_per_mm / 0.6)
    rng = np.random.default_rng(int(picture.pixels.sum()) % 2**32)
    weave = 1 + 0.12 * np.sin(rows) * np.sin(cols) + 0.04 * rng.normal(size=picture.labels.shape)
    cloth = rng.uniform((130, 10, 15), (205, 45, 50)) * weave[..., None]
    hand = cv2.GaussianBlur((picture.labels > 0).astype(np.float32), (0, 0), 1.0)[..., None]
    pixels = np.clip(picture.pixels * hand + cloth * (1 - hand), 0, 255).astype(np.uint8)
    return replace(picture, pixels=pixels)


def rendered(folder: Path | None, *, cloth: bool = False) -> Iterator[Fingertip]:
    """Yield the fingers of drawn hands that are whole, straight to the camera and fine enough to be measured."""
    for path in sorted(folder.glob("*.json")) if folder else ():
        picture = on_red_cloth(read_picture(path)) if cloth else read_picture(path)
        for finger in picture.fingers:
            own, px_per_mm = picture.labels == finger.label, finger.width_px / 16
            at = np.array(finger.tip_px) + 0.75 * finger.width_px * np.array(finger.inwards)
            col, row = np.rint(at).astype(int)
            inside = 0 <= row < own.shape[0] and 0 <= col < own.shape[1] and own[row, col]
            if not (inside and finger.tip_in_view and finger.seen_length > 1.5 and px_per_mm >= 8.5):
                continue
            end = cv2.circle(np.zeros(own.shape, np.uint8), (int(col), int(row)), int(finger.width_px), 1, -1) > 0
            on = (
                cv2.erode((own & end & ~picture.nails & ~picture.sores).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
            )
            if on.sum() > 0.5 * finger.width_px**2:
                cells = {"reference": f"scale:{px_per_mm:.3f}", "reference_on": "skin"}
                yield Fingertip(
                    f"hand {path.stem} {finger.label}",
                    picture.pixels,
                    on & skin_coloured(picture.pixels),
                    typology(picture.pixels[on]),
                    (float(at[0]), float(at[1])),
                    px_per_mm,
                    cells,
                )


def typology(skin: np.ndarray) -> int:
    """Return 1 (very light) to 6 (dark) of skin pixels (K, 3)."""
    lab = cv2.cvtColor(np.median(skin, axis=0)[None, None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0, 0]
    angle = np.degrees(np.arctan2(lab[0] - 50, lab[2]))
    return 1 + int(sum(angle <= limit for limit in TYPOLOGY_DEG))


def area(tip: Fingertip, rng: np.random.Generator) -> np.ndarray | None:
    """Return how much of an area with ragged edges near a fingertip covers each pixel; None where too little would."""
    rows, cols = tip.on.shape
    size_px = rng.uniform(4, 10) * tip.px_per_mm
    x, y = np.array(tip.click) + rng.uniform(-5, 5, 2) * tip.px_per_mm
    across, down = np.arange(cols) - x, np.arange(rows)[:, None] - y
    ragged = 1 - np.hypot(across, down / rng.uniform(0.6, 1)) / (size_px / 2) + 0.25 * noise(tip, rng)
    share = np.clip(ragged * size_px / (0.5 * tip.px_per_mm), 0, 1) * tip.on
    return cover(tip, share)


def cover(tip: Fingertip, share: np.ndarray) -> np.ndarray | None:
    parts = cv2.connectedComponentsWithStats((share > 0.5).astype(np.uint8))[2][1:, cv2.CC_STAT_AREA]
    if max(parts, default=0) < np.pi / 4 * (LEAST_MM * tip.px_per_mm) ** 2:
        return None
    return cv2.GaussianBlur(share.astype(np.float32), (0, 0), 1.0)[..., None]


def painted(tip: Fingertip, rng: np.random.Generator, colour: tuple[int, int, int]) -> np.ndarray | None:
    """Paint an area with a grain of its own near a fingertip."""
    share, pixels = area(tip, rng), tip.pixels.astype(np.float32)
    if share is None:
        return None
    light = pixels.mean(axis=2) / np.median(pixels[tip.on].mean(axis=1))
    paint = np.array(colour) * np.clip(light, 0.4, 1.4)[..., None] * (1 + 0.1 * noise(tip, rng)[..., None])
    return np.clip(pixels * (1 - share) + paint * share, 0, 255).astype(np.uint8)


def pasted(tip: Fingertip, rng: np.random.Generator, folder: Path) -> np.ndarray | None:
    """Lay a photographed wound of 4 to 10 mm near a fingertip, as light as the skin that it covers."""
    names, mask = sorted((folder / "masks").glob("*.png")), np.zeros((1, 1), np.uint8)
    while (mask > 127).sum() < LEAST_WOUND_PX:
        chosen = names[int(rng.integers(len(names)))]
        mask = np.asarray(cv2.imread(str(chosen), cv2.IMREAD_GRAYSCALE))
    photo = cv2.imread(str(next((folder / "photos").glob(f"{chosen.stem}.*"))))[..., ::-1]
    wound = (mask > 127).astype(np.float32)
    y, x = (float(v.mean()) for v in np.nonzero(wound))
    scale = rng.uniform(4, 10) * tip.px_per_mm / np.sqrt(4 / np.pi * wound.sum())
    turn = cv2.getRotationMatrix2D((x, y), rng.uniform(0, 360), scale)
    turn[:, 2] += np.array(tip.click) + rng.uniform(-5, 5, 2) * tip.px_per_mm - (x, y)
    size = tip.on.shape[::-1]
    share = cover(tip, cv2.warpAffine(wound, turn, size) * tip.on)
    if share is None:
        return None
    skin = np.median(photo[cv2.dilate(wound, np.ones((41, 41))) - wound > 0], axis=0)
    laid = cv2.warpAffine(photo.astype(np.float32), turn, size) * (np.median(tip.pixels[tip.on], axis=0) / (skin + 1))
    return np.clip(tip.pixels * (1 - share) + laid * share, 0, 255).astype(np.uint8)


def cracked(tip: Fingertip, rng: np.random.Generator) -> np.ndarray | None:
    """Draw a crack of which at least 2 mm in one piece show on a fingertip's skin; None where eight tries give none."""
    for _ in range(8):
        pixels = crack_drawn(tip, rng) if tip.phantom is not None else crack_painted(tip, rng)
        shown = ((np.abs(pixels.astype(int) - tip.pixels).max(axis=-1) > SHOWS) & tip.on).astype(np.uint8)
        closed = cv2.morphologyEx(shown, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
        pieces = cv2.connectedComponentsWithStats(closed)[2]
        if any(np.hypot(*piece[2:4]) >= LEAST_MM * tip.px_per_mm for piece in pieces[1:]):
            return pixels
    return None


def crack_drawn(tip: Fingertip, rng: np.random.Generator) -> np.ndarray:
    assert tip.phantom is not None and tip.phantom.spec.finger is not None
    finger = tip.phantom.spec.finger
    radius = finger.radius_mm
    s, t, angle = rng.uniform(0.6, 2.6) * radius, rng.uniform(-0.6, 0.6) * radius, rng.uniform(0, 180)
    if rng.random() < 0.4:
        s, angle = 3.2 * radius + rng.uniform(-2, 2), rng.normal(0, 25)
    elif finger.side == "nail":
        s, t = rng.uniform(0.4, 1.8) * radius, rng.choice([-1, 1]) * rng.uniform(0.95, 1.1) * radius
        angle = rng.normal(90, 12)
    crack = FissureSpec(
        rng.uniform(*CRACK_MM),
        rng.uniform(*CRACK_WIDE_MM),
        float(s),
        float(t),
        float(angle),
        rng.random(),
        rng.random(),
    )
    return draw_phantom(replace(tip.phantom.spec, finger=replace(finger, fissures=(crack,)))).pixels


def crack_painted(tip: Fingertip, rng: np.random.Generator) -> np.ndarray:
    """Lay a dark red line that ends in points over a picture."""
    rows, cols = tip.on.shape
    middle, turn = np.array(tip.click) + rng.uniform(-6, 6, 2) * tip.px_per_mm, rng.uniform(0, np.pi)
    across, down = np.arange(cols) - middle[0], np.arange(rows)[:, None] - middle[1]
    along, off = across * np.cos(turn) + down * np.sin(turn), down * np.cos(turn) - across * np.sin(turn)
    long_px, wide_px = (rng.uniform(*ends) * tip.px_per_mm for ends in (CRACK_MM, CRACK_WIDE_MM))
    half_px = 0.5 * wide_px * np.sqrt(np.clip(1 - (2 * along / long_px) ** 2, 0, 1))
    share = np.clip(0.5 + half_px - np.abs(off + 0.2 * tip.px_per_mm * noise(tip, rng)), 0, 1) * (half_px > 0) * tip.on
    share = cv2.GaussianBlur(share.astype(np.float32), (0, 0), 0.7)[..., None]
    red = rng.random()
    colour = np.array((46, 20, 18)) * (1 - red) + np.array((150, 32, 30)) * red
    light = tip.pixels[tip.on].mean() / 170
    return np.clip(tip.pixels * (1 - share) + colour * min(light, 1.2) * share, 0, 255).astype(np.uint8)


def without_nail(tip: Fingertip) -> np.ndarray | None:
    if tip.phantom is None or tip.phantom.spec.finger is None or tip.phantom.spec.finger.side != "nail":
        return None
    return draw_phantom(replace(tip.phantom.spec, finger=replace(tip.phantom.spec.finger, nail=False))).pixels


def noise(tip: Fingertip, rng: np.random.Generator) -> np.ndarray:
    """Return smooth noise of about unit sd and a third of a millimetre, (rows, cols)."""
    blurred = cv2.GaussianBlur(rng.normal(size=tip.on.shape).astype(np.float32), (0, 0), tip.px_per_mm / 3)
    return np.asarray(blurred / max(float(blurred.std()), 1e-6))


def status(pixels: np.ndarray, tip: Fingertip, folder: Path, *, kind: str, click: bool) -> str:
    """Return what `measure` says of a photo, with a click on the end phalanx or with nothing pointed at."""
    if tip.phantom is None:
        cv2.imwrite(str(folder / "photo.png"), np.ascontiguousarray(pixels[..., ::-1]))
    else:
        write_phantom(replace(tip.phantom, pixels=pixels), folder / "photo.png")  # with what the camera notes
    row = {"photo": "photo.png"} | tip.cells
    if click:
        row |= {"x": f"{tip.click[0]:.1f}", "y": f"{tip.click[1]:.1f}"}
    said = measure_photo(row, read_protocol(), root=folder, overlay=False).photo
    print(f"{tip.name} (tone {tip.tone}) {kind}: {said['status']}; {said['reason'][:160]}", file=sys.stderr, flush=True)
    return str(said["status"])


def kinds_of_area(wounds: Path | None) -> dict[str, Callable[[Fingertip, np.random.Generator], np.ndarray | None]]:
    """Return how each kind of area is laid on a fingertip."""
    kinds: dict[str, Callable[[Fingertip, np.random.Generator], np.ndarray | None]] = {
        kind: partial(painted, colour=colour) for kind, colour in PAINTS.items()
    }
    if wounds is not None:
        kinds["wound"] = partial(pasted, folder=wounds)
    return kinds | {"crack": cracked}


def diseased(tip: Fingertip, wounds: Path | None) -> Iterator[tuple[str, np.ndarray]]:
    """Yield a fingertip with each kind of area on it."""
    rng = tip.rng
    for kind, draw in kinds_of_area(wounds).items():
        if (pixels := draw(tip, rng)) is not None:
            yield kind, pixels
    if (pixels := without_nail(tip)) is not None:
        yield "lost nail", pixels


def one_diseased(tip: Fingertip, wounds: Path | None, turn: int) -> Iterator[tuple[str, np.ndarray]]:
    """Yield a fingertip with the one kind of area whose turn it is; every seventh loses its nail where one shows."""
    if turn % 7 == 6 and (pixels := without_nail(tip)) is not None:
        yield "lost nail", pixels
        return
    kinds = kinds_of_area(wounds)
    order = [kind for kind in TURNS if kind in kinds]
    for kind in (order[(turn + step) % len(order)] for step in range(len(order))):
        if (pixels := kinds[kind](tip, tip.rng)) is not None:
            yield kind, pixels
            return


def areas(
    tip: Fingertip, given: argparse.Namespace, number: int, turns: Counter[bool]
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the diseased pictures that are asked for of a finger; `turns` counts drawn and rendered ones."""
    if given.one:
        yield from one_diseased(tip, given.wounds, turns[tip.phantom is None])
        turns[tip.phantom is None] += 1
    elif given.each and number % given.each == 0:
        yield from diseased(tip, given.wounds)


def of_all(counts: Counter[str], word: str) -> str:
    """Return how many of those that were not refused got a word, with Wilson's interval."""
    hits, judged = counts[word], sum(counts.values()) - counts["refused"]
    low, high = wilson(hits / max(judged, 1), judged)
    return f"{word} {hits} of {judged} judged ({100 * low:.1f}-{100 * high:.1f} %); {dict(sorted(counts.items()))}"


def keep(folder: Path | None, tip: Fingertip, what: str, pixels: np.ndarray) -> None:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f"{tip.name} {what}.png"), np.ascontiguousarray(pixels[..., ::-1]))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int, nargs="?", default=60)
    parser.add_argument("--first", type=int, default=5000)
    parser.add_argument("--wounds", type=Path, help="folder of photos/ and masks/ of wounds")
    parser.add_argument("--hands", type=Path, help="folder of drawn hands")
    parser.add_argument("--cloth", action="store_true", help="lay red cloth under the hands")
    parser.add_argument("--unprompted", action="store_true", help="point at nothing")
    parser.add_argument("--each", type=int, default=1, help="diseased areas on every so manieth finger; 0 for none")
    parser.add_argument("--one", action="store_true", help="one diseased area a finger, the kinds in turn")
    parser.add_argument("--keep", type=Path, help="folder for diseased ones that come back no ulcer")
    return parser.parse_args()


def main() -> None:
    given = arguments()
    healthy: dict[int, Counter[str]] = {tone: Counter() for tone in range(1, TONES + 1)}
    ill: dict[str, Counter[str]] = {}
    turns: Counter[bool] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for number, tip in enumerate(
            chain(phantoms(given.first, given.count), rendered(given.hands, cloth=given.cloth))
        ):
            said = status(tip.pixels, tip, Path(folder), kind="healthy", click=not given.unprompted)
            healthy[tip.tone][said] += 1
            if said in ("measured", "indeterminate"):
                keep(given.keep, tip, f"healthy {said}", tip.pixels)
            for kind, pixels in () if given.one and said == "refused" else areas(tip, given, number, turns):
                said = status(pixels, tip, Path(folder), kind=kind, click=not given.unprompted)
                ill.setdefault(kind, Counter())[said] += 1
                if said == "no ulcer":
                    keep(given.keep, tip, kind, pixels)
    for tone, counts in healthy.items():
        print(f"healthy, tone {tone}:", of_all(counts, "indeterminate"))
    print("healthy, all:", of_all(sum(healthy.values(), Counter()), "indeterminate"))
    for kind, counts in ill.items():
        print(f"{kind}:", of_all(counts, "no ulcer"))
    print("diseased, all:", of_all(sum(ill.values(), Counter()), "no ulcer"))


if __name__ == "__main__":
    main()
