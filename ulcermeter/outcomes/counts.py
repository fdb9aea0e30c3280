"""The clinic's count of active ulcers at a visit beside what photos showed then."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ulcermeter.outcomes.course import Course, day_of, is_assessed, is_open, window_of
from ulcermeter.protocol import Protocol, Visit
from ulcermeter.tables.cells import Record, not_known

__all__ = ["Count", "counts_of"]


@dataclass(frozen=True)
class Count:
    """A count of the clinic's that no number of ulcers agrees with which photos allow.

    Attributes
    ----------
    visit : str
    day : float
        The last day of the visit's window; NaN for a visit without a day.
    counted : int
        By the clinic.
    at_least, at_most : int
        Ulcers that photos surely showed open, and those that may have been open, of all that are known.
    """

    visit: str
    day: float
    counted: int
    at_least: int
    at_most: int

    @property
    def more(self) -> bool:
        """The clinic saw an ulcer that nothing is known of."""
        return self.counted > self.at_most


def counts_of(courses: Sequence[Course], visits: Iterable[Record], protocol: Protocol) -> list[Count]:
    """Return the counts of a subject that photos contradict, in the order of visits.csv.

    More than may have been open is a contradiction whatever was examined; fewer than were surely open only where all
    fingers were.

    Parameters
    ----------
    courses : sequence of Course
        All of the subject's ulcers.
    visits : iterable of dict
        The subject's rows of visits.csv.
    protocol : Protocol
        The trial's rules.

    Returns
    -------
    list[Count]
    """
    planned = {visit.name: visit for visit in protocol.visits}
    found = []
    for row in visits:
        visit = planned.get(row["visit"])
        if visit is None or not_known(row["n_active_clinician"]) or row["attended"] == "no":
            continue
        least, most = _open_at(courses, visit, protocol)
        window = window_of(visit)
        day = float(window[1]) if window else math.nan
        count = Count(visit.name, day, int(row["n_active_clinician"]), least, most)
        if count.more or (count.counted < least and row["all_fingers_examined"] == "yes"):
            found.append(count)
    return found


def _open_at(courses: Sequence[Course], visit: Visit, protocol: Protocol) -> tuple[int, int]:
    """Return how many ulcers were surely and may have been open at a visit; at one without a day nothing is sure."""
    window = window_of(visit)
    if window is None:
        return 0, len(courses)
    own = [course for course in courses if not course.is_counted_in_another(by=window[1])]
    replies = [_was_open(course, visit, window[1], protocol) for course in own]
    return sum(reply is True for reply in replies), sum(reply is not False for reply in replies)


def _was_open(course: Course, visit: Visit, last_day: float, protocol: Protocol) -> bool | None:
    row = course.at(visit)
    if row is not None:
        return is_open(row)
    dated = [one for one in course.rows if is_assessed(one)]
    if not dated:
        return None
    if day_of(dated[0]) > last_day:
        # *New* later means seen clear before; only *first seen* later may have been there.
        return False if dated[0]["state"] == "new" else None
    last = course.last_known(by=last_day)
    closed = last is not None and last["state"] in ("healed", "amputated")
    return False if closed and protocol.outcomes.healed_stays_healed else None
