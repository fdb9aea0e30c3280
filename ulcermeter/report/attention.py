"""What a person should look at before the tables are used, most serious first."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ulcermeter.datatypes import Results
from ulcermeter.protocol import Protocol
from ulcermeter.report.words import is_known, with_interval

__all__ = ["Item", "list_attention", "records"]

_STATES = {
    "indeterminate": "it cannot be said whether the ulcer is open or healed",
    "merged": "two ulcers seem to have grown into one",
    "split": "one ulcer seems to have come apart",
}
_FLAGS = {
    "healed_by_machine": "called healed by the machine alone; no reader has said so",
}
# Words by which the evidence of a criterion says that two sources do not agree or that something is unusual.
_DISAGREEMENT = re.compile(r"\bflag|contradict|disagree|conflict", re.IGNORECASE)


@dataclass(frozen=True)
class Item:
    """One thing to look at: `kind` groups them, `where` names visit, photo or criterion, `what` says it."""

    kind: str
    subject_id: str
    ulcer: str
    where: str
    what: str


def records(frame: Any) -> list[dict[str, Any]]:
    """Return a table's rows as dicts with text keys."""
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def list_attention(results: Results, protocol: Protocol) -> list[Item]:
    """List what should be looked at, grouped by kind, within a kind in the order of the tables."""
    return [
        *_disagreements(results),
        *_course_flags(results),
        *_uncertain(results, protocol),
        *_weak_outlines(results, protocol),
        *_photo_warnings(results),
    ]


def _disagreements(results: Results) -> Iterable[Item]:
    for table in (results.eligibility, results.eligibility_by_ulcer):
        for row in records(table):
            if _DISAGREEMENT.search(row["evidence"]):
                ulcer = row.get("ulcer_id", "")
                yield Item("Sources that disagree", row["subject_id"], ulcer, row["criterion"], row["evidence"])


def _course_flags(results: Results) -> Iterable[Item]:
    items = []
    for row in records(results.trajectories):
        parts = [part.strip() for part in row["evidence"].split(";")]
        words = [_FLAGS.get(part, part.replace("_", " ")) for part in parts if part and not part.startswith("photo")]
        if not words and row["state"] in _STATES:
            words = [_STATES[row["state"]]]
        for word in words:
            kind = "Healed by the machine alone" if word == _FLAGS["healed_by_machine"] else "Identity or state unsure"
            items.append(Item(kind, row["subject_id"], row["ulcer_id"], row["visit"], f"{row['state']}: {word}"))
    return sorted(items, key=lambda item: item.kind, reverse=True)


def _uncertain(results: Results, protocol: Protocol) -> Iterable[Item]:
    threshold = protocol["threshold_diameter_mm"]
    for row in records(results.measurements):
        if row["over_threshold"] == "uncertain":
            what = f"{with_interval(row, 'diameter_mm')} mm: this photo cannot tell whether it is over {threshold:g} mm"
            what += f"; the widest error is the {row['dominant_error']}" if row["dominant_error"] else ""
            yield Item("Uncertain at the threshold", row["subject_id"], row["ulcer_id"], row["visit"], what)


def _weak_outlines(results: Results, protocol: Protocol) -> Iterable[Item]:
    lowest = protocol["confidence_flag_below"]
    for row in records(results.measurements):
        words = []
        if is_known(row["confidence"]) and row["confidence"] < lowest:
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
        if row["status"] in ("measured", "no ulcer") and row["reason"]:
            where = f"{row['visit']}, {row['photo']}"
            yield Item("Remarks on photos", row["subject_id"], "", where, row["reason"])
