"""A validation from the plan to its files; a run that was stopped goes on where it was."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ulcermeter
from ulcermeter.datatypes import PhotoResult
from ulcermeter.errors import Problem, UnfinishedError
from ulcermeter.isolation import Lost, Workers
from ulcermeter.pipeline.run_identity import identify
from ulcermeter.plots import bland_altman_figure, calls_figure, coverage_figure, error_figure
from ulcermeter.protocol import Protocol, read_protocol
from ulcermeter.provenance import run_record, utc_now
from ulcermeter.store import PhotoStore, check_results_folder, csv_text, write_file, write_run_record
from ulcermeter.tables import from_rows
from ulcermeter.validation.curves import calls_by_diameter, errors_by_diameter
from ulcermeter.validation.measure_phantom import Task, measure_task
from ulcermeter.validation.page import write_page
from ulcermeter.validation.plan import FIRST_SEED, SIZES, Case, Size, plan_cases
from ulcermeter.validation.summary import CLEAR_MM, summarise
from ulcermeter.validation.targets import LEAST_COVERED, WITHIN_MM, Target, judge

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Validation", "measure_cases", "validate"]

Progress = Callable[[int, int, PhotoResult], None]


@dataclass(frozen=True)
class Validation:
    """What a run gave: a row a phantom and mode, a row a cell, the requirements, and the figures as SVG by name."""

    phantoms: pd.DataFrame
    summary: pd.DataFrame
    targets: tuple[Target, ...]
    figures: dict[str, str]


def validate(
    out: str | Path,
    *,
    size: str | Size = "small",
    first_seed: int = FIRST_SEED,
    protocol: str | Path | Protocol | None = None,
    model: str | Path | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
    command: Sequence[str] | None = None,
) -> Validation:
    """Draw phantoms, measure them and write what came of it.

    Writes validation.csv, summary.csv, four figures (SVG), validation.html and run.json; each phantom's rows are kept
    in store.sqlite as soon as they are there. The same size, seed, protocol, model and version give the same tables,
    whatever `jobs` is.

    Parameters
    ----------
    out : str or Path
        A new or empty folder, or that of an earlier validation.
    size : str or Size
        ``small``, ``full``, or how many phantoms of each kind.
    first_seed : int
        Reported runs leave it; intervals are tuned from `DEVELOPMENT_SEED` on.
    protocol : str, Path or Protocol, optional
        As in `ulcermeter.run_study`.
    model : str or Path, optional
        Another segmentation model than the shipped one.
    jobs : int
        Processes at once.
    progress : callable, optional
        Called with phantoms done, phantoms in all, and the last one's result.
    command : sequence of str, optional
        What run.json names as the command; without it the process's own.

    Returns
    -------
    Validation
        Tables, requirements and figures.

    Raises
    ------
    StudyError
        The folder holds other files; nothing was written.
    """
    started = utc_now()
    root = check_results_folder(out)
    rules = protocol if isinstance(protocol, Protocol) else read_protocol(protocol or "manus")
    sized = size if isinstance(size, Size) else SIZES[size]
    identity = identify(rules, model=model, lens=None)
    cases = plan_cases(sized, first_seed=first_seed)
    root.mkdir(parents=True, exist_ok=True)
    done = measure_cases(
        cases, protocol=rules, model=model, run_id=identity.run_id, root=root, jobs=jobs, progress=progress
    )
    found = _judged(done, rules)
    record = run_record(
        version=ulcermeter.__version__,
        run_id=identity.run_id,
        protocol=rules.record(),
        parameters={**identity.parameters, "size": asdict(sized), "first_seed": first_seed, "jobs": jobs},
        model_sha256=identity.model_sha256,
        photo_sha256={},
        command=list(sys.argv if command is None else command),
        started=started,
    )
    _write(root, found, record)
    return found


def measure_cases(
    cases: Sequence[Case],
    *,
    protocol: Protocol,
    model: str | Path | None = None,
    run_id: str = "",
    root: Path,
    jobs: int = 1,
    progress: Progress | None = None,
) -> list[PhotoResult]:
    """Measure what the folder's store has not yet, and return every case's result in the plan's order.

    Parameters
    ----------
    cases : sequence of Case
        Of the plan.
    protocol : Protocol
        The rules that are validated.
    model : str or Path, optional
        Another segmentation model than the shipped one.
    run_id : str, optional
        Hash of version, protocol, parameters and model: what was measured under another one is measured again.
    root : Path
        The folder with ``store.sqlite``.
    jobs : int, optional
        Processes at once.
    progress : callable, optional
        Called with phantoms done, phantoms in all, and the last one's result.

    Returns
    -------
    list of PhotoResult
        In the order of the cases.

    Raises
    ------
    UnfinishedError
        A process died or took too long; what was measured is kept.
    """
    keys = [f"{case.name} {case.seed} {case.spec!r} {run_id}" for case in cases]
    results: dict[str, PhotoResult] = {}
    with PhotoStore(root / "store.sqlite") as store:
        for key in keys:
            if (kept := store.get(key)) is not None:
                results[key] = kept
        tasks = {
            key: Task(case, protocol, model, run_id)
            for key, case in zip(keys, cases, strict=True)
            if key not in results
        }
        for key, result in _run(tasks, jobs=jobs):
            store.put(key, result)
            results[key] = result
            if progress is not None:
                progress(len(results), len(cases), result)
        store.keep_only(keys)
    return [results[key] for key in keys]


def _run(tasks: dict[str, Task], *, jobs: int) -> Iterator[tuple[str, PhotoResult]]:
    keys = list(tasks)
    with Workers(jobs=jobs) as workers:
        for number, came in workers.each(measure_task, list(tasks.values())):
            if isinstance(came, Lost):
                raise UnfinishedError(
                    Problem(
                        where=f"{keys[number]}",
                        expected="a phantom that is drawn and measured",
                        got=f"a process that {came.fate.value} ({came.ended_by})",
                        action="run again, what was measured so far is kept",
                    )
                )
            yield keys[number], came


def _judged(done: Iterable[PhotoResult], protocol: Protocol) -> Validation:
    rows: list[dict[str, Any]] = [dict(row) for result in done for row in result.measurements]
    phantoms = from_rows("validation/phantoms", rows)
    threshold_mm = protocol.measurement.threshold_diameter_mm
    summary = summarise(phantoms, threshold_mm=threshold_mm)
    figures = {
        "error": error_figure(phantoms, errors_by_diameter(phantoms), within_mm=WITHIN_MM),
        "bland_altman": bland_altman_figure(phantoms),
        "calls": calls_figure(calls_by_diameter(phantoms), threshold_mm=threshold_mm, clear_mm=CLEAR_MM),
        "coverage": coverage_figure(summary, least=LEAST_COVERED),
    }
    return Validation(phantoms, summary, tuple(judge(summary)), figures)


def _write(root: Path, found: Validation, record: dict[str, Any]) -> None:
    write_file(root / "validation.csv", csv_text("validation/phantoms", found.phantoms).encode())
    write_file(root / "summary.csv", csv_text("validation/summary", found.summary).encode())
    for name, svg in found.figures.items():
        write_file(root / f"{name}.svg", (svg + "\n").encode())
    write_run_record(root, record)
    tables = {"phantoms": found.phantoms, "summary": found.summary}
    write_page(
        root / "validation.html", **tables, targets=found.targets, figures=found.figures, made_by=_made_by(record)
    )


def _made_by(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    parameters = record["parameters"]
    return [
        ("ulcermeter", str(record["ulcermeter"])),
        ("run_id", str(record["run_id"])),
        ("network, SHA-256", str(record["model_sha256"])),
        ("protocol", str(record["protocol"]["name"])),
        ("size", str(parameters["size"]["name"])),
        ("first seed", str(parameters["first_seed"])),
    ]
