"""Time and memory of large studies: every stage after the photos, real photos in a run, and a whole run's end.

python tests/studies/scale.py STUDY RESULTS [--measurements 20000] [--photos 2000] [--rows 20000]

RESULTS is the folder of a finished run of STUDY. Three parts, each left out with 0:

1. *stages*: its subjects are repeated under new names, with about ten measurements each (the same fingers again as
   their neighbours), until the measurements are as many as wanted, once at half that number and once in full. Each
   stage is timed in CPU seconds, and the ratio of both says whether it grows with the rows (about 2) or faster.
2. *photos*: so many small photos, drawn and measured in a run of one process.
3. *rows*: the photo rows are repeated in the store until they are as many as wanted, and everything after the photos
   is done: tables, outlines, pictures, pages. What copies share is not made again: overlays are shrunk to 300 px and
   geometries left out, which nothing asks for, to spare the disk; equal courses are drawn once (a curve takes .08 s).
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from threading import Event, Thread
from typing import Any, TypeVar

import pandas as pd

import ulcermeter as um
from ulcermeter.datatypes import Finding, PhotoResult, Study, placed_events
from ulcermeter.eligibility import assess_eligibility
from ulcermeter.healing import follow_healing
from ulcermeter.outcomes import tabulate_outcomes
from ulcermeter.pipeline import finish, run_study
from ulcermeter.pipeline.assemble import FROM_THE_STUDY, Gathered
from ulcermeter.pipeline.retakes import list_retakes
from ulcermeter.plots import shrink_jpeg
from ulcermeter.queries import list_queries
from ulcermeter.report import subjects
from ulcermeter.store import PhotoStore
from ulcermeter.tables import TABLES, columns, conform
from ulcermeter.tables.shared import FINGERS
from ulcermeter.tracking import track

_OF_SUBJECTS = ("photos", "subjects", "ulcers", "visits", "events", "treatments", "refractory")
_OF_FINGERS = ("photos", "ulcers", "events")
_PER_SUBJECT = 10
_SIDE_PX = 300
T = TypeVar("T")


# --- one study many times -------------------------------------------------------------------------------------------


def read_results(folder: Path, name: str) -> pd.DataFrame:
    frame = pd.read_csv(folder / f"{name}.csv", dtype=str, keep_default_na=False)
    for column in TABLES[name].columns:
        if column.kind != "text":
            frame[column.name] = pd.to_numeric(frame[column.name].replace("", None))
    return conform(name, frame)


def gathered(study: Study, folder: Path) -> Gathered:
    """Put a finished run's photos and measurements as they were before tracking; both are in the study's order."""
    photos, measurements = read_results(folder, "photos"), read_results(folder, "measurements")
    place = ["photo", "hand", "finger"]
    cells = study.photos.assign(nth=study.photos.groupby(place).cumcount())
    rows = photos[place].assign(nth=photos.groupby(place).cumcount())
    joined = rows.merge(cells[[*place, "nth", *FROM_THE_STUDY]], on=[*place, "nth"], how="left")
    photographed = photos.assign(**{name: joined[name].to_numpy() for name in FROM_THE_STUDY})
    return Gathered(photos, photographed, measurements)


def repeated(frame: pd.DataFrame, times: int, fingers: int = 1) -> pd.DataFrame:
    """Repeat rows under new subjects and photos; `fingers` copies of a subject's fingers become one subject's.

    Clinic's numbers of the copies are new ones, so that each names one ulcer as before.
    """
    copies = []
    for number in range(times):
        subject, copy = divmod(number, fingers)
        new = {"subject_id": frame["subject_id"] + f"x{subject}"}
        if "photo" in frame:
            new["photo"] = f"{number}/" + frame["photo"]
        if copy and "finger" in frame:
            new["finger"] = frame["finger"].replace(dict(zip(FINGERS, FINGERS[copy:] + FINGERS[:copy], strict=True)))
        if copy and "ulcer_no" in frame:
            new["ulcer_no"] = (frame["ulcer_no"] + f".{copy}").where(frame["ulcer_no"] != "", "")
        copies.append(frame.assign(**new))
    return pd.concat(copies, ignore_index=True)


def larger(study: Study, times: int, fingers: int = 1) -> Study:
    """Repeat a study's subjects, with what was found wrong of them, so that outcomes are tabulated twice as there."""
    tables: dict[str, Any] = {
        name: repeated(getattr(study, name), times, fingers)
        if name in _OF_FINGERS
        else repeated(getattr(study, name), times // fingers)
        for name in _OF_SUBJECTS
    }
    findings = [
        replace(finding, subject_id=f"{finding.subject_id}x{number}", rows=_rows(study, finding, number, fingers))
        for number in range(times // fingers)
        for finding in study.findings
        if finding.subject_id and finding.file.removesuffix(".csv") in _OF_SUBJECTS
    ]
    return replace(study, **tables, findings=tuple(findings))


def _rows(study: Study, finding: Finding, number: int, fingers: int) -> tuple[int, ...]:
    """Return where a finding's rows stand for a copy of its subject."""
    name = finding.file.removesuffix(".csv")
    copies = number * (fingers if name in _OF_FINGERS else 1)
    return tuple(row + copies * len(getattr(study, name)) for row in finding.rows)


# --- stages ---------------------------------------------------------------------------------------------------------


def timed(times: dict[str, float], stage: str, work: Callable[[], T]) -> T:
    start = time.process_time()
    result = work()
    times[stage] = time.process_time() - start
    return result


def stages(study: Study, data: Gathered) -> dict[str, float]:
    """Return each stage's CPU seconds."""
    seconds: dict[str, float] = {}
    protocol, photographed = study.protocol, data.photographed
    events = placed_events(study)
    tracked = timed(
        seconds,
        "tracking",
        lambda: track(data.measurements, photographed, protocol=protocol, events=events, visits=study.visits),
    )
    courses = timed(seconds, "healing", lambda: follow_healing(tracked, photographed, protocol=protocol))
    verdicts = timed(seconds, "eligibility", lambda: assess_eligibility(study, tracked, courses, photographed))
    outcomes = timed(seconds, "outcomes", lambda: tabulate_outcomes(study, courses))
    measured = conform("measurements", tracked[tracked["label"].notna()][columns("measurements")])
    retake = timed(seconds, "retakes", lambda: list_retakes(study, data.photos, measured, verdicts))
    tables = {
        "photos": data.photos,
        "retake": retake,
        "measurements": measured,
        "trajectories": courses,
        "eligibility": verdicts.eligibility,
        "eligibility_by_ulcer": verdicts.eligibility_by_ulcer,
        "eligibility_summary": verdicts.eligibility_summary,
        "outcomes": outcomes.outcomes,
        "outcomes_by_subject": outcomes.outcomes_by_subject,
    }
    timed(seconds, "queries", lambda: list_queries(study, tables, open_answers=verdicts.open_answers))
    return seconds


def at_size(study: Study, data: Gathered, times: int, fingers: int) -> tuple[int, int, dict[str, float]]:
    """Run every stage on the study repeated so often; return measurements, subjects and each stage's CPU seconds."""
    many = larger(study, times, fingers)
    rows = Gathered(*(repeated(frame, times, fingers) for frame in (data.photos, data.photographed, data.measurements)))
    return len(rows.measurements), len(many.subjects), stages(many, rows)


def print_stages(study: Study, folder: Path, wanted: int) -> None:
    data = gathered(study, folder)
    fingers = max(1, round(_PER_SUBJECT * len(study.subjects) / len(data.measurements)))
    half_times = max(1, round(wanted / len(data.measurements) / fingers / 2)) * fingers
    half_rows, half_subjects, half = at_size(study, data, half_times, fingers)
    rows, people, full = at_size(study, data, 2 * half_times, fingers)
    print(f"CPU seconds on one core at {half_rows} measurements of {half_subjects} subjects and {rows} of {people}")
    for stage in full:
        print(f"{stage:12s} {half[stage]:8.2f} {full[stage]:8.2f}  ratio {full[stage] / max(half[stage], 1e-9):.1f}")
    print(f"{'together':12s} {sum(half.values()):8.2f} {sum(full.values()):8.2f}")
    print(f"peak memory {peak_mb():.0f} MB")


# --- memory over a run ----------------------------------------------------------------------------------------------


@dataclass
class Stage:
    """What was seen of a stage: when it began, how long it took so far, and the most memory."""

    cpu_began: float
    clock_began: float
    cpu_s: float = 0.0
    clock_s: float = 0.0
    most_mb: float = 0.0
    workers_mb: float = 0.0


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def now_mb() -> float:
    """Return the memory that this process holds now, MB, without its children (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def workers_mb() -> float:
    """Return the memory that the processes started by this one hold now, MB (Linux)."""
    found = [pid for task in Path("/proc/self/task").glob("*/children") for pid in task.read_text().split()]
    held = 0.0
    for pid in found:
        with suppress(OSError):  # it has ended since
            held += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize() / 1e6
    return held


@contextmanager
def watched(title: str, stage: Callable[[], str], every_s: float = 0.5) -> Iterator[None]:
    """Print CPU seconds of this process, seconds by the clock, and the most memory held in each stage."""
    stages: dict[str, Stage] = {}
    ended = Event()

    def look() -> None:
        while not ended.wait(every_s):
            at = stages.setdefault(stage(), Stage(time.process_time(), time.monotonic()))
            at.cpu_s, at.clock_s = time.process_time() - at.cpu_began, time.monotonic() - at.clock_began
            at.most_mb, at.workers_mb = max(at.most_mb, now_mb()), max(at.workers_mb, workers_mb())

    thread = Thread(target=look, daemon=True)
    thread.start()
    start = time.process_time()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    most = max(at.most_mb for at in stages.values())
    print(f"{title}: {time.process_time() - start:.0f} CPU s of the main process, at most {most:.0f} MB")
    print(f"{'':24s} {'CPU s':>8s} {'clock s':>8s} {'most MB':>8s} {'workers MB':>10s}")
    for name, at in stages.items():
        print(f"{name:24s} {at.cpu_s:8.1f} {at.clock_s:8.1f} {at.most_mb:8.0f} {at.workers_mb:10.0f}")


def print_photos(count: int, folder: Path) -> None:
    """Draw a few small photos, repeat them under other names and bytes, and measure them all in a run."""
    sys.path.insert(0, str(Path(__file__).parent.parent))
    from conftest import HEADER, draw

    from ulcermeter.phantom import draw_phantom, write_phantom

    study = folder / "study"
    (study / "photos").mkdir(parents=True)
    drawn = [folder / f"{n}.jpg" for n in range(8)]
    for n, path in enumerate(drawn):
        write_phantom(draw_phantom(draw(2.0 + 0.4 * n, seed=n)), path)
    rows = []
    for n in range(count):
        # Bytes behind a JPEG's end mark are no part of the picture, and make it another file.
        (study / "photos" / f"{n}.jpg").write_bytes(drawn[n % len(drawn)].read_bytes() + b"\0" * (n // len(drawn)))
        visit = ("screening", "baseline")[n % 2]
        rows.append(
            f"photos/{n}.jpg,S{n // 2:05d},{visit},2024-03-{1 + 10 * (n % 2):02d},left,index,palmar,aruco:10,skin,,"
        )
    (study / "photos.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    done = [0]

    def progress(number: int, total: int, result: PhotoResult | None) -> None:
        done[0] = number

    def tenth() -> str:
        share = min(9, 10 * done[0] // count)
        return "after the photos" if done[0] == count else f"photos to {10 * (share + 1)} %"

    start = time.monotonic()
    with watched(f"{count} small photos, one process", tenth):
        results = run_study(study, folder / "results", progress=progress)
    statuses = results.photos["status"].value_counts().to_dict()
    print(f"{statuses}; {(time.monotonic() - start) / count:.2f} s a photo on this machine as it was")


def print_rows(study: Study, folder: Path, wanted: int, out: Path) -> None:
    """Repeat a finished run's rows in a store, and do everything after the photos."""
    times = -(-wanted // len(study.photos))
    out.mkdir()
    record = json.loads((folder / "run.json").read_text())
    many = larger(study, times)
    _fill(folder, out, times)
    record["photos"] = dict.fromkeys(many.photos["photo"], "0" * 64)
    (out / "run.json").write_text(json.dumps(record))
    at = ["reading the store"]
    for name, module, what in (
        ("tables", finish, "apply_readings"),
        ("outlines.csv", finish, "write_outlines"),
        ("pictures", finish, "write_pictures"),
        ("tables", finish, "tables_of"),
        ("reading the tables", finish, "read_results"),
    ):
        _announce(module, what, name, at)
    import ulcermeter.report as report

    _announce(report, "write_report", "pages", at)
    subjects.healing_curve = _drawn_once(subjects.healing_curve)  # type: ignore[assignment]
    with watched(f"everything after the photos of {len(many.photos)} rows", lambda: at[0]):
        finish.finish_again(out, study=many)
    pages = sum(1 for _ in (out / "report").glob("*.html"))
    size_mb = (out / "report.html").stat().st_size / 1e6
    print(f"report.html {size_mb:.1f} MB, {pages} pages beside it; outlines.csv "
          f"{(out / 'outlines.csv').stat().st_size / 1e6:.0f} MB")  # fmt: skip


def _announce(module: Any, what: str, name: str, at: list[str]) -> None:
    """Let a function say that its stage has begun."""
    real = getattr(module, what)

    def announced(*args: Any, **kwargs: Any) -> Any:
        at[0] = name
        return real(*args, **kwargs)

    setattr(module, what, announced)


def _drawn_once(draw: Callable[..., str]) -> Callable[..., str]:
    """Draw equal courses once; only names tell the copies apart, and no name is in a figure."""
    kept: dict[tuple[str, str], str] = {}

    def drawn(rows: pd.DataFrame, *, protocol: Any, quantity: str) -> str:
        shown = rows[["day", "visit", "state", *(c for c in rows if c.startswith(("diameter_", "area_")))]]
        key = (shown.to_csv(), quantity)
        if key not in kept:
            kept[key] = draw(rows, protocol=protocol, quantity=quantity)
        return kept[key]

    return drawn


def _fill(folder: Path, out: Path, times: int) -> None:
    """Put every result of a finished run into a new store, `times` over, in the order of `larger`'s photos."""
    shrunk = lru_cache(maxsize=None)(lambda data: shrink_jpeg(data, longest_px=_SIDE_PX))
    kept = out.parent / "kept"
    kept.mkdir()
    shutil.copy(folder / "store.sqlite", kept / "store.sqlite")
    with PhotoStore(kept / "store.sqlite") as store:
        results = store.of_last_run()
    with PhotoStore(out / "store.sqlite") as store:
        # Each row is safe on disk by itself in a run; here that would take the time.
        store._db.execute("PRAGMA synchronous=OFF")
        for number in range(times):
            for at, result in enumerate(results):
                store.put(f"{number}-{at}", _renamed(result, number, shrunk))
        store.keep_only(f"{number}-{at}" for number in range(times) for at in range(len(results)))


def _renamed(result: PhotoResult, number: int, shrunk: Callable[[bytes], bytes]) -> PhotoResult:
    def renamed(row: dict[str, Any]) -> dict[str, Any]:
        return {**row, "subject_id": f"{row['subject_id']}x{number}", "photo": f"{number}/{row['photo']}"}

    rows = tuple(renamed(row) for row in result.measurements)
    overlay = shrunk(result.overlay) if result.overlay else None
    return replace(result, photo=renamed(result.photo), measurements=rows, overlay=overlay, geometry=None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path)
    parser.add_argument("results", type=Path)
    parser.add_argument("--measurements", type=int, default=20_000)
    parser.add_argument("--photos", type=int, default=2_000)
    parser.add_argument("--rows", type=int, default=20_000)
    given = parser.parse_args()
    study = um.read_study(given.study)
    with tempfile.TemporaryDirectory() as folder:
        if given.rows:
            print_rows(study, given.results, given.rows, Path(folder) / "rows")
        if given.photos:
            print_photos(given.photos, Path(folder) / "photos")
    if given.measurements:
        print_stages(study, given.results, given.measurements)


if __name__ == "__main__":
    main()
