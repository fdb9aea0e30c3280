"""Outcomes of one ulcer."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from ulcermeter.healing import (
    confirmation_from,
    days_to_half_area,
    exponential_rate,
    healing_interval,
    is_confirmed,
    is_possibly_open,
    is_surely_open,
    is_sustained,
)
from ulcermeter.outcomes.columns import (
    followed_visits,
    healed_column,
    primary_visit,
    reduction_column,
    worsened_column,
    worsened_confirmed_column,
)
from ulcermeter.outcomes.course import Course, day_of, is_assessed, is_open, is_sized, window_of
from ulcermeter.outcomes.incidents import HARMS, End, Incident, happened
from ulcermeter.outcomes.machine_healing import without_machine_healing
from ulcermeter.protocol import Visit
from ulcermeter.tables.cells import Record

__all__ = ["healed_by", "ulcer_row", "worsened", "worsened_again"]

_NAN = float("nan")


def ulcer_row(
    course: Course,
    incidents: Sequence[Incident],
    *,
    injected_limb: str,
    censored_on: float = math.inf,
    end: End = End(),  # noqa: B008 - frozen
) -> Record:
    """Return the row of one ulcer in ``outcomes``.

    Parameters
    ----------
    course : Course
    incidents : sequence of Incident
        The subject's.
    injected_limb : str
        left, right or empty.
    censored_on : float
        The last day whose events count; the course holds no later rows either.
    end : End
        What ended the subject's follow-up.

    Returns
    -------
    dict
        healed is *no* when it was surely still open at the last assessment or the finger was amputated after treatment;
        *unknown* without an assessment after day 0, when it went into another ulcer that is not followed, or when it
        may have been that finger that was amputated.
    """
    first = course.own[0]
    hand, finger = first["hand"], first["finger"]
    base = course.baseline if course.open_at_baseline else None
    lost = _lost(course, incidents, hand, finger, until=censored_on)
    row = {name: first[name] for name in ("subject_id", "ulcer_id", "hand", "finger")}
    row["injected_limb"] = "" if not injected_limb else "yes" if hand == injected_limb else "no"
    row["baseline_diameter_mm"] = base["diameter_mm"] if base else _NAN
    row["baseline_area_mm2"] = base["area_mm2"] if base else _NAN
    row |= _healing(course, lost)
    row |= _by_visit(course, lost=lost, lost_by=lambda day: _lost(course, incidents, hand, finger, until=day), end=end)
    row |= _rates(course)
    until = window_of(primary_visit(course.protocol))
    asked = (course, incidents, hand, finger)
    row[worsened_column(course.protocol)] = worsened(*asked, until=until, censored_on=censored_on)
    row[worsened_confirmed_column(course.protocol)] = worsened_again(*asked, until=until, censored_on=censored_on)
    row["recurred"] = _recurred(course, row["healed"])
    row["course_of"] = course.host
    ended = {"follow_up_ended": end.event, "follow_up_ended_day": end.day if math.isfinite(end.day) else _NAN}
    return row | ended


def _by_visit(course: Course, *, lost: bool | None, lost_by: Callable[[float], bool | None], end: End) -> Record:
    """Return healed_by_VISIT of every visit; what an amputation undoes, or may undo, is no healing by any of them."""
    low, high, observed = healing_interval(course.own, course.protocol)
    undone = observed and course.protocol.outcomes.amputation_undoes_healing and lost is not False
    healed_between = _interval(low, high if observed else _NAN, observed)
    replies = {}
    for visit in followed_visits(course.protocol):
        window = window_of(visit) or (0, 0)
        gone = lost_by(window[1]) is True or (end.event == "death" and end.day <= window[1])
        later = all(day_of(one) > window[1] for one in course.rows)
        reply = healed_by(healed_between, visit, gone=gone)
        if reply == "yes" and undone:
            reply = "no" if gone else "unknown"
        elif reply == "no" and not gone and (undone or _may_have_healed(course, window[1])):
            reply = "unknown"
        replies[healed_column(visit)] = "" if later else reply
    return replies


def healed_by(row: Record, visit: Visit, *, gone: bool) -> str:
    """Say whether an ulcer had healed by a visit: by the last day of its window.

    Yes: seen healed up to then. No: still seen open in that window or later, or by then the finger amputated or the
    subject dead, since it can then no longer heal (assumption for death). Else it is not known.

    Parameters
    ----------
    row : mapping
        Of ``outcomes``.
    visit : Visit
    gone : bool
        Finger or subject were lost by then.

    Returns
    -------
    {'yes', 'no', 'unknown'}
    """
    window = window_of(visit)
    if window is None:
        return "unknown"
    if row["event_observed"] == 1 and row["healing_day_high"] <= window[1]:
        return "yes"
    return "no" if gone or row["healing_day_low"] >= window[0] else "unknown"


def _lost(course: Course, incidents: Sequence[Incident], hand: str, finger: str, *, until: float) -> bool | None:
    """Was the finger amputated after day 0 and up to a day."""
    if any(row["state"] == "amputated" and day_of(row) <= until for row in course.after):
        return True
    return happened(incidents, ("amputation",), hand, finger, until=until)


def _may_have_healed(course: Course, until: float = math.inf) -> bool:
    """Say whether it was seen healed on a day that is not known and may be one after day 0 and up to a day."""
    return any(row["state"] == "healed" and last > 0 and first <= until for row, first, last in course.undated)


def _healing(course: Course, lost: bool | None) -> Record:
    low, high, observed = healing_interval(course.own, course.protocol)
    if observed and course.protocol.outcomes.amputation_undoes_healing and lost is not False:
        low = max((day_of(row) for row in course.rows if is_open(row)), default=low)
        healed = "no" if lost else "unknown"
        lasted = dict.fromkeys(("healing_confirmed", "healing_sustained", "healed_by_reader"), healed)
        return {"healed": healed, **_interval(low, _NAN, False), **lasted}
    if observed:
        lasted = {"healing_confirmed": is_confirmed(course.own, course.protocol)}
        lasted |= {"healing_sustained": is_sustained(course.own, course.protocol)}
        read = healing_interval(without_machine_healing(course.own), course.protocol)[2]
        lasted |= {"healed_by_reader": "yes" if read else "unknown"}
        return {"healed": "yes", **_interval(low, high, True), **lasted}
    still_open = _is_open_still(course) and not course.went_into_another() and not _may_have_healed(course)
    known = lost or still_open
    healed = "no" if known else "unknown"
    lasted = {"healing_confirmed": "unknown", "healing_sustained": "unknown", "healed_by_reader": healed}
    return {"healed": healed, **_interval(low, _NAN, False), **lasted}


def _is_open_still(course: Course) -> bool:
    """Say whether it was seen open after day 0, and nothing later shows a healing that does not count."""
    opened = [day_of(row) for row in course.after if is_surely_open(row)]
    return bool(opened) and not any(row["state"] == "healed" and day_of(row) > max(opened) for row in course.after)


def _interval(low: float, high: float, observed: bool) -> Record:
    return {"healing_day_low": low, "healing_day_high": high, "event_observed": int(observed)}


def _rates(course: Course) -> Record:
    """Rates from the baseline on, up to the first healing; reductions at each visit of the protocol."""
    visits = followed_visits(course.protocol)
    empty = {reduction_column(visit): _NAN for visit in visits}
    if not course.open_at_baseline or course.baseline is None:
        return {"healing_rate_per_week": _NAN, "days_to_half_area": _NAN, **empty}
    start = course.baseline
    days, areas = [], []
    for row in course.rows:
        if is_sized(row) and day_of(row) >= day_of(start):
            days.append(day_of(row))
            areas.append(_area_against(start, row))
            if row["state"] == "healed":
                break
    out = {"healing_rate_per_week": exponential_rate(days, areas), "days_to_half_area": days_to_half_area(days, areas)}
    for visit in visits:
        at_visit = course.at(visit)
        out[reduction_column(visit)] = float(at_visit["area_reduction_pct"]) if at_visit else _NAN
    return out


def _area_against(start: Record, row: Record) -> float:
    """Return an area as the reduction against baseline says it: what was taken in since then counts at both ends."""
    left = 1.0 - float(row["area_reduction_pct"]) / 100.0
    return left * float(start["area_mm2"]) if math.isfinite(left) else float(row["area_mm2"])


def worsened(
    course: Course,
    incidents: Sequence[Incident],
    hand: str,
    finger: str,
    *,
    until: tuple[int, int] | None,
    censored_on: float = math.inf,
) -> str:
    """Say whether an ulcer open at baseline got worse up to the primary visit's window's end, or to an earlier day.

    Yes: worse than baseline at any visit, or gangrene, infection or amputation of that finger. No needs an assessment
    inside that window, none up to then that may have been worse, no such event that may have been on this finger or in
    this time, and that it did not go into another ulcer, in which its own size is no longer told. An uncertain change
    may have been worse unless the ulcer was seen no larger than at baseline.

    Parameters
    ----------
    course : Course
        The ulcer over the visits.
    incidents : sequence of Incident
        The subject's events, in days after treatment.
    hand : str
        ``left`` or ``right``; empty when not known.
    finger : str
        Its name as in the tables; empty when not known.
    until : tuple[int, int] or None
        First and last day of the primary visit's window; None for a visit without a day.
    censored_on : float, optional
        Day of rescue from which nothing counts; infinite for none.

    Returns
    -------
    str
    """
    if until is None:
        return "unknown"
    harmed = happened(incidents, HARMS, hand, finger, until=min(until[1], censored_on))
    rows = course.until(until[1])
    assessed = _counted_for_worsening(course, until[1])
    undated = [(row, first, last) for row, first, last in course.undated if last > 0 and first <= until[1]]
    if (
        harmed
        or _surely_worse(course, undated, until[1])
        or any(row["change_from_baseline"] == "worse" for row in assessed)
        or any(row["state"] == "amputated" for row in rows)
    ):
        return "yes"
    at_end = [row for row in assessed if day_of(row) >= until[0]]
    own = course.open_at_baseline and not course.went_into_another(by=until[1])
    possible = [*assessed, *(row for row, _, _ in undated)]
    sure = bool(at_end) and own and not any(_may_be_worse(row) for row in possible)
    return "no" if sure and harmed is False else "unknown"


def worsened_again(
    course: Course,
    incidents: Sequence[Incident],
    hand: str,
    finger: str,
    *,
    until: tuple[int, int] | None,
    censored_on: float = math.inf,
) -> str:
    """Say whether an ulcer got worse and was worse again when next assessed: once may be chance.

    Yes: worse at a visit up to the primary visit's window's end and at the next assessment, whenever that was, or an
    event that needs no second look. No: never worse, or every time no longer when next assessed, and assessed
    inside that window. Else it is not known.

    Parameters
    ----------
    course : Course
        The ulcer over the visits.
    incidents : sequence of Incident
        The subject's events, in days after treatment.
    hand : str
        ``left`` or ``right``; empty when not known.
    finger : str
        Its name as in the tables; empty when not known.
    until : tuple[int, int] or None
        First and last day of the primary visit's window; None for a visit without a day.
    censored_on : float, optional
        Day of rescue from which nothing counts; infinite for none.

    Returns
    -------
    str
    """
    once = worsened(course, incidents, hand, finger, until=until, censored_on=censored_on)
    if once != "yes" or until is None:
        return once
    gone = any(row["state"] == "amputated" for row in course.until(until[1]))
    harmed = happened(incidents, HARMS, hand, finger, until=min(until[1], censored_on))
    if gone or harmed:
        return "yes"
    after = course.after
    pairs = list(zip(after, [*after[1:], None], strict=False))
    counted = _counted_for_worsening(course, until[1])
    again = [_again(course, row, later) for row, later in pairs if row in counted]
    assessed = any(until[0] <= day_of(row) <= until[1] for row in after)
    again += ["unknown"] if any(_is_worse(row) and last > 0 for row, _, last in course.undated) else []
    again += [] if assessed and harmed is False else ["unknown"]
    return "yes" if "yes" in again else "unknown" if "unknown" in again else "no"


def _surely_worse(course: Course, undated: Sequence[tuple[Record, float, float]], last_day: float) -> bool:
    """Say whether an assessment without a known day shows it worse on one that surely counts."""
    if course.protocol.outcomes.worsened_at != "any visit":
        return False
    return any(_is_worse(row) and first > 0 and last <= last_day for row, first, last in undated)


def _counted_for_worsening(course: Course, last_day: float) -> list[Record]:
    """Return the assessments at which worsening counts: all up to a day, or the primary visit's."""
    if course.protocol.outcomes.worsened_at == "any visit":
        return [row for row in course.until(last_day) if is_assessed(row)]
    row = course.at(primary_visit(course.protocol))
    return [row] if row is not None and day_of(row) > 0 else []


