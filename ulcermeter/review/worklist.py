"""What needs a reader first: reasons to look at a photo, and the order of the work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from ulcermeter.datatypes import PhotoResult
from ulcermeter.protocol import Protocol
from ulcermeter.readings import PlaceKey
from ulcermeter.store import read_tables
from ulcermeter.tables.cells import PASSED, Record, is_unconfirmed, records
from ulcermeter.tables.flags import Flag, FlagKind, in_doubt_of_identity, read_flags

__all__ = ["REASON_WORDS", "Reason", "in_order_of_need", "reasons_of_run"]


class Reason(StrEnum):
    """Why a person should look at a photo, the most pressing first."""

    UNCERTAIN = "uncertain"
    POSSIBLE = "possible"
    CONTESTED = "contested"
    HEALED_BY_MACHINE = "healed"
    IDENTITY = "identity"
    LOW_CONFIDENCE = "confidence"
    BORDER = "border"
    REFUSED = "refused"
    DISAGREE = "disagree"


REASON_WORDS = {
    Reason.UNCERTAIN: "uncertain at the threshold",
    Reason.POSSIBLE: "possible ulcer",
    Reason.CONTESTED: "words contradict the photo",
    Reason.HEALED_BY_MACHINE: "healed, by the machine alone",
    Reason.IDENTITY: "which ulcer it is",
    Reason.LOW_CONFIDENCE: "low confidence",
    Reason.BORDER: "cut by the border",
    Reason.REFUSED: "not measured",
    Reason.DISAGREE: "readers disagree",
}
_CONTESTED = frozenset(
    {
        FlagKind.COVERED_YET_OUTLINED,
        FlagKind.READER_UNSURE,
        FlagKind.READER_SAYS_HEALED,
        FlagKind.READER_SAYS_OPEN,
        FlagKind.OUTLINED_AFTER_AMPUTATION,
        FlagKind.NUMBER_AND_PLACE_DISAGREE,
    }
)
_Visit = tuple[str, str, str, str, str]


def reasons_of_run(
    root: Path, done: Sequence[PhotoResult], protocol: Protocol
) -> tuple[dict[PlaceKey, list[Reason]], dict[tuple[PlaceKey, int], str]]:
    """Return the reasons of every photo, hand and finger, and each outline's ulcer_id as the run's tables say.

    Parameters
    ----------
    root : Path
        The results folder.
    done : sequence of PhotoResult
        The machine's results.
    protocol : Protocol

    Returns
    -------
    dict of PlaceKey to list of Reason
    dict of (PlaceKey, int) to str
    """
    tables = read_tables(root, ("measurements", "trajectories"))
    courses = _courses(records(tables["trajectories"]))
    found: dict[PlaceKey, set[Reason]] = {}
    identities: dict[tuple[PlaceKey, int], str] = {}
    for row in records(tables["measurements"]):
        place = (row["photo"], row["hand"], row["finger"])
        found.setdefault(place, set()).update(_of_outline(row, protocol))
        identities[place, int(row["label"])] = row["ulcer_id"]
    for result in done:
        photo = result.photo
        place = (photo["photo"], photo["hand"], photo["finger"])
        of_visit = courses.get(_visit(photo), frozenset())
        if photo["status"] == "measured":
            of_visit = of_visit - {Reason.HEALED_BY_MACHINE}
        found.setdefault(place, set()).update(of_visit if photo["status"] in PASSED else {Reason.REFUSED})
    return {place: [reason for reason in Reason if reason in own] for place, own in found.items()}, identities


def _visit(row: Mapping[str, Any]) -> _Visit:
    return row["subject_id"], row["visit"], row["date"], row["hand"], row["finger"]


def _of_outline(row: Record, protocol: Protocol) -> Iterable[Reason]:
    if row["over_threshold"] == "uncertain":
        yield Reason.UNCERTAIN
    if is_unconfirmed(row):
        yield Reason.POSSIBLE
    if row["confidence"] < protocol.measurement.confidence_flag_below:
        yield Reason.LOW_CONFIDENCE
    if row["touches_border"] == "yes":
        yield Reason.BORDER
    if not row["ulcer_id"]:
        yield Reason.IDENTITY


def _courses(rows: Iterable[Mapping[str, Any]]) -> dict[_Visit, frozenset[Reason]]:
    courses: dict[_Visit, frozenset[Reason]] = {}
    for row in rows:
        reasons = set(_of_flags(read_flags(row["flags"])))
        courses[_visit(row)] = courses.get(_visit(row), frozenset()) | reasons
    return courses


def _of_flags(flags: Sequence[Flag]) -> Iterable[Reason]:
    if in_doubt_of_identity(flags) or any(flag.kind is FlagKind.IDENTITY_ASSUMED for flag in flags):
        yield Reason.IDENTITY
    for flag in flags:
        if flag.kind is FlagKind.HEALED_BY_MACHINE:
            yield Reason.HEALED_BY_MACHINE
        if flag.kind in _CONTESTED:
            yield Reason.CONTESTED


def in_order_of_need(reasons: Mapping[int, Sequence[Reason]]) -> list[int]:
    """Return positions by their most pressing reason, then as they stand; those without a reason last.

    Parameters
    ----------
    reasons : mapping of int to sequence of Reason
        By position in the study's order.

    Returns
    -------
    list of int
    """
    rank = {reason: n for n, reason in enumerate(Reason)}
    last = len(rank)
    return sorted(reasons, key=lambda at: (min((rank[one] for one in reasons[at]), default=last), at))
