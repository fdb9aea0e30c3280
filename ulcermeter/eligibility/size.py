"""How large an ulcer is by the last passing photos, and what the caliper at the bedside adds to that."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from ulcermeter.datatypes import Ask, Need
from ulcermeter.eligibility.answers import Answer
from ulcermeter.eligibility.asking import ask_of_ulcer, ask_photo
from ulcermeter.eligibility.case import Case, Row
from ulcermeter.eligibility.linkage import Ulcer
from ulcermeter.eligibility.three_valued import Truth, not_after, yes_no
from ulcermeter.eligibility.timing import Dated, agreed, last_ones
from ulcermeter.tables.cells import grouped, not_known
from ulcermeter.tables.dates import parse_date
from ulcermeter.tables.flags import Flag, FlagKind, in_doubt_of_identity, read_flags
from ulcermeter.wording import (
    bedside_words,
    diameter_words,
    flagged_in_words,
    history_words,
    joined,
    no_photo_words,
    still_active_words,
    too_old_words,
    without_outline_words,
)

__all__ = ["Photo", "Shown", "photos_of", "size_of", "still_active"]


@dataclass(frozen=True)
class Shown:
    """What one photo shows of an ulcer.

    Attributes
    ----------
    answer : str
        Over the threshold: yes, no or uncertain.
    value, evidence : str
    ends : tuple of float
        The diameter's 95 % interval, mm; 0 twice where it shows none.
    contested, covered : bool
        What was outlined need not be an open ulcer; a covered place shows none.
    flags : tuple of Flag
    """

    answer: str
    value: str
    evidence: str
    ends: tuple[float, float]
    contested: bool = False
    covered: bool = False
    flags: tuple[Flag, ...] = ()


Photo = tuple[Shown, Dated]


def size_of(case: Case, ulcer: Ulcer, assessments: Sequence[Dated]) -> Answer:
    """Say whether the ulcer is over the threshold on the last passing photo; the bedside settles an uncertain one.

    Photos of one day that exclude each other are a conflict, which the bedside does not settle.

    Parameters
    ----------
    case : Case
        One subject's rows of every table, and the day up to which evidence counts.
    ulcer : Ulcer
        One ulcer of the subject, as the photos and the clinic's tables know it.
    assessments : sequence of Dated
        The clinic's examinations of it.

    Returns
    -------
    Answer
    """
    horizon = case.photo_horizon
    photos = photos_of(case, ulcer)
    items = [item for _, item in photos]
    ends = last_ones(items, horizon)
    last = [(shown, item) for shown, item in photos if any(item is one for one in ends)]
    source = agreed(items, "answer", horizon)
    truth = yes_no(source.row["answer"]) if source else None
    evidence = joined(shown.evidence for shown, _ in last)
    flags = tuple(flag for shown, _ in last for flag in shown.flags)
    value = last[0][0].value if last else ""
    if not any(item.counts(horizon) for _, item in last):
        answer = Answer(None, value, evidence, (ask_photo(case, ulcer),), flags)
        answer = answer.noting(no_photo_words(case.cutoff_text)).noting(history_words(_history(case, ulcer)))
        for shown, item in last:
            answer = answer.noting(_age(case, shown, item))
        return _beside(answer, assessments, case, ())
    answer = Answer(truth, value, evidence, () if truth is not None else (ask_photo(case, ulcer),), flags)
    if conflict := _conflict(last) if truth is None else ():
        answer = answer.flagged(Flag(FlagKind.PHOTOS_DISAGREE, photos=conflict))
    elif truth is None:
        return _settled(answer, assessments, case, last, ulcer)
    return _beside(answer, assessments, case, last)


def _age(case: Case, shown: Shown, item: Dated) -> str:
    horizon = case.photo_horizon
    if item.when is None or horizon.fresh(item.when) is True:
        return ""
    return too_old_words("photo", shown.value, item.when, horizon.cutoff, horizon.most_days)


def _conflict(last: Sequence[Photo]) -> tuple[str, ...]:
    """Return photos of one day that surely show this ulcer and exclude each other: their intervals do not meet."""
    sure = [(shown.ends, item) for shown, item in last if item.sure and not shown.contested]
    apart = [
        (one, other)
        for (a, one), (b, other) in combinations(sure, 2)
        if one.when == other.when and max(a[0], b[0]) > min(a[1], b[1])
    ]
    return tuple(sorted({item.row["photo"] for pair in apart for item in pair}))


def _beside(answer: Answer, assessments: Sequence[Dated], case: Case, last: Sequence[Photo]) -> Answer:
    """Show the bedside diameter beside the photo's, which it does not settle; flag it on the other side."""
    source = agreed(assessments, "diameter_mm_bedside", case.assessment_horizon)
    if source is None:
        return answer
    threshold = case.protocol.measurement.threshold_diameter_mm
    over = bool(source.row["diameter_mm_bedside"] > threshold)
    shown = answer.noting(bedside_words(source.row, source.when))
    if flag := _far_flag(float(source.row["diameter_mm_bedside"]), last, case):
        return shown.flagged(flag)
    if answer.truth is not None and answer.truth != over:
        return shown.flagged(Flag(FlagKind.BEDSIDE_DISAGREES, threshold_mm=threshold))
    return shown