def _is_worse(row: Record) -> bool:
    return bool(row["change_from_baseline"] == "worse")


def _again(course: Course, row: Record, later: Record | None) -> str:
    """Say whether an assessment was worse and the next one too; one without a known day may lie between them."""
    if not (_is_worse(row) or _may_be_worse(row)):
        return "no"
    reply = _worse_again(later)
    if reply == "yes" and later is not None:
        between = any(last >= day_of(row) and first <= day_of(later) for _, first, last in course.undated)
        return "yes" if _is_worse(row) and not between else "unknown"
    return reply


def _worse_again(later: Record | None) -> str:
    if later is None or (_may_be_worse(later) and not _is_worse(later)):
        return "unknown"
    return "yes" if _is_worse(later) else "no"


def _may_be_worse(row: Record) -> bool:
    return row["change_from_baseline"] not in ("better", "same") and not row["area_reduction_pct"] >= 0


def _recurred(course: Course, healed: str) -> str:
    """Open again after healed, wherever the healing was seen; no needs a later look, or that it never healed.

    A possible ulcer there after it healed may have been one. With ``recurred_after`` confirmed a healing counts only
    where it was confirmed.
    """
    closed = later = doubted = pending = False
    rows, any_healing = course.until(math.inf), course.protocol.outcomes.recurred_after == "healed"
    for position, row in enumerate(rows):
        if is_open(row) and (closed or (any_healing and row["state"] == "recurrent")):
            return "yes"
        doubted = doubted or (closed and is_possibly_open(row))
        later = later or (closed and row["state"] == "healed")
        if row["state"] == "healed":
            counts = "yes" if any_healing else confirmation_from(rows, position, course.protocol)
            closed, pending = closed or counts == "yes", pending or counts == "unknown"
    if closed:
        doubted = doubted or any(is_open(row) and last > 0 for row, _, last in course.undated)
        return "no" if later and not doubted else "unknown"
    never = healed == "no" or (not any_healing and not pending)
    return "no" if never and course.after else "unknown"
