"""No, episodic, recurrent or chronic ulcers: what a subject's follow-up visits come to, after the DUO registry.

Of at least three follow-up visits over two years: *no ulcer* at any; *episodic*, an ulcer at one visit only;
*recurrent*, at two or more and none at one or more; *chronic*, at every one (Ann Rheum Dis 2016;75:1770; preferred by
80 % of EUSTAR centres, doi 10.1186/s13075-019-1822-1). A visit at which it is not known whether an ulcer was open may
have been either: the category stands only where both answers give the same one (assumption).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ulcermeter.datatypes import Caution, Effect, EffectMethod, Measure, UlcerCategory
from ulcermeter.outcomes.columns import active_column, active_visits
from ulcermeter.outcomes.effects.arms import need
from ulcermeter.tables.cells import not_known

if TYPE_CHECKING:
    import pandas as pd

    from ulcermeter.protocol import Protocol

__all__ = ["VISITS_NEEDED", "categorise_subjects", "category_of", "count_categories"]

VISITS_NEEDED = 3
"""Follow-up visits below which the registry gives no category."""


def category_of(open_at_visit: Sequence[bool | None]) -> UlcerCategory:
    """Return the category of one subject.

    Parameters
    ----------
    open_at_visit : sequence of bool or None
        One a follow-up visit: was an ulcer open; None where it is not known.

    Returns
    -------
    UlcerCategory
    """
    n = len(open_at_visit)
    if n < VISITS_NEEDED:
        return UlcerCategory.UNKNOWN
    open_for_certain = sum(answer is True for answer in open_at_visit)
    unknown = sum(answer is None for answer in open_at_visit)
    possible = {_of(with_ulcer, n) for with_ulcer in range(open_for_certain, open_for_certain + unknown + 1)}
    return possible.pop() if len(possible) == 1 else UlcerCategory.UNKNOWN


def _of(with_ulcer: int, n_visits: int) -> UlcerCategory:
    if with_ulcer == 0:
        return UlcerCategory.NONE
    if with_ulcer == n_visits:
        return UlcerCategory.CHRONIC
    return UlcerCategory.EPISODIC if with_ulcer == 1 else UlcerCategory.RECURRENT


def categorise_subjects(by_subject: pd.DataFrame, *, protocol: Protocol) -> dict[str, UlcerCategory]:
    """Return the category of every subject from the counts of active ulcers at its follow-up visits.

    Parameters
    ----------
    by_subject : DataFrame
        Table ``outcomes_by_subject``. A visit without a count is one that was not known; visits later than a subject's
        last known one have not been and do not count.
    protocol : Protocol
        Its visits.

    Returns
    -------
    dict of str to UlcerCategory
        By subject_id.
    """
    columns = [active_column(visit) for visit in active_visits(protocol) if visit.phase == "follow-up"]
    columns = [column for column in columns if column in by_subject]
    need(by_subject, "subject_id")
    return {row["subject_id"]: category_of(_visits(row[c] for c in columns)) for row in by_subject.to_dict("records")}


def _visits(counts: Iterable[object]) -> list[bool | None]:
    answers = [None if not_known(count) else bool(count) for count in counts]
    while answers and answers[-1] is None:
        answers.pop()
    return answers


def count_categories(categories: dict[str, UlcerCategory], arms: dict[str, str]) -> tuple[Effect, ...]:
    """Count subjects by arm and category; subjects without an arm are left out.

    Parameters
    ----------
    categories : dict[str, UlcerCategory]
        Each subject's category.
    arms : dict[str, str]
        Each subject's arm.

    Returns
    -------
    tuple[Effect, ...]
    """
    effects = []
    for arm in sorted(set(arms.values())):
        own = [category for subject, category in categories.items() if arms.get(subject) == arm]
        for category in UlcerCategory:
            n = sum(one is category for one in own)
            cautions = (Caution.UNKNOWN_LEFT_OUT,) if UlcerCategory.UNKNOWN in own else ()
            effects.append(
                Effect(
                    Measure.SUBJECTS, arm, float(n), float("nan"), float("nan"), EffectMethod.COUNT, 0, len(own),
                    cautions=cautions, outcome=str(category),
                )
            )  # fmt: skip
    return tuple(effects)
