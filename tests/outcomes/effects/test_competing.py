"""Cumulative incidence against R's survfit with several kinds of event (survival 3.5-3, R 4.2.2)."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from ulcermeter.datatypes import Caution
from ulcermeter.outcomes.effects import cumulative_incidence, incidence_by
from ulcermeter.outcomes.effects.competing import CAUSES

DAY = np.array([14, 14, 28, 28, 28, 56, 56, 56, 84, 84, 84, 84, 120, 120, 30, 10], dtype=float)
STATE = [1, 0, 1, 2, 1, 1, 2, 0, 1, 1, 0, 3, 0, 1, 3, 1]
CAUSE = np.array([("", *CAUSES)[state] for state in STATE], dtype=object)
SUBJECT = np.array([1, 2, 1, 3, 4, 4, 5, 5, 6, 7, 7, 8, 9, 9, 10, 10])
# survfit(Surv(day, factor(state, 0:3)) ~ 1, influence = TRUE): pstate on days 10, 14, 28, 30, 56, 84, 120
INCIDENCE = {
    "healed": [0.0625, 0.125, 0.2596153846, 0.2596153846, 0.3269230769, 0.4839743590, 0.6017628205],
    "amputated": [0, 0, 0.06730769231, 0.06730769231, 0.13461538462, 0.13461538462, 0.13461538462],
    "died": [0, 0, 0, 0.06730769231, 0.06730769231, 0.14583333333, 0.14583333333],
}
# std.err, and sqrt(colSums(rowsum(influence.pstate[, , k], subject)^2)) on the last day
ALONE = {"healed": 0.14006419086, "amputated": 0.08847882195, "died": 0.09541342640}
BY_SUBJECT = {"healed": 0.11491871892, "amputated": 0.08703232210, "died": 0.09468207426}


@pytest.mark.parametrize("cause", CAUSES)
def test_incidence_and_errors_are_survfits(cause: str) -> None:
    times, found, error = cumulative_incidence(DAY, CAUSE, SUBJECT, cause)
    assert times.tolist() == [10, 14, 28, 30, 56, 84, 120]
    assert found == pytest.approx(INCIDENCE[cause], abs=1e-9)
    assert error[-1] == pytest.approx(BY_SUBJECT[cause], abs=1e-9)
    alone = cumulative_incidence(DAY, CAUSE, np.arange(16), cause)[2]
    assert alone[-1] == pytest.approx(ALONE[cause], abs=1e-9)


def test_without_censoring_it_is_a_share() -> None:
    """3 of 8 healed, 1 amputated, 4 died by day 100: 3/8, 1/8, 4/8, error sqrt(p (1 - p) / 8)."""
    day = np.arange(10.0, 90.0, 10.0)
    cause = np.array(["healed", "died", "healed", "amputated", "died", "died", "healed", "died"], dtype=object)
    for name, count in (("healed", 3), ("amputated", 1), ("died", 4)):
        _, found, error = cumulative_incidence(day, cause, np.arange(8), name)
        assert found[-1] == pytest.approx(count / 8)
        assert error[-1] == pytest.approx(math.sqrt(count / 8 * (1 - count / 8) / 8))


def frame() -> pd.DataFrame:
    return pd.DataFrame({"subject_id": SUBJECT.astype(str), "arm": "A", "end_day": DAY, "end_cause": CAUSE})


def test_by_a_day_with_interval() -> None:
    healed, amputated, died = incidence_by(frame(), day=60)
    assert (healed.outcome, healed.estimate) == ("healed", pytest.approx(0.3269230769))
    assert 0 < healed.low < healed.estimate < healed.high < 1
    assert healed.estimate + amputated.estimate + died.estimate < 1
    assert (healed.n_ulcers, healed.n_subjects) == (16, 10)


def test_before_any_event_the_interval_is_the_binomials() -> None:
    """Day 12: nobody of 10 subjects amputated: up to 1 - 0.025^(1/10)."""
    amputated = incidence_by(frame(), day=12)[1]
    assert (amputated.estimate, amputated.low, amputated.high) == pytest.approx((0, 0, 1 - 0.025**0.1))


def test_amputation_is_not_censoring() -> None:
    """Half are amputated on day 1, all others heal on day 2: half heal, not all (as Kaplan-Meier would have it)."""
    rows = pd.DataFrame(
        {
            "subject_id": [str(i) for i in range(20)],
            "arm": "A",
            "end_day": [1.0] * 10 + [2.0] * 10,
            "end_cause": ["amputated"] * 10 + ["healed"] * 10,
        }
    )
    assert incidence_by(rows, day=3)[0].estimate == pytest.approx(0.5)
    assert Caution.NOT_REACHED in incidence_by(rows, day=3)[0].cautions


def test_nothing_known_is_told() -> None:
    found = incidence_by(frame().assign(end_day=np.nan), day=60)
    assert all(math.isnan(e.estimate) and Caution.NOT_ESTIMABLE in e.cautions for e in found)
