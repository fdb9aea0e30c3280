"""Outcomes by arm: the only place that reads an allocation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Outcomes
from ulcermeter.errors import Problem, TableError
from ulcermeter.outcomes.interval_censored import interval_censored_scores
from ulcermeter.outcomes.permutation import Permuted, difference_of_shares, permute_subjects, sum_of_scores
from ulcermeter.protocol import Protocol
from ulcermeter.tables import conform

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BY_ARM_COLUMNS", "outcomes_by_arm"]

BY_ARM_COLUMNS = (
    "limb", "ulcers", "measure", "arm", "n_subjects", "n_ulcers", "value", "z", "p_value", "n_splits", "method",
)  # fmt: skip
_LIMBS = {"both": ("yes", "no", ""), "injected": ("yes",), "other": ("no",)}


def outcomes_by_arm(outcomes: Outcomes, allocation: pd.DataFrame, *, protocol: Protocol) -> pd.DataFrame:
    """Compare the arms: counts, share healed, and time to healing, with permutation tests between subjects.

    Only ulcers open at baseline take part. Injected and other limb are reported apart, and again with one ulcer a
    subject, the largest at baseline (ties by diameter). Tests, all two-sided and by permuting whole subjects:
    the difference of shares healed (ulcers whose healing is not known are left out), Sun's log-rank score and the
    Wilcoxon-type score of the interval-censored time to healing; positive means that the first arm named heals more
    or earlier.

    Parameters
    ----------
    outcomes : Outcomes
    allocation : DataFrame
        Table ``study/allocation``: subject_id, arm; two arms.
    protocol : Protocol

    Returns
    -------
    DataFrame
        One row a limb, choice of ulcers, measure and arm; columns `BY_ARM_COLUMNS`. In rows of tests arm reads
        "A - B", value is the statistic, z the same in standard deviations over the splits.

    Raises
    ------
    TableError
        A subject without an arm or with two, or other than two arms; all faults at once.
    """
    import pandas as pd

    arms = _arms(conform("study/allocation", allocation, extra=True), outcomes)
    names = sorted(set(arms.values()))
    ulcers = outcomes.outcomes.assign(arm=outcomes.outcomes["subject_id"].map(arms))
    rows = _subject_rows(outcomes.outcomes_by_subject, arms, names)
    open_ones = ulcers[ulcers["baseline_area_mm2"].notna()]
    for limb, words in _LIMBS.items():
        own = open_ones[open_ones["injected_limb"].isin(words)]
        for which, chosen in (("all open at baseline", own), ("largest of each subject", _largest(own))):
            head = {"limb": limb, "ulcers": which}
            rows += [head | row for row in (*_counts(chosen, names), *_tests(chosen, names, protocol))]
    frame = pd.DataFrame(rows, columns=list(BY_ARM_COLUMNS))
    whole = {name: "Int64" for name in ("n_subjects", "n_ulcers", "n_splits")}
    return frame.astype(whole | {name: "float64" for name in ("value", "z", "p_value")}).fillna({"method": ""})


def _arms(allocation: pd.DataFrame, outcomes: Outcomes) -> dict[str, str]:
    faults, where = list[Problem](), "allocation.csv"
    pairs = allocation[["subject_id", "arm"]].drop_duplicates()
    twice = sorted(set(pairs.loc[pairs["subject_id"].duplicated(), "subject_id"]))
    faults += [Problem("two", f"one arm for {subject}", "correct it", where) for subject in twice]
    arms = dict(zip(pairs["subject_id"], pairs["arm"], strict=True))
    without = sorted(set(outcomes.outcomes_by_subject["subject_id"]) - set(arms))
    faults += [Problem("none", f"an arm for {subject}", "add its row", where) for subject in without]
    names = sorted(set(arms.values()))
    if len(names) != 2:
        faults.append(Problem(f"{len(names)} ({', '.join(names)})", "two arms", "name two", where))
    if faults:
        raise TableError(faults)
    return arms


def _largest(ulcers: pd.DataFrame) -> pd.DataFrame:
    order = ["subject_id", "baseline_area_mm2", "baseline_diameter_mm", "ulcer_id"]
    ranked = ulcers.sort_values(order, ascending=[True, False, False, True], kind="stable")
    return ranked.drop_duplicates("subject_id")


def _subject_rows(by_subject: pd.DataFrame, arms: dict[str, str], names: list[str]) -> list[dict[str, Any]]:
    """Count subjects, over all their ulcers."""
    rows = []
    for arm in names:
        own = by_subject[by_subject["subject_id"].map(arms) == arm]
        head = {"limb": "both", "ulcers": "", "arm": arm, "n_subjects": len(own)}
        rows.append(head | {"measure": "subjects", "value": len(own)})
        for reply in ("yes", "no", "unknown"):
            n = int((own["worsened_or_new_by_week_12"] == reply).sum())
            rows.append(head | {"measure": f"subjects worsened or new by week 12: {reply}", "value": n})
        known = own["n_new"].dropna()
        rows.append(head | {"n_subjects": len(known), "measure": "new ulcers", "value": int(known.sum())})
    return rows


def _counts(ulcers: pd.DataFrame, names: list[str]) -> list[dict[str, Any]]:
    rows = []
    for arm in names:
        own = ulcers[ulcers["arm"] == arm]
        head = {"arm": arm, "n_subjects": own["subject_id"].nunique(), "n_ulcers": len(own)}
        counts = {f"healed: {reply}": int((own["healed"] == reply).sum()) for reply in ("yes", "no", "unknown")}
        known = counts["healed: yes"] + counts["healed: no"]
        shares = {"share healed": counts["healed: yes"] / known if known else float("nan")}
        confirmed = {"healing confirmed: yes": int((own["healing_confirmed"] == "yes").sum())}
        worse = {f"worsened by week 12: {w}": int((own["worsened_by_week_12"] == w).sum()) for w in ("yes", "unknown")}
        again = {"recurred: yes": int((own["recurred"] == "yes").sum())}
        rows += [head | {"measure": m, "value": v} for m, v in (counts | shares | confirmed | worse | again).items()]
    return rows


def _tests(ulcers: pd.DataFrame, names: list[str], protocol: Protocol) -> list[dict[str, Any]]:
    known = ulcers[ulcers["healed"].isin(["yes", "no"])]
    counts = np.ones((len(known), 2), dtype=np.float64)
    counts[:, 0] = known["healed"] == "yes"
    rows = [_test(known, counts, difference_of_shares, names, "share healed, difference", protocol)]
    timed = ulcers[ulcers["healing_day_low"].notna()]
    low = timed["healing_day_low"].to_numpy(dtype=float)
    high = timed["healing_day_high"].fillna(np.inf).to_numpy(dtype=float)
    kinds = {"logrank": "time to healing, Sun's log-rank score", "wilcoxon": "time to healing, Wilcoxon-type score"}
    for kind, measure in kinds.items():
        scores = interval_censored_scores(low, high, kind=kind) if len(timed) else np.zeros(0)
        rows.append(_test(timed, scores[:, None], sum_of_scores, names, measure, protocol))
    return rows


def _test(
    ulcers: pd.DataFrame,
    values: NDArray[np.float64],
    statistic: Any,
    names: list[str],
    measure: str,
    protocol: Protocol,
) -> dict[str, Any]:
    done: Permuted = permute_subjects(ulcers, values, names[0], statistic, protocol)
    return {
        "measure": measure,
        "arm": f"{names[0]} - {names[1]}",
        "n_subjects": ulcers["subject_id"].nunique(),
        "n_ulcers": len(ulcers),
        "value": done.observed,
        "z": done.z,
        "p_value": done.p_value,
        "n_splits": done.n_splits,
        "method": done.method,
    }
