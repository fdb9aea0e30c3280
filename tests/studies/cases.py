"""The known wrong inputs, each as their README says: `python tests/studies/cases.py DIR`.

DIR is the folder of cases that is lent beside a checkout (``../shared/cases``) and never part of it. Each file goes
through the command line as a person would call it; printed are the file, what is right, what was got, and whether it is
ok. Exit status 1 where one is not, 2 where there is no such folder.
"""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

HOME = Path(__file__).parents[2]
ON_SKIN = ("--reference", "aruco:10", "--reference-on", "skin")
ON_TABLE = ("--reference", "aruco:15", "--reference-on", "table")
WEEK_12 = HOME / "sample_images" / "study" / "photos" / "S03_week12_2024-07-29.jpg"
MOST_S = 300
PHOTOS_HEADER = "photo,subject_id,visit,date,hand,finger,view,reference,reference_on,reference_box\n"


@dataclass(frozen=True)
class Got:
    """What a command said: its exit status, its rows, all its words, and how long it took."""

    status: int
    rows: list[dict[str, str]]
    words: str
    seconds: float

    @property
    def brief(self) -> str:
        """The outcome in a line."""
        if not self.rows:
            return f"exit {self.status}: {' '.join(self.words.split())[:110]}"
        return "; ".join(_brief(row) for row in self.rows)


def _brief(row: dict[str, str]) -> str:
    if row["diameter_mm"]:
        low, high = row["diameter_low_mm"], row["diameter_high_mm"]
        return f"{row['diameter_mm']} ({low}-{high}), over 2 mm: {row['over_threshold']}"
    return f"{row['status']}: {row['reason'].rsplit('/', 1)[-1][:110]}"


@dataclass(frozen=True)
class Case:
    """A file, what is right of it, how it is tried and what makes it ok."""

    file: str
    right: str
    call: Callable[[], Got]
    ok: Callable[[Got], bool]


def ulcermeter(*words: str | Path) -> Got:
    """Call the command line, without a traceback of its own counting as words."""
    start = time.monotonic()
    env = {**os.environ, "PYTHONPATH": str(HOME)}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "ulcermeter", *map(str, words)],
            capture_output=True, text=True, env=env, timeout=MOST_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Got(-1, [], f"still running after {MOST_S} s", MOST_S)
    rows = list(csv.DictReader(io.StringIO(done.stdout))) if done.stdout.startswith("subject_id,") else []
    return Got(done.returncode, rows, done.stdout + done.stderr, time.monotonic() - start)


# --- what is ok -------------------------------------------------------------------------------------------------------


def near(right: float, within: float = 0.05) -> Callable[[Got], bool]:
    """One ulcer, of this diameter."""
    return lambda got: len(got.rows) == 1 and abs(_number(got, "diameter_mm") - right) <= within


def covers(right: float) -> Callable[[Got], bool]:
    """One ulcer, whose interval covers this diameter."""
    low, high = "diameter_low_mm", "diameter_high_mm"
    return lambda got: len(got.rows) == 1 and _number(got, low) <= right <= _number(got, high)


def _number(got: Got, name: str) -> float:
    return float(got.rows[0][name] or "nan")


def status(wanted: str, *words: str) -> Callable[[Got], bool]:
    """No measurement but this status, and these words in the reason."""
    return lambda got: (
        len(got.rows) == 1
        and got.rows[0]["status"] == wanted
        and all(word in got.rows[0]["reason"] for word in words)
        and "a fault of ours" not in got.rows[0]["reason"]
    )


def either(*ways: Callable[[Got], bool]) -> Callable[[Got], bool]:
    """Any of these."""
    return lambda got: any(way(got) for way in ways)


# --- the cases --------------------------------------------------------------------------------------------------------


