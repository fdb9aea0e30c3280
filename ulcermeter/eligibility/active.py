"""Active digital ulcer (size, pain, depth, dermis) and calcinosis: one ulcer at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from ulcermeter.eligibility.answers import Answer, conjunction, listed, written
from ulcermeter.eligibility.case import Case, Row
from ulcermeter.eligibility.linkage import Ulcer
from ulcermeter.eligibility.three_valued import Truth, not_after, yes_no
from ulcermeter.eligibility.timing import Dated, agreed, dated, last_ones
from ulcermeter.tables.cells import not_known
from ulcermeter.tables.dates import DateInterval, parse_date
from ulcermeter.tables.flags import Flag, FlagKind, in_doubt_of_identity, read_flags
from ulcermeter.wording import flag_in_words, flags_in_words

__all__ = ["active", "calcinosis"]

_SIGNS = {"painful": "painful", "visible_depth": "visible depth", "loss_of_dermis": "loss of dermis"}
_ASSESSMENT = (*_SIGNS, "diameter_mm_bedside", "assessed_on")
_XRAY = ("calcinosis_on_xray", "xray_date")


def active(case: Case, ulcer: Ulcer) -> Answer:
    """Say whether the ulcer is active: over the threshold on the last passing photo, painful, deep, dermis lost.

    The photo can never answer pain, depth or dermis; those come from the clinic's last look up to inclusion.

    Parameters
    ----------
    case : Case
        One subject's rows of every table, and the day up to which evidence counts.
    ulcer : Ulcer
        One ulcer of the subject, as the photos and the clinic's tables know it.

    Returns
    -------
    Answer
    """
    assessments = [
        assessment for assessment in _assessments(ulcer, _ASSESSMENT, "assessed_on") if not _only_xray(assessment.row)
    ]
    size = _size(case, ulcer, assessments)
    signs = [_sign(case, ulcer, assessments, column) for column in _SIGNS]
    answer = conjunction([size, *signs], size.value)
    late = [
        assessment.row["assessed_on"] for assessment in assessments if not_after(assessment.when, case.cutoff) is False
    ]
    answer = answer.flagged(_too_late("look", late, case))
    return answer.flagged(_linkage_flag(ulcer)).noting(_still_active(case, ulcer))


def calcinosis(case: Case, ulcer: Ulcer) -> Answer:
    """Say whether the last X-ray up to inclusion shows calcinosis under the ulcer; no X-ray is not assessable.

    Parameters
    ----------
    case : Case
        One subject's rows of every table, and the day up to which evidence counts.
    ulcer : Ulcer
        One ulcer of the subject, as the photos and the clinic's tables know it.

    Returns
    -------
    Answer
    """
    assessments = _assessments(ulcer, _XRAY, "xray_date")
    reply = agreed(assessments, "calcinosis_on_xray", case.cutoff)
    used = [assessment for assessment in last_ones(assessments, case.cutoff) if assessment.counts(case.cutoff)]
    late = [
        assessment.row["xray_date"] for assessment in assessments if not_after(assessment.when, case.cutoff) is False
    ]
    flag = _too_late("X-ray", late, case)
    if reply is not None:
        shows = "shows" if reply == "yes" else "shows no"
        evidence = f"the X-ray of {written(used[-1].when)} {shows} calcinosis under the ulcer"
        return Answer(yes_no(reply), reply, evidence).flagged(flag)
    why = (
        "no X-ray up to "
        if not last_ones(assessments, case.cutoff)
        else "no X-ray that surely is of this ulcer and up to "
    )
    settle = _cell(case, ulcer, "calcinosis_on_xray and xray_date")
    return Answer(None, "", why + case.cutoff_text, settle).flagged(flag).flagged(_linkage_flag(ulcer))


def _too_late(what: str, dates: Sequence[str], case: Case) -> Flag | None:
    if not dates:
        return None
    return Flag(FlagKind.NOT_USED_TOO_LATE, what=what, others=tuple(dates), date=case.cutoff_text)


def _assessments(ulcer: Ulcer, speaks: Sequence[str], date: str) -> list[Dated]:
    """Rows of ulcers.csv that are such a look at all."""
    return dated([(row, sure) for row, sure in ulcer.assessments if not all(not_known(row[c]) for c in speaks)], date)


def _only_xray(row: Row) -> bool:
    """Say whether a row tells of the X-ray alone: it is no later look that found the signs no longer known."""
    return not not_known(row["calcinosis_on_xray"]) and all(not_known(row[c]) for c in (*_SIGNS, "diameter_mm_bedside"))


def _cell(case: Case, ulcer: Ulcer, column: str) -> str:
    """Name the cell of ulcers.csv; where rows could be another ulcer's, the number that would tell."""
    rows = {(row["ulcer_no"], row["hand"], row["finger"]) for row, sure in ulcer.assessments if sure}
    if ulcer.assessments and not rows:
        return f"photos.csv and ulcers.csv: {case.subject_id} {ulcer.name}, ulcer_no; then ulcers.csv, {column}"
    return f"ulcers.csv: {case.subject_id} ulcer {ulcer.name}, {column}"


