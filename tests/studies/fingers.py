"""The pointed-at finger against fingers outlined by eye, or against drawn ones: `fingers.py DIR [--located]`.

DIR holds `fingers.csv` (photo, kind, x, y, tip_x, tip_y, base_x, base_y, width_px, polygon: pixels, corner convention)
or what `draw_hands.py` wrote. Each finger is pointed at in the middle of its end phalanx, with the scale given (a
finger 16 mm wide) or, with --unscaled, not. Prints by kind, of drawn ones by how much is seen of the finger: the share
of tips that are right (a quarter of the width along, 0.3 across, direction within 15 degrees) with Wilson's 95 %
interval, the mask's IoU within 1.5 widths of the tip, the median errors (widths, degrees), and how often no finger or
no tip was found. With --located the same of `locate_finger`, the solid fitted to the photo's edges. Further lines on
request: --unprompted, what is located on each photo with nothing pointed at (a finger of it rightly, wrongly, none, or
several and so a question); --statuses, what `measure` says of each finger with a click where it has the resolution (all
are healthy).

Of drawn pictures --unprompted takes every one, whole fingers or none, and says by what is in view: the finger located
is right (as above), off (another than right, the tip within half a width of one in view and the direction within 60
degrees), wrong (the tip of no finger in view, or not its way), asks which, or none. With --only-unprompted it is all
that is done.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from ulcermeter.calibration import calibrate, rectify
from ulcermeter.datatypes import CameraInfo, Finger, Photo, RectifiedPhoto
from ulcermeter.finger import finger_ends, locate_finger
from ulcermeter.finger.network import load_finger_model
from ulcermeter.finger.pointed import EXPECTED_WIDTH_MM, PointedFinger, point_out_finger
from ulcermeter.networks.engine import OpenNetwork
from ulcermeter.phantom.hands import FingerTruth, HandPicture, read_picture
from ulcermeter.pipeline import measure_photo
from ulcermeter.protocol import read_protocol
from ulcermeter.statistics import wilson

ALONG, ACROSS, WAY_DEG, NEAR_TIP = 0.25, 0.30, 15.0, 1.5
# Of a finger located with nothing pointed at: further from a tip in view, or turned further, it is none of the fingers.
OFF_WIDTHS, OFF_DEG = 0.5, 60.0
LEAST_WIDTH_PX = 14.0
# Drawn fingers by how far their tip lies from the middle joint as seen, widths: of the real ones of `fingers.csv` the
# least is 1.6; of a straight finger it is about 3.
SEEN_WIDTHS = (1.6, 2.4)
ASKS, NONE = "several, asks which", "none"


@dataclass(frozen=True)
class Case:
    """One finger: where it is pointed at, and its truth; px from the first pixel's centre."""

    name: str
    kind: str
    pixels: np.ndarray
    at: np.ndarray
    tip: np.ndarray
    inwards: np.ndarray
    width: float
    mask: np.ndarray
    path: Path = Path()
    seen_widths: float = np.nan

    @property
    def group(self) -> str:
        """Its kind; of a drawn finger with how much is seen of it."""
        if self.kind != "drawn":
            return self.kind
        least, long = SEEN_WIDTHS
        if self.seen_widths >= long:
            return f"drawn, {long:g} widths seen and more"
        return f"drawn, {least:g} to {long:g}" if self.seen_widths >= least else f"drawn, under {least:g}"


@dataclass(frozen=True)
class Result:
    name: str
    iou: float = 0.0
    along: float = np.inf
    across: float = np.inf
    way_deg: float = 180.0
    found: bool = False
    tip_seen: bool = False

    @property
    def right(self) -> bool:
        return self.along <= ALONG and self.across <= ACROSS and self.way_deg <= WAY_DEG


