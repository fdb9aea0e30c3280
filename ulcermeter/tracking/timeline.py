"""The ulcers of one finger, told occasion by occasion."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from ulcermeter.protocol import Protocol
from ulcermeter.tables.cells import grouped
from ulcermeter.tables.dates import exact_date, parse_date
from ulcermeter.tables.flags import Flag, FlagKind, in_doubt_of_identity
from ulcermeter.tracking.absence import Scene, Verdict, contested, judge_absence, saw_clear, unconfirmed
from ulcermeter.tracking.belief import Model
from ulcermeter.tracking.doubts import Doubts, is_clear
from ulcermeter.tracking.identify import identify
from ulcermeter.tracking.lineage import Lineage, observed_again
from ulcermeter.tracking.naming import name_ulcers
from ulcermeter.tracking.observation import GATE, Observation, combine, distance2, same_view
from ulcermeter.tracking.posterior import Identified, Link
from ulcermeter.tracking.reading import Finger, Occasion, PhotoRow, Record

__all__ = ["Outlined", "Absent", "read_timeline"]


@dataclass(frozen=True)
class Outlined:
    """Measurement rows of an ulcer at an occasion, each with the probability of being that ulcer."""

    rows: Mapping[int, float]
    ulcer_id: str
    state: str
    flags: tuple[Flag, ...]


@dataclass(frozen=True)
class Absent:
    """An ulcer at an occasion without an outline."""

    occasion: Occasion
    lineage: Lineage
    verdict: Verdict


@dataclass(frozen=True)
class _Outlines:
    """An ulcer's outlines at an occasion: all together, how many parts it has, and how each was linked."""

    ulcer_id: str
    whole: Observation
    n_parts: int
    links: Sequence[Link]

    def probabilities(self) -> dict[int, float]:
        """Return the probability of every measurement row."""
        return {row: link.probability for link in self.links for row in link.observation.rows}


@dataclass
class _Timeline:
    """What has been read so far; grows with every occasion."""

    finger: Finger
    zero: date | None
    amputations: Sequence[Record]
    protocol: Protocol
    identified: Identified
    names: Mapping[int, str]
    lineages: dict[str, Lineage] = field(default_factory=dict)
    scenes: list[tuple[Occasion, Scene]] = field(default_factory=list)
    outlined: list[Outlined] = field(default_factory=list)
    absent: list[Absent] = field(default_factory=list)
    open_on: dict[str, str] = field(default_factory=dict)

    @property
    def doubts(self) -> Doubts:
        return Doubts(self.finger, self.identified, self.names, self.protocol)


def read_timeline(
    finger: Finger, zero: date | None, amputations: Sequence[Record], model: Model
) -> tuple[list[Outlined], list[Absent]]:
    """Give every outline of a finger its ulcer and state, and every ulcer without an outline its state.

    Parameters
    ----------
    finger : Finger
    zero : date or None
        The subject's treatment date.
    amputations : sequence of dict
        Rows of events.csv that speak of this subject's amputations.
    model : Model

    Returns
    -------
    list of Outlined, list of Absent
        In time order.
    """
    identified = identify(finger, model)
    timeline = _Timeline(finger, zero, amputations, model.protocol, identified, name_ulcers(finger, identified))
    for number, occasion in enumerate(finger.occasions):
        _read_occasion(timeline, number, occasion)
    return timeline.outlined, timeline.absent


def _read_occasion(timeline: _Timeline, number: int, occasion: Occasion) -> None:
    here = [link for link in timeline.identified.links if link.visit == number]
    links = grouped(here, key=lambda link: timeline.names[link.ulcer])
    known_before = set(timeline.lineages)
    groups = {name: _together([link.observation for link in own]) for name, own in links.items()}
    for ulcer_id in sorted(set(groups) - known_before, key=lambda name: groups[name][0].order()):
        timeline.lineages[ulcer_id] = Lineage(ulcer_id, groups[ulcer_id][0])
    hosts = _merge(timeline, number)
    scene = _scene(timeline, occasion, {name: now for name, (now, _) in groups.items()})
    for ulcer_id in sorted(groups, key=list(timeline.lineages).index):
        now, n_parts = groups[ulcer_id]
        doubts = [*timeline.doubts.of_links(links[ulcer_id]), *hosts.get(ulcer_id, [])]
        outlines = _Outlines(ulcer_id, now, n_parts, links[ulcer_id])
        _record_outlined(timeline, occasion, scene, outlines, doubts, took_in=ulcer_id in hosts)
    for ulcer_id in sorted(known_before - set(groups)):
        _record_absent(timeline, occasion, scene, ulcer_id, timeline.doubts.may_be(number, ulcer_id))
    if occasion not in timeline.finger.unplaced:
        timeline.scenes.append((occasion, scene))


