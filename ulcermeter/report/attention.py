"""What a person should look at before the tables are used, most serious first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ulcermeter.datatypes import Results
from ulcermeter.protocol import Protocol
from ulcermeter.report.formatting import with_interval
from ulcermeter.tables.cells import MACHINE, PASSED, is_unconfirmed, known_number, records
from ulcermeter.tables.flags import CONTRADICTIONS, Flag, FlagKind, in_doubt_of_identity, read_flags
from ulcermeter.wording import flag_in_words

__all__ = ["Item", "list_attention"]

_STATES = {
    "indeterminate": "it cannot be said whether the ulcer is open or healed",
    "merged": "two ulcers seem to have grown into one",
    "split": "one ulcer seems to have come apart",
}
_CONTRADICT, _ON_CRITERIA = "Answers that contradict each other", "Other flags on criteria"
_COURSE_KINDS = ("Possible ulcers", "Healed by the machine alone", "Which ulcer is it", "States to check")
# What a course says of a photo that was not measured stands among the photos to take again; where a new ulcer's place
# was seen clear before is evidence and nothing to check.
_LISTED_ELSEWHERE = (FlagKind.PHOTO_NOT_MEASURED, FlagKind.SEEN_CLEAR, FlagKind.SEEN_CLEAR_BEFORE_BASELINE)


@dataclass(frozen=True)
class Item:
    """One thing to look at: `kind` groups them, `where` names visit, photo or criterion, `what` says it."""

    kind: str
    subject_id: str
    ulcer: str
    where: str
    what: str


def list_attention(results: Results, protocol: Protocol) -> list[Item]:
    """List what should be looked at, grouped by kind, within a kind in the order of the tables.

    Parameters
    ----------
    results : Results
        The tables of a results folder.
    protocol : Protocol
        The trial's rules.

    Returns
    -------
    list[Item]
    """
    return [
        *_outdated_decisions(results),
        *_readings(results),
        *_cells_of_the_study(results),
        *_criteria_flags(results),
        *_course_flags(results),
        *_uncertain(results, protocol),
        *_weak_outlines(results, protocol),
        *_photo_warnings(results),
    ]


def _outdated_decisions(results: Results) -> Iterable[Item]:
    """List decisions that could not be read, and those on another verdict than now stands or on a subject now gone."""
    for one in results.run.get("decisions_not_read", []):
        yield Item("Decisions that could not be read", one["subject_id"], "", "decisions_to_settle.csv", one["asked"])
    for subject, sentence in results.run.get("decisions_to_look_at", {}).items():
        yield Item("Decisions to look at again", subject, "", "eligibility_summary.csv", sentence)


def _readings(results: Results) -> Iterable[Item]:
    """List readings that could not be used, and photos on which readers differ while nobody has settled it."""
    for words in results.run.get("readings_not_kept", []):
        yield Item("Readings that could not be used", "", "", "readings.csv", words)
    rows = [row for row in records(results.readings) if row["occasion"] == 1 and not row["not_kept"]]
    rows = [row for row in rows if row["reader"] != MACHINE]
    readers: dict[tuple[str, ...], set[str]] = {}
    settled = set()
    for row in rows:
        place = tuple(row[name] for name in ("subject_id", "visit", "photo", "hand", "finger"))
        readers.setdefault(place, set()).add(row["reader"])
        settled |= {place} if row["counts"] == "yes" or row["adjudicated"] == "yes" else set()
    for place, names in sorted(readers.items()):
        if len(names) > 1 and place not in settled:
            what = f"read by {', '.join(sorted(names))}, none of them the primary reader, and not adjudicated"
            yield Item("Readings that nobody has settled", place[0], "", f"{place[1]}, {place[2]}", what)


def _cells_of_the_study(results: Results) -> Iterable[Item]:
    """List what looks wrong in the study folder; first the cells on which nothing rests until they are mended."""
    found = results.run.get("findings", [])
    for finding in sorted(found, key=lambda finding: not finding["in_doubt"]):
        kind = "Cells in doubt, on which nothing rests" if finding["in_doubt"] else "Remarks on the study folder"
        words = finding["words"].removeprefix(f"{finding['place']}: ")
        yield Item(kind, finding["subject_id"], "", finding["place"], words)


def _criteria_flags(results: Results) -> list[Item]:
    """List the flags of the criteria; one of an ulcer's condition is not listed again of its subject."""
    items: dict[tuple[str, str, Flag], list[Item]] = {}
    for table in (results.eligibility_by_ulcer, results.eligibility):
        for row in records(table):
            ulcer = row.get("ulcer_id", "")
            for flag in read_flags(row["flags"]):
                known = items.setdefault((row["subject_id"], row["criterion"], flag), [])
                if ulcer or not known:
                    kind = _CONTRADICT if flag.kind in CONTRADICTIONS else _ON_CRITERIA
                    known.append(Item(kind, row["subject_id"], ulcer, row["criterion"], flag_in_words(flag)))
    return sorted((item for found in items.values() for item in found), key=lambda item: item.kind != _CONTRADICT)


