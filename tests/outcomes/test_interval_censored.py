"""Interval-censored time against published values: breast cosmesis (Finkelstein & Wolfe 1985, Biometrics 41:933)."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ulcermeter.errors import TableError
from ulcermeter.outcomes import interval_censored_scores, turnbull

# Months to breast retraction in (left, right]; an open right end was not seen.
RADIATION = """45- 6-10 0-7 46- 46- 7-16 17- 7-14 37-44 0-8 4-11 15- 11-15 22- 46- 46- 25-37 46- 26-40 46- 27-34 36-44
46- 36-48 37- 40- 17-25 46- 11-18 38- 5-12 37- 0-5 18- 24- 36- 5-11 19-35 17-25 24- 32- 33- 19-26 37- 34- 36-"""
WITH_CHEMOTHERAPY = """8-12 0-22 24-31 17-27 17-23 24-30 16-24 13- 11-13 16-20 18-25 17-26 32- 23- 44-48 14-17 0-5 5-8
12-20 11- 33-40 31- 13-39 19-32 34- 13- 16-24 35- 15-22 11-17 22-32 10-35 30-34 13- 10-17 8-21 4-9 11- 14-19 4-8 34-
30-36 18-24 16-60 35-39 21- 11-20 48-"""


def intervals(text: str) -> np.ndarray:
    pairs = [part.split("-") for part in text.split()]
    return np.array([(float(low), float(high) if high else math.inf) for low, high in pairs])


@pytest.fixture(scope="module")
def cosmesis() -> tuple[np.ndarray, np.ndarray]:
    first, second = intervals(RADIATION), intervals(WITH_CHEMOTHERAPY)
    assert (len(first), len(second)) == (46, 48)
    return np.vstack([first, second]), np.repeat([True, False], [46, 48])


@pytest.mark.parametrize(
    ("text", "ends", "mass"),
    [
        (RADIATION, [5, 7, 8, 12, 25, 34, 40, 48], [0.0463, 0.0334, 0.0887, 0.0708, 0.0926, 0.0818, 0.1209, 0.4656]),
        (
            WITH_CHEMOTHERAPY,
            [5, 8, 12, 17, 19, 20, 25, 31, 36, 48, 60],
            [0.0433, 0.0433, 0.0692, 0.1454, 0.1411, 0.1157, 0.0999, 0.0709, 0.1608, 0.0552, 0.0552],
        ),
    ],
)
def test_turnbull_gives_the_published_estimate(text: str, ends: list[float], mass: list[float]) -> None:
    """Masses as in Fay & Shaw 2010 (doi 10.18637/jss.v036.i02); below a thousandth they are not listed there."""
    data = intervals(text)
    right, found = turnbull(data[:, 0], data[:, 1])
    kept = found > 1e-3
    assert right[kept].tolist() == ends
    np.testing.assert_allclose(found[kept], mass, atol=1e-4)
    assert found.sum() == pytest.approx(1)


@pytest.mark.parametrize(("kind", "z", "p"), [("logrank", -2.668, 0.0076), ("wilcoxon", -2.167, 0.030)])
def test_scores_give_the_published_tests(
    cosmesis: tuple[np.ndarray, np.ndarray], kind: str, z: float, p: float
) -> None:
    data, first = cosmesis
    scores = interval_censored_scores(data[:, 0], data[:, 1], kind=kind)
    assert scores.sum() == pytest.approx(0, abs=1e-6)
    n, n1 = len(first), first.sum()
    variance = n1 * (n - n1) / n / (n - 1) * (scores**2).sum()
    found = scores[first].sum() / math.sqrt(variance)
    assert found == pytest.approx(z, abs=5e-4)
    assert math.erfc(abs(found) / math.sqrt(2)) == pytest.approx(p, abs=5e-4)


def test_exact_times_give_kaplan_meier() -> None:
    """Tiny intervals are exact times: 1, 2 and 4, one censored at 3: S falls to 3/4, 1/2 and 0."""
    low, high = np.array([0.999, 1.999, 3.0, 3.999]), np.array([1.0, 2.0, math.inf, 4.0])
    right, mass = turnbull(low, high)
    kept = mass > 1e-6
    assert right[kept].tolist() == [1.0, 2.0, 4.0]
    np.testing.assert_allclose(1 - np.cumsum(mass[kept]), [0.75, 0.5, 0.0], atol=1e-6)


def test_wilcoxon_scores_of_exact_times_are_their_ranks() -> None:
    times = np.array([5.0, 1.0, 9.0, 3.0])
    scores = interval_censored_scores(times - 0.01, times, kind="wilcoxon")
    np.testing.assert_allclose(scores, [-0.25, 0.75, -0.75, 0.25], atol=1e-6)


def test_touching_intervals_share_no_time() -> None:
    right, mass = turnbull(np.array([0.0, 14.0]), np.array([14.0, 28.0]))
    assert right.tolist() == [14.0, 28.0] and mass.tolist() == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize(("low", "high"), [(2.0, 2.0), (28.0, 14.0), (math.nan, 14.0)])
def test_an_interval_that_holds_no_time_is_refused(low: float, high: float) -> None:
    with pytest.raises(TableError, match=r"expected healing_day_low before healing_day_high, got .*tabulate it again"):
        turnbull(np.array([0.0, low]), np.array([14.0, high]))