# --- which is which -------------------------------------------------------------------------------------------------


def _together(observations: Sequence[Observation]) -> tuple[Observation, int]:
    """Bring an ulcer's outlines of one visit together: parts on one photo first, then photos; how many parts, too."""
    photos = grouped(observations, key=lambda one: one.photos)
    most = max(len(parts) for parts in photos.values())
    whole = [combine(parts, parts=len(parts) > 1) for parts in photos.values()]
    return combine(whole, parts=False), most


def _merge(timeline: _Timeline, number: int) -> dict[str, list[Flag]]:
    """Mark the ulcers that go into another at a visit; return the hosts, each with what is unclear about that."""
    hosts: dict[str, list[Flag]] = {}
    for (visit, goes), (keeps, probability) in sorted(timeline.identified.merges.items()):
        if visit != number:
            continue
        gone, host = timeline.names[goes], timeline.names[keeps]
        timeline.lineages[gone] = replace(timeline.lineages[gone], status="merged", host=host)
        clear = is_clear(probability, timeline.protocol)
        doubt = Flag(FlagKind.AMBIGUOUS_IDENTITY, ulcers=(gone,), probability=round(probability, 4))
        hosts.setdefault(host, []).extend([] if clear else [doubt])
    return hosts


def _scene(timeline: _Timeline, occasion: Occasion, groups: Mapping[str, Observation]) -> Scene:
    """Describe the occasion, with the ulcers' newest views and numbers."""
    photos = timeline.finger.photos[occasion]
    lineages = []
    for ulcer_id, lineage in timeline.lineages.items():
        if ulcer_id in groups:
            now = groups[ulcer_id]
            newest = observed_again(lineage, now, "")
            others = {photo.number for photo in photos if photo.photo in now.photos and photo.number}
            lineages.append(replace(newest, beside=lineage.beside | (others - {newest.number})))
        elif lineage.status != "merged":
            lineages.append(lineage)
    on_photos = timeline.finger.observations[occasion]
    possible = {name: tuple(one for one in found if name in one.possible_on) for name, found in on_photos.items()}
    return Scene(
        photos=photos,
        outlined=frozenset(name for name, found in on_photos.items() if len(found) > len(possible[name])),
        numbers=frozenset(lineage.number for lineage in lineages if lineage.number),
        lineages=tuple(lineages),
        possible=possible,
    )


# --- states ---------------------------------------------------------------------------------------------------------


def _record_outlined(
    timeline: _Timeline,
    occasion: Occasion,
    scene: Scene,
    outlines: _Outlines,
    doubts: list[Flag],
    *,
    took_in: bool,
) -> None:
    ulcer_id, now = outlines.ulcer_id, outlines.whole
    before = timeline.lineages[ulcer_id]
    current = next(lineage for lineage in scene.lineages if lineage.ulcer_id == ulcer_id)
    against = [why for name in sorted(now.photos) if (why := contested(current, name, scene))]
    notes = [*doubts, *against, *_number_disagrees(before, now, timeline.protocol)]
    notes += _misses(current, now, scene, timeline.protocol)
    notes += [Flag(FlagKind.OUTLINED_AFTER_AMPUTATION, date=f.date) for f in _amputated(timeline, occasion, before)[1]]
    notes += _unplaced(timeline, occasion)
    possible = [flag for name in sorted(now.possible_on) if (flag := unconfirmed(current, name, scene))]
    unsure = _all_doubted(now, [*against, *possible]) or occasion in timeline.finger.unplaced
    state, more = "indeterminate", possible
    if _ruled_out(now, against) and not _unplaced(timeline, occasion):
        state, more = "healed", [] if before.status else [Flag(FlagKind.NEVER_SEEN_OPEN)]
    elif not unsure:
        state, own = _open_state(timeline, before, current, outlines, notes, took_in=took_in)
        more = [*possible, *own]
        timeline.open_on[ulcer_id] = occasion.date
    flags = tuple(dict.fromkeys([*notes, *more]))
    timeline.outlined.append(Outlined(outlines.probabilities(), ulcer_id, state, flags))
    status = "open" if not unsure else "healed" if state == "healed" and before.status else ""
    timeline.lineages[ulcer_id] = replace(observed_again(before, now, status), beside=current.beside)