def _course_flags(results: Results) -> list[Item]:
    items = []
    for row in records(results.trajectories):
        flags = [flag for flag in read_flags(row["flags"]) if flag.kind not in _LISTED_ELSEWHERE]
        found = [(_course_kind(flag), _course_words(flag)) for flag in flags]
        if not found and row["state"] in _STATES:
            found = [(_COURSE_KINDS[-1], _STATES[row["state"]])]
        items += [Item(kind, row["subject_id"], row["ulcer_id"], row["visit"], words) for kind, words in found]
    return sorted(items, key=lambda item: _COURSE_KINDS.index(item.kind))


def _course_words(flag: Flag) -> str:
    if flag.kind is FlagKind.HEALED_BY_MACHINE:
        return "called healed by the machine alone; no reader has said so"
    return flag_in_words(flag)


def _course_kind(flag: Flag) -> str:
    possible, by_machine, identity, other = _COURSE_KINDS
    if flag.kind in (FlagKind.POSSIBLE_ULCER, FlagKind.HEALED_BY_MACHINE):
        return possible if flag.kind is FlagKind.POSSIBLE_ULCER else by_machine
    return identity if flag.kind is FlagKind.IDENTITY_ASSUMED or in_doubt_of_identity([flag]) else other


def _uncertain(results: Results, protocol: Protocol) -> Iterable[Item]:
    threshold = protocol.measurement.threshold_diameter_mm
    for row in records(results.measurements):
        if row["over_threshold"] == "uncertain" and not is_unconfirmed(row):
            what = f"{with_interval(row, 'diameter_mm')} mm: this photo cannot tell whether it is over {threshold:g} mm"
            what += f"; the widest error is the {row['dominant_error']}" if row["dominant_error"] else ""
            yield Item("Uncertain at the threshold", row["subject_id"], row["ulcer_id"], row["visit"], what)


def _weak_outlines(results: Results, protocol: Protocol) -> Iterable[Item]:
    lowest = protocol.measurement.confidence_flag_below
    for row in records(results.measurements):
        words = []
        if known_number(row["confidence"]) < lowest:
            words.append(f"low confidence that this is an ulcer ({row['confidence']:.2f})")
        if row["touches_border"] == "yes":
            words.append("cut off by the photo's border, so larger than measured")
        if not row["ulcer_id"]:
            words.append("could not be told which ulcer this is")
        if words:
            where = f"{row['visit']}, {row['photo']}"
            yield Item("Outlines to check", row["subject_id"], row["ulcer_id"], where, "; ".join(words))


def _photo_warnings(results: Results) -> Iterable[Item]:
    for row in records(results.photos):
        if row["status"] in PASSED and row["reason"]:
            where = f"{row['visit']}, {row['photo']}"
            yield Item("Remarks on photos", row["subject_id"], "", where, row["reason"])