def _linkage_flag(ulcer: Ulcer) -> Flag | None:
    if ulcer.missing_photos:
        return Flag(FlagKind.NOT_ON_PHOTOS, photos=tuple(ulcer.missing_photos))
    if not ulcer.ulcer_id:
        return Flag(FlagKind.TIED_TO_NONE)
    return Flag(FlagKind.ROWS_AMBIGUOUS) if ulcer.ambiguous_rows else None


def _sign(case: Case, ulcer: Ulcer, assessments: Sequence[Dated], column: str) -> Answer:
    reply = agreed(assessments, column, case.cutoff)
    phrase = _SIGNS[column]
    if reply is None:
        return Answer(None, "", f"{phrase}: not known up to {case.cutoff_text}", _cell(case, ulcer, column))
    source = next(
        assessment
        for assessment in last_ones(assessments, case.cutoff)
        if assessment.counts(case.cutoff) and assessment.row[column]
    )
    by = f"{phrase}: {reply} (clinic, {written(source.when)})"
    return Answer(yes_no(reply), reply, by)


def _size(case: Case, ulcer: Ulcer, assessments: Sequence[Dated]) -> Answer:
    """Over the threshold on the last passing photo; the bedside caliper settles an uncertain one."""
    photos = _photos(case, ulcer)
    last = [photo for photo in last_ones(photos, case.cutoff) if photo.row["answer"]]
    reply = agreed(photos, "answer", case.cutoff)
    threshold = case.protocol.measurement.threshold_diameter_mm
    truth = yes_no(reply) if reply else None
    shown = listed(photo.row["evidence"] for photo in last)
    flags = tuple(flag for photo in last for flag in photo.row["flags"])
    value = str(last[0].row["value"]) if last else ""
    cell = f"photos.csv: {case.subject_id}, a passing photo of ulcer {ulcer.name} up to {case.cutoff_text}"
    if ulcer.missing_photos:
        cell += f", in place of {', '.join(ulcer.missing_photos)}"
    elif not ulcer.ulcer_id:
        cell += ", with its ulcer_no"
    if not any(photo.counts(case.cutoff) for photo in last):
        old = _old(case, ulcer)
        shown = listed([shown, f"no passing photo that surely shows it up to {case.cutoff_text}", old])
        return _beside(Answer(None, value, shown, cell, flags), assessments, case, threshold)
    answer = Answer(truth, value, shown, "" if truth is not None else cell, flags)
    doubted = [photo.when for photo in last if photo.row["contested"]]
    sizes = [photo.row["ends"] for photo in last if photo.row["ends"]]
    return _beside(answer, assessments, case, threshold, settles=truth is None, since=doubted, sizes=sizes)


def _beside(
    answer: Answer,
    assessments: Sequence[Dated],
    case: Case,
    threshold: float,
    *,
    settles: bool = False,
    since: Sequence[DateInterval | None] = (),
    sizes: Sequence[tuple[float, float]] = (),
) -> Answer:
    """Show the bedside diameter beside the photo's.

    It settles nothing that came into doubt only after it, nor where it is far from every photo's interval (`sizes`):
    one of the two is of something else, or a slip.
    """
    bedside = agreed(assessments, "diameter_mm_bedside", case.cutoff)
    if bedside is None:
        more = f"{answer.would_settle}; or ulcers.csv: {case.subject_id}, diameter_mm_bedside" if settles else ""
        return replace(answer, would_settle=more or answer.would_settle)
    source = next(
        x for x in last_ones(assessments, case.cutoff) if x.counts(case.cutoff) and x.row["diameter_mm_bedside"] > 0
    )
    over: Truth = bool(bedside > threshold)
    by = f" by {source.row['measured_by']}" if source.row["measured_by"] else ""
    phrase = f"bedside {bedside:.2f} mm{by} on {written(source.when)}"
    in_time = all(not_after(day, source.when) is True for day in since)
    if sizes and all(_far(bedside, ends, case.protocol.eligibility.bedside_far_ratio) for ends in sizes):
        cell = listed([answer.would_settle, f"ulcers.csv: {case.subject_id}, diameter_mm_bedside"])
        shown = replace(answer.noting(phrase), would_settle=cell if settles else "")
        return shown.flagged(Flag(FlagKind.BEDSIDE_FAR, diameter_mm=float(bedside)))
    if settles and in_time and case.protocol.eligibility.bedside_settles_uncertain:
        evidence = f"{answer.evidence}; {phrase} settles the uncertain photo"
        return Answer(over, f"{bedside:.2f} mm (bedside)", evidence, flags=answer.flags)
    shown = answer.noting(phrase)
    if answer.truth is not None and answer.truth != over:
        return shown.flagged(Flag(FlagKind.BEDSIDE_DISAGREES, threshold_mm=threshold))
    return shown


def _far(bedside: float, ends: tuple[float, float], ratio: float) -> bool:
    return bool(bedside > ratio * ends[1] or bedside * ratio < ends[0])


