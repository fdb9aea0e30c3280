"""Which ulcer is which over the visits, and its state at each.

Identity is decided within subject, hand and finger, over all visits together, by the probability of all explanations:
the same place, a new ulcer, several that merged, one that split, a finger that lies differently. The clinic's own
number wins where a photo says which outline it means. What is less than `identity_odds` to 1 is flagged with its
probability and never decided in silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from ulcermeter.protocol import Protocol
from ulcermeter.tables import TABLES, conform, from_rows
from ulcermeter.tables.cells import is_unconfirmed
from ulcermeter.tables.dates import day_number, parse_date
from ulcermeter.tables.flags import Flag, FlagKind, write_flags
from ulcermeter.tracking.corrections import correct_ids
from ulcermeter.tracking.issued import issue_ids, with_known_ids
from ulcermeter.tracking.reading import Record, day_zero, measurement_records, photo_rows, read_fingers
from ulcermeter.tracking.spread import model_of
from ulcermeter.tracking.timeline import Absent, Outlined, read_timeline

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["correct_ids", "issue_ids", "track"]


def track(
    measurements: pd.DataFrame,
    photos: pd.DataFrame,
    *,
    protocol: Protocol,
    events: pd.DataFrame | None = None,
    visits: pd.DataFrame | None = None,
    known_ids: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Give every outlined ulcer its identity and state, and add a row where nothing of a known ulcer was outlined.

    Parameters
    ----------
    measurements : DataFrame
        Table ``measurements``; row order does not matter.
    photos : DataFrame
        Table ``photos``; the study's columns ulcer_no, site, covered, reader_state, x and y are used where present.
        Without them nobody's word is known, and healed is always by machine.
    protocol : Protocol
        The rules of identity (`identity_odds` and what stands beside it), ``threshold_diameter_mm`` and the visits.
    events, visits : DataFrame, optional
        Tables ``study/events`` (amputations) and ``study/visits`` (visits at which a photo was to be expected).
    known_ids : DataFrame, optional
        Table ``ids``, as `issue_ids` returned it before or ids.csv holds it: outlines that have an id keep it, whatever
        photos came since. What a reader gave is taken for true; what the program gave is flagged where it has become
        unlikely.

    Returns
    -------
    DataFrame
        Table ``tracked``, in its fixed order. From its first observation on an ulcer has a row at every visit at which
        any finger of the subject was photographed or that visits.csv names. Ids are numbered by first appearance
        within the finger, then from the tip: ``S01-left-index-1``.

    Raises
    ------
    TableError
        Tables that break their contracts, or measurements of photos that `photos` does not call measured.
    """
    records = measurement_records(measurements)
    planned = _rows("study/visits", visits)
    gone = [event for event in _rows("study/events", events) if event["event"] == "amputation"]
    zero = day_zero(records)
    rows: list[Record] = []
    shown = photo_rows(photos)
    fingers = with_known_ids(read_fingers(records, shown, planned, protocol), records, shown, known_ids)
    believed = model_of(fingers, protocol)
    for finger in fingers:
        own = [event for event in gone if event["subject_id"] == finger.subject_id]
        model = replace(believed, hand=finger.hand)
        outlined, absent = read_timeline(finger, zero.get(finger.subject_id), own, model)
        rows += [row for item in outlined for row in _outlined_rows(item, records)]
        rows += [_absent_row(item, zero.get(finger.subject_id)) for item in absent]
    order = list(TABLES["tracked"].order)
    return from_rows("tracked", rows).sort_values([*order, "ulcer_id"], kind="stable", ignore_index=True)


def _rows(name: str, frame: pd.DataFrame | None) -> list[Record]:
    if frame is None:
        return []
    rows = [{str(k): v for k, v in row.items()} for row in conform(name, frame).to_dict("records")]
    return sorted(rows, key=lambda row: tuple(str(value) for value in row.values()))


def _outlined_rows(item: Outlined, records: Sequence[Record]) -> list[Record]:
    cells = {"ulcer_id": item.ulcer_id, "state": item.state, "flags": write_flags(item.flags)}
    possible = {name for flag in item.flags if flag.kind is FlagKind.POSSIBLE_ULCER for name in flag.photos}
    return [
        {**records[row], **cells, "identity_probability": probability, **_confirmed(records[row], item.state, possible)}
        for row, probability in item.rows.items()
    ]


def _confirmed(record: Record, state: str, possible: set[str]) -> Record:
    """Return the presence of a possible ulcer that a reader calls open; nothing to change where it is otherwise."""
    open_there = state not in ("indeterminate", "healed") and record["photo"] not in possible
    return {"presence": "ulcer"} if is_unconfirmed(record) and open_there else {}


def _host(flags: Sequence[Flag]) -> str:
    return next((flag.ulcers[0] for flag in flags if flag.kind is FlagKind.MERGED_INTO), "")


def _absent_row(item: Absent, zero: date | None) -> Record:
    subject, hand, finger, _ = item.lineage.ulcer_id.rsplit("-", 3)
    verdict, observation = item.verdict, item.lineage.observation
    known = parse_date(item.occasion.date)
    return {
        "subject_id": subject,
        "visit": item.occasion.visit,
        "date": item.occasion.date,
        "day": day_number(item.occasion.date, zero.isoformat()) if known is not None and zero is not None else None,
        "photo": verdict.photo,
        "hand": hand,
        "finger": finger,
        "site": ", ".join(sorted(observation.sites)),
        "view": verdict.view,
        "ulcer_id": item.lineage.ulcer_id,
        "state": verdict.state,
        "flags": write_flags(verdict.flags),
        "merged_into": _host(verdict.flags),
    }
