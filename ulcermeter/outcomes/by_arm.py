"""Outcomes by arm: the only place that reads an allocation."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ulcermeter.datatypes import Outcomes
from ulcermeter.outcomes.allocation import Allocation, allocated
from ulcermeter.outcomes.columns import healed_column, primary_visit, worsened_column, worsened_or_new_column
from ulcermeter.outcomes.interval_censored import interval_censored_scores
from ulcermeter.outcomes.permutation import Permuted, difference_of_shares, permute_subjects, sum_of_scores
from ulcermeter.protocol import Protocol
from ulcermeter.tables.cells import Record

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BY_ARM_COLUMNS", "outcomes_by_arm"]

BY_ARM_COLUMNS = (
    "limb", "ulcers", "measure", "arm", "n_subjects", "n_ulcers", "value", "z", "p_value", "n_splits", "method",
    "stratum",
)  # fmt: skip
_LIMBS = {"both": ("yes", "no", ""), "injected": ("yes",), "other": ("no",)}
_REPLIES = ("yes", "no", "unknown")
_ENDS = ("death", "withdrawal")


def outcomes_by_arm(outcomes: Outcomes, allocation: pd.DataFrame, *, protocol: Protocol) -> pd.DataFrame:
    """Compare the arms: everybody randomised, counts, shares healed, and time to healing, with permutation tests.

    Every subject of the allocation is accounted for, with results or without. Only ulcers open at baseline take part in
    what follows. Injected and other limb are reported apart, and again with one ulcer a subject, the largest at
    baseline (ties by diameter); where there are strata, each again. Healing counts as seen, by the primary visit,
    sustained, and only where a reader confirmed it. Tests, all two-sided and by permuting whole subjects, within strata
    where there are any: the difference of shares healed (ulcers whose healing is not known are left out), Sun's
    log-rank score and the Wilcoxon-type score of the interval-censored time to healing; positive means that the first
    arm named heals more or earlier. Of more than two arms each is held against the last by name.

    Parameters
    ----------
    outcomes : Outcomes
    allocation : DataFrame
        Table ``study/allocation``: subject_id, arm and, where there were strata, stratum; two arms or more.
    protocol : Protocol

    Returns
    -------
    DataFrame
        One row a limb, choice of ulcers, measure, arm and stratum (empty for all); columns `BY_ARM_COLUMNS`. A share's
        n are those that it is a share of, a count's all that were counted over. In rows of tests arm reads "A - B",
        value is the statistic, z the same in standard deviations over the splits.

    Raises
    ------
    TableError
        A subject without an arm or with two, or fewer than two arms; all faults at once.
    """
    import pandas as pd

    given = allocated(allocation, outcomes.outcomes_by_subject["subject_id"])
    strata = sorted(set(given.strata.values()))
    parts = {"": given} | {name: given.within(name) for name in strata if name and len(strata) > 1}
    rows = [{"stratum": name} | row for name, part in parts.items() for row in _rows(outcomes, part, protocol)]
    frame = pd.DataFrame(rows, columns=list(BY_ARM_COLUMNS))
    whole = {name: "Int64" for name in ("n_subjects", "n_ulcers", "n_splits")}
    return frame.astype(whole | {name: "float64" for name in ("value", "z", "p_value")}).fillna({"method": ""})


def _rows(outcomes: Outcomes, given: Allocation, protocol: Protocol) -> Iterator[Record]:
    yield from _subject_rows(outcomes, given, protocol)
    whose = outcomes.outcomes["subject_id"]
    ulcers = outcomes.outcomes.assign(arm=whose.map(given.arms), stratum=whose.map(given.strata))
    ulcers = ulcers[ulcers["arm"].notna() & ulcers["baseline_area_mm2"].notna()]
    for limb, replies in _LIMBS.items():
        own = ulcers[ulcers["injected_limb"].isin(replies)]
        for which, chosen in (("all open at baseline", own), ("largest of each subject", _largest(own))):
            head = {"limb": limb, "ulcers": which}
            for row in (*_counts(chosen, given.names, protocol), *_tests(chosen, given.names, protocol)):
                yield head | row


def _largest(ulcers: pd.DataFrame) -> pd.DataFrame:
    order = ["subject_id", "baseline_area_mm2", "baseline_diameter_mm", "ulcer_id"]
    ranked = ulcers.sort_values(order, ascending=[True, False, False, True], kind="stable")
    return ranked.drop_duplicates("subject_id")


def _subject_rows(outcomes: Outcomes, given: Allocation, protocol: Protocol) -> Iterator[Record]:
    """Account for everybody randomised, then count subjects with results, over all their ulcers."""
    by_subject, column = outcomes.outcomes_by_subject, worsened_or_new_column(protocol)
    opened = outcomes.outcomes.loc[outcomes.outcomes["baseline_area_mm2"].notna(), "subject_id"]
    for arm in given.names:
        randomised = {subject for subject, name in given.arms.items() if name == arm}
        own = by_subject[by_subject["subject_id"].isin(randomised)]
        counts = {
            "subjects randomised": len(randomised),
            "subjects": len(own),
            "subjects without results": len(randomised) - len(own),
            "subjects without an ulcer open at baseline": len(set(own["subject_id"]) - set(opened)),
            **{f"subjects whose follow-up ended by {end}": _number_of(own["follow_up_ended"], end) for end in _ENDS},
        }
        head = {"limb": "both", "ulcers": "", "arm": arm}
        for measure, value in counts.items():
            yield head | {"n_subjects": len(randomised), "measure": measure, "value": value}
        for reply in _REPLIES:
            measure = f"subjects worsened or new by {protocol.outcomes.primary_visit}: {reply}"
            yield head | {"n_subjects": len(own), "measure": measure, "value": _number_of(own[column], reply)}
        known = own["n_new"].dropna()
        yield head | {"n_subjects": len(known), "measure": "new ulcers", "value": int(known.sum())}


def _number_of(cells: pd.Series[Any], reply: str) -> int:
    return int((cells == reply).sum())


def _healings(protocol: Protocol) -> dict[str, str]:
    """Return the ways in which healing is counted, by the column that says it."""
    primary = primary_visit(protocol)
    return {
        "healed": "healed",
        healed_column(primary): f"by {primary.name} healed",
        "healing_sustained": f"for {protocol.healing.sustained_weeks} weeks healed",
        "healed_by_reader": "reader-confirmed healed",
    }


def _counts(ulcers: pd.DataFrame, names: list[str], protocol: Protocol) -> Iterator[Record]:
    others = {
        worsened_column(protocol): (f"worsened by {protocol.outcomes.primary_visit}", ("yes", "unknown")),
        "recurred": ("recurred", ("yes",)),
        "healing_confirmed": ("healing confirmed", ("yes",)),
    }
    for arm in names:
        own = ulcers[ulcers["arm"] == arm]
        head = {"arm": arm, "n_subjects": own["subject_id"].nunique(), "n_ulcers": len(own)}
        for column, name in _healings(protocol).items():
            for reply in _REPLIES:
                yield head | {"measure": f"{name}: {reply}", "value": _number_of(own[column], reply)}
            known = own[own[column].isin(["yes", "no"])]
            share = float((known[column] == "yes").mean()) if len(known) else math.nan
            own_n = {"n_subjects": known["subject_id"].nunique(), "n_ulcers": len(known)}
            yield head | own_n | {"measure": f"share {name}", "value": share}
        for column, (name, replies) in others.items():
            for reply in replies:
                yield head | {"measure": f"{name}: {reply}", "value": _number_of(own[column], reply)}


def _tests(ulcers: pd.DataFrame, names: list[str], protocol: Protocol) -> Iterator[Record]:
    """Hold each arm against the last, on the ulcers of the two."""
    *others, reference = names
    for arm in others:
        pair = ulcers[ulcers["arm"].isin([arm, reference])]
        for column, name in _healings(protocol).items():
            known = pair[pair[column].isin(["yes", "no"])]
            counts = np.ones((len(known), 2), dtype=np.float64)
            counts[:, 0] = known[column] == "yes"
            done = permute_subjects(known, counts, arm, difference_of_shares, protocol)
            yield _tested(done, known, f"share {name}, difference", (arm, reference))
        yield from _time_tests(pair, (arm, reference), protocol)


def _time_tests(pair: pd.DataFrame, arms: tuple[str, str], protocol: Protocol) -> Iterator[Record]:
    timed = pair[pair["healing_day_low"].notna()]
    low = timed["healing_day_low"].to_numpy(dtype=float)
    high = timed["healing_day_high"].fillna(np.inf).to_numpy(dtype=float)
    kinds = {"logrank": "time to healing, Sun's log-rank score", "wilcoxon": "time to healing, Wilcoxon-type score"}
    for kind, measure in kinds.items():
        scores = interval_censored_scores(low, high, kind=kind) if len(timed) else np.zeros(0)
        done = permute_subjects(timed, scores[:, None], arms[0], sum_of_scores, protocol)
        yield _tested(done, timed, measure, arms)


def _tested(done: Permuted, ulcers: pd.DataFrame, measure: str, arms: tuple[str, str]) -> Record:
    return {
        "measure": measure,
        "arm": f"{arms[0]} - {arms[1]}",
        "n_subjects": ulcers["subject_id"].nunique(),
        "n_ulcers": len(ulcers),
        "value": done.observed,
        "z": done.z,
        "p_value": done.p_value,
        "n_splits": done.n_splits,
        "method": done.method,
    }
