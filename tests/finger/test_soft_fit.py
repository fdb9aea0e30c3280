"""The fit of a finger's few numbers, against scipy's of the same loss and bounds."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy.optimize import least_squares

from ulcermeter.finger.soft_fit import Floats, fit_softly

ALONG = np.linspace(0, 4, 60)


def decays(values: Floats, observed: Floats) -> Floats:
    """Residuals (B, K) of a decay with a floor: height, rate, floor."""
    height, rate, floor = values.T[..., None]
    return np.asarray((height * np.exp(-rate * ALONG) + floor - observed) / 0.05)


@pytest.mark.parametrize(
    ("least_floor", "begin"), [(0.0, (1.0, 0.5, 0.5)), (0.35, (1.0, 0.5, 0.5)), (0.0, (9.0, 0.1, 9.0))]
)
@pytest.mark.parametrize("seed", range(4))
def test_it_finds_what_scipy_finds_past_outliers_at_a_bound_and_from_afar(
    seed: int, least_floor: float, begin: tuple[float, ...]
) -> None:
    rng = np.random.default_rng(seed)
    observed = 2.0 * np.exp(-1.3 * ALONG) + 0.2 + rng.normal(0, 0.05, len(ALONG))
    observed[rng.choice(len(ALONG), 6)] += 1.5
    low, high = np.array([0.1, 0.1, least_floor]), np.array([9.0, 5.0, 9.0])
    found = fit_softly(partial(decays, observed=observed), np.array(begin), low=low, high=high, settled=1e-9, rounds=60)

    def of_one(row: Floats) -> Floats:
        return np.asarray(decays(row[None], observed)[0])

    right = least_squares(of_one, (2.0, 1.0, 0.4), bounds=(low, high), loss="soft_l1", ftol=1e-12, xtol=1e-12).x
    assert found == pytest.approx(right, abs=2e-3)
    assert (found >= low).all()
    assert (found <= high).all()
