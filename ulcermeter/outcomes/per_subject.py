"""Outcomes of one subject over all its ulcers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from ulcermeter.healing import is_possibly_open
from ulcermeter.outcomes.columns import (
    active_column,
    active_visits,
    primary_visit,
    worsened_column,
    worsened_or_new_column,
)
from ulcermeter.outcomes.counts import Count, counts_of
from ulcermeter.outcomes.course import Course, day_of, is_assessed, is_open, window_of
from ulcermeter.outcomes.incidents import HARMS, End, Incident, days_between
from ulcermeter.protocol import Protocol, Visit
from ulcermeter.tables.cells import Record, known_number
from ulcermeter.tables.dates import parse_date
from ulcermeter.wording import counts_in_words

__all__ = ["Burden", "subject_row"]


@dataclass(frozen=True)
class Burden:
    """A subject's ulcers, their rows in ``outcomes``, the rows of visits.csv, its events, and the day of treatment."""

    courses: Sequence[Course]
    ulcers: Sequence[Record]
    visits: Sequence[Record]
    protocol: Protocol
    end: End = End()  # noqa: RUF009 - frozen
    incidents: tuple[Incident, ...] = ()
    zero: str = ""

    @cached_property
    def disagreements(self) -> list[Count]:
        """The clinic's counts that photos contradict."""
        return counts_of(self.courses, self.visits, self.protocol)

    def active_at(self, visit: Visit) -> int | None:
        """Count ulcers seen open at a visit; None where that is not known of every ulcer seen so far.

        With ``burden_counts_indeterminate`` those that could not be judged count too.

        An ulcer last seen healed counts as closed where its place was not photographed again
        (``healed_stays_healed``); one that went into another is counted there. With no assessment at the visit at all
        nothing is known, unless all fingers were examined and no ulcer was found.
        """
        last_day = (window_of(visit) or (0, 0))[1]
        known = [course for course in self.courses if any(day_of(row) <= last_day for row in course.rows)]
        if not known:
            return 0 if self._none_found(visit) else None
        known = [course for course in known if not course.is_counted_in_another(by=last_day)]
        states = [self._active(course, visit) for course in known]
        if all(active is None for active in states):
            return None
        closed = [self._still_closed(course, last_day) for course in known]
        if any(active is None and not shut for active, shut in zip(states, closed, strict=True)):
            return None
        return sum(active is True for active in states)

    def _active(self, course: Course, visit: Visit) -> bool | None:
        """Say whether an ulcer counts at a visit: open, or, where the protocol says so, indeterminate."""
        row = course.at(visit)
        if row is not None:
            return is_open(row)
        return True if self.protocol.outcomes.burden_counts_indeterminate and course.indeterminate_at(visit) else None

    def can_worsen(self, course: Course, visit: Visit) -> bool:
        """Say whether an ulcer may have been open at baseline or opened since, so that *no* needs its answer too.

        Not one that came up after the visit or had gone into another by day 0, and not one that was closed at baseline
        and is told to be closed at the visit too: seen so, or, once healed, not photographed again.
        """
        last_day = (window_of(visit) or (0, 0))[1]
        later = course.starts_after(last_day)
        if course.open_at_baseline or later or course.is_counted_in_another(by=0):
            return course.open_at_baseline
        open_at_both = course.baseline is not None and course.at(visit) is not None
        return not (open_at_both or self._still_closed(course, last_day))

    def _still_closed(self, course: Course, last_day: float) -> bool:
        """Say whether the last that is known of it by that day is healed or amputated."""
        last = course.last_known(by=last_day)
        return (
            last is not None and last["state"] in ("healed", "amputated") and self.protocol.outcomes.healed_stays_healed
        )

    def _none_found(self, visit: Visit) -> bool:
        """Say whether all fingers were examined, and neither the clinician nor a later first sight tells of an ulcer.

        An ulcer that is *new* later was seen clear before; one that is only *first seen* later may have been there.
        """
        counts = [known_number(row["n_active_clinician"]) for row in self._rows_of(visit)]
        not_new = [course for course in self.courses if course.rows and course.rows[0]["state"] != "new"]
        return self.all_examined(visit) and not not_new and not any(count > 0 for count in counts)

    def all_examined(self, visit: Visit) -> bool:
        """Say whether visits.csv tells that all fingers were looked at, at a visit that was attended in its window."""
        rows = self._rows_of(visit)
        return bool(rows) and all(self._is_whole(row, visit) for row in rows)

    def _is_whole(self, row: Record, visit: Visit) -> bool:
        window = (-self.protocol.healing.baseline_max_days_before, 0) if visit.phase == "baseline" else window_of(visit)
        first, last = days_between(parse_date(row["date"]), parse_date(self.zero))
        in_time = window is None or (first <= window[1] and last >= window[0])
        return row["all_fingers_examined"] == "yes" and row["attended"] != "no" and in_time

    def harmed_elsewhere(self, until: float) -> bool:
        """Say whether gangrene, infection or amputation up to a day may have been of a finger without a known ulcer."""
        known = {(course.own[0]["hand"], course.own[0]["finger"]) for course in self.courses}
        return any(
            incident.event in HARMS and incident.high > 0 and incident.low <= until
            for incident in self.incidents
            if all(incident.on(hand, finger) is False for hand, finger in known)
        )

    def _rows_of(self, visit: Visit) -> list[Record]:
        return [row for row in self.visits if row["visit"] == visit.name]


