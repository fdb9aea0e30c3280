"""Time and memory of everything after the photos, on a study as large as wanted.

python tests/studies/scale.py STUDY RESULTS [--measurements 20000]

RESULTS is the folder of a finished run of STUDY. Its subjects are repeated under new names until the measurements are
as many as wanted, once at half that number and once in full; each stage is timed in CPU seconds, and the ratio of both
says whether it grows with the rows (about 2) or faster. No photo is opened.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd

import ulcermeter as um
from ulcermeter.datatypes import Study
from ulcermeter.eligibility import assess_eligibility
from ulcermeter.healing import follow_healing
from ulcermeter.outcomes import tabulate_outcomes
from ulcermeter.pipeline.assemble import FROM_THE_STUDY, Gathered, placed_events
from ulcermeter.pipeline.retakes import list_retakes
from ulcermeter.queries import list_queries
from ulcermeter.tables import TABLES, columns, conform, from_rows
from ulcermeter.tracking import track

_OF_SUBJECTS = ("photos", "subjects", "ulcers", "visits", "events", "treatments")


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
    return Gathered(photos, photographed, measurements, from_rows("outlines", []))


def repeated(frame: pd.DataFrame, times: int) -> pd.DataFrame:
    """Repeat rows under new subjects and photos."""
    copies = []
    for number in range(times):
        new = {"subject_id": frame["subject_id"] + f"x{number}"}
        if "photo" in frame:
            new["photo"] = f"{number}/" + frame["photo"]
        copies.append(frame.assign(**new))
    return pd.concat(copies, ignore_index=True)


def timed(times: dict[str, float], stage: str, work: Callable[[], object]) -> object:
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
        "outlines": data.outlines,
        "trajectories": courses,
        "eligibility": verdicts.eligibility,
        "eligibility_by_ulcer": verdicts.eligibility_by_ulcer,
        "eligibility_summary": verdicts.eligibility_summary,
        "outcomes": outcomes.outcomes,
        "outcomes_by_subject": outcomes.outcomes_by_subject,
    }
    timed(seconds, "queries", lambda: list_queries(study, tables, open_answers=verdicts.open_answers))
    return seconds


def at_size(study: Study, data: Gathered, times: int) -> tuple[int, dict[str, float]]:
    """Run every stage on the study repeated so often; return its measurements and each stage's CPU seconds."""
    larger = replace(study, **{name: repeated(getattr(study, name), times) for name in _OF_SUBJECTS})
    rows = Gathered(*(repeated(frame, times) for frame in (data.photos, data.photographed, data.measurements)),
                    data.outlines)  # fmt: skip
    return len(rows.measurements), stages(larger, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path)
    parser.add_argument("results", type=Path)
    parser.add_argument("--measurements", type=int, default=20_000)
    given = parser.parse_args()
    study = um.read_study(given.study)
    data = gathered(study, given.results)
    times = max(2, round(given.measurements / len(data.measurements)))
    half_rows, half = at_size(study, data, times // 2)
    rows, full = at_size(study, data, 2 * (times // 2))
    print(f"CPU seconds at {half_rows} and {rows} measurements, one core; ratio 2 where time grows with the rows")
    for stage in full:
        print(f"{stage:12s} {half[stage]:8.2f} {full[stage]:8.2f}  ratio {full[stage] / max(half[stage], 1e-9):.1f}")
    print(f"{'together':12s} {sum(half.values()):8.2f} {sum(full.values()):8.2f}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB")


if __name__ == "__main__":
    main()
