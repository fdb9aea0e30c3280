"""The ulcers of one finger, told occasion by occasion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from ulcermeter.protocol import Protocol
from ulcermeter.tables.dates import exact_date, parse_date
from ulcermeter.tables.flags import Flag, FlagKind, in_doubt_of_identity
from ulcermeter.tracking.absence import Scene, Verdict, contested, judge_absence, saw_clear, unconfirmed
from ulcermeter.tracking.lineage import Lineage, observed_again
from ulcermeter.tracking.matching import Links, link
from ulcermeter.tracking.observation import GATE, Observation, combine, distance2, same_view
from ulcermeter.tracking.reading import Finger, Occasion, PhotoRow, Record
from ulcermeter.tracking.split_merge import covers_both, fit_together

__all__ = ["Outlined", "Absent", "read_timeline"]


@dataclass(frozen=True)
class Outlined:
    """Measurement rows of an ulcer at an occasion."""

    rows: tuple[int, ...]
    ulcer_id: str
    state: str
    flags: tuple[Flag, ...]


@dataclass(frozen=True)
class Absent:
    """An ulcer at an occasion without an outline."""

    occasion: Occasion
    lineage: Lineage
    verdict: Verdict


@dataclass
class _Timeline:
    """What has been read so far; grows with every occasion."""

    finger: Finger
    zero: date | None
    amputations: Sequence[Record]
    protocol: Protocol
    lineages: dict[str, Lineage] = field(default_factory=dict)
    scenes: list[tuple[Occasion, Scene]] = field(default_factory=list)
    outlined: list[Outlined] = field(default_factory=list)
    absent: list[Absent] = field(default_factory=list)
    open_on: dict[str, str] = field(default_factory=dict)


def read_timeline(
    finger: Finger, zero: date | None, amputations: Sequence[Record], protocol: Protocol
) -> tuple[list[Outlined], list[Absent]]:
    """Give every outline of a finger its ulcer and state, and every ulcer without an outline its state.

    Parameters
    ----------
    finger : Finger
    zero : date or None
        The subject's treatment date.
    amputations : sequence of dict
        Rows of events.csv that speak of this subject's amputations.
    protocol : Protocol

    Returns
    -------
    list of Outlined, list of Absent
        In time order.
    """
    timeline = _Timeline(finger, zero, amputations, protocol)
    for occasion in finger.occasions:
        _read_occasion(timeline, occasion)
    return timeline.outlined, timeline.absent


def _read_occasion(timeline: _Timeline, occasion: Occasion) -> None:
    on_photos = timeline.finger.observations[occasion]
    observations = _one_visit([on_photos[name] for name in sorted(on_photos)], timeline.protocol)
    known = list(timeline.lineages.values())
    named = {observation.number for observation in observations if observation.number}
    # What has merged comes back only when the clinic says so by its number.
    live = [lineage for lineage in known if lineage.status != "merged" or lineage.number in named]
    links = link(observations, [lineage.observation for lineage in live], timeline.protocol)
    groups = {live[b].ulcer_id: [observations[a]] for a, b in links.pairs.items()}
    flags = _doubt_flags(links, live, observations)
    left = [a for a in range(len(observations)) if a not in links.pairs]
    left = _add_parts(timeline, groups, observations, left, links, flags)
    hosts = set(_merge(timeline, groups, flags).values())
    known_before = {lineage.ulcer_id for lineage in known}
    for a in sorted(left, key=lambda k: observations[k].order()):
        groups[_born(timeline, observations[a])] = [observations[a]]
    scene = _scene(timeline, occasion, groups)
    for ulcer_id, parts in groups.items():
        notes = [flag for part in parts for flag in flags[part.rows]]
        _record_outlined(timeline, occasion, scene, ulcer_id, parts, notes, took_in=ulcer_id in hosts)
    maybe = {live[b].ulcer_id: observations[a] for a, b in sorted(links.doubts)}
    for ulcer_id in sorted(known_before - set(groups)):
        _record_absent(timeline, occasion, scene, ulcer_id, maybe.get(ulcer_id))
    if occasion not in timeline.finger.unplaced:
        timeline.scenes.append((occasion, scene))


# --- which is which -------------------------------------------------------------------------------------------------


def _one_visit(photos: Sequence[Sequence[Observation]], protocol: Protocol) -> list[Observation]:
    """Bring the photos of one visit together: the same ulcer on two of them is one observation."""
    together: list[Observation] = []
    for on_photo in photos:
        links = link(on_photo, together, protocol)
        for a, observation in enumerate(on_photo):
            notes: set[Flag] = set()
            if a in links.assumed:
                notes.add(Flag(FlagKind.IDENTITY_ASSUMED))
            if any(doubt[0] == a for doubt in links.doubts):
                notes.add(Flag(FlagKind.AMBIGUOUS_BETWEEN_PHOTOS))
            observation = replace(observation, notes=observation.notes | notes)
            if a in links.pairs:
                together[links.pairs[a]] = combine([together[links.pairs[a]], observation], parts=False)
            else:
                together.append(observation)
    return together


def _doubt_flags(
    links: Links, live: Sequence[Lineage], observations: Sequence[Observation]
) -> dict[tuple[int, ...], list[Flag]]:
    """Return the flags of every observation (by its rows) on how it got its identity."""
    flags: dict[tuple[int, ...], list[Flag]] = {observation.rows: [] for observation in observations}
    for a, observation in enumerate(observations):
        rivals = sorted({live[b].ulcer_id for x, b in links.doubts if x == a and links.pairs.get(a) != b})
        unsure = any(x == a for x, _ in links.doubts)
        if unsure:
            flags[observation.rows].append(Flag(FlagKind.AMBIGUOUS_IDENTITY, ulcers=tuple(rivals)))
        elif a in links.assumed:
            flags[observation.rows].append(Flag(FlagKind.IDENTITY_ASSUMED))
    return flags


def _add_parts(
    timeline: _Timeline,
    groups: dict[str, list[Observation]],
    observations: Sequence[Observation],
    left: list[int],
    links: Links,
    flags: dict[tuple[int, ...], list[Flag]],
) -> list[int]:
    """Give observations that nothing claimed to the open ulcer whose former footprint they share with its own."""
    rest = []
    for a in left:
        part = observations[a]
        for ulcer_id, parts in groups.items():
            former = timeline.lineages[ulcer_id]
            if (former.status == "open" and not part.only_possible) and fit_together(
                [*parts, part], former.observation, former.reach_mm, timeline.protocol
            ):
                parts.append(part)
                for one in parts:
                    flags[one.rows] = _without_doubt(flags[one.rows])
                break
        else:
            rest.append(a)
    return rest


def _without_doubt(flags: Sequence[Flag]) -> list[Flag]:
    return [flag for flag in flags if flag.kind is not FlagKind.AMBIGUOUS_IDENTITY]


def _merge(
    timeline: _Timeline, groups: dict[str, list[Observation]], flags: dict[tuple[int, ...], list[Flag]]
) -> dict[str, str]:
    """Find open ulcers without an outline whose place another's outline now covers; return which went into which.

    The larger of the two former ulcers keeps its identity.
    """
    merged: dict[str, str] = {}
    for ulcer_id in sorted(timeline.lineages):
        lost = timeline.lineages[ulcer_id]
        if ulcer_id in groups or lost.status != "open":
            continue
        for other in sorted(groups):
            host, parts = timeline.lineages[other], groups[other]
            if host.status != "open" or len(parts) > 1 or parts[0].only_possible:
                continue
            if parts[0].number == lost.number != "":
                continue
            if covers_both(parts[0], host.observation, lost.observation, timeline.protocol):
                keeps, goes = (other, ulcer_id)
                if lost.observation.area_mm2 > host.observation.area_mm2 and not parts[0].number:
                    keeps, goes = (ulcer_id, other)
                    groups[keeps] = groups.pop(goes)
                    merged = {part: keeps if into == goes else into for part, into in merged.items()}
                merged[goes] = keeps
                flags[parts[0].rows] = _without_doubt(flags[parts[0].rows])
                break
    for goes, keeps in merged.items():
        timeline.lineages[goes] = replace(timeline.lineages[goes], status="merged", host=keeps)
    return merged


def _born(timeline: _Timeline, observation: Observation) -> str:
    finger = timeline.finger
    ulcer_id = f"{finger.subject_id}-{finger.hand}-{finger.finger}-{len(timeline.lineages) + 1}"
    timeline.lineages[ulcer_id] = Lineage(ulcer_id, observation)
    return ulcer_id


def _scene(timeline: _Timeline, occasion: Occasion, groups: Mapping[str, list[Observation]]) -> Scene:
    """Describe the occasion, with the ulcers' newest views and numbers."""
    photos = timeline.finger.photos[occasion]
    lineages = []
    for ulcer_id, lineage in timeline.lineages.items():
        if ulcer_id in groups:
            now = combine(groups[ulcer_id], parts=True)
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
    ulcer_id: str,
    parts: list[Observation],
    notes: list[Flag],
    *,
    took_in: bool,
) -> None:
    before = timeline.lineages[ulcer_id]
    now = combine(parts, parts=len(parts) > 1)
    current = next(lineage for lineage in scene.lineages if lineage.ulcer_id == ulcer_id)
    against = [why for name in sorted(now.photos) if (why := contested(current, name, scene))]
    own = sorted(now.notes, key=lambda flag: flag.kind)
    notes = [*own, *notes, *against, *_number_disagrees(before, now, timeline.protocol)]
    notes += _misses(current, now, scene, timeline.protocol)
    notes += [Flag(FlagKind.OUTLINED_AFTER_AMPUTATION, date=f.date) for f in _amputated(timeline, occasion, before)[1]]
    notes += _unplaced(timeline, occasion)
    possible = [flag for name in sorted(now.possible_on) if (flag := unconfirmed(current, name, scene))]
    unsure = _all_doubted(now, [*against, *possible]) or occasion in timeline.finger.unplaced
    state, more = "indeterminate", possible
    if _ruled_out(now, against) and not _unplaced(timeline, occasion):
        state, more = "healed", [] if before.status else [Flag(FlagKind.NEVER_SEEN_OPEN)]
    elif not unsure:
        state, own = _open_state(timeline, before, current, notes, took_in=took_in, n_parts=len(parts))
        more = [*possible, *own]
        timeline.open_on[ulcer_id] = occasion.date
    flags = tuple(dict.fromkeys([*notes, *more]))
    timeline.outlined.append(Outlined(now.rows, ulcer_id, state, flags))
    status = "open" if not unsure else "healed" if state == "healed" and before.status else ""
    timeline.lineages[ulcer_id] = replace(observed_again(before, now, status), beside=current.beside)


