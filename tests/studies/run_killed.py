"""What `ulcermeter run` loses when it is killed (kill -9) while it measures, and while it writes what follows.

    python tests/studies/run_killed.py [--measuring 20] [--writing 20] [--photos 6] [--jobs 2]

Draws a small study and runs it once undisturbed. Then it is killed at random moments of measuring, and as often before
a random one of all syncs and renames of its files; each time it is run again, and printed are how many photo rows were
kept, how many the second run measured, and whether every file came out as if nothing had happened.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from ulcermeter.phantom import (
    CameraSpec,
    FingerSpec,
    PhantomSpec,
    ReferenceSpec,
    UlcerSpec,
    draw_phantom,
    write_phantom,
)
from ulcermeter.pipeline import run_study
from ulcermeter.store import PhotoStore

HEADER = "photo,subject_id,visit,date,hand,finger,view,reference,reference_on"
VISITS = (("screening", "2024-03-01"), ("baseline", "2024-03-11"), ("week 2", "2024-03-25"), ("week 4", "2024-04-08"))
# Of a forked process: what it shares with this one, libraries loaded once, is what makes 80 runs bearable.
FORK = multiprocessing.get_context("fork")


def draw_study(root: Path, count: int) -> Path:
    """Draw one subject after another, a photo a visit."""
    rows = [HEADER]
    camera = CameraSpec(width_px=960, height_px=720, px_per_mm=13.0, tilt_deg=6.0, azimuth_deg=30.0)
    for number in range(count):
        subject, (visit, date) = f"K{number // len(VISITS) + 1:02d}", VISITS[number % len(VISITS)]
        name = f"photos/{subject}_{visit.replace(' ', '')}.jpg"
        seed = 40 + number // len(VISITS)
        ulcer = UlcerSpec(diameter_mm=4.0 - 0.4 * (number % len(VISITS)), s_mm=10.0, t_mm=0.6, seed=seed)
        reference = ReferenceSpec(kind="aruco", offset_mm=(0.0, 17.0))
        spec = PhantomSpec(
            finger=FingerSpec(seed=seed), ulcers=(ulcer,), reference=reference, camera=camera, seed=seed + number
        )
        (root / "photos").mkdir(parents=True, exist_ok=True)
        write_phantom(draw_phantom(spec), root / name)
        rows.append(f"{name},{subject},{visit},{date},left,index,palmar,aruco:10,skin")
    (root / "photos.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return root


@dataclass
class Run:
    """A run in a process of its own, which says each row it is done with, and None where measuring begins."""

    process: multiprocessing.process.BaseProcess
    said: Connection

    def measured(self) -> tuple[int, float]:
        """Wait for its end, and return how many rows it measured and how many seconds that took."""
        begun = last = time.monotonic()
        rows = -1
        with contextlib.suppress(EOFError):
            while True:
                row, last = self.said.recv(), time.monotonic()
                begun = last if row is None else begun
                rows = 0 if row is None else rows + (rows >= 0)
        self.process.join()
        assert self.process.exitcode == 0
        return rows, last - begun


def started(study: Path, out: Path, jobs: int, prepare: Callable[[], None] = lambda: None) -> Run:
    """Start a run."""
    here, there = FORK.Pipe(duplex=False)

    def run() -> None:
        prepare()
        run_study(study, out, jobs=jobs, progress=lambda done, total, row: there.send(row and row.photo["photo"]))

    process = FORK.Process(target=run)
    process.start()
    there.close()
    return Run(process, here)


def files(out: Path) -> dict[str, bytes]:
    """Return all files but the stores, run.json without what tells when it ran."""
    found = {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}
    record = json.loads(found["run.json"])
    for name in ("started", "finished", "command"):
        record.pop(name, None)
    found["run.json"] = json.dumps(record).encode()
    return {name: content for name, content in found.items() if not name.endswith(".sqlite")}


def counting(so_far: Any, fatal: int = 0) -> Callable[[], None]:
    """Return what has a process count its syncs and renames, and end itself before the one of a number."""

    def counted(call: Callable[..., object]) -> Callable[..., object]:
        def counting_call(*given: object) -> object:
            so_far.value += 1
            if so_far.value == fatal:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*given)

        return counting_call

    def prepare() -> None:
        so_far.value = 0
        for name in ("fsync", "replace"):
            setattr(os, name, counted(getattr(os, name)))

    return prepare


def kept_in(out: Path) -> int:
    """Return how many rows a store holds."""
    if not (out / "store.sqlite").exists():
        return 0
    with PhotoStore(out / "store.sqlite") as store:
        return len(store)


@dataclass
class Study:
    """The drawn study, and what came of it undisturbed."""

    path: Path
    rows: int
    jobs: int
    expected: dict[str, bytes]

    def run_again(self, label: str, out: Path) -> bool:
        """Run again after a kill, print what came of it, and return whether it is right."""
        kept = kept_in(out)
        again, _ = started(self.path, out, self.jobs).measured()
        got = files(out)
        differing = sorted(name for name in {*self.expected, *got} if self.expected.get(name) != got.get(name))
        same = "identical" if not differing else f"DIFFERING: {', '.join(differing)}"
        print(f"{label}: {kept} of {self.rows} rows kept, {again} measured again, {len(got)} files {same}", flush=True)
        shutil.rmtree(out)
        return again == self.rows - kept and not differing

    def killed_measuring(self, out: Path, rows: int, after_s: float) -> bool:
        run = started(self.path, out, self.jobs)
        for _ in range(1 + rows):
            run.said.recv()
        time.sleep(after_s)
        run.process.kill()
        run.process.join()
        return self.run_again(f"killed {after_s:.2f} s after row {rows}", out)

    def killed_writing(self, out: Path, so_far: Any, fatal: int) -> bool:
        run = started(self.path, out, self.jobs, counting(so_far, fatal))
        run.process.join()
        assert run.process.exitcode == -signal.SIGKILL
        return self.run_again(f"killed before sync or rename {fatal}", out)


def main() -> None:
    """Kill, run again, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measuring", type=int, default=20)
    parser.add_argument("--writing", type=int, default=20)
    parser.add_argument("--photos", type=int, default=6)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    chance, so_far = random.Random(5), FORK.Value("i", 0)
    with tempfile.TemporaryDirectory() as folder:
        path, whole, out = (
            draw_study(Path(folder) / "study", given.photos),
            Path(folder) / "whole",
            Path(folder) / "out",
        )
        _, took_s = started(path, whole, given.jobs, counting(so_far)).measured()
        writes, study = so_far.value, Study(path, given.photos, given.jobs, files(whole))
        print(f"undisturbed: {given.photos} rows in {took_s:.1f} s, {writes} syncs and renames", flush=True)
        right = [
            study.killed_measuring(out, chance.randrange(given.photos), chance.uniform(0, took_s / given.photos))
            for _ in range(given.measuring)
        ]
        for fatal in sorted(chance.sample(range(1, writes + 1), min(given.writing, writes))):
            out.mkdir()
            shutil.copy2(whole / "store.sqlite", out)  # only what was measured: all files are written again
            right.append(study.killed_writing(out, so_far, fatal))
    print(f"{sum(right)} of {len(right)} right")


if __name__ == "__main__":
    main()
