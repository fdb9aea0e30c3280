"""By arm: whole subjects change arm, all splits are counted, limbs stand apart."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from outcome_cases import PROTOCOL, tabulate, ulcer

from ulcermeter.datatypes import Outcomes
from ulcermeter.errors import TableError
from ulcermeter.outcomes import interval_censored_scores, outcomes_by_arm
from ulcermeter.outcomes.permutation import permute
from ulcermeter.tables import from_rows
from ulcermeter.tables.flags import Flag, FlagKind, write_flags

ARMS = {"S01": "A", "S02": "A", "S03": "A", "S04": "B", "S05": "B", "S06": "B", "S07": "B"}


def allocation(arms: dict[str, str]) -> pd.DataFrame:
    return from_rows("study/allocation", [{"subject_id": s, "arm": a} for s, a in arms.items()])


@pytest.fixture(scope="module")
def outcomes() -> Outcomes:
    """A heals sooner; subjects have one to three ulcers, S02 and S06 one on the other limb too."""
    rows = []
    fingers = ("index", "ring", "thumb")
    for i, subject in enumerate(ARMS):
        ends = [(14, 0.0), (42, 0.0)] if ARMS[subject] == "A" else [(56, 7.0), (84, 0.0), (112, 0.0)]
        for k in range(1 + i % 3):
            rows.append(ulcer((0, 8.0 + k), *ends, subject=subject, name=f"left-{fingers[k]}-1"))
    rows.append(ulcer((0, 5.0), (84, 5.0), subject="S02", name="right-ring-1"))
    rows.append(ulcer((0, 5.0), (84, 0.0), subject="S06", name="right-ring-1"))
    rows.append(ulcer((0, 30.0), (84, 30.0), subject="S05", name="left-middle-1"))
    rows.append(ulcer((0, 9.0), subject="S07", name="left-little-1"))
    return tabulate(*rows)


@pytest.fixture(scope="module")
def by_arm(outcomes: Outcomes) -> pd.DataFrame:
    return outcomes_by_arm(outcomes, allocation(ARMS), protocol=PROTOCOL)


def pick(table: pd.DataFrame, limb: str, ulcers: str, measure: str, arm: str) -> pd.Series:
    found = table[
        (table["limb"] == limb)
        & table["ulcers"].str.startswith(ulcers)
        & table["measure"].str.startswith(measure)
        & (table["arm"] == arm)
    ]
    assert len(found) == 1
    return found.iloc[0]


def test_counts(by_arm: pd.DataFrame) -> None:
    assert pick(by_arm, "both", "all", "healed: yes", "A")["value"] == 6
    assert pick(by_arm, "both", "all", "healed: no", "A")["value"] == 1
    assert pick(by_arm, "both", "all", "healed: unknown", "B")["value"] == 1
    assert pick(by_arm, "other", "all", "share healed", "A")["value"] == 0
    assert pick(by_arm, "injected", "all", "share healed", "A")["value"] == 1
    assert pick(by_arm, "other", "all", "share healed", "B")["n_subjects"] == 1
    assert pick(by_arm, "both", "largest", "healed: no", "B")["value"] == 1


def naive(table: pd.DataFrame, statistic) -> tuple[float, float]:
    """Observed and p, by a loop over all splits of subjects."""
    subjects = sorted(set(table["subject_id"]))
    size = sum(ARMS[s] == "A" for s in subjects)
    observed = statistic(table, {s for s in subjects if ARMS[s] == "A"})
    spread = [statistic(table, set(c)) for c in itertools.combinations(subjects, size)]
    return observed, float(np.mean([abs(t) >= abs(observed) - 1e-9 for t in spread]))


def test_the_share_test_moves_whole_subjects(outcomes: Outcomes, by_arm: pd.DataFrame) -> None:
    table = outcomes.outcomes
    known = table[table["healed"] != "unknown"]

    def difference(frame: pd.DataFrame, first: set[str]) -> float:
        here = frame["subject_id"].isin(first)
        yes = frame["healed"] == "yes"
        return float(yes[here].mean() - yes[~here].mean())

    observed, p = naive(known, difference)
    row = pick(by_arm, "both", "all", "share healed, difference", "A - B")
    assert row["value"] == pytest.approx(observed) and row["p_value"] == pytest.approx(p)
    assert row["n_splits"] == math.comb(7, 3) and row["method"] == "all splits"


def test_the_score_test_moves_whole_subjects(outcomes: Outcomes, by_arm: pd.DataFrame) -> None:
    table = outcomes.outcomes[outcomes.outcomes["healing_day_low"].notna()].copy()
    high = table["healing_day_high"].fillna(np.inf).to_numpy(float)
    for kind, measure in (("logrank", "time to healing, Sun"), ("wilcoxon", "time to healing, Wilcoxon")):
        table["score"] = interval_censored_scores(table["healing_day_low"].to_numpy(float), high, kind=kind)
        observed, p = naive(table, lambda f, first: f.loc[f["subject_id"].isin(first), "score"].sum())
        row = pick(by_arm, "both", "all", measure, "A - B")
        assert row["value"] == pytest.approx(observed) and row["p_value"] == pytest.approx(p)
        assert row["value"] > 0, "A heals earlier"


def test_one_ulcer_a_subject_as_sensitivity(by_arm: pd.DataFrame) -> None:
    row = pick(by_arm, "both", "largest", "time to healing, Sun", "A - B")
    assert (row["n_subjects"], row["n_ulcers"]) == (7, 7)
    # All three in A heal first; as far out on the other side lies only the split of the three in B that were followed
    # (the fourth was not seen after day 0 and scores 0).
    assert row["p_value"] == pytest.approx(2 / 35)


def test_swapping_names_turns_the_sign_and_keeps_p(outcomes: Outcomes, by_arm: pd.DataFrame) -> None:
    turned = {s: {"A": "B", "B": "A"}[a] for s, a in ARMS.items()}
    other = outcomes_by_arm(outcomes, allocation(turned), protocol=PROTOCOL)
    for measure in ("share healed, difference", "time to healing, Sun"):
        row, back = (pick(t, "both", "all", measure, "A - B") for t in (by_arm, other))
        assert back["value"] == pytest.approx(-row["value"]) and back["p_value"] == pytest.approx(row["p_value"])


def test_ten_against_ten_is_exact() -> None:
    values = np.arange(20.0)[:, None]
    first = np.arange(20) < 10
    done = permute(values, first, lambda a, b: a[:, 0] - b[:, 0], PROTOCOL)
    assert done.n_splits == 184756 and done.p_value == pytest.approx(2 / 184756)


def test_beyond_that_splits_are_drawn_and_repeat() -> None:
    protocol = PROTOCOL.changed(permutation_exact_max=100, permutation_draws=5000)
    values, first = np.array([3.0, 1, 4, 1, 5, 9, 2, 6, 5, 3])[:, None], np.arange(10) < 5
    exact = permute(values, first, lambda a, b: a[:, 0] - b[:, 0], PROTOCOL)
    drawn = [permute(values, first, lambda a, b: a[:, 0] - b[:, 0], protocol) for _ in range(2)]
    assert drawn[0] == drawn[1] and drawn[0].n_splits == 5000 and "seed" in drawn[0].method
    assert drawn[0].p_value == pytest.approx(exact.p_value, abs=0.03)


def test_an_arm_without_ulcers_is_said() -> None:
    done = outcomes_by_arm(
        tabulate(ulcer((0, 8.0), (14, 0.0))), allocation({"S01": "A", "S02": "B"}), protocol=PROTOCOL
    )
    row = pick(done, "both", "all", "share healed, difference", "A - B")
    assert math.isnan(row["p_value"]) and row["method"] == "not possible: one arm only"


def test_what_is_not_known_is_not_tested() -> None:
    done = permute(np.full((4, 1), np.nan), np.arange(4) < 2, lambda a, b: a[:, 0] - b[:, 0], PROTOCOL)
    assert math.isnan(done.observed) and math.isnan(done.p_value) and done.method.startswith("not possible")


def test_two_photos_of_one_day_that_disagree_do_not_stop_the_comparison() -> None:
    """An unscheduled photo shows nothing on the day on which the planned one shows the ulcer open."""
    both = ulcer((0, 10.0), (2, 8.0), (2, 0.0, {"visit": "unscheduled"}), (14, 0.0), (84, 0.0))
    others = [ulcer((0, 8.0), (day, 0.0), subject=s) for s, day in (("S02", 14), ("S03", 28), ("S04", 84))]
    done = tabulate(both, *others)
    assert done.outcomes.loc[0, ["healing_day_low", "healing_day_high"]].tolist() == [2, 14]
    arms = allocation({"S01": "A", "S02": "B", "S03": "A", "S04": "B"})
    row = pick(outcomes_by_arm(done, arms, protocol=PROTOCOL), "both", "all", "time to healing, Sun", "A - B")
    assert math.isfinite(row["value"]) and math.isfinite(row["p_value"])


@pytest.mark.parametrize(
    ("arms", "says"),
    [
        ({s: "A" for s in ARMS}, "expected two arms or more, got A"),
        ({s: a for s, a in ARMS.items() if s != "S03"}, "expected an arm for S03"),
    ],
)
def test_a_wrong_allocation_is_refused(outcomes: Outcomes, arms: dict[str, str], says: str) -> None:
    with pytest.raises(TableError, match=says):
        outcomes_by_arm(outcomes, allocation(arms), protocol=PROTOCOL)


def test_a_subject_in_two_arms_is_refused(outcomes: Outcomes) -> None:
    twice = pd.concat([allocation(ARMS), allocation({"S01": "B"})])
    with pytest.raises(TableError, match="one arm and stratum for S01"):
        outcomes_by_arm(outcomes, twice, protocol=PROTOCOL)


# --- everybody randomised ---------------------------------------------------------------------------------------------


def value(table: pd.DataFrame, measure: str, arm: str, stratum: str = "", column: str = "value") -> float:
    rows = table[(table["measure"] == measure) & (table["arm"] == arm) & (table["stratum"] == stratum)]
    rows = rows[(rows["limb"] == "both") & (rows["ulcers"] != "largest of each subject")]
    assert len(rows) == 1
    return float(rows.iloc[0][column])


def test_every_randomised_subject_is_accounted_for() -> None:
    """Of A two were randomised and one never had results, of B one died and one never had an open ulcer."""
    rows = [ulcer((0, 8.0), (84, 0.0)), ulcer((0, 8.0), (28, 8.0), subject="S02"), ulcer((0, 0.0), subject="S03")]
    died = [{"subject_id": "S02", "event": "death", "date": "2016-06-30"}]
    arms = {"S01": "A", "S09": "A", "S02": "B", "S03": "B"}
    table = outcomes_by_arm(tabulate(*rows, events=died), allocation(arms), protocol=PROTOCOL)
    wanted = {
        "subjects randomised": (2, 2),
        "subjects": (1, 2),
        "subjects without results": (1, 0),
        "subjects without an ulcer open at baseline": (0, 1),
        "subjects whose follow-up ended by death": (0, 1),
        "subjects whose follow-up ended by withdrawal": (0, 0),
    }
    assert {name: (value(table, name, "A"), value(table, name, "B")) for name in wanted} == wanted


def test_a_shares_n_are_those_it_is_a_share_of() -> None:
    """Of S01's three ulcers one was never seen again: the share healed is 1 of 2, of one subject; S02's is of none."""
    rows = [
        ulcer((0, 8.0), (84, 0.0)),
        ulcer((0, 8.0), (84, 8.0), name="left-ring-1"),
        ulcer((0, 8.0), name="left-thumb-1"),
        ulcer((0, 8.0), subject="S02"),
        ulcer((0, 8.0), (84, 8.0), subject="S03"),
    ]
    arms = allocation({"S01": "A", "S02": "A", "S03": "B"})
    table = outcomes_by_arm(tabulate(*rows), arms, protocol=PROTOCOL)
    assert value(table, "share healed", "A") == 0.5
    assert [value(table, "share healed", "A", column=n) for n in ("n_ulcers", "n_subjects")] == [2, 1]
    assert [value(table, "healed: unknown", "A", column=n) for n in ("value", "n_ulcers", "n_subjects")] == [2, 4, 2]


def test_healing_by_reader_by_visit_and_for_weeks_stand_beside_it() -> None:
    machine = {"flags": write_flags([Flag(FlagKind.HEALED_BY_MACHINE)])}
    rows = [
        ulcer((0, 8.0), (84, 0.0), (168, 0.0)),  # by a reader, and for twelve weeks
        ulcer((0, 8.0), (84, 8.0), (168, 0.0, machine), subject="S02"),  # late, and by the machine alone
        ulcer((0, 8.0), (84, 8.0), subject="S03"),
    ]
    table = outcomes_by_arm(tabulate(*rows), allocation({"S01": "A", "S02": "A", "S03": "B"}), protocol=PROTOCOL)
    yes = {
        "healed: yes": 2,
        "by week 12 healed: yes": 1,
        "for 12 weeks healed: yes": 1,
        "reader-confirmed healed: yes": 1,
    }
    assert {name: value(table, name, "A") for name in yes} == yes
    assert (
        value(table, "share by week 12 healed", "A") == 0.5 and value(table, "share reader-confirmed healed", "A") == 1
    )


def test_more_than_two_arms_are_each_held_against_the_last() -> None:
    rows = [
        ulcer((0, 8.0), (84, area), subject=s) for s, area in (("S01", 0.0), ("S02", 0.0), ("S03", 8.0), ("S04", 8.0))
    ]
    arms = allocation({"S01": "A", "S02": "B", "S03": "C", "S04": "C"})
    table = outcomes_by_arm(tabulate(*rows), arms, protocol=PROTOCOL)
    assert (
        value(table, "share healed, difference", "A - C") == 1
        and value(table, "share healed, difference", "B - C") == 1
    )
    assert value(table, "share healed, difference", "A - C", column="n_subjects") == 3
    assert "A - B" not in set(table["arm"])


def test_strata_stand_apart_and_subjects_are_moved_within_them() -> None:
    """Two of each arm in each stratum: 6 splits in one, 36 in both, where 70 ignore the strata."""
    rows, arms = [], []
    for i, (arm, stratum, area) in enumerate(
        [("A", "mild", 0.0), ("A", "mild", 0.0), ("B", "mild", 8.0), ("B", "mild", 8.0)]
        + [("A", "severe", 0.0), ("A", "severe", 8.0), ("B", "severe", 8.0), ("B", "severe", 8.0)]
    ):
        rows.append(ulcer((0, 8.0), (84, area), subject=f"S{i:02d}"))
        arms.append({"subject_id": f"S{i:02d}", "arm": arm, "stratum": stratum})
    table = outcomes_by_arm(tabulate(*rows), from_rows("study/allocation", arms), protocol=PROTOCOL)
    name = "share healed, difference"
    assert value(table, name, "A - B") == 0.75 and value(table, name, "A - B", column="n_splits") == 36
    assert value(table, name, "A - B", "mild") == 1 and value(table, name, "A - B", "mild", "n_splits") == 6
    assert value(table, name, "A - B", "severe") == 0.5
    assert value(table, "subjects randomised", "A", "severe") == 2
    # In the mild stratum 2 of 6 splits are as far out; in the severe one every split differs by one half. Together a
    # difference of 3/4 needs the mild one whole and the severe one to the same side: 2 of 6 times 1/2.
    assert value(table, name, "A - B", column="p_value") == pytest.approx(1 / 6)


def test_random_splits_keep_to_the_strata() -> None:
    protocol = PROTOCOL.changed(permutation_exact_max=2, permutation_draws=2000)
    values, first = np.array([1.0, 0, 1, 0, 9, 9])[:, None], np.array([True, False, True, False, True, False])
    strata = ["a", "a", "a", "a", "b", "b"]
    done = permute(values, first, lambda a, b: a[:, 0] - b[:, 0], protocol, strata=strata)
    exact = permute(values, first, lambda a, b: a[:, 0] - b[:, 0], PROTOCOL, strata=strata)
    assert exact.n_splits == 12 and done.p_value == pytest.approx(exact.p_value, abs=0.04)
