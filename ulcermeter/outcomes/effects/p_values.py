"""The p-values that stand beside effects: permutation between subjects, the arm against the reference arm alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ulcermeter.datatypes import Caution, Effect, EffectMethod, Measure
from ulcermeter.outcomes.effects.arms import arms_of
from ulcermeter.outcomes.interval_censored import interval_censored_scores
from ulcermeter.outcomes.permutation import difference_of_shares, permute_subjects, sum_of_scores

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from ulcermeter.protocol import Protocol

__all__ = ["score_tests", "with_p_of_rates", "with_p_of_shares"]


def with_p_of_shares(
    effects: Iterable[Effect], ulcers: pd.DataFrame, event: str, protocol: Protocol
) -> tuple[Effect, ...]:
    """Give differences of shares the p-value of the permuted difference; others stay as they are.

    Parameters
    ----------
    effects : iterable of Effect
        Effects without a p-value.
    ulcers : DataFrame
        Rows of the ulcers that are analysed.
    event : str
        The column that says what happened.
    protocol : Protocol
        The trial's rules.

    Returns
    -------
    tuple[Effect, ...]
    """
    known = ulcers[ulcers[event].isin(["yes", "no"])]
    values = known.assign(top=(known[event] == "yes").astype(float), bottom=1.0)
    return tuple(_with_p(effect, values, Measure.RISK_DIFFERENCE, protocol) for effect in effects)


def with_p_of_rates(effects: Iterable[Effect], subjects: pd.DataFrame, protocol: Protocol) -> tuple[Effect, ...]:
    """Give ratios of rates the p-value of the permuted difference of rates.

    Parameters
    ----------
    effects : iterable of Effect
        Effects without a p-value.
    subjects : DataFrame
        Subject codes or rows.
    protocol : Protocol
        The trial's rules.

    Returns
    -------
    tuple[Effect, ...]
    """
    known = subjects[subjects["n_new"].notna() & (subjects["months"] > 0)]
    values = known.assign(top=known["n_new"].astype(float), bottom=known["months"])
    return tuple(_with_p(effect, values, Measure.RATE_RATIO, protocol) for effect in effects)


def _with_p(effect: Effect, rows: pd.DataFrame, measure: Measure, protocol: Protocol) -> Effect:
    if effect.measure is not measure:
        return effect
    own = rows[rows["arm"].isin([effect.arm, effect.reference_arm])]
    sums = own[["top", "bottom"]].to_numpy(dtype=float)
    return replace(effect, p_value=permute_subjects(own, sums, effect.arm, difference_of_shares, protocol).p_value)


def score_tests(ulcers: pd.DataFrame, *, reference_arm: str, protocol: Protocol) -> tuple[Effect, ...]:
    """Return Sun's log-rank score of every arm against the reference arm, in standard deviations over the splits.

    Positive means that the arm heals sooner. The scores are of the two arms' ulcers together.

    Parameters
    ----------
    ulcers : DataFrame
        subject_id, arm, healing_day_low, healing_day_high.
    reference_arm : str
        The arm to compare with; empty for the last by name.
    protocol : Protocol
        How many splits are drawn at the most.

    Returns
    -------
    tuple of Effect
        One an arm beside the reference arm.
    """
    reference, others = arms_of(ulcers, reference_arm)
    timed = ulcers[ulcers["healing_day_low"].notna()]
    left_out = (Caution.UNKNOWN_LEFT_OUT,) if len(timed) < len(ulcers) else ()
    return tuple(
        _score(timed[timed["arm"].isin([arm, reference])], arm, reference, left_out, protocol) for arm in others
    )


def _score(own: pd.DataFrame, arm: str, reference: str, left_out: tuple[Caution, ...], protocol: Protocol) -> Effect:
    low, high = (
        own["healing_day_low"].to_numpy(dtype=float),
        own["healing_day_high"].fillna(np.inf).to_numpy(dtype=float),
    )
    scores = interval_censored_scores(low, high, kind="logrank") if len(own) else np.zeros(0)
    done = permute_subjects(own, scores[:, None], arm, sum_of_scores, protocol)
    cautions = (*(() if done.n_splits else (Caution.NOT_ESTIMABLE,)), *left_out)
    nothing = (float("nan"), float("nan"))
    return Effect(
        Measure.SCORE, arm, done.z, *nothing, EffectMethod.PERMUTATION, len(own), own["subject_id"].nunique(),
        reference, done.p_value, cautions,
    )  # fmt: skip