def _photos(case: Case, ulcer: Ulcer) -> list[Dated]:
    """One row a photo of the ulcer that counts for size: the answer, its value and words.

    What was outlined on a covered place says no more than a covered place without an outline: where the ulcer was seen
    bare up to the cutoff, that stays in force.
    """
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in ulcer.tracked:
        if case.counts_for_size(row) and _passing(row):
            groups.setdefault(_one_outline(row), []).append(row)
    photos = [_photo(rows, case) for _, rows in sorted(groups.items())]
    bare = [photo for photo in photos if not photo.row["covered"]]
    return bare if any(photo.counts(case.cutoff) for photo in bare) else photos


def _one_outline(row: Row) -> tuple[str, str, str]:
    """Return what rows must share to be parts of one ulcer; drawn twice without a split, each stands for itself."""
    part = "" if row["state"] == "split" else str(row["label"]) + row["reader"] + str(row["centroid_x_px"])
    return row["date"], row["photo"], part


def _passing(row: Row) -> bool:
    return not not_known(row["label"]) or row["state"] in ("healed", "amputated")


def _photo(rows: Sequence[Row], case: Case) -> Dated:
    """Parts on one photo give the longest diameter."""
    drawn = [row for row in rows if not not_known(row["label"])]
    flags = [flag for row in rows for flag in read_flags(row["flags"])]
    sure = not in_doubt_of_identity(flags)
    where = f"on {rows[0]['date'] or 'a day in doubt'}" + (f", photo {rows[0]['photo']}" if rows[0]["photo"] else "")
    flags_note = f" [{listed(flags_in_words(flags))}]" if flags else ""
    when = parse_date(rows[0]["date"])
    if not drawn:
        cells = {"answer": "no", "value": rows[0]["state"], "evidence": f"{rows[0]['state']} {where}{flags_note}"}
        return Dated(cells | {"contested": False, "covered": False, "flags": (), "ends": ()}, when, sure)
    longest = max(drawn, key=lambda row: (row["diameter_mm"], str(row["label"])))
    phrase = {row["over_threshold"] for row in drawn}
    # Covered, or contested by the reader: what was outlined need not be an open ulcer, whatever its size.
    contested = any(row["state"] == "indeterminate" for row in drawn)
    answer = "yes" if "yes" in phrase else "no" if phrase == {"no"} else "uncertain"
    answer = "uncertain" if contested else answer
    size = f"{longest['diameter_mm']:.2f} mm"
    ends = f"95 % {longest['diameter_low_mm']:.2f}-{longest['diameter_high_mm']:.2f}"
    doubt = "open and " if contested else ""
    over = {"yes": "over", "no": "not over", "uncertain": f"cannot tell whether {doubt}over"}[answer]
    threshold = case.protocol.measurement.threshold_diameter_mm
    evidence = f"diameter {size} ({ends}) {where}: {over} {threshold:g} mm{flags_note}"
    width = longest["width_mm"]
    fissure: tuple[Flag, ...] = ()
    if answer != "no" and math.isfinite(width) and width <= case.protocol.eligibility.fissure_width_mm:
        fissure = (Flag(FlagKind.FISSURE, diameter_mm=float(width)),)
        evidence += f"; flag: {flag_in_words(fissure[0])}"
    ends_mm = (longest["diameter_low_mm"], longest["diameter_high_mm"])
    cells = {"answer": answer, "value": size, "evidence": evidence, "flags": fissure, "ends": ends_mm}
    return Dated(cells | {"contested": contested, "covered": contested and _covered(case, rows[0])}, when, sure)


def _covered(case: Case, row: Row) -> bool:
    key = ("photo", "hand", "finger")
    return any(p["covered"] == "yes" for p in case.photos if all(p[name] == row[name] for name in key))


def _old(case: Case, ulcer: Ulcer) -> str:
    """Name photos that were passing but not of a visit that counts for size."""
    old = [r for r in ulcer.tracked if _passing(r) and r["photo"] and not case.counts_for_size(r)]
    early = [row for row in old if not_after(parse_date(row["date"]), case.cutoff) is True]
    return f"earlier photos ({', '.join(sorted({r['photo'] for r in early}))}) are history" if early else ""


def _still_active(case: Case, ulcer: Ulcer) -> str:
    """Report, without using it, whether the ulcer was still over the threshold at baseline."""
    names = [visit.name for visit in case.protocol.visits if visit.phase == "baseline"]
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in ulcer.tracked:
        if row["visit"] in names and _passing(row):
            groups.setdefault(_one_outline(row), []).append(row)
    if not groups:
        return "still_active_at_baseline: not known" if ulcer.ulcer_id else ""
    photos = [_photo(group, case).row for _, group in sorted(groups.items())]
    phrase = {photo["answer"] for photo in photos}
    reply = next(iter(phrase)) if len(phrase) == 1 else "uncertain"
    return f"still_active_at_baseline: {reply} ({listed(str(photo['evidence']) for photo in photos)}; size alone)"
