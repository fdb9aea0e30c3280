"""What the clinic saw of all fingers at once: how many active ulcers it counted, and when."""

from __future__ import annotations

from dataclasses import dataclass

from ulcermeter.eligibility.case import Case
from ulcermeter.tables.cells import not_known
from ulcermeter.tables.dates import DateInterval, parse_date

__all__ = ["Examination", "last_examination"]


@dataclass(frozen=True)
class Examination:
    """A row of visits.csv.

    Attributes
    ----------
    when : DateInterval
    all_fingers : bool
        All ten were examined.
    count : int or None
        Active ulcers counted.
    """

    when: DateInterval
    all_fingers: bool
    count: int | None

    @property
    def found_none(self) -> bool:
        """All fingers were examined and no active ulcer was counted."""
        return self.all_fingers and self.count == 0


def last_examination(case: Case) -> Examination | None:
    """Return the last examination with a count that surely counts: in time, not too old, of a visit that admits.

    Of two on one day the one with the higher count, and nothing found only where both say so.

    Parameters
    ----------
    case : Case

    Returns
    -------
    Examination or None
    """
    rows = [row for row in case.visits if case.counts_for_size(row) and row["attended"] != "no"]
    dated = [(parse_date(row["date"]), row) for row in rows if not not_known(row["n_active_clinician"])]
    found = [
        Examination(when, row["all_fingers_examined"] == "yes", int(row["n_active_clinician"]))
        for when, row in dated
        if when is not None and case.assessment_horizon.holds(when) is True
    ]
    return max(found, key=lambda one: (one.when.low, one.count or 0, not one.all_fingers), default=None)
