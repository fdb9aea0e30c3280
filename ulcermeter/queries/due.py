"""Which visits of a subject are due: a study that goes on is not asked for what is still to come."""

from __future__ import annotations

import math
from datetime import date

from ulcermeter.datatypes import Study
from ulcermeter.tables.cells import Record, known_number
from ulcermeter.tables.dates import exact_date

__all__ = ["Due"]


class Due:
    """Planned visits whose window has closed by the last day that the study's photos and visits know (assumption).

    No clock is read, so that the same tables ask the same. Where a day of treatment is not known to the day, all
    planned visits count as due.

    Parameters
    ----------
    study : Study
    """

    def __init__(self, study: Study) -> None:
        days = (exact_date(str(day)) for table in (study.photos, study.visits) for day in table["date"])
        self._last = max((day for day in days if day is not None), default=None)
        people = study.subjects
        self._treated = dict(zip(people["subject_id"], people["treatment_date"], strict=True))
        planned = [(visit.name, visit.day, visit.window_days or 0) for visit in study.protocol.visits]
        self._planned = [(name, day, window) for name, day, window in planned if day is not None and day > 0]

    def is_treated(self, subject_id: str) -> bool:
        """Say whether anything is known of a subject's day of treatment."""
        return bool(self._treated.get(subject_id, ""))

    def visits(self, row: Record) -> list[str]:
        """Return the visits after treatment that are due of an ulcer, in the order of the protocol.

        None after the end of its follow-up: nobody is asked for photos after a death.
        """
        if not self.is_treated(row["subject_id"]):
            return []
        end, last = known_number(row["follow_up_ended_day"]), self._days_known(row["subject_id"])
        return [name for name, day, window in self._planned if not day > end and not day + window > last]

    def _days_known(self, subject_id: str) -> float:
        """Return the days from treatment to the last day known; NaN, which rules nothing out, where they are not."""
        zero: date | None = exact_date(self._treated[subject_id])
        return math.nan if zero is None or self._last is None else float((self._last - zero).days)