def cases(root: Path, work: Path) -> Iterator[Case]:
    """Yield the rows of the README, in its order."""

    def measured(photo: str | Path, *more: str | Path, given: tuple[str, ...] = ON_SKIN) -> Callable[[], Got]:
        return lambda: ulcermeter("measure", root / photo, *given, *more)

    def traced(name: str, photo: str | Path = "masks/std.jpg") -> Callable[[], Got]:
        return measured(photo, "--mask", root / name)

    refused_or_failed = either(status("refused"), status("failed"))
    yield Case("dicom/ybr_422.dcm", "2.95 ± .05, or refused", measured("dicom/ybr_422.dcm"),
               either(near(2.95), refused_or_failed))  # fmt: skip
    yield Case("dicom/jpeg_422.dcm", "2.956", measured("dicom/jpeg_422.dcm"), near(2.956))
    yield Case("masks/good.png", "3.04", traced("masks/good.png"), near(3.04))
    inverted = either(status("refused", "inverted"), status("failed", "inverted"), near(3.04))
    for name in ("black_on_white.png", "imagej_invlut.tif"):
        yield Case(f"masks/{name}", 'refused "inverted?", or 3.04', traced(f"masks/{name}"), inverted)
    turned = either(near(3.04), status("failed", "rientation"), status("refused", "rientation"))
    yield Case("masks/mask_unrotated.png", "turned, or refused naming the orientation",
               traced("masks/mask_unrotated.png"), turned)  # fmt: skip
    for name in ("alpha_layer.png", "alpha_layer_right.png"):
        yield Case(f"masks/{name}", "5.62", traced(f"masks/{name}", WEEK_12), near(5.62))
    for more in ((), ("--mask", root / "crop/mask_crop_corner.png")):
        name = "crop/crop_corner.jpg" + (" with mask_crop_corner.png" if more else "")
        call = measured("crop/crop_corner.jpg", *more, given=ON_TABLE)
        yield Case(name, "covers 3.00, or refused", call, either(covers(3.0), status("refused")))
    for name in ("b_R10_a0.jpg", "b_R8_a1.57.jpg", "bent_R30.jpg", "b_R100000_a0.jpg"):
        flat = name == "b_R100000_a0.jpg"
        for more in ((), ("--mask", root / "bent/truth_mask.png")):
            right = "covers 3.00, not refused" if flat else 'refused "lay it flat", or covers 3.00'
            ok = covers(3.0) if flat else either(covers(3.0), status("refused", "flat"))
            yield Case(f"bent/{name}" + (" with truth_mask.png" if more else ""), right,
                       measured(f"bent/{name}", *more), ok)  # fmt: skip
    for name in ("zeroed_block.png", "one_bit.png"):
        yield Case(f"damaged/{name}", "failed: damaged", measured(f"damaged/{name}"), status("failed", "damaged"))
    yield Case("damaged/mask_half.png", "failed: damaged", traced("damaged/mask_half.png"), status("failed", "damaged"))
    yield Case("damaged/mask_ok.png", "read", traced("damaged/mask_ok.png"),
               lambda got: [row["status"] for row in got.rows] == ["measured"])  # fmt: skip
    yield from _crashing(root, work)
    for name in ("indexerror.heic", "missing_dimensions.tif", "bitsstored_list.dcm", "dcm_deflated_bomb.dcm",
                 "jpeg_scans_9990_1000.jpg"):  # fmt: skip
        yield Case(f"hostile/{name}", "failed in a sentence", measured(f"hostile/{name}"), status("failed"))
    yield from _references(root, work, measured)


def _crashing(root: Path, work: Path) -> Iterator[Case]:
    study = work / "crashing"
    names = {"segfault.heic": root / "hostile/segfault.heic", "std.jpg": root / "masks/std.jpg"}
    rows = [f"photos/{name},S0{k},screening,2024-03-01,left,index,palmar,aruco:10,skin,\n"
            for k, name in enumerate(names, start=1)]  # fmt: skip
    _write_study(study, rows, names)
    yield Case("hostile/segfault.heic in run", "that row failed, the other measured", lambda: _run(study),
               lambda got: [row["status"] for row in got.rows] == ["failed", "measured"])  # fmt: skip
    yield Case("hostile/segfault.heic in run, two jobs", "the same", lambda: _run(study, "--jobs", "2"),
               lambda got: [row["status"] for row in got.rows] == ["failed", "measured"])  # fmt: skip
    yield Case("hostile/segfault.heic in check", "that row would fail, exit 1", lambda: ulcermeter("check", study),
               lambda got: got.status == 1 and got.words.count("would fail: ") == 1)  # fmt: skip