def _settled(answer: Answer, assessments: Sequence[Dated], case: Case, last: Sequence[Photo], ulcer: Ulcer) -> Answer:
    """Let the bedside diameter settle what the photos leave open.

    It settles nothing that came into doubt only after it, nor where it is far from every photo's interval: one of the
    two is of something else, or a slip.
    """
    rules, horizon = case.protocol.eligibility, case.assessment_horizon
    source = agreed(assessments, "diameter_mm_bedside", horizon)
    if source is None:
        asks = ask_of_ulcer(case, ulcer, assessments, "diameter_mm_bedside", "assessed_on", horizon=horizon)
        return replace(answer, asks=(*answer.asks, *map(_or_else, asks)))
    bedside = float(source.row["diameter_mm_bedside"])
    if flag := _far_flag(bedside, last, case):
        wrong = Ask("ulcers.csv", case.subject_id, ("diameter_mm_bedside",), ulcer.called, Need.CORRECT, or_else=True)
        shown = answer.noting(bedside_words(source.row, source.when))
        return replace(shown, asks=(*shown.asks, wrong)).flagged(flag)
    in_time = all(not_after(item.when, source.when) is True for shown, item in last if shown.contested)
    if not (in_time and rules.bedside_settles_uncertain):
        return answer.noting(bedside_words(source.row, source.when))
    over: Truth = bedside > case.protocol.measurement.threshold_diameter_mm
    words = joined([answer.evidence, bedside_words(source.row, source.when, settles=True)])
    return Answer(over, f"{bedside:.2f} mm (bedside)", words, flags=answer.flags)


def _or_else(ask: Ask) -> Ask:
    return replace(ask, or_else=True)


def _far_flag(bedside: float, last: Sequence[Photo], case: Case) -> Flag | None:
    ratio = case.protocol.eligibility.bedside_far_ratio
    sizes = [shown.ends for shown, _ in last if shown.ends[1] > 0]
    far = [bedside > ratio * high or bedside * ratio < low for low, high in sizes]
    return Flag(FlagKind.BEDSIDE_FAR, diameter_mm=bedside) if far and all(far) else None


def photos_of(case: Case, ulcer: Ulcer) -> list[Photo]:
    """Return one item a photo of the ulcer that counts for size.

    What was outlined on a covered place says no more than a covered place without an outline: where the ulcer was seen
    bare up to the cutoff, that stays in force.

    Parameters
    ----------
    case : Case
    ulcer : Ulcer

    Returns
    -------
    list of (Shown, Dated)
    """
    groups = _by_photo([row for row in ulcer.tracked if case.counts_for_size(row)])
    photos = [_photo(rows, case) for rows in groups]
    bare = [(shown, item) for shown, item in photos if not shown.covered]
    return bare if any(item.counts(case.photo_horizon) for _, item in bare) else photos


def _by_photo(rows: Sequence[Row]) -> list[list[Row]]:
    """Group passing rows that are parts of one ulcer; drawn twice without a split, each stands for itself."""
    groups = grouped((row for row in rows if _passing(row) and not _shown_surer(row)), key=_part_of)
    return [own for _, own in sorted(groups.items())]