def outlined_fingers(folder: Path) -> Iterator[Case]:
    """Yield the fingers of `fingers.csv`."""
    with (folder / "fingers.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            picture = cv2.imread(str(folder / row["photo"]), cv2.IMREAD_COLOR)
            assert picture is not None, row["photo"]
            pixels = picture[..., ::-1]
            at, tip, base = (
                np.array([float(row[f"{name}x"]), float(row[f"{name}y"])]) - 0.5 for name in ("", "tip_", "base_")
            )
            polygon = np.array([[float(v) for v in pair.split()] for pair in row["polygon"].split(";")]) - 0.5
            mask = np.zeros(pixels.shape[:2], np.uint8)
            cv2.fillPoly(mask, [np.round(polygon * 16).astype(np.int32)], 1, shift=4)
            inwards = (base - tip) / np.hypot(*(base - tip))
            name = f"{Path(row['photo']).name} {row['finger_id']}"
            yield Case(
                name, row["kind"], pixels, at, tip, inwards, float(row["width_px"]), mask > 0, folder / row["photo"]
            )


def drawn_fingers(folder: Path) -> Iterator[Case]:
    """Yield the fingers of drawn pictures whose ends are whole in view, each pointed at 0.75 widths behind its tip."""
    for path in sorted(folder.glob("*.json")):
        yield from (case for case in tips_in_view(read_picture(path), path) if case.kind == "drawn")


def tips_in_view(picture: HandPicture, path: Path) -> Iterator[Case]:
    """Yield the fingers of a drawn picture whose tips are in view: *drawn* with a whole end, else *part*."""
    for finger in picture.fingers:
        tip, inwards = np.array(finger.tip_px), np.array(finger.inwards)
        at, own = tip + 0.75 * finger.width_px * inwards, picture.labels == finger.label
        if finger.tip_in_view:
            whole = finger.width_px >= LEAST_WIDTH_PX and _whole_end(own, tip, at, finger)
            name = f"{path.stem} {finger.label}"
            kind = "drawn" if whole else "part"
            fixed = (name, kind, picture.pixels, at, tip, inwards, finger.width_px, own, path)
            yield Case(*fixed, finger.seen_length)


def _whole_end(own: np.ndarray, tip: np.ndarray, at: np.ndarray, finger: FingerTruth) -> bool:
    """Say whether a person could point at it: long enough as seen, and most of its first 1.5 widths in the picture."""
    y, x = np.nonzero(own)
    near = (np.hypot(x - tip[0], y - tip[1]) < 1.5 * finger.width_px).sum()
    col, row = np.rint(at).astype(int)
    inside = 0 <= row < own.shape[0] and 0 <= col < own.shape[1]
    return finger.seen_length > 1.2 and near > 0.9 * finger.width_px**2 and inside and bool(own[row, col])


def measure(case: Case, found: PointedFinger | None) -> Result:
    """Hold a finger as found against its truth."""
    if found is None:
        return Result(case.name)
    side = np.array([-case.inwards[1], case.inwards[0]])
    y, x = np.mgrid[: case.mask.shape[0], : case.mask.shape[1]]
    away = np.stack([x - case.tip[0], y - case.tip[1]], axis=-1)
    near = (away @ case.inwards < NEAR_TIP * case.width) & (np.hypot(*away.transpose(2, 0, 1)) < 3 * case.width)
    both, either = (found.mask & case.mask)[near].sum(), (found.mask | case.mask)[near].sum()
    iou = float(both / max(either, 1))
    way = float(np.degrees(np.arccos(np.clip(np.dot(found.inwards, case.inwards), -1, 1))))
    if found.tip_px is None:
        return Result(case.name, iou, way_deg=way, found=True)
    error = (np.array(found.tip_px) - case.tip) / case.width
    return Result(case.name, iou, float(abs(error @ case.inwards)), float(abs(error @ side)), way, True, True)


def stated(case: Case) -> RectifiedPhoto:
    """Return the case's photo with the scale at which its finger is 16 mm wide."""
    return at_scale(case.pixels, case.name, case.width / EXPECTED_WIDTH_MM)


def at_scale(pixels: np.ndarray, name: str, px_per_mm: float) -> RectifiedPhoto:
    """Return a photo with its scale stated."""
    photo = Photo(np.ascontiguousarray(pixels), name, None, CameraInfo(), Path(name))
    calibration = calibrate(photo, reference=f"scale:{px_per_mm:.6f}", reference_on="skin")
    return rectify(photo, calibration, spacing_mm=1.0)


def as_pointed(case: Case, rectified: RectifiedPhoto, finger: Finger | None) -> PointedFinger | None:
    """Return a located finger in the photo's pixels."""
    if finger is None:
        return None
    calibration = rectified.calibration
    tip = calibration.to_px(np.array([finger.tip_mm]))[0]
    mask = np.zeros(case.mask.shape, np.float32)
    cv2.fillPoly(mask, [np.round(calibration.to_px(finger.outline_mm) * 16).astype(np.int32)], 1.0, shift=4)
    x, y = case.at
    width = 2 * finger.radius_mm * case.width / EXPECTED_WIDTH_MM
    return PointedFinger((float(x), float(y)), mask, finger.axis, width, (float(tip[0]), float(tip[1])), 1.0)


def located(case: Case) -> PointedFinger | None:
    """Locate the finger at a case's point."""
    rectified = stated(case)
    return as_pointed(case, rectified, locate_finger(rectified, near_px=tuple(case.at)))


def only_finger(rectified: RectifiedPhoto) -> Finger | str:
    """Return the one finger that is located with nothing pointed at, as in a run; else say why there is none."""
    ends = finger_ends(rectified)
    if len(ends) > 1:
        return ASKS
    return locate_finger(rectified, near_px=ends[0].at_px if ends else None, pointed_at=False) or NONE


def unprompted(cases: list[Case]) -> str:
    """Say what is located on a photo on which nothing is pointed at, by the fingers of it that are outlined."""
    rectified = stated(cases[0])
    finger = only_finger(rectified)
    if isinstance(finger, str):
        return finger
    tip = rectified.calibration.to_px(np.array([finger.tip_mm]))[0]
    nearest = min(cases, key=lambda case: float(np.hypot(*(case.tip - tip))))
    return "right" if measure(nearest, as_pointed(nearest, rectified, finger)).right else "wrong"


def in_view(picture: HandPicture, cases: list[Case]) -> str:
    """Say what a drawn picture shows, by the fingers whose tips are in view."""
    whole = sum(case.kind == "drawn" for case in cases)
    if whole > 1:
        return "several whole ends"
    if whole == 1:
        return "one whole end" if len(cases) == 1 else "one whole end beside parts"
    return "no whole end" if picture.fingers else "no finger"


def unprompted_drawn(picture: HandPicture, path: Path) -> tuple[str, str]:
    """Say what a drawn picture shows, and what is located on it with nothing pointed at."""
    cases = list(tips_in_view(picture, path))
    rectified = at_scale(picture.pixels, path.stem, px_per_mm(picture, cases))
    finger, shows = only_finger(rectified), in_view(picture, cases)
    return shows, finger if isinstance(finger, str) else against_truth(cases, rectified, finger)


def px_per_mm(picture: HandPicture, cases: list[Case]) -> float:
    """Return the scale at which the fingers whose tips are in view, else those in view, are 16 mm wide."""
    widths = [case.width for case in cases] or [finger.width_px for finger in picture.fingers]
    return float(np.median(widths)) / EXPECTED_WIDTH_MM if widths else picture.px_per_mm


def against_truth(cases: list[Case], rectified: RectifiedPhoto, finger: Finger) -> str:
    """Hold a located finger against all tips in view."""
    tip, way = rectified.calibration.to_px(np.array([finger.tip_mm]))[0], np.asarray(finger.axis)
    same = [
        case
        for case in cases
        if np.hypot(*(case.tip - tip)) < OFF_WIDTHS * case.width and way @ case.inwards > np.cos(np.radians(OFF_DEG))
    ]
    if not same:
        return "wrong"
    return "right" if any(measure(case, as_pointed(case, rectified, finger)).right for case in same) else "off"


def status(case: Case) -> str:
    """Return what `measure` says of a healthy finger with a click on it."""
    row = {
        "photo": str(case.path),
        "x": case.at[0],
        "y": case.at[1],
        "reference": f"scale:{case.width / EXPECTED_WIDTH_MM:.4f}",
        "reference_on": "skin",
    }
    return str(measure_photo(row, read_protocol(), root=case.path.anchor or ".", overlay=False).photo["status"])


def line(kind: str, results: list[Result]) -> str:
    """Return a kind's row of the table."""
    hits, count = sum(one.right for one in results), len(results)
    low, high = wilson(hits / max(count, 1), count)
    iou = np.array([one.iou for one in results])
    seen = [one for one in results if one.tip_seen]
    errors = [np.median([getattr(one, name) for one in seen]) if seen else np.nan for name in ("along", "across")]
    way = np.median([one.way_deg for one in results])
    return (
        f"| {kind} | {count} | {hits}/{count} ({low:.2f}-{high:.2f}) | {np.median(iou):.3f} | {iou.mean():.3f} | "
        f"{errors[0]:.2f} | {errors[1]:.2f} | {way:.1f} | {sum(not one.found for one in results)} | "
        f"{sum(one.found and not one.tip_seen for one in results)} |"
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path, help="an ONNX file; default the shipped network")
    parser.add_argument("--unscaled", action="store_true", help="the scale is not given")
    parser.add_argument("--located", action="store_true", help="the solid fitted to the photo's edges")
    parser.add_argument("--unprompted", action="store_true", help="also with nothing pointed at")
    parser.add_argument("--only-unprompted", action="store_true", help="nothing but that, on drawn pictures")
    parser.add_argument("--statuses", action="store_true", help="also what measure says of each")
    parser.add_argument("--limit", type=int, help="the first so many fingers only")
    parser.add_argument("--wrong", action="store_true", help="name the fingers that are wrong")
    return parser.parse_args()


def find(case: Case, model: OpenNetwork, given: argparse.Namespace) -> PointedFinger | None:
    """Find a case's finger as the arguments say."""
    if given.located:
        return located(case)
    spacing = None if given.unscaled else EXPECTED_WIDTH_MM / case.width
    return point_out_finger(case.pixels, at_px=tuple(case.at), spacing_mm=spacing, model=model)


def main() -> None:
    given = arguments()
    model = load_finger_model(given.model)
    outlined = (given.folder / "fingers.csv").exists()
    if not outlined and (given.unprompted or given.only_unprompted):
        print_drawn(sorted(given.folder.glob("*.json")), names=given.wrong)
    if given.only_unprompted:
        return
    cases = islice(outlined_fingers(given.folder) if outlined else drawn_fingers(given.folder), given.limit)
    by_kind: dict[str, list[Result]] = defaultdict(list)
    by_photo: dict[tuple[str, Path], list[Case]] = defaultdict(list)
    statuses: Counter[tuple[str, str]] = Counter()
    seconds = 0.0
    for case in cases:
        began = time.process_time()
        found = find(case, model, given)
        seconds += time.process_time() - began
        by_kind[case.group].append(measure(case, found))
        if given.unprompted and outlined:
            by_photo[case.kind, case.path].append(case)
        if given.statuses and case.width / EXPECTED_WIDTH_MM >= read_protocol().gates.px_per_mm_min:
            statuses[case.kind, status(case)] += 1
    everything = [one for results in by_kind.values() for one in results]
    print("| kind | n | tip right (95 %) | IoU median | mean | along | across | direction | no finger | no tip |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for kind in sorted(by_kind):
        print(line(kind, by_kind[kind]))
    print(line("all", everything))
    print(f"{seconds / max(len(everything), 1):.3f} s of processor a finger; network {model.sha256[:12]}")
    print_unprompted(by_photo)
    print_counts("measure with a click, fingers", statuses)
    for one in everything if given.wrong else []:
        if not one.right:
            errors = f"along {one.along:.2f}, across {one.across:.2f}, {one.way_deg:.0f} deg"
            print(f"{one.name}: IoU {one.iou:.2f}, {errors}")


def print_drawn(paths: list[Path], *, names: bool) -> None:
    """Print what is located on drawn pictures with nothing pointed at, by what they show."""
    said = {path.stem: unprompted_drawn(read_picture(path), path) for path in paths}
    words = ("right", "off", "wrong", ASKS, NONE)
    print("| nothing pointed at | n | " + " | ".join(words) + " |\n|" + "---|" * (len(words) + 2))
    for shows in [*sorted({shown for shown, _ in said.values()}), "all"]:
        counts = Counter(word for shown, word in said.values() if shows in (shown, "all"))
        cells = []
        for word in words:
            low, high = wilson(counts[word] / counts.total(), counts.total())
            cells.append(f"{counts[word]} ({low:.3f}-{high:.3f})")
        print(f"| {shows} | {counts.total()} | " + " | ".join(cells) + " |")
    for name, (shows, word) in said.items() if names else ():
        if word in ("wrong", "off") or (shows == "one whole end" and word != "right"):
            print(f"{name}: {shows}, {word}")


def print_unprompted(by_photo: dict[tuple[str, Path], list[Case]]) -> None:
    """Print what is located with nothing pointed at, by kind, and apart where one finger alone is outlined."""
    words = {key: unprompted(some) for key, some in by_photo.items()}
    outlined = Counter[Path]()
    for (_, path), some in by_photo.items():
        outlined[path] += len(some)
    print_counts("with nothing pointed at, photos", Counter((kind, word) for (kind, _), word in words.items()))
    alone = {path: word for (_, path), word in words.items() if outlined[path] == 1}
    print_counts("of them", Counter(("one finger outlined", word) for word in alone.values()))


def print_counts(heading: str, counts: Counter[tuple[str, str]]) -> None:
    for (kind, word), count in sorted(counts.items()):
        print(f"{heading}: {kind}, {word}: {count}")


if __name__ == "__main__":
    main()