def _references(root: Path, work: Path, measured: Callable[..., Callable[[], Got]]) -> Iterator[Case]:
    photo = "references/two_markers.jpg"
    yield Case(photo, "refused naming both", measured(photo), status("refused"))
    box = _box_of_the_printed(root / photo)
    yield Case(f"{photo}, boxed", "2.95", measured(photo, "--reference-box", box), near(2.95))
    study = work / "boxed"
    _write_study(study, [f"photos/a.jpg,S01,screening,2024-03-01,left,index,palmar,aruco:10,skin,{box}\n"
                         .replace(box, box.replace(",", " "))], {"a.jpg": root / photo})  # fmt: skip
    yield Case(f"{photo} in a study", "2.95", lambda: _run(study), near(2.95))
    photo = "references/mirrored.jpg"
    yield Case(photo, "refused: mirrored", measured(photo), status("refused", "mirror"))


def _box_of_the_printed(photo: Path) -> str:
    """Return a box round the marker that is meant, number 7 as drawn beside the ulcer; the other is a stray one."""
    import cv2

    grey = cv2.imread(str(photo), cv2.IMREAD_GRAYSCALE)
    markers = cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50))
    found, ids, _ = markers.detectMarkers(grey)
    corners = next(marker.reshape(4, 2) for marker, number in zip(found, ids.ravel(), strict=True) if number == 7)
    x, y = corners.min(axis=0) - 20
    width, height = corners.max(axis=0) + 20 - (x, y)
    return f"{x:.0f},{y:.0f},{width:.0f},{height:.0f}"


def _write_study(study: Path, rows: list[str], photos: dict[str, Path]) -> None:
    (study / "photos").mkdir(parents=True)
    for name, path in photos.items():
        (study / "photos" / name).write_bytes(path.read_bytes())
    (study / "photos.csv").write_text(PHOTOS_HEADER + "".join(rows), encoding="utf-8")


def _run(study: Path, *more: str) -> Got:
    """Run a study anew; its rows are those of the results' photos, with what was measured on them."""
    with tempfile.TemporaryDirectory() as results:
        said = ulcermeter("run", study, "-o", results, *more)
        tables = {}
        for name in ("photos", "measurements"):
            path = Path(results) / f"{name}.csv"
            text = path.read_text(encoding="utf-8") if path.exists() else ""
            tables[name] = list(csv.DictReader(io.StringIO(text)))
    empty = dict.fromkeys(("diameter_mm", "diameter_low_mm", "diameter_high_mm", "over_threshold"), "")
    numbers = {row["photo"]: row for row in tables["measurements"]}
    rows = [{**empty, **numbers.get(row["photo"], {}), **row} for row in tables["photos"]]
    return Got(said.status, rows, said.words, said.seconds)


def main(root: Path) -> int:
    """Try every case, print a line each, return the exit status."""
    if not (root / "README.md").is_file():
        print(f"{root}: expected the folder of cases, which is lent beside a checkout (../shared/cases); got none.")
        return 2
    wrong = 0
    print(f"{'file':44} | {'right':42} | {'got':60} | ok")
    with tempfile.TemporaryDirectory() as work:
        for case in cases(root.resolve(), Path(work)):
            got = case.call()
            ok = case.ok(got)
            wrong += not ok
            said = f"{got.brief} [{got.seconds:.0f} s]"
            print(f"{case.file:44} | {case.right:42} | {said:60} | {'ok' if ok else 'NOT OK'}", flush=True)
    print("all ok" if not wrong else f"{wrong} not ok")
    return int(wrong > 0)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1])))
