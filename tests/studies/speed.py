"""Time and memory of one photo end to end, beside the bare decode of the same file: `speed.py [--data DIR]`.

Draws phone photos of 12 megapixels (JPEG of quality 90, 4:2:0, 3-5 MB) of a finger with and without an ulcer, beside a
marker, the card and a disc, with nothing pointed at (and once with a click), and measures them and the photos of
DIR/hand_card with `measure_photo` on one core. Prints CPU seconds of the decode (`cv2.imread`), of everything, and of
each stage in decodes; then, through the command's own workers, photos a second with one process and with two, the
memory of a worker, and the seconds from the start of the command to its first photo. The last three are wall times:
they say something on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2

from ulcermeter.calibration.card.layout import CARD_MM, card_texture
from ulcermeter.phantom import draw_phantom, random_spec, write_phantom
from ulcermeter.pipeline import measure_photo, one_photo
from ulcermeter.pipeline.workers import Task, run_tasks, use_one_thread
from ulcermeter.protocol import read_protocol

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
SIZE_PX, PX_PER_MM, NOISE_SD, QUALITY = (4000, 3000), (19.0, 21.0), (8.0, 8.0), 90
"""A phone's main camera 20 cm above the table; its grain makes the file as large as a phone's."""
REFERENCES = {"aruco": "aruco:10", "card": "card", "disc": "disc:10"}
MORE: dict[str, dict[str, Any]] = {
    "card": {"texture": card_texture(30.0), "texture_size_mm": CARD_MM},
    "disc": {"reference_offset_mm": (0.0, 15.0)},
}
STAGES = {
    "read": ("open_photo", "compare_dates"),
    "calibrate": ("read_prompt", "calibrate_photo", "check_tilt", "standardise"),
    "ulcers": ("outline_ulcers", "check_tracing"),
    "finger": ("find_finger",),
    "gates": ("judge_gates", "pass_gates", "look_again", "check_in_view", "check_clear_skin"),
    "measure": ("_measured",),
    "rows, overlay": ("_finished", "_refused", "_failed"),
}
LIMIT = 4.0
CLICKED = "aruco"
"""Whose photo with an ulcer is measured with a click on it too."""


@dataclass(frozen=True)
class Timed:
    """CPU seconds of one photo: the fastest of several runs, with that run's stages."""

    decode: float
    all: float
    stages: dict[str, float]
    status: str


def main() -> None:
    given = arguments()
    use_one_thread()
    with tempfile.TemporaryDirectory() as folder:
        rows = [*drawn(Path(folder)), *hand_card(given.data)]
        measure_photo(rows[0], read_protocol(), root=folder)  # loads what is loaded once
        print_photos({row["photo"]: timed(row, given.repeat) for row in rows})
        print_cores([row for row in rows if Path(row["photo"]).parent == Path(folder)] * given.rounds, Path(folder))
        print_start(rows[0], Path(folder), given.repeat)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder that holds hand_card; left out where it is not")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each photo, of which the fastest counts")
    parser.add_argument("--rounds", type=int, default=2, help="how often the drawn photos go through the workers")
    return parser.parse_args()


def drawn(folder: Path) -> Iterator[dict[str, str]]:
    """Draw the photos and yield their rows of photos.csv."""
    for kind, reference in REFERENCES.items():
        more = MORE.get(kind, {})
        for ulcers in (1, 0):
            spec = random_spec(
                160 + ulcers,
                n_ulcers=ulcers,
                reference=kind,
                size_px=SIZE_PX,
                px_per_mm=PX_PER_MM,
                diameter_mm=(3, 5),
                noise_sd=NOISE_SD,
                tilt_deg=(3, 12),
                **more,
            )
            name = f"{kind}_{'with' if ulcers else 'without'}_ulcer.jpg"
            spec = replace(spec, camera=replace(spec.camera, jpeg_quality=QUALITY))
            phantom = draw_phantom(spec)
            write_phantom(phantom, folder / name)
            yield row_of(str(folder / name), reference, view="palmar")
            if ulcers and kind == CLICKED:
                clicked = folder / f"{kind}_clicked_on.jpg"
                write_phantom(phantom, clicked)
                x, y = phantom.truth.ulcers[0].centroid_px
                yield row_of(str(clicked), reference, view="palmar") | {"x": f"{x:.0f}", "y": f"{y:.0f}"}


def hand_card(data: Path) -> Iterator[dict[str, str]]:
    """Yield rows of the photographs of a hand and of a card alone."""
    for path in sorted((data / "hand_card").glob("*.jpg")):
        yield row_of(str(path), "id1", view="dorsal")


