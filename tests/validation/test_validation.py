"""The validation: its plan, its arithmetic on tables of known outcome, and a few phantoms through all of it."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from scipy.stats import binomtest

from ulcermeter.cli import main
from ulcermeter.plots import bland_altman_figure, calls_figure, coverage_figure, error_figure
from ulcermeter.statistics import wilson
from ulcermeter.tables import columns, from_rows
from ulcermeter.validation import SIZES, Size, judge, plan_cases, summarise, validate
from ulcermeter.validation.curves import calls_by_diameter, errors_by_diameter
from ulcermeter.validation.plan import DEVELOPMENT_SEED, FIRST_SEED
from ulcermeter.validation.targets import WITHIN_MM

TINY = Size("tiny", 2, 0, 0, 0, size_px=(960, 720))


# --- the plan -------------------------------------------------------------------------------------------------------


def test_the_plan_is_the_same_every_time_and_its_seeds_are_apart() -> None:
    cases = plan_cases(SIZES["full"])
    again = plan_cases(SIZES["full"])
    assert [(c.name, c.seed, c.spec) for c in cases] == [(c.name, c.seed, c.spec) for c in again]
    assert len({c.name for c in cases}) == len({c.seed for c in cases}) == len(cases)
    seeds = [c.seed for c in cases]
    assert min(seeds) >= FIRST_SEED and max(seeds) < DEVELOPMENT_SEED
    assert max(c.seed for c in plan_cases(SIZES["full"], first_seed=DEVELOPMENT_SEED)) < 5_000_000


def test_the_working_range_is_what_it_is_declared_to_be() -> None:
    sample = [c.spec for c in plan_cases(SIZES["full"]) if c.sample == "working range"]
    assert len(sample) == 240
    assert min(s.camera.px_per_mm for s in sample) >= 15
    assert max(s.camera.tilt_deg for s in sample) <= 25
    diameters = sorted(s.ulcers[0].diameter_mm for s in sample)
    assert diameters[0] >= 1 and diameters[-1] <= 5
    assert np.abs(np.array(diameters) - np.linspace(1, 5, 240)).max() < 0.35


def test_sweeps_vary_one_factor() -> None:
    cases = plan_cases(SIZES["full"])
    for factor, levels in (("tilt_deg", 6), ("blur_px", 6), ("skin_tone", 6), ("offset_sides", 5), ("reference", 5)):
        assert len({c.level for c in cases if c.factor == factor}) == levels
    tilted = [c for c in cases if c.factor == "tilt_deg"]
    assert all(c.spec.camera.tilt_deg == float(c.level) and 0.6 <= c.spec.camera.blur_px <= 0.8 for c in tilted)
    around = {float(c.level) for c in cases if c.factor == "diameter_mm"}
    assert {0.8, 1.9, 2.0, 2.1, 10.0} <= around
    aside = [c.spec.reference.offset_mm for c in cases if c.factor == "offset_sides" and c.level == "3"]
    assert aside == [(0.0, 30.0)] * len(aside)


# --- the arithmetic -------------------------------------------------------------------------------------------------


def outcomes(errors: np.ndarray, *, truth: np.ndarray, half_mm: float, mode: str = "instrument") -> list[dict]:
    """Rows of measured phantoms with intervals of a known half-width."""
    rows = []
    for k, (error, true) in enumerate(zip(errors, truth, strict=True)):
        low, high = true + error - half_mm, true + error + half_mm
        call = "yes" if low > 2 else "no" if high <= 2 else "uncertain"
        rows.append(
            {
                "phantom": f"p{k}", "sample": "working range", "mode": mode, "seed": k, "reference": "aruco:10",
                "px_per_mm": 15.5 + k % 9, "tilt_deg": k % 25, "blur_px": 0.6, "skin_tone": 1 + k % 6,
                "offset_mm": 15.0, "slope_true_deg": 3.0, "side": "pulp", "bed": "slough", "diameter_true_mm": true,
                "over_threshold_true": "yes" if true > 2 else "no", "status": "measured", "found": "yes", "n_false": 0,
                "diameter_mm": true + error, "diameter_low_mm": low, "diameter_high_mm": high, "error_mm": error,
                "covered": "yes" if abs(error) <= half_mm else "no", "over_threshold": call, "finger_found": "yes",
            }
        )  # fmt: skip
    return rows


def table(n: int = 400, *, bias: float = 0.03, sd: float = 0.05, half_mm: float = 0.12) -> pd.DataFrame:
    rng = np.random.default_rng(8)
    truth = rng.uniform(1, 5, n)
    rows = outcomes(bias + sd * rng.standard_normal(n), truth=truth, half_mm=half_mm)
    rows += outcomes(0.1 * sd * rng.standard_normal(n), truth=truth, half_mm=half_mm, mode="geometry")
    return from_rows("validation/phantoms", rows)


def test_summary_of_errors_that_are_known() -> None:
    summary = summarise(table(), threshold_mm=2.0)
    cell = summary[(summary["factor"] == "all") & (summary["mode"] == "instrument")].iloc[0]
    assert cell["n"] == cell["n_measured"] == 400
    assert cell["bias_mm"] == pytest.approx(0.03, abs=0.008)
    assert cell["bias_mm_low"] < cell["bias_mm"] < cell["bias_mm_high"]
    assert cell["sd_mm"] == pytest.approx(0.05, rel=0.1)
    assert cell["limit_high_mm"] - cell["limit_low_mm"] == pytest.approx(3.92 * cell["sd_mm"])
    assert cell["interval_width_mm"] == pytest.approx(0.24)
    assert cell["width_ratio"] == pytest.approx(0.24 / 0.196, rel=0.15)
    expected = sum(math.erf((0.12 + sign * 0.03) / 0.05 / 2**0.5) for sign in (1, -1)) / 2
    assert cell["coverage"] == pytest.approx(expected, abs=0.03)
    assert cell["wrong_side"] == 0 and cell["uncertain"] == 0
    parts = summary[(summary["factor"] == "diameter_true_mm") & (summary["mode"] == "instrument")]
    assert parts["n"].sum() == 400 and list(parts["level"])[-1] == "4 to 5"


def test_wrong_and_uncertain_count_only_what_is_clear_of_the_threshold() -> None:
    truth = np.array([1.0, 1.5, 1.8, 2.1, 2.31, 3.0])
    rows = outcomes(np.array([1.5, 0.4, 0.5, -0.5, -0.2, 0.0]), truth=truth, half_mm=0.2)
    summary = summarise(from_rows("validation/phantoms", rows), threshold_mm=2.0)
    cell = summary[summary["factor"] == "all"].iloc[0]
    assert (cell["n_clear"], cell["wrong_side"], cell["uncertain"]) == (4, 0.25, 0.5)


def test_refused_and_missed_photos_are_counted_and_not_measured() -> None:
    rows = outcomes(np.zeros(4), truth=np.full(4, 3.0), half_mm=0.1)
    nothing = {k: math.nan for k in ("diameter_mm", "diameter_low_mm", "diameter_high_mm", "error_mm")}
    rows[0] |= {**nothing, "status": "refused", "found": "", "covered": "", "over_threshold": ""}
    rows[1] |= {**nothing, "status": "no ulcer", "found": "no", "covered": "", "over_threshold": "", "n_false": 1}
    cell = summarise(from_rows("validation/phantoms", rows), threshold_mm=2.0).iloc[0]
    assert (cell["n"], cell["n_measured"], cell["refused"]) == (4, 2, 0.25)
    assert cell["found"] == pytest.approx(2 / 3) and cell["false_per_photo"] == pytest.approx(1 / 3)


@pytest.mark.parametrize(("count", "total"), [(0, 8), (3, 8), (119, 120), (40, 40)])
def test_wilson_is_scipys(count: int, total: int) -> None:
    theirs = binomtest(count, total).proportion_ci(method="wilson")
    assert wilson(count / total, total) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_targets_follow_the_summary() -> None:
    targets = {(t.of, t.text): t for t in judge(summarise(table(), threshold_mm=2.0))}
    whole = "whole instrument, working range"
    assert targets[(whole, "bias, mm: at most ± 0.05")].met == "yes"
    assert targets[(whole, "interval over empirical width: at most 1.5")].met == "yes"
    off = {(t.of, t.text): t for t in judge(summarise(table(bias=-0.08, half_mm=0.4), threshold_mm=2.0))}
    assert off[(whole, "bias, mm: at most ± 0.05")].met == "no"
    assert off[(whole, "interval over empirical width: at most 1.5")].met == "no"
    few = judge(summarise(table(3), threshold_mm=2.0))
    assert any("worst cell" in t.text and t.met == "unknown" for t in few)


def test_curves_over_the_diameter() -> None:
    errors = errors_by_diameter(table())
    part = errors[errors["mode"] == "instrument"]
    assert part["n"].sum() == 400 and part["diameter_mm"].is_monotonic_increasing
    assert (part["bias_mm"] - 0.03).abs().max() < 0.04
    calls = calls_by_diameter(table())
    assert calls.groupby("diameter_mm")["share"].sum().to_numpy() == pytest.approx(1.0)
    right = calls[calls["call"] == "right"].set_index("diameter_mm")["share"]
    assert right.iloc[0] == 1 and right.min() < 0.6


def test_figures_are_svg_and_the_same_every_time() -> None:
    phantoms = table(80)
    summary = summarise(phantoms, threshold_mm=2.0)
    empty = phantoms.iloc[:0]
    for some, cells in ((phantoms, summary), (empty, summary.iloc[:0])):
        drawn = [
            (
                error_figure(some, errors_by_diameter(some), within_mm=WITHIN_MM),
                bland_altman_figure(some),
                calls_figure(calls_by_diameter(some), threshold_mm=2.0, clear_mm=0.3),
                coverage_figure(cells),
            )
            for _ in range(2)
        ]
        assert drawn[0] == drawn[1]
        assert all(ElementTree.fromstring(svg).tag.endswith("svg") for svg in drawn[0])


# --- through the whole instrument -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("validation") / "out"
    validate(out, size=TINY, command=["test"])
    return out


def test_a_few_phantoms_through_everything(run: Path) -> None:
    names = {"validation.csv", "summary.csv", "validation.html", "run.json", "store.sqlite"}
    names |= {f"{name}.svg" for name in ("error", "bland_altman", "calls", "coverage")}
    assert {path.name for path in run.iterdir()} == names
    phantoms = pd.read_csv(run / "validation.csv")
    assert list(phantoms.columns) == columns("validation/phantoms")
    assert list(phantoms["mode"]) == ["geometry", "instrument"] * 2
    geometry = phantoms[(phantoms["mode"] == "geometry") & (phantoms["found"] == "yes")]
    assert len(geometry) and geometry["error_mm"].abs().max() < 0.2
    whole = phantoms[(phantoms["mode"] == "instrument") & (phantoms["found"] == "yes")]
    assert len(whole) and whole["error_mm"].abs().max() < 0.6 and whole["dice"].min() > 0.7
    measured = phantoms[phantoms["found"] == "yes"]
    assert (measured["diameter_low_mm"] <= measured["diameter_mm"]).all()
    page = (run / "validation.html").read_text(encoding="utf-8")
    assert "http" not in page.replace("http-equiv", "") and page.count("data:image/svg+xml") == 4
    assert "not a medical device" in page and "Of 2 photos in that range" in page


def test_a_second_call_measures_nothing_again_and_writes_the_same(run: Path) -> None:
    before = {p.name: p.read_bytes() for p in run.iterdir() if p.suffix in (".csv", ".svg", ".html")}
    calls: list[int] = []
    validate(run, size=TINY, progress=lambda done, total, result: calls.append(done), command=["test"])
    assert not calls
    assert {p.name: p.read_bytes() for p in run.iterdir() if p.suffix in (".csv", ".svg", ".html")} == before
    more = replace(TINY, n_working=3)
    validate(run, size=more, progress=lambda done, total, result: calls.append(done), command=["test"])
    assert calls == [3]


def test_a_folder_of_others_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    wrong = CliRunner().invoke(main, ["validate", "-o", str(tmp_path)])
    assert wrong.exit_code == 2 and "other files" in wrong.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