def _all_doubted(now: Observation, doubts: Sequence[Flag]) -> bool:
    """Whether each photo on which an ulcer is outlined has something that keeps the outline from being an open one."""
    return now.photos == {name for flag in doubts for name in flag.photos}


def _ruled_out(now: Observation, against: Sequence[Flag]) -> bool:
    """Whether only a possible ulcer is outlined, and the reader says of each of its photos that it is healed."""
    healed = {name for flag in against if flag.kind is FlagKind.READER_SAYS_HEALED for name in flag.photos}
    return now.only_possible and now.photos == healed


def _maybe_new(timeline: _Timeline, current: Lineage, photos: Iterable[str]) -> list[Flag]:
    """Flag the first split of an ulcer: a new ulcer within its last outline would look the same."""
    own = [outlined for outlined in timeline.outlined if outlined.ulcer_id == current.ulcer_id]
    known = current.observation.is_settled or bool(own and own[-1].state == "split")
    return [] if known else [Flag(FlagKind.SPLIT_OR_NEW, photos=tuple(sorted(photos)))]


def _within_former(timeline: _Timeline, outlines: _Outlines) -> list[Flag]:
    """Flag an ulcer whose first outline lies within a former one of another ulcer: it may be a part of that."""
    now, visit = outlines.whole, outlines.links[0].visit
    earlier = [link for link in timeline.identified.links if link.visit < visit]
    hosts = {timeline.names[link.ulcer] for link in earlier if _lies_in(now, link.observation)} - {outlines.ulcer_id}
    if not hosts or now.is_settled or now.number:
        return []
    return [Flag(FlagKind.SPLIT_OR_NEW, photos=tuple(sorted(now.photos)), ulcers=tuple(sorted(hosts)))]


def _lies_in(now: Observation, former: Observation) -> bool:
    view = same_view(now, former)
    if view is None:
        return False
    here, there = now.places[view], former.places[view]
    return math.hypot(here.s_mm - there.s_mm, here.t_mm - there.t_mm) < former.diameter_mm / 2


def _open_state(
    timeline: _Timeline, before: Lineage, current: Lineage, outlines: _Outlines, notes: Sequence[Flag], *, took_in: bool
) -> tuple[str, list[Flag]]:
    if took_in:
        return "merged", []
    if outlines.n_parts > 1:
        return "split", _maybe_new(timeline, current, outlines.whole.photos)
    if before.status == "":
        state, flags = _first_state(timeline, current, notes)
        return state, [*flags, *_within_former(timeline, outlines)]
    return ("recurrent" if before.status == "healed" else "persistent"), []


def _first_state(timeline: _Timeline, current: Lineage, notes: Sequence[Flag]) -> tuple[str, list[Flag]]:
    """Return new when its place was seen clear at baseline or later, on an earlier occasion; else first seen."""
    if in_doubt_of_identity(notes):
        return "first seen", []
    # Another ulcer whose identity it may be is ruled out here, so what was outlined then was not this one.
    clear = [
        (when, photo)
        for when, scene in timeline.scenes
        for photo in scene.photos
        if saw_clear(photo, current, replace(scene, lineages=(*scene.lineages, current)), timeline.protocol)
    ]
    for when, photo in reversed(clear):
        if _at_baseline_or_later(timeline, when):
            return "new", [_clear(FlagKind.SEEN_CLEAR, when, photo)]
    if clear:
        return "first seen", [_clear(FlagKind.SEEN_CLEAR_BEFORE_BASELINE, *clear[-1])]
    return "first seen", []


def _clear(kind: FlagKind, when: Occasion, photo: PhotoRow) -> Flag:
    return Flag(kind, photos=(photo.photo,), visit=when.visit, date=when.date)


def _at_baseline_or_later(timeline: _Timeline, occasion: Occasion) -> bool:
    """By the visit's phase; an unscheduled one by its day, else by the date of the baseline visit."""
    phase = next((v.phase for v in timeline.protocol.visits if v.name == occasion.visit), "unscheduled")
    if phase != "unscheduled":
        return phase in ("baseline", "follow-up")
    known = parse_date(occasion.date)
    if known is None:
        return False
    if timeline.zero is not None:
        return known.low >= timeline.zero
    baseline = [v.name for v in timeline.protocol.visits if v.phase == "baseline"]
    dates = [parse_date(o.date) for o in timeline.finger.occasions if o.visit in baseline]
    return any(day is not None and known.low >= day.high for day in dates)