def _part_of(row: Row) -> tuple[str, str, str]:
    part = "" if row["state"] == "split" else str(row["label"]) + row["reader"] + str(row["centroid_x_px"])
    return row["date"], row["photo"], part


def _passing(row: Row) -> bool:
    return not not_known(row["label"]) or row["state"] in ("healed", "amputated")


def _shown_surer(row: Row) -> bool:
    """Whether another photo of the visit shows surely open what on this one is only a possible ulcer."""
    return bool(row["presence"] == "possible") and row["state"] not in ("indeterminate", "healed")


def _photo(rows: Sequence[Row], case: Case) -> Photo:
    """Parts on one photo give the longest diameter."""
    flags = [flag for row in rows for flag in read_flags(row["flags"])]
    # A possible ulcer that the reader ruled out is healed, whatever its outline.
    drawn = [row for row in rows if not not_known(row["label"]) and row["state"] != "healed"]
    if drawn:
        shown = _outlined(drawn, case, flags)
    else:
        shown = Shown("no", rows[0]["state"], without_outline_words(rows[0], flags), (0.0, 0.0))
    item = Dated(rows[0] | {"answer": shown.answer}, parse_date(rows[0]["date"]), not in_doubt_of_identity(flags))
    return shown, item


def _outlined(drawn: Sequence[Row], case: Case, flags: Sequence[Flag]) -> Shown:
    longest = max(drawn, key=lambda row: (row["diameter_mm"], str(row["label"])))
    replies = {row["over_threshold"] for row in drawn}
    # Covered, or contested by the reader: what was outlined need not be an open ulcer, whatever its size.
    contested = any(row["state"] == "indeterminate" for row in drawn)
    answer = "yes" if "yes" in replies else "no" if replies == {"no"} else "uncertain"
    answer = "uncertain" if contested else answer
    threshold = case.protocol.measurement.threshold_diameter_mm
    evidence = diameter_words(longest, answer, threshold, contested=contested, flags=flags)
    width = longest["width_mm"]
    fissure: tuple[Flag, ...] = ()
    if answer != "no" and math.isfinite(width) and width <= case.protocol.eligibility.fissure_width_mm:
        fissure = (Flag(FlagKind.FISSURE, diameter_mm=float(width)),)
        evidence = joined([evidence, flagged_in_words(fissure[0])])
    ends = (float(longest["diameter_low_mm"]), float(longest["diameter_high_mm"]))
    covered = contested and _covered(case, drawn[0])
    return Shown(answer, f"{longest['diameter_mm']:.2f} mm", evidence, ends, contested, covered, fissure)


def _covered(case: Case, row: Row) -> bool:
    key = ("photo", "hand", "finger")
    return any(p["covered"] == "yes" for p in case.photos if all(p[name] == row[name] for name in key))


def _history(case: Case, ulcer: Ulcer) -> list[str]:
    """Name photos up to the cutoff that were passing but not of a visit that counts for size."""
    old = [r for r in ulcer.tracked if _passing(r) and r["photo"] and not case.counts_for_size(r)]
    return sorted({row["photo"] for row in old if not_after(parse_date(row["date"]), case.cutoff) is True})


def still_active(case: Case, ulcer: Ulcer) -> str:
    """Report, without using it, whether the ulcer was still over the threshold at baseline.

    Parameters
    ----------
    case : Case
        One subject's rows of every table, and the day up to which evidence counts.
    ulcer : Ulcer
        One ulcer of the subject, as the photos and the clinic's tables know it.

    Returns
    -------
    str
        In words.
    """
    names = [visit.name for visit in case.protocol.visits if visit.phase == "baseline"]
    groups = _by_photo([row for row in ulcer.tracked if row["visit"] in names])
    if not groups:
        return still_active_words("", ()) if ulcer.ulcer_id else ""
    photos = [_photo(group, case)[0] for group in groups]
    replies = {photo.answer for photo in photos}
    reply = next(iter(replies)) if len(replies) == 1 else "uncertain"
    return still_active_words(reply, (photo.evidence for photo in photos))
