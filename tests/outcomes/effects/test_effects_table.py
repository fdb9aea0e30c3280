"""The table of all effects: every row's place, the p-values, strata, arms and what is told where nothing is known."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from outcome_cases import PROTOCOL, on, study, ulcer

from ulcermeter.datatypes import Caution, Estimand, Outcomes
from ulcermeter.errors import TableError
from ulcermeter.outcomes import outcomes_by_arm, tabulate_outcomes
from ulcermeter.outcomes.effects import tabulate_effects
from ulcermeter.tables import TABLES, columns, from_rows

# Subject: arm, stratum, the days on which its ulcers were seen healed (None: open to the end).
PEOPLE = {
    "S01": ("MSC", "limited", (28, 56)),
    "S02": ("placebo", "limited", (None, 168)),
    "S03": ("MSC", "diffuse", (14,)),
    "S04": ("placebo", "diffuse", (84, 84)),
    "S05": ("MSC", "limited", (84, None)),
    "S06": ("placebo", "limited", (None,)),
    "S07": ("MSC", "diffuse", (56, 56)),
    "S08": ("placebo", "diffuse", (56, None)),
}
DAYS = (0, 14, 28, 56, 84, 168)
FINGERS = ("left-index-1", "right-ring-1")


def course(start: float, end: int | None) -> list[tuple[int, float, dict]]:
    """Shrinks evenly; seen at every visit, and 1 mm2 either way."""
    full = end or 400
    areas = [(day, 0.0 if end is not None and day >= end else round(start * (1 - 0.8 * day / full), 2)) for day in DAYS]
    return [(d, a, {"area_low_mm2": max(0.0, a - 1), "area_high_mm2": a + 1}) for d, a in areas]


ROWS = [
    row
    for i, (subject, (_, _, ends)) in enumerate(PEOPLE.items())
    for k, end in enumerate(ends)
    for row in ulcer(*course(7.0 + i + 2 * k, end), subject=subject, name=FINGERS[k])
]
ALLOCATION = from_rows(
    "study/allocation", [{"subject_id": s, "arm": arm, "stratum": stratum} for s, (arm, stratum, _) in PEOPLE.items()]
)


@pytest.fixture(scope="module")
def made() -> tuple[Outcomes, pd.DataFrame]:
    whole = study(trajectories=ROWS)
    trajectories = from_rows("trajectories", ROWS)
    return tabulate_outcomes(whole, trajectories), trajectories


@pytest.fixture(scope="module")
def effects(made: tuple[Outcomes, pd.DataFrame]) -> pd.DataFrame:
    return tabulate_effects(*made, ALLOCATION, protocol=PROTOCOL, study=study(trajectories=ROWS), draws=40)


def pick(table: pd.DataFrame, **cells: str) -> pd.Series:
    own = {"estimand": "treatment policy", "stratum": ""} | cells
    found = table[np.logical_and.reduce([table[name] == value for name, value in own.items()])]
    assert len(found) == 1, found
    return found.iloc[0]


def test_it_keeps_its_contract_and_names_every_estimand(effects: pd.DataFrame) -> None:
    assert list(effects.columns) == columns("effects")
    assert set(effects["estimand"]) == {str(e) for e in Estimand} == set(TABLES["effects"]["estimand"].values)
    keys = ["estimand", "outcome", "arm", "reference_arm", "stratum", "measure"]
    assert not effects.duplicated(keys).any()


def test_shares_by_hand(effects: pd.DataFrame) -> None:
    """By week 8 MSC 5 of 7, placebo 1 of 7; by week 12 6 of 7 and 3 of 7."""
    for visit, a, b in (("week 8", 5, 1), ("week 12", 6, 3)):
        cells = {"outcome": f"healed by {visit}", "measure": "share", "reference_arm": ""}
        assert pick(effects, arm="MSC", **cells)["estimate"] == pytest.approx(a / 7)
        assert pick(effects, arm="placebo", **cells)["estimate"] == pytest.approx(b / 7)
        found = pick(effects, arm="MSC", outcome=f"healed by {visit}", measure="risk difference")
        assert found["estimate"] == pytest.approx((a - b) / 7)
        assert (found["n_ulcers"], found["n_subjects"], found["reference_arm"]) == (14, 8, "placebo")


def test_p_values_are_those_of_all_splits(effects: pd.DataFrame) -> None:
    """36 splits of 8 subjects, two of four in either stratum, one by one."""
    healed = {s: sum(e is not None and e <= 56 for e in ends) for s, (_, _, ends) in PEOPLE.items()}
    sizes = {s: len(ends) for s, (_, _, ends) in PEOPLE.items()}

    def difference(first: set[str]) -> float:
        other = set(PEOPLE) - first
        return abs(
            sum(healed[s] for s in first) / sum(sizes[s] for s in first)
            - sum(healed[s] for s in other) / sum(sizes[s] for s in other)
        )

    observed = difference({s for s, (arm, _, _) in PEOPLE.items() if arm == "MSC"})
    strata = [[s for s, (_, stratum, _) in PEOPLE.items() if stratum == name] for name in ("diffuse", "limited")]
    assert [sum(PEOPLE[s][0] == "MSC" for s in own) for own in strata] == [2, 2]
    splits = itertools.product(*(itertools.combinations(own, 2) for own in strata))
    hits = [difference({*one, *other}) >= observed - 1e-9 for one, other in splits]
    found = pick(effects, arm="MSC", outcome="healed by week 8", measure="risk difference")
    assert found["p_value"] == pytest.approx(sum(hits) / 36)


def test_suns_score_is_the_one_of_the_counts(made: tuple[Outcomes, pd.DataFrame], effects: pd.DataFrame) -> None:
    by_arm = outcomes_by_arm(made[0], ALLOCATION, protocol=PROTOCOL)
    old = by_arm[
        by_arm["measure"].str.contains("Sun") & (by_arm["limb"] == "both") & by_arm["ulcers"].str.startswith("all")
    ]
    old = old[old["stratum"] == ""]
    new = pick(effects, outcome="time to healing", measure="Sun's log-rank score, standardised")
    assert (new["estimate"], new["p_value"]) == pytest.approx((old["z"].item(), old["p_value"].item()))


def test_time_and_slopes_point_the_same_way(effects: pd.DataFrame) -> None:
    assert pick(effects, outcome="time to healing", measure="hazard ratio")["estimate"] > 1
    medians = effects[
        (effects["measure"] == "median, days")
        & (effects["estimand"] == "treatment policy")
        & (effects["stratum"] == "")
    ]
    assert medians.set_index("arm")["estimate"].to_dict() == {"MSC": 56, "placebo": 168}
    assert pick(effects, outcome="area", measure="difference of slopes per week, mm2")["estimate"] < 0


def test_strata_and_limbs_stand_apart(effects: pd.DataFrame) -> None:
    """Limited by week 12: MSC 3 of 4, placebo 0 of 3."""
    assert set(effects["stratum"]) == {"", "limited", "diffuse", "injected limb", "other limb", "adjusted"}
    found = pick(effects, arm="MSC", outcome="healed by week 12", measure="risk difference", stratum="limited")
    assert found["estimate"] == pytest.approx(3 / 4)
    assert pick(effects, outcome="time to healing", measure="hazard ratio", stratum="adjusted")["n_ulcers"] == 14
    other = pick(effects, arm="MSC", outcome="healed by week 8", measure="share", stratum="other limb")
    assert (other["estimate"], other["n_ulcers"]) == (pytest.approx(2 / 3), 3)


def test_few_subjects_are_told(effects: pd.DataFrame) -> None:
    found = pick(effects, arm="MSC", outcome="healed by week 12", measure="risk difference")
    assert str(Caution.FEW_SUBJECTS) in found["warning"]


def test_the_reference_arm_can_be_chosen(made: tuple[Outcomes, pd.DataFrame], effects: pd.DataFrame) -> None:
    other = tabulate_effects(*made, ALLOCATION, protocol=PROTOCOL, reference_arm="MSC", draws=20)
    one = pick(effects, arm="MSC", outcome="healed by week 12", measure="risk difference")
    turned = pick(other, arm="placebo", outcome="healed by week 12", measure="risk difference")
    assert (turned["estimate"], turned["low"], turned["p_value"]) == pytest.approx(
        (-one["estimate"], -one["high"], one["p_value"])
    )
    assert other["warning"].str.contains(str(Caution.STUDY_NOT_READ)).all()
    assert set(other["estimand"]) == {"treatment policy", "largest ulcer only"}


def test_three_arms(made: tuple[Outcomes, pd.DataFrame]) -> None:
    arms = ALLOCATION.assign(arm=["A", "B", "C", "A", "B", "C", "A", "B"], stratum="")
    found = tabulate_effects(*made, arms, protocol=PROTOCOL, reference_arm="C", draws=20)
    pairs = found[found["measure"] == "risk difference"][["arm", "reference_arm"]].drop_duplicates()
    assert pairs.to_numpy().tolist() == [["A", "C"], ["B", "C"]]


def test_an_allocation_that_cannot_be_used_is_refused_whole(made: tuple[Outcomes, pd.DataFrame]) -> None:
    bad = pd.concat([ALLOCATION.head(7), ALLOCATION.head(1).assign(arm="placebo")])
    with pytest.raises(TableError, match=r"one arm and stratum for S01(.|\n)*an arm for S08"):
        tabulate_effects(*made, bad, protocol=PROTOCOL)
    with pytest.raises(TableError, match="expected two arms or more, got MSC"):
        tabulate_effects(*made, ALLOCATION.assign(arm="MSC"), protocol=PROTOCOL)
    with pytest.raises(TableError, match="expected one of MSC, placebo, got 'sham'"):
        tabulate_effects(*made, ALLOCATION, protocol=PROTOCOL, reference_arm="sham")


def test_new_ulcers_and_categories(effects: pd.DataFrame) -> None:
    rates = effects[effects["outcome"] == "new ulcers"]
    assert rates["measure"].tolist() == ["rate per subject-month"] * 2 + ["rate ratio"]
    assert rates["estimate"].iloc[0] == 0 and rates["high"].iloc[0] > 0 and math.isnan(rates["estimate"].iloc[2])
    counted = effects[effects["outcome"].str.startswith("category: ")]
    assert counted.groupby("arm")["estimate"].sum().to_dict() == {"MSC": 4, "placebo": 4}


def test_a_death_is_among_what_ulcers_come_to(made: tuple[Outcomes, pd.DataFrame]) -> None:
    """S06 (placebo, one open ulcer of 7) dies on day 60: 1/7 died, and it stays in the denominator."""
    event = {"subject_id": "S06", "event": "death", "date": on(60)}
    whole = study(trajectories=ROWS, events=[event])
    found = tabulate_effects(*made, ALLOCATION, protocol=PROTOCOL, study=whole, draws=20)
    died = pick(found, arm="placebo", outcome="died by week 12", measure="cumulative incidence")
    assert died["estimate"] == pytest.approx(1 / 7) and died["low"] > 0
    share = pick(found, arm="placebo", outcome="healed by week 12", measure="share")
    assert share["estimate"] == pytest.approx(3 / 7)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], "no ulcer at all"),
        (ulcer((0, 8.0)), "nothing seen after day 0"),
        ([row | {"day": None, "date": "2016"} for row in ulcer((0, 8.0), (14, 0.0))], "no day is known"),
    ],
)
def test_a_study_that_tells_nothing_has_a_table_that_says_so(rows: list, why: str) -> None:
    whole = study(trajectories=rows)
    trajectories = from_rows("trajectories", rows)
    arms = from_rows("study/allocation", [{"subject_id": "S01", "arm": "A"}, {"subject_id": "S02", "arm": "B"}])
    made = tabulate_outcomes(whole, trajectories)
    found = tabulate_effects(made, trajectories, arms, protocol=PROTOCOL, study=whole, draws=10)
    compared = found[found["reference_arm"] != ""]
    assert len(found) and compared["estimate"].isna().all(), why
    assert compared["warning"].str.contains(str(Caution.NOT_ESTIMABLE)).all(), why
