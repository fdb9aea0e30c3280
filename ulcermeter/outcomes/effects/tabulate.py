"""One table of all effects: every estimand, outcome, arm and stratum, with intervals and p-values side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ulcermeter.datatypes import Caution, Effect, Estimand, HealingCurve, Outcomes, Results, Study
from ulcermeter.outcomes.allocation import allocated
from ulcermeter.outcomes.columns import healed_column
from ulcermeter.outcomes.course import window_of
from ulcermeter.outcomes.effects.area_slopes import compare_slopes
from ulcermeter.outcomes.effects.arms import arms_of
from ulcermeter.outcomes.effects.categories import categorise_subjects, count_categories
from ulcermeter.outcomes.effects.competing import incidence_by
from ulcermeter.outcomes.effects.estimands import EstimandTables, estimand_tables
from ulcermeter.outcomes.effects.follow_up import (
    areas_over_time,
    incidents_by_subject,
    months_followed,
    ulcer_ends,
    visits_after,
)
from ulcermeter.outcomes.effects.p_values import score_tests, with_p_of_rates, with_p_of_shares
from ulcermeter.outcomes.effects.proportions import compare_shares
from ulcermeter.outcomes.effects.rates import compare_rates
from ulcermeter.outcomes.effects.turnbull_bands import DRAWS, estimate_healing_curve, share_at
from ulcermeter.outcomes.effects.weibull import compare_hazards
from ulcermeter.protocol import Protocol
from ulcermeter.tables import from_rows

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["analysed_areas", "analysed_ulcers", "healing_curves", "tabulate_effects"]

_LIMBS = {"injected limb": "yes", "other limb": "no"}
_TIME = "time to healing"
_ADJUSTED = "adjusted"


@dataclass(frozen=True)
class _Comparison:
    """What every part of the table needs; `arms` and `strata` by subject, `lacking` arms with subjects not seen."""

    arms: dict[str, str]
    strata: dict[str, str]
    reference: str
    protocol: Protocol
    draws: int
    lacking: frozenset[str] = frozenset()


def tabulate_effects(
    outcomes: Outcomes | Results,
    trajectories: pd.DataFrame,
    allocation: pd.DataFrame,
    *,
    protocol: Protocol,
    study: Study | None = None,
    reference_arm: str = "",
    draws: int = DRAWS,
) -> pd.DataFrame:
    """Estimate every effect of the study.

    Ulcers open at baseline take part: healed by each visit, time to healing, slope of area, and what they came to by
    the primary visit. New ulcers and the DUO categories are of subjects. Strata of the allocation and the limbs stand
    apart under *treatment policy*, and the hazard ratio is given once more adjusted for the strata.

    Parameters
    ----------
    outcomes : Outcomes or Results
    trajectories : DataFrame
        Table ``trajectories``.
    allocation : DataFrame
        Table ``study/allocation``: subject_id, arm and, where there were strata, stratum. Any number of arms.
    protocol : Protocol
    study : Study, optional
        Without it rescue, amputations and deaths in events.csv are not known, only two estimands can be given, and
        every row says so.
    reference_arm : str
        The arm that others are held against; the last by name where none is given.
    draws : int
        Bootstrap samples of the median.

    Returns
    -------
    DataFrame
        Table ``effects``.

    Raises
    ------
    TableError
        A subject without an arm or with two, fewer than two arms, or a reference arm that is none; all at once.
    """
    subjects = outcomes.outcomes_by_subject["subject_id"]
    given = allocated(allocation, subjects)
    reference, _ = arms_of(allocation, reference_arm)
    comparison = _Comparison(given.arms, given.strata, reference, protocol, draws, given.lacking(subjects))
    rows: list[dict[str, Any]] = []
    for tables in estimand_tables(outcomes, trajectories, study):
        effects = list(_of_estimand(tables, comparison, study))
        rows += [_row(tables.estimand, stratum, effect, comparison, study=study) for stratum, effect in effects]
    return from_rows("effects", rows)


def analysed_ulcers(
    tables: EstimandTables, arms: dict[str, str], *, protocol: Protocol, study: Study | None = None
) -> pd.DataFrame:
    """Return the ulcers open at baseline with arm, end of follow-up and, for each visit after, whether healed by then.

    Parameters
    ----------
    tables : EstimandTables
        The tables of one estimand.
    arms : dict[str, str]
        Each subject's arm.
    protocol : Protocol
        The trial's rules.
    study : Study, optional
        The study folder as read.

    Returns
    -------
    DataFrame
        The columns of ``outcomes``, and arm, end_day, end_cause, and ``healed by VISIT`` for each follow-up visit.
    """
    ends = ulcer_ends(tables.outcomes.outcomes, tables.trajectories, incidents_by_subject(study), protocol)
    ends = ends.assign(arm=ends["subject_id"].map(arms))
    ends = ends[ends["arm"].notna()].reset_index(drop=True)
    answers = {f"healed by {v.name}": ends[healed_column(v)] for v in visits_after(protocol)}
    return ends.assign(**answers)


def analysed_areas(tables: EstimandTables, ulcers: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """Return the areas over time of analysed ulcers, with their arm.

    Parameters
    ----------
    tables : EstimandTables
        The tables of one estimand.
    ulcers : DataFrame
        Rows of the ulcers that are analysed.
    protocol : Protocol
        The trial's rules.

    Returns
    -------
    DataFrame
    """
    areas = areas_over_time(tables.trajectories, ulcers["ulcer_id"], protocol)
    arm = dict(zip(ulcers["ulcer_id"], ulcers["arm"], strict=True))
    return areas.assign(arm=areas["ulcer_id"].map(arm))


def healing_curves(ulcers: pd.DataFrame, *, protocol: Protocol, draws: int = DRAWS) -> tuple[HealingCurve, ...]:
    """Return the healing curve of each arm, counted at the protocol's visits.

    Parameters
    ----------
    ulcers : DataFrame
        As `analysed_ulcers` gives it.
    protocol : Protocol
        Its visits after treatment.
    draws : int
        Subjects are drawn again so many times for the bands.

    Returns
    -------
    tuple of HealingCurve
        One an arm, by name.
    """
    visits = [("day 0", 0.0), *((v.name, float(v.day or 0)) for v in visits_after(protocol))]
    arms = sorted(set(ulcers["arm"]))
    return tuple(estimate_healing_curve(ulcers, arm=arm, visits=visits, draws=draws) for arm in arms)


def _of_estimand(tables: EstimandTables, comparison: _Comparison, study: Study | None) -> Iterator[tuple[str, Effect]]:
    ulcers = analysed_ulcers(tables, comparison.arms, protocol=comparison.protocol, study=study)
    ulcers = ulcers.assign(stratum=ulcers["subject_id"].map(comparison.strata))
    areas = analysed_areas(tables, ulcers, comparison.protocol)
    policy = tables.estimand is Estimand.TREATMENT_POLICY
    parts = {"": ulcers, **(_parts(ulcers) if policy else {})}
    for stratum, own in parts.items():
        for effect in _of_ulcers(own, areas[areas["ulcer_id"].isin(own["ulcer_id"])], comparison):
            # A part that lacks the reference arm has shares and curves of its own, and nothing to hold them against.
            if effect.reference_arm in ("", comparison.reference):
                yield stratum, effect
    if not policy:
        return
    if len(set(comparison.strata.values())) > 1:
        adjusted = compare_hazards(ulcers, reference_arm=_reference(ulcers, comparison), stratum="stratum")
        for effect in adjusted:
            yield _ADJUSTED, replace(effect, outcome=_TIME)
    for effect in _of_subjects(tables, comparison, study):
        yield "", effect


def _parts(ulcers: pd.DataFrame) -> dict[str, pd.DataFrame]:
    names = sorted(set(ulcers["stratum"]))
    strata = {name: ulcers[ulcers["stratum"] == name] for name in names if name and len(names) > 1}
    limbs = {limb: ulcers[ulcers["injected_limb"] == word] for limb, word in _LIMBS.items()}
    return strata | {limb: own for limb, own in limbs.items() if len(own)}


def _reference(table: pd.DataFrame, comparison: _Comparison) -> str:
    """Return the reference arm where the table has it, for a part of the study may lack it; else none."""
    return comparison.reference if comparison.reference in set(table["arm"]) else ""


def _of_ulcers(ulcers: pd.DataFrame, areas: pd.DataFrame, comparison: _Comparison) -> Iterator[Effect]:
    if not len(ulcers):
        return
    protocol, reference = comparison.protocol, _reference(ulcers, comparison)
    for visit in visits_after(protocol):
        event = f"healed by {visit.name}"
        shares = compare_shares(ulcers, event=event, reference_arm=reference)
        yield from _named(event, with_p_of_shares(shares, ulcers, event, protocol))
    yield from _named(_TIME, compare_hazards(ulcers, reference_arm=reference))
    yield from _named(_TIME, score_tests(ulcers, reference_arm=reference, protocol=protocol))
    curves = healing_curves(ulcers, protocol=protocol, draws=comparison.draws)
    yield from _named(_TIME, (curve.median for curve in curves))
    for visit in visits_after(protocol):
        window = window_of(visit)
        if window is not None:
            yield from _named(
                f"healed by {visit.name}", (share_at(curve, window[1]) for curve in curves if len(curve.days))
            )
    yield from _named("area", compare_slopes(areas, reference_arm=_reference(areas, comparison)) if len(areas) else ())
    primary = protocol.visit(protocol.outcomes.primary_visit)
    window = window_of(primary)
    if window is not None:
        for effect in incidence_by(ulcers, day=window[1]):
            yield replace(effect, outcome=f"{effect.outcome} by {primary.name}")


def _named(outcome: str, effects: Iterable[Effect]) -> Iterator[Effect]:
    return (replace(effect, outcome=outcome) for effect in effects)


def _of_subjects(tables: EstimandTables, comparison: _Comparison, study: Study | None) -> Iterator[Effect]:
    by_subject = tables.outcomes.outcomes_by_subject
    subjects = by_subject.assign(arm=by_subject["subject_id"].map(comparison.arms))
    months = months_followed(subjects["subject_id"], tables.trajectories, study, incidents_by_subject(study))
    subjects = subjects.assign(months=subjects["subject_id"].map(months))
    rates = compare_rates(subjects, reference_arm=_reference(subjects, comparison))
    yield from _named("new ulcers", with_p_of_rates(rates, subjects, comparison.protocol))
    categories = categorise_subjects(by_subject, protocol=comparison.protocol)
    for effect in count_categories(categories, comparison.arms):
        yield replace(effect, outcome=f"category: {effect.outcome}")


def _row(
    estimand: Estimand, stratum: str, effect: Effect, comparison: _Comparison, *, study: Study | None
) -> dict[str, Any]:
    lacking = {effect.arm, effect.reference_arm} & comparison.lacking
    cautions = (*effect.cautions, *((Caution.WITHOUT_RESULTS,) if lacking else ()))
    cautions = (*cautions, *(() if study is not None else (Caution.STUDY_NOT_READ,)))
    return {
        "estimand": str(estimand),
        "outcome": effect.outcome,
        "arm": effect.arm,
        "reference_arm": effect.reference_arm,
        "stratum": stratum,
        "measure": str(effect.measure),
        "estimate": effect.estimate,
        "low": effect.low,
        "high": effect.high,
        "p_value": effect.p_value,
        "n_ulcers": effect.n_ulcers,
        "n_subjects": effect.n_subjects,
        "method": str(effect.method),
        "warning": "; ".join(cautions),
    }