def _number_disagrees(before: Lineage, now: Observation, protocol: Protocol) -> list[Flag]:
    view = same_view(before.observation, now)
    if view is None or not now.number:
        return []
    apart = distance2(before.observation.places[view], now.places[view], protocol.identity.same_place_mm)
    return [Flag(FlagKind.NUMBER_AND_PLACE_DISAGREE, number=now.number)] if apart > GATE**2 else []


def _misses(current: Lineage, now: Observation, scene: Scene, protocol: Protocol) -> list[Flag]:
    """Name the passing, uncovered photos of the same views on which it was not outlined."""
    blank = [p for p in scene.photos if p.photo not in now.photos and p.view in now.views]
    return [Flag(FlagKind.NOT_FOUND_ON, photos=(p.photo,)) for p in blank if saw_clear(p, current, scene, protocol)]


def _record_absent(timeline: _Timeline, occasion: Occasion, scene: Scene, ulcer_id: str, maybe: Flag | None) -> None:
    lineage = timeline.lineages[ulcer_id]
    amputated, notes = _amputated(timeline, occasion, lineage)
    if amputated:
        verdict = Verdict("amputated", flags=tuple(notes))
    elif lineage.status == "merged":
        verdict = Verdict("merged", flags=(Flag(FlagKind.MERGED_INTO, ulcers=(_last_host(timeline, lineage),)),))
    elif maybe is not None:
        verdict = Verdict("indeterminate", flags=(maybe,))
    else:
        verdict = judge_absence(lineage, scene, timeline.protocol)
        if occasion.attended == "no":
            notes.append(Flag(FlagKind.VISIT_NOT_ATTENDED))
        verdict = replace(verdict, flags=(*verdict.flags, *notes))
    doubts = [*_unplaced(timeline, occasion), *_open_that_day(timeline, occasion, ulcer_id)]
    if verdict.state == "healed" and doubts:
        verdict = replace(verdict, state="indeterminate", flags=(*verdict.flags, *doubts))
    if verdict.state == "healed" and lineage.status:
        timeline.lineages[ulcer_id] = replace(lineage, status="healed")
    elif verdict.state == "healed":
        verdict = replace(verdict, flags=(*verdict.flags, Flag(FlagKind.NEVER_SEEN_OPEN)))
    timeline.absent.append(Absent(occasion, lineage, verdict))


def _open_that_day(timeline: _Timeline, occasion: Occasion, ulcer_id: str) -> list[Flag]:
    """As on two photos of one visit: found on one and not on the other is open."""
    same_day = timeline.open_on.get(ulcer_id) == occasion.date and exact_date(occasion.date) is not None
    return [Flag(FlagKind.OUTLINED_THAT_DAY)] if same_day else []


def _unplaced(timeline: _Timeline, occasion: Occasion) -> list[Flag]:
    """Flag an occasion of which it is not known what came before; no state can be told then."""
    others = timeline.finger.unplaced.get(occasion)
    return [Flag(FlagKind.ORDER_NOT_KNOWN, date=occasion.date, others=tuple(others))] if others else []


def _last_host(timeline: _Timeline, lineage: Lineage) -> str:
    """Follow merges of merges to the ulcer that is still there."""
    host = lineage.host
    while timeline.lineages[host].status == "merged":
        host = timeline.lineages[host].host
    return host


def _amputated(timeline: _Timeline, occasion: Occasion, lineage: Lineage) -> tuple[bool, list[Flag]]:
    """Say whether the finger was gone by then, and why."""
    when, unknown = parse_date(occasion.date), False
    for event in timeline.amputations:
        same_finger = (event["hand"], event["finger"]) == (timeline.finger.hand, timeline.finger.finger)
        nameless = not (event["hand"] and event["finger"])
        same_number = nameless and event["ulcer_no"] != "" and event["ulcer_no"] == lineage.number
        on = parse_date(event["date"])
        if not (same_finger or same_number):
            continue
        if on is not None and when is not None and on.high <= when.low:
            return True, [Flag(FlagKind.AMPUTATED, date=event["date"])]
        unknown |= on is None or when is None or on.low <= when.high
    return False, [Flag(FlagKind.AMPUTATED_PERHAPS)] if unknown else []