def row_of(photo: str, reference: str, *, view: str) -> dict[str, str]:
    cells = {"subject_id": "S01", "visit": "screening", "date": "2024-01-15", "hand": "right", "finger": "index"}
    return {"photo": photo, **cells, "view": view, "reference": reference, "reference_on": "skin"}


def timed(row: dict[str, str], repeat: int) -> Timed:
    """Time a photo's decode, and its stages, the fastest of several runs each."""
    decode = min(seconds(lambda: cv2.imread(row["photo"])) for _ in range(repeat))
    runs = []
    for _ in range(repeat):
        with stages_timed() as stages:
            began = time.process_time()
            result = measure_photo(row, read_protocol(), root="/")
            runs.append((time.process_time() - began, dict(stages), result.photo["status"]))
    everything, stages, status = min(runs, key=lambda run: run[0])
    return Timed(decode, everything, stages, status)


def seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


@contextmanager
def stages_timed() -> Iterator[dict[str, float]]:
    """Add up the CPU seconds of each stage of `measure_photo`."""
    spent: dict[str, float] = defaultdict(float)
    with ExitStack() as patches:
        for stage, functions in STAGES.items():
            for name in functions:
                patches.enter_context(patch.object(one_photo, name, clocked(getattr(one_photo, name), stage, spent)))
        yield spent


def clocked(work: Callable[..., Any], stage: str, spent: dict[str, float]) -> Callable[..., Any]:
    def run(*given: Any, **more: Any) -> Any:
        began = time.process_time()
        try:
            return work(*given, **more)
        finally:
            spent[stage] += time.process_time() - began

    return run


def print_photos(photos: dict[str, Timed]) -> None:
    print(f"| photo | MB | decode, s | all, s | all, decodes (asked {LIMIT:g}) | {' | '.join(STAGES)} | status |")
    print("|" + "---|" * (6 + len(STAGES)))
    for name, one in photos.items():
        parts = " | ".join(f"{one.stages.get(stage, 0.0) / one.decode:.2f}" for stage in STAGES)
        size = Path(name).stat().st_size / 1e6
        print(
            f"| {Path(name).stem} | {size:.1f} | {one.decode:.3f} | {one.all:.3f} | {one.all / one.decode:.1f} | "
            f"{parts} | {one.status} |"
        )


def print_cores(rows: list[dict[str, str]], folder: Path) -> None:
    """Print photos a second with one process and with two, and the largest worker's memory."""
    rates, most = [], 0.0
    for jobs in (1, 2):
        tasks = [Task(str(n), row, read_protocol(), folder) for n, row in enumerate(rows)]
        arrived = []
        for _ in run_tasks(tasks, jobs=jobs):
            arrived.append(time.perf_counter())
            most = max(most, *map(peak_mb, workers()))
        # From the first result of each process on: their start is counted apart.
        rates.append((len(arrived) - jobs) / (arrived[-1] - arrived[jobs - 1]))
    one, two = rates
    print(f"photos a second: {one:.2f} with one process, {two:.2f} with two: {two / one:.2f} times (asked 1.9)")
    print(f"memory of the largest worker: {most:.0f} MB (asked 600)")


def workers() -> list[str]:
    """Return the numbers of this process's children (Linux)."""
    return [pid for part in Path("/proc/self/task").glob("*/children") for pid in part.read_text().split()]


def peak_mb(pid: str) -> float:
    """Return the most memory that a process held since it was started, million bytes (Linux)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(float(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM"))


def print_start(row: dict[str, str], folder: Path, repeat: int) -> None:
    """Print the seconds from the start of `ulcermeter run` to its first photo's result."""
    study = folder / "study"
    (study / "photos").mkdir(parents=True)
    (study / "photos" / "one.jpg").write_bytes(Path(row["photo"]).read_bytes())
    cells = row | {"photo": "photos/one.jpg"}
    (study / "photos.csv").write_text("\n".join(",".join(line) for line in (cells, cells.values())) + "\n")
    (study / "subjects.csv").write_text("subject_id\nS01\n")
    waits = [until_first_photo(study, folder / f"results{n}") for n in range(repeat)]
    print(f"from the start of the command to its first photo: {min(waits):.2f} s (asked 1.5)")


def until_first_photo(study: Path, results: Path) -> float:
    command = [sys.executable, "-m", "ulcermeter", "run", str(study), "-o", str(results), "--log-json"]
    began = time.perf_counter()
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, env=dict(os.environ)) as run:
        assert run.stderr is not None
        for line in run.stderr:
            if line.startswith(b"{") and json.loads(line).get("event") == "photo":
                waited = time.perf_counter() - began
                run.communicate()
                return waited
    raise SystemExit(f"no photo was measured by {' '.join(command)}")


if __name__ == "__main__":
    main()
