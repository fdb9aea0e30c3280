"""Figures of effects: what is estimated stands in them, what cannot be is told, and they come out the same again."""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd
import pytest

from ulcermeter.outcomes.effects import estimate_healing_curve
from ulcermeter.plots import forest_figure, healing_share_figure, slopes_figure
from ulcermeter.tables import from_rows


def words(svg: str) -> list[str]:
    assert svg.startswith("<svg") and len(svg) < 120_000 and "dc:date" not in svg
    return [text.strip() for text in re.findall(r"<text[^>]*>([^<]*)</text>", svg)]


def curves() -> list:
    low = np.array([0.0, 14, 28, 56, 56, 84])
    high = np.array([14.0, 28, 56, np.nan, 84, np.nan])
    rows = pd.DataFrame({"subject_id": list("abcdef"), "healing_day_low": low, "healing_day_high": high})
    visits = [("day 0", 0.0), ("48h", 2.0), ("week 8", 56.0), ("week 12", 84.0)]
    both = pd.concat([rows.assign(arm="MSC"), rows.head(3).assign(arm="placebo")])
    return [estimate_healing_curve(both, arm=arm, visits=visits, draws=50) for arm in ("MSC", "placebo")]


def test_curves_stand_with_their_numbers_at_risk() -> None:
    """At risk on days 0, 56 and 84: 6, 4 and 2 of MSC; 3, 1 and 0 of placebo. 48 h would touch day 0."""
    figure = healing_share_figure(curves())
    told = words(figure)
    assert {"MSC", "placebo", "MSC: at risk", "placebo: at risk", "share of ulcers healed"} <= set(told)
    numbers = [text for text in told[told.index("MSC: at risk") + 1 :] if text.isdigit()]
    assert numbers[:3] == ["6", "4", "2"] and numbers[3:6] == ["3", "1", "0"]
    assert healing_share_figure(curves()) == figure


def effects() -> pd.DataFrame:
    head = {"outcome": "time to healing", "arm": "MSC", "reference_arm": "placebo", "measure": "hazard ratio"}
    numbers = [(2.5, 1.1, 5.7, 0.03), (1.2, 0.4, math.inf, 0.8), (math.nan, math.nan, math.nan, math.nan)]
    names = ("treatment policy", "censored at rescue", "largest ulcer only")
    rows = [
        head | {"estimand": e, "estimate": x, "low": low, "high": high, "p_value": p, "n_ulcers": 9, "n_subjects": 8}
        for e, (x, low, high, p) in zip(names, numbers, strict=True)
    ]
    slope = {"estimand": names[0], "outcome": "area", "measure": "slope per week, mm2", "n_ulcers": 2, "n_subjects": 2}
    rows += [slope | {"arm": "MSC", "estimate": -1.5, "low": -2.0, "high": -1.0}]
    return from_rows("effects", rows)


def test_a_forest_tells_every_row_with_its_interval() -> None:
    told = words(forest_figure(effects(), outcome="time to healing", measure="hazard ratio"))
    assert "treatment policy: MSC against placebo" in told
    assert "2.50 (1.10 to 5.70), p 0.030; 8 subjects" in told
    assert "1.20 (0.40 to ∞), p 0.800; 8 subjects" in told
    assert "not estimable" in told and "time to healing: hazard ratio" in told


def test_a_forest_of_nothing_is_drawn() -> None:
    assert "new ulcers: rate ratio" in words(forest_figure(effects(), outcome="new ulcers", measure="rate ratio"))


def test_courses_stand_on_one_scale_with_the_slope() -> None:
    rows = [
        {"arm": arm, "ulcer_id": f"{arm}-{k}", "day": day, "area_mm2": 9.0 + k - day / 14}
        for arm in ("MSC", "placebo")
        for k in range(2)
        for day in (0, 14, 28)
    ]
    told = words(slopes_figure(pd.DataFrame(rows), effects()))
    assert "MSC: −1.50 (−2.00 to −1.00) mm² a week" in told and "placebo" in told


@pytest.mark.parametrize("n", [0, 1])
def test_curves_of_nothing_are_drawn(n: int) -> None:
    nothing = pd.DataFrame({"subject_id": ["a"], "healing_day_low": [math.nan], "healing_day_high": [math.nan]})
    assert "days since treatment" in words(healing_share_figure([estimate_healing_curve(nothing)] * n))