def subject_row(subject_id: str, burden: Burden) -> Record:
    """Return the row of one subject in ``outcomes_by_subject``.

    Parameters
    ----------
    subject_id : str
        The subject's code.
    burden : Burden
        The subject's ulcers over the visits.

    Returns
    -------
    Record
    """
    visits = active_visits(burden.protocol)
    active = {visit.name: burden.active_at(visit) for visit in visits}
    followed = any(course.after for course in burden.courses)
    largest = _largest(burden.ulcers)
    pairs = list(zip(burden.courses, burden.ulcers, strict=True))
    disagreements = [(count.visit, count.counted, count.at_least, count.at_most) for count in burden.disagreements]
    return {
        "subject_id": subject_id,
        "n_new": _count(_is_new(course) for course in burden.courses) if followed else None,
        "n_healed": _count(map(_ends_healed, burden.courses, burden.ulcers)) if followed else None,
        "n_recurred": _count(_recurred_itself(*both) for both in pairs) if followed else None,
        "net_burden_change": _net_change(burden, visits, active),
        "largest_ulcer": largest["ulcer_id"] if largest else "",
        "largest_healed": largest["healed"] if largest else "",
        "counts_disagree": counts_in_words(disagreements) if disagreements else "",
        "follow_up_ended": burden.end.event,
        "follow_up_ended_day": burden.end.day if math.isfinite(burden.end.day) else math.nan,
        worsened_or_new_column(burden.protocol): _worsened_or_new(burden),
        **{active_column(visit): active[visit.name] for visit in visits},
    }


def _count(flags: Iterable[bool]) -> int:
    return sum(bool(flag) for flag in flags)


def _recurred_itself(course: Course, ulcer: Record) -> bool:
    """Say whether it recurred, and not as a part of another that did, which is counted there."""
    return ulcer["recurred"] == "yes" and not course.is_counted_in_another()


def _is_new(course: Course, *, until: float = math.inf) -> bool:
    """Say whether it is new after day 0: its place had been seen clear before.

    Without ``new_needs_clear_place`` one that was first seen then is new too.
    """
    surely = [row for row, first, last in course.undated if first > 0 and last <= until]
    if any(row["state"] == "new" for row in (*course.until(until), *surely)):
        return True
    return not course.protocol.outcomes.new_needs_clear_place and _is_first_seen(course, until)


def _is_first_seen(course: Course, until: float) -> bool:
    rows = [row for row in course.rows if is_assessed(row)]
    return bool(rows) and rows[0]["state"] == "first seen" and 0 < day_of(rows[0]) <= until


def _may_be_new(course: Course, until: float) -> bool:
    """First seen after day 0 at a place never seen before, or only a possible ulcer: photos cannot tell."""
    if any(r["state"] in ("new", "first seen") and last > 0 and first <= until for r, first, last in course.undated):
        return True
    opened = min((day_of(row) for row in course.rows if is_open(row)), default=math.inf)
    if any(is_possibly_open(row) and day_of(row) < opened for row in course.until(until)):
        return True
    return _is_first_seen(course, until)


def _ends_healed(course: Course, ulcer: Record) -> bool:
    """Say whether it was healed when last seen and nothing took that back: an amputation later does."""
    return (
        ulcer["healed"] == "yes"
        and course.open_at_baseline
        and bool(course.after)
        and course.after[-1]["state"] == "healed"
    )


def _largest(ulcers: Sequence[Record]) -> Record | None:
    """Largest by baseline area, ties by diameter, then by identity."""
    known = [row for row in ulcers if math.isfinite(row["baseline_area_mm2"])]
    ranked = sorted(known, key=lambda r: (-r["baseline_area_mm2"], -_or_zero(r["baseline_diameter_mm"]), r["ulcer_id"]))
    return ranked[0] if ranked else None


def _or_zero(value: float) -> float:
    return value if math.isfinite(value) else 0.0


def _net_change(burden: Burden, visits: Sequence[Visit], active: dict[str, int | None]) -> int | None:
    """Active ulcers at the last visit seen minus at baseline; None unless all fingers were examined at both.

    None too where the clinic counted others than photos show at either.
    """
    base = next((visit for visit in visits if visit.phase == "baseline"), None)
    assessed: list[Record | None] = []
    now = None
    for visit in visits:
        assessed = [course.at(visit) for course in burden.courses]
        counted = active[visit.name] is not None and burden.protocol.outcomes.burden_counts_indeterminate
        if visit.phase != "baseline" and (counted or any(row is not None for row in assessed)):
            now = visit
    if base is None or now is None or not burden.all_examined(base) or not burden.all_examined(now):
        return None
    if {base.name, now.name} & {count.visit for count in burden.disagreements}:
        return None
    before, after = active[base.name], active[now.name]
    return None if before is None or after is None else after - before


def _worsened_or_new(burden: Burden) -> str:
    """Yes for any ulcer worse or new by the primary visit's window's end; no only when that is known of all.

    An ulcer that the clinic counted up to then and no photo shows may be worse or new; so may tissue be lost where
    gangrene, infection or amputation are told of a finger without an ulcer.
    """
    visit = primary_visit(burden.protocol)
    window = window_of(visit)
    if window is None:
        return "unknown"
    worse = [row[worsened_column(burden.protocol)] for row in burden.ulcers]
    if "yes" in worse or any(_is_new(course, until=window[1]) for course in burden.courses):
        return "yes"
    examined = burden.all_examined(visit) or not burden.protocol.outcomes.no_new_ulcer_needs_all_fingers
    asked = [reply for reply, course in zip(worse, burden.courses, strict=True) if burden.can_worsen(course, visit)]
    unsure = any(_may_be_new(course, window[1]) for course in burden.courses)
    unsure = unsure or burden.harmed_elsewhere(window[1])
    unsure = unsure or any(count.more and not count.day > window[1] for count in burden.disagreements)
    return "no" if examined and asked and not unsure and set(asked) == {"no"} else "unknown"
