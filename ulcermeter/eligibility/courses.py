"""Courses of intravenous prostacyclin, the physician's words on them, and the looks at an ulcer around them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from ulcermeter.datatypes import Need
from ulcermeter.eligibility.case import Case, Row
from ulcermeter.eligibility.linkage import Ulcer
from ulcermeter.eligibility.three_valued import Truth, after, all_of, any_of, not_after
from ulcermeter.protocol import INTRAVENOUS, read_drug, read_route
from ulcermeter.statistics import Z_95_AS_PRINTED, least_log_change, log_sd
from ulcermeter.tables.cells import by_key
from ulcermeter.tables.dates import DateInterval, add_months, parse_date
from ulcermeter.tables.flags import in_doubt_of_identity, read_flags
from ulcermeter.wording import size_words

__all__ = ["Course", "Assessment", "alike", "courses_for", "grew", "assessments_of", "reference_before", "window_end"]

# States in which an outline may stand; without an area nothing was measured.
_OPEN = ("first seen", "new", "persistent", "recurrent", "merged", "split")


@dataclass(frozen=True)
class Course:
    """A course, as far as one ulcer is concerned.

    Attributes
    ----------
    drug : str
    start, end : DateInterval or None
    intravenous : bool or None
        Surely an intravenous prostacyclin, surely not, or not known.
    statements : tuple of (dict, bool)
        Rows of refractory.csv on it, and whether they surely speak of this ulcer and this course.
    further : tuple of Course
        The subject's other courses that may be intravenous prostacyclin.
    listed : bool
        Stands in treatments.csv; else only the physician's word tells of it.
    unread : tuple of (str, Need)
        Cells of drug and route that leave it open whether it is one.
    """

    drug: str
    start: DateInterval | None
    end: DateInterval | None
    intravenous: Truth
    statements: tuple[tuple[Row, bool], ...] = ()
    further: tuple[Course, ...] = field(default=(), repr=False)
    listed: bool = True
    unread: tuple[tuple[str, Need], ...] = ()

    @property
    def began(self) -> DateInterval | None:
        """When it began: as given, else at the latest on its last day."""
        return self.start or (DateInterval(date.min, self.end.high) if self.end else None)


@dataclass(frozen=True)
class Assessment:
    """An ulcer at one visit up to inclusion: open with an area, or healed (area 0).

    Attributes
    ----------
    when : DateInterval
    area_mm2, low_mm2, high_mm2 : float
    evidence : str
    sure : bool
        It surely is this ulcer.
    took_in : frozenset of str
        Ulcers that had merged into this one by then.
    beside : mapping of str to (float, float, float)
        Area with its ends, mm², of those that merged into it only later, as last seen by then.
    """

    when: DateInterval
    area_mm2: float
    low_mm2: float
    high_mm2: float
    evidence: str
    sure: bool = True
    took_in: frozenset[str] = frozenset()
    beside: Mapping[str, tuple[float, float, float]] = field(default_factory=dict, repr=False)

    @property
    def open(self) -> bool:
        """Something open was outlined."""
        return self.area_mm2 > 0


def courses_for(case: Case, ulcer: Ulcer) -> list[Course]:
    """Return every course up to the cutoff that may be intravenous prostacyclin, with the words on it.

    Parameters
    ----------
    case : Case
        One subject's rows of every table, and the day up to which evidence counts.
    ulcer : Ulcer
        One ulcer of the subject, as the photos and the clinic's tables know it.

    Returns
    -------
    list[Course]
    """
    listed = sorted((_course(row, case) for row in case.courses), key=_in_time)
    started = [c for c in listed if after(c.start, case.cutoff) is not True]
    statements: list[list[tuple[Row, bool]]] = [[] for _ in started]
    alone: list[tuple[str, tuple[Row, bool]]] = []
    for row, sure in ulcer.statements:
        spoken = _spoken_of(row, started)
        for position in spoken:
            statements[position].append((row, sure and len(spoken) == 1))
        if not spoken or all(started[position].intravenous is False for position in spoken):
            alone.append((row["course_end"], (row, sure)))
    with_statements = [
        replace(c, statements=tuple(w)) for c, w in zip(started, statements, strict=True) if c.intravenous is not False
    ]
    stands = True if not case.protocol.refractory.physician_word_needs_course else None
    for end, rows in sorted(by_key(alone).items()):
        contradicted = any(_overlap(c.end, parse_date(end)) for c in started)
        trust = None if contradicted or not end else stands
        with_statements.append(
            Course("course of the physician's word", None, parse_date(end), trust, tuple(rows), (), False)
        )
    others = [
        [o for o in listed if o is not c and o.intravenous is not False] for c in started if c.intravenous is not False
    ]
    others += [[o for o in listed if o.intravenous is not False]] * (len(with_statements) - len(others))
    return [replace(c, further=tuple(o)) for c, o in zip(with_statements, others, strict=True)]


def _course(row: Row, case: Case) -> Course:
    drug, route = read_drug(row["drug"], case.protocol), read_route(row["route"], case.protocol)
    prostacyclin: Truth = drug.sure if drug.sure or not (drug.meant or not row["drug"]) else None
    vein: Truth = route.meant == INTRAVENOUS if route.sure else None
    start, end = parse_date(row["start"]), parse_date(row["end"])
    if start is not None and end is not None and end.low < start.low <= end.high:
        # A course does not end before it began.
        end = DateInterval(start.low, end.high)
    cells = (("drug", prostacyclin), ("route", vein))
    unread = tuple((name, Need.CORRECT if row[name] else Need.FILL) for name, truth in cells if truth is None)
    return Course(row["drug"], start, end, all_of(prostacyclin, vein), unread=unread)


def _in_time(course: Course) -> tuple[date, str]:
    when = course.start or course.end
    return (when.low if when else date.max), course.drug


def _spoken_of(row: Row, courses: Sequence[Course]) -> list[int]:
    """Return the courses a word can speak of: those whose end it can name; prostacyclins first."""
    end = parse_date(row["course_end"])
    fits = [i for i, course in enumerate(courses) if _overlap(course.end, end)]
    likely = [i for i in fits if courses[i].intravenous is not False]
    return likely or fits


def _overlap(first: DateInterval | None, second: DateInterval | None) -> bool:
    return first is None or second is None or (first.low <= second.high and second.low <= first.high)


def assessments_of(case: Case, ulcer: Ulcer) -> list[Assessment]:
    """Return what `trajectories` saw of the ulcer, in time order; only what is surely not later than the cutoff.

    Parameters
    ----------
    case : Case
        One subject's rows of every table, and the day up to which evidence counts.
    ulcer : Ulcer
        One ulcer of the subject, as the photos and the clinic's tables know it.

    Returns
    -------
    list[Assessment]
    """
    assessments = []
    parts = _parts(case, ulcer)
    own = [row for row in case.trajectories if ulcer.ulcer_id and row["ulcer_id"] == ulcer.ulcer_id]
    merged = [row for row in own if row["state"] == "merged"]
    for row in own:
        when, area = parse_date(row["date"]), row["area_mm2"]
        if not_after(when, case.cutoff) is not True:
            continue
        healed = row["state"] == "healed"
        if when is None:
            continue
        if healed or (row["state"] in _OPEN and area > 0):
            low, high = (0.0, 0.0) if healed else (row["area_low_mm2"], row["area_high_mm2"])
            sure = _is_sure(row)
            took_in, beside = _around(parts, when, ulcer.ulcer_id)
            if not parts and _up_to(merged, when):
                took_in = frozenset(["another ulcer"])
            assessments.append(
                Assessment(
                    when,
                    0.0 if healed else area,
                    low,
                    high,
                    size_words(row, healed=healed),
                    sure,
                    took_in,
                    beside,
                )
            )
    return sorted(assessments, key=lambda assessment: (assessment.when.low, assessment.when.high))


def _parts(case: Case, ulcer: Ulcer) -> dict[str, list[Row]]:
    """Return the ulcers that ever merged into this one, each with its dated rows in time order."""
    ids = {row["ulcer_id"] for row in case.trajectories if row["merged_into"] == ulcer.ulcer_id != ""}
    own = {name: [row for row in case.trajectories if row["ulcer_id"] == name] for name in sorted(ids)}
    return {name: sorted((r for r in rows if parse_date(r["date"])), key=_by_date) for name, rows in own.items()}


def _is_sure(row: Row) -> bool:
    return not in_doubt_of_identity(read_flags(row["flags"]))


def _by_date(row: Row) -> date:
    known = parse_date(row["date"])
    return known.low if known else date.min


def _around(
    parts: Mapping[str, Sequence[Row]], when: DateInterval, host: str
) -> tuple[frozenset[str], dict[str, tuple[float, float, float]]]:
    """Return which parts had merged by a day, and how large the others last were."""
    took_in, beside = set(), {}
    for name, rows in parts.items():
        until = _up_to(rows, when)
        if until and until[-1]["merged_into"] == host:
            took_in.add(name)
        elif sizes := _last_size(until):
            beside[name] = sizes
    return frozenset(took_in), beside


def _up_to(rows: Sequence[Row], when: DateInterval) -> list[Row]:
    return [row for row in rows if parse_date(row["date"]) == when or not_after(parse_date(row["date"]), when)]


def _last_size(rows: Sequence[Row]) -> tuple[float, float, float] | None:
    """Return the last known area; none of its own once it has merged into a third, whose area holds it."""
    if rows and rows[-1]["merged_into"]:
        return 0.0, 0.0, 0.0
    known = [row for row in rows if row["area_mm2"] >= 0 and _is_sure(row)]
    if not known:
        return None
    return known[-1]["area_mm2"], known[-1]["area_low_mm2"], known[-1]["area_high_mm2"]


def alike(then: Assessment, now: Assessment) -> tuple[Assessment, Assessment] | None:
    """Return two looks made comparable: what merged into the ulcer between them is added to the earlier one.

    None where the size that it had then is not known.

    Parameters
    ----------
    then : Assessment
        The earlier assessment.
    now : Assessment
        The later assessment.

    Returns
    -------
    tuple[Assessment, Assessment] or None
    """
    whole_then, whole_now = _with(then, now.took_in - then.took_in), _with(now, then.took_in - now.took_in)
    return (whole_then, whole_now) if whole_then is not None and whole_now is not None else None


def _with(assessment: Assessment, names: Iterable[str]) -> Assessment | None:
    sizes = [assessment.beside.get(name) for name in sorted(names)]
    own = (assessment.area_mm2, assessment.low_mm2, assessment.high_mm2)
    known = [size for size in sizes if size is not None]
    if len(known) < len(sizes):
        return None
    area, low, high = (sum(ends) for ends in zip(own, *known, strict=True))
    return replace(assessment, area_mm2=area, low_mm2=low, high_mm2=high)


def reference_before(assessments: Sequence[Assessment], course: Course, days: int) -> Assessment | None:
    """Return the last open look at or before the course's start, at most so many days before it; else None.

    With a partial start only a look that is the reference whichever day it was.

    Parameters
    ----------
    assessments : sequence of Assessment
        What photos showed of the ulcer, in time order.
    course : Course
        A course of treatment.
    days : int
        At most so many days before the course's start.

    Returns
    -------
    Assessment or None
    """
    if course.start is None:
        return None
    before = [assessment for assessment in assessments if not_after(assessment.when, course.start) is not False]
    if not before:
        return None
    last = before[-1]
    near = (course.start.high - last.when.low).days <= days
    return last if last.open and last.sure and near and not_after(last.when, course.start) is True else None


def grew(then: Assessment, now: Assessment, case: Case) -> Truth:
    """Say whether the ulcer is worse: ln(area) rose by more than the protocol's rule and than the photos' own errors.

    Beyond the one and within the other is not known, nor is what may have been another ulcer. Where others merged into
    it their areas count before as they do after: merging alone is no worsening.

    Parameters
    ----------
    then : Assessment
        The earlier assessment.
    now : Assessment
        The later assessment.
    case : Case
        One subject's rows of every table, and the day up to which evidence counts.

    Returns
    -------
    Truth
    """
    if not (then.sure and now.sure):
        return None
    if not now.open:
        return False
    both = alike(then, now)
    if both is None:
        return None
    then, now = both
    rise = math.log(now.area_mm2 / then.area_mm2)
    rules = case.protocol.healing
    if rise <= least_log_change(rules.change_rule, rules.sem_log_area, rules.change_area_pct, worse=True):
        return False
    own = math.hypot(log_sd(then.low_mm2, then.high_mm2), log_sd(now.low_mm2, now.high_mm2))
    return True if rise > Z_95_AS_PRINTED * own else None


@dataclass(frozen=True)
class Window:
    """The calendar months after a course: after `begin`, up to and with `last`, unless a further course cuts it."""

    begin: DateInterval | None
    last: DateInterval | None
    further: tuple[Course, ...]

    def cut_before(self, when: DateInterval) -> Truth:
        """Did a further course begin after the window's begin and before that day."""
        return any_of(*(all_of(c.intravenous, after(c.began, self.begin), after(when, c.began)) for c in self.further))

    def holds(self, when: DateInterval) -> Truth:
        """Say whether a day lies inside: after the begin, at most on the last day, not after a cut."""
        cut = self.cut_before(when)
        return all_of(after(when, self.begin), not_after(when, self.last), None if cut is None else not cut)

    def closed_by(self, day: DateInterval | None) -> Truth:
        """Is the window over on that day."""
        return any_of(not_after(self.last, day), *(self._cuts(c, day) for c in self.further))

    def ended_before(self, when: DateInterval) -> Truth:
        """Was the window over at or before that day: its last day, or a cut."""
        return any_of(not_after(self.last, when), self.cut_before(when))

    def _cuts(self, course: Course, day: DateInterval | None) -> Truth:
        return all_of(course.intravenous, after(course.began, self.begin), not_after(course.began, day))

    def cuts(self, day: DateInterval | None) -> list[Course]:
        """Further courses that may cut it by that day."""
        inside = [c for c in self.further if not_after(c.began, self.last) is not False]
        return [c for c in inside if self._cuts(c, day) is not False]


def window_end(begin: DateInterval | None, months: int, further: tuple[Course, ...]) -> Window:
    """Return the window of so many calendar months after `begin`, the last day included.

    Parameters
    ----------
    begin : DateInterval or None
        Day from which the window counts, as an interval.
    months : int
        Calendar months.
    further : tuple[Course, ...]
        Other courses, which may cut the window.

    Returns
    -------
    Window
    """
    last = None if begin is None else DateInterval(add_months(begin.low, months), add_months(begin.high, months))
    return Window(begin, last, further)
