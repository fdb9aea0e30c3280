"""What events.csv says of a finger after treatment, in days; a finger or day that is not given leaves it open."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from ulcermeter.tables.cells import Record
from ulcermeter.tables.dates import DateInterval, parse_date

__all__ = ["HARMS", "End", "Incident", "days_between", "end_of_follow_up", "happened", "incidents_of", "rescue_day"]

HARMS = ("gangrene", "infection", "amputation")
"""Events that are a worsening of the finger's ulcers."""
_ENDINGS = ("death", "withdrawal")


@dataclass(frozen=True)
class Incident:
    """An event: what, where ('' = not known), and the first and last day after treatment it can have been."""

    event: str
    hand: str
    finger: str
    low: float
    high: float

    def on(self, hand: str, finger: str) -> bool | None:
        """Was it on that finger; None where the event's place leaves it open."""
        pairs = ((self.hand, hand), (self.finger, finger))
        if any(own and own != asked for own, asked in pairs):
            return False
        return None if any(not own for own, _ in pairs) else True


@dataclass(frozen=True)
class End:
    """What ended a subject's follow-up: death, withdrawal or nothing (''), and the last day it can have been on."""

    event: str = ""
    day: float = math.inf


def end_of_follow_up(incidents: Iterable[Incident], *, earliest: bool = False) -> End:
    """Return the first death or withdrawal. What is dated later does not count; where its day is not known, all does.

    A partial date counts as its last day, since a photo shows that its subject lived; a withdrawal may have been on its
    first day too, from day 0 on.

    Parameters
    ----------
    incidents : iterable of Incident
        The subject's events, in days after treatment.
    earliest : bool
        Take a withdrawal's first day.

    Returns
    -------
    End
    """
    ends = [
        End(i.event, max(i.low, 0.0) if earliest and i.event == "withdrawal" and i.low < i.high else i.high)
        for i in incidents
        if i.event in _ENDINGS
    ]
    return min(ends, key=lambda end: (end.day, end.event), default=End())


def incidents_of(events: Iterable[Record], treatment_date: str) -> list[Incident]:
    """Return a subject's events in days after treatment; without a date they can have been on any day.

    Parameters
    ----------
    events : iterable of dict
        The subject's rows of events.csv.
    treatment_date : str
        Day 0 as written in subjects.csv.

    Returns
    -------
    list[Incident]
    """
    zero = parse_date(treatment_date)
    return [Incident(e["event"], e["hand"], e["finger"], *days_between(parse_date(e["date"]), zero)) for e in events]


def days_between(when: DateInterval | None, zero: DateInterval | None) -> tuple[float, float]:
    """Return the first and last day after another that a date can mean; infinite where either is not known.

    Parameters
    ----------
    when : DateInterval or None
        A date as the interval it can mean; None when it is not known.
    zero : DateInterval or None
        Day 0, as an interval.

    Returns
    -------
    tuple[float, float]
    """
    if when is None or zero is None:
        return -math.inf, math.inf
    return float((when.low - zero.high).days), float((when.high - zero.low).days)


def happened(
    incidents: Iterable[Incident], events: Iterable[str], hand: str, finger: str, *, until: float = math.inf
) -> bool | None:
    """Did any of these events happen on that finger after day 0 and up to a day; None where that is open.

    Parameters
    ----------
    incidents : iterable of Incident
        The subject's events, in days after treatment.
    events : iterable of str
        Kinds of events, as in events.csv.
    hand : str
        ``left`` or ``right``; empty when not known.
    finger : str
        Its name as in the tables; empty when not known.
    until : float, optional
        The last day that counts, days after treatment.

    Returns
    -------
    bool or None
    """
    names = set(events)
    answers = [_one(i, hand, finger, until) for i in incidents if i.event in names]
    if True in answers:
        return True
    return None if None in answers else False


def _one(incident: Incident, hand: str, finger: str, until: float) -> bool | None:
    here = incident.on(hand, finger)
    if here is False or incident.high <= 0 or incident.low > until:
        return False
    return True if here and incident.low > 0 and incident.high <= until else None


def rescue_day(incidents: Iterable[Incident], hand: str, finger: str) -> float:
    """Return the first day on which a rescue treatment may have begun for that finger; infinity when there was none.

    A rescue without a finger, or on a day not known, counts from the earliest it can mean.

    Parameters
    ----------
    incidents : iterable of Incident
        The subject's events, in days after treatment.
    hand : str
        ``left`` or ``right``; empty when not known.
    finger : str
        Its name as in the tables; empty when not known.

    Returns
    -------
    float
    """
    days = [i.low for i in incidents if i.event == "rescue" and i.on(hand, finger) is not False and i.high > 0]
    return max(0.0, min(days)) if days else math.inf