def _all_doubted(now: Observation, doubts: Sequence[Flag]) -> bool:
    """Whether each photo on which an ulcer is outlined has something that keeps the outline from being an open one."""
    return now.photos == {name for flag in doubts for name in flag.photos}


def _ruled_out(now: Observation, against: Sequence[Flag]) -> bool:
    """Whether only a possible ulcer is outlined, and the reader says of each of its photos that it is healed."""
    healed = {name for flag in against if flag.kind is FlagKind.READER_SAYS_HEALED for name in flag.photos}
    return now.only_possible and now.photos == healed


def _open_state(
    timeline: _Timeline, before: Lineage, current: Lineage, notes: Sequence[Flag], *, took_in: bool, n_parts: int
) -> tuple[str, list[Flag]]:
    if took_in:
        return "merged", []
    if n_parts > 1:
        return "split", []
    if before.status == "":
        return _first_state(timeline, current, notes)
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


def _record_absent(
    timeline: _Timeline, occasion: Occasion, scene: Scene, ulcer_id: str, maybe: Observation | None
) -> None:
    lineage = timeline.lineages[ulcer_id]
    amputated, notes = _amputated(timeline, occasion, lineage)
    if amputated:
        verdict = Verdict("amputated", flags=tuple(notes))
    elif lineage.status == "merged":
        verdict = Verdict("merged", flags=(Flag(FlagKind.MERGED_INTO, ulcers=(_last_host(timeline, lineage),)),))
    elif maybe is not None:
        doubt = Flag(FlagKind.OUTLINE_MAY_BE_THIS, photos=tuple(sorted(maybe.photos)))
        verdict = Verdict("indeterminate", flags=(doubt,))
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
